//! The numbers of a protocol, put together as the work that it follows has them.

use serde_json::{Map, Value, json};
use unisphere::{Uniformity, unordered_pairs};

use super::{
    protocol::{Pooling, Settings, Weighed},
    section::{Section, absent, number},
    summary::Summary,
    work::Work,
};
use crate::{
    exit::Failure,
    text::{bold, decimal, plural},
};

struct Published {
    settings: &'static Settings,
    weighed: Weighed,
    alignment: f64,
    uniformity: f64,
    pairs: u64,
}

pub(super) fn measure(work: &mut Work, summary: &Summary) -> Result<Option<Box<dyn Section>>, Failure> {
    let Some(settings) = work.plan.protocol else { return Ok(None) };
    let ([x, y], Some((_, alignment)), Some(mean)) = (&*work.sets, &summary.alignment, summary.mean()) else {
        return Ok(None);
    };
    let (metric, n) = (settings.uniformity, x.points.rows());
    let (uniformity, pairs) = match (settings.pooling, &work.queue) {
        (Pooling::Union, _) => {
            let (within, across) = (unordered_pairs(n), n as u64 * n as u64);
            let cross = work.session.compute("uniformity of both", across, |engine| {
                engine.cross_uniformity(&x.points, &y.points, metric)
            })?;
            let [of_x, of_y] = [0, 1].map(|set| (summary.sets[set].1.value, within));
            (Uniformity::pooled(&[of_x, of_y, (cross, across)]), unordered_pairs(2 * n))
        }
        (Pooling::Queue, Some(queue)) => {
            let across = n as u64 * queue.rows() as u64;
            let cross = work.session.compute("uniformity with the queue", across, |engine| {
                engine.cross_uniformity(&x.points, queue, metric)
            })?;
            let within = unordered_pairs(n);
            (Uniformity::pooled(&[(cross, across), (summary.sets[0].1.value, within)]), across + within)
        }
        _ => (mean, unordered_pairs(work.counted_rows())),
    };
    let (weighed, alignment) = (work.plan.weighed, alignment.value);
    Ok(Some(Box::new(Published { settings, weighed, alignment, uniformity, pairs })))
}

impl Published {
    fn loss(&self) -> Option<f64> {
        self.settings.loss.map(|weight| weight * self.alignment + self.uniformity)
    }
}

impl Section for Published {
    fn json(&self, object: &mut Map<String, Value>) {
        let Settings { name, source, pooling, .. } = self.settings;
        let mut protocol = json!({
            "name": name,
            "source": source,
            "t": number(self.settings.uniformity.t),
            "alpha": number(self.settings.alignment.alpha),
            "pooling": pooling.words(),
            "weights": self.weighed.words(),
            "alignment": number(self.alignment),
            "uniformity": number(self.uniformity),
            "pairs": self.pairs,
        });
        let none = || absent("this protocol has no loss");
        protocol["formula"] = self.settings.formula().map_or_else(none, Value::from);
        protocol["loss"] = self.loss().map_or_else(none, number);
        object.insert("protocol".into(), protocol);
    }

    fn text(&self) -> String {
        let Settings { name, source, pooling, .. } = self.settings;
        let mut lines = vec![
            bold(&format!("protocol {name}")),
            format!("alignment   {}", decimal(self.alignment)),
            format!(
                "uniformity  {}  {}, {}",
                decimal(self.uniformity),
                pooling.words(),
                plural(self.pairs, "pair")
            ),
        ];
        if let (Some(formula), Some(loss)) = (self.settings.formula(), self.loss()) {
            lines.push(format!("loss        {}  {formula}", decimal(loss)));
        }
        if self.settings.weighed == Weighed::Pairs && self.weighed == Weighed::Nothing {
            lines.push("Without --weights, all pairs count as positives.".into());
        }
        lines.push(format!("As {source}."));
        lines.join("\n") + "\n"
    }
}
