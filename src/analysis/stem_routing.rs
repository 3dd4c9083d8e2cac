//! Routing of stems into the mix: which ones it contains and how late each arrives, from the last seconds of audio.

use super::excerpt::{StereoAudio, channels, latest_mix, read_frames};
use link::audio_ring::TapPoint;
use link::identity::InstanceId;
use link::records::InstanceKind;
use link::routing::{RoutingTable, StemRoute};
use link::slot::Origin;
use link::status::{StemStatus, Viewpoint};
use link::{PeerView, Roster};
use session::coverage::{FULL_COVERAGE, coverage};
use session::finding::{Excerpt, RoutingFinding, doubled_gain, findings, stem_delay};
use session::hop_builder::MAX_STEMS;
use session::joint::GramMeter;
use session::mix_membership::{MixMembership, memberships};
use session::record::Recorder;
use std::sync::Arc;
use std::time::{Duration, Instant};
use units::Hz;

/// Length of the compared audio, seconds.
const EXCERPT_SECONDS: f64 = 3.0;
/// Age of the compared audio when Stems of other processes are in reach, seconds.
const REMOTE_LAG_SECONDS: f64 = 1.0;
/// Length of the excerpt in a delay search, and search range on either side, seconds.
const SEARCH_EXCERPT_SECONDS: f64 = 2.0;
const SEARCH_REACH_SECONDS: f64 = 1.0;
/// Search range for a second arrival, seconds.
const ECHO_REACH_SECONDS: f64 = 0.25;
/// Time between two reviews while something is unclear, and while all is clear.
const UNCLEAR_REVIEW_INTERVAL: Duration = Duration::from_secs(1);
const CLEAR_REVIEW_INTERVAL: Duration = Duration::from_secs(8);
/// Minimum time between two reviews, in multiples of the time that the last one took.
const REVIEW_COST_FACTOR: u32 = 20;
/// Consecutive reviews without a match after which a stem is left out.
const MAX_MISSES: u32 = 2;

/// Routing of one stem.
#[derive(Clone, Copy, Debug)]
struct StemPlacement {
    id: InstanceId,
    /// Delay from the stem's timeline position to its arrival in the mix, frames.
    delay: i64,
    summed: bool,
    /// True once a review or the session has decided `summed`.
    known: bool,
    /// Consecutive reviews without a match.
    misses: u32,
    /// The Stem whose bus contains it.
    inside: Option<InstanceId>,
}

/// Routing of all stems in reach, and the table that the audio thread reads.
#[derive(Debug)]
pub(super) struct StemRouting {
    routes: Arc<RoutingTable>,
    placements: Vec<StemPlacement>,
    findings: Vec<RoutingFinding>,
    due: Instant,
}

impl Default for StemRouting {
    fn default() -> Self {
        Self { routes: Arc::default(), placements: Vec::new(), findings: Vec::new(), due: Instant::now() }
    }
}

/// A stem in reach with its audio of the reviewed excerpt.
struct Candidate {
    placement: usize,
    view: PeerView,
    output: StereoAudio,
    input: StereoAudio,
}

impl StemRouting {
    /// Schedules the first review. Stems of other open sessions are left out until they are found in the mix.
    pub(super) fn activate(&mut self, roster: &'static Roster, master: PeerView) {
        self.due = Instant::now() + UNCLEAR_REVIEW_INTERVAL;
        let viewpoint = Viewpoint::new(roster, master);
        for view in stems(roster) {
            let Some(id) = view.id() else { continue };
            let is_foreign = viewpoint.status(view, |_| false) == StemStatus::OtherSession;
            if is_foreign && !self.placements.iter().any(|placement| placement.id == id) {
                self.placements.push(StemPlacement {
                    id,
                    delay: 0,
                    summed: false,
                    known: true,
                    misses: 0,
                    inside: None,
                });
            }
        }
        self.publish_routes();
    }

    /// Returns the routing table that the audio thread reads.
    pub(super) fn routing_table(&self) -> Arc<RoutingTable> {
        Arc::clone(&self.routes)
    }

