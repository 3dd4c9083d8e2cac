//! Compressor.
//!
//! Feed-forward: key -> high-pass -> level -> curve -> link -> cap -> (delay less lookahead) -> ballistics -> gain.
//! Everything the compressor does to the audio is one gain per sample and channel: parallel mix, makeup and on/off
//! are parts of it, because dry and wet are the same delayed audio.

use core::f64::consts::PI;

use super::ballistics::{Ballistics, Coefficients, factor, one_pole_coefficient};
use super::curve::Curve;
use super::decibels::{factors, levels};
use super::delay::{GainStage, RUN};
use super::detector::{Detector, Levels, linked};
use super::trail::Trail;
use super::{Block, GainLog, KeySource, Process, Ramp, RecordGain, Smoother, Ticks, largest, settle, within};
use simd::{Isa, Kernel, Simd};
use units::{Db, Hz, Ms, Samples, decibels};

/// Settings of [`Compressor`].
#[derive(Clone, Debug, PartialEq)]
pub struct CompressorSettings {
    /// Compresses at all; off is a plain delay.
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
    /// The largest reduction, 1 to 24 dB.
    pub cap: Db,
    /// Which level is read.
    pub detector: Detector,
    /// How long before the audio the key is heard, 0 to 5 ms; without effect in the zero latency class.
    pub lookahead: Ms,
    /// High-pass of the key, second order, 20 to 500 Hz.
    pub key_highpass: Option<Hz>,
    /// What it listens to.
    pub key: KeySource,
    /// How much of the difference in reduction between the channels is taken away, 0 to 1.
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
    /// The same for a place that has no sidechain: keyed by itself.
    pub fn without_sidechain(&self) -> Self {
        Self { key: KeySource::Own, ..self.clone() }
    }
}

/// How much slower than the release the slow stage of the auto release charges and falls.
const SLOW: f64 = 4.0;

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
        *first = settle(self.g * high + band);
        *second = settle(self.g * band + low);
        high
    }

    fn reset(&mut self) {
        self.states = [[0.0; 2]; 2];
    }
}

/// The gain of a [`Compressor`], without the audio it is applied to.
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
    /// The gain is `plain + wet * factor of the reduction`.
    plain: Ramp,
    wet: Ramp,
    curve: Curve,
    /// The square of the level at which the curve starts to act.
    start: f64,
    highpass: HighPass,
    levels: Levels,
    /// The reductions wanted in the last few milliseconds, read with a changing delay.
    past: [Trail<f64>; 2],
    /// Frames after which the channels may have the same past, if they want the same.
    apart: usize,
    /// True while both channels have one reduction: that of the first; the second's past is not written.
    one: bool,
    /// Delay of the wanted reduction in samples: latency less lookahead; moves by one per control tick.
    age: usize,
    ballistics: Ballistics<2>,
    /// True while there is a gain to compute: on, or on the way.
    active: bool,
    fresh: bool,
}

impl CompressorGain {
    /// Gain for audio at `rate`; see [`Compressor::new`].
    pub fn new(rate: Hz, max_lookahead: Ms) -> Self {
        let latency = max_lookahead.samples(rate).0;
        let glide = |value| Smoother::new(value, Smoother::TIME, rate);
        let rest = Ballistics::new(Coefficients { attack: 1.0, release: 1.0, charge: 0.0, discharge: 1.0 });
        let mut gain = Self {
            isa: Isa::widest(),
            rate,
            latency,
            settings: CompressorSettings::default(),
            ticks: Ticks::default(),
            on: glide(0.0),
            mix: glide(1.0),
            makeup_db: glide(0.0),
            threshold_db: glide(0.0),
            slope: glide(0.0),
            knee_db: glide(0.0),
            cap_db: glide(0.0),
            link: glide(1.0),
            highpass_octaves: glide(0.0),
            plain: Ramp::new(1.0),
            wet: Ramp::new(0.0),
            curve: Curve::new(Db(0.0), 1.0, Db(0.0)),
            start: 1.0,
            highpass: HighPass::new(rate),
            levels: Levels::new(rate),
            past: [Trail::new(latency), Trail::new(latency)],
            apart: 0,
            one: true,
            age: latency,
            ballistics: rest,
            active: false,
            fresh: true,
        };
        gain.set(&CompressorSettings::default());
        gain.reset();
        gain
    }

    /// What is listened to, as set.
    pub fn key(&self) -> KeySource {
        self.settings.key
    }

    /// As [`Process::set`].
    pub fn set(&mut self, settings: &CompressorSettings) {
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
        for (glide, target) in self.glides().into_iter().zip(targets) {
            if fresh { glide.set_now(target) } else { glide.aim(target) }
        }
        if let Some(frequency) = settings.key_highpass {
            let octaves = within(frequency.0, 20.0, 500.0).log2();
            if fresh || self.settings.key_highpass.is_none() {
                self.highpass_octaves.set_now(octaves);
                self.highpass.tune(octaves.exp2());
                self.highpass.reset();
            } else {
                self.highpass_octaves.aim(octaves);
            }
        }
        let release = Ms(within(settings.release.0, 10.0, 2000.0));
        let slow = one_pole_coefficient(Ms(release.0 * SLOW), self.rate);
        let times = Coefficients {
            attack: one_pole_coefficient(Ms(within(settings.attack.0, 0.05, 200.0)), self.rate),
            release: one_pole_coefficient(release, self.rate),
            charge: if settings.auto_release { slow } else { 0.0 },
            discharge: slow,
        };
        self.ballistics.set(times);
        self.levels.set(settings.detector);
        self.settings.clone_from(settings);
        if self.fresh {
            self.rest();
        }
        self.fresh = false;
    }

