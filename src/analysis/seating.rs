//! Who belongs to the mix, and where each stem arrives in it: found in the audio of the last seconds.

use super::excerpt::{Audio, last_of_mix, read, sides};
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

/// Audio that is compared, seconds.
const LENGTH: f64 = 3.0;
/// How much older it is when stems of other processes are among those in reach, seconds.
const BEHIND: f64 = 1.0;
/// A delay is looked for in an excerpt as long, seconds, and as far on either side.
const SEARCHED: f64 = 2.0;
const REACH: f64 = 1.0;
/// A second arrival is looked for as far, seconds.
const ECHO: f64 = 0.25;
/// Between two reviews while something is unclear, and otherwise.
const SOON: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_secs(8);
/// And so many times what the last review took.
const EASE: u32 = 20;
/// Reviews in a row in which a stem is not found before it is left out.
const PATIENCE: u32 = 2;

/// What is known of one stem.
#[derive(Clone, Copy, Debug)]
struct Place {
    id: InstanceId,
    /// How much later than on the timeline it arrives.
    delay: i64,
    summed: bool,
    /// Somebody has looked.
    known: bool,
    /// Reviews in a row in which it was not found.
    misses: u32,
    /// The Stem whose bus it is part of.
    inside: Option<InstanceId>,
}

/// The seats of all stems in reach.
#[derive(Debug)]
pub(super) struct StemRouting {
    advice: Arc<RoutingTable>,
    places: Vec<Place>,
    findings: Vec<RoutingFinding>,
    due: Instant,
}

impl Default for StemRouting {
    fn default() -> Self {
        Self { advice: Arc::default(), places: Vec::new(), findings: Vec::new(), due: Instant::now() }
    }
}

/// A stem in reach, with its audio of the stretch that is reviewed.
struct Candidate {
    place: usize,
    peer: PeerView,
    output: Audio,
    input: Audio,
}

impl StemRouting {
    /// The master starts to listen. Stems of other sessions that are open are left out until they are found in the mix.
    pub(super) fn begin(&mut self, roster: &'static Roster, me: PeerView) {
        self.due = Instant::now() + SOON;
        let viewpoint = Viewpoint::new(roster, me);
        for peer in stems(roster) {
            let Some(id) = peer.id() else { continue };
            let is_foreign = viewpoint.status(peer, |_| false) == StemStatus::OtherSession;
            if is_foreign && !self.places.iter().any(|place| place.id == id) {
                self.places.push(Place { id, delay: 0, summed: false, known: true, misses: 0, inside: None });
            }
        }
        self.advise();
    }

    /// Where advice for the audio thread appears.
    pub(super) fn advice(&self) -> Arc<RoutingTable> {
        Arc::clone(&self.advice)
    }

