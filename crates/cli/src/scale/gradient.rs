//! The gradient of a metric of all pairs, written to files in as much memory as is allowed.

use std::{fs, path::PathBuf, slice, sync::Arc, time::Instant};

use serde_json::{Value, json};
use unisphere::{
    Alignment, Candidates, Contrastive, DeviceChoice, Loss, Precision, Scaling, Storage, Uniformity,
};
use unisphere_eval::{Moved, MovedValue, Rounding, SetName};
use unisphere_io::{Fault, printable};
use unisphere_scale::{Error, Gradient, GradientFound, Objective, Outputs, Resources};

use super::{
    NamedSets, Place, all_pairs::free_memory, files::Files, json as report, report::Device, text as told,
};
use crate::{
    exit::{self, Failure},
    export::rounding,
    interrupt, output,
    progress::Display,
    reading::ReadingOptions,
    set_files::{ShardOptions, warn_of_numbered},
    text::{self, bytes, circumstances, columns, count, decimal, plain, plural},
    values::{Choice, candidates, device, factor, one_of, positive, size},
};

/// Write the gradient of a metric with respect to every row, of sets of any size
#[derive(Debug, clap::Args)]
pub(crate) struct GradientOptions {
    /// Embeddings, one point a row: a file, or a quoted pattern of numbered files, such as 'emb_*.npy'
    #[arg(value_name = "X", required_unless_present = "shards")]
    x: Option<PathBuf>,

    /// The other set: positive partners row by row, or for cross uniformity any number of rows
    #[arg(value_name = "Y")]
    y: Option<PathBuf>,

    #[command(flatten)]
    shards: ShardOptions,

    #[command(flatten)]
    reading: ReadingOptions,

    /// What is differentiated
    #[arg(long, value_name = "WHAT", value_parser = metric())]
    of: Metric,

    /// The file of the gradient for X: a .npy of f32, of the shape of X, with respect to its rows as they are in the file.
    /// It may not exist before
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// The file of the gradient for Y, where it is wanted: it takes a pass of its own
    #[arg(long, value_name = "FILE")]
    out_y: Option<PathBuf>,

    /// Uniformity's t [default: 2]
    #[arg(long, value_parser = factor, allow_negative_numbers = true)]
    t: Option<f64>,

    /// Alignment's power of the distance [default: 2]
    #[arg(long, value_parser = positive, allow_negative_numbers = true)]
    alpha: Option<f64>,

    /// The weight of alignment in the loss [default: 1]
    #[arg(long, allow_negative_numbers = true)]
    weight: Option<f64>,

    /// The temperature of the contrastive loss [default: 0.5]
    #[arg(long, value_parser = positive, allow_negative_numbers = true)]
    tau: Option<f64>,

    /// What competes with a positive in the contrastive loss, as for eval [default: both-ways]
    #[arg(long, value_name = "WHICH", value_parser = candidates())]
    candidates: Option<Candidates>,

    /// Take the rows as they are [default: each is scaled to unit length, and the gradient is through that]
    #[arg(long)]
    raw: bool,

    /// Memory for points, sums and results, such as 500M or 4G [default: nine tenths of what is free]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_memory: Option<u64>,

    /// Keep points in so much memory on a GPU, as for eval
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_device_memory: Option<u64>,

    /// Keep what is finished in this file: the same command goes on from it after a stop
    /// [default: the gradient's file with .journal behind its name, removed at the end]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    /// As for eval
    #[arg(long, default_value = "auto", value_parser = device())]
    device: DeviceChoice,

    /// As for eval
    #[arg(long, value_name = "GRADE", default_value_t)]
    precision: Precision,

    /// As for eval
    #[arg(long, value_name = "STORAGE", default_value_t)]
    storage: Storage,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A metric that has a gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Metric {
    Uniformity,
    CrossUniformity,
    Alignment,
    Loss,
    Contrastive,
}

fn metric() -> impl clap::builder::TypedValueParser<Value = Metric> {
    let choice = |value: Metric, help| Choice { name: value.option(), help, value };
    one_of(vec![
        choice(Metric::Uniformity, "of X, over its pairs"),
        choice(Metric::CrossUniformity, "of all pairs of X with Y"),
        choice(Metric::Alignment, "of the positive pairs of X and Y"),
        choice(Metric::Loss, "weight * alignment + mean uniformity of X and Y, as in the paper"),
        choice(Metric::Contrastive, "the contrastive loss (InfoNCE) of X and Y"),
    ])
}

impl Metric {
    /// As the command line has it.
    fn option(self) -> &'static str {
        match self {
            Self::Uniformity => "uniformity",
            Self::CrossUniformity => "cross-uniformity",
            Self::Alignment => "alignment",
            Self::Loss => "loss",
            Self::Contrastive => "contrastive",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::CrossUniformity => "cross uniformity",
            Self::Contrastive => "contrastive loss",
            other => other.option(),
        }
    }

