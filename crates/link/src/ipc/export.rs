//! Writer of one local instance's file.

use super::checked_dir::{CheckedDir, has_name};
use super::file_layout::{
    AUDIO_OFFSET, AudioChunk, CHUNK_FRAMES, FileHeader, MAX_WANTED_STEMS, PROTOCOL_VERSION, WireRecord,
};
use super::file_names;
use crate::audio_ring::{AudioRing, SettingsMark, TapPoint};
use crate::identity::ProcessIdentity;
use crate::roster::PeerView;
use crate::timeline::Segment;
use std::fs::File;
use std::io;

/// Chunks written in one round, so that the worker also gets to other instances.
const MAX_CHUNKS_PER_ROUND: usize = 64;

/// A local instance's file, owned by this process.
#[derive(Debug)]
pub(super) struct InstanceExport {
    name: String,
    file: File,
    /// Sequence number of the last record.
    sequence: u64,
    /// Number of the last chunk.
    last_chunk: u64,
    /// Progress of the audio; `None` while no process listens.
    audio: Option<ExportCursor>,
}

/// Progress of writing audio.
#[derive(Clone, Copy, Debug)]
struct ExportCursor {
    /// Counter of the next frame.
    counter: u64,
    /// End of the ring in the last round: if it has not moved since, the rest is written as a short chunk.
    last_end: u64,
    /// Length of the ring: a ring of another length is another ring.
    length: u64,
}

/// Frames of a ring that form a chunk.
#[derive(Clone, Copy, Debug)]
struct ChunkFrames {
    counter: u64,
    frames: usize,
    pass: u64,
    position: Option<i64>,
}

impl InstanceExport {
    /// Creates the file of the instance `key`.
    pub(super) fn create(folder: &CheckedDir, process: ProcessIdentity, key: u64) -> io::Result<Self> {
        let name = file_names::link_name(process.nonce, key);
        let file = folder.create(&name)?;
        let header = FileHeader { version: PROTOCOL_VERSION, key, process };
        header.write_to(&file)?;
        Ok(Self { name, file, sequence: 0, last_chunk: 0, audio: None })
    }

    /// Name of the file.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// True if the file is still in the folder.
    pub(super) fn is_in_place(&self) -> bool {
        has_name(&self.file)
    }

    /// Writes the values that the instance publishes; each write is a heartbeat. Without effect once it is gone.
    pub(super) fn write_record(
        &mut self,
        peer: PeerView,
        wanted_stems: [u64; MAX_WANTED_STEMS],
    ) -> io::Result<()> {
        let Some(record) = self.record(peer, wanted_stems) else { return Ok(()) };
        self.sequence += 1;
        record.write_file(&self.file, self.sequence)
    }

    fn record(&self, peer: PeerView, wanted_stems: [u64; MAX_WANTED_STEMS]) -> Option<WireRecord> {
        Some(WireRecord {
            id: peer.id()?,
            presence: peer.presence(),
            last_chunk: self.last_chunk,
            wanted_stems,
            info: peer.info()?,
            block_status: peer.block_status()?,
            readings: peer.stem_readings()?,
            outbox: peer.outbox()?,
            summary: peer.summary()?,
            settings: peer.settings()?,
        })
    }

    /// Writes the audio that the ring has received since the last round; the first time, only what follows.
    pub(super) fn write_audio(&mut self, ring: &AudioRing) -> io::Result<()> {
        let Some(timeline) = ring.timeline() else { return Ok(()) };
        let end = timeline.end();
        let start = ExportCursor { counter: end, last_end: end, length: ring.length() };
        let mut cursor = self.audio.filter(|cursor| cursor.length == start.length).unwrap_or(start);
        cursor.counter = cursor.counter.max(timeline.oldest());
        let has_stopped = cursor.last_end == end;
        for _ in 0..MAX_CHUNKS_PER_ROUND {
            let contains_next =
                |segment: &&Segment| (segment.counter..segment.end()).contains(&cursor.counter);
            let Some(segment) = timeline.segments().iter().find(contains_next) else {
                // before the oldest segment, or at the end
                let next = timeline.segments().iter().map(|segment| segment.counter);
                cursor.counter = next.filter(|&counter| counter > cursor.counter).min().unwrap_or(end);
                if cursor.counter == end {
                    break;
                }
                continue;
            };
            let frames = (segment.end() - cursor.counter).min(CHUNK_FRAMES as u64) as usize;
            let is_complete = frames == CHUNK_FRAMES || segment.end() < end || has_stopped;
            if !is_complete {
                break;
            }
            let offset = (cursor.counter - segment.counter) as i64;
            let position = segment.position.map(|position| position.saturating_add(offset));
            let part = ChunkFrames { counter: cursor.counter, frames, pass: segment.pass, position };
            if let Some(chunk) = self.next_chunk(ring, part) {
                chunk.write_to(&self.file)?;
                self.last_chunk = chunk.number;
            }
            cursor.counter += frames as u64;
        }
        cursor.last_end = end;
        self.audio = Some(cursor);
        Ok(())
    }

    /// The next chunk; `None` if its frames have been overwritten.
    fn next_chunk(&self, ring: &AudioRing, part: ChunkFrames) -> Option<AudioChunk> {
        let (mut left, mut right) = (vec![0.0; part.frames], vec![0.0; part.frames]);
        let mut words = |tap| {
            let is_complete = ring.copy_frames(tap, part.counter, [&mut left, &mut right]);
            let word = |(&left, &right): (&f64, &f64)| {
                u64::from((left as f32).to_bits()) << 32 | u64::from((right as f32).to_bits())
            };
            is_complete.then(|| left.iter().zip(&right).map(word).collect())
        };
        let (input, output) = (words(TapPoint::Input)?, words(TapPoint::Output)?);
        let mark = ring.settings_at(part.counter).unwrap_or_default();
        let mark = SettingsMark { counter: part.counter, ..mark };
        let (pass, position) = (part.pass, part.position);
        Some(AudioChunk { number: self.last_chunk + 1, pass, position, mark, input, output })
    }

    /// Ends writing audio and returns its space to the system.
    pub(super) fn stop_audio(&mut self) {
        if self.audio.take().is_some() {
            // on failure the space stays in use
            drop(self.file.set_len(AUDIO_OFFSET));
        }
    }

    /// True while audio is written.
    pub(super) fn is_writing_audio(&self) -> bool {
        self.audio.is_some()
    }
}