    /// Whether it is time for [`Self::review`].
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.due
    }

    /// The stems that are not summed.
    pub(super) fn left_out(&self) -> Vec<InstanceId> {
        self.places.iter().filter(|place| !place.summed).map(|place| place.id).collect()
    }

    /// Stems that sit inside others, each with the one that it is inside.
    pub(super) fn nested(&self) -> Vec<(InstanceId, InstanceId)> {
        self.places.iter().filter_map(|place| Some((place.id, place.inside?))).collect()
    }

    /// How much later than it left its Stem a stem arrives, frames.
    pub(super) fn delay(&self, id: InstanceId) -> i64 {
        self.places.iter().find(|place| place.id == id).map_or(0, |place| place.delay)
    }

    /// What is behind what the stems do not account for; stems are numbered as in the recorder.
    pub(super) fn findings(&self) -> &[RoutingFinding] {
        &self.findings
    }

    /// Looks at the last seconds.
    pub(super) fn review(&mut self, roster: &'static Roster, me: PeerView, rate: Hz, recorder: &Recorder) {
        let start = Instant::now();
        let clear = self.try_review(roster, me, rate, recorder).unwrap_or(false);
        let pause = if clear { LATER } else { SOON };
        self.due = Instant::now() + pause.max(EASE * start.elapsed());
    }

    /// `None` if there is not enough to look at; whether all is clear.
    fn try_review(
        &mut self,
        roster: &'static Roster,
        me: PeerView,
        rate: Hz,
        recorder: &Recorder,
    ) -> Option<bool> {
        let frames = (LENGTH * rate.0) as usize;
        // what other processes play arrives later: in a fast render, a good part of a second of the song
        let are_far = stems(roster).any(|peer| peer.origin() == Origin::Bridged);
        // a loop may be too short for that
        let behind: &[f64] = if are_far { &[BEHIND, BEHIND / 3.0, 0.0] } else { &[0.0] };
        let mut mixes = behind.iter().map(|behind| last_of_mix(me, frames + (behind * rate.0) as usize));
        let (start, mut mix) = mixes.find_map(|mix| mix)?;
        mix.iter_mut().for_each(|side| side.truncate(frames));
        let viewpoint = Viewpoint::new(roster, me);
        let mut candidates = Vec::new();
        let mut unclear = false;
        let present =
            stems(roster).filter(|peer| peer.block_status().is_some_and(|pulse| pulse.rate == rate));
        let present: Vec<(InstanceId, PeerView)> =
            present.filter_map(|peer| Some((peer.id()?, peer))).collect();
        self.places.retain(|place| present.iter().any(|(id, _)| *id == place.id));
        for (id, peer) in present.into_iter().take(MAX_STEMS) {
            let place = self.place(id);
            let from = start - self.places[place].delay;
            let audio = [TapPoint::Output, TapPoint::Input].map(|side| read(peer, side, from, frames));
            if let [Some(output), Some(input)] = audio {
                candidates.push(Candidate { place, peer, output, input });
            } else if viewpoint.status(peer, |_| true) == StemStatus::Live {
                // it plays, but not here
                unclear |= self.miss(place);
            }
        }
        let mut seats = seats(rate, &candidates, &mix);
        let suspicious = last_coverage(recorder).is_some_and(|coverage| coverage < FULL_COVERAGE);
        let usual = self.usual_lag(&candidates, &seats);
        for (candidate, chain_kind) in candidates.iter_mut().zip(&mut seats) {
            if *chain_kind == MixMembership::Elsewhere || (suspicious && *chain_kind == MixMembership::Summed)
            {
                let known = self.places[candidate.place].delay;
                let found = search(candidate.peer, me, rate, known).filter(|found| *found != known);
                // one that is too quiet or too dull to be found may arrive when the others do
                let as_others = || {
                    Some(usual? - latency(candidate.peer)?)
                        .filter(|_| *chain_kind == MixMembership::Elsewhere)
                };
                if let Some(found) = found.or_else(as_others).filter(|found| *found != known)
                    && let Some(output) = read(candidate.peer, TapPoint::Output, start - found, frames)
                    && let Some(input) = read(candidate.peer, TapPoint::Input, start - found, frames)
                {
                    self.places[candidate.place].delay = found;
                    (candidate.output, candidate.input) = (output, input);
                    unclear = true;
                }
            }
        }
        if unclear {
            seats = self::seats(rate, &candidates, &mix);
        }
        for (candidate, chain_kind) in candidates.iter().zip(&seats) {
            match chain_kind {
                MixMembership::Summed => self.settle(candidate.place, None),
                MixMembership::Inside(outer) => {
                    let outer = candidates.get(*outer).map(|outer| self.places[outer.place].id);
                    self.settle(candidate.place, outer);
                }
                MixMembership::Elsewhere => unclear |= self.miss(candidate.place),
                // nothing can be said; as before
                MixMembership::Silent => {}
            }
        }
        self.advise();
        self.findings =
            if suspicious { self.causes(recorder, &candidates, &mix, rate) } else { twice(recorder) };
        self.findings.extend(self.late(recorder, roster));
        Some(!unclear && !suspicious)
    }

    /// How late the stems arrive that were found, latencies of their chains aside: hosts make up for those.
    fn usual_lag(&self, candidates: &[Candidate], seats: &[MixMembership]) -> Option<i64> {
        let found =
            candidates.iter().zip(seats).filter(|(_, chain_kind)| **chain_kind == MixMembership::Summed);
        let lag = |stem: &Candidate| Some(self.places[stem.place].delay + latency(stem.peer)?);
        middle(found.filter_map(|(stem, _)| lag(stem)).collect())
    }

    fn place(&mut self, id: InstanceId) -> usize {
        if let Some(index) = self.places.iter().position(|place| place.id == id) {
            return index;
        }
        self.places.push(Place { id, delay: 0, summed: true, known: false, misses: 0, inside: None });
        self.places.len() - 1
    }

    fn settle(&mut self, place: usize, inside: Option<InstanceId>) {
        let place = &mut self.places[place];
        (place.summed, place.known, place.misses) = (inside.is_none(), true, 0);
        place.inside = inside;
    }

    /// A stem was not found; true if that may be by chance.
    fn miss(&mut self, place: usize) -> bool {
        let place = &mut self.places[place];
        place.misses += 1;
        if place.misses < PATIENCE && place.summed {
            return true;
        }
        (place.summed, place.known, place.inside) = (false, true, None);
        false
    }

    fn advise(&self) {
        let take = |place: &Place| {
            if place.summed { StemRoute::At { delay: place.delay } } else { StemRoute::LeaveOut }
        };
        // of those that nobody has looked at, the audio thread knows what to think
        let settled = self.places.iter().filter(|place| place.known);
        let advice: Vec<_> = settled.map(|place| (place.id, take(place))).collect();
        self.advice.set_routes(&advice);
    }

    /// What is behind what is left over.
    fn causes(
        &self,
        recorder: &Recorder,
        candidates: &[Candidate],
        mix: &Audio,
        rate: Hz,
    ) -> Vec<RoutingFinding> {
        let live = recorder.live_report();
        let Some(last) = recorder.recent().len().checked_sub(1) else { return Vec::new() };
        let arrivals = live.fitted_range.fit.arrivals(last);
        let of = |id: u64| {
            let candidate =
                candidates.iter().find(|candidate| self.places[candidate.place].id.get() == id)?;
            Some(sides(&candidate.output))
        };
        let stems: Option<Vec<_>> = recorder.members().iter().map(|member| of(member.id.0)).collect();
        let Some(stems) = stems else { return Vec::new() };
        let reach = (ECHO * rate.0) as usize;
        let inseparable = live.fitted_range.fit.inseparable();
        findings(&Excerpt { mix: sides(mix), stems }, arrivals, &[], inseparable, reach)
    }

    /// Stems that arrive later or earlier than most, latencies of their chains aside: hosts make up for those.
    fn late(&self, recorder: &Recorder, roster: &'static Roster) -> Vec<RoutingFinding> {
        let lag = |id: u64| {
            let id = InstanceId::new(id)?;
            Some(self.delay(id) + latency(roster.find(id)?)?)
        };
        let lags: Vec<Option<i64>> = recorder.members().iter().map(|member| lag(member.id.0)).collect();
        let Some(usual) = middle(lags.iter().flatten().copied().collect()) else { return Vec::new() };
        let late = lags.iter().enumerate().filter_map(|(stem, lag)| Some((stem, (*lag)? - usual)));
        late.filter(|(_, delay)| *delay != 0)
            .map(|(stem, delay)| RoutingFinding::Late { stem, delay })
            .collect()
    }
}

