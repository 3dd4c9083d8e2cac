use super::*;
use crate::command::{Proposal, TrimChange, TrimRequest};
use session::audition::AuditionEffect;
use session::stem_status::StemStatus;
use std::time::Instant;
use units::Db;

/// Stems that agree to everything, and a record of what was asked.
#[derive(Default)]
struct FakeLink {
    stems: Mutex<Vec<StemCard>>,
    ordered: Mutex<Vec<ListenRequest>>,
    reset: Mutex<Vec<StemId>>,
    marked: Mutex<Vec<(StemId, BandMark)>>,
    analysed: Mutex<Vec<AnalysisCommand>>,
    thread: Mutex<Option<std::thread::ThreadId>>,
}

impl SessionLink for FakeLink {
    fn stems(&self) -> Vec<StemCard> {
        self.stems.lock().clone()
    }

    fn has_final(&self) -> bool {
        true
    }

    fn update(&self) {}

    fn request_trim(&self, request: TrimRequest) {
        let mut stems = self.stems.lock();
        let stem = stems.iter_mut().find(|stem| stem.id == request.stem).expect("it is there");
        assert_eq!(request.base, stem.revision);
        (stem.trim, stem.revision) = (request.trim, stem.revision + 1);
    }

    fn reset_meters(&self, stem: StemId) {
        self.reset.lock().push(stem);
    }

    fn mark_band(&self, stem: StemId, mark: BandMark) {
        self.marked.lock().push((stem, mark));
    }

    fn set_auditions(&self, requests: &[ListenRequest]) {
        *self.ordered.lock() = requests.to_vec();
    }

    fn send_analysis_command(&self, command: AnalysisCommand) {
        self.analysed.lock().push(command);
        *self.thread.lock() = Some(std::thread::current().id());
    }

    fn export(&self) -> ExportResult {
        ExportResult { path: Ok("a file".into()), remarks: Vec::new() }
    }
}

fn stem(id: u64) -> StemCard {
    StemCard { audition: 100 + id, revision: 10 * id, ..StemCard::new(StemId(id), "") }
}

/// A plugin that has joined the link, with stems 1 to `count`.
fn linked(count: u64) -> (PluginShared, Arc<FakeLink>) {
    let (shared, link) = (PluginShared::default(), Arc::<FakeLink>::default());
    *link.stems.lock() = (1..=count).map(stem).collect();
    let end: Arc<dyn SessionLink> = Arc::clone(&link) as _;
    shared.connect_link(&end);
    shared.restart_listening(false);
    (shared, link)
}

fn muted(link: &FakeLink) -> Vec<u64> {
    let ordered = link.ordered.lock();
    assert!(
        ordered
            .iter()
            .all(|request| request.effect == AuditionEffect::Muted && request.base == 100 + request.stem.0)
    );
    ordered.iter().map(|request| request.stem.0).collect()
}

fn audition(shared: &PluginShared, stem: u64, audition: Audition) {
    shared.send_command(UiCommand::Audition(Some((StemId(stem), audition))));
}

#[test]
fn a_revision_grows_with_every_change_and_with_nothing_else() {
    let (shared, _link) = linked(2);
    let revision = || shared.snapshot().revision;
    let start = revision();
    shared.tick();
    assert_eq!((revision(), shared.snapshot().stems.len()), (start + 1, 2));
    shared.tick();
    shared.set_master(None);
    shared.set_fault(FaultSource::Link, None);
    assert_eq!(revision(), start + 1);
    shared.publish_revision();
    assert_eq!(revision(), start + 2);
}

#[test]
fn a_master_that_goes_is_lost_and_one_that_never_came_is_awaited() {
    let shared = PluginShared::default();
    let master = || shared.snapshot().master.clone();
    shared.set_master(None);
    assert_eq!(master(), MasterLink::Waiting);
    let seen = LinkedMaster { stems: 2, ..LinkedMaster::default() };
    shared.set_master(Some(seen.clone()));
    assert_eq!(master(), MasterLink::Linked(seen));
    shared.set_master(None);
    assert_eq!(master(), MasterLink::Lost);
}

#[test]
fn a_fault_of_one_source_leaves_those_of_others() {
    let shared = PluginShared::default();
    let faults = || -> Vec<String> { shared.snapshot().faults.iter().map(|one| one.text.clone()).collect() };
    shared.set_fault(FaultSource::OtherVersion, Some("old".into()));
    shared.set_fault(FaultSource::Analysis, Some("failed".into()));
    shared.set_fault(FaultSource::Link, Some("no folder".into()));
    assert_eq!(faults(), ["failed", "no folder", "old"], "the worst first");
    shared.set_fault(FaultSource::Link, None);
    shared.set_fault(FaultSource::OtherVersion, Some("older".into()));
    assert_eq!(faults(), ["failed", "older"]);
}

#[test]
fn commands_before_the_link_do_nothing_but_say_why() {
    let shared = PluginShared::default();
    let request = TrimRequest { stem: StemId(1), base: 0, trim: Db(1.0) };
    shared.send_command(UiCommand::RequestTrim(request));
    audition(&shared, 1, Audition::Mute);
    shared.send_command(UiCommand::ExportSession);
    let exported = shared.snapshot().exported.clone().expect("an answer");
    assert!(exported.path.is_err_and(|why| why.contains("not activated")));
}

