//! Layout of an instance's file.
//!
//! | offset | contents |
//! |---|---|
//! | 0 | header: version, process and instance; written once |
//! | 4096, 16384 | two copies of the record, written in turn: one of them is always complete |
//! | 28672 | audio: [`MAX_CHUNKS`] chunks of up to [`CHUNK_FRAMES`] frames, written in a circle |
//!
//! All values are little-endian 64-bit words. Header, record and chunk each have a CRC-32 over all their other words, so
//! whatever a killed writer, a full disk or another program has left there is detected.

use super::checked_dir::{read_at, write_at};
use crate::audio_ring::SettingsMark;
use crate::identity::{InstanceId, ProcessIdentity};
use crate::records::{
    BLOCK_STATUS_WORDS, BlockStatus, INSTANCE_INFO_WORDS, InstanceInfo, PublishedSettings, SETTINGS_WORDS,
    STEM_READINGS_WORDS, StemReadings,
};
use crate::request::{OUTBOX_WORDS, Outbox};
use crate::slot::Presence;
use crate::summary::{SUMMARY_WORDS, SessionSummary};
use crate::wire::{Decoder, Encoder, WireValue};
use std::fs::File;
use std::io;
use units::Db;

#[cfg(test)]
mod tests;

/// Version of the layout and of all records, raised with every change of them.
pub const PROTOCOL_VERSION: u64 = 2;

/// First word of every file.
const MAGIC: u64 = u64::from_le_bytes(*b"STEMLINK");

/// Stems of other processes that a Master can listen to.
pub(super) const MAX_WANTED_STEMS: usize = 32;

/// Frames of a full chunk.
pub(super) const CHUNK_FRAMES: usize = 1024;

/// Chunks in a file: five seconds at 48 kHz.
pub(super) const MAX_CHUNKS: u64 = 256;

/// Offsets of the two copies of the record, bytes.
const RECORD_OFFSETS: [u64; 2] = [4096, 16_384];
/// Offset of the first chunk of audio, bytes.
pub(super) const AUDIO_OFFSET: u64 = 28_672;

const HEADER_WORDS: usize = 8;
const RECORD_WORDS: usize = 4
    + MAX_WANTED_STEMS
    + INSTANCE_INFO_WORDS
    + BLOCK_STATUS_WORDS
    + STEM_READINGS_WORDS
    + OUTBOX_WORDS
    + SUMMARY_WORDS
    + SETTINGS_WORDS;
/// Words of a record with its sequence number and CRC.
const SEALED_RECORD_WORDS: usize = 2 + RECORD_WORDS;
const CHUNK_HEADER_WORDS: usize = 9;
pub(super) const CHUNK_BYTES: u64 = 8 * (CHUNK_HEADER_WORDS + 2 * CHUNK_FRAMES) as u64;

const _: () = assert!(RECORD_OFFSETS[0] + 8 * SEALED_RECORD_WORDS as u64 <= RECORD_OFFSETS[1]);
const _: () = assert!(RECORD_OFFSETS[1] + 8 * SEALED_RECORD_WORDS as u64 <= AUDIO_OFFSET);

/// Header of a file, the same in every version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileHeader {
    /// [`PROTOCOL_VERSION`] of the writer.
    pub(super) version: u64,
    /// Number that identifies one stay of an instance in the link.
    pub(super) key: u64,
    /// The process that owns the file.
    pub(super) process: ProcessIdentity,
}

impl FileHeader {
    pub(super) fn write_to(&self, file: &File) -> io::Result<()> {
        let ProcessIdentity { boot, pid, start, nonce } = self.process;
        let words = [MAGIC, self.version, self.key, boot, pid, start, nonce, 0];
        write_at(file, &seal::<{ HEADER_WORDS - 1 }>(&words), 0)
    }

