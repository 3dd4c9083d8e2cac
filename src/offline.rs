//! The chain and the meters over files: reading, writing, and all that the command line tool does.
//!
//! Everything here streams: memory stays bounded whatever a file is long or claims to be.

pub mod audio;
pub mod bundle;
pub mod demo_song;
pub mod error;
mod pcm;
pub mod wav;

pub use error::{Error, Result};
