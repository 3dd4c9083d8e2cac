//! Signals of two channels.

use super::noise;

/// A stereo signal, planar, both channels of one length; full scale is ±1.
#[derive(Clone, Debug, PartialEq)]
pub struct Stereo {
    /// Left channel.
    pub left: Vec<f64>,
    /// Right channel, as long as the left one.
    pub right: Vec<f64>,
}

impl Stereo {
    /// `signal` on both channels.
    pub fn mono(signal: Vec<f64>) -> Self {
        Self { right: signal.clone(), left: signal }
    }

    /// Uniform noise in ±`amplitude`, independent in both channels.
    pub fn noise(seed: u64, frames: usize, amplitude: f64) -> Self {
        Self { left: noise(seed, frames, amplitude), right: noise(seed ^ 0xabcd, frames, amplitude) }
    }

    /// Zeros.
    pub fn silence(frames: usize) -> Self {
        Self { left: vec![0.0; frames], right: vec![0.0; frames] }
    }

    /// True if no sample is infinite or NaN.
    pub fn is_finite(&self) -> bool {
        self.left.iter().chain(&self.right).all(|x| x.is_finite())
    }

    /// Largest sample of both channels, sign ignored.
    pub fn peak(&self) -> f64 {
        self.left.iter().chain(&self.right).fold(0.0, |most, x| most.max(x.abs()))
    }
}

/// Stems of different character: noises that swell at different times, with peaks of up to `level`.
pub fn stems(count: usize, frames: usize, level: f64) -> Vec<Stereo> {
    (0..count)
        .map(|i| {
            let seed = 100 + i as u64;
            let swell = |x: f64, at: usize| x * (1.0 + (at as f64 / (700.0 + 500.0 * i as f64)).sin()) * 0.5;
            let side = |seed| noise(seed, frames, level).into_iter().enumerate().map(|(at, x)| swell(x, at));
            let (left, other): (Vec<f64>, Vec<f64>) = (side(seed).collect(), side(seed ^ 0x77).collect());
            let right = left.iter().zip(&other).map(|(l, r)| 0.6 * l + 0.4 * r).collect();
            Stereo { left, right }
        })
        .collect()
}

/// Sum of `stems`, sample by sample.
pub fn sum(stems: &[Stereo]) -> Stereo {
    let mut sum = Stereo::silence(stems[0].left.len());
    for stem in stems {
        sum.left.iter_mut().zip(&stem.left).for_each(|(sum, x)| *sum += x);
        sum.right.iter_mut().zip(&stem.right).for_each(|(sum, x)| *sum += x);
    }
    sum
}

/// Largest sample of the difference of two signals.
pub fn difference(a: &Stereo, b: &Stereo) -> f64 {
    let sides = a.left.iter().zip(&b.left).chain(a.right.iter().zip(&b.right));
    sides.fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}
