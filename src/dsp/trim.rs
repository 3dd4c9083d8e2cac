//! Input trim with polarity, and level: plain gains that glide in decibels.

use super::{Block, Glide, Process, Ticks};
use crate::units::{Db, Hz, Samples};

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
    gain: Glide,
    signs: [Glide; 2],
    /// Linear gain per channel at the last frame processed.
    current: [f64; 2],
    /// Linear gain per channel at the next tick.
    next: [f64; 2],
    /// Frames done since the last tick.
    since_tick: usize,
    fresh: bool,
}

impl Trim {
    /// A neutral trim for audio at `rate`.
    pub fn new(rate: Hz) -> Self {
        let glide = |value| Glide::new(value, Glide::TIME, rate);
        Self {
            ticks: Ticks::default(),
            gain: glide(0.0),
            signs: [glide(1.0), glide(1.0)],
            current: [1.0; 2],
            next: [1.0; 2],
            since_tick: 0,
            fresh: true,
        }
    }

    fn goal(&self) -> [f64; 2] {
        let gain = Db(self.gain.value()).gain();
        [self.signs[0].value() * gain, self.signs[1].value() * gain]
    }

    fn rest(&mut self) {
        self.current = self.goal();
        self.next = self.current;
    }

    fn resting(&self) -> bool {
        self.gain.landed() && self.signs.iter().all(Glide::landed) && self.current == self.next
    }

    /// True when output equals input to the bit: nothing to do, nothing on its way.
    pub fn is_neutral(&self) -> bool {
        self.resting() && self.current == [1.0; 2]
    }

    /// The linear gain per channel that the last frame had.
    pub fn current(&self) -> [f64; 2] {
        self.current
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
            if self.fresh { glide.snap(target) } else { glide.aim(target) }
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
        self.since_tick = 0;
        self.fresh = true;
        let [left, right] = &mut self.signs;
        for glide in [&mut self.gain, left, right] {
            glide.snap(glide.target());
        }
        self.rest();
    }

    fn process(&mut self, block: &mut Block<'_>) {
        self.fresh = false;
        let frames = block.len();
        let mut at = 0;
        while at < frames {
            let step = self.ticks.next(frames - at);
            if step.tick {
                self.current = self.next;
                self.since_tick = 0;
                self.gain.tick();
                for sign in &mut self.signs {
                    sign.tick();
                }
                self.next = self.goal();
            }
            let mut part = block.part(at..at + step.frames);
            let (left, right) = part.channels();
            for (samples, (from, to)) in
                [left, right].into_iter().zip(self.current.into_iter().zip(self.next))
            {
                if from != to {
                    for (i, sample) in samples.iter_mut().enumerate() {
                        let way = (self.since_tick + i + 1) as f64 / super::CONTROL_INTERVAL as f64;
                        *sample *= from + (to - from) * way;
                    }
                } else if from != 1.0 {
                    for sample in samples.iter_mut() {
                        *sample *= from;
                    }
                }
            }
            self.since_tick += step.frames;
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
