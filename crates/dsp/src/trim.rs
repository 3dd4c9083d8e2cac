//! Input trim with polarity, and level: plain gains that glide in decibels.

use super::{Block, Process, Ramp, Smoother, Ticks};
use units::{Db, Hz, Samples};

/// Which channels are inverted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Polarity {
    /// As it came.
    #[default]
    None,
    /// The left channel inverted.
    Left,
    /// The right channel inverted.
    Right,
    /// Both channels inverted.
    Both,
}

/// Settings of [`Trim`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrimSettings {
    /// Gain, any finite value.
    pub gain: Db,
    /// Inverted channels.
    pub polarity: Polarity,
}

/// A gain for both channels and a polarity switch for each.
///
/// Changes of gain glide over 20 ms, straight in decibels at control ticks and straight in amplitude between
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
    /// A neutral trim for audio at `rate`.
    pub fn new(rate: Hz) -> Self {
        let glide = |value| Smoother::new(value, Smoother::TIME, rate);
        Self {
            ticks: Ticks::default(),
            gain: glide(0.0),
            signs: [glide(1.0), glide(1.0)],
            gains: [Ramp::new(1.0); 2],
            fresh: true,
        }
    }

    fn goal(&self) -> [f64; 2] {
        let gain = Db(self.gain.value()).gain();
        [self.signs[0].value() * gain, self.signs[1].value() * gain]
    }

    fn rest(&mut self) {
        self.gains = self.goal().map(Ramp::new);
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
        for (glide, target) in [&mut self.gain, left, right].into_iter().zip(targets) {
            if self.fresh { glide.set_now(target) } else { glide.aim(target) }
        }
        if self.fresh {
            self.rest();
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
        for glide in [&mut self.gain, left, right] {
            glide.set_now(glide.target());
        }
        self.rest();
    }

    fn process(&mut self, block: &mut Block<'_>) {
        self.fresh = false;
        let frames = block.len();
        let [left, right] = &self.signs;
        let landed = [&self.gain, left, right].into_iter().all(Smoother::is_settled);
        if landed && self.gains.iter().all(|gain| gain.is_settled_at(1.0)) {
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
                let goals = self.goal();
                for (gain, goal) in self.gains.iter_mut().zip(goals) {
                    gain.tick(goal);
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
