//! Readings as programs get them: the same names wherever a reading appears.

use serde::{Deserialize, Serialize};

use meter::Reading;

/// A reading; a value that does not exist is `null`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct ReadingJson {
    /// Integrated loudness, LUFS.
    pub integrated_lufs: Option<f64>,
    /// Loudness range, LU.
    pub loudness_range_lu: Option<f64>,
    /// Highest momentary loudness, LUFS.
    pub momentary_max_lufs: Option<f64>,
    /// Highest short-term loudness, LUFS.
    pub short_term_max_lufs: Option<f64>,
    /// True peak, dBTP.
    pub true_peak_dbtp: Option<f64>,
    /// Sample peak, dBFS.
    pub sample_peak_dbfs: Option<f64>,
    /// Peak to loudness ratio, LU.
    pub plr_lu: Option<f64>,
}

/// The names of a reading's values where they are columns.
pub const COLUMNS: [&str; 7] = [
    "integrated_lufs",
    "loudness_range_lu",
    "momentary_max_lufs",
    "short_term_max_lufs",
    "true_peak_dbtp",
    "sample_peak_dbfs",
    "plr_lu",
];

impl ReadingJson {
    /// The values under [`COLUMNS`].
    pub fn columns(&self) -> [Option<f64>; 7] {
        [
            self.integrated_lufs,
            self.loudness_range_lu,
            self.momentary_max_lufs,
            self.short_term_max_lufs,
            self.true_peak_dbtp,
            self.sample_peak_dbfs,
            self.plr_lu,
        ]
    }
}

impl From<&Reading> for ReadingJson {
    fn from(reading: &Reading) -> Self {
        Self {
            integrated_lufs: reading.integrated.map(|v| v.0),
            loudness_range_lu: reading.range.map(|v| v.0),
            momentary_max_lufs: reading.momentary_max.map(|v| v.0),
            short_term_max_lufs: reading.short_term_max.map(|v| v.0),
            true_peak_dbtp: reading.true_peak.map(|v| v.0),
            sample_peak_dbfs: reading.sample_peak.map(|v| v.0),
            plr_lu: reading.plr().map(|v| v.0),
        }
    }
}
