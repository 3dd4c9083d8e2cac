//! The Master's ears: stems in step with the mix, by the project's timeline, whenever and in whatever order they come.
//!
//! The mix waits until every stem has come as far, at most half a second: hosts render some tracks ahead and let
//! others sleep. For stems of other processes it waits longer, for in a fast render half a second of the song is gone
//! before the bridge has brought it. What is read in step goes through [`HopBuilder`]; finished hops leave by a [`Sender`]. Since everything
//! is counted in frames of the timeline and nothing in seconds of a clock, a render as fast as possible gives the same
//! hops as playback.

use super::cell::Cell;
use super::delivery::{MadeWith, Sender};
use super::identity::InstanceId;
use super::ring::{LISTENING, Mark, Ring, Side};
use super::roster::{PeerView, Roster};
use super::slot::Origin;
use super::snapshot::Kind;
use session::hop_builder::{HopBuilder, MAX_STEMS, StemBlock};
use session::timeline::TransportTracker;
use std::collections::VecDeque;
use std::sync::Arc;
use units::Hz;

#[cfg(test)]
mod tests;

/// Frames that are read at once.
const CHUNK: usize = 512;
/// How long the mix waits for a stem, seconds.
const PATIENCE: f64 = 0.5;
/// The same for a stem of another process: at twenty times the song's speed, an eighth of a second.
const FOREIGN_PATIENCE: f64 = 2.5;
/// Frames beyond a block's own that are caught up within it, when a stem has come late.
const CATCH_UP: u64 = 2048;
/// Jumps that may lie between the mix's newest frame and the oldest that waits; beyond, waiting ends.
const JUMPS: usize = 64;

/// Instances that [`RoutingTable`] may be about.
const ADVISED: usize = 128;
const ADVICE_WORDS: usize = 1 + 2 * ADVISED;
/// In an advice: do not sum this stem.
const LEAVE_OUT: i64 = i64::MIN;

/// What the analysis tells the audio thread: where each stem arrives, and which are not summed.
#[derive(Debug, Default)]
pub struct RoutingTable(Cell<ADVICE_WORDS>);

/// How a stem is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Not at all: it is inside another, or in another session.
    LeaveOut,
    /// Its frame at `position` is in the mix at `position + delay`.
    At {
        /// In frames.
        delay: i64,
    },
}

impl RoutingTable {
    /// Replaces the advice; of stems not named, those of this process are taken as they come, others are not. One
    /// thread at a time.
    pub fn write(&self, stems: &[(InstanceId, Route)]) {
        let mut words = [0; ADVICE_WORDS];
        let count = stems.len().min(ADVISED);
        words[0] = count as u64;
        for (pair, (id, take)) in words[1..].chunks_exact_mut(2).zip(&stems[..count]) {
            let delay = match take {
                Route::LeaveOut => LEAVE_OUT,
                Route::At { delay } => *delay,
            };
            pair.copy_from_slice(&[id.get(), delay.cast_unsigned()]);
        }
        self.0.write(&words);
    }

    fn read(&self) -> [u64; ADVICE_WORDS] {
        let mut words = [0; ADVICE_WORDS];
        if !self.0.read(&mut words) {
            words[0] = 0;
        }
        words
    }
}

/// The advice about one stem of `origin`.
fn advised(words: &[u64; ADVICE_WORDS], id: InstanceId, origin: Origin) -> Route {
    let pairs = words[1..].chunks_exact(2).take(words[0] as usize);
    match pairs.filter(|pair| pair[0] == id.get()).map(|pair| pair[1].cast_signed()).next() {
        Some(LEAVE_OUT) => Route::LeaveOut,
        Some(delay) => Route::At { delay },
        // others come later: the mix waits for them only if they belong to it
        None if origin == Origin::Bridged => Route::LeaveOut,
        None => Route::At { delay: 0 },
    }
}

/// Reads stems in step with the mix.
///
/// Lives on the Master's audio thread: after construction no allocation and bounded work, at most that of twice the
/// block and 2048 frames.
#[derive(Debug)]
pub struct StemAligner {
    roster: &'static Roster,
    rate: Hz,
    advice: Arc<RoutingTable>,
    watch: HopBuilder,
    sender: Sender,
    wheel: TransportTracker,
    /// The newest frames of the mix, by counter.
    mix: [Box<[f64]>; 2],
    /// The counter behind the newest frame.
    written: u64,
    /// The next frame to be watched.
    cursor: u64,
    /// Where the mix's segments start: counter and position.
    segments: VecDeque<(u64, Option<i64>)>,
    stems: Vec<StemReader>,
    /// Names the set of stems.
    set: u64,
    /// Whether the receiver knows the set.
    announced: bool,
    /// The cursor at which the roster is looked at next.
    next_look: u64,
    audio: Vec<Audio>,
    made_with: Vec<MadeWith>,
}

