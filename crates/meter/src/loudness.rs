//! Loudness: from samples to hops, and from hops to M, S, I and LRA.
//!
//! A **hop** is `round(rate / 10)` frames (100 ms), divided into ten sub-hops (10 ms) for the momentary maximum.
//! Every figure derives from the mean powers of hops or sub-hops: a gating block is 4 hops, the short-term window 30.
//! The gates have no other implementation; predictions use them too.

use super::k_lanes::KLanes;
use super::layout::Layout;
use simd::Isa;
use units::{Hz, Lu, Lufs, Power};

/// Hops in a 400 ms gating block.
pub const BLOCK_HOPS: usize = 4;
/// Hops in the 3 s short-term window.
pub const SHORT_TERM_HOPS: usize = 30;
/// Sub-hops in a hop.
pub const SUB_HOPS: usize = 10;
const MOMENTARY_SUB_HOPS: usize = BLOCK_HOPS * SUB_HOPS;

/// Absolute gate of BS.1770 eq. 5 and Tech 3342: blocks must be louder than this.
pub const ABSOLUTE_GATE: Lufs = Lufs(-70.0);
/// Lowest sampling rate at which there is a loudness.
pub const MIN_RATE: Hz = Hz(8_000.0);

/// Number of frames per hop at `rate`.
pub fn hop_frames(rate: Hz) -> usize {
    (rate.0 / 10.0).round() as usize
}

/// Mean powers of all runs of `window` consecutive hops.
pub fn windows(hops: &[Power], window: usize) -> impl Iterator<Item = Power> + Clone {
    hops.windows(window).map(move |run| run.iter().fold(Power(0.0), |sum, &p| sum + p) / window as f64)
}

