//! Bridges that play several processes in one: each has a roster and a worker of its own.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::*;
use crate::audio_ring::TapPoint;
use crate::audition::{AuditionOrder, AuditionOrders};
#[cfg(unix)]
use crate::identity::ProcessIdentity;
use crate::identity::{InstanceId, unique_id};
use crate::records::tests::info;
use crate::records::{BlockStatus, InstanceInfo, InstanceKind, StemReadings};
use crate::remote_trim::{RemoteTrim, TrimVerdict};
use crate::request::PeerRequest;
use crate::roster::{AudioWriter, PeerView, Roster};
use crate::slot::{Origin, Presence};
use crate::summary::SessionSummary;
use crate::text::Text;
use parking_lot::Mutex;
use session::audition::AuditionEffect;
use session::timeline::BlockPosition;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use testkit::eventually;
use units::{Db, Hz, Lufs};

mod audio;
#[cfg(unix)]
mod hostile;
mod observer;
#[cfg(unix)]
mod process_lock;

/// Intervals that keep tests short.
const INTERVALS: Intervals = Intervals {
    audio: Duration::from_millis(1),
    records: Duration::from_millis(4),
    idle: Duration::from_millis(10),
    asleep_after: Duration::from_millis(300),
    unresponsive_after: Duration::from_secs(1),
    gone_after: Duration::from_secs(2),
    retry: Duration::from_millis(50),
};

/// A folder of its own for each test, removed at the end.
struct TestFolder {
    root: PathBuf,
    folders: &'static [&'static str],
}

impl TestFolder {
    fn new() -> Self {
        let root = std::env::temp_dir().join(format!("stemlink-test-{}", unique_id()));
        fs::create_dir(&root).unwrap();
        let path: &str = Box::leak(root.join("stemlink-1").to_str().unwrap().to_owned().into_boxed_str());
        Self { root, folders: Box::leak(Box::new([path])) }
    }

    fn path(&self) -> &'static Path {
        Path::new(self.folders[0])
    }

    /// A bridge with a roster of its own, in place of a process.
    fn bridge(&self) -> &'static Bridge {
        self.bridge_with(INTERVALS)
    }

    /// A bridge with these intervals.
    fn bridge_with(&self, intervals: Intervals) -> &'static Bridge {
        Box::leak(Box::new(Bridge::with_folders(roster(), Some(self.folders), intervals)))
    }

    fn file_names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.root));
    }
}

/// Returns a roster that no other test uses, from a `static`: too large for a stack.
fn roster() -> &'static Roster {
    static POOL: [Roster; 100] = [const { Roster::new() }; 100];
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    &POOL[NEXT.fetch_add(1, Ordering::Relaxed)]
}

/// An instance without a plugin around it.
struct TestInstance {
    info: Mutex<InstanceInfo>,
    trim: Mutex<RemoteTrim>,
    wants_audio: Mutex<bool>,
    order: Mutex<Option<AuditionOrder>>,
}

impl TestInstance {
    fn new(kind: InstanceKind, name: &str) -> Arc<Self> {
        Arc::new(Self {
            info: Mutex::new(InstanceInfo { kind, ..info(name, 0) }),
            trim: Mutex::new(RemoteTrim::new(Db(0.0))),
            wants_audio: Mutex::new(true),
            order: Mutex::default(),
        })
    }
}

impl InstanceSource for TestInstance {
    fn info(&self) -> InstanceInfo {
        *self.info.lock()
    }

    fn readings(&self) -> StemReadings {
        let mut readings = StemReadings { trim: *self.trim.lock(), ..StemReadings::default() };
        readings.reading.integrated = Some(Lufs(-14.0));
        readings
    }

    fn summary(&self) -> SessionSummary {
        SessionSummary { heard: 12.0, ..SessionSummary::default() }
    }

    fn wants_audio(&self, _: &PeerView) -> bool {
        *self.wants_audio.lock()
    }

    fn apply_audition(&self, order: Option<&AuditionOrder>) {
        *self.order.lock() = order.copied();
    }

    fn handle_request(&self, sender: InstanceId, request: &PeerRequest) {
        self.trim.lock().answer_request(sender, request);
    }
}

fn stem(bridge: &'static Bridge, name: &str) -> (Membership, Arc<TestInstance>) {
    let instance = TestInstance::new(InstanceKind::Stem, name);
    (bridge.join(None, Arc::clone(&instance) as _).unwrap(), instance)
}

fn master(bridge: &'static Bridge) -> (Membership, Arc<TestInstance>) {
    let instance = TestInstance::new(InstanceKind::Master, "Mix");
    (bridge.join(None, Arc::clone(&instance) as _).unwrap(), instance)
}

/// Returns the bridged instance of that name, as soon as there is one.
#[track_caller]
fn find_named(bridge: &'static Bridge, name: &str) -> PeerView {
    let named = |peer: &PeerView| peer.info().is_some_and(|info| info.name == Text::new(name));
    let bridged = |peer: &PeerView| peer.origin() == Origin::Bridged;
    eventually(name, || bridge.roster().peers().filter(bridged).find(named))
}

