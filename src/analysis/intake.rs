//! Intake of hops: recorded as they come once all stems that sound are placed, held until then.

use super::MasterAnalysis;
use super::backlog::Backlog;
use super::remake::{HopRemaker, MadeHop, has_delays, is_explained, is_right, join, reduce};
use link::ROSTER;
use link::hop_queue::HopMessage;
use link::identity::InstanceId;
use meter::loudness::hop_frames;
use plugin_core::Output;
use session::timeline::HopIndex;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Hop messages handled in one round, so that a stop request is seen in time.
const MAX_MESSAGES_PER_ROUND: usize = 100;
/// Hops that are held at most: a minute of the song. Then the stems that are not found are left out.
const MAX_HELD_HOPS: usize = 600;
/// Hops with the decided delays after which the audio thread's are taken, even if a stem is missing in them.
const MAX_HANDOVER_HOPS: usize = 60;
/// Audio that is kept while nothing is held, hops.
const IDLE_BACKLOG_HOPS: u64 = 20;
/// Time without a block after which the transport counts as stopped.
const STOPPED_AFTER: Duration = Duration::from_millis(300);

/// Hops that wait, and the making of those that came with other delays.
#[derive(Default)]
pub(super) struct HopIntake {
    /// Stems of the hops that the audio thread sends.
    stems: Arc<[InstanceId]>,
    held: Vec<(MadeHop, Arc<[InstanceId]>)>,
    /// True while hops are held.
    is_holding: bool,
    /// Maker of hops until the audio thread's are right.
    remaker: Option<HopRemaker>,
    /// Hops that came since the decision: with the delays from before it, and with those decided. A look takes a fast
    /// render many hops of the first kind.
    superseded: usize,
    handover: usize,
    /// Last hop that was made, and its row.
    remade_until: Option<(HopIndex, u64)>,
    /// Row of the audio thread's hops that continues one of remade hops, and that one. So rows do not depend on when the
    /// audio thread has followed.
    continued: Option<(u64, u64)>,
    /// Number of flushes, for the numbers of rows.
    flushes: u64,
    /// Count of the Master's blocks, and when it last changed.
    blocks: Option<(u64, Instant)>,
    /// True if the transport has stood since the last hop.
    has_stood: bool,
}

/// Bit from which on rows of remade hops are numbered, apart from those of the audio thread.
const REMADE_ROWS: u32 = 40;

impl HopIntake {
    /// True while hops wait to be recorded or made anew.
    pub(super) fn is_waiting(&self) -> bool {
        self.is_holding || self.remaker.is_some()
    }
}

impl<O: Output> MasterAnalysis<O> {
    /// Takes the hops that have arrived, and the audio that belongs to them.
    pub(super) fn take_hops(&mut self) {
        let stems = self.stem_routing.update_stems(&ROSTER, self.view, self.rate);
        if self.needs_backlog() {
            self.backlog.follow(self.view, &stems);
            self.stem_routing.note_sounds(&mut self.backlog);
        }
        for _ in 0..MAX_MESSAGES_PER_ROUND {
            match self.receiver.as_mut().and_then(Iterator::next) {
                Some(HopMessage::Set { stems, .. }) => self.intake.stems = stems.into(),
                Some(HopMessage::Hop(hop, made_with)) => self.take_hop((hop, made_with)),
                None => break,
            }
        }
        if !self.is_playing() {
            self.intake.has_stood = true;
            if self.recorder.is_row_open() {
                self.recorder.finish_row();
                self.has_news = true;
            }
        }
    }

    fn needs_backlog(&self) -> bool {
        self.stem_routing.has_open_stems()
            || self.stem_routing.is_listening()
            || self.intake.is_holding
            || self.intake.remaker.is_some()
    }

    /// Begins anew if a play from the start does, as the user wants it: from the first hop that is known, or before it.
    fn begin_anew(&mut self, index: Option<HopIndex>) {
        let has_stood = std::mem::take(&mut self.intake.has_stood);
        let first = self.recorder.extent().map(|(first, _)| first);
        let is_from_start = index.zip(first).is_some_and(|(index, first)| index <= first + 1);
        if has_stood && is_from_start && self.context.params.store.restarts_with_play() {
            self.forget_heard();
        }
    }

    fn take_hop(&mut self, made: MadeHop) {
        self.begin_anew(made.0.index);
        let of = Arc::clone(&self.intake.stems);
        self.stem_routing.note_hop(&made.0, &of);
        if self.intake.is_holding || self.stem_routing.is_listening() {
            self.intake.is_holding = true;
            self.intake.held.push((made, of));
            return;
        }
        if self.intake.remaker.is_some() {
            let stems = self.stem_routing.routed();
            if !has_delays(&made, &of, &stems) {
                self.intake.superseded += 1;
                if self.intake.superseded < MAX_HELD_HOPS {
                    return;
                }
            }
            self.intake.handover += 1;
            if !is_right(&made, &of, &stems) && self.intake.handover < MAX_HANDOVER_HOPS {
                return;
            }
            // all audio before this hop is in the rings by now
            self.backlog.pump();
            self.remake_hops();
            self.intake.remaker = None;
        }
        // those that were made are recorded
        if let Some(((until, row), index)) = self.intake.remade_until.zip(made.0.index) {
            if index <= until && until - index < MAX_HANDOVER_HOPS as HopIndex {
                return;
            }
            if index == until + 1 {
                self.intake.continued = Some((made.0.segment, row));
            }
        }
        self.intake.remade_until = None;
        let stems = self.stem_routing.routed();
        // the audio thread follows a changed routing with its next hops
        if let Some(mut made) = reduce(&made, &of, &stems) {
            if let Some((_, row)) = self.intake.continued.filter(|(row, _)| *row == made.0.segment) {
                made.0.segment = row;
            }
            self.record(made, &stems);
        }
    }

