//! True-peak limiter.
//!
//! The gain, per channel, in decibels of reduction until the last step:
//!
//! 1. *Over*: how far the true peak around each sample exceeds the ceiling. The samples are interpolated to
//!    quarters everywhere, to eighths beside every crest that may exceed the ceiling, and a parabola through the
//!    highest three eighths finds the crest itself.
//! 2. *Link* draws the smaller reduction of the two channels towards the larger.
//! 3. *Hold*: the largest over of the lookahead. From here on the reduction is as large as any sample inside the
//!    lookahead needs.
//! 4. *Release* in two stages: a fast one for transients, above a slow one that charges only while reduction is
//!    wanted. The slow stage sees the largest over of the last 16 ms, so that it stands still under a steady tone:
//!    the bass is not distorted.
//! 5. *Two moving averages* in a row, together as long as the lookahead: a smooth way down that has arrived when
//!    the peak does. An average of values that each suffice also suffices, so nothing is clipped.
//!
//! What remains is that a changing gain is itself a modulation, whose products between the samples no gain per
//! sample can know; a margin of 0.02 dB is for them.

mod crest;
mod reduction;

use super::ballistics::{Times, pole};
use super::decibels::{factors, levels};
use super::delay::{Delay, GainStage, RUN};
use super::detector::linked;
use super::oversample::{Interpolator, TAPS};
use super::simd::Isa;
use super::{Block, CONTROL_INTERVAL, Glide, Pair, Process, Ramp, Tape, Taped, Ticks, within};
use crate::units::{Db, Dbtp, Hz, Ms, Samples};
use crest::{Detect, Singles, Take};
use reduction::Reduction;

/// Settings of [`Limiter`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "offline",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, rename_all = "snake_case")
)]
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
    /// How much of the difference in reduction between the channels is taken away, 0 to 1.
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

/// How far below the ceiling the limiter aims.
const MARGIN: Db = Db(0.02);

/// The largest reduction that is ever made, in dB.
const DEEPEST: f64 = 160.0;

/// The fewest samples the gain takes on its way down: steeper, and what the modulation adds between the samples
/// exceeds the margin (0.08 dB with five samples, 0.01 dB with ten).
const SHORTEST: usize = 10;

/// The slow stage follows the largest reduction wanted in this time: half a period of 31 Hz.
const SUSTAIN: Ms = Ms(16.0);

/// How fast the slow stage charges.
const CHARGE: Ms = Ms(60.0);

/// The release of the fast stage, as a share of the setting.
const FAST: f64 = 1.0 / 8.0;

/// The crossfade from one lookahead to another.
const FADE: Ms = Glide::TIME;

/// One channel's way from samples to what exceeds the ceiling.
#[derive(Clone, Debug)]
struct Channel {
    /// The samples the interpolator sees: [`TAPS`] past ones, then those of this step.
    samples: [f64; TAPS + CONTROL_INTERVAL],
    /// The same in single precision.
    singles: Singles,
    over: [f64; CONTROL_INTERVAL],
}

impl Channel {
    fn new() -> Self {
        Self {
            samples: [0.0; TAPS + CONTROL_INTERVAL],
            singles: [0.0; TAPS + CONTROL_INTERVAL + Interpolator::ROOM],
            over: [0.0; CONTROL_INTERVAL],
        }
    }

    fn reset(&mut self) {
        self.samples.fill(0.0);
        self.singles.fill(0.0);
    }

    /// Takes the samples that `drive` makes of `audio` and reads `over` from them. Gives whether there is any.
    fn detect(
        &mut self,
        isa: Isa,
        interpolator: &Interpolator,
        audio: &[f64],
        drive: &Ramp,
        ceiling: f64,
    ) -> bool {
        let frames = audio.len();
        let (samples, singles) = (&mut self.samples[..TAPS + frames], &mut self.singles);
        let largest = isa.run(Take { audio, drive, samples, singles });
        let (over, samples) = (&mut self.over[..frames], &self.samples[..TAPS + frames]);
        if largest * interpolator.bound() <= ceiling {
            over.fill(0.0);
            return false;
        }
        over.fill(1.0);
        let any =
            isa.run(Detect { interpolator, samples, singles: &self.singles, ceiling, over: &mut *over });
        if any {
            levels(isa, over);
            over.iter_mut().for_each(|over| *over = if *over < DEEPEST { *over } else { DEEPEST });
        } else {
            over.fill(0.0);
        }
        any
    }

