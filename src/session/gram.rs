//! Gram matrices: for every hop and channel, the mean products of all pairs of K-weighted sources.
//!
//! `Q^c_ij = mean(a_i a_j)` over a hop, `a` = K-weighted samples of channel `c`. The power of a hop for gains `g` is
//! `sum_c G_c g' Q^c g` with BS.1770's channel weights `G_c`: exact, for any gains, without touching audio again.

use crate::meter::k_weighting::KWeighting;
use crate::meter::layout::Layout;
use crate::meter::loudness::hop_frames;
use crate::units::{Hz, Power};

/// Entries of the upper triangle of a matrix of `n` sources.
const fn triangle(n: usize) -> usize {
    n * (n + 1) / 2
}

/// Place of entry (i, j), i <= j, in a row-major upper triangle.
const fn entry(n: usize, i: usize, j: usize) -> usize {
    i * (2 * n + 1 - i) / 2 + j - i
}

/// A symmetric matrix of sources x sources, one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Gram {
    sources: usize,
    upper: Vec<f64>,
}

impl Gram {
    /// All zeros.
    pub fn zero(sources: usize) -> Self {
        Self { sources, upper: vec![0.0; triangle(sources)] }
    }

    /// Number of sources.
    pub fn sources(&self) -> usize {
        self.sources
    }

    /// The mean product of sources `i` and `j`.
    #[inline]
    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.upper[entry(self.sources, i.min(j), i.max(j))]
    }

    /// Sets the mean product of sources `i` and `j`.
    pub fn set(&mut self, i: usize, j: usize, value: f64) {
        self.upper[entry(self.sources, i.min(j), i.max(j))] = value;
    }

    /// Adds `factor` times the packed triangle `other`.
    pub fn add(&mut self, other: &[f64], factor: f64) {
        for (sum, q) in self.upper.iter_mut().zip(other) {
            *sum += factor * q;
        }
    }

    /// `(Q g)_i`.
    pub fn product(&self, gains: &[f64], i: usize) -> f64 {
        (0..self.sources).map(|j| self.at(i, j) * gains[j]).sum()
    }

    /// The quadratic form `g' Q g`, never negative.
    pub fn power(&self, gains: &[f64]) -> f64 {
        quadratic(&self.upper, self.sources, gains)
    }
}

fn quadratic(upper: &[f64], sources: usize, gains: &[f64]) -> f64 {
    let mut sum = 0.0;
    let mut row = upper;
    for i in 0..sources {
        let (this, rest) = row.split_at(sources - i);
        let others: f64 = this[1..].iter().zip(&gains[i + 1..]).map(|(q, g)| q * g).sum();
        sum += gains[i] * (gains[i] * this[0] + 2.0 * others);
        row = rest;
    }
    sum.max(0.0)
}

/// The Gram matrices of a row of hops.
#[derive(Clone, Debug, PartialEq)]
pub struct Hops {
    sources: usize,
    weights: Vec<f64>,
    /// Per hop, per channel: an upper triangle.
    data: Vec<f64>,
}

impl Hops {
    /// No hops yet, of `sources` sources in channels of the given loudness weights.
    pub fn new(sources: usize, weights: &[f64]) -> Self {
        Self { sources, weights: weights.to_vec(), data: Vec::new() }
    }

    /// Number of sources.
    pub fn sources(&self) -> usize {
        self.sources
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.weights.len()
    }

    /// Loudness weight of each channel.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Number of hops.
    pub fn len(&self) -> usize {
        self.data.len() / self.stride().max(1)
    }

