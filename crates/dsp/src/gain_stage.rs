//! Gains applied to delayed audio: what a dynamics unit does once its gain is known.

use units::{Db, Samples};

use super::delay::{Delay, RUN};
use super::{Block, GainLog, Key};

/// Delay of two channels, with a gain per sample.
///
/// Counterpart of a gain computer ([`LimiterGain`](super::limiter::LimiterGain),
/// [`CompressorGain`](super::compressor::CompressorGain)): one gain curve, computed on a sum, may be applied to each of its
/// stems by a stage of its own.
#[derive(Clone, Debug)]
pub struct GainStage {
    delays: [Delay; 2],
}

impl GainStage {
    /// Stage with the latency of the gain computer that it follows.
    pub fn new(latency: Samples) -> Self {
        Self { delays: [Delay::new(latency), Delay::new(latency)] }
    }

    /// Delay in samples.
    pub fn latency(&self) -> Samples {
        self.delays[0].length()
    }

    /// Delays both channels in place and multiplies them by `gain`, linear, one factor per frame and channel.
    #[inline]
    pub fn apply(&mut self, channels: [&mut [f64]; 2], gain: [&[f64]; 2]) {
        for ((delay, samples), gain) in self.delays.iter_mut().zip(channels).zip(gain) {
            delay.scale(samples, gain);
        }
    }

    /// Delays both channels in place.
    #[inline]
    pub fn pass(&mut self, channels: [&mut [f64]; 2]) {
        for (delay, samples) in self.delays.iter_mut().zip(channels) {
            delay.process(samples);
        }
    }

    /// Forgets all audio.
    pub fn reset(&mut self) {
        for delay in &mut self.delays {
            delay.fill(0.0);
        }
    }
}

/// Audio path of a dynamics unit: delay, gains computed in runs of at most [`RUN`] frames or followed from a [`GainLog`],
/// and the largest reduction of the last block.
#[derive(Clone, Debug)]
pub(super) struct DynamicsPath {
    stage: GainStage,
    /// Linear gains of the run at work, per channel.
    gains: Box<[[f64; RUN]; 2]>,
    largest: Db,
}

impl DynamicsPath {
    /// Path with the latency of the gain computer that it follows.
    pub(super) fn new(latency: Samples) -> Self {
        Self { stage: GainStage::new(latency), gains: Box::new([[1.0; RUN]; 2]), largest: Db(0.0) }
    }

    /// Delays `block`: a gain of one.
    pub(super) fn pass(&mut self, block: &mut Block<'_>) {
        self.largest = Db(0.0);
        let (left, right) = block.channels();
        self.stage.pass([left, right]);
    }

    /// Delays `block` and applies the gains that `compute` makes of the input and its key, if there is one; `compute`
    /// returns their largest reduction.
    #[inline]
    pub(super) fn run(
        &mut self,
        block: &mut Block<'_>,
        gain_log: &mut GainLog<'_>,
        mut compute: impl FnMut([&[f64]; 2], Option<Key<'_>>, [&mut [f64]; 2]) -> Db,
    ) {
        self.largest = Db(0.0);
        let mut at = 0;
        while at < block.len() {
            let frames = RUN.min(block.len() - at);
            let mut part = block.part(at..at + frames);
            let key = part.key();
            let (left, right) = part.channels();
            let [first, second] = &mut *self.gains;
            gain_log.gains([&mut first[..frames], &mut second[..frames]], |gains| {
                self.largest = self.largest.max(compute([left, right], key, gains));
            });
            self.stage.apply([left, right], [first, second]);
            at += frames;
        }
    }

    /// Largest reduction of the last block, in dB.
    pub(super) fn largest_reduction(&self) -> Db {
        self.largest
    }

    /// Forgets all audio.
    pub(super) fn reset(&mut self) {
        self.stage.reset();
        self.largest = Db(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_delays_the_audio_and_not_the_gain() {
        let mut stage = GainStage::new(Samples(2));
        let (mut left, mut right) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]);
        stage.apply([&mut left, &mut right], [&[1.0, 1.0, 0.5, 1.0], &[1.0, 1.0, 1.0, 0.5]]);
        assert_eq!((left, right), ([0.0, 0.0, 0.5, 2.0], [0.0, 0.0, 5.0, 3.0]));
    }
}
