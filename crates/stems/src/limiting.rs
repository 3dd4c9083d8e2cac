//! `stems limiting`: who owns the limiting of a master.

use project::timed_move::TimeSpan;
use render::clock::{clock, clock_of};
use render::limiting::{
    Cure, CureBell, CureFamily, Cures, LessLimiting, Limiting, LimitingJob, StageLimiting, analyse_limiting,
    least_cures,
};
use serde::Serialize;
use units::{Db, Hz};

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
    cures: Vec<CuresJson<'a>>,
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

#[derive(Serialize)]
struct CuresJson<'a> {
    at_s: Option<f64>,
    before: f64,
    goal: f64,
    unit: &'static str,
    cures: Vec<CureJson<'a>>,
}

#[derive(Serialize)]
struct CureJson<'a> {
    family: &'static str,
    stem: &'a str,
    amount_db: f64,
    ranges: Vec<RangeJson>,
    bell: Option<BellJson>,
    predicted: f64,
    loudness_change_lu: Option<f64>,
    others_change_db: Option<f64>,
}

#[derive(Serialize)]
struct RangeJson {
    from_s: f64,
    to_s: f64,
    fade_s: f64,
}

#[derive(Serialize)]
struct BellJson {
    frequency_hz: f64,
    q: f64,
    range_db: f64,
    threshold_db: f64,
    attack_ms: f64,
    release_ms: f64,
}

/// Parts of an event that are shown.
const SHOWN_PARTS: usize = 3;

pub(crate) fn run(args: &Args, global: &Global) -> CommandResult {
    let table = common::targets(global)?;
    let (bundle, session, _) = common::open(&args.dir, None, args.session.session.as_deref())?;
    let target = master::target(args.target.as_deref(), &session, &table, &args.dir)?;
    let job = LimitingJob { bundle: &bundle, session: &session, target };
    let mut bar = Bar::new(global);
    let limiting = analyse_limiting(&job, &mut bar)?;
    let less = args.less.map(|less| LessLimiting::Events { count: args.events, less: Db(less) });
    let wish = less.or(args.less_song.map(|percent| LessLimiting::Song { percent }));
    let cures =
        wish.map(|wish| least_cures(&job, &limiting, wish, &mut bar)).transpose()?.unwrap_or_default();
    drop(bar);
    limiting.faults.iter().for_each(|line| fault(line));
    limiting.warnings.iter().for_each(|line| note(line));
    if global.json {
        return output::json(Outcome::Clean, &json(&limiting, &cures));
    }
    print(&limiting, args.events);
    cures.iter().for_each(|cures| print_cures(&limiting, cures));
    Ok(Outcome::Clean.into())
}

fn json<'a>(limiting: &'a Limiting, cures: &[Cures]) -> LimitingJson<'a> {
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
        cures: cures.iter().map(|cures| cures_json(cures, limiting)).collect(),
        faults: &limiting.faults,
        warnings: &limiting.warnings,
    }
}

fn cures_json<'a>(cures: &Cures, limiting: &'a Limiting) -> CuresJson<'a> {
    CuresJson {
        at_s: cures.event.as_ref().map(|event| event.at as f64 / limiting.rate.0),
        before: cures.before,
        goal: cures.goal,
        unit: if cures.event.is_some() { "dB" } else { "dB s" },
        cures: cures.cures.iter().map(|cure| cure_json(cure, limiting)).collect(),
    }
}

fn cure_json<'a>(cure: &Cure, limiting: &'a Limiting) -> CureJson<'a> {
    let bell = |bell: CureBell| BellJson {
        frequency_hz: bell.frequency.0,
        q: CureBell::Q,
        range_db: -cure.amount.0,
        threshold_db: bell.threshold.0,
        attack_ms: CureBell::ATTACK.0,
        release_ms: CureBell::RELEASE.0,
    };
    let range = |span: &TimeSpan| RangeJson { from_s: span.from(), to_s: span.to(), fade_s: span.fade() };
    CureJson {
        family: match cure.family {
            CureFamily::Time => "time",
            CureFamily::Trim => "trim",
            CureFamily::Bell => "bell",
        },
        stem: &limiting.rows[cure.stem],
        amount_db: cure.amount.0,
        ranges: cure.ranges.iter().map(range).collect(),
        bell: cure.bell.map(bell),
        predicted: cure.predicted,
        loudness_change_lu: cure.loudness_change.map(|change| change.0),
        others_change_db: cure.loudness_change.map(|change| -change.0),
    }
}

fn print_cures(limiting: &Limiting, cures: &Cures) {
    let (unit, digits) = if cures.event.is_some() { ("dB", 2) } else { ("dB s", 3) };
    let what = match &cures.event {
        Some(event) => format!("At {}", clock(event.at, limiting.rate)),
        None => "All events".into(),
    };
    say!(
        "\n{what}: {:.digits$} {unit} to {:.digits$} {unit}, at the same gain of the master",
        cures.before,
        cures.goal
    );
    if cures.cures.is_empty() {
        say!("no change of one stem reaches that");
        return;
    }
    let left = format!("limiting {unit}");
    let mut rows = output::Rows::new(["change", &left, "loudness LU", "others dB", ""], 1);
    for cure in &cures.cures {
        let change = cure.loudness_change.map(|change| change.0);
        rows.push([
            change_text(cure, limiting),
            format!("{:.digits$}", cure.predicted),
            output::change(change),
            output::change(change.map(|change| -change)),
            place_text(cure, limiting),
        ]);
    }
    rows.print_last_left();
}

/// `Drums -1.23 dB in time`.
fn change_text(cure: &Cure, limiting: &Limiting) -> String {
    let kind = match cure.family {
        CureFamily::Time => " in time",
        CureFamily::Trim => "",
        CureFamily::Bell => " dynamic bell",
    };
    format!("{} {:+.2} dB{kind}", limiting.rows[cure.stem], -cure.amount.0)
}

/// Arguments of what-if, or the parameters of the bell.
fn place_text(cure: &Cure, limiting: &Limiting) -> String {
    let stem = &limiting.rows[cure.stem];
    let by = -cure.amount.0;
    if let Some(bell) = cure.bell {
        return format!(
            "{:.0} Hz, Q {}, range {by:.2} dB, threshold {} dB, attack {} ms, release {} ms",
            bell.frequency.0,
            CureBell::Q,
            bell.threshold.0,
            CureBell::ATTACK.0,
            CureBell::RELEASE.0
        );
    }
    match cure.ranges.as_slice() {
        [] => format!("--move \"{stem}={by:.2}\""),
        [one] => format!("--move \"{stem}={by:.2}@{}-{}\"", clock_of(one.from()), clock_of(one.to())),
        several => format!("in {} ranges, see --json", several.len()),
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
