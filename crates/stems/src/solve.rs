//! `stems solve`: trims that land the mix on a target.

use chain::ChainSettings;
use project::target_file::pick;
use project::timed_move::StemMove;
use render::json::ReadingJson;
use render::what_if::{WhatIf as Answer, analyse};
use serde::Serialize;
use session::predict::Move;
use session::solve::{MAX_TRIM, TARGET_TOLERANCE, loudness_without, solve_trim};
use units::{Lu, Lufs};

use crate::args::{Global, Solve};
use crate::common::{self, Bar};
use crate::failure::{Failure, fault};
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};
use crate::what_if::{
    MoveJson, StemJson, TargetJson, moves_json, print_certainty, print_stems, stems_json, targets_json,
};

#[derive(Serialize)]
struct SolveJson {
    schema: &'static str,
    target: String,
    target_lufs: f64,
    reached: bool,
    miss_lu: f64,
    reason: Option<String>,
    exact: bool,
    uncertainty_lu: f64,
    coverage: f64,
    before: ReadingJson,
    after: ReadingJson,
    moves: Vec<MoveJson>,
    stems: Vec<StemJson>,
    targets: Vec<TargetJson>,
    faults: Vec<String>,
}

/// Renders through a master chain that is not linear are landed by correcting this often.
const CORRECTIONS: usize = 8;

pub(crate) fn run(args: &Solve, global: &Global) -> CommandResult {
    let table = common::targets(global)?;
    let target = pick(&table, std::slice::from_ref(&args.target))?.remove(0);
    let aim = target.loudness.ok_or_else(|| {
        Failure::new(format!(
            "{}: publishes no target loudness; choose another, see stems targets",
            target.id
        ))
    })?;
    let (bundle, session, _) = common::open(&args.dir, None, args.session.session.as_deref())?;
    let chosen: Vec<usize> = match &args.stem {
        Some(name) => vec![bundle.find(name)?],
        None => (0..bundle.stems.len()).collect(),
    };
    let mut bar = Bar::new(global);
    let analysis = analyse(&bundle, &session, None, &mut bar)?;
    let silent = || {
        Failure::new(format!(
            "{}: has no loudness to land on a target (silence, or shorter than 400 ms); check it with stems check",
            audiofile::error::shown(&bundle.dir)
        ))
    };
    // Into the master chain the trim follows from powers; out of a chain at work it is corrected by what a render says.
    let through_chain = session.master != ChainSettings::default();
    let (mut into, mut best): (Lufs, Option<(Answer, Lu)>) = (aim, None);
    for _ in 0..if through_chain { CORRECTIONS } else { 1 } {
        let solution = solve_trim(analysis.sources(), &chosen, into).ok_or_else(silent)?;
        let moves: Vec<StemMove> =
            chosen.iter().map(|&source| Move { source, gain: solution.trim }.into()).collect();
        let answer = analysis.what_if(&bundle, &session, &moves, &mut bar)?;
        let miss = answer.after.integrated.ok_or_else(silent)? - aim;
        into = Lufs(into.0 - miss.0);
        if best.as_ref().is_none_or(|(_, least)| miss.0.abs() < least.0.abs()) {
            best = Some((answer, miss));
        }
        if miss.0.abs() <= TARGET_TOLERANCE.0 {
            break;
        }
    }
    drop(bar);
    analysis.faults.iter().for_each(|line| fault(line));
    let (answer, miss) = best.ok_or_else(silent)?;
    let reached = miss.0.abs() <= 2.0 * TARGET_TOLERANCE.0;
    let trim = answer.moves.first().map_or(0.0, |one| one.change.gain.0);
    let what = args.stem.as_ref().map_or("all stems".to_owned(), |_| bundle.stems[chosen[0]].name.clone());
    let reason = (!reached).then(|| {
        let side = if miss.0 > 0.0 { "louder" } else { "quieter" };
        let why = match loudness_without(analysis.sources(), &chosen) {
            Some(others) if miss.0 > 0.0 && others > aim => {
                format!("; the other stems alone are at {:.1} LUFS", others.0)
            }
            _ => String::new(),
        };
        format!(
            "no trim of {what} within ±{:.0} dB lands on {:.1} LUFS; {trim:+.2} dB comes nearest, {:.2} LU {side}{why}",
            MAX_TRIM.0,
            aim.0,
            miss.0.abs()
        )
    });
    let outcome = if reached { Outcome::Clean } else { Outcome::Faults };
    if global.json {
        let json = SolveJson {
            schema: "stemlink.solve/1",
            target: target.id.clone(),
            target_lufs: aim.0,
            reached,
            miss_lu: miss.0,
            reason: reason.clone(),
            exact: true,
            uncertainty_lu: 0.0,
            coverage: analysis.coverage,
            before: (&analysis.before).into(),
            after: (&answer.after).into(),
            moves: moves_json(&bundle, &answer.moves),
            stems: stems_json(&bundle, &analysis, &answer),
            targets: targets_json(&analysis.before, &answer.after, std::slice::from_ref(&target)),
            faults: analysis.faults.clone(),
        };
        return output::json(outcome, &json);
    }
    say!("{}: {:.1} LUFS", target.name, aim.0);
    match &reason {
        None => say!("{what} {trim:+.2} dB lands the mix on it"),
        Some(reason) => say!("{reason}"),
    }
    print_certainty(&session, &analysis, &answer);
    let mut rows = output::Rows::new(["mix"].into_iter().chain(output::READING), 1);
    rows.push(["before".to_owned()].into_iter().chain(output::reading(&analysis.before)));
    rows.push(["after".to_owned()].into_iter().chain(output::reading(&answer.after)));
    rows.print();
    say!("");
    print_stems(&bundle, &analysis, &answer);
    Ok(outcome.into())
}
