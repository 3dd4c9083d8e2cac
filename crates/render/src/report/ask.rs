//! Data of a page that answers moves by itself: the products of the hops, true peaks of every stem's moves, the platforms'
//! rules, and a session file with open trims.

mod peaks;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use std::fmt::Write as _;

use super::ReportJob;
use super::text::escaped;
use crate::json::ReadingJson;
use crate::what_if::Analysis;
use audiofile::error::{Error, Result};
use chain::ChainSettings;
pub(super) use peaks::MovedPeaks;
use project::session_file::OpenTrims;
use session::gram::Hops;
use session::solve::MAX_TRIM;
use session::target::{NormalizationTarget, TargetUse, TurnUpRule};

/// Program of the page.
pub(super) const SCRIPT: &str = include_str!("ask/ask.js");

/// Reach of a fader of the page, dB in either direction; a session file's trim ends at [`MAX_TRIM`].
const RANGE_DB: i32 = 12;

/// Data of the section that answers moves.
#[derive(Clone, Debug, Serialize)]
pub struct AskData {
    /// File name of the session file that the page saves.
    file: String,
    stems: Vec<AskStem>,
    /// Move of the first true peak of [`AskStem::peaks`], dB; each is 1 dB above the one before.
    first_move_db: i32,
    /// Packed upper triangles of `g' Q g`, both channels summed, hop after hop: 32-bit floats, little-endian, in base64.
    products: String,
    /// The master chain changes nothing: what hops say of the sum holds for the mix.
    is_exact: bool,
    before: ReadingJson,
    targets: Vec<AskTarget>,
    /// Text of the session file, and the stem whose trim comes after each piece but the last.
    pieces: Vec<String>,
    order: Vec<usize>,
}

#[derive(Clone, Debug, Serialize)]
struct AskStem {
    name: String,
    /// Trim in the session file, dB, and the least and most that may be added.
    trim_db: f64,
    least_db: f64,
    most_db: f64,
    /// True peak of the stem alone, linear.
    peak: f64,
    /// True peaks of the mix with the stem moved, linear; empty behind a master chain.
    peaks: Vec<f64>,
}

#[derive(Clone, Debug, Serialize)]
struct AskTarget {
    name: String,
    loudness_lufs: Option<f64>,
    usage: &'static str,
    turns_up: &'static str,
    /// True peak at which turning up stops, dBTP.
    limit_dbtp: Option<f64>,
}

/// True if the master chain changes nothing.
fn is_exact(job: &ReportJob<'_>) -> bool {
    job.session.master == ChainSettings::default()
}

/// Meters of the true peaks of every stem's moves, for the pass that reads the stems. What a master chain does to a peak is not
/// known from the sum: behind one, those of the stems alone.
pub(super) fn moved_peaks(job: &ReportJob<'_>) -> MovedPeaks {
    let moves: Vec<i32> = if is_exact(job) { (-RANGE_DB..=RANGE_DB).collect() } else { Vec::new() };
    MovedPeaks::new(job.bundle.stems.len(), &moves)
}

impl AskData {
    /// The data of a page, with the peaks that `moved` has heard.
    ///
    /// # Errors
    /// If the session file cannot be read.
    pub(super) fn gather(job: &ReportJob<'_>, analysis: &Analysis, moved: &MovedPeaks) -> Result<Self> {
        let open = open_trims(job)?;
        let (alone, moved) = moved.peaks();
        let reach = f64::from(RANGE_DB);
        let stems = job.bundle.stems.iter().enumerate().map(|(i, stem)| AskStem {
            name: stem.name.clone(),
            trim_db: open.trims[i].0,
            least_db: (-reach).max(-MAX_TRIM.0 - open.trims[i].0),
            most_db: reach.min(MAX_TRIM.0 - open.trims[i].0),
            peak: alone[i],
            peaks: moved[i].clone(),
        });
        Ok(Self {
            file: format!("{} asked.toml", plain_name(&job.title)),
            stems: stems.collect(),
            first_move_db: -RANGE_DB,
            products: STANDARD.encode(products(analysis.sources())),
            is_exact: is_exact(job),
            before: (&analysis.before).into(),
            targets: job.targets.iter().map(AskTarget::new).collect(),
            pieces: open.pieces,
            order: open.order,
        })
    }

