//! Motion of a gain reduction: attack, and a release in one or two stages.

use core::array;

use units::{Hz, Ms, linear};

/// Coefficient of a one-pole filter with the time constant `time`: its share of the distance per sample, 1 - e^(-1/τ).
pub fn one_pole_coefficient(time: Ms, rate: Hz) -> f64 {
    if time.0 > 0.0 { -(-1e3 / (time.0 * rate.0)).exp_m1() } else { 1.0 }
}

/// Linear gain of a reduction in dB; exactly one for none.
#[inline]
pub fn factor(reduction_db: f64) -> f64 {
    if reduction_db > 0.0 { linear(-reduction_db) } else { 1.0 }
}

/// Coefficients of a [`Ballistics`]; see [`one_pole_coefficient`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BallisticsCoefficients {
    /// Towards a larger reduction.
    pub attack: f64,
    /// Towards the floor: the slow stage or the wanted reduction, whichever is larger.
    pub release: f64,
    /// Slow stage, upwards; zero: no slow stage.
    pub charge: f64,
    /// Slow stage, downwards.
    pub discharge: f64,
}

impl BallisticsCoefficients {
    /// Slow stage after another frame.
    #[inline(always)]
    fn next_slow(&self, slow: f64, wanted: f64) -> f64 {
        let way = wanted - slow;
        something(slow + way * if way > 0.0 { self.charge } else { self.discharge })
    }

    /// Part of a falling reduction that does not depend on its own last value, given the slow stage before and after this
    /// frame. The part above the floor falls with the release, and sinks with the floor: the two do not add up.
    #[inline(always)]
    fn falling(&self, wanted: f64, before: f64, after: f64) -> f64 {
        let before = if before > wanted { before } else { wanted };
        let floor = if after > wanted { after } else { wanted };
        let sinks = floor - before;
        let sinks = if sinks < 0.0 { sinks } else { 0.0 };
        sinks * (1.0 - self.release) + floor * self.release
    }

    /// Reduction after another frame.
    #[inline(always)]
    fn next_value(&self, value: f64, wanted: f64, falling: f64) -> f64 {
        let way = wanted - value;
        let risen = value + way * self.attack;
        let fallen = value * (1.0 - self.release) + falling;
        something(if way >= 0.0 { risen } else { fallen })
    }
}

/// Moves the reductions of `N` channels towards the wanted ones, independently.
///
/// Attack and release are one-pole, 63.2 % in the time given. Beside it a slow stage follows the wanted reduction over a
/// longer time, and the release only falls down to it: a short event hardly charges the slow stage and is over with the
/// fast release, a long one leaves with the slow stage. That is the program-dependent release by duration.
#[derive(Clone, Debug, PartialEq)]
pub struct Ballistics<const N: usize> {
    coefficients: BallisticsCoefficients,
    value: [f64; N],
    slow: [f64; N],
}

/// Smallest reduction, in dB; below it the state becomes exactly zero.
pub(super) const MIN_REDUCTION: f64 = 1e-12;

impl<const N: usize> Ballistics<N> {
    /// Ballistics at rest.
    pub fn new(coefficients: BallisticsCoefficients) -> Self {
        Self { coefficients, value: [0.0; N], slow: [0.0; N] }
    }

    /// Changes the coefficients; the state is kept.
    pub fn set(&mut self, coefficients: BallisticsCoefficients) {
        self.coefficients = coefficients;
    }

    /// Reductions of the next frame, in dB; `wanted` are those to reach, finite and at least zero.
    #[inline(always)]
    pub fn next(&mut self, wanted: [f64; N]) -> [f64; N] {
        // Choices, not branches: channels go side by side.
        for i in 0..N {
            let slow = self.coefficients.next_slow(self.slow[i], wanted[i]);
            let falling = self.coefficients.falling(wanted[i], self.slow[i], slow);
            self.value[i] = self.coefficients.next_value(self.value[i], wanted[i], falling);
            self.slow[i] = slow;
        }
        self.value
    }

    /// Reductions of the last frame, in dB.
    #[inline]
    pub fn value(&self) -> [f64; N] {
        self.value
    }

    /// True when both stages are exactly zero.
    #[inline]
    pub fn at_rest(&self) -> bool {
        self.value == [0.0; N] && self.slow == [0.0; N]
    }

    /// Back to rest.
    pub fn reset(&mut self) {
        (self.value, self.slow) = ([0.0; N], [0.0; N]);
    }
}

impl<const N: usize> Ballistics<N> {
    /// [`next`](Self::next) for every frame wanted, inside a kernel.
    #[inline(always)]
    pub(super) fn each(&mut self, wanted: &[[f64; N]], reductions: &mut [[f64; N]]) {
        let mut now = self.clone();
        if now.coefficients.charge == now.coefficients.discharge {
            // No choice to be made: said so that the compiler knows.
            now.coefficients.charge = now.coefficients.discharge;
            now.run_in_fours(wanted, reductions);
        } else {
            now.run_in_fours(wanted, reductions);
        }
        *self = now;
    }

