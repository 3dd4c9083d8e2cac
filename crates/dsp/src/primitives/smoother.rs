//! Control ticks and smoothers: settings change without clicks, whatever the block sizes.

use units::{Hz, Ms};

/// Frames between control ticks. Ticks are counted from `reset`, never from block starts.
pub const CONTROL_INTERVAL: usize = 32;

/// Cuts blocks at control ticks.
///
/// ```
/// # use dsp::Ticks;
/// let mut ticks = Ticks::default();
/// let mut at = 0;
/// while at < 100 {
///     let step = ticks.next(100 - at);
///     if step.tick { /* advance every smoother */ }
///     at += step.frames; // process this many frames with constant coefficients
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Ticks {
    /// Frames left until the next tick; zero: a tick is due before the next frame.
    left: usize,
}

/// Stretch of frames between ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickStep {
    /// A control tick falls before the first of these frames.
    pub tick: bool,
    /// Frames until the block or the control interval ends.
    pub frames: usize,
    /// Frames from the last control tick to the first of these.
    pub since: usize,
}

impl Ticks {
    /// Next stretch, at most `available` frames long. `available` must not be zero.
    #[inline]
    pub fn next(&mut self, available: usize) -> TickStep {
        let tick = self.left == 0;
        if tick {
            self.left = CONTROL_INTERVAL;
        }
        let frames = available.min(self.left);
        let since = CONTROL_INTERVAL - self.left;
        self.left -= frames;
        TickStep { tick, frames, since }
    }

    /// Skips `frames` frames, for a unit that does nothing at ticks.
    #[inline]
    pub fn skip(&mut self, frames: usize) {
        let phase = (CONTROL_INTERVAL - self.left) % CONTROL_INTERVAL;
        self.left = (CONTROL_INTERVAL - (phase + frames) % CONTROL_INTERVAL) % CONTROL_INTERVAL;
    }

    /// Starts counting from zero: a tick is due before the next frame.
    pub fn reset(&mut self) {
        self.left = 0;
    }
}

/// Value that moves to its target in a straight line over a fixed number of ticks and reaches it exactly.
///
/// Use it in a perceptual domain: decibels for gains, log frequency for frequencies.
#[derive(Clone, Debug)]
pub struct Smoother {
    value: f64,
    target: f64,
    ticks_left: u32,
    ticks_total: u32,
}

impl Smoother {
    /// Usual transition time of a changed setting.
    pub const TIME: Ms = Ms(20.0);

    /// Smoother at `value` that moves over `time`, by control ticks.
    pub fn new(value: f64, time: Ms, rate: Hz) -> Self {
        let ticks_total = (time.0 * 1e-3 * rate.0 / CONTROL_INTERVAL as f64).ceil().max(1.0) as u32;
        Self { value, target: value, ticks_left: 0, ticks_total }
    }

    /// Smoother that ticks at every frame.
    pub fn by_frames(value: f64, time: Ms, rate: Hz) -> Self {
        Self { ticks_total: time.samples(rate).0.max(1) as u32, ..Self::new(value, time, rate) }
    }

    /// Ticks of a transition.
    pub fn ticks(&self) -> u32 {
        self.ticks_total
    }

    /// Sets value and target at once.
    pub fn set_now(&mut self, target: f64) {
        self.value = target;
        self.target = target;
        self.ticks_left = 0;
    }

    /// Starts moving to `target`, unless it is the target already.
    pub fn set_target(&mut self, target: f64) {
        if target != self.target {
            self.target = target;
            self.ticks_left = self.ticks_total;
        }
    }

    /// Advances by one tick; returns the new value.
    #[inline]
    pub fn tick(&mut self) -> f64 {
        match self.ticks_left {
            0 => {}
            1 => {
                self.value = self.target;
                self.ticks_left = 0;
            }
            left => {
                self.value += (self.target - self.value) / f64::from(left);
                self.ticks_left -= 1;
            }
        }
        self.value
    }

    /// Value at the last tick.
    #[inline]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Value at the end of the transition.
    #[inline]
    pub fn target(&self) -> f64 {
        self.target
    }

    /// True when the value is the target.
    #[inline]
    pub fn is_settled(&self) -> bool {
        self.ticks_left == 0
    }

    /// True when value and target are `value`.
    #[inline]
    pub fn is_settled_at(&self, value: f64) -> bool {
        self.is_settled() && self.target == value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_fall_every_interval_whatever_the_blocks() {
        for block in [1, 7, 31, 32, 33, 100] {
            let mut ticks = Ticks::default();
            let mut fallen = Vec::new();
            let mut position = 0;
            while position < 320 {
                let mut left = block;
                while left > 0 {
                    let step = ticks.next(left);
                    assert_eq!(step.since, position % CONTROL_INTERVAL);
                    if step.tick {
                        fallen.push(position);
                    }
                    position += step.frames;
                    left -= step.frames;
                }
            }
            assert!(
                fallen.iter().enumerate().all(|(i, &at)| at == i * CONTROL_INTERVAL),
                "{block}: {fallen:?}"
            );
        }
    }

    #[test]
    fn skipping_counts_like_stepping() {
        for skips in [[5, 27, 64], [32, 1, 1], [31, 2, 95]] {
            let (mut skipping, mut stepping) = (Ticks::default(), Ticks::default());
            for frames in skips {
                skipping.skip(frames);
                let mut left = frames;
                while left > 0 {
                    left -= stepping.next(left).frames;
                }
                assert_eq!(skipping.clone().next(99), stepping.clone().next(99), "after {frames}");
            }
        }
    }

    #[test]
    fn a_smoother_is_straight_and_lands_exactly() {
        let (time, rate) = (Ms(20.0), Hz(48_000.0));
        for (mut smoother, ticks) in [
            (Smoother::new(0.0, time, rate), 960 / CONTROL_INTERVAL),
            (Smoother::by_frames(0.0, time, rate), 960),
        ] {
            assert_eq!(smoother.ticks() as usize, ticks);
            smoother.set_target(-7.3);
            for i in 1..=ticks {
                assert!(!smoother.is_settled_at(-7.3));
                let value = smoother.tick();
                assert!((value + 7.3 * i as f64 / ticks as f64).abs() < 1e-12);
            }
            assert!(smoother.is_settled() && smoother.is_settled_at(-7.3));
            assert_eq!(smoother.value(), -7.3);
        }
    }
}
