//! Files that the libraries wrote which people use, read to the same values, whole, in parts and by a pipe; and what is left
//! of them when they are cut short.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fixtures;

use std::{fs, path::Path};

use fixtures::{Fixture, ROWS, all};
use unisphere::Scaling::Unit;
use unisphere_io::{Error, Fault, File, Quant, RawFloat, Reading, Source, write, write_text};

fn assert_holds(file: &File, fixture: &Fixture) {
    let Fixture { name, dtype, dims, .. } = fixture;
    let points = fixture.points();
    assert_eq!((file.rows(), file.dims(), file.dtype()), (ROWS, *dims, (*dtype).to_string()), "{name}");
    for start in 0..=ROWS {
        for end in start..=ROWS {
            let mut values = vec![f32::NAN; (end - start) * dims];
            file.read(start..end, &mut values).unwrap();
            assert_eq!(values, points[start * dims..end * dims], "{name}: {start}..{end}");
        }
    }
    for (index, &value) in points.iter().enumerate() {
        assert_eq!(file.stored(index / dims, index % dims).unwrap(), f64::from(value), "{name}: {index}");
    }
    assert!(file.stored(ROWS, 0).is_err() && file.stored(0, *dims).is_err(), "{name}");
    let mut values = vec![0.0; points.len()];
    assert!(file.read(0..ROWS + 1, &mut values).is_err() && file.read(0..ROWS - 1, &mut values).is_err());
    assert!(format!("{file:?}").len() < 1000, "{name}");
}

#[test]
fn files_of_the_libraries() {
    let fixtures = all();
    for fixture in &fixtures {
        let file = File::open_with(fixture.path(), &fixture.reading).unwrap();
        assert_holds(&file, fixture);
    }
    assert!(fixtures.len() >= 25);
}

/// A message that a person can read: short, without control characters, and of this file.
fn assert_told(error: &Error, fixture: &Fixture, what: &str) {
    let text = error.fault.to_string();
    assert!(text.len() < 300 && !text.chars().any(char::is_control), "{} {what}: {text}", fixture.name);
}

#[test]
fn cut_short_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    for fixture in all() {
        let bytes = fs::read(fixture.path()).unwrap();
        let path = folder.path().join(&fixture.name);
        for length in (0..bytes.len()).rev().step_by(7) {
            fs::write(&path, &bytes[..length]).unwrap();
            let read = File::open_with(&path, &fixture.reading).and_then(|file| file.embeddings(Unit));
            if fixture.has_no_end() && read.as_ref().is_ok_and(|points| points.rows() < ROWS) {
                continue;
            }
            let error = read.unwrap_err();
            assert_told(&error, &fixture, &format!("cut to {length}"));
            assert_eq!(error.path, path);
        }
        // A zip archive may end with anything.
        if fixture.name.ends_with(".npz") {
            continue;
        }
        fs::write(&path, [&bytes[..], &[0]].concat()).unwrap();
        let error = File::open_with(&path, &fixture.reading).unwrap_err();
        let fault = error.fault;
        assert!(matches!(fault, Fault::Length { .. } | Fault::RowCut { .. }), "{}: {fault}", fixture.name);
    }
}

#[test]
fn arrays_are_chosen_by_name_or_because_there_is_one() {
    let open = |name: &str, reading| {
        let path = [env!("CARGO_MANIFEST_DIR"), "tests", "data", name].iter().collect::<std::path::PathBuf>();
        File::open_with(path, &reading).unwrap_err().fault
    };
    let several = |reading| open("several.safetensors", reading);
    let fault = several(Reading::new());
    let words = "has several matrices: b, a; choose one with --tensor, or two that are pairs with --tensors";
    assert_eq!(fault.to_string(), words);
    assert!(matches!(fault, Fault::ManyArrays { .. }));
    let fault = several(Reading::new().with_tensor("c\n"));
    let words = "has no array 'c\\n'; its arrays are axis, b, bias, a; choose one with --tensor, or two that are pairs with \
                 --tensors";
    assert_eq!(fault.to_string(), words);
}

#[cfg(unix)]
mod pipes {
    use std::{io::Write, os::fd::AsRawFd, thread};

    use super::*;

    #[test]
    fn read_in_one_pass() {
        for fixture in all() {
            let bytes = fs::read(fixture.path()).unwrap();
            let (reader, mut writer) = std::io::pipe().unwrap();
            let length = bytes.len() as u64;
            let open = || {
                let path = format!("/dev/fd/{}", reader.as_raw_fd());
                File::open_with(path, &fixture.nameless())
            };
            let file = thread::scope(|scope| {
                scope.spawn(move || writer.write_all(&bytes));
                open()
            });
            let file = file.unwrap();
            assert_holds(&file, &fixture);
            assert!((1..=length).contains(&file.bytes_in_memory()), "{}", fixture.name);
        }
    }

    #[test]
    fn refused_above_the_limit() {
        for fixture in all() {
            let bytes = fs::read(fixture.path()).unwrap();
            let (reader, mut writer) = std::io::pipe().unwrap();
            writer.write_all(&bytes).unwrap();
            drop(writer);
            let path = format!("/dev/fd/{}", reader.as_raw_fd());
            let error = File::open_with(path, &fixture.nameless().with_max_bytes(11)).unwrap_err();
            assert!(matches!(error.fault, Fault::PipeLimit { .. }), "{}: {error}", fixture.name);
        }
    }
}

