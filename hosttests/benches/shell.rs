//! Cost of a plugin around its chain and meter: `cargo bench --package hosttests`. Per block of 512 frames; the goal for
//! the difference is 1.2 us.
#![allow(missing_docs)] // criterion's macros make an undocumented function

use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use criterion::{Criterion, criterion_group, criterion_main};
use dsp::{Block, Process};
use hosttests::{Library, MASTER, Plugin, STEM, noise};
use plugin_core::gauges::{Gauges, MeterTap};
use std::sync::Arc;
use std::time::Instant;
use units::Hz;

const FRAMES: usize = 512;
const RATE: f64 = 48_000.0;

fn shells(criterion: &mut Criterion) {
    let library = Library::open();
    let audio = noise(1, 2, FRAMES, 0.5);
    for (id, chain_kind) in [(STEM, ChainKind::Stem), (MASTER, ChainKind::Master)] {
        let mut plugin = Plugin::new(&library, id);
        let zero = plugin.typed(0, "Latency", "Zero");
        plugin.flush(&[zero]);
        plugin.activate(RATE, FRAMES as u32);
        criterion.bench_function(&format!("{id} in a host"), |b| {
            b.iter_custom(|times| plugin.spin(&audio, times));
        });

        let mut chain = Chain::new(chain_kind, LatencyClass::Zero, Hz(RATE));
        chain.set(&ChainSettings::default());
        let mut tap = MeterTap::new(Hz(RATE), false, Arc::new(Gauges::default()));
        let wide = |channel: &[f32]| channel.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        let (mut left, mut right) = (wide(&audio[0]), wide(&audio[1]));
        criterion.bench_function(&format!("{id}: its chain and meter alone"), |b| {
            b.iter_custom(|times| {
                let start = Instant::now();
                for _ in 0..times {
                    chain.process(&mut Block::new(&mut left, &mut right));
                    tap.process(&[&left, &right], None);
                }
                start.elapsed()
            });
        });
    }
}

criterion_group!(benches, shells);
criterion_main!(benches);
