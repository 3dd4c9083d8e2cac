//! Noise in the sample format of hosts.

use testkit::Random;

/// White noise between -`peak` and `peak`, in channels of `frames`.
pub fn noise(seed: u64, channels: usize, frames: usize, peak: f32) -> Vec<Vec<f32>> {
    let mut random = Random::new(seed);
    let mut next = || {
        let unit = (random.bits() >> 40) as f32 / (1u64 << 24) as f32;
        (unit * 2.0 - 1.0) * peak
    };
    (0..channels).map(|_| (0..frames).map(|_| next()).collect()).collect()
}
