//! A master that was made.

use std::path::PathBuf;

use super::gain::MasterGain;
use super::remarks::is_heard;
use crate::measure::Measured;
use meter::Reading;
use units::Dbtp;

/// A master before its limiter: 32-bit float, no ceiling held.
#[derive(Clone, Debug)]
pub struct Unlimited {
    /// The file written.
    pub path: PathBuf,
    /// The file as read back and measured by both meters.
    pub measured: Measured,
    /// Both meters agree on the file, and it is what was rendered.
    pub verified: bool,
}

/// A master that was made.
#[derive(Clone, Debug)]
pub struct Mastered {
    /// The file written.
    pub path: PathBuf,
    /// The file as read back and measured by both meters.
    pub measured: Measured,
    /// Both meters agree on the file, it is what was rendered, and its ceiling holds.
    pub verified: bool,
    /// The same before the limiter, where it was asked for.
    pub unlimited: Option<Unlimited>,
    /// The ceiling.
    pub ceiling: Dbtp,
    /// The strict true peak of the file (16x, 96 taps per phase, 512 near the ceiling).
    pub strict_peak: Option<Dbtp>,
    /// The gain and its limiting.
    pub gain: MasterGain,
    /// The sum's reading before the level: after the master chain's EQ, compressor and width. As heard: as it enters
    /// the master chain.
    pub before: Reading,
    /// Faults of the song that do not keep the file from being made: samples silenced, nothing heard. A sentence each.
    pub faults: Vec<String>,
    /// Other sentences for the user.
    pub warnings: Vec<String>,
}

impl Mastered {
    /// True if something can be heard in it.
    pub fn is_heard(&self) -> bool {
        is_heard(&self.before)
    }
}
