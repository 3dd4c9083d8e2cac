//! The library as a scanner sees it.

use super::PLUGINS;
use hosttests::{Library, MASTER, Plugin, STEM};
use std::collections::HashSet;
use std::process::Command;
use std::time::Instant;

#[test]
fn the_library_has_both_plugins_with_their_features() {
    let library = Library::open();
    assert!(library.version().is_compatible());
    let found = library.descriptors();
    let names: Vec<(&str, &str)> = found.iter().map(|d| (d.id.as_str(), d.name.as_str())).collect();
    assert_eq!(names, [(STEM, "Stemlink Stem"), (MASTER, "Stemlink Master")]);
    for descriptor in &found {
        for feature in ["audio-effect", "stereo", "mastering", "analyzer"] {
            assert!(descriptor.features.iter().any(|f| f == feature), "{feature} in {descriptor:?}");
        }
        let unique: HashSet<&String> = descriptor.features.iter().collect();
        assert_eq!(unique.len(), descriptor.features.len(), "{:?}", descriptor.features);
        let [vendor, version, description] = &descriptor.words;
        assert_eq!((vendor.as_str(), version.as_str()), ("Stemlink", env!("CARGO_PKG_VERSION")));
        assert!(!description.is_empty());
        let mut plugin = Plugin::new(&library, &descriptor.id);
        assert_eq!(plugin.descriptor(), *descriptor);
    }
}

#[test]
fn an_id_that_is_not_ours_makes_nothing() {
    let library = Library::open();
    for id in ["", "org.stemlink", "org.stemlink.stemx1", "org.stemlink.Stem", "org.stemlink.stem "] {
        assert!(Plugin::try_new(&library, id).is_none(), "{id:?}");
    }
    assert!(library.has_factory(c"clap.plugin-factory"));
    assert!(!library.has_factory(c"clap.plugin-factory2") && !library.has_factory(c""));
}

#[test]
fn a_scan_is_quick() {
    // a copy of its own: another test may have it loaded
    let copy = std::env::temp_dir().join(format!("stemlink-scan-{}.clap", std::process::id()));
    std::fs::copy(Library::path(), &copy).expect("copied");
    let start = Instant::now();
    let names: Vec<String> = Library::open_at(&copy).descriptors().into_iter().map(|d| d.name).collect();
    let took = start.elapsed();
    println!("scanned {names:?} in {:.1} ms (goal 100 ms)", took.as_secs_f64() * 1e3);
    assert_eq!(names.len(), PLUGINS.len());
    std::fs::remove_file(copy).expect("removed");
}

#[test]
fn every_symbol_is_found_when_all_are_bound_at_once() {
    let test = "clap::scan::the_library_has_both_plugins_with_their_features";
    let child = Command::new(std::env::current_exe().expect("a test has a path"))
        .args(["--exact", test])
        .env("LD_BIND_NOW", "1")
        .output()
        .expect("the test runs itself");
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}
