//! Proof of a delivery from anybody: its files, measured again, against its manifest.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::flac_proof::prove_flac;
use super::manifest::{Deliverable, FILE_NAME, Manifest, is_unchanged};
use super::null::{rest_of_master, rounding_limit};
use super::sink::Depth;
use super::tag_proof::judge_tags;
use crate::ceiling::peak_limit;
use crate::hash::sha256;
use crate::json::{COLUMNS, ReadingJson};
use crate::measure::{MeasureOptions, Measured, measure, measure_with};
use crate::parallel::each_with_progress;
use crate::progress::Progress;
use crate::verify::agree;
use audiofile::error::{Error, Result, one_line, shown};
use audiofile::{AudioReader, SampleFormat};
use units::{Db, Dbtp, decibels};

/// The most that a figure of the manifest may differ from the same measured again: processors round differently.
const READING_TOLERANCE: f64 = 0.005;

/// State of a delivery's manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestState {
    /// There is none.
    Missing,
    /// It cannot be read as a manifest.
    Unreadable,
    /// It carries no hash of itself.
    Unsealed,
    /// It has changed since it was written.
    Changed,
    /// It is as it was written.
    Unchanged,
}

/// A delivery, measured again.
#[derive(Clone, Debug)]
pub struct DeliveryProof {
    /// State of the manifest.
    pub manifest: ManifestState,
    /// The files that the manifest lists, in its order; without a manifest all audio files.
    pub files: Vec<FileProof>,
    /// Peak of the master less the sum of its stems, measured again; none is digital silence, or no stems.
    pub null: Option<Db>,
    /// The most that passes; none without stems.
    pub null_limit: Option<Db>,
    /// Findings on the delivery as a whole, a sentence each.
    pub findings: Vec<String>,
}

/// A file of a delivery, measured again.
#[derive(Clone, Debug)]
pub struct FileProof {
    /// Its path, relative to the folder, with `/`.
    pub path: String,
    /// Its kind in the manifest.
    pub kind: Option<String>,
    /// Its reading; none where it cannot be read.
    pub reading: Option<ReadingJson>,
    /// Findings, a clause each: what has changed or is wrong.
    pub findings: Vec<String>,
}

impl DeliveryProof {
    /// True if all is as the manifest says, and the manifest as it was written.
    pub fn is_proven(&self) -> bool {
        self.manifest == ManifestState::Unchanged
            && self.findings.is_empty()
            && self.files.iter().all(|file| file.findings.is_empty())
    }
}

/// Proves the delivery in `folder`. What is missing, changed or not listed is a finding.
///
/// # Errors
/// If the folder cannot be read, or the listener stops it.
pub fn prove(folder: &Path, progress: &mut dyn Progress) -> Result<DeliveryProof> {
    let mut found = BTreeSet::new();
    list(folder, "", &mut found)?;
    let path = folder.join(FILE_NAME);
    let mut findings = Vec::new();
    let (state, manifest) = if found.remove(FILE_NAME) {
        let bytes = std::fs::read(&path).map_err(Error::open(&path))?;
        read_manifest(&bytes, &path, &mut findings)
    } else {
        (ManifestState::Missing, None)
    };
    let Some(manifest) = manifest else {
        let files = measure_all(folder, &found, progress)?;
        return Ok(DeliveryProof { manifest: state, files, null: None, null_limit: None, findings });
    };
    findings.extend(manifest.faults.iter().map(|fault| format!("was delivered with a fault: {fault}")));
    let mut proofs: Vec<(&Deliverable, Vec<FileProof>)> =
        manifest.deliverables.iter().map(|listed| (listed, Vec::new())).collect();
    progress.begin("verifying", manifest.deliverables.iter().map(|listed| listed.frames).sum());
    each_with_progress(&mut proofs, progress, |(listed, proofs), progress| {
        let proof = prove_file(folder, listed, &manifest, progress)?;
        let flac = listed.flac.as_ref().map(|flac| prove_flac(folder, listed, flac, &proof, progress));
        proofs.extend([Some(proof), flac.transpose()?].into_iter().flatten());
        Ok(())
    })?;
    let mut files: Vec<FileProof> = Vec::new();
    for mut proof in proofs.into_iter().flat_map(|(_, proofs)| proofs) {
        if files.iter().any(|other| other.path == proof.path) {
            proof.findings.push("is listed twice".into());
        }
        found.remove(&proof.path);
        files.push(proof);
    }
    findings.extend(found.iter().map(|path| format!("{path}: is not in the manifest")));
    let mut proof = DeliveryProof { manifest: state, files, null: None, null_limit: None, findings };
    prove_null(folder, &manifest, &mut proof, progress)?;
    Ok(proof)
}

