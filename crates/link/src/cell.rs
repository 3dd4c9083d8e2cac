//! Sequence lock in safe code: a few words that one thread writes and any thread reads as a whole.

use super::atomic_word::AtomicWord;
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(test)]
mod tests;

/// Attempts of a reader before it gives up.
const MAX_READ_ATTEMPTS: usize = 16;

/// `N` words, read as they were written together or not at all.
///
/// The sequence is odd during a write. Words are relaxed atomics, so a torn copy is detected by the reader instead of
/// being undefined behaviour. Neither side waits: a write takes as long as its stores, a read gives up after
/// 16 attempts and the reader keeps its previous values. One thread writes at a time; any number read.
#[derive(Debug)]
pub struct SeqCell<const N: usize, W = AtomicU64> {
    sequence: W,
    words: [W; N],
}

impl<const N: usize> SeqCell<N> {
    /// A cell without a value: reads fail until the first write.
    pub const fn new() -> Self {
        Self { sequence: AtomicU64::new(0), words: [const { AtomicU64::new(0) }; N] }
    }
}

impl<const N: usize, W: AtomicWord> Default for SeqCell<N, W> {
    fn default() -> Self {
        Self { sequence: W::zero(), words: std::array::from_fn(|_| W::zero()) }
    }
}

impl<const N: usize, W: AtomicWord> SeqCell<N, W> {
    /// Stores all words, with release ordering. One thread at a time; handing the cell to another writer needs
    /// synchronization outside of it.
    #[inline]
    pub fn write(&self, words: &[u64; N]) {
        // `|`: a sequence that stayed odd because its writer died is taken over
        let odd = self.sequence.load(Ordering::Relaxed) | 1;
        self.sequence.store(odd, Ordering::Relaxed);
        // no word may be visible before the odd sequence
        W::release_fence();
        for (word, &value) in self.words.iter().zip(words) {
            word.store(value, Ordering::Relaxed);
        }
        // Release: a reader that sees the even sequence sees the words
        self.sequence.store(odd + 1, Ordering::Release);
    }

    /// Copies all words, with acquire ordering. Returns `false` before the first write, or if a write interfered with
    /// every attempt; `words` then hold nothing of use.
    #[inline]
    pub fn read(&self, words: &mut [u64; N]) -> bool {
        for _ in 0..MAX_READ_ATTEMPTS {
            if self.try_read(words) {
                return true;
            }
            std::hint::spin_loop();
        }
        false
    }

    /// Makes a single attempt to copy all words.
    #[inline]
    fn try_read(&self, words: &mut [u64; N]) -> bool {
        let before = self.sequence.load(Ordering::Acquire);
        if before == 0 || before & 1 == 1 {
            return false;
        }
        for (word, from) in words.iter_mut().zip(&self.words) {
            *word = from.load(Ordering::Relaxed);
        }
        // a reader that saw a word of a later write sees that write's odd sequence
        W::acquire_fence();
        self.sequence.load(Ordering::Relaxed) == before
    }

    /// Number that grows with every write; zero before the first, odd during one. Two equal even numbers: nothing was
    /// written in between.
    pub fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Acquire)
    }
}
