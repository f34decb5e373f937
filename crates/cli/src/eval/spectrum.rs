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
        let line = |what: &str, value: &dyn Fn(&One) -> Maybe<f64>| {
            let cells = self.0.iter().map(|one| cell(&value(one)));
            std::iter::once(what.to_string()).chain(cells).collect::<Vec<_>>()
        };
        let rows = [
            line("mean norm", &|one| Ok(one.spectrum.mean_norm())),
            line("effective rank", &|one| Ok(one.spectrum.effective_rank())),
            line("participation ratio", &|one| Ok(one.spectrum.participation_ratio())),
            line("Wasserstein", &|one| one.wasserstein.clone()),
        ];
        let head: Vec<_> = std::iter::once("spectrum").chain(self.0.iter().map(|one| one.name)).collect();
        let largest = self.0.iter().map(|one| {
            let shown: Vec<_> = one.spectrum.eigenvalues().iter().take(SHOWN).map(|&v| digits(v)).collect();
            format!("largest variances of {}: {}\n", one.name, shown.join(" "))
        });
        columns(&head, 1, &rows)
            + &reasons(self.0.iter().map(|one| ("Wasserstein", &one.wasserstein)))
            + &largest.collect::<String>()
            + NOTES
    }
}

/// What each adds to uniformity.
const NOTES: &str = "\
Mean norm: 0 where points balance each other, near 1 where all lie in a narrow cone.
Effective rank: how many axes are in use, weak ones in part (exp of the entropy of the shares of variance).
Participation ratio: how many axes carry most of the variance.
Wasserstein: distance of their Gaussian to N(0, I/d); grows with every axis that is lost, which uniformity hardly shows.
";
