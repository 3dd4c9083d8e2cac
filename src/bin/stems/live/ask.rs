//! Asking a live Master what a move would do.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use stemlink::link::bridge::onlooker::Onlooker;
use stemlink::link::bridge::{Bridge, Informant, Pace};
use stemlink::link::question::{MOVES, Outlook, Refusal};
use stemlink::link::snapshot::{Figures, Kind, Label};
use stemlink::link::survey::{Instance, Survey};
use stemlink::link::words::Text;
use stemlink::link::{InstanceId, ROSTER};
use stemlink::meter::Reading;
use stemlink::offline::error::one_line;
use stemlink::offline::json::ReadingJson;
use stemlink::session::target::NormalizationTarget;
use stemlink::units::Db;

use super::{LOOK, name, page, pause};
use crate::common::Failure;
use crate::output::{clock, say};
use crate::what_if::{TargetJson, print_effects, print_mix, targets_json};

/// A Master's answer, and to what.
pub(super) struct Prediction {
    /// The Master: what it is called and its id.
    master: (String, InstanceId),
    /// Names and ids of what moves.
    moves: Vec<(String, InstanceId, Db)>,
    coverage: Option<f64>,
    outlook: Outlook,
    /// Whose peak is the highest.
    whose: Option<String>,
}

/// A Master's answer, and beside it what programs want to know.
#[derive(Serialize)]
pub(super) struct PredictionJson {
    master: String,
    exact: bool,
    uncertainty_lu: Option<f64>,
    coverage: Option<f64>,
    heard_s: f64,
    returns_not_included: bool,
    before: ReadingJson,
    after: ReadingJson,
    true_peak_low_dbtp: Option<f64>,
    true_peak_high_dbtp: Option<f64>,
    simulation: Option<SimulationJson>,
    moves: Vec<MoveJson>,
    targets: Vec<TargetJson>,
}

#[derive(Serialize)]
struct SimulationJson {
    heard_s: f64,
    before: ReadingJson,
    after: ReadingJson,
}

#[derive(Serialize)]
struct MoveJson {
    stem: String,
    id: String,
    gain_db: f64,
}

/// What this process says of itself while it asks.
struct Viewer;

impl Informant for Viewer {
    fn label(&self) -> Label {
        Label { kind: Kind::Viewer, name: Text::new("stems"), ..Label::default() }
    }

    fn figures(&self) -> Figures {
        Figures::default()
    }
}

/// Asks the Master whose stems these are.
pub(super) fn ask(
    onlooker: &Onlooker,
    survey: &Survey,
    moves: &[(String, Db)],
    wait: Duration,
) -> Result<Prediction, Failure> {
    if moves.len() > MOVES {
        return Err(Failure::new(format!("--move: a Master is asked at most {MOVES} moves; ask for fewer")));
    }
    let (session, stems) = resolve(survey, moves)?;
    let session = &survey.sessions[session];
    let master = &survey.instances[session.owner];
    let stem = |number: usize| &survey.instances[number];
    let asked: Vec<(InstanceId, Db)> =
        stems.iter().zip(moves).map(|(&number, &(_, gain))| (stem(number).id, gain)).collect();
    let outlook = consult(onlooker, master, &asked, wait)?;
    let whose = outlook.loudest_peak.and_then(|id| survey.find(id));
    Ok(Prediction {
        master: (called(master), master.id),
        moves: stems
            .iter()
            .zip(moves)
            .map(|(&number, &(_, gain))| (name(&stem(number).label).to_owned(), stem(number).id, gain))
            .collect(),
        coverage: session.summary.coverage,
        outlook,
        whose: whose.map(|number| name(&stem(number).label).to_owned()),
    })
}

/// What a Master is called, with where it is.
fn called(master: &Instance) -> String {
    one_line(&format!("{} in {}", name(&master.label), page::host(master)))
}

