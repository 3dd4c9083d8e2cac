//! No allocation on a host's audio thread: the engine never allocates after its construction.

#[cfg(not(feature = "alloc-guard"))] // which has its own
use assert_no_alloc::AllocDisabler;
use assert_no_alloc::assert_no_alloc;
use chain::monitor::MonitorMode;
use chain::{ChainKind, ChainSettings, LatencyClass};
use link::Roster;
use link::hop_queue::{HopMessage, hop_queue};
use link::ipc::{Bridge, InstanceSource, Intervals};
use link::records::{InstanceInfo, InstanceKind, StemReadings};
use link::stem_aligner::StemAligner;
use plugin_core::StemParams;
use plugin_core::gauges::Gauges;
use plugin_core::reference_clip::{ClipExchange, PlayMode, PlayRequest, ReferenceClip};
use std::sync::Arc;
use stemlink::broadcast::{Broadcast, TransportPosition};
use stemlink::engine::Engine;
use units::{Db, Hz};

/// Ends the test run when something allocates inside `assert_no_alloc`.
#[cfg(not(feature = "alloc-guard"))] // which has one
#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

#[test]
fn an_engine_never_allocates_after_construction() {
    let params = StemParams::default();
    for class in LatencyClass::ALL {
        let gauges = Arc::new(Gauges::default());
        let mut engine = Engine::new(ChainKind::Stem, class, Hz(48_000.0), false, Arc::clone(&gauges));
        let mut audio: Vec<f32> = (0..4096).map(|i| (i as f32 * 0.37).sin() * 0.5).collect();
        audio[77] = f32::NAN;
        let mut key = [vec![0.1f32; 2048], vec![0.2; 2048]];
        let key: Vec<&mut [f32]> = key.iter_mut().map(Vec::as_mut_slice).collect();
        for round in 0..400u64 {
            let frames = (round as usize * 37) % 2049;
            let (left, right) = audio.split_at_mut(2048);
            let mut channels = [&mut left[..frames], &mut right[..frames]];
            assert_no_alloc(|| {
                engine.apply_settings(params.changes() + round / 3, || (params.settings(), params.trim()));
                engine.process(&mut channels, Some(&key), TransportPosition::default());
                if round % 100 == 99 {
                    engine.reset();
                }
            });
        }
        assert!(gauges.reading().momentary.is_some());
    }
}

#[test]
fn references_come_play_and_go_without_an_allocation() {
    const RATE: Hz = Hz(48_000.0);
    let exchange = ClipExchange::default();
    let clip =
        |level: f32| Arc::new(ReferenceClip { rate: RATE, start: 0, frames: vec![[level; 2]; 9000].into() });
    let mut engine = Engine::new(ChainKind::Master, LatencyClass::Zero, RATE, false, Arc::default());
    engine.connect_references(exchange.take_inbox());
    let mut heard = Vec::new();
    for round in 0..200u16 {
        let song = round / 20;
        if round % 20 == 0 {
            let way = if song % 2 == 0 { PlayMode::Loop(0, 9000) } else { PlayMode::FollowTransport(0) };
            assert!(exchange.send_request(Some(PlayRequest {
                song,
                clip: clip(f32::from(song) / 100.0),
                mode: way
            })));
        }
        let (mut left, mut right) = ([0.5f32; 480], [0.5f32; 480]);
        let mut channels = [&mut left[..], &mut right[..]];
        let transport = TransportPosition { playing: true, position: Some(i64::from(round) * 480) };
        let listen = MonitorMode::Reference { song, gain: Db(0.0) };
        assert_no_alloc(|| {
            engine.set_monitor_mode(if round % 20 < 15 { listen } else { MonitorMode::Off });
            engine.process(&mut channels, None, transport);
        });
        heard.push(left[479]);
        if round % 20 == 0 {
            exchange.free_returned();
        }
    }
    for song in 0..10 {
        let expected = song as f32 / 100.0;
        assert!((heard[song * 20 + 12] - expected).abs() < 1e-6, "song {song}: {}", heard[song * 20 + 12]);
        assert_eq!(heard[song * 20 + 19], 0.5);
    }
}

/// An instance without a window or a state.
struct Mute(InstanceKind);

impl InstanceSource for Mute {
    fn info(&self) -> InstanceInfo {
        InstanceInfo { kind: self.0, ..InstanceInfo::default() }
    }

    fn readings(&self) -> StemReadings {
        StemReadings::default()
    }
}

#[test]
fn linked_engines_never_allocate_whatever_they_tell_and_hear() {
    static ROSTER: Roster = Roster::new();
    // no folder: what crosses to other processes is no part of this
    static BRIDGE: Bridge = Bridge::with_folders(&ROSTER, Some(&["/dev/null/none"]), Intervals::DEFAULT);
    const RATE: Hz = Hz(48_000.0);
    let (sender, receiver) = hop_queue();
    let mut ears = Some(StemAligner::new(&ROSTER, RATE, Arc::default(), sender));
    let mut make = |chain_kind, kind| {
        let gauges = Arc::new(Gauges::default());
        let membership = BRIDGE.join(None, Arc::new(Mute(kind))).expect("there is room");
        let mut broadcast = Broadcast::new(chain_kind, membership, Arc::clone(&gauges));
        broadcast.prepare(RATE, 0, if kind == InstanceKind::Master { ears.take() } else { None });
        let mut engine = Engine::new(chain_kind, LatencyClass::Zero, RATE, false, gauges);
        engine.connect_broadcast(Some(Box::new(broadcast)));
        engine
    };
    let mut engines = [
        make(ChainKind::Stem, InstanceKind::Stem),
        make(ChainKind::Stem, InstanceKind::Stem),
        make(ChainKind::Master, InstanceKind::Master),
    ];
    let mut audio: Vec<f32> = (0..4096).map(|i| (i as f32 * 0.37).sin() * 0.5).collect();
    let mut position = 0;
    for round in 0..600u64 {
        let frames = (round as usize * 37) % 2049;
        let (left, right) = audio.split_at_mut(2048);
        let mut channels = [&mut left[..frames], &mut right[..frames]];
        let transport = TransportPosition { playing: round % 50 != 49, position: Some(position) };
        position = if round % 200 == 199 { 0 } else { position + frames as i64 };
        assert_no_alloc(|| {
            for (n, engine) in engines.iter_mut().enumerate() {
                let settings = || (ChainSettings::default(), Db(-(round as f64) / 100.0));
                engine.apply_settings(round / 3 + n as u64, settings);
                engine.set_monitor_mode(if round % 90 > 80 { MonitorMode::Mono } else { MonitorMode::Off });
                engine.process(&mut channels, None, transport);
                if round % 300 == 299 {
                    engine.reset();
                }
            }
        });
    }
    let hops = receiver.filter(|message| matches!(message, HopMessage::Hop(..))).count();
    assert!(hops > 50, "{hops}");
}
