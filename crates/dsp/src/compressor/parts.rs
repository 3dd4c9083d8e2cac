//! Parts that the terms of a sum have in the reduction of a compressor.
//!
//! A convention, not what would happen without a term. The level is that of the key, the sum s of the terms behind the key's
//! high-pass: a term x has the part x s over s squared, both smoothed as the detector smooths the square; so the product of two
//! terms, which is in the square twice, counts half for each. Of a peak detector it is the part at the largest sample. Parts are
//! signed and sum to one. From there on decibels are passed on as the compressor passes them: curve, link, cap, ballistics.

use std::collections::VecDeque;

use super::{CompressorSettings, HighPass, SLOW_RATIO};
use crate::ballistics::{BallisticsCoefficients, one_pole_coefficient, something};
use crate::curve::Curve;
use crate::detector::{Detector, LevelDetector, linked};
use units::{Hz, Ms, decibels};

/// Analysis of a compressor with constant settings, keyed by its own audio: the terms' decibels of its reduction, frame by frame.
///
/// For files: it allocates while it works. Reduction as the ballistics leave it, before makeup and parallel mix.
pub struct CompressorParts {
    settings: CompressorSettings,
    curve: Curve,
    start_square: f64,
    /// Key filter of each term.
    highpasses: Vec<HighPass>,
    detectors: [SquareParts; 2],
    channels: [Ballistic; 2],
    coefficients: BallisticsCoefficients,
    lookahead: usize,
    frame: u64,
}

/// Square of the level of a channel, with the products of its terms.
struct SquareParts {
    square: f64,
    products: Vec<f64>,
    /// Share of a new frame in the mean; none: the largest of the last frames.
    mean: Option<f64>,
    /// Falling squares of the last frames, with their products.
    held: VecDeque<(u64, f64, Vec<f64>)>,
    hold: u64,
}

impl SquareParts {
    /// Takes the values of the terms in the next frame.
    fn push(&mut self, frame: u64, values: &[f64]) {
        let sum: f64 = values.iter().sum();
        if let Some(go) = self.mean {
            let stay = 1.0 - go;
            self.square = self.square * stay + sum * sum * go;
            for (product, value) in self.products.iter_mut().zip(values) {
                *product = *product * stay + value * sum * go;
            }
            return;
        }
        let square = sum * sum;
        while self.held.back().is_some_and(|(_, last, _)| *last < square) {
            self.held.pop_back();
        }
        self.held.push_back((frame, square, values.iter().map(|value| value * sum).collect()));
        while self.held.front().is_some_and(|(at, ..)| at + self.hold <= frame) {
            self.held.pop_front();
        }
        if let Some((_, square, products)) = self.held.front() {
            self.square = *square;
            self.products.copy_from_slice(products);
        }
    }
}

/// Attack and release of a channel.
struct Ballistic {
    value: f64,
    decibels: Vec<f64>,
    slow: f64,
    slow_decibels: Vec<f64>,
}

impl Ballistic {
    fn next(&mut self, wanted: f64, own: &[f64], coefficients: &BallisticsCoefficients) {
        let BallisticsCoefficients { attack, release, charge, discharge } = *coefficients;
        let before = self.slow;
        let before_decibels = self.slow_decibels.clone();
        let way = wanted - self.slow;
        let share = if way > 0.0 { charge } else { discharge };
        self.slow = something(self.slow + way * share);
        for (slow, own) in self.slow_decibels.iter_mut().zip(own) {
            *slow = if self.slow == 0.0 { 0.0 } else { *slow + (own - *slow) * share };
        }
        if wanted >= self.value {
            self.value += (wanted - self.value) * attack;
            for (value, own) in self.decibels.iter_mut().zip(own) {
                *value += (own - *value) * attack;
            }
        } else {
            let (was, floor) = (before.max(wanted), self.slow.max(wanted));
            let sinks = floor < was;
            let sunk = if sinks { floor - was } else { 0.0 };
            self.value = self.value * (1.0 - release) + sunk * (1.0 - release) + floor * release;
            for (row, value) in self.decibels.iter_mut().enumerate() {
                let was = if before > wanted { before_decibels[row] } else { own[row] };
                let floor = if self.slow > wanted { self.slow_decibels[row] } else { own[row] };
                let sunk = if sinks { floor - was } else { 0.0 };
                *value = *value * (1.0 - release) + sunk * (1.0 - release) + floor * release;
            }
        }
        if something(self.value) == 0.0 {
            self.value = 0.0;
            self.decibels.fill(0.0);
        }
    }
}

