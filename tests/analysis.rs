//! Sweeps, weights, groups, histograms, close pairs and spectra of every backend against the formulas in f64.

mod support;

use std::process::ExitCode;

use libtest_mimic::Failed;
use support::{
    cases::{self, Case},
    compare::{self, Report},
    devices::{self, Check},
    oracle::{self, Rows},
    random::{Random, normal, on_the_sphere, single},
    set::Set,
};
use unisphere::{
    Alignment, ClosePairs, CosineHistogram, DeviceKind, Embeddings, Engine, Groups, PairCosines, Points,
    Result, Scaling, Spectrum, SquaredMmd, Uniformity,
};

fn main() -> ExitCode {
    let cases = cases::shapes().into_iter().chain(cases::ragged().into_iter().rev().step_by(5));
    let checks = cases
        .filter(|case| case.rows > 1)
        .map(|case| Check::new(case.name.clone(), move |engine| check(engine, &case)));
    let more = [
        Check::new("groups of any size", group_sizes),
        Check::new("two clusters", two_clusters),
        Check::new("close pairs across panels", close_pairs),
        Check::new("equal points", equal_points),
        Check::new("von Mises and Fisher's distribution", fisher),
    ];
    devices::run(&checks.chain(more).collect::<Vec<_>>())
}

fn check(engine: &Engine, case: &Case) -> Result<(), Failed> {
    let (x, y) = (Set::new(engine, case.x()?)?, Set::new(engine, case.y()?)?);
    let mut report = Report::default();
    sweeps(&mut report, engine, &x, &y)?;
    weights(&mut report, engine, &x, &y)?;
    potentials(&mut report, engine, &x)?;
    groups(&mut report, engine, &x, 4)?;
    weighted_groups(&mut report, engine, &x, 4)?;
    pairs(&mut report, engine, &x, &y)?;
    spectrum(&mut report, engine, &x)?;
    Ok(report.finish()?)
}

fn sweeps(report: &mut Report, engine: &Engine, x: &Set, y: &Set) -> Result<()> {
    let ts = [0.5, 1.0, 2.0, 5.0, 12.0, 50.0];
    let within = engine.value(Uniformity::at(&ts).within(&x.points))?;
    let across = engine.value(Uniformity::at(&ts).across(&x.points, &y.points))?;
    let pooled = engine.value(Uniformity::at(&ts).pooled(&x.points, &y.points))?;
    let union = [&x.seen[..], &y.seen].concat();
    for (i, &t) in ts.iter().enumerate() {
        for (what, got, want) in [
            ("uniformity", within[i], oracle::uniformity(&x.seen, t)),
            ("cross uniformity", across[i], oracle::cross_uniformity(&x.seen, &y.seen, t)),
            ("pooled uniformity", pooled[i], oracle::uniformity(&union, t)),
        ] {
            report.check(format!("{what} in a sweep, t={t}"), x.potential(got, want, t));
        }
    }
    let mean = |squares: &[f64]| {
        squares.iter().map(|square| (-2.0 * square).exp()).sum::<f64>() / squares.len() as f64
    };
    let [xx, yy, xy] = [
        mean(&oracle::squares_within(&x.seen)),
        mean(&oracle::squares_within(&y.seen)),
        mean(&oracle::squares_across(&x.seen, &y.seen)),
    ];
    let mmd = engine.value(SquaredMmd::new(2.0).across(&x.points, &y.points))?;
    let tolerance = if x.raw() { 1e-4 } else { 4e-6 };
    report.check("squared MMD", compare::value(mmd, xx + yy - 2.0 * xy, tolerance));

    let n = x.seen.len();
    let unpaired = || (0..n).flat_map(|i| (0..n).filter(move |&j| j != i).map(move |j| (i, j)));
    let squares: Vec<_> = unpaired().map(|(i, j)| oracle::squared_distance(&x.seen[i], &y.seen[j])).collect();
    let got = engine.value(Uniformity::at(&ts).unpaired(&x.points, &y.points))?;
    for (&t, got) in ts.iter().zip(got) {
        let log_mean = log_sum(&squares.iter().map(|square| -t * square).collect::<Vec<_>>())
            - (squares.len() as f64).ln();
        report.check(format!("unpaired rows, t={t}"), x.potential(got, log_mean, t));
    }
    let mmd = engine.value(SquaredMmd::new(2.0).unpaired(&x.points, &y.points))?;
    report.check("paired squared MMD", compare::value(mmd, xx + yy - 2.0 * mean(&squares), tolerance));
    Ok(())
}