    /// The section of the page, its program included.
    pub(super) fn section(&self) -> String {
        let mut html = "<section id=\"ask\"><h2>Ask</h2><p class=\"dim\">Move a fader to see what it would change: nothing is played, and no file is touched. Beside each fader is the stem's share of the loudness.</p><noscript><p class=\"bad\">The faders need a browser that runs scripts.</p></noscript><div class=\"faders\">".to_owned();
        for (i, stem) in self.stems.iter().enumerate() {
            let name = escaped(&stem.name);
            let (least, most) = (stem.least_db, stem.most_db);
            let _ = write!(
                html,
                "<div class=\"fader\"><label for=\"fader{i}\">{name}</label><input type=\"range\" id=\"fader{i}\" min=\"{least}\" max=\"{most}\" step=\"0.1\" value=\"0\"><input type=\"number\" id=\"gain{i}\" aria-label=\"{name}, dB\" min=\"{least}\" max=\"{most}\" step=\"any\" value=\"0\"><span class=\"dim\">dB</span><span class=\"n share\" id=\"share{i}\"></span></div>"
            );
        }
        html += "</div><p><button type=\"button\" id=\"zero\">All to 0 dB</button> <button type=\"button\" id=\"save\">Save as session file</button></p><p id=\"said\" role=\"status\"></p><div id=\"answer\"></div></section>\n<script type=\"application/json\" id=\"data\">";
        // text that is no tag: JSON may write any character by its number
        html += &serde_json::to_string(self).unwrap_or_default().replace('<', "\\u003c");
        let _ = writeln!(html, "</script><script>{SCRIPT}</script>");
        html
    }
}

impl AskTarget {
    fn new(target: &NormalizationTarget) -> Self {
        let (usage, rule) = match target.usage {
            TargetUse::Playback { turns_up } => ("playback", Some(turns_up)),
            TargetUse::Delivery { .. } => ("delivery", None),
            TargetUse::AsDelivered => ("as-delivered", None),
        };
        let (turns_up, limit_dbtp) = match rule {
            Some(TurnUpRule::No) => ("no", None),
            Some(TurnUpRule::ToPeak(limit)) => ("to-peak", Some(limit.0)),
            // as in `session::playback`: no known rule limits a rise that leaves the peak below -1 dBTP
            Some(TurnUpRule::PeakRuleUnknown) => ("peak-rule-unknown", Some(-1.0)),
            Some(TurnUpRule::IgnoringPeaks) => ("ignoring-peaks", None),
            Some(TurnUpRule::Unknown) | None => ("unknown", None),
        };
        Self {
            name: target.name.clone(),
            loudness_lufs: target.loudness.map(|l| l.0),
            usage,
            turns_up,
            limit_dbtp,
        }
    }
}

/// The session file of the job with open trims; a new one if it has none.
fn open_trims(job: &ReportJob<'_>) -> Result<OpenTrims> {
    let open = match job.session_file {
        Some(path) => OpenTrims::of_text(&project::text_file::read(path)?, job.bundle),
        None => {
            OpenTrims::new(job.bundle, &format!("moves asked of the report of {}", plain_name(&job.title)))
        }
    };
    open.map_err(|fault| Error::Bundle {
        path: job.session_file.unwrap_or(&job.bundle.dir).to_owned(),
        fault: fault.fault,
        cure: fault.remedy,
    })
}

/// A title as part of a file name or comment.
fn plain_name(title: &str) -> String {
    let kept: String = title.chars().filter(|c| c.is_alphanumeric() || " -_.".contains(*c)).collect();
    let kept = kept.trim().trim_matches('.');
    if kept.is_empty() { "Song".to_owned() } else { kept.to_owned() }
}

/// The products of all hops as bytes.
fn products(hops: &Hops) -> Vec<u8> {
    let mut bytes = Vec::new();
    for hop in 0..hops.len() {
        let channels: Vec<&[f64]> = (0..hops.channels()).map(|channel| hops.packed(hop, channel)).collect();
        for at in 0..channels[0].len() {
            let sum: f64 =
                channels.iter().zip(hops.weights()).map(|(packed, weight)| weight * packed[at]).sum();
            bytes.extend_from_slice(&(sum as f32).to_le_bytes());
        }
    }
    bytes
}
