//! What people stumble over with models and checkpoints, in compare and watch: each is told, and the cure that is told works.

use std::fs;

use serde_json::Value;

#[cfg(unix)]
use crate::door::carried_out;
use crate::{
    compare::follows_schema,
    door::{D, N, folder, run},
    support::{Folder, noise, object, refused, stderr, stdout},
};

/// A pattern, or what the shell makes of it, in the place of the folder of a watch.
#[cfg(unix)]
#[test]
fn what_is_no_folder_of_a_watch_has_a_cure() {
    let (folder, x) = folder();
    for name in ["runs 1", "runs 1/step_1", "runs 1/step_2", "ck"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    for name in ["runs 1/step_1/x.npy", "runs 1/step_2/x.npy", "ck/step_9.npy"] {
        folder.npy(name, &x, N, D);
    }
    for name in ["ck/README.md", "ck/config.json"] {
        fs::write(folder.path().join(name), "{}").unwrap();
    }
    let options = ["--once", "--interval", "0.05", "--device", "cpu", "--no-cache"];
    let watched = |folder: &Folder, told: &std::process::Output, end: &str, more: &str| {
        let output = carried_out(folder, told, "unisphere watch", end, more);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        for name in ["runs 1", "ck"] {
            let _ = fs::remove_file(folder.path().join(name).join("watch.csv"));
        }
        stdout(&output).lines().map(|line| line.split("  ").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let steps = ["step_1", "step_2"];
    for (pattern, told) in [
        ("runs 1/*/x.npy", "unisphere watch 'runs 1' --pattern '*/x.npy' takes"),
        ("runs 1/**/x.npy", "unisphere watch 'runs 1' --pattern '*/x.npy' takes"),
        ("runs 1/step_?", "unisphere watch 'runs 1' --pattern 'step_?/x.*' takes"),
        ("runs 1/*", "unisphere watch 'runs 1' takes"),
    ] {
        let output = run(&folder, &["watch", pattern]);
        let eval = format!("unisphere eval '{pattern}' takes all for one set");
        refused(&output, 3, &[&format!("{pattern} is a pattern"), told, &eval]);
        assert_eq!(watched(&folder, &output, " takes", &options.join(" ")), steps, "{pattern}");
    }
    refused(
        &run(&folder, &["watch", "ck/a["]),
        3,
        &["ck/a[ is a pattern", "--pattern, such as 'step_*.npy'"],
    );
    let output = run(&folder, &["watch", "runs 1/step_1/x.npy"]);
    refused(
        &output,
        3,
        &["unisphere watch 'runs 1/step_1' measures", "unisphere eval 'runs 1/step_1/x.npy'"],
    );
    assert_eq!(watched(&folder, &output, " measures", &options.join(" ")), ["x.npy"]);
    let _ = fs::remove_file(folder.path().join("runs 1/step_1/watch.csv"));
    let _ = fs::remove_file(folder.path().join("runs 1/step_1/watch.html"));

    let several = |paths: &[&str], more: &[&str]| run(&folder, &[&["watch"], paths, &options, more].concat());
    let output = several(&["runs 1/step_1", "runs 1/step_2"], &[]);
    refused(
        &output,
        2,
        &["2 paths are named", "that they are in: unisphere watch 'runs 1' --once --interval"],
    );
    assert_eq!(watched(&folder, &output, "\n", ""), steps);
    let output = several(&["ck", "runs 1"], &[]);
    refused(&output, 2, &["2 paths are named", "name each in a line of its own: unisphere watch ck --once"]);
    assert_eq!(watched(&folder, &output, "\n", ""), ["step_9.npy"]);
    let files = ["ck/README.md", "ck/config.json", "ck/step_9.npy"];
    let output = several(&files, &[]);
    refused(&output, 2, &["3 paths are named", "in quotes: unisphere watch ck --pattern '*.npy' --once"]);
    assert_eq!(watched(&folder, &output, "\n", ""), ["step_9.npy"]);
    let output = several(&files, &["--pattern", "step_*.npy"]);
    assert_eq!(stderr(&output).matches("--pattern").count(), 1, "{}", stderr(&output));
    assert_eq!(watched(&folder, &output, "\n", ""), ["step_9.npy"]);
    let output = several(&files[..2], &[]);
    refused(&output, 2, &["unisphere watch ck --pattern '*.json' --once"]);
}

/// A baseline by the end of a path that several models have, or by no name at all.
#[test]
fn a_baseline_is_one_model() {
    let (folder, _) = folder();
    for name in ["a", "b"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::copy(folder.path().join("x.npy"), folder.path().join(name).join("last.npy")).unwrap();
    }
    let models = ["a/last.npy", "b/last.npy"];
    let compared =
        |baseline: &str| folder.compare(&[&models[..], &["--baseline", baseline, "--json"]].concat());
    let told =
        ["--baseline last.npy: the paths of 2 models end so", "name one of them: a/last.npy, b/last.npy"];
    refused(&compared("last.npy"), 2, &told);
    assert_eq!(object(&compared("b/last.npy"))["baseline"], "b/last.npy");
    refused(&compared(""), 2, &["no model has this name", "the models are a/last.npy, b/last.npy"]);
    let one = ["x.npy", "--baseline", ""];
    refused(&folder.compare(&one), 2, &["no model has this name"]);
    // As of checkpoints, with --once and without.
    let watched = ["watch", ".", "--pattern", "*/last.npy", "--device", "cpu", "--no-cache", "--baseline"];
    for more in [&["last.npy"][..], &["last.npy", "--once"]] {
        refused(&run(&folder, &[&watched, more].concat()), 2, &told);
    }
    let output = run(&folder, &[&watched[..], &["b/last.npy", "--once", "--interval", "0.05"]].concat());
    assert!(output.status.success() && !stderr(&output).contains("--baseline"), "{}", stderr(&output));
}

/// A name without its ending, where it is of one alone.
#[test]
fn a_baseline_without_its_ending() {
    let (folder, _) = folder();
    fs::create_dir(folder.path().join("run")).unwrap();
    for name in ["run/step_8.npy", "run/step_9.npy"] {
        fs::copy(folder.path().join("x.npy"), folder.path().join(name)).unwrap();
    }
    let models = ["run/step_8.npy", "run/step_9.npy"];
    for baseline in ["step_9", "run/step_9", "./run/step_9"] {
        let report = folder.compare(&[&models[..], &["--baseline", baseline, "--json"]].concat());
        assert_eq!(object(&report)["baseline"], "run/step_9.npy");
        let line = ["watch", "run", "--once", "--interval", "0.05", "--device", "cpu", "--no-cache"];
        let output = run(&folder, &[&line[..], &["--baseline", baseline]].concat());
        assert!(output.status.success() && !stderr(&output).contains("--baseline"), "{}", stderr(&output));
        let page = fs::read_to_string(folder.path().join("run/watch.html")).unwrap();
        assert!(page.contains("<dt>against</dt><dd>step_9.npy</dd>"));
    }
    refused(
        &folder.compare(&[&models[..], &["--baseline", "step"]].concat()),
        2,
        &["no model has this name"],
    );
    // Of two, each name that is told is one.
    fs::create_dir(folder.path().join("b")).unwrap();
    fs::copy(folder.path().join("x.npy"), folder.path().join("b/step_9.npy")).unwrap();
    let models = ["run/step_8.npy", "run/step_9.npy", "b/step_9.npy"];
    let compared = |name: &str| folder.compare(&[&models[..], &["--baseline", name, "--json"]].concat());
    let told = ["the paths of 2 models end so", "name one of them: run/step_9.npy, b/step_9.npy"];
    refused(&compared("step_9"), 2, &told);
    assert_eq!(object(&compared("b/step_9.npy"))["baseline"], "b/step_9.npy");
}

/// Lightning's names have two numbers, and what is called last, best or final has no step and comes last.
#[test]
fn steps_of_checkpoints_as_lightning_names_them() {
    let (folder, x) = folder();
    fs::create_dir(folder.path().join("ck")).unwrap();
    let names = ["epoch=9-step=900.npy", "last.npy", "epoch=10-step=1000.npy", "best.npy"];
    for (name, seed) in names.iter().zip(1..) {
        folder.npy(&format!("ck/{name}"), &noise(x.len(), seed), N, D);
    }
    let paths = names.map(|name| format!("ck/{name}"));
    let line = paths.iter().map(String::as_str).chain(["--sort", "step", "--json"]).collect::<Vec<_>>();
    let sorted = object(&folder.compare(&line));
    follows_schema(&sorted);
    let models = sorted["models"].as_array().unwrap();
    let found: Vec<_> = models.iter().map(|of| (of["name"].as_str().unwrap(), of["step"].as_f64())).collect();
    let expected = [
        ("ck/epoch=9-step=900.npy", Some(900.0)),
        ("ck/epoch=10-step=1000.npy", Some(1000.0)),
        ("ck/last.npy", None),
        ("ck/best.npy", None),
    ];
    assert_eq!(found, expected);
    let line = ["watch", "ck", "--once", "--interval", "0.05", "--device", "cpu", "--no-cache"];
    let output = run(&folder, &line);
    assert!(output.status.success(), "{}", stderr(&output));
    let mut reader = csv::Reader::from_path(folder.path().join("ck/watch.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    let place = |of: &str| header.iter().position(|name| name == of).unwrap();
    let (name, step) = (place("name"), place("step"));
    let mut lines: Vec<_> = reader
        .records()
        .map(|line| line.unwrap())
        .map(|of| (of[name].to_owned(), of[step].to_owned()))
        .collect();
    lines.sort();
    let expected = [
        ("best.npy", ""),
        ("epoch=10-step=1000.npy", "1000.0"),
        ("epoch=9-step=900.npy", "900.0"),
        ("last.npy", ""),
    ];
    assert_eq!(lines, expected.map(|(name, step)| (name.to_owned(), step.to_owned())));
}

/// A folder for each checkpoint, as Hugging Face writes them: what is said has the pattern that takes their files.
#[cfg(unix)]
#[test]
fn checkpoints_in_folders_are_taken_by_the_cure() {
    let (folder, x) = folder();
    for (step, seed) in [(500, 1), (1000, 2)] {
        let name = format!("runs 1/checkpoint-{step}");
        fs::create_dir_all(folder.path().join(&name)).unwrap();
        folder.npy(&format!("{name}/embeddings.npy"), &noise(x.len(), seed), N, D);
        fs::write(folder.path().join(name).join("config.json"), "{}").unwrap();
    }
    let told = "unisphere watch 'runs 1' --pattern 'checkpoint-*/embeddings.npy' --once --interval 0.05 --device cpu --no-cache takes them";
    let options = ["--once", "--interval", "0.05", "--device", "cpu", "--no-cache"];
    let output = run(&folder, &[&["watch", "runs 1"], &options[..]].concat());
    let said = stderr(&output);
    assert!(
        output.status.success() && said.contains("no checkpoint is there") && said.contains(told),
        "{said}"
    );
    let check = |output: &std::process::Output| {
        let said = stderr(output);
        assert!(output.status.success(), "{said}");
        let names: Vec<_> = stdout(output).lines().map(|line| line.split("  ").next().unwrap()).collect();
        assert_eq!(names, ["checkpoint-500/embeddings.npy", "checkpoint-1000/embeddings.npy"], "{said}");
        for name in ["watch.csv", "watch.html"] {
            fs::remove_file(folder.path().join("runs 1").join(name)).unwrap();
        }
    };
    fs::remove_file(folder.path().join("runs 1/watch.csv")).unwrap_or_default();
    check(&carried_out(&folder, &output, "unisphere watch", " takes", ""));
    // Folders by a pattern, which watch takes none of.
    let output = run(&folder, &[&["watch", "runs 1/checkpoint-*"], &options[..]].concat());
    refused(&output, 3, &["unisphere watch 'runs 1' --pattern 'checkpoint-*/embeddings.npy' --once"]);
    check(&carried_out(&folder, &output, "unisphere watch", " takes", ""));
}

/// What else was given is in the line that is told, but for what it replaces.
#[cfg(unix)]
#[test]
fn cures_of_watch_keep_the_options() {
    let (folder, _) = folder();
    fs::create_dir(folder.path().join("ck")).unwrap();
    for step in [1, 2] {
        fs::copy(folder.path().join("x.npy"), folder.path().join(format!("ck/step_{step}.npy"))).unwrap();
    }
    let options =
        ["--once", "--interval=0.05", "--device", "cpu", "--no-cache", "--html", "my page.html", "--t", "3"];
    let output = run(&folder, &[&["watch", "ck/step_1.npy"], &options[..]].concat());
    let kept = "--once --interval=0.05 --device cpu --no-cache --html 'my page.html' --t 3";
    let told = [
        format!("unisphere watch ck {kept} measures the files in it"),
        "; unisphere eval ck/step_1.npy --device cpu --t 3, this one".into(),
    ];
    refused(&output, 3, &told.each_ref().map(String::as_str));
    let watched = carried_out(&folder, &output, "unisphere watch", " measures", "");
    assert_eq!(
        (watched.status.code(), stdout(&watched).lines().count()),
        (Some(0), 2),
        "{}",
        stderr(&watched)
    );
    assert!(folder.path().join("my page.html").exists());
    let evaluated = carried_out(&folder, &output, "unisphere eval", ", this", "--json");
    let expected = folder.json(&["ck/step_1.npy", "--t", "3"]);
    assert_eq!(object(&evaluated)["uniformity"], expected["uniformity"]);
    // A pattern in the place of the folder replaces that of the option, wherever the folder stands.
    fs::remove_file(folder.path().join("ck/watch.csv")).unwrap();
    let line = [&["watch"], &options[..], &["--pattern", "none", "ck/step_2*"]].concat();
    let output = run(&folder, &line);
    refused(&output, 3, &[&format!("unisphere watch ck --pattern 'step_2*' {kept} takes")]);
    let watched = carried_out(&folder, &output, "unisphere watch", " takes", "");
    assert!(watched.status.success() && stdout(&watched).starts_with("step_2.npy  "), "{}", stderr(&watched));
}

#[test]
fn patterns_of_checkpoints_are_no_sets() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("ck")).unwrap();
    for (step, seed) in [(9, 1), (10, 2), (11, 3)] {
        folder.npy(&format!("ck/step_{step}.npy"), &noise(N * D, seed), N, D);
    }
    // Numbers that follow each other may be parts of one set: it is said what they are taken for.
    let output = folder.compare(&["ck/step_*.npy", "--json"]);
    let told = "warning: ck/step_*.npy is taken for one model, a set in 3 files\nwithout quotes, each file is a model of its own\n";
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), told));
    let unquoted = ["ck/step_10.npy", "ck/step_11.npy", "ck/step_9.npy"];
    let report = object(&folder.compare(&[&unquoted[..], &["--json"]].concat()));
    assert_eq!(report["models"].as_array().unwrap().len(), 3);
    // Sorted by their numbers, which the table then has as steps.
    let sorted = object(&folder.compare(&[&unquoted[..], &["--sort", "step", "--json"]].concat()));
    follows_schema(&sorted);
    let steps =
        |of: &Value| of["models"].as_array().unwrap().iter().map(|of| of["step"].clone()).collect::<Vec<_>>();
    assert_eq!(steps(&sorted), [9.0, 10.0, 11.0].map(Value::from));
    assert_eq!(sorted["trajectory"][2]["name"], "ck/step_11.npy");
    fs::copy(folder.path().join("ck/step_9.npy"), folder.path().join("other.npy")).unwrap();
    let told = ["--sort step: no model has a step", "--runs, or --sort name"];
    refused(&folder.compare(&["ck/step_9.npy", "other.npy", "--sort", "step"]), 2, &told);
    // A gap tells that they are no parts, or that one is missing.
    folder.npy("ck/step_200.npy", &noise(N * D, 4), N, D);
    let told =
        ["ck/step_12.npy is missing", "taken for parts of one set", "without quotes: unisphere compare"];
    refused(&folder.compare(&["ck/step_*.npy"]), 3, &told);
    refused(&folder.eval(&["ck/step_*.npy"]), 3, &told);
    // What is meant for watch, and its cure.
    let told = [
        "ck/step_*.npy is a pattern",
        "unisphere watch ck --pattern 'step_*.npy' --once takes each file as a checkpoint",
    ];
    refused(&run(&folder, &["watch", "ck/step_*.npy", "--once"]), 3, &told);
    let line = [
        "watch",
        "ck",
        "--pattern",
        "step_*.npy",
        "--once",
        "--interval",
        "0.05",
        "--device",
        "cpu",
        "--no-cache",
    ];
    let output = run(&folder, &line);
    assert_eq!((output.status.code(), stdout(&output).lines().count()), (Some(0), 4), "{}", stderr(&output));
}

