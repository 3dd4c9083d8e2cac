//! Proof of the FLAC of a delivered file.

use std::path::Path;

use super::flac::is_same_audio;
use super::manifest::{Deliverable, FlacCopy};
use super::proof::{FileProof, finding, inside};
use crate::hash::sha256;
use crate::progress::Progress;
use crate::tags::FileTags;
use audiofile::error::Result;

/// Proves the FLAC of a file: `of` is the proof of its WAV.
pub(super) fn prove_flac(
    folder: &Path,
    listed: &Deliverable,
    flac: &FlacCopy,
    of: &FileProof,
    progress: &mut dyn Progress,
) -> Result<FileProof> {
    let mut proof = FileProof {
        path: flac.path.clone(),
        kind: Some(listed.kind.clone()),
        reading: None,
        findings: Vec::new(),
    };
    let findings = &mut proof.findings;
    let (Some(path), Some(wav)) = (inside(folder, &flac.path), inside(folder, &listed.path)) else {
        findings.push("lies outside the delivery; its path in the manifest is not followed".into());
        return Ok(proof);
    };
    let Ok(found) = std::fs::metadata(&path) else {
        findings.push("is missing".into());
        return Ok(proof);
    };
    if found.len() != flac.bytes {
        findings.push(format!("has {} bytes, {} were delivered", found.len(), flac.bytes));
    }
    match sha256(&path, progress) {
        Ok(hash) if hash == flac.sha256 => {}
        Ok(_) => findings.push("has changed since it was delivered (SHA-256 differs)".into()),
        Err(error) => findings.push(finding(error, &path)?),
    }
    match &listed.tags {
        None => {}
        Some(tags) => match FileTags::read_comments(&path) {
            Ok(now) => findings.extend(now.differences(tags, "comments")),
            Err(error) => findings.push(finding(error, &path)?),
        },
    }
    // The WAV has its own findings: where it is damaged or missing, nothing is said of the FLAC.
    if of.reading.is_none() {
        return Ok(proof);
    }
    match is_same_audio(&wav, &path, progress) {
        Ok(true) => proof.reading = of.reading,
        // A change of the WAV alone is no fault of the FLAC, whose hash is as delivered.
        Ok(false) if findings.is_empty() && !of.findings.is_empty() => {}
        Ok(false) => findings.push(format!("has other samples than {}", listed.path)),
        Err(error) => findings.push(finding(error, &path)?),
    }
    Ok(proof)
}
