//! Kernels of a dynamic band for every gain it may move through, designed once.

use super::{MAX_GAIN, Shape};
use crate::filter::Kernel;

/// Filters at whole decibels from -18 to 18; between them they are mixed.
///
/// Designing a filter takes thousands of instructions, mixing two a few dozen, and a mixture is as safe as both. A
/// decibel apart, the mixture's response differs from a design by less than 0.03 dB,
/// of sharp shelves (Q 1.3 to 8) 0.12 dB, for bands up to fs / 4 (`tests/dynamic.rs`).
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Shape, frequency and Q of the nodes, as the band's filter keeps them.
    made: Option<(Shape, f64, f64)>,
    nodes: Box<[Option<Pair>]>,
}

/// The sections of a band that can move.
pub(super) type Pair = [Kernel; 2];

impl Table {
    pub(super) fn new() -> Self {
        Self { made: None, nodes: vec![None; 2 * MAX_GAIN as usize + 1].into() }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.made = None;
        self.nodes.fill(None);
    }

    /// Forgets what was designed for another band.
    pub(super) fn keep_for(&mut self, shape: Shape, frequency: f64, q: f64) {
        if self.made != Some((shape, frequency, q)) {
            self.made = Some((shape, frequency, q));
            self.nodes.fill(None);
        }
    }

    /// True when all gains from the first to the second are there. If not, one of them is designed: a call a tick makes it
    /// true in the end.
    pub(super) fn covers(&mut self, gains: [f64; 2], design: impl FnOnce(f64) -> Pair) -> bool {
        let (last, way) = Self::place(gains[1]);
        let mut nodes = Self::place(gains[0]).0..=last + usize::from(way > 0.0);
        let Some(missing) = nodes.find(|&i| self.nodes[i].is_none()) else { return true };
        self.nodes[missing] = Some(design(missing as f64 - MAX_GAIN));
        false
    }

    /// The node at or below `gain`, and how far on it is.
    #[inline(always)]
    fn place(gain: f64) -> (usize, f64) {
        let steps = gain.clamp(-MAX_GAIN, MAX_GAIN) + MAX_GAIN;
        // Of 32 bits: with a sign, as the processor converts.
        let node = steps as i32;
        (node as usize, steps - f64::from(node))
    }

    /// The filter of a section for `gain`; `None` where nothing is designed yet.
    #[inline(always)]
    pub(super) fn at(&self, gain: f64, section: usize) -> Option<Kernel> {
        let (node, way) = Self::place(gain);
        let below = &self.nodes[node].as_ref()?[section];
        if way == 0.0 {
            return Some(*below);
        }
        let above = &self.nodes[node + 1].as_ref()?[section];
        Some(below.mixed(above, way))
    }
}
