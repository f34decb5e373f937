//! The files: opened and checked before anything is computed, then read.

use std::path::{Path, PathBuf};

use unisphere::Embeddings;
use unisphere_eval::{Data, Error, Plan, Rounding, Session, listed};
use unisphere_io::{Column, File, Labels, Reading, printable};

use super::{of_labels, options::Eval};
use crate::{
    exit::Failure,
    export::Skipped,
    interrupt,
    origin::about_mean,
    progress::Display,
    reading::{Of, check_together, warn_of_guess},
    scale::{Excess, check_dims, check_groups, check_one_a_row, check_pairs, open_column},
    set_files::SetFiles,
    text::plural,
};

/// Open files, and the rows of them that are skipped.
pub(super) struct Inputs {
    pub(super) x: File,
    pub(super) y: Option<File>,
    pub(super) queue: Option<File>,
    pub(super) labels: Option<Labels>,
    pub(super) weights: Option<Vec<f64>>,
    pub(super) scores: Option<Vec<f64>>,
    /// The text of each row of the file.
    pub(super) text: Option<Column>,
    pub(super) skipped: Skipped,
    /// What rounding takes of raw points.
    pub(super) rounding: Option<Rounding>,
}

impl Inputs {
    pub(super) fn open(options: &Eval, plan: &Plan) -> Result<Self, Failure> {
        // A pipe is read whole when it is opened.
        let open = |path: &Path, reading: &Reading, set, other: Option<&SetFiles>| {
            let opened = interrupt::leaving_at_once(|| File::open_with(path, reading))?;
            opened.map_err(|error| SetFiles::fault_beside(other, &options.reading, set, error))
        };
        let column = |path: &Option<PathBuf>, name: &Option<String>, what| {
            path.as_ref().map(|path| open_column(path, name.as_deref(), what)).transpose()
        };
        let [of_x, of_y] = [Of::X, Of::Y].map(|set| options.reading.reading(set));
        let x = open(options.x.path(), &of_x, Of::X, options.y.as_ref())?;
        let y = options.y.as_ref().map(|y| open(y.path(), &of_y, Of::Y, Some(&options.x))).transpose()?;
        // A queue holds more points like those of Y.
        let queue = options.queue.as_ref().map(|queue| open(queue, &of_y, Of::Y, None)).transpose()?;
        let sets = [&x].into_iter().chain(&y).chain(&queue);
        check_together(sets.clone())?;
        sets.for_each(|file| warn_of_guess([file]));
        let labels = column(&options.labels, &options.labels_column, "label")?;
        let weights = column(&options.weights, &options.weights_column, "weight")?;
        let scores = column(&options.scores, &options.scores_column, "score")?;
        let text = column(&options.text, &options.text_column, "text")?;
        check_dims(&x, plan.scaling)?;
        shapes(&x, y.as_ref(), queue.as_ref())?;
        for (column, what) in [(&labels, "label"), (&weights, "weight"), (&scores, "score"), (&text, "text")]
        {
            column.as_ref().map_or(Ok(()), |column| check_one_a_row(column, what, &x))?;
        }
        labels.as_ref().map_or(Ok(()), check_groups)?;
        let columns = [&labels, &weights, &scores, &text].into_iter().flatten().map(Column::path);
        let files = [Some(&x), y.as_ref(), queue.as_ref()].into_iter().flatten().map(File::path);
        options.beside()?.check(options.rows.as_deref(), files.chain(columns))?;
        // Every text is looked at before the work: those that are shown are known after it.
        if let Some(text) = &text {
            interrupt::leaving_at_once(|| text.excerpts(&[], 0))??;
        }
        let labels =
            labels.map(|labels| interrupt::leaving_at_once(|| labels.labels())).transpose()?.transpose()?;
        let weights = weights.map(none_negative).transpose()?;
        let scores =
            scores.map(|scores| interrupt::leaving_at_once(|| scores.floats())).transpose()?.transpose()?;
        let located = interrupt::leaving_at_once(|| about_mean(x, y, plan.scaling, plan.is_of_distances()));
        let (x, y, rounding) = located??;
        let skipped = Skipped::default();
        let mut inputs = Self { x, y, queue, labels, weights, scores, text, skipped, rounding };
        if options.skips_zero_rows() {
            inputs.skip_zero_rows()?;
        }
        inputs.enough()?;
        if let Some(labels) = &inputs.labels {
            plan.check_labels(&labels.of_rows, inputs.y.is_some())
                .map_err(|error| of_labels(options, error))?;
        }
        inputs.enough_weights(options, plan)?;
        if let Some(weights) = &inputs.weights {
            plan.check_weights(weights).map_err(|error| of_weights(options, error))?;
        }
        if let Some(scores) = &inputs.scores {
            plan.check_scores(scores).map_err(|error| of_scores(options, error))?;
        }
        Ok(inputs)
    }

