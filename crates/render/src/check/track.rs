//! A file as a line of samples that may be read anywhere: mapped to channels, shifted, silent outside.

use super::subject::Subject;
use crate::clean::is_audio;
use audiofile::AudioReader;
use audiofile::error::Result;
use core::ops::Range;
use std::path::Path;

/// An open file with random access; samples that are no audio count as silence.
pub(crate) struct SampleTrack {
    reader: AudioReader,
    frames: u64,
    /// The frame the reader stands at.
    position: u64,
    planes: Vec<Vec<f64>>,
    channels: usize,
    /// Frames that count as silence.
    muted: Vec<Range<u64>>,
}

impl SampleTrack {
    /// Opens a file to be read as `channels` channels: mono feeds every channel at unity, stereo becomes mono as the
    /// mean of both sides.
    pub(crate) fn open(path: &Path, channels: usize) -> Result<Self> {
        let reader = AudioReader::open(path)?;
        let (frames, own) = (reader.info().frames, reader.info().channels);
        Ok(Self { reader, frames, position: 0, planes: vec![Vec::new(); own], channels, muted: Vec::new() })
    }

    /// As [`Self::open`], the file of `subject` without its isolated bursts.
    pub(super) fn without_bursts(subject: &Subject, channels: usize) -> Result<Self> {
        let muted = subject.measured.bursts.iter().map(|burst| burst.frames.clone()).collect();
        Ok(Self { muted, ..Self::open(&subject.path, channels)? })
    }

    /// Makes the isolated bursts of `other` silent too, which is `delay` frames later than this.
    pub(super) fn mute_bursts_of(&mut self, other: &Subject, delay: i64) {
        let earlier = |frame: u64| (frame as i64 - delay).max(0) as u64;
        let bursts = other.measured.bursts.iter();
        self.muted.extend(bursts.map(|burst| earlier(burst.frames.start)..earlier(burst.frames.end)));
    }

    /// True if audio of `own` channels can be read as `channels`.
    pub(crate) fn maps(own: usize, channels: usize) -> bool {
        own == channels || own.max(channels) == 2
    }

    /// The channel in which what is in channel `own` of the file is read.
    pub(crate) fn mapped(&self, own: usize) -> usize {
        own.min(self.channels - 1)
    }

    /// Reads the frames from `start` on, which may be negative, into `audio`: one plane for each channel.
    pub(crate) fn read(&mut self, start: i64, frames: usize, audio: &mut [Vec<f64>]) -> Result<()> {
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
            let clean = |x: &f64| if is_audio(*x) { *x } else { 0.0 };
            match &self.planes[..] {
                [left, right] if self.channels == 1 => {
                    plane.extend(left.iter().zip(right).map(|(l, r)| 0.5 * (clean(l) + clean(r))));
                }
                planes => plane.extend(planes[channel.min(planes.len() - 1)][..count].iter().map(clean)),
            }
            plane.resize(frames, 0.0);
            for range in &self.muted {
                let at = |frame: u64| (frame as i64 - start).clamp(0, frames as i64) as usize;
                plane[at(range.start)..at(range.end)].fill(0.0);
            }
        }
        Ok(())
    }

    /// The frames from `start` on of one channel.
    pub(crate) fn window(&mut self, start: i64, frames: usize, channel: usize) -> Result<Vec<f64>> {
        let mut audio = vec![Vec::new(); self.channels];
        self.read(start, frames, &mut audio)?;
        Ok(audio.swap_remove(channel))
    }
}
