//! The clock that submissions are timed by.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use std::time::Instant;

/// A moment by a browser's clock, in milliseconds. That of the standard library panics there.
#[cfg(target_arch = "wasm32")]
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Instant(f64);

#[cfg(target_arch = "wasm32")]
impl Instant {
    pub(crate) fn now() -> Self {
        Self(js_sys::Date::now())
    }

    pub(crate) fn elapsed(self) -> std::time::Duration {
        Self::now() - self
    }

    /// The later of two.
    pub(crate) fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }
}

/// None where the clock was set back.
#[cfg(target_arch = "wasm32")]
impl std::ops::Sub for Instant {
    type Output = std::time::Duration;

    fn sub(self, earlier: Self) -> std::time::Duration {
        std::time::Duration::from_secs_f64((self.0 - earlier.0).max(0.0) / 1000.0)
    }
}
