//! An album: its loudness as one programme, and what players do to each track in track and in album mode.

mod cue;
mod matching;
mod write;

use std::path::{Path, PathBuf};

use crate::clean::CleanReader;
use crate::mixdown::{Mixdown, master_chain};
use crate::progress::{Progress, advance};
use crate::sums::leave_out_sums;
use audiofile::error::{Error, Result, shown};
use audiofile::{AudioInfo, AudioReader, BLOCK};
use meter::layout::Layout;
use meter::{Meter, Reading, reading_from_hops};
use project::bundle::{Bundle, audio_files, holds_stems, stem_name, words};
use project::session::Session;
use project::session_file::FILE_NAME;
use session::playback::playback;
use session::role::Role;
use session::target::NormalizationTarget;
use units::{Db, Dbtp, Lu, Power};

pub use cue::MAX_TRACKS;
pub use matching::{AlbumTrims, MatchBy, MatchOrder};
pub use write::{AlbumJob, WrittenAlbum, WrittenTrack};

/// A track of the album.
#[derive(Clone, Debug)]
pub struct AlbumTrack {
    /// Its name.
    pub name: String,
    /// The file, or the folder of stems.
    pub path: PathBuf,
    /// Length in seconds.
    pub seconds: f64,
    /// Its reading.
    pub reading: Reading,
    hops: Vec<Power>,
    /// True for the stems of a song.
    is_stems: bool,
    /// The title in its session file.
    title: Option<String>,
}

/// Contents of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderKind {
    /// Finished songs, a track each.
    Songs,
    /// Stems of one song: their sum is one track.
    Stems,
}

/// Decision on the contents of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenFolder {
    /// The folder.
    pub path: PathBuf,
    /// Its contents.
    pub kind: FolderKind,
    /// The reason, half a sentence.
    pub reason: String,
}

/// The album.
#[derive(Clone, Debug)]
pub struct Album {
    /// The tracks in the order given; those of a folder in the order of their names, numbers by value.
    pub tracks: Vec<AlbumTrack>,
    /// The folders among what was given.
    pub folders: Vec<TakenFolder>,
    /// Sentences for the user.
    pub notes: Vec<String>,
    /// Sentences on what is wrong with the files.
    pub faults: Vec<String>,
    /// The reading of all of them as one programme without gaps.
    pub reading: Reading,
}

/// Playback gains of an album on one platform.
#[derive(Clone, Debug, PartialEq)]
pub struct AlbumPlayback {
    /// The gain of each track when it is played by itself or in a playlist; none if unknown.
    pub track_gains: Vec<Option<Db>>,
    /// The gain of every track when the album is played; none if unknown, or if the platform has no album mode.
    pub album_gain: Option<Db>,
}

/// Measures the tracks: a file as it is, a folder of songs as one track for each, a folder of stems as the sum of its
/// stems through its session. `kind`: what folders hold, if that is known. `both_sides`: mono files as they sound from two
/// sides.
///
/// # Errors
/// If one cannot be read, or the listener stops it.
pub fn album(
    paths: &[PathBuf],
    kind: Option<FolderKind>,
    both_sides: bool,
    progress: &mut dyn Progress,
) -> Result<Album> {
    let mut tracks = Vec::new();
    let mut folders = Vec::new();
    let (mut notes, mut faults) = (Vec::new(), Vec::new());
    for path in paths {
        if !holds_stems(path) {
            tracks.push(of_file(path, both_sides, &mut faults, progress)?);
            continue;
        }
        let files = audio_files(path)?;
        let taken = match kind {
            Some(kind) => TakenFolder { path: path.clone(), kind, reason: "--as says so".into() },
            None => take_folder(path, &files)?,
        };
        match taken.kind {
            FolderKind::Songs if !files.is_empty() => {
                for file in &files {
                    tracks.push(of_file(file, both_sides, &mut faults, progress)?);
                }
            }
            _ => tracks.push(of_stems(path, &mut notes, &mut faults, progress)?),
        }
        folders.push(taken);
    }
    let hops: Vec<Power> = tracks.iter().flat_map(|track| &track.hops).copied().collect();
    let most = |of: fn(&Reading) -> Option<f64>| {
        tracks.iter().filter_map(|track| of(&track.reading)).reduce(f64::max)
    };
    let reading = Reading {
        true_peak: most(|r| r.true_peak.map(|p| p.0)).map(Dbtp),
        sample_peak: most(|r| r.sample_peak.map(|p| p.0)).map(Db),
        ..reading_from_hops(&hops)
    };
    Ok(Album { tracks, folders, notes, faults, reading })
}

