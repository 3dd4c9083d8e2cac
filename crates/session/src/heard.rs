//! What was heard of a range of the timeline, and what follows for the stems as they are set now.

use super::accumulate::ChainProducts;
use super::certainty::FittedRange;
use super::fit::{Arrival, Fit, HopFit, fit_hop, start};
use super::gram::Gram;
use super::record::{Mark, Member, Record, Recorder};
use super::timeline::Place;
use meter::loudness::integrated;
use meter::{Reading, reading_from_hops};
use std::borrow::Cow;
use units::{Dbtp, Lu, Power};

/// A range of hops, such as a song of an album.
pub type Places = std::ops::Range<Place>;

/// How much of a range was heard, in hops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Hops of the range.
    pub all: usize,
    /// Heard as everything is set now, levels aside.
    pub heard: usize,
    /// Heard only with old settings.
    pub old: usize,
    /// Heard only as auditions.
    pub auditioned: usize,
    /// Heard long ago, and dropped.
    pub dropped: usize,
}

/// What was heard of a range, as everything is set now. Sources are the present stems in order, and last *Unlinked*.
#[derive(Clone, Debug)]
pub struct RangeReport {
    /// The sources and their fit.
    pub ground: FittedRange,
    /// How much of the range this is.
    pub progress: Progress,
    members: Vec<Member>,
    /// Of every hop that was heard.
    peaks: Vec<HopPeaks>,
    /// Per stem, per hop: the mix's power if the stem's chain did nothing; not a number where that is not known.
    without_chain: Vec<Vec<Power>>,
}

/// Linear true peaks of a hop.
#[derive(Clone, Debug)]
struct HopPeaks {
    /// Of every stem as it arrives, at most.
    stems: Vec<f64>,
    mix: f64,
    /// How far the mix's may be off because levels have changed since.
    slack: f64,
}

/// Where a peak may be, dBTP: true peaks of sums cannot be known from those of the parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bracket {
    /// Not lower than this.
    pub low: Option<Dbtp>,
    /// Not higher than this.
    pub high: Option<Dbtp>,
    /// The stem with the highest peak where it may be highest.
    pub whose: Option<usize>,
}

/// One hop, as its stems are set now and in their order.
struct Hop<'a> {
    joint: Cow<'a, [f64]>,
    fit: Cow<'a, HopFit>,
    /// The gains by which levels have changed since.
    rescale: Vec<f64>,
    /// Linear true peaks of the stems as they left, and last of the mix.
    peaks: Vec<f64>,
    /// Products of the stems' inputs; `None` where a chain does nothing.
    chains: Vec<Option<&'a ChainProducts>>,
}

impl Recorder {
    /// What was heard of `range`, with the stems as they are set now.
    pub fn heard(&self, range: Places) -> RangeReport {
        let members = self.members();
        let mut progress = Progress { all: (range.end - range.start).max(0) as usize, ..Progress::default() };
        let hops: Vec<Option<Hop<'_>>> = range
            .map(|place| {
                let hop = self.present(place).and_then(|record| hop_of(record, members));
                match self.mark(place) {
                    Mark::Heard => progress.heard += usize::from(hop.is_some()),
                    Mark::OldSettings => progress.old += 1,
                    Mark::Auditioned => progress.auditioned += 1,
                    Mark::Dropped => progress.dropped += 1,
                    Mark::Unheard => {}
                }
                hop
            })
            .collect();
        RangeReport::new(members, &hops, progress)
    }

    /// What is heard at the moment: the last 10 s, auditions and all, on the timeline or not.
    pub fn live(&self) -> RangeReport {
        let members = self.members();
        let recent = self.recent();
        let row: Vec<Option<&[f64]>> = recent.iter().map(|hop| Some(&hop.joint[..])).collect();
        let mut last = start(&row, members.len());
        let hops: Vec<Option<Hop<'_>>> = (recent.iter().enumerate())
            .map(|(index, hop)| {
                let fit = fit_hop(&row, index, &last);
                last.clone_from(&fit.arrivals);
                let chain = |stem: usize| (hop.has_chain >> stem & 1 == 1).then(|| &hop.chains[stem]);
                Some(Hop {
                    joint: Cow::Borrowed(&hop.joint),
                    fit: Cow::Owned(fit),
                    rescale: vec![1.0; members.len()],
                    peaks: hop.peaks.clone(),
                    chains: (0..members.len()).map(chain).collect(),
                })
            })
            .collect();
        let progress = Progress { all: recent.len(), heard: recent.len(), ..Progress::default() };
        RangeReport::new(members, &hops, progress)
    }
}

