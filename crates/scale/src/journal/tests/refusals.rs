//! Journals and paths that are refused, and left as they are.

use std::fs;

use super::{super::*, *};

/// Checks that a journal is refused, unchanged, and returns why.
fn refused(place: &Place, wanted: &Identity) -> JournalError {
    let before = fs::read(&place.path).unwrap();
    let error = Journal::open(&place.path, wanted).unwrap_err();
    assert_eq!(fs::read(&place.path).unwrap(), before);
    error
}

#[test]
fn another_run_is_refused() {
    let place = Place::new();
    place.written(&identity(2), &records(3, 2));
    let mut fingerprint = identity(2).fingerprint;
    fingerprint[31] ^= 1;
    for wanted in [Identity { fingerprint, ..identity(2) }, identity(3)] {
        let error = refused(&place, &wanted);
        assert!(matches!(error.fault, JournalFault::OtherRun), "{error}");
        let text = "belongs to another run: other files or options; name another journal, or remove this one";
        assert_eq!(error.to_string(), format!("{}: {text}", place.path.display()));
    }
    fs::remove_file(&place.path).unwrap();
    Journal::open(&place.path, &identity(3)).unwrap();
}

#[test]
fn another_device_is_refused() {
    let place = Place::new();
    place.written(&identity(2), &records(3, 2));
    let error = refused(&place, &Identity { device: "AMD EPYC, AVX2".into(), ..identity(2) });
    let JournalFault::OtherDevice { begun_on } = &error.fault else { panic!("{error}") };
    assert_eq!(begun_on, "AMD EPYC, AVX-512");
    assert!(error.to_string().contains("begun on another device (\"AMD EPYC, AVX-512\")"), "{error}");
}

#[test]
fn another_version_is_refused_with_and_without_records() {
    for (count, cut) in [(0, None), (3, None), (0, Some(12))] {
        let place = Place::new();
        let mut bytes = place.written(&identity(2), &records(count, 2));
        bytes[8..12].copy_from_slice(&2u32.to_le_bytes());
        let body = bytes[..252].to_vec();
        bytes[252..256].copy_from_slice(&crc32fast::hash(&body).to_le_bytes());
        fs::write(&place.path, &bytes[..cut.unwrap_or(bytes.len())]).unwrap();
        let error = refused(&place, &identity(2));
        assert!(matches!(error.fault, JournalFault::Version { found: 2 }), "{error}");
    }
}

#[test]
fn other_files_are_refused_whatever_their_length() {
    let place = Place::new();
    for content in ["x".into(), "unisphere".into(), "my notes\n".repeat(3), "\u{93}NUMPY".repeat(100)] {
        fs::write(&place.path, content).unwrap();
        let error = refused(&place, &identity(2));
        assert!(matches!(error.fault, JournalFault::NotAJournal), "{error}");
        assert!(matches!(read(&place.path).unwrap_err().fault, JournalFault::NotAJournal));
    }
    fs::write(&place.path, vec![0; 257]).unwrap();
    assert!(matches!(refused(&place, &identity(2)).fault, JournalFault::NotAJournal));
}

#[test]
fn a_record_that_contradicts_another_is_refused() {
    let other = Record::Block { number: 4, values: vec![0.0, 1.0] };
    let negative_zero = Record::Block { number: 4, values: vec![-0.0, 1.0] };
    for (first, second, wanted) in [
        (other, negative_zero, "two different records of block 4"),
        (
            Record::Panel { number: 4, hash: [0; 16] },
            Record::Panel { number: 4, hash: [1; 16] },
            "two different records of panel 4",
        ),
    ] {
        let place = Place::new();
        place.written(&identity(2), &[first, block(5, 2), second]);
        let error = refused(&place, &identity(2));
        assert!(error.to_string().contains(wanted), "{error}");
    }
}

#[test]
fn a_second_writer_is_refused_and_a_reader_is_not() {
    let place = Place::new();
    let (mut journal, _) = Journal::open(&place.path, &identity(2)).unwrap();
    journal.append(&block(0, 2)).unwrap();
    let fault = open_fault(&place.path, &identity(2));
    assert!(matches!(fault, JournalFault::Locked), "{fault}");
    assert_eq!(read(&place.path).unwrap().1.records.len(), 1);
    drop(journal);
    Journal::open(&place.path, &identity(2)).unwrap();
}

#[test]
fn what_is_no_file_is_refused() {
    let place = Place::new();
    let folder = place.path.parent().unwrap();
    assert!(matches!(open_fault(folder, &identity(2)), JournalFault::NotAFile));
    assert!(matches!(read(folder).unwrap_err().fault, JournalFault::NotAFile));
    assert!(matches!(read(&place.path).unwrap_err().fault, JournalFault::NotFound));
    let lost = folder.join("no/such/folder/run.journal");
    assert!(matches!(open_fault(&lost, &identity(2)), JournalFault::NotFound));
    fs::write(&place.path, b"").unwrap();
    let below_a_file = place.path.join("run.journal");
    assert!(matches!(open_fault(&below_a_file, &identity(2)), JournalFault::Open(_)));
    assert!(matches!(read(&place.path).unwrap_err().fault, JournalFault::Empty));
}

#[cfg(unix)]
#[test]
fn a_pipe_and_a_device_are_refused_without_waiting() {
    let place = Place::new();
    assert!(std::process::Command::new("mkfifo").arg(&place.path).status().unwrap().success());
    for path in [&place.path, Path::new("/dev/null")] {
        assert!(matches!(open_fault(path, &identity(2)), JournalFault::NotAFile));
        assert!(matches!(read(path).unwrap_err().fault, JournalFault::NotAFile));
    }
}

/// Root may write to any folder but those of the kernel.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_may_not_be_written_to_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new();
    let folder = place.path.parent().unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o555)).unwrap();
    let root = fs::write(folder.join("probe"), b"").is_ok();
    let path = if root { Path::new("/sys/run.journal") } else { &place.path };
    let error = Journal::open(path, &identity(2)).unwrap_err();
    assert!(matches!(error.fault, JournalFault::PermissionDenied(_)), "{error}");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn what_the_format_cannot_hold_is_refused() {
    let place = Place::new();
    let long = Identity { device: "d".repeat(193), ..identity(2) };
    for wanted in [identity(0), identity(65), long] {
        let fault = open_fault(&place.path, &wanted);
        assert!(matches!(fault, JournalFault::Unfit { .. }), "{fault}");
    }
    assert!(!place.path.exists());

    let longest = Identity { device: "d".repeat(192), ..identity(2) };
    let (mut journal, _) = Journal::open(&place.path, &longest).unwrap();
    for values in [0, 1, 3] {
        let fault = journal.append(&block(0, values)).unwrap_err().fault;
        assert!(matches!(fault, JournalFault::Unfit { .. }), "{fault}");
    }
    journal.append(&block(0, 2)).unwrap();
    let (whose, found) = read(&place.path).unwrap();
    assert_eq!(whose, longest);
    assert_same(&found.records, &[block(0, 2)]);
}
