//! The last seconds of a stem, as it entered and as it left, for whoever wants to compare them with the mix.
//!
//! Frames are counted from the instance's first and stay where their counter says, so a jump of the transport
//! invalidates nothing that is unread. A table of [`SEGMENTS`] segments says where on the timeline they belong, a
//! table of [`MARKS`] marks which settings made them.

use super::cell::Cell;
use super::timeline::{SEGMENTS, Segment, Timeline};
use super::word::Word;
use session::timeline::BlockPosition;
use std::sync::atomic::{AtomicU64, Ordering};
use units::{Db, Hz};

#[cfg(test)]
mod tests;

/// Settings that are remembered.
pub const MARKS: usize = 16;

/// Audio that a ring holds at least.
pub const SECONDS: f64 = 4.0;

/// Smallest and largest ring, as powers of two: from 8 kHz to 1 MHz.
pub(super) const SIZES: std::ops::RangeInclusive<u32> = 15..=22;

/// Words of the table of segments: the number of the next, and a position and counter of each.
const SEGMENT_WORDS: usize = 1 + 2 * SEGMENTS;

/// Words of the table of marks.
const MARK_WORDS: usize = 1 + 3 * MARKS;

/// In the table of segments: no position.
const LIVE: i64 = i64::MIN;

/// The audio of a ring before or behind the stem's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// As it entered, as late as the chain is.
    Input,
    /// As it left.
    Output,
}

/// The revision of what was made while a person listened to something else than the output: no part of a song.
pub const LISTENING: u64 = u64::MAX;

/// From `counter` on audio was made with these settings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mark {
    /// The first frame.
    pub counter: u64,
    /// Stands for all settings but the level: equal settings have equal revisions. [`LISTENING`] for none.
    pub revision: u64,
    /// Gain behind everything else, the trim from the Master included.
    pub level: Db,
}

/// The frames themselves, one in a word: left and right as `f32`.
///
/// `reserved` runs ahead of the stores, `committed` behind them. A reader copies what is committed, then looks how far
/// `reserved` has come meanwhile: what lies more than a length behind it may be mixed with newer frames.
#[derive(Debug)]
struct Tape<W = AtomicU64> {
    reserved: W,
    committed: W,
    input: Box<[W]>,
    output: Box<[W]>,
}

impl<W: Word> Tape<W> {
    /// A tape of `length` frames, a power of two.
    fn new(length: usize) -> Self {
        // every word is written here, so that no page is first touched by an audio thread
        let words = || std::iter::repeat_with(W::zero).take(length.next_power_of_two()).collect();
        Self { reserved: W::zero(), committed: W::zero(), input: words(), output: words() }
    }

    fn length(&self) -> u64 {
        self.input.len() as u64
    }

    /// Appends frames, at most a length of them.
    #[inline]
    fn append(&self, input: [&[f64]; 2], output: [&[f64]; 2]) {
        let frames = input.iter().chain(&output).map(|side| side.len()).min().unwrap_or(0);
        let from = self.committed.load(Ordering::Relaxed);
        let to = from + frames as u64;
        self.reserved.store(to, Ordering::Relaxed);
        // no frame may be seen before `reserved`
        W::release_fence();
        store(&self.input, from, input.map(|side| &side[..frames]));
        store(&self.output, from, output.map(|side| &side[..frames]));
        // Release: who sees the count sees the frames
        self.committed.store(to, Ordering::Release);
    }

    /// Copies the frames from `counter` on; `false` if they are not all there or were overwritten meanwhile.
    #[inline]
    fn copy(&self, side: Side, counter: u64, [left, right]: [&mut [f64]; 2]) -> bool {
        let frames = left.len().min(right.len());
        let Some(end) = counter.checked_add(frames as u64) else { return false };
        if end > self.committed.load(Ordering::Acquire) || frames as u64 > self.length() {
            return false;
        }
        let words = match side {
            Side::Input => &self.input,
            Side::Output => &self.output,
        };
        load(words, counter, [&mut left[..frames], &mut right[..frames]]);
        // who saw a newer frame sees the `reserved` before it
        W::acquire_fence();
        self.reserved.load(Ordering::Relaxed) - counter <= self.length()
    }
}

