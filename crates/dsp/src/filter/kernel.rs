//! Second-order filter kernel, stable while its coefficients move.

use super::Section;
use crate::{CONTROL_INTERVAL, Pair, flush_invalid};
use simd::{Registers, Vector};

/// A section as a linear state machine with two states `s` and `t`; with `u = x - t`
///
/// ```text
/// s' = a s + b0 u,   t' = t + b0 s + b1 u,   y = x + c0 s + c1 t + e x
/// ```
///
/// The trapezoidal state-variable filter (Simper, "Solving the continuous SVF equations using trapezoidal integration and
/// equivalent currents", 2013; Zavalishin, "The Art of VA Filter Design", 2018, chapter 4) written as one matrix. The state
/// update never increases the Euclidean norm of the state, for any frequency and damping, and neither does any mixture of
/// two such updates: the state stays bounded however the coefficients glide. The output is what is *added* to the input, so
/// an identity section is exact to the bit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kernel([f64; COEFFICIENTS]);

/// Coefficients of a [`Kernel`]: `a`, `b0`, `b1`, `c0`, `c1` and `e`.
pub(super) const COEFFICIENTS: usize = 6;

/// States `s` and `t` of a [`Kernel`] for one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct State(pub(super) [f64; 2]);

impl State {
    /// Replaces NaN, infinity and subnormal numbers by zero.
    #[inline]
    pub fn flush_invalid(&mut self) {
        self.0 = self.0.map(flush_invalid);
    }
}

impl Kernel {
    /// Adds nothing, remembers nothing.
    pub const IDENTITY: Self = Self([0.0; COEFFICIENTS]);

    /// The kernel of `section`.
    pub fn new(section: &Section) -> Self {
        let ([n0, n1, n2], [d0, d1, d2]) = (section.numerator, section.denominator);
        let g = (d0 / d2).sqrt();
        let k = d1 / (d0 * d2).sqrt();
        // Gains with which the high-, band- and low-pass outputs of the state-variable filter are added to the input.
        let (high, band, low) = (n2 / d2 - 1.0, (n1 - d1) / (d0 * d2).sqrt(), n0 / d0 - 1.0);
        let (band, low) = (band - high * k, low - high);
        let h = 1.0 / (1.0 + g * (g + k));
        let (gh, ggh) = (g * h, g * g * h);
        let (a, b0, b1) = (2.0 * h - 1.0, 2.0 * gh, 2.0 * ggh);
        let (c0, c1) = (band * h + low * gh, low * (1.0 - ggh) - band * gh);
        Self([a, b0, b1, c0, c1, high + band * gh + low * ggh])
    }

    /// True when the output is the input, exactly.
    pub fn is_identity(&self) -> bool {
        self.0[3..] == [0.0; 3]
    }

    /// The coefficients of a lane of a cascade: the last is `1 + e`, the factor of the input.
    #[inline(always)]
    pub(super) fn lane(&self) -> [f64; COEFFICIENTS] {
        let [a, b0, b1, c0, c1, e] = self.0;
        [a, b0, b1, c0, c1, 1.0 + e]
    }

    /// Filters `samples` of one channel in place.
    pub fn process(&self, state: &mut State, samples: &mut [f64]) {
        let [a, b0, b1, c0, c1, e] = self.0;
        for sample in samples {
            let ([s, t], x) = (state.0, *sample);
            let u = x - t;
            state.0 = [a * s + b0 * u, t + (b0 * s + b1 * u)];
            *sample = x + (c0 * s + c1 * t + e * x);
        }
    }

    /// The kernel a share (0 to 1) of the way from `self` to `next`. As stable as both.
    #[inline(always)]
    pub fn mixed(&self, next: &Self, share: f64) -> Self {
        let mut mixed = *self;
        for (mixed, next) in mixed.0.iter_mut().zip(&next.0) {
            *mixed += (next - *mixed) * share;
        }
        mixed
    }
}

/// A kernel for two channels that glides from one kernel to another, and its states.
#[derive(Clone, Copy, Debug)]
pub(super) struct StereoKernel {
    /// Coefficients at the start of an interval, and how much they change in it: once for each channel.
    from: [Pair; COEFFICIENTS],
    change: [Pair; COEFFICIENTS],
    end: Kernel,
    /// States `s` and `t` of both channels.
    states: [Pair; 2],
}

