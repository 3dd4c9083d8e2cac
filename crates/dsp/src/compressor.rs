//! Compressor.
//!
//! Feed-forward: key -> high-pass -> level -> curve -> link -> cap -> (delay less lookahead) -> ballistics -> gain.
//! Everything the compressor does to the audio is one gain per sample and channel: parallel mix, makeup and on/off
//! are parts of it, because dry and wet are the same delayed audio.

pub mod parts;

use core::f64::consts::PI;

use super::ballistics::{Ballistics, BallisticsCoefficients, factor, one_pole_coefficient};
use super::curve::Curve;
use super::decibels::{factors, levels};
use super::delay::RUN;
use super::detector::{Detector, LevelDetector, linked};
use super::gain_stage::{DynamicsUnit, GainComputer};
use super::primitives::history::HistoryBuffer;
use super::{Key, KeySource, Ramp, Smoother, Ticks, flush_invalid, largest, within};
use simd::{Isa, Kernel, Simd};
use units::{Db, Hz, Ms, Samples, decibels};

/// Settings of [`Compressor`].
#[derive(Clone, Debug, PartialEq)]
pub struct CompressorSettings {
    /// Switches the compressor; off is a plain delay.
    pub on: bool,
    /// Level at the middle of the knee, -60 to 0 dBFS.
    pub threshold: Db,
    /// Decibels in per decibel out, 1 to 10.
    pub ratio: f64,
    /// Full width of the soft knee, 0 to 24 dB.
    pub knee: Db,
    /// Time constant to 63 % of a larger reduction, 0.05 to 200 ms.
    pub attack: Ms,
    /// Time constant to 63 % of a smaller one, 10 to 2000 ms.
    pub release: Ms,
    /// Releases slower, by a factor of up to four, the longer the reduction lasted.
    pub auto_release: bool,
    /// Largest reduction, 1 to 24 dB.
    pub cap: Db,
    /// Kind of level that is read.
    pub detector: Detector,
    /// Lead of the key over the audio, 0 to 5 ms; without effect in the zero latency class.
    pub lookahead: Ms,
    /// High-pass of the key, second order, 20 to 500 Hz.
    pub key_highpass: Option<Hz>,
    /// Source of the key.
    pub key: KeySource,
    /// Share of the difference in reduction between the channels that is removed, 0 to 1.
    pub link: f64,
    /// Share of the compressed signal beside the plain one, 0 to 1; makeup is part of it.
    pub mix: f64,
    /// Gain of the compressed signal, -12 to 24 dB.
    pub makeup: Db,
}

impl Default for CompressorSettings {
    fn default() -> Self {
        Self {
            on: false,
            threshold: Db(-18.0),
            ratio: 1.5,
            knee: Db(6.0),
            attack: Ms(20.0),
            release: Ms(150.0),
            auto_release: true,
            cap: Db(6.0),
            detector: Detector::Rms,
            lookahead: Ms(0.0),
            key_highpass: None,
            key: KeySource::Own,
            link: 1.0,
            mix: 1.0,
            makeup: Db(0.0),
        }
    }
}

impl CompressorSettings {
    /// Copy for a chain without sidechain: keyed by the audio itself.
    pub fn without_sidechain(&self) -> Self {
        Self { key: KeySource::Own, ..self.clone() }
    }
}

/// Ratio of the time constants of the slow stage of the auto release to the release.
const SLOW_RATIO: f64 = 4.0;

/// Second-order Butterworth high-pass of two channels, a state variable filter with trapezoidal integration.
///
/// Zavalishin, "The Art of VA Filter Design", 2018, section 4.1; it stays sound while its frequency moves.
#[derive(Clone, Debug)]
struct HighPass {
    rate: Hz,
    g: f64,
    scale: f64,
    /// Two integrators per channel.
    states: [[f64; 2]; 2],
}

impl HighPass {
    const DAMPING: f64 = core::f64::consts::SQRT_2;

    fn new(rate: Hz) -> Self {
        let mut highpass = Self { rate, g: 0.0, scale: 1.0, states: [[0.0; 2]; 2] };
        highpass.tune(20.0);
        highpass
    }

    fn tune(&mut self, frequency_hz: f64) {
        self.g = (PI * frequency_hz / self.rate.0).tan();
        self.scale = 1.0 / (1.0 + self.g * (self.g + Self::DAMPING));
    }

