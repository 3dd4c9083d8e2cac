//! Routing of stems into the mix: which ones it contains and how late each arrives.
//!
//! All stems are located together, in looks of some seconds of the song that do not overlap. A stem is *open* until two
//! looks agree on its delay, or find it nowhere. Once all that sound are decided, later looks check them; a stem moves
//! only if it is no longer found where it was, and two looks agree on the new delay.

mod causes;
mod likely;
mod look;

use super::backlog::{Backlog, SOUNDING_AMPLITUDE, TrackRange};
use link::identity::InstanceId;
use link::records::InstanceKind;
use link::routing::{RoutingTable, StemRoute};
use link::status::{StemStatus, Viewpoint};
use link::{PeerView, Roster};
use session::finding::RoutingFinding;
use session::hop_builder::{FinishedHop, MAX_STEMS};
use session::joint::JointHops;
use session::placement::{PlacementEvidence, StemSighting};
use session::record::Recorder;
use std::sync::Arc;
use std::time::{Duration, Instant};
use units::Hz;

/// Time between two reviews while something is unclear, and while all is clear.
const UNCLEAR_REVIEW_INTERVAL: Duration = Duration::from_secs(1);
const CLEAR_REVIEW_INTERVAL: Duration = Duration::from_secs(8);
/// Minimum time between two reviews, in multiples of the time that the last one took.
const REVIEW_COST_FACTOR: u32 = 20;
/// Looks without a match after which an open stem, and a placed one, is left out.
const MAX_OPEN_MISSES: u32 = 2;
const MAX_PLACED_MISSES: u32 = 4;
/// Looks after which an open stem is left out if no two agree.
const MAX_OPEN_LOOKS: u32 = 6;
/// Song in which a stem sounded and nothing was decided, seconds, after which no more is waited for one that was found
/// nowhere, and for one that was.
const MAX_LOST_SECONDS: f64 = 4.4;
const MAX_WAIT_SECONDS: f64 = 5.9;
/// Difference of two delays that agree, frames.
const AGREEMENT: u64 = 1;

/// Decision on a stem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PlacementState {
    /// None yet.
    Open,
    /// It is in the mix, at its delay.
    Placed,
    /// It is not in the mix, or inside another stem.
    LeftOut,
}

/// Routing of one stem.
#[derive(Clone, Debug)]
struct StemPlacement {
    id: InstanceId,
    view: PeerView,
    state: PlacementState,
    /// Delay from the stem's timeline position to its arrival in the mix, frames.
    delay: i64,
    /// Delays that looks have found and that are not decided, the newest last.
    sighted: Vec<i64>,
    /// Song that was looked at while a decision was awaited, seconds.
    waited: f64,
    /// True if it was looked for in vain while it sounded.
    is_lost: bool,
    /// Looks in which it sounded.
    looks: u32,
    /// Consecutive looks without a match.
    misses: u32,
    /// The Stem whose bus contains it.
    inside: Option<InstanceId>,
    /// Reviews in a row that have found it inside another Stem than `inside`.
    nesting_doubts: u32,
    /// Another delay at which it fits as well, by the last look: it repeats exactly.
    rival: Option<i64>,
    /// True if it has sounded since the last look in which it was silent.
    sounds: bool,
    /// Position up to which it has sounded.
    loud_until: i64,
}

impl StemPlacement {
    fn new(id: InstanceId, view: PeerView, state: PlacementState) -> Self {
        Self {
            id,
            view,
            state,
            delay: 0,
            sighted: Vec::new(),
            waited: 0.0,
            is_lost: false,
            looks: 0,
            misses: 0,
            inside: None,
            nesting_doubts: 0,
            rival: None,
            sounds: false,
            loud_until: i64::MIN,
        }
    }

    /// True if it is in the mix, by itself or inside another one.
    fn is_in_the_mix(&self) -> bool {
        self.state != PlacementState::LeftOut
    }

