//! A scanner finds a quiet library: no file, thread or graphics of ours before a host activates or opens a window, and
//! nothing is left when the last instance has gone.
//! Alone in its process, so that threads and files can be counted.

#![cfg(target_os = "linux")]

use hosttests::{Library, MASTER, Plugin, STEM, noise};
use std::fs;
use std::time::{Duration, Instant};

/// Resources of this process: threads by name, open files, mapped files.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Possessions {
    threads: Vec<String>,
    files: Vec<String>,
    libraries: Vec<String>,
}

impl Possessions {
    fn now() -> Self {
        let entries = |folder: &str| {
            fs::read_dir(folder).expect("Linux has it").filter_map(Result::ok).map(|entry| entry.path())
        };
        let mut threads: Vec<String> = entries("/proc/self/task")
            .filter_map(|task| fs::read_to_string(task.join("comm")).ok())
            .map(|name| name.trim().to_owned())
            .collect();
        let mut files: Vec<String> = entries("/proc/self/fd")
            .filter_map(|file| fs::read_link(file).ok())
            .map(|path| path.display().to_string())
            // the folder that is being listed
            .filter(|path| !path.ends_with("/fd"))
            .collect();
        let maps = fs::read_to_string("/proc/self/maps").expect("Linux has it");
        let mut libraries: Vec<String> =
            maps.lines().filter_map(|line| line.find('/').map(|at| line[at..].to_owned())).collect();
        threads.sort();
        files.sort();
        libraries.sort();
        libraries.dedup();
        Self { threads, files, libraries }
    }
}

#[test]
fn nothing_of_ours_happens_before_activation() {
    // whatever the standard library does once, it has done
    drop(std::thread::spawn(|| {}).join());
    let before = Possessions::now();
    let library = Library::open();
    library.descriptors();
    let loaded = Possessions::now();
    assert_eq!((&loaded.threads, &loaded.files), (&before.threads, &before.files));
    let ours = Library::path().display().to_string();
    let new: Vec<&String> = loaded.libraries.iter().filter(|path| !before.libraries.contains(path)).collect();
    assert_eq!(new, [&ours], "no library but ours is loaded");

    let mut plugins = [STEM, MASTER].map(|id| Plugin::new(&library, id));
    for plugin in &mut plugins {
        plugin.idle();
        let state = plugin.save();
        assert!(plugin.load(&state));
        plugin.rows();
        plugin.idle();
    }
    let made = Possessions::now();
    assert_eq!((&made.files, &made.libraries), (&loaded.files, &loaded.libraries));
    // the framework has a thread for background tasks; it sleeps
    let threads = made.threads.len() - loaded.threads.len();
    assert!(threads <= plugins.len(), "{:?}", made.threads);

    for plugin in &mut plugins {
        plugin.activate(48_000.0, 512);
        plugin.run(&mut noise(1, 2, 4096, 0.5), None, &[512], &[]);
    }
    // a thread has its name when it runs
    let named = |possessions: &Possessions| {
        possessions.threads.iter().filter(|name| name.starts_with("stemlink")).cloned().collect::<Vec<_>>()
    };
    let (start, mut active) = (Instant::now(), Possessions::now());
    while named(&active).len() < 2 && start.elapsed() < Duration::from_secs(5) {
        active = Possessions::now();
    }
    assert_eq!(named(&active), ["stemlink link", "stemlink mix"], "the link's and the Master's");
    assert_eq!(active.libraries, made.libraries);
    let is_the_link_s = |path: &&String| path.contains("/stemlink-1");
    assert_eq!(
        active.files.iter().filter(|path| !is_the_link_s(path)).collect::<Vec<_>>(),
        made.files.iter().collect::<Vec<_>>()
    );
    drop(plugins);
    let left = Possessions::now();
    assert_eq!(left.files, before.files);
    assert_eq!(named(&left), [""; 0]);
}
