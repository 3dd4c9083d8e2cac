//! Second-order sections that follow their analogue prototypes up to Nyquist, without latency.
//!
//! A [`Stage`] is what an analogue prototype of second order does to power, `N(x) / D(x)` with `x` the square of
//! frequency. [`fit`] finds the digital section with nearly the same power response. A [`Section`] is the
//! result, as minimum-phase polynomials; a [`Kernel`] runs it on samples; a [`Series`] of them may glide; a
//! cascade runs several static ones side by side.

mod cascade;
mod kernel;
mod matching;
mod section;
mod series;
mod stage;

pub(crate) use cascade::Cascade;
pub use kernel::{Kernel, State, ramp_share};
pub use matching::{Accuracy, fit};
pub use section::Section;
pub use series::{RunningSeries, Series};
pub use stage::{Feature, Power, Stage, Zeros};
