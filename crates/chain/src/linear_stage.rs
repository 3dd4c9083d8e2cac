//! Units that only the class Linear & Denoise has: noise reduction and the equalizer without phase shift.

use dsp::delay::Delay;
use dsp::denoise::{Denoise, DenoiseSettings, NoisePrint};
use dsp::equalizer::{EqualizerSettings, LinearEqualizer};
use dsp::{Block, GainLog, Key, Process, RecordGain, boxed};
use units::{Hz, Ms, Samples};

use super::MAX_PART;

/// Noise reduction, then the static bands of the equalizer; the sidechain is delayed by their latency.
pub(super) struct LinearStage {
    denoise: Box<Denoise>,
    linear: Box<LinearEqualizer>,
    key: KeyDelay,
    removed: [Vec<f64>; 2],
}

impl LinearStage {
    pub(super) fn new(rate: Hz) -> Self {
        let denoise = boxed(|| Denoise::new(rate));
        let linear = boxed(|| LinearEqualizer::new(rate));
        let key = KeyDelay::new(denoise.latency() + linear.latency());
        Self { denoise, linear, key, removed: [vec![0.0; MAX_PART], vec![0.0; MAX_PART]] }
    }

    pub(super) fn latency(&self) -> Samples {
        self.denoise.latency() + self.linear.latency()
    }

    /// Latency of [`Self::removed`].
    pub(super) fn removed_latency(&self) -> Samples {
        self.denoise.latency()
    }

    /// Takes its part of the settings; returns the bands that are left to the minimum-phase equalizer.
    pub(super) fn set(
        &mut self,
        denoise: &DenoiseSettings,
        equalizer: &EqualizerSettings,
    ) -> EqualizerSettings {
        self.denoise.set(denoise);
        let [linear, rest] = LinearEqualizer::split(equalizer);
        self.linear.set(&linear);
        rest
    }

    pub(super) fn reset(&mut self) {
        self.denoise.reset();
        self.linear.reset();
        self.key.reset();
    }

    /// Reduces the noise of a block of at most [`MAX_PART`] frames; `keep_removed`: see [`Self::removed`].
    pub(super) fn denoise(&mut self, block: &mut Block<'_>, keep_removed: bool, gain_log: &mut GainLog<'_>) {
        let frames = block.len();
        if keep_removed {
            let [left, right] = &mut self.removed;
            self.denoise.process_split(block, [&mut left[..frames], &mut right[..frames]], gain_log);
        } else {
            self.denoise.run(block, gain_log);
        }
    }

    /// Runs the static bands on a block of at most [`MAX_PART`] frames, and delays its key.
    pub(super) fn equalize(&mut self, block: &mut Block<'_>) {
        self.linear.process(block);
        self.key.process(block.key());
    }

    /// Key of the last block, of `frames` frames, delayed as the audio; `None` if there was none.
    pub(super) fn key(&self, frames: usize) -> Option<Key<'_>> {
        self.key.delayed(frames)
    }

    /// Noise that was taken out of the last block, if it was to be kept.
    pub(super) fn removed(&self) -> &[Vec<f64>; 2] {
        &self.removed
    }

    pub(super) fn set_learning(&mut self, on: bool) {
        self.denoise.set_learning(on);
    }

    pub(super) fn learned_print(&self) -> Option<NoisePrint> {
        self.denoise.learned_print()
    }

    pub(super) fn learned_duration(&self) -> Ms {
        self.denoise.learned_duration()
    }

    pub(super) fn noise_print(&self) -> &NoisePrint {
        self.denoise.noise_print()
    }
}

/// Delay of a sidechain.
struct KeyDelay {
    delays: [Delay; 2],
    /// Delayed key of the last block.
    delayed: [Vec<f64>; 2],
    /// True if the last block had a key.
    connected: bool,
}

impl KeyDelay {
    fn new(latency: Samples) -> Self {
        Self {
            delays: [Delay::new(latency), Delay::new(latency)],
            delayed: [vec![0.0; MAX_PART], vec![0.0; MAX_PART]],
            connected: false,
        }
    }

    fn reset(&mut self) {
        self.delays.iter_mut().for_each(|delay| delay.fill(0.0));
        self.connected = false;
    }

    fn process(&mut self, key: Option<Key<'_>>) {
        let Some(key) = key else {
            if self.connected {
                self.reset();
            }
            return;
        };
        self.connected = true;
        for ((delayed, delay), samples) in
            self.delayed.iter_mut().zip(&mut self.delays).zip([key.left, key.right])
        {
            let delayed = &mut delayed[..samples.len()];
            delayed.copy_from_slice(samples);
            delay.process(delayed);
        }
    }

    fn delayed(&self, frames: usize) -> Option<Key<'_>> {
        let [left, right] = &self.delayed;
        self.connected.then(|| Key { left: &left[..frames], right: &right[..frames] })
    }
}