/// Left and right of a chunk, as it left the stem and as it entered.
#[derive(Clone, Debug)]
struct Audio {
    output: [[f64; CHUNK]; 2],
    input: [[f64; CHUNK]; 2],
}

/// A stem that is followed.
#[derive(Clone, Debug)]
struct StemReader {
    peer: PeerView,
    id: InstanceId,
    delay: i64,
    /// How long the mix waits for it, frames.
    patience: u64,
    /// Counter behind the last frame read; none has been read yet.
    next: Option<u64>,
    /// The end of its ring when last seen, and the mix's counter when that had last moved.
    end: u64,
    moved_at: u64,
    state: State,
    /// The settings of the last frame read.
    mark: Option<Mark>,
}

/// Where the last chunk of a stem came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Its ring.
    Heard,
    /// Its host does not call it: it is silent.
    Asleep,
    /// It should be somewhere and is not.
    Missing,
}

/// What a stem has for a stretch of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// Audio from this counter on.
    Audio { counter: u64, frames: u64 },
    /// Nothing, for these frames at least; whether it goes on soon after.
    Nothing { frames: u64, ahead: bool },
}

/// What a stem was made with, heard at that delay: hops that were laid elsewhere are as little comparable as such of
/// other settings.
fn aligned(revision: u64, delay: i64) -> u64 {
    if delay == 0 || revision == 0 || revision == LISTENING {
        return revision;
    }
    revision ^ delay.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// How many frames the mix waits for a stem.
fn patience(origin: Origin, rate: Hz) -> u64 {
    let seconds = if origin == Origin::Here { PATIENCE } else { FOREIGN_PATIENCE };
    (seconds * rate.0) as u64
}

impl StemReader {
    fn new(peer: PeerView, id: InstanceId, delay: i64, patience: u64) -> Self {
        let end = peer.audio().and_then(Ring::timeline).map_or(0, |timeline| timeline.end());
        Self { peer, id, delay, patience, next: None, end, moved_at: 0, state: State::Asleep, mark: None }
    }

    /// Looks for the mix's frames `position..position + frames`.
    fn find(&mut self, position: i64, frames: u64, written: u64) -> Found {
        let nothing = Found::Nothing { frames, ahead: false };
        let Some(timeline) = self.peer.audio().and_then(Ring::timeline) else { return nothing };
        if timeline.end() != self.end {
            (self.end, self.moved_at) = (timeline.end(), written);
        }
        let Some(wanted) = position.checked_sub(self.delay) else { return nothing };
        let span = match self.next {
            Some(next) => timeline.find(wanted, next),
            None => timeline.find_last(wanted),
        };
        if let Some(span) = span {
            return Found::Audio { counter: span.counter, frames: frames.min(span.frames) };
        }
        let after = self.next.unwrap_or(0);
        let segments = timeline.segments().iter();
        let starts = segments.filter(|segment| segment.counter >= after && segment.frames > 0);
        let distance = |position: i64| u64::try_from(position.checked_sub(wanted)?).ok();
        let soon = 1..2 * self.patience;
        let nearest =
            starts.filter_map(|segment| distance(segment.position?)).filter(|d| soon.contains(d)).min();
        Found::Nothing { frames: nearest.unwrap_or(frames).min(frames), ahead: nearest.is_some() }
    }

    /// Copies what was found; whether it continues what came before, and whether the chain did nothing.
    fn read(&mut self, found: Found, frames: usize, cursor: u64, audio: &mut Audio) -> Heard {
        let before = self.state;
        if let Found::Audio { counter, .. } = found
            && let Some(ring) = self.peer.audio()
        {
            let [left, right] = &mut audio.output;
            let [left_in, right_in] = &mut audio.input;
            let whole = ring.read(Side::Output, counter, [&mut left[..frames], &mut right[..frames]])
                && ring.read(Side::Input, counter, [&mut left_in[..frames], &mut right_in[..frames]])
                && self.peer.is_there();
            let continues = match before {
                State::Heard => self.next == Some(counter),
                State::Asleep => true,
                State::Missing => false,
            };
            if whole {
                self.next = Some(counter + frames as u64);
                self.mark = ring.mark(counter + frames as u64 - 1);
                let changed = differ(ring.mark(counter), self.mark);
                self.state = State::Heard;
                let neutral = (0..2).all(|side| audio.input[side][..frames] == audio.output[side][..frames]);
                return Heard { output: true, input: !neutral, continues, changed };
            }
        }
        let Found::Nothing { ahead, .. } = found else { return self.miss() };
        if self.moved_at <= cursor || (before == State::Asleep && ahead) {
            self.state = State::Asleep;
            audio.output.iter_mut().for_each(|side| side[..frames].fill(0.0));
            return Heard { output: true, input: false, continues: before != State::Missing, changed: false };
        }
        self.miss()
    }

    fn miss(&mut self) -> Heard {
        self.state = State::Missing;
        Heard::default()
    }
}

/// What was had of a stem.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    output: bool,
    input: bool,
    continues: bool,
    /// Settings changed within it.
    changed: bool,
}