/// A record's hop with the stems `members`; `None` before it is fitted.
fn hop_of<'a>(record: &'a Record, members: &[Member]) -> Option<Hop<'a>> {
    let fit = record.fit()?;
    let indices: Vec<usize> = members.iter().filter_map(|member| record.index(member.id)).collect();
    let (joint, fit) = if indices.iter().copied().eq(0..fit.arrivals.len()) {
        (Cow::Borrowed(record.joint()), Cow::Borrowed(fit))
    } else {
        let now = |stem: usize| indices.iter().position(|index| *index == stem);
        let inseparable = fit.inseparable.and_then(|(a, b)| Some((now(a)?, now(b)?)));
        let arrivals = indices.iter().map(|&index| fit.arrivals[index]).collect();
        let fit = HopFit { arrivals, condition: fit.condition, inseparable };
        (Cow::Owned(record.joint_of(&indices)), Cow::Owned(fit))
    };
    let rescale = indices.iter().zip(members).map(|(&index, member)| record.rescale(index, member.setting));
    let peaks = indices.iter().map(|&index| Some(index)).chain([None]).map(|index| record.peak(index));
    Some(Hop {
        joint,
        fit,
        rescale: rescale.collect(),
        peaks: peaks.collect(),
        chains: indices.iter().map(|&index| record.chain(index)).collect(),
    })
}

/// The most that a stem's peak can become on a side of the mix.
fn reach(arrival: &Arrival) -> f64 {
    arrival.gains.iter().map(|side| side[0].abs() + side[1].abs()).fold(0.0, f64::max)
}

impl Hop<'_> {
    fn is_rescaled(&self) -> bool {
        self.rescale.iter().any(|gain| *gain != 1.0)
    }

    fn arriving_peaks(&self) -> HopPeaks {
        let stems = self.fit.arrivals.iter().zip(&self.rescale).zip(&self.peaks);
        let stems: Vec<f64> = stems.map(|((arrival, gain), peak)| gain * reach(arrival) * peak).collect();
        let slack = stems.iter().zip(&self.rescale).map(|(peak, gain)| (peak - peak / gain).abs()).sum();
        HopPeaks { slack, mix: self.peaks[stems.len()], stems }
    }

    /// The mix's power when stem `stem`'s chain does nothing: its input takes the place of its output. Where levels have
    /// changed, that is not known.
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
    fn new(members: &[Member], hops: &[Option<Hop<'_>>], progress: Progress) -> Self {
        let unheard =
            HopFit { arrivals: vec![Arrival::UNITY; members.len()], condition: 1.0, inseparable: None };
        let fits = hops.iter().map(|hop| hop.as_ref().map_or(&unheard, |hop| hop.fit.as_ref()));
        let fit = Fit::from_hops(members.len(), fits);
        let row: Vec<Option<&[f64]>> = hops.iter().map(|hop| hop.as_ref().map(|hop| &*hop.joint)).collect();
        let mut ground = FittedRange::with_fit(&row, fit);
        for (index, hop) in hops.iter().enumerate() {
            if let Some(hop) = hop.as_ref().filter(|hop| hop.is_rescaled()) {
                ground.rescale(index, &hop.rescale);
            }
        }
        let without_chain = |stem: usize| -> Vec<Power> {
            let powers = hops.iter().map(|hop| hop.as_ref().map(|hop| hop.power_without_chain(stem)));
            powers.map(|power| power.unwrap_or(Power(f64::NAN))).collect()
        };
        Self {
            ground,
            progress,
            without_chain: (0..members.len()).map(without_chain).collect(),
            members: members.to_vec(),
            peaks: hops.iter().flatten().map(Hop::arriving_peaks).collect(),
        }
    }

    /// The stems, in the order of the sources.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The mix's reading over what was heard; its true peak only where no level has changed since.
    pub fn reading(&self) -> Reading {
        let unity = vec![1.0; self.ground.sources.sources()];
        let bracket = self.bracket(&unity);
        let exact = self.ground.is_as_heard();
        Reading {
            true_peak: bracket.high.filter(|_| exact),
            ..reading_from_hops(&self.ground.sources.powers(&unity))
        }
    }

    /// The reading of a stem as it arrives, without peaks.
    pub fn reading_of(&self, stem: usize) -> Reading {
        reading_from_hops(&self.ground.sources.powers_of(stem))
    }

    /// What a stem's chain costs: the mix's loudness with it less that without, over the hops in which that is known.
    pub fn chain_cost(&self, stem: usize) -> Option<Lu> {
        let without = &self.without_chain[stem];
        let unity = vec![1.0; self.ground.sources.sources()];
        let with = self.ground.sources.powers(&unity);
        let known: Vec<Power> = with
            .iter()
            .zip(without)
            .map(|(with, without)| if without.0.is_nan() { *without } else { *with })
            .collect();
        Some(integrated(&known)? - integrated(without)?)
    }

    /// Where the true peak of the mix is when source `i` is multiplied by `gains[i]`.
    pub fn bracket(&self, gains: &[f64]) -> Bracket {
        let mut bracket = Bracket { low: None, high: None, whose: None };
        let (mut low, mut high) = (0.0f64, 0.0f64);
        for HopPeaks { stems, mix, slack } in &self.peaks {
            let moved: f64 = stems.iter().zip(gains).map(|(peak, gain)| peak * (gain - 1.0).abs()).sum();
            low = low.max(mix - slack - moved);
            if mix + slack + moved > high {
                high = mix + slack + moved;
                let heights = stems.iter().zip(gains).map(|(peak, gain)| peak * gain).enumerate();
                bracket.whose = heights.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(stem, _)| stem);
            }
        }
        (bracket.low, bracket.high) = (Dbtp::from_amplitude(low), Dbtp::from_amplitude(high));
        bracket
    }
}
