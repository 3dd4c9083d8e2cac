//! Roles of the processes that tests start.

use super::*;
use session::timeline::TransportTracker;

/// Environment variable with the role of a child.
pub(crate) const ROLE: &str = "STEMLINK_TEST_PART";
/// Environment variable with the track name of a child.
pub(crate) const NAME: &str = "STEMLINK_TEST_NAME";

/// Frames of a block.
const BLOCK: usize = 512;

/// Plays the role in the environment until it is killed; returns at once if there is none.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let name = std::env::var(NAME).unwrap();
    match role.as_str() {
        "1x" => play(join(&BRIDGE, InstanceKind::Stem, &name), 1.0),
        "20x" => play(join(&BRIDGE, InstanceKind::Stem, &name), 20.0),
        "restless" => play(join(restless_bridge(), InstanceKind::Stem, &name), 20.0),
        role => panic!("no such role: {role}"),
    }
}

/// A bridge that writes without a pause, so that a kill hits it while it writes.
fn restless_bridge() -> &'static Bridge {
    const NONE: Duration = Duration::ZERO;
    const INTERVALS: Intervals = Intervals { audio: NONE, records: NONE, idle: NONE, ..Intervals::DEFAULT };
    static BRIDGE: Bridge = Bridge::with_folders(&link::ROSTER, None, INTERVALS);
    &BRIDGE
}

/// Plays the song at `speed` times its own. All numbers of a block status are equal, so that a torn one is detected.
fn play(mut stem: Membership, speed: f64) {
    stem.audio_writer.prepare_ring(RATE);
    stem.audio_writer.mark_settings(1, Db(0.0), Db(0.0));
    let mut transport = TransportTracker::default();
    let block = Duration::from_secs_f64(BLOCK as f64 / RATE.0 / speed);
    let mut due = Instant::now();
    for blocks in 1.. {
        let position = (blocks - 1) * BLOCK as i64;
        let place = transport.locate(Some(position), BLOCK);
        let samples: Vec<f64> = (position..position + BLOCK as i64).map(song).collect();
        let negative: Vec<f64> = samples.iter().map(|x| -x).collect();
        stem.audio_writer.write_block(place, [&negative, &samples], [&samples, &negative]);
        let number = blocks.cast_unsigned();
        stem.audio_writer.publish_status(&BlockStatus {
            blocks: number,
            rate: RATE,
            latency: number,
            playing: true,
            position: place.position,
            sanitized: number,
            faults: number,
            revision: number,
            ..BlockStatus::default()
        });
        // no faster than that: a host that was held up does not catch up either
        due = Instant::now().max(due + block);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

/// Checks that a block status is not torn.
pub(crate) fn check_status(status: &BlockStatus) {
    let n = status.blocks;
    assert_eq!(
        [status.latency, status.sanitized, status.faults, status.revision],
        [n; 4],
        "torn: {status:?}"
    );
    assert!(n == 0 || status.position == Some((n.cast_signed() - 1) * BLOCK as i64), "torn: {status:?}");
}
