//! What the link costs: `cargo bench --bench link`. Goals: a snapshot within 100 ns, a frame of audio within 1 ns, 128
//! instances watched 60 times a second for 0.1 % of a core, that is 16 µs each time.
#![allow(missing_docs)] // criterion's macros make an undocumented function

use criterion::{Criterion, criterion_group, criterion_main};
use link::ring::Side;
use link::roster::{Roster, SLOTS};
use link::slot::Origin;
use link::snapshot::{BlockStatus, InstanceInfo, Settings, StemReadings, VALUES};
use session::timeline::BlockPosition;
use std::hint::black_box;
use units::{Db, Hz};

static ROSTER: Roster = Roster::new();

fn link(criterion: &mut Criterion) {
    let mut all: Vec<_> =
        (0..SLOTS).filter_map(|_| ROSTER.join(Origin::Here, None, &InstanceInfo::default())).collect();
    let (outlet, card) = &mut all[0];
    let peer = card.peer();
    let mut settings = Settings::new(1, 1);
    (0..VALUES).for_each(|n| settings.push(Some(n as f64)));

    criterion.bench_function("tell a pulse", |b| b.iter(|| outlet.tell(black_box(&BlockStatus::default()))));
    criterion.bench_function("tell 256 settings", |b| b.iter(|| outlet.set(black_box(&settings))));
    criterion
        .bench_function("tell figures", |b| b.iter(|| card.set_figures(black_box(&StemReadings::default()))));
    criterion.bench_function("snapshot: pulse", |b| b.iter(|| black_box(peer).pulse()));
    criterion.bench_function("snapshot: figures", |b| b.iter(|| black_box(peer).figures()));
    criterion.bench_function("snapshot: 256 settings", |b| b.iter(|| black_box(peer).settings()));
    criterion.bench_function("watch 128 instances", |b| {
        b.iter(|| {
            for peer in ROSTER.peers() {
                black_box((peer.id(), peer.presence(), peer.label(), peer.pulse(), peer.figures()));
            }
        });
    });

    outlet.prepare(Hz(48_000.0));
    outlet.mark(1, Db(0.0));
    let block = vec![0.25; 512];
    let mut position = 0;
    criterion.bench_function("ring: write 512 frames, in and out", |b| {
        b.iter(|| {
            let place = BlockPosition { position: Some(position), segment: 0, jumped: position == 0 };
            outlet.write(place, [&block, &block], black_box([&block, &block]));
            position += 512;
        });
    });
    let ring = peer.audio().expect("was prepared");
    let (mut left, mut right) = (vec![0.0; 512], vec![0.0; 512]);
    criterion.bench_function("ring: find and read 512 frames", |b| {
        b.iter(|| {
            let span = ring.timeline().and_then(|timeline| timeline.find_last(position - 1000))?;
            ring.read(Side::Output, span.counter, [&mut left, &mut right]).then_some(left[0])
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(std::time::Duration::from_millis(300)).measurement_time(std::time::Duration::from_secs(1));
    targets = link
}
criterion_main!(benches);
