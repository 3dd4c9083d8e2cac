//! Player of a reference song in place of the output, the last stage before the host.

#[cfg(test)]
mod tests;

use super::broadcast::TransportPosition;
use super::monitor::fade;
use dsp::Smoother;
use plugin_core::reference_clip::{ClipInbox, PlayMode, PlayRequest};
use units::{Db, Hz};

/// Position differences up to this many frames are rounding by the host, not a jump.
const MAX_ROUNDING_FRAMES: i64 = 2;

/// Reference player of the audio thread. Neither allocates nor waits.
#[derive(Debug)]
pub(super) struct ReferencePlayer {
    rate: Hz,
    inbox: ClipInbox,
    /// The request in use.
    request: Option<PlayRequest>,
    /// The selected song and its gain.
    wanted: Option<(u16, Db)>,
    /// Crossfade from the output, 0, to the song, 1.
    mix: Smoother,
    gain: Smoother,
    /// Next frame of the clip.
    at: usize,
    /// Position before the last jump, which fades out.
    jumped_from: usize,
    /// Crossfade from the position before the last jump, 0, to the current one, 1.
    jump_fade: Smoother,
    /// Length of a fade, frames.
    fade: usize,
}

impl ReferencePlayer {
    /// Creates a player for audio at `rate` with clips from `inbox`.
    pub(super) fn new(rate: Hz, inbox: ClipInbox) -> Self {
        let mix = fade(0.0, rate);
        Self {
            rate,
            inbox,
            request: None,
            wanted: None,
            fade: mix.ticks() as usize,
            mix,
            gain: fade(1.0, rate),
            at: 0,
            jumped_from: 0,
            jump_fade: fade(1.0, rate),
        }
    }

    /// Returns the inbox for the next player. Frees held clips: not for the audio thread.
    pub(super) fn into_inbox(mut self) -> ClipInbox {
        self.inbox.clear();
        self.inbox
    }

    /// Selects a song and its gain; it plays as soon as its clip is there. `None` returns to the output.
    pub(super) fn select_reference(&mut self, song: Option<(u16, Db)>) {
        self.wanted = song;
    }

    /// Returns to the output at once.
    pub(super) fn reset(&mut self) {
        self.wanted = None;
        self.mix.set_now(0.0);
        self.jump_fade.set_now(1.0);
    }

    /// Mixes the song into both channels, equally long, `start` frames into the host's block.
    pub(super) fn process(
        &mut self,
        left: &mut [f64],
        right: &mut [f64],
        transport: TransportPosition,
        start: usize,
    ) {
        if self.mix.is_settled_at(0.0) {
            self.take_newest_request();
        }
        let gain = self.reference_gain(transport);
        self.mix.set_target(if gain.is_some() { 1.0 } else { 0.0 });
        if self.mix.is_settled_at(0.0) {
            return;
        }
        let Some(request) = &self.request else { return };
        if let Some(gain) = gain {
            self.gain.set_target(gain.gain());
        }
        if let PlayMode::FollowTransport(origin) = request.mode
            && let Some(position) = transport.position
        {
            let frames = request.clip.frames.len() as i64;
            let start = position.saturating_add(start as i64).saturating_sub(origin);
            let place = start.saturating_sub(request.clip.start as i64).rem_euclid(frames.max(1));
            if place.abs_diff(self.at as i64) > MAX_ROUNDING_FRAMES.unsigned_abs() {
                (self.jumped_from, self.at) = (self.at, place as usize);
                self.jump_fade.set_now(0.0);
                self.jump_fade.set_target(1.0);
            }
        }
        for (left, right) in left.iter_mut().zip(right) {
            let (mix, gain, jump_fade) = (self.mix.tick(), self.gain.tick(), self.jump_fade.tick());
            let mut song = frame_at(request, self.at, self.fade);
            if jump_fade < 1.0 {
                let old = frame_at(request, self.jumped_from, self.fade);
                song = core::array::from_fn(|side| old[side] + jump_fade * (song[side] - old[side]));
                self.jumped_from = next_frame(request, self.jumped_from);
            }
            self.at = next_frame(request, self.at);
            *left += mix * (gain * song[0] - *left);
            *right += mix * (gain * song[1] - *right);
        }
    }

    /// Takes the newest request. The same song continues at its position.
    fn take_newest_request(&mut self) {
        let before = self.request.as_ref().map(|request| request.song);
        self.inbox.take_newest(&mut self.request);
        self.jump_fade.set_now(1.0);
        if let Some(request) = &self.request {
            let frames = request.clip.frames.len();
            let within = match request.mode {
                PlayMode::Loop(from, to) => from.min(frames)..to.min(frames),
                PlayMode::FollowTransport(_) => 0..frames,
            };
            if before != Some(request.song) || !within.contains(&self.at) {
                self.at = within.start;
            }
            if let Some((_, gain)) = self.wanted {
                self.gain.set_now(gain.gain());
            }
        }
    }

    /// Gain of the selected song; `None` while it cannot play.
    fn reference_gain(&self, transport: TransportPosition) -> Option<Db> {
        let (request, (song, gain)) = self.request.as_ref().zip(self.wanted)?;
        let plays = match request.mode {
            PlayMode::Loop(from, to) => from < to && to <= request.clip.frames.len(),
            // a song that follows the transport stops with it
            PlayMode::FollowTransport(_) => transport.playing && !request.clip.frames.is_empty(),
        };
        // a newer request is taken once the output is back
        let is_newest = !self.inbox.has_pending_request();
        (request.song == song && request.clip.rate == self.rate && plays && is_newest).then_some(gain)
    }
}

/// Returns the frame at `at`. Before the end of the range it crossfades into the audio before its start, so that the
/// loop has no seam.
fn frame_at(request: &PlayRequest, at: usize, fade: usize) -> [f64; 2] {
    let frames = &request.clip.frames;
    let frame = |at: usize| frames.get(at).map_or([0.0; 2], |frame| frame.map(f64::from));
    let (from, to) = play_range(request);
    let fade = fade.min(to.saturating_sub(from) / 2);
    let song = frame(at);
    if at + fade < to || at >= to {
        return song;
    }
    let mix = (at + fade - to + 1) as f64 / (fade + 1) as f64;
    let before = (at + from).checked_sub(to).map_or([0.0; 2], frame);
    core::array::from_fn(|side| song[side] + mix * (before[side] - song[side]))
}

/// Returns the position after `at`.
fn next_frame(request: &PlayRequest, at: usize) -> usize {
    let (from, to) = play_range(request);
    if at + 1 >= to { from } else { at + 1 }
}

fn play_range(request: &PlayRequest) -> (usize, usize) {
    match request.mode {
        PlayMode::Loop(from, to) => (from, to),
        PlayMode::FollowTransport(_) => (0, request.clip.frames.len()),
    }
}
