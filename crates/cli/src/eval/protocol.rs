//! Measuring as other works do.

use unisphere::{Alignment, Uniformity};

/// A work whose numbers are to be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Protocol {
    Paper,
    Moco,
    Simcse,
    Directau,
    Lightly,
}

/// Which pairs a protocol's uniformity is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pooling {
    /// Those within x and those within y: the mean of two values.
    Mean,
    /// All pairs of both sets together: one value.
    Union,
    /// Those of x with the queue and those within x: one value.
    Queue,
}

/// What `--weights` are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weighed {
    Nothing,
    Pairs,
    RowsAndPairs,
}

/// What a work does.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) name: &'static str,
    pub(super) uniformity: Uniformity,
    pub(super) alignment: Alignment,
    pub(super) pooling: Pooling,
    pub(super) weighed: Weighed,
    /// The factor of alignment in its loss, beside that of uniformity, which is 1; none where it has no loss.
    pub(super) loss: Option<f64>,
    pub(super) source: &'static str,
}

/// As their code has it; of losses, the defaults.
const ALL: [Settings; 5] = [
    Settings {
        name: "paper",
        uniformity: Uniformity { t: 2.0 },
        alignment: Alignment { alpha: 2.0 },
        pooling: Pooling::Mean,
        weighed: Weighed::Nothing,
        loss: Some(1.0),
        source: "github.com/ssnl/align_uniform, examples/stl10/main.py",
    },
    Settings {
        name: "moco",
        uniformity: Uniformity { t: 3.0 },
        alignment: Alignment { alpha: 2.0 },
        pooling: Pooling::Queue,
        weighed: Weighed::Nothing,
        loss: Some(3.0),
        source: "github.com/ssnl/moco_align_uniform, moco/builder.py",
    },
    Settings {
        name: "simcse",
        uniformity: Uniformity { t: 2.0 },
        alignment: Alignment { alpha: 2.0 },
        pooling: Pooling::Union,
        weighed: Weighed::Pairs,
        loss: None,
        source: "arXiv 2104.08821, section 2.3; github.com/princeton-nlp/SimCSE/issues/41",
    },
    Settings {
        name: "directau",
        uniformity: Uniformity { t: 2.0 },
        alignment: Alignment { alpha: 2.0 },
        pooling: Pooling::Mean,
        weighed: Weighed::RowsAndPairs,
        loss: Some(1.0),
        source: "github.com/THUwangcy/DirectAU, recbole/model/general_recommender/directau.py, gamma 1",
    },
    Settings {
        name: "lightly",
        uniformity: Uniformity { t: 1.0 },
        alignment: Alignment { alpha: 2.0 },
        pooling: Pooling::Mean,
        weighed: Weighed::Nothing,
        loss: Some(1.0),
        source: "github.com/lightly-ai/lightly, lightly/loss/hypersphere_loss.py",
    },
];

impl Protocol {
    pub(super) fn settings(self) -> &'static Settings {
        &ALL[self as usize]
    }
}

impl Settings {
    pub(super) fn formula(&self) -> Option<String> {
        let factor = |weight: f64| if weight == 1.0 { String::new() } else { format!("{weight} * ") };
        self.loss.map(|weight| format!("{}alignment + uniformity", factor(weight)))
    }
}

impl Weighed {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::Pairs => "pairs",
            Self::RowsAndPairs => "rows and pairs",
        }
    }
}

impl Pooling {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Mean => "mean of x and y",
            Self::Union => "both sets together",
            Self::Queue => "x with the queue and within itself",
        }
    }
}

/// What each protocol sets, for `--help`.
pub(crate) fn help() -> String {
    let line = |s: &Settings| {
        let loss = s.formula().map_or("no loss".into(), |formula| format!("loss {formula}"));
        let weights = match s.weighed {
            Weighed::Nothing => "",
            Weighed::Pairs => "; --weights of the pairs alone: 1 for those scored above 4, else 0",
            Weighed::RowsAndPairs => "; --weights of rows and pairs: how frequent they are",
        };
        let (t, alpha, pooling) = (s.uniformity.t, s.alignment.alpha, s.pooling.words());
        format!(
            "  {:<9} t {t}, alpha {alpha}; uniformity: {pooling}; {loss}{weights}\n            {}\n",
            s.name, s.source
        )
    };
    let lines: String = ALL.iter().map(line).collect();
    format!(
        "Protocols set t, alpha, the pairs without the diagonal (u), rows of unit length, and which uniformity counts:\n{}\n\n\
         Exit codes: 0 done, 1 internal failure, 2 usage, 3 input, 4 device, 130 interrupted.",
        lines.trim_end()
    )
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn each_has_its_settings() {
        for protocol in Protocol::value_variants() {
            let name = protocol.to_possible_value().map(|value| value.get_name().to_string());
            assert_eq!(name.as_deref(), Some(protocol.settings().name));
        }
    }
}
