//! Sections in series whose kernels glide together.

use super::kernel::{COEFFICIENTS, Kernel, State};
use crate::{Pair, flush_invalid};
use simd::{Registers, Vector};

/// At most `MAX` sections in series, for two channels, that glide in intervals from one set of kernels to the next.
#[derive(Clone, Debug)]
pub struct Series<const MAX: usize> {
    sections: [Gliding; MAX],
    count: usize,
    /// Kernels at the start and at the end of the interval differ, or may.
    moving: bool,
}

/// One section with its states.
#[derive(Clone, Copy, Debug)]
struct Gliding {
    /// Coefficients at the start of an interval, and how much they change in it: once for each channel.
    from: [Pair; COEFFICIENTS],
    change: [Pair; COEFFICIENTS],
    end: Kernel,
    /// States `s` and `t` of both channels.
    states: [Pair; 2],
}

impl Gliding {
    /// A section at rest, without memory.
    fn at(kernel: &Kernel) -> Self {
        let zeros = [[0.0; 2]; COEFFICIENTS];
        Self { from: kernel.0.map(|c| [c; 2]), change: zeros, end: *kernel, states: [[0.0; 2]; 2] }
    }

    #[inline(always)]
    fn glide(&mut self, from: Kernel, to: &Kernel) {
        for (c, (from, to)) in from.0.iter().zip(&to.0).enumerate() {
            self.from[c] = [*from; 2];
            self.change[c] = [to - from; 2];
        }
        self.end = *to;
    }
}

impl<const MAX: usize> Series<MAX> {
    /// Sections at rest at `kernels`, of which there are at most `MAX`, without memory.
    pub fn new(kernels: &[Kernel]) -> Self {
        let section = |i| Gliding::at(kernels.get(i).unwrap_or(&Kernel::IDENTITY));
        Self { sections: core::array::from_fn(section), count: kernels.len(), moving: false }
    }

    /// Number of sections.
    pub fn count(&self) -> usize {
        self.count
    }

    /// True while the kernels do not move.
    pub fn is_static(&self) -> bool {
        !self.moving
    }

    /// True when output is input until a section moves.
    pub fn is_neutral(&self) -> bool {
        self.count == 0 || !self.moving && self.sections.iter().all(|section| section.end.is_identity())
    }

    /// Kernel of a section at the end of the interval.
    #[inline(always)]
    pub fn end(&self, section: usize) -> &Kernel {
        &self.sections[section].end
    }

    /// Starts an interval of a section: from where it is at the end of this one to `kernel`.
    #[inline(always)]
    pub fn move_to(&mut self, section: usize, kernel: &Kernel) {
        let section = &mut self.sections[section];
        section.glide(section.end, kernel);
        self.moving = true;
    }

    /// Rests where it is, a share (0 to 1) of the interval over.
    pub fn halt(&mut self, share: f64) {
        if core::mem::take(&mut self.moving) {
            for section in &mut self.sections[..self.count] {
                let start = Kernel(section.from.map(|pair| pair[0]));
                let here = if share < 1.0 { start.mixed(&section.end, share) } else { section.end };
                section.glide(here, &here);
            }
        }
    }

    /// State of a section in one channel.
    pub fn state(&self, section: usize, channel: usize) -> State {
        State(self.sections[section].states.map(|state| state[channel]))
    }

    /// Replaces the state of a section in one channel.
    pub fn set_state(&mut self, section: usize, channel: usize, state: State) {
        for (to, from) in self.sections[section].states.iter_mut().zip(state.0) {
            to[channel] = from;
        }
    }

    /// Forgets all audio.
    pub fn clear(&mut self) {
        self.sections.iter_mut().for_each(|section| section.states = [[0.0; 2]; 2]);
    }

    /// Replaces NaN, infinity and subnormal numbers in the states by zero.
    #[inline(always)]
    pub fn flush_invalid(&mut self) {
        for section in &mut self.sections[..self.count] {
            section.states.as_flattened_mut().iter_mut().for_each(|state| *state = flush_invalid(*state));
        }
    }

