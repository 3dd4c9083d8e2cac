//! Spectra of the other stems behind a Stem's equalizer, and the ranges in which they mask it.

use super::analyser::{FLOOR_DB, NamedSpectrum, SPECTRUM_POINTS, frequency, tilt};
use super::theme::{Palette, told_apart};
use super::view_model::Clash;
use egui::Color32;
use plugin_core::gauges::scope::SCOPE_FRAMES;
use plugin_core::session_view::StemCard;
use session::masking::{BAND_COUNT, BandLevels, Masking, centre_hz, masking};
use session::record::StemId;
use std::collections::BTreeMap;
use units::{Db, Hz, decibels};

/// Largest number of spectra drawn: the loudest ones.
const MAX_DRAWN: usize = 8;
/// Time constant of the spectra, seconds: a hint from averages, not a meter.
const TIME_CONSTANT_SECONDS: f64 = 1.5;
/// Distance from its goal at which a level counts as settled, dB.
const SETTLED_DB: f64 = 0.1;
/// Age of a spectrum from which on its stem no longer sounds, seconds: one that sounds has a new one every quarter.
const STALE_SECONDS: f64 = 0.6;
/// Masking, 0 to 1, at which a band is marked.
const MASKING_BEGIN: f64 = 0.6;
const MASKING_END: f64 = 0.4;
/// Level of silence, dB.
const SILENCE_DB: f64 = -120.0;
/// Half a third of an octave, as a factor (IEC 61260-1, base ten: a twentieth of a decade).
const HALF_BAND_RATIO: f64 = 1.122_018_454_301_963_3;

/// State between frames.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    levels: BTreeMap<StemId, SmoothedLevels>,
    /// Bands of this stem that another one masked.
    hidden: [bool; BAND_COUNT],
    time: f64,
    /// Levels have not settled yet.
    is_moving: bool,
    /// Tilt of the spectra, dB per octave.
    pub(super) tilt: f32,
}

/// Levels of a stem on the way to its last spectrum.
#[derive(Debug)]
struct SmoothedLevels {
    levels: [f64; BAND_COUNT],
    goal: [f64; BAND_COUNT],
    /// Time at which the goal has changed, seconds.
    changed: f64,
}

impl SmoothedLevels {
    /// Moves the levels by `step` of the way to `goal`; the whole way if the stem no longer sounds, so that a window does not
    /// move for long after the music. Returns true if they are there.
    fn follow(&mut self, goal: [f64; BAND_COUNT], time: f64, step: f64) -> bool {
        if self.goal != goal {
            (self.goal, self.changed) = (goal, time);
        }
        let is_stale = time - self.changed > STALE_SECONDS;
        let mut is_settled = true;
        for (level, goal) in self.levels.iter_mut().zip(goal) {
            let is_there = is_stale || (goal - *level).abs() < SETTLED_DB;
            is_settled &= is_there;
            *level = if is_there { goal } else { *level + step * (goal - *level) };
        }
        is_settled
    }
}

impl Neighbours {
    /// Returns true while the spectra change without a new snapshot.
    pub(super) fn is_moving(&self) -> bool {
        self.is_moving
    }

    /// Returns the spectra of the other stems among `cards` for the Stem `me` at sample rate `rate`, and the ranges that they mask.
    pub(super) fn update(
        &mut self,
        cards: &[StemCard],
        me: StemId,
        (rate, time): (Hz, f64),
        palette: &Palette,
    ) -> (Vec<NamedSpectrum>, Vec<Clash>) {
        let step = 1.0 - (-(time - self.time).clamp(0.0, 1.0) / TIME_CONSTANT_SECONDS).exp();
        self.time = time;
        let cards: Vec<&StemCard> =
            cards.iter().filter(|card| card.status.is_linked() && card.inside.is_none()).collect();
        self.is_moving = false;
        self.levels.retain(|id, _| cards.iter().any(|card| card.id == *id));
        for card in &cards {
            let now = card.spectrum.map(|level| level.map_or(SILENCE_DB, |level| level.0.max(SILENCE_DB)));
            let new = SmoothedLevels { levels: now, goal: now, changed: time };
            self.is_moving |= !self.levels.entry(card.id).or_insert(new).follow(now, time, step);
        }
        let bands: Vec<BandLevels> = cards
            .iter()
            .map(|card| {
                self.levels[&card.id].levels.map(|level| (level > SILENCE_DB + 1.0).then_some(Db(level)))
            })
            .collect();
        let loudest = |index: usize| bands[index].iter().flatten().map(|level| level.0).reduce(f64::max);
        let mut others: Vec<usize> =
            (0..cards.len()).filter(|&i| cards[i].id != me && loudest(i).is_some()).collect();
        others
            .sort_by(|&a, &b| loudest(b).unwrap_or(SILENCE_DB).total_cmp(&loudest(a).unwrap_or(SILENCE_DB)));
        let colours = told_apart(palette, cards.iter().map(|card| palette.track(card.colour, card.role)));
        let tilt = self.tilt;
        let named = others.iter().take(MAX_DRAWN).map(|&i| NamedSpectrum {
            name: cards[i].name().to_owned(),
            colour: colours[i],
            levels: curve(&bands[i], rate, tilt),
        });
        let clashes = match cards.iter().position(|card| card.id == me) {
            Some(index) if !others.is_empty() => {
                let masking = masking(&bands).swap_remove(index);
                self.clashes(&masking, |other| (cards[other].name().to_owned(), colours[other]))
            }
            _ => Vec::new(),
        };
        (named.collect(), clashes)
    }

