//! Gradients of weighted sums and of paired products, against the formulas in f64.

use super::{
    oracle::{
        Kind, Products, Rows, Set, backends, dot, error, exponent_of, log_sum_exp, square, through_scaling,
        watch,
    },
    values,
};
use crate::{
    backend::{Backend, Term},
    error::Result,
    function::{ClassTerm, Classes, PairFunction},
    gpu::{
        kernel::tiling::{Choice, Tiling},
        reduce::classes::means_of_pairs,
    },
    kernel::{Kernel, Map},
    pairs::Pairs,
    pending::Block as _,
    points::Scaling,
    weights::{ExtraTerms, Gradients, Normalizer, PairWeights},
};

const KERNELS: [Kernel; 5] = [
    Kernel::gaussian(1.0),
    Kernel::gaussian(20.0),
    Kernel::logit(0.5),
    Kernel::logit(0.07),
    Kernel::logit(0.01),
];

/// The gradient of Σ wᵢⱼeᵢⱼ for the rows of either set as given; of one set, both are the same.
fn formula(kind: Kind, kernel: Kernel, x: &Set, y: &Set, w: impl Fn(usize, usize) -> f64) -> [Rows; 2] {
    let right = kind.right(x, y);
    let zeros = |set: &Set| vec![vec![0.0; set.on.dims()]; set.on.rows()];
    let mut gradients = [zeros(x), zeros(right)];
    let [of_x, of_y] = &mut gradients;
    for (i, j) in kind.all(x.rows.len(), right.rows.len()) {
        let (a, b, w) = (&x.rows[i], &right.rows[j], w(i, j));
        for (((a, b), of_x), of_y) in a.iter().zip(b).zip(&mut of_x[i]).zip(&mut of_y[j]) {
            let (by_a, by_b) = match kernel.map {
                Map::Logit => (b / kernel.scale, a / kernel.scale),
                _ => (-2.0 * kernel.scale * (a - b), 2.0 * kernel.scale * (a - b)),
            };
            *of_x += w * by_a;
            *of_y += w * by_b;
        }
    }
    if kind == Kind::Within {
        let [of_x, other] = &mut gradients;
        for (row, other) in of_x.iter_mut().zip(other) {
            row.iter_mut().zip(other).for_each(|(g, other)| *g += *other);
        }
    }
    [through_scaling(x, &gradients[0]), through_scaling(right, &gradients[1])]
}

fn plus(mut a: Rows, b: f64) -> Rows {
    a.iter_mut().flatten().for_each(|v| *v += b);
    a
}

#[test]
fn weighted_gradients_are_the_formula() -> Result<()> {
    for (gpu, context) in backends() {
        for (size, scaling) in
            [(9, 3), (530, 33)].into_iter().flat_map(|s| [Scaling::Unit, Scaling::Raw].map(|r| (s, r)))
        {
            let (n, dims) = size;
            let x = Set::random(&context, size, 1, scaling)?;
            let y = Set::random(&context, size, 2, scaling)?;
            let products = [Products::of(&x.rows, &x.rows), Products::of(&x.rows, &y.rows)];
            for (kind, kernel) in Kind::ALL.into_iter().flat_map(|k| KERNELS.map(|e| (k, e))) {
                let products = &products[usize::from(kind != Kind::Within)];
                let e = |i: usize, j: usize| products.exponent(kernel, i, j);
                // Softmax denominators, so that weights are as in use; one row of either side has none.
                let of_x = |i: usize| -log_sum_exp((0..n).filter(|&j| kind.joins(i, j)).map(|j| e(i, j)));
                let of_y = |j: usize| -log_sum_exp((0..n).filter(|&i| kind.joins(i, j)).map(|i| e(i, j)));
                let without = |mut logs: Vec<f64>| {
                    logs[3] = f64::NEG_INFINITY;
                    logs
                };
                let p = without((0..n).map(of_x).collect());
                let q = if kind == Kind::Within { p.clone() } else { without((0..n).map(of_y).collect()) };
                let masses: Vec<f64> = (0..n).map(|i| 0.1 * (i % 5) as f64).collect();
                let shift = |logs: &[f64], by: f64| logs.iter().map(|l| l + by).collect::<Vec<_>>();
                // Of two sets, both lean far to opposite sides.
                let (tiny, tiny_q) = (shift(&p, -60.0), shift(&q, -60.0));
                let (up, down) = match kind {
                    Kind::Within => [(); 2].map(|()| p.iter().map(|p| p / 2.0).collect::<Vec<_>>()).into(),
                    _ => (shift(&p, 300.0), shift(&masses, -300.0)),
                };
                let weighings = [
                    ("a sum", PairWeights::Sum { p: &p, q: &q }),
                    ("a product", PairWeights::Product { p: &up, q: &down }),
                    ("tiny", PairWeights::Sum { p: &tiny, q: &tiny_q }),
                ];
                for (name, weighing) in weighings {
                    let w = |i: usize, j: usize| match weighing {
                        PairWeights::Sum { p, q } => (e(i, j) + p[i]).exp() + (e(i, j) + q[j]).exp(),
                        PairWeights::Product { p, q } => (e(i, j) + p[i] + q[j]).exp(),
                    };
                    let pairs = kind.pairs(&x, &y);
                    let want = formula(kind, kernel, &x, &y, w);
                    let got = gpu.weighted_gradient(pairs, kernel, weighing, None)?;
                    assert_eq!(got.y.is_none(), kind == Kind::Within);
                    let what = format!("{size:?}, {scaling:?}, {kind:?}, {kernel:?}, {name}");
                    for (got, want) in std::iter::once(got.x).chain(got.y).zip(&want) {
                        let error = error(&got.read()?, want);
                        assert!(error < 1e-5, "{what}: {error:e} off");
                    }
                    if name == "tiny" {
                        continue;
                    }
                    let half = || gpu.upload_matrix(&vec![0.5; n * dims], n, dims).block();
                    let y = if kind == Kind::Within { None } else { Some(half()?) };
                    let sum = Some(Gradients { x: half()?, y, by_log_scale: 0.0 });
                    let got = gpu.weighted_gradient(pairs, kernel, weighing, sum)?;
                    for (got, want) in std::iter::once(got.x).chain(got.y).zip(want) {
                        let error = error(&got.read()?, &plus(want, 0.5));
                        assert!(error < 1e-5, "{what}, added: {error:e} off");
                    }
                }
            }
        }
    }
    Ok(())
}

