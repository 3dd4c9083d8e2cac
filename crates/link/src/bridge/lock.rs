//! A process's sign of life: a file that it keeps locked. The system lets go of the lock when the process dies, however
//! it dies, so whoever gets the lock knows, without trusting process numbers or clocks.
//!
//! The lock has its own file because on some systems a locked file cannot be read by others.

use super::folder::{self, Folder, is_in_place};
use super::names;
use std::fs::File;
use std::io;

/// Tries until a lock that others keep burying is given up.
const TRIES: usize = 8;

/// Our own lock.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Makes and takes the lock of the process `nonce`.
    pub(super) fn take(folder: &Folder, nonce: u64) -> io::Result<Self> {
        let name = names::lock(nonce);
        for _ in 0..TRIES {
            match folder.create_locked(&name) {
                Ok(file) if is_in_place(&file) => return Ok(Self { file }),
                // somebody found it unlocked a moment ago and is about to bury it, or has
                Ok(_) => drop(folder.remove(&name)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => drop(folder.remove(&name)),
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::WouldBlock, "the lock is in use"))
    }

    /// Whether the lock's file is still where others look for it.
    pub(super) fn is_in_place(&self) -> bool {
        is_in_place(&self.file)
    }
}

/// Whether a process lives.
enum Life {
    /// It does, or nobody can know.
    Yes,
    /// It does not; we hold its lock, if there was one.
    No(Option<File>),
}

fn life(folder: &Folder, nonce: u64) -> Life {
    match folder.open_file(&names::lock(nonce)) {
        Ok(file) => life_of(file),
        // a process locks before it does anything else, and lets go last
        Err(error) if error.kind() == io::ErrorKind::NotFound => Life::No(None),
        Err(_) => Life::Yes,
    }
}

fn life_of(lock: File) -> Life {
    // one that has lost its name since it was opened says nothing: there may be another in its place, and whose it is
    // lives
    if lock.try_lock().is_ok() && is_in_place(&lock) { Life::No(Some(lock)) } else { Life::Yes }
}

/// Whether the process `nonce` lives, as far as can be known.
pub(super) fn lives(folder: &Folder, nonce: u64) -> bool {
    matches!(life(folder, nonce), Life::Yes)
}

/// The versions of all processes that live in the folders of other versions beside this one.
pub(super) fn strangers(beside: &Folder) -> Vec<u64> {
    let mut versions = Vec::new();
    for (version, place) in folder::others(beside.path()) {
        if let Ok(folder) = Folder::open(&place)
            && let Ok(names) = folder.names()
        {
            // what every version keeps: a process has a lock
            let owners =
                names.iter().filter(|name| names::is_lock(name)).filter_map(|name| names::owner(name));
            versions.extend(owners.filter(|&owner| lives(&folder, owner)).map(|_| version));
        }
    }
    versions
}

/// If the process `nonce` is dead, removes what it has left: of `all` names those that are its own. `false` if it
/// lives, or nobody can know.
pub(super) fn bury(folder: &Folder, nonce: u64, all: &[String]) -> bool {
    let Life::No(lock) = life(folder, nonce) else { return false };
    for name in all.iter().filter(|name| names::owner(name) == Some(nonce) && !names::is_lock(name)) {
        drop(folder.remove(name));
    }
    // last, and while we hold it
    drop(folder.remove(&names::lock(nonce)));
    drop(lock);
    true
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

    use super::super::tests::Meeting;
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn a_lock_that_was_opened_before_it_was_removed_does_not_mean_that_its_successor_is_dead() {
        let meeting = Meeting::new();
        let folder = Folder::open_or_make(meeting.folder()).unwrap();
        drop(folder.create(&names::lock(7)).unwrap());
        let before = folder.open_file(&names::lock(7)).unwrap();
        folder.remove(&names::lock(7)).unwrap();
        let lock = Lock::take(&folder, 7).unwrap();
        assert!(matches!(life_of(before), Life::Yes));
        assert!(lives(&folder, 7) && lock.is_in_place());
        drop(lock);
        assert!(!lives(&folder, 7));
    }

    /// Where files can be nameless.
    #[cfg(target_os = "linux")]
    #[test]
    fn nobody_ever_finds_the_lock_of_a_process_that_begins_unlocked() {
        let meeting = Meeting::new();
        let folder = Folder::open_or_make(meeting.folder()).unwrap();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let gravediggers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        let mut found = 0;
                        while !over.load(Ordering::Relaxed) {
                            found += u64::from(matches!(life(&folder, 7), Life::No(Some(_))));
                        }
                        found
                    })
                })
                .collect();
            for _ in 0..3000 {
                let lock = Lock::take(&folder, 7).unwrap();
                folder.remove(&names::lock(7)).unwrap();
                drop(lock);
            }
            over.store(true, Ordering::Relaxed);
            let found: Vec<u64> = gravediggers.into_iter().map(|thread| thread.join().unwrap()).collect();
            assert_eq!(found, [0, 0]);
        });
    }
}
