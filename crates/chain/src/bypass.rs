//! Bypass that keeps the latency.

use dsp::delay::Delay;
use dsp::{Block, Ramp, Smoother, Ticks};
use units::{Hz, Samples};

use super::MAX_PART;

/// Crossfade of 20 ms between the output of the units and the input, delayed by the chain's latency.
pub(super) struct BypassCrossfade {
    ticks: Ticks,
    wet: Smoother,
    /// Weight of the processed signal, 0 to 1.
    weight: Ramp,
    delays: [Delay; 2],
    /// Delayed input of the last part; the first `frames` are valid.
    dry: [Vec<f64>; 2],
    frames: usize,
    fresh: bool,
}

impl BypassCrossfade {
    pub(super) fn new(rate: Hz, latency: Samples) -> Self {
        Self {
            ticks: Ticks::default(),
            wet: Smoother::new(1.0, Smoother::TIME, rate),
            weight: Ramp::new(1.0),
            delays: [Delay::new(latency), Delay::new(latency)],
            dry: [vec![0.0; MAX_PART], vec![0.0; MAX_PART]],
            frames: 0,
            fresh: true,
        }
    }

    /// Starts the crossfade; the first call after `reset` takes effect at once.
    pub(super) fn set(&mut self, bypass: bool) {
        let target = if bypass { 0.0 } else { 1.0 };
        if self.fresh {
            self.wet.set_now(target);
            self.weight = Ramp::new(target);
        } else {
            self.wet.set_target(target);
        }
        self.fresh = false;
    }

    /// Latency that the input is delayed by.
    pub(super) fn latency(&self) -> Samples {
        self.delays[0].length()
    }

    /// Input of the last part, delayed; valid up to the part's length.
    pub(super) fn dry(&self) -> &[Vec<f64>; 2] {
        &self.dry
    }

    /// Frames of the last part.
    pub(super) fn frames(&self) -> usize {
        self.frames
    }

    pub(super) fn reset(&mut self) {
        self.ticks.reset();
        self.wet.set_now(self.wet.target());
        self.weight = Ramp::new(self.wet.value());
        self.delays.iter_mut().for_each(|delay| delay.fill(0.0));
        self.fresh = true;
    }

    /// Delays a copy of the input, of at most [`MAX_PART`] frames, by the latency.
    pub(super) fn keep_dry(&mut self, block: &mut Block<'_>) {
        let frames = block.len();
        self.frames = frames;
        let (left, right) = block.channels();
        for ((dry, delay), samples) in self.dry.iter_mut().zip(&mut self.delays).zip([left, right]) {
            dry[..frames].copy_from_slice(samples);
            delay.process(&mut dry[..frames]);
        }
    }

    /// Mixes `block`, the output of the units, with the delayed input in place.
    pub(super) fn process(&mut self, block: &mut Block<'_>) {
        self.fresh = false;
        let mut at = 0;
        while at < block.len() {
            let step = self.ticks.next(block.len() - at);
            if step.tick {
                self.weight.tick(self.wet.tick());
            }
            if !self.weight.is_settled_at(1.0) {
                let dry_only = self.weight.is_settled_at(0.0);
                let mut part = block.part(at..at + step.frames);
                let (left, right) = part.channels();
                for (samples, dry) in [left, right].into_iter().zip(&self.dry) {
                    for (i, (wet, &dry)) in samples.iter_mut().zip(&dry[at..]).enumerate() {
                        *wet = if dry_only { dry } else { dry + self.weight.at(i) * (*wet - dry) };
                    }
                }
            }
            self.weight.advance(step.frames);
            at += step.frames;
        }
    }
}