#[test]
fn weighted_gradients_come_in_every_tiling() -> Result<()> {
    for (gpu, context) in backends() {
        let n = 530;
        let x = Set::random(&context, (n, 70), 1, Scaling::Unit)?;
        let y = Set::random(&context, (n, 70), 2, Scaling::Unit)?;
        let (kind, zeros) = (Kind::Across, vec![0.0; n]);
        for tau in [0.5, 0.2] {
            let kernel = Kernel::logit(tau);
            let want =
                formula(kind, kernel, &x, &y, |i, j| exponent_of(kernel, &x.rows[i], &y.rows[j]).exp());
            for tiling in Tiling::ALL {
                *context.choice() = Choice::Settled(tiling);
                let weighing = PairWeights::Product { p: &zeros, q: &zeros };
                let got = gpu.weighted_gradient(kind.pairs(&x, &y), kernel, weighing, None)?;
                for (got, want) in std::iter::once(got.x).chain(got.y).zip(&want) {
                    let error = error(&got.read()?, want);
                    assert!(error < 1e-5, "{tiling}, {tau}: {error:e} off");
                }
            }
        }
    }
    Ok(())
}

#[test]
fn row_sums_have_their_gradient() -> Result<()> {
    for (gpu, context) in backends() {
        let (n, kernel, scale) = (520, Kernel::logit(0.1), 0.7);
        let x = Set::random(&context, (n, 20), 1, Scaling::Unit)?;
        let y = Set::random(&context, (n, 20), 2, Scaling::Unit)?;
        let rest: Vec<f64> = (0..n).map(|i| if i % 3 == 0 { f64::NEG_INFINITY } else { 5.0 }).collect();
        let e = |i: usize, j: usize| exponent_of(kernel, &x.rows[i], &y.rows[j]);
        for kind in [Kind::Across, Kind::Unpaired] {
            let sums: Vec<f64> =
                (0..n).map(|i| log_sum_exp((0..n).filter(|&j| kind.joins(i, j)).map(|j| e(i, j)))).collect();
            let pairs = kind.pairs(&x, &y);
            let of_columns: Vec<f64> =
                (0..n).map(|j| log_sum_exp((0..n).filter(|&i| kind.joins(i, j)).map(|i| e(i, j)))).collect();
            for both in [false, true] {
                let rests = ExtraTerms { x: &rest, y: both.then_some(&*rest) };
                let normalizer = Normalizer::Rows { extra: rests, scale };
                let (got, gradients) = gpu.gradient(pairs, kernel, normalizer, &watch()).block()?;
                let got = got.rows()?;
                assert_eq!(got.y.is_some(), both);
                let of_y = got.y.iter().flatten().zip(&of_columns);
                for (got, want) in got.x.iter().zip(&sums).chain(of_y) {
                    assert!((got - want).abs() < 1e-6, "{got}, not {want}");
                }
                let w = |i: usize, j: usize| {
                    let of_y = if both { 1.0 / (rest[j].exp() + of_columns[j].exp()) } else { 0.0 };
                    scale * e(i, j).exp() * (1.0 / (rest[i].exp() + sums[i].exp()) + of_y)
                };
                let want = formula(kind, kernel, &x, &y, w);
                for (got, want) in std::iter::once(gradients.x).chain(gradients.y).zip(&want) {
                    let error = error(&got.read()?, want);
                    assert!(error < 1e-5, "{kind:?}, both: {both}: {error:e} off");
                }
            }
        }
    }
    Ok(())
}

