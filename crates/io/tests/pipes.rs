//! Pipes: named ones, and those that a path such as /dev/stdin leads to.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod counting;
mod matrices;
mod support;

use std::{
    fs,
    io::{self, PipeReader, Write},
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use counting::allocated;
use matrices::matrix;
use support::Npy;
use unisphere::Scaling::{Raw, Unit};
use unisphere_io::{Column, Error, Fault, File, Reading, Shards, Source, open};

/// What a pipe may take beside its values.
const CONSTANT: usize = 4 << 10;

/// What a pipe may take for what did not arrive.
const STEP: usize = 1 << 20;

fn fifo(folder: &tempfile::TempDir, name: &str) -> PathBuf {
    let path = folder.path().join(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// What `read` makes of a named pipe while these bytes are written to it. It must open the pipe.
fn fed<T>(path: &Path, bytes: &[u8], read: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        // A reader that has seen enough leaves the writer with a broken pipe.
        scope.spawn(|| drop(fs::write(path, bytes)));
        read()
    })
}

/// The path of the end of a pipe, as a shell has it for `<(program)`.
fn end(pipe: &PipeReader) -> PathBuf {
    format!("/dev/fd/{}", pipe.as_raw_fd()).into()
}

/// A pipe that holds these bytes, few enough that it takes them at once, and has no writer any more.
fn full(bytes: &[u8]) -> PipeReader {
    assert!(bytes.len() <= 8 << 10);
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(bytes).unwrap();
    reader
}

/// Six values of f32.
fn sound() -> Npy {
    Npy::new("<f4", false, "(2, 3)", [1f32, 2.0, 3.0, 4.0, 5.0, 6.0].map(f32::to_le_bytes).concat())
}

fn claiming(shape: &str) -> Vec<u8> {
    Npy::new("<f4", false, shape, sound().values).bytes()
}

macro_rules! said {
    ($result:expr, $path:expr, $fault:pat $(if $guard:expr)?, $words:expr) => {{
        let Error { path, fault } = $result.unwrap_err();
        let text = fault.to_string();
        assert!(text.contains($words) && text.len() < 200, "{text}");
        assert!(matches!(fault, $fault $(if $guard)?), "{fault:?}");
        assert_eq!(path, $path);
    }};
}

#[test]
fn every_dtype_and_layout_by_every_way_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = fifo(&folder, "points.npy");
    for descr in ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"] {
        for fortran in [false, true] {
            // The last is more than a pipe holds, and is read by several threads.
            for (rows, dims) in [(1, 1), (7, 1), (6, 5), (4_113, 130)] {
                let (npy, points) = matrix(descr, fortran, rows, dims);
                let file = fed(&path, &npy.bytes(), || File::open(&path)).unwrap();
                assert_eq!((file.rows(), file.dims(), file.path()), (rows, dims, path.as_path()));
                assert_eq!(file.dtype(), descr);
                assert_eq!(file.bytes_in_memory(), npy.values.len() as u64);
                for _ in 0..2 {
                    assert!(file.embeddings(Raw).unwrap().values() == points, "{descr} {fortran}");
                }
                let (start, end) = (rows / 3, rows - rows / 4);
                let some = &points[start * dims..end * dims];
                assert!(file.embeddings_in(start..end, Raw).unwrap().values() == some);
                assert!(file.embeddings_without(&[0], Raw).unwrap().values() == &points[dims..]);
                assert_eq!(file.stored(rows - 1, dims - 1).unwrap() as f32, points[rows * dims - 1]);
                let zero = (0..rows).filter(|row| points[row * dims..][..dims].iter().all(|&v| v == 0.0));
                assert_eq!(file.zero_rows().unwrap(), zero.collect::<Vec<_>>());
                assert!(format!("{file:?}").len() < 500);
                assert!(file.stored(rows, 0).is_err() && file.embeddings_in(0..rows + 1, Raw).is_err());
            }
        }
    }
}

#[test]
fn every_version_and_a_writer_that_is_slow() {
    for version in [[1, 0], [2, 0], [3, 0]] {
        let bytes = Npy { version, ..sound() }.bytes();
        let (reader, mut writer) = io::pipe().unwrap();
        let file = thread::scope(|scope| {
            scope.spawn(move || {
                for byte in bytes {
                    writer.write_all(&[byte]).unwrap();
                }
                thread::sleep(Duration::from_millis(20));
            });
            File::open(end(&reader))
        });
        assert_eq!(file.unwrap().embeddings(Unit).unwrap().values(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }
}

#[test]
fn a_named_pipe_waits_for_its_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = fifo(&folder, "points.npy");
    let (opened, is_open) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| opened.send(File::open(&path)).unwrap());
        assert!(is_open.recv_timeout(Duration::from_millis(100)).is_err());
        fs::write(&path, sound().bytes()).unwrap();
        assert_eq!(is_open.recv().unwrap().unwrap().rows(), 2);
    });
}

