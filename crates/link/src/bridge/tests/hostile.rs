//! Whatever else may lie in the folder, or happen to it.

use super::*;
use format::{Header, WANTS, WireRecord};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};

/// A live lock, as another process would hold it.
struct Elsewhere {
    nonce: u64,
    _lock: lock::Lock,
}

impl Elsewhere {
    fn new(meeting: &Meeting) -> Self {
        let folder = folder::Folder::open_or_make(meeting.folder()).unwrap();
        let nonce = unique().get();
        Self { nonce, _lock: lock::Lock::take(&folder, nonce).unwrap() }
    }

    /// The file of an instance, with a header of that version.
    fn file(&self, meeting: &Meeting, version: u64) -> fs::File {
        let path = meeting.folder().join(names::link(self.nonce, unique().get()));
        let file = fs::File::options().read(true).write(true).create_new(true).open(path).unwrap();
        let process = ProcessIdentity { nonce: self.nonce, ..ProcessIdentity::default() };
        Header { version, key: unique().get(), process }.write(&file).unwrap();
        file
    }
}

fn telling(name: &str) -> WireRecord {
    WireRecord {
        id: InstanceId::mint(),
        presence: Presence::Awake,
        chunks: 0,
        wants: [0; WANTS],
        label: label(name, 1),
        pulse: BlockStatus::default(),
        figures: StemReadings::default(),
        outbox: crate::request::Outbox::new(0),
        summary: Summary::default(),
        settings: crate::snapshot::Settings::new(0, 0),
    }
}

/// Lets the worker look a few times.
fn look(bridge: &'static Bridge) {
    for _ in 0..5 {
        bridge.wake();
        std::thread::sleep(PACE.idle);
    }
}

#[test]
fn a_heart_that_stops_dims_then_goes_and_may_come_back() {
    let meeting = Meeting::new();
    let elsewhere = Elsewhere::new(&meeting);
    let file = elsewhere.file(&meeting, format::VERSION);
    telling("Drums").write_to(&file, 1).unwrap();
    let bridge = meeting.process();
    let (_mix, _) = master(bridge);
    let seen = meet(bridge, "Drums");
    let start = Instant::now();
    assert_eq!(seen.presence(), Presence::Awake);
    eventually("dim", || (seen.presence() == Presence::Dim).then_some(()));
    assert!(start.elapsed() >= PACE.dim - Duration::from_millis(100));
    eventually("gone", || (!seen.is_there()).then_some(()));
    assert!(start.elapsed() >= PACE.gone - Duration::from_millis(100));
    look(bridge);
    assert_eq!(bridged(bridge), 0, "what it told last is no news");
    telling("Drums").write_to(&file, 2).unwrap();
    meet(bridge, "Drums");
}

#[test]
fn what_the_dead_have_left_is_removed() {
    let meeting = Meeting::new();
    fs::create_dir(meeting.folder()).unwrap();
    let dead = unique().get();
    let left =
        [names::lock(dead), names::link(dead, 1), names::link(dead, 2), names::link(unique().get(), 3)];
    for name in &left {
        fs::write(meeting.folder().join(name), b"left behind").unwrap();
    }
    fs::write(meeting.folder().join("a letter"), b"not ours").unwrap();
    let bridge = meeting.process();
    let (mix, _) = master(bridge);
    eventually("order", || (!left.iter().any(|name| meeting.names().contains(name))).then_some(()));
    assert_eq!(bridged(bridge), 0);
    drop(mix);
    assert_eq!(meeting.names(), ["a letter"], "what is not ours stays");
}

