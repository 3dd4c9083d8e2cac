//! K-weighting of parallel signals, one per lane, for the sum of their squares.
//!
//! The same filter as [`KWeighting`](super::k_weighting::KWeighting), the reference in its tests. Both sections in
//! direct form II, where the feedback of a sample waits for one addition only; the gain of the shelf is applied at
//! the end, and the high-pass's numerator, 1 - 2z^-1 + z^-2, is two differences.

use dsp::flush_invalid;
use simd::{Isa, Kernel, Registers, Simd, Vector};
use units::Hz;

use super::k_weighting::sections;

/// Sample type of the lanes.
pub(super) trait Lane: Copy {
    /// The first samples of `from`, one vector, as finite `f64`.
    fn load<S: Simd>(simd: S, from: &[Self]) -> <S as Registers<f64>>::Vector;
}

/// Any samples: non-finite ones count as silence.
impl Lane for f64 {
    #[inline(always)]
    fn load<S: Simd>(simd: S, from: &[Self]) -> <S as Registers<f64>>::Vector {
        simd.load(from).finite()
    }
}

/// Finite samples only.
impl Lane for f32 {
    #[inline(always)]
    fn load<S: Simd>(simd: S, from: &[Self]) -> <S as Registers<f64>>::Vector {
        simd.widen(from)
    }
}

/// Coefficients of both sections.
#[derive(Clone, Copy, Debug)]
struct KCoefficients {
    /// Feedback coefficients of the shelf, negated.
    shelf_a: [f64; 2],
    /// Feedforward coefficients of the shelf, divided by the first.
    shelf_b: [f64; 2],
    /// Feedback coefficients of the high-pass, negated.
    pass_a: [f64; 2],
}

/// Filter of `W` signals.
#[derive(Clone, Debug)]
pub(super) struct KLanes<const W: usize> {
    isa: Isa,
    coefficients: KCoefficients,
    /// Square of the shelf's gain, applied to the energies.
    scale: f64,
    /// Last and last but one value of the shelf, then of the high-pass.
    state: [[f64; W]; 4],
    /// Energy since the last [`Self::take`], without `scale`.
    energy: [f64; W],
}

impl<const W: usize> KLanes<W> {
    /// Returns filters at `rate`; `W` is a multiple of the lanes of `isa`.
    pub(super) fn new(isa: Isa, rate: Hz) -> Self {
        let [shelf, pass] = sections(rate);
        let coefficients = KCoefficients {
            shelf_a: shelf.a.map(|a| -a),
            shelf_b: [shelf.b[1] / shelf.b[0], shelf.b[2] / shelf.b[0]],
            pass_a: pass.a.map(|a| -a),
        };
        let scale = shelf.b[0] * shelf.b[0];
        Self { isa, coefficients, scale, state: [[0.0; W]; 4], energy: [0.0; W] }
    }

    /// Clears state and energies.
    pub(super) fn reset(&mut self) {
        self.state = [[0.0; W]; 4];
        self.energy = [0.0; W];
    }

    /// Processes frames, one sample per lane.
    pub(super) fn process<T: Lane>(&mut self, frames: &[[T; W]]) {
        let isa = self.isa;
        isa.run(LanesKernel { lanes: self, frames });
    }

    /// Clears invalid and denormal states: see [`flush_invalid`].
    pub(super) fn flush_state(&mut self) {
        self.state.as_flattened_mut().iter_mut().for_each(|state| *state = flush_invalid(*state));
    }

    /// Returns the energy of each lane since the last call: the sum of squares of its weighted samples.
    pub(super) fn take(&mut self) -> [f64; W] {
        core::mem::replace(&mut self.energy, [0.0; W]).map(|energy| energy * self.scale)
    }
}

struct LanesKernel<'a, T, const W: usize> {
    lanes: &'a mut KLanes<W>,
    frames: &'a [[T; W]],
}

impl<T: Lane, const W: usize> Kernel for LanesKernel<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let lanes = <S as Registers<f64>>::Vector::LANES;
        let mut first = 0;
        // Two vectors at a time: the second computes while the first waits for its feedback.
        while first + 2 * lanes <= W {
            self.vectors::<S, 2>(simd, first);
            first += 2 * lanes;
        }
        while first + lanes <= W {
            self.vectors::<S, 1>(simd, first);
            first += lanes;
        }
        assert_eq!(first, W, "signals fill whole vectors");
    }
}

impl<T: Lane, const W: usize> LanesKernel<'_, T, W> {
    /// Filters the lanes from `first` on, `N` vectors of them.
    #[inline(always)]
    fn vectors<S: Simd, const N: usize>(&mut self, simd: S, first: usize) {
        let lanes = <S as Registers<f64>>::Vector::LANES;
        let KCoefficients { shelf_a, shelf_b, pass_a } = self.lanes.coefficients;
        let [shelf_a, shelf_b, pass_a] = [shelf_a, shelf_b, pass_a].map(|pair| pair.map(|c| simd.splat(c)));
        let place = |n: usize| first + n * lanes;
        let load = |from: &[f64; W]| core::array::from_fn::<_, N, _>(|n| simd.load(&from[place(n)..]));
        let [mut shelf_1, mut shelf_2, mut pass_1, mut pass_2] = self.lanes.state.each_ref().map(load);
        let mut energy = load(&self.lanes.energy);
        let mut difference: [_; N] = core::array::from_fn(|n| pass_1[n] - pass_2[n]);
        for frame in self.frames {
            for n in 0..N {
                let x = T::load(simd, &frame[place(n)..]);
                // The last value is added last: only it has to be waited for.
                let shelf = shelf_1[n].mul_add(shelf_a[0], shelf_2[n].mul_add(shelf_a[1], x));
                let y = shelf_2[n].mul_add(shelf_b[1], shelf_1[n].mul_add(shelf_b[0], shelf));
                (shelf_1[n], shelf_2[n]) = (shelf, shelf_1[n]);
                let pass = pass_1[n].mul_add(pass_a[0], pass_2[n].mul_add(pass_a[1], y));
                let slope = pass - pass_1[n];
                let z = slope - difference[n];
                (pass_1[n], pass_2[n], difference[n]) = (pass, pass_1[n], slope);
                energy[n] = z.mul_add(z, energy[n]);
            }
        }
        let states = [shelf_1, shelf_2, pass_1, pass_2];
        for (to, from) in self.lanes.state.iter_mut().zip(states).chain([(&mut self.lanes.energy, energy)]) {
            (0..N).for_each(|n| from[n].store(&mut to[place(n)..]));
        }
    }
}

#[cfg(test)]
mod tests;