/// Adds the paths of all files below `folder` to `found`, relative, with `/`. Links to folders are not followed.
fn list(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(Error::open(folder))? {
        let entry = entry.map_err(Error::open(folder))?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().map_err(Error::open(folder))?.is_dir() {
            list(&entry.path(), &format!("{path}/"), found)?;
        } else {
            found.insert(path);
        }
    }
    Ok(())
}

fn read_manifest(bytes: &[u8], path: &Path, findings: &mut Vec<String>) -> (ManifestState, Option<Manifest>) {
    let text = String::from_utf8_lossy(bytes);
    let state = match is_unchanged(&text) {
        Some(true) if text.as_bytes() == bytes => ManifestState::Unchanged,
        None => ManifestState::Unsealed,
        Some(_) => ManifestState::Changed,
    };
    match Manifest::parse(&text, path) {
        Ok(manifest) => {
            match state {
                ManifestState::Unsealed => findings.push(format!(
                    "{FILE_NAME}: carries no hash of itself, as deliveries of earlier versions; deliver again to have one"
                )),
                ManifestState::Changed => {
                    findings.push(format!("{FILE_NAME}: has changed since it was written (SHA-256 differs)"));
                }
                _ => {}
            }
            (state, Some(manifest))
        }
        Err(error) => {
            findings.push(clause(&error, path, FILE_NAME));
            (ManifestState::Unreadable, None)
        }
    }
}

/// An error in one line that begins with `name` in place of the path.
fn clause(error: &Error, path: &Path, name: &str) -> String {
    let line = one_line(&error.to_string());
    line.strip_prefix(&shown(path)).map_or(line.clone(), |rest| format!("{name}{rest}"))
}

/// Fault and cure of an error, without the file's path; an interruption stays an error.
pub(super) fn finding(error: Error, path: &Path) -> Result<String> {
    match error {
        Error::Interrupted { .. } => Err(error),
        error => Ok(clause(&error, path, "").trim_start_matches(": ").to_owned()),
    }
}

/// Without a manifest: every audio file, measured.
fn measure_all(
    folder: &Path,
    found: &BTreeSet<String>,
    progress: &mut dyn Progress,
) -> Result<Vec<FileProof>> {
    let mut files = Vec::new();
    for name in found {
        let path = folder.join(name);
        if AudioReader::open(&path).is_err() {
            continue;
        }
        let mut proof = FileProof { path: name.clone(), kind: None, reading: None, findings: Vec::new() };
        match measure(&path, true, "measuring", progress) {
            Ok(measured) => {
                proof.findings.extend(judge_reading(&measured));
                proof.reading = Some((&measured.reading).into());
            }
            Err(error) => proof.findings.push(finding(error, &path)?),
        }
        files.push(proof);
    }
    Ok(files)
}

/// Findings on a file by itself.
fn judge_reading(measured: &Measured) -> Vec<String> {
    let mut findings = measured.info.warnings.clone();
    if measured.non_finite > 0 {
        findings.push(format!("has {} samples that are no numbers", measured.non_finite));
    }
    if measured.second.as_ref().is_some_and(|second| !agree(&measured.reading, second)) {
        findings.push("is read differently by the second meter".into());
    }
    findings
}

/// The file of a path of the manifest; none if it leads out of the folder.
pub(super) fn inside(folder: &Path, path: &str) -> Option<PathBuf> {
    let relative = Path::new(path);
    let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    (plain && !path.is_empty()).then(|| folder.join(relative))
}

/// True if files of this kind hold the ceiling.
fn holds_ceiling(kind: &str) -> bool {
    !matches!(kind, "stem" | "residual" | "clean-stem")
}

fn prove_file(
    folder: &Path,
    listed: &Deliverable,
    manifest: &Manifest,
    progress: &mut dyn Progress,
) -> Result<FileProof> {
    let mut proof = FileProof {
        path: listed.path.clone(),
        kind: Some(listed.kind.clone()),
        reading: None,
        findings: Vec::new(),
    };
    let findings = &mut proof.findings;
    let Some(path) = inside(folder, &listed.path) else {
        findings.push("lies outside the delivery; its path in the manifest is not followed".into());
        return Ok(proof);
    };
    let Ok(found) = std::fs::metadata(&path) else {
        findings.push("is missing".into());
        return Ok(proof);
    };
    if found.len() != listed.bytes {
        findings.push(format!("has {} bytes, {} were delivered", found.len(), listed.bytes));
    }
    match sha256(&path, progress) {
        Ok(hash) if hash == listed.sha256 => {}
        Ok(_) => findings.push("has changed since it was delivered (SHA-256 differs)".into()),
        Err(error) => findings.push(finding(error, &path)?),
    }
    if !listed.verified {
        findings.push("was delivered without being verified".into());
    }
    let ceiling = Dbtp(manifest.ceiling_dbtp);
    let options = MeasureOptions {
        verify: true,
        ceiling: holds_ceiling(&listed.kind).then_some(ceiling),
        ..MeasureOptions::default()
    };
    let measured = match measure_with(&path, &options, "verifying", progress) {
        Ok(measured) => measured,
        Err(error) => {
            findings.push(finding(error, &path)?);
            return Ok(proof);
        }
    };
    findings.extend(judge_reading(&measured));
    findings.extend(compare(listed, &measured));
    findings.extend(measured.strict.and_then(|peak| judge_ceiling(peak, ceiling)));
    findings.extend(judge_tags(&path, listed, manifest.artist.as_deref())?);
    proof.reading = Some((&measured.reading).into());
    Ok(proof)
}

