//! What the values of columns tell: those that count the rows, and those of whole numbers among fractions.

use super::{
    ANY_EXAMPLE, Choice, Columns, Wanted, example, exclusion, leaves_out_only, no_dimension,
    sets::may_be_several, unlikely::beside_letters,
};
use crate::{
    Fault,
    formats::columns::listed,
    memory::zeros,
    table::{Notes, Table},
};

/// Values that are read at once.
const VALUES_AT_ONCE: usize = 64 << 10;

/// Rows that a column has to count, or to hold whole numbers in, for that to be no chance.
const LEAST_ROWS: usize = 4;
/// Rows after which columns of whole numbers are no exception, if most are.
const ROWS_UNTIL_RULE: usize = 64;

/// Columns of whole numbers, as far as the rows were looked at.
#[derive(Debug)]
pub(crate) struct Survey {
    rows: usize,
    /// How many columns there are, whatever they hold.
    of: usize,
    whole: Vec<Whole>,
}

/// A column that holds whole numbers so far.
#[derive(Debug)]
struct Whole {
    column: usize,
    first: f64,
    /// Whether it counts the rows, from 0 or from 1.
    counts: bool,
    /// Whether its values differ.
    varies: bool,
}

impl Survey {
    /// Of what is chosen: of nothing where the caller names it, or where it is one column.
    pub(crate) fn of(choice: &Choice, wanted: Wanted<'_>) -> Self {
        let is_open = wanted.name.is_none() && !matches!(choice, Choice::List(_));
        let columns: Vec<_> = choice.columns().filter(|_| is_open).collect();
        let whole = |column| Whole { column, first: 0.0, counts: true, varies: false };
        let of = columns.len();
        Self {
            rows: 0,
            of,
            whole: if of > 1 { columns.into_iter().map(whole).collect() } else { Vec::new() },
        }
    }

    /// Of those that the file says to be of whole numbers.
    #[cfg_attr(not(feature = "parquet"), allow(dead_code, reason = "text says nothing of its columns"))]
    pub(crate) fn of_those(mut self, is_whole: impl Fn(usize) -> bool) -> Self {
        self.whole.retain(|of| is_whole(of.column));
        self
    }

    /// Looks at a table of just its columns. What is wrong with a row is told when it is read.
    #[cfg_attr(not(feature = "parquet"), allow(dead_code, reason = "text is looked at row by row"))]
    pub(crate) fn look(&mut self, table: &dyn Table) {
        let of_table: Vec<_> = self.columns().collect();
        let step = (VALUES_AT_ONCE / of_table.len().max(1)).max(1);
        for start in (0..table.rows()).step_by(step) {
            let rows = start..table.rows().min(start + step);
            let Ok(mut values) = zeros::<f64>(rows.len(), of_table.len()) else { return };
            if table.read_wide(rows, &mut values).is_err() {
                return;
            }
            for row in values.chunks_exact(of_table.len()) {
                let place = |column| of_table.binary_search(&column).ok();
                let left: Vec<_> = self.columns().map(|column| Some(row[place(column)?])).collect();
                if !self.take(&left) {
                    return;
                }
            }
        }
    }

    /// The columns that are still to be looked at, in the order of the file.
    pub(crate) fn columns(&self) -> impl Iterator<Item = usize> {
        self.whole.iter().map(|of| of.column)
    }

    /// Takes the next row: a value of each of these columns, if it is a number. Returns whether any column is left.
    pub(crate) fn take(&mut self, values: &[Option<f64>]) -> bool {
        let row = self.rows as f64;
        let mut values = values.iter();
        self.whole.retain_mut(|of| {
            let value = values.next().copied().flatten();
            let Some(value) = value.filter(|value| value.fract() == 0.0) else { return false };
            if row == 0.0 {
                (of.first, of.counts) = (value, value == 0.0 || value == 1.0);
            }
            of.counts &= value == of.first + row;
            of.varies |= value != of.first;
            true
        });
        self.rows += 1;
        if self.rows >= ROWS_UNTIL_RULE && self.are_rule() {
            self.whole.retain(|of| of.counts);
        }
        !self.whole.is_empty()
    }

