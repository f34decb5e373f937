//! Numbers and columns for people, and words for their shells.

use std::{ffi::OsStr, path::Path};

use anstyle::Style;
use unisphere::{ContrastiveValue, Device, Scaling, Storage};
use unisphere_io::printable;

pub(crate) use unisphere_html::{count, plural};

/// A parameter as it was given, however far from 1.
pub(crate) fn plain(value: f64) -> String {
    if value == 0.0 || (1e-3..1e9).contains(&value.abs()) { format!("{value}") } else { format!("{value:e}") }
}

/// Six decimals, or six digits where those would say nothing.
pub(crate) fn decimal(value: f64) -> String {
    // Zero has one sign.
    let value = value + 0.0;
    if value == 0.0 || (1e-3..1e9).contains(&value.abs()) {
        format!("{value:.6}")
    } else {
        format!("{value:.6e}")
    }
}

/// "1.23 G": three digits and a prefix, before a unit.
pub(crate) fn magnitude(value: f64) -> String {
    const PREFIXES: [&str; 6] = ["", "k", "M", "G", "T", "P"];
    let mut scaled = value;
    let mut prefix = 0;
    while scaled >= 999.5 && prefix + 1 < PREFIXES.len() {
        scaled /= 1000.0;
        prefix += 1;
    }
    let decimals = if prefix == 0 || scaled >= 99.95 {
        0
    } else if scaled >= 9.995 {
        1
    } else {
        2
    };
    format!("{scaled:.decimals$} {}", PREFIXES[prefix])
}

/// Three digits, as many of them behind the point as it takes.
pub(crate) fn digits(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e6).contains(&value.abs()) {
        return format!("{value:.1e}");
    }
    // Rounded first: 9.999 is 10.0.
    let rounded = format!("{value:.2e}").parse().unwrap_or(value).abs();
    let before = if rounded == 0.0 { 1 } else { rounded.log10().floor() as i32 + 1 };
    format!("{value:.*}", (3 - before).clamp(0, 5) as usize)
}

/// "251 ms": three digits and the unit that they go with.
pub(crate) fn seconds(seconds: f64) -> String {
    let (scale, unit) = match seconds {
        s if s < 0.9995e-3 => (1e6, "µs"),
        s if s < 0.9995 => (1e3, "ms"),
        _ => (1.0, "s"),
    };
    format!("{} {unit}", digits(seconds * scale))
}

/// "128 MiB"; one decimal where it is not a whole number of the unit.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let unit = (number.max(1).ilog2() / 10) as usize;
    let size = 1u64 << (10 * unit);
    if number.is_multiple_of(size) {
        format!("{} {}", number / size, UNITS[unit])
    } else {
        format!("{:.1} {}", number as f64 / size as f64, UNITS[unit])
    }
}

/// Points of a set: how many, of how many dimensions, and how they are scaled.
pub(crate) fn points(rows: usize, dims: usize, scaling: Scaling) -> String {
    let scaling = match scaling {
        Scaling::Unit => "scaled to unit length",
        Scaling::Raw => "raw",
    };
    format!("n = {}, d = {}, {scaling}", count(rows as u64), count(dims as u64))
}

/// A device, with the precision of its products and the form in which it keeps points.
pub(crate) fn device(device: &Device, precision: &str, storage: Storage) -> String {
    let software = if device.software { " (software)" } else { "" };
    let stored = match storage {
        Storage::F32 => String::new(),
        storage => format!(", points stored as {storage}"),
    };
    format!("{}: {}{software}, {precision}{stored}", device.kind, device.name)
}

/// The head of a report: what each line is of, and what it says, names from outside among it.
pub(crate) fn circumstances(lines: &[(&str, String)]) -> String {
    lines.iter().map(|(what, value)| format!("{what:<8}{}\n", printable(value))).collect()
}

