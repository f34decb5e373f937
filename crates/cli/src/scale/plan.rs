//! A plan: an evaluation and its division into parts, as JSON. It names files and shapes, and holds no points.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use unisphere::{Candidates, Scaling};
use unisphere_eval::{Rounding, RoundingCure};
use unisphere_io::printable;
use unisphere_scale::{Sample, Shape};

use super::{NamedSets, PlanOptions, Task, files::Files, labels::PlannedLabels};
use crate::{
    exit::Failure,
    json as common, output,
    reading::ReadingOptions,
    set_files::{SetFiles, check_no_pipes, warn_of_numbered},
    text,
};

/// What a plan says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) task: Task,
    pub(super) rows: usize,
    pub(super) dims: usize,
    /// Tells the points from others of the same shape.
    pub(super) sample: Sample,
    pub(super) parts: usize,
    /// The labels whose groups are measured.
    pub(super) labels: Option<PlannedLabels>,
    /// What rounding takes of raw points: parts are merged where the points may not be.
    pub(super) rounding: Option<Rounding>,
}

/// Prints a plan.
pub(crate) fn plan(options: &PlanOptions) -> Result<(), Failure> {
    let (x, y) = options.shards.sets(options.x.as_deref(), options.y.as_deref(), &options.reading)?;
    check_no_pipes(&x, y.as_ref())?;
    warn_of_numbered(&x, y.as_ref());
    let column = options.labels_column.as_ref();
    let labels = x.column_file("--labels", options.labels.as_ref(), column)?;
    let labels = labels.map(|path| PlannedLabels::named(&path, column)).transpose()?;
    let x = x.absolute()?;
    let task = Task {
        sets: NamedSets {
            reading: reading_beside(options.reading.clone(), labels.as_ref(), &x),
            x,
            y: y.as_ref().map(SetFiles::absolute).transpose()?,
            scaling: if options.raw { Scaling::Raw } else { Scaling::Unit },
        },
        ts: options.t.clone(),
        alpha: options.alpha,
        across: options.across,
        taus: options.tau.clone(),
        candidates: options.candidates,
        potentials: options.potentials,
        cosines: options.cosines,
        near: options.near,
        figures: false,
    };
    if task.sets.y.is_none() && (task.across || !task.taus.is_empty()) {
        return Err(Failure::Usage("--across and --tau are of two sets; name Y too".into()));
    }
    let files = Files::open(&task.sets, None, task.is_of_distances())?;
    let (labels, of_rows) = labels.map(|labels| labels.read_first(&*files.x)).transpose()?.unzip();
    // Groups are of the rows of both sets.
    files.labelled(of_rows.as_ref()).shape()?;
    let plan = Plan {
        task,
        rows: files.x.rows(),
        dims: files.x.dims(),
        sample: files.sets().sample()?,
        parts: options.parts as usize,
        labels,
        rounding: files.rounding,
    };
    // What cannot be evaluated is refused now.
    let blocks = plan.task.evaluation().expected(plan.shape(), None)?.blocks;
    if u64::from(options.parts) > blocks {
        return Err(Failure::Usage(format!(
            "the work has {}, of which a part has at least one: --parts may be at most {blocks}",
            text::plural(blocks, "block")
        )));
    }
    output::print(&format!("{:#}\n", plan.to_json()?))
}

