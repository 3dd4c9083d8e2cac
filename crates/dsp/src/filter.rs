//! Second-order sections that follow their analogue prototypes up to Nyquist, without latency.
//!
//! A [`Stage`] is what an analogue prototype of second order does to power, `N(x) / D(x)` with `x` the square of
//! frequency. [`fit`] finds the digital section with nearly the same power response. A [`Section`] is the
//! result, as minimum-phase polynomials; a [`Kernel`] runs it on samples and may glide; a [`Cascade`] runs several static
//! ones in series.

mod cascade;
mod kernel;
mod matching;
mod section;
mod stage;

pub use cascade::Cascade;
pub use kernel::{Kernel, RunningKernel, State, StereoKernel, ramp_share};
pub use matching::{Accuracy, fit};
pub use section::Section;
pub use stage::{Feature, Power, Stage, Zeros};