/// The session that all moves are of, and their stems.
fn resolve(survey: &Survey, moves: &[(String, Db)]) -> Result<(usize, Vec<usize>), Failure> {
    if survey.sessions.is_empty() {
        return Err(Failure::new(
            "live: no session is alive on this machine; put Stemlink Master on the master bus and press play",
        ));
    }
    // per move, every stem of a session that it may mean
    let meant: Vec<Vec<(usize, usize)>> =
        moves.iter().map(|(name, _)| candidates(survey, name)).collect::<Result<_, _>>()?;
    let sessions =
        |meant: &[(usize, usize)]| meant.iter().map(|(session, _)| *session).collect::<BTreeSet<_>>();
    let common = meant.iter().map(|meant| sessions(meant)).reduce(|a, b| &a & &b).unwrap_or_default();
    if common.is_empty() {
        return Err(Failure::new(
            "--move: these stems are in different sessions, which know nothing of each other; ask for one session at a \
             time",
        ));
    }
    let mut stems = Vec::new();
    for (meant, (typed, _)) in meant.iter().zip(moves) {
        let left: Vec<usize> =
            meant.iter().filter(|(session, _)| common.contains(session)).map(|(_, stem)| *stem).collect();
        let [only] = left.as_slice() else {
            let ids: Vec<String> = left.iter().map(|&stem| survey.instances[stem].id.to_string()).collect();
            let count = left.len();
            return Err(Failure::new(format!(
                "{typed:?}: {count} stems are called that; name one by its id: {}",
                ids.join(", ")
            )));
        };
        stems.push(*only);
    }
    // one stem for each move means one session
    common.first().map(|&session| (session, stems)).ok_or_else(|| Failure::new("live: no session; try again"))
}

/// Session and stem of everything that `typed` may mean: by id, else by name as it is, else whatever its case.
fn candidates(survey: &Survey, typed: &str) -> Result<Vec<(usize, usize)>, Failure> {
    let members = || {
        (survey.sessions.iter().enumerate())
            .flat_map(|(session, one)| one.stems.iter().map(move |&stem| (session, stem)))
    };
    let all = |is_meant: &dyn Fn(&Instance) -> bool| -> Vec<(usize, usize)> {
        members().filter(|&(_, stem)| is_meant(&survey.instances[stem])).collect()
    };
    let lower = typed.to_lowercase();
    let tries: [&dyn Fn(&Instance) -> bool; 3] =
        [&|one| typed.parse() == Ok(one.id), &|one| one.label.name.as_str() == typed, &|one| {
            one.label.name.as_str().to_lowercase() == lower
        }];
    if let Some(found) = tries.into_iter().map(all).find(|found| !found.is_empty()) {
        return Ok(found);
    }
    let mut names: Vec<&str> = members().map(|(_, stem)| name(&survey.instances[stem].label)).collect();
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
    onlooker: &Onlooker,
    master: &Instance,
    moves: &[(InstanceId, Db)],
    wait: Duration,
) -> Result<Outlook, Failure> {
    let until = Instant::now() + wait;
    let late = || {
        Failure::new(format!(
            "{}: has not answered in {} s; see that its host is not held up, or ask again with a longer --wait",
            called(master),
            wait.as_secs()
        ))
    };
    let gone = || Failure::new(format!("{}: is gone; open the project again", called(master)));
    let place = onlooker.place_of(master.peer).and_then(|place| place.to_str()).ok_or_else(gone)?;
    // for the rest of this process: a bridge lives as long
    let place: &'static str = Box::leak(place.to_owned().into_boxed_str());
    let places: &'static [&'static str] = Box::leak(Box::new([place]));
    let bridge: &'static Bridge = Box::leak(Box::new(Bridge::between(&ROSTER, Some(places), Pace::DEFAULT)));
    let member = bridge.join(None, Arc::new(Viewer)).ok_or_else(gone)?;
    let mut asked = None;
    while Instant::now() < until {
        if let Some(seen) = bridge.roster().find(master.id) {
            let counter = *asked.get_or_insert_with(|| member.desk().question(master.id, moves));
            let ours = member.outlet.id().zip(counter);
            let said = seen.forecast().filter(|forecast| ours.is_some() && forecast.question == ours);
            match said.and_then(|forecast| forecast.outcome) {
                Some(Ok(outlook)) => return Ok(outlook),
                Some(Err(refusal)) => return Err(refused(master, refusal)),
                None => {}
            }
        }
        let trouble = bridge.state().trouble;
        if !trouble.is_empty() {
            return Err(Failure::new(trouble));
        }
        pause(LOOK)?;
    }
    Err(late())
}

