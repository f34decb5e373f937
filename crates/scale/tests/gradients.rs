//! Gradients beyond memory: those of an engine that holds all points and of the formulas in f64, and the same bits for every amount
//! of memory and after every stop.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    cell::RefCell,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};

use support::{gpu::gpu, random, resources, stopping_every, until_done, with_journal};
use tempfile::TempDir;
use unisphere::{
    Alignment, Candidates, Contrastive, Engine, Error as EngineError, Loss, Matrix, Points, Scaling,
    Uniformity,
};
use unisphere_io::{File, Source};
use unisphere_scale::{Error, Gradient, GradientFound, JournalFault, Objective, Outputs, Sets};

const DIMS: usize = 7;
/// Several panels, of which the last is shorter.
const PANEL_ROWS: usize = 130;
const ROWS: usize = 600;
/// Panels of y where it has fewer rows: two, and one row.
const FEW_ROWS: usize = 2 * PANEL_ROWS + 1;

type Rows = Vec<Vec<f64>>;

/// Two files of points, and a place for more.
struct Files {
    folder: TempDir,
    x: File,
    y: File,
}

impl Files {
    fn new(x: &[f64], y: &[f64]) -> Self {
        let folder = TempDir::new().unwrap();
        let file = |name: &str, values| {
            let path = folder.path().join(name);
            unisphere_io::write(&path, values, DIMS).unwrap();
            File::open(path).unwrap()
        };
        let (x, y) = (file("x.npy", x), file("y.npy", y));
        Self { folder, x, y }
    }

    fn normal(rows_of_y: usize) -> Self {
        Self::new(&random::normal(ROWS, DIMS, 1), &random::normal(rows_of_y, DIMS, 2))
    }

