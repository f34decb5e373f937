//! Sets in the plane of alignment and uniformity, with what can be attained there: the paper's figures 5 and 8.

use maud::{Markup, html};
use unisphere::Scaling;
use unisphere_eval::Report;

use super::{Figure, Key};
use crate::{
    number::{cut, decimal, exponent, plain, value},
    plot::{Axis, Plot, units},
};

/// Points whose names are written beside them at most; those of more are in the table.
const MAX_NAMES: usize = 12;
/// Characters of a name that are written at most.
const MAX_CHARACTERS_OF_NAME: usize = 22;
/// The height of a line of text.
const LINE: f64 = 13.0;
/// Shades of points that have a score.
const SHADES: usize = 5;

/// Sets in the plane of their alignment and uniformity, all measured with the same parameters.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plane {
    /// The sets.
    pub points: Vec<PlanePoint>,
    /// Whether lines join them in their order, as steps of one training.
    pub joined: bool,
    /// Alignment's power.
    pub alpha: f64,
    /// Uniformity's t.
    pub t: f64,
    /// The uniformity of the uniform distribution; None of raw points, which have none.
    pub floor: Option<f64>,
}

/// A set in the plane.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlanePoint {
    /// Its name.
    pub name: String,
    /// Its alignment.
    pub alignment: f64,
    /// Its uniformity.
    pub uniformity: f64,
    /// A number that colours it, such as the accuracy of a task.
    pub score: Option<f64>,
}

impl PlanePoint {
    /// A set of this name, alignment and uniformity, without a score.
    pub fn new(name: impl Into<String>, alignment: f64, uniformity: f64) -> Self {
        Self { name: name.into(), alignment, uniformity, score: None }
    }
}

pub(super) fn figure(report: &Report) -> Option<Figure> {
    let summary = &report.summary;
    let uniformity = summary.mean.map(|mean| mean.value).or(Some(summary.sets.first()?.measured.value))?;
    let by_label = || report.groups.as_ref()?.sets.first()?.alignment.ok().zip(report.groups.as_ref());
    let (name, alignment, alpha) = match (&summary.alignment, by_label()) {
        (Some(of), _) => ("this pair of sets", of.measured.value, of.metric.alpha),
        (None, Some((alignment, groups))) => ("this set", alignment, groups.metric.alpha),
        _ => return None,
    };
    let mut plane = Plane::new(vec![PlanePoint::new(name, alignment, uniformity)]);
    (plane.alpha, plane.t) = (alpha, summary.metric.t);
    plane.floor = summary.floor.ok().filter(|_| report.scaling == Scaling::Unit);
    let mut figure = plane.figure("plane");
    if summary.alignment.is_none() {
        let is_weighted = report.groups.as_ref().is_some_and(|groups| groups.weighted);
        figure.caption = html! {
            "Pairs are rows of one label"
            @if is_weighted { ", each of which counts by the product of the weights of its rows" }
            ". " (figure.caption)
        };
    }
    Some(figure)
}

impl Plane {
    /// The plane of these sets with α = 2 and t = 2, unjoined, without a floor.
    pub fn new(points: Vec<PlanePoint>) -> Self {
        Self { points, joined: false, alpha: 2.0, t: 2.0, floor: None }
    }

    /// The figure; `id` is unique in its page.
    pub fn figure(&self, id: &str) -> Figure {
        let title = "Alignment and uniformity";
        let sets = self.points.len();
        let description = format!(
            "{sets} {} by alignment, from left to right, and uniformity, upward. The best corner is at the lower left.",
            if sets == 1 { "point" } else { "points" }
        );
        Figure {
            id: id.into(),
            title: title.into(),
            svg: self.plot().svg(id, title, &description),
            legend: self.legend(),
            caption: self.caption(),
            table: Some(self.table()),
        }
    }

