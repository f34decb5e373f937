//! The cosines of all pairs, beside those of uniform points.

use maud::html;
use unisphere_eval::{Report, sections::SetFigures};

use super::{Figure, Key, edges, percents, suffix, table};
use crate::{
    number::plural,
    plot::{Axis, Plot},
};

pub(super) fn figures(report: &Report) -> Vec<Figure> {
    let sets = report.figures.iter().flat_map(|figures| &figures.sets);
    sets.filter_map(|set| figure(report, set)).collect()
}

fn figure(report: &Report, set: &SetFigures) -> Option<Figure> {
    let cosines = set.cosines.as_ref().ok()?;
    let heights = percents(&cosines.counts);
    let uniform: Vec<_> = set.uniform_cosines.iter().map(|share| 100.0 * share).collect();
    let greatest = heights.iter().chain(&uniform).copied().fold(0.0, f64::max);
    // Where uniform points would fill a few parts alone, the set is what is to be seen.
    let greatest = greatest.min(6.0 * heights.iter().copied().fold(0.0, f64::max));
    let mut plot = Plot::new(
        Axis::linear("cosine of a pair (no unit)", cosines.low, cosines.high),
        Axis::from_zero("pairs in each part (%)", greatest),
    );
    let edges = edges(cosines);
    plot.filled_steps("c1", &edges, &heights);
    plot.steps("c2 dash", &edges, &uniform);
    let pairs = cosines.counts.iter().sum();
    let id = format!("cosines-{}", set.set);
    let title = format!("Cosines of all pairs{}", suffix(report, set.set));
    let coarse = report.histograms.as_ref().and_then(|all| {
        all.cosines.iter().find(|of| of.set == set.set).and_then(|of| of.histogram.as_ref().ok())
    });
    Some(Figure {
        svg: plot.svg(
            &id,
            &title,
            &format!(
                "Histogram of the cosines of {}, beside the density of uniform points.",
                plural(pairs, "pair")
            ),
        ),
        id,
        title,
        legend: vec![
            Key::new("line c1", plural(pairs, "pair")),
            Key::new("line c2 dash", format!("uniform points in {} dimensions", report.dims)),
        ],
        caption: html! {
            "Every pair of rows counts, in " (cosines.counts.len()) " parts, of which the table joins several. The density of uniform points is proportional to "
            span.formula { "(1 − c²)" sup { "(d−3)/2" } } ". A shift to the right is a cone, a wider peak fewer dimensions, and a rise near 1 rows that are nearly equal."
        },
        table: coarse.map(|coarse| table(coarse, "cosine", "pairs")),
    })
}