#[test]
fn standard_input_is_a_pipe_or_a_file_and_no_device() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.npy");
    fs::write(&path, sound().bytes()).unwrap();
    // This test again, as a program that has a standard input.
    if std::env::var_os("UNISPHERE_READS_STDIN").is_some() {
        let text = match File::open("/dev/stdin") {
            Ok(file) => format!("{} rows, {} bytes in memory", file.rows(), file.bytes_in_memory()),
            Err(error) => error.to_string(),
        };
        writeln!(io::stdout(), "{text}").unwrap();
        return;
    }
    let run = |stdin: Stdio| {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args(["--exact", "--nocapture", "standard_input_is_a_pipe_or_a_file_and_no_device"]);
        let output = program.env("UNISPHERE_READS_STDIN", "1").stdin(stdin).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for (stdin, words) in [
        (full(&sound().bytes()).into(), "2 rows, 24 bytes in memory"),
        (fs::File::open(&path).unwrap().into(), "2 rows, 0 bytes in memory"),
        (Stdio::null(), "/dev/stdin: a device, a terminal or a socket"),
        (full(&[]).into(), "/dev/stdin: a pipe that ended before its first byte"),
    ] {
        let text = run(stdin);
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn one_cut_short() {
    let folder = tempfile::tempdir().unwrap();
    let path = fifo(&folder, "points.npy");
    for version in [[1, 0], [2, 0]] {
        let bytes = Npy { version, ..sound() }.bytes();
        for length in 1..128 {
            let result = fed(&path, &bytes[..length], || File::open(&path));
            said!(result, path, Fault::HeaderCut { length: found } if found == length as u64, "within its header");
        }
        for length in 128..152 {
            let result = fed(&path, &bytes[..length], || File::open(&path));
            let words = format!("ended after {length} bytes, and its header claims 152; see why its writer");
            said!(result, path, Fault::PipeCut { found, claimed: 152 } if found == length as u64, &words);
        }
    }
}

#[test]
fn one_that_holds_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = fifo(&folder, "points.npy");
    let bytes = sound().bytes();
    for more in [&[0][..], &bytes, &vec![7; 1 << 20]] {
        let result = fed(&path, &[&bytes, more].concat(), || File::open(&path));
        said!(result, path, Fault::PipeLonger { claimed: 152 }, "goes on after the 152 bytes");
    }
}

#[test]
fn one_that_claims_much_takes_little_memory() {
    let shapes = ["(288230376151711744, 1)", "(1, 288230376151711744)", "(4611686018427387871, 1)"];
    for (shape, claimed) in shapes.into_iter().zip([(1 << 60) + 128, (1 << 60) + 128, u64::MAX - 3]) {
        let pipe = full(&claiming(shape));
        let (result, bytes) = allocated(|| File::open(end(&pipe)));
        said!(result, end(&pipe), Fault::PipeCut { found: 152, claimed: c } if c == claimed, "ended after 152");
        assert!(bytes <= STEP + CONSTANT, "{bytes}");
    }
    let pipe = full(&claiming("(4611686018427387904, 1)"));
    said!(File::open(end(&pipe)), end(&pipe), Fault::Huge { .. }, "more than any file");
    let labels = Npy::new("|u1", false, "(1152921504606846976,)", vec![1; 5]).bytes();
    let pipe = full(&labels);
    let (result, bytes) = allocated(|| Column::open(end(&pipe)));
    said!(result, end(&pipe), Fault::PipeCut { found: 133, .. }, "ended after 133 bytes");
    assert!(bytes <= STEP + CONSTANT, "{bytes}");
}

#[test]
fn one_above_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = fifo(&folder, "points.npy");
    let bytes = sound().bytes();
    for limit in [24, u64::MAX] {
        assert_eq!(
            fed(&path, &bytes, || File::open_with(&path, &Reading::new().with_max_bytes(limit)))
                .unwrap()
                .bytes_in_memory(),
            24
        );
    }
    for limit in [0, 23] {
        let (result, taken) = allocated(|| {
            fed(&path, &bytes, || File::open_with(&path, &Reading::new().with_max_bytes(limit)))
        });
        let words = format!("needs 24 bytes of memory, and {limit} are allowed; write it to a file first");
        said!(result, path, Fault::PipeLimit { needed: 24, limit: l } if l == limit, &words);
        assert!(taken <= 2 * CONSTANT, "{taken}");
    }
    let result = fed(&path, &claiming("(288230376151711744, 1)"), || {
        File::open_with(&path, &Reading::new().with_max_bytes(1 << 40))
    });
    said!(result, path, Fault::PipeLimit { needed, .. } if needed == 1 << 60, "or allow more memory");
    // A regular file is not kept in memory.
    let file = folder.path().join("file.npy");
    fs::write(&file, &bytes).unwrap();
    assert_eq!(File::open_with(&file, &Reading::new().with_max_bytes(0)).unwrap().bytes_in_memory(), 0);
}

