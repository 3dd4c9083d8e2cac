//! A nameless temporary file of stereo `f64` frames.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::bursts::Burst;
use audiofile::BLOCK;
use audiofile::error::{Error, Result};
use units::Db;

const FRAME_BYTES: usize = 16;

/// A spool being written. The file has no name: it is gone with the process, however that ends.
pub(super) struct SpoolWriter {
    writer: BufWriter<File>,
    output: PathBuf,
    frames: u64,
    bytes: Vec<u8>,
}

/// A complete spool, to be read as often as needed.
pub(super) struct Spool {
    file: File,
    output: PathBuf,
    frames: u64,
}

/// Reads a spool from its start.
pub(super) struct SpoolReader<'a> {
    reader: BufReader<&'a File>,
    output: &'a Path,
    left: u64,
    position: u64,
    /// Turned down to the level of everything else.
    bursts: &'a [Burst],
    bytes: Vec<u8>,
}

impl SpoolWriter {
    /// An empty spool in `folder`; faults are told as those of `output`.
    pub(super) fn create(folder: &Path, output: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(folder).map_err(Error::write(output))?;
        Ok(Self {
            writer: BufWriter::with_capacity(1 << 18, file),
            output: output.into(),
            frames: 0,
            bytes: Vec::new(),
        })
    }

    pub(super) fn push(&mut self, left: &[f64], right: &[f64]) -> Result<()> {
        self.bytes.clear();
        for (l, r) in left.iter().zip(right) {
            self.bytes.extend_from_slice(&l.to_le_bytes());
            self.bytes.extend_from_slice(&r.to_le_bytes());
        }
        self.frames += left.len() as u64;
        self.writer.write_all(&self.bytes).map_err(Error::write(&self.output))
    }

    pub(super) fn finish(self) -> Result<Spool> {
        let file =
            self.writer.into_inner().map_err(|error| Error::write(&self.output)(error.into_error()))?;
        Ok(Spool { file, output: self.output, frames: self.frames })
    }
}

impl Spool {
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// The file whose faults these are.
    pub(super) fn output(&self) -> &Path {
        &self.output
    }

    /// A reader of all frames. One at a time.
    pub(super) fn read(&self) -> Result<SpoolReader<'_>> {
        self.read_without(&[])
    }

    /// As [`Self::read`], with `bursts` turned down to the level of everything else.
    pub(super) fn read_without<'a>(&'a self, bursts: &'a [Burst]) -> Result<SpoolReader<'a>> {
        (&self.file).seek(SeekFrom::Start(0)).map_err(Error::read(&self.output))?;
        Ok(SpoolReader {
            reader: BufReader::with_capacity(1 << 18, &self.file),
            output: &self.output,
            left: self.frames,
            position: 0,
            bursts,
            bytes: vec![0; BLOCK * FRAME_BYTES],
        })
    }
}

impl SpoolReader<'_> {
    /// Reads the next block; 0 at the end.
    pub(super) fn next(&mut self, out: &mut [Vec<f64>; 2]) -> Result<usize> {
        let frames = self.left.min(BLOCK as u64) as usize;
        let bytes = &mut self.bytes[..frames * FRAME_BYTES];
        self.reader.read_exact(bytes).map_err(Error::read(self.output))?;
        out.iter_mut().for_each(Vec::clear);
        for frame in bytes.chunks_exact(FRAME_BYTES) {
            for (side, sample) in out.iter_mut().zip(frame.chunks_exact(8)) {
                side.push(f64::from_le_bytes(sample.try_into().expect("eight bytes")));
            }
        }
        for burst in self.bursts {
            let at = |frame: u64| frame.saturating_sub(self.position).min(frames as u64) as usize;
            let range = at(burst.frames.start)..at(burst.frames.end);
            let gain = (Db(0.0) - burst.over).gain();
            out.iter_mut().for_each(|side| side[range.clone()].iter_mut().for_each(|x| *x *= gain));
        }
        self.left -= frames as u64;
        self.position += frames as u64;
        Ok(frames)
    }
}
