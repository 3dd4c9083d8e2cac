//! Whitening filter of a scene: linear prediction from the mix.

/// Order of the prediction.
const ORDER: usize = 16;
/// White noise that is added before the prediction, relative to the mix's power (-40 dB): bands below it stay low, so
/// that rounding noise is not raised to the level of the music.
const NOISE_SHARE: f64 = 1e-4;

/// Prediction error filter, first coefficient 1.
#[derive(Clone, Debug)]
pub(super) struct Whitening {
    taps: [f32; ORDER + 1],
}

impl Whitening {
    /// Returns the filter that whitens both sides of `mix` together (Levinson-Durbin recursion).
    pub(super) fn new(mix: &[Vec<f32>; 2]) -> Self {
        let mut correlation = [0.0f64; ORDER + 1];
        for side in mix {
            for (lag, sum) in correlation.iter_mut().enumerate() {
                *sum += dot(&side[lag.min(side.len())..], side);
            }
        }
        correlation[0] = correlation[0] * (1.0 + NOISE_SHARE) + f64::MIN_POSITIVE;
        let mut taps = [0.0f64; ORDER + 1];
        taps[0] = 1.0;
        let mut error = correlation[0];
        for order in 1..=ORDER {
            let sum: f64 = (0..order).map(|i| taps[i] * correlation[order - i]).sum();
            let reflection = -sum / error;
            let before = taps;
            (1..=order).for_each(|i| taps[i] += reflection * before[order - i]);
            error *= 1.0 - reflection * reflection;
            if error <= 0.0 {
                break;
            }
        }
        Self { taps: taps.map(|tap| tap as f32) }
    }

    /// Filters `samples`, which silence precedes.
    pub(super) fn apply(&self, samples: &[f32]) -> Vec<f32> {
        let mut out = samples.to_vec();
        for (lag, &tap) in self.taps.iter().enumerate().skip(1) {
            let late = out.get_mut(lag..).unwrap_or_default();
            late.iter_mut().zip(samples).for_each(|(out, x)| *out += tap * x);
        }
        out
    }
}

/// Frames that are summed in single precision.
const PART_FRAMES: usize = 256;
const LANES: usize = 16;

/// Sum of products over the shorter of both.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f64 {
    let frames = a.len().min(b.len());
    let (a, b) = (&a[..frames], &b[..frames]);
    let parts = a.chunks(PART_FRAMES).zip(b.chunks(PART_FRAMES));
    parts
        .map(|(a, b)| {
            let mut sums = [0.0f32; LANES];
            let (whole_a, whole_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
            let rest: f32 = whole_a.remainder().iter().zip(whole_b.remainder()).map(|(a, b)| a * b).sum();
            for (a, b) in whole_a.zip(whole_b) {
                for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
                    *sum += a * b;
                }
            }
            f64::from(sums.iter().sum::<f32>() + rest)
        })
        .sum()
}
