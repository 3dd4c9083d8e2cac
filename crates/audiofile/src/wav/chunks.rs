//! The chunks of a RIFF file: where each one really lies.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::{Error, Result, code, ffmpeg};
use crate::info::Container;
use crate::pcm::read_up_to;

/// One chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkSpan {
    /// Its four characters.
    pub id: [u8; 4],
    /// Byte in the file at which its content starts.
    pub position: u64,
    /// Bytes of content that are in the file.
    pub len: u64,
    /// Bytes of content that it declares; more than `len` in a truncated file.
    pub declared: u64,
}

/// The chunks of one file, in the order of the file.
#[derive(Clone, Debug)]
pub(super) struct Chunks {
    pub(super) container: Container,
    pub(super) spans: Vec<ChunkSpan>,
    pub(super) warnings: Vec<String>,
}

/// More chunks than any real file has.
const MAX_CHUNKS: usize = 4096;

/// A chunk size that says: unknown, or look into `ds64`.
const OPEN_ENDED: u32 = u32::MAX;

/// The 64-bit sizes of RF64 and BW64.
struct Sizes64 {
    data: u64,
    /// Sizes of other chunks, in their order.
    table: Vec<([u8; 4], u64)>,
}

impl Chunks {
    /// Walks over all chunks of the file, which is `file_len` bytes long.
    pub(super) fn walk(inner: &mut (impl Read + Seek), path: &Path, file_len: u64) -> Result<Self> {
        let container = container(inner, path)?;
        if container == Container::Wave64 {
            return super::wave64::walk(inner, path, file_len);
        }
        let mut chunks = Self { container, spans: Vec::new(), warnings: Vec::new() };
        let mut sizes = None;
        let mut position = 12;
        while let Some((id, size)) = header(inner, path, position)? {
            if chunks.spans.len() == MAX_CHUNKS {
                chunks.warn(format!(
                    "holds more than {MAX_CHUNKS} chunks; those after byte {position} are ignored"
                ));
                break;
            }
            if !plausible(id) {
                if chunks.has_data() {
                    chunks.warn(format!("bytes after {position} are no chunks and are ignored"));
                }
                break;
            }
            if chunks.has_data() && [*b"RIFF", *b"RF64", *b"BW64"].contains(&id) {
                chunks.warn(format!(
                    "holds a second {} file behind the first, {} bytes, which is not read",
                    code(id),
                    file_len - position
                ));
                break;
            }
            let span = chunks.span(inner, path, (id, size), position + 8, file_len, &mut sizes)?;
            chunks.spans.push(span);
            position = next(inner, path, span.position + span.len)?;
        }
        Ok(chunks)
    }

    /// The first chunk with this id.
    pub(super) fn find(&self, id: &[u8; 4]) -> Option<ChunkSpan> {
        self.spans.iter().copied().find(|span| span.id == *id)
    }

    fn has_data(&self) -> bool {
        self.find(b"data").is_some()
    }

    fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// The chunk whose header has just been read, with its size put right.
    fn span(
        &mut self,
        inner: &mut (impl Read + Seek),
        path: &Path,
        (id, size): ([u8; 4], u32),
        position: u64,
        file_len: u64,
        sizes: &mut Option<Sizes64>,
    ) -> Result<ChunkSpan> {
        let present = file_len.saturating_sub(position);
        let large = self.container != Container::Wav;
        if large && id == *b"ds64" && sizes.is_none() {
            *sizes = ds64(inner, path, position, u64::from(size).min(present))?;
        }
        let mut declared = u64::from(size);
        let mut found = false;
        if large
            && (size == OPEN_ENDED || size == 0)
            && let Some(sizes) = sizes
        {
            if id == *b"data" {
                (declared, found) = (sizes.data, true);
            } else if let Some(at) = sizes.table.iter().position(|(of, _)| *of == id) {
                (declared, found) = (sizes.table.remove(at).1, true);
            }
        }
        let is_audio = id == *b"data" && !self.has_data();
        if is_audio {
            let unknown = size == OPEN_ENDED && !found;
            let unclosed = declared == 0 && present > 0 && !chunk_follows(inner, path, position, present)?;
            if unknown || unclosed {
                self.warn(format!(
                    "declares no length (it was streamed or its recording broke off); {present} bytes of audio found"
                ));
                declared = present;
            }
        } else if id == *b"data" {
            self.warn("holds a second data chunk, which is ignored".into());
        } else if declared > present && !self.has_data() {
            self.warn(format!("its {} chunk is longer than the file", code(id)));
        }
        Ok(ChunkSpan { id, position, len: declared.min(present), declared })
    }
}