/// Tight clusters, of whose weighted sums the sphere leaves next to nothing.
#[test]
fn gradients_of_close_points_do_not_cancel() -> Result<()> {
    for (gpu, context) in backends() {
        let (n, dims) = (600, 5);
        let near: Vec<f32> = values(n, dims, 3).iter().map(|v| 1.0 + 1e-3 * v).collect();
        let x = Set::new(&context, &near, dims, Scaling::Unit)?;
        let zeros = vec![0.0; n];
        for kernel in [Kernel::gaussian(1.0), Kernel::logit(0.5)] {
            let weighing = PairWeights::Product { p: &zeros, q: &zeros };
            let kind = Kind::Within;
            let got = gpu.weighted_gradient(kind.pairs(&x, &x), kernel, weighing, None)?;
            let w = |i: usize, j: usize| exponent_of(kernel, &x.rows[i], &x.rows[j]).exp();
            let want = &formula(kind, kernel, &x, &x, w)[0];
            let error = error(&got.x.read()?, want);
            // Weights of cosines in f32 are 1e-7 off, and coordinates of points 1e-3 apart 1e-4 of what is between.
            assert!(error < 2e-4, "{kernel:?}: {error:e} off");
        }
    }
    Ok(())
}

#[test]
fn distinct_pairs_have_their_gradient() -> Result<()> {
    for (gpu, context) in backends() {
        for (size, t) in [((33, 4), 2.0), ((641, 67), 2.0), ((641, 67), 15.0)] {
            let x = Set::random(&context, size, 1, Scaling::Unit)?;
            let y = Set::random(&context, size, 2, Scaling::Unit)?;
            let kind = Kind::Unpaired;
            let e = |(i, j): (usize, usize)| -t * square(&x.rows[i], &y.rows[j]);
            let log = log_sum_exp(kind.all(size.0, size.0).map(e));
            let total = Normalizer::Total { scale: 1.0 };
            let (_, got) = gpu.gradient(kind.pairs(&x, &y), Kernel::gaussian(t), total, &watch()).block()?;
            let want = formula(kind, Kernel::gaussian(t), &x, &y, |i, j| (e((i, j)) - log).exp());
            for (got, want) in std::iter::once(got.x).chain(got.y).zip(&want) {
                let error = error(&got.read()?, want);
                assert!(error < 1e-5, "{size:?}, t = {t}: {error:e} off");
            }
        }
    }
    Ok(())
}

#[test]
fn paired_products_are_the_formula() -> Result<()> {
    for (gpu, context) in backends() {
        for (size, scaling) in [(1, 1), (700, 67), (600, 1030)]
            .into_iter()
            .flat_map(|s| [Scaling::Unit, Scaling::Raw].map(|r| (s, r)))
        {
            let (n, dims) = size;
            let x = Set::random(&context, size, 1, scaling)?;
            let y = Set::random(&context, size, 2, scaling)?;
            let off = if scaling == Scaling::Unit { 1e-9 } else { 1e-6 };
            let cosine = |a: &[f64], b: &[f64]| match scaling {
                Scaling::Unit => dot(a, b) / (dot(a, a) * dot(b, b)).sqrt(),
                Scaling::Raw => dot(a, b),
            };
            for (i, got) in gpu.paired(&x.on, &y.on, Term::Dot).block()?.into_iter().enumerate() {
                let want = cosine(&x.stored[i], &y.stored[i]);
                let size = (dot(&x.rows[i], &x.rows[i]) * dot(&y.rows[i], &y.rows[i])).sqrt();
                assert!((got - want).abs() < off * size, "{dims}, {scaling:?}, {i}: {got}, not {want}");
            }
            let c: Vec<f64> = (0..n).map(|i| (i % 7) as f64 - 2.0).collect();
            let times = |rows: &Rows| -> Rows {
                rows.iter().zip(&c).map(|(row, c)| row.iter().map(|v| c * v).collect()).collect()
            };
            let want = [through_scaling(&x, &times(&y.rows)), through_scaling(&y, &times(&x.rows))];
            let half = || gpu.upload_matrix(&vec![0.5; n * dims], n, dims).block();
            for (sum, add) in [(None, 0.0), (Some((half()?, half()?)), 0.5)] {
                let (gx, gy) = gpu.paired_gradient(&x.on, &y.on, Term::Dot, &c, sum).block()?;
                for (got, want) in [gx, gy].iter().zip(&want) {
                    let want = plus(want.clone(), add);
                    // In one dimension the sphere leaves nothing.
                    let error = if dims == 1 && add == 0.0 && scaling == Scaling::Unit {
                        got.read()?.iter().map(|v| f64::from(v.abs())).sum()
                    } else {
                        error(&got.read()?, &want)
                    };
                    assert!(error < 1e-5, "{size:?}, {scaling:?}, {add}: {error:e} off");
                }
            }
        }
    }
    Ok(())
}