fn bridged_count(bridge: &'static Bridge) -> usize {
    bridge.roster().peers().filter(|peer| peer.origin() == Origin::Bridged).count()
}

#[test]
fn two_processes_see_all_of_each_other_and_leave_no_files() {
    let test_folder = TestFolder::new();
    let (here, there) = (test_folder.bridge(), test_folder.bridge());
    let (mut drums, source) = stem(here, "Drums");
    let (mix, _) = master(there);
    drums.audio_writer.publish_status(&BlockStatus {
        blocks: 1,
        rate: Hz(48_000.0),
        ..BlockStatus::default()
    });
    let seen = find_named(there, "Drums");
    assert_eq!(seen.id(), drums.audio_writer.id());
    let info = seen.info().unwrap();
    assert!(info.host.as_str().starts_with("link") && info.born > 0);
    assert_eq!(info.process.pid, u64::from(std::process::id()));
    assert_eq!((info.kind, info.colour), (InstanceKind::Stem, source.info.lock().colour));
    eventually("the block status", || seen.block_status().filter(|status| status.rate == Hz(48_000.0)));
    eventually("readings", || seen.reading()?.integrated);
    assert_eq!(seen.summary().map(|summary| summary.heard), Some(12.0));
    let master = find_named(here, "Mix");
    assert_eq!(master.info().map(|info| info.kind), Some(InstanceKind::Master));
    assert_ne!(master.info().unwrap().process.nonce, info.process.nonce);

    source.info.lock().name = Text::new("Percussion");
    find_named(there, "Percussion");
    assert_eq!(
        here.state(),
        BridgeState { folder: Some(test_folder.path().into()), ..BridgeState::default() }
    );

    drop(drums);
    eventually("gone", || (bridged_count(there) == 0).then_some(()));
    assert!(!seen.is_present());
    assert!(here.worker.lock().is_none(), "the worker ends with the last instance");
    drop(mix);
    assert_eq!(test_folder.file_names(), [""; 0]);
    let (_drums, _) = stem(here, "Drums");
    let (_mix, _) = self::master(there);
    find_named(there, "Drums");
}

#[test]
fn nothing_exists_before_the_first_instance() {
    let test_folder = TestFolder::new();
    let bridge = test_folder.bridge();
    std::thread::sleep(Duration::from_millis(30));
    assert!(!test_folder.path().exists() && bridge.worker.lock().is_none());
    assert_eq!(bridge.state(), BridgeState::default());
}

#[test]
fn many_instances_in_several_processes_all_see_each_other() {
    let test_folder = TestFolder::new();
    let processes = [test_folder.bridge(), test_folder.bridge(), test_folder.bridge()];
    let mut all: Vec<_> = (0..24).map(|n| stem(processes[n % 3], &format!("Stem {n}"))).collect();
    for process in processes {
        eventually("all 24", || (process.roster().peers().count() == 24).then_some(()));
        let mut ids: Vec<_> = process.roster().peers().filter_map(|peer| peer.id()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 24);
    }
    all.truncate(12);
    for process in processes {
        eventually("12 left", || (process.roster().peers().count() == 12).then_some(()));
    }
}

/// In this process and in another one: an order holds as long as it is posted and its Master exists.
#[test]
fn an_order_holds_until_it_is_replaced_or_its_master_is_gone() {
    let test_folder = TestFolder::new();
    let (here, there) = (test_folder.bridge(), test_folder.bridge());
    let (drums, near) = stem(here, "Drums");
    let (bass, far) = stem(there, "Bass");
    let (mix, _) = master(here);
    find_named(here, "Bass");
    let order =
        |of: &Membership, hearing| AuditionOrder { target: of.view().id().unwrap(), base: 7, hearing };
    let mut all = vec![order(&drums, AuditionEffect::Muted), order(&bass, AuditionEffect::Bypassed)];
    let wait = |source: &TestInstance, wanted: Option<AuditionOrder>| {
        eventually("the order", || (*source.order.lock() == wanted).then_some(()));
    };
    mix.requester().post_orders(AuditionOrders::new(all.clone()));
    wait(&near, Some(all[0]));
    wait(&far, Some(all[1]));
    all.remove(0);
    mix.requester().post_orders(AuditionOrders::new(all.clone()));
    wait(&near, None);
    assert_eq!(*far.order.lock(), Some(all[0]));
    // a Stem's orders have no effect
    bass.requester().post_orders(AuditionOrders::new([order(&drums, AuditionEffect::Muted)]));
    let requester = mix.requester();
    drop(mix);
    wait(&far, None);
    requester.post_orders(AuditionOrders::new(all));
    let rounds = |bridge: &'static Bridge| {
        for _ in 0..20 {
            bridge.wake_worker();
            std::thread::sleep(INTERVALS.idle);
        }
    };
    rounds(there);
    assert_eq!(
        (*near.order.lock(), *far.order.lock()),
        (None, None),
        "the orders of a Master that is gone have no effect"
    );
}

