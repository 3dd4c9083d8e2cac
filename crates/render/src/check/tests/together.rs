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
fn the_sum_of_all_others_is_the_mix_whatever_it_is_called() {
    let mut song = Song::new();
    let all: Vec<Audio> = song.stems.iter().map(|stem| stem.audio.clone()).collect();
    song.stems.push(file("06_Bounce42_Stem.wav", sum(&all)));
    let report = song.check();
    expect(&report, &["(sum 06_Bounce42_Stem.wav: is the sum of all other stems; it was taken as the mix"]);
    assert_eq!(report.mix.expect("a mix").chosen, MixChoice::Sum);
    assert_eq!(report.null.expect("a null test").verdict, NullVerdict::Pass);
    assert_eq!(report.stems.len(), 5);
    // With another that is called so, it is a fault.
    let report = song.mixed(|n, audio| if n < 5 { audio.clone() } else { scaled(audio, 0.0) }).check();
    expect(&report, &["sum 06_Bounce42_Stem.wav: is the sum of all other stems; leave it out"]);
}

#[test]
fn a_bus_beside_its_tracks_is_named_with_them() {
    let mut song = Song::new();
    let some: Vec<Audio> = [0, 2, 4].map(|n| scaled(&song.stems[n].audio, 0.8)).to_vec();
    song.stems.push(file("06_Group_Stem.wav", sum(&some)));
    expect(
        &song.check(),
        &["sum 06_Group_Stem.wav: is the sum of Drums, Keys and FX; leave it out, or all of those"],
    );
}

#[test]
fn of_two_files_none_is_most() {
    let mut song = Song::of(vec![part(1, FRAMES), part(2, FRAMES)]);
    song.stems[1].format = StoredFormat::Int16;
    let lines = lines(&song.check());
    assert!(
        lines.iter().all(|line| !line.contains("most stems") && !line.contains("export it as 16-bit")),
        "{lines:#?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains("01_Drums_Stem.wav 24-bit integer, 02_Bass_Stem.wav 16-bit integer")),
        "{lines:#?}"
    );
}

#[test]
fn faults_are_found_among_many_stems() {
    let mut song = Song::of((0..40).map(|seed| part(seed + 10, 60_000)).collect());
    assert_eq!(lines(&song.check()), Vec::<String>::new());
    song.stems[31].audio = scaled(&delayed(&song.stems[7].audio, 700), -0.5);
    let shared = part(99, 60_000);
    for (n, delay) in [(3, 0), (22, 150)] {
        song.stems[n].audio = sum(&[scaled(&song.stems[n].audio, 0.3), delayed(&shared, delay)]);
    }
    expect(
        &song.check(),
        &[
            "duplicate 32_Part31_Stem.wav: is 08_Part7_Stem.wav again, 6.0 dB quieter, inverted in polarity, 700 samples",
            "alignment 23_Part22_Stem.wav: shares content with Vox but holds it 150 samples",
        ],
    );
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
