//! Asking a live Master what a move would do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use audiofile::error::one_line;
use link::ipc::{Bridge, InstanceSource, Intervals, Observer, Requester};
use link::records::{InstanceInfo, InstanceKind, StemReadings};
use link::summary::{Forecast, SessionSummary};
use link::survey::{Survey, SurveyedInstance};
use link::text::Text;
use link::{InstanceId, ROSTER};
use meter::Reading;
use render::json::ReadingJson;
use serde::Serialize;
use session::heard_part::{EXACT_FOOTNOTE, WholeInterval};
use session::target::NormalizationTarget;
use units::{Db, Lufs};

use super::name::name;
use super::page;
use super::wait::{POLL_INTERVAL, pause};
use crate::failure::Failure;
use crate::output::{Rows, change, figure, say};
use crate::what_if::{TargetJson, print_effects, targets_json};

/// A Master's answer, and to what.
pub(super) struct Prediction {
    /// The Master: what it is called and its id.
    master: (String, InstanceId),
    /// The name of the stem that moves.
    stem: String,
    /// Name and id of the stem that contains it.
    inside: Option<(String, InstanceId)>,
    forecast: Forecast,
    /// Into the master before and after, with the peak at the highest that it may be.
    into: [Reading; 2],
    /// The stem with the highest peak.
    whose: Option<String>,
}

/// A Master's answer, and beside it what programs want to know.
#[derive(Serialize)]
pub(super) struct PredictionJson {
    master: String,
    exact: bool,
    uncertainty_lu: f64,
    coverage: Option<f64>,
    heard_s: f64,
    length_s: f64,
    exact_for_heard: bool,
    whole: Option<WholeJson>,
    footnote: Option<&'static str>,
    returns_not_included: bool,
    before: ReadingJson,
    after: ReadingJson,
    simulation: Option<SimulationJson>,
    moves: Vec<MoveJson>,
    targets: Vec<TargetJson>,
}

#[derive(Serialize)]
struct SimulationJson {
    heard_s: f64,
    /// Half-width of the loudness after; null if one window alone was captured.
    uncertainty_lu: Option<f64>,
    before: ReadingJson,
    after: ReadingJson,
}

/// For a song of which a part was heard.
#[derive(Serialize)]
struct WholeJson {
    change_lu: [f64; 2],
    after_lufs: [f64; 2],
}

#[derive(Serialize)]
struct MoveJson {
    stem: String,
    id: String,
    gain_db: f64,
    inside: Option<String>,
}

/// Time after which a question is asked again.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(2500);

/// The identity of this process while it asks.
struct Viewer;

impl InstanceSource for Viewer {
    fn info(&self) -> InstanceInfo {
        InstanceInfo { kind: InstanceKind::Viewer, name: Text::new("stems"), ..InstanceInfo::default() }
    }

    fn readings(&self) -> StemReadings {
        StemReadings::default()
    }
}

/// Asks the Master that sums the stem.
pub(super) fn ask(
    onlooker: &Observer,
    survey: &Survey,
    (typed, gain): &(String, Db),
    wait: Duration,
) -> Result<Prediction, Failure> {
    let (session, stem) = resolve(survey, typed)?;
    let session = &survey.sessions[session];
    let (master, stem) = (&survey.instances[session.owner], &survey.instances[stem]);
    let post = |requester: Requester| requester.request_prediction(master.id, stem.id, *gain);
    let forecast = consult(onlooker, master, wait, post, |summary, sender, counter| {
        let is_ours =
            |forecast: &Forecast| Some(forecast.sender) == sender && Some(forecast.counter) == counter;
        summary.forecast.filter(is_ours)
    })?;
    let Some(into) = forecast.into_master else {
        return Err(Failure::new(format!(
            "{}: cannot predict a move of {} as the song is set now; press play, and let it listen for a while",
            called(master),
            name(&stem.info)
        )));
    };
    let reading = |side: usize| Reading {
        integrated: Some(into[side]),
        true_peak: forecast.peak[side],
        ..Reading::default()
    };
    let whose = session.summary.loudest_peak.and_then(|id| survey.index_of(id));
    Ok(Prediction {
        master: (called(master), master.id),
        stem: name(&stem.info).to_owned(),
        inside: page::outer(survey, stem).map(|outer| (name(&outer.info).to_owned(), outer.id)),
        into: [reading(0), reading(1)],
        whose: whose.map(|number| name(&survey.instances[number].info).to_owned()),
        forecast,
    })
}

