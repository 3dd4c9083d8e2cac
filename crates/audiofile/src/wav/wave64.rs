//! The chunks of Sony Wave64: those of WAV with GUIDs for names, 64-bit sizes that include the header, and eight-byte places.
//!
//! Source: Sonic Foundry, "Sony Wave64 file format" (whitepaper).

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::chunks::{ChunkSpan, Chunks};
use crate::error::{Error, Result};
use crate::info::Container;
use crate::pcm::read_up_to;

/// The GUID `riff`, with which a file begins.
pub(super) const RIFF: [u8; 16] =
    [b'r', b'i', b'f', b'f', 0x2e, 0x91, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0, 0];
/// The GUID `wave`, behind it and the size of the file.
const WAVE: [u8; 16] =
    [b'w', b'a', b'v', b'e', 0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1, 0, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a];
/// GUID and size.
const HEADER: u64 = 24;
/// Bytes before the first chunk.
const START: u64 = 40;
/// More chunks than any real file has.
const MAX_CHUNKS: usize = 4096;

/// Walks over all chunks of the file, which is `file_len` bytes long.
pub(super) fn walk(inner: &mut (impl Read + Seek), path: &Path, file_len: u64) -> Result<Chunks> {
    let mut read = |at: u64, bytes: &mut [u8]| {
        inner.seek(SeekFrom::Start(at)).and_then(|_| read_up_to(inner, bytes)).map_err(Error::read(path))
    };
    let mut kind = [0; 16];
    if read(HEADER, &mut kind)? < 16 || kind != WAVE {
        return Err(Error::not_audio(path, "it is a Wave64 file without audio"));
    }
    let mut chunks = Chunks { container: Container::Wave64, spans: Vec::new(), warnings: Vec::new() };
    let mut at = START;
    for _ in 0..MAX_CHUNKS {
        let mut header = [0; HEADER as usize];
        if read(at, &mut header)? < header.len() {
            break;
        }
        let [a, b, c, d, ..] = header;
        let size = u64::from_le_bytes(header[16..].try_into().expect("eight bytes"));
        let position = at + HEADER;
        let present = file_len.saturating_sub(position);
        let id = [a, b, c, d];
        let unknown = size < HEADER || size > i64::MAX as u64 - 8;
        if unknown && id != *b"data" {
            chunks.warnings.push(format!("bytes after {at} are no chunks and are ignored"));
            break;
        }
        let declared = if unknown || size == i64::MAX as u64 { present } else { size - HEADER };
        if unknown {
            chunks.warnings.push(format!(
                "declares no length (it was streamed or its recording broke off); {present} bytes of audio found"
            ));
        }
        let span = ChunkSpan { id, position, len: declared.min(present), declared };
        chunks.spans.push(span);
        at = (position + span.len).next_multiple_of(8);
    }
    Ok(chunks)
}

#[cfg(test)]
mod tests {
    use super::super::build::{format, open, read_all, samples};
    use super::super::format::PCM;
    use super::*;

    fn chunk(name: &[u8; 4], size: Option<u64>, content: &[u8]) -> Vec<u8> {
        let mut bytes = [&name[..], &WAVE[4..]].concat();
        bytes.extend(size.unwrap_or(HEADER + content.len() as u64).to_le_bytes());
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    fn file(data_size: Option<u64>) -> Vec<u8> {
        let parts = [
            chunk(b"fmt ", None, &format(PCM, 1, 16)),
            chunk(b"fact", None, &[0; 5]),
            chunk(b"data", data_size, &samples(&[1, -2, 3])),
            chunk(b"list", None, &[0; 3]),
        ]
        .concat();
        [&RIFF[..], &(START + parts.len() as u64).to_le_bytes(), &WAVE, &parts].concat()
    }

    #[test]
    fn samples_and_container_are_found() {
        assert_eq!(read_all(&file(None)), (vec![vec![1.0, -2.0, 3.0]], vec![]));
        assert_eq!(open(&file(None)).expect("opens").info().container, Container::Wave64);
    }

    #[test]
    fn cut_off_and_streamed_files_give_what_they_have_and_say_so() {
        let whole = file(None);
        let cut = whole.len() - 32 - 2 - 2;
        let (planes, warnings) = read_all(&whole[..cut]);
        assert_eq!(planes, [[1.0, -2.0]]);
        assert_eq!(warnings, ["is cut off: 2 frames found of 3 declared"]);
        let (planes, warnings) = read_all(&file(Some(u64::MAX)));
        assert_eq!(planes[0][..3], [1.0, -2.0, 3.0]);
        assert!(warnings[0].contains("declares no length"), "{warnings:?}");
    }
}