#[test]
fn what_the_analysis_is_asked_arrives_in_order_and_a_follower_is_published() {
    let (shared, link) = linked(1);
    let proposal = Proposal { stem: StemId(7), gain: Db(1.0) };
    shared.send_command(UiCommand::Predict(Some(proposal)));
    shared.send_command(UiCommand::ConfirmMute(StemId(3)));
    shared.send_command(UiCommand::Follow(Some(StemId(7))));
    shared.send_command(UiCommand::Predict(None));
    let expected = [
        AnalysisCommand::Predict(Some(proposal)),
        AnalysisCommand::ConfirmMute(StemId(3)),
        AnalysisCommand::Refresh,
        AnalysisCommand::Predict(None),
    ];
    assert_eq!(*link.analysed.lock(), expected);
    assert_eq!(shared.snapshot().follows, Some(StemId(7)));
}

#[test]
fn trims_of_stems_that_have_changed_meanwhile_are_left_alone() {
    let (shared, link) = linked(2);
    link.stems.lock()[0].trim = Db(1.0);
    link.stems.lock()[1].trim = Db(2.0);
    let change =
        |stem, before, after| TrimChange { stem: StemId(stem), before: Db(before), after: Db(after) };
    shared.send_command(UiCommand::RequestTrims(vec![
        change(1, 1.0, 0.0),
        change(2, 1.0, 0.0),
        change(3, 0.0, 1.0),
    ]));
    assert_eq!(link.stems.lock().iter().map(|stem| stem.trim.0).collect::<Vec<_>>(), [0.0, 2.0]);
}

#[test]
fn stems_are_heard_otherwise_for_as_long_as_it_is_wanted() {
    let (shared, link) = linked(3);
    audition(&shared, 2, Audition::Solo);
    assert_eq!(muted(&link), [1, 3]);
    assert!(shared.snapshot().auditions.has(StemId(2), Audition::Solo));
    link.stems.lock().push(stem(4));
    shared.tick();
    assert_eq!(muted(&link), [1, 3, 4], "one that has come since");
    link.stems.lock()[0].status = StemStatus::Gone;
    shared.tick();
    assert_eq!(muted(&link), [3, 4]);
    shared.send_command(UiCommand::Audition(None));
    assert_eq!(muted(&link), [0; 0]);
    audition(&shared, 3, Audition::Mute);
    assert_eq!(muted(&link), [3]);
    // it loads a state: the audio thread notices first
    shared.monitor.end_all();
    shared.tick();
    assert!(muted(&link).is_empty() && shared.snapshot().auditions.is_empty());
    audition(&shared, 4, Audition::Mute);
    assert_eq!(muted(&link), [4], "and begins anew");
}

#[test]
fn deactivating_and_closing_the_window_end_it_before_they_return() {
    let (shared, link) = linked(2);
    for end in [PluginShared::end_listening, PluginShared::close_window] {
        audition(&shared, 2, Audition::Mute);
        assert_eq!(muted(&link), [2]);
        end(&shared);
        assert!(muted(&link).is_empty() && shared.snapshot().auditions.is_empty());
    }
    audition(&shared, 2, Audition::Mute);
    shared.restart_listening(true);
    assert!(muted(&link).is_empty());
}

#[test]
fn a_stem_that_is_heard_as_it_is_again_ends_what_was_wanted_of_it() {
    let (shared, link) = linked(2);
    let is_over = || link.ordered.lock().is_empty() && shared.snapshot().auditions.is_empty();
    audition(&shared, 1, Audition::Mute);
    link.stems.lock()[0].audition += 1;
    shared.tick();
    assert!(is_over());
    audition(&shared, 1, Audition::Solo);
    link.stems.lock()[1].audition += 1;
    shared.tick();
    assert!(is_over(), "left out, it would not be");
    audition(&shared, 1, Audition::Mute);
    link.stems.lock()[0].status = StemStatus::Gone;
    shared.tick();
    assert!(is_over());
    link.stems.lock()[0].status = StemStatus::Live;
    shared.tick();
    assert!(is_over(), "who comes in its place is not meant");
}

#[test]
fn the_owner_has_a_thread_while_a_window_is_open_and_outlives_its_plugin() {
    let (shared, link) = linked(1);
    let shared = Arc::new(shared);
    let weak = Arc::downgrade(&shared);
    shared.open_window(move || {
        weak.upgrade().is_some_and(|shared| {
            shared.tick();
            true
        })
    });
    shared.send_command(UiCommand::ConfirmMute(StemId(1)));
    let start = Instant::now();
    while link.thread.lock().is_none() && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(link.thread.lock().is_some_and(|thread| thread != std::thread::current().id()));
    // the plugin goes, its window stays
    drop(link);
    shared.close_window();
    shared.send_command(UiCommand::ConfirmMute(StemId(1)));
    shared.tick();
    assert!(shared.snapshot().stems.is_empty());
}

#[test]
fn the_meters_of_all_stems_of_the_session_are_reset_and_of_no_other() {
    let (shared, link) = linked(3);
    link.stems.lock()[1].status = StemStatus::OtherSession;
    shared.send_command(UiCommand::ResetStems);
    let mark = BandMark { by: StemId(1), band: 14 };
    shared.send_command(UiCommand::MarkBand(StemId(3), mark));
    assert_eq!(*link.marked.lock(), [(StemId(3), mark)]);
    assert_eq!(*link.reset.lock(), [StemId(1), StemId(3)]);
}