    /// Returns true if [`Self::review`] is due.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.due
    }

    /// Returns the stems that are not summed.
    pub(super) fn left_out(&self) -> Vec<InstanceId> {
        self.placements.iter().filter(|placement| !placement.summed).map(|placement| placement.id).collect()
    }

    /// Returns the nested stems, each with the stem that contains it.
    pub(super) fn nested(&self) -> Vec<(InstanceId, InstanceId)> {
        self.placements.iter().filter_map(|placement| Some((placement.id, placement.inside?))).collect()
    }

    /// Returns the delay with which a stem arrives in the mix, frames.
    pub(super) fn delay(&self, id: InstanceId) -> i64 {
        self.placements.iter().find(|placement| placement.id == id).map_or(0, |placement| placement.delay)
    }

    /// Causes of the part of the mix that the stems do not explain; stems are numbered as in the recorder.
    pub(super) fn findings(&self) -> &[RoutingFinding] {
        &self.findings
    }

    /// Reviews the last seconds of audio and schedules the next review.
    pub(super) fn review(
        &mut self,
        roster: &'static Roster,
        master: PeerView,
        rate: Hz,
        recorder: &Recorder,
    ) {
        let start = Instant::now();
        let clear = self.try_review(roster, master, rate, recorder).unwrap_or(false);
        let pause = if clear { CLEAR_REVIEW_INTERVAL } else { UNCLEAR_REVIEW_INTERVAL };
        self.due = Instant::now() + pause.max(REVIEW_COST_FACTOR * start.elapsed());
    }

    /// Reviews the excerpt; true if nothing is unclear, `None` without enough audio.
    fn try_review(
        &mut self,
        roster: &'static Roster,
        master: PeerView,
        rate: Hz,
        recorder: &Recorder,
    ) -> Option<bool> {
        let frames = (EXCERPT_SECONDS * rate.0) as usize;
        // audio of other processes arrives later: in a fast render, by much of a second of the song
        let has_remote_stems = stems(roster).any(|view| view.origin() == Origin::Bridged);
        // a short loop may leave no room for that lag
        let behind: &[f64] =
            if has_remote_stems { &[REMOTE_LAG_SECONDS, REMOTE_LAG_SECONDS / 3.0, 0.0] } else { &[0.0] };
        let mut mixes = behind.iter().map(|behind| latest_mix(master, frames + (behind * rate.0) as usize));
        let (start, mut mix) = mixes.find_map(|mix| mix)?;
        mix.iter_mut().for_each(|side| side.truncate(frames));
        let viewpoint = Viewpoint::new(roster, master);
        let mut candidates = Vec::new();
        let mut unclear = false;
        let present =
            stems(roster).filter(|view| view.block_status().is_some_and(|status| status.rate == rate));
        let present: Vec<(InstanceId, PeerView)> =
            present.filter_map(|view| Some((view.id()?, view))).collect();
        self.placements.retain(|placement| present.iter().any(|(id, _)| *id == placement.id));
        for (id, view) in present.into_iter().take(MAX_STEMS) {
            let placement = self.placement_index(id);
            let from = start - self.placements[placement].delay;
            let audio = [TapPoint::Output, TapPoint::Input].map(|side| read_frames(view, side, from, frames));
            if let [Some(output), Some(input)] = audio {
                candidates.push(Candidate { placement, view, output, input });
            } else if viewpoint.status(view, |_| true) == StemStatus::Live {
                // the stem plays, but not at this position
                unclear |= self.count_miss(placement);
            }
        }
        let mut memberships_found = find_memberships(rate, &candidates, &mix);
        let is_incomplete = last_coverage(recorder).is_some_and(|coverage| coverage < FULL_COVERAGE);
        let usual = self.usual_lag(&candidates, &memberships_found);
        for (candidate, membership) in candidates.iter_mut().zip(&mut memberships_found) {
            if *membership == MixMembership::Elsewhere
                || (is_incomplete && *membership == MixMembership::Summed)
            {
                let known = self.placements[candidate.placement].delay;
                let found = search_delay(candidate.view, master, rate, known).filter(|found| *found != known);
                // a stem too quiet or too dull to be located may arrive when the others do
                let as_others = || {
                    Some(usual? - chain_latency(candidate.view)?)
                        .filter(|_| *membership == MixMembership::Elsewhere)
                };
                if let Some(found) = found.or_else(as_others).filter(|found| *found != known)
                    && let Some(output) = read_frames(candidate.view, TapPoint::Output, start - found, frames)
                    && let Some(input) = read_frames(candidate.view, TapPoint::Input, start - found, frames)
                {
                    self.placements[candidate.placement].delay = found;
                    (candidate.output, candidate.input) = (output, input);
                    unclear = true;
                }
            }
        }
        if unclear {
            memberships_found = find_memberships(rate, &candidates, &mix);
        }
        for (candidate, membership) in candidates.iter().zip(&memberships_found) {
            match membership {
                MixMembership::Summed => self.set_found(candidate.placement, None),
                MixMembership::Inside(outer) => {
                    let outer = candidates.get(*outer).map(|outer| self.placements[outer.placement].id);
                    self.set_found(candidate.placement, outer);
                }
                MixMembership::Elsewhere => unclear |= self.count_miss(candidate.placement),
                // a silent stem keeps its routing
                MixMembership::Silent => {}
            }
        }
        self.publish_routes();
        self.findings = if is_incomplete {
            self.find_causes(recorder, &candidates, &mix, rate)
        } else {
            find_doubled_stems(recorder)
        };
        self.findings.extend(self.find_late_stems(recorder, roster));
        Some(!unclear && !is_incomplete)
    }

    /// Median delay of the stems found in the mix, without the latency of their chains, for which hosts compensate.
    fn usual_lag(&self, candidates: &[Candidate], memberships_found: &[MixMembership]) -> Option<i64> {
        let found = candidates
            .iter()
            .zip(memberships_found)
            .filter(|(_, membership)| **membership == MixMembership::Summed);
        let lag = |stem: &Candidate| Some(self.placements[stem.placement].delay + chain_latency(stem.view)?);
        upper_median(found.filter_map(|(stem, _)| lag(stem)).collect())
    }

    fn placement_index(&mut self, id: InstanceId) -> usize {
        if let Some(index) = self.placements.iter().position(|placement| placement.id == id) {
            return index;
        }
        self.placements.push(StemPlacement {
            id,
            delay: 0,
            summed: true,
            known: false,
            misses: 0,
            inside: None,
        });
        self.placements.len() - 1
    }

    fn set_found(&mut self, placement: usize, inside: Option<InstanceId>) {
        let placement = &mut self.placements[placement];
        (placement.summed, placement.known, placement.misses) = (inside.is_none(), true, 0);
        placement.inside = inside;
    }

    /// Counts a review without a match; true if it may be chance.
    fn count_miss(&mut self, placement: usize) -> bool {
        let placement = &mut self.placements[placement];
        placement.misses += 1;
        if placement.misses < MAX_MISSES && placement.summed {
            return true;
        }
        (placement.summed, placement.known, placement.inside) = (false, true, None);
        false
    }

    fn publish_routes(&self) {
        let route = |placement: &StemPlacement| {
            if placement.summed { StemRoute::At { delay: placement.delay } } else { StemRoute::LeaveOut }
        };
        // for stems without a review, the audio thread applies its default
        let known = self.placements.iter().filter(|placement| placement.known);
        let routes: Vec<_> = known.map(|placement| (placement.id, route(placement))).collect();
        self.routes.set_routes(&routes);
    }

    /// Searches the causes of an incomplete mix.
    fn find_causes(
        &self,
        recorder: &Recorder,
        candidates: &[Candidate],
        mix: &StereoAudio,
        rate: Hz,
    ) -> Vec<RoutingFinding> {
        let live = recorder.live_report();
        let Some(last) = recorder.recent().len().checked_sub(1) else { return Vec::new() };
        let arrivals = live.fitted_range.fit.arrivals(last);
        let of = |id: u64| {
            let candidate =
                candidates.iter().find(|candidate| self.placements[candidate.placement].id.get() == id)?;
            Some(channels(&candidate.output))
        };
        let stems: Option<Vec<_>> = recorder.members().iter().map(|member| of(member.id.0)).collect();
        let Some(stems) = stems else { return Vec::new() };
        let reach = (ECHO_REACH_SECONDS * rate.0) as usize;
        let inseparable = live.fitted_range.fit.inseparable();
        findings(&Excerpt { mix: channels(mix), stems }, arrivals, &[], inseparable, reach)
    }

    /// Stems whose delay, without the latency of their chains, differs from the median.
    fn find_late_stems(&self, recorder: &Recorder, roster: &'static Roster) -> Vec<RoutingFinding> {
        let lag = |id: u64| {
            let id = InstanceId::new(id)?;
            Some(self.delay(id) + chain_latency(roster.find(id)?)?)
        };
        let lags: Vec<Option<i64>> = recorder.members().iter().map(|member| lag(member.id.0)).collect();
        let Some(usual) = upper_median(lags.iter().flatten().copied().collect()) else { return Vec::new() };
        let late = lags.iter().enumerate().filter_map(|(stem, lag)| Some((stem, (*lag)? - usual)));
        late.filter(|(_, delay)| *delay != 0)
            .map(|(stem, delay)| RoutingFinding::Late { stem, delay })
            .collect()
    }
}