    #[inline]
    fn next(&mut self, channel: usize, sample: f64) -> f64 {
        let [first, second] = &mut self.states[channel];
        let high = (sample - (Self::DAMPING + self.g) * *first - *second) * self.scale;
        let band = self.g * high + *first;
        let low = self.g * band + *second;
        *first = flush_invalid(self.g * high + band);
        *second = flush_invalid(self.g * band + low);
        high
    }

    fn reset(&mut self) {
        self.states = [[0.0; 2]; 2];
    }
}

/// Gain computer of a [`Compressor`], without the audio path.
///
/// Feed it a key and it gives the factor per sample and channel by which audio is to be multiplied when it leaves
/// a delay of [`CompressorGain::latency`] samples; mix, makeup and on/off included.
#[derive(Clone, Debug)]
pub struct CompressorGain {
    isa: Isa,
    rate: Hz,
    latency: usize,
    settings: CompressorSettings,
    ticks: Ticks,
    on: Smoother,
    mix: Smoother,
    makeup_db: Smoother,
    threshold_db: Smoother,
    slope: Smoother,
    knee_db: Smoother,
    cap_db: Smoother,
    link: Smoother,
    highpass_octaves: Smoother,
    /// Shares of the gain: `plain + wet * (gain of the reduction)`.
    plain: Ramp,
    wet: Ramp,
    curve: Curve,
    /// Square of the level at which the curve starts to act.
    start_square: f64,
    highpass: HighPass,
    levels: LevelDetector,
    /// Reductions wanted in the last few milliseconds, read with a changing delay.
    past: [HistoryBuffer<f64>; 2],
    /// Frames until the pasts of both channels are equal, if they want the same from here on.
    frames_apart: usize,
    /// True while both channels have one reduction, that of the first; the second's past is not written.
    is_linked: bool,
    /// Delay of the wanted reduction in samples: latency less lookahead; moves by one per control tick.
    reduction_delay: usize,
    ballistics: Ballistics<2>,
    /// True while there is a gain to compute: on, or fading out.
    active: bool,
    fresh: bool,
}

impl CompressorGain {
    /// Gain computer for audio at `rate`; see [`Compressor::new`].
    pub fn new(rate: Hz, max_lookahead: Ms) -> Self {
        let latency = max_lookahead.samples(rate).0;
        let smoother = |value| Smoother::new(value, Smoother::TIME, rate);
        let ballistics = Ballistics::new(BallisticsCoefficients {
            attack: 1.0,
            release: 1.0,
            charge: 0.0,
            discharge: 1.0,
        });
        let mut gain = Self {
            isa: Isa::widest(),
            rate,
            latency,
            settings: CompressorSettings::default(),
            ticks: Ticks::default(),
            on: smoother(0.0),
            mix: smoother(1.0),
            makeup_db: smoother(0.0),
            threshold_db: smoother(0.0),
            slope: smoother(0.0),
            knee_db: smoother(0.0),
            cap_db: smoother(0.0),
            link: smoother(1.0),
            highpass_octaves: smoother(0.0),
            plain: Ramp::new(1.0),
            wet: Ramp::new(0.0),
            curve: Curve::new(Db(0.0), 1.0, Db(0.0)),
            start_square: 1.0,
            highpass: HighPass::new(rate),
            levels: LevelDetector::new(rate),
            past: [HistoryBuffer::new(latency), HistoryBuffer::new(latency)],
            frames_apart: 0,
            is_linked: true,
            reduction_delay: latency,
            ballistics,
            active: false,
            fresh: true,
        };
        gain.set(&CompressorSettings::default());
        gain.reset();
        gain
    }

    fn all_smoothers(&self) -> [&Smoother; 8] {
        [
            &self.on,
            &self.mix,
            &self.makeup_db,
            &self.threshold_db,
            &self.slope,
            &self.knee_db,
            &self.cap_db,
            &self.link,
        ]
    }

    fn smoothers(&mut self) -> [&mut Smoother; 8] {
        [
            &mut self.on,
            &mut self.mix,
            &mut self.makeup_db,
            &mut self.threshold_db,
            &mut self.slope,
            &mut self.knee_db,
            &mut self.cap_db,
            &mut self.link,
        ]
    }

    /// Ends all transitions; no audio heard so far.
    fn set_now(&mut self) {
        let (plain, wet) = self.shares();
        (self.plain, self.wet) = (Ramp::new(plain), Ramp::new(wet));
        self.update_curve();
        self.active = false;
        self.activate();
    }