impl Plan {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let name = printable(path);
        if path.is_dir() {
            return Err(Failure::Usage(format!("{name} is a directory; name the plan first")));
        }
        let bytes = fs::read(path).map_err(|error| Failure::Input(format!("{name}: {error}")))?;
        let text = String::from_utf8_lossy(&bytes);
        let object = serde_json::from_str(&text).map_err(|error| {
            Failure::Input(format!("{name}: not a plan: {error}; make it by unisphere plan"))
        })?;
        let version = &object_at(&object, "unisphere");
        if version.as_str() != Some(common::VERSION) {
            return Err(Failure::Input(format!(
                "{name}: a plan of version {version}, and this is {}; make it anew by unisphere plan",
                common::VERSION
            )));
        }
        Self::of(&object).ok_or_else(|| {
            Failure::Input(format!(
                "{name}: not a plan: a key is missing or wrong; make it by unisphere plan"
            ))
        })
    }

    fn of(object: &Value) -> Option<Self> {
        let set = |key: &str| SetFiles::from_json(&object[key]);
        let number = |key: &str| usize::try_from(object[key].as_u64()?).ok();
        let numbers = |key: &str| object[key].as_array()?.iter().map(Value::as_f64).collect::<Option<_>>();
        let candidates = object["candidates"].as_str()?;
        let labels = match &object["labels"] {
            Value::Null => None,
            labels => Some(PlannedLabels::from_json(labels)?),
        };
        let x = set("x")?;
        let task = Task {
            sets: NamedSets {
                reading: reading_beside(ReadingOptions::from_json(&object["read"])?, labels.as_ref(), &x),
                x,
                y: set("y"),
                scaling: if object["normalized"].as_bool()? { Scaling::Unit } else { Scaling::Raw },
            },
            ts: numbers("t")?,
            alpha: object["alpha"].as_f64()?,
            across: object["across"].as_bool().filter(|across| !across || set("y").is_some())?,
            taus: numbers("tau").filter(|taus: &Vec<f64>| taus.is_empty() || set("y").is_some())?,
            potentials: object["potentials"].as_bool()?,
            cosines: object["cosines"].as_bool()?,
            near: match &object["near"] {
                Value::Null => None,
                near => Some(near.as_f64()?),
            },
            figures: false,
            candidates: *Candidates::ALL.iter().find(|known| known.name() == candidates)?,
        };
        Some(Self {
            task,
            rows: number("rows")?,
            dims: number("dims").filter(|&dims| dims > 0)?,
            sample: Sample::from_text(object["sample"].as_str()?)?,
            parts: number("parts").filter(|&parts| parts > 0)?,
            labels,
            rounding: match &object["rounding"] {
                Value::Null => None,
                given => Some(rounding(given)?),
            },
        })
    }

    fn to_json(&self) -> Result<Value, Failure> {
        let mut object = json!({"unisphere": common::VERSION, "x": self.task.sets.x.to_json()?});
        if let Some(y) = &self.task.sets.y {
            object["y"] = y.to_json()?;
        }
        object["read"] = self.task.sets.reading.to_json();
        object["rows"] = self.rows.into();
        object["dims"] = self.dims.into();
        object["t"] = self.task.ts.clone().into();
        object["alpha"] = self.task.alpha.into();
        object["normalized"] = (self.task.sets.scaling == Scaling::Unit).into();
        object["across"] = self.task.across.into();
        object["tau"] = self.task.taus.clone().into();
        object["candidates"] = self.task.candidates.name().into();
        object["potentials"] = self.task.potentials.into();
        object["cosines"] = self.task.cosines.into();
        object["near"] = self.task.near.into();
        object["sample"] = self.sample.to_text().into();
        object["parts"] = self.parts.into();
        object["labels"] = self.labels.as_ref().map(PlannedLabels::to_json).transpose()?.into();
        if let Some(Rounding { x, y, of_point, longest, cure }) = self.rounding {
            object["rounding"] = json!({"x": x, "y": y, "cure": cure.name()});
            // JSON has no infinite numbers.
            for (key, number) in [("of_point", of_point), ("longest", longest)] {
                if number.is_finite() {
                    object["rounding"][key] = number.into();
                }
            }
        }
        Ok(object)
    }

    pub(super) fn shape(&self) -> Shape {
        Shape { x_rows: self.rows, y_rows: self.task.sets.y.as_ref().map(|_| self.rows), dims: self.dims }
    }

    /// The file of a part, in numbers of one width so that names sort as numbers do.
    pub(super) fn file(&self, folder: &Path, part: usize) -> PathBuf {
        let width = self.parts.to_string().len();
        folder.join(format!("part-{part:0width$}-of-{}.journal", self.parts))
    }
}

