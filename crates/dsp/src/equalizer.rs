//! Eight bands of equalization whose responses are those of their analogue prototypes, without latency.

mod band;
mod band_filter;
mod band_solo;
mod design;
mod dynamics;
mod key_filter;
mod linear;
mod schedule;
mod settings;
mod table;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use band::Band;
pub use band_solo::SoloTarget;
pub use linear::LinearEqualizer;
use settings::MAX_GAIN;
pub use settings::{BANDS, BandSettings, DynamicSettings, EqualizerSettings, Placement, Shape};

use super::filter::Section;
use super::{Block, GainLog, Process, RecordGain, Ticks};
use band_solo::BandSolo;
use design::{MAX_SECTIONS, Prototype, design, is_split};
use schedule::Schedule;
use units::{Db, Hz, Samples, decibels};

/// Eight bands in series.
///
/// # Analogue prototypes
/// With `s` relative to the band's frequency, `A = 10^(gain / 40)`:
/// - bell `(s² + s A/Q + 1) / (s² + s / (A Q) + 1)`: boost and cut at equal Q cancel;
/// - high shelf `A (A s² + s √A/Q + 1) / (s² + s √A/Q + A)`, low shelf its mirror image (Bristow-Johnson, "Audio EQ
///   Cookbook"); Q above 0.71 overshoots;
/// - notch `(s² + 1) / (s² + s/Q + 1)`;
/// - tilt `(A s + 1) / (s + A)`: minus half the gain at the bottom, plus half at the top, first order, no Q;
/// - cuts: Butterworth of order slope / 6, whose sharpest pole pair's Q is multiplied by `q` (1: pure Butterworth;
///   held below 16).
///
/// # Accuracy
/// Fitted as described at [`filter::fit`](super::filter::fit): one second-order section per bell, notch, tilt and
/// shelf; two, fitted together, for shelves of Q above 1.3 and notches of Q below 0.9, where one has too little
/// freedom; one per two orders of a cut. Designing one section costs 9 000 instructions below
/// fs / 10 and 14 000 above (callgrind).
///
/// Largest errors against the prototype in decibels, over Q 0.1 to 40 at 44.1, 48, 96 and 192 kHz (`tests/prototype.rs`;
/// fs is the rate), for bands up to fs / 4 and ±12 dB:
///
/// | shape | up to fs / 4 | up to 0.9 Nyquist |
/// |---|---|---|
/// | bell | 0.077 | 0.31 |
/// | shelves | 0.037 | 0.25 |
/// | tilt | 0.005 | 0.04 |
/// | notch, above -24 dB | 0.088 | 0.33 |
///
/// At ±18 dB: bell 0.14 up to fs / 4 (Q near 1), shelves 0.07. Cuts up to fs / 3, up to 0.7 Nyquist, above -24 dB:
/// low 0.42 (Q held at 16, 14.7 kHz at 44.1 kHz), high 0.12. Bands above fs / 4: bell and tilt
/// 0.5; shelves up to 4.9 at Q 40 and 18 dB, where the resonance meets Nyquist.
///
/// # Dynamic bands
/// A bell or shelf whose [range](DynamicSettings::range) is not 0 moves its own gain by the level of its key in its band: of
/// the audio it is about to act on or of the sidechain (feed-forward; Giannoulis, Massberg & Reiss, JAES 60(6), 2012). The response at any moment is that of a static band of the same gain,
/// within 0.03 dB (sharp shelves 0.12 dB; bands up to fs / 4). Gains move in steps of 8 frames, coefficients straight in
/// between: an attack shorter than that takes that long. Of bands that move in a row each takes its steps a frame earlier
/// than the one before it. [`movements`](Self::movements) reads the current gains; [`set_solo`](Self::set_solo) makes a band or
/// its key audible.
///
/// # Changes
/// Frequency, gain and Q glide over 20 ms at control ticks, coefficients straight between them, in a form whose
/// state cannot grow however fast they move. All else crossfades in the same time. Latency: none.
/// Neutral when every band is off or a bell, shelf or tilt at exactly 0 dB without dynamics: then bit-transparent.
pub struct Equalizer {
    ticks: Ticks,
    /// As many as [`BANDS`].
    bands: Box<[Band]>,
    solo: BandSolo,
    schedule: Schedule,
    fresh: bool,
}

impl Equalizer {
    /// A neutral equalizer for audio at `rate`.
    pub fn new(rate: Hz) -> Self {
        let bands = EqualizerSettings::default().bands.iter().map(|band| Band::new(band, rate)).collect();
        Self {
            ticks: Ticks::default(),
            bands,
            solo: BandSolo::new(rate),
            schedule: Schedule::new(BANDS),
            fresh: true,
        }
    }

