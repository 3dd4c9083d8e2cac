//! Stems beside each other, without a mix.

use super::*;
use demo_song;
use proptest::prelude::*;

#[test]
fn the_demo_song_has_no_findings() {
    let frames = 10 * 44_100..22 * 44_100;
    let parts: Vec<Audio> = demo_song::render(Hz(RATE))
        .into_iter()
        .map(|stem| vec![stem.left[frames.clone()].to_vec(), stem.right[frames.clone()].to_vec()])
        .collect();
    let mut song = Song::of(parts);
    expect(&song.check(), &[]);
    song = song.mixed(|_, audio| audio.clone());
    let report = song.check();
    expect(&report, &[]);
    assert_eq!(report.null.expect("a null test").verdict, NullVerdict::Pass);

    // The very song with faults of a real export: a late vocal and a bass 1 dB down.
    let planted = song.clone().mixed(|n, audio| match n {
        1 => scaled(audio, linear(-1.0)),
        3 => delayed(audio, 64),
        _ => audio.clone(),
    });
    expect(
        &planted.check(),
        &[
            "alignment 04_Vox_Stem.wav: arrives 64 samples (1.5 ms) later in the mix",
            "gain 02_Bass_Stem.wav: arrives 1.0 dB quieter in the mix",
            "null Mix.wav: ",
        ],
    );
}

#[test]
fn copies_are_named_with_what_was_changed() {
    for (change, said) in [
        (0, "is the same as 02_Bass_Stem.wav"),
        (1, "is 02_Bass_Stem.wav again, 3.0 dB quieter"),
        (2, "is 02_Bass_Stem.wav again, inverted in polarity"),
        (3, "is 02_Bass_Stem.wav again, 480 samples (10.9 ms) later"),
        (4, "is 02_Bass_Stem.wav again, 2.0 dB louder, inverted in polarity, 2000 samples (45.4 ms) earlier"),
    ] {
        let mut song = Song::new();
        let bass = &song.stems[1].audio;
        song.stems[3].audio = match change {
            0 => bass.clone(),
            1 => scaled(bass, linear(-3.0)),
            2 => scaled(bass, -1.0),
            3 => delayed(bass, 480),
            _ => scaled(&delayed(bass, -2000), -linear(2.0)),
        };
        expect(&song.check(), &[&format!("duplicate 04_Vox_Stem.wav: {said}; ")]);
    }
}

#[test]
fn a_mono_copy_of_a_stereo_stem_is_a_copy() {
    let mut song = Song::new();
    let mono = song.stems[1].audio[0].clone();
    song.stems[1].audio = vec![mono.clone(), mono.clone()];
    song.stems[3].audio = vec![mono];
    expect(&song.check(), &["(channels 04_Vox_Stem.wav: is mono", "duplicate 04_Vox_Stem.wav: is "]);
}

/// Keys and vocals that both hold a third part, the vocals `delay` later and times `gain`.
fn bleeding(delay: i64, gain: f64) -> Song {
    let mut song = Song::new();
    let shared = part(8, FRAMES);
    let with = |audio: &Audio, shared: &Audio| sum(&[scaled(audio, 0.5), shared.clone()]);
    song.stems[2].audio = with(&song.stems[2].audio, &shared);
    song.stems[3].audio = with(&song.stems[3].audio, &scaled(&delayed(&shared, delay), gain));
    song
}

#[test]
fn shared_content_out_of_time_or_polarity_is_named() {
    expect(&bleeding(0, 1.0).check(), &[]);
    expect(
        &bleeding(64, 0.8).check(),
        &["alignment 04_Vox_Stem.wav: shares content with Keys but holds it 64 samples (1.5 ms) later"],
    );
    expect(&bleeding(0, -0.8).check(), &["polarity 04_Vox_Stem.wav: cancels Keys"]);
}

#[test]
fn unrelated_stems_raise_no_alarm() {
    for seed in 0..20u64 {
        let frames = [13_230, 40_000, 70_000][seed as usize % 3];
        let count = 3 + seed as usize % 3;
        let parts = (0..count as u64)
            .map(|n| match seed % 4 {
                0 => vec![noise(seed * 100 + 2 * n, frames, 0.4), noise(seed * 100 + 2 * n + 1, frames, 0.4)],
                1 => vec![tones(seed + n, frames, 1)],
                2 => vec![tones(seed + n, frames, 12), tones(seed + n + 50, frames, 12)],
                _ => part(seed * 100 + n, frames),
            })
            .collect();
        let report = Song::of(parts).check();
        assert_eq!(lines(&report), Vec::<String>::new(), "{seed}");
    }
}

/// A chord of harmonic notes.
fn tones(seed: u64, frames: usize, harmonics: usize) -> Vec<f64> {
    let root = 55.0 * 2f64.powf((seed * 5 % 31) as f64 / 12.0);
    let tone = |n: usize| {
        let phase = n as f64 * root / RATE * core::f64::consts::TAU;
        (1..=harmonics).map(|k| (phase * k as f64 + (seed * k as u64) as f64).sin() / k as f64).sum::<f64>()
            * 0.2
    };
    (0..frames).map(tone).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_random_fault_against_the_mix_is_recovered(
        stem in 0usize..3, delay in -3000i64..3000, gain_db in -6.0f64..6.0, inverted: bool, seed in 1u64..100,
    ) {
        let gain = linear(gain_db) * if inverted { -1.0 } else { 1.0 };
        let parts = (0..3).map(|n| part(seed * 3 + n, 70_000)).collect();
        let song = Song::of(parts)
            .mixed(|n, audio| if n == stem { scaled(&delayed(audio, delay), gain) } else { audio.clone() });
        let null = song.check().null.expect("a null test");
        for (n, fit) in null.stems.iter().enumerate() {
            let expected = if n == stem { (delay, inverted, gain_db) } else { (0, false, 0.0) };
            prop_assert_eq!((fit.delay, fit.inverted), (expected.0, expected.1), "{} {:?}", n, &null.stems);
            prop_assert!((fit.gain_db.expect("it is there") - expected.2).abs() < 0.05, "{n} {:?}", null.stems);
        }
    }
}
