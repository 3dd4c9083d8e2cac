//! Where several bands go, decided side by side.

use core::ops::Range;

use super::dynamics::{Dynamics, Hold, KNEE, SLOPE};
use crate::ballistics::MIN_REDUCTION;
use crate::filter::Moving;
use simd::{Binary, Pairs, Registers, Simd, Vector};
use units::DOUBLING;

const LANES: usize = Moving::MOST;

/// One number of each band.
type Lanes = [f64; LANES];

/// What [`Dynamics::step`] does, for up to eight bands at once: equal to it within 1e-9 dB. It has what the bands'
/// dynamics remember until it is [taken back](Self::take_back).
#[derive(Clone, Debug, Default)]
pub(super) struct Steps {
    /// The longest a level is held, in steps, and how long it will be.
    hold_steps: Lanes,
    steps_left: Lanes,
    now: Lanes,
    before: Lanes,
    /// Decibels at which the curve starts to act.
    start: Lanes,
    /// The most decibels, and their sign.
    most: Lanes,
    sign: Lanes,
    attack: Lanes,
    release: Lanes,
    /// Decibels without sign.
    moved: Lanes,
}

/// A vector of an instruction set.
type Wide<S> = <S as Registers<f64>>::Vector;

/// Levels in decibels of squares, which are finite and at least 1e-300, within 1e-10 dB: as in
/// [`levels`](crate::decibels), with as much of the series as a band needs.
#[inline(always)]
fn level<S: Simd>(simd: S, square: Wide<S>) -> Wide<S> {
    const SERIES: [f64; 6] = [1.0, 1.0 / 3.0, 1.0 / 5.0, 1.0 / 7.0, 1.0 / 9.0, 1.0 / 11.0];
    let one: Wide<S> = simd.splat(1.0);
    let (exponent, fraction) = square.split();
    let above = simd.splat(core::f64::consts::SQRT_2);
    let m = (fraction * simd.splat(0.5)).where_above(fraction, fraction, above);
    let k = (exponent + one).where_above(exponent, fraction, above);
    let z = (m - one) / (m + one);
    let square = z * z;
    let mut sum: Wide<S> = simd.splat(1.0 / 13.0);
    for i in 0..SERIES.len() {
        sum = sum.mul_add(square, simd.splat(SERIES[SERIES.len() - 1 - i]));
    }
    let scale = 0.5 * DOUBLING.0;
    (sum * z).mul_add(simd.splat(2.0 * core::f64::consts::LOG2_E * scale), k * simd.splat(scale))
}

impl Steps {
    /// Takes what the band at `place` remembers.
    pub(super) fn lend(&mut self, place: usize, dynamics: &Dynamics) {
        let (hold, range) = (dynamics.hold, dynamics.range.value());
        self.hold_steps[place] = dynamics.hold_steps as f64;
        self.steps_left[place] = hold.steps_left as f64;
        (self.now[place], self.before[place]) = (hold.now, hold.before);
        self.start[place] = dynamics.curve.start().0;
        (self.most[place], self.sign[place]) = (range.abs(), range.signum());
        (self.attack[place], self.release[place]) = (dynamics.moved.attack, dynamics.moved.release);
        self.moved[place] = dynamics.moved.value;
    }

    /// How many decibels the band at `place` has moved, without sign.
    pub(super) fn moved(&self, place: usize) -> f64 {
        self.moved[place]
    }

    /// Gives the band at `place` back what it remembers.
    pub(super) fn take_back(&self, place: usize, dynamics: &mut Dynamics) {
        dynamics.hold = Hold {
            steps_left: self.steps_left[place] as usize,
            now: self.now[place],
            before: self.before[place],
        };
        dynamics.moved.value = self.moved[place];
    }

