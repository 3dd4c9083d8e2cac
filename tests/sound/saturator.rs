//! Aliases of the saturator.

use dsp::Process;
use dsp::saturator::{SaturationCurve, Saturator, SaturatorSettings};
use testkit::{Stereo, sine, spectrum};
use units::{Db, Hz};

use crate::figure::{Figure, hold};
use crate::rig::run::RunUnit;

/// Saturator with this drive, in dB.
pub(super) fn driven(curve: SaturationCurve, drive: f64) -> SaturatorSettings {
    SaturatorSettings { on: true, drive: Db(drive), curve, mix: 1.0 }
}

/// Spectrum of a saturated full-scale sine near `frequency` in cycles per sample, 1 for full scale, and the bin of the
/// sine.
pub(super) fn saturated_sine(frequency: f64, settings: &SaturatorSettings) -> (Vec<f64>, usize) {
    const FRAMES: usize = 1 << 15;
    let bin = (frequency * FRAMES as f64) as usize | 1;
    let tone = sine(bin as f64 / FRAMES as f64, 0.3, 1.0, FRAMES + 1000);
    let mut unit = Saturator::new(Hz(48_000.0)); // whose filters know only the frequency per sample
    unit.set(settings);
    let mut out = Stereo::mono(tone);
    out.run(&mut unit, 0..FRAMES + 1000);
    let bins = spectrum(&out.left[1000..]);
    (bins.iter().map(|bin| bin.norm() / (FRAMES / 2) as f64).collect(), bin)
}

/// Largest component of that spectrum that is not one of its harmonics, in dBFS.
fn aliases(frequency: f64, settings: &SaturatorSettings) -> f64 {
    let (bins, tone) = saturated_sine(frequency, settings);
    let foreign = bins.iter().enumerate().filter(|(i, _)| i % tone != 0).map(|(_, bin)| *bin);
    20.0 * foreign.fold(0.0, f64::max).log10()
}

/// Largest of [`aliases`] for sines of `frequency` in Hz, in dBFS, with rate, curve and drive.
fn worst(
    frequency: f64,
    rates: &[f64],
    curves: &[SaturationCurve],
    drives: &[f64],
) -> (f64, Option<(f64, SaturationCurve, f64)>) {
    let mut worst = (f64::NEG_INFINITY, None);
    for &rate in rates {
        for &curve in curves {
            for &drive in drives {
                let found = aliases(frequency / rate, &driven(curve, drive));
                if found > worst.0 {
                    worst = (found, Some((rate, curve, drive)));
                }
            }
        }
    }
    worst
}

/// Aliases of full-scale sines.
pub(super) fn figures() -> Vec<Figure> {
    const LOW: [f64; 2] = [44_100.0, 48_000.0];
    let mut figures = Vec::new();
    for (name, curve, limit) in
        [("clip", SaturationCurve::Clip, -96.0), ("soft", SaturationCurve::Soft, -130.0)]
    {
        let worst = worst(5000.0, &LOW, &[curve], &[6.0]);
        let what = format!("aliases of 5 kHz at 6 dB of drive, {name}, at 44.1 and 48 kHz");
        figures.push(Figure::at_most(what, worst.0, "dBFS", limit).digits(1).found(&worst));
    }
    for (frequency, rates, limit) in [
        (1000.0, &LOW[..], -120.0),
        (7000.0, &LOW, -93.0),
        (10_000.0, &LOW, -88.0),
        (15_000.0, &LOW, -78.0),
        (5000.0, &[96_000.0], -110.0),
        (10_000.0, &[96_000.0], -95.0),
        (15_000.0, &[96_000.0], -95.0),
    ] {
        let worst =
            worst(frequency, rates, &[SaturationCurve::Soft, SaturationCurve::Clip], &[3.0, 6.0, 12.0, 24.0]);
        let rates = if rates == LOW { "44.1 and 48" } else { "96" };
        let what = format!("aliases of {} kHz at any drive, at {rates} kHz", frequency / 1000.0);
        figures.push(Figure::at_most(what, worst.0, "dBFS", limit).digits(1).found(&worst));
    }
    figures
}

#[test]
fn a_sine_leaves_few_aliases() {
    hold(&figures());
}
