#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::*;
use crate::records::tests::info;
use crate::text::Text;
use proptest::prelude::*;

/// Returns a file without a name.
fn unnamed_file() -> File {
    let path = std::env::temp_dir().join(format!("stemlink-test-{}", crate::identity::unique_id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file
}

fn record(number: u64) -> WireRecord {
    let mut settings = PublishedSettings::new(1, number);
    (0..number % 100).for_each(|n| settings.push(Some(n as f64)));
    WireRecord {
        id: InstanceId::new(7).unwrap(),
        presence: Presence::Asleep,
        last_chunk: number * 2,
        wanted_stems: [number; MAX_WANTED_STEMS],
        info: InstanceInfo { name: Text::new(&number.to_string()), session: None, ..info("", number) },
        block_status: BlockStatus { blocks: number, ..BlockStatus::default() },
        readings: StemReadings::default(),
        outbox: Outbox::new(number),
        summary: SessionSummary { heard: number as f64, ..SessionSummary::default() },
        settings,
    }
}

fn chunk(number: u64, frames: u64) -> AudioChunk {
    AudioChunk {
        number,
        pass: number * 3,
        position: number.is_multiple_of(2).then_some(-5),
        mark: SettingsMark { counter: number * 1024, revision: number, level: Db(-1.5), trim: Db(0.5) },
        input: (0..frames).map(|n| n * number).collect(),
        output: (0..frames).map(|n| n + number).collect(),
    }
}

#[test]
fn a_header_survives_a_round_trip_and_other_bytes_are_refused() {
    let file = unnamed_file();
    assert_eq!(FileHeader::read_from(&file).unwrap(), None, "empty");
    let process = ProcessIdentity { boot: 1, pid: 2, start: 3, nonce: 4 };
    let header = FileHeader { version: 9, key: 5, process };
    header.write_to(&file).unwrap();
    assert_eq!(FileHeader::read_from(&file).unwrap(), Some(header));
    file.set_len(63).unwrap();
    assert_eq!(FileHeader::read_from(&file).unwrap(), None, "cut short");
    write_at(&file, &[b'x'; 64], 0).unwrap();
    assert_eq!(FileHeader::read_from(&file).unwrap(), None, "garbage");
}

#[test]
fn the_newest_record_is_read_once() {
    let file = unnamed_file();
    assert_eq!(WireRecord::read_file(&file, 0).unwrap(), None, "empty");
    for sequence in 1..6 {
        record(sequence).write_file(&file, sequence).unwrap();
        assert_eq!(WireRecord::read_file(&file, 0).unwrap(), Some((sequence, record(sequence))));
        assert_eq!(WireRecord::read_file(&file, sequence).unwrap(), None);
    }
}

#[test]
fn a_writer_that_is_killed_at_any_byte_leaves_the_record_before() {
    let file = unnamed_file();
    for sequence in 1..4 {
        record(sequence).write_file(&file, sequence).unwrap();
    }
    let mut torn = vec![0; 8 * SEALED_RECORD_WORDS];
    read_at(&file, &mut torn, RECORD_OFFSETS[0]).unwrap();
    let before = torn.clone();
    record(4).write_file(&file, 4).unwrap();
    let mut after = vec![0; 8 * SEALED_RECORD_WORDS];
    read_at(&file, &mut after, RECORD_OFFSETS[0]).unwrap();
    let differ: Vec<usize> = (0..after.len()).filter(|&at| before[at] != after[at]).collect();
    for &at in &differ {
        // everything before this byte is new, the rest is not
        torn.copy_from_slice(&before);
        torn[..at].copy_from_slice(&after[..at]);
        write_at(&file, &torn, RECORD_OFFSETS[0]).unwrap();
        assert_eq!(WireRecord::read_file(&file, 0).unwrap(), Some((3, record(3))), "byte {at}");
    }
    assert!(differ.len() > 20);
}

#[test]
fn chunks_can_be_read_until_they_are_overwritten() {
    let file = unnamed_file();
    assert_eq!(AudioChunk::read_from(&file, 1).unwrap(), None);
    for number in 1..=MAX_CHUNKS + 3 {
        let frames = if number % 7 == 0 { 5 } else { CHUNK_FRAMES as u64 };
        chunk(number, frames).write_to(&file).unwrap();
        assert_eq!(AudioChunk::read_from(&file, number).unwrap(), Some(chunk(number, frames)));
        assert_eq!(AudioChunk::read_from(&file, number + 1).unwrap(), None);
    }
    assert_eq!(AudioChunk::read_from(&file, 3).unwrap(), None, "overwritten");
    assert_eq!(AudioChunk::read_from(&file, 4).unwrap(), Some(chunk(4, CHUNK_FRAMES as u64)));
    assert_eq!(AudioChunk::read_from(&file, 0).unwrap(), None);
    assert!(
        file.metadata().unwrap().len() <= AUDIO_OFFSET + MAX_CHUNKS * CHUNK_BYTES,
        "the file does not grow"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changed_bytes_are_detected(
        changes in proptest::collection::vec((0usize..40_000, any::<u8>()), 1..20),
    ) {
        let file = unnamed_file();
        let header = FileHeader { version: PROTOCOL_VERSION, key: 5, process: ProcessIdentity::default() };
        header.write_to(&file).unwrap();
        record(1).write_file(&file, 1).unwrap();
        record(2).write_file(&file, 2).unwrap();
        chunk(1, 1024).write_to(&file).unwrap();
        for (at, byte) in changes {
            write_at(&file, &[byte], at as u64).unwrap();
        }
        let found = FileHeader::read_from(&file).unwrap();
        prop_assert!(found.is_none() || found == Some(header));
        let found = WireRecord::read_file(&file, 0).unwrap();
        let written = [Some((1, record(1))), Some((2, record(2)))];
        prop_assert!(found.is_none() || written.contains(&found));
        let found = AudioChunk::read_from(&file, 1).unwrap();
        prop_assert!(found.is_none() || found == Some(chunk(1, 1024)));
    }

    #[test]
    fn complete_records_of_arbitrary_words_are_refused_or_in_range(
        words in proptest::collection::vec(prop_oneof![any::<u64>(), 0u64..3], SEALED_RECORD_WORDS),
    ) {
        let file = unnamed_file();
        write_at(&file, &seal::<1>(&words), RECORD_OFFSETS[0]).unwrap();
        if let Some((_, record)) = WireRecord::read_file(&file, 0).unwrap() {
            prop_assert!(record.settings.values().flatten().all(f64::is_finite));
        }
    }
}
