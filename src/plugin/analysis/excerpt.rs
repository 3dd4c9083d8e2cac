//! Stretches of the timeline out of the rings: the mix, and stems as they were there.

use crate::link::Peer;
use crate::link::ring::Side;

/// Left and right.
pub(super) type Audio = [Vec<f64>; 2];

/// Left and right of `audio` as slices.
pub(super) fn sides(audio: &Audio) -> [&[f64]; 2] {
    [&audio[0], &audio[1]]
}

/// The frames of `peer` from `position` on, as they were played last; `None` if they are not all there in one piece.
pub(super) fn read(peer: Peer, side: Side, position: i64, frames: usize) -> Option<Audio> {
    let ring = peer.audio()?;
    let span = ring.timeline()?.find_last(position).filter(|span| span.frames >= frames as u64)?;
    let mut audio = [vec![0.0; frames], vec![0.0; frames]];
    let [left, right] = &mut audio;
    (ring.read(side, span.counter, [left, right]) && peer.is_there()).then_some(audio)
}

/// The last frames of a Master's mix: where on the timeline they begin, and their audio. A ring's input is as late as the
/// chain's output, so that the two can be compared; here it is where it came in.
pub(super) fn last_of_mix(master: Peer, frames: usize) -> Option<(i64, Audio)> {
    let timeline = master.audio()?.timeline()?;
    let segment = timeline.segments().last().filter(|segment| segment.frames >= frames as u64)?;
    let latency = i64::try_from(master.pulse()?.latency).ok()?;
    let start = segment.position? + (segment.frames - frames as u64) as i64;
    // what the chain still held when the segment began came before it
    let whole = (start - segment.position?) >= latency;
    let audio = read(master, Side::Input, start, frames).filter(|_| whole)?;
    Some((start - latency, audio))
}
