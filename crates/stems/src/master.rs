//! `stems master`: a verified master.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use audiofile::error::shown;
use project::bundle::{Bundle, holds_stems};
use project::session::{MasterLoudness, Session};
use project::target_file::pick;
use render::clock::clock;
use render::json::ReadingJson;
use render::master::{GainReason, MasterJob, Mastered, is_dialogue_gated, master};
use render::tags::FileTags;
use serde::Serialize;
use session::playback::{HEADING, peak_sentence, sentence};
use session::target::NormalizationTarget;

use crate::args::{Global, LimiterState, Master};
use crate::check::{self, NullResidual};
use crate::common::{self, Bar, OutputFolder};
use crate::failure::{Failure, note};
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};

#[derive(Serialize)]
struct MasterJson<'a> {
    schema: &'static str,
    deliverables: Vec<DeliverableJson<'a>>,
    null_dbfs: Option<f64>,
    null_pass_dbfs: Option<f64>,
    gain_db: f64,
    stopped_by: &'static str,
    limiting_db: f64,
    limiting_at_s: f64,
    ceiling_dbtp: f64,
    strict_peak_dbtp: Option<f64>,
    faults: Vec<String>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct DeliverableJson<'a> {
    kind: &'static str,
    path: Cow<'a, str>,
    reading: ReadingJson,
    verified: bool,
}

pub(crate) fn run(args: &Master, global: &Global) -> CommandResult {
    let table = common::targets(global)?;
    let given = args.session.session.as_deref();
    let (bundle, session) = if holds_stems(&args.dir) {
        let (bundle, session, _) = common::open(&args.dir, args.mix.as_deref(), given)?;
        (bundle, session)
    } else {
        let mut bundle = common::single(&args.dir)?;
        let session = match given {
            Some(path) => {
                let mut session = Session::read(path, &mut bundle)?;
                session.learn_noise(&bundle)?;
                session
            }
            None => Session::neutral(&bundle),
        };
        (bundle, session)
    };
    if !args.pad {
        bundle.same_length()?;
    }
    let target = target(args.target.as_deref(), &session, &table, &args.out)?;
    let null =
        args.mix.as_deref().map(|mix| check::null_residual(&args.dir, mix, global)).transpose()?.flatten();
    let _folder = OutputFolder::create(&args.out)?;
    let song = common::song_name(&args.dir);
    let output = args.out.join(format!("{song}_Master.wav"));
    let off = args.limiter == LimiterState::Off;
    let unlimited = off.then(|| args.out.join(format!("{song}_Master_Unlimited.wav")));
    let job = MasterJob {
        bundle: &bundle,
        session: &session,
        output,
        unlimited,
        overwrite: args.force,
        target,
        tags: FileTags::default(),
    };
    let mut bar = Bar::new(global);
    let mastered = master(&job, &mut bar)?;
    drop(bar);
    mastered.faults.iter().chain(&mastered.warnings).for_each(|line| note(line));
    if !mastered.verified {
        note(&format!("{}: not verified; {}", shown(&mastered.path), why_not_verified(&mastered)));
    }
    let null_passed = null.is_none_or(NullResidual::passes);
    let on_target = mastered.gain.reason != GainReason::OutOfReach;
    if let Some(open) = mastered.unlimited.as_ref().filter(|open| !open.verified) {
        note(&format!("{}: not verified; the two meters differ, please report this", shown(&open.path)));
    }
    let verified = mastered.verified && mastered.unlimited.as_ref().is_none_or(|open| open.verified);
    let outcome = if verified && mastered.faults.is_empty() && null_passed && on_target {
        Outcome::Clean
    } else {
        Outcome::Faults
    };
    if global.json {
        let faults: Vec<String> = bundle.file_faults().chain(mastered.faults.iter().cloned()).collect();
        let warnings = bundle.lossy_remarks().chain(mastered.warnings.iter().cloned());
        let warnings = faults.iter().cloned().chain(warnings).collect();
        return output::json(outcome, &MasterJson { faults, warnings, ..json(&mastered, null) });
    }
    print(&bundle, &job, &mastered, null, &table);
    Ok(outcome.into())
}

