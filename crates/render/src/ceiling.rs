//! Ceilings, and the strict true peak that is held to them.

use meter::Reading;
use meter::peak_check::PeakCheck;
use units::{Db, Dbtp};

/// Distance by which the strict true peak may exceed the ceiling.
pub const CEILING_TOLERANCE: Db = Db(0.05);

/// The highest strict peak that keeps to a ceiling, linear.
pub fn peak_limit(ceiling: Dbtp) -> f64 {
    (ceiling + CEILING_TOLERANCE).amplitude()
}

/// The strict true peak of two channels: 16x, 96 taps per phase.
pub(super) struct StrictPeak([PeakCheck; 2]);

impl StrictPeak {
    /// A check at the start of the audio.
    pub(super) fn new() -> Self {
        Self([PeakCheck::new(), PeakCheck::new()])
    }

    /// Takes the next frames, left and right.
    pub(super) fn process(&mut self, sides: [&[f64]; 2]) {
        self.0.iter_mut().zip(sides).for_each(|(check, side)| check.process(side));
    }

    /// The peak after the last frame, linear.
    pub(super) fn finish(self) -> f64 {
        let [mut left, mut right] = self.0;
        left.finish();
        right.finish();
        left.peak().max(right.peak())
    }

    /// As [`Self::finish`], or the true peak of `reading` of the same audio if that is higher: our own meter may read dense noise
    /// higher than the strict one, and no meter is to find the ceiling exceeded.
    pub(super) fn finish_with(self, reading: &Reading) -> f64 {
        self.finish().max(reading.true_peak.map_or(0.0, Dbtp::amplitude))
    }
}
