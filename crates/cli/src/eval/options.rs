//! The options of `unisphere eval`.

mod forms;

use std::{
    iter,
    path::{Path, PathBuf},
};

use clap::builder::TypedValueParser;
use unisphere::{Candidates, DeviceChoice, Precision, Scaling, Sigmoid, Storage};
use unisphere_eval::{Estimator, Options, Parameter, Plan, Protocol};
use unisphere_io::{STDIN, printable};

use crate::{
    exit::Failure,
    export::{Beside, Format, Log},
    output,
    reading::ReadingOptions,
    scale::{Listing, NamedSets, Place, Request, Scale, Task, Telling},
    set_files::{SetFiles, ShardOptions, warn_of_numbered},
    values::{Choice, ZeroRows, candidates, device, factor, finite, one_of, positive, sigmoid},
};

const PARAMETERS: &str = "What is measured";
const FILES: &str = "Files beside X and Y";
const REPORT: &str = "The report";
const DEVICE: &str = "The device";
const HTML: &str = "--html";
/// More than any p-value needs.
const MAX_PERMUTATIONS: i64 = 1_000_000;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Eval {
    /// Embeddings, one point a row, computed as f32: .npy, .npz, safetensors, Parquet, Arrow, JSON Lines, CSV, word vectors,
    /// fvecs and fbin; - is standard input. A quoted pattern, such as 'emb_*.npy', names
    /// numbered files that are one set of any size, as --shards does
    #[arg(value_name = "X", required_unless_present = "shards")]
    x_path: Option<PathBuf>,

    /// Their positive partners, row by row: the same shape. Adds alignment and their own uniformity
    #[arg(value_name = "Y")]
    y_path: Option<PathBuf>,

    /// The files of X, and of Y, once [`with_files`](Self::with_files) has found them.
    #[arg(skip)]
    pub(super) x: SetFiles,
    #[arg(skip)]
    pub(super) y: Option<SetFiles>,

    /// Uniformity's t, in log mean exp(-t |x-x'|^2). Several, separated by commas, add a table, and every other number
    /// uses the first [default: 2; with --full the table has 0.5, 1, 2 and 5]
    #[arg(long, value_name = "T", value_delimiter = ',', value_parser = factor, allow_negative_numbers = true)]
    #[arg(help_heading = PARAMETERS)]
    t: Vec<f64>,

    /// Alignment's power of the distance, of pairs and by label: mean |x-y|^alpha [default: 2]
    #[arg(long, value_parser = positive, allow_negative_numbers = true, help_heading = PARAMETERS)]
    alpha: Option<f64>,

    /// The contrastive loss (InfoNCE) at this temperature, or several [default with --full: 0.07 and 0.5]
    #[arg(long, value_delimiter = ',', value_parser = positive, allow_negative_numbers = true)]
    #[arg(help_heading = PARAMETERS)]
    tau: Vec<f64>,

    /// What competes with a positive in the contrastive loss: one-way (x looks for its y), both-ways (and y for its x),
    /// views (each of the 2n points for its partner, as NT-Xent) [default: both-ways]
    #[arg(long, value_name = "WHICH", value_parser = candidates(), help_heading = PARAMETERS)]
    candidates: Option<Candidates>,

    /// The sigmoid loss (SigLIP) of this scale and bias, such as 10,-10: mean over x of the sum over y of
    /// log(1 + exp(-z (SCALE x.y + BIAS))), where z is 1 for its partner and -1 else. May be given several times
    #[arg(long, value_name = "SCALE,BIAS", value_parser = sigmoid, allow_hyphen_values = true, help_heading = PARAMETERS)]
    sigmoid: Vec<Sigmoid>,

    /// The supervised contrastive loss (SupCon) at this temperature, or several: rows with the same label (--labels) are each
    /// other's positives. With Y, row i of Y is a second view of row i of X
    #[arg(long, value_name = "TAU", value_delimiter = ',', value_parser = positive, allow_negative_numbers = true)]
    #[arg(help_heading = PARAMETERS)]
    supcon: Vec<f64>,

    /// Retrieval: where the partner of each row stands among all rows of the other set, both ways (recall@1, 5 and 10, mean and
    /// median rank), and the modality gap between both sets
    #[arg(long, help_heading = PARAMETERS)]
    retrieval: bool,

    /// The pairs of one set over which uniformity's mean runs
    #[arg(long, value_name = "ESTIMATOR", default_value = "u", value_parser = estimator(), help_heading = PARAMETERS)]
    estimator: Estimator,

    /// Take the rows as they are [default: each is scaled to unit length]
    #[arg(long, help_heading = PARAMETERS)]
    raw: bool,

    /// Take as positives the pairs whose score (--scores) is at least S, and leave the others out of alignment and of what else is of
    /// positive pairs. Uniformity takes all rows [default with --protocol simcse: the pairs above 4]
    #[arg(long, value_name = "S", value_parser = finite, allow_negative_numbers = true, help_heading = PARAMETERS)]
    min_score: Option<f64>,

    /// Measure as another work does: the protocols are listed below
    #[arg(long, value_name = "NAME", value_parser = protocol(), help_heading = PARAMETERS)]
    #[arg(conflicts_with_all = ["t", "alpha", "estimator", "raw"])]
    protocol: Option<Protocol>,

    /// Rows of X and Y are no pairs, and may be of different numbers: uniformity of either, across both and together, their
    /// squared MMD with a test by permutations, and with --near rows of X that are close to rows of Y
    #[arg(long, help_heading = PARAMETERS)]
    pub(super) unpaired: bool,

    /// The random exchanges of rows that the test of --unpaired is made of; 0 leaves it out [default: 999]
    #[arg(long, value_name = "M", requires = "unpaired", help_heading = PARAMETERS)]
    #[arg(value_parser = clap::value_parser!(u32).range(..=MAX_PERMUTATIONS))]
    permutations: Option<u32>,

    /// More views of the rows of X, and of Y where it is named, of the same shape: alignment over all pairs of views, and
    /// uniformity of each. The list ends at the next option. Without FILE or Y, X is an array (n, views, dims) of .npy, .npz
    /// or safetensors
    #[arg(long, value_name = "FILE", num_args = 0.., help_heading = FILES)]
    pub(super) views: Option<Vec<PathBuf>>,

    /// More negatives for the contrastive loss, of any number of rows; the queue of --protocol moco
    #[arg(long, value_name = "FILE", help_heading = FILES)]
    pub(super) queue: Option<PathBuf>,

    /// One label a row, a whole number or a name, the group of the row: uniformity of each group, and alignment over pairs
    /// with the same label. A text of one a line, .npy, .npz, CSV, TSV, Parquet, Arrow or JSON Lines
    #[arg(long, value_name = "FILE", help_heading = FILES)]
    pub(super) labels: Option<PathBuf>,

    /// The column or key of the labels [default: the only one]; without --labels, it is one of X's own file
    #[arg(long, value_name = "NAME", help_heading = FILES)]
    pub(super) labels_column: Option<String>,

    /// The label of every row of Y, in a file as that of --labels: with --unpaired, where rows of X and Y with one label are
    /// positives, such as an image and each of its captions. Adds their alignment, the ranks of all rows and the modality gap
    #[arg(long, value_name = "FILE", help_heading = FILES)]
    pub(super) labels_y: Option<PathBuf>,

    /// How much each row, and each pair, counts: one number a row, none negative, in a file as that of --labels. With --labels, a pair of
    /// rows of a group counts by the product of their weights
    #[arg(long, value_name = "FILE", help_heading = FILES)]
    pub(super) weights: Option<PathBuf>,

    /// The column or key of the weights, as --labels-column
    #[arg(long, value_name = "NAME", help_heading = FILES)]
    pub(super) weights_column: Option<String>,

    /// How much alike each pair is said to be, as in STS-B: one finite number a pair, in a file as that of --labels. Adds the rank
    /// correlation (Spearman) of cosines with scores
    #[arg(long, value_name = "FILE", help_heading = FILES)]
    pub(super) scores: Option<PathBuf>,

    /// The column or key of the scores, as --labels-column
    #[arg(long, value_name = "NAME", help_heading = FILES)]
    pub(super) scores_column: Option<String>,

    /// Rows that are all zeros have no direction: error, or skip them in both files
    #[arg(long, value_name = "WHAT", value_enum, default_value_t, help_heading = FILES)]
    zero_rows: ZeroRows,

    /// Add everything that needs no further file: tables over t and tau, retrieval, a test against uniform points, spectra,
    /// histograms, close pairs and the worst rows. Takes four to twelve times as long
    #[arg(long, help_heading = REPORT)]
    full: bool,

    /// List the K most crowded rows, and the K pairs that lie farthest apart [default with --full: 10]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..), help_heading = REPORT)]
    top: Option<u32>,

    /// Count equal rows, and pairs of rows of one set at most this far apart [default with --full: 0.1]
    #[arg(long, value_name = "DISTANCE", value_parser = factor, allow_negative_numbers = true)]
    #[arg(help_heading = REPORT)]
    near: Option<f64>,

    /// Add uniformity across each two groups of --labels: a matrix, for at most 4,096 groups
    #[arg(long, help_heading = REPORT)]
    across_groups: bool,

    /// Write a table of f64: the row, log mean exp(-t |x-x'|^2) over the other rows, the same of y, and |x-y|. - is standard
    /// output, and the report goes to stderr then. With retrieval, also the rank of the partner, both ways
    #[arg(long, value_name = "OUT.npy", help_heading = REPORT)]
    pub(super) rows: Option<PathBuf>,

    /// Write the report as a page too: one HTML file with figures, which needs nothing else. Measures what --full does, and the
    /// figures' own: a curve over t, finer cosines, two principal directions, and with --labels the matrix across up to 100 groups. With
    /// --unpaired and --views it has their tables, and no figures
    #[arg(long, value_name = "OUT.html", help_heading = REPORT)]
    pub(super) html: Option<PathBuf>,

    /// The text of each row, such as the sentence that it is of, in a file as that of --labels: the page shows it beside the rows that
    /// it lists
    #[arg(long, value_name = "FILE", requires = "html", help_heading = FILES)]
    pub(super) text: Option<PathBuf>,

    /// The column or key of the text, as --labels-column
    #[arg(long, value_name = "NAME", requires = "html", help_heading = FILES)]
    pub(super) text_column: Option<String>,

    /// Print one JSON object; its `seconds` are those of upload, scaling and metrics, without reading (for sets of any size:
    /// with it)
    #[arg(long, help_heading = REPORT)]
    pub(super) json: bool,

    /// Print the report in Markdown: the summary as tables, the rest as text
    #[arg(long, conflicts_with = "json", help_heading = REPORT)]
    markdown: bool,

    /// Append a line to this CSV file, with a header where it is new: the time, the files, and the numbers of the summary under their
    /// names in JSON, such as uniformity.x. With --unpaired and --views a line for each t
    #[arg(long, value_name = "FILE", help_heading = REPORT)]
    pub(super) csv: Option<PathBuf>,

    /// Files in the place of X and Y.
    #[command(flatten)]
    shards: ShardOptions,

    #[command(flatten)]
    pub(super) reading: ReadingOptions,

    /// auto (the best GPU, else the CPU), cpu, gpu (a software one if need be), or the index, the name or a part of the name of
    /// one that unisphere devices lists
    #[arg(long, default_value = "auto", value_parser = device(), help_heading = DEVICE)]
    pub(super) device: DeviceChoice,

    /// What sets of any size need.
    #[command(flatten)]
    pub(super) scale: Scale,

    /// The precision that coordinates are multiplied in: f32, or f16x2 or f16 on GPUs with cooperative matrices
    #[arg(long, value_name = "GRADE", default_value_t, help_heading = DEVICE)]
    pub(super) precision: Precision,

    /// The form in which the device keeps coordinates: f32, or f16 on GPUs (half the memory, each rounded by at most
    /// 2.4e-4 of itself; not for --raw)
    #[arg(long, value_name = "STORAGE", default_value_t, help_heading = DEVICE)]
    pub(super) storage: Storage,
}

