//! What every page has around its sections: its head, with all of its style, and nothing that lies elsewhere.

use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");

/// What a browser may load for the page: nothing. Its style is its own.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// A page of this title and these sections.
pub(crate) fn framed(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    }
    .into_string()
}

/// The section of what a reader is to mind.
pub(crate) fn minded(what: &Markup) -> Markup {
    html! {
        section.mind aria-labelledby="mind" {
            h2 id="mind" { "To be minded" }
            (what)
        }
    }
}

/// The same of a list of warnings.
pub(crate) fn warned(warnings: &[String]) -> Markup {
    minded(&html! { ul { @for warning in warnings { li { (warning) } } } })
}
