//! The figures of the page, a file each: from sections of a report to a plot, its legend and a sentence on how to read it.

mod angles;
mod classes;
mod cosines;
mod curve;
mod distances;
mod order;
mod plane;
mod points;
mod potentials;
mod spectrum;

use maud::{Markup, html};
use unisphere::Scaling;
use unisphere_eval::{Report, SetName, sections::Histogram};

pub use plane::{Plane, PlanePoint};

use crate::{
    number::{digits, short, whole},
    warnings::NARROW_MEAN,
};

/// A figure with all that goes with it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Figure {
    /// Its place in the page: a word that no other figure has.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The plot.
    pub svg: Markup,
    /// What its colours and lines stand for; none where there is one kind.
    pub legend: Vec<Key>,
    /// How it is read, and how it was made.
    pub caption: Markup,
    /// Its numbers, to be opened by those who want them.
    pub table: Option<Markup>,
}

/// An entry of a legend.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Key {
    /// The classes of its mark.
    pub class: String,
    /// What it stands for.
    pub text: String,
}

impl Key {
    pub(crate) fn new(class: impl Into<String>, text: impl Into<String>) -> Self {
        Self { class: class.into(), text: text.into() }
    }
}

impl Figure {
    /// The figure as an element of a page.
    pub fn markup(&self) -> Markup {
        html! {
            figure id=(self.id) {
                h3 { (self.title) }
                (self.svg)
                @if !self.legend.is_empty() {
                    ul.legend {
                        @for key in &self.legend {
                            li { (key.mark()) (key.text) }
                        }
                    }
                }
                figcaption { (self.caption) }
                @if let Some(table) = &self.table {
                    details { summary { "The numbers of: " (self.title) } div.wide tabindex="0" { (table) } }
                }
            }
        }
    }
}

impl Key {
    fn mark(&self) -> Markup {
        let path = match self.class.split(' ').next() {
            Some("dots") => "M12 6h0",
            Some("area") => "M0 0H24V12H0Z",
            _ => "M1 6H23",
        };
        html! {
            svg.key viewBox="0 0 24 12" aria-hidden="true" { path class=(self.class) d=(path) {} }
        }
    }
}

/// The figures of the paper that a report has the data of, in their order.
pub(crate) fn of_paper(report: &Report) -> Vec<Figure> {
    let mut figures: Vec<_> = distances::figure(report).into_iter().collect();
    figures.extend(points::figures(report));
    figures.extend(angles::figures(report));
    figures.extend(curve::figure(report));
    figures.extend(plane::figure(report));
    figures
}

/// The others.
pub(crate) fn beyond_paper(report: &Report) -> Vec<Figure> {
    let mut figures = cosines::figures(report);
    figures.extend(spectrum::figure(report));
    figures.extend(potentials::figure(report));
    figures.extend(classes::figures(report));
    figures
}

/// The edges of the parts of a histogram.
fn edges(histogram: &Histogram) -> Vec<f64> {
    let parts = histogram.counts.len();
    let width = (histogram.high - histogram.low) / parts as f64;
    (0..=parts).map(|part| histogram.low + part as f64 * width).collect()
}

/// The counts in percent of their sum.
fn percents(counts: &[u64]) -> Vec<f64> {
    let all = counts.iter().sum::<u64>().max(1) as f64;
    counts.iter().map(|&count| 100.0 * count as f64 / all).collect()
}

/// A histogram as a table, without the empty parts at its ends.
fn table(histogram: &Histogram, value: &str, what: &str) -> Markup {
    let (edges, counts) = (edges(histogram), &histogram.counts);
    let is_full = |count: &u64| *count > 0;
    let first = counts.iter().position(is_full).unwrap_or(0);
    let last = counts.iter().rposition(is_full).map_or(0, |last| last + 1);
    html! {
        table {
            thead { tr { th scope="col" { (value) " from" } th scope="col" { "to" } th scope="col" { (what) } } }
            tbody {
                @for part in first..last {
                    tr { td { (short(edges[part])) } td { (short(edges[part + 1])) } td { (whole(counts[part])) } }
                }
            }
        }
    }
}

/// The class of a set's marks, by its place.
fn of_set(place: usize) -> &'static str {
    if place == 0 { "c1" } else { "c2 dash" }
}

/// The classes of the marks of groups that have a colour of their own.
const GROUP_CLASSES: [&str; 6] = ["c1", "c2 dash", "c3", "c4 dash", "c5", "c6 dash"];

/// The class of a group's marks, by its place among these.
fn of_group(place: usize) -> &'static str {
    GROUP_CLASSES.get(place).copied().unwrap_or("dim")
}

/// That figures of a set whose points are close together show what is small, enlarged.
fn enlarged(report: &Report, set: SetName) -> Option<String> {
    let mean = report.spectrum.iter().flatten().find(|of| of.set == set)?.spectrum.mean_norm();
    (report.scaling == Scaling::Unit && mean > NARROW_MEAN).then(|| {
        format!(
            "Mind that this is enlarged: all points of {set} lie close together, about a mean of length {}. ",
            digits(mean)
        )
    })
}

/// The same of any set.
fn any_enlarged(report: &Report) -> Option<String> {
    report.summary.sets.iter().find_map(|of| enlarged(report, of.set))
}

/// " of x", where there are two sets.
fn suffix(report: &Report, set: SetName) -> String {
    if report.summary.sets.len() > 1 { format!(" of {set}") } else { String::new() }
}
