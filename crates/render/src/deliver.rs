//! A delivery: the master, stems that sum to it, versions, pieces, and a manifest that says what is what.
//!
//! The master is planned first ([`plan_master`]: where it lands, with which ceiling). Then the song is printed once more: the sum
//! runs through the master chain, whose gains are recorded, and every stem and version runs through an equal chain that
//! follows them (`print`). So stems sum to the master, and versions can be cut against it.

mod flac;
mod flac_proof;
mod job;
mod manifest;
mod namer;
mod null;
mod own;
mod plan;
mod print;
mod proof;
mod sink;
mod tag_proof;
mod versions;

use std::path::{Path, PathBuf};

use crate::ceiling::peak_limit;
use crate::clock::clock;
use crate::hash::{sha256, sha256_of};
use crate::master::{MasterJob, MasterPlan, is_heard, plan_master};
use crate::measure::measure;
use crate::mixdown::Mixdown;
use crate::parallel::{Uncounted, each_in_parallel, each_with_progress};
use crate::progress::{Progress, advance};
use crate::small_file::SmallFile;
use crate::tags::FileTags;
use crate::verify::{agree, is_as_rendered};
use audiofile::AudioReader;
use audiofile::BLOCK;
use audiofile::error::{Error, Result};
use audiofile::output::remove_file;
use audiofile::resample::{Converted, Endless, converted_frames};
use audiofile::wav::{Bext, WavSpec};
use flac::{is_same_audio, write_flac};
pub use job::DeliveryJob;
pub use manifest::{Deliverable, FILE_NAME as MANIFEST, FlacCopy, Manifest, ManifestInput};
use meter::Reading;
use null::{rest_of_master, rounding_limit};
use own::Unexplained;
use plan::{AudioSource, CD_RATE, DeliveryPlan, GainGroup, PlannedFile};
use print::{Print, VoiceContent};
use project::bundle::Bundle;
use project::delivery::DeliverSettings;
pub use proof::{DeliveryProof, FileProof, ManifestState, prove};
use session::target::NormalizationTarget;
use sink::{DeliverySink, Depth, FinishedFile};
use tag_proof::judge_tags;
use units::{Db, Dbtp, Hz, decibels};
pub use versions::version_members;

/// The loss of a version to the master's gains from which a remark is due.
pub const UNEXPLAINED: Db = Db(1.5);
/// Left below full scale by a gain that keeps stems from clipping.
const HEADROOM: Db = Db(0.1);
/// Prints after which gains are left as they are: one correction is enough, but for dither.
const ATTEMPTS: usize = 4;

/// Checks a job as [`deliver`] does before any work.
///
/// # Errors
/// If something is in the way or cannot be.
pub fn check_job(job: &DeliveryJob<'_>) -> Result<()> {
    plan::plan(job, job.bundle.rate()?).map(drop)
}

