//! The static bands without phase shift: one convolution instead of a filter per band.

mod convolver;
mod designer;

#[cfg(test)]
mod tests;

use super::{EqualizerSettings, Placement};
use crate::delay::Delay;
use crate::{Block, Process, Ticks};
use convolver::{Convolver, Filters};
use designer::Designer;
use units::{Hz, Samples};

/// Partitions of the impulse response.
const PARTS: usize = 8;

/// The eight bands of an [`Equalizer`](super::Equalizer) with the gains of their analogue prototypes and no phase.
///
/// Bands that move by themselves are left to the minimum-phase equalizer, which comes after: see [`Self::split`].
///
/// # Method
/// The gains of all bands are multiplied, as 2 × 2 matrices of the channels, at 8193 frequencies (at 48 kHz); their transform,
/// windowed (Kaiser, 3), is the impulse response, convolved in eight partitions of 1024 in the frequency domain (uniformly
/// partitioned overlap-save; Gardner, "Efficient Convolution without Input-Output Delay", JAES 43(3), 1995). What is convolved
/// is the *change*; it is added to the delayed input.
///
/// # Accuracy
/// The response is that of the analogue prototype up to Nyquist, as sharp as 171 ms of impulse response allow. Largest errors
/// from 20 Hz on, above -24 dB, at 48 kHz (`tests.rs`):
///
/// | bands | dB |
/// |---|---:|
/// | bells, shelves from 60 Hz, up to Q 1, ±6 dB | 0.1 |
/// | bells of Q 10 and less from 1 kHz, ±12 dB | 0.1 |
/// | bell of Q 1 at 30 Hz, 6 dB | 0.25 |
/// | low cut at 25 Hz, 12 / 24 dB/oct | 0.15 / 0.4 |
/// | low cut at 100 Hz, 24 dB/oct | 0.2 |
///
/// Longer responses are cut short and become wider: a bell of Q 10 and -6 dB at 100 Hz lacks 1.4 dB at its centre, a low cut of
/// 48 dB/oct at 30 Hz 3.7 dB at 21 Hz. Like all
/// filters without phase shift it rings before a sound as much as after it.
///
/// # Changes
/// A new response is designed in slices at control ticks, 45 of them at most for 48 kHz, and crossfaded in the next
/// partition (21 ms): a change is heard some 50 ms later, and 170 ms later where nothing was convolved before. Setting a
/// fresh unit designs at once, all slices in one call. Nothing is allocated. The transforms of a partition (1024 frames) are
/// done in the block in which it ends.
///
/// Latency: half the response and one partition, 5120 samples at 44.1 and 48 kHz (0.1 s), whatever is on. Neutral when all static
/// bands are off or at 0 dB: then a plain delay, to the bit.
pub struct LinearEqualizer {
    convolver: Convolver,
    designer: Designer,
    current: Filters,
    next: Filters,
    /// Settings wanted, those of `current`, and those of `next`.
    goal: EqualizerSettings,
    made: EqualizerSettings,
    making: EqualizerSettings,
    stage: Stage,
    dry: [Delay; 2],
    ticks: Ticks,
    fresh: bool,
}

/// Progress of the next response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Rest,
    Designing,
    Ready,
}

impl LinearEqualizer {
    /// A neutral equalizer for audio at `rate`.
    pub fn new(rate: Hz) -> Self {
        let taps = taps(rate);
        let part = taps / PARTS;
        let flat = EqualizerSettings::default(); // all bands are off
        Self {
            convolver: Convolver::new(part),
            designer: Designer::new(taps, rate),
            current: Filters::new(part),
            next: Filters::new(part),
            goal: flat.clone(),
            made: flat.clone(),
            making: flat,
            stage: Stage::Rest,
            dry: [Delay::new(Samples(taps / 2 + part)), Delay::new(Samples(taps / 2 + part))],
            ticks: Ticks::default(),
            fresh: true,
        }
    }

