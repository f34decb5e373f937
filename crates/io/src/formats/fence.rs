//! Decoders of other crates, which may panic on bytes that nobody foresaw.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Fault;

/// What `work` returns, and a fault of the file where it panics. `work` must leave nothing behind that is used after a
/// panic.
pub(crate) fn fenced<T>(format: &'static str, work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Fault::Damaged { format, problem: "its decoder gave up".into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_fault_of_the_file() {
        let fault = fenced::<()>("Parquet", || panic!("of a decoder, in a test")).unwrap_err();
        assert!(matches!(fault, Fault::Damaged { format: "Parquet", .. }), "{fault}");
        assert_eq!(fenced("Parquet", || Ok(3)).unwrap(), 3);
    }
}
