//! Signal processing units: one small file each, no host, no file, no clock, no thread.
//!
//! Every unit works in place on a stereo [`Block`] of `f64`, allocates only in `new`, and obeys one contract
//! ([`Process`]): exact constant latency, `reset` equals new, output independent of how the stream is cut into
//! blocks, bit-transparent when neutral, silent when fed silence.

mod block;
mod control;
mod decibels;
mod ramp;
mod sliding_max;
mod trail;

/// A frame: the values of two channels, side by side, which a compiler makes one instruction of.
pub type Pair = [f64; 2];

#[cfg(test)]
extern crate self as dsp; // as the rig of the tests names it

#[cfg(test)]
#[path = "../tests/rig/mod.rs"]
mod rig;

pub mod align;
pub mod ballistics;
pub mod boxes;
pub mod compressor;
pub mod curve;
pub mod dc;
pub mod delay;
pub mod denoise;
pub mod denormals;
pub mod detector;
pub mod dither;
pub mod edges;
pub mod equalizer;
pub mod filter;
pub mod gain_log;
pub mod kaiser;
pub mod limiter;
pub mod oversample;
pub mod saturator;
pub mod trim;
pub mod width;

pub use block::{Block, Key, KeySource};
pub use control::{CONTROL_INTERVAL, Smoother, Step, Ticks};
pub use gain_log::{GainLog, RecordGain, Share};
pub use ramp::Ramp;
pub use sliding_max::{SlidingMax, larger, largest};

use units::Samples;

/// One unit of the chain.
///
/// Thread: any one at a time; all methods but the constructor are free of allocation, locks and system calls.
pub trait Process {
    /// What the unit can be told, in plain values.
    type Settings;

    /// Takes new settings. The first call after construction or `reset` takes effect at once (snaps); later
    /// ones glide, starting at the next control tick, so that no change clicks. Out-of-range values are clamped.
    fn set(&mut self, settings: &Self::Settings);

    /// The unit's delay, exact and constant from construction on, whatever the settings.
    fn latency(&self) -> Samples;

    /// Forgets all audio and all ramps: as new, with the settings kept (a following `set` snaps).
    fn reset(&mut self);

    /// Processes `block` in place. Input is finite (the chain's edge sanitizes); a non-finite value that still
    /// arrives is contained: the unit's state is finite again within 64 samples after the input is.
    fn process(&mut self, block: &mut Block<'_>);
}

/// Brings a setting into its range; what is not a number becomes the lower end.
#[inline]
pub fn within(value: f64, low: f64, high: f64) -> f64 {
    value.max(low).min(high)
}

/// Makes a recursive state harmless: NaN, infinity and subnormal numbers become zero, all else is unchanged.
#[inline]
pub fn settle(state: f64) -> f64 {
    if state.is_normal() { state } else { 0.0 }
}
