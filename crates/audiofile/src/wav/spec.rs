//! Properties of a file to be written.

use std::path::Path;

use super::bext::Bext;
use super::format::{EXTENSIBLE, FLOAT, GUID_REST, PCM};
use super::samples::StoredFormat;
use crate::error::{Error, Result};
use crate::info::absurd;
use units::Hz;

/// Properties of a file to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct WavSpec {
    /// Sampling rate, a whole number of hertz.
    pub rate: Hz,
    /// Channels.
    pub channels: usize,
    /// Sample format.
    pub format: StoredFormat,
    /// The speakers, as in WAVE_FORMAT_EXTENSIBLE.
    ///
    /// The extensible format is written with a mask, or with more than two channels unless a `chna` chunk
    /// says what they are.
    pub channel_mask: Option<u32>,
    /// The broadcast extension; its loudness may be set as late as before the end.
    pub bext: Option<Bext>,
    /// Further chunks.
    pub chunks: Vec<Chunk>,
    /// The form of a file past 4 GiB.
    pub large: LargeForm,
}

/// A chunk of the caller's, such as `axml` or `chna`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Four printable characters.
    pub id: [u8; 4],
    /// Content.
    pub bytes: Vec<u8>,
    /// Its place in the file.
    pub place: Place,
}

/// The place of a chunk in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Between format and audio.
    BeforeData,
    /// Behind the audio.
    AfterData,
}

/// The 64-bit form of a file past 4 GiB. Smaller files are RIFF with the room for it reserved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LargeForm {
    /// EBU Tech 3306.
    #[default]
    Rf64,
    /// BS.2088.
    Bw64,
}

/// Counts of the samples written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Frames in the file.
    pub frames: u64,
    /// Samples beyond the largest integer, stored as that.
    pub saturated: u64,
    /// Samples that were NaN or infinite.
    pub not_finite: u64,
}

impl WavSpec {
    /// A file of `format` with nothing but audio.
    pub fn new(rate: Hz, channels: usize, format: StoredFormat) -> Self {
        Self {
            rate,
            channels,
            format,
            channel_mask: None,
            bext: None,
            chunks: Vec::new(),
            large: LargeForm::default(),
        }
    }

    /// Checks that such a file can be written.
    pub(super) fn check(&self, path: &Path) -> Result<()> {
        let refuse = |fault: String| Err(Error::unwritable(path, fault, "report this as a bug"));
        if let Some(fault) = absurd(self.channels, self.rate.0) {
            return refuse(fault);
        }
        if self.rate.0.fract() != 0.0 {
            return refuse(format!("its rate of {} Hz is not whole", self.rate.0));
        }
        for chunk in &self.chunks {
            if !chunk.id.iter().all(|byte| (b' '..=b'~').contains(byte)) {
                return refuse(format!("its chunk {} has no printable name", chunk.id.escape_ascii()));
            }
            if u32::try_from(chunk.bytes.len()).is_err() {
                return refuse(format!("its {} chunk is too long", chunk.id.escape_ascii()));
            }
        }
        Ok(())
    }

    fn is_extensible(&self) -> bool {
        let described = self.chunks.iter().any(|chunk| chunk.id == *b"chna");
        self.channel_mask.is_some() || self.channels > 2 && !described
    }

    /// The content of the format chunk.
    pub(super) fn format_chunk(&self) -> Vec<u8> {
        let tag = if self.format.is_float() { FLOAT } else { PCM };
        let extensible = self.is_extensible();
        let align = self.channels * self.format.bytes();
        let bytes_per_second = (self.rate.0 * align as f64) as u32; // saturates
        let mut bytes = Vec::with_capacity(40);
        bytes.extend(if extensible { EXTENSIBLE } else { tag }.to_le_bytes());
        bytes.extend((self.channels as u16).to_le_bytes());
        bytes.extend((self.rate.0 as u32).to_le_bytes());
        bytes.extend(bytes_per_second.to_le_bytes());
        bytes.extend((align as u16).to_le_bytes());
        bytes.extend(self.format.bits().to_le_bytes());
        if extensible {
            bytes.extend(22u16.to_le_bytes());
            bytes.extend(self.format.bits().to_le_bytes());
            bytes.extend(self.channel_mask.unwrap_or(0).to_le_bytes());
            bytes.extend(tag.to_le_bytes());
            bytes.extend(GUID_REST);
        } else if self.format.is_float() {
            bytes.extend(0u16.to_le_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(channels: usize, format: StoredFormat) -> WavSpec {
        WavSpec::new(Hz(48_000.0), channels, format)
    }

    fn is_plain(spec: &WavSpec) -> bool {
        spec.format_chunk()[..2] != EXTENSIBLE.to_le_bytes()
    }

    #[test]
    fn extensible_is_written_where_it_is_needed() {
        assert!(is_plain(&spec(2, StoredFormat::Float32)));
        assert!(!is_plain(&spec(3, StoredFormat::Int24)));
        let masked = WavSpec { channel_mask: Some(4), ..spec(1, StoredFormat::Int16) };
        assert!(!is_plain(&masked));
        assert_eq!(masked.format_chunk()[20..24], [4, 0, 0, 0]);
        let mut adm = spec(12, StoredFormat::Int24);
        adm.chunks.push(Chunk { id: *b"chna", bytes: vec![0; 4], place: Place::BeforeData });
        assert!(is_plain(&adm), "chna says what the channels are");
    }

    #[test]
    fn impossible_specs_are_refused() {
        let path = Path::new("a.wav");
        let refused = |spec: WavSpec| spec.check(path).is_err();
        assert!(refused(spec(0, StoredFormat::Int16)));
        assert!(refused(WavSpec { rate: Hz(44_100.5), ..spec(1, StoredFormat::Int16) }));
        assert!(refused(WavSpec { rate: Hz(f64::NAN), ..spec(1, StoredFormat::Int16) }));
        assert!(!refused(spec(2, StoredFormat::Int16)));
        let odd = Chunk { id: *b"ab\nc", bytes: vec![], place: Place::AfterData };
        assert!(refused(WavSpec { chunks: vec![odd], ..spec(1, StoredFormat::Int16) }));
    }
}
