//! The page of a report: its sections in their order.

use maud::{Markup, html};
use unisphere::{Precision, Scaling};
use unisphere_eval::Report;

use crate::{
    figures::{self, Figure},
    frame::{framed, minded, warned},
    known::Known,
    number::{count, plural},
    tables,
    warnings::{nothing, warnings},
};

/// The report as one HTML file. It has a figure for each section that the report has the data of: all of them where the plan
/// wanted [`figures`](unisphere_eval::Plan::figures).
pub fn page(report: &Report, known: &Known) -> String {
    let title = title(known);
    let (paper, beyond) = (figures::of_paper(report), figures::beyond_paper(report));
    let body = html! {
        header {
            h1 { (title) }
            (circumstances(report, known))
        }
        (summary(report))
        (mind(report, known))
        (of_figures("The paper’s figures", "paper", &paper))
        (of_figures("More of the geometry", "geometry", &beyond))
        (rows(report, known))
        (numbers(report))
        (about(report, known))
    };
    framed(&title, &body)
}

fn title(known: &Known) -> String {
    // Without the folders, which are told below.
    let names = |role: &str| {
        let source = known.sources.iter().find(|(of, _)| of == role);
        source.map(|(_, name)| name.rsplit(['/', '\\']).next().unwrap_or(name))
    };
    match (names("x"), names("y")) {
        (Some(x), Some(y)) => format!("Alignment and uniformity of {x} and {y}"),
        (Some(x), None) => format!("Uniformity of {x}"),
        _ => "Alignment and uniformity".into(),
    }
}

fn circumstances(report: &Report, known: &Known) -> Markup {
    let scaling = match report.scaling {
        Scaling::Unit => "scaled to unit length",
        Scaling::Raw => "raw",
    };
    let used: Vec<_> = report.precisions_used.iter().map(Precision::to_string).collect();
    let software = if report.device.software { " (software)" } else { "" };
    html! {
        dl.circumstances {
            @for (role, name) in &known.sources { dt { (role) } dd { (name) } }
            dt { "points" } dd {
                "n = " (count(report.rows as u64)) ", d = " (count(report.dims as u64)) ", " (scaling)
                @if known.skipped_rows > 0 { "; " (plural(known.skipped_rows as u64, "row")) " of zeros left out" }
            }
            @for other in &known.other_devices { dt { "device" } dd { (other) } }
            dt { "device" } dd { (report.device.kind.to_string()) ": " (report.device.name) (software)
                @if !used.is_empty() { ", " (used.join(" and ")) }
            }
            @if report.seconds.is_finite() {
                dt { "time" } dd {
                    (format!("{:.3}", report.seconds)) " s, reading "
                    @if known.seconds_include_reading { "included" } @else { "excluded" }
                }
            }
        }
    }
}

fn summary(report: &Report) -> Markup {
    html! {
        section aria-labelledby="summary" {
            h2 id="summary" { "Summary" }
            (tables::meaning(report))
            (tables::values(report))
            @if let Some(of) = &report.estimates { (tables::estimates(of)) }
            (tables::calibration(&report.summary))
            @if let Some(of) = &report.protocol { (tables::protocol(of)) }
            @if let Some(of) = &report.scores { (tables::scores(of)) }
        }
    }
}

fn mind(report: &Report, known: &Known) -> Markup {
    let found = warnings(report, known);
    html! {
        @if found.is_empty() { (minded(&html! { p { (nothing(report)) } })) } @else { (warned(&found)) }
    }
}

fn of_figures(title: &str, id: &str, figures: &[Figure]) -> Markup {
    html! {
        @if !figures.is_empty() {
            section aria-labelledby=(id) {
                h2 id=(id) { (title) }
                div.figures { @for figure in figures { (figure.markup()) } }
            }
        }
    }
}

fn rows(report: &Report, known: &Known) -> Markup {
    html! {
        @if report.worst_rows.is_some() || report.duplicates.is_some() {
            section aria-labelledby="rows" {
                h2 id="rows" { "Rows to look at" }
                @if let Some(of) = &report.worst_rows { (tables::worst_rows(of, known)) }
                @if let Some(of) = &report.duplicates { (tables::duplicates(of)) }
            }
        }
    }
}

fn numbers(report: &Report) -> Markup {
    let tables = [
        report.groups.as_ref().map(tables::groups),
        report.sweep.as_ref().map(tables::sweep),
        report.contrastive.as_ref().map(tables::contrastive),
        report.sigmoid.as_deref().map(tables::sigmoid),
        report.supcon.as_ref().map(tables::supcon),
        report.retrieval.as_ref().map(tables::retrieval),
        report.modality_gap.as_ref().map(tables::modality_gap),
        report.significance.as_deref().map(tables::significance),
        report.spectrum.as_deref().map(tables::spectrum),
    ];
    html! {
        @if tables.iter().any(Option::is_some) {
            section aria-labelledby="numbers" {
                h2 id="numbers" { "All numbers" }
                @for table in tables.iter().flatten() { (table) }
            }
        }
    }
}

fn about(report: &Report, known: &Known) -> Markup {
    html! {
        section aria-labelledby="about" {
            h2 id="about" { "How it was made" }
            p {
                "Metrics after Wang & Isola, " cite { "Understanding Contrastive Representation Learning through Alignment and Uniformity on the Hypersphere" }
                ", ICML 2020, arXiv 2005.10242. "
                @if report.estimates.is_none() { "Histograms, values and tests are over all rows and pairs that count, and no sample of them. " }
                "Points that are "
                "drawn one by one are chosen at random where there are many, as is said beside them. Uniformity and potentials are in "
                "nats (natural logarithms); distances and cosines of points of unit length have no unit. Colours are those of Okabe & Ito "
                "(2008), with dashes beside them."
            }
            @if !known.program.is_empty() { p.note { "Made by " (known.program) "." } }
        }
    }
}