/// How sets are read beside labels, which are no dimension of the points in their own file.
fn reading_beside(
    mut reading: ReadingOptions,
    labels: Option<&PlannedLabels>,
    x: &SetFiles,
) -> ReadingOptions {
    reading.without[0].extend(labels.and_then(|labels| labels.column_in(x)).map(str::to_owned));
    reading
}

fn rounding(object: &Value) -> Option<Rounding> {
    let number = |key: &str| object[key].as_f64();
    // What is not known is left out.
    let or_infinite = |key: &str| match &object[key] {
        Value::Null => Some(f64::INFINITY),
        given => given.as_f64(),
    };
    let cure = object["cure"].as_str()?;
    Some(Rounding {
        x: number("x")?,
        y: number("y")?,
        of_point: or_infinite("of_point")?,
        longest: or_infinite("longest")?,
        cure: *RoundingCure::ALL.iter().find(|known| known.name() == cure)?,
    })
}

fn object_at(object: &Value, key: &str) -> Value {
    object.get(key).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_read_as_they_were_written() -> Result<(), Failure> {
        let task = Task {
            sets: NamedSets {
                x: SetFiles::of_path("/data/x_*.npy"),
                y: None,
                reading: ReadingOptions::default(),
                scaling: Scaling::Raw,
            },
            ts: vec![2.0, 0.1],
            alpha: 1.0,
            across: false,
            taus: Vec::new(),
            candidates: Candidates::OneWay,
            potentials: true,
            cosines: false,
            near: Some(0.1),
            figures: false,
        };
        let mut plan = Plan {
            task,
            rows: 1_000_000,
            dims: 384,
            sample: Sample::from_text(&"0f".repeat(16)).expect("a hash"),
            parts: 12,
            labels: None,
            rounding: Some(Rounding {
                x: 0.125,
                y: 1e-9,
                of_point: 0.5,
                longest: 1e7,
                cure: RoundingCure::DistancesAlone,
            }),
        };
        let listed = json!(["/data/y_2.npy", "/data/y_10.npy"]);
        for y in [None, Some(SetFiles::of_path("/data/y.npy")), SetFiles::from_json(&listed)] {
            plan.task.taus = y.iter().map(|_| 0.07).collect();
            plan.task.sets.y = y;
            assert_eq!(Plan::of(&plan.to_json()?), Some(plan.clone()));
        }
        let of_labels = |column: Value| json!({"path": "/data/of.csv", "column": column, "hash": "0f"});
        for column in [json!("class"), Value::Null] {
            let labels = PlannedLabels::from_json(&of_labels(column));
            assert!(labels.is_some());
            plan.labels = labels;
            assert_eq!(Plan::of(&plan.to_json()?), Some(plan.clone()));
        }
        // The length of points that is not known takes nothing of the rest.
        let mut unknown = plan.clone();
        unknown.rounding = plan.rounding.map(|of| Rounding { longest: f64::INFINITY, ..of });
        let object = unknown.to_json()?;
        assert!(
            object["rounding"].get("longest").is_none() && Plan::of(&object) == Some(unknown),
            "{object}"
        );
        let y = plan.task.sets.y.as_ref().map(|y| (y.path(), y.files().len()));
        assert_eq!((y, &plan.to_json()?["y"]), (Some((Path::new("/data/y_2.npy … y_10.npy"), 2)), &listed));
        assert_eq!(SetFiles::from_json(&json!([])), None);
        assert_eq!(plan.file("out".as_ref(), 3), Path::new("out/part-03-of-12.journal"));
        let mut object = plan.to_json()?;
        object["parts"] = 0.into();
        assert_eq!(Plan::of(&object), None);
        Ok(())
    }
}