/// Some of 0 and some much larger than others.
fn some_weights(rows: usize) -> Vec<f64> {
    let mut random = Random::new(70);
    let weight = |row: usize| if row % 5 == 3 { 0.0 } else { 1e3 * random.uniform().powi(4) };
    (0..rows).map(weight).collect()
}

fn weights(report: &mut Report, engine: &Engine, x: &Set, y: &Set) -> Result<()> {
    let weights = some_weights(x.seen.len());
    for t in [2.0, 50.0] {
        let metric = Uniformity { t };
        let logs: Vec<_> = weights.iter().map(|w| w.ln()).collect();
        // As exponents, so that nothing is lost where all are far down.
        let pairs = || (0..weights.len()).flat_map(|i| (i + 1..weights.len()).map(move |j| (i, j)));
        let terms: Vec<_> = pairs()
            .map(|(i, j)| logs[i] + logs[j] - t * oracle::squared_distance(&x.seen[i], &x.seen[j]))
            .collect();
        let sum = log_sum(&terms);
        let want = sum - log_sum(&pairs().map(|(i, j)| logs[i] + logs[j]).collect::<Vec<_>>());
        let (with_grad, grad) = engine.value_and_grad(metric.within(&x.points).weighted(&weights))?;
        for got in [engine.value(metric.within(&x.points).weighted(&weights))?, with_grad] {
            report.check(format!("weighted uniformity, t={t}"), x.potential(got, want, t));
        }
        let dims = x.seen[0].len();
        let (mut wanted, mut gross) = (vec![vec![0.0; dims]; x.seen.len()], vec![0.0; x.seen.len()]);
        for ((i, j), term) in pairs().zip(&terms) {
            let w = 2.0 * t * (term - sum).exp();
            let equal = x.seen[i] == x.seen[j];
            for (a, b) in [(i, j), (j, i)] {
                gross[a] += w;
                // Equal points pull nowhere, however great their weight.
                (0..if equal { 0 } else { dims })
                    .for_each(|k| wanted[a][k] -= w * (x.seen[a][k] - x.seen[b][k]));
            }
        }
        let gross = oracle::length(&gross);
        report
            .check(format!("weighted uniformity, t={t}, gradient"), x.gradient(&grad, wanted, want, gross)?);
    }
    for alpha in [1.0, 2.0] {
        let metric = Alignment { alpha };
        let total: f64 = weights.iter().sum();
        let powers =
            x.seen.iter().zip(&y.seen).map(|(x, y)| oracle::squared_distance(x, y).powf(alpha / 2.0));
        let want = powers.zip(&weights).map(|(power, w)| power * w).sum::<f64>() / total;
        let (with_grad, (gx, gy)) =
            engine.value_and_grad(metric.paired(&x.points, &y.points).weighted(&weights))?;
        for got in [engine.value(metric.paired(&x.points, &y.points).weighted(&weights))?, with_grad] {
            report.check(format!("weighted alignment, α={alpha}"), compare::value(got, want, 1e-6 * want));
        }
        let scale = |w: f64| w / total * weights.len() as f64;
        let plain = oracle::alignment_grad(&x.seen, &y.seen, alpha);
        let wanted: Rows =
            plain.iter().zip(&weights).map(|(row, &w)| row.iter().map(|v| scale(w) * v).collect()).collect();
        let (negative, gross) = (oracle::sum(&wanted, &wanted, -2.0), oracle::norm(&wanted));
        for (set, got, want) in [(x, &gx, wanted), (y, &gy, negative)] {
            report.check(
                format!("weighted alignment, α={alpha}, gradient"),
                set.gradient(got, want, 0.0, gross)?,
            );
        }
    }
    Ok(())
}

/// log Σ exp(term).
fn log_sum(terms: &[f64]) -> f64 {
    let max = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    max + terms.iter().map(|term| (term - max).exp()).sum::<f64>().ln()
}

