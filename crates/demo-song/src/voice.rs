//! The singer: a glottal pulse through a vocal tract that moves from vowel to vowel.
//!
//! Source and tract after Fant's source-filter model: a band-limited saw falls at 6 dB per octave, as glottal flow
//! does once radiated from the lips; five resonances in a row give the vowel its formants.

use units::{Hz, Ms};

use super::canvas::StemBuffer;
use super::filter::{Filter, Resonance, Smooth};
use super::noise::WhiteNoise;
use super::room::{Reverb, ping_pong};
use super::score::{
    CHORUS_BAR, ENDING_BAR, MELODY, Onset, Sung, VERSE_BAR, Vowel, beats, pitch, seconds, third_below,
};
use super::wave::{Phase, Saw, ease, sine};

/// The lead in the centre, a second voice in the chorus, a little plate and echo.
pub(super) fn sing(rate: Hz) -> StemBuffer {
    let lead = line(MELODY.iter().copied());
    let second = line(MELODY.iter().filter(|sung| (CHORUS_BAR..=ENDING_BAR).contains(&sung.0)).map(
        |&(bar, beat, length, note, onset, vowel)| (bar, beat, length, third_below(note), onset, vowel),
    ));
    let mut canvas = StemBuffer::new(rate);
    let entry = seconds(VERSE_BAR, -1.0);
    canvas.add(entry, Singer::new(lead, 0x10_0004, rate).from(entry), 1.0, 0.0);
    // behind the lead, each late in its own way
    for (late, seed, side) in [(0.012, 0x20_0004, -0.45), (0.021, 0x30_0004, 0.45)] {
        let entry = seconds(CHORUS_BAR, -1.0);
        canvas.add(entry + late, Singer::new(second.clone(), seed, rate).from(entry), 0.2, side);
    }
    ping_pong(&mut canvas, beats(0.5), 0.3, 0.07);
    Reverb { decay_seconds: 1.3, size: 0.8, damping: Hz(5_500.0), predelay: Ms(35.0) }
        .fill(&mut canvas, 0.12);
    canvas
}

/// A syllable with its place in time.
#[derive(Clone)]
struct Syllable {
    start: f64,
    end: f64,
    note: f64,
    /// Vocal effort, 0..1.
    effort: f64,
    onset: Onset,
    vowel: Vowel,
    /// The first after a breath.
    opens_phrase: bool,
    /// Nothing follows at once.
    closes_phrase: bool,
}

/// Lays the notes out in time and finds the phrases.
fn line(notes: impl Iterator<Item = Sung>) -> Vec<Syllable> {
    let mut line: Vec<Syllable> = notes
        .map(|(bar, beat, length, note, onset, vowel)| {
            let start = seconds(bar, beat) + 0.012;
            Syllable {
                start,
                end: start + beats(length),
                note: f64::from(note),
                effort: if bar < CHORUS_BAR { 0.72 } else { 1.0 },
                onset,
                vowel,
                opens_phrase: true,
                closes_phrase: true,
            }
        })
        .collect();
    let near = beats(0.2);
    for n in 1..line.len() {
        if line[n].start - line[n - 1].end < near {
            line[n].opens_phrase = false;
            line[n - 1].closes_phrase = false;
        }
    }
    line
}

/// The five resonances of a vowel or consonant, in hertz.
type Tract = [f64; 5];

/// Their bandwidths, in hertz.
const BANDWIDTHS: [f64; 5] = [85.0, 100.0, 130.0, 190.0, 260.0];

/// Between the averages of men and women in Peterson & Barney, "Control methods used in a study of the vowels",
/// JASA 24(2), 1952, table II; the fourth and fifth set the singer's ring near 3.5 kHz.
fn vowel_tract(vowel: Vowel) -> Tract {
    match vowel {
        Vowel::A => [790.0, 1_180.0, 2_650.0, 3_450.0, 4_300.0],
        Vowel::E => [570.0, 1_950.0, 2_650.0, 3_500.0, 4_400.0],
        Vowel::I => [330.0, 2_450.0, 3_050.0, 3_600.0, 4_500.0],
        Vowel::O => [540.0, 880.0, 2_550.0, 3_350.0, 4_200.0],
        Vowel::U => [360.0, 800.0, 2_450.0, 3_300.0, 4_200.0],
    }
}

/// The state of the mouth at one time.
#[derive(Clone, Copy)]
struct Posture {
    tract: Tract,
    /// Level of the vocal folds, 0..1.
    voicing: f64,
    /// Air through the open throat.
    breath: f64,
    /// Air past the teeth.
    hiss: f64,
    /// MIDI note.
    note: f64,
    /// Depth of vibrato, 0..1.
    vibrato: f64,
}

