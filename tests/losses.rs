//! The sigmoid loss, the supervised contrastive loss and alignment by label of every backend against their definitions in
//! f64.

mod support;

use std::process::ExitCode;

use libtest_mimic::Failed;
use serde_json::Value;
use support::{
    anchors::Anchors,
    cases::{self, Case},
    compare::{self, Report},
    devices::{self, Check},
    losses::{self, Loss as Formula},
    oracle::{self, Rows},
    set::Set,
};
use unisphere::{
    Alignment, Candidates, Contrastive, DeviceKind, Embeddings, Engine, Error, Groups, LabelledPairs, Loss,
    Matrix, Result, Sigmoid, SupCon, Uniformity,
};

/// Where training begins, where it ends, and a loss whose logits are beyond single precision.
const SIGMOIDS: [Sigmoid; 3] = [
    Sigmoid { scale: 10.0, bias: -10.0 },
    Sigmoid { scale: 117.0, bias: -12.9 },
    Sigmoid { scale: 700.0, bias: 5.0 },
];

fn main() -> ExitCode {
    let cases = cases::shapes()
        .into_iter()
        .chain(cases::ragged().into_iter().step_by(17))
        .chain(cases::ragged().pop());
    let cases = cases.filter(|case| !case.name.starts_with("1,000 from") && !case.name.contains("far"));
    let checks = cases.map(|case| Check::new(case.name.clone(), move |engine| check(engine, &case)));
    let more = [
        Check::new("PyTorch's values and gradients", pytorch),
        Check::new("what is refused", refusals),
        Check::new("known values", known),
        Check::new("upstream gradients of either sign", upstream),
        Check::new("derivatives for t and τ", parameters),
    ];
    devices::run(&checks.chain(more).collect::<Vec<_>>())
}

/// Labels of which some are of one row, and most of several.
fn labels(rows: usize, classes: usize) -> Vec<i64> {
    (0..rows).map(|row| if row == 1 { -7 } else { (row * 5 % classes) as i64 }).collect()
}

fn check(engine: &Engine, case: &Case) -> Result<(), Failed> {
    let (x, y) = (Set::new(engine, case.x()?)?, Set::new(engine, case.y()?)?);
    let mut report = Report::default();
    sigmoids(&mut report, engine, &x, &y)?;
    for classes in [1, 3, 29] {
        let labels = labels(case.rows, classes);
        let count = labels.len() - labels.iter().collect::<std::collections::HashSet<_>>().len();
        by_label(&mut report, engine, (&x, &y), &labels, count > 0)?;
    }
    Ok(report.finish()?)
}

/// Values of points in f32 on a GPU are less exact than those in f64 on the CPU, by the rounding of a cosine times what
/// multiplies it.
fn tolerance(engine: &Engine, value: f64, factor: f64) -> f64 {
    let gpu = engine.device().kind == DeviceKind::Gpu;
    let (relative, of_cosine, least) = if gpu { (2e-6, 1e-7, 1e-37) } else { (1e-10, 1e-13, 0.0) };
    relative * value.abs() + of_cosine * factor + least
}

/// A softmax over rows sums in f32 where that is exact enough, on every device. On a GPU, points are rounded to f32, and
/// where all are alike, as in a simplex, no mean takes that out of their distances.
fn of_softmax(engine: &Engine, x: &Set, greatest: f64) -> f64 {
    match engine.device().kind {
        _ if x.raw() => 1e-6 * greatest.max(1.0),
        DeviceKind::Gpu => 4e-7 * greatest.max(2.5),
        _ => 1e-6,
    }
}

