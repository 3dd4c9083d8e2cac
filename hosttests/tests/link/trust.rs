//! Trust test in the host: predictions of Masters that hear real Stems against renders, with devices between them, hosts
//! that automate, stand and compensate, and people who mute, solo and come late.
//!
//! `cargo xtask trust [SESSIONS] [--seed SEED]` runs more sessions than CI does.

mod elsewhere;
mod rig;
mod route;
mod scenario;
mod song;
mod truth;

use super::alone::alone;
use super::desk::{Audio, RATE};
use hosttests::{Library, Random};
use rig::Rig;
use route::Mute;
use scenario::{Plan, RestChange, Scenario};
use song::amplify;
use testkit::trust::{TrustAnswer, TrustFigures, trust_table};
use truth::{Renders, Silenced};
use units::Db;

/// Questions per session.
const QUESTIONS: usize = 3;
/// Frames that are played again from the beginning: the last hop waits for what follows.
const NUDGE: usize = RATE as usize / 2;
/// Large move down, which is asked for every fourth time.
const LARGE_MOVE: Db = Db(-12.0);

/// Song as it is once everything was done, and what a Master may say of it.
struct Outcome {
    /// Outputs of the Stems.
    stems: Vec<Audio>,
    /// Mute that is part of the mix.
    mute: Option<Mute>,
    /// Stems that were played and not heard, and the place.
    silenced: Option<Silenced>,
    /// True if all of the song has to count.
    is_whole: bool,
    /// True if nobody can know how the song is now.
    is_open: bool,
    /// Frame at which the transport stands.
    at: usize,
}

/// Plays a session.
fn play(library: &Library, rig: &mut Rig, session: &Scenario) -> Outcome {
    let (route, frames) = (&session.route, session.frames());
    let seconds = frames as f64 / RATE;
    let heard = |rig: &Rig, missing: f64| rig.wait(|summary| summary.heard > seconds - missing - 0.05);
    let mut outcome =
        Outcome { stems: Vec::new(), mute: None, silenced: None, is_whole: true, is_open: false, at: NUDGE };
    // where nothing is muted at the beginning
    let nudge = |rig: &mut Rig| rig.play(0..NUDGE, route.mixer(None));
    match &session.plan {
        Plan::Play => {
            rig.play(0..frames, route.mixer(None));
            nudge(rig);
            if !session.is_in_one_process() {
                // what waits for another process comes while the host calls the plugins
                rig.stand(NUDGE);
            }
            heard(rig, 0.0);
            // on a busy machine frames are lost on their way
            outcome.is_whole = session.is_in_one_process();
        }
        Plan::Mute { passes, confirms } => {
            let mute = session.mute.as_ref().expect("there is one");
            for _ in 0..*passes {
                rig.play(0..frames, route.mixer(Some(mute)));
                nudge(rig);
            }
            if *confirms {
                mute.stems.iter().for_each(|stem| rig.confirm_mute(*stem));
            }
            heard(rig, mute.frames.len() as f64 / RATE + 1.0);
            outcome.mute = session.mute.clone();
            (outcome.silenced, outcome.is_whole) = (Some(session.silenced(mute)), false);
        }
        Plan::Solo { passes, is_known } => {
            let mute = session.mute.as_ref().expect("there is one");
            if *is_known {
                rig.play(0..frames, route.mixer(None));
                nudge(rig);
                heard(rig, 0.0);
            }
            for _ in 0..*passes {
                rig.play(0..frames, route.mixer(Some(mute)));
                nudge(rig);
            }
            heard(rig, mute.frames.len() as f64 / RATE + 1.0);
            (outcome.silenced, outcome.is_whole) = (Some(session.silenced(mute)), *is_known);
        }
        Plan::Join(at) => {
            rig.play(0..*at, route.mixer(None));
            rig.join(library, 1);
            rig.play(*at..frames, route.mixer(None));
            rig.stand(frames);
            heard(rig, *at as f64 / RATE + 1.0);
            (outcome.is_whole, outcome.at) = (false, frames);
            outcome.silenced = Some(session.silenced(&Mute { stems: vec![1], frames: 0..*at }));
        }
        Plan::Rest { change, stems, again } => {
            rig.play(0..frames, route.mixer(None));
            nudge(rig);
            rig.stand(NUDGE);
            heard(rig, 0.0);
            if *change == RestChange::LevelAtStart {
                rig.stand(0);
                rig.stand(0);
                outcome.at = 0;
            }
            let is_trim = *change == RestChange::Trim;
            for (stem, gain) in stems {
                match change {
                    // one that is not done is missing in the answers
                    RestChange::Trim => {
                        rig.set_trim(*stem, *gain, NUDGE);
                    }
                    _ => rig.set_level(*stem, *gain),
                }
            }
            if *change == RestChange::LevelWithJump {
                outcome.at = frames / 2;
            }
            rig.stand(outcome.at);
            let is_automated = |(stem, _): &(usize, Db)| session.is_automated(*stem);
            outcome.is_open =
                !is_trim && (*change == RestChange::LevelWithJump || stems.iter().any(is_automated));
            outcome.stems = rig.outputs();
            stems.iter().for_each(|(stem, gain)| amplify(&mut outcome.stems[*stem], *gain));
            if *again > 0 && !outcome.is_open {
                rig.play(0..*again, route.mixer(None));
                rig.stand(*again);
                outcome.at = *again;
            }
            return outcome;
        }
    }
    outcome.stems = rig.outputs();
    outcome
}

