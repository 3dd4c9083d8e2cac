//! The equalizer against its prototypes and its promises.

mod band_solo;
mod dynamic;
mod motion;
mod placement;
mod prototype;

use super::*;
use crate::rig::contract::obeys_contract;
use crate::rig::run::RunUnit;
use testkit::Stereo;

const RATE: Hz = Hz(48_000.0);

const SHAPES: [Shape; 7] = [
    Shape::Bell,
    Shape::LowShelf,
    Shape::HighShelf,
    Shape::LowCut,
    Shape::HighCut,
    Shape::Notch,
    Shape::Tilt,
];

fn band(shape: Shape, frequency: f64, gain: f64, q: f64) -> BandSettings {
    BandSettings { on: true, shape, frequency: Hz(frequency), gain: Db(gain), q, ..BandSettings::default() }
}

fn cut(shape: Shape, frequency: f64, q: f64, slope: u32) -> BandSettings {
    BandSettings { slope, ..band(shape, frequency, 0.0, q) }
}

fn only(first: BandSettings) -> EqualizerSettings {
    let mut settings = EqualizerSettings::default();
    settings.bands[0] = first;
    settings
}

fn decibels_at(settings: &BandSettings, rate: f64, frequency: f64) -> f64 {
    response(settings, Hz(rate), Hz(frequency)).0
}

#[test]
fn obeys() {
    let mut full = EqualizerSettings::default();
    for (i, one) in full.bands.iter_mut().enumerate() {
        *one = BandSettings {
            on: true,
            shape: SHAPES[i % SHAPES.len()],
            gain: Db(3.0 - i as f64),
            q: 0.5 + i as f64 * 0.4,
            slope: 24,
            ..*one
        };
    }
    let placed = |shape, placement| only(BandSettings { placement, ..band(shape, 900.0, 9.0, 3.0) });
    let mut silent = only(band(Shape::Bell, 900.0, 0.0, 3.0));
    silent.bands[3] = band(Shape::Tilt, 2000.0, 0.0, 1.0);
    silent.bands[4] = band(Shape::HighShelf, 2000.0, 0.0, 10.0);
    let busy = [
        only(band(Shape::LowShelf, 100.0, 6.0, 10.0)),
        full,
        placed(Shape::Bell, Placement::Mid),
        placed(Shape::HighShelf, Placement::Side),
        only(cut(Shape::LowCut, 200.0, 2.0, 42)),
        placed(Shape::LowShelf, Placement::Left),
        placed(Shape::Notch, Placement::Right),
        only(cut(Shape::HighCut, 30_000.0, 1.0, 48)),
    ];
    for neutral in [EqualizerSettings::default(), silent] {
        obeys_contract(|| Equalizer::new(RATE), &neutral, &busy);
    }
}

#[test]
fn any_settings_at_any_rate_are_stable_and_finite() {
    let rates = [8000.0, 44_100.0, 192_000.0, 768_000.0];
    for rate in rates {
        for shape in SHAPES {
            for frequency in [10.0, 3900.0, 4001.0, 22_049.0, 30_000.0, 1e9, -3.0, f64::NAN] {
                for (gain, q) in [(18.0, 0.1), (-18.0, 40.0), (18.0, 40.0), (f64::NAN, f64::INFINITY)] {
                    let settings = cut(shape, frequency, q, 48);
                    let settings = BandSettings { gain: Db(gain), ..settings };
                    let clamped = settings.clamped();
                    for section in design(&clamped, is_split(shape, clamped.q), Hz(rate)) {
                        let numbers = section.numerator.iter().chain(&section.denominator);
                        assert!(
                            numbers.clone().all(|x| x.is_finite() && *x >= 0.0),
                            "{settings:?} {section:?}"
                        );
                        assert!(section.denominator.iter().all(|x| *x > 0.0), "{settings:?} {section:?}");
                    }
                    let mut equalizer = Equalizer::new(Hz(rate));
                    equalizer.set(&only(settings));
                    let mut signal = Stereo::noise(2, 200, 1.0);
                    signal.run(&mut equalizer, 0..200);
                    assert!(signal.is_finite());
                }
            }
        }
    }
}

#[test]
fn settings_are_clamped() {
    let wild = BandSettings { slope: 0, ..band(Shape::Bell, 1.0, 99.0, 0.0) }.clamped();
    assert_eq!((wild.frequency, wild.gain, wild.q, wild.slope), (Hz(10.0), Db(18.0), 0.1, 6));
    let wild = BandSettings { slope: 99, ..band(Shape::Bell, 1e6, -99.0, 1e3) }.clamped();
    assert_eq!((wild.frequency, wild.gain, wild.q, wild.slope), (Hz(30_000.0), Db(-18.0), 40.0, 48));
}
