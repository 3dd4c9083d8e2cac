//! Stemlink: mastering from stems, with the price of every move in view.
//!
//! The signal path: stem -> [`chain`] (trim, EQ, compressor, width, limiter, level) -> sum -> master chain ->
//! dither. ...

pub mod dsp;
#[cfg(feature = "offline")]
pub mod offline;
pub mod units;
