//! The bass: a saw through a filter that closes, over a sine of the same pitch; mono.

use units::{Hz, Ms};

use super::canvas::StemBuffer;
use super::filter::Filter;
use super::noise::Chance;
use super::score::{BARS, CHORDS, ENDING_BAR, bass_line, beats, pitch, seconds};
use super::wave::{Decay, Phase, Saw, ease, sine};

/// The bass line, following the kick.
pub(super) fn play(rate: Hz) -> StemBuffer {
    let mut canvas = StemBuffer::new(rate);
    let mut hand = Chance::new(0xba_0002);
    for bar in 0..BARS {
        for &(beat, length, above, strength) in bass_line(bar) {
            let hertz = pitch(f64::from(CHORDS[bar].root + above));
            let strength = hand.around(strength, 0.05);
            let late = 0.002 * (1.0 + hand.next());
            // the last note dies under the hand, the others are stopped
            let release = if bar == ENDING_BAR { 1.1 } else { 0.09 };
            let sound = note(hertz, beats(length), release, strength, rate);
            canvas.add(seconds(bar, beat) + late, sound, 1.0, 0.0);
        }
    }
    canvas
}

/// One note; harder ones open the filter further.
fn note(
    hertz: f64,
    held_seconds: f64,
    release_seconds: f64,
    strength: f64,
    rate: Hz,
) -> impl Iterator<Item = f64> {
    let mut saw = Saw::new(0.5, rate);
    let mut sub = Phase::new(0.0, rate);
    let mut filters = [Filter::new(400.0, 0.9, rate), Filter::new(400.0, 0.6, rate)];
    let mut sweep = Decay::new(250.0 + 1_300.0 * strength * strength, 0.16, rate);
    let mut level = Decay::new(0.35, 0.25, rate);
    let mut ring = Decay::new(0.65, 2.2, rate);
    let frames = Ms((held_seconds + release_seconds) * 1e3).samples(rate).0;
    let (rise, release) = (0.005 * rate.0, release_seconds * rate.0);
    (0..frames).map(move |i| {
        let corner = 170.0 + 2.0 * hertz + sweep.next();
        if i % 16 == 0 {
            filters[0].tune(corner, 1.1);
            filters[1].tune(corner, 0.6);
        }
        let [first, second] = &mut filters;
        let reed = second.next(first.next(saw.next(hertz)).low).low;
        let body = sine(sub.next(hertz));
        let envelope =
            (level.next() + ring.next()) * ease(i as f64 / rise) * ease((frames - i) as f64 / release);
        strength * envelope * (0.6 * reed + 0.55 * body)
    })
}