    /// Makes room for the next step.
    fn advance(&mut self, frames: usize) {
        self.samples.copy_within(frames..frames + TAPS, 0);
        self.singles.copy_within(frames..frames + TAPS, 0);
    }
}

/// The gain of a [`Limiter`], without the audio it is applied to.
///
/// Feed it audio and it gives the factor per sample and channel by which that audio is to be multiplied when it
/// leaves a delay of [`LimiterGain::latency`] samples, drive and on/off included.
#[derive(Clone, Debug)]
pub struct LimiterGain {
    isa: Isa,
    rate: Hz,
    latency: usize,
    /// Samples of lookahead that the latency leaves.
    longest: usize,
    interpolator: Interpolator,
    channels: [Channel; 2],
    reduction: Reduction,
    ticks: Ticks,
    on: Glide,
    drive_db: Glide,
    ceiling_db: Glide,
    link: Glide,
    /// 0: a plain delay, 1: limits.
    amount: Ramp,
    /// Linear; applied before detection, and to the audio a latency later.
    drive: Ramp,
    drives: Delay,
    ceiling: f64,
    /// Lookahead in samples: in use, and wanted.
    lookahead: usize,
    wanted_lookahead: usize,
    /// Frames left of the fade from the old lookahead to the new.
    fade_left: usize,
    fade: usize,
    /// True while there is a gain to compute: on, or on the way.
    active: bool,
    fresh: bool,
    frame: u64,
    deepest: f64,
    deepest_at: u64,
}

impl LimiterGain {
    /// Gain for audio at `rate`; see [`Limiter::new`].
    pub fn new(rate: Hz, max_lookahead: Ms) -> Self {
        let latency = max_lookahead.samples(rate).0.max(TAPS / 2 + SHORTEST);
        let longest = latency - TAPS / 2;
        let settings = LimiterSettings::default();
        let glide = |value| Glide::new(value, Glide::TIME, rate);
        let mut gain = Self {
            isa: Isa::widest(),
            rate,
            latency,
            longest,
            interpolator: Interpolator::new(),
            channels: [Channel::new(), Channel::new()],
            reduction: Reduction::new(longest, rate),
            ticks: Ticks::default(),
            on: glide(0.0),
            drive_db: glide(0.0),
            ceiling_db: glide(0.0),
            link: glide(0.0),
            amount: Ramp::new(0.0),
            drive: Ramp::new(1.0),
            drives: Delay::new(Samples(latency)),
            ceiling: 1.0,
            lookahead: 1,
            wanted_lookahead: 1,
            fade_left: 0,
            fade: FADE.samples(rate).0.max(1),
            active: false,
            fresh: true,
            frame: 0,
            deepest: 0.0,
            deepest_at: 0,
        };
        gain.set(&settings);
        gain.reset();
        gain
    }

    /// As [`Process::set`].
    pub fn set(&mut self, settings: &LimiterSettings) {
        let targets = [
            f64::from(u8::from(settings.on)),
            within(settings.drive.0, 0.0, 24.0),
            within(settings.ceiling.0, -12.0, 0.0),
            within(settings.link, 0.0, 1.0),
        ];
        let glides = [&mut self.on, &mut self.drive_db, &mut self.ceiling_db, &mut self.link];
        for (glide, target) in glides.into_iter().zip(targets) {
            if self.fresh { glide.snap(target) } else { glide.aim(target) }
        }
        let release = Ms(within(settings.release.0, 10.0, 1000.0));
        let times = Times {
            attack: 1.0,
            release: pole(Ms(release.0 * FAST), self.rate),
            charge: pole(CHARGE, self.rate),
            discharge: pole(release, self.rate),
        };
        self.reduction.set(times);
        self.wanted_lookahead =
            Ms(within(settings.lookahead.0, 0.1, 5.0)).samples(self.rate).0.clamp(SHORTEST, self.longest);
        if self.fresh {
            self.rest();
        }
        self.fresh = false;
    }

    /// The delay between the audio that the gain is computed from and the gain.
    pub fn latency(&self) -> Samples {
        Samples(self.latency)
    }

    /// As [`Process::reset`].
    pub fn reset(&mut self) {
        self.ticks.reset();
        self.fresh = true;
        (self.frame, self.deepest, self.deepest_at) = (0, 0.0, 0);
        for glide in [&mut self.on, &mut self.drive_db, &mut self.ceiling_db, &mut self.link] {
            glide.snap(glide.target());
        }
        self.rest();
    }

