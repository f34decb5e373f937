//! Points about an origin: taken from them in f64, whatever the format.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{fs, path::Path, sync::Arc};

use support::Npy;
use unisphere_io::{Extent, File, Shards, Source as _};

/// (300, 3) in f64: a column far from 0 and close together, one that is constant, and one about 0.
fn value(row: usize, dim: usize) -> f64 {
    match dim {
        0 => 1.7e9 + (row as f64 * 0.37).sin(),
        1 => 12345.678,
        _ => (row as f64 * 0.11).cos(),
    }
}

fn npy(order: &str, fortran: bool) -> Vec<u8> {
    let bytes = |value: f64| if order == ">" { value.to_be_bytes() } else { value.to_le_bytes() };
    let values = (0..900).flat_map(|i| {
        let (row, dim) = if fortran { (i % 300, i / 300) } else { (i / 3, i % 3) };
        bytes(value(row, dim))
    });
    Npy::new(&format!("{order}f8"), fortran, "(300, 3)", values.collect()).bytes()
}

/// Holds rows about an origin to the values that are stored, one by one.
fn holds(path: &Path) -> (usize, usize) {
    let file = File::open(path).unwrap();
    let (rows, dims) = (file.rows(), file.dims());
    let stored: Vec<f64> = (0..rows * dims).map(|i| file.stored(i / dims, i % dims).unwrap()).collect();
    let extent = file.extent().unwrap().unwrap_or_else(|| panic!("{}", path.display()));
    for (dim, mean) in extent.mean().iter().enumerate() {
        let wanted = stored.iter().skip(dim).step_by(dims).sum::<f64>() / rows as f64;
        assert!(
            (mean - wanted).abs() <= 1e-12 * wanted.abs().max(1.0),
            "{}: {mean} {wanted}",
            path.display()
        );
    }
    let origin: Arc<[f64]> = (0..dims).map(|dim| 0.1 + dim as f64 / 3.0).collect();
    let about = file.about(&origin).unwrap();
    for range in [0..rows, rows / 2..rows, 1..1] {
        let mut found = vec![f32::NAN; range.len() * dims];
        about.read(range.clone(), &mut found).unwrap();
        for (i, found) in found.into_iter().enumerate() {
            let wanted = (stored[range.start * dims + i] - origin[i % dims]) as f32;
            assert_eq!(found, wanted, "{}, value {i} of {range:?}", path.display());
        }
    }
    (rows, dims)
}

#[test]
fn every_format_keeps_its_digits() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (name, order, fortran) in [("c.npy", "<", false), ("f.npy", "<", true), ("big.npy", ">", false)] {
        fs::write(path(name), npy(order, fortran)).unwrap();
        assert_eq!(holds(&path(name)), (300, 3));
    }
    let line = |row: usize| format!("{},{},{}\n", value(row, 0), value(row, 1), value(row, 2));
    fs::write(path("points.csv"), (0..300).map(line).collect::<String>()).unwrap();
    assert_eq!(holds(&path("points.csv")), (300, 3));
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for name in [
        "float64_list.parquet",
        "float64_fixed.parquet",
        "float64_large.parquet",
        "float64_list.arrow",
        "float64_fixed.arrow",
        "f64.npy",
        "f64.safetensors",
        "i64.npy",
        "i32.npy",
        "lines.jsonl",
        "lists.csv",
    ] {
        holds(&data.join(name));
    }
}

#[test]
fn what_f32_holds_is_not_wide_and_loses_nothing_where_it_lies() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for name in
        ["f32.npy", "f16.npy", "i16.npy", "float32_list.parquet", "float16_list.arrow", "bf16.safetensors"]
    {
        let file = File::open(data.join(name)).unwrap();
        let extent = file.extent().unwrap().unwrap();
        assert!(!file.is_wide() && extent.rounding(None, &extent) == 0.0, "{name}");
        // About an origin it is rounded, and kept in full precision.
        assert!(extent.rounding(Some(extent.mean()), &extent) > 0.0, "{name}");
        let mean: Arc<[f64]> = extent.mean().into();
        assert!(!file.about(&mean).unwrap().is_half(), "{name}");
    }
}

