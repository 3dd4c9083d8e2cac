//! `stems album`: tracks together.

mod matched;

use std::borrow::Cow;

use audiofile::error::shown;
use project::unread::unread_files;
use render::album::{Album, AlbumPlayback, FolderKind, TakenFolder, album};
use render::json::ReadingJson;
use serde::Serialize;
use session::playback::HEADING;
use session::target::{NormalizationTarget, TargetUse};

use crate::args::{Album as Args, Contents, Global};
use crate::common::{self, Bar};
use crate::failure::{fault, note};
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};
use matched::{MatchJson, Matched, WrittenJson};

#[derive(Serialize)]
struct AlbumJson<'a> {
    schema: &'static str,
    album: ReadingJson,
    tracks: Vec<TrackJson<'a>>,
    folders: Vec<FolderJson<'a>>,
    targets: Vec<AlbumTargetJson<'a>>,
    #[serde(rename = "match")]
    matched: Option<MatchJson<'a>>,
    written: Option<WrittenJson<'a>>,
    faults: &'a [String],
}

#[derive(Serialize)]
struct TrackJson<'a> {
    track: &'a str,
    path: Cow<'a, str>,
    length_s: f64,
    reading: ReadingJson,
    over_album_lu: Option<f64>,
    step_lu: Option<f64>,
}

#[derive(Serialize)]
struct FolderJson<'a> {
    path: Cow<'a, str>,
    taken_for: &'static str,
    reason: &'a str,
}

#[derive(Serialize)]
struct AlbumTargetJson<'a> {
    id: &'a str,
    mode: &'a str,
    album_gain_db: Option<f64>,
    track_gains_db: Vec<Option<f64>>,
}

pub(crate) fn run(args: &Args, global: &Global) -> CommandResult {
    let table = common::targets(global)?;
    let targets = if args.target.is_empty() {
        table.into_iter().filter(|target| matches!(target.usage, TargetUse::Playback { .. })).collect()
    } else {
        project::target_file::pick(&table, &args.target)?
    };
    for dir in &args.paths {
        unread_files(dir)?.iter().for_each(|file| fault(&common::left_out(file)));
    }
    let kind = args.folders.map(|contents| match contents {
        Contents::Songs => FolderKind::Songs,
        Contents::Stems => FolderKind::Stems,
    });
    let mut bar = Bar::new(global);
    let album = album(&args.paths, kind, args.by.is_some(), &mut bar)?;
    if kind.is_none() {
        album.folders.iter().for_each(|folder| note(&taken(folder)));
    }
    album.notes.iter().for_each(|line| note(line));
    album.faults.iter().for_each(|line| fault(line));
    let matched = args.by.map(|measure| matched::run(args, measure, &album, &mut bar)).transpose()?;
    drop(bar);
    let outcome = matched.as_ref().map_or(Outcome::Clean, Matched::remark);
    let playback: Vec<AlbumPlayback> = targets.iter().map(|target| album.playback(target)).collect();
    if global.json {
        let tracks = album.tracks.iter().zip(album.over_album()).zip(album.steps());
        let json = AlbumJson {
            schema: "stemlink.album/1",
            album: (&album.reading).into(),
            tracks: tracks
                .map(|((track, over), step)| TrackJson {
                    track: &track.name,
                    path: track.path.to_string_lossy(),
                    length_s: track.seconds,
                    reading: (&track.reading).into(),
                    over_album_lu: over.map(|lu| lu.0),
                    step_lu: step.map(|lu| lu.0),
                })
                .collect(),
            folders: album
                .folders
                .iter()
                .map(|folder| FolderJson {
                    path: folder.path.to_string_lossy(),
                    taken_for: word(folder.kind),
                    reason: &folder.reason,
                })
                .collect(),
            targets: targets
                .iter()
                .zip(&playback)
                .map(|(target, playback)| AlbumTargetJson {
                    id: &target.id,
                    mode: &target.mode,
                    album_gain_db: playback.album_gain.map(|gain| gain.0),
                    track_gains_db: playback.track_gains.iter().map(|gain| gain.map(|g| g.0)).collect(),
                })
                .collect(),
            matched: matched.as_ref().map(|matched| matched.json(&album)),
            written: matched.as_ref().and_then(Matched::written_json),
            faults: &album.faults,
        };
        return output::json(outcome, &json);
    }
    print(&album, &targets, &playback);
    if let Some(matched) = &matched {
        matched.print(&album);
    }
    Ok(outcome.into())
}

fn word(kind: FolderKind) -> &'static str {
    match kind {
        FolderKind::Songs => "songs",
        FolderKind::Stems => "stems",
    }
}

/// The line on what a folder was taken for.
fn taken(folder: &TakenFolder) -> String {
    let (kind, other) = match folder.kind {
        FolderKind::Songs => ("songs, a track each", "--as stems sums them"),
        FolderKind::Stems => ("the stems of one song", "--as songs makes each a track"),
    };
    format!("{}: taken for {kind}: {}; {other}", shown(&folder.path), folder.reason)
}

fn print(album: &Album, targets: &[NormalizationTarget], playback: &[AlbumPlayback]) {
    let header = ["track", "over album LU", "after the last LU"];
    let mut rows = output::Rows::new(header.into_iter().chain(output::READING), 1);
    for ((track, over), step) in album.tracks.iter().zip(album.over_album()).zip(album.steps()) {
        let head =
            [track.name.clone(), output::change(over.map(|lu| lu.0)), output::change(step.map(|lu| lu.0))];
        rows.push(head.into_iter().chain(output::reading(&track.reading)));
    }
    let head = ["album".to_owned(), "-".into(), "-".into()];
    rows.push(head.into_iter().chain(output::reading(&album.reading)));
    rows.print();
    say!("\n{HEADING}, dB; by itself or in a playlist, and in album mode");
    let names = album.tracks.iter().map(|track| track.name.as_str());
    let mut rows = output::Rows::new(["platform"].into_iter().chain(names).chain(["album mode", "mode"]), 1);
    for (target, playback) in targets.iter().zip(playback) {
        let gains = playback.track_gains.iter().map(|gain| output::change(gain.map(|g| g.0)));
        let album = output::change(playback.album_gain.map(|gain| gain.0));
        rows.push([target.id.clone()].into_iter().chain(gains).chain([album, target.mode.clone()]));
    }
    rows.print_last_left();
}
