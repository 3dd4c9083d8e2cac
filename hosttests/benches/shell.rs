//! Cost of a plugin around its chain and meter: `cargo bench --package hosttests`. Per block of 512 frames; the goal for
//! the difference is 1.2 us.

#![allow(clippy::print_stdout, reason = "its figures are what it is run for")]

use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::{Block, Process};
use hosttests::{Library, MASTER, Plugin, STEM, noise};
use plugin_core::gauges::{Gauges, MeterTap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use units::Hz;

const FRAMES: usize = 512;
const RATE: f64 = 48_000.0;
/// Blocks of a round, and rounds, of which the quickest counts.
const BLOCKS: u64 = 20_000;
const ROUNDS: usize = 7;

/// Microseconds of a block, from the quickest of some rounds.
fn quickest(mut round: impl FnMut(u64) -> Duration) -> f64 {
    let least = (0..ROUNDS).map(|_| round(BLOCKS)).min().unwrap_or_default();
    least.as_secs_f64() * 1e6 / BLOCKS as f64
}

fn main() {
    let library = Library::open();
    let audio = noise(1, 2, FRAMES, 0.5);
    for (id, chain_kind) in [(STEM, ChainKind::Stem), (MASTER, ChainKind::Master)] {
        let mut plugin = Plugin::new(&library, id);
        let zero = plugin.typed(0, "Latency", "Zero");
        plugin.flush(&[zero]);
        plugin.activate(RATE, FRAMES as u32);
        let in_host = quickest(|blocks| plugin.spin(&audio, blocks));

        let mut chain = Chain::new(chain_kind, LatencyClass::Zero, Hz(RATE));
        chain.set(&ChainSettings::default());
        let mut tap = MeterTap::new(Hz(RATE), false, Arc::new(Gauges::default()));
        let wide = |channel: &[f32]| channel.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        let (mut left, mut right) = (wide(&audio[0]), wide(&audio[1]));
        let alone = quickest(|blocks| {
            let start = Instant::now();
            for _ in 0..blocks {
                chain.process(&mut Block::new(&mut left, &mut right));
                tap.process(&[&left, &right], None);
            }
            start.elapsed()
        });
        println!(
            "{id}: {in_host:.2} us a block in a host, {alone:.2} us its chain and meter alone: {:.2} us around them",
            in_host - alone
        );
    }
}