/// The kind of RIFF file; reads the first twelve bytes.
fn container(inner: &mut (impl Read + Seek), path: &Path) -> Result<Container> {
    let mut head = [0; 12];
    inner.seek(SeekFrom::Start(0)).map_err(Error::read(path))?;
    let len = read_up_to(inner, &mut head).map_err(Error::read(path))?;
    if len == 0 {
        return Err(Error::not_audio(path, "it is empty"));
    }
    let container = match &head[..4] {
        b"RIFF" => Container::Wav,
        b"RF64" => Container::Rf64,
        b"BW64" => Container::Bw64,
        b"riff" if head[4..] == super::wave64::RIFF[4..12] => return Ok(Container::Wave64),
        b"RIFX" | b"FFIR" => {
            return Err(Error::unsupported(path, "big-endian RIFX", ffmpeg(path)));
        }
        _ => return Err(Error::not_audio(path, "it starts with something else")),
    };
    if len < 12 {
        return Err(Error::not_audio(path, format!("it ends after {len} bytes")));
    }
    if head[8..] != *b"WAVE" {
        let kind = head[8..].escape_ascii().to_string();
        return Err(Error::not_audio(path, format!("it is a RIFF file of the kind {kind}")));
    }
    Ok(container)
}

/// The chunk header at `position`; none at the end of the file.
fn header(inner: &mut (impl Read + Seek), path: &Path, position: u64) -> Result<Option<([u8; 4], u32)>> {
    let mut bytes = [0; 8];
    inner.seek(SeekFrom::Start(position)).map_err(Error::read(path))?;
    let len = read_up_to(inner, &mut bytes).map_err(Error::read(path))?;
    let [a, b, c, d, size @ ..] = bytes;
    Ok((len == 8).then_some(([a, b, c, d], u32::from_le_bytes(size))))
}

/// The start of the chunk after one that ends at `end`: the next even byte, as it should be, unless the writer
/// forgot the pad byte.
fn next(inner: &mut (impl Read + Seek), path: &Path, end: u64) -> Result<u64> {
    if end.is_multiple_of(2) {
        return Ok(end);
    }
    let rank = |header: Option<([u8; 4], u32)>| match header {
        Some((id, _)) if known(id) => 2,
        Some((id, _)) if plausible(id) => 1,
        _ => 0,
    };
    let (padded, unpadded) = (rank(header(inner, path, end + 1)?), rank(header(inner, path, end)?));
    Ok(if unpadded > padded { end } else { end + 1 })
}

/// True if another chunk starts at `position`, not audio.
fn chunk_follows(inner: &mut (impl Read + Seek), path: &Path, position: u64, present: u64) -> Result<bool> {
    Ok(header(inner, path, position)?
        .is_some_and(|(id, size)| plausible(id) && u64::from(size) <= present.saturating_sub(8)))
}

fn ds64(inner: &mut (impl Read + Seek), path: &Path, position: u64, len: u64) -> Result<Option<Sizes64>> {
    // riff size, data size, frames, entries of the table; then the entries of 12 bytes.
    let mut bytes = [0; 28 + 12 * 64];
    inner.seek(SeekFrom::Start(position)).map_err(Error::read(path))?;
    let most = bytes.len().min(usize::try_from(len).unwrap_or(usize::MAX));
    let len = read_up_to(inner, &mut bytes[..most]).map_err(Error::read(path))?;
    if len < 24 {
        return Ok(None);
    }
    let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    let entries = u32::from_le_bytes(bytes[24..28].try_into().expect("four bytes"));
    let table = bytes[28..len.max(28)]
        .chunks_exact(12)
        .take(usize::try_from(entries).unwrap_or(usize::MAX))
        .map(|entry| {
            let (id, size) = entry.split_at(4);
            (id.try_into().expect("four bytes"), u64::from_le_bytes(size.try_into().expect("eight bytes")))
        })
        .collect();
    Ok(Some(Sizes64 { data: u64_at(8), table }))
}

/// True if `id` can be that of a chunk: printable ASCII.
fn plausible(id: [u8; 4]) -> bool {
    id.iter().all(|byte| (b' '..=b'~').contains(byte))
}

fn known(id: [u8; 4]) -> bool {
    const KNOWN: [&[u8; 4]; 22] = [
        b"fmt ", b"data", b"fact", b"LIST", b"bext", b"JUNK", b"junk", b"FLLR", b"PAD ", b"axml", b"chna",
        b"iXML", b"cue ", b"smpl", b"inst", b"plst", b"PEAK", b"id3 ", b"ID3 ", b"_PMX", b"dbmd", b"umid",
    ];
    KNOWN.contains(&&id)
}
