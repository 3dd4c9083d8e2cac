//! Alignment of Stems with a Master's mix, by the project's timeline.
//!
//! The mix waits until every Stem has reached the same position, for half a second at most: hosts render some tracks
//! ahead and do not call others. For Stems of other processes it waits longer, since half a second of a fast render is
//! over before the link has carried their audio. Aligned chunks go to a [`HopBuilder`]; finished hops leave through a
//! [`HopSender`]. All times are counted in frames of the timeline and none in seconds of a clock, so a render as fast
//! as possible gives the same hops as playback.

use super::hop_queue::{HopSender, HopSettings};
use super::identity::InstanceId;
use super::records::InstanceKind;
use super::roster::{PeerView, Roster};
use super::routing::{RoutingTable, StemRoute};
use super::slot::Origin;
use super::stem_reader::{CHUNK_FRAMES, ChunkAudio, FrameSearch, StemReader, max_wait_frames};
use session::hop_builder::{HopBuilder, MAX_STEMS, StemBlock};
use session::timeline::TransportTracker;
use std::collections::VecDeque;
use std::sync::Arc;
use units::Hz;

#[cfg(test)]
mod tests;

/// Frames beyond a block's own that are processed within it, after a Stem was late.
const CATCH_UP_FRAMES: u64 = 2048;
/// Jumps of the transport between the mix's newest and its oldest frame that waits; with more, waiting ends.
const MAX_PENDING_JUMPS: usize = 64;

/// Reader of all Stems in step with the mix.
///
/// Belongs to the Master's audio thread. After construction it neither allocates nor waits; the work of a call is
/// bounded by twice the block and 2048 frames.
#[derive(Debug)]
pub struct StemAligner {
    roster: &'static Roster,
    rate: Hz,
    routing: Arc<RoutingTable>,
    hop_builder: HopBuilder,
    sender: HopSender,
    transport: TransportTracker,
    /// The newest frames of the mix, by counter modulo the length.
    mix: [Box<[f64]>; 2],
    /// Counter after the newest frame of the mix.
    written: u64,
    /// Counter of the next frame to be processed.
    cursor: u64,
    /// Starts of the mix's segments: counter and position.
    segments: VecDeque<(u64, Option<i64>)>,
    stems: Vec<StemReader>,
    /// Number of the current set of stems.
    set: u64,
    /// True once the set was sent.
    is_set_sent: bool,
    /// Value of `cursor` at which the roster is read next.
    next_refresh: u64,
    /// Audio of each stem's chunk.
    audio: Vec<ChunkAudio>,
    /// Settings of each stem within the current hop.
    settings: Vec<HopSettings>,
}

impl StemAligner {
    /// An aligner for a mix at `rate` with the Stems of this process in `roster`, and those of others that `routing`
    /// names. Hops leave through `sender`. Allocates all its memory: 6 MB at 48 kHz.
    pub fn new(roster: &'static Roster, rate: Hz, routing: Arc<RoutingTable>, sender: HopSender) -> Self {
        let max_wait = max_wait_frames(Origin::Bridged, rate) as usize;
        let length = (max_wait + 2 * CHUNK_FRAMES).next_power_of_two();
        let silence = || vec![0.0; length].into_boxed_slice();
        let audio = ChunkAudio { output: [[0.0; CHUNK_FRAMES]; 2], input: [[0.0; CHUNK_FRAMES]; 2] };
        Self {
            roster,
            rate,
            routing,
            hop_builder: HopBuilder::new(rate),
            sender,
            transport: TransportTracker::default(),
            mix: [silence(), silence()],
            written: 0,
            cursor: 0,
            segments: VecDeque::with_capacity(MAX_PENDING_JUMPS + 1),
            stems: Vec::with_capacity(MAX_STEMS),
            set: 0,
            is_set_sent: false,
            next_refresh: 0,
            audio: vec![audio; MAX_STEMS],
            settings: Vec::with_capacity(MAX_STEMS),
        }
    }

