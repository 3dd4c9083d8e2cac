//! A delivery: the master, stems that sum to it, versions, pieces, and a manifest that says what is what.
//!
//! The master is settled first ([`settle`]: where it lands, with which ceiling). Then the song is printed once more: the sum
//! runs through the master chain, whose gains are recorded, and every stem and version runs through an equal chain that
//! follows them (`print`). So stems sum to the master, and versions can be cut against it.

mod manifest;
mod own;
mod plan;
mod print;
mod sink;

use std::path::{Path, PathBuf};

use crate::hash::{sha256, sha256_of};
use crate::master::{self, CEILING_TOLERANCE, MasterPlan, settle};
use crate::measure::measure;
use crate::mixdown::Mixdown;
use crate::progress::{Progress, advance};
use crate::verify::agree;
use crate::whole::{self, Whole};
use audiofile::AudioReader;
use audiofile::BLOCK;
use audiofile::error::{Error, Result};
use audiofile::resample::{Converted, Endless, converted_frames};
use audiofile::wav::{Bext, Chunk, Place, WavSpec};
pub use manifest::{Deliverable, FILE_NAME as MANIFEST, Input, Manifest};
use own::Unexplained;
use plan::{CD_RATE, Feed, Level, Plan, Planned};
use print::{Plays, Print};
use project::bundle::Bundle;
use project::delivery::DeliverSettings;
use project::session_file::Session;
use session::target::NormalizationTarget;
use sink::{Depth, Finished, Sink};
use units::{Db, Dbtp, Hz, decibels};

/// What of a version's loss to the master's gains is worth a word.
pub const UNEXPLAINED: Db = Db(1.5);
/// Left below full scale by a gain that keeps stems from clipping.
const HEADROOM: Db = Db(0.1);
/// How often gains are corrected: once is enough, but for what dither adds.
const ATTEMPTS: usize = 4;

/// What to deliver, and where to.
pub struct Job<'a> {
    /// The stems.
    pub bundle: &'a Bundle,
    /// Their settings.
    pub session: &'a Session,
    /// The session file, if there is one.
    pub session_file: Option<&'a Path>,
    /// What to make.
    pub settings: &'a DeliverSettings,
    /// The song's title.
    pub title: String,
    /// The folder to fill; it is there.
    pub output: &'a Path,
    /// Replace files that are there.
    pub overwrite: bool,
    /// Refuse what stems cannot hold.
    pub strict: bool,
    /// The target named by the session or the command line, if any.
    pub target: Option<NormalizationTarget>,
}

/// Delivers; gives the manifest as it was written.
///
/// # Errors
/// Before any work if something is in the way or cannot be; else if a file cannot be read or written, or the listener
/// stops it. Then there is no manifest, and no file but those that were complete before.
pub fn deliver(job: &Job<'_>, progress: &mut dyn Progress) -> Result<Manifest> {
    let rate = job.bundle.rate()?;
    let plan = plan::plan(job, rate)?;
    let made: Vec<PathBuf> = plan.folders().into_iter().filter(|folder| !folder.is_dir()).collect();
    let result = make(job, &plan, rate, progress);
    if result.is_err() {
        // Only as far as they are empty.
        made.iter().for_each(|folder| drop(std::fs::remove_dir(folder)));
    }
    result
}

