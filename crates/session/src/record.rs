//! Recorder of hops: the loudness data of the project's timeline.

mod audition;
mod member;
mod store;

use std::collections::BTreeMap;

use super::fit::{FIT_REACH_HOPS, HopFit, StemArrival, fit_hop, initial_arrivals};
use super::hop_builder::FinishedHop;
use super::timeline::HopIndex;
use audition::{StemPresence, stem_presence};
pub use member::{NestedMember, SessionMember, StemId, StemSetting};
pub(super) use store::HopRecord;
use store::HopStore;
pub use store::MEMORY_BUDGET;
use units::Db;

/// Status of a hop of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HopStatus {
    /// Never recorded.
    Unheard,
    /// Recorded with the present settings, or with other levels only.
    Heard,
    /// Recorded when a stem had other settings or was not there.
    OldSettings,
    /// Heard during an audition and not recorded: a sounding stem was missing from the mix.
    Auditioned,
    /// Recorded, but dropped for lack of memory.
    Dropped,
}

/// Gain below which a stem that arrives counts as muted.
const MUTED_GAIN: Db = Db(-60.0);
/// Consecutive hops after which a missing stem is asked about, and after which a muted one that returns counts as
/// back.
const MUTE_HOPS: u32 = 20;

/// Recorder of the hops of a session.
///
/// Hops come in order from a [`super::hop_builder::HopBuilder`]. A hop is recorded if all stems were available and no
/// sounding stem is missing from the mix; it replaces an earlier record of the same hop. Hops next to one with a
/// missing stem are not recorded either, because a solo begins and ends anywhere in a hop. Memory is bounded by
/// [`MEMORY_BUDGET`]; the oldest records are dropped first.
#[derive(Clone, Debug)]
pub struct Recorder {
    members: Vec<SessionMember>,
    nested: Vec<NestedMember>,
    set: u64,
    store: HopStore,
    statuses: BTreeMap<HopIndex, HopStatus>,
    /// The last hop, until the next one decides whether it is recorded.
    pending: Option<PendingRecord>,
    /// True if the last hop was an audition.
    auditioning: bool,
    /// Arrivals of the stems without auditions.
    usual: Vec<Option<StemArrival>>,
    /// Hops that are to be fitted, in order: new ones, and those whose window is now complete.
    unfitted: Vec<HopIndex>,
    muted: Vec<MuteTracker>,
    /// The last hops, recorded or not, for live figures; and the stems that sounded in the last of them.
    recent: Vec<FinishedHop>,
    last_presence: StemPresence,
}

/// A hop whose recording is not decided yet.
#[derive(Clone, Debug)]
struct PendingRecord {
    record: HopRecord,
    hop_index: HopIndex,
    /// True if it, or the hop before it, is an audition.
    audition: bool,
}

/// Mute of one stem: hops for which it has been missing, or back, and whether the user has confirmed it.
#[derive(Clone, Copy, Debug, Default)]
struct MuteTracker {
    hops: u32,
    back: u32,
    confirmed: bool,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new(MEMORY_BUDGET)
    }
}

impl Recorder {
    /// Returns a recorder that stores hops in at most `budget` bytes.
    pub fn new(budget: usize) -> Self {
        Self {
            members: Vec::new(),
            nested: Vec::new(),
            set: 0,
            store: HopStore::new(budget),
            statuses: BTreeMap::new(),
            pending: None,
            auditioning: false,
            usual: Vec::new(),
            unfitted: Vec::new(),
            muted: Vec::new(),
            recent: Vec::new(),
            last_presence: StemPresence::default(),
        }
    }

    /// Sets the number of the set and its stems, in order; it has no nested stems. Known stems keep their history.
    pub fn set_stems(&mut self, set: u64, members: &[SessionMember]) {
        let known = |id: StemId| self.members.iter().position(|member| member.id == id);
        let usual = members.iter().map(|member| known(member.id).and_then(|i| self.usual[i])).collect();
        let muted =
            members.iter().map(|m| known(m.id).map_or(MuteTracker::default(), |i| self.muted[i])).collect();
        self.commit(false);
        (self.usual, self.muted) = (usual, muted);
        (self.set, self.members) = (set, members.to_vec());
        self.nested.clear();
        self.recent.clear();
    }

