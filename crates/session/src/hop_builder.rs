//! Builder of hops, on the Master's audio thread: blocks of mix and stems in, hops on the project's timeline out.

use super::accumulate::{Accumulator, ChainProducts};
use super::fit::{StemArrival, fit_single_hop};
use super::gram::Gram;
use super::joint::joint_len;
use super::nested::NestedProducts;
use super::timeline::{HopIndex, TransportTracker, hop_at};
use meter::true_peak::TruePeak;
use units::Hz;

/// Greatest number of stems.
pub const MAX_STEMS: usize = 32;
/// Capacity of the queue of finished hops: those of the longest block at the lowest rate.
const QUEUE_HOPS: usize = 16;

/// One stem's share of a block, aligned with the mix by the caller.
#[derive(Clone, Copy, Debug, Default)]
pub struct StemBlock<'a> {
    /// Output of the Stem, as long as the mix; `None` if it is not available.
    pub output: Option<[&'a [f64]; 2]>,
    /// Input of the Stem, delayed by the chain's latency; `None` if its chain is neutral.
    pub input: Option<[&'a [f64]; 2]>,
    /// True if it continues the stem's audio of the block before.
    pub continues: bool,
}

/// A complete hop.
#[derive(Clone, Debug, Default)]
pub struct FinishedHop {
    /// Hop of the project's timeline; `None` while the transport does not run.
    pub index: Option<HopIndex>,
    /// Number of the row of contiguous hops that it belongs to.
    pub segment: u64,
    /// Number of the set of stems, as given to [`HopBuilder::set_stems`].
    pub set: u64,
    /// Number of stems.
    pub stems: usize,
    /// Bit `i`: stem `i` was contiguous over the hop and the 100 ms before it.
    pub heard: u32,
    /// Bit `i`: `chains[i]` holds products of the stem's input. If clear, its chain is neutral.
    pub has_chain: u32,
    /// Packed joint Gram matrix of the stems and, last, the mix.
    pub joint: Vec<f64>,
    /// Products of the inputs, per stem.
    pub chains: Vec<ChainProducts>,
    /// Linear true peak of every stem and, last, of the mix, the higher of both channels.
    pub peaks: Vec<f64>,
    /// Stems inside others, which are not among the stems above. The builder makes none: [`Self::of_stems`] does.
    pub nested: NestedProducts,
}

impl FinishedHop {
    /// Returns the hop of the stems `indices`, in their order, with `nested` of its stems inside some of them.
    pub fn of_stems(&self, indices: &[usize], nested: &[usize]) -> Self {
        let joint = Gram::from_packed(2 * (self.stems + 1), &self.joint);
        let sources: Vec<usize> = indices.iter().copied().chain([self.stems]).collect();
        let signals: Vec<usize> = sources.iter().flat_map(|i| [2 * i, 2 * i + 1]).collect();
        let pairs = signals.iter().enumerate().flat_map(|(k, a)| signals[k..].iter().map(move |b| (*a, *b)));
        let mask = |bits: u32| {
            indices.iter().enumerate().fold(0, |mask, (k, index)| mask | (bits >> index & 1) << k)
        };
        Self {
            stems: indices.len(),
            heard: mask(self.heard),
            has_chain: mask(self.has_chain),
            joint: pairs.map(|(a, b)| joint.at(a, b)).collect(),
            chains: indices.iter().map(|&index| self.chains[index]).collect(),
            peaks: sources.iter().map(|&index| self.peaks[index]).collect(),
            nested: NestedProducts::new(self, indices, nested),
            ..*self
        }
    }

    /// Power of the mix that no gains of the stems explain, K-weighted mean square.
    pub fn unexplained(&self) -> f64 {
        let joint = Gram::from_packed(2 * (self.stems + 1), &self.joint);
        fit_single_hop(&joint, &vec![StemArrival::UNITY; self.stems]).left
    }
}

/// Builds hops from the mix and its stems.
///
/// One instance lives on the Master's audio thread. Real-time safe after construction: bounded work per frame, no
/// allocation. The same audio at the same position gives the same bits in blocks of any size. Latency: a hop is
/// available once its last frame was processed.
#[derive(Clone, Debug)]
pub struct HopBuilder {
    accumulator: Accumulator,
    hop_frames: usize,
    stems: usize,
    set: u64,
    tracker: TransportTracker,
    segment: u64,
    /// Hop that is being filled.
    hop_index: Option<HopIndex>,
    mix_run: ContiguousFrames,
    runs: [ContiguousFrames; MAX_STEMS],
    input_runs: [ContiguousFrames; MAX_STEMS],
    /// True peak, per source, per side.
    peaks: Vec<[TruePeak; 2]>,
    finished: Vec<FinishedHop>,
    first: usize,
    waiting: usize,
    dropped: u64,
}

/// Number of frames for which a signal has been contiguous.
#[derive(Clone, Copy, Debug, Default)]
struct ContiguousFrames(usize);

impl ContiguousFrames {
    /// True if a hop that ends now and the 100 ms before it are covered.
    fn is_warm(self, hop_frames: usize) -> bool {
        self.0 >= 2 * hop_frames
    }
}

impl HopBuilder {
    /// Returns a builder for up to [`MAX_STEMS`] stems at `rate`. Allocates 3 MB.
    pub fn new(rate: Hz) -> Self {
        let sources = MAX_STEMS + 1;
        let finished = (0..QUEUE_HOPS)
            .map(|_| FinishedHop {
                joint: Vec::with_capacity(joint_len(sources)),
                chains: Vec::with_capacity(MAX_STEMS),
                peaks: Vec::with_capacity(sources),
                ..FinishedHop::default()
            })
            .collect();
        let accumulator = Accumulator::new(rate, sources, MAX_STEMS);
        let mut builder = Self {
            hop_frames: accumulator.hop_frames(),
            accumulator,
            stems: 0,
            set: 0,
            tracker: TransportTracker::default(),
            segment: 0,
            hop_index: None,
            mix_run: ContiguousFrames::default(),
            runs: [ContiguousFrames::default(); MAX_STEMS],
            input_runs: [ContiguousFrames::default(); MAX_STEMS],
            peaks: vec![[TruePeak::new(), TruePeak::new()]; sources],
            finished,
            first: 0,
            waiting: 0,
            dropped: 0,
        };
        builder.set_stems(0, 0);
        builder
    }

    /// Sets the number of stems (at most [`MAX_STEMS`]) and the number of their set, which hops carry. Discards the
    /// hop that is being filled; the next one begins a new row.
    pub fn set_stems(&mut self, set: u64, stems: usize) {
        (self.set, self.stems) = (set, stems.min(MAX_STEMS));
        self.accumulator.resize(self.stems + 1, self.stems);
        self.tracker.start_segment();
        self.restart(None);
    }

    /// Frames per hop.
    pub fn hop_frames(&self) -> usize {
        self.hop_frames
    }

    /// Hops that were lost because the queue was full.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Processes a block. `host`: position of its first frame by the host, frames; `None` while the transport does
    /// not run. `stems`: as many as given to [`Self::set_stems`]; missing ones count as not available.
    pub fn process(&mut self, host: Option<i64>, mix: [&[f64]; 2], stems: &[StemBlock<'_>]) {
        let frames = mix[0].len().min(mix[1].len());
        let located = self.tracker.locate(host, frames);
        if located.jumped || located.segment != self.segment {
            self.segment = located.segment;
            self.restart(located.position);
        }
        let stems = &stems[..stems.len().min(self.stems)];
        for index in 0..self.stems {
            let stem = stems.get(index).copied().unwrap_or_default();
            self.check_continuity(index, &stem);
        }
        let mut at = 0;
        while at < frames {
            let count = self.accumulator.free_frames().min(frames - at);
            let range = at..at + count;
            self.stage(self.stems, mix, range.clone());
            for (index, stem) in stems.iter().enumerate() {
                if let Some(output) = stem.output.filter(|output| has_frames(output, frames)) {
                    self.stage(index, output, range.clone());
                    self.runs[index].0 += count;
                }
                if let Some(input) = stem.input.filter(|input| has_frames(input, frames)) {
                    for side in 0..2 {
                        self.accumulator.stage_input(2 * index + side, &input[side][range.clone()]);
                    }
                    self.input_runs[index].0 += count;
                }
            }
            self.mix_run.0 += count;
            at += count;
            if self.accumulator.advance(count) {
                self.finish();
            }
        }
    }

    fn stage(&mut self, source: usize, audio: [&[f64]; 2], range: core::ops::Range<usize>) {
        for side in 0..2 {
            let samples = &audio[side][range.clone()];
            self.accumulator.stage(2 * source + side, samples);
            self.peaks[source][side].process(samples);
        }
    }

    /// Restarts a stem's runs if its audio does not continue.
    fn check_continuity(&mut self, index: usize, stem: &StemBlock<'_>) {
        let breaks = |part: Option<[&[f64]; 2]>, run: ContiguousFrames| {
            (part.is_none() || !stem.continues) && run.0 > 0
        };
        if breaks(stem.output, self.runs[index]) {
            self.runs[index] = ContiguousFrames::default();
            self.accumulator.reset_source(index);
            self.peaks[index].iter_mut().for_each(TruePeak::reset);
        }
        if breaks(stem.input, self.input_runs[index]) {
            self.input_runs[index] = ContiguousFrames::default();
            self.accumulator.reset_input(index);
        }
    }

    /// Restarts at `position`, frames.
    fn restart(&mut self, position: Option<i64>) {
        let hop_index = position.map(|position| hop_at(position, self.hop_frames));
        self.hop_index = hop_index.map(|(hop_index, _)| hop_index);
        self.accumulator.restart(hop_index.map_or(0, |(_, into)| into));
        self.mix_run = ContiguousFrames::default();
        self.runs.fill(ContiguousFrames::default());
        self.input_runs.fill(ContiguousFrames::default());
        self.peaks.iter_mut().flatten().for_each(TruePeak::reset);
    }

    /// Queues the complete hop if the mix was contiguous.
    fn finish(&mut self) {
        let hop_frames = self.hop_frames;
        // Nothing precedes the timeline's start, so its first hop needs no warm-up.
        let warm = |run: ContiguousFrames| {
            run.is_warm(hop_frames) || (self.hop_index == Some(0) && run.0 >= hop_frames)
        };
        if warm(self.mix_run) {
            if self.waiting < self.finished.len() {
                let slot = (self.first + self.waiting) % self.finished.len();
                let hop = &mut self.finished[slot];
                (hop.index, hop.segment, hop.set, hop.stems) =
                    (self.hop_index, self.segment, self.set, self.stems);
                let mask = |runs: &[ContiguousFrames]| {
                    runs.iter()
                        .take(self.stems)
                        .enumerate()
                        .fold(0, |mask, (i, run)| mask | u32::from(warm(*run)) << i)
                };
                (hop.heard, hop.has_chain) = (mask(&self.runs), mask(&self.input_runs));
                hop.joint.resize(joint_len(self.stems + 1), 0.0);
                self.accumulator.products(&mut hop.joint);
                hop.chains.clear();
                hop.chains.extend((0..self.stems).map(|stem| self.accumulator.chain_products(stem)));
                hop.peaks.clear();
                let peaks = self.peaks[..=self.stems].iter();
                hop.peaks.extend(peaks.map(|[l, r]| l.peaks().0.max(r.peaks().0)));
                self.waiting += 1;
            } else {
                self.dropped += 1;
            }
        }
        for peak in self.peaks[..=self.stems].iter_mut().flatten() {
            peak.take();
        }
        self.accumulator.next_hop();
        self.hop_index = self.hop_index.map(|hop_index| hop_index + 1);
    }

    /// Passes the oldest finished hop to `receive` and removes it; false if there is none. To be called until it
    /// returns false, after every block.
    pub fn take_hop(&mut self, receive: impl FnOnce(&FinishedHop)) -> bool {
        if self.waiting == 0 {
            return false;
        }
        receive(&self.finished[self.first]);
        self.first = (self.first + 1) % self.finished.len();
        self.waiting -= 1;
        true
    }
}

/// True when both sides have `frames` samples.
fn has_frames(audio: &[&[f64]; 2], frames: usize) -> bool {
    audio.iter().all(|side| side.len() >= frames)
}

#[cfg(test)]
mod tests;
