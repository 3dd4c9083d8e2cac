#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::*;
use crate::snapshot::tests::label;
use crate::words::Text;
use proptest::prelude::*;

/// A nameless file.
fn file() -> File {
    let path = std::env::temp_dir().join(format!("stemlink-test-{}", crate::identity::unique()));
    let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file
}

fn telling(number: u64) -> WireRecord {
    let mut settings = Settings::new(1, number);
    (0..number % 100).for_each(|n| settings.push(Some(n as f64)));
    WireRecord {
        id: InstanceId::new(7).unwrap(),
        presence: Presence::Asleep,
        chunks: number * 2,
        wants: [number; WANTS],
        label: InstanceInfo { name: Text::new(&number.to_string()), session: None, ..label("", number) },
        pulse: BlockStatus { blocks: number, ..BlockStatus::default() },
        figures: StemReadings::default(),
        outbox: Outbox::new(number),
        summary: Summary { heard: number as f64, ..Summary::default() },
        settings,
    }
}

fn chunk(number: u64, frames: u64) -> Chunk {
    Chunk {
        number,
        pass: number * 3,
        position: number.is_multiple_of(2).then_some(-5),
        mark: Mark { counter: number * 1024, revision: number, level: Db(-1.5) },
        input: (0..frames).map(|n| n * number).collect(),
        output: (0..frames).map(|n| n + number).collect(),
    }
}

#[test]
fn a_header_comes_back_and_nothing_else_is_one() {
    let file = file();
    assert_eq!(Header::read(&file).unwrap(), None, "empty");
    let process = ProcessIdentity { boot: 1, pid: 2, start: 3, nonce: 4 };
    let header = Header { version: 9, key: 5, process };
    header.write(&file).unwrap();
    assert_eq!(Header::read(&file).unwrap(), Some(header));
    file.set_len(63).unwrap();
    assert_eq!(Header::read(&file).unwrap(), None, "cut short");
    write_at(&file, &[b'x'; 64], 0).unwrap();
    assert_eq!(Header::read(&file).unwrap(), None, "garbage");
}

#[test]
fn the_newest_telling_is_read_once() {
    let file = file();
    assert_eq!(WireRecord::read_from(&file, 0).unwrap(), None, "empty");
    for sequence in 1..6 {
        telling(sequence).write_to(&file, sequence).unwrap();
        assert_eq!(WireRecord::read_from(&file, 0).unwrap(), Some((sequence, telling(sequence))));
        assert_eq!(WireRecord::read_from(&file, sequence).unwrap(), None);
    }
}

#[test]
fn a_writer_that_dies_at_any_byte_leaves_the_telling_before() {
    let file = file();
    for sequence in 1..4 {
        telling(sequence).write_to(&file, sequence).unwrap();
    }
    let mut torn = vec![0; 8 * RECORD_WORDS];
    read_at(&file, &mut torn, RECORDS_AT[0]).unwrap();
    let before = torn.clone();
    telling(4).write_to(&file, 4).unwrap();
    let mut after = vec![0; 8 * RECORD_WORDS];
    read_at(&file, &mut after, RECORDS_AT[0]).unwrap();
    let differ: Vec<usize> = (0..after.len()).filter(|&at| before[at] != after[at]).collect();
    for &at in &differ {
        // everything before this byte is new, the rest is not
        torn.copy_from_slice(&before);
        torn[..at].copy_from_slice(&after[..at]);
        write_at(&file, &torn, RECORDS_AT[0]).unwrap();
        assert_eq!(WireRecord::read_from(&file, 0).unwrap(), Some((3, telling(3))), "byte {at}");
    }
    assert!(differ.len() > 20);
}

#[test]
fn chunks_come_back_until_they_are_written_over() {
    let file = file();
    assert_eq!(Chunk::read_from(&file, 1).unwrap(), None);
    for number in 1..=CHUNKS + 3 {
        let frames = if number % 7 == 0 { 5 } else { CHUNK_FRAMES as u64 };
        chunk(number, frames).write_to(&file).unwrap();
        assert_eq!(Chunk::read_from(&file, number).unwrap(), Some(chunk(number, frames)));
        assert_eq!(Chunk::read_from(&file, number + 1).unwrap(), None);
    }
    assert_eq!(Chunk::read_from(&file, 3).unwrap(), None, "written over");
    assert_eq!(Chunk::read_from(&file, 4).unwrap(), Some(chunk(4, CHUNK_FRAMES as u64)));
    assert_eq!(Chunk::read_from(&file, 0).unwrap(), None);
    assert!(file.metadata().unwrap().len() <= AUDIO_AT + CHUNKS * CHUNK_BYTES, "the file does not grow");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changed_bytes_are_never_taken_for_anything(
        changes in proptest::collection::vec((0usize..40_000, any::<u8>()), 1..20),
    ) {
        let file = file();
        let header = Header { version: VERSION, key: 5, process: ProcessIdentity::default() };
        header.write(&file).unwrap();
        telling(1).write_to(&file, 1).unwrap();
        telling(2).write_to(&file, 2).unwrap();
        chunk(1, 1024).write_to(&file).unwrap();
        for (at, byte) in changes {
            write_at(&file, &[byte], at as u64).unwrap();
        }
        let found = Header::read(&file).unwrap();
        prop_assert!(found.is_none() || found == Some(header));
        let found = WireRecord::read_from(&file, 0).unwrap();
        let written = [Some((1, telling(1))), Some((2, telling(2)))];
        prop_assert!(found.is_none() || written.contains(&found));
        let found = Chunk::read_from(&file, 1).unwrap();
        prop_assert!(found.is_none() || found == Some(chunk(1, 1024)));
    }

    #[test]
    fn whole_records_of_arbitrary_words_are_refused_or_in_range(
        words in proptest::collection::vec(prop_oneof![any::<u64>(), 0u64..3], RECORD_WORDS),
    ) {
        let file = file();
        write_at(&file, &seal::<1>(&words), RECORDS_AT[0]).unwrap();
        if let Some((_, telling)) = WireRecord::read_from(&file, 0).unwrap() {
            prop_assert!(telling.settings.values().flatten().all(f64::is_finite));
        }
    }
}