/// A consonant: how long it lasts, where the tract is meanwhile, and what sounds.
struct Consonant {
    seconds: f64,
    tract: Tract,
    voicing: f64,
    hiss: f64,
}

fn consonant(onset: Onset) -> Option<Consonant> {
    let (seconds, tract, voicing, hiss) = match onset {
        Onset::Vowel => return None,
        Onset::N => (0.065, [280.0, 1_500.0, 2_500.0, 3_400.0, 4_300.0], 0.4, 0.0),
        Onset::L => (0.055, [350.0, 1_150.0, 2_700.0, 3_400.0, 4_300.0], 0.55, 0.0),
        Onset::D => (0.04, [280.0, 1_750.0, 2_700.0, 3_500.0, 4_400.0], 0.08, 0.12),
        Onset::S => (0.095, [320.0, 1_600.0, 2_600.0, 3_500.0, 4_400.0], 0.0, 0.5),
        Onset::W => (0.07, [310.0, 680.0, 2_300.0, 3_300.0, 4_200.0], 0.5, 0.0),
    };
    Some(Consonant { seconds, tract, voicing, hiss })
}

/// One voice, sample by sample from the start of the song.
struct Singer {
    rate: Hz,
    line: Vec<Syllable>,
    /// The syllable being sung or waited for.
    at: usize,
    frame: usize,
    /// Frames between two looks at the score.
    interval: usize,
    posture: Posture,
    /// The pitch the posture gives, before vibrato.
    hertz: f64,
    /// Muscles take time: the five resonances, voicing, breath, hiss, note.
    muscles: [Smooth; 9],
    folds: Saw,
    tilt: Filter,
    vibrato: Phase,
    drift: Smooth,
    air: WhiteNoise,
    tract: [Resonance; 5],
    teeth: Filter,
    rumble: Filter,
    presence: Filter,
    leveller: Leveller,
}

impl Singer {
    /// Time between two looks at the score.
    const CONTROL_SECONDS: f64 = 1.0 / 1_500.0;

    fn new(line: Vec<Syllable>, seed: u64, rate: Hz) -> Self {
        let tract = vowel_tract(Vowel::A);
        let note = line.first().map_or(60.0, |first| first.note);
        let control = Hz(1.0 / Self::CONTROL_SECONDS);
        let muscle = |start, seconds| Smooth::new(start, seconds, control);
        Self {
            rate,
            line,
            at: 0,
            frame: 0,
            interval: Ms(Self::CONTROL_SECONDS * 1e3).samples(rate).0.max(1),
            hertz: pitch(note),
            posture: Posture { tract, voicing: 0.0, breath: 0.0, hiss: 0.0, note, vibrato: 0.0 },
            muscles: [
                muscle(tract[0], 0.016),
                muscle(tract[1], 0.02),
                muscle(tract[2], 0.02),
                muscle(tract[3], 0.02),
                muscle(tract[4], 0.02),
                muscle(0.0, 0.014),
                muscle(0.0, 0.03),
                muscle(0.0, 0.008),
                muscle(note, 0.025),
            ],
            folds: Saw::new(0.5, rate),
            tilt: Filter::new(2_600.0, 0.55, rate),
            vibrato: Phase::new(0.0, rate),
            drift: Smooth::new(0.0, 0.15, rate),
            air: WhiteNoise::new(seed, rate),
            tract: Default::default(),
            teeth: Filter::new(6_800.0, 1.4, rate),
            rumble: Filter::new(110.0, 0.7, rate),
            presence: Filter::new(3_100.0, 0.8, rate),
            leveller: Leveller::new(rate),
        }
    }

    /// The same singer, first heard at `start` seconds.
    fn from(mut self, start: f64) -> Self {
        self.frame = Ms(start * 1e3).samples(self.rate).0;
        self
    }

