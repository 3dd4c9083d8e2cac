//! Simulation of a move behind the Master's chain: captured windows of the song run through a chain with the Master's
//! settings, without and with the move.
//!
//! A chain that compresses or limits reacts to a move, so that measured loudness cannot simply be scaled. Windows are
//! captured as they play. The loudest are kept, for they decide integrated loudness; the others are spread over the
//! song. Results are labelled *simulated*, with their length.

use super::backlog::StereoF32;
use super::excerpt::{StereoAudio, is_silent_at, mix_end, read_frames};
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::{Block, Process};
use link::audio_ring::TapPoint;
use link::identity::InstanceId;
use link::{PeerView, Roster};
use meter::layout::Layout;
use meter::loudness::{BLOCK_HOPS, HopMeter, hop_frames, integrated};
use session::range_report::RangeReport;
use session::record::{HopStatus, Recorder, SessionMember, StemId, StemSetting};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use units::{Db, Hz, Lu, Lufs, Power};

/// Hops of a window: 2 s.
pub(super) const WINDOW_HOPS: usize = 20;
/// Hops before a window in which the chain settles: 1 s.
const RUN_IN_HOPS: usize = 10;
/// Maximum number of windows.
const MAX_WINDOWS: usize = 24;
/// Minimum number of windows, whatever memory they need.
const MIN_WINDOWS: usize = 4;
/// Standard deviations of the jackknife to the end of the interval.
const DEVIATIONS: f64 = 3.0;
/// Least share of the song that counts as not covered: the windows' run-in is not the song's.
const MIN_UNCOVERED: f64 = 0.05;
/// Error that the windows' edges and the run-in leave, LU.
const SIMULATION_ERROR: f64 = 0.02;
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
        for window in self.windows.values() {
            let Some([mix, _]) = window.mixes(heard, &unity) else { continue };
            if stop.load(Ordering::Acquire) {
                return None;
            }
            windows.push(pass(mix, window.run_in, (&mut chain, settings, rate)));
            reduction = reduction.max(chain.max_limiter_reduction().0);
        }
        Some((windows, reduction)).filter(|(windows, _)| !windows.is_empty())
    }

    /// Runs the windows through a chain with `settings`, without moves and with each stem of `heard` multiplied by
    /// its linear gain. `None` without windows or loudness, or when `stop` is set.
    pub(super) fn simulate(
        &self,
        heard: &RangeReport,
        gains: &[f64],
        (settings, class, rate): (&ChainSettings, LatencyClass, Hz),
        stop: &AtomicBool,
    ) -> Option<SimulatedMove> {
        let mut chain = Chain::new(ChainKind::Master, class, rate);
        let mut windows = Vec::new();
        for window in self.windows.values() {
            let Some(mixes) = window.mixes(heard, gains) else { continue };
            if stop.load(Ordering::Acquire) {
                return None;
            }
            windows.push(mixes.map(|mix| pass(mix, window.run_in, (&mut chain, settings, rate))));
        }
        let [chain, reaction] = chain_effect(windows.iter())?;
        let covered = (windows.len() * WINDOW_HOPS) as f64 / heard.progress.heard.max(1) as f64;
        let seconds = windows.len() as f64 * WINDOW_HOPS as f64 * hop_frames(rate) as f64 / rate.0;
        Some(SimulatedMove {
            chain,
            reaction,
            half_width: half_width(&windows, [chain, reaction], covered),
            seconds,
        })
    }
}

/// Runs the mix of a window through a chain that begins anew; `run_in`: frames that are not measured.
pub(super) fn pass(
    mut mix: StereoAudio,
    run_in: usize,
    (chain, settings, rate): (&mut Chain, &ChainSettings, Hz),
) -> PassedMix {
    let into = hop_powers(&mix, run_in, rate);
    chain.reset();
    chain.set(settings);
    let [left, right] = &mut mix;
    chain.process(&mut Block::new(left, right));
    PassedMix { into, out: hop_powers(&mix, run_in + chain.latency().0, rate) }
}

/// Hop powers of a window's mix into the chain and out of it.
#[derive(Debug)]
pub(super) struct PassedMix {
    into: Vec<Power>,
    out: Vec<Power>,
}

/// Windows without and with the move.
pub(super) type PassedWindow = [PassedMix; 2];

/// Returns the loudness change by the chain without the move, and what the chain makes of the move; `None` without
/// loudness.
fn chain_effect<'a>(windows: impl Iterator<Item = &'a PassedWindow> + Clone) -> Option<[Lu; 2]> {
    let [before, after] = [0, 1].map(|n| loudness_change(windows.clone().map(move |window| &window[n])));
    Some([before?, after? - before?])
}

/// Returns the loudness change by the chain; `None` without loudness.
pub(super) fn loudness_change<'a>(windows: impl Iterator<Item = &'a PassedMix> + Clone) -> Option<Lu> {
    let loudness = |powers: &dyn Fn(&'a PassedMix) -> &'a Vec<Power>| {
        // NaN hops between windows: no gating block spans two of them
        let gap = [Power(f64::NAN); BLOCK_HOPS];
        let all = windows.clone().flat_map(|window| powers(window).iter().copied().chain(gap));
        integrated(&all.collect::<Vec<Power>>())
    };
    Some(loudness(&|window| &window.out)? - loudness(&|window| &window.into)?)
}

/// Largest error of the loudness after the move, of the sum of `effects`: the jackknife over windows, which play as
/// samples of the song and of which nothing is unknown once they cover it (`covered`: their share of it); of a single
/// window nothing is known.
pub(super) fn half_width(windows: &[PassedWindow], effects: [Lu; 2], covered: f64) -> Lu {
    let all = effects[0].0 + effects[1].0;
    let without = |left_out: usize| {
        let others = windows.iter().enumerate().filter(move |(n, _)| *n != left_out);
        chain_effect(others.map(|(_, window)| window)).map(|[chain, reaction]| chain.0 + reaction.0)
    };
    let count = windows.len() as f64;
    let squares: Option<f64> = (0..windows.len()).map(|n| Some((without(n)? - all).powi(2))).sum();
    match squares {
        Some(squares) if windows.len() > 1 => Lu(DEVIATIONS
            * (squares * (count - 1.0) / count * (1.0 - covered).max(MIN_UNCOVERED)).sqrt()
            + SIMULATION_ERROR),
        _ => Lu(f64::INFINITY),
    }
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
fn hop_powers(audio: &StereoAudio, run_in: usize, rate: Hz) -> Vec<Power> {
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
