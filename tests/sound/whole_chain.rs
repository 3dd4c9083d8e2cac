//! Distortion of a neutral chain, and of one that should only change levels.

use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::Process;
use testkit::{Stereo, sine, spectrum};
use units::{Db, Hz};

use crate::figure::{Figure, hold};
use crate::rig::run::RunUnit;

const RATE: Hz = Hz(48_000.0);

/// A whole number of cycles of 997 Hz at -1 dBFS through `settings`, latency and what rings in at the start left out.
fn tone_through(mut chain: Chain, settings: &ChainSettings) -> (Vec<f64>, Vec<f64>) {
    let tone: Vec<f64> = sine(997.0, 0.3, RATE.0, 192_000).iter().map(|x| x * Db(-1.0).gain()).collect();
    let mut audio = Stereo::mono(tone.clone());
    chain.set(settings);
    audio.run(&mut chain, 0..192_000);
    let settled = 96_000 + chain.latency().0;
    (audio.left[settled..settled + 48_000].to_vec(), tone[96_000..144_000].to_vec())
}

/// Level of everything but the tone, in dB against the tone.
fn distortion(signal: &[f64]) -> f64 {
    let bins = spectrum(signal);
    let rest = bins.iter().enumerate().skip(1).filter(|(k, _)| *k != 997).map(|(_, bin)| bin.norm_sqr());
    10.0 * (rest.sum::<f64>() / bins[997].norm_sqr()).log10()
}

/// Figures of the neutral chain, and of one with an equalizer.
pub(super) fn figures() -> Vec<Figure> {
    let (mut changed, mut noise) = (0, f64::NEG_INFINITY);
    let kinds = [ChainKind::Stem, ChainKind::Master];
    for (kind, class) in kinds.into_iter().flat_map(|kind| LatencyClass::ALL.map(|class| (kind, class))) {
        let chain = Chain::new(kind, class, RATE);
        let (out, tone) = tone_through(chain, &ChainSettings::default());
        changed += out.iter().zip(&tone).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
        noise = noise.max(distortion(&out));
    }
    let mut bells = ChainSettings::default();
    for (i, band) in bells.equalizer.bands.iter_mut().enumerate() {
        (band.on, band.frequency) = (true, Hz(50.0 * 2.2f64.powi(i as i32)));
        band.gain = Db(if i % 2 == 0 { 6.0 } else { -6.0 });
    }
    let bells = distortion(&tone_through(Chain::new(ChainKind::Stem, LatencyClass::Zero, RATE), &bells).0);
    vec![
        Figure::at_most("samples changed by the neutral chain, each kind and class", changed as f64, "", 0.0)
            .digits(0),
        Figure::at_most("THD+N of the neutral chain, 997 Hz at -1 dBFS", noise, "dB", -140.0).digits(0),
        Figure::at_most("THD+N of eight bells of ±6 dB, 997 Hz at -1 dBFS", bells, "dB", -140.0).digits(0),
    ]
}

#[test]
fn what_should_not_distort_does_not() {
    hold(&figures());
}
