#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::*;
use crate::atomic_word::model::{LoomWord, check, fails};
use std::sync::Arc;

#[test]
fn a_read_before_the_first_write_fails() {
    let cell = SeqCell::<3>::new();
    assert!(!cell.read(&mut [0; 3]));
    cell.write(&[0; 3]);
    assert!(cell.read(&mut [1; 3]));
}

#[test]
fn the_last_write_is_read() {
    let cell = SeqCell::<3>::new();
    let mut words = [0; 3];
    for n in 0..5 {
        let before = cell.sequence();
        cell.write(&[n, n + 1, n * n]);
        assert!(cell.sequence() > before);
        assert!(cell.read(&mut words));
        assert_eq!(words, [n, n + 1, n * n]);
    }
}

#[test]
fn a_cell_whose_writer_was_killed_is_unreadable_until_the_next_write() {
    let cell = SeqCell::<2>::new();
    cell.write(&[1, 1]);
    cell.sequence.store(cell.sequence() | 1, Ordering::Relaxed);
    cell.words[0].store(9, Ordering::Relaxed);
    let mut words = [0; 2];
    assert!(!cell.read(&mut words));
    cell.write(&[2, 2]);
    assert!(cell.read(&mut words));
    assert_eq!(words, [2, 2]);
}

#[test]
fn no_reader_sees_a_torn_cell() {
    let cell = Arc::new(SeqCell::<64>::new());
    let busy = Arc::new(AtomicU64::new(2));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (cell, busy) = (Arc::clone(&cell), Arc::clone(&busy));
            std::thread::spawn(move || {
                let (mut words, mut seen, mut last) = ([0; 64], 0, 0);
                while seen < 20_000 {
                    if cell.read(&mut words) {
                        assert!(words.iter().all(|&word| word == words[0]), "{words:?}");
                        assert!(words[0] >= last, "time runs backwards");
                        last = words[0];
                        seen += 1;
                    }
                }
                busy.fetch_sub(1, Ordering::Relaxed);
            })
        })
        .collect();
    let mut n = 0;
    while n < 300_000 || busy.load(Ordering::Relaxed) > 0 {
        cell.write(&[n; 64]);
        n += 1;
    }
    readers.into_iter().for_each(|reader| reader.join().unwrap());
}

/// Two writes against two reads.
fn model<const ACQUIRE: bool, const RELEASE: bool>() {
    let cell = loom::sync::Arc::new(SeqCell::<2, LoomWord<ACQUIRE, RELEASE>>::default());
    let reader = {
        let cell = loom::sync::Arc::clone(&cell);
        loom::thread::spawn(move || {
            let mut last = 0;
            for _ in 0..2 {
                let mut words = [0; 2];
                if cell.try_read(&mut words) {
                    assert_eq!(words[0], words[1], "torn");
                    assert!(words[0] >= last, "time runs backwards");
                    last = words[0];
                }
            }
            SEEN.fetch_or(1 << last, Ordering::Relaxed);
        })
    };
    cell.write(&[1, 1]);
    cell.write(&[2, 2]);
    reader.join().unwrap();
}

/// Last values that readers of the model have seen, one bit each.
static SEEN: AtomicU64 = AtomicU64::new(0);

#[test]
fn model_no_interleaving_tears_a_cell() {
    check(model::<true, true>);
    assert_eq!(SEEN.load(Ordering::Relaxed), 0b111, "the model reached nothing, the first write, the second");
}

#[test]
fn model_without_either_fence_a_cell_tears() {
    assert!(fails(model::<false, true>), "the acquire fence is not needed?");
    assert!(fails(model::<true, false>), "the release fence is not needed?");
}
