//! Several files as one set.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod matrices;
mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use matrices::matrix;
use support::Npy;
use unisphere::Scaling::{Raw, Unit};
use unisphere_io::{Error, Fault, Shards, Source, differ_in_one_number, open, series};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn put(folder: &tempfile::TempDir, name: &str, npy: &Npy) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, npy.bytes()).unwrap();
    path
}

/// A file of one row and one dimension.
fn one(value: f32) -> Npy {
    Npy::new("<f4", false, "(1, 1)", value.to_le_bytes().to_vec())
}

fn pattern(folder: &tempfile::TempDir, pattern: &str) -> String {
    folder.path().join(pattern).to_str().unwrap().into()
}

fn refused<S>(result: unisphere_io::Result<S>, words: &str) -> (PathBuf, Fault) {
    let Err(Error { path, fault }) = result else { panic!("should be refused: {words}") };
    let text = fault.to_string();
    assert!(text.contains(words) && !text.chars().any(char::is_control), "{text}");
    (path, fault)
}

/// The values of a set of one dimension.
fn values(set: &dyn Source) -> Vec<f32> {
    let mut values = vec![0.0; set.rows()];
    set.read(0..set.rows(), &mut values).unwrap();
    values
}

#[test]
fn ranges_across_files_of_every_dtype_order_and_layout() {
    let folder = folder();
    let (mut paths, mut points, mut places) = (Vec::new(), Vec::new(), Vec::new());
    let descrs = ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"];
    for (index, descr) in descrs.into_iter().cycle().take(12).enumerate() {
        let rows = [3, 1, 4, 2][index % 4];
        let (npy, values) = matrix(descr, index >= 6, rows, 5);
        paths.push(put(&folder, &format!("s{index}.npy"), &npy));
        points.extend(values);
        places.extend((0..rows).map(|row| (paths[index].clone(), row)));
    }
    let set = Shards::open(&paths).unwrap();
    let rows = places.len();
    assert_eq!((set.rows(), set.dims(), set.path(), set.files().len()), (rows, 5, paths[0].as_path(), 12));
    for start in 0..=rows {
        for end in start..=rows {
            let mut values = vec![f32::NAN; (end - start) * 5];
            set.read(start..end, &mut values).unwrap();
            assert_eq!(values, points[start * 5..end * 5], "{start}..{end}");
        }
    }
    for (row, (path, in_file)) in places.iter().enumerate() {
        assert_eq!(set.place(row), (path.as_path(), *in_file));
        assert_eq!(set.stored(row, 4).unwrap() as f32, points[row * 5 + 4]);
    }
    assert_eq!(set.embeddings(Raw).unwrap().values(), points);
    assert_eq!(set.embeddings_without(&[2, 3], Raw).unwrap().values()[10..], points[20..]);
    let mut values = [0.0; 5];
    assert!(matches!(set.read(rows..rows + 1, &mut values).unwrap_err().fault, Fault::NoSuchRows { .. }));
    assert!(matches!(set.read(0..2, &mut values).unwrap_err().fault, Fault::Buffer { .. }));
    assert!(set.stored(rows, 0).is_err() && set.stored(usize::MAX, 0).is_err());
    assert_eq!(set.place(rows), (paths[11].as_path(), 2));
}

#[test]
fn many_rows_of_small_files_by_several_threads() {
    let folder = folder();
    let (mut paths, mut points) = (Vec::new(), Vec::new());
    for index in 0..7 {
        let (npy, values) = matrix("<f2", index % 2 == 1, 3_001, 40);
        paths.push(put(&folder, &format!("{index}.npy"), &npy));
        points.extend(values);
    }
    let set = Shards::open(&paths).unwrap();
    for rows in [0..21_007, 17..20_999, 3_000..18_007] {
        let mut values = vec![f32::NAN; rows.len() * 40];
        set.read(rows.clone(), &mut values).unwrap();
        assert!(values == points[rows.start * 40..rows.end * 40], "{rows:?}");
    }
}

#[test]
fn names_are_in_natural_order() {
    let folder = folder();
    for number in 0..12u8 {
        put(&folder, &format!("emb_{number}.npy"), &one(f32::from(number)));
        put(&folder, &format!("d{}/padded_{:03}.npy", number / 4, number % 4), &one(f32::from(number)));
    }
    put(&folder, ".emb_0.npy", &one(99.0));
    put(&folder, "d0/._padded_000.npy", &one(99.0));
    let all: Vec<f32> = (0..12).map(|number| number as f32).collect();
    for (names, expected) in [("emb_*.npy", &all[..]), ("emb_?.npy", &all[..10]), ("d*/*.npy", &all)] {
        let set = Shards::matching(&pattern(&folder, names)).unwrap();
        assert_eq!((values(&set), set.path()), (expected.to_vec(), Path::new(&pattern(&folder, names))));
        assert_eq!(values(&open(pattern(&folder, names)).unwrap()), expected);
    }
    assert_eq!(values(&Shards::matching(&pattern(&folder, "emb_[3-5].npy")).unwrap()), [3.0, 4.0, 5.0]);
}

