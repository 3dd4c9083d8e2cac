//! The part of a key that belongs to a band.

use super::{Placement, Shape};
use crate::CONTROL_INTERVAL;
use crate::filter::{Kernel, Section, State};
use units::Hz;

/// Bands as narrow as this share of their Q are heard through two band-passes in a row: together they are 3 dB down
/// where one of the band's own Q is, and fall twice as fast.
const WIDER: f64 = 0.643_594_252_905_582_6; // (√2 - 1)^½

/// Fourth order in two sections, bilinear: it decides what is heard, not what it sounds like.
fn sections(shape: Shape, frequency: Hz, q: f64, rate: Hz) -> [Section; 2] {
    let passes = |q| Section::passes(frequency.0 / rate.0, q);
    match shape {
        Shape::LowShelf => Section::BUTTERWORTH.map(|q| passes(q)[0]),
        Shape::HighShelf => Section::BUTTERWORTH.map(|q| passes(q)[2]),
        _ => [passes(q * WIDER)[1]; 2],
    }
}

/// Lets through what a band is about: a bell's surroundings, what lies beyond a shelf's frequency.
///
/// 3 dB down at the edges of the band (a bell's bandwidth, a shelf's frequency), 12 dB per octave beyond on each
/// side of a bell, 24 dB beyond a shelf. Stereo.
#[derive(Clone, Debug)]
pub(super) struct KeyFilter {
    rate: Hz,
    /// The band that `to` was made for.
    made: Option<(Shape, Hz, f64)>,
    /// At the last control tick and at the next.
    from: [Kernel; 2],
    to: [Kernel; 2],
    /// Indexed by channel, then section.
    pub(super) states: [[State; 2]; 2],
}

impl KeyFilter {
    pub(super) fn new(rate: Hz) -> Self {
        let kernels = [Kernel::IDENTITY; 2];
        Self { rate, made: None, from: kernels, to: kernels, states: Default::default() }
    }

    /// Forgets what it heard and rests at a band.
    pub(super) fn rest(&mut self, shape: Shape, frequency: Hz, q: f64) {
        self.make(shape, frequency, q);
        self.from = self.to;
        self.states = Default::default();
    }

    /// A control tick: be at a band when the next one falls.
    pub(super) fn tick(&mut self, shape: Shape, frequency: Hz, q: f64) {
        self.from = self.to;
        self.make(shape, frequency, q);
        self.flush_invalid();
    }

    /// Makes unsound states sound.
    pub(super) fn flush_invalid(&mut self) {
        self.states.iter_mut().flatten().for_each(State::flush_invalid);
    }

    fn make(&mut self, shape: Shape, frequency: Hz, q: f64) {
        if self.made != Some((shape, frequency, q)) {
            self.made = Some((shape, frequency, q));
            self.to = sections(shape, frequency, q, self.rate).map(|section| Kernel::new(&section));
        }
    }

    /// The filter, if it stands still until the band changes.
    pub(super) fn standing(&self) -> Option<&[Kernel; 2]> {
        (self.from == self.to).then_some(&self.to)
    }

    /// Filters in place; `since`: frames from the last tick to the first of these.
    pub(super) fn process(&mut self, since: usize, channels: [&mut [f64]; 2]) {
        for (samples, states) in channels.into_iter().zip(&mut self.states) {
            for ((from, to), state) in self.from.iter().zip(&self.to).zip(states) {
                if from == to {
                    to.process(state, samples);
                } else {
                    from.glide(to, since, CONTROL_INTERVAL, state, samples);
                }
            }
        }
    }
}

impl Placement {
    /// What a band acts on in a frame, where it stands in the stereo field: the other part is silent.
    #[inline]
    pub(super) fn part(self, left: f64, right: f64) -> [f64; 2] {
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
