//! Report on a session at one moment, as a plain value.

use super::coverage::{TRUSTED_COVERAGE, coverage};
use super::finding::RoutingFinding;
use super::playback::{Playback, playback, sentence};
use super::range_report::{HopRange, RangeProgress, RangeReport};
use super::record::{NestedMember, Recorder, StemId};
use super::shares::shares;
use super::target::NormalizationTarget;
use super::timeline::HopIndex;
use meter::Reading;
use units::{Db, Lu};

/// State of a stem in the mix, by the last hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StemState {
    /// Heard in the mix.
    InTheMix,
    /// Silent.
    Silent,
    /// Sounds, but is missing from the mix: muted, or another stem is soloed.
    Missing,
    /// Its audio is not available.
    Away,
}

impl StemState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::InTheMix, Self::Silent, Self::Missing, Self::Away];

    /// Word of `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::InTheMix => "in_the_mix",
            Self::Silent => "silent",
            Self::Missing => "missing",
            Self::Away => "away",
        }
    }
}

/// Figures of one stem of a [`SessionReport`].
#[derive(Clone, Debug, PartialEq)]
pub struct StemReport {
    /// Identity of the Stem.
    pub id: StemId,
    /// State by the last hop.
    pub state: StemState,
    /// Share of the mix's loudness; `None` if nothing passes the gates.
    pub share: Option<f64>,
    /// Mean gain with which it arrives; `None` if it never sounded.
    pub gain: Option<Db>,
    /// Mean gain matrix with which it arrives, linear, `[to][from]`.
    pub matrix: Option<[[f64; 2]; 2]>,
    /// Range of its gain: automation, or processing after it.
    pub gain_spread: Db,
    /// Delay from the Stem's output to the mix, frames; negative is early.
    pub delay: i64,
    /// Reading of the stem as it arrives, without peaks.
    pub reading: Reading,
    /// Cost of its chain: loudness of the mix with it less that without.
    pub chain_cost: Option<Lu>,
}

/// A nested stem of a [`SessionReport`]: metered, part of the mix through the stem that contains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NestedReport {
    /// Identity of the Stem.
    pub id: StemId,
    /// The stem that contains it.
    pub inside: StemId,
    /// State by the last hop.
    pub state: StemState,
    /// Hops of the range in which it was heard: those that predictions of its moves are based on.
    pub heard: usize,
}

/// Playback of the mix on one platform.
#[derive(Clone, Debug, PartialEq)]
pub struct PlatformReport {
    /// Id of the target.
    pub id: String,
    /// Playback gain; `None` without loudness.
    pub playback: Option<Playback>,
    /// The playback as a sentence.
    pub sentence: String,
}

/// Report on a session: figures of a range of the timeline, into the master.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionReport {
    /// Hops of the range by status. Every integrated figure below is of the recorded ones.
    pub progress: RangeProgress,
    /// Reading of the mix.
    pub mix: Reading,
    /// Stem with the highest peak in the hop of the mix's highest peak.
    pub loudest_peak: Option<StemId>,
    /// Share of the mix's power that the stems account for, 0 to 1.
    pub coverage: Option<f64>,
    /// Loudness share of the residual.
    pub unlinked_share: Option<f64>,
    /// Two stems that cannot be told apart.
    pub inseparable: Option<(StemId, StemId)>,
    /// Causes of the residual, and other findings on routing.
    pub findings: Vec<RoutingFinding>,
    /// Stems that are missing from the mix, whose mute the user has not confirmed.
    pub unconfirmed_mutes: Vec<StemId>,
    /// Stems, in the order of the Master.
    pub stems: Vec<StemReport>,
    /// Stems inside others.
    pub nested: Vec<NestedReport>,
    /// Stems that sound and are neither in the mix nor in another stem. Findings number them after the stems.
    pub left_out: Vec<StemId>,
    /// Playback on all platforms.
    pub platforms: Vec<PlatformReport>,
}

