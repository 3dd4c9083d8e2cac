//! A master that was made.

use std::path::PathBuf;

use super::gain::MasterGain;
use crate::measure::Measured;
use meter::Reading;
use units::Dbtp;

/// A master that was made.
#[derive(Clone, Debug)]
pub struct Mastered {
    /// The file written.
    pub path: PathBuf,
    /// The file as read back and measured by both meters.
    pub measured: Measured,
    /// Both meters agree on the file, it is what was rendered, and its ceiling holds.
    pub verified: bool,
    /// The ceiling.
    pub ceiling: Dbtp,
    /// The strict true peak of the file (16x, 96 taps per phase).
    pub strict_peak: Option<Dbtp>,
    /// The gain and its limiting.
    pub gain: MasterGain,
    /// The sum's reading before the level: after the master chain's EQ, compressor and width. As heard: as it enters
    /// the master chain.
    pub before: Reading,
    /// Sentences for the user.
    pub warnings: Vec<String>,
}
