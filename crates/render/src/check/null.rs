//! The null test: the mix less the stems, and what is wrong where that is not nothing.

mod bed;
mod explain;
mod rest;
mod search;

use super::fault::Fault;
use super::pairs::Duplicate;
use super::subject::Subject;
use crate::progress::Progress;
use audiofile::SampleFormat;
use audiofile::error::Result;
use bed::{Bed, Left};
use units::decibels;

/// -90 dBFS: what is left below this is not heard.
const INAUDIBLE: f64 = 3.162_277_660_168_379_4e-5;

/// What a null test comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No more is left than rounding and dither of the files.
    Pass,
    /// More than that, but not above -90 dBFS.
    Inaudible,
    /// The stems are not the mix.
    Audible,
}

impl Verdict {
    /// Its name.
    pub fn id(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inaudible => "inaudible",
            Self::Audible => "audible",
        }
    }
}

/// A stem found in the mix a second time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Again {
    /// Samples after the first time; negative is before.
    pub delay: i64,
    /// Its level over the stem's, dB.
    pub gain_db: f64,
    /// True if its polarity is inverted.
    pub inverted: bool,
}

/// How a stem is in the mix, by best fit.
#[derive(Clone, Debug, PartialEq)]
pub struct StemFit {
    /// The stem's name.
    pub name: String,
    /// Its level in the mix over its own, dB; `None` if it is missing or silent.
    pub gain_db: Option<f64>,
    /// True if its polarity is inverted in the mix.
    pub inverted: bool,
    /// Samples that it arrives later in the mix; negative is earlier.
    pub delay: i64,
    /// True if it sounds but is not in the mix.
    pub missing: bool,
    /// The second time that it is in the mix.
    pub again: Option<Again>,
}

/// The result of a null test. Levels are of the mix less the sum of the stems at unity, over the part that all files
/// have, unless said otherwise; `None` is digital silence.
#[derive(Clone, Debug, PartialEq)]
pub struct Null {
    /// Sample peak of what is left, dBFS.
    pub residual_peak_dbfs: Option<f64>,
    /// RMS of what is left, dBFS.
    pub residual_rms_dbfs: Option<f64>,
    /// The most that rounding and dither of the files may leave: 1.5 LSB of each stem and of the mix.
    pub pass_dbfs: f64,
    /// What it comes to.
    pub verdict: Verdict,
    /// Time of the peak, seconds; `None` if nothing is left.
    pub worst_time_s: Option<f64>,
    /// The stem that most of what is left there belongs to, where it is one.
    pub worst_stem: Option<String>,
    /// Frames compared, from the start.
    pub frames: u64,
    /// Every stem in the mix; at unity without a search where the verdict is not [`Verdict::Audible`].
    pub stems: Vec<StemFit>,
    /// The part of the mix's power that the stems account for at the gains and delays found, 0 to 1.
    pub coverage: f64,
    /// Sample peak of what would be left at the gains and delays found, dBFS.
    pub corrected_peak_dbfs: Option<f64>,
    /// RMS of what would be left at the gains and delays found, dBFS.
    pub corrected_rms_dbfs: Option<f64>,
    /// What is behind that, where it is heard.
    pub cause: Option<String>,
}

/// In dBFS; below -200 dBFS, where only the arithmetic is heard, nothing.
fn level(amplitude: f64) -> Option<f64> {
    (amplitude > 1e-10).then(|| decibels(amplitude))
}

/// 1.5 LSB of a format, linear: half for rounding, one for TPDF dither. Float counts as 24 bits, what a converter or
/// the next file keeps of it.
fn tolerance(format: SampleFormat) -> f64 {
    let bits = match format {
        SampleFormat::Int { bits } => bits,
        SampleFormat::Float { .. } => 24,
    };
    1.5 * 2f64.powi(1 - i32::from(bits))
}

/// Tests the first `frames` frames of `mix` against `stems`, all of one rate.
pub(super) fn test(
    stems: &[&Subject],
    mix: &Subject,
    frames: u64,
    duplicates: &[Duplicate],
    progress: &mut dyn Progress,
) -> Result<(Null, Vec<Fault>)> {
    let bed = Bed { stems, mix, frames, channels: mix.info.channels, rate: mix.info.rate };
    let pass = stems.iter().map(|stem| tolerance(stem.info.format)).sum::<f64>() + tolerance(mix.info.format);
    let plain = bed.left(&bed.unity(), 0..frames, progress)?;
    let verdict = match plain.peak {
        peak if peak <= pass => Verdict::Pass,
        peak if peak <= INAUDIBLE => Verdict::Inaudible,
        _ => Verdict::Audible,
    };
    let mut null = Null {
        residual_peak_dbfs: level(plain.peak),
        residual_rms_dbfs: level(plain.rms()),
        pass_dbfs: decibels(pass),
        verdict,
        worst_time_s: (plain.peak > 0.0).then(|| plain.at as f64 / bed.rate.0),
        worst_stem: None,
        frames,
        stems: stems.iter().map(|stem| at_unity(stem)).collect(),
        coverage: coverage(&plain),
        corrected_peak_dbfs: level(plain.peak),
        corrected_rms_dbfs: level(plain.rms()),
        cause: None,
    };
    if verdict != Verdict::Audible {
        return Ok((null, Vec::new()));
    }
    let mut found = search::search(&bed, progress)?;
    explain::settle_duplicates(&mut found, duplicates);
    null.coverage = coverage(&found.left);
    null.corrected_peak_dbfs = level(found.left.peak);
    null.corrected_rms_dbfs = level(found.left.rms());
    let faults = explain::explain(&bed, &found, &plain, duplicates, &mut null)?;
    Ok((null, faults))
}

fn coverage(left: &Left) -> f64 {
    if left.mix_energy > 0.0 { (1.0 - left.total() / left.mix_energy).clamp(0.0, 1.0) } else { 1.0 }
}

fn at_unity(stem: &Subject) -> StemFit {
    StemFit {
        name: stem.name.clone(),
        gain_db: stem.sounds().then_some(0.0),
        inverted: false,
        delay: 0,
        missing: false,
        again: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_24_bit_files_pass_up_to_the_figure_of_the_standard() {
        let files = 9.0 * tolerance(SampleFormat::Int { bits: 24 });
        assert!((decibels(files) + 115.9).abs() < 0.05, "{}", decibels(files));
        assert_eq!(tolerance(SampleFormat::Float { bits: 32 }), tolerance(SampleFormat::Int { bits: 24 }));
        assert_eq!(tolerance(SampleFormat::Int { bits: 16 }), 1.5 / 32_768.0);
        assert!((decibels(INAUDIBLE) + 90.0).abs() < 1e-9);
    }
}