    /// Number of hops that were lost because the queue was full.
    pub fn lost_hops(&self) -> u64 {
        self.sender.lost_hops()
    }

    /// Sampling rate of the mix.
    pub fn rate(&self) -> Hz {
        self.rate
    }

    /// Takes a block of the mix. A reset or another activation of the plugin does not interrupt it: the mix enters the
    /// Master as before, and what waits for a Stem goes on waiting. `host`: its position on the timeline in frames; `None` while the transport stands or
    /// if the host gives none.
    pub fn process_block(&mut self, host: Option<i64>, mix: [&[f64]; 2]) {
        let frames = mix[0].len().min(mix[1].len());
        let located = self.transport.locate(host, frames);
        if located.jumped || self.segments.is_empty() {
            if self.segments.len() == MAX_PENDING_JUMPS {
                // so many jumps are no playback: the waiting frames are skipped
                self.cursor = self.written;
                self.segments.clear();
            }
            self.segments.push_back((self.written, located.position));
        }
        let mut budget = frames as u64 + CATCH_UP_FRAMES;
        let mut at = 0;
        while at < frames {
            let end = frames.min(at + CHUNK_FRAMES);
            self.append_mix(mix.map(|side| &side[at..end]));
            at = end;
            while let Some(processed) = self.process_chunk(budget) {
                budget = budget.saturating_sub(processed);
            }
        }
    }

    fn append_mix(&mut self, mix: [&[f64]; 2]) {
        let frames = mix[0].len();
        for (stored, samples) in self.mix.iter_mut().zip(mix) {
            let start = self.written as usize & (stored.len() - 1);
            let first = frames.min(stored.len() - start);
            stored[start..start + first].copy_from_slice(&samples[..first]);
            stored[..frames - first].copy_from_slice(&samples[first..]);
        }
        self.written += frames as u64;
    }

    /// Processes the next chunk and returns its length in frames; `None` if a Stem is still to be waited for.
    fn process_chunk(&mut self, budget: u64) -> Option<u64> {
        let waiting = self.written - self.cursor;
        let is_overdue = waiting > max_wait_frames(Origin::Bridged, self.rate);
        if waiting == 0 || (budget == 0 && !is_overdue) {
            return None;
        }
        while self.segments.get(1).is_some_and(|&(start, _)| start <= self.cursor) {
            self.segments.pop_front();
        }
        let (start, position) = *self.segments.front()?;
        let position = position.map(|position| position.saturating_add((self.cursor - start) as i64));
        if self.cursor >= self.next_refresh {
            self.refresh_stems();
        }
        let end = self.segments.get(1).map_or(self.written, |&(start, _)| start);
        let hop = self.hop_builder.hop_frames() as u64;
        let to_hop = position.map_or(hop, |position| hop - position.rem_euclid(hop as i64) as u64);
        let length = self.mix[0].len() as u64;
        let to_wrap = length - (self.cursor & (length - 1));
        let mut frames = (end - self.cursor).min(CHUNK_FRAMES as u64).min(to_hop).min(to_wrap);

        let mut found = [FrameSearch::Nothing { frames, is_ahead: false }; MAX_STEMS];
        if let Some(position) = position {
            for (stem, found) in self.stems.iter_mut().zip(&mut found) {
                *found = stem.search(position, frames, self.written);
                match *found {
                    FrameSearch::Nothing { .. } if waiting <= stem.max_wait => return None,
                    FrameSearch::Audio { frames: some, .. }
                    | FrameSearch::BeforeStart { frames: some }
                    | FrameSearch::Nothing { frames: some, .. } => frames = some,
                }
            }
        }
        let begins_hop = to_hop == hop;
        if begins_hop {
            self.settings.iter_mut().for_each(HopSettings::begin_hop);
        }
        self.read_stems(position, frames as usize, &found, begins_hop);
        self.cursor += frames;
        Some(frames)
    }

