//! The report: everything that is known about a song, as one value, and as a page that needs nothing else.
//!
//! [`gather`] measures, [`page`] shows. Deliverables and null tests come first; a command that delivers adds its own.

mod ask;
mod data;
mod page;
mod plot;
mod spectrum;
mod table;
mod text;

use std::path::{Path, PathBuf};

use crate::check::{self, Options, Severity};
use crate::deliver::{MANIFEST, Manifest};
use crate::hash::sha256;
use crate::limiting::{LimitingJob, analyse_limiting};
use crate::measure::measure;
use crate::mixdown::Mixdown;
use crate::progress::{Progress, advance};
use crate::verify::agree;
use crate::what_if::{analyse, effect};
use ask::MovedPeaks;
use audiofile::error::{Error, Result, shown};
pub use data::{
    FileRow, LimitingMoment, LimitingSection, LimitingShare, NullProof, PlaybackRow, Report, ReportedFile,
    ReportedFinding, ReportedSource, WhatIfRow,
};
use meter::layout::Layout;
use meter::loudness::{SHORT_TERM_HOPS, windows};
use meter::{Meter, Reading};
pub use page::page;
use project::bundle::Bundle;
use project::session::Session;
use project::target_file::turns_up_words;
use project::timed_move::StemMove;
use session::playback::{playback, sentence};
use session::predict::Move;
use session::surprise::SurprisingSign;
use session::target::NormalizationTarget;
use spectrum::ThirdOctaves;
pub use table::{csv_columns, csv_rows};
use units::Db;

/// A report to be made.
pub struct ReportJob<'a> {
    /// The stems.
    pub bundle: &'a Bundle,
    /// Their chains.
    pub session: &'a Session,
    /// The session file, if there is one.
    pub session_file: Option<&'a Path>,
    /// The mix that the stems should sum to.
    pub mix: Option<&'a Path>,
    /// Finished files to list first.
    pub masters: &'a [PathBuf],
    /// Folders of `stems deliver` whose files are listed first.
    pub deliveries: &'a [PathBuf],
    /// Platforms.
    pub targets: &'a [NormalizationTarget],
    /// The master whose limiting is told apart; none: no such section.
    pub master: Option<LimitingJob<'a>>,
    /// The title.
    pub title: String,
    /// The date as it is shown.
    pub date: String,
    /// The page answers moves by itself.
    pub ask: bool,
}

/// Points of a history are this many hops apart at least, and no more than this many points.
const MAX_HISTORY_POINTS: usize = 400;
/// The move of the what-if table.
const WHAT_IF_GAIN: Db = Db(1.0);