#[test]
fn rows_that_say_other_dimensions_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.fvecs");
    let mut bytes = fs::read([env!("CARGO_MANIFEST_DIR"), "tests/data/points.fvecs"].join("/")).unwrap();
    bytes[4 * 24] = 4;
    fs::write(&path, &bytes).unwrap();
    let file = File::open(&path).unwrap();
    assert!(file.embeddings_in(0..4, Unit).is_ok() && file.embeddings_in(5..6, Unit).is_ok());
    for rows in [0..6, 4..5, 3..6] {
        let error = file.embeddings_in(rows, Unit).unwrap_err();
        assert!(matches!(error.fault, Fault::RowWidth { row: 4, found: 4, dims: 5 }), "{error}");
        assert!(error.to_string().contains("points.fvecs: row 4 has 4 values, and row 0 has 5"), "{error}");
    }
    for (count, words) in
        [(0i32, "claims 0 dimensions"), (-5, "claims -5"), (6, "no multiple of the 28 bytes")]
    {
        bytes[..4].copy_from_slice(&count.to_le_bytes());
        fs::write(&path, &bytes).unwrap();
        let error = File::open(&path).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    // More than is there is never asked for.
    bytes[..4].copy_from_slice(&i32::MAX.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(File::open(&path).unwrap_err().fault, Fault::RowCut { .. }));
}

/// The file of these values, and what is wrong with reading it so.
fn refused(values: &[f64], reading: &Reading) -> Fault {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.npy");
    write(&path, values, 2).unwrap();
    File::open_with(&path, reading).unwrap_err().fault
}

#[test]
fn codes_that_are_none() {
    let quant = |scale, zero| Reading::new().with_quant(Quant { scale, zero });
    let fault = refused(&[1.0, 2.0], &quant(0.5, 0.0));
    let words =
        "holds values of dtype '<f8', and codes are whole numbers of 8 or 16 bits; leave --quant-scale out";
    assert_eq!(fault.to_string(), words);
    let fault = refused(&[1.0, 2.0], &Reading::new().with_bits());
    assert_eq!(
        fault.to_string(),
        "holds values of dtype '<f8', and packed bits are int8 or uint8; leave --bits out"
    );
    for (scale, zero) in [(0.0, 1.0), (f64::NAN, 0.0), (1.0, f64::INFINITY)] {
        let path = [env!("CARGO_MANIFEST_DIR"), "tests/data/codes.npy"].join("/");
        let error = File::open_with(path, &quant(scale, zero)).unwrap_err();
        assert!(matches!(error.fault, Fault::Quant { .. }), "{error}");
    }
}

#[test]
fn many_bits_and_codes_by_several_threads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.i8bin");
    // Prime, so that chunks end anywhere.
    let (rows, dims) = (10_007u32, 101u32);
    let bytes: Vec<u8> = (0..rows * dims).map(|i| (i * 7 + i / 911) as u8).collect();
    fs::write(&path, [&rows.to_le_bytes()[..], &dims.to_le_bytes(), &bytes].concat()).unwrap();
    let bits = File::open_with(&path, &Reading::new().with_bits()).unwrap();
    let quant = Quant { scale: -0.3, zero: 0.7 };
    let codes = File::open_with(&path, &Reading::new().with_quant(quant)).unwrap();
    assert_eq!((bits.dims(), codes.dims()), (808, 101));
    for range in [0..10_007, 3..10_000, 5_000..5_001] {
        let values = bits.embeddings_in(range.clone(), Unit).unwrap();
        let packed = &bytes[range.start * 101..range.end * 101];
        let expected = packed.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
        assert!(values.values().iter().copied().eq(expected.map(|bit| f32::from(bit) * 2.0 - 1.0)));
        let values = codes.embeddings_in(range, Unit).unwrap();
        let expected = packed.iter().map(|&byte| (-0.3 * (f64::from(byte as i8) - 0.7)) as f32);
        assert!(values.values().iter().copied().eq(expected));
    }
}

#[test]
fn what_came_instead_of_a_file_is_named_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 307200128\n";
    for name in ["x.npy", "x.npz", "x.safetensors", "x.fvecs", "x.fbin", "x.csv", "x"] {
        let path = folder.path().join(name);
        for (content, words) in [(pointer, "git lfs pull"), ("<!DOCTYPE html>\n<html>1 2 3", "a web page")] {
            fs::write(&path, content).unwrap();
            let error = File::open(&path).unwrap_err();
            assert!(matches!(error.fault, Fault::Format { .. }), "{error}");
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}

#[test]
fn what_a_format_does_not_take_is_refused() {
    let options: [(&str, Reading); 4] = [
        ("--member", Reading::new().with_member("points")),
        ("--tensor", Reading::new().with_tensor("points")),
        ("--column", Reading::new().with_column("points")),
        ("--dtype", Reading::new().with_dtype(RawFloat::BF16)),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for (name, takes) in [
        ("f32.npy", &["--dtype"][..]),
        ("one.npz", &["--member", "--dtype"]),
        ("f32.safetensors", &["--tensor", "--dtype"]),
        ("points.fvecs", &["--dtype"]),
        ("points.fbin", &["--dtype"]),
        #[cfg(feature = "parquet")]
        ("float32_list.parquet", &["--column"]),
        #[cfg(feature = "parquet")]
        ("float32_list.arrow", &["--column"]),
    ] {
        for (option, reading) in &options {
            let refused = match File::open_with(folder.join(name), reading) {
                Err(error) => matches!(error.fault, Fault::UnusedOption { .. }),
                Ok(_) => false,
            };
            assert_eq!(refused, !takes.contains(option), "{name} with {option}");
        }
    }
}

#[test]
fn a_text_takes_the_place_of_another_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    for text in ["a longer text, and é", "short"] {
        write_text(&path, text).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(matches!(write_text(folder.path(), "").map_err(|error| error.fault), Err(Fault::Irregular)));
}
