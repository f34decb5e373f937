//! Names from outside, in which there may be anything that a terminal obeys. Windows allows no such names.
#![cfg(unix)]

use crate::support::{Folder, noise, program, stderr, stdout};

/// Sets the title of a terminal, clears it, and begins a line.
const EVIL: &str = "no\u{1b}]0;title\u{7}\u{9b}2J\nsuch";

#[test]
fn nothing_that_a_terminal_obeys_is_printed() {
    let folder = Folder::new();
    let name = format!("{EVIL}.npy");
    let missing = format!("missing{EVIL}.npy");
    folder.npy(&name, &noise(60, 1), 20, 3);
    folder.npy("nan.npy", &[f32::NAN; 60], 20, 3);
    folder.write("short.npy", "<f8", "(3,)", &[0; 24]);
    let zeros = format!("zeros{EVIL}.npy");
    folder.npy(&zeros, &[0.0; 60], 20, 3);
    let rows = format!("rows{EVIL}.npy");
    let journal = format!("journal{EVIL}");
    let plan = format!("plan{EVIL}");
    for line in [
        &["eval", &name][..],
        &["eval", &name, &name, "--rows", &rows, "--t", "1,2"],
        &["eval", &name, "--max-memory", "1G", "--journal", &journal],
        &["eval", &missing],
        &["eval", &name, "nan.npy"],
        &["eval", &zeros],
        &["eval", &name, "--labels", "short.npy"],
        &["eval", &name, "--labels", &missing],
        &["eval", &name, "--weights", &name],
        &["eval", &name, "--member", EVIL],
        &["eval", &name, "--column", EVIL],
        &["eval", &name, "--columns", &format!("{EVIL},b")],
        &["eval", &name, "--device", EVIL],
        &["eval", &name, "--format", EVIL],
        &["eval", &name, "--t", EVIL],
        &["eval", &name, &format!("--{EVIL}")],
        &["eval", &format!("{EVIL}*.csv")],
        &["eval", &name, "--rows", &format!("{missing}/rows.npy")],
        &[EVIL],
        &["plan", &missing, "--parts", "2"],
        &["part", &plan, "1", "--out", "."],
        &["part", "nan.npy", EVIL, "--out", EVIL],
        &["merge", &missing, "."],
        &["man", EVIL],
        &["completions", EVIL],
    ] {
        let output = program().args(line).current_dir(folder.path()).output().unwrap();
        for text in [stdout(&output), stderr(&output)] {
            let obeyed = text.chars().find(|&c| c.is_control() && c != '\n');
            assert_eq!(obeyed, None, "{line:?}: {text:?}");
            assert!(!text.contains("\nsuch"), "{line:?}: {text}");
        }
        // Each says something of it.
        assert!(!line.contains(&name.as_str()) || output.status.success() || !stderr(&output).is_empty());
    }
    // JSON keeps them as they are, in its own way to write them.
    let report = folder.json(&[&name]);
    assert_eq!(report["files"]["x"], name);
}
