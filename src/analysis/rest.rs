//! Changes of Stems while the transport stands: their present settings, and the reason of a changed level.
//!
//! A host may be reading automation, which it does when the position jumps; else a person has changed the level. The
//! position is the Master's. Where no audio is processed it is not known, and a change cannot be explained.

use super::MasterAnalysis;
use link::audio_ring::AudioRing;
use link::identity::InstanceId;
use link::records::BlockStatus;
use link::{PeerView, ROSTER};
use meter::loudness::hop_frames;
use plugin_core::Output;
use session::record::{StemId, StemSetting};
use session::timeline::hop_at;
use std::time::{Duration, Instant};
use units::{Db, Hz};

/// Time for which the position has to stand before and after a change of a level that counts as a person's.
const STANDING_TIME: Duration = Duration::from_millis(300);
/// Time before a stop in which a moving level counts as automation, seconds.
const RIDE_SECONDS: f64 = 0.1;
/// Difference below which levels count as equal.
const EQUAL_LEVELS: Db = Db(0.0005);

/// Level of a Stem while the transport stands.
#[derive(Debug)]
struct RestingLevel {
    stem: InstanceId,
    level: Db,
    /// A change that is not decided yet: when it was seen, and whether the position has jumped.
    change: Option<(Instant, bool)>,
}

/// Position and levels while the transport stands.
#[derive(Debug, Default)]
pub(super) struct RestWatch {
    /// Position, and since when it has been the same; `None` while the transport runs.
    place: Option<(Option<i64>, Instant)>,
    /// Position at which the transport has stopped.
    stopped_at: Option<i64>,
    /// Count of the Master's blocks, and when it last changed.
    blocks: Option<(u64, Instant)>,
    levels: Vec<RestingLevel>,
    /// Level and trim of the Stems at the last round.
    told: Vec<(InstanceId, Db, Db)>,
}

impl RestWatch {
    /// True while it is not known whether a changed level counts for the whole song.
    pub(super) fn is_undecided(&self) -> bool {
        self.levels.iter().any(|level| level.change.is_some())
    }

    /// Takes the Master's status while the transport stands; `stop` returns where it has stopped.
    fn stand(&mut self, status: BlockStatus, now: Instant, stop: impl FnOnce() -> Option<i64>) {
        if self.place.is_none() {
            self.stopped_at = stop();
        }
        if self.blocks.is_none_or(|(blocks, _)| blocks != status.blocks) {
            self.blocks = Some((status.blocks, now));
        }
        if self.place.is_none_or(|(place, _)| place != status.position) {
            let had_place = self.place.is_some();
            self.place = Some((status.position, now));
            if had_place {
                self.levels
                    .iter_mut()
                    .filter_map(|level| level.change.as_mut())
                    .for_each(|(_, jumped)| *jumped = true);
            }
        }
    }

    /// Forgets what was so while the transport stood.
    fn play(&mut self) {
        self.place = None;
        self.levels.clear();
    }

    /// True if level and trim of a Stem have changed together and their sum has not: one became part of the other.
    fn folds(&self, stem: InstanceId, level: Db, trim: Db) -> bool {
        self.told.iter().find(|(id, ..)| *id == stem).is_some_and(|(_, last_level, last_trim)| {
            let change = level - *last_level;
            change.0.abs() >= EQUAL_LEVELS.0 && (change + (trim - *last_trim)).0.abs() < EQUAL_LEVELS.0
        })
    }

    fn tell(&mut self, stem: InstanceId, level: Db, trim: Db) {
        self.told.retain(|(id, ..)| *id != stem);
        self.told.push((stem, level, trim));
    }

    /// Takes a Stem's present level; `heard` returns that at the stop. Returns true if it has changed and the position
    /// has jumped, or may have; false if it has changed in place.
    fn decide(
        &mut self,
        stem: InstanceId,
        level: Db,
        now: Instant,
        heard: impl FnOnce() -> Db,
    ) -> Option<bool> {
        let placed = self.place.map_or(now, |(_, since)| since);
        let processed = self.blocks.map_or(now, |(_, since)| since);
        let is_at_stop = self.place.is_some_and(|(place, _)| place.is_some() && place == self.stopped_at);
        let index = self.levels.iter().position(|known| known.stem == stem).unwrap_or_else(|| {
            self.levels.push(RestingLevel { stem, level: heard(), change: None });
            self.levels.len() - 1
        });
        let known = &mut self.levels[index];
        if (known.level - level).0.abs() < EQUAL_LEVELS.0 {
            known.change = None;
            return None;
        }
        let (since, jumped) = *known.change.get_or_insert((now, false));
        if now - since < STANDING_TIME {
            return None;
        }
        known.level = level;
        known.change = None;
        // the place is that of the stop, or has stood for a while before the change
        let is_settled = placed + STANDING_TIME <= since || is_at_stop;
        Some(jumped || !is_settled || now - processed > STANDING_TIME)
    }
}

