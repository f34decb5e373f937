//! Sound files, mutated: no input panics, and none makes the reader allocate more than its size warrants.
//!
//! The inputs are the same in every run; `PROPTEST_RNG_SEED` draws others, and `PROPTEST_CASES` sets their number.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod counting;
mod fixtures;
mod support;

use std::{cell::Cell, collections::BTreeMap, env, fs, path::Path};

use counting::allocated;

use proptest::{
    collection::vec,
    prelude::*,
    sample::Index,
    test_runner::{RngSeed, TestRunner},
};
use support::{Npy, Zipped, archive};
use unisphere::Scaling;
use unisphere_io::{File, Quant, Reading, parse, parse_floats, parse_integers};

/// What a result, a header or an error takes beside the values and the buffers, which the file's size bounds.
const CONSTANT: usize = 4 << 10;

/// Text that means something in a header, or nearly.
const TOKENS: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ",",
    ":",
    "'",
    "\"",
    "\\",
    "\0",
    "L",
    "-",
    "+",
    "#",
    "\n",
    "é",
    "'descr'",
    "'fortran_order'",
    "'shape'",
    "True",
    "False",
    "None",
    "'<f2'",
    "'>f4'",
    "'=f8'",
    "'|f4'",
    "'|O'",
    "'<i8'",
    "'>u2'",
    "'|b1'",
    "[('a', '<f4')]",
    "'descr': '<f8',",
    "'float16'",
    "u'd'",
    "'<V2'",
    "'?'",
    "np.int64(",
    "PK\x03\x04",
    "PK\x01\x02",
    "PK\x05\x06",
    "\"a\":",
    "\"dtype\":\"F8_E4M3\"",
    "\"dtype\":\"F4\"",
    "\"shape\":[6,5]",
    "\"data_offsets\":[0,120]",
    "\"__metadata__\":{}",
    "1_0",
    "0",
    "1",
    "2",
    "64",
    "65535",
    "65536",
    "2147483648",
    "4294967296",
    "4611686018427387904",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
];

