//! Golden values: the bits of what every device computes, as they were recorded.
//!
//! A change that should leave results alone leaves these lines alone. There is one file for each device: the CPU at one
//! instruction set, or a GPU with one version of its driver. Where there is none for a device that is here, the test is
//! ignored and says so. `UNISPHERE_GOLDEN=record cargo test --test golden` writes the files anew and tells what changed.

#![expect(
    clippy::print_stderr,
    reason = "what is ignored and what was recorded is told beside the results of the tests"
)]

mod measure;
#[path = "../support/mod.rs"]
mod support;

use std::{collections::BTreeMap, fmt::Write, fs, path::PathBuf, process::ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use support::random::{normal, on_the_sphere, single};
use unisphere::{Engine, Scaling};

/// The variable that records values instead of comparing them.
const VARIABLE: &str = "UNISPHERE_GOLDEN";

/// Two sets of one shape, as every device sees them.
pub(crate) struct Case {
    name: &'static str,
    pub(crate) rows: usize,
    pub(crate) dims: usize,
    pub(crate) scaling: Scaling,
    pub(crate) x: Vec<f32>,
    pub(crate) y: Vec<f32>,
    /// Whether software GPUs take it too, which are slow.
    on_gpus: bool,
}

/// What was computed: a few numbers, or many of which only a fingerprint is kept.
pub(crate) enum Found {
    Numbers(Vec<f64>),
    Many(Vec<u64>),
}

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for device in support::devices::devices() {
        let engine = match device.engine {
            Ok(engine) => engine,
            Err(problem) => {
                let trial = Trial::test(device.name, move || Err(problem.into()));
                trials.push(trial.with_ignored_flag(device.ignored));
                continue;
            }
        };
        let gpu = device.name != "cpu";
        let file = file_of(&engine);
        let missing = !file.exists() && !recording();
        if missing {
            eprintln!("golden: {} has no recorded values, so its test is ignored", file.display());
        }
        let trial =
            Trial::test(format!("{}: {}", device.name, file.display()), move || check(&engine, gpu, &file));
        trials.push(trial.with_ignored_flag(missing));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn recording() -> bool {
    std::env::var(VARIABLE).is_ok_and(|value| value == "record")
}

/// The file of a device: its instruction set, or its name and its driver's version.
fn file_of(engine: &Engine) -> PathBuf {
    let device = engine.device();
    let adapter = adapters().into_iter().find(|(name, _)| *name == device.name);
    let identity = match adapter {
        Some((name, driver)) => format!("{name} {driver}"),
        None => format!("cpu {}", device.name.rsplit(", ").next().unwrap_or_default()),
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
    let name: String = identity.chars().map(plain).collect();
    let parts: Vec<_> = name.split('-').filter(|part| !part.is_empty()).collect();
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden").join(parts.join("-") + ".txt")
}

/// The names of adapters, and the versions of their drivers.
#[cfg(feature = "gpu")]
fn adapters() -> Vec<(String, String)> {
    unisphere::adapters().into_iter().map(|adapter| (adapter.name, adapter.driver)).collect()
}

#[cfg(not(feature = "gpu"))]
fn adapters() -> Vec<(String, String)> {
    Vec::new()
}

fn check(engine: &Engine, gpu: bool, file: &PathBuf) -> Result<(), Failed> {
    let mut found = BTreeMap::new();
    for case in cases().into_iter().filter(|case| case.on_gpus || !gpu) {
        for (what, values) in measure::all(engine, &case)? {
            let key = format!("{}, {}×{}, {:?}: {what}", case.name, case.rows, case.dims, case.scaling);
            if found.insert(key.clone(), line(&values)).is_some() {
                return Err(format!("two values are named '{key}'").into());
            }
        }
    }
    let recorded = match fs::read_to_string(file) {
        Ok(text) => text.lines().filter_map(|line| line.rsplit_once(" = ")).map(owned).collect(),
        Err(_) => BTreeMap::new(),
    };
    let mut differences = String::new();
    for (key, now) in &found {
        match recorded.get(key) {
            Some(before) if before == now => {}
            Some(before) => write!(differences, "\n{key}\n  was {before}\n  is  {now}")?,
            None => write!(differences, "\n{key}\n  is new: {now}")?,
        }
    }
    for key in recorded.keys().filter(|key| !found.contains_key(*key)) {
        write!(differences, "\n{key}\n  is gone")?;
    }
    if recording() {
        let lines: String = found.iter().map(|(key, line)| format!("{key} = {line}\n")).collect();
        fs::write(file, lines)?;
        eprintln!("golden: {} values in {}{differences}", found.len(), file.display());
        return Ok(());
    }
    if differences.is_empty() { Ok(()) } else { Err(differences.into()) }
}

fn owned((key, line): (&str, &str)) -> (String, String) {
    (key.to_owned(), line.to_owned())
}

fn line(values: &Found) -> String {
    match values {
        Found::Numbers(values) => {
            let each = values.iter().map(|value| format!("{:016x} ({value:.9e})", value.to_bits()));
            each.collect::<Vec<_>>().join(" ")
        }
        Found::Many(bits) => {
            // Fowler, Noll and Vo's hash of all bytes.
            let hash = bits
                .iter()
                .flat_map(|bits| bits.to_le_bytes())
                .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
                    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
                });
            let (first, last) = (bits.first().unwrap_or(&0), bits.last().unwrap_or(&0));
            format!("{} values, hash {hash:016x}, first {first:x}, last {last:x}", bits.len())
        }
    }
}

fn cases() -> Vec<Case> {
    let unit = |name, rows, dims, on_gpus| {
        let values = |seed| single(&on_the_sphere(normal(rows, dims, seed), dims));
        Case { name, rows, dims, scaling: Scaling::Unit, x: values(1), y: values(2), on_gpus }
    };
    let of = |name, rows, dims, scaling, on_gpus, value: &dyn Fn(usize, f64) -> f64| {
        let values = |seed| {
            let normal = normal(rows, dims, seed);
            single(&normal.into_iter().enumerate().map(|(k, v)| value(k, v)).collect::<Vec<_>>())
        };
        Case { name, rows, dims, scaling, x: values(3), y: values(4), on_gpus }
    };
    vec![
        unit("a handful", 5, 3, true),
        unit("few", 64, 16, true),
        unit("more than few", 129, 7, false),
        unit("one panel", 200, 33, true),
        unit("many", 577, 40, true),
        unit("many of one dimension more than a tile", 400, 129, false),
        unit("several panels", 1291, 37, false),
        unit("long rows", 300, 769, false),
        of("about a direction", 500, 24, Scaling::Unit, true, &|k, v| {
            v + if k % 24 == 5 { 3.0 } else { 0.0 }
        }),
        of("of any length", 260, 20, Scaling::Unit, false, &|k, v| v * 10f64.powi((k / 20) as i32 % 7 - 3)),
        of("in a narrow cone", 200, 24, Scaling::Unit, true, &|k, v| {
            2e-3 * v + if k % 24 == 5 { 1.0 } else { 0.0 }
        }),
        of("in tight clusters", 300, 16, Scaling::Unit, false, &|k, v| {
            1e-3 * v + if k / 16 % 4 == k % 16 { 1.0 } else { 0.0 }
        }),
        of("repeated rows", 129, 17, Scaling::Unit, false, &|k, _| ((k % (43 * 17)) as f64).sin()),
        of("raw", 131, 17, Scaling::Raw, true, &|_, v| 0.5 * v),
        of("raw, far from the origin", 150, 20, Scaling::Raw, false, &|_, v| v + 1e3),
        of("raw, long rows", 90, 300, Scaling::Raw, false, &|_, v| 0.1 * v),
        of("raw, several panels", 1100, 9, Scaling::Raw, false, &|_, v| v),
    ]
}
