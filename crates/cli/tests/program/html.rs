//! The page of `--html`: its numbers beside those of the JSON, markup of others as text, and where it is refused.

use std::fs;

use serde_json::Value;

use crate::support::{Folder, noise, refused, stderr};

const N: usize = 60;

fn folder() -> Folder {
    let folder = Folder::new();
    let mut x = noise(N * 5, 1);
    // One row twice.
    x.copy_within(0..5, 10);
    folder.npy("x.npy", &x, N, 5);
    folder.npy("y.npy", &noise(N * 5, 2), N, 5);
    let labels = (0..N).map(|i| format!("group {}\n", i % 3));
    fs::write(folder.path().join("labels.txt"), labels.collect::<String>()).unwrap();
    folder
}

/// The report as JSON, and its page.
fn told(folder: &Folder, line: &[&str]) -> (Value, String) {
    let report = folder.json(&[line, &["--html", "report.html"]].concat());
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    (report, page)
}

/// The part of a text between two others.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from} in {text}"));
    rest.split_once(to).unwrap().0
}

/// The numbers of a piece of the page, with all their digits.
fn numbers(piece: &str) -> Vec<f64> {
    let values = piece.split("<data value=\"").skip(1);
    values.map(|value| value.split_once('"').unwrap().0.parse().unwrap()).collect()
}

/// The numbers of a row of the table with this title.
fn row(page: &str, title: &str, name: &str) -> Vec<f64> {
    let table = between(page, &format!("<caption>{title}</caption>"), "</table>");
    numbers(between(table, &format!("<th scope=\"row\">{name}</th>"), "</tr>"))
}

/// The numbers at these places of an object; those that are not there are left out of tables, too.
fn at(object: &Value, places: &[&str]) -> Vec<f64> {
    let value = |place: &&str| object.pointer(place).unwrap_or_else(|| panic!("{place}")).as_f64();
    places.iter().filter_map(value).collect()
}

#[test]
fn its_numbers_are_those_of_the_json() {
    let (report, page) = told(&folder(), &["x.npy", "y.npy", "--labels", "labels.txt"]);
    let summary = "Alignment and uniformity";
    let measured = |of: &str, value: &str, pairs: &str| {
        let [error, low, high] = ["standard_error", "low", "high"].map(|key| format!("{of}/{key}"));
        at(&report, &[value, &error, &low, &high, pairs])
    };
    assert_eq!(
        row(&page, summary, "alignment"),
        measured("/alignment", "/alignment/value", "/alignment/pairs")
    );
    for set in ["x", "y"] {
        let uniformity =
            measured(&format!("/uniformity/of_{set}"), &format!("/uniformity/{set}"), "/uniformity/pairs");
        assert_eq!(row(&page, summary, &format!("uniformity of {set}")), uniformity);
        let of = format!("/uniformity/of_{set}");
        let [gap, score, dims] = ["gap", "score", "effective_dims"].map(|key| format!("{of}/{key}"));
        let beside = at(&report, &["/uniformity/floor", "/uniformity/least", &gap, &score, &dims]);
        assert_eq!(row(&page, "Uniformity beside its floor", &format!("uniformity of {set}")), beside);
    }
    assert_eq!(row(&page, summary, "their mean"), at(&report, &["/uniformity/mean", "/uniformity/pairs"]));

    for swept in report["sweep"].as_array().unwrap() {
        let name = format!("t = {}", swept["t"]).replace(".0", "");
        let keys = ["/x", "/y", "/mean", "/cross", "/pooled", "/squared_mmd", "/floor"];
        assert_eq!(row(&page, "Uniformity at several t", &name), at(swept, &keys), "{name}");
        // The curve of the figure has the same t among its own.
        let curve = between(&page, "<figure id=\"curve\">", "</figure>");
        let name = format!("<td>{}</td>", swept["t"]).replace(".0<", "<");
        assert_eq!(numbers(between(curve, &name, "</tr>")), at(swept, &["/x", "/y", "/floor"]));
    }
    for loss in report["contrastive"].as_array().unwrap() {
        let keys = [
            "/negatives",
            "/loss",
            "/normalized",
            "/alignment",
            "/uniformity",
            "/residual",
            "/matching/negatives",
        ];
        assert_eq!(row(&page, "Contrastive loss", &format!("τ = {}", loss["tau"])), at(loss, &keys));
    }
    assert_eq!(
        row(&page, "Modality gap", "x to y"),
        at(&report["modality_gap"], &["/distance", "/separation"])
    );
    for (i, set) in ["x", "y"].into_iter().enumerate() {
        assert_eq!(
            row(&page, "Against uniform points", set),
            at(&report["significance"][set], &["/z", "/p_value"])
        );
        let spectrum = &report["spectrum"][set];
        for (name, key) in
            [("mean norm", "/mean_norm"), ("effective rank", "/effective_rank"), ("RankMe", "/rank_me")]
        {
            assert_eq!(row(&page, "Mean and covariance", name)[i], at(spectrum, &[key])[0], "{name}");
        }
        let duplicates = &report["duplicates"][set];
        let found = row(&page, "Equal rows and close pairs", set);
        assert_eq!(found[..2], at(duplicates, &["/equal_rows", "/close_pairs"]));
        for ranked in report["offenders"]["crowded"][set].as_array().unwrap() {
            let name = ranked["row"].to_string();
            assert_eq!(
                row(&page, &format!("Most crowded rows of {set}"), &name),
                at(ranked, &["/potential"])
            );
        }
    }
    for (i, name) in ["group 0", "group 1", "group 2"].into_iter().enumerate() {
        let groups = &report["groups"];
        let places = [
            format!("/sizes/{i}"),
            format!("/alignment/{i}"),
            format!("/within/x/{i}"),
            format!("/within/y/{i}"),
        ];
        assert_eq!(row(&page, "Groups", name), at(groups, &places.each_ref().map(String::as_str)), "{name}");
    }
}