fn potentials(report: &mut Report, engine: &Engine, x: &Set) -> Result<()> {
    for t in [2.0, 50.0] {
        let got = engine.value(Uniformity::new(t).potentials(&x.points))?;
        let others = (x.seen.len() - 1) as f64;
        for (row, (point, &got)) in x.seen.iter().zip(got.logs()).enumerate() {
            let exponent = |(_, other): (usize, &Vec<f64>)| -t * oracle::squared_distance(point, other);
            let terms: Vec<_> = x.seen.iter().enumerate().filter(|(i, _)| *i != row).map(exponent).collect();
            let want = log_sum(&terms) - others.ln();
            // A single row has less to average over than all.
            report.check(
                format!("potential of row {row}, t={t}"),
                compare::value(got, want, 3.0 * x.tolerance(t, want).max(1e-6)),
            );
        }
        let want = oracle::uniformity(&x.seen, t);
        report.check(format!("uniformity of potentials, t={t}"), x.potential(got.uniformity(), want, t));
    }
    Ok(())
}

fn groups(report: &mut Report, engine: &Engine, x: &Set, k: usize) -> Result<()> {
    let labels: Vec<_> = (0..x.seen.len()).map(|row| (row * row % k) as i64 - 1).collect();
    let groups = Groups::new(&labels)?;
    let t = 2.0;
    let got = engine.value(groups.uniformity(Uniformity { t }, &x.points).across_groups())?;
    let names: Vec<_> = groups.labels().collect();
    for (a, &label_a) in names.iter().enumerate() {
        for (b, &label_b) in names.iter().enumerate() {
            let of = |label: i64| -> Rows {
                let own = x.seen.iter().zip(&labels).filter(|(_, l)| **l == label);
                own.map(|(row, _)| row.clone()).collect()
            };
            let what = format!("uniformity of groups {label_a} and {label_b}");
            let squares = if a == b {
                oracle::squares_within(&of(label_a))
            } else {
                oracle::squares_across(&of(label_a), &of(label_b))
            };
            report.check(
                what,
                match got.between(a, b) {
                    None if squares.is_empty() => Ok(()),
                    None => Err("is missing".into()),
                    Some(value) => x.potential(value, oracle::log_mean_exp(&squares, t), t),
                },
            );
        }
    }
    Ok(())
}

/// Groups whose rows have weights: a group without any weight, a row without, and one that stands for itself twice.
fn weighted_groups(report: &mut Report, engine: &Engine, x: &Set, k: usize) -> Result<()> {
    let t = 2.0;
    let n = x.seen.len();
    let labels: Vec<_> = (0..n).map(|row| (row * row % k) as i64 - 1).collect();
    let weight = |row: usize| if labels[row] == 0 { 0.0 } else { [1.0, 0.0, 2.0, 0.25][row % 4] };
    let weights: Vec<_> = (0..n).map(weight).collect();
    if weights.iter().all(|&weight| weight == 0.0) {
        return Ok(());
    }
    let groups = Groups::new(&labels)?;
    let metric = Uniformity { t };
    let got = engine.value(groups.uniformity(metric, &x.points).weighted(&weights).across_groups())?;
    let alone = engine.value(groups.uniformity(metric, &x.points).weighted(&weights))?;
    let names: Vec<_> = groups.labels().collect();
    for (a, &label_a) in names.iter().enumerate() {
        let of_a = (0..n).filter(|&row| labels[row] == label_a && weights[row] > 0.0).count();
        let is_right = got.sizes[a] == of_a && alone.sizes[a] == of_a && alone.within[a] == got.within[a];
        report.check(
            format!("sizes of group {label_a}"),
            if is_right { Ok(()) } else { Err(format!("{got:?} and {alone:?}")) },
        );
        for (b, &label_b) in names.iter().enumerate() {
            let pairs = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
            let of =
                |(i, j): (usize, usize)| labels[i] == label_a && labels[j] == label_b && (a != b || i < j);
            let pairs: Vec<_> =
                pairs.filter(|&pair| of(pair) && weights[pair.0] * weights[pair.1] > 0.0).collect();
            let log = |(i, j): &(usize, usize)| weights[*i].ln() + weights[*j].ln();
            let exponent = |(i, j): &(usize, usize)| -t * oracle::squared_distance(&x.seen[*i], &x.seen[*j]);
            let terms: Vec<_> = pairs.iter().map(|pair| log(pair) + exponent(pair)).collect();
            let want = || log_sum(&terms) - log_sum(&pairs.iter().map(log).collect::<Vec<_>>());
            report.check(
                format!("weighted uniformity of groups {label_a} and {label_b}"),
                match got.between(a, b) {
                    None if pairs.is_empty() => Ok(()),
                    None => Err("is missing".into()),
                    Some(_) if pairs.is_empty() => Err("is of no pairs".into()),
                    Some(value) => x.potential(value, want(), t),
                },
            );
        }
    }
    Ok(())
}

