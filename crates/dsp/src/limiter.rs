//! True-peak limiter.
//!
//! The gain, per channel, in decibels of reduction until the last step:
//!
//! 1. *Overshoot* of the true peak around each sample over the ceiling (ITU-R BS.1770-5, Annex 2, on a finer grid; see
//!    `overshoot.rs`): the static curve of a limiter, infinite ratio, hard knee (Giannoulis, Massberg & Reiss, "Digital
//!    Dynamic Range Compressor Design", JAES 60(6), 2012, eq. 4 with W = 0 and R = infinity).
//! 2. *Link* draws the smaller reduction of the two channels towards the larger.
//! 3. *Hold*: the largest overshoot of the lookahead, by a sliding maximum (van Herk, 1992; Gil & Werman, 1993; see
//!    `sliding_max.rs`). From here on the reduction is as large as any sample inside the lookahead needs.
//! 4. *Release* in two stages with instant attack, each the one-pole release of a decoupled peak detector (Giannoulis et al.,
//!    eq. 17, first line): a fast one for transients, above a slow one that charges only while reduction is wanted. The slow
//!    stage sees the largest overshoot of the last 16 ms, so that it stands still under a steady tone: the bass is not
//!    distorted. It decides at control ticks (every 32 samples) where to be at the next.
//! 5. *Two moving averages* in a row, together as long as the lookahead: a smooth way down that has arrived when
//!    the peak does. An average of values that each suffice also suffices, so nothing is clipped.
//!
//! Hold, exponential release and stacked moving averages in this order are described by Luff, "Designing a straightforward
//! limiter", Signalsmith Audio, 2022. The second stage of release, the decibels and the link are our own.
//!
//! A changing gain is itself a modulation, with products between the samples that no gain per sample can prevent; a margin of
//! 0.02 dB is for them.

mod overshoot;
pub mod parts;
mod reduction;

use super::decibels::factors;
use super::delay::{Delay, RUN};
use super::detector::linked;
use super::gain_stage::{DynamicsUnit, GainComputer};
use super::oversample::{Interpolator, TAPS};
use super::{Key, Ramp, Smoother, Ticks, largest, within};
use overshoot::OvershootDetector;
use reduction::{Frames, NO_FRAMES, Reduction};
use simd::{Isa, Kernel, Simd};
use units::{Db, Dbtp, Hz, Ms, Samples};

/// Settings of [`Limiter`].
#[derive(Clone, Debug, PartialEq)]
pub struct LimiterSettings {
    /// Limits at all; off is a plain delay.
    pub on: bool,
    /// Gain before the limiter, 0 to 24 dB.
    pub drive: Db,
    /// The largest true peak, -12 to 0 dBTP.
    pub ceiling: Dbtp,
    /// Time in which the gain goes down ahead of a peak, from 0.1 ms (but at least ten samples) to what the
    /// latency leaves, see [`Limiter::longest_lookahead`].
    pub lookahead: Ms,
    /// Time constant of the release after sustained reduction, 10 to 1000 ms; transients are over in an eighth.
    pub release: Ms,
    /// Share of the difference in reduction between the channels that is taken away, 0 to 1.
    pub link: f64,
}

impl Default for LimiterSettings {
    fn default() -> Self {
        Self {
            on: false,
            drive: Db(0.0),
            ceiling: Dbtp(-1.0),
            lookahead: Ms(1.5),
            release: Ms(200.0),
            link: 0.75,
        }
    }
}

/// Distance of the aim below the ceiling.
const MARGIN: Db = Db(0.02);

/// The fewest samples the gain takes on its way down: steeper, and what the modulation adds between the samples
/// exceeds the margin (0.08 dB with five samples, 0.01 dB with ten).
const MIN_LOOKAHEAD: usize = 10;

/// The slow stage follows the largest reduction wanted in this time: half a period of 31 Hz.
const SUSTAIN_TIME: Ms = Ms(16.0);

/// Time constant with which the slow stage charges.
const CHARGE_TIME: Ms = Ms(60.0);

/// The release of the fast stage, as a share of the setting.
const FAST_SHARE: f64 = 1.0 / 8.0;

/// The crossfade from one lookahead to another.
const FADE: Ms = Smoother::TIME;

/// Work of a [`LimiterGain`], as of the last control tick or change of settings: its only notion of rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Off and settled: every factor is one until new settings come.
    Neutral,
    /// Off, settings on their way: every factor is one until the next tick.
    Off,
    /// On or fading, settings or the drive's delay on their way: computed from tick to tick.
    Moving,
    /// On and settled: until new settings come ticks move nothing but the reduction.
    Settled,
}

impl State {
    /// True when there is a gain to compute.
    fn is_active(self) -> bool {
        matches!(self, Self::Moving | Self::Settled)
    }
}

