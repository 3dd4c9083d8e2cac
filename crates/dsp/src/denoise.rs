//! Spectral noise reduction for steady noise.

mod floor;
mod frames;
mod print;
mod rule;

pub use print::{BANDS, NoisePrint};

use super::delay::Delay;
use super::{Block, GainLog, Process, RecordGain, within};
use floor::NoiseFloor;
use frames::{OVERLAP, OverlapAdd, Transforms};
use print::BandMap;
use rule::{GainRule, mean_power};
use units::{Db, Hz, Ms, Samples, linear};

/// Points of a [`ThresholdCurve`]: octaves from 63 Hz to 16 kHz.
pub const CURVE_POINTS: usize = 9;

/// Offsets of the threshold at 62.5, 125, 250, ... 16 000 Hz, -24 to 24 dB; straight between them in octaves.
pub type ThresholdCurve = [Db; CURVE_POINTS];

/// Settings of [`Denoise`]. Values out of range are clamped.
#[derive(Clone, Debug, PartialEq)]
pub struct DenoiseSettings {
    /// Reduces noise at all; off is a plain delay.
    pub on: bool,
    /// Largest reduction, 0 to 24 dB.
    pub reduction: Db,
    /// Offset of the noise print, -12 to 12 dB; a higher one takes more for noise.
    pub threshold: Db,
    /// Offsets per octave.
    pub curve: ThresholdCurve,
    /// Memory of the estimate of what is signal, 20 to 1000 ms. Longer: no musical noise, but quiet endings go with the noise.
    pub smoothing: Ms,
    /// Print of the noise; `None`: the noise is tracked.
    pub print: Option<NoisePrint>,
}

impl Default for DenoiseSettings {
    fn default() -> Self {
        Self {
            on: false,
            reduction: Db(6.0),
            threshold: Db(0.0),
            curve: [Db(0.0); CURVE_POINTS],
            smoothing: Ms(130.0),
            print: None,
        }
    }
}

impl DenoiseSettings {
    fn acts(&self) -> bool {
        self.on && self.reduction.0 > 0.0
    }

    /// Offset of the print at `frequency` (Hz), in dB.
    fn threshold_at(&self, frequency: f64) -> f64 {
        let place = (frequency.max(1.0) / 62.5).log2().clamp(0.0, (CURVE_POINTS - 1) as f64);
        let point = (place as usize).min(CURVE_POINTS - 2);
        let at = |point: usize| within(self.curve[point].0, -24.0, 24.0);
        let (from, to) = (at(point), at(point + 1));
        within(self.threshold.0, -12.0, 12.0) + from + (place - point as f64) * (to - from)
    }
}

/// Noise reduction: takes steady noise out of a signal.
///
/// # Method
/// Spectra of 43 ms (2048 samples at 48 kHz), Hann windows four times overlapped. In every bin the power of both
/// channels together is held against the noise, which is either a learned [`NoisePrint`] or the floor of the last two
/// seconds, and decides one gain for both, so that the stereo image stands still; two-step noise reduction
/// over a decision-directed estimate (Ephraim & Malah 1984; Plapous, Marro & Scalart 2006), whose slow part is what keeps noise
/// from becoming musical (Cappé 1994). Bins well above the noise are spared. What is *taken* is turned back into a signal and subtracted from the delayed input, so bins
/// that are left alone are so to the bit, and the removed noise can be heard by itself ([`Denoise::process_split`]).
///
/// Tracking takes whatever stands still for two seconds for noise, a held chord too: learn a print where one can be had.
///
/// # Precision
/// Spectra are single precision. A transform of 2048 errs by 2^-24 √11 of the input's level, spread over all bins: with
/// two transforms less than -130 dB of the input, and only what is taken passes through them.
///
/// # Cost
/// The work of a hop (512 frames at 48 kHz) is done in the block in which the hop ends: four transforms of 2048.
/// Nothing is allocated.
///
/// # Changes
/// Take effect at the next hop and are crossfaded by the windows over 43 ms. Latency: one window, on or off: the power
/// of two at or above 42.6 ms.
pub struct Denoise {
    settings: DenoiseSettings,
    transforms: Transforms,
    channels: [OverlapAdd; 2],
    dry: [Delay; 2],
    bands: BandMap,
    rule: GainRule,
    floor: NoiseFloor,
    tracked: NoisePrint,
    power: Vec<f32>,
    /// Inverse of the noise's power per bin.
    inverse: Vec<f32>,
    /// True when settings or noise have changed since `inverse` was computed.
    stale: bool,
    /// Frames of a window.
    size: usize,
    rate: Hz,
    /// Frames since the last hop.
    at: usize,
    /// Hops until the last removed noise has left.
    tail: usize,
    learner: Learner,
}

