//! Values on the command line.

use clap::builder::{NonEmptyStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use unisphere::{DeviceChoice, Sigmoid};

/// A positive, finite number.
pub(crate) fn positive(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value.is_finite() => Ok(value),
        _ => Err("must be a positive, finite number"),
    }
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

/// A value with its name on the command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice<T> {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) value: T,
}