    /// Sets the nested stems of the set, in the order of the hops' products.
    pub fn set_nested(&mut self, nested: &[NestedMember]) {
        self.nested = nested.to_vec();
    }

    /// Sets the present settings of a Stem.
    pub fn set_setting(&mut self, id: StemId, setting: StemSetting) {
        let nested = self.nested.iter_mut().map(|nested| &mut nested.member);
        let members = self.members.iter_mut().chain(nested);
        members.filter(|member| member.id == id).for_each(|member| member.setting = setting);
    }

    /// Nested stems of the present set.
    pub fn nested(&self) -> &[NestedMember] {
        &self.nested
    }

    /// Stems of the present set.
    pub fn members(&self) -> &[SessionMember] {
        &self.members
    }

    /// Hops of the last 10 s, newest last, recorded or not.
    pub fn recent(&self) -> &[FinishedHop] {
        &self.recent
    }

    /// Stems that sounded in the last hop, and those of them that were missing.
    pub(super) fn last_presence(&self) -> StemPresence {
        self.last_presence
    }

    /// Confirms that a stem's mute is intended: hops are recorded without it until it is back.
    pub fn confirm_mute(&mut self, id: StemId) {
        if let Some(index) = self.members.iter().position(|member| member.id == id) {
            self.muted[index].confirmed = true;
        }
    }

    /// Stems that sound but have been missing from the mix for 2 s, without confirmation by the user.
    pub fn unconfirmed_mutes(&self) -> Vec<StemId> {
        let muted = self.members.iter().zip(&self.muted);
        muted
            .filter(|(_, muted)| muted.hops >= MUTE_HOPS && !muted.confirmed)
            .map(|(member, _)| member.id)
            .collect()
    }

    /// Takes a finished hop. Hops of another set are late, and ignored.
    pub fn push_hop(&mut self, hop: &FinishedHop) {
        if hop.set != self.set || hop.stems != self.members.len() {
            return;
        }
        if self.recent.last().is_some_and(|last| last.segment != hop.segment) {
            self.recent.clear();
            self.commit(false);
            self.auditioning = false;
        }
        if self.recent.len() == 2 * FIT_REACH_HOPS {
            self.recent.remove(0);
        }
        self.recent.push(hop.clone());
        let all = if hop.stems == 0 { 0 } else { u32::MAX >> (32 - hop.stems) };
        if hop.heard & all != all {
            self.commit(false);
            return;
        }
        let usual: Vec<StemArrival> =
            self.usual.iter().map(|usual| usual.unwrap_or(StemArrival::UNITY)).collect();
        self.last_presence = stem_presence(&hop.joint, &usual);
        let auditioning = self.update_mutes(self.last_presence) != 0;
        self.commit(auditioning);
        let audition = auditioning || self.auditioning;
        self.auditioning = auditioning;
        let Some(hop_index) = hop.index else { return };
        let record = HopRecord::new(hop, &self.members, &self.nested);
        self.pending = Some(PendingRecord { record, hop_index, audition });
    }

    /// Ends the row of hops because playback has stopped: its last hop is recorded without waiting for another one.
    pub fn finish_row(&mut self) {
        self.commit(false);
        self.refit();
    }

    /// True while the last hop waits for the next one.
    pub fn is_row_open(&self) -> bool {
        self.pending.is_some()
    }

    /// Counts mutes; returns the stems whose absence makes an audition, as a mask.
    fn update_mutes(&mut self, presence: StemPresence) -> u32 {
        let mut audition = 0;
        for (i, muted) in self.muted.iter_mut().enumerate() {
            let bit = |mask: u32| mask >> i & 1 == 1;
            if bit(presence.missing) {
                (muted.hops, muted.back) = (muted.hops + 1, 0);
                audition |= u32::from(!muted.confirmed) << i;
            } else if bit(presence.sounding) {
                (muted.hops, muted.back) = (0, muted.back + 1);
                muted.confirmed &= muted.back < MUTE_HOPS;
            }
        }
        audition
    }