    /// True without hops.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    fn stride(&self) -> usize {
        triangle(self.sources) * self.channels()
    }

    /// Adds a hop: one matrix per channel.
    pub fn push(&mut self, channels: &[Gram]) {
        debug_assert!(
            channels.len() == self.channels() && channels.iter().all(|g| g.sources == self.sources)
        );
        for gram in channels {
            self.data.extend_from_slice(&gram.upper);
        }
    }

    /// The packed upper triangle of a hop and channel.
    pub fn packed(&self, hop: usize, channel: usize) -> &[f64] {
        let start = hop * self.stride() + channel * triangle(self.sources);
        &self.data[start..start + triangle(self.sources)]
    }

    /// The matrix of a hop and channel.
    pub fn gram(&self, hop: usize, channel: usize) -> Gram {
        Gram { sources: self.sources, upper: self.packed(hop, channel).to_vec() }
    }

    /// The power of every hop when source `i` is multiplied by `gains[i]` (linear).
    pub fn powers(&self, gains: &[f64]) -> Vec<Power> {
        assert_eq!(gains.len(), self.sources, "one gain per source");
        (0..self.len())
            .map(|hop| {
                let channels = self.weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0);
                Power(channels.map(|(c, w)| w * quadratic(self.packed(hop, c), self.sources, gains)).sum())
            })
            .collect()
    }

    /// The power of every hop of source `i` alone.
    pub fn powers_of(&self, source: usize) -> Vec<Power> {
        let mut gains = vec![0.0; self.sources];
        gains[source] = 1.0;
        self.powers(&gains)
    }

    /// The channel-weighted sum of the matrices of hops, each with a factor.
    pub fn weighted_sum(&self, factors: impl Iterator<Item = (usize, f64)>) -> Gram {
        let mut sum = Gram::zero(self.sources);
        for (hop, factor) in factors {
            for (c, weight) in self.weights.iter().enumerate() {
                sum.add(self.packed(hop, c), factor * weight);
            }
        }
        sum
    }
}

/// Turns the audio of several sources into [`Hops`].
///
/// Every source has the channels of the layout. Results do not depend on block sizes, to the bit.
#[derive(Clone, Debug)]
pub struct GramMeter {
    hop_frames: usize,
    position: usize,
    /// Per channel, per source.
    filters: Vec<Vec<KWeighting>>,
    sums: Vec<Gram>,
    /// K-weighted samples of one channel, all sources.
    weighted: Vec<Vec<f64>>,
    hops: Hops,
}

impl GramMeter {
    const CHUNK: usize = 64;

    /// A meter of `sources` sources at `rate`.
    pub fn new(rate: Hz, layout: &Layout, sources: usize) -> Self {
        Self {
            hop_frames: hop_frames(rate),
            position: 0,
            filters: vec![vec![KWeighting::new(rate); sources]; layout.channels()],
            sums: vec![Gram::zero(sources); layout.channels()],
            weighted: vec![vec![0.0; Self::CHUNK]; sources],
            hops: Hops::new(sources, layout.weights()),
        }
    }