    /// True while hops must wait for a decision.
    fn is_awaited(&self) -> bool {
        let is_moving = self.state != PlacementState::Open && !self.sighted.is_empty();
        is_moving || (self.state == PlacementState::Open && self.sounds)
    }

    /// Takes the sighting of a look at so many `seconds` of the song in which it sounded; returns true if the decision has changed.
    fn decide(&mut self, sighting: StemSighting, seconds: f64) -> bool {
        let before = (self.state, self.delay);
        self.waited = if self.is_awaited() { self.waited + seconds } else { 0.0 };
        match sighting.evidence {
            PlacementEvidence::Silent | PlacementEvidence::Unclear => {}
            PlacementEvidence::None => {
                self.misses += 1;
                self.sighted.clear();
            }
            PlacementEvidence::Found => {
                self.take_delay(sighting.delay);
                self.rival = sighting.rival;
            }
        }
        self.looks += u32::from(sighting.evidence != PlacementEvidence::Silent);
        let longest = if self.sighted.is_empty() { MAX_LOST_SECONDS } else { MAX_WAIT_SECONDS };
        let is_late = self.waited > longest;
        let is_hopeless = match self.state {
            PlacementState::Open => self.misses >= MAX_OPEN_MISSES || self.looks >= MAX_OPEN_LOOKS || is_late,
            _ => self.misses >= MAX_PLACED_MISSES,
        };
        if is_hopeless {
            self.leave_out();
        } else if is_late {
            self.sighted.clear();
        }
        before != (self.state, self.delay)
    }

    fn leave_out(&mut self) {
        (self.state, self.is_lost) = (PlacementState::LeftOut, true);
        (self.inside, self.waited) = (None, 0.0);
        self.sighted.clear();
    }

    fn take_delay(&mut self, delay: i64) {
        self.misses = 0;
        self.is_lost = false;
        if self.state == PlacementState::Placed && self.delay.abs_diff(delay) <= AGREEMENT {
            self.sighted.clear();
            return;
        }
        if self.sighted.iter().any(|sighted| sighted.abs_diff(delay) <= AGREEMENT) {
            (self.state, self.delay, self.inside) = (PlacementState::Placed, delay, None);
            self.sighted.clear();
            return;
        }
        // of a placed stem only consecutive looks count
        if self.state != PlacementState::Open {
            self.sighted.clear();
        }
        self.sighted.push(delay);
    }
}

/// A stem of the mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RoutedStem {
    /// Its id.
    pub(super) id: InstanceId,
    /// Delay with which it arrives in the mix, frames.
    pub(super) delay: i64,
    /// True if it has not sounded yet, so that its delay is not known: it counts as silent.
    pub(super) is_open: bool,
    /// The stem that contains it; `None` of a stem of the sum.
    pub(super) inside: Option<InstanceId>,
}

/// Routing of all stems in reach, and the table that the audio thread reads.
#[derive(Debug)]
pub(super) struct StemRouting {
    routes: Arc<RoutingTable>,
    placements: Vec<StemPlacement>,
    findings: Vec<RoutingFinding>,
    /// Findings of the last review: those of two in a row are published.
    seen: Vec<RoutingFinding>,
    /// Counter of the mix up to which looks have seen it.
    looked_until: u64,
    /// The same for looks that only confirm.
    confirmed_until: u64,
    /// The last looks.
    windows: Vec<(TrackRange, usize)>,
    /// Evidence of memberships: hops of the placed stems at their delays.
    evidence: Option<(Vec<(InstanceId, i64)>, JointHops)>,
    due: Instant,
}

impl Default for StemRouting {
    fn default() -> Self {
        Self {
            routes: Arc::default(),
            placements: Vec::new(),
            findings: Vec::new(),
            seen: Vec::new(),
            looked_until: 0,
            confirmed_until: 0,
            windows: Vec::new(),
            evidence: None,
            due: Instant::now(),
        }
    }
}

