//! Values that were estimated from a part of the pairs.

use maud::{Markup, html};
use unisphere_eval::sections::Estimated;

use super::{text, titled};
use crate::number::{percent, plain, short, value, whole};

pub(crate) fn estimates(estimates: &[Estimated]) -> Markup {
    let number = |of: f64| if of.is_nan() { text("none") } else { value(of) };
    let row = |of: &Estimated| {
        let cells = vec![
            text(format!("{} = {}", of.quantity.parameter(), plain(of.parameter))),
            number(of.value),
            number(of.low),
            number(of.high),
            of.row_error.map_or_else(|| text(""), short),
            whole(of.pairs),
            text(percent(of.share)),
        ];
        (text(of.quantity.to_string()), cells)
    };
    let rows: Vec<_> = estimates.iter().map(row).collect();
    let head = ["", "parameter", "value", "from", "to", "error of rows", "pairs", "of all"];
    let note = html! {
        @for sentence in methods(estimates) { p.note { (sentence) } }
        p.note {
            "From, to: hold the value over all pairs. Error of rows: the standard error of the value as one of a sample of rows, which no "
            "number of pairs makes less."
        }
    };
    titled("Estimates and their intervals", &head, &rows, &note)
}

/// How each sort of interval was made, once.
fn methods(estimates: &[Estimated]) -> Vec<String> {
    let mut sentences = Vec::new();
    for of in estimates {
        let sentence = if of.is_of_all_pairs() {
            "100 %: computed from all pairs.".into()
        } else {
            format!(
                "Method: {}, seed {}, {} % confidence over the draw of the pairs, {}.",
                of.method,
                of.seed,
                plain(100.0 * of.confidence),
                if of.proven { "proven for any data" } else { "simulated, not proven" }
            )
        };
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences
}
