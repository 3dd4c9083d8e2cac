#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::*;
use crate::atomic_word::model::{LoomWord, check, fails};
use testkit::noise;

fn ring(size: u32) -> &'static AudioRing {
    Box::leak(Box::new(AudioRing::new(size)))
}

fn at(position: i64, jumped: bool) -> BlockPosition {
    BlockPosition { position: Some(position), segment: 0, jumped }
}

const LIVE_BLOCK: BlockPosition = BlockPosition { position: None, segment: 0, jumped: true };

/// Sample that encodes a counter, exact in `f32`.
fn sample_for(counter: u64) -> f64 {
    (counter % (1 << 20)) as f64
}

/// Writes `frames` frames whose samples encode their counter.
fn write_counters(writer: &mut RingWriter, place: BlockPosition, frames: usize) {
    let first = writer.counter();
    let counters: Vec<f64> = (0..frames as u64).map(|n| sample_for(first + n)).collect();
    let negative: Vec<f64> = counters.iter().map(|x| -x).collect();
    writer.write_block(place, [&counters, &negative], [&negative, &counters]);
}

/// Reads and checks frames that encode their counter; `false` if they are gone.
fn read_counters(ring: &AudioRing, counter: u64, frames: usize) -> bool {
    let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
    if !ring.copy_frames(TapPoint::Input, counter, [&mut left, &mut right]) {
        return false;
    }
    for (n, (left, right)) in left.iter().zip(&right).enumerate() {
        let expected = sample_for(counter + n as u64);
        assert_eq!((*left, *right), (expected, -expected));
    }
    true
}

#[test]
fn frames_are_read_as_f32_until_they_are_overwritten() {
    let ring = ring(10);
    let mut writer = RingWriter::new(ring);
    let (l, r) = (noise(1, 3000, 0.9), noise(2, 3000, 0.9));
    let (x, y) = (noise(3, 3000, 0.9), noise(4, 3000, 0.9));
    let mut from = 0;
    for size in [1, 500, 0, 523, 1024, 7, 900, 45] {
        let to = from + size;
        writer.write_block(
            at(from as i64, from == 0),
            [&l[from..to], &r[from..to]],
            [&x[from..to], &y[from..to]],
        );
        from = to;
    }
    assert_eq!(from, 3000);
    let (mut left, mut right) = (vec![0.0; 1024], vec![0.0; 1024]);
    let rounded = |all: &[f64]| all[3000 - 1024..].iter().map(|&x| f64::from(x as f32)).collect::<Vec<_>>();
    assert!(ring.copy_frames(TapPoint::Input, 3000 - 1024, [&mut left, &mut right]));
    assert!(left == rounded(&l) && right == rounded(&r));
    assert!(ring.copy_frames(TapPoint::Output, 3000 - 1024, [&mut left, &mut right]));
    assert!(left == rounded(&x) && right == rounded(&y));
    assert!(!ring.copy_frames(TapPoint::Output, 3000 - 1025, [&mut left, &mut right]), "overwritten");
    assert!(!ring.copy_frames(TapPoint::Output, 3000 - 1023, [&mut left, &mut right]), "not written yet");
    assert!(!ring.copy_frames(TapPoint::Output, u64::MAX, [&mut left, &mut right]));
    assert!(
        !ring.copy_frames(TapPoint::Output, 0, [&mut vec![0.0; 1025], &mut vec![0.0; 1025]]),
        "longer than the ring"
    );
    let timeline = ring.timeline().unwrap();
    assert_eq!((timeline.oldest(), timeline.end()), (3000 - 1024, 3000));
}

#[test]
fn a_block_longer_than_the_ring_leaves_its_end() {
    let ring = ring(5);
    let mut writer = RingWriter::new(ring);
    write_counters(&mut writer, at(0, true), 100);
    assert!(read_counters(ring, 68, 32));
    assert!(!read_counters(ring, 67, 32));
}

#[test]
fn samples_that_are_not_finite_become_zero() {
    let ring = ring(5);
    let hostile = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 0.5];
    RingWriter::new(ring).write_block(LIVE_BLOCK, [&hostile, &hostile], [&hostile, &hostile]);
    let (mut left, mut right) = ([1.0; 5], [1.0; 5]);
    assert!(ring.copy_frames(TapPoint::Input, 0, [&mut left, &mut right]));
    assert_eq!(left, [0.0, 0.0, 0.0, 0.0, 0.5]);
    assert_eq!(right, left);
}

#[test]
fn jumps_loops_and_stops_become_segments() {
    let ring = ring(10);
    let mut writer = RingWriter::new(ring);
    write_counters(&mut writer, at(1000, true), 100);
    write_counters(&mut writer, at(1100, false), 60);
    write_counters(&mut writer, at(1000, true), 160);
    write_counters(&mut writer, LIVE_BLOCK, 30);
    write_counters(&mut writer, BlockPosition { jumped: false, ..LIVE_BLOCK }, 30);
    write_counters(&mut writer, at(-5, true), 10);
    let timeline = ring.timeline().unwrap();
    let segment = |pass, position, counter, frames| Segment { pass, position, counter, frames };
    assert_eq!(
        timeline.segments(),
        [
            segment(0, Some(1000), 0, 160),
            segment(1, Some(1000), 160, 160),
            segment(2, None, 320, 60),
            segment(3, Some(-5), 380, 10),
        ]
    );
    assert_eq!(timeline.segments()[3].end(), 390);
    assert_eq!(timeline.find(1100, 0).map(|span| span.counter), Some(100));
    assert_eq!(timeline.find(1100, 160).map(|span| span.counter), Some(260));
}