fn sigmoids(report: &mut Report, engine: &Engine, x: &Set, y: &Set) -> Result<()> {
    for metric in SIGMOIDS {
        let what = format!("{metric:?}");
        let (want, by_scale, by_bias) = losses::sigmoid_loss(&x.seen, &y.seen, metric.scale, metric.bias);
        let request = metric.paired(&x.points, &y.points);
        let greatest = greatest_dot(&x.seen, &y.seen);
        let (n, logit) = (x.seen.len() as f64, metric.scale * greatest);
        // Every anchor adds up n pairs.
        let allowed = tolerance(engine, want.value, logit * n.min(1.0 + want.value));
        report.check(format!("{what}: value"), compare::value(engine.value(request)?, want.value, allowed));
        let (value, got) = engine.value_and_grad(request)?;
        report.check(format!("{what}: value with gradient"), compare::value(value, want.value, allowed));
        let share = want.gross / metric.scale;
        let parameter =
            |want: f64, unit: f64| 1e-5 * want.abs() + tolerance(engine, share * unit, logit * share * unit);
        report.check(
            format!("{what}: by scale"),
            compare::value(got.scale, by_scale, parameter(by_scale, greatest)),
        );
        report.check(format!("{what}: by bias"), compare::value(got.bias, by_bias, parameter(by_bias, 1.0)));
        gradients(report, &what, &[(x, &got.x), (y, &got.y)], want, logit + metric.bias.abs())?;
    }
    Ok(())
}

/// Σ wᵢwⱼ‖xᵢ−xⱼ‖^α / Σ wᵢwⱼ over the pairs of one label; equal weights make no difference, and rows of weight 2 are there twice, but
/// for their distance from themselves.
fn weighted_by_label(
    report: &mut Report,
    engine: &Engine,
    x: &Set,
    labels: &[i64],
    weights: &[f64],
    alpha: f64,
) -> Result<()> {
    let groups = Groups::new(labels)?;
    let request = Alignment::new(alpha).by_label(&x.points, &groups);
    let n = labels.len();
    for (what, weights) in [("weighted", weights), ("equally weighted", &vec![3.0; n])] {
        let request = request.weighted(weights);
        let what = format!("{what} alignment by label, α={alpha}");
        let want = losses::weighted_alignment_by_label(&x.seen, labels, weights, alpha);
        if want.value.is_nan() {
            let is_refused = |got: Error| {
                if let Error::Labels { .. } | Error::Weights { .. } = got { Ok(()) } else { Err(got) }
            };
            let refused = |got: Result<()>| got.map_or_else(is_refused, |()| Err(Error::Stopped));
            let both = [engine.value(request).map(drop), engine.value_and_grad(request).map(drop)];
            for got in both {
                report.check("weights of no pair", refused(got).map_err(|got| format!("{got:?}")));
            }
            continue;
        }
        let allowed = 2e-6 * want.value + 1e-12;
        report.check(format!("{what}: value"), compare::value(engine.value(request)?, want.value, allowed));
        let (value, grad) = engine.value_and_grad(request)?;
        report.check(format!("{what}: value with gradient"), compare::value(value, want.value, allowed));
        let (_, scaled) = engine.value_and_grad(request.scaled(-0.5))?;
        let halves: Vec<_> = scaled.read()?.iter().map(|v| -2.0 * v).collect();
        let got = grad.read()?;
        let greatest = got.iter().fold(0.0_f32, |greatest, v| greatest.max(v.abs()));
        let apart = got.iter().zip(&halves).fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
        let is_scaled = if apart <= 1e-6 * greatest { Ok(()) } else { Err(format!("{apart} apart")) };
        report.check(format!("{what}: scaled gradient"), is_scaled);
        gradients(report, &what, &[(x, &grad)], want, 1.0)?;
    }
    Ok(())
}