    fn has_t(self) -> bool {
        matches!(self, Self::Uniformity | Self::CrossUniformity | Self::Loss)
    }

    fn has_alpha(self) -> bool {
        matches!(self, Self::Alignment | Self::Loss)
    }
}

impl GradientOptions {
    fn objective(&self) -> Result<Objective, Failure> {
        let unfit = [
            ("--t", self.t.is_some() && !self.of.has_t()),
            ("--alpha", self.alpha.is_some() && !self.of.has_alpha()),
            ("--weight", self.weight.is_some() && self.of != Metric::Loss),
            ("--tau", self.tau.is_some() && self.of != Metric::Contrastive),
            ("--candidates", self.candidates.is_some() && self.of != Metric::Contrastive),
        ];
        if let Some((option, _)) = unfit.iter().find(|(_, is_unfit)| *is_unfit) {
            return Err(Failure::Usage(format!(
                "{option} says nothing of the {}\nleave it out, or name another metric with --of",
                self.of.name()
            )));
        }
        let uniformity = Uniformity::new(self.t.unwrap_or(Uniformity::default().t));
        let alignment = Alignment::new(self.alpha.unwrap_or(Alignment::default().alpha));
        Ok(match self.of {
            Metric::Uniformity => Objective::Uniformity(uniformity),
            Metric::CrossUniformity => Objective::CrossUniformity(uniformity),
            Metric::Alignment => Objective::Alignment(alignment),
            Metric::Loss => {
                let weight = self.weight.unwrap_or(Loss::default().weight);
                Objective::Loss(Loss { weight, alignment, uniformity })
            }
            Metric::Contrastive => Objective::Contrastive(Contrastive {
                tau: self.tau.unwrap_or(Contrastive::default().tau),
                candidates: self.candidates.unwrap_or_default(),
            }),
        })
    }

    /// The files, and how they are read.
    fn sets(&self) -> Result<NamedSets, Failure> {
        let (x, y) = self.shards.sets(self.x.as_deref(), self.y.as_deref(), &self.reading)?;
        if self.of != Metric::CrossUniformity {
            warn_of_numbered(&x, y.as_ref());
        }
        let scaling = if self.raw { Scaling::Raw } else { Scaling::Unit };
        Ok(NamedSets { x, y, reading: self.reading.clone(), scaling })
    }

    fn outputs(&self) -> Outputs {
        Outputs { x: self.out.clone(), y: self.out_y.clone() }
    }

    /// The journal that is named, or else one beside the gradient.
    fn journal(&self) -> PathBuf {
        let beside = || {
            let mut name = self.out.clone().into_os_string();
            name.push(".journal");
            name.into()
        };
        self.journal.clone().unwrap_or_else(beside)
    }
}

