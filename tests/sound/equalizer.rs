//! Bands of the equalizer against their analogue prototypes.

use dsp::equalizer::{BandSettings, Response, Shape, analogue_response};
use proptest::prelude::*;
use units::{Db, Hz};

use crate::figure::{Figure, hold};

const RATES: [f64; 4] = [44_100.0, 48_000.0, 96_000.0, 192_000.0];

const QS: [f64; 13] = [0.1, 0.15, 0.25, 0.4, 0.6, 0.8, 1.0, 1.3, 2.0, 4.0, 9.0, 20.0, 40.0];

/// Band at `frequency` (Hz) with `gain` (dB).
pub(super) fn band(shape: Shape, frequency: f64, gain: f64, q: f64) -> BandSettings {
    BandSettings { on: true, shape, frequency: Hz(frequency), gain: Db(gain), q, ..BandSettings::default() }
}

fn cut(shape: Shape, frequency: f64, q: f64, slope: u32) -> BandSettings {
    BandSettings { slope, ..band(shape, frequency, 0.0, q) }
}

/// Largest errors, in dB, up to a quarter of the rate and up to 0.9 Nyquist.
fn errors(settings: &BandSettings, rate: f64) -> (f64, f64) {
    let digital = Response::new(settings, Hz(rate));
    let centre = settings.frequency.0;
    let near = (-40..=40).map(|i| centre * (1.0 + f64::from(i) / 25.0 / settings.q.max(1.0)));
    let stretch = 10f64.powf(settings.gain.0.abs() / 80.0);
    let bends = near.clone().map(|f| f * stretch).chain(near.clone().map(|f| f / stretch));
    let wide = (0..200).map(|i| 5.0 * (rate * 0.09).powf(f64::from(i) / 199.0));
    let even = (1..=180).map(|i| rate * 0.0025 * f64::from(i));
    near.chain(bends).chain(wide).chain(even).filter(|f| *f > 0.0 && *f <= rate * 0.45).fold(
        (0.0f64, 0.0f64),
        |(low, all), frequency| {
            let wanted = analogue_response(settings, Hz(frequency)).0;
            if wanted < -24.0 {
                return (low, all);
            }
            let error = (digital.at(Hz(frequency)).0 - wanted).abs();
            (if frequency <= rate * 0.25 { low.max(error) } else { low }, all.max(error))
        },
    )
}

/// Largest error of a cut, in dB, up to 0.7 Nyquist where it lets more than -24 dB through.
fn cut_error(settings: &BandSettings, rate: f64) -> f64 {
    let digital = Response::new(settings, Hz(rate));
    let near = (-40..=40).map(|i| settings.frequency.0 * (1.0 + f64::from(i) / 1000.0));
    let wide = (0..300).map(|i| 5.0 * (rate * 0.07).powf(f64::from(i) / 299.0));
    near.chain(wide).filter(|f| *f <= rate * 0.35).fold(0.0f64, |worst, frequency| {
        let wanted = analogue_response(settings, Hz(frequency)).0;
        let error = (digital.at(Hz(frequency)).0 - wanted).abs();
        if wanted > -24.0 { worst.max(error) } else { worst }
    })
}

fn places(rate: f64, highest: f64) -> impl Iterator<Item = f64> {
    let low = [10.0, 20.0, 50.0, 100.0, 300.0, 1000.0, 2000.0, 4000.0];
    let high = (2..=20).map(move |i| rate * highest * f64::from(i) / 20.0);
    low.into_iter().chain(high).filter(|f| *f <= 30_000.0)
}

/// Largest error so far, in dB, with its rate and band.
#[derive(Debug, Default)]
struct Worst(f64, Option<(f64, BandSettings)>);

impl Worst {
    fn see(&mut self, error: f64, rate: f64, settings: &BandSettings) {
        if error > self.0 {
            *self = Self(error, Some((rate, *settings)));
        }
    }

    fn figure(self, what: &str, limit: f64) -> Figure {
        Figure::at_most(format!("error of {what}"), self.0, "dB", limit).digits(3).found(&self.1)
    }
}

/// Largest errors up to a quarter of the rate and up to 0.9 Nyquist, of shapes, gains and places.
fn worst<I: Iterator<Item = f64>>(shapes: &[Shape], gains: &[f64], places: impl Fn(f64) -> I) -> [Worst; 2] {
    let mut worst = [Worst::default(), Worst::default()];
    for &shape in shapes {
        for rate in RATES {
            for frequency in places(rate) {
                for &gain in gains {
                    for q in QS {
                        let settings = band(shape, frequency, gain, q);
                        let (low, all) = errors(&settings, rate);
                        worst[0].see(low, rate, &settings);
                        worst[1].see(all, rate, &settings);
                    }
                }
            }
        }
    }
    worst
}