/// Titles of a table of contrastive losses, whose rows are [`contrastive`].
pub(crate) const CONTRASTIVE_TITLES: [&str; 7] =
    ["contrastive", "M", "loss", "- log M", "alignment", "uniformity", "residual"];

/// What these titles mean.
pub(crate) const CONTRASTIVE_NOTE: &str = "\
loss - log M = alignment + uniformity + residual (Theorem 1): alignment is -E x.y/tau, uniformity is
E log E exp(x.x'/tau), and the residual vanishes as M grows.
";

/// The contrastive loss of a temperature as cells of a table.
pub(crate) fn contrastive(tau: f64, value: &ContrastiveValue) -> Vec<String> {
    let numbers = [value.loss, value.normalized, value.alignment, value.uniformity, value.residual];
    [format!("tau = {}", plain(tau)), count(value.negatives)]
        .into_iter()
        .chain(numbers.map(decimal))
        .collect()
}

pub(crate) fn table<const N: usize>(head: [&str; N], left: usize, rows: &[[String; N]]) -> String {
    let rows: Vec<_> = rows.iter().map(|row| row.to_vec()).collect();
    columns(&head, left, &rows)
}

/// A table of any number of columns.
/// Columns as wide as they need to be, the first `left` of them flush left, under a bold heading.
pub(crate) fn columns(head: &[&str], left: usize, rows: &[Vec<String>]) -> String {
    let head: Vec<_> = head.iter().map(|&cell| cell.into()).collect();
    let lines = || std::iter::once(&head).chain(rows);
    let width =
        |column: usize| lines().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<_> = (0..head.len()).map(|column| width(column).unwrap_or(0)).collect();
    let line = |cells: &Vec<String>| {
        let cells = cells.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column < left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    let body = rows.iter().map(|row| line(row) + "\n");
    format!("{}\n{}", bold(&line(&head)), body.collect::<String>())
}

/// A heading.
pub(crate) fn bold(text: &str) -> String {
    let bold = Style::new().bold();
    format!("{bold}{text}{bold:#}")
}

/// Counts as one line of bars, the highest for the greatest; a count that is not 0 shows.
pub(crate) fn bars(counts: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let greatest = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let bar = |&count: &u64| match count {
        0 => ' ',
        _ => BARS[(count as f64 / greatest * 7.0).round() as usize],
    };
    counts.iter().map(bar).collect()
}

/// Several lines as one.
pub(crate) fn in_line(lines: &str) -> String {
    lines.lines().collect::<Vec<_>>().join("; ")
}

/// Words of a line that a person may give to a shell: each in quotes where it needs them.
pub(crate) fn words<W: AsRef<OsStr>>(words: impl IntoIterator<Item = W>) -> String {
    words.into_iter().map(|word| quoted(word.as_ref())).collect::<Vec<_>>().join(" ")
}

/// A pattern in a folder that the shell is to expand, so that the folder alone is in quotes.
pub(crate) fn open_pattern(folder: &Path, pattern: &str) -> String {
    if folder.as_os_str().is_empty() {
        return pattern.into();
    }
    // A slash at its end.
    words([folder.join("")]) + pattern
}

/// What a shell takes as it is on this system, beside what all do.
const OF_NAMES: char = if cfg!(windows) { '\\' } else { '@' };

/// Whether a sign ends a text in single quotes. On Windows that is for PowerShell, which takes those of print for them too; cmd knows no
/// single quotes.
fn is_quote(sign: char) -> bool {
    sign == '\'' || cfg!(windows) && ('\u{2018}'..='\u{201b}').contains(&sign)
}

/// Such a sign within a text in single quotes.
fn within_quotes(quote: char) -> String {
    if cfg!(windows) { [quote, quote].iter().collect() } else { r"'\''".into() }
}

fn quoted(word: &OsStr) -> String {
    let text = printable(word);
    if word.to_str() == Some(text.as_str()) {
        let is_plain = |sign: char| sign.is_alphanumeric() || "-_./,=:%+".contains(sign) || sign == OF_NAMES;
        if !text.is_empty() && text.chars().all(is_plain) {
            return text;
        }
        let inner = text.chars().map(|sign| if is_quote(sign) { within_quotes(sign) } else { sign.into() });
        return format!("'{}'", inner.collect::<String>());
    }
    // Signs that a terminal obeys, and bytes that are no text, by their numbers.
    let shown = |&byte: &u8| match byte {
        b'\'' | b'\\' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\{byte:03o}"),
    };
    format!("$'{}'", word.as_encoded_bytes().iter().map(shown).collect::<String>())
}

#[cfg(test)]
mod tests {
    use std::path::MAIN_SEPARATOR;

    use super::*;

    #[test]
    fn shells_take_words_as_they_are() {
        assert_eq!(
            words(["ck/a_1.npy", "", "my dir/x.npy", "*.npy"]),
            "ck/a_1.npy '' 'my dir/x.npy' '*.npy'"
        );
        let quoted = if cfg!(windows) { r"'it''s.npy' '$HOME' a\b" } else { r"'it'\''s.npy' '$HOME' 'a\b'" };
        assert_eq!(words(["it's.npy", "$HOME", r"a\b"]), quoted);
        assert_eq!(words(["a\tb'c\\.npy", "\u{202e}x"]), r"$'a\011b\'c\\.npy' $'\342\200\256x'");
        let in_folder = |folder: &str| open_pattern(Path::new(folder), "*.npy").replace(MAIN_SEPARATOR, "/");
        assert_eq!(["", "ck", "my dir/"].map(in_folder), ["*.npy", "ck/*.npy", "'my dir/'*.npy"]);
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 8_386_560].map(count), ["0", "999", "1,000", "8,386,560"]);
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(
            [-0.0, -2.8154002302, 1e-9, -3e12].map(decimal),
            ["0.000000", "-2.815400", "1.000000e-9", "-3.000000e12"]
        );
        assert_eq!(
            [0.0, 12.0, 999.4, 999.6, 1.234e9, 99.96e9, 5e20].map(magnitude),
            ["0 ", "12 ", "999 ", "1.00 k", "1.23 G", "100 G", "500000 P"]
        );
        assert_eq!(
            [0.0, 0.2054, 3.0, 9.999, 312.4, 81_234.0, 1.44e-5].map(digits),
            ["0.00", "0.205", "3.00", "10.0", "312", "81234", "1.4e-5"]
        );
        assert_eq!([8.4e-6, 0.0123, 0.9996, 75.0].map(seconds), ["8.40 µs", "12.3 ms", "1.00 s", "75.0 s"]);
        assert_eq!(
            [0, 1023, 1 << 27, (1 << 31) - 1, u64::MAX].map(bytes),
            ["0 B", "1023 B", "128 MiB", "2.0 GiB", "16.0 EiB"]
        );
    }

    #[test]
    fn words_and_parameters() {
        assert_eq!([0, 1, 1000].map(|number| plural(number, "row")), ["0 rows", "1 row", "1,000 rows"]);
        assert_eq!([0.0, 2.0, 0.07, 1e-9, 5e300].map(plain), ["0", "2", "0.07", "1e-9", "5e300"]);
    }

    #[test]
    fn bars_are_as_high_as_counts() {
        assert_eq!(bars(&[0, 1, 500, 1000]), " ▁▅█");
        assert_eq!((bars(&[0, 0]).as_str(), bars(&[u64::MAX]).as_str()), ("  ", "█"));
    }

    #[test]
    fn columns_line_up() {
        let rows = [["µ", "1"], ["long", "1,000"]].map(|row| row.map(String::from));
        assert_eq!(
            anstream::adapter::strip_str(&table(["", "n"], 1, &rows)).to_string(),
            "          n\nµ         1\nlong  1,000\n"
        );
    }
}
