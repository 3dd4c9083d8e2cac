//! The tracks of an album with one gain each: said, and written.

use std::borrow::Cow;

use audiofile::error::shown;
use render::album::{Album, AlbumJob, AlbumTrims, MatchBy, MatchOrder, WrittenAlbum, WrittenTrack};
use render::json::ReadingJson;
use serde::Serialize;
use units::{Dbtp, Lufs};

use crate::args::{Album as Args, MatchMeasure};
use crate::common::{self, Bar, OutputFolder};
use crate::failure::{Failure, fault, note};
use crate::outcome::Outcome;
use crate::output::{self, say};

#[derive(Serialize)]
pub(super) struct MatchJson<'a> {
    by: &'static str,
    aim_lufs: f64,
    down_db: f64,
    bound_by: Option<&'a str>,
    ceiling_dbtp: f64,
    limiter: bool,
    trims_db: Vec<f64>,
}

#[derive(Serialize)]
pub(super) struct WrittenJson<'a> {
    cue: Cow<'a, str>,
    files: Vec<WrittenFileJson<'a>>,
}

#[derive(Serialize)]
struct WrittenFileJson<'a> {
    path: Cow<'a, str>,
    title: &'a str,
    isrc: Option<&'a str>,
    reading: ReadingJson,
    limiting_db: f64,
    strict_peak_dbtp: Option<f64>,
    verified: bool,
}

/// A match, and the files if some were written.
pub(super) struct Matched {
    order: MatchOrder,
    trims: AlbumTrims,
    written: Option<WrittenAlbum>,
}

/// Limiting from which a track counts as limited, dB.
const LIMITED: f64 = 0.05;

impl MatchMeasure {
    fn by(self) -> MatchBy {
        match self {
            Self::Integrated => MatchBy::Integrated,
            Self::ShortTerm => MatchBy::ShortTerm,
            Self::LoudestTrack => MatchBy::LoudestTrack,
        }
    }
}

/// Name of a measure for programs, and its words.
fn names(by: MatchBy) -> [&'static str; 2] {
    match by {
        MatchBy::Integrated => ["integrated", "integrated loudness"],
        MatchBy::ShortTerm => ["short-term", "highest short-term loudness"],
        MatchBy::LoudestTrack => ["loudest-track", "the integrated loudness of the loudest track"],
    }
}

/// Matches `album` as `args` ask, and writes it where they do.
pub(super) fn run(
    args: &Args,
    measure: MatchMeasure,
    album: &Album,
    bar: &mut Bar,
) -> Result<Matched, Failure> {
    let tracks = album.tracks.len();
    let gaps = gaps(&args.gap, tracks)?;
    check_codes(&args.isrc, tracks)?;
    let order = MatchOrder {
        by: measure.by(),
        aim: args.to.map(Lufs),
        ceiling: Dbtp(args.ceiling),
        limiter: args.limiter,
    };
    let trims = album.match_tracks(&order, bar)?;
    let Some(out) = &args.out else { return Ok(Matched { order, trims, written: None }) };
    let _folder = OutputFolder::create(out)?;
    let title = args.title.clone().unwrap_or_else(|| common::song_name(out));
    let job = AlbumJob {
        out,
        trims: &trims,
        ceiling: order.ceiling,
        title: &title,
        artist: args.artist.as_deref().unwrap_or_default(),
        gaps: &gaps,
        isrc: &args.isrc,
        overwrite: args.force,
    };
    let written = album.write(&job, bar)?;
    Ok(Matched { order, trims, written: Some(written) })
}

/// Silence before each track, seconds: none before the first.
fn gaps(asked: &[f64], tracks: usize) -> Result<Vec<f64>, Failure> {
    let after = match asked {
        [one] => vec![*one; tracks.saturating_sub(1)],
        several if several.len() + 1 == tracks => several.to_vec(),
        several => {
            return Err(Failure::new(format!(
                "--gap: has {} gaps, {tracks} tracks have {} between them; give one for all or each of them",
                several.len(),
                tracks.saturating_sub(1)
            )));
        }
    };
    Ok(std::iter::once(0.0).chain(after).collect())
}

/// Checks that there is a recording code for each track and none twice.
fn check_codes(codes: &[Option<String>], tracks: usize) -> Result<(), Failure> {
    if !codes.is_empty() && codes.len() != tracks {
        return Err(Failure::new(format!(
            "--isrc: has {} codes for {tracks} tracks; give one for each, - where there is none",
            codes.len()
        )));
    }
    for (n, code) in codes.iter().enumerate() {
        if let Some(code) = code.as_ref().filter(|code| codes[..n].contains(&Some((*code).clone()))) {
            return Err(Failure::new(format!("--isrc: {code} is there twice; each recording has its own")));
        }
    }
    Ok(())
}