#[test]
fn garbage_links_pipes_and_folders_are_nobody() {
    let meeting = Meeting::new();
    let elsewhere = Elsewhere::new(&meeting);
    let path = |key| meeting.folder().join(names::link(elsewhere.nonce, key));
    fs::write(path(1), b"garbage").unwrap();
    fs::write(path(2), b"").unwrap();
    fs::write(path(3), vec![0xff; 1 << 20]).unwrap();
    fs::create_dir(path(4)).unwrap();
    let outside = meeting.root.join("outside");
    fs::write(&outside, b"outside").unwrap();
    symlink(&outside, path(5)).unwrap();
    symlink("nowhere", path(6)).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(path(7)).status();
    assert!(pipe.is_ok_and(|status| status.success()));
    // a lock that is a folder: nobody knows whose
    fs::create_dir(meeting.folder().join(names::lock(99))).unwrap();
    fs::write(meeting.folder().join(names::link(99, 1)), b"garbage").unwrap();

    let bridge = meeting.process();
    let (mut drums, _) = stem(bridge, "Drums");
    let other = meeting.process();
    let (_mix, _) = master(other);
    drums.outlet.prepare(Hz(8000.0));
    meet(other, "Drums");
    look(bridge);
    assert_eq!(bridged(bridge), 1, "the other Master and nobody else");
    assert_eq!(bridge.state().trouble, "");
    assert_eq!(fs::read(&outside).unwrap(), b"outside");
}

#[test]
fn a_file_that_loses_its_head_is_gone_in_time() {
    let meeting = Meeting::new();
    let elsewhere = Elsewhere::new(&meeting);
    let file = elsewhere.file(&meeting, format::VERSION);
    telling("Drums").write_to(&file, 1).unwrap();
    let bridge = meeting.process();
    let (_mix, _) = master(bridge);
    let seen = meet(bridge, "Drums");
    file.set_len(5000).unwrap();
    eventually("gone", || (!seen.is_there()).then_some(()));
    file.write_all_at(&[0xaa; 20_000], 0).unwrap();
    look(bridge);
    assert_eq!(bridged(bridge), 0);
}

