//! Excerpts of the timeline from the audio rings: the mix, and stems at the same position.

use link::PeerView;
use link::audio_ring::{AudioRing, TapPoint};
use link::slot::Presence;
use link::timeline::Segment;

/// Left and right channel, equally long.
pub(super) type StereoAudio = [Vec<f64>; 2];

/// Returns `frames` frames of `view` from timeline `position`, from the last time they were played; `None` unless the
/// ring holds all of them in one segment.
pub(super) fn read_frames(
    view: PeerView,
    side: TapPoint,
    position: i64,
    frames: usize,
) -> Option<StereoAudio> {
    let ring = view.audio()?;
    let span = ring.timeline()?.find_last(position).filter(|span| span.frames >= frames as u64)?;
    let mut audio = [vec![0.0; frames], vec![0.0; frames]];
    let [left, right] = &mut audio;
    (ring.copy_frames(side, span.counter, [left, right]) && view.is_present()).then_some(audio)
}

/// Returns true if the host did not process `view` at `position` or after it, so that it is silent there. Audio that
/// its ring has overwritten does not count as silence.
pub(super) fn is_silent_at(view: PeerView, position: i64) -> bool {
    let Some(timeline) = view.audio().and_then(AudioRing::timeline) else { return false };
    let end = |last: &Segment| Some(last.position? + last.frames as i64);
    let has_ended = timeline.segments().last().and_then(end).is_some_and(|end| end <= position);
    has_ended || view.presence() == Presence::Asleep && !timeline.has_played(position)
}

/// Returns the pass and the timeline position after the newest frame of a Master's mix that has one: while the transport
/// stands, those of the last play.
pub(super) fn mix_end(master: PeerView) -> Option<(u64, i64)> {
    let timeline = master.audio()?.timeline()?;
    let segment = timeline.segments().iter().rfind(|segment| segment.position.is_some())?;
    Some((segment.pass, segment.position? + segment.frames as i64))
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
    fn a_stem_that_stopped_earlier_is_silent_and_overwritten_audio_is_not_silence() {
        static ROSTER: Roster = Roster::new();
        let (mut audio_writer, mut control_writer) =
            ROSTER.join(Origin::Local, None, &InstanceInfo::default()).expect("there is room");
        let stem = control_writer.view();
        assert!(!is_silent_at(stem, 0), "it has no audio yet: nothing is known");
        audio_writer.prepare_ring(Hz(8000.0));
        let block = vec![0.1; 4000];
        let mut play = |position: i64, segment, jumped| {
            let place = BlockPosition { position: Some(position), segment, jumped };
            audio_writer.write_block(place, [&block, &block], [&block, &block]);
        };
        // half a minute, which is more than a ring has
        for n in 0..60 {
            play(n * 4000, 0, n == 0);
        }
        assert!(read_frames(stem, TapPoint::Output, 236_000, 4000).is_some() && !is_silent_at(stem, 236_000));
        assert!(read_frames(stem, TapPoint::Output, 0, 4000).is_none() && !is_silent_at(stem, 0), "lost");
        assert!(read_frames(stem, TapPoint::Output, 240_000, 4000).is_none() && is_silent_at(stem, 240_000));
        assert!(!is_silent_at(stem, 238_000), "a part of it was there");
        // the transport jumps; the host does not call it where it did not before
        play(400_000, 1, true);
        assert!(!is_silent_at(stem, 300_000), "who is called may be late");
        control_writer.set_presence(Presence::Asleep);
        assert!(is_silent_at(stem, 300_000) && !is_silent_at(stem, 0) && !is_silent_at(stem, 400_000));
    }
}
