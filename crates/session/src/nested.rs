//! Products of nested stems: those inside another stem, which the joint matrix of a hop does not contain.
//!
//! A hop's sources are numbered: the stems of the sum, the mix, the nested stems. Signal `2 i + side` is a side of
//! source `i`.

use super::gram::Gram;
use super::hop_builder::FinishedHop;

/// Nested stems of one hop.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NestedProducts {
    /// Bit `i`: nested stem `i` was contiguous over the hop and the 100 ms before it.
    pub heard: u32,
    /// Linear true peak of every nested stem, the higher of both channels.
    pub peaks: Vec<f64>,
    /// Mean products of each side of every nested stem with all signals of the hop, row by row.
    rows: Vec<f64>,
}

impl NestedProducts {
    /// Takes the stems `nested` of a hop whose summed stems are `summed`.
    pub(super) fn new(hop: &FinishedHop, summed: &[usize], nested: &[usize]) -> Self {
        if nested.is_empty() {
            return Self::default();
        }
        let joint = Gram::from_packed(2 * (hop.stems + 1), &hop.joint);
        let sources: Vec<usize> = summed.iter().chain([&hop.stems]).chain(nested).copied().collect();
        let sides = |source: &usize| [2 * source, 2 * source + 1];
        let rows = nested.iter().flat_map(sides).flat_map(|a| {
            let joint = &joint;
            sources.iter().flat_map(sides).map(move |b| joint.at(a, b))
        });
        Self {
            heard: nested.iter().enumerate().fold(0, |mask, (k, index)| mask | (hop.heard >> index & 1) << k),
            peaks: nested.iter().map(|&index| hop.peaks[index]).collect(),
            rows: rows.collect(),
        }
    }

    /// Number of nested stems.
    pub fn stems(&self) -> usize {
        self.peaks.len()
    }

    /// True if nested stem `index` was heard.
    pub(super) fn is_heard(&self, index: usize) -> bool {
        self.heard >> index & 1 == 1
    }

    /// Memory of the lists, bytes.
    pub(super) fn bytes(&self) -> usize {
        8 * (self.rows.len() + self.peaks.len())
    }

    /// Mean product of two signals of the hop whose joint matrix is `joint`.
    pub(super) fn product(&self, joint: &Gram, a: usize, b: usize) -> f64 {
        let signals = joint.sources();
        let (row, column) = (a.max(b), a.min(b));
        match row.checked_sub(signals) {
            None => joint.at(a, b),
            Some(row) => self.rows[row * (signals + 2 * self.stems()) + column],
        }
    }
}
