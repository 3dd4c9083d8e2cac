//! Tracking of the noise floor without a learned print.

use super::print::{BANDS, BandMap, NoisePrint};

/// Stretches whose minima are kept.
const STRETCHES: usize = 8;
/// Hops in a stretch: a quarter of a second.
const STRETCH_HOPS: usize = 24;
/// Share of the smoothed power that is kept from hop to hop.
const SMOOTHING: f32 = 0.8;
/// Ratio of the mean of a smoothed exponential power to the median over a band of its minima over 2 s, as measured on
/// white noise.
const MINIMUM_BIAS: f64 = 2.6;
/// Power of a bin below which it is digital silence.
const SILENCE_POWER: f32 = 1e-18;

/// Noise floor by minimum statistics (Martin, "Noise Power Spectral Density Estimation Based on Optimal Smoothing
/// and Minimum Statistics", IEEE TSAP 9(5), 2001, with a fixed smoothing): in every bin the least smoothed power of the
/// last two seconds; in every band the median of its bins, so that a held tone among them does not count.
pub(super) struct NoiseFloor {
    smooth: Vec<f32>,
    lowest: Vec<f32>,
    stretches: Vec<Vec<f32>>,
    next: usize,
    hops: usize,
    /// Buffer for medians.
    sorted: Vec<f32>,
}

impl NoiseFloor {
    pub(super) fn new(bins: usize) -> Self {
        let mut floor = Self {
            smooth: vec![0.0; bins],
            lowest: vec![0.0; bins],
            stretches: vec![vec![0.0; bins]; STRETCHES],
            next: 0,
            hops: 0,
            sorted: vec![0.0; bins],
        };
        floor.reset();
        floor
    }

    pub(super) fn reset(&mut self) {
        self.smooth.fill(-1.0);
        self.lowest.fill(f32::INFINITY);
        self.stretches.iter_mut().for_each(|stretch| stretch.fill(f32::INFINITY));
        self.next = 0;
        self.hops = 0;
    }

    /// Takes the power of one hop; returns the print when it has changed.
    pub(super) fn update(&mut self, power: &[f32], bands: &BandMap) -> Option<NoisePrint> {
        if power.iter().all(|&power| power < SILENCE_POWER) {
            return None;
        }
        for ((smooth, lowest), &power) in self.smooth.iter_mut().zip(&mut self.lowest).zip(power) {
            *smooth = if *smooth < 0.0 { power } else { power + SMOOTHING * (*smooth - power) };
            *lowest = lowest.min(*smooth);
        }
        self.hops += 1;
        if self.hops < STRETCH_HOPS {
            return None;
        }
        self.hops = 0;
        self.stretches[self.next].copy_from_slice(&self.lowest);
        self.next = (self.next + 1) % STRETCHES;
        self.lowest.fill(f32::INFINITY);
        Some(self.print(bands))
    }

    fn print(&mut self, bands: &BandMap) -> NoisePrint {
        let mut print = NoisePrint::NONE;
        for band in 0..BANDS {
            let range = bands.bins(band);
            let count = range.len();
            for (to, bin) in self.sorted.iter_mut().zip(range) {
                *to = self.stretches.iter().fold(f32::INFINITY, |least, stretch| least.min(stretch[bin]));
            }
            let (_, median, _) = self.sorted[..count].select_nth_unstable_by(count / 2, f32::total_cmp);
            print.levels_mut()[band] = bands.level(MINIMUM_BIAS * f64::from(*median));
        }
        print
    }
}
