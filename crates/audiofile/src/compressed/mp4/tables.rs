//! Sample tables: where every packet lies.

use super::boxes::{Mp4Track, long, word};
use crate::compressed::Piece;

/// The packets of a stream.
pub(super) struct PacketTable {
    pub(super) pieces: Vec<Piece>,
    /// Packets that lie beyond the end of the file.
    pub(super) missing: u64,
}

/// Places every packet. Nothing is allocated for more than the tables and the file can hold.
pub(super) fn packets(track: &Mp4Track<'_>, file_len: u64) -> std::result::Result<PacketTable, &'static str> {
    let sizes = track.table(b"stsz").ok_or("its table of sizes (stsz) is missing")?;
    let equal = word(sizes, 4).ok_or("its table of sizes (stsz) is cut off")?;
    let count = u64::from(word(sizes, 8).ok_or("its table of sizes (stsz) is cut off")?);
    let size_of = |index: u64| match equal {
        0 => word(sizes, usize::try_from(index).ok()?.checked_mul(4)?.checked_add(12)?),
        size => Some(size),
    };
    let (chunks, wide) = match (track.table(b"stco"), track.table(b"co64")) {
        (Some(table), _) => (table, false),
        (None, Some(table)) => (table, true),
        _ => return Err("its table of places (stco) is missing"),
    };
    let runs =
        track.table(b"stsc").and_then(|table| table.get(8..)).ok_or("its table of runs (stsc) is missing")?;
    let runs = runs.as_chunks::<12>().0;
    let mut table = PacketTable { pieces: Vec::new(), missing: 0 };
    let (mut index, mut run, mut bytes) = (0, 0, 0u64);
    for chunk in 0u32.. {
        let at = 8 + chunk as usize * if wide { 8 } else { 4 };
        let place = if wide { long(chunks, at) } else { word(chunks, at).map(u64::from) };
        let Some(mut place) = place.filter(|_| index < count) else { break };
        let first = |run: usize| runs.get(run).and_then(|entry| word(entry, 0));
        while first(run + 1).is_some_and(|first| first <= chunk + 1) {
            run += 1;
        }
        let in_chunk =
            runs.get(run).and_then(|entry| word(entry, 4)).ok_or("its table of runs (stsc) is empty")?;
        for _ in 0..in_chunk {
            if index == count {
                break;
            }
            let len = size_of(index).ok_or("its table of sizes (stsz) is cut off")?;
            index += 1;
            let end = place.saturating_add(u64::from(len));
            bytes = bytes.saturating_add(u64::from(len));
            if end > file_len || table.missing > 0 {
                table.missing = count - table.pieces.len() as u64;
                return Ok(table);
            }
            if bytes > file_len || len == 0 {
                return Err("its tables do not fit the file");
            }
            table.pieces.push(Piece { at: place, len, last: true });
            place = end;
        }
    }
    Ok(table)
}
