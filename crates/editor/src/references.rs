//! References of a Master, from its document through the loader to its audio thread, while its window is open.

use super::files::reference_loader::{LoadJob, LoadResult, MAX_FRAMES, ReferenceLoader};
use chain::monitor::MonitorMode;
use plugin_core::document::songs::SongRange;
use plugin_core::reference_clip::{PlayMode, PlayRequest, ReferenceClip};
use plugin_core::references::{self as model, FolderListing, Reference, ReferenceReadings, ReferenceState};
use plugin_core::shared::PluginShared;
use std::sync::Arc;
use units::{Db, Hz, Lufs, Ms};

/// Largest inaudible change of the gain.
const GAIN_TOLERANCE: Db = Db(0.05);

/// References of a window. ReferenceReadings outlive the window, audio does not.
#[derive(Debug, Default)]
pub(super) struct ReferenceController {
    /// `None` while the window is closed.
    loader: Option<ReferenceLoader>,
    known: Vec<(String, ReferenceState)>,
    /// Clips in memory; the one played last is at the end.
    clips: Vec<(String, Arc<ReferenceClip>)>,
    listing: Option<FolderListing>,
    /// References follow the transport.
    along: bool,
    /// Path of the reference to play as soon as it is loaded.
    wanted: Option<String>,
    /// Path of the reference being loaded.
    asked: Option<String>,
    /// Path of the reference played last.
    last: Option<String>,
    /// Clip given to the audio thread last.
    cued: Option<Cued>,
    /// Number of the last play request.
    count: u16,
}

#[derive(Debug)]
struct Cued {
    path: String,
    song: u16,
    way: PlayMode,
    rate: Hz,
    /// The monitor mode has been set to it.
    begun: bool,
}

impl ReferenceController {
    /// Starts the loader for a window that has been opened; `wake` redraws it.
    pub(super) fn open(&mut self, wake: impl Fn() + Send + 'static) {
        self.loader = Some(ReferenceLoader::open(wake));
        // what could not be read may be there by now
        self.known.retain(|(_, state)| matches!(state, ReferenceState::Ready(_)));
    }

    /// Ends playback and frees the clips of a closed window. The loader's thread ends by itself.
    pub(super) fn close(&mut self, shared: &PluginShared) -> Option<ReferenceLoader> {
        self.end(shared);
        self.clips.clear();
        (self.wanted, self.asked, self.listing) = (None, None, None);
        if self.cued.take().is_some() {
            // if there is no room, it comes back with what is cued next, or with the plugin's end
            shared.references.send_request(None);
        }
        shared.references.free_returned();
        self.loader.take()
    }

    /// Plays a reference; `None`: the mix.
    pub(super) fn play_reference(&mut self, path: Option<&str>, shared: &PluginShared) {
        self.wanted = path.map(str::to_owned);
        if path.is_none() {
            self.end(shared);
        }
    }

    /// Makes references follow the transport, or repeat their loudest passage.
    pub(super) fn follow_transport(&mut self, along: bool) {
        self.along = along;
    }

    /// Lists a folder for the file chooser; `None`: the folder of the last reference, or the music folder.
    pub(super) fn list_folder(&mut self, folder: Option<&str>) {
        if let Some(loader) = &self.loader {
            loader.request(LoadJob::List(folder.map(str::to_owned)));
        }
    }

    fn end(&self, shared: &PluginShared) {
        if matches!(shared.monitor.mode(), MonitorMode::Reference { .. }) {
            shared.monitor.clear_mode();
        }
    }

    /// Advances loading and playback, and returns the references to show. `kept` and `songs`: the document's files and
    /// songs; `mix`: the loudness that they are matched to.
    pub(super) fn update(
        &mut self,
        kept: &[String],
        songs: &[SongRange],
        mix: Option<Lufs>,
        rate: Option<Hz>,
        shared: &PluginShared,
    ) -> model::ReferenceList {
        self.poll_loader(kept);
        if self.clips.iter().any(|(_, clip)| Some(clip.rate) != rate) {
            self.clips.clear();
            self.asked = None;
        }
        let mut model = model::ReferenceList {
            kept: self.known(kept),
            along: self.along,
            mix,
            listing: self.listing.clone(),
            ..Default::default()
        };
        self.play(&model, songs, rate, shared);
        shared.references.free_returned();
        let place =
            |path: &Option<String>| path.as_ref().and_then(|path| kept.iter().position(|one| one == path));
        let heard = matches!(shared.monitor.mode(), MonitorMode::Reference { .. });
        model.heard = place(&self.cued.as_ref().filter(|_| heard).map(|cued| cued.path.clone()));
        model.awaited = place(&self.wanted).filter(|place| model.heard != Some(*place));
        model.last = place(&self.last);
        model
    }

    /// Stores a result of the loader.
    fn store_result(&mut self, done: LoadResult) {
        match done {
            LoadResult::Listed(listing) => self.listing = Some(listing),
            LoadResult::Measured(path, figures) => {
                self.set_state(&path, figures.map_or_else(ReferenceState::Broken, ReferenceState::Ready));
            }
            LoadResult::Loaded(path, clip) => {
                self.asked.take_if(|asked| *asked == path);
                match clip {
                    Ok(clip) => self.clips.push((path, clip)),
                    Err(fault) => self.set_state(&path, ReferenceState::Broken(fault)),
                }
            }
        }
    }

