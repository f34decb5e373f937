//! Instruction sets: code is compiled for each, and one is chosen when the program runs.

use pulp::{Arch, NullaryFnOnce, Simd, WithSimd};

/// Instruction set that jobs run on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Isa(Arch);

/// Work that is written once and compiled for every instruction set.
///
/// `SIDE` is the number of rows on the right side of a tile: 2 · `SIDE` accumulators, two vectors of the left side and a
/// broadcast fit the registers. Everything that `run` calls must be inlined into it, or be a [`Part`]; what is
/// neither is compiled for the base instruction set.
pub(crate) trait Job {
    type Output;
    /// Small tiles waste less on pairs that do not count; few rows ask for them.
    const SMALL_TILES: bool = false;
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Self::Output;
}

/// Part of jobs that is compiled once for an instruction set, as a function of its own, and not again in each job that has it.
pub(crate) trait Part<S: Simd> {
    type Output;
    /// What `run` calls must be inlined into it, as with a [`Job`].
    fn run(self, simd: S) -> Self::Output;
}

/// Calls a part of a job.
#[inline(always)]
pub(crate) fn call<S: Simd, P: Part<S>>(simd: S, part: P) -> P::Output {
    struct Inlined<S, P>(S, P);

    impl<S: Simd, P: Part<S>> NullaryFnOnce for Inlined<S, P> {
        type Output = P::Output;

        #[inline(always)]
        fn call(self) -> P::Output {
            self.1.run(self.0)
        }
    }

    #[inline(never)]
    fn call_scalar<F: NullaryFnOnce>(part: F) -> F::Output {
        part.call()
    }

    let part = Inlined(simd, part);
    // Functions have the features of an instruction set by `vectorize`, which makes none of the scalar one.
    if S::IS_SCALAR { call_scalar(part) } else { simd.vectorize(part) }
}

/// Job with the tile size that fits the registers.
struct Fitted<J>(J);

impl<J: Job> WithSimd for Fitted<J> {
    type Output = J::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> J::Output {
        match (S::REGISTER_COUNT >= 32, J::SMALL_TILES) {
            (true, false) => self.0.run::<S, 12>(simd),
            (true, true) => self.0.run::<S, 8>(simd),
            (false, false) => self.0.run::<S, 6>(simd),
            (false, true) => self.0.run::<S, 4>(simd),
        }
    }
}

impl Isa {
    /// Best instruction set of this machine.
    pub(crate) fn best() -> Self {
        Self(Arch::new())
    }

    /// Every instruction set of this machine.
    pub(crate) fn all() -> Vec<Self> {
        let isas = [Self::best(), Self(Arch::Scalar)].into_iter();
        #[cfg(target_arch = "x86_64")]
        let isas = isas.chain(pulp::x86::V3::try_new().map(|v3| Self(Arch::V3(v3))));
        isas.collect()
    }

    pub(crate) fn run<J: Job>(self, job: J) -> J::Output {
        self.0.dispatch(Fitted(job))
    }

    pub(crate) fn name(self) -> &'static str {
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