impl StereoKernel {
    /// The identity, without memory.
    pub(super) const IDENTITY: Self = Self {
        from: [[0.0; 2]; COEFFICIENTS],
        change: [[0.0; 2]; COEFFICIENTS],
        end: Kernel::IDENTITY,
        states: [[0.0; 2]; 2],
    };

    /// The kernel at the end of the interval.
    #[inline(always)]
    pub(super) fn end(&self) -> &Kernel {
        &self.end
    }

    /// Rests at `kernel`.
    pub(super) fn rest_at(&mut self, kernel: &Kernel) {
        self.end = *kernel;
        self.move_to(kernel);
    }

    /// Starts an interval: from where it is at the end of this one to `kernel`.
    #[inline(always)]
    pub(super) fn move_to(&mut self, kernel: &Kernel) {
        for (c, (from, to)) in self.end.0.iter().zip(&kernel.0).enumerate() {
            self.from[c] = [*from; 2];
            self.change[c] = [to - from; 2];
        }
        self.end = *kernel;
    }

    /// Rests where it is, a share (0 to 1) of the interval over.
    pub(super) fn halt(&mut self, share: f64) {
        let start = Kernel(self.from.map(|pair| pair[0]));
        self.rest_at(&if share < 1.0 { start.mixed(&self.end, share) } else { self.end });
    }

    /// The state of one channel.
    pub(super) fn state(&self, channel: usize) -> State {
        State(self.states.map(|state| state[channel]))
    }

    /// Replaces the state of one channel.
    pub(super) fn set_state(&mut self, channel: usize, state: State) {
        for (to, from) in self.states.iter_mut().zip(state.0) {
            to[channel] = from;
        }
    }

    /// Forgets all audio.
    pub(super) fn clear(&mut self) {
        self.states = [[0.0; 2]; 2];
    }

    /// Replaces NaN, infinity and subnormal numbers in the states by zero.
    #[inline]
    pub(super) fn flush_invalid(&mut self) {
        self.states.as_flattened_mut().iter_mut().for_each(|state| *state = flush_invalid(*state));
    }

    /// Loads it into registers, for a loop over frames.
    #[inline(always)]
    pub(super) fn load<R: Registers<f64>>(&self, registers: R) -> RunningKernel<R::Vector> {
        // Loops, not closures: a closure may not be compiled for the caller's instruction set.
        let zero = registers.splat(0.0);
        let (mut from, mut change) = ([zero; COEFFICIENTS], [zero; COEFFICIENTS]);
        for c in 0..COEFFICIENTS {
            from[c] = registers.load(&self.from[c]);
            change[c] = registers.load(&self.change[c]);
        }
        let states = [registers.load(&self.states[0]), registers.load(&self.states[1])];
        RunningKernel { from, change, states }
    }

    /// Takes the states back after the loop.
    #[inline(always)]
    pub(super) fn store<V: Vector<f64>>(&mut self, running: &RunningKernel<V>) {
        running.states[0].store(&mut self.states[0]);
        running.states[1].store(&mut self.states[1]);
    }
}

/// A [`StereoKernel`] in registers. The lanes of a vector are the channels.
#[derive(Clone, Copy)]
pub(super) struct RunningKernel<V> {
    from: [V; COEFFICIENTS],
    change: [V; COEFFICIENTS],
    states: [V; 2],
}

impl<V: Vector<f64>> RunningKernel<V> {
    /// Filters a frame with the kernel at the start of the interval.
    #[inline(always)]
    pub(super) fn next(&mut self, frame: V) -> V {
        self.filter(self.from, frame)
    }

    /// Filters a frame, a share (0 to 1) of the interval over.
    #[inline(always)]
    pub(super) fn glide(&mut self, share: V, frame: V) -> V {
        let mut kernel = self.from;
        for c in 0..COEFFICIENTS {
            kernel[c] = kernel[c] + self.change[c] * share;
        }
        self.filter(kernel, frame)
    }

    /// As [`Kernel::process`], to the bit.
    #[inline(always)]
    fn filter(&mut self, [a, b0, b1, c0, c1, e]: [V; COEFFICIENTS], x: V) -> V {
        let [s, t] = self.states;
        let u = x - t;
        self.states = [a * s + b0 * u, t + (b0 * s + b1 * u)];
        x + (c0 * s + c1 * t + e * x)
    }
}