/// Computes, writes and tells.
pub(crate) fn gradient(options: &GradientOptions) -> Result<(), Failure> {
    let start = Instant::now();
    let objective = options.objective()?;
    let named = options.sets()?;
    let outputs = options.outputs();
    let journal = options.journal();
    output::check_npy("--out", &outputs.x)?;
    outputs.y.as_ref().map_or(Ok(()), |path| output::check_npy("--out-y", path))?;
    let max_memory = options.max_memory.or_else(free_memory);
    let files = match options.of {
        Metric::CrossUniformity => Files::open_unpaired(&named, max_memory, true)?,
        of => Files::open(&named, max_memory, of != Metric::Contrastive)?,
    };
    let max_memory = files.left_of(max_memory);
    let sets = files.sets();
    let gradient = Gradient::of(objective).with_scaling(named.scaling);
    for (option, path) in
        [("--out", Some(&options.out)), ("--out-y", options.out_y.as_ref()), ("--journal", Some(&journal))]
    {
        path.map_or(Ok(()), |path| output::check_no_input(option, path, files.paths()))?;
    }
    let expected = gradient.expected(sets.shape()?, outputs.y.is_some(), max_memory)?;
    let display = Display::new();
    let place = Place {
        devices: vec![options.device.clone()],
        precision: options.precision,
        storage: options.storage,
    };
    let engine = place.open_one(&display)?.observed_by(|_| interrupt::control());
    let mut resources = Resources::default();
    (resources.max_memory, resources.max_device_memory) = (max_memory, options.max_device_memory);
    resources.journal = Some(journal.clone());
    resources.observer = Some(Arc::new(display.observer()));
    interrupt::check()?;
    let files_to_come = [Some(&outputs.x), outputs.y.as_ref(), Some(&journal)].into_iter().flatten();
    let of_this_run: Vec<_> = files_to_come.filter(|path| !path.exists()).collect();
    display.counted(format!("gradient of the {}", options.of.name()));
    let found = gradient.write(&engine, sets, &outputs, &resources);
    drop(display);
    if matches!(found, Err(Error::Engine(unisphere::Error::Stopped))) {
        exit::say(&format!("finished work is in {}: the same command goes on from it", printable(&journal)));
    }
    let found = found.inspect_err(|error| {
        // Points that cannot be measured are other points once they can be, and what was made of them is in their way.
        let are_unmeasurable =
            matches!(error, Error::Input(error) if matches!(error.fault, Fault::Content(_)));
        if are_unmeasurable && of_this_run.contains(&&journal) {
            of_this_run.iter().for_each(|path| drop(fs::remove_file(path)));
        }
    })?;
    if options.journal.is_none() {
        // It has served its purpose, and a file that stays behind harms nobody.
        let _ = fs::remove_file(&journal);
    }
    let told = Told {
        rounding: files.rounding,
        options,
        objective,
        counts: files.counts(),
        device: Device::of(slice::from_ref(&engine)),
        shape: sets.shape()?,
        bytes_read: (found.cost.rows_read as f64 * files.row_bytes()) as u64,
        memory: expected.memory,
        panel_rows: expected.panel_rows,
        seconds: start.elapsed().as_secs_f64(),
        named,
        found,
    };
    output::print(&if options.json { told.json() } else { told.text() })
}

/// What is told of a gradient.
struct Told<'a> {
    /// What rounding has taken of raw points.
    rounding: Option<Rounding>,
    options: &'a GradientOptions,
    objective: Objective,
    named: NamedSets,
    counts: Vec<usize>,
    device: Device,
    shape: unisphere_scale::Shape,
    found: GradientFound,
    bytes_read: u64,
    memory: u64,
    panel_rows: usize,
    seconds: f64,
}

