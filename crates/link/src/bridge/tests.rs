#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::*;
use crate::ring::Side;
use crate::slot::Presence;
use crate::snapshot::tests::label;
use crate::snapshot::{BlockStatus, Kind, Trim};
use crate::words::Text;
use session::audition::AuditionEffect;
use session::timeline::BlockPosition;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use units::{Hz, Lufs};

mod audio;
#[cfg(unix)]
mod hostile;

pub(super) const PACE: Intervals = Intervals {
    busy: Duration::from_millis(1),
    telling: Duration::from_millis(4),
    idle: Duration::from_millis(10),
    asleep: Duration::from_millis(300),
    dim: Duration::from_secs(1),
    gone: Duration::from_secs(2),
    retry: Duration::from_millis(50),
};

/// A folder of its own for each test, removed at the end.
pub(super) struct Meeting {
    root: PathBuf,
    place: &'static [&'static str],
}

impl Meeting {
    pub(super) fn new() -> Self {
        let root = std::env::temp_dir().join(format!("stemlink-test-{}", unique()));
        fs::create_dir(&root).unwrap();
        let place: &str = Box::leak(root.join("stemlink-1").to_str().unwrap().to_owned().into_boxed_str());
        Self { root, place: Box::leak(Box::new([place])) }
    }

    pub(super) fn folder(&self) -> &'static Path {
        Path::new(self.place[0])
    }

    /// A process that meets others here: a roster and a bridge of its own.
    pub(super) fn process(&self) -> &'static Bridge {
        self.process_at(PACE)
    }

    /// One with a pace of its own.
    fn process_at(&self, pace: Intervals) -> &'static Bridge {
        Box::leak(Box::new(Bridge::between(roster(), Some(self.place), pace)))
    }

    pub(super) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Meeting {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.root));
    }
}

/// A roster of its own for each bridge; too large for a thread's stack.
pub(super) fn roster() -> &'static Roster {
    static POOL: [Roster; 100] = [const { Roster::new() }; 100];
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    &POOL[NEXT.fetch_add(1, Ordering::Relaxed)]
}

/// Waits until something is so.
#[track_caller]
pub(super) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// An instance without a plugin around it.
pub(super) struct Puppet {
    label: Mutex<InstanceInfo>,
    trim: Mutex<Trim>,
    listens: Mutex<bool>,
    heard: Mutex<Option<Order>>,
}

impl Puppet {
    fn new(kind: Kind, name: &str) -> Arc<Self> {
        let label = Mutex::new(InstanceInfo { kind, ..label(name, 0) });
        Arc::new(Self {
            label,
            trim: Mutex::new(Trim::new(Db(0.0))),
            listens: Mutex::new(true),
            heard: Mutex::default(),
        })
    }
}

impl InstanceSource for Puppet {
    fn label(&self) -> InstanceInfo {
        *lock(&self.label)
    }

    fn figures(&self) -> StemReadings {
        let mut figures = StemReadings { trim: *lock(&self.trim), ..StemReadings::default() };
        figures.reading.integrated = Some(Lufs(-14.0));
        figures
    }

    fn summary(&self) -> Summary {
        Summary { heard: 12.0, ..Summary::default() }
    }

    fn listens(&self, _: &PeerView) -> bool {
        *lock(&self.listens)
    }

    fn hear(&self, order: Option<&Order>) {
        *lock(&self.heard) = order.copied();
    }

    fn consider(&self, sender: InstanceId, request: &Request) {
        lock(&self.trim).consider(sender, request);
    }
}

pub(super) fn stem(bridge: &'static Bridge, name: &str) -> (Membership, Arc<Puppet>) {
    let puppet = Puppet::new(Kind::Stem, name);
    (bridge.join(None, Arc::clone(&puppet) as _).unwrap(), puppet)
}

pub(super) fn master(bridge: &'static Bridge) -> (Membership, Arc<Puppet>) {
    let puppet = Puppet::new(Kind::Master, "Mix");
    (bridge.join(None, Arc::clone(&puppet) as _).unwrap(), puppet)
}

