//! Stereo width, and mono below a frequency.

use super::equalizer::{Band, BandSettings, Placement, Shape};
use super::filter::way;
use super::{Block, GainLog, Process, Smoother, Ticks};
use units::{Hz, Samples};

/// Settings of [`Width`]. Values out of range are clamped.
#[derive(Clone, Debug, PartialEq)]
pub struct WidthSettings {
    /// Factor on the side signal, 0 (mono) to 2; 1 leaves it alone.
    pub width: f64,
    /// Below this frequency, 20 to 300 Hz, the side signal is removed.
    pub mono_below: Option<Hz>,
}

impl Default for WidthSettings {
    fn default() -> Self {
        Self { width: 1.0, mono_below: None }
    }
}

/// Scales the side signal, half the difference of the channels, and leaves the mid signal alone.
///
/// Mono below a frequency is a Butterworth high-pass of second order on the side signal: 12 dB per octave,
/// -3.01 dB there. Both glide over 20 ms; switching mono on and off crossfades. Latency: none.
/// Neutral at width 1 with mono off.
pub struct Width {
    ticks: Ticks,
    width: Smoother,
    /// The width at the last tick and at the next one.
    widths: [f64; 2],
    mono: Band,
    /// The last frequency of mono below, kept while it is off.
    frequency: Hz,
    fresh: bool,
}

impl Width {
    /// A neutral unit for audio at `rate`.
    pub fn new(rate: Hz) -> Self {
        let frequency = Hz(100.0);
        Self {
            ticks: Ticks::default(),
            width: Smoother::new(1.0, Smoother::TIME, rate),
            widths: [1.0; 2],
            mono: Band::new(&side_cut(false, frequency), rate),
            frequency,
            fresh: true,
        }
    }

    /// True when output equals input to the bit: nothing to do, nothing on its way.
    pub fn is_neutral(&self) -> bool {
        self.widths == [1.0; 2] && self.width.target() == 1.0 && self.mono.is_neutral()
    }
}

fn side_cut(on: bool, frequency: Hz) -> BandSettings {
    BandSettings {
        on,
        shape: Shape::LowCut,
        frequency,
        slope: 12,
        placement: Placement::Side,
        ..BandSettings::default()
    }
}

impl Process for Width {
    type Settings = WidthSettings;

    fn set(&mut self, settings: &WidthSettings) {
        let width = if settings.width.is_nan() { 1.0 } else { settings.width.clamp(0.0, 2.0) };
        if let Some(frequency) = settings.mono_below.filter(|frequency| !frequency.0.is_nan()) {
            self.frequency = Hz(frequency.0.clamp(20.0, 300.0));
        }
        self.mono.set(&side_cut(settings.mono_below.is_some(), self.frequency), self.fresh);
        if self.fresh {
            self.width.set_now(width);
            self.widths = [width; 2];
        } else {
            self.width.aim(width);
        }
        self.fresh = false;
    }

    fn latency(&self) -> Samples {
        Samples(0)
    }

    fn reset(&mut self) {
        self.ticks.reset();
        self.width.set_now(self.width.target());
        self.widths = [self.width.target(); 2];
        self.mono.reset();
        self.fresh = true;
    }

    fn process(&mut self, block: &mut Block<'_>) {
        self.fresh = false;
        let frames = block.len();
        if self.is_neutral() {
            self.ticks.skip(frames);
            return;
        }
        let mut at = 0;
        while at < frames {
            let step = self.ticks.next(frames - at);
            if step.tick {
                self.widths = [self.widths[1], self.width.tick()];
                self.mono.tick();
            }
            let mut part = block.part(at..at + step.frames);
            let (left, right) = part.channels();
            self.mono.process(step.since, left, right, None, &mut GainLog::Off);
            if self.widths != [1.0; 2] {
                for i in 0..left.len() {
                    let width = self.widths[0] + (self.widths[1] - self.widths[0]) * way(step.since + i);
                    let (mid, side) = (0.5 * (left[i] + right[i]), 0.5 * (left[i] - right[i]));
                    left[i] = mid + width * side;
                    right[i] = mid - width * side;
                }
            }
            at += step.frames;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::{Stereo, obeys_contract};
    use super::*;
    use core::f64::consts::PI;

    const RATE: Hz = Hz(48_000.0);

    fn width(width: f64, mono_below: Option<f64>) -> WidthSettings {
        WidthSettings { width, mono_below: mono_below.map(Hz) }
    }

    #[test]
    fn obeys() {
        let busy = [width(0.0, None), width(1.0, Some(120.0)), width(1.7, Some(300.0)), width(2.0, None)];
        obeys_contract(|| Width::new(RATE), &WidthSettings::default(), &busy);
    }

    #[test]
    fn no_width_is_mono_and_double_width_doubles_the_side() {
        for factor in [0.0, 0.5, 2.0] {
            let mut unit = Width::new(RATE);
            unit.set(&width(factor, None));
            let mut signal = Stereo::noise(3, 500, 0.5);
            let input = signal.clone();
            signal.run(&mut unit, 0..500);
            for i in 0..500 {
                let (mid, side) = (signal.left[i] + signal.right[i], signal.left[i] - signal.right[i]);
                assert!((mid - input.left[i] - input.right[i]).abs() < 1e-15);
                assert!((side - factor * (input.left[i] - input.right[i])).abs() < 1e-15);
                assert!(factor != 0.0 || signal.left[i] == signal.right[i]);
            }
        }
    }

    #[test]
    fn mono_below_removes_the_side_at_twelve_decibels_per_octave_and_leaves_the_mid() {
        let side_at = |frequency: f64| {
            let mut unit = Width::new(RATE);
            unit.set(&width(1.0, Some(200.0)));
            let tone = |i: usize| (2.0 * PI * frequency * i as f64 / RATE.0).sin();
            let mut signal = Stereo {
                left: (0..96_000).map(|i| tone(i) + 0.25).collect(),
                right: (0..96_000).map(|i| 0.25 - tone(i)).collect(),
            };
            signal.run(&mut unit, 0..96_000);
            let sides = (48_000..96_000).map(|i| {
                assert!((signal.left[i] + signal.right[i] - 0.5).abs() < 1e-15);
                (0.5 * (signal.left[i] - signal.right[i])).powi(2)
            });
            10.0 * (sides.sum::<f64>() / 24_000.0).log10()
        };
        assert!((side_at(200.0) + 3.0103).abs() < 0.01);
        assert!((side_at(25.0) - side_at(50.0) + 12.04).abs() < 0.05);
        assert!(side_at(4000.0).abs() < 0.01);
    }

    #[test]
    fn changes_make_no_step() {
        let mut unit = Width::new(RATE);
        let tone = |phase: f64, i: usize| 0.5 * (2.0 * PI * 50.0 * i as f64 / RATE.0 + phase).sin();
        let mut signal = Stereo {
            left: (0..48_000).map(|i| tone(0.0, i)).collect(),
            right: (0..48_000).map(|i| tone(2.0, i)).collect(),
        };
        let changes = [width(1.0, None), width(1.0, Some(250.0)), width(2.0, Some(30.0)), width(0.0, None)];
        for (i, settings) in changes.iter().enumerate() {
            unit.set(settings);
            signal.run(&mut unit, i * 12_000..(i + 1) * 12_000);
        }
        let second = |w: &[f64]| (w[2] - 2.0 * w[1] + w[0]).abs();
        let largest = signal.left.windows(3).fold(0.0f64, |m, w| m.max(second(w)));
        assert!(largest < 3e-3, "{largest}");
    }
}