    /// The mouth that the score asks for at `time`, before muscles smooth it.
    fn wanted(&mut self, time: f64) -> Posture {
        const BREATH_SECONDS: f64 = 0.24;
        const BREATH_GAP_SECONDS: f64 = 0.06;
        while self.at + 1 < self.line.len() && time >= self.line[self.at + 1].start {
            self.at += 1;
        }
        let rest = Posture { voicing: 0.0, breath: 0.0, hiss: 0.0, vibrato: 0.0, ..self.posture };
        let Some(now) = self.line.get(self.at) else { return rest };
        let inside = time >= now.start && time < now.end;
        if !inside {
            // between phrases: rest, then breathe in for the next one
            let next = if time < now.start { Some(now) } else { self.line.get(self.at + 1) };
            let Some(next) = next.filter(|next| next.opens_phrase) else { return rest };
            let until = next.start - BREATH_GAP_SECONDS - time;
            let breath = if (0.0..BREATH_SECONDS).contains(&until) {
                // swells towards the end, as breaths do
                0.07 * ease((1.0 - until / BREATH_SECONDS) * 1.3) * ease(until / 0.05)
            } else {
                0.0
            };
            return Posture { breath, note: next.note, tract: vowel_tract(Vowel::A), ..rest };
        }
        let (since, left) = (time - now.start, now.end - time);
        let start = consonant(now.onset).filter(|start| since < start.seconds);
        if let Some(start) = start {
            return Posture {
                tract: start.tract,
                voicing: start.voicing * now.effort,
                breath: 0.0,
                hiss: start.hiss * ease(since / 0.02),
                note: now.note,
                vibrato: 0.0,
            };
        }
        // long notes bloom and, at the end of a phrase, fall away
        let release = if now.closes_phrase { (now.end - now.start).min(1.4) * 0.45 } else { 0.03 };
        let fall = if now.closes_phrase { ease(left / release) } else { 0.7 + 0.3 * ease(left / release) };
        Posture {
            tract: vowel_tract(now.vowel),
            voicing: now.effort * fall * (0.88 + 0.12 * ease(since / 0.3)),
            breath: 0.012 + 0.02 * (1.0 - fall),
            hiss: 0.0,
            note: now.note,
            vibrato: ease((since - 0.22) / 0.4),
        }
    }

    /// Looks at the score and moves every muscle a little.
    fn control(&mut self) {
        let wanted = self.wanted(self.frame as f64 / self.rate.0);
        let mut posture = wanted;
        for n in 0..5 {
            posture.tract[n] = self.muscles[n].next(wanted.tract[n]);
        }
        posture.voicing = self.muscles[5].next(wanted.voicing);
        posture.breath = self.muscles[6].next(wanted.breath);
        posture.hiss = self.muscles[7].next(wanted.hiss);
        posture.note = self.muscles[8].next(wanted.note);
        self.posture = posture;
        self.hertz = pitch(posture.note);
        // singers open the jaw so that the first resonance never falls below the pitch
        posture.tract[0] = posture.tract[0].max(1.05 * self.hertz);
        for (n, resonance) in self.tract.iter_mut().enumerate() {
            resonance.tune(posture.tract[n], BANDWIDTHS[n], self.rate);
        }
        // louder is brighter
        self.tilt.tune(1_500.0 + 3_000.0 * posture.voicing, 0.55);
    }
}

impl Iterator for Singer {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        if self.frame.is_multiple_of(self.interval) {
            self.control();
        }
        self.frame += 1;
        let posture = &self.posture;
        let white = self.air.next();
        let drift = self.drift.next(white) * 2.0;
        let swing = sine(self.vibrato.next(5.4 + drift));
        let bend = 1.0 + posture.vibrato * 0.017 * swing + 0.004 * drift;
        let hertz = self.hertz * bend;
        // vibrato is heard in loudness, too
        let flow = self.folds.next(hertz) * posture.voicing * (1.0 + 0.06 * posture.vibrato * swing);
        let mut sound = self.tilt.next(flow).low + white * posture.breath;
        for resonance in &mut self.tract {
            sound = resonance.next(sound);
        }
        // the engineer's +8 dB where words are understood
        sound += 1.5 * self.presence.next(sound).band;
        let hiss = self.teeth.next(white).band * (posture.hiss + 0.008 * posture.voicing);
        let voice = self.leveller.next(self.rumble.next(sound).high);
        Some(0.25 * voice + hiss * 0.5)
    }
}

/// A slow compressor on the voice: vowels differ in loudness by 10 dB, listeners want less.
struct Leveller {
    power: Smooth,
}

impl Leveller {
    fn new(rate: Hz) -> Self {
        Self { power: Smooth::new(0.0, 0.06, rate) }
    }

    #[inline]
    fn next(&mut self, input: f64) -> f64 {
        let power = self.power.next(input * input);
        // gain = (1 + power / knee) to the -3/8: 4:1 far above the knee
        let quarter = (1.0 + power / 0.12).sqrt().sqrt();
        input / (quarter * quarter.sqrt())
    }
}