    /// Shares of the gain: plain, and compressed with makeup.
    fn shares(&self) -> (f64, f64) {
        let (on, mix) = (self.on.value(), self.mix.value());
        (1.0 - on * mix, on * mix * Db(self.makeup_db.value()).gain())
    }

    fn update_curve(&mut self) {
        let (threshold, knee) = (Db(self.threshold_db.value()), Db(self.knee_db.value()));
        self.curve = Curve::with_slope(threshold, self.slope.value(), knee);
        self.start_square = self.curve.start().gain().powi(2);
    }

    fn target_delay(&self) -> usize {
        let lookahead = Ms(within(self.settings.lookahead.0, 0.0, 5.0)).samples(self.rate).0;
        self.latency - lookahead.min(self.latency)
    }

    /// Computes from here on only if there is something to do, starting from silence.
    fn activate(&mut self) {
        let active = !(self.plain.is_settled_at(1.0) && self.wet.is_settled_at(0.0));
        if active && !self.active {
            self.highpass.reset();
            self.levels.reset();
            self.past.iter_mut().for_each(HistoryBuffer::reset);
            self.frames_apart = 0;
            self.is_linked = true;
            self.ballistics.reset();
            self.reduction_delay = self.target_delay();
        }
        self.active = active;
    }

    fn tick(&mut self) {
        let moved = |smoother: &mut Smoother| {
            let moving = !smoother.is_settled();
            smoother.tick();
            moving
        };
        if moved(&mut self.on) | moved(&mut self.mix) | moved(&mut self.makeup_db) {
            let (plain, wet) = self.shares();
            self.plain.tick(plain);
            self.wet.tick(wet);
        } else {
            self.plain.tick(self.plain.goal());
            self.wet.tick(self.wet.goal());
        }
        if moved(&mut self.threshold_db) | moved(&mut self.slope) | moved(&mut self.knee_db) {
            self.update_curve();
        }
        moved(&mut self.cap_db);
        moved(&mut self.link);
        if moved(&mut self.highpass_octaves) {
            self.highpass.tune(self.highpass_octaves.value().exp2());
        }
        self.activate();
        let target = self.target_delay();
        if self.reduction_delay != target {
            self.reduction_delay = if self.reduction_delay < target {
                self.reduction_delay + 1
            } else {
                self.reduction_delay - 1
            };
        }
    }

    /// True when every smoother is settled.
    fn is_settled(&self) -> bool {
        self.all_smoothers().into_iter().chain([&self.highpass_octaves]).all(Smoother::is_settled)
    }

    /// True when control ticks change nothing until new settings come.
    fn is_static(&self) -> bool {
        let ramps = self.plain.resting().and(self.wet.resting());
        ramps.is_some() && self.reduction_delay == self.target_delay() && self.is_settled()
    }

    /// Fills `squares` with the squares of the levels of `key`.
    #[inline(always)]
    fn read_levels(&mut self, key: [&[f64]; 2], squares: [&mut [f64]; 2]) {
        let [left, right] = squares;
        if self.settings.key_highpass.is_some() {
            left.copy_from_slice(key[0]);
            right.copy_from_slice(key[1]);
            for (left, right) in left.iter_mut().zip(right.iter_mut()) {
                (*left, *right) = (self.highpass.next(0, *left), self.highpass.next(1, *right));
            }
            self.levels.read([left, right]);
            return;
        }
        for (squares, key) in [&mut *left, &mut *right].into_iter().zip(key) {
            squares.iter_mut().zip(key).for_each(|(square, sample)| *square = LevelDetector::square(*sample));
        }
        self.levels.follow([left, right]);
    }

    /// Replaces squares of levels by the reductions of the curve, in dB.
    #[inline(always)]
    fn target_reductions<S: Simd>(&self, simd: S, squares: &mut [f64]) {
        if largest(squares) <= self.start_square {
            squares.fill(0.0);
            return;
        }
        levels(simd, squares);
        let curve = self.curve;
        for level in squares {
            *level = curve.reduction(*level);
        }
    }