/// The bridged instance of that name, as soon as it is there.
#[track_caller]
pub(super) fn meet(bridge: &'static Bridge, name: &str) -> PeerView {
    let named = |peer: &PeerView| peer.label().is_some_and(|label| label.name == Text::new(name));
    let bridged = |peer: &PeerView| peer.origin() == Origin::Bridged;
    eventually(name, || bridge.roster().peers().filter(bridged).find(named))
}

fn bridged(bridge: &'static Bridge) -> usize {
    bridge.roster().peers().filter(|peer| peer.origin() == Origin::Bridged).count()
}

#[test]
fn two_processes_see_all_of_each_other_and_leave_nothing() {
    let meeting = Meeting::new();
    let (here, there) = (meeting.process(), meeting.process());
    let (mut drums, puppet) = stem(here, "Drums");
    let (mix, _) = master(there);
    drums.outlet.tell(&BlockStatus { blocks: 1, rate: Hz(48_000.0), ..BlockStatus::default() });
    let seen = meet(there, "Drums");
    assert_eq!(seen.id(), drums.outlet.id());
    let label = seen.label().unwrap();
    assert!(label.host.as_str().starts_with("stemlink") && label.born > 0);
    assert_eq!(label.process.pid, u64::from(std::process::id()));
    assert_eq!((label.kind, label.colour), (Kind::Stem, lock(&puppet.label).colour));
    eventually("the pulse", || seen.pulse().filter(|pulse| pulse.rate == Hz(48_000.0)));
    eventually("figures", || seen.reading()?.integrated);
    assert_eq!(seen.summary().map(|summary| summary.heard), Some(12.0));
    let master = meet(here, "Mix");
    assert_eq!(master.label().map(|label| label.kind), Some(Kind::Master));
    assert_ne!(master.label().unwrap().process.nonce, label.process.nonce);

    lock(&puppet.label).name = Text::new("Percussion");
    meet(there, "Percussion");
    assert_eq!(here.state(), State { folder: Some(meeting.folder().into()), ..State::default() });

    drop(drums);
    eventually("gone", || (bridged(there) == 0).then_some(()));
    assert!(!seen.is_there());
    assert!(lock(&here.worker).is_none(), "the worker ends with the last instance");
    drop(mix);
    assert_eq!(meeting.names(), [""; 0]);
    let (_drums, _) = stem(here, "Drums");
    let (_mix, _) = self::master(there);
    meet(there, "Drums");
}

#[test]
fn nothing_exists_before_the_first_instance() {
    let meeting = Meeting::new();
    let bridge = meeting.process();
    std::thread::sleep(Duration::from_millis(30));
    assert!(!meeting.folder().exists() && lock(&bridge.worker).is_none());
    assert_eq!(bridge.state(), State::default());
}

#[test]
fn many_instances_in_several_processes_all_see_each_other() {
    let meeting = Meeting::new();
    let processes = [meeting.process(), meeting.process(), meeting.process()];
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

/// In this process and in another one: an order holds for as long as it is posted, and not longer than its Master.
#[test]
fn an_order_holds_until_it_is_taken_back_or_its_master_goes() {
    let meeting = Meeting::new();
    let (here, there) = (meeting.process(), meeting.process());
    let (drums, near) = stem(here, "Drums");
    let (bass, far) = stem(there, "Bass");
    let (mix, _) = master(here);
    meet(here, "Bass");
    let order = |of: &Membership, hearing| Order { target: of.peer().id().unwrap(), base: 7, hearing };
    let mut all = vec![order(&drums, AuditionEffect::Muted), order(&bass, AuditionEffect::Bypassed)];
    let wait = |puppet: &Puppet, wanted: Option<Order>| {
        eventually("the order", || (*lock(&puppet.heard) == wanted).then_some(()));
    };
    mix.desk().order(Orders::new(all.clone()));
    wait(&near, Some(all[0]));
    wait(&far, Some(all[1]));
    all.remove(0);
    mix.desk().order(Orders::new(all.clone()));
    wait(&near, None);
    assert_eq!(*lock(&far.heard), Some(all[0]));
    // a Stem orders nothing
    bass.desk().order(Orders::new([order(&drums, AuditionEffect::Muted)]));
    let desk = mix.desk();
    drop(mix);
    wait(&far, None);
    desk.order(Orders::new(all));
    let rounds = |bridge: &'static Bridge| {
        for _ in 0..20 {
            bridge.wake();
            std::thread::sleep(PACE.idle);
        }
    };
    rounds(there);
    assert_eq!((*lock(&near.heard), *lock(&far.heard)), (None, None), "nobody is there to order anything");
}

