//! Damage: cuts and flips. What is read is a prefix of what was written, or nothing.

use std::{fs, ops::Range};

use super::{super::*, *};

const HEADER_BYTES: usize = 256;

/// Writes bytes, reads them by both doors, which must agree, and returns what the writer's door found.
fn reopened(place: &Place, bytes: &[u8], identity: &Identity) -> Result<Recovered> {
    fs::write(&place.path, bytes).unwrap();
    let seen = read(&place.path);
    let opened = Journal::open(&place.path, identity).map(|(_, found)| found);
    match (&seen, &opened) {
        (Ok((_, seen)), Ok(found)) => {
            assert_same(&seen.records, &found.records);
            assert_eq!((seen.discarded_bytes, seen.finished), (found.discarded_bytes, found.finished));
            let length = fs::metadata(&place.path).unwrap().len();
            assert_eq!(length, bytes.len() as u64 - found.discarded_bytes);
            assert_eq!(read(&place.path).unwrap().1.discarded_bytes, 0);
        }
        (Err(_), Err(_)) => assert_eq!(fs::read(&place.path).unwrap(), bytes, "a refused journal changed"),
        (Err(JournalError { fault: JournalFault::Empty, .. }), Ok(found)) => {
            assert!(found.records.is_empty());
            assert_eq!(found.discarded_bytes, bytes.len() as u64);
        }
        _ => panic!("read: {seen:?}, opened: {opened:?}"),
    }
    opened
}

#[test]
fn every_cut_leaves_the_records_before_it() {
    let (place, all) = (Place::new(), records(6, 3));
    let bytes = place.written(&identity(3), &all);
    let record_bytes = (bytes.len() - HEADER_BYTES) / all.len();
    for cut in 0..=bytes.len() {
        let found = reopened(&place, &bytes[..cut], &identity(3)).unwrap();
        let whole = cut.saturating_sub(HEADER_BYTES) / record_bytes;
        assert_same(&found.records, &all[..whole]);
        let kept = if cut < HEADER_BYTES { 0 } else { HEADER_BYTES + whole * record_bytes };
        assert_eq!(found.discarded_bytes, (cut - kept) as u64);
    }
}

#[test]
fn every_flip_is_refused_but_in_the_last_record() {
    let (place, all) = (Place::new(), records(4, 1));
    let bytes = place.written(&identity(1), &all);
    let record_bytes = (bytes.len() - HEADER_BYTES) / all.len();
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let result = reopened(&place, &flipped, &identity(1));
        let Some(at) = (bit / 8).checked_sub(HEADER_BYTES) else {
            let fault = result.unwrap_err().fault;
            assert!(
                matches!(
                    (bit / 8, &fault),
                    (0..8, JournalFault::NotAJournal)
                        | (8..12, JournalFault::Version { .. })
                        | (12.., JournalFault::HeaderDamaged)
                ),
                "bit {bit}: {fault}"
            );
            continue;
        };
        match (at / record_bytes, result) {
            (3, Ok(found)) => {
                assert_same(&found.records, &all[..3]);
                assert_eq!(found.discarded_bytes, record_bytes as u64);
            }
            (record, Err(JournalError { fault: JournalFault::Damaged { offset }, .. })) if record < 3 => {
                assert_eq!(offset as usize, HEADER_BYTES + record * record_bytes);
            }
            (record, other) => panic!("a flip in record {record}: {other:?}"),
        }
    }
}

#[test]
fn the_cure_of_damage_in_the_middle_works() {
    let (place, all) = (Place::new(), records(20, 2));
    let mut bytes = place.written(&identity(2), &all);
    bytes[HEADER_BYTES + 32 * 7 + 5] ^= 64;
    let error = reopened(&place, &bytes, &identity(2)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("truncate -s 480 makes"), "{text}");
    let found = reopened(&place, &bytes[..480], &identity(2)).unwrap();
    assert_same(&found.records, &all[..7]);
}

