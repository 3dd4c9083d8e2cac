//! Songs of a Master's timeline: an album in one project.

use super::Store;
use serde::{Deserialize, Serialize};

/// Maximum number of songs in a project.
pub const MAX_SONGS: usize = 64;
/// Maximum length of a name, characters.
const MAX_NAME_LENGTH: usize = 60;
/// Maximum distance of a song from the timeline's origin, seconds: four days.
const MAX_TIME: f64 = 4.0 * 86_400.0;

/// Range of the timeline that is one song.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SongRange {
    /// Name of the song.
    pub name: String,
    /// Start, seconds.
    pub start: f64,
    /// End, seconds.
    pub end: f64,
}

impl SongRange {
    /// Returns true if the range can be saved.
    fn is_valid(&self) -> bool {
        let name = self.name.chars().count() <= MAX_NAME_LENGTH && !self.name.chars().any(char::is_control);
        name && self.start >= -MAX_TIME && self.end <= MAX_TIME && self.start < self.end
    }

    /// Returns the song with another name, cleaned and shortened.
    pub fn named(self, name: &str) -> Self {
        let name = name.chars().filter(|c| !c.is_control()).take(MAX_NAME_LENGTH).collect::<String>();
        Self { name: name.trim().into(), ..self }
    }
}

/// Returns true if the songs can be saved.
pub(super) fn are_valid(songs: &[SongRange]) -> bool {
    songs.len() <= MAX_SONGS && songs.iter().all(SongRange::is_valid)
}

/// Returns `songs` with a new one in `start..end`, seconds, in order; songs that it overlaps are removed. Unchanged
/// if the range is invalid.
pub fn with_song(songs: &[SongRange], start: f64, end: f64) -> Vec<SongRange> {
    let free = (1..).map(|n| format!("Song {n}")).find(|name| songs.iter().all(|song| song.name != *name));
    let song = SongRange { name: free.unwrap_or_default(), start, end };
    if !song.is_valid() || songs.len() >= MAX_SONGS {
        return songs.to_vec();
    }
    let mut all: Vec<SongRange> =
        songs.iter().filter(|one| one.end <= start || one.start >= end).cloned().collect();
    all.push(song);
    all.sort_by(|a, b| a.start.total_cmp(&b.start));
    all
}

impl Store {
    /// Returns a Master's songs, in order.
    pub fn songs(&self) -> Vec<SongRange> {
        self.lock().document.songs.clone()
    }

    /// Sets a Master's songs; no effect if they are invalid.
    pub fn set_songs(&self, songs: Vec<SongRange>) {
        if are_valid(&songs) {
            self.lock().document.songs = songs;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Changes, SavedDocument};
    use super::*;
    use chain::ChainKind;

    fn named(songs: &[SongRange]) -> Vec<(&str, f64, f64)> {
        songs.iter().map(|song| (song.name.as_str(), song.start, song.end)).collect()
    }

    #[test]
    fn songs_stand_in_order_with_names_of_their_own_and_a_new_one_takes_the_place_of_old_ones() {
        let songs = with_song(&[], 200.0, 400.0);
        let songs = with_song(&songs, 0.0, 190.0);
        assert_eq!(named(&songs), [("Song 2", 0.0, 190.0), ("Song 1", 200.0, 400.0)]);
        let songs = with_song(&songs, 150.0, 200.0);
        assert_eq!(named(&songs), [("Song 3", 150.0, 200.0), ("Song 1", 200.0, 400.0)]);
        let over_both = with_song(&songs, 190.0, 250.0);
        assert_eq!(named(&over_both), [("Song 2", 190.0, 250.0)], "what begins within it makes way, too");
        for (start, end) in [(5.0, 5.0), (9.0, 3.0), (f64::NAN, 3.0), (0.0, f64::INFINITY)] {
            assert_eq!(with_song(&songs, start, end), songs);
        }
        let renamed = songs[0].clone().named(" First\nLight  ");
        assert_eq!(renamed.name, "FirstLight");
    }

    #[test]
    fn what_is_kept_is_saved_and_what_cannot_be_is_not_kept() {
        let store = Store::new(ChainKind::Master, Changes::default());
        assert!(!serde_json::to_string(&store.document()).expect("plain").contains("songs"));
        let songs = with_song(&[], 1.0, 2.5);
        store.set_songs(songs.clone());
        let text = serde_json::to_string(&store.document()).expect("plain");
        let read: SavedDocument = serde_json::from_str(&text).expect("its own");
        assert_eq!((read.songs, store.songs()), (songs.clone(), songs.clone()));
        store.set_songs(vec![songs[0].clone(); MAX_SONGS + 1]);
        store.set_songs(vec![SongRange { end: 0.5, ..songs[0].clone() }]);
        assert_eq!(store.songs(), songs);
    }
}
