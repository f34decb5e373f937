//! What rounding of points to f32 may have moved: in a sentence and in JSON, of every report alike.

use serde_json::{Map, Value};
use unisphere_eval::{Moved, Rounding};

/// How far rounding may have moved what values, of what no bound is known, and what helps; empty where it is negligible.
pub(crate) fn note(rounding: Option<Rounding>, moved: &[Moved], without_bound: &[&str]) -> String {
    let Some(rounding) = rounding.filter(|_| !moved.is_empty()) else { return String::new() };
    let without = match without_bound {
        [] => String::new(),
        some => format!("No bound of that is known for {}.\n", some.join(", ")),
    };
    let cure = if rounding.mean_helps {
        "Take the mean of all points from the data: where more than distances is measured, that is not done by itself.\n"
    } else {
        "The points reach too far from any one place to be kept in more digits.\n"
    };
    format!(
        "Rounding: points have more digits than single precision holds, which may move {} at most.\n{without}{cure}",
        values(moved)
    )
}

/// The values and how far they may have moved, as a list.
pub(crate) fn values(moved: &[Moved]) -> String {
    let values: Vec<_> = moved.iter().map(|Moved { value, by }| format!("{value} by {by:.1e}")).collect();
    values.join(", ")
}

/// How far each value may have moved, under its key; None where that is negligible.
pub(crate) fn object(moved: &[Moved]) -> Option<Value> {
    let values = moved.iter().map(|of| (of.value.key().to_owned(), of.by.into()));
    (!moved.is_empty()).then(|| Value::Object(values.collect::<Map<_, _>>()))
}
