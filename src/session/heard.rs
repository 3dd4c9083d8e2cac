//! What was heard of a range of the timeline, and what follows for the stems as they are set now.

use super::certainty::Ground;
use super::fit::{Arrival, Fit, HopFit};
use super::record::{Mark, Member, Recorder};
use super::timeline::Place;
use crate::meter::loudness::integrated;
use crate::meter::{Reading, reading_from_hops};
use crate::units::{Dbtp, Lu, Power};
use std::borrow::Cow;

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
pub struct Heard {
    /// The sources and their fit.
    pub ground: Ground,
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

impl Recorder {
    /// What was heard of `range`, with the stems as they are set now.
    pub fn heard(&self, range: Places) -> Heard {
        let members = self.members().to_vec();
        let mut progress = Progress { all: (range.end - range.start).max(0) as usize, ..Progress::default() };
        let unheard =
            HopFit { arrivals: vec![Arrival::UNITY; members.len()], condition: 1.0, inseparable: None };
        let (mut row, mut fits, mut rescales) = (Vec::new(), Vec::new(), Vec::new());
        let (mut peaks, mut without) = (Vec::new(), vec![Vec::new(); members.len()]);
        for place in range {
            match self.mark(place) {
                Mark::Heard => progress.heard += 1,
                Mark::OldSettings => progress.old += 1,
                Mark::Auditioned => progress.auditioned += 1,
                Mark::Dropped => progress.dropped += 1,
                Mark::Unheard => {}
            }
            let found = self.present(place).and_then(|record| Some((record, record.fit()?)));
            let Some((record, fit)) = found else {
                row.push(None);
                fits.push(Cow::Borrowed(&unheard));
                rescales.push(None);
                without.iter_mut().for_each(|powers: &mut Vec<Power>| powers.push(Power(f64::NAN)));
                continue;
            };
            let indices: Vec<usize> = members.iter().filter_map(|member| record.index(member.id)).collect();
            let as_they_are = indices.iter().copied().eq(0..fit.arrivals.len());
            row.push(Some(if as_they_are {
                Cow::Borrowed(record.joint())
            } else {
                Cow::Owned(record.joint_of(&indices))
            }));
            let arrivals: Vec<Arrival> = indices.iter().map(|&i| fit.arrivals[i]).collect();
            let inseparable = fit.inseparable.and_then(|(a, b)| {
                let position = |stem: usize| indices.iter().position(|i| *i == stem);
                Some((position(a)?, position(b)?))
            });
            fits.push(if as_they_are {
                Cow::Borrowed(fit)
            } else {
                Cow::Owned(HopFit { arrivals: arrivals.clone(), condition: fit.condition, inseparable })
            });
            let rescale: Vec<f64> =
                indices.iter().zip(&members).map(|(&i, member)| record.rescale(i, member.setting)).collect();
            let stems = indices.iter().zip(&arrivals).zip(&rescale);
            let own = stems.map(|((&i, arrival), gain)| gain * reach(arrival) * record.peak(Some(i)));
            let own: Vec<f64> = own.collect();
            let slack = own.iter().zip(&rescale).map(|(peak, gain)| (peak - peak / gain).abs()).sum();
            peaks.push(HopPeaks { stems: own, mix: record.peak(None), slack });
            for (k, &i) in indices.iter().enumerate() {
                // Where its level has changed, what it does now was not heard.
                let power = if rescale.iter().all(|gain| *gain == 1.0) {
                    chain_off(row.last().and_then(|hop| hop.as_deref()), k, &arrivals[k], record.chain(i))
                } else {
                    Power(f64::NAN)
                };
                without[k].push(power);
            }
            rescales.push(rescale.iter().any(|gain| *gain != 1.0).then_some(rescale));
        }
        let fit = Fit::from_hops(members.len(), fits.iter().map(AsRef::as_ref));
        let row: Vec<Option<&[f64]>> = row.iter().map(|hop| hop.as_deref()).collect();
        let mut ground = Ground::with_fit(&row, fit);
        for (hop, rescale) in rescales.iter().enumerate() {
            if let Some(rescale) = rescale {
                ground.rescale(hop, rescale);
            }
        }
        Heard { ground, progress, members, peaks, without_chain: without }
    }
}

/// The most that a stem's peak can become on a side of the mix.
fn reach(arrival: &Arrival) -> f64 {
    arrival.gains.iter().map(|side| side[0].abs() + side[1].abs()).fold(0.0, f64::max)
}

/// The mix's power when stem `stem`'s chain does nothing: its input takes the place of its output.
fn chain_off(
    joint: Option<&[f64]>,
    stem: usize,
    arrival: &Arrival,
    chain: Option<&super::accumulate::ChainProducts>,
) -> Power {
    let Some(joint) = joint else { return Power(f64::NAN) };
    let signals = ((((8 * joint.len() + 1) as f64).sqrt() - 1.0) / 2.0).round() as usize;
    let joint = super::gram::Gram::from_packed(signals, joint);
    let mix = |to: usize| signals - 2 + to;
    let mut power = joint.at(mix(0), mix(0)) + joint.at(mix(1), mix(1));
    let Some(x) = chain else { return Power(power) };
    let y = |side: usize| 2 * stem + side;
    for to in 0..2 {
        let gains = arrival.gains[to];
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

impl Heard {
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
