//! Values that are not there: null in the object, each with its reason under one key, by its JSON pointer.

use serde_json::{Map, Value, json};
use unisphere_eval::{Absent, Maybe};

/// A number, or why there is none, until [`settle`].
pub(super) fn number(value: f64) -> Value {
    // Zero has one sign.
    match serde_json::Number::from_f64(value + 0.0) {
        Some(number) => Value::Number(number),
        None => absent(Absent::OVERFLOW.reason()),
    }
}

/// A value, or why there is none, until [`settle`].
pub(super) fn maybe(value: Maybe<f64>) -> Value {
    value.map_or_else(|reason| absent(reason.reason()), number)
}

/// The reason why a value is not there, until [`settle`].
pub(super) fn absent(reason: &str) -> Value {
    json!({ABSENT: reason})
}

/// The key of a value that is not there, while the object is being made.
const ABSENT: &str = "\u{0}absent";

/// Makes null of every value that is not there, and puts the reasons under a key of their own, by the values' pointers
/// (RFC 6901).
pub(super) fn settle(object: &mut Value) {
    let mut reasons = Map::new();
    visit(object, &mut String::new(), &mut reasons);
    if !reasons.is_empty() {
        object["absent"] = reasons.into();
    }
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
        settle(&mut object);
        let reasons = object.as_object_mut().and_then(|object| object.remove("absent")).unwrap_or_default();
        let reasons = reasons.as_object().cloned().unwrap_or_default();
        assert_eq!(object, json!({"a": 1.5, "b": [{"c": null}, null], "d": {"e": null}}));
        assert_eq!(reasons.keys().collect::<Vec<_>>(), ["/b/0/c", "/b/1", "/d/e"]);
        assert_eq!(reasons["/b/0/c"], "why");
    }
}
