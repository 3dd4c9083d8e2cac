//! The report: everything that is known about a song, as one value, and as a page that needs nothing else.
//!
//! [`gather`] measures, [`page`] shows. Deliverables and null tests come first; a command that delivers adds its own.

mod page;
mod plot;
mod spectrum;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::check::{self, Options, Severity};
use crate::deliver::{MANIFEST, Manifest};
use crate::hash::sha256;
use crate::json::{COLUMNS, ReadingJson};
use crate::measure::measure;
use crate::mixdown::Mixdown;
use crate::progress::{Progress, advance};
use crate::verify::agree;
use crate::what_if::{analyse, effect};
use audiofile::error::{Result, shown};
use meter::layout::Layout;
use meter::loudness::{SHORT_TERM_HOPS, windows};
use meter::{Meter, Reading};
pub use page::page;
use project::bundle::Bundle;
use project::session_file::Session;
use project::target_file::turns_up_words;
use session::playback::{HEADING, playback, sentence};
use session::predict::Move;
use session::target::NormalizationTarget;
use spectrum::Spectrum;
use units::Db;

/// What a song's report is made from.
pub struct Job<'a> {
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
    /// The title.
    pub title: String,
    /// When it was made, as it shall be shown.
    pub date: String,
}

/// A report; `--json` and the page show the same.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// `stemlink.report/1`.
    pub schema: &'static str,
    /// Name and version of the tool.
    pub tool: &'static str,
    /// The title.
    pub title: String,
    /// When it was made.
    pub date: String,
    /// Finished files.
    pub deliverables: Vec<Deliverable>,
    /// Null tests.
    pub nulls: Vec<NullProof>,
    /// What `stems check` found.
    pub findings: Vec<Finding>,
    /// Sampling rate of the stems.
    pub rate_hz: f64,
    /// Length.
    pub frames: u64,
    /// The mix, out of the master chain.
    pub mix: ReadingJson,
    /// What platforms do to it.
    pub playback: Vec<PlaybackRow>,
    /// The stems, and last the sum of them.
    pub sources: Vec<Source>,
    /// Seconds between two points of a history.
    pub history_step_s: f64,
    /// Centres of the bands of a spectrum.
    pub bands_hz: Vec<f64>,
    /// What one more decibel of each stem would do.
    pub what_if: Vec<WhatIfRow>,
    /// Every file that went in.
    pub files: Vec<FileRow>,
}

/// A finished file.
#[derive(Clone, Debug, Serialize)]
pub struct Deliverable {
    /// What it is: `master`, or as in the manifest of a delivery.
    pub kind: String,
    /// Its name.
    pub file: String,
    /// Its reading.
    pub reading: ReadingJson,
    /// Both meters agree; of a delivery, as its manifest says, and the file still has its hash.
    pub verified: bool,
    /// Its hash.
    pub sha256: String,
}

/// A null test.
#[derive(Clone, Debug, Serialize)]
pub struct NullProof {
    /// What was subtracted from what.
    pub what: String,
    /// The highest sample of the difference; none is digital silence.
    pub residual_peak_dbfs: Option<f64>,
    /// The most that passes.
    pub pass_dbfs: f64,
    /// `PASS`, `inaudible`, `audible`.
    pub verdict: &'static str,
    /// What is behind it, where it is heard.
    pub cause: Option<String>,
}

/// A finding of the check.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// `fault` or `advice`.
    pub severity: &'static str,
    /// The file.
    pub file: String,
    /// What is wrong.
    pub fault: String,
    /// What to do.
    pub cure: String,
}

/// What a platform does, by which rule, from where.
#[derive(Clone, Debug, Serialize)]
pub struct PlaybackRow {
    /// The target's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its loudness.
    pub target_lufs: Option<f64>,
    /// Whether it turns quiet songs up, in words.
    pub turns_up: String,
    /// The gain it applies.
    pub playback_gain_db: Option<f64>,
    /// In one sentence.
    pub sentence: String,
    /// How the rule is known.
    pub status: &'static str,
    /// Where it was read.
    pub source: String,
    /// When.
    pub rule_date: String,
}

/// A stem, or the sum.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// Its name.
    pub stem: String,
    /// Its role; none for the sum.
    pub role: Option<&'static str>,
    /// Its share of the loudness.
    pub share: Option<f64>,
    /// Its reading.
    pub reading: ReadingJson,
    /// Where its true peak is highest, seconds.
    pub peak_at_s: Option<f64>,
    /// Short-term loudness, LUFS.
    pub history_lufs: Vec<Option<f64>>,
    /// Levels of third octaves, dBFS.
    pub spectrum_dbfs: Vec<Option<f64>>,
}

/// One more decibel of a stem.
#[derive(Clone, Debug, Serialize)]
pub struct WhatIfRow {
    /// The stem.
    pub stem: String,
    /// The move.
    pub gain_db: f64,
    /// How much louder the mix becomes.
    pub mix_change_lu: Option<f64>,
    /// How much its true peak rises.
    pub peak_change_db: Option<f64>,
    /// What every other stem loses on the platforms, by the order of `playback`.
    pub others_change_db: Vec<Option<f64>>,
}

/// A file and its hash.
#[derive(Clone, Debug, Serialize)]
pub struct FileRow {
    /// Its name.
    pub file: String,
    /// What it is.
    pub kind: String,
    /// Its hash.
    pub sha256: String,
}

/// Points of a history are this many hops apart at least, and no more than this many points.
const MOST_POINTS: usize = 400;
/// The move of the what-if table.
const NUDGE: Db = Db(1.0);

