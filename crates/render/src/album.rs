//! An album: its loudness as one programme, and what players do to each track in track and in album mode.

use std::path::{Path, PathBuf};

use crate::mixdown::{Mixdown, master_chain};
use crate::progress::{Progress, advance};
use audiofile::AudioReader;
use audiofile::error::{Error, Result, shown};
use meter::layout::Layout;
use meter::{Meter, Reading, reading_from_hops};
use project::bundle::{Bundle, holds_stems};
use project::session::Session;
use session::playback::playback;
use session::target::NormalizationTarget;
use units::{Db, Dbtp, Lu, Power};

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
}

/// The album.
#[derive(Clone, Debug)]
pub struct Album {
    /// The tracks in the order given.
    pub tracks: Vec<AlbumTrack>,
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

/// Measures the tracks: a file as it is, a folder of stems as the sum of its stems through its session.
///
/// # Errors
/// If one cannot be read, or the listener stops it.
pub fn album(paths: &[PathBuf], progress: &mut dyn Progress) -> Result<Album> {
    let tracks: Vec<AlbumTrack> = paths
        .iter()
        .map(|path| if holds_stems(path) { of_stems(path, progress) } else { of_file(path, progress) })
        .collect::<Result<_>>()?;
    let hops: Vec<Power> = tracks.iter().flat_map(|track| &track.hops).copied().collect();
    let most = |of: fn(&Reading) -> Option<f64>| {
        tracks.iter().filter_map(|track| of(&track.reading)).reduce(f64::max)
    };
    let reading = Reading {
        true_peak: most(|r| r.true_peak.map(|p| p.0)).map(Dbtp),
        sample_peak: most(|r| r.sample_peak.map(|p| p.0)).map(Db),
        ..reading_from_hops(&hops)
    };
    Ok(Album { tracks, reading })
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
        let has_album_mode = target.mode.contains("album");
        AlbumPlayback {
            track_gains: self.tracks.iter().map(|track| gain(&track.reading)).collect(),
            album_gain: if has_album_mode { gain(&self.reading) } else { None },
        }
    }
}

fn name(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = if whole.is_dir() { whole.file_name() } else { whole.file_stem() };
    shown(Path::new(name.unwrap_or(path.as_os_str())))
}

fn of_file(path: &Path, progress: &mut dyn Progress) -> Result<AlbumTrack> {
    let mut reader = AudioReader::open(path)?;
    let info = reader.info().clone();
    let mut meter = Meter::new(info.rate, &Layout::new(info.channels, info.channel_mask));
    progress.begin(&name(path), info.frames);
    reader.each_block(|planes| {
        let channels: Vec<&[f64]> = planes.iter().map(Vec::as_slice).collect();
        meter.process(&channels);
        advance(progress, planes[0].len() as u64, path)
    })?;
    Ok(track(path, &meter, info.rate.0))
}

fn of_stems(dir: &Path, progress: &mut dyn Progress) -> Result<AlbumTrack> {
    let mut bundle = Bundle::open(dir, None)?;
    let (session, _) = Session::open(&mut bundle, None)?;
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
    Ok(track(dir, &meter, rate.0))
}

fn track(path: &Path, meter: &Meter, rate: f64) -> AlbumTrack {
    AlbumTrack {
        name: name(path),
        path: path.to_owned(),
        seconds: meter.frames() as f64 / rate,
        reading: meter.reading(),
        hops: meter.history().powers().to_vec(),
    }
}
