//! Quantization to the grid of an integer file, with dither.

use super::{Block, Process};
use crate::units::{Hz, Ms, Samples};

/// What the audio is rounded to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "offline",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Dither {
    /// Nothing: to the bit as it came.
    #[default]
    Off,
    /// 24 bit, triangular dither.
    Bits24,
    /// 16 bit, triangular dither.
    Bits16,
    /// 16 bit, triangular dither, the noise moved to where it is heard least.
    Bits16Shaped,
}

impl Dither {
    /// Steps from zero to full scale.
    fn steps(self) -> f64 {
        match self {
            Self::Off => f64::INFINITY,
            Self::Bits24 => f64::from(1 << 23),
            Self::Bits16 | Self::Bits16Shaped => f64::from(1 << 15),
        }
    }
}

/// Error feedback for 44.1 and 48 kHz: the noise is what white noise is after 1 - sum of `SHAPE[k] z^-(k+1)`.
///
/// The five coefficients of Lipshitz, Vanderkooy & Wannamaker, "Minimally Audible Noise Shaping", JAES 39(11), 1991,
/// designed for 44.1 kHz. At 48 kHz all of it lies 9 % higher, which still suits the ear.
const SHAPE: [f64; 5] = [2.033, -2.165, 1.959, -1.590, 0.6149];

/// Error feedback for higher rates, (1 - z^-1)^2: all that it adds lies far above hearing.
const HIGH_RATE_SHAPE: [f64; 5] = [2.0, -1.0, 0.0, 0.0, 0.0];

/// Samples quieter than this are digital silence; the chain's edge turns them into zeros anyway.
const SILENCE: f64 = f32::MIN_POSITIVE as f64;

/// Rounds both channels to an integer grid after adding triangular noise of ±1 step (TPDF), so that the error
/// is noise of constant power, whatever the signal.
///
/// Every output is an integer number of steps from -1 to 1 less one step: louder input saturates. Each channel has
/// a random sequence of its own, the same after every `reset`. Digital silence stays silent: a channel is not
/// dithered before its first sample that is not zero, nor after half a second of zeros. Latency: none. A change
/// of setting takes effect at once.
#[derive(Clone, Debug)]
pub struct Quantizer {
    dither: Dither,
    shape: [f64; 5],
    /// Zeros after which a channel is silent.
    patience: usize,
    /// Where the noise of each channel starts.
    seeds: [u64; 2],
    channels: [Channel; 2],
}

#[derive(Clone, Debug)]
struct Channel {
    random: u64,
    /// The last rounding errors in steps, newest first.
    errors: [f64; 5],
    /// Zeros since the last sample that was none; as many as `patience`: silent.
    zeros: usize,
}

impl Channel {
    fn new(seed: u64, patience: usize) -> Self {
        Self { random: seed, errors: [0.0; 5], zeros: patience }
    }

    /// Triangular noise, -1 to 1: the sum of two independent uniform ones (splitmix64).
    #[inline]
    fn triangular(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = scrambled(self.random);
        let uniform = |half: u64| (half as u32) as f64 * (1.0 / (1u64 << 32) as f64);
        uniform(z) + uniform(z >> 32) - (1.0 - 1.0 / (1u64 << 32) as f64)
    }

    /// One sample, in steps, to a whole number of steps.
    #[inline]
    fn quantize(&mut self, sample: f64, steps: f64, shape: Option<&[f64; 5]>) -> f64 {
        let correction = shape.map_or(0.0, |shape| shape.iter().zip(&self.errors).map(|(c, e)| c * e).sum());
        let wanted = sample - correction;
        let output = round(wanted + self.triangular()).clamp(-steps, steps - 1.0);
        if shape.is_some() {
            self.errors.copy_within(..4, 1);
            // Larger only when it saturates: then the error cannot be made good.
            self.errors[0] = (output - wanted).clamp(-1.5, 1.5);
        }
        output
    }
}

/// The nearest whole number, for numbers that are clamped to much less than 2^51.
#[inline]
fn round(x: f64) -> f64 {
    const WHOLE: f64 = 1.5 * (1u64 << 52) as f64;
    let limit = (1u64 << 40) as f64;
    (x.clamp(-limit, limit) + WHOLE) - WHOLE
}

impl Quantizer {
    const PATIENCE: Ms = Ms(500.0);
    const SEEDS: [u64; 2] = [0x5354_454d_4c49_4e4b, 0x4b4e_494c_4d45_5453];

    /// A quantizer that is off.
    pub fn new(rate: Hz) -> Self {
        let patience = Self::PATIENCE.samples(rate).0;
        Self {
            dither: Dither::Off,
            shape: if rate.0 < 60_000.0 { SHAPE } else { HIGH_RATE_SHAPE },
            patience,
            seeds: Self::SEEDS,
            channels: Self::SEEDS.map(|seed| Channel::new(seed, patience)),
        }
    }

