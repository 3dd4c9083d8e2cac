//! Meter of programmes with random access: files.
//!
//! A recursive filter waits for its own last output, so one signal leaves most of a processor idle. Here the
//! programme is divided into parts that are measured in parallel, each channel of each part in a lane of its own
//! (`KLanes`): eight parts of a mono programme, four of a stereo one, one from five channels on. Every part starts
//! 600 ms early: after 200 ms its filters no longer depend on their initial state (the slowest pole has decayed to
//! 10^-19), after another 400 ms its momentary window is full. Gates, maxima and true peaks are computed as in
//! [`Meter`](super::Meter), which gives the same readings.

use core::ops::Range;

use super::MaximaTimes;
use super::Reading;
use super::interpolate::{PeakSearch, RUN_OUT, SPAN};
use super::k_lanes::KLanes;
use super::layout::Layout;
use super::loudness::{self, Momentary, SHORT_TERM_HOPS, SUB_HOPS, hop_frames, sub_hop_start, sub_hops_end};
use simd::Isa;
use units::{Db, Dbtp, Hz, LEAST_AMPLITUDE, Power, decibels};

const LANES: usize = 8;
/// Sub-hops until a part's filters are independent of their initial state.
const FILTER_WARM_UP_SUB_HOPS: u64 = 2 * SUB_HOPS as u64;
/// Sub-hops by which a part starts early.
const WARM_UP_SUB_HOPS: u64 = FILTER_WARM_UP_SUB_HOPS + 4 * SUB_HOPS as u64;

/// State of one part of the programme.
#[derive(Clone, Debug)]
struct ProgrammePart {
    /// Sub-hops of the part; in a short programme the last parts have none.
    sub_hops: Range<u64>,
    /// The last samples of the step before, the interleaved samples of this one, room for the peak search.
    row: Vec<f32>,
    momentary: Momentary,
    /// Weighted energy of the complete sub-hops of its current hop.
    hop_energy: f64,
}

/// Meter of a programme of known length, step by step; each step takes 10 ms of every part.
///
/// Shape: interleaved, finite 32-bit float samples, full scale ±1; so it is for programmes that such samples
/// represent exactly, as integers of up to 24 bits. Readings agree with [`Meter`](super::Meter)'s within 1e-9 LU and
/// 1e-7 dB. Memory is bounded except for 8 bytes per 100 ms.
#[derive(Clone, Debug)]
pub struct ProgrammeMeter {
    rate: Hz,
    frames: u64,
    hop_frames: usize,
    channels: usize,
    /// Channel and weight of those that count for loudness.
    weighted: Vec<(usize, f64)>,
    /// Lanes per part.
    width: usize,
    parts: Vec<ProgrammePart>,
    /// Steps done, and their total number.
    step: u64,
    steps: u64,
    filters: Vec<KLanes<LANES>>,
    /// Samples of one filter's lanes.
    lanes: Vec<[f32; LANES]>,
    peaks: PeakSearch<f32>,
    /// Frame of the highest true peak.
    peak_at: u64,
    powers: Vec<Power>,
}

impl ProgrammeMeter {
    /// Returns a meter for `frames` frames at `rate` in `layout`.
    pub fn new(rate: Hz, layout: &Layout, frames: u64) -> Self {
        Self::with_isa(Isa::widest(), rate, layout, frames)
    }

    /// Returns the same with the instruction set `isa`.
    pub fn with_isa(isa: Isa, rate: Hz, layout: &Layout, frames: u64) -> Self {
        let channels = layout.channels();
        let weighted: Vec<(usize, f64)> =
            layout.weights().iter().copied().enumerate().filter(|&(_, weight)| weight != 0.0).collect();
        let hop = hop_frames(rate).max(SUB_HOPS);
        let rest = (frames % hop as u64) as usize;
        let hops = frames / hop as u64;
        // The last sub-hop may be incomplete: its samples have peaks.
        let begun = (0..SUB_HOPS).filter(|&sub_hop| sub_hop_start(hop, sub_hop) < rest).count() as u64;
        let sub_hops = hops * SUB_HOPS as u64 + begun;

        let width = weighted.len().next_power_of_two().min(LANES);
        let count = (LANES / width) as u64;
        let each = sub_hops.div_ceil(SUB_HOPS as u64).div_ceil(count) * SUB_HOPS as u64;
        let peaks = PeakSearch::new(isa, channels);
        let longest = hop.div_ceil(SUB_HOPS);
        let part = |index: u64| ProgrammePart {
            sub_hops: index * each..((index + 1) * each).min(sub_hops),
            row: vec![0.0; peaks.history() + (longest + RUN_OUT) * channels + SPAN],
            momentary: Momentary::new(hop),
            hop_energy: 0.0,
        };
        Self {
            rate,
            frames,
            hop_frames: hop,
            channels,
            width,
            parts: (0..count).map(part).collect(),
            step: 0,
            steps: if frames == 0 { 0 } else { each + WARM_UP_SUB_HOPS },
            filters: vec![KLanes::new(isa, rate); weighted.len().div_ceil(LANES)],
            weighted,
            lanes: vec![[0.0; LANES]; longest],
            peaks,
            peak_at: 0,
            powers: vec![Power(0.0); hops as usize],
        }
    }

