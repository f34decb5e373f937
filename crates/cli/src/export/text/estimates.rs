//! Values that were estimated from a part of the pairs.

use unisphere_eval::sections::Estimated;

use super::super::table::{Section, Table};
use crate::text::{count, decimal, digits, plain};

pub(in crate::export) fn estimates(estimates: &[Estimated]) -> Section {
    let number = |value: f64| if value.is_nan() { "-".into() } else { decimal(value) };
    let row = |of: &Estimated| {
        let half_width = of.half_width();
        vec![
            of.quantity.to_string(),
            format!("{} = {}", of.quantity.parameter(), plain(of.parameter)),
            number(of.value),
            number(of.low),
            number(of.high),
            if half_width.is_nan() { "-".into() } else { format!("{half_width:.1e}") },
            of.row_error.map_or("-".into(), |error| format!("{error:.1e}")),
            format!("{} ({} %)", count(of.pairs), digits(100.0 * of.share)),
        ]
    };
    let head = ["estimates", "", "value", "from", "to", "half-width", "error of rows", "pairs"];
    let table = Table::new(&head, 2, estimates.iter().map(row).collect());
    let mut methods: Vec<String> = Vec::new();
    for of in estimates {
        let told = if of.is_of_all_pairs() {
            "100 %: computed from all pairs.\n".into()
        } else {
            let proof = if of.proven { "proven for any data" } else { "simulated, not proven" };
            let (method, confidence, seed) = (of.method, plain(100.0 * of.confidence), of.seed);
            format!(
                "From, to: hold the value of all pairs with {confidence} % confidence, {proof}: {method}, seed {seed}.\n"
            )
        };
        if !methods.contains(&told) {
            methods.push(told);
        }
    }
    let below =
        methods.concat() + "Error of rows: the standard error of the value as one of a sample of rows.\n";
    Section { table, below }
}
