#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::*;
use crate::ring::Side;
use crate::snapshot::tests::label;
use crate::words::Text;
use units::Lufs;

/// Joins `roster` as a local instance.
fn join(roster: &'static Roster, wanted: Option<InstanceId>) -> (AudioWriter, ControlWriter) {
    roster.join(Origin::Here, wanted, &label("Drums", 1)).unwrap()
}

#[test]
fn who_joins_is_seen_until_one_half_goes() {
    static ROSTER: Roster = Roster::new();
    assert_eq!(ROSTER.peers().count(), 0);
    let (outlet, card) = join(&ROSTER, None);
    let peer = ROSTER.peers().next().unwrap();
    assert_eq!(peer, card.peer());
    assert_eq!(peer.id(), outlet.id());
    assert_eq!(peer.label().map(|label| label.name), Some(Text::new("Drums")));
    assert_eq!(peer.pulse(), Some(BlockStatus::default()));
    assert_eq!(peer.figures(), Some(StemReadings::default()));
    assert_eq!((peer.origin(), peer.presence()), (Origin::Here, Presence::Awake));
    assert!(peer.audio().is_none());
    assert_eq!(ROSTER.find(outlet.id().unwrap()), Some(peer));

    drop(outlet);
    assert_eq!(ROSTER.peers().count(), 0);
    assert!(!peer.is_there() && peer.label().is_none() && peer.id().is_none());
    // the other half may still write: nobody moves in before it is gone
    let (_outlet, mut other) = join(&ROSTER, None);
    assert!(!std::ptr::eq(other.peer().slot, peer.slot));
    drop(card);
    let (_next, next_card) = join(&ROSTER, None);
    assert!(std::ptr::eq(next_card.peer().slot, peer.slot));
    assert!(!peer.is_there() && peer.label().is_none(), "the old tenant stays gone");
    other.set_presence(Presence::Asleep);
    assert_eq!(other.peer().presence(), Presence::Asleep);
}

#[test]
fn a_saved_id_is_kept_unless_somebody_lives_under_it() {
    static ROSTER: Roster = Roster::new();
    let saved = InstanceId::mint();
    let (first, first_card) = join(&ROSTER, Some(saved));
    assert_eq!(first.id(), Some(saved));
    let (duplicate, _duplicate_card) = join(&ROSTER, Some(saved));
    assert_ne!(duplicate.id(), Some(saved));
    assert_eq!(first.id(), Some(saved));
    drop((first, first_card));
    let (again, _again_card) = join(&ROSTER, Some(saved));
    assert_eq!(again.id(), Some(saved), "free again");
}

#[test]
fn a_bridged_duplicate_keeps_its_id_and_the_younger_here_can_change() {
    static ROSTER: Roster = Roster::new();
    let saved = InstanceId::mint();
    let (outlet, mut card) = join(&ROSTER, Some(saved));
    let (bridged, bridged_card) = ROSTER.join(Origin::Bridged, Some(saved), &label("Drums", 0)).unwrap();
    assert_eq!(bridged.id(), Some(saved));
    assert_eq!(ROSTER.find(saved), Some(card.peer()), "whoever lives here comes first");
    let fresh = card.rename();
    assert_eq!(outlet.id(), Some(fresh));
    assert_eq!(ROSTER.find(saved), Some(bridged_card.peer()));
    assert_eq!(ROSTER.find(fresh), Some(card.peer()));
}

#[test]
fn a_full_roster_takes_nobody_and_room_is_found_again() {
    static ROSTER: Roster = Roster::new();
    let mut all: Vec<_> = (0..SLOTS).map(|_| join(&ROSTER, None)).collect();
    assert!(ROSTER.join(Origin::Here, None, &label("x", 0)).is_none());
    assert_eq!(ROSTER.peers().count(), SLOTS);
    all.remove(77);
    let (_outlet, _card) = join(&ROSTER, None);
    assert_eq!(ROSTER.peers().count(), SLOTS);
}

#[test]
fn what_is_told_is_read_by_others() {
    static ROSTER: Roster = Roster::new();
    let (mut outlet, mut card) = join(&ROSTER, None);
    let peer = card.peer();
    outlet.tell(&BlockStatus { blocks: 3, momentary: Some(Lufs(-20.0)), ..BlockStatus::default() });
    let mut figures = StemReadings::default();
    figures.reading.integrated = Some(Lufs(-14.0));
    card.set_figures(&figures);
    card.set_label(&label("Bass", 1));
    let mut settings = Settings::new(1, 7);
    settings.push(Some(0.5));
    outlet.set(&settings);
    assert_eq!(peer.pulse().map(|pulse| pulse.blocks), Some(3));
    let reading = peer.reading().unwrap();
    assert_eq!((reading.momentary, reading.integrated), (Some(Lufs(-20.0)), Some(Lufs(-14.0))));
    assert_eq!(peer.label().map(|label| label.name), Some(Text::new("Bass")));
    assert_eq!(peer.settings().map(|settings| settings.revision), Some(7));
}

