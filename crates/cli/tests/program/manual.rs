//! Help, pages for `man`, and what shells complete.

use crate::support::{program, refused, stderr, stdout};

fn printed(line: &[&str]) -> String {
    let output = program().args(line).output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""), "{line:?}");
    stdout(&output).to_owned()
}

/// The long options at the beginnings of lines.
fn options(help: &str) -> Vec<&str> {
    let option = |line: &'_ str| line.trim_start().starts_with('-');
    let lines = help.lines().filter(|line| option(line));
    let long = lines.filter_map(|line| line.split_whitespace().find(|word| word.starts_with("--")));
    long.map(|option| option.trim_end_matches(',')).collect()
}

const MOST_USED: [&str; 10] = [
    "--full",
    "--t",
    "--tau",
    "--labels",
    "--columns",
    "--rows",
    "--tolerance",
    "--max-memory",
    "--device",
    "--json",
];

#[test]
fn the_most_used_options_come_first() {
    let short = printed(&["eval", "-h"]);
    let of_eval = |help| options(help).into_iter().filter(|&option| option != "--help").collect::<Vec<_>>();
    assert_eq!(of_eval(&short), MOST_USED);
    assert!(short.contains("unisphere eval --help has all options"), "{short}");
    assert!(short.lines().count() < 60, "{short}");
    let long = printed(&["eval", "--help"]);
    let all = of_eval(&long);
    assert_eq!(all[..10], MOST_USED);
    for option in ["--sigmoid", "--protocol", "--member", "--journal", "--precision", "--zero-rows"] {
        assert!(all[10..].contains(&option), "{option}: {all:?}");
    }
    assert_eq!(printed(&["help", "eval"]), long);
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = printed(&["completions", shell]);
        for word in ["eval", "merge", "max-memory", "devices"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    refused(&program().args(["completions", "csh"]).output().unwrap(), 2, &["csh", "possible values: bash"]);
}

/// bash itself completes names of commands, options and values.
#[cfg(unix)]
#[test]
fn bash_completes() {
    let complete = |line: &str| {
        let script = r#"
            source <("$0" completions bash) || exit 1
            read -ra COMP_WORDS <<< "$1"; [ "${1: -1}" = " " ] && COMP_WORDS+=("")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$1 COMP_POINT=${#1}
            previous=; [ "$COMP_CWORD" -gt 0 ] && previous=${COMP_WORDS[COMP_CWORD - 1]}
            _unisphere unisphere "${COMP_WORDS[COMP_CWORD]}" "$previous"
            printf '%s\n' "${COMPREPLY[@]}""#;
        let mut bash = std::process::Command::new("bash");
        let output = bash.args(["-c", script, env!("CARGO_BIN_EXE_unisphere"), line]).output().unwrap();
        assert_eq!(stderr(&output), "", "{line}");
        stdout(&output).lines().map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(complete("unisphere ev"), ["eval"]);
    assert_eq!(complete("unisphere eval x.npy --max-m"), ["--max-memory"]);
    assert_eq!(complete("unisphere eval x.npy --zero-rows "), ["error", "skip"]);
    assert_eq!(complete("unisphere completions z"), ["zsh"]);
    let options = complete("unisphere eval --");
    assert!(MOST_USED.iter().all(|option| options.iter().any(|found| found == option)), "{options:?}");
}

#[test]
fn there_is_a_page_of_every_command() {
    let page = printed(&["man"]);
    assert!(page.contains(".TH unisphere 1") && page.contains("unisphere\\-eval(1)"), "{page}");
    for command in ["eval", "plan", "part", "merge", "devices", "bench", "completions", "man"] {
        let page = printed(&["man", command]);
        assert!(page.contains(&format!(".TH unisphere-{command} 1")), "{page}");
        assert!(page.contains(".SH SYNOPSIS") && page.contains(".SH OPTIONS"), "{page}");
    }
    assert!(printed(&["man", "eval"]).contains("max\\-memory"));
    refused(&program().args(["man", "evil"]).output().unwrap(), 2, &["evil", "eval"]);
}
