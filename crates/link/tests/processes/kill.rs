//! Processes that stop, or are killed while they write.

use super::*;
use link::slot::{Origin, Presence};
use rustix::process::Signal;

/// Number of processes that are killed.
const KILLED_PROCESSES: usize = 300;
/// Number of processes that run at once.
const PROCESSES_AT_ONCE: usize = 6;

fn bridged(bridge: &'static Bridge) -> Vec<PeerView> {
    bridge.roster().peers().filter(|peer| peer.origin() == Origin::Bridged).collect()
}

/// Checks that no value of any instance is torn; returns the highest count of blocks.
fn check_all(bridge: &'static Bridge) -> u64 {
    let mut max_blocks = 0;
    for peer in bridged(bridge) {
        if let Some(status) = peer.block_status() {
            child::check_status(&status);
            max_blocks = max_blocks.max(status.blocks);
        }
        if let Some(info) = peer.info() {
            assert!(info.name.as_str().starts_with("Stem "), "{info:?}");
        }
        check_audio(peer);
    }
    max_blocks
}

/// Checks that a Stem's newest audio is the song.
fn check_audio(peer: PeerView) {
    let Some((ring, timeline)) = peer.audio().and_then(|ring| Some((ring, ring.timeline()?))) else { return };
    let Some(segment) = timeline.segments().last() else { return };
    let frames = segment.frames.min(1500);
    let (counter, mut sides) =
        (segment.end() - frames, [vec![0.0; frames as usize], vec![0.0; frames as usize]]);
    let position = segment.position.map(|position| position + (segment.frames - frames) as i64);
    let [left, right] = &mut sides;
    if let Some(position) = position.filter(|_| peer.is_present()) {
        speed::check_song(ring, counter, position, [left, right]);
    }
}

#[test]
fn three_hundred_kills_leave_no_torn_value_and_no_file() {
    let _guard = lock_machine();
    let runtime = TestRuntime::new();
    // shorter intervals than a plugin's shorten the test
    let bridge = runtime.bridge_with(Intervals { idle: Duration::from_millis(20), ..Intervals::DEFAULT });
    let _mix = join(bridge, InstanceKind::Master, "Mix");
    eventually("the own files", || (file_names(&runtime.folder()).len() == 2).then_some(()));
    for round in 0..KILLED_PROCESSES / PROCESSES_AT_ONCE {
        let mut processes: Vec<ChildProcess> =
            (0..PROCESSES_AT_ONCE).map(|n| runtime.start("restless", &format!("Stem {n}"))).collect();
        eventually("all of them", || {
            check_all(bridge);
            (bridged(bridge).len() == PROCESSES_AT_ONCE).then_some(())
        });
        // some of them send audio by now
        let until = Instant::now() + Duration::from_millis(3 * round as u64);
        while Instant::now() < until {
            check_all(bridge);
        }
        eventually("a block", || (check_all(bridge) > 0).then_some(()));
        for process in &mut processes {
            process.kill();
        }
        let killed = Instant::now();
        while !bridged(bridge).is_empty() {
            check_all(bridge);
            assert!(killed.elapsed() < Duration::from_secs(3), "still there");
        }
        eventually("a clean folder", || (file_names(&runtime.folder()).len() == 2).then_some(()));
    }
}

#[test]
fn a_stopped_process_is_unresponsive_then_gone_and_returns() {
    let runtime = TestRuntime::new();
    let bridge = runtime.bridge();
    let _mix = join(bridge, InstanceKind::Master, "Mix");
    let process = runtime.start("1x", "Drums");
    let peer = find_named(bridge, "Drums");
    eventually("awake", || (peer.presence() == Presence::Awake).then_some(()));
    process.signal(Signal::STOP);
    let stopped = Instant::now();
    eventually("unresponsive", || (peer.presence() == Presence::Unresponsive).then_some(()));
    let unresponsive = stopped.elapsed();
    assert!(peer.is_present());
    eventually("gone", || (!peer.is_present()).then_some(()));
    let gone = stopped.elapsed();
    // its last heartbeat was up to a quarter of a second before
    assert!(unresponsive >= Duration::from_millis(700), "{unresponsive:?}");
    assert!(
        gone >= Duration::from_millis(2700) && gone >= unresponsive + Duration::from_millis(1500),
        "{gone:?}"
    );
    process.signal(Signal::CONT);
    let again = find_named(bridge, "Drums");
    assert!(again.id().is_some());
}
