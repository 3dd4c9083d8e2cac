//! Reader of one Stem's ring, in step with the mix.

use super::audio_ring::{AudioRing, SettingsMark, TapPoint};
use super::identity::InstanceId;
use super::roster::PeerView;
use super::slot::Origin;
use units::Hz;

/// Frames that are read at once.
pub(super) const CHUNK_FRAMES: usize = 512;
/// Time for which the mix waits for a Stem, seconds of audio.
const LOCAL_WAIT_SECONDS: f64 = 0.5;
/// The same for a Stem of another process: an eighth of a second in a render at twenty times the song's speed.
const BRIDGED_WAIT_SECONDS: f64 = 2.5;

/// Returns the time for which the mix waits for a Stem, frames.
pub(super) fn max_wait_frames(origin: Origin, rate: Hz) -> u64 {
    let seconds = if origin == Origin::Local { LOCAL_WAIT_SECONDS } else { BRIDGED_WAIT_SECONDS };
    (seconds * rate.0) as u64
}

/// Reader of a Stem's audio by the positions of the mix.
#[derive(Clone, Debug)]
pub(super) struct StemReader {
    pub(super) peer: PeerView,
    pub(super) id: InstanceId,
    /// Delay at which the Stem arrives in the mix, frames.
    delay: i64,
    /// Time for which the mix waits for it, frames.
    pub(super) max_wait: u64,
    /// Counter after the last frame read; `None` before the first.
    next: Option<u64>,
    /// End of the ring's audio on the timeline when it was last seen: what is live says nothing of a position.
    ring_end: u64,
    /// Counter of the mix when the ring's end had last moved.
    moved_at: u64,
    source: ChunkSource,
    /// The settings of the last frame read.
    pub(super) mark: Option<SettingsMark>,
}

/// Source of a Stem's last chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChunkSource {
    /// Its ring.
    Ring,
    /// Silence: its host does not call it.
    Silence,
    /// None: it plays, but not at the mix's position.
    Missing,
}

/// Result of a search for the mix's position in a Stem's ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameSearch {
    /// Audio from this counter on.
    Audio { counter: u64, frames: u64 },
    /// Silence before the timeline's start, when nothing was played before: the mix still waits for the delayed beginning.
    BeforeStart { frames: u64 },
    /// None, for at least these frames; `is_ahead` if audio follows soon after.
    Nothing { frames: u64, is_ahead: bool },
}

/// One chunk of a Stem's audio, left and right.
#[derive(Clone, Debug)]
pub(super) struct ChunkAudio {
    pub(super) output: [[f64; CHUNK_FRAMES]; 2],
    pub(super) input: [[f64; CHUNK_FRAMES]; 2],
}

/// Parts of a [`ChunkAudio`] that are valid after a read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ChunkRead {
    pub(super) has_output: bool,
    /// False also if the input equals the output.
    pub(super) has_input: bool,
    /// True if the chunk continues the last one.
    pub(super) continues: bool,
    /// Settings of its first and last frame, if it was read from the ring; each `None` if its mark is forgotten.
    pub(super) marks: Option<[Option<SettingsMark>; 2]>,
}

impl StemReader {
    pub(super) fn new(peer: PeerView, id: InstanceId, delay: i64, rate: Hz) -> Self {
        let ring_end =
            peer.audio().and_then(AudioRing::timeline).map_or(0, |timeline| timeline.positioned_end());
        Self {
            peer,
            id,
            delay,
            max_wait: max_wait_frames(peer.origin(), rate),
            next: None,
            ring_end,
            moved_at: 0,
            source: ChunkSource::Silence,
            mark: None,
        }
    }

    pub(super) fn delay(&self) -> i64 {
        self.delay
    }

    /// Changes the delay; the next chunk does not continue the last one.
    pub(super) fn set_delay(&mut self, delay: i64) {
        if self.delay != delay {
            self.delay = delay;
            self.next = None;
            self.source = ChunkSource::Missing;
        }
    }