fn by_label(
    report: &mut Report,
    engine: &Engine,
    (x, y): (&Set, &Set),
    labels: &[i64],
    some_positives: bool,
) -> Result<()> {
    let groups = Groups::new(labels)?;
    let classes = groups.count();
    let twice = [labels, labels].concat();
    let union: Rows = x.seen.iter().chain(&y.seen).cloned().collect();
    let greatest = greatest_dot(&union, &union);
    for tau in [0.1, 0.5] {
        let what = format!("SupCon of τ={tau}, {classes} classes");
        if some_positives {
            let want = losses::supcon(&x.seen, labels, tau);
            let request = SupCon::new(tau).within(&x.points, &groups);
            let allowed = of_softmax(engine, x, greatest / tau);
            report
                .check(format!("{what}: value"), compare::value(engine.value(request)?, want.value, allowed));
            let (value, grad) = engine.value_and_grad(request)?;
            report.check(format!("{what}: value with gradient"), compare::value(value, want.value, allowed));
            gradients(report, &what, &[(x, &grad)], want, greatest / tau)?;
        }
        let want = losses::supcon(&union, &twice, tau);
        let what = format!("{what}, two views");
        let request = SupCon::new(tau).views(&x.points, &y.points, &groups);
        let allowed = of_softmax(engine, x, greatest / tau);
        report.check(format!("{what}: value"), compare::value(engine.value(request)?, want.value, allowed));
        let (value, (gx, gy)) = engine.value_and_grad(request)?;
        report.check(format!("{what}: value with gradient"), compare::value(value, want.value, allowed));
        let (of_x, of_y) = want.grads[0].split_at(x.seen.len());
        let want = Formula { grads: vec![of_x.to_vec(), of_y.to_vec()], ..want };
        gradients(report, &what, &[(x, &gx), (y, &gy)], want, greatest / tau)?;
    }
    for alpha in [1.0, 2.0, 3.5] {
        if !some_positives {
            continue;
        }
        let what = format!("alignment by label, α={alpha}, {classes} classes");
        let weights: Vec<_> = (0..labels.len()).map(|row| [1.0, 2.0, 0.0, 0.25, 1e-3][row % 5]).collect();
        weighted_by_label(report, engine, x, labels, &weights, alpha)?;
        let want = losses::alignment_by_label(&x.seen, labels, alpha);
        let request = Alignment::new(alpha).by_label(&x.points, &groups);
        // Of unit rows that f32 has rounded, close pairs are as far apart as their rounding lets them be.
        let rounding = if x.raw() { 0.0 } else { 1e-7 };
        let allowed = |value: f64| {
            tolerance(engine, value, 0.0)
                + if engine.device().kind == DeviceKind::Gpu {
                    rounding * alpha * value.powf(1.0 - 1.0 / alpha)
                } else {
                    0.0
                }
        };
        let of_y = labels.iter().copied().cycle().skip(1).take(labels.len()).collect::<Vec<_>>();
        let across = LabelledPairs::new(labels, &of_y)?;
        {
            let want = losses::alignment_across_labels([&x.seen, &y.seen], [labels, &of_y], alpha);
            let what = format!("alignment across labels, α={alpha}, {classes} classes");
            let request = Alignment::new(alpha).across_labels(&x.points, &y.points, &across);
            let allowed = allowed(want.value);
            report
                .check(format!("{what}: value"), compare::value(engine.value(request)?, want.value, allowed));
            let (value, (gx, gy)) = engine.value_and_grad(request)?;
            report.check(format!("{what}: value with gradient"), compare::value(value, want.value, allowed));
            gradients(report, &what, &[(x, &gx), (y, &gy)], want, 1.0)?;
        }
        let allowed = allowed(want.value);
        report.check(format!("{what}: value"), compare::value(engine.value(request)?, want.value, allowed));
        let (value, grad) = engine.value_and_grad(request)?;
        report.check(format!("{what}: value with gradient"), compare::value(value, want.value, allowed));
        gradients(report, &what, &[(x, &grad)], want, 1.0)?;
    }
    Ok(())
}

fn greatest_dot(x: &Rows, y: &Rows) -> f64 {
    let longest = |rows: &Rows| rows.iter().map(|row| oracle::length(row)).fold(0.0, f64::max);
    longest(x) * longest(y)
}

