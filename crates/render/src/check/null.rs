//! The null test: the mix less the stems, and what is wrong where that is not nothing.

mod bed;
mod explain;
mod offset;
mod residual;
mod rest;
mod result;
mod search;

use super::fault::Fault;
use super::pairs::Duplicate;
use super::subject::Subject;
use crate::drift::drift;
use crate::progress::Progress;
use audiofile::SampleFormat;
use audiofile::error::Result;
use bed::{Bed, Left};
pub use result::{Again, NullTest, NullVerdict, StemFit};
use result::{INAUDIBLE, level};
use units::decibels;

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
) -> Result<(NullTest, Vec<Fault>)> {
    let bed = Bed { stems, mix, frames, channels: mix.info.channels, rate: mix.info.rate };
    let pass = stems.iter().map(|stem| tolerance(stem.info.format)).sum::<f64>() + tolerance(mix.info.format);
    let plain = bed.left(&bed.unity(), 0..frames, progress)?;
    let verdict = match plain.peak {
        peak if peak <= pass => NullVerdict::Pass,
        peak if peak <= INAUDIBLE => NullVerdict::Inaudible,
        _ => NullVerdict::Audible,
    };
    let mut null = NullTest {
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
    if verdict != NullVerdict::Audible {
        return Ok((null, Vec::new()));
    }
    let mut drifts = Vec::new();
    for stem in stems {
        drifts.extend(drift(&stem.path, &mix.path)?.map(|drift| (*stem, drift)));
    }
    if !drifts.is_empty() {
        let faults = explain::drift_faults(&bed, &plain, &drifts, &mut null);
        return Ok((null, faults));
    }
    let far = offset::offset(&bed)?.filter(|delay| *delay != 0);
    let longest = stems.iter().map(|stem| stem.info.frames).max().unwrap_or(0);
    let bed = match far {
        // What lies behind the end of the stems in a mix that begins earlier is the end of the song.
        Some(delay) if delay > 0 => Bed { frames: mix.info.frames.min(longest + delay as u64), ..bed },
        _ => bed,
    };
    let mut found = search::search(&bed, far, progress)?;
    explain::resolve_duplicates(&mut found, duplicates);
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
