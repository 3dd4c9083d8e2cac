//! A file as a line of samples that may be read anywhere: mapped to channels, shifted, silent outside.

use audiofile::AudioReader;
use audiofile::error::Result;
use std::path::Path;

/// An open file with random access; non-finite samples count as silence.
pub(super) struct SampleTrack {
    reader: AudioReader,
    frames: u64,
    /// The frame the reader stands at.
    position: u64,
    planes: Vec<Vec<f64>>,
    channels: usize,
}

impl SampleTrack {
    /// Opens a file to be read as `channels` channels: mono feeds every channel at unity, stereo becomes mono as the
    /// mean of both sides.
    pub(super) fn open(path: &Path, channels: usize) -> Result<Self> {
        let reader = AudioReader::open(path)?;
        let (frames, own) = (reader.info().frames, reader.info().channels);
        Ok(Self { reader, frames, position: 0, planes: vec![Vec::new(); own], channels })
    }

    /// True if audio of `own` channels can be read as `channels`.
    pub(super) fn maps(own: usize, channels: usize) -> bool {
        own == channels || own.max(channels) == 2
    }

    /// The channel in which what is in channel `own` of the file is read.
    pub(super) fn mapped(&self, own: usize) -> usize {
        own.min(self.channels - 1)
    }

    /// Reads the frames from `start` on, which may be negative, into `audio`: one plane for each channel.
    pub(super) fn read(&mut self, start: i64, frames: usize, audio: &mut [Vec<f64>]) -> Result<()> {
        let before = usize::try_from(-start).unwrap_or(0).min(frames);
        let first = start.max(0) as u64;
        let count =
            (frames - before).min(usize::try_from(self.frames.saturating_sub(first)).unwrap_or(usize::MAX));
        let count = if count == 0 {
            self.planes.iter_mut().for_each(Vec::clear);
            0
        } else {
            if self.position != first {
                self.reader.seek(first)?;
            }
            let count = self.reader.read_planar(&mut self.planes, count)?;
            self.position = first + count as u64;
            count
        };
        for (channel, plane) in audio.iter_mut().enumerate() {
            plane.clear();
            plane.resize(before, 0.0);
            let clean = |x: &f64| if x.is_finite() { *x } else { 0.0 };
            match &self.planes[..] {
                [left, right] if self.channels == 1 => {
                    plane.extend(left.iter().zip(right).map(|(l, r)| 0.5 * (clean(l) + clean(r))));
                }
                planes => plane.extend(planes[channel.min(planes.len() - 1)][..count].iter().map(clean)),
            }
            plane.resize(frames, 0.0);
        }
        Ok(())
    }

    /// The frames from `start` on of one channel.
    pub(super) fn window(&mut self, start: i64, frames: usize, channel: usize) -> Result<Vec<f64>> {
        let mut audio = vec![Vec::new(); self.channels];
        self.read(start, frames, &mut audio)?;
        Ok(audio.swap_remove(channel))
    }
}
