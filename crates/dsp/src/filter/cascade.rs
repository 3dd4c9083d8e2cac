//! Sections in series, side by side in vectors.

use core::cell::Cell;
use core::ops::Range;

use super::kernel::{COEFFICIENTS, Kernel as Section, State};
use simd::{F64Vector, Isa, Kernel, Pairs, Simd, Vector};

/// Two channels of up to eight sections.
const LANES: usize = 2 * Cascade::MAX_SECTIONS;

/// Section of each lane.
const PLACES: [f64; LANES] = [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0, 5.0, 6.0, 6.0, 7.0, 7.0];

/// Coefficients of lanes without a section: the identity.
const NOTHING: [[f64; LANES]; COEFFICIENTS] = {
    let mut coefficients = [[0.0; LANES]; COEFFICIENTS];
    coefficients[COEFFICIENTS - 1] = [1.0; LANES];
    coefficients
};

/// Up to eight sections in series, for two channels.
///
/// The lanes of a vector are the channels of the first section, of the second, and so on; each section works on the
/// frame before the one that the section before it works on, so no section waits for another. In the first and last
/// steps of a run some sections have no frame and rest: there is no latency, and what comes out does not depend on how
/// audio is cut into runs. Equal to [`Section::process`] one after another, but for the last bits.
#[derive(Clone, Debug)]
pub(crate) struct Cascade {
    isa: Isa,
    /// Number of sections.
    pub(crate) count: usize,
    /// As of [`Section::lane`].
    coefficients: [[f64; LANES]; COEFFICIENTS],
    /// `s` and `t` of each lane.
    states: [[f64; LANES]; 2],
}

impl Cascade {
    /// The most sections.
    pub(crate) const MAX_SECTIONS: usize = 8;

    /// No sections, to be run with `isa`.
    pub(crate) fn new(isa: Isa) -> Self {
        Self { isa, count: 0, coefficients: NOTHING, states: [[0.0; LANES]; 2] }
    }

    /// Adds a section and its states, by channel.
    ///
    /// # Panics
    /// If there are as many as [`Self::MAX_SECTIONS`] already.
    pub(crate) fn push(&mut self, section: [&Section; 2], states: [State; 2]) {
        for channel in 0..2 {
            let lane = 2 * self.count + channel;
            for (to, from) in self.coefficients.iter_mut().zip(section[channel].lane()) {
                to[lane] = from;
            }
            [self.states[0][lane], self.states[1][lane]] = states[channel].0;
        }
        self.count += 1;
    }

    /// The state of the section of this index.
    pub(crate) fn state(&self, section: usize, channel: usize) -> State {
        State(self.states.map(|states| states[2 * section + channel]))
    }

    /// Filters both channels in place. Unsound states are made sound: NaN, infinity and subnormal numbers become zero, those of
    /// lanes without a section too, for what is no number times nothing is none.
    pub(crate) fn run(&mut self, left: &mut [f64], right: &mut [f64]) {
        let isa = self.isa;
        isa.run(Run { cascade: self, left, right });
    }
}

struct Run<'a> {
    cascade: &'a mut Cascade,
    left: &'a mut [f64],
    right: &'a mut [f64],
}

impl Kernel for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let lanes = F64Vector::<S>::LANES;
        match (2 * self.cascade.count).div_ceil(lanes) {
            0 => {}
            1 => self.vectors::<S, 1>(simd),
            2 => self.vectors::<S, 2>(simd),
            3 => self.vectors::<S, 3>(simd),
            4 => self.vectors::<S, 4>(simd),
            _ => self.vectors::<S, 8>(simd),
        }
    }
}

/// Coefficients of one step, by name, then by vector.
type Coefficients<V, const N: usize> = [[V; N]; COEFFICIENTS];

/// States and outputs of one step.
#[derive(Clone, Copy)]
struct Running<V, const N: usize> {
    s: [V; N],
    t: [V; N],
    y: [V; N],
}

impl<V: Pairs, const N: usize> Running<V, N> {
    /// Every section takes what the one before it gave in the last step, the first takes `frame`. Vectors that are not
    /// `among` those at work stay as they are.
    #[inline(always)]
    fn stepped(
        mut self,
        [a, b0, b1, c0, c1, d]: &Coefficients<V, N>,
        frame: [f64; 2],
        among: Range<usize>,
    ) -> Self {
        for n in (0..N).rev() {
            if !among.contains(&n) {
                continue;
            }
            let (s, t) = (self.s[n], self.t[n]);
            let x = if n == 0 { self.y[0].push(frame) } else { self.y[n].after(self.y[n - 1]) };
            let u = x - t;
            // The input is multiplied last: it is the last to be known.
            self.y[n] = x.mul_add(d[n], s.mul_add(c0[n], t * c1[n]));
            self.s[n] = u.mul_add(b0[n], a[n] * s);
            self.t[n] = u.mul_add(b1[n], s.mul_add(b0[n], t));
        }
        self
    }

