//! Linear interpolation between the values of a smoother at two control ticks.

use crate::CONTROL_INTERVAL;

/// Value per sample, linear from one control tick to the next.
#[derive(Clone, Copy, Debug)]
pub struct Ramp {
    from: f64,
    to: f64,
    /// Frames since the last tick.
    done: usize,
}

impl Ramp {
    /// Ramp that stays at `value`.
    pub fn new(value: f64) -> Self {
        Self { from: value, to: value, done: 0 }
    }

    /// Starts a control interval, at whose end the value is `next`.
    #[inline]
    pub fn tick(&mut self, next: f64) {
        *self = Self { from: self.to, to: next, done: 0 };
    }

    /// Value `ahead` frames from now (0: the next frame), within the control interval.
    #[inline]
    pub fn at(&self, ahead: usize) -> f64 {
        self.from + (self.to - self.from) * ((self.done + ahead + 1) as f64 / CONTROL_INTERVAL as f64)
    }

    /// Value, if it is constant until the next tick.
    #[inline]
    pub fn resting(&self) -> Option<f64> {
        (self.from == self.to).then_some(self.to)
    }

    /// Fills `values` with the next ones; see [`at`](Self::at).
    #[inline]
    pub fn fill(&self, values: &mut [f64]) {
        match self.resting() {
            Some(value) => values.fill(value),
            None => values.iter_mut().enumerate().for_each(|(i, value)| *value = self.at(i)),
        }
    }

    /// Value at the next control tick.
    #[inline]
    pub fn goal(&self) -> f64 {
        self.to
    }

    /// Advances by `frames` frames.
    #[inline]
    pub fn advance(&mut self, frames: usize) {
        self.done += frames;
    }

    /// True when it is constant at `value` until the next tick.
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
