//! Sums per row, and weighted gradients.

use super::{
    oracle::{Kind, dot, list, log_sum_exp, squared_distance},
    *,
};
use crate::pending::Block as _;
use crate::weights::{ExtraTerms, PairWeights};

/// Two sets, of which one may be the other, and the pairs between them.
struct Sides {
    kind: Kind,
    x: Set,
    y: Set,
    /// Inner product and squared distance of each point of x with each of y, row-major.
    products: Vec<(f64, f64)>,
}

impl Sides {
    fn new(cpu: &Cpu, kind: Kind, (n, m, d): (usize, usize, usize), scaling: Scaling, scale: f32) -> Self {
        let values = |len, seed| random(len, seed).iter().map(|v| v * scale).collect::<Vec<_>>();
        let x = values(n * d, 31);
        // Close to x, as positive pairs are.
        let mut y = values(m * d, 32);
        y.iter_mut().zip(&x).for_each(|(y, x)| *y = 0.6 * x + 0.4 * *y);
        let y = if matches!(kind, Kind::Within) { &x } else { &y };
        let (x, y) = (set(cpu, &x, d, scaling), set(cpu, y, d, scaling));
        let products = x.seen.iter().flat_map(|x| y.seen.iter().map(|y| (dot(x, y), squared_distance(x, y))));
        Self { kind, products: products.collect(), x, y }
    }

    fn pairs(&self) -> Pairs<'_> {
        match self.kind {
            Kind::Within => Pairs::Within(&self.x.points),
            Kind::Across => Pairs::Across(&self.x.points, &self.y.points),
            Kind::Distinct => Pairs::Unpaired(&self.x.points, &self.y.points),
        }
    }

    fn list(&self) -> Vec<(usize, usize)> {
        list(self.kind, self.x.seen.len(), self.y.seen.len())
    }

    fn exponent(&self, kernel: Kernel, i: usize, j: usize) -> f64 {
        let (dot, square) = self.products[i * self.y.seen.len() + j];
        match kernel.map {
            Map::Gaussian => -kernel.scale * square,
            Map::Logit => dot / kernel.scale,
        }
    }

    /// log Σ mass · exp(e) for the points of both sets.
    fn row_log_sums(&self, kernel: Kernel, masses: Option<PointWeights<'_>>) -> [Vec<f64>; 2] {
        let within = matches!(self.kind, Kind::Within);
        let mut terms = [vec![Vec::new(); self.x.seen.len()], vec![Vec::new(); self.y.seen.len()]];
        for (i, j) in self.list() {
            let e = self.exponent(kernel, i, j);
            terms[0][i].push((masses.map_or(1.0, |m| m.y[j]), e));
            terms[if within { 0 } else { 1 }][j].push((masses.map_or(1.0, |m| m.x[i]), e));
        }
        terms.map(|terms| terms.iter().map(|terms| log_sum_exp(terms)).collect())
    }

    /// The gradients of Σ w e for both sets.
    fn grad(&self, kernel: Kernel, weight: impl Fn(usize, usize, f64) -> f64) -> [Vec<Point>; 2] {
        let within = matches!(self.kind, Kind::Within);
        let d = self.x.seen[0].len();
        let mut grads = [vec![vec![0.0; d]; self.x.seen.len()], vec![vec![0.0; d]; self.y.seen.len()]];
        for (i, j) in self.list() {
            let w = weight(i, j, self.exponent(kernel, i, j));
            let [of_x, of_y] = &mut grads;
            let [gx, gy] = if within {
                of_x.get_disjoint_mut([i, j]).expect("two rows")
            } else {
                [&mut of_x[i], &mut of_y[j]]
            };
            let sides = gx.iter_mut().zip(gy).zip(self.x.seen[i].iter().zip(&self.y.seen[j]));
            match kernel.map {
                Map::Gaussian => sides.for_each(|((gx, gy), (x, y))| {
                    let g = 2.0 * kernel.scale * w * (x - y);
                    *gx -= g;
                    *gy += g;
                }),
                Map::Logit => sides.for_each(|((gx, gy), (x, y))| {
                    *gx += w / kernel.scale * y;
                    *gy += w / kernel.scale * x;
                }),
            }
        }
        for (grads, set) in grads.iter_mut().zip([&self.x, &self.y]) {
            oracle::through(grads, &set.seen, &set.lengths);
        }
        grads
    }
}

fn watch() -> Watch {
    Watch::new(None, 0)
}

const KINDS: [Kind; 3] = [Kind::Within, Kind::Across, Kind::Distinct];