    fn plot(&self) -> Plot {
        let of =
            |value: fn(&PlanePoint) -> f64| self.points.iter().map(value).filter(|value| value.is_finite());
        let greatest = of(|point| point.alignment).fold(0.0, f64::max);
        let (low, high) = of(|point| point.uniformity)
            .fold((0.0, f64::NEG_INFINITY), |(low, high), value| {
                (f64::min(low, value), f64::max(high, value))
            });
        let x_name = format!("alignment, mean |x − y|{} (no unit)", exponent(self.alpha));
        let y_name = format!("uniformity, t = {} (nats)", plain(self.t));
        let Some(floor) = self.floor else {
            let span = (high - low).abs().max(1e-9);
            let y = Axis::linear(y_name, low - 0.1 * span, (high + 0.1 * span).min(0.0));
            return self.with_points(Plot::new(Axis::from_zero(x_name, greatest), y));
        };
        // Of squared distances the bounds go to 4, and hardly any set beyond the 2 of random partners.
        let most = 2f64.powf(self.alpha);
        let shown = if greatest > 0.55 * most { most } else { 0.55 * most };
        let lowest = low.min(floor);
        let mut plot = Plot::new(Axis::linear(x_name, 0.0, shown), Axis::linear(y_name, lowest * 1.06, 0.0));
        plot.area("region", [[0.0, 0.0], [shown, 0.0], [shown, floor], [0.0, floor]]);
        plot.at_y("ink dots-line", floor);
        if self.has_chance() {
            plot.line("dim dash", [[0.0, 0.0], [-floor / self.t, floor]]);
        }
        self.with_points(plot)
    }

    /// Whether the squared distance of random partners has a bound: by Jensen's inequality it is −U/t at least.
    fn has_chance(&self) -> bool {
        self.alpha == 2.0 && self.floor.is_some()
    }

    fn with_points(&self, mut plot: Plot) -> Plot {
        let at = |point: &PlanePoint| [point.alignment, point.uniformity];
        if self.joined {
            plot.line("c1", self.points.iter().map(at));
        }
        for point in &self.points {
            let [x, y] = plot.place(point.alignment, point.uniformity);
            let class = format!("set {}", self.shade(point.score));
            plot.mark(html! { circle class=(class) cx=(units(x)) cy=(units(y)) r="5" {} });
        }
        if self.points.len() <= MAX_NAMES {
            self.names(&mut plot);
        }
        plot
    }

    /// Writes names beside their points, apart from each other where points meet.
    fn names(&self, plot: &mut Plot) {
        let mut places: Vec<_> =
            self.points.iter().map(|point| (plot.place(point.alignment, point.uniformity), point)).collect();
        places.sort_by(|(a, _), (b, _)| a[1].total_cmp(&b[1]));
        let floor = self.floor.map(|floor| plot.place(0.0, floor)[1]);
        let height = |y: f64| match floor {
            // The line of the floor would strike the name through.
            Some(floor) if (y - floor).abs() < LINE => floor - 5.0,
            _ => y + 4.0,
        };
        let mut heights: Vec<_> = places.iter().map(|([_, y], _)| height(*y)).collect();
        keep_apart(&mut heights, plot.bottom() - 3.0);
        for (([x, _], point), height) in places.into_iter().zip(heights) {
            let name = cut(&point.name, MAX_CHARACTERS_OF_NAME);
            let (anchor, beside) = if x < 230.0 { ("start", x + 9.0) } else { ("end", x - 9.0) };
            plot.mark(html! {
                text.label x=(units(beside)) y=(units(height)) text-anchor=(anchor) { (name) }
            });
        }
    }

    /// The shade of a score among those of all points.
    fn shade(&self, score: Option<f64>) -> String {
        let scores = || self.points.iter().filter_map(|point| point.score);
        let (low, high) =
            (scores().fold(f64::INFINITY, f64::min), scores().fold(f64::NEG_INFINITY, f64::max));
        match score {
            Some(score) if high > low => {
                let share = (score - low) / (high - low);
                format!("shade{}", ((share * SHADES as f64) as usize).min(SHADES - 1))
            }
            Some(_) => format!("shade{}", SHADES - 1),
            None => "c1".into(),
        }
    }

