//! The level before the Master's limiter at which the song lands on a loudness, found on the captured windows.

use super::simulation::whole_song::{SongLoudness, song_loudness};
use super::simulation::{PassedMix, WINDOW_HOPS};
use chain::parameters::{PARAMETERS, Value};
use chain::{ChainKind, ChainSettings};
use meter::loudness::hop_frames;
use plugin_core::landing::{Landing, LandingFault, LandingRequest};
use units::{Db, Hz, Ms, Power};

/// Runs of a search at most; each costs all windows once.
const MAX_RUNS: usize = 6;
/// Distance from the loudness, or from the limiting, at which a search ends, dB.
const TOLERANCE: f64 = 0.02;

/// All windows at one level.
struct Landed {
    level: f64,
    /// Loudness of the whole song out of the Master.
    song: SongLoudness,
    /// Largest reduction of the limiter, dB.
    reduction: f64,
    windows: usize,
}

/// Search for a level. `pass` runs all windows of the song through a chain and returns them with the limiter's largest
/// reduction; `None` without windows, or when the thread is to end.
pub(super) struct LandingSearch<'a, P> {
    pub(super) settings: &'a ChainSettings,
    /// Power of every hop of the song into the Master; NaN where it was not heard.
    pub(super) into: &'a [Power],
    pub(super) rate: Hz,
    pub(super) pass: P,
}

impl<P: Fn(&ChainSettings) -> Option<(Vec<PassedMix>, Db)>> LandingSearch<'_, P> {
    /// Returns the level that lands on the requested loudness, or as near below it as the requested limiting allows.
    ///
    /// # Errors
    /// If no window was captured, or the thread is to end.
    pub(super) fn find(&self, request: LandingRequest) -> Result<Landing, LandingFault> {
        let now = self.run(self.settings.level.0)?;
        // behind a limiter the loudness grows by less than the level: steps fall short
        let mut best = self.approach(&now, |at| request.loudness.0 - at.song.loudness.0)?;
        let allowed = request.limiting.0;
        if best.reduction > allowed {
            // where a limiter works, a decibel of level is a decibel of reduction
            best = self.approach(&best, |at| allowed - at.reduction)?;
        }
        let hops = best.windows * WINDOW_HOPS;
        Ok(Landing {
            request,
            from: self.settings.level,
            level: Db(best.level),
            loudness: best.song.loudness,
            half_width: best.song.half_width,
            reduction: Db(best.reduction),
            length: Ms((hops * hop_frames(self.rate)) as f64 / self.rate.0 * 1000.0),
            is_limited: self.settings.limiter.on,
        })
    }

    /// Moves the level by what is `missing`, dB, until nothing is, or the level's range ends.
    fn approach(&self, start: &Landed, missing: impl Fn(&Landed) -> f64) -> Result<Landed, LandingFault> {
        let [least, most] = level_range();
        let mut at = self.run((start.level + missing(start)).clamp(least, most))?;
        for _ in 1..MAX_RUNS {
            let next = (at.level + missing(&at)).clamp(least, most);
            if missing(&at).abs() <= TOLERANCE || next == at.level {
                break;
            }
            at = self.run(next)?;
        }
        Ok(at)
    }

    /// Runs all windows through the chain at another level.
    fn run(&self, level: f64) -> Result<Landed, LandingFault> {
        let settings = ChainSettings { level: Db(level), ..self.settings.clone() };
        let (windows, reduction) = (self.pass)(&settings).ok_or(LandingFault::NothingCaptured)?;
        let song = song_loudness(self.into, &windows).ok_or(LandingFault::NothingCaptured)?;
        Ok(Landed { level, song, reduction: reduction.0, windows: windows.len() })
    }
}

/// Range of the Master's level, dB.
fn level_range() -> [f64; 2] {
    let level = PARAMETERS.for_kind(ChainKind::Master).find(|row| row.id == "level");
    let end = |fraction: f64| match level.map(|row| row.at_fraction(fraction)) {
        Some(Value::Number(Some(end))) => end,
        _ => 0.0,
    };
    [end(0.0), end(1.0)]
}

#[cfg(test)]
mod tests {
    use super::super::excerpt::StereoAudio;
    use super::super::simulation::{hop_powers, pass};
    use super::*;
    use chain::{Chain, LatencyClass};
    use dsp::{Block, Process};
    use meter::Meter;
    use meter::layout::Layout;
    use units::Lufs;

    const RATE: Hz = Hz(48_000.0);
    const SECONDS: usize = 24;

