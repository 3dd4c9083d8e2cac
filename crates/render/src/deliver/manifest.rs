//! `manifest.json`: what was delivered, with sizes, hashes, readings and nulls. It is written last and goes first: while it
//! is there, all that it lists is.

use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::hash::sha256_of;
use crate::json::ReadingJson;
use crate::tags::FileTags;
use audiofile::error::{Error, Result};

/// The name of the manifest.
pub const FILE_NAME: &str = "manifest.json";
/// Its schema.
pub(super) const SCHEMA: &str = "stemlink.deliver/1";

/// A delivery; `--json` prints the same.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Manifest {
    /// `SCHEMA`.
    pub schema: String,
    /// Name and version of the tool.
    pub tool: String,
    /// The song.
    pub title: String,
    /// The artist.
    pub artist: Option<String>,
    /// Sampling rate of the song.
    pub rate_hz: f64,
    /// Its length.
    pub frames: u64,
    /// The files made.
    pub deliverables: Vec<Deliverable>,
    /// Peak of the master less the sum of its stems, at the stems' gain; none is digital silence, or no stems.
    pub null_dbfs: Option<f64>,
    /// The most that passes; none without stems.
    pub null_pass_dbfs: Option<f64>,
    /// Gain on all stems, so that none clips; they sum to the master less this.
    pub stems_gain_db: f64,
    /// The constant gain before the limiter, on top of the chain's level.
    pub gain_db: f64,
    /// The most that the limiter takes away.
    pub limiting_db: f64,
    /// The ceiling of master and versions.
    pub ceiling_dbtp: f64,
    /// The input files.
    pub inputs: Vec<ManifestInput>,
    /// Hash of what was asked for: target, title, what is made and how.
    #[serde(default)]
    pub asked_sha256: String,
    /// Faults of the song that do not keep files from being made: samples silenced, nothing heard.
    #[serde(default)]
    pub faults: Vec<String>,
    /// Sentences for people, those of `faults` among them.
    pub warnings: Vec<String>,
    /// Hash of the manifest's own text with zeros in place of these 64 digits; empty in manifests of earlier versions.
    #[serde(default)]
    pub manifest_sha256: String,
}

/// A file made.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Deliverable {
    /// `master`, `stem`, `residual`, `instrumental`, `a-cappella`, `tv-mix`, `version`, `clean-stem`, `cutdown`.
    pub kind: String,
    /// Its path, relative to the folder of the manifest.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// Hash.
    pub sha256: String,
    /// Sampling rate.
    pub rate_hz: f64,
    /// `24 bit`, `32-bit float`, `16 bit`.
    pub format: String,
    /// Length.
    pub frames: u64,
    /// Its start in the song, seconds.
    pub starts_at_s: f64,
    /// The stems in it; none: all.
    pub stems: Option<Vec<String>>,
    /// The title in its metadata.
    #[serde(default)]
    pub title: String,
    /// The recording code in its metadata, letters and digits.
    #[serde(default)]
    pub isrc: Option<String>,
    /// Its reading, as read back.
    pub reading: ReadingJson,
    /// Both meters agree, it is what was rendered, and master and versions hold the ceiling.
    pub verified: bool,
    /// One static gain on the whole file, so that it holds the ceiling.
    pub trim_db: f64,
    /// The most that the full mix's gains take from it that its own would not, of versions; with gains of its own, what they
    /// spare it.
    pub unexplained_db: Option<f64>,
    /// The time of that, seconds.
    pub unexplained_at_s: Option<f64>,
    /// It has gains of its own, not the master's.
    pub own_gain: bool,
    /// The name of the version of the user's own that it is, or is a piece of.
    #[serde(default)]
    pub version: Option<String>,
    /// Its tags, in ID3 and Vorbis comments; none in manifests of earlier versions.
    #[serde(default)]
    pub tags: Option<FileTags>,
    /// The same samples as FLAC.
    #[serde(default)]
    pub flac: Option<FlacCopy>,
}

/// A FLAC file of the samples of a deliverable.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct FlacCopy {
    /// Its path, relative to the folder of the manifest.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// Hash.
    pub sha256: String,
}

/// A file that went in.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ManifestInput {
    /// Its name.
    pub file: String,
    /// Its hash.
    pub sha256: String,
}

/// Digits of a hash that is not known yet.
const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Place of the digits of the manifest's own hash in its text.
fn own_hash(text: &str) -> Option<Range<usize>> {
    let key = "\"manifest_sha256\": \"";
    let start = text.rfind(key)? + key.len();
    let end = start + NO_HASH.len();
    text.get(start..end)?;
    text[end..].starts_with('"').then_some(start..end)
}

/// True if the text of a manifest is as it was written; `None` if it carries no hash of itself.
pub(super) fn is_unchanged(text: &str) -> Option<bool> {
    let place = own_hash(text)?;
    let zeros = [&text[..place.start], NO_HASH, &text[place.end..]].concat();
    Some(sha256_of(&zeros) == text[place])
}

impl Manifest {
    /// Gives it the hash of its own text.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub(super) fn sealed(mut self, path: &Path) -> Result<Self> {
        self.manifest_sha256 = NO_HASH.into();
        self.manifest_sha256 = sha256_of(&self.text(path)?);
        Ok(self)
    }

    /// The text of the file.
    ///
    /// # Errors
    /// If it cannot be put into words, which no value of it should cause.
    pub fn text(&self, path: &Path) -> Result<String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Error::write(path)(error.into()))?;
        Ok(text + "\n")
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// If it cannot be read or is none.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(&std::fs::read_to_string(path).map_err(Error::open(path))?, path)
    }

    /// Reads the text of a manifest.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self> {
        let none = |fault: String| Error::Bundle {
            path: path.to_owned(),
            fault,
            cure: "deliver again, or give the folder of a delivery".into(),
        };
        let manifest: Self = serde_json::from_str(text).map_err(|error| {
            none(format!("is no manifest, {}", audiofile::error::one_line(&error.to_string())))
        })?;
        if manifest.schema != SCHEMA {
            return Err(none(format!("has the schema {:?}", manifest.schema)));
        }
        Ok(manifest)
    }
}
