//! Joint Gram matrices: for every hop the mean products of all channels of all sources.
//!
//! Sources are stereo; channel `side` of source `i` is *signal* `2 i + side`. A matrix of signals contains the
//! products across channels too, which the fit of pan and width needs. It is stored as a packed upper triangle, row
//! by row.

use super::accumulate::Accumulator;
use super::gram::{Gram, Hops, triangle};
use units::Hz;

/// Number of entries of the joint matrix of `sources` stereo sources.
pub const fn joint_len(sources: usize) -> usize {
    triangle(2 * sources)
}

/// Joint Gram matrices of consecutive hops.
#[derive(Clone, Debug, PartialEq)]
pub struct JointHops {
    sources: usize,
    data: Vec<f64>,
}

impl JointHops {
    /// Returns an empty row of hops of `sources` stereo sources.
    pub fn new(sources: usize) -> Self {
        Self { sources, data: Vec::new() }
    }

    /// Number of sources.
    pub fn sources(&self) -> usize {
        self.sources
    }

    /// Number of hops.
    pub fn len(&self) -> usize {
        self.data.len() / joint_len(self.sources).max(1)
    }

    /// True without hops.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Appends a hop: a packed joint matrix.
    pub fn push(&mut self, packed: &[f64]) {
        debug_assert_eq!(packed.len(), joint_len(self.sources));
        self.data.extend_from_slice(packed);
    }

    /// Drops all but the newest `count` hops.
    pub fn keep_newest(&mut self, count: usize) {
        let excess = self.len().saturating_sub(count);
        self.data.drain(..excess * joint_len(self.sources));
    }

    /// The hops in the form that [`super::fit::fit`] takes.
    pub fn row(&self) -> Vec<Option<&[f64]>> {
        self.data.chunks_exact(joint_len(self.sources)).map(Some).collect()
    }

    /// The sources unfitted: one matrix per channel.
    pub fn as_sources(&self) -> Hops {
        let mut hops = Hops::new(self.sources, &STEREO);
        for packed in self.data.chunks_exact(joint_len(self.sources)) {
            let joint = Gram::from_packed(2 * self.sources, packed);
            let channels = [0, 1].map(|side| {
                let mut gram = Gram::zero(self.sources);
                for i in 0..self.sources {
                    for j in i..self.sources {
                        gram.set(i, j, joint.at(2 * i + side, 2 * j + side));
                    }
                }
                gram
            });
            hops.push(&channels);
        }
        hops
    }
}

/// BS.1770 weights of left and right.
pub const STEREO: [f64; 2] = [1.0; 2];

/// Measures [`JointHops`] of several stereo sources: 100 ms each, in memory that grows with the audio.
///
/// Results do not depend on block sizes, to the bit.
#[derive(Clone, Debug)]
pub struct GramMeter {
    accumulator: Accumulator,
    hops: JointHops,
    packed: Vec<f64>,
}

impl GramMeter {
    /// Returns a meter of `sources` stereo sources at `rate`.
    pub fn new(rate: Hz, sources: usize) -> Self {
        Self {
            accumulator: Accumulator::new(rate, sources, 0),
            hops: JointHops::new(sources),
            packed: vec![0.0; joint_len(sources)],
        }
    }

    /// Processes `frames` frames; `audio(source, side)` returns their samples. Non-finite samples count as silence.
    pub fn process<'a>(&mut self, frames: usize, audio: impl Fn(usize, usize) -> &'a [f64]) {
        let mut at = 0;
        while at < frames {
            let count = self.accumulator.free_frames().min(frames - at);
            for signal in 0..2 * self.hops.sources {
                self.accumulator.stage(signal, &audio(signal / 2, signal % 2)[at..at + count]);
            }
            at += count;
            if self.accumulator.advance(count) {
                self.accumulator.products(&mut self.packed);
                self.accumulator.next_hop();
                self.hops.push(&self.packed);
            }
        }
    }

    /// Complete hops so far.
    pub fn hops(&self) -> &JointHops {
        &self.hops
    }

    /// Returns the complete hops; an incomplete last one is discarded, as BS.1770 discards an incomplete last block.
    pub fn finish(self) -> JointHops {
        self.hops
    }
}

#[cfg(test)]
pub(crate) mod tests;