    /// Whether most columns hold whole numbers, so that none is an exception.
    fn are_rule(&self) -> bool {
        2 * self.whole.len() > self.of
    }

    /// What is to be said of a choice. Columns that count the rows are refused.
    pub(crate) fn notes(
        self,
        columns: &Columns<'_>,
        choice: &Choice,
        wanted: Wanted<'_>,
    ) -> Result<Notes, Fault> {
        if matches!(choice, Choice::List(_)) {
            return Ok(Notes::default());
        }
        let of_dimensions = choice.columns().filter(|_| columns.are_named);
        let of_dimensions = of_dimensions.map(|column| columns.names[column].clone()).collect();
        let names = columns.names;
        let chosen: Vec<_> = choice.columns().collect();
        if let Some(name) = wanted.name {
            // Who only leaves columns out says nothing of the others.
            let says_nothing = columns.are_named && leaves_out_only(names, name)?;
            let guess = says_nothing.then(|| may_be_several(names, &chosen)).flatten();
            return Ok(Notes { names: of_dimensions, guess, ..Notes::default() });
        }
        let is_enough = self.rows >= LEAST_ROWS;
        let counting: Vec<_> = self.whole.iter().filter(|of| is_enough && of.counts).collect();
        if !counting.is_empty() {
            let counting: Vec<_> = counting.iter().map(|of| (of.column, "counts the rows")).collect();
            return Err(no_dimension(names, &chosen, &counting));
        }
        let left_out: Vec<_> = names
            .iter()
            .map(String::as_str)
            .filter(|name| wanted.without.iter().any(|left| left == name))
            .collect();
        let left_out = (!left_out.is_empty()).then(|| listed(left_out.into_iter()));
        let exceptions = if is_enough && !self.are_rule() { self.whole } else { Vec::new() };
        let whole: Vec<_> = exceptions.iter().filter(|of| of.varies).map(|of| of.column).collect();
        let odd = if columns.are_named { beside_letters(names, &chosen) } else { Vec::new() };
        let of_names = || columns.are_named.then(|| may_be_several(names, &chosen)).flatten();
        let guess = guess(columns, &chosen, &whole, &odd).or_else(of_names);
        Ok(Notes { left_out, guess, names: of_dimensions })
    }
}

/// What is said of columns that are taken for dimensions, and most likely are none: those of whole numbers among fractions, and the
/// odd ones by their names.
fn guess(columns: &Columns<'_>, chosen: &[usize], whole: &[usize], odd: &[usize]) -> Option<String> {
    let name = |column: &usize| columns.names[*column].as_str();
    let is_told = |column: &&usize| whole.contains(column) || odd.contains(column);
    let (told, others): (Vec<_>, Vec<_>) = chosen.iter().partition(|column| is_told(column));
    let others: Vec<_> = others.into_iter().map(name).collect();
    let cure = exclusion(columns.names, &others).map(|of| format!("with --column {of}"));
    let cure = cure.unwrap_or_else(|| {
        let of = example(columns.names, &others);
        format!("by choosing the others with --column, {}", of.as_deref().unwrap_or(ANY_EXAMPLE))
    });
    let is_one = told.len() == 1;
    let (is, dimensions, it) =
        if is_one { ("column", "a dimension", "it") } else { ("columns", "dimensions", "them") };
    let reason = match (whole, odd) {
        ([], []) => return None,
        ([], _) => "though most others are called by single letters",
        _ if is_one => "though it holds whole numbers, as labels are, and most others do not",
        (_, []) => "though they hold whole numbers, as labels are, and most others do not",
        _ => "though they hold whole numbers or have longer names, and most others do not",
    };
    let label = match told.as_slice() {
        [label] if whole.contains(label) => {
            format!("; or say that it is a label: --labels-column {}", name(label))
        }
        _ => String::new(),
    };
    let told = listed(told.into_iter().map(name));
    Some(format!(
        "takes the {is} {told} for {dimensions} of the points, {reason}; leave {it} out {cure}{label}"
    ))
}
