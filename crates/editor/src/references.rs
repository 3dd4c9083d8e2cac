//! A Master's references, from its document through the disk to its audio thread, while its window is open.

use super::files::shelf::{Done, Job, MOST_FRAMES, Shelf};
use chain::monitor::MonitorMode;
use plugin_core::document::songs::SongRange;
use plugin_core::reference_clip::{PlayMode, PlayRequest, ReferenceClip};
use plugin_core::references::{self as shown, FolderListing, Reference, ReferenceReadings, ReferenceState};
use plugin_core::shared::PluginShared;
use std::sync::Arc;
use units::{Db, Hz, Lufs, Ms};

/// A change of the gain that a listener would not notice.
const SAME: Db = Db(0.05);

/// What a window knows of references. Readings outlive it, sound does not.
#[derive(Debug, Default)]
pub(super) struct References {
    /// Only while the window is open.
    shelf: Option<Shelf>,
    known: Vec<(String, ReferenceState)>,
    /// Those in memory, the one heard last at the end.
    reels: Vec<(String, Arc<ReferenceClip>)>,
    listing: Option<FolderListing>,
    /// They follow the transport.
    along: bool,
    /// The one that is to be heard, as soon as it can be.
    wanted: Option<String>,
    /// The one that is being read.
    asked: Option<String>,
    /// The one that was heard last.
    last: Option<String>,
    /// What the audio thread was given last.
    cued: Option<Cued>,
    /// Numbers of cues.
    count: u16,
}

#[derive(Debug)]
struct Cued {
    path: String,
    song: u16,
    way: PlayMode,
    rate: Hz,
    /// It has been said that it is to be heard.
    begun: bool,
}

impl References {
    /// A window has been opened; `wake` has it drawn.
    pub(super) fn open(&mut self, wake: impl Fn() + Send + 'static) {
        self.shelf = Some(Shelf::open(wake));
        // what could not be read may be there by now
        self.known.retain(|(_, state)| matches!(state, ReferenceState::Ready(_)));
    }

    /// The window has been closed: nothing is heard, nothing is held. The thread that reads ends by itself.
    pub(super) fn close(&mut self, shared: &PluginShared) -> Option<Shelf> {
        self.end(shared);
        self.reels.clear();
        (self.wanted, self.asked, self.listing) = (None, None, None);
        if self.cued.take().is_some() {
            // if there is no room, it comes back with what is cued next, or with the plugin's end
            shared.references.send_request(None);
        }
        shared.references.free_returned();
        self.shelf.take()
    }

    /// That file is to be heard; `None`: the mix again.
    pub(super) fn hear(&mut self, path: Option<&str>, shared: &PluginShared) {
        self.wanted = path.map(str::to_owned);
        if path.is_none() {
            self.end(shared);
        }
    }

    /// They follow the transport, or are heard at their loudest.
    pub(super) fn along(&mut self, along: bool) {
        self.along = along;
    }

    /// A person looks for files in that folder; `None`: where people keep music, or beside the last one.
    pub(super) fn browse(&mut self, folder: Option<&str>) {
        if let Some(shelf) = &self.shelf {
            shelf.want(Job::List(folder.map(str::to_owned)));
        }
    }

    fn end(&self, shared: &PluginShared) {
        if matches!(shared.monitor.mode(), MonitorMode::Reference { .. }) {
            shared.monitor.clear_mode();
        }
    }

    /// Does what a person wants as far as it can be done, and returns what there is to show. `kept` and `songs`: the
    /// document's files and songs; `mix`: the loudness that they are matched to.
    pub(super) fn look(
        &mut self,
        kept: &[String],
        songs: &[SongRange],
        mix: Option<Lufs>,
        rate: Option<Hz>,
        shared: &PluginShared,
    ) -> shown::ReferenceList {
        self.take_in(kept);
        if self.reels.iter().any(|(_, reel)| Some(reel.rate) != rate) {
            self.reels.clear();
            self.asked = None;
        }
        let mut facts = shown::ReferenceList {
            kept: self.known(kept),
            along: self.along,
            mix,
            listing: self.listing.clone(),
            ..Default::default()
        };
        self.play(&facts, songs, rate, shared);
        shared.references.free_returned();
        let place =
            |path: &Option<String>| path.as_ref().and_then(|path| kept.iter().position(|one| one == path));
        let heard = matches!(shared.monitor.mode(), MonitorMode::Reference { .. });
        facts.heard = place(&self.cued.as_ref().filter(|_| heard).map(|cued| cued.path.clone()));
        facts.awaited = place(&self.wanted).filter(|place| facts.heard != Some(*place));
        facts.last = place(&self.last);
        facts
    }

    /// Keeps what has been read.
    fn keep(&mut self, done: Done) {
        match done {
            Done::Listed(listing) => self.listing = Some(listing),
            Done::Measured(path, figures) => {
                self.learn(&path, figures.map_or_else(ReferenceState::Broken, ReferenceState::Ready));
            }
            Done::Loaded(path, reel) => {
                self.asked.take_if(|asked| *asked == path);
                match reel {
                    Ok(reel) => self.reels.push((path, reel)),
                    Err(fault) => self.learn(&path, ReferenceState::Broken(fault)),
                }
            }
        }
    }

    /// That is known of a file now; of one that was removed meanwhile, nothing.
    fn learn(&mut self, path: &str, state: ReferenceState) {
        if let Some((_, known)) = self.known.iter_mut().find(|(one, _)| one == path) {
            *known = state;
        }
    }

