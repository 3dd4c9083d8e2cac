//! `stems what-if`: what a move costs.

use std::path::Path;

use audiofile::error::shown;
use meter::Reading;
use project::bundle::Bundle;
use project::session::Session;
use project::session_file::{add_moves, muted_text, new_session_text};
use project::setting_fault::SettingFault;
use project::target_file::pick;
use project::text_file;
use project::timed_move::{StemMove, TimeSpan, TimedMove};
use render::clock::clock_of;
use render::json::ReadingJson;
use render::small_file::SmallFile;
use render::what_if::{Analysis, WhatIf as Answer, analyse, effect};
use serde::Serialize;
use session::coverage::TRUSTED_COVERAGE;
use session::playback::{HEADING, exchange_sentence, sentence};
use session::surprise::SurprisingSign;
use session::target::NormalizationTarget;
use units::Db;

use crate::args::{AskedMove, Global, WhatIf};
use crate::common::{self, Bar};
use crate::failure::{Failure, fault};
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};

#[derive(Serialize)]
pub(crate) struct MoveJson {
    pub(crate) stem: String,
    pub(crate) gain_db: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fade_s: Option<f64>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<String>,
    faults: Vec<String>,
}

pub(crate) fn run(args: &WhatIf, global: &Global) -> CommandResult {
    let table = common::targets(global)?;
    let claim = args.save.as_deref().map(|path| SmallFile::claim(path, args.force)).transpose()?;
    let (bundle, session, file) =
        common::open(&args.dir, args.mix.as_deref(), args.session.session.as_deref())?;
    let targets = chosen(&table, &args.target, &session)?;
    let moves = args
        .moves
        .iter()
        .map(|one| stem_move(one, args.fade, &bundle))
        .collect::<Result<Vec<_>, Failure>>()?;
    let saved = match (&args.save, claim) {
        (Some(path), Some(claim)) => Some((path, claim, session_with(&bundle, file.as_deref(), &moves)?)),
        _ => None,
    };
    let mut bar = Bar::new(global);
    let analysis = analyse(&bundle, &session, args.mix.as_deref(), &mut bar)?;
    let answer = analysis.what_if(&bundle, &session, &moves, &mut bar)?;
    drop(bar);
    analysis.faults.iter().for_each(|line| fault(line));
    let saved =
        saved.map(|(path, claim, text)| claim.write(text.as_bytes()).map(|()| path.as_path())).transpose()?;
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
            saved: saved.map(|path| path.to_string_lossy().into_owned()),
            faults: analysis.faults.clone(),
        };
        return output::json(Outcome::Clean, &json);
    }
    print(&bundle, &session, &analysis, &answer, &targets);
    if let Some(path) = saved {
        say!("{} written: stems master --session renders it", shown(path));
    }
    Ok(Outcome::Clean.into())
}

/// The move of a stem of `bundle` that was asked for.
fn stem_move(asked: &AskedMove, fade: f64, bundle: &Bundle) -> Result<StemMove, Failure> {
    let stem = bundle.find(&asked.name)?;
    let span = asked.range.and_then(|[from, to]| TimeSpan::new(from, to, fade));
    if let Some(span) = span.filter(|span| span.from() >= bundle.seconds()) {
        return Err(Failure::new(format!(
            "{}: the move of {} begins at {}, and the song is {} long; give a range inside it",
            shown(&bundle.dir),
            bundle.stems[stem].name,
            clock_of(span.from()),
            clock_of(bundle.seconds())
        )));
    }
    Ok(StemMove { stem, change: TimedMove { gain: asked.gain, span } })
}

/// Text of the session file in use, or of a new one for `bundle`, with `moves` in it.
fn session_with(bundle: &Bundle, file: Option<&Path>, moves: &[StemMove]) -> Result<String, Failure> {
    let text = match file {
        Some(file) => text_file::read(file)?,
        None => new_session_text(bundle) + &muted_text(&Bundle::open(&bundle.dir, None)?, bundle),
    };
    let moves: Vec<(&str, TimedMove)> =
        moves.iter().map(|one| (bundle.stems[one.stem].name.as_str(), one.change)).collect();
    add_moves(&text, &moves).map_err(|SettingFault { fault, remedy }| {
        Failure::new(format!("{}: {fault}; {remedy}", shown(file.unwrap_or(&bundle.dir))))
    })
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

pub(crate) fn moves_json(bundle: &Bundle, moves: &[StemMove]) -> Vec<MoveJson> {
    let json = |one: &StemMove| {
        let span = one.change.span;
        MoveJson {
            stem: bundle.stems[one.stem].name.clone(),
            gain_db: one.change.gain.0,
            from_s: span.map(TimeSpan::from),
            to_s: span.map(TimeSpan::to),
            fade_s: span.map(TimeSpan::fade),
        }
    };
    moves.iter().map(json).collect()
}

/// The range of a move: `1:02.000-1:30.000`.
fn range_text(span: TimeSpan) -> String {
    format!("{}-{}", clock_of(span.from()), clock_of(span.to()))
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
    let text = |one: &StemMove| {
        let range = one.change.span.map_or(String::new(), |span| format!(" at {}", range_text(span)));
        format!("{} {:+} dB{range}", bundle.stems[one.stem].name, one.change.gain.0)
    };
    let moves: Vec<String> = answer.moves.iter().map(text).collect();
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
        rows.push([
            stem.name.clone(),
            share(i),
            output::figure(reading.integrated.map(|v| v.0)),
            output::figure(reading.short_term_max.map(|v| v.0)),
            output::figure(reading.true_peak.map(|v| v.0)),
            moved_text(answer.moves.iter().filter(|one| one.stem == i)),
        ]);
    }
    if analysis.sources().sources() > bundle.stems.len() {
        let empty = || String::new();
        rows.push([UNLINKED.to_owned(), share(bundle.stems.len()), empty(), empty(), empty(), empty()]);
    }
    rows.print();
}

/// The moves of one stem: `+1.00`, or each in time with its range.
fn moved_text<'a>(moves: impl Iterator<Item = &'a StemMove> + Clone) -> String {
    let whole: f64 = moves.clone().filter_map(StemMove::whole).map(|one| one.gain.0).sum();
    let timed = moves
        .filter_map(|one| Some(format!("{:+.2} at {}", one.change.gain.0, range_text(one.change.span?))));
    let whole = (whole != 0.0).then(|| format!("{whole:+.2}"));
    whole.into_iter().chain(timed).collect::<Vec<_>>().join(", ")
}

fn print_playback(bundle: &Bundle, analysis: &Analysis, answer: &Answer, targets: &[NormalizationTarget]) {
    let name = |stem: usize| bundle.stems[stem].name.as_str();
    let only = match answer.moves.as_slice() {
        [only] => only.whole().map(|one| (name(one.source), one.gain)),
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
