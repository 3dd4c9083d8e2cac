//! Report on a range of the timeline: its recorded hops, rescaled to the present settings of the stems.

mod nested;

use super::accumulate::ChainProducts;
use super::certainty::FittedRange;
use super::fit::{Fit, HopFit, StemArrival, fit_hop, initial_arrivals};
use super::gram::Gram;
use super::record::{HopRecord, HopStatus, Recorder, SessionMember};
use super::timeline::HopIndex;
use meter::loudness::integrated;
use meter::{Reading, reading_from_hops};
use std::borrow::Cow;
use units::{Dbtp, Lu, Power};

/// Range of hops, such as a song of an album.
pub type HopRange = std::ops::Range<HopIndex>;

/// Number of hops of a range by their status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RangeProgress {
    /// All hops of the range.
    pub all: usize,
    /// Hops recorded with the present settings, levels aside.
    pub heard: usize,
    /// Hops recorded with other settings only.
    pub old: usize,
    /// Hops heard only during auditions, hence not recorded.
    pub auditioned: usize,
    /// Hops that were recorded and have been dropped for lack of memory.
    pub dropped: usize,
}

/// Report on a range, for the present settings. Sources are the present stems in order and, last, *Unlinked*.
#[derive(Clone, Debug)]
pub struct RangeReport {
    /// Fit of the recorded hops.
    pub fitted_range: FittedRange,
    /// Number of recorded hops.
    pub progress: RangeProgress,
    range: HopRange,
    members: Vec<SessionMember>,
    /// True if a stem that was taken apart does more than sum the stems inside it.
    is_bus_processing: bool,
    /// Peaks of every recorded hop.
    peaks: Vec<HopPeaks>,
    /// Power of the mix if the stem's chain were neutral, per stem, per hop; NaN where unknown.
    without_chain: Vec<Vec<Power>>,
}

/// Linear true peaks of a hop.
#[derive(Clone, Debug)]
struct HopPeaks {
    /// Upper bounds on the stems as they arrive.
    stems: Vec<f64>,
    mix: f64,
    /// Uncertainty of the mix's peak because levels have changed since.
    slack: f64,
}

/// Bounds of a true peak, dBTP: the peak of a sum does not follow from those of its terms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeakBounds {
    /// Lower bound; `None` is silence.
    pub low: Option<Dbtp>,
    /// Upper bound; `None` is silence.
    pub high: Option<Dbtp>,
    /// Index of the stem with the highest peak in the hop of the upper bound.
    pub loudest_stem: Option<usize>,
}

/// One recorded hop, with the present stems in their order.
struct PresentHop<'a> {
    joint: Cow<'a, [f64]>,
    fit: Cow<'a, HopFit>,
    /// Level changes of the stems since, linear.
    rescale: Vec<f64>,
    /// Linear true peaks of the stems at their outputs and, last, of the mix.
    peaks: Vec<f64>,
    /// Products of the stems' inputs; `None` for a neutral chain.
    chains: Vec<Option<&'a ChainProducts>>,
}

impl Recorder {
    /// Returns the report on `range` for the present stems and settings.
    pub fn report(&self, range: HopRange) -> RangeReport {
        let members = self.members();
        let whole = range.clone();
        let mut progress =
            RangeProgress { all: (range.end - range.start).max(0) as usize, ..RangeProgress::default() };
        let hops: Vec<Option<PresentHop<'_>>> = range
            .map(|hop_index| {
                let hop = self.present(hop_index).and_then(|record| hop_of(record, members));
                match self.status(hop_index) {
                    HopStatus::Heard => progress.heard += usize::from(hop.is_some()),
                    HopStatus::OldSettings => progress.old += 1,
                    HopStatus::Auditioned => progress.auditioned += 1,
                    HopStatus::Dropped => progress.dropped += 1,
                    HopStatus::Unheard => {}
                }
                hop
            })
            .collect();
        RangeReport::new(members, &hops, progress, whole)
    }

