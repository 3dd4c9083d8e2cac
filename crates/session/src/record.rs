//! The recorder: what was heard, hop by hop of the project's timeline.

mod audition;
mod store;

use std::collections::BTreeMap;

use super::fit::{Arrival, HopFit, REACH, fit_hop, start};
use super::timeline::Place;
use super::watch::FinishedHop;
use audition::{Heard, listen};
pub use store::BUDGET;
pub(super) use store::Record;
use store::Store;
use units::Db;

/// What tells one Stem from another, for as long as a project lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StemId(pub u64);

/// What a Stem is set to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Setting {
    /// Counts up with every change of its chain but the level.
    pub revision: u64,
    /// The last gain of its chain, trims included: changes of it rescale exactly.
    pub level: Db,
}

/// A stem of the present set.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Member {
    /// Which Stem.
    pub id: StemId,
    /// What it is set to now.
    pub setting: Setting,
}

/// What is known of a hop of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Never heard.
    Unheard,
    /// Heard as everything is set now, or with other levels only.
    Heard,
    /// Heard when a stem was set otherwise, or was not there.
    OldSettings,
    /// Soloed, not recorded: a sounding stem was missing from the mix.
    Auditioned,
    /// Heard, but so long ago that it had to make room.
    Dropped,
}

/// A stem that arrives with less is muted.
const FAINT: Db = Db(-60.0);
/// Hops in a row after which a missing stem is asked about, and after which a muted one that is back counts as back.
const SETTLED: u32 = 20;

/// Keeps the hops of a session.
///
/// Hops come in order from a [`super::watch::HopBuilder`]. A hop is kept when all stems were heard and none of those that
/// sound is missing from the mix; hearing it again overwrites it. Next to a hop with a missing stem nothing is kept
/// either: a solo begins and ends anywhere in a hop. Memory is bounded by [`BUDGET`]; the hops longest not heard go first.
#[derive(Clone, Debug)]
pub struct Recorder {
    members: Vec<Member>,
    set: u64,
    store: Store,
    marks: BTreeMap<Place, Mark>,
    /// The last hop, until the next tells whether it may be kept.
    pending: Option<Pending>,
    /// True if the last hop was an audition.
    auditioning: bool,
    /// How stems arrive when nobody auditions.
    usual: Vec<Option<Arrival>>,
    /// Hops that are to be fitted, in order: new ones, and those whose window is complete now.
    unfitted: Vec<Place>,
    muted: Vec<Muted>,
    /// The last hops, recorded or not, for what is shown of the moment, and who was heard in the last of them.
    recent: Vec<FinishedHop>,
    last_heard: Heard,
}

/// A hop that may be kept, or not.
#[derive(Clone, Debug)]
struct Pending {
    record: Record,
    place: Place,
    /// It, or the hop before it, is an audition.
    audition: bool,
}

/// For how long a stem has been missing, and whether that is meant.
#[derive(Clone, Copy, Debug, Default)]
struct Muted {
    hops: u32,
    back: u32,
    confirmed: bool,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new(BUDGET)
    }
}

impl Recorder {
    /// A recorder that keeps hops in at most `budget` bytes.
    pub fn new(budget: usize) -> Self {
        Self {
            members: Vec::new(),
            set: 0,
            store: Store::new(budget),
            marks: BTreeMap::new(),
            pending: None,
            auditioning: false,
            usual: Vec::new(),
            unfitted: Vec::new(),
            muted: Vec::new(),
            recent: Vec::new(),
            last_heard: Heard::default(),
        }
    }

    /// From now on hops of the set `set` come from these stems, in this order. Stems keep what is known of them.
    pub fn set_stems(&mut self, set: u64, members: &[Member]) {
        let known = |id: StemId| self.members.iter().position(|member| member.id == id);
        let usual = members.iter().map(|member| known(member.id).and_then(|i| self.usual[i])).collect();
        let muted = members.iter().map(|m| known(m.id).map_or(Muted::default(), |i| self.muted[i])).collect();
        self.commit(false);
        (self.usual, self.muted) = (usual, muted);
        (self.set, self.members) = (set, members.to_vec());
        self.recent.clear();
    }

    /// A Stem is set otherwise from now on.
    pub fn set(&mut self, id: StemId, setting: Setting) {
        self.members.iter_mut().filter(|member| member.id == id).for_each(|member| member.setting = setting);
    }

    /// The present stems.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The last 10 s, newest last, recorded or not.
    pub fn recent(&self) -> &[FinishedHop] {
        &self.recent
    }

    /// Who sounded in the last hop, and who of them was missing.
    pub(super) fn last_heard(&self) -> Heard {
        self.last_heard
    }

    /// The person says that this stem's mute is meant: hops are kept without it until it is back.
    pub fn confirm_mute(&mut self, id: StemId) {
        if let Some(index) = self.members.iter().position(|member| member.id == id) {
            self.muted[index].confirmed = true;
        }
    }

    /// Stems that have been missing from the mix for 2 s though they sound, and nobody said that it is meant.
    pub fn asks(&self) -> Vec<StemId> {
        let muted = self.members.iter().zip(&self.muted);
        muted
            .filter(|(_, muted)| muted.hops >= SETTLED && !muted.confirmed)
            .map(|(member, _)| member.id)
            .collect()
    }