    fn legend(&self) -> Vec<Key> {
        let mut legend = Vec::new();
        if self.floor.is_some() {
            legend.push(Key::new("area region", "attainable"));
            legend.push(Key::new("line ink dots-line", "floor: the uniform distribution"));
        }
        if self.has_chance() {
            legend.push(Key::new("line dim dash", "rows at random lie on it or right of it"));
        }
        let mut scores: Vec<_> = self.points.iter().filter_map(|point| point.score).collect();
        scores.sort_by(f64::total_cmp);
        if let [first, .., last] = scores.as_slice() {
            legend.push(Key::new("dots c2 faint", format!("least score, {}", plain(*first))));
            legend.push(Key::new("dots c2", format!("greatest score, {}", plain(*last))));
        }
        legend
    }

    fn caption(&self) -> Markup {
        html! {
            "Lower left is best: partners close, points even. "
            @if let Some(floor) = self.floor {
                "Alignment lies between 0 and " (plain(2f64.powf(self.alpha))) ", and uniformity between its floor of "
                (value(floor)) " and 0; a finite set may lie a little below the floor. "
                @if self.has_chance() {
                    "Left of the dashed line, alignment = −uniformity/t, pairs are closer than rows of such a set at random. "
                }
            }
            @if self.points.len() > MAX_NAMES { "The names are in the table. " }
            @if self.joined { "Lines join the sets in their order." }
        }
    }

    fn table(&self) -> Markup {
        let has_scores = self.points.iter().any(|point| point.score.is_some());
        html! {
            table {
                thead { tr {
                    th scope="col" { "set" } th scope="col" { "alignment" } th scope="col" { "uniformity" }
                    @if has_scores { th scope="col" { "score" } }
                } }
                tbody { @for point in &self.points { tr {
                    th scope="row" { (point.name) } td { (value(point.alignment)) } td { (value(point.uniformity)) }
                    @if has_scores { td { (point.score.map_or("none".into(), decimal)) } }
                } } }
            }
        }
    }
}

/// Moves heights, which are in order, down and then up again until they are a line of text apart and none is below the lowest.
fn keep_apart(heights: &mut [f64], lowest: f64) {
    let mut least = f64::NEG_INFINITY;
    for height in heights.iter_mut() {
        *height = height.max(least);
        least = *height + LINE;
    }
    let mut most = lowest;
    for height in heights.iter_mut().rev() {
        *height = height.min(most);
        most = *height - LINE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(points: Vec<PlanePoint>) -> Plane {
        Plane { points, joined: true, alpha: 2.0, t: 2.0, floor: Some(-3.9) }
    }

    fn point(name: &str, alignment: f64, uniformity: f64, score: f64) -> PlanePoint {
        PlanePoint { name: name.into(), alignment, uniformity, score: Some(score) }
    }

    #[test]
    fn names_of_points_that_meet_stand_below_each_other() {
        // At the floor, where there is no room below.
        let of = |i: usize| point(&format!("run {i} <b>"), 0.3, -3.9, i as f64);
        let figure = plane((0..5).map(of).collect()).figure("runs");
        let svg = figure.svg.into_string();
        let heights: Vec<f64> = svg
            .split("<text class=\"label\"")
            .skip(1)
            .map(|text| text.split("y=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap())
            .collect();
        assert!(
            heights.len() == 5 && heights.windows(2).all(|pair| pair[1] >= pair[0] + 11.9),
            "{heights:?}"
        );
        assert!(svg.contains("run 4 &lt;b&gt;") && !svg.contains("<b>"));
        // The least score is the faintest, and the greatest the fullest.
        assert!(svg.find("shade0") < svg.find("shade4") && svg.contains("set shade0"));
    }

    #[test]
    fn many_names_and_values_that_are_none_leave_a_figure() {
        let many = (0..40).map(|i| point(&i.to_string(), f64::from(i) / 10.0, -f64::from(i) / 10.0, 1.0));
        let figure =
            plane(many.chain([point("lost", f64::NAN, f64::NEG_INFINITY, f64::NAN)]).collect()).figure("p");
        let svg = figure.svg.into_string();
        assert!(!svg.contains("class=\"label\"") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(figure.table.unwrap().into_string().contains(">lost<"));
        assert!(!plane(Vec::new()).figure("none").svg.into_string().contains("NaN"));
    }
}