/// The words of `frames` frames from `counter` on: up to the ring's end, and from its beginning.
fn parts<W>(words: &[W], counter: u64, frames: usize) -> (&[W], &[W]) {
    let start = counter as usize & (words.len() - 1);
    let first = frames.min(words.len() - start);
    (&words[start..start + first], &words[..frames - first])
}

/// Frames that are converted at once: with vectors, which atomic accesses do not use.
const RUN: usize = 32;

#[inline]
fn store<W: Word>(words: &[W], counter: u64, [left, right]: [&[f64]; 2]) {
    let (first, second) = parts(words, counter, left.len());
    let (lefts, rights) = (left.split_at(first.len()), right.split_at(first.len()));
    let mut run = [0; RUN];
    for (words, left, right) in [(first, lefts.0, rights.0), (second, lefts.1, rights.1)] {
        for ((words, left), right) in words.chunks(RUN).zip(left.chunks(RUN)).zip(right.chunks(RUN)) {
            for ((both, &left), &right) in run.iter_mut().zip(left).zip(right) {
                *both = u64::from(sample(left)) << 32 | u64::from(sample(right));
            }
            for (word, &both) in words.iter().zip(&run) {
                word.store(both, Ordering::Relaxed);
            }
        }
    }
}

/// Bits of a sample as `f32`; what is not finite is silence. Without a branch, lest the loop lose its vectors.
#[inline]
fn sample(value: f64) -> u32 {
    const EXPONENT: u32 = 0x7f80_0000;
    let bits = (value as f32).to_bits();
    bits & u32::from(bits & EXPONENT != EXPONENT).wrapping_neg()
}

#[inline]
fn load<W: Word>(words: &[W], counter: u64, [left, right]: [&mut [f64]; 2]) {
    let (first, second) = parts(words, counter, left.len());
    let (lefts, rights) = (left.split_at_mut(first.len()), right.split_at_mut(first.len()));
    let mut run = [0u64; RUN];
    for (words, left, right) in [(first, lefts.0, rights.0), (second, lefts.1, rights.1)] {
        for ((words, left), right) in words.chunks(RUN).zip(left.chunks_mut(RUN)).zip(right.chunks_mut(RUN)) {
            for (both, word) in run.iter_mut().zip(words) {
                *both = word.load(Ordering::Relaxed);
            }
            for ((left, right), &both) in left.iter_mut().zip(right).zip(&run) {
                *left = f64::from(f32::from_bits((both >> 32) as u32));
                *right = f64::from(f32::from_bits(both as u32));
            }
        }
    }
}

/// A stem's audio and where it belongs. Any thread reads; one thread at a time writes, through a [`Writer`].
#[derive(Debug)]
pub struct Ring {
    tape: Tape,
    segments: Cell<SEGMENT_WORDS>,
    marks: Cell<MARK_WORDS>,
}

impl Ring {
    /// A ring of `2^size` frames.
    pub(super) fn new(size: u32) -> Self {
        Self { tape: Tape::new(1 << size), segments: Cell::new(), marks: Cell::new() }
    }

    /// Length of a ring for audio at `rate`, as a power of two: four seconds or more.
    pub(super) fn size_for(rate: Hz) -> u32 {
        let frames = (rate.0 * SECONDS).clamp(1.0, f64::from(u32::MAX)) as u64;
        frames.next_power_of_two().ilog2().clamp(*SIZES.start(), *SIZES.end())
    }

    /// Frames it holds.
    pub fn length(&self) -> u64 {
        self.tape.length()
    }

    /// What is where, at this moment. `None` if the writer was faster, which is rare: try again later.
    pub fn timeline(&self) -> Option<Timeline> {
        // first the frames, then the table, which is never older than they are
        let end = self.tape.committed.load(Ordering::Acquire);
        let mut words = [0; SEGMENT_WORDS];
        if !self.segments.read(&mut words) {
            return None;
        }
        // the writer may be a whole length ahead by now: then nothing is left
        let oldest = self.tape.reserved.load(Ordering::Relaxed).saturating_sub(self.length()).min(end);
        let (next, entries) = (words[0], &words[1..]);
        let count = next.min(SEGMENTS as u64);
        let mut segments = [Segment { pass: 0, position: None, counter: 0, frames: 0 }; SEGMENTS];
        let mut until = end;
        for n in (0..count).rev() {
            let pass = next - count + n;
            let at = 2 * (pass as usize % SEGMENTS);
            let position = entries[at].cast_signed();
            let counter = entries[at + 1].min(until);
            segments[n as usize] = Segment {
                pass,
                position: (position != LIVE).then_some(position),
                counter,
                frames: until - counter,
            };
            until = counter;
        }
        Some(Timeline::new(segments, count as usize, oldest, end))
    }

