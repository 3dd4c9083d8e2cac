//! Noise print: the spectrum of a noise in bands.

/// Bands of a [`NoisePrint`].
pub const BANDS: usize = 96;

/// Frequency, in hertz, around which the spacing of bands goes from even in hertz to even in octaves: they are even in
/// `asinh(f / 400 Hz)`, 23.5 Hz apart at the bottom, a twelfth of an octave at the top.
const KNEE_HZ: f64 = 400.0;
/// Bands per unit of `asinh`.
const BANDS_PER_UNIT: f64 = 17.0;

/// Lowest level, in dB per hertz: no noise.
pub(super) const MIN_LEVEL: f32 = -220.0;
/// Highest level, in dB per hertz.
const MAX_LEVEL: f32 = 20.0;

/// Spectrum of a steady noise: mean power per hertz, both channels averaged, in dB relative to full scale, for
/// [`BANDS`] bands from 0 Hz to 53 kHz. Independent of the sampling rate.
///
/// White noise of -60 dBFS at 48 kHz is -103.8 in every band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoisePrint([f32; BANDS]);

impl NoisePrint {
    /// No noise at all.
    pub const NONE: Self = Self([MIN_LEVEL; BANDS]);

    /// Print with these levels in dB per hertz; `None` if they are not [`BANDS`] numbers. Levels are held between -220 and 20.
    pub fn new(levels: &[f32]) -> Option<Self> {
        let levels: [f32; BANDS] = levels.try_into().ok()?;
        let numbers = levels.iter().all(|level| !level.is_nan());
        numbers.then(|| Self(levels.map(|level| level.clamp(MIN_LEVEL, MAX_LEVEL))))
    }

    /// Levels, in dB per hertz.
    pub fn levels(&self) -> &[f32; BANDS] {
        &self.0
    }

    /// Middle of a band, in hertz.
    pub fn frequency(band: usize) -> f64 {
        KNEE_HZ * (band as f64 / BANDS_PER_UNIT).sinh()
    }

    /// Position of `frequency` (Hz) among the bands, in bands.
    pub(super) fn place(frequency: f64) -> f64 {
        (BANDS_PER_UNIT * (frequency / KNEE_HZ).asinh()).min((BANDS - 1) as f64)
    }

    pub(super) fn levels_mut(&mut self) -> &mut [f32; BANDS] {
        &mut self.0
    }
}

/// Mapping between the bands of a print and the bins of a spectrum.
#[derive(Clone, Debug)]
pub(super) struct BandMap {
    /// Position of each bin among the bands.
    places: Vec<f32>,
    /// Power of a bin per power per hertz.
    scale: f64,
    /// Range of the bins nearest to each band: at least one.
    ranges: [(usize, usize); BANDS],
}

impl BandMap {
    /// Map for `bins` bins, `spacing` hertz apart, that read `scale` times the power per hertz.
    pub(super) fn new(bins: usize, spacing: f64, scale: f64) -> Self {
        let places = (0..bins).map(|bin| NoisePrint::place(bin as f64 * spacing) as f32).collect();
        let last = bins - 1;
        let bin = |frequency: f64| ((frequency / spacing).round() as usize).min(last);
        let ranges = core::array::from_fn(|band| {
            let half = |to: usize| 0.5 * (NoisePrint::frequency(band) + NoisePrint::frequency(to));
            let (low, high) = (half(band.saturating_sub(1)), half(band + 1));
            let first = bin(low).min(last);
            (first, bin(high).max(first + 1).min(last + 1))
        });
        Self { places, scale, ranges }
    }

    /// Bins nearest to `band`.
    pub(super) fn bins(&self, band: usize) -> core::ops::Range<usize> {
        self.ranges[band].0..self.ranges[band].1
    }

    /// Level, in dB per hertz, for the mean power of a bin.
    pub(super) fn level(&self, power: f64) -> f32 {
        (units::decibels((power / self.scale).sqrt()) as f32).clamp(MIN_LEVEL, MAX_LEVEL)
    }

    /// Fills `inverse` with the inverse of each bin's power in noise of these `levels`, in dB per hertz.
    pub(super) fn inverse_powers(&self, levels: &[f32; BANDS], inverse: &mut [f32]) {
        let scale = 1.0 / self.scale;
        let factors: [f32; BANDS] =
            core::array::from_fn(|band| (scale * units::linear(-2.0 * f64::from(levels[band]))) as f32);
        for (inverse, place) in inverse.iter_mut().zip(&self.places) {
            let band = (*place as usize).min(BANDS - 2);
            *inverse = factors[band] + (place - band as f32) * (factors[band + 1] - factors[band]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_and_places_are_inverse() {
        for band in 0..BANDS {
            assert!((NoisePrint::place(NoisePrint::frequency(band)) - band as f64).abs() < 1e-9);
        }
        assert!((NoisePrint::frequency(1) - 23.5).abs() < 0.1);
        assert!((NoisePrint::frequency(81) / NoisePrint::frequency(80)).log2() < 1.0 / 11.5);
        assert!(NoisePrint::frequency(BANDS - 1) > 48_000.0);
    }

    #[test]
    fn every_bin_belongs_to_a_band() {
        for (bins, rate) in [(1025, 44_100.0), (1025, 48_000.0), (2049, 96_000.0), (257, 8000.0)] {
            let bands = BandMap::new(bins, rate / (2 * (bins - 1)) as f64, 1.0);
            for bin in 0..bins {
                assert!((0..BANDS).any(|band| bands.bins(band).contains(&bin)), "{rate} {bin}");
            }
        }
    }

    #[test]
    fn a_level_comes_back_as_the_power_it_was_read_from() {
        let bands = BandMap::new(1025, 23.4375, 7.0);
        let mut inverse = vec![0.0; 1025];
        bands.inverse_powers(&[bands.level(3e-5); BANDS], &mut inverse);
        assert!(inverse.iter().all(|x| (f64::from(*x) * 3e-5 - 1.0).abs() < 1e-4));
    }

    #[test]
    fn only_as_many_numbers_as_bands_are_a_print() {
        assert!(NoisePrint::new(&[-90.0; BANDS]).is_some());
        assert!(NoisePrint::new(&[-90.0; BANDS - 1]).is_none());
        assert!(NoisePrint::new(&[f32::NAN; BANDS]).is_none());
        assert_eq!(NoisePrint::new(&[-900.0; BANDS]), Some(NoisePrint::NONE));
    }
}