    /// Records the pending hop, unless it or its neighbour is an audition.
    fn commit(&mut self, next_is_audition: bool) {
        let Some(PendingRecord { record, hop_index, audition }) = self.pending.take() else { return };
        if audition || next_is_audition {
            if !self.store.has(hop_index) {
                self.statuses.insert(hop_index, HopStatus::Auditioned);
            }
            return;
        }
        self.statuses.remove(&hop_index);
        for dropped in self.store.insert(hop_index, record) {
            self.statuses.insert(dropped, HopStatus::Dropped);
        }
        self.unfitted.push(hop_index);
        // The window of this one is complete now.
        self.unfitted.push(hop_index - FIT_REACH_HOPS as HopIndex);
    }

    /// Fits new records. Takes up to a few tenths of a millisecond per hop.
    pub fn refit(&mut self) {
        for hop_index in std::mem::take(&mut self.unfitted) {
            let Some(fit) = self.fit_at(hop_index) else { continue };
            for (usual, arrival) in self.usual.iter_mut().zip(&fit.arrivals) {
                // A confirmed mute is not the usual arrival.
                if arrival.fitted != [false; 2] && arrival.gain().0 > MUTED_GAIN.0 {
                    *usual = Some(*arrival);
                }
            }
            self.store.set_fit(hop_index, fit);
        }
    }

    /// Fit of a hop among its neighbours of the same row.
    fn fit_at(&self, hop_index: HopIndex) -> Option<HopFit> {
        let record = self.store.get(hop_index)?;
        let alike = |other: &HopRecord| other.segment == record.segment && other.ids == record.ids;
        let reach = FIT_REACH_HOPS as HopIndex;
        let row: Vec<Option<&[f64]>> = (hop_index - reach..=hop_index + reach)
            .map(|k| self.store.get(k).filter(|other| alike(other)).map(|other| other.joint()))
            .collect();
        // The row begins and ends with recorded hops.
        let first = row.iter().position(Option::is_some)?;
        let end = row.len() - row.iter().rev().position(Option::is_some)?;
        let before = self.store.get(hop_index - 1).filter(|other| alike(other)).and_then(|other| other.fit());
        let row = &row[first..end];
        let last = before.map_or_else(|| initial_arrivals(row, record.ids.len()), |fit| fit.arrivals.clone());
        Some(fit_hop(row, FIT_REACH_HOPS - first, &last))
    }

    /// Status of a hop.
    pub fn status(&self, hop_index: HopIndex) -> HopStatus {
        match self.store.get(hop_index) {
            Some(record) if record.is_present(&self.members, &self.nested) => HopStatus::Heard,
            Some(_) => HopStatus::OldSettings,
            None => self.statuses.get(&hop_index).copied().unwrap_or(HopStatus::Unheard),
        }
    }

    /// Record of a hop with the present settings; `None` if there is none.
    pub(super) fn present(&self, hop_index: HopIndex) -> Option<&HopRecord> {
        self.store.get(hop_index).filter(|record| record.is_present(&self.members, &self.nested))
    }

    /// First and last recorded hop.
    pub fn extent(&self) -> Option<(HopIndex, HopIndex)> {
        self.store.extent()
    }

    /// Memory of all records, bytes.
    pub fn bytes(&self) -> usize {
        self.store.bytes()
    }

    /// Drops all records: at another sampling rate, hops are not comparable.
    pub fn clear(&mut self) {
        self.forget_heard();
        self.recent.clear();
    }

    /// Drops all records because the session begins anew; what is heard now goes on.
    pub fn forget_heard(&mut self) {
        self.store = HopStore::new(self.store.budget());
        (self.pending, self.unfitted) = (None, Vec::new());
        self.statuses.clear();
    }
}

#[cfg(test)]
mod tests;