/// Measures everything.
///
/// # Errors
/// If a file cannot be read, rates differ, or the listener stops it.
pub fn gather(job: &Job<'_>, progress: &mut dyn Progress) -> Result<Report> {
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
            check::Verdict::Pass => "PASS",
            check::Verdict::Inaudible => "inaudible",
            check::Verdict::Audible => "audible",
        },
        cause: null.cause.clone(),
    }));
    let findings = checked.faults.iter().map(|fault| Finding {
        severity: if fault.severity == Severity::Fault { "fault" } else { "advice" },
        file: fault.file.clone(),
        fault: fault.fault.clone(),
        cure: fault.cure.clone(),
    });
    let analysis = analyse(bundle, job.session, None, progress)?;
    let shares = analysis.shares();
    let mut rows = Vec::new();
    for (i, stem) in bundle.stems.iter().enumerate() {
        let moves = [Move { source: i, gain: NUDGE }];
        let after = analysis.what_if(bundle, job.session, &moves, progress)?.after;
        let change = |a: Option<f64>, b: Option<f64>| Some(a? - b?);
        let before = &analysis.before;
        let others = |target| effect(before, &after, target).others.map(|o| o.0);
        rows.push(WhatIfRow {
            stem: stem.name.clone(),
            gain_db: NUDGE.0,
            mix_change_lu: change(after.integrated.map(|l| l.0), before.integrated.map(|l| l.0)),
            peak_change_db: change(after.true_peak.map(|p| p.0), before.true_peak.map(|p| p.0)),
            others_change_db: job.targets.iter().map(others).collect(),
        });
    }
    let (sources, history_step_s, frames) = sources(job, shares.as_deref(), progress)?;
    for path in job.masters {
        let measured = measure(path, true, "masters", progress)?;
        deliverables.push(Deliverable {
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
    let whose = analysis.loudest_peak.map(|stem| bundle.stems[stem].name.as_str());
    Ok(Report {
        schema: "stemlink.report/1",
        tool: concat!("Stemlink ", env!("CARGO_PKG_VERSION")),
        title: job.title.clone(),
        date: job.date.clone(),
        deliverables,
        nulls,
        findings: findings.collect(),
        rate_hz: rate.0,
        frames,
        mix: (&analysis.before).into(),
        playback: job.targets.iter().map(|target| row(&analysis.before, target, whose)).collect(),
        sources,
        history_step_s,
        bands_hz: spectrum::centres(),
        what_if: rows,
        files,
    })
}

/// The files of deliveries as their manifests say, hashed again, and the nulls of their stems.
fn deliveries(job: &Job<'_>, progress: &mut dyn Progress) -> Result<(Vec<Deliverable>, Vec<NullProof>)> {
    let (mut files, mut nulls) = (Vec::new(), Vec::new());
    for folder in job.deliveries {
        let manifest = Manifest::read(&folder.join(MANIFEST))?;
        for file in manifest.deliverables {
            let sha256 = sha256(&folder.join(&file.path), progress)?;
            files.push(Deliverable {
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

/// Readings, histories and spectra of every stem out of its chain and of their sum.
fn sources(
    job: &Job<'_>,
    shares: Option<&[f64]>,
    progress: &mut dyn Progress,
) -> Result<(Vec<Source>, f64, u64)> {
    let rate = job.bundle.rate()?;
    let mut mixdown = Mixdown::open(job.bundle, job.session)?;
    let count = mixdown.stems.len();
    let mut meters = vec![Meter::new(rate, &Layout::stereo()); count + 1];
    let mut spectra: Vec<Spectrum> = (0..=count).map(|_| Spectrum::new(rate)).collect();
    let unity = vec![1.0; count];
    let mut sum = [Vec::new(), Vec::new()];
    progress.begin("spectra", mixdown.frames());
    loop {
        let frames = mixdown.read()?;
        if frames == 0 {
            break;
        }
        mixdown.sum(&unity, &mut sum);
        let stems = mixdown.stems.iter().map(|stem| stem.audio());
        let all = stems.chain([[sum[0].as_slice(), sum[1].as_slice()]]);
        for ((audio, meter), spectrum) in all.zip(&mut meters).zip(&mut spectra) {
            meter.process(&audio);
            spectrum.process(audio);
        }
        advance(progress, frames as u64, &job.bundle.dir)?;
    }
    let points = meters[count].history().powers().len().saturating_sub(SHORT_TERM_HOPS - 1);
    let step = points.div_ceil(MOST_POINTS).max(1);
    let sources = meters.iter().zip(&mut spectra).enumerate().map(|(i, (meter, spectrum))| {
        let history = meter.history();
        let peaks = history.true_peaks().iter().enumerate();
        let highest = peaks.max_by(|a, b| a.1.total_cmp(b.1)).filter(|(_, peak)| **peak > 0.0);
        let short_term = windows(history.powers(), SHORT_TERM_HOPS).step_by(step);
        let stem = job.bundle.stems.get(i);
        Source {
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

/// The columns of the report's table for spreadsheets, the fields of [`csv_rows`].
pub fn csv_columns() -> Vec<&'static str> {
    [&["stem", "role", "share"][..], &COLUMNS, &["peak_at_s", "one_db_more_makes_the_mix_lu"]].concat()
}

/// One row for each stem and for the sum.
pub fn csv_rows(report: &Report) -> Vec<Vec<String>> {
    let figure = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
    let rows = report.sources.iter().enumerate().map(|(i, source)| {
        let mut row = vec![source.stem.clone(), source.role.unwrap_or_default().into(), figure(source.share)];
        row.extend(source.reading.columns().map(figure));
        row.push(figure(source.peak_at_s));
        row.push(figure(report.what_if.get(i).and_then(|row| row.mix_change_lu)));
        row
    });
    rows.collect()
}

/// The heading over what platforms do.
const PLAYBACK_HEADING: &str = HEADING;
