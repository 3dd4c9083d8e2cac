//! Processor time of open windows, for docs/performance.md: measured, never judged.

use super::band::Band;
use crate::{Server, in_a_child, is_drawn, stage};
use hosttests::host::Window;
use std::time::{Duration, Instant};

const SECONDS: f64 = 10.0;

#[test]
#[ignore = "cargo test --package hosttests --test window what_windows_cost -- --ignored --nocapture"]
fn what_windows_cost() {
    let Some(server) = Server::start() else { return eprintln!("there is no Xvfb") };
    let (passed, said) = in_a_child(&server, &["the_cost_of_windows"], &[]);
    eprintln!("{said}");
    assert!(passed);
}

/// Processor time of this process, seconds: all its threads, those that draw in software included.
fn spent() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").expect("Linux says it");
    // behind the name, which may hold anything in brackets
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| fields[field].parse::<f64>().expect("a number");
    (ticks(11) + ticks(12)) / 100.0
}

/// Share of a core that `what` takes, per cent.
fn share(what: impl FnOnce()) -> f64 {
    let (start, before) = (Instant::now(), spent());
    what();
    100.0 * (spent() - before) / start.elapsed().as_secs_f64()
}

fn say(whose: &str, (idle, moving): (f64, f64), frames: usize) {
    let (rate, each) = (frames as f64 / SECONDS, 10.0 * moving * SECONDS / frames as f64);
    eprintln!(
        "{whose}, 1000x640: idle {idle:.1} %, moving {moving:.1} % of a core at {rate:.1} frames a second, {each:.2} ms each"
    );
}

fn settle(window: &mut Window<'_>) {
    window.wait(is_drawn).expect("the window is drawn");
    window.pass(Duration::from_secs(2));
}

#[test]
#[ignore = "what_windows_cost runs it"]
fn the_cost_of_windows() {
    let (library, screen) = stage();
    let (mut band, mut master) = Band::new(&library, 60);
    band.play(&mut master, 35.0, false);
    std::thread::sleep(Duration::from_secs(3));
    let alone = share(|| band.play(&mut master, SECONDS, true));
    let resting = share(|| std::thread::sleep(Duration::from_secs_f64(SECONDS)));
    {
        let mut window = screen.open(&mut master, (0, 0));
        settle(&mut window);
        let mut frames = window.frames();
        let idle = share(|| window.pass(Duration::from_secs_f64(SECONDS)));
        eprintln!("{} frames while nothing moves", frames.count());
        let mut frames = window.frames();
        let moving = share(|| band.play(window.plugin, SECONDS, true));
        say("Master", (idle - resting, moving - alone), frames.count());
    }
    let mut stem = band.stems.remove(3);
    {
        let mut window = screen.open(&mut stem, (0, 0));
        settle(&mut window);
        let mut frames = window.frames();
        let idle = share(|| window.pass(Duration::from_secs_f64(SECONDS)));
        eprintln!("{} frames while nothing moves", frames.count());
        // the Stem is played as a Master would be: what the others make together
        let mut frames = window.frames();
        let moving = share(|| band.play(window.plugin, SECONDS, true));
        say("Stem", (idle - resting, moving - alone), frames.count());
    }
    // how long a host waits, and the processor time of it, which other programs do not lengthen
    let (mut opening, mut closing) = (Duration::ZERO, Duration::ZERO);
    let (mut opened, mut closed) = (0.0, 0.0);
    for _ in 0..20 {
        let before = spent();
        let start = Instant::now();
        let mut window = screen.open(&mut stem, (0, 0));
        opening = opening.max(start.elapsed());
        opened += spent() - before;
        window.wait(is_drawn).expect("the window is drawn");
        let (start, before) = (Instant::now(), spent());
        drop(window);
        closing = closing.max(start.elapsed());
        closed += spent() - before;
    }
    let each = [opened, closed].map(|seconds: f64| 1000.0 * seconds / 20.0);
    eprintln!(
        "twenty windows: opened within {opening:?}, closed within {closing:?}; processor time of each {each:.1?} ms"
    );
}
