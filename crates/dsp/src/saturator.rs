//! Saturator and clipper.

mod curve;
mod ladder;

use super::delay::Delay;
use super::{Block, CONTROL_INTERVAL, GainLog, Process, Ramp, RecordGain, Share, Smoother, Ticks, within};
use ladder::{Ladder, MEMORY, Taps};
use units::{Db, Hz, Samples};

/// Transfer curve of the saturator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SaturationCurve {
    /// `x / √(1 + k² x²)` with `k² = drive² - 1`: bends from the smallest level on, odd harmonics that fall fast.
    #[default]
    Soft,
    /// Everything beyond minus the drive is cut off, everything below is untouched to the bit.
    Clip,
}

/// Settings of [`Saturator`]. Values out of range are clamped.
#[derive(Clone, Debug, PartialEq)]
pub struct SaturatorSettings {
    /// Saturates at all; off is a plain delay.
    pub on: bool,
    /// Reduction of a full-scale peak, 0 to 24 dB. Quiet sounds keep their level, with either curve.
    pub drive: Db,
    /// Transfer curve.
    pub curve: SaturationCurve,
    /// Share of the change that is applied, 0 to 1.
    pub mix: f64,
}

impl Default for SaturatorSettings {
    fn default() -> Self {
        Self { on: false, drive: Db(0.0), curve: SaturationCurve::Soft, mix: 1.0 }
    }
}

impl SaturatorSettings {
    /// True if it changes anything.
    pub fn acts(&self) -> bool {
        self.amount() > 0.0
    }

    /// Share of the change that is applied; zero where the curve is a straight line.
    fn amount(&self) -> f64 {
        let straight = self.curve == SaturationCurve::Soft && within(self.drive.0, 0.0, 24.0) == 0.0;
        if self.on && !straight { within(self.mix, 0.0, 1.0) } else { 0.0 }
    }
}

/// Waveshaper that reduces peaks, with unity gain for small signals.
///
/// Drive is what it does to a peak at full scale: with either curve, 6 dB brings it to -6 dBFS. What is far below
/// keeps its level, so nothing gets louder by driving harder, and at 0 dB the soft curve is a straight line. Clip at
/// 0 dB cuts off what exceeds full scale.
///
/// # Method
/// Only the *change* that the curve makes is computed, at eight times the rate with first-order antiderivative
/// anti-aliasing, brought back by filters that stop at half the rate, and added to the delayed input. So whatever the curve
/// leaves alone is bit-transparent, and the filters' response bears only on what is added: up to 0.42 of the rate it is flat.
/// A peak of the output may exceed the clipping level by what was beyond that, as with every band-limited clipper.
///
/// # Accuracy
/// Aliases of a full-scale sine of 5 kHz at 6 dB drive, up to Nyquist, at 44.1 and 48 kHz: clip below -96 dBFS,
/// soft below -130. Others, as tested: up to 10 kHz below -88 dBFS at any drive, 15 kHz below -78; at 96 kHz below -95.
///
/// # Changes
/// Drive, mix, curve and on/off change over 20 ms. Latency: 64 samples at every rate, on or off.
pub struct Saturator {
    taps: Taps,
    channels: [SaturatorChannel; 2],
    ticks: Ticks,
    /// Decibels.
    drive: Smoother,
    soft: Smoother,
    amount: Smoother,
    /// Amount as set; it becomes the target of `amount` as soon as the ladders have heard enough.
    wanted: f64,
    /// Control ticks until then.
    warming: usize,
    /// Between ticks: the bend of the soft curve, the ceiling of the clipper, the share of the soft curve, the amount.
    bend: Ramp,
    ceiling: Ramp,
    share: Ramp,
    weight: Ramp,
    fresh: bool,
}

struct SaturatorChannel {
    delay: Delay,
    ladder: Ladder,
}

impl Saturator {
    /// Latency in samples, at every rate.
    pub const LATENCY: Samples = Samples(ladder::LATENCY);

    /// Saturator for audio at `rate`, off.
    pub fn new(rate: Hz) -> Self {
        let channel = || SaturatorChannel { delay: Delay::new(Self::LATENCY), ladder: Ladder::new() };
        let smoother = |value| Smoother::new(value, Smoother::TIME, rate);
        Self {
            taps: Taps::new(),
            channels: [channel(), channel()],
            ticks: Ticks::default(),
            drive: smoother(0.0),
            soft: smoother(1.0),
            amount: smoother(0.0),
            wanted: 0.0,
            warming: 0,
            bend: Ramp::new(0.0),
            ceiling: Ramp::new(1.0),
            share: Ramp::new(1.0),
            weight: Ramp::new(0.0),
            fresh: true,
        }
    }

    /// True when it is a plain delay: no change to make, and no transition in progress.
    pub fn is_neutral(&self) -> bool {
        self.wanted == 0.0 && self.weight.is_settled_at(0.0)
    }

