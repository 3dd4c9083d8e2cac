//! Gain with polarity: input trim and output level of a chain.

use super::{Block, Process, Ramp, Smoother, Ticks};
use units::{Db, Hz, Samples};

/// Inverted channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Polarity {
    /// None.
    #[default]
    None,
    /// Left channel.
    Left,
    /// Right channel.
    Right,
    /// Both channels.
    Both,
}

/// Settings of [`Trim`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrimSettings {
    /// Gain, any finite value in dB.
    pub gain: Db,
    /// Inverted channels.
    pub polarity: Polarity,
}

/// Gain of both channels, with a polarity switch for each.
///
/// Changes of gain take 20 ms, straight in decibels at control ticks and straight in amplitude between
/// them; a polarity change passes through zero in the same time. Latency: none. Neutral at 0 dB, no inversion.
pub struct Trim {
    ticks: Ticks,
    gain: Smoother,
    signs: [Smoother; 2],
    /// Linear gain per channel.
    gains: [Ramp; 2],
    fresh: bool,
}

impl Trim {
    /// Neutral trim for audio at `rate`.
    pub fn new(rate: Hz) -> Self {
        let smoother = |value| Smoother::new(value, Smoother::TIME, rate);
        Self {
            ticks: Ticks::default(),
            gain: smoother(0.0),
            signs: [smoother(1.0), smoother(1.0)],
            gains: [Ramp::new(1.0); 2],
            fresh: true,
        }
    }

    fn target_gains(&self) -> [f64; 2] {
        let gain = Db(self.gain.value()).gain();
        [self.signs[0].value() * gain, self.signs[1].value() * gain]
    }

    fn set_now(&mut self) {
        self.gains = self.target_gains().map(Ramp::new);
    }
}

impl Process for Trim {
    type Settings = TrimSettings;

    fn set(&mut self, settings: &TrimSettings) {
        let sign = |inverted| if inverted { -1.0 } else { 1.0 };
        let signs = [
            sign(matches!(settings.polarity, Polarity::Left | Polarity::Both)),
            sign(matches!(settings.polarity, Polarity::Right | Polarity::Both)),
        ];
        let targets = [settings.gain.0, signs[0], signs[1]];
        let [left, right] = &mut self.signs;
        for (smoother, target) in [&mut self.gain, left, right].into_iter().zip(targets) {
            if self.fresh { smoother.set_now(target) } else { smoother.set_target(target) }
        }
        if self.fresh {
            self.set_now();
        }
        self.fresh = false;
    }

    fn latency(&self) -> Samples {
        Samples(0)
    }

    fn reset(&mut self) {
        self.ticks.reset();
        self.fresh = true;
        let [left, right] = &mut self.signs;
        for smoother in [&mut self.gain, left, right] {
            smoother.set_now(smoother.target());
        }
        self.set_now();
    }

    fn process(&mut self, block: &mut Block<'_>) {
        self.fresh = false;
        let frames = block.len();
        let [left, right] = &self.signs;
        let settled = [&self.gain, left, right].into_iter().all(Smoother::is_settled);
        if settled && self.gains.iter().all(|gain| gain.is_settled_at(1.0)) {
            self.ticks.skip(frames);
            return;
        }
        let mut at = 0;
        while at < frames {
            let step = self.ticks.next(frames - at);
            if step.tick {
                self.gain.tick();
                for sign in &mut self.signs {
                    sign.tick();
                }
                let targets = self.target_gains();
                for (gain, target) in self.gains.iter_mut().zip(targets) {
                    gain.tick(target);
                }
            }
            let mut part = block.part(at..at + step.frames);
            let (left, right) = part.channels();
            for (samples, gain) in [left, right].into_iter().zip(&mut self.gains) {
                if !gain.is_settled_at(1.0) {
                    for (i, sample) in samples.iter_mut().enumerate() {
                        *sample *= gain.at(i);
                    }
                }
                gain.advance(step.frames);
            }
            at += step.frames;
        }
    }
}
