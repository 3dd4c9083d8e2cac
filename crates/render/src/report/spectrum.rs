//! Levels of third octaves over a whole song.

use std::sync::Arc;

use fourier::Complex;
use fourier::RealToComplex;

use units::{Hz, decibels};

/// Frames of a transform; half of them overlap.
const SIZE: usize = 16_384;
/// Third octaves from 25 Hz to 20 kHz, by their exact centres 1000 * 2^(n/3).
const LOWEST_BAND: i32 = -16;
const HIGHEST_BAND: i32 = 13;

/// The centres of the bands.
pub(super) fn centres() -> Vec<f64> {
    (LOWEST_BAND..=HIGHEST_BAND).map(|n| 1000.0 * (f64::from(n) / 3.0).exp2()).collect()
}

/// Gathers the power of both channels, Hann windows half overlapping.
pub(super) struct ThirdOctaves {
    rate: Hz,
    plan: Arc<dyn RealToComplex<f64>>,
    window: Vec<f64>,
    ready: [Vec<f64>; 2],
    time: Vec<f64>,
    bins: Vec<Complex<f64>>,
    power: Vec<f64>,
    frames: u64,
}

impl ThirdOctaves {
    pub(super) fn new(rate: Hz) -> Self {
        let plan = fourier::forward(SIZE);
        let step = std::f64::consts::TAU / SIZE as f64;
        Self {
            rate,
            window: (0..SIZE).map(|i| 0.5 - 0.5 * (step * i as f64).cos()).collect(),
            // Half a window of silence before the start, so that the first frames count as often as all others.
            ready: [vec![0.0; SIZE / 2], vec![0.0; SIZE / 2]],
            time: plan.make_input_vec(),
            bins: plan.make_output_vec(),
            power: vec![0.0; SIZE / 2 + 1],
            plan,
            frames: 0,
        }
    }

    pub(super) fn process(&mut self, audio: [&[f64]; 2]) {
        self.frames += audio[0].len() as u64;
        for (ready, side) in self.ready.iter_mut().zip(audio) {
            ready.extend_from_slice(side);
        }
        while self.ready[0].len() >= SIZE {
            self.transform();
        }
    }

    fn transform(&mut self) {
        for ready in &mut self.ready {
            for ((to, x), w) in self.time.iter_mut().zip(ready.iter()).zip(&self.window) {
                *to = x * w;
            }
            self.plan.process(&mut self.time, &mut self.bins).expect("buffers are the plan's own");
            self.power.iter_mut().zip(&self.bins).for_each(|(sum, bin)| *sum += bin.norm_sqr());
            ready.drain(..SIZE / 2);
        }
    }

    /// The mean level of each band over the song, both channels together: a full-scale sine on both reads 0.
    pub(super) fn finish(&mut self) -> Vec<Option<f64>> {
        // And as much after the end.
        for ready in &mut self.ready {
            ready.resize(ready.len().next_multiple_of(SIZE / 2) + SIZE / 2, 0.0);
        }
        while self.ready[0].len() >= SIZE {
            self.transform();
        }
        // Hann windows half overlapping sum to 1 in amplitude and 3/4 in power; one-sided bins hold half the power.
        let scale = 2.0 / (0.75 * SIZE as f64 * (self.frames.max(1)) as f64);
        let width = self.rate.0 / SIZE as f64;
        let edge = (1.0_f64 / 6.0).exp2();
        let band = |centre: f64| {
            if centre >= 0.5 * self.rate.0 {
                return None;
            }
            // A bin counts in a band with the part of it that lies inside.
            let (low, high) = (centre / edge / width, centre * edge / width);
            let bins = (low - 0.5).max(1.0) as usize..=((high + 0.5) as usize).min(SIZE / 2);
            let part = |i: usize| {
                let (from, to) = (i as f64 - 0.5, i as f64 + 0.5);
                (to.min(high) - from.max(low)).max(0.0)
            };
            let power: f64 = bins.map(|i| part(i) * self.power[i]).sum::<f64>() * scale;
            (power > 0.0).then(|| decibels(power.sqrt()))
        };
        centres().into_iter().map(band).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(frequency: f64, gain: f64, rate: f64, pieces: usize) -> Vec<Option<f64>> {
        let step = std::f64::consts::TAU * frequency / rate;
        let tone: Vec<f64> = (0..(2.0 * rate) as usize).map(|i| gain * (step * i as f64).sin()).collect();
        let mut spectrum = ThirdOctaves::new(Hz(rate));
        tone.chunks(pieces).for_each(|piece| spectrum.process([piece, piece]));
        spectrum.finish()
    }

    #[test]
    fn a_tone_has_its_level_in_its_band_and_nowhere_else() {
        for (rate, n) in [(44_100.0, 0), (48_000.0, 5), (96_000.0, -10), (192_000.0, 12)] {
            let frequency = 1000.0 * (f64::from(n) / 3.0).exp2();
            let levels = levels(frequency, 0.5, rate, 1000);
            let at = (n - LOWEST_BAND) as usize;
            let level = levels[at].expect("sounds");
            assert!((level + 6.02).abs() < 0.1, "{rate} {frequency}: {level}");
            let others = levels.iter().enumerate().filter(|(i, _)| i.abs_diff(at) > 1);
            assert!(others.flat_map(|(_, level)| *level).all(|level| level < -36.0), "{levels:?}");
        }
    }

    #[test]
    fn blocks_do_not_matter_and_what_a_rate_cannot_hold_has_no_level() {
        assert_eq!(levels(500.0, 0.5, 48_000.0, 77), levels(500.0, 0.5, 48_000.0, 96_000));
        assert_eq!(levels(500.0, 0.5, 16_000.0, 77)[(HIGHEST_BAND - LOWEST_BAND) as usize], None);
        assert_eq!(ThirdOctaves::new(Hz(48_000.0)).finish()[0], None);
    }
}
