//! The noise print of an instance, the threshold per octave, and the wish to learn a print: between a window, the audio thread and what is saved.

use super::control::Changes;
use dsp::denoise::{BANDS, CURVE_POINTS, NoisePrint, ThresholdCurve};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use units::{Db, Ms};

/// A word per band, so that the audio thread reads and writes without a lock.
///
/// Writers take turns: the audio thread tries, the others wait for the few hundred nanoseconds that it takes. A reader
/// that comes in between may see two prints mixed; the change that is counted behind every write makes it look again.
#[derive(Debug)]
pub struct Noise {
    /// There is a print.
    learned: AtomicBool,
    levels: [AtomicU32; BANDS],
    /// What is added to the threshold per octave, dB as bits.
    curve: [AtomicU64; CURVE_POINTS],
    /// Somebody writes.
    taken: AtomicBool,
    /// What a person wants: [`NOTHING`], [`LEARN`] or [`KEEP`].
    wish: AtomicU8,
    /// Sound that has been learned from since learning began, milliseconds.
    heard: AtomicU64,
    changes: Changes,
}

/// The most that a point of the curve adds or takes, dB.
pub const MOST_CURVE: f64 = 24.0;

const NOTHING: u8 = 0;
const LEARN: u8 = 1;
const KEEP: u8 = 2;

/// What a person wants of the audio thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Nothing; what was being learned is forgotten.
    Nothing,
    /// Noise is to be learned.
    Learn,
    /// What has been learned is to become the print.
    Keep,
}

impl Noise {
    /// No print; later ones are counted in `changes`.
    pub fn new(changes: Changes) -> Self {
        Self {
            learned: AtomicBool::new(false),
            levels: [const { AtomicU32::new(0) }; BANDS],
            curve: [const { AtomicU64::new(0) }; CURVE_POINTS],
            taken: AtomicBool::new(false),
            wish: AtomicU8::new(NOTHING),
            heard: AtomicU64::new(0),
            changes,
        }
    }

    /// The print; `None`: the noise is tracked. Neither waits nor allocates.
    pub fn print(&self) -> Option<NoisePrint> {
        if !self.learned.load(Ordering::Acquire) {
            return None;
        }
        NoisePrint::new(&self.levels.each_ref().map(|level| f32::from_bits(level.load(Ordering::Relaxed))))
    }

    /// What is added to the threshold per octave. Reads nine words.
    pub fn curve(&self) -> ThresholdCurve {
        self.curve.each_ref().map(|point| Db(f64::from_bits(point.load(Ordering::Relaxed))))
    }

    /// Adds that to the threshold per octave, each within +-24 dB. For every thread but the audio thread, one at a time; a reader
    /// that comes in between looks again at the change that is counted.
    pub fn set_curve(&self, curve: &ThresholdCurve) {
        for (to, point) in self.curve.iter().zip(curve) {
            let point = if point.0.is_finite() { point.0.clamp(-MOST_CURVE, MOST_CURVE) } else { 0.0 };
            to.store(point.to_bits(), Ordering::Relaxed);
        }
        self.changes.add();
    }

    /// Takes the place of the print, or has the noise tracked. For every thread but the audio thread.
    pub fn set(&self, print: Option<&NoisePrint>) {
        while !self.try_set(print) {
            std::thread::yield_now();
        }
    }

    /// As [`Self::set`], for the audio thread: false, and nothing done, while somebody else writes.
    pub fn try_set(&self, print: Option<&NoisePrint>) -> bool {
        if self.taken.swap(true, Ordering::Acquire) {
            return false;
        }
        if let Some(print) = print {
            for (to, level) in self.levels.iter().zip(print.levels()) {
                to.store(level.to_bits(), Ordering::Relaxed);
            }
        }
        self.learned.store(print.is_some(), Ordering::Release);
        self.taken.store(false, Ordering::Release);
        self.changes.add();
        true
    }

    /// Noise is to be learned from what is heard from now on. For a window.
    pub fn learn(&self) {
        self.heard.store(0, Ordering::Relaxed);
        self.wish.store(LEARN, Ordering::Relaxed);
    }

