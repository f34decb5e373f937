//! Sums over blocks of pairs against the formula in f64, and against the bound that estimates stand on.

mod support;

use std::process::ExitCode;

use libtest_mimic::Failed;
use support::{
    compare::{self, Report},
    devices::{self, Check},
    oracle::{self, Rows},
    random::{Random, normal, single},
};
use unisphere::{Contrastive, Embeddings, Engine, Error, LogSumExp, PairBlock, Points, Scaling, Uniformity};

fn main() -> ExitCode {
    let mut checks = vec![Check::new("blocks that are none", refused)];
    for scaling in [Scaling::Unit, Scaling::Raw] {
        for t in [0.5, 2.0, 10.0, 200.0] {
            checks.push(Check::new(format!("{scaling:?} points, t = {t}"), move |engine| {
                sums(engine, scaling, t)
            }));
        }
    }
    for scaling in [Scaling::Unit, Scaling::Raw] {
        for tau in [1.0, 0.5, 0.07] {
            checks.push(Check::new(format!("anchors of {scaling:?} points, tau = {tau}"), move |engine| {
                anchors(engine, scaling, tau)
            }));
        }
    }
    devices::run(&checks)
}

/// Points of which some lie close, some coincide, and the last are all in a narrow cone.
fn points(rows: usize, dims: usize, seed: u64) -> Vec<f32> {
    let mut values = normal(rows, dims, seed);
    let mut random = Random::new(seed + 1);
    for row in 10..20 {
        for dim in 0..dims {
            values[row * dims + dim] = values[dim] + 1e-3 * random.normal();
        }
    }
    values.copy_within(0..dims, 30 * dims);
    for (at, value) in values.iter_mut().enumerate().skip((rows - 64) * dims) {
        *value = ((at % dims) as f64).cos() + 1e-3 * random.normal();
    }
    single(&values)
}

fn upload(engine: &Engine, values: &[f32], dims: usize, scaling: Scaling) -> Result<(Points, Rows), Failed> {
    let embeddings = Embeddings::with_scaling(values, values.len() / dims, dims, scaling)?;
    let rows = oracle::rows(values, dims);
    let seen = if scaling == Scaling::Unit { oracle::unit_rows(&rows) } else { rows };
    Ok((engine.upload(&embeddings)?, seen))
}

fn block(rows: std::ops::Range<usize>, cols: std::ops::Range<usize>) -> PairBlock {
    PairBlock { rows, cols }
}

fn sums(engine: &Engine, scaling: Scaling, t: f64) -> Result<(), Failed> {
    let (n, m, dims) = (300, 217, 19);
    let (x, of_x) = upload(engine, &points(n, dims, 1), dims, scaling)?;
    let (y, of_y) = upload(engine, &points(m, dims, 5), dims, scaling)?;
    let metric = Uniformity::new(t);
    let mut report = Report::default();
    let log = |sum: LogSumExp| sum.log();
    let mut check = |what: &str, got: f64, left: &[Vec<f64>], right: Option<&[Vec<f64>]>| {
        let squares = match right {
            None => oracle::squares_within(&left.to_vec()),
            Some(right) => oracle::squares_across(&left.to_vec(), &right.to_vec()),
        };
        let want = oracle::log_sum_exp(&squares, t);
        report.check(what.to_owned(), compare::value(got, want, 3e-6 * want.abs().max(1.0)));
    };
    let within =
        [block(0..96, 0..96), block(0..96, 96..192), block(192..300, 0..7), block(236..300, 236..300)];
    let got = engine.value(metric.blocks_within(&x, &within))?;
    for (sum, PairBlock { rows, cols }) in got.into_iter().zip(&within) {
        let right = (rows != cols).then(|| &of_x[cols.clone()]);
        check(&format!("{rows:?} with {cols:?}"), log(sum), &of_x[rows.clone()], right);
    }
    // A panel of one row, as the last of a set may be, has no pairs.
    let alone = engine.value(metric.blocks_within(&x, &[block(299..300, 299..300)]))?;
    if !alone.iter().map(|sum| sum.log()).eq([f64::NEG_INFINITY]) {
        return Err(format!("the pairs of one row: {alone:?}").into());
    }
    let across = [block(0..96, 0..96), block(5..6, 210..217), block(236..300, 153..217)];
    let got = engine.value(metric.blocks_across(&x, &y, &across))?;
    for (sum, PairBlock { rows, cols }) in got.into_iter().zip(&across) {
        let right = Some(&of_y[cols.clone()]);
        check(&format!("{rows:?} of x with {cols:?} of y"), log(sum), &of_x[rows.clone()], right);
    }
    // S(p, q)² ≤ S(p, p) S(q, q), by Cauchy and Schwarz.
    let panels: Vec<_> = (0..6).map(|p| 50 * p..50 * (p + 1)).collect();
    let own: Vec<_> = panels.iter().map(|p| block(p.clone(), p.clone())).collect();
    let own = engine.value(metric.blocks_within(&x, &own))?;
    let own: Vec<_> = own.into_iter().map(|sum| 2.0 * log(sum).exp() + 50.0).collect();
    for p in 0..6 {
        let others: Vec<_> =
            (0..6).filter(|&q| q != p).map(|q| block(panels[p].clone(), panels[q].clone())).collect();
        let found = engine.value(metric.blocks_within(&x, &others))?;
        for (q, sum) in (0..6).filter(|&q| q != p).zip(found) {
            let (square, bound) = ((2.0 * log(sum)).exp(), own[p] * own[q]);
            let within = square <= bound * (1.0 + 1e-6);
            let over = || format!("{square:e} is above {bound:e}");
            report.check(format!("bound of {p} and {q}"), within.then_some(()).ok_or_else(over));
        }
    }
    Ok(report.finish()?)
}