#[test]
fn several_in_a_set() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.npy");
    fs::write(&file, sound().bytes()).unwrap();
    let other = Npy::new(">f4", false, "(1, 3)", [7f32, 8.0, 9.0].map(f32::to_be_bytes).concat()).bytes();
    for (limit, fits) in [(36, true), (35, false), (23, false)] {
        let pipes = [full(&sound().bytes()), full(&other)];
        let paths = [end(&pipes[0]), file.clone(), end(&pipes[1])];
        let set = Shards::open_with(&paths, &Reading::new().with_max_bytes(limit));
        if fits {
            let set = set.unwrap();
            let points = set.embeddings(Raw).unwrap();
            assert_eq!((set.rows(), points.rows(), set.path()), (5, 5, paths[0].as_path()));
            assert_eq!(points.values()[9..], [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
            assert_eq!(set.place(4), (paths[2].as_path(), 0));
        } else {
            let (path, needed) = if limit == 35 { (&paths[2], 36) } else { (&paths[0], 24) };
            said!(set, *path, Fault::PipeLimit { needed: n, limit: l } if (n, l) == (needed, limit), "allowed");
        }
    }
    let pipes = [full(&sound().bytes()), full(&other)];
    assert_eq!(Shards::open(&pipes.each_ref().map(end)).unwrap().rows(), 3);
}

#[test]
fn its_name_is_no_pattern() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a1.npy"), [0]).unwrap();
    let path = fifo(&folder, "a[1].npy");
    let rows = [
        fed(&path, &sound().bytes(), || open(&path)).unwrap().rows(),
        fed(&path, &sound().bytes(), || Shards::matching(path.to_str().unwrap())).unwrap().rows(),
        fed(&path, &sound().bytes(), || Shards::open(&[&path])).unwrap().rows(),
    ];
    assert_eq!(rows, [2, 2, 2]);
}

#[test]
fn a_second_look_sees_an_end_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let named = fifo(&folder, "points.npy");
    let file = fed(&named, &sound().bytes(), || File::open(&named)).unwrap();
    said!(fed(&named, &[], || File::open(&named)), named, Fault::PipeEmpty, "before its first byte");
    let pipe = full(&sound().bytes());
    let path = end(&pipe);
    let first = File::open(&path).unwrap();
    said!(File::open(&path), path, Fault::PipeEmpty, "name a pipe only once");
    said!(Column::open(&path), path, Fault::PipeEmpty, "check the program that writes it");
    // What was read of it is still there.
    assert_eq!(first.embeddings(Raw).unwrap().values(), file.embeddings(Raw).unwrap().values());
    let pipe = full(&sound().bytes());
    said!(Shards::open(&[end(&pipe), end(&pipe)]), end(&pipe), Fault::PipeEmpty, "only once");
}

#[test]
fn other_formats_and_values_that_cannot_be_measured() {
    let pipe = full(b"\x1f\x8b\x08\0\0\0\0\0");
    said!(File::open(end(&pipe)), end(&pipe), Fault::Format { .. }, "gunzip");
    let values = [1.0, 2.0, 0.0, 0.0, 1e39, 5.0].map(f64::to_le_bytes).concat();
    let pipe = full(&Npy::new("<f8", false, "(3, 2)", values).bytes());
    let file = File::open(end(&pipe)).unwrap();
    assert_eq!(file.zero_rows().unwrap(), [1]);
    said!(file.embeddings_in(0..2, Unit), end(&pipe), Fault::Content(_), "row 1 is all zeros");
    said!(file.embeddings_without(&[1], Unit), end(&pipe), Fault::Overflow { row: 2, dim: 0, .. }, "row 2");
}

#[test]
fn columns() {
    for shape in ["(3,)", "(3, 1)"] {
        let column = Npy::new(">i2", false, shape, [5i16, -1, 7].map(i16::to_be_bytes).concat()).bytes();
        let (pipe, again) = (full(&column), full(&column));
        let integers = Column::open(end(&pipe)).unwrap();
        assert_eq!((integers.rows(), integers.path()), (3, end(&pipe).as_path()));
        assert_eq!(integers.integers().unwrap(), [5, -1, 7]);
        assert_eq!(Column::open(end(&again)).unwrap().floats().unwrap(), [5.0, -1.0, 7.0]);
        let cut = full(&column[..column.len() - 1]);
        said!(Column::open(end(&cut)), end(&cut), Fault::PipeCut { .. }, "ended after");
        let longer = full(&[&column[..], &[0]].concat());
        said!(Column::open(end(&longer)), end(&longer), Fault::PipeLonger { .. }, "goes on");
    }
}