impl SessionReport {
    /// Returns the report of `recorder` on the range of `report`. `delays`: frames by which each stem arrives later.
    /// `name`: name of a stem, for sentences.
    pub fn new(
        recorder: &Recorder,
        report: &RangeReport,
        delays: &[i64],
        findings: Vec<RoutingFinding>,
        targets: &[NormalizationTarget],
        name: impl Fn(StemId) -> String,
    ) -> Self {
        let sources = &report.fitted_range.sources;
        let unity = vec![1.0; sources.sources()];
        let shares = shares(sources, &unity);
        let id = |stem: usize| report.members()[stem].id;
        let mix = report.reading();
        let loudest_peak = report.peak_bounds(&unity).loudest_stem.map(id);
        let stems = (0..report.members().len())
            .map(|stem| {
                let matrix = report.fitted_range.fit.mean_gains(stem);
                StemReport {
                    id: id(stem),
                    state: state(recorder, stem),
                    // of a stem that was heard with other settings only, nothing is known: it is silent in the rest
                    share: shares
                        .as_ref()
                        .filter(|_| matrix.is_some() || report.progress.old == 0)
                        .map(|shares| shares[stem]),
                    gain: matrix.map(|gains| super::fit::StemArrival { gains, fitted: [true; 2] }.gain()),
                    matrix,
                    gain_spread: report.fitted_range.fit.gain_spread(stem),
                    delay: delays.get(stem).copied().unwrap_or_default(),
                    reading: report.stem_reading(stem),
                    chain_cost: report.chain_cost(stem),
                }
            })
            .collect();
        let whose = loudest_peak.map(&name);
        let platforms = (targets.iter())
            .map(|target| PlatformReport {
                id: target.id.clone(),
                playback: playback(&mix, target),
                sentence: sentence(&mix, target, whose.as_deref()),
            })
            .collect();
        Self {
            progress: report.progress,
            mix,
            loudest_peak,
            coverage: coverage(sources),
            unlinked_share: shares.as_ref().and_then(|shares| shares.last().copied()),
            inseparable: report.fitted_range.fit.inseparable().map(|(a, b)| (id(a), id(b))),
            findings,
            unconfirmed_mutes: recorder.unconfirmed_mutes(),
            stems,
            nested: recorder.nested_stems(report.range()),
            left_out: Vec::new(),
            platforms,
        }
    }

    /// True if totals may be shown in black: the stems account for 99.9 % of the mix or more.
    pub fn is_trusted(&self) -> bool {
        self.coverage.is_some_and(|coverage| coverage >= TRUSTED_COVERAGE)
    }
}

/// State of a stem by the last hop.
fn state(recorder: &Recorder, stem: usize) -> StemState {
    let Some(hop) = recorder.recent().last() else { return StemState::Away };
    if hop.heard >> stem & 1 == 0 {
        return StemState::Away;
    }
    let presence = recorder.last_presence();
    match (presence.sounding >> stem & 1, presence.missing >> stem & 1) {
        (_, 1) => StemState::Missing,
        (1, _) => StemState::InTheMix,
        _ => StemState::Silent,
    }
}

impl Recorder {
    /// Nested stems with the hops of `range` in which each was heard.
    fn nested_stems(&self, range: HopRange) -> Vec<NestedReport> {
        let heard = |id: StemId| {
            let is_heard = |hop: &HopIndex| self.present(*hop).is_some_and(|hop| hop.source(id).is_some());
            range.clone().filter(is_heard).count()
        };
        let report = |(index, nested): (usize, &NestedMember)| NestedReport {
            id: nested.member.id,
            inside: nested.inside,
            state: self.nested_state(index),
            heard: heard(nested.member.id),
        };
        self.nested().iter().enumerate().map(report).collect()
    }

    fn nested_state(&self, index: usize) -> StemState {
        let Some(hop) = self.recent().last() else { return StemState::Away };
        match hop.nested.peaks.get(index) {
            Some(peak) if hop.nested.heard >> index & 1 == 1 => {
                if *peak > 0.0 {
                    StemState::InTheMix
                } else {
                    StemState::Silent
                }
            }
            _ => StemState::Away,
        }
    }
}