    /// True while the host plays: its transport runs and it calls the Master.
    pub(super) fn is_playing(&mut self) -> bool {
        let Some(status) = self.view.block_status() else { return false };
        let now = Instant::now();
        let (blocks, changed) = self.intake.blocks.unwrap_or((status.blocks, now));
        let changed = if blocks == status.blocks { changed } else { now };
        self.intake.blocks = Some((status.blocks, changed));
        status.playing && status.position.is_some() && now - changed < STOPPED_AFTER
    }

    /// Looks for the stems while some are open; reviews their routing otherwise.
    pub(super) fn route_stems(&mut self) {
        let is_playing = self.is_playing();
        let was_listening = self.stem_routing.is_listening();
        if was_listening {
            if self.stem_routing.look(&mut self.backlog, self.view, self.rate, is_playing) {
                self.publish_foreign_stems();
            }
            if self.intake.held.len() > MAX_HELD_HOPS {
                self.stem_routing.give_up();
            }
        } else if self.stem_routing.is_due(Instant::now()) {
            let stems = self.stem_routing.update_stems(&ROSTER, self.view, self.rate);
            self.backlog.follow(self.view, &stems);
            self.has_news |= self.stem_routing.review(&mut self.backlog, self.rate, &self.recorder);
            self.publish_foreign_stems();
        }
        let is_listening = self.stem_routing.is_listening();
        self.has_news |= was_listening != is_listening;
        if self.intake.is_holding && !is_listening {
            self.release_hops();
        }
        if self.intake.remaker.is_some() {
            self.remake_hops();
        } else if !self.needs_backlog() {
            self.backlog.clear();
        } else if !is_listening {
            self.backlog.keep_newest(IDLE_BACKLOG_HOPS * hop_frames(self.rate) as u64);
        }
    }

    /// Records the hops that were held: those that came with the right delays as they are, the others made anew.
    fn release_hops(&mut self) {
        self.intake.is_holding = false;
        self.intake.flushes += 1;
        let held = std::mem::take(&mut self.intake.held);
        let first = held.first().and_then(|(made, _)| made.0.index);
        let stems = self.stem_routing.routed();
        let are_right = held.iter().all(|(made, of)| is_right(made, of, &stems));
        let are_complete = are_right && !self.has_gaps(&held);
        let right = held.into_iter().filter(|(made, of)| is_right(made, of, &stems));
        let right = right.filter_map(|(made, of)| reduce(&made, &of, &stems));
        if are_complete {
            right.for_each(|made| self.record(made, &stems));
            return;
        }
        let right: Vec<(HopIndex, MadeHop)> = right.filter_map(|made| Some((made.0.index?, made))).collect();
        let mut remaker = HopRemaker::new(self.rate, &stems);
        let mut remade = remaker.run(&mut self.backlog, Backlog::pump);
        // what was recorded before may be of the time before a stem has moved
        let earlier = remade.iter().position(|(hop, _)| hop.index == first).unwrap_or(0);
        let mut number = 0;
        remade.retain(|(hop, _)| {
            number += 1;
            number > earlier || is_explained(hop)
        });
        let row = self.intake.flushes << REMADE_ROWS;
        self.intake.remade_until = remade.last().and_then(|(hop, _)| Some((hop.index?, hop.segment | row)));
        self.intake.continued = None;
        for made in join(right, remade, row) {
            self.record(made, &stems);
        }
        self.intake.remaker = Some(remaker);
        (self.intake.superseded, self.intake.handover) = (0, 0);
    }

    /// True if hops are missing between those that were held, or before them, and the backlog has their audio.
    fn has_gaps(&self, held: &[(MadeHop, Arc<[InstanceId]>)]) -> bool {
        let index = |held: &(MadeHop, Arc<[InstanceId]>)| held.0.0.index;
        let between = held.windows(2).any(|pair| {
            let sets = [&pair[0], &pair[1]].map(|held| held.0.0.set);
            let step = index(&pair[1]).zip(index(&pair[0])).map_or(0, |(b, a)| b - a);
            sets[0] != sets[1] && (2..MAX_HANDOVER_HOPS as HopIndex).contains(&step)
        });
        let hop = hop_frames(self.rate) as i64;
        let begin = self.backlog.mix().and_then(|mix| mix.ranges().first().map(|range| range.position));
        let before = begin.zip(held.first().and_then(index)).is_some_and(|(begin, first)| {
            let expected = if begin == 0 { 0 } else { (begin + 2 * hop - 1).div_euclid(hop) };
            (1..MAX_HANDOVER_HOPS as HopIndex).contains(&(first - expected))
        });
        between || before
    }

    /// Makes and records the hops whose audio has come since.
    fn remake_hops(&mut self) {
        let Some(mut remaker) = self.intake.remaker.take() else { return };
        let stems = remaker.stems();
        for (mut hop, settings) in remaker.run(&mut self.backlog, Backlog::pump) {
            hop.segment |= self.intake.flushes << REMADE_ROWS;
            self.intake.remade_until = hop.index.map(|index| (index, hop.segment));
            self.record((hop, settings), &stems);
        }
        self.intake.remaker = Some(remaker);
    }
}
