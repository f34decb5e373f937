//! Files that are read, each against values that were written by hand.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod matrices;
mod support;

use std::{fs, io::Write};

use matrices::matrix;
use support::Npy;
use unisphere::Scaling::{Raw, Unit};
use unisphere_io::{Column, File, RawFloat, Reading, Source, parse, parse_floats, parse_integers, write};

#[test]
fn every_dtype_byte_order_layout_and_version() {
    let mut files = 0;
    for descr in ["<f2", ">f2", "=f2", "<f4", ">f4", "=f4", "<f8", ">f8", "=f8"] {
        for fortran in [false, true] {
            for version in [[1, 0], [2, 0], [3, 0]] {
                for (rows, dims) in [(1, 1), (1, 6), (7, 1), (2, 3), (5, 17)] {
                    let (npy, expected) = matrix(descr, fortran, rows, dims);
                    let points = parse(&Npy { version, ..npy }.bytes(), Raw).unwrap();
                    assert_eq!((points.rows(), points.dims(), points.scaling()), (rows, dims, Raw));
                    let same =
                        points.values().iter().map(|v| v.to_bits()).eq(expected.iter().map(|v| v.to_bits()));
                    assert!(same, "{descr} {fortran} {version:?} {rows} {dims}: {points:?}");
                    files += 1;
                }
            }
        }
    }
    assert_eq!(files, 270);
}

#[test]
fn sizes_around_every_chunk_and_tile() {
    for (rows, dims) in
        [(4111, 15), (4112, 16), (4113, 17), (2 * 4112, 33), (2, 32768), (3, 32767), (1, 98305)]
    {
        for fortran in [false, true] {
            for descr in ["<f2", ">f8"] {
                let (npy, expected) = matrix(descr, fortran, rows, dims);
                let points = parse(&npy.bytes(), Raw).unwrap();
                assert!(points.values() == expected, "{descr} {fortran} {rows} {dims}");
            }
        }
    }
}

#[test]
fn headers_as_other_writers_have_them() {
    let (npy, expected) = matrix("<f4", false, 2, 3);
    for header in [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}",
        "{'shape':(2,3),'fortran_order':False,'descr':'<f4'}",
        r#" { "fortran_order" : False , "shape" : ( 2 , 3 , ) , "descr" : "<f4" , } "#,
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (np.int64(2), numpy.uint8( 3 )), }",
        "{u'descr': u'<f4', u'fortran_order': False, U\"shape\": (2, 3), }",
        "{\n\t'descr': '<f4',\n\t'fortran_order': False,\r\n\t'shape': (2, 3)\n}",
    ] {
        let points = parse(&Npy { header: header.into(), ..npy.clone() }.bytes(), Unit).unwrap();
        assert_eq!((points.rows(), points.dims(), points.values()), (2, 3, expected.as_slice()), "{header}");
    }
}

/// The bytes of a small whole number in a dtype that this spelling names.
fn small(dtype: &str, value: i8) -> Vec<u8> {
    match dtype {
        "i1" | "u1" => vec![value as u8],
        "i2" | "u2" => i16::from(value).to_ne_bytes().to_vec(),
        "i4" | "u4" => i32::from(value).to_ne_bytes().to_vec(),
        "i8" | "u8" => i64::from(value).to_ne_bytes().to_vec(),
        "f2" => [0x0000u16, 0x3c00, 0x4000][value as usize].to_ne_bytes().to_vec(),
        "f4" => f32::from(value).to_ne_bytes().to_vec(),
        _ => f64::from(value).to_ne_bytes().to_vec(),
    }
}

#[test]
fn dtypes_as_numpy_spells_them_in_the_order_of_this_machine() {
    for (dtype, spellings) in [
        ("i1", &["|i1", "<i1", "b", "int8", "byte"][..]),
        ("u1", &["|u1", ">u1", "B", "uint8", "ubyte"]),
        ("i2", &["=i2", "|i2", "h", "int16", "short"]),
        ("u2", &["=u2", "u2", "H", "uint16", "ushort"]),
        ("i4", &["=i4", "i4", "i", "int32", "intc"]),
        ("u4", &["=u4", "|u4", "I", "uint32", "uintc"]),
        ("i8", &["=i8", "|i8", "q", "l", "int64", "int", "intp", "longlong"]),
        ("u8", &["=u8", "u8", "Q", "L", "uint64", "uint", "uintp", "ulonglong"]),
        ("f2", &["=f2", "|f2", "e", "float16", "half", "=e"]),
        ("f4", &["=f4", "|f4", "f4", "f", "float32", "single", "|f"]),
        ("f8", &["=f8", "|f8", "f8", "d", "float64", "double", "float", "=d"]),
    ] {
        let bytes: Vec<u8> = [0, 1, 2, 1, 0, 2].into_iter().flat_map(|value| small(dtype, value)).collect();
        for spelling in spellings {
            let points = parse(&Npy::new(spelling, false, "(2, 3)", bytes.clone()).bytes(), Raw);
            assert_eq!(points.unwrap().values(), [0.0, 1.0, 2.0, 1.0, 0.0, 2.0], "{spelling}");
        }
    }
    for spelling in ["|b1", "?", "bool", "<b1"] {
        let points = parse(&Npy::new(spelling, false, "(2, 2)", vec![0, 1, 1, 255]).bytes(), Raw);
        assert_eq!(points.unwrap().values(), [0.0, 1.0, 1.0, 1.0], "{spelling}");
    }
}