/// The gain of a [`Limiter`], without the audio it is applied to.
///
/// Takes audio and returns the factor per sample and channel for the same audio after a delay of [`LimiterGain::latency`]
/// samples, drive and on/off included.
#[derive(Clone, Debug)]
pub struct LimiterGain {
    isa: Isa,
    rate: Hz,
    latency: usize,
    /// Samples of lookahead that the latency leaves.
    longest: usize,
    interpolator: Box<Interpolator>,
    detectors: [OvershootDetector; 2],
    reduction: Reduction,
    /// Reductions of the frames at work, in dB.
    reductions: Box<Frames>,
    ticks: Ticks,
    on: Smoother,
    drive_db: Smoother,
    ceiling_db: Smoother,
    link: Smoother,
    /// 0: a plain delay, 1: limits.
    amount: Ramp,
    /// Linear; applied before detection, and to the audio a latency later.
    drive: Ramp,
    drives: Delay,
    /// The drive that leaves `drives` once it has been constant for a latency; then nothing passes there.
    late_drive: f64,
    /// Frames until then.
    drive_moves: usize,
    ceiling: f64,
    /// Lookahead in samples: in use, and wanted.
    lookahead: usize,
    wanted_lookahead: usize,
    /// Frames left of the fade from the old lookahead to the new.
    fade_left: usize,
    fade: usize,
    state: State,
    fresh: bool,
    frame: u64,
    max_reduction: f64,
    max_reduction_at: u64,
}

impl LimiterGain {
    /// Gain for audio at `rate`; see [`Limiter::new`].
    pub fn new(rate: Hz, max_lookahead: Ms) -> Self {
        let latency = max_lookahead.samples(rate).0.max(TAPS / 2 + MIN_LOOKAHEAD);
        let longest = latency - TAPS / 2;
        let settings = LimiterSettings::default();
        let smoother = |value| Smoother::new(value, Smoother::TIME, rate);
        let mut gain = Self {
            isa: Isa::widest(),
            rate,
            latency,
            longest,
            interpolator: Box::new(Interpolator::new()),
            detectors: [OvershootDetector::new(), OvershootDetector::new()],
            reduction: Reduction::new(longest, rate),
            reductions: Box::new(NO_FRAMES),
            ticks: Ticks::default(),
            on: smoother(0.0),
            drive_db: smoother(0.0),
            ceiling_db: smoother(0.0),
            link: smoother(0.0),
            amount: Ramp::new(0.0),
            drive: Ramp::new(1.0),
            drives: Delay::new(Samples(latency)),
            late_drive: 1.0,
            drive_moves: 0,
            ceiling: 1.0,
            lookahead: 1,
            wanted_lookahead: 1,
            fade_left: 0,
            fade: FADE.samples(rate).0.max(1),
            state: State::Neutral,
            fresh: true,
            frame: 0,
            max_reduction: 0.0,
            max_reduction_at: 0,
        };
        gain.set(&settings);
        gain.reset();
        gain
    }

    /// Sets every ramp to its target and forgets all audio.
    fn restart(&mut self) {
        self.amount = Ramp::new(self.on.value());
        self.drive = Ramp::new(Db(self.drive_db.value()).gain());
        self.ceiling = self.aimed_ceiling();
        self.state = State::Neutral;
        self.update_state();
    }

    fn aimed_ceiling(&self) -> f64 {
        (Dbtp(self.ceiling_db.value()) + -MARGIN).amplitude()
    }

    /// Decides what there is to do; a gain that has to be computed again starts from silence.
    fn update_state(&mut self) {
        let smoothers = [&self.on, &self.drive_db, &self.ceiling_db, &self.link];
        let settled = smoothers.into_iter().all(Smoother::is_settled);
        if self.amount.is_settled_at(0.0) {
            self.state = if settled { State::Neutral } else { State::Off };
            return;
        }
        if !self.state.is_active() {
            (self.late_drive, self.drive_moves) = (self.drive.at(0), 0);
            self.fade_left = 0;
            self.lookahead = self.wanted_lookahead;
            self.detectors.iter_mut().for_each(OvershootDetector::reset);
            self.reduction.reset(self.lookahead, self.longest - self.lookahead);
        }
        let constant = self.amount.resting().and(self.drive.resting()).is_some() && self.drive_moves == 0;
        let in_use = self.fade_left == 0 && self.lookahead == self.wanted_lookahead;
        self.state = if settled && constant && in_use { State::Settled } else { State::Moving };
    }

    fn tick(&mut self) {
        self.amount.tick(self.on.tick());
        let drive =
            if self.drive_db.is_settled() { self.drive.goal() } else { Db(self.drive_db.tick()).gain() };
        self.drive.tick(drive);
        if !self.ceiling_db.is_settled() {
            self.ceiling_db.tick();
            self.ceiling = self.aimed_ceiling();
        }
        self.link.tick();
        self.update_state();
        if self.state.is_active() && self.fade_left == 0 && self.lookahead != self.wanted_lookahead {
            self.lookahead = self.wanted_lookahead;
            self.fade_left = self.fade;
            self.reduction.change(self.lookahead, self.longest - self.lookahead);
        }
    }