/// Shapes from tiny, by ragged and lopsided, to several panels; of as many rows where only pairs i ≠ j count.
fn shapes(kind: Kind) -> Vec<(usize, usize, usize)> {
    let square = [(2, 2, 3), (3, 3, 1), (40, 40, 5), (130, 130, 33), (257, 257, 12), (300, 300, 140)];
    match kind {
        Kind::Across => vec![(1, 1, 2), (1, 300, 4), (200, 131, 40), (33, 600, 7), (97, 389, 130)],
        _ => square.to_vec(),
    }
}

const KERNELS: [Kernel; 6] = [
    Kernel::gaussian(2.0),
    Kernel::gaussian(30.0),
    Kernel::logit(0.5),
    Kernel::logit(0.07),
    Kernel::logit(0.01),
    Kernel::logit(0.004),
];

/// Every kind of pairs, shape, scaling and exponent.
fn for_all(cpus: &[Cpu], check: impl Fn(&str, &Cpu, &Sides, Kernel)) {
    for cpu in cpus {
        for kind in KINDS {
            for shape in shapes(kind) {
                for (scaling, scale) in [(Scaling::Unit, 1.0), (Scaling::Raw, 0.5), (Scaling::Raw, 10.0)] {
                    let sides = Sides::new(cpu, kind, shape, scaling, scale);
                    for kernel in KERNELS {
                        let what = format!(
                            "{}, {kind:?}, {shape:?}, {scaling:?} by {scale}, {kernel:?}",
                            cpu.device.name
                        );
                        check(&what, cpu, &sides, kernel);
                    }
                }
            }
        }
    }
}

#[track_caller]
fn close_rows(what: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
        let tolerance = tolerance * want.abs().max(1.0);
        assert!(got == want || (got - want).abs() <= tolerance, "{what}, row {i}: {got} is not {want}");
    }
}

#[test]
fn sums_of_rows() {
    for_all(&cpus(), |what, cpu, sides, kernel| {
        let got = cpu.row_log_sums(sides.pairs(), &[kernel], None, &watch()).block().expect("sums").remove(0);
        let [x, y] = sides.row_log_sums(kernel, None);
        close_rows(what, &got.x, &x, 1e-6);
        assert_eq!(got.y.is_none(), matches!(sides.kind, Kind::Within));
        if let Some(got) = got.y {
            close_rows(what, &got, &y, 1e-6);
        }
    });
}

#[test]
fn sums_of_rows_with_masses() {
    for_all(&[Cpu::new()], |what, cpu, sides, kernel| {
        let of = |n: usize, seed| {
            let mass = |(i, v): (usize, f32)| if i % 3 == 1 { 0.0 } else { f64::from(v).abs() * 1e3 };
            random(n, seed).into_iter().enumerate().map(mass).collect::<Vec<_>>()
        };
        let x = of(sides.x.seen.len(), 41);
        let y = if matches!(sides.kind, Kind::Within) { x.clone() } else { of(sides.y.seen.len(), 42) };
        let masses = Some(PointWeights { x: &x, y: &y });
        let got =
            cpu.row_log_sums(sides.pairs(), &[kernel], masses, &watch()).block().expect("sums").remove(0);
        let [x, y] = sides.row_log_sums(kernel, masses);
        close_rows(what, &got.x, &x, 1e-6);
        if let Some(got) = got.y {
            close_rows(what, &got, &y, 1e-6);
        }
    });
}