    fn sets(&self, objective: Objective) -> Sets<'_> {
        if has_y(objective) { Sets::two(&self.x, &self.y) } else { Sets::one(&self.x) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn outputs(&self, name: &str, objective: Objective) -> Outputs {
        let y = has_y(objective).then(|| self.path(&format!("{name}-y.npy")));
        Outputs { x: self.path(&format!("{name}-x.npy")), y }
    }
}

fn has_y(objective: Objective) -> bool {
    !matches!(objective, Objective::Uniformity(_))
}

fn gradient(objective: Objective) -> Gradient {
    Gradient::of(objective).with_panel_rows(PANEL_ROWS)
}

/// The least memory that a gradient takes.
fn least(files: &Files, objective: Objective) -> u64 {
    let shape = files.sets(objective).shape().unwrap();
    match gradient(objective).expected(shape, has_y(objective), Some(1)) {
        Err(Error::Memory { needed, .. }) => needed,
        other => panic!("{other:?}"),
    }
}

/// Rows of a file, as an f32 holds them.
fn rows(file: &File) -> Rows {
    let mut values = vec![0.0; file.rows() * DIMS];
    file.read(0..file.rows(), &mut values).unwrap();
    values.chunks(DIMS).map(|row| row.iter().map(|&v| f64::from(v)).collect()).collect()
}

/// Rows of every file of outputs.
fn written(outputs: &Outputs) -> Vec<Rows> {
    [Some(&outputs.x), outputs.y.as_ref()]
        .into_iter()
        .flatten()
        .map(|path| rows(&File::open(path).unwrap()))
        .collect()
}

fn bytes(outputs: &Outputs) -> Vec<Vec<u8>> {
    [Some(&outputs.x), outputs.y.as_ref()].into_iter().flatten().map(|path| fs::read(path).unwrap()).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The formulas in f64: a value, the gradients for both sets, and the sizes of the terms that they are sums of.
struct Oracle {
    points: [Rows; 2],
    gradients: [Rows; 2],
    terms: [Vec<f64>; 2],
}

impl Oracle {
    fn new(points: [Rows; 2]) -> Self {
        let gradients = points.clone().map(|rows| vec![vec![0.0; DIMS]; rows.len()]);
        let terms = points.clone().map(|rows| vec![0.0; rows.len()]);
        Self { points, gradients, terms }
    }

    /// Adds `factor` times a vector to the gradient of a point.
    fn add(&mut self, (set, row): (usize, usize), factor: f64, vector: &[f64]) {
        self.gradients[set][row].iter_mut().zip(vector).for_each(|(sum, v)| *sum += factor * v);
        self.terms[set][row] += factor.abs() * dot(vector, vector).sqrt();
    }

    fn difference(&self, a: (usize, usize), b: (usize, usize)) -> Vec<f64> {
        let (a, b) = (&self.points[a.0][a.1], &self.points[b.0][b.1]);
        a.iter().zip(b).map(|(a, b)| a - b).collect()
    }

    /// log mean exp(−t‖a−b‖²) over some pairs.
    fn uniformity(&mut self, pairs: &[[(usize, usize); 2]], t: f64, scale: f64) -> f64 {
        let exponent = |of: &Self, &[a, b]: &[(usize, usize); 2]| {
            let apart = of.difference(a, b);
            -t * dot(&apart, &apart)
        };
        let exponents: Vec<_> = pairs.iter().map(|pair| exponent(self, pair)).collect();
        let max = exponents.iter().copied().fold(f64::MIN, f64::max);
        let sum: f64 = exponents.iter().map(|e| (e - max).exp()).sum();
        for (&[a, b], e) in pairs.iter().zip(&exponents) {
            let (slope, apart) = (-2.0 * t * scale * (e - max).exp() / sum, self.difference(a, b));
            self.add(a, slope, &apart);
            self.add(b, -slope, &apart);
        }
        max + (sum / pairs.len() as f64).ln()
    }

    fn alignment(&mut self, alpha: f64, scale: f64) -> f64 {
        let count = self.points[0].len();
        let mut sum = 0.0;
        for row in 0..count {
            let apart = self.difference((0, row), (1, row));
            let distance = dot(&apart, &apart).sqrt();
            sum += distance.powf(alpha);
            if distance > 0.0 {
                let slope = scale * alpha / count as f64 * distance.powf(alpha - 2.0);
                self.add((0, row), slope, &apart);
                self.add((1, row), -slope, &apart);
            }
        }
        sum / count as f64
    }

    /// The mean over anchors of −log softmax at the positive.
    fn contrastive(&mut self, tau: f64, candidates: Candidates) -> f64 {
        let count = self.points[0].len();
        let sides = if candidates == Candidates::OneWay { 1 } else { 2 };
        let anchors = (sides * count) as f64;
        let mut loss = 0.0;
        for (set, i) in (0..sides).flat_map(|set| (0..count).map(move |i| (set, i))) {
            let anchor = self.points[set][i].clone();
            let mut others: Vec<_> = (0..count).map(|j| (1 - set, j)).collect();
            if candidates == Candidates::Views {
                others.extend((0..count).filter(|&j| j != i).map(|j| (set, j)));
            }
            let logits: Vec<_> =
                others.iter().map(|&(set, j)| dot(&anchor, &self.points[set][j]) / tau).collect();
            let max = logits.iter().copied().fold(f64::MIN, f64::max);
            let sum: f64 = logits.iter().map(|logit| (logit - max).exp()).sum();
            loss += (max + sum.ln() - logits[i]) / anchors;
            for (place, (&other, logit)) in others.iter().zip(&logits).enumerate() {
                let weight = (logit - max).exp() / sum - if place == i { 1.0 } else { 0.0 };
                let point = self.points[other.0][other.1].clone();
                self.add((set, i), weight / tau / anchors, &point);
                self.add(other, weight / tau / anchors, &anchor);
            }
        }
        loss
    }

    fn measure(&mut self, objective: Objective) -> f64 {
        let [n, m] = [0, 1].map(|set| self.points[set].len());
        let within = |set: usize, n: usize| -> Vec<_> {
            (0..n).flat_map(|j| (0..j).map(move |i| [(set, i), (set, j)])).collect()
        };
        match objective {
            Objective::Uniformity(Uniformity { t }) => self.uniformity(&within(0, n), t, 1.0),
            Objective::CrossUniformity(Uniformity { t }) => {
                let pairs: Vec<_> = (0..n).flat_map(|i| (0..m).map(move |j| [(0, i), (1, j)])).collect();
                self.uniformity(&pairs, t, 1.0)
            }
            Objective::Alignment(Alignment { alpha }) => self.alignment(alpha, 1.0),
            Objective::Loss(Loss { weight, alignment, uniformity: Uniformity { t } }) => {
                let of_x = self.uniformity(&within(0, n), t, 0.5);
                let of_y = self.uniformity(&within(1, m), t, 0.5);
                weight * self.alignment(alignment.alpha, weight) + (of_x + of_y) / 2.0
            }
            Objective::Contrastive(Contrastive { tau, candidates }) => self.contrastive(tau, candidates),
            other => panic!("{other:?}"),
        }
    }

    /// Value and gradients with respect to rows as they are in a file.
    fn of(objective: Objective, x: &File, y: &File, scaling: Scaling) -> (f64, Self) {
        let given = [rows(x), rows(y)];
        let length = |row: &Vec<f64>| if scaling == Scaling::Unit { dot(row, row).sqrt() } else { 1.0 };
        let lengths = given.each_ref().map(|rows| rows.iter().map(length).collect::<Vec<_>>());
        let mut points = given;
        for (rows, lengths) in points.iter_mut().zip(&lengths) {
            rows.iter_mut().zip(lengths).for_each(|(row, length)| row.iter_mut().for_each(|v| *v /= length));
        }
        let mut of = Self::new(points);
        let value = of.measure(objective);
        for (set, lengths) in lengths.iter().enumerate() {
            for (row, &length) in lengths.iter().enumerate() {
                let point = &of.points[set][row];
                let gradient = &mut of.gradients[set][row];
                let along = if scaling == Scaling::Unit { dot(point, gradient) } else { 0.0 };
                gradient.iter_mut().zip(point).for_each(|(g, x)| *g = (*g - along * x) / length);
                of.terms[set][row] /= length;
            }
        }
        (value, of)
    }
}

/// What docs/accuracy.md promises of a gradient: a part of its norm, or of the terms that cancel in it.
#[track_caller]
fn near(what: &str, found: &Rows, wanted: &Rows, terms: &[f64]) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    let square = |rows: &Rows| rows.iter().map(|row| dot(row, row)).sum::<f64>();
    let differences =
        found.iter().zip(wanted).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a - b).collect()).collect();
    let (error, norm, terms) = (square(&differences).sqrt(), square(wanted).sqrt(), dot(terms, terms).sqrt());
    let promised = (1e-5 * norm).max(1.2e-7 * terms);
    assert!(error <= promised, "{what}: off by {error:e}, norm {norm:e}, terms {terms:e}");
}

