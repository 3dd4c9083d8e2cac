//! Parts that units are built of: delays, histories, smoothers, a sliding maximum, windows of FIR filters.

pub mod box_smoother;
pub mod delay;
pub(crate) mod history;
pub mod kaiser;
pub(crate) mod ramp;
pub(crate) mod sliding_max;
pub(crate) mod smoother;
