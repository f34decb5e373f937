//! A line for each run in a CSV file that grows: the numbers of JSON that stand alone, under their paths in it, as
//! `pandas.json_normalize` names them.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use ::csv::WriterBuilder;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use unisphere_io::{is_stdout, printable};

use super::{
    Checkpoint, ComparisonDocument, Document, Exporter, UnpairedDocument, ViewsDocument, json as of_json,
};
use crate::{exit::Failure, output, reading::is_stream};

/// The columns of an evaluation, one line a report. Lists, such as tables over t and tau, are in JSON alone.
const OF_EVALUATION: &[&str] = &[
    "time",
    "files.x",
    "files.y",
    "files.queue",
    "files.labels",
    "files.weights",
    "files.scores",
    "unisphere",
    "device.kind",
    "device.name",
    "precision",
    "storage",
    "rows",
    "dims",
    "normalized",
    "weights",
    "protocol.name",
    "protocol.alignment",
    "protocol.uniformity",
    "protocol.loss",
    "alignment.alpha",
    "alignment.value",
    "alignment.standard_error",
    "alignment.low",
    "alignment.high",
    "alignment.pairs",
    "uniformity.t",
    "uniformity.estimator",
    "uniformity.x",
    "uniformity.of_x.standard_error",
    "uniformity.of_x.low",
    "uniformity.of_x.high",
    "uniformity.of_x.gap",
    "uniformity.of_x.score",
    "uniformity.of_x.effective_dims",
    "uniformity.of_x.estimate.low",
    "uniformity.of_x.estimate.high",
    "uniformity.of_x.estimate.confidence",
    "uniformity.of_x.estimate.share",
    "uniformity.y",
    "uniformity.of_y.standard_error",
    "uniformity.of_y.low",
    "uniformity.of_y.high",
    "uniformity.of_y.gap",
    "uniformity.of_y.score",
    "uniformity.of_y.effective_dims",
    "uniformity.of_y.estimate.low",
    "uniformity.of_y.estimate.high",
    "uniformity.of_y.estimate.confidence",
    "uniformity.of_y.estimate.share",
    "uniformity.mean",
    "uniformity.of_mean.gap",
    "uniformity.of_mean.score",
    "uniformity.floor",
    "uniformity.least",
    "uniformity.pairs",
    "scores.spearman",
    "scores.standard_error",
    "scores.low",
    "scores.high",
    "rounding.alignment",
    "rounding.x",
    "rounding.y",
    "seconds",
];

/// The columns of a comparison, one line a model.
const OF_COMPARISON: &[&str] = &[
    "time",
    "files.x",
    "files.y",
    "unisphere",
    "device.kind",
    "device.name",
    "name",
    "step",
    "score",
    "rows",
    "dims",
    "normalized",
    "alpha",
    "alignment.value",
    "alignment.standard_error",
    "alignment.low",
    "alignment.high",
    "t",
    "uniformity.value",
    "uniformity.standard_error",
    "uniformity.low",
    "uniformity.high",
    "uniformity.x",
    "uniformity.y",
    "uniformity.floor",
    "uniformity.gap",
    "baseline",
    "difference.alignment.value",
    "difference.alignment.standard_error",
    "difference.alignment.low",
    "difference.alignment.high",
    "difference.alignment.p_value",
    "difference.alignment.p_holm",
    "difference.alignment.rounding",
    "difference.uniformity.value",
    "difference.uniformity.standard_error",
    "difference.uniformity.low",
    "difference.uniformity.high",
    "difference.uniformity.p_value",
    "difference.uniformity.p_holm",
    "difference.uniformity.rounding",
    "rounding.alignment",
    "rounding.uniformity",
    "cached",
    "seconds",
];