    /// Number of parts.
    pub fn part_count(&self) -> usize {
        self.parts.len()
    }

    /// True if every step is done.
    pub fn is_done(&self) -> bool {
        self.step == self.steps
    }

    /// False while parts take frames that belong to the part before.
    pub fn is_warm(&self) -> bool {
        self.step >= WARM_UP_SUB_HOPS
    }

    /// Frames of the programme that `part` takes in the present step; often none at the beginning and at the end.
    pub fn wanted_frames(&self, part: usize) -> Range<u64> {
        self.sub_hop(part)
            .map_or(0..0, |sub_hop| self.start(sub_hop)..self.start(sub_hop + 1).min(self.frames))
    }

    /// Buffer for the interleaved samples of [`Self::wanted_frames`], finite ones, to be filled completely before
    /// every [`Self::step`].
    pub fn row_mut(&mut self, part: usize) -> &mut [f32] {
        let wanted = self.wanted_frames(part);
        let samples = (wanted.end - wanted.start) as usize * self.channels;
        let history = self.peaks.history();
        &mut self.parts[part].row[history..history + samples]
    }

    /// Processes the rows. Returns the number of frames that are finished.
    ///
    /// # Panics
    /// If [`Self::is_done`].
    pub fn step(&mut self) -> u64 {
        assert!(!self.is_done(), "there is something left to measure");
        let history = self.peaks.history();
        let in_hop = (self.step % SUB_HOPS as u64) as usize;
        let full = sub_hop_start(self.hop_frames, in_hop + 1) - sub_hop_start(self.hop_frames, in_hop);
        let is_warm = self.is_warm();
        let mut done = 0;
        for index in 0..self.parts.len() {
            let wanted = self.wanted_frames(index);
            let frames = (wanted.end - wanted.start) as usize;
            // Silence follows the last frame: what lies behind it is interpolated too.
            let searched = if frames > 0 && wanted.end == self.frames { frames + RUN_OUT } else { frames };
            let row = &mut self.parts[index].row;
            row[history + frames * self.channels..history + full.max(searched) * self.channels].fill(0.0);
            if is_warm {
                if let Some(rise) = self.peaks.search(row, searched * self.channels) {
                    self.peak_at = (wanted.start + rise as u64).min(self.frames - 1);
                }
                done += frames as u64;
            }
        }
        self.weigh(full);
        for part in &mut self.parts {
            part.row.copy_within(full * self.channels..full * self.channels + history, 0);
        }
        self.step += 1;
        done
    }

    /// Sub-hop of the programme that `part` takes in the present step.
    fn sub_hop(&self, part: usize) -> Option<u64> {
        let own = Some(&self.parts[part].sub_hops).filter(|own| !own.is_empty())?;
        (own.start + self.step).checked_sub(WARM_UP_SUB_HOPS).filter(|&sub_hop| sub_hop < own.end)
    }

    /// First frame of a sub-hop.
    fn start(&self, sub_hop: u64) -> u64 {
        sub_hops_end(self.hop_frames, sub_hop)
    }