    /// Sets the state of a file, unless it was removed meanwhile.
    fn set_state(&mut self, path: &str, state: ReferenceState) {
        if let Some((_, known)) = self.known.iter_mut().find(|(one, _)| one == path) {
            *known = state;
        }
    }

    /// Takes the loader's results, and requests unknown figures.
    fn poll_loader(&mut self, kept: &[String]) {
        while let Some(done) = self.loader.as_ref().and_then(ReferenceLoader::poll_result) {
            self.store_result(done);
        }
        self.known.retain(|(path, _)| kept.contains(path));
        self.clips.retain(|(path, _)| kept.contains(path));
        self.wanted.take_if(|path| !kept.contains(path));
        for path in kept {
            if !self.known.iter().any(|(one, _)| one == path) {
                self.known.push((path.clone(), ReferenceState::Reading));
                if let Some(loader) = &self.loader {
                    loader.request(LoadJob::Measure(path.clone()));
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

    /// Notices that playback was ended elsewhere: by the banner, another monitor mode, or a host that activates or loads a
    /// state.
    fn notice_end(&mut self, now: MonitorMode) {
        if let Some(cued) = self.cued.as_mut().filter(|cued| cued.begun)
            && !matches!(now, MonitorMode::Reference { song, .. } if song == cued.song)
        {
            cued.begun = false;
            self.wanted.take_if(|path| *path == cued.path);
        }
    }

    /// Plays the wanted reference once it is loaded.
    fn play(
        &mut self,
        model: &model::ReferenceList,
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
        let place = model.kept.iter().position(|one| one.path == path);
        let (figures, gain) = match place.map(|place| (&model.kept[place].state, model.matched_gain(place))) {
            Some((ReferenceState::Ready(figures), Some(matched))) => (*figures, matched.gain),
            // its figures are on the way; or the mix's meter has just been reset, and it goes on as it is
            Some((ReferenceState::Reading, _)) => return,
            Some((ReferenceState::Ready(_), None)) if self.cued.as_ref().is_some_and(|cued| cued.begun) => {
                return;
            }
            _ => {
                self.wanted = None;
                return;
            }
        };
        let Some(clip) = self.clip(&path, figures, rate) else { return };
        let way = self.play_mode(&clip, figures, songs, shared);
        let is_cued = self
            .cued
            .as_ref()
            .is_some_and(|cued| cued.path == path && cued.way == way && cued.rate == clip.rate);
        if !is_cued {
            let song = self.count.wrapping_add(1);
            let rate = clip.rate;
            if !shared.references.send_request(Some(PlayRequest { song, clip, mode: way })) {
                return;
            }
            self.count = song;
            self.last = Some(path.clone());
            self.cued = Some(Cued { path, song, way, rate, begun: false });
        }
        let Some(cued) = &mut self.cued else { return };
        let is_right = matches!(now, MonitorMode::Reference { song, gain: is }
            if song == cued.song && (is.0 - gain.0).abs() < GAIN_TOLERANCE.0);
        if !is_right {
            shared.monitor.set_mode(MonitorMode::Reference { song: cued.song, gain });
        }
        cued.begun = true;
    }

    /// Returns the clip of a file and requests it if it is not in memory. At most [`MAX_FRAMES`] are held beside the one that
    /// plays.
    fn clip(
        &mut self,
        path: &str,
        figures: ReferenceReadings,
        rate: Option<Hz>,
    ) -> Option<Arc<ReferenceClip>> {
        if let Some(at) = self.clips.iter().position(|(one, _)| one == path) {
            let clip = self.clips.remove(at);
            self.clips.push(clip);
            let mut frames = 0;
            let fits = |(_, clip): &&(String, Arc<ReferenceClip>)| {
                frames += clip.frames.len();
                frames <= MAX_FRAMES
            };
            let fit = self.clips.iter().rev().take_while(fits).count();
            self.clips.drain(..self.clips.len() - fit);
            return self.clips.last().map(|(_, clip)| Arc::clone(clip));
        }
        if let (Some(loader), Some(rate), true) = (&self.loader, rate, self.asked.as_deref() != Some(path)) {
            loader.request(LoadJob::Load(path.to_owned(), figures, rate));
            self.asked = Some(path.to_owned());
        }
        None
    }

    /// Returns the play mode: along with the song under the transport, or the loudest passage repeated.
    fn play_mode(
        &self,
        clip: &ReferenceClip,
        figures: ReferenceReadings,
        songs: &[SongRange],
        shared: &PluginShared,
    ) -> PlayMode {
        let frames = |at: Ms| (at.0 * clip.rate.0 / 1000.0).round();
        if self.along {
            let position = shared.transport.position().map_or(0.0, |at| at.0 / 1000.0);
            let song = songs.iter().find(|song| (song.start..song.end).contains(&position));
            return PlayMode::FollowTransport(frames(Ms(song.map_or(0.0, |song| song.start) * 1000.0)) as i64);
        }
        let of_reel = |at: Ms| (frames(at) as usize).saturating_sub(clip.start).min(clip.frames.len());
        PlayMode::Loop(of_reel(figures.loudest.0), of_reel(figures.loudest.1))
    }
}

#[cfg(test)]
mod tests;
