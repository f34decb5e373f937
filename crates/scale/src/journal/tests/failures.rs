//! Writes and syncs that fail.

use super::{super::*, *};

/// Checks that a failure names the journal, and that every later call fails too.
fn assert_failed(mut journal: Journal, error: JournalError, place: &Place) {
    assert!(matches!(error.fault, JournalFault::Write(_)), "{error}");
    let named = format!("{}: cannot be written: ", place.path.display());
    assert!(error.to_string().starts_with(&named), "{error}");
    let later = [journal.append(&block(9, 2)), journal.sync(), journal.sync(), journal.finish()];
    for result in later {
        let error = result.unwrap_err();
        assert!(matches!(error.fault, JournalFault::Failed), "{error}");
        assert_eq!(error.path, place.path);
    }
}

/// A journal with three records whose file is then another one.
fn on_another_file(place: &Place, path: &str) -> Journal {
    let (mut journal, _) = Journal::open(&place.path, &identity(2)).unwrap();
    records(3, 2).iter().for_each(|record| journal.append(record).unwrap());
    journal.file.0 = OpenOptions::new().write(true).open(path).unwrap();
    journal
}

#[cfg(target_os = "linux")]
#[test]
fn a_write_to_a_full_device_fails_for_good() {
    let place = Place::new();
    let mut journal = on_another_file(&place, "/dev/full");
    let error = journal.append(&block(3, 2)).unwrap_err();
    assert!(error.to_string().contains("No space left on device"), "{error}");
    assert_failed(journal, error, &place);
    assert_same(&read(&place.path).unwrap().1.records, &records(3, 2));
}

/// The null device takes all bytes, and syncs none.
#[cfg(target_os = "linux")]
#[test]
fn a_sync_that_fails_is_never_tried_again() {
    let place = Place::new();
    let mut journal = on_another_file(&place, "/dev/null");
    journal.append(&block(3, 2)).unwrap();
    let error = journal.sync().unwrap_err();
    journal.file.0 = OpenOptions::new().write(true).open(&place.path).unwrap();
    assert_failed(journal, error, &place);

    let mut journal = on_another_file(&Place::new(), "/dev/null");
    journal.last_sync -= SYNC_INTERVAL;
    assert!(matches!(journal.append(&block(3, 2)).unwrap_err().fault, JournalFault::Write(_)));
}

/// What the child of the next test writes to.
const FULL: &str = "JOURNAL_FULL";

/// A file that may grow no further, in a process of its own that has this limit: the write that fails leaves a torn
/// record, and the next run goes on.
#[cfg(target_os = "linux")]
#[test]
fn a_run_that_was_out_of_space_goes_on() {
    let place = Place::new();
    let test = format!("{}::a_run_out_of_space", module_path!().split_once("::").unwrap().1);
    let child = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([&test, "--exact", "--quiet"])
        .env(FULL, &place.path)
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));

    let (mut journal, found) = Journal::open(&place.path, &identity(5)).unwrap();
    let count = found.records.len() as u64;
    assert!(count > 50 && found.discarded_bytes > 0, "{count} records, {} bytes", found.discarded_bytes);
    (count..200).for_each(|number| journal.append(&block(number, 5)).unwrap());
    let all: Vec<_> = (0..200).map(|number| block(number, 5)).collect();
    assert_same(&read(&place.path).unwrap().1.records, &all);
}

/// The child of the former.
#[test]
fn a_run_out_of_space() {
    let Some(path) = std::env::var_os(FULL) else { return };
    let (mut journal, _) = Journal::open(Path::new(&path), &identity(5)).unwrap();
    let mut results = (0..1000).map(|number| journal.append(&block(number, 5)));
    let error = results.find_map(Result::err).unwrap();
    assert!(matches!(error.fault, JournalFault::Write(_)), "{error}");
}
