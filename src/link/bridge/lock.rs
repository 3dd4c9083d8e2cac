//! A process's sign of life: a file that it keeps locked. The system lets go of the lock when the process dies, however
//! it dies, so whoever gets the lock knows, without trusting process numbers or clocks.
//!
//! The lock has its own file because on some systems a locked file cannot be read by others.

use super::folder::{self, Folder, is_in_place};
use super::names;
use std::fs::{File, TryLockError};
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
            let file = folder.create(&name)?;
            match file.try_lock() {
                Ok(()) if is_in_place(&file) => return Ok(Self { file }),
                Err(TryLockError::Error(error)) => {
                    folder.remove(&name)?;
                    return Err(error);
                }
                // somebody found it unlocked a moment ago and is about to bury it, or has
                Ok(()) | Err(TryLockError::WouldBlock) => drop(folder.remove(&name)),
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
        Ok(file) if file.try_lock().is_ok() => Life::No(Some(file)),
        // a process locks before it does anything else, and lets go last
        Err(error) if error.kind() == io::ErrorKind::NotFound => Life::No(None),
        _ => Life::Yes,
    }
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
