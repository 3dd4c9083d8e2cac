//! Meters for loudness, peaks and correlation.
//!
//! [`Meter`] measures a stream of any channel layout at 8 kHz or more: momentary, short-term and integrated loudness,
//! loudness range, true and sample peak, PLR, PSR and stereo correlation (EBU Tech 3341 and 3342, BS.1770-5). It has
//! two halves: one that runs on samples ([`loudness::HopMeter`], [`true_peak::TruePeak`], [`stereo::StereoSums`]:
//! constant cost, no allocation) and one that derives readings from 100 ms hops ([`HopHistory`]).

mod interpolate;
pub mod k_bank;
mod k_lanes;
pub mod k_weighting;
pub mod layout;
pub mod loudness;
pub mod low_end;
pub mod overshoot_bound;
pub mod peak_check;
pub mod programme;
pub mod sanitize;
pub mod stereo;
pub mod true_peak;

use layout::Layout;
use loudness::{BLOCK_HOPS, HopMeter, SHORT_TERM_HOPS};
use simd::Isa;
use stereo::StereoSums;
use true_peak::TruePeak;
use units::{Db, Dbtp, Hz, LEAST_AMPLITUDE, Lu, Lufs, Power, decibels};

/// Reading of a meter. A figure that does not exist (silence, too short) is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// Momentary loudness M, the last 400 ms.
    pub momentary: Option<Lufs>,
    /// Short-term loudness S, the last 3 s.
    pub short_term: Option<Lufs>,
    /// Maximum of M, on a 10 ms grid.
    pub momentary_max: Option<Lufs>,
    /// Maximum of S, on a 100 ms grid.
    pub short_term_max: Option<Lufs>,
    /// Integrated loudness I.
    pub integrated: Option<Lufs>,
    /// Loudness range LRA.
    pub range: Option<Lu>,
    /// Highest true peak of any channel, LFE included.
    pub true_peak: Option<Dbtp>,
    /// Highest sample magnitude of any channel, dBFS.
    pub sample_peak: Option<Db>,
    /// True peak of the last 3 s minus short-term loudness (PSR), dB.
    pub psr: Option<Db>,
    /// Correlation of a stereo signal over the whole programme, -1 to 1.
    pub correlation: Option<f64>,
}

impl Reading {
    /// Peak to loudness ratio (PLR): true peak minus integrated loudness.
    pub fn plr(&self) -> Option<Lu> {
        Some(Lu(self.true_peak?.0 - self.integrated?.0))
    }
}

/// Times of the maxima of a [`Reading`], seconds from the first frame; each `None` where its maximum is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MaximaTimes {
    /// End of the loudest 400 ms: the moment at which a meter shows it.
    pub momentary: Option<f64>,
    /// End of the loudest 3 s, likewise.
    pub short_term: Option<f64>,
    /// The highest true peak, within a millisecond.
    pub true_peak: Option<f64>,
}

/// Figures of one 100 ms hop.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hop {
    /// K-weighted, channel-weighted mean power.
    pub power: Power,
    /// Linear true peak of all channels.
    pub true_peak: f64,
    /// Linear sample peak of all channels.
    pub sample_peak: f64,
}

/// Hops since reset.
#[derive(Clone, Debug, Default)]
pub struct HopHistory {
    powers: Vec<Power>,
    true_peaks: Vec<f64>,
    sample_peak: f64,
    /// Loudest short-term window so far, so that its maximum needs no pass over the hops.
    short_term_max: Power,
}

impl HopHistory {
    /// Appends a complete hop.
    pub fn push(&mut self, hop: Hop) {
        self.powers.push(hop.power);
        self.true_peaks.push(hop.true_peak);
        self.sample_peak = self.sample_peak.max(hop.sample_peak);
        if let Some(short_term) = self.window(SHORT_TERM_HOPS).filter(|&s| s > self.short_term_max) {
            self.short_term_max = short_term;
        }
    }

    /// Power of every hop.
    pub fn powers(&self) -> &[Power] {
        &self.powers
    }

    /// Linear true peak of every hop.
    pub fn true_peaks(&self) -> &[f64] {
        &self.true_peaks
    }

    fn window(&self, hops: usize) -> Option<Power> {
        let start = self.powers.len().checked_sub(hops)?;
        loudness::windows(&self.powers[start..], hops).next()
    }
}

/// Meter of a stream.
///
/// Shape: planar channels in the order of the layout, full scale ±1. `process` appends two numbers per hop to the
/// history; a thread that must not allocate uses the halves separately. Non-finite samples count as silence and are
/// counted. Below 8 kHz there is no loudness.
#[derive(Clone, Debug)]
pub struct Meter {
    rate: Hz,
    hops: HopMeter,
    peaks: Vec<TruePeak>,
    stereo: Option<StereoSums>,
    history: HopHistory,
    /// Linear true peak of the hops so far, and its frame.
    highest: (f64, u64),
    frames: u64,
    non_finite: u64,
}

impl Meter {
    /// Returns a meter for audio at `rate` in `layout`.
    pub fn new(rate: Hz, layout: &Layout) -> Self {
        Self::with_isa(Isa::widest(), rate, layout)
    }

    /// Returns the same with the instruction set `isa`.
    pub fn with_isa(isa: Isa, rate: Hz, layout: &Layout) -> Self {
        Self {
            rate,
            hops: HopMeter::with_isa(isa, rate, layout),
            peaks: vec![TruePeak::with_isa(isa); layout.channels()],
            stereo: (layout.channels() == 2).then(StereoSums::default),
            history: HopHistory::default(),
            highest: (0.0, 0),
            frames: 0,
            non_finite: 0,
        }
    }

