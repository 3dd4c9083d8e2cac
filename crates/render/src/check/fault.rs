//! The checks, and a finding of one.

/// A requirement that a bundle is checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// Every file can be read to its end.
    Readable,
    /// Every file holds audio.
    Empty,
    /// One sampling rate.
    Rate,
    /// A sampling rate of 44.1 kHz or more.
    LowRate,
    /// A sampling rate that programs and distributors know.
    OddRate,
    /// One sample format.
    Format,
    /// 24 bits or float.
    BitDepth,
    /// Mono or stereo throughout.
    Channels,
    /// One length.
    Length,
    /// One time stamp.
    StartTime,
    /// File names that say number and name.
    Label,
    /// Plain characters in file names.
    FileName,
    /// One file that is called the mix.
    MixFile,
    /// Finite samples.
    NonFinite,
    /// No samples far beyond full scale.
    Implausible,
    /// No isolated bursts.
    Burst,
    /// No silent stems.
    Silent,
    /// No clipping.
    Clipping,
    /// No peaks cut off flat below full scale.
    FlatTop,
    /// No float samples over full scale.
    OverFullScale,
    /// No true peaks over full scale.
    TruePeak,
    /// No constant offset.
    DcOffset,
    /// Left and right in one polarity.
    SidePolarity,
    /// Something in both sides of a stereo stem.
    DeadSide,
    /// Two sides in a stereo stem.
    EqualSides,
    /// No click track.
    ClickTrack,
    /// No stem that is the sum of others.
    Sum,
    /// No stem twice.
    Duplicate,
    /// Stems in time with each other and with the mix.
    Alignment,
    /// Stems at the speed of the mix.
    Drift,
    /// Stems in polarity with each other and with the mix.
    Polarity,
    /// Stems at the level of the mix.
    Gain,
    /// All stems are in the mix.
    Missing,
    /// No stem is in the mix twice.
    Doubled,
    /// All of the mix is in the stems, as it is in the mix.
    Unaccounted,
    /// The sum of the stems is the mix.
    Null,
}

impl Check {
    /// All checks, in the order in which their findings are listed.
    pub const ALL: [Self; 36] = [
        Self::Readable,
        Self::Empty,
        Self::Rate,
        Self::LowRate,
        Self::OddRate,
        Self::Format,
        Self::BitDepth,
        Self::Channels,
        Self::Length,
        Self::StartTime,
        Self::Label,
        Self::FileName,
        Self::MixFile,
        Self::NonFinite,
        Self::Implausible,
        Self::Burst,
        Self::Silent,
        Self::Clipping,
        Self::FlatTop,
        Self::OverFullScale,
        Self::TruePeak,
        Self::DcOffset,
        Self::SidePolarity,
        Self::DeadSide,
        Self::EqualSides,
        Self::ClickTrack,
        Self::Sum,
        Self::Duplicate,
        Self::Alignment,
        Self::Drift,
        Self::Polarity,
        Self::Gain,
        Self::Missing,
        Self::Doubled,
        Self::Unaccounted,
        Self::Null,
    ];