/// The latency of a stem's chain, frames.
fn latency(stem: PeerView) -> Option<i64> {
    i64::try_from(stem.block_status()?.latency).ok()
}

/// The upper one of the middle.
fn middle(mut numbers: Vec<i64>) -> Option<i64> {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied()
}

/// Stems that arrive as if they were there twice, where the stems account for all of the mix.
fn twice(recorder: &Recorder) -> Vec<RoutingFinding> {
    let Some(last) = recorder.recent().len().checked_sub(1) else { return Vec::new() };
    let live = recorder.live_report();
    let arrivals = live.fitted_range.fit.arrivals(last).iter().enumerate();
    arrivals.filter_map(|(stem, arrival)| doubled_gain(stem, arrival)).collect()
}

/// The Stems in reach.
fn stems(roster: &'static Roster) -> impl Iterator<Item = PeerView> {
    roster.peers().filter(|peer| peer.info().is_some_and(|label| label.kind == InstanceKind::Stem))
}

/// Where each candidate belongs.
fn seats(rate: Hz, candidates: &[Candidate], mix: &Audio) -> Vec<MixMembership> {
    let stems = candidates.len();
    let mut meter = GramMeter::new(rate, 2 * stems + 1);
    meter.process(mix[0].len(), |source, side| match source {
        source if source < stems => &candidates[source].output[side],
        source if source < 2 * stems => &candidates[source - stems].input[side],
        _ => &mix[side],
    });
    memberships(meter.hops(), stems)
}

/// Where a stem arrives in the last seconds of the mix.
fn search(stem: PeerView, me: PeerView, rate: Hz, known: i64) -> Option<i64> {
    let (length, reach) = ((SEARCHED * rate.0) as usize, (REACH * rate.0) as usize);
    let (start, mix) = last_of_mix(me, length + 2 * reach)?;
    let excerpt = read(stem, TapPoint::Output, start + reach as i64, length)?;
    Some(stem_delay(sides(&excerpt), sides(&mix), reach, known)?.delay)
}

/// How much of the mix of the last seconds the stems account for.
fn last_coverage(recorder: &Recorder) -> Option<f64> {
    if recorder.recent().is_empty() { None } else { coverage(&recorder.live_report().fitted_range.sources) }
}