    fn each_glide(&self) -> [&Smoother; 8] {
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

    fn glides(&mut self) -> [&mut Smoother; 8] {
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

    /// The delay between the key that the gain is computed from and the gain.
    pub fn latency(&self) -> Samples {
        Samples(self.latency)
    }

    /// As [`Process::reset`].
    pub fn reset(&mut self) {
        self.ticks.reset();
        self.fresh = true;
        for glide in self.glides() {
            glide.set_now(glide.target());
        }
        self.highpass_octaves.set_now(self.highpass_octaves.target());
        self.highpass.tune(self.highpass_octaves.value().exp2());
        self.rest();
    }

    /// Every ramp where it goes, no audio heard.
    fn rest(&mut self) {
        let (plain, wet) = self.shares();
        (self.plain, self.wet) = (Ramp::new(plain), Ramp::new(wet));
        self.shape();
        self.active = false;
        self.activate();
    }

    /// What the gain is made of: the plain share and the factor of the compressed share.
    fn shares(&self) -> (f64, f64) {
        let (on, mix) = (self.on.value(), self.mix.value());
        (1.0 - on * mix, on * mix * Db(self.makeup_db.value()).gain())
    }

    fn shape(&mut self) {
        let (threshold, knee) = (Db(self.threshold_db.value()), Db(self.knee_db.value()));
        self.curve = Curve::with_slope(threshold, self.slope.value(), knee);
        self.start = self.curve.start().gain().powi(2);
    }

    fn aimed_age(&self) -> usize {
        let lookahead = Ms(within(self.settings.lookahead.0, 0.0, 5.0)).samples(self.rate).0;
        self.latency - lookahead.min(self.latency)
    }

    /// Computes from here on only if there is something to do, starting from silence.
    fn activate(&mut self) {
        let active = !(self.plain.is_settled_at(1.0) && self.wet.is_settled_at(0.0));
        if active && !self.active {
            self.highpass.reset();
            self.levels.reset();
            self.past.iter_mut().for_each(Trail::reset);
            (self.apart, self.one) = (0, true);
            self.ballistics.reset();
            self.age = self.aimed_age();
        }
        self.active = active;
    }

    fn tick(&mut self) {
        let moved = |glide: &mut Smoother| {
            let moving = !glide.is_settled();
            glide.tick();
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
            self.shape();
        }
        moved(&mut self.cap_db);
        moved(&mut self.link);
        if moved(&mut self.highpass_octaves) {
            self.highpass.tune(self.highpass_octaves.value().exp2());
        }
        self.activate();
        let age = self.aimed_age();
        if self.age != age {
            self.age = if self.age < age { self.age + 1 } else { self.age - 1 };
        }
    }

    /// True when every glide has landed.
    fn is_settled(&self) -> bool {
        self.each_glide().into_iter().chain([&self.highpass_octaves]).all(Smoother::is_settled)
    }

    /// True when control ticks change nothing until new settings come.
    fn rests(&self) -> bool {
        let ramps = self.plain.resting().and(self.wet.resting());
        ramps.is_some() && self.age == self.aimed_age() && self.is_settled()
    }

    /// True when every factor is one until new settings come.
    pub fn is_neutral(&self) -> bool {
        !self.active && self.on.value() == 0.0 && self.is_settled()
    }

    /// Passes over `frames` frames of a neutral gain.
    pub fn skip(&mut self, frames: usize) {
        self.ticks.skip(frames);
    }

    /// Takes the next frames of the key and fills `gain` with as many factors, for the audio
    /// [`latency`](Self::latency) samples before. All four slices have one length. Gives the largest reduction
    /// among them, makeup not counted.
    pub fn compute(&mut self, key: [&[f64]; 2], gain: [&mut [f64]; 2]) -> Db {
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
            let count = if self.rests() { RUN.min(frames - at).max(step.frames) } else { step.frames };
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
        // What is heard of it: the compressed share over the whole, without the makeup.
        let share = self.on.value() * self.mix.value();
        let heard = if share == 1.0 { largest } else { -decibels(1.0 - share * (1.0 - factor(largest))) };
        Db(heard.max(0.0))
    }

    /// The squares of the levels that are read from `key`.
    #[inline(always)]
    fn hear(&mut self, key: [&[f64]; 2], squares: [&mut [f64]; 2]) {
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
            squares.iter_mut().zip(key).for_each(|(square, sample)| *square = Levels::square(*sample));
        }
        self.levels.follow([left, right]);
    }

    /// Makes squares of levels the reductions that the curve wants for them, in place.
    #[inline(always)]
    fn want<S: Simd>(&self, simd: S, squares: &mut [f64]) {
        if largest(squares) <= self.start {
            squares.fill(0.0);
            return;
        }
        levels(simd, squares);
        let curve = self.curve;
        for level in squares {
            *level = curve.reduction(*level);
        }
    }

    /// What reductions make of the audio, beside its plain share.
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

    /// Both channels have one reduction where they want the same and always did; from here on they may differ.
    fn part(&mut self) {
        if self.one {
            let [first, second] = &mut self.past;
            second.copy(first);
            self.one = false;
        }
        self.apart = self.latency;
    }
}

/// Computes a part of a control interval, or up to [`RUN`] frames while nothing moves; gives the largest reduction of the
/// compressed share.
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
        unit.hear(key, [&mut *left, &mut *right]);
        let (link, cap) = (unit.link.value(), unit.cap_db.value());
        let capped = |wanted: f64| if wanted < cap { wanted } else { cap };
        if link == 1.0 {
            // Only the louder counts.
            for (left, right) in left.iter_mut().zip(&*right) {
                *left = if *left > *right { *left } else { *right };
            }
            unit.want(simd, left);
            unit.one |= unit.apart == 0 && unit.ballistics.is_one();
            unit.apart = unit.apart.saturating_sub(frames);
            if unit.one {
                let past = &mut unit.past[0];
                past.grow(frames).iter_mut().zip(&*left).for_each(|(past, wanted)| *past = capped(*wanted));
                unit.ballistics.each_as_one(past.past(unit.age, frames), left);
                let largest = largest(left);
                unit.gains(simd, left, left_gain);
                right_gain.copy_from_slice(left_gain);
                return largest;
            }
            right.copy_from_slice(left);
        } else {
            unit.part();
            unit.want(simd, left);
            unit.want(simd, right);
            for (left, right) in left.iter_mut().zip(right.iter_mut()) {
                [*left, *right] = linked([*left, *right], link);
            }
        }
        for (past, wanted) in unit.past.iter_mut().zip([&*left, &*right]) {
            past.grow(frames).iter_mut().zip(wanted).for_each(|(past, wanted)| *past = capped(*wanted));
        }
        let (mut wanted, mut pairs) = ([[0.0; 2]; RUN], [[0.0; 2]; RUN]);
        let (wanted, pairs) = (&mut wanted[..frames], &mut pairs[..frames]);
        let [first, second] = unit.past.each_ref().map(|past| past.past(unit.age, frames));
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
/// whatever the lookahead in use. Off it is a plain delay to the bit. On/off, mix, makeup and the curve glide; the
/// lookahead moves by one sample per control tick.
#[derive(Clone, Debug)]
pub struct Compressor {
    gain: CompressorGain,
    stage: GainStage,
    /// Of the frames at work.
    factors: [[f64; RUN]; 2],
    largest: Db,
}

impl Compressor {
    /// `max_lookahead` of the latency classes that have a lookahead; the Zero class has `Ms(0.0)`.
    pub const LOOKAHEAD: Ms = Ms(5.0);

