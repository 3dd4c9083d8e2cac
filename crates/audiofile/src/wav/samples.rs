//! Storing samples: nearest value, saturating, counted.

use core::ops::Range;

use simd::{Isa, Kernel, Simd};

/// Format of the samples in a file to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredFormat {
    /// 16-bit integer.
    Int16,
    /// 24-bit integer.
    Int24,
    /// 32-bit float, not limited to +-1.
    Float32,
}

impl StoredFormat {
    /// Bytes of one sample.
    pub fn bytes(self) -> usize {
        match self {
            Self::Int16 => 2,
            Self::Int24 => 3,
            Self::Float32 => 4,
        }
    }

    /// Bits of one sample.
    pub fn bits(self) -> u16 {
        self.bytes() as u16 * 8
    }

    /// True for floating point.
    pub fn is_float(self) -> bool {
        self == Self::Float32
    }
}

/// Samples that could not be stored as they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Losses {
    /// Beyond the largest integer, stored as that.
    pub(super) saturated: u64,
    /// NaN or infinite: in integers NaN is stored as zero, in floats all are stored as they are.
    pub(super) not_finite: u64,
}

impl Losses {
    /// Adds those of samples that are stored in so many bytes, floats in four.
    fn count(&mut self, samples: &[f64], width: usize) {
        for &sample in samples {
            self.not_finite += u64::from(!sample.is_finite());
            let steps = (sample * 2f64.powi(8 * width as i32 - 1)).round_ties_even();
            let most = 2f64.powi(8 * width as i32 - 1);
            self.saturated += u64::from(width < 4 && (steps > most - 1.0 || steps < -most));
        }
    }
}

/// Interleaves the frames `part` of the planes into `bytes`, which is as long as that takes.
///
/// Integers are the nearest to the value (halves to the even one), without dither: a value that is one of the
/// format is stored exactly, any other should have been dithered before.
pub(super) fn encode(
    format: StoredFormat,
    planes: &[impl AsRef<[f64]>],
    part: Range<usize>,
    bytes: &mut [u8],
) -> Losses {
    match format {
        StoredFormat::Int16 => gather::<2>(planes, part, bytes, integer::<2>),
        StoredFormat::Int24 => gather::<3>(planes, part, bytes, integer::<3>),
        StoredFormat::Float32 => {
            gather::<4>(planes, part, bytes, |sample| (sample as f32).to_bits().cast_signed())
        }
    }
}

/// The nearest number of `WIDTH` bytes, halves to even; what is beyond the largest is that, NaN is zero.
#[inline(always)]
fn integer<const WIDTH: usize>(sample: f64) -> i32 {
    // Added to a small number, it leaves no bits below one: the sum is rounded to the nearest, halves to even.
    const WHOLE: f64 = 1.5 * (1u64 << 52) as f64;
    let scale = f64::from(1u32 << (8 * WIDTH - 1));
    let small = (sample * scale).clamp(-2.0 * scale, 2.0 * scale);
    ((small + WHOLE) - WHOLE).clamp(-scale, scale - 1.0) as i32
}

/// Samples that are converted, and then stored, at once.
const RUN: usize = 64;

/// Converts samples side by side. Gives whether all are finite and below `limit` in magnitude.
struct Convert<'a, F> {
    samples: &'a [f64],
    words: &'a mut [i32; RUN],
    convert: F,
    limit: f64,
}

impl<F: Fn(f64) -> i32> Kernel for Convert<'_, F> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> bool {
        let Self { samples, words, convert, limit } = self;
        let mut fine = true;
        for (word, &sample) in words.iter_mut().zip(samples) {
            *word = convert(sample);
            fine &= sample.abs() < limit;
        }
        fine
    }
}

