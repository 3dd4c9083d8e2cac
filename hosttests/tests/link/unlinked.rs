//! Failures of the link: they change no bit of any sound.

use super::alone::{Folder, alone, alone_in};
use super::desk::{RATE, song};
use chain::{ChainKind, LatencyClass};
use hosttests::reference::{self, TYPED, through_chain};
use hosttests::viewer::{eventually, saved};
use hosttests::{Library, MASTER, Plugin, STEM};

const PLUGINS: [(&str, ChainKind); 2] = [(STEM, ChainKind::Stem), (MASTER, ChainKind::Master)];

/// Both plugins sound as their chains do.
fn sounds_right(library: &Library, rate: f64) {
    let input = song(1, 2);
    for (kind, chain_kind) in PLUGINS {
        let mut plugin = Plugin::new(library, kind);
        let changes: Vec<_> = TYPED.iter().map(|(name, text, ..)| plugin.typed(0, name, text)).collect();
        plugin.flush(&changes);
        plugin.activate(rate, 1024);
        let mut output = input.clone();
        plugin.run(&mut output, None, &[512, 1, 1023], &[]);
        let class = if chain_kind == ChainKind::Stem { LatencyClass::Zero } else { LatencyClass::Lookahead };
        assert!(
            output == through_chain((chain_kind, class, rate), &reference::settings(), &input, None),
            "{kind}"
        );
    }
}

#[test]
fn without_a_runtime_folder() {
    alone_in("link::unlinked::without_a_runtime_folder", None, || sounds_right(&Library::open(), RATE));
}

#[test]
fn with_a_runtime_folder_that_cannot_be_used() {
    let folder = Folder::new();
    std::fs::write(folder.0.join("stemlink-1"), "no folder").expect("written");
    let test = "link::unlinked::with_a_runtime_folder_that_cannot_be_used";
    alone_in(test, Some(folder.0.clone()), || sounds_right(&Library::open(), RATE));
}

#[test]
fn with_a_runtime_folder_that_is_taken_away() {
    alone("link::unlinked::with_a_runtime_folder_that_is_taken_away", || {
        let library = Library::open();
        let runtime = std::env::var("XDG_RUNTIME_DIR").expect("this test has one");
        let mut other = Plugin::new(&library, STEM);
        other.activate(RATE, 1024);
        let folder = std::path::Path::new(&runtime).join("stemlink-1");
        eventually("the link starts", || folder.is_dir().then_some(()));
        // The link may be putting a file there right now.
        eventually("it is taken away", || std::fs::remove_dir_all(&folder).ok());
        sounds_right(&library, RATE);
    });
}

#[test]
fn without_a_place_at_the_table() {
    alone("link::unlinked::without_a_place_at_the_table", || {
        const LOW: f64 = 8000.0;
        let library = Library::open();
        let crowd: Vec<Plugin> = (0..link::roster::MAX_INSTANCES)
            .map(|_| {
                let mut plugin = Plugin::new(&library, STEM);
                plugin.activate(LOW, 64);
                plugin
            })
            .collect();
        let mut late = Plugin::new(&library, STEM);
        late.activate(LOW, 64);
        assert_eq!(saved(&mut late, "instance"), None, "there was no place");
        sounds_right(&library, LOW);
        drop(crowd);
    });
}