#[test]
fn a_list_in_any_order_is_one_series() {
    let folder = folder();
    let numbers = [10, 2, 11, 1, 0, 9, 8, 7, 6, 5, 4, 3];
    let paths = numbers.map(|number| put(&folder, &format!("emb_{number}.npy"), &one(number as f32)));
    let set = Shards::series(&paths).unwrap();
    assert_eq!(values(&set), (0..12).map(|number| number as f32).collect::<Vec<_>>());
    assert_eq!(set.path(), folder.path().join("emb_0.npy … emb_11.npy"));
    // A pattern in the list stands for what it matches.
    let some = [paths[2].clone(), pattern(&folder, "emb_?.npy").into(), paths[0].clone()];
    assert_eq!(series(&some).unwrap(), series(&paths).unwrap());
    assert_eq!(Shards::series(&paths[..1]).unwrap().path(), paths[0]);

    let refuse = |files: &[&PathBuf], words| refused(Shards::series(files), words);
    let (path, fault) = refuse(&[&paths[0], &paths[2], &paths[0]], "named twice");
    assert!(matches!(fault, Fault::NamedTwice) && path == paths[0]);
    let (path, fault) = refuse(&[&paths[5], &paths[2]], "emb_10.npy is missing between");
    assert!(
        matches!(fault, Fault::MissingShard { .. }) && path == folder.path().join("emb_9.npy … emb_11.npy")
    );
    let other = folder.path().join("img_0.npy");
    assert!(matches!(refuse(&[&paths[4], &other], "more than numbers").1, Fault::MixedNames { .. }));
    let absent = folder.path().join("emb_12.npy");
    assert!(matches!(refuse(&[&paths[2], &absent], "no such file").1, Fault::NotFound));
    assert!(matches!(refuse(&[], "name at least one").1, Fault::NoFiles));
}

#[test]
fn names_that_differ_in_one_number() {
    for (a, b, expected) in [
        ("emb_0.npy", "emb_1.npy", true),
        ("d/emb_0009.npy", "d/emb_10.npy", true),
        ("x-0-of-2.npy", "x-1-of-2.npy", true),
        ("emb_0.npy", "emb_0.npy", false),
        ("emb_1.npy", "emb_01.npy", false),
        ("a1_b1.npy", "a2_b2.npy", false),
        ("emb_0.npy", "text_0.npy", false),
        ("emb_0.npy", "emb_1.csv", false),
        ("emb.npy", "emb_1.npy", false),
        ("d1/emb.npy", "d2/emb.npy", false),
        ("d1/emb_0.npy", "d2/emb_1.npy", false),
    ] {
        assert_eq!(differ_in_one_number(a, b), expected, "{a} {b}");
        assert_eq!(differ_in_one_number(b, a), expected, "{b} {a}");
    }
}

#[test]
fn a_file_whose_name_looks_like_a_pattern_is_that_file() {
    let folder = folder();
    put(&folder, "a1.npy", &one(1.0));
    let odd = put(&folder, "a[1].npy", &one(2.0));
    let half = put(&folder, "a[.npy", &one(3.0));
    for (path, value) in [(&odd, 2.0), (&half, 3.0)] {
        let set = open(path).unwrap();
        assert_eq!((values(&set), set.path()), (vec![value], path.as_path()));
        assert_eq!(values(&Shards::matching(path.to_str().unwrap()).unwrap()), [value]);
    }
    fs::remove_file(&odd).unwrap();
    assert_eq!(values(&open(&odd).unwrap()), [1.0]);
    assert_eq!(values(&open(folder.path().join("a1.npy")).unwrap()), [1.0]);
}

