//! What `eval` has measured, and under which circumstances.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use unisphere::{Device, Precision, Scaling, Storage};

use super::{
    options::Eval,
    protocol::Weighed,
    section::{Section, settle},
    work::Work,
};
use crate::{
    json as common,
    text::{count, plural},
};

pub(super) struct Report {
    /// The files under their roles.
    files: Vec<(&'static str, PathBuf)>,
    device: Device,
    precision: Precision,
    /// Those that sums were made in.
    used: Vec<Precision>,
    storage: Storage,
    rows: usize,
    dims: usize,
    scaling: Scaling,
    weighed: Weighed,
    /// Whether there is something that weights do not touch.
    unweighted: bool,
    protocol: Option<&'static str>,
    /// Where rows of zeros were to be skipped: those of the sets, and of the queue.
    skipped: Option<(Vec<usize>, Vec<usize>)>,
    seconds: f64,
    sections: Vec<Box<dyn Section>>,
}

impl Report {
    pub(super) fn new(options: &Eval, work: Work, sections: Vec<Box<dyn Section>>) -> Self {
        let (rows, dims) = (work.rows(), work.dims());
        let file = |role, path: Option<&PathBuf>| path.map(|path| (role, path.clone()));
        let files = [
            file("x", Some(&options.x)),
            file("y", options.y.as_ref()),
            file("queue", options.queue.as_ref()),
            file("labels", options.labels.as_ref()),
            file("weights", options.weights.as_ref()),
        ];
        let engine = &work.session.engine;
        Self {
            files: files.into_iter().flatten().collect(),
            device: engine.device().clone(),
            precision: engine.precision(),
            used: engine.precisions_used(),
            storage: engine.storage(),
            rows,
            dims,
            scaling: work.plan.scaling,
            weighed: work.plan.weighed,
            unweighted: work.plan.ignores_weights(),
            protocol: work.plan.protocol.map(|settings| settings.name),
            skipped: options.skips_zero_rows().then_some(work.skipped),
            seconds: work.session.computing.as_secs_f64(),
            sections,
        }
    }

    pub(super) fn json(&self) -> String {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| object.insert(key.into(), value);
        put("unisphere", common::VERSION.into());
        put("device", common::device(&self.device));
        put("precision", self.precision.to_string().into());
        put("precisions_used", self.used.iter().map(Precision::to_string).collect());
        put("storage", self.storage.to_string().into());
        put("rows", self.rows.into());
        put("dims", self.dims.into());
        put("normalized", (self.scaling == Scaling::Unit).into());
        put("weights", self.weighed.words().into());
        if let Some((rows, queue)) = &self.skipped {
            put("skipped", json!({"rows": rows, "queue": queue}));
        }
        // A section says more of it, where there is one.
        put("protocol", json!({"name": "none"}));
        self.sections.iter().for_each(|section| section.json(&mut object));
        let mut object = Value::Object(object);
        let absent = settle(&mut object);
        if !absent.is_empty() {
            object["absent"] = absent.into();
        }
        object["seconds"] = self.seconds.into();
        format!("{object}\n")
    }

    pub(super) fn text(&self) -> String {
        let sections: Vec<_> = self.sections.iter().map(|section| section.text()).collect();
        format!("{}\n{}", self.circumstances(), sections.join("\n"))
    }

    fn circumstances(&self) -> String {
        let Self { device, storage, .. } = self;
        let precision = precision(self.precision, &self.used);
        let scaling = match self.scaling {
            Scaling::Unit => "scaled to unit length",
            Scaling::Raw => "raw",
        };
        let software = if device.software { " (software)" } else { "" };
        let stored =
            if *storage == Storage::F32 { String::new() } else { format!(", points stored as {storage}") };
        let show = |path: &Path| path.display().to_string();
        let mut lines: Vec<_> = self.files.iter().map(|(role, path)| (*role, show(path))).collect();
        if let Some((_, path)) = lines.iter_mut().find(|(role, _)| *role == "weights") {
            *path += &format!(", of {}", self.weighed.words());
        }
        if self.unweighted {
            lines.push((
                "",
                "without weights: potentials, spectra, cosines, equal and close rows, and --rows".into(),
            ));
        }
        lines.push((
            "points",
            format!("n = {}, d = {}, {scaling}", count(self.rows as u64), count(self.dims as u64)),
        ));
        if let Some((rows, queue)) = &self.skipped {
            lines.push(("skipped", skipped(rows, queue)));
        }
        lines.push(("device", format!("{}: {}{software}, {precision}{stored}", device.kind, device.name)));
        lines.extend(self.protocol.map(|name| ("as", format!("protocol {name}"))));
        lines.push(("time", format!("{:.3} s, reading excluded", self.seconds)));
        lines.iter().map(|(what, value)| format!("{what:<8}{value}\n")).collect()
    }
}

/// The one that was asked for, and what took its place.
fn precision(asked: Precision, used: &[Precision]) -> String {
    if used.iter().all(|&used| used == asked) {
        return asked.to_string();
    }
    let used: Vec<_> = used.iter().map(Precision::to_string).collect();
    format!("{} ({asked} was asked for)", used.join(" and "))
}

/// How many rows of zeros, and the first of them.
fn skipped(rows: &[usize], queue: &[usize]) -> String {
    const SHOWN: usize = 8;
    let list = |rows: &[usize]| {
        let shown: Vec<_> = rows.iter().take(SHOWN).map(usize::to_string).collect();
        let more = if rows.len() > SHOWN { ", ..." } else { "" };
        if rows.is_empty() { String::new() } else { format!(": {}{more}", shown.join(", ")) }
    };
    let queue = if queue.is_empty() {
        String::new()
    } else {
        format!("; {} of the queue{}", count(queue.len() as u64), list(queue))
    };
    format!("{} of zeros{}{queue}", plural(rows.len() as u64, "row"), list(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precision_that_was_not_kept_is_told() {
        let [f32, f16] = [Precision::F32, Precision::F16];
        assert_eq!(precision(f16, &[f16]), "f16");
        assert_eq!(precision(f16, &[f32]), "f32 (f16 was asked for)");
        assert_eq!(precision(f16, &[f32, f16]), "f32 and f16 (f16 was asked for)");
    }

    #[test]
    fn few_rows_of_zeros_are_named() {
        assert_eq!(skipped(&[3, 17], &[]), "2 rows of zeros: 3, 17");
        assert_eq!(skipped(&[], &[4]), "0 rows of zeros; 1 of the queue: 4");
        assert!(skipped(&[1; 9], &[]).ends_with("1, 1, ..."));
    }
}