#[test]
fn a_bad_header_without_records_starts_afresh() {
    let place = Place::new();
    let bytes = place.written(&identity(2), &[]);
    for byte in 12..HEADER_BYTES {
        let mut flipped = bytes.clone();
        flipped[byte] ^= 1;
        let found = reopened(&place, &flipped, &identity(2)).unwrap();
        assert_eq!((found.records.len(), found.discarded_bytes), (0, 256));
    }
    for length in 0..=HEADER_BYTES {
        let found = reopened(&place, &vec![0; length], &identity(2)).unwrap();
        assert_eq!(found.discarded_bytes, length as u64);
    }
    place.written(&identity(2), &records(3, 2));
    assert_same(&read(&place.path).unwrap().1.records, &records(3, 2));
}

#[test]
fn a_hole_at_the_end_is_cut_off_and_written_over() {
    let (place, all) = (Place::new(), records(9, 2));
    let mut bytes = place.written(&identity(2), &all[..6]);
    bytes.resize(bytes.len() + 4096, 0);
    let found = reopened(&place, &bytes, &identity(2)).unwrap();
    assert_same(&found.records, &all[..6]);
    assert_eq!(found.discarded_bytes, 4096);
    place.written(&identity(2), &all[6..]);
    assert_same(&read(&place.path).unwrap().1.records, &all);
}

#[test]
fn records_of_another_file_are_never_taken() {
    let (place, all) = (Place::new(), records(8, 2));
    let stale = place.written(&identity(2), &all);
    fs::remove_file(&place.path).unwrap();
    let mut bytes = place.written(&identity(2), &all[..3]);
    bytes.extend(&stale[bytes.len()..]);
    let found = reopened(&place, &bytes, &identity(2)).unwrap();
    assert_same(&found.records, &all[..3]);
}

/// One of many ways to spoil a file.
fn spoil(bytes: &mut Vec<u8>, random: &mut Random) {
    let some = |bytes: &[u8], random: &mut Random| -> Range<usize> {
        let begin = random.below(bytes.len());
        begin..bytes.len().min(begin + 1 + random.below(100))
    };
    match random.below(6) {
        0 => bytes.truncate(random.below(bytes.len())),
        1 => {
            let range = some(bytes, random);
            bytes[range].fill(0);
        }
        2 => {
            let range = some(bytes, random);
            bytes[range].iter_mut().for_each(|byte| *byte = random.next() as u8);
        }
        3 => {
            let (range, at) = (some(bytes, random), random.below(bytes.len()));
            let copied = bytes[range].to_vec();
            bytes.splice(at..at, copied);
        }
        4 => {
            bytes.drain(some(bytes, random));
        }
        _ => {}
    }
    for _ in 0..random.below(3) {
        let bit = random.below(8 * bytes.len().max(1));
        bytes.get_mut(bit / 8).into_iter().for_each(|byte| *byte ^= 1 << (bit % 8));
    }
}

#[test]
fn a_spoilt_journal_gives_a_prefix_or_a_fault() {
    let mut random = Random(1);
    let (mut prefixes, mut refusals) = (0, 0);
    for values in [1, 3, 64] {
        let (place, all) = (Place::new(), records(60, values));
        let bytes = place.written(&identity(values), &all);
        for _ in 0..1000 {
            let mut spoilt = bytes.clone();
            spoil(&mut spoilt, &mut random);
            // Cuts within the header make a new file, whose syncs take milliseconds: another test has them all.
            if spoilt.len() <= HEADER_BYTES {
                continue;
            }
            match reopened(&place, &spoilt, &identity(values)) {
                Ok(found) => {
                    assert_same(&found.records, &all[..found.records.len()]);
                    prefixes += 1;
                }
                Err(_) => refusals += 1,
            }
        }
    }
    assert!(prefixes > 500 && refusals > 500, "{prefixes} prefixes, {refusals} refusals");
}