    /// A song whose second half is louder.
    fn song(seed: u64) -> StereoAudio {
        [seed, seed + 1].map(|seed| {
            let frames = SECONDS * 48_000;
            let music = testkit::scaled(testkit::music(seed, RATE.0, frames), 0.5);
            let level = |n: usize| if n < frames / 2 { 0.4 } else { 1.0 };
            music.iter().enumerate().map(|(n, x)| level(n) * x).collect()
        })
    }

    fn loudness(audio: &StereoAudio) -> Lufs {
        let mut meter = Meter::new(RATE, &Layout::stereo());
        meter.process(&[&audio[0], &audio[1]]);
        meter.reading().integrated.expect("sounds")
    }

    /// The whole song out of the chain.
    fn rendered(song: &StereoAudio, settings: &ChainSettings) -> StereoAudio {
        let mut chain = Chain::new(ChainKind::Master, LatencyClass::Lookahead, RATE);
        chain.set(settings);
        let mut out = song.clone();
        let [left, right] = &mut out;
        chain.process(&mut Block::new(left, right));
        out
    }

    /// Windows of 2 s, one of `every`, each after a second of run-in.
    fn pass_windows(song: &StereoAudio, every: usize, settings: &ChainSettings) -> (Vec<PassedMix>, Db) {
        let mut chain = Chain::new(ChainKind::Master, LatencyClass::Lookahead, RATE);
        let (mut windows, mut reduction) = (Vec::new(), Db(0.0));
        for start in (1..SECONDS - 1).step_by(2 * every) {
            let part = [0, 1].map(|side| song[side][(start - 1) * 48_000..(start + 2) * 48_000].to_vec());
            windows.push(pass(part, (10 * start, 48_000), (&mut chain, settings, RATE)));
            reduction = reduction.max(chain.max_limiter_reduction().0);
        }
        (windows, reduction)
    }

    fn search(
        song: &StereoAudio,
        every: usize,
        settings: &ChainSettings,
        request: LandingRequest,
    ) -> Landing {
        let search = LandingSearch {
            settings,
            into: &hop_powers(song, 0, RATE),
            rate: RATE,
            pass: |settings: &ChainSettings| Some(pass_windows(song, every, settings)),
        };
        search.find(request).expect("windows")
    }

    fn settings(limiter: bool) -> ChainSettings {
        let mut settings = ChainSettings { level: Db(-1.0), ..ChainSettings::default() };
        settings.limiter.on = limiter;
        settings.limiter.ceiling = units::Dbtp(-1.0);
        settings
    }

    #[test]
    fn the_song_lands_within_the_interval_of_what_was_promised() {
        for seed in [3, 40, 77] {
            let song = song(seed);
            let (settings, start) = (settings(true), loudness(&song));
            for (by, every) in [(-6.0, 1), (3.0, 1), (7.0, 1), (7.0, 2)] {
                let request = LandingRequest { loudness: start + Db(by), limiting: Db(12.0) };
                let landing = search(&song, every, &settings, request);
                let landed = rendered(&song, &ChainSettings { level: landing.level, ..settings.clone() });
                let off = (loudness(&landed) - landing.loudness).0.abs();
                assert!(landing.is_reached(), "{landing:?}");
                assert!(off < landing.half_width.0, "{seed} {by}: off by {off}, {landing:?}");
                assert!(landing.half_width.0 < 1.0, "{landing:?}");
            }
        }
    }

    #[test]
    fn the_limiting_that_is_allowed_is_not_exceeded() {
        let song = song(5);
        let settings = settings(true);
        for limiting in [0.0, 1.0, 3.0] {
            let request = LandingRequest { loudness: loudness(&song) + Db(11.0), limiting: Db(limiting) };
            let landing = search(&song, 1, &settings, request);
            let far = (landing.reduction.0 - limiting).abs();
            assert!(far < 0.05 && !landing.is_reached(), "{limiting}: {landing:?}");
        }
    }

    #[test]
    fn without_a_limiter_the_level_is_the_difference_and_ends_with_its_range() {
        let song = song(9);
        let start = loudness(&song);
        let at = |by: f64| {
            let request = LandingRequest { loudness: start + Db(by), limiting: Db(0.0) };
            search(&song, 1, &settings(false), request)
        };
        let landing = at(4.5);
        assert!((landing.level.0 - 4.5).abs() < 0.05 && !landing.is_limited, "{landing:?}");
        assert_eq!(at(40.0).level, Db(12.0));
    }
}