    /// Joins neighbouring bands that the same stem masks.
    fn clashes(&mut self, masking: &Masking, stem: impl Fn(usize) -> (String, Color32)) -> Vec<Clash> {
        let mut clashes: Vec<(usize, usize, Clash)> = Vec::new();
        for band in 0..BAND_COUNT {
            let least = if self.hidden[band] { MASKING_END } else { MASKING_BEGIN };
            self.hidden[band] = masking.bands[band].is_some_and(|share| share >= least);
            let Some(by) = masking.by[band].filter(|_| self.hidden[band]) else { continue };
            let high = Hz(centre_hz(band) * HALF_BAND_RATIO);
            match clashes.last_mut() {
                Some((last, whose, clash)) if *last + 1 == band && *whose == by => {
                    (*last, clash.high) = (band, high);
                }
                _ => {
                    let low = Hz(centre_hz(band) / HALF_BAND_RATIO);
                    let (name, colour) = stem(by);
                    clashes.push((band, by, Clash { name, colour, low, high }));
                }
            }
        }
        clashes.into_iter().map(|(.., clash)| clash).collect()
    }
}

/// Converts third octaves to the analyser's scale: the level of one FFT bin, tilted.
fn curve(bands: &BandLevels, rate: Hz, per_octave: f32) -> Vec<f32> {
    let frames = if rate.0 > 60_000.0 { SCOPE_FRAMES } else { SCOPE_FRAMES / 2 };
    // a Hann window makes each line as wide as one and a half
    let line = 1.5 * rate.0 / frames as f64;
    let at = |index: usize| bands[index].map(|level| level.0);
    let width = HALF_BAND_RATIO - 1.0 / HALF_BAND_RATIO;
    (0..SPECTRUM_POINTS)
        .map(|point| {
            let frequency = frequency(point);
            let place = 17.0 + 0.5 * decibels(frequency.0 / 1000.0);
            if !(-0.5..=BAND_COUNT as f64 - 0.5).contains(&place) {
                return FLOOR_DB;
            }
            let place = place.clamp(0.0, BAND_COUNT as f64 - 1.0);
            let (low, part) = (place.floor() as usize, place.fract());
            let level = match (at(low), at((low + 1).min(BAND_COUNT - 1))) {
                (Some(a), Some(b)) => a + part * (b - a),
                (Some(a), None) if part < 0.5 => a,
                (None, Some(b)) if part >= 0.5 => b,
                _ => return FLOOR_DB,
            };
            let share = (line / (width * frequency.0)).min(1.0);
            ((level + 0.5 * decibels(share)) as f32 + tilt(frequency, per_octave)).max(FLOOR_DB)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyser::{Analyser, fraction_of};
    use crate::display::SpectrumDisplay;
    use plugin_core::gauges::Gauges;
    use plugin_core::gauges::scope::{ScopePoint, ScopeWatch};
    use session::stem_status::StemStatus;
    use std::sync::Arc;
    use testkit::noise;

    fn card(id: u64, name: &str, spectrum: BandLevels) -> StemCard {
        StemCard { spectrum, ..StemCard::new(StemId(id), name) }
    }

    fn levels(level: impl Fn(f64) -> f64) -> BandLevels {
        core::array::from_fn(|band| Some(Db(level(centre_hz(band)))))
    }

    #[test]
    fn a_neighbour_s_curve_lies_where_its_own_picture_does() {
        let rate = Hz(48_000.0);
        let gauges = Arc::new(Gauges::default());
        gauges.scope().publish_rate(rate);
        let (_watch, mut analyser) = (ScopeWatch::new(Arc::clone(&gauges)), Analyser::default());
        let (mut power, mut own) = (0.0, Vec::new());
        for block in 0..60 {
            let (left, right) = (noise(2 * block + 1, 4096, 0.5), noise(2 * block + 2, 4096, 0.5));
            power += left.iter().chain(&right).map(|x| x * x).sum::<f64>() / (60.0 * 8192.0);
            gauges.scope().write_frames(ScopePoint::After, &left, &right);
            own.clone_from(&analyser.update(gauges.scope(), block as f64 * 0.1).after);
        }
        // white noise: a band has its part of the power, twice that against a sine
        let white = levels(|hz| {
            0.5 * decibels(2.0 * power * hz * (HALF_BAND_RATIO - 1.0 / HALF_BAND_RATIO) / 24_000.0)
        });
        let mut near = Neighbours { tilt: SpectrumDisplay::default().tilt, ..Neighbours::default() };
        let (others, _) = near.update(&[card(2, "Noise", white)], StemId(1), (rate, 0.0), &Palette::DARK);
        for hz in [300.0, 1000.0, 4000.0, 12_000.0] {
            let middle = (fraction_of(Hz(hz)) * (SPECTRUM_POINTS - 1) as f64) as usize;
            let mean = |curve: &[f32]| curve[middle - 4..=middle + 4].iter().sum::<f32>() / 9.0;
            let (own, other) = (mean(&own), mean(&others[0].levels));
            assert!((own - other).abs() < 2.5, "{hz} Hz: {own} and {other}");
        }
    }

    #[test]
    fn what_is_in_the_way_is_marked_from_band_to_band_with_its_name_and_does_not_flicker() {
        let (mut near, at) = (Neighbours::default(), (Hz(48_000.0), 0.0));
        let me = card(1, "Vocals", levels(|_| -30.0));
        let keys = |level: f64| {
            card(2, "Keys", levels(|hz| if (280.0..700.0).contains(&hz) { level } else { -90.0 }))
        };
        let mut clashes_at = |level: f64, time: f64| {
            near.update(&[me.clone(), keys(level)], StemId(1), (at.0, time), &Palette::DARK).1
        };
        let clashes = clashes_at(-20.0, 0.0);
        let [clash] = &clashes[..] else { panic!("{clashes:?}") };
        assert_eq!(clash.name, "Keys");
        assert!((200.0..330.0).contains(&clash.low.0) && (600.0..900.0).contains(&clash.high.0), "{clash:?}");
        // a moment of silence changes nothing, a long one all
        assert_eq!(clashes_at(-21.0, 0.1), clashes);
        assert!(clashes_at(-80.0, 0.2).len() == 1);
        (0..20).for_each(|n| drop(clashes_at(-80.0, 1.0 + f64::from(n))));
        assert!(clashes_at(-80.0, 30.0).is_empty());
    }

    /// Otherwise a window draws for seven seconds after the music has ended.
    #[test]
    fn spectra_that_no_longer_change_stop_moving_within_a_second() {
        let (mut near, rate) = (Neighbours::default(), Hz(48_000.0));
        let mut update = |level: f64, time: f64| {
            let keys = card(2, "Keys", levels(|_| level));
            let (others, _) = near.update(&[keys], StemId(1), (rate, time), &Palette::DARK);
            (near.is_moving(), others)
        };
        update(-60.0, 0.0);
        for n in 1..=4 {
            assert!(update(-60.0 + 5.0 * f64::from(n), 0.25 * f64::from(n)).0, "they sound");
        }
        let settled = (0..10).find(|n| !update(-40.0, 1.0 + 0.1 * f64::from(*n)).0);
        assert!(settled.is_some(), "the window draws on");
        let others = update(-40.0, 2.0).1;
        assert_eq!(others, update(-40.0, 20.0).1, "settled before it was there");
    }

    #[test]
    fn nobody_is_a_neighbour_of_its_own_and_who_is_elsewhere_is_none() {
        let loud = levels(|_| -10.0);
        let cards = [
            card(1, "Me", loud),
            StemCard { status: StemStatus::OtherSession, ..card(2, "Elsewhere", loud) },
            card(3, "Silent", [None; BAND_COUNT]),
        ];
        let (others, clashes) =
            Neighbours::default().update(&cards, StemId(1), (Hz(48_000.0), 0.0), &Palette::DARK);
        assert!(others.is_empty() && clashes.is_empty());
    }
}
