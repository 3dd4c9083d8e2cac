//! Broken files of every kind: truncated at every byte, mutated, random. Nothing may panic, every answer is
//! frames that can be read or one line of fault.

use std::io::Cursor;

use proptest::prelude::*;

use super::bext::{Bext, example};
use super::build::{chunk, ds64, extensible, file, fmt, format, open, riff, samples, sized};
use super::format::{FLOAT, PCM};
use super::samples::StoredFormat;
use super::sink::Sink;
use super::spec::{Chunk, Place, WavSpec};
use units::Hz;

/// Small files of every form.
fn corpus() -> Vec<Vec<u8>> {
    let audio = || chunk(b"data", &samples(&[1, 2, 3, 4, 5, 6]));
    let mut spec = WavSpec::new(Hz(96_000.0), 3, StoredFormat::Int24);
    spec.bext = Some(Bext { umid: None, ..example() });
    spec.chunks.push(Chunk { id: *b"axml", bytes: b"<a/>".to_vec(), place: Place::AfterData });
    let mut sink = Sink::new(Cursor::new(Vec::new()), spec.clone()).expect("starts");
    sink.write_planar(&[[0.1; 5], [0.2; 5], [0.3; 5]]).expect("writes");
    let ours = sink.finish().expect("finishes").0.into_inner();
    let mut sink = Sink::new(Cursor::new(Vec::new()), spec).expect("starts");
    sink.limit = 0;
    sink.write_planar(&[[0.1; 5], [0.2; 5], [0.3; 5]]).expect("writes");
    let ours_large = sink.finish().expect("finishes").0.into_inner();
    vec![
        riff(&[fmt(2), audio()]),
        riff(&[chunk(b"fmt ", &extensible(PCM, 2, 24, 20, 3)), chunk(b"data", &[3; 18])]),
        riff(&[chunk(b"fmt ", &format(FLOAT, 1, 64)), chunk(b"LIST", b"INFOx"), chunk(b"data", &[64; 40])]),
        file(b"RF64", &[chunk(b"ds64", &ds64(12)), fmt(2), sized(b"data", u32::MAX, &[1; 12])]),
        riff(&[sized(b"odd ", 3, b"abc"), fmt(1), sized(b"data", 0, &[0; 9])]),
        riff(&[fmt(1), audio(), sized(b"cue ", 5, b"abcde"), chunk(b"iXML", b"<x>")]),
        ours,
        ours_large,
    ]
}

/// Opens and reads all there is, in small pieces; returns the frames, or none for a fault.
fn survives(bytes: &[u8]) -> Option<u64> {
    let mut reader = match open(bytes) {
        Ok(reader) => reader,
        Err(error) => {
            let line = error.to_string();
            assert!(line.starts_with("a.wav: ") && line.contains("; "), "{line}");
            assert!(!line.chars().any(char::is_control), "{line}");
            return None;
        }
    };
    let info = reader.info().clone();
    assert!(info.warnings.iter().all(|warning| !warning.chars().any(char::is_control)));
    assert!(info.frames <= bytes.len() as u64);
    let mut planes = vec![Vec::new(); info.channels];
    let mut frames = 0;
    loop {
        let now = reader.read_planar(&mut planes, 7).expect("what is promised can be read");
        if now == 0 {
            break;
        }
        frames += now as u64;
    }
    assert_eq!(frames, info.frames);
    for id in [b"axml", b"chna", b"iXML", b"bext"] {
        let content = reader.chunk(id);
        assert!(content.is_err() || content.is_ok_and(|found| found.is_none_or(|x| x.len() <= bytes.len())));
    }
    Some(frames)
}

#[test]
fn files_truncated_at_any_byte_give_frames_or_a_fault() {
    for (which, bytes) in corpus().into_iter().enumerate() {
        let whole = survives(&bytes).expect("the whole file can be read");
        let mut most = 0;
        for len in 0..bytes.len() {
            let frames = survives(&bytes[..len]).unwrap_or(0);
            assert!(frames <= whole && frames >= most, "file {which} at {len}: {frames}");
            most = frames;
        }
    }
}

#[test]
fn a_truncated_file_that_lost_audio_says_so() {
    for bytes in corpus() {
        let whole = survives(&bytes);
        for len in 0..bytes.len() {
            if let Ok(reader) = open(&bytes[..len]) {
                let fewer = Some(reader.info().frames) < whole;
                assert!(!fewer || !reader.info().warnings.is_empty(), "{len}");
            }
        }
    }
}

#[test]
fn every_byte_set_to_extremes_is_survived() {
    for bytes in corpus() {
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff, bytes[at] ^ 1] {
                let mut mutated = bytes.clone();
                mutated[at] = value;
                survives(&mutated);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn mutations_are_survived(
        which in 0usize..8,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        shorten in any::<bool>(),
    ) {
        let mut bytes = corpus().swap_remove(which);
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if shorten {
            bytes.truncate(cut.index(bytes.len()));
        }
        survives(&bytes);
    }

    #[test]
    fn random_chunks_are_survived(
        parts in prop::collection::vec(
            (
                prop::sample::select(vec![*b"fmt ", *b"data", *b"ds64", *b"bext", *b"JUNK", *b"axml", [0; 4]]),
                any::<u32>(),
                prop::collection::vec(any::<u8>(), 0..80),
                any::<bool>(),
            ),
            0..8,
        ),
        id in prop::sample::select(vec![*b"RIFF", *b"RF64", *b"BW64"]),
    ) {
        let parts: Vec<Vec<u8>> = parts
            .into_iter()
            .map(|(id, size, content, honest)| {
                let size = if honest { content.len() as u32 } else { size };
                sized(&id, size, &content)
            })
            .collect();
        survives(&file(&id, &parts));
    }

    #[test]
    fn what_is_written_reads_back(
        samples in prop::collection::vec(-8_388_608i32..8_388_608, 0..300),
        channels in 1usize..9,
        which in 0usize..3,
        large in any::<bool>(),
        mask in prop::option::of(any::<u32>()),
        cut in 1usize..50,
    ) {
        let stored = [StoredFormat::Int16, StoredFormat::Int24, StoredFormat::Float32][which];
        let step = if stored == StoredFormat::Int16 { 256 } else { 1 };
        let frames = samples.len() / channels;
        let planes: Vec<Vec<f64>> = (0..channels)
            .map(|c| {
                let plane = samples.iter().skip(c).step_by(channels).take(frames);
                plane.map(|&sample| f64::from(sample / step * step) / 8_388_608.0).collect()
            })
            .collect();
        let spec = WavSpec { channel_mask: mask, ..WavSpec::new(Hz(44_100.0), channels, stored) };
        let mut sink = Sink::new(Cursor::new(Vec::new()), spec).expect("starts");
        if large {
            sink.limit = 0;
        }
        for start in (0..frames).step_by(cut) {
            let parts: Vec<&[f64]> = planes.iter().map(|p| &p[start..(start + cut).min(frames)]).collect();
            sink.write_planar(&parts).expect("writes");
        }
        let (bytes, written) = sink.finish().expect("finishes");
        prop_assert_eq!((written.frames, written.saturated, written.not_finite), (frames as u64, 0, 0));
        let bytes = bytes.into_inner();
        let mut reader = open(&bytes).expect("opens");
        let mut back = vec![Vec::new(); channels];
        reader.read_planar(&mut back, usize::MAX).expect("reads");
        prop_assert_eq!(back, planes);
        if mask.is_some() {
            prop_assert_eq!(reader.info().channel_mask, mask);
        }
    }
}
