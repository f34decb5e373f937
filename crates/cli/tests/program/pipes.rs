//! Signals and pipes.

use std::{
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::support::{Folder, noise, program, stderr};

fn start(folder: &Folder, line: &[&str]) -> Child {
    let mut program = program();
    program.args(line).current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    program.spawn().unwrap()
}

/// 5 · 10¹¹ pairs: seconds on any machine, hours on some.
#[test]
fn an_interrupt_ends_it_with_130() {
    let folder = Folder::new();
    let (rows, dims) = (1_000_000, 4);
    folder.npy("large.npy", &noise(rows * dims, 1), rows, dims);
    let child = start(&folder, &["eval", "large.npy", "--device", "cpu", "--json"]);
    thread::sleep(Duration::from_millis(700));
    interrupt(child);
}

fn interrupt(child: Child) {
    let asked = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    assert_eq!((output.status.code(), stderr(&output)), (Some(130), "interrupted\n"));
    assert!(output.stdout.is_empty());
}

/// In the middle of a run, and of the work that comes before it.
#[test]
fn an_interrupt_ends_a_benchmark_too() {
    for wait in [50, 1500] {
        let child =
            start(&Folder::new(), &["bench", "--sizes", "1000000x8", "--device", "cpu", "--seconds", "60"]);
        thread::sleep(Duration::from_millis(wait));
        interrupt(child);
    }
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let folder = Folder::new();
    folder.npy("x.npy", &noise(20, 1), 10, 2);
    for line in [&["eval", "x.npy", "--device", "cpu"][..], &["devices"], &["--help"], &["bench", "--help"]] {
        let mut child = start(&folder, line);
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""), "{line:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_internal_failure() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = program().arg("--help").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("error: stdout cannot be written"), "{}", stderr(&output));
}
