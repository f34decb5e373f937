//! Numbers for people, each with its full value for programs.

use maud::{Markup, html};
use unisphere_eval::Maybe;

/// A number as a `data` element: six decimals to be read, and all digits as its value.
pub(crate) fn value(value: f64) -> Markup {
    with_text(value, &decimal(value))
}

/// The same in three digits.
pub(crate) fn short(value: f64) -> Markup {
    with_text(value, &digits(value))
}

/// A whole number as a `data` element, with its thousands apart.
pub(crate) fn whole(number: u64) -> Markup {
    html! { data value=(number) { (count(number)) } }
}

/// A value, or that there is none; [`reasons`] say why.
pub(crate) fn maybe(found: Maybe<f64>) -> Markup {
    match found {
        Ok(number) => value(number),
        Err(_) => html! { "none" },
    }
}

/// Why a table lacks values, each reason once.
pub(crate) fn reasons<'a, 'b>(values: impl IntoIterator<Item = (&'a str, &'b Maybe<f64>)>) -> Markup {
    let mut lines: Vec<String> = Vec::new();
    for (what, found) in values {
        let Err(reason) = found else { continue };
        let line = format!("No {what}: {reason}.");
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    html! { @for line in lines { p.note { (line) } } }
}

fn with_text(value: f64, text: &str) -> Markup {
    // Zero has one sign.
    html! { data value=(format!("{:?}", value + 0.0)) { (text) } }
}

/// Six decimals, or six digits where those would say nothing.
pub(crate) fn decimal(value: f64) -> String {
    let value = value + 0.0;
    signed(if value == 0.0 || (1e-3..1e9).contains(&value.abs()) {
        format!("{value:.6}")
    } else {
        format!("{value:.5e}")
    })
}

/// Three digits, as many of them behind the point as it takes.
pub(crate) fn digits(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e6).contains(&value.abs()) {
        return signed(format!("{value:.1e}"));
    }
    // Rounded first: 9.999 is 10.0.
    let rounded = format!("{value:.2e}").parse().unwrap_or(value).abs();
    let before = if rounded == 0.0 { 1 } else { rounded.log10().floor() as i32 + 1 };
    signed(format!("{value:.*}", (3 - before).clamp(0, 5) as usize))
}

/// A parameter as it was given.
pub(crate) fn plain(value: f64) -> String {
    let is_usual = value == 0.0 || (1e-3..1e9).contains(&value.abs());
    signed(if is_usual { format!("{value}") } else { format!("{value:e}") })
}

/// 1,234,567: a whole number with its thousands apart.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "1 row", "2 rows": a count of things.
pub fn plural(number: u64, what: &str) -> String {
    format!("{} {what}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A share in percent.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", digits(100.0 * share))
}

/// A formula, which no line breaks.
pub(crate) fn formula(text: &str) -> Markup {
    html! { span.formula { (text) } }
}

/// A text with the characters escaped that control a page: line ends, and those that turn the direction of what follows.
pub(crate) fn visible(text: &str) -> String {
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = |c: char| match c.is_control() || turns(c) {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(shown).collect()
}

/// A text of at most so many characters, with an ellipsis where it is cut.
pub(crate) fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        None => text.into(),
        Some(_) => text.chars().take(characters.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// The exponent of a power of distances as it is printed: nothing, a small 2, or a caret and the number.
pub(crate) fn exponent(alpha: f64) -> String {
    match alpha {
        1.0 => String::new(),
        2.0 => "²".into(),
        alpha => format!("^{}", plain(alpha)),
    }
}

/// The minus sign of print, which is as wide as a digit.
fn signed(text: String) -> String {
    text.replace('-', "−")
}

/// A text with its first letter in upper case, as a sentence begins.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well_and_keep_their_digits() {
        assert_eq!([0, 999, 8_386_560].map(count), ["0", "999", "8,386,560"]);
        assert_eq!([-0.0, -2.8154002302, 1e-9].map(decimal), ["0.000000", "−2.815400", "1.00000e−9"]);
        assert_eq!([(cut("four", 4)), cut("fives", 4), cut("éééé", 3)], ["four", "fiv…", "éé…"]);
        assert_eq!([0.2054, 9.999, 81_234.0, 1.44e-5].map(digits), ["0.205", "10.0", "81234", "1.4e−5"]);
        let written = value(-0.1 - 0.2).into_string();
        assert_eq!(written, r#"<data value="-0.30000000000000004">−0.300000</data>"#);
    }
}