fn gradients(
    report: &mut Report,
    what: &str,
    sets: &[(&Set, &Matrix)],
    want: Formula,
    exponent: f64,
) -> Result<()> {
    for (number, ((set, got), grad)) in sets.iter().zip(want.grads).enumerate() {
        let outcome = if set.raw() {
            // Of equal points all pulls cancel.
            let (relative, floor) = (1e-5f64.max(1.2e-7 * exponent), 4.8e-7 * want.gross);
            compare::gradient(&got.read()?, &grad, &vec![1.0; grad.len()], relative, floor)
        } else {
            set.gradient(got, grad, exponent, want.gross)?
        };
        report.check(format!("{what}: gradient {number}"), outcome);
    }
    Ok(())
}

/// Values that need no program.
fn known(engine: &Engine) -> Result<(), Failed> {
    let mut report = Report::default();
    let n = 40;
    let basis: Vec<f32> = (0..n * n).map(|k| if k / n == k % n { 1.0 } else { 0.0 }).collect();
    let x = engine.upload(&Embeddings::new(&basis, n, n)?)?;
    let (s, b) = (3.0f64, -1.0f64);
    // Positives at 1, negatives at 0.
    let want = (-(s + b)).exp().ln_1p() + (n as f64 - 1.0) * b.exp().ln_1p();
    let got = engine.value(Sigmoid::new(s, b).paired(&x, &x))?;
    report.check("sigmoid loss of an orthonormal basis", compare::value(got, want, 1e-6 * want));
    // Four classes of ten: all others at 0.
    let groups = Groups::new(&(0..n as i64).map(|row| row % 4).collect::<Vec<_>>())?;
    let got = engine.value(SupCon::new(0.1).within(&x, &groups))?;
    report.check("SupCon of an orthonormal basis", compare::value(got, (n as f64 - 1.0).ln(), 1e-6));
    for alpha in [1.0, 2.0, 3.0] {
        let got = engine.value(Alignment::new(alpha).by_label(&x, &groups))?;
        let want = 2f64.powf(alpha / 2.0);
        report.check(format!("alignment by label of a basis, α={alpha}"), compare::value(got, want, 1e-6));
    }
    // One pair is all positive.
    let one = engine.upload(&Embeddings::new(&[1.0f32, 0.0], 1, 2)?)?;
    let got = engine.value(Sigmoid::new(2.0, 0.5).paired(&one, &one))?;
    report.check("sigmoid loss of one pair", compare::value(got, (-2.5f64).exp().ln_1p(), 1e-7));
    Ok(report.finish()?)
}

