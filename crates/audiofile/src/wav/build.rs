//! WAV files byte by byte, for the tests.

use std::io::Cursor;

use super::format::{EXTENSIBLE, GUID_REST, PCM};
use super::read::WavReader;
use crate::Result;

/// A chunk with its size and its pad byte.
pub(super) fn chunk(id: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut bytes = sized(id, content.len() as u32, content);
    if !content.len().is_multiple_of(2) {
        bytes.push(0);
    }
    bytes
}

/// A chunk that declares any size, not padded.
pub(super) fn sized(id: &[u8; 4], size: u32, content: &[u8]) -> Vec<u8> {
    [&id[..], &size.to_le_bytes(), content].concat()
}

/// A file of the given parts.
pub(super) fn file(id: &[u8; 4], parts: &[Vec<u8>]) -> Vec<u8> {
    let parts = parts.concat();
    [&id[..], &(parts.len() as u32 + 4).to_le_bytes(), b"WAVE", &parts].concat()
}

/// A RIFF file of the given parts.
pub(super) fn riff(parts: &[Vec<u8>]) -> Vec<u8> {
    file(b"RIFF", parts)
}

/// The content of a 16-byte format chunk at 48 kHz.
pub(super) fn format(tag: u16, channels: u16, bits: u16) -> Vec<u8> {
    let align = channels * bits.div_ceil(8);
    let mut bytes = Vec::new();
    bytes.extend(tag.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(48_000u32.to_le_bytes());
    bytes.extend((48_000 * u32::from(align)).to_le_bytes());
    bytes.extend(align.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes
}

/// A format chunk of 16-bit integers.
pub(super) fn fmt(channels: u16) -> Vec<u8> {
    chunk(b"fmt ", &format(PCM, channels, 16))
}

/// The content of a 40-byte format chunk at 48 kHz.
pub(super) fn extensible(tag: u16, channels: u16, bits: u16, valid: u16, mask: u32) -> Vec<u8> {
    let mut bytes = format(EXTENSIBLE, channels, bits);
    bytes.extend(22u16.to_le_bytes());
    bytes.extend(valid.to_le_bytes());
    bytes.extend(mask.to_le_bytes());
    bytes.extend(tag.to_le_bytes());
    bytes.extend(GUID_REST);
    bytes
}

/// The content of `ds64` without a table.
pub(super) fn ds64(data: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for size in [0, data, 0] {
        bytes.extend(size.to_le_bytes());
    }
    bytes.extend(0u32.to_le_bytes());
    bytes
}

/// 16-bit samples.
pub(super) fn samples(values: &[i16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

pub(super) fn open(bytes: &[u8]) -> Result<WavReader<Cursor<&[u8]>>> {
    WavReader::new(Cursor::new(bytes), "a.wav")
}

/// All samples, in units of 16 bits, one plane for each channel.
pub(super) fn read_all(bytes: &[u8]) -> (Vec<Vec<f64>>, Vec<String>) {
    let mut reader = open(bytes).expect("can be opened");
    let mut planes = vec![Vec::new(); reader.info().channels];
    let frames = reader.read_planar(&mut planes, usize::MAX).expect("can be read");
    assert_eq!(frames as u64, reader.info().frames);
    for sample in planes.iter_mut().flatten() {
        *sample *= 32_768.0;
    }
    (planes, reader.info().warnings.clone())
}

/// Why it cannot be opened.
pub(super) fn fault(bytes: &[u8]) -> String {
    match open(bytes) {
        Ok(_) => panic!("can be opened"),
        Err(error) => error.to_string(),
    }
}