    /// Its permanent name.
    pub fn id(self) -> &'static str {
        match self {
            Self::Readable => "readable",
            Self::Empty => "empty",
            Self::Rate => "rate",
            Self::LowRate => "low-rate",
            Self::OddRate => "odd-rate",
            Self::Format => "format",
            Self::BitDepth => "bit-depth",
            Self::Channels => "channels",
            Self::Length => "length",
            Self::StartTime => "start-time",
            Self::Label => "label",
            Self::FileName => "file-name",
            Self::MixFile => "mix-file",
            Self::NonFinite => "non-finite",
            Self::Implausible => "implausible",
            Self::Burst => "burst",
            Self::Silent => "silent",
            Self::Clipping => "clipping",
            Self::FlatTop => "flat-top",
            Self::OverFullScale => "over-full-scale",
            Self::TruePeak => "true-peak",
            Self::DcOffset => "dc-offset",
            Self::SidePolarity => "side-polarity",
            Self::DeadSide => "dead-side",
            Self::EqualSides => "equal-sides",
            Self::ClickTrack => "click-track",
            Self::Sum => "sum",
            Self::Duplicate => "duplicate",
            Self::Alignment => "alignment",
            Self::Drift => "drift",
            Self::Polarity => "polarity",
            Self::Gain => "gain",
            Self::Missing => "missing",
            Self::Doubled => "doubled",
            Self::Unaccounted => "unaccounted",
            Self::Null => "null",
        }
    }

    /// The requirement as a sentence.
    pub fn description(self) -> &'static str {
        match self {
            Self::Readable => "Every file can be read from its first to its last frame.",
            Self::Empty => "Every file holds at least one frame of audio.",
            Self::Rate => "All files have one sampling rate.",
            Self::LowRate => "The sampling rate is 44.1 kHz or more.",
            Self::OddRate => "The sampling rate is one that programs and distributors know.",
            Self::Format => "All stems have one sample format.",
            Self::BitDepth => "Stems are 24-bit or float.",
            Self::Channels => "Stems are all stereo, or all mono.",
            Self::Length => "All files have one length.",
            Self::StartTime => "All broadcast extensions give one start time.",
            Self::Label => "Stems are called as 01_Drums_Stem.wav is.",
            Self::FileName => "File names are made of plain ASCII characters.",
            Self::MixFile => "At most one file of the folder is called the mix.",
            Self::NonFinite => "All samples are finite numbers.",
            Self::Implausible => "No sample lies beyond +24 dBFS.",
            Self::Burst => "Nothing shorter than 10 ms is 20 dB louder than everything else.",
            Self::Silent => "Every stem is heard.",
            Self::Clipping => "No three samples in a row stand at full scale.",
            Self::FlatTop => "No peaks are cut off flat below full scale.",
            Self::OverFullScale => "Samples of float files stay within 0 dBFS.",
            Self::TruePeak => "True peaks stay within 0 dBTP.",
            Self::DcOffset => "The constant offset of every channel is below -60 dBFS.",
            Self::SidePolarity => "Left and right have one polarity.",
            Self::DeadSide => "Both sides of a stereo stem are heard.",
            Self::EqualSides => "The sides of a stereo stem differ.",
            Self::ClickTrack => "No stem is a click track.",
            Self::Sum => "No stem is the sum of others.",
            Self::Duplicate => "No stem is a copy of another.",
            Self::Alignment => "Every stem is in time with the mix and with the other stems, to the sample.",
            Self::Drift => "Every stem runs at the speed of the mix.",
            Self::Polarity => "Every stem has the polarity that it has in the mix.",
            Self::Gain => "Every stem has the level that it has in the mix.",
            Self::Missing => "Every stem is in the mix.",
            Self::Doubled => "Every stem is in the mix once.",
            Self::Unaccounted => "All that is in the mix is in the stems, processed alike.",
            Self::Null => "The mix less the sum of the stems is no more than rounding and dither.",
        }
    }
}

/// Severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// To be put right.
    Fault,
    /// Worth knowing; the bundle can be used as it is.
    Advice,
}

impl Severity {
    /// Its name.
    pub fn id(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Advice => "advice",
        }
    }
}

/// One finding. Its line is `file: fault; cure`.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The requirement that is not met.
    pub check: Check,
    /// Its severity.
    pub severity: Severity,
    /// Name of the file (or, for what all files share, of the folder) as it may be shown.
    pub file: String,
    /// The fault.
    pub fault: String,
    /// The remedy.
    pub cure: String,
}

impl Fault {
    pub(super) fn new(check: Check, file: &str, fault: impl Into<String>, cure: impl Into<String>) -> Self {
        let (fault, cure) = (fault.into(), cure.into());
        Self { check, severity: Severity::Fault, file: file.to_owned(), fault, cure }
    }

    pub(super) fn advice(self) -> Self {
        Self { severity: Severity::Advice, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_kebab_case_and_unlike_and_descriptions_are_sentences() {
        let ids: std::collections::BTreeSet<&str> = Check::ALL.iter().map(|check| check.id()).collect();
        assert_eq!(ids.len(), Check::ALL.len());
        assert!(ids.iter().all(|id| id.chars().all(|c| c.is_ascii_lowercase() || c == '-')));
        assert!(Check::ALL.iter().all(|check| check.description().ends_with('.')));
    }
}