/// A factor on gradients, and none on values.
fn upstream(engine: &Engine) -> Result<(), Failed> {
    let case = cases::shapes().swap_remove(0);
    let (x, y) = (engine.upload(&case.x()?)?, engine.upload(&case.y()?)?);
    let groups = Groups::new(&labels(case.rows, 5))?;
    let mut report = Report::default();
    let mut check =
        |what: &str, plain: (f64, Vec<Matrix>), scaled: (f64, Vec<Matrix>), factor: f32| -> Result<()> {
            report.check(format!("{what}: value"), compare::value(scaled.0, plain.0, 1e-7));
            for (plain, scaled) in plain.1.iter().zip(&scaled.1) {
                let (plain, scaled) = (plain.read()?, scaled.read()?);
                let size = plain.iter().map(|v| v.abs()).fold(0.0, f32::max) * factor.abs();
                let off = plain.iter().zip(&scaled).map(|(p, s)| (factor * p - s).abs()).fold(0.0, f32::max);
                report.check(
                    format!("{what} times {factor}"),
                    compare::value(off.into(), 0.0, 1e-5 * f64::from(size)),
                );
            }
            Ok(())
        };
    for factor in [-2.5f32, 0.0, 3.0] {
        let up = f64::from(factor);
        let of = |request: unisphere::SigmoidOver<'_>| {
            engine.value_and_grad(request).map(|(value, grads)| (value, vec![grads.x, grads.y]))
        };
        let request = Sigmoid::default().paired(&x, &y);
        check("sigmoid", of(request)?, of(request.scaled(up))?, factor)?;
        let of = |request: unisphere::SupConOfViews<'_>| {
            engine.value_and_grad(request).map(|(value, (gx, gy))| (value, vec![gx, gy]))
        };
        let request = SupCon::default().views(&x, &y, &groups);
        check("SupCon", of(request)?, of(request.scaled(up))?, factor)?;
        let of = |request: unisphere::AlignmentByLabel<'_>| {
            engine.value_and_grad(request).map(|(value, grad)| (value, vec![grad]))
        };
        let request = Alignment::new(1.5).by_label(&x, &groups);
        check("alignment by label", of(request)?, of(request.scaled(up))?, factor)?;
        for candidates in Candidates::ALL {
            let metric = Contrastive { tau: 0.2, candidates: *candidates };
            let of = |request: unisphere::ContrastiveOver<'_>| {
                engine.value_and_grad(request).map(|(value, (gx, gy))| (value.loss, vec![gx, gy]))
            };
            let request = metric.paired(&x, &y).queue(&y);
            check("contrastive", of(request)?, of(request.scaled(up))?, factor)?;
        }
        let weights: Vec<_> = (0..case.rows).map(|row| 1.0 + (row % 3) as f64).collect();
        let of = |request: unisphere::UniformityOver<'_, unisphere::Within<'_>>| {
            engine.value_and_grad(request).map(|(value, grad)| (value, vec![grad]))
        };
        let request = Uniformity::default().within(&x).weighted(&weights);
        check("weighted uniformity", of(request)?, of(request.scaled(up))?, factor)?;
    }
    Ok(report.finish()?)
}