/// Errors against the analogue prototypes, at every rate.
pub(super) fn figures() -> Vec<Figure> {
    const BENT: [Shape; 4] = [Shape::Bell, Shape::LowShelf, Shape::HighShelf, Shape::Tilt];
    const GAINS: [f64; 10] = [-12.0, -9.0, -6.0, -3.0, -1.0, 0.1, 2.0, 6.0, 10.0, 12.0];
    let quarter = |rate| places(rate, 0.25);
    let [low, all] = worst(&BENT, &GAINS, quarter);
    let [low_18, all_18] = worst(&BENT, &[-18.0, 18.0], quarter);
    let high = |rate: f64| {
        let high = [0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.65].into_iter().map(move |f| f * rate);
        high.filter(|frequency| *frequency <= 30_000.0)
    };
    let [_, high_18] = worst(&BENT, &[-18.0, 18.0], high);
    let [low_notch, all_notch] = worst(&[Shape::Notch], &[0.0], quarter);
    let mut cuts = Worst::default();
    for shape in [Shape::LowCut, Shape::HighCut] {
        for rate in RATES {
            for frequency in places(rate, 1.0 / 3.0) {
                for slope in [6, 12, 18, 24, 30, 36, 42, 48] {
                    for q in [0.1, 0.3, 0.7, 1.0, 2.0, 5.0, 40.0] {
                        let settings = cut(shape, frequency, q, slope);
                        cuts.see(cut_error(&settings, rate), rate, &settings);
                    }
                }
            }
        }
    }
    vec![
        low.figure("bells, shelves, tilt to ±12 dB, up to a quarter of the rate", 0.09),
        all.figure("bells, shelves, tilt to ±12 dB, up to 0.9 Nyquist", 0.45),
        low_18.figure("bells, shelves, tilt of ±18 dB, up to a quarter of the rate", 0.16),
        all_18.figure("bells, shelves, tilt of ±18 dB, up to 0.9 Nyquist", 0.8),
        high_18.figure("bells, shelves, tilt of ±18 dB at 0.3 to 0.65 of the rate, up to 0.9 Nyquist", 6.0),
        low_notch.figure("notches, up to a quarter of the rate", 0.1),
        all_notch.figure("notches, up to 0.9 Nyquist", 0.4),
        cuts.figure("cuts of 6 to 48 dB/oct, up to 0.7 Nyquist", 0.5),
    ]
}

#[test]
fn every_shape_follows_the_prototype() {
    hold(&figures());
}

/// Gains of a band at `frequencies`, as (Hz, dB): the prototype's and ours.
pub(super) fn curves(settings: &BandSettings, rate: f64, frequencies: &[f64]) -> [Vec<(f64, f64)>; 2] {
    let digital = Response::new(settings, Hz(rate));
    let analogue = frequencies.iter().map(|f| (*f, analogue_response(settings, Hz(*f)).0)).collect();
    [analogue, frequencies.iter().map(|f| (*f, digital.at(Hz(*f)).0)).collect()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bell_or_shelf_or_tilt_follows(
        shape in prop::sample::select(vec![Shape::Bell, Shape::LowShelf, Shape::HighShelf, Shape::Tilt]),
        rate in 8000.0..200_000.0f64,
        place in 0.0..1.0f64,
        gain in -12.0..12.0f64,
        q in (0.1f64.ln())..(40f64.ln()),
    ) {
        let frequency = 10.0 * (rate * 0.025).powf(place);
        prop_assume!(frequency <= 30_000.0);
        let (low, all) = errors(&band(shape, frequency, gain, q.exp()), rate);
        prop_assert!(low < 0.1 && all < 0.5, "{low} {all}");
    }

    #[test]
    fn any_cut_follows(
        low in any::<bool>(),
        rate in 8000.0..200_000.0f64,
        place in 0.0..1.0f64,
        q in (0.1f64.ln())..(40f64.ln()),
        order in 1u32..=8,
    ) {
        let frequency = 10.0 * (rate / 30.0).powf(place);
        prop_assume!(frequency <= 30_000.0);
        let shape = if low { Shape::LowCut } else { Shape::HighCut };
        let error = cut_error(&cut(shape, frequency, q.exp(), 6 * order), rate);
        prop_assert!(error < 0.5, "{error}");
    }
}
