//! What rounding of points to f32 may have moved: in a sentence and in JSON, of every report alike.

use serde_json::{Map, Value};
use unisphere_eval::{Moved, Rounding, RoundingCure};

/// How far rounding may have moved what values, of what no bound is known, and what helps; empty where it is negligible.
pub(crate) fn note(rounding: Option<Rounding>, moved: &[Moved], without_bound: &[&str]) -> String {
    let is_negligible = moved.is_empty() && without_bound.is_empty();
    let Some(rounding) = rounding.filter(|_| !is_negligible) else { return String::new() };
    let without = match without_bound {
        [] => String::new(),
        some => format!("No bound of that is known for {}.\n", some.join(", ")),
    };
    let cure = match rounding.cure {
        RoundingCure::DistancesAlone => {
            "Measure alignment and uniformity alone: of files, the mean of all points is then subtracted by itself. Losses and ranks would \
             change with it, and no origin helps them.\n"
        }
        RoundingCure::Mean => {
            "Take the mean of all points from the data: of sets in memory, that is not done by itself.\n"
        }
        _ if moved.is_empty() => "",
        _ if moved.iter().all(|of| of.value.is_of_products()) => {
            "Products of points depend on where they lie, so that no other origin helps.\n"
        }
        _ => "No other origin of the points saves these digits.\n",
    };
    let by =
        if moved.is_empty() { String::new() } else { format!(", which may move {} at most", values(moved)) };
    format!("Rounding: points have more digits than single precision holds{by}.\n{without}{cure}")
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

#[cfg(test)]
mod tests {
    use unisphere_eval::MovedValue;

    use super::*;

    #[test]
    fn the_cure_changes_no_value() {
        let rounding = |cure| Some(Rounding { x: 1.0, y: 0.0, of_point: 0.5, longest: 1e7, cure });
        let by = |value| Moved { value, by: 0.1 };
        let (distances, products) = ([by(MovedValue::Alignment)], [by(MovedValue::Sigmoid)]);
        for (cure, moved, told) in [
            (
                RoundingCure::Mean,
                &distances[..],
                "Take the mean of all points from the data: of sets in memory",
            ),
            (RoundingCure::DistancesAlone, &distances, "Measure alignment and uniformity alone"),
            (RoundingCure::DistancesAlone, &products, "no origin helps them"),
            (RoundingCure::None, &distances, "No other origin of the points"),
            (RoundingCure::None, &products, "so that no other origin helps"),
        ] {
            let text = note(rounding(cure), moved, &[]);
            assert!(text.contains(told) && text.ends_with(".\n"), "{text}");
        }
        assert_eq!(note(rounding(RoundingCure::Mean), &[], &[]), "");
        assert_eq!(
            note(rounding(RoundingCure::None), &[], &["losses"]),
            "Rounding: points have more digits than single precision holds.\nNo bound of that is known for losses.\n"
        );
    }
}
