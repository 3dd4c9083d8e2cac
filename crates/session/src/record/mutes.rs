//! Mutes: stems that sound and are missing from the mix. An audition, or a part of the mix?
//!
//! A mute is part of the mix if a person says so, or if the stem leaves or enters the mix at the same place in two
//! passes. A solo never is: most of the stems that sound are missing then.

use super::audition::StemPresence;
use super::member::StemId;
use super::{HopRecord, Recorder};
use crate::timeline::HopIndex;

/// Consecutive hops after which a missing stem is asked about, and after which a muted one that returns counts as back.
const MUTE_HOPS: u32 = 20;
/// Difference between two places that count as the same, hops: a mute begins anywhere in a hop.
const SAME_PLACE_HOPS: HopIndex = 1;
/// Mutes of a stem that are remembered.
const MAX_STRETCHES: usize = 64;

/// Stretch of the timeline over which a stem was missing in one pass.
#[derive(Clone, Copy, Debug)]
struct MutedStretch {
    first: HopIndex,
    last: HopIndex,
    /// True if the stem left the mix at `first`; false if it was missing from the beginning of the row.
    begins: bool,
    /// True if it came back after `last`.
    ends: bool,
    /// Stems that were missing and stems that were in the mix meanwhile, as masks.
    missing: u32,
    present: u32,
}

impl MutedStretch {
    fn is_solo(&self) -> bool {
        self.missing.count_ones() >= self.present.count_ones()
    }

    fn is_repeated_by(&self, other: &Self) -> bool {
        let same = |a: HopIndex, b: HopIndex| (a - b).abs() <= SAME_PLACE_HOPS;
        (self.begins && other.begins && same(self.first, other.first))
            || (self.ends && other.ends && same(self.last, other.last))
    }
}

/// Mutes of one stem.
#[derive(Clone, Debug, Default)]
pub(super) struct MuteTracker {
    /// Hops for which it has been missing, or back.
    hops: u32,
    back: u32,
    /// True if a person has said that the present mute is meant.
    is_confirmed: bool,
    /// Hop of this row in which it was last heard in the mix.
    heard_at: Option<HopIndex>,
    open: Option<MutedStretch>,
    /// Mutes of earlier passes, the oldest first.
    passes: Vec<MutedStretch>,
    /// Stretches that are part of the mix: first and last hop.
    meant: Vec<(HopIndex, HopIndex)>,
    /// Solos of others that have ended since the last look.
    solos: Vec<(HopIndex, HopIndex)>,
}

impl MuteTracker {
    /// Takes a hop of stem `index`; returns true if a stretch of its mute has turned out to be part of the mix.
    fn push_hop(&mut self, index: usize, presence: StemPresence, hop_index: Option<HopIndex>) -> bool {
        let bit = |mask: u32| mask >> index & 1 == 1;
        let heard = presence.sounding & !presence.missing;
        if bit(presence.missing) {
            (self.hops, self.back) = (self.hops + 1, 0);
            if let Some(place) = hop_index {
                let begins = self.heard_at.is_some_and(|heard| place - heard <= 1 + SAME_PLACE_HOPS);
                let stretch = self.open.get_or_insert(MutedStretch {
                    first: place,
                    last: place,
                    begins,
                    ends: false,
                    missing: 0,
                    present: 0,
                });
                stretch.last = place;
                stretch.missing |= presence.missing;
                stretch.present |= heard;
            }
        } else if bit(presence.sounding) {
            (self.hops, self.back) = (0, self.back + 1);
            self.is_confirmed &= self.back < MUTE_HOPS;
            self.heard_at = hop_index;
            let ends = self
                .open
                .zip(hop_index)
                .is_some_and(|(open, place)| place - open.last <= 1 + SAME_PLACE_HOPS);
            return self.close(ends);
        }
        false
    }

