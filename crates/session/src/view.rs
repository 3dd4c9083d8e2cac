//! All that is known of a session at one moment, as one plain value.

use super::coverage::{TRUSTED_COVERAGE, coverage};
use super::finding::Finding;
use super::heard::{Progress, RangeReport};
use super::playback::{Playback, playback, sentence};
use super::record::{Recorder, StemId};
use super::shares::shares;
use super::target::NormalizationTarget;
use meter::Reading;
use units::{Db, Lu};

/// What a stem does in the mix at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StemState {
    /// It is heard in the mix.
    InTheMix,
    /// It is silent.
    Silent,
    /// It sounds, but is missing from the mix: muted, or another one is soloed.
    Missing,
    /// Its audio cannot be had.
    Away,
}

impl StemState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::InTheMix, Self::Silent, Self::Missing, Self::Away];

    /// The word of `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::InTheMix => "in_the_mix",
            Self::Silent => "silent",
            Self::Missing => "missing",
            Self::Away => "away",
        }
    }
}

/// One stem of a [`Session`].
#[derive(Clone, Debug, PartialEq)]
pub struct StemView {
    /// Which Stem.
    pub id: StemId,
    /// What it does at the moment.
    pub state: StemState,
    /// Its share of the mix's loudness; `None` when nothing passes the gates.
    pub share: Option<f64>,
    /// The gain with which it arrives, on average; `None` if it never sounded.
    pub gain: Option<Db>,
    /// The same as a matrix, linear, `[to][from]`.
    pub matrix: Option<[[f64; 2]; 2]>,
    /// How much its gain varies: automation, or processing after it.
    pub gain_spread: Db,
    /// How many frames later than it left its Stem it arrives; negative is earlier.
    pub delay: i64,
    /// Its reading as it arrives, without peaks.
    pub reading: Reading,
    /// What its chain costs the mix: the mix's loudness with it less that without.
    pub chain_cost: Option<Lu>,
}

/// A platform's row.
#[derive(Clone, Debug, PartialEq)]
pub struct PlatformView {
    /// The target's id.
    pub id: String,
    /// What the platform does; `None` without loudness.
    pub playback: Option<Playback>,
    /// The same as a sentence.
    pub sentence: String,
}

/// A session at one moment: a range of what was heard of it, into the master.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// How much of the range was heard. Every integrated figure below is of what was.
    pub progress: Progress,
    /// The mix.
    pub mix: Reading,
    /// The stem with most of its highest peak.
    pub loudest_peak: Option<StemId>,
    /// The part of the mix that the stems account for.
    pub coverage: Option<f64>,
    /// Share of what they do not account for.
    pub unlinked_share: Option<f64>,
    /// Two stems that cannot be told apart.
    pub inseparable: Option<(StemId, StemId)>,
    /// What is behind what is not accounted for, in words.
    pub findings: Vec<Finding>,
    /// Stems of which to ask whether their mute is meant.
    pub asks: Vec<StemId>,
    /// The stems, as they sit in the Master.
    pub stems: Vec<StemView>,
    /// What platforms do with it.
    pub platforms: Vec<PlatformView>,
}

impl Session {
    /// The session as `recorder` knows it, over `heard`. `delays`: per stem, how much later it arrives. `name`: what a stem
    /// is called, for sentences.
    pub fn new(
        recorder: &Recorder,
        heard: &RangeReport,
        delays: &[i64],
        findings: Vec<Finding>,
        targets: &[NormalizationTarget],
        name: impl Fn(StemId) -> String,
    ) -> Self {
        let sources = &heard.ground.sources;
        let unity = vec![1.0; sources.sources()];
        let shares = shares(sources, &unity);
        let id = |stem: usize| heard.members()[stem].id;
        let mix = heard.reading();
        let loudest_peak = heard.bracket(&unity).whose.map(id);
        let stems = (0..heard.members().len())
            .map(|stem| {
                let matrix = heard.ground.fit.mean(stem);
                StemView {
                    id: id(stem),
                    state: state(recorder, stem),
                    share: shares.as_ref().map(|shares| shares[stem]),
                    gain: matrix.map(|gains| super::fit::Arrival { gains, fitted: [true; 2] }.gain()),
                    matrix,
                    gain_spread: heard.ground.fit.gain_spread(stem),
                    delay: delays.get(stem).copied().unwrap_or_default(),
                    reading: heard.reading_of(stem),
                    chain_cost: heard.chain_cost(stem),
                }
            })
            .collect();
        let whose = loudest_peak.map(&name);
        let platforms = (targets.iter())
            .map(|target| PlatformView {
                id: target.id.clone(),
                playback: playback(&mix, target),
                sentence: sentence(&mix, target, whose.as_deref()),
            })
            .collect();
        Self {
            progress: heard.progress,
            mix,
            loudest_peak,
            coverage: coverage(sources),
            unlinked_share: shares.as_ref().and_then(|shares| shares.last().copied()),
            inseparable: heard.ground.fit.inseparable().map(|(a, b)| (id(a), id(b))),
            findings,
            asks: recorder.asks(),
            stems,
            platforms,
        }
    }

    /// True if totals may be shown in black: the stems account for 99.9 % of the mix or more.
    pub fn is_trusted(&self) -> bool {
        self.coverage.is_some_and(|coverage| coverage >= TRUSTED_COVERAGE)
    }
}

/// What a stem does by the last hop.
fn state(recorder: &Recorder, stem: usize) -> StemState {
    let Some(hop) = recorder.recent().last() else { return StemState::Away };
    if hop.heard >> stem & 1 == 0 {
        return StemState::Away;
    }
    let heard = recorder.last_heard();
    match (heard.sounding >> stem & 1, heard.missing >> stem & 1) {
        (_, 1) => StemState::Missing,
        (1, _) => StemState::InTheMix,
        _ => StemState::Silent,
    }
}
