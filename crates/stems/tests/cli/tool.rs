//! Running `stems`, and songs to run it on.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use audiofile::AudioReader;
use audiofile::wav::{StoredFormat, WavSpec, WavWriter};
use serde_json::Value;
use units::{Db, Hz};

/// Exit code and standard streams of a run.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// `stems`, ready to be started: with no configuration, and with a backtrace if it should panic.
pub(crate) fn command(args: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stems"));
    command.args(args).env("RUST_BACKTRACE", "1").env("XDG_CONFIG_HOME", env!("CARGO_TARGET_TMPDIR"));
    command.stdin(Stdio::null());
    command
}

/// Judges what no run may ever do: panic, or say anything beside the results but lines that start with `stems: `.
#[track_caller]
pub(crate) fn judge(output: &Output) -> Run {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let run = Run {
        code: output.status.code().unwrap_or(-1),
        out: text(&output.stdout),
        err: text(&output.stderr),
    };
    assert!(matches!(run.code, 0..=2), "exit code {}: {}", run.code, run.err);
    for line in run.err.lines() {
        assert!(line.starts_with("stems: "), "{line:?} in {}", run.err);
        assert!(!line.contains("panicked") && !line.contains('\u{1b}'), "{}", run.err);
    }
    run
}

/// Runs `stems` to its end.
#[track_caller]
pub(crate) fn stems(args: &[impl AsRef<OsStr>]) -> Run {
    judge(&command(args).output().unwrap())
}

/// Runs `stems --json` that should end with `code`.
#[track_caller]
pub(crate) fn json(code: i32, args: &[impl AsRef<OsStr>]) -> Value {
    let output = command(args).arg("--json").output().unwrap();
    let run = judge(&output);
    assert_eq!(run.code, code, "{}{}", run.out, run.err);
    serde_json::from_str(&run.out).unwrap()
}

/// Runs `stems` that cannot: exit code 2, nothing on standard output, and one line (beside remarks on what was opened)
/// that names `what` and has a fault and a cure.
#[track_caller]
pub(crate) fn fails(args: &[impl AsRef<OsStr>], what: &[&str]) -> String {
    let run = stems(args);
    assert_eq!(run.code, 2, "{}{}", run.out, run.err);
    assert!(run.out.is_empty(), "{}", run.out);
    let remarks = [
        "stems: using ",
        "in the session file; ",
        " is left out: ",
        " and is left out; ",
        " and is not looked into; ",
        ": is cut off: ",
        ": declares no length",
        ": holds no audio",
        "stems: Instrumental: ",
        "stems: A Cappella: ",
        "stems: TV Mix: ",
    ];
    let lines: Vec<&str> = run.err.lines().collect();
    let [before @ .., line] = lines.as_slice() else { panic!("not a line") };
    let remark = |line: &&str| remarks.iter().any(|remark| line.contains(remark));
    assert!(before.iter().all(remark), "not one line: {}", run.err);
    for word in what {
        assert!(line.contains(word), "{word:?} is not in {line}");
    }
    assert!(line.contains(": ") && line.contains("; "), "no cure in {line}");
    (*line).to_owned()
}

pub(crate) fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The names in a folder, sorted; empty if it is not there.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Planes of one length.
pub(crate) type Audio = Vec<Vec<f64>>;

/// A part of a song: low-passed noise and a tone in bursts, unlike that of any other seed.
pub(crate) fn part(seed: u64, rate: f64, seconds: f64, channels: usize, gain: f64) -> Audio {
    let mut random = Random::new(seed);
    let frames = (rate * seconds) as usize;
    let (pitch, beat) = (random.between(80.0, 2500.0), random.between(0.4, 1.3));
    let pan = [1.0, random.between(0.3, 1.0), 0.5, 0.1, 0.4, 0.4];
    let mut low = [0.0; 6];
    let mut planes = vec![Vec::with_capacity(frames); channels];
    for frame in 0..frames {
        let time = frame as f64 / rate;
        let burst = (-4.0 * (time / beat).fract()).exp() * (1.0 + 0.8 * (time * 0.7 + seed as f64).sin());
        let tone = (std::f64::consts::TAU * pitch * time).sin();
        for (side, plane) in planes.iter_mut().enumerate() {
            low[side] += 0.2 * (random.between(-1.0, 1.0) - low[side]);
            plane.push(gain * pan[side] * burst * (0.6 * tone + low[side]));
        }
    }
    planes
}

