//! Pseudo-random numbers, the same on every run and machine.

/// `SplitMix64` (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, fig. 16).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Generator that starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform number from 0 up to, but not including, 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform number from `low` up to, but not including, `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Number from `low` to `high`, both positive, uniform in its logarithm.
    pub fn log_between(&mut self, low: f64, high: f64) -> f64 {
        low * (high / low).powf(self.unit())
    }

    /// Integer from 0 up to, but not including, `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.unit() * end as f64) as usize
    }

    /// True with `probability`, 0 to 1.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of `values`, each as likely as the others.
    pub fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }
}

/// Uniform white noise in ±`amplitude`.
pub fn noise(seed: u64, frames: usize, amplitude: f64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..frames).map(|_| ((random.bits() >> 11) as f64 / (1u64 << 52) as f64 - 1.0) * amplitude).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_those_of_the_reference_code() {
        let mut random = Random::new(1_234_567);
        assert_eq!([random.bits(), random.bits()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn numbers_lie_between_their_ends() {
        let mut random = Random::new(1);
        for _ in 0..1000 {
            assert!((0.0..1.0).contains(&random.unit()) && random.below(3) < 3);
            assert!((-2.0..5.0).contains(&random.between(-2.0, 5.0)));
            assert!((20.0..20_000.0).contains(&random.log_between(20.0, 20_000.0)));
            assert!([4, 7].contains(&random.one_of(&[4, 7])));
            assert!(random.chance(1.0) && !random.chance(0.0));
        }
        assert!(noise(3, 1000, 0.5).iter().all(|x| x.abs() <= 0.5));
    }
}
