//! Other works' ways to measure.

use unisphere::{Alignment, Uniformity};

use crate::min_score::MinScore;

/// A work whose numbers are to be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// Wang & Isola's own code.
    Paper,
    /// Their code for MoCo.
    Moco,
    /// SimCSE.
    Simcse,
    /// DirectAU.
    Directau,
    /// The loss in Lightly.
    Lightly,
}

/// The pairs of a protocol's uniformity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pooling {
    /// Pairs within x and pairs within y: the mean of two values.
    Mean,
    /// All pairs of both sets together: one value.
    Union,
    /// Pairs of x with the queue and pairs within x: one value.
    Queue,
}

/// The use of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Weighed {
    /// Nothing: all rows and pairs count alike.
    Nothing,
    /// Positive pairs, in alignment.
    Pairs,
    /// Positive pairs in alignment, and rows in uniformity.
    RowsAndPairs,
}

/// The settings of a work.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// Its name, as a caller gives it.
    pub name: &'static str,
    /// Its uniformity.
    pub uniformity: Uniformity,
    /// Its alignment.
    pub alignment: Alignment,
    /// The pairs of its uniformity.
    pub pooling: Pooling,
    /// Its use of weights.
    pub weighed: Weighed,
    /// The score of its positives, where pairs have scores; None where it takes every pair as a positive.
    pub min_score: Option<MinScore>,
    /// The factor of alignment in its loss, beside that of uniformity, which is 1; None where it has no loss.
    pub alignment_factor: Option<f64>,
    /// The place where it is written.
    pub source: &'static str,
}

/// The settings, as the works' code has them; of losses, the defaults. In the order of [`Protocol::ALL`].
static SETTINGS: [Settings; 5] = [
    Settings {
        name: "paper",
        uniformity: Uniformity { t: 2.0 },
        alignment: Alignment { alpha: 2.0 },
        pooling: Pooling::Mean,
        weighed: Weighed::Nothing,
        min_score: None,
        alignment_factor: Some(1.0),
        source: "github.com/ssnl/align_uniform, examples/stl10/main.py",
    },
    Settings {
        name: "moco",
        uniformity: Uniformity { t: 3.0 },
        alignment: Alignment { alpha: 2.0 },
        pooling: Pooling::Queue,
        weighed: Weighed::Nothing,
        min_score: None,
        alignment_factor: Some(3.0),
        source: "github.com/ssnl/moco_align_uniform, moco/builder.py",
    },
    Settings {
        name: "simcse",
        uniformity: Uniformity { t: 2.0 },
        alignment: Alignment { alpha: 2.0 },
        pooling: Pooling::Union,
        weighed: Weighed::Pairs,
        min_score: Some(MinScore::Above(4.0)),
        alignment_factor: None,
        source: "arXiv 2104.08821, section 2.3; github.com/princeton-nlp/SimCSE/issues/41",
    },
    Settings {
        name: "directau",
        uniformity: Uniformity { t: 2.0 },
        alignment: Alignment { alpha: 2.0 },
        pooling: Pooling::Mean,
        weighed: Weighed::RowsAndPairs,
        min_score: None,
        alignment_factor: Some(1.0),
        source: "github.com/THUwangcy/DirectAU, recbole/model/general_recommender/directau.py, gamma 1",
    },
    Settings {
        name: "lightly",
        uniformity: Uniformity { t: 1.0 },
        alignment: Alignment { alpha: 2.0 },
        pooling: Pooling::Mean,
        weighed: Weighed::Nothing,
        min_score: None,
        alignment_factor: Some(1.0),
        source: "github.com/lightly-ai/lightly, lightly/loss/hypersphere_loss.py",
    },
];

impl Protocol {
    /// Every protocol.
    pub const ALL: &'static [Self] = &[Self::Paper, Self::Moco, Self::Simcse, Self::Directau, Self::Lightly];

    /// Its settings.
    pub fn settings(self) -> &'static Settings {
        &SETTINGS[self as usize]
    }
}

impl Settings {
    /// The formula of its loss, if it has one.
    pub fn formula(&self) -> Option<String> {
        let factor = |factor: f64| if factor == 1.0 { String::new() } else { format!("{factor} * ") };
        self.alignment_factor.map(|of_alignment| format!("{}alignment + uniformity", factor(of_alignment)))
    }
}

impl Weighed {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::Pairs => "pairs",
            Self::RowsAndPairs => "rows and pairs",
        }
    }
}

impl Pooling {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean of x and y",
            Self::Union => "both sets together",
            Self::Queue => "x with the queue and within itself",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_settings() {
        assert_eq!(Protocol::ALL.len(), SETTINGS.len());
        for protocol in Protocol::ALL {
            assert_eq!(format!("{protocol:?}").to_lowercase(), protocol.settings().name);
        }
    }
}
