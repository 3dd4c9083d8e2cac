//! Readings of sines whose loudness and true peak are known.

use meter::Meter;
use meter::layout::Layout;
use meter::true_peak::TruePeak;
use testkit::sine;
use units::{Db, Hz, decibels};

use crate::figure::{Figure, hold};

const RATES: [f64; 5] = [44_100.0, 48_000.0, 88_200.0, 96_000.0, 192_000.0];

/// Lowest and highest true peak read of a full-scale sine over its phase, in dBTP: both should be 0.
pub(super) fn true_peaks_of(frequency: f64, rate: f64) -> (f64, f64) {
    let readings = (0..16).map(|k| {
        let phase = core::f64::consts::PI * f64::from(k) / 16.0;
        let mut tone = sine(frequency, phase, rate, 4800);
        // no edge: what a jump rings is none of the sine's
        for (i, x) in tone.iter_mut().enumerate().take(1000) {
            *x *= 0.5 - 0.5 * (core::f64::consts::PI * i as f64 / 1000.0).cos();
        }
        let mut meter = TruePeak::new();
        meter.process(&tone);
        decibels(meter.take().0)
    });
    readings.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
}

/// Integrated loudness in LUFS of 997 Hz with this peak on both channels.
fn loudness_of(level: Db, rate: f64) -> f64 {
    let tone: Vec<f64> =
        sine(997.0, 0.0, rate, (5.0 * rate) as usize).iter().map(|x| x * level.gain()).collect();
    let mut meter = Meter::new(Hz(rate), &Layout::stereo());
    meter.process(&[&tone, &tone]);
    meter.reading().integrated.map_or(f64::NAN, |lufs| lufs.0)
}

pub(super) fn figures() -> Vec<Figure> {
    // BS.1770-5, Annex 1: 997 Hz of full scale on one front channel reads -3.01, so on two 0.00. Its own filters, which
    // these are, miss that by 0.03.
    let errors = RATES.map(|rate| {
        [0.0, -23.0, -60.0]
            .map(|level| (loudness_of(Db(level), rate) - level).abs())
            .into_iter()
            .fold(0.0, f64::max)
    });
    let loudness = errors.into_iter().fold(0.0, f64::max);
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    let (mut lowest, mut all) = (f64::INFINITY, f64::NEG_INFINITY);
    for rate in RATES {
        for k in 1..=90 {
            let place = f64::from(k) / 200.0;
            let (least, most) = true_peaks_of(place * rate, rate);
            if place <= 0.25 {
                (low, high) = (low.min(least), high.max(most));
            }
            (lowest, all) = (lowest.min(least), all.max(most));
        }
    }
    vec![
        Figure::at_most("loudness of 997 Hz, 0 to -60 dBFS, error at any rate", loudness, "LU", 0.05)
            .digits(3),
        Figure::at_most(
            "true peak of sines to a quarter of the rate, any phase: too high by",
            high,
            "dB",
            0.2,
        ),
        Figure::at_least(
            "true peak of sines to a quarter of the rate, any phase: error at the low end",
            low,
            "dB",
            -0.4,
        ),
        Figure::at_most("true peak of sines to 0.45 of the rate, any phase: too high by", all, "dB", 0.2),
        Figure::at_least(
            "true peak of sines to 0.45 of the rate, any phase: error at the low end",
            lowest,
            "dB",
            -0.6,
        ),
    ]
}

#[test]
fn sines_read_what_they_are() {
    hold(&figures());
}