/// A tone on every channel, full scale at gain 1.
pub(crate) fn sine(frequency: f64, rate: f64, seconds: f64, channels: usize, gain: f64) -> Audio {
    let frames = (rate * seconds) as usize;
    let step = std::f64::consts::TAU * frequency / rate;
    vec![(0..frames).map(|frame| gain * (step * frame as f64).sin()).collect(); channels]
}

pub(crate) fn write(path: &Path, rate: f64, format: StoredFormat, audio: &[Vec<f64>]) {
    let mut writer = WavWriter::create(path, WavSpec::new(Hz(rate), audio.len(), format), true).unwrap();
    writer.write_planar(audio).unwrap();
    writer.finish().unwrap();
}

/// 48 kHz, 24 bit.
pub(crate) fn write_plain(path: &Path, audio: &[Vec<f64>]) {
    write(path, 48_000.0, StoredFormat::Int24, audio);
}

pub(crate) fn read(path: &Path) -> Audio {
    let mut reader = AudioReader::open(path).unwrap();
    let mut planes = vec![Vec::new(); reader.info().channels];
    let frames = reader.info().frames as usize;
    assert_eq!(reader.read_planar(&mut planes, frames).unwrap(), frames);
    planes
}

/// A song of three parts, 48 kHz, 24 bit: Drums, Bass, Vocals, at about -20 LUFS with gain 1.
pub(crate) fn song(folder: &Path, seconds: f64, gain: f64) {
    std::fs::create_dir_all(folder).unwrap();
    for (i, name) in ["01_Drums_Stem.wav", "02_Bass_Stem.wav", "03_Vocals_Stem.wav"].iter().enumerate() {
        write_plain(&folder.join(name), &part(7 + i as u64, 48_000.0, seconds, 2, 0.3 * gain));
    }
}

/// The sum of files with a gain in dB for each, mono to both sides, as 32-bit float.
pub(crate) fn render(files: &[PathBuf], gains: &[f64], rate: f64, to: &Path) {
    let mut sum = vec![Vec::new(); 2];
    for (file, gain) in files.iter().zip(gains) {
        let audio = read(file);
        for (side, sum) in sum.iter_mut().enumerate() {
            let plane = audio.get(side).unwrap_or(&audio[0]);
            sum.resize(plane.len().max(sum.len()), 0.0);
            sum.iter_mut().zip(plane).for_each(|(sum, x)| *sum += Db(*gain).gain() * x);
        }
    }
    write(to, rate, StoredFormat::Float32, &sum);
}

/// The reading of a file.
#[track_caller]
pub(crate) fn reading(path: &Path) -> Value {
    let mut answer = json(0, &["measure", text(path)]);
    answer["files"][0]["reading"].take()
}

/// A figure of an answer.
#[track_caller]
pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// The keys of an object, in order.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    value.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default()
}

/// Tells whether an oracle is installed; without it the test is skipped.
pub(crate) fn present(program: &str, probe: &[&str]) -> bool {
    testkit::is_present(&mut Command::new(program), probe)
}

/// A small file system on a folder, unmounted when dropped.
#[cfg(unix)]
pub(crate) struct Mount<'a>(&'a Path);

#[cfg(unix)]
impl<'a> Mount<'a> {
    pub(crate) fn new(at: &'a Path, options: &str) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).output();
        if mounted.is_ok_and(|out| out.status.success()) {
            return Some(Self(at));
        }
        eprintln!("skipped: a tmpfs cannot be mounted here (that takes root)");
        None
    }
}

#[cfg(unix)]
impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).output();
    }
}

/// Random numbers of the material here (xorshift64), the same on every run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Uniform between two values.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
}
