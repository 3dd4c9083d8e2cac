//! The binary chunks beside `axml`: `chna`, which ties tracks to it, and `dbmd`, which says how to play them.
//!
//! Sources: BS.2088-1 (chna); EBU Tech 3285 supplement 6 and Dolby's published parser of the segments 9 and 10 (dbmd).

use super::axml::Ids;
use super::plan::AtmosTrack;
use project::placement::Binaural;

/// The content of `chna`.
pub(super) fn chna(tracks: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 + 40 * tracks);
    bytes.extend((tracks as u16).to_le_bytes());
    bytes.extend((tracks as u16).to_le_bytes());
    for i in 0..tracks {
        let Ids { uid, track, pack, .. } = Ids::of(i);
        bytes.extend((i as u16 + 1).to_le_bytes());
        bytes.extend(field::<12>(&uid));
        bytes.extend(field::<14>(&track));
        bytes.extend(field::<11>(&pack));
        bytes.push(0);
    }
    bytes
}

/// Text in a field of zeros.
fn field<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [0; N];
    for (to, from) in field.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    field
}

/// The version of the layout, as Dolby's samples have it.
const DBMD_VERSION: u32 = 0x0100_0006;
/// The mark at the start of segment 10.
pub(super) const SUPPLEMENT: u32 = 0xf872_6fbd;
/// Speaker layouts for which segment 10 has a trim.
const TRIMS: usize = 9;
/// Bytes of a trim.
const TRIM: usize = 15;
/// Not indicated: head tracking of an object.
const HEAD_TRACKING_UNSET: u8 = 2 << 6;

/// The content of `dbmd`. Nothing in it claims that another maker's tool made the file.
pub(super) fn dbmd(tracks: &[AtmosTrack]) -> Vec<u8> {
    let mut bytes = DBMD_VERSION.to_le_bytes().to_vec();
    segment(&mut bytes, 7, &digital_plus());
    segment(&mut bytes, 9, &atmos());
    segment(&mut bytes, 10, &supplement(tracks));
    bytes.push(0);
    bytes
}

fn segment(bytes: &mut Vec<u8>, id: u8, payload: &[u8]) {
    bytes.push(id);
    bytes.extend((payload.len() as u16).to_le_bytes());
    bytes.extend(payload);
    bytes.push(checksum(payload));
}

/// The byte that makes length and payload sum to zero.
pub(super) fn checksum(payload: &[u8]) -> u8 {
    let sum = payload.iter().fold(payload.len() as u8, |sum, byte| sum.wrapping_add(*byte));
    sum.wrapping_neg()
}

/// Segment 7, how a 5.1 stream made of the file is described: complete main, 3/2 with LFE, original; centre and
/// surrounds folded down at -3 dB; nothing else indicated.
fn digital_plus() -> [u8; 96] {
    const LFE_ON: u8 = 1 << 6;
    const THREE_TWO: u8 = 7;
    const ORIGINAL: u8 = 1 << 5;
    const MINUS_3_DB: u8 = 0b100;
    let mut payload = [0; 96];
    payload[1] = LFE_ON | THREE_TWO;
    payload[5] = ORIGINAL;
    payload[8] = MINUS_3_DB << 3 | MINUS_3_DB;
    payload[9] = MINUS_3_DB << 3 | MINUS_3_DB;
    payload
}

/// Segment 9: who made the file, its frame rate, how heights fold down.
fn atmos() -> [u8; 248] {
    /// 24 frames a second, which music takes.
    const FPS_24: u8 = 2;
    const NO_FIRST_ACTION: u8 = 0xff;
    const WARP_UNSET: u8 = 4;
    let mut payload = [0; 248];
    payload[..32].copy_from_slice(&field::<32>("Created with Stemlink"));
    payload[32..96].copy_from_slice(&field::<64>("Stemlink"));
    let version =
        [env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH")];
    for (byte, number) in payload[96..99].iter_mut().zip(version) {
        *byte = number.parse().unwrap_or(0);
    }
    payload[111] = FPS_24;
    payload[112] = NO_FIRST_ACTION;
    payload[152] = WARP_UNSET;
    payload
}

/// Segment 10: automatic trims, and how near each track is on headphones.
fn supplement(tracks: &[AtmosTrack]) -> Vec<u8> {
    let mut payload = SUPPLEMENT.to_le_bytes().to_vec();
    payload.extend((tracks.len() as u16).to_le_bytes());
    payload.push(0);
    for _ in 0..TRIMS {
        payload.push(1);
        payload.extend([0; TRIM - 1]);
    }
    // No track is left out of the trims.
    payload.resize(payload.len() + tracks.len(), 0);
    payload.extend(tracks.iter().map(|track| HEAD_TRACKING_UNSET | binaural_code(track.binaural)));
    payload
}

/// The code of a binaural distance in segment 10.
fn binaural_code(binaural: Binaural) -> u8 {
    match binaural {
        Binaural::Off => 0,
        Binaural::Near => 1,
        Binaural::Far => 2,
        Binaural::Mid => 3,
        Binaural::Unset => 4,
    }
}