    /// Fills `gain` with the linear gains of `reductions` in dB, the plain share included.
    #[inline(always)]
    fn gains<S: Simd>(&self, simd: S, reductions: &mut [f64], gain: &mut [f64]) {
        factors(simd, reductions);
        if let (Some(plain), Some(wet)) = (self.plain.resting(), self.wet.resting()) {
            for (gain, factor) in gain.iter_mut().zip(reductions) {
                *gain = plain + wet * *factor;
            }
            return;
        }
        for (i, (gain, factor)) in gain.iter_mut().zip(reductions).enumerate() {
            *gain = self.plain.at(i) + self.wet.at(i) * *factor;
        }
    }

    /// Separates the channels, which had one reduction so far.
    fn unlink(&mut self) {
        if self.is_linked {
            let [first, second] = &mut self.past;
            second.copy(first);
            self.is_linked = false;
        }
        self.frames_apart = self.latency;
    }
}

impl GainComputer for CompressorGain {
    type Settings = CompressorSettings;

    fn set(&mut self, settings: &CompressorSettings) {
        let targets = [
            f64::from(u8::from(settings.on)),
            within(settings.mix, 0.0, 1.0),
            within(settings.makeup.0, -12.0, 24.0),
            within(settings.threshold.0, -60.0, 0.0),
            1.0 - 1.0 / within(settings.ratio, 1.0, 10.0),
            within(settings.knee.0, 0.0, 24.0),
            within(settings.cap.0, 1.0, 24.0),
            within(settings.link, 0.0, 1.0),
        ];
        let fresh = self.fresh;
        for (smoother, target) in self.smoothers().into_iter().zip(targets) {
            if fresh { smoother.set_now(target) } else { smoother.set_target(target) }
        }
        if let Some(frequency) = settings.key_highpass {
            let octaves = within(frequency.0, 20.0, 500.0).log2();
            if fresh || self.settings.key_highpass.is_none() {
                self.highpass_octaves.set_now(octaves);
                self.highpass.tune(octaves.exp2());
                self.highpass.reset();
            } else {
                self.highpass_octaves.set_target(octaves);
            }
        }
        let release = Ms(within(settings.release.0, 10.0, 2000.0));
        let slow = one_pole_coefficient(Ms(release.0 * SLOW_RATIO), self.rate);
        let coefficients = BallisticsCoefficients {
            attack: one_pole_coefficient(Ms(within(settings.attack.0, 0.05, 200.0)), self.rate),
            release: one_pole_coefficient(release, self.rate),
            charge: if settings.auto_release { slow } else { 0.0 },
            discharge: slow,
        };
        self.ballistics.set(coefficients);
        self.levels.set(settings.detector);
        self.settings.clone_from(settings);
        if self.fresh {
            self.set_now();
        }
        self.fresh = false;
    }

    fn latency(&self) -> Samples {
        Samples(self.latency)
    }

    fn reset(&mut self) {
        self.ticks.reset();
        self.fresh = true;
        for smoother in self.smoothers() {
            smoother.set_now(smoother.target());
        }
        self.highpass_octaves.set_now(self.highpass_octaves.target());
        self.highpass.tune(self.highpass_octaves.value().exp2());
        self.set_now();
    }

    fn is_neutral(&self) -> bool {
        !self.active && self.on.value() == 0.0 && self.is_settled()
    }

    fn skip(&mut self, frames: usize) {
        self.ticks.skip(frames);
    }

    fn compute(&mut self, audio: [&[f64]; 2], sidechain: Option<Key<'_>>, gain: [&mut [f64]; 2]) -> Db {
        let key = match (self.settings.key, sidechain) {
            (KeySource::Own, _) => audio,
            (KeySource::Sidechain, Some(key)) => [key.left, key.right],
            (KeySource::Sidechain, None) => [&[0.0; RUN][..audio[0].len()]; 2],
        };
        let [left, right] = gain;
        let frames = left.len();
        let mut largest = 0.0f64;
        let mut at = 0;
        while at < frames {
            let step = self.ticks.next(frames - at);
            if step.tick {
                self.tick();
            }
            // Where nothing moves, ticks change nothing.
            let count = if self.is_static() { RUN.min(frames - at).max(step.frames) } else { step.frames };
            self.ticks.skip(count - step.frames);
            let range = at..at + count;
            let gain = [&mut left[range.clone()], &mut right[range.clone()]];
            if self.active {
                let key = [&key[0][range.clone()], &key[1][range]];
                largest = largest.max(self.isa.run(Compress { unit: self, key, gain }));
            } else {
                gain.into_iter().for_each(|gain| gain.fill(1.0));
            }
            self.plain.advance(count);
            self.wet.advance(count);
            at += count;
        }
        // Reduction of the sum of plain and compressed share, without the makeup.
        let share = self.on.value() * self.mix.value();
        let heard = if share == 1.0 { largest } else { -decibels(1.0 - share * (1.0 - factor(largest))) };
        Db(heard.max(0.0))
    }
}