/// Writes the low bytes of what `convert` makes of each sample to its place.
fn gather<const WIDTH: usize>(
    planes: &[impl AsRef<[f64]>],
    part: Range<usize>,
    bytes: &mut [u8],
    convert: impl Fn(f64) -> i32 + Copy,
) -> Losses {
    let isa = Isa::widest();
    let mut losses = Losses::default();
    let slots = bytes.as_chunks_mut::<WIDTH>().0;
    let mut words = [0; RUN];
    // Whatever rounds to less than full scale, and all finite floats.
    let most = 1.0 - 2f64.powi(1 - 8 * WIDTH as i32);
    let limit = if WIDTH < 4 { most } else { f64::INFINITY };
    for (channel, plane) in planes.iter().enumerate() {
        let runs = slots.chunks_mut(RUN * planes.len());
        for (slots, samples) in runs.zip(plane.as_ref()[part.clone()].chunks(RUN)) {
            if !isa.run(Convert { samples, words: &mut words, convert, limit }) {
                losses.count(samples, WIDTH);
            }
            for (frame, word) in slots.chunks_exact_mut(planes.len()).zip(&words) {
                frame[channel].copy_from_slice(&word.to_le_bytes()[..WIDTH]);
            }
        }
    }
    losses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int24(sample: f64) -> (i32, Losses) {
        let mut bytes = [0; 3];
        let losses = encode(StoredFormat::Int24, &[[sample]], 0..1, &mut bytes);
        (i32::from_le_bytes([0, bytes[0], bytes[1], bytes[2]]) >> 8, losses)
    }

    #[test]
    fn full_scale_saturates_and_never_wraps() {
        let lost = Losses { saturated: 1, not_finite: 0 };
        assert_eq!(int24(1.0), (0x7f_ffff, lost));
        assert_eq!(int24(1e300), (0x7f_ffff, lost));
        assert_eq!(int24(-1.0), (-0x80_0000, Losses::default()));
        assert_eq!(int24(-1.000_001), (-0x80_0000, lost));
        assert_eq!(int24(8_388_607.4 / 8_388_608.0), (0x7f_ffff, Losses::default()));
    }

    #[test]
    fn a_value_of_the_format_is_stored_exactly_and_others_go_to_the_nearest() {
        let lsb = 1.0 / 8_388_608.0;
        for value in [-8_388_608, -1, 0, 1, 3, 8_388_607] {
            assert_eq!(int24(f64::from(value) * lsb), (value, Losses::default()));
        }
        for (value, stored) in [(0.4, 0), (0.6, 1), (-0.6, -1), (-1.4, -1), (2.5, 2), (3.5, 4)] {
            assert_eq!(int24(value * lsb).0, stored, "{value}");
        }
    }

    #[test]
    fn non_finite_samples_are_counted() {
        assert_eq!(int24(f64::NAN), (0, Losses { saturated: 0, not_finite: 1 }));
        assert_eq!(int24(f64::INFINITY), (0x7f_ffff, Losses { saturated: 1, not_finite: 1 }));
        let mut bytes = [0; 4];
        let losses = encode(StoredFormat::Float32, &[[f64::NAN]], 0..1, &mut bytes);
        assert_eq!(losses, Losses { saturated: 0, not_finite: 1 });
        assert!(f32::from_le_bytes(bytes).is_nan());
    }

    #[test]
    fn channels_interleave() {
        let mut bytes = [0xaa; 8];
        encode(StoredFormat::Int16, &[[9.0, 0.5, -0.5], [9.0, 0.25, -0.25]], 1..3, &mut bytes);
        assert_eq!(bytes, [0, 0x40, 0, 0x20, 0, 0xc0, 0, 0xe0]);
    }

    #[test]
    fn long_runs_with_a_few_losses_are_stored_and_counted_one_by_one() {
        let mut samples = testkit::noise(1, 1003, 0.99);
        (samples[3], samples[700], samples[1002]) = (1.0, -2.0, f64::NAN);
        let mut bytes = vec![0; 3 * samples.len()];
        let losses = encode(StoredFormat::Int24, &[&samples], 0..samples.len(), &mut bytes);
        assert_eq!(losses, Losses { saturated: 2, not_finite: 1 });
        for (sample, stored) in samples.iter().zip(bytes.as_chunks::<3>().0) {
            let [a, b, c] = *stored;
            let expected = (sample * 8_388_608.0).round_ties_even().clamp(-8_388_608.0, 8_388_607.0);
            assert_eq!(i32::from_le_bytes([0, a, b, c]) >> 8, expected as i32, "{sample}");
        }
    }
}
