//! Band limit of a dynamic band's key.

use super::{Placement, Shape};
use crate::Pair;
use crate::filter::{Kernel, Section, Series};
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
    made: [Section; 2],
    /// From one control tick to the next.
    pub(super) series: Series<2>,
}

impl KeyFilter {
    pub(super) fn new(rate: Hz) -> Self {
        Self { rate, made: [Section::IDENTITY; 2], series: Series::new(&[Kernel::IDENTITY; 2]) }
    }

    /// Forgets its audio and rests at a band.
    pub(super) fn rest(&mut self, shape: Shape, frequency: Hz, q: f64) {
        self.made = sections(shape, frequency, q, self.rate);
        self.series = Series::new(&self.made.map(|section| Kernel::new(&section)));
    }

    /// Control tick: reaches a band at the next one. Flushes invalid states.
    pub(super) fn tick(&mut self, shape: Shape, frequency: Hz, q: f64) {
        self.series.halt(1.0);
        let made = sections(shape, frequency, q, self.rate);
        if made != self.made {
            self.made = made;
            (0..2).for_each(|i| self.series.move_to(i, &Kernel::new(&made[i])));
        }
        self.series.flush_invalid();
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