    /// X and Y, and how they are read.
    pub(super) fn told(&self, options: &Eval) -> [Option<String>; 2] {
        let told = |files: &SetFiles, set, file| options.reading.told_of(files.path(), set, file);
        let of_y = options.y.as_ref().zip(self.y.as_ref());
        [Some(told(&options.x, Of::X, &self.x)), of_y.map(|(files, file)| told(files, Of::Y, file))]
    }

    /// Points of x and y that are more than memory has.
    pub(super) fn excess(&self) -> Option<Excess> {
        Excess::of(std::iter::once(&self.x).chain(&self.y))
    }

    /// Reads the rows that count, each set copied to the device before the next is read.
    pub(super) fn load(
        self,
        plan: &Plan,
        session: &mut Session<'_>,
        display: &Display,
    ) -> Result<(Data, Skipped), Failure> {
        let read = |file: &File, without: &[usize]| {
            display.step(format!("reading {}", printable(file.path())));
            let points = interrupt::leaving_at_once(|| file.embeddings_without(without, plan.scaling))??;
            Ok::<Embeddings<'static>, Failure>(points)
        };
        let Self { x, y, queue, labels, weights, scores, skipped, .. } = self;
        let mut data = Data::new(session.upload(read(&x, &skipped.rows)?, plan)?);
        if let Some(y) = &y {
            data.y = Some(session.upload(read(y, &skipped.rows)?, plan)?);
        }
        if let Some(queue) = &queue {
            data.queue = Some(session.upload_points(read(queue, &skipped.queue)?)?);
        }
        (data.labels, data.label_names) = labels.map_or((None, None), |of| (Some(of.of_rows), of.names));
        data.weights = weights;
        data.scores = scores;
        if !skipped.rows.is_empty() {
            let is_left = |row: &usize| skipped.rows.binary_search(row).is_err();
            let rows_left = x.rows() - skipped.rows.len();
            data.row_numbers = Some(listed(rows_left, (0..x.rows()).filter(is_left))?);
        }
        Ok((data, skipped))
    }

    fn skip_zero_rows(&mut self) -> Result<(), Failure> {
        let find = |file: &File| Ok::<_, Failure>(interrupt::leaving_at_once(|| file.zero_rows())??);
        let mut rows = find(&self.x)?;
        if let Some(y) = &self.y {
            rows.extend(find(y)?);
            rows.sort_unstable();
            rows.dedup();
        }
        let queue = self.queue.as_ref().map(find).transpose()?.unwrap_or_default();
        self.skipped = Skipped { rows, queue };
        let skipped = &self.skipped.rows;
        self.labels.iter_mut().for_each(|labels| leave_out(&mut labels.of_rows, skipped));
        for column in [&mut self.weights, &mut self.scores].into_iter().flatten() {
            leave_out(column, skipped);
        }
        Ok(())
    }

