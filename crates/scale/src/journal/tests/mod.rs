//! Tests of journals: what a run writes is what the next one reads, or it is told that it is not.

mod damage;
mod failures;
mod kills;
mod refusals;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::*;

/// A folder of its own for each test, and a path for a journal in it.
struct Place {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.journal");
        Self { _folder: folder, path }
    }

    /// A journal with these records, closed. It is all the bytes of a file.
    fn written(&self, identity: &Identity, records: &[Record]) -> Vec<u8> {
        let (mut journal, _) = Journal::open(&self.path, identity).unwrap();
        records.iter().for_each(|record| journal.append(record).unwrap());
        drop(journal);
        fs::read(&self.path).unwrap()
    }
}

fn identity(values: usize) -> Identity {
    Identity { fingerprint: *b"files, options, program version.", device: "AMD EPYC, AVX-512".into(), values }
}

/// Random numbers: SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// The result of a block: any bits, so that NaN of every payload are among them.
fn block(number: u64, values: usize) -> Record {
    let mut random = Random(number);
    Record::Block { number, values: (0..values).map(|_| f64::from_bits(random.next())).collect() }
}

/// Blocks, and a panel after each third one.
fn records(count: u64, values: usize) -> Vec<Record> {
    let record = |number: u64| match number % 4 {
        3 => Record::Panel { number, hash: [number as u8; 16] },
        _ => block(number, values),
    };
    (0..count).map(record).collect()
}

fn assert_same(found: &[Record], wanted: &[Record]) {
    assert_eq!(found.len(), wanted.len());
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(same_bits(found, wanted), "{found:?} for {wanted:?}");
    }
}

/// Whether two records are the same. It shares no code with what it judges.
fn same_bits(a: &Record, b: &Record) -> bool {
    let words = |record: &Record| match record {
        Record::Block { number, values } => (0, *number, values.iter().map(|v| v.to_bits()).collect()),
        Record::Panel { number, hash } => {
            (1, *number, hash.iter().map(|&b| u64::from(b)).collect::<Vec<_>>())
        }
    };
    words(a) == words(b)
}

fn open_fault(path: &Path, identity: &Identity) -> JournalFault {
    Journal::open(path, identity).unwrap_err().fault
}

#[test]
fn records_come_back_bit_by_bit() {
    for values in [1, 2, 3, 64] {
        let place = Place::new();
        let mut written = records(50, values);
        for special in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::from_bits(1)] {
            let number = written.len() as u64;
            written.push(Record::Block { number, values: vec![special; values] });
        }
        written.push(Record::Block { number: u64::MAX, values: vec![1.0; values] });
        let bytes = place.written(&identity(values), &written);
        assert_eq!(bytes.len(), 256 + written.len() * (16 + 16.max(8 * values)));

        let (whose, found) = read(&place.path).unwrap();
        assert_eq!(whose, identity(values));
        assert_same(&found.records, &written);
        let (_journal, found) = Journal::open(&place.path, &identity(values)).unwrap();
        assert_same(&found.records, &written);
        assert_eq!((found.discarded_bytes, found.finished), (0, false));
    }
}

#[test]
fn a_run_goes_on_where_the_last_one_stopped() {
    let place = Place::new();
    let all = records(40, 2);
    for (run, part) in all.chunks(7).enumerate() {
        let (mut journal, found) = Journal::open(&place.path, &identity(2)).unwrap();
        assert_same(&found.records, &all[..7 * run]);
        part.iter().for_each(|record| journal.append(record).unwrap());
        if run % 2 == 0 {
            journal.sync().unwrap();
        }
    }
    assert_same(&read(&place.path).unwrap().1.records, &all);
}

#[test]
fn a_finished_journal_says_so() {
    let place = Place::new();
    let all = records(5, 1);
    let (mut journal, _) = Journal::open(&place.path, &identity(1)).unwrap();
    all.iter().for_each(|record| journal.append(record).unwrap());
    journal.finish().unwrap();
    assert!(read(&place.path).unwrap().1.finished);

    let (mut journal, found) = Journal::open(&place.path, &identity(1)).unwrap();
    assert!(found.finished);
    assert_same(&found.records, &all);
    let fault = journal.append(&block(9, 1)).unwrap_err().fault;
    assert!(matches!(fault, JournalFault::Finished), "{fault}");
    let before = fs::read(&place.path).unwrap();
    journal.finish().unwrap();
    assert_eq!(fs::read(&place.path).unwrap(), before);
}

#[test]
fn the_same_record_twice_counts_once() {
    let place = Place::new();
    let nan = Record::Block { number: 6, values: vec![f64::NAN; 2] };
    let first = [block(7, 2), nan, Record::Panel { number: 7, hash: [1; 16] }];
    let twice: Vec<_> = first.iter().chain(&first).cloned().collect();
    place.written(&identity(2), &twice);
    assert_same(&read(&place.path).unwrap().1.records, &first);
    let (mut journal, _) = Journal::open(&place.path, &identity(2)).unwrap();
    journal.append(&block(8, 2)).unwrap();
    assert_same(&read(&place.path).unwrap().1.records[3..], &[block(8, 2)]);
}

#[test]
fn a_record_is_there_before_its_sync() {
    let place = Place::new();
    let (mut journal, _) = Journal::open(&place.path, &identity(2)).unwrap();
    journal.append(&block(0, 2)).unwrap();
    assert!(journal.unsynced);
    assert_eq!(read(&place.path).unwrap().1.records.len(), 1);

    std::thread::sleep(SYNC_INTERVAL);
    journal.append(&block(1, 2)).unwrap();
    assert!(!journal.unsynced);
    assert!(journal.last_sync.elapsed() < SYNC_INTERVAL);
}

#[test]
fn many_records_reopen_fast() {
    let count = 200_000;
    let place = Place::new();
    let (mut journal, _) = Journal::open(&place.path, &identity(2)).unwrap();
    (0..count).for_each(|number| journal.append(&block(number, 2)).unwrap());
    drop(journal);

    let begin = Instant::now();
    let (_, found) = Journal::open(&place.path, &identity(2)).unwrap();
    let reopened = begin.elapsed();
    assert_eq!(found.records.len() as u64, count);
    let mut numbers = (0..count).zip(&found.records);
    assert!(numbers.all(|(number, record)| same_bits(record, &block(number, 2))));
    assert!(reopened < Duration::from_secs(5), "{reopened:?}");
}