fn make(job: &Job<'_>, plan: &Plan, rate: Hz, progress: &mut dyn Progress) -> Result<Manifest> {
    for folder in plan.folders() {
        std::fs::create_dir_all(&folder).map_err(Error::write(&folder))?;
    }
    let master = master::Job {
        bundle: job.bundle,
        session: job.session,
        output: plan.files[0].path.clone(),
        overwrite: job.overwrite,
        target: job.target.clone(),
    };
    let settled = settle(&master, progress)?;
    let (printed, gains) = print_within(job, plan, &settled, rate, progress)?;
    // From here on files of an earlier delivery are replaced: nothing may speak for them any more.
    whole::remove(&plan.manifest)?;
    let mut readings = Vec::new();
    for file in printed.files {
        readings.push((file.reading, file.strict));
        file.keep()?;
    }

    let limit = (settled.ceiling + CEILING_TOLERANCE).amplitude();
    let mut deliverables = Vec::new();
    for (file, (rendered, strict)) in plan.files.iter().zip(&readings) {
        let holds = strict.is_none_or(|strict| strict.amplitude() <= limit);
        let loss = match file.feed {
            Feed::Voice(voice) if file.kind != "cutdown" => printed.lost[voice],
            _ => None,
        };
        let mut told = told(job, file, &file.path, (rate, plan.depth), progress)?;
        let measured = told.1;
        told.0.verified &=
            holds && measured.integrated == rendered.integrated && measured.true_peak == rendered.true_peak;
        told.0.trim_db = gains.of(file.level).0;
        told.0.unexplained_db = loss.map(|(lost, _)| lost.0);
        told.0.unexplained_at_s = loss.map(|(_, at)| at as f64 / rate.0);
        told.0.own_gain = loss.is_some() && job.settings.own_gain;
        deliverables.push(told.0);
        if let Some(path) = &file.cd {
            let (trim, holds) = to_cd(job, file, path, settled.ceiling, rate, progress)?;
            let (mut told, _) = self::told(job, file, path, (CD_RATE, Depth::Int16), progress)?;
            told.verified &= holds;
            told.trim_db = (gains.of(file.level) + trim).0;
            deliverables.push(told);
        }
    }
    let null = null_test(plan, gains.stems, progress)?;
    let mut warnings = settled.warnings.clone();
    warnings.extend(plan.notes.iter().cloned());
    warnings.extend(printed.warnings);
    warnings.extend(remarks(plan, &deliverables, &gains, rate));
    let manifest = Manifest {
        schema: manifest::SCHEMA.into(),
        tool: concat!("Stemlink ", env!("CARGO_PKG_VERSION")).into(),
        title: job.title.clone(),
        artist: job.settings.artist.clone(),
        rate_hz: rate.0,
        frames: job.bundle.frames(),
        deliverables,
        null_dbfs: null.and_then(|(peak, _)| Dbtp::from_amplitude(peak)).map(|peak| peak.0),
        null_pass_dbfs: null.map(|(_, pass)| decibels(pass)),
        stems_gain_db: gains.stems.0,
        gain_db: settled.landing.gain.0,
        limiting_db: settled.landing.reduction.0,
        ceiling_dbtp: settled.ceiling.0,
        inputs: inputs(job, progress)?,
        asked_sha256: asked(job),
        warnings,
    };
    Whole::new(&plan.manifest, false)?.write(manifest.text(&plan.manifest)?.as_bytes())?;
    Ok(manifest)
}

/// Static gains of files.
#[derive(Clone, Debug, PartialEq)]
struct Gains {
    stems: Db,
    clean: Db,
    /// By voice.
    versions: Vec<Db>,
}

impl Gains {
    fn of(&self, level: Level) -> Db {
        match level {
            Level::Unity => Db(0.0),
            Level::Stems => self.stems,
            Level::CleanStems => self.clean,
            Level::Version(voice) => self.versions[voice],
        }
    }
}

/// All files of a delivery, complete but nameless.
struct Printed {
    files: Vec<Finished>,
    /// What versions lose to the master's gains, by voice.
    lost: Vec<Option<(Db, u64)>>,
    warnings: Vec<String>,
}

/// Prints with gains of 0 dB and, where something clips or is over the ceiling, again with less.
fn print_within(
    job: &Job<'_>,
    plan: &Plan,
    settled: &MasterPlan,
    rate: Hz,
    progress: &mut dyn Progress,
) -> Result<(Printed, Gains)> {
    let mut gains = Gains { stems: Db(0.0), clean: Db(0.0), versions: vec![Db(0.0); plan.voices.len()] };
    let limit = (settled.ceiling + CEILING_TOLERANCE).amplitude();
    for attempt in 1.. {
        let printed = print(job, plan, settled, &gains, rate, progress)?;
        let mut next = gains.clone();
        for (file, done) in plan.files.iter().zip(&printed.files) {
            let clips = plan.depth != Depth::Float32 && done.peak > 1.0;
            let fitted = |gain: Db| gain.min(gains.of(file.level) - Db::from_gain(done.peak) - HEADROOM);
            match file.level {
                Level::Stems if clips => next.stems = fitted(next.stems),
                Level::CleanStems if clips => next.clean = fitted(next.clean),
                Level::Version(voice) if file.window.is_none() => {
                    // Where integers end the file is cut off: the samples before that tell how far it went.
                    let most = done.strict.map_or(0.0, Dbtp::amplitude).max(done.peak);
                    if most > limit {
                        next.versions[voice] =
                            gains.versions[voice] - (Db::from_gain(most) - Db(settled.ceiling.0));
                    }
                }
                _ => {}
            }
        }
        if next == gains || attempt == ATTEMPTS {
            return Ok((printed, gains));
        }
        gains = next;
    }
    unreachable!("the last attempt returns")
}