impl Album {
    /// The loudness of each track over that of the album.
    pub fn over_album(&self) -> Vec<Option<Lu>> {
        let over = |track: &AlbumTrack| Some(track.reading.integrated? - self.reading.integrated?);
        self.tracks.iter().map(over).collect()
    }

    /// The loudness of each track over that of the one before it.
    pub fn steps(&self) -> Vec<Option<Lu>> {
        let before = std::iter::once(None).chain(self.tracks.iter().map(|track| track.reading.integrated));
        self.tracks
            .iter()
            .zip(before)
            .map(|(track, before)| Some(track.reading.integrated? - before?))
            .collect()
    }

    /// The playback gains on `target`.
    pub fn playback(&self, target: &NormalizationTarget) -> AlbumPlayback {
        let gain = |reading| playback(reading, target).and_then(|playback| playback.gain);
        let whole = match target.loudest_track() {
            Some(loudness) => {
                let tracks = self.tracks.iter().filter_map(|track| track.reading.integrated);
                let loudest = tracks.reduce(|a, b| if b.0 > a.0 { b } else { a });
                let of_album = NormalizationTarget { loudness: Some(loudness), ..target.clone() };
                let reading = Reading { integrated: loudest, ..self.reading };
                playback(&reading, &of_album).and_then(|playback| playback.gain)
            }
            None => gain(&self.reading),
        };
        AlbumPlayback {
            track_gains: self
                .tracks
                .iter()
                .map(|track| if target.has_track_mode() { gain(&track.reading) } else { None })
                .collect(),
            album_gain: if target.has_album_mode() { whole } else { None },
        }
    }
}

/// Decides whether a folder holds songs or the stems of one.
fn take_folder(dir: &Path, files: &[PathBuf]) -> Result<TakenFolder> {
    let taken = |kind, reason: &str| Ok(TakenFolder { path: dir.to_owned(), kind, reason: reason.into() });
    if dir.join(FILE_NAME).is_file() {
        return taken(FolderKind::Stems, "it has a session file");
    }
    let called_stem = |word: &String| ["stem", "stems"].contains(&word.to_lowercase().as_str());
    if files.iter().any(|file| words(file).iter().any(called_stem)) {
        return taken(FolderKind::Stems, "its files are called stems");
    }
    if files.len() < 2 {
        return taken(FolderKind::Songs, "it holds one file");
    }
    let names: Vec<String> = files.iter().map(|file| stem_name(file)).collect();
    let roles = Role::guess_all(&names.iter().map(String::as_str).collect::<Vec<_>>());
    if 2 * roles.iter().filter(|role| **role != Role::Other).count() >= files.len() {
        return taken(FolderKind::Stems, "its files are called as instruments are");
    }
    let mut lengths = Vec::new();
    for file in files {
        let info = AudioReader::open(file)?.info().clone();
        lengths.push(info.frames as f64 / info.rate.0);
    }
    let least = lengths.iter().copied().fold(f64::INFINITY, f64::min);
    let most = lengths.iter().copied().fold(0.0, f64::max);
    if most - least > MAX_STEM_DIFFERENCE_S {
        return taken(FolderKind::Songs, "its files have different lengths and no names of instruments");
    }
    let is_number = |word: &String| word.chars().all(|c| c.is_ascii_digit());
    let numbered = |file: &PathBuf| matches!(words(file).as_slice(), [first, _, ..] if is_number(first));
    if files.iter().all(numbered) {
        return taken(FolderKind::Songs, "its files are numbered titles and no names of instruments");
    }
    taken(FolderKind::Stems, "its files have one length and no numbered titles")
}

/// Stems differ in length by no more than this, seconds.
const MAX_STEM_DIFFERENCE_S: f64 = 1.0;

