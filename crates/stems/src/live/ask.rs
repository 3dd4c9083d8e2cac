//! Asking a live Master what a move would do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use audiofile::error::one_line;
use link::ipc::{Bridge, InstanceSource, Intervals, Observer};
use link::records::{InstanceInfo, InstanceKind, StemReadings};
use link::summary::Forecast;
use link::survey::{Survey, SurveyedInstance};
use link::text::Text;
use link::{InstanceId, ROSTER};
use meter::Reading;
use render::json::ReadingJson;
use serde::Serialize;
use session::target::NormalizationTarget;
use units::Db;

use super::name::name;
use super::page;
use super::wait::{POLL_INTERVAL, pause};
use crate::failure::Failure;
use crate::output::{Rows, change, clock, figure, say};
use crate::what_if::{TargetJson, print_effects, targets_json};

/// A Master's answer, and to what.
pub(super) struct Prediction {
    /// The Master: what it is called and its id.
    master: (String, InstanceId),
    /// The name of the stem that moves.
    stem: String,
    coverage: Option<f64>,
    /// Seconds of the song that it is made from.
    heard: f64,
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

#[derive(Serialize)]
struct MoveJson {
    stem: String,
    id: String,
    gain_db: f64,
}

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
    let forecast = consult(onlooker, master, stem, *gain, wait)?;
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
        coverage: session.summary.coverage,
        heard: session.summary.heard,
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

/// Session and stem of everything that `typed` may mean: by id, else by name as it is, else whatever its case.
fn candidates(survey: &Survey, typed: &str) -> Result<Vec<(usize, usize)>, Failure> {
    let members = || {
        (survey.sessions.iter().enumerate())
            .flat_map(|(session, one)| one.stems.iter().map(move |&stem| (session, stem)))
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

/// Joins the link for as long as the answer takes.
fn consult(
    onlooker: &Observer,
    master: &SurveyedInstance,
    stem: &SurveyedInstance,
    gain: Db,
    wait: Duration,
) -> Result<Forecast, Failure> {
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
    let mut asked = None;
    while Instant::now() < until {
        if let Some(seen) = bridge.roster().find(master.id) {
            let counter =
                *asked.get_or_insert_with(|| member.requester().request_prediction(master.id, stem.id, gain));
            let is_ours = |forecast: &Forecast| {
                Some(forecast.sender) == member.audio_writer.id() && Some(forecast.counter) == counter
            };
            if let Some(forecast) = seen.summary().and_then(|summary| summary.forecast).filter(is_ours) {
                return Ok(forecast);
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
        let Forecast { gain, half_width, simulated_seconds, .. } = self.forecast;
        say!("What if: {} {:+} dB", one_line(&self.stem), gain.0);
        say!("asked of {}, which has heard {} of the song", self.master.0, clock(self.heard));
        let covered = match self.coverage {
            Some(coverage) => format!("the stems account for {:.2} % of the mix", coverage * 100.0),
            None => "how much of the mix the stems account for is unknown".to_owned(),
        };
        if half_width.0 == 0.0 {
            say!("exact: {covered}");
        } else {
            say!("estimate ±{:.2} LU: {covered}", half_width.0);
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
        let simulation = self.simulated().map(|[before, after]| SimulationJson {
            heard_s: self.forecast.simulated_seconds,
            uncertainty_lu: Some(self.forecast.simulated_half_width.0)
                .filter(|half_width| half_width.is_finite()),
            before: (&before).into(),
            after: (&after).into(),
        });
        PredictionJson {
            master: self.master.1.to_string(),
            exact: self.forecast.half_width.0 == 0.0,
            uncertainty_lu: self.forecast.half_width.0,
            coverage: self.coverage,
            heard_s: self.heard,
            returns_not_included: self.forecast.returns_not_included,
            before: (&self.into[0]).into(),
            after: (&self.into[1]).into(),
            simulation,
            moves: vec![MoveJson {
                stem: self.stem.clone(),
                id: self.forecast.stem.to_string(),
                gain_db: self.forecast.gain.0,
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
