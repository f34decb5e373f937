//! The order of names with numbers in them.

/// A key that puts 9 before 10: text and numbers in turn.
pub(super) fn natural(name: &str) -> Vec<(String, u128)> {
    let mut parts: Vec<(String, u128)> = vec![(String::new(), 0)];
    let mut digits = String::new();
    let close = |parts: &mut Vec<(String, u128)>, digits: &mut String| {
        if !digits.is_empty() {
            if let Some(last) = parts.last_mut() {
                last.1 = digits.parse().unwrap_or(u128::MAX);
            }
            parts.push((String::new(), 0));
            digits.clear();
        }
    };
    for c in name.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
        } else {
            close(&mut parts, &mut digits);
            if let Some(last) = parts.last_mut() {
                last.0.push(c);
            }
        }
    }
    close(&mut parts, &mut digits);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_natural_order() {
        let mut names = ["b2", "a10", "a9", "a", "a9b1", "10", "9"];
        names.sort_by_cached_key(|name| natural(name));
        assert_eq!(names, ["9", "10", "a", "a9", "a9b1", "a10", "b2"]);
    }
}
