//! The rate that the innermost loop reaches when it has nothing else to do.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use pulp::Simd;

use super::{
    level::{Job, Level},
    pack::Buffer,
    tile::{Product, SHORT, sums, width},
};

/// Rounds, of which the best counts: whatever else runs on this machine only takes away.
const ROUNDS: usize = 8;
const ROUND: Duration = Duration::from_millis(25);

/// Products of tiles on all cores, from panels that stay in the nearest caches, in operations per second; a
/// multiplication and its addition are two.
pub(super) fn ceiling(level: Level) -> f64 {
    let round = |_| rayon::broadcast(|_| level.run(Products)).into_iter().sum();
    (0..ROUNDS).map(round).fold(0.0, f64::max)
}

struct Products;

/// Dimensions of the panels: half of a level-1 cache of 32 KiB on the left, with AVX-512.
const DIMS: usize = 128;
/// Tiles from one look at the clock to the next.
const TILES: usize = 256;

impl Job for Products {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> f64 {
        let width = width::<S, f32>();
        let (mut left, mut right) = (Buffer::<f32>::default(), Buffer::<f32>::default());
        let left = left.take(width * DIMS);
        let right = right.arrays(SIDE * DIMS.div_ceil(SHORT)).as_chunks_mut().0;
        left.fill(1.0);
        right.as_flattened_mut().as_flattened_mut().fill(1.0);
        let (start, mut tiles) = (Instant::now(), 0);
        while start.elapsed() < ROUND {
            for _ in 0..TILES {
                black_box(sums::<S, f32, Product, _, SIDE>(simd, black_box(left), black_box(&*right)));
            }
            tiles += TILES;
        }
        (2 * width * SIDE * DIMS * tiles) as f64 / start.elapsed().as_secs_f64()
    }
}