#[test]
fn means_of_classes_serve_as_their_pairs_do() -> Result<()> {
    for (gpu, context) in backends() {
        for scaling in [Scaling::Unit, Scaling::Raw] {
            let set = |rows, seed| Set::new(&context, &values(rows, 19, seed), 19, scaling);
            let (x, y) = (set(70, 1)?, set(45, 2)?);
            // A class of one row, and one that has none on the right.
            let class = |row: usize| if row == 50 { 3 } else { row as u32 % 3 };
            let (of_x, of_y): (Vec<_>, Vec<_>) = ((0..70).map(class).collect(), (0..45).map(class).collect());
            let weights = [1.0, 0.5, -2.0, 4.0];
            for (pairs, of_y) in [(Pairs::Within(&x.on), &of_x), (Pairs::Across(&x.on, &y.on), &of_y)] {
                let classes = Classes { of_x: &of_x, of_y, weights: &weights };
                let function = PairFunction::InClass { term: ClassTerm::Distance { alpha: 2.0 }, classes };
                let (sums, gradients) =
                    gpu.function_gradient(pairs, function, -1.5, None, &watch()).block()?;
                let by_means = means_of_pairs(&context, pairs, classes, Some(-1.5), &watch()).block()?;
                let Some((found, Some(means))) = by_means else { panic!("{pairs:?} are too narrow") };
                let off = (found.value - sums.value).abs() / sums.value.abs();
                assert!(off < 1e-5, "{scaling:?}, {pairs:?}: {off:e} off");
                let all = |gradients: Gradients| -> Result<Vec<Vec<f32>>> {
                    std::iter::once(gradients.x).chain(gradients.y).map(|gradient| gradient.read()).collect()
                };
                for (got, want) in all(means)?.iter().zip(all(gradients)?) {
                    let want: Rows =
                        want.chunks(19).map(|row| row.iter().map(|&v| v.into()).collect()).collect();
                    let error = error(got, &want);
                    assert!(error < 1e-5, "{scaling:?}, {pairs:?}: {error:e} off");
                }
            }
        }
    }
    Ok(())
}

#[test]
fn gaussian_losses_are_those_of_their_formula() -> Result<()> {
    for (gpu, context) in backends() {
        for scaling in [Scaling::Unit, Scaling::Raw] {
            let set = |rows, seed| Set::new(&context, &values(rows, 19, seed), 19, scaling);
            let (x, y) = (set(70, 1)?, set(65, 2)?);
            for kind in [Kind::Within, Kind::Across] {
                for t in [1e-4, 0.5, 5.0] {
                    let what = format!("{scaling:?}, {kind:?}, t = {t}");
                    let right = kind.right(&x, &y);
                    let exponent =
                        |i: usize, j: usize| exponent_of(Kernel::gaussian(t), &x.rows[i], &right.rows[j]);
                    let want: f64 =
                        kind.all(70, right.rows.len()).map(|(i, j)| -exponent(i, j).exp_m1()).sum();
                    let (pairs, function) = (kind.pairs(&x, &y), PairFunction::GaussianLoss { t });
                    let value = gpu.function_sum(pairs, function, &watch()).block()?;
                    let (sums, gradients) =
                        gpu.function_gradient(pairs, function, -1.5, None, &watch()).block()?;
                    for value in [value, sums.value] {
                        assert!((value / want - 1.0).abs() < 2e-6, "{what}: {value:e}, not {want:e}");
                    }
                    // The derivative for the exponent e of −1.5 (1 − exp(e)).
                    let weight = |i: usize, j: usize| 1.5 * exponent(i, j).exp();
                    let want = formula(kind, Kernel::gaussian(t), &x, &y, weight);
                    for (got, want) in std::iter::once(gradients.x).chain(gradients.y).zip(&want) {
                        let error = error(&got.read()?, want);
                        assert!(error < 1e-5, "{what}: {error:e} off");
                    }
                }
            }
        }
    }
    Ok(())
}