    /// Takes `frames` frames; `audio(source, channel)` gives their samples. Non-finite samples count as silence.
    pub fn process<'a>(&mut self, frames: usize, audio: impl Fn(usize, usize) -> &'a [f64]) {
        let mut at = 0;
        while at < frames {
            // Chunks end on a grid counted from the hop's start, so the order of additions never changes.
            let grid = Self::CHUNK - self.position % Self::CHUNK;
            let count = (frames - at).min(self.hop_frames - self.position).min(grid);
            for (c, (filters, sums)) in self.filters.iter_mut().zip(&mut self.sums).enumerate() {
                for (source, (filter, weighted)) in filters.iter_mut().zip(&mut self.weighted).enumerate() {
                    weighted[..count].copy_from_slice(&audio(source, c)[at..at + count]);
                    filter.process(&mut weighted[..count]);
                }
                let mut sum = sums.upper.iter_mut();
                for i in 0..self.weighted.len() {
                    for j in i..self.weighted.len() {
                        let (a, b) = (&self.weighted[i][..count], &self.weighted[j][..count]);
                        if let Some(sum) = sum.next() {
                            *sum = a.iter().zip(b).fold(*sum, |sum, (a, b)| sum + a * b);
                        }
                    }
                }
            }
            at += count;
            self.position += count;
            if self.position == self.hop_frames {
                self.end_hop();
            }
        }
    }

    fn end_hop(&mut self) {
        let scale = 1.0 / self.hop_frames as f64;
        for sum in &mut self.sums {
            sum.upper.iter_mut().for_each(|q| *q *= scale);
        }
        self.hops.push(&self.sums);
        self.sums.iter_mut().for_each(|sum| sum.upper.fill(0.0));
        self.position = 0;
    }

    /// The complete hops so far.
    pub fn hops(&self) -> &Hops {
        &self.hops
    }

    /// The complete hops; an incomplete last one is discarded, as BS.1770 discards an incomplete last block.
    pub fn finish(self) -> Hops {
        self.hops
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::dsp::contract::noise;
    use crate::meter::Meter;

    /// Stereo sources of coloured noise with pauses, in the shapes of the laws' tests.
    pub(crate) fn sources(seed: u64, count: usize, frames: usize) -> Vec<[Vec<f64>; 2]> {
        (0..count as u64)
            .map(|i| {
                let shared = noise(seed, frames, 0.2);
                [0, 1].map(|side| {
                    let own = noise(seed * 31 + i * 2 + side + 1, frames, 0.4);
                    let (mut low, pole) = (0.0, 0.3 + 0.65 * (i as f64 + 1.0) / (count as f64 + 1.0));
                    (own.iter().zip(&shared).enumerate())
                        .map(|(n, (x, s))| {
                            low = pole * low + (1.0 - pole) * (x + if i < 2 { *s } else { 0.0 });
                            let bar = n / (frames / 10).max(1);
                            low * if (bar + i as usize) % 5 == 4 { 0.0 } else { 1.0 + 0.2 * bar as f64 }
                        })
                        .collect()
                })
            })
            .collect()
    }

    pub(crate) fn hops_of(sources: &[[Vec<f64>; 2]], rate: f64) -> Hops {
        let mut meter = GramMeter::new(Hz(rate), &Layout::stereo(), sources.len());
        meter.process(sources[0][0].len(), |source, channel| &sources[source][channel]);
        meter.finish()
    }

    pub(crate) fn mix(sources: &[[Vec<f64>; 2]], gains: &[f64]) -> [Vec<f64>; 2] {
        [0, 1].map(|c| {
            let frames = sources[0][c].len();
            (0..frames).map(|n| sources.iter().zip(gains).map(|(s, g)| s[c][n] * g).sum()).collect()
        })
    }

    pub(crate) fn measured(mix: &[Vec<f64>; 2], rate: f64) -> Meter {
        let mut meter = Meter::new(Hz(rate), &Layout::stereo());
        meter.process(&[&mix[0], &mix[1]]);
        meter
    }

    #[test]
    fn powers_for_any_gains_are_those_of_the_mixed_audio() {
        let sources = sources(3, 4, 60_000);
        let hops = hops_of(&sources, 44_100.0);
        for gains in [[1.0; 4], [0.5, 2.0, -1.0, 0.0], [3.0, -3.0, 0.1, 1.0]] {
            let meter = measured(&mix(&sources, &gains), 44_100.0);
            let predicted = hops.powers(&gains);
            assert_eq!(predicted.len(), meter.history().powers().len());
            for (a, b) in predicted.iter().zip(meter.history().powers()) {
                assert!((a.0 - b.0).abs() <= 1e-9 * b.0.max(1e-9), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn blocks_do_not_matter() {
        let sources = sources(5, 3, 20_000);
        let whole = hops_of(&sources, 48_000.0);
        for size in [1, 17, 63, 4800, 7000] {
            let mut meter = GramMeter::new(Hz(48_000.0), &Layout::stereo(), 3);
            let mut at = 0;
            while at < 20_000 {
                let end = 20_000.min(at + size);
                meter.process(end - at, |s, c| &sources[s][c][at..end]);
                at = end;
            }
            assert!(meter.finish() == whole, "{size}");
        }
    }
}