#[test]
fn files_and_folder_are_for_the_user_alone() {
    let meeting = Meeting::new();
    fs::create_dir(meeting.folder()).unwrap();
    fs::set_permissions(meeting.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    let bridge = meeting.process();
    let (_drums, _) = stem(bridge, "Drums");
    eventually("two files", || (meeting.names().len() == 2).then_some(()));
    assert_eq!(fs::metadata(meeting.folder()).unwrap().mode() & 0o777, 0o700);
    for name in meeting.names() {
        assert_eq!(fs::metadata(meeting.folder().join(name)).unwrap().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_said_and_the_next_one_taken() {
    let meeting = Meeting::new();
    fs::write(meeting.folder(), b"a file").unwrap();
    let bridge = meeting.process();
    let (mut drums, _) = stem(bridge, "Drums");
    let trouble =
        eventually("trouble", || Some(bridge.state().trouble).filter(|trouble| !trouble.is_empty()));
    let place = meeting.place[0];
    assert!(trouble.starts_with(&format!("no link to other processes: {place}: ")), "{trouble}");
    assert!(trouble.ends_with("; see that it is a folder of yours"), "{trouble}");
    assert_eq!(bridge.state().folder, None);
    // instances here see each other all the same
    let (_mix, _) = master(bridge);
    drums.outlet.prepare(Hz(8000.0));
    assert_eq!(bridge.roster().peers().count(), 2);

    let second: &str = Box::leak(format!("{place}-second").into_boxed_str());
    let places: &'static [&'static str] = Box::leak(Box::new([place, second]));
    let other: &'static Bridge = Box::leak(Box::new(Bridge::between(roster(), Some(places), PACE)));
    let (_bass, _) = stem(other, "Bass");
    eventually("the second place", || other.state().folder.filter(|folder| folder == Path::new(second)));
    // and when the first is a folder again, it is used
    fs::remove_file(meeting.folder()).unwrap();
    eventually("the first place", || bridge.state().folder);
    assert_eq!(bridge.state().trouble, "");
}

#[test]
fn a_symbolic_link_in_the_folder_s_place_is_not_followed() {
    let meeting = Meeting::new();
    let elsewhere = meeting.root.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, meeting.folder()).unwrap();
    let bridge = meeting.process();
    let (_drums, _) = stem(bridge, "Drums");
    eventually("trouble", || Some(bridge.state().trouble).filter(|trouble| !trouble.is_empty()));
    assert_eq!(fs::read_dir(elsewhere).unwrap().count(), 0);
}

/// Giving a folder away takes root.
#[test]
fn another_user_s_folder_is_not_entered() {
    let meeting = Meeting::new();
    fs::create_dir(meeting.folder()).unwrap();
    if std::os::unix::fs::chown(meeting.folder(), Some(65_534), None).is_err() {
        return;
    }
    let bridge = meeting.process();
    let (_drums, _) = stem(bridge, "Drums");
    let trouble =
        eventually("trouble", || Some(bridge.state().trouble).filter(|trouble| !trouble.is_empty()));
    assert!(trouble.contains("it belongs to another user; remove it, or make it yours alone"), "{trouble}");
    assert!(meeting.names().is_empty());
    // nor is another user's file in our own folder
    std::os::unix::fs::chown(meeting.folder(), Some(rustix::process::geteuid().as_raw()), None).unwrap();
    let elsewhere = Elsewhere::new(&meeting);
    let file = elsewhere.file(&meeting, format::VERSION);
    telling("Bass").write_to(&file, 1).unwrap();
    std::os::unix::fs::fchown(&file, Some(65_534), None).unwrap();
    eventually("the folder", || bridge.state().folder);
    look(bridge);
    assert_eq!(bridged(bridge), 0);
}

#[test]
fn a_folder_that_is_swept_while_in_use_comes_back() {
    let meeting = Meeting::new();
    let (here, there) = (meeting.process(), meeting.process());
    let (drums, _) = stem(here, "Drums");
    let (_mix, _) = master(there);
    meet(there, "Drums");
    for name in meeting.names() {
        fs::remove_file(meeting.folder().join(name)).unwrap();
    }
    eventually("files again", || (meeting.names().len() == 4).then_some(()));
    let seen = meet(there, "Drums");
    assert_eq!(seen.id(), drums.outlet.id());
    fs::remove_dir_all(meeting.folder()).unwrap();
    eventually("files again", || (meeting.names().len() == 4).then_some(()));
    meet(there, "Drums");
}

#[test]
fn other_versions_are_counted_and_not_understood() {
    let meeting = Meeting::new();
    let elsewhere = Elsewhere::new(&meeting);
    let file = elsewhere.file(&meeting, format::VERSION + 1);
    telling("Drums").write_to(&file, 1).unwrap();
    // another version's folder: one process lives, one is dead
    let future = meeting.folder().with_file_name("stemlink-3");
    let folder = folder::Folder::open_or_make(&future).unwrap();
    let _lock = lock::Lock::take(&folder, 5).unwrap();
    fs::write(future.join(names::lock(6)), b"").unwrap();
    let bridge = meeting.process();
    let (_mix, _) = master(bridge);
    eventually("both", || (bridge.state().incompatible == [2, 3]).then_some(()));
    assert_eq!(bridged(bridge), 0);
    assert!(future.join(names::lock(6)).exists(), "nothing is removed there");
    drop(file);
    drop(elsewhere);
    eventually("one", || (bridge.state().incompatible == [3]).then_some(()));
}

#[test]
fn a_lock_is_taken_once_and_let_go_by_the_dead() {
    let meeting = Meeting::new();
    let folder = folder::Folder::open_or_make(meeting.folder()).unwrap();
    let ours = lock::Lock::take(&folder, 1).unwrap();
    assert!(ours.is_in_place() && lock::lives(&folder, 1));
    assert!(lock::Lock::take(&folder, 1).is_err());
    assert!(!lock::bury(&folder, 1, &[]));
    drop(ours);
    assert!(!lock::lives(&folder, 1));
    assert!(lock::bury(&folder, 1, &folder.names().unwrap()));
    assert!(folder.names().unwrap().iter().all(|name| !names::is_lock(name)));
}
