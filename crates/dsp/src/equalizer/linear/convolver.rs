//! Two channels through a 2 × 2 matrix of long impulse responses.

use super::PARTS;
use core::array::from_fn;
use fourier::{Complex, ComplexToReal, RealToComplex};
use std::sync::Arc;

/// From and to which channel a filter leads: left to left, right to left, left to right, right to right.
pub(super) const ENTRIES: [[usize; 2]; 4] = [[0, 0], [1, 0], [0, 1], [1, 1]];

type Bin = Complex<f64>;

/// The spectra of all partitions of a matrix of impulse responses.
pub(super) struct Filters {
    /// Per entry of the matrix and partition.
    pub(super) spectra: [[Vec<Bin>; PARTS]; 4],
    /// Entries that are not zero.
    pub(super) used: [bool; 4],
}

impl Filters {
    /// Nothing, for partitions of `part` samples.
    pub(super) fn new(part: usize) -> Self {
        Self { spectra: from_fn(|_| spectra(part)), used: [false; 4] }
    }

    /// True when it turns everything into silence.
    pub(super) fn is_nothing(&self) -> bool {
        self.used == [false; 4]
    }
}

/// A spectrum of zeros for each partition of `part` samples.
fn spectra(part: usize) -> [Vec<Bin>; PARTS] {
    from_fn(|_| vec![Bin::default(); part + 1])
}

/// One channel's past.
struct Channel {
    /// The partition before, and the one that comes in.
    input: Vec<f64>,
    /// Output while the next partition comes in.
    output: Vec<f64>,
    /// Spectra of the last inputs; `Convolver::newest` is the last.
    past: [Vec<Bin>; PARTS],
}

/// Uniformly partitioned overlap-save; output comes one partition late.
pub(super) struct Convolver {
    part: usize,
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    scratch: Vec<Bin>,
    work: Vec<f64>,
    sum: Vec<Bin>,
    channels: [Channel; 2],
    newest: usize,
    /// Number of past spectra that are valid.
    known: usize,
    /// Frames of the partition that comes in.
    at: usize,
    silent: bool,
}

impl Convolver {
    pub(super) fn new(part: usize) -> Self {
        let (forward, inverse) = (fourier::forward(2 * part), fourier::inverse(2 * part));
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        let channel = || Channel { input: vec![0.0; 2 * part], output: vec![0.0; part], past: spectra(part) };
        Self {
            part,
            forward,
            inverse,
            scratch: vec![Bin::default(); scratch],
            work: vec![0.0; 2 * part],
            sum: vec![Bin::default(); part + 1],
            channels: [channel(), channel()],
            newest: 0,
            known: PARTS,
            at: 0,
            silent: true,
        }
    }

    /// Forgets everything; the past is silence.
    pub(super) fn reset(&mut self) {
        for channel in &mut self.channels {
            channel.input.fill(0.0);
            channel.output.fill(0.0);
            channel.past.iter_mut().for_each(|spectrum| spectrum.fill(Bin::default()));
        }
        (self.newest, self.known, self.at, self.silent) = (0, PARTS, 0, true);
    }

    /// True when what goes out is silence.
    pub(super) fn is_silent(&self) -> bool {
        self.silent
    }

    /// Takes input, no more than is left of the partition; what is not finite is taken for silence.
    pub(super) fn take(&mut self, samples: [&[f64]; 2]) {
        let start = self.part + self.at;
        for (channel, samples) in self.channels.iter_mut().zip(samples) {
            for (to, &sample) in channel.input[start..].iter_mut().zip(samples) {
                *to = if sample.is_finite() { sample } else { 0.0 };
            }
        }
    }

    /// Adds the output of the same frames; true when the partition is complete.
    pub(super) fn give(&mut self, samples: [&mut [f64]; 2]) -> bool {
        let count = samples[0].len();
        if !self.silent {
            for (channel, samples) in self.channels.iter().zip(samples) {
                let changes = &channel.output[self.at..];
                samples.iter_mut().zip(changes).for_each(|(sample, change)| *sample += change);
            }
        }
        self.at += count;
        self.at == self.part
    }

    fn advance(&mut self) {
        let part = self.part;
        for channel in &mut self.channels {
            channel.input.copy_within(part.., 0);
        }
        self.at = 0;
    }

    /// Nothing is convolved in this partition: output is silence, and the past gets lost.
    pub(super) fn sleep(&mut self) {
        if !self.silent {
            self.channels.iter_mut().for_each(|channel| channel.output.fill(0.0));
            self.silent = true;
        }
        self.known = 0;
        self.advance();
    }

    /// Transforms the partition that has come in; true when the whole past is known.
    pub(super) fn hear(&mut self) -> bool {
        self.newest = (self.newest + 1) % PARTS;
        for channel in &mut self.channels {
            self.work.copy_from_slice(&channel.input);
            let spectrum = &mut channel.past[self.newest];
            if self.forward.process_with_scratch(&mut self.work, spectrum, &mut self.scratch).is_err() {
                spectrum.fill(Bin::default()); // cannot be: all lengths are the plan's
            }
        }
        self.known = (self.known + 1).min(PARTS);
        self.advance();
        self.known == PARTS
    }

    /// Makes the output of the next partition, with a fade from `filters` to `next` if there is one.
    pub(super) fn convolve(&mut self, filters: &Filters, next: Option<&Filters>) {
        self.silent = false;
        for to in 0..2 {
            self.sum_up(filters, to);
            self.channels[to].output.copy_from_slice(&self.work[self.part..]);
            if let Some(next) = next {
                self.sum_up(next, to);
                let step = 1.0 / self.part as f64;
                let fresh = &self.work[self.part..];
                for (i, (old, new)) in self.channels[to].output.iter_mut().zip(fresh).enumerate() {
                    // Without a corner at either end.
                    let way = (i + 1) as f64 * step;
                    *old += way * way * (3.0 - 2.0 * way) * (new - *old);
                }
            }
        }
    }

    /// The second half of the work buffer becomes what `filters` send to the channel `to`.
    fn sum_up(&mut self, filters: &Filters, to: usize) {
        self.sum.fill(Bin::default());
        let mut any = false;
        for (entry, [from, target]) in ENTRIES.into_iter().enumerate() {
            if target != to || !filters.used[entry] {
                continue;
            }
            any = true;
            for (part, spectrum) in filters.spectra[entry].iter().enumerate() {
                let past = &self.channels[from].past[(self.newest + PARTS - part) % PARTS];
                for ((sum, past), filter) in self.sum.iter_mut().zip(past).zip(spectrum) {
                    *sum += past * filter;
                }
            }
        }
        // The first and the last bin of a real signal are real.
        (self.sum[0].im, self.sum[self.part].im) = (0.0, 0.0);
        if !any
            || self.inverse.process_with_scratch(&mut self.sum, &mut self.work, &mut self.scratch).is_err()
        {
            self.work.fill(0.0);
        }
    }
}
