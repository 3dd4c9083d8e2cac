//! One foreign instance out of its file.

use super::folder::{Folder, is_in_place};
use super::format::{CHUNKS, Chunk, Header, VERSION, WANTS, WireRecord};
use super::names;
use super::pace::Intervals;
use crate::InstanceId;
use crate::roster::{AudioWriter, ControlWriter, PeerView, Roster};
use crate::slot::{Origin, Presence};
use session::timeline::BlockPosition;
use std::fs::File;
use std::io;
use std::time::Instant;

/// Chunks that are read at once, lest the worker stay with one stem.
const CHUNKS_AT_ONCE: usize = 64;

/// A foreign instance's file, and the slot that shows it here.
#[derive(Debug)]
pub(super) struct Import {
    name: String,
    file: File,
    header: Header,
    /// Number of the last telling: it grows for as long as the instance exists, and so is its heartbeat.
    sequence: u64,
    /// When it was last seen to grow, by our own clock.
    heard: Instant,
    /// How often that was.
    beats: u64,
    /// The last telling; `None` before the first.
    telling: Option<WireRecord>,
    slot: Option<(AudioWriter, ControlWriter)>,
    audio: Option<Cursor>,
}

/// How far audio has been read.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    /// Number of the next chunk.
    number: u64,
    /// The pass and counter with which it would continue the last.
    next: Option<(u64, u64)>,
}

impl Import {
    /// Opens the file `name`; `None` if it is none of ours, or of another version, whose number then goes to
    /// `incompatible`.
    pub(super) fn open(
        folder: &Folder,
        name: &str,
        now: Instant,
        incompatible: &mut Vec<u64>,
    ) -> io::Result<Option<Self>> {
        let file = folder.open_file(name)?;
        let Some(header) = Header::read(&file)? else { return Ok(None) };
        if header.version != VERSION {
            incompatible.push(header.version);
            return Ok(None);
        }
        let name = name.to_owned();
        Ok(Some(Self {
            name,
            file,
            header,
            sequence: 0,
            heard: now,
            beats: 0,
            telling: None,
            slot: None,
            audio: None,
        }))
    }

    /// The key of its instance.
    pub(super) fn key(&self) -> u64 {
        self.header.key
    }

    /// Its slot here.
    pub(super) fn peer(&self) -> Option<PeerView> {
        self.slot.as_ref().map(|(_, card)| card.peer())
    }

    /// Whether its heart is known to beat, or not to.
    pub(super) fn is_known(&self, now: Instant, pace: &Intervals) -> bool {
        self.beats >= 2 || now.saturating_duration_since(self.heard) >= pace.dim
    }

    /// Whether the instance wants the audio of `key`, one of ours.
    pub(super) fn wants(&self, key: u64) -> bool {
        let wants = |telling: &WireRecord| telling.wants.contains(&key);
        self.slot.is_some() && self.telling.as_ref().is_some_and(wants)
    }

    /// When the instance came to life and under which id, and its key: who is older keeps an id.
    pub(super) fn seniority(&self) -> Option<(InstanceId, (u64, u64))> {
        let telling = self.telling.as_ref().filter(|_| self.slot.is_some())?;
        Some((telling.id, (telling.label.born, self.header.key)))
    }

    /// Reads what the instance tells and shows it in `roster`. `false`: its file is gone.
    pub(super) fn look(&mut self, roster: &'static Roster, now: Instant, pace: &Intervals) -> bool {
        if !is_in_place(&self.file) {
            return false;
        }
        // an error is a file that cannot be read now: its heartbeat stands still
        if let Ok(Some((sequence, telling))) = WireRecord::read_from(&self.file, self.sequence) {
            (self.sequence, self.heard) = (sequence, now);
            self.beats += 1;
            self.show(roster, telling);
        }
        let silence = now.saturating_duration_since(self.heard);
        if silence >= pace.gone {
            (self.slot, self.audio) = (None, None);
        } else if let (Some((_, card)), Some(telling)) = (&mut self.slot, &self.telling) {
            card.set_presence(if silence >= pace.dim { Presence::Dim } else { telling.presence });
        }
        true
    }

