//! `stems what-if`: what a move costs.

use meter::Reading;
use project::bundle::Bundle;
use project::session::Session;
use project::target_file::pick;
use render::json::ReadingJson;
use render::what_if::{Analysis, WhatIf as Answer, analyse, effect};
use serde::Serialize;
use session::coverage::TRUSTED_COVERAGE;
use session::playback::{HEADING, exchange_sentence, sentence};
use session::predict::Move;
use session::surprise::SurprisingSign;
use session::target::NormalizationTarget;
use units::Db;

use crate::args::{Global, WhatIf};
use crate::common::{self, Bar};
use crate::failure::{Failure, fault};
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};

#[derive(Serialize)]
pub(crate) struct MoveJson {
    pub(crate) stem: String,
    pub(crate) gain_db: f64,
}

#[derive(Serialize)]
pub(crate) struct StemJson {
    stem: String,
    share: Option<f64>,
    reading: Option<ReadingJson>,
}

#[derive(Serialize)]
pub(crate) struct TargetJson {
    id: String,
    playback_gain_before_db: Option<f64>,
    playback_gain_after_db: Option<f64>,
    others_change_db: Option<f64>,
    bound_by: Option<&'static str>,
}

#[derive(Serialize)]
struct WhatIfJson {
    schema: &'static str,
    exact: bool,
    uncertainty_lu: Option<f64>,
    coverage: f64,
    before: ReadingJson,
    after: ReadingJson,
    moves: Vec<MoveJson>,
    stems: Vec<StemJson>,
    targets: Vec<TargetJson>,
    surprise: Option<&'static str>,
    faults: Vec<String>,
}

pub(crate) fn run(args: &WhatIf, global: &Global) -> CommandResult {
    let table = common::targets(global)?;
    let (bundle, session, _) = common::open(&args.dir, args.mix.as_deref(), args.session.session.as_deref())?;
    let targets = chosen(&table, &args.target, &session)?;
    let moves = args
        .moves
        .iter()
        .map(|(name, gain)| Ok(Move { source: bundle.find(name)?, gain: *gain }))
        .collect::<Result<Vec<_>, Failure>>()?;
    let mut bar = Bar::new(global);
    let analysis = analyse(&bundle, &session, args.mix.as_deref(), &mut bar)?;
    let answer = analysis.what_if(&bundle, &session, &moves, &mut bar)?;
    drop(bar);
    analysis.faults.iter().for_each(|line| fault(line));
    if global.json {
        let half_width = answer.certainty.half_width().0;
        let json = WhatIfJson {
            schema: "stemlink.what-if/1",
            exact: answer.certainty.half_width().0 == 0.0,
            uncertainty_lu: half_width.is_finite().then_some(half_width),
            coverage: analysis.coverage,
            before: (&analysis.before).into(),
            after: (&answer.after).into(),
            moves: moves_json(&bundle, &answer.moves),
            stems: stems_json(&bundle, &analysis, &answer),
            targets: targets_json(&analysis.before, &answer.after, &targets),
            surprise: answer.surprise.map(SurprisingSign::sentence),
            faults: analysis.faults.clone(),
        };
        return output::json(Outcome::Clean, &json);
    }
    print(&bundle, &session, &analysis, &answer, &targets);
    Ok(Outcome::Clean.into())
}

/// The targets asked for, else those of the session, else all.
pub(crate) fn chosen(
    table: &[NormalizationTarget],
    asked: &[String],
    session: &Session,
) -> Result<Vec<NormalizationTarget>, Failure> {
    let ids = if asked.is_empty() { &session.targets } else { asked };
    Ok(if ids.is_empty() { table.to_vec() } else { pick(table, ids)? })
}

pub(crate) fn moves_json(bundle: &Bundle, moves: &[Move]) -> Vec<MoveJson> {
    moves.iter().map(|m| MoveJson { stem: bundle.stems[m.source].name.clone(), gain_db: m.gain.0 }).collect()
}

/// The name of what is in the mix beside the stems.
const UNLINKED: &str = "Unlinked";

pub(crate) fn stems_json(bundle: &Bundle, analysis: &Analysis, answer: &Answer) -> Vec<StemJson> {
    let share = |source: usize| answer.shares.as_ref().map(|shares| shares[source]);
    let stems = bundle.stems.iter().zip(&analysis.stems).enumerate();
    let mut rows: Vec<StemJson> = stems
        .map(|(i, (stem, reading))| StemJson {
            stem: stem.name.clone(),
            share: share(i),
            reading: Some(reading.into()),
        })
        .collect();
    if analysis.sources().sources() > bundle.stems.len() {
        rows.push(StemJson { stem: UNLINKED.into(), share: share(bundle.stems.len()), reading: None });
    }
    rows
}

pub(crate) fn targets_json(
    before: &Reading,
    after: &Reading,
    targets: &[NormalizationTarget],
) -> Vec<TargetJson> {
    let row = |target: &NormalizationTarget| {
        let effect = effect(before, after, target);
        let gain = |playback: Option<session::playback::Playback>| Some(playback?.gain?.0);
        TargetJson {
            id: target.id.clone(),
            playback_gain_before_db: gain(effect.before),
            playback_gain_after_db: gain(effect.after),
            others_change_db: effect.others.map(|o| o.0),
            bound_by: effect.after.map(|p| p.bound.word()),
        }
    };
    targets.iter().map(row).collect()
}