fn refused(master: &Instance, refusal: Refusal) -> Failure {
    Failure::new(format!(
        "{}: {}",
        called(master),
        match refusal {
            Refusal::NothingHeard => "has heard nothing of the song as it is set now; press play",
            Refusal::NotSummed => "does not sum all of these stems; see stems live",
            Refusal::NotTheOwner =>
                "does not own its session; ask the Master that sits first, or close the other copy",
        }
    ))
}

impl Prediction {
    /// The readings that platforms see, before and after: simulated out of the master, else into it with the peak at
    /// the highest that it may be.
    fn ends(&self) -> [Reading; 2] {
        match &self.outlook.simulation {
            Some(simulation) => [simulation.before, simulation.after],
            None => {
                let after = Reading { true_peak: self.outlook.peak[1], ..self.outlook.after };
                [self.outlook.before, after]
            }
        }
    }

    pub(super) fn print(&self, targets: &[NormalizationTarget]) {
        let moves: Vec<String> =
            self.moves.iter().map(|(stem, _, gain)| format!("{} {:+} dB", one_line(stem), gain.0)).collect();
        say!("What if: {}", moves.join(", "));
        say!("asked of {}, which has heard {} of the song", self.master.0, clock(self.outlook.heard));
        let covered = match self.coverage {
            Some(coverage) => format!("the stems account for {:.2} % of the mix", coverage * 100.0),
            None => "how much of the mix the stems account for is unknown".to_owned(),
        };
        match self.outlook.half_width {
            Some(off) if off.0 == 0.0 => say!("exact: {covered}"),
            Some(off) => say!("estimate ±{:.2} LU: {covered}", off.0),
            None => say!("estimate, how far off is unknown: the stems cannot be told apart in the mix"),
        }
        if self.outlook.returns_not_included {
            say!("returns not included: what is left of the mix may be those of a moved stem");
        }
        say!("\nInto the master");
        print_mix(&self.outlook.before, &self.outlook.after);
        if let [Some(low), Some(high)] = self.outlook.peak {
            say!("true peak after: between {:.1} and {:.1} dBTP", low.0, high.0);
        }
        if let Some(simulation) = &self.outlook.simulation {
            say!("\nSimulated out of the master: {:.0} s of the song through its chain", simulation.seconds);
            print_mix(&simulation.before, &simulation.after);
        }
        let only = match self.moves.as_slice() {
            [(stem, _, gain)] => Some((stem.as_str(), *gain)),
            _ => None,
        };
        let [before, after] = &self.ends();
        print_effects([before, after], targets, self.whose.as_deref(), only);
    }

    pub(super) fn json(&self, targets: &[NormalizationTarget]) -> PredictionJson {
        let outlook = &self.outlook;
        let [before, after] = &self.ends();
        PredictionJson {
            master: self.master.1.to_string(),
            exact: outlook.half_width.is_some_and(|off| off.0 == 0.0),
            uncertainty_lu: outlook.half_width.map(|off| off.0),
            coverage: self.coverage,
            heard_s: outlook.heard,
            returns_not_included: outlook.returns_not_included,
            before: (&outlook.before).into(),
            after: (&outlook.after).into(),
            true_peak_low_dbtp: outlook.peak[0].map(|peak| peak.0),
            true_peak_high_dbtp: outlook.peak[1].map(|peak| peak.0),
            simulation: outlook.simulation.as_ref().map(|simulation| SimulationJson {
                heard_s: simulation.seconds,
                before: (&simulation.before).into(),
                after: (&simulation.after).into(),
            }),
            moves: self
                .moves
                .iter()
                .map(|(stem, id, gain)| MoveJson { stem: stem.clone(), id: id.to_string(), gain_db: gain.0 })
                .collect(),
            targets: targets_json(before, after, targets),
        }
    }
}