/// Mean of the powers above `gate`; `None` if there are none.
fn mean_above(powers: impl Iterator<Item = Power>, gate: Power) -> Option<Power> {
    let (sum, count) =
        powers.filter(|&p| p > gate).fold((Power(0.0), 0usize), |(sum, count), p| (sum + p, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// Power above which a gating block counts for the integrated loudness: the absolute gate, or 10 LU below the
/// loudness of the blocks that pass it (BS.1770-5 eq. 6). `None` if none passes the absolute gate.
pub fn integrated_gate(hops: &[Power]) -> Option<Power> {
    let absolute = ABSOLUTE_GATE.power();
    let relative = mean_above(windows(hops, BLOCK_HOPS), absolute)? / 10.0;
    Some(if relative > absolute { relative } else { absolute })
}

/// Integrated loudness (BS.1770-5 eq. 7); `None` if no block passes the gates.
pub fn integrated(hops: &[Power]) -> Option<Lufs> {
    mean_above(windows(hops, BLOCK_HOPS), integrated_gate(hops)?)?.loudness()
}

/// Loudness range (EBU Tech 3342): the difference of the 95th and the 10th percentile of short-term loudness at 10
/// Hz, gated at -70 LUFS and at 20 LU below the mean; `None` if no 3 s are above the gate.
pub fn range(hops: &[Power]) -> Option<Lu> {
    range_within(hops.to_vec())
}

/// [`range`] that uses the memory of `hops`.
pub fn range_within(mut hops: Vec<Power>) -> Option<Lu> {
    let absolute = ABSOLUTE_GATE.power();
    let count = (hops.len() + 1).saturating_sub(SHORT_TERM_HOPS);
    for first in 0..count {
        // A window replaces its first hop, which later windows do not need.
        let window = windows(&hops[first..first + SHORT_TERM_HOPS], SHORT_TERM_HOPS).next();
        hops[first] = window.unwrap_or(Power(0.0));
    }
    let mut passing = hops;
    passing.truncate(count);
    passing.retain(|&p| p > absolute);
    let gate = mean_above(passing.iter().copied(), absolute)? / 100.0;
    passing.retain(|&p| p >= gate);
    // Nearest rank: the `p n`-th value of the sorted list, rounded, counted from one. Tech 3342 does not say which
    // definition of a percentile it means; the rule of its example code, `round((n - 1) p) + 1`, differs by at most
    // one rank, which on half a minute of music can be 0.6 LU. This one agrees with ffmpeg's meter.
    let mut percentile = |p: f64| {
        let rank = (passing.len() as f64 * p + 0.5) as usize;
        let (_, value, _) = passing.select_nth_unstable_by(rank.max(1) - 1, |a, b| a.0.total_cmp(&b.0));
        value.loudness()
    };
    Some(percentile(0.95)? - percentile(0.10)?)
}

/// Loudness of the loudest window of `window` hops, ungated.
pub fn loudest_window(hops: &[Power], window: usize) -> Option<Lufs> {
    windows(hops, window).fold(Power(0.0), |m, p| if p > m { p } else { m }).loudness()
}

/// Number of hops up to the end of the first loudest window of `window` hops; `None` if it has no loudness.
pub fn loudest_window_end(hops: &[Power], window: usize) -> Option<usize> {
    let mut loudest = (Power(0.0), 0);
    for (first, power) in windows(hops, window).enumerate() {
        if power > loudest.0 {
            loudest = (power, first + window);
        }
    }
    loudest.0.loudness().map(|_| loudest.1)
}

/// Energies of the last 400 ms, and the loudest 400 ms so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Momentary {
    /// Weighted energy of the last 40 sub-hops, a ring.
    recent: [f64; MOMENTARY_SUB_HOPS],
    at: usize,
    filled: usize,
    /// Frames in 400 ms.
    frames: f64,
    max: Power,
    /// Sub-hops so far, and up to the end of the loudest 400 ms.
    pushed: u64,
    max_at: u64,
}

impl Momentary {
    pub(super) fn new(hop_frames: usize) -> Self {
        let frames = (BLOCK_HOPS * hop_frames) as f64;
        Self {
            recent: [0.0; MOMENTARY_SUB_HOPS],
            at: 0,
            filled: 0,
            frames,
            max: Power(0.0),
            pushed: 0,
            max_at: 0,
        }
    }

    /// Adds the weighted energy of a sub-hop.
    pub(super) fn push(&mut self, energy: f64) {
        self.recent[self.at] = energy;
        self.at = (self.at + 1) % MOMENTARY_SUB_HOPS;
        self.filled = (self.filled + 1).min(MOMENTARY_SUB_HOPS);
        self.pushed += 1;
        if let Some(power) = self.power().filter(|&power| power > self.max) {
            self.max = power;
            self.max_at = self.pushed;
        }
    }

    /// Mean power of the last 400 ms.
    pub(super) fn power(&self) -> Option<Power> {
        (self.filled == MOMENTARY_SUB_HOPS).then(|| {
            // Eight independent sums, so that additions do not wait for each other.
            let mut sums = [0.0; 8];
            for run in self.recent.as_chunks::<8>().0 {
                (0..8).for_each(|lane| sums[lane] += run[lane]);
            }
            Power(sums.iter().sum::<f64>() / self.frames)
        })
    }

    /// Maximum of the mean power of 400 ms.
    pub(super) fn max(&self) -> Power {
        self.max
    }

    /// Sub-hops up to the end of the 400 ms that have it.
    pub(super) fn max_at(&self) -> u64 {
        self.max_at
    }
}

/// Frames of the hop before its sub-hop number `sub_hop`, 0 to 10.
pub(super) fn sub_hop_start(hop_frames: usize, sub_hop: usize) -> usize {
    sub_hop * hop_frames / SUB_HOPS
}

/// Frames of the first `sub_hops` sub-hops.
pub(super) fn sub_hops_end(hop_frames: usize, sub_hops: u64) -> u64 {
    let (hops, within) = (sub_hops / SUB_HOPS as u64, (sub_hops % SUB_HOPS as u64) as usize);
    hops * hop_frames as u64 + sub_hop_start(hop_frames, within) as u64
}

/// Channels that are filtered in parallel.
const LANES: usize = 4;
/// Frames between checks of the filters' state; counted since reset, so block sizes do not matter.
const CHECK_INTERVAL_FRAMES: usize = 64;

/// Filter of up to [`LANES`] channels.
#[derive(Clone, Debug)]
struct LaneGroup {
    /// Channel and weight of each lane.
    channels: Vec<(usize, f64)>,
    filter: KLanes<LANES>,
    /// Samples, frame by frame; lanes without a channel stay zero.
    frames: Box<[[f64; LANES]; CHECK_INTERVAL_FRAMES]>,
}

/// Meter of the weighted energy of hops and sub-hops.
///
/// Sums are accumulated sample by sample from reset, so results do not depend on block sizes, to the bit.
#[derive(Clone, Debug)]
pub struct HopMeter {
    groups: Vec<LaneGroup>,
    hop_frames: usize,
    /// Frames of the current hop so far.
    position: usize,
    /// Sub-hop that is being filled, 0 to 9.
    sub_hop: usize,
    /// Weighted energy of the complete sub-hops of this hop.
    hop_energy: f64,
    momentary: Momentary,
    until_check: usize,
}

impl HopMeter {
    /// Returns a meter for audio at `rate` in `layout`.
    pub fn new(rate: Hz, layout: &Layout) -> Self {
        Self::with_isa(Isa::widest(), rate, layout)
    }

    /// Returns the same with the instruction set `isa`, of which at most four lanes are used.
    pub fn with_isa(isa: Isa, rate: Hz, layout: &Layout) -> Self {
        let weighted: Vec<(usize, f64)> =
            layout.weights().iter().copied().enumerate().filter(|&(_, weight)| weight != 0.0).collect();
        let hop_frames = hop_frames(rate).max(SUB_HOPS);
        let group = |channels: &[(usize, f64)]| LaneGroup {
            channels: channels.to_vec(),
            filter: KLanes::new(isa.narrow(), rate),
            frames: Box::new([[0.0; LANES]; CHECK_INTERVAL_FRAMES]),
        };
        Self {
            groups: weighted.chunks(LANES).map(group).collect(),
            hop_frames,
            position: 0,
            sub_hop: 0,
            hop_energy: 0.0,
            momentary: Momentary::new(hop_frames),
            until_check: CHECK_INTERVAL_FRAMES,
        }
    }

    /// Clears all state.
    pub fn reset(&mut self) {
        self.groups.iter_mut().for_each(|group| group.filter.reset());
        (self.position, self.sub_hop, self.hop_energy) = (0, 0, 0.0);
        self.momentary = Momentary::new(self.hop_frames);
        self.until_check = CHECK_INTERVAL_FRAMES;
    }

    /// Drops the current hop and continues `position` frames after the start of one. Filters keep their state.
    pub fn restart_hop(&mut self, position: usize) {
        self.position = position % self.hop_frames;
        let starts_after = |sub_hop: usize| sub_hop_start(self.hop_frames, sub_hop + 1) > self.position;
        self.sub_hop = (0..SUB_HOPS).find(|&sub_hop| starts_after(sub_hop)).unwrap_or(0);
        self.hop_energy = 0.0;
        for group in &mut self.groups {
            let _dropped = group.filter.take();
        }
    }

    /// Number of frames until the current hop is full: the most that [`Self::process`] takes at once.
    pub fn frames_to_hop(&self) -> usize {
        self.hop_frames - self.position
    }

    /// Processes the frames `range` of `channels`, at most [`Self::frames_to_hop`]; returns the power of the hop if
    /// it is complete. Non-finite samples count as silence.
    pub fn process(&mut self, channels: &[&[f64]], range: core::ops::Range<usize>) -> Option<Power> {
        let (mut at, end) = (range.start, range.end);
        let mut hop = None;
        while at < end {
            let boundary = sub_hop_start(self.hop_frames, self.sub_hop + 1);
            let frames = (end - at).min(boundary - self.position).min(self.until_check);
            for group in &mut self.groups {
                for (lane, &(channel, _)) in group.channels.iter().enumerate() {
                    for (frame, &sample) in group.frames.iter_mut().zip(&channels[channel][at..at + frames]) {
                        frame[lane] = sample;
                    }
                }
                group.filter.process(&group.frames[..frames]);
            }
            at += frames;
            self.position += frames;
            self.until_check -= frames;
            if self.until_check == 0 {
                self.until_check = CHECK_INTERVAL_FRAMES;
                self.groups.iter_mut().for_each(|group| group.filter.flush_state());
            }
            if self.position == boundary {
                hop = self.end_sub_hop().or(hop);
            }
        }
        hop
    }

    fn end_sub_hop(&mut self) -> Option<Power> {
        let weighted = |group: &mut LaneGroup| -> f64 {
            group.channels.iter().zip(group.filter.take()).map(|((_, weight), energy)| weight * energy).sum()
        };
        let energy: f64 = self.groups.iter_mut().map(weighted).sum();
        self.hop_energy += energy;
        self.momentary.push(energy);
        self.sub_hop += 1;
        (self.sub_hop == SUB_HOPS).then(|| {
            let hop = Power(self.hop_energy / self.hop_frames as f64);
            (self.position, self.sub_hop, self.hop_energy) = (0, 0, 0.0);
            hop
        })
    }

    /// Momentary loudness of the last 400 ms, on a 10 ms grid.
    pub fn momentary(&self) -> Option<Lufs> {
        self.momentary.power()?.loudness()
    }

    /// Maximum of the momentary loudness since reset, on a 10 ms grid.
    pub fn momentary_max(&self) -> Option<Lufs> {
        self.momentary.max().loudness()
    }

    /// Frames up to the end of the 400 ms that have it; `None` without one.
    pub fn momentary_max_end(&self) -> Option<u64> {
        self.momentary_max().map(|_| sub_hops_end(self.hop_frames, self.momentary.max_at()))
    }
}