    /// Restores the state of a new meter.
    pub fn reset(&mut self) {
        self.hops.reset();
        self.peaks.iter_mut().for_each(TruePeak::reset);
        self.stereo = self.stereo.map(|_| StereoSums::default());
        self.history = HopHistory::default();
        self.highest = (0.0, 0);
        (self.frames, self.non_finite) = (0, 0);
    }

    /// Processes a block: one slice per channel, of equal length.
    ///
    /// # Panics
    /// If the number of channels is not the layout's.
    pub fn process(&mut self, channels: &[&[f64]]) {
        assert_eq!(channels.len(), self.peaks.len(), "one slice per channel of the layout");
        let frames = channels.first().map_or(0, |c| c.len());
        let mut at = 0;
        while at < frames {
            let end = frames.min(at + self.hops.frames_to_hop());
            for (peak, samples) in self.peaks.iter_mut().zip(channels) {
                peak.process(&samples[at..end]);
            }
            if let (Some(sums), [left, right]) = (&mut self.stereo, channels) {
                sums.add(&left[at..end], &right[at..end]);
            }
            if let Some(power) = self.hops.process(channels, at..end) {
                self.highest = higher(self.highest, &self.peaks);
                let (true_peak, sample_peak) = highest_peaks(self.peaks.iter_mut().map(TruePeak::take));
                self.history.push(Hop { power, true_peak, sample_peak });
            }
            at = end;
        }
        self.frames += frames as u64;
        self.non_finite += channels.iter().flat_map(|c| c.iter()).filter(|x| !x.is_finite()).count() as u64;
    }

    /// Reading of what was processed, as if silence followed: true peaks behind the last sample count. Costs a pass over the
    /// history.
    pub fn reading(&self) -> Reading {
        let (pending_true, pending_sample) = highest_peaks(self.peaks.iter().map(TruePeak::peaks_to_silence));
        let history = &self.history;
        let true_peak = history.true_peaks.iter().copied().fold(pending_true, f64::max);
        let sample_peak = history.sample_peak.max(pending_sample);
        let mut reading = Reading {
            true_peak: Dbtp::from_amplitude(true_peak),
            sample_peak: (sample_peak > LEAST_AMPLITUDE).then(|| Db(decibels(sample_peak))),
            correlation: self.stereo.and_then(StereoSums::correlation),
            ..Reading::default()
        };
        if self.rate.0 < loudness::MIN_RATE.0 {
            return reading;
        }
        reading.momentary = self.hops.momentary();
        reading.momentary_max = self.hops.momentary_max();
        reading.short_term = history.window(SHORT_TERM_HOPS).and_then(Power::loudness);
        reading.short_term_max = history.short_term_max.loudness();
        reading.integrated = loudness::integrated(&history.powers);
        reading.range = loudness::range(&history.powers);
        reading.psr = reading.short_term.and_then(|short_term| {
            let start = history.true_peaks.len() - SHORT_TERM_HOPS;
            let peak = history.true_peaks[start..].iter().copied().fold(pending_true, f64::max);
            Some(Db(Dbtp::from_amplitude(peak)?.0 - short_term.0))
        });
        reading
    }

    /// Times of the maxima of [`Self::reading`].
    pub fn maxima_times(&self) -> MaximaTimes {
        let seconds = |frames: u64| frames as f64 / self.rate.0;
        let ends: Vec<TruePeak> = self.peaks.iter().map(TruePeak::run_out).collect();
        let (peak, at) = higher(self.highest, &ends);
        let true_peak = (peak > LEAST_AMPLITUDE).then(|| seconds(at.min(self.frames.saturating_sub(1))));
        if self.rate.0 < loudness::MIN_RATE.0 {
            return MaximaTimes { true_peak, ..MaximaTimes::default() };
        }
        let hop = loudness::hop_frames(self.rate) as u64;
        let short_term = loudness::loudest_window_end(self.history.powers(), SHORT_TERM_HOPS);
        MaximaTimes {
            momentary: self.hops.momentary_max_end().map(seconds),
            short_term: short_term.map(|hops| seconds(hops as u64 * hop)),
            true_peak,
        }
    }

    /// Hops so far.
    pub fn history(&self) -> &HopHistory {
        &self.history
    }

    /// Number of frames so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Number of non-finite samples so far, each of which counts as silence.
    pub fn non_finite(&self) -> u64 {
        self.non_finite
    }
}

/// The higher of a true peak and those of all channels, with its frame.
fn higher(highest: (f64, u64), peaks: &[TruePeak]) -> (f64, u64) {
    let each = peaks.iter().map(|peak| (peak.peaks().0, peak.peak_at()));
    each.fold(highest, |most, peak| if peak.0 > most.0 { peak } else { most })
}

/// Highest true peak and highest sample peak of all channels.
fn highest_peaks(peaks: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    peaks.fold((0.0, 0.0), |m, p| (f64::max(m.0, p.0), f64::max(m.1, p.1)))
}

/// Returns the reading of consecutive hop powers, without peaks: I and LRA, and the maxima of M and S on the 100 ms
/// grid.
pub fn reading_from_hops(hops: &[Power]) -> Reading {
    Reading {
        momentary_max: loudness::loudest_window(hops, BLOCK_HOPS),
        short_term_max: loudness::loudest_window(hops, SHORT_TERM_HOPS),
        integrated: loudness::integrated(hops),
        range: loudness::range(hops),
        ..Reading::default()
    }
}
