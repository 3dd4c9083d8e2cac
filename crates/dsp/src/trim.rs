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

#[cfg(test)]
mod tests {
    use super::super::contract::{Stereo, obeys_contract};
    use super::*;

    fn gain(gain: f64, polarity: Polarity) -> TrimSettings {
        TrimSettings { gain: Db(gain), polarity }
    }

    #[test]
    fn obeys() {
        let busy = [gain(-6.0, Polarity::Left), gain(12.0, Polarity::None), gain(0.0, Polarity::Both)];
        obeys_contract(|| Trim::new(Hz(48_000.0)), &TrimSettings::default(), &busy);
    }

    #[test]
    fn a_gain_multiplies_and_polarity_inverts_one_side() {
        let mut trim = Trim::new(Hz(48_000.0));
        trim.set(&gain(-6.0, Polarity::Right));
        let mut signal = Stereo::noise(3, 100, 1.0);
        let input = signal.clone();
        signal.run(&mut trim, 0..100);
        let factor = Db(-6.0).gain();
        for i in 0..100 {
            assert_eq!(signal.left[i], input.left[i] * factor);
            assert_eq!(signal.right[i], input.right[i] * -factor);
        }
    }

    #[test]
    fn a_change_arrives_in_twenty_milliseconds_without_a_step() {
        let rate = Hz(48_000.0);
        let mut trim = Trim::new(rate);
        trim.set(&gain(0.0, Polarity::None));
        let mut signal = Stereo { left: vec![1.0; 2000], right: vec![1.0; 2000] };
        signal.run(&mut trim, 0..100);
        trim.set(&gain(-12.0, Polarity::None));
        signal.run(&mut trim, 100..2000);
        let largest = signal.left.windows(2).fold(0.0f64, |m, w| m.max((w[1] - w[0]).abs()));
        assert!(largest < 2e-3, "{largest}");
        assert_eq!(signal.left[100 + 960 + 64], Db(-12.0).gain());
    }
}