fn objectives() -> Vec<Objective> {
    let contrastive = |tau, candidates| Objective::Contrastive(Contrastive { tau, candidates });
    vec![
        Objective::Uniformity(Uniformity::new(2.0)),
        Objective::Uniformity(Uniformity::new(30.0)),
        Objective::CrossUniformity(Uniformity::new(2.0)),
        Objective::Alignment(Alignment::new(2.0)),
        Objective::Alignment(Alignment::new(1.0)),
        Objective::Loss(Loss { weight: 1.5, ..Loss::default() }),
        contrastive(0.5, Candidates::BothWays),
        contrastive(0.07, Candidates::BothWays),
        contrastive(0.07, Candidates::OneWay),
        contrastive(0.07, Candidates::Views),
    ]
}

/// Gradients and value against the formulas.
#[track_caller]
fn check(what: &str, files: &Files, objective: Objective, scaling: Scaling) -> GradientFound {
    let engine = Engine::cpu();
    let what = format!("{what}, {objective:?}, {scaling:?}");
    let outputs = files.outputs(&what.replace([' ', '/'], "_"), objective);
    let sets = files.sets(objective);
    let found =
        gradient(objective).with_scaling(scaling).write(&engine, sets, &outputs, &resources()).unwrap();
    let (value, of) = Oracle::of(objective, &files.x, &files.y, scaling);
    assert!((found.value - value).abs() < 1e-6 * value.abs().max(1.0), "{what}: {} and {value}", found.value);
    let gradients = written(&outputs);
    for (set, rows) in gradients.iter().enumerate() {
        near(&format!("{what}, set {set}"), rows, &of.gradients[set], &of.terms[set]);
    }
    let norms = [Some(found.x_norm), found.y_norm];
    for (rows, norm) in gradients.iter().zip(norms) {
        let wanted = rows.iter().map(|row| dot(row, row)).sum::<f64>().sqrt();
        assert!((norm.unwrap() - wanted).abs() <= 1e-12 * wanted, "{what}");
    }
    found
}

#[test]
fn gradients_are_those_of_the_formulas() {
    let files = Files::normal(ROWS);
    for objective in objectives() {
        for scaling in [Scaling::Unit, Scaling::Raw] {
            check("normal", &files, objective, scaling);
        }
    }
    // The smallest sets, and one panel.
    let files = Files::new(&random::normal(2, DIMS, 5), &random::normal(2, DIMS, 6));
    for objective in objectives() {
        check("two rows", &files, objective, Scaling::Unit);
    }
}