    /// The same for the file of this name, or whatever is one of several: noise that is the same every time, and
    /// independent of that for any other name, so that a sum of files is no noisier than it must be.
    pub fn named(rate: Hz, name: &str) -> Self {
        // FNV-1a (Fowler, Noll & Vo), 64 bits.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mut quantizer = Self::new(rate);
        quantizer.seeds = Self::SEEDS.map(|seed| scrambled(seed ^ hash));
        quantizer.reset();
        quantizer
    }
}

/// The finisher of splitmix64 (Steele, Lea & Flood 2014).
#[inline]
fn scrambled(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Process for Quantizer {
    type Settings = Dither;

    fn set(&mut self, settings: &Dither) {
        if *settings != self.dither {
            self.dither = *settings;
            self.channels.iter_mut().for_each(|channel| channel.errors = [0.0; 5]);
        }
    }

    fn latency(&self) -> Samples {
        Samples(0)
    }

    fn reset(&mut self) {
        self.channels = self.seeds.map(|seed| Channel::new(seed, self.patience));
    }

    fn process(&mut self, block: &mut Block<'_>) {
        if self.dither == Dither::Off {
            return;
        }
        let steps = self.dither.steps();
        let shape = (self.dither == Dither::Bits16Shaped).then_some(&self.shape);
        let (left, right) = block.channels();
        for (channel, samples) in self.channels.iter_mut().zip([left, right]) {
            for sample in samples {
                let input = if sample.is_finite() { *sample } else { 0.0 };
                if input.abs() >= SILENCE {
                    channel.zeros = 0;
                } else if channel.zeros < self.patience {
                    channel.zeros += 1;
                }
                *sample = if channel.zeros < self.patience {
                    channel.quantize(input * steps, steps, shape) / steps
                } else {
                    channel.errors = [0.0; 5];
                    0.0
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::{Stereo, obeys_contract};
    use super::super::probe::{sine, spectrum};
    use super::*;

    const RATE: Hz = Hz(48_000.0);
    const ALL: [Dither; 3] = [Dither::Bits24, Dither::Bits16, Dither::Bits16Shaped];

    fn quantized(rate: Hz, dither: Dither, signal: &Stereo) -> Stereo {
        let mut quantizer = Quantizer::new(rate);
        quantizer.set(&dither);
        let mut output = signal.clone();
        let frames = output.left.len();
        output.run(&mut quantizer, 0..frames);
        output
    }

    /// The errors in steps of a signal that no step knows of.
    fn errors(rate: Hz, dither: Dither, frames: usize) -> Stereo {
        let tone = sine(997.0, 0.4, rate.0, frames);
        let signal = Stereo { left: tone.iter().map(|x| 0.3 * x).collect(), right: tone };
        let signal = Stereo { right: signal.right.iter().map(|x| 0.1 * x).collect(), ..signal };
        let mut output = quantized(rate, dither, &signal);
        for (output, input) in [(&mut output.left, &signal.left), (&mut output.right, &signal.right)] {
            output.iter_mut().zip(input).for_each(|(y, x)| *y = (*y - x) * dither.steps());
        }
        output
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    fn power(values: &[f64]) -> f64 {
        values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64
    }

    #[test]
    fn obeys() {
        obeys_contract(|| Quantizer::new(RATE), &Dither::Off, &ALL);
        obeys_contract(|| Quantizer::new(Hz(96_000.0)), &Dither::Off, &ALL);
    }

    #[test]
    fn files_of_different_names_have_independent_noise() {
        let frames = 50_000;
        let noise = |name: &str| {
            let mut quantizer = Quantizer::named(RATE, name);
            quantizer.set(&Dither::Bits24);
            let mut output = Stereo { left: vec![0.25; frames], right: vec![0.25; frames] };
            output.run(&mut quantizer, 0..frames);
            [output.left, output.right].map(|side| side.iter().map(|y| y - 0.25).collect::<Vec<_>>())
        };
        let names = ["01_Drums_Stem.wav", "02_Bass_Stem.wav", "03_Vocals_Stem.wav", "1", "2"];
        let noises: Vec<Vec<f64>> = names.iter().flat_map(|name| noise(name)).collect();
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        for (i, a) in noises.iter().enumerate() {
            for b in &noises[..i] {
                let likeness = product(a, b) / (product(a, a) * product(b, b)).sqrt();
                assert!(likeness.abs() < 0.02, "{likeness}");
            }
        }
        assert!(noise(names[0]) == noises[..2], "the same every time");
    }

    #[test]
    fn the_noise_is_triangular() {
        let mut channel = Channel::new(1, 0);
        let draws: Vec<f64> = (0..400_000).map(|_| channel.triangular()).collect();
        assert!(draws.iter().all(|x| x.abs() <= 1.0));
        assert!(mean(&draws).abs() < 0.003, "{}", mean(&draws));
        assert!((power(&draws) - 1.0 / 6.0).abs() < 0.002, "{}", power(&draws));
        // P(|x| < 1/2) of a triangle is 3/4.
        let inner = draws.iter().filter(|x| x.abs() < 0.5).count() as f64 / draws.len() as f64;
        assert!((inner - 0.75).abs() < 0.004, "{inner}");
        let products: Vec<f64> = draws.windows(2).map(|w| w[0] * w[1]).collect();
        assert!(mean(&products).abs() < 0.002, "neighbours are independent");
    }

    #[test]
    fn the_error_is_a_quarter_step_squared_and_never_above_one_and_a_half_steps() {
        for dither in [Dither::Bits24, Dither::Bits16] {
            let errors = errors(RATE, dither, 200_000);
            for side in [&errors.left, &errors.right] {
                assert!(side.iter().all(|e| e.abs() <= 1.5 + 1e-6));
                assert!(mean(side).abs() < 0.005, "{}", mean(side));
                assert!((power(side) - 0.25).abs() < 0.005, "{}", power(side));
            }
            let products: Vec<f64> = errors.left.iter().zip(&errors.right).map(|(a, b)| a * b).collect();
            assert!(mean(&products).abs() < 0.003, "channels are independent");
        }
    }

    #[test]
    fn output_is_whole_steps_within_the_integer_range() {
        let mut loud = Stereo::noise(3, 20_000, 1.5);
        loud.left[..4].copy_from_slice(&[1.0, -1.0, 1e300, -1e300]);
        for dither in ALL {
            let steps = dither.steps();
            let output = quantized(RATE, dither, &loud);
            for y in output.left.iter().chain(&output.right) {
                assert_eq!((y * steps).fract(), 0.0);
                assert!(*y >= -1.0 && *y <= 1.0 - 1.0 / steps);
            }
            assert_eq!((output.left[2], output.left[3]), (1.0 - 1.0 / steps, -1.0));
        }
    }

    #[test]
    fn shaping_moves_the_noise_as_published() {
        for (rate, shape) in [(44_100.0, SHAPE), (96_000.0, HIGH_RATE_SHAPE)] {
            let frames = 1 << 17;
            let errors = errors(Hz(rate), Dither::Bits16Shaped, frames);
            let gain = 1.0 + shape.iter().map(|c| c * c).sum::<f64>();
            assert!((power(&errors.left) / (0.25 * gain) - 1.0).abs() < 0.03);
            let turn = core::f64::consts::TAU / frames as f64;
            let window = |i: usize| (1.0 - (turn * i as f64).cos()) / 1.5f64.sqrt();
            let windowed: Vec<f64> = errors.left.iter().enumerate().map(|(i, e)| e * window(i)).collect();
            let bins = spectrum(&windowed);
            for from in [500.0, 2500.0, 3500.0, 8000.0, 16_000.0] {
                let range =
                    (from * frames as f64 / rate) as usize..((from + 1000.0) * frames as f64 / rate) as usize;
                let length = range.len() as f64;
                let (mut measured, mut expected) = (0.0, 0.0);
                for k in range {
                    measured += bins[k].norm_sqr() / frames as f64 / length;
                    let w = core::f64::consts::TAU * k as f64 / frames as f64;
                    let response = |part: fn(f64) -> f64| {
                        shape.iter().enumerate().map(|(i, c)| c * part((i + 1) as f64 * w)).sum::<f64>()
                    };
                    expected +=
                        0.25 * ((1.0 - response(f64::cos)).powi(2) + response(f64::sin).powi(2)) / length;
                }
                let difference = 10.0 * (measured / expected).log10();
                assert!(difference.abs() < 0.5, "{rate} {from}: {difference} dB");
                if from == 3500.0 {
                    assert!(10.0 * (measured / 0.25).log10() < -15.0, "quieter where the ear is keenest");
                }
            }
        }
    }

    #[test]
    fn a_tone_below_one_step_survives() {
        let tone: Vec<f64> = sine(1000.0, 0.0, 48_000.0, 96_000).iter().map(|x| x * 0.3 / 32_768.0).collect();
        let output = quantized(RATE, Dither::Bits16, &Stereo { right: tone.clone(), left: tone });
        let bins = spectrum(&output.left);
        let amplitude = bins[2000].norm() / 48_000.0 * 32_768.0;
        assert!((amplitude - 0.3).abs() < 0.01, "{amplitude}");
        assert!(bins[6000].norm() / 48_000.0 * 32_768.0 < 0.01, "no harmonics");
    }

    #[test]
    fn dither_ends_half_a_second_after_the_music() {
        let mut signal = Stereo::silence(60_000);
        signal.left[10_000] = 0.5;
        for dither in ALL {
            let output = quantized(RATE, dither, &signal);
            assert!(output.left[..10_000].iter().all(|&x| x == 0.0));
            assert!(output.left[10_001..34_000].iter().any(|&x| x != 0.0));
            assert!(output.left[33_000..34_000].iter().any(|&x| x != 0.0));
            assert!(output.left[34_001..].iter().all(|&x| x == 0.0));
            assert!(output.right.iter().all(|&x| x == 0.0), "the other side never began");
        }
    }
}
