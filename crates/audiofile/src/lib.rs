//! Audio files: WAV, AIFF, FLAC, CAF, MP3, MP4 and Ogg Vorbis behind one reader that tells them apart by their content,
//! writers of WAV and FLAC, and audio at another rate.
//!
//! The command line tool and the references of a Master's window read through this module.

mod aiff;
mod compressed;
pub mod error;
mod flac;
#[cfg(test)]
mod flac_build;
mod flac_write;
mod info;
pub mod latency;
pub mod narrow;
mod open;
pub mod output;
pub mod pcm;
mod reader;
pub mod resample;
mod section;
pub mod wav;

pub use aiff::AiffReader;
pub use compressed::{CompressedReader, file_of, is_movie, is_stem_file, stem_streams};
pub use error::{Error, Result};
pub use flac::FlacReader;
pub use flac_write::{FlacComments, FlacSpec, FlacWriter, flac_comments};
pub use info::{AudioInfo, Container, MAX_CHANNELS, SampleFormat};
pub use reader::{AudioReader, BLOCK, PcmReader};
pub use section::Section;
