//! FLAC beside WAV: the same samples, encoded, decoded again and compared.

use std::path::Path;

use crate::progress::{Progress, advance};
use crate::tags::FileTags;
use audiofile::error::{Error, Result};
use audiofile::{AudioReader, BLOCK, FlacReader, FlacSpec, FlacWriter, SampleFormat};

/// Writes the FLAC `path` of a finished WAV file of 16 or 24 bits.
///
/// # Errors
/// If one of them cannot be read or written, or the listener stops it.
pub(super) fn write_flac(
    wav: &Path,
    path: &Path,
    tags: &FileTags,
    overwrite: bool,
    progress: &mut dyn Progress,
) -> Result<()> {
    let mut reader = AudioReader::open(wav)?;
    let info = reader.info();
    let bits = match info.format {
        SampleFormat::Int { bits } => bits,
        SampleFormat::Float { .. } => {
            return Err(Error::unwritable(path, "FLAC cannot hold 32-bit float", "write integers"));
        }
    };
    let (rate, channels, frames) = (info.rate, info.channels, info.frames);
    let spec = FlacSpec { rate, channels, bits, frames, comments: tags.comments() };
    let mut writer = FlacWriter::create(path, &spec, overwrite)?;
    reader.each_block(|block| {
        writer.write_planar(block)?;
        advance(progress, 0, wav)
    })?;
    writer.finish()
}

/// True if both files have the same samples; a FLAC file read to its end is held to its own MD5 too.
///
/// # Errors
/// If one of them cannot be read, or the listener stops it.
pub(super) fn is_same_audio(wav: &Path, flac: &Path, progress: &mut dyn Progress) -> Result<bool> {
    let mut reader = FlacReader::open(flac)?;
    let mut expected = AudioReader::open(wav)?;
    let key = |info: &audiofile::AudioInfo| (info.rate, info.channels, info.frames, info.format);
    if key(reader.info()) != key(expected.info()) {
        return Ok(false);
    }
    let channels = reader.info().channels;
    let [mut now, mut then] = [vec![Vec::new(); channels], vec![Vec::new(); channels]];
    let mut is_same = true;
    while reader.read_planar(&mut now, BLOCK)? > 0 {
        expected.read_planar(&mut then, BLOCK)?;
        is_same &= now == then;
        advance(progress, 0, flac)?;
    }
    Ok(is_same)
}
