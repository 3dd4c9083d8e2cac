//! Audio between two processes, at the song's speed and at twenty times its speed.

use super::*;
use link::audio_ring::{AudioRing, TapPoint};

/// Reads frames and checks that they are the song's at `position`; `false` if they are overwritten.
pub(crate) fn check_song(
    ring: &AudioRing,
    counter: u64,
    position: i64,
    [left, right]: [&mut [f64]; 2],
) -> bool {
    for (tap, sign) in [(TapPoint::Output, 1.0), (TapPoint::Input, -1.0)] {
        if !ring.copy_frames(tap, counter, [left, right]) {
            return false;
        }
        for (n, (left, right)) in left.iter().zip(&*right).enumerate() {
            let expected = song(position + n as i64) * sign;
            assert_eq!((*left, *right), (expected, -expected), "at {}", position + n as i64);
        }
    }
    true
}

/// Reads `frames` frames of the song as they arrive; returns the number of gaps.
fn follow_song(peer: PeerView, frames: u64) -> usize {
    let (mut left, mut right) = (vec![0.0; 4096], vec![0.0; 4096]);
    let (mut heard, mut next, mut gaps) = (0, None, 0);
    while heard < frames {
        let (ring, span) = eventually("more of the song", || {
            let ring = peer.audio()?;
            let timeline = ring.timeline()?;
            let counter = next.unwrap_or(timeline.oldest()).max(timeline.oldest());
            let segment = timeline.segments().iter().find(|segment| segment.end() > counter)?;
            let from = counter.max(segment.counter);
            let position = segment.position.unwrap() + (from - segment.counter) as i64;
            let count = (segment.end() - from).min(4096) as usize;
            gaps += usize::from(
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
    gaps
}

/// Plays `seconds` of the song in a child with this role and checks every frame that arrives.
fn check_transfer(role: &str, seconds: u64) {
    let _guard = lock_machine();
    let runtime = TestRuntime::new();
    let bridge = runtime.bridge();
    let _mix = join(bridge, InstanceKind::Master, "Mix");
    let _process = runtime.start(role, "Drums");
    let peer = find_named(bridge, "Drums");
    let gaps = follow_song(peer, seconds * 48_000);
    // a busy machine may cause gaps, but every frame that arrives is in its place
    assert!(gaps <= 5, "{gaps} gaps");
    let info = peer.info().unwrap();
    assert_ne!(info.process.pid, u64::from(std::process::id()));
}

#[test]
fn a_song_arrives_as_it_plays() {
    check_transfer("1x", 3);
}

#[test]
fn a_song_arrives_at_twenty_times_its_speed() {
    check_transfer("20x", 60);
}
