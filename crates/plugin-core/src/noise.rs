//! The noise print of an instance, the threshold per octave, and the request to learn a print: between a window, the audio thread and what is saved.

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
    has_print: AtomicBool,
    levels: [AtomicU32; BANDS],
    /// What is added to the threshold per octave, dB as bits.
    curve: [AtomicU64; CURVE_POINTS],
    /// Somebody writes.
    writing: AtomicBool,
    /// What a person wants: [`REQUEST_NONE`], [`REQUEST_LEARN`] or [`REQUEST_KEEP`].
    request: AtomicU8,
    /// Sound that has been learned from since learning began, milliseconds.
    learned_ms: AtomicU64,
    changes: Changes,
}

/// The most that a point of the curve adds or takes, dB.
pub const MAX_CURVE_OFFSET: f64 = 24.0;

const REQUEST_NONE: u8 = 0;
const REQUEST_LEARN: u8 = 1;
const REQUEST_KEEP: u8 = 2;

/// What a person wants of the audio thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LearnRequest {
    /// Nothing; what was being learned is forgotten.
    None,
    /// Noise is to be learned.
    Learn,
    /// What has been learned is to become the print.
    Keep,
}

impl Noise {
    /// No print; later ones are counted in `changes`.
    pub fn new(changes: Changes) -> Self {
        Self {
            has_print: AtomicBool::new(false),
            levels: [const { AtomicU32::new(0) }; BANDS],
            curve: [const { AtomicU64::new(0) }; CURVE_POINTS],
            writing: AtomicBool::new(false),
            request: AtomicU8::new(REQUEST_NONE),
            learned_ms: AtomicU64::new(0),
            changes,
        }
    }

    /// The print; `None`: the noise is tracked. Neither waits nor allocates.
    pub fn print(&self) -> Option<NoisePrint> {
        if !self.has_print.load(Ordering::Acquire) {
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
            let point =
                if point.0.is_finite() { point.0.clamp(-MAX_CURVE_OFFSET, MAX_CURVE_OFFSET) } else { 0.0 };
            to.store(point.to_bits(), Ordering::Relaxed);
        }
        self.changes.add();
    }

    /// Takes the place of the print, or has the noise tracked. For every thread but the audio thread.
    pub fn set_print(&self, print: Option<&NoisePrint>) {
        while !self.try_set_print(print) {
            std::thread::yield_now();
        }
    }

    /// As [`Self::set_print`], for the audio thread: false, and nothing done, while somebody else writes.
    pub fn try_set_print(&self, print: Option<&NoisePrint>) -> bool {
        if self.writing.swap(true, Ordering::Acquire) {
            return false;
        }
        if let Some(print) = print {
            for (to, level) in self.levels.iter().zip(print.levels()) {
                to.store(level.to_bits(), Ordering::Relaxed);
            }
        }
        self.has_print.store(print.is_some(), Ordering::Release);
        self.writing.store(false, Ordering::Release);
        self.changes.add();
        true
    }

    /// Noise is to be learned from what is heard from now on. For a window.
    pub fn start_learning(&self) {
        self.learned_ms.store(0, Ordering::Relaxed);
        self.request.store(REQUEST_LEARN, Ordering::Relaxed);
    }

    /// Enough is learned: it is to become the print. Without effect while nothing is learned.
    pub fn keep_learned(&self) {
        let _ =
            self.request.compare_exchange(REQUEST_LEARN, REQUEST_KEEP, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// What is being learned is to be forgotten; the print stays.
    pub fn cancel_learning(&self) {
        self.request.store(REQUEST_NONE, Ordering::Relaxed);
    }

    /// What is wanted of the audio thread. Reads a word.
    pub fn request(&self) -> LearnRequest {
        match self.request.load(Ordering::Relaxed) {
            REQUEST_LEARN => LearnRequest::Learn,
            REQUEST_KEEP => LearnRequest::Keep,
            _ => LearnRequest::None,
        }
    }

    /// The audio thread has learned, `None` if it has heard nothing; false while somebody else writes: it tries again.
    pub fn finish_learning(&self, print: Option<&NoisePrint>) -> bool {
        let done = print.is_none() || self.try_set_print(print);
        if done {
            // not over a request that has come since
            let _ = self.request.compare_exchange(
                REQUEST_KEEP,
                REQUEST_NONE,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        }
        done
    }

    /// The audio thread has learned from so much sound.
    pub fn set_learned_duration(&self, heard: Ms) {
        self.learned_ms.store(heard.0 as u64, Ordering::Relaxed);
    }

    /// From how much sound has been learned; `None` while nothing is.
    pub fn learned_duration(&self) -> Option<Ms> {
        (self.request() != LearnRequest::None).then(|| Ms(self.learned_ms.load(Ordering::Relaxed) as f64))
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
        noise.set_print(Some(&print(-90.5)));
        assert_eq!((noise.print(), changes.count()), (Some(print(-90.5)), 1));
        assert!(noise.try_set_print(None));
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
        noise.writing.store(true, Ordering::Relaxed);
        assert!(!noise.try_set_print(Some(&print(-80.0))));
        assert_eq!(noise.print(), None);
    }

    #[test]
    fn what_was_learned_becomes_the_print_only_if_it_was_wanted_and_heard() {
        let noise = Noise::new(Changes::default());
        noise.keep_learned();
        assert_eq!(
            (noise.request(), noise.learned_duration()),
            (LearnRequest::None, None),
            "nothing to keep"
        );
        noise.start_learning();
        noise.set_learned_duration(Ms(1500.0));
        assert_eq!((noise.request(), noise.learned_duration()), (LearnRequest::Learn, Some(Ms(1500.0))));
        noise.keep_learned();
        assert_eq!(noise.request(), LearnRequest::Keep);
        assert!(noise.finish_learning(None));
        assert_eq!((noise.request(), noise.print()), (LearnRequest::None, None));
        noise.start_learning();
        assert_eq!(noise.learned_duration(), Some(Ms(0.0)), "anew");
        noise.keep_learned();
        noise.writing.store(true, Ordering::Relaxed);
        assert!(!noise.finish_learning(Some(&print(-80.0))));
        assert_eq!(noise.request(), LearnRequest::Keep, "until it is done");
        noise.writing.store(false, Ordering::Relaxed);
        assert!(noise.finish_learning(Some(&print(-80.0))));
        assert_eq!((noise.request(), noise.print()), (LearnRequest::None, Some(print(-80.0))));
    }

    #[test]
    fn writers_never_mix_their_prints() {
        let noise = Noise::new(Changes::default());
        std::thread::scope(|scope| {
            for level in [-60.0, -70.0, -80.0] {
                let noise = &noise;
                scope.spawn(move || (0..3000).for_each(|_| noise.set_print(Some(&print(level)))));
            }
        });
        let last = noise.print().expect("there is one");
        assert!([-60.0, -70.0, -80.0].iter().any(|&level| last == print(level)), "{last:?}");
    }
}