/// The target of the command line, else of the session.
pub(crate) fn target(
    given: Option<&str>,
    session: &Session,
    table: &[NormalizationTarget],
    out: &Path,
) -> Result<Option<NormalizationTarget>, Failure> {
    let id = match (given, &session.loudness) {
        (Some(id), _) => id.to_owned(),
        (None, MasterLoudness::Target(id)) => id.clone(),
        (None, _) => return Ok(None),
    };
    let target = pick(table, &[id])?.remove(0);
    render::master::target_loudness(&target, out)?;
    if is_dialogue_gated(&target) {
        note(&format!("{}: measured over the whole programme; its rule counts dialogue only", target.name));
    }
    Ok(Some(target))
}

fn json(mastered: &Mastered, null: Option<NullResidual>) -> MasterJson<'_> {
    let gain = &mastered.gain;
    MasterJson {
        schema: "stemlink.master/1",
        deliverables: std::iter::once(DeliverableJson {
            kind: "master",
            path: mastered.path.to_string_lossy(),
            reading: (&mastered.measured.reading).into(),
            verified: mastered.verified,
        })
        .chain(mastered.unlimited.as_ref().map(|open| DeliverableJson {
            kind: "unlimited",
            path: open.path.to_string_lossy(),
            reading: (&open.measured.reading).into(),
            verified: open.verified,
        }))
        .collect(),
        null_dbfs: null.and_then(|null| null.peak_dbfs),
        null_pass_dbfs: null.map(|null| null.pass_dbfs),
        gain_db: gain.gain.0,
        stopped_by: reason_id(gain.reason),
        limiting_db: gain.reduction.0,
        limiting_at_s: gain.reduction_at as f64 / mastered.measured.info.rate.0,
        ceiling_dbtp: mastered.ceiling.0,
        strict_peak_dbtp: mastered.strict_peak.map(|p| p.0),
        faults: Vec::new(),
        warnings: Vec::new(),
    }
}

fn print(
    bundle: &Bundle,
    job: &MasterJob<'_>,
    mastered: &Mastered,
    null: Option<NullResidual>,
    table: &[NormalizationTarget],
) {
    let rate = mastered.measured.info.rate;
    let gain = &mastered.gain;
    say!(
        "{}, {} Hz, {}",
        if bundle.stems.len() == 1 { "1 stem".to_owned() } else { format!("{} stems", bundle.stems.len()) },
        rate.0,
        clock(mastered.measured.frames, rate)
    );
    say!("{}", why(mastered));
    if gain.reduction.0 > 0.05 {
        let at = clock(gain.reduction_at, rate);
        say!("most limiting {:.1} dB at {at}", gain.reduction.0);
    }
    let mut rows = output::Rows::new([""].into_iter().chain(output::READING), 1);
    rows.push(["sum".to_owned()].into_iter().chain(output::reading(&mastered.before)));
    rows.push(["master".to_owned()].into_iter().chain(output::reading(&mastered.measured.reading)));
    if let Some(open) = &mastered.unlimited {
        rows.push(
            ["before the limiter".to_owned()].into_iter().chain(output::reading(&open.measured.reading)),
        );
    }
    if let Some(second) = &mastered.measured.second {
        let dash = || output::figure(None);
        rows.push([
            "second meter".to_owned(),
            output::figure(second.integrated.map(|v| v.0)),
            dash(), // its loudness range has coarser steps and is not compared
            dash(),
            dash(),
            output::figure(second.true_peak.map(|v| v.0)),
            dash(),
            dash(),
        ]);
    }
    rows.print();
    if let Some(null) = null {
        null.print();
    }
    say!("\n{HEADING}");
    let mentioned = match &job.target {
        Some(target) => vec![target.clone()],
        None => ["spotify", "apple-music", "youtube"]
            .iter()
            .filter_map(|id| table.iter().find(|t| t.id == *id))
            .cloned()
            .collect(),
    };
    for target in &mentioned {
        say!("  {}", sentence(&mastered.measured.reading, target, None));
        if let Some(advice) = peak_sentence(&mastered.measured.reading, target) {
            say!("  {advice}");
        }
    }
    let word = if mastered.verified { "verified" } else { "NOT verified" };
    say!("{} written and {word}", shown(&mastered.path));
    if let Some(open) = &mastered.unlimited {
        let word = if open.verified { "verified" } else { "NOT verified" };
        say!("{} written and {word}: no ceiling is held in it", shown(&open.path));
    }
}

