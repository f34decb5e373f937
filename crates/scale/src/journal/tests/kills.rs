//! Processes that are killed while they write.

use std::{
    io::{self, BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
};

use super::{super::*, *};

/// What the child writes to.
const WRITER: &str = "JOURNAL_WRITER";
const KILLS: usize = 60;
const VALUES: usize = 3;

/// The child of the tests below: it goes on from its journal until it is killed, and tells which block it has
/// appended.
#[test]
fn writer() {
    let Some(path) = std::env::var_os(WRITER) else { return };
    let (mut journal, found) = Journal::open(Path::new(&path), &identity(VALUES)).unwrap();
    let mut told = io::stdout();
    for number in found.records.len() as u64.. {
        journal.append(&block(number, VALUES)).unwrap();
        writeln!(told, "appended {number}").unwrap();
        std::thread::sleep(Duration::from_micros(20));
    }
}

fn spawn_writer(place: &Place) -> Child {
    let test = format!("{}::writer", module_path!().split_once("::").unwrap().1);
    Command::new(std::env::current_exe().unwrap())
        .args([&test, "--exact", "--quiet", "--nocapture"])
        .env(WRITER, &place.path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Kills a child with SIGKILL, and returns the last block that it told, if any.
fn kill(mut child: Child) -> Option<u64> {
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    let mut told = String::new();
    child.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    // The last line may be torn.
    let (whole, _) = told.rsplit_once('\n')?;
    whole.lines().rev().find_map(|line| line.strip_prefix("appended ")?.parse().ok())
}

#[test]
fn a_killed_run_goes_on_each_time() {
    let (place, mut random) = (Place::new(), Random(2));
    let (mut kept, mut while_writing) = (0, 0);
    for kill_number in 0..KILLS {
        let child = spawn_writer(&place);
        std::thread::sleep(Duration::from_micros(2_000 + random.below(90_000) as u64));
        let told = kill(child);
        while_writing += usize::from(told.is_some());
        if !place.path.exists() || fs::metadata(&place.path).unwrap().len() < 256 {
            continue;
        }
        let found = read(&place.path).unwrap().1;
        let count = found.records.len() as u64;
        assert!(told.is_none_or(|last| count > last), "{count} records, and {told:?} was appended");
        assert!(count >= kept, "{count} records, and {kept} before");
        kept = count;
        // Few kills tear a record by themselves: some files are torn by hand.
        if kill_number % 3 == 0 && count > 0 {
            let torn = 1 + random.below(39) as u64;
            let file = OpenOptions::new().write(true).open(&place.path).unwrap();
            file.set_len(256 + 40 * count - torn).unwrap();
            kept -= 1;
        }
    }
    let (journal, found) = Journal::open(&place.path, &identity(VALUES)).unwrap();
    let all: Vec<_> = (0..kept).map(|number| block(number, VALUES)).collect();
    assert_same(&found.records, &all);
    assert!(while_writing > KILLS / 2 && kept > 1000, "{while_writing} kills while writing, {kept} records");
    journal.finish().unwrap();
    assert!(read(&place.path).unwrap().1.finished);
}

#[test]
fn another_process_that_writes_is_not_disturbed() {
    let place = Place::new();
    let mut child = spawn_writer(&place);
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(told.any(|line| line.unwrap().starts_with("appended ")));
    let fault = open_fault(&place.path, &identity(VALUES));
    assert!(matches!(fault, JournalFault::Locked), "{fault}");
    for _ in 0..50 {
        let found = read(&place.path).unwrap().1;
        let all: Vec<_> = (0..found.records.len() as u64).map(|number| block(number, VALUES)).collect();
        assert_same(&found.records, &all);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    Journal::open(&place.path, &identity(VALUES)).unwrap();
}
