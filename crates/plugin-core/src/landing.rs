//! Landing a song on a loudness by the level before the Master's limiter.

use units::{Db, Lu, Lufs, Ms};

/// Wish for a loudness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LandingRequest {
    /// Integrated loudness that the song should have out of the Master.
    pub loudness: Lufs,
    /// Reduction that the limiter may reach for it, dB, at least 0.
    pub limiting: Db,
}

/// Level that fulfils a request, or comes as near as the limiting allows: an estimate from windows of the song.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Landing {
    /// The request.
    pub request: LandingRequest,
    /// Level for which it was estimated.
    pub from: Db,
    /// Level that lands.
    pub level: Db,
    /// Integrated loudness out of the Master at that level.
    pub loudness: Lufs,
    /// Largest error of the loudness; infinite if only one window was heard.
    pub half_width: Lu,
    /// Largest reduction of the limiter in the windows.
    pub reduction: Db,
    /// Length of the windows.
    pub length: Ms,
    /// False if the limiter is off: nothing holds the peaks.
    pub is_limited: bool,
}

impl Landing {
    /// Distance below the requested loudness that counts as landed, LU.
    const LANDED: f64 = 0.05;

    /// Returns true if the level reaches the requested loudness.
    pub fn is_reached(&self) -> bool {
        (self.loudness.0 - self.request.loudness.0).abs() <= Self::LANDED
    }
}

/// Reason for which there is no landing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LandingFault {
    /// Nothing was heard yet.
    NothingHeard,
    /// No window was captured with the present settings.
    NothingCaptured,
}

impl LandingFault {
    /// Returns the reason and its remedy.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NothingHeard => "Nothing was heard yet: play the song.",
            Self::NothingCaptured => "No passage was heard with the settings of now: play the song again.",
        }
    }
}