fn name(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = if whole.is_dir() { whole.file_name() } else { whole.file_stem() };
    shown(Path::new(name.unwrap_or(path.as_os_str())))
}

fn of_file(
    path: &Path,
    both_sides: bool,
    faults: &mut Vec<String>,
    progress: &mut dyn Progress,
) -> Result<AlbumTrack> {
    let mut reader = CleanReader::open(path)?;
    let info = reader.info().clone();
    let mut planes = vec![Vec::new(); info.channels];
    let doubled = both_sides && info.channels == 1;
    let layout = if doubled { Layout::stereo() } else { Layout::new(info.channels, info.channel_mask) };
    let mut meter = Meter::new(info.rate, &layout);
    progress.begin(&name(path), info.frames);
    loop {
        let frames = reader.read_planar(&mut planes, BLOCK)?;
        if frames == 0 {
            break;
        }
        let mut channels: Vec<&[f64]> = planes.iter().map(Vec::as_slice).collect();
        if doubled {
            channels.push(&planes[0]);
        }
        meter.process(&channels);
        advance(progress, frames as u64, path)?;
    }
    reader.silenced().refuse_misscaled(path)?;
    faults.extend(warnings(path, &info));
    faults.extend(reader.silenced().fault(path, info.rate));
    Ok(track(path, &meter, info.rate.0, false))
}

/// A line for each fault that the reader found in a file.
fn warnings(path: &Path, info: &AudioInfo) -> impl Iterator<Item = String> {
    info.warnings.iter().map(|warning| format!("{}: {warning}", shown(path)))
}

/// The stems of a song with their session; sums among them are left out.
fn open_stems(dir: &Path, notes: &mut Vec<String>, progress: &mut dyn Progress) -> Result<(Bundle, Session)> {
    let mut bundle = Bundle::open(dir, None)?;
    if !dir.join(FILE_NAME).is_file() {
        notes.extend(leave_out_sums(&mut bundle, progress)?);
    }
    let (session, _) = Session::open(&mut bundle, None)?;
    Ok((bundle, session))
}

impl AlbumTrack {
    /// The track as stems with their session: those of a song, or the file alone.
    fn source(&self, progress: &mut dyn Progress) -> Result<(Bundle, Session)> {
        if self.is_stems {
            return open_stems(&self.path, &mut Vec::new(), progress);
        }
        let bundle = Bundle::single(&self.path)?;
        let session = Session::neutral(&bundle);
        Ok((bundle, session))
    }
}

fn of_stems(
    dir: &Path,
    notes: &mut Vec<String>,
    faults: &mut Vec<String>,
    progress: &mut dyn Progress,
) -> Result<AlbumTrack> {
    let (bundle, session) = open_stems(dir, notes, progress)?;
    let rate = bundle.rate()?;
    if session.stems.iter().all(|stem| stem.mute) {
        return Err(Error::Bundle {
            path: dir.to_owned(),
            fault: "has no stem that is not muted".into(),
            cure: "unmute one in the session file".into(),
        });
    }
    let mut mixdown = Mixdown::open(&bundle, &session)?;
    let mut chain = master_chain(&session.master, &session, rate);
    let mut meter = Meter::new(rate, &Layout::stereo());
    let mut sum = [Vec::new(), Vec::new()];
    progress.begin(&name(dir), mixdown.frames());
    while let Some((frames, out)) = mixdown.next(&mut chain, &mut sum, |_| ())? {
        meter.process(&out);
        advance(progress, frames, dir)?;
    }
    mixdown.refuse_misscaled()?;
    faults.extend(bundle.stems.iter().flat_map(|stem| warnings(&stem.path, &stem.info)));
    faults.extend(mixdown.faults());
    Ok(AlbumTrack { title: session.deliver.title, ..track(dir, &meter, rate.0, true) })
}

fn track(path: &Path, meter: &Meter, rate: f64, is_stems: bool) -> AlbumTrack {
    AlbumTrack {
        name: name(path),
        path: path.to_owned(),
        seconds: meter.frames() as f64 / rate,
        reading: meter.reading(),
        hops: meter.history().powers().to_vec(),
        is_stems,
        title: None,
    }
}
