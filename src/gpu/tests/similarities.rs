//! Histograms of cosines and lists of close pairs, against the formulas in f64.

use super::oracle::{Kind, Set, backends, dot, square, watch};
use crate::pending::Block as _;
use crate::{backend::Backend, error::Result, points::Scaling};

#[test]
fn histograms_count_every_pair_once() -> Result<()> {
    for (gpu, context) in backends() {
        for size in [(2, 3), (67, 5), (1100, 20)] {
            let x = Set::random(&context, size, 1, Scaling::Unit)?;
            let y = Set::random(&context, size, 2, Scaling::Unit)?;
            for (kind, bins) in Kind::ALL.into_iter().flat_map(|kind| [1, 7, 200, 5000].map(|b| (kind, b))) {
                let pairs = kind.pairs(&x, &y);
                let got = gpu.cosine_histogram(pairs, bins, &watch()).block()?;
                assert_eq!((got.len(), got.iter().sum::<u64>()), (bins, pairs.count()));
                // Below and above every end, as far as rounding leaves open.
                let mut least = vec![0u64; bins + 1];
                let mut most = vec![0u64; bins + 1];
                for (i, j) in kind.all(size.0, size.0) {
                    let part = (dot(&x.rows[i], &kind.right(&x, &y).rows[j]) + 1.0) / 2.0 * bins as f64;
                    let off = 1e-6 * bins as f64;
                    let bin = |part: f64| part.clamp(0.0, bins as f64 - 1.0) as usize;
                    least[bin(part + off) + 1] += 1;
                    most[bin(part - off) + 1] += 1;
                }
                let mut below = [0u64; 3];
                for bin in 0..bins {
                    below[0] += least[bin + 1];
                    below[1] += got[bin];
                    below[2] += most[bin + 1];
                    let what = format!("{size:?}, {kind:?}, {bins} bins: {below:?} up to bin {bin}");
                    assert!(below[0] <= below[1] && below[1] <= below[2], "{what}");
                }
            }
        }
    }
    Ok(())
}

#[test]
fn close_pairs_are_counted_and_named_in_order() -> Result<()> {
    for (gpu, context) in backends() {
        for scaling in [Scaling::Unit, Scaling::Raw] {
            for (n, dims, distinct) in
                [(1, 3, 1), (150, 4, 150), (1100, 6, 1090), (520, 300, 500), (450, 3, 1)]
            {
                // The last rows repeat the first.
                let repeat = |seed| {
                    let mut given = super::values(distinct, dims, seed);
                    let again: Vec<f32> = given.iter().copied().cycle().take((n - distinct) * dims).collect();
                    given.extend(again);
                    given
                };
                let x = Set::new(&context, &repeat(1), dims, scaling)?;
                let other = Set::new(&context, &repeat(1), dims, scaling)?;
                let y = if dims == 4 { Set::new(&context, &repeat(2), dims, scaling)? } else { other };
                for (kind, at_most) in
                    Kind::ALL.into_iter().flat_map(|kind| [0.0, 1e-3, 0.3].map(|s| (kind, s)))
                {
                    let right = &kind.right(&x, &y).stored;
                    // Most pairs have no need of all dimensions.
                    let near = |i: usize, j: usize| {
                        let few = dims.min(8);
                        square(&x.stored[i][..few], &right[j][..few]) <= at_most
                    };
                    let want: Vec<_> = kind
                        .all(n, n)
                        .filter(|&(i, j)| near(i, j))
                        .map(|(i, j)| (i, j, square(&x.stored[i], &right[j])))
                        .filter(|&(_, _, square)| square <= at_most)
                        .collect();
                    for limit in [0, 5, 100_000] {
                        let pairs = kind.pairs(&x, &y);
                        let got = gpu.close_pairs(pairs, at_most, limit, &watch()).block()?;
                        let what = format!("{n} × {dims}, {scaling:?}, {kind:?}, {at_most}, {limit}");
                        assert_eq!(got.count, want.len() as u64, "{what}");
                        assert_eq!(got.pairs.len(), limit.min(want.len()), "{what}");
                        for (got, want) in got.pairs.iter().zip(&want) {
                            assert_eq!((got.0, got.1), (want.0, want.1), "{what}");
                            assert!((got.2 - want.2).abs() <= 1e-12 * want.2, "{what}: {got:?}, {want:?}");
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

/// A simplex: every pair is as far apart as asked for, and f32 leaves all in doubt.
#[test]
fn pairs_in_doubt_are_settled_in_f64() -> Result<()> {
    for (gpu, context) in backends() {
        let n = 520;
        let mut given = vec![0.0; n * n];
        (0..n).for_each(|i| given[i * n + i] = 1.0);
        let x = Set::new(&context, &given, n, Scaling::Unit)?;
        let kind = Kind::Within;
        let all = kind.pairs(&x, &x).count();
        for (square, count) in [(2.0, all), (2.0 - 1e-9, 0), (2.0 + 1e-9, all)] {
            let got = gpu.close_pairs(kind.pairs(&x, &x), square, 3, &watch()).block()?;
            assert_eq!(got.count, count, "{square}");
            let named: Vec<_> = got.pairs.iter().map(|&(i, j, _)| (i, j)).collect();
            assert_eq!(named, [(0, 1), (0, 2), (0, 3)][..if count > 0 { 3 } else { 0 }], "{square}");
        }
    }
    Ok(())
}
