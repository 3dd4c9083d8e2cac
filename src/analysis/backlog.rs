//! Recent audio of the mix and of the Stems, copied from their rings before those overwrite it.
//!
//! Rings hold five seconds, which a fast render fills in a fraction of one. Until all stems are placed, the backlog
//! keeps what was played, so that hops can be made of it with the right delays.

use link::PeerView;
use link::audio_ring::{AudioRing, SettingsMark, TapPoint};
use link::identity::InstanceId;
use link::timeline::Segment;
use session::placement::PlacementScene;
use std::collections::VecDeque;
use units::Hz;

/// Frames that are copied and kept together.
pub(super) const CHUNK_FRAMES: usize = 512;
/// Memory of all tracks, bytes; the oldest audio is dropped beyond it.
const MAX_BYTES: usize = 384 << 20;
/// Amplitude from which on a Stem sounds (-100 dBFS).
pub(super) const SOUNDING_AMPLITUDE: f32 = 1e-5;

/// Left and right channel, as they are stored.
pub(super) type StereoF32 = [Vec<f32>; 2];

/// Frames that follow each other in a ring.
#[derive(Debug)]
struct BacklogChunk {
    /// Counter of the first frame.
    counter: u64,
    output: StereoF32,
    /// `None` if it equals the output.
    input: Option<StereoF32>,
    /// Settings of the first and of the last frame.
    marks: [Option<SettingsMark>; 2],
}

impl BacklogChunk {
    fn end(&self) -> u64 {
        self.counter + self.output[0].len() as u64
    }

    fn bytes(&self) -> usize {
        8 * self.output[0].len() * if self.input.is_some() { 2 } else { 1 } + size_of::<Self>()
    }
}

/// Audio of one instance.
#[derive(Debug)]
pub(super) struct BacklogTrack {
    pub(super) id: InstanceId,
    view: PeerView,
    is_mix: bool,
    /// Counter of the next frame to be copied.
    next: u64,
    chunks: VecDeque<BacklogChunk>,
    segments: Vec<Segment>,
    bytes: usize,
    /// True once the instance has sounded.
    pub(super) sounds: bool,
    /// Position up to which it has sounded, as far as nobody has asked.
    loud_until: Option<i64>,
}

/// One stretch of a track that follows itself on the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TrackRange {
    /// Timeline position of the first frame.
    pub(super) position: i64,
    /// Counter of the first frame.
    pub(super) counter: u64,
    /// Length.
    pub(super) frames: u64,
}

impl TrackRange {
    /// Position and counter after the last frame.
    fn end(&self) -> (i64, u64) {
        (self.position + self.frames as i64, self.counter + self.frames)
    }
}

impl BacklogTrack {
    fn new(view: PeerView, id: InstanceId, is_mix: bool) -> Self {
        Self {
            id,
            view,
            is_mix,
            next: 0,
            chunks: VecDeque::new(),
            segments: Vec::new(),
            bytes: 0,
            sounds: false,
            loud_until: None,
        }
    }

    /// Copies what the ring has gained.
    fn pump(&mut self) {
        let Some(timeline) = self.view.audio().and_then(AudioRing::timeline) else { return };
        for segment in timeline.segments().iter().filter(|segment| segment.frames > 0) {
            match self.segments.iter_mut().rfind(|known| known.counter == segment.counter) {
                Some(known) => *known = *segment,
                None => self.segments.push(*segment),
            }
        }
        let mut at = self.next.max(timeline.oldest());
        while at < timeline.end() {
            let is_next = |segment: &&Segment| segment.position.is_some() && at < segment.end();
            let Some(segment) = self.segments.iter().find(is_next) else { break };
            at = at.max(segment.counter);
            let end = (at + CHUNK_FRAMES as u64).min(segment.end()).min(timeline.end());
            if at >= end {
                break;
            }
            match self.copy_chunk(at, (end - at) as usize) {
                Some(chunk) => {
                    if chunk.output.iter().flatten().any(|x| x.abs() > SOUNDING_AMPLITUDE) {
                        self.sounds = true;
                        self.loud_until =
                            segment.position.map(|start| start + (end - segment.counter) as i64);
                    }
                    self.bytes += chunk.bytes();
                    self.chunks.push_back(chunk);
                    at = end;
                }
                // overwritten meanwhile
                None => {
                    let oldest =
                        self.view.audio().and_then(AudioRing::timeline).map_or(end, |now| now.oldest());
                    at = oldest.max(end);
                }
            }
        }
        self.next = at;
    }

