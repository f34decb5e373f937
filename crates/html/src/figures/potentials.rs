//! How crowded rows are.

use maud::html;
use unisphere_eval::Report;

use super::{Figure, Key, any_enlarged, edges, of_set, percents, suffix, table};
use crate::{
    number::{formula, plain},
    plot::{Axis, Plot},
};

pub(super) fn figure(report: &Report) -> Option<Figure> {
    let sets = &report.figures.as_ref()?.sets;
    let of_sets: Vec<_> = sets.iter().filter_map(|of| Some((of.set, of.potentials.as_ref().ok()?))).collect();
    let low = of_sets.iter().map(|(_, of)| of.low).fold(f64::INFINITY, f64::min);
    let high = of_sets.iter().map(|(_, of)| of.high).fold(f64::NEG_INFINITY, f64::max);
    let heights: Vec<_> = of_sets.iter().map(|(_, of)| percents(&of.counts)).collect();
    let greatest = heights.iter().flatten().copied().fold(0.0, f64::max);
    if of_sets.is_empty() {
        return None;
    }
    let mut plot = Plot::new(
        Axis::linear("potential of a row (nats)", low, high),
        Axis::from_zero("rows in each part (%)", greatest),
    );
    let mut legend = Vec::new();
    for (place, ((set, of), heights)) in of_sets.iter().zip(&heights).enumerate() {
        plot.filled_steps(of_set(place), &edges(of), heights);
        legend.push(Key::new(format!("line {}", of_set(place)), format!("rows{}", suffix(report, *set))));
    }
    let title = "Potentials of the rows";
    let table = html! { @for (set, of) in &of_sets { p { "Set " (set) } (table(of, "potential", "rows")) } };
    Some(Figure {
        id: "potentials".into(),
        title: title.into(),
        svg: plot.svg("potentials", title, "Histogram of how crowded each row is."),
        legend,
        caption: html! {
            "The potential of a row is " (formula("log mean exp(−t|x − x′|²)")) " over all other rows, at t = " (plain(report.summary.metric.t))
            ": the further right, the more crowded its neighbourhood. A tail to the right is a cluster, or copies. Every row counts. "
            (any_enlarged(report).unwrap_or_default())
        },
        table: Some(table),
    })
}
