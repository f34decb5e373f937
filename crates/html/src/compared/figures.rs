//! The figures of a comparison: the plane, differences and values with their intervals, scores, and steps.

use maud::{Markup, html};
use unisphere_eval::compare::Metric;

use super::{CHANCE, Compared, NamedModel};
use crate::{
    figures::{Figure, Key, Plane, PlanePoint},
    number::{capital, count, cut, plain, value},
    plot::{Axis, Plot, units},
};

/// Models that a figure has a line for at most; all are in the tables.
const MAX_LINES: usize = 30;
/// The height of the line of a model.
const LINE: f64 = 30.0;
/// Characters of a name that are written at most.
const MAX_CHARACTERS_OF_NAME: usize = 40;

/// All that there is data for.
pub(super) fn figures(of: &Compared<'_>) -> Vec<Figure> {
    let each = |make: fn(&Compared<'_>, Metric) -> Option<Figure>| {
        of.metrics().iter().filter_map(move |&metric| make(of, metric))
    };
    let figures = plane(of).into_iter().chain(each(differences)).chain(each(scores)).chain(each(steps));
    figures.chain(each(values)).collect()
}

/// The sets in the plane of alignment and uniformity, as in the paper's figures 5 and 8.
fn plane(of: &Compared<'_>) -> Option<Figure> {
    let point = |named: &NamedModel<'_>| {
        let alignment = named.model.alignment.as_ref()?.value;
        let mut point = PlanePoint::new(&named.name, alignment, named.model.uniformity.value);
        point.score = named.place.score;
        Some(point)
    };
    let steps: Vec<_> =
        of.comparison.trajectory.iter().filter_map(|change| of.models.get(change.model)).collect();
    // Lines are of one training: all models have a step.
    let is_joined = steps.len() == of.models.len();
    let points: Option<Vec<_>> = match is_joined {
        true => steps.into_iter().map(point).collect(),
        false => of.models.iter().map(point).collect(),
    };
    let mut plane = Plane::new(points.filter(|points| !points.is_empty())?);
    plane.joined = is_joined;
    (plane.alpha, plane.t) = (of.plan.alignment.alpha, of.plan.uniformity.t);
    plane.floor = of.models.first().and_then(|named| named.model.floor.ok()).filter(|_| of.has_one_width());
    Some(plane.figure("plane"))
}

/// A number of a model with its interval, where it has one.
struct Line {
    name: String,
    value: f64,
    interval: Option<[f64; 2]>,
    class: &'static str,
}

/// A line below the other for each model: its name, its value and its interval. `zero` is drawn across all.
fn lines(axis: String, zero: Option<f64>, lines: &[Line]) -> Plot {
    let shown = lines.len();
    let ends = lines.iter().flat_map(|line| line.interval.into_iter().flatten().chain([line.value]));
    let ends = ends.chain(zero).filter(|end| end.is_finite());
    let (low, high) =
        ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), end| (low.min(end), high.max(end)));
    let room = 0.06 * (high - low);
    let x = Axis::linear(axis, low - room, high + room);
    let mut plot = Plot::new(x, Axis::linear("models", 0.0, shown.max(1) as f64).with_ticks(&[]));
    plot = plot.inner_height(LINE * shown.max(1) as f64);
    if let Some(zero) = zero {
        plot.at_x("ink dots-line", zero);
    }
    for (place, line) in lines.iter().enumerate() {
        // Below its name.
        let y = (shown - place) as f64 - 0.66;
        if let Some([low, high]) = line.interval {
            plot.line(line.class, [[low, y], [high, y]]);
        }
        let ([x, height], [left, _]) = (plot.place(line.value, y), plot.place(low - room, y));
        plot.mark(html! {
            text.label x=(units(left + 5.0)) y=(units(height - 8.0)) { (cut(&line.name, MAX_CHARACTERS_OF_NAME)) }
            circle class={ "set " (line.class) } cx=(units(x)) cy=(units(height)) r="4.5" {}
        });
    }
    plot
}

/// So many of the lines as a figure has: the last of a training, which all have steps, and else the first; and what is said of it.
fn bounded(of: &Compared<'_>, mut lines: Vec<Line>) -> (Vec<Line>, Markup) {
    let all = lines.len();
    if all <= MAX_LINES {
        return (lines, html! {});
    }
    let is_training = of.comparison.trajectory.len() == of.models.len();
    let which = if is_training { "last" } else { "first" };
    if is_training {
        lines.drain(..all - MAX_LINES);
    } else {
        lines.truncate(MAX_LINES);
    }
    let said = html! { "Of " (count(all as u64)) " models the " (which) " " (MAX_LINES) " are shown; all are in the tables. " };
    (lines, said)
}

/// A figure of lines, as many as there are models.
fn of_models(
    id: String,
    title: String,
    plot: &Plot,
    lines: usize,
    legend: Vec<Key>,
    caption: Markup,
) -> Figure {
    let description = format!("A line for each of {} with its 95 % interval.", models(lines));
    Figure { svg: plot.svg(&id, &title, &description), id, title, legend, caption, table: None }
}