impl Eval {
    /// The same, with Y where both sets are in the file of X, and standard input and output by their paths.
    pub(super) fn with_files(&self) -> Result<Self, Failure> {
        let named = |path: &Path| if path.as_os_str() == "-" { STDIN.into() } else { path.to_path_buf() };
        let path = |path: &Option<PathBuf>| path.as_deref().map(named);
        let (x, y) = (path(&self.x_path), path(&self.y_path));
        let (x, y) = self.shards.sets(x.as_deref(), y.as_deref(), &self.reading)?;
        if !self.unpaired && self.views.is_none() {
            warn_of_numbered(&x, y.as_ref());
        }
        let [labels, weights, scores, queue, text] =
            [&self.labels, &self.weights, &self.scores, &self.queue, &self.text].map(path);
        let labels = x.column_file("--labels", labels.as_ref(), self.labels_column.as_ref())?;
        let weights = x.column_file("--weights", weights.as_ref(), self.weights_column.as_ref())?;
        let scores = x.column_file("--scores", scores.as_ref(), self.scores_column.as_ref())?;
        // A column's name alone is of either file's own column, where sets are matched by label.
        let labels_y = match (&y, path(&self.labels_y)) {
            (Some(y), None) if self.unpaired && self.labels.is_none() => {
                y.column_file("--labels", None, self.labels_column.as_ref())?
            }
            (_, file) => file,
        };
        let text = x.column_file("--text", text.as_ref(), self.text_column.as_ref())?;
        let mut reading = self.reading.clone();
        let columns = [
            (&labels, &self.labels_column),
            (&weights, &self.weights_column),
            (&scores, &self.scores_column),
            (&text, &self.text_column),
        ];
        let of_x = columns.into_iter().filter(|(file, _)| file.as_deref() == Some(x.path()));
        let of_x = of_x.filter_map(|(_, column)| column.clone()).collect();
        let of_y = self.labels_column.iter().filter(|_| {
            labels_y.as_deref().is_some_and(|labels| y.as_ref().is_some_and(|y| y.path() == labels))
        });
        reading.without = [of_x, of_y.cloned().collect()];
        let rows = self.rows.as_deref().map(output::table_file);
        let views = self.views.as_ref().map(|views| views.iter().map(|path| named(path)).collect());
        Ok(Self {
            x,
            y,
            views,
            labels,
            labels_y,
            weights,
            scores,
            queue,
            text,
            reading,
            rows,
            ..self.clone()
        })
    }