    /// Reads a chunk of every stem and passes it with the mix to the hop builder.
    fn read_stems(
        &mut self,
        position: Option<i64>,
        frames: usize,
        found: &[FrameSearch; MAX_STEMS],
        begins_hop: bool,
    ) {
        let mut blocks = [StemBlock::default(); MAX_STEMS];
        let stems = self.stems.iter_mut().zip(&mut self.audio).zip(found.iter().zip(&mut blocks));
        for (((stem, audio), (&found, block)), settings) in stems.zip(&mut self.settings) {
            settings.delay = stem.delay();
            if position.is_none() {
                stem.mark_missing();
                continue;
            }
            let before = stem.mark.filter(|_| !begins_hop);
            let read = stem.read_chunk(found, frames, self.cursor, audio);
            if let Some(marks) = read.marks {
                settings.update(before, marks);
            }
            let audio: &ChunkAudio = audio;
            *block = StemBlock {
                output: read.has_output.then(|| [&audio.output[0][..frames], &audio.output[1][..frames]]),
                input: read.has_input.then(|| [&audio.input[0][..frames], &audio.input[1][..frames]]),
                continues: read.continues,
            };
        }
        let start = self.cursor as usize & (self.mix[0].len() - 1);
        let mix = [0, 1].map(|side| &self.mix[side][start..start + frames]);
        self.hop_builder.process(position, mix, &blocks[..self.stems.len()]);
        if !self.is_set_sent {
            self.is_set_sent = self.send_set();
        }
        let (sender, settings, is_set_sent) = (&mut self.sender, &self.settings, self.is_set_sent);
        while self.hop_builder.take_hop(|hop| {
            if is_set_sent && hop.index.is_some() {
                sender.send_hop(hop, settings);
            }
        }) {}
    }

    /// Updates the list of Stems from the roster and the routes. Once per hop.
    fn refresh_stems(&mut self) {
        self.next_refresh = self.cursor + self.hop_builder.hop_frames() as u64;
        let routes = self.routing.routes();
        let mut present: [Option<(InstanceId, PeerView, i64)>; MAX_STEMS] = [None; MAX_STEMS];
        let mut count = 0;
        for peer in self.roster.peers() {
            let is_stem = peer.info().is_some_and(|info| info.kind == InstanceKind::Stem)
                && peer.block_status().is_some_and(|status| status.rate == self.rate);
            let Some(id) = peer.id().filter(|_| is_stem) else { continue };
            if let StemRoute::At { delay } = routes.route(id, peer.origin())
                && count < MAX_STEMS
            {
                present[count] = Some((id, peer, delay));
                count += 1;
            }
        }
        present[..count].sort_unstable_by_key(|stem| stem.map(|(id, ..)| id));
        let present = present[..count].iter().flatten();
        let is_same = self.stems.len() == count
            && self
                .stems
                .iter()
                .zip(present.clone())
                .all(|(stem, (id, peer, _))| stem.id == *id && stem.peer == *peer);
        if is_same {
            self.stems.iter_mut().zip(present).for_each(|(stem, (.., delay))| stem.set_delay(*delay));
            return;
        }
        self.stems.clear();
        let rate = self.rate;
        self.stems.extend(present.map(|&(id, peer, delay)| StemReader::new(peer, id, delay, rate)));
        self.settings.clear();
        self.settings.resize(count, HopSettings::default());
        self.set += 1;
        self.is_set_sent = false;
        self.hop_builder.set_stems(self.set, count);
    }

    /// Sends the ids of the current set; `false` if the queue has no room now.
    fn send_set(&mut self) -> bool {
        let Some(first) = self.stems.first() else { return self.sender.send_set(self.set, &[]) };
        let mut ids = [first.id; MAX_STEMS];
        ids.iter_mut().zip(&self.stems).for_each(|(id, stem)| *id = stem.id);
        self.sender.send_set(self.set, &ids[..self.stems.len()])
    }
}
