use super::*;
use crate::progress::Silent;
use project::bundle::Bundle;
use units::{Hz, decibels};

fn write(path: &Path, rate: f64, audio: &[Vec<f64>]) {
    let spec = WavSpec::new(Hz(rate), audio.len(), StoredFormat::Float32);
    let mut writer = WavWriter::create(path, spec, true).expect("starts");
    writer.write_planar(audio).expect("writes");
    writer.finish().expect("finishes");
}

fn tone(frequency: f64, rate: f64, frames: usize, gain: f64) -> Vec<f64> {
    (0..frames).map(|i| gain * (std::f64::consts::TAU * frequency * i as f64 / rate).sin()).collect()
}

fn open(dir: &Path) -> (Bundle, Session) {
    let mut bundle = Bundle::open(dir, None).expect("opens");
    let session = Session::open(&mut bundle, None).expect("reads").0;
    (bundle, session)
}

fn made(dir: &Path, output: &Path) -> AtmosFile {
    let (bundle, session) = open(dir);
    let job =
        AtmosJob { bundle: &bundle, session: &session, output: output.into(), overwrite: true, page: None };
    make(&job, &mut Silent).expect("is made")
}

/// A bass of 50 Hz in the bed, a mono vocal, effects at another rate.
fn song(dir: &Path) {
    let bass = tone(50.0, 48_000.0, 96_000, 0.3);
    write(&dir.join("01_Bass.wav"), 48_000.0, &[bass.clone(), bass]);
    write(&dir.join("02_Vocals.wav"), 48_000.0, &[tone(997.0, 48_000.0, 96_000, 0.2)]);
    let fx = tone(3000.0, 44_100.0, 88_200, 0.1);
    write(&dir.join("03_FX.wav"), 44_100.0, &[fx.clone(), fx]);
}

fn read(path: &Path) -> Vec<Vec<f64>> {
    let mut reader = AudioReader::open(path).expect("opens");
    let mut planes = vec![Vec::new(); reader.info().channels];
    let frames = reader.info().frames as usize;
    assert_eq!(reader.read_planar(&mut planes, frames).expect("reads"), frames);
    planes
}

#[test]
fn every_track_has_what_belongs_there_and_in_step() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    song(dir.path());
    // The rates differ, which only other commands mind.
    let output = dir.path().join("out.adm");
    let made = made(dir.path(), &output);
    assert_eq!((made.stop, made.frames), (GainLimit::Loudness, 96_000));
    assert!((made.reading.integrated.expect("is loud").0 + 18.5).abs() < 0.01);
    assert!(made.verified, "{:?}", made.conformance);
    let gain = made.gain.gain();
    let tracks = read(&output);
    assert_eq!(tracks.len(), 13);
    let middle = 20_000..70_000;
    let close = |track: usize, expected: &dyn Fn(f64) -> f64| {
        let worst = middle.clone().map(|i| (tracks[track][i] - gain * expected(i as f64 / 48_000.0)).abs());
        let worst = worst.fold(0.0, f64::max);
        assert!(worst < 3e-7, "track {track}: {worst}");
    };
    let sine = |frequency: f64, t: f64| (std::f64::consts::TAU * frequency * t).sin();
    close(0, &|t| 0.3 * sine(50.0, t));
    close(1, &|t| 0.3 * sine(50.0, t));
    // The mean of both sides at -20 dB, in phase with them; the filter lets 50 Hz pass within 1e-4.
    let worst = middle.clone().map(|i| (tracks[BED.len() - 7][i] - 0.1 * tracks[0][i]).abs());
    assert!(worst.fold(0.0, f64::max) < 1e-5);
    for silent in [2, 4, 5, 6, 7, 8, 9] {
        assert!(tracks[silent].iter().all(|x| *x == 0.0), "track {silent}");
    }
    close(10, &|t| std::f64::consts::SQRT_2 * 0.2 * sine(997.0, t));
    close(11, &|t| 0.1 * sine(3000.0, t));
    assert_eq!(made.plan.tracks[10].position, [0.0, 1.0, 0.0], "a mono stem is one object in the middle");
}

