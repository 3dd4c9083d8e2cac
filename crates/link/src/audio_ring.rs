//! Ring with the last seconds of a Stem's audio before and after its chain, for comparison with the mix.
//!
//! Frames are counted from the ring's first one and stay where their counter puts them, so a jump of the transport
//! invalidates no frame that is still unread. A table of [`MAX_SEGMENTS`] segments gives their positions on the
//! timeline, a table of [`MAX_MARKS`] marks the settings that they were made with.

use super::atomic_word::AtomicWord;
use super::cell::SeqCell;
use super::timeline::{MAX_SEGMENTS, Segment, Timeline};
use session::timeline::BlockPosition;
use std::sync::atomic::{AtomicU64, Ordering};
use units::{Db, Hz};

#[cfg(test)]
mod tests;

/// Marks that a ring remembers: of a ride, one every 50 ms, more than a Master in another process lags behind.
pub const MAX_MARKS: usize = 32;

/// Least length of a ring, seconds.
pub const MIN_SECONDS: f64 = 4.0;

/// Lengths of rings, as powers of two: for rates from 8 kHz to 1 MHz.
pub(super) const SIZE_RANGE: std::ops::RangeInclusive<u32> = 15..=22;

/// Words of the table of segments: the number of the next, then position and counter of each.
const SEGMENT_WORDS: usize = 1 + 2 * MAX_SEGMENTS;

/// Words of a mark: counter, revision, level and trim.
const WORDS_PER_MARK: usize = 4;

/// Words of the table of marks: the number of the next, then each.
const MARK_WORDS: usize = 1 + WORDS_PER_MARK * MAX_MARKS;

/// Position of a segment that has none.
const NO_POSITION: i64 = i64::MIN;

/// Point of a Stem's signal path at which audio is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TapPoint {
    /// Before the chain: a Stem's input delayed by its chain's latency, a Master's as it enters.
    Input,
    /// After the chain.
    Output,
}

/// Revision of audio that was made while a person listened to something else than the output: not part of a song.
pub const MONITORING_REVISION: u64 = u64::MAX;

/// Settings of all frames from `counter` to the next mark.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SettingsMark {
    /// Counter of the first frame.
    pub counter: u64,
    /// Hash of all settings but level and trim: equal settings have equal revisions. [`MONITORING_REVISION`] if the
    /// frames are not the output.
    pub revision: u64,
    /// Gain after everything else by the level parameter, which a host may automate.
    pub level: Db,
    /// The Stem's own trim on top of it, set by a person at a Master.
    pub trim: Db,
}

impl SettingsMark {
    /// Returns true if the chain or the trim differ from those of `other`.
    pub fn has_other_chain(&self, other: &Self) -> bool {
        (self.revision, self.trim) != (other.revision, other.trim)
    }
}

/// The frames of a ring, one per word: left in the upper and right in the lower half, as `f32`.
///
/// `reserved` runs ahead of the stores, `committed` follows them. A reader copies committed frames, then checks how far
/// `reserved` has come meanwhile: frames more than a length behind it may be mixed with newer ones.
#[derive(Debug)]
struct FrameBuffer<W = AtomicU64> {
    reserved: W,
    committed: W,
    input: Box<[W]>,
    output: Box<[W]>,
}

impl<W: AtomicWord> FrameBuffer<W> {
    /// A buffer of `length` frames, a power of two.
    fn new(length: usize) -> Self {
        // every word is written here, so that no audio thread is the first to touch a page
        let words = || std::iter::repeat_with(W::zero).take(length.next_power_of_two()).collect();
        Self { reserved: W::zero(), committed: W::zero(), input: words(), output: words() }
    }

    fn length(&self) -> u64 {
        self.input.len() as u64
    }

    /// Appends at most a length of frames.
    #[inline]
    fn append(&self, input: [&[f64]; 2], output: [&[f64]; 2]) {
        let frames = input.iter().chain(&output).map(|channel| channel.len()).min().unwrap_or(0);
        let from = self.committed.load(Ordering::Relaxed);
        let to = from + frames as u64;
        self.reserved.store(to, Ordering::Relaxed);
        // no frame may be visible before `reserved`
        W::release_fence();
        store_frames(&self.input, from, input.map(|channel| &channel[..frames]));
        store_frames(&self.output, from, output.map(|channel| &channel[..frames]));
        // Release: a reader that sees the count sees the frames
        self.committed.store(to, Ordering::Release);
    }

