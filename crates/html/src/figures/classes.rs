//! Uniformity within and across groups, as a heat map.

use std::fmt::Write as _;

use maud::{Markup, html};
use unisphere_eval::{
    Report,
    sections::{GroupTable, SetGroups},
};

use super::{Figure, order::of_alike, suffix};
use crate::{
    number::{cut, digits, formula, short},
    plot::units,
    tables::group_names,
};

/// Groups that are shown at most: the largest.
const MAX_SHOWN: usize = 40;
/// Groups whose matrix is a table too.
const MAX_IN_TABLE: usize = 12;
/// Shades between the least and the greatest value.
const SHADES: usize = 12;
/// The width of the figure, of the names at its left, and of the map.
const WIDTH: f64 = 400.0;
const LEFT: f64 = 108.0;
const SIDE: f64 = 284.0;
/// The width of a character of a name, on the safe side.
const CHARACTER: f64 = 8.0;
/// The least height of a line of text.
const LINE: f64 = 12.5;
/// Characters of a name that are shown.
const MAX_CHARACTERS_OF_NAME: usize = 13;

pub(super) fn figures(report: &Report) -> Vec<Figure> {
    let Some(groups) = &report.groups else { return Vec::new() };
    groups.sets.iter().filter_map(|of| figure(report, groups, of)).collect()
}

fn figure(report: &Report, groups: &GroupTable, of: &SetGroups) -> Option<Figure> {
    of.across.as_ref()?;
    let shown = groups.largest(MAX_SHOWN);
    let value = |a: usize, b: usize| of.across_from(shown[a]).get(shown[b]).and_then(|value| value.ok());
    let alike = |a: usize, b: usize| value(a, b).unwrap_or(f64::MIN);
    let order: Vec<_> = of_alike(shown.len(), &alike).into_iter().map(|place| shown[place]).collect();
    let map = Map { groups, of, order };
    let id = format!("classes-{}", of.set);
    let title = format!("Uniformity across groups{}", suffix(report, of.set));
    let [low, high] = map.ends()?;
    let all = groups.labels.len();
    Some(Figure {
        svg: map.svg(&id, &title),
        id,
        title,
        legend: Vec::new(),
        caption: html! {
            span.scale { (digits(low)) " " (scale_bar()) " " (digits(high)) " nats" }
            (formula("Log mean exp(−t|x − x′|²)")) " over the pairs of a row of one group and a row of the other; on the diagonal within "
            "a group. The fuller the colour, the closer they lie. Groups are ordered so that neighbours are alike, downward as from left to right. "
            @if shown.len() < all { "Shown are the " (shown.len()) " largest of " (all) " groups. " }
            @if map.skips_names() { "Names are written where there is room for them. " }
        },
        table: (shown.len() <= MAX_IN_TABLE).then(|| map.table()),
    })
}

/// The matrix across these groups, in this order.
struct Map<'a> {
    groups: &'a GroupTable,
    of: &'a SetGroups,
    order: Vec<usize>,
}

impl Map<'_> {
    fn value(&self, a: usize, b: usize) -> Option<f64> {
        self.of.across_from(self.order[a]).get(self.order[b]).and_then(|value| value.ok())
    }

    fn cells(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        let count = self.order.len();
        let places = (0..count).flat_map(move |a| (0..count).map(move |b| (a, b)));
        places.filter_map(|(a, b)| Some((a, b, self.value(a, b)?)))
    }

    /// The least and the greatest value.
    fn ends(&self) -> Option<[f64; 2]> {
        let values = || self.cells().map(|(.., value)| value);
        let ends = [values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)];
        ends.iter().all(|end| end.is_finite()).then_some(ends)
    }

    /// The side of a cell.
    fn cell(&self) -> f64 {
        SIDE / self.order.len().max(1) as f64
    }

    /// Groups from one name to the next.
    fn step(&self) -> usize {
        (LINE / self.cell()).ceil().max(1.0) as usize
    }

    fn skips_names(&self) -> bool {
        self.step() > 1
    }

    fn svg(&self, id: &str, title: &str) -> Markup {
        let (cell, names) = (self.cell(), group_names(self.groups));
        let name = |group: usize| cut(&names[group], MAX_CHARACTERS_OF_NAME);
        let longest = self.order.iter().map(|&group| name(group).chars().count()).max().unwrap_or(0);
        let below = CHARACTER * (longest as f64 + 1.0);
        let size = format!("0 0 {WIDTH} {}", SIDE + 8.0 + below);
        let description = format!(
            "A square of {0} by {0} cells, of fuller colour for groups that lie closer.",
            self.order.len()
        );
        html! {
            svg viewBox=(size) role="img" aria-labelledby={ (id) "-title " (id) "-desc" } {
                title id={ (id) "-title" } { (title) }
                desc id={ (id) "-desc" } { (description) }
                @for (shade, path) in self.shades().iter().enumerate() {
                    @if !path.is_empty() {
                        path.heat fill-opacity=(opacity(shade)) d=(path) {}
                    }
                }
                rect.frame x=(units(LEFT)) y="4" width=(units(SIDE)) height=(units(SIDE)) {}
                @for (i, &group) in self.order.iter().enumerate().step_by(self.step()) {
                    text.tick x=(units(LEFT - 5.0)) y=(units(4.0 + (i as f64 + 0.5) * cell + 3.5)) text-anchor="end" {
                        (name(group))
                    }
                    @let x = LEFT + (i as f64 + 0.5) * cell + 3.5;
                    text.tick transform=(format!("translate({x:.1} {:.1}) rotate(-90)", SIDE + 9.0)) text-anchor="end" { (name(group)) }
                }
            }
        }
    }

    /// The cells of each shade.
    fn shades(&self) -> Vec<String> {
        let mut paths = vec![String::new(); SHADES];
        let Some([low, high]) = self.ends() else { return paths };
        let cell = self.cell();
        for (a, b, value) in self.cells() {
            let share = if high > low { (value - low) / (high - low) } else { 0.5 };
            let shade = ((share * SHADES as f64) as usize).min(SHADES - 1);
            let (x, y) = (LEFT + b as f64 * cell, 4.0 + a as f64 * cell);
            let _ = write!(paths[shade], "M{x:.2} {y:.2}h{cell:.2}v{cell:.2}h-{cell:.2}z");
        }
        paths
    }

    fn table(&self) -> Markup {
        let names = group_names(self.groups);
        html! {
            table {
                thead { tr {
                    th scope="col" { "group" }
                    @for &group in &self.order { th scope="col" { (names[group]) } }
                } }
                tbody {
                    @for a in 0..self.order.len() {
                        tr {
                            th scope="row" { (names[self.order[a]]) }
                            @for b in 0..self.order.len() {
                                td { @match self.value(a, b) { Some(value) => { (short(value)) } None => { "none" } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn opacity(shade: usize) -> String {
    format!("{:.2}", 0.06 + 0.94 * shade as f64 / (SHADES - 1) as f64)
}

/// The shades from the least to the greatest.
fn scale_bar() -> Markup {
    html! {
        svg.bar viewBox="0 0 96 10" aria-hidden="true" {
            @for shade in 0..SHADES {
                rect.heat x=(8 * shade) y="0" width="8" height="10" fill-opacity=(opacity(shade)) {}
            }
        }
    }
}