    fn tick(&mut self) {
        if self.warming > 0 {
            self.warming -= 1;
        } else {
            self.amount.set_target(self.wanted);
        }
        let drive = Db(self.drive.tick()).gain();
        self.bend.tick(drive * drive - 1.0);
        self.ceiling.tick(1.0 / drive);
        self.share.tick(self.soft.tick());
        self.weight.tick(self.amount.tick());
    }

    /// Sets the ramps to the smoothers' values.
    fn set_ramps_now(&mut self) {
        let drive = Db(self.drive.value()).gain();
        self.bend = Ramp::new(drive * drive - 1.0);
        self.ceiling = Ramp::new(1.0 / drive);
        self.share = Ramp::new(self.soft.value());
        self.weight = Ramp::new(self.amount.value());
    }
}

impl Process for Saturator {
    type Settings = SaturatorSettings;

    fn set(&mut self, settings: &SaturatorSettings) {
        let drive = within(settings.drive.0, 0.0, 24.0);
        let soft = f64::from(u8::from(settings.curve == SaturationCurve::Soft));
        let amount = settings.amount();
        if self.fresh {
            self.drive.set_now(drive);
            self.soft.set_now(soft);
            self.amount.set_now(amount);
            self.wanted = amount;
            self.set_ramps_now();
        } else {
            if self.is_neutral() && amount > 0.0 {
                // Nothing is heard yet: what the ladders remember is old, and drive and curve need no transition.
                self.channels.iter_mut().for_each(|channel| channel.ladder.reset());
                self.warming = MEMORY.div_ceil(CONTROL_INTERVAL) + 1;
                self.drive.set_now(drive);
                self.soft.set_now(soft);
                self.set_ramps_now();
            }
            self.drive.set_target(drive);
            self.soft.set_target(soft);
            self.wanted = amount;
        }
        self.fresh = false;
    }

    fn latency(&self) -> Samples {
        Self::LATENCY
    }

    fn reset(&mut self) {
        self.ticks.reset();
        for channel in &mut self.channels {
            channel.delay.fill(0.0);
            channel.ladder.reset();
        }
        self.drive.set_now(self.drive.target());
        self.soft.set_now(self.soft.target());
        self.amount.set_now(self.wanted);
        self.warming = 0;
        self.set_ramps_now();
        self.fresh = true;
    }

    fn process(&mut self, block: &mut Block<'_>) {
        self.run(block, &mut GainLog::Off);
    }
}

impl RecordGain for Saturator {
    fn run(&mut self, block: &mut Block<'_>, gain_log: &mut GainLog<'_>) {
        self.fresh = false;
        let frames = block.len();
        let (left, right) = block.channels();
        let mut at = 0;
        while at < frames {
            if self.is_neutral() {
                self.ticks.skip(frames - at);
                for (channel, samples) in self.channels.iter_mut().zip([&mut left[at..], &mut right[at..]]) {
                    channel.delay.process(samples);
                }
                return;
            }
            let step = self.ticks.next(frames - at);
            if step.tick {
                self.tick();
            }
            let range = at..at + step.frames;
            for (channel, samples) in
                self.channels.iter_mut().zip([&mut left[range.clone()], &mut right[range]])
            {
                let followed = gain_log.next(step.frames);
                match (followed, gain_log.share()) {
                    (Some(_), Some(Share::Stem)) => {
                        channel.delay.process(samples);
                        continue;
                    }
                    (Some(change), Some(Share::Residual)) => {
                        channel.delay.process(samples);
                        samples.iter_mut().zip(change).for_each(|(sample, change)| *sample += change);
                        continue;
                    }
                    _ => {}
                }
                let mut change = [0.0; CONTROL_INTERVAL];
                let change = &mut change[..step.frames];
                change.copy_from_slice(samples);
                let (bend, ceiling, share) = (&self.bend, &self.ceiling, &self.share);
                if share.is_settled_at(1.0) {
                    channel.ladder.run(&self.taps, change, |i, a, b| curve::soft(bend.at(i), a, b));
                } else if share.is_settled_at(0.0) {
                    channel.ladder.run(&self.taps, change, |i, a, b| curve::clip(ceiling.at(i), a, b));
                } else {
                    channel.ladder.run(&self.taps, change, |i, a, b| {
                        let (soft, clip) = (curve::soft(bend.at(i), a, b), curve::clip(ceiling.at(i), a, b));
                        clip + share.at(i) * (soft - clip)
                    });
                }
                channel.delay.process(samples);
                for (i, (sample, change)) in samples.iter_mut().zip(&mut *change).enumerate() {
                    *change *= self.weight.at(i);
                    *sample += *change;
                }
                gain_log.record(change);
            }
            for ramp in [&mut self.bend, &mut self.ceiling, &mut self.share, &mut self.weight] {
                ramp.advance(step.frames);
            }
            at += step.frames;
        }
    }
}
