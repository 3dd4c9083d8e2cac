//! Last values of a signal in contiguous memory.

use super::delay::RUN;

/// Buffer of the last values of a signal, any stretch of which can be read as a slice.
///
/// Unlike a ring it has no seam: values move to the front of the memory once in a while, not each time.
#[derive(Clone, Debug)]
pub(crate) struct HistoryBuffer<T> {
    values: Vec<T>,
    kept: usize,
    /// Behind the newest value.
    end: usize,
}

impl<T: Copy + Default> HistoryBuffer<T> {
    /// The longest stretch that can be written at once.
    pub(crate) const STRETCH: usize = RUN;

    /// Values behind the newest that may be read, and are undefined.
    pub(crate) const ROOM: usize = 32;

    /// Values between two moves.
    const SPACE: usize = 512;

    /// Remembers `kept` values before those written last, zero at first.
    pub(crate) fn new(kept: usize) -> Self {
        Self { values: vec![T::default(); kept + Self::SPACE + Self::ROOM], kept, end: kept }
    }

    /// The place of the next `count` values, to be written at once. At most [`STRETCH`](Self::STRETCH).
    #[inline(always)]
    pub(crate) fn grow(&mut self, count: usize) -> &mut [T] {
        debug_assert!(count <= Self::STRETCH, "a stretch");
        if self.end + count + Self::ROOM > self.values.len() {
            self.values.copy_within(self.end - self.kept..self.end, 0);
            self.end = self.kept;
        }
        let at = self.end;
        self.end += count;
        &mut self.values[at..at + count]
    }

    /// `count` values, the last of them `age` older than the newest. `age` is at most what is remembered, and `count` at
    /// most what was written last.
    #[inline(always)]
    pub(crate) fn past(&self, age: usize, count: usize) -> &[T] {
        let end = self.end - age;
        &self.values[end - count..end]
    }

    /// The last `count` values, and [`ROOM`](Self::ROOM) more at least.
    #[inline(always)]
    pub(crate) fn recent(&self, count: usize) -> &[T] {
        &self.values[self.end - count..]
    }

    /// All zero again.
    pub(crate) fn reset(&mut self) {
        self.values.fill(T::default());
        self.end = self.kept;
    }

    /// The same as another one made alike.
    pub(crate) fn copy(&mut self, other: &Self) {
        self.values.copy_from_slice(&other.values);
        self.end = other.end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_was_written_is_read_again_at_every_age() {
        for (kept, stretches) in [(0, [1, 2, 3]), (5, [32, 1, 17]), (48, [32, 32, 32]), (700, [31, 7, 128])] {
            let mut history = HistoryBuffer::new(kept);
            let all: Vec<usize> = (1..30_000).collect();
            let mut written = 0;
            for count in stretches.into_iter().cycle().take(300) {
                history.grow(count).copy_from_slice(&all[written..written + count]);
                written += count;
                for age in [0, kept / 2, kept] {
                    let wanted = |i: usize| (written + i).checked_sub(age + count).map_or(0, |at| all[at]);
                    let read = history.past(age, count);
                    assert!(read.iter().enumerate().all(|(i, &x)| x == wanted(i)), "{kept} {age} {written}");
                }
                assert_eq!(history.recent(kept)[..kept], *history.past(0, kept));
                assert!(history.recent(kept).len() >= kept + HistoryBuffer::<usize>::ROOM);
            }
            let mut other = HistoryBuffer::new(kept);
            other.copy(&history);
            assert_eq!(other.past(kept, 1), history.past(kept, 1));
            history.reset();
            assert!(history.recent(kept).iter().all(|&x| x == 0));
        }
    }
}
