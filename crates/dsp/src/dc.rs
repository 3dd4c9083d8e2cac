//! The DC filter.

use super::filter::way;
use super::{Block, Process, Smoother, Ticks, settle};
use core::f64::consts::PI;
use units::{Hz, Samples};

/// Settings of [`DcFilter`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DcSettings {
    /// The filter is heard.
    pub on: bool,
}

/// Removes a constant offset: a first-order high-pass, -3.01 dB at [`DcFilter::CORNER`], -0.27 dB at 20 Hz.
///
/// It subtracts what a first-order low-pass (trapezoidal, so its corner is exact at every rate) lets through.
/// Switching glides the subtracted share over 20 ms. Latency: none. Neutral when off.
pub struct DcFilter {
    ticks: Ticks,
    /// Share of the low-passed signal that is subtracted.
    share: Smoother,
    /// That share at the last tick and at the next one.
    shares: [f64; 2],
    /// How far the low-pass moves towards its input in half a frame.
    pace: f64,
    /// Per channel.
    states: [f64; 2],
    fresh: bool,
}

impl DcFilter {
    /// Where the filter is 3.01 dB down.
    pub const CORNER: Hz = Hz(5.0);

    /// A neutral filter for audio at `rate`.
    pub fn new(rate: Hz) -> Self {
        let g = (PI * Self::CORNER.0 / rate.0).tan();
        Self {
            ticks: Ticks::default(),
            share: Smoother::new(0.0, Smoother::TIME, rate),
            shares: [0.0; 2],
            pace: g / (1.0 + g),
            states: [0.0; 2],
            fresh: true,
        }
    }

    fn rests(&self) -> bool {
        self.shares == [0.0; 2]
    }

    /// True when output equals input to the bit: nothing to do, nothing on its way.
    pub fn is_neutral(&self) -> bool {
        self.rests() && self.share.target() == 0.0
    }

    fn tick(&mut self) {
        self.shares = [self.shares[1], self.share.tick()];
        self.states = if self.rests() { [0.0; 2] } else { self.states.map(settle) };
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
            self.share.aim(share);
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
                    let half = (*sample - *state) * self.pace;
                    let low = half + *state;
                    *state = low + half;
                    let share = self.shares[0] + (self.shares[1] - self.shares[0]) * way(step.since + i);
                    *sample -= share * low;
                }
            }
            at += step.frames;
        }
    }
}