/// Kernel for a part of a control interval, or up to [`RUN`] frames while nothing moves; returns the largest reduction of
/// the compressed share.
struct Compress<'a> {
    unit: &'a mut CompressorGain,
    key: [&'a [f64]; 2],
    gain: [&'a mut [f64]; 2],
}

impl Kernel for Compress<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let Self { unit, key, gain: [left_gain, right_gain] } = self;
        let frames = left_gain.len();
        let mut buffers = [[0.0; RUN]; 2];
        let [left, right] = buffers.each_mut().map(|buffer| &mut buffer[..frames]);
        unit.read_levels(key, [&mut *left, &mut *right]);
        let (link, cap) = (unit.link.value(), unit.cap_db.value());
        let capped = |wanted: f64| if wanted < cap { wanted } else { cap };
        if link == 1.0 {
            // Only the louder counts.
            for (left, right) in left.iter_mut().zip(&*right) {
                *left = if *left > *right { *left } else { *right };
            }
            unit.target_reductions(simd, left);
            unit.is_linked |= unit.frames_apart == 0 && unit.ballistics.is_linked();
            unit.frames_apart = unit.frames_apart.saturating_sub(frames);
            if unit.is_linked {
                let past = &mut unit.past[0];
                past.grow(frames).iter_mut().zip(&*left).for_each(|(past, wanted)| *past = capped(*wanted));
                unit.ballistics.each_linked(past.past(unit.reduction_delay, frames), left);
                let largest = largest(left);
                unit.gains(simd, left, left_gain);
                right_gain.copy_from_slice(left_gain);
                return largest;
            }
            right.copy_from_slice(left);
        } else {
            unit.unlink();
            unit.target_reductions(simd, left);
            unit.target_reductions(simd, right);
            for (left, right) in left.iter_mut().zip(right.iter_mut()) {
                [*left, *right] = linked([*left, *right], link);
            }
        }
        for (past, wanted) in unit.past.iter_mut().zip([&*left, &*right]) {
            past.grow(frames).iter_mut().zip(wanted).for_each(|(past, wanted)| *past = capped(*wanted));
        }
        let (mut wanted, mut pairs) = ([[0.0; 2]; RUN], [[0.0; 2]; RUN]);
        let (wanted, pairs) = (&mut wanted[..frames], &mut pairs[..frames]);
        let [first, second] = unit.past.each_ref().map(|past| past.past(unit.reduction_delay, frames));
        for ((wanted, left), right) in wanted.iter_mut().zip(first).zip(second) {
            *wanted = [*left, *right];
        }
        unit.ballistics.each(wanted, pairs);
        let largest = largest(pairs.as_flattened());
        for ((pair, left), right) in pairs.iter().zip(left.iter_mut()).zip(right.iter_mut()) {
            [*left, *right] = *pair;
        }
        unit.gains(simd, left, left_gain);
        unit.gains(simd, right, right_gain);
        largest
    }
}

/// Feed-forward compressor: level in dB -> static curve -> ballistics -> gain.
///
/// Soft knee after Giannoulis, Massberg & Reiss (see [`Curve`]); attack and release are one-pole on the reduction
/// in dB, the branching form of the same paper, eq. 16. Latency: constant, none or the whole of `max_lookahead`
/// whatever the lookahead in use. Off it is a plain delay to the bit. On/off, mix, makeup and the curve change smoothly; the
/// lookahead moves by one sample per control tick.
pub type Compressor = DynamicsUnit<CompressorGain>;

impl Compressor {
    /// `max_lookahead` of the latency classes that have a lookahead; the Zero class has `Ms(0.0)`.
    pub const LOOKAHEAD: Ms = Ms(5.0);

    /// Compressor for audio at `rate` with a latency of exactly `max_lookahead`, off until told otherwise.
    pub fn new(rate: Hz, max_lookahead: Ms) -> Self {
        Self::with_computer(CompressorGain::new(rate, max_lookahead))
    }
}

#[cfg(test)]
mod tests;
