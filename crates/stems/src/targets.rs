//! `stems targets`: platform rules.

use project::target_file::turns_up_words;
use serde::Serialize;
use session::target::{NormalizationTarget, TargetUse, TurnUpRule};

use crate::args::{Global, Targets};
use crate::common;
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};

#[derive(Serialize)]
struct TargetsJson<'a> {
    schema: &'static str,
    targets: Vec<TargetRow<'a>>,
}

/// The columns of `--csv`, the fields of [`TargetRow`].
const TARGET_COLUMNS: [&str; 17] = [
    "id",
    "name",
    "target_lufs",
    "usage",
    "turns_up",
    "turns_up_to_dbtp",
    "tolerance_lu",
    "peak_limit_dbtp",
    "mode",
    "status",
    "source",
    "date",
    "service",
    "client",
    "louder_than_lufs",
    "loud_peak_limit_dbtp",
    "note",
];

#[derive(Serialize)]
struct TargetRow<'a> {
    id: &'a str,
    name: &'a str,
    target_lufs: Option<f64>,
    usage: &'static str,
    turns_up: Option<&'static str>,
    turns_up_to_dbtp: Option<f64>,
    tolerance_lu: Option<f64>,
    peak_limit_dbtp: Option<f64>,
    mode: &'a str,
    status: &'static str,
    source: &'a str,
    date: &'a str,
    service: &'a str,
    client: Option<&'a str>,
    louder_than_lufs: Option<f64>,
    loud_peak_limit_dbtp: Option<f64>,
    note: Option<&'a str>,
}

fn row(target: &NormalizationTarget) -> TargetRow<'_> {
    let (usage, turns_up, up_to, tolerance) = match target.usage {
        TargetUse::AsDelivered => ("not-normalized", None, None, None),
        TargetUse::Delivery { tolerance } => ("delivery", None, None, tolerance.map(|t| t.0)),
        TargetUse::Playback { turns_up } => {
            let (word, up_to) = match turns_up {
                TurnUpRule::No => ("no", None),
                TurnUpRule::Unknown => ("unknown", None),
                TurnUpRule::ToPeak(peak) => ("to-peak", Some(peak.0)),
                TurnUpRule::PeakRuleUnknown => ("peak-rule-unknown", None),
                TurnUpRule::IgnoringPeaks => ("ignoring-peaks", None),
            };
            ("playback", Some(word), up_to, None)
        }
    };
    TargetRow {
        id: &target.id,
        name: &target.name,
        target_lufs: target.loudness.map(|l| l.0),
        usage,
        turns_up,
        turns_up_to_dbtp: up_to,
        tolerance_lu: tolerance,
        peak_limit_dbtp: target.peak_limit.map(|p| p.0),
        mode: &target.mode,
        status: target.status.word(),
        source: &target.source,
        date: &target.date,
        service: &target.service,
        client: some_text(&target.client),
        louder_than_lufs: target.loud_peak_limit.map(|limit| limit.louder_than.0),
        loud_peak_limit_dbtp: target.loud_peak_limit.map(|limit| limit.peak_limit.0),
        note: some_text(&target.note),
    }
}

/// `text`, or nothing if it is empty.
fn some_text(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Peak limit as a cell: `-1`, and the one for louder masters: `-1, -2 above -14 LUFS`.
fn peak_limit_words(target: &NormalizationTarget) -> String {
    let always = output::figure(target.peak_limit.map(|p| p.0));
    match target.loud_peak_limit {
        Some(loud) => format!("{always}; {} above {} LUFS", loud.peak_limit.0, loud.louder_than.0),
        None => always,
    }
}

/// Players that follow the rule, if it is not for all, and when it does not hold.
fn players_and_notes(target: &NormalizationTarget) -> String {
    let players = some_text(&target.client).map(|client| format!("{client}."));
    let note = some_text(&target.note).map(str::to_owned);
    players.into_iter().chain(note).collect::<Vec<_>>().join(" ")
}

pub(crate) fn run(_: &Targets, global: &Global) -> CommandResult {
    let table = common::targets(global)?;
    let rows: Vec<TargetRow<'_>> = table.iter().map(row).collect();
    if global.json {
        return output::json(Outcome::Clean, &TargetsJson { schema: "stemlink.targets/1", targets: rows });
    }
    if global.csv {
        output::csv(&TARGET_COLUMNS, &rows)?;
    } else {
        let header = [
            "id",
            "LUFS",
            "peak dBTP",
            "turns quiet songs up",
            "mode",
            "status",
            "read",
            "source",
            "players and notes",
        ];
        let mut out = output::Rows::new(header, header.len());
        for target in &table {
            out.push([
                target.id.clone(),
                output::figure(target.loudness.map(|l| l.0)),
                peak_limit_words(target),
                turns_up_words(target),
                target.mode.clone(),
                target.status.word().into(),
                target.date.clone(),
                target.source.clone(),
                players_and_notes(target),
            ]);
        }
        out.print();
        say!("Your own targets: --targets-file FILE, or stemlink/targets.toml in your configuration folder.");
    }
    Ok(Outcome::Clean.into())
}
