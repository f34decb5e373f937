//! Mean and covariance of each set: what uniformity cannot see.

use unisphere::{Scaling, Spectrum};

use crate::{
    data::SetName,
    error::Result,
    maybe::{Absent, Maybe},
    work::Work,
};

/// Why a GPU's sums make no RankMe.
const COARSE: Absent =
    Absent::because("squares of small singular values are lost in a GPU's single precision; the CPU has it");

/// Mean and covariance of one set.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SetSpectrum {
    /// The set.
    pub set: SetName,
    /// The mean's length, the eigenvalues, and the ranks made of them.
    pub spectrum: Spectrum,
    /// RankMe: the entropy of the singular values of the points, not about their mean.
    pub rank_me: Maybe<f64>,
    /// The Wasserstein distance of the set's Gaussian to N(0, I/d).
    pub wasserstein: Maybe<f64>,
}

impl SetSpectrum {
    /// Mean and covariance of a set of rows scaled so.
    pub fn new(set: SetName, spectrum: Spectrum, scaling: Scaling) -> Self {
        let wasserstein = match scaling {
            Scaling::Unit => Ok(spectrum.wasserstein()),
            Scaling::Raw => Err(Absent::because("it is defined for points of unit length")),
        };
        let rank_me = spectrum.rank_me().ok_or(COARSE);
        Self { set, spectrum, rank_me, wasserstein }
    }

    /// Its numbers under their names, in the order in which reports have them.
    pub fn numbers(&self) -> [(&'static str, Maybe<f64>); 5] {
        [
            ("mean norm", Ok(self.spectrum.mean_norm())),
            ("effective rank", Ok(self.spectrum.effective_rank())),
            ("RankMe", self.rank_me),
            ("participation ratio", Ok(self.spectrum.participation_ratio())),
            ("Wasserstein", self.wasserstein),
        ]
    }

    /// The numbers of several sets by their names, each with the value of every set.
    pub fn by_name(spectra: &[Self]) -> Vec<(&'static str, Vec<Maybe<f64>>)> {
        let names = spectra.first().map(Self::numbers).into_iter().flatten().map(|(name, _)| name);
        let all: Vec<_> = spectra.iter().map(Self::numbers).collect();
        names.enumerate().map(|(place, name)| (name, all.iter().map(|of| of[place].1).collect())).collect()
    }
}

pub(crate) fn measure(work: &mut Work<'_>) -> Result<Option<Vec<SetSpectrum>>> {
    if !work.plan.full {
        return Ok(None);
    }
    let mut spectra = Vec::new();
    for set in &work.sets {
        let spectrum = work.session.spectrum(set.name, &set.points)?;
        spectra.push(SetSpectrum::new(set.name, spectrum, work.plan.scaling));
    }
    Ok(Some(spectra))
}
