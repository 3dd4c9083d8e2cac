//! `stems limiting`: who owns the limiting of a master.

use render::clock::clock;
use render::limiting::{Limiting, LimitingJob, StageLimiting, analyse_limiting};
use serde::Serialize;
use units::Hz;

use crate::args::{Global, Limiting as Args};
use crate::common::{self, Bar};
use crate::failure::{fault, note};
use crate::master;
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};

#[derive(Serialize)]
struct LimitingJson<'a> {
    schema: &'static str,
    gain_db: f64,
    ceiling_dbtp: f64,
    rate_hz: f64,
    frames: u64,
    limiter: StageJson<'a>,
    compressor: Option<StageJson<'a>>,
    events: Vec<EventJson<'a>>,
    faults: &'a [String],
    warnings: &'a [String],
}

#[derive(Serialize)]
struct StageJson<'a> {
    decibel_seconds: f64,
    max_db: f64,
    max_at_s: f64,
    rows: Vec<RowJson<'a>>,
}

#[derive(Serialize)]
struct RowJson<'a> {
    row: &'a str,
    decibel_seconds: f64,
    share: Option<f64>,
}

#[derive(Serialize)]
struct EventJson<'a> {
    from_s: f64,
    to_s: f64,
    at_s: f64,
    depth_db: f64,
    decibel_seconds: f64,
    parts: Vec<PartJson<'a>>,
}

#[derive(Serialize)]
struct PartJson<'a> {
    row: &'a str,
    part: f64,
}

/// Parts of an event that are shown.
const SHOWN_PARTS: usize = 3;

pub(crate) fn run(args: &Args, global: &Global) -> CommandResult {
    let table = common::targets(global)?;
    let (bundle, session, _) = common::open(&args.dir, None, args.session.session.as_deref())?;
    let target = master::target(args.target.as_deref(), &session, &table, &args.dir)?;
    let job = LimitingJob { bundle: &bundle, session: &session, target };
    let limiting = analyse_limiting(&job, &mut Bar::new(global))?;
    limiting.faults.iter().for_each(|line| fault(line));
    limiting.warnings.iter().for_each(|line| note(line));
    if global.json {
        return output::json(Outcome::Clean, &json(&limiting));
    }
    print(&limiting, args.events);
    Ok(Outcome::Clean.into())
}

fn json(limiting: &Limiting) -> LimitingJson<'_> {
    let seconds = |frame: u64| frame as f64 / limiting.rate.0;
    let events = limiting.events.iter().map(|event| EventJson {
        from_s: seconds(event.from),
        to_s: seconds(event.to),
        at_s: seconds(event.at),
        depth_db: event.depth.0,
        decibel_seconds: event.decibel_seconds,
        parts: limiting
            .rows
            .iter()
            .zip(&event.parts)
            .map(|(row, part)| PartJson { row, part: *part })
            .collect(),
    });
    LimitingJson {
        schema: "stemlink.limiting/1",
        gain_db: limiting.gain.0,
        ceiling_dbtp: limiting.ceiling.0,
        rate_hz: limiting.rate.0,
        frames: limiting.frames,
        limiter: stage_json(&limiting.limiter, limiting),
        compressor: limiting.compressor.as_ref().map(|stage| stage_json(stage, limiting)),
        events: events.collect(),
        faults: &limiting.faults,
        warnings: &limiting.warnings,
    }
}

fn stage_json<'a>(stage: &StageLimiting, limiting: &'a Limiting) -> StageJson<'a> {
    let rows = limiting.rows.iter().zip(&stage.rows);
    StageJson {
        decibel_seconds: stage.decibel_seconds,
        max_db: stage.deepest.0,
        max_at_s: stage.deepest_at as f64 / limiting.rate.0,
        rows: rows
            .map(|(name, row)| RowJson { row: name, decibel_seconds: row.decibel_seconds, share: row.share })
            .collect(),
    }
}

fn print(limiting: &Limiting, shown: usize) {
    let Limiting { rate, gain, ceiling, limiter, compressor, .. } = limiting;
    say!("gain {:+.2} dB into a ceiling of {:.1} dBTP", gain.0, ceiling.0);
    say!("{}", stage_text("limiter", limiter, *rate));
    if let Some(compressor) = compressor {
        say!("{}", stage_text("compressor", compressor, *rate));
    }
    let percent = |share: Option<f64>| output::figure(share.map(|share| share * 100.0));
    let mut header = vec!["stem", "limiter dB s", "share %"];
    if compressor.is_some() {
        header.extend(["compressor dB s", "share %"]);
    }
    let mut rows = output::Rows::new(header, 1);
    for (n, name) in limiting.rows.iter().enumerate() {
        let own = &limiter.rows[n];
        let mut cells = vec![name.clone(), format!("{:.2}", own.decibel_seconds), percent(own.share)];
        if let Some(compressor) = compressor {
            // what a saturator adds comes after it
            let row = compressor.rows.get(n);
            cells.push(row.map_or("-".into(), |row| format!("{:.2}", row.decibel_seconds)));
            cells.push(percent(row.and_then(|row| row.share)));
        }
        rows.push(cells);
    }
    rows.print();
    if limiting.events.is_empty() {
        say!("no event: nothing is limited by 0.1 dB");
        return;
    }
    let worst = limiting.worst(shown);
    say!("\n{} of {} events, deepest first", worst.len(), limiting.events.len());
    let mut rows = output::Rows::new(["deepest at", "depth dB", "from", "to", "dB s", "parts"], 1);
    for event in worst {
        rows.push([
            clock(event.at, *rate),
            format!("{:.2}", event.depth.0),
            clock(event.from, *rate),
            clock(event.to, *rate),
            format!("{:.3}", event.decibel_seconds),
            parts_text(&limiting.rows, &event.parts),
        ]);
    }
    rows.print_last_left();
}

fn stage_text(name: &str, stage: &StageLimiting, rate: Hz) -> String {
    if stage.decibel_seconds == 0.0 {
        return format!("{name}: takes nothing");
    }
    format!(
        "{name}: {:.2} dB s, the most {:.2} dB at {}",
        stage.decibel_seconds,
        stage.deepest.0,
        clock(stage.deepest_at, rate)
    )
}

/// `Drums 71 %, Bass 24 %, Vocals -3 %`: the largest parts.
fn parts_text(rows: &[String], parts: &[f64]) -> String {
    let mut all: Vec<(&String, f64)> = rows.iter().zip(parts.iter().copied()).collect();
    all.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    let text = |(name, part): &(&String, f64)| format!("{name} {:.0} %", part * 100.0);
    all.iter().take(SHOWN_PARTS).map(text).collect::<Vec<_>>().join(", ")
}