/// The name of a Master and its host.
fn called(master: &SurveyedInstance) -> String {
    one_line(&format!("{} in {}", name(&master.info), page::host(master)))
}

/// The session and the stem that are meant.
fn resolve(survey: &Survey, typed: &str) -> Result<(usize, usize), Failure> {
    if survey.sessions.is_empty() {
        return Err(Failure::new(
            "live: no session is alive on this machine; put Stemlink Master on the master bus and press play",
        ));
    }
    match candidates(survey, typed)?.as_slice() {
        [only] => Ok(*only),
        several => {
            let ids = several.iter().map(|&(_, stem)| survey.instances[stem].id.to_string());
            Err(Failure::new(format!(
                "{typed:?}: {} stems are called that; name one by its id: {}",
                several.len(),
                ids.collect::<Vec<_>>().join(", ")
            )))
        }
    }
}

/// True if a Stem that `typed` may mean is alive, beside a Master, and no Master sums it yet.
pub(super) fn is_awaited(survey: &Survey, typed: &str) -> bool {
    let is_meant = |one: &&SurveyedInstance| {
        typed.parse() == Ok(one.id) || one.info.name.as_str().to_lowercase() == typed.to_lowercase()
    };
    let has = |kind: InstanceKind| move |one: &&SurveyedInstance| one.info.kind == kind;
    let stems = survey.instances.iter().filter(has(InstanceKind::Stem));
    survey.instances.iter().any(|one| has(InstanceKind::Master)(&one))
        && stems.filter(is_meant).any(|one| one.status.is_linked())
        && candidates(survey, typed).is_err()
}

/// Session and stem of everything that `typed` may mean: by id, else by name as it is, else whatever its case.
fn candidates(survey: &Survey, typed: &str) -> Result<Vec<(usize, usize)>, Failure> {
    let members = || {
        (survey.sessions.iter().enumerate()).flat_map(|(session, one)| {
            one.all_stems(&survey.instances).into_iter().map(move |stem| (session, stem))
        })
    };
    let all = |is_meant: &dyn Fn(&SurveyedInstance) -> bool| -> Vec<(usize, usize)> {
        members().filter(|&(_, stem)| is_meant(&survey.instances[stem])).collect()
    };
    let lower = typed.to_lowercase();
    let tries: [&dyn Fn(&SurveyedInstance) -> bool; 3] =
        [&|one| typed.parse() == Ok(one.id), &|one| one.info.name.as_str() == typed, &|one| {
            one.info.name.as_str().to_lowercase() == lower
        }];
    if let Some(found) = tries.into_iter().map(all).find(|found| !found.is_empty()) {
        return Ok(found);
    }
    let mut names: Vec<&str> = members().map(|(_, stem)| name(&survey.instances[stem].info)).collect();
    names.sort_unstable();
    names.dedup();
    Err(Failure::new(match names.as_slice() {
        [] => {
            format!("{typed:?}: no Master sums any stem yet; press play, and let it listen for a few seconds")
        }
        names => format!("{typed:?}: no Master sums a stem of that name; there are {}", names.join(", ")),
    }))
}