/// Sums of anchors over blocks of candidates, some of which have the anchors of the block before, and some themselves.
fn anchors(engine: &Engine, scaling: Scaling, tau: f64) -> Result<(), Failed> {
    let (n, dims) = (300, 19);
    let (x, of_x) = upload(engine, &points(n, dims, 1), dims, scaling)?;
    let (y, of_y) = upload(engine, &points(n, dims, 5), dims, scaling)?;
    let metric = Contrastive::new(tau);
    let mut report = Report::default();
    let blocks = [
        block(0..96, 96..192),
        block(0..96, 0..96),
        block(0..96, 299..300),
        block(7..8, 7..8),
        block(7..8, 8..300),
        block(0..300, 0..300),
    ];
    for (of_right, right, set) in [(&of_y, &y, "y"), (&of_x, &x, "x")] {
        let got = engine.value(metric.log_sums_of_blocks(&x, right, &blocks))?;
        for (of_block, PairBlock { rows, cols }) in got.iter().zip(&blocks) {
            if of_block.len() != rows.len() {
                return Err(format!("{} sums of {rows:?}", of_block.len()).into());
            }
            for (&sum, i) in of_block.iter().zip(rows.clone()) {
                let dot = |j: usize| of_x[i].iter().zip(&of_right[j]).map(|(a, b)| a * b).sum::<f64>();
                let logits = || cols.clone().filter(|&j| j != i).map(|j| dot(j) / tau);
                let greatest = logits().fold(f64::NEG_INFINITY, f64::max);
                let sum_of_others = logits().map(|logit| (logit - greatest).exp()).sum::<f64>();
                let want = if sum_of_others > 0.0 { greatest + sum_of_others.ln() } else { greatest };
                let room = if scaling == Scaling::Unit { 3e-6 } else { 1e-5 * want.abs().max(1.0) };
                let is_right = sum == want || compare::value(sum, want, room).is_ok();
                let found = || format!("{sum} in place of {want}");
                let what = format!("row {i} of {rows:?} with {cols:?} of {set}");
                report.check(what, is_right.then_some(()).ok_or_else(found));
            }
        }
    }
    Ok(report.finish()?)
}

fn refused(engine: &Engine) -> Result<(), Failed> {
    let (x, _) = upload(engine, &points(100, 3, 1), 3, Scaling::Unit)?;
    let metric = Uniformity::new(2.0);
    for bad in [block(0..0, 0..5), block(0..5, 90..101), block(0..10, 5..15)] {
        let found = engine.value(metric.blocks_within(&x, &[block(0..4, 0..4), bad.clone()]));
        if !matches!(found, Err(Error::Block { number: 1, .. })) {
            return Err(format!("{bad:?}: {found:?}").into());
        }
    }
    for bad in [block(0..0, 0..5), block(0..0, 0..0), block(0..5, 90..101), block(0..10, 5..15)] {
        let blocks = [block(0..4, 0..4), bad.clone()];
        let found = engine.value(Contrastive::new(0.5).log_sums_of_blocks(&x, &x, &blocks));
        if !matches!(found, Err(Error::Block { number: 1, .. })) {
            return Err(format!("anchors of {bad:?}: {found:?}").into());
        }
    }
    // Across two sets, rows and cols are of different points.
    engine.value(metric.blocks_across(&x, &x, &[block(0..10, 5..15)]))?;
    if !engine.value(metric.blocks_within(&x, &[]))?.is_empty() {
        return Err("sums of no blocks".into());
    }
    Ok(())
}
