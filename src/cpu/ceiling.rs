//! Peak rate of the microkernel, measured alone.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use pulp::Simd;

use crate::{
    cpu::{
        block::{
            microkernel::{Product, microkernel, width},
            pack::{Buffer, DIMS_PER_PARTIAL_SUM},
        },
        simd::isa::{Isa, Job},
    },
    error::{Error, Result},
};

/// Number of trials. The best counts, since other load on the machine only slows a trial down.
const TRIALS: usize = 8;
const TRIAL_TIME: Duration = Duration::from_millis(25);

/// Operations per second of tile products on all cores, from panels that stay in the level-1 cache; a multiplication with
/// its addition counts as two.
pub(crate) fn ceiling(isa: Isa) -> Result<f64> {
    if cfg!(target_arch = "wasm32") {
        return Err(Error::missing("a clock that tells what this processor could do"));
    }
    let trial = |_| rayon::broadcast(|_| isa.run(Products)).into_iter().sum();
    Ok((0..TRIALS).map(trial).fold(0.0, f64::max))
}

/// Products of one tile, again and again until the time of a trial is up.
struct Products;

/// Dimensions of the panels: with AVX-512, the left one fills half of a level-1 cache of 32 KiB.
const DIMS: usize = 128;
/// Tiles between two readings of the clock.
const TILES_PER_CLOCK_READ: usize = 256;

impl Job for Products {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> f64 {
        let width = width::<S, f32>();
        let (mut left, mut right) = (Buffer::<f32>::default(), Buffer::<f32>::default());
        let left = left.take(width * DIMS);
        let right = right.arrays(SIDE * DIMS.div_ceil(DIMS_PER_PARTIAL_SUM)).as_chunks_mut().0;
        left.fill(1.0);
        right.as_flattened_mut().as_flattened_mut().fill(1.0);
        let (start, mut tiles) = (Instant::now(), 0);
        while start.elapsed() < TRIAL_TIME {
            for _ in 0..TILES_PER_CLOCK_READ {
                black_box(microkernel::<S, f32, Product, _, SIDE>(simd, black_box(left), black_box(&*right)));
            }
            tiles += TILES_PER_CLOCK_READ;
        }
        (2 * width * SIDE * DIMS * tiles) as f64 / start.elapsed().as_secs_f64()
    }
}
