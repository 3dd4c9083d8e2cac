//! Plays another song in the output's place, for as long as a person compares; the last thing before the host.

#[cfg(test)]
mod tests;

use super::broadcast::Moment;
use super::monitor::fade;
use dsp::Smoother;
use plugin_core::reel::{Inbox, PlayMode, PlayRequest};
use units::{Db, Hz};

/// Hosts round their position: so many frames off are no jump.
const ROUNDING: i64 = 2;

/// The audio thread's player. Neither allocates nor waits.
#[derive(Debug)]
pub(super) struct ReferencePlayer {
    rate: Hz,
    inbox: Inbox,
    /// The song that it has.
    cue: Option<PlayRequest>,
    /// The song that is to be heard, and its gain.
    wanted: Option<(u16, Db)>,
    /// How much of what is heard is the song, 0 to 1; the rest is the output.
    share: Smoother,
    gain: Smoother,
    /// The next frame of the reel.
    at: usize,
    /// Where it was before it jumped; it fades out from there.
    left_behind: usize,
    /// 1 while the place is as it was, and on the way to 1 after a jump.
    arrived: Smoother,
    /// How long a fade is, frames.
    fade: usize,
}

impl ReferencePlayer {
    /// A deck for audio at `rate`; songs come from `inbox`.
    pub(super) fn new(rate: Hz, inbox: Inbox) -> Self {
        let share = fade(0.0, rate);
        Self {
            rate,
            inbox,
            cue: None,
            wanted: None,
            fade: share.ticks() as usize,
            share,
            gain: fade(1.0, rate),
            at: 0,
            left_behind: 0,
            arrived: fade(1.0, rate),
        }
    }

    /// What songs come from, for the next deck. What it has is freed: not for an audio thread.
    pub(super) fn into_inbox(mut self) -> Inbox {
        self.inbox.clear();
        self.inbox
    }

    /// That song with that gain is to be heard, if it is there; `None`: the output.
    pub(super) fn want(&mut self, song: Option<(u16, Db)>) {
        self.wanted = song;
    }

    /// The output, at once.
    pub(super) fn reset(&mut self) {
        self.wanted = None;
        self.share.set_now(0.0);
        self.arrived.set_now(1.0);
    }

    /// Puts the song in the place of both channels, equally long, `start` frames into the host's block.
    pub(super) fn process(&mut self, left: &mut [f64], right: &mut [f64], moment: Moment, start: usize) {
        if self.share.is_settled_at(0.0) {
            self.change();
        }
        let gain = self.gain_of_wanted(moment);
        self.share.set_target(if gain.is_some() { 1.0 } else { 0.0 });
        if self.share.is_settled_at(0.0) {
            return;
        }
        let Some(cue) = &self.cue else { return };
        if let Some(gain) = gain {
            self.gain.set_target(gain.gain());
        }
        if let PlayMode::Along(origin) = cue.way
            && let Some(position) = moment.position
        {
            let frames = cue.reel.frames.len() as i64;
            let start = position.saturating_add(start as i64).saturating_sub(origin);
            let place = start.saturating_sub(cue.reel.start as i64).rem_euclid(frames.max(1));
            if place.abs_diff(self.at as i64) > ROUNDING.unsigned_abs() {
                (self.left_behind, self.at) = (self.at, place as usize);
                self.arrived.set_now(0.0);
                self.arrived.set_target(1.0);
            }
        }
        for (left, right) in left.iter_mut().zip(right) {
            let (share, gain, arrived) = (self.share.tick(), self.gain.tick(), self.arrived.tick());
            let mut song = heard(cue, self.at, self.fade);
            if arrived < 1.0 {
                let old = heard(cue, self.left_behind, self.fade);
                song = core::array::from_fn(|side| old[side] + arrived * (song[side] - old[side]));
                self.left_behind = next(cue, self.left_behind);
            }
            self.at = next(cue, self.at);
            *left += share * (gain * song[0] - *left);
            *right += share * (gain * song[1] - *right);
        }
    }

    /// Takes the newest cue. A song that it had already goes on where it is.
    fn change(&mut self) {
        let before = self.cue.as_ref().map(|cue| cue.song);
        self.inbox.exchange(&mut self.cue);
        self.arrived.set_now(1.0);
        if let Some(cue) = &self.cue {
            let frames = cue.reel.frames.len();
            let within = match cue.way {
                PlayMode::Again(from, to) => from.min(frames)..to.min(frames),
                PlayMode::Along(_) => 0..frames,
            };
            if before != Some(cue.song) || !within.contains(&self.at) {
                self.at = within.start;
            }
            if let Some((_, gain)) = self.wanted {
                self.gain.set_now(gain.gain());
            }
        }
    }

    /// The gain of what is to be heard; `None`: the output is.
    fn gain_of_wanted(&self, moment: Moment) -> Option<Db> {
        let (cue, (song, gain)) = self.cue.as_ref().zip(self.wanted)?;
        let plays = match cue.way {
            PlayMode::Again(from, to) => from < to && to <= cue.reel.frames.len(),
            // where nothing plays, a song along with it does not either
            PlayMode::Along(_) => moment.playing && !cue.reel.frames.is_empty(),
        };
        // a newer cue waits for the output to be back
        let is_newest = !self.inbox.has_mail();
        (cue.song == song && cue.reel.rate == self.rate && plays && is_newest).then_some(gain)
    }
}

/// The frame at `at`; near the end of the range it fades over into what came before its beginning, so that the beginning
/// follows without a seam.
fn heard(cue: &PlayRequest, at: usize, fade: usize) -> [f64; 2] {
    let frames = &cue.reel.frames;
    let frame = |at: usize| frames.get(at).map_or([0.0; 2], |frame| frame.map(f64::from));
    let (from, to) = range(cue);
    let fade = fade.min(to.saturating_sub(from) / 2);
    let song = frame(at);
    if at + fade < to || at >= to {
        return song;
    }
    let share = (at + fade - to + 1) as f64 / (fade + 1) as f64;
    let before = (at + from).checked_sub(to).map_or([0.0; 2], frame);
    core::array::from_fn(|side| song[side] + share * (before[side] - song[side]))
}

/// The frame after `at`.
fn next(cue: &PlayRequest, at: usize) -> usize {
    let (from, to) = range(cue);
    if at + 1 >= to { from } else { at + 1 }
}

fn range(cue: &PlayRequest) -> (usize, usize) {
    match cue.way {
        PlayMode::Again(from, to) => (from, to),
        PlayMode::Along(_) => (0, cue.reel.frames.len()),
    }
}
