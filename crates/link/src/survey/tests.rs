#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::*;
use crate::roster::{AudioWriter, ControlWriter, Roster};
use crate::slot::{Origin, Presence};
use crate::text::Text;
use session::session_report::StemState;
use units::Hz;

/// An instance with its writers, which keep it in the roster.
struct SurveyMember {
    audio_writer: AudioWriter,
    control_writer: ControlWriter,
    info: InstanceInfo,
}

impl SurveyMember {
    fn id(&self) -> InstanceId {
        self.audio_writer.id().unwrap()
    }
}

fn join(roster: &'static Roster, kind: InstanceKind, session: Option<SessionId>, born: u64) -> SurveyMember {
    let name = Text::new(&format!("{kind:?} {born}"));
    let info = InstanceInfo { kind, session, born, name, ..InstanceInfo::default() };
    let (mut audio_writer, control_writer) = roster.join(Origin::Local, None, &info).unwrap();
    audio_writer.publish_status(&BlockStatus { rate: Hz(48_000.0), ..BlockStatus::default() });
    SurveyMember { audio_writer, control_writer, info }
}

/// Publishes a summary in which the Master sums these Stems.
fn publish_sum(master: &mut SurveyMember, stems: &[&SurveyMember]) {
    let mut summary = SessionSummary { coverage: Some(0.5), ..SessionSummary::default() };
    for stem in stems {
        summary.push_stem(StemFinding {
            inside: None,
            stem: stem.id(),
            state: StemState::InTheMix,
            share: Some(0.25),
            gain: Some(Db(-3.0)),
            matrix: None,
            delay: Some(64),
            chain_cost: None,
            mute_waits: false,
        });
    }
    master.control_writer.publish_summary(&summary);
}

fn ids(survey: &Survey, numbers: &[usize]) -> Vec<InstanceId> {
    numbers.iter().map(|&number| survey.instances[number].id).collect()
}

#[test]
fn stems_are_in_the_session_of_the_master_that_sums_them() {
    static ROSTER: Roster = Roster::new();
    let [a, b] = [SessionId::mint(), SessionId::mint()];
    let drums = join(&ROSTER, InstanceKind::Stem, Some(a), 1);
    let bass = join(&ROSTER, InstanceKind::Stem, None, 2);
    let stray = join(&ROSTER, InstanceKind::Stem, Some(SessionId::mint()), 3);
    let new = join(&ROSTER, InstanceKind::Stem, None, 4);
    let mut first = join(&ROSTER, InstanceKind::Master, Some(a), 5);
    let mut second = join(&ROSTER, InstanceKind::Master, Some(b), 6);
    let _viewer = join(&ROSTER, InstanceKind::Viewer, None, 7);
    publish_sum(&mut first, &[&drums]);
    // saved ids are hints: the summary decides
    publish_sum(&mut second, &[&bass]);
    let survey = Survey::new(ROSTER.peers());
    let order = [&first, &second, &drums, &bass, &stray, &new].map(SurveyMember::id);
    assert_eq!(ids(&survey, &[0, 1, 2, 3, 4, 5]), order);
    assert_eq!(survey.instances.len(), 6, "the viewer is none of them");
    let [one, two] = survey.sessions.as_slice() else { panic!("{survey:?}") };
    assert_eq!(
        (one.id, one.owner, one.output_master(), one.stems.as_slice()),
        (Some(a), 0, 0, [2].as_slice())
    );
    assert_eq!((two.id, two.owner, two.stems.as_slice()), (Some(b), 1, [3].as_slice()));
    assert_eq!(one.summary.coverage, Some(0.5));
    let sessions: Vec<_> = survey.instances.iter().map(|one| one.session).collect();
    assert_eq!(sessions, [Some(a), Some(b), Some(a), Some(b), None, None]);
    assert_eq!(survey.instances[2].finding.and_then(|finding| finding.delay), Some(64));
    let statuses: Vec<_> = survey.instances.iter().map(|one| one.status).collect();
    use StemStatus::{Live, OtherSession};
    assert_eq!(statuses, [Live, Live, Live, Live, OtherSession, Live]);
}

#[test]
fn of_masters_with_one_session_the_earliest_with_placement_mix_owns_it() {
    static ROSTER: Roster = Roster::new();
    let session = Some(SessionId::mint());
    let mut last = join(&ROSTER, InstanceKind::Master, session, 1);
    let (mix, duplicate) =
        (join(&ROSTER, InstanceKind::Master, session, 2), join(&ROSTER, InstanceKind::Master, session, 3));
    last.control_writer
        .publish_summary(&SessionSummary { placement: MasterPlacement::Final, ..SessionSummary::default() });
    let survey = Survey::new(ROSTER.peers());
    let [only] = survey.sessions.as_slice() else { panic!("{survey:?}") };
    assert_eq!(ids(&survey, &[only.owner, only.output_master()]), [mix.id(), last.id()]);
    assert_eq!(ids(&survey, &only.duplicates), [duplicate.id()]);
    drop((mix, duplicate));
    let survey = Survey::new(ROSTER.peers());
    assert_eq!((survey.sessions[0].owner, survey.sessions[0].last), (0, Some(0)));
}

#[test]
fn masters_without_a_session_id_are_one_each() {
    static ROSTER: Roster = Roster::new();
    let _masters =
        [join(&ROSTER, InstanceKind::Master, None, 1), join(&ROSTER, InstanceKind::Master, None, 2)];
    assert_eq!(Survey::new(ROSTER.peers()).sessions.len(), 2);
}

#[test]
fn statuses_are_told_apart() {
    static ROSTER: Roster = Roster::new();
    let session = Some(SessionId::mint());
    let mut master = join(&ROSTER, InstanceKind::Master, session, 1);
    let mut stem = join(&ROSTER, InstanceKind::Stem, session, 2);
    publish_sum(&mut master, &[]);
    let status = || Survey::new(ROSTER.peers()).instances[1].status;
    assert_eq!(status(), StemStatus::Live);
    stem.control_writer.set_presence(Presence::Asleep);
    assert_eq!(status(), StemStatus::Asleep);
    let other_session = InstanceInfo { session: Some(SessionId::mint()), ..stem.info };
    stem.control_writer.publish_info(&other_session);
    assert_eq!(status(), StemStatus::OtherSession, "asleep or not");
    stem.control_writer.publish_info(&InstanceInfo { session, ..stem.info });
    stem.audio_writer.publish_status(&BlockStatus { rate: Hz(44_100.0), ..BlockStatus::default() });
    assert_eq!(status(), StemStatus::OtherRate);
    stem.control_writer.set_presence(Presence::Unresponsive);
    assert_eq!(status(), StemStatus::OtherRate, "frozen or not");
    stem.audio_writer.publish_status(&BlockStatus::default());
    assert_eq!(status(), StemStatus::NotResponding, "no rate yet is no other rate");
    drop(master);
    stem.control_writer.set_presence(Presence::Awake);
    stem.control_writer.publish_info(&other_session);
    let alone = Survey::new(ROSTER.peers());
    assert_eq!(alone.instances[0].status, StemStatus::Live, "without any Master there is no other session");
}
