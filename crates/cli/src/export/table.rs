//! A table of cells, as a terminal and as Markdown show it.

use unisphere_io::printable;

use crate::text;

/// Titles of the columns, and rows of as many cells.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) head: Vec<String>,
    /// The first columns, which are flush left; the others hold numbers.
    pub(super) left: usize,
    pub(super) rows: Vec<Vec<String>>,
}

/// A table, and the sentences below it, one a line.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) table: Table,
    pub(super) below: String,
}

impl Section {
    pub(super) fn to_text(&self) -> String {
        self.table.to_text() + &self.below
    }

    pub(super) fn to_markdown(&self) -> String {
        let between = if self.below.is_empty() { "" } else { "\n" };
        self.table.to_markdown() + between + &lines(&self.below)
    }
}

impl Table {
    pub(super) fn new(head: &[&str], left: usize, rows: Vec<Vec<String>>) -> Self {
        Self { head: head.iter().map(|&title| title.into()).collect(), left, rows }
    }

    pub(super) fn to_text(&self) -> String {
        let head: Vec<_> = self.head.iter().map(String::as_str).collect();
        text::columns(&head, self.left, &self.rows)
    }

    /// A table of GitHub Flavored Markdown.
    pub(super) fn to_markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<_> = cells.iter().map(|cell| escaped(cell)).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule = |column| if column < self.left { ":--" } else { "--:" };
        let rules: Vec<_> = (0..self.head.len()).map(rule).collect();
        let rows = self.rows.iter().map(|row| line(row));
        format!("{}| {} |\n{}", line(&self.head), rules.join(" | "), rows.collect::<String>())
    }
}

/// Sentences, one a line, in which nothing is markup.
pub(super) fn lines(text: &str) -> String {
    text.lines().map(|line| format!("{}  \n", escaped(line))).collect()
}

/// A cell in which nothing is markup.
fn escaped(cell: &str) -> String {
    let mut text = String::new();
    for c in printable(cell).chars() {
        if matches!(c, '\\' | '|' | '*' | '_' | '`' | '<' | '>' | '[' | ']' | '~' | '&') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_no_markup() {
        let table = Table::new(&["model", "n"], 1, vec![vec!["a|b_c<i>\n".into(), "1".into()]]);
        assert_eq!(table.to_markdown(), "| model | n |\n| :-- | --: |\n| a\\|b\\_c\\<i\\>\\\\n | 1 |\n");
    }
}
