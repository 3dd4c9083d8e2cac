//! DC filter.

use super::filter::ramp_share;
use super::{Block, Process, Smoother, Ticks, flush_invalid};
use core::f64::consts::PI;
use units::{Hz, Samples};

/// Settings of [`DcFilter`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DcSettings {
    /// Switches the filter.
    pub on: bool,
}

/// Removes a constant offset: a first-order high-pass, -3.01 dB at [`DcFilter::CORNER`], -0.27 dB at 20 Hz.
///
/// It subtracts the output of a first-order low-pass (trapezoidal, so its corner is exact at every rate).
/// Switching fades the subtracted share over 20 ms. Latency: none. Neutral when off.
pub struct DcFilter {
    ticks: Ticks,
    /// Share of the low-passed signal that is subtracted, 0 to 1.
    share: Smoother,
    /// Share at the last tick and at the next one.
    shares: [f64; 2],
    /// Share of the distance to its input that the low-pass moves in half a frame: g / (1 + g), g = tan(π fc / fs).
    half_step: f64,
    /// State of the low-pass, per channel.
    states: [f64; 2],
    fresh: bool,
}

impl DcFilter {
    /// Frequency at which the filter is 3.01 dB down.
    pub const CORNER: Hz = Hz(5.0);

    /// Neutral filter for audio at `rate`.
    pub fn new(rate: Hz) -> Self {
        let g = (PI * Self::CORNER.0 / rate.0).tan();
        Self {
            ticks: Ticks::default(),
            share: Smoother::new(0.0, Smoother::TIME, rate),
            shares: [0.0; 2],
            half_step: g / (1.0 + g),
            states: [0.0; 2],
            fresh: true,
        }
    }

    fn is_idle(&self) -> bool {
        self.shares == [0.0; 2]
    }

    /// True when output equals input to the bit: off, and no fade in progress.
    pub fn is_neutral(&self) -> bool {
        self.is_idle() && self.share.target() == 0.0
    }

    fn tick(&mut self) {
        self.shares = [self.shares[1], self.share.tick()];
        self.states = if self.is_idle() { [0.0; 2] } else { self.states.map(flush_invalid) };
    }
}

impl Process for DcFilter {
    type Settings = DcSettings;

    fn set(&mut self, settings: &DcSettings) {
        let share = if settings.on { 1.0 } else { 0.0 };
        if self.fresh {
            self.share.set_now(share);
            self.shares = [share; 2];
        } else {
            self.share.set_target(share);
        }
        self.fresh = false;
    }

    fn latency(&self) -> Samples {
        Samples(0)
    }

    fn reset(&mut self) {
        self.ticks.reset();
        self.share.set_now(self.share.target());
        self.shares = [self.share.target(); 2];
        self.states = [0.0; 2];
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
                self.tick();
            }
            let mut part = block.part(at..at + step.frames);
            let (left, right) = part.channels();
            for (samples, state) in [left, right].into_iter().zip(&mut self.states) {
                if self.shares == [0.0; 2] {
                    continue;
                }
                for (i, sample) in samples.iter_mut().enumerate() {
                    let half = (*sample - *state) * self.half_step;
                    let low = half + *state;
                    *state = low + half;
                    let share =
                        self.shares[0] + (self.shares[1] - self.shares[0]) * ramp_share(step.since + i);
                    *sample -= share * low;
                }
            }
            at += step.frames;
        }
    }
}
