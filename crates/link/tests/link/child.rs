//! What a process that a test starts does.

use super::*;
use session::timeline::TransportTracker;

/// Names of the variables that tell a child its part and its name.
pub(crate) const PART: &str = "STEMLINK_TEST_PART";
pub(crate) const NAME: &str = "STEMLINK_TEST_NAME";

/// Frames of a block.
const BLOCK: usize = 512;

/// Plays the part that the environment names, until it is killed; without one there is nothing to do.
#[test]
fn child() {
    let Ok(part) = std::env::var(PART) else { return };
    let name = std::env::var(NAME).unwrap();
    match part.as_str() {
        "1x" => play(join(&BRIDGE, Kind::Stem, &name), 1.0),
        "20x" => play(join(&BRIDGE, Kind::Stem, &name), 20.0),
        "restless" => play(join(restless(), Kind::Stem, &name), 20.0),
        part => panic!("no such part: {part}"),
    }
}

/// A bridge that writes without a pause, so that being killed means being killed while writing.
fn restless() -> &'static Bridge {
    const NEVER: Duration = Duration::ZERO;
    const PACE: Intervals = Intervals { busy: NEVER, telling: NEVER, idle: NEVER, ..Intervals::DEFAULT };
    static BRIDGE: Bridge = Bridge::between(&link::ROSTER, None, PACE);
    &BRIDGE
}

/// Plays the song at so many times its speed. Every number of a pulse is the same, so that a mixture of two shows.
fn play(mut stem: Membership, speed: f64) {
    stem.outlet.prepare(RATE);
    stem.outlet.mark(1, Db(0.0));
    let mut wheel = TransportTracker::default();
    let block = Duration::from_secs_f64(BLOCK as f64 / RATE.0 / speed);
    let mut due = Instant::now();
    for blocks in 1.. {
        let position = (blocks - 1) * BLOCK as i64;
        let place = wheel.locate(Some(position), BLOCK);
        let samples: Vec<f64> = (position..position + BLOCK as i64).map(song).collect();
        let negative: Vec<f64> = samples.iter().map(|x| -x).collect();
        stem.outlet.write(place, [&negative, &samples], [&samples, &negative]);
        let number = blocks.cast_unsigned();
        stem.outlet.tell(&BlockStatus {
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
        // never faster than that: a host that was held up does not hurry either
        due = Instant::now().max(due + block);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

/// That a pulse is whole.
pub(crate) fn check_pulse(pulse: &BlockStatus) {
    let n = pulse.blocks;
    assert_eq!([pulse.latency, pulse.sanitized, pulse.faults, pulse.revision], [n; 4], "torn: {pulse:?}");
    assert!(n == 0 || pulse.position == Some((n.cast_signed() - 1) * BLOCK as i64), "torn: {pulse:?}");
}
