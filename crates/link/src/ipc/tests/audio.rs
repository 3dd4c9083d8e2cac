//! Audio between processes.

use super::*;
use crate::audio_ring::SettingsMark;
use testkit::noise;

const RATE: f64 = 8000.0;

/// Writes blocks of `block` frames from `position` on: `song` as output, half of it as input.
fn play(
    audio_writer: &mut AudioWriter,
    song: &[f64],
    position: usize,
    blocks: usize,
    block: usize,
    jumped: bool,
) {
    for n in 0..blocks {
        let at = position + n * block;
        let output = &song[at..at + block];
        let input: Vec<f64> = output.iter().map(|x| x * 0.5).collect();
        let place = BlockPosition { position: Some(at as i64), segment: 0, jumped: jumped && n == 0 };
        audio_writer.write_block(place, [&input, output], [output, &input]);
    }
}

/// Waits for the frames at `position` and checks them against the song.
#[track_caller]
fn expect_song(peer: PeerView, song: &[f64], position: usize, frames: usize, after: u64) -> u64 {
    let (ring, span) = eventually("the frames", || {
        let ring = peer.audio()?;
        let span = ring.timeline()?.find(position as i64, after)?;
        (span.frames >= frames as u64).then_some((ring, span))
    });
    let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
    let f32s = |scale: f64| -> Vec<f64> {
        song[position..position + frames].iter().map(|x| f64::from((x * scale) as f32)).collect()
    };
    assert!(ring.copy_frames(TapPoint::Output, span.counter, [&mut left, &mut right]));
    assert!(left == f32s(1.0) && right == f32s(0.5));
    assert!(ring.copy_frames(TapPoint::Input, span.counter, [&mut left, &mut right]));
    assert!(left == f32s(0.5) && right == f32s(1.0));
    assert_eq!(
        ring.settings_at(span.counter).map(|SettingsMark { revision, level, .. }| (revision, level)),
        Some((3, Db(-1.0)))
    );
    span.counter
}

/// Joins a Stem with a ring.
fn join_ready(bridge: &'static Bridge) -> (Membership, Arc<TestInstance>) {
    let (mut drums, source) = stem(bridge, "Drums");
    drums.audio_writer.publish_status(&BlockStatus { blocks: 1, rate: Hz(RATE), ..BlockStatus::default() });
    drums.audio_writer.prepare_ring(Hz(RATE));
    drums.audio_writer.mark_settings(3, Db(-1.0), Db(0.0));
    (drums, source)
}

/// Writes a block of silence without a position.
fn write_silence(audio_writer: &mut AudioWriter, jumped: bool) {
    let silence = [0.0; 1024];
    audio_writer.write_block(
        BlockPosition { position: None, segment: 0, jumped },
        [&silence; 2],
        [&silence; 2],
    );
}

/// Waits until audio is exchanged.
fn wait_for_audio(here: &'static Bridge, test_folder: &TestFolder, drums: &mut Membership) {
    write_silence(&mut drums.audio_writer, true);
    eventually("a chunk in the file", || {
        write_silence(&mut drums.audio_writer, false);
        link_length(test_folder, here).filter(|&length| length > file_layout::AUDIO_OFFSET)
    });
}

/// Size in bytes of the file of a process's only instance.
fn link_length(test_folder: &TestFolder, bridge: &'static Bridge) -> Option<u64> {
    let nonce = bridge.process.get()?.nonce;
    let own = |name: &String| file_names::owner(name) == Some(nonce) && !file_names::is_lock(name);
    let name = test_folder.file_names().into_iter().find(own)?;
    Some(fs::metadata(test_folder.path().join(name)).ok()?.len())
}

#[test]
fn audio_that_a_master_needs_arrives_to_the_bit() {
    let test_folder = TestFolder::new();
    let (here, there) = (test_folder.bridge(), test_folder.bridge());
    let (mut drums, _) = join_ready(here);
    let (_mix, _) = master(there);
    let seen = find_named(there, "Drums");
    wait_for_audio(here, &test_folder, &mut drums);

    let song = noise(1, 40_000, 0.5);
    play(&mut drums.audio_writer, &song, 1000, 10, 777, true);
    let first = expect_song(seen, &song, 1000, 7770, 0);
    // a loop: the same place again, in another pass
    play(&mut drums.audio_writer, &song, 1000, 10, 512, true);
    let second = expect_song(seen, &song, 1000, 5120, first + 1);
    assert!(second > first);
    // the rest, shorter than a chunk, arrives too
    play(&mut drums.audio_writer, &song, 30_000, 1, 100, true);
    expect_song(seen, &song, 30_000, 100, 0);
    assert_eq!(seen.audio().unwrap().length(), 1 << 15);
}

