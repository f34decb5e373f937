//! The instruction set, chosen when the program runs.

use pulp::{Arch, Simd, WithSimd};

/// The instruction set that jobs are compiled for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level(Arch);

/// Work written once for all instruction sets.
///
/// `SIDE` is how many rows a tile has on its right side: twice as many accumulators, two vectors on the left
/// and a broadcast fit the registers. Whatever `run` calls must be inlined into it, or else it is compiled
/// without the instruction set.
pub(super) trait Job {
    type Output;
    /// Whether tiles had better be small, so that less of them lies beyond the pairs that count.
    const SMALL: bool = false;
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Self::Output;
}

struct Fitted<J>(J);

impl<J: Job> WithSimd for Fitted<J> {
    type Output = J::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> J::Output {
        match (S::REGISTER_COUNT >= 32, J::SMALL) {
            (true, false) => self.0.run::<S, 12>(simd),
            (true, true) => self.0.run::<S, 8>(simd),
            (false, false) => self.0.run::<S, 6>(simd),
            (false, true) => self.0.run::<S, 4>(simd),
        }
    }
}

impl Level {
    /// The best of this machine.
    pub(super) fn best() -> Self {
        Self(Arch::new())
    }

    /// All of this machine.
    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        let mut levels = vec![Self::best(), Self(Arch::Scalar)];
        #[cfg(target_arch = "x86_64")]
        levels.extend(pulp::x86::V3::try_new().map(|v3| Self(Arch::V3(v3))));
        levels
    }

    pub(super) fn run<J: Job>(self, job: J) -> J::Output {
        self.0.dispatch(Fitted(job))
    }

    pub(super) fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(_) => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Arch::V3(_) => "AVX2",
            #[cfg(target_arch = "aarch64")]
            Arch::Neon(_) => "NEON",
            _ => "no SIMD",
        }
    }
}
