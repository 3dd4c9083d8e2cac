//! The VST3 classes in hosts that we did not write: PyPI `pedalboard` and `dawdreamer` (both JUCE).
//!
//! Without the oracle the test says so and passes, unless `STEMLINK_REQUIRE_ORACLES=1`.

#![allow(clippy::print_stderr, reason = "a skipped test says why")]

use chain::parameters::{PARAMETERS, ParameterKind};
use chain::{ChainKind, ChainSettings};
use hosttests::reference::{TYPED, settings, through_chain};
use hosttests::{Library, Vst3, noise};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("stemlink-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // nothing depends on it
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The built library laid out as a VST3 bundle.
fn bundle(folder: &Path) -> PathBuf {
    let (place, file) = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("windows", arch) => (format!("{arch}-win"), "Stemlink.vst3"),
        ("macos", _) => ("MacOS".into(), "Stemlink"),
        (_, arch) => (format!("{arch}-linux"), "Stemlink.so"),
    };
    // of the build that this test was made with
    drop(Library::open());
    let bundle = folder.join("Stemlink.vst3");
    let place = bundle.join("Contents").join(place);
    fs::create_dir_all(&place).expect("a folder");
    fs::copy(Library::path(), place.join(file)).expect("the library is built");
    bundle
}

fn has_oracle(host: &str) -> bool {
    let probe = Command::new("python3").args(["-c", &format!("import numpy, {host}")]).output();
    if probe.is_ok_and(|out| out.status.success()) {
        return true;
    }
    hosttests::skip_or_fail(&format!("python3 has no {host}"));
    false
}

fn interleaved(channels: &[Vec<f32>]) -> Vec<u8> {
    channels[0]
        .iter()
        .zip(&channels[1])
        .flat_map(|(l, r)| [l.to_le_bytes(), r.to_le_bytes()])
        .flatten()
        .collect()
}

fn samples(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("four bytes"))).collect()
}

#[test]
fn in_pedalboard_the_output_is_the_chain_s_bit_for_bit() {
    if !has_oracle("pedalboard") {
        return;
    }
    let folder = Folder::new("vst3");
    let bundle = bundle(&folder.0);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/vst3.py");
    for (name, chain_kind, rate, block) in [
        ("Stemlink Stem", ChainKind::Stem, 44_100.0, 512),
        ("Stemlink Stem", ChainKind::Stem, 192_000.0, 77),
        ("Stemlink Master", ChainKind::Master, 48_000.0, 1000),
        ("Stemlink Master", ChainKind::Master, 96_000.0, 64),
    ] {
        let mut input = noise(11, 2, 12_000, 0.9);
        // not a number in, silence instead
        input[0][500] = f32::NAN;
        let (source, target) = (folder.0.join("in.f32"), folder.0.join("out.f32"));
        fs::write(&source, interleaved(&input)).expect("written");
        let output = Command::new("python3")
            .arg(&script)
            .arg(&bundle)
            .args([name, &rate.to_string()])
            .args([&source, &target])
            .arg(block.to_string())
            .args(TYPED.iter().map(|(name, text, _, _)| format!("{name}={text}")))
            .output()
            .expect("python runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));

        let expected = interleaved(&through_chain(
            (chain_kind, chain_kind.default_class(), rate),
            &settings(),
            &input,
            None,
        ));
        let heard = fs::read(&target).expect("pedalboard left its output");
        // pedalboard takes the latency away at the start
        let missing = expected.len().checked_sub(heard.len()).expect("no more out than in");
        assert!(
            said.contains(&format!("\"latency\": {},", missing / 8)),
            "{name}: {said}, {missing} missing"
        );
        let (heard, expected) = (samples(&heard), samples(&expected[missing..]));
        let differing = heard.iter().zip(&expected).position(|(a, b)| a != b);
        let around =
            differing.map(|i| (&heard[i..heard.len().min(i + 6)], &expected[i..heard.len().min(i + 6)]));
        assert!(
            around.is_none(),
            "{name} at {rate} Hz in blocks of {block}: {said} from {differing:?} on {around:?}"
        );
    }
}

#[test]
fn the_unit_is_in_the_text_and_nowhere_beside_it() {
    for (name, chain_kind) in [("Stemlink Stem", ChainKind::Stem), ("Stemlink Master", ChainKind::Master)] {
        let shown = Vst3::new(name, 48_000.0, 512).shown(0.6);
        let rows: Vec<_> = PARAMETERS.for_kind(chain_kind).collect();
        // the latency class is no row of the table
        assert_eq!(shown.len(), rows.len() + 1);
        assert!(shown.iter().all(|(beside, _)| beside.is_empty()), "{shown:?}");
        for unit in ["dB", "dBFS", "dBTP", "Hz", "ms", "%", "dB/oct"] {
            let count = rows
                .iter()
                .filter(|row| matches!(row.kind, ParameterKind::Number { unit: own, .. } if own == unit))
                .count();
            let ending =
                |text: &str| text.rsplit(' ').next() == Some(unit) || unit == "Hz" && text.ends_with(" kHz");
            assert_eq!(shown.iter().filter(|(_, text)| ending(text)).count(), count, "{unit}");
        }
    }
}

#[test]
fn in_dawdreamer_the_sidechain_is_the_chain_s_key_bit_for_bit() {
    if !has_oracle("dawdreamer") {
        return;
    }
    let folder = Folder::new("sidechain");
    let bundle = bundle(&folder.0);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/sidechain.py");
    let (main, key) = (noise(1, 2, 48_000, 0.1), noise(2, 2, 48_000, 0.9));
    let mut expected = ChainSettings::default();
    let mut arguments = Vec::new();
    for (name, id, fraction) in [
        ("Compressor On", "comp_on", 1.0),
        ("Compressor Threshold", "comp_threshold", 0.5),
        ("Compressor Ratio", "comp_ratio", 1.0),
        ("Compressor Key Sidechain", "comp_key", 1.0),
    ] {
        let row = PARAMETERS.find(id).expect("exists");
        row.set(&mut expected, row.at_fraction(fraction));
        arguments.push(format!("{name}={fraction}"));
    }
    let run = |key: &[Vec<f32>]| {
        let files = ["main.f32", "key.f32", "out.f32"].map(|name| folder.0.join(name));
        fs::write(&files[0], interleaved(&main)).expect("written");
        fs::write(&files[1], interleaved(key)).expect("written");
        let output = Command::new("python3")
            .arg(&script)
            .arg(&bundle)
            .arg("48000")
            .args(&files)
            .args(&arguments)
            .output()
            .expect("python runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        samples(&fs::read(&files[2]).expect("dawdreamer left its output"))
    };
    let chain = |key: &[Vec<f32>]| {
        let (chain_kind, rate) = (ChainKind::Stem, 48_000.0);
        samples(&interleaved(&through_chain(
            (chain_kind, chain_kind.default_class(), rate),
            &expected,
            &main,
            Some(key),
        )))
    };
    assert!(run(&key) == chain(&key));
    let silence = vec![vec![0.0; 48_000]; 2];
    assert!(run(&silence) == chain(&silence) && chain(&silence) != chain(&key));
}
