//! The check before the timing: a wrong number is not worth timing.

use unisphere::{Candidates, Embeddings, Engine, Matrix, Precision, Uniformity};

use super::{
    formula::{Contrastive, Rows},
    size::Size,
    work::{METRIC, Sets, Work},
};
use crate::exit::Failure;

/// The points that the formula measures at most, in few dimensions.
const MAX_SAMPLE_ROWS: usize = 1024;
/// The coordinates of the sample at least, if the set has them: enough for the kernel that is timed.
const MIN_SAMPLE_COORDINATES: usize = 1 << 18;
/// The rounding of a gradient's terms that is left where they cancel, relative to their length.
const ROUNDING_OF_GRADIENT_TERMS: f64 = 1e-6;
/// Standard deviations within which a value of random points must lie.
const MAX_DEVIATIONS: f64 = 12.0;

/// The tolerance of a value, and that of a gradient's row relative to its length.
fn tolerances(precision: Precision) -> (f64, f64) {
    match precision {
        Precision::F32 | Precision::F16x2 => (1e-6, 1e-4),
        _ => (1e-5, 1e-2),
    }
}

/// The results to be expected: of the first points by the formula, of all by probability.
pub(super) struct Expected {
    size: Size,
    sample: Vec<f32>,
    value: f64,
    /// The first points of the second set, and the losses of both.
    contrastive: Option<(Vec<f32>, Contrastive)>,
    /// Uniformity is about that of the uniform distribution, with this standard deviation of the potential.
    floor: f64,
    deviation: f64,
}

impl Expected {
    pub(super) fn new(x: &[f32], y: Option<&[f32]>, size: Size) -> Self {
        let some = |values: &[f32]| {
            values[..size.n.min(MAX_SAMPLE_ROWS.max(MIN_SAMPLE_COORDINATES / size.d)) * size.d].to_vec()
        };
        let sample = some(x);
        let value = Rows { given: &sample, dims: size.d }.uniformity();
        let contrastive = y.map(some).map(|y| {
            let rows = |given| Rows { given, dims: size.d };
            let contrastive = Contrastive::new(&rows(&sample), &rows(&y));
            (y, contrastive)
        });
        let floor = METRIC.floor(size.d);
        // The square of exp(−t‖x−y‖²) is the same with twice the t, so its mean is known too.
        let square = Uniformity { t: 2.0 * METRIC.t }.floor(size.d);
        let variance = ((square - 2.0 * floor).exp() - 1.0).max(0.0);
        let deviation = (variance * 2.0 / (size.n as f64 * (size.n as f64 - 1.0))).sqrt();
        Self { size, sample, value, contrastive, floor, deviation }
    }

    /// Holds an engine's result on the first points against the formula.
    pub(super) fn check_sample(&self, engine: &Engine, work: &[Work]) -> Result<(), Failure> {
        let rows = self.sample.len() / self.size.d;
        let upload = |values: &[f32]| engine.upload(&Embeddings::new(values, rows, self.size.d)?);
        let y = self.contrastive.as_ref().map(|(y, _)| upload(y)).transpose()?;
        let sets = Sets { x: upload(&self.sample)?, y };
        for &work in work {
            let (value, grad) = work.run(engine, &sets)?;
            let about = About { engine, rows, dims: self.size.d };
            let tolerance = tolerances(engine.precision()).0;
            match (work.contrastive(), &self.contrastive) {
                (Some(metric), Some((_, formula))) => {
                    let want = formula.loss(metric.candidates);
                    about.close("the contrastive loss", value, want, tolerance)?;
                    about.check_contrastive_rows(formula, metric.candidates, grad)?;
                }
                _ => {
                    about.close("uniformity", value, self.value, tolerance)?;
                    about.check_rows(&self.sample, self.value, grad)?;
                }
            }
        }
        Ok(())
    }

    /// Holds a result on all points against what is likely, and its gradient's rows against the formula; that of the
    /// contrastive loss, against the value alone, which is summed in another way.
    pub(super) fn check(
        &self,
        engine: &Engine,
        (work, sets, values): (Work, &Sets, &[f32]),
        result: (f64, Option<Matrix>),
    ) -> Result<(), Failure> {
        let (value, grad) = result;
        let about = About { engine, rows: self.size.n, dims: self.size.d };
        if let (Some(metric), Some(y)) = (work.contrastive(), &sets.y) {
            let alone = engine.contrastive(&sets.x, y, metric)?.loss;
            return about.close("the contrastive loss", value, alone, tolerances(engine.precision()).0);
        }
        let mean = (value - self.floor).exp();
        about.close(
            "the mean potential, relative to what is likely,",
            mean,
            1.0,
            MAX_DEVIATIONS * self.deviation + 1e-5,
        )?;
        about.check_rows(values, value, grad)
    }
}