fn reason_id(reason: GainReason) -> &'static str {
    match reason {
        GainReason::Reached => "reached",
        GainReason::Peak => "peak",
        GainReason::LouderAlready => "louder_already",
        GainReason::AsIs => "as_is",
        GainReason::OutOfReach => "out_of_reach",
        GainReason::Silence => "silence",
    }
}

/// The reason for the gain, in one sentence.
fn why(mastered: &Mastered) -> String {
    let made = &mastered.gain;
    let at = clock(made.stopped_at, mastered.measured.info.rate);
    let aim = made.aim.map_or(String::new(), |aim| format!("{:.1} LUFS", aim.0));
    let gain = made.gain.0;
    match made.reason {
        GainReason::Reached => format!("gain {gain:+.2} dB: {}", reached(mastered)),
        GainReason::Peak if gain < 0.0 => {
            format!(
                "gain {gain:+.2} dB: turned down for {:.1} dBTP only; the peak at {at} would take more than 2 dB of limiting",
                mastered.ceiling.0
            )
        }
        GainReason::Peak => format!(
            "gain {gain:+.2} dB: stops short of {aim}; the peak at {at} would take more than 2 dB of limiting"
        ),
        GainReason::LouderAlready => {
            format!("gain {gain:+.2} dB: louder than {aim} already; never turned down for loudness")
        }
        GainReason::AsIs => "no gain: as the session leaves it".into(),
        GainReason::OutOfReach => {
            format!("gain {gain:+.2} dB: comes nearest to {aim}, which no gain reaches")
        }
        GainReason::Silence => "no gain: there is no loudness (silence, or shorter than 400 ms)".into(),
    }
}

/// The loudness that a gain has reached, which limiting keeps below an aim that is no target.
fn reached(mastered: &Mastered) -> String {
    let (Some(there), Some(aim)) = (mastered.measured.reading.integrated, mastered.gain.aim) else {
        return "reaches no loudness".into();
    };
    let [there_said, aim_said] = [there, aim].map(|loudness| format!("{:.1} LUFS", loudness.0));
    if there_said == aim_said {
        return format!("reaches {aim_said}");
    }
    format!(
        "reaches {there_said}; it aims at {aim_said}, and limiting takes {:.1} LU (a --target is landed on)",
        (aim - there).0
    )
}

fn why_not_verified(mastered: &Mastered) -> String {
    if !mastered.is_heard() {
        return "nothing can be heard in it; check the stems with stems check".into();
    }
    let strict = mastered.strict_peak.map_or(f64::NEG_INFINITY, |p| p.0);
    let limit = mastered.ceiling.0 + render::ceiling::CEILING_TOLERANCE.0;
    if strict > limit {
        return format!(
            "its true peak is {strict:.2} dBTP over a ceiling of {:.1} dBTP; lower the level",
            mastered.ceiling.0
        );
    }
    let second: Option<PathBuf> = mastered.measured.second.is_none().then(|| mastered.path.clone());
    match second {
        Some(_) => "the second meter cannot measure it; measure it with another tool".into(),
        None => "the two meters differ, or the file is not what was rendered; please report this".into(),
    }
}