#[test]
fn audio_is_exchanged_only_while_a_master_listens() {
    let test_folder = TestFolder::new();
    let (here, there) = (test_folder.bridge(), test_folder.bridge());
    let (mut drums, _) = join_ready(here);
    let source = TestInstance::new(InstanceKind::Master, "Mix");
    *source.wants_audio.lock() = false;
    let mix = there.join(None, Arc::clone(&source) as _).unwrap();
    let seen = find_named(there, "Drums");
    let song = noise(1, 40_000, 0.5);
    play(&mut drums.audio_writer, &song, 0, 10, 1024, true);
    std::thread::sleep(Duration::from_millis(50));
    assert!(seen.audio().is_none());
    assert!(link_length(&test_folder, here) <= Some(file_layout::AUDIO_OFFSET));

    *source.wants_audio.lock() = true;
    wait_for_audio(here, &test_folder, &mut drums);
    *source.wants_audio.lock() = false;
    eventually("space returned", || {
        link_length(&test_folder, here).filter(|&length| length == file_layout::AUDIO_OFFSET)
    });

    *source.wants_audio.lock() = true;
    wait_for_audio(here, &test_folder, &mut drums);
    play(&mut drums.audio_writer, &song, 20_000, 4, 1024, true);
    expect_song(seen, &song, 20_000, 4096, 0);
    drop(mix);
    eventually("space returned", || {
        link_length(&test_folder, here).filter(|&length| length == file_layout::AUDIO_OFFSET)
    });
}

#[test]
fn an_hour_leaves_a_file_of_the_same_size() {
    let test_folder = TestFolder::new();
    let (here, there) = (test_folder.bridge(), test_folder.bridge());
    let (mut drums, _) = join_ready(here);
    let (_mix, _) = master(there);
    let seen = find_named(there, "Drums");
    wait_for_audio(here, &test_folder, &mut drums);
    let song = noise(1, 40_000, 0.5);
    let max_length = file_layout::AUDIO_OFFSET + file_layout::MAX_CHUNKS * file_layout::CHUNK_BYTES;
    // a hundred times around the file, as fast as the bridge takes it
    let mut after = 0;
    for round in 0..100 {
        play(&mut drums.audio_writer, &song, 0, 32, 1024, true);
        after = expect_song(seen, &song, 0, 1024 * if round % 10 == 0 { 1 } else { 30 }, after) + 1;
        assert!(link_length(&test_folder, here).unwrap() <= max_length);
    }
    assert_eq!(link_length(&test_folder, here), Some(max_length));
    assert_eq!(seen.audio().unwrap().length(), 1 << 15);
}

#[test]
fn audio_continues_after_a_change_of_the_ring() {
    let test_folder = TestFolder::new();
    let (here, there) = (test_folder.bridge(), test_folder.bridge());
    let (mut drums, _) = join_ready(here);
    let (_mix, _) = master(there);
    let seen = find_named(there, "Drums");
    wait_for_audio(here, &test_folder, &mut drums);
    drums.audio_writer.prepare_ring(Hz(96_000.0));
    drums.audio_writer.publish_status(&BlockStatus {
        blocks: 2,
        rate: Hz(96_000.0),
        ..BlockStatus::default()
    });
    drums.audio_writer.mark_settings(3, Db(-1.0), Db(0.0));
    eventually("a larger ring", || seen.audio().filter(|ring| ring.length() == 1 << 19));
    let song = noise(1, 40_000, 0.5);
    std::thread::sleep(Duration::from_millis(20));
    play(&mut drums.audio_writer, &song, 0, 8, 1024, true);
    expect_song(seen, &song, 0, 8192, 0);
}

#[test]
fn a_listener_that_returns_skips_the_audio_it_missed() {
    let test_folder = TestFolder::new();
    let (here, there) = (test_folder.bridge(), test_folder.bridge());
    let (mut drums, _) = join_ready(here);
    let (_mix, source) = master(there);
    let seen = find_named(there, "Drums");
    let song = noise(1, 100_000, 0.5);
    let mut after = 0;
    for round in 0..20 {
        *source.wants_audio.lock() = true;
        wait_for_audio(here, &test_folder, &mut drums);
        play(&mut drums.audio_writer, &song, round * 5000, 4, 1024, true);
        after = expect_song(seen, &song, round * 5000, 4096, after) + 1;
        // more is written until the other process notices that no Master listens
        *source.wants_audio.lock() = false;
        write_silence(&mut drums.audio_writer, true);
        eventually("space returned", || {
            write_silence(&mut drums.audio_writer, false);
            link_length(&test_folder, here).filter(|&length| length == file_layout::AUDIO_OFFSET)
        });
    }
}
