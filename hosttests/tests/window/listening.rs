//! Something else is heard than a Stem's output, for as long as its window is open.

use crate::{is_drawn, stage};
use hosttests::{Call, Plugin, STEM, noise};
use std::time::Duration;

/// In a window of the usual size: the headphones, what they open, and where nothing is.
const HEADPHONES: (i16, i16) = (920, 22);
const MENU: i16 = 945;
const NOTHING: (i16, i16) = (500, 634);

/// Whether a neutral Stem changes what it gets.
fn changes(plugin: &mut Plugin) -> bool {
    let audio = noise(7, 2, 48_000, 0.3);
    let mut last = false;
    for at in (0..47_616).step_by(512) {
        let mut block: Vec<Vec<f32>> = audio.iter().map(|side| side[at..at + 512].to_vec()).collect();
        plugin.call(&mut block, Call::default());
        last = block.iter().zip(&audio).any(|(out, side)| out[..] != side[at..at + 512]);
    }
    last
}

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn listening_ends_when_the_window_is_closed() {
    let (library, screen) = stage();
    let mut plugin = Plugin::new(&library, STEM);
    plugin.activate(48_000.0, 512);
    let mut window = screen.open(&mut plugin, (0, 0));
    window.wait(is_drawn).expect("the window is drawn");
    assert!(!changes(window.plugin));
    let mut listens = false;
    for y in (70..300).step_by(10) {
        window.click(HEADPHONES, 1);
        window.pass(Duration::from_millis(300));
        window.click((MENU, y), 1);
        window.pass(Duration::from_millis(300));
        listens = changes(window.plugin);
        if listens {
            break;
        }
        window.click(NOTHING, 1);
        window.pass(Duration::from_millis(300));
    }
    assert!(listens, "a way of listening is chosen");
    drop(window);
    assert!(!changes(&mut plugin), "the window is closed: the output is heard");
}