    /// Movement of each band's gain by its dynamics now; 0 dB for static bands.
    pub fn movements(&self) -> [Db; BANDS] {
        core::array::from_fn(|i| self.bands[i].movement())
    }

    /// Makes one band, or its key, audible instead of the output; `None`: the output again. Fades in 20 ms.
    /// Not a setting: it ends with `reset`.
    pub fn set_solo(&mut self, target: Option<SoloTarget>) {
        self.solo.set_target(target);
    }

    /// The target set last.
    pub fn solo(&self) -> Option<SoloTarget> {
        self.solo.wanted
    }

    /// True when ticks change nothing until new settings come.
    fn has_arrived(&self) -> bool {
        self.solo.is_neutral() && self.bands.iter().all(|band| band.arrived)
    }

    /// True when output equals input to the bit: nothing to do, nothing on its way.
    pub fn is_neutral(&self) -> bool {
        self.solo.is_neutral() && self.bands.iter().all(Band::is_neutral)
    }
}

impl Process for Equalizer {
    type Settings = EqualizerSettings;

    fn set(&mut self, settings: &EqualizerSettings) {
        for (band, settings) in self.bands.iter_mut().zip(&settings.bands) {
            band.set(settings, self.fresh);
        }
        self.fresh = false;
    }

    fn latency(&self) -> Samples {
        Samples(0)
    }

    fn reset(&mut self) {
        self.ticks.reset();
        self.fresh = true;
        self.schedule.clear();
        self.bands.iter_mut().for_each(Band::reset);
        self.solo.reset();
    }

    fn process(&mut self, block: &mut Block<'_>) {
        self.run(block, &mut GainLog::Off);
    }
}

impl RecordGain for Equalizer {
    fn run(&mut self, block: &mut Block<'_>, gain_log: &mut GainLog<'_>) {
        self.fresh = false;
        let mut arrived = self.has_arrived();
        if (!arrived || self.schedule.is_empty()) && self.is_neutral() {
            self.ticks.skip(block.len());
            return;
        }
        let frames = block.len();
        let mut at = 0;
        while at < frames {
            let step = self.ticks.next(frames - at);
            if step.tick && !arrived {
                self.schedule.give_back(&mut self.bands);
                self.bands.iter_mut().for_each(Band::tick);
                self.solo.tick(|band| self.bands[band].goal);
                arrived = self.has_arrived();
            }
            let mut end = at + step.frames;
            if arrived {
                // Ticks would change nothing.
                self.ticks.skip(frames - end);
                end = frames;
            }
            let part = &mut block.part(at..end);
            let Self { bands, solo, schedule, .. } = self;
            schedule.make(bands, solo.current);
            schedule.run(step.since, bands, solo, part, gain_log);
            solo.process(step.since, |band| bands[band].goal.placement, part);
            at = end;
        }
    }
}

/// The gain of the digital filter that `settings` make at `rate`, in the part of the stereo field it acts on;
/// 0 dB when off.
pub fn response(settings: &BandSettings, rate: Hz, frequency: Hz) -> Db {
    Response::new(settings, rate).at(frequency)
}

/// The gain of the analogue prototype of `settings`; 0 dB when off.
pub fn analogue_response(settings: &BandSettings, frequency: Hz) -> Db {
    let band = settings.clamped();
    if band.is_idle() {
        return Db(0.0);
    }
    Prototype::new(&band, is_split(band.shape, band.q)).gain((frequency.0 / band.frequency.0).powi(2))
}

/// The response of one band at many frequencies, designed once.
#[derive(Clone, Debug)]
pub struct Response {
    rate: Hz,
    sections: [Section; MAX_SECTIONS],
}

impl Response {
    /// Designs the filter that `settings` make at `rate`.
    pub fn new(settings: &BandSettings, rate: Hz) -> Self {
        let band = settings.clamped();
        let idle = [Section::IDENTITY; MAX_SECTIONS];
        Self {
            rate,
            sections: if band.is_idle() { idle } else { design(&band, is_split(band.shape, band.q), rate) },
        }
    }

    /// The gain at `frequency`.
    pub fn at(&self, frequency: Hz) -> Db {
        let power: f64 =
            self.sections.iter().map(|section| section.power(frequency.0 / self.rate.0)).product();
        Db(0.5 * decibels(power))
    }
}
