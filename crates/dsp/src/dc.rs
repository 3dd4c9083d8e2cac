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

#[cfg(test)]
mod tests {
    use super::super::contract::{Stereo, obeys_contract};
    use super::*;
    use units::decibels;

    fn on(on: bool) -> DcSettings {
        DcSettings { on }
    }

    #[test]
    fn obeys() {
        obeys_contract(|| DcFilter::new(Hz(48_000.0)), &on(false), &[on(true)]);
    }

    #[test]
    fn a_constant_dies_away_and_the_corner_is_three_decibels_down() {
        for rate in [44_100.0, 96_000.0, 192_000.0] {
            let mut filter = DcFilter::new(Hz(rate));
            filter.set(&on(true));
            let frames = (rate * 3.0) as usize;
            let mut signal = Stereo {
                left: vec![0.5; frames],
                right: (0..frames).map(|i| (2.0 * PI * 5.0 * i as f64 / rate).sin()).collect(),
            };
            signal.run(&mut filter, 0..frames);
            assert!(signal.left[frames - 1].abs() < 1e-12);
            let last = &signal.right[frames - (rate / 5.0) as usize..];
            let rms = (last.iter().map(|x| x * x).sum::<f64>() / last.len() as f64).sqrt();
            assert!((decibels(rms * 2f64.sqrt()) + 3.0103).abs() < 1e-3, "{}", decibels(rms * 2f64.sqrt()));
        }
    }

    #[test]
    fn switching_makes_no_step() {
        let mut filter = DcFilter::new(Hz(48_000.0));
        filter.set(&on(true));
        let mut signal = Stereo { left: vec![0.5; 96_000], right: vec![-0.5; 96_000] };
        signal.run(&mut filter, 0..48_000);
        filter.set(&on(false));
        signal.run(&mut filter, 48_000..60_000);
        assert!(filter.is_neutral());
        filter.set(&on(true));
        signal.run(&mut filter, 60_000..96_000);
        let largest = signal.left[1..].windows(2).fold(0.0f64, |m, w| m.max((w[1] - w[0]).abs()));
        assert!(largest < 1e-3, "{largest}");
    }
}
