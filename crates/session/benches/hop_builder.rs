//! Cost of hops on the Master's audio thread: `cargo bench -p session --bench hop_builder`. One second of audio per
//! iteration, so 5 ms are 0.5 % of a core.
#![allow(missing_docs)] // criterion's macros make an undocumented function

use criterion::{Criterion, criterion_group, criterion_main};
use session::hop_builder::{HopBuilder, StemBlock};
use testkit::noise;
use units::Hz;

const RATE: Hz = Hz(48_000.0);
const FRAMES: usize = 48_000;
const BLOCK: usize = 512;

/// One second of decaying noise bursts.
fn programme(seed: u64) -> [Vec<f64>; 2] {
    [seed, seed ^ 0xabcd].map(|seed| {
        let noise = noise(seed, FRAMES, 0.7).into_iter().enumerate();
        noise.map(|(n, x)| x * (1.0 - (n % 12_000) as f64 / 12_000.0)).collect()
    })
}

fn build_hops(criterion: &mut Criterion) {
    for (name, stems, inputs) in [
        ("8 stems", 8, 0),
        ("16 stems", 16, 0),
        ("16 stems, 8 with a chain", 16, 8),
        ("32 stems, all with a chain", 32, 32),
    ] {
        let audio: Vec<[Vec<f64>; 2]> = (0..=stems as u64).map(|i| programme(i + 1)).collect();
        let mut builder = HopBuilder::new(RATE);
        builder.set_stems(1, stems);
        let mut position = 0;
        criterion.bench_function(&format!("hop builder: 1 s of {name}"), |b| {
            b.iter(|| {
                let mut blocks = [StemBlock::default(); 32];
                for at in (0..FRAMES - BLOCK).step_by(BLOCK) {
                    let part = |i: usize| [0, 1].map(|side: usize| &audio[i][side][at..at + BLOCK]);
                    for (i, block) in blocks[..stems].iter_mut().enumerate() {
                        let input = (i < inputs).then(|| part(i + 1));
                        *block = StemBlock { output: Some(part(i)), input, continues: true };
                    }
                    builder.process(Some(position), part(stems), &blocks[..stems]);
                    position += BLOCK as i64;
                    while builder.take_hop(|hop| _ = std::hint::black_box(hop.heard)) {}
                }
            });
        });
    }
}

criterion_group!(benches, build_hops);
criterion_main!(benches);
