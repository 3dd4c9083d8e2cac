//! Gram matrices: for every hop and channel, the mean products of all pairs of K-weighted sources.
//!
//! `Q^c_ij = mean(a_i a_j)` over a hop, `a` = K-weighted samples of channel `c`. The power of a hop for gains `g` is
//! `sum_c G_c g' Q^c g` with BS.1770's channel weights `G_c`: exact for any gains, without a second pass over the
//! audio.

use units::Power;

/// Entries of the upper triangle of a matrix of `n` sources.
pub const fn triangle(n: usize) -> usize {
    n * (n + 1) / 2
}

/// Index of entry (i, j), i <= j, in a row-major upper triangle.
const fn entry(n: usize, i: usize, j: usize) -> usize {
    i * (2 * n + 1 - i) / 2 + j - i
}

/// Symmetric matrix of sources x sources, one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Gram {
    sources: usize,
    upper: Vec<f64>,
}

impl Gram {
    /// Returns a matrix of zeros.
    pub fn zero(sources: usize) -> Self {
        Self { sources, upper: vec![0.0; triangle(sources)] }
    }

    /// Returns the matrix of a packed upper triangle.
    pub fn from_packed(sources: usize, upper: &[f64]) -> Self {
        debug_assert_eq!(upper.len(), triangle(sources));
        Self { sources, upper: upper.to_vec() }
    }

    /// Number of sources.
    pub fn sources(&self) -> usize {
        self.sources
    }

    /// Mean product of sources `i` and `j`.
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

    /// Quadratic form `g' Q g`, never negative.
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
    if sum < 0.0 { 0.0 } else { sum } // keeps what is not a number
}

/// Gram matrices of consecutive hops.
#[derive(Clone, Debug, PartialEq)]
pub struct Hops {
    sources: usize,
    weights: Vec<f64>,
    /// Upper triangles, per hop, per channel.
    data: Vec<f64>,
}

impl Hops {
    /// Returns an empty row of hops of `sources` sources, in channels of the given loudness weights.
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

    /// Appends a hop: one matrix per channel.
    pub fn push(&mut self, channels: &[Gram]) {
        debug_assert!(
            channels.len() == self.channels() && channels.iter().all(|g| g.sources == self.sources)
        );
        for gram in channels {
            self.data.extend_from_slice(&gram.upper);
        }
    }

    /// Appends a hop that was not recorded. Its powers are NaN: a window that contains it passes no gate, is no
    /// maximum and does not count for a loudness range.
    pub fn push_unheard(&mut self) {
        self.data.extend(std::iter::repeat_n(f64::NAN, self.stride()));
    }

    /// Multiplies source `i` of a hop by `gains[i]`, linear.
    pub fn rescale(&mut self, hop: usize, gains: &[f64]) {
        let (stride, sources) = (self.stride(), self.sources);
        for upper in self.data[hop * stride..(hop + 1) * stride].chunks_exact_mut(triangle(sources)) {
            let pairs = (0..sources).flat_map(|i| (i..sources).map(move |j| (i, j)));
            upper.iter_mut().zip(pairs).for_each(|(q, (i, j))| *q *= gains[i] * gains[j]);
        }
    }

    /// True for a hop that was recorded.
    pub fn is_heard(&self, hop: usize) -> bool {
        !self.data[hop * self.stride()].is_nan()
    }

    /// Packed upper triangle of a hop and channel.
    pub fn packed(&self, hop: usize, channel: usize) -> &[f64] {
        let start = hop * self.stride() + channel * triangle(self.sources);
        &self.data[start..start + triangle(self.sources)]
    }

    /// Matrix of a hop and channel.
    pub fn gram(&self, hop: usize, channel: usize) -> Gram {
        Gram { sources: self.sources, upper: self.packed(hop, channel).to_vec() }
    }

    /// Power of every hop with source `i` multiplied by `gains[i]`, linear.
    pub fn powers(&self, gains: &[f64]) -> Vec<Power> {
        assert_eq!(gains.len(), self.sources, "one gain per source");
        (0..self.len())
            .map(|hop| {
                let channels = self.weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0);
                Power(channels.map(|(c, w)| w * quadratic(self.packed(hop, c), self.sources, gains)).sum())
            })
            .collect()
    }

    /// Power of every hop of one source alone.
    pub fn powers_of(&self, source: usize) -> Vec<Power> {
        let mut gains = vec![0.0; self.sources];
        gains[source] = 1.0;
        self.powers(&gains)
    }

    /// Channel-weighted sum of the matrices of hops; `factors` gives hop and factor.
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