/// Differences between what the manifest says of a file and what it is.
fn compare(listed: &Deliverable, measured: &Measured) -> Vec<String> {
    let mut differences = Vec::new();
    let info = &measured.info;
    if info.rate.0 != listed.rate_hz {
        differences.push(format!("has a rate of {} Hz, {} Hz were delivered", info.rate.0, listed.rate_hz));
    }
    if info.channels != 2 {
        differences.push(format!("has {} channels, 2 were delivered", info.channels));
    }
    if measured.frames != listed.frames {
        differences.push(format!("is {} frames long, {} were delivered", measured.frames, listed.frames));
    }
    let format = match info.format {
        SampleFormat::Int { bits } => format!("{bits} bit"),
        SampleFormat::Float { bits } => format!("{bits}-bit float"),
    };
    if format != listed.format {
        differences.push(format!("is {format}, {} was delivered", listed.format));
    }
    let reading = ReadingJson::from(&measured.reading);
    for ((name, now), then) in COLUMNS.into_iter().zip(reading.columns()).zip(listed.reading.columns()) {
        let same = match (now, then) {
            (Some(now), Some(then)) => (now - then).abs() <= READING_TOLERANCE,
            (now, then) => now == then,
        };
        if !same {
            let word = |value: Option<f64>| value.map_or("nothing".into(), |value| format!("{value:.2}"));
            differences.push(format!("{name} reads {}, {} was delivered", word(now), word(then)));
        }
    }
    differences
}

/// A finding if the strict true peak is over the ceiling.
fn judge_ceiling(peak: f64, ceiling: Dbtp) -> Option<String> {
    (peak > peak_limit(ceiling))
        .then(|| format!("peaks at {:.2} dBTP, over the ceiling of {:.2}", decibels(peak), ceiling.0))
}

/// Measures the null of master and stems again, where the files for it are there.
fn prove_null(
    folder: &Path,
    manifest: &Manifest,
    proof: &mut DeliveryProof,
    progress: &mut dyn Progress,
) -> Result<()> {
    let depths = [Depth::Int24, Depth::Float32];
    let of = |kinds: &[&str]| -> Vec<&Deliverable> {
        let of_song = |file: &&Deliverable| {
            kinds.contains(&file.kind.as_str())
                && file.rate_hz == manifest.rate_hz
                && depths.iter().any(|depth| depth.words() == file.format)
        };
        manifest.deliverables.iter().filter(of_song).collect()
    };
    let (masters, stems) = (of(&["master"]), of(&["stem", "residual"]));
    let Some(&master) = masters.first() else {
        proof.findings.push("no master is in the manifest".into());
        return Ok(());
    };
    if stems.is_empty() {
        return Ok(());
    }
    let all: Vec<&Deliverable> = stems.iter().copied().chain([master]).collect();
    let paths: Option<Vec<PathBuf>> = all.iter().map(|file| inside(folder, &file.path)).collect();
    let fits = |path: &PathBuf| {
        AudioReader::open(path)
            .is_ok_and(|reader| reader.info().channels == 2 && reader.info().frames == master.frames)
    };
    let Some(paths) = paths.filter(|paths| paths.iter().all(fits)) else {
        proof.findings.push(
            "the master less its stems cannot be measured: not all of them are there as delivered".into(),
        );
        return Ok(());
    };
    let (master_path, stem_paths) = paths.split_last().expect("a master");
    let stem_paths: Vec<&Path> = stem_paths.iter().map(PathBuf::as_path).collect();
    let gain = Db(manifest.stems_gain_db);
    let rest = match rest_of_master(master_path, &stem_paths, gain, progress) {
        Ok(rest) => rest,
        Err(error) => {
            proof.findings.push(format!("the master less its stems: {}", finding(error, master_path)?));
            return Ok(());
        }
    };
    let depth = depths.into_iter().find(|depth| depth.words() == master.format).unwrap_or(Depth::Int24);
    let limit = rounding_limit(depth, stems.len(), gain);
    proof.null = (rest > 0.0).then(|| Db::from_gain(rest));
    proof.null_limit = Some(Db::from_gain(limit));
    if rest > limit {
        proof.findings.push(format!(
            "the master less its stems leaves {:.1} dBFS, {:.1} dBFS passes: master and stems do not belong together",
            Db::from_gain(rest).0,
            Db::from_gain(limit).0
        ));
    }
    Ok(())
}