fn pairs(report: &mut Report, engine: &Engine, x: &Set, y: &Set) -> Result<()> {
    let distances = engine.value(Alignment::distances(&x.points, &y.points))?;
    for (row, (got, (a, b))) in distances.iter().zip(x.seen.iter().zip(&y.seen)).enumerate() {
        let want = oracle::squared_distance(a, b).sqrt();
        let rounding = if x.raw() { 1e-6 * want } else { 1e-6 * want + 1.2e-7 };
        report.check(format!("distance of pair {row}"), compare::value(*got, want, rounding));
    }
    let cosines = engine.value(PairCosines::paired(&x.points, &y.points))?;
    for (row, (got, (a, b))) in cosines.iter().zip(x.seen.iter().zip(&y.seen)).enumerate() {
        let want = oracle::dot(a, b) / (oracle::length(a) * oracle::length(b));
        report.check(format!("cosine of pair {row}"), compare::value(*got, want, 1e-6));
    }
    let squares = oracle::squares_within(&x.seen);
    let mut sorted = squares.clone();
    sorted.sort_by(f64::total_cmp);
    // Between two distances that differ enough, and where no pair is so close that scaling its rows on a GPU moves it.
    for at in [sorted.len() / 50, sorted.len() / 3] {
        let square = sorted[at];
        let gap = sorted.iter().find(|&&next| next > square * (1.0 + 1e-4) + 1e-12);
        let distance = gap.map_or(square.sqrt() + 1.0, |gap| ((gap + square) / 2.0).sqrt());
        if !x.raw() && distance < 1e-3 {
            continue;
        }
        let want = squares.iter().filter(|square| square.sqrt() <= distance).count();
        let got = engine.value(ClosePairs::within(&x.points, distance).limit(10))?;
        let count = (got.count == want as u64 && got.pairs.len() == want.min(10))
            .then_some(())
            .ok_or(format!("{} pairs, {} listed, and not {want}", got.count, got.pairs.len()));
        report.check(format!("pairs closer than {distance}"), count);
        let mut last = None;
        for &(i, j, distance) in &got.pairs {
            let want = oracle::squared_distance(&x.seen[i], &x.seen[j]).sqrt();
            let right = i < j && last < Some((i, j)) && (distance - want).abs() <= 1e-6 * want + 3e-7;
            report.check(
                format!("close pair {i}, {j}"),
                right.then_some(()).ok_or(format!("{distance} for {want}")),
            );
            last = Some((i, j));
        }
    }
    if x.raw() {
        let refused = engine.value(CosineHistogram::new(10).within(&x.points)).is_err();
        report.check("a histogram of raw points", refused.then_some(()).ok_or("is made".into()));
        return Ok(());
    }
    let bins = 37;
    let got = engine.value(CosineHistogram::new(bins).within(&x.points))?;
    // Cumulated: so many cosines lie below the end of each part, give or take those next to it.
    let cosines: Vec<_> = squares.iter().map(|square| 1.0 - square / 2.0).collect();
    let mut below = 0;
    for (bin, count) in got.iter().enumerate() {
        below += count;
        let end = 2.0 * (bin + 1) as f64 / bins as f64 - 1.0;
        let count = |end: f64| cosines.iter().filter(|&&cosine| cosine < end).count() as u64;
        let (least, most) = if bin + 1 == bins {
            (cosines.len() as u64, cosines.len() as u64)
        } else {
            (count(end - 1e-6), count(end + 1e-6))
        };
        let within = (least..=most).contains(&below);
        report.check(
            format!("cosines below {end:.3}"),
            within.then_some(()).ok_or(format!("{below}, not {least} to {most}")),
        );
    }
    Ok(())
}

