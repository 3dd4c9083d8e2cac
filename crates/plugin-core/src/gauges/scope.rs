//! Sample rings for windows: input and output of the chain, and gain reduction.
//!
//! Rings of atomic words, written by the audio thread only while a [`ScopeWatch`] lives: without a window they cost
//! one load per block. A reader may find the oldest few frames overwritten: the rings are for display, not for
//! measurement.

use atomic_float::AtomicF64;
use meter::stereo::StereoSums;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use units::{Db, Hz};

/// Frames in the ring of each point: a third of a second at 48 kHz.
pub const SCOPE_FRAMES: usize = 1 << 14;
/// Frames per value of gain reduction; fewer at the end of a host's block.
pub const REDUCTION_FRAMES: usize = 512;
/// Values of gain reduction in the ring: eleven seconds at 48 kHz.
pub const REDUCTION_COUNT: usize = 1 << 10;

/// Point of the signal path at which samples are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopePoint {
    /// Input from the host.
    Before,
    /// Output of the chain.
    After,
    /// The host's sidechain.
    Sidechain,
}

/// Published rings. Read by any thread; one thread at a time writes.
#[derive(Debug, Default)]
pub struct Scope {
    watchers: AtomicU32,
    /// Sampling rate, Hz; 0 before the host activates.
    rate: AtomicF64,
    /// Allocated by the first [`ScopeWatch`].
    rings: OnceLock<ScopeRings>,
    wake: OnceLock<SoundCallback>,
}

/// Callback for new sound.
struct SoundCallback(Box<dyn Fn() + Send + Sync>);

impl std::fmt::Debug for SoundCallback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SoundCallback")
    }
}

#[derive(Debug)]
struct ScopeRings {
    before: PairRing,
    after: PairRing,
    sidechain: PairRing,
    /// Compressor and limiter, dB.
    reductions: PairRing,
    /// Highest samples of input and output in the same slices, linear.
    peaks: PairRing,
    /// The writer's: frames in the unfinished slice, and the highest gain reductions and samples in them.
    slice_frames: AtomicU64,
    slice: AtomicU64,
    slice_peaks: AtomicU64,
}

/// Ring of `f32` pairs, one pair in a word.
#[derive(Debug)]
struct PairRing {
    words: Box<[AtomicU64]>,
    written: AtomicU64,
}

impl PairRing {
    fn new(length: usize) -> Self {
        let words = std::iter::repeat_with(AtomicU64::default).take(length).collect();
        Self { words, written: AtomicU64::new(0) }
    }

    fn write(&self, pairs: impl Iterator<Item = [f32; 2]>) {
        let mut at = self.written.load(Ordering::Relaxed);
        let length = self.words.len() as u64;
        for pair in pairs {
            self.words[(at % length) as usize].store(pack(pair), Ordering::Relaxed);
            at += 1;
        }
        // Release: a reader of the count sees the words
        self.written.store(at, Ordering::Release);
    }

    fn read(&self, newest: usize, into: &mut Vec<[f32; 2]>) -> u64 {
        into.clear();
        let written = self.written.load(Ordering::Acquire);
        let length = self.words.len() as u64;
        let first = written.saturating_sub(length.min(newest as u64));
        into.extend(
            (first..written).map(|at| unpack(self.words[(at % length) as usize].load(Ordering::Relaxed))),
        );
        written
    }
}

fn pack([a, b]: [f32; 2]) -> u64 {
    u64::from(a.to_bits()) << 32 | u64::from(b.to_bits())
}

fn unpack(word: u64) -> [f32; 2] {
    [f32::from_bits((word >> 32) as u32), f32::from_bits(word as u32)]
}

impl Scope {
    /// Returns the sampling rate; `None` before the host activates.
    pub fn rate(&self) -> Option<Hz> {
        let rate = self.rate.load(Ordering::Relaxed);
        (rate > 0.0).then_some(Hz(rate))
    }

    /// Publishes the sampling rate.
    pub fn publish_rate(&self, rate: Hz) {
        self.rate.store(rate.0, Ordering::Relaxed);
    }

    fn watched(&self) -> Option<&ScopeRings> {
        if self.watchers.load(Ordering::Relaxed) == 0 { None } else { self.rings.get() }
    }

    /// Writes frames, both channels equally long, while a window watches. For the audio thread.
    pub fn write_frames(&self, point: ScopePoint, left: &[f64], right: &[f64]) {
        if let Some(rings) = self.watched() {
            let ring = rings.at(point);
            ring.write(left.iter().zip(right).map(|(&l, &r)| [l as f32, r as f32]));
            let peak = left.iter().chain(right).fold(0.0, |peak, sample| f64::max(peak, sample.abs())) as f32;
            let [before, after] = unpack(rings.slice_peaks.load(Ordering::Relaxed));
            let peaks = match point {
                ScopePoint::Before => [before.max(peak), after],
                ScopePoint::After => [before, after.max(peak)],
                ScopePoint::Sidechain => [before, after],
            };
            rings.slice_peaks.store(pack(peaks), Ordering::Relaxed);
            if let Some(SoundCallback(wake)) = self.wake.get()
                && left.iter().chain(right).any(|&sample| sample != 0.0)
            {
                wake();
            }
        }
    }

