//! Signals and pipes.

use std::{
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::support::{Folder, heeding, noise, program, stderr};

fn start(folder: &Folder, line: &[&str]) -> Child {
    let mut program = heeding(env!("CARGO_BIN_EXE_unisphere"));
    program.args(line).current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    program.spawn().unwrap()
}

/// A run that takes seconds on any machine, hours on some: 5 · 10¹¹ pairs.
const LONG_RUN: [&str; 5] = ["eval", "large.npy", "--device", "cpu", "--json"];

fn with_large_set() -> Folder {
    let folder = Folder::new();
    let (rows, dims) = (1_000_000, 4);
    folder.npy("large.npy", &noise(rows * dims, 1), rows, dims);
    folder
}

/// In the middle of the work; [`a_shell_ends_its_loop`] has what a shell makes of it.
#[test]
fn a_signal_is_what_it_ends_of() {
    let folder = with_large_set();
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        let child = start(&folder, &LONG_RUN);
        thread::sleep(Duration::from_millis(700));
        interrupt(child, name, number);
    }
}

fn send(name: &str, to: i64) {
    let arguments = [format!("-{name}"), "--".into(), to.to_string()];
    assert!(Command::new("kill").args(arguments).status().unwrap().success());
}

fn interrupt(child: Child, name: &str, number: i32) {
    let asked = Instant::now();
    send(name, child.id().into());
    let output = child.wait_with_output().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    assert_eq!((output.status.signal(), stderr(&output)), (Some(number), "interrupted\n"));
    assert!(output.stdout.is_empty());
}

/// In the middle of a run, and of the work that comes before it.
#[test]
fn an_interrupt_ends_a_benchmark_too() {
    for wait in [50, 1500] {
        let child =
            start(&Folder::new(), &["bench", "--sizes", "1000000x8", "--device", "cpu", "--seconds", "60"]);
        thread::sleep(Duration::from_millis(wait));
        interrupt(child, "INT", 2);
    }
}

/// A shell with the program as `$0`, in a group of processes of its own, as at a terminal.
fn shell(folder: &Folder, script: &str) -> Child {
    let mut shell = heeding("bash");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_unisphere")]).current_dir(folder.path()).process_group(0);
    shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_shell_ends_its_loop() {
    let folder = with_large_set();
    let shell = shell(&folder, r#"for i in 1 2 3; do "$0" eval large.npy --device cpu; echo "$?"; done"#);
    thread::sleep(Duration::from_millis(700));
    send("INT", -i64::from(shell.id()));
    let output = shell.wait_with_output().unwrap();
    assert_eq!((output.status.signal(), stderr(&output)), (Some(2), "interrupted\n"));
    assert!(output.stdout.is_empty());
}

#[test]
fn shells_show_the_codes_that_the_documents_name() {
    let folder = with_large_set();
    let script = r#"for name in INT TERM HUP; do
        "$0" eval large.npy --device cpu & sleep 0.7; kill -s $name $!; wait $!; echo "$name $?"
    done"#;
    // Background jobs of a script ignore Ctrl-C, but for those of a shell with job control.
    let output = shell(&folder, &format!("set -m; {script}")).wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "INT 130\nTERM 143\nHUP 129\n");
}

#[test]
fn a_signal_that_is_ignored_at_the_start_stays_so() {
    let folder = with_large_set();
    for name in ["INT", "HUP", "TERM"] {
        let mut child = shell(&folder, &format!(r#"trap "" {name}; exec "$0" eval large.npy --device cpu"#));
        thread::sleep(Duration::from_millis(700));
        send(name, child.id().into());
        thread::sleep(Duration::from_millis(700));
        assert!(child.try_wait().unwrap().is_none(), "{name}");
        let (other, number) = if name == "TERM" { ("INT", 2) } else { ("TERM", 15) };
        interrupt(child, other, number);
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