#[test]
fn a_request_crosses_and_its_answer_comes_back() {
    let meeting = Meeting::new();
    let (here, there) = (meeting.process(), meeting.process());
    let (drums, puppet) = stem(here, "Drums");
    let (mix, _) = master(there);
    let seen = meet(there, "Drums");
    let base =
        eventually("the trim", || seen.figures().map(|figures| figures.trim.revision).filter(|&r| r != 0));
    let desk = mix.desk();
    let counter = desk.ask(drums.outlet.id().unwrap(), base, Db(-2.5)).unwrap();
    let trim = eventually("an answer", || {
        let trim = seen.figures()?.trim;
        trim.answer.is_some().then_some(trim)
    });
    let answer = trim.answer.unwrap();
    assert_eq!((trim.offset, answer.counter), (Db(-2.5), counter));
    assert_eq!((Some(answer.sender), answer.verdict), (mix.outlet.id(), crate::request::Verdict::Accepted));
    assert_eq!(lock(&puppet.trim).offset, Db(-2.5));
    // whoever saw the old trim comes too late
    let counter = desk.ask(drums.outlet.id().unwrap(), base, Db(9.0)).unwrap();
    let answer =
        eventually("a refusal", || seen.figures()?.trim.answer.filter(|answer| answer.counter == counter));
    assert_eq!(answer.verdict, crate::request::Verdict::Stale);
    assert_eq!(lock(&puppet.trim).offset, Db(-2.5));
    drop(mix);
    assert_eq!(desk.ask(drums.outlet.id().unwrap(), base, Db(0.0)), None);
}

#[test]
fn a_request_within_a_process_does_not_wait_for_the_next_look() {
    let meeting = Meeting::new();
    let pace = Intervals { idle: Duration::from_secs(60), ..PACE };
    let bridge = meeting.process_at(pace);
    let (drums, puppet) = stem(bridge, "Drums");
    let (mix, _) = master(bridge);
    let base = lock(&puppet.trim).revision;
    mix.desk().ask(drums.outlet.id().unwrap(), base, Db(1.0));
    eventually("the trim", || (lock(&puppet.trim).offset == Db(1.0)).then_some(()));
}

#[test]
fn of_two_with_one_id_the_younger_gets_another() {
    let meeting = Meeting::new();
    let (here, there) = (meeting.process(), meeting.process());
    let saved = InstanceId::mint();
    let old = here.join(Some(saved), Puppet::new(Kind::Stem, "Old")).unwrap();
    let young = there.join(Some(saved), Puppet::new(Kind::Stem, "Young")).unwrap();
    eventually("another id", || (young.outlet.id() != Some(saved)).then_some(()));
    assert_eq!(old.outlet.id(), Some(saved));
    let seen = meet(here, "Young");
    eventually("the new id", || (seen.id() == young.outlet.id()).then_some(()));
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!((old.outlet.id(), seen.id()), (Some(saved), young.outlet.id()));
}

#[test]
fn an_instance_that_is_not_called_sleeps_and_is_not_gone() {
    let meeting = Meeting::new();
    let (here, there) = (meeting.process(), meeting.process());
    let (mut drums, _) = stem(here, "Drums");
    let (_mix, _) = master(there);
    let seen = meet(there, "Drums");
    eventually("asleep", || (seen.presence() == Presence::Asleep).then_some(()));
    let start = Instant::now();
    let mut blocks = 0;
    while start.elapsed() < PACE.gone + Duration::from_millis(200) {
        assert!(seen.is_there());
        std::thread::sleep(Duration::from_millis(20));
    }
    eventually("awake", || {
        blocks += 1;
        drums.outlet.tell(&BlockStatus { blocks, ..BlockStatus::default() });
        (seen.presence() == Presence::Awake).then_some(())
    });
}