    /// The report's options, free of contradictions between files and device.
    pub(super) fn options(&self) -> Result<Options, Failure> {
        let refuse = |text: &str| Err(Failure::Usage(text.into()));
        self.check_storage()?;
        self.check_zero_rows_are_none()?;
        if self.labels_y.is_some() {
            return refuse(
                "--labels-y is the label of every row of Y, where sets are matched by label and not row by row\n\
                 add --unpaired, or leave out --labels-y: --labels has one label for both rows of a pair",
            );
        }
        let mut options = Options::default();
        options.paired = self.y.is_some();
        options.queue = self.queue.is_some();
        options.labels = self.labels.is_some();
        options.weights = self.weights.is_some();
        options.scores = self.scores.is_some();
        options.min_score = self.min_score;
        options.t.clone_from(&self.t);
        options.alpha = self.alpha;
        options.tau.clone_from(&self.tau);
        options.candidates = self.candidates;
        options.sigmoid.clone_from(&self.sigmoid);
        options.supcon.clone_from(&self.supcon);
        options.retrieval = self.retrieval;
        options.estimator = self.estimator;
        options.scaling = self.scaling();
        options.protocol = self.protocol;
        options.full = self.full;
        options.top = self.top.map(|top| top as usize);
        options.near = self.near;
        options.across_groups = self.across_groups;
        options.rows = self.rows.is_some();
        options.figures = self.html.is_some();
        Ok(options)
    }

