#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::*;
use crate::audio_ring::TapPoint;
use crate::records::tests::info;
use crate::text::Text;
use units::Lufs;

/// Joins `roster` as a local instance.
fn join(roster: &'static Roster, wanted: Option<InstanceId>) -> (AudioWriter, ControlWriter) {
    roster.join(Origin::Local, wanted, &info("Drums", 1)).unwrap()
}

#[test]
fn an_instance_is_visible_until_one_of_its_writers_is_dropped() {
    static ROSTER: Roster = Roster::new();
    assert_eq!(ROSTER.peers().count(), 0);
    let (audio_writer, control_writer) = join(&ROSTER, None);
    let peer = ROSTER.peers().next().unwrap();
    assert_eq!(peer, control_writer.view());
    assert_eq!(peer.id(), audio_writer.id());
    assert_eq!(peer.info().map(|info| info.name), Some(Text::new("Drums")));
    assert_eq!(peer.block_status(), Some(BlockStatus::default()));
    assert_eq!(peer.stem_readings(), Some(StemReadings::default()));
    assert_eq!((peer.origin(), peer.presence()), (Origin::Local, Presence::Awake));
    assert!(peer.audio().is_none());
    assert_eq!(ROSTER.find(audio_writer.id().unwrap()), Some(peer));

    drop(audio_writer);
    assert_eq!(ROSTER.peers().count(), 0);
    assert!(!peer.is_present() && peer.info().is_none() && peer.id().is_none());
    // the other writer may still write: the slot is not free before it is dropped
    let (_audio_writer, mut other) = join(&ROSTER, None);
    assert!(!std::ptr::eq(other.view().slot, peer.slot));
    drop(control_writer);
    let (_next, next_control) = join(&ROSTER, None);
    assert!(std::ptr::eq(next_control.view().slot, peer.slot));
    assert!(!peer.is_present() && peer.info().is_none(), "the old occupant stays gone");
    other.set_presence(Presence::Asleep);
    assert_eq!(other.view().presence(), Presence::Asleep);
}

#[test]
fn a_saved_id_is_kept_unless_another_instance_has_it() {
    static ROSTER: Roster = Roster::new();
    let saved = InstanceId::mint();
    let (first, first_control) = join(&ROSTER, Some(saved));
    assert_eq!(first.id(), Some(saved));
    let (duplicate, _duplicate_control) = join(&ROSTER, Some(saved));
    assert_ne!(duplicate.id(), Some(saved));
    assert_eq!(first.id(), Some(saved));
    drop((first, first_control));
    let (again, _again_control) = join(&ROSTER, Some(saved));
    assert_eq!(again.id(), Some(saved), "free again");
}

#[test]
fn a_bridged_duplicate_keeps_its_id_and_the_local_one_can_get_a_new_one() {
    static ROSTER: Roster = Roster::new();
    let saved = InstanceId::mint();
    let (audio_writer, mut control_writer) = join(&ROSTER, Some(saved));
    let (bridged, bridged_control) = ROSTER.join(Origin::Bridged, Some(saved), &info("Drums", 0)).unwrap();
    assert_eq!(bridged.id(), Some(saved));
    assert_eq!(ROSTER.find(saved), Some(control_writer.view()), "the local one comes first");
    let fresh = control_writer.renew_id();
    assert_eq!(audio_writer.id(), Some(fresh));
    assert_eq!(ROSTER.find(saved), Some(bridged_control.view()));
    assert_eq!(ROSTER.find(fresh), Some(control_writer.view()));
}

#[test]
fn a_full_roster_refuses_and_freed_slots_are_used_again() {
    static ROSTER: Roster = Roster::new();
    let mut all: Vec<_> = (0..MAX_INSTANCES).map(|_| join(&ROSTER, None)).collect();
    assert!(ROSTER.join(Origin::Local, None, &info("x", 0)).is_none());
    assert_eq!(ROSTER.peers().count(), MAX_INSTANCES);
    all.remove(77);
    let (_audio_writer, _control_writer) = join(&ROSTER, None);
    assert_eq!(ROSTER.peers().count(), MAX_INSTANCES);
}

