//! Recorder of hops: the loudness data of the project's timeline.

mod audition;
mod levels;
mod member;
mod mutes;
mod store;

use std::collections::BTreeMap;

use super::fit::{FIT_REACH_HOPS, HopFit, StemArrival, fit_hop, initial_arrivals};
use super::hop_builder::FinishedHop;
use super::range_report::HopRange;
use super::timeline::HopIndex;
use audition::{StemPresence, stem_presence};
use levels::LevelTracker;
pub use member::{NestedMember, SessionMember, StemId, StemSetting};
use mutes::MuteTracker;
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
/// Memory of hops in which a stem is muted, until it is known whether that is meant, as a part of the budget.
const MUTED_BUDGET_SHARE: usize = 8;

/// Recorder of the hops of a session.
///
/// Hops come in order from a [`super::hop_builder::HopBuilder`]. A hop is recorded if all stems were available and no
/// sounding stem is missing from the mix; it replaces an earlier record of the same hop. Hops next to one with a
/// missing stem are not recorded either, because a solo begins and ends anywhere in a hop. Memory is bounded by
/// [`MEMORY_BUDGET`]; the oldest records are dropped first.
#[derive(Clone, Debug)]
pub struct Recorder {
    members: Vec<SessionMember>,
    /// The same stems with the settings of the next hop.
    heard: Vec<SessionMember>,
    /// Stems whose present settings are known beside those of hops, as a mask.
    told: u32,
    levels: BTreeMap<StemId, LevelTracker>,
    nested: Vec<NestedMember>,
    /// The same with the settings of the next hop.
    heard_nested: Vec<NestedMember>,
    /// Nested stems whose present settings are known beside those of hops, as a mask.
    told_nested: u32,
    set: u64,
    store: HopStore,
    /// Hops in which stems are muted, until that turns out to be part of the mix.
    muted: HopStore,
    /// First and last hop that were played, recorded or not.
    played: Option<(HopIndex, HopIndex)>,
    statuses: BTreeMap<HopIndex, HopStatus>,
    /// The last hop, until the next one decides whether it is recorded.
    pending: Option<PendingRecord>,
    /// True if the last hop was an audition.
    auditioning: bool,
    /// Arrivals of the stems without auditions.
    usual: Vec<Option<StemArrival>>,
    /// Hops that are to be fitted, in order: new ones, and those whose window is now complete.
    unfitted: Vec<HopIndex>,
    mutes: Vec<MuteTracker>,
    /// The last hops, recorded or not, for live figures; and the stems that sounded in the last of them.
    recent: Vec<FinishedHop>,
    last_presence: StemPresence,
}