/// Measures everything.
///
/// # Errors
/// If a file cannot be read, rates differ, or the listener stops it.
pub fn gather(job: &ReportJob<'_>, progress: &mut dyn Progress) -> Result<Report> {
    let bundle = job.bundle;
    let rate = bundle.rate()?;
    let checked = check::check(&bundle.dir, &Options { mix: job.mix.map(Path::to_owned) }, progress)?;
    let (mut deliverables, mut nulls) = deliveries(job, progress)?;
    nulls.extend(checked.null.iter().map(|null| NullProof {
        what:
            checked.mix.as_ref().map_or("mix less stems".into(), |mix| {
                format!("{} less the sum of the stems", name(&mix.path))
            }),
        residual_peak_dbfs: null.residual_peak_dbfs,
        pass_dbfs: null.pass_dbfs,
        verdict: match null.verdict {
            check::NullVerdict::Pass => "PASS",
            check::NullVerdict::Inaudible => "inaudible",
            check::NullVerdict::Audible => "audible",
        },
        cause: null.cause.clone(),
    }));
    let findings = checked.faults.iter().map(|fault| ReportedFinding {
        severity: if fault.severity == Severity::Fault { "fault" } else { "advice" },
        file: fault.file.clone(),
        fault: fault.fault.clone(),
        cure: fault.cure.clone(),
    });
    let analysis = analyse(bundle, job.session, None, progress)?;
    let shares = analysis.shares();
    let mut rows = Vec::new();
    for (i, stem) in bundle.stems.iter().enumerate() {
        let moves = [Move { source: i, gain: WHAT_IF_GAIN }];
        let answer = analysis.what_if(bundle, job.session, &moves.map(StemMove::from), progress)?;
        let after = answer.after;
        let change = |a: Option<f64>, b: Option<f64>| Some(a? - b?);
        let before = &analysis.before;
        let others = |target| effect(before, &after, target).others.map(|o| o.0);
        rows.push(WhatIfRow {
            stem: stem.name.clone(),
            gain_db: WHAT_IF_GAIN.0,
            mix_change_lu: change(after.integrated.map(|l| l.0), before.integrated.map(|l| l.0)),
            peak_change_db: change(after.true_peak.map(|p| p.0), before.true_peak.map(|p| p.0)),
            others_change_db: job.targets.iter().map(others).collect(),
            surprise: answer.surprise.map(SurprisingSign::sentence),
        });
    }
    let mut moves = job.ask.then(|| ask::moved_peaks(job));
    let (sources, history_step_s, frames) = sources(job, shares.as_deref(), moves.as_mut(), progress)?;
    for path in job.masters {
        let measured = measure(path, true, "masters", progress)?;
        deliverables.push(ReportedFile {
            kind: "master".into(),
            file: name(path),
            reading: (&measured.reading).into(),
            verified: measured.second.as_ref().is_some_and(|second| agree(&measured.reading, second)),
            sha256: sha256(path, progress)?,
        });
    }
    let mut files = Vec::new();
    let stems = bundle.stems.iter().map(|stem| (stem.path.as_path(), "stem"));
    let mix = checked.mix.as_ref().map(|mix| (mix.path.as_path(), "mix"));
    for (path, kind) in stems.chain(mix).chain(job.session_file.map(|path| (path, "session"))) {
        files.push(FileRow { file: name(path), kind: kind.into(), sha256: sha256(path, progress)? });
    }
    let ask = moves.map(|moves| ask::AskData::gather(job, &analysis, &moves)).transpose()?;
    let whose = analysis.loudest_peak.map(|stem| bundle.stems[stem].name.as_str());
    Ok(Report {
        schema: "stemlink.report/1",
        tool: concat!("Stemlink ", env!("CARGO_PKG_VERSION")),
        title: job.title.clone(),
        date: job.date.clone(),
        deliverables,
        nulls,
        findings: findings.collect(),
        faults: analysis.faults,
        rate_hz: rate.0,
        frames,
        mix: (&analysis.before).into(),
        playback: job.targets.iter().map(|target| row(&analysis.before, target, whose)).collect(),
        sources,
        history_step_s,
        bands_hz: spectrum::centres(),
        what_if: rows,
        limiting: limiting(job, progress)?,
        files,
        ask,
    })
}

/// Events of the limiter that a report has.
const LIMITING_EVENTS: usize = 10;

/// The limiting of the master; none where no master can be made, as of silence toward a target.
fn limiting(job: &ReportJob<'_>, progress: &mut dyn Progress) -> Result<Option<LimitingSection>> {
    let Some(master) = &job.master else { return Ok(None) };
    let limiting = match analyse_limiting(master, progress) {
        Ok(limiting) => limiting,
        Err(error @ Error::Interrupted { .. }) => return Err(error),
        Err(_) => return Ok(None),
    };
    let seconds = |frame: u64| frame as f64 / limiting.rate.0;
    let stage = &limiting.limiter;
    let rows = limiting.rows.iter().zip(&stage.rows).map(|(name, row)| LimitingShare {
        row: name.clone(),
        decibel_seconds: row.decibel_seconds,
        share: row.share,
    });
    let events = limiting.worst(LIMITING_EVENTS).into_iter().map(|event| LimitingMoment {
        at_s: seconds(event.at),
        depth_db: event.depth.0,
        decibel_seconds: event.decibel_seconds,
        parts: event.parts.clone(),
    });
    Ok(Some(LimitingSection {
        gain_db: limiting.gain.0,
        ceiling_dbtp: limiting.ceiling.0,
        decibel_seconds: stage.decibel_seconds,
        max_db: stage.deepest.0,
        max_at_s: seconds(stage.deepest_at),
        rows: rows.collect(),
        events: events.collect(),
    }))
}