impl StemRouting {
    /// Schedules the next review.
    pub(super) fn schedule_review(&mut self) {
        self.due = Instant::now() + UNCLEAR_REVIEW_INTERVAL;
        self.publish_routes();
    }

    /// Forgets which stretches of the mix were looked at: it begins anew.
    pub(super) fn forget_looks(&mut self) {
        (self.looked_until, self.confirmed_until, self.windows) = (0, 0, Vec::new());
        self.evidence = None;
    }

    /// Returns the routing table that the audio thread reads.
    pub(super) fn routing_table(&self) -> Arc<RoutingTable> {
        Arc::clone(&self.routes)
    }

    /// Returns the stems that are not in the mix.
    pub(super) fn left_out(&self) -> Vec<InstanceId> {
        self.placements
            .iter()
            .filter(|placement| !placement.is_in_the_mix())
            .map(|placement| placement.id)
            .collect()
    }

    /// Returns the stems that sounded and were looked for in vain.
    pub(super) fn lost(&self) -> Vec<InstanceId> {
        let is_lost =
            |placement: &&StemPlacement| placement.state == PlacementState::LeftOut && placement.is_lost;
        self.placements.iter().filter(is_lost).map(|placement| placement.id).collect()
    }

    /// Returns the nested stems, each with the stem that contains it.
    pub(super) fn nested(&self) -> Vec<(InstanceId, InstanceId)> {
        self.placements.iter().filter_map(|placement| Some((placement.id, placement.inside?))).collect()
    }

    /// Returns the delay with which a stem arrives in the mix, frames.
    pub(super) fn delay(&self, id: InstanceId) -> i64 {
        self.placements.iter().find(|placement| placement.id == id).map_or(0, |placement| placement.delay)
    }

    /// Returns the stems of the mix: those summed in the order of their ids, then the nested ones.
    pub(super) fn routed(&self) -> Vec<RoutedStem> {
        let is_routed = |placement: &&StemPlacement| {
            placement.is_in_the_mix()
                && (placement.state == PlacementState::Placed || is_local(placement.view))
        };
        let routed = self.placements.iter().filter(is_routed).map(|placement| RoutedStem {
            id: placement.id,
            delay: placement.delay,
            is_open: placement.state == PlacementState::Open,
            inside: placement.inside,
        });
        let mut routed: Vec<RoutedStem> = routed.collect();
        routed.sort_unstable_by_key(|stem| (stem.inside.is_some(), stem.id));
        routed
    }

    /// Returns true while a stem that sounds is not decided: nothing is said of the mix until then.
    pub(super) fn is_listening(&self) -> bool {
        self.placements.iter().any(StemPlacement::is_awaited)
    }

    /// Returns true while the delay of a placed stem is one of several.
    fn is_ambiguous(&self) -> bool {
        let is_ambiguous = |one: &StemPlacement| one.state == PlacementState::Placed && one.rival.is_some();
        self.placements.iter().any(is_ambiguous)
    }

    /// Returns true while a stem may begin to sound that is not decided.
    pub(super) fn has_open_stems(&self) -> bool {
        self.placements.iter().any(|placement| placement.state == PlacementState::Open)
    }

    /// Causes of the part of the mix that the stems do not explain; stems are numbered as in the recorder.
    pub(super) fn findings(&self) -> &[RoutingFinding] {
        if self.is_listening() { &[] } else { &self.findings }
    }