    /// The end of a step for the bands at `places`; `loudest`: the largest square that each has heard in it. Gives how
    /// far they move, in decibels.
    #[inline(always)]
    pub(super) fn next<S: Simd>(&mut self, simd: S, places: Range<usize>, loudest: &Lanes) -> Lanes {
        let lanes = Wide::<S>::LANES;
        let mut movements = [0.0; LANES];
        let zero: Wide<S> = simd.splat(0.0);
        let first: Wide<S> = simd.splat(places.start as f64 - 0.5);
        let end: Wide<S> = simd.splat(places.end as f64 - 0.5);
        for n in 0..LANES / lanes {
            let from = n * lanes;
            let place: Wide<S> = simd.load(&PLACES[from..]);
            // Only where a step ends anything changes.
            macro_rules! change {
                ($to:ident, $after:expr) => {
                    let before: Wide<S> = simd.load(&self.$to[from..]);
                    let after = before.where_above($after, place, end);
                    after.where_above(before, place, first).store(&mut self.$to[from..]);
                };
            }
            let [left, now, before]: [Wide<S>; 3] = [
                simd.load(&self.steps_left[from..]),
                simd.load(&self.now[from..]),
                simd.load(&self.before[from..]),
            ];
            let half: Wide<S> = simd.splat(0.5);
            let before = now.where_above(before, half, left);
            let now = zero.where_above(now, half, left);
            let steps: Wide<S> = simd.load(&self.hold_steps[from..]);
            let left = steps.where_above(left, half, left) - simd.splat(1.0);
            let heard: Wide<S> = simd.load(&loudest[from..]);
            let now = heard.finite().max(now);
            let start: Wide<S> = simd.load(&self.start[from..]);
            let level = level(simd, before.max(now).max(simd.splat(1e-300)));
            let into = (level - start).max(zero);
            let bent = into * into * simd.splat(SLOPE / (2.0 * KNEE.0));
            let straight = (into - simd.splat(0.5 * KNEE.0)) * simd.splat(SLOPE);
            let wanted = straight.where_above(bent, into, simd.splat(KNEE.0));
            let most: Wide<S> = simd.load(&self.most[from..]);
            let wanted = most.where_above(wanted, wanted, most);
            let value: Wide<S> = simd.load(&self.moved[from..]);
            let attack: Wide<S> = simd.load(&self.attack[from..]);
            let release: Wide<S> = simd.load(&self.release[from..]);
            let value = (wanted - value).mul_add(release.where_above(attack, value, wanted), value);
            let value = value.where_above(zero, value, simd.splat(MIN_REDUCTION));
            let sign: Wide<S> = simd.load(&self.sign[from..]);
            (most.where_above(value, value, most) * sign).store(&mut movements[from..]);
            change!(before, before);
            change!(now, now);
            change!(steps_left, left);
            change!(moved, value);
        }
        movements
    }
}

const PLACES: Lanes = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];

#[cfg(test)]
mod tests {
    use super::super::{BandSettings, DynamicSettings};
    use super::*;
    use simd::{Isa, Kernel};
    use testkit::noise;
    use units::{Db, Hz, Ms};

    struct Next<'a>(&'a mut Steps, Range<usize>, &'a Lanes);

    impl Kernel for Next<'_> {
        type Output = Lanes;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Lanes {
            self.0.next(simd, self.1, self.2)
        }
    }

    #[test]
    fn equals_each_band_alone() {
        let make = |i: usize| {
            let dynamic = DynamicSettings {
                range: Db(if i.is_multiple_of(2) { -9.0 } else { 4.0 }),
                threshold: Db(-40.0 + 5.0 * i as f64),
                attack: Ms(0.1 + i as f64),
                release: Ms(20.0),
                ..DynamicSettings::default()
            };
            let frequency = Hz(60.0 * 2.0f64.powi(i as i32));
            let band = BandSettings { on: true, frequency, dynamic, ..BandSettings::default() };
            let mut dynamics = Dynamics::new(&band, Hz(48_000.0));
            dynamics.tick(band.frequency, band.q);
            dynamics
        };
        let swell = |i: usize| (i as f64 / 300.0).sin().powi(8);
        let squares: Vec<f64> =
            noise(3, 8 * 4000, 1.0).iter().enumerate().map(|(i, x)| x * x * swell(i / 8)).collect();
        for isa in Isa::all() {
            let mut alone: [Dynamics; LANES] = core::array::from_fn(make);
            let mut steps = Steps::default();
            (0..LANES).for_each(|i| steps.lend(i, &alone[i]));
            let mut farthest = [0.0f64; LANES];
            for (i, loudest) in squares.as_chunks::<LANES>().0.iter().enumerate() {
                // Sometimes not all of them.
                let places = if i % 5 == 4 { i % 3..8 - i % 4 } else { 0..8 };
                let got = isa.run(Next(&mut steps, places.clone(), loudest));
                for place in places {
                    alone[place].take(loudest[place]);
                    let want = alone[place].step();
                    assert!((got[place] - want).abs() < 1e-9, "{isa:?}, {i}, {place}: {} {want}", got[place]);
                    farthest[place] = farthest[place].max(want.abs());
                }
            }
            assert!(farthest.iter().all(|&farthest| farthest > 1.0), "all of them move: {farthest:?}");
            for (place, alone) in alone.iter().enumerate() {
                let mut back = make(place);
                steps.take_back(place, &mut back);
                assert!((back.moved.value - alone.moved.value).abs() < 1e-9, "{isa:?}: {place}");
                assert_eq!(back.hold, alone.hold, "{isa:?}: {place}");
            }
        }
    }
}
