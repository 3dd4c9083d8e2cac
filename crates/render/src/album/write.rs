//! An album as files: its tracks with their trims, each verified as a master is, and a cue sheet.

use std::path::{Path, PathBuf};

use super::cue::{CueTrack, MAX_TRACKS, cue_sheet};
use super::matching::AlbumTrims;
use super::{Album, AlbumTrack};
use crate::master::{MasterJob, Mastered, master};
use crate::output::is_input;
use crate::progress::Progress;
use crate::small_file::SmallFile;
use crate::tags::FileTags;
use audiofile::error::{Error, Result};
use audiofile::output::{check_output, remove_file, same_file};
use project::names::name_text_from;
use project::reserved::unreserved_name;
use project::session::MasterLoudness;
use units::{Db, Dbtp};

/// An album to be written.
pub struct AlbumJob<'a> {
    /// The folder, which is there.
    pub out: &'a Path,
    /// The trims.
    pub trims: &'a AlbumTrims,
    /// The ceiling of every track.
    pub ceiling: Dbtp,
    /// The album's title.
    pub title: &'a str,
    /// The artist; empty: none.
    pub artist: &'a str,
    /// Seconds of silence before each track; the first has none.
    pub gaps: &'a [f64],
    /// Recording codes in the order of the tracks; where there is none, that of the track's session file.
    pub isrc: &'a [Option<String>],
    /// Replace what is there.
    pub overwrite: bool,
}

/// An album that was written.
pub struct WrittenAlbum {
    /// The tracks.
    pub tracks: Vec<WrittenTrack>,
    /// The cue sheet, which was written last.
    pub cue: PathBuf,
}

/// A track that was written.
pub struct WrittenTrack {
    /// Its title.
    pub title: String,
    /// Its recording code.
    pub isrc: Option<String>,
    /// The file as a master.
    pub mastered: Mastered,
}

impl Album {
    /// Writes every track with its trim, and the cue sheet once all of them are there.
    ///
    /// # Errors
    /// Before any work if a file is in the way, is one of the tracks, or there are too many tracks; else if one cannot be read or
    /// written, or the listener stops it. Then there is no cue sheet, and no file but those that are complete.
    pub fn write(&self, job: &AlbumJob<'_>, progress: &mut dyn Progress) -> Result<WrittenAlbum> {
        if self.tracks.len() > MAX_TRACKS {
            return Err(Error::Bundle {
                path: job.out.to_owned(),
                fault: format!("would hold {} tracks, a cue sheet has up to {MAX_TRACKS}", self.tracks.len()),
                cure: "write it in parts".into(),
            });
        }
        let titles = self.titles();
        let file = |(n, title): (usize, &String)| {
            job.out.join(unreserved_name(&format!("{:02} {}.wav", n + 1, name_text_from(title))))
        };
        let files: Vec<PathBuf> = titles.iter().enumerate().map(file).collect();
        let cue = job.out.join(unreserved_name(&format!("{}.cue", name_text_from(job.title))));
        for path in files.iter().chain([&cue]) {
            if let Some(track) = self.tracks.iter().find(|track| same_file(&track.path, path)) {
                let fault = format!("is the track {}", track.name);
                return Err(is_input(path, fault, "choose another output folder"));
            }
            check_output(path, job.overwrite)?;
        }
        // while the sheet is there, all that it lists is
        if job.overwrite {
            remove_file(&cue)?;
        }
        let mut tracks = Vec::new();
        for (n, track) in self.tracks.iter().enumerate() {
            let own = job.isrc.get(n).cloned().flatten();
            tracks.push(track.write(job, own, job.trims.trims[n], &titles[n], files[n].clone(), progress)?);
        }
        let names: Vec<String> = files
            .iter()
            .map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
            .collect();
        let sheet: Vec<CueTrack<'_>> = tracks
            .iter()
            .enumerate()
            .map(|(n, track)| CueTrack {
                file: &names[n],
                title: &track.title,
                isrc: track.isrc.as_deref(),
                gap: job.gaps.get(n).copied().unwrap_or_default(),
            })
            .collect();
        let text = cue_sheet(job.title, job.artist, &sheet);
        SmallFile::claim(&cue, job.overwrite)?.write(text.as_bytes())?;
        Ok(WrittenAlbum { tracks, cue })
    }

    /// Titles of the tracks: that of the session file, or their names, without the number in front where each has that of its
    /// place.
    pub fn titles(&self) -> Vec<String> {
        let digits = |name: &str| name.len() - name.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let title = |(n, track): (usize, &AlbumTrack)| {
            let (number, rest) = track.name.split_at(digits(&track.name));
            let rest = rest.trim_start_matches([' ', '_', '-', '.', ')']);
            (number.parse() == Ok(n + 1) && !rest.is_empty()).then(|| rest.to_owned())
        };
        let titles: Option<Vec<String>> = self.tracks.iter().enumerate().map(title).collect();
        let titles = titles.unwrap_or_else(|| self.tracks.iter().map(|track| track.name.clone()).collect());
        let own = self.tracks.iter().map(|track| track.title.clone());
        own.zip(titles).map(|(own, title)| own.unwrap_or(title)).collect()
    }
}

impl AlbumTrack {
    /// Writes the track with a gain: a master of it as it is.
    fn write(
        &self,
        job: &AlbumJob<'_>,
        isrc: Option<String>,
        trim: Db,
        title: &str,
        output: PathBuf,
        progress: &mut dyn Progress,
    ) -> Result<WrittenTrack> {
        let (bundle, mut session) = self.source(progress)?;
        session.loudness = MasterLoudness::AsIs;
        session.master.level = session.master.level + trim;
        session.master.limiter.ceiling = job.ceiling;
        let of_session =
            || session.deliver.isrc.iter().find(|(of, _)| of.is_none()).map(|(_, code)| code.clone());
        let isrc = isrc.or_else(of_session);
        let tags = FileTags {
            title: title.to_owned(),
            artist: job.artist.to_owned(),
            isrc: isrc.clone(),
            ..FileTags::default()
        };
        let one = MasterJob {
            bundle: &bundle,
            session: &session,
            output,
            unlimited: None,
            overwrite: job.overwrite,
            target: None,
            tags,
        };
        Ok(WrittenTrack { title: title.to_owned(), isrc, mastered: master(&one, progress)? })
    }
}
