//! Whole-sample delays, and what a dynamics unit does to audio once the gain is known.

use simd::{Isa, Kernel, Simd};
use units::Samples;

/// Frames whose gain is computed before it is applied, by units that do both; so many are computed at once while nothing
/// glides.
pub(super) const RUN: usize = 128;

/// A delay of a fixed whole number of samples, one channel, silent at first.
#[derive(Clone, Debug)]
pub struct Delay {
    isa: Isa,
    /// The samples on their way; `at` is the oldest.
    line: Vec<f64>,
    at: usize,
}

impl Delay {
    /// A delay of `length` samples; zero passes through.
    pub fn new(length: Samples) -> Self {
        Self { isa: Isa::widest(), line: vec![0.0; length.0], at: 0 }
    }

    /// The delay.
    pub fn length(&self) -> Samples {
        Samples(self.line.len())
    }

    /// Takes one sample and gives the one that came `length` samples before.
    #[inline]
    pub fn next(&mut self, sample: f64) -> f64 {
        let length = self.line.len();
        let Some(slot) = self.line.get_mut(self.at) else { return sample };
        self.at = if self.at + 1 == length { 0 } else { self.at + 1 };
        core::mem::replace(slot, sample)
    }

    /// Delays `samples` in place.
    #[inline]
    pub fn process(&mut self, samples: &mut [f64]) {
        self.isa.run(Late { delay: self, samples, gain: None });
    }

    /// Delays `samples` in place and multiplies what comes out by `gain`, one factor for each.
    #[inline]
    pub fn scale(&mut self, samples: &mut [f64], gain: &[f64]) {
        self.isa.run(Late { delay: self, samples, gain: Some(gain) });
    }

    /// As if `value` had been coming in for ever.
    pub fn fill(&mut self, value: f64) {
        self.line.fill(value);
        self.at = 0;
    }
}

/// [`Delay::process`] and [`Delay::scale`] for an instruction set.
struct Late<'a> {
    delay: &'a mut Delay,
    samples: &'a mut [f64],
    gain: Option<&'a [f64]>,
}

impl Kernel for Late<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { delay: Delay { line, at, .. }, samples, gain } = self;
        let mut done = 0;
        while done < samples.len() && !line.is_empty() {
            let run = (samples.len() - done).min(line.len() - *at);
            let places = samples[done..done + run].iter_mut().zip(&mut line[*at..*at + run]);
            match gain {
                Some(gain) => {
                    for ((sample, late), gain) in places.zip(&gain[done..done + run]) {
                        let out = *late * gain;
                        *late = core::mem::replace(sample, out);
                    }
                }
                None => places.for_each(|(sample, late)| core::mem::swap(sample, late)),
            }
            *at = if *at + run == line.len() { 0 } else { *at + run };
            done += run;
        }
        if let Some(gain) = gain.filter(|_| line.is_empty()) {
            samples.iter_mut().zip(gain).for_each(|(sample, gain)| *sample *= gain);
        }
    }
}

/// Two channels delayed and multiplied by a given gain curve.
///
/// The other half of every gain computer ([`super::limiter::LimiterGain`], [`super::compressor::CompressorGain`]):
/// one curve, computed once on a sum, may be applied to each of its stems by a stage of its own.
#[derive(Clone, Debug)]
pub struct GainStage {
    delays: [Delay; 2],
}

impl GainStage {
    /// A stage whose delay is the latency of the gain computer it follows.
    pub fn new(latency: Samples) -> Self {
        Self { delays: [Delay::new(latency), Delay::new(latency)] }
    }

    /// The delay.
    pub fn latency(&self) -> Samples {
        self.delays[0].length()
    }

    /// Delays both channels in place and multiplies them by `gain`, linear, one factor per frame and channel.
    #[inline]
    pub fn apply(&mut self, channels: [&mut [f64]; 2], gain: [&[f64]; 2]) {
        for ((delay, samples), gain) in self.delays.iter_mut().zip(channels).zip(gain) {
            delay.scale(samples, gain);
        }
    }

    /// Delays both channels in place: a gain of one.
    #[inline]
    pub fn pass(&mut self, channels: [&mut [f64]; 2]) {
        for (delay, samples) in self.delays.iter_mut().zip(channels) {
            delay.process(samples);
        }
    }

    /// Forgets all audio.
    pub fn reset(&mut self) {
        for delay in &mut self.delays {
            delay.fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    #[test]
    fn delays_by_its_length_in_any_blocks() {
        for length in [0, 1, 7, 96] {
            let input = noise(1, 500, 1.0);
            for block in [1, 3, 96, 97, 500] {
                let mut delay = Delay::new(Samples(length));
                let mut output = input.clone();
                for part in output.chunks_mut(block) {
                    delay.process(part);
                }
                assert!(output[..length].iter().all(|&x| x == 0.0));
                assert_eq!(output[length..], input[..500 - length]);
                let mut delay = Delay::new(Samples(length));
                let single: Vec<f64> = input.iter().map(|&x| delay.next(x)).collect();
                assert_eq!(single, output);
            }
        }
    }

    #[test]
    fn a_stage_delays_the_audio_and_not_the_gain() {
        let mut stage = GainStage::new(Samples(2));
        let (mut left, mut right) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]);
        stage.apply([&mut left, &mut right], [&[1.0, 1.0, 0.5, 1.0], &[1.0, 1.0, 1.0, 0.5]]);
        assert_eq!((left, right), ([0.0, 0.0, 0.5, 2.0], [0.0, 0.0, 5.0, 3.0]));
    }
}
