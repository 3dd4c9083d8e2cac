//! Order of the units in a chain.

use super::ChainKind;

/// Unit of a [`Chain`](super::Chain).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChainUnit {
    /// Replaces non-finite samples by zero.
    Sanitize,
    /// Input gain and polarity.
    InputTrim,
    /// Delay against other stems.
    Align,
    /// High-pass at 5 Hz.
    DcFilter,
    /// Noise reduction, in class Linear & Denoise.
    Denoise,
    /// Static bands of the equalizer without phase shift, in class Linear & Denoise.
    LinearEqualizer,
    /// All other bands of the equalizer.
    Equalizer,
    /// Compressor.
    Compressor,
    /// Saturator and clipper, from class Lookahead on.
    Saturator,
    /// Stereo width.
    Width,
    /// True-peak limiter, from class Lookahead on.
    Limiter,
    /// Output level.
    Level,
    /// Rounding to the grid of an integer file.
    Dither,
}

impl ChainUnit {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sanitize => "sanitize",
            Self::InputTrim => "trim",
            Self::Align => "align",
            Self::DcFilter => "DC filter",
            Self::Denoise => "denoise",
            Self::LinearEqualizer => "linear-phase EQ",
            Self::Equalizer => "EQ",
            Self::Compressor => "compressor",
            Self::Saturator => "saturator",
            Self::Width => "width",
            Self::Limiter => "limiter",
            Self::Level => "level",
            Self::Dither => "dither",
        }
    }
}

/// Level last: a trim that the Master asks for is an exact gain of the Stem's output.
const STEM_PATH: [ChainUnit; 12] = [
    ChainUnit::Sanitize,
    ChainUnit::InputTrim,
    ChainUnit::Align,
    ChainUnit::DcFilter,
    ChainUnit::Denoise,
    ChainUnit::LinearEqualizer,
    ChainUnit::Equalizer,
    ChainUnit::Compressor,
    ChainUnit::Saturator,
    ChainUnit::Width,
    ChainUnit::Limiter,
    ChainUnit::Level,
];

/// Nothing but dither after the limiter: nothing may raise the peak again.
const MASTER_PATH: [ChainUnit; 13] = [
    ChainUnit::Sanitize,
    ChainUnit::InputTrim,
    ChainUnit::Align,
    ChainUnit::DcFilter,
    ChainUnit::Denoise,
    ChainUnit::LinearEqualizer,
    ChainUnit::Equalizer,
    ChainUnit::Compressor,
    ChainUnit::Saturator,
    ChainUnit::Width,
    ChainUnit::Level,
    ChainUnit::Limiter,
    ChainUnit::Dither,
];

impl ChainKind {
    /// Units of a chain of this kind, in the order in which audio passes them.
    pub fn path(self) -> &'static [ChainUnit] {
        match self {
            Self::Stem => &STEM_PATH,
            Self::Master => &MASTER_PATH,
        }
    }
}
