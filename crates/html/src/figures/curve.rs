//! Uniformity over t, above its floor.

use maud::html;
use unisphere_eval::Report;

use super::{Figure, Key, of_set, suffix};
use crate::{
    number::{maybe, plain, value},
    plot::{Axis, Plot},
};

pub(super) fn figure(report: &Report) -> Option<Figure> {
    let curve = &report.figures.as_ref()?.curve;
    let (first, last) = (curve.first()?, curve.last()?);
    let floors: Vec<_> = curve.iter().filter_map(|point| Some([point.t, point.floor.ok()?])).collect();
    let values = || curve.iter().flat_map(|point| point.sets.iter().copied());
    let least = values().chain(floors.iter().map(|floor| floor[1])).fold(0.0, f64::min);
    let mut plot = Plot::new(
        Axis::log("t (logarithmic, no unit)", first.t, last.t),
        Axis::linear("uniformity (nats)", 1.03 * least, 0.0),
    );
    plot.at_x("dim dots-line", report.summary.metric.t);
    plot.line("ink dots-line", floors.iter().copied());
    let mut legend = Vec::new();
    for (place, set) in report.summary.sets.iter().enumerate() {
        let points = || curve.iter().filter_map(|point| Some([point.t, *point.sets.get(place)?]));
        plot.line(of_set(place), points());
        plot.dots(of_set(place), points());
        legend.push(Key::new(
            format!("line {}", of_set(place)),
            format!("uniformity{}", suffix(report, set.set)),
        ));
    }
    if !floors.is_empty() {
        legend.push(Key::new("line ink dots-line", "floor: the uniform distribution"));
    }
    legend.push(Key::new(
        "line dim dots-line",
        format!("t = {}, of the summary", plain(report.summary.metric.t)),
    ));
    let title = "Uniformity over t";
    let table = html! {
        table {
            thead { tr {
                th scope="col" { "t" }
                @for set in &report.summary.sets { th scope="col" { (set.set) } }
                th scope="col" { "floor" }
            } }
            tbody { @for point in curve { tr {
                td { (plain(point.t)) }
                @for &of in &point.sets { td { (value(of)) } }
                td { (maybe(point.floor)) }
            } } }
        }
    };
    Some(Figure {
        id: "curve".into(),
        title: title.into(),
        svg: plot.svg("curve", title, &format!("Uniformity at {} values of t, with its floor.", curve.len())),
        legend,
        caption: html! {
            "Small t weigh all distances alike, and large ones the closest pairs. A curve that leaves its floor only where t is large "
            "has few pairs too close; one that lies above it everywhere leaves part of the sphere empty."
        },
        table: Some(table),
    })
}