    /// Takes the Stems in reach; returns them. Those of other open sessions are left out until they are found in the
    /// mix.
    pub(super) fn update_stems(
        &mut self,
        roster: &'static Roster,
        master: PeerView,
        rate: Hz,
    ) -> Vec<(InstanceId, PeerView)> {
        // a status that is just being written says nothing of a stem that is known
        let is_known = |view: PeerView| self.placements.iter().any(|placement| placement.view == view);
        let at_rate = stems(roster)
            .filter(|view| view.block_status().map_or_else(|| is_known(*view), |status| status.rate == rate));
        let present: Vec<(InstanceId, PeerView)> =
            at_rate.filter_map(|view| Some((view.id()?, view))).take(MAX_STEMS).collect();
        let known = self.placements.len();
        self.placements.retain(|placement| present.contains(&(placement.id, placement.view)));
        let mut has_changed = self.placements.len() != known;
        for &(id, view) in &present {
            if !self.placements.iter().any(|placement| placement.id == id) {
                let is_foreign =
                    Viewpoint::new(roster, master).status(view, |_| false) == StemStatus::OtherSession;
                let state = if is_foreign { PlacementState::LeftOut } else { PlacementState::Open };
                self.placements.push(StemPlacement::new(id, view, state));
                has_changed = true;
            }
        }
        if has_changed {
            self.publish_routes();
        }
        present
    }

    /// Notes which stems have sounded.
    pub(super) fn note_sounds(&mut self, backlog: &mut Backlog) {
        for placement in &mut self.placements {
            if let Some(position) = backlog.take_loud_until(placement.id) {
                (placement.sounds, placement.loud_until) = (true, position);
            }
        }
    }

    /// Notes which of the stems `of` sound in a hop; its audio may have come after that of the backlog.
    pub(super) fn note_hop(&mut self, hop: &FinishedHop, of: &[InstanceId]) {
        for (id, peak) in of.iter().zip(&hop.peaks) {
            let placement = self.placements.iter_mut().find(|placement| placement.id == *id);
            if let Some(placement) = placement.filter(|_| *peak > f64::from(SOUNDING_AMPLITUDE)) {
                placement.sounds = true;
            }
        }
    }

    /// Leaves out all stems for which the session has waited too long.
    pub(super) fn give_up(&mut self) {
        for placement in self.placements.iter_mut().filter(|placement| placement.is_awaited()) {
            placement.sighted.clear();
            if placement.state == PlacementState::Open {
                placement.leave_out();
            }
        }
        self.publish_routes();
    }

    fn publish_routes(&self) {
        let route = |placement: &StemPlacement| {
            if placement.is_in_the_mix() {
                StemRoute::At { delay: placement.delay }
            } else {
                StemRoute::LeaveOut
            }
        };
        // for open stems, the audio thread applies its default
        let known = self.placements.iter().filter(|placement| placement.state != PlacementState::Open);
        let routes: Vec<_> = known.map(|placement| (placement.id, route(placement))).collect();
        self.routes.set_routes(&routes);
    }

    /// Returns true if [`Self::review`] is due.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.due
    }

    /// Reviews the last seconds of audio while nothing is open, and schedules the next review. Returns true if the
    /// findings, or the stems of the mix, have changed.
    pub(super) fn review(&mut self, backlog: &mut Backlog, rate: Hz, recorder: &Recorder) -> bool {
        let start = Instant::now();
        let (routed, findings) = (self.routed(), self.findings().to_vec());
        let clear = self.try_review(backlog, rate, recorder);
        let pause = if clear == Some(true) { CLEAR_REVIEW_INTERVAL } else { UNCLEAR_REVIEW_INTERVAL };
        self.due = Instant::now() + pause.max(REVIEW_COST_FACTOR * start.elapsed());
        self.routed() != routed || self.findings() != findings
    }
}

/// True for a Stem of this process.
fn is_local(view: PeerView) -> bool {
    view.origin() == link::slot::Origin::Local
}

/// Latency of a chain, frames.
fn chain_latency(view: PeerView) -> Option<i64> {
    i64::try_from(view.block_status()?.latency).ok()
}

/// The Stems on the roster.
fn stems(roster: &'static Roster) -> impl Iterator<Item = PeerView> {
    roster.peers().filter(|view| view.info().is_some_and(|info| info.kind == InstanceKind::Stem))
}

#[cfg(test)]
mod tests;