/// Delivers; gives the manifest as it was written.
///
/// # Errors
/// Before any work if something is in the way or cannot be; else if a file cannot be read or written, or the listener
/// stops it. Then there is no manifest, and no file but those that were complete before.
pub fn deliver(job: &DeliveryJob<'_>, progress: &mut dyn Progress) -> Result<Manifest> {
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

fn make(
    job: &DeliveryJob<'_>,
    plan: &DeliveryPlan,
    rate: Hz,
    progress: &mut dyn Progress,
) -> Result<Manifest> {
    for folder in plan.folders() {
        std::fs::create_dir_all(&folder).map_err(Error::write(&folder))?;
    }
    let master = MasterJob {
        bundle: job.bundle,
        session: job.session,
        output: plan.files[0].path.clone(),
        unlimited: None,
        overwrite: job.overwrite,
        target: job.target.clone(),
        tags: FileTags::default(), // a plan writes no file
    };
    let planned = plan_master(&master, progress)?;
    let (printed, gains) = print_within(job, plan, &planned, rate, progress)?;
    // From here on files of an earlier delivery are replaced: nothing may speak for them any more.
    remove_file(&plan.manifest)?;
    let mut readings = Vec::new();
    for file in printed.files {
        readings.push((file.reading, file.strict));
        file.finish()?;
    }

    let mut written: Vec<WrittenFile<'_>> = (plan.files.iter().zip(readings))
        .map(|(file, (rendered, strict))| WrittenFile { file, rendered, strict, told: Vec::new() })
        .collect();
    progress.begin("verifying", written.iter().map(|file| file.file.frames(job)).sum());
    each_with_progress(&mut written, progress, |written, progress| {
        let WrittenFile { file, rendered, strict, told } = written;
        let loss = match file.feed {
            AudioSource::PrintVoice(voice) if file.kind != "cutdown" => printed.lost[voice],
            _ => None,
        };
        let (mut whole, measured) = describe_file(job, file, &file.path, (rate, plan.depth), progress)?;
        let heard = file.kind != "master" || is_heard(&measured);
        let limit = peak_limit(planned.ceiling);
        let holds = strict.is_none_or(|strict| strict.amplitude() <= limit);
        whole.verified &= heard && holds && is_as_rendered(&measured, rendered);
        whole.trim_db = gains.gain_of(file.level).0;
        whole.unexplained_db = loss.map(|(lost, _)| lost.0);
        whole.unexplained_at_s = loss.map(|(_, at)| at as f64 / rate.0);
        whole.own_gain = loss.is_some() && job.settings.own_gain;
        add_flac(job, file, &file.path, &mut whole, progress)?;
        told.push(whole);
        if let Some(path) = &file.cd {
            let progress = &mut Uncounted(progress);
            let (trim, holds) = to_cd(job, file, path, planned.ceiling, rate, progress)?;
            let (mut copy, _) = describe_file(job, file, path, (CD_RATE, Depth::Int16), progress)?;
            copy.verified &= holds;
            copy.trim_db = (gains.gain_of(file.level) + trim).0;
            add_flac(job, file, path, &mut copy, progress)?;
            told.push(copy);
        }
        Ok(())
    })?;
    let deliverables: Vec<Deliverable> = written.into_iter().flat_map(|file| file.told).collect();
    let null = null_test(plan, gains.stems, progress)?;
    let mut warnings = planned.faults.clone();
    warnings.extend(planned.warnings.iter().cloned());
    warnings.extend(plan.notes.iter().cloned());
    warnings.extend(job.bundle.lossy_remarks());
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
        gain_db: planned.gain.gain.0,
        limiting_db: planned.gain.reduction.0,
        ceiling_dbtp: planned.ceiling.0,
        inputs: inputs(job, progress)?,
        asked_sha256: asked(job),
        faults: job.bundle.file_faults().chain(planned.faults).collect(),
        warnings,
        manifest_sha256: String::new(),
    }
    .sealed(&plan.manifest)?;
    SmallFile::claim(&plan.manifest, false)?.write(manifest.text(&plan.manifest)?.as_bytes())?;
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
    fn gain_of(&self, level: GainGroup) -> Db {
        match level {
            GainGroup::Unity => Db(0.0),
            GainGroup::Stems => self.stems,
            GainGroup::CleanStems => self.clean,
            GainGroup::Version(voice) => self.versions[voice],
        }
    }
}

/// A file that is written, on its way to be verified.
struct WrittenFile<'a> {
    file: &'a PlannedFile,
    /// Its reading and strict true peak as rendered.
    rendered: Reading,
    strict: Option<Dbtp>,
    /// Entries of the manifest: its own, and that of its 44.1 kHz copy.
    told: Vec<Deliverable>,
}

/// All files of a delivery, complete but nameless.
struct Printed {
    files: Vec<FinishedFile>,
    /// The loss of versions to the master's gains and its frame, by voice.
    lost: Vec<Option<(Db, u64)>>,
}

