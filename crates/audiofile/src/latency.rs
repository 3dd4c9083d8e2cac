//! Compensation of latency in streams.

use units::Samples;

/// Output of a processor that comes before the first frame of its input, and is left out.
pub struct LatencySkip {
    frames: usize,
}

impl LatencySkip {
    /// A processor of `latency` at its start.
    pub fn new(latency: Samples) -> Self {
        Self { frames: latency.0 }
    }

    /// Takes the next `frames` frames of output: returns how many of them, the first ones, are left out.
    pub fn advance(&mut self, frames: usize) -> usize {
        let skip = self.frames.min(frames);
        self.frames -= skip;
        skip
    }

    /// Frames still to be left out.
    pub fn remaining(&self) -> usize {
        self.frames
    }
}
