//! The page of several models: which is better, and is the difference real?

mod figures;
mod tables;

use maud::{Markup, html};
use unisphere::{Device, Scaling};
use unisphere_eval::{
    Moved,
    compare::{Bootstrap, ComparePlan, Comparison, Difference, Metric, Model, Place},
};

use crate::{
    frame::{framed, warned},
    number::{count, digits, plain, plural, value},
    warnings::rounded,
};

/// A p-value below which a difference is told as more than chance.
const CHANCE: f64 = 0.05;

/// A comparison, and what the caller alone knows of it. Names and files are shown as they are, so that a caller makes them printable.
#[derive(Clone, Debug)]
pub struct Compared<'a> {
    /// What was measured of every model.
    pub plan: &'a ComparePlan,
    /// Where.
    pub device: &'a Device,
    /// The models, in the order of the comparison.
    pub models: Vec<NamedModel<'a>>,
    /// What rows were left out of models, in a sentence; None where none were.
    pub skipped: Option<String>,
    /// Differences to the baseline that are less than rounding may have made, in a sentence each.
    pub below_rounding: Vec<String>,
    /// Names of models that could not be measured, each with the reason.
    pub failed: Vec<(String, String)>,
    /// The name of the baseline.
    pub baseline: String,
    /// The comparison of the models.
    pub comparison: &'a Comparison,
    /// What intervals of correlations were made of.
    pub bootstrap: Bootstrap,
    /// Seconds that it took, reading included.
    pub seconds: f64,
    /// The program that made it, with its version.
    pub program: String,
}

/// A model with its name.
#[derive(Clone, Debug)]
pub struct NamedModel<'a> {
    /// Its name.
    pub name: String,
    /// Its files under their roles, such as `x`.
    pub files: Vec<(String, String)>,
    /// Its step and its score.
    pub place: Place,
    /// Its numbers.
    pub model: &'a Model,
    /// How far rounding of its points may have moved them.
    pub moved: Vec<Moved>,
    /// The metrics whose difference to the baseline is less than rounding may have made.
    pub below_rounding: Vec<Metric>,
}

/// A comparison as one HTML file.
pub fn compared_page(of: &Compared<'_>) -> String {
    let title = format!("{} compared", plural(of.models.len() as u64, "model"));
    let figures = figures::figures(of);
    let body = html! {
        header { h1 { (title) } (circumstances(of)) }
        section aria-labelledby="summary" {
            h2 id="summary" { "Summary" }
            (verdicts(of))
            (tables::models(of))
        }
        (mind(of))
        @if !figures.is_empty() {
            section aria-labelledby="figures" {
                h2 id="figures" { "Figures" }
                div.figures { @for figure in &figures { (figure.markup()) } }
            }
        }
        section aria-labelledby="numbers" {
            h2 id="numbers" { "All numbers" }
            @for &metric in of.metrics() { (tables::differences(of, metric)) }
            (tables::correlations(of))
            @for &metric in of.metrics() { (tables::steps(of, metric)) }
            (tables::files(of))
        }
        (about(of))
    };
    framed(&title, &body)
}

impl<'a> Compared<'a> {
    /// The metrics that the models have.
    fn metrics(&self) -> &'static [Metric] {
        self.models.first().map_or(&[], |of| of.model.metrics())
    }

    /// The difference of a model to the baseline; None of the baseline itself, and where there is none.
    fn difference(&self, place: usize, metric: Metric) -> Option<Difference> {
        let differences = self.comparison.differences.get(place)?;
        differences.iter().find(|of| of.metric == metric)?.found.ok()
    }

    /// The name of a metric with its parameter.
    fn name(&self, metric: Metric) -> String {
        match metric {
            Metric::Alignment => format!("alignment, α = {}", plain(self.plan.alignment.alpha)),
            Metric::Uniformity => format!("uniformity, t = {} (nats)", plain(self.plan.uniformity.t)),
        }
    }

    fn is_raw(&self) -> bool {
        self.plan.scaling == Scaling::Raw
    }

    fn has_one_width(&self) -> bool {
        self.models.windows(2).all(|two| two[0].model.dims == two[1].model.dims)
    }
}

fn circumstances(of: &Compared<'_>) -> Markup {
    let scaling = if of.is_raw() { "raw rows" } else { "rows scaled to unit length" };
    let alpha = match of.metrics() {
        [_, _] => format!("α = {}, ", plain(of.plan.alignment.alpha)),
        _ => String::new(),
    };
    let software = if of.device.software { " (software)" } else { "" };
    html! {
        dl.circumstances {
            dt { "models" } dd {
                (count(of.models.len() as u64))
                @if !of.failed.is_empty() { "; " (count(of.failed.len() as u64)) " could not be measured" }
            }
            dt { "against" } dd { (of.baseline) }
            dt { "at" } dd { (alpha) "t = " (plain(of.plan.uniformity.t)) ", " (scaling) }
            dt { "device" } dd { (of.device.kind.to_string()) ": " (of.device.name) (software) }
            dt { "time" } dd { (format!("{:.3}", of.seconds)) " s, reading included" }
        }
    }
}

