//! Reader of all instances of this user from outside: it creates no file, and no instance sees it.

use super::checked_dir::{self, CheckedDir};
use super::import::{self, InstanceImport};
use super::intervals::Intervals;
use super::{file_names, process_lock};
use crate::roster::{PeerView, Roster};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Reader of the records in every folder in which processes may meet; processes with different environments use
/// different ones. Has no thread: it reads in [`Self::poll`], to be called several times a second.
#[derive(Debug)]
pub struct Observer {
    roster: &'static Roster,
    intervals: Intervals,
    folders: Vec<ObservedFolder>,
}

/// One folder and the instances in it.
#[derive(Debug)]
struct ObservedFolder {
    path: PathBuf,
    folder: Option<CheckedDir>,
    imports: Vec<InstanceImport>,
    incompatible: Vec<u64>,
    error: Option<io::Error>,
}

impl Observer {
    /// Observes the usual folders and publishes what it finds in `roster`, which has to be its own.
    pub fn new(roster: &'static Roster) -> Self {
        Self::with_folders(roster, checked_dir::folders(), Intervals::DEFAULT)
    }

    /// Observes only these folders.
    pub fn with_folders(roster: &'static Roster, folders: Vec<PathBuf>, intervals: Intervals) -> Self {
        let observed = |path| ObservedFolder {
            path,
            folder: None,
            imports: Vec::new(),
            incompatible: Vec::new(),
            error: None,
        };
        Self { roster, intervals, folders: folders.into_iter().map(observed).collect() }
    }

    /// Reads all folders and records. Blocks on files.
    pub fn poll(&mut self, now: Instant) {
        for folder in &mut self.folders {
            folder.error = folder.poll(self.roster, now, &self.intervals).err();
        }
    }

    /// All instances found, including [viewers](crate::records::InstanceKind::Viewer).
    pub fn peers(&self) -> impl Iterator<Item = PeerView> {
        self.roster.peers()
    }

    /// Versions of instances, or of whole processes, with another protocol, one entry each.
    pub fn incompatible_versions(&self) -> impl Iterator<Item = u64> {
        self.folders.iter().flat_map(|folder| folder.incompatible.iter().copied())
    }

    /// Folders that could not be read, each with the error. A missing folder is no error.
    pub fn folder_errors(&self) -> impl Iterator<Item = (&Path, &io::Error)> {
        self.folders.iter().filter_map(|folder| Some((folder.path.as_path(), folder.error.as_ref()?)))
    }

    /// True once it is certain of every instance whether it has a heartbeat; before, one without may appear awake.
    pub fn is_complete(&self, now: Instant) -> bool {
        let mut imports = self.folders.iter().flat_map(|folder| &folder.imports);
        imports.all(|import| import.is_heartbeat_known(now, &self.intervals))
    }

    /// The folder in which `peer` was found.
    pub fn folder_of(&self, peer: PeerView) -> Option<&Path> {
        let contains =
            |folder: &&ObservedFolder| folder.imports.iter().any(|import| import.view() == Some(peer));
        self.folders.iter().find(contains).map(|folder| folder.path.as_path())
    }
}

impl ObservedFolder {
    fn poll(&mut self, roster: &'static Roster, now: Instant, intervals: &Intervals) -> io::Result<()> {
        match self.list(now) {
            Err(error) => {
                self.folder = None;
                self.imports = Vec::new();
                self.incompatible = Vec::new();
                if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
            }
            Ok(()) => {
                self.imports.retain_mut(|import| import.poll_record(roster, now, intervals));
                Ok(())
            }
        }
    }

    fn list(&mut self, now: Instant) -> io::Result<()> {
        // opened by its path every time: it may have been removed and created again
        let folder = self.folder.insert(CheckedDir::open(&self.path)?);
        let names = folder.names()?;
        let mut alive = file_names::owners(&names);
        alive.retain(|&owner| process_lock::is_alive(folder, owner));
        let is_alive = |owner: u64| alive.binary_search(&owner).is_ok();
        self.incompatible = import::update_imports(&mut self.imports, folder, &names, is_alive, now);
        self.incompatible.extend(process_lock::other_versions(folder));
        Ok(())
    }
}
