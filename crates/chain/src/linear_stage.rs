//! What only the class Linear & Denoise has: noise reduction and the equalizer without phase shift, ahead of the other units.

use super::PART;
use dsp::delay::Delay;
use dsp::denoise::{Denoise, DenoiseSettings, NoisePrint};
use dsp::equalizer::{EqualizerSettings, LinearEqualizer};
use dsp::{Block, GainLog, Key, Process, RecordGain};
use units::{Hz, Ms, Samples};

/// Noise reduction, then the static bands, with the sidechain delayed by as much, so that it stays in step.
pub(super) struct LinearStage {
    denoise: Denoise,
    linear: LinearEqualizer,
    key: KeyDelay,
    removed: [Vec<f64>; 2],
}

impl LinearStage {
    pub(super) fn new(rate: Hz) -> Self {
        let (denoise, linear) = (Denoise::new(rate), LinearEqualizer::new(rate));
        let key = KeyDelay::new(denoise.latency() + linear.latency());
        Self { denoise, linear, key, removed: [vec![0.0; PART], vec![0.0; PART]] }
    }

    pub(super) fn latency(&self) -> Samples {
        self.denoise.latency() + self.linear.latency()
    }

    /// The latency at which what is removed comes out.
    pub(super) fn removed_latency(&self) -> Samples {
        self.denoise.latency()
    }

    /// Takes its part of the settings; returns the bands that are left for the equalizer after it.
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

    /// Processes a block of at most [`PART`] frames; returns the key as late as the audio now is.
    pub(super) fn run(
        &mut self,
        block: &mut Block<'_>,
        keep_removed: bool,
        gain_log: &mut GainLog<'_>,
    ) -> Option<Key<'_>> {
        let frames = block.len();
        if keep_removed {
            let [left, right] = &mut self.removed;
            self.denoise.split(block, [&mut left[..frames], &mut right[..frames]], gain_log);
        } else {
            self.denoise.run(block, gain_log);
        }
        self.linear.process(block);
        self.key.process(block.key())
    }

    /// What the denoiser took out of the last block, if it was kept.
    pub(super) fn removed(&self) -> &[Vec<f64>; 2] {
        &self.removed
    }

    pub(super) fn learn(&mut self, on: bool) {
        self.denoise.learn(on);
    }

    pub(super) fn learned(&self) -> Option<NoisePrint> {
        self.denoise.learned()
    }

    pub(super) fn learned_from(&self) -> Ms {
        self.denoise.learned_from()
    }

    pub(super) fn noise(&self) -> &NoisePrint {
        self.denoise.noise()
    }
}

/// Delays a sidechain.
struct KeyDelay {
    delays: [Delay; 2],
    kept: [Vec<f64>; 2],
    connected: bool,
}

impl KeyDelay {
    fn new(latency: Samples) -> Self {
        Self {
            delays: [Delay::new(latency), Delay::new(latency)],
            kept: [vec![0.0; PART], vec![0.0; PART]],
            connected: false,
        }
    }

    fn reset(&mut self) {
        self.delays.iter_mut().for_each(|delay| delay.fill(0.0));
        self.connected = false;
    }

    fn process(&mut self, key: Option<Key<'_>>) -> Option<Key<'_>> {
        let Some(key) = key else {
            if self.connected {
                self.reset();
            }
            return None;
        };
        self.connected = true;
        let frames = key.left.len();
        for ((kept, delay), samples) in self.kept.iter_mut().zip(&mut self.delays).zip([key.left, key.right])
        {
            kept[..frames].copy_from_slice(samples);
            delay.process(&mut kept[..frames]);
        }
        Some(Key { left: &self.kept[0][..frames], right: &self.kept[1][..frames] })
    }
}