#[test]
fn the_check_finds_what_was_planted() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    song(dir.path());
    let output = dir.path().join("out.adm");
    made(dir.path(), &output);
    let bytes = std::fs::read(&output).expect("reads");
    assert_eq!(conform::check(&output).expect("reads").faults, Vec::<String>::new());
    let plant = |from: &[u8], to: &[u8], word: &str| {
        assert_eq!(from.len(), to.len(), "the file keeps its length");
        let at = bytes.windows(from.len()).position(|w| w == from).expect("is there");
        let mut broken = bytes.clone();
        broken[at..at + to.len()].copy_from_slice(to);
        let file = dir.path().join("broken.adm");
        std::fs::write(&file, broken).expect("writes");
        let faults = conform::check(&file).expect("reads").faults;
        assert!(faults.iter().any(|fault| fault.contains(word)), "{word}: {faults:?}");
    };
    plant(b"\"Atmos_Master\"", b"\"Atmos_Mister\"", "programme");
    plant(b"<cartesian>1<", b"<cartesian>0<", "Cartesian");
    plant(b"AO_100b", b"AO_2222", "AO_2222");
    plant(b"RC_Lss", b"RC_Lxx", "LeftSideSurround");
    plant(b">-1.0000000000<", b">-1.5000000000<", "X from -1 to 1");
    plant(b">2</dialogue>", b">1</dialogue>", "mixed");
    plant(b"interpolationLength=\"0\"", b"interpolationLength=\"1\"", "jump");
    plant(b"rtime=\"00:00:00", b"rtime=\"00:00:01", "from the start");
    plant(b"bitDepth=\"24\"", b"bitDepth=\"16\"", "24 bit");
    plant(b"<audioStreamFormatIDRef>AS_", b"<audioStreamFormatIDRef>AX_", "not there");
    plant(b"AP_00011001\0", b"AP_00011002\0", "chna");
    plant(b"Created with Stemlink", b"Created with Stemlunk", "wrong sum");
    plant(b"\xbd\x6f\x72\xf8", b"\xbd\x6f\x72\xf9", "segment 10");
    plant(b"dbmd", b"dbmx", "chunks");
    plant(b"</audioFormatExtended>", b"</audioFormatExtendex>", "no XML");
}

#[test]
fn peaks_hold_the_gain_down() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    // A click in silence: hardly any loudness, all peak.
    let mut click = tone(1000.0, 48_000.0, 96_000, 0.001);
    click[50_000] = 0.9;
    write(&dir.path().join("Drums.wav"), 48_000.0, &[click.clone(), click]);
    let made = made(dir.path(), &dir.path().join("out.adm"));
    assert_eq!(made.stop, GainLimit::RenderPeak);
    let peak = made.strict_peak.expect("is heard").0;
    assert!((-1.15..=-1.0).contains(&peak), "{peak}");
    assert!(made.verified);
}

#[test]
fn silence_is_made_and_said() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    write(&dir.path().join("Drums.wav"), 48_000.0, &[vec![0.0; 48_000]]);
    let made = made(dir.path(), &dir.path().join("out.adm"));
    assert_eq!((made.stop, made.gain, made.strict_peak), (GainLimit::Silence, Db(0.0), None));
    assert!(made.warnings[0].contains("nothing to hear"));
    assert!(read(&made.path).iter().flatten().all(|x| *x == 0.0));
}

#[test]
fn too_many_objects_are_refused_with_a_cure() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let first = dir.path().join("000_FX.wav");
    write(&first, 48_000.0, &[vec![0.1; 480], vec![0.1; 480]]);
    for i in 1..60 {
        std::fs::hard_link(&first, dir.path().join(format!("{i:03}_FX.wav"))).expect("links");
    }
    let (mut bundle, session) = open(dir.path());
    let line = AtmosPlan::new(&bundle, &session).expect_err("is refused").to_string();
    assert!(line.contains("120 objects") && line.contains("place = \"front\""), "{line}");
    bundle.stems.pop();
    assert_eq!(AtmosPlan::new(&bundle, &session).expect("fits").tracks.len(), 128);
}

#[test]
fn the_noise_of_one_pair_is_not_that_of_another() {
    let mut noises: Vec<Vec<f64>> = Vec::new();
    for pair in 0..4 {
        let mut sides = [vec![0.25; 48_000], vec![0.25; 48_000]];
        let [left, right] = &mut sides;
        quantizer(pair).process(&mut Block::new(left, right));
        noises.extend(sides.map(|side| side.iter().map(|x| x - 0.25).collect()));
    }
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for (i, a) in noises.iter().enumerate() {
        for b in &noises[..i] {
            let correlation = product(a, b) / (product(a, a) * product(b, b)).sqrt();
            assert!(correlation.abs() < 0.02, "{correlation}");
        }
    }
    assert!(decibels(product(&noises[0], &noises[0]) / 48_000.0) < -280.0, "and only noise");
}
