//! Output protection: what leaves a chain is finite.

use dsp::{Block, Smoother};
use units::Hz;

/// Mutes a faulty output and fades back in over 20 ms.
pub(super) struct OutputProtection {
    rise_per_frame: f64,
    /// Linear, 0 to 1.
    gain: f64,
    faults: u64,
}

impl OutputProtection {
    pub(super) fn new(rate: Hz) -> Self {
        let frames = Smoother::TIME.samples(rate).0.max(1) as f64;
        Self { rise_per_frame: 1.0 / frames, gain: 1.0, faults: 0 }
    }

    /// Faults since reset.
    pub(super) fn faults(&self) -> u64 {
        self.faults
    }

    pub(super) fn reset(&mut self) {
        self.gain = 1.0;
        self.faults = 0;
    }

    /// Counts a fault and mutes `block`; the following blocks fade in.
    pub(super) fn mute(&mut self, block: &mut Block<'_>) {
        let (left, right) = block.channels();
        left.fill(0.0);
        right.fill(0.0);
        self.gain = 0.0;
        self.faults += 1;
    }

    /// Fades `block` in after a fault.
    pub(super) fn process(&mut self, block: &mut Block<'_>) {
        if self.gain == 1.0 {
            return;
        }
        let (left, right) = block.channels();
        for (l, r) in left.iter_mut().zip(right) {
            *l *= self.gain;
            *r *= self.gain;
            self.gain = (self.gain + self.rise_per_frame).min(1.0);
        }
    }
}