    /// Adds the rows' samples to the energies.
    fn weigh(&mut self, frames: usize) {
        let (history, is_warm) = (self.peaks.history(), self.is_warm());
        let mut energies = [0.0; LANES];
        for (filter, weighted) in self.filters.iter_mut().zip(self.weighted.chunks(LANES)) {
            let rows = self.parts.iter().map(|part| &part.row[history..history + frames * self.channels]);
            gather(rows, self.channels, weighted, self.width, &mut self.lanes[..frames]);
            filter.process(&self.lanes[..frames]);
            filter.flush_state();
            for (lanes, energy) in filter.take().chunks(self.width).zip(&mut energies) {
                *energy +=
                    lanes.iter().zip(weighted).map(|(energy, (_, weight))| energy * weight).sum::<f64>();
            }
        }
        for index in 0..self.parts.len() {
            let Some(sub_hop) = self.sub_hop(index) else { continue };
            let complete = self.start(sub_hop + 1) <= self.frames;
            if !complete || self.step < FILTER_WARM_UP_SUB_HOPS {
                continue;
            }
            let part = &mut self.parts[index];
            part.momentary.push(energies[index]);
            if is_warm {
                part.hop_energy += energies[index];
                if (sub_hop + 1) % SUB_HOPS as u64 == 0 {
                    let power = Power(part.hop_energy / self.hop_frames as f64);
                    self.powers[(sub_hop / SUB_HOPS as u64) as usize] = power;
                    part.hop_energy = 0.0;
                }
            }
        }
    }

    /// Times of the maxima of [`Self::reading`].
    pub fn maxima_times(&self) -> MaximaTimes {
        let seconds = |frames: u64| frames as f64 / self.rate.0;
        let true_peak = (self.peaks.peaks().0 > LEAST_AMPLITUDE).then(|| seconds(self.peak_at));
        if self.rate.0 < loudness::MIN_RATE.0 {
            return MaximaTimes { true_peak, ..MaximaTimes::default() };
        }
        let mut loudest = (Power(0.0), 0);
        for part in &self.parts {
            if part.momentary.max() > loudest.0 {
                // A part's first sub-hop is pushed while it takes frames of the part before.
                let before = WARM_UP_SUB_HOPS - FILTER_WARM_UP_SUB_HOPS;
                let first = part.sub_hops.start.saturating_sub(before);
                loudest = (part.momentary.max(), self.start(first + part.momentary.max_at()));
            }
        }
        let short_term = loudness::loudest_window_end(&self.powers, SHORT_TERM_HOPS);
        MaximaTimes {
            momentary: loudest.0.loudness().map(|_| seconds(loudest.1)),
            short_term: short_term.map(|hops| seconds((hops * self.hop_frames) as u64)),
            true_peak,
        }
    }

    /// Powers of all hops.
    pub fn powers(&self) -> &[Power] {
        &self.powers
    }

    /// Reading of the whole programme, without present figures.
    pub fn reading(self) -> Reading {
        let (true_peak, sample_peak) = self.peaks.peaks();
        let of_peaks = Reading {
            true_peak: Dbtp::from_amplitude(true_peak),
            sample_peak: (sample_peak > LEAST_AMPLITUDE).then(|| Db(decibels(sample_peak))),
            ..Reading::default()
        };
        if self.rate.0 < loudness::MIN_RATE.0 {
            return of_peaks;
        }
        let momentary = self.parts.iter().map(|part| part.momentary.max());
        let momentary_max =
            momentary.fold(Power(0.0), |m, power| if power > m { power } else { m }).loudness();
        Reading {
            momentary_max,
            short_term_max: loudness::loudest_window(&self.powers, SHORT_TERM_HOPS),
            integrated: loudness::integrated(&self.powers),
            range: loudness::range_within(self.powers),
            ..of_peaks
        }
    }
}

/// Gathers the weighted channels of interleaved rows in lanes, `width` lanes per row.
fn gather<'a>(
    mut rows: impl ExactSizeIterator<Item = &'a [f32]>,
    channels: usize,
    weighted: &[(usize, f64)],
    width: usize,
    lanes: &mut [[f32; LANES]],
) {
    if channels == 2 && rows.len() == 4 {
        let mut pairs = || rows.next().map_or(&[][..], |row| row.as_chunks::<2>().0);
        let (first, second, third, fourth) = (pairs(), pairs(), pairs(), pairs());
        for ((((frame, a), b), c), d) in lanes.iter_mut().zip(first).zip(second).zip(third).zip(fourth) {
            *frame = [a[0], a[1], b[0], b[1], c[0], c[1], d[0], d[1]];
        }
        return;
    }
    for (part, row) in rows.enumerate() {
        for (lane, &(channel, _)) in weighted.iter().enumerate() {
            for (frame, samples) in lanes.iter_mut().zip(row.chunks_exact(channels)) {
                frame[part * width + lane] = samples[channel];
            }
        }
    }
}

#[cfg(test)]
mod tests;
