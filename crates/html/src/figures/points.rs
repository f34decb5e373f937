//! The points on the circle, or as much of them as two directions show: the paper's figures 3 and 4.

use maud::{Markup, html};
use unisphere::Scaling;
use unisphere_eval::{Axes, Report, ShownRow, sections::SetFigures};

use super::{Figure, GROUP_CLASSES, Key, enlarged, of_group, suffix};
use crate::{
    number::{count, percent},
    plot::{Axis, Plot},
    tables::group_names,
};

/// Points that are drawn larger than many are.
const FEW: usize = 200;

pub(super) fn figures(report: &Report) -> Vec<Figure> {
    let sets = report.figures.iter().flat_map(|figures| &figures.sets);
    sets.filter_map(|set| figure(report, set)).collect()
}

fn figure(report: &Report, set: &SetFigures) -> Option<Figure> {
    let shown = set.shown.as_ref().ok()?;
    let radius = shown.iter().flat_map(|row| row.at).map(|value| f64::from(value).abs()).fold(0.0, f64::max);
    // The circle is drawn where points come near it, and where it is all that gives them a size.
    let has_circle = report.scaling == Scaling::Unit && (radius >= 0.5 || set.variance.is_err());
    let limit = if has_circle || radius == 0.0 { 1.05 } else { 1.08 * radius };
    let names = match set.axes.ok()? {
        Axes::Coordinates => ["first coordinate (no unit)", "second coordinate (no unit)"],
        Axes::Principal => ["along the first principal direction (no unit)", "along the second (no unit)"],
    };
    let [x, y] = names.map(|name| Axis::linear(name, -limit, limit));
    let mut plot = Plot::new(x, y).square();
    if has_circle {
        plot.circle("dim", 1.0);
    }
    let legend = draw(&mut plot, report, shown);
    let id = format!("points-{}", set.set);
    let title = format!("Points{} in two dimensions", suffix(report, set.set));
    let description = format!("{} points in the plane of two directions.", count(shown.len() as u64));
    Some(Figure {
        svg: plot.svg(&id, &title, &description),
        id,
        title,
        legend,
        caption: caption(report, set, shown, has_circle),
        table: None,
    })
}

/// Whether rows have labels.
fn has_groups(shown: &[ShownRow]) -> bool {
    shown.iter().any(|row| row.group.is_some())
}

/// Draws the rows: those without a colour of their own first, beneath the others.
fn draw(plot: &mut Plot, report: &Report, shown: &[ShownRow]) -> Vec<Key> {
    let at = |row: &ShownRow| row.at.map(f64::from);
    let size = if shown.len() <= FEW { " large" } else { "" };
    let Some(groups) = report.groups.as_ref().filter(|_| has_groups(shown)) else {
        plot.dots(&format!("c1{size}"), shown.iter().map(at));
        return Vec::new();
    };
    let names = group_names(groups);
    let coloured = groups.largest(GROUP_CLASSES.len());
    let place = |row: &ShownRow| coloured.iter().position(|&group| Some(group) == row.group);
    let others = shown.iter().filter(|row| place(row).is_none());
    plot.dots(&format!("dim faint{size}"), others.map(at));
    let mut legend = Vec::new();
    for (i, &group) in coloured.iter().enumerate() {
        plot.dots(
            &format!("{}{size}", of_group(i)),
            shown.iter().filter(|row| place(row) == Some(i)).map(at),
        );
        legend.push(Key::new(format!("dots {}", of_group(i)), names[group].clone()));
    }
    if coloured.len() < groups.labels.len() {
        let others = groups.labels.len() - coloured.len();
        legend.push(Key::new("dots dim faint", format!("{others} other groups")));
    }
    legend
}

fn caption(report: &Report, set: &SetFigures, rows: &[ShownRow], has_circle: bool) -> Markup {
    let shown = rows.len();
    let variance = match set.variance {
        Ok(share) => html! {
            "These directions show " data value=(format!("{share:?}")) { (percent(share)) } " of all variance. "
        },
        Err(reason) => html! { "They show no variance: " (reason.reason()) ". " },
    };
    html! {
        @match set.axes.unwrap_or(Axes::Principal) {
            Axes::Coordinates => { "The points as they are. " }
            Axes::Principal => { "The two directions in which the points vary most, about their mean. " (variance) "0 is the centre of the sphere. " }
        }
        @if !has_circle { (enlarged(report, set.set).unwrap_or_default()) }
        @if has_groups(rows) { "Groups with a colour are the largest, in this order. " }
        @if has_circle { "The circle is the rim of the sphere. " }
        @if shown < report.rows {
            "Drawn are " (count(shown as u64)) " of " (count(report.rows as u64)) " rows, chosen at random."
        } @else {
            "Every row is drawn."
        }
    }
}
