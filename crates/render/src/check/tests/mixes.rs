//! Stems against a mix: what is wrong is named, once, and the null says how much.

use super::*;

/// Five parts against a mix in which part `which` is changed.
fn planted(which: usize, change: impl Fn(&Audio) -> Audio) -> CheckReport {
    Song::new().mixed(|n, audio| if n == which { change(audio) } else { audio.clone() }).check()
}

#[track_caller]
fn fits(report: &CheckReport, which: usize, delay: i64, gain_db: f64) {
    let null = report.null.as_ref().expect("a null test");
    for (n, fit) in null.stems.iter().enumerate() {
        let (delay, gain_db) = if n == which { (delay, gain_db) } else { (0, 0.0) };
        assert_eq!(fit.delay, delay, "{:?}", null.stems);
        assert!((fit.gain_db.expect("it is there") - gain_db).abs() < 0.05, "{:?}", null.stems);
    }
    assert!(null.corrected_rms_dbfs.is_none_or(|rms| rms < -90.0), "{null:?}");
    assert!(null.coverage > 0.999_999);
    assert_eq!(null.worst_stem.as_deref(), Some(NAMES[which]));
}

#[test]
fn delays_are_recovered_to_the_sample() {
    for (which, delay) in [(0, 1), (1, 64), (2, -64), (3, 4800), (4, -44_100)] {
        let report = planted(which, |audio| delayed(audio, delay));
        let by = if delay < 0 { "earlier" } else { "later" };
        let file =
            format!("alignment 0{}_{}_Stem.wav: arrives {} sample", which + 1, NAMES[which], delay.abs());
        expect(&report, &[&format!("{file} ... {by} in the mix; move the stem"), "null Mix.wav: "]);
        fits(&report, which, delay, 0.0);
    }
}

#[test]
fn what_a_shifted_export_has_lost_is_not_held_against_the_fit() {
    for delay in [4800, -20_000] {
        let mut song = Song::new().mixed(|_, audio| audio.clone());
        song.stems[3].audio = delayed(&song.stems[3].audio, -delay);
        let report = song.check();
        let file = format!("alignment 04_Vox_Stem.wav: arrives {} samples", delay.abs());
        expect(&report, &[&file, "null Mix.wav: ... the gains and delays found leave peaks of -1"]);
        fits(&report, 3, delay, 0.0);
    }
}

#[test]
fn gains_and_polarity_are_recovered() {
    for (gain_db, said) in [(3.0, "3.0 dB louder"), (-0.5, "0.5 dB quieter"), (-20.0, "20.0 dB quieter")] {
        let report = planted(1, |audio| scaled(audio, linear(gain_db)));
        expect(&report, &[&format!("gain 02_Bass_Stem.wav: arrives {said} in the mix"), "null Mix.wav: "]);
        fits(&report, 1, 0, gain_db);
    }
    let report = planted(2, |audio| scaled(audio, -1.0));
    expect(
        &report,
        &[
            "polarity 03_Keys_Stem.wav: arrives with inverted polarity in the mix",
            "null Mix.wav: ... mostly Keys",
        ],
    );
    assert!(report.null.as_ref().expect("a null test").stems[2].inverted);
    fits(&report, 2, 0, 0.0);
    let report = planted(3, |audio| scaled(&delayed(audio, 100), -linear(2.0)));
    expect(
        &report,
        &[
            "alignment 04_Vox_Stem.wav: arrives 100 samples (2.3 ms) later, 2.0 dB louder and with inverted polarity",
            "null ",
        ],
    );
}

#[test]
fn a_doubled_stem_is_named_with_and_without_delay() {
    let report = planted(1, |audio| scaled(audio, 2.0));
    expect(
        &report,
        &[
            "doubled 02_Bass_Stem.wav: is doubled: arrives 6.0 dB louder in the mix: fader or double routing",
            "null ",
        ],
    );
    let report = planted(1, |audio| sum(&[audio.clone(), scaled(&delayed(audio, 480), 0.5)]));
    expect(
        &report,
        &["doubled 02_Bass_Stem.wav: is in the mix again 480 samples (10.9 ms) later, at -6.0 dB", "null "],
    );
    let again = report.null.expect("a null test").stems[1].again.expect("it is there twice");
    assert!(again.delay == 480 && !again.inverted && (again.gain_db + 6.02).abs() < 0.05, "{again:?}");
}