/// Position after the last frame of the mix that has one.
fn stop_position(master: PeerView) -> Option<i64> {
    let timeline = master.audio().and_then(AudioRing::timeline)?;
    let played =
        timeline.segments().iter().rfind(|segment| segment.position.is_some() && segment.frames > 0)?;
    Some(played.position? + played.frames as i64)
}

/// Level of a Stem when the transport stopped; `present`, if it was moving then. `None` if its audio does not say.
fn level_at_stop(stem: PeerView, rate: Hz, present: Db) -> Option<Db> {
    let ring = stem.audio()?;
    let timeline = ring.timeline()?;
    let played =
        timeline.segments().iter().rfind(|segment| segment.position.is_some() && segment.frames > 0)?;
    let mark = ring.settings_at(played.end() - 1)?;
    let before = ring.settings_at((played.end() - 1).saturating_sub((RIDE_SECONDS * rate.0) as u64));
    let was_moving = before.is_some_and(|before| (before.level - mark.level).0.abs() >= EQUAL_LEVELS.0);
    Some(if was_moving { present } else { mark.level })
}

impl<O: Output> MasterAnalysis<O> {
    /// Takes the present settings of all stems: trims count at once; levels are what was heard, unless they were changed
    /// while the transport stands.
    pub(super) fn watch_settings(&mut self) {
        let now = Instant::now();
        let stands = !self.is_playing();
        match self.view.block_status().filter(|_| stands) {
            Some(status) => self.rest.stand(status, now, || stop_position(self.view)),
            None => self.rest.play(),
        }
        // levels of hops that wait are not known yet
        let decides = stands && !self.stem_routing.is_listening() && !self.intake.is_waiting();
        for (id, _) in self.stems.clone() {
            let stem = StemId(id.get());
            let Some(view) = ROSTER.find(id) else { continue };
            let Some(present) = view.stem_readings().and_then(|readings| readings.present) else { continue };
            let setting = StemSetting { revision: present.revision, level: None, trim: present.trim };
            self.has_news |= self.recorder.set_present(stem, setting);
            if !stands && self.rest.folds(id, present.level, present.trim) {
                self.recorder.doubt_level(stem);
                self.has_news = true;
            }
            self.rest.tell(id, present.level, present.trim);
            let Some(heard) = self.recorder.last_level(stem).filter(|_| decides) else { continue };
            let at_stop = || level_at_stop(view, self.rate, present.level).unwrap_or(heard);
            if let Some(has_jumped) = self.rest.decide(id, present.level, now, at_stop) {
                let position = self.rest.place.and_then(|(position, _)| position);
                let place = position.map(|position| hop_at(position, hop_frames(self.rate)).0);
                self.recorder.change_level_at_rest(stem, present.level, place, has_jumped);
                self.has_news = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decision on a level that changes to -3 dB after so many milliseconds of standing; `position` at a time.
    fn decision(changed_after: u64, position: impl Fn(u64) -> i64, processes: bool) -> Option<bool> {
        let (start, stem) = (Instant::now(), InstanceId::mint());
        let mut rest = RestWatch::default();
        (0..=changed_after + 400).step_by(20).find_map(|time| {
            let now = start + Duration::from_millis(time);
            let status = BlockStatus {
                blocks: if processes { time } else { 0 },
                position: Some(position(time)),
                ..BlockStatus::default()
            };
            rest.stand(status, now, || Some(48_000));
            let level = Db(if time >= changed_after { -3.0 } else { 0.0 });
            rest.decide(stem, level, now, || Db(0.0))
        })
    }

    #[test]
    fn a_level_is_a_persons_if_the_position_stands_before_and_after_its_change() {
        assert_eq!(decision(0, |_| 48_000, true), Some(false), "at the stop, at once");
        assert_eq!(decision(600, |_| 0, true), Some(false), "the host had gone back to the beginning");
        assert_eq!(decision(100, |_| 0, true), Some(true), "it reads automation there");
        assert_eq!(decision(600, |time| if time < 500 { 48_000 } else { 0 }, true), Some(true), "before it");
        assert_eq!(decision(600, |time| if time < 700 { 48_000 } else { 0 }, true), Some(true), "after it");
        assert_eq!(decision(600, |_| 48_000, false), Some(true), "nobody knows the position");
    }
}