    /// Runs in groups of four frames, the slow stage ahead: neither stage waits for the other at every frame.
    #[inline(always)]
    fn run_in_fours(&mut self, wanted: &[[f64; N]], reductions: &mut [[f64; N]]) {
        let coefficients = self.coefficients;
        let (fours, rest) = wanted.as_chunks::<4>();
        let (places, last) = reductions.as_chunks_mut::<4>();
        for (wanted, places) in fours.iter().zip(places) {
            let mut slows = [self.slow; 5];
            for i in 0..4 {
                slows[i + 1] =
                    array::from_fn(|channel| coefficients.next_slow(slows[i][channel], wanted[i][channel]));
            }
            self.slow = slows[4];
            for i in 0..4 {
                for channel in 0..N {
                    let (before, after) = (slows[i][channel], slows[i + 1][channel]);
                    let falling = coefficients.falling(wanted[i][channel], before, after);
                    self.value[channel] =
                        coefficients.next_value(self.value[channel], wanted[i][channel], falling);
                }
                places[i] = self.value;
            }
        }
        for (wanted, place) in rest.iter().zip(last) {
            *place = self.next(*wanted);
        }
    }

    /// True if all channels have one state, so that equal wants keep them equal.
    pub(super) fn is_linked(&self) -> bool {
        self.value == [self.value[0]; N] && self.slow == [self.slow[0]; N]
    }
}

impl Ballistics<2> {
    /// [`each`](Self::each) for two channels with [one state](Self::is_linked) that want the same.
    #[inline(always)]
    pub(super) fn each_linked(&mut self, wanted: &[f64], reductions: &mut [f64]) {
        let mut one =
            Ballistics { coefficients: self.coefficients, value: [self.value[0]], slow: [self.slow[0]] };
        one.each(wanted.as_chunks().0, reductions.as_chunks_mut().0);
        (self.value, self.slow) = ([one.value[0]; 2], [one.slow[0]; 2]);
    }
}

/// The reduction, or zero if it is below [`MIN_REDUCTION`] or not a number.
#[inline(always)]
pub(super) fn something(reduction: f64) -> f64 {
    if reduction > MIN_REDUCTION { reduction } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::largest;
    use super::*;
    use simd::{Isa, Kernel, Simd};
    use testkit::noise;

    const RATE: Hz = Hz(48_000.0);

    fn two_stage() -> Ballistics<1> {
        Ballistics::new(BallisticsCoefficients {
            attack: one_pole_coefficient(Ms(10.0), RATE),
            release: one_pole_coefficient(Ms(50.0), RATE),
            charge: one_pole_coefficient(Ms(400.0), RATE),
            discharge: one_pole_coefficient(Ms(400.0), RATE),
        })
    }

    fn one_stage() -> Ballistics<1> {
        Ballistics::new(BallisticsCoefficients {
            attack: one_pole_coefficient(Ms(10.0), RATE),
            release: one_pole_coefficient(Ms(100.0), RATE),
            charge: 0.0,
            discharge: 0.0,
        })
    }

    fn hold(ballistics: &mut Ballistics<1>, wanted: f64, frames: usize) -> f64 {
        (0..frames).map(|_| ballistics.next([wanted])[0]).last().expect("frames are many")
    }

    /// Frames until the reduction has fallen to `level`.
    fn falls_to(ballistics: &mut Ballistics<1>, level: f64) -> usize {
        (1..1_000_000).find(|_| ballistics.next([0.0])[0] <= level).expect("it falls")
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
        let half = |ballistics: &mut Ballistics<1>, from: f64| falls_to(ballistics, 0.37 * from);
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
                let [value] = ballistics.next([wanted]);
                assert!((0.0..=9.0).contains(&value));
            }
        }
    }

    /// [`Ballistics::each`], and the largest.
    struct EachFrame<'a>(&'a mut Ballistics<2>, &'a [[f64; 2]], &'a mut [[f64; 2]]);

    impl Kernel for EachFrame<'_> {
        type Output = f64;

        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> f64 {
            self.0.each(self.1, self.2);
            largest(self.2.as_flattened())
        }
    }

    #[test]
    fn channels_move_side_by_side_as_each_alone_with_every_instruction_set() {
        let wanted: Vec<f64> = noise(7, 4000, 12.0).iter().map(|x| x.max(0.0)).collect();
        let frames: Vec<[f64; 2]> = wanted.iter().zip(wanted.iter().rev()).map(|(a, b)| [*a, *b]).collect();
        for isa in Isa::all() {
            let mut both = frames.clone();
            let mut ballistics =
                Ballistics { coefficients: two_stage().coefficients, value: [0.0; 2], slow: [0.0; 2] };
            let largest = isa.run(EachFrame(&mut ballistics, &frames, &mut both));
            for channel in 0..2 {
                let mut alone = two_stage();
                let plain: Vec<f64> = frames.iter().map(|f| alone.next([f[channel]])[0]).collect();
                assert!(both.iter().map(|f| f[channel]).eq(plain), "{isa:?}");
            }
            assert_eq!(both.iter().flatten().copied().fold(0.0, f64::max), largest);
        }
    }
}