/// Tells the Master that sums the stem that its mute is part of the mix; returns what to say then.
pub(super) fn confirm_mute(
    onlooker: &Observer,
    survey: &Survey,
    typed: &str,
    wait: Duration,
) -> Result<String, Failure> {
    let (session, stem) = resolve(survey, typed)?;
    let session = &survey.sessions[session];
    let (master, stem) = (&survey.instances[session.owner], &survey.instances[stem]);
    let is_open = |summary: &SessionSummary| {
        summary.stems().any(|finding| finding.stem == stem.id && finding.mute_waits)
    };
    if !is_open(&session.summary) {
        let fault = "no mute of it waits for an answer; play the song with the mute, for two seconds or more";
        return Err(Failure::new(format!("{typed:?}: {fault}")));
    }
    let post = |requester: Requester| requester.confirm_mute(master.id, stem.id);
    consult(onlooker, master, wait, post, |summary, _, _| (!is_open(summary)).then_some(()))?;
    Ok(one_line(&format!("The mute of {} is part of the mix now.", name(&stem.info))))
}

/// Joins the link for as long as the answer takes. `post` sends the request and returns its counter; `answer` finds the
/// answer to it in the Master's summary.
fn consult<T>(
    onlooker: &Observer,
    master: &SurveyedInstance,
    wait: Duration,
    post: impl Fn(Requester) -> Option<u64>,
    answer: impl Fn(&SessionSummary, Option<InstanceId>, Option<u64>) -> Option<T>,
) -> Result<T, Failure> {
    let until = Instant::now() + wait;
    let late = || {
        Failure::new(format!(
            "{}: has not answered in {} s; see that its host is not held up, or ask again with a longer --wait",
            called(master),
            wait.as_secs()
        ))
    };
    let gone = || Failure::new(format!("{}: is gone; open the project again", called(master)));
    let place = onlooker.folder_of(master.view).and_then(|place| place.to_str()).ok_or_else(gone)?;
    // for the rest of this process: a bridge lives as long
    let place: &'static str = Box::leak(place.to_owned().into_boxed_str());
    let places: &'static [&'static str] = Box::leak(Box::new([place]));
    let bridge: &'static Bridge =
        Box::leak(Box::new(Bridge::with_folders(&ROSTER, Some(places), Intervals::DEFAULT)));
    let member = bridge.join(None, Arc::new(Viewer)).ok_or_else(gone)?;
    let mut asked: Option<(Option<u64>, Instant)> = None;
    while Instant::now() < until {
        if let Some(seen) = bridge.roster().find(master.id) {
            // an answer may be gone before a process that is held up has seen it: it is asked again
            let (counter, _) = match asked {
                Some(last) if last.1.elapsed() < ASK_AGAIN_AFTER => last,
                _ => *asked.insert((post(member.requester()), Instant::now())),
            };
            let answered =
                seen.summary().and_then(|summary| answer(&summary, member.audio_writer.id(), counter));
            if let Some(answered) = answered {
                return Ok(answered);
            }
        }
        let trouble = bridge.state().fault;
        if !trouble.is_empty() {
            return Err(Failure::new(trouble));
        }
        pause(POLL_INTERVAL)?;
    }
    Err(late())
}

impl Prediction {
    /// Out of the master before and after, where its chain is not linear.
    fn simulated(&self) -> Option<[Reading; 2]> {
        let reading = |loudness| Reading { integrated: Some(loudness), ..Reading::default() };
        Some(self.forecast.out_of_master?.map(reading))
    }

    /// The readings before and after: simulated at the master's output, else at its input.
    fn ends(&self) -> [Reading; 2] {
        self.simulated().unwrap_or(self.into)
    }