#[test]
fn the_last_sixteen_segments_are_kept() {
    let ring = ring(10);
    let mut writer = RingWriter::new(ring);
    for pass in 0..40 {
        write_counters(&mut writer, at(pass * 100, true), 10);
    }
    let timeline = ring.timeline().unwrap();
    let passes: Vec<u64> = timeline.segments().iter().map(|segment| segment.pass).collect();
    assert_eq!(passes, (24..40).collect::<Vec<_>>());
    for (n, segment) in timeline.segments().iter().enumerate() {
        assert_eq!(segment.position, Some((24 + n as i64) * 100));
        assert_eq!((segment.counter, segment.frames), ((24 + n as u64) * 10, 10));
    }
    assert_eq!(timeline.find(2300, 0), None);
}

#[test]
fn a_new_writer_begins_with_empty_tables_and_later_counters() {
    let ring = ring(6);
    let mut writer = RingWriter::new(ring);
    writer.mark_settings(1, Db(0.0), Db(0.0));
    write_counters(&mut writer, at(0, true), 50);
    let mut writer = RingWriter::new(ring);
    assert!(ring.timeline().unwrap().segments().is_empty());
    assert_eq!(ring.settings_at(50), None);
    assert_eq!(writer.counter(), 50);
    write_counters(&mut writer, at(0, false), 10);
    assert_eq!(ring.timeline().unwrap().find(0, 0).map(|span| span.counter), Some(50));
}

#[test]
fn settings_are_known_for_every_frame_since_the_oldest_mark() {
    let ring = ring(10);
    let mut writer = RingWriter::new(ring);
    assert_eq!(ring.settings_at(0), None);
    const MARKS: u64 = MAX_MARKS as u64 + 4;
    for revision in 0..MARKS {
        writer.mark_settings(revision, Db(-6.0), Db(1.5));
        writer.mark_settings(revision, Db(-6.0), Db(1.5));
        write_counters(&mut writer, at(0, true), 10);
    }
    writer.mark_settings(MARKS - 1, Db(-3.0), Db(1.5));
    assert_eq!(ring.settings_at(49), None);
    for revision in 5..MARKS {
        let mark = SettingsMark { counter: revision * 10, revision, level: Db(-6.0), trim: Db(1.5) };
        assert_eq!(ring.settings_at(revision * 10), Some(mark));
        assert_eq!(ring.settings_at(revision * 10 + 9), Some(mark));
    }
    let last = SettingsMark { counter: MARKS * 10, revision: MARKS - 1, level: Db(-3.0), trim: Db(1.5) };
    assert_eq!(ring.settings_at(MARKS * 10), Some(last));
}

#[test]
fn four_seconds_fit_at_every_rate() {
    for rate in [8000.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0, 384_000.0, 768_000.0] {
        let frames = f64::from(1u32 << AudioRing::size_for(Hz(rate)));
        assert!(frames >= rate * 4.0 && frames < rate * 8.0 + 33_000.0, "{rate}");
    }
    assert_eq!(AudioRing::size_for(Hz(48_000.0)), 18);
    assert_eq!(AudioRing::size_for(Hz(f64::INFINITY)), *SIZE_RANGE.end());
    assert_eq!(AudioRing::size_for(Hz(f64::NAN)), *SIZE_RANGE.start());
}

#[test]
fn a_reader_beside_a_fast_writer_gets_whole_frames_or_none() {
    let ring = ring(8);
    let reader = std::thread::spawn(move || {
        let mut whole = 0;
        while whole < 20_000 {
            let Some(timeline) = ring.timeline() else { continue };
            for back in [1, 16, 100, 200] {
                let counter = timeline.end().saturating_sub(back).max(timeline.oldest());
                whole += usize::from(read_counters(ring, counter, (timeline.end() - counter) as usize));
            }
            for pair in timeline.segments().windows(2) {
                assert_eq!((pair[0].end(), pair[0].pass + 1), (pair[1].counter, pair[1].pass));
            }
        }
    });
    let mut writer = RingWriter::new(ring);
    while !reader.is_finished() {
        let rest = writer.counter() % 48;
        write_counters(&mut writer, at(0, rest == 0), 1 + rest as usize);
    }
    reader.join().unwrap();
}

/// A buffer of two frames; three blocks of one frame against a reader. A frame's samples encode its counter.
fn model<const ACQUIRE: bool, const RELEASE: bool>() {
    let frames = loom::sync::Arc::new(FrameBuffer::<LoomWord<ACQUIRE, RELEASE>>::new(2));
    let reader = {
        let frames = loom::sync::Arc::clone(&frames);
        loom::thread::spawn(move || {
            for counter in [0, 1] {
                let (mut left, mut right) = ([0.0], [0.0]);
                if frames.copy(TapPoint::Output, counter, [&mut left, &mut right]) {
                    let expected = counter as f64 + 1.0;
                    assert_eq!(
                        (left[0], right[0]),
                        (expected, expected),
                        "a newer frame was taken for an older"
                    );
                    SEEN.fetch_or(1 << counter, Ordering::Relaxed);
                }
            }
        })
    };
    for n in 1..=3 {
        let x = f64::from(n);
        frames.append([&[x], &[x]], [&[x], &[x]]);
    }
    reader.join().unwrap();
}

/// The frames that readers of the model have copied, a bit each.
static SEEN: AtomicU64 = AtomicU64::new(0);

#[test]
fn model_no_interleaving_mixes_frames() {
    check(model::<true, true>);
    assert_eq!(SEEN.load(Ordering::Relaxed), 0b11, "the model reached both frames");
}

#[test]
fn model_without_either_fence_frames_mix() {
    assert!(fails(model::<false, true>), "the acquire fence is not needed?");
    assert!(fails(model::<true, false>), "the release fence is not needed?");
}
