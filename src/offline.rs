//! The chain and the meters over files: reading, writing, and all that the command line tool does.
//!
//! Everything here streams: memory stays bounded whatever a file is long or claims to be.

pub mod audio;
pub mod bundle;
pub mod demo_song;
pub mod error;
pub mod mixdown;
mod pcm;
pub mod progress;
pub mod session_file;
pub mod verify;
pub mod wav;

pub use error::{Error, Result};