    /// Returns the report on the last 10 s, auditions included, on the timeline or not.
    pub fn live_report(&self) -> RangeReport {
        let members = self.members();
        let recent = self.recent();
        let row: Vec<Option<&[f64]>> = recent.iter().map(|hop| Some(&hop.joint[..])).collect();
        let mut last = initial_arrivals(&row, members.len());
        let hops: Vec<Option<PresentHop<'_>>> = (recent.iter().enumerate())
            .map(|(index, hop)| {
                let fit = fit_hop(&row, index, &last);
                last.clone_from(&fit.arrivals);
                let chain = |stem: usize| (hop.has_chain >> stem & 1 == 1).then(|| &hop.chains[stem]);
                Some(PresentHop {
                    joint: Cow::Borrowed(&hop.joint),
                    fit: Cow::Owned(fit),
                    rescale: vec![1.0; members.len()],
                    peaks: hop.peaks.clone(),
                    chains: (0..members.len()).map(chain).collect(),
                })
            })
            .collect();
        let progress = RangeProgress { all: recent.len(), heard: recent.len(), ..RangeProgress::default() };
        RangeReport::new(members, &hops, progress, 0..0)
    }
}

/// Hop of a record with the stems `members`; `None` before it is fitted.
fn hop_of<'a>(record: &'a HopRecord, members: &[SessionMember]) -> Option<PresentHop<'a>> {
    let fit = record.fit()?;
    let indices: Vec<usize> = members.iter().filter_map(|member| record.index(member.id)).collect();
    let (joint, fit) = if indices.iter().copied().eq(0..fit.arrivals.len()) {
        (Cow::Borrowed(record.joint()), Cow::Borrowed(fit))
    } else {
        let now = |stem: usize| indices.iter().position(|index| *index == stem);
        let inseparable = fit.inseparable.iter().filter_map(|&(a, b)| Some((now(a)?, now(b)?))).collect();
        let arrivals = indices.iter().map(|&index| fit.arrivals[index]).collect();
        let fit = HopFit { arrivals, condition: fit.condition, inseparable };
        (Cow::Owned(record.joint_of(&indices)), Cow::Owned(fit))
    };
    let rescale = indices.iter().zip(members).map(|(&index, member)| record.rescale(index, member.setting));
    let peaks = indices.iter().map(|&index| Some(index)).chain([None]).map(|index| record.peak(index));
    Some(PresentHop {
        joint,
        fit,
        rescale: rescale.collect(),
        peaks: peaks.collect(),
        chains: indices.iter().map(|&index| record.chain(index)).collect(),
    })
}

/// Upper bound of a stem's gain on either side of the mix, for peaks.
fn max_gain(arrival: &StemArrival) -> f64 {
    arrival.gains.iter().map(|side| side[0].abs() + side[1].abs()).fold(0.0, f64::max)
}

impl PresentHop<'_> {
    fn is_rescaled(&self) -> bool {
        self.rescale.iter().any(|gain| *gain != 1.0)
    }

    fn arriving_peaks(&self) -> HopPeaks {
        let stems = self.fit.arrivals.iter().zip(&self.rescale).zip(&self.peaks);
        let stems: Vec<f64> = stems.map(|((arrival, gain), peak)| gain * max_gain(arrival) * peak).collect();
        let slack = stems.iter().zip(&self.rescale).map(|(peak, gain)| (peak - peak / gain).abs()).sum();
        HopPeaks { slack, mix: self.peaks[stems.len()], stems }
    }

    /// Power of the mix with stem `stem`'s input in place of its output; NaN where levels have changed.
    fn power_without_chain(&self, stem: usize) -> Power {
        if self.is_rescaled() {
            return Power(f64::NAN);
        }
        let stems = self.chains.len();
        let joint = Gram::from_packed(2 * (stems + 1), &self.joint);
        let (mix, y) = (|to: usize| 2 * stems + to, |side: usize| 2 * stem + side);
        let mut power = joint.at(mix(0), mix(0)) + joint.at(mix(1), mix(1));
        let Some(x) = self.chains[stem] else { return Power(power) };
        for (to, gains) in self.fit.arrivals[stem].gains.iter().enumerate() {
            for a in 0..2 {
                // <m, x - y>
                power += 2.0 * gains[a] * (x[a][2 + to] - joint.at(mix(to), y(a)));
                for b in 0..2 {
                    // <x - y, x - y>
                    let product = x[a][4 + b] - x[a][b] - x[b][a] + joint.at(y(a), y(b));
                    power += gains[a] * gains[b] * product;
                }
            }
        }
        Power(power.max(0.0))
    }
}

