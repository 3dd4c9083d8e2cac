//! Quantization to the grid of an integer file, with dither.

use super::{Block, Process};
use simd::{Isa, Kernel, Simd};
use units::hash::{SPLITMIX_STEP, fnv1a, splitmix_finish};
use units::{Hz, Ms, Samples};

/// Integer grid that the audio is rounded to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dither {
    /// None: audio passes to the bit.
    #[default]
    Off,
    /// 24 bit, triangular dither.
    Bits24,
    /// 16 bit, triangular dither.
    Bits16,
    /// 16 bit, triangular dither, noise shaped to the least audible frequencies.
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

/// Smallest sample that is not digital silence; the chain's output replaces smaller ones by zero.
const MIN_SIGNAL: f64 = f32::MIN_POSITIVE as f64;

/// Rounds both channels to an integer grid after adding triangular noise of ±1 step (TPDF), so that the error
/// is noise of constant power, whatever the signal.
///
/// Every output is an integer number of steps from -1 to 1 less one step: louder input saturates. Each channel has
/// a random sequence of its own, the same after every `reset`. Digital silence stays silent: a channel is not
/// dithered before its first sample that is not zero, nor after half a second of zeros. Latency: none. A change
/// of setting takes effect at once.
#[derive(Clone, Debug)]
pub struct Quantizer {
    isa: Isa,
    dither: Dither,
    shape: [f64; 5],
    /// Zeros after which a channel is silent, in samples.
    silence_delay: usize,
    /// First state of each channel's random numbers.
    seeds: [u64; 2],
    channels: [ChannelQuantizer; 2],
}

#[derive(Clone, Debug)]
struct ChannelQuantizer {
    random: u64,
    /// Last rounding errors in steps, newest first.
    errors: [f64; 5],
    /// Zeros since the last sample that was none; `silence_delay`: silent.
    zeros: usize,
}

impl ChannelQuantizer {
    fn new(seed: u64, silence_delay: usize) -> Self {
        Self { random: seed, errors: [0.0; 5], zeros: silence_delay }
    }

    /// Rounds samples to the grid, none of them left out.
    fn quantize(&mut self, isa: Isa, samples: &mut [f64], steps: f64, shape: Option<&[f64; 5]>) {
        let Some(shape) = shape else {
            let count = samples.len() as u64;
            isa.run(QuantizeUnshaped { samples, random: self.random, steps });
            self.random = self.random.wrapping_add(SPLITMIX_STEP.wrapping_mul(count));
            return;
        };
        let step = 1.0 / steps; // a power of two: exact
        for sample in samples {
            let correction: f64 = shape.iter().zip(&self.errors).map(|(c, e)| c * e).sum();
            let wanted = finite(*sample) * steps - correction;
            self.random = self.random.wrapping_add(SPLITMIX_STEP);
            let output = round(wanted + triangular(self.random)).clamp(-steps, steps - 1.0);
            self.errors.copy_within(..4, 1);
            // Larger only when it saturates: then the error cannot be made good.
            self.errors[0] = (output - wanted).clamp(-1.5, 1.5);
            *sample = output * step;
        }
    }

    /// Rounds samples to the grid; zeros that are digital silence stay zeros.
    fn process(
        &mut self,
        isa: Isa,
        samples: &mut [f64],
        steps: f64,
        shape: Option<&[f64; 5]>,
        silence_delay: usize,
    ) {
        let mut at = 0;
        while at < samples.len() {
            let rest = &mut samples[at..];
            let silent = |sample: &f64| finite(*sample).abs() < MIN_SIGNAL;
            if self.zeros >= silence_delay {
                let zeros = rest.iter().position(|sample| !silent(sample)).unwrap_or(rest.len());
                rest[..zeros].fill(0.0);
                self.errors = [0.0; 5];
                at += zeros;
                if zeros < rest.len() {
                    self.zeros = 0;
                }
                continue;
            }
            // At most to the end of the delay.
            let now = rest.len().min(silence_delay - self.zeros);
            let rest = &mut rest[..now];
            let since = rest.iter().rev().take_while(|sample| silent(sample)).count();
            self.zeros = if since < now { since } else { self.zeros + now };
            // The last sample of the delay is silent already.
            let heard = if self.zeros >= silence_delay { now - 1 } else { now };
            self.quantize(isa, &mut rest[..heard], steps, shape);
            rest[heard..].fill(0.0);
            at += now;
        }
    }
}

/// Kernel that rounds samples to the grid without shaping: samples are independent, so it runs as wide as the machine.
struct QuantizeUnshaped<'a> {
    samples: &'a mut [f64],
    /// State of the random numbers before the first sample.
    random: u64,
    steps: f64,
}

