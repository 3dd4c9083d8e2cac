//! Levels of the Stems over the timeline. A trim counts for the whole song; a level, which a host may automate, for the
//! hops in which it was heard.
//!
//! Hosts set levels for two reasons that look alike: a person has moved the parameter, which changes the whole song, or
//! automation is read. A change while the transport stands is a person's if the level stood still over all that was
//! heard and the position did not jump; it then counts like a trim. A level that contradicts what was heard at the same
//! place, or that cannot be explained, makes the earlier records of the stem doubtful until they are played again.

use super::member::{StemId, StemSetting};
use super::{HopRecord, Recorder};
use crate::timeline::HopIndex;
use units::Db;

/// Difference below which levels count as equal.
const EQUAL_LEVELS: Db = Db(0.0005);

/// Level of one Stem.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LevelTracker {
    /// Sum of the level's changes that count for the whole song.
    acknowledged: Db,
    /// Level last heard or seen.
    last: Option<Db>,
    doubt: Option<LevelDoubt>,
}

/// Doubt about the records of a stem.
#[derive(Clone, Copy, Debug)]
struct LevelDoubt {
    /// Records with lower stamps are doubtful.
    before: u64,
    /// True if a doubtful record that is heard again at its level ends the doubt: then the host reads automation.
    can_end: bool,
}

fn are_equal(a: Db, b: Db) -> bool {
    a == b || (a - b).0.abs() < EQUAL_LEVELS.0
}

impl LevelTracker {
    /// Returns `setting` with the acknowledged changes as a part of the trim instead of the level.
    pub(super) fn normalize(&self, setting: StemSetting) -> StemSetting {
        StemSetting {
            level: setting.level.map(|level| level - self.acknowledged),
            trim: setting.trim + self.acknowledged,
            ..setting
        }
    }

    pub(super) fn set_last(&mut self, level: Option<Db>) {
        self.last = level.or(self.last);
    }

    pub(super) fn forget_records(&mut self) {
        self.doubt = None;
    }

    fn doubts(&self, record: &HopRecord) -> bool {
        self.doubt.is_some_and(|doubt| record.stamp < doubt.before)
    }

    /// Compares a record with what is heard at its place now, with stamp `stamp`.
    fn compare(&mut self, old: &HopRecord, is_same: bool, stamp: u64) {
        if !self.doubts(old) {
            if !is_same {
                self.doubt = Some(LevelDoubt { before: stamp, can_end: false });
            }
        } else if is_same && self.doubt.is_some_and(|doubt| doubt.can_end) {
            self.doubt = None;
        }
    }
}

impl Recorder {
    /// Level of a Stem, last heard or given to [`Self::change_level_at_rest`].
    pub fn last_level(&self, id: StemId) -> Option<Db> {
        self.levels.get(&id).and_then(|tracker| tracker.last)
    }

    /// Takes a level that has changed while the transport stands at `place`. `has_jumped`: the position has changed
    /// since the level before, or may have.
    pub fn change_level_at_rest(&mut self, id: StemId, level: Db, place: Option<HopIndex>, has_jumped: bool) {
        let still = self.still_level(id);
        let stamp = self.store.next_stamp();
        let tracker = self.levels.entry(id).or_default();
        tracker.last = Some(level);
        let base = level - tracker.acknowledged;
        let near = place.into_iter().flat_map(|place| place - 1..=place + 1);
        let recorded = |hop: HopIndex| {
            let record = self.store.get(hop)?;
            record.settings[record.index(id)?].level
        };
        if near.filter_map(recorded).any(|level| are_equal(level, base)) {
            if tracker.doubt.is_some_and(|doubt| doubt.can_end) {
                tracker.doubt = None;
            }
        } else if let (false, None, Some(still)) = (has_jumped, tracker.doubt, still) {
            let change = base - still;
            tracker.acknowledged = tracker.acknowledged + change;
            let members = self.members.iter_mut().chain(&mut self.heard);
            for member in members.filter(|member| member.id == id) {
                member.setting.trim = member.setting.trim + change;
            }
        } else {
            tracker.doubt = Some(LevelDoubt { before: stamp, can_end: true });
        }
    }

    /// Makes the records of a Stem doubtful until they are played again: its level and trim have changed together.
    pub fn doubt_level(&mut self, id: StemId) {
        let before = self.store.next_stamp();
        self.levels.entry(id).or_default().doubt = Some(LevelDoubt { before, can_end: false });
    }

    /// The level of a stem over all records; `None` if it moved, or nothing was recorded.
    fn still_level(&self, id: StemId) -> Option<Db> {
        let mut levels = self.store.records().filter_map(|record| {
            let index = record.index(id)?;
            let level = record.settings[index].level;
            // before a stem has played, its level is not known
            (level.is_some() || !record.is_silent(index)).then_some(level)
        });
        let first = levels.next()??;
        levels.all(|level| level.is_some_and(|level| are_equal(level, first))).then_some(first)
    }

    /// Compares the levels of a record with those that were heard at its place before.
    pub(super) fn check_levels(&mut self, hop_index: HopIndex, record: &HopRecord) {
        let Some(old) = self.store.get(hop_index) else { return };
        let stamp = self.store.next_stamp();
        for (id, setting) in record.ids.iter().zip(&record.settings) {
            let before = old.index(*id).and_then(|index| old.settings[index].level);
            if let (Some(before), Some(now)) = (before, setting.level) {
                self.levels.entry(*id).or_default().compare(old, are_equal(before, now), stamp);
            }
        }
    }

    /// True if the level of a sounding stem of the record is doubtful.
    pub(super) fn is_doubtful(&self, record: &HopRecord) -> bool {
        self.members.iter().any(|member| {
            let doubts = self.levels.get(&member.id).is_some_and(|tracker| tracker.doubts(record));
            doubts && record.index(member.id).is_some_and(|index| !record.is_silent(index))
        })
    }
}
