//! No n × n matrix, ever: a large set within a small memory.
#![cfg(target_os = "linux")]

use std::process::Command;

use unisphere::{Embeddings, Engine, Uniformity};

const ROWS: usize = 65_536;
const DIMS: usize = 128;
const LIMIT_MIB: u64 = 400;

/// Set in the process that is measured: which of the two to compute.
const WORK: &str = "UNISPHERE_MEMORY_TEST";

#[test]
fn of_the_value() {
    measure("of_the_value", "value");
}

#[test]
#[ignore = "half a minute; the value is measured always"]
fn of_the_gradient() {
    measure("of_the_gradient", "gradient");
}

/// Runs this program again with only `test`, which then works in a process of its own.
fn measure(test: &str, work: &str) {
    if std::env::var_os(WORK).is_some() {
        return compute(work);
    }
    let program = std::env::current_exe().expect("a running program has a path");
    let run = Command::new(program)
        .args(["--exact", test, "--nocapture", "--include-ignored"])
        .env(WORK, work)
        .output()
        .expect("the program runs again");
    let said = String::from_utf8_lossy(&run.stdout);
    let peak =
        said.split("peak ").nth(1).and_then(|rest| rest.split(" kB").next()?.trim().parse::<u64>().ok());
    let peak =
        peak.unwrap_or_else(|| panic!("no peak in: {said}{}", String::from_utf8_lossy(&run.stderr))) / 1024;
    assert!(peak < LIMIT_MIB, "the {work} of {ROWS} × {DIMS} took {peak} MiB of {LIMIT_MIB}");
    assert!(peak >= (ROWS * DIMS * 4 / (1 << 20)) as u64, "{peak} MiB cannot hold the points");
}

#[expect(clippy::print_stdout, reason = "how the measured process reports")]
fn compute(work: &str) {
    let mut state = 1u32;
    let values: Vec<f32> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state as f32 / u32::MAX as f32 - 0.5
    })
    .take(ROWS * DIMS)
    .collect();
    let engine = Engine::cpu();
    let points = Embeddings::new(values, ROWS, DIMS).expect("points");
    let x = engine.upload_owned(points).expect("points on the CPU");
    let u = match work {
        "value" => engine.uniformity(&x, Uniformity::default()).expect("a value"),
        _ => {
            let (u, grad) = engine.uniformity_with_grad(&x, Uniformity::default()).expect("a gradient");
            assert!(grad.read().expect("its values").iter().all(|v| v.is_finite()));
            u
        }
    };
    // Points from a cube are almost evenly spread: near −3.9375, the floor in 128 dimensions.
    assert!((-3.95..-3.85).contains(&u), "U = {u}");
    let status = std::fs::read_to_string("/proc/self/status").expect("a Linux process has a status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak memory");
    println!("peak {}", peak.trim());
}