/// Sums of the powers that are learned.
struct Learner {
    learning: bool,
    sums: Vec<f64>,
    hops: u64,
    /// Hops until the window holds no sound from before learning.
    wait: usize,
}

impl Denoise {
    /// Noise reduction for audio at `rate`, off.
    pub fn new(rate: Hz) -> Self {
        let size = Self::window(rate).0;
        let bins = size / 2 + 1;
        let transforms = Transforms::new(size);
        let scale = 0.5 * rate.0 * transforms.noise_gain();
        Self {
            settings: DenoiseSettings::default(),
            channels: [OverlapAdd::new(size), OverlapAdd::new(size)],
            dry: [Delay::new(Samples(size)), Delay::new(Samples(size))],
            bands: BandMap::new(bins, rate.0 / size as f64, scale),
            rule: GainRule::new(bins),
            floor: NoiseFloor::new(bins),
            tracked: NoisePrint::NONE,
            power: vec![0.0; bins],
            inverse: vec![0.0; bins],
            stale: true,
            transforms,
            size,
            rate,
            at: 0,
            tail: 0,
            learner: Learner { learning: false, sums: vec![0.0; bins], hops: 0, wait: 0 },
        }
    }

    /// Window and latency at `rate`, in samples.
    pub fn window(rate: Hz) -> Samples {
        Samples(((rate.0 * 0.0426).ceil().max(64.0) as usize).next_power_of_two())
    }

    /// Starts or stops learning the input. A start forgets what was learned before; a stop keeps it.
    pub fn set_learning(&mut self, on: bool) {
        if on && !self.learner.learning {
            self.learner.sums.fill(0.0);
            (self.learner.hops, self.learner.wait) = (0, OVERLAP);
        }
        self.learner.learning = on;
    }

    /// Mean spectrum of the sound heard while learning; `None` before a whole window of it.
    pub fn learned_print(&self) -> Option<NoisePrint> {
        (self.learner.hops > 0).then(|| {
            let mut print = NoisePrint::NONE;
            for (band, level) in print.levels_mut().iter_mut().enumerate() {
                let bins = self.bands.bins(band);
                let count = bins.len() as f64 * self.learner.hops as f64;
                *level = self.bands.level(self.learner.sums[bins].iter().sum::<f64>() / count);
            }
            print
        })
    }

    /// Duration of the sound that learning has used since it last started.
    pub fn learned_duration(&self) -> Ms {
        Ms(self.learner.hops as f64 * (self.size / OVERLAP) as f64 / self.rate.0 * 1e3)
    }

    /// Noise that is taken out: the print of the settings, or the tracked one.
    pub fn noise_print(&self) -> &NoisePrint {
        self.settings.print.as_ref().unwrap_or(&self.tracked)
    }

    /// True when it is a plain delay: off, and all removed noise has left.
    pub fn is_neutral(&self) -> bool {
        !self.settings.acts() && self.tail == 0
    }

    /// Processes `block` as [`RecordGain::run`] does and fills `removed` with the noise that was taken out: together they are
    /// the delayed input.
    pub fn process_split(
        &mut self,
        block: &mut Block<'_>,
        removed: [&mut [f64]; 2],
        gain_log: &mut GainLog<'_>,
    ) {
        self.reduce(block, Some(removed), gain_log);
    }

    fn reduce(
        &mut self,
        block: &mut Block<'_>,
        mut removed: Option<[&mut [f64]; 2]>,
        gain_log: &mut GainLog<'_>,
    ) {
        let hop = self.size / OVERLAP;
        let frames = block.len();
        let (left, right) = block.channels();
        let mut done = 0;
        while done < frames {
            let count = (frames - done).min(hop - self.at);
            let range = done..done + count;
            for (i, samples) in [&mut left[range.clone()], &mut right[range.clone()]].into_iter().enumerate()
            {
                self.channels[i].push(self.at, samples);
                self.dry[i].process(samples);
                let taken = self.channels[i].output(self.at, count);
                if let Some(removed) = &mut removed {
                    let to = &mut removed[i][range.clone()];
                    to.iter_mut().zip(taken).for_each(|(to, &taken)| *to = f64::from(taken));
                }
                if self.tail > 0 {
                    samples.iter_mut().zip(taken).for_each(|(sample, &taken)| *sample -= f64::from(taken));
                }
            }
            self.at += count;
            if self.at == hop {
                self.at = 0;
                self.process_hop(gain_log);
            }
            done += count;
        }
    }

