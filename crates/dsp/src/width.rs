//! Stereo width, with mono bass.

use super::equalizer::{Band, BandSettings, Placement, Shape};
use super::filter::ramp_share;
use super::{Block, GainLog, Process, Smoother, Ticks};
use units::{Hz, Samples};

/// Settings of [`Width`]. Values out of range are clamped.
#[derive(Clone, Debug, PartialEq)]
pub struct WidthSettings {
    /// Factor on the side signal, 0 (mono) to 2; 1 leaves it alone.
    pub width: f64,
    /// Frequency below which the side signal is removed, 20 to 300 Hz; `None`: off.
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
/// -3.01 dB there. Changes of both take 20 ms; switching mono on and off crossfades. Latency: none.
/// Neutral at width 1 with mono off.
pub struct Width {
    ticks: Ticks,
    width: Smoother,
    /// Width at the last tick and at the next one.
    widths: [f64; 2],
    mono: Band,
    /// Last frequency of mono below, kept while it is off.
    frequency: Hz,
    fresh: bool,
}

impl Width {
    /// Neutral unit for audio at `rate`.
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

    /// True when output equals input to the bit: width 1, mono off, and no transition in progress.
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
            self.width.set_target(width);
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
            self.mono.process(step.since, &mut part, &mut GainLog::Off);
            let (left, right) = part.channels();
            if self.widths != [1.0; 2] {
                for i in 0..left.len() {
                    let width =
                        self.widths[0] + (self.widths[1] - self.widths[0]) * ramp_share(step.since + i);
                    let (mid, side) = (0.5 * (left[i] + right[i]), 0.5 * (left[i] - right[i]));
                    left[i] = mid + width * side;
                    right[i] = mid - width * side;
                }
            }
            at += step.frames;
        }
    }
}
