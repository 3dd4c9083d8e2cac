//! Reader of one instance's file of another process.

use super::checked_dir::{CheckedDir, has_name};
use super::file_layout::{
    AudioChunk, FileHeader, MAX_CHUNKS, MAX_WANTED_STEMS, PROTOCOL_VERSION, WireRecord,
};
use super::file_names;
use super::intervals::Intervals;
use crate::identity::InstanceId;
use crate::roster::{AudioWriter, ControlWriter, PeerView, Roster};
use crate::slot::{Origin, Presence};
use session::timeline::BlockPosition;
use std::fs::File;
use std::io;
use std::time::Instant;

/// Chunks read in one round, so that the worker also gets to other instances.
const MAX_CHUNKS_PER_ROUND: usize = 64;

/// File of an instance in another process, and the instance's slot in this roster.
#[derive(Debug)]
pub(super) struct InstanceImport {
    name: String,
    file: File,
    header: FileHeader,
    /// Sequence number of the last record: grows as long as the instance exists, so it is the heartbeat.
    sequence: u64,
    /// Time of the last heartbeat, by the clock of this process.
    last_heartbeat: Instant,
    /// Heartbeats seen so far.
    heartbeats: u64,
    /// The last record; `None` before the first.
    record: Option<WireRecord>,
    writers: Option<(AudioWriter, ControlWriter)>,
    audio: Option<ImportCursor>,
}

/// Progress of reading audio.
#[derive(Clone, Copy, Debug)]
struct ImportCursor {
    /// Number of the next chunk.
    number: u64,
    /// Pass and counter of a chunk that would continue the last one.
    next: Option<(u64, u64)>,
}

impl InstanceImport {
    /// Opens the file `name`; `None` if it is not one of the link's, or of another version, which is then added to
    /// `incompatible`.
    pub(super) fn open(
        folder: &CheckedDir,
        name: &str,
        now: Instant,
        incompatible: &mut Vec<u64>,
    ) -> io::Result<Option<Self>> {
        let file = folder.open_file(name)?;
        let Some(header) = FileHeader::read_from(&file)? else { return Ok(None) };
        if header.version != PROTOCOL_VERSION {
            incompatible.push(header.version);
            return Ok(None);
        }
        Ok(Some(Self {
            name: name.to_owned(),
            file,
            header,
            sequence: 0,
            last_heartbeat: now,
            heartbeats: 0,
            record: None,
            writers: None,
            audio: None,
        }))
    }

    /// Key of the instance.
    pub(super) fn key(&self) -> u64 {
        self.header.key
    }

    /// View of its slot in this roster.
    pub(super) fn view(&self) -> Option<PeerView> {
        self.writers.as_ref().map(|(_, control_writer)| control_writer.view())
    }

    /// True once it is certain that the instance has a heartbeat, or that it has none.
    pub(super) fn is_heartbeat_known(&self, now: Instant, intervals: &Intervals) -> bool {
        let silence = now.saturating_duration_since(self.last_heartbeat);
        self.heartbeats >= 2 || silence >= intervals.unresponsive_after
    }

    /// True if the instance needs the audio of the local instance `key`.
    pub(super) fn wants_audio_of(&self, key: u64) -> bool {
        let is_wanted = |record: &WireRecord| record.wanted_stems.contains(&key);
        self.writers.is_some() && self.record.as_ref().is_some_and(is_wanted)
    }

    /// The instance's id, and time of creation with key: the lower of two keeps an id.
    pub(super) fn seniority(&self) -> Option<(InstanceId, (u64, u64))> {
        let record = self.record.as_ref().filter(|_| self.writers.is_some())?;
        Some((record.id, (record.info.born, self.header.key)))
    }

    /// Reads the record and publishes it in `roster`. Returns `false` if the file was removed.
    pub(super) fn poll_record(
        &mut self,
        roster: &'static Roster,
        now: Instant,
        intervals: &Intervals,
    ) -> bool {
        if !has_name(&self.file) {
            return false;
        }
        // a file that cannot be read now counts as one without a heartbeat
        if let Ok(Some((sequence, record))) = WireRecord::read_file(&self.file, self.sequence) {
            self.sequence = sequence;
            self.last_heartbeat = now;
            self.heartbeats += 1;
            self.publish_record(roster, record);
        }
        let silence = now.saturating_duration_since(self.last_heartbeat);
        if silence >= intervals.gone_after {
            self.writers = None;
            self.audio = None;
        } else if let (Some((_, control_writer)), Some(record)) = (&mut self.writers, &self.record) {
            let is_unresponsive = silence >= intervals.unresponsive_after;
            control_writer.set_presence(if is_unresponsive {
                Presence::Unresponsive
            } else {
                record.presence
            });
        }
        true
    }

