//! Distances of pairs of rows, and of all rows.

use super::oracle::Point;
use super::*;
use crate::pending::Block as _;

#[test]
fn pairs_of_rows() {
    for cpu in &cpus() {
        for scaling in [Scaling::Unit, Scaling::Raw] {
            let (n, d) = (150, 37);
            let x = set(cpu, &random(n * d, 12), d, scaling);
            let y = set(cpu, &random(n * d, 13), d, scaling);
            for alpha in [1.0, 2.0, 3.0] {
                let want = oracle::alignment(&x.seen, &y.seen, alpha);
                let squares =
                    cpu.paired(&x.points, &y.points, Term::SquaredDistance).block().expect("distances");
                let value = squares.iter().map(|square| square.powf(alpha / 2.0)).sum::<f64>() / n as f64;
                close("alignment", value, want, 1e-6 * want);
                let start = random(n * d, 14);
                let matrix = || cpu.upload_matrix(&start, n, d).block().expect("a matrix");
                // The slope of ‖δ‖^α is that of ½c‖δ‖² with c = α‖δ‖^(α−2).
                let of = |square: &f64| 0.7 * alpha * square.powf(alpha / 2.0 - 1.0) / n as f64;
                let coefficients: Vec<_> = squares.iter().map(of).collect();
                let (term, into) = (Term::SquaredDistance, Some((matrix(), matrix())));
                let (gx, gy) = cpu
                    .paired_gradient(&x.points, &y.points, term, &coefficients, into)
                    .block()
                    .expect("a gradient");
                for (got, x, y) in [(gx, &x, &y), (gy, &y, &x)] {
                    let mut want = oracle::alignment_grad(&x.seen, &y.seen, alpha, 0.7);
                    oracle::through(&mut want, &x.seen, &x.lengths);
                    for (w, s) in want.iter_mut().flatten().zip(&start) {
                        *w += f64::from(*s);
                    }
                    close_grad("alignment", &got, &want, 1e-6);
                }
            }
        }
    }
}

/// Of so many values that memory is used again, with what is in it, and of dimensions that fill no vector.
#[test]
fn gradients_of_pairs_in_memory_that_was_used() {
    let (n, d) = (450, 37);
    for cpu in &cpus() {
        for scaling in [Scaling::Unit, Scaling::Raw] {
            let x = set(cpu, &random(n * d, 12), d, scaling);
            let y = set(cpu, &random(n * d, 13), d, scaling);
            for coefficient in [0.5, -2.0, 0.25] {
                let coefficients = vec![coefficient / n as f64; n];
                let gradients =
                    cpu.paired_gradient(&x.points, &y.points, Term::SquaredDistance, &coefficients, None);
                let (gx, gy) = gradients.block().expect("gradients");
                for (got, x, y) in [(gx, &x, &y), (gy, &y, &x)] {
                    let mut want = oracle::alignment_grad(&x.seen, &y.seen, 2.0, coefficient / 2.0);
                    oracle::through(&mut want, &x.seen, &x.lengths);
                    close_grad("alignment", &got, &want, 1e-6);
                }
            }
        }
    }
}

#[test]
fn inner_products_of_pairs() {
    for cpu in &cpus() {
        for scaling in [Scaling::Unit, Scaling::Raw] {
            let (n, d) = (150, 37);
            let x = set(cpu, &random(n * d, 12), d, scaling);
            let y = set(cpu, &random(n * d, 13), d, scaling);
            let dots = cpu.paired(&x.points, &y.points, Term::Dot).block().expect("dots");
            for (i, got) in dots.into_iter().enumerate() {
                close("dot", got, oracle::dot(&x.seen[i], &y.seen[i]), 1e-12);
            }
            let (start, c) = (random(n * d, 14), random(n, 15));
            let c: Vec<_> = c.into_iter().map(f64::from).collect();
            let matrix = || cpu.upload_matrix(&start, n, d).block().expect("a matrix");
            let sum = Some((matrix(), matrix()));
            let (gx, gy) =
                cpu.paired_gradient(&x.points, &y.points, Term::Dot, &c, sum).block().expect("gradients");
            for (got, x, y) in [(gx, &x, &y), (gy, &y, &x)] {
                let times = |(y, c): (&Point, &f64)| y.iter().map(|y| c * y).collect::<Point>();
                let mut want: Vec<_> = y.seen.iter().zip(&c).map(times).collect();
                oracle::through(&mut want, &x.seen, &x.lengths);
                for (w, s) in want.iter_mut().flatten().zip(&start) {
                    *w += f64::from(*s);
                }
                close_grad("dots", &got, &want, 1e-6);
            }
        }
    }
}

#[test]
fn matrices_of_squared_distances() {
    for cpu in &cpus() {
        for scaling in [Scaling::Unit, Scaling::Raw] {
            for (n, m, d) in [(1, 1, 1), (3, 200, 2), (130, 101, 19)] {
                let x = set(cpu, &random(n * d, 15), d, scaling);
                let y = set(cpu, &random(m * d, 16), d, scaling);
                let matrix = cpu.squared_distances(&x.points, &y.points).block().expect("distances");
                let want: Vec<Point> = x
                    .seen
                    .iter()
                    .map(|x| y.seen.iter().map(|y| oracle::squared_distance(x, y)).collect())
                    .collect();
                close_grad("squared distances", &matrix, &want, 1e-6);
                let upstream = random(n * m, 17);
                let upstream_matrix = cpu.upload_matrix(&upstream, n, m).block().expect("a matrix");
                let (gx, gy) = cpu
                    .squared_distances_grad(&x.points, &y.points, &upstream_matrix)
                    .block()
                    .expect("gradients");
                if d > 1 {
                    let at = |i: usize, j: usize| f64::from(upstream[i * m + j]);
                    let mut want = oracle::weighted_differences(&x.seen, &y.seen, |i, j| 2.0 * at(i, j));
                    oracle::through(&mut want, &x.seen, &x.lengths);
                    close_grad("for x", &gx, &want, 1e-6);
                    let mut want = oracle::weighted_differences(&y.seen, &x.seen, |j, i| 2.0 * at(i, j));
                    oracle::through(&mut want, &y.seen, &y.lengths);
                    close_grad("for y", &gy, &want, 1e-6);
                }
            }
            let x = set(cpu, &random(70 * 5, 18), 5, scaling);
            let own = cpu
                .squared_distances(&x.points, &x.points)
                .block()
                .and_then(|m| m.read())
                .expect("distances");
            assert!((0..70).all(|i| own[i * 71].to_bits() == 0), "equal rows are +0 apart");
        }
    }
}
