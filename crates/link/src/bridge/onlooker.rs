//! Sees all instances of this user without being one: it makes no file, and others do not know of it.

use super::folder::{self, Folder};
use super::import::{self, Import};
use super::pace::Intervals;
use super::{lock, names};
use crate::roster::{PeerView, Roster};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Reads what instances tell, everywhere that they may meet: processes with different environments meet in different
/// folders. It has no thread: it looks when [`Self::look`] is called, which others of its kind and plugins do every
/// quarter of a second.
#[derive(Debug)]
pub struct Observer {
    roster: &'static Roster,
    pace: Intervals,
    places: Vec<Place>,
}

/// One folder.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    folder: Option<Folder>,
    imports: Vec<Import>,
    incompatible: Vec<u64>,
    trouble: Option<io::Error>,
}

impl Observer {
    /// Looks where everybody meets, and shows in `roster`, which nobody else uses, what it finds.
    pub fn new(roster: &'static Roster) -> Self {
        Self::at(roster, folder::places(), Intervals::DEFAULT)
    }

    /// Looks into these folders only.
    pub fn at(roster: &'static Roster, places: Vec<PathBuf>, pace: Intervals) -> Self {
        let place =
            |path| Place { path, folder: None, imports: Vec::new(), incompatible: Vec::new(), trouble: None };
        Self { roster, pace, places: places.into_iter().map(place).collect() }
    }

    /// Takes note of what there is `now`.
    pub fn look(&mut self, now: Instant) {
        for place in &mut self.places {
            place.trouble = place.look(self.roster, now, &self.pace).err();
        }
    }

    /// The instances that are there, [`super::super::snapshot::Kind::Viewer`]s included.
    pub fn peers(&self) -> impl Iterator<Item = PeerView> {
        self.roster.peers()
    }

    /// Versions of instances, or of whole processes, that speak another protocol, one entry each.
    pub fn incompatible(&self) -> impl Iterator<Item = u64> {
        self.places.iter().flat_map(|place| place.incompatible.iter().copied())
    }

    /// Folders that could not be looked into, each with the reason. One that is not there is none of them.
    pub fn troubles(&self) -> impl Iterator<Item = (&Path, &io::Error)> {
        self.places.iter().filter_map(|place| Some((place.path.as_path(), place.trouble.as_ref()?)))
    }

    /// Whether it is known of every instance if its heart beats: an answer before that may call awake what stands still.
    pub fn is_sure(&self, now: Instant) -> bool {
        self.places.iter().flat_map(|place| &place.imports).all(|import| import.is_known(now, &self.pace))
    }

    /// The folder in which `peer` was found.
    pub fn place_of(&self, peer: PeerView) -> Option<&Path> {
        let is_here = |place: &&Place| place.imports.iter().any(|import| import.peer() == Some(peer));
        self.places.iter().find(is_here).map(|place| place.path.as_path())
    }
}

impl Place {
    fn look(&mut self, roster: &'static Roster, now: Instant, pace: &Intervals) -> io::Result<()> {
        match self.list(now) {
            Err(error) => {
                // what was known of it is not known any more
                (self.folder, self.imports, self.incompatible) = (None, Vec::new(), Vec::new());
                if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
            }
            Ok(()) => {
                self.imports.retain_mut(|import| import.look(roster, now, pace));
                Ok(())
            }
        }
    }

    fn list(&mut self, now: Instant) -> io::Result<()> {
        // by its path every time: it may have been removed and made anew
        let folder = self.folder.insert(Folder::open(&self.path)?);
        let names = folder.names()?;
        let mut owners: Vec<u64> = names.iter().filter_map(|name| names::owner(name)).collect();
        owners.sort_unstable();
        owners.dedup();
        owners.retain(|&owner| lock::lives(folder, owner));
        let lives = |owner: u64| owners.binary_search(&owner).is_ok();
        self.incompatible = import::follow(&mut self.imports, folder, &names, lives, now);
        self.incompatible.extend(lock::strangers(folder));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

    use super::super::tests::{Meeting, PACE, eventually, master, meet, roster, stem};
    use super::*;
    use crate::slot::Presence;

    fn onlooker(meeting: &Meeting) -> Observer {
        let nowhere = meeting.folder().with_file_name("nowhere");
        Observer::at(roster(), vec![nowhere, meeting.folder().to_owned()], PACE)
    }

    fn named(onlooker: &Observer, name: &str) -> Option<PeerView> {
        let is_named = |peer: &PeerView| peer.label().is_some_and(|label| label.name.as_str() == name);
        onlooker.peers().find(is_named)
    }

    #[test]
    fn it_sees_everybody_and_nobody_sees_it() {
        let meeting = Meeting::new();
        let mut onlooker = onlooker(&meeting);
        onlooker.look(Instant::now());
        assert!(!meeting.folder().exists(), "it makes nothing");
        assert_eq!((onlooker.peers().count(), onlooker.troubles().count()), (0, 0));
        assert!(onlooker.is_sure(Instant::now()), "there is nothing to be sure of");

        let (here, there) = (meeting.process(), meeting.process());
        let (drums, _) = stem(here, "Drums");
        let (_mix, _) = master(there);
        eventually("both", || {
            onlooker.look(Instant::now());
            (onlooker.peers().count() == 2 && onlooker.is_sure(Instant::now())).then_some(())
        });
        let seen = named(&onlooker, "Drums").unwrap();
        assert_eq!((seen.id(), seen.presence()), (drums.outlet.id(), Presence::Awake));
        assert_eq!(onlooker.place_of(seen), Some(meeting.folder()));
        assert_eq!(meeting.names().len(), 4, "two locks, two instances, and nothing of the onlooker's");
        // these look for themselves, when they come to it
        meet(here, "Mix");
        meet(there, "Drums");
        assert_eq!((here.roster().peers().count(), there.roster().peers().count()), (2, 2));

        drop(drums);
        onlooker.look(Instant::now());
        assert!(named(&onlooker, "Drums").is_none() && !seen.is_there());
    }

    #[test]
    fn what_the_dead_have_left_is_not_seen_and_stays_where_it_is() {
        let meeting = Meeting::new();
        let (_drums, _) = stem(meeting.process(), "Drums");
        let mut onlooker = onlooker(&meeting);
        eventually("Drums", || {
            onlooker.look(Instant::now());
            named(&onlooker, "Drums")
        });
        // a copy under a dead process's name: no lock, or one that nobody holds
        let link = meeting.names().into_iter().find(|name| !names::is_lock(name)).unwrap();
        for nonce in [1, 2] {
            let copy = meeting.folder().join(names::link(nonce, 3));
            std::fs::copy(meeting.folder().join(&link), copy).unwrap();
        }
        std::fs::write(meeting.folder().join(names::lock(2)), "").unwrap();
        let files = meeting.names().len();
        onlooker.look(Instant::now());
        onlooker.look(Instant::now());
        assert_eq!((onlooker.peers().count(), meeting.names().len()), (1, files));
    }

    #[test]
    fn a_folder_that_cannot_be_looked_into_is_said() {
        let meeting = Meeting::new();
        std::fs::write(meeting.folder(), "a file").unwrap();
        let mut onlooker = onlooker(&meeting);
        onlooker.look(Instant::now());
        let troubles: Vec<_> = onlooker.troubles().map(|(path, _)| path.to_owned()).collect();
        assert_eq!(troubles, [meeting.folder()]);
    }
}