    /// A compressor for audio at `rate` with a latency of exactly `max_lookahead`, off until told otherwise.
    pub fn new(rate: Hz, max_lookahead: Ms) -> Self {
        let gain = CompressorGain::new(rate, max_lookahead);
        let stage = GainStage::new(gain.latency());
        Self { gain, stage, factors: [[1.0; RUN]; 2], largest: Db(0.0) }
    }

    /// The largest reduction in the last block, parallel mix counted, makeup not.
    pub fn gain_reduction(&self) -> Db {
        self.largest
    }
}

impl Process for Compressor {
    type Settings = CompressorSettings;

    fn set(&mut self, settings: &CompressorSettings) {
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
        self.run(block, &mut GainLog::Off);
    }
}

impl RecordGain for Compressor {
    fn run(&mut self, block: &mut Block<'_>, gain_log: &mut GainLog<'_>) {
        self.largest = Db(0.0);
        if gain_log.value(|| f64::from(u8::from(self.gain.is_neutral()))) != 0.0 {
            let (left, right) = block.channels();
            self.gain.skip(left.len());
            self.stage.pass([left, right]);
            return;
        }
        let mut at = 0;
        while at < block.len() {
            let frames = RUN.min(block.len() - at);
            let mut part = block.part(at..at + frames);
            let sidechain = part.key();
            let (left, right) = part.channels();
            let [first, second] = &mut self.factors;
            gain_log.gains([&mut first[..frames], &mut second[..frames]], |gains| {
                let key: [&[f64]; 2] = match (self.gain.key(), sidechain) {
                    (KeySource::Own, _) => [left, right],
                    (KeySource::Sidechain, Some(key)) => [key.left, key.right],
                    (KeySource::Sidechain, None) => [&[0.0; RUN][..frames]; 2],
                };
                self.largest = self.largest.max(self.gain.compute(key, gains));
            });
            self.stage.apply([left, right], [first, second]);
            at += frames;
        }
    }
}

#[cfg(test)]
mod tests;