#[test]
fn a_tonal_stem_that_is_doubled_is_placed_to_the_sample() {
    let dull = |audio: &Audio| {
        let mut low = [0.0; 2];
        let mut next = |x: &f64| {
            low[0] = 0.97 * low[0] + 0.03 * x;
            low[1] = 0.97 * low[1] + 0.03 * low[0];
            low[1] * 4.0
        };
        audio.iter().map(|plane| plane.iter().map(&mut next).collect()).collect::<Audio>()
    };
    let mut song = Song::new();
    song.stems[1].audio = dull(&song.stems[1].audio);
    for delay in [480, -300] {
        let twice = |audio: &Audio| sum(&[audio.clone(), delayed(audio, delay)]);
        let report = song.clone().mixed(|n, audio| if n == 1 { twice(audio) } else { audio.clone() }).check();
        expect(
            &report,
            &[&format!("doubled 02_Bass_Stem.wav: is in the mix again {} ", delay.abs()), "null "],
        );
    }
}

#[test]
fn a_missing_stem_is_named() {
    let report = planted(4, |audio| scaled(audio, 0.0));
    expect(&report, &["missing 05_FX_Stem.wav: is missing from the mix", "null Mix.wav: ... mostly FX"]);
    let null = report.null.expect("a null test");
    assert!(null.stems[4].missing && null.stems[4].gain_db.is_none());
}

#[test]
fn a_foreign_track_is_named_with_its_level_and_shakes_nothing() {
    let mut song = Song::new().mixed(|_, audio| audio.clone());
    let mix = song.mix.as_mut().expect("a mix");
    mix.audio = sum(&[mix.audio.clone(), part(42, FRAMES)]);
    let report = song.check();
    expect(&report, &["unaccounted Mix.wav: holds something that is in no stem: -", "null Mix.wav: "]);
    let null = report.null.expect("a null test");
    assert!(null.cause.expect("files can be written").contains("in no stem"));
    assert!(null.worst_stem.is_none() && null.coverage < 0.99);
    assert!(
        null.stems.iter().all(|fit| fit.delay == 0 && fit.gain_db.expect("it is there").abs() < 0.5),
        "{:?}",
        null.stems
    );
}

#[test]
fn a_stem_processed_in_the_mix_is_named() {
    let report = planted(0, |audio| {
        let filtered = |plane: &Vec<f64>| {
            let mut low = 0.0;
            let low = |x: &f64| {
                low = 0.9 * low + 0.1 * x;
                x + 2.0 * low
            };
            plane.iter().map(low).collect()
        };
        audio.iter().map(filtered).collect()
    });
    expect(
        &report,
        &["unaccounted 01_Drums_Stem.wav: is processed in the mix: ", "null Mix.wav: ... mostly Drums"],
    );
}

#[test]
fn what_the_whole_mix_has_is_said_once() {
    let whole = |change: &dyn Fn(&Audio) -> Audio| Song::new().mixed(|_, audio| change(audio)).check();
    let report = whole(&|audio| delayed(audio, 1000));
    expect(&report, &["alignment Mix.wav: holds the stems 1000 samples (22.7 ms) later", "null "]);
    let report = whole(&|audio| scaled(audio, linear(-1.0)));
    expect(&report, &["gain Mix.wav: holds the stems 1.0 dB quieter", "null "]);
    let report = whole(&|audio| scaled(audio, -1.0));
    expect(&report, &["polarity Mix.wav: holds the stems with inverted polarity", "null "]);
    let report =
        Song::new().mixed(|n, audio| scaled(&delayed(audio, 300), if n == 2 { -1.0 } else { 1.0 })).check();
    expect(
        &report,
        &[
            "alignment Mix.wav: holds the stems 300 samples (6.8 ms) later",
            "polarity 03_Keys_Stem.wav: arrives with inverted polarity in the mix, against the others",
            "null ",
        ],
    );
}