    /// A step from a frame to an earlier one.
    #[inline(always)]
    fn played(
        self,
        coefficients: &Coefficients<V, N>,
        [left, right]: [&Cell<f64>; 2],
        [left_out, right_out]: [&Cell<f64>; 2],
    ) -> Self {
        let next = self.stepped(coefficients, [left.get(), right.get()], 0..N);
        let last = next.y[N - 1].last();
        left_out.set(last[0]);
        right_out.set(last[1]);
        next
    }

    /// The same, but in lanes of a place above the limit the states of `other`.
    #[inline(always)]
    fn above(mut self, other: Self, places: &[V; N], limit: V) -> Self {
        for n in 0..N {
            self.s[n] = other.s[n].where_above(self.s[n], places[n], limit);
            self.t[n] = other.t[n].where_above(self.t[n], places[n], limit);
        }
        self
    }
}

// Loops instead of closures: what is a closure of its own may not be compiled for the instruction set.
#[inline(always)]
fn load<S: Simd, const N: usize>(simd: S, from: &[f64; LANES]) -> [F64Vector<S>; N] {
    let mut vectors = [simd.splat(0.0); N];
    for n in 0..N {
        vectors[n] = simd.load(&from[n * F64Vector::<S>::LANES..]);
    }
    vectors
}

impl Run<'_> {
    #[inline(always)]
    fn vectors<S: Simd, const N: usize>(self, simd: S) {
        let lanes = F64Vector::<S>::LANES;
        let mut coefficients = [[simd.splat(0.0); N]; COEFFICIENTS];
        for (to, from) in coefficients.iter_mut().zip(&self.cascade.coefficients) {
            *to = load(simd, from);
        }
        let [s, t] = [load(simd, &self.cascade.states[0]), load(simd, &self.cascade.states[1])];
        let mut now = Running { s, t, y: [simd.splat(0.0); N] };
        // The last section is so many frames behind the first.
        let lag = N * lanes / 2 - 1;
        let frames = self.left.len();
        let places = load(simd, &PLACES);
        // As cells: a step reads a frame and writes an earlier one.
        let left = Cell::from_mut(self.left).as_slice_of_cells();
        let right = Cell::from_mut(&mut self.right[..frames]).as_slice_of_cells();
        // Vectors that have a section with a frame.
        let sections = lanes / 2;
        let among = |step: usize| (step + 1).saturating_sub(frames) / sections..N.min(step / sections + 1);
        for step in 0..lag {
            let frame = if step < frames { [left[step].get(), right[step].get()] } else { [0.0; 2] };
            // A section without a frame keeps its states: those that have none yet,
            let after = now.stepped(&coefficients, frame, among(step));
            let after = after.above(now, &places, simd.splat(step as f64));
            now = if step < frames {
                after
            } else {
                let past = simd.splat((step - frames) as f64);
                Running { y: after.y, ..now }.above(after, &places, past)
            };
        }
        let ahead = lag.min(frames);
        let [ins, outs] = [ahead..frames, 0..frames - ahead]
            .map(|range| [left, right].map(|channel| channel[range.clone()].as_chunks::<2>()));
        // Two frames at a time, for fewer moves between registers.
        let twos = ins[0].0.iter().zip(ins[1].0).zip(outs[0].0.iter().zip(outs[1].0));
        for ((left, right), (left_out, right_out)) in twos {
            for i in 0..2 {
                now = now.played(&coefficients, [&left[i], &right[i]], [&left_out[i], &right_out[i]]);
            }
        }
        let ones = ins[0].1.iter().zip(ins[1].1).zip(outs[0].1.iter().zip(outs[1].1));
        for ((left, right), (left_out, right_out)) in ones {
            now = now.played(&coefficients, [left, right], [left_out, right_out]);
        }
        for step in frames.max(lag)..frames + lag {
            // and those that have no more.
            let after = now.stepped(&coefficients, [0.0; 2], among(step));
            let past = simd.splat((step - frames) as f64);
            now = Running { y: after.y, ..now }.above(after, &places, past);
            let last = now.y[N - 1].last();
            left[step - lag].set(last[0]);
            right[step - lag].set(last[1]);
        }
        for n in 0..N {
            settled(simd, now.s[n]).store(&mut self.cascade.states[0][n * lanes..]);
            settled(simd, now.t[n]).store(&mut self.cascade.states[1][n * lanes..]);
        }
    }
}