/// Derivatives for the parameter of a request, against central differences of the formulas in f64.
fn parameters(engine: &Engine) -> Result<(), Failed> {
    let mut report = Report::default();
    let names =
        ["on the sphere", "tight cluster", "tighter cluster", "duplicates", "normal 131", "lengths 1e-9"];
    for case in cases::shapes().iter().filter(|case| names.iter().any(|name| case.name.starts_with(name))) {
        let (x, y) = (Set::new(engine, case.x()?)?, Set::new(engine, case.y()?)?);
        let groups = labels(case.rows, 5);
        let weights: Vec<_> = (0..case.rows).map(|row| 0.5 + (row % 4) as f64).collect();
        let queue = Set::new(engine, case.x()?)?;
        let mut check = |what: &str, got: f64, at: f64, value: &dyn Fn(f64) -> f64| {
            let h = 1e-4 * at;
            let four = [-2.0, -1.0, 1.0, 2.0].map(|step| value(at + step * h));
            let want = (four[0] - 8.0 * four[1] + 8.0 * four[2] - four[3]) / (12.0 * h);
            // Differences of the oracle's values leave their rounding over h, and gradients in f32 that of their terms.
            let single = if engine.device().kind == DeviceKind::Gpu { 1e-6 } else { 0.0 };
            let rounding = 1e-14 * value(at).abs().max(1.0) / h + single;
            report.check(
                format!("{}, {what} at {at}", case.name),
                compare::value(got, want, 2e-5 * want.abs() + rounding),
            );
        };
        let union: Rows = x.seen.iter().chain(&y.seen).cloned().collect();
        for t in [0.5, 2.0] {
            let metric = Uniformity::new(t);
            let up = -1.5;
            let (_, (_, got)) = engine.value_and_grad(metric.within(&x.points).scaled(up).with_t())?;
            check("uniformity", got, t, &|t| up * oracle::uniformity(&x.seen, t));
            let (_, (_, got)) = engine.value_and_grad(metric.across(&x.points, &y.points).with_t())?;
            check("cross uniformity", got, t, &|t| oracle::cross_uniformity(&x.seen, &y.seen, t));
            let (_, (_, got)) =
                engine.value_and_grad(metric.within(&x.points).weighted(&weights).scaled(2.0).with_t())?;
            let weighted = |t: f64| {
                let pairs = || (0..case.rows).flat_map(|i| (i + 1..case.rows).map(move |j| (i, j)));
                let weight = |(i, j): (usize, usize)| weights[i] * weights[j];
                let term =
                    |(i, j)| weight((i, j)) * (-t * oracle::squared_distance(&x.seen[i], &x.seen[j])).exp();
                2.0 * (pairs().map(term).sum::<f64>() / pairs().map(weight).sum::<f64>()).ln()
            };
            check("weighted uniformity", got, t, &weighted);
            let loss = Loss { weight: 0.7, uniformity: metric, ..Loss::default() };
            let (_, (_, got)) = engine.value_and_grad(loss.paired(&x.points, &y.points).with_t())?;
            let of_loss = |t| (oracle::uniformity(&x.seen, t) + oracle::uniformity(&y.seen, t)) / 2.0;
            check("the paper's loss", got, t, &of_loss);
        }
        for tau in [0.2, 0.7] {
            for (candidates, build) in [
                (Candidates::OneWay, Anchors::one_way as fn(&Rows, &Rows, &Rows) -> Anchors),
                (Candidates::BothWays, Anchors::both_ways),
                (Candidates::Views, Anchors::views),
            ] {
                let metric = Contrastive { tau, candidates };
                let request = metric.paired(&x.points, &y.points);
                let (_, (_, got)) = engine.value_and_grad(request.scaled(3.0).with_tau())?;
                let anchors = build(&x.seen, &y.seen, &Rows::new());
                check(&format!("{candidates}"), got, tau, &|tau| 3.0 * anchors.parts(tau).loss);
                let (_, (_, got)) = engine.value_and_grad(request.queue(&queue.points).with_tau())?;
                let anchors = build(&x.seen, &y.seen, &queue.seen);
                check(&format!("{candidates} with a queue"), got, tau, &|tau| anchors.parts(tau).loss);
            }
            let labelled = Groups::new(&groups)?;
            let (_, (_, got)) =
                engine.value_and_grad(SupCon::new(tau).within(&x.points, &labelled).with_tau())?;
            check("SupCon", got, tau, &|tau| losses::supcon(&x.seen, &groups, tau).value);
            let request = SupCon::new(tau).views(&x.points, &y.points, &labelled).scaled(-0.5);
            let (_, (_, got)) = engine.value_and_grad(request.with_tau())?;
            let twice = [&groups[..], &groups].concat();
            check("SupCon of views", got, tau, &|tau| -0.5 * losses::supcon(&union, &twice, tau).value);
        }
    }
    Ok(report.finish()?)
}

fn refusals(engine: &Engine) -> Result<(), Failed> {
    let x = engine.upload(&Embeddings::new(&[1.0f32, 0.0, 0.0, 1.0, -1.0, 0.0], 3, 2)?)?;
    let two = engine.upload(&Embeddings::new(&[1.0f32, 0.0, 0.0, 1.0], 2, 2)?)?;
    let different = Groups::new(&[1, 2, 3])?;
    let too_few = Groups::new(&[1, 1])?;
    let mut report = Report::default();
    let mut refused = |what: &str, outcome: Result<f64>, is: fn(&Error) -> bool| {
        let problem = match outcome {
            Err(error) if is(&error) => Ok(()),
            other => Err(format!("{other:?}")),
        };
        report.check(what, problem);
    };
    let labels = |error: &Error| matches!(error, Error::Labels { .. });
    let parameter = |error: &Error| matches!(error, Error::Parameter { .. });
    refused("labels all different", engine.value(SupCon::default().within(&x, &different)), labels);
    refused("labels all different", engine.value(Alignment::default().by_label(&x, &different)), labels);
    refused("too few labels", engine.value(SupCon::default().within(&x, &too_few)), labels);
    refused("too few labels", engine.value(Alignment::default().by_label(&x, &too_few)), labels);
    refused("τ = 0", engine.value(SupCon::new(0.0).within(&two, &too_few)), parameter);
    refused("α = −1", engine.value(Alignment::new(-1.0).by_label(&two, &too_few)), parameter);
    refused("s = 0", engine.value(Sigmoid::new(0.0, 0.0).paired(&x, &x)), parameter);
    refused("b = ∞", engine.value(Sigmoid::new(1.0, f64::INFINITY).paired(&x, &x)), parameter);
    let mismatch = |error: &Error| matches!(error, Error::Mismatch { .. });
    refused("sets of two sizes", engine.value(Sigmoid::default().paired(&x, &two)), mismatch);
    refused("views of two sizes", engine.value(SupCon::default().views(&x, &two, &different)), mismatch);
    Ok(report.finish()?)
}

