//! The report as a value; `--json` prints it as it is.

use serde::Serialize;

use super::ask::AskData;
use crate::json::ReadingJson;

/// A report; `--json` and the page show the same.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// `stemlink.report/1`.
    pub schema: &'static str,
    /// Name and version of the tool.
    pub tool: &'static str,
    /// The title.
    pub title: String,
    /// The date as it is shown.
    pub date: String,
    /// Finished files.
    pub deliverables: Vec<ReportedFile>,
    /// Null tests.
    pub nulls: Vec<NullProof>,
    /// The findings of `stems check`.
    pub findings: Vec<ReportedFinding>,
    /// Samples of the stems that are no audio and were read as silence, a line for each stem.
    pub faults: Vec<String>,
    /// Sampling rate of the stems.
    pub rate_hz: f64,
    /// Length.
    pub frames: u64,
    /// The mix, out of the master chain.
    pub mix: ReadingJson,
    /// Playback on each platform.
    pub playback: Vec<PlaybackRow>,
    /// The stems, and last the sum of them.
    pub sources: Vec<ReportedSource>,
    /// Seconds between two points of a history.
    pub history_step_s: f64,
    /// Centres of the bands of a spectrum.
    pub bands_hz: Vec<f64>,
    /// The effect of one more decibel of each stem.
    pub what_if: Vec<WhatIfRow>,
    /// The limiting of the master that `stems master` makes, by its owners; none where it can make none.
    pub limiting: Option<LimitingSection>,
    /// Every file that went in.
    pub files: Vec<FileRow>,
    /// Data from which the page answers moves; none without `--ask`. The page alone has it.
    #[serde(skip)]
    pub ask: Option<AskData>,
}

/// Limiting of the master.
#[derive(Clone, Debug, Serialize)]
pub struct LimitingSection {
    /// Gain of the master before its limiter.
    pub gain_db: f64,
    /// Its ceiling.
    pub ceiling_dbtp: f64,
    /// Reduction times its duration, dB s.
    pub decibel_seconds: f64,
    /// The deepest reduction.
    pub max_db: f64,
    /// Its time, seconds.
    pub max_at_s: f64,
    /// The stems, and what a saturator adds.
    pub rows: Vec<LimitingShare>,
    /// The deepest events, deepest first.
    pub events: Vec<LimitingMoment>,
}

/// Part of a row in the limiting.
#[derive(Clone, Debug, Serialize)]
pub struct LimitingShare {
    /// Its name.
    pub row: String,
    /// Its dB s, signed.
    pub decibel_seconds: f64,
    /// Its part of all dB s.
    pub share: Option<f64>,
}

/// An event of the limiter.
#[derive(Clone, Debug, Serialize)]
pub struct LimitingMoment {
    /// The time of its deepest reduction, seconds.
    pub at_s: f64,
    /// The deepest reduction.
    pub depth_db: f64,
    /// Reduction times its duration, dB s.
    pub decibel_seconds: f64,
    /// Parts at the deepest, in the order of the rows.
    pub parts: Vec<f64>,
}

/// A finished file.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedFile {
    /// Its kind: `master`, or as in the manifest of a delivery.
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
    /// The two sides of the subtraction, in words.
    pub what: String,
    /// The highest sample of the difference; none is digital silence.
    pub residual_peak_dbfs: Option<f64>,
    /// The most that passes.
    pub pass_dbfs: f64,
    /// `PASS`, `inaudible`, `audible`.
    pub verdict: &'static str,
    /// The cause, where the residual is heard.
    pub cause: Option<String>,
}

/// A finding of the check.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedFinding {
    /// `fault` or `advice`.
    pub severity: &'static str,
    /// The file.
    pub file: String,
    /// The fault.
    pub fault: String,
    /// The remedy.
    pub cure: String,
}

/// Playback on a platform, with the rule and its source.
#[derive(Clone, Debug, Serialize)]
pub struct PlaybackRow {
    /// The target's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its loudness.
    pub target_lufs: Option<f64>,
    /// The treatment of quiet songs, in words.
    pub turns_up: String,
    /// The gain it applies.
    pub playback_gain_db: Option<f64>,
    /// In one sentence.
    pub sentence: String,
    /// The standing of the rule: `verified`, `second-hand`, ...
    pub status: &'static str,
    /// The source of the rule.
    pub source: String,
    /// The date on which it was read.
    pub rule_date: String,
}

/// A stem, or the sum.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedSource {
    /// Its name.
    pub stem: String,
    /// Its role; none for the sum.
    pub role: Option<&'static str>,
    /// Its share of the loudness.
    pub share: Option<f64>,
    /// Its reading.
    pub reading: ReadingJson,
    /// The time of its highest true peak, seconds.
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
    /// The change of the mix's loudness.
    pub mix_change_lu: Option<f64>,
    /// The change of the mix's true peak.
    pub peak_change_db: Option<f64>,
    /// The change of every other stem's playback level, in the order of `playback`.
    pub others_change_db: Vec<Option<f64>>,
    /// Reason in a sentence if the mix's loudness changes against the sign of the move.
    pub surprise: Option<&'static str>,
}

/// A file and its hash.
#[derive(Clone, Debug, Serialize)]
pub struct FileRow {
    /// Its name.
    pub file: String,
    /// Its kind: `stem`, `mix`, `session`.
    pub kind: String,
    /// Its hash.
    pub sha256: String,
}