    /// Sets the callback that the audio thread calls when non-silent frames are written: it must neither wait nor
    /// allocate. The first one stays.
    pub fn set_sound_callback(&self, wake: impl Fn() + Send + Sync + 'static) {
        // a second window shares the callback
        let _ = self.wake.set(SoundCallback(Box::new(wake)));
    }

    /// Writes the gain reduction of a block of `frames` frames, whose samples were written before; slices keep the maximum of
    /// both. For the audio thread.
    pub fn write_reductions(&self, compressor: Db, limiter: Db, frames: usize) {
        let Some(rings) = self.watched() else { return };
        let [c, l] = unpack(rings.slice.load(Ordering::Relaxed));
        let slice = [c.max(compressor.0 as f32), l.max(limiter.0 as f32)];
        let done = rings.slice_frames.load(Ordering::Relaxed) + frames as u64;
        let slices = done / REDUCTION_FRAMES as u64;
        if slices > 0 {
            let more = std::iter::repeat_n([compressor.0 as f32, limiter.0 as f32], slices as usize - 1);
            rings.reductions.write(std::iter::once(slice).chain(more.take(REDUCTION_COUNT)));
            let peaks = unpack(rings.slice_peaks.swap(0, Ordering::Relaxed));
            rings.peaks.write(std::iter::repeat_n(peaks, slices.min(REDUCTION_COUNT as u64) as usize));
        }
        rings.slice_frames.store(done % REDUCTION_FRAMES as u64, Ordering::Relaxed);
        rings.slice.store(if slices > 0 { 0 } else { pack(slice) }, Ordering::Relaxed);
    }

    /// Reads the `newest` frames at `point`, oldest first; returns the number ever written.
    pub fn read_frames(&self, point: ScopePoint, newest: usize, into: &mut Vec<[f32; 2]>) -> u64 {
        into.clear();
        self.rings.get().map_or(0, |rings| rings.at(point).read(newest, into))
    }

    /// Returns the number of frames ever written at the output. The picture changes only with it.
    pub fn written(&self) -> u64 {
        self.rings.get().map_or(0, |rings| rings.after.written.load(Ordering::Acquire))
    }

    /// Reads the `newest` gain reductions of compressor and limiter, dB, oldest first.
    pub fn read_reductions(&self, newest: usize, into: &mut Vec<[f32; 2]>) -> u64 {
        into.clear();
        self.rings.get().map_or(0, |rings| rings.reductions.read(newest, into))
    }

    /// Reads the `newest` highest samples of input and output, linear, oldest first: slices of [`REDUCTION_FRAMES`].
    pub fn read_peaks(&self, newest: usize, into: &mut Vec<[f32; 2]>) -> u64 {
        into.clear();
        self.rings.get().map_or(0, |rings| rings.peaks.read(newest, into))
    }
}

impl ScopeRings {
    fn at(&self, point: ScopePoint) -> &PairRing {
        match point {
            ScopePoint::Before => &self.before,
            ScopePoint::After => &self.after,
            ScopePoint::Sidechain => &self.sidechain,
        }
    }
}

/// Returns the correlation of `frames`, -1 to 1; `None` if a channel is silent.
pub fn correlation(frames: &[[f32; 2]]) -> Option<f64> {
    let side = |i: usize| frames.iter().map(|frame| f64::from(frame[i])).collect::<Vec<_>>();
    let mut sums = StereoSums::default();
    sums.add(&side(0), &side(1));
    sums.correlation()
}

/// Guard of a window: samples are recorded while it lives.
#[derive(Debug)]
pub struct ScopeWatch<T: AsRef<Scope>>(Arc<T>);

impl<T: AsRef<Scope>> ScopeWatch<T> {
    /// Starts recording. Allocates the first time.
    pub fn new(owner: Arc<T>) -> Self {
        let scope: &Scope = (*owner).as_ref();
        scope.rings.get_or_init(|| ScopeRings {
            before: PairRing::new(SCOPE_FRAMES),
            after: PairRing::new(SCOPE_FRAMES),
            sidechain: PairRing::new(SCOPE_FRAMES),
            reductions: PairRing::new(REDUCTION_COUNT),
            peaks: PairRing::new(REDUCTION_COUNT),
            slice_frames: AtomicU64::new(0),
            slice: AtomicU64::new(0),
            slice_peaks: AtomicU64::new(0),
        });
        scope.watchers.fetch_add(1, Ordering::Relaxed);
        Self(owner)
    }
}