impl CompressorParts {
    /// Analysis at `rate` of a compressor with these settings, on a sum of `rows` terms.
    pub fn new(rate: Hz, settings: &CompressorSettings, rows: usize) -> Self {
        let slow = one_pole_coefficient(Ms(settings.release.0 * SLOW_RATIO), rate);
        let curve = Curve::new(settings.threshold, settings.ratio, settings.knee);
        let highpass = |frequency: Hz| {
            let mut highpass = HighPass::new(rate);
            highpass.tune(frequency.0);
            highpass
        };
        let channel =
            || Ballistic { value: 0.0, decibels: vec![0.0; rows], slow: 0.0, slow_decibels: vec![0.0; rows] };
        let detector = || SquareParts {
            square: 0.0,
            products: vec![0.0; rows],
            mean: (settings.detector == Detector::Rms)
                .then(|| one_pole_coefficient(LevelDetector::MEAN_TIME, rate)),
            held: VecDeque::new(),
            hold: LevelDetector::PEAK_HOLD.samples(rate).0.max(1) as u64,
        };
        Self {
            curve,
            start_square: curve.start().gain().powi(2),
            highpasses: settings.key_highpass.map_or(Vec::new(), |frequency| vec![highpass(frequency); rows]),
            detectors: [detector(), detector()],
            channels: [channel(), channel()],
            coefficients: BallisticsCoefficients {
                attack: one_pole_coefficient(settings.attack, rate),
                release: one_pole_coefficient(settings.release, rate),
                charge: if settings.auto_release { slow } else { 0.0 },
                discharge: slow,
            },
            lookahead: settings.lookahead.samples(rate).0,
            settings: settings.clone(),
            frame: 0,
        }
    }

    /// Takes the next frames of the terms. `each` gets every frame with a reduction: its place in the audio, counted from the first
    /// frame, and the decibels of each term in the left and the right channel.
    pub fn process(&mut self, rows: &[[&[f64]; 2]], mut each: impl FnMut(i64, [&[f64]; 2])) {
        let count = rows.len();
        let (mut values, mut wanted) = (vec![0.0; count], [vec![0.0; count], vec![0.0; count]]);
        for n in 0..rows.first().map_or(0, |row| row[0].len()) {
            for side in 0..2 {
                for (row, value) in values.iter_mut().enumerate() {
                    let sample = rows[row][side][n];
                    *value = self.highpasses.get_mut(row).map_or(sample, |filter| filter.next(side, sample));
                }
                self.detectors[side].push(self.frame, &values);
            }
            let targets = self.targets(&mut wanted);
            for ((channel, target), own) in self.channels.iter_mut().zip(targets).zip(&wanted) {
                channel.next(target, own, &self.coefficients);
            }
            let [left, right] = &self.channels;
            if left.value > 0.0 || right.value > 0.0 {
                each(self.frame as i64 - self.lookahead as i64, [&left.decibels, &right.decibels]);
            }
            self.frame += 1;
        }
    }

    /// Reductions wanted, linked and capped, and the decibels of each term in them.
    fn targets(&self, wanted: &mut [Vec<f64>; 2]) -> [f64; 2] {
        let link = self.settings.link;
        let target = |square: f64| {
            if square <= self.start_square { 0.0 } else { self.curve.reduction(decibels(square.sqrt())) }
        };
        let squares = self.detectors.each_ref().map(|detector| detector.square);
        let top = usize::from(squares[1] >= squares[0]);
        let own = squares.map(target);
        let parts = |side: usize, row: usize| self.detectors[side].products[row] / squares[side];
        let scaled = |reduction: f64, side: usize, row: usize| {
            if reduction > 0.0 { reduction * parts(side, row) } else { 0.0 }
        };
        let mut reductions = linked(own, link);
        for side in 0..2 {
            for (row, wanted) in wanted[side].iter_mut().enumerate() {
                *wanted = scaled(own[side] * (1.0 - link), side, row) + scaled(own[top] * link, top, row);
            }
            let cap = self.settings.cap.0;
            if reductions[side] > cap {
                wanted[side].iter_mut().for_each(|row| *row *= cap / reductions[side]);
                reductions[side] = cap;
            }
        }
        reductions
    }
}