    /// Ends the open stretch; returns true if it repeats an earlier one, or was a solo.
    fn close(&mut self, ends: bool) -> bool {
        let Some(stretch) = self.open.take().map(|open| MutedStretch { ends, ..open }) else { return false };
        if stretch.is_solo() {
            if stretch.missing.count_ones() > stretch.present.count_ones() {
                self.solos.push((stretch.first, stretch.last));
            }
            return !self.solos.is_empty();
        }
        let repeated = self.passes.iter().find(|earlier| earlier.is_repeated_by(&stretch)).copied();
        let overlaps = |other: &MutedStretch| other.first <= stretch.last && stretch.first <= other.last;
        self.passes.retain(|other| !overlaps(other));
        self.passes.push(stretch);
        if self.passes.len() > MAX_STRETCHES {
            self.passes.remove(0);
        }
        let Some(earlier) = repeated else { return false };
        self.meant.push((stretch.first.max(earlier.first), stretch.last.min(earlier.last)));
        if self.meant.len() > MAX_STRETCHES {
            self.meant.remove(0);
        }
        true
    }

    /// True if the stem is muted in a hop of this row, whether it sounds or not.
    pub(super) fn is_muted(&self) -> bool {
        self.open.is_some()
    }

    fn is_meant(&self, hop_index: HopIndex) -> bool {
        self.is_confirmed || self.meant.iter().any(|(first, last)| (*first..=*last).contains(&hop_index))
    }
}

impl Recorder {
    /// Confirms that a stem's mute is intended: the hops without it are recorded, those of before and those to come
    /// until it is back.
    pub fn confirm_mute(&mut self, id: StemId) {
        if let Some(index) = self.members.iter().position(|member| member.id == id) {
            self.mutes[index].is_confirmed = true;
            self.record_meant_mutes();
            self.refit();
        }
    }

    /// Stems that sound but are missing from the mix for 2 s or more, when nobody has confirmed it and it was not
    /// repeated. Nobody is asked about a solo.
    pub fn unconfirmed_mutes(&self) -> Vec<StemId> {
        let waiting = |id: StemId| self.muted.records().filter(|record| record.missing.contains(&id)).count();
        let mutes = self.members.iter().zip(&self.mutes);
        let is_open = |id: StemId, mute: &MuteTracker| {
            let is_solo = |open: &MutedStretch| open.missing.count_ones() > open.present.count_ones();
            if mute.open.as_ref().is_some_and(is_solo) {
                return false;
            }
            let now = mute.hops >= MUTE_HOPS && mute.open.is_some();
            !mute.is_confirmed && (now || waiting(id) >= MUTE_HOPS as usize)
        };
        mutes.filter(|(member, mute)| is_open(member.id, mute)).map(|(member, _)| member.id).collect()
    }

    /// Counts mutes; returns the stems whose absence makes an audition, as a mask.
    pub(super) fn update_mutes(&mut self, presence: StemPresence, hop_index: Option<HopIndex>) -> u32 {
        let mut is_repeated = false;
        let mut audition = 0;
        for (index, mute) in self.mutes.iter_mut().enumerate() {
            is_repeated |= mute.push_hop(index, presence, hop_index);
            audition |= (presence.missing >> index & 1 & u32::from(!mute.is_confirmed)) << index;
        }
        if is_repeated {
            self.record_meant_mutes();
        }
        audition
    }

    /// Ends the stretches of a row.
    pub(super) fn end_mutes(&mut self) {
        let mut is_repeated = false;
        for mute in &mut self.mutes {
            is_repeated |= mute.close(false);
            mute.heard_at = None;
        }
        if is_repeated {
            self.record_meant_mutes();
        }
    }

    /// Records the hops that waited and whose mutes are all meant; drops those of solos, about which nobody is asked.
    fn record_meant_mutes(&mut self) {
        for (member, mute) in self.members.iter().zip(&mut self.mutes) {
            for (first, last) in std::mem::take(&mut mute.solos) {
                for hop_index in first..=last {
                    let is_part = |record: &HopRecord| record.missing.contains(&member.id);
                    if self.muted.get(hop_index).is_some_and(is_part) {
                        self.muted.remove(hop_index);
                    }
                }
            }
        }
        let is_meant = |hop_index: HopIndex, id: &StemId| {
            let index = self.members.iter().position(|member| member.id == *id);
            index.is_some_and(|index| self.mutes[index].is_meant(hop_index))
        };
        let meant: Vec<HopIndex> = (self.muted.iter())
            .filter(|(hop_index, record)| record.missing.iter().all(|id| is_meant(*hop_index, id)))
            .map(|(hop_index, _)| hop_index)
            .collect();
        for hop_index in meant {
            if let Some(record) = self.muted.remove(hop_index) {
                self.insert(hop_index, record);
            }
        }
    }
}