#[test]
fn its_histograms_count_what_the_json_counts() {
    let (report, page) = told(&folder(), &["x.npy", "y.npy"]);
    for (id, place) in
        [("distances", "/histograms/distances/counts"), ("cosines-x", "/histograms/cosines/x/counts")]
    {
        let figure = between(&page, &format!("<figure id=\"{id}\">"), "</figure>");
        let body = between(figure, "<tbody>", "</tbody>");
        let shown: Vec<_> = body.split("<tr>").skip(1).map(|row| numbers(row)[2] as u64).collect();
        let counts = report.pointer(place).unwrap().as_array().unwrap();
        let counts: Vec<_> = counts.iter().map(|count| count.as_u64().unwrap()).collect();
        let first = counts.iter().position(|&count| count > 0).unwrap();
        assert_eq!(shown, counts[first..first + shown.len()], "{id}");
        assert_eq!(shown.iter().sum::<u64>(), counts.iter().sum::<u64>(), "{id}");
    }
}

/// But for the time, and for the matrix across groups.
#[test]
fn the_report_beside_it_is_that_of_full() {
    let folder = folder();
    for line in [&["x.npy", "y.npy"][..], &["x.npy", "--raw"], &["y.npy", "--estimator", "v", "--t", "3"]] {
        let without_time = |mut report: Value| {
            report.as_object_mut().unwrap().remove("seconds");
            report
        };
        let full = without_time(folder.json(&[line, &["--full"]].concat()));
        assert_eq!(without_time(told(&folder, line).0), full, "{line:?}");
    }
}

