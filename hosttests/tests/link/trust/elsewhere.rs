//! Stems of a session in a process of their own, which plays what it is told to.

use super::rig::{Place, make_stem};
use super::scenario::Scenario;
use crate::link::desk::RATE;
use hosttests::host::transport;
use hosttests::viewer::{Viewer, eventually, id};
use hosttests::{Library, Plugin};
use link::InstanceId;
use std::io::{BufRead, BufReader, Write};
use std::ops::Range;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The variable that tells the other process the seed of its session.
const SEED: &str = "STEMLINK_TRUST_STEMS";
/// First word of what it says.
const READY: &str = "stem";
const PLAYED: &str = "played";
/// Frames of a block.
const BLOCK: usize = 512;

/// The other process.
pub(super) struct Elsewhere {
    _child: Ended,
    orders: ChildStdin,
    words: BufReader<ChildStdout>,
    stems: Vec<(usize, InstanceId)>,
}

impl Elsewhere {
    pub(super) fn start(seed: u64) -> Self {
        let child = Command::new(std::env::current_exe().expect("a test has a path"))
            .args(["link::trust::elsewhere::stems_of_another_process", "--exact", "--nocapture"])
            .env(SEED, seed.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = Ended(child.expect("it starts"));
        let orders = child.0.stdin.take().expect("piped");
        let mut words = BufReader::new(child.0.stdout.take().expect("piped"));
        let mut stems = Vec::new();
        loop {
            let line = next_line(&mut words);
            if line == PLAYED {
                return Self { _child: child, orders, words, stems };
            }
            let mut parts = line.split(' ');
            if parts.next() == Some(READY) {
                let numbers: Vec<u64> = parts.map(|part| part.parse().expect("a number")).collect();
                stems.push((numbers[0] as usize, InstanceId::new(numbers[1]).expect("an id")));
            }
        }
    }

    /// Numbers and ids of its Stems, once they are seen here.
    pub(super) fn stems(&self, viewer: &Viewer) -> Vec<(usize, InstanceId)> {
        for (_, id) in &self.stems {
            let view = viewer.find(*id);
            eventually("it says what it is", || view.info());
        }
        self.stems.clone()
    }

    /// Has it play a range of the song.
    pub(super) fn play(&mut self, range: &Range<usize>) {
        writeln!(self.orders, "{} {}", range.start, range.end).expect("it listens");
        while next_line(&mut self.words) != PLAYED {}
    }
}

fn next_line(words: &mut impl BufRead) -> String {
    let mut line = String::new();
    assert!(words.read_line(&mut line).expect("it speaks") > 0, "the other process has ended");
    line.trim().to_owned()
}

/// A process that ends with this value.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Plays the Stems of the session that the environment names; without one there is nothing to do.
#[test]
#[allow(clippy::print_stdout, reason = "the process that has started this one reads it")]
fn stems_of_another_process() {
    let Ok(seed) = std::env::var(SEED) else { return };
    let scenario = Scenario::random(seed.parse().expect("a number")).0;
    let library = Library::open();
    let plans = scenario.buses.into_iter().enumerate();
    let mut stems: Vec<_> = plans
        .filter(|(_, plan)| plan.place == Place::Elsewhere)
        .map(|(number, plan)| {
            let mut plugin: Plugin = make_stem(&library, number);
            println!("\n{READY} {number} {}", id(&mut plugin).get());
            (plugin, plan)
        })
        .collect();
    println!("{PLAYED}");
    let mut players: Vec<_> = stems.iter_mut().map(|(plugin, plan)| (plugin.lend(), &*plan)).collect();
    for line in std::io::stdin().lines() {
        let line = line.expect("text");
        let (from, to) = line.split_once(' ').expect("from and to");
        let (from, to): (usize, usize) = (from.parse().expect("a frame"), to.parse().expect("a frame"));
        for at in (from..to).step_by(BLOCK) {
            let end = to.min(at + BLOCK);
            for (player, plan) in &mut players {
                let mut audio: Vec<Vec<f32>> = plan.song.iter().map(|side| side[at..end].to_vec()).collect();
                let seconds = (at as i64 + plan.ahead) as f64 / RATE;
                player.play(&mut audio, Some(&transport(0, seconds, 120.0)));
            }
        }
        println!("{PLAYED}");
    }
    std::process::exit(0);
}
