//! A value, or why there is none.

use std::fmt;

/// A value, or why there is none.
pub type Maybe<T> = Result<T, Absent>;

/// The reason why a value is undefined for these data: a sentence without its full stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absent(&'static str);

impl Absent {
    /// The reason of a number that f64 cannot hold.
    pub const OVERFLOW: Self = Self("it is beyond double precision");

    /// No value, for this reason: a sentence without its full stop.
    pub const fn because(reason: &'static str) -> Self {
        Self(reason)
    }

    /// The reason.
    pub fn reason(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A number, unless it is beyond what f64 can hold.
pub(crate) fn finite(value: f64) -> Maybe<f64> {
    if value.is_finite() { Ok(value) } else { Err(Absent::OVERFLOW) }
}