fn print(
    job: &Job<'_>,
    plan: &Plan,
    settled: &MasterPlan,
    gains: &Gains,
    rate: Hz,
    progress: &mut dyn Progress,
) -> Result<Printed> {
    let mixdown = Mixdown::open(job.bundle, job.session)?;
    let frames = mixdown.frames();
    let mut print = Print::new(mixdown, settled, job.session, rate, &plan.voices);
    let mut sinks = Vec::new();
    for file in &plan.files {
        let spec = spec(job, file, rate, plan.depth);
        let strict = matches!(file.level, Level::Unity | Level::Version(_));
        let gain = gains.of(file.level);
        let path = file.path.clone();
        let sink = Sink::create(path, spec, plan.depth, gain, file.window, strict, job.overwrite)?;
        sinks.push(if file.kind == "master" { sink.like_stems_master(rate) } else { sink });
    }
    let mut lost: Vec<Option<Unexplained>> = plan
        .voices
        .iter()
        .map(|plays| matches!(plays, Plays::Version(_)).then(|| Unexplained::new(rate)))
        .collect();
    progress.begin("printing", frames);
    while let Some(step) = print.step()? {
        for (file, sink) in plan.files.iter().zip(&mut sinks) {
            sink.push(match file.feed {
                Feed::Lead => step.lead,
                Feed::Clean(stem) => step.clean[stem],
                Feed::Voice(voice) => match step.own[voice] {
                    Some(own) if job.settings.own_gain => own,
                    _ => step.voices[voice],
                },
            })?;
        }
        for (voice, lost) in lost.iter_mut().enumerate() {
            if let (Some(lost), Some(own)) = (lost, step.own[voice]) {
                lost.hear(own, step.voices[voice]);
            }
        }
        advance(progress, step.frames as u64, &plan.files[0].path)?;
    }
    let silenced = print.stems().iter().filter(|stem| stem.non_finite() > 0).map(|stem| {
        format!(
            "{}: {} samples are not numbers and were silenced; export the stem again",
            audiofile::error::shown(stem.path()),
            stem.non_finite()
        )
    });
    Ok(Printed {
        warnings: silenced.collect(),
        files: sinks.into_iter().map(Sink::complete).collect(),
        lost: lost.into_iter().map(|lost| lost.map(|lost| lost.most())).collect(),
    })
}

/// A file's format and metadata.
fn spec(job: &Job<'_>, file: &Planned, rate: Hz, depth: Depth) -> WavSpec {
    let artist = job.settings.artist.as_deref().unwrap_or_default();
    let description =
        if artist.is_empty() { file.title.clone() } else { format!("{artist} - {}", file.title) };
    let bext = Bext {
        description,
        originator: "Stemlink".into(),
        version: 2,
        time_reference: file.window.map_or(0, |window| window.start),
        coding_history: format!("A=PCM,F={},T=Stemlink {}\r\n", rate.0, env!("CARGO_PKG_VERSION")),
        ..Bext::default()
    };
    let mut chunks = vec![Chunk { id: *b"LIST", bytes: info(&file.title, artist), place: Place::AfterData }];
    if let Some(code) = &file.isrc {
        chunks.push(Chunk { id: *b"axml", bytes: axml(code).into_bytes(), place: Place::AfterData });
    }
    WavSpec { bext: Some(bext), chunks, ..WavSpec::new(rate, 2, depth.stored()) }
}

/// Title and artist where RIFF has a place for them: INAM and IART of a LIST of type INFO.
fn info(title: &str, artist: &str) -> Vec<u8> {
    let mut bytes = b"INFO".to_vec();
    for (id, text) in [(b"INAM", title), (b"IART", artist)] {
        if !text.is_empty() {
            bytes.extend(id);
            bytes.extend((text.len() as u32 + 1).to_le_bytes());
            bytes.extend(text.as_bytes());
            bytes.resize(bytes.len() + 1 + (text.len() + 1) % 2, 0);
        }
    }
    bytes
}