    /// Reads the header; `None` if the file has none.
    pub(super) fn read_from(file: &File) -> io::Result<Option<Self>> {
        let Some(bytes) = read_words(file, HEADER_WORDS, 0)? else { return Ok(None) };
        let Some(words) = unseal::<{ HEADER_WORDS - 1 }>(&bytes) else { return Ok(None) };
        let &[MAGIC, version, key, boot, pid, start, nonce, _] = words.as_slice() else { return Ok(None) };
        Ok(Some(Self { version, key, process: ProcessIdentity { boot, pid, start, nonce } }))
    }
}

/// Values that an instance publishes to other processes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WireRecord {
    pub(super) id: InstanceId,
    pub(super) presence: Presence,
    /// Number of the last chunk of audio, counted from one.
    pub(super) last_chunk: u64,
    /// Keys of the instances whose audio it needs; unused ones are zero.
    pub(super) wanted_stems: [u64; MAX_WANTED_STEMS],
    pub(super) info: InstanceInfo,
    pub(super) block_status: BlockStatus,
    pub(super) readings: StemReadings,
    pub(super) outbox: Outbox,
    pub(super) summary: SessionSummary,
    pub(super) settings: PublishedSettings,
}

impl WireValue for WireRecord {
    fn write_to(&self, encoder: &mut Encoder<'_>) {
        encoder.push_word(self.id.get());
        encoder.push_word(self.presence as u64);
        encoder.push_word(self.last_chunk);
        self.wanted_stems.iter().for_each(|&key| encoder.push_word(key));
        self.info.write_to(encoder);
        self.block_status.write_to(encoder);
        self.readings.write_to(encoder);
        self.outbox.write_to(encoder);
        self.summary.write_to(encoder);
        self.settings.write_to(encoder);
    }

    fn read_from(decoder: &mut Decoder<'_>) -> Option<Self> {
        let id = decoder.next_instance()?;
        let presence = Presence::ALL[decoder.next_index(Presence::ALL.len())?];
        let last_chunk = decoder.next_word()?;
        let mut wanted_stems = [0; MAX_WANTED_STEMS];
        for key in &mut wanted_stems {
            *key = decoder.next_word()?;
        }
        Some(Self {
            id,
            presence,
            last_chunk,
            wanted_stems,
            info: WireValue::read_from(decoder)?,
            block_status: WireValue::read_from(decoder)?,
            readings: WireValue::read_from(decoder)?,
            outbox: WireValue::read_from(decoder)?,
            summary: WireValue::read_from(decoder)?,
            settings: WireValue::read_from(decoder)?,
        })
    }
}

impl WireRecord {
    /// Writes the record with this sequence number, over the older of the two copies.
    pub(super) fn write_file(&self, file: &File, sequence: u64) -> io::Result<()> {
        let record: [u64; RECORD_WORDS] = self.encode();
        let mut words = [0; SEALED_RECORD_WORDS];
        words[0] = sequence;
        words[2..].copy_from_slice(&record);
        write_at(file, &seal::<1>(&words), RECORD_OFFSETS[(sequence & 1) as usize])
    }

    /// Reads the newest complete copy with a sequence number above `after`, and that number.
    pub(super) fn read_file(file: &File, after: u64) -> io::Result<Option<(u64, Self)>> {
        let mut newest = None;
        for at in RECORD_OFFSETS {
            let known = newest.map_or(after, |(sequence, _)| sequence);
            // usually there is no new one
            let Some(sequence) = read_words(file, 1, at)? else { continue };
            if to_words(&sequence).all(|sequence| sequence <= known) {
                continue;
            }
            let Some(bytes) = read_words(file, SEALED_RECORD_WORDS, at)? else { continue };
            let Some(words) = unseal::<1>(&bytes) else { continue };
            if words[0] > known
                && let Some(record) = Self::decode(&words[2..])
            {
                newest = Some((words[0], record));
            }
        }
        Ok(newest)
    }
}

/// Frames that follow each other, before and after the chain.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct AudioChunk {
    /// Number of the chunk, counted from one.
    pub(super) number: u64,
    /// Number of the segment, counted by the instance.
    pub(super) pass: u64,
    /// Position of the first frame on the timeline; `None` while live.
    pub(super) position: Option<i64>,
    /// Settings of the frames; the counter is the first frame's.
    pub(super) mark: SettingsMark,
    /// Frames before the chain, at most [`CHUNK_FRAMES`], as words of an audio ring: left and right as `f32`.
    pub(super) input: Vec<u64>,
    /// The same frames after the chain.
    pub(super) output: Vec<u64>,
}

