//! The distances of positive pairs: the paper's figure 3.

use maud::html;
use unisphere::Scaling;
use unisphere_eval::Report;

use super::{Figure, Key, edges, percents, table};
use crate::{
    number::{self, plural, value},
    plot::{Axis, Plot},
};

/// Dimensions from which nearly all uniform points are about at right angles.
const MANY_DIMENSIONS: usize = 30;

pub(super) fn figure(report: &Report) -> Option<Figure> {
    let histogram = report.histograms.as_ref()?.distances.as_ref()?;
    let mean = report.figures.as_ref()?.mean_distance?;
    let alpha = report.summary.alignment.as_ref()?.metric.alpha;
    let heights = percents(&histogram.counts);
    let greatest = heights.iter().copied().fold(0.0, f64::max);
    let unit = report.scaling == Scaling::Unit;
    let mut plot = Plot::new(
        Axis::linear("distance |x − y| of a pair (no unit)", histogram.low, histogram.high),
        Axis::from_zero("pairs in each part (%)", greatest),
    );
    plot.filled_steps("c1", &edges(histogram), &heights);
    if unit {
        plot.at_x("dim dots-line", std::f64::consts::SQRT_2);
    }
    plot.at_x("ink", mean);
    let pairs = histogram.counts.iter().sum();
    let description = format!(
        "Histogram of the distances of {}. Their mean is {}.",
        plural(pairs, "positive pair"),
        number::digits(mean)
    );
    let mut legend = vec![
        Key::new("line c1", plural(pairs, "positive pair")),
        Key::new("line ink", format!("mean {}", number::digits(mean))),
    ];
    if unit {
        let random = if report.dims < MANY_DIMENSIONS { "" } else { ", as most random ones are" };
        legend.push(Key::new("line dim dots-line", format!("√2: points at right angles{random}")));
    }
    let title = "Distances of positive pairs";
    Some(Figure {
        id: "distances".into(),
        title: title.into(),
        svg: plot.svg("distances", title, &description),
        legend,
        caption: html! {
            "Over all pairs that count, without weights. The mean distance is " (value(mean)) "; alignment is the mean of |x − y|" (number::exponent(alpha)) ". The further left, the closer partners lie."
        },
        table: Some(table(histogram, "distance", "pairs")),
    })
}
