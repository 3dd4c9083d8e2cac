//! The effects: what announces a section, what lands on it, and what glitters above it.

use units::{Hz, Ms};

use super::canvas::StemBuffer;
use super::filter::Filter;
use super::noise::WhiteNoise;
use super::room::{Reverb, ping_pong};
use super::score::{BAR, CHORDS, CHORUS_BAR, ENDING_BAR, SongSection, VERSE_BAR, beats, pitch, seconds};
use super::wave::{Decay, Phase, ease, sine};

/// Risers into each section, impacts on them, plucks with echoes over intro and chorus, all in a hall.
pub(super) fn play(rate: Hz) -> StemBuffer {
    let mut canvas = StemBuffer::new(rate);
    for bar in 0..ENDING_BAR {
        glitter(&mut canvas, bar);
    }
    // before anything else is on the canvas: only the plucks echo
    ping_pong(&mut canvas, beats(0.75), 0.55, 0.8);
    for (bar, length, strength) in [(VERSE_BAR, 1.5, 0.35), (CHORUS_BAR, 2.0, 1.0), (ENDING_BAR, 1.0, 0.8)] {
        let seconds_long = beats(length * BAR);
        let start = seconds(bar, 0.0) - seconds_long;
        for (side, seed) in [(-0.7, 0xf0), (0.7, 0xf1)] {
            let air = riser(seconds_long, WhiteNoise::new(seed + bar as u64, rate), rate);
            canvas.add(start, air, 0.5 * strength, side);
            let wash = fall(WhiteNoise::new(seed + 0x100 + bar as u64, rate), rate);
            canvas.add(seconds(bar, 0.0), wash, 0.32 * strength, -side);
        }
        if bar != VERSE_BAR {
            canvas.add(start, siren(seconds_long, rate), 0.1 * strength, 0.0);
        }
        canvas.add(
            seconds(bar, 0.0),
            impact(WhiteNoise::new(0xf2 + bar as u64, rate), rate),
            0.9 * strength,
            0.0,
        );
    }
    for bar in VERSE_BAR..CHORUS_BAR {
        for (side, seed) in [(-0.9, 0x1f0), (0.9, 0x1f1)] {
            let wind = breeze(beats(BAR), WhiteNoise::new(seed + bar as u64, rate), rate);
            canvas.add(seconds(bar, 0.0), wind, 0.1, side);
        }
    }
    Reverb { decay_seconds: 2.2, size: 1.35, damping: Hz(4_000.0), predelay: Ms(25.0) }
        .fill(&mut canvas, 0.25);
    canvas
}

/// Broken chords two octaves up: sparse in the intro, in sixteenths under the chorus.
fn glitter(canvas: &mut StemBuffer, bar: usize) {
    let (steps, strength) = match SongSection::of(bar) {
        SongSection::Intro => (4, 0.16),
        SongSection::Chorus => (16, 0.13),
        SongSection::Verse | SongSection::Ending => return,
    };
    const ORDER: [usize; 8] = [0, 2, 1, 3, 2, 1, 3, 2];
    for step in 0..steps {
        let beat = step as f64 * BAR / f64::from(steps);
        let key = CHORDS[bar].voicing[ORDER[step as usize % 8]] + 24;
        let accent = if step % 4 == 0 { 1.0 } else { 0.7 };
        let side = if step % 2 == 0 { -0.5 } else { 0.5 };
        let sound = pluck(pitch(f64::from(key)), canvas.rate);
        canvas.add(seconds(bar, beat), sound, strength * accent, side);
    }
}

/// A glass tone: two partials that die at different speeds.
fn pluck(hertz: f64, rate: Hz) -> impl Iterator<Item = f64> {
    let (mut low, mut high) = (Phase::new(0.0, rate), Phase::new(0.0, rate));
    let (mut long, mut short) = (Decay::new(1.0, 0.16, rate), Decay::new(0.4, 0.05, rate));
    let frames = Ms(850.0).samples(rate).0;
    let rise = 0.002 * rate.0;
    (0..frames).map(move |i| {
        let tone = sine(low.next(hertz)) * long.next() + sine(high.next(hertz * 2.76)) * short.next();
        tone * ease(i as f64 / rise) * ease((frames - i) as f64 / (0.2 * rate.0))
    })
}

