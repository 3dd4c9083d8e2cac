//! Fourier transforms of real signals, and the conversion of sampling rates by them.
//!
//! The planner of `realfft` is generic: a crate that calls it compiles every transform of `rustfft` for itself, 25 to 60 s of
//! processor time each. Here both sample types are compiled once; the other crates name plans only by these functions.

mod rate;

pub use rate::RateConverter;
pub use realfft::num_complex::{Complex, Complex32};
pub use realfft::{ComplexToReal, RealToComplex};

use realfft::{FftNum, RealFftPlanner};
use std::sync::Arc;

/// Samples that transforms are compiled for: `f32` and `f64`.
pub trait Sample: FftNum {
    /// Implements [`forward`].
    fn plan_forward(frames: usize) -> Arc<dyn RealToComplex<Self>>;
    /// Implements [`inverse`].
    fn plan_inverse(frames: usize) -> Arc<dyn ComplexToReal<Self>>;
}

macro_rules! compile {
    ($sample:ty) => {
        impl Sample for $sample {
            fn plan_forward(frames: usize) -> Arc<dyn RealToComplex<Self>> {
                RealFftPlanner::new().plan_fft_forward(frames)
            }

            fn plan_inverse(frames: usize) -> Arc<dyn ComplexToReal<Self>> {
                RealFftPlanner::new().plan_fft_inverse(frames)
            }
        }
    };
}

compile!(f32);
compile!(f64);

/// Transform of `frames` samples to the `frames / 2 + 1` bins from 0 to Nyquist, unscaled.
pub fn forward<T: Sample>(frames: usize) -> Arc<dyn RealToComplex<T>> {
    T::plan_forward(frames)
}

/// Transform of `frames / 2 + 1` bins to `frames` samples, unscaled: after [`forward`], `frames` times the signal.
pub fn inverse<T: Sample>(frames: usize) -> Arc<dyn ComplexToReal<T>> {
    T::plan_inverse(frames)
}