#[test]
fn a_request_reaches_another_process_and_its_answer_returns() {
    let test_folder = TestFolder::new();
    let (here, there) = (test_folder.bridge(), test_folder.bridge());
    let (drums, source) = stem(here, "Drums");
    let (mix, _) = master(there);
    let seen = find_named(there, "Drums");
    let base = eventually("the trim", || {
        seen.stem_readings().map(|readings| readings.trim.revision).filter(|&r| r != 0)
    });
    let requester = mix.requester();
    let counter = requester.request_trim(drums.audio_writer.id().unwrap(), base, Db(-2.5)).unwrap();
    let trim = eventually("an answer", || {
        let trim = seen.stem_readings()?.trim;
        trim.answer.is_some().then_some(trim)
    });
    let answer = trim.answer.unwrap();
    assert_eq!((trim.offset, answer.counter), (Db(-2.5), counter));
    assert_eq!((Some(answer.sender), answer.verdict), (mix.audio_writer.id(), TrimVerdict::Accepted));
    assert_eq!(source.trim.lock().offset, Db(-2.5));
    // a request for the old trim is too late
    let counter = requester.request_trim(drums.audio_writer.id().unwrap(), base, Db(9.0)).unwrap();
    let answer = eventually("a refusal", || {
        seen.stem_readings()?.trim.answer.filter(|answer| answer.counter == counter)
    });
    assert_eq!(answer.verdict, TrimVerdict::Stale);
    assert_eq!(source.trim.lock().offset, Db(-2.5));
    drop(mix);
    assert_eq!(requester.request_trim(drums.audio_writer.id().unwrap(), base, Db(0.0)), None);
}

#[test]
fn a_request_within_a_process_does_not_wait_for_the_next_round() {
    let test_folder = TestFolder::new();
    let intervals = Intervals { idle: Duration::from_secs(60), ..INTERVALS };
    let bridge = test_folder.bridge_with(intervals);
    let (drums, source) = stem(bridge, "Drums");
    let (mix, _) = master(bridge);
    let base = source.trim.lock().revision;
    mix.requester().request_trim(drums.audio_writer.id().unwrap(), base, Db(1.0));
    eventually("the trim", || (source.trim.lock().offset == Db(1.0)).then_some(()));
}

#[test]
fn of_two_instances_with_one_id_the_younger_gets_a_new_one() {
    let test_folder = TestFolder::new();
    let (here, there) = (test_folder.bridge(), test_folder.bridge());
    let saved = InstanceId::mint();
    let old = here.join(Some(saved), TestInstance::new(InstanceKind::Stem, "Old")).unwrap();
    let young = there.join(Some(saved), TestInstance::new(InstanceKind::Stem, "Young")).unwrap();
    eventually("another id", || (young.audio_writer.id() != Some(saved)).then_some(()));
    assert_eq!(old.audio_writer.id(), Some(saved));
    let seen = find_named(here, "Young");
    eventually("the new id", || (seen.id() == young.audio_writer.id()).then_some(()));
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!((old.audio_writer.id(), seen.id()), (Some(saved), young.audio_writer.id()));
}

#[test]
fn an_instance_that_is_not_called_sleeps_and_is_not_gone() {
    let test_folder = TestFolder::new();
    let (here, there) = (test_folder.bridge(), test_folder.bridge());
    let (mut drums, _) = stem(here, "Drums");
    let (_mix, _) = master(there);
    let seen = find_named(there, "Drums");
    eventually("asleep", || (seen.presence() == Presence::Asleep).then_some(()));
    let start = Instant::now();
    let mut blocks = 0;
    while start.elapsed() < INTERVALS.gone_after + Duration::from_millis(200) {
        assert!(seen.is_present());
        std::thread::sleep(Duration::from_millis(20));
    }
    eventually("awake", || {
        blocks += 1;
        drums.audio_writer.publish_status(&BlockStatus { blocks, ..BlockStatus::default() });
        (seen.presence() == Presence::Awake).then_some(())
    });
}

#[test]
fn a_file_that_is_removed_while_it_is_open_has_no_name() {
    let test_folder = TestFolder::new();
    let folder = checked_dir::CheckedDir::open_or_create(test_folder.path()).unwrap();
    let file = folder.create("a").unwrap();
    assert!(checked_dir::has_name(&file));
    folder.remove("a").unwrap();
    assert!(!checked_dir::has_name(&file));
}

#[test]
fn files_that_are_removed_while_in_use_are_made_anew() {
    let test_folder = TestFolder::new();
    let (here, there) = (test_folder.bridge(), test_folder.bridge());
    let (drums, _) = stem(here, "Drums");
    let (_mix, _) = master(there);
    find_named(there, "Drums");
    assert_eq!(found_without_files(&test_folder, there).id(), drums.audio_writer.id());
}

/// Removes all files of the folder, in use as they are, and waits until they are made anew and "Drums" is found through them.
fn found_without_files(test_folder: &TestFolder, there: &'static Bridge) -> PeerView {
    for name in test_folder.file_names() {
        fs::remove_file(test_folder.path().join(name)).unwrap();
    }
    eventually("files again", || (test_folder.file_names().len() == 4).then_some(()));
    find_named(there, "Drums")
}