/// A difference that is less than rounding may have made tells nothing, whatever its p-value, and every form of the report says so.
#[test]
fn differences_below_rounding_are_told() {
    let folder = Folder::new();
    // Two clouds, too far from each other for any mean to help.
    let write = |name: &str, scale: f64| {
        let value = |(at, value): (usize, f32)| {
            let cloud = if (at / 2).is_multiple_of(2) { 0.0 } else { 2e7 };
            cloud + scale * f64::from(value)
        };
        let bytes: Vec<u8> =
            noise(N * 2, 5).into_iter().enumerate().flat_map(|of| value(of).to_le_bytes()).collect();
        folder.write(name, "<f8", &format!("({N}, 2)"), &bytes);
    };
    write("a.npy", 3.0);
    write("b.npy", 2.5);
    let files = ["a.npy", "b.npy", "--raw", "--t", "0.1"];
    let report = object(&folder.compare(&[&files[..], &["--json", "--csv", "models.csv"]].concat()));
    follows_schema(&report);
    let difference = &report["models"][1]["difference"]["uniformity"];
    let [value, by] = ["value", "rounding"].map(|key| difference[key].as_f64().unwrap());
    let bounds: f64 =
        (0..2).map(|model| report["models"][model]["rounding"]["uniformity"].as_f64().unwrap()).sum();
    assert!(value != 0.0 && by > value.abs() && (by - bounds).abs() < 1e-9 * bounds, "{difference}");
    let told = format!(
        "The difference of b.npy in uniformity is less than rounding of the points may have made, {by:.1e}, whatever its p-value."
    );
    for form in [&[][..], &["--markdown"]] {
        let output = folder.compare(&[&files[..], form].concat());
        assert!(stdout(&output).contains(&told), "{}", stdout(&output));
    }
    folder.compare(&[&files[..], &["--html", "page.html"]].concat());
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains(&told), "{told}");
    assert!(page.contains("0 of 1 difference to the baseline are more than chance"));
    let mut reader = csv::Reader::from_path(folder.path().join("models.csv")).unwrap();
    let place =
        reader.headers().unwrap().iter().position(|name| name == "difference.uniformity.rounding").unwrap();
    let found: Vec<_> = reader.records().map(|line| line.unwrap()[place].parse::<f64>().ok()).collect();
    assert_eq!(found, [None, Some(by)]);
    // As steps of a training, too.
    fs::write(folder.path().join("runs.csv"), "name,x,step\na,a.npy,1\nb,b.npy,2\n").unwrap();
    let line = ["--runs", "runs.csv", "--raw", "--t", "0.1"];
    let report = object(&folder.compare(&[&line[..], &["--json"]].concat()));
    follows_schema(&report);
    assert_eq!(report["trajectory"][1]["change"]["uniformity"]["rounding"].as_f64(), Some(by));
    let text = folder.compare(&line);
    assert!(
        stdout(&text).contains("The change of b is less than rounding of the points may have made"),
        "{}",
        stdout(&text)
    );
    // A difference beyond it, and points of few digits, have no such word.
    let near_origin: Vec<u8> =
        noise(N * 2, 6).into_iter().flat_map(|value| f64::from(value).to_le_bytes()).collect();
    folder.write("c.npy", "<f8", &format!("({N}, 2)"), &near_origin);
    let bytes: Vec<u8> =
        noise(N * 2, 7).into_iter().flat_map(|value| (2.0 * f64::from(value)).to_le_bytes()).collect();
    folder.write("d.npy", "<f8", &format!("({N}, 2)"), &bytes);
    let report = object(&folder.compare(&["c.npy", "d.npy", "--raw", "--json"]));
    assert!(report["models"][1]["difference"]["uniformity"].get("rounding").is_none(), "{report}");
}