/// Noise that climbs six octaves and grows.
fn riser(seconds_long: f64, mut noise: WhiteNoise, rate: Hz) -> impl Iterator<Item = f64> {
    let mut band = Filter::new(200.0, 1.5, rate);
    let mut top = Filter::new(14_000.0, 0.6, rate);
    let frames = Ms(seconds_long * 1e3).samples(rate).0;
    let release = 0.03 * rate.0;
    (0..frames).map(move |i| {
        let way = i as f64 / frames as f64;
        if i % 32 == 0 {
            band.tune(150.0 * (6.0 * way).exp2(), 1.5);
        }
        let grown = way * way * (0.25 + 0.75 * way);
        top.next(band.next(noise.next()).band).low * grown * ease((frames - i) as f64 / release)
    })
}

/// A tone that climbs an octave, with a beat that quickens.
fn siren(seconds_long: f64, rate: Hz) -> impl Iterator<Item = f64> {
    let (mut tone, mut pulse) = (Phase::new(0.0, rate), Phase::new(0.0, rate));
    let frames = Ms(seconds_long * 1e3).samples(rate).0;
    let release = 0.03 * rate.0;
    (0..frames).map(move |i| {
        let way = i as f64 / frames as f64;
        let at = tone.next(pitch(64.0 + 12.0 * way));
        let voice = sine(at + 0.25 * sine(at));
        let beat = 0.6 + 0.4 * sine(pulse.next(4.0 + 12.0 * way));
        voice * beat * way * way * ease((frames - i) as f64 / release)
    })
}

/// A blow: a sine that sinks into the lowest octave, and a dull burst around it.
fn impact(mut noise: WhiteNoise, rate: Hz) -> impl Iterator<Item = f64> {
    let mut phase = Phase::new(0.0, rate);
    let mut sink = Decay::new(60.0, 0.18, rate);
    let mut level = Decay::new(0.8, 0.45, rate);
    let mut burst = Decay::new(0.9, 0.12, rate);
    let mut dull = Filter::new(420.0, 0.7, rate);
    let frames = Ms(2_800.0).samples(rate).0;
    let rise = 0.004 * rate.0;
    (0..frames).map(move |i| {
        let deep = sine(phase.next(33.0 + sink.next())) * level.next();
        let blow = dull.next(noise.next()).low * burst.next();
        (deep + blow) * ease(i as f64 / rise) * ease((frames - i) as f64 / (0.5 * rate.0))
    })
}

/// The answer to a riser: noise that darkens as it leaves.
fn fall(mut noise: WhiteNoise, rate: Hz) -> impl Iterator<Item = f64> {
    let mut low = Filter::new(9_000.0, 0.7, rate);
    let mut cut = Filter::new(250.0, 0.7, rate);
    let mut level = Decay::new(1.0, 0.5, rate);
    let frames = Ms(3_000.0).samples(rate).0;
    let rise = 0.01 * rate.0;
    (0..frames).map(move |i| {
        if i % 32 == 0 {
            let way = i as f64 / frames as f64;
            low.tune(9_000.0 * (-5.0 * way).exp2(), 0.7);
        }
        let air = cut.next(low.next(noise.next()).low).high;
        air * level.next() * ease(i as f64 / rise) * ease((frames - i) as f64 / (0.5 * rate.0))
    })
}

/// Wind that comes and goes once.
fn breeze(seconds_long: f64, mut noise: WhiteNoise, rate: Hz) -> impl Iterator<Item = f64> {
    let mut band = Filter::new(900.0, 1.1, rate);
    let frames = Ms(seconds_long * 1e3).samples(rate).0;
    (0..frames).map(move |i| {
        let way = i as f64 / frames as f64;
        let swell = ease(2.0 * way.min(1.0 - way));
        if i % 32 == 0 {
            band.tune(700.0 + 1_400.0 * swell, 1.1);
        }
        band.next(noise.next()).band * swell
    })
}
