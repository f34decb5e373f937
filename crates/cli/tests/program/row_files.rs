//! The table of `--rows`: to files, links, pipes and standard output, and where it fails.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::support::{Folder, noise, program, refused, stderr, stdout};

const N: usize = 20;

fn with_points() -> Folder {
    let folder = Folder::new();
    folder.npy("x.npy", &noise(N * 3, 1), N, 3);
    folder
}

/// The row numbers and potentials of a table of one set.
fn table(bytes: &[u8]) -> Vec<[f64; 2]> {
    assert!(bytes.starts_with(b"\x93NUMPY\x01\x00"));
    let values = &bytes[10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]))..];
    let values: Vec<_> =
        values.chunks_exact(8).map(|value| f64::from_le_bytes(value.try_into().unwrap())).collect();
    values.chunks_exact(2).map(|row| [row[0], row[1]]).collect()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

/// A script of bash with the program as `$0`.
fn bash(folder: &Folder, script: &str) -> Output {
    let mut bash = Command::new("bash");
    bash.args(["-c", script, env!("CARGO_BIN_EXE_unisphere")]).current_dir(folder.path()).output().unwrap()
}

/// The folder, and what it is to hold beside the points.
fn holds(folder: &Folder, names: &[&str]) {
    let mut found: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, names);
}

#[test]
fn what_a_killed_run_has_left_is_in_nobodys_way() {
    let folder = with_points();
    // As an earlier version called them, whose processes all have number 1 in a container.
    let script = r#"touch "rows.npy.$$.part" && exec "$0" eval x.npy --device cpu --rows rows.npy"#;
    for _ in 0..2 {
        let output = bash(&folder, script);
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
    }
    let rows = table(&fs::read(folder.path().join("rows.npy")).unwrap());
    assert!(rows.iter().enumerate().all(|(row, values)| values[0] == row as f64), "{rows:?}");
    assert_eq!(rows.len(), N);
}

#[test]
fn it_has_the_permissions_of_what_it_replaces() {
    let folder = with_points();
    let path = folder.path().join("rows.npy");
    for expected in [0o600, 0o640, 0o666] {
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(expected)).unwrap();
        assert!(folder.eval(&["x.npy", "--rows", "rows.npy"]).status.success());
        assert_eq!((mode(&path), table(&fs::read(&path).unwrap()).len()), (expected, N));
    }
    // A new one has those of any file that a program makes.
    fs::remove_file(&path).unwrap();
    let script = r#"umask 027; exec "$0" eval x.npy --device cpu --rows rows.npy"#;
    assert!(bash(&folder, script).status.success());
    assert_eq!(mode(&path), 0o640);
}

#[test]
fn links_are_followed_be_there_a_file_or_not() {
    let folder = with_points();
    fs::create_dir(folder.path().join("deep")).unwrap();
    symlink("deep/file.npy", folder.path().join("link.npy")).unwrap();
    symlink("link.npy", folder.path().join("to_link.npy")).unwrap();
    for _ in 0..2 {
        let output = folder.eval(&["x.npy", "--rows", "to_link.npy"]);
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
        assert!(
            folder.path().join("link.npy").is_symlink() && folder.path().join("to_link.npy").is_symlink()
        );
        assert_eq!(table(&fs::read(folder.path().join("deep/file.npy")).unwrap()).len(), N);
    }
    holds(&folder, &["deep", "link.npy", "to_link.npy", "x.npy"]);
    symlink("loop.npy", folder.path().join("loop.npy")).unwrap();
    refused(&folder.eval(&["x.npy", "--rows", "loop.npy"]), 3, &["loop.npy", "cannot be written"]);
}

#[test]
fn standard_output_takes_it_and_stderr_the_report() {
    let folder = with_points();
    for name in ["-", "/dev/stdout", "/dev/fd/1"] {
        let output = folder.eval(&["x.npy", "--rows", name]);
        assert!(output.status.success() && stderr(&output).contains("uniformity"), "{}", stderr(&output));
        assert_eq!(table(&output.stdout).len(), N, "{name}");
    }
    let json: serde_json::Value =
        serde_json::from_slice(&folder.eval(&["x.npy", "--rows", "-", "--json"]).stderr).unwrap();
    assert_eq!(json["rows_file"]["path"], "/dev/stdout");
    // A file that a shell has opened is written where it is.
    let script = r#""$0" eval x.npy --device cpu --rows - > out.npy 2>/dev/null"#;
    assert!(bash(&folder, script).status.success());
    assert_eq!(table(&fs::read(folder.path().join("out.npy")).unwrap()).len(), N);
    holds(&folder, &["out.npy", "x.npy"]);
}

#[test]
fn pipes_and_devices_take_it() {
    let folder = with_points();
    let script = r#""$0" eval x.npy --device cpu --rows >(cat > copy.npy; touch done) > report
        while [ ! -e done ]; do sleep 0.05; done"#;
    assert!(bash(&folder, script).status.success());
    assert_eq!(table(&fs::read(folder.path().join("copy.npy")).unwrap()).len(), N);
    assert!(folder.eval(&["x.npy", "--rows", "/dev/null"]).status.success());
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_at_the_end_leaves_the_report() {
    let folder = with_points();
    let output = folder.eval(&["x.npy", "--rows", "/dev/full"]);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("/dev/full: cannot be written") && text.lines().count() <= 2, "{text}");
    let report = stdout(&output);
    assert!(report.contains("uniformity") && !report.contains("/dev/full"), "{report}");
    // What is no file is named beforehand.
    refused(&folder.eval(&["nothing.npy", "--rows", "."]), 3, &["nothing.npy"]);
    refused(&folder.eval(&["x.npy", "--rows", "."]), 2, &["--rows", "directory"]);
}

#[test]
fn a_closed_stdout_is_told_before_the_work() {
    let folder = with_points();
    for line in
        [r#""$0" eval nothing.npy"#, r#""$0" devices"#, r#""$0" --help"#, r#""$0" plan x.npy --parts 1"#]
    {
        let output = bash(&folder, &format!("{line} >&-"));
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{line}: {text}");
        assert!(text.starts_with("error: stdout is closed") && text.lines().count() == 1, "{text}");
    }
    // What is open, if only to be written away, is not closed.
    for to in ["> /dev/null", "<> /dev/null 1>&0", "2>&-"] {
        assert_eq!(
            bash(&folder, &format!(r#""$0" eval x.npy --device cpu {to}"#)).status.code(),
            Some(0),
            "{to}"
        );
    }
}

#[test]
fn a_report_whose_reader_has_left_is_an_error() {
    let folder = with_points();
    for (line, code) in [(&["eval", "x.npy", "--device", "cpu"][..], 1), (&["devices"], 1), (&["--help"], 0)]
    {
        let mut program = program();
        program.args(line).current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said =
            if code == 0 { "" } else { "error: stdout cannot be written: Broken pipe (os error 32)\n" };
        assert_eq!((output.status.code(), stderr(&output)), (Some(code), said), "{line:?}");
    }
}
