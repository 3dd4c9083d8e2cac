//! Loudness: from K-weighted samples to hops, and from hops to M, S, I and LRA.
//!
//! A **hop** is `round(rate / 10)` frames (100 ms). It is cut into ten sub-hops (10 ms) for the momentary
//! maximum. Every figure derives from the mean powers of hops or sub-hops: a gating block is 4 hops, short-term is
//! 30. The functions of this file are the only implementation of gates; [`session`] predicts with them.

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

/// The absolute gate of BS.1770 eq. 5 and Tech 3342: blocks must be louder than this.
pub const ABSOLUTE_GATE: Lufs = Lufs(-70.0);
/// The lowest rate at which there is a reading.
pub const LOWEST_RATE: Hz = Hz(8_000.0);

/// Frames per hop at `rate`.
pub fn hop_frames(rate: Hz) -> usize {
    (rate.0 / 10.0).round() as usize
}

/// The mean powers of all runs of `window` consecutive hops.
pub fn windows(hops: &[Power], window: usize) -> impl Iterator<Item = Power> + Clone {
    hops.windows(window).map(move |run| run.iter().fold(Power(0.0), |sum, &p| sum + p) / window as f64)
}

/// Mean of the powers louder than `gate`, and how many they are.
fn mean_above(powers: impl Iterator<Item = Power>, gate: Power) -> Option<Power> {
    let (sum, count) =
        powers.filter(|&p| p > gate).fold((Power(0.0), 0usize), |(sum, count), p| (sum + p, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// The level above which a gating block counts for the integrated loudness: the absolute gate, or 10 LU below the
/// loudness of what passes it (BS.1770-5 eq. 6). `None` when nothing passes the absolute gate.
pub fn integrated_gate(hops: &[Power]) -> Option<Power> {
    let absolute = ABSOLUTE_GATE.power();
    let relative = mean_above(windows(hops, BLOCK_HOPS), absolute)? / 10.0;
    Some(if relative > absolute { relative } else { absolute })
}

/// Integrated loudness (BS.1770-5 eq. 7); `None` when no block passes the gates.
pub fn integrated(hops: &[Power]) -> Option<Lufs> {
    mean_above(windows(hops, BLOCK_HOPS), integrated_gate(hops)?)?.loudness()
}

/// Loudness range (EBU Tech 3342): the spread from the 10th to the 95th percentile of short-term loudness at
/// 10 Hz, gated at -70 LUFS and 20 LU below the mean; `None` when nothing lasts 3 s above the gate.
pub fn range(hops: &[Power]) -> Option<Lu> {
    range_within(hops.to_vec())
}

/// [`range`] of hops that are needed no more, in their own memory.
pub fn range_within(mut hops: Vec<Power>) -> Option<Lu> {
    let absolute = ABSOLUTE_GATE.power();
    let count = (hops.len() + 1).saturating_sub(SHORT_TERM_HOPS);
    for first in 0..count {
        // A window takes the place of its first hop, which no later one needs.
        let window = windows(&hops[first..first + SHORT_TERM_HOPS], SHORT_TERM_HOPS).next();
        hops[first] = window.unwrap_or(Power(0.0));
    }
    let mut passing = hops;
    passing.truncate(count);
    passing.retain(|&p| p > absolute);
    let gate = mean_above(passing.iter().copied(), absolute)? / 100.0;
    passing.retain(|&p| p >= gate);
    // Nearest rank: the `p n`-th value of the sorted list, rounded, counted from one. Tech 3342 asks for percentiles
    // and does not say which; the rule of its example code, `round((n - 1) p) + 1`, differs by at most one rank, which
    // on half a minute of music can be 0.6 LU. This one agrees with ffmpeg's meter.
    let mut percentile = |p: f64| {
        let rank = (passing.len() as f64 * p + 0.5) as usize;
        let (_, value, _) = passing.select_nth_unstable_by(rank.max(1) - 1, |a, b| a.0.total_cmp(&b.0));
        value.loudness()
    };
    Some(percentile(0.95)? - percentile(0.10)?)
}

/// The loudest window of `window` hops, ungated.
pub fn loudest(hops: &[Power], window: usize) -> Option<Lufs> {
    windows(hops, window).fold(Power(0.0), |m, p| if p > m { p } else { m }).loudness()
}

/// The sub-hops of the last 400 ms, and the loudest 400 ms so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Momentary {
    /// Weighted energy of the last 40 sub-hops, a ring.
    recent: [f64; MOMENTARY_SUB_HOPS],
    at: usize,
    filled: usize,
    /// Frames in 400 ms.
    frames: f64,
    max: Power,
}

impl Momentary {
    pub(super) fn new(hop_frames: usize) -> Self {
        let frames = (BLOCK_HOPS * hop_frames) as f64;
        Self { recent: [0.0; MOMENTARY_SUB_HOPS], at: 0, filled: 0, frames, max: Power(0.0) }
    }

    /// Adds the weighted energy of a sub-hop.
    pub(super) fn push(&mut self, energy: f64) {
        self.recent[self.at] = energy;
        self.at = (self.at + 1) % MOMENTARY_SUB_HOPS;
        self.filled = (self.filled + 1).min(MOMENTARY_SUB_HOPS);
        if let Some(power) = self.power().filter(|&power| power > self.max) {
            self.max = power;
        }
    }

    /// Mean power of the last 400 ms.
    pub(super) fn power(&self) -> Option<Power> {
        (self.filled == MOMENTARY_SUB_HOPS).then(|| {
            // Eight sums side by side, because one after the other waits for every addition.
            let mut sums = [0.0; 8];
            for run in self.recent.as_chunks::<8>().0 {
                (0..8).for_each(|lane| sums[lane] += run[lane]);
            }
            Power(sums.iter().sum::<f64>() / self.frames)
        })
    }

    /// The largest it was.
    pub(super) fn max(&self) -> Power {
        self.max
    }
}

/// Frames of the hop that lie before its sub-hop number `sub_hop`, 0 to 10.
pub(super) fn sub_hop_start(hop_frames: usize, sub_hop: usize) -> usize {
    sub_hop * hop_frames / SUB_HOPS
}

/// Channels filtered side by side.
const LANES: usize = 4;
/// Frames between checks of the filters' state; counted since reset, so blocks do not matter.
const CHECK_INTERVAL: usize = 64;

/// Up to [`LANES`] channels.
#[derive(Clone, Debug)]
struct Group {
    /// Channel and weight of each lane.
    channels: Vec<(usize, f64)>,
    filter: KLanes<LANES>,
    /// Their samples, frame by frame; lanes without a channel stay zero.
    frames: Box<[[f64; LANES]; CHECK_INTERVAL]>,
}

/// K-weights channels and adds up their weighted energy into hops and sub-hops.
///
/// Accumulation is sample by sample from reset, so the results do not depend on block sizes, to the bit.
#[derive(Clone, Debug)]
pub struct HopMeter {
    groups: Vec<Group>,
    hop_frames: usize,
    /// Frames done in the current hop.
    position: usize,
    /// Sub-hop that is being filled, 0 to 9.
    sub_hop: usize,
    /// Weighted energy of the sub-hops done in this hop.
    hop_energy: f64,
    momentary: Momentary,
    until_check: usize,
}

impl HopMeter {
    /// A meter for audio at `rate` in `layout`.
    pub fn new(rate: Hz, layout: &Layout) -> Self {
        Self::with(Isa::widest(), rate, layout)
    }

    /// The same with instructions of one's choice, as far as it has use for them.
    pub fn with(isa: Isa, rate: Hz, layout: &Layout) -> Self {
        let weighted: Vec<(usize, f64)> =
            layout.weights().iter().copied().enumerate().filter(|&(_, weight)| weight != 0.0).collect();
        let hop_frames = hop_frames(rate).max(SUB_HOPS);
        let group = |channels: &[(usize, f64)]| Group {
            channels: channels.to_vec(),
            filter: KLanes::new(isa.narrow(), rate),
            frames: Box::new([[0.0; LANES]; CHECK_INTERVAL]),
        };
        Self {
            groups: weighted.chunks(LANES).map(group).collect(),
            hop_frames,
            position: 0,
            sub_hop: 0,
            hop_energy: 0.0,
            momentary: Momentary::new(hop_frames),
            until_check: CHECK_INTERVAL,
        }
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.groups.iter_mut().for_each(|group| group.filter.reset());
        (self.position, self.sub_hop, self.hop_energy) = (0, 0, 0.0);
        self.momentary = Momentary::new(self.hop_frames);
        self.until_check = CHECK_INTERVAL;
    }

    /// Frames until the current hop is full: the most that [`Self::process`] takes at once.
    pub fn frames_to_hop(&self) -> usize {
        self.hop_frames - self.position
    }

    /// Takes frames `range` of `channels`, no more than [`Self::frames_to_hop`]; returns the power of the hop if
    /// it is complete now. Non-finite samples count as silence.
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
                self.until_check = CHECK_INTERVAL;
                self.groups.iter_mut().for_each(|group| group.filter.settle());
            }
            if self.position == boundary {
                hop = self.end_sub_hop().or(hop);
            }
        }
        hop
    }

    fn end_sub_hop(&mut self) -> Option<Power> {
        let weighted = |group: &mut Group| -> f64 {
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

    /// The loudest momentary loudness since reset, on a 10 ms grid.
    pub fn momentary_max(&self) -> Option<Lufs> {
        self.momentary.max().loudness()
    }
}
