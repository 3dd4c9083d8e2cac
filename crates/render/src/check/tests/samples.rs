//! Faults in the samples of one file.

use super::*;

#[test]
fn silence_is_named_down_to_dither() {
    for level in [0.0, 2e-5] {
        let mut song = Song::new();
        song.stems[2].audio = scaled(&song.stems[2].audio, level);
        expect(&song.check(), &["silent 03_Keys_Stem.wav: is silent"]);
    }
}

#[test]
fn a_silent_bundle_is_all_silent_and_nulls() {
    let song = Song::of(vec![vec![vec![0.0; 20_000]; 2]; 3]).mixed(|_, audio| audio.clone());
    let report = song.check();
    expect(&report, &["silent 01", "silent 02", "silent 03"]);
    let null = report.null.expect("a null test");
    assert_eq!((null.verdict, null.residual_peak_dbfs, null.coverage), (NullVerdict::Pass, None, 1.0));
    assert_eq!(null.stems[0].gain_db, None);
}

#[test]
fn clipping_is_counted_and_placed() {
    let mut song = Song::new();
    for start in [1000, 88_200] {
        for x in &mut song.stems[0].audio[1][start..start + 5] {
            *x = 1.5; // saturates
        }
    }
    expect(
        &song.check(),
        &[
            "clipping 01_Drums_Stem.wav: clips 2 times: three or more samples in a row at full scale, the first at 0:00.02",
        ],
    );
}

#[test]
fn float_over_full_scale_is_advice() {
    let mut song = Song::new();
    song.stems.iter_mut().for_each(|stem| stem.format = StoredFormat::Float32);
    song.stems[3].audio[0][44_100] = -1.5;
    let report = song.check();
    expect(&report, &["(over-full-scale 04_Vox_Stem.wav: peaks at +3.5 dBFS, the first at 0:01.000"]);
    assert!(!report.has_faults());
}

#[test]
fn a_true_peak_between_samples_is_a_fault_of_integers_and_advice_for_float() {
    // fs/4 at 45 degrees: samples at 0.95, 3 dB more between them.
    let tone: Vec<f64> = (0..FRAMES).map(|n| 0.95 * [1.0, 1.0, -1.0, -1.0][n % 4]).collect();
    let mut song = Song::new();
    song.stems[1].audio[0] = tone;
    expect(&song.check(), &["true-peak 02_Bass_Stem.wav: has a true peak of +2."]);
    song.stems.iter_mut().for_each(|stem| stem.format = StoredFormat::Float32);
    expect(&song.check(), &["(true-peak 02_Bass_Stem.wav: has a true peak of +2."]);
}

#[test]
fn numbers_that_are_none_are_counted_and_placed() {
    let mut song = Song::new();
    song.stems.iter_mut().for_each(|stem| stem.format = StoredFormat::Float32);
    song.stems[0].audio[1][22_050] = f64::NAN;
    song.stems[0].audio[0][44_100] = f64::INFINITY;
    expect(&song.check(), &["non-finite 01_Drums_Stem.wav: holds 2 samples ... the first at 0:00.500"]);
    song.stems[0].audio = vec![vec![f64::NAN; FRAMES]; 2];
    expect(&song.check(), &["non-finite 01_Drums_Stem.wav: holds 220000 samples"]);
}

#[test]
fn a_constant_offset_is_named_with_its_side() {
    let mut song = Song::new();
    song.stems[1].audio[1].iter_mut().for_each(|x| *x -= 0.02);
    expect(
        &song.check(),
        &["dc-offset 02_Bass_Stem.wav: has a negative DC offset of -34. ... in the right channel"],
    );
}

#[test]
fn sides_of_opposite_polarity_are_named() {
    let mut song = Song::new();
    song.stems[3].audio[1] = song.stems[3].audio[0].iter().map(|x| -0.8 * x).collect();
    expect(&song.check(), &["side-polarity 04_Vox_Stem.wav: has left and right in opposite polarity"]);
}

#[test]
fn samples_that_no_audio_has_are_counted_placed_and_silent_for_all_else() {
    let mut song = Song::new();
    for side in &mut song.stems[0].audio {
        side[110..120].fill(3e34);
    }
    song.stems.iter_mut().for_each(|stem| stem.format = StoredFormat::Float32);
    let said = "implausible 01_Drums_Stem.wav: holds 20 samples beyond +24 dBFS, up to +689.5 dBFS, the first at 0:00.002";
    let report = song.check();
    expect(&report, &[said]);
    assert!(report.has_faults());
}

#[test]
fn integers_written_as_float_are_a_wrong_scale_not_silence() {
    let mut song = Song::new();
    song.stems.iter_mut().for_each(|stem| stem.format = StoredFormat::Float32);
    song.stems[1].audio = scaled(&song.stems[1].audio, 8_388_608.0);
    let report = song.check();
    let lines = lines(&report);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].starts_with("implausible 02_Bass_Stem.wav: has ")
            && lines[0].contains("integers written as float")
    );
}

#[test]
fn an_isolated_burst_is_a_fault_with_its_time_and_decides_no_comparison() {
    let mut song = Song::new();
    // A copy, but for a burst that is louder than the whole song.
    song.stems[3].audio = song.stems[1].audio.clone();
    song.stems.iter_mut().for_each(|stem| stem.format = StoredFormat::Float32);
    for side in &mut song.stems[3].audio {
        side[66_150..66_350].fill(14.0);
    }
    expect(
        &song.check(),
        &[
            "burst 04_Vox_Stem.wav: has an isolated burst at 0:01.5 ... over everything else",
            "(over-full-scale 04_Vox_Stem.wav: ",
            "duplicate 04_Vox_Stem.wav: is the same as 02_Bass_Stem.wav",
        ],
    );
    // And no gain against a mix: the one that is found is that of the song.
    let mut song =
        Song::new().mixed(|n, audio| if n == 2 { scaled(audio, linear(-3.0)) } else { audio.clone() });
    song.stems.iter_mut().for_each(|stem| stem.format = StoredFormat::Float32);
    for side in &mut song.stems[2].audio {
        side[66_150..66_350].fill(14.0);
    }
    let fits = song.check().null.expect("a null test").stems;
    assert!((fits[2].gain_db.expect("it is there") + 3.0).abs() < 0.05, "{fits:?}");
}
