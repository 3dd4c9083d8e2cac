//! Sections in series whose kernels glide together.

use super::kernel::{Kernel, RunningKernel, State, StereoKernel};
use simd::{Registers, Vector};

/// At most `MAX` sections in series, for two channels, that glide in intervals from one set of kernels to the next.
#[derive(Clone, Debug)]
pub struct Series<const MAX: usize> {
    sections: [StereoKernel; MAX],
    count: usize,
    /// Kernels at the start and at the end of the interval differ, or may.
    moving: bool,
}

impl<const MAX: usize> Series<MAX> {
    /// Sections at rest at `kernels`, of which there are at most `MAX`, without memory.
    pub fn new(kernels: &[Kernel]) -> Self {
        let mut sections = [StereoKernel::IDENTITY; MAX];
        sections.iter_mut().zip(kernels).for_each(|(section, kernel)| section.rest_at(kernel));
        Self { sections, count: kernels.len(), moving: false }
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
        self.count == 0 || !self.moving && self.sections.iter().all(|section| section.end().is_identity())
    }

    /// Kernel of a section at the end of the interval.
    #[inline(always)]
    pub fn end(&self, section: usize) -> &Kernel {
        self.sections[section].end()
    }

    /// Starts an interval of a section: from where it is at the end of this one to `kernel`.
    #[inline(always)]
    pub fn move_to(&mut self, section: usize, kernel: &Kernel) {
        self.sections[section].move_to(kernel);
        self.moving = true;
    }

    /// Rests where it is, a share (0 to 1) of the interval over.
    pub fn halt(&mut self, share: f64) {
        if self.moving {
            self.sections[..self.count].iter_mut().for_each(|section| section.halt(share));
            self.moving = false;
        }
    }

    /// State of a section in one channel.
    pub fn state(&self, section: usize, channel: usize) -> State {
        self.sections[section].state(channel)
    }

    /// Replaces the state of a section in one channel.
    pub fn set_state(&mut self, section: usize, channel: usize, state: State) {
        self.sections[section].set_state(channel, state);
    }

    /// Forgets all audio.
    pub fn clear(&mut self) {
        self.sections.iter_mut().for_each(StereoKernel::clear);
    }

    /// Replaces NaN, infinity and subnormal numbers in the states by zero.
    #[inline(always)]
    pub fn flush_invalid(&mut self) {
        self.sections[..self.count].iter_mut().for_each(|section| section.flush_invalid());
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
        let mut sections = [StereoKernel::IDENTITY.load(registers); N];
        for i in 0..N {
            sections[i] = self.sections[i].load(registers);
        }
        let part = 1.0 / frames as f64; // a power of two: shares are exact
        let share = (since & (frames - 1)) as f64 * part;
        RunningSeries { part: registers.splat(part), share: registers.splat(share), moving, sections }
    }

    /// Takes the states back after the loop.
    #[inline(always)]
    pub fn store<V: Vector<f64>, const N: usize>(&mut self, running: &RunningSeries<V, N>) {
        for i in 0..N {
            self.sections[i].store(&running.sections[i]);
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
    sections: [RunningKernel<V>; N],
}

impl<V: Vector<f64>, const N: usize> RunningSeries<V, N> {
    /// Filters the next frame.
    #[inline(always)]
    pub fn next(&mut self, mut frame: V) -> V {
        self.share = self.share + self.part;
        for i in 0..N {
            let section = &mut self.sections[i];
            frame = if self.moving { section.glide(self.share, frame) } else { section.next(frame) };
        }
        frame
    }
}
