//! What the Master does on its audio thread: mix and stems in, finished hops out.

use super::accumulate::{Accumulator, ChainProducts};
use super::joint::joint_len;
use super::timeline::{Place, TransportTracker, place};
use meter::true_peak::TruePeak;
use units::Hz;

/// The most stems that are summed.
pub const MOST_STEMS: usize = 32;
/// Finished hops that wait to be taken: those of the longest block at the lowest rate.
const WAITING: usize = 16;

/// One stem's part of a block, aligned with the mix by the caller.
#[derive(Clone, Copy, Debug, Default)]
pub struct StemBlock<'a> {
    /// What left the Stem, as long as the mix; `None` when it cannot be had.
    pub output: Option<[&'a [f64]; 2]>,
    /// What entered the Stem, matched to the output's latency; `None` when its chain does nothing.
    pub input: Option<[&'a [f64]; 2]>,
    /// True when it continues the stem's part of the block before.
    pub continues: bool,
}

/// A complete hop.
#[derive(Clone, Debug, Default)]
pub struct FinishedHop {
    /// Where on the project's timeline; `None` while live.
    pub place: Option<Place>,
    /// The row of contiguous hops it is part of.
    pub segment: u64,
    /// The set of stems that [`HopBuilder::set_stems`] named.
    pub set: u64,
    /// Number of stems.
    pub stems: usize,
    /// Bit `i`: stem `i` was contiguous over the hop and 100 ms before it.
    pub heard: u32,
    /// Bit `i`: `chains[i]` holds products of the stem's input. Without, its chain does nothing.
    pub has_chain: u32,
    /// The packed joint Gram matrix of the stems and, last, the mix.
    pub joint: Vec<f64>,
    /// Per stem, the products of its input.
    pub chains: Vec<ChainProducts>,
    /// Linear true peak of every stem and, last, of the mix, the higher of both channels.
    pub peaks: Vec<f64>,
}

/// Watches mix and stems and hands out hops.
///
/// One instance lives on the Master's audio thread; everything after construction is real-time safe: bounded work per
/// frame, no allocation. The same audio at the same place gives the same bits in blocks of any size. Latency: a hop is
/// handed out when its last frame has been seen.
#[derive(Clone, Debug)]
pub struct HopBuilder {
    accumulator: Accumulator,
    hop_frames: usize,
    stems: usize,
    set: u64,
    wheel: TransportTracker,
    segment: u64,
    /// Hop that is being filled.
    place: Option<Place>,
    mix_run: Run,
    runs: [Run; MOST_STEMS],
    input_runs: [Run; MOST_STEMS],
    /// Per source, per side.
    peaks: Vec<[TruePeak; 2]>,
    finished: Vec<FinishedHop>,
    first: usize,
    waiting: usize,
    dropped: u64,
}

/// For how many frames a signal has been contiguous.
#[derive(Clone, Copy, Debug, Default)]
struct Run(usize);

impl Run {
    /// True when a hop that ends now and the 100 ms before it are covered.
    fn is_warm(self, hop_frames: usize) -> bool {
        self.0 >= 2 * hop_frames
    }
}

impl HopBuilder {
    /// A watch for up to [`MOST_STEMS`] stems at `rate`. Allocates all it will ever need: 3 MB.
    pub fn new(rate: Hz) -> Self {
        let sources = MOST_STEMS + 1;
        let finished = (0..WAITING)
            .map(|_| FinishedHop {
                joint: Vec::with_capacity(joint_len(sources)),
                chains: Vec::with_capacity(MOST_STEMS),
                peaks: Vec::with_capacity(sources),
                ..FinishedHop::default()
            })
            .collect();
        let accumulator = Accumulator::new(rate, sources, MOST_STEMS);
        let mut watch = Self {
            hop_frames: accumulator.hop_frames(),
            accumulator,
            stems: 0,
            set: 0,
            wheel: TransportTracker::default(),
            segment: 0,
            place: None,
            mix_run: Run::default(),
            runs: [Run::default(); MOST_STEMS],
            input_runs: [Run::default(); MOST_STEMS],
            peaks: vec![[TruePeak::new(), TruePeak::new()]; sources],
            finished,
            first: 0,
            waiting: 0,
            dropped: 0,
        };
        watch.set_stems(0, 0);
        watch
    }

    /// From now on `stems` stems are given (at most [`MOST_STEMS`]); `set` names which, in the hops. The hop that is being
    /// filled is lost, and the next is the first of a new row.
    pub fn set_stems(&mut self, set: u64, stems: usize) {
        (self.set, self.stems) = (set, stems.min(MOST_STEMS));
        self.accumulator.resize(self.stems + 1, self.stems);
        self.wheel.break_off();
        self.restart(None);
    }

    /// Frames per hop.
    pub fn hop_frames(&self) -> usize {
        self.hop_frames
    }

    /// Hops that nobody took in time.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes a block. `host`: where the host says it starts on the timeline, in frames; `None` while the transport does
    /// not run. `stems`: as many as [`Self::set_stems`] said; missing ones count as not to be had.
    pub fn process(&mut self, host: Option<i64>, mix: [&[f64]; 2], stems: &[StemBlock<'_>]) {
        let frames = mix[0].len().min(mix[1].len());
        let located = self.wheel.locate(host, frames);
        if located.jumped || located.segment != self.segment {
            self.segment = located.segment;
            self.restart(located.position);
        }
        let stems = &stems[..stems.len().min(self.stems)];
        for index in 0..self.stems {
            let stem = stems.get(index).copied().unwrap_or_default();
            self.follow(index, &stem);
        }
        let mut at = 0;
        while at < frames {
            let count = self.accumulator.room().min(frames - at);
            let range = at..at + count;
            self.stage(self.stems, mix, range.clone());
            for (index, stem) in stems.iter().enumerate() {
                if let Some(output) = stem.output.filter(|output| has(output, frames)) {
                    self.stage(index, output, range.clone());
                    self.runs[index].0 += count;
                }
                if let Some(input) = stem.input.filter(|input| has(input, frames)) {
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

    /// Starts a stem's runs anew when its audio does not continue.
    fn follow(&mut self, index: usize, stem: &StemBlock<'_>) {
        let breaks = |part: Option<[&[f64]; 2]>, run: Run| (part.is_none() || !stem.continues) && run.0 > 0;
        if breaks(stem.output, self.runs[index]) {
            self.runs[index] = Run::default();
            self.accumulator.forget(index);
            self.peaks[index].iter_mut().for_each(TruePeak::reset);
        }
        if breaks(stem.input, self.input_runs[index]) {
            self.input_runs[index] = Run::default();
            self.accumulator.forget_input(index);
        }
    }

    /// Begins anew at `position`.
    fn restart(&mut self, position: Option<i64>) {
        let place = position.map(|position| place(position, self.hop_frames));
        self.place = place.map(|(place, _)| place);
        self.accumulator.restart(place.map_or(0, |(_, into)| into));
        self.mix_run = Run::default();
        self.runs.fill(Run::default());
        self.input_runs.fill(Run::default());
        self.peaks.iter_mut().flatten().for_each(TruePeak::reset);
    }

    /// The hop is complete: hands it out if the mix was contiguous.
    fn finish(&mut self) {
        let hop_frames = self.hop_frames;
        // Nothing comes before the timeline's start, so nothing is missing before its first hop.
        let warm = |run: Run| run.is_warm(hop_frames) || (self.place == Some(0) && run.0 >= hop_frames);
        if warm(self.mix_run) {
            if self.waiting < self.finished.len() {
                let slot = (self.first + self.waiting) % self.finished.len();
                let hop = &mut self.finished[slot];
                (hop.place, hop.segment, hop.set, hop.stems) =
                    (self.place, self.segment, self.set, self.stems);
                let mask = |runs: &[Run]| {
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
        self.place = self.place.map(|place| place + 1);
    }

    /// Gives the oldest finished hop to `receive` and forgets it; false when there is none. Call until false after every
    /// block.
    pub fn take(&mut self, receive: impl FnOnce(&FinishedHop)) -> bool {
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
fn has(audio: &[&[f64]; 2], frames: usize) -> bool {
    audio.iter().all(|side| side.len() >= frames)
}

#[cfg(test)]
mod tests;
