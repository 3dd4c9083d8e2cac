//! Checks of every sample where audio enters and leaves a chain, by vectors.

use simd::{F64Vector, Isa, Kernel, Pairs, Simd, Vector};

/// True if no sample is NaN or infinite.
pub fn all_finite(isa: Isa, samples: &[f64]) -> bool {
    isa.run(AllFinite(samples))
}

/// Replaces finite samples too small for a normal `f32`, the format of hosts and files, by zero of the same sign.
pub fn flush_to_f32(isa: Isa, samples: &mut [f64]) {
    isa.run(FlushToF32(samples));
}

struct AllFinite<'a>(&'a [f64]);

impl Kernel for AllFinite<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        let zero: F64Vector<S> = simd.splat(0.0);
        // Zero times what is not finite is NaN, and so is all that it is added to.
        let mut sums = [zero; 2];
        let lanes = F64Vector::<S>::LANES;
        let mut chunks = self.0.chunks_exact(2 * lanes);
        for chunk in &mut chunks {
            sums[0] = zero.mul_add(simd.load(chunk), sums[0]);
            sums[1] = zero.mul_add(simd.load(&chunk[lanes..]), sums[1]);
        }
        let mut numbers = [0.0; 8];
        (sums[0] + sums[1]).store(&mut numbers);
        numbers.iter().all(|&sum| sum == 0.0) && chunks.remainder().iter().all(|x| x.is_finite())
    }
}

struct FlushToF32<'a>(&'a mut [f64]);

impl Kernel for FlushToF32<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let zero: F64Vector<S> = simd.splat(0.0);
        let least = f64::from(f32::MIN_POSITIVE);
        let below: F64Vector<S> = simd.splat(least.next_down());
        let mut chunks = self.0.chunks_exact_mut(F64Vector::<S>::LANES);
        for chunk in &mut chunks {
            let x: F64Vector<S> = simd.load(chunk);
            x.where_above(x * zero, x.abs(), below).store(chunk);
        }
        for x in chunks.into_remainder() {
            if x.abs() < least {
                *x = 0.0f64.copysign(*x);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    #[test]
    fn one_bad_sample_is_found_wherever_it_is() {
        for isa in Isa::all() {
            for length in [0, 1, 7, 16, 37] {
                let mut samples = noise(1, length, 1e300);
                assert!(all_finite(isa, &samples), "{isa:?}, {length}");
                for i in 0..length {
                    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                        let good = core::mem::replace(&mut samples[i], bad);
                        assert!(!all_finite(isa, &samples), "{isa:?}, {i} of {length}");
                        samples[i] = good;
                    }
                }
            }
        }
    }

    #[test]
    fn only_what_is_too_small_becomes_zero_and_keeps_its_sign() {
        let least = f64::from(f32::MIN_POSITIVE);
        let samples = [least, least.next_down(), -least, -least.next_down(), 0.0, -0.0, 1e-300, -1e-300, 1.0];
        let expected = [least, 0.0, -least, -0.0, 0.0, -0.0, 0.0, -0.0, 1.0];
        for isa in Isa::all() {
            let mut got = samples.repeat(3);
            flush_to_f32(isa, &mut got);
            for (got, want) in got.iter().zip(expected.repeat(3)) {
                assert_eq!(got.to_bits(), want.to_bits(), "{isa:?}");
            }
        }
    }
}
