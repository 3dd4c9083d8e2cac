//! How an instance lies in its file.
//!
//! | at | what |
//! |---|---|
//! | 0 | header: which version, which process, which instance; written once |
//! | 4096, 16384 | two copies of the record, written in turn: one of them is always whole |
//! | 28672 | audio, [`CHUNKS`] chunks of up to [`CHUNK_FRAMES`] frames, written round and round |
//!
//! Everything is little-endian 64-bit words. Header, record and chunk each carry a CRC-32 over all their other words,
//! so that what a dead writer, a full disk or a stranger has left there is not taken for anything.

use super::folder::{read_at, write_at};
use crate::InstanceId;
use crate::identity::ProcessIdentity;
use crate::request::{OUTBOX_WORDS, Outbox};
use crate::ring::Mark;
use crate::slot::Presence;
use crate::snapshot::{
    BlockStatus, FIGURES_WORDS, InstanceInfo, LABEL_WORDS, PULSE_WORDS, SETTINGS_WORDS, Settings,
    StemReadings,
};
use crate::summary::{SUMMARY_WORDS, Summary};
use crate::words::{Decoder, Encoder, Record};
use std::fs::File;
use std::io;
use units::Db;

#[cfg(test)]
mod tests;

/// What the words mean: raised with every change of them.
pub const VERSION: u64 = 1;

const MAGIC: u64 = u64::from_le_bytes(*b"STEMLINK");

/// Foreign stems that a Master can listen to.
pub(super) const WANTS: usize = 32;

/// Frames of a full chunk.
pub(super) const CHUNK_FRAMES: usize = 1024;

/// Chunks in a file: five seconds at 48 kHz.
pub(super) const CHUNKS: u64 = 256;

const RECORDS_AT: [u64; 2] = [4096, 16_384];
pub(super) const AUDIO_AT: u64 = 28_672;

const HEADER_WORDS: usize = 8;
const TELLING_WORDS: usize =
    4 + WANTS + LABEL_WORDS + PULSE_WORDS + FIGURES_WORDS + OUTBOX_WORDS + SUMMARY_WORDS + SETTINGS_WORDS;
/// Sequence and CRC before the telling.
const RECORD_WORDS: usize = 2 + TELLING_WORDS;
const CHUNK_HEADER: usize = 8;
const CHUNK_BYTES: u64 = 8 * (CHUNK_HEADER + 2 * CHUNK_FRAMES) as u64;

const _: () = assert!(RECORDS_AT[0] + 8 * RECORD_WORDS as u64 <= RECORDS_AT[1]);
const _: () = assert!(RECORDS_AT[1] + 8 * RECORD_WORDS as u64 <= AUDIO_AT);

/// What is known of a file before anything else: the part that every version keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// [`VERSION`] of who wrote it.
    pub(super) version: u64,
    /// Tells one life of an instance from every other.
    pub(super) key: u64,
    /// Whose it is.
    pub(super) process: ProcessIdentity,
}

impl Header {
    pub(super) fn write(&self, file: &File) -> io::Result<()> {
        let ProcessIdentity { boot, pid, start, nonce } = self.process;
        let words = [MAGIC, self.version, self.key, boot, pid, start, nonce, 0];
        write_at(file, &seal::<{ HEADER_WORDS - 1 }>(&words), 0)
    }

    /// The header; `None` if it is none of ours.
    pub(super) fn read(file: &File) -> io::Result<Option<Self>> {
        let Some(bytes) = read_words(file, HEADER_WORDS, 0)? else { return Ok(None) };
        let Some(words) = unseal::<{ HEADER_WORDS - 1 }>(&bytes) else { return Ok(None) };
        let &[MAGIC, version, key, boot, pid, start, nonce, _] = words.as_slice() else { return Ok(None) };
        Ok(Some(Self { version, key, process: ProcessIdentity { boot, pid, start, nonce } }))
    }
}

/// What an instance tells other processes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WireRecord {
    pub(super) id: InstanceId,
    pub(super) presence: Presence,
    /// Number of the last chunk of audio; they count from one.
    pub(super) chunks: u64,
    /// Keys of the instances whose audio it wants; zero is none.
    pub(super) wants: [u64; WANTS],
    pub(super) label: InstanceInfo,
    pub(super) pulse: BlockStatus,
    pub(super) figures: StemReadings,
    pub(super) outbox: Outbox,
    pub(super) summary: Summary,
    pub(super) settings: Settings,
}

impl Record for WireRecord {
    fn write(&self, pen: &mut Encoder<'_>) {
        pen.word(self.id.get());
        pen.word(self.presence as u64);
        pen.word(self.chunks);
        self.wants.iter().for_each(|&key| pen.word(key));
        self.label.write(pen);
        self.pulse.write(pen);
        self.figures.write(pen);
        self.outbox.write(pen);
        self.summary.write(pen);
        self.settings.write(pen);
    }

    fn read(eye: &mut Decoder<'_>) -> Option<Self> {
        let id = eye.instance()?;
        let presence = Presence::ALL[eye.index(Presence::ALL.len())?];
        let chunks = eye.word()?;
        let mut wants = [0; WANTS];
        for key in &mut wants {
            *key = eye.word()?;
        }
        Some(Self {
            id,
            presence,
            chunks,
            wants,
            label: Record::read(eye)?,
            pulse: Record::read(eye)?,
            figures: Record::read(eye)?,
            outbox: Record::read(eye)?,
            summary: Record::read(eye)?,
            settings: Record::read(eye)?,
        })
    }
}