impl Told<'_> {
    /// Parameters by name.
    fn parameters(&self) -> Vec<(&'static str, f64)> {
        match self.objective {
            Objective::Uniformity(Uniformity { t }) | Objective::CrossUniformity(Uniformity { t }) => {
                vec![("t", t)]
            }
            Objective::Alignment(Alignment { alpha }) => vec![("alpha", alpha)],
            Objective::Loss(Loss { weight, alignment, uniformity }) => {
                vec![("weight", weight), ("alpha", alignment.alpha), ("t", uniformity.t)]
            }
            Objective::Contrastive(Contrastive { tau, .. }) => vec![("tau", tau)],
            _ => Vec::new(),
        }
    }

    /// Which rows compete with a positive.
    fn candidates(&self) -> Option<Candidates> {
        match self.objective {
            Objective::Contrastive(Contrastive { candidates, .. }) => Some(candidates),
            _ => None,
        }
    }

    /// Gradients that were written: of which set, how long, and where.
    fn gradients(&self) -> impl Iterator<Item = (&'static str, f64, &PathBuf)> {
        let of_y = self.found.y_norm.zip(self.options.out_y.as_ref()).map(|(norm, file)| ("y", norm, file));
        std::iter::once(("x", self.found.x_norm, &self.options.out)).chain(of_y)
    }

    /// How far rounding may have moved the value.
    fn moved(&self) -> Vec<Moved> {
        let Some(rounding) = self.rounding else { return Vec::new() };
        let of_uniformity = |metric, set, value| rounding.of_uniformity(set, metric, value);
        let value = self.found.value;
        let (of, by) = match (self.objective, self.found.parts) {
            (Objective::Uniformity(metric), _) => {
                (MovedValue::Uniformity(SetName::X), of_uniformity(metric, SetName::X, value))
            }
            (Objective::CrossUniformity(metric), _) => {
                (MovedValue::CrossUniformity, rounding.of_cross_uniformity(metric, value))
            }
            (Objective::Alignment(metric), _) => {
                (MovedValue::Alignment, rounding.of_alignment(metric, value))
            }
            (Objective::Loss(Loss { weight, alignment, uniformity }), Some(parts)) => {
                let of_sets = of_uniformity(uniformity, SetName::X, parts.uniformity_x)
                    + of_uniformity(uniformity, SetName::Y, parts.uniformity_y);
                let of_alignment = rounding.of_alignment(alignment, parts.alignment);
                (MovedValue::Loss, weight.abs() * of_alignment + of_sets / 2.0)
            }
            (Objective::Contrastive(metric), _) => (MovedValue::Contrastive, rounding.of_softmax(metric.tau)),
            _ => return Vec::new(),
        };
        Moved::told(of, by, value).into_iter().collect()
    }

    fn text(&self) -> String {
        let cost = self.found.cost;
        let mut work = format!(
            "{} of panels of {}, {} read, {} of memory",
            plural(cost.blocks, "block"),
            plural(self.panel_rows as u64, "row"),
            bytes(self.bytes_read),
            bytes(self.memory)
        );
        if cost.blocks_recovered > 0 {
            work += &format!(", {} from an earlier run", count(cost.blocks_recovered));
        }
        let mut lines = told::files(&self.named, &self.counts);
        lines.push(("points", text::points(self.shape.x_rows, self.shape.dims, self.named.scaling)));
        lines.extend(told::devices(&self.device).into_iter().map(|device| ("device", device)));
        lines.push(("work", work));
        lines.push(("time", format!("{}, reading included", text::seconds(self.seconds))));
        let parameters =
            self.parameters().into_iter().map(|(name, value)| format!("{name} = {}", plain(value)));
        let candidates = self.candidates().map(|candidates| candidates.to_string());
        let parameters = parameters.chain(candidates).collect::<Vec<_>>().join(", ");
        let value = vec![self.options.of.name().into(), parameters, decimal(self.found.value)];
        let norms = self
            .gradients()
            .map(|(set, norm, file)| vec![format!("gradient of {set}"), printable(file), decimal(norm)]);
        let rows: Vec<_> = std::iter::once(value).chain(norms).collect();
        let moved = self.moved();
        let is_noticeable = !moved.is_empty() || self.rounding.is_some_and(Rounding::moves_distances);
        let without_bound: &[_] = if is_noticeable { &["gradients"] } else { &[] };
        format!(
            "{}\n{}\nA gradient's value is its Euclidean norm, over all rows and dimensions.\n{}",
            circumstances(&lines),
            columns(&["", "", "value"], 2, &rows),
            rounding::note(self.rounding, &moved, without_bound)
        )
    }

    /// As one JSON object on one line, of the form in schema/gradient.json.
    fn json(&self) -> String {
        let mut object = report::head(&self.named, &self.counts, &self.device);
        let mut put = |key: &str, value: Value| object.insert(key.into(), value);
        put("rows", self.shape.x_rows.into());
        if let Some(rows) = self.shape.y_rows {
            put("rows_y", rows.into());
        }
        put("dims", self.shape.dims.into());
        put("normalized", (self.named.scaling == Scaling::Unit).into());
        put("of", self.options.of.option().into());
        for (name, value) in self.parameters() {
            put(name, value.into());
        }
        if let Some(candidates) = self.candidates() {
            put("candidates", candidates.to_string().into());
        }
        // Zero has one sign.
        put("value", (self.found.value + 0.0).into());
        if let Some(moved) = rounding::object(&self.moved()) {
            put("rounding", moved);
        }
        let gradient = |(set, norm, file): (&str, f64, &PathBuf)| json!({"set": set, "norm": norm, "file": file.to_string_lossy()});
        put("gradients", self.gradients().map(gradient).collect());
        let cost = self.found.cost;
        put(
            "work",
            json!({
                "panel_rows": self.panel_rows,
                "blocks": cost.blocks,
                "blocks_recovered": cost.blocks_recovered,
                "pairs_computed": cost.pairs_computed,
                "bytes_discarded": cost.bytes_discarded,
                "rows_read": cost.rows_read,
                "bytes_read": self.bytes_read,
                "memory": self.memory,
            }),
        );
        put("seconds", self.seconds.into());
        format!("{}\n", Value::Object(object))
    }
}