#[test]
fn whole_numbers_of_every_size_and_order() {
    macro_rules! whole {
        ($($number:ty: $name:literal),*) => {$(
            let values = [<$number>::MIN, <$number>::MAX, 1, 7, 100, 3];
            let expected = values.map(|value| value as f32);
            for fortran in [false, true] {
                let at = |i: usize| if fortran { (i % 2) * 3 + i / 2 } else { i };
                let laid_out: Vec<_> = (0..6).map(|i| values[at(i)]).collect();
                let little = laid_out.iter().flat_map(|value| value.to_le_bytes()).collect();
                let big = laid_out.iter().flat_map(|value| value.to_be_bytes()).collect();
                for (order, bytes) in [('<', little), ('>', big)] {
                    let npy = Npy::new(&format!("{order}{}", $name), fortran, "(2, 3)", bytes);
                    assert_eq!(parse(&npy.bytes(), Unit).unwrap().values(), expected, "{order}{}", $name);
                }
            }
        )*};
    }
    whole!(i8: "i1", u8: "u1", i16: "i2", u16: "u2", i32: "i4", u32: "u4", i64: "i8", u64: "u8");
}

/// The value of a float of 8 bits by its definition.
fn float8(byte: u8, mantissa_bits: u32, bias: i32) -> f64 {
    let exponent = i32::from(byte & 0x7f) >> mantissa_bits;
    let steps = 1 << mantissa_bits;
    let mantissa = f64::from(byte & (steps - 1) as u8) / f64::from(steps);
    let magnitude = match exponent {
        0 => mantissa * 2f64.powi(1 - bias),
        _ => (1.0 + mantissa) * 2f64.powi(exponent - bias),
    };
    if byte < 0x80 { magnitude } else { -magnitude }
}

#[test]
fn floats_that_numpy_has_no_dtype_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.npy");
    let open = |descr: &str, told, bytes: &[u8]| {
        let shape = format!("({},)", bytes.len() / if told == RawFloat::BF16 { 2 } else { 1 });
        fs::write(&path, Npy::new(descr, false, &shape, bytes.to_vec()).bytes()).unwrap();
        File::open_with(&path, &Reading::new().with_dtype(told)).unwrap()
    };
    // All finite ones.
    let e4m3: Vec<u8> = (0..=255).filter(|byte| byte & 0x7f != 0x7f).collect();
    let e5m2: Vec<u8> = (0..=255).filter(|byte| byte & 0x7f < 0x7c).collect();
    for (told, bytes, mantissa_bits, bias, name) in
        [(RawFloat::F8E4M3, e4m3, 3, 7, "float8_e4m3fn"), (RawFloat::F8E5M2, e5m2, 2, 15, "float8_e5m2")]
    {
        for descr in ["|V1", "<V1", "<f1", "|u1", "|i1"] {
            let file = open(descr, told, &bytes);
            assert_eq!((file.rows(), file.dims(), file.dtype()), (bytes.len(), 1, name.into()));
            let points = file.embeddings(Raw).unwrap();
            for (row, (&byte, &value)) in bytes.iter().zip(points.values()).enumerate() {
                let expected = float8(byte, mantissa_bits, bias);
                assert_eq!(
                    (f64::from(value), file.stored(row, 0).unwrap()),
                    (expected, expected),
                    "{byte:x}"
                );
            }
        }
    }
    let singles = [1.0f32, -2.5, 0.0, 3.0e18, 1e-40, -0.15625];
    let halves: Vec<u16> = singles.iter().map(|value| (value.to_bits() >> 16) as u16).collect();
    let expected: Vec<f32> = halves.iter().map(|&half| f32::from_bits(u32::from(half) << 16)).collect();
    let little: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
    let big: Vec<u8> = halves.iter().flat_map(|half| half.to_be_bytes()).collect();
    for (descr, bytes) in
        [("<V2", &little), ("<u2", &little), (">i2", &big), (">V2", &big), ("bfloat16", &little)]
    {
        let file = open(descr, RawFloat::BF16, bytes);
        assert_eq!(file.dtype(), "bfloat16");
        assert_eq!(file.embeddings(Raw).unwrap().values(), expected, "{descr}");
        assert_eq!(file.stored(1, 0).unwrap(), -2.5);
    }
    // What has no value is found.
    for (told, byte) in [(RawFloat::F8E4M3, 0x7f), (RawFloat::F8E4M3, 0xff), (RawFloat::F8E5M2, 0x7c)] {
        let error = open("|V1", told, &[0x38, byte]).embeddings(Raw).unwrap_err().to_string();
        assert!(error.contains("row 1 holds a value that is not finite"), "{error}");
    }
}

