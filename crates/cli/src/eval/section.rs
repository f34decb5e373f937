//! A part of the report, and how it is told: as lines on a terminal, and as keys in an object.

use serde_json::{Map, Value, json};

use crate::text::decimal;

/// A part of the report.
pub(super) trait Section {
    /// Puts its keys.
    fn json(&self, object: &mut Map<String, Value>);

    /// Its lines.
    fn text(&self) -> String;
}

/// A value, or why there is none.
pub(super) type Maybe<T> = Result<T, Absent>;

/// Why a value is undefined for these data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Absent(pub(super) String);

impl Absent {
    pub(super) fn because<T>(reason: &str) -> Maybe<T> {
        Err(Self(reason.into()))
    }
}

const BEYOND: &str = "it is beyond double precision";

/// A number, or why there is none, until [`settle`].
pub(super) fn number(value: f64) -> Value {
    // Zero has one sign.
    match serde_json::Number::from_f64(value + 0.0) {
        Some(number) => Value::Number(number),
        None => absent(BEYOND),
    }
}

/// A value, unless it is too large for one.
pub(super) fn finite(value: f64) -> Maybe<f64> {
    if value.is_finite() { Ok(value) } else { Absent::because(BEYOND) }
}

pub(super) fn maybe(value: &Maybe<f64>) -> Value {
    value.as_ref().map_or_else(|Absent(reason)| absent(reason), |&value| number(value))
}

pub(super) fn absent(reason: &str) -> Value {
    json!({ABSENT: reason})
}

/// A cell of a table.
pub(super) fn cell(value: &Maybe<f64>) -> String {
    value.as_ref().map_or_else(|_| "-".into(), |&value| decimal(value))
}

/// Why values of a table are missing, each reason once: a line each.
pub(super) fn reasons<'a>(values: impl IntoIterator<Item = (&'a str, &'a Maybe<f64>)>) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (what, value) in values {
        if let Err(Absent(reason)) = value {
            let line = format!("-  {what}: {reason}.\n");
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines.concat()
}

/// The key of a value that is not there, while the object is being made.
const ABSENT: &str = "\u{0}absent";

/// Makes null of every value that is not there, and says why in one place: by its pointer (RFC 6901).
pub(super) fn settle(object: &mut Value) -> Map<String, Value> {
    let mut reasons = Map::new();
    visit(object, &mut String::new(), &mut reasons);
    reasons
}

fn visit(value: &mut Value, path: &mut String, reasons: &mut Map<String, Value>) {
    let length = path.len();
    match value {
        Value::Object(object) => {
            if let Some(reason) = object.remove(ABSENT) {
                reasons.insert(path.clone(), reason);
                *value = Value::Null;
                return;
            }
            for (key, value) in object {
                path.push('/');
                path.push_str(key);
                visit(value, path, reasons);
                path.truncate(length);
            }
        }
        Value::Array(values) => {
            for (i, value) in values.iter_mut().enumerate() {
                path.push('/');
                path.push_str(&i.to_string());
                visit(value, path, reasons);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_null_and_has_a_reason() {
        let mut object = json!({"a": number(1.5), "b": [{"c": absent("why")}, number(f64::NAN)], "d": {"e": number(f64::INFINITY)}});
        let reasons = settle(&mut object);
        assert_eq!(object, json!({"a": 1.5, "b": [{"c": null}, null], "d": {"e": null}}));
        assert_eq!(reasons.keys().collect::<Vec<_>>(), ["/b/0/c", "/b/1", "/d/e"]);
        assert_eq!(reasons["/b/0/c"], "why");
    }
}