fn spectrum(report: &mut Report, engine: &Engine, x: &Set) -> Result<()> {
    let got = engine.value(Spectrum::within(&x.points))?;
    let (n, dims) = (x.seen.len() as f64, x.seen[0].len());
    let mean: Vec<f64> = (0..dims).map(|k| x.seen.iter().map(|row| row[k]).sum::<f64>() / n).collect();
    let centred: Rows =
        x.seen.iter().map(|row| row.iter().zip(&mean).map(|(v, m)| v - m).collect()).collect();
    let size = x.seen.iter().map(|row| oracle::length(row)).fold(1.0, f64::max);
    report.check("norm of the mean", compare::value(got.mean_norm(), oracle::length(&mean), 1e-6 * size));
    // The trace of a power of the covariance is that of the same power of the matrix of inner products, n × n.
    let trace = centred.iter().map(|row| oracle::dot(row, row)).sum::<f64>() / n;
    let square: f64 =
        centred.iter().flat_map(|a| centred.iter().map(|b| (oracle::dot(a, b) / n).powi(2))).sum();
    let values = got.eigenvalues();
    let sum: f64 = values.iter().sum();
    let squares: f64 = values.iter().map(|v| v * v).sum();
    let floor = 1e-13 * size * size;
    report.check("sum of the eigenvalues", compare::value(sum, trace, 2e-6 * trace + floor));
    report.check("sum of their squares", compare::value(squares, square, 4e-6 * square + floor * floor));
    let ordered = values.len() == dims
        && values.windows(2).all(|two| two[0] >= two[1])
        && values.iter().all(|&v| v >= 0.0);
    report.check("eigenvalues", ordered.then_some(()).ok_or("out of order or number".into()));
    match got.rank_me() {
        // The oracle takes long for more.
        Some(_) if x.seen.len() * dims * x.seen.len().min(dims) > 2_000_000 => {}
        Some(got) => {
            let want = oracle::rank_me(&oracle::singular_values(&x.seen));
            // Squares lose what is below 1e-8 of the greatest value; on a GPU, rows are scaled in f32.
            report.check("RankMe", compare::value(got, want, 1e-4 * want));
        }
        None => {
            let is_coarse = engine.device().kind == DeviceKind::Gpu && x.seen.len() >= dims;
            report.check("RankMe", is_coarse.then_some(()).ok_or("is missing".into()));
        }
    }
    Ok(())
}

/// As many groups as rows, groups larger than a panel, and a single one.
fn group_sizes(engine: &Engine) -> Result<(), Failed> {
    let (n, d) = (700, 20);
    let x = Set::new(engine, Embeddings::new(single(&normal(n, d, 80)), n, d)?)?;
    let mut report = Report::default();
    for k in [1, 2, 60, n] {
        groups(&mut report, engine, &x, k)?;
        weighted_groups(&mut report, engine, &x, k)?;
    }
    Ok(report.finish()?)
}