#[test]
fn an_array_of_one_axis_is_points_of_one_dimension() {
    let bytes = [1.5f32, -2.0, 0.25].map(f32::to_le_bytes).concat();
    for fortran in [false, true] {
        let points = parse(&Npy::new("<f4", fortran, "(3,)", bytes.clone()).bytes(), Raw).unwrap();
        assert_eq!((points.rows(), points.dims(), points.values()), (3, 1, [1.5, -2.0, 0.25].as_slice()));
    }
}

#[test]
fn doubles_are_rounded_to_the_nearest() {
    let half_ulp = 2f64.powi(-24);
    let pairs = [
        (0.1, 0.1f32),
        (1.0 + half_ulp, 1.0), // a tie, to even
        (1.0 + half_ulp + 2f64.powi(-50), 1.0 + f32::EPSILON),
        (1.0 + 3.0 * half_ulp, 1.0 + 2.0 * f32::EPSILON), // a tie, to even
        (-1e-300, -0.0),
        (1e-45, f32::from_bits(1)),
    ];
    let bytes = pairs.iter().flat_map(|(double, _)| double.to_le_bytes()).collect();
    let points = parse(&Npy::new("<f8", false, "(2, 3)", bytes).bytes(), Raw).unwrap();
    for (value, (double, single)) in points.values().iter().zip(pairs) {
        assert_eq!(value.to_bits(), single.to_bits(), "{double:e}");
    }
}

#[test]
fn the_greatest_float_is_no_overflow() {
    let rounded_down = f64::from(f32::MAX) * (1.0 + 2f64.powi(-26));
    let file = Npy::new("<f8", false, "(1, 1)", rounded_down.to_le_bytes().to_vec());
    // It arrives as f32::MAX, of which the points then say that it is too large to measure.
    let fault = parse(&file.bytes(), Raw).unwrap_err();
    assert!(fault.to_string().contains("3.4028234663852886e38"), "{fault}");
}

#[test]
fn a_file_on_disk_is_read_as_often_as_asked() {
    let (npy, expected) = matrix(">f8", true, 5, 4);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&npy.bytes()).unwrap();
    let file = File::open(file.path()).unwrap();
    assert_eq!((file.rows(), file.dims(), file.dtype()), (5, 4, ">f8".into()));
    assert_eq!(file.bytes(), 160);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(file.embeddings(Raw).unwrap().values(), expected));
        }
    });
}