    /// Fills `late` with the drives a latency ago.
    fn drive_late(&mut self, late: &mut [f64]) {
        if self.drive_moves == 0 {
            if self.drive.resting().is_some() {
                late.fill(self.late_drive);
                return;
            }
            self.drives.fill(self.late_drive);
        }
        self.drive.fill(late);
        self.drives.process(late);
        match self.drive.resting() {
            Some(drive) => {
                self.late_drive = drive;
                self.drive_moves = self.drive_moves.saturating_sub(late.len());
            }
            None => self.drive_moves = self.latency,
        }
    }

    /// Share of the old lookahead at each frame, during a change.
    fn fade<'a>(&mut self, old: &'a mut [f64]) -> Option<&'a [f64]> {
        if self.fade_left == 0 {
            return None;
        }
        for old in &mut *old {
            *old = self.fade_left as f64 / self.fade as f64;
            self.fade_left = self.fade_left.saturating_sub(1);
        }
        Some(old)
    }
}

/// Computes a part of a control interval, or up to [`RUN`] frames while nothing moves; gives the largest reduction.
struct Limit<'a> {
    unit: &'a mut LimiterGain,
    audio: [&'a [f64]; 2],
    gain: [&'a mut [f64]; 2],
    /// Frames since the last control tick; zero: it falls before the first.
    since: usize,
}

impl Kernel for Limit<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let Self { unit, audio, gain: [left, right], since } = self;
        let frames = left.len();
        let mut any = false;
        for (detector, audio) in unit.detectors.iter_mut().zip(audio) {
            any |= detector.detect(simd, &unit.interpolator, audio, &unit.drive, unit.ceiling);
        }
        // Idle: everything that later frames can look back on is zero, because the release to zero takes longer than the
        // line of reductions is. So nothing need be pushed either.
        let idle = !any && unit.reduction.is_idle();
        let largest = if idle {
            unit.fade_left = unit.fade_left.saturating_sub(frames);
            0.0
        } else {
            unit.reduce(simd, frames, since)
        };
        if unit.state == State::Settled {
            let drive = unit.late_drive;
            if idle {
                left.fill(drive);
                right.fill(drive);
                return largest;
            }
            let reductions = &mut unit.reductions[..frames];
            factors(simd, reductions.as_flattened_mut());
            for ((left, right), [first, second]) in left.iter_mut().zip(right).zip(reductions) {
                (*left, *right) = (drive * *first, drive * *second);
            }
            return largest;
        }
        let mut late = [0.0; RUN];
        let late = &mut late[..frames];
        unit.drive_late(late);
        let reductions = &mut unit.reductions[..frames];
        if idle {
            reductions.fill([0.0; 2]);
        }
        factors(simd, reductions.as_flattened_mut());
        for (i, [first, second]) in reductions.iter().enumerate() {
            let amount = unit.amount.at(i);
            left[i] = faded(amount, late[i] * first);
            right[i] = faded(amount, late[i] * second);
        }
        largest
    }
}

impl LimiterGain {
    /// Turns overshoots into reductions and returns the largest that is applied.
    #[inline(always)]
    fn reduce<S: Simd>(&mut self, simd: S, frames: usize, since: usize) -> f64 {
        let link = self.link.value();
        let [first, second] = self.detectors.each_ref().map(|detector| detector.levels()[..frames].iter());
        for (reduction, (left, right)) in self.reductions.iter_mut().zip(first.zip(second)) {
            *reduction = linked([*left, *right], link);
        }
        let mut old = [0.0; RUN];
        let old = self.fade(&mut old[..frames]);
        self.reduction.follow(simd, &mut self.reductions, frames, since, old);
        if old.is_some() && self.fade_left == 0 {
            self.reduction.forget_old();
        }
        let (reductions, amount) = (&self.reductions[..frames], self.amount);
        let heard = |(i, [first, second]): (usize, &[f64; 2])| amount.at(i) * first.max(*second);
        let deepest = match amount.is_settled_at(1.0) {
            true => largest(reductions.as_flattened()),
            false => reductions.iter().enumerate().map(heard).fold(0.0, f64::max),
        };
        if deepest > self.max_reduction {
            let at = reductions.iter().enumerate().position(|frame| heard(frame) == deepest).unwrap_or(0);
            self.max_reduction = deepest;
            self.max_reduction_at = (self.frame + at as u64).saturating_sub(self.latency as u64);
        }
        deepest
    }
}