impl Kernel for QuantizeUnshaped<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { samples, random, steps } = self;
        let (step, most) = (1.0 / steps, steps - 1.0); // the step is a power of two: exact
        for (count, sample) in (1u64..).zip(samples) {
            let noise = triangular(random.wrapping_add(SPLITMIX_STEP.wrapping_mul(count)));
            *sample = round(finite(*sample) * steps + noise).clamp(-steps, most) * step;
        }
    }
}

/// Triangular noise, -1 to 1: the sum of two independent uniform numbers, the halves of splitmix64's.
#[inline(always)]
fn triangular(state: u64) -> f64 {
    let z = splitmix_finish(state);
    let uniform = |half: u64| (half as u32) as f64 * (1.0 / (1u64 << 32) as f64);
    uniform(z) + uniform(z >> 32) - (1.0 - 1.0 / (1u64 << 32) as f64)
}

/// The sample, or zero for a non-finite one.
#[inline(always)]
fn finite(sample: f64) -> f64 {
    if sample.is_finite() { sample } else { 0.0 }
}

/// Nearest whole number, of numbers far below 2^51.
#[inline(always)]
fn round(x: f64) -> f64 {
    const WHOLE: f64 = 1.5 * (1u64 << 52) as f64;
    let limit = (1u64 << 40) as f64;
    (x.clamp(-limit, limit) + WHOLE) - WHOLE
}

impl Quantizer {
    const SILENCE_DELAY: Ms = Ms(500.0);
    const SEEDS: [u64; 2] = [0x5354_454d_4c49_4e4b, 0x4b4e_494c_4d45_5453];

    /// Quantizer for audio at `rate`, off.
    pub fn new(rate: Hz) -> Self {
        let silence_delay = Self::SILENCE_DELAY.samples(rate).0;
        Self {
            isa: Isa::widest(),
            dither: Dither::Off,
            shape: if rate.0 < 60_000.0 { SHAPE } else { HIGH_RATE_SHAPE },
            silence_delay,
            seeds: Self::SEEDS,
            channels: Self::SEEDS.map(|seed| ChannelQuantizer::new(seed, silence_delay)),
        }
    }

    /// Quantizer for one of several files, whose noise is the same every time for a name and independent of that of other
    /// names, so that the noise of a sum of files adds up by power.
    pub fn named(rate: Hz, name: &str) -> Self {
        let hash = fnv1a(name.bytes());
        let mut quantizer = Self::new(rate);
        quantizer.seeds = Self::SEEDS.map(|seed| splitmix_finish(seed ^ hash));
        quantizer.reset();
        quantizer
    }
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
        self.channels = self.seeds.map(|seed| ChannelQuantizer::new(seed, self.silence_delay));
    }

    fn process(&mut self, block: &mut Block<'_>) {
        if self.dither == Dither::Off {
            return;
        }
        let steps = self.dither.steps();
        let shape = (self.dither == Dither::Bits16Shaped).then_some(&self.shape);
        let (left, right) = block.channels();
        for (channel, samples) in self.channels.iter_mut().zip([left, right]) {
            channel.process(self.isa, samples, steps, shape, self.silence_delay);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    const RATE: Hz = Hz(48_000.0);

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn the_noise_is_triangular() {
        let draws: Vec<f64> = (1..=400_000u64).map(|n| triangular(SPLITMIX_STEP.wrapping_mul(n))).collect();
        assert!(draws.iter().all(|x| x.abs() <= 1.0));
        assert!(mean(&draws).abs() < 0.003, "{}", mean(&draws));
        let power = draws.iter().map(|x| x * x).sum::<f64>() / draws.len() as f64;
        assert!((power - 1.0 / 6.0).abs() < 0.002, "{power}");
        // P(|x| < 1/2) of a triangle is 3/4.
        let inner = draws.iter().filter(|x| x.abs() < 0.5).count() as f64 / draws.len() as f64;
        assert!((inner - 0.75).abs() < 0.004, "{inner}");
        let products: Vec<f64> = draws.windows(2).map(|w| w[0] * w[1]).collect();
        assert!(mean(&products).abs() < 0.002, "neighbours are independent");
    }

    #[test]
    fn every_machine_rounds_alike() {
        for dither in [Dither::Bits24, Dither::Bits16, Dither::Bits16Shaped] {
            let mut outputs = Isa::all().map(|isa| {
                let mut quantizer = Quantizer { isa, ..Quantizer::new(RATE) };
                quantizer.set(&dither);
                let [mut left, mut right] = [noise(1, 1001, 1.2), noise(2, 1001, 0.001)];
                (left[500], right[3]) = (f64::NAN, f64::INFINITY);
                quantizer.process(&mut Block::new(&mut left, &mut right));
                [left, right]
            });
            let first = outputs.next().expect("there is one");
            assert!(outputs.all(|output| output == first), "{dither:?}");
        }
    }
}
