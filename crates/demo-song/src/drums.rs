//! The drummer: seven sounds and what to do with them.

use units::{Hz, Ms};

use super::canvas::StemBuffer;
use super::filter::Filter;
use super::noise::{Chance, WhiteNoise};
use super::room::Reverb;
use super::score::{BARS, CHORUS_BAR, ENDING_BAR, SongSection, VERSE_BAR, kicks, seconds};
use super::wave::{Decay, Phase, ease, sine};

/// The drums, played on a kit in a small room.
pub(super) fn play(rate: Hz) -> StemBuffer {
    let mut kit = Kit { canvas: StemBuffer::new(rate), rate, hand: Chance::new(0xd2_0001), strokes: 0 };
    for bar in 0..BARS {
        kit.bar(bar);
    }
    Reverb { decay_seconds: 0.45, size: 0.45, damping: Hz(6_500.0), predelay: Ms(6.0) }
        .fill(&mut kit.canvas, 0.3);
    tape(&mut kit.canvas);
    kit.canvas
}

/// Rounds the tallest peaks, where several drums meet, to below one; a lone stroke hardly changes.
fn tape(canvas: &mut StemBuffer) {
    for sample in canvas.left.iter_mut().chain(&mut canvas.right) {
        let square = *sample * *sample;
        *sample /= (1.0 + square * square).sqrt().sqrt();
    }
}

struct Kit {
    canvas: StemBuffer,
    rate: Hz,
    /// The drummer's unsteadiness.
    hand: Chance,
    strokes: u64,
}

/// The instruments of the kit.
#[derive(Clone, Copy)]
enum Drum {
    Kick,
    Snare,
    Clap,
    Closed,
    Open,
    Tom(f64),
    Crash,
}

impl Kit {
    /// Strikes once, a hair early or late, a hair softer or harder.
    fn hit(&mut self, drum: Drum, bar: usize, beat: f64, strength: f64) {
        let strength = self.hand.around(strength, 0.08);
        let drift = match drum {
            Drum::Kick | Drum::Crash => 0.001,
            Drum::Closed | Drum::Open => 0.003,
            _ => 0.004,
        };
        let time = seconds(bar, beat) + drift * (1.0 + self.hand.next());
        self.strokes += 1;
        let rate = self.rate;
        let noise = WhiteNoise::new(self.strokes.wrapping_mul(0x51_7e57), rate);
        let canvas = &mut self.canvas;
        match drum {
            Drum::Kick => canvas.add(time, kick(noise, rate), strength, 0.0),
            Drum::Snare => canvas.add(time, snare(noise, strength, rate), 0.85 * strength, -0.06),
            Drum::Clap => {
                canvas.add(time, clap(noise, rate), 0.5 * strength, -0.5);
                canvas.add(
                    time + 0.004,
                    clap(WhiteNoise::new(self.strokes, rate), rate),
                    0.5 * strength,
                    0.5,
                );
            }
            Drum::Closed => canvas.add(time, hat(noise, 0.035, rate), 0.3 * strength, 0.35),
            Drum::Open => canvas.add(time, hat(noise, 0.16, rate), 0.28 * strength, 0.35),
            Drum::Tom(hertz) => {
                canvas.add(time, tom(noise, hertz, rate), 0.7 * strength, (150.0 - hertz) / 120.0);
            }
            Drum::Crash => {
                canvas.add(time, crash(noise, rate), 0.3 * strength, -0.4);
                canvas.add(time, crash(WhiteNoise::new(self.strokes, rate), rate), 0.22 * strength, 0.5);
            }
        }
    }

    fn bar(&mut self, bar: usize) {
        let section = SongSection::of(bar);
        for &beat in kicks(bar) {
            let strength = match section {
                SongSection::Verse => 0.8,
                _ if beat == 0.0 => 1.0,
                _ => 0.9,
            };
            self.hit(Drum::Kick, bar, beat, strength);
        }
        if matches!(bar, VERSE_BAR | CHORUS_BAR | ENDING_BAR) || bar == 10 {
            self.hit(Drum::Crash, bar, 0.0, if bar == VERSE_BAR { 0.6 } else { 1.0 });
        }
        match section {
            SongSection::Intro => self.intro(bar),
            SongSection::Verse => self.verse(bar),
            SongSection::Chorus => self.chorus(bar),
            SongSection::Ending => self.hit(Drum::Snare, bar, 0.0, 0.8),
        }
        match bar {
            1 => self.fill(bar, 3.0, 0.6),
            5 => self.fill(bar, 2.0, 0.8),
            11 => self.fill(bar, 2.0, 1.0),
            _ => {}
        }
    }