    fn show(&mut self, roster: &'static Roster, telling: WireRecord) {
        if self.slot.is_none() {
            // full: perhaps next time
            self.slot = roster.join(Origin::Bridged, Some(telling.id), &telling.label);
        }
        let Some((outlet, card)) = &mut self.slot else { return };
        card.set_id(telling.id);
        card.set_label(&telling.label);
        outlet.tell(&telling.pulse);
        card.set_figures(&telling.figures);
        card.set_outbox(&telling.outbox);
        card.set_summary(&telling.summary);
        outlet.set(&telling.settings);
        self.telling = Some(telling);
    }

    /// Brings in the audio that has come since the last time.
    pub(super) fn listen(&mut self) {
        let (Some((outlet, _)), Some(telling)) = (&mut self.slot, &self.telling) else { return };
        outlet.prepare(telling.pulse.rate);
        // from the next chunk on
        let mut cursor = self.audio.unwrap_or(Cursor { number: telling.chunks + 1, next: None });
        // what lies further back than the file holds is lost
        if cursor.number < telling.chunks.saturating_sub(CHUNKS - 2) {
            cursor = Cursor { number: telling.chunks.saturating_add(1), next: None };
        }
        for _ in 0..CHUNKS_AT_ONCE {
            let Ok(found) = Chunk::read_from(&self.file, cursor.number) else { break };
            let Some(chunk) = found else {
                if cursor.number > telling.chunks {
                    break;
                }
                // it was there when this was told: overwritten since, or cut off when nobody listened
                cursor = Cursor { number: cursor.number + 1, next: None };
                continue;
            };
            let jumped = cursor.next != Some((chunk.pass, chunk.mark.counter));
            let [input, output] = [&chunk.input, &chunk.output].map(|words| channels(words));
            outlet.mark(chunk.mark.revision, chunk.mark.level);
            outlet.write(
                BlockPosition { position: chunk.position, segment: chunk.pass, jumped },
                [&input[0], &input[1]],
                [&output[0], &output[1]],
            );
            cursor = Cursor {
                number: chunk.number + 1,
                next: Some((chunk.pass, chunk.mark.counter + chunk.input.len() as u64)),
            };
        }
        self.audio = Some(cursor);
    }

    /// Nobody listens any more.
    pub(super) fn ignore(&mut self) {
        self.audio = None;
    }
}

/// Brings `imports` up to date with the `names` in `folder`: those whose owner does not live go, what is new is opened.
/// Returns the versions of what is incompatible.
pub(super) fn follow(
    imports: &mut Vec<Import>,
    folder: &Folder,
    names: &[String],
    lives: impl Fn(u64) -> bool,
    now: Instant,
) -> Vec<u64> {
    let lives = |name: &str| names::owner(name).is_some_and(&lives);
    imports.retain(|import| lives(&import.name) && names.contains(&import.name));
    let mut incompatible = Vec::new();
    for name in names.iter().filter(|name| lives(name) && !names::is_lock(name)) {
        if !imports.iter().any(|import| import.name == *name)
            && let Ok(Some(import)) = Import::open(folder, name, now, &mut incompatible)
        {
            imports.push(import);
        }
    }
    incompatible
}

/// Left and right of words that hold a frame each.
fn channels(words: &[u64]) -> [Vec<f64>; 2] {
    let sample = |bits: u64| f64::from(f32::from_bits(bits as u32));
    [32, 0].map(|shift| words.iter().map(|&word| sample(word >> shift)).collect())
}

/// The keys of the foreign stems among `imports` that `listens` chooses, as many as fit.
pub(super) fn wants(imports: &[Import], listens: impl Fn(&PeerView) -> bool) -> [u64; WANTS] {
    let mut wants = [0; WANTS];
    let chosen = imports.iter().filter(|import| import.peer().is_some_and(|peer| listens(&peer)));
    for (place, import) in wants.iter_mut().zip(chosen) {
        *place = import.key();
    }
    wants
}
