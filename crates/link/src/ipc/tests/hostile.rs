//! Folders and files of other users, other versions and other programs.

use super::*;
use crate::ipc::checked_dir::CheckedDir;
use crate::ipc::file_layout::{self, FileHeader, MAX_WANTED_STEMS, WireRecord};
use crate::ipc::process_lock::{ProcessLock, is_alive, remove_stale};
use crate::records::PublishedSettings;
use crate::request::Outbox;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};

/// Lock of another process that runs.
struct OtherProcess {
    nonce: u64,
    _lock: ProcessLock,
}

impl OtherProcess {
    fn new(test_folder: &TestFolder) -> Self {
        let folder = CheckedDir::open_or_create(test_folder.path()).unwrap();
        let nonce = unique_id().get();
        Self { nonce, _lock: ProcessLock::acquire(&folder, nonce).unwrap() }
    }

    /// Creates the file of an instance, with a header of that version.
    fn create_file(&self, test_folder: &TestFolder, version: u64) -> fs::File {
        let path = test_folder.path().join(file_names::link_name(self.nonce, unique_id().get()));
        let file = fs::File::options().read(true).write(true).create_new(true).open(path).unwrap();
        let process = ProcessIdentity { nonce: self.nonce, ..ProcessIdentity::default() };
        FileHeader { version, key: unique_id().get(), process }.write_to(&file).unwrap();
        file
    }
}

fn record(name: &str) -> WireRecord {
    WireRecord {
        id: InstanceId::mint(),
        presence: Presence::Awake,
        last_chunk: 0,
        wanted_stems: [0; MAX_WANTED_STEMS],
        info: info(name, 1),
        block_status: BlockStatus::default(),
        readings: StemReadings::default(),
        outbox: Outbox::new(0),
        summary: SessionSummary::default(),
        settings: PublishedSettings::new(0, 0),
    }
}

/// Lets the worker run a few rounds.
fn run_rounds(bridge: &'static Bridge) {
    for _ in 0..5 {
        bridge.wake_worker();
        std::thread::sleep(INTERVALS.idle);
    }
}

#[test]
fn an_instance_without_heartbeat_is_unresponsive_then_gone_and_may_return() {
    let test_folder = TestFolder::new();
    let other_process = OtherProcess::new(&test_folder);
    let file = other_process.create_file(&test_folder, file_layout::PROTOCOL_VERSION);
    record("Drums").write_file(&file, 1).unwrap();
    let bridge = test_folder.bridge();
    let (_mix, _) = master(bridge);
    let seen = find_named(bridge, "Drums");
    let start = Instant::now();
    assert_eq!(seen.presence(), Presence::Awake);
    eventually("unresponsive", || (seen.presence() == Presence::Unresponsive).then_some(()));
    assert!(start.elapsed() >= INTERVALS.unresponsive_after - Duration::from_millis(100));
    eventually("gone", || (!seen.is_present()).then_some(()));
    assert!(start.elapsed() >= INTERVALS.gone_after - Duration::from_millis(100));
    run_rounds(bridge);
    assert_eq!(bridged_count(bridge), 0, "its last record is not a new one");
    record("Drums").write_file(&file, 2).unwrap();
    find_named(bridge, "Drums");
}

#[test]
fn stale_files_are_removed() {
    let test_folder = TestFolder::new();
    fs::create_dir(test_folder.path()).unwrap();
    let ended = unique_id().get();
    let stale = [
        file_names::lock_name(ended),
        file_names::link_name(ended, 1),
        file_names::link_name(ended, 2),
        file_names::link_name(unique_id().get(), 3),
    ];
    for name in &stale {
        fs::write(test_folder.path().join(name), b"left behind").unwrap();
    }
    fs::write(test_folder.path().join("other file"), b"not ours").unwrap();
    let bridge = test_folder.bridge();
    let (mix, _) = master(bridge);
    eventually("a clean folder", || {
        (!stale.iter().any(|name| test_folder.file_names().contains(name))).then_some(())
    });
    assert_eq!(bridged_count(bridge), 0);
    drop(mix);
    assert_eq!(test_folder.file_names(), ["other file"], "other files stay");
}