/// The files of deliveries as their manifests say, hashed again, and the nulls of their stems.
fn deliveries(
    job: &ReportJob<'_>,
    progress: &mut dyn Progress,
) -> Result<(Vec<ReportedFile>, Vec<NullProof>)> {
    let (mut files, mut nulls) = (Vec::new(), Vec::new());
    for folder in job.deliveries {
        let manifest = Manifest::read(&folder.join(MANIFEST))?;
        for file in manifest.deliverables {
            let sha256 = sha256(&folder.join(&file.path), progress)?;
            files.push(ReportedFile {
                verified: file.verified && sha256 == file.sha256,
                kind: file.kind,
                file: file.path,
                reading: file.reading,
                sha256,
            });
        }
        if let Some(pass_dbfs) = manifest.null_pass_dbfs {
            let left = manifest.null_dbfs;
            nulls.push(NullProof {
                what: "the delivered master less its stems".into(),
                residual_peak_dbfs: left,
                pass_dbfs,
                verdict: match left {
                    Some(left) if left > INAUDIBLE => "audible",
                    Some(left) if left > pass_dbfs => "inaudible",
                    _ => "PASS",
                },
                cause: None,
            });
        }
    }
    Ok((files, nulls))
}

/// Nothing below this is heard, dBFS.
const INAUDIBLE: f64 = -90.0;

fn name(path: &Path) -> String {
    shown(Path::new(path.file_name().unwrap_or(path.as_os_str())))
}

fn row(reading: &Reading, target: &NormalizationTarget, whose: Option<&str>) -> PlaybackRow {
    PlaybackRow {
        id: target.id.clone(),
        name: target.name.clone(),
        target_lufs: target.loudness.map(|l| l.0),
        turns_up: turns_up_words(target),
        playback_gain_db: playback(reading, target).and_then(|p| p.gain).map(|gain| gain.0),
        sentence: sentence(reading, target, whose),
        status: target.status.word(),
        source: target.source.clone(),
        rule_date: target.date.clone(),
    }
}

/// Readings, histories and spectra of every stem out of its chain and of their sum; `moves` hears them too.
fn sources(
    job: &ReportJob<'_>,
    shares: Option<&[f64]>,
    mut moves: Option<&mut MovedPeaks>,
    progress: &mut dyn Progress,
) -> Result<(Vec<ReportedSource>, f64, u64)> {
    let rate = job.bundle.rate()?;
    let mut mixdown = Mixdown::open(job.bundle, job.session)?;
    let count = mixdown.stems.len();
    let mut meters = vec![Meter::new(rate, &Layout::stereo()); count + 1];
    let mut spectra: Vec<ThirdOctaves> = (0..=count).map(|_| ThirdOctaves::new(rate)).collect();
    let mut sum = [Vec::new(), Vec::new()];
    progress.begin("spectra", mixdown.frames());
    loop {
        let frames = mixdown.read_sum(&mut sum)?;
        if frames == 0 {
            break;
        }
        let stems = mixdown.stems.iter().map(|stem| stem.audio());
        let all = stems.chain([[sum[0].as_slice(), sum[1].as_slice()]]);
        for ((audio, meter), spectrum) in all.zip(&mut meters).zip(&mut spectra) {
            meter.process(&audio);
            spectrum.process(audio);
        }
        if let Some(moves) = &mut moves {
            moves.process(&mixdown, &sum)?;
        }
        advance(progress, frames as u64, &job.bundle.dir)?;
    }
    let points = meters[count].history().powers().len().saturating_sub(SHORT_TERM_HOPS - 1);
    let step = points.div_ceil(MAX_HISTORY_POINTS).max(1);
    let sources = meters.iter().zip(&mut spectra).enumerate().map(|(i, (meter, spectrum))| {
        let history = meter.history();
        let peaks = history.true_peaks().iter().enumerate();
        let highest = peaks.max_by(|a, b| a.1.total_cmp(b.1)).filter(|(_, peak)| **peak > 0.0);
        let short_term = windows(history.powers(), SHORT_TERM_HOPS).step_by(step);
        let stem = job.bundle.stems.get(i);
        ReportedSource {
            stem: stem.map_or("Sum of the stems".into(), |stem| stem.name.clone()),
            role: stem.map(|_| job.session.stems[i].role.id()),
            share: stem.and_then(|_| shares.map(|shares| shares[i])),
            reading: (&meter.reading()).into(),
            peak_at_s: highest.map(|(hop, _)| hop as f64 / 10.0),
            history_lufs: short_term.map(|power| power.loudness().map(|l| l.0)).collect(),
            spectrum_dbfs: spectrum.finish(),
        }
    });
    Ok((sources.collect(), step as f64 / 10.0, mixdown.frames()))
}
