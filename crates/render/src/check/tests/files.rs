//! Faults in the properties of files, and files that cannot be read.

use super::*;

#[test]
fn a_clean_bundle_has_no_findings_with_or_without_a_mix() {
    expect(&Song::new().check(), &[]);
    let report = Song::new().mixed(|_, audio| audio.clone()).check();
    expect(&report, &[]);
    assert_eq!(report.null.expect("a null test").verdict, NullVerdict::Pass);
    assert_eq!(report.mix.expect("a mix").chosen, MixChoice::Name);
    assert_eq!(report.stems.len(), 5);
}

#[test]
fn odd_rates_formats_channels_and_lengths_are_named() {
    let mut song = Song::new();
    song.stems[1].rate = 48_000.0;
    expect(&song.check(), &["rate 02_Bass_Stem.wav: has 48000 Hz, most stems have 44100 Hz"]);

    let mut song = Song::new();
    song.stems[2].format = StoredFormat::Float32;
    expect(&song.check(), &["format 03_Keys_Stem.wav: is 32-bit float, most stems are 24-bit integer"]);

    let mut song = Song::new();
    song.stems[0].audio.truncate(1);
    expect(&song.check(), &["(channels 01_Drums_Stem.wav: is mono, most stems are stereo"]);

    let mut song = Song::new();
    song.stems[0].audio.extend(part(9, FRAMES));
    expect(&song.check(), &["channels 01_Drums_Stem.wav: is of 4 channels, most stems are stereo"]);

    let mut song = Song::new();
    song.stems[4].audio.iter_mut().for_each(|plane| plane.truncate(FRAMES - 441));
    expect(&song.check(), &["length 05_FX_Stem.wav: is 441 samples (10.0 ms) shorter than most stems"]);
}

#[test]
fn what_all_stems_share_is_said_once() {
    let mut song = Song::new();
    song.stems.iter_mut().for_each(|stem| stem.format = StoredFormat::Int16);
    let report = song.check();
    expect(&report, &["(bit-depth "]);
    assert!(report.faults[0].fault == "every stem is 16-bit" && !report.has_faults());
    let mut song = Song::new();
    song.stems.iter_mut().for_each(|stem| stem.rate = 32_000.0);
    expect(&song.check(), &["low-rate "]);
}

#[test]
fn names_are_advice() {
    let mut song = Song::new();
    song.stems[0].name = "Drums.wav".into();
    song.stems[1].name = "02_B\u{e4}sse_Stem.wav".into();
    song.stems[2].name = "03_Ke\tys_Stem.wav".into();
    let report = song.check();
    expect(
        &report,
        &["(label Drums.wav: ", "(file-name 02_B\u{e4}sse_Stem.wav: ", "(file-name 03_Ke\\tys_Stem.wav: "],
    );
    assert!(!report.has_faults());
    let mut song = Song::new();
    song.stems.iter_mut().for_each(|stem| stem.name = stem.name.replace("_Stem", ""));
    expect(&song.check(), &["(label "]);
}

#[test]
fn start_times_that_differ_are_named_in_samples_and_seconds() {
    let mut song = Song::new();
    song.stems.iter_mut().for_each(|stem| stem.start = Some(44_100 * 3600));
    expect(&song.check(), &[]);
    song.stems[3].start = Some(44_100 * 3600 + 480);
    expect(
        &song.check(),
        &["start-time 04_Vox_Stem.wav: ... 480 samples (10.9 ms) later ... 3600.011 s ... 3600.000 s"],
    );
}

#[test]
fn files_that_cannot_be_read_are_faults_and_the_others_are_checked() {
    let mut song = Song::new();
    song.stems[4].audio.iter_mut().for_each(|plane| plane.fill(0.0));
    let dir = song.write();
    std::fs::write(dir.path().join("06_Text_Stem.wav"), "no audio").expect("files can be written");
    let path = dir.path().join("01_Drums_Stem.wav");
    let bytes = std::fs::read(&path).expect("files can be written");
    std::fs::write(&path, &bytes[..bytes.len() - 600]).expect("files can be written");
    std::fs::write(dir.path().join("07_Cut_Stem.wav"), &bytes[..30]).expect("files can be written");
    let report = check(dir.path(), &Options::default(), &mut Silent).expect("a report");
    expect(
        &report,
        &[
            "readable 01_Drums_Stem.wav: is cut off: 109900 frames found of 110000",
            "readable 06_Text_Stem.wav: is no audio file",
            "readable 07_Cut_Stem.wav: ",
            "length 01_Drums_Stem.wav: is 100 samples (2.3 ms) shorter",
            "silent 05_FX_Stem.wav: is silent",
        ],
    );
    assert_eq!(report.stems.len(), 5);
}

#[test]
fn a_file_without_frames_is_empty_and_only_that() {
    let mut song = Song::new();
    song.stems[1].audio.iter_mut().for_each(Vec::clear);
    expect(&song.check(), &["empty 02_Bass_Stem.wav: holds no audio"]);
}

#[test]
fn a_folder_without_stems_and_a_mix_that_is_not_there_are_errors() {
    let dir = tempfile::tempdir().expect("files can be written");
    assert!(check(dir.path(), &Options::default(), &mut Silent).is_err());
    assert!(check(&dir.path().join("none"), &Options::default(), &mut Silent).is_err());
    let dir = Song::of(vec![part(1, 5000)]).write();
    let options = Options { mix: Some(dir.path().join("Nix.wav")) };
    assert!(matches!(check(dir.path(), &options, &mut Silent), Err(Error::Open { .. })));
    std::fs::write(dir.path().join("Nix.wav"), "text").expect("files can be written");
    let report = check(dir.path(), &options, &mut Silent).expect("a report");
    expect(&report, &["readable Nix.wav: "]);
}

#[test]
fn stopping_is_the_error_of_that_name() {
    struct Stop(u32);
    impl Progress for Stop {
        fn begin(&mut self, _: &str, _: u64) {}
        fn advance(&mut self, _: u64) -> bool {
            self.0 = self.0.saturating_sub(1);
            self.0 > 0
        }
    }
    let dir = Song::new().mixed(|n, audio| delayed(audio, 7 * n as i64)).write();
    for steps in [1, 40, 150, 200] {
        let stopped = check(dir.path(), &Options::default(), &mut Stop(steps));
        assert!(matches!(stopped, Err(Error::Interrupted { .. })), "{steps}");
    }
}

#[test]
fn the_master_is_left_out_with_advice() {
    let mut song = Song::new().mixed(|_, audio| scaled(audio, 1.2));
    song.mix.as_mut().expect("a mix").name = "Song_Master.wav".into();
    let report = song.check();
    expect(&report, &["(mix-file Song_Master.wav: ... --mix"]);
    assert!(report.null.is_none() && report.mix.is_none());
}
