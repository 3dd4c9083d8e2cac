//! Mean products of K-weighted signals over 100 ms hops: the part of the analysis that runs on an audio thread.

use super::gram::triangle;
use meter::k_bank::{GROUP_QUADS, KWeightingBank, Quad};
use meter::loudness::hop_frames;
use meter::sanitize::finite_or_zero;
use simd::{Isa, Kernel, Registers, Simd, Vector};
use units::Hz;

/// Frames that are filtered and multiplied together.
const CHUNK_FRAMES: usize = 64;

/// Mean products of a stem's input `x` with itself, with the stem's output `y` and with the mix `m`, all K-weighted:
/// `[xL*, xR*]` with `* = [yL, yR, mL, mR, xL, xR]`.
pub type ChainProducts = [[f64; 6]; 2];

/// Accumulator of the products of all pairs of channels over one hop, all K-weighted; for stems with a chain also
/// those of their inputs (see [`ChainProducts`]).
///
/// Constant memory; no allocation after construction. The caller stages the same number of samples of every signal,
/// at most [`Self::free_frames`], then calls [`Self::advance`]; a signal that is not staged is silent. Samples are
/// processed in chunks on a grid counted from the hop's start, so results do not depend on block sizes, to the bit.
#[derive(Clone, Debug)]
pub struct Accumulator {
    isa: Isa,
    hop_frames: usize,
    sources: usize,
    inputs: usize,
    /// True if the staged chunk holds samples of inputs; otherwise they are skipped.
    has_inputs: bool,
    /// Quads per row: signals of sources, then signals of inputs, each padded to whole groups.
    quads: usize,
    source_quads: usize,
    bank: KWeightingBank,
    rows: Vec<Quad>,
    /// Row of `rows` at which the next samples are staged.
    staged: usize,
    /// Frames of the hop so far, staged ones included.
    position: usize,
    /// Blocks of the upper triangle of products, row by row.
    blocks: Vec<[Quad; 4]>,
    chains: Vec<ChainProducts>,
}

impl Accumulator {
    /// Returns an accumulator for up to `sources` sources at `rate`. The inputs of the first `inputs` of them may be
    /// given too; the last source is then the mix.
    pub fn new(rate: Hz, sources: usize, inputs: usize) -> Self {
        let source_quads = padded(2 * sources);
        let quads = source_quads + padded(2 * inputs);
        Self {
            isa: Isa::widest(),
            hop_frames: hop_frames(rate).max(1),
            sources,
            inputs,
            has_inputs: false,
            quads,
            source_quads,
            bank: KWeightingBank::new(rate, quads),
            rows: vec![[0.0; 4]; quads * CHUNK_FRAMES],
            staged: 0,
            position: 0,
            blocks: vec![[[0.0; 4]; 4]; triangle(source_quads)],
            chains: vec![[[0.0; 6]; 2]; inputs],
        }
    }

    /// Frames per hop.
    pub fn hop_frames(&self) -> usize {
        self.hop_frames
    }

    /// Clears all state and continues with `sources` sources and `inputs` inputs, at most the numbers given to
    /// [`Self::new`].
    pub fn resize(&mut self, sources: usize, inputs: usize) {
        let (source_quads, input_quads) = (padded(2 * sources), padded(2 * inputs));
        debug_assert!(
            (source_quads + input_quads) * CHUNK_FRAMES <= self.rows.len() && inputs <= self.chains.len()
        );
        (self.sources, self.inputs) = (sources, inputs);
        (self.source_quads, self.quads) = (source_quads, source_quads + input_quads);
        self.restart(0);
    }

    /// Clears all state and continues `position` frames after a hop's start.
    pub fn restart(&mut self, position: usize) {
        self.bank.reset();
        self.rows.fill([0.0; 4]);
        self.next_hop();
        self.position = position % self.hop_frames;
    }

    /// Clears the filter state of a source: the samples that follow do not continue the ones before.
    pub fn reset_source(&mut self, source: usize) {
        (0..2).for_each(|side| self.bank.reset_channel(2 * source + side));
    }

    /// Clears the filter state of a source's input.
    pub fn reset_input(&mut self, source: usize) {
        (0..2).for_each(|side| self.bank.reset_channel(4 * self.source_quads + 2 * source + side));
    }

    /// Number of frames that can be staged before [`Self::advance`].
    pub fn free_frames(&self) -> usize {
        (CHUNK_FRAMES - self.position % CHUNK_FRAMES).min(self.hop_frames - self.position)
    }

    /// Stages samples of a signal (`2 * source + side`). Non-finite samples count as silence.
    pub fn stage(&mut self, signal: usize, samples: &[f64]) {
        debug_assert!(signal < 2 * self.sources);
        self.stage_lane(signal, samples);
    }

    /// Stages samples of a source's input (`2 * source + side`).
    pub fn stage_input(&mut self, signal: usize, samples: &[f64]) {
        debug_assert!(signal < 2 * self.inputs);
        self.has_inputs = true;
        self.stage_lane(4 * self.source_quads + signal, samples);
    }

    fn stage_lane(&mut self, lane: usize, samples: &[f64]) {
        let rows = self.rows[self.staged * self.quads..].chunks_exact_mut(self.quads);
        for (row, x) in rows.zip(samples) {
            row[lane / 4][lane % 4] = finite_or_zero(*x);
        }
    }

    /// Processes the staged frames, `count` of them; returns true if the hop is complete.
    pub fn advance(&mut self, count: usize) -> bool {
        self.staged += count;
        self.position += count;
        let complete = self.position == self.hop_frames;
        if complete || self.position.is_multiple_of(CHUNK_FRAMES) {
            self.process_staged();
        }
        complete
    }