/// [`flush_invalid`](crate::flush_invalid) of every lane.
#[inline(always)]
fn settled<S: Simd>(simd: S, state: F64Vector<S>) -> F64Vector<S> {
    let subnormal = simd.splat(f64::MIN_POSITIVE.next_down());
    state.finite().where_above(simd.splat(0.0), state.abs(), subnormal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    /// Bells and dips, one per index.
    fn section(i: usize) -> Section {
        let (place, width) = (0.002 * 3f64.powi(i as i32), 0.1 + 0.1 * i as f64);
        let gain = if i.is_multiple_of(2) { 2.0 } else { 0.6 };
        let denominator = [place, width, 1.0];
        Section::new(&super::super::Section { numerator: [place, gain * width, 1.0], denominator })
    }

    /// Each channel through one section after another.
    fn in_series(sections: &[[Section; 2]], audio: &mut [Vec<f64>; 2], states: &mut [[State; 2]]) {
        for (section, states) in sections.iter().zip(states) {
            for channel in 0..2 {
                section[channel].process(&mut states[channel], &mut audio[channel]);
            }
        }
    }

    #[test]
    fn equals_the_sections_one_after_another_in_runs_of_any_length() {
        for isa in Isa::all() {
            for count in 0..=Cascade::MAX_SECTIONS {
                let sections: Vec<[Section; 2]> =
                    (0..count)
                        .map(|i| {
                            if i == 3 {
                                [section(i), Section::IDENTITY]
                            } else {
                                [section(i), section(i + 1)]
                            }
                        })
                        .collect();
                let mut audio = [noise(1, 700, 0.5), noise(2, 700, 0.5)];
                let mut expected = audio.clone();
                let mut states = [[State::default(); 2]; Cascade::MAX_SECTIONS];
                in_series(&sections, &mut expected, &mut states);
                let mut cascade = Cascade::new(isa);
                for section in &sections {
                    cascade.push(section.each_ref(), Default::default());
                }
                let mut at = 0;
                for length in [1, 2, 7, 8, 9, 40, 1, 3, 200, 5, 424] {
                    let [left, right] = &mut audio;
                    cascade.run(&mut left[at..at + length], &mut right[at..at + length]);
                    at += length;
                }
                assert_eq!(at, 700);
                for channel in 0..2 {
                    for (got, want) in audio[channel].iter().zip(&expected[channel]) {
                        assert!((got - want).abs() < 1e-12, "{isa:?}, {count}: {got} {want}");
                    }
                    for i in 0..count {
                        let (got, want) = (cascade.state(i, channel).0, states[i][channel].0);
                        assert!(
                            (0..2).all(|k| (got[k] - want[k]).abs() < 1e-12),
                            "{isa:?}, {count}: state {i}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn unsound_states_become_zero_and_sound_ones_stay() {
        let unsound = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-310, -1e-310, 0.0];
        let sound = [1.0, -2.0, f64::MIN_POSITIVE, -f64::MIN_POSITIVE];
        let nothing = Section::IDENTITY;
        for isa in Isa::all() {
            for value in unsound.into_iter().chain(sound) {
                let mut cascade = Cascade::new(isa);
                // A section that does nothing forgets nothing: its states stay.
                cascade.push([&nothing; 2], [State([value, 0.0]), State([0.0, value])]);
                let states = |cascade: &Cascade| [cascade.state(0, 0).0[0], cascade.state(0, 1).0[1]];
                let before = states(&cascade);
                cascade.run(&mut [], &mut []);
                let expected = before.map(crate::flush_invalid);
                assert_eq!(
                    states(&cascade).map(f64::to_bits),
                    expected.map(f64::to_bits),
                    "{isa:?}, {value}"
                );
            }
        }
    }

    #[test]
    fn bits_do_not_depend_on_runs() {
        let make = |isa| {
            let mut cascade = Cascade::new(isa);
            (0..5).for_each(|i| cascade.push([&section(i); 2], Default::default()));
            cascade
        };
        for isa in Isa::all() {
            let [mut left, mut right] = [noise(3, 300, 0.5), noise(4, 300, 0.5)];
            let mut whole = [left.clone(), right.clone()];
            let [a, b] = &mut whole;
            make(isa).run(a, b);
            let mut cut = make(isa);
            for (left, right) in left.chunks_mut(11).zip(right.chunks_mut(11)) {
                cut.run(left, right);
            }
            assert!([left, right] == whole, "{isa:?}");
        }
    }
}
