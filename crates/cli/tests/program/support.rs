//! Files to measure, the program to run, and the formulas in f64.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// A folder of small .npy files, gone with it.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes rows × dims values of f32, version 1.0, C order.
    pub(crate) fn npy(&self, name: &str, values: &[f32], rows: usize, dims: usize) -> PathBuf {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.write(name, "<f4", &format!("({rows}, {dims})"), &bytes)
    }

    /// Writes one number a row, as many as these bytes hold.
    pub(crate) fn column(&self, name: &str, descr: &str, values: &[u8]) -> PathBuf {
        let size = usize::from(descr.as_bytes()[2] - b'0');
        self.write(name, descr, &format!("({},)", values.len() / size), values)
    }

    pub(crate) fn write(&self, name: &str, descr: &str, shape: &str, values: &[u8]) -> PathBuf {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        let header = format!("{header:<117}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(values);
        let path = self.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The program on the CPU, in this folder.
    pub(crate) fn eval(&self, arguments: &[&str]) -> Output {
        let command = ["eval", "--device", "cpu"].iter().chain(arguments);
        program().args(command).current_dir(self.path()).output().unwrap()
    }

    /// `unisphere compare` on the CPU in this folder, with a cache in it.
    pub(crate) fn compare(&self, arguments: &[&str]) -> Output {
        let command = ["compare", "--device", "cpu"];
        // The user's own cache is no place for tests.
        let is_cached = arguments.iter().any(|argument| ["--cache", "--no-cache"].contains(argument));
        let cache: &[&str] = if is_cached { &[] } else { &["--cache", "cache"] };
        program().args([&command, arguments, cache].concat()).current_dir(self.path()).output().unwrap()
    }

    /// Its one JSON object.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        object(&self.eval(&[arguments, &["--json"]].concat()))
    }
}

pub(crate) fn program() -> Command {
    plain(Command::new(env!("CARGO_BIN_EXE_unisphere")))
}

/// A program that heeds signals, whatever the caller of the tests ignores, as `nohup` does.
#[cfg(unix)]
pub(crate) fn heeding(program: &str) -> Command {
    if !cfg!(target_os = "linux") {
        return plain(Command::new(program));
    }
    let mut command = Command::new("env");
    command.args(["--default-signal=INT,TERM,HUP", program]);
    plain(command)
}

fn plain(mut command: Command) -> Command {
    // As in a container, and without anybody's taste in colours.
    for variable in ["XDG_RUNTIME_DIR", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    command
}

pub(crate) fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

pub(crate) fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

/// A path, or what has some, with slashes as in these tests.
pub(crate) fn slashed(text: &str) -> String {
    text.replace(std::path::MAIN_SEPARATOR, "/")
}

/// stderr with such paths.
pub(crate) fn said(output: &Output) -> String {
    slashed(stderr(output))
}

/// stdout is one object on one line, and stderr has nothing but what a long run says before it starts: a busy machine makes any run long.
pub(crate) fn object(output: &Output) -> Value {
    let is_notice = |line: &&str| line.contains(" pairs: about ") && line.ends_with(" read");
    let said: Vec<_> = stderr(output).lines().filter(|line| !is_notice(line)).collect();
    assert_eq!((output.status.code(), said), (Some(0), vec![]));
    let text = stdout(output).strip_suffix('\n').unwrap();
    assert!(!text.contains('\n'), "{text}");
    serde_json::from_str(text).unwrap()
}

pub(crate) fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Values in (−1, 1) that look random, and are the same in every run.
pub(crate) fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Rows in f64, scaled to unit length where `unit`.
pub(crate) fn rows(values: &[f32], dims: usize, unit: bool) -> Vec<Vec<f64>> {
    let row = |row: &[f32]| {
        let row: Vec<f64> = row.iter().map(|&v| v.into()).collect();
        let length = if unit { row.iter().map(|v| v * v).sum::<f64>().sqrt() } else { 1.0 };
        row.iter().map(|v| v / length).collect()
    };
    values.chunks(dims).map(row).collect()
}

pub(crate) fn distance(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

pub(crate) fn alignment(x: &[Vec<f64>], y: &[Vec<f64>], alpha: f64) -> f64 {
    x.iter().zip(y).map(|(x, y)| distance(x, y).powf(alpha)).sum::<f64>() / x.len() as f64
}

pub(crate) fn kernel(x: &[f64], y: &[f64], t: f64) -> f64 {
    (-t * distance(x, y).powi(2)).exp()
}

pub(crate) fn uniformity(x: &[Vec<f64>], t: f64) -> f64 {
    weighted_uniformity(x, &vec![1.0; x.len()], t)
}

/// Σ wᵢwⱼk(xᵢ, xⱼ) / Σ wᵢwⱼ over i < j, and its log.
pub(crate) fn weighted_uniformity(x: &[Vec<f64>], weights: &[f64], t: f64) -> f64 {
    let n = x.len();
    let pairs = || (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
    let sum: f64 = pairs().map(|(i, j)| weights[i] * weights[j] * kernel(&x[i], &x[j], t)).sum();
    (sum / pairs().map(|(i, j)| weights[i] * weights[j]).sum::<f64>()).ln()
}

pub(crate) fn cross_uniformity(x: &[Vec<f64>], y: &[Vec<f64>], t: f64) -> f64 {
    let sum: f64 = x.iter().flat_map(|x| y.iter().map(move |y| kernel(x, y, t))).sum();
    (sum / (x.len() * y.len()) as f64).ln()
}

/// Row i of x with row j of y for i ≠ j.
pub(crate) fn unpaired_uniformity(x: &[Vec<f64>], y: &[Vec<f64>], t: f64) -> f64 {
    let n = x.len();
    let pairs = (0..n).flat_map(|i| (0..n).filter(move |&j| j != i).map(move |j| (i, j)));
    (pairs.map(|(i, j)| kernel(&x[i], &y[j], t)).sum::<f64>() / (n * (n - 1)) as f64).ln()
}

pub(crate) fn near(value: &Value, expected: f64) {
    let value = value.as_f64().unwrap();
    assert!((value - expected).abs() < 1e-6, "{value} for {expected}");
}

/// Nothing on stdout, one or two lines on stderr.
pub(crate) fn refused(output: &Output, code: i32, parts: &[&str]) {
    let text = &said(output);
    assert_eq!((output.status.code(), stdout(output)), (Some(code), ""), "{text}");
    assert!(text.starts_with("error: ") && text.lines().count() <= 2, "{text}");
    for part in parts {
        assert!(text.contains(part), "'{part}' is not in: {text}");
    }
}