/// Two points, many times each: all that is measured has a closed form.
fn two_clusters(engine: &Engine) -> Result<(), Failed> {
    let (m, d, t) = (150usize, 6, 2.0f64);
    let values: Vec<f32> =
        (0..2 * m * d).map(|k| f32::from(u8::from(k % d == usize::from(k / d >= m)))).collect();
    let x: Points = engine.upload(&Embeddings::with_scaling(values, 2 * m, d, Scaling::Unit)?)?;
    let mut report = Report::default();
    let count = (2 * m * (2 * m - 1) / 2) as f64;
    let across = (m * m) as f64;
    // The two are a right angle apart: their squared distance is 2.
    let want = ((count - across + across * (-2.0 * t).exp()) / count).ln();
    report.check("uniformity", compare::value(engine.uniformity(&x, Uniformity { t })?, want, 1e-6));
    let potentials = engine.value(Uniformity::new(t).potentials(&x))?;
    let each = (((m - 1) as f64 + m as f64 * (-2.0 * t).exp()) / (2 * m - 1) as f64).ln();
    for got in potentials.logs() {
        report.check("potential", compare::value(*got, each, 1e-6));
    }
    report.check("standard error", compare::value(potentials.estimate().standard_error, 0.0, 1e-6));
    let close = engine.value(ClosePairs::within(&x, 0.0).limit(3))?;
    let equal =
        close.count == 2 * (m * (m - 1) / 2) as u64 && close.pairs == [(0, 1, 0.0), (0, 2, 0.0), (0, 3, 0.0)];
    report.check("equal pairs", equal.then_some(()).ok_or(format!("{close:?}")));
    let histogram = engine.value(CosineHistogram::new(4).within(&x))?;
    let right = histogram == [0, 0, (m * m) as u64, 2 * (m * (m - 1) / 2) as u64];
    // A cosine of 0 is the end of a part.
    let other = histogram == [0, (m * m) as u64, 0, 2 * (m * (m - 1) / 2) as u64];
    report.check("histogram", (right || other).then_some(()).ok_or(format!("{histogram:?}")));
    let spectrum = engine.value(Spectrum::within(&x))?;
    report.check("norm of the mean", compare::value(spectrum.mean_norm(), 0.5f64.sqrt(), 1e-6));
    report.check("effective rank", compare::value(spectrum.effective_rank(), 1.0, 1e-6));
    Ok(report.finish()?)
}

/// More rows than a panel has, more close pairs than any buffer would be made for, and the first of them listed.
fn close_pairs(engine: &Engine) -> Result<(), Failed> {
    let (n, d) = (3000usize, 8);
    // Every row six times.
    let rows = on_the_sphere(normal(n / 6, d, 90), d);
    let values: Vec<f64> = (0..6).flat_map(|_| rows.iter().copied()).collect();
    let x = engine.upload(&Embeddings::new(single(&values), n, d)?)?;
    let close = engine.value(ClosePairs::within(&x, 1e-4).limit(100_000))?;
    let want = (n / 6 * 15) as u64;
    let right = close.count == want
        && close.pairs.len() as u64 == want
        && close.pairs.iter().all(|&(i, j, distance)| i < j && (j - i) % (n / 6) == 0 && distance == 0.0);
    let (first, rest) = values.split_at(d * n / 6);
    let [first, rest] = [first, rest].map(|part| {
        Embeddings::new(single(part), part.len() / d, d).and_then(|points| engine.upload(&points))
    });
    let across = engine.value(ClosePairs::across(&first?, &rest?, 1e-4).limit(10_000))?;
    let equal = |&(i, j, distance): &(usize, usize, f64)| j % (n / 6) == i && distance == 0.0;
    if across.count != (n / 6 * 5) as u64
        || across.pairs.len() != n / 6 * 5
        || !across.pairs.iter().all(equal)
    {
        return Err(format!("{} pairs across", across.count).into());
    }
    let all = engine.value(ClosePairs::within(&x, 2.0).limit(5))?;
    let every = all.count == (n * (n - 1) / 2) as u64
        && all.pairs.iter().map(|&(i, j, _)| (i, j)).eq([(0, 1), (0, 2), (0, 3), (0, 4), (0, 5)]);
    match (right, every) {
        (true, true) => Ok(()),
        _ => Err(format!("{} and not {want} pairs; {} pairs in all", close.count, all.count).into()),
    }
}

/// What rounding leaves of a spread is none.
fn equal_points(engine: &Engine) -> Result<(), Failed> {
    let mut report = Report::default();
    for (row, scaling) in [
        ([1.0, 2.0, 3.0], Scaling::Unit),
        ([0.1, -0.7, 0.3], Scaling::Unit),
        ([1e3, 2.1e3, -3e-3], Scaling::Raw),
    ] {
        for n in [2, 40, 3000] {
            let x = engine.upload(&Embeddings::with_scaling(row.repeat(n), n, 3, scaling)?)?;
            let got = engine.value(Spectrum::within(&x))?;
            for (what, value) in
                [("effective rank", got.effective_rank()), ("participation ratio", got.participation_ratio())]
            {
                report.check(format!("{what} of {n} times {row:?}"), compare::value(value, 0.0, 0.0));
            }
            let u = engine.value(Uniformity::new(2.0).potentials(&x))?.uniformity();
            report.check(format!("uniformity of {n} times {row:?}"), compare::value(u, 0.0, 1e-6));
        }
    }
    Ok(report.finish()?)
}