/// Latency of a stem's chain, frames.
fn chain_latency(stem: PeerView) -> Option<i64> {
    i64::try_from(stem.block_status()?.latency).ok()
}

/// Upper median.
fn upper_median(mut numbers: Vec<i64>) -> Option<i64> {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied()
}

/// Stems that arrive with doubled gain while the stems explain the whole mix.
fn find_doubled_stems(recorder: &Recorder) -> Vec<RoutingFinding> {
    let Some(last) = recorder.recent().len().checked_sub(1) else { return Vec::new() };
    let live = recorder.live_report();
    let arrivals = live.fitted_range.fit.arrivals(last).iter().enumerate();
    arrivals.filter_map(|(stem, arrival)| doubled_gain(stem, arrival)).collect()
}

/// The Stems on the roster.
fn stems(roster: &'static Roster) -> impl Iterator<Item = PeerView> {
    roster.peers().filter(|view| view.info().is_some_and(|info| info.kind == InstanceKind::Stem))
}

/// Decides the membership of each candidate: summed, nested, elsewhere or silent.
fn find_memberships(rate: Hz, candidates: &[Candidate], mix: &StereoAudio) -> Vec<MixMembership> {
    let stems = candidates.len();
    let mut meter = GramMeter::new(rate, 2 * stems + 1);
    meter.process(mix[0].len(), |source, side| match source {
        source if source < stems => &candidates[source].output[side],
        source if source < 2 * stems => &candidates[source - stems].input[side],
        _ => &mix[side],
    });
    memberships(meter.hops(), stems)
}

/// Searches the delay of a stem in the last seconds of the mix, frames.
fn search_delay(stem: PeerView, master: PeerView, rate: Hz, known: i64) -> Option<i64> {
    let (length, reach) =
        ((SEARCH_EXCERPT_SECONDS * rate.0) as usize, (SEARCH_REACH_SECONDS * rate.0) as usize);
    let (start, mix) = latest_mix(master, length + 2 * reach)?;
    let excerpt = read_frames(stem, TapPoint::Output, start + reach as i64, length)?;
    Some(stem_delay(channels(&excerpt), channels(&mix), reach, known)?.delay)
}

/// Share of the mix that the stems explain in the recent hops, 0 to 1.
fn last_coverage(recorder: &Recorder) -> Option<f64> {
    if recorder.recent().is_empty() { None } else { coverage(&recorder.live_report().fitted_range.sources) }
}
