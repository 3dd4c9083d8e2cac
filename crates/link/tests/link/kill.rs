//! Processes that stop, or are killed while they write.

use super::*;
use link::slot::{Origin, Presence};
use rustix::process::Signal;

/// Processes that are killed, and how many of them live at once.
const KILLED: usize = 300;
const AT_ONCE: usize = 6;

fn bridged(bridge: &'static Bridge) -> Vec<PeerView> {
    bridge.roster().peers().filter(|peer| peer.origin() == Origin::Bridged).collect()
}

/// That everything that can be read is whole; returns the highest count of blocks.
fn check(bridge: &'static Bridge) -> u64 {
    let mut most = 0;
    for peer in bridged(bridge) {
        if let Some(pulse) = peer.pulse() {
            child::check_pulse(&pulse);
            most = most.max(pulse.blocks);
        }
        if let Some(label) = peer.label() {
            assert!(label.name.as_str().starts_with("Stem "), "{label:?}");
        }
        check_audio(peer);
    }
    most
}

/// That the newest of a stem's audio is the song.
fn check_audio(peer: PeerView) {
    let Some((ring, timeline)) = peer.audio().and_then(|ring| Some((ring, ring.timeline()?))) else { return };
    let Some(segment) = timeline.segments().last() else { return };
    let frames = segment.frames.min(1500);
    let (counter, mut sides) =
        (segment.end() - frames, [vec![0.0; frames as usize], vec![0.0; frames as usize]]);
    let position = segment.position.map(|position| position + (segment.frames - frames) as i64);
    let [left, right] = &mut sides;
    if let Some(position) = position.filter(|_| peer.is_there()) {
        speed::check_song(ring, counter, position, [left, right]);
    }
}

#[test]
fn three_hundred_kills_mislead_nobody() {
    let _alone = alone();
    let runtime = Runtime::new();
    // looks more often than a plugin would, to be done sooner
    let bridge = runtime.bridge_at(Intervals { idle: Duration::from_millis(20), ..Intervals::DEFAULT });
    let _mix = join(bridge, Kind::Master, "Mix");
    eventually("our own files", || (names(&runtime.folder()).len() == 2).then_some(()));
    for round in 0..KILLED / AT_ONCE {
        let mut processes: Vec<Process> =
            (0..AT_ONCE).map(|n| runtime.start("restless", &format!("Stem {n}"))).collect();
        eventually("all of them", || {
            check(bridge);
            (bridged(bridge).len() == AT_ONCE).then_some(())
        });
        // audio crosses by now, from some of them
        let until = Instant::now() + Duration::from_millis(3 * round as u64);
        while Instant::now() < until {
            check(bridge);
        }
        eventually("somebody plays", || (check(bridge) > 0).then_some(()));
        for process in &mut processes {
            process.kill();
        }
        let killed = Instant::now();
        while !bridged(bridge).is_empty() {
            check(bridge);
            assert!(killed.elapsed() < Duration::from_secs(3), "still there");
        }
        eventually("the folder in order", || (names(&runtime.folder()).len() == 2).then_some(()));
    }
}

#[test]
fn a_process_that_stands_still_dims_goes_and_comes_back() {
    let runtime = Runtime::new();
    let bridge = runtime.bridge();
    let _mix = join(bridge, Kind::Master, "Mix");
    let process = runtime.start("1x", "Drums");
    let peer = meet(bridge, "Drums");
    eventually("awake", || (peer.presence() == Presence::Awake).then_some(()));
    process.signal(Signal::STOP);
    let stopped = Instant::now();
    eventually("dim", || (peer.presence() == Presence::Dim).then_some(()));
    let dim = stopped.elapsed();
    assert!(peer.is_there());
    eventually("gone", || (!peer.is_there()).then_some(()));
    let gone = stopped.elapsed();
    // its last heartbeat was up to a quarter of a second before
    assert!(dim >= Duration::from_millis(700), "{dim:?}");
    assert!(gone >= Duration::from_millis(2700) && gone >= dim + Duration::from_millis(1500), "{gone:?}");
    process.signal(Signal::CONT);
    let again = meet(bridge, "Drums");
    assert!(again.id().is_some());
}