/// Whether other settings made one than the other.
fn differ(a: Option<Mark>, b: Option<Mark>) -> bool {
    let made_with = |mark: Option<Mark>| mark.map(|mark| (mark.revision, mark.level));
    made_with(a) != made_with(b)
}

impl StemAligner {
    /// Ears for a mix at `rate` and the stems that `roster` has in this process, and those of others that the advice
    /// names. Hops leave by `sender`. Allocates all it will ever need: 6 MB at 48 kHz.
    pub fn new(roster: &'static Roster, rate: Hz, advice: Arc<RoutingTable>, sender: Sender) -> Self {
        let length = (patience(Origin::Bridged, rate) as usize + 2 * CHUNK).next_power_of_two();
        let silence = || vec![0.0; length].into_boxed_slice();
        let audio = Audio { output: [[0.0; CHUNK]; 2], input: [[0.0; CHUNK]; 2] };
        Self {
            roster,
            rate,
            advice,
            watch: HopBuilder::new(rate),
            sender,
            wheel: TransportTracker::default(),
            mix: [silence(), silence()],
            written: 0,
            cursor: 0,
            segments: VecDeque::with_capacity(JUMPS + 1),
            stems: Vec::with_capacity(MAX_STEMS),
            set: 0,
            announced: false,
            next_look: 0,
            audio: vec![audio; MAX_STEMS],
            made_with: Vec::with_capacity(MAX_STEMS),
        }
    }

    /// Hops that were lost because nobody took them.
    pub fn lost(&self) -> u64 {
        self.sender.lost()
    }

    /// The host has interrupted the audio: what comes does not continue what came.
    pub fn interrupt(&mut self) {
        self.wheel.start_segment();
    }

    /// Takes a block of the mix that the host puts at `host` on the timeline, in frames; `None` while the transport
    /// does not run or the host does not say.
    pub fn process(&mut self, host: Option<i64>, mix: [&[f64]; 2]) {
        let frames = mix[0].len().min(mix[1].len());
        let located = self.wheel.locate(host, frames);
        if located.jumped || self.segments.is_empty() {
            if self.segments.len() == JUMPS {
                // whoever jumps about so quickly does not play: nothing of it is watched
                self.cursor = self.written;
                self.segments.clear();
            }
            self.segments.push_back((self.written, located.position));
        }
        let mut budget = frames as u64 + CATCH_UP;
        let mut at = 0;
        while at < frames {
            let end = frames.min(at + CHUNK);
            self.keep(mix.map(|side| &side[at..end]));
            at = end;
            while let Some(watched) = self.step(budget) {
                budget = budget.saturating_sub(watched);
            }
        }
    }

    /// Appends to the mix's memory.
    fn keep(&mut self, mix: [&[f64]; 2]) {
        let frames = mix[0].len();
        for (kept, samples) in self.mix.iter_mut().zip(mix) {
            let start = self.written as usize & (kept.len() - 1);
            let first = frames.min(kept.len() - start);
            kept[start..start + first].copy_from_slice(&samples[..first]);
            kept[..frames - first].copy_from_slice(&samples[first..]);
        }
        self.written += frames as u64;
    }

    /// Watches the next frames if they are there; how many they were.
    fn step(&mut self, budget: u64) -> Option<u64> {
        let waiting = self.written - self.cursor;
        let impatient = waiting > patience(Origin::Bridged, self.rate);
        if waiting == 0 || (budget == 0 && !impatient) {
            return None;
        }
        while self.segments.get(1).is_some_and(|&(start, _)| start <= self.cursor) {
            self.segments.pop_front();
        }
        let (start, position) = *self.segments.front()?;
        let position = position.map(|position| position.saturating_add((self.cursor - start) as i64));
        if self.cursor >= self.next_look {
            self.look();
        }
        let end = self.segments.get(1).map_or(self.written, |&(start, _)| start);
        let hop = self.watch.hop_frames() as u64;
        let to_hop = position.map_or(hop, |position| hop - position.rem_euclid(hop as i64) as u64);
        let length = self.mix[0].len() as u64;
        let to_wrap = length - (self.cursor & (length - 1));
        let mut frames = (end - self.cursor).min(CHUNK as u64).min(to_hop).min(to_wrap);

        let mut found = [Found::Nothing { frames, ahead: false }; MAX_STEMS];
        if let Some(position) = position {
            for (stem, found) in self.stems.iter_mut().zip(&mut found) {
                *found = stem.find(position, frames, self.written);
                match *found {
                    Found::Nothing { .. } if waiting <= stem.patience => return None,
                    Found::Audio { frames: some, .. } | Found::Nothing { frames: some, .. } => frames = some,
                }
            }
        }
        if to_hop == hop {
            // what changed before a hop's first frame did not change within it
            self.made_with.iter_mut().for_each(|made| made.changed = false);
        }
        self.hear(position, frames as usize, &found, to_hop == hop);
        self.cursor += frames;
        Some(frames)
    }