fn file_json(track: &WrittenTrack) -> WrittenFileJson<'_> {
    let mastered = &track.mastered;
    WrittenFileJson {
        path: mastered.path.to_string_lossy(),
        title: &track.title,
        isrc: track.isrc.as_deref(),
        reading: (&mastered.measured.reading).into(),
        limiting_db: mastered.gain.reduction.0,
        strict_peak_dbtp: mastered.strict_peak.map(|peak| peak.0),
        verified: mastered.verified,
    }
}

impl Matched {
    /// Remarks on what was written, and the outcome.
    pub(super) fn remark(&self) -> Outcome {
        let Some(written) = &self.written else { return Outcome::Clean };
        let mut outcome = Outcome::Clean;
        for track in &written.tracks {
            let mastered = &track.mastered;
            mastered.faults.iter().for_each(|line| fault(line));
            mastered.warnings.iter().for_each(|line| note(line));
            if !mastered.verified {
                let path = shown(&mastered.path);
                note(&format!(
                    "{path}: not verified; it is not what was rendered, or passes its ceiling: please report this"
                ));
                outcome = Outcome::Faults;
            }
            if !self.order.limiter && mastered.gain.reduction.0 > LIMITED {
                note(&format!(
                    "{}: its session's own limiter takes {:.1} dB; turn it off there for a gain alone",
                    track.title, mastered.gain.reduction.0
                ));
            }
        }
        let without: Vec<&str> = written
            .tracks
            .iter()
            .filter(|track| track.isrc.is_none())
            .map(|track| track.title.as_str())
            .collect();
        if !without.is_empty() && without.len() < written.tracks.len() {
            note(&format!("no ISRC for {}; give it with --isrc or in the session file", without.join(", ")));
        }
        let rates = written.tracks.iter().map(|track| track.mastered.measured.info.rate.0);
        if rates.clone().any(|rate| Some(rate) != rates.clone().next()) {
            note("the tracks have different sampling rates; a disc takes one");
        }
        outcome
    }

    pub(super) fn json<'a>(&self, album: &'a Album) -> MatchJson<'a> {
        MatchJson {
            by: names(self.order.by)[0],
            aim_lufs: self.trims.aim.0,
            down_db: self.trims.down.0,
            bound_by: self.trims.bound_by.map(|track| album.tracks[track].name.as_str()),
            ceiling_dbtp: self.order.ceiling.0,
            limiter: self.order.limiter,
            trims_db: self.trims.trims.iter().map(|trim| trim.0).collect(),
        }
    }

    pub(super) fn written_json(&self) -> Option<WrittenJson<'_>> {
        let written = self.written.as_ref()?;
        Some(WrittenJson {
            cue: written.cue.to_string_lossy(),
            files: written.tracks.iter().map(file_json).collect(),
        })
    }

    pub(super) fn print(&self, album: &Album) {
        let [_, measure] = names(self.order.by);
        let aim = self.trims.aim.0;
        say!("\nMatched by {measure} to {aim:.1} LUFS, one gain for each track");
        if let Some(track) = self.trims.bound_by {
            say!(
                "all of it {:.2} dB lower, so that {} holds {:.1} dBTP; --limiter limits it instead",
                self.trims.down.0,
                album.tracks[track].name,
                self.order.ceiling.0
            );
        }
        let mut rows =
            output::Rows::new(["track", "trim dB", "I LUFS", "max S LUFS", "TP dBTP", "limiting dB"], 1);
        for (n, (track, trim)) in album.tracks.iter().zip(&self.trims.trims).enumerate() {
            let written = self.written.as_ref().map(|written| &written.tracks[n].mastered);
            let [integrated, short_term, peak] = match written {
                Some(mastered) => {
                    let reading = &mastered.measured.reading;
                    [
                        reading.integrated.map(|l| l.0),
                        reading.short_term_max.map(|l| l.0),
                        reading.true_peak.map(|p| p.0),
                    ]
                }
                None => {
                    let reading = &track.reading;
                    let peak = reading.true_peak.map(|p| p.0 + trim.0);
                    // the limiter's doing is known once it is written
                    let peak =
                        if self.order.limiter { peak.map(|p| p.min(self.order.ceiling.0)) } else { peak };
                    [
                        reading.integrated.map(|l| l.0 + trim.0),
                        reading.short_term_max.map(|l| l.0 + trim.0),
                        peak,
                    ]
                }
            };
            rows.push([
                track.name.clone(),
                output::change(Some(trim.0)),
                output::figure(integrated),
                output::figure(short_term),
                output::figure(peak),
                output::figure(written.map(|mastered| mastered.gain.reduction.0)),
            ]);
        }
        rows.print();
        if let Some(written) = &self.written {
            let verified = written.tracks.iter().filter(|track| track.mastered.verified).count();
            say!("{} of {} files written and verified", verified, written.tracks.len());
            say!("{} written", shown(&written.cue));
        }
    }
}
