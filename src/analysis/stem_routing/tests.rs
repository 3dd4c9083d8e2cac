use super::*;
use link::records::InstanceInfo;
use link::slot::Origin;

fn placement(roster: &'static Roster) -> StemPlacement {
    let (_audio_writer, control_writer) =
        roster.join(Origin::Local, None, &InstanceInfo::default()).expect("there is room");
    StemPlacement::new(InstanceId::mint(), control_writer.view(), PlacementState::Open)
}

fn found(delay: i64) -> StemSighting {
    StemSighting { delay, evidence: PlacementEvidence::Found, rival: None }
}

const LOST: StemSighting = StemSighting { delay: 0, evidence: PlacementEvidence::None, rival: None };
const SILENT: StemSighting = StemSighting { delay: 0, evidence: PlacementEvidence::Silent, rival: None };

#[test]
fn a_stem_is_placed_once_two_looks_agree() {
    static ROSTER: Roster = Roster::new();
    let mut stem = placement(&ROSTER);
    stem.sounds = true;
    assert!(stem.is_awaited());
    for (sighting, state) in [
        (found(-544), PlacementState::Open),
        (found(300), PlacementState::Open),
        (SILENT, PlacementState::Open),
        (found(-544), PlacementState::Placed),
    ] {
        stem.decide(sighting, 1.5);
        assert_eq!(stem.state, state, "{sighting:?}");
    }
    assert_eq!((stem.delay, stem.is_awaited()), (-544, false));
}

#[test]
fn a_placed_stem_moves_only_when_two_looks_in_a_row_agree_on_another_place() {
    static ROSTER: Roster = Roster::new();
    let mut stem = placement(&ROSTER);
    (stem.state, stem.delay) = (PlacementState::Placed, -544);
    stem.decide(found(24_000), 1.5);
    assert!(stem.is_awaited() && stem.delay == -544);
    stem.decide(found(-544), 1.5);
    assert!(!stem.is_awaited(), "it is where it was");
    stem.decide(found(24_000), 1.5);
    stem.decide(found(-100), 1.5);
    assert_eq!(stem.delay, -544);
    assert!(
        stem.decide(found(-100), 1.5) && stem.delay == -100 && !stem.is_awaited(),
        "the host is followed"
    );
}

#[test]
fn a_stem_that_is_not_found_is_left_out_and_comes_back_when_it_is() {
    static ROSTER: Roster = Roster::new();
    let mut stem = placement(&ROSTER);
    assert!(!stem.decide(LOST, 1.5) && stem.is_in_the_mix());
    assert!(stem.decide(LOST, 1.5) && !stem.is_in_the_mix());
    stem.decide(found(7), 1.5);
    assert!(!stem.is_in_the_mix(), "once may be chance");
    stem.decide(found(7), 1.5);
    assert!(stem.is_in_the_mix() && stem.delay == 7);
    // muted for a moment
    for _ in 0..3 {
        stem.decide(LOST, 1.5);
    }
    assert!(stem.is_in_the_mix());
    stem.decide(LOST, 1.5);
    assert!(!stem.is_in_the_mix());
}

#[test]
fn a_stem_that_is_found_nowhere_is_not_waited_for_longer_than_five_seconds_of_song() {
    static ROSTER: Roster = Roster::new();
    // too quiet, or at places only
    for evidence in [PlacementEvidence::Silent, PlacementEvidence::Unclear] {
        let mut stem = placement(&ROSTER);
        stem.sounds = true;
        let looks = (1..10).find(|_| {
            stem.decide(StemSighting { delay: 0, evidence, rival: None }, 1.5);
            !stem.is_awaited()
        });
        assert_eq!(
            (looks, stem.state, stem.is_lost),
            (Some(3), PlacementState::LeftOut, true),
            "{evidence:?}"
        );
    }
    // found at another place each time
    let mut stem = placement(&ROSTER);
    stem.sounds = true;
    let looks = (1..10).find(|look| {
        stem.decide(found(1000 * look), 1.5);
        !stem.is_awaited()
    });
    assert_eq!((looks, stem.state), (Some(4), PlacementState::LeftOut));
    // one that is placed stays, and is found again
    let mut stem = placement(&ROSTER);
    (stem.state, stem.delay) = (PlacementState::Placed, 7);
    assert!((1..10).any(|look| {
        stem.decide(found(1000 * look), 1.5);
        look > 1 && !stem.is_awaited()
    }));
    assert_eq!((stem.state, stem.delay), (PlacementState::Placed, 7));
}
