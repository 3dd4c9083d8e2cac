//! Noise print and threshold offsets of an instance, and requests to learn a print, shared by window, audio thread
//! and saved document.

use super::control::Changes;
use dsp::denoise::{BANDS, CURVE_POINTS, NoisePrint, ThresholdCurve};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use units::{Db, Ms};

/// Noise print in atomic words, so that the audio thread reads and writes without a lock.
///
/// Writers exclude each other: the audio thread only tries, others spin for the few hundred nanoseconds of a write. A
/// concurrent reader may see a mixture of two prints; the change counted after every write makes it read again.
#[derive(Debug)]
pub struct Noise {
    /// True if there is a print.
    has_print: AtomicBool,
    levels: [AtomicU32; BANDS],
    /// Threshold offset per octave, bits of dB.
    curve: [AtomicU64; CURVE_POINTS],
    /// True while a thread writes the print.
    writing: AtomicBool,
    /// The request: [`REQUEST_NONE`], [`REQUEST_LEARN`] or [`REQUEST_KEEP`].
    request: AtomicU8,
    /// Length of the learned sound, milliseconds.
    learned_ms: AtomicU64,
    changes: Changes,
}

/// Maximum threshold offset, dB, in either direction.
pub const MAX_CURVE_OFFSET: f64 = 24.0;

const REQUEST_NONE: u8 = 0;
const REQUEST_LEARN: u8 = 1;
const REQUEST_KEEP: u8 = 2;

/// Request to the audio thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LearnRequest {
    /// Learns nothing, and forgets an unfinished print.
    None,
    /// Learns noise.
    Learn,
    /// Makes the learned noise the print.
    Keep,
}

impl Noise {
    /// Creates an empty print; changes are counted in `changes`.
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

    /// Returns the print; `None`: the noise is tracked. Neither waits nor allocates.
    pub fn print(&self) -> Option<NoisePrint> {
        if !self.has_print.load(Ordering::Acquire) {
            return None;
        }
        NoisePrint::new(&self.levels.each_ref().map(|level| f32::from_bits(level.load(Ordering::Relaxed))))
    }

    /// Returns the threshold offsets per octave. Reads nine words.
    pub fn curve(&self) -> ThresholdCurve {
        self.curve.each_ref().map(|point| Db(f64::from_bits(point.load(Ordering::Relaxed))))
    }

    /// Sets the threshold offsets, each clamped to ±24 dB. For one thread at a time, not the audio thread; a
    /// concurrent reader reads again after the counted change.
    pub fn set_curve(&self, curve: &ThresholdCurve) {
        for (to, point) in self.curve.iter().zip(curve) {
            let point =
                if point.0.is_finite() { point.0.clamp(-MAX_CURVE_OFFSET, MAX_CURVE_OFFSET) } else { 0.0 };
            to.store(point.to_bits(), Ordering::Relaxed);
        }
        self.changes.add();
    }

    /// Sets the print, or returns to tracking. Not for the audio thread.
    pub fn set_print(&self, print: Option<&NoisePrint>) {
        while !self.try_set_print(print) {
            std::thread::yield_now();
        }
    }

    /// Sets the print as [`Self::set_print`] does, for the audio thread: returns false without effect while another
    /// thread writes.
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

    /// Requests learning from now on. For a window.
    pub fn start_learning(&self) {
        self.learned_ms.store(0, Ordering::Relaxed);
        self.request.store(REQUEST_LEARN, Ordering::Relaxed);
    }

    /// Requests that the learned noise become the print. No effect unless learning.
    pub fn keep_learned(&self) {
        let _ =
            self.request.compare_exchange(REQUEST_LEARN, REQUEST_KEEP, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Cancels learning; the print stays.
    pub fn cancel_learning(&self) {
        self.request.store(REQUEST_NONE, Ordering::Relaxed);
    }

    /// Returns the request. Reads one word.
    pub fn request(&self) -> LearnRequest {
        match self.request.load(Ordering::Relaxed) {
            REQUEST_LEARN => LearnRequest::Learn,
            REQUEST_KEEP => LearnRequest::Keep,
            _ => LearnRequest::None,
        }
    }

    /// Stores the learned print, `None` if nothing was heard. For the audio thread, which tries again after false.
    pub fn finish_learning(&self, print: Option<&NoisePrint>) -> bool {
        let done = print.is_none() || self.try_set_print(print);
        if done {
            // a request that has come meanwhile stays
            let _ = self.request.compare_exchange(
                REQUEST_KEEP,
                REQUEST_NONE,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        }
        done
    }

    /// Publishes the length of the learned sound. For the audio thread.
    pub fn set_learned_duration(&self, heard: Ms) {
        self.learned_ms.store(heard.0 as u64, Ordering::Relaxed);
    }

    /// Returns the length of the learned sound; `None` unless learning.
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
    fn the_audio_thread_does_not_wait_for_a_writer() {
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
