//! Second-order sections that follow their analogue prototypes up to Nyquist, without latency.
//!
//! A [`Stage`] is what an analogue prototype of second order does to power, `N(x) / D(x)` with `x` the square of
//! frequency. [`fit`] finds the digital section with nearly the same power response. A [`Section`] is the
//! result, as minimum-phase polynomials; a [`Kernel`] runs it on samples and may glide; a [`Cascade`] runs several that stand
//! still, in series, and a [`Moving`] several that glide by what they hear.

mod cascade;
mod kernel;
mod matching;
mod moving;
mod section;
mod stage;

pub use cascade::Cascade;
pub use kernel::{Kernel, State, way};
pub use matching::{Accuracy, fit};
pub use moving::{Director, Moving, Part};
pub use section::Section;
pub use stage::{Feature, Power, Stage, Zeros};