fn print(
    bundle: &Bundle,
    session: &Session,
    analysis: &Analysis,
    answer: &Answer,
    targets: &[NormalizationTarget],
) {
    let moves: Vec<String> =
        answer.moves.iter().map(|m| format!("{} {:+} dB", bundle.stems[m.source].name, m.gain.0)).collect();
    say!("What if: {}", moves.join(", "));
    print_certainty(session, analysis, answer);

    print_mix(&analysis.before, &answer.after);
    if let Some(surprise) = answer.surprise {
        say!("{}", surprise.sentence());
    }
    say!("");
    print_stems(bundle, analysis, answer);
    print_playback(bundle, analysis, answer, targets);
}

/// The mix before and after, and the change.
fn print_mix(before: &Reading, after: &Reading) {
    let mut rows = output::Rows::new(["mix"].into_iter().chain(output::READING), 1);
    rows.push(["before".to_owned()].into_iter().chain(output::reading(before)));
    rows.push(["after".to_owned()].into_iter().chain(output::reading(after)));
    let pair = |f: fn(&Reading) -> Option<f64>| {
        output::change(f(after).zip(f(before)).map(|(after, before)| after - before))
    };
    rows.push([
        "change".to_owned(),
        pair(|r| Some(r.integrated?.0)),
        pair(|r| Some(r.range?.0)),
        pair(|r| Some(r.momentary_max?.0)),
        pair(|r| Some(r.short_term_max?.0)),
        pair(|r| Some(r.true_peak?.0)),
        pair(|r| Some(r.sample_peak?.0)),
        pair(|r| Some(r.plr()?.0)),
    ]);
    rows.print();
}

/// The word beside the numbers: exact, estimate, or simulated when the master chain is at work.
pub(crate) fn print_certainty(session: &Session, analysis: &Analysis, answer: &Answer) {
    let half_width = answer.certainty.half_width().0;
    let word = answer.certainty.word();
    if half_width == 0.0 {
        say!("{word}: rendered from the stems and measured");
    } else if half_width.is_finite() {
        say!(
            "{word} ±{half_width:.2} LU: the stems account for {:.2} % of the mix",
            analysis.coverage * 100.0
        );
    } else {
        say!("{word}, how far off is unknown: the stems cannot be told apart in the mix");
    }
    if analysis.coverage < TRUSTED_COVERAGE {
        say!("the stems are not the whole mix: run stems check --mix to see what is missing");
    }
    if session.master != chain::ChainSettings::default() {
        say!("simulated out of the master: the whole song through the session's master chain");
    }
}

pub(crate) fn print_stems(bundle: &Bundle, analysis: &Analysis, answer: &Answer) {
    let mut rows = output::Rows::new(["stem", "share %", "I LUFS", "max S LUFS", "TP dBTP", "move dB"], 1);
    let share = |source: usize| output::figure(answer.shares.as_ref().map(|shares| shares[source] * 100.0));
    for (i, (stem, reading)) in bundle.stems.iter().zip(&analysis.stems).enumerate() {
        let moved: f64 = answer.moves.iter().filter(|m| m.source == i).map(|m| m.gain.0).sum();
        rows.push([
            stem.name.clone(),
            share(i),
            output::figure(reading.integrated.map(|v| v.0)),
            output::figure(reading.short_term_max.map(|v| v.0)),
            output::figure(reading.true_peak.map(|v| v.0)),
            if moved == 0.0 { String::new() } else { format!("{moved:+.2}") },
        ]);
    }
    if analysis.sources().sources() > bundle.stems.len() {
        let empty = || String::new();
        rows.push([UNLINKED.to_owned(), share(bundle.stems.len()), empty(), empty(), empty(), empty()]);
    }
    rows.print();
}

fn print_playback(bundle: &Bundle, analysis: &Analysis, answer: &Answer, targets: &[NormalizationTarget]) {
    let name = |stem: usize| bundle.stems[stem].name.as_str();
    let only = match answer.moves.as_slice() {
        [only] => Some((name(only.source), only.gain)),
        _ => None,
    };
    print_effects([&analysis.before, &answer.after], targets, answer.loudest_peak.map(name), only);
}

/// Prints the playback of the mix before and after; `whose` stem has its highest peak; `only`: the one move that it was.
pub(crate) fn print_effects(
    [before, after]: [&Reading; 2],
    targets: &[NormalizationTarget],
    whose: Option<&str>,
    only: Option<(&str, Db)>,
) {
    say!("\n{HEADING}");
    let mut rows = output::Rows::new(["platform", "before dB", "after dB", "others dB", ""], 1);
    for target in targets {
        let effect = effect(before, after, target);
        let gain = |p: Option<session::playback::Playback>| output::change(p.and_then(|p| Some(p.gain?.0)));
        rows.push([
            target.id.clone(),
            gain(effect.before),
            gain(effect.after),
            output::change(effect.others.map(|o| o.0)),
            sentence(after, target, whose),
        ]);
    }
    rows.print_last_left();
    for target in targets.iter().filter(|target| !target.note.is_empty()) {
        say!("{}: {}", target.name, target.note);
    }
    if let Some((stem, gain)) = only {
        let others = |target: &NormalizationTarget| effect(before, after, target).others;
        // The platform on which it shows most.
        let most = targets
            .iter()
            .filter_map(|t| Some((t, others(t)?)))
            .max_by(|a, b| a.1.0.abs().total_cmp(&b.1.0.abs()));
        if let Some((target, change)) = most {
            say!("{} ({})", exchange_sentence(stem, gain, change), target.name);
        }
    }
}