    fn process_staged(&mut self) {
        let rows = &mut self.rows[..self.staged * self.quads];
        let quads = if self.has_inputs { self.quads } else { self.source_quads };
        self.bank.process(rows, self.quads, quads / GROUP_QUADS);
        let used = (2 * self.sources).div_ceil(4);
        for a in 0..used {
            let first = a * (2 * self.source_quads + 1 - a) / 2;
            let blocks = &mut self.blocks[first..first + used - a];
            // Narrow vectors: with four lanes, memory already limits the speed.
            self.isa.narrow().run(ProductKernel { rows, quads: self.quads, a, blocks });
        }
        if self.has_inputs {
            let mix = self.sources - 1;
            for (stem, sums) in self.chains[..self.inputs].iter_mut().enumerate() {
                add_chain(rows, self.quads, self.source_quads, stem, mix, sums);
            }
        }
        rows.fill([0.0; 4]);
        (self.staged, self.has_inputs) = (0, false);
    }

    /// Writes the joint matrix of the complete hop to `packed`, an upper triangle of all signals, row by row.
    pub fn products(&self, packed: &mut [f64]) {
        let scale = 1.0 / self.hop_frames as f64;
        let signals = 2 * self.sources;
        let mut out = packed.iter_mut();
        for i in 0..signals {
            for j in i..signals {
                let (a, b) = (i / 4, j / 4);
                let block = a * (2 * self.source_quads + 1 - a) / 2 + b - a;
                if let Some(out) = out.next() {
                    *out = self.blocks[block][i % 4][j % 4] * scale;
                }
            }
        }
    }

    /// Mean products of a stem's input over the complete hop.
    pub fn chain_products(&self, stem: usize) -> ChainProducts {
        let scale = 1.0 / self.hop_frames as f64;
        self.chains[stem].map(|row| row.map(|sum| sum * scale))
    }

    /// Begins the next hop. Filters keep their state.
    pub fn next_hop(&mut self) {
        self.blocks[..triangle(self.source_quads)].fill([[0.0; 4]; 4]);
        self.chains.fill([[0.0; 6]; 2]);
        (self.staged, self.position, self.has_inputs) = (0, 0, false);
    }
}

/// Number of quads for `signals` signals, in whole groups.
fn padded(signals: usize) -> usize {
    signals.div_ceil(4 * GROUP_QUADS) * GROUP_QUADS
}

/// Kernel that adds `a_i b_j`, frame by frame, for the four signals of quad `a` and the four of every quad `b` from
/// `a` on.
struct ProductKernel<'a> {
    rows: &'a [Quad],
    quads: usize,
    a: usize,
    /// Sums, one block for each `b`.
    blocks: &'a mut [[Quad; 4]],
}

impl Kernel for ProductKernel<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let mut done = 0;
        while done < self.blocks.len() {
            // Two blocks at a time: the loads of `a` serve both.
            let two = done + 2 <= self.blocks.len();
            match (<S as Registers<f64>>::Vector::LANES, two) {
                (2, true) => self.add::<S, 2, 2>(simd, done),
                (2, false) => self.add::<S, 2, 1>(simd, done),
                (_, true) => self.add::<S, 1, 2>(simd, done),
                (_, false) => self.add::<S, 1, 1>(simd, done),
            }
            done += if two { 2 } else { 1 };
        }
    }
}

impl ProductKernel<'_> {
    /// Adds to `N` blocks from `first` on; a quad takes `M` vectors.
    #[inline(always)]
    fn add<S: Simd, const M: usize, const N: usize>(&mut self, simd: S, first: usize) {
        let lanes = <S as Registers<f64>>::Vector::LANES;
        let zero: <S as Registers<f64>>::Vector = simd.splat(0.0);
        let mut sums = [[[zero; M]; 4]; N];
        for n in 0..N {
            for i in 0..4 {
                for m in 0..M {
                    sums[n][i][m] = simd.load(&self.blocks[first + n][i][m * lanes..]);
                }
            }
        }
        let (a, b) = (self.a, self.a + first);
        for row in self.rows.chunks_exact(self.quads) {
            let (x, y) = (&row[a], &row[b..b + N]);
            for n in 0..N {
                for m in 0..M {
                    let y = simd.load(&y[n][m * lanes..]);
                    for i in 0..4 {
                        sums[n][i][m] = y.mul_add(simd.splat(x[i]), sums[n][i][m]);
                    }
                }
            }
        }
        for n in 0..N {
            for i in 0..4 {
                for m in 0..M {
                    sums[n][i][m].store(&mut self.blocks[first + n][i][m * lanes..]);
                }
            }
        }
    }
}

/// Adds the products of a stem's input with its output, with the mix and with itself.
#[inline]
fn add_chain(rows: &[Quad], quads: usize, inputs: usize, stem: usize, mix: usize, sums: &mut ChainProducts) {
    let pair = |row: &[Quad], quad: usize, source: usize| {
        let (quad, lane) = (row[quad + source / 2], 2 * (source % 2));
        [quad[lane], quad[lane + 1]]
    };
    let mut local = *sums;
    for row in rows.chunks_exact(quads) {
        let (x, y, m) = (pair(row, inputs, stem), pair(row, 0, stem), pair(row, 0, mix));
        let with = [y[0], y[1], m[0], m[1], x[0], x[1]];
        for (sums, x) in local.iter_mut().zip(x) {
            for (sum, with) in sums.iter_mut().zip(with) {
                *sum += x * with;
            }
        }
    }
    *sums = local;
}