/// Values and gradients as `data/losses.py` wrote them.
fn pytorch(engine: &Engine) -> Result<(), Failed> {
    let data: Value = serde_json::from_str(include_str!("data/losses.json"))?;
    let numbers = |value: &Value| -> Vec<f64> {
        value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
    };
    let floats = |value: &Value| -> Vec<f32> { numbers(value).into_iter().map(|v| v as f32).collect() };
    let (rows, dims) =
        (data["rows"].as_u64().unwrap_or(0) as usize, data["dims"].as_u64().unwrap_or(0) as usize);
    let labels: Vec<i64> =
        data["labels"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    let groups = Groups::new(&labels)?;
    let (x, y) = (floats(&data["x"]), floats(&data["y"]));
    let (x, y) = (
        engine.upload(&Embeddings::new(&x, rows, dims)?)?,
        engine.upload(&Embeddings::new(&y, rows, dims)?)?,
    );
    let mut report = Report::default();
    let results = data["results"].as_array().cloned().unwrap_or_default();
    assert!(results.len() >= 8, "{} results", results.len());
    for result in &results {
        let number = |name: &str| result[name].as_f64().unwrap_or(f64::NAN);
        let name = result["loss"].as_str().unwrap_or_default();
        let (value, grads, parameters) = match name {
            "sigmoid" => {
                let metric = Sigmoid::new(number("scale"), number("bias"));
                let (value, grads) = engine.value_and_grad(metric.paired(&x, &y))?;
                (value, vec![grads.x, grads.y], vec![grads.scale, grads.bias])
            }
            "supcon" => {
                let (value, grad) = engine.value_and_grad(SupCon::new(number("tau")).within(&x, &groups))?;
                (value, vec![grad], vec![])
            }
            "supcon of views" => {
                let request = SupCon::new(number("tau")).views(&x, &y, &groups);
                let (value, (gx, gy)) = engine.value_and_grad(request)?;
                (value, vec![gx, gy], vec![])
            }
            "alignment by label" => {
                let request = Alignment::new(number("alpha")).by_label(&x, &groups);
                let (value, grad) = engine.value_and_grad(request)?;
                (value, vec![grad], vec![])
            }
            other => return Err(format!("no loss of the name '{other}'").into()),
        };
        report.check(format!("{result:.60}"), compare::value(value, number("value"), 2e-6 * number("value")));
        for (got, want) in parameters.iter().zip(numbers(&result["parameters"])) {
            report.check(format!("{name}: a parameter"), compare::value(*got, want, 1e-5 * want.abs()));
        }
        for (got, want) in grads.iter().zip(["grad_x", "grad_y"]) {
            let want: Rows = numbers(&result[want]).chunks(dims).map(<[f64]>::to_vec).collect();
            let outcome = compare::gradient(&got.read()?, &want, &vec![1.0; rows], 1e-5, 0.0);
            report.check(format!("{name}: gradient"), outcome);
        }
    }
    Ok(report.finish()?)
}