    fn copy_chunk(&self, counter: u64, frames: usize) -> Option<BacklogChunk> {
        let ring = self.view.audio()?;
        let mut audio = [[0.0f64; CHUNK_FRAMES]; 4];
        let [left, right, left_in, right_in] = &mut audio;
        let tap = if self.is_mix { TapPoint::Input } else { TapPoint::Output };
        let mut is_complete = ring.copy_frames(tap, counter, [&mut left[..frames], &mut right[..frames]]);
        if !self.is_mix {
            let input = [&mut left_in[..frames], &mut right_in[..frames]];
            is_complete &= ring.copy_frames(TapPoint::Input, counter, input);
        }
        let narrow = |side: usize| audio[side][..frames].iter().map(|x| *x as f32).collect::<Vec<f32>>();
        let is_neutral = self.is_mix || (0..2).all(|side| audio[side][..frames] == audio[side + 2][..frames]);
        (is_complete && self.view.is_present()).then(|| BacklogChunk {
            counter,
            output: [narrow(0), narrow(1)],
            input: (!is_neutral).then(|| [narrow(2), narrow(3)]),
            marks: [ring.settings_at(counter), ring.settings_at(counter + frames as u64 - 1)],
        })
    }

    /// Returns the position up to which the instance has sounded since the last call.
    fn take_loud_until(&mut self) -> Option<i64> {
        self.loud_until.take()
    }

    /// Drops the oldest chunk.
    fn drop_oldest(&mut self) {
        if let Some(chunk) = self.chunks.pop_front() {
            self.bytes -= chunk.bytes();
        }
    }

    /// The kept parts of all stretches of the timeline, in order of time. A reset or another activation in the middle
    /// of a song begins a segment, not a stretch.
    pub(super) fn ranges(&self) -> Vec<TrackRange> {
        let mut ranges: Vec<TrackRange> = Vec::new();
        for chunk in &self.chunks {
            let (counter, frames) = (chunk.counter, chunk.end() - chunk.counter);
            let holds = |segment: &&Segment| {
                segment.position.is_some() && (segment.counter..segment.end()).contains(&counter)
            };
            let Some(segment) = self.segments.iter().rfind(holds) else { continue };
            let position = segment.position.unwrap_or(0) + (counter - segment.counter) as i64;
            match ranges.last_mut() {
                Some(last) if last.end() == (position, counter) => last.frames += frames,
                _ => ranges.push(TrackRange { position, counter, frames }),
            }
        }
        ranges
    }

    /// The first kept occurrence of `position` with a counter of at least `after`: counter, and frames from there on.
    pub(super) fn find(ranges: &[TrackRange], position: i64, after: u64) -> Option<(u64, u64)> {
        ranges.iter().find_map(|range| {
            let offset = u64::try_from(position.checked_sub(range.position)?).ok()?;
            (offset < range.frames && range.counter + offset >= after)
                .then(|| (range.counter + offset, range.frames - offset))
        })
    }

    /// Copies `output`'s length of frames from counter `from` on; frames that are not kept stay as they are.
    /// Returns true if a frame of the input differs from the output.
    pub(super) fn copy(&self, from: u64, output: [&mut [f32]; 2], input: Option<[&mut [f32]; 2]>) -> bool {
        let frames = output[0].len() as u64;
        let first = self.chunks.partition_point(|chunk| chunk.end() <= from);
        let (mut input, mut has_input) = (input, false);
        let [left, right] = output;
        for chunk in self.chunks.iter().skip(first).take_while(|chunk| chunk.counter < from + frames) {
            let (start, end) = (chunk.counter.max(from), chunk.end().min(from + frames));
            let source = (start - chunk.counter) as usize..(end - chunk.counter) as usize;
            let target = (start - from) as usize..(end - from) as usize;
            left[target.clone()].copy_from_slice(&chunk.output[0][source.clone()]);
            right[target.clone()].copy_from_slice(&chunk.output[1][source.clone()]);
            has_input |= chunk.input.is_some();
            if let Some(input) = &mut input {
                let kept = chunk.input.as_ref().unwrap_or(&chunk.output);
                for (input, kept) in input.iter_mut().zip(kept) {
                    input[target.clone()].copy_from_slice(&kept[source.clone()]);
                }
            }
        }
        has_input
    }

    /// Settings of the first and last of `frames` frames from `counter` on.
    pub(super) fn marks(&self, counter: u64, frames: u64) -> [Option<SettingsMark>; 2] {
        let mark = |counter: u64, end: usize| {
            let index = self.chunks.partition_point(|chunk| chunk.end() <= counter);
            self.chunks.get(index).filter(|chunk| chunk.counter <= counter).and_then(|chunk| chunk.marks[end])
        };
        [mark(counter, 0), mark(counter + frames - 1, 1)]
    }