#[test]
fn garbage_links_pipes_and_folders_are_no_instances() {
    let test_folder = TestFolder::new();
    let other_process = OtherProcess::new(&test_folder);
    let path = |key| test_folder.path().join(file_names::link_name(other_process.nonce, key));
    fs::write(path(1), b"garbage").unwrap();
    fs::write(path(2), b"").unwrap();
    fs::write(path(3), vec![0xff; 1 << 20]).unwrap();
    fs::create_dir(path(4)).unwrap();
    let outside = test_folder.root.join("outside");
    fs::write(&outside, b"outside").unwrap();
    symlink(&outside, path(5)).unwrap();
    symlink("nowhere", path(6)).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(path(7)).status();
    assert!(pipe.is_ok_and(|status| status.success()));
    // a folder in place of a lock proves nothing about its process
    fs::create_dir(test_folder.path().join(file_names::lock_name(99))).unwrap();
    fs::write(test_folder.path().join(file_names::link_name(99, 1)), b"garbage").unwrap();

    let bridge = test_folder.bridge();
    let (mut drums, _) = stem(bridge, "Drums");
    let other = test_folder.bridge();
    let (_mix, _) = master(other);
    drums.audio_writer.prepare_ring(Hz(8000.0));
    find_named(other, "Drums");
    run_rounds(bridge);
    assert_eq!(bridged_count(bridge), 1, "the other Master alone");
    assert_eq!(bridge.state().fault, "");
    assert_eq!(fs::read(&outside).unwrap(), b"outside");
}

#[test]
fn a_file_without_its_header_is_gone_in_time() {
    let test_folder = TestFolder::new();
    let other_process = OtherProcess::new(&test_folder);
    let file = other_process.create_file(&test_folder, file_layout::PROTOCOL_VERSION);
    record("Drums").write_file(&file, 1).unwrap();
    let bridge = test_folder.bridge();
    let (_mix, _) = master(bridge);
    let seen = find_named(bridge, "Drums");
    file.set_len(5000).unwrap();
    eventually("gone", || (!seen.is_present()).then_some(()));
    file.write_all_at(&[0xaa; 20_000], 0).unwrap();
    run_rounds(bridge);
    assert_eq!(bridged_count(bridge), 0);
}