/// Which model is best in each metric, and how it stands to the baseline.
fn verdicts(of: &Compared<'_>) -> Markup {
    html! {
        dl.meaning {
            @for &metric in of.metrics() { (verdict(of, metric)) }
            @if let Some((real, all)) = real(of) {
                dt { (count(real)) " of " (plural(all, "difference")) " to the baseline " (if real == 1 { "is" } else { "are" }) " more than chance" }
                dd {
                    "Those with p (Holm) below 0.05. This p-value is corrected for all differences of the page, so that in at most 5 of 100 such "
                    "pages one of them or more is false."
                }
            }
        }
    }
}

fn verdict(of: &Compared<'_>, metric: Metric) -> Markup {
    let measured = of.models.iter().enumerate().filter_map(|(place, model)| {
        let value = model.model.measured(metric)?.value;
        Some((place, model, value))
    });
    let Some((place, best, least)) = measured.min_by(|a, b| a.2.total_cmp(&b.2)) else { return html! {} };
    html! {
        dt { "Least " (metric.name()) ": " (best.name) ", " (value(least)) }
        dd {
            @match of.difference(place, metric) {
                Some(found) => {
                    (digits(found.paired.value.abs())) " less than the baseline’s, p (Holm) " (tables::p_value(found.p_holm)) ": "
                    @if best.below_rounding.contains(&metric) { "the difference is less than rounding may have made. " }
                    @else if found.p_holm < CHANCE { "the difference is more than chance. " } @else { "the difference may be chance. " }
                }
                None if best.name == of.baseline => { "It is the baseline. " }
                None => { "It cannot be held against the baseline row by row. " }
            }
            @match metric {
                Metric::Alignment => { "Less is better: partners lie closer." }
                Metric::Uniformity => { "Less is better: points are spread more evenly." }
            }
        }
    }
}

/// Differences that are more than chance, and all that there are.
fn real(of: &Compared<'_>) -> Option<(u64, u64)> {
    let differences = of.models.iter().zip(&of.comparison.differences);
    let found = differences.flat_map(|(model, found)| {
        found.iter().filter_map(|of| Some((of.found.ok()?.p_holm, model.below_rounding.contains(&of.metric))))
    });
    let is_real = |(p_holm, is_below_rounding): (f64, bool)| p_holm < CHANCE && !is_below_rounding;
    let (real, all) = found.fold((0, 0), |(real, all), of| (real + u64::from(is_real(of)), all + 1));
    (all > 0).then_some((real, all))
}

fn mind(of: &Compared<'_>) -> Markup {
    let mut found: Vec<String> = Vec::new();
    found.extend(of.failed.iter().map(|(name, reason)| format!("{name} could not be measured: {reason}.")));
    found.extend(of.skipped.clone());
    if of.failed.iter().any(|(name, _)| *name == of.baseline) {
        found.push("The baseline could not be measured, so there are no differences; another model can take its place.".into());
    }
    if of.models.windows(2).any(|two| two[0].model.rows != two[1].model.rows) {
        found.push(
            "The models have different numbers of rows. They were measured on other data, or some of it is missing: only models with the rows of the \
             baseline have a difference to it."
                .into(),
        );
    }
    if !of.has_one_width() && !of.is_raw() {
        found.push(
            "The models have different widths d, and the floor of uniformity differs with them: look at the height above it too.".into(),
        );
    }
    found.extend(
        of.models
            .iter()
            .flat_map(|model| model.moved.iter().map(|moved| format!("{}: {}", model.name, rounded(moved)))),
    );
    found.extend(of.below_rounding.iter().cloned());
    let scored = of.models.iter().filter(|model| model.place.score.is_some()).count();
    if (1..10).contains(&scored) {
        found.push(format!(
            "{} a score: correlations of so few are rough.",
            if scored == 1 { "1 model has".into() } else { format!("{scored} models have") }
        ));
    }
    html! { @if !found.is_empty() { (warned(&found)) } }
}

fn about(of: &Compared<'_>) -> Markup {
    html! {
        section aria-labelledby="about" {
            h2 id="about" { "How it was made" }
            p {
                "Alignment: mean |x − y|^α over the positive pairs. Uniformity: log mean exp(−t|x − x′|²) over the pairs i < j of a set "
                "(U-statistic); of pairs of sets, the mean of both. Metrics after Wang & Isola, "
                cite { "Understanding Contrastive Representation Learning through Alignment and Uniformity on the Hypersphere" }
                ", ICML 2020, arXiv 2005.10242. Intervals are of 95 %, by the jackknife, for rows that were drawn independently. Differences "
                "leave the same row out of both models at once: row i of every model is taken for the same thing. "
                "p-values are those of Student’s t distribution, and p (Holm) is corrected for all differences of the page. "
                "Colours are those of Okabe & Ito (2008)."
            }
            p.note { "Made by " (of.program) "." }
        }
    }
}
