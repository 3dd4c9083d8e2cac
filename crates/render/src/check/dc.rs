//! Constant offset, told from low notes.
//!
//! The file is cut into 64 windows. A low note leaves a mean in a window, but not the same one in the next; an
//! offset does. So an offset is only said to be one when it stands out of the scatter of the windows' means by five
//! standard errors. The means are Hann-weighted, which keeps notes of more than two periods in a window out. In less
//! than a quarter of a second nothing tells an offset from a low note.

use units::Hz;

/// Windows of a file.
const WINDOWS: u64 = 64;
/// Offsets beyond -60 dBFS count.
const MAX_OFFSET: f64 = 1e-3;
/// Standard errors by which an offset must stand out.
const CLEAR: f64 = 5.0;

/// The shortest file of which it is said, seconds.
const MIN_SECONDS: f64 = 0.25;

/// The sums of one channel.
#[derive(Clone, Debug)]
pub(super) struct DcSums {
    long_enough: bool,
    window: u64,
    position: u64,
    sum: f64,
    weighted: f64,
    weights: f64,
    means: Vec<f64>,
    frames: u64,
    /// `cos` and `sin` of the place in the window, turned on by one step for each frame.
    phase: [f64; 2],
    step: [f64; 2],
}

impl DcSums {
    pub(super) fn new(frames: u64, rate: Hz) -> Self {
        let window = (frames / WINDOWS).max(1);
        let angle = 2.0 * core::f64::consts::PI / window as f64;
        Self {
            long_enough: frames as f64 >= MIN_SECONDS * rate.0,
            window,
            position: 0,
            sum: 0.0,
            weighted: 0.0,
            weights: 0.0,
            means: Vec::new(),
            frames: 0,
            phase: [1.0, 0.0],
            step: [angle.cos(), angle.sin()],
        }
    }

    pub(super) fn process(&mut self, samples: &[f64]) {
        let [c, s] = self.step;
        for &x in samples {
            let [cos, sin] = self.phase;
            let weight = 1.0 - cos;
            self.phase = [cos * c - sin * s, cos * s + sin * c];
            self.sum += x;
            self.weighted += weight * x;
            self.weights += weight;
            self.position += 1;
            if self.position == self.window {
                if self.weights > 0.0 {
                    self.means.push(self.weighted / self.weights);
                }
                (self.position, self.weighted, self.weights, self.phase) = (0, 0.0, 0.0, [1.0, 0.0]);
            }
        }
        self.frames += samples.len() as u64;
    }

    /// The offset, if there is one.
    pub(super) fn offset(&self) -> Option<f64> {
        let windows = self.means.len() as f64;
        if !self.long_enough || windows < 2.0 {
            return None;
        }
        let mean = self.means.iter().sum::<f64>() / windows;
        let variance = self.means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (windows - 1.0);
        let plain = self.sum / self.frames as f64;
        let offset = if mean.abs() < plain.abs() { mean } else { plain };
        let same_sign = mean * plain > 0.0;
        (same_sign && offset.abs() > MAX_OFFSET && mean.abs() > CLEAR * (variance / windows).sqrt())
            .then_some(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    fn offset(samples: &[f64]) -> Option<f64> {
        let mut sums = DcSums::new(samples.len() as u64, Hz(48_000.0));
        samples.chunks(1000).for_each(|chunk| sums.process(chunk));
        sums.offset()
    }

    fn note(hertz: f64, frames: usize) -> Vec<f64> {
        (0..frames).map(|n| 0.5 * (n as f64 * hertz / 48_000.0 * 2.0 * core::f64::consts::PI).sin()).collect()
    }

    #[test]
    fn an_offset_is_found_under_music() {
        for frames in [14_400, 200_000] {
            for music in [noise(1, frames, 0.01), note(440.0, frames), note(5_000.0, frames)] {
                let with: Vec<f64> = music.iter().map(|x| x + 0.01).collect();
                let found = offset(&with).expect("an offset");
                assert!((found - 0.01).abs() < 1e-3, "{found}");
            }
        }
    }

    #[test]
    fn music_without_offset_has_none_however_low_or_short() {
        for frames in [3, 500, 14_400, 48_001, 200_000] {
            for seed in 0..10 {
                assert_eq!(offset(&noise(seed, frames, 0.9)), None, "{frames} {seed}");
            }
            for hertz in [5.0, 20.0, 31.0, 41.2, 55.0, 110.0, 441.0] {
                assert_eq!(offset(&note(hertz, frames)), None, "{frames} {hertz}");
            }
        }
    }

    #[test]
    fn the_limit_is_60_db_below_full_scale() {
        assert_eq!(offset(&[0.000_99; 12_000]), None);
        assert!(offset(&[-0.001_01; 12_000]).is_some());
    }
}
