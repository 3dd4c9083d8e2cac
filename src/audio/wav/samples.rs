//! Storing samples: nearest value, saturating, counted.

use core::ops::Range;

/// How samples are written.
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
        StoredFormat::Int16 => gather(planes, part, bytes, integer::<2>),
        StoredFormat::Int24 => gather(planes, part, bytes, integer::<3>),
        StoredFormat::Float32 => gather(planes, part, bytes, |sample| ((sample as f32).to_le_bytes(), false)),
    }
}

/// The stored bytes, and whether the value had to be saturated.
fn integer<const WIDTH: usize>(sample: f64) -> ([u8; WIDTH], bool) {
    // Added to a small number, it leaves no bits below one: the sum is rounded to the nearest, halves to even.
    const WHOLE: f64 = 1.5 * (1u64 << 52) as f64;
    let scale = f64::from(1u32 << (8 * WIDTH - 1));
    let small = (sample * scale).clamp(-2.0 * scale, 2.0 * scale);
    let wanted = (small + WHOLE) - WHOLE;
    let stored = wanted.clamp(-scale, scale - 1.0);
    let bytes = *(stored as i32).to_le_bytes().first_chunk().expect("at most four bytes");
    (bytes, (stored - wanted).abs() > 0.0) // not of NaN
}

/// Writes the bytes of each sample to its place.
fn gather<const WIDTH: usize>(
    planes: &[impl AsRef<[f64]>],
    part: Range<usize>,
    bytes: &mut [u8],
    store: impl Fn(f64) -> ([u8; WIDTH], bool),
) -> Losses {
    let mut losses = Losses::default();
    let slots = bytes.as_chunks_mut::<WIDTH>().0;
    for (channel, plane) in planes.iter().enumerate() {
        for (frame, &sample) in slots.chunks_exact_mut(planes.len()).zip(&plane.as_ref()[part.clone()]) {
            let (stored, saturated) = store(sample);
            frame[channel] = stored;
            losses.saturated += u64::from(saturated);
            losses.not_finite += u64::from(!sample.is_finite());
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
}
