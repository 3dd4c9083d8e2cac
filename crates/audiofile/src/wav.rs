//! WAV in its three sizes (RIFF, RF64, BW64) and Wave64: our own streaming reader and writer.
//!
//! The reader takes what real programs leave behind (unpadded chunks, lying sizes, truncated data) and says so
//! in its warnings; it never allocates from a declared size. The writer stores exactly what it is given,
//! saturates instead of wrapping, and shows nothing under the final name before all is on the disk.
//!
//! Sources: Microsoft/IBM "Multimedia Programming Interface and Data Specifications 1.0" (RIFF), EBU Tech 3285
//! v2 (bext), EBU Tech 3306 (RF64), ITU-R BS.2088-1 (BW64, axml, chna).

pub(super) mod bext;
mod chunks;
mod format;
mod read;
mod samples;
mod sink;
mod spec;
mod wave64;
mod write;

#[cfg(test)]
mod build;
#[cfg(test)]
mod hostile;

pub use bext::{Bext, Loudness};
pub use chunks::ChunkSpan;
pub use read::{MAX_CHUNK, WavReader};
pub use samples::StoredFormat;
pub use spec::{Chunk, LargeForm, Place, WavSpec, Written};
pub use write::WavWriter;
