//! The report as one JSON object on one line.

use serde_json::{Value, json};

use super::report::{Report, Row};
use crate::json::{VERSION, device};

pub(super) fn bench(report: &Report) -> String {
    let skipped = report.skipped.iter().map(|s| json!({"device": s.device, "reason": s.reason}));
    let object = json!({
        "unisphere": VERSION,
        "results": report.rows.iter().map(|row| result(report, row)).collect::<Vec<_>>(),
        "ceilings": ceilings(report),
        "skipped": skipped.collect::<Vec<_>>(),
    });
    format!("{object}\n")
}

fn result(report: &Report, row: &Row) -> Value {
    json!({
        "work": row.work.to_string(),
        "device": device(report.places[row.place].device()),
        "precision": row.precision.to_string(),
        "n": row.size.n,
        "d": row.size.d,
        "seconds": row.seconds,
        "runs": row.runs,
        "tflops": row.rate() / 1e12,
        "ceiling_share": report.share(row),
    })
}

fn ceilings(report: &Report) -> Vec<Value> {
    let of_place = report.places.iter().flat_map(|place| {
        let ceiling =
            |name, rate: f64| json!({"device": device(place.device()), "name": name, "tflops": rate / 1e12});
        place.ceilings.iter().map(move |c| ceiling(c.name, c.rate))
    });
    of_place.collect()
}
