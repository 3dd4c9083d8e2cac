//! Loudness difference between a chain's input and output, for comparison at equal loudness.

use super::scope::{SCOPE_FRAMES, Scope, ScopePoint};
use meter::k_weighting::KWeighting;
use units::{Db, Hz, Power};

/// Time constant of the average, seconds.
const AVERAGING_SECONDS: f64 = 3.0;
/// Minimum length of sound before there is a result, seconds.
const MIN_SOUND_SECONDS: f64 = 1.0;
/// Power below which a block counts as silence: -70 LUFS, the absolute gate.
const SILENCE_POWER: f64 = 1e-7;

/// Comparison of both points of a [`Scope`], K-weighted and ungated, averaged over about three seconds of sound.
#[derive(Debug, Default)]
pub struct LoudnessMatch {
    rate: f64,
    filters: Vec<[KWeighting; 2]>,
    powers: [f64; 2],
    /// Length of the compared sound, seconds.
    heard: f64,
    seen: u64,
    frames: Vec<[f32; 2]>,
    channel: Vec<f64>,
}

impl LoudnessMatch {
    /// Takes the new frames of `scope`.
    pub fn update(&mut self, scope: &Scope) {
        let Some(Hz(rate)) = scope.rate() else { return };
        if rate != self.rate {
            *self = Self { rate, seen: self.seen, ..Self::default() };
            self.filters = vec![[KWeighting::new(Hz(rate)), KWeighting::new(Hz(rate))]; 2];
        }
        let written = scope.written();
        let fresh = written.wrapping_sub(self.seen).min(SCOPE_FRAMES as u64) as usize;
        self.seen = written;
        if fresh == 0 {
            return;
        }
        let seconds = fresh as f64 / rate;
        let mut now = [0.0; 2];
        for ((point, filters), power) in
            [ScopePoint::Before, ScopePoint::After].into_iter().zip(&mut self.filters).zip(&mut now)
        {
            scope.read_frames(point, fresh, &mut self.frames);
            for (side, filter) in filters.iter_mut().enumerate() {
                self.channel.clear();
                self.channel.extend(self.frames.iter().map(|frame| f64::from(frame[side])));
                *power += filter.add_energy(&self.channel, 0.0) / fresh as f64;
            }
        }
        if now.iter().all(|power| *power > SILENCE_POWER) {
            let share = 1.0 - (-seconds / AVERAGING_SECONDS).exp();
            for (power, now) in self.powers.iter_mut().zip(now) {
                *power += share * (now - *power);
            }
            self.heard += seconds;
        }
    }

    /// Returns the gain that makes the input as loud as the output; `None` before a second of sound.
    pub fn gain(&self) -> Option<Db> {
        let [before, after] = self.powers.map(Power);
        (self.heard >= MIN_SOUND_SECONDS).then_some(Db((after.loudness()? - before.loudness()?).0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Gauges;
    use super::super::scope::ScopeWatch;
    use super::*;
    use std::sync::Arc;
    use testkit::noise;

    /// Plays `seconds` of noise that a chain changes by `gain`, in blocks of 1000.
    fn play(gauges: &Gauges, matching: &mut LoudnessMatch, seconds: usize, level: f64, gain: Db) {
        for block in 0..seconds * 48 {
            let before: Vec<f64> = noise(block as u64 + 1, 1000, level);
            let after: Vec<f64> = before.iter().map(|x| x * gain.gain()).collect();
            gauges.scope().write_frames(ScopePoint::Before, &before, &before);
            gauges.scope().write_frames(ScopePoint::After, &after, &after);
            matching.update(gauges.scope());
        }
    }

    #[test]
    fn the_gain_is_what_the_chain_does_after_a_second_and_silence_changes_nothing() {
        let gauges = Arc::new(Gauges::default());
        gauges.scope().publish_rate(Hz(48_000.0));
        let (_watch, mut matching) = (ScopeWatch::new(Arc::clone(&gauges)), LoudnessMatch::default());
        assert_eq!(matching.gain(), None);
        play(&gauges, &mut matching, 2, 0.25, Db(4.5));
        let found = |matching: &LoudnessMatch| matching.gain().expect("heard").0;
        assert!((found(&matching) - 4.5).abs() < 1e-4, "{}", found(&matching));
        play(&gauges, &mut matching, 2, 0.0, Db(0.0));
        assert!((found(&matching) - 4.5).abs() < 1e-4, "{}", found(&matching));
        // and it follows: after five times its memory, nothing is left of what was
        play(&gauges, &mut matching, 16, 0.25, Db(-3.0));
        assert!((found(&matching) + 3.0).abs() < 0.1, "{}", found(&matching));
    }

    #[test]
    fn low_bass_counts_little_as_loudness_does() {
        let gauges = Arc::new(Gauges::default());
        gauges.scope().publish_rate(Hz(48_000.0));
        let (_watch, mut matching) = (ScopeWatch::new(Arc::clone(&gauges)), LoudnessMatch::default());
        // 20 Hz, as strong as 1 kHz, is taken out by the chain: 3 dB less power, no decibel of loudness
        for block in 0..96 {
            let tone = |hz: f64| {
                move |i: usize| (core::f64::consts::TAU * hz * (block * 1000 + i) as f64 / 48e3).sin()
            };
            let (low, high) = (tone(20.0), tone(1000.0));
            let before: Vec<f64> = (0..1000).map(|i| 0.2 * (low(i) + high(i))).collect();
            let after: Vec<f64> = (0..1000).map(|i| 0.2 * high(i)).collect();
            gauges.scope().write_frames(ScopePoint::Before, &before, &before);
            gauges.scope().write_frames(ScopePoint::After, &after, &after);
            matching.update(gauges.scope());
        }
        let gain = matching.gain().expect("heard").0;
        assert!((-0.3..0.0).contains(&gain), "{gain}");
    }
}