    /// Copies the frames from `counter` on; `false` if some are not written yet or were overwritten meanwhile.
    #[inline]
    fn copy(&self, tap: TapPoint, counter: u64, [left, right]: [&mut [f64]; 2]) -> bool {
        let frames = left.len().min(right.len());
        let Some(end) = counter.checked_add(frames as u64) else { return false };
        if end > self.committed.load(Ordering::Acquire) || frames as u64 > self.length() {
            return false;
        }
        let words = match tap {
            TapPoint::Input => &self.input,
            TapPoint::Output => &self.output,
        };
        load_frames(words, counter, [&mut left[..frames], &mut right[..frames]]);
        // a reader that saw a newer frame sees the `reserved` before it
        W::acquire_fence();
        self.reserved.load(Ordering::Relaxed) - counter <= self.length()
    }
}

/// The words of `frames` frames from `counter` on: those up to the buffer's end, then those at its beginning.
fn halves<W>(words: &[W], counter: u64, frames: usize) -> (&[W], &[W]) {
    let start = counter as usize & (words.len() - 1);
    let first = frames.min(words.len() - start);
    (&words[start..start + first], &words[..frames - first])
}

/// Frames converted at once, by vector instructions: atomic accesses use none.
const CONVERSION_FRAMES: usize = 32;

#[inline]
fn store_frames<W: AtomicWord>(words: &[W], counter: u64, [left, right]: [&[f64]; 2]) {
    let (first, second) = halves(words, counter, left.len());
    let (lefts, rights) = (left.split_at(first.len()), right.split_at(first.len()));
    let mut frames = [0; CONVERSION_FRAMES];
    for (words, left, right) in [(first, lefts.0, rights.0), (second, lefts.1, rights.1)] {
        let channels = left.chunks(CONVERSION_FRAMES).zip(right.chunks(CONVERSION_FRAMES));
        for (words, (left, right)) in words.chunks(CONVERSION_FRAMES).zip(channels) {
            for ((frame, &left), &right) in frames.iter_mut().zip(left).zip(right) {
                *frame = u64::from(f32_bits(left)) << 32 | u64::from(f32_bits(right));
            }
            for (word, &frame) in words.iter().zip(&frames) {
                word.store(frame, Ordering::Relaxed);
            }
        }
    }
}

/// Bits of a sample as `f32`; zero unless it is finite. Without a branch, so that the loop is vectorized.
#[inline]
fn f32_bits(sample: f64) -> u32 {
    const EXPONENT: u32 = 0x7f80_0000;
    let bits = (sample as f32).to_bits();
    bits & u32::from(bits & EXPONENT != EXPONENT).wrapping_neg()
}

#[inline]
fn load_frames<W: AtomicWord>(words: &[W], counter: u64, [left, right]: [&mut [f64]; 2]) {
    let (first, second) = halves(words, counter, left.len());
    let (lefts, rights) = (left.split_at_mut(first.len()), right.split_at_mut(first.len()));
    let mut frames = [0u64; CONVERSION_FRAMES];
    for (words, left, right) in [(first, lefts.0, rights.0), (second, lefts.1, rights.1)] {
        let channels = left.chunks_mut(CONVERSION_FRAMES).zip(right.chunks_mut(CONVERSION_FRAMES));
        for (words, (left, right)) in words.chunks(CONVERSION_FRAMES).zip(channels) {
            for (frame, word) in frames.iter_mut().zip(words) {
                *frame = word.load(Ordering::Relaxed);
            }
            for ((left, right), &frame) in left.iter_mut().zip(right).zip(&frames) {
                *left = f64::from(f32::from_bits((frame >> 32) as u32));
                *right = f64::from(f32::from_bits(frame as u32));
            }
        }
    }
}

/// Audio of a Stem with its positions and settings. Any thread reads; one thread at a time writes, through a
/// [`RingWriter`]. Neither waits.
#[derive(Debug)]
pub struct AudioRing {
    frames: FrameBuffer,
    segments: SeqCell<SEGMENT_WORDS>,
    marks: SeqCell<MARK_WORDS>,
}

impl AudioRing {
    /// A ring of `2^size` frames.
    pub(super) fn new(size: u32) -> Self {
        Self { frames: FrameBuffer::new(1 << size), segments: SeqCell::new(), marks: SeqCell::new() }
    }

    /// Size of a ring for audio at `rate`, as a power of two: four seconds or more.
    pub(super) fn size_for(rate: Hz) -> u32 {
        let frames = (rate.0 * MIN_SECONDS).clamp(1.0, f64::from(u32::MAX)) as u64;
        frames.next_power_of_two().ilog2().clamp(*SIZE_RANGE.start(), *SIZE_RANGE.end())
    }

    /// Length in frames, a power of two.
    pub fn length(&self) -> u64 {
        self.frames.length()
    }

