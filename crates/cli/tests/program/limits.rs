//! A system that gives no threads, or no memory.

use std::{fs, process::Command};

use crate::support::{Folder, noise, refused, stderr, stdout};

fn limited(folder: &Folder, limits: &str, arguments: &str) -> std::process::Output {
    let script = format!(r#"{limits}; exec "$0" {arguments}"#);
    let mut bash = Command::new("bash");
    bash.args(["-c", &script, env!("CARGO_BIN_EXE_unisphere")]).current_dir(folder.path()).output().unwrap()
}

#[test]
fn threads_that_the_system_refuses_are_an_error_with_a_cure() {
    let folder = Folder::new();
    folder.npy("x.npy", &noise(60, 1), 20, 3);
    // Stacks of so many threads take more than this.
    let limits = "ulimit -v 2000000; export RAYON_NUM_THREADS=20000";
    for line in [
        "eval x.npy --device cpu",
        "bench --device cpu --seconds 0.1",
        "eval x.npy --max-memory 1G --device cpu",
    ] {
        let output = limited(&folder, limits, line);
        refused(&output, 5, &["no more threads", "RAYON_NUM_THREADS"]);
    }
    let output = limited(&folder, "ulimit -v 2000000; export RAYON_NUM_THREADS=2", "eval x.npy --device cpu");
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
}

/// A sparse file of f32 zeros or of bytes, whatever its length.
fn sparse(folder: &Folder, name: &str, descr: &str, rows: u64, dims: u64) {
    let path = folder.write(name, descr, &format!("({rows}, {dims})"), &[]);
    let length = path.metadata().unwrap().len() + rows * dims * u64::from(descr.as_bytes()[2] - b'0');
    fs::File::options().write(true).open(path).unwrap().set_len(length).unwrap();
}

#[test]
fn rows_beyond_memory_are_an_error_with_a_cure() {
    let folder = Folder::new();
    sparse(&folder, "huge.npy", "|u1", 1 << 31, 1);
    let limits = "ulimit -v 2000000; export RAYON_NUM_THREADS=2";
    let output = limited(&folder, limits, "eval huge.npy --raw --estimator v --device cpu");
    refused(&output, 2, &["are free", "--estimator v needs all points in memory"]);
    // What is kept for each row is more than memory, though points are read in pieces.
    for options in ["--full", "--top 5", "--rows rows.npy"] {
        let output = limited(&folder, limits, &format!("eval huge.npy --raw {options} --device cpu"));
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), ""), "{}", stderr(&output));
        let told = stderr(&output);
        assert!(told.contains("of memory are too few") && told.contains("allow more"), "{told}");
    }
    // A list of the rows that are skipped is as long.
    sparse(&folder, "zeros.npy", "|u1", 1 << 28, 2);
    let output = limited(&folder, limits, "eval zeros.npy --zero-rows skip --device cpu");
    assert_eq!((output.status.code(), stdout(&output)), (Some(3), ""), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("zeros.npy") && stderr(&output).contains("memory"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn points_that_memory_has_no_room_for_are_read_in_pieces() {
    let folder = Folder::new();
    let (rows, dims) = (3000, 256);
    folder.npy("x.npy", &noise(rows * dims, 1), rows, dims);
    let whole = folder.json(&["x.npy"])["uniformity"]["x"].as_f64().unwrap();
    sparse(&folder, "huge.npy", "<f4", 1 << 21, 256);
    // Too much for a report, so that the panels are read; which are all zeros.
    let limits = "ulimit -v 2000000; export RAYON_NUM_THREADS=2";
    let output = limited(&folder, limits, "eval huge.npy --device cpu");
    assert!(stderr(&output).contains("read in pieces"), "{}", stderr(&output));
    assert!(stderr(&output).contains("huge.npy: row 0"), "{}", stderr(&output));
    let output = limited(&folder, limits, "eval x.npy --device cpu --json");
    let report: serde_json::Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!(report["uniformity"]["x"].as_f64().unwrap(), whole);
}
