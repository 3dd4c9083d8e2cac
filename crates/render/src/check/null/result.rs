//! The result of a null test.

use units::decibels;

/// -90 dBFS: a residual below this is not heard.
pub(super) const INAUDIBLE: f64 = 3.162_277_660_168_379_4e-5;

/// The verdict of a null test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullVerdict {
    /// No more is left than rounding and dither of the files.
    Pass,
    /// More than that, but not above -90 dBFS.
    Inaudible,
    /// The stems are not the mix.
    Audible,
}

impl NullVerdict {
    /// Its name.
    pub fn id(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inaudible => "inaudible",
            Self::Audible => "audible",
        }
    }
}

/// A stem found in the mix a second time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Again {
    /// Samples after the first time; negative is before.
    pub delay: i64,
    /// Its level over the stem's, dB.
    pub gain_db: f64,
    /// True if its polarity is inverted.
    pub inverted: bool,
}

/// A stem as it is in the mix, by best fit.
#[derive(Clone, Debug, PartialEq)]
pub struct StemFit {
    /// The stem's name.
    pub name: String,
    /// Its level in the mix over its own, dB; `None` if it is missing or silent.
    pub gain_db: Option<f64>,
    /// True if its polarity is inverted in the mix.
    pub inverted: bool,
    /// Samples that it arrives later in the mix; negative is earlier.
    pub delay: i64,
    /// True if it sounds but is not in the mix.
    pub missing: bool,
    /// The second time that it is in the mix.
    pub again: Option<Again>,
}

/// The result of a null test. Levels are of the mix less the sum of the stems at unity, over the part that all files
/// have, unless said otherwise; `None` is digital silence.
#[derive(Clone, Debug, PartialEq)]
pub struct NullTest {
    /// Sample peak of what is left, dBFS.
    pub residual_peak_dbfs: Option<f64>,
    /// RMS of what is left, dBFS.
    pub residual_rms_dbfs: Option<f64>,
    /// The most that rounding and dither of the files may leave: 1.5 LSB of each stem and of the mix.
    pub pass_dbfs: f64,
    /// The verdict.
    pub verdict: NullVerdict,
    /// Time of the peak, seconds; `None` if nothing is left.
    pub worst_time_s: Option<f64>,
    /// The stem that most of what is left there belongs to, where it is one.
    pub worst_stem: Option<String>,
    /// Frames compared, from the start.
    pub frames: u64,
    /// Every stem in the mix; at unity without a search where the verdict is not [`NullVerdict::Audible`].
    pub stems: Vec<StemFit>,
    /// The part of the mix's power that the stems account for at the gains and delays found, 0 to 1.
    pub coverage: f64,
    /// Sample peak of what would be left at the gains and delays found, dBFS.
    pub corrected_peak_dbfs: Option<f64>,
    /// RMS of what would be left at the gains and delays found, dBFS.
    pub corrected_rms_dbfs: Option<f64>,
    /// The cause of that, where it is heard.
    pub cause: Option<String>,
}

/// A linear amplitude in dBFS; below -200 dBFS, where only the arithmetic is heard, nothing.
pub(super) fn level(amplitude: f64) -> Option<f64> {
    (amplitude > 1e-10).then(|| decibels(amplitude))
}