    /// Whether it is to be computed as a set of any size is, and not as a report of everything.
    pub(super) fn is_large(&self) -> bool {
        self.scale.is_used()
            || [Some(&self.x), self.y.as_ref()].into_iter().flatten().any(SetFiles::may_be_several)
    }

    /// What is measured of sets of any size, if these options ask for nothing more.
    pub(super) fn request(&self) -> Result<Request, Failure> {
        self.check_tau_in_pieces()?;
        self.check_zero_rows_in_pieces()?;
        let others = self.of_reports_on_pairs();
        if let Some((name, _)) = others.into_iter().find(|(name, is_given)| *is_given && *name != HTML) {
            return Err(Failure::Usage(format!(
                "{name} needs all points in memory, and is no part of a report on sets of any size\n\
                 leave out {name}; or {}",
                match self.scale.given() {
                    Some(given) => format!("leave out {given}, if X and Y are single files"),
                    None => "name single files".into(),
                }
            )));
        }
        self.check_storage()?;
        let mut wanted = self.options()?;
        let is_estimate = self.scale.tolerance().is_some();
        // A page of an estimate has what it has without all pairs.
        wanted.figures &= !is_estimate;
        let plan = Plan::new(&wanted).map_err(|contradiction| Failure::Usage(contradiction.words(&flag)))?;
        if is_estimate && self.text.is_some() {
            return Err(Failure::Usage(
                "--text is of the rows that the page lists, and an estimate lists none; leave out --text, or --tolerance".into(),
            ));
        }
        let listing = Listing { top: plan.top, file: self.rows.clone() };
        let takes_all_pairs = listing.is_wanted() || plan.near.is_some() || self.labels.is_some();
        if takes_all_pairs && is_estimate {
            return Err(Failure::Usage(
                "--full, --top, --rows, --near and --labels take all pairs, and --tolerance estimates from a part of them\n\
                 leave out one of them; --max-memory reads the files in pieces and has all pairs"
                    .into(),
            ));
        }
        if self.scale.across() && self.y.is_none() {
            return Err(Failure::Usage(
                "--across is over all pairs of two sets; name Y too, or two columns of X by --columns".into(),
            ));
        }
        let sets = NamedSets {
            x: self.x.clone(),
            y: self.y.clone(),
            reading: self.reading.clone(),
            scaling: self.scaling(),
        };
        let task = Task::planned(&plan, sets, self.scale.across(), self.candidates.unwrap_or_default());
        Ok(Request {
            task,
            listing,
            full: plan.full,
            labels: self.labels.clone(),
            labels_column: self.labels_column.clone(),
            place: Place {
                devices: self.scale.devices_or(&self.device),
                precision: self.precision,
                storage: self.storage,
            },
            telling: Telling {
                format: self.format(),
                beside: self.beside()?,
                text: self.text.clone().map(|file| (file, self.text_column.clone())),
            },
        })
    }

