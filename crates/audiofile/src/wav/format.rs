//! The `fmt ` chunk: which samples lie in the data chunk.

use std::path::Path;

use crate::error::{EXPORT_AGAIN, Error, Result, ffmpeg};
use crate::info::{SampleFormat, absurd};
use crate::pcm::{Encoding, Kind};
use units::Hz;

pub(super) const PCM: u16 = 1;
pub(super) const FLOAT: u16 = 3;
pub(super) const EXTENSIBLE: u16 = 0xfffe;

/// The rest of a sub-format GUID after its two bytes of format tag (ksmedia.h).
pub(super) const GUID_REST: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
/// The same for ambisonic B-format, whose samples are stored no differently.
const AMBISONIC_REST: [u8; 14] = [0, 0, 0x21, 0x07, 0xd3, 0x11, 0x86, 0x44, 0xc8, 0xc1, 0xca, 0, 0, 0];

/// As much of the chunk as is ever used.
pub(super) const USED: usize = 40;

/// The content of the chunk, checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Format {
    pub(super) channels: usize,
    pub(super) rate: Hz,
    pub(super) format: SampleFormat,
    pub(super) encoding: Encoding,
    pub(super) channel_mask: Option<u32>,
    pub(super) warnings: Vec<String>,
}

impl Format {
    /// Reads the first [`USED`] bytes of the chunk, or all if it is shorter.
    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let short = |what: &str| {
            let fault = format!("its {what} chunk has only {} bytes", bytes.len());
            Error::malformed(path, fault, EXPORT_AGAIN)
        };
        let u16_at = |at: usize| bytes.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
        let u32_at = |at: usize| bytes.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let (Some(tag), Some(channels), Some(rate), Some(align), Some(bits)) =
            (u16_at(0), u16_at(2), u32_at(4), u16_at(12), u16_at(14))
        else {
            return Err(short("format"));
        };
        let mut channel_mask = None;
        let mut valid_bits = bits;
        let tag = if tag == EXTENSIBLE {
            let (Some(valid), Some(mask), Some(tag), Some(rest)) =
                (u16_at(18), u32_at(20), u16_at(24), bytes.get(26..40))
            else {
                return Err(short("extensible format"));
            };
            if rest != GUID_REST && rest != AMBISONIC_REST {
                let fault = format!("audio of the unknown kind {}", hex(&bytes[24..40]));
                return Err(Error::unsupported(path, fault, ffmpeg(path)));
            }
            channel_mask = Some(mask);
            valid_bits = valid;
            tag
        } else {
            tag
        };
        let kind = match tag {
            PCM => Kind::Signed,
            FLOAT => Kind::Float,
            _ => return Err(Error::unsupported(path, name(tag), ffmpeg(path))),
        };
        let (rate, channels) = (Hz(f64::from(rate)), usize::from(channels));
        if let Some(fault) = absurd(channels, rate.0) {
            return Err(Error::malformed(path, fault, EXPORT_AGAIN));
        }
        let bytes_each = usize::from(bits).div_ceil(8);
        let kind = if kind == Kind::Signed && bytes_each == 1 { Kind::Unsigned } else { kind };
        let known = match kind {
            Kind::Float => bits == 32 || bits == 64,
            _ => (1..=32).contains(&bits),
        };
        if !known {
            let float = if kind == Kind::Float { "float" } else { "integer" };
            return Err(Error::unsupported(path, format!("{bits}-bit {float} audio"), ffmpeg(path)));
        }
        let mut warnings = Vec::new();
        let align = usize::from(align);
        if align != channels * bytes_each {
            // 24 bits in four bytes have been written with the bits at either end, and as scaled floats.
            if align != 0 && align.is_multiple_of(channels) && align / channels > bytes_each {
                let fault = format!(
                    "its format chunk gives a {bits}-bit sample {} bytes, and programs differ in what that means",
                    align / channels
                );
                return Err(Error::malformed(path, fault, EXPORT_AGAIN));
            }
            warnings.push(format!(
                "declares {align} bytes for a frame of {}; the latter is taken",
                channels * bytes_each
            ));
        }
        let format = match kind {
            Kind::Float => SampleFormat::Float { bits },
            _ if (1..=bits).contains(&valid_bits) => SampleFormat::Int { bits: valid_bits },
            _ => SampleFormat::Int { bits },
        };
        let encoding = Encoding { kind, bytes: bytes_each, big_endian: false };
        Ok(Self { channels, rate, format, encoding, channel_mask, warnings })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The format of a registered tag (RFC 2361 and mmreg.h), as the subject of a sentence.
fn name(tag: u16) -> String {
    let known = match tag {
        0x0002 => "Microsoft ADPCM",
        0x0006 => "A-law",
        0x0007 => "mu-law",
        0x0011 => "IMA ADPCM",
        0x0014 | 0x0040 | 0x0045 | 0x0064 | 0x0065 => "G.72x ADPCM",
        0x0031 => "GSM 6.10",
        0x0050 => "MPEG layer 1 or 2",
        0x0055 => "MP3",
        0x0092 | 0x2000 => "Dolby AC-3",
        0x00ff | 0x1600..=0x1610 | 0xa106 => "AAC",
        0x0160..=0x0163 => "Windows Media Audio",
        0x0270 => "ATRAC",
        0x566f | 0x674f..=0x6771 => "Ogg Vorbis",
        0x704f => "Opus",
        0xf1ac => "FLAC inside WAV",
        _ => return format!("audio of the unknown format {tag:#06x}"),
    };
    format!("{known} compressed audio")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(tag: u16, channels: u16, rate: u32, align: u16, bits: u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(tag.to_le_bytes());
        bytes.extend(channels.to_le_bytes());
        bytes.extend(rate.to_le_bytes());
        bytes.extend(rate.wrapping_mul(u32::from(align)).to_le_bytes());
        bytes.extend(align.to_le_bytes());
        bytes.extend(bits.to_le_bytes());
        bytes
    }

    fn extensible(tag: u16, valid: u16, mask: u32) -> Vec<u8> {
        let mut bytes = plain(EXTENSIBLE, 2, 48_000, 8, 32);
        bytes.extend(22u16.to_le_bytes());
        bytes.extend(valid.to_le_bytes());
        bytes.extend(mask.to_le_bytes());
        bytes.extend(tag.to_le_bytes());
        bytes.extend(GUID_REST);
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Format> {
        Format::parse(Path::new("a.wav"), bytes)
    }

    fn fault(bytes: &[u8]) -> String {
        parse(bytes).expect_err("is refused").to_string()
    }

    #[test]
    fn plain_integers_and_floats_are_understood() {
        for (tag, bits, format) in [
            (PCM, 16, SampleFormat::Int { bits: 16 }),
            (PCM, 20, SampleFormat::Int { bits: 20 }),
            (PCM, 24, SampleFormat::Int { bits: 24 }),
            (FLOAT, 32, SampleFormat::Float { bits: 32 }),
            (FLOAT, 64, SampleFormat::Float { bits: 64 }),
        ] {
            let bytes = u16::div_ceil(bits, 8);
            let found = parse(&plain(tag, 2, 96_000, 2 * bytes, bits)).expect("is understood");
            assert_eq!(found.format, format);
            assert_eq!(found.rate, Hz(96_000.0));
            assert_eq!(found.encoding.bytes, usize::from(bytes));
            assert_eq!(found.warnings, Vec::<String>::new());
        }
    }

    #[test]
    fn extensible_gives_mask_and_significant_bits() {
        let found = parse(&extensible(PCM, 24, 0x3)).expect("is understood");
        assert_eq!(found.format, SampleFormat::Int { bits: 24 });
        assert_eq!(found.encoding.bytes, 4);
        assert_eq!(found.channel_mask, Some(3));
        let found = parse(&extensible(FLOAT, 32, 0)).expect("is understood");
        assert_eq!(found.format, SampleFormat::Float { bits: 32 });
        let found = parse(&extensible(PCM, 99, 0)).expect("is understood");
        assert_eq!(found.format, SampleFormat::Int { bits: 32 }, "impossible valid bits are ignored");
    }

    #[test]
    fn compressed_formats_are_named() {
        for (tag, name) in [(2, "Microsoft ADPCM"), (7, "mu-law"), (0x11, "IMA ADPCM"), (0x55, "MP3")] {
            let line = fault(&plain(tag, 2, 48_000, 4, 4));
            assert_eq!(
                line,
                format!("a.wav: {name} compressed audio cannot be read; {}", ffmpeg(Path::new("a.wav")))
            );
            assert!(fault(&extensible(tag, 16, 0)).contains(name));
        }
    }

    #[test]
    fn absurd_values_are_refused() {
        assert!(fault(&plain(PCM, 0, 48_000, 0, 16)).contains("no channels"));
        assert!(fault(&plain(PCM, 65_535, 48_000, 0, 16)).contains("65535 channels"));
        assert!(fault(&plain(PCM, 2, 0, 4, 16)).contains("0 Hz"));
        assert!(fault(&plain(PCM, 2, u32::MAX, 1, 16)).contains("4294967295 Hz"));
        assert!(fault(&plain(PCM, 2, 48_000, 16, 64)).contains("64-bit integer"));
        assert!(fault(&plain(PCM, 2, 48_000, 0, 0)).contains("0-bit integer"));
        assert!(fault(&plain(FLOAT, 2, 48_000, 4, 16)).contains("16-bit float"));
        assert!(fault(&plain(PCM, 2, 48_000, 4, 16)[..15]).contains("only 15 bytes"));
        assert!(fault(&extensible(PCM, 16, 0)[..39]).contains("only 39 bytes"));
    }

    #[test]
    fn a_wrong_frame_size_is_a_warning_and_an_ambiguous_one_an_error() {
        let found = parse(&plain(PCM, 2, 48_000, 2, 16)).expect("is understood");
        assert_eq!(found.encoding.bytes, 2);
        assert_eq!(found.warnings.len(), 1);
        assert!(fault(&plain(PCM, 2, 48_000, 8, 24)).contains("gives a 24-bit sample 4 bytes"));
    }
}
