#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::*;
use crate::slot::{Origin, Presence};
use crate::words::Text;
use crate::{AudioWriter, ControlWriter, Roster};
use session::session_report::StemState;
use units::Hz;

/// An instance, and what it takes to keep it there.
struct Actor {
    outlet: AudioWriter,
    card: ControlWriter,
    label: InstanceInfo,
}

impl Actor {
    fn id(&self) -> InstanceId {
        self.outlet.id().unwrap()
    }
}

fn actor(roster: &'static Roster, kind: Kind, session: Option<SessionId>, born: u64) -> Actor {
    let name = Text::new(&format!("{kind:?} {born}"));
    let label = InstanceInfo { kind, session, born, name, ..InstanceInfo::default() };
    let (mut outlet, card) = roster.join(Origin::Here, None, &label).unwrap();
    outlet.tell(&BlockStatus { rate: Hz(48_000.0), ..BlockStatus::default() });
    Actor { outlet, card, label }
}

/// A Master says that it sums these.
fn sums(master: &mut Actor, stems: &[&Actor]) {
    let mut summary = Summary { coverage: Some(0.5), ..Summary::default() };
    for stem in stems {
        summary.push(StemSummary {
            stem: stem.id(),
            state: StemState::InTheMix,
            share: Some(0.25),
            gain: Some(Db(-3.0)),
            matrix: None,
            delay: Some(64),
            chain_cost: None,
        });
    }
    master.card.set_summary(&summary);
}

fn ids(survey: &Survey, numbers: &[usize]) -> Vec<InstanceId> {
    numbers.iter().map(|&number| survey.instances[number].id).collect()
}

#[test]
fn everybody_is_in_the_session_of_the_master_that_sums_them() {
    static ROSTER: Roster = Roster::new();
    let [a, b] = [SessionId::mint(), SessionId::mint()];
    let drums = actor(&ROSTER, Kind::Stem, Some(a), 1);
    let bass = actor(&ROSTER, Kind::Stem, None, 2);
    let stray = actor(&ROSTER, Kind::Stem, Some(SessionId::mint()), 3);
    let new = actor(&ROSTER, Kind::Stem, None, 4);
    let mut first = actor(&ROSTER, Kind::Master, Some(a), 5);
    let mut second = actor(&ROSTER, Kind::Master, Some(b), 6);
    let _viewer = actor(&ROSTER, Kind::Viewer, None, 7);
    sums(&mut first, &[&drums]);
    // saved ids are hints: what is heard decides
    sums(&mut second, &[&bass]);
    let survey = Survey::of(ROSTER.peers());
    let order = [&first, &second, &drums, &bass, &stray, &new].map(Actor::id);
    assert_eq!(ids(&survey, &[0, 1, 2, 3, 4, 5]), order);
    assert_eq!(survey.instances.len(), 6, "the viewer is none of them");
    let [one, two] = survey.sessions.as_slice() else { panic!("{survey:?}") };
    assert_eq!((one.id, one.owner, one.end(), one.stems.as_slice()), (Some(a), 0, 0, [2].as_slice()));
    assert_eq!((two.id, two.owner, two.stems.as_slice()), (Some(b), 1, [3].as_slice()));
    assert_eq!(one.summary.coverage, Some(0.5));
    let sessions: Vec<_> = survey.instances.iter().map(|one| one.session).collect();
    assert_eq!(sessions, [Some(a), Some(b), Some(a), Some(b), None, None]);
    assert_eq!(survey.instances[2].heard.and_then(|heard| heard.delay), Some(64));
    let statuses: Vec<_> = survey.instances.iter().map(|one| one.status).collect();
    use StemStatus::{Live, OtherSession};
    assert_eq!(statuses, [Live, Live, Live, Live, OtherSession, Live]);
}

#[test]
fn of_masters_with_one_session_the_earliest_that_sits_first_owns_it() {
    static ROSTER: Roster = Roster::new();
    let session = Some(SessionId::mint());
    let mut finish = actor(&ROSTER, Kind::Master, session, 1);
    let (mix, double) = (actor(&ROSTER, Kind::Master, session, 2), actor(&ROSTER, Kind::Master, session, 3));
    finish.card.set_summary(&Summary { placement: Placement::Final, ..Summary::default() });
    let survey = Survey::of(ROSTER.peers());
    let [only] = survey.sessions.as_slice() else { panic!("{survey:?}") };
    assert_eq!(ids(&survey, &[only.owner, only.end()]), [mix.id(), finish.id()]);
    assert_eq!(ids(&survey, &only.doubles), [double.id()]);
    drop((mix, double));
    let survey = Survey::of(ROSTER.peers());
    assert_eq!((survey.sessions[0].owner, survey.sessions[0].last), (0, Some(0)));
}

#[test]
fn masters_that_name_no_session_are_one_each() {
    static ROSTER: Roster = Roster::new();
    let _masters = [actor(&ROSTER, Kind::Master, None, 1), actor(&ROSTER, Kind::Master, None, 2)];
    assert_eq!(Survey::of(ROSTER.peers()).sessions.len(), 2);
}

#[test]
fn statuses_are_told_apart() {
    static ROSTER: Roster = Roster::new();
    let session = Some(SessionId::mint());
    let mut master = actor(&ROSTER, Kind::Master, session, 1);
    let mut stem = actor(&ROSTER, Kind::Stem, session, 2);
    sums(&mut master, &[]);
    let status = || Survey::of(ROSTER.peers()).instances[1].status;
    assert_eq!(status(), StemStatus::Live);
    stem.card.set_presence(Presence::Asleep);
    assert_eq!(status(), StemStatus::Asleep);
    let elsewhere = InstanceInfo { session: Some(SessionId::mint()), ..stem.label };
    stem.card.set_label(&elsewhere);
    assert_eq!(status(), StemStatus::OtherSession, "asleep or not");
    stem.card.set_label(&InstanceInfo { session, ..stem.label });
    stem.outlet.tell(&BlockStatus { rate: Hz(44_100.0), ..BlockStatus::default() });
    assert_eq!(status(), StemStatus::OtherRate);
    stem.card.set_presence(Presence::Dim);
    assert_eq!(status(), StemStatus::OtherRate, "frozen or not");
    stem.outlet.tell(&BlockStatus::default());
    assert_eq!(status(), StemStatus::NotResponding, "no rate yet is no other rate");
    drop(master);
    stem.card.set_presence(Presence::Awake);
    stem.card.set_label(&elsewhere);
    let alone = Survey::of(ROSTER.peers());
    assert_eq!(alone.instances[0].status, StemStatus::Live, "without any Master there is no other session");
}