    /// Takes a finished hop. Hops of another set are late, and ignored.
    pub fn take(&mut self, hop: &FinishedHop) {
        if hop.set != self.set || hop.stems != self.members.len() {
            return;
        }
        if self.recent.last().is_some_and(|last| last.segment != hop.segment) {
            self.recent.clear();
            self.commit(false);
            self.auditioning = false;
        }
        if self.recent.len() == 2 * REACH {
            self.recent.remove(0);
        }
        self.recent.push(hop.clone());
        let all = if hop.stems == 0 { 0 } else { u32::MAX >> (32 - hop.stems) };
        if hop.heard & all != all {
            self.commit(false);
            return;
        }
        let usual: Vec<Arrival> = self.usual.iter().map(|usual| usual.unwrap_or(Arrival::UNITY)).collect();
        self.last_heard = listen(&hop.joint, &usual);
        let auditioning = self.follow_mutes(self.last_heard) != 0;
        self.commit(auditioning);
        let audition = auditioning || self.auditioning;
        self.auditioning = auditioning;
        let Some(place) = hop.place else { return };
        let settings = self.members.iter().map(|member| member.setting).collect();
        let ids = self.members.iter().map(|member| member.id).collect();
        self.pending = Some(Pending { record: Record::new(hop, ids, settings), place, audition });
    }

    /// Counts mutes; returns the stems whose missing makes an audition.
    fn follow_mutes(&mut self, heard: Heard) -> u32 {
        let mut audition = 0;
        for (i, muted) in self.muted.iter_mut().enumerate() {
            let bit = |mask: u32| mask >> i & 1 == 1;
            if bit(heard.missing) {
                (muted.hops, muted.back) = (muted.hops + 1, 0);
                audition |= u32::from(!muted.confirmed) << i;
            } else if bit(heard.sounding) {
                (muted.hops, muted.back) = (0, muted.back + 1);
                muted.confirmed &= muted.back < SETTLED;
            }
        }
        audition
    }

    /// Keeps the pending hop, unless it or its neighbour is an audition.
    fn commit(&mut self, next_is_audition: bool) {
        let Some(Pending { record, place, audition }) = self.pending.take() else { return };
        if audition || next_is_audition {
            if !self.store.has(place) {
                self.marks.insert(place, Mark::Auditioned);
            }
            return;
        }
        self.marks.remove(&place);
        for dropped in self.store.insert(place, record) {
            self.marks.insert(dropped, Mark::Dropped);
        }
        self.unfitted.push(place);
        // Its window is complete now.
        self.unfitted.push(place - REACH as Place);
    }

    /// Fits what has come in. Takes up to a few tenths of a millisecond per hop.
    pub fn refit(&mut self) {
        for place in std::mem::take(&mut self.unfitted) {
            let Some(fit) = self.fit_at(place) else { continue };
            for (usual, arrival) in self.usual.iter_mut().zip(&fit.arrivals) {
                // Unless its mute is meant: that is not how it usually is.
                if arrival.fitted != [false; 2] && arrival.gain().0 > FAINT.0 {
                    *usual = Some(*arrival);
                }
            }
            self.store.set_fit(place, fit);
        }
    }

    /// The fit of a hop among its neighbours of the same row.
    fn fit_at(&self, place: Place) -> Option<HopFit> {
        let record = self.store.get(place)?;
        let alike = |other: &Record| other.segment == record.segment && other.ids == record.ids;
        let reach = REACH as Place;
        let row: Vec<Option<&[f64]>> = (place - reach..=place + reach)
            .map(|k| self.store.get(k).filter(|other| alike(other)).map(|other| other.joint()))
            .collect();
        // The row begins and ends with what there is.
        let first = row.iter().position(Option::is_some)?;
        let end = row.len() - row.iter().rev().position(Option::is_some)?;
        let before = self.store.get(place - 1).filter(|other| alike(other)).and_then(|other| other.fit());
        let row = &row[first..end];
        let last = before.map_or_else(|| start(row, record.ids.len()), |fit| fit.arrivals.clone());
        Some(fit_hop(row, REACH - first, &last))
    }

    /// What is known of a hop.
    pub fn mark(&self, place: Place) -> Mark {
        match self.store.get(place) {
            Some(record) if record.is_present(&self.members) => Mark::Heard,
            Some(_) => Mark::OldSettings,
            None => self.marks.get(&place).copied().unwrap_or(Mark::Unheard),
        }
    }

    /// The hop at `place` as everything is set now; `None` if it was not heard so.
    pub(super) fn present(&self, place: Place) -> Option<&Record> {
        self.store.get(place).filter(|record| record.is_present(&self.members))
    }

    /// The first and the last place that was heard.
    pub fn extent(&self) -> Option<(Place, Place)> {
        self.store.extent()
    }

    /// Memory that the hops take, bytes.
    pub fn bytes(&self) -> usize {
        self.store.bytes()
    }

    /// Forgets all hops: after a change of the sampling rate, places mean something else.
    pub fn forget(&mut self) {
        self.store = Store::new(self.store.budget());
        (self.pending, self.unfitted) = (None, Vec::new());
        self.marks.clear();
        self.recent.clear();
    }
}

#[cfg(test)]
mod tests;