impl GainComputer for LimiterGain {
    type Settings = LimiterSettings;

    fn set(&mut self, settings: &LimiterSettings) {
        let targets = [
            f64::from(u8::from(settings.on)),
            within(settings.drive.0, 0.0, 24.0),
            // Below what the parameter offers, so that a master can aim lower where its strict peak is over.
            within(settings.ceiling.0, -15.0, 0.0),
            within(settings.link, 0.0, 1.0),
        ];
        let smoothers = [&mut self.on, &mut self.drive_db, &mut self.ceiling_db, &mut self.link];
        for (smoother, target) in smoothers.into_iter().zip(targets) {
            if self.fresh { smoother.set_now(target) } else { smoother.set_target(target) }
        }
        self.reduction.set(Ms(within(settings.release.0, 10.0, 1000.0)));
        self.wanted_lookahead = Ms(within(settings.lookahead.0, 0.1, 5.0))
            .samples(self.rate)
            .0
            .clamp(MIN_LOOKAHEAD, self.longest);
        if self.fresh {
            self.restart();
        }
        self.fresh = false;
        self.update_state();
    }

    fn latency(&self) -> Samples {
        Samples(self.latency)
    }

    fn reset(&mut self) {
        self.ticks.reset();
        self.fresh = true;
        (self.frame, self.max_reduction, self.max_reduction_at) = (0, 0.0, 0);
        for smoother in [&mut self.on, &mut self.drive_db, &mut self.ceiling_db, &mut self.link] {
            smoother.set_now(smoother.target());
        }
        self.restart();
    }

    fn is_neutral(&self) -> bool {
        self.state == State::Neutral
    }

    fn skip(&mut self, frames: usize) {
        self.ticks.skip(frames);
        self.frame += frames as u64;
    }

    fn compute(&mut self, audio: [&[f64]; 2], _: Option<Key<'_>>, gain: [&mut [f64]; 2]) -> Db {
        let [left, right] = gain;
        let frames = left.len();
        let mut largest = 0.0f64;
        let mut at = 0;
        while at < frames {
            let step = self.ticks.next(frames - at);
            if step.tick {
                self.tick();
            }
            let settled = self.state == State::Settled;
            let count = if settled { RUN.min(frames - at).max(step.frames) } else { step.frames };
            self.ticks.skip(count - step.frames);
            let range = at..at + count;
            let gain = [&mut left[range.clone()], &mut right[range.clone()]];
            if self.state.is_active() {
                let audio = [&audio[0][range.clone()], &audio[1][range]];
                largest = largest.max(self.isa.run(Limit { unit: self, audio, gain, since: step.since }));
            } else {
                gain.into_iter().for_each(|gain| gain.fill(1.0));
            }
            self.amount.advance(count);
            self.drive.advance(count);
            self.frame += count as u64;
            at += count;
        }
        Db(largest)
    }
}

/// The gain after on/off: a crossfade between the plain delayed audio and the limited, which, both being the same
/// audio with a factor, is a factor too.
#[inline]
fn faded(amount: f64, gain: f64) -> f64 {
    (1.0 - amount) + amount * gain
}

/// True-peak limiter with lookahead: no sample and no point between samples above the ceiling.
///
/// Detects on a grid of eighths with a parabola between (48 taps per phase), applies its gain at the sampling
/// rate, never clips. For content up to 20 kHz the output stays within 0.05 dB of the ceiling as measured at 16x.
/// Latency: constant, the detector's delay included. Below the ceiling, at no drive, it is a plain delay to the
/// bit, as it is when off. The cost is small while nothing comes near the ceiling.
pub type Limiter = DynamicsUnit<LimiterGain>;

impl Limiter {
    /// Latency of a Stem's limiter.
    pub const STEM: Ms = Ms(2.0);

    /// Latency of the Master's limiter.
    pub const MASTER: Ms = Ms(5.0);

    /// Limiter for audio at `rate` with a total latency of `max_lookahead`, [`Self::STEM`] or [`Self::MASTER`],
    /// off until told otherwise.
    pub fn new(rate: Hz, max_lookahead: Ms) -> Self {
        Self::with_computer(LimiterGain::new(rate, max_lookahead))
    }

    /// The longest lookahead that has an effect: the latency less the delay of the detector, 24 samples.
    pub fn longest_lookahead(&self) -> Ms {
        Samples(self.gain.longest).duration(self.gain.rate)
    }

    /// The largest reduction since reset, drive not counted.
    pub fn max_gain_reduction(&self) -> Db {
        Db(self.gain.max_reduction)
    }

    /// Position in the input, in frames since reset, of [`max_gain_reduction`](Self::max_gain_reduction); zero if there
    /// was none.
    pub fn max_gain_reduction_at(&self) -> u64 {
        self.gain.max_reduction_at
    }
}

#[cfg(test)]
mod tests;
