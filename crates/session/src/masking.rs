//! Masking between stems, estimated from average spectra. Advisory: a picture, no measurement.
//!
//! Levels of third-octave bands are spread over the ear's frequency scale (Bark): 27 dB per Bark towards low
//! frequencies, `24 + 230 Hz / f - 0.2 L` dB per Bark towards high ones (Terhardt, "Calculating virtual pitch",
//! Hearing Research 1, 1979, eq. 6). A stem is masked in a band by as much as the excitation of the others there
//! exceeds its level.

use units::{Db, decibels};

/// Number of third-octave bands, 20 Hz to 20 kHz.
pub const BAND_COUNT: usize = 31;
/// Level above the others from which on a stem is clear, and below them from which on it is masked completely, dB.
const MARGIN_DB: f64 = 6.0;
/// Level below a stem's loudest band from which on a band is left out, dB.
const FAINT_DB: f64 = 30.0;
/// Spreading slope towards low frequencies, dB per Bark.
const DOWN_SLOPE_DB: f64 = 27.0;
/// Assumed sound pressure level of 0 dBFS, dB: the slope towards high frequencies depends on it.
const FULL_SCALE_SPL_DB: f64 = 100.0;

/// Levels of a stem in third-octave bands, dBFS; `None` is silence.
pub type BandLevels = [Option<Db>; BAND_COUNT];

/// Masking of one stem by all others, per band.
#[derive(Clone, Debug, PartialEq)]
pub struct Masking {
    /// 0 (clear) to 1 (masked); `None` where the stem has next to nothing.
    pub bands: [Option<f64>; BAND_COUNT],
    /// Index of the stem with the highest excitation in the band.
    pub by: [Option<usize>; BAND_COUNT],
}

impl Masking {
    /// Mean over the bands in which the stem sounds, 0 to 1.
    pub fn average(&self) -> f64 {
        let (sum, count) = self.bands.iter().flatten().fold((0.0, 0.0), |(sum, n), x| (sum + x, n + 1.0));
        if count > 0.0 { sum / count } else { 0.0 }
    }
}

/// Nominal centre frequency of a band, Hz: `1000 * 10^((band - 17) / 10)` (IEC 61260-1, base ten).
pub fn centre_hz(band: usize) -> f64 {
    // Ten bands are a factor of ten in frequency, 20 dB as an amplitude.
    Db((band as f64 - 17.0) * 2.0).gain() * 1000.0
}

/// Bark scale (Traunmüller, "Analytical expressions for the tonotopic sensory scale", JASA 88, 1990, eq. 6).
fn bark(frequency: f64) -> f64 {
    26.81 * frequency / (1960.0 + frequency) - 0.53
}

/// Excitation of `levels` at `band`, dBFS: the highest of all spread levels.
fn excitation(levels: &BandLevels, band: usize) -> Option<f64> {
    let here = bark(centre_hz(band));
    let spread = levels.iter().enumerate().filter_map(|(from, level)| {
        let (level, frequency) = ((*level)?.0, centre_hz(from));
        let distance = here - bark(frequency);
        let up = (24.0 + 230.0 / frequency - 0.2 * (level + FULL_SCALE_SPL_DB)).max(1.0);
        Some(level - if distance < 0.0 { -distance * DOWN_SLOPE_DB } else { distance * up })
    });
    spread.reduce(f64::max)
}