#[test]
fn sets_across_may_have_other_numbers_of_rows() {
    let files = Files::normal(FEW_ROWS);
    for scaling in [Scaling::Unit, Scaling::Raw] {
        check("other rows", &files, Objective::CrossUniformity(Uniformity::new(2.0)), scaling);
    }
}

#[test]
fn equal_rows_and_collapsed_sets_have_their_gradients() {
    let mut x = random::normal(ROWS, DIMS, 1);
    // Every row five times, in other panels too, and pairs that coincide.
    for row in 0..ROWS {
        x.copy_within(row % (ROWS / 5) * DIMS..(row % (ROWS / 5) + 1) * DIMS, row * DIMS);
    }
    let mut y = random::normal(ROWS, DIMS, 2);
    y[..ROWS / 2 * DIMS].copy_from_slice(&x[..ROWS / 2 * DIMS]);
    let duplicates = Files::new(&x, &y);
    let narrow = |seed| -> Vec<_> {
        let noise = random::normal(ROWS, DIMS, seed);
        noise.iter().enumerate().map(|(i, v)| ((i % DIMS) as f64 + 1.0) + 1e-3 * v).collect()
    };
    let collapsed = Files::new(&narrow(3), &narrow(4));
    for objective in objectives() {
        check("duplicates", &duplicates, objective, Scaling::Unit);
        check("collapsed", &collapsed, objective, Scaling::Unit);
    }
    // All rows equal: no gradient at all.
    let one = [1.0, 2.0, 3.0, -1.0, 0.5, 0.25, 2.0].repeat(ROWS);
    let files = Files::new(&one, &one);
    for objective in [Objective::Uniformity(Uniformity::new(2.0)), Objective::Loss(Loss::default())] {
        let outputs = files.outputs(&format!("{}", has_y(objective)), objective);
        let found = gradient(objective).write(&Engine::cpu(), files.sets(objective), &outputs, &resources());
        let GradientFound { value, x_norm, .. } = found.unwrap();
        assert!(value.abs() < 1e-12 && x_norm < 1e-12, "{value}, {x_norm}");
    }
}

/// Each panel is a cluster, opposite to that of another panel: what they add to a row cancels for the most part.
#[test]
fn what_panels_add_may_cancel() {
    let values = |seed| {
        let mut values = random::normal(4 * PANEL_ROWS, DIMS, seed);
        for (i, v) in values.iter_mut().enumerate() {
            let (panel, dim) = (i / DIMS / PANEL_ROWS, i % DIMS);
            let towards = [0, 0, 1, 1][panel];
            *v = 0.05 * *v + if dim == towards { [1.0, -1.0][panel % 2] } else { 0.0 };
        }
        values
    };
    let files = Files::new(&values(7), &values(8));
    for objective in objectives() {
        check("clusters", &files, objective, Scaling::Unit);
    }
}

#[test]
fn gradients_are_those_of_an_engine_that_holds_all_points() {
    let (files, engine) = (Files::normal(ROWS), Engine::cpu());
    let upload = |file: &File| engine.upload_owned(file.embeddings(Scaling::Unit).unwrap()).unwrap();
    let (x, y) = (&upload(&files.x), &upload(&files.y));
    for objective in objectives() {
        let outputs = files.outputs(&format!("{objective:?}").replace(' ', "_"), objective);
        let found =
            gradient(objective).write(&engine, files.sets(objective), &outputs, &resources()).unwrap();
        let (value, wanted) = in_memory(&engine, objective, x, y);
        assert!((found.value - value).abs() < 1e-7 * value.abs().max(1.0), "{objective:?}");
        let (_, of) = Oracle::of(objective, &files.x, &files.y, Scaling::Unit);
        for (set, (found, wanted)) in written(&outputs).iter().zip(&wanted).enumerate() {
            let values = wanted.read().unwrap();
            let wanted = values.chunks(DIMS).map(|row| row.iter().map(|&v| f64::from(v)).collect()).collect();
            near(&format!("{objective:?}, set {set}"), found, &wanted, &of.terms[set]);
        }
    }
}

