//! A straight line between the values of a glide at two control ticks.

use super::CONTROL_INTERVAL;

/// A value for every sample: at each control tick it is told where to be at the next.
#[derive(Clone, Copy, Debug)]
pub struct Ramp {
    from: f64,
    to: f64,
    /// Frames done since the last tick.
    done: usize,
}

impl Ramp {
    /// Resting at `value`.
    pub fn new(value: f64) -> Self {
        Self { from: value, to: value, done: 0 }
    }

    /// A control tick: be at `next` when the next one falls.
    #[inline]
    pub fn tick(&mut self, next: f64) {
        *self = Self { from: self.to, to: next, done: 0 };
    }

    /// The value `ahead` frames from now (0: the next frame), within the control interval.
    #[inline]
    pub fn at(&self, ahead: usize) -> f64 {
        self.from + (self.to - self.from) * ((self.done + ahead + 1) as f64 / CONTROL_INTERVAL as f64)
    }

    /// The value that it stays at until the next tick, if it does.
    #[inline]
    pub fn resting(&self) -> Option<f64> {
        (self.from == self.to).then_some(self.to)
    }

    /// The next values, as [`at`](Self::at) gives them.
    #[inline]
    pub fn fill(&self, values: &mut [f64]) {
        match self.resting() {
            Some(value) => values.fill(value),
            None => values.iter_mut().enumerate().for_each(|(i, value)| *value = self.at(i)),
        }
    }

    /// Where it is when the next control tick falls.
    #[inline]
    pub fn goal(&self) -> f64 {
        self.to
    }

    /// Passes over `frames` frames.
    #[inline]
    pub fn advance(&mut self, frames: usize) {
        self.done += frames;
    }

    /// True when it stays at `value` until the next tick.
    #[inline]
    pub fn is_settled_at(&self, value: f64) -> bool {
        self.from == value && self.to == value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_straight_and_lands_exactly() {
        let mut ramp = Ramp::new(0.1);
        ramp.tick(0.7);
        let first: Vec<f64> = (0..20).map(|i| ramp.at(i)).collect();
        ramp.advance(20);
        let second: Vec<f64> = (0..12).map(|i| ramp.at(i)).collect();
        for (i, value) in first.into_iter().chain(second).enumerate() {
            assert!((value - (0.1 + 0.6 * (i + 1) as f64 / 32.0)).abs() < 1e-12);
        }
        ramp.tick(0.7);
        assert!(ramp.is_settled_at(0.7));
        assert_eq!(ramp.at(5), 0.7);
    }
}
