//! Simulation of a move behind the Master's chain: captured windows of the song run through a chain with the Master's
//! settings, without and with the move.
//!
//! A chain that compresses or limits reacts to a move, so that measured loudness cannot simply be scaled. Windows are
//! captured as they play. The loudest are kept, for they decide integrated loudness; the others are spread over the
//! song. What is between them follows from their levels: [`whole_song`]. Results are labelled *simulated*, with their
//! length.

#[cfg(test)]
mod tests;
pub(super) mod whole_song;

use super::backlog::StereoF32;
use super::excerpt::{StereoAudio, is_silent_at, mix_end, read_frames};
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::{Block, Process};
use link::audio_ring::TapPoint;
use link::identity::InstanceId;
use link::{PeerView, Roster};
use meter::layout::Layout;
use meter::loudness::{HopMeter, hop_frames, integrated};
use plugin_core::session_view::HOP_LENGTH;
use session::range_report::RangeReport;
use session::record::{HopStatus, Recorder, SessionMember, StemId, StemSetting};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use units::{Db, Hz, Lu, Lufs, Ms, Power};
use whole_song::song_loudness;

/// Hops of a window: 2 s.
pub(super) const WINDOW_HOPS: usize = 20;
/// Hops before a window in which the chain settles: 1 s.
const RUN_IN_HOPS: usize = 10;
/// Maximum number of windows.
const MAX_WINDOWS: usize = 24;
/// Minimum number of windows, whatever memory they need.
const MIN_WINDOWS: usize = 4;
/// Time until a device forgets what was before, as a multiple of its release.
const SETTLING_RELEASES: f64 = 3.0;
/// Memory for windows, bytes.
const MAX_WINDOW_BYTES: usize = 128 << 20;

/// Captured audio of one window with its run-in.
#[derive(Debug)]
struct CapturedWindow {
    /// Frames of the run-in: fewer than usual at the start of a song.
    run_in: usize,
    mix: StereoF32,
    /// The stems, summed and nested; `None` of silence.
    stems: Vec<(StemId, StemSetting, Option<StereoF32>)>,
    power: f64,
}

/// Captured windows by number: window `n` begins at hop `n * WINDOW_HOPS` of the timeline.
#[derive(Debug, Default)]
pub(super) struct CapturedWindows {
    windows: BTreeMap<i64, CapturedWindow>,
    /// Pass of the Master's ring and number of the window captured last.
    last: Option<(u64, i64)>,
}

/// Result of a simulation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SimulatedMove {
    /// Loudness change by the chain without the move.
    pub(super) chain: Lu,
    /// Loudness change by the move behind the chain, less the change before it: what the chain makes of the move.
    pub(super) reaction: Lu,
    /// Largest error of the loudness after the move because only windows of the song were simulated.
    pub(super) half_width: Lu,
    /// Length of the simulated audio, seconds.
    pub(super) seconds: f64,
}

fn narrow(audio: &StereoAudio) -> StereoF32 {
    [0, 1].map(|side| audio[side].iter().map(|&x| x as f32).collect())
}

impl CapturedWindows {
    /// Removes all windows.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Captures the newest whole windows, if every hop was heard with the current settings. `delay` returns a stem's
    /// arrival delay, frames.
    pub(super) fn capture(
        &mut self,
        roster: &'static Roster,
        master: PeerView,
        rate: Hz,
        recorder: &Recorder,
        delay: impl Fn(InstanceId) -> i64,
    ) -> Option<()> {
        let hop = hop_frames(rate) as i64;
        let (pass, newest) = mix_end(master)?;
        // the last hop is final once the next has arrived
        let number = (newest - 2 * hop).div_euclid(WINDOW_HOPS as i64 * hop) - 1;
        // a fast render may have passed a window whose audio is still in the rings
        for number in [number - 1, number] {
            let known = self.last.is_some_and(|(of, last)| of == pass && number <= last);
            if !known && self.capture_one(number, (roster, master, rate), recorder, &delay).is_some() {
                self.last = Some((pass, number));
            }
        }
        Some(())
    }