/// The standard error of a mean over the pairs of points in three dimensions, from the means without each point, and so
/// that of its log.
fn jackknife(values: &[f64], t: f64) -> f64 {
    let rows: Vec<&[f64]> = values.chunks(3).collect();
    let n = rows.len() as f64;
    let weight = |x: &[f64], y: &[f64]| (-t * oracle::squared_distance(x, y)).exp();
    let own: Vec<f64> = rows.iter().map(|x| rows.iter().map(|y| weight(x, y)).sum::<f64>() - 1.0).collect();
    let sum = own.iter().sum::<f64>() / 2.0;
    let mean = sum / (n * (n - 1.0) / 2.0);
    let without = own.iter().map(|own| (sum - own) / ((n - 1.0) * (n - 2.0) / 2.0));
    let squares: f64 = without.map(|without| (without - mean).powi(2)).sum();
    ((n - 1.0) / n * squares).sqrt() / mean
}

/// Draws from the density ∝ exp(κ⟨μ, x⟩) in three dimensions, where all expectations are elementary.
fn fisher(engine: &Engine) -> Result<(), Failed> {
    let (n, mut report) = (3000, Report::default());
    for (kappa, t) in [(0.5f64, 2.0f64), (4.0, 2.0), (20.0, 5.0)] {
        let mut random = Random::new(90);
        let mut row = || {
            let least = (-2.0 * kappa).exp();
            let cosine = 1.0 + (least + random.uniform() * (1.0 - least)).ln() / kappa;
            let (angle, sine) =
                (std::f64::consts::TAU * random.uniform(), (1.0 - cosine * cosine).max(0.0).sqrt());
            [cosine, sine * angle.cos(), sine * angle.sin()]
        };
        let values: Vec<f64> = (0..n).flat_map(|_| row()).collect();
        let x = engine.upload(&Embeddings::new(single(&values), n, 3)?)?;

        // ∫ exp(⟨v, x⟩) over the sphere is sinh|v| / |v|; the outer mean runs over the cosine w of the other point to μ.
        let mass = |v: f64| v.sinh() / v;
        let mean = |f: &dyn Fn(f64) -> f64| {
            let steps = 20_000;
            let at = |k: usize| (2.0 * (k as f64 + 0.5) / steps as f64) - 1.0;
            let (sum, all) = (0..steps).map(at).fold((0.0, 0.0), |(sum, all), w| {
                let density = (kappa * w).exp();
                (sum + density * f(w), all + density)
            });
            sum / all
        };
        let inner = |w: f64| mass((kappa * kappa + 4.0 * t * t + 4.0 * t * kappa * w).sqrt()) / mass(kappa);
        let want = mean(&inner).ln() - 2.0 * t;
        let got = engine.value(Uniformity::new(t).potentials(&x))?.estimate();
        let what = format!("κ={kappa}, t={t}");
        report
            .check(format!("{what}: uniformity"), compare::value(got.value, want, 4.0 * got.standard_error));
        let error = jackknife(&values, t);
        report.check(
            format!("{what}: standard error"),
            compare::value(got.standard_error, error, 1e-4 * error),
        );

        let length = 1.0 / kappa.tanh() - 1.0 / kappa;
        let spectrum = engine.value(Spectrum::within(&x))?;
        report.check(format!("{what}: norm of the mean"), compare::value(spectrum.mean_norm(), length, 0.05));
        // Along μ, and to its sides.
        let mut variances = [1.0 - 2.0 * length / kappa - length * length, length / kappa, length / kappa];
        variances.sort_by(|a, b| b.total_cmp(a));
        for (got, want) in spectrum.eigenvalues().iter().zip(variances) {
            report.check(format!("{what}: eigenvalue"), compare::value(*got, want, 0.1 * want));
        }
    }
    Ok(report.finish()?)
}