    /// Takes what has been read, and asks for what is not known.
    fn take_in(&mut self, kept: &[String]) {
        while let Some(done) = self.shelf.as_ref().and_then(Shelf::done) {
            self.keep(done);
        }
        self.known.retain(|(path, _)| kept.contains(path));
        self.reels.retain(|(path, _)| kept.contains(path));
        self.wanted.take_if(|path| !kept.contains(path));
        for path in kept {
            if !self.known.iter().any(|(one, _)| one == path) {
                self.known.push((path.clone(), ReferenceState::Reading));
                if let Some(shelf) = &self.shelf {
                    shelf.want(Job::Measure(path.clone()));
                }
            }
        }
    }

    fn known(&self, kept: &[String]) -> Vec<Reference> {
        let state =
            |path: &String| self.known.iter().find(|(one, _)| one == path).map(|(_, state)| state.clone());
        kept.iter()
            .map(|path| Reference { path: path.clone(), state: state(path).unwrap_or_default() })
            .collect()
    }

    /// Sees when somebody else has ended what is heard: a click on the sign, another way of listening, a host that activates
    /// or loads a state.
    fn notice_end(&mut self, now: MonitorMode) {
        if let Some(cued) = self.cued.as_mut().filter(|cued| cued.begun)
            && !matches!(now, MonitorMode::Reference { song, .. } if song == cued.song)
        {
            cued.begun = false;
            self.wanted.take_if(|path| *path == cued.path);
        }
    }

    /// Has what is wanted heard, as soon as it is read.
    fn play(
        &mut self,
        facts: &shown::ReferenceList,
        songs: &[SongRange],
        rate: Option<Hz>,
        shared: &PluginShared,
    ) {
        let now = shared.monitor.mode();
        self.notice_end(now);
        let Some(path) = self.wanted.clone() else {
            self.end(shared);
            return;
        };
        let place = facts.kept.iter().position(|one| one.path == path);
        let (figures, gain) = match place.map(|place| (&facts.kept[place].state, facts.matched_gain(place))) {
            Some((ReferenceState::Ready(figures), Some(matched))) => (*figures, matched.gain),
            // its figures are on the way; or the mix's meter has just been started anew, and it goes on as it is
            Some((ReferenceState::Reading, _)) => return,
            Some((ReferenceState::Ready(_), None)) if self.cued.as_ref().is_some_and(|cued| cued.begun) => {
                return;
            }
            _ => {
                self.wanted = None;
                return;
            }
        };
        let Some(reel) = self.reel(&path, figures, rate) else { return };
        let way = self.way(&reel, figures, songs, shared);
        let is_cued = self
            .cued
            .as_ref()
            .is_some_and(|cued| cued.path == path && cued.way == way && cued.rate == reel.rate);
        if !is_cued {
            let song = self.count.wrapping_add(1);
            let rate = reel.rate;
            if !shared.references.send_request(Some(PlayRequest { song, clip: reel, mode: way })) {
                return;
            }
            self.count = song;
            self.last = Some(path.clone());
            self.cued = Some(Cued { path, song, way, rate, begun: false });
        }
        let Some(cued) = &mut self.cued else { return };
        let is_right = matches!(now, MonitorMode::Reference { song, gain: is }
            if song == cued.song && (is.0 - gain.0).abs() < SAME.0);
        if !is_right {
            shared.monitor.set_mode(MonitorMode::Reference { song: cued.song, gain });
        }
        cued.begun = true;
    }

    /// The sound of a file; asked for if it is not in memory. No more than [`MOST_FRAMES`] are held beside the one that is
    /// heard.
    fn reel(
        &mut self,
        path: &str,
        figures: ReferenceReadings,
        rate: Option<Hz>,
    ) -> Option<Arc<ReferenceClip>> {
        if let Some(at) = self.reels.iter().position(|(one, _)| one == path) {
            let reel = self.reels.remove(at);
            self.reels.push(reel);
            let mut frames = 0;
            let fits = |(_, reel): &&(String, Arc<ReferenceClip>)| {
                frames += reel.frames.len();
                frames <= MOST_FRAMES
            };
            let fit = self.reels.iter().rev().take_while(fits).count();
            self.reels.drain(..self.reels.len() - fit);
            return self.reels.last().map(|(_, reel)| Arc::clone(reel));
        }
        if let (Some(shelf), Some(rate), true) = (&self.shelf, rate, self.asked.as_deref() != Some(path)) {
            shelf.want(Job::Load(path.to_owned(), figures, rate));
            self.asked = Some(path.to_owned());
        }
        None
    }

    /// Along with the song that the transport is in, from its beginning; or the loudest stretch.
    fn way(
        &self,
        reel: &ReferenceClip,
        figures: ReferenceReadings,
        songs: &[SongRange],
        shared: &PluginShared,
    ) -> PlayMode {
        let frames = |at: Ms| (at.0 * reel.rate.0 / 1000.0).round();
        if self.along {
            let position = shared.transport.position().map_or(0.0, |at| at.0 / 1000.0);
            let song = songs.iter().find(|song| (song.start..song.end).contains(&position));
            return PlayMode::FollowTransport(frames(Ms(song.map_or(0.0, |song| song.start) * 1000.0)) as i64);
        }
        let of_reel = |at: Ms| (frames(at) as usize).saturating_sub(reel.start).min(reel.frames.len());
        PlayMode::Loop(of_reel(figures.loudest.0), of_reel(figures.loudest.1))
    }
}

#[cfg(test)]
mod tests;
