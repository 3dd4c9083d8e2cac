//! Cost of the link: `cargo bench -p link`. Goals: 100 ns for a record, 1 ns for a frame of audio, 16 µs for 128 instances,
//! which is 0.1 % of a core at 60 times a second.
#![allow(missing_docs)] // criterion's macros make an undocumented function

use criterion::{Criterion, criterion_group, criterion_main};
use link::audio_ring::TapPoint;
use link::records::{BlockStatus, InstanceInfo, MAX_SETTINGS, PublishedSettings, StemReadings};
use link::roster::{MAX_INSTANCES, Roster};
use link::slot::Origin;
use session::timeline::BlockPosition;
use std::hint::black_box;
use units::{Db, Hz};

static ROSTER: Roster = Roster::new();

fn link(criterion: &mut Criterion) {
    let mut all: Vec<_> = (0..MAX_INSTANCES)
        .filter_map(|_| ROSTER.join(Origin::Local, None, &InstanceInfo::default()))
        .collect();
    let (audio_writer, control_writer) = &mut all[0];
    let peer = control_writer.view();
    let mut settings = PublishedSettings::new(1, 1);
    (0..MAX_SETTINGS).for_each(|n| settings.push(Some(n as f64)));

    criterion.bench_function("publish a block status", |b| {
        b.iter(|| audio_writer.publish_status(black_box(&BlockStatus::default())));
    });
    criterion.bench_function("publish 256 settings", |b| {
        b.iter(|| audio_writer.publish_settings(black_box(&settings)));
    });
    criterion.bench_function("publish readings", |b| {
        b.iter(|| control_writer.publish_readings(black_box(&StemReadings::default())));
    });
    criterion.bench_function("read a block status", |b| b.iter(|| black_box(peer).block_status()));
    criterion.bench_function("read readings", |b| b.iter(|| black_box(peer).stem_readings()));
    criterion.bench_function("read 256 settings", |b| b.iter(|| black_box(peer).settings()));
    criterion.bench_function("read 128 instances", |b| {
        b.iter(|| {
            for peer in ROSTER.peers() {
                black_box((
                    peer.id(),
                    peer.presence(),
                    peer.info(),
                    peer.block_status(),
                    peer.stem_readings(),
                ));
            }
        });
    });

    audio_writer.prepare_ring(Hz(48_000.0));
    audio_writer.mark_settings(1, Db(0.0), Db(0.0));
    let block = vec![0.25; 512];
    let mut position = 0;
    criterion.bench_function("ring: write 512 frames, in and out", |b| {
        b.iter(|| {
            let place = BlockPosition { position: Some(position), segment: 0, jumped: position == 0 };
            audio_writer.write_block(place, [&block, &block], black_box([&block, &block]));
            position += 512;
        });
    });
    let ring = peer.audio().expect("was prepared");
    let (mut left, mut right) = (vec![0.0; 512], vec![0.0; 512]);
    criterion.bench_function("ring: find and read 512 frames", |b| {
        b.iter(|| {
            let span = ring.timeline().and_then(|timeline| timeline.find_last(position - 1000))?;
            ring.copy_frames(TapPoint::Output, span.counter, [&mut left, &mut right]).then_some(left[0])
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(std::time::Duration::from_millis(300)).measurement_time(std::time::Duration::from_secs(1));
    targets = link
}
criterion_main!(benches);