#[derive(Clone, Debug)]
enum Mutation {
    Set(Index, u8),
    Flip(Index, u8),
    Insert(Index, &'static str),
    Replace(Index, usize, &'static str),
    Remove(Index, usize),
    Repeat(Index, usize),
    Cut(Index),
    Append(Vec<u8>),
}

impl Mutation {
    /// Applies this to the first `reach` bytes of a file.
    fn apply(&self, bytes: &mut Vec<u8>, reach: usize) {
        let reach = reach.min(bytes.len());
        if reach == 0 {
            return;
        }
        let range = |at: &Index, length: usize| {
            let at = at.index(reach);
            at..reach.min(at + length)
        };
        match self {
            Self::Set(at, byte) => bytes[at.index(reach)] = *byte,
            Self::Flip(at, bit) => bytes[at.index(reach)] ^= 1 << bit,
            Self::Insert(at, token) => drop(bytes.splice(range(at, 0), token.bytes())),
            Self::Replace(at, length, token) => drop(bytes.splice(range(at, *length), token.bytes())),
            Self::Remove(at, length) => drop(bytes.drain(range(at, *length))),
            Self::Repeat(at, length) => {
                let range = range(at, *length);
                let again = bytes[range.clone()].to_vec();
                drop(bytes.splice(range.end..range.end, again));
            }
            Self::Cut(at) => bytes.truncate(at.index(reach)),
            Self::Append(more) => bytes.extend(more),
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    let token = || prop::sample::select(TOKENS);
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        4 => (at(), 0..8u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        2 => (at(), token()).prop_map(|(at, token)| Mutation::Insert(at, token)),
        4 => (at(), 0..20usize, token()).prop_map(|(at, n, token)| Mutation::Replace(at, n, token)),
        2 => (at(), 0..40usize).prop_map(|(at, n)| Mutation::Remove(at, n)),
        1 => (at(), 0..200usize).prop_map(|(at, n)| Mutation::Repeat(at, n)),
        1 => at().prop_map(Mutation::Cut),
        1 => vec(any::<u8>(), 0..100).prop_map(Mutation::Append),
    ]
}

/// A number of any magnitude.
fn size() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..64u32).prop_map(|(number, shift)| number >> shift)
}

/// A sound file, but perhaps for its shape, and for values that are not finite: bytes up to 0x40 make none.
fn framed() -> impl Strategy<Value = Npy> {
    let descr =
        prop::sample::select(&["<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "=f4", "|u1", ">i2", "<i8"][..]);
    let version = prop::sample::select(&[[1, 0], [2, 0], [3, 0]][..]);
    let greatest = prop_oneof![3 => Just(0x40u8), 1 => Just(0xff)];
    let claim = prop_oneof![3 => Just(None), 1 => (size(), size()).prop_map(Some)];
    (descr, version, any::<bool>(), 1..9u64, 1..9u64, greatest, claim).prop_flat_map(
        |(descr, version, fortran, rows, dims, greatest, claim)| {
            let length = (rows * dims) as usize * usize::from(descr.as_bytes()[2] - b'0');
            let shape = format!("{:?}", claim.unwrap_or((rows, dims)));
            vec(0..=greatest, length)
                .prop_map(move |values| Npy { version, ..Npy::new(descr, fortran, &shape, values) })
        },
    )
}

/// A file after mutations of its header, which stays framed by its true length, and of the whole.
fn mutated() -> impl Strategy<Value = (Vec<u8>, Scaling)> {
    let reach = prop_oneof![Just(12usize), Just(128), Just(usize::MAX)];
    let scaling = prop_oneof![Just(Scaling::Unit), Just(Scaling::Raw)];
    let mutations = (vec(mutation(), 0..4), vec((mutation(), reach), 0..3));
    (framed(), mutations, scaling).prop_map(|(npy, (inner, outer), scaling)| {
        let mut header = npy.header.clone();
        inner.iter().for_each(|mutation| mutation.apply(&mut header, usize::MAX));
        let mut bytes = Npy { header, ..npy }.bytes();
        outer.iter().for_each(|(mutation, reach)| mutation.apply(&mut bytes, *reach));
        (bytes, scaling)
    })
}

/// A sound column, but perhaps for its shape and for numbers that are not finite or whole, after such mutations.
fn mutated_column() -> impl Strategy<Value = Vec<u8>> {
    let descr = prop::sample::select(
        &["|i1", "|u1", "|b1", "<i2", ">u2", "<i4", ">i4", "<i8", "<u8", ">f2", "<f4", "<f8"][..],
    );
    let claim = prop_oneof![6 => Just(None), 1 => size().prop_map(Some)];
    let column = (descr, 1..60u64, any::<bool>(), claim).prop_flat_map(|(descr, rows, narrow, claim)| {
        let length = rows as usize * usize::from(descr.as_bytes()[2] - b'0');
        let claimed = claim.unwrap_or(rows);
        let shape = if narrow { format!("({claimed}, 1)") } else { format!("({claimed},)") };
        // Bytes that are mostly 0 make whole numbers of floats too.
        let byte = prop_oneof![3 => Just(0u8), 1 => any::<u8>()];
        vec(byte, length).prop_map(move |values| Npy::new(descr, false, &shape, values))
    });
    (column, vec(mutation(), 0..3)).prop_map(|(npy, mutations)| {
        let mut header = npy.header.clone();
        mutations.iter().for_each(|mutation| mutation.apply(&mut header, usize::MAX));
        Npy { header, ..npy }.bytes()
    })
}

/// What opening a file of any format takes beside a multiple of its bytes: the tables of a decoder, the first step of what is
/// inflated, and the buffers of text.
const ANY_FORMAT: usize = 4 << 20;

/// Bytes that a byte of a file may ask for: a bit is an f32, and the header of safetensors is parsed by serde.
const FOR_A_BYTE: usize = 200;

/// Asserts that a file is read or refused, within memory in proportion to its bytes, and returns whether it is read.
fn assert_bounded(path: &Path, bytes: &[u8], reading: &Reading) -> Result<bool, TestCaseError> {
    fs::write(path, bytes).unwrap();
    let (read, taken) =
        allocated(|| File::open_with(path, reading).and_then(|file| file.embeddings(Scaling::Raw)));
    prop_assert!(taken <= FOR_A_BYTE * bytes.len() + ANY_FORMAT, "{} bytes for {}", taken, bytes.len());
    match &read {
        Ok(points) => prop_assert!(points.values().iter().all(|value| value.is_finite())),
        Err(error) => {
            let text = error.fault.to_string();
            prop_assert!(!text.chars().any(char::is_control) && text.len() < 600, "{}", text);
        }
    }
    Ok(read.is_ok())
}

/// Files of every format, by the libraries that people use, mutated anywhere; each as often as every other.
#[test]
fn mutated_files_of_the_libraries() {
    let fixtures = fixtures::all();
    let reach = prop_oneof![Just(16usize), Just(128), Just(usize::MAX)];
    let mutations = vec((mutation(), reach), 0..4);
    let folder = tempfile::tempdir().unwrap();
    let config = config();
    let config = ProptestConfig { cases: config.cases.div_ceil(fixtures.len() as u32), ..config };
    let mut outcomes = BTreeMap::<_, [u32; 2]>::new();
    for fixture in &fixtures {
        let sound = fs::read(fixture.path()).unwrap();
        let path = folder.path().join(&fixture.name);
        let read = Cell::new(0);
        let outcome = TestRunner::new(config.clone()).run(&mutations, |mutations| {
            let mut bytes = sound.clone();
            mutations.iter().for_each(|(mutation, reach)| mutation.apply(&mut bytes, *reach));
            read.set(read.get() + u32::from(assert_bounded(&path, &bytes, &fixture.reading)?));
            Ok(())
        });
        outcome.unwrap();
        let [refused, all_read] = outcomes.entry(fixture.name.rsplit('.').next()).or_default();
        *refused += config.cases - read.get();
        *all_read += read.get();
    }
    for (ending, [refused, read]) in outcomes {
        assert!(refused > 0 && read > 0, "{ending:?}: {refused} refused, {read} read");
    }
}

/// Archives with sound checksums of mutated arrays, so that mutations get behind them.
#[test]
fn mutated_arrays_in_archives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.npz");
    let read = Cell::new(0);
    let config = config();
    let cases = config.cases;
    let input = (mutated(), vec((mutation(), Just(usize::MAX)), 0..2));
    let outcome = TestRunner::new(config).run(&input, |((array, _), mutations)| {
        let mut bytes = archive(&[Zipped::new("points.npy", array)]);
        mutations.iter().for_each(|(mutation, reach)| mutation.apply(&mut bytes, *reach));
        let is_read = assert_bounded(&path, &bytes, &Reading::new())?;
        read.set(read.get() + u32::from(is_read));
        Ok(())
    });
    outcome.unwrap();
    assert!((cases / 100..cases / 2).contains(&read.get()), "{} of {cases} read", read.get());
}

/// Headers of safetensors that are mutated behind a length that stays true.
#[test]
fn mutated_headers_of_tensors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.safetensors");
    let read = Cell::new(0);
    let config = config();
    let cases = config.cases;
    let header =
        br#"{"__metadata__":{"format":"np"},"a":{"dtype":"F32","shape":[6,5],"data_offsets":[0,120]}}"#;
    let outcome = TestRunner::new(config).run(&vec(mutation(), 0..3), |mutations| {
        let mut header = header.to_vec();
        mutations.iter().for_each(|mutation| mutation.apply(&mut header, usize::MAX));
        let bytes = [&(header.len() as u64).to_le_bytes()[..], &header, &[0; 120]].concat();
        let is_read = assert_bounded(&path, &bytes, &Reading::new())?;
        read.set(read.get() + u32::from(is_read));
        Ok(())
    });
    outcome.unwrap();
    assert!((cases / 20..cases * 3 / 4).contains(&read.get()), "{} of {cases} read", read.get());
}

/// Arrays of three axes, (n, views, d), in each format that has them.
#[test]
fn mutated_views() {
    let folder = tempfile::tempdir().unwrap();
    let read = Cell::new(0);
    let config = config();
    let cases = config.cases;
    let reading = Reading::new().with_views();
    let values: Vec<u8> = (1..=24).flat_map(|value| (value as f32).to_le_bytes()).collect();
    let header = br#"{"a":{"dtype":"F32","shape":[4,3,2],"data_offsets":[0,96]}}"#;
    let input = (0..3usize, vec(mutation(), 0..3));
    let outcome = TestRunner::new(config).run(&input, |(format, mutations)| {
        let array = Npy::new("<f4", false, "(4, 3, 2)", values.clone());
        let mut header = if format == 2 { header.to_vec() } else { array.header.clone() };
        mutations.iter().for_each(|mutation| mutation.apply(&mut header, usize::MAX));
        let (name, bytes) = match format {
            0 => ("views.npy", Npy { header, ..array }.bytes()),
            1 => ("views.npz", archive(&[Zipped::new("views.npy", Npy { header, ..array }.bytes())])),
            _ => {
                let length = (header.len() as u64).to_le_bytes();
                ("views.safetensors", [&length[..], &header, &values].concat())
            }
        };
        let path = folder.path().join(name);
        if assert_bounded(&path, &bytes, &reading)? {
            let file = File::open_with(&path, &reading).unwrap();
            let (rows, views) = (file.embeddings(Scaling::Raw).unwrap().rows(), file.views());
            prop_assert!(
                views.is_some_and(|views| views > 0 && rows.is_multiple_of(views)),
                "{:?} of {}",
                views,
                rows
            );
            read.set(read.get() + 1);
        }
        Ok(())
    });
    outcome.unwrap();
    assert!((cases / 20..cases * 3 / 4).contains(&read.get()), "{} of {cases} read", read.get());
}

fn config() -> ProptestConfig {
    let asked = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let cases = if env::var_os("PROPTEST_CASES").is_some() { asked.cases } else { 2_000 };
    let rng_seed = if asked.rng_seed == RngSeed::Random { RngSeed::Fixed(0) } else { asked.rng_seed };
    ProptestConfig { cases, rng_seed, ..asked }
}

#[test]
fn mutated_columns() {
    let config = config();
    let cases = config.cases;
    let accepted = Cell::new((0, 0));
    let outcome = TestRunner::new(config).run(&mutated_column(), |bytes| {
        // A byte may stand for a number of eight, beside a buffer of those bytes.
        let limit = 9 * bytes.len() + CONSTANT;
        let (integers, first) = allocated(|| parse_integers(&bytes));
        let (floats, second) = allocated(|| parse_floats(&bytes));
        prop_assert!(first <= limit && second <= limit, "{} and {} for {}", first, second, bytes.len());
        let (mut whole, mut finite) = accepted.get();
        match (&integers, &floats) {
            (Ok(integers), Ok(floats)) => {
                whole += 1;
                prop_assert!(integers.iter().map(|&v| v as f64).eq(floats.iter().copied()));
            }
            // Whatever is whole is finite.
            (Ok(_), Err(fault)) => prop_assert!(false, "{}", fault),
            (Err(fault), _) => prop_assert!(!fault.to_string().chars().any(char::is_control)),
        }
        if let Ok(floats) = floats {
            finite += 1;
            prop_assert!(floats.len() < bytes.len() && floats.iter().all(|value| value.is_finite()));
        }
        accepted.set((whole, finite));
        Ok(())
    });
    outcome.unwrap();
    let (whole, finite) = accepted.get();
    assert!(
        (cases / 20..finite).contains(&whole) && finite < cases,
        "{whole} whole, {finite} of {cases} finite"
    );
}

#[test]
fn mutated_files() {
    let config = config();
    let cases = config.cases;
    let accepted = Cell::new(0);
    let outcome = TestRunner::new(config).run(&mutated(), |(bytes, scaling)| {
        let (result, allocated) = allocated(|| parse(&bytes, scaling));
        prop_assert!(allocated <= 2 * bytes.len() + CONSTANT, "{} bytes for {}", allocated, bytes.len());
        match result {
            Ok(points) => {
                accepted.set(accepted.get() + 1);
                prop_assert_eq!(points.rows() * points.dims(), points.values().len());
                prop_assert!(2 * points.values().len() < bytes.len());
                prop_assert!(points.values().iter().all(|value| value.is_finite()));
            }
            Err(fault) => prop_assert!(!fault.to_string().chars().any(char::is_control)),
        }
        Ok(())
    });
    outcome.unwrap();
    // Mutations that leave nothing sound, or nothing broken, would test little.
    let accepted = accepted.get();
    assert!((cases / 50..cases / 2).contains(&accepted), "{accepted} of {cases} accepted");
}

/// A pipe is read where its bytes are, to the same points, and no header makes it take much.
#[cfg(unix)]
#[test]
fn mutated_pipes() {
    use std::{io::Write, os::fd::AsRawFd};

    let config = config();
    let cases = config.cases;
    let accepted = Cell::new(0);
    let outcome = TestRunner::new(config).run(&mutated(), |(bytes, scaling)| {
        // As much as every system's pipe takes at once.
        prop_assume!(bytes.len() <= 8 << 10);
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(&bytes).unwrap();
        drop(writer);
        let path = format!("/dev/fd/{}", reader.as_raw_fd());
        let (file, allocated) = allocated(|| File::open(&path));
        // A mutation may make another format of it.
        prop_assert!(allocated <= 2 * bytes.len() + ANY_FORMAT, "{} for {}", allocated, bytes.len());
        let read = file.and_then(|file| file.embeddings(scaling));
        match (read, parse(&bytes, scaling)) {
            (Ok(points), Ok(parsed)) => {
                accepted.set(accepted.get() + 1);
                prop_assert_eq!((points.rows(), points.values()), (parsed.rows(), parsed.values()));
            }
            (Err(error), Err(_)) => prop_assert!(!error.to_string().chars().any(char::is_control)),
            // What is left may be text of numbers.
            (Ok(_), Err(unisphere_io::Fault::Format { .. })) => {}
            (read, parsed) => prop_assert!(false, "{:?} from a pipe, {:?}", read, parsed),
        }
        Ok(())
    });
    outcome.unwrap();
    let accepted = accepted.get();
    assert!((cases / 50..cases / 2).contains(&accepted), "{accepted} of {cases} accepted");
}

#[test]
fn beside_the_values_memory_is_fixed() {
    let (rows, dims) = (10_000, 40);
    for descr in ["<f2", "<f4", ">f8"] {
        for fortran in [false, true] {
            let size = usize::from(descr.as_bytes()[2] - b'0');
            let zeros = vec![0; rows * dims * size];
            let bytes = Npy::new(descr, fortran, &format!("({rows}, {dims})"), zeros).bytes();
            let (points, allocated) = allocated(|| parse(&bytes, Scaling::Raw));
            assert_eq!(points.unwrap().values().len(), rows * dims);
            let beside = allocated - 4 * rows * dims;
            assert!(beside <= 512 << 10, "{descr} {fortran}: {beside}");
        }
    }
}

#[test]
fn beside_many_values_memory_is_fixed_for_each_thread() {
    let (rows, dims) = (30_000, 40);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for descr in ["<f2", "<f4", ">f8"] {
        for fortran in [false, true] {
            let size = usize::from(descr.as_bytes()[2] - b'0');
            let zeros = vec![0; rows * dims * size];
            let bytes = Npy::new(descr, fortran, &format!("({rows}, {dims})"), zeros).bytes();
            let (points, allocated) = pool.install(|| allocated(|| parse(&bytes, Scaling::Raw)));
            assert_eq!(points.unwrap().values().len(), rows * dims);
            // One thread splits the work in two, one after the other.
            let beside = allocated - 4 * rows * dims;
            assert!(beside <= 2 * (512 << 10), "{descr} {fortran}: {beside}");
        }
    }
}

#[test]
fn beside_bits_and_codes_memory_is_fixed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.npy");
    let (rows, bytes) = (2_000, 30);
    fs::write(&path, Npy::new("|u1", false, "(2000, 30)", vec![0xa5; rows * bytes]).bytes()).unwrap();
    for (reading, dims) in [
        (Reading::new().with_bits(), 8 * bytes),
        (Reading::new().with_quant(Quant { scale: 2.0, zero: 1.0 }), bytes),
    ] {
        let file = File::open_with(&path, &reading).unwrap();
        let (points, allocated) = allocated(|| file.embeddings(Scaling::Raw));
        assert_eq!(points.unwrap().values().len(), rows * dims);
        let beside = allocated - 4 * rows * dims;
        assert!(beside <= (512 << 10) + (128 << 10), "{beside}");
    }
}