#[test]
fn published_values_are_read_through_views() {
    static ROSTER: Roster = Roster::new();
    let (mut audio_writer, mut control_writer) = join(&ROSTER, None);
    let peer = control_writer.view();
    audio_writer.publish_status(&BlockStatus {
        blocks: 3,
        momentary: Some(Lufs(-20.0)),
        ..BlockStatus::default()
    });
    let mut readings = StemReadings::default();
    readings.reading.integrated = Some(Lufs(-14.0));
    control_writer.publish_readings(&readings);
    control_writer.publish_info(&info("Bass", 1));
    let mut settings = PublishedSettings::new(1, 7);
    settings.push(Some(0.5));
    audio_writer.publish_settings(&settings);
    assert_eq!(peer.block_status().map(|status| status.blocks), Some(3));
    let reading = peer.reading().unwrap();
    assert_eq!((reading.momentary, reading.integrated), (Some(Lufs(-20.0)), Some(Lufs(-14.0))));
    assert_eq!(peer.info().map(|info| info.name), Some(Text::new("Bass")));
    assert_eq!(peer.settings().map(|settings| settings.revision), Some(7));
}

#[test]
fn audio_is_readable_after_preparing_and_a_new_occupant_has_none_of_the_old() {
    static ROSTER: Roster = Roster::new();
    let (mut audio_writer, control_writer) = join(&ROSTER, None);
    let place = BlockPosition { position: Some(100), segment: 0, jumped: true };
    audio_writer.write_block(place, [&[1.0], &[2.0]], [&[3.0], &[4.0]]);
    assert!(control_writer.view().audio().is_none());

    audio_writer.prepare_ring(Hz(8000.0));
    audio_writer.mark_settings(1, Db(0.0), Db(0.0));
    audio_writer.write_block(place, [&[1.0], &[2.0]], [&[3.0], &[4.0]]);
    let ring = control_writer.view().audio().unwrap();
    let span = ring.timeline().unwrap().find(100, 0).unwrap();
    let (mut left, mut right) = ([0.0], [0.0]);
    assert!(ring.copy_frames(TapPoint::Output, span.counter, [&mut left, &mut right]));
    assert_eq!((left, right), ([3.0], [4.0]));

    // activated again at the same rate, the ring stays
    audio_writer.prepare_ring(Hz(8000.0));
    assert!(ring.timeline().unwrap().find(100, 0).is_some());
    // at another rate it is another ring
    audio_writer.prepare_ring(Hz(48_000.0));
    assert!(!std::ptr::eq(control_writer.view().audio().unwrap(), ring));
    assert_eq!(control_writer.view().audio().unwrap().length(), 1 << 18);
    // audio of another rate is at other places of the timeline, even in a ring of the same size
    audio_writer.write_block(place, [&[1.0], &[2.0]], [&[3.0], &[4.0]]);
    audio_writer.prepare_ring(Hz(44_100.0));
    let other = control_writer.view().audio().unwrap();
    assert!(other.length() == 1 << 18 && other.timeline().unwrap().find(100, 0).is_none());

    drop((audio_writer, control_writer));
    let (mut audio_writer, control_writer) = join(&ROSTER, None);
    assert!(control_writer.view().audio().is_none());
    audio_writer.prepare_ring(Hz(8000.0));
    let again = control_writer.view().audio().unwrap();
    assert!(std::ptr::eq(again, ring), "memory is used again");
    assert!(again.timeline().unwrap().segments().is_empty());
}

