//! Tests, spectra, histograms and lists of rows in JSON.

use serde_json::{Map, Value, json};
use unisphere_eval::{
    Maybe,
    sections::{
        ClosePair, Duplicates, GroupTable, Histogram, Histograms, RankedRow, SetSignificance, SetSpectrum,
        WorstRows,
    },
};

use super::{
    super::RowsFile,
    absent::{absent, maybe, number},
};

/// Groups of equal rows that are listed at most.
const MAX_LISTED_GROUPS: usize = 1000;

pub(in crate::export) fn significance(tests: &[SetSignificance]) -> Value {
    by_set(tests, |test| (test.set.as_str(), json!({"z": maybe(test.z), "p_value": maybe(test.p_value)})))
}

pub(in crate::export) fn spectrum(spectra: &[SetSpectrum]) -> Value {
    by_set(spectra, |of| {
        let spectrum = &of.spectrum;
        let object = json!({
            "mean_norm": number(spectrum.mean_norm()),
            "effective_rank": number(spectrum.effective_rank()),
            "rank_me": maybe(of.rank_me),
            "participation_ratio": number(spectrum.participation_ratio()),
            "wasserstein": maybe(of.wasserstein),
            "eigenvalues": spectrum.eigenvalues().iter().map(|&value| number(value)).collect::<Vec<_>>(),
        });
        (of.set.as_str(), object)
    })
}

pub(in crate::export) fn histograms(histograms: &Histograms) -> Value {
    let counts =
        |of: &Histogram| json!({"low": number(of.low), "high": number(of.high), "counts": of.counts});
    let mut object = json!({});
    if let Some(distances) = &histograms.distances {
        object["distances"] = counts(distances);
    }
    object["cosines"] = by_set(&histograms.cosines, |of| {
        let cosines = of.histogram.as_ref().map_or_else(|reason| absent(reason.reason()), counts);
        (of.set.as_str(), cosines)
    });
    object
}

pub(in crate::export) fn duplicates(duplicates: &Duplicates) -> Value {
    let mut object = json!({"distance": number(duplicates.distance)});
    for of in &duplicates.sets {
        let pair = |pair: &ClosePair| json!([pair.i, pair.j, number(pair.distance)]);
        let mut found = json!({});
        match (of.spare_rows(), of.groups()) {
            (Ok(equal_rows), Ok(groups)) => {
                found["equal_rows"] = equal_rows.into();
                found["groups"] = groups.len().into();
                found["equal"] = groups.iter().take(MAX_LISTED_GROUPS).cloned().collect();
            }
            (Err(reason), _) | (_, Err(reason)) => found["equal_rows"] = absent(reason.reason()),
        }
        found["close_pairs"] = of.close_pairs.into();
        if let Ok(close) = &of.close {
            found["close"] = close.iter().map(pair).collect();
        }
        object[of.set.as_str()] = found;
    }
    object
}

pub(in crate::export) fn worst_rows(worst: &WorstRows) -> Value {
    let list = |rows: &[RankedRow], what: &str| -> Value {
        rows.iter().map(|row| json!({"row": row.row, what: number(row.value)})).collect()
    };
    let crowded = by_set(&worst.crowded, |of| (of.set.as_str(), list(&of.rows, "potential")));
    let mut object = json!({"crowded": crowded});
    if let Some(rows) = &worst.apart {
        object["apart"] = list(rows, "distance");
    }
    object
}

pub(in crate::export) fn groups(groups: &GroupTable) -> Value {
    let values = |values: &[Maybe<f64>]| values.iter().map(|&value| maybe(value)).collect::<Value>();
    let mut object =
        json!({"labels": groups.labels, "sizes": groups.sizes, "estimator": groups.estimator.name()});
    if let Some(names) = &groups.names {
        object["names"] = names.as_slice().into();
    }
    if let Some(alignment) = &groups.alignment {
        object["alignment"] = values(alignment);
    }
    object["alpha"] = number(groups.metric.alpha);
    object["alignment_by_label"] = by_set(&groups.sets, |of| (of.set.as_str(), maybe(of.alignment)));
    object["within"] = by_set(&groups.sets, |of| (of.set.as_str(), values(&of.within)));
    if groups.sets.iter().any(|of| of.across.is_some()) {
        object["uniformity"] = by_set(&groups.sets, |of| {
            let matrix = (0..of.within.len()).map(|a| values(of.across_from(a))).collect();
            (of.set.as_str(), matrix)
        });
    }
    object
}

pub(in crate::export) fn rows_file(RowsFile { path, table }: RowsFile<'_>) -> Value {
    let columns: Vec<_> = table.columns.iter().map(|column| column.name).collect();
    json!({"path": path.display().to_string(), "columns": columns, "rows": table.rows()})
}

/// An object with a key for each set.
fn by_set<T>(sets: &[T], entry: impl Fn(&T) -> (&'static str, Value)) -> Value {
    let entries = sets.iter().map(|of| {
        let (name, value) = entry(of);
        (name.to_string(), value)
    });
    Value::Object(entries.collect::<Map<_, _>>())
}