    /// Options that are of reports on single files and their pairs alone, and whether they are given.
    fn of_reports_on_pairs(&self) -> [(&'static str, bool); 12] {
        [
            ("--sigmoid", !self.sigmoid.is_empty()),
            ("--supcon", !self.supcon.is_empty()),
            ("--retrieval", self.retrieval),
            ("--estimator v", self.estimator == Estimator::V),
            ("--protocol", self.protocol.is_some()),
            ("--queue", self.queue.is_some()),
            ("--across-groups", self.across_groups),
            ("--weights", self.weights.is_some()),
            ("--scores", self.scores.is_some()),
            ("--min-score", self.min_score.is_some()),
            ("--zero-rows skip", self.skips_zero_rows()),
            (HTML, self.html.is_some()),
        ]
    }

    /// That rows of zeros are not to be skipped where they are points.
    fn check_zero_rows_are_none(&self) -> Result<(), Failure> {
        if self.raw && self.skips_zero_rows() {
            return Err(Failure::Usage(
                "with --raw, rows of zeros are points like all others; leave out --zero-rows skip or --raw"
                    .into(),
            ));
        }
        Ok(())
    }

    /// That no rows are skipped of sets that are read in pieces, and of single files alone.
    fn check_zero_rows_in_pieces(&self) -> Result<(), Failure> {
        if !self.skips_zero_rows() {
            return Ok(());
        }
        self.check_zero_rows_are_none()?;
        self.check_zero_rows_of_several()?;
        let or_whole = self.scale.given().map_or(String::new(), |given| format!("leave out {given}; or "));
        Err(Failure::Usage(format!(
            "--zero-rows skip needs all points in memory, and is no part of a report on sets of any size\n\
             {or_whole}leave out --zero-rows skip, and such rows of the files, of Y as of X, or write --raw in its place, which takes rows \
             as they are"
        )))
    }

    /// That rows are skipped of single files.
    fn check_zero_rows_of_several(&self) -> Result<(), Failure> {
        let mut sets = iter::once(&self.x).chain(&self.y);
        match sets.find(|set| set.may_be_several()).filter(|_| self.skips_zero_rows()) {
            None => Ok(()),
            Some(set) => Err(Failure::Usage(format!(
                "--zero-rows skip is of single files, and {} may be several\n\
                 leave such rows out of the files, of Y as of X, or join the files to one; --raw takes rows as they are",
                printable(set.path())
            ))),
        }
    }

    /// That a contrastive loss in pieces is of all pairs of two sets.
    fn check_tau_in_pieces(&self) -> Result<(), Failure> {
        let refuse = |text: &str| Err(Failure::Usage(text.into()));
        if self.tau.is_empty() {
            return match self.candidates {
                Some(_) if !self.full => {
                    refuse("--candidates is of the contrastive loss; give --tau too, or leave it out")
                }
                _ => Ok(()),
            };
        }
        if self.y.is_none() {
            return refuse(
                "--tau: the contrastive loss is of positive pairs; name their partners as Y too, or two columns of X by --columns",
            );
        }
        Ok(())
    }

    fn scaling(&self) -> Scaling {
        if self.raw { Scaling::Raw } else { Scaling::Unit }
    }

    fn check_storage(&self) -> Result<(), Failure> {
        if self.raw && self.storage == Storage::F16 {
            let text = "raw points are kept as f32; leave out --storage f16 or --raw";
            return Err(Failure::Usage(text.into()));
        }
        Ok(())
    }

    /// What is written beside the report.
    pub(super) fn beside(&self) -> Result<Beside, Failure> {
        Beside::new(self.csv.as_deref(), self.html.as_deref())
    }

    /// The same of a report of another form, whose lines are of this file.
    pub(super) fn beside_of(
        &self,
        log: impl FnOnce(&Path) -> Result<Log, Failure>,
    ) -> Result<Beside, Failure> {
        Ok(Beside::of(self.csv.as_deref().map(log).transpose()?, self.html.as_deref()))
    }

    /// The form that the report is printed in.
    pub(super) fn format(&self) -> Format {
        Format::of(self.json, self.markdown)
    }

    pub(super) fn skips_zero_rows(&self) -> bool {
        self.zero_rows == ZeroRows::Skip
    }
}

/// A parameter of a report, as the command line names it.
pub(super) fn flag(parameter: &Parameter) -> String {
    match parameter {
        Parameter::Y => "Y".into(),
        other => format!("--{}", other.to_string().replace('_', "-")),
    }
}

fn estimator() -> impl TypedValueParser<Value = Estimator> {
    one_of(vec![
        Choice { name: "u", help: "Pairs i < j, without the diagonal", value: Estimator::U },
        Choice {
            name: "v",
            help: "All ordered pairs, the diagonal included: each point with itself too",
            value: Estimator::V,
        },
    ])
}

fn protocol() -> impl TypedValueParser<Value = Protocol> {
    let choice = |&value: &Protocol| Choice { name: value.settings().name, help: "", value };
    one_of(Protocol::ALL.iter().map(choice).collect())
}
