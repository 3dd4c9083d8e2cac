//! What is played instead of a plugin's output, behind its meters: the output at another level. What meters and the link
//! say stays that of the output.

use crate::dsp::Glide;
use crate::units::{Db, Hz};

/// A gain that fades, the last thing before the host.
#[derive(Debug)]
pub(super) struct Monitor {
    now: f64,
    aim: f64,
    /// Frames of a fade, and of those that are left.
    fade: usize,
    left: usize,
}

impl Monitor {
    /// The output as it is.
    pub(super) fn new(rate: Hz) -> Self {
        Self { now: 1.0, aim: 1.0, fade: Glide::TIME.samples(rate).0.max(1), left: 0 }
    }

    /// The output with `gain`, soon.
    pub(super) fn play(&mut self, gain: Db) {
        let gain = gain.gain();
        if gain != self.aim {
            (self.aim, self.left) = (gain, self.fade);
        }
    }

    /// The output as it is, at once.
    pub(super) fn reset(&mut self) {
        (self.now, self.aim, self.left) = (1.0, 1.0, 0);
    }

    /// Works on both channels, equally long.
    pub(super) fn process(&mut self, left: &mut [f64], right: &mut [f64]) {
        if self.left == 0 && self.aim == 1.0 {
            return;
        }
        for (left, right) in left.iter_mut().zip(right) {
            if self.left > 0 {
                self.now += (self.aim - self.now) / self.left as f64;
                self.left -= 1;
            }
            *left *= self.now;
            *right *= self.now;
        }
        if self.left == 0 {
            self.now = self.aim;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_reached_without_a_step_and_left_without_a_trace() {
        let mut monitor = Monitor::new(Hz(48_000.0));
        let run = |monitor: &mut Monitor| {
            let (mut left, mut right) = (vec![1.0; 2000], vec![-1.0; 2000]);
            monitor.process(&mut left[..700], &mut right[..700]);
            monitor.process(&mut left[700..], &mut right[700..]);
            let steps = left.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
            assert!(left.iter().zip(&right).all(|(l, r)| *l == -r));
            (steps, left[0], left[1999])
        };
        assert_eq!(run(&mut monitor), (0.0, 1.0, 1.0));
        monitor.play(Db(-6.0));
        let (steps, first, last) = run(&mut monitor);
        assert!(steps < 0.001 && first > 0.99 && last == Db(-6.0).gain(), "{steps} {first} {last}");
        monitor.play(Db(0.0));
        assert_eq!(run(&mut monitor).2, 1.0);
        assert_eq!(run(&mut monitor), (0.0, 1.0, 1.0), "to the bit");
        monitor.play(Db(3.0));
        run(&mut monitor);
        monitor.reset();
        assert_eq!(run(&mut monitor), (0.0, 1.0, 1.0));
    }
}