#[test]
fn files_and_folder_are_for_the_user_alone() {
    let test_folder = TestFolder::new();
    fs::create_dir(test_folder.path()).unwrap();
    fs::set_permissions(test_folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let bridge = test_folder.bridge();
    let (_drums, _) = stem(bridge, "Drums");
    eventually("two files", || (test_folder.file_names().len() == 2).then_some(()));
    assert_eq!(fs::metadata(test_folder.path()).unwrap().mode() & 0o777, 0o700);
    for name in test_folder.file_names() {
        assert_eq!(fs::metadata(test_folder.path().join(name)).unwrap().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_reported_and_the_next_one_used() {
    let test_folder = TestFolder::new();
    fs::write(test_folder.path(), b"a file").unwrap();
    let bridge = test_folder.bridge();
    let (mut drums, _) = stem(bridge, "Drums");
    let fault = eventually("a fault", || Some(bridge.state().fault).filter(|fault| !fault.is_empty()));
    let first = test_folder.folders[0];
    assert!(fault.starts_with(&format!("no link to other processes: {first}: ")), "{fault}");
    assert!(fault.ends_with("; check that it is a folder of yours"), "{fault}");
    assert_eq!(bridge.state().folder, None);
    // instances in this process see each other
    let (_mix, _) = master(bridge);
    drums.audio_writer.prepare_ring(Hz(8000.0));
    assert_eq!(bridge.roster().peers().count(), 2);

    let second: &str = Box::leak(format!("{first}-second").into_boxed_str());
    let folders: &'static [&'static str] = Box::leak(Box::new([first, second]));
    let other: &'static Bridge =
        Box::leak(Box::new(Bridge::with_folders(roster(), Some(folders), INTERVALS)));
    let (_bass, _) = stem(other, "Bass");
    eventually("the second folder", || other.state().folder.filter(|folder| folder == Path::new(second)));
    // the first one is used once it is a folder
    fs::remove_file(test_folder.path()).unwrap();
    eventually("the first folder", || bridge.state().folder);
    assert_eq!(bridge.state().fault, "");
}

#[test]
fn a_symbolic_link_in_the_folder_s_place_is_not_followed() {
    let test_folder = TestFolder::new();
    let target = test_folder.root.join("target");
    fs::create_dir(&target).unwrap();
    symlink(&target, test_folder.path()).unwrap();
    let bridge = test_folder.bridge();
    let (_drums, _) = stem(bridge, "Drums");
    eventually("a fault", || Some(bridge.state().fault).filter(|fault| !fault.is_empty()));
    assert_eq!(fs::read_dir(target).unwrap().count(), 0);
}

/// Does nothing without root, which changing an owner takes.
#[test]
fn a_folder_of_another_user_is_not_used() {
    let test_folder = TestFolder::new();
    fs::create_dir(test_folder.path()).unwrap();
    if std::os::unix::fs::chown(test_folder.path(), Some(65_534), None).is_err() {
        return;
    }
    let bridge = test_folder.bridge();
    let (_drums, _) = stem(bridge, "Drums");
    let fault = eventually("a fault", || Some(bridge.state().fault).filter(|fault| !fault.is_empty()));
    assert!(
        fault.contains("it belongs to another user; remove it, or change its owner to yourself"),
        "{fault}"
    );
    assert!(test_folder.file_names().is_empty());
    // nor is a file of another user in the user's own folder
    std::os::unix::fs::chown(test_folder.path(), Some(rustix::process::geteuid().as_raw()), None).unwrap();
    let other_process = OtherProcess::new(&test_folder);
    let file = other_process.create_file(&test_folder, file_layout::PROTOCOL_VERSION);
    record("Bass").write_file(&file, 1).unwrap();
    std::os::unix::fs::fchown(&file, Some(65_534), None).unwrap();
    eventually("the folder", || bridge.state().folder);
    run_rounds(bridge);
    assert_eq!(bridged_count(bridge), 0);
}

#[test]
fn a_folder_that_is_removed_while_in_use_is_created_again() {
    let test_folder = TestFolder::new();
    let (here, there) = (test_folder.bridge(), test_folder.bridge());
    let (drums, _) = stem(here, "Drums");
    let (_mix, _) = master(there);
    find_named(there, "Drums");
    let seen = found_without_files(&test_folder, there);
    assert_eq!(seen.id(), drums.audio_writer.id());
    fs::remove_dir_all(test_folder.path()).unwrap();
    eventually("files again", || (test_folder.file_names().len() == 4).then_some(()));
    find_named(there, "Drums");
}

#[test]
fn instances_of_other_versions_are_counted_and_not_read() {
    let test_folder = TestFolder::new();
    let other_process = OtherProcess::new(&test_folder);
    let file = other_process.create_file(&test_folder, file_layout::PROTOCOL_VERSION + 1);
    record("Drums").write_file(&file, 1).unwrap();
    // the folder of another version: one process runs, one has ended
    let versions = [1, 2].map(|more| file_layout::PROTOCOL_VERSION + more);
    let future = test_folder.path().with_file_name(format!("stemlink-{}", versions[1]));
    let folder = CheckedDir::open_or_create(&future).unwrap();
    let _lock = ProcessLock::acquire(&folder, 5).unwrap();
    fs::write(future.join(file_names::lock_name(6)), b"").unwrap();
    let bridge = test_folder.bridge();
    let (_mix, _) = master(bridge);
    eventually("both", || (bridge.state().incompatible == versions).then_some(()));
    assert_eq!(bridged_count(bridge), 0);
    assert!(future.join(file_names::lock_name(6)).exists(), "nothing is removed there");
    drop(file);
    drop(other_process);
    eventually("one", || (bridge.state().incompatible == versions[1..]).then_some(()));
}

#[test]
fn a_lock_is_taken_once_and_released_by_the_end_of_its_process() {
    let test_folder = TestFolder::new();
    let folder = CheckedDir::open_or_create(test_folder.path()).unwrap();
    let lock = ProcessLock::acquire(&folder, 1).unwrap();
    assert!(lock.is_in_place() && is_alive(&folder, 1));
    assert!(ProcessLock::acquire(&folder, 1).is_err());
    assert!(!remove_stale(&folder, 1, &[]));
    drop(lock);
    assert!(!is_alive(&folder, 1));
    assert!(remove_stale(&folder, 1, &folder.names().unwrap()));
    assert!(folder.names().unwrap().iter().all(|name| !file_names::is_lock(name)));
}