/// The recording code, as EBU Tech 3352 has it in `axml`. `code` is letters and digits.
fn axml(code: &str) -> String {
    format!(
        "<ebuCoreMain xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns=\"urn:ebu:metadata-schema:ebucore\"><coreMetadata>\
         <identifier typeLabel=\"GUID\" typeDefinition=\"Globally Unique Identifier\" formatLabel=\"ISRC\" \
         formatDefinition=\"International Standard Recording Code\" \
         formatLink=\"http://www.ebu.ch/metadata/cs/ebu_IdentifierTypeCodeCS.xml#3.7\">\
         <dc:identifier>ISRC:{code}</dc:identifier></identifier></coreMetadata></ebuCoreMain>"
    )
}

/// A file as it is on the disk, and its reading.
fn told(
    job: &Job<'_>,
    file: &Planned,
    path: &Path,
    (rate, depth): (Hz, Depth),
    progress: &mut dyn Progress,
) -> Result<(Deliverable, meter::Reading)> {
    let measured = measure(path, true, "verifying", progress)?;
    let bytes = std::fs::metadata(path).map_err(Error::read(path))?.len();
    let inside = path.strip_prefix(job.output).unwrap_or(path);
    let expected = file.window.map_or(job.bundle.frames(), |window| window.frames);
    let song_rate = job.bundle.rate()?;
    let told = Deliverable {
        kind: file.kind.into(),
        path: inside
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect::<Vec<_>>()
            .join("/"),
        bytes,
        sha256: sha256(path, progress)?,
        rate_hz: rate.0,
        format: depth.words().into(),
        frames: measured.frames,
        starts_at_s: file.window.map_or(0.0, |window| window.start as f64 / song_rate.0),
        stems: file.stems.clone(),
        reading: (&measured.reading).into(),
        verified: measured.second.is_some_and(|second| agree(&measured.reading, &second))
            && measured.frames == converted_frames(expected, song_rate, rate),
        trim_db: 0.0,
        unexplained_db: None,
        unexplained_at_s: None,
        own_gain: false,
    };
    Ok((told, measured.reading))
}

/// Makes the 44.1 kHz, 16-bit copy of a finished file: gives the gain that keeps it under the ceiling, and whether it is.
fn to_cd(
    job: &Job<'_>,
    file: &Planned,
    path: &Path,
    ceiling: Dbtp,
    rate: Hz,
    progress: &mut dyn Progress,
) -> Result<(Db, bool)> {
    let limit = (ceiling + CEILING_TOLERANCE).amplitude();
    let mut gain = Db(0.0);
    for attempt in 1.. {
        let reader = AudioReader::open(&file.path)?;
        let mut left = converted_frames(reader.info().frames, rate, CD_RATE);
        let mut source = Converted::new(reader, rate, CD_RATE, &file.path)?;
        let spec = spec(job, file, CD_RATE, Depth::Int16);
        let mut sink = Sink::create(path.to_owned(), spec, Depth::Int16, gain, None, true, job.overwrite)?;
        let mut planes = [Vec::new(), Vec::new()];
        progress.begin("44.1 kHz", left);
        while left > 0 {
            let frames = left.min(BLOCK as u64) as usize;
            source.pull(&mut planes, frames)?;
            sink.push([&planes[0], &planes[1]])?;
            left -= frames as u64;
            advance(progress, frames as u64, path)?;
        }
        let done = sink.complete();
        match done.strict {
            Some(strict) if strict.amplitude() > limit && attempt < ATTEMPTS => {
                gain = gain - Db(strict.0 - ceiling.0);
            }
            strict => {
                done.keep()?;
                return Ok((gain, strict.is_none_or(|strict| strict.amplitude() <= limit)));
            }
        }
    }
    unreachable!("the last attempt returns")
}