/// The circumstances of a result: the engine, and how many points.
struct About<'a> {
    engine: &'a Engine,
    rows: usize,
    dims: usize,
}

impl About<'_> {
    /// The first, the middle and the last row.
    fn check_rows(&self, values: &[f32], uniformity: f64, grad: Option<Matrix>) -> Result<(), Failure> {
        let Some(grad) = grad else { return Ok(()) };
        let grad = grad.read()?;
        let rows = Rows { given: values, dims: self.dims };
        [0, self.rows / 2, self.rows - 1]
            .into_iter()
            .try_for_each(|i| self.check_row(&grad, i, rows.gradient(i, uniformity)))
    }

    fn check_contrastive_rows(
        &self,
        formula: &Contrastive,
        candidates: Candidates,
        grad: Option<Matrix>,
    ) -> Result<(), Failure> {
        let Some(grad) = grad else { return Ok(()) };
        let grad = grad.read()?;
        [0, self.rows / 2, self.rows - 1]
            .into_iter()
            .try_for_each(|i| self.check_row(&grad, i, formula.gradient(i, candidates)))
    }

    fn check_row(&self, grad: &[f32], i: usize, (want, terms): (Vec<f64>, f64)) -> Result<(), Failure> {
        let got = &grad[i * self.dims..][..self.dims];
        let error = norm(got.iter().zip(&want).map(|(&got, want)| f64::from(got) - want));
        let allowed = tolerances(self.engine.precision()).1 * norm(want.iter().copied())
            + ROUNDING_OF_GRADIENT_TERMS * terms;
        self.close("the error of the gradient's row", error, 0.0, allowed)
    }

    fn close(&self, what: &str, got: f64, want: f64, allowed: f64) -> Result<(), Failure> {
        if (got - want).abs() <= allowed {
            return Ok(());
        }
        let (device, precision) = (&self.engine.device().name, self.engine.precision());
        Err(Failure::Internal(format!(
            "{device}, {precision}: {what} of {} × {} points is {got}, not {want} to {allowed:.0e}\n\
             there is no use in timing a wrong number; please report it",
            self.rows, self.dims
        )))
    }
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|v| v * v).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::sphere;

    #[test]
    fn wrong_numbers_are_refused() {
        let size = Size { n: 1500, d: 5 };
        let (values, others) = (sphere::points(size, 1).unwrap(), sphere::points(size, 2).unwrap());
        let expected = Expected::new(&values, Some(&others), size);
        let engine = Engine::cpu();
        expected.check_sample(&engine, <Work as clap::ValueEnum>::value_variants()).unwrap();

        let upload =
            |values: &[f32]| engine.upload(&Embeddings::new(values, size.n, size.d).unwrap()).unwrap();
        let sets = Sets { x: upload(&values), y: Some(upload(&others)) };
        let (value, grad) = Work::UniformityWithGrad.run(&engine, &sets).unwrap();
        let grad = grad.unwrap().read().unwrap();
        let check = |value: f64, grad: &[f32]| {
            let grad = engine.upload_matrix(grad, size.n, size.d).unwrap();
            expected.check(&engine, (Work::UniformityWithGrad, &sets, &values), (value, Some(grad)))
        };
        assert!(check(value, &grad).is_ok());
        assert!(check(value + 0.1, &grad).is_err());
        assert!(check(f64::NAN, &grad).is_err());
        assert!(check(value, &vec![0.0; grad.len()]).is_err());
        for row in [0, 750, 1499] {
            let mut wrong = grad.clone();
            wrong[row * size.d] *= 1.01;
            assert!(check(value, &wrong).is_err(), "row {row}");
        }

        let (loss, _) = Work::ContrastiveWithGrad.run(&engine, &sets).unwrap();
        let check = |loss| expected.check(&engine, (Work::ContrastiveWithGrad, &sets, &values), (loss, None));
        assert!(check(loss).is_ok() && check(loss + 1e-5).is_err());
        let (_, formula) = expected.contrastive.as_ref().unwrap();
        let about = About { engine: &engine, rows: size.n, dims: size.d };
        let zeros = engine.upload_matrix(&vec![0.0; grad.len()], size.n, size.d).unwrap();
        assert!(about.check_contrastive_rows(formula, Candidates::OneWay, Some(zeros)).is_err());

        let shifted = Expected { value: expected.value + 2e-6, ..expected };
        assert!(shifted.check_sample(&engine, &[Work::Uniformity]).is_err());
    }
}
