//! Numbers at random, the same for the same seed.

/// `SplitMix64`, Steele, Lea & Flood 2014.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator that starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to, but not including, 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From 0 up to, but not including, `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.unit() * end as f64) as usize
    }
}

/// White noise between -`peak` and `peak`, in channels of `frames`.
pub fn noise(seed: u64, channels: usize, frames: usize, peak: f32) -> Vec<Vec<f32>> {
    let mut random = Random::new(seed);
    let mut next = || {
        let unit = (random.bits() >> 40) as f32 / (1u64 << 24) as f32;
        (unit * 2.0 - 1.0) * peak
    };
    (0..channels).map(|_| (0..frames).map(|_| next()).collect()).collect()
}