    pub(super) fn print(&self, targets: &[NormalizationTarget]) {
        let Forecast { gain, half_width, simulated_seconds, coverage, whole, .. } = self.forecast;
        let part = self.forecast.part();
        let inside = self.inside.as_ref().map(|(outer, _)| format!(" (inside {outer})")).unwrap_or_default();
        say!("What if: {} {:+} dB", one_line(&format!("{}{inside}", self.stem)), gain.0);
        say!("asked of {}", self.master.0);
        let covered = match coverage {
            Some(coverage) => format!("the stems account for {:.2} % of the mix", coverage * 100.0),
            None => "how much of the mix the stems account for is unknown".to_owned(),
        };
        say!("{}: {covered}", part.certainty_words(half_width));
        if let Some(whole) = whole {
            say!("{}, with what was not heard", whole.words());
        }
        if half_width.0 == 0.0 {
            say!("{EXACT_FOOTNOTE}");
        }
        if self.forecast.returns_not_included {
            say!("returns not included: what is left of the mix may be those of a moved stem");
        }
        say!("\nInto the master (true peak after: at most)");
        print_ends(&self.into);
        if let Some(ends) = &self.simulated() {
            let sure = match self.forecast.simulated_half_width.0 {
                half_width if half_width.is_finite() => format!("±{half_width:.2} LU"),
                _ => "too little to say how sure".to_owned(),
            };
            say!(
                "\nSimulated out of the master: {simulated_seconds:.0} s of the song through its chain, {sure}"
            );
            print_ends(ends);
        }
        let [before, after] = &self.ends();
        print_effects([before, after], targets, self.whose.as_deref(), Some((&self.stem, gain)));
    }

    pub(super) fn json(&self, targets: &[NormalizationTarget]) -> PredictionJson {
        let [before, after] = &self.ends();
        let (part, is_exact) = (self.forecast.part(), self.forecast.half_width.0 == 0.0);
        let predicted = self.forecast.into_master.map_or(Lufs(0.0), |[_, after]| after);
        let of_whole = |whole: WholeInterval| whole.half_width(predicted);
        let simulation = self.simulated().map(|[before, after]| SimulationJson {
            heard_s: self.forecast.simulated_seconds,
            uncertainty_lu: Some(self.forecast.simulated_half_width.0)
                .filter(|half_width| half_width.is_finite()),
            before: (&before).into(),
            after: (&after).into(),
        });
        PredictionJson {
            master: self.master.1.to_string(),
            exact: is_exact && part.is_whole(),
            uncertainty_lu: self.forecast.whole.map_or(self.forecast.half_width, of_whole).0,
            coverage: self.forecast.coverage,
            heard_s: self.forecast.heard,
            length_s: self.forecast.length,
            exact_for_heard: is_exact,
            whole: self.forecast.whole.map(|whole| WholeJson {
                change_lu: whole.change.map(|end| end.0),
                after_lufs: whole.after.map(|end| end.0),
            }),
            footnote: is_exact.then_some(EXACT_FOOTNOTE),
            returns_not_included: self.forecast.returns_not_included,
            before: (&self.into[0]).into(),
            after: (&self.into[1]).into(),
            simulation,
            moves: vec![MoveJson {
                stem: self.stem.clone(),
                id: self.forecast.stem.to_string(),
                gain_db: self.forecast.gain.0,
                inside: self.inside.as_ref().map(|(_, id)| id.to_string()),
            }],
            targets: targets_json(before, after, targets),
        }
    }
}

/// Before, after and the change.
fn print_ends([before, after]: &[Reading; 2]) {
    let mut rows = Rows::new(["mix", "I LUFS", "TP dBTP"], 1);
    for (what, reading) in [("before", before), ("after", after)] {
        rows.push([
            what.to_owned(),
            figure(reading.integrated.map(|v| v.0)),
            figure(reading.true_peak.map(|v| v.0)),
        ]);
    }
    let difference = |f: fn(&Reading) -> Option<f64>| change(f(after).zip(f(before)).map(|(a, b)| a - b));
    rows.push([
        "change".to_owned(),
        difference(|reading| Some(reading.integrated?.0)),
        difference(|reading| Some(reading.true_peak?.0)),
    ]);
    rows.print();
}