#[test]
fn weighted_gradients() {
    for_all(&cpus(), |what, cpu, sides, kernel| {
        // In one dimension the gradient along the sphere is nothing but rounding.
        if sides.x.points.dims() == 1 && sides.x.points.scaling() == Scaling::Unit {
            return;
        }
        // As in a loss: each row by its own sum, but for some that do not count.
        let [rows, cols] = sides.row_log_sums(kernel, None);
        let log = |(i, sum): (usize, f64)| if i % 5 == 4 { f64::NEG_INFINITY } else { -sum - 2.0 };
        let p: Vec<_> = rows.into_iter().enumerate().map(log).collect();
        let within = matches!(sides.kind, Kind::Within);
        let q = if within { p.clone() } else { cols.into_iter().enumerate().map(log).collect() };
        let none = vec![0.0; q.len()];
        let check = |what: &str, weights, weight: &dyn Fn(usize, usize, f64) -> f64| {
            let mut want = sides.grad(kernel, weight);
            if want[0].concat().iter().all(|g| g.abs() < 1e-20) {
                return;
            }
            let start = |set: &Set| vec![0.01; set.points.rows() * set.points.dims()];
            let matrix = |set: &Set| {
                cpu.upload_matrix(&start(set), set.points.rows(), set.points.dims())
                    .block()
                    .expect("a matrix")
            };
            let sum =
                Gradients { x: matrix(&sides.x), y: (!within).then(|| matrix(&sides.y)), by_log_scale: 0.0 };
            let pairs = sides.pairs();
            let grad = |into| {
                let normalizer = Normalizer::Given { weights, scale: 1.0, into };
                cpu.gradient(pairs, kernel, normalizer, &watch()).block().expect("a gradient").1
            };
            let got = grad(None);
            close_grad(what, &got.x, &want[0], 1e-5);
            assert_eq!(got.y.is_none(), within);
            if let Some(got) = got.y {
                close_grad(what, &got, &want[1], 1e-5);
            }
            if !within {
                let normalizer = Normalizer::GivenOnLeft { weights, scale: 1.0 };
                let left = cpu.gradient(pairs, kernel, normalizer, &watch()).block().expect("a gradient").1;
                close_grad(&format!("{what}, on the left"), &left.x, &want[0], 1e-5);
                assert!(left.y.is_none());
            }
            let got = grad(Some(sum));
            want.iter_mut().flatten().flatten().for_each(|g| *g += f64::from(0.01f32));
            close_grad(what, &got.x, &want[0], 1e-5);
            if let Some(got) = got.y {
                close_grad(what, &got, &want[1], 1e-5);
            }
        };
        if !within {
            let p_only = PairWeights::Product { p: &p, q: &none };
            check(&format!("{what}, rows"), p_only, &|i, _, e| (e + p[i]).exp());
        }
        let half = |logs: &[f64]| logs.iter().map(|log| log / 2.0).collect::<Vec<_>>();
        let (half_p, half_q) = (half(&p), half(&q));
        let both = PairWeights::Product { p: &half_p, q: &half_q };
        check(&format!("{what}, product"), both, &|i, j, e| (e + half_p[i] + half_q[j]).exp());
        let both = PairWeights::Sum { p: &p, q: &q };
        check(&format!("{what}, sum"), both, &|i, j, e| (e + p[i]).exp() + (e + q[j]).exp());
    });
}

#[test]
fn softmax_of_rows_and_of_both_sets() {
    for_all(&cpus(), |what, cpu, sides, kernel| {
        let one = sides.x.points.dims() == 1 && sides.x.points.scaling() == Scaling::Unit;
        if one || matches!(sides.kind, Kind::Within) {
            return;
        }
        let sums = sides.row_log_sums(kernel, None);
        // Next to nothing, about as much, nearly all, nothing at all.
        let rest = |(i, sum): (usize, &f64)| [sum - 20.0, sum + 0.5, sum + 5.0, f64::NEG_INFINITY][i % 4];
        let rests = sums.each_ref().map(|sums| sums.iter().enumerate().map(rest).collect::<Vec<_>>());
        let log_sums = [0, 1].map(|side| {
            let both = sums[side].iter().zip(&rests[side]);
            both.map(|(&a, &b)| log_sum_exp(&[(1.0, a), (1.0, b)])).collect::<Vec<_>>()
        });
        let scale = 0.7;
        for both in [false, true] {
            let what = &format!("{what}, both: {both}");
            let weight = |i: usize, j: usize, e: f64| {
                let of_y = if both { (e - log_sums[1][j]).exp() } else { 0.0 };
                scale * ((e - log_sums[0][i]).exp() + of_y)
            };
            let want = sides.grad(kernel, weight);
            let given = ExtraTerms { x: &rests[0], y: both.then_some(&*rests[1]) };
            let normalizer = Normalizer::Rows { extra: given, scale };
            let (got, grads) =
                cpu.gradient(sides.pairs(), kernel, normalizer, &watch()).block().expect("gradients");
            let got = got.rows().expect("sums of rows");
            close_rows(what, &got.x, &sums[0], 1e-6);
            assert_eq!(got.y.is_some(), both, "{what}");
            if let Some(got) = &got.y {
                close_rows(what, got, &sums[1], 1e-6);
            }
            if want[0].concat().iter().any(|g| g.abs() > 1e-20) {
                close_grad(what, &grads.x, &want[0], 1e-5);
                close_grad(what, &grads.y.expect("the second gradient"), &want[1], 1e-5);
            }
        }
    });
}