    /// The settings that made the frame at `counter`; `None` if that is too long ago, or the writer was faster.
    pub fn mark(&self, counter: u64) -> Option<Mark> {
        let mut words = [0; MARK_WORDS];
        if !self.marks.read(&mut words) {
            return None;
        }
        let (written, entries) = (words[0], &words[1..]);
        let newest_first = (written.saturating_sub(MARKS as u64)..written).rev();
        newest_first
            .map(|n| {
                let at = 3 * (n as usize % MARKS);
                Mark {
                    counter: entries[at],
                    revision: entries[at + 1],
                    level: Db(f64::from_bits(entries[at + 2])),
                }
            })
            .find(|mark| mark.counter <= counter)
    }

    /// Copies the frames from `counter` on, as many as the slices are long. `false`: not all of them are there any
    /// more, or yet; the slices are then anything.
    pub fn read(&self, side: Side, counter: u64, channels: [&mut [f64]; 2]) -> bool {
        self.tape.copy(side, counter, channels)
    }
}

/// The writing half of a [`Ring`]: for one thread, which neither waits nor allocates.
#[derive(Debug)]
pub struct Writer {
    ring: &'static Ring,
    segments: [u64; SEGMENT_WORDS],
    marks: [u64; MARK_WORDS],
    last: Option<(u64, u64)>,
    /// The segment of the block before; `None` before the first.
    segment: Option<u64>,
}

impl Writer {
    /// Takes over `ring`; what is in it belongs to nobody any more. The caller sees to it that there is no other
    /// writer.
    pub(super) fn new(ring: &'static Ring) -> Self {
        let writer =
            Self { ring, segments: [0; SEGMENT_WORDS], marks: [0; MARK_WORDS], last: None, segment: None };
        ring.segments.write(&writer.segments);
        ring.marks.write(&writer.marks);
        writer
    }

    /// The ring that it writes.
    pub(super) fn ring(&self) -> &'static Ring {
        self.ring
    }

    /// The counter of the next frame.
    pub fn counter(&self) -> u64 {
        self.ring.tape.committed.load(Ordering::Relaxed)
    }

    /// The next frame and all after it are made with these settings.
    pub fn mark(&mut self, revision: u64, level: Db) {
        let made_with = (revision, level.0.to_bits());
        if self.last != Some(made_with) {
            self.last = Some(made_with);
            let at = 1 + 3 * (self.marks[0] as usize % MARKS);
            let mark = [self.counter(), made_with.0, made_with.1];
            self.marks[at..at + 3].copy_from_slice(&mark);
            self.marks[0] += 1;
            self.ring.marks.write(&self.marks);
        }
    }

    /// Appends a block: left and right as they entered, as late as the chain is, and as they left, all equally long.
    /// What is not finite becomes silence.
    pub fn write(&mut self, place: BlockPosition, input: [&[f64]; 2], output: [&[f64]; 2]) {
        if place.jumped || self.segment != Some(place.segment) {
            self.segment = Some(place.segment);
            let at = 1 + 2 * (self.segments[0] as usize % SEGMENTS);
            let segment = [place.position.unwrap_or(LIVE).cast_unsigned(), self.counter()];
            self.segments[at..at + 2].copy_from_slice(&segment);
            self.segments[0] += 1;
            self.ring.segments.write(&self.segments);
        }
        // a piece is never longer than the ring
        let piece = self.ring.tape.input.len();
        let frames = input[0].len();
        let mut from = 0;
        while from < frames {
            let to = frames.min(from + piece);
            self.ring.tape.append(input.map(|side| &side[from..to]), output.map(|side| &side[from..to]));
            from = to;
        }
    }
}
