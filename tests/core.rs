//! No allocation on the audio thread: neither in the chain nor in the link, whatever they are told and fed.

#[cfg(not(feature = "alloc-guard"))] // which has its own
use assert_no_alloc::AllocDisabler;
use assert_no_alloc::assert_no_alloc;
use chain::parameters::PARAMETERS;
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::{Block, Key, Process};
use link::Roster;
use link::audio_ring::TapPoint;
use link::records::{BlockStatus, InstanceInfo, PublishedSettings};
use link::slot::Origin;
use meter::layout::Layout;
use meter::loudness::HopMeter;
use meter::true_peak::TruePeak;
use session::hop_builder::{HopBuilder, StemBlock};
use session::timeline::TransportTracker;
use testkit::Random;
use units::{Db, Hz};

/// Ends the test run when something allocates inside `assert_no_alloc`.
#[cfg(not(feature = "alloc-guard"))] // which has one
#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

#[test]
fn a_chain_never_allocates_after_construction() {
    let table = PARAMETERS.all();
    for chain_kind in [ChainKind::Stem, ChainKind::Master] {
        for class in LatencyClass::ALL {
            let mut random = Random::new(7);
            let mut chain = Chain::new(chain_kind, class, Hz(48_000.0));
            let mut settings = ChainSettings::default();
            let mut audio = [vec![0.0; 2048], vec![0.0; 2048]];
            let key = vec![0.3; 2048];
            for round in 0..600 {
                let parameter = &table[random.below(table.len())];
                let value = parameter.at_fraction(random.unit());
                let frames = 1 + random.below(2047);
                audio.iter_mut().flatten().for_each(|x| *x = random.unit() - 0.5);
                if round % 50 == 0 {
                    audio[0][0] = f64::NAN;
                }
                assert_no_alloc(|| {
                    parameter.set(&mut settings, value);
                    chain.set(&settings);
                    let [left, right] = &mut audio;
                    let key = Key { left: &key[..frames], right: &key[..frames] };
                    chain.process(&mut Block::new(&mut left[..frames], &mut right[..frames]).with_key(key));
                    if round % 100 == 99 {
                        chain.reset();
                    }
                });
            }
        }
    }
}

#[test]
fn the_sample_side_of_the_meter_never_allocates() {
    let mut random = Random::new(3);
    let audio: Vec<f64> = (0..4800).map(|_| random.unit() - 0.5).collect();
    let mut hops = HopMeter::new(Hz(48_000.0), &Layout::stereo());
    let mut peak = TruePeak::new();
    // Past 500 s: some meters allocate only then.
    assert_no_alloc(|| {
        for _ in 0..5200 {
            hops.process(&[&audio, &audio], 0..audio.len());
            peak.process(&audio);
            peak.take();
        }
    });
}

#[test]
fn telling_and_listening_never_allocate() {
    static ROSTER: Roster = Roster::new();
    let (mut outlet, card) =
        ROSTER.join(Origin::Local, None, &InstanceInfo::default()).expect("there is room");
    outlet.prepare_ring(Hz(48_000.0));
    let mut random = Random::new(5);
    let audio: Vec<f64> = (0..4096).map(|_| random.unit() - 0.5).collect();
    let (mut left, mut right) = (vec![0.0; 4096], vec![0.0; 4096]);
    let mut heard = 0;
    assert_no_alloc(|| {
        let mut wheel = TransportTracker::default();
        for block in 0..2000u64 {
            let frames = 1 + random.below(4095);
            let host = (block % 9 != 0).then_some((random.unit() * 1e6) as i64);
            outlet.publish_status(&BlockStatus { blocks: block, ..BlockStatus::default() });
            let mut settings = PublishedSettings::new(1, block);
            settings.push(Some(random.unit()));
            outlet.publish_settings(&settings);
            outlet.mark_settings(block / 3, Db(-6.0 * random.unit()), Db(0.0));
            outlet.write_block(wheel.locate(host, frames), [&audio[..frames]; 2], [&audio[..frames]; 2]);
            for peer in ROSTER.peers() {
                let told = (
                    peer.id(),
                    peer.info(),
                    peer.block_status(),
                    peer.stem_readings(),
                    peer.settings(),
                    peer.outbox(),
                );
                assert!(told.2.is_some_and(|pulse| pulse.blocks == block));
                let Some(ring) = peer.audio() else { continue };
                let Some(span) = ring.timeline().and_then(|t| host.and_then(|host| t.find_last(host))) else {
                    continue;
                };
                let count = span.frames.min(4096) as usize;
                let sides = [&mut left[..count], &mut right[..count]];
                assert!(
                    ring.settings_at(span.counter).is_some()
                        && ring.copy_frames(TapPoint::Output, span.counter, sides)
                );
                heard += count;
            }
        }
    });
    assert!(heard > 100_000);
    drop(card);
}

#[test]
fn watching_stems_never_allocates() {
    let mut random = Random::new(5);
    let audio: Vec<f64> = (0..2048).map(|_| random.unit() - 0.5).collect();
    let mut watch = HopBuilder::new(Hz(48_000.0));
    let mut position = 0;
    assert_no_alloc(|| {
        for round in 0..2000 {
            if round % 400 == 0 {
                watch.set_stems(round, random.below(33));
            }
            let frames = 1 + random.below(2047);
            let part = [&audio[..frames], &audio[..frames]];
            let mut blocks = [StemBlock { output: Some(part), input: None, continues: true }; 32];
            for block in &mut blocks {
                block.input = (random.chance(0.5)).then_some(part);
                block.output = (random.chance(0.99)).then_some(part);
                block.continues = random.chance(0.99);
            }
            // Plays, stops, jumps.
            watch.process((round % 300 > 20).then_some(position), part, &blocks);
            position += if round % 97 == 0 { -30_000 } else { frames as i64 };
            while round % 200 == 0 && watch.take_hop(|hop| assert!(hop.joint[0] >= 0.0)) {}
        }
    });
    assert!(watch.dropped() > 0, "a full queue is met, too");
}
