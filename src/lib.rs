//! Stemlink: mastering from stems, with the price of every move in view.
//!
//! The signal path, for both plugins and the command line alike:
//!
//! ```text
//! stem  -> sanitize -> trim, polarity, align, DC -> EQ (8 bands) -> compressor -> width -> limiter -> level --+
//! stem  -> ...                                                                                                +-> sum
//! sum   -> sanitize -> trim, polarity, align, DC -> EQ (8 bands) -> compressor -> width -> level -> limiter -> dither
//! ```
//!
//! Read [`chain`] for that path, [`meter`] for readings, [`session`] for what a move costs the other stems, and
//! `offline` for the same over files. `ARCHITECTURE.md` has the map.

#[cfg(feature = "audio")]
pub mod audio;
pub mod chain;
pub mod dsp;
#[cfg(feature = "editor")]
pub mod editor;
#[cfg(feature = "plugin")]
pub mod gauges;
pub mod link;
pub mod meter;
#[cfg(feature = "offline")]
pub mod offline;
#[cfg(feature = "plugin")]
pub mod params;
#[cfg(feature = "plugin")]
pub mod plugin;
pub mod session;
#[cfg(test)]
mod sound;
pub mod units;
