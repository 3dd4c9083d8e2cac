//! Dynamics units: a computer of gains, and the delayed audio that the gains are applied to.

use units::{Db, Samples};

use super::delay::{Delay, RUN};
use super::{Block, GainLog, Key, Process, RecordGain};

/// Computer of the gains of a dynamics unit, per frame and channel.
pub trait GainComputer {
    /// Settings of the unit.
    type Settings;

    /// Takes new settings; see [`Process::set`].
    fn set(&mut self, settings: &Self::Settings);

    /// Delay in samples from the audio or key to the gain that is computed from it.
    fn latency(&self) -> Samples;

    /// Forgets all audio; see [`Process::reset`].
    fn reset(&mut self);

    /// True when every gain is one until new settings come.
    fn is_neutral(&self) -> bool;

    /// Skips `frames` frames of a neutral gain.
    fn skip(&mut self, frames: usize);

    /// Takes the next frames of the audio and of the key, if there is one, and fills `gain` with the linear gains of the
    /// audio [`latency`](Self::latency) samples before. All slices have one length. Returns their largest reduction in
    /// dB, without drive and makeup.
    fn compute(&mut self, audio: [&[f64]; 2], key: Option<Key<'_>>, gain: [&mut [f64]; 2]) -> Db;
}

/// Dynamics unit: gains by `G`, applied to the audio delayed by its latency. Neutral it is a plain delay to the bit.
#[derive(Clone, Debug)]
pub struct DynamicsUnit<G> {
    pub(super) gain: G,
    path: DynamicsPath,
}

impl<G: GainComputer> DynamicsUnit<G> {
    pub(super) fn with_computer(gain: G) -> Self {
        let path = DynamicsPath::new(gain.latency());
        Self { gain, path }
    }

    /// Largest reduction in the last block, in dB, parallel mix counted, drive and makeup not.
    pub fn gain_reduction(&self) -> Db {
        self.path.largest
    }
}

impl<G: GainComputer> Process for DynamicsUnit<G> {
    type Settings = G::Settings;

    fn set(&mut self, settings: &G::Settings) {
        self.gain.set(settings);
    }

    fn latency(&self) -> Samples {
        self.gain.latency()
    }

    fn reset(&mut self) {
        self.gain.reset();
        self.path.reset();
    }

    fn process(&mut self, block: &mut Block<'_>) {
        self.run(block, &mut GainLog::Off);
    }
}

impl<G: GainComputer> RecordGain for DynamicsUnit<G> {
    fn run(&mut self, block: &mut Block<'_>, gain_log: &mut GainLog<'_>) {
        if gain_log.value(|| f64::from(u8::from(self.gain.is_neutral()))) != 0.0 {
            self.gain.skip(block.len());
            self.path.pass(block);
        } else {
            self.path.run(block, gain_log, &mut self.gain);
        }
    }
}

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
struct DynamicsPath {
    stage: GainStage,
    /// Linear gains of the run at work, per channel.
    gains: Box<[[f64; RUN]; 2]>,
    /// Largest reduction of the last block.
    largest: Db,
}

impl DynamicsPath {
    /// Path with the latency of the gain computer that it follows.
    fn new(latency: Samples) -> Self {
        Self { stage: GainStage::new(latency), gains: Box::new([[1.0; RUN]; 2]), largest: Db(0.0) }
    }

    /// Delays `block`: a gain of one.
    fn pass(&mut self, block: &mut Block<'_>) {
        self.largest = Db(0.0);
        let (left, right) = block.channels();
        self.stage.pass([left, right]);
    }

    /// Delays `block` and applies the gains that `computer` makes of the input and its key.
    #[inline]
    fn run(&mut self, block: &mut Block<'_>, gain_log: &mut GainLog<'_>, computer: &mut impl GainComputer) {
        self.largest = Db(0.0);
        let mut at = 0;
        while at < block.len() {
            let frames = RUN.min(block.len() - at);
            let mut part = block.part(at..at + frames);
            let key = part.key();
            let (left, right) = part.channels();
            let [first, second] = &mut *self.gains;
            gain_log.gains([&mut first[..frames], &mut second[..frames]], |gains| {
                self.largest = self.largest.max(computer.compute([left, right], key, gains));
            });
            self.stage.apply([left, right], [first, second]);
            at += frames;
        }
    }

    /// Forgets all audio.
    fn reset(&mut self) {
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
