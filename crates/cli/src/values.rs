//! Values on the command line.

use clap::builder::{NonEmptyStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use unisphere::{Candidates, DeviceChoice, Sigmoid};
use unisphere_scale::Draw;

/// A positive, finite number.
pub(crate) fn positive(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value.is_finite() => Ok(value),
        _ => Err("must be a positive, finite number"),
    }
}

/// A finite number.
pub(crate) fn finite(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err("must be a finite number"),
    }
}

/// The greatest t and distance that are taken: of points in f32, nothing is told by greater ones, and sums of them overflow.
const GREATEST: f64 = 1e100;

/// A positive number that can be multiplied with squared distances: t, or a distance.
pub(crate) fn factor(text: &str) -> Result<f64, &'static str> {
    match positive(text)? {
        value if value > GREATEST => {
            Err("must be at most 1e100, as sums overflow beyond it; choose a smaller one")
        }
        value => Ok(value),
    }
}

/// A number above 0 and below 1.
pub(crate) fn fraction(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value < 1.0 => Ok(value),
        _ => Err("must be above 0 and below 1, such as 0.95"),
    }
}

/// A number of bytes: 4G, 500M, 1.5GiB. Units are powers of 1024.
pub(crate) fn size(text: &str) -> Result<u64, &'static str> {
    const UNITS: &str = "KMGT";
    let expected = "must be a number with K, M, G or T, such as 4G";
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text[digits.len()..].to_ascii_uppercase();
    let power = match unit.trim_end_matches("IB").trim_end_matches('B') {
        "" if unit.is_empty() || unit == "B" => 0,
        letter => UNITS.find(letter).filter(|_| letter.len() == 1).ok_or(expected)? as i32 + 1,
    };
    let bytes = positive(digits.trim()).map_err(|_| expected)? * 1024f64.powi(power);
    if bytes < u64::MAX as f64 { Ok(bytes as u64) } else { Err("is more memory than can be counted") }
}

/// The scale and the bias of a sigmoid loss, with a comma between them.
pub(crate) fn sigmoid(text: &str) -> Result<Sigmoid, &'static str> {
    let (scale, bias) =
        text.split_once(',').ok_or("must be two numbers with a comma between them, such as 10,-10")?;
    match (positive(scale.trim()), bias.trim().parse::<f64>()) {
        (Ok(scale), Ok(bias)) if bias.is_finite() => Ok(Sigmoid::new(scale, bias)),
        (Err(_), _) => Err("its scale must be a positive, finite number"),
        _ => Err("its bias must be a finite number"),
    }
}

/// A device, as `unisphere devices` lists them.
pub(crate) fn device() -> impl TypedValueParser<Value = DeviceChoice> {
    NonEmptyStringValueParser::new().try_map(|text| text.parse::<DeviceChoice>())
}

/// One value of several, by its name. `help` of each is printed by `--help`; none where it is empty.
pub(crate) fn one_of<T>(choices: Vec<Choice<T>>) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let name = |choice: &Choice<T>| {
        let name = PossibleValue::new(choice.name);
        if choice.help.is_empty() { name } else { name.help(choice.help) }
    };
    let names: Vec<_> = choices.iter().map(name).collect();
    PossibleValuesParser::new(names).try_map(move |name| {
        let chosen = choices.iter().find(|choice| choice.name == name);
        chosen.map(|choice| choice.value).ok_or("must be one of the possible values")
    })
}

/// What competes with a positive in the contrastive loss.
pub(crate) fn candidates() -> impl TypedValueParser<Value = Candidates> {
    let choice = |&value: &Candidates| Choice { name: value.name(), help: "", value };
    one_of(Candidates::ALL.iter().map(choice).collect())
}

/// What an estimate of uniformity draws.
pub(crate) fn draw() -> impl TypedValueParser<Value = Draw> {
    let proven = "blocks of pairs by a bound of their sums: an interval that is proven for any data";
    let simulated =
        "rounds that have every row once: fewer pairs, and an interval that is simulated, not proven";
    one_of(vec![
        Choice { name: "blocks", help: proven, value: Draw::Blocks },
        Choice { name: "rounds", help: simulated, value: Draw::Rounds },
    ])
}

/// A value with its name on the command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice<T> {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) value: T,
}

/// The way with rows that cannot be scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ZeroRows {
    #[default]
    Error,
    Skip,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_cannot_serve_have_their_cure() {
        assert_eq!((factor("1e100"), positive("1e300")), (Ok(1e100), Ok(1e300)));
        assert!(factor("1e300").is_err_and(|told| told.contains("at most 1e100")));
        assert!(factor("1e999").is_err_and(|told| told.contains("finite")));
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in
            [("512", 512), ("64M", 64 << 20), ("1.5 GiB", 3 << 29), ("2tb", 2 << 40), ("7B", 7)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "M", "-1G", "4X", "4GG", "1e300T", "inf", "iB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
