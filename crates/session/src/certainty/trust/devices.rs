//! Devices between Stems and Master that change a gain with a level, or a waveform.

use super::song::{Dice, RATE};
use crate::joint::tests::StereoAudio;
use units::{Db, linear};

/// Device in the path of a stem, of a group, or of the mix.
#[derive(Clone, Debug)]
pub(super) enum Device {
    /// One pole, mixed with the dry signal.
    Filter { pole: f64, wet: f64 },
    /// Gain that follows a level.
    Leveller(Leveller),
    /// The dry signal and a compressed one beside it.
    Parallel(Leveller, f64),
    /// Soft clipping at this drive.
    Saturation { drive: f64 },
    /// Hard clipping at this amplitude.
    Clipper { ceiling: f64 },
}

/// Gain computer of a [`Leveller`]: from the level over the threshold, dB, to a gain, dB.
#[derive(Clone, Copy, Debug)]
enum Curve {
    /// Above the threshold the level rises by 1/ratio only.
    Compressor { ratio: f64 },
    /// Below the threshold the gain falls to `-range`.
    Gate { range: f64 },
    /// Levels move toward the threshold from both sides by this share, at most by `range`; silence moves nothing.
    Rider { share: f64, range: f64 },
}

/// Device whose gain follows the level of its key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leveller {
    curve: Curve,
    threshold: f64,
    /// Time constants of the level, seconds; zero attack reads peaks.
    detector: [f64; 2],
    /// Time constants of the gain: falling, rising, seconds.
    attack: f64,
    release: f64,
    /// Share by which a long reduction slows the release, as in an optical cell.
    memory: f64,
}

fn pole(seconds: f64) -> f64 {
    if seconds > 0.0 { (-1.0 / (seconds * RATE)).exp() } else { 0.0 }
}

impl Leveller {
    /// Compressor of 1 to 30 ms and 40 to 600 ms.
    pub(super) fn fast(dice: &mut Dice, rms: f64) -> Self {
        Self {
            curve: Curve::Compressor { ratio: [1.5, 2.0, 4.0, 10.0][dice.whole(0, 3)] },
            threshold: rms * linear(dice.between(-9.0, 6.0)),
            detector: [0.001, 0.005],
            attack: dice.between(0.001, 0.03),
            release: dice.between(0.04, 0.6),
            memory: 0.0,
        }
    }

    /// Leveller of 50 ms to 2 s and 1 to 10 s, often with an optical cell's memory.
    pub(super) fn opto(dice: &mut Dice, rms: f64) -> Self {
        Self {
            curve: Curve::Compressor { ratio: [2.0, 3.0, 4.0, 8.0][dice.whole(0, 3)] },
            threshold: rms * linear(dice.between(-9.0, 3.0)),
            detector: [0.01, 0.03],
            attack: 0.05 * 40f64.powf(dice.between(0.0, 1.0)),
            release: 10f64.powf(dice.between(0.0, 1.0)),
            memory: if dice.chance(0.6) { dice.between(0.3, 0.9) } else { 0.0 },
        }
    }

    /// Bus compressor of up to 300 ms and 4 s.
    pub(super) fn glue(dice: &mut Dice, rms: f64) -> Self {
        let slow = dice.chance(0.5);
        Self {
            curve: Curve::Compressor { ratio: [1.5, 2.0, 4.0][dice.whole(0, 2)] },
            threshold: rms * linear(dice.between(-8.0, 3.0)),
            detector: [0.005, 0.02],
            attack: if slow { 0.3 } else { dice.between(0.01, 0.3) },
            release: if slow { 4.0 } else { dice.between(0.3, 4.0) },
            memory: 0.0,
        }
    }

    /// Ducker of 20 to 300 ms and 1 to 4 s.
    pub(super) fn slow_ducker(dice: &mut Dice, rms: f64) -> Self {
        Self {
            curve: Curve::Compressor { ratio: [2.0, 4.0, 10.0][dice.whole(0, 2)] },
            threshold: rms * linear(dice.between(-12.0, 0.0)),
            detector: [0.003, 0.03],
            attack: dice.between(0.02, 0.3),
            release: dice.between(1.0, 4.0),
            memory: 0.0,
        }
    }

