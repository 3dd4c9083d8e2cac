//! `stems codec`: what lossy codecs make of a file.

use std::borrow::Cow;

use render::codec::{CodecPreset, Decoded, PRESETS, ffmpeg, preview};
use render::json::ReadingJson;
use render::measure::measure;
use serde::Serialize;
use session::playback::playback;
use session::target::NormalizationTarget;
use units::Db;

use crate::args::{Codec, Global};
use crate::common::{self, Bar};
use crate::failure::{Failure, note};
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};

#[derive(Serialize)]
struct CodecsJson<'a> {
    schema: &'static str,
    path: Cow<'a, str>,
    ffmpeg: &'a str,
    reading: ReadingJson,
    codecs: Vec<CodecJson<'a>>,
}

#[derive(Serialize)]
struct CodecJson<'a> {
    id: &'a str,
    encoder: &'a str,
    bitrate: &'a str,
    bytes: u64,
    reading: ReadingJson,
    overs: u64,
    residue_rms_dbfs: Option<f64>,
    residue_peak_dbfs: Option<f64>,
    delay_samples: i64,
    target: &'a str,
    playback_gain_db: Option<f64>,
    played_peak_dbtp: Option<f64>,
}

pub(crate) fn run(args: &Codec, global: &Global) -> CommandResult {
    let Some(version) = ffmpeg() else {
        return Err(Failure::new(
            "ffmpeg: is not installed or does not run; install it, it does the encoding",
        ));
    };
    let table = common::targets(global)?;
    let mut bar = Bar::new(global);
    let source = measure(&args.file, false, "measuring", &mut bar)?.reading;
    let mut rows = Vec::new();
    for preset in PRESETS {
        match preview(&args.file, preset, &mut bar)? {
            Some(decoded) => rows.push(decoded),
            None => note(&format!("{}: this ffmpeg has no encoder {}; left out", preset.id, preset.encoder)),
        }
    }
    drop(bar);
    // What a platform does to the song it was given, at which gain the decoded one is played.
    let gain = |preset: &CodecPreset| {
        let target: &NormalizationTarget = table.iter().find(|target| target.id == preset.target)?;
        playback(&source, target)?.gain
    };
    let played = |decoded: &Decoded| Some(decoded.reading.true_peak? + gain(&decoded.preset)?);
    let over = rows.iter().any(|decoded| played(decoded).is_some_and(|peak| peak.0 > 0.0));
    let outcome = if over { Outcome::Faults } else { Outcome::Clean };
    if global.json {
        let codecs = rows.iter().map(|decoded| CodecJson {
            id: decoded.preset.id,
            encoder: decoded.preset.encoder,
            bitrate: decoded.preset.bitrate,
            bytes: decoded.bytes,
            reading: (&decoded.reading).into(),
            overs: decoded.overs,
            residue_rms_dbfs: decoded.residue_rms.map(|level| level.0),
            residue_peak_dbfs: decoded.residue_peak.map(|level| level.0),
            delay_samples: decoded.late,
            target: decoded.preset.target,
            playback_gain_db: gain(&decoded.preset).map(|gain| gain.0),
            played_peak_dbtp: played(decoded).map(|peak| peak.0),
        });
        let json = CodecsJson {
            schema: "stemlink.codec/1",
            path: args.file.to_string_lossy(),
            ffmpeg: &version,
            reading: (&source).into(),
            codecs: codecs.collect(),
        };
        return output::json(outcome, &json);
    }
    let header =
        ["codec", "encoder", "I LUFS", "TP dBTP", "overs", "residue dBFS", "playback dB", "played at dBTP"];
    let mut out = output::Rows::new(header, 2);
    let source_row = ["source".into(), "-".into(), output::figure(source.integrated.map(|l| l.0))];
    let dash = || "-".to_owned();
    let peak = output::figure(source.true_peak.map(|p| p.0));
    out.push(source_row.into_iter().chain([peak, dash(), dash(), dash(), dash()]));
    for decoded in &rows {
        let db = |value: Option<Db>| output::figure(value.map(|v| v.0));
        out.push([
            decoded.preset.id.to_owned(),
            decoded.preset.encoder.to_owned(),
            output::figure(decoded.reading.integrated.map(|l| l.0)),
            output::figure(decoded.reading.true_peak.map(|p| p.0)),
            decoded.overs.to_string(),
            db(decoded.residue_rms),
            output::change(gain(&decoded.preset).map(|gain| gain.0)),
            output::figure(played(decoded).map(|p| p.0)),
        ]);
    }
    out.print();
    say!("encoded and decoded by {version}; the platforms' own encoders differ a little");
    if over {
        say!("a player clips what is played above 0 dBTP; a lower ceiling leaves room");
    }
    Ok(outcome.into())
}
