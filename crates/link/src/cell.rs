//! A few words that one thread writes and any thread reads whole: a sequence lock in safe code.

use super::word::Word;
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(test)]
mod tests;

/// How often a reader tries anew when the writer was faster.
const TRIES: usize = 16;

/// `N` words, read whole or not at all.
///
/// The sequence is odd while the writer is at work. Words are relaxed atomics, so a torn copy is a fact the reader
/// detects, not undefined behaviour. Neither side ever waits: the writer takes as long as its stores, the reader gives
/// up after a bounded number of tries and keeps what it had.
#[derive(Debug)]
pub struct Cell<const N: usize, W = AtomicU64> {
    sequence: W,
    words: [W; N],
}

impl<const N: usize> Cell<N> {
    /// A cell nobody has written.
    pub const fn new() -> Self {
        Self { sequence: AtomicU64::new(0), words: [const { AtomicU64::new(0) }; N] }
    }
}

impl<const N: usize, W: Word> Default for Cell<N, W> {
    fn default() -> Self {
        Self { sequence: W::zero(), words: std::array::from_fn(|_| W::zero()) }
    }
}

impl<const N: usize, W: Word> Cell<N, W> {
    /// Writes all words. One thread at a time; who hands the cell to another thread must synchronize with it.
    #[inline]
    pub fn write(&self, words: &[u64; N]) {
        // `|`: a sequence that a dead writer left odd is taken over
        let odd = self.sequence.load(Ordering::Relaxed) | 1;
        self.sequence.store(odd, Ordering::Relaxed);
        // no word may be seen before the odd sequence
        W::release_fence();
        for (word, &value) in self.words.iter().zip(words) {
            word.store(value, Ordering::Relaxed);
        }
        // Release: who sees the even sequence sees the words
        self.sequence.store(odd + 1, Ordering::Release);
    }

    /// Copies all words; `false` if nobody has written yet or the writer was faster every time, `words` is then
    /// anything.
    #[inline]
    pub fn read(&self, words: &mut [u64; N]) -> bool {
        for _ in 0..TRIES {
            if self.try_read(words) {
                return true;
            }
            std::hint::spin_loop();
        }
        false
    }

    /// One try.
    #[inline]
    fn try_read(&self, words: &mut [u64; N]) -> bool {
        let before = self.sequence.load(Ordering::Acquire);
        if before == 0 || before & 1 == 1 {
            return false;
        }
        for (word, from) in words.iter_mut().zip(&self.words) {
            *word = from.load(Ordering::Relaxed);
        }
        // who saw a word of a later write sees its odd sequence
        W::acquire_fence();
        self.sequence.load(Ordering::Relaxed) == before
    }

    /// Grows with every write; zero before the first. Two equal even numbers: nothing was written between them.
    pub fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Acquire)
    }
}
