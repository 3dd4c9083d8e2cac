//! Average spectra of the stems over what was played while the window was open: masking is kept when the song stops.

use plugin_core::session_view::StemCard;
use session::masking::{BAND_COUNT, BandLevels};
use session::record::StemId;
use std::collections::BTreeMap;
use units::Db;

/// Amplitude below which a band has no level: -120 dB.
const MIN_AMPLITUDE: f64 = 1e-6;

/// Sums of the powers of each stem's spectra.
#[derive(Debug, Default)]
pub(crate) struct SongSpectra(BTreeMap<StemId, SpectrumSum>);

#[derive(Debug)]
struct SpectrumSum {
    /// The spectrum that was added last.
    last: BandLevels,
    powers: [f64; BAND_COUNT],
    count: f64,
}

impl SongSpectra {
    /// Forgets everything.
    pub(crate) fn reset(&mut self) {
        self.0.clear();
    }

    /// Adds the spectra that have changed: those of stems that sound.
    pub(crate) fn update(&mut self, cards: &[StemCard]) {
        for card in cards.iter().filter(|card| card.spectrum.iter().any(Option::is_some)) {
            let sum = self.0.entry(card.id).or_insert(SpectrumSum {
                last: [None; BAND_COUNT],
                powers: [0.0; BAND_COUNT],
                count: 0.0,
            });
            if sum.last != card.spectrum {
                sum.last = card.spectrum;
                sum.count += 1.0;
                for (power, level) in sum.powers.iter_mut().zip(card.spectrum) {
                    *power += level.map_or(0.0, |level| level.gain().powi(2));
                }
            }
        }
    }

    /// Returns the average of each stem.
    pub(crate) fn averages(&self) -> Vec<(StemId, BandLevels)> {
        let average = |sum: &SpectrumSum| {
            core::array::from_fn(|band| {
                let amplitude = (sum.powers[band] / sum.count).sqrt();
                (amplitude > MIN_AMPLITUDE).then(|| Db::from_gain(amplitude))
            })
        };
        self.0.iter().map(|(id, sum)| (*id, average(sum))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_is_of_powers_and_stays_when_the_song_stops() {
        let mut spectra = SongSpectra::default();
        let card = |level: Option<f64>| {
            let spectrum = [level.map(Db); BAND_COUNT];
            StemCard { spectrum, ..StemCard::new(StemId(1), "Keys") }
        };
        spectra.update(&[card(Some(-20.0))]);
        spectra.update(&[card(Some(-20.0))]);
        spectra.update(&[card(Some(-140.0))]);
        let of = |spectra: &SongSpectra| spectra.averages()[0].1[7].expect("sounds").0;
        // half of the power is three decibels less; what stands still is counted once
        assert!((of(&spectra) + 23.01).abs() < 0.01, "{}", of(&spectra));
        spectra.update(&[card(None)]);
        assert!((of(&spectra) + 23.01).abs() < 0.01);
        spectra.reset();
        assert!(spectra.averages().is_empty());
    }
}
