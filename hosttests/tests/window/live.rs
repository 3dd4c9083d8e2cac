//! A Master's window while five Stems play: a move is tried and asked for, and stems are heard otherwise for a moment.

use super::band::Band;
use crate::{at_rest, keep, opened, stage};
use hosttests::host::Picture;
use hosttests::host::Window;
use hosttests::viewer::eventually;
use std::time::Duration;

/// In a window of the usual size: the ghost fader of the fourth stem, and the button beside the prediction.
const GHOST: (i16, i16) = (684, 278);
const APPLY: (i16, i16) = (933, 568);

/// In the same row: listen, mute.
const LISTEN: (i16, i16) = (139, 278);
const MUTE: (i16, i16) = (161, 278);

/// The lowest sixth of a picture: the timeline, or what a move does.
fn low(picture: &Picture) -> Picture {
    let from = picture.pixels.len() / 3 / picture.width * 5 / 6 * picture.width * 3;
    Picture { width: picture.width, pixels: picture.pixels[from..].to_vec() }
}

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn a_move_is_tried_at_the_master_and_asked_of_the_stem() {
    let (library, screen) = stage();
    let (mut band, mut master) = Band::new(&library, 60);
    band.play(&mut master, 34.0, false);
    let mut window = opened(&screen, &mut master);
    band.play(window.plugin, 2.0, true);
    // sound dies away, what was found out settles
    let before = at_rest(&mut window);
    keep(&before, "master-live");
    assert_eq!(band.gain(3), 1.0);

    window.press(GHOST);
    for step in 1..=5 {
        window.point((GHOST.0 + step * 6, GHOST.1), true);
    }
    let moved = window.wait(|_, picture| low(picture).differs(&low(&before)) > 2000);
    moved.expect("what the move does is said");
    window.pass(Duration::from_secs(2));
    keep(&window.picture(), "master-move");
    assert_eq!(band.gain(3), 1.0, "nothing that is heard has changed");
    window.release((GHOST.0 + 30, GHOST.1));
    window.pass(Duration::from_secs(2));
    assert!(low(&window.picture()).differs(&low(&before)) > 2000, "let go, it stays");

    window.click(APPLY, 1);
    let gain = eventually("the Stem has another gain", || {
        window.pass(Duration::from_millis(50));
        Some(band.gain(3)).filter(|gain| *gain != 1.0)
    });
    assert!((1.2..2.0).contains(&gain), "the Stem is {gain} times as loud");
    assert!((0..5).filter(|&n| n != 3).all(|n| band.gain(n) == 1.0), "and no other");
    band.play(window.plugin, 2.0, true);
    keep(&window.picture(), "master-applied");
}

/// Waits until the stems have these gains.
fn gains_become(band: &mut Band, window: &mut Window<'_>, wanted: [f32; 5], what: &str) {
    eventually(format!("{what}: gains of {wanted:?}"), || {
        window.pass(Duration::from_millis(50));
        let gains: [f32; 5] = std::array::from_fn(|n| band.gain(n));
        (gains == wanted).then_some(())
    });
}

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn stems_are_heard_otherwise_while_the_master_s_window_is_open_and_not_longer() {
    const ALL: [f32; 5] = [1.0; 5];
    const WITHOUT: [f32; 5] = [1.0, 1.0, 1.0, 0.0, 1.0];
    let (library, screen) = stage();
    let (mut band, mut master) = Band::new(&library, 20);
    band.play(&mut master, 12.0, false);
    let mut window = opened(&screen, &mut master);
    // rows appear once the Master knows which stems belong to the mix
    band.play(window.plugin, 2.0, true);
    window.pass(Duration::from_secs(2));
    gains_become(&mut band, &mut window, ALL, "at first");

    window.click(MUTE, 1);
    gains_become(&mut band, &mut window, WITHOUT, "muted");
    window.pass(Duration::from_millis(500));
    keep(&window.picture(), "master-muted");
    window.click(MUTE, 1);
    gains_become(&mut band, &mut window, ALL, "heard again");
    window.click(LISTEN, 1);
    gains_become(&mut band, &mut window, [0.0, 0.0, 0.0, 1.0, 0.0], "alone");

    // a host that activates a Stem, to render or to play, hears it as it is, and for good
    band.again(0);
    gains_become(&mut band, &mut window, ALL, "activated");
    window.pass(Duration::from_secs(1));
    assert_eq!(std::array::from_fn(|n| band.gain(n)), ALL);

    window.click(MUTE, 1);
    gains_become(&mut band, &mut window, WITHOUT, "muted again");
    drop(window);
    eventually("it is over with the window", || Some(()).filter(|()| band.gain(3) == 1.0));
}
