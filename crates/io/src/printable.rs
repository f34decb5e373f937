//! Text from outside, made safe to print.

use std::ffi::OsStr;

/// A name from outside, such as that of a file, a column or a label, with nothing in it that a terminal obeys: line breaks, other
/// control characters and those that turn the direction of writing are escaped as Rust writes them, `\n` and `\u{1b}`. What is
/// no Unicode is U+FFFD.
pub fn printable(name: impl AsRef<OsStr>) -> String {
    let mut text = String::new();
    for c in name.as_ref().to_string_lossy().chars() {
        if is_obeyed(c) { text.extend(c.escape_default()) } else { text.push(c) }
    }
    text
}

fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_a_terminal_obeys() {
        assert_eq!(printable("naïve 日本 x.npy"), "naïve 日本 x.npy");
        assert_eq!(printable("a\u{1b}]0;title\u{7}b"), "a\\u{1b}]0;title\\u{7}b");
        assert_eq!(printable("a\nb\tc\u{9b}2J\u{202e}yp"), "a\\nb\\tc\\u{9b}2J\\u{202e}yp");
        for c in ('\0'..=char::MAX).filter(|c| c.is_control()) {
            assert!(!printable(c.to_string()).contains(char::is_control), "{c:?}");
        }
    }
}