/// The columns of a checkpoint, one line each: those of a comparison but for the differences, which change with every further one.
const OF_CHECKPOINT: &[&str] = &[
    "time",
    "files.x",
    "files.y",
    "unisphere",
    "device.kind",
    "device.name",
    "name",
    "step",
    "rows",
    "dims",
    "normalized",
    "alpha",
    "alignment.value",
    "alignment.standard_error",
    "alignment.low",
    "alignment.high",
    "t",
    "uniformity.value",
    "uniformity.standard_error",
    "uniformity.low",
    "uniformity.high",
    "uniformity.x",
    "uniformity.y",
    "uniformity.floor",
    "uniformity.gap",
    "rounding.alignment",
    "rounding.uniformity",
    "fingerprint",
    "cached",
    "seconds",
];

/// The columns of two sets that are not paired, one line for each t.
const OF_UNPAIRED: &[&str] = &[
    "time",
    "files.x",
    "files.y",
    "files.labels",
    "files.labels_y",
    "unisphere",
    "device.kind",
    "device.name",
    "precision",
    "storage",
    "rows.x",
    "rows.y",
    "dims",
    "normalized",
    "values.t",
    "values.x",
    "values.y",
    "values.cross",
    "values.pooled",
    "values.squared_mmd",
    "values.floor",
    "positives.pairs",
    "positives.alignment.alpha",
    "positives.alignment.value",
    "positives.retrieval.x_to_y.mean_rank",
    "positives.retrieval.x_to_y.median_rank",
    "positives.retrieval.x_to_y.mean_reciprocal_rank",
    "positives.retrieval.y_to_x.mean_rank",
    "positives.retrieval.y_to_x.median_rank",
    "positives.retrieval.y_to_x.mean_reciprocal_rank",
    "positives.modality_gap.distance",
    "positives.modality_gap.separation",
    "test.t",
    "test.squared_mmd",
    "test.permutations",
    "test.p_value",
    "near.distance",
    "near.count",
    "rounding.alignment",
    "rounding.x",
    "rounding.y",
    "rounding.cross",
    "rounding.pooled",
    "rounding.squared_mmd",
    "seconds",
];

/// The columns of several views, one line for each t.
const OF_VIEWS: &[&str] = &[
    "time",
    "files",
    "unisphere",
    "device.kind",
    "device.name",
    "precision",
    "storage",
    "views",
    "rows",
    "dims",
    "normalized",
    "alignment.alpha",
    "alignment.mean.value",
    "alignment.mean.standard_error",
    "alignment.mean.low",
    "alignment.mean.high",
    "uniformity.t",
    "uniformity.mean",
    "uniformity.floor",
    "uniformity.loss",
    "rounding.alignment",
    "rounding.uniformity",
    "rounding.loss",
    "seconds",
];

/// The longest header that is read of a file.
const MAX_HEADER_BYTES: u64 = 1 << 16;

/// The exporter: lines without a header.
pub(crate) struct Csv;

impl Exporter<Document> for Csv {
    fn export(&self, document: &Document) -> String {
        line(OF_EVALUATION, &now(), &[&of_json::evaluation(document)])
    }
}

impl Exporter<UnpairedDocument> for Csv {
    fn export(&self, document: &UnpairedDocument) -> String {
        lines_of(OF_UNPAIRED, "values", &of_json::unpaired(document), &json!({}))
    }
}

impl Exporter<ViewsDocument> for Csv {
    fn export(&self, document: &ViewsDocument) -> String {
        let files = json!({"files": document.files.join("; ")});
        lines_of(OF_VIEWS, "uniformity", &of_json::views(document), &files)
    }
}

/// A line for each entry of a report's list, which stands in the place of the list; and what a cell shows in the place of other lists.
fn lines_of(columns: &[&str], list: &str, report: &Value, others: &Value) -> String {
    let time = now();
    let entries = report[list].as_array().map_or(&[][..], Vec::as_slice);
    let of_entry = |entry: &Value| line(columns, &time, &[&json!({list: entry}), others, report]);
    entries.iter().map(of_entry).collect()
}

impl Exporter<ComparisonDocument> for Csv {
    fn export(&self, document: &ComparisonDocument) -> String {
        let (time, report) = (now(), of_json::comparison(document));
        let models = report["models"].as_array().map_or(&[][..], Vec::as_slice);
        models.iter().map(|model| line(OF_COMPARISON, &time, &[model, &report])).collect()
    }
}