    /// Enough is learned: it is to become the print. Without effect while nothing is learned.
    pub fn keep(&self) {
        let _ = self.wish.compare_exchange(LEARN, KEEP, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// What is being learned is to be forgotten; the print stays.
    pub fn cancel(&self) {
        self.wish.store(NOTHING, Ordering::Relaxed);
    }

    /// What is wanted of the audio thread. Reads a word.
    pub fn wish(&self) -> Wish {
        match self.wish.load(Ordering::Relaxed) {
            LEARN => Wish::Learn,
            KEEP => Wish::Keep,
            _ => Wish::Nothing,
        }
    }

    /// The audio thread has learned, `None` if it has heard nothing; false while somebody else writes: it tries again.
    pub fn finish(&self, print: Option<&NoisePrint>) -> bool {
        let done = print.is_none() || self.try_set(print);
        if done {
            // not over a wish that has come since
            let _ = self.wish.compare_exchange(KEEP, NOTHING, Ordering::Relaxed, Ordering::Relaxed);
        }
        done
    }

    /// The audio thread has learned from so much sound.
    pub fn show_heard(&self, heard: Ms) {
        self.heard.store(heard.0 as u64, Ordering::Relaxed);
    }

    /// From how much sound has been learned; `None` while nothing is.
    pub fn heard(&self) -> Option<Ms> {
        (self.wish() != Wish::Nothing).then(|| Ms(self.heard.load(Ordering::Relaxed) as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(level: f32) -> NoisePrint {
        NoisePrint::new(&[level; BANDS]).expect("96 numbers")
    }

    #[test]
    fn a_print_is_there_until_it_is_tracked_again_and_every_change_is_counted() {
        let changes = Changes::default();
        let noise = Noise::new(changes.clone());
        assert_eq!(noise.print(), None);
        noise.set(Some(&print(-90.5)));
        assert_eq!((noise.print(), changes.count()), (Some(print(-90.5)), 1));
        assert!(noise.try_set(None));
        assert_eq!((noise.print(), changes.count()), (None, 2));
    }

    #[test]
    fn a_curve_is_added_to_the_threshold_as_it_is_and_within_its_range() {
        let changes = Changes::default();
        let noise = Noise::new(changes.clone());
        assert_eq!(noise.curve(), [Db(0.0); CURVE_POINTS]);
        let mut curve: ThresholdCurve = core::array::from_fn(|n| Db(n as f64 / 3.0 - 1.0));
        noise.set_curve(&curve);
        assert_eq!((noise.curve(), changes.count()), (curve, 1));
        (curve[0], curve[1]) = (Db(f64::NAN), Db(-99.0));
        noise.set_curve(&curve);
        assert_eq!(noise.curve()[..3], [Db(0.0), Db(-24.0), curve[2]]);
    }

    #[test]
    fn the_audio_thread_does_not_wait_for_who_writes() {
        let noise = Noise::new(Changes::default());
        noise.taken.store(true, Ordering::Relaxed);
        assert!(!noise.try_set(Some(&print(-80.0))));
        assert_eq!(noise.print(), None);
    }

    #[test]
    fn what_was_learned_becomes_the_print_only_if_it_was_wanted_and_heard() {
        let noise = Noise::new(Changes::default());
        noise.keep();
        assert_eq!((noise.wish(), noise.heard()), (Wish::Nothing, None), "nothing to keep");
        noise.learn();
        noise.show_heard(Ms(1500.0));
        assert_eq!((noise.wish(), noise.heard()), (Wish::Learn, Some(Ms(1500.0))));
        noise.keep();
        assert_eq!(noise.wish(), Wish::Keep);
        assert!(noise.finish(None));
        assert_eq!((noise.wish(), noise.print()), (Wish::Nothing, None));
        noise.learn();
        assert_eq!(noise.heard(), Some(Ms(0.0)), "anew");
        noise.keep();
        noise.taken.store(true, Ordering::Relaxed);
        assert!(!noise.finish(Some(&print(-80.0))));
        assert_eq!(noise.wish(), Wish::Keep, "until it is done");
        noise.taken.store(false, Ordering::Relaxed);
        assert!(noise.finish(Some(&print(-80.0))));
        assert_eq!((noise.wish(), noise.print()), (Wish::Nothing, Some(print(-80.0))));
    }

    #[test]
    fn writers_never_mix_their_prints() {
        let noise = Noise::new(Changes::default());
        std::thread::scope(|scope| {
            for level in [-60.0, -70.0, -80.0] {
                let noise = &noise;
                scope.spawn(move || (0..3000).for_each(|_| noise.set(Some(&print(level)))));
            }
        });
        let last = noise.print().expect("there is one");
        assert!([-60.0, -70.0, -80.0].iter().any(|&level| last == print(level)), "{last:?}");
    }
}
