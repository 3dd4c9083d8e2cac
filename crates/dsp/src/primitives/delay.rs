//! Delay by a whole number of samples.

use simd::{Isa, Kernel, Simd};
use units::Samples;

/// Most frames whose gain is computed before it is applied; so many are computed at once while no setting moves.
pub(crate) const RUN: usize = 128;

/// Delay by a fixed whole number of samples, one channel, silent at first.
#[derive(Clone, Debug)]
pub struct Delay {
    isa: Isa,
    /// Samples on their way; `at` is the oldest.
    line: Vec<f64>,
    at: usize,
}

impl Delay {
    /// Delay by `length` samples; zero passes through.
    pub fn new(length: Samples) -> Self {
        Self { isa: Isa::widest(), line: vec![0.0; length.0], at: 0 }
    }

    /// Delay in samples.
    pub fn length(&self) -> Samples {
        Samples(self.line.len())
    }

    /// Takes one sample and returns the one `length` samples before.
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
        self.isa.run(RunDelay { delay: self, samples, gain: None });
    }

    /// Delays `samples` in place and multiplies what comes out by `gain`, one factor for each.
    #[inline]
    pub fn scale(&mut self, samples: &mut [f64], gain: &[f64]) {
        self.isa.run(RunDelay { delay: self, samples, gain: Some(gain) });
    }

    /// Fills the delay with `value`, as if it had always been the input.
    pub fn fill(&mut self, value: f64) {
        self.line.fill(value);
        self.at = 0;
    }
}

/// Kernel of [`Delay::process`] and [`Delay::scale`].
struct RunDelay<'a> {
    delay: &'a mut Delay,
    samples: &'a mut [f64],
    gain: Option<&'a [f64]>,
}

impl Kernel for RunDelay<'_> {
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
}