#[test]
fn files_that_are_missing() {
    let folder = folder();
    let paths = [0, 1, 3].map(|number| put(&folder, &format!("emb_{number}.npy"), &one(1.0)));
    let gap = pattern(&folder, "emb_*.npy");
    let (path, fault) = refused(Shards::matching(&gap), "emb_2.npy is missing");
    assert_eq!(path, Path::new(&gap));
    assert!(
        matches!(fault, Fault::MissingShard { missing, .. } if missing == folder.path().join("emb_2.npy"))
    );
    assert!(refused(open(&gap), "add it, or rename them so that").1.to_string().len() < 300);
    assert_eq!(Shards::open(&paths).unwrap().rows(), 3);

    let (path, fault) = refused(Shards::matching(&pattern(&folder, "other_*.npy")), "check the directory");
    assert!(matches!(fault, Fault::NoMatch) && path.ends_with("other_*.npy"));
    assert!(matches!(refused(open(pattern(&folder, "none/*.npy")), "check").1, Fault::NoMatch));
    assert!(matches!(refused(open(pattern(&folder, "a[.npy")), "write [[] for [").1, Fault::Pattern { .. }));

    let absent = folder.path().join("emb_2.npy");
    for result in [
        Shards::open(&[&paths[0], &absent]).map(|_| ()),
        Shards::matching(absent.to_str().unwrap()).map(|_| ()),
        open(&absent).map(|_| ()),
    ] {
        let (path, fault) = refused(result, "no such file");
        assert!(matches!(fault, Fault::NotFound) && path == absent);
    }

    let none: [&Path; 0] = [];
    let error = Shards::open(&none).unwrap_err();
    assert_eq!(error.to_string(), "no file was named; name at least one");
    assert!(matches!(error.fault, Fault::NoFiles));
}

#[test]
fn files_of_several_series() {
    let folder = folder();
    for name in ["emb_0", "emb_1", "emb_final", "img_0", "twin_1", "twin_01"] {
        put(&folder, &format!("{name}.npy"), &one(1.0));
    }
    let at = |name: &str| folder.path().join(name);
    for (names, files) in [("*.npy", ["emb_0.npy", "emb_final.npy"]), ("*_0.npy", ["emb_0.npy", "img_0.npy"])]
    {
        let (path, fault) = refused(open(pattern(&folder, names)), "name the files of one series");
        assert_eq!(path, at(names));
        assert!(
            matches!(&fault, Fault::MixedNames { first, other } if [first, other] == files.map(at).each_ref()),
            "{fault}"
        );
    }
    let (_, fault) = refused(open(pattern(&folder, "twin_*")), "leave out one of them");
    assert!(
        matches!(&fault, Fault::SameNumbers { first, other } if [first, other] == [&at("twin_01.npy"), &at("twin_1.npy")]),
        "{fault}"
    );
    for (names, rows) in [("emb_[0-9].npy", 2), ("emb_f*.npy", 1), ("img_*", 1)] {
        assert_eq!(open(pattern(&folder, names)).unwrap().rows(), rows, "{names}");
    }
}

#[test]
fn numbers_in_steps() {
    let folder = folder();
    for (number, value) in [(1_000, 1.0), (2_000, 2.0), (3_000, 3.0), (10_000, 4.0)] {
        put(&folder, &format!("ckpt_{number}.npy"), &one(value));
    }
    assert_eq!(values(&open(pattern(&folder, "ckpt_?000.npy")).unwrap()), [1.0, 2.0, 3.0]);
    let (_, fault) = refused(open(pattern(&folder, "ckpt_*")), "ckpt_4000.npy is missing between");
    assert!(matches!(fault, Fault::MissingShard { total: None, .. }));
    refused(open(pattern(&folder, "ckpt_[12]*00.npy")), "ckpt_3000.npy is missing between");
    refused(open(pattern(&folder, "ckpt_[13]000.npy")), "ckpt_1001.npy is missing between");
}

#[test]
fn names_that_say_how_many_files_there_are() {
    let folder = folder();
    for number in 0..4u8 {
        put(&folder, &format!("x-{number:05}-of-00003.npy"), &one(f32::from(number)));
    }
    let some = |numbers: &str| pattern(&folder, &format!("x-0000[{numbers}]-*"));
    assert_eq!(values(&open(some("0-2")).unwrap()), [0.0, 1.0, 2.0]);
    assert_eq!(values(&open(some("1-3")).unwrap()), [1.0, 2.0, 3.0]);
    for (numbers, name) in
        [("01", "x-00002-of-00003.npy"), ("23", "x-00001-of-00003.npy"), ("0", "x-00001-of-00003.npy")]
    {
        let (_, fault) = refused(open(some(numbers)), "say that there are 3; add it");
        assert!(
            matches!(&fault, Fault::MissingShard { missing, total: Some(3) } if missing.ends_with(name)),
            "{numbers}: {fault}"
        );
    }
    let (_, fault) = refused(open(some("0-3")), "one more than the 3 files");
    assert!(
        matches!(fault, Fault::ExtraShard { extra, total: 3 } if extra.ends_with("x-00003-of-00003.npy"))
    );

    let other = put(&folder, "x-00003-of-00004.npy", &one(1.0));
    let (_, fault) = refused(open(some("0-3")), "different totals; name the files of one");
    assert!(matches!(fault, Fault::MixedTotals { other: path, .. } if path == other));
}

