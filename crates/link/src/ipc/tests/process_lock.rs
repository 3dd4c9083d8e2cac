//! Locks of processes that start and end while others look.

use super::*;
use crate::ipc::checked_dir::CheckedDir;
use crate::ipc::file_names::lock_name;
use crate::ipc::process_lock::{Liveness, ProcessLock, is_alive, liveness, liveness_by_lock};
use std::sync::atomic::AtomicBool;

#[test]
fn a_removed_lock_does_not_prove_that_the_owner_of_a_new_one_has_ended() {
    let test_folder = TestFolder::new();
    let folder = CheckedDir::open_or_create(test_folder.path()).unwrap();
    drop(folder.create(&lock_name(7)).unwrap());
    let before = folder.open_file(&lock_name(7)).unwrap();
    folder.remove(&lock_name(7)).unwrap();
    let lock = ProcessLock::acquire(&folder, 7).unwrap();
    assert!(matches!(liveness_by_lock(before), Liveness::Alive));
    assert!(is_alive(&folder, 7) && lock.is_in_place());
    drop(lock);
    assert!(!is_alive(&folder, 7));
}

/// On systems with files without names.
#[cfg(target_os = "linux")]
#[test]
fn the_lock_of_a_starting_process_is_never_found_unlocked() {
    let test_folder = TestFolder::new();
    let folder = CheckedDir::open_or_create(test_folder.path()).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let cleaners: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut found = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        found += u64::from(matches!(liveness(&folder, 7), Liveness::Dead(Some(_))));
                    }
                    found
                })
            })
            .collect();
        for _ in 0..3000 {
            let lock = ProcessLock::acquire(&folder, 7).unwrap();
            folder.remove(&lock_name(7)).unwrap();
            drop(lock);
        }
        is_over.store(true, Ordering::Relaxed);
        let found: Vec<u64> = cleaners.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(found, [0, 0]);
    });
}
