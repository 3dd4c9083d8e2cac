//! Stretches of the timeline out of the rings: the mix, and stems as they were there.

use link::PeerView;
use link::audio_ring::{AudioRing, TapPoint};
use link::slot::Presence;
use link::timeline::Segment;

/// Left and right.
pub(super) type Audio = [Vec<f64>; 2];

/// Left and right of `audio` as slices.
pub(super) fn sides(audio: &Audio) -> [&[f64]; 2] {
    [&audio[0], &audio[1]]
}

/// The frames of `peer` from `position` on, as they were played last; `None` if they are not all there in one piece.
pub(super) fn read(peer: PeerView, side: TapPoint, position: i64, frames: usize) -> Option<Audio> {
    let ring = peer.audio()?;
    let span = ring.timeline()?.find_last(position).filter(|span| span.frames >= frames as u64)?;
    let mut audio = [vec![0.0; frames], vec![0.0; frames]];
    let [left, right] = &mut audio;
    (ring.copy_frames(side, span.counter, [left, right]) && peer.is_present()).then_some(audio)
}

/// Whether `peer` was not called at `position` and after it, so that it is silent there. What its ring has lost is not silence.
pub(super) fn sleeps(peer: PeerView, position: i64) -> bool {
    let Some(timeline) = peer.audio().and_then(AudioRing::timeline) else { return false };
    let end = |last: &Segment| Some(last.position? + last.frames as i64);
    let has_ended = timeline.segments().last().and_then(end).is_some_and(|end| end <= position);
    has_ended || peer.presence() == Presence::Asleep && !timeline.has_played(position)
}

/// The last frames of a Master's mix: where on the timeline they begin, and their audio. A ring's input is as late as the
/// chain's output, so that the two can be compared; here it is where it came in.
pub(super) fn last_of_mix(master: PeerView, frames: usize) -> Option<(i64, Audio)> {
    let timeline = master.audio()?.timeline()?;
    let segment = timeline.segments().last().filter(|segment| segment.frames >= frames as u64)?;
    let latency = i64::try_from(master.block_status()?.latency).ok()?;
    let start = segment.position? + (segment.frames - frames as u64) as i64;
    // what the chain still held when the segment began came before it
    let whole = (start - segment.position?) >= latency;
    let audio = read(master, TapPoint::Input, start, frames).filter(|_| whole)?;
    Some((start - latency, audio))
}

#[cfg(test)]
mod tests {
    use super::*;
    use link::Roster;
    use link::records::InstanceInfo;
    use link::slot::Origin;
    use session::timeline::BlockPosition;
    use units::Hz;

    #[test]
    fn who_has_not_come_that_far_sleeps_and_what_a_ring_has_lost_was_there() {
        static ROSTER: Roster = Roster::new();
        let (mut outlet, mut card) =
            ROSTER.join(Origin::Local, None, &InstanceInfo::default()).expect("there is room");
        let stem = card.view();
        assert!(!sleeps(stem, 0), "it has no audio yet: nothing is known");
        outlet.prepare_ring(Hz(8000.0));
        let block = vec![0.1; 4000];
        let mut play = |position: i64, segment, jumped| {
            let place = BlockPosition { position: Some(position), segment, jumped };
            outlet.write_block(place, [&block, &block], [&block, &block]);
        };
        // half a minute, which is more than a ring has
        for n in 0..60 {
            play(n * 4000, 0, n == 0);
        }
        assert!(read(stem, TapPoint::Output, 236_000, 4000).is_some() && !sleeps(stem, 236_000));
        assert!(read(stem, TapPoint::Output, 0, 4000).is_none() && !sleeps(stem, 0), "lost");
        assert!(read(stem, TapPoint::Output, 240_000, 4000).is_none() && sleeps(stem, 240_000));
        assert!(!sleeps(stem, 238_000), "a part of it was there");
        // the transport jumps; the host does not call it where it did not before
        play(400_000, 1, true);
        assert!(!sleeps(stem, 300_000), "who is called may be late");
        card.set_presence(Presence::Asleep);
        assert!(sleeps(stem, 300_000) && !sleeps(stem, 0) && !sleeps(stem, 400_000));
    }
}