    fn enough(&self) -> Result<(), Failure> {
        let (name, rows, skipped) = (printable(self.x.path()), self.x.rows(), self.skipped.rows.len());
        if rows - skipped < 2 {
            let kind = if skipped == 0 { "" } else { " that is not all zeros" };
            return Err(Failure::Input(format!(
                "{name} has {}{kind}, and uniformity needs at least 2; save more points in it",
                plural((rows - skipped) as u64, "row")
            )));
        }
        if let Some(queue) = &self.queue
            && queue.rows() == self.skipped.queue.len()
        {
            let name = printable(queue.path());
            return Err(Failure::Input(format!("{name} holds nothing but rows of zeros; save points in it")));
        }
        Ok(())
    }

    /// Two rows make a pair within a set, and one row is a pair of both.
    fn enough_weights(&self, options: &Eval, plan: &Plan) -> Result<(), Failure> {
        let (Some(weights), Some(path)) = (&self.weights, &options.weights) else { return Ok(()) };
        let needed = if plan.weighs_rows() { 2 } else { 1 };
        let positive = weights.iter().filter(|&&weight| weight > 0.0).count();
        if positive >= needed {
            return Ok(());
        }
        let kind = if self.skipped.rows.is_empty() { "" } else { " of rows that are not all zeros" };
        Err(Failure::Input(format!(
            "{}: {positive} of {}{kind} {} positive, and at least {needed} must be; give more rows weight",
            printable(path),
            plural(weights.len() as u64, "weight"),
            if positive == 1 { "is" } else { "are" },
        )))
    }
}

/// Names the file of the weights, where these are scores, and the options that take it as such.
fn of_weights(options: &Eval, error: Error) -> Failure {
    let name = printable(options.weights.as_deref().unwrap_or("weights".as_ref()));
    let Error::ScoresAsWeights { highest } = error else { return error.into() };
    let column = |of: &str| match &options.weights_column {
        Some(column) => format!(" --{of}-column {}", printable(column)),
        None => String::new(),
    };
    Failure::Input(format!(
        "{name}: these look like scores, of several values above 1 and up to {highest}, and a weight of this protocol is 1 for a \
         positive and else 0\n\
         write --scores {name}{} in the place of --weights {name}{}; or, if they are weights, divide them by {highest}",
        column("scores"),
        column("weights"),
    ))
}

/// Names the file of the scores, where these are at fault.
fn of_scores(options: &Eval, error: Error) -> Failure {
    let name = printable(options.scores.as_deref().unwrap_or("scores".as_ref()));
    match error {
        Error::NoPositives { min_score, highest } => Failure::Input(format!(
            "{name}: no pair's score is {min_score}, and the highest is {highest}\n\
             choose the positives by a score that some have: --min-score {highest} or less"
        )),
        error => error.into(),
    }
}

/// Takes the values of some rows, which are in order, out of a column.
fn leave_out<T>(column: &mut Vec<T>, rows: &[usize]) {
    let mut row = 0..column.len();
    column.retain(|_| row.next().is_some_and(|row| rows.binary_search(&row).is_err()));
}

fn shapes(x: &File, y: Option<&File>, queue: Option<&File>) -> Result<(), Failure> {
    let (name, dims) = (printable(x.path()), x.dims());
    if let Some(y) = y {
        check_pairs(x, y)?;
    }
    if let Some(queue) = queue
        && queue.dims() != dims
    {
        let (other, other_dims) = (printable(queue.path()), queue.dims());
        return Err(Failure::Input(format!(
            "{name} has {dims} dimensions, and {other} has {other_dims}\n\
             the queue holds more points like those: save them from the same encoder",
        )));
    }
    Ok(())
}

fn none_negative(column: Column) -> Result<Vec<f64>, Failure> {
    let name = printable(column.path());
    let weights = column.floats()?;
    if let Some(row) = weights.iter().position(|&weight| weight < 0.0) {
        let weight = weights[row];
        return Err(Failure::Input(format!(
            "{name}: row {row} has the negative weight {weight}; use 0 for a row that should not count"
        )));
    }
    Ok(weights)
}