/// Read in pieces, a report has the page of one in memory, but for what takes the points themselves.
#[test]
fn a_page_of_pieces_has_the_numbers_of_one_in_memory() {
    let folder = folder();
    let line = ["x.npy", "y.npy", "--labels", "labels.txt", "--text", "labels.txt"];
    let (_, whole) = told(&folder, &line);
    let in_pieces = [&line[..], &["--max-memory", "64M", "--csv", "runs.csv"]].concat();
    let (report, page) = told(&folder, &in_pieces);
    let mut compared = 0;
    for (title, names) in [
        ("Alignment and uniformity", &["alignment", "uniformity of x", "uniformity of y", "their mean"][..]),
        ("Uniformity beside its floor", &["uniformity of x", "uniformity of y"]),
        ("Against uniform points", &["x", "y"]),
        ("Groups", &["group 0", "group 1", "group 2"]),
        ("Mean and covariance", &["mean norm", "effective rank", "RankMe"]),
        ("Contrastive loss", &["τ = 0.07", "τ = 0.5"]),
    ] {
        for name in names {
            let (found, wanted) = (row(&page, title, name), row(&whole, title, name));
            // Without uniformity at the t that go with the temperatures, which is of points in memory.
            let wanted = &wanted[..wanted.len().min(if title == "Contrastive loss" { 6 } else { 9 })];
            assert_eq!(found.len(), wanted.len(), "{title}, {name}");
            for (found, wanted) in found.iter().zip(wanted) {
                assert!(
                    (found - wanted).abs() <= 1e-6 * wanted.abs().max(1.0),
                    "{title}, {name}: {found} {wanted}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 60, "{compared}");
    // Counts of the same pairs.
    for id in ["distances", "cosines-x", "cosines-y"] {
        let table = |page: &str| {
            numbers(between(
                between(page, &format!("<figure id=\"{id}\">"), "</figure>"),
                "<tbody>",
                "</tbody>",
            ))
        };
        assert_eq!(table(&page), table(&whole), "{id}");
    }
    for (figure, is_there) in
        [("curve", true), ("plane", true), ("spectrum", true), ("potentials", true), ("classes-x", false)]
    {
        assert_eq!(page.contains(&format!("<figure id=\"{figure}\">")), is_there, "{figure}");
    }
    // The same marks, and the same angles but for those within rounding of the end of a part.
    for set in ["x", "y"] {
        let [found, wanted] = [&page, &whole].map(|page| {
            let figure = |id: &str| between(page, &format!("<figure id=\"{id}-{set}\">"), "</figure>");
            let angles = numbers(between(figure("angles"), "<tbody>", "</tbody>"));
            let caption = between(figure("points"), "<figcaption>", "</figcaption>");
            (caption.split('<').filter_map(|of| Some(of.split_once('>')?.1)).collect::<String>(), angles)
        });
        assert_eq!(found.0, wanted.0);
        assert!(found.0.contains("% of all variance"), "{}", found.0);
        assert_eq!(found.1.len(), wanted.1.len());
        let moved: f64 = found.1.iter().zip(&wanted.1).map(|(a, b)| (a - b).abs()).sum();
        assert!(moved <= 4.0, "{moved}");
    }
    assert!(page.contains("rows had unit length") == whole.contains("rows had unit length"));
    assert!(page.contains("reading included") && page.contains("<span class=\"text\">group 1"));
    // The same number in every form.
    let value = report["uniformity"]["x"].as_f64().unwrap();
    assert_eq!(row(&page, "Alignment and uniformity", "uniformity of x")[0], value);
    let log = fs::read_to_string(folder.path().join("runs.csv")).unwrap();
    assert!(log.contains(&format!(",{value},")), "{log}");
    for wrong in ["NaN", "inf<", "src=", "href=", "<script"] {
        assert!(!page.contains(wrong), "{wrong}");
    }
}

#[test]
fn a_page_of_an_estimate_has_its_interval() {
    let folder = Folder::new();
    // So many rows that a first stage is no third of all pairs.
    let rows = 20_000;
    folder.npy("x.npy", &noise(rows * 8, 1), rows, 8);
    folder.npy("y.npy", &noise(rows * 8, 2), rows, 8);
    let line =
        ["x.npy", "y.npy", "--tolerance", "3e-2", "--estimate-only", "--csv", "runs.csv", "--t", "2,1"];
    let output = folder.eval(&[&line[..], &["--json", "--html", "report.html"]].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    let estimate = &report["uniformity"]["of_x"]["estimate"];
    let places = ["/value", "/estimate/low", "/estimate/high"];
    let found = row(&page, "Estimates and their intervals", "uniformity of x");
    assert_eq!(found[..3], at(&report["estimates"][0], &places));
    assert!(estimate["share"].as_f64().unwrap() < 1.0, "{estimate}");
    assert!(
        page.contains("Values are estimates from a part of the pairs")
            && page.contains("<figure id=\"spectrum\">")
            && page.contains("<figure id=\"points-y\">")
    );
    assert!(!page.contains("NaN") && !page.contains("no sample of them"));
    let mut log = csv::Reader::from_path(folder.path().join("runs.csv")).unwrap();
    let columns = log.headers().unwrap().clone();
    let line = log.records().next().unwrap().unwrap();
    let cell = |name: &str| line[columns.iter().position(|of| of == name).unwrap()].parse::<f64>().unwrap();
    assert_eq!(cell("uniformity.of_x.estimate.low"), estimate["low"].as_f64().unwrap());
    assert_eq!(cell("uniformity.of_x.estimate.share"), estimate["share"].as_f64().unwrap());
    let markdown = folder.eval(&["x.npy", "--tolerance", "3e-2", "--estimate-only", "--markdown"]);
    let markdown = String::from_utf8(markdown.stdout).unwrap();
    assert!(
        markdown.contains("| estimates |") && markdown.contains("| uniformity of x | t = 2 |"),
        "{markdown}"
    );
}

#[test]
fn raw_points_have_the_colours_of_their_groups() {
    let (_, page) = told(&folder(), &["x.npy", "--raw", "--labels", "labels.txt"]);
    let points = between(&page, "<figure id=\"points-x\">", "</figure>");
    assert!((0..3).all(|group| points.contains(&format!("group {group}"))) && points.contains("dots c3"));
}

/// Of a name too, which holds no such signs on Windows.
#[cfg(unix)]
#[test]
fn markup_of_others_is_text() {
    let folder = folder();
    let evil = "<script>alert(1)</script> & \"'";
    // A file name holds no slash.
    let name = "<img src=x onerror=alert(1)>&\"'.npy";
    fs::copy(folder.path().join("x.npy"), folder.path().join(name)).unwrap();
    let labels = (0..N).map(|i| format!("{evil} {}\n", i % 2)).collect::<String>();
    fs::write(folder.path().join("evil.txt"), labels).unwrap();
    let (_, page) = told(&folder, &[name, "--labels", "evil.txt", "--text", "evil.txt"]);
    for raw in ["<script", "<img", "onerror=alert(1)>"] {
        assert!(!page.contains(raw), "{raw}");
    }
    let escaped = "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;'";
    // The names of groups in legends and tables, and the text of each row that is listed.
    let listed = page.matches(&format!("<span class=\"text\">{escaped}")).count();
    assert!(listed == 10 && page.matches(escaped).count() > 12 && page.contains("&lt;img src=x"), "{listed}");
}

#[test]
fn texts_are_those_of_their_rows() {
    let folder = folder();
    let lines = |i: usize| format!("{i},sentence {i} of many\n");
    let table = std::iter::once("id,words\n".into()).chain((0..N).map(lines)).collect::<String>();
    fs::write(folder.path().join("texts.csv"), table).unwrap();
    // Row 4 is of zeros, and rows after it keep their numbers.
    let mut x = noise(N * 5, 1);
    x[20..25].fill(0.0);
    folder.npy("zeros.npy", &x, N, 5);
    let line = ["zeros.npy", "--zero-rows", "skip", "--text", "texts.csv", "--text-column", "words"];
    let (report, page) = told(&folder, &line);
    for ranked in report["offenders"]["crowded"]["x"].as_array().unwrap() {
        let number = &ranked["row"];
        let table = between(&page, "<caption>Most crowded rows of x</caption>", "</table>");
        let row = between(table, &format!("<th scope=\"row\">{number}</th>"), "</tr>");
        assert!(row.contains(&format!(">sentence {number} of many<")), "{row}");
    }
    assert!(page.contains("1 row of zeros left out"));
}

#[test]
fn whatever_is_measured_has_a_page_that_needs_nothing_else() {
    let folder = folder();
    folder.npy("two.npy", &noise(6, 4), 2, 3);
    folder.npy("equal.npy", &[1.0, 2.0, 2.0].repeat(20), 20, 3);
    folder.npy("plane.npy", &noise(40, 5), 20, 2);
    folder.npy("line.npy", &noise(20, 6), 20, 1);
    let own = (0..N).map(|i| format!("{i}\n")).collect::<String>();
    fs::write(folder.path().join("own.txt"), own).unwrap();
    folder.column("weights.npy", "<f8", &(0..N).flat_map(|i| (i as f64).to_le_bytes()).collect::<Vec<_>>());
    for line in [
        &["two.npy"][..],
        &["two.npy", "two.npy"],
        &["equal.npy", "equal.npy"],
        &["plane.npy"],
        &["line.npy", "--raw"],
        &["x.npy", "y.npy", "--raw", "--alpha", "1"],
        &["x.npy", "--labels", "own.txt"],
        &["x.npy", "y.npy", "--weights", "weights.npy"],
        &["x.npy", "y.npy", "--scores", "weights.npy", "--min-score", "30"],
        &["x.npy", "y.npy", "--protocol", "simcse", "--scores", "weights.npy"],
        &["x.npy", "y.npy", "--labels", "labels.txt", "--supcon", "0.1"],
        &["x.npy", "y.npy", "--sigmoid", "10,-10", "--t", "1000"],
    ] {
        let (_, page) = told(&folder, line);
        for wrong in ["NaN", "inf<", "inf\"", "src=", "href=", "url(", "@import", "<script"] {
            assert!(!page.contains(wrong), "{line:?}: {wrong}");
        }
        assert!(page.matches("<figure ").count() >= 2, "{line:?}");
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    }
}

#[test]
fn a_page_is_bounded_whatever_its_rows() {
    let folder = Folder::new();
    folder.npy("x.npy", &noise(4000 * 3, 1), 4000, 3);
    let labels =
        (0..4000).map(|i| format!("a group whose name is rather long {}\n", i / 2)).collect::<String>();
    fs::write(folder.path().join("labels.txt"), labels).unwrap();
    let (_, page) =
        told(&folder, &["x.npy", "--labels", "labels.txt", "--top", "4000", "--text", "labels.txt"]);
    assert!(page.len() < 500_000, "{} bytes", page.len());
    assert!(page.contains("3,900 rows more are not listed"));
    assert!(
        page.contains("Drawn are 1,500 of 4,000 rows") && page.contains("1,900 groups more are not listed")
    );
}

#[test]
fn what_cannot_have_one_is_refused_before_the_work() {
    let folder = folder();
    fs::write(folder.path().join("short.txt"), "one\n").unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    let refuse = |line: &[&str], code, parts: &[&str]| {
        refused(&folder.eval(line), code, parts);
        assert!(!folder.path().join("p.html").exists(), "{line:?}");
    };
    for (line, code, parts) in [
        (&["x.npy", "--html", "folder"][..], 2, &["--html folder", "directory"][..]),
        (&["x.npy", "--html", "none/p.html"], 2, &["--html", "directory does not exist"]),
        (&["x.npy", "--html", "x.npy"], 2, &["--html x.npy is one of the inputs"]),
        (&["x.npy", "--labels", "labels.txt", "--html", "labels.txt"], 2, &["one of the inputs"]),
        (&["x.npy", "--html", "-"], 2, &["--html -", "name a file"]),
        (&["x.npy", "--html", "/dev/stdout"], 2, &["standard output", "name a file"]),
        (&["x.npy", "--rows", "p.html", "--html", "p.html"], 2, &["--rows and --html both name p.html"]),
        (&["x.npy", "--html", "x.npy", "--max-memory", "1G"], 2, &["--html x.npy is one of the inputs"]),
        (&["x.npy", "--html", "x.npy", "--tolerance", "0.1"], 2, &["--html x.npy is one of the inputs"]),
        (
            &["x.npy", "--html", "p.html", "--tolerance", "0.1", "--text", "labels.txt"],
            2,
            &["--text", "leave out --text"],
        ),
        (&["x.npy", "y.npy", "--unpaired", "--html", "y.npy"], 2, &["--html y.npy is one of the inputs"]),
        (&["x.npy", "--html", "y.npy", "--views", "y.npy"], 2, &["--html y.npy is one of the inputs"]),
        (&["x.npy", "--text", "short.txt"], 2, &["--html"]),
        (&["x.npy", "--text", "short.txt", "--html", "p.html"], 3, &["short.txt holds 1 text", "60 rows"]),
    ] {
        refuse(line, code, parts);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_page_that_cannot_be_written_at_the_end_leaves_the_report() {
    let folder = folder();
    let output = folder.eval(&["x.npy", "--html", "/dev/full"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("/dev/full: cannot be written") && !output.stdout.is_empty());
}

/// A page of several models beside the JSON of the same, with names that are markup.
#[test]
fn a_page_of_models_has_the_numbers_of_the_json() {
    let folder = Folder::new();
    let common = noise(N * 5, 1);
    let mut runs = String::from("name,x,y,step,score\n");
    for step in 0..6_u64 {
        for (set, seed) in [("x", 10 + step), ("y", 20 + step)] {
            let own = noise(N * 5, seed);
            let rows: Vec<f32> =
                common.iter().zip(own).map(|(common, own)| common + 0.1 * (step + 1) as f32 * own).collect();
            folder.npy(&format!("{set}{step}.npy"), &rows, N, 5);
        }
        runs += &format!("<b>run</b> {step},x{step}.npy,y{step}.npy,{},{}\n", 100 * step, 70 - step);
    }
    runs += "gone,damaged.npy,x0.npy,,\n";
    fs::write(folder.path().join("damaged.npy"), "no points").unwrap();
    fs::write(folder.path().join("runs.csv"), runs).unwrap();
    let line = ["--runs", "runs.csv", "--html", "models.html", "--json", "--no-cache"];
    let output = folder.compare(&line);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let page = fs::read_to_string(folder.path().join("models.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>") && !page.contains("<b>"));
    assert!(page.contains("gone could not be measured") && page.contains("damaged.npy"));
    let models = report["models"].as_array().unwrap();
    assert_eq!(models.len(), 6);
    for (i, model) in models.iter().enumerate() {
        let name = format!("&lt;b&gt;run&lt;/b&gt; {i}");
        let places = [
            "/rows",
            "/dims",
            "/alignment/value",
            "/alignment/low",
            "/alignment/high",
            "/uniformity/value",
            "/uniformity/low",
            "/uniformity/high",
            "/uniformity/gap",
        ];
        assert_eq!(row(&page, "Models", &name), at(model, &places));
        for metric in ["alignment", "uniformity"] {
            let of = &model["difference"][metric];
            if i > 0 {
                let places = ["/value", "/standard_error", "/low", "/high", "/p_value", "/p_holm"];
                assert_eq!(row(&page, &format!("{metric}, less the baseline’s"), &name), at(of, &places));
            }
        }
    }
    for figure in ["plane", "differences", "scores", "steps", "values"] {
        let id = if figure == "plane" { figure.into() } else { format!("{figure}-alignment") };
        assert!(page.contains(&format!("<figure id=\"{id}\">")), "{id}");
    }
}

#[test]
fn a_page_of_models_is_refused_before_anything_is_measured() {
    let folder = folder();
    for (line, says) in [
        (&["x.npy", "y.npy", "--html", "x.npy"][..], "--html x.npy is one of the inputs"),
        (&["x.npy", "y.npy", "--html", "-"], "name a file"),
        (&["x.npy", "y.npy", "--html", "none/p.html"], "directory does not exist"),
        (&["x.npy", "y.npy", "--html", "p.html", "--csv", "./p.html"], "both name"),
    ] {
        let output = folder.compare(line);
        assert_eq!(output.status.code(), Some(2), "{line:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(says), "{line:?}: {}", stderr(&output));
    }
}