    fn hear(&mut self, position: Option<i64>, frames: usize, found: &[Found; MAX_STEMS], first_of_hop: bool) {
        let mut blocks = [StemBlock::default(); MAX_STEMS];
        let mut changed = [false; MAX_STEMS];
        let stems = self.stems.iter_mut().zip(&mut self.audio).zip(found.iter().zip(&mut blocks));
        for (((stem, audio), (&found, block)), changed) in stems.zip(&mut changed) {
            if position.is_none() {
                stem.state = State::Missing;
                continue;
            }
            let before = stem.mark;
            let heard = stem.read(found, frames, self.cursor, audio);
            *changed = heard.changed || (!first_of_hop && before.is_some() && differ(before, stem.mark));
            let audio: &Audio = audio;
            *block = StemBlock {
                output: heard.output.then(|| [&audio.output[0][..frames], &audio.output[1][..frames]]),
                input: heard.input.then(|| [&audio.input[0][..frames], &audio.input[1][..frames]]),
                continues: heard.continues,
            };
        }
        for (made, (stem, changed)) in self.made_with.iter_mut().zip(self.stems.iter().zip(changed)) {
            let mark = stem.mark.unwrap_or_default();
            let revision = aligned(mark.revision, stem.delay);
            *made = MadeWith { revision, level: mark.level, changed: made.changed || changed };
        }
        let start = self.cursor as usize & (self.mix[0].len() - 1);
        let mix = [0, 1].map(|side| &self.mix[side][start..start + frames]);
        self.watch.process(position, mix, &blocks[..self.stems.len()]);
        if !self.announced {
            let mut ids = [const { None }; MAX_STEMS];
            ids.iter_mut().zip(&self.stems).for_each(|(id, stem)| *id = Some(stem.id));
            self.announced = announce(&mut self.sender, self.set, &ids);
        }
        let (sender, made_with, announced) = (&mut self.sender, &self.made_with, self.announced);
        while self.watch.take_hop(|hop| {
            if announced && hop.index.is_some() {
                sender.send_hop(hop, made_with);
            }
        }) {}
    }

    /// Looks who is there. Ten times a second of audio.
    fn look(&mut self) {
        self.next_look = self.cursor + self.watch.hop_frames() as u64;
        let advice = self.advice.read();
        let mut present: [Option<(InstanceId, PeerView, i64)>; MAX_STEMS] = [None; MAX_STEMS];
        let mut count = 0;
        for peer in self.roster.peers() {
            let is_stem = peer.label().is_some_and(|label| label.kind == Kind::Stem)
                && peer.pulse().is_some_and(|pulse| pulse.rate == self.rate);
            let Some(id) = peer.id().filter(|_| is_stem) else { continue };
            if let Route::At { delay } = advised(&advice, id, peer.origin())
                && count < MAX_STEMS
            {
                present[count] = Some((id, peer, delay));
                count += 1;
            }
        }
        present[..count].sort_unstable_by_key(|stem| stem.map(|(id, ..)| id));
        let present = present[..count].iter().flatten();
        let same = self.stems.len() == count
            && self
                .stems
                .iter()
                .zip(present.clone())
                .all(|(stem, (id, peer, _))| stem.id == *id && stem.peer == *peer);
        if same {
            for (stem, (.., delay)) in self.stems.iter_mut().zip(present) {
                if stem.delay != *delay {
                    // its frames are found anew, at their other place
                    (stem.delay, stem.next, stem.state) = (*delay, None, State::Missing);
                }
            }
            return;
        }
        self.stems.clear();
        let rate = self.rate;
        let follower = |&(id, peer, delay): &(_, PeerView, _)| {
            StemReader::new(peer, id, delay, patience(peer.origin(), rate))
        };
        self.stems.extend(present.map(follower));
        self.made_with.clear();
        self.made_with.resize(count, MadeWith::default());
        self.set += 1;
        self.announced = false;
        self.watch.set_stems(self.set, count);
    }
}

/// Sends the ids of a set.
fn announce(sender: &mut Sender, set: u64, ids: &[Option<InstanceId>; MAX_STEMS]) -> bool {
    let Some(first) = ids[0] else { return sender.send_set(set, &[]) };
    let mut stems = [first; MAX_STEMS];
    let mut count = 0;
    for id in ids.iter().flatten() {
        stems[count] = *id;
        count += 1;
    }
    sender.send_set(set, &stems[..count])
}