fn in_memory(engine: &Engine, objective: Objective, x: &Points, y: &Points) -> (f64, Vec<Matrix>) {
    let both = |(gx, gy)| vec![gx, gy];
    match objective {
        Objective::Uniformity(metric) => {
            let (value, gradient) = engine.value_and_grad(metric.within(x)).unwrap();
            (value, vec![gradient])
        }
        Objective::CrossUniformity(metric) => {
            let (value, gradients) = engine.value_and_grad(metric.across(x, y)).unwrap();
            (value, both(gradients))
        }
        Objective::Alignment(metric) => {
            let (value, gradients) = engine.value_and_grad(metric.paired(x, y)).unwrap();
            (value, both(gradients))
        }
        Objective::Loss(metric) => {
            let (value, gradients) = engine.value_and_grad(metric.paired(x, y)).unwrap();
            (value.loss, both(gradients))
        }
        Objective::Contrastive(metric) => {
            let (value, gradients) = engine.value_and_grad(metric.paired(x, y)).unwrap();
            (value.loss, both(gradients))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn memory_leaves_the_bits_as_they_are() {
    let (files, engine) = (Files::normal(ROWS), Engine::cpu());
    for (number, objective) in objectives().into_iter().enumerate() {
        let (gradient, sets) = (gradient(objective), files.sets(objective));
        let (shape, with_y) = (sets.shape().unwrap(), has_y(objective));
        let least = least(&files, objective);
        let outputs = files.outputs(&format!("all-{number}"), objective);
        let wanted = gradient.write(&engine, sets, &outputs, &resources()).unwrap();
        let bits = bytes(&outputs);
        let mut reads = Vec::new();
        for more in [0, 30_000, 60_000, 1_000_000] {
            let outputs = files.outputs(&format!("{number}-{more}"), objective);
            let mut resources = resources();
            resources.max_memory = Some(least + more);
            let expected = gradient.expected(shape, with_y, resources.max_memory).unwrap();
            assert!(expected.memory <= least + more, "{objective:?}");
            let found = gradient.write(&engine, sets, &outputs, &resources).unwrap();
            assert_eq!(bytes(&outputs), bits, "{objective:?} in {} bytes", least + more);
            assert_eq!(
                (found.value.to_bits(), found.x_norm.to_bits()),
                (wanted.value.to_bits(), wanted.x_norm.to_bits())
            );
            assert_eq!(
                (found.cost.rows_read, found.cost.pairs_computed, found.cost.blocks),
                (expected.rows_read, expected.pairs, expected.blocks),
                "{objective:?}"
            );
            reads.push(found.cost.rows_read);
        }
        assert!(reads.is_sorted_by(|few, many| few >= many), "{reads:?}");
        if !matches!(objective, Objective::Alignment(_)) {
            assert!(reads[0] > reads[3], "{reads:?}");
        }
    }
}

#[test]
fn a_gpu_gives_its_bits_whatever_the_memory() {
    let (Some(gpu), files) = (gpu(), Files::normal(ROWS)) else { return };
    let views = Objective::Contrastive(Contrastive { tau: 0.1, candidates: Candidates::Views });
    let some = [Objective::CrossUniformity(Uniformity::default()), Objective::Loss(Loss::default()), views];
    for (number, objective) in some.into_iter().enumerate() {
        let sets = files.sets(objective);
        let much = files.outputs(&format!("much-{number}"), objective);
        let little = files.outputs(&format!("little-{number}"), objective);
        let mut few = resources();
        few.max_memory = Some(least(&files, objective));
        let found = gradient(objective).write(&gpu, sets, &much, &resources()).unwrap();
        gradient(objective).write(&gpu, sets, &little, &few).unwrap();
        assert_eq!(bytes(&much), bytes(&little), "{objective:?}");
        let (value, of) = Oracle::of(objective, &files.x, &files.y, Scaling::Unit);
        assert!(
            (found.value - value).abs() < 3e-6 * value.abs().max(1.0),
            "{objective:?}: {} and {value}",
            found.value
        );
        for (set, rows) in written(&much).iter().enumerate() {
            near(&format!("{objective:?}, set {set}"), rows, &of.gradients[set], &of.terms[set]);
        }
    }
}

#[test]
fn the_gradient_of_y_may_be_left_out() {
    let (files, engine) = (Files::normal(ROWS), Engine::cpu());
    let objective = Objective::Contrastive(Contrastive::new(0.1));
    let both = files.outputs("both", objective);
    let one = Outputs { y: None, ..files.outputs("one", objective) };
    let sets = files.sets(objective);
    let of_both = gradient(objective).write(&engine, sets, &both, &resources()).unwrap();
    let of_one = gradient(objective).write(&engine, sets, &one, &resources()).unwrap();
    assert_eq!(fs::read(&both.x).unwrap(), fs::read(&one.x).unwrap());
    assert!(of_one.y_norm.is_none() && of_one.cost.pairs_computed < of_both.cost.pairs_computed);
}

/// Runs that an observer stops again and again, until one comes to its end.
fn stopped_at(
    every: u64,
    files: &Files,
    objective: Objective,
    outputs: &Outputs,
    journal: &Path,
) -> (u64, GradientFound) {
    let engine = Engine::cpu();
    let mut resources = with_journal(journal);
    resources.observer = stopping_every(every);
    resources.max_memory = Some(least(files, objective));
    // What opens as a matrix is complete: nothing of it changes any more.
    let opened = RefCell::new(None);
    let (stops, found) = until_done(1000, || {
        let result = gradient(objective).write(&engine, files.sets(objective), outputs, &resources);
        if result.is_err() {
            if File::open(&outputs.x).is_ok() {
                opened.borrow_mut().get_or_insert_with(|| fs::read(&outputs.x).unwrap());
            }
            if let Some(y) = &outputs.y {
                assert!(File::open(y).is_err());
            }
        }
        result
    });
    if let Some(opened) = opened.into_inner() {
        assert!(opened == fs::read(&outputs.x).unwrap());
    }
    (stops, found)
}

#[test]
fn stopped_runs_go_on_to_the_same_bits() {
    let (files, engine) = (Files::normal(ROWS), Engine::cpu());
    for (number, objective) in [
        Objective::Loss(Loss::default()),
        Objective::Contrastive(Contrastive { tau: 0.1, candidates: Candidates::Views }),
    ]
    .into_iter()
    .enumerate()
    {
        let all = files.outputs(&format!("all-{number}"), objective);
        let wanted = gradient(objective).write(&engine, files.sets(objective), &all, &resources()).unwrap();
        // A strip of the contrastive loss, and a panel of a gradient, take some 25 calls.
        for every in [29, 37] {
            let name = format!("{number}-{every}");
            let outputs = files.outputs(&name, objective);
            let journal = files.path(&format!("{name}.journal"));
            let (stops, found) = stopped_at(every, &files, objective, &outputs, &journal);
            assert!(stops > 1, "{stops} stops");
            assert_eq!(bytes(&outputs), bytes(&all), "{objective:?}");
            assert_eq!(found.value.to_bits(), wanted.value.to_bits());
            assert_eq!((found.x_norm, found.y_norm), (wanted.x_norm, wanted.y_norm));
            assert!(
                found.cost.blocks_recovered > 0 && found.cost.pairs_computed < wanted.cost.pairs_computed
            );
            // A finished run costs nothing but a look at what is there.
            let again = gradient(objective)
                .write(&engine, files.sets(objective), &outputs, &with_journal(&journal))
                .unwrap();
            assert_eq!((again.cost.pairs_computed, again.cost.blocks_recovered), (0, again.cost.blocks));
            assert_eq!((again.value.to_bits(), again.x_norm), (wanted.value.to_bits(), wanted.x_norm));
            assert_eq!(bytes(&outputs), bytes(&all));
        }
    }
}

/// A run that is stopped when some panels of its gradient are finished.
fn begun(files: &Files, objective: Objective, outputs: &Outputs, journal: &Path) {
    let mut resources = with_journal(journal);
    resources.max_memory = Some(least(files, objective));
    resources.observer = Some(Arc::new(|progress| {
        if 10 * progress.done > 8 * progress.total {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }));
    let stopped = gradient(objective).write(&Engine::cpu(), files.sets(objective), outputs, &resources);
    assert!(matches!(stopped, Err(Error::Engine(EngineError::Stopped))), "{stopped:?}");
}

#[test]
fn files_that_hold_something_else_are_left_as_they_are() {
    let (files, engine) = (Files::normal(ROWS), Engine::cpu());
    let objective = Objective::Uniformity(Uniformity::default());
    let write = |outputs: &Outputs, journal: &Path| {
        gradient(objective).write(&engine, files.sets(objective), outputs, &with_journal(journal))
    };
    let refused = |what: &str, outputs: &Outputs, journal: &Path, words: &str| {
        let before = fs::read(&outputs.x).ok();
        for _ in 0..2 {
            let Err(error) = write(outputs, journal) else { panic!("{what}") };
            assert!(matches!(error, Error::Output { .. }), "{what}: {error}");
            let text = error.to_string();
            assert!(text.contains(words) && text.contains(outputs.x.to_str().unwrap()), "{what}: {text}");
            assert_eq!(fs::read(&outputs.x).ok(), before, "{what}");
        }
    };
    let other = Outputs { x: files.path("other.npy"), y: None };
    fs::write(&other.x, b"somebody's").unwrap();
    refused("another file", &other, &files.path("other.journal"), "is there already");
    fs::write(&other.x, b"").unwrap();
    assert!(write(&other, &files.path("other.journal")).is_ok());

    let (outputs, journal) = (files.outputs("begun", objective), files.path("begun.journal"));
    begun(&files, objective, &outputs, &journal);
    let bytes = fs::read(&outputs.x).unwrap();
    let mut damaged = bytes.clone();
    damaged[200] ^= 1;
    fs::write(&outputs.x, &damaged).unwrap();
    refused("another value", &outputs, &journal, "rows 0 to 129");
    fs::write(&outputs.x, &bytes[..300]).unwrap();
    refused("a cut file", &outputs, &journal, "rows 0 to 129");
    fs::remove_file(&outputs.x).unwrap();
    refused("no file", &outputs, &journal, "is gone");
    fs::write(&outputs.x, &bytes).unwrap();
    // Another metric, and nothing of it is written.
    let error = gradient(Objective::Uniformity(Uniformity::new(3.0)))
        .write(&engine, files.sets(objective), &outputs, &with_journal(&journal))
        .unwrap_err();
    let Error::Journal(error) = error else { panic!("{error}") };
    assert!(matches!(error.fault, JournalFault::OtherRun), "{error}");
    assert_eq!(fs::read(&outputs.x).unwrap(), bytes);
    // As it was, it goes on.
    assert!(write(&outputs, &journal).unwrap().cost.blocks_recovered > 0);
    assert!(File::open(&outputs.x).is_ok());
}

#[test]
fn an_input_that_changes_is_an_error() {
    let (files, engine) = (Files::normal(ROWS), Engine::cpu());
    let objective = Objective::Uniformity(Uniformity::default());
    let (outputs, journal) = (files.outputs("g", objective), files.path("g.journal"));
    begun(&files, objective, &outputs, &journal);
    let path = files.path("x.npy");
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    let x = File::open(path).unwrap();
    let error =
        gradient(objective).write(&engine, Sets::one(&x), &outputs, &with_journal(&journal)).unwrap_err();
    let refused = match &error {
        Error::Changed { rows, .. } => rows.end == ROWS,
        Error::Journal(error) => matches!(error.fault, JournalFault::OtherRun),
        _ => false,
    };
    assert!(refused, "{error}");
}

#[test]
fn what_has_no_gradient_is_refused() {
    let (files, engine) = (Files::normal(FEW_ROWS), Engine::cpu());
    let write = |objective, sets, outputs: &Outputs| {
        let error = gradient(objective).write(&engine, sets, outputs, &resources()).unwrap_err();
        assert!(!outputs.x.exists());
        error.to_string()
    };
    let outputs = Outputs { x: files.path("gx.npy"), y: None };
    let (one, two) = (Sets::one(&files.x), Sets::two(&files.x, &files.y));
    let uniformity = Objective::Uniformity(Uniformity::default());
    let twice = Outputs { x: files.path("gx.npy"), y: Some(files.path("gx.npy")) };
    let with_y = files.outputs("g", Objective::Loss(Loss::default()));
    for (objective, sets, outputs, words) in [
        (uniformity, two, &outputs, "two are named"),
        (uniformity, one, &with_y, "no second set"),
        (Objective::Loss(Loss::default()), one, &outputs, "one is named"),
        (Objective::Alignment(Alignment::default()), two, &outputs, "600 rows, and the other 261"),
        (Objective::CrossUniformity(Uniformity::default()), two, &twice, "name two files"),
        (Objective::Uniformity(Uniformity::new(-1.0)), one, &outputs, "t"),
        (Objective::Loss(Loss { weight: f64::NAN, ..Loss::default() }), two, &outputs, "weight"),
    ] {
        let text = write(objective, sets, outputs);
        assert!(text.contains(words), "{text}");
    }
}
