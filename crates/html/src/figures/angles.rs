//! How densely points lie around the circle: beneath the points in the paper's figures 3 and 4.

use maud::html;
use unisphere_eval::{Axes, GroupAngles, Report, sections::SetFigures};

use super::{Figure, Key, edges, of_group, percents, suffix, table};
use crate::{
    number::count,
    plot::{Axis, Plot},
    tables::group_names,
};

pub(super) fn figures(report: &Report) -> Vec<Figure> {
    let sets = report.figures.iter().flat_map(|figures| &figures.sets);
    sets.filter_map(|set| figure(report, set)).collect()
}

fn figure(report: &Report, set: &SetFigures) -> Option<Figure> {
    let angles = set.angles.as_ref().ok()?;
    let all = percents(&angles.counts);
    let groups: Vec<_> = set.angles_of_groups.iter().map(|of: &GroupAngles| percents(&of.counts)).collect();
    let greatest = groups.iter().chain([&all]).flatten().copied().fold(0.0, f64::max);
    let mut plot = Plot::new(
        Axis::linear("angle (degrees)", angles.low, angles.high)
            .with_ticks(&[-180.0, -90.0, 0.0, 90.0, 180.0]),
        Axis::from_zero("rows in each 5 degrees (%)", greatest),
    );
    let edges = edges(angles);
    let even = 100.0 / angles.counts.len() as f64;
    let mut legend = Vec::new();
    if groups.is_empty() {
        plot.filled_steps("c1", &edges, &all);
    } else {
        plot.filled_steps("dim", &edges, &all);
        legend.push(Key::new("line dim", "all rows"));
        let names = report.groups.as_ref().map_or(Vec::new(), group_names);
        for (i, (heights, of)) in groups.iter().zip(&set.angles_of_groups).enumerate() {
            plot.steps(of_group(i), &edges, heights);
            legend.push(Key::new(format!("line {}", of_group(i)), names[of.group].clone()));
        }
    }
    plot.at_y("ink dots-line", even);
    legend.push(Key::new("line ink dots-line", "even density"));
    let id = format!("angles-{}", set.set);
    let title = format!("Angular density{}", suffix(report, set.set));
    let description =
        format!("Histogram of the angles of {} rows, in parts of five degrees.", count(report.rows as u64));
    let more = report.groups.as_ref().is_some_and(|of| of.labels.len() > groups.len());
    Some(Figure {
        svg: plot.svg(&id, &title, &description),
        id,
        title,
        legend,
        caption: html! {
            "The angles of all rows "
            @match set.axes.unwrap_or(Axes::Principal) {
                Axes::Coordinates => { "on the circle" }
                Axes::Principal => { "in the plane of the two principal directions" }
            }
            ", about the centre of the sphere, counted from the first axis. Points spread evenly over the sphere are even here; a peak is a direction that "
            "many rows share. "
            @if !groups.is_empty() { "Each group is in percent of its own rows. " }
            @if more { "Drawn are the " (groups.len()) " largest groups, the largest first." }
        },
        table: Some(table(angles, "angle", "rows")),
    })
}
