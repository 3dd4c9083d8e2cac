//! Observers beside the instances.

use super::*;

fn new_observer(test_folder: &TestFolder) -> Observer {
    let nowhere = test_folder.path().with_file_name("nowhere");
    Observer::with_folders(roster(), vec![nowhere, test_folder.path().to_owned()], INTERVALS)
}

fn find(observer: &Observer, name: &str) -> Option<PeerView> {
    let is_named = |peer: &PeerView| peer.info().is_some_and(|info| info.name.as_str() == name);
    observer.peers().find(is_named)
}

#[test]
fn an_observer_sees_all_instances_and_is_seen_by_none() {
    let test_folder = TestFolder::new();
    let mut observer = new_observer(&test_folder);
    observer.poll(Instant::now());
    assert!(!test_folder.path().exists(), "it creates nothing");
    assert_eq!((observer.peers().count(), observer.folder_errors().count()), (0, 0));
    assert!(observer.is_complete(Instant::now()), "without instances there is nothing to wait for");

    let (here, there) = (test_folder.bridge(), test_folder.bridge());
    let (drums, _) = stem(here, "Drums");
    let (_mix, _) = master(there);
    eventually("both", || {
        observer.poll(Instant::now());
        (observer.peers().count() == 2 && observer.is_complete(Instant::now())).then_some(())
    });
    let seen = find(&observer, "Drums").unwrap();
    assert_eq!((seen.id(), seen.presence()), (drums.audio_writer.id(), Presence::Awake));
    assert_eq!(observer.folder_of(seen), Some(test_folder.path()));
    assert_eq!(test_folder.file_names().len(), 4, "two locks, two instances, and nothing of the observer's");
    // the bridges list the folder themselves, in their own rounds
    find_named(here, "Mix");
    find_named(there, "Drums");
    assert_eq!((here.roster().peers().count(), there.roster().peers().count()), (2, 2));

    drop(drums);
    observer.poll(Instant::now());
    assert!(find(&observer, "Drums").is_none() && !seen.is_present());
}

#[test]
fn stale_files_are_neither_seen_nor_removed() {
    let test_folder = TestFolder::new();
    let (_drums, _) = stem(test_folder.bridge(), "Drums");
    let mut observer = new_observer(&test_folder);
    eventually("Drums", || {
        observer.poll(Instant::now());
        find(&observer, "Drums")
    });
    // copies under names of processes that have ended: without a lock, or with one that is not held
    let link = test_folder.file_names().into_iter().find(|name| !file_names::is_lock(name)).unwrap();
    for nonce in [1, 2] {
        let copy = test_folder.path().join(file_names::link_name(nonce, 3));
        std::fs::copy(test_folder.path().join(&link), copy).unwrap();
    }
    std::fs::write(test_folder.path().join(file_names::lock_name(2)), "").unwrap();
    let files = test_folder.file_names().len();
    observer.poll(Instant::now());
    observer.poll(Instant::now());
    assert_eq!((observer.peers().count(), test_folder.file_names().len()), (1, files));
}

#[test]
fn a_folder_that_cannot_be_read_is_reported() {
    let test_folder = TestFolder::new();
    std::fs::write(test_folder.path(), "a file").unwrap();
    let mut observer = new_observer(&test_folder);
    observer.poll(Instant::now());
    let failed: Vec<_> = observer.folder_errors().map(|(path, _)| path.to_owned()).collect();
    assert_eq!(failed, [test_folder.path()]);
}