/// The most that is left of the master less its stems, and what may be left, linear; none without stems.
fn null_test(plan: &Plan, gain: Db, progress: &mut dyn Progress) -> Result<Option<(f64, f64)>> {
    let open = |file: &Planned| AudioReader::open(&file.path);
    let stems: Vec<&Planned> = plan.files.iter().filter(|file| file.level == Level::Stems).collect();
    if stems.is_empty() {
        return Ok(None);
    }
    let mut master = open(&plan.files[0])?;
    let mut readers = stems.iter().map(|file| open(file)).collect::<Result<Vec<_>>>()?;
    let back = (Db(0.0) - gain).gain();
    let mut stem = vec![Vec::new(); 2];
    let mut peak = 0.0_f64;
    progress.begin("null test", master.info().frames);
    master.each_block(|rest| {
        let frames = rest[0].len();
        for reader in &mut readers {
            reader.read_planar(&mut stem, frames)?;
            for (rest, stem) in rest.iter_mut().zip(&stem) {
                rest.iter_mut().zip(stem).for_each(|(rest, x)| *rest -= x * back);
            }
        }
        peak = rest.iter().flatten().fold(peak, |most, x| most.max(x.abs()));
        advance(progress, frames as u64, &plan.files[0].path)
    })?;
    let pass = match plan.depth {
        // -120 dBFS.
        Depth::Float32 => 1e-6,
        depth => depth.error() * (1.0 + stems.len() as f64 * back),
    };
    Ok(Some((peak, pass)))
}

fn inputs(job: &Job<'_>, progress: &mut dyn Progress) -> Result<Vec<Input>> {
    let files = input_files(job.bundle, job.session_file);
    files.into_iter().map(|path| Ok(Input { file: name(path), sha256: sha256(path, progress)? })).collect()
}

/// What goes into a delivery: the stems, and the session.
fn input_files<'a>(bundle: &'a Bundle, session: Option<&'a Path>) -> Vec<&'a Path> {
    bundle.stems.iter().map(|stem| stem.path.as_path()).chain(session).collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// True if the job was done before: its folder holds a finished delivery of just these stems, this session and what is asked
/// for, by its manifest, the sizes of
/// its files and the hashes of what went in.
///
/// # Errors
/// If a stem cannot be read, or the listener stops it.
pub fn is_finished(job: &Job<'_>, progress: &mut dyn Progress) -> Result<bool> {
    let Ok(manifest) = Manifest::read(&job.output.join(MANIFEST)) else { return Ok(false) };
    let there = |file: &Deliverable| {
        std::fs::metadata(job.output.join(&file.path))
            .is_ok_and(|found| found.is_file() && found.len() == file.bytes)
    };
    let files = input_files(job.bundle, job.session_file);
    if manifest.asked_sha256 != asked(job)
        || files.len() != manifest.inputs.len()
        || !manifest.deliverables.iter().all(there)
    {
        return Ok(false);
    }
    for (path, input) in files.into_iter().zip(&manifest.inputs) {
        if name(path) != input.file || sha256(path, progress)? != input.sha256 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Stands for all that a job asks for beside stems and session file.
fn asked(job: &Job<'_>) -> String {
    sha256_of(&format!("{:?}", (&job.title, job.settings, job.strict, &job.target)))
}

/// What the listener should know of gains.
fn remarks(plan: &Plan, deliverables: &[Deliverable], gains: &Gains, rate: Hz) -> Vec<String> {
    let mut remarks = Vec::new();
    if gains.stems.0 != 0.0 {
        remarks.push(format!(
            "a stem would peak above full scale: all stems are {:.2} dB lower and sum to the master less that; --float keeps them at unity",
            -gains.stems.0
        ));
    }
    if gains.clean.0 != 0.0 {
        remarks.push(format!(
            "a clean stem would peak above full scale: all of them are {:.2} dB lower; --float keeps them at unity",
            -gains.clean.0
        ));
    }
    for file in deliverables {
        let is_version =
            plan.files.iter().any(|f| f.kind == file.kind && matches!(f.level, Level::Version(_)));
        if is_version && file.kind != "cutdown" && file.trim_db != 0.0 {
            remarks.push(format!(
                "{}: {:.2} dB lower as a whole, or it would be over the ceiling",
                file.path, -file.trim_db
            ));
        }
        if let (Some(lost), Some(at), false) = (file.unexplained_db, file.unexplained_at_s, file.own_gain)
            && lost > UNEXPLAINED.0
        {
            let at = crate::clock::clock((at * rate.0) as u64, rate);
            remarks.push(format!(
                "{}: what is left out takes up to {lost:.1} dB from it at {at}, so that it can be cut against the master; --own-gain makes it stand alone",
                file.path
            ));
        }
        if file.reading.true_peak_dbtp.is_none() {
            remarks.push(format!("{}: is silent", file.path));
        }
    }
    remarks
}
