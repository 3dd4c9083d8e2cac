//! Liveness of processes: each keeps a file locked. The system releases the lock however the process ends, so taking
//! it proves that its process has ended, without comparing process numbers or clocks.
//!
//! The lock has a file of its own, because on some systems a locked file cannot be read by others.

use super::checked_dir::{self, CheckedDir, has_name};
use super::file_names::{self, lock_name};
use std::fs::File;
use std::io;

/// Attempts to create a lock that others keep removing.
const MAX_ATTEMPTS: usize = 8;

/// Lock of this process, released when dropped.
#[derive(Debug)]
pub(super) struct ProcessLock {
    file: File,
}

impl ProcessLock {
    /// Creates and takes the lock of the process `nonce`. `AlreadyExists` if it has one; `WouldBlock` if others
    /// removed it in every attempt.
    pub(super) fn acquire(folder: &CheckedDir, nonce: u64) -> io::Result<Self> {
        let name = lock_name(nonce);
        for _ in 0..MAX_ATTEMPTS {
            match folder.create_locked(&name) {
                Ok(file) if has_name(&file) => return Ok(Self { file }),
                // another process found it unlocked a moment ago and is about to remove it, or has done so
                Ok(_) => drop(folder.remove(&name)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => drop(folder.remove(&name)),
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::WouldBlock, "the lock is in use"))
    }

    /// True if the lock's file is still in the folder.
    pub(super) fn is_in_place(&self) -> bool {
        has_name(&self.file)
    }
}

/// Liveness of a process.
pub(super) enum Liveness {
    /// It runs, or there is no way to know.
    Alive,
    /// It has ended; holds its lock now, if there was one.
    Dead(Option<File>),
}

/// Determines the liveness of the process `nonce`.
pub(super) fn liveness(folder: &CheckedDir, nonce: u64) -> Liveness {
    match folder.open_file(&lock_name(nonce)) {
        Ok(file) => liveness_by_lock(file),
        // a process takes its lock first and releases it last
        Err(error) if error.kind() == io::ErrorKind::NotFound => Liveness::Dead(None),
        Err(_) => Liveness::Alive,
    }
}

/// Determines the liveness of the process that owns this lock file.
pub(super) fn liveness_by_lock(lock: File) -> Liveness {
    // a file that was removed since it was opened proves nothing: its process may have a new one
    if lock.try_lock().is_ok() && has_name(&lock) { Liveness::Dead(Some(lock)) } else { Liveness::Alive }
}

/// True if the process `nonce` runs, or there is no way to know.
pub(super) fn is_alive(folder: &CheckedDir, nonce: u64) -> bool {
    matches!(liveness(folder, nonce), Liveness::Alive)
}

/// Protocol versions of all processes that run in the folders of other versions beside `folder`.
pub(super) fn other_versions(folder: &CheckedDir) -> Vec<u64> {
    let mut versions = Vec::new();
    for (version, path) in checked_dir::folders_of_other_versions(folder.path()) {
        if let Ok(other) = CheckedDir::open(&path)
            && let Ok(names) = other.names()
        {
            // locks are the same in every version
            let locks = names.iter().filter(|name| file_names::is_lock(name));
            let owners = locks.filter_map(|name| file_names::owner(name));
            versions.extend(owners.filter(|&owner| is_alive(&other, owner)).map(|_| version));
        }
    }
    versions
}

/// Removes all files in `names` that the process `nonce` owns, if it has ended; returns `false` if not.
pub(super) fn remove_stale(folder: &CheckedDir, nonce: u64, names: &[String]) -> bool {
    let Liveness::Dead(lock) = liveness(folder, nonce) else { return false };
    let is_stale = |name: &&String| file_names::owner(name) == Some(nonce) && !file_names::is_lock(name);
    for name in names.iter().filter(is_stale) {
        drop(folder.remove(name));
    }
    // last, and while its lock is held
    drop(folder.remove(&lock_name(nonce)));
    drop(lock);
    true
}