    fn capture_one(
        &mut self,
        number: i64,
        (roster, master, rate): (&'static Roster, PeerView, Hz),
        recorder: &Recorder,
        delay: &impl Fn(InstanceId) -> i64,
    ) -> Option<()> {
        let hop = hop_frames(rate) as i64;
        let (window_frames, run_in) = (WINDOW_HOPS as i64 * hop, RUN_IN_HOPS as i64 * hop);
        let (start, end) = (number * window_frames, (number + 1) * window_frames);
        let placements = number * WINDOW_HOPS as i64..(number + 1) * WINDOW_HOPS as i64;
        if !placements.clone().all(|place| recorder.status(place) == HopStatus::Heard) {
            return None;
        }
        let from = [start - run_in, start].into_iter();
        let found =
            from.map(|from| (from, read_frames(master, TapPoint::Input, from, (end - from) as usize)));
        let (from, mix) = found.filter_map(|(from, mix)| Some((from, mix?))).next()?;
        let frames = (end - from) as usize;
        let mut stems = Vec::new();
        let read = |member: &SessionMember| {
            let id = InstanceId::new(member.id.0)?;
            let (stem, left) = (roster.find(id)?, from - delay(id));
            match read_frames(stem, TapPoint::Output, left, frames) {
                Some(audio) => {
                    let setting = recorder.recorded_setting(member.id, placements.clone())?;
                    Some((member.id, setting, Some(narrow(&audio))))
                }
                None if is_silent_at(stem, left) => Some((member.id, member.setting, None)),
                // audio that the ring has overwritten is not silence: a move would change it
                None => None,
            }
        };
        for member in recorder.members() {
            stems.push(read(member)?);
        }
        // without one inside another, moves of all others can be simulated
        stems.extend(recorder.nested().iter().filter_map(|nested| read(&nested.member)));
        let power = mix.iter().flatten().map(|x| x * x).sum();
        let window = CapturedWindow { run_in: (start - from) as usize, mix: narrow(&mix), stems, power };
        self.windows.insert(number, window);
        let kept = recorder.members().len() + recorder.nested().len() + 1;
        let most = (MAX_WINDOW_BYTES / (8 * frames * kept)).clamp(MIN_WINDOWS, MAX_WINDOWS);
        while self.windows.len() > most {
            self.drop_one();
        }
        Some(())
    }

    /// Removes the least useful window: not of the louder half, and close to its neighbours.
    fn drop_one(&mut self) {
        let mut powers: Vec<f64> = self.windows.values().map(|window| window.power).collect();
        powers.sort_by(f64::total_cmp);
        let middle = powers.get(powers.len() / 2).copied().unwrap_or_default();
        let numbers: Vec<i64> = self.windows.keys().copied().collect();
        let room = |i: usize| {
            let before = i.checked_sub(1).map_or(i64::MIN / 4, |before| numbers[before]);
            numbers.get(i + 1).copied().unwrap_or(i64::MAX / 4) - before
        };
        let quiet = (0..numbers.len()).filter(|&i| self.windows[&numbers[i]].power < middle);
        let least = quiet.min_by_key(|&i| room(i)).or_else(|| (0..numbers.len()).min_by_key(|&i| room(i)));
        if let Some(i) = least {
            self.windows.remove(&numbers[i]);
        }
    }

    /// Windows inside the range of `heard`, each with its first hop in that range.
    fn windows_of(&self, heard: &RangeReport) -> impl Iterator<Item = (usize, &CapturedWindow)> {
        let range = heard.range();
        self.windows.iter().filter_map(move |(number, window)| {
            let first = number * WINDOW_HOPS as i64;
            let is_inside = range.start <= first && first + WINDOW_HOPS as i64 <= range.end;
            is_inside.then(|| ((first - range.start) as usize, window))
        })
    }

    /// Runs the windows, as the stems are set now, through a chain with `settings`; returns them and the limiter's largest
    /// reduction. `None` without windows, or when `stop` is set.
    pub(super) fn pass_all(
        &self,
        heard: &RangeReport,
        (settings, class, rate): (&ChainSettings, LatencyClass, Hz),
        stop: &AtomicBool,
    ) -> Option<(Vec<PassedMix>, Db)> {
        let mut chain = Chain::new(ChainKind::Master, class, rate);
        let unity = vec![1.0; heard.members().len()];
        let (mut windows, mut reduction) = (Vec::new(), Db(0.0));
        for (first, window) in self.windows_of(heard) {
            let Some([mix, _]) = window.mixes(heard, &unity) else { continue };
            if stop.load(Ordering::Acquire) {
                return None;
            }
            windows.push(pass(mix, (first, window.run_in), (&mut chain, settings, rate)));
            reduction = reduction.max(chain.max_limiter_reduction().0);
        }
        Some((windows, reduction)).filter(|(windows, _)| !windows.is_empty())
    }

    /// Runs the windows through a chain with `settings`, without moves and with each source of `heard` multiplied by its
    /// linear gain. `None` without windows or loudness, or when `stop` is set.
    pub(super) fn simulate(
        &self,
        heard: &RangeReport,
        gains: &[f64],
        (settings, class, rate): (&ChainSettings, LatencyClass, Hz),
        stop: &AtomicBool,
    ) -> Option<SimulatedMove> {
        let mut chain = Chain::new(ChainKind::Master, class, rate);
        let mut windows: [Vec<PassedMix>; 2] = Default::default();
        for (first, window) in self.windows_of(heard) {
            let Some(mixes) = window.mixes(heard, gains) else { continue };
            if stop.load(Ordering::Acquire) {
                return None;
            }
            for (windows, mix) in windows.iter_mut().zip(mixes) {
                windows.push(pass(mix, (first, window.run_in), (&mut chain, settings, rate)));
            }
        }
        let seconds = windows[0].len() as f64 * WINDOW_HOPS as f64 * hop_frames(rate) as f64 / rate.0;
        let sources = &heard.fitted_range.sources;
        let into = [sources.powers(&vec![1.0; gains.len()]), sources.powers(gains)];
        let loudness = [integrated(&into[0])?, integrated(&into[1])?];
        let out = [song_loudness(&into[0], &windows[0])?, song_loudness(&into[1], &windows[1])?];
        let [before, after] = [0, 1].map(|n| out[n].loudness - loudness[n]);
        Some(SimulatedMove {
            chain: before,
            reaction: after - before,
            half_width: out[1].half_width,
            seconds,
        })
    }
}

/// Runs the mix of a window through a chain that begins anew; `first`: its first hop in the song; `run_in`: frames that are
/// not measured. Where the chain settles slower than that, neither are the window's first hops; a song begins as the chain
/// does.
pub(super) fn pass(
    mut mix: StereoAudio,
    (first, run_in): (usize, usize),
    (chain, settings, rate): (&mut Chain, &ChainSettings, Hz),
) -> PassedMix {
    let settles = match run_in {
        0 => 0,
        _ => hops_to_settle(settings).saturating_sub(run_in / hop_frames(rate)).min(WINDOW_HOPS / 2),
    };
    let unmeasured = run_in + settles * hop_frames(rate);
    let into = hop_powers(&mix, unmeasured, rate);
    chain.reset();
    chain.set(settings);
    let [left, right] = &mut mix;
    chain.process(&mut Block::new(left, right));
    let out = hop_powers(&mix, unmeasured + chain.latency().0, rate);
    PassedMix { first: first + settles, into, out }
}

/// Hops until a chain with these settings forgets what was before: three times its slowest release.
fn hops_to_settle(settings: &ChainSettings) -> usize {
    let compressor = &settings.compressor;
    let release = |on: bool, release: Ms| if on { release.0 } else { 0.0 };
    let slowest = release(compressor.on, compressor.release)
        .max(release(settings.limiter.on, settings.limiter.release));
    (SETTLING_RELEASES * slowest / HOP_LENGTH.0).ceil() as usize
}

/// Hop powers of a window's mix into the chain and out of it.
#[derive(Debug)]
pub(super) struct PassedMix {
    /// First hop in the song.
    first: usize,
    into: Vec<Power>,
    out: Vec<Power>,
}

impl CapturedWindow {
    /// Returns the mix with current settings and with the moves; `None` if a stem had other settings when captured, or
    /// if one that moves was not captured.
    fn mixes(&self, heard: &RangeReport, gains: &[f64]) -> Option<[StereoAudio; 2]> {
        let widen = |kept: &StereoF32| [0, 1].map(|side| kept[side].iter().map(|&x| f64::from(x)).collect());
        let mut mixes: [StereoAudio; 2] = [widen(&self.mix), widen(&self.mix)];
        for (stem, (member, &gain)) in heard.members().iter().zip(gains).enumerate() {
            let Some((_, setting, audio)) = self.stems.iter().find(|(id, ..)| *id == member.id) else {
                if gain == 1.0 {
                    continue;
                }
                return None;
            };
            let Some(audio) = audio else { continue };
            if setting.revision != member.setting.revision {
                return None;
            }
            let Some(matrix) = heard.fitted_range.fit.mean_gains(stem) else { continue };
            let now = (member.setting.trim - setting.trim).gain();
            for (mix, factor) in mixes.iter_mut().zip([now - 1.0, now * gain - 1.0]) {
                if factor == 0.0 {
                    continue;
                }
                for (to, mix) in mix.iter_mut().enumerate() {
                    let [from_left, from_right] = matrix[to].map(|arrives| factor * arrives);
                    for (mix, (&left, &right)) in mix.iter_mut().zip(audio[0].iter().zip(&audio[1])) {
                        *mix += from_left * f64::from(left) + from_right * f64::from(right);
                    }
                }
            }
        }
        Some(mixes)
    }
}

/// Returns the hop powers after the first `run_in` frames.
pub(super) fn hop_powers(audio: &StereoAudio, run_in: usize, rate: Hz) -> Vec<Power> {
    let mut meter = HopMeter::new(rate, &Layout::stereo());
    let channels = [&audio[0][..], &audio[1][..]];
    // the run-in passes through the filters, too; hops are aligned to its end
    let (mut at, mut before) = (run_in % meter.frames_to_hop(), run_in / meter.frames_to_hop());
    let mut powers = Vec::with_capacity(WINDOW_HOPS);
    while at < audio[0].len() {
        let end = audio[0].len().min(at + meter.frames_to_hop());
        if let Some(power) = meter.process(&channels, at..end) {
            if before == 0 {
                powers.push(power);
            }
            before = before.saturating_sub(1);
        }
        at = end;
    }
    powers
}

/// Loudness out of the Master without and with the move, given those into it.
pub(super) fn loudness_out([before, after]: [Lufs; 2], simulated: &SimulatedMove) -> [Lufs; 2] {
    [before + Db(simulated.chain.0), after + Db(simulated.chain.0 + simulated.reaction.0)]
}