    /// Records that the mix has no position now.
    pub(super) fn mark_missing(&mut self) {
        self.source = ChunkSource::Missing;
    }

    /// Searches for the mix's frames `position..position + frames`, when `written` frames of the mix have come.
    pub(super) fn search(&mut self, position: i64, frames: u64, written: u64) -> FrameSearch {
        let nothing = FrameSearch::Nothing { frames, is_ahead: false };
        let Some(timeline) = self.peer.audio().and_then(AudioRing::timeline) else { return nothing };
        if timeline.positioned_end() != self.ring_end {
            self.ring_end = timeline.positioned_end();
            self.moved_at = written;
        }
        let Some(wanted) = position.checked_sub(self.delay) else { return nothing };
        let span = match self.next {
            Some(next) => timeline.find(wanted, next),
            None => timeline.find_last(wanted),
        };
        if let Some(span) = span {
            return FrameSearch::Audio { counter: span.counter, frames: frames.min(span.frames) };
        }
        // After a jump back the mix may still hold the end of what was played before.
        if position >= 0 && wanted < 0 && self.next.is_none() {
            return FrameSearch::BeforeStart { frames: frames.min(wanted.unsigned_abs()) };
        }
        let after = self.next.unwrap_or(0);
        let segments = timeline.segments().iter();
        let unread = segments.filter(|segment| segment.counter >= after && segment.frames > 0);
        let distance = |position: i64| u64::try_from(position.checked_sub(wanted)?).ok();
        let soon = 1..2 * self.max_wait;
        let nearest =
            unread.filter_map(|segment| distance(segment.position?)).filter(|d| soon.contains(d)).min();
        FrameSearch::Nothing { frames: nearest.unwrap_or(frames).min(frames), is_ahead: nearest.is_some() }
    }

    /// Copies `frames` frames to `audio` as the search has found them; `cursor` is the counter of the mix.
    pub(super) fn read_chunk(
        &mut self,
        found: FrameSearch,
        frames: usize,
        cursor: u64,
        audio: &mut ChunkAudio,
    ) -> ChunkRead {
        let before = self.source;
        if let FrameSearch::Audio { counter, .. } = found
            && let Some(ring) = self.peer.audio()
        {
            let [left, right] = &mut audio.output;
            let [left_in, right_in] = &mut audio.input;
            let output = [&mut left[..frames], &mut right[..frames]];
            let input = [&mut left_in[..frames], &mut right_in[..frames]];
            let is_complete = ring.copy_frames(TapPoint::Output, counter, output)
                && ring.copy_frames(TapPoint::Input, counter, input)
                && self.peer.is_present();
            let continues = match before {
                ChunkSource::Ring => self.next == Some(counter),
                ChunkSource::Silence => true,
                ChunkSource::Missing => false,
            };
            if is_complete {
                self.next = Some(counter + frames as u64);
                self.mark = ring.settings_at(counter + frames as u64 - 1);
                let marks = Some([ring.settings_at(counter), self.mark]);
                self.source = ChunkSource::Ring;
                let is_neutral =
                    (0..2).all(|side| audio.input[side][..frames] == audio.output[side][..frames]);
                return ChunkRead { has_output: true, has_input: !is_neutral, continues, marks };
            }
        }
        let is_silent = match found {
            FrameSearch::Audio { .. } => false,
            FrameSearch::BeforeStart { .. } => true,
            FrameSearch::Nothing { is_ahead, .. } => {
                self.moved_at <= cursor || (before == ChunkSource::Silence && is_ahead)
            }
        };
        if is_silent {
            self.source = ChunkSource::Silence;
            audio.output.iter_mut().for_each(|side| side[..frames].fill(0.0));
            let continues = before != ChunkSource::Missing;
            return ChunkRead { has_output: true, has_input: false, continues, marks: None };
        }
        self.source = ChunkSource::Missing;
        ChunkRead::default()
    }
}
