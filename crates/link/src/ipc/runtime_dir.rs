//! Folder of the exchange with the files of this process and those of others that are open.

use super::checked_dir::CheckedDir;
use super::export::InstanceExport;
use super::file_names;
use super::import::{self, InstanceImport};
use super::process_lock::{self, ProcessLock};
use crate::identity::ProcessIdentity;
use std::io;
use std::path::Path;
use std::time::Instant;

/// Open folder of the exchange. Dropping it removes all files of this process.
pub(super) struct RuntimeDir {
    pub(super) folder: CheckedDir,
    lock: ProcessLock,
    process: ProcessIdentity,
    pub(super) imports: Vec<InstanceImport>,
    /// Names of the files of this process.
    exported: Vec<String>,
}

impl Drop for RuntimeDir {
    fn drop(&mut self) {
        for name in &self.exported {
            drop(self.folder.remove(name));
        }
        if self.lock.is_in_place() {
            drop(self.folder.remove(&file_names::lock_name(self.process.nonce)));
        }
    }
}

impl RuntimeDir {
    /// Opens or creates the folder and takes the lock of this process.
    pub(super) fn open(path: &Path, process: ProcessIdentity) -> io::Result<Self> {
        let folder = CheckedDir::open_or_create(path)?;
        let lock = ProcessLock::acquire(&folder, process.nonce)?;
        Ok(Self { folder, lock, process, imports: Vec::new(), exported: Vec::new() })
    }

    /// True if the lock of this process is still in the folder.
    pub(super) fn is_in_place(&self) -> bool {
        self.lock.is_in_place()
    }

    /// Creates the file of the local instance `key`.
    pub(super) fn create_export(&mut self, key: u64) -> io::Result<InstanceExport> {
        // a file of this name is a left-over of this process
        drop(self.folder.remove(&file_names::link_name(self.process.nonce, key)));
        let export = InstanceExport::create(&self.folder, self.process, key)?;
        self.exported.push(export.name().to_owned());
        Ok(export)
    }

    /// Removes the files of local instances that `is_exported` does not name any more.
    pub(super) fn remove_unused_exports(&mut self, is_exported: impl Fn(&str) -> bool) {
        let folder = &self.folder;
        self.exported.retain(|name| {
            let is_used = is_exported(name);
            if !is_used {
                drop(folder.remove(name));
            }
            is_used
        });
    }

    /// Lists the folder: removes files of processes that have ended, opens new ones. Returns the protocol versions of
    /// incompatible instances.
    pub(super) fn scan(&mut self, now: Instant) -> Vec<u64> {
        let Ok(names) = self.folder.names() else { return Vec::new() };
        let mut alive = file_names::owners(&names);
        let (own, folder) = (self.process.nonce, &self.folder);
        alive.retain(|&owner| owner != own && !process_lock::remove_stale(folder, owner, &names));
        let is_alive = |owner: u64| alive.binary_search(&owner).is_ok();
        let mut incompatible = import::update_imports(&mut self.imports, folder, &names, is_alive, now);
        incompatible.extend(process_lock::other_versions(folder));
        incompatible
    }
}