    /// Hats alone, counting in.
    fn intro(&mut self, bar: usize) {
        let steps = if bar == 0 { 4..8 } else { 0..6 };
        for step in steps {
            let accent = if step % 2 == 0 { 0.7 } else { 0.4 };
            self.hit(Drum::Closed, bar, f64::from(step) * 0.5, accent);
        }
    }

    /// Backbeat with eighths.
    fn verse(&mut self, bar: usize) {
        let end = if bar == CHORUS_BAR - 1 { 4 } else { 8 };
        for step in 0..end {
            let accent = if step % 2 == 0 { 0.85 } else { 0.5 };
            self.hit(Drum::Closed, bar, f64::from(step) * 0.5, accent);
        }
        self.hit(Drum::Snare, bar, 1.0, 0.6);
        if bar != CHORUS_BAR - 1 {
            self.hit(Drum::Snare, bar, 3.0, 0.65);
            // a ghost note before the bar line
            self.hit(Drum::Snare, bar, 3.75, 0.18);
        }
    }

    /// Sixteenths, open hats between the kicks, claps on the snare.
    fn chorus(&mut self, bar: usize) {
        let end = if bar == ENDING_BAR - 1 { 8 } else { 16 };
        for step in 0..end {
            let beat = f64::from(step) * 0.25;
            match step % 4 {
                0 => self.hit(Drum::Closed, bar, beat, 0.8),
                2 => self.hit(Drum::Open, bar, beat, 0.9),
                _ => self.hit(Drum::Closed, bar, beat, 0.45),
            }
        }
        for beat in [1.0, 3.0] {
            self.hit(Drum::Snare, bar, beat, 1.0);
            self.hit(Drum::Clap, bar, beat, 0.8);
        }
        if bar % 2 == 1 && bar != ENDING_BAR - 1 {
            self.hit(Drum::Snare, bar, 3.75, 0.3);
        }
    }

    /// From `beat` to the bar line: snare and toms in sixteenths, getting louder.
    fn fill(&mut self, bar: usize, beat: f64, strength: f64) {
        let steps = ((4.0 - beat) * 4.0) as usize;
        for step in 0..steps {
            let way = (step + 1) as f64 / steps as f64;
            let at = beat + step as f64 * 0.25;
            let drum = match 8 - steps + step {
                0..=2 | 4 => Drum::Snare,
                3 | 5 => Drum::Tom(190.0),
                6 => Drum::Tom(140.0),
                _ => Drum::Tom(100.0),
            };
            self.hit(drum, bar, at, strength * (0.45 + 0.55 * way));
        }
    }
}

/// `seconds` as a count of samples, the length of a sound.
fn count(seconds: f64, rate: Hz) -> usize {
    Ms(seconds * 1e3).samples(rate).0
}

/// A sine that falls from a knock to the pitch of the drum, with a click of the beater.
fn kick(mut noise: WhiteNoise, rate: Hz) -> impl Iterator<Item = f64> {
    let mut phase = Phase::new(0.0, rate);
    let (mut knock, mut sweep) = (Decay::new(260.0, 0.005, rate), Decay::new(85.0, 0.028, rate));
    let mut level = Decay::new(1.0, 0.13, rate);
    let mut click = Decay::new(0.5, 0.003, rate);
    let mut beater = Filter::new(3_500.0, 0.7, rate);
    let frames = count(0.7, rate);
    let rise = 0.0008 * rate.0;
    (0..frames).map(move |i| {
        let body = sine(phase.next(47.0 + knock.next() + sweep.next())) * level.next();
        let tap = beater.next(noise.next()).low * click.next();
        (body + tap) * ease(i as f64 / rise) * fade_out(i, frames)
    })
}

/// Two modes of the head and the rattle of the wires; harder strokes rattle longer.
fn snare(mut noise: WhiteNoise, strength: f64, rate: Hz) -> impl Iterator<Item = f64> {
    let mut modes = [Phase::new(0.0, rate), Phase::new(0.0, rate)];
    let mut levels = [Decay::new(0.55, 0.075, rate), Decay::new(0.3, 0.045, rate)];
    let mut bend = Decay::new(0.35, 0.012, rate);
    let mut wires = Decay::new(1.0, 0.05 + 0.05 * strength, rate);
    let mut crack = Decay::new(0.7, 0.008, rate);
    let (mut body, mut air) = (Filter::new(2_400.0, 0.5, rate), Filter::new(9_000.0, 0.7, rate));
    let frames = count(0.7, rate);
    let rise = 0.0006 * rate.0;
    (0..frames).map(move |i| {
        let up = 1.0 + bend.next();
        let head = sine(modes[0].next(188.0 * up)) * levels[0].next()
            + sine(modes[1].next(331.0 * up)) * levels[1].next();
        let rattle = air.next(body.next(noise.next()).band * 1.6).low * (wires.next() + crack.next());
        (head + 0.75 * rattle) * ease(i as f64 / rise) * fade_out(i, frames)
    })
}