    /// The ring's contents by position at this moment. `None` if the writer interfered with every attempt, which is
    /// rare, or has not begun.
    pub fn timeline(&self) -> Option<Timeline> {
        // frames first: the table is then never older than they are
        let end = self.frames.committed.load(Ordering::Acquire);
        let mut words = [0; SEGMENT_WORDS];
        if !self.segments.read(&mut words) {
            return None;
        }
        // the writer may be a whole length ahead by now: then no frame is left
        let oldest = self.frames.reserved.load(Ordering::Relaxed).saturating_sub(self.length()).min(end);
        let (next, entries) = (words[0], &words[1..]);
        let count = next.min(MAX_SEGMENTS as u64);
        let mut segments = [Segment { pass: 0, position: None, counter: 0, frames: 0 }; MAX_SEGMENTS];
        let mut until = end;
        for n in (0..count).rev() {
            let pass = next - count + n;
            let at = 2 * (pass as usize % MAX_SEGMENTS);
            let position = entries[at].cast_signed();
            let counter = entries[at + 1].min(until);
            segments[n as usize] = Segment {
                pass,
                position: (position != NO_POSITION).then_some(position),
                counter,
                frames: until - counter,
            };
            until = counter;
        }
        Some(Timeline::new(segments, count as usize, oldest, end))
    }

    /// The settings of the frame at `counter`; `None` if its mark is forgotten, or the writer interfered with every
    /// attempt.
    pub fn settings_at(&self, counter: u64) -> Option<SettingsMark> {
        let mut words = [0; MARK_WORDS];
        if !self.marks.read(&mut words) {
            return None;
        }
        let (written, entries) = (words[0], &words[1..]);
        let newest_first = (written.saturating_sub(MAX_MARKS as u64)..written).rev();
        newest_first
            .map(|n| {
                let at = WORDS_PER_MARK * (n as usize % MAX_MARKS);
                SettingsMark {
                    counter: entries[at],
                    revision: entries[at + 1],
                    level: Db(f64::from_bits(entries[at + 2])),
                    trim: Db(f64::from_bits(entries[at + 3])),
                }
            })
            .find(|mark| mark.counter <= counter)
    }

    /// Copies the frames from `counter` on to left and right, as many as these are long. Returns `false` if some are
    /// overwritten or not yet written; the slices then hold nothing of use.
    pub fn copy_frames(&self, tap: TapPoint, counter: u64, channels: [&mut [f64]; 2]) -> bool {
        self.frames.copy(tap, counter, channels)
    }
}

/// The writing half of an [`AudioRing`]: for one thread, which neither waits nor allocates.
#[derive(Debug)]
pub struct RingWriter {
    ring: &'static AudioRing,
    segments: [u64; SEGMENT_WORDS],
    marks: [u64; MARK_WORDS],
    /// Revision, level and trim (their bits) of the last mark.
    last_mark: Option<[u64; 3]>,
    /// Segment of the block before; `None` before the first block.
    segment: Option<u64>,
}

impl RingWriter {
    /// Takes over `ring` and empties its tables. The caller makes sure that there is no other writer.
    pub(super) fn new(ring: &'static AudioRing) -> Self {
        let writer = Self {
            ring,
            segments: [0; SEGMENT_WORDS],
            marks: [0; MARK_WORDS],
            last_mark: None,
            segment: None,
        };
        ring.segments.write(&writer.segments);
        ring.marks.write(&writer.marks);
        writer
    }

    /// The counter of the next frame.
    pub fn counter(&self) -> u64 {
        self.ring.frames.committed.load(Ordering::Relaxed)
    }

    /// Sets the settings of the next frame and all after it.
    pub fn mark_settings(&mut self, revision: u64, level: Db, trim: Db) {
        let mark = [revision, level.0.to_bits(), trim.0.to_bits()];
        if self.last_mark != Some(mark) {
            self.last_mark = Some(mark);
            let at = 1 + WORDS_PER_MARK * (self.marks[0] as usize % MAX_MARKS);
            let words = [self.counter(), mark[0], mark[1], mark[2]];
            self.marks[at..at + WORDS_PER_MARK].copy_from_slice(&words);
            self.marks[0] += 1;
            self.ring.marks.write(&self.marks);
        }
    }

    /// Appends a block: left and right before the chain (delayed by its latency) and after it, all of one length.
    /// Samples that are not finite become zero.
    pub fn write_block(&mut self, place: BlockPosition, input: [&[f64]; 2], output: [&[f64]; 2]) {
        if place.jumped || self.segment != Some(place.segment) {
            self.segment = Some(place.segment);
            let at = 1 + 2 * (self.segments[0] as usize % MAX_SEGMENTS);
            let segment = [place.position.unwrap_or(NO_POSITION).cast_unsigned(), self.counter()];
            self.segments[at..at + 2].copy_from_slice(&segment);
            self.segments[0] += 1;
            self.ring.segments.write(&self.segments);
        }
        let max_frames = self.ring.frames.input.len();
        let frames = input[0].len();
        let mut from = 0;
        while from < frames {
            let to = frames.min(from + max_frames);
            let part = input.map(|channel| &channel[from..to]);
            self.ring.frames.append(part, output.map(|channel| &channel[from..to]));
            from = to;
        }
    }
}