    /// View of the instance.
    pub(super) fn view(&self) -> PeerView {
        self.view
    }

    /// True if more audio may follow: its host calls it.
    pub(super) fn is_awake(&self) -> bool {
        self.view.is_present() && self.view.presence() == link::slot::Presence::Awake
    }
}

/// Audio of a Master's mix and of Stems.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    mix: Option<BacklogTrack>,
    stems: Vec<BacklogTrack>,
}

impl Backlog {
    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Follows `master` and `stems` from now on; copies what their rings have gained, all that they hold the first
    /// time.
    pub(super) fn follow(&mut self, master: PeerView, stems: &[(InstanceId, PeerView)]) {
        if let Some(id) = master.id() {
            self.mix.get_or_insert_with(|| BacklogTrack::new(master, id, true));
        }
        // what is out of reach may come back at another rate
        self.stems.retain(|track| stems.contains(&(track.id, track.view)));
        for &(id, view) in stems {
            if !self.stems.iter().any(|track| track.id == id) {
                self.stems.push(BacklogTrack::new(view, id, false));
            }
        }
        self.pump();
    }

    /// Copies what the rings have gained. To be called several times a second, in fast renders more often.
    pub(super) fn pump(&mut self) {
        self.stems.iter_mut().chain(&mut self.mix).for_each(BacklogTrack::pump);
        while self.stems.iter().chain(&self.mix).map(|track| track.bytes).sum::<usize>() > MAX_BYTES {
            let tracks = self.stems.iter_mut().chain(&mut self.mix);
            tracks.max_by_key(|track| track.bytes).map(BacklogTrack::drop_oldest);
        }
    }

    /// Drops all but the newest `frames` frames of each track.
    pub(super) fn keep_newest(&mut self, frames: u64) {
        for track in self.stems.iter_mut().chain(&mut self.mix) {
            while track.chunks.front().is_some_and(|chunk| chunk.end() + frames < track.next) {
                track.drop_oldest();
            }
        }
    }

    /// Returns the position up to which a stem has sounded since the last call; `None` if it has not.
    pub(super) fn take_loud_until(&mut self, id: InstanceId) -> Option<i64> {
        self.stems.iter_mut().find(|track| track.id == id)?.take_loud_until()
    }

    pub(super) fn mix(&self) -> Option<&BacklogTrack> {
        self.mix.as_ref()
    }

    pub(super) fn stem(&self, id: InstanceId) -> Option<&BacklogTrack> {
        self.stems.iter().find(|track| track.id == id)
    }

    /// Scene of `frames` frames of the mix from `range`'s start on, with `stems`, reaching `reach` frames beyond it.
    pub(super) fn scene(
        &self,
        rate: Hz,
        (range, frames, reach): (TrackRange, usize, usize),
        stems: &[InstanceId],
        likely: Vec<Vec<i64>>,
    ) -> Option<PlacementScene> {
        let mut mix = [vec![0.0; frames], vec![0.0; frames]];
        let [left, right] = &mut mix;
        self.mix()?.copy(range.counter, [left, right], None);
        let first = range.position - reach as i64;
        let stems = stems.iter().map(|id| self.around(*id, first, frames + 2 * reach).0).collect();
        Some(PlacementScene { rate, reach, mix, stems, likely })
    }

    /// Output and input of a stem for `frames` frames from `first` on, from the last time they were played; silence
    /// where nothing is kept.
    pub(super) fn around(&self, id: InstanceId, first: i64, frames: usize) -> (StereoF32, StereoF32) {
        let silence = || [vec![0.0f32; frames], vec![0.0f32; frames]];
        let (mut output, mut input) = (silence(), silence());
        let Some(track) = self.stem(id) else { return (output, input) };
        for range in track.ranges() {
            let start = range.position.max(first);
            let end = (range.position + range.frames as i64).min(first + frames as i64);
            if start < end {
                let target = (start - first) as usize..(end - first) as usize;
                let counter = range.counter + (start - range.position) as u64;
                let [left, right] = &mut output;
                let [left_in, right_in] = &mut input;
                let output = [&mut left[target.clone()], &mut right[target.clone()]];
                track.copy(counter, output, Some([&mut left_in[target.clone()], &mut right_in[target]]));
            }
        }
        (output, input)
    }

    /// Audio of the mix at a range, for `frames` frames.
    pub(super) fn mix_at(&self, range: TrackRange, frames: usize) -> StereoF32 {
        let mut mix = [vec![0.0; frames], vec![0.0; frames]];
        let [left, right] = &mut mix;
        if let Some(track) = self.mix() {
            track.copy(range.counter, [left, right], None);
        }
        mix
    }
}
