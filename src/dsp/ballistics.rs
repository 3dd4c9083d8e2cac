//! How a gain reduction moves: attack, and a release in one or two stages.

use crate::units::{Hz, Ms, linear};

/// The share of the way to its target that a one-pole filter goes in one sample, if it goes 63.2 % in `time`.
pub fn pole(time: Ms, rate: Hz) -> f64 {
    if time.0 > 0.0 { -(-1e3 / (time.0 * rate.0)).exp_m1() } else { 1.0 }
}

/// The factor of a reduction in dB; exactly one for none.
#[inline]
pub fn factor(reduction_db: f64) -> f64 {
    if reduction_db > 0.0 { linear(-reduction_db) } else { 1.0 }
}

/// Where each part of a [`Ballistics`] goes per sample; see [`pole`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// Towards a larger reduction.
    pub attack: f64,
    /// Back to the floor: what the slow stage holds, or what is wanted.
    pub release: f64,
    /// The slow stage upwards; zero: there is no slow stage.
    pub charge: f64,
    /// The slow stage downwards.
    pub discharge: f64,
}

/// Moves a reduction towards what is wanted.
///
/// Attack and release are one-pole, 63.2 % in the time given. Beside it a slow stage follows what is wanted for
/// long, and the release only falls down to it: a short event hardly charges the slow stage and is over with the
/// fast release, a long one leaves with the slow stage. That is the program-dependent release by duration.
#[derive(Clone, Debug, PartialEq)]
pub struct Ballistics {
    times: Times,
    value: f64,
    slow: f64,
}

/// Reductions below this, in dB, are over: the state becomes exactly zero.
const NOTHING: f64 = 1e-12;

impl Ballistics {
    /// At rest.
    pub fn new(times: Times) -> Self {
        Self { times, value: 0.0, slow: 0.0 }
    }

    /// Changes the times; the state moves on from where it is.
    pub fn set(&mut self, times: Times) {
        self.times = times;
    }

    /// One sample: `wanted` is the reduction to reach, `sustained` what the slow stage follows (`wanted` itself,
    /// or its maximum over a while). Both are finite and at least zero, in dB; so is the result.
    #[inline]
    pub fn next(&mut self, wanted: f64, sustained: f64) -> f64 {
        let Times { attack, release, charge, discharge } = self.times;
        let larger = |a: f64, b: f64| if a > b { a } else { b };
        let before = larger(self.slow, wanted);
        let way = sustained - self.slow;
        self.slow = something(self.slow + way * if way > 0.0 { charge } else { discharge });
        self.value = something(if wanted >= self.value {
            self.value + (wanted - self.value) * attack
        } else {
            // What lies above the floor falls with the release, and sinks with the floor: the two do not add up.
            let floor = larger(self.slow, wanted);
            let sunk = if floor < before { self.value + (floor - before) } else { self.value };
            sunk + (floor - sunk) * release
        });
        self.value
    }

    /// [`next`](Self::next) for every reduction wanted, in place; gives the largest.
    pub fn follow(&mut self, reductions: &mut [f64]) -> f64 {
        let mut now = self.clone();
        let mut largest = 0.0;
        for reduction in reductions {
            *reduction = now.next(*reduction, *reduction);
            largest = if *reduction > largest { *reduction } else { largest };
        }
        *self = now;
        largest
    }

    /// The reduction at the last sample.
    #[inline]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// True when both stages are exactly zero.
    #[inline]
    pub fn at_rest(&self) -> bool {
        self.value == 0.0 && self.slow == 0.0
    }

    /// Back to rest.
    pub fn reset(&mut self) {
        (self.value, self.slow) = (0.0, 0.0);
    }
}

/// The reduction itself, or zero for what is too little to matter and for what is not a number.
#[inline]
fn something(reduction: f64) -> f64 {
    if reduction > NOTHING { reduction } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Hz = Hz(48_000.0);

    fn two_stage() -> Ballistics {
        Ballistics::new(Times {
            attack: pole(Ms(10.0), RATE),
            release: pole(Ms(50.0), RATE),
            charge: pole(Ms(400.0), RATE),
            discharge: pole(Ms(400.0), RATE),
        })
    }

    fn one_stage() -> Ballistics {
        Ballistics::new(Times {
            attack: pole(Ms(10.0), RATE),
            release: pole(Ms(100.0), RATE),
            charge: 0.0,
            discharge: 0.0,
        })
    }

    fn hold(ballistics: &mut Ballistics, wanted: f64, frames: usize) -> f64 {
        (0..frames).map(|_| ballistics.next(wanted, wanted)).last().expect("frames are many")
    }

    /// Frames until the reduction has fallen to `level`.
    fn falls_to(ballistics: &mut Ballistics, level: f64) -> usize {
        (1..1_000_000).find(|_| ballistics.next(0.0, 0.0) <= level).expect("it falls")
    }

    #[test]
    fn a_step_reaches_63_percent_after_attack_and_after_release() {
        let mut ballistics = one_stage();
        let reached = hold(&mut ballistics, 8.0, 480);
        assert!((reached - 8.0 * (1.0 - (-1f64).exp())).abs() < 1e-9, "{reached}");
        hold(&mut ballistics, 8.0, 48_000);
        let left = hold(&mut ballistics, 0.0, 4800);
        assert!((left - 8.0 * (-1f64).exp()).abs() < 1e-9, "{left}");
    }

    #[test]
    fn a_short_event_is_over_sooner_than_a_long_one() {
        let (mut short, mut long) = (two_stage(), two_stage());
        let after_short = hold(&mut short, 6.0, 48 * 30);
        let after_long = hold(&mut long, 6.0, 48 * 3000);
        let half = |ballistics: &mut Ballistics, from: f64| falls_to(ballistics, 0.37 * from);
        let (short, long) = (half(&mut short, after_short), half(&mut long, after_long));
        assert!(short < 48 * 70, "{short}");
        assert!(long > 48 * 350, "{long}");
    }

    #[test]
    fn after_long_the_slow_stage_alone_is_heard() {
        let mut ballistics = two_stage();
        hold(&mut ballistics, 6.0, 48 * 8000);
        let left = hold(&mut ballistics, 0.0, 48 * 400);
        assert!((left - 6.0 * (-1f64).exp()).abs() < 1e-6, "{left}");
    }

    #[test]
    fn comes_to_rest_exactly() {
        let mut ballistics = two_stage();
        hold(&mut ballistics, 6.0, 4800);
        assert!(!ballistics.at_rest());
        hold(&mut ballistics, 0.0, 48 * 400 * 40);
        assert!(ballistics.at_rest());
    }

    #[test]
    fn never_overshoots_what_is_wanted() {
        let mut ballistics = two_stage();
        for (wanted, frames) in [(3.0, 5000), (9.0, 100), (1.0, 3000), (9.0, 40_000)] {
            for _ in 0..frames {
                let value = ballistics.next(wanted, wanted);
                assert!((0.0..=9.0).contains(&value));
            }
        }
    }
}