impl RangeReport {
    fn new(
        members: &[SessionMember],
        hops: &[Option<PresentHop<'_>>],
        progress: RangeProgress,
        range: HopRange,
    ) -> Self {
        let unheard = HopFit {
            arrivals: vec![StemArrival::UNITY; members.len()],
            condition: 1.0,
            inseparable: Vec::new(),
        };
        let fits = hops.iter().map(|hop| hop.as_ref().map_or(&unheard, |hop| hop.fit.as_ref()));
        let fit = Fit::from_hops(members.len(), fits);
        let row: Vec<Option<&[f64]>> = hops.iter().map(|hop| hop.as_ref().map(|hop| &*hop.joint)).collect();
        let mut fitted_range = FittedRange::with_fit(&row, fit);
        for (index, hop) in hops.iter().enumerate() {
            if let Some(hop) = hop.as_ref().filter(|hop| hop.is_rescaled()) {
                fitted_range.rescale(index, &hop.rescale);
            }
        }
        let without_chain = |stem: usize| -> Vec<Power> {
            let powers = hops.iter().map(|hop| hop.as_ref().map(|hop| hop.power_without_chain(stem)));
            powers.map(|power| power.unwrap_or(Power(f64::NAN))).collect()
        };
        Self {
            fitted_range,
            progress,
            range,
            is_bus_processing: false,
            without_chain: (0..members.len()).map(without_chain).collect(),
            members: members.to_vec(),
            peaks: hops.iter().flatten().map(PresentHop::arriving_peaks).collect(),
        }
    }

    /// The range of the timeline; empty of a report that is of none.
    pub fn range(&self) -> HopRange {
        self.range.clone()
    }

    /// True if a stem that was taken apart for a nested one is more than the sum of the stems inside it: tracks without a
    /// Stem, or its chain.
    pub fn is_bus_processing(&self) -> bool {
        self.is_bus_processing
    }

    /// The stems, in the order of the sources.
    pub fn members(&self) -> &[SessionMember] {
        &self.members
    }

    /// Reading of the mix over the recorded hops; with a true peak only if no level has changed since.
    pub fn reading(&self) -> Reading {
        let unity = vec![1.0; self.fitted_range.sources.sources()];
        let peak_bounds = self.peak_bounds(&unity);
        let exact = self.fitted_range.has_recorded_levels();
        Reading {
            true_peak: peak_bounds.high.filter(|_| exact),
            ..reading_from_hops(&self.fitted_range.sources.powers(&unity))
        }
    }

    /// Reading of a stem as it arrives, without peaks.
    pub fn stem_reading(&self, stem: usize) -> Reading {
        reading_from_hops(&self.fitted_range.sources.powers_of(stem))
    }

    /// Cost of a stem's chain: loudness of the mix with it less that without, over the hops in which both are known.
    pub fn chain_cost(&self, stem: usize) -> Option<Lu> {
        let without = &self.without_chain[stem];
        let unity = vec![1.0; self.fitted_range.sources.sources()];
        let with = self.fitted_range.sources.powers(&unity);
        let known: Vec<Power> = with
            .iter()
            .zip(without)
            .map(|(with, without)| if without.0.is_nan() { *without } else { *with })
            .collect();
        Some(integrated(&known)? - integrated(without)?)
    }

    /// Bounds of the mix's true peak with source `i` multiplied by `gains[i]`, linear.
    pub fn peak_bounds(&self, gains: &[f64]) -> PeakBounds {
        let mut peak_bounds = PeakBounds { low: None, high: None, loudest_stem: None };
        let (mut low, mut high) = (0.0f64, 0.0f64);
        for HopPeaks { stems, mix, slack } in &self.peaks {
            let moved: f64 = stems.iter().zip(gains).map(|(peak, gain)| peak * (gain - 1.0).abs()).sum();
            low = low.max(mix - slack - moved);
            if mix + slack + moved > high {
                high = mix + slack + moved;
                let heights = stems.iter().zip(gains).map(|(peak, gain)| peak * gain).enumerate();
                peak_bounds.loudest_stem = heights.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(stem, _)| stem);
            }
        }
        (peak_bounds.low, peak_bounds.high) = (Dbtp::from_amplitude(low), Dbtp::from_amplitude(high));
        peak_bounds
    }
}