    /// `settings` as two: the static bands, for this unit, and the dynamic ones, for an
    /// [`Equalizer`](super::Equalizer) after it. Bands of the other part are off.
    pub fn split(settings: &EqualizerSettings) -> [EqualizerSettings; 2] {
        let part = |dynamic: bool| {
            let mut part = settings.clone();
            for band in &mut part.bands {
                band.on &= band.clamped().is_dynamic() == dynamic;
            }
            part
        };
        [part(false), part(true)]
    }

    /// True when output is the delayed input to the bit: nothing to do, nothing on its way.
    pub fn is_neutral(&self) -> bool {
        self.stage == Stage::Rest
            && self.made == self.goal
            && self.current.is_nothing()
            && self.convolver.is_silent()
    }

    fn tick(&mut self) {
        if self.stage == Stage::Rest && self.goal != self.made {
            self.begin();
        } else if self.stage == Stage::Designing && self.designer.advance(&mut self.next) {
            self.stage = Stage::Ready;
        }
    }

    fn begin(&mut self) {
        self.making = self.goal.clone();
        self.designer.begin(&self.making);
        self.stage = Stage::Designing;
    }

    /// Makes the goal current without a fade.
    fn design_at_once(&mut self) {
        self.stage = Stage::Rest;
        if self.goal != self.made {
            self.begin();
            while !self.designer.advance(&mut self.next) {}
            self.swap();
        }
    }

    fn swap(&mut self) {
        core::mem::swap(&mut self.current, &mut self.next);
        self.made = self.making.clone();
        self.stage = Stage::Rest;
    }

    /// A partition of input is complete.
    fn part(&mut self) {
        if self.stage == Stage::Rest && self.current.is_nothing() {
            self.convolver.sleep();
            return;
        }
        let knows_the_past = self.convolver.hear();
        if self.stage == Stage::Ready && (knows_the_past || self.next.is_nothing()) {
            self.convolver.convolve(&self.current, Some(&self.next));
            self.swap();
        } else {
            self.convolver.convolve(&self.current, None);
        }
    }
}

/// Length of the impulse response at `rate`: the power of two at or above 170 ms.
fn taps(rate: Hz) -> usize {
    ((rate.0 * 0.17).ceil().max(256.0) as usize).next_power_of_two()
}

/// Bands that change nothing are all alike.
fn only_what_is_heard(settings: &EqualizerSettings) -> EqualizerSettings {
    let mut heard = EqualizerSettings::default();
    for (heard, band) in heard.bands.iter_mut().zip(&settings.bands) {
        let band = band.clamped();
        if !band.is_dynamic() && !band.is_idle() {
            *heard = super::BandSettings { dynamic: heard.dynamic, ..band };
        }
    }
    heard
}

impl Process for LinearEqualizer {
    type Settings = EqualizerSettings;

    fn set(&mut self, settings: &EqualizerSettings) {
        self.goal = only_what_is_heard(settings);
        if self.fresh {
            self.design_at_once();
        }
        self.fresh = false;
    }

    fn latency(&self) -> Samples {
        self.dry[0].length()
    }

    fn reset(&mut self) {
        self.design_at_once();
        self.convolver.reset();
        self.dry.iter_mut().for_each(|delay| delay.fill(0.0));
        self.ticks.reset();
        self.fresh = true;
    }

    fn process(&mut self, block: &mut Block<'_>) {
        self.fresh = false;
        let frames = block.len();
        let (left, right) = block.channels();
        let mut at = 0;
        while at < frames {
            // Partitions are whole numbers of control intervals long.
            let step = self.ticks.next(frames - at);
            if step.tick {
                self.tick();
            }
            let range = at..at + step.frames;
            let mut channels = [&mut left[range.clone()], &mut right[range]];
            self.convolver.take(channels.each_ref().map(|samples| &**samples));
            for (delay, samples) in self.dry.iter_mut().zip(&mut channels) {
                delay.process(samples);
            }
            if self.convolver.give(channels) {
                self.part();
            }
            at += step.frames;
        }
    }
}