/// Masking of each of `stems` by all others.
pub fn masking(stems: &[BandLevels]) -> Vec<Masking> {
    let excitations: Vec<[Option<f64>; BAND_COUNT]> =
        stems.iter().map(|stem| core::array::from_fn(|band| excitation(stem, band))).collect();
    (0..stems.len())
        .map(|stem| {
            let loudest = stems[stem].iter().flatten().map(|level| level.0).fold(f64::NEG_INFINITY, f64::max);
            let mut masking = Masking { bands: [None; BAND_COUNT], by: [None; BAND_COUNT] };
            for band in 0..BAND_COUNT {
                let Some(own) = stems[stem][band].map(|level| level.0).filter(|own| loudest - own < FAINT_DB)
                else {
                    continue;
                };
                let others = (0..stems.len()).filter(|other| *other != stem);
                let brought: Vec<(usize, f64)> =
                    others.filter_map(|other| Some((other, excitations[other][band]?))).collect();
                let power: f64 = brought.iter().map(|(_, level)| Db(*level).gain().powi(2)).sum();
                let above = if power > 0.0 { own - decibels(power.sqrt()) } else { f64::INFINITY };
                masking.bands[band] = Some((0.5 - 0.5 * above / MARGIN_DB).clamp(0.0, 1.0));
                masking.by[band] =
                    brought.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(other, _)| other);
            }
            masking
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(band: usize, level: f64) -> BandLevels {
        let mut bands = [None; BAND_COUNT];
        bands[band] = Some(Db(level));
        bands
    }

    #[test]
    fn bands_are_thirds_of_octaves_from_20_hz_to_20_khz() {
        assert!((centre_hz(0) - 19.95).abs() < 0.01 && (centre_hz(30) - 19_953.0).abs() < 1.0);
        assert!(
            (centre_hz(17) - 1000.0).abs() < 1e-9 && (centre_hz(20) / centre_hz(17) - 1.995).abs() < 0.001
        );
    }

    #[test]
    fn the_bark_scale_is_that_of_its_table() {
        // Traunmüller's table 1, from Zwicker's critical bands: 100 Hz is 1 Bark, 1080 Hz 9, 5300 Hz 19
        for (frequency, expected) in [(200.0, 2.0), (1080.0, 9.0), (5300.0, 19.0)] {
            assert!((bark(frequency) - expected).abs() < 0.1, "{frequency}: {}", bark(frequency));
        }
    }

    #[test]
    fn equals_cover_each_other_by_half_and_six_decibels_decide() {
        let half = masking(&[one(15, -20.0), one(15, -20.0)]);
        assert!(half.iter().all(|c| (c.bands[15].expect("sounds") - 0.5).abs() < 1e-9));
        let clear = masking(&[one(15, -20.0), one(15, -26.0)]);
        assert!(
            clear[0].bands[15].expect("sounds") < 1e-9 && clear[1].bands[15].expect("sounds") > 1.0 - 1e-9
        );
        assert_eq!((clear[1].by[15], clear[0].bands[3]), (Some(0), None));
    }

    #[test]
    fn a_stem_alone_is_clear_and_masking_reaches_further_up_than_down() {
        assert_eq!(masking(&[one(15, -20.0)])[0].bands[15], Some(0.0));
        let quiet = -36.0;
        let of = |band: usize| masking(&[one(15, -10.0), one(band, quiet)])[1].bands[band].expect("sounds");
        assert!(of(17) > of(13) + 0.5, "{} {}", of(17), of(13));
    }

    #[test]
    fn two_others_cover_more_than_one() {
        let alone = masking(&[one(15, -20.0), one(15, -20.0)]);
        let both = masking(&[one(15, -20.0), one(15, -20.0), one(15, -20.0)]);
        let (alone, both) = (alone[0].bands[15].expect("sounds"), both[0].bands[15].expect("sounds"));
        // twice the power is 3.01 dB more, of twelve from clear to covered
        assert!((both - alone - 3.0103 / 12.0).abs() < 1e-4, "{alone} {both}");
    }

    proptest! {
        #[test]
        fn what_gets_louder_covers_more_and_is_covered_less(
            levels in proptest::collection::vec(-60.0f64..0.0, 3 * BAND_COUNT), gain in 0.0f64..20.0,
        ) {
            let bands: Vec<BandLevels> = levels
                .chunks_exact(BAND_COUNT)
                .map(|stem| core::array::from_fn(|band| Some(Db(stem[band]))))
                .collect();
            let mut doubled_gain = bands.clone();
            doubled_gain[0].iter_mut().flatten().for_each(|level| level.0 += gain);
            let (before, after) = (masking(&bands), masking(&doubled_gain));
            for band in 0..BAND_COUNT {
                for (stem, sign) in [(0, -1.0), (1, 1.0), (2, 1.0)] {
                    if let (Some(a), Some(b)) = (before[stem].bands[band], after[stem].bands[band]) {
                        prop_assert!(sign * (b - a) >= -1e-9, "{stem} {band}: {a} {b}");
                    }
                }
            }
        }
    }
}