#[test]
fn audio_is_there_after_preparing_and_a_new_tenant_hears_nothing_old() {
    static ROSTER: Roster = Roster::new();
    let (mut outlet, card) = join(&ROSTER, None);
    let place = BlockPosition { position: Some(100), segment: 0, jumped: true };
    outlet.write(place, [&[1.0], &[2.0]], [&[3.0], &[4.0]]);
    assert!(card.peer().audio().is_none());

    outlet.prepare(Hz(8000.0));
    outlet.mark(1, Db(0.0));
    outlet.write(place, [&[1.0], &[2.0]], [&[3.0], &[4.0]]);
    let ring = card.peer().audio().unwrap();
    let span = ring.timeline().unwrap().find(100, 0).unwrap();
    let (mut left, mut right) = ([0.0], [0.0]);
    assert!(ring.read(Side::Output, span.counter, [&mut left, &mut right]));
    assert_eq!((left, right), ([3.0], [4.0]));

    // activated anew at the same rate, audio goes on in the same ring
    outlet.prepare(Hz(8000.0));
    assert!(ring.timeline().unwrap().find(100, 0).is_some());
    // at another it moves
    outlet.prepare(Hz(48_000.0));
    assert!(!std::ptr::eq(card.peer().audio().unwrap(), ring));
    assert_eq!(card.peer().audio().unwrap().length(), 1 << 18);

    drop((outlet, card));
    let (mut outlet, card) = join(&ROSTER, None);
    assert!(card.peer().audio().is_none());
    outlet.prepare(Hz(8000.0));
    let again = card.peer().audio().unwrap();
    assert!(std::ptr::eq(again, ring), "memory is used again");
    assert!(again.timeline().unwrap().segments().is_empty());
}

#[test]
fn requests_reach_their_target_and_only_from_those_who_may_ask() {
    static ROSTER: Roster = Roster::new();
    let (drums, _drums_card) = join(&ROSTER, None);
    let (bass, mut bass_card) = join(&ROSTER, None);
    let master = InstanceInfo { kind: Kind::Master, ..label("Mix", 1) };
    let (outlet, mut card) = ROSTER.join(Origin::Here, None, &master).unwrap();
    let (drums, bass) = (drums.id().unwrap(), bass.id().unwrap());
    let first = card.ask(drums, 11, Db(-1.0));
    let second = card.ask(bass, 12, Db(2.0));
    assert!(second > first);
    bass_card.ask(drums, 11, Db(9.0));
    let expected = Request { counter: first, target: drums, about: None, base: 11, trim: Db(-1.0) };
    assert_eq!(requests_to(&ROSTER, drums), [(outlet.id().unwrap(), expected)]);
    assert_eq!(requests_to(&ROSTER, bass).len(), 1);
    drop(outlet);
    assert!(requests_to(&ROSTER, drums).is_empty());
}

#[test]
fn the_earliest_master_owns_a_session() {
    static ROSTER: Roster = Roster::new();
    let session = SessionId::mint();
    let master =
        |born, session| InstanceInfo { kind: Kind::Master, session: Some(session), ..label("Mix", born) };
    let join = |label: InstanceInfo| ROSTER.join(Origin::Here, None, &label).unwrap();
    let late = join(master(20, session));
    let early = join(master(10, session));
    let _other = join(master(5, SessionId::mint()));
    let _stem = join(InstanceInfo { session: Some(session), ..label("Drums", 1) });
    assert_eq!(ROSTER.masters_of(session), [early.1.peer(), late.1.peer()]);
    let owns = |master: &(AudioWriter, ControlWriter)| ROSTER.owns_session(master.1.peer());
    assert_eq!((owns(&early), owns(&late)), (true, false));
    // last on the bus it is another kind of Master
    let mut last = join(master(30, session));
    last.1.set_summary(&Summary { placement: Placement::Final, ..Summary::default() });
    assert!(owns(&last));
    drop(early);
    assert!(owns(&late));
    assert_eq!(ROSTER.masters_of(session), [late.1.peer(), last.1.peer()]);
}

#[test]
fn tenants_come_and_go_while_others_read() {
    static ROSTER: Roster = Roster::new();
    let threads: Vec<_> = (0..3u64)
        .map(|thread| {
            std::thread::spawn(move || {
                for round in 0..2000u64 {
                    // name and birth tell the same number
                    let number = thread * 10_000 + round;
                    let (outlet, card) =
                        ROSTER.join(Origin::Here, None, &label(&number.to_string(), number)).unwrap();
                    let seen: Vec<PeerView> = ROSTER.peers().collect();
                    assert!(seen.contains(&card.peer()));
                    for peer in seen {
                        if let Some(label) = peer.label() {
                            assert_eq!(label.name, Text::new(&label.born.to_string()));
                        }
                    }
                    if round % 2 == 0 { drop((outlet, card)) } else { drop((card, outlet)) }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(ROSTER.peers().count(), 0);
    assert!(ROSTER.slots.iter().all(Slot::is_free));
}
