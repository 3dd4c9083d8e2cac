//! The chain and the meters over files: reading, writing, and all that the command line tool does.
//!
//! Everything here streams: memory stays bounded whatever a file is long or claims to be.

pub mod adm;
pub mod advise;
pub mod album;
pub mod bundle;
pub mod check;
pub mod codec;
pub mod compensated;
pub mod deliver;
pub mod demo_song;
pub mod hash;
pub mod json;
mod markup;
pub mod master;
pub mod measure;
pub mod mixdown;
pub mod organize;
pub mod progress;
pub mod report;
pub mod session_file;
pub mod target_file;
pub mod verify;
pub mod what_if;
pub mod whole;

use crate::audio::pcm;
pub use crate::audio::{self, Error, Result, error, resample, wav};

/// A frame as a time of the song: `1:02.345`.
pub fn clock(frame: u64, rate: crate::units::Hz) -> String {
    let seconds = frame as f64 / rate.0;
    format!("{}:{:06.3}", (seconds / 60.0) as u64, seconds % 60.0)
}