/// Three hands not quite together, and the room's slap.
fn clap(mut noise: WhiteNoise, rate: Hz) -> impl Iterator<Item = f64> {
    let mut tone = Filter::new(1_350.0, 1.3, rate);
    let mut low_cut = Filter::new(600.0, 0.7, rate);
    let bursts = [0.0, 0.011, 0.023].map(|late| count(late, rate));
    let mut hand = Decay::new(1.0, 0.004, rate);
    let mut tail = Decay::new(0.0, 0.07, rate);
    let frames = count(0.5, rate);
    (0..frames).map(move |i| {
        if bursts.contains(&i) {
            hand = Decay::new(1.0, 0.004, rate);
        }
        if i == bursts[2] {
            tail = Decay::new(0.8, 0.07, rate);
        }
        low_cut.next(tone.next(noise.next()).band).high
            * (hand.next() + tail.next())
            * 1.8
            * fade_out(i, frames)
    })
}

/// Metal: noise above 7 kHz with two narrow rings, closed by hand after `decay_seconds`.
fn hat(mut noise: WhiteNoise, decay_seconds: f64, rate: Hz) -> impl Iterator<Item = f64> {
    let (mut high, mut higher) = (Filter::new(7_000.0, 0.8, rate), Filter::new(6_000.0, 0.8, rate));
    let mut rings = [Filter::new(8_300.0, 9.0, rate), Filter::new(11_700.0, 9.0, rate)];
    let mut top = Filter::new(15_000.0, 0.6, rate);
    let mut level = Decay::new(1.0, decay_seconds, rate);
    let frames = count(decay_seconds * 8.0, rate);
    let rise = 0.0005 * rate.0;
    (0..frames).map(move |i| {
        let white = noise.next();
        let metal = higher.next(high.next(white).high).high;
        let ring = rings[0].next(white).band + rings[1].next(white).band;
        top.next(metal + 1.4 * ring).low * level.next() * ease(i as f64 / rise) * fade_out(i, frames)
    })
}

/// A tuned drum that falls by a quarter.
fn tom(mut noise: WhiteNoise, hertz: f64, rate: Hz) -> impl Iterator<Item = f64> {
    let mut phase = Phase::new(0.0, rate);
    let mut bend = Decay::new(0.45, 0.035, rate);
    let mut level = Decay::new(1.0, 0.14, rate);
    let mut stick = Decay::new(0.3, 0.006, rate);
    let mut tone = Filter::new(2_500.0, 0.7, rate);
    let frames = count(0.9, rate);
    let rise = 0.001 * rate.0;
    (0..frames).map(move |i| {
        let body = sine(phase.next(hertz * (1.0 + bend.next()))) * level.next();
        (body + tone.next(noise.next()).low * stick.next()) * ease(i as f64 / rise) * fade_out(i, frames)
    })
}

/// A cymbal: a wash of noise that darkens as it dies.
fn crash(mut noise: WhiteNoise, rate: Hz) -> impl Iterator<Item = f64> {
    let (mut high, mut top) = (Filter::new(3_200.0, 0.6, rate), Filter::new(14_000.0, 0.6, rate));
    let mut rings = [4_100.0, 5_900.0, 8_700.0].map(|hertz| Filter::new(hertz, 14.0, rate));
    let mut wash = Decay::new(0.8, 0.55, rate);
    let mut strike = Decay::new(0.9, 0.05, rate);
    let frames = count(3.0, rate);
    let rise = 0.001 * rate.0;
    (0..frames).map(move |i| {
        let white = noise.next();
        let mut metal = high.next(white).high;
        for ring in &mut rings {
            metal += ring.next(white).band;
        }
        top.next(metal).low * (wash.next() + strike.next()) * ease(i as f64 / rise) * fade_out(i, frames)
    })
}

/// 1 until the last tenth of a sound, then down to 0: no sound is cut off.
fn fade_out(at: usize, frames: usize) -> f64 {
    ease((frames - at) as f64 * 10.0 / frames as f64)
}
