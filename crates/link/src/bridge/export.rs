//! One local instance into its file.

use super::folder::{Folder, is_in_place};
use super::format::{AUDIO_AT, CHUNK_FRAMES, Chunk, Header, VERSION, WANTS, WireRecord};
use super::names;
use crate::identity::ProcessIdentity;
use crate::ring::{Ring, Side};
use crate::roster::PeerView;
use std::fs::File;
use std::io;

/// Chunks that are written at once, lest the worker stay with one stem.
const CHUNKS_AT_ONCE: usize = 64;

/// A local instance's file, owned by this process.
#[derive(Debug)]
pub(super) struct Export {
    name: String,
    file: File,
    /// Number of the last telling.
    sequence: u64,
    /// Number of the last chunk.
    chunks: u64,
    /// Where audio goes on; `None` while nobody listens.
    audio: Option<Cursor>,
}

/// How far audio has been written.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    /// The next frame.
    counter: u64,
    /// The ring's newest frame at the last look: a rest that has not grown since is written as a short chunk.
    seen: u64,
    /// The ring's length: another one is another ring.
    length: u64,
}

impl Export {
    /// Makes the file of the instance `key`.
    pub(super) fn create(folder: &Folder, process: ProcessIdentity, key: u64) -> io::Result<Self> {
        let name = names::link(process.nonce, key);
        let file = folder.create(&name)?;
        let header = Header { version: VERSION, key, process };
        header.write(&file)?;
        Ok(Self { name, file, sequence: 0, chunks: 0, audio: None })
    }

    /// The file's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the file is still where others look for it.
    pub(super) fn is_in_place(&self) -> bool {
        is_in_place(&self.file)
    }

    /// Writes what the instance tells; each time is a heartbeat. An instance that is gone tells nothing.
    pub(super) fn tell(&mut self, peer: PeerView, wants: [u64; WANTS]) -> io::Result<()> {
        let Some(telling) = self.telling(peer, wants) else { return Ok(()) };
        self.sequence += 1;
        telling.write_to(&self.file, self.sequence)
    }

    fn telling(&self, peer: PeerView, wants: [u64; WANTS]) -> Option<WireRecord> {
        Some(WireRecord {
            id: peer.id()?,
            presence: peer.presence(),
            chunks: self.chunks,
            wants,
            label: peer.label()?,
            pulse: peer.pulse()?,
            figures: peer.figures()?,
            outbox: peer.outbox()?,
            summary: peer.summary()?,
            settings: peer.settings()?,
        })
    }

    /// Writes the audio that has come since the last time, from now on if this is the first.
    pub(super) fn play(&mut self, ring: &Ring) -> io::Result<()> {
        let Some(timeline) = ring.timeline() else { return Ok(()) };
        let end = timeline.end();
        let fresh = Cursor { counter: end, seen: end, length: ring.length() };
        let mut cursor = self.audio.filter(|cursor| cursor.length == fresh.length).unwrap_or(fresh);
        cursor.counter = cursor.counter.max(timeline.oldest());
        let stands = cursor.seen == end;
        for _ in 0..CHUNKS_AT_ONCE {
            let in_it = |segment: &&crate::timeline::Segment| {
                (segment.counter..segment.end()).contains(&cursor.counter)
            };
            let Some(segment) = timeline.segments().iter().find(in_it) else {
                // before the oldest segment that is remembered, or at the end
                let next = timeline.segments().iter().map(|segment| segment.counter);
                cursor.counter = next.filter(|&counter| counter > cursor.counter).min().unwrap_or(end);
                if cursor.counter == end {
                    break;
                }
                continue;
            };
            let frames = (segment.end() - cursor.counter).min(CHUNK_FRAMES as u64) as usize;
            let is_complete = frames == CHUNK_FRAMES || segment.end() < end || stands;
            if !is_complete {
                break;
            }
            let offset = (cursor.counter - segment.counter) as i64;
            let position = segment.position.map(|position| position.saturating_add(offset));
            if let Some(chunk) = self.chunk(ring, cursor.counter, frames, segment.pass, position) {
                chunk.write_to(&self.file)?;
                self.chunks = chunk.number;
            }
            cursor.counter += frames as u64;
        }
        cursor.seen = end;
        self.audio = Some(cursor);
        Ok(())
    }

    /// The next chunk; `None` if its frames have been overwritten.
    fn chunk(
        &self,
        ring: &Ring,
        counter: u64,
        frames: usize,
        pass: u64,
        position: Option<i64>,
    ) -> Option<Chunk> {
        let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
        let mut words = |side| {
            let whole = ring.read(side, counter, [&mut left, &mut right]);
            let word = |(&left, &right): (&f64, &f64)| {
                u64::from((left as f32).to_bits()) << 32 | u64::from((right as f32).to_bits())
            };
            whole.then(|| left.iter().zip(&right).map(word).collect())
        };
        let (input, output) = (words(Side::Input)?, words(Side::Output)?);
        let mark = ring.mark(counter).unwrap_or_default();
        let mark = crate::ring::Mark { counter, ..mark };
        Some(Chunk { number: self.chunks + 1, pass, position, mark, input, output })
    }

    /// Nobody listens any more: audio stops, and its memory is given back.
    pub(super) fn hush(&mut self) {
        if self.audio.take().is_some() {
            // if it fails, the memory stays in use
            drop(self.file.set_len(AUDIO_AT));
        }
    }

    /// Whether audio is being written.
    pub(super) fn plays(&self) -> bool {
        self.audio.is_some()
    }
}