/// Prints with gains of 0 dB and, where something clips or is over the ceiling, again with less.
fn print_within(
    job: &DeliveryJob<'_>,
    plan: &DeliveryPlan,
    planned: &MasterPlan,
    rate: Hz,
    progress: &mut dyn Progress,
) -> Result<(Printed, Gains)> {
    let mut gains = Gains { stems: Db(0.0), clean: Db(0.0), versions: vec![Db(0.0); plan.voices.len()] };
    let limit = peak_limit(planned.ceiling);
    for attempt in 1.. {
        let printed = print(job, plan, planned, &gains, rate, progress)?;
        let mut next = gains.clone();
        for (file, done) in plan.files.iter().zip(&printed.files) {
            let clips = plan.depth != Depth::Float32 && done.peak > 1.0;
            let fitted = |gain: Db| gain.min(gains.gain_of(file.level) - Db::from_gain(done.peak) - HEADROOM);
            match file.level {
                GainGroup::Stems if clips => next.stems = fitted(next.stems),
                GainGroup::CleanStems if clips => next.clean = fitted(next.clean),
                GainGroup::Version(voice) if file.window.is_none() => {
                    // Where integers end the file is cut off: the samples before that tell how far it went.
                    let most = done.strict.map_or(0.0, Dbtp::amplitude).max(done.peak);
                    if most > limit {
                        next.versions[voice] =
                            gains.versions[voice] - (Db::from_gain(most) - Db(planned.ceiling.0));
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
    job: &DeliveryJob<'_>,
    plan: &DeliveryPlan,
    planned: &MasterPlan,
    gains: &Gains,
    rate: Hz,
    progress: &mut dyn Progress,
) -> Result<Printed> {
    let mixdown = Mixdown::open(job.bundle, job.session)?;
    let frames = mixdown.frames();
    let mut print = Print::new(mixdown, planned, job.session, rate, &plan.voices);
    let mut sinks = Vec::new();
    for file in &plan.files {
        let spec = spec(job, file, rate, plan.depth);
        let strict =
            matches!(file.level, GainGroup::Unity | GainGroup::Version(_)).then_some(planned.ceiling);
        let gain = gains.gain_of(file.level);
        let path = file.path.clone();
        let sink = DeliverySink::create(path, spec, plan.depth, gain, file.window, strict, job.overwrite)?;
        sinks.push(if file.kind == "master" { sink.like_stems_master(rate) } else { sink });
    }
    let mut lost: Vec<Option<Unexplained>> = plan
        .voices
        .iter()
        .map(|plays| matches!(plays, VoiceContent::Version(_)).then(|| Unexplained::new(rate)))
        .collect();
    progress.begin("printing", frames);
    while let Some(step) = print.step()? {
        let mut files: Vec<_> = plan.files.iter().zip(&mut sinks).collect();
        each_in_parallel(&mut files, |(file, sink)| {
            sink.push(match file.feed {
                AudioSource::Lead => step.lead,
                AudioSource::Clean(stem) => step.clean[stem],
                AudioSource::PrintVoice(voice) => match step.own[voice] {
                    Some(own) if job.settings.own_gain => own,
                    _ => step.voices[voice],
                },
            })
        })?;
        for (voice, lost) in lost.iter_mut().enumerate() {
            if let (Some(lost), Some(own)) = (lost, step.own[voice]) {
                lost.push(own, step.voices[voice]);
            }
        }
        advance(progress, step.frames as u64, &plan.files[0].path)?;
    }
    Ok(Printed {
        files: sinks.into_iter().map(DeliverySink::complete).collect(),
        lost: lost.into_iter().map(|lost| lost.map(|lost| lost.max())).collect(),
    })
}

/// A file's format and metadata.
fn spec(job: &DeliveryJob<'_>, file: &PlannedFile, rate: Hz, depth: Depth) -> WavSpec {
    let artist = job.settings.artist.as_deref().unwrap_or_default();
    let description =
        if artist.is_empty() { file.title.clone() } else { format!("{artist} - {}", file.title) };
    let mut bext = Bext {
        description,
        originator: "Stemlink".into(),
        version: 2,
        time_reference: file.window.map_or(0, |window| window.start),
        coding_history: format!("A=PCM,F={},T=Stemlink {}\r\n", rate.0, env!("CARGO_PKG_VERSION")),
        ..Bext::default()
    };
    job.bundle.note_sources(&mut bext);
    let chunks = tags(job, file).chunks();
    WavSpec { bext: Some(bext), chunks, ..WavSpec::new(rate, 2, depth.stored()) }
}

/// A file's tags.
fn tags(job: &DeliveryJob<'_>, file: &PlannedFile) -> FileTags {
    FileTags {
        title: file.title.clone(),
        artist: job.settings.artist.clone().unwrap_or_default(),
        isrc: file.isrc.clone(),
        bpm: job.settings.bpm.map(|bpm| bpm.to_string()),
        key: job.settings.key.clone(),
        upc: job.settings.upc.clone(),
    }
}

/// Path of a file of the delivery as the manifest has it.
fn relative(job: &DeliveryJob<'_>, path: &Path) -> String {
    let inside = path.strip_prefix(job.output).unwrap_or(path);
    inside.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Writes the FLAC of a finished file, where that is asked for, and adds it to the file's entry.
fn add_flac(
    job: &DeliveryJob<'_>,
    file: &PlannedFile,
    path: &Path,
    told: &mut Deliverable,
    progress: &mut dyn Progress,
) -> Result<()> {
    let (true, Some(tags)) = (job.settings.flac, &told.tags) else { return Ok(()) };
    let progress = &mut Uncounted(progress);
    let flac = file.flac_path(path);
    write_flac(path, &flac, tags, job.overwrite, progress)?;
    told.verified &= is_same_audio(path, &flac, progress)? && FileTags::read_comments(&flac)? == *tags;
    told.flac = Some(FlacCopy {
        path: relative(job, &flac),
        bytes: std::fs::metadata(&flac).map_err(Error::read(&flac))?.len(),
        sha256: sha256(&flac, progress)?,
    });
    Ok(())
}

/// A file as it is on the disk, and its reading.
fn describe_file(
    job: &DeliveryJob<'_>,
    file: &PlannedFile,
    path: &Path,
    (rate, depth): (Hz, Depth),
    progress: &mut dyn Progress,
) -> Result<(Deliverable, Reading)> {
    let measured = measure(path, true, "verifying", progress)?;
    let bytes = std::fs::metadata(path).map_err(Error::read(path))?.len();
    let expected = file.frames(job);
    let song_rate = job.bundle.rate()?;
    let mut told = Deliverable {
        kind: file.kind.into(),
        path: relative(job, path),
        bytes,
        sha256: sha256(path, progress)?,
        rate_hz: rate.0,
        format: depth.words().into(),
        frames: measured.frames,
        starts_at_s: file.window.map_or(0.0, |window| window.start as f64 / song_rate.0),
        stems: file.stems.clone(),
        title: file.title.clone(),
        isrc: file.isrc.clone(),
        reading: (&measured.reading).into(),
        verified: measured.second.is_some_and(|second| agree(&measured.reading, &second))
            && measured.frames == converted_frames(expected, song_rate, rate),
        trim_db: 0.0,
        unexplained_db: None,
        unexplained_at_s: None,
        own_gain: false,
        version: file.version.clone(),
        tags: Some(tags(job, file)),
        flac: None,
    };
    told.verified &= judge_tags(path, &told, job.settings.artist.as_deref())?.is_empty();
    Ok((told, measured.reading))
}

/// Makes the 44.1 kHz, 16-bit copy of a finished file: gives the gain that keeps it under the ceiling, and whether it is.
fn to_cd(
    job: &DeliveryJob<'_>,
    file: &PlannedFile,
    path: &Path,
    ceiling: Dbtp,
    rate: Hz,
    progress: &mut dyn Progress,
) -> Result<(Db, bool)> {
    let limit = peak_limit(ceiling);
    let mut gain = Db(0.0);
    for attempt in 1.. {
        let reader = AudioReader::open(&file.path)?;
        let mut left = converted_frames(reader.info().frames, rate, CD_RATE);
        let mut source = Converted::new(reader, rate, CD_RATE, &file.path)?;
        let spec = spec(job, file, CD_RATE, Depth::Int16);
        let mut sink = DeliverySink::create(
            path.to_owned(),
            spec,
            Depth::Int16,
            gain,
            None,
            Some(ceiling),
            job.overwrite,
        )?;
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
                done.finish()?;
                return Ok((gain, strict.is_none_or(|strict| strict.amplitude() <= limit)));
            }
        }
    }
    unreachable!("the last attempt returns")
}

/// The most that is left of the master less its stems, and what may be left, linear; none without stems.
fn null_test(plan: &DeliveryPlan, gain: Db, progress: &mut dyn Progress) -> Result<Option<(f64, f64)>> {
    let stems = plan.files.iter().filter(|file| file.level == GainGroup::Stems);
    let stems: Vec<&Path> = stems.map(|file| file.path.as_path()).collect();
    if stems.is_empty() {
        return Ok(None);
    }
    let peak = rest_of_master(&plan.files[0].path, &stems, gain, progress)?;
    Ok(Some((peak, rounding_limit(plan.depth, stems.len(), gain))))
}

fn inputs(job: &DeliveryJob<'_>, progress: &mut dyn Progress) -> Result<Vec<ManifestInput>> {
    let files = input_files(job.bundle, job.session_file);
    let mut inputs: Vec<(&Path, String)> = files.into_iter().map(|path| (path, String::new())).collect();
    each_with_progress(&mut inputs, progress, |(path, hash), progress| {
        *hash = sha256(path, progress)?;
        Ok(())
    })?;
    Ok(inputs.into_iter().map(|(path, sha256)| ManifestInput { file: name(path), sha256 }).collect())
}

/// The inputs of a delivery: the stems and the session file.
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
pub fn is_finished(job: &DeliveryJob<'_>, progress: &mut dyn Progress) -> Result<bool> {
    let Ok(manifest) = Manifest::read(&job.output.join(MANIFEST)) else { return Ok(false) };
    let is_there = |path: &str, bytes: u64| {
        std::fs::metadata(job.output.join(path)).is_ok_and(|found| found.is_file() && found.len() == bytes)
    };
    let there = |file: &Deliverable| {
        is_there(&file.path, file.bytes)
            && file.flac.as_ref().is_none_or(|flac| is_there(&flac.path, flac.bytes))
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
fn asked(job: &DeliveryJob<'_>) -> String {
    sha256_of(&asked_text(&job.title, job.settings, job.strict, job.target.as_ref()))
}

/// The text of that. Its words are permanent, since manifests hold its hash: types that appear in it keep their names in
/// `Debug`.
fn asked_text(
    title: &str,
    settings: &DeliverSettings,
    strict: bool,
    target: Option<&NormalizationTarget>,
) -> String {
    format!("{:?}", (title, settings, strict, target))
}

/// Remarks on gains and silence, for the user.
fn remarks(plan: &DeliveryPlan, deliverables: &[Deliverable], gains: &Gains, rate: Hz) -> Vec<String> {
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
            plan.files.iter().any(|f| f.kind == file.kind && matches!(f.level, GainGroup::Version(_)));
        if is_version && file.kind != "cutdown" && file.trim_db != 0.0 {
            remarks.push(format!(
                "{}: {:.2} dB lower as a whole, or it would be over the ceiling",
                file.path, -file.trim_db
            ));
        }
        if let (Some(lost), Some(at), false) = (file.unexplained_db, file.unexplained_at_s, file.own_gain)
            && lost > UNEXPLAINED.0
        {
            let at = clock((at * rate.0) as u64, rate);
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

#[cfg(test)]
mod tests {
    use super::*;
    use session::target::builtin;

    #[test]
    fn the_text_behind_a_manifest_s_hash_is_permanent() {
        let text = |target| asked_text("Song", &DeliverSettings::default(), false, target);
        let settings = "DeliverSettings { title: None, artist: None, engineer: None, isrc: [], names: Plain, make: None, \
                        float: false, own_gain: false, cd: false, cutdowns: [] }";
        assert_eq!(text(None), format!("(\"Song\", {settings}, false, None)"));
        let table = builtin();
        let spotify = table.iter().find(|target| target.id == "spotify");
        let start =
            format!("(\"Song\", {settings}, false, Some(NormalizationTarget {{ id: \"spotify\", name: ");
        let text = text(spotify);
        assert!(text.starts_with(&start), "{text}");
        for part in [
            "loudness: Some(Lufs(",
            "usage: Playback { turns_up: ",
            "peak_limit: ",
            "mode: ",
            "source: ",
            "status: ",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