    fn publish_record(&mut self, roster: &'static Roster, record: WireRecord) {
        if self.writers.is_none() {
            // a full roster may have room next time
            self.writers = roster.join(Origin::Bridged, Some(record.id), &record.info);
        }
        let Some((audio_writer, control_writer)) = &mut self.writers else { return };
        control_writer.set_id(record.id);
        control_writer.publish_info(&record.info);
        audio_writer.publish_status(&record.block_status);
        control_writer.publish_readings(&record.readings);
        control_writer.publish_outbox(&record.outbox);
        control_writer.publish_summary(&record.summary);
        audio_writer.publish_settings(&record.settings);
        self.record = Some(record);
    }

    /// Copies the audio that was written since the last round to the ring in this roster.
    pub(super) fn read_audio(&mut self) {
        let (Some((audio_writer, _)), Some(record)) = (&mut self.writers, &self.record) else { return };
        audio_writer.prepare_ring(record.block_status.rate);
        // the first time from the next chunk on
        let mut cursor = self.audio.unwrap_or(ImportCursor { number: record.last_chunk + 1, next: None });
        // chunks that the file has overwritten are lost
        if cursor.number < record.last_chunk.saturating_sub(MAX_CHUNKS - 2) {
            cursor = ImportCursor { number: record.last_chunk.saturating_add(1), next: None };
        }
        for _ in 0..MAX_CHUNKS_PER_ROUND {
            let Ok(found) = AudioChunk::read_from(&self.file, cursor.number) else { break };
            let Some(chunk) = found else {
                if cursor.number > record.last_chunk {
                    break;
                }
                // overwritten since the record was written, or cut off while no process listened
                cursor = ImportCursor { number: cursor.number + 1, next: None };
                continue;
            };
            let jumped = cursor.next != Some((chunk.pass, chunk.mark.counter));
            let [input, output] = [&chunk.input, &chunk.output].map(|words| channels(words));
            audio_writer.mark_settings(chunk.mark.revision, chunk.mark.level, chunk.mark.trim);
            audio_writer.write_block(
                BlockPosition { position: chunk.position, segment: chunk.pass, jumped },
                [&input[0], &input[1]],
                [&output[0], &output[1]],
            );
            cursor = ImportCursor {
                number: chunk.number + 1,
                next: Some((chunk.pass, chunk.mark.counter + chunk.input.len() as u64)),
            };
        }
        self.audio = Some(cursor);
    }

    /// Ends reading audio.
    pub(super) fn stop_audio(&mut self) {
        self.audio = None;
    }
}

/// Updates `imports` to the `names` in `folder`: drops those whose process has ended, opens new ones. Returns the
/// protocol versions of incompatible instances.
pub(super) fn update_imports(
    imports: &mut Vec<InstanceImport>,
    folder: &CheckedDir,
    names: &[String],
    is_alive: impl Fn(u64) -> bool,
    now: Instant,
) -> Vec<u64> {
    let is_owner_alive = |name: &str| file_names::owner(name).is_some_and(&is_alive);
    imports.retain(|import| is_owner_alive(&import.name) && names.contains(&import.name));
    let mut incompatible = Vec::new();
    for name in names.iter().filter(|name| is_owner_alive(name) && !file_names::is_lock(name)) {
        if !imports.iter().any(|import| import.name == *name)
            && let Ok(Some(import)) = InstanceImport::open(folder, name, now, &mut incompatible)
        {
            imports.push(import);
        }
    }
    incompatible
}

/// Left and right of words that hold one frame each.
fn channels(words: &[u64]) -> [Vec<f64>; 2] {
    let sample = |bits: u64| f64::from(f32::from_bits(bits as u32));
    [32, 0].map(|shift| words.iter().map(|&word| sample(word >> shift)).collect())
}

/// Keys of the instances among `imports` that `is_wanted` selects, as many as fit; unused ones are zero.
pub(super) fn wanted_stems(
    imports: &[InstanceImport],
    is_wanted: impl Fn(&PeerView) -> bool,
) -> [u64; MAX_WANTED_STEMS] {
    let mut keys = [0; MAX_WANTED_STEMS];
    let wanted = imports.iter().filter(|import| import.view().is_some_and(|view| is_wanted(&view)));
    for (key, import) in keys.iter_mut().zip(wanted) {
        *key = import.key();
    }
    keys
}
