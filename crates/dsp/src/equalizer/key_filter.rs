//! Band limit of a dynamic band's key.

use super::{Placement, Shape};
use crate::Pair;
use crate::filter::{Kernel, RunningKernel, Section, StereoKernel, ramp_share};
use simd::Registers;
use units::Hz;

/// Factor on a bell's Q for each of its two band-passes in a row: together they are 3 dB down where a single one of the
/// bell's Q is, and fall twice as fast.
const TWICE_IN_A_ROW: f64 = 0.643_594_252_905_582_6; // (√2 - 1)^½

/// Fourth order in two sections, by the bilinear transform: the key is measured, not heard.
fn sections(shape: Shape, frequency: Hz, q: f64, rate: Hz) -> [Section; 2] {
    let passes = |q| Section::passes(frequency.0 / rate.0, q);
    match shape {
        Shape::LowShelf => Section::BUTTERWORTH.map(|q| passes(q)[0]),
        Shape::HighShelf => Section::BUTTERWORTH.map(|q| passes(q)[2]),
        _ => [passes(q * TWICE_IN_A_ROW)[1]; 2],
    }
}

/// Passes the range that a band acts on: around a bell's frequency, beyond a shelf's.
///
/// 3 dB down at the edges of the band (a bell's bandwidth, a shelf's frequency), 12 dB per octave beyond on each
/// side of a bell, 24 dB beyond a shelf. Stereo.
#[derive(Clone, Debug)]
pub(super) struct KeyFilter {
    rate: Hz,
    /// The band that `to` was made for.
    made: Option<(Shape, Hz, f64)>,
    /// From the last control tick to the next.
    sections: [StereoKernel; 2],
    moving: bool,
}

impl KeyFilter {
    pub(super) fn new(rate: Hz) -> Self {
        Self { rate, made: None, sections: [StereoKernel::IDENTITY; 2], moving: false }
    }

    /// Forgets its audio and rests at a band.
    pub(super) fn rest(&mut self, shape: Shape, frequency: Hz, q: f64) {
        self.design(shape, frequency, q);
        for section in &mut self.sections {
            section.halt(1.0);
            section.clear();
        }
        self.moving = false;
    }

    /// Control tick: reaches a band at the next one.
    pub(super) fn tick(&mut self, shape: Shape, frequency: Hz, q: f64) {
        if self.moving {
            self.sections.iter_mut().for_each(|section| section.halt(1.0));
        }
        self.design(shape, frequency, q);
        self.moving = !self.sections.iter().all(StereoKernel::is_static);
        self.flush_invalid();
    }

    /// Replaces NaN, infinity and subnormal numbers in the states by zero.
    #[inline(always)]
    pub(super) fn flush_invalid(&mut self) {
        self.sections.iter_mut().for_each(|section| section.flush_invalid());
    }

    fn design(&mut self, shape: Shape, frequency: Hz, q: f64) {
        if self.made != Some((shape, frequency, q)) {
            self.made = Some((shape, frequency, q));
            for (own, section) in self.sections.iter_mut().zip(sections(shape, frequency, q, self.rate)) {
                own.move_to(&Kernel::new(&section));
            }
        }
    }

    /// True when its coefficients do not move until the band changes.
    pub(super) fn is_static(&self) -> bool {
        !self.moving
    }

    /// Loads it into registers, for a loop over frames of one control interval. `moving`: unless it is
    /// [static](Self::is_static).
    #[inline(always)]
    pub(super) fn load<R: Registers<f64>>(&self, registers: R, moving: bool) -> RunningKeyFilter<R> {
        let sections = [self.sections[0].load(registers), self.sections[1].load(registers)];
        RunningKeyFilter { registers, sections, moving }
    }

    /// Takes the states back after the loop.
    #[inline(always)]
    pub(super) fn store<R: Registers<f64>>(&mut self, running: &RunningKeyFilter<R>) {
        self.sections[0].store(&running.sections[0]);
        self.sections[1].store(&running.sections[1]);
    }
}

/// A [`KeyFilter`] in registers.
pub(super) struct RunningKeyFilter<R: Registers<f64>> {
    registers: R,
    sections: [RunningKernel<R::Vector>; 2],
    moving: bool,
}

impl<R: Registers<f64>> RunningKeyFilter<R> {
    /// Filters one frame; `since`: frames from the last tick.
    #[inline(always)]
    pub(super) fn next(&mut self, since: usize, frame: R::Vector) -> R::Vector {
        let [first, second] = &mut self.sections;
        if self.moving {
            let share = self.registers.splat(ramp_share(since));
            second.glide(share, first.glide(share, frame))
        } else {
            second.next(first.next(frame))
        }
    }
}

impl Placement {
    /// Adds `change`, of the shape of [`part`](Self::part), to a frame.
    #[inline(always)]
    pub(super) fn add(self, [left, right]: Pair, change: Pair) -> Pair {
        match self {
            Self::Stereo => [left + change[0], right + change[1]],
            Self::Mid => [left + change[0], right + change[0]],
            Self::Side => [left + change[0], right - change[0]],
            Self::Left => [left + change[0], right],
            Self::Right => [left, right + change[1]],
        }
    }

    /// The part of a frame that a band acts on, as left and right; zero in the other part.
    #[inline(always)]
    pub(super) fn part(self, [left, right]: Pair) -> Pair {
        match self {
            Self::Stereo => [left, right],
            Self::Mid => [0.5 * (left + right); 2],
            Self::Side => {
                let side = 0.5 * (left - right);
                [side, -side]
            }
            Self::Left => [left, 0.0],
            Self::Right => [0.0, right],
        }
    }
}