/// A hop whose recording is not decided yet.
#[derive(Clone, Debug)]
struct PendingRecord {
    record: HopRecord,
    hop_index: HopIndex,
    /// True if it, or the hop before it, is an audition, or a stem returns to the mix in it.
    audition: bool,
    /// Stems that are heard in the mix, as a mask.
    present: u32,
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
            heard: Vec::new(),
            told: 0,
            levels: BTreeMap::new(),
            nested: Vec::new(),
            heard_nested: Vec::new(),
            told_nested: 0,
            set: 0,
            store: HopStore::new(budget),
            muted: HopStore::new(budget / MUTED_BUDGET_SHARE),
            played: None,
            statuses: BTreeMap::new(),
            pending: None,
            auditioning: false,
            usual: Vec::new(),
            unfitted: Vec::new(),
            mutes: Vec::new(),
            recent: Vec::new(),
            last_presence: StemPresence::default(),
        }
    }

    /// Sets the number of the set and its stems, in order; it has no nested stems. Known stems keep their history.
    pub fn set_stems(&mut self, set: u64, members: &[SessionMember]) {
        let known = |id: StemId| self.members.iter().position(|member| member.id == id);
        let usual = members.iter().map(|member| known(member.id).and_then(|i| self.usual[i])).collect();
        let told = (members.iter().enumerate())
            .filter(|(_, member)| known(member.id).is_some_and(|i| self.told >> i & 1 == 1))
            .fold(0, |mask, (index, _)| mask | 1 << index);
        self.commit(StemPresence::default(), false);
        self.end_mutes();
        let mutes = members
            .iter()
            .map(|member| self.members.iter().position(|known| known.id == member.id))
            .map(|index| index.map_or_else(MuteTracker::default, |index| self.mutes[index].clone()))
            .collect();
        (self.usual, self.mutes, self.told) = (usual, mutes, told);
        (self.set, self.members, self.heard) = (set, members.to_vec(), members.to_vec());
        self.set_nested(&[]);
        self.recent.clear();
    }

    /// Sets the nested stems of the set, in the order of the hops' products.
    pub fn set_nested(&mut self, nested: &[NestedMember]) {
        (self.nested, self.heard_nested, self.told_nested) = (nested.to_vec(), nested.to_vec(), 0);
    }

    /// Nested stems of the present set.
    pub fn nested(&self) -> &[NestedMember] {
        &self.nested
    }

    /// Sets the settings of a Stem in the next hops; unless [`Self::set_present`] knows better, they are the present
    /// ones.
    pub fn set_setting(&mut self, id: StemId, setting: StemSetting) {
        let tracker = self.levels.entry(id).or_default();
        tracker.set_last(setting.level);
        let setting = tracker.normalize(setting);
        for (index, member) in self.heard.iter_mut().enumerate().filter(|(_, member)| member.id == id) {
            member.setting = setting;
            if self.told >> index & 1 == 0 {
                self.members[index].setting = setting;
            }
        }
        for (index, heard) in self.heard_nested.iter_mut().enumerate() {
            if heard.member.id == id {
                heard.member.setting = setting;
                let present = &mut self.nested[index].member.setting;
                let is_told = self.told_nested >> index & 1 == 1;
                *present = if is_told { StemSetting { level: setting.level, ..*present } } else { setting };
            }
        }
    }

    /// Makes the level of a Stem unknown in the next hops; chain and trim stay as they are.
    pub fn forget_level(&mut self, id: StemId) {
        let members = self.heard.iter_mut().filter(|member| member.id == id);
        members.for_each(|member| member.setting.level = None);
        let nested = self.heard_nested.iter_mut().filter(|nested| nested.member.id == id);
        nested.for_each(|nested| nested.member.setting.level = None);
    }

    /// Sets the present chain and trim of a Stem, which may be ahead of the hops. The level of `setting` is not used: see
    /// [`Self::change_level_at_rest`]. Returns true if something has changed.
    pub fn set_present(&mut self, id: StemId, setting: StemSetting) -> bool {
        let setting = self.levels.entry(id).or_default().normalize(setting);
        let mut has_changed = false;
        for (index, member) in self.members.iter_mut().enumerate().filter(|(_, member)| member.id == id) {
            self.told |= 1 << index;
            let setting = StemSetting { level: member.setting.level, ..setting };
            has_changed |= std::mem::replace(&mut member.setting, setting) != setting;
        }
        for (index, nested) in self.nested.iter_mut().enumerate().filter(|(_, nested)| nested.member.id == id)
        {
            self.told_nested |= 1 << index;
            let setting = StemSetting { level: nested.member.setting.level, ..setting };
            has_changed |= std::mem::replace(&mut nested.member.setting, setting) != setting;
        }
        has_changed
    }

    /// Settings that a stem had in all of the hops `places`; `None` if they differ or one was not recorded.
    pub fn recorded_setting(&self, id: StemId, places: HopRange) -> Option<StemSetting> {
        let mut settings = places.map(|place| {
            let record = self.store.get(place)?;
            record.setting(id)
        });
        let first = settings.next()??;
        let is_same = |other: StemSetting| (other.revision, other.trim) == (first.revision, first.trim);
        settings.all(|setting| setting.is_some_and(is_same)).then_some(first)
    }

    /// Stems of the present set; level changes that count for the whole song are part of their trims.
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

    /// Takes a finished hop. Hops of another set are late, and ignored.
    pub fn push_hop(&mut self, hop: &FinishedHop) {
        if hop.set != self.set || hop.stems != self.members.len() {
            return;
        }
        if self.recent.last().is_some_and(|last| last.segment != hop.segment) {
            self.recent.clear();
            self.commit(StemPresence::default(), false);
            self.end_mutes();
            self.auditioning = false;
            self.last_presence = StemPresence::default();
        }
        if let Some(place) = hop.index {
            let (first, last) = self.played.unwrap_or((place, place));
            self.played = Some((first.min(place), last.max(place)));
        }
        if self.recent.len() == 2 * FIT_REACH_HOPS {
            self.recent.remove(0);
        }
        self.recent.push(hop.clone());
        let all = if hop.stems == 0 { 0 } else { u32::MAX >> (32 - hop.stems) };
        if hop.heard & all != all {
            self.commit(StemPresence::default(), false);
            return;
        }
        let usual: Vec<StemArrival> =
            self.usual.iter().map(|usual| usual.unwrap_or(StemArrival::UNITY)).collect();
        let presence = stem_presence(&hop.joint, &usual);
        let before = std::mem::replace(&mut self.last_presence, presence);
        let auditioning = self.update_mutes(presence, hop.index) != 0;
        self.commit(presence, auditioning);
        let present = presence.sounding & !presence.missing;
        // in the hop in which a stem returns it may be heard in part
        let audition = auditioning || self.auditioning || before.missing & present != 0;
        self.auditioning = auditioning;
        let Some(hop_index) = hop.index else { return };
        let is_missing = |index: &usize| self.mutes[*index].is_muted();
        let missing =
            (0..self.members.len()).filter(is_missing).map(|index| self.members[index].id).collect();
        let mut record = HopRecord::new(hop, &self.heard, &self.heard_nested);
        record.mute(missing);
        self.pending = Some(PendingRecord { record, hop_index, audition, present });
    }

    /// Ends the row of hops because playback has stopped: its last hop is recorded without waiting for another one.
    pub fn finish_row(&mut self) {
        self.commit(StemPresence::default(), false);
        self.end_mutes();
        self.refit();
    }

    /// True while the last hop waits for the next one.
    pub fn is_row_open(&self) -> bool {
        self.pending.is_some()
    }

    /// Records the pending hop, unless it or its neighbour is an audition. `next`: presence of the stems in the hop
    /// after it.
    fn commit(&mut self, next: StemPresence, next_is_audition: bool) {
        let Some(PendingRecord { record, hop_index, audition, present }) = self.pending.take() else {
            return;
        };
        if audition || next_is_audition || present & next.missing != 0 {
            if !self.store.has(hop_index) {
                self.statuses.insert(hop_index, HopStatus::Auditioned);
            }
            if !record.missing.is_empty() {
                self.muted.insert(hop_index, record);
            }
            return;
        }
        self.muted.remove(hop_index);
        self.insert(hop_index, record);
    }

    fn insert(&mut self, hop_index: HopIndex, record: HopRecord) {
        self.check_levels(hop_index, &record);
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
            Some(record) if self.is_current(record) => HopStatus::Heard,
            Some(_) => HopStatus::OldSettings,
            None => self.statuses.get(&hop_index).copied().unwrap_or(HopStatus::Unheard),
        }
    }

    /// Record of a hop with the present settings; `None` if there is none.
    pub(super) fn present(&self, hop_index: HopIndex) -> Option<&HopRecord> {
        self.store.get(hop_index).filter(|record| self.is_current(record))
    }

    fn is_current(&self, record: &HopRecord) -> bool {
        record.is_present(&self.members, &self.nested) && !self.is_doubtful(record)
    }

    /// First and last hop that were played, whether they could be recorded or not.
    pub fn played(&self) -> Option<(HopIndex, HopIndex)> {
        self.played
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
        self.muted = HopStore::new(self.store.budget() / MUTED_BUDGET_SHARE);
        self.played = None;
        self.levels.values_mut().for_each(LevelTracker::forget_records);
        (self.pending, self.unfitted) = (None, Vec::new());
        self.statuses.clear();
    }
}

#[cfg(test)]
mod tests;
