//! What uniformity cannot see: mean and covariance.

use serde_json::{Map, Value, json};
use unisphere::{Scaling, Spectrum};

use super::{
    section::{Absent, Maybe, Section, cell, maybe, number, reasons},
    work::Work,
};
use crate::{
    exit::Failure,
    text::{columns, digits},
};

/// Eigenvalues that are printed.
const SHOWN: usize = 5;

struct Spectra(Vec<One>);

struct One {
    name: &'static str,
    spectrum: Spectrum,
    wasserstein: Maybe<f64>,
}

pub(super) fn measure(work: &mut Work) -> Result<Option<Box<dyn Section>>, Failure> {
    if !work.plan.full {
        return Ok(None);
    }
    let mut spectra = Vec::new();
    for set in &work.sets {
        let what = format!("spectrum of {}", set.name);
        let spectrum = work.session.rows(&what, |engine| engine.spectrum(&set.points))?;
        let wasserstein = match work.plan.scaling {
            Scaling::Unit => Ok(spectrum.wasserstein()),
            Scaling::Raw => Absent::because("it is of points of unit length"),
        };
        spectra.push(One { name: set.name, spectrum, wasserstein });
    }
    Ok(Some(Box::new(Spectra(spectra))))
}

impl Section for Spectra {
    fn json(&self, object: &mut Map<String, Value>) {
        let one = |one: &One| {
            json!({
                "mean_norm": number(one.spectrum.mean_norm()),
                "effective_rank": number(one.spectrum.effective_rank()),
                "participation_ratio": number(one.spectrum.participation_ratio()),
                "wasserstein": maybe(&one.wasserstein),
                "eigenvalues": one.spectrum.eigenvalues().iter().map(|&value| number(value)).collect::<Vec<_>>(),
            })
        };
        let spectra = self.0.iter().map(|spectrum| (spectrum.name.to_string(), one(spectrum)));
        object.insert("spectrum".into(), Value::Object(spectra.collect()));
    }

    fn text(&self) -> String {
        let line = |what: &str, value: &dyn Fn(&One) -> Maybe<f64>, says: &str| {
            let cells = self.0.iter().map(|one| cell(&value(one)));
            std::iter::once(what.to_string()).chain(cells).chain([says.into()]).collect::<Vec<_>>()
        };
        let rows = [
            line("mean norm", &|one| Ok(one.spectrum.mean_norm()), "0: balanced; near 1: a narrow cone"),
            line(
                "effective rank",
                &|one| Ok(one.spectrum.effective_rank()),
                "axes in use, weak ones in part",
            ),
            line(
                "participation ratio",
                &|one| Ok(one.spectrum.participation_ratio()),
                "axes that carry the most",
            ),
            line(
                "Wasserstein",
                &|one| one.wasserstein.clone(),
                "to N(0, I/d): grows with every axis that is lost",
            ),
        ];
        let head: Vec<_> =
            std::iter::once("spectrum").chain(self.0.iter().map(|one| one.name)).chain([""]).collect();
        let largest = self.0.iter().map(|one| {
            let shown: Vec<_> = one.spectrum.eigenvalues().iter().take(SHOWN).map(|&v| digits(v)).collect();
            format!("largest variances of {}: {}\n", one.name, shown.join(" "))
        });
        let rows = aligned(&rows, self.0.len());
        columns(&head, 1, &rows)
            + &reasons(self.0.iter().map(|one| ("Wasserstein", &one.wasserstein)))
            + &largest.collect::<String>()
    }
}

/// Words flush left in a column of numbers: as wide as the widest of them.
fn aligned(rows: &[Vec<String>], numbers: usize) -> Vec<Vec<String>> {
    let width = rows.iter().map(|row| row[numbers + 1].chars().count()).max().unwrap_or(0);
    let pad = |row: &Vec<String>| {
        let mut row = row.clone();
        row[numbers + 1] = format!("{:<width$}", row[numbers + 1]);
        row
    };
    rows.iter().map(pad).collect()
}