/// Differences to the baseline with their intervals.
fn differences(of: &Compared<'_>, metric: Metric) -> Option<Figure> {
    let line = |(place, named): (usize, &NamedModel<'_>)| {
        let found = of.difference(place, metric)?;
        let is_real = found.p_holm < CHANCE && !named.below_rounding.contains(&metric);
        let (interval, class) =
            (Some([found.paired.low, found.paired.high]), if is_real { "c1" } else { "dim" });
        Some(Line { name: named.name.clone(), value: found.paired.value, interval, class })
    };
    let all: Vec<_> = of.models.iter().enumerate().filter_map(line).collect();
    if all.is_empty() {
        return None;
    }
    let (all, left_out) = bounded(of, all);
    let (name, id) = (metric.name(), format!("differences-{}", metric.name()));
    let title = format!("Difference of {name} to the baseline");
    let plot = lines(format!("difference of {}", of.name(metric)), Some(0.0), &all);
    let mut legend = Vec::new();
    for (class, text) in [("c1", "p (Holm) below 0.05"), ("dim", "others: may be chance")] {
        if all.iter().any(|line| line.class == class) {
            legend.push(Key::new(format!("dots {class}"), text));
        }
    }
    legend.push(Key::new("line ink dots-line", "no difference"));
    let caption = html! {
        "Left is better than the baseline, " (of.baseline) ". The lines are paired 95 % intervals, each for itself: models may differ although the "
        "intervals of their values overlap, as what makes a row hard is hard for both. " (left_out)
    };
    Some(of_models(id, title, &plot, all.len(), legend, caption))
}

/// Values with their intervals.
fn values(of: &Compared<'_>, metric: Metric) -> Option<Figure> {
    let line = |named: &NamedModel<'_>| {
        let found = named.model.measured(metric)?;
        let interval = found.low.ok().zip(found.high.ok()).map(|(low, high)| [low, high]);
        Some(Line { name: named.name.clone(), value: found.value, interval, class: "c1" })
    };
    let all: Option<Vec<_>> = of.models.iter().map(line).collect();
    let all = all.filter(|all| !all.is_empty())?;
    let (all, left_out) = bounded(of, all);
    let id = format!("values-{}", metric.name());
    let title = format!("{} of each model", capital(metric.name()));
    let plot = lines(of.name(metric), None, &all);
    let caption = html! {
        "Left is better. The lines are 95 % intervals of each model alone. Whether two models differ is told by the paired differences. "
        (left_out)
    };
    Some(of_models(id, title, &plot, all.len(), Vec::new(), caption))
}

/// A metric beside the score.
fn scores(of: &Compared<'_>, metric: Metric) -> Option<Figure> {
    let point = |named: &NamedModel<'_>| Some([named.model.measured(metric)?.value, named.place.score?]);
    let points: Vec<_> = of.models.iter().filter_map(point).collect();
    if points.len() < 2 {
        return None;
    }
    let [x, y] = [0, 1].map(|side| around(points.iter().map(|point| point[side])));
    let mut plot = Plot::new(
        Axis::linear(of.name(metric), x[0], x[1]),
        Axis::linear("score (its own unit)", y[0], y[1]),
    );
    plot.dots("c1 large", points.iter().copied());
    let correlation = of.comparison.correlations.iter().find(|found| found.metric == metric);
    let spearman = correlation.and_then(|found| found.with_score.spearman.ok());
    let (id, title) =
        (format!("scores-{}", metric.name()), format!("{} and the score", capital(metric.name())));
    Some(Figure {
        svg: plot.svg(&id, &title, &format!("{} by {} and score.", models(points.len()), metric.name())),
        id,
        title,
        legend: Vec::new(),
        caption: html! {
            "A point is a model. "
            @if let Some(found) = spearman {
                "Spearman’s ρ is " (value(found.value))
                @if let (Ok(low), Ok(high)) = (found.low, found.high) { ", 95 % from " (value(low)) " to " (value(high)) }
                ". "
            }
            "Where the metric foretells the score, points fall from the upper left to the lower right."
        },
        table: None,
    })
}

/// A metric over the steps.
fn steps(of: &Compared<'_>, metric: Metric) -> Option<Figure> {
    let named = of.comparison.trajectory.iter().filter_map(|change| of.models.get(change.model));
    let points: Vec<_> =
        named.filter_map(|named| Some((named.place.step?, named.model.measured(metric)?))).collect();
    let ends = points.iter().flat_map(|(_, of)| [Some(of.value), of.low.ok(), of.high.ok()]).flatten();
    let y = around(ends);
    let (first, last) = (points.first()?.0, points.last()?.0);
    let mut plot = Plot::new(Axis::linear("step", first, last), Axis::linear(of.name(metric), y[0], y[1]));
    for (step, found) in &points {
        if let (Ok(low), Ok(high)) = (found.low, found.high) {
            plot.line("c1 thin", [[*step, low], [*step, high]]);
        }
    }
    let line = || points.iter().map(|(step, found)| [*step, found.value]);
    plot.line("c1", line());
    plot.dots("c1 large", line());
    let (id, title) =
        (format!("steps-{}", metric.name()), format!("{} over the steps", capital(metric.name())));
    Some(Figure {
        svg: plot.svg(
            &id,
            &title,
            &format!("{} from step {} to {}.", models(points.len()), plain(first), plain(last)),
        ),
        id,
        title,
        legend: Vec::new(),
        caption: html! { "Lower is better. Upright lines are 95 % intervals of each model alone." },
        table: None,
    })
}

/// A little more than the range of values.
fn around(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let room = 0.08 * (high - low);
    [low - room, high + room]
}

fn models(number: usize) -> String {
    crate::number::plural(number as u64, "model")
}
