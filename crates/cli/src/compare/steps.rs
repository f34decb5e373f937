//! The step of a model or of a checkpoint, by its name.

use std::path::Path;

use unisphere_io::numbers_apart;

/// What a training keeps beside its steps.
const BESIDE_STEPS: [&str; 3] = ["last", "best", "final"];

/// Whether a file's name has an ending, and not the fraction of a number: `npy` of `step_9.npy`, and none of `v1.2`.
pub(super) fn has_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.to_string_lossy().starts_with(char::is_alphabetic))
}

/// The number behind `step` in a name, or else the last whole number of it, without its ending: 1200 of epoch=3-step=1200.npy. None of what
/// is called last, best or final.
pub(super) fn step(name: &str) -> Option<f64> {
    let stem = stem(name);
    if let Some(step) = behind_step(stem) {
        return Some(step);
    }
    // A folder of a training may be called anything.
    let part = stem.rsplit(['/', '\\']).find(|part| is_beside_steps(part) || number(part).is_some())?;
    number(part).filter(|_| !is_beside_steps(part))
}

/// The steps of models that are to be in their order: the number in which names differ, where they differ in one alone, or that behind
/// `step`. Those that are called last, best or final have none. None where they are no steps of one training.
pub(super) fn steps(names: &[&str]) -> Option<Vec<Option<f64>>> {
    let apart = |names: &[&str]| Some(numbers_apart(names)?.into_iter().map(|step| step as f64).collect());
    let is_numbered = |name: &&str| step(name).is_some();
    let numbered: Vec<_> = names.iter().copied().filter(is_numbered).collect();
    let are_others_beside =
        names.iter().filter(|name| !is_numbered(name)).all(|name| has_part_beside_steps(name));
    if numbered.is_empty() || !are_others_beside {
        return apart(names).map(|steps: Vec<f64>| steps.into_iter().map(Some).collect());
    }
    let steps: Vec<f64> = match numbered.as_slice() {
        [only] => vec![step(only)?],
        _ => apart(&numbered).or_else(|| {
            let steps: Option<Vec<_>> = numbered.iter().map(|name| behind_step(stem(name))).collect();
            // Files of one step each are of several trainings.
            steps.filter(|steps| steps.iter().any(|step| *step != steps[0]))
        })?,
    };
    let mut steps = steps.into_iter();
    Some(names.iter().map(|name| is_numbered(name).then(|| steps.next()).flatten()).collect())
}

fn stem(name: &str) -> &str {
    let ending = Path::new(name).extension().filter(|_| has_ending(Path::new(name)));
    ending.map_or(name, |ending| &name[..name.len() - ending.len() - 1])
}

/// The number behind the last `step` that has one: 900 of `epoch=9-step=900-v1`.
fn behind_step(stem: &str) -> Option<f64> {
    let stem = stem.to_ascii_lowercase();
    stem.rmatch_indices("step").find_map(|(at, word)| {
        let behind = &stem[at + word.len()..];
        let behind = behind.strip_prefix('s').unwrap_or(behind);
        let behind = behind.trim_start_matches(['=', '_', '-', ' ', '.', ':', '/', '\\']);
        behind.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    })
}

/// The last whole number.
fn number(part: &str) -> Option<f64> {
    let mut numbers = part.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    numbers.next_back()?.parse().ok()
}

fn is_beside_steps(part: &str) -> bool {
    let mut words = part.split(|c: char| !c.is_alphabetic());
    words.any(|word| BESIDE_STEPS.iter().any(|beside| word.eq_ignore_ascii_case(beside)))
}

fn has_part_beside_steps(name: &str) -> bool {
    stem(name).rsplit(['/', '\\']).any(is_beside_steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_behind_their_word_or_the_last_numbers() {
        for (name, number) in [
            ("step_100.npy", Some(100.0)),
            ("step_5.F16BIN", Some(5.0)),
            ("step_7.f32", Some(7.0)),
            ("epoch=3-step=1200.safetensors", Some(1200.0)),
            ("epoch=3-step=1200-v1.npy", Some(1200.0)),
            ("best-epoch=3-step=300.npy", Some(300.0)),
            ("global_step00040/x", Some(40.0)),
            ("steps_9_of_10.npy", Some(9.0)),
            ("1200_steps.npy", Some(1200.0)),
            ("checkpoint-500/embeddings.npy", Some(500.0)),
            ("best runs/epoch_3.npy", Some(3.0)),
            ("v1.2/ckpt", Some(2.0)),
            ("ступень7", Some(7.0)),
            ("12", Some(12.0)),
            ("v1.2/last", None),
            ("last.npy", None),
            ("last-v1.npy", None),
            ("run_3/checkpoint-final/x.npy", None),
            ("", None),
        ] {
            assert_eq!(step(name), number, "{name}");
        }
    }

    #[test]
    fn steps_of_several_names() {
        let some =
            |steps: &[f64]| Some(steps.iter().map(|step| (*step > 0.0).then_some(*step)).collect::<Vec<_>>());
        for (names, expected) in [
            (&["a/step_9.npy", "a/step_10.npy"][..], some(&[9.0, 10.0])),
            (&["epoch=9-step=900.npy", "epoch=10-step=1000.npy"], some(&[900.0, 1000.0])),
            (&["epoch=9-step=900.npy", "last.npy", "epoch=0-step=90.npy"], some(&[900.0, 0.0, 90.0])),
            (&["epoch_9.npy", "epoch_10.npy", "final.npy", "last-v1.npy"], some(&[9.0, 10.0, 0.0, 0.0])),
            (&["epoch_9.npy", "best.npy"], some(&[9.0, 0.0])),
            (&["c-5/e.npy", "c-10/e.npy", "c-best/e.npy"], some(&[5.0, 10.0, 0.0])),
            (&["epoch_9.npy", "other.npy"], None),
            (&["last.npy", "best.npy"], None),
            (&["a/step_9.npy", "b/step_9.npy"], None),
            (&["small_1.npy", "large_2.npy"], None),
        ] {
            assert_eq!(steps(names), expected, "{names:?}");
        }
    }
}
