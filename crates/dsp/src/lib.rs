//! Signal processing units: one small file each, no host, no file, no clock, no thread.
//!
//! Every unit works in place on a stereo [`Block`] of `f64`, allocates only in `new`, and obeys one contract
//! ([`Process`]): exact constant latency, `reset` equals new, output independent of how the stream is cut into
//! blocks, bit-transparent when neutral, silent when fed silence.

mod block;
mod decibels;
mod primitives;

/// Values of two channels at one frame, side by side: a compiler makes one instruction of them.
pub type Pair = [f64; 2];

#[cfg(test)]
extern crate self as dsp; // as the rig of the tests names it

#[cfg(test)]
#[path = "../tests/rig/mod.rs"]
mod rig;

#[cfg(test)]
#[path = "../tests/rig/compressor.rs"]
mod compressor_rig;

#[cfg(test)]
#[path = "../tests/rig/limiter.rs"]
mod limiter_rig;

pub mod align;
pub mod ballistics;
pub mod compressor;
pub mod curve;
pub mod dc;
pub mod denoise;
pub mod denormals;
pub mod detector;
pub mod dither;

pub mod equalizer;
pub mod filter;
pub mod gain_log;
pub mod gain_stage;
pub mod limiter;
pub mod oversample;
pub mod sanitize;
pub mod saturator;
pub mod trim;
pub mod width;

pub use block::{Block, Key, KeySource};
pub use gain_log::{GainLog, RecordGain, Share};
pub use primitives::ramp::Ramp;
pub use primitives::sliding_max::{SlidingMax, larger, largest};
pub use primitives::smoother::{CONTROL_INTERVAL, Smoother, TickStep, Ticks};
pub use primitives::{box_smoother, delay, kaiser};

use units::Samples;

/// Unit of the chain.
///
/// Thread: any one at a time; all methods but the constructor are free of allocation, locks and system calls.
pub trait Process {
    /// Settings of the unit, in plain values.
    type Settings;

    /// Takes new settings. The first call after construction or `reset` takes effect at once; later ones make smooth
    /// transitions from the next control tick on, so that no change clicks. Out-of-range values are clamped.
    fn set(&mut self, settings: &Self::Settings);

    /// Delay of the unit in samples, exact and constant from construction on, whatever the settings.
    fn latency(&self) -> Samples;

    /// Forgets all audio and ends all transitions: as new, with the settings kept; the next `set` takes effect at once.
    fn reset(&mut self);

    /// Processes `block` in place. Input is finite, as the chain sanitizes it; a non-finite value that still arrives is
    /// contained: the unit's state is finite again within 64 samples after the input is.
    fn process(&mut self, block: &mut Block<'_>);
}

/// Makes a value on the heap.
///
/// Never inlined: the value passes through this function's frame, which is gone when the next one is made, and not through
/// the caller's, which would have room for all that it makes. Hosts construct chains on threads with little stack.
#[inline(never)]
pub fn boxed<T>(make: impl FnOnce() -> T) -> Box<T> {
    Box::new(make())
}

/// Clamps a setting to its range; NaN becomes the lower end.
#[inline]
pub fn within(value: f64, low: f64, high: f64) -> f64 {
    value.max(low).min(high)
}

/// Value of a recursive state with NaN, infinity and subnormal numbers replaced by zero.
#[inline]
pub fn flush_invalid(state: f64) -> f64 {
    if state.is_normal() { state } else { 0.0 }
}