#[test]
fn requests_reach_their_target_if_their_sender_may_ask() {
    static ROSTER: Roster = Roster::new();
    let (drums, _drums_control) = join(&ROSTER, None);
    let (bass, mut bass_control) = join(&ROSTER, None);
    let master = InstanceInfo { kind: InstanceKind::Master, ..info("Mix", 1) };
    let (audio_writer, mut control_writer) = ROSTER.join(Origin::Local, None, &master).unwrap();
    let (drums, bass) = (drums.id().unwrap(), bass.id().unwrap());
    let first = control_writer.request_trim(drums, 11, Db(-1.0));
    let second = control_writer.request_trim(bass, 12, Db(2.0));
    assert!(second > first);
    bass_control.request_trim(drums, 11, Db(9.0));
    let expected = PeerRequest {
        counter: first,
        target: drums,
        predicted_stem: None,
        confirms_mute: false,
        base: 11,
        gain: Db(-1.0),
    };
    assert_eq!(ROSTER.requests_for(drums), [(audio_writer.id().unwrap(), expected)]);
    assert_eq!(ROSTER.requests_for(bass).len(), 1);
    drop(audio_writer);
    assert!(ROSTER.requests_for(drums).is_empty());
}

#[test]
fn the_earliest_master_owns_a_session() {
    static ROSTER: Roster = Roster::new();
    let session = SessionId::mint();
    let master = |born, session| InstanceInfo {
        kind: InstanceKind::Master,
        session: Some(session),
        ..info("Mix", born)
    };
    let join = |info: InstanceInfo| ROSTER.join(Origin::Local, None, &info).unwrap();
    let late = join(master(20, session));
    let early = join(master(10, session));
    let _other = join(master(5, SessionId::mint()));
    let stem = join(InstanceInfo { session: Some(session), ..info("Drums", 1) });
    assert_eq!(ROSTER.masters_of(session), [early.1.view(), late.1.view()]);
    let owns = |master: &(AudioWriter, ControlWriter)| ROSTER.owns_session(master.1.view());
    assert_eq!((owns(&early), owns(&late)), (true, false));
    assert!(owns(&stem), "a Stem claims no session that a Master could have before it");
    // last on the bus it is another kind of Master
    let mut last = join(master(30, session));
    last.1
        .publish_summary(&SessionSummary { placement: MasterPlacement::Final, ..SessionSummary::default() });
    assert!(owns(&last));
    drop(early);
    assert!(owns(&late));
    assert_eq!(ROSTER.masters_of(session), [late.1.view(), last.1.view()]);
}

#[test]
fn an_id_is_claimed_unless_another_instance_has_it() {
    static ROSTER: Roster = Roster::new();
    let (drums, mut control) = ROSTER.join(Origin::Local, None, &info("Drums", 1)).unwrap();
    let (bass, _bass_control) = ROSTER.join(Origin::Local, None, &info("Bass", 2)).unwrap();
    let own = drums.id().unwrap();
    assert_eq!(control.claim_id(bass.id().unwrap()), Some(own));
    assert_eq!(control.claim_id(own), Some(own));
    let saved = InstanceId::mint();
    assert_eq!(control.claim_id(saved), Some(saved));
    assert_eq!((drums.id(), ROSTER.find(own)), (Some(saved), None));
    assert_eq!(ROSTER.find(saved), Some(control.view()));
    drop(bass);
}

#[test]
fn instances_join_and_leave_while_others_read() {
    static ROSTER: Roster = Roster::new();
    let threads: Vec<_> = (0..3u64)
        .map(|thread| {
            std::thread::spawn(move || {
                for round in 0..2000u64 {
                    // name and time of creation are the same number
                    let number = thread * 10_000 + round;
                    let (audio_writer, control_writer) =
                        ROSTER.join(Origin::Local, None, &info(&number.to_string(), number)).unwrap();
                    let seen: Vec<PeerView> = ROSTER.peers().collect();
                    assert!(seen.contains(&control_writer.view()));
                    for peer in seen {
                        if let Some(info) = peer.info() {
                            assert_eq!(info.name, Text::new(&info.born.to_string()));
                        }
                    }
                    if round % 2 == 0 {
                        drop((audio_writer, control_writer));
                    } else {
                        drop((control_writer, audio_writer));
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(ROSTER.peers().count(), 0);
    assert!(ROSTER.slots.iter().all(Slot::is_free));
}