impl Exporter<Checkpoint<'_>> for Csv {
    fn export(&self, of: &Checkpoint<'_>) -> String {
        let report = of_json::comparison(of.document);
        line(OF_CHECKPOINT, &now(), &[&report["models"][0], &report])
    }
}

/// A CSV file that lines are appended to.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    path: PathBuf,
    columns: &'static [&'static str],
}

impl Log {
    /// A file of evaluations, as `--csv` names it.
    pub(crate) fn evaluation(path: &Path) -> Result<Self, Failure> {
        Self::new(path, OF_EVALUATION)
    }

    /// A file of sets that are not paired.
    pub(crate) fn unpaired(path: &Path) -> Result<Self, Failure> {
        Self::new(path, OF_UNPAIRED)
    }

    /// A file of several views.
    pub(crate) fn views(path: &Path) -> Result<Self, Failure> {
        Self::new(path, OF_VIEWS)
    }

    /// A file of models.
    pub(crate) fn comparison(path: &Path) -> Result<Self, Failure> {
        Self::new(path, OF_COMPARISON)
    }

    /// A file of checkpoints.
    pub(crate) fn checkpoints(path: &Path) -> Result<Self, Failure> {
        Self::new(path, OF_CHECKPOINT)
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn new(path: &Path, columns: &'static [&'static str]) -> Result<Self, Failure> {
        let name = printable(path);
        if path.as_os_str() == "-" || is_stdout(path) || is_stream(path) {
            return Err(Failure::Usage(format!(
                "--csv {name}: lines are appended to a file; name one, such as runs.csv"
            )));
        }
        Ok(Self { path: path.into(), columns })
    }

    /// Fails where no line can be appended, before there is one. Leaves nothing behind.
    pub(crate) fn check<'a>(&self, inputs: impl Iterator<Item = &'a Path>) -> Result<(), Failure> {
        output::check_writable("--csv", &self.path, inputs)?;
        if !self.path.exists() {
            return Ok(());
        }
        let file = OpenOptions::new().read(true).append(true).open(&self.path);
        self.has_header(&mut file.map_err(|error| self.unwritten(&error))?).map(|_| ())
    }

    /// Appends the lines of a document, with a header before them where the file is empty: in one write, under a lock, so that several
    /// programs may append to one file.
    pub(crate) fn append<D>(&self, document: &D) -> Result<(), Failure>
    where
        Csv: Exporter<D>,
    {
        let unwritten = |error: io::Error| self.unwritten(&error);
        let file = OpenOptions::new().read(true).append(true).create(true).open(&self.path);
        let mut file = file.map_err(unwritten)?;
        file.lock().map_err(unwritten)?;
        let mut text = if self.has_header(&mut file)? {
            // A line that an editor left without its end.
            if ends_line(&mut file).map_err(unwritten)? { String::new() } else { "\n".into() }
        } else {
            self.header() + "\n"
        };
        text += &Csv.export(document);
        let before = file.metadata().map_err(unwritten)?.len();
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        written.map_err(|error| {
            // A full disk may have taken a part of the line. What is said is the first fault.
            let _ = file.set_len(before);
            unwritten(error)
        })
    }

    fn header(&self) -> String {
        self.columns.join(",")
    }

    /// Whether the file begins with these columns; false where it is empty.
    fn has_header(&self, file: &mut File) -> Result<bool, Failure> {
        let mut line = Vec::new();
        let read = file
            .seek(SeekFrom::Start(0))
            .and_then(|_| BufReader::new(file.take(MAX_HEADER_BYTES)).read_until(b'\n', &mut line));
        read.map_err(|error| self.unwritten(&error))?;
        let text = String::from_utf8_lossy(&line);
        let found = text.trim_end_matches(['\n', '\r']);
        if found == self.header() {
            return Ok(true);
        }
        if line.is_empty() {
            return Ok(false);
        }
        Err(Failure::Input(format!(
            "--csv {}: its columns are {}\nthis report's are {}; name another file",
            printable(&self.path),
            abridged(found),
            abridged(&self.header())
        )))
    }

    fn unwritten(&self, error: &io::Error) -> Failure {
        let text = format!("--csv {} cannot be written: {error}", printable(&self.path));
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Failure::Input(text),
            _ => Failure::Machine(text),
        }
    }
}