    /// Loads the first `N` sections into registers, for a loop over frames of one interval of `frames`, a power of two.
    /// `since`: frames from a multiple of the interval to the first of these; `moving`: unless it is
    /// [static](Self::is_static).
    #[inline(always)]
    pub fn load<R: Registers<f64>, const N: usize>(
        &self,
        registers: R,
        since: usize,
        frames: usize,
        moving: bool,
    ) -> RunningSeries<R::Vector, N> {
        let zero = registers.splat(0.0);
        let part = 1.0 / frames as f64; // a power of two: shares are exact
        let mut running = RunningSeries {
            part: registers.splat(part),
            share: registers.splat((since & (frames - 1)) as f64 * part),
            moving,
            from: [[zero; COEFFICIENTS]; N],
            change: [[zero; COEFFICIENTS]; N],
            states: [[zero; 2]; N],
        };
        // Loops, not closures: a closure may not be compiled for the caller's instruction set.
        for i in 0..N {
            for c in 0..COEFFICIENTS {
                running.from[i][c] = registers.load(&self.sections[i].from[c]);
                running.change[i][c] = registers.load(&self.sections[i].change[c]);
            }
            for s in 0..2 {
                running.states[i][s] = registers.load(&self.sections[i].states[s]);
            }
        }
        running
    }

    /// Takes the states back after the loop.
    #[inline(always)]
    pub fn store<V: Vector<f64>, const N: usize>(&mut self, running: &RunningSeries<V, N>) {
        for i in 0..N {
            for s in 0..2 {
                running.states[i][s].store(&mut self.sections[i].states[s]);
            }
        }
    }
}

/// The first `N` sections of a [`Series`] in registers. The lanes of a vector are the channels.
#[derive(Clone, Copy)]
pub struct RunningSeries<V, const N: usize> {
    /// Share of the interval that one frame is, and that is over.
    part: V,
    share: V,
    moving: bool,
    from: [[V; COEFFICIENTS]; N],
    change: [[V; COEFFICIENTS]; N],
    states: [[V; 2]; N],
}

impl<V: Vector<f64>, const N: usize> RunningSeries<V, N> {
    /// Filters the next frame, as [`Kernel::process`] to the bit.
    #[inline(always)]
    pub fn next(&mut self, mut x: V) -> V {
        self.share = self.share + self.part;
        for i in 0..N {
            let mut kernel = self.from[i];
            if self.moving {
                for c in 0..COEFFICIENTS {
                    kernel[c] = kernel[c] + self.change[i][c] * self.share;
                }
            }
            let ([a, b0, b1, c0, c1, e], [s, t]) = (kernel, self.states[i]);
            let u = x - t;
            self.states[i] = [a * s + b0 * u, t + (b0 * s + b1 * u)];
            x = x + (c0 * s + c1 * t + e * x);
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::super::kernel::tests::SECTIONS;
    use super::*;
    use simd::{Pairs, stereo};
    use testkit::noise;

    #[test]
    fn two_channels_in_registers_are_each_channel_alone_to_the_bit() {
        let kernels = SECTIONS.map(|section| Kernel::new(&section));
        let input = [noise(5, 64, 1.0), noise(6, 64, 1.0)];
        let registers = stereo();
        let mut both = Series::<1>::new(&kernels[..1]);
        let (mut outputs, mut states) = (input.clone(), [State::default(); 2]);
        for (interval, ends) in kernels.windows(2).enumerate() {
            both.move_to(0, &ends[1]);
            let mut running = both.load::<_, 1>(registers, 16 * interval, 16, true);
            for i in 16 * interval..16 * (interval + 1) {
                let share = (i % 16 + 1) as f64 / 16.0;
                let frame = running.next(registers.splat(0.0).push([input[0][i], input[1][i]])).last();
                for channel in 0..2 {
                    let sample = &mut outputs[channel][i..=i];
                    ends[0].mixed(&ends[1], share).process(&mut states[channel], sample);
                    assert_eq!(frame[channel].to_bits(), sample[0].to_bits(), "frame {i}");
                }
            }
            both.store(&running);
            assert_eq!([both.state(0, 0), both.state(0, 1)], states);
        }
        both.halt(0.25);
        let halted = kernels[2].mixed(&kernels[3], 0.25);
        assert!(both.is_static() && *both.end(0) == halted);
        let mut running = both.load::<_, 1>(registers, 0, 16, false);
        let frame = running.next(registers.splat(0.5)).last();
        for channel in 0..2 {
            let mut sample = [0.5];
            halted.process(&mut states[channel], &mut sample);
            assert_eq!(frame[channel], sample[0]);
        }
        both.set_state(0, 1, State([f64::NAN, 1e-310]));
        both.flush_invalid();
        assert_eq!(both.state(0, 1), State::default());
    }
}