    /// Every ramp where it goes, no audio seen.
    fn rest(&mut self) {
        self.amount = Ramp::new(self.on.value());
        self.drive = Ramp::new(Db(self.drive_db.value()).gain());
        self.ceiling = self.aimed_ceiling();
        self.active = false;
        self.activate();
    }

    fn aimed_ceiling(&self) -> f64 {
        (Dbtp(self.ceiling_db.value()) + -MARGIN).amplitude()
    }

    /// Computes from here on only if there is something to do, starting from silence.
    fn activate(&mut self) {
        let active = !self.amount.rests_at(0.0);
        if active && !self.active {
            self.drives.fill(self.drive.at(0));
            self.fade_left = 0;
            self.lookahead = self.wanted_lookahead;
            self.channels.iter_mut().for_each(Channel::reset);
            self.reduction.reset(self.lookahead, self.longest - self.lookahead);
        }
        self.active = active;
    }

    fn tick(&mut self) {
        self.amount.tick(self.on.tick());
        let drive = if self.drive_db.landed() { self.drive.goal() } else { Db(self.drive_db.tick()).gain() };
        self.drive.tick(drive);
        if !self.ceiling_db.landed() {
            self.ceiling_db.tick();
            self.ceiling = self.aimed_ceiling();
        }
        self.link.tick();
        self.activate();
        if self.active && self.fade_left == 0 && self.lookahead != self.wanted_lookahead {
            self.lookahead = self.wanted_lookahead;
            self.fade_left = self.fade;
            self.reduction.change(self.lookahead, self.longest - self.lookahead);
        }
    }

    /// True when every factor is one until new settings come.
    pub fn is_neutral(&self) -> bool {
        let landed = [&self.on, &self.drive_db, &self.ceiling_db, &self.link].into_iter().all(Glide::landed);
        !self.active && landed && self.on.value() == 0.0
    }

    /// Passes over `frames` frames of a neutral gain.
    pub fn skip(&mut self, frames: usize) {
        self.ticks.skip(frames);
        self.frame += frames as u64;
    }

    /// Takes the next frames of the audio and fills `gain` with as many factors, for the audio
    /// [`latency`](Self::latency) samples before. All four slices have one length. Gives the largest reduction
    /// among them, drive not counted.
    pub fn compute(&mut self, audio: [&[f64]; 2], gain: [&mut [f64]; 2]) -> Db {
        let [left, right] = gain;
        let frames = left.len();
        let mut largest = 0.0f64;
        let mut at = 0;
        while at < frames {
            let step = self.ticks.next(frames - at);
            if step.tick {
                self.tick();
            }
            let range = at..at + step.frames;
            let gain = [&mut left[range.clone()], &mut right[range.clone()]];
            if self.active {
                largest = largest.max(self.limit([&audio[0][range.clone()], &audio[1][range]], gain));
            } else {
                gain.into_iter().for_each(|gain| gain.fill(1.0));
            }
            self.amount.advance(step.frames);
            self.drive.advance(step.frames);
            self.frame += step.frames as u64;
            at += step.frames;
        }
        Db(largest)
    }

    /// Computes a part of a control interval; gives the largest reduction.
    fn limit(&mut self, audio: [&[f64]; 2], gain: [&mut [f64]; 2]) -> f64 {
        let frames = audio[0].len();
        let mut any = false;
        for (channel, audio) in self.channels.iter_mut().zip(audio) {
            any |= channel.detect(self.isa, &self.interpolator, audio, &self.drive, self.ceiling);
            channel.advance(frames);
        }
        let mut drives = [0.0; CONTROL_INTERVAL];
        let mut amounts = [0.0; CONTROL_INTERVAL];
        let (drives, amounts) = (&mut drives[..frames], &mut amounts[..frames]);
        self.drive.fill(drives);
        self.drives.process(drives);
        self.amount.fill(amounts);
        let [left, right] = gain;
        // At rest everything that later frames can look back on is zero: the release takes longer from what the
        // line still holds down to rest than the line is long. So nothing need be pushed either.
        if !any && self.reduction.at_rest() {
            for (i, (left, right)) in left.iter_mut().zip(right).enumerate() {
                *left = faded(amounts[i], drives[i]);
                *right = *left;
            }
            self.fade_left = self.fade_left.saturating_sub(frames);
            return 0.0;
        }
        let mut reductions = [[0.0; 2]; CONTROL_INTERVAL];
        let reductions = &mut reductions[..frames];
        self.reduce(reductions);
        let mut largest = 0.0;
        for (amount, [first, second]) in amounts.iter().zip(&*reductions) {
            let deeper = amount * if first > second { first } else { second };
            largest = if deeper > largest { deeper } else { largest };
        }
        if largest > self.deepest {
            let deepest = |(amount, [first, second]): (&f64, &Pair)| amount * first.max(*second) == largest;
            let at = amounts.iter().zip(&*reductions).position(deepest).unwrap_or(0);
            self.deepest = largest;
            self.deepest_at = (self.frame + at as u64).saturating_sub(self.latency as u64);
        }
        factors(self.isa, reductions.as_flattened_mut());
        for (i, [first, second]) in reductions.iter().enumerate() {
            left[i] = faded(amounts[i], drives[i] * first);
            right[i] = faded(amounts[i], drives[i] * second);
        }
        largest
    }