    /// Automatic rider of 0.3 to 3 s.
    pub(super) fn rider(dice: &mut Dice, rms: f64) -> Self {
        let seconds = 0.3 * 10f64.powf(dice.between(0.0, 1.0));
        Self {
            curve: Curve::Rider { share: dice.between(0.3, 0.9), range: dice.between(3.0, 9.0) },
            threshold: rms,
            detector: [0.1, 0.3],
            attack: seconds,
            release: seconds * dice.between(1.0, 3.0),
            memory: 0.0,
        }
    }

    pub(super) fn gate(dice: &mut Dice, rms: f64) -> Self {
        Self {
            curve: Curve::Gate { range: dice.between(10.0, 60.0) },
            threshold: rms * linear(dice.between(-20.0, -3.0)),
            detector: [0.001, 0.03],
            attack: dice.between(0.03, 0.3),
            release: dice.between(0.001, 0.01),
            memory: 0.0,
        }
    }

    pub(super) fn limiter(dice: &mut Dice, rms: f64) -> Self {
        Self {
            curve: Curve::Compressor { ratio: 1e3 },
            threshold: rms * linear(dice.between(3.0, 10.0)),
            detector: [0.0, 0.003],
            attack: 0.0005,
            release: dice.between(0.02, 0.3),
            memory: 0.0,
        }
    }

    /// Gain per frame for a key signal, linear.
    pub(super) fn gains(&self, key: &StereoAudio) -> Vec<f64> {
        let [up, down] = self.detector.map(pole);
        let (attack, silence) = (pole(self.attack), 1e-3 * self.threshold);
        let (mut level, mut gain, mut long, mut release) = (0.0f64, 0.0f64, 0.0f64, pole(self.release));
        (0..key[0].len())
            .map(|n| {
                let x = key[0][n].abs().max(key[1][n].abs());
                let coefficient = if x > level { up } else { down };
                level = coefficient * level + (1.0 - coefficient) * x;
                let over = Db::from_gain(level.max(silence) / self.threshold).0;
                let wanted = match self.curve {
                    Curve::Compressor { ratio } => over.max(0.0) * (1.0 / ratio - 1.0),
                    Curve::Gate { range } => (2.0 * over.min(0.0)).max(-range),
                    Curve::Rider { .. } if over < -20.0 => gain,
                    Curve::Rider { share, range } => (-share * over).clamp(-range, range),
                };
                if self.memory > 0.0 && n % 64 == 0 {
                    // the cell remembers for some 5 s
                    long += 64.0 / (5.0 * RATE) * ((-gain / 6.0).min(1.0) - long);
                    release = pole(self.release * (1.0 - self.memory * (1.0 - long)));
                }
                let coefficient = if wanted < gain { attack } else { release };
                gain = coefficient * gain + (1.0 - coefficient) * wanted;
                linear(gain)
            })
            .collect()
    }
}

pub(super) fn times(audio: &mut StereoAudio, gains: &[f64]) {
    audio.iter_mut().for_each(|side| side.iter_mut().zip(gains).for_each(|(x, g)| *x *= g));
}

impl Device {
    pub(super) fn process(&self, audio: &mut StereoAudio) {
        match self {
            Self::Filter { pole, wet } => {
                for side in audio {
                    let mut low = 0.0;
                    for x in side {
                        low = pole * low + (1.0 - pole) * *x;
                        *x += wet * low;
                    }
                }
            }
            Self::Leveller(leveller) => {
                let gains = leveller.gains(audio);
                times(audio, &gains);
            }
            Self::Parallel(leveller, wet) => {
                let gains: Vec<f64> = leveller.gains(audio).iter().map(|g| 1.0 + wet * g).collect();
                times(audio, &gains);
            }
            Self::Saturation { drive } => {
                audio.iter_mut().flatten().for_each(|x| *x = (drive * *x).tanh() / drive);
            }
            Self::Clipper { ceiling } => {
                audio.iter_mut().flatten().for_each(|x| *x = x.clamp(-ceiling, *ceiling));
            }
        }
    }
}