#[test]
fn every_format_nulls_within_its_own_rounding() {
    for (format, pass) in
        [(StoredFormat::Int16, -71.2), (StoredFormat::Int24, -119.4), (StoredFormat::Float32, -119.4)]
    {
        let mut song = Song::new().mixed(|_, audio| audio.clone());
        song.stems.iter_mut().chain(&mut song.mix).for_each(|file| file.format = format);
        let report = song.check();
        assert!(!report.has_faults(), "{:?}", lines(&report));
        let null = report.null.expect("a null test");
        assert_eq!(null.verdict, NullVerdict::Pass, "{null:?}");
        assert!((null.pass_dbfs - pass).abs() < 0.1, "{}", null.pass_dbfs);
        let integer = format != StoredFormat::Float32;
        assert!(
            !integer || null.residual_peak_dbfs.expect("something is left") > null.pass_dbfs - 20.0,
            "{null:?}"
        );
        assert_eq!(
            report.stems[0].info.format == SampleFormat::Int { bits: 16 },
            format == StoredFormat::Int16
        );
    }
}

#[test]
fn what_is_left_below_90_db_is_inaudible_and_no_fault() {
    let mut song = Song::new().mixed(|_, audio| audio.clone());
    song.mix.as_mut().expect("a mix").audio[0][5000] += 2e-5;
    let report = song.check();
    expect(&report, &[]);
    assert_eq!(report.null.expect("a null test").verdict, NullVerdict::Inaudible);
}

#[test]
fn a_mix_that_is_not_like_the_stems_is_compared_where_it_can_be() {
    let mut song = Song::new().mixed(|_, audio| audio.clone());
    song.mix.as_mut().expect("a mix").audio.iter_mut().for_each(|plane| plane.truncate(FRAMES - 7));
    let report = song.check();
    expect(
        &report,
        &["length Mix.wav: is 7 samples (0.2 ms) shorter than the longest stem: the first 109993 frames"],
    );
    assert_eq!(report.null.expect("a null test").verdict, NullVerdict::Pass);

    let mut song = Song::new().mixed(|_, audio| audio.clone());
    song.mix.as_mut().expect("a mix").rate = 48_000.0;
    let report = song.check();
    expect(&report, &["rate Mix.wav: has 48000 Hz, the stems have 44100 Hz: nothing was compared"]);
    assert!(report.null.is_none());

    let mut song = Song::new().mixed(|_, audio| audio.clone());
    let mono = {
        let a = &song.mix.as_ref().expect("a mix").audio;
        (0..FRAMES).map(|n| 0.5 * (a[0][n] + a[1][n])).collect()
    };
    song.mix.as_mut().expect("a mix").audio = vec![mono];
    let report = song.check();
    expect(
        &report,
        &["channels Mix.wav: is mono, stems are stereo: it was compared with the mean of their sides"],
    );
    assert_eq!(report.null.expect("a null test").verdict, NullVerdict::Pass);
}

#[test]
fn mono_stems_feed_both_sides_and_mono_bundles_null() {
    let mut song = Song::new();
    song.stems[1].audio.truncate(1);
    let report = song.clone().mixed(|_, audio| audio.clone()).check();
    expect(&report, &["(channels 02_Bass_Stem.wav: is mono"]);
    assert_eq!(report.null.expect("a null test").verdict, NullVerdict::Pass);
    let report = song.mixed(|n, audio| if n == 1 { delayed(audio, 33) } else { audio.clone() }).check();
    expect(&report, &["(channels 02", "alignment 02_Bass_Stem.wav: arrives 33 samples", "null "]);

    let mut song = Song::new();
    song.stems.iter_mut().for_each(|stem| stem.audio.truncate(1));
    song = song.mixed(|n, audio| if n == 0 { scaled(audio, 0.5) } else { audio.clone() });
    song.mix.as_mut().expect("a mix").audio.truncate(1);
    expect(&song.check(), &["gain 01_Drums_Stem.wav: arrives 6.0 dB quieter", "null "]);
}

