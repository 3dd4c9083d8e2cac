//! Ceilings, and the strict true peak that is held to them.

use crate::long_sinc::LongSinc;
use meter::Reading;
use meter::peak_check::PeakCheck;
use units::{Db, Dbtp};

/// Distance by which the strict true peak may exceed the ceiling.
pub const CEILING_TOLERANCE: Db = Db(0.05);

/// Distance below the ceiling from which a place is read again by the long sinc: content between 0.46 and 0.495 of the rate, which
/// the quick reading lets go, adds less than that.
const NEAR: Db = Db(1.0);

/// The highest strict peak that keeps to a ceiling, linear.
pub fn peak_limit(ceiling: Dbtp) -> f64 {
    (ceiling + CEILING_TOLERANCE).amplitude()
}

/// The strict true peak of two channels: 16x, 96 taps per phase, and near the ceiling 512 taps.
pub(super) struct StrictPeak([PeakCheck; 2], [LongSinc; 2]);

impl StrictPeak {
    /// A check at the start of the audio, which is to keep to `ceiling`.
    pub(super) fn new(ceiling: Dbtp) -> Self {
        let near = (ceiling + -NEAR).amplitude();
        Self([PeakCheck::new(), PeakCheck::new()], [LongSinc::new(near), LongSinc::new(near)])
    }

    /// Takes the next frames, left and right.
    pub(super) fn process(&mut self, sides: [&[f64]; 2]) {
        self.0.iter_mut().zip(sides).for_each(|(check, side)| check.process(side));
        self.1.iter_mut().zip(sides).for_each(|(sinc, side)| sinc.process(side));
    }

    /// The peak after the last frame, linear.
    pub(super) fn finish(self) -> f64 {
        let [mut left, mut right] = self.0;
        left.finish();
        right.finish();
        let near = self.1.map(LongSinc::finish);
        left.peak().max(right.peak()).max(near[0]).max(near[1])
    }

    /// As [`Self::finish`], or the true peak of `reading` of the same audio if that is higher: our own meter may read dense noise
    /// higher than the strict one, and no meter is to find the ceiling exceeded.
    pub(super) fn finish_with(self, reading: &Reading) -> f64 {
        self.finish().max(reading.true_peak.map_or(0.0, Dbtp::amplitude))
    }
}