impl WireRecord {
    /// Writes it as number `sequence`, over the copy before the last.
    pub(super) fn write_to(&self, file: &File, sequence: u64) -> io::Result<()> {
        let telling: [u64; TELLING_WORDS] = self.encode();
        let mut words = [0; RECORD_WORDS];
        words[0] = sequence;
        words[2..].copy_from_slice(&telling);
        write_at(file, &seal::<1>(&words), RECORDS_AT[(sequence & 1) as usize])
    }

    /// The newest whole copy, if it is newer than `after`, and its number.
    pub(super) fn read_from(file: &File, after: u64) -> io::Result<Option<(u64, Self)>> {
        let mut newest = None;
        for at in RECORDS_AT {
            let known = newest.map_or(after, |(sequence, _)| sequence);
            // most of the time there is nothing new
            let Some(sequence) = read_words(file, 1, at)? else { continue };
            if to_words(&sequence).all(|sequence| sequence <= known) {
                continue;
            }
            let Some(bytes) = read_words(file, RECORD_WORDS, at)? else { continue };
            let Some(words) = unseal::<1>(&bytes) else { continue };
            if words[0] > known
                && let Some(telling) = Self::decode(&words[2..])
            {
                newest = Some((words[0], telling));
            }
        }
        Ok(newest)
    }
}

/// A run of frames that follow each other, as they entered and as they left.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Chunk {
    /// Counts from one.
    pub(super) number: u64,
    /// The segment, as the instance counts them.
    pub(super) pass: u64,
    /// The first frame's position on the timeline, if it has one.
    pub(super) position: Option<i64>,
    /// The settings that made it; the counter is the first frame's.
    pub(super) mark: Mark,
    /// Left and right as `f32` in a word, at most [`CHUNK_FRAMES`].
    pub(super) input: Vec<u64>,
    /// As many.
    pub(super) output: Vec<u64>,
}

/// No position.
const LIVE: i64 = i64::MIN;

impl Chunk {
    fn offset(number: u64) -> u64 {
        AUDIO_AT + (number % CHUNKS) * CHUNK_BYTES
    }

    /// Writes it over the one [`CHUNKS`] before it.
    pub(super) fn write_to(&self, file: &File) -> io::Result<()> {
        let mut words = Vec::with_capacity(CHUNK_HEADER + 2 * CHUNK_FRAMES);
        let position = self.position.unwrap_or(LIVE).cast_unsigned();
        let Mark { counter, revision, level } = self.mark;
        let frames = self.input.len() as u64;
        words.extend([self.number, self.pass, position, counter, revision, level.0.to_bits(), frames, 0]);
        words.extend(&self.input);
        words.extend(&self.output);
        write_at(file, &seal::<{ CHUNK_HEADER - 1 }>(&words), Self::offset(self.number))
    }

    /// Number `number`, if it is there and whole.
    pub(super) fn read_from(file: &File, number: u64) -> io::Result<Option<Self>> {
        let at = Self::offset(number);
        let Some(header) = read_words(file, CHUNK_HEADER, at)? else { return Ok(None) };
        let header: Vec<u64> = to_words(&header).collect();
        let frames = header[CHUNK_HEADER - 2];
        // most of the time it is not there yet
        if number == 0 || header[0] != number || frames > CHUNK_FRAMES as u64 {
            return Ok(None);
        }
        let Some(bytes) = read_words(file, CHUNK_HEADER + 2 * frames as usize, at)? else { return Ok(None) };
        let Some(mut words) = unseal::<{ CHUNK_HEADER - 1 }>(&bytes) else { return Ok(None) };
        let mut frames = words.split_off(CHUNK_HEADER);
        let &[number, pass, position, counter, revision, level, _, _] = words.as_slice() else {
            return Ok(None);
        };
        let (position, level) = (position.cast_signed(), Db(f64::from_bits(level)));
        // it may have changed since the first look
        if number != header[0] || !level.0.is_finite() {
            return Ok(None);
        }
        let output = frames.split_off(frames.len() / 2);
        let position = (position != LIVE).then_some(position);
        Ok(Some(Self {
            number,
            pass,
            position,
            mark: Mark { counter, revision, level },
            input: frames,
            output,
        }))
    }
}

/// The words as bytes, with the CRC-32 of all other bytes in word `AT`.
fn seal<const AT: usize>(words: &[u64]) -> Vec<u8> {
    let mut bytes = vec![0; 8 * words.len()];
    let (chunks, _) = bytes.as_chunks_mut::<8>();
    for (bytes, word) in chunks.iter_mut().zip(words) {
        *bytes = word.to_le_bytes();
    }
    let crc = checksum::<AT>(&bytes);
    bytes[8 * AT..8 * AT + 8].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// The words in bytes that are as they were written.
fn unseal<const AT: usize>(bytes: &[u8]) -> Option<Vec<u64>> {
    let words: Vec<u64> = to_words(bytes).collect();
    (words.get(AT) == Some(&checksum::<AT>(bytes))).then_some(words)
}

/// CRC-32 of all bytes but those of word `AT`.
fn checksum<const AT: usize>(bytes: &[u8]) -> u64 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(bytes.get(..8 * AT).unwrap_or_default());
    hasher.update(bytes.get(8 * AT + 8..).unwrap_or_default());
    u64::from(hasher.finalize())
}

fn to_words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes))
}

/// The bytes of `count` words; `None` if the file ends before them.
fn read_words(file: &File, count: usize, at: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; 8 * count];
    match read_at(file, &mut bytes, at) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        outcome => outcome.map(|()| Some(bytes)),
    }
}