#[test]
fn far_points_lose_little_about_their_mean() {
    let folder = tempfile::tempdir().unwrap();
    for part in [1, 2] {
        let values = (0..450).flat_map(|i| value(150 * (part - 1) + i / 3, i % 3).to_le_bytes()).collect();
        let bytes = Npy::new("<f8", false, "(150, 3)", values).bytes();
        fs::write(folder.path().join(format!("part_{part}.npy")), bytes).unwrap();
    }
    let set = Shards::matching(&folder.path().join("part_*.npy").to_string_lossy()).unwrap();
    let extent = set.extent().unwrap().unwrap();
    // The far column alone: 1.7e9 · 2⁻²⁴, twice. The constant one loses nothing.
    let (lost, kept) = (extent.rounding(None, &extent), extent.rounding(Some(extent.mean()), &extent));
    assert!((lost - 2.0 * 101.3).abs() < 0.2 && kept < 2e-7, "{lost} {kept}");
    // Of a point, the constant one counts.
    assert!(extent.rounding_of_point(None) > lost / 2.0);
    let mean: Arc<[f64]> = extent.mean().into();
    let about = set.about(&mean).unwrap();
    let mut found = vec![0.0; 900];
    about.read(0..300, &mut found).unwrap();
    for (i, found) in found.into_iter().enumerate() {
        assert_eq!(found, (value(i / 3, i % 3) - mean[i % 3]) as f32);
    }
    // What is constant in one set and another number in the other is apart, and loses where they lie.
    let constant = |value: f64| {
        let bytes = Npy::new("<f8", false, "(2, 1)", [value; 2].map(f64::to_le_bytes).concat()).bytes();
        fs::write(folder.path().join("constant.npy"), bytes).unwrap();
        File::open(folder.path().join("constant.npy")).unwrap().extent().unwrap().unwrap()
    };
    let (a, b) = (constant(1e8 + 3.0), constant(1e8 + 5.0));
    let both = Extent::joined([&a, &b]).unwrap();
    assert_eq!((both.mean(), a.rounding(None, &a)), (&[1e8 + 4.0][..], 0.0));
    assert!(a.rounding(None, &both) > 5.0 && a.rounding(Some(both.mean()), &both) < 1e-6);
    // Whole numbers of 64 bits have lost what f64 does not hold.
    let bytes = Npy::new("<i8", false, "(2, 1)", [1i64 << 60, (1 << 60) + 77].map(i64::to_le_bytes).concat());
    fs::write(folder.path().join("i64.npy"), bytes.bytes()).unwrap();
    let extent = File::open(folder.path().join("i64.npy")).unwrap().extent().unwrap().unwrap();
    assert!(extent.rounding(Some(extent.mean()), &extent) > 200.0);
    // An origin has the dimensions of the points.
    let bytes = Npy::new("<f8", false, "(2, 1)", [1.5f64, -2.5].map(f64::to_le_bytes).concat()).bytes();
    fs::write(folder.path().join("near.npy"), bytes).unwrap();
    let near = File::open(folder.path().join("near.npy")).unwrap();
    assert!(near.about(&mean).is_err());
}

/// Rows that begin with how many values they have: a row of another width is told as it is where they lie.
#[test]
fn counted_rows_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.ivecs");
    let rows = |counts: [i32; 3]| {
        let row =
            |(row, count): (i32, i32)| [count, 1_000_000_000 + row, -row].map(i32::to_le_bytes).concat();
        (0..3).zip(counts).flat_map(row).collect::<Vec<u8>>()
    };
    fs::write(&path, rows([2, 2, 2])).unwrap();
    assert_eq!(holds(&path), (3, 2));
    fs::write(&path, rows([2, 3, 2])).unwrap();
    let file = File::open(&path).unwrap();
    let told =
        [file.extent().unwrap_err().to_string(), file.read(0..3, &mut [0.0; 6]).unwrap_err().to_string()];
    assert!(told[0] == told[1] && told[0].contains("row 1"), "{told:?}");
}

#[test]
fn what_is_not_finite_has_no_extent() {
    let folder = tempfile::tempdir().unwrap();
    for (place, value) in [(0, f64::NAN), (3, f64::NAN), (5, f64::INFINITY), (0, f64::NEG_INFINITY)] {
        let mut values = [1.0f64; 6];
        values[place] = value;
        let bytes = Npy::new("<f8", false, "(3, 2)", values.map(f64::to_le_bytes).concat()).bytes();
        fs::write(folder.path().join("x.npy"), bytes).unwrap();
        assert_eq!(File::open(folder.path().join("x.npy")).unwrap().extent().unwrap(), None, "{place}");
    }
}