/// Position of a chunk that has none.
const NO_POSITION: i64 = i64::MIN;

impl AudioChunk {
    fn offset(number: u64) -> u64 {
        AUDIO_OFFSET + (number % MAX_CHUNKS) * CHUNK_BYTES
    }

    /// Writes the chunk over the one [`MAX_CHUNKS`] before it.
    pub(super) fn write_to(&self, file: &File) -> io::Result<()> {
        let mut words = Vec::with_capacity(CHUNK_HEADER_WORDS + 2 * CHUNK_FRAMES);
        let position = self.position.unwrap_or(NO_POSITION).cast_unsigned();
        let SettingsMark { counter, revision, level, trim } = self.mark;
        let (level, trim) = (level.0.to_bits(), trim.0.to_bits());
        let frames = self.input.len() as u64;
        words.extend([self.number, self.pass, position, counter, revision, level, trim, frames, 0]);
        words.extend(&self.input);
        words.extend(&self.output);
        write_at(file, &seal::<{ CHUNK_HEADER_WORDS - 1 }>(&words), Self::offset(self.number))
    }

    /// Reads the chunk with this number; `None` if it is not in the file or incomplete.
    pub(super) fn read_from(file: &File, number: u64) -> io::Result<Option<Self>> {
        let at = Self::offset(number);
        let Some(header) = read_words(file, CHUNK_HEADER_WORDS, at)? else { return Ok(None) };
        let header: Vec<u64> = to_words(&header).collect();
        let frames = header[CHUNK_HEADER_WORDS - 2];
        // usually it is not written yet
        if number == 0 || header[0] != number || frames > CHUNK_FRAMES as u64 {
            return Ok(None);
        }
        let Some(bytes) = read_words(file, CHUNK_HEADER_WORDS + 2 * frames as usize, at)? else {
            return Ok(None);
        };
        let Some(mut words) = unseal::<{ CHUNK_HEADER_WORDS - 1 }>(&bytes) else { return Ok(None) };
        let mut frames = words.split_off(CHUNK_HEADER_WORDS);
        let &[number, pass, position, counter, revision, level, trim, _, _] = words.as_slice() else {
            return Ok(None);
        };
        let (position, level) = (position.cast_signed(), Db(f64::from_bits(level)));
        let trim = Db(f64::from_bits(trim));
        // it may have changed since the header was read
        if number != header[0] || !level.0.is_finite() || !trim.0.is_finite() {
            return Ok(None);
        }
        let output = frames.split_off(frames.len() / 2);
        let position = (position != NO_POSITION).then_some(position);
        Ok(Some(Self {
            number,
            pass,
            position,
            mark: SettingsMark { counter, revision, level, trim },
            input: frames,
            output,
        }))
    }
}

/// Returns the words as bytes, with the CRC-32 of all other bytes in word `AT`.
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

/// Returns the words of `bytes`; `None` if the CRC-32 in word `AT` is wrong.
fn unseal<const AT: usize>(bytes: &[u8]) -> Option<Vec<u64>> {
    let words: Vec<u64> = to_words(bytes).collect();
    (words.get(AT) == Some(&checksum::<AT>(bytes))).then_some(words)
}

/// Returns the CRC-32 of all bytes but those of word `AT`.
fn checksum<const AT: usize>(bytes: &[u8]) -> u64 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(bytes.get(..8 * AT).unwrap_or_default());
    hasher.update(bytes.get(8 * AT + 8..).unwrap_or_default());
    u64::from(hasher.finalize())
}

fn to_words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes))
}

/// Reads the bytes of `count` words at offset `at`; `None` if the file ends before them.
fn read_words(file: &File, count: usize, at: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; 8 * count];
    match read_at(file, &mut bytes, at) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        outcome => outcome.map(|()| Some(bytes)),
    }
}
