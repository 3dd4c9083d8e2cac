//! Where stems cover each other: what the ear may not hear because another stem is louder in the same place. Advisory:
//! a picture of averages, no measurement.
//!
//! Levels of third-octave bands are spread over the ear's frequency scale (Bark) as masking spreads: 27 dB per Bark
//! towards low frequencies, `24 + 230 Hz / f - 0.2 L` dB per Bark towards high ones (Terhardt, "Calculating virtual
//! pitch", Hearing Research 1, 1979, eq. 6). A stem is covered in a band as far as what the others bring there is
//! louder than it.

use units::{Db, decibels};

/// Third-octave bands, 20 Hz to 20 kHz.
pub const BANDS: usize = 31;
/// A stem that is this much above the others is not covered, this much below wholly, dB.
const MARGIN: f64 = 6.0;
/// What lies this far below a stem's loudest band is no part of its character, dB.
const FAINT: f64 = 30.0;
/// The slope towards low frequencies, dB per Bark.
const DOWN: f64 = 27.0;
/// A level of 0 dBFS is about so loud in the room, dB SPL: the slope towards high frequencies depends on it.
const ROOM: f64 = 100.0;

/// Levels of a stem in third-octave bands, dBFS.
pub type Bands = [Option<Db>; BANDS];

/// How much of a stem is covered, band by band.
#[derive(Clone, Debug, PartialEq)]
pub struct Covered {
    /// 0 (clear) to 1 (covered); `None` where the stem has next to nothing.
    pub bands: [Option<f64>; BANDS],
    /// Who brings most there.
    pub by: [Option<usize>; BANDS],
}

impl Covered {
    /// How much of the stem is covered on average over where it sounds, 0 to 1.
    pub fn whole(&self) -> f64 {
        let (sum, count) = self.bands.iter().flatten().fold((0.0, 0.0), |(sum, n), x| (sum + x, n + 1.0));
        if count > 0.0 { sum / count } else { 0.0 }
    }
}

/// The nominal centre of a band in Hz: `1000 * 10^((band - 17) / 10)` (IEC 61260-1, base ten).
pub fn centre(band: usize) -> f64 {
    // ten bands are a factor of ten: a power ratio of so many decibels
    Db((band as f64 - 17.0) * 2.0).gain() * 1000.0
}

/// The Bark scale (Traunmüller, "Analytical expressions for the tonotopic sensory scale", JASA 88, 1990, eq. 6).
fn bark(frequency: f64) -> f64 {
    26.81 * frequency / (1960.0 + frequency) - 0.53
}

/// What `levels` bring to `band`, dBFS: the most that spreads there.
fn excitation(levels: &Bands, band: usize) -> Option<f64> {
    let here = bark(centre(band));
    let spread = levels.iter().enumerate().filter_map(|(from, level)| {
        let (level, frequency) = ((*level)?.0, centre(from));
        let distance = here - bark(frequency);
        let up = (24.0 + 230.0 / frequency - 0.2 * (level + ROOM)).max(1.0);
        Some(level - if distance < 0.0 { -distance * DOWN } else { distance * up })
    });
    spread.reduce(f64::max)
}

/// How far each of `stems` is covered by all others.
pub fn covered(stems: &[Bands]) -> Vec<Covered> {
    let excitations: Vec<[Option<f64>; BANDS]> =
        stems.iter().map(|stem| core::array::from_fn(|band| excitation(stem, band))).collect();
    (0..stems.len())
        .map(|stem| {
            let loudest = stems[stem].iter().flatten().map(|level| level.0).fold(f64::NEG_INFINITY, f64::max);
            let mut covered = Covered { bands: [None; BANDS], by: [None; BANDS] };
            for band in 0..BANDS {
                let Some(own) = stems[stem][band].map(|level| level.0).filter(|own| loudest - own < FAINT)
                else {
                    continue;
                };
                let others = (0..stems.len()).filter(|other| *other != stem);
                let brought: Vec<(usize, f64)> =
                    others.filter_map(|other| Some((other, excitations[other][band]?))).collect();
                let power: f64 = brought.iter().map(|(_, level)| Db(*level).gain().powi(2)).sum();
                let above = if power > 0.0 { own - decibels(power.sqrt()) } else { f64::INFINITY };
                covered.bands[band] = Some((0.5 - 0.5 * above / MARGIN).clamp(0.0, 1.0));
                covered.by[band] =
                    brought.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(other, _)| other);
            }
            covered
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(band: usize, level: f64) -> Bands {
        let mut bands = [None; BANDS];
        bands[band] = Some(Db(level));
        bands
    }

    #[test]
    fn bands_are_thirds_of_octaves_from_20_hz_to_20_khz() {
        assert!((centre(0) - 19.95).abs() < 0.01 && (centre(30) - 19_953.0).abs() < 1.0);
        assert!((centre(17) - 1000.0).abs() < 1e-9 && (centre(20) / centre(17) - 1.995).abs() < 0.001);
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
        let half = covered(&[one(15, -20.0), one(15, -20.0)]);
        assert!(half.iter().all(|c| (c.bands[15].expect("sounds") - 0.5).abs() < 1e-9));
        let clear = covered(&[one(15, -20.0), one(15, -26.0)]);
        assert!(
            clear[0].bands[15].expect("sounds") < 1e-9 && clear[1].bands[15].expect("sounds") > 1.0 - 1e-9
        );
        assert_eq!((clear[1].by[15], clear[0].bands[3]), (Some(0), None));
    }

    #[test]
    fn a_stem_alone_is_clear_and_masking_reaches_further_up_than_down() {
        assert_eq!(covered(&[one(15, -20.0)])[0].bands[15], Some(0.0));
        let quiet = -36.0;
        let of = |band: usize| covered(&[one(15, -10.0), one(band, quiet)])[1].bands[band].expect("sounds");
        assert!(of(17) > of(13) + 0.5, "{} {}", of(17), of(13));
    }

    #[test]
    fn two_others_cover_more_than_one() {
        let alone = covered(&[one(15, -20.0), one(15, -20.0)]);
        let both = covered(&[one(15, -20.0), one(15, -20.0), one(15, -20.0)]);
        let (alone, both) = (alone[0].bands[15].expect("sounds"), both[0].bands[15].expect("sounds"));
        // twice the power is 3.01 dB more, of twelve from clear to covered
        assert!((both - alone - 3.0103 / 12.0).abs() < 1e-4, "{alone} {both}");
    }

    proptest! {
        #[test]
        fn what_gets_louder_covers_more_and_is_covered_less(
            levels in proptest::collection::vec(-60.0f64..0.0, 3 * BANDS), gain in 0.0f64..20.0,
        ) {
            let bands: Vec<Bands> = levels
                .chunks_exact(BANDS)
                .map(|stem| core::array::from_fn(|band| Some(Db(stem[band]))))
                .collect();
            let mut louder = bands.clone();
            louder[0].iter_mut().flatten().for_each(|level| level.0 += gain);
            let (before, after) = (covered(&bands), covered(&louder));
            for band in 0..BANDS {
                for (stem, sign) in [(0, -1.0), (1, 1.0), (2, 1.0)] {
                    if let (Some(a), Some(b)) = (before[stem].bands[band], after[stem].bands[band]) {
                        prop_assert!(sign * (b - a) >= -1e-9, "{stem} {band}: {a} {b}");
                    }
                }
            }
        }
    }
}
