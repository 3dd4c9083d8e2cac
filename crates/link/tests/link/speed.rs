//! Audio between two processes, at the song's speed and at twenty times that.

use super::*;
use link::ring::{Ring, Side};

/// Reads frames and checks that they are the song's at `position`; `false` if they are not there any more.
pub(crate) fn check_song(ring: &Ring, counter: u64, position: i64, [left, right]: [&mut [f64]; 2]) -> bool {
    for (side, sign) in [(Side::Output, 1.0), (Side::Input, -1.0)] {
        if !ring.read(side, counter, [left, right]) {
            return false;
        }
        for (n, (left, right)) in left.iter().zip(&*right).enumerate() {
            let expected = song(position + n as i64) * sign;
            assert_eq!((*left, *right), (expected, -expected), "at {}", position + n as i64);
        }
    }
    true
}

/// Follows the song as it arrives, for as many frames; returns how many breaks there were.
fn follow(peer: PeerView, frames: u64) -> usize {
    let (mut left, mut right) = (vec![0.0; 4096], vec![0.0; 4096]);
    let (mut heard, mut next, mut breaks) = (0, None, 0);
    while heard < frames {
        let (ring, span) = eventually("more of the song", || {
            let ring = peer.audio()?;
            let timeline = ring.timeline()?;
            let counter = next.unwrap_or(timeline.oldest()).max(timeline.oldest());
            let segment = timeline.segments().iter().find(|segment| segment.end() > counter)?;
            let from = counter.max(segment.counter);
            let position = segment.position.unwrap() + (from - segment.counter) as i64;
            let count = (segment.end() - from).min(4096) as usize;
            breaks += usize::from(
                next.is_some_and(|next| next != from) || next.is_some() && from == segment.counter,
            );
            Some((ring, (from, position, count)))
        });
        let (counter, position, count) = span;
        if check_song(ring, counter, position, [&mut left[..count], &mut right[..count]]) {
            heard += count as u64;
        }
        next = Some(counter + count as u64);
    }
    breaks
}

fn at(part: &str, seconds: u64) {
    let _alone = alone();
    let runtime = Runtime::new();
    let bridge = runtime.bridge();
    let _mix = join(bridge, Kind::Master, "Mix");
    let _process = runtime.start(part, "Drums");
    let peer = meet(bridge, "Drums");
    let breaks = follow(peer, seconds * 48_000);
    // a machine that has better to do may not let us keep up, but what arrives is in its place
    assert!(breaks <= 5, "{breaks} breaks");
    let label = peer.label().unwrap();
    assert_ne!(label.process.pid, u64::from(std::process::id()));
}

#[test]
fn a_song_crosses_as_it_plays() {
    at("1x", 3);
}

#[test]
fn a_song_crosses_at_twenty_times_its_speed() {
    at("20x", 60);
}