    /// What the channels exceed the ceiling by, as reductions.
    fn reduce(&mut self, reductions: &mut [Pair]) {
        let link = self.link.value();
        let [first, second] = &self.channels;
        for (reduction, (left, right)) in reductions.iter_mut().zip(first.over.iter().zip(&second.over)) {
            *reduction = linked([*left, *right], link);
        }
        if self.fade_left == 0 {
            self.reduction.follow(self.isa, reductions, None);
            return;
        }
        let mut old = [0.0; CONTROL_INTERVAL];
        for old in &mut old[..reductions.len()] {
            *old = self.fade_left as f64 / self.fade as f64;
            self.fade_left = self.fade_left.saturating_sub(1);
        }
        self.reduction.follow(self.isa, reductions, Some(&old));
        if self.fade_left == 0 {
            self.reduction.forget_old();
        }
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
#[derive(Clone, Debug)]
pub struct Limiter {
    gain: LimiterGain,
    stage: GainStage,
    largest: Db,
}

impl Limiter {
    /// Latency of a Stem's limiter.
    pub const STEM: Ms = Ms(2.0);

    /// Latency of the Master's limiter.
    pub const MASTER: Ms = Ms(5.0);

    /// A limiter for audio at `rate` with a total latency of `max_lookahead`, [`Self::STEM`] or [`Self::MASTER`],
    /// off until told otherwise.
    pub fn new(rate: Hz, max_lookahead: Ms) -> Self {
        let gain = LimiterGain::new(rate, max_lookahead);
        let stage = GainStage::new(gain.latency());
        Self { gain, stage, largest: Db(0.0) }
    }

    /// The longest lookahead that has an effect: the latency less the delay of the detector, 24 samples.
    pub fn longest_lookahead(&self) -> Ms {
        Samples(self.gain.longest).duration(self.gain.rate)
    }

    /// The largest reduction in the last block, drive not counted.
    pub fn gain_reduction(&self) -> Db {
        self.largest
    }

    /// The largest reduction since reset, drive not counted.
    pub fn max_gain_reduction(&self) -> Db {
        Db(self.gain.deepest)
    }

    /// Where in the input, in frames since reset, [`max_gain_reduction`](Self::max_gain_reduction) was made; zero
    /// if there was none.
    pub fn max_gain_reduction_at(&self) -> u64 {
        self.gain.deepest_at
    }
}

impl Process for Limiter {
    type Settings = LimiterSettings;

    fn set(&mut self, settings: &LimiterSettings) {
        self.gain.set(settings);
    }

    fn latency(&self) -> Samples {
        self.gain.latency()
    }

    fn reset(&mut self) {
        self.gain.reset();
        self.stage.reset();
        self.largest = Db(0.0);
    }

    fn process(&mut self, block: &mut Block<'_>) {
        self.run(block, &mut Tape::Off);
    }
}

impl Taped for Limiter {
    fn run(&mut self, block: &mut Block<'_>, tape: &mut Tape<'_>) {
        self.largest = Db(0.0);
        let (left, right) = block.channels();
        if tape.value(|| f64::from(u8::from(self.gain.is_neutral()))) != 0.0 {
            self.gain.skip(left.len());
            self.stage.pass([left, right]);
            return;
        }
        for (left, right) in left.chunks_mut(RUN).zip(right.chunks_mut(RUN)) {
            let frames = left.len();
            let mut gain = [[1.0; RUN]; 2];
            let [first, second] = &mut gain;
            tape.gains([&mut first[..frames], &mut second[..frames]], |gains| {
                self.largest = self.largest.max(self.gain.compute([left, right], gains));
            });
            self.stage.apply([left, right], [first, second]);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