    /// Processes a complete hop.
    fn process_hop(&mut self, gain_log: &mut GainLog<'_>) {
        if self.tail > 0 {
            self.tail -= 1;
            self.channels.iter_mut().for_each(OverlapAdd::advance_output);
        }
        let acts = self.settings.acts();
        if acts || self.learner.learning {
            let [left, right] = &mut self.channels;
            left.analyse(&mut self.transforms);
            right.analyse(&mut self.transforms);
            mean_power(&left.spectrum, &right.spectrum, &mut self.power);
        }
        if self.learner.learning {
            self.learn_hop();
        }
        if acts {
            self.remove_noise(gain_log);
        } else if self.tail == 0 {
            self.rule.reset();
            self.floor.reset();
            self.tracked = NoisePrint::NONE;
            self.stale = true;
        }
        self.channels.iter_mut().for_each(OverlapAdd::advance_input);
    }

    fn learn_hop(&mut self) {
        let learner = &mut self.learner;
        if learner.wait > 0 {
            learner.wait -= 1;
        }
        if learner.wait == 0 && self.power.iter().any(|&power| power > 0.0) {
            learner.sums.iter_mut().zip(&self.power).for_each(|(sum, &power)| *sum += f64::from(power));
            learner.hops += 1;
        }
    }

    /// Computes the noise in the last window and adds it to the removed signal.
    fn remove_noise(&mut self, gain_log: &mut GainLog<'_>) {
        match gain_log.next(self.rule.take.len()) {
            Some(take) => self.rule.take.iter_mut().zip(take).for_each(|(to, &take)| *to = take as f32),
            None => self.compute_gains(),
        }
        if let GainLog::Record(gain_log) = gain_log {
            gain_log.extend(self.rule.take.iter().map(|&take| f64::from(take)));
        }
        for channel in &mut self.channels {
            for (bin, take) in channel.spectrum.iter_mut().zip(&self.rule.take) {
                *bin *= take;
            }
            channel.synthesize(&mut self.transforms);
        }
        self.tail = OVERLAP;
    }

    /// Computes the gains of the bins from power and noise.
    fn compute_gains(&mut self) {
        if self.settings.print.is_none()
            && let Some(print) = self.floor.update(&self.power, &self.bands)
        {
            self.tracked = print;
            self.stale = true;
        }
        if core::mem::take(&mut self.stale) {
            let mut levels = *self.noise_print().levels();
            for (band, level) in levels.iter_mut().enumerate() {
                *level += self.settings.threshold_at(NoisePrint::frequency(band)) as f32;
            }
            self.bands.inverse_powers(&levels, &mut self.inverse);
        }
        let hop = self.size as f64 / OVERLAP as f64 / self.rate.0 * 1e3;
        let smoothing = (-hop / within(self.settings.smoothing.0, 20.0, 1000.0)).exp() as f32;
        let floor = linear(-within(self.settings.reduction.0, 0.0, 24.0)) as f32;
        self.rule.update(&self.power, &self.inverse, smoothing, floor);
    }
}

impl Process for Denoise {
    type Settings = DenoiseSettings;

    fn set(&mut self, settings: &DenoiseSettings) {
        if self.settings != *settings {
            self.settings = settings.clone();
            self.stale = true;
        }
    }

    fn latency(&self) -> Samples {
        Samples(self.size)
    }

    fn reset(&mut self) {
        self.channels.iter_mut().for_each(OverlapAdd::reset);
        self.dry.iter_mut().for_each(|delay| delay.fill(0.0));
        self.rule.reset();
        self.floor.reset();
        self.tracked = NoisePrint::NONE;
        self.stale = true;
        self.at = 0;
        self.tail = 0;
        self.learner.wait = OVERLAP;
    }

    fn process(&mut self, block: &mut Block<'_>) {
        self.run(block, &mut GainLog::Off);
    }
}

impl RecordGain for Denoise {
    fn run(&mut self, block: &mut Block<'_>, gain_log: &mut GainLog<'_>) {
        self.reduce(block, None, gain_log);
    }
}