#[test]
fn one_stem_short_stems_and_many_stems_work() {
    let song = Song::of(vec![part(3, FRAMES)]).mixed(|_, audio| delayed(audio, 5));
    expect(&song.check(), &["alignment 01_Drums_Stem.wav: arrives 5 samples", "null "]);

    let short = |frames| Song::of((1..4).map(|seed| part(seed, frames)).collect());
    for frames in [1, 2, 63, 500, 13_230] {
        let song = short(frames).mixed(|_, audio| audio.clone());
        let report = song.check();
        assert_eq!(
            report.null.as_ref().expect("a null test").verdict,
            NullVerdict::Pass,
            "{frames} {:?}",
            lines(&report)
        );
    }
    let song = short(13_230).mixed(|n, audio| if n == 1 { delayed(audio, 20) } else { audio.clone() });
    expect(&song.check(), &["alignment 02_Bass_Stem.wav: arrives 20 samples", "null "]);

    let song = Song::of((1..=12).map(|seed| scaled(&part(seed, 50_000), 0.4)).collect());
    let song = song.mixed(|n, audio| match n {
        3 => delayed(audio, -250),
        9 => scaled(audio, -1.0),
        _ => audio.clone(),
    });
    expect(
        &song.check(),
        &[
            "alignment 04_Vox_Stem.wav: arrives 250 samples (5.7 ms) earlier",
            "polarity 10_Part9_Stem.wav: arrives with inverted polarity",
            "null ",
        ],
    );
}

#[test]
fn a_copy_of_a_stem_does_not_unsettle_the_null() {
    let mut song = Song::new().mixed(|_, audio| audio.clone());
    song.stems[4].audio = song.stems[1].audio.clone();
    let report = song.check();
    expect(
        &report,
        &[
            "duplicate 05_FX_Stem.wav: is the same as 02_Bass_Stem.wav",
            "unaccounted Mix.wav: holds something that is in no stem",
            "null ",
        ],
    );
}

#[test]
fn the_mix_may_lie_anywhere_and_two_runs_say_the_same() {
    let song = Song::new().mixed(|n, audio| if n == 3 { delayed(audio, 9) } else { audio.clone() });
    let dir = song.write();
    let elsewhere = tempfile::tempdir().expect("files can be written");
    let path = elsewhere.path().join("premix.wav");
    std::fs::rename(dir.path().join("Mix.wav"), &path).expect("files can be written");
    let options = Options { mix: Some(path) };
    let run = || check(dir.path(), &options, &mut Silent).expect("a report");
    let (first, second) = (run(), run());
    assert_eq!((&first.faults, &first.null), (&second.faults, &second.null));
    expect(&first, &["alignment 04_Vox_Stem.wav: arrives 9 samples", "null premix.wav: "]);
}

#[test]
fn processing_on_the_mix_bus_is_named_as_that() {
    let mut song = Song::new().mixed(|_, audio| audio.clone());
    let pumping = |plane: &mut Vec<f64>| {
        plane.iter_mut().enumerate().for_each(|(n, x)| *x *= 1.0 + 0.3 * (n as f64 / 9000.0).sin());
    };
    song.mix.as_mut().expect("a mix").audio.iter_mut().for_each(pumping);
    let report = song.check();
    let last: Vec<Fault> = report.faults.iter().rev().take(2).cloned().collect();
    assert!(last[1].fault.starts_with("is processed as a whole: "), "{:#?}", lines(&report));
    assert!(report.faults.iter().all(|fault| fault.file == "Mix.wav"), "{:#?}", lines(&report));
}

#[test]
fn without_all_stems_the_null_is_no_verdict() {
    let mut song = Song::new().mixed(|_, audio| audio.clone());
    song.stems[1].rate = 48_000.0;
    let report = song.check();
    expect(&report, &["rate 02_Bass_Stem.wav: ", "(null Mix.wav: was compared without 1 stem that"]);
}