/// A header, cut where it is long.
fn abridged(header: &str) -> String {
    const SHOWN: usize = 120;
    let text = printable(header);
    match text.char_indices().nth(SHOWN) {
        None => text,
        Some((end, _)) => {
            format!("{}… ({} columns)", &text[..end], header.matches(',').count() + 1)
        }
    }
}

fn ends_line(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// This moment, in UTC: 2026-11-29T08:15:00.000Z.
fn now() -> String {
    DateTime::<Utc>::from(std::time::SystemTime::now()).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A line with the value of each column in the first object that has one; what is null or nowhere is an empty cell.
fn line(columns: &[&str], time: &str, objects: &[&Value]) -> String {
    let cell = |column: &&str| match *column {
        "time" => time.to_owned(),
        path => objects.iter().find_map(|object| found(object, path)).map_or(String::new(), cell_of),
    };
    let mut writer = WriterBuilder::new().from_writer(Vec::new());
    // A Vec takes whatever is written.
    let written = writer.write_record(columns.iter().map(cell)).is_ok();
    let bytes = if written { writer.into_inner().unwrap_or_default() } else { Vec::new() };
    String::from_utf8(bytes).unwrap_or_default()
}

fn found<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(object, |object, key| object.get(key))
}

fn cell_of(value: &Value) -> String {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
        Value::String(text) => text.clone(),
        number => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let object = json!({"files": {"x": "a,b \"c\""}, "rows": 3, "weights": null, "seconds": 1e-9, "normalized": true});
        let columns = ["time", "files.x", "files.y", "rows", "weights", "seconds", "normalized", "rows.more"];
        assert_eq!(line(&columns, "now", &[&object]), "now,\"a,b \"\"c\"\"\",,3,,1e-9,true,\n");
        assert_eq!(line(&["rows", "t"], "", &[&json!({"t": 2.0}), &object]), "3,2.0\n");
    }

    /// Every column is a number or text of the schema, so that CSV and JSON have the same names.
    #[test]
    fn columns_are_paths_of_the_schema() {
        let schemas = [
            (OF_EVALUATION, include_str!("../../schema/eval.json")),
            (OF_CHECKPOINT, include_str!("../../schema/compare.json")),
            (OF_COMPARISON, include_str!("../../schema/compare.json")),
            (OF_UNPAIRED, include_str!("../../schema/unpaired.json")),
            (OF_VIEWS, include_str!("../../schema/views.json")),
        ];
        for (columns, text) in schemas {
            let schema: Value = serde_json::from_str(text).unwrap();
            for column in columns.iter().filter(|&&column| column != "time") {
                let of_model = &schema["$defs"]["model"];
                assert!(has(&schema, &schema, column) || has(&schema, of_model, column), "{column}");
            }
        }
    }

    /// Whether a schema of an object has a property at a path.
    fn has(root: &Value, schema: &Value, path: &str) -> bool {
        let pointed = |schema: &Value| match schema["$ref"].as_str() {
            Some(pointer) => root.pointer(pointer.trim_start_matches('#')).cloned().unwrap_or_default(),
            None => schema.clone(),
        };
        let schema = pointed(schema);
        let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
        let alternatives =
            ["oneOf", "anyOf", "allOf"].iter().filter_map(|of| schema[*of].as_array()).flatten();
        let here = |schema: &Value| match (schema["properties"].get(key), rest) {
            (None, _) => false,
            (Some(_), None) => true,
            // Of a list, an entry.
            (Some(inner), Some(rest)) => has(root, inner, rest) || has(root, &inner["items"], rest),
        };
        here(&schema) || alternatives.into_iter().any(|schema| has(root, schema, path))
    }
}