/// The share, in (0, 1], of a control interval that is over with the frame `since` frames after its tick.
#[inline]
pub fn ramp_share(since: usize) -> f64 {
    (since + 1) as f64 / CONTROL_INTERVAL as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use biquad::{Biquad, DirectForm2Transposed};
    use simd::{Pairs, stereo};
    use testkit::noise;

    const SECTIONS: [Section; 4] = [
        Section { numerator: [1.0, 3.0, 2.0], denominator: [1.0, 0.4, 1.5] },
        Section { numerator: [0.0, 0.0, 1.0], denominator: [0.01, 0.1, 1.0] },
        Section { numerator: [1.0, 0.0, 0.0], denominator: [1.0, 1.4, 1.0] },
        Section { numerator: [1.0, 0.2, 9.0], denominator: [1.0, 9.0, 3.0] },
    ];

    #[test]
    fn a_kernel_does_what_the_direct_form_does() {
        for section in SECTIONS {
            let mut samples = noise(4, 3000, 1.0);
            let mut oracle = DirectForm2Transposed::<f64>::new(section.coefficients());
            let expected: Vec<f64> = samples.iter().map(|&x| oracle.run(x)).collect();
            Kernel::new(&section).process(&mut State::default(), &mut samples);
            for (got, want) in samples.iter().zip(&expected) {
                assert!((got - want).abs() < 1e-12, "{section:?}: {got} {want}");
            }
        }
    }

    #[test]
    fn two_channels_in_registers_are_each_channel_alone_to_the_bit() {
        let kernels = SECTIONS.map(|section| Kernel::new(&section));
        let input = [noise(5, 64, 1.0), noise(6, 64, 1.0)];
        let registers = stereo();
        let mut both = StereoKernel::IDENTITY;
        let (mut outputs, mut states) = (input.clone(), [State::default(); 2]);
        both.rest_at(&kernels[0]);
        for (interval, ends) in kernels.windows(2).enumerate() {
            both.move_to(&ends[1]);
            let mut running = both.load(registers);
            for i in 16 * interval..16 * (interval + 1) {
                let share = (i % 16 + 1) as f64 / 16.0;
                let frame = registers.splat(0.0).push([input[0][i], input[1][i]]);
                let frame = running.glide(registers.splat(share), frame).last();
                for channel in 0..2 {
                    let sample = &mut outputs[channel][i..=i];
                    ends[0].mixed(&ends[1], share).process(&mut states[channel], sample);
                    assert_eq!(frame[channel].to_bits(), sample[0].to_bits(), "frame {i}");
                }
            }
            both.store(&running);
            assert_eq!([both.state(0), both.state(1)], states);
        }
        both.halt(0.25);
        let halted = kernels[2].mixed(&kernels[3], 0.25);
        assert!(both.change == [[0.0; 2]; COEFFICIENTS] && *both.end() == halted);
        let mut running = both.load(registers);
        let frame = running.next(registers.splat(0.5)).last();
        for channel in 0..2 {
            let mut sample = [0.5];
            halted.process(&mut states[channel], &mut sample);
            assert_eq!(frame[channel], sample[0]);
        }
        both.set_state(1, State([f64::NAN, 1e-310]));
        both.flush_invalid();
        assert_eq!(both.state(1), State::default());
    }

    #[test]
    fn an_equal_numerator_and_denominator_change_nothing() {
        for section in SECTIONS {
            let same = Section { numerator: section.denominator, ..section };
            assert!(Kernel::new(&same).is_identity());
        }
        assert!(Kernel::new(&Section::IDENTITY).is_identity());
    }

    #[test]
    fn no_mixture_of_two_kernels_lengthens_the_state() {
        for from in SECTIONS {
            for to in SECTIONS {
                let (from, to) = (Kernel::new(&from), Kernel::new(&to));
                for i in 0..CONTROL_INTERVAL {
                    let Kernel([a, b0, b1, ..]) = from.mixed(&to, ramp_share(i));
                    let [p, q, r, s] = [a, -b0, b0, 1.0 - b1];
                    // The larger eigenvalue of the transpose times the matrix.
                    let (trace, determinant) = (p * p + q * q + r * r + s * s, p * s - q * r);
                    let largest =
                        0.5 * (trace + (trace * trace - 4.0 * determinant * determinant).max(0.0).sqrt());
                    assert!(largest <= 1.0 + 1e-12, "{largest}");
                }
            }
        }
    }
}