impl<T: AsRef<Scope>> Drop for ScopeWatch<T> {
    fn drop(&mut self) {
        (*self.0).as_ref().watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Owner(Scope);

    impl AsRef<Scope> for Owner {
        fn as_ref(&self) -> &Scope {
            &self.0
        }
    }

    #[test]
    fn frames_are_kept_while_watched_and_only_then() {
        let owner = Arc::new(Owner::default());
        let scope = &owner.0;
        let mut seen = Vec::new();
        scope.write_frames(ScopePoint::After, &[1.0], &[2.0]);
        assert_eq!((scope.read_frames(ScopePoint::After, 10, &mut seen), seen.len()), (0, 0));
        let watch = ScopeWatch::new(Arc::clone(&owner));
        scope.write_frames(ScopePoint::After, &[1.0, 3.0], &[2.0, 4.0]);
        scope.write_frames(ScopePoint::Before, &[9.0], &[9.0]);
        assert_eq!(scope.read_frames(ScopePoint::After, 1, &mut seen), 2);
        assert_eq!(seen, [[3.0, 4.0]]);
        scope.read_frames(ScopePoint::Before, 10, &mut seen);
        assert_eq!(seen, [[9.0, 9.0]]);
        drop(watch);
        scope.write_frames(ScopePoint::After, &[5.0], &[5.0]);
        assert_eq!(scope.written(), 2);
    }

    #[test]
    fn the_ring_holds_the_newest_frames_in_order() {
        let owner = Arc::new(Owner::default());
        let _watch = ScopeWatch::new(Arc::clone(&owner));
        let ramp: Vec<f64> = (0..SCOPE_FRAMES + 700).map(|i| i as f64).collect();
        for part in ramp.chunks(333) {
            owner.0.write_frames(ScopePoint::Before, part, part);
        }
        let mut seen = Vec::new();
        owner.0.read_frames(ScopePoint::Before, SCOPE_FRAMES, &mut seen);
        assert_eq!(
            (seen.len(), seen[0], seen[SCOPE_FRAMES - 1][1]),
            (SCOPE_FRAMES, [700.0; 2], (SCOPE_FRAMES + 699) as f32)
        );
    }

    #[test]
    fn a_slice_of_reductions_is_the_most_in_it_however_blocks_are_cut() {
        let owner = Arc::new(Owner::default());
        let _watch = ScopeWatch::new(Arc::clone(&owner));
        let mut seen = Vec::new();
        for (reduction, frames) in [(1.0, 200), (3.0, 200), (2.0, 200), (0.5, 400), (0.25, 1048)] {
            owner.0.write_reductions(Db(reduction), Db(0.0), frames);
        }
        owner.0.read_reductions(REDUCTION_COUNT, &mut seen);
        assert_eq!(seen, [[3.0, 0.0], [0.5, 0.0], [0.25, 0.0], [0.25, 0.0]].map(|x: [f32; 2]| x));
    }

    #[test]
    fn slices_hold_the_highest_samples_of_input_and_output_beside_their_reductions() {
        let owner = Arc::new(Owner::default());
        let _watch = ScopeWatch::new(Arc::clone(&owner));
        let (mut seen, scope) = (Vec::new(), &owner.0);
        let mut block = |before: f64, after: f64, frames: usize| {
            scope.write_frames(ScopePoint::Before, &vec![before; frames], &vec![-0.1; frames]);
            scope.write_frames(ScopePoint::Sidechain, &vec![9.0; frames], &vec![9.0; frames]);
            scope.write_frames(ScopePoint::After, &vec![0.1; frames], &vec![-after; frames]);
            scope.write_reductions(Db(0.0), Db(0.0), frames);
            scope.read_peaks(REDUCTION_COUNT, &mut seen);
            seen.clone()
        };
        assert!(block(0.5, 0.25, 300).is_empty());
        assert_eq!(block(0.25, 0.5, 300), [[0.5, 0.5]]);
        assert_eq!(block(0.125, 0.75, 1024), [[0.5, 0.5], [0.125, 0.75], [0.125, 0.75]]);
        scope.read_frames(ScopePoint::Sidechain, 1, &mut seen);
        assert_eq!(seen, [[9.0, 9.0]]);
    }

    #[test]
    fn sound_calls_back_while_watched_and_silence_does_not() {
        let owner = Arc::new(Owner::default());
        let woken = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&woken);
        owner.0.set_sound_callback(move || _ = counter.fetch_add(1, Ordering::Relaxed));
        owner.0.write_frames(ScopePoint::After, &[1.0], &[0.0]);
        let _watch = ScopeWatch::new(Arc::clone(&owner));
        owner.0.write_frames(ScopePoint::After, &[0.0], &[0.0]);
        assert_eq!(woken.load(Ordering::Relaxed), 0);
        owner.0.write_frames(ScopePoint::Before, &[0.0, 0.0], &[0.0, 0.1]);
        assert_eq!(woken.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn correlation_is_the_meter_s() {
        assert_eq!(correlation(&[[0.5, 0.5], [-0.2, -0.2]]), Some(1.0));
        assert_eq!(correlation(&[[0.5, 0.0]]), None);
    }
}
