//! The options of reports of other forms: on sets that are not paired, and on several views.

use std::iter;

use unisphere::Alignment;
use unisphere_eval::{unpaired::UnpairedPlan, views::ViewsPlan};
use unisphere_io::printable;

use super::{Eval, HTML};
use crate::{exit::Failure, set_files::SetFiles};

impl Eval {
    /// What is measured of two sets that are not paired, and the file of Y.
    pub(in crate::eval) fn unpaired_plan(&self) -> Result<(UnpairedPlan, &SetFiles), Failure> {
        self.check_storage()?;
        if self.views.is_some() {
            return Err(Failure::Usage(
                "--views takes views of the same rows, and --unpaired compares two sets whose rows are no pairs\n\
                 leave out --unpaired for views; or leave out --views, and name the other set as Y"
                    .into(),
            ));
        }
        let Some(y) = &self.y else {
            return Err(Failure::Usage(
                "--unpaired compares two sets; name Y too, or two columns of X by --columns".into(),
            ));
        };
        if self.labels.is_some() != self.labels_y.is_some() {
            return Err(Failure::Usage(
                "--unpaired takes labels of both sets, of which rows with one label are positives\n\
                 give --labels for X and --labels-y for Y, or neither"
                    .into(),
            ));
        }
        self.check_zero_rows_of("--unpaired", "rows of zeros out of the files, and out of their labels")?;
        let has_positives = self.labels.is_some();
        let own = [("--alpha", self.alpha.is_some() && !has_positives)];
        if has_positives && self.permutations.is_some_and(|count| count > 0) {
            return Err(Failure::Usage(
                "with labels, positives hold both sets together, and --permutations would test nothing\n\
                 leave out --permutations, or --labels and --labels-y"
                    .into(),
            ));
        }
        if let Some(name) = self.given_of(&own) {
            return Err(Failure::Usage(format!(
                "--unpaired measures two files whose rows are no pairs, by --t, --near and --permutations, and takes no {name}\n\
                 leave out {name}, or --unpaired"
            )));
        }
        let mut plan = UnpairedPlan::default();
        plan.scaling = self.scaling();
        plan.ts = self.ts_or(plan.ts);
        plan.alignment = self.alpha.map_or(plan.alignment, Alignment::new);
        plan.near = self.near;
        if has_positives {
            // Positives hold both sets together, so that an exchange of rows between them tells nothing.
            plan.permutations = 0;
        } else if let Some(permutations) = self.permutations {
            plan.permutations = permutations as usize;
        }
        Ok((plan, y))
    }

    /// What is measured of several views.
    pub(in crate::eval) fn views_plan(&self) -> Result<ViewsPlan, Failure> {
        self.check_storage()?;
        self.check_zero_rows_of("--views", "a row that is zero in one view out of the files of all")?;
        let two_names = "--members, --tensors or --columns";
        let own = [
            ("--near", self.near.is_some()),
            (two_names, self.reading.names_two_sets()),
            ("--labels", self.labels.is_some()),
            ("--labels-y", self.labels_y.is_some()),
        ];
        if let Some(name) = self.given_of(&own) {
            return Err(Failure::Usage(format!(
                "--views measures alignment and uniformity of several views, by --alpha and --t, and takes no {name}\n\
                 leave out {name}, or --views"
            )));
        }
        let files: Vec<_> = iter::once(self.x.path())
            .chain(self.y.as_ref().map(SetFiles::path))
            .chain(self.views.iter().flatten().map(AsRef::as_ref))
            .collect();
        // A file beside itself alone is meant so; X among others behind --views is not.
        let (x, others) = (files[0], &files[1..]);
        if others.contains(&x) && others.iter().any(|file| *file != x) {
            return Err(Failure::Usage(format!(
                "{} is named twice, and would be two views alike\n\
                 the first view stands before --views, and the others behind it: name each once",
                printable(x)
            )));
        }
        let mut plan = ViewsPlan::default();
        plan.scaling = self.scaling();
        plan.alignment = self.alpha.map_or(plan.alignment, Alignment::new);
        plan.ts = self.ts_or(plan.ts);
        Ok(plan)
    }

    /// That no rows are to be skipped of a report of another form, which `option` asks for; `rows` are those that a caller leaves out.
    fn check_zero_rows_of(&self, option: &str, rows: &str) -> Result<(), Failure> {
        if !self.skips_zero_rows() {
            return Ok(());
        }
        self.check_zero_rows_are_none()?;
        Err(Failure::Usage(format!(
            "--zero-rows skip is of one set, or of pairs, and {option} takes all rows of its files\n\
             leave out --zero-rows skip, and leave {rows}; or write --raw in its place, which takes rows as they are"
        )))
    }

    /// The first option that is given of those that no such report takes, or of these.
    fn given_of<'a>(&'a self, own: &[(&'a str, bool)]) -> Option<&'a str> {
        let names_numbered = iter::once(&self.x).chain(&self.y).any(SetFiles::may_be_several)
            || self.views.iter().flatten().any(|path| SetFiles::of_path(path).may_be_several());
        let others = [
            ("--tau", !self.tau.is_empty()),
            ("--candidates", self.candidates.is_some()),
            ("--full", self.full),
            ("--top", self.top.is_some()),
            ("--rows", self.rows.is_some()),
            ("--text", self.text.is_some()),
            ("numbered files", names_numbered),
            (self.scale.given().unwrap_or_default(), self.scale.is_used()),
        ];
        let of_pairs = self.of_reports_on_pairs().into_iter().filter(|(name, _)| *name != HTML);
        let all = own.iter().copied().chain(of_pairs).chain(others);
        all.into_iter().find(|(_, is_given)| *is_given).map(|(name, _)| name)
    }

    /// Uniformity's t, each once; these where none is given.
    fn ts_or(&self, default: Vec<f64>) -> Vec<f64> {
        let mut ts = Vec::new();
        for &t in &self.t {
            if !ts.contains(&t) {
                ts.push(t);
            }
        }
        if ts.is_empty() { default } else { ts }
    }
}