#[test]
fn an_open_file_outlives_its_name() {
    let (npy, expected) = matrix("<f2", false, 3, 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.npy");
    fs::write(&path, npy.bytes()).unwrap();
    let file = File::open(&path).unwrap();
    if cfg!(unix) {
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(file.embeddings(Raw).unwrap().values(), expected);
}

/// The low bytes of a whole number, as `descr` has them.
fn whole(descr: &str, value: i64) -> Vec<u8> {
    let mut bytes = match &descr[1..] {
        "f2" => half::f16::from_f64(value as f64).to_le_bytes().to_vec(),
        "f4" => (value as f32).to_le_bytes().to_vec(),
        "f8" => (value as f64).to_le_bytes().to_vec(),
        integer => value.to_le_bytes()[..usize::from(integer.as_bytes()[1] - b'0')].to_vec(),
    };
    if descr.starts_with('>') {
        bytes.reverse();
    }
    bytes
}

#[test]
fn columns_of_every_dtype() {
    let signed = ["|i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "<f2", ">f4", "<f8", ">f8"];
    let unsigned = ["|u1", "<u2", ">u2", "<u4", ">u4", "<u8", ">u8"];
    for (descrs, values) in [(&signed[..], [5, -128, 0, 127, -1]), (&unsigned, [5, 255, 0, 127, 1])] {
        for descr in descrs {
            let bytes: Vec<u8> = values.iter().flat_map(|&value| whole(descr, value)).collect();
            for shape in ["(5,)", "(5, 1)"] {
                let npy = Npy::new(descr, false, shape, bytes.clone()).bytes();
                assert_eq!(parse_integers(&npy).unwrap(), values, "{descr} {shape}");
                assert_eq!(parse_floats(&npy).unwrap(), values.map(|v| v as f64), "{descr} {shape}");
            }
        }
    }
    let truths = Npy::new("|b1", false, "(3,)", vec![1, 0, 1]).bytes();
    assert_eq!(parse_integers(&truths).unwrap(), [1, 0, 1]);
    let least = Npy::new("<i8", false, "(2,)", [i64::MIN, i64::MAX].map(i64::to_le_bytes).concat()).bytes();
    assert_eq!(parse_integers(&least).unwrap(), [i64::MIN, i64::MAX]);
    let truths = Npy::new("?", false, "(3,)", vec![2, 0, 1]).bytes();
    assert_eq!(parse_floats(&truths).unwrap(), [1.0, 0.0, 1.0]);
    let broken = Npy::new("<f4", false, "(2,)", [0.5f32, -2.25].map(f32::to_le_bytes).concat()).bytes();
    assert_eq!(parse_floats(&broken).unwrap(), [0.5, -2.25]);
}

#[test]
fn a_long_column_and_one_on_disk() {
    let values: Vec<i64> = (0..20_001).map(|i| i * i - 7).collect();
    let bytes = values.iter().flat_map(|value| value.to_be_bytes()).collect();
    let npy = Npy::new(">i8", false, "(20001,)", bytes).bytes();
    assert_eq!(parse_integers(&npy).unwrap(), values);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("labels.npy");
    fs::write(&path, npy).unwrap();
    let column = Column::open(&path).unwrap();
    assert_eq!((column.rows(), column.path()), (20_001, path.as_path()));
    assert_eq!(column.integers().unwrap(), values);
}

#[test]
fn rows_may_be_left_out() {
    let (npy, expected) = matrix("<f4", false, 7, 3);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.npy");
    fs::write(&path, npy.bytes()).unwrap();
    let file = File::open(&path).unwrap();
    for without in [&[][..], &[0], &[6], &[0, 1, 2], &[2, 4, 5], &[0, 1, 2, 3, 4, 5]] {
        let points = file.embeddings_without(without, Raw).unwrap();
        let rows = expected.chunks(3).enumerate().filter(|(row, _)| !without.contains(row));
        let rows: Vec<f32> = rows.flat_map(|(_, row)| row.iter().copied()).collect();
        assert_eq!((points.rows(), points.values()), (7 - without.len(), rows.as_slice()), "{without:?}");
    }
}

#[test]
fn zero_rows_are_found_and_other_faults_keep_their_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.npy");
    let values = [0f64, 0.0, 1.0, 2.0, -0.0, 0.0, 0.0, 1e-300, 1e300, 1.0];
    let npy = Npy::new("<f8", false, "(5, 2)", values.map(f64::to_le_bytes).concat());
    fs::write(&path, npy.bytes()).unwrap();
    let file = File::open(&path).unwrap();
    // 1e-300 is 0 as f32.
    assert_eq!(file.zero_rows().unwrap(), [0, 2, 3]);
    let error = file.embeddings_without(&[0, 2, 3], Unit).unwrap_err().to_string();
    assert!(error.contains("row 4 holds 1e300"), "{error}");
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.npy");
    let values = [1.5f64, -2.0, f64::MIN_POSITIVE, 1e300, 0.1, f64::NEG_INFINITY];
    for columns in [1, 2, 3, 6] {
        // Over what was there.
        write(&path, &values, columns).unwrap();
        let bytes = fs::read(&path).unwrap();
        let header = format!("'shape': ({}, {columns})", 6 / columns);
        assert!(String::from_utf8_lossy(&bytes).contains(&header));
        assert_eq!((bytes.len() - 48) % 64, 0);
        assert_eq!(bytes[bytes.len() - 48..], values.map(f64::to_le_bytes).concat());
    }
    write(&path, &[0.25, 0.5], 2).unwrap();
    assert_eq!(File::open(&path).unwrap().embeddings(Raw).unwrap().values(), [0.25, 0.5]);
    let error = write(folder.path().join("none/rows.npy"), &values, 2).unwrap_err().to_string();
    assert!(error.contains("none/rows.npy: cannot be written"), "{error}");
    // Nothing is left beside it.
    assert!(write(folder.path(), &values, 2).is_err());
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["rows.npy"]);
}
