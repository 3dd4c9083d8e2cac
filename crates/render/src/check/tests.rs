//! Bundles with planted faults: each is found, and nothing else is.

mod files;
mod mixes;
mod samples;
mod together;

use super::*;
use crate::progress::Silent;
use audiofile::SampleFormat;
use audiofile::wav::{Bext, StoredFormat, WavSpec, WavWriter};
use testkit::noise;
use units::{Hz, linear};

/// Planar samples.
type Audio = Vec<Vec<f64>>;

const RATE: f64 = 44_100.0;
const FRAMES: usize = 110_000;
const NAMES: [&str; 5] = ["Drums", "Bass", "Keys", "Vox", "FX"];

/// One file of a bundle.
#[derive(Clone)]
struct File {
    name: String,
    audio: Audio,
    rate: f64,
    format: StoredFormat,
    start: Option<u64>,
}

/// A bundle in the making.
#[derive(Clone)]
struct Song {
    stems: Vec<File>,
    mix: Option<File>,
}

fn file(name: &str, audio: Audio) -> File {
    File { name: name.into(), audio, rate: RATE, format: StoredFormat::Int24, start: None }
}

/// A coloured, rhythmic, stereo part with a tone in it, at about -12 dBFS peak.
fn part(seed: u64, frames: usize) -> Audio {
    let pole = 0.2 + 0.7 * ((seed * 7) % 10) as f64 / 10.0;
    let beat = 4000 + 997 * (seed as usize % 7);
    let hertz = 70.0 + 83.7 * (seed % 11) as f64;
    let side = |side: u64| {
        let (own, shared) = (noise(seed * 31 + side, frames, 0.1), noise(seed * 31 + 7, frames, 0.15));
        let mut low = 0.0;
        (own.iter().zip(shared).enumerate())
            .map(|(n, (x, s))| {
                low = pole * low + (1.0 - pole) * (x + s);
                let tone = 0.03 * (n as f64 * hertz / RATE * core::f64::consts::TAU).sin();
                let envelope = 1.0 - (n % beat) as f64 / beat as f64;
                (low / (1.0 - pole).sqrt() + tone) * envelope
            })
            .collect()
    };
    vec![side(0), side(1)]
}

fn sum(parts: &[Audio]) -> Audio {
    let side = |c: usize| {
        let frames = parts.iter().map(|p| p[0].len()).max().unwrap_or(0);
        (0..frames)
            .map(|n| parts.iter().map(|p| p[c.min(p.len() - 1)].get(n).unwrap_or(&0.0)).sum())
            .collect()
    };
    vec![side(0), side(1)]
}

fn scaled(audio: &Audio, gain: f64) -> Audio {
    audio.iter().map(|plane| plane.iter().map(|x| x * gain).collect()).collect()
}

/// The same frames, `delay` later.
fn delayed(audio: &Audio, delay: i64) -> Audio {
    let at = |plane: &[f64], n: usize| {
        usize::try_from(n as i64 - delay).ok().and_then(|n| plane.get(n)).copied().unwrap_or(0.0)
    };
    audio.iter().map(|plane| (0..plane.len()).map(|n| at(plane, n)).collect()).collect()
}

impl Song {
    /// Five parts and no mix.
    fn new() -> Self {
        Self::of((1..=5).map(|seed| part(seed, FRAMES)).collect())
    }

    fn of(parts: Vec<Audio>) -> Self {
        let name = |n: usize| NAMES.get(n).map_or_else(|| format!("Part{n}"), |name| (*name).to_owned());
        let stems = parts.into_iter().enumerate();
        let stems = stems.map(|(n, audio)| file(&format!("{:02}_{}_Stem.wav", n + 1, name(n)), audio));
        Self { stems: stems.collect(), mix: None }
    }

    /// With the sum of the stems, each changed by `change`, as the mix.
    fn mixed(mut self, change: impl Fn(usize, &Audio) -> Audio) -> Self {
        let parts: Vec<Audio> =
            self.stems.iter().enumerate().map(|(n, stem)| change(n, &stem.audio)).collect();
        self.mix = Some(file("Mix.wav", sum(&parts)));
        self
    }

    fn write(&self) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("files can be written");
        for file in self.stems.iter().chain(&self.mix) {
            let mut spec = WavSpec::new(Hz(file.rate), file.audio.len(), file.format);
            spec.bext = file.start.map(|time_reference| Bext { time_reference, ..Bext::default() });
            let mut writer =
                WavWriter::create(dir.path().join(&file.name), spec, false).expect("files can be written");
            writer.write_planar(&file.audio).expect("files can be written");
            writer.finish().expect("files can be written");
        }
        dir
    }

    fn check(&self) -> CheckReport {
        let dir = self.write();
        check(dir.path(), &Options::default(), &mut Silent).expect("a report")
    }
}

/// The findings as `id file: fault; cure`, advice in brackets.
fn lines(report: &CheckReport) -> Vec<String> {
    let line = |fault: &Fault| {
        let line = format!("{} {}: {}; {}", fault.check.id(), fault.file, fault.fault, fault.cure);
        if fault.severity == Severity::Advice { format!("({line})") } else { line }
    };
    report.faults.iter().map(line).collect()
}

/// Asserts that the findings start as `expected`, one by one, and hold the words after ` ... `.
#[track_caller]
fn expect(report: &CheckReport, expected: &[&str]) {
    let lines = lines(report);
    let fits = |line: &String, expected: &&str| {
        let mut parts = expected.split(" ... ");
        parts.next().is_some_and(|start| line.starts_with(start)) && parts.all(|part| line.contains(part))
    };
    let all = lines.len() == expected.len() && lines.iter().zip(expected).all(|(l, e)| fits(l, e));
    assert!(all, "found {lines:#?}\nexpected {expected:#?}\n{:#?}", report.null);
}