/// Answers of a session, and what stayed away.
#[derive(Default)]
struct Answers {
    all: Vec<TrustAnswer>,
    /// Those to large moves.
    large: Vec<TrustAnswer>,
    questions: usize,
    /// Questions without an answer, and with one for less of the song than was played.
    missing: usize,
    partial: usize,
    /// Answers for a part of the song that cannot be told from others.
    unknown: usize,
    /// Questions that nobody can answer, and that were not.
    declined: usize,
}

/// Answers of the session of a seed.
#[allow(clippy::print_stdout, reason = "what is wrong can be looked into")]
fn session(library: &Library, seed: u64, answers: &mut Answers) {
    let (session, mut random) = Scenario::random(seed);
    let mut rig = Rig::new(library, seed, &session.buses);
    let outcome = play(library, &mut rig, &session);
    let before = session.route.render(&outcome.stems, outcome.mute.as_ref());
    for question in 0..QUESTIONS {
        let (stem, gain) = question_of(&mut random, question, session.buses.len());
        answers.questions += 1;
        let at = session.processes_at_rest.then_some(outcome.at);
        let Some(forecast) = rig.ask(stem, gain, at) else {
            println!(
                "{} of seed {seed}: no answer within 10 s to {} dB on stem {stem}",
                session.kind, gain.0
            );
            answers.missing += 1;
            continue;
        };
        let is_whole = forecast.into_master.is_some() && forecast.part().is_whole();
        if outcome.is_open {
            // nothing may be said of the whole song
            if is_whole {
                println!("{} of seed {seed}: nobody can know, but {forecast:?}", session.kind);
                let kind = session.kind.to_owned();
                answers.all.push(TrustAnswer { kind, half_width: None, error: f64::INFINITY });
            } else {
                answers.declined += 1;
            }
            continue;
        }
        if forecast.into_master.is_none() {
            println!(
                "{} of seed {seed}: stays away for {} dB on stem {stem}: {forecast:?}",
                session.kind, gain.0
            );
            answers.missing += 1;
            continue;
        }
        answers.partial += usize::from(outcome.is_whole && !is_whole);
        let mut moved = outcome.stems.clone();
        amplify(&mut moved[stem], gain);
        let after = session.route.render(&moved, outcome.mute.as_ref());
        let judged = Renders::new(&before, &after).judge(session.kind, &forecast, outcome.silenced.as_ref());
        for wrong in judged.iter().filter(|answer| answer.is_wrong()) {
            println!(
                "seed {seed}, {}, {} dB on stem {stem}: off by {:.4} LU: {forecast:?}",
                wrong.kind, gain.0, wrong.error
            );
        }
        answers.unknown += usize::from(judged.iter().all(|answer| answer.kind != session.kind));
        if gain == LARGE_MOVE {
            answers.large.extend(judged.iter().cloned());
        }
        answers.all.extend(judged);
    }
}

/// A stem, most often that which the session is about, and its move.
fn question_of(random: &mut Random, question: usize, count: usize) -> (usize, Db) {
    let stem = if question < 2 { 0 } else { random.below(count) };
    let gain = random.one_of(&[-1.0, 1.0]) * random.between(1.0, 6.0);
    (stem, if random.chance(0.25) { LARGE_MOVE } else { Db(gain) })
}

/// Runs sessions from `seed` on and holds their answers to what they say.
#[allow(clippy::print_stdout, reason = "the table is what it is for")]
fn run(seed: u64, sessions: u64) {
    let library = Library::open();
    let mut answers = Answers::default();
    (seed..seed + sessions).for_each(|seed| session(&library, seed, &mut answers));
    println!("{}", trust_table(&answers.all));
    println!("Moves of {} dB:\n{}", LARGE_MOVE.0, trust_table(&answers.large));
    let Answers { questions, missing, partial, unknown, declined, .. } = answers;
    println!(
        "{questions} questions: {missing} without an answer, {declined} that nobody can answer, {partial} answered for less \
         than was played, {unknown} for a part that is not known here"
    );
    let figures = TrustFigures::new(answers.all.iter());
    assert!(figures.worst_exact <= 0.01, "exact, but off by {} LU", figures.worst_exact);
    assert!(figures.held_share() >= 0.97, "{} of {} hold", figures.held, figures.estimates());
    assert!(missing * 100 <= questions, "{missing} questions without an answer");
    assert!(partial * 20 <= questions, "{partial} answers for less than was played");
    assert!(unknown * 20 <= questions, "{unknown} answers could not be held to anything");
}

#[test]
fn what_masters_predict_in_a_host_can_be_trusted() {
    alone("link::trust::what_masters_predict_in_a_host_can_be_trusted", || {
        let number =
            |name: &str, usual| std::env::var(name).map_or(usual, |text| text.parse().expect("a number"));
        run(number("STEMLINK_TRUST_SEED", 1), number("STEMLINK_TRUST_SESSIONS", 20));
    });
}