#[test]
fn a_mix_that_begins_elsewhere_is_found_however_far() {
    // In samples: longer than the second that each stem is looked for, longer than half of the song, than all of it.
    for late in [50_000i64, 70_000, 130_000, -60_000] {
        let mut song =
            Song::of((1..=3).map(|seed| part(seed, FRAMES)).collect()).mixed(|_, audio| audio.clone());
        let mix = song.mix.as_mut().expect("a mix");
        let silence = vec![0.0; late.unsigned_abs() as usize];
        if late > 0 {
            mix.audio.iter_mut().for_each(|plane| *plane = [silence.clone(), plane.clone()].concat());
        } else {
            mix.audio.iter_mut().for_each(|plane| drop(plane.drain(..silence.len())));
        }
        let report = song.check();
        let lines = lines(&report);
        let word = if late > 0 { "later" } else { "earlier" };
        let said = format!("alignment Mix.wav: holds the stems {} samples", late.abs());
        assert!(
            lines.iter().any(|line| line.starts_with(&said) && line.contains(word)),
            "{late}: {lines:#?}"
        );
        assert!(
            lines.iter().all(|line| !line.contains("missing") && !line.contains("in no stem")),
            "{late}: {lines:#?}"
        );
        let fits = report.null.expect("a null test").stems;
        assert!(
            fits.iter().all(|fit| fit.delay == late && fit.gain_db.is_some_and(|gain| gain.abs() < 0.05)),
            "{fits:?}"
        );
    }
}

#[test]
fn delays_and_gains_are_found_among_many_stems() {
    let many = |count: u64| Song::of((1..=count).map(|seed| scaled(&part(seed, 30_000), 0.2)).collect());
    let report = many(48)
        .mixed(|n, audio| match n {
            7 => delayed(audio, 100),
            11 => scaled(audio, 0.7),
            20 => scaled(audio, -1.0),
            _ => audio.clone(),
        })
        .check();
    let null = report.null.as_ref().expect("there is a mix");
    for (n, stem) in null.stems.iter().enumerate() {
        let (delay, gain_db) = match n {
            7 => (100, 0.0),
            11 => (0, -3.098),
            _ => (0, 0.0),
        };
        assert_eq!((stem.delay, stem.inverted, stem.missing), (delay, n == 20, false), "{stem:?}");
        assert!(stem.gain_db.is_some_and(|found| (found - gain_db).abs() < 0.02), "{stem:?}");
    }
    assert!(null.corrected_peak_dbfs.is_none_or(|peak| peak < -90.0), "{null:?}");
}

/// Counts passes over the mix, each of which reads every stem.
#[derive(Default)]
struct PassCounter {
    is_pass: bool,
    frames: u64,
}

impl Progress for PassCounter {
    fn begin(&mut self, what: &str, _: u64) {
        let apart = ["reading", "comparing stems", "listening", "looking for mixes", "looking for d"];
        self.is_pass = !apart.iter().any(|other| what.starts_with(other));
    }

    fn advance(&mut self, steps: u64) -> bool {
        self.frames += if self.is_pass { steps } else { 0 };
        true
    }
}

#[test]
fn passes_over_the_mix_do_not_grow_with_the_number_of_stems() {
    const FRAMES: u64 = 12_000;
    let passes = |count: u64| {
        let parts = (1..=count).map(|seed| vec![noise(seed, FRAMES as usize, 0.02)]).collect();
        let dir = Song::of(parts).mixed(|n, audio| delayed(audio, if n == 3 { 50 } else { 0 })).write();
        let mut counter = PassCounter::default();
        let report = check(dir.path(), &Options::default(), &mut counter).expect("a report");
        assert!(report.has_faults());
        counter.frames as f64 / FRAMES as f64
    };
    let (few, many) = (passes(40), passes(160));
    assert!(few >= 1.0 && many <= few + 2.0, "{few} passes for 40 stems, {many} for 160");
}