#[test]
fn files_of_different_dimensions() {
    let folder = folder();
    put(&folder, "emb_0.npy", &matrix("<f4", false, 2, 3).0);
    put(&folder, "emb_1.npy", &matrix(">f8", true, 2, 3).0);
    let other = put(&folder, "emb_2.npy", &matrix("<f4", false, 2, 4).0);
    let (path, fault) = refused(Shards::matching(&pattern(&folder, "*.npy")), "has 4 dimensions, and ");
    assert_eq!(path, other);
    assert!(matches!(fault, Fault::ShardDims { dims: 4, first_dims: 3, .. }));
}

#[test]
fn what_matches_and_is_no_file() {
    let folder = folder();
    put(&folder, "emb_0.npy", &one(1.0));
    fs::create_dir(folder.path().join("emb_1.npy")).unwrap();
    let (path, fault) = refused(Shards::matching(&pattern(&folder, "emb_*")), "a directory");
    assert!(matches!(fault, Fault::Directory) && path.ends_with("emb_1.npy"));
    assert!(matches!(refused(open(folder.path()), "a directory").1, Fault::Directory));
}

#[cfg(unix)]
#[test]
fn a_pipe_and_a_link_to_nothing_among_the_files() {
    let folder = folder();
    put(&folder, "emb_0.npy", &one(1.0));
    let second = folder.path().join("emb_1.npy");
    assert!(std::process::Command::new("mkfifo").arg(&second).status().unwrap().success());
    let (path, fault) = refused(Shards::matching(&pattern(&folder, "emb_*")), "name it by itself");
    assert!(matches!(fault, Fault::PipeMatched) && path == second);
    assert!(matches!(refused(open(pattern(&folder, "emb_*")), "a pipe").1, Fault::PipeMatched));
    fs::remove_file(&second).unwrap();
    std::os::unix::fs::symlink("nothing", &second).unwrap();
    let (path, fault) = refused(Shards::matching(&pattern(&folder, "emb_*")), "no such file");
    assert!(matches!(fault, Fault::NotFound) && path == second);
}

#[test]
fn a_fault_names_its_file_and_its_own_row() {
    let folder = folder();
    let file = |name: &str, values: [f64; 4]| {
        put(&folder, name, &Npy::new(">f8", true, "(4, 1)", values.map(f64::to_be_bytes).concat()))
    };
    let first = file("first.npy", [1.0, 2.0, 3.0, 4.0]);
    for (value, scaling, words) in [
        (f64::NAN, Unit, "second.npy: row 2 holds a value that is not finite"),
        (0.0, Unit, "second.npy: row 2 is all zeros"),
        (-1e39, Unit, "second.npy: row 2 holds -1e39 in dimension 0"),
        (1e31, Unit, "second.npy: row 2 has the length"),
        (1e30, Raw, "second.npy: row 2 holds"),
    ] {
        let second = file("second.npy", [5.0, 6.0, value, 8.0]);
        let set = Shards::open(&[&first, &second, &first]).unwrap();
        for error in [
            set.embeddings(scaling).unwrap_err(),
            set.embeddings_in(3..8, scaling).unwrap_err(),
            set.embeddings_in(6..7, scaling).unwrap_err(),
            set.embeddings_without(&[0, 3, 5, 9], scaling).unwrap_err(),
        ] {
            assert_eq!(error.path, second);
            assert!(error.to_string().contains(words), "{error}");
        }
        assert_eq!(set.zero_rows().unwrap(), if value == 0.0 { vec![6] } else { vec![] });
        assert_eq!(set.embeddings_without(&[6], Unit).unwrap().rows(), 11);
    }
}

#[test]
fn a_file_that_shrinks_is_named() {
    let folder = folder();
    let paths = ["a.npy", "b.npy"].map(|name| put(&folder, name, &matrix("<f4", false, 4, 4).0));
    let set = Shards::open(&paths).unwrap();
    fs::File::options().write(true).open(&paths[1]).unwrap().set_len(140).unwrap();
    let error = set.embeddings(Raw).unwrap_err();
    assert!(matches!(error.fault, Fault::Changed) && error.path == paths[1], "{error}");
    assert_eq!(set.embeddings_in(0..4, Raw).unwrap().rows(), 4);
}
