//! Random stems.

use crate::link::desk::{Audio, RATE};
use hosttests::Random;
use units::{Db, linear};

/// So many seconds of a stem: notes that decay, of its own pitches, rhythm and colour, in sections of different loudness
/// of which some pause.
pub(super) fn part(random: &mut Random, seconds: usize) -> Audio {
    let frames = seconds * RATE as usize;
    let mut audio = vec![vec![0.0f32; frames]; 2];
    let (density, colour, pitch) =
        (random.between(1.0, 5.0), random.unit(), 50.0 * 2f64.powf(random.between(0.0, 4.0)));
    let pan = [0, 1].map(|_| random.between(0.5, 1.0));
    let (mut at, mut section_end, mut section) = (0usize, 0usize, 0.0);
    while at < frames {
        if at >= section_end {
            section = if random.unit() < 0.15 { 0.0 } else { linear(random.between(-10.0, 0.0)) };
            section_end = at + (random.between(1.5, 4.0) * RATE) as usize;
        }
        let level = 0.3 * section * linear(random.between(-9.0, 0.0));
        let decay = random.between(0.08, 0.8);
        let step = std::f64::consts::TAU * pitch * 2f64.powf((12.0 * random.unit()).floor() / 12.0) / RATE;
        for n in at..frames.min(at + (3.0 * decay * RATE) as usize) {
            let time = (n - at) as f64;
            let note = (1.0 - colour) * ((step * time).sin() + 0.3 * (3.0 * step * time).sin())
                + colour * (2.0 * random.unit() - 1.0);
            let x = level * note * (-time / (decay * RATE)).exp() * (time / 96.0).min(1.0);
            (0..2).for_each(|side| audio[side][n] += (pan[side] * x) as f32);
        }
        at += (random.between(0.5, 1.5) / density * RATE) as usize;
    }
    audio
}

/// A stem that is nearly `audio`: a little noise on it, a quiet part of its own, late, duller, or with a slow ride.
pub(super) fn near_copy(random: &mut Random, audio: &Audio) -> Audio {
    let mut copy = audio.clone();
    match random.below(5) {
        0 => {
            let level = rms(audio) * linear(random.between(-80.0, -30.0));
            copy.iter_mut().flatten().for_each(|x| *x += (level * random.between(-1.7, 1.7)) as f32);
        }
        1 => {
            let own = part(random, audio[0].len() / RATE as usize);
            let gain = rms(audio) / rms(&own) * linear(random.between(-40.0, -15.0));
            let pairs = copy.iter_mut().flatten().zip(own.iter().flatten());
            pairs.for_each(|(x, own)| *x += (gain * f64::from(*own)) as f32);
        }
        2 => {
            let late = 1 + random.below(40);
            for side in &mut copy {
                side.rotate_right(late);
                side[..late].fill(0.0);
            }
        }
        3 => {
            let pole = random.between(0.2, 0.7) as f32;
            for side in &mut copy {
                let mut low = 0.0f32;
                for x in side.iter_mut() {
                    low = pole * low + (1.0 - pole) * *x;
                    *x = low;
                }
            }
        }
        _ => {
            let (depth, rate) = (random.between(0.1, 2.0), random.between(0.2, 1.5));
            let gain = |n: usize| linear(depth * (rate * n as f64 / RATE).sin()) as f32;
            copy.iter_mut().for_each(|side| side.iter_mut().enumerate().for_each(|(n, x)| *x *= gain(n)));
        }
    }
    copy
}

/// Root of the mean square of both sides, at least 1e-6.
pub(super) fn rms(audio: &Audio) -> f64 {
    let squares = audio.iter().flatten().map(|x| f64::from(*x).powi(2)).sum::<f64>();
    (squares / (2 * audio[0].len()) as f64).sqrt().max(1e-6)
}

/// Multiplies a stem.
pub(super) fn amplify(audio: &mut Audio, gain: Db) {
    let gain = gain.gain() as f32;
    audio.iter_mut().flatten().for_each(|x| *x *= gain);
}
