//! The keys: an electric piano by frequency modulation, and a pad that opens the chorus.

use units::{Hz, Ms};

use super::canvas::StemBuffer;
use super::filter::Filter;
use super::noise::Chance;
use super::room::Reverb;
use super::score::{BAR, BARS, CHORDS, CHORUS_BAR, ENDING_BAR, beats, pitch, seconds, strokes};
use super::wave::{Decay, Phase, Saw, ease, sine};

/// Chords across the panorama.
pub(super) fn play(rate: Hz) -> StemBuffer {
    let mut canvas = StemBuffer::new(rate);
    let mut hand = Chance::new(0xe9_0003);
    for bar in 0..BARS {
        for &(beat, length, strength) in strokes(bar) {
            for (finger, &key) in CHORDS[bar].voicing.iter().enumerate() {
                // rolled from low to high, as hands do
                let late = 0.007 * finger as f64 + 0.003 * (1.0 + hand.next());
                let strength = hand.around(strength, 0.1);
                let sound = tine(f64::from(key), beats(length), release(bar, 0.14), strength, rate);
                canvas.add(seconds(bar, beat) + late, sound, 0.25, place(key));
            }
        }
    }
    sway(&mut canvas);
    for bar in CHORUS_BAR..=ENDING_BAR {
        let strength = if bar == ENDING_BAR { 0.7 } else { 1.0 };
        let held = if bar == ENDING_BAR { 1.0 } else { beats(BAR) };
        for (side, cents) in [(-0.8, -7.0), (0.8, 7.0)] {
            let chord = CHORDS[bar].voicing.map(|key| pitch(f64::from(key) + cents / 100.0));
            let starts = chord.map(|_| hand.next());
            let sound = pad(chord, held, release(bar, 0.5), starts, rate);
            canvas.add(seconds(bar, 0.0), sound, 0.055 * strength, side);
        }
    }
    Reverb { decay_seconds: 1.4, size: 1.0, damping: Hz(4_500.0), predelay: Ms(18.0) }
        .fill(&mut canvas, 0.16);
    canvas
}

/// The release time of a note: the last chord is released slowly.
fn release(bar: usize, usual_seconds: f64) -> f64 {
    if bar == ENDING_BAR { 1.3 } else { usual_seconds }
}

/// Low keys to the left, high ones to the right, as the player sees them.
fn place(key: u8) -> f64 {
    ((f64::from(key) - 60.0) / 20.0).clamp(-0.6, 0.6)
}

/// Two operator pairs: the body, whose brightness dies soon, and the chime of the tine at 14 times the pitch
/// (Chowning, "The synthesis of complex audio spectra by means of frequency modulation", JAES 21(7), 1973).
///
/// All phases start at zero, so the spectrum has no direct current.
fn tine(
    key: f64,
    held_seconds: f64,
    release_seconds: f64,
    strength: f64,
    rate: Hz,
) -> impl Iterator<Item = f64> {
    let hertz = pitch(key);
    let (mut body, mut chime) = (Phase::new(0.0, rate), Phase::new(0.0, rate));
    // depth of modulation in turns of phase
    let mut bright = Decay::new((0.08 + 0.2 * strength) * (1.0 - (key - 60.0) / 60.0), 0.35, rate);
    let mut bell = Decay::new(0.02 + 0.03 * strength, 0.09, rate);
    let mut level = Decay::new(strength, 1.5 * (-(key - 60.0) / 30.0).exp2(), rate);
    let frames = Ms((held_seconds + release_seconds) * 1e3).samples(rate).0;
    let (rise, release) = (0.002 * rate.0, release_seconds * rate.0);
    (0..frames).map(move |i| {
        let at = body.next(hertz);
        let tines = sine(chime.next(14.0 * hertz));
        let tone = sine(at + bright.next() * sine(at)) + 0.35 * sine(at + bell.next() * tines);
        tone * level.next() * ease(i as f64 / rise) * ease((frames - i) as f64 / release)
    })
}

/// Soft saws, one a note, that swell and leave together.
fn pad(
    chord: [f64; 4],
    held_seconds: f64,
    release_seconds: f64,
    starts: [f64; 4],
    rate: Hz,
) -> impl Iterator<Item = f64> {
    let mut saws = starts.map(|start| Saw::new(0.5 + 0.49 * start, rate));
    let (mut soft, mut clear) = (Filter::new(1_900.0, 0.6, rate), Filter::new(250.0, 0.6, rate));
    let frames = Ms((held_seconds + release_seconds) * 1e3).samples(rate).0;
    let (rise, release) = (0.18 * rate.0, release_seconds * rate.0);
    (0..frames).map(move |i| {
        let reeds = saws.iter_mut().zip(chord).map(|(saw, hertz)| saw.next(hertz)).sum();
        let tone = clear.next(soft.next(reeds).low).high;
        tone * ease(i as f64 / rise) * ease((frames - i) as f64 / release)
    })
}

/// The suitcase piano's slow swing between the sides.
fn sway(canvas: &mut StemBuffer) {
    const SWING: f64 = 0.28;
    let mut phase = Phase::new(0.0, canvas.rate);
    for (left, right) in canvas.left.iter_mut().zip(&mut canvas.right) {
        let swing = SWING * sine(phase.next(3.6));
        *left *= 1.0 + swing;
        *right *= 1.0 - swing;
    }
}
