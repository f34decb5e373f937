//! Points in half precision: sums with the bits of the same values as f32, and all else within rounding of them.

use half::f16;

use super::{oracle::Kind, *};
use crate::weights::ExtraTerms;

/// Values that an f16 holds: of all sizes, subnormal ones and both zeros among them.
fn values(rows: usize, dims: usize) -> Vec<f16> {
    let mut values: Vec<_> = random(rows * dims, 41).into_iter().map(f16::from_f32).collect();
    for (place, value) in [f16::MIN_POSITIVE_SUBNORMAL, f16::NEG_ZERO, f16::ZERO].into_iter().enumerate() {
        values.iter_mut().skip(place).step_by(17).for_each(|v| *v = value);
    }
    // No row is of zeros.
    values.iter_mut().step_by(dims).for_each(|v| *v = f16::ONE);
    values
}

/// The same points twice: kept in half precision, and as f32.
fn both(cpu: &Cpu, values: &[f16], dims: usize, scaling: Scaling) -> [Points; 2] {
    let rows = values.len() / dims;
    let half = HalfEmbeddings::with_scaling(values.to_vec(), rows, dims, scaling).expect("good points");
    let single: Vec<_> = values.iter().map(|v| v.to_f32()).collect();
    let single = Embeddings::with_scaling(single, rows, dims, scaling).expect("good points");
    [cpu.upload_half(half).block().expect("uploads"), cpu.upload(single, None).block().expect("uploads")]
}

fn bits(sums: &[LogSumExp]) -> Vec<u64> {
    sums.iter().map(|sum| sum.log().to_bits()).collect()
}

#[test]
fn results_have_the_bits_of_f32() {
    let watch = Watch::new(None, 0);
    for cpu in cpus() {
        for (rows, dims) in [(2, 1), (33, 7), (150, 64), (333, 100)] {
            for (scaling, t) in [(Scaling::Unit, 2.0), (Scaling::Unit, 200.0), (Scaling::Raw, 0.5)] {
                let what = format!("{}, {rows} x {dims}, {scaling:?}, t = {t}", cpu.device.name);
                let x = both(&cpu, &values(rows, dims), dims, scaling);
                let y = both(&cpu, &values(rows + 1, dims)[dims..], dims, scaling);
                let kernel = Kernel::gaussian(t);
                let blocks = [Block { rows: 0..rows / 2, cols: rows / 2..rows, diagonal: false }];
                for kind in [Kind::Within, Kind::Across] {
                    let pairs = |at: usize| match kind {
                        Kind::Within => Pairs::Within(&x[at]),
                        _ => Pairs::Across(&x[at], &y[at]),
                    };
                    let sums = |at| bits(&cpu.log_sum(pairs(at), &[kernel], &watch).block().expect("a sum"));
                    assert_eq!(sums(0), sums(1), "{what}");
                    let of_blocks = |at| {
                        bits(&cpu.block_log_sums(pairs(at), &blocks, kernel, &watch).block().expect("sums"))
                    };
                    assert_eq!(of_blocks(0), of_blocks(1), "{what}");
                }
                // What takes the points as f32, of which there are none before it.
                assert!(matches!(&Rows::as_stored(&x[0]), Ok(rows) if !rows.is_widened()), "{what}");
                let gradient = |at: usize| {
                    let normalizer =
                        Normalizer::Rows { extra: ExtraTerms { x: &vec![0.0; rows], y: None }, scale: 1.0 };
                    let pairs = Pairs::Within(&x[at]);
                    let (_, gradients) =
                        cpu.gradient(pairs, kernel, normalizer, &watch).block().expect("a gradient");
                    gradients.x.read().expect("values")
                };
                assert_eq!(Rows::of(&x[0]).map(|rows| rows.is_widened()), Ok(true), "{what}");
                for (half, single) in gradient(0).into_iter().zip(gradient(1)) {
                    assert!(
                        (half - single).abs() <= 1e-5 * single.abs().max(1e-3),
                        "{what}: {half} and {single}"
                    );
                }
                let distances =
                    |at: usize| cpu.paired(&x[at], &y[at], Term::SquaredDistance).block().expect("distances");
                for (half, single) in distances(0).into_iter().zip(distances(1)) {
                    assert!((half - single).abs() <= 1e-12 * single.max(1e-3), "{what}: {half} and {single}");
                }
            }
        }
    }
}

#[test]
fn faults_and_duplicates_are_those_of_f32() {
    let of = |values: &[f32], rows, dims, scaling| {
        let half: Vec<_> = values.iter().map(|&v| f16::from_f32(v)).collect();
        let half = HalfEmbeddings::with_scaling(half, rows, dims, scaling).and_then(|x| x.duplicates());
        let single = Embeddings::with_scaling(values, rows, dims, scaling).and_then(|x| x.duplicates());
        assert_eq!(half, single, "{values:?}");
        half
    };
    let nan = f32::NAN;
    assert!(of(&[1.0, 2.0, 3.0, nan], 2, 2, Scaling::Unit).is_err());
    assert!(of(&[1.0, f32::INFINITY, 3.0, nan], 2, 2, Scaling::Raw).is_err());
    assert!(of(&[1.0, 0.0, 0.0, -0.0], 2, 2, Scaling::Unit).is_err());
    assert!(of(&[1.0; 5], 2, 3, Scaling::Unit).is_err());
    assert!(of(&[], 3, 0, Scaling::Unit).is_err());
    let rows = [1.0, -2.0, 0.0, 3.0, 5.0, -1.0, 2.0, 0.0, -3.0, -5.0, 1.0, -2.0, -0.0, 3.0, 5.0];
    assert_eq!(of(&rows, 3, 5, Scaling::Unit), Ok(vec![vec![0, 2]]));
    assert_eq!(of(&[], 0, 5, Scaling::Unit), Ok(vec![]));
}
