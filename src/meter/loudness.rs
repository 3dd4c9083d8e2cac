//! Loudness: from K-weighted samples to hops, and from hops to M, S, I and LRA.
//!
//! A **hop** is `round(rate / 10)` frames (100 ms). It is cut into ten sub-hops (10 ms) for the momentary
//! maximum. Every figure derives from the mean powers of hops or sub-hops: a gating block is 4 hops, short-term is
//! 30. The functions of this file are the only implementation of gates; [`crate::session`] predicts with them.

use super::k_weighting::KWeighting;
use super::layout::Layout;
use crate::units::{Hz, Lu, Lufs, Power};

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
    let absolute = ABSOLUTE_GATE.power();
    let mut passing: Vec<Power> = windows(hops, SHORT_TERM_HOPS).filter(|&p| p > absolute).collect();
    let gate = mean_above(passing.iter().copied(), absolute)? / 100.0;
    passing.retain(|&p| p >= gate);
    passing.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Nearest rank: the `p n`-th value of the sorted list, rounded, counted from one. Tech 3342 asks for percentiles
    // and does not say which; the rule of its example code, `round((n - 1) p) + 1`, differs by at most one rank, which
    // on half a minute of music can be 0.6 LU. This one agrees with ffmpeg's meter.
    let percentile = |p: f64| {
        let rank = (passing.len() as f64 * p + 0.5) as usize;
        passing[rank.max(1) - 1].loudness()
    };
    Some(percentile(0.95)? - percentile(0.10)?)
}

/// The loudest window of `window` hops, ungated.
pub fn loudest(hops: &[Power], window: usize) -> Option<Lufs> {
    windows(hops, window).fold(Power(0.0), |m, p| if p > m { p } else { m }).loudness()
}

/// K-weights channels and adds up their weighted energy into hops and sub-hops.
///
/// Accumulation is sample by sample from reset, so the results do not depend on block sizes, to the bit.
#[derive(Clone, Debug)]
pub struct HopMeter {
    weights: Vec<f64>,
    filters: Vec<KWeighting>,
    hop_frames: usize,
    /// Frames done in the current hop.
    position: usize,
    /// Sub-hop that is being filled, 0 to 9.
    sub_hop: usize,
    /// Energy per channel in the current sub-hop.
    energy: Vec<f64>,
    /// Weighted energy of the sub-hops done in this hop.
    hop_energy: f64,
    /// Weighted energy of the last 40 sub-hops, a ring.
    recent: [f64; MOMENTARY_SUB_HOPS],
    recent_at: usize,
    recent_filled: usize,
    momentary_max: Power,
}

impl HopMeter {
    /// A meter for audio at `rate` in `layout`.
    pub fn new(rate: Hz, layout: &Layout) -> Self {
        let channels = layout.channels();
        Self {
            weights: layout.weights().to_vec(),
            filters: vec![KWeighting::new(rate); channels],
            hop_frames: hop_frames(rate).max(SUB_HOPS),
            position: 0,
            sub_hop: 0,
            energy: vec![0.0; channels],
            hop_energy: 0.0,
            recent: [0.0; MOMENTARY_SUB_HOPS],
            recent_at: 0,
            recent_filled: 0,
            momentary_max: Power(0.0),
        }
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        for filter in &mut self.filters {
            filter.reset();
        }
        self.energy.fill(0.0);
        (self.position, self.sub_hop, self.hop_energy) = (0, 0, 0.0);
        self.recent.fill(0.0);
        (self.recent_at, self.recent_filled) = (0, 0);
        self.momentary_max = Power(0.0);
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
            let boundary = (self.sub_hop + 1) * self.hop_frames / SUB_HOPS;
            let frames = (end - at).min(boundary - self.position);
            for (c, samples) in channels.iter().enumerate() {
                if self.weights[c] != 0.0 {
                    self.energy[c] = self.filters[c].add_energy(&samples[at..at + frames], self.energy[c]);
                }
            }
            at += frames;
            self.position += frames;
            if self.position == boundary {
                hop = self.end_sub_hop().or(hop);
            }
        }
        hop
    }

    fn end_sub_hop(&mut self) -> Option<Power> {
        let energy: f64 = self.energy.iter().zip(&self.weights).map(|(e, w)| e * w).sum();
        self.energy.fill(0.0);
        self.hop_energy += energy;
        self.recent[self.recent_at] = energy;
        self.recent_at = (self.recent_at + 1) % MOMENTARY_SUB_HOPS;
        self.recent_filled = (self.recent_filled + 1).min(MOMENTARY_SUB_HOPS);
        if let Some(momentary) = self.momentary_power().filter(|&m| m > self.momentary_max) {
            self.momentary_max = momentary;
        }
        self.sub_hop += 1;
        (self.sub_hop == SUB_HOPS).then(|| {
            let hop = Power(self.hop_energy / self.hop_frames as f64);
            (self.position, self.sub_hop, self.hop_energy) = (0, 0, 0.0);
            hop
        })
    }

    fn momentary_power(&self) -> Option<Power> {
        let frames = (BLOCK_HOPS * self.hop_frames) as f64;
        (self.recent_filled == MOMENTARY_SUB_HOPS).then(|| Power(self.recent.iter().sum::<f64>() / frames))
    }

    /// Momentary loudness of the last 400 ms, on a 10 ms grid.
    pub fn momentary(&self) -> Option<Lufs> {
        self.momentary_power()?.loudness()
    }

    /// The loudest momentary loudness since reset, on a 10 ms grid.
    pub fn momentary_max(&self) -> Option<Lufs> {
        self.momentary_max.loudness()
    }
}
