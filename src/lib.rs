//! Stemlink: mastering from stems, with the price of every move in view.
//!
//! The signal path: stem -> [`chain`] (trim, EQ, compressor, width, limiter, level) -> sum -> master chain ->
//! dither. ...

pub mod dsp;
pub mod meter;
pub mod session;
pub mod units;