#[cfg(test)]
mod tests {
    use super::super::CompressorGain;
    use super::*;
    use crate::gain_stage::GainComputer;
    use testkit::noise;
    use units::Db;

    const RATE: Hz = Hz(48_000.0);

    fn settings() -> CompressorSettings {
        CompressorSettings {
            on: true,
            threshold: Db(-20.0),
            ratio: 4.0,
            cap: Db(24.0),
            key_highpass: Some(Hz(120.0)),
            ..CompressorSettings::default()
        }
    }

    fn terms() -> Vec<[Vec<f64>; 2]> {
        let side = |seed: u64| -> Vec<f64> {
            let (audio, loud) = (noise(seed, 24_000, 0.6), noise(seed + 50, 24, 1.0));
            audio.iter().enumerate().map(|(n, x)| x * loud[n / 1000].abs().powi(2)).collect()
        };
        (0..3).map(|row| [side(1 + 7 * row), side(4 + 7 * row)]).collect()
    }

    #[test]
    fn decibels_of_all_terms_are_the_reduction_of_the_compressor() {
        let terms = terms();
        let refs: Vec<[&[f64]; 2]> = terms.iter().map(|row| [&row[0][..], &row[1][..]]).collect();
        let sum = [0, 1].map(|side| -> Vec<f64> {
            (0..24_000).map(|n| terms.iter().map(|row| row[side][n]).sum()).collect()
        });
        for (detector, link, auto_release, cap) in [
            (Detector::Rms, 1.0, true, 24.0),
            (Detector::Peak, 0.4, false, 3.0),
            (Detector::Rms, 0.0, true, 5.0),
        ] {
            let settings = CompressorSettings { detector, link, auto_release, cap: Db(cap), ..settings() };
            let mut gain = CompressorGain::new(RATE, Ms(0.0));
            gain.set(&settings);
            let (mut left, mut right) = (vec![0.0; 24_000], vec![0.0; 24_000]);
            gain.compute([&sum[0], &sum[1]], None, [&mut left, &mut right]);
            let mut all = vec![[0.0; 2]; 24_000];
            let mut parts = CompressorParts::new(RATE, &settings, 3);
            for range in [0..10_000, 10_000..24_000] {
                let rows: Vec<[&[f64]; 2]> =
                    refs.iter().map(|row| row.map(|side| &side[range.clone()])).collect();
                parts.process(&rows, |place, decibels| {
                    all[place as usize] = decibels.map(|rows| rows.iter().sum());
                });
            }
            for (n, got) in all.iter().enumerate() {
                for (got, gain) in got.iter().zip([left[n], right[n]]) {
                    assert!((got + Db::from_gain(gain).0).abs() < 1e-6, "{detector:?} {n}: {got} {gain}");
                }
            }
            assert!(all.iter().filter(|frame| frame[0] > 0.5).count() > 5_000);
        }
    }

    #[test]
    fn parts_are_those_of_the_smoothed_square_with_products_halved() {
        // equal and opposite shares of one signal, and an uncorrelated term in the other channel
        let one = noise(3, 24_000, 0.8);
        let times = |gain: f64| -> [Vec<f64>; 2] {
            let side: Vec<f64> = one.iter().map(|x| gain * x).collect();
            [side.clone(), side]
        };
        let gains = [1.5, -0.25, -0.25];
        let terms = gains.map(times);
        let refs: Vec<[&[f64]; 2]> = terms.iter().map(|row| [&row[0][..], &row[1][..]]).collect();
        let mut seen = 0;
        for detector in [Detector::Rms, Detector::Peak] {
            let settings = CompressorSettings { detector, ..settings() };
            CompressorParts::new(RATE, &settings, 3).process(&refs, |_, [left, _]| {
                let whole: f64 = left.iter().sum();
                if whole > 1e-3 {
                    seen += 1;
                    assert!(left.iter().zip(gains).all(|(part, gain)| (part / whole - gain).abs() < 1e-9));
                }
            });
        }
        assert!(seen > 20_000);
    }
}
