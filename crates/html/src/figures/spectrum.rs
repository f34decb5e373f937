//! The eigenvalues of the covariance.

use maud::{Markup, html};
use unisphere_eval::{Report, sections::SetSpectrum};

use super::{Figure, Key, any_enlarged, of_set, suffix};
use crate::{
    number::{count, digits, short, value},
    plot::{Axis, Plot},
};

/// Eigenvalues that are drawn at most.
const MAX_DRAWN: usize = 400;
/// Eigenvalues in the table at most.
const MAX_LISTED: usize = 20;
/// The share of the greatest below which eigenvalues are not drawn: they are rounding.
const LEAST_SHARE: f64 = 1e-9;

pub(super) fn figure(report: &Report) -> Option<Figure> {
    let spectra = report.spectrum.as_deref()?;
    let shares: Vec<_> = spectra.iter().map(shares).collect();
    let all = || shares.iter().flatten().map(|point| point[1]);
    let (least, greatest) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
    if greatest <= 0.0 {
        return None;
    }
    let even = 100.0 / report.dims as f64;
    let mut plot = Plot::new(
        directions(report.dims),
        Axis::log("variance (%, logarithmic)", least.min(even) / 1.5, greatest.max(even) * 1.5),
    );
    plot.at_y("ink dots-line", even);
    let mut legend = Vec::new();
    for (place, (of, points)) in spectra.iter().zip(&shares).enumerate() {
        plot.line(of_set(place), drawn(points));
        if points.len() <= 32 {
            plot.dots(of_set(place), points.iter().copied());
        }
        let rank = of.spectrum.effective_rank();
        plot.at_x(&format!("{} thin", of_set(place)), rank);
        let text = format!("variance{}; effective rank {}", suffix(report, of.set), digits(rank));
        legend.push(Key::new(format!("line {}", of_set(place)), text));
    }
    legend.push(Key::new("line ink dots-line", "uniform points: the same in every direction"));
    let title = "Spectrum of the covariance";
    let missing = report.dims - shares.iter().map(Vec::len).max().unwrap_or(0);
    Some(Figure {
        id: "spectrum".into(),
        title: title.into(),
        svg: plot.svg(
            "spectrum",
            title,
            "The share of variance along each principal direction, the greatest first.",
        ),
        legend,
        caption: html! {
            "The share of all variance along each principal direction. Upright lines are at the effective rank: how many directions are in use. "
            @if missing > 0 {
                (count(missing as u64)) " of " (count(report.dims as u64)) " directions have no variance, and are not drawn. "
            }
            @if any_enlarged(report).is_some() { "Shares are of what variance there is, which is little: points lie close together about their mean. " }
            @if report.dims - missing > MAX_DRAWN { "Drawn are " (MAX_DRAWN) " of them, at even steps." }
        },
        table: Some(table(spectra)),
    })
}

/// The axis of the numbers of directions, all of which have a tick where they are few.
fn directions(dims: usize) -> Axis {
    let axis = Axis::linear("principal direction (its number)", 1.0, dims as f64);
    match dims {
        ..=8 => axis.with_ticks(&(1..=dims).map(|direction| direction as f64).collect::<Vec<_>>()),
        _ => axis.with_first(1.0),
    }
}

/// The number of each direction and its share of variance in percent, as far as there is any.
fn shares(of: &SetSpectrum) -> Vec<[f64; 2]> {
    let eigenvalues = of.spectrum.eigenvalues();
    let all: f64 = eigenvalues.iter().sum();
    let least = LEAST_SHARE * eigenvalues.first().copied().unwrap_or(0.0);
    let numbered = eigenvalues.iter().enumerate().filter(|(_, value)| **value > least);
    numbered.map(|(i, value)| [(i + 1) as f64, 100.0 * value / all]).collect()
}

/// So many of the points that a line can be drawn, the first and the last among them.
fn drawn(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let n = points.len();
    if n <= MAX_DRAWN {
        return points.to_vec();
    }
    (0..MAX_DRAWN).map(|i| points[i * (n - 1) / (MAX_DRAWN - 1)]).collect()
}

fn table(spectra: &[SetSpectrum]) -> Markup {
    let longest = spectra.iter().map(|of| of.spectrum.eigenvalues().len()).max().unwrap_or(0);
    html! {
        table {
            thead { tr {
                th scope="col" { "direction" }
                @for of in spectra { th scope="col" { "variance of " (of.set) ", not in %" } }
            } }
            tbody {
                tr { th scope="row" { "effective rank" } @for of in spectra { td { (value(of.spectrum.effective_rank())) } } }
                @if longest > MAX_LISTED {
                    tr { th scope="row" { "the first " (MAX_LISTED) } @for _ in spectra { td {} } }
                }
                @for i in 0..longest.min(MAX_LISTED) {
                    tr {
                        th scope="row" { (i + 1) }
                        @for of in spectra { td { (short(of.spectrum.eigenvalues()[i])) } }
                    }
                }
            }
        }
    }
}
