//! Audio thread of a plugin: the chain, its meters, and the containment of panics.

use super::broadcast::{Broadcast, TransportPosition};
use super::monitor::Monitor;
use chain::monitor::MonitorMode;
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::delay::Delay;
use dsp::{Block, Key, Process, boxed};
use plugin_core::gauges::scope::ScopePoint;
use plugin_core::gauges::{Gauges, Health, MeterTap};
use plugin_core::noise::{LearnRequest, Noise};
use plugin_core::reference_clip::ClipInbox;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use units::{Db, Hz, Samples};

/// Maximum frames processed at once; larger host blocks are split.
pub(super) const CHUNK_FRAMES: usize = 512;

/// A sample of this value at the start of a chunk makes the engine panic, for tests of the containment.
#[cfg(any(test, feature = "injected-panic"))]
pub const INJECTED_PANIC: f32 = 1.234_567e30;

/// State of audio processing, allocated when the host activates.
pub struct Engine {
    chain: Box<Chain>,
    class: LatencyClass,
    tap: MeterTap,
    gauges: Arc<Gauges>,
    /// Left, right, left key, right key: conversion from the host's `f32` to the chain's `f64`.
    buffers: Box<[[f64; CHUNK_FRAMES]; 4]>,
    /// Parameter change count of the settings in use; `None` after reset.
    applied_changes: Option<u64>,
    /// Delayed input in place of the chain after a panic, with the chain's latency.
    dry: [Delay; 2],
    failed: bool,
    /// The signal heard in place of the output.
    monitor_mode: MonitorMode,
    /// True while the chain learns noise.
    is_learning: bool,
    monitor: Monitor,
    /// `None` if the roster was full.
    broadcast: Option<Box<Broadcast>>,
}

impl Engine {
    /// Creates an engine for audio at `rate`. Allocates; needs little stack.
    pub fn new(
        chain_kind: ChainKind,
        class: LatencyClass,
        rate: Hz,
        mono: bool,
        gauges: Arc<Gauges>,
    ) -> Box<Self> {
        let chain = boxed(|| Chain::new(chain_kind, class, rate));
        let latency = chain.latency();
        gauges.publish_latency(latency.0 as u64);
        gauges.scope().publish_rate(rate);
        gauges.publish_class(class);
        boxed(|| Self {
            chain,
            class,
            tap: MeterTap::new(rate, mono, Arc::clone(&gauges)),
            gauges,
            buffers: Box::new([[0.0; CHUNK_FRAMES]; 4]),
            applied_changes: None,
            dry: [Delay::new(latency), Delay::new(latency)],
            failed: false,
            monitor_mode: MonitorMode::Off,
            is_learning: false,
            monitor: Monitor::new(rate),
            broadcast: None,
        })
    }

    /// Connects publication to the link.
    pub fn connect_broadcast(&mut self, broadcast: Option<Box<Broadcast>>) {
        self.broadcast = broadcast;
    }

    /// Connects playback of reference clips from `inbox`.
    pub fn connect_references(&mut self, inbox: Option<ClipInbox>) {
        self.monitor.connect_inbox(inbox);
    }

    /// Disconnects broadcast and inbox, for the next engine. Frees held clips: not for the audio thread.
    pub fn take_parts(&mut self) -> (Option<Box<Broadcast>>, Option<ClipInbox>) {
        (self.broadcast.take(), self.monitor.disconnect_inbox())
    }

    /// Frees held reference clips, while no audio thread runs.
    pub fn free_reference(&mut self) {
        let inbox = self.monitor.disconnect_inbox();
        self.monitor.connect_inbox(inbox);
    }

    /// Latency of the chain, constant.
    pub fn latency(&self) -> Samples {
        self.chain.latency()
    }

    /// Latency class of the chain.
    pub fn class(&self) -> LatencyClass {
        self.class
    }

    /// Forgets all audio, and tries the chain again after a contained panic. Meter readings stay.
    pub fn reset(&mut self) {
        self.dry.iter_mut().for_each(|delay| delay.fill(0.0));
        (self.applied_changes, self.failed) = (None, false);
        self.set_monitor_mode(MonitorMode::Off);
        self.monitor.reset();
        if let Some(broadcast) = &mut self.broadcast {
            broadcast.interrupt();
        }
        self.contain_panic(|engine| engine.chain.reset());
    }

    /// Runs `risk`; returns false after a panic, from which on the delayed input passes until reset.
    fn contain_panic(&mut self, risk: impl FnOnce(&mut Self)) -> bool {
        let went_well = catch_unwind(AssertUnwindSafe(|| risk(self))).is_ok();
        if !went_well {
            self.failed = true;
            self.gauges.count_panic();
        }
        went_well
    }

    /// Applies new settings if the parameter count `changes` differs from the last call's. Only then `settings` is
    /// called; it returns the settings and the trim that a Master has requested.
    pub fn apply_settings(&mut self, changes: u64, settings: impl FnOnce() -> (ChainSettings, Db)) {
        if self.applied_changes != Some(changes) {
            self.contain_panic(|engine| {
                let (mut settings, trim) = settings();
                if let Some(broadcast) = &mut engine.broadcast {
                    broadcast.set_settings(&settings, trim);
                }
                // the trim is part of the level: as exact, and smoothed alike
                settings.level = settings.level + trim;
                engine.chain.set(&settings);
            });
            self.applied_changes = Some(changes);
        }
    }

    /// Selects the signal heard in place of the output. Meters pause while the chain's own output is replaced; gain
    /// and mute act behind the meters.
    pub fn set_monitor_mode(&mut self, mode: MonitorMode) {
        if mode != self.monitor_mode {
            self.monitor_mode = mode;
            let inside = self.monitor.set_mode(mode);
            self.contain_panic(|engine| engine.chain.set_monitor_mode(inside));
            if let Some(broadcast) = &mut self.broadcast {
                broadcast.set_monitoring(mode != MonitorMode::Off);
            }
        }
    }

    /// Starts, continues or finishes noise learning as `noise` requests; a finished print is stored there.
    pub fn update_noise_learning(&mut self, noise: &Noise) {
        let request = noise.request();
        if request == LearnRequest::None && !self.is_learning {
            return;
        }
        self.contain_panic(|engine| {
            if request != LearnRequest::Keep {
                engine.is_learning = request == LearnRequest::Learn;
                engine.chain.set_noise_learning(engine.is_learning);
                noise.set_learned_duration(engine.chain.learned_duration());
                return;
            }
            engine.chain.set_noise_learning(false);
            let learned = if engine.is_learning { engine.chain.learned_noise() } else { None };
            engine.is_learning = !noise.finish_learning(learned.as_ref());
        });
    }

    /// Processes a host block in place: one or two channels, with as many key channels, all equally long. A panic
    /// mutes the block; from the next on, the input passes with the chain's latency, until reset.
    pub fn process(
        &mut self,
        channels: &mut [&mut [f32]],
        key: Option<&[&mut [f32]]>,
        transport: TransportPosition,
    ) {
        if self.failed {
            self.pass_through(channels);
        } else if !self.contain_panic(|engine| engine.process_chunks(channels, key, transport)) {
            channels.iter_mut().for_each(|channel| channel.fill(0.0));
        }
    }

    fn process_chunks(
        &mut self,
        channels: &mut [&mut [f32]],
        key: Option<&[&mut [f32]]>,
        transport: TransportPosition,
    ) {
        let frames = channels.first().map_or(0, |channel| channel.len());
        let mut at = 0;
        while at < frames {
            let end = frames.min(at + CHUNK_FRAMES);
            self.process_chunk(channels, key, transport, at..end);
            at = end;
        }
        let health = Health {
            compressor_reduction: self.chain.compressor_reduction(),
            limiter_reduction: self.chain.limiter_reduction(),
            sanitized: self.chain.sanitized(),
            faults: self.chain.faults(),
        };
        self.gauges.publish_health(health);
        if let Some(broadcast) = &mut self.broadcast {
            broadcast.publish_block(transport, &health);
        }
    }

    fn process_chunk(
        &mut self,
        channels: &mut [&mut [f32]],
        key: Option<&[&mut [f32]]>,
        transport: TransportPosition,
        range: core::ops::Range<usize>,
    ) {
        #[cfg(any(test, feature = "injected-panic"))]
        assert!(channels[0][range.start] != INJECTED_PANIC, "injected");
        let frames = range.len();
        let [left, right, key_left, key_right] = &mut *self.buffers;
        let (left, right) = (&mut left[..frames], &mut right[..frames]);
        let (key_left, key_right) = (&mut key_left[..frames], &mut key_right[..frames]);

        let [first, rest @ ..] = channels else { return };
        // a mono signal is processed as two equal channels
        widen(left, &first[range.clone()]);
        widen(right, &rest.first().unwrap_or(first)[range.clone()]);
        self.gauges.scope().write_frames(ScopePoint::Before, left, right);
        if let Some(broadcast) = &mut self.broadcast {
            broadcast.align_stems(transport, range.start, [left, right]);
        }
        let mut block = Block::new(left, right);
        if let Some([first, rest @ ..]) = key
            && first.len() >= range.end
        {
            widen(key_left, &first[range.clone()]);
            widen(key_right, &rest.first().unwrap_or(first)[range.clone()]);
            self.gauges.scope().write_frames(ScopePoint::Sidechain, key_left, key_right);
            block = block.with_key(Key { left: key_left, right: key_right });
        }
        let was_heard_as_it_is = self.chain.is_monitor_off();
        self.chain.process(&mut block);
        let is_metered = was_heard_as_it_is && self.chain.is_monitor_off() && transport.is_metered();
        self.gauges.scope().write_frames(ScopePoint::After, left, right);
        if let Some(broadcast) = &mut self.broadcast {
            broadcast.write_block(transport, range.start, self.chain.dry_input(), [left, right]);
        }
        let (compressor, limiter) = (self.chain.compressor_reduction(), self.chain.limiter_reduction());
        self.gauges.scope().write_reductions(compressor, limiter, frames);

        if is_metered {
            let both: [&[f64]; 2] = [left, right];
            // the chain's output is of its input a latency ago
            let latency = self.chain.latency().0 as i64;
            let position =
                transport.timeline_position(range.start).map(|position| position.saturating_sub(latency));
            self.tap.process(if rest.is_empty() { &both[..1] } else { &both }, position);
        } else if !transport.is_metered() {
            self.tap.pause();
        }
        self.monitor.process(left, right, transport, range.start);
        narrow(&mut first[range.clone()], left);
        if let Some(second) = rest.first_mut() {
            narrow(&mut second[range], right);
        }
    }

    /// Passes the input with the chain's latency; non-finite samples become silence.
    fn pass_through(&mut self, channels: &mut [&mut [f32]]) {
        for (channel, delay) in channels.iter_mut().zip(&mut self.dry) {
            for sample in channel.iter_mut() {
                let input = if sample.is_finite() { f64::from(*sample) } else { 0.0 };
                *sample = delay.next(input) as f32;
            }
        }
    }
}

fn widen(to: &mut [f64], from: &[f32]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = f64::from(from);
    }
}

fn narrow(to: &mut [f32], from: &[f64]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = from as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;
    use units::Lufs;

    fn engine(class: LatencyClass, mono: bool) -> Box<Engine> {
        Engine::new(ChainKind::Stem, class, Hz(48_000.0), mono, Arc::default())
    }

    fn defaults() -> (ChainSettings, Db) {
        (ChainSettings::default(), Db(0.0))
    }

    fn signal(seed: u64, frames: usize) -> Vec<f32> {
        noise(seed, frames, 0.5).into_iter().map(|x| x as f32).collect()
    }

    #[test]
    fn at_its_defaults_a_stem_changes_no_bit_in_blocks_of_any_size() {
        for mono in [false, true] {
            let (left, right) = (signal(1, 5000), signal(2, 5000));
            let (mut l, mut r) = (left.clone(), right.clone());
            let mut engine = engine(LatencyClass::Zero, mono);
            let mut at = 0;
            for size in [0, 1, 511, 512, 513, 3, 2000, 1460] {
                engine.apply_settings(0, defaults);
                let (l, r) = (&mut l[at..at + size], &mut r[at..at + size]);
                if mono {
                    engine.process(&mut [l], None, TransportPosition::default());
                } else {
                    engine.process(&mut [l, r], None, TransportPosition::default());
                }
                at += size;
            }
            assert_eq!(at, 5000);
            assert!(l == left && r == right, "mono: {mono}");
        }
    }

    #[test]
    fn settings_are_read_only_when_parameters_have_changed() {
        let mut engine = engine(LatencyClass::Zero, false);
        let mut reads = 0;
        for changes in [0, 0, 0, 1, 1] {
            engine.apply_settings(changes, || {
                reads += 1;
                defaults()
            });
        }
        assert_eq!(reads, 2);
        engine.reset();
        engine.apply_settings(1, || {
            reads += 1;
            defaults()
        });
        assert_eq!(reads, 3);
    }

    #[test]
    fn a_panic_mutes_its_block_then_the_input_passes_as_late_as_before_until_reset() {
        let mut engine = engine(LatencyClass::Lookahead, false);
        let latency = engine.latency().0;
        let settings = || (ChainSettings { level: Db(-9.0), ..ChainSettings::default() }, Db(3.0));
        engine.apply_settings(0, settings);
        let (mut l, mut r) = (signal(1, 700), signal(2, 700));
        l[512] = INJECTED_PANIC;
        engine.process(&mut [&mut l, &mut r], None, TransportPosition::default());
        assert!(l.iter().chain(&r).all(|&x| x == 0.0));
        assert_eq!(engine.gauges.panics(), 1);

        let mut input = signal(3, 2000);
        input[100] = f32::NAN;
        let (mut l, mut r) = (input.clone(), input.clone());
        engine.process(&mut [&mut l, &mut r], None, TransportPosition::default());
        input[100] = 0.0;
        assert_eq!(l[latency..], input[..2000 - latency]);
        assert_eq!(engine.gauges.panics(), 1);

        let recovered = |engine: &mut Engine| {
            engine.reset();
            engine.apply_settings(0, settings);
            let (mut l, mut r) = (input.clone(), input.clone());
            engine.process(&mut [&mut l, &mut r], None, TransportPosition::default());
            assert!((f64::from(l[latency + 50]) - f64::from(input[50]) * Db(-6.0).gain()).abs() < 1e-6);
        };
        recovered(&mut engine);
        engine.apply_settings(1, || panic!("injected"));
        let (mut l, mut r) = (input.clone(), input.clone());
        engine.process(&mut [&mut l, &mut r], None, TransportPosition::default());
        assert_eq!((&l[latency..], engine.gauges.panics()), (&input[..2000 - latency], 2));
        recovered(&mut engine);
    }

    #[test]
    fn not_a_number_in_is_finite_out() {
        let mut engine = engine(LatencyClass::Zero, false);
        let (mut l, mut r) = (vec![f32::NAN; 100], vec![f32::INFINITY; 100]);
        engine.process(&mut [&mut l, &mut r], None, TransportPosition::default());
        assert!(l.iter().chain(&r).all(|x| x.is_finite()));
        assert_eq!(engine.gauges.health().sanitized, 200);
    }

    #[test]
    fn noise_is_learned_while_wanted_and_is_what_the_chain_learns() {
        let wanted = Noise::new(plugin_core::control::Changes::default());
        let mut engine = engine(LatencyClass::LinearDenoise, false);
        let mut chain = Chain::new(ChainKind::Stem, LatencyClass::LinearDenoise, Hz(48_000.0));
        chain.set(&ChainSettings::default());
        let mut hear = |engine: &mut Engine, seed: u64, learned: bool| {
            let (mut l, mut r) = (signal(seed, 24_000), signal(seed + 1, 24_000));
            if learned {
                let (mut left, mut right) = (vec![0.0; 24_000], vec![0.0; 24_000]);
                widen(&mut left, &l);
                widen(&mut right, &r);
                chain.set_noise_learning(true);
                chain.process(&mut Block::new(&mut left, &mut right));
            }
            for (l, r) in l.chunks_mut(480).zip(r.chunks_mut(480)) {
                engine.apply_settings(0, defaults);
                engine.update_noise_learning(&wanted);
                engine.process(&mut [l, r], None, TransportPosition::default());
            }
            chain.learned_noise()
        };
        hear(&mut engine, 1, false);
        assert_eq!(wanted.learned_duration(), None);
        engine.reset();
        wanted.start_learning();
        hear(&mut engine, 3, true);
        // a host that stops resets what it plays, not what was learned
        engine.reset();
        let heard = wanted.learned_duration().expect("learning").0;
        assert!((heard - 450.0).abs() < 60.0, "{heard} ms");
        wanted.keep_learned();
        let learned = hear(&mut engine, 5, false);
        assert!(learned.is_some());
        assert_eq!((wanted.print(), wanted.learned_duration()), (learned, None));

        wanted.start_learning();
        hear(&mut engine, 7, false);
        wanted.cancel_learning();
        hear(&mut engine, 9, false);
        assert_eq!((wanted.print(), wanted.learned_duration()), (learned, None), "forgotten");
    }

    #[test]
    fn meters_say_what_leaves_whatever_is_heard() {
        let mut engine = engine(LatencyClass::Zero, false);
        engine.apply_settings(0, defaults);
        fn second(engine: &mut Engine, listen: MonitorMode) -> (f32, u64, Option<Lufs>) {
            engine.set_monitor_mode(listen);
            let (mut l, mut r) = (signal(1, 48_000), signal(2, 48_000));
            engine.process(&mut [&mut l, &mut r], None, TransportPosition::default());
            (l[40_000] / signal(1, 48_000)[40_000], engine.gauges.hops(), engine.gauges.reading().integrated)
        }
        let (gain, hops, loudness) = second(&mut engine, MonitorMode::Off);
        assert_eq!((gain, hops), (1.0, 10));
        // louder for the ear alone, and metered on
        let (gain, hops, same) = second(&mut engine, MonitorMode::Gain(Db(6.0)));
        assert!((f64::from(gain) - Db(6.0).gain()).abs() < 1e-6 && hops == 20);
        assert!((same.expect("heard").0 - loudness.expect("heard").0).abs() < 0.05);
        // what is no output is not metered, its fades included
        assert_eq!(second(&mut engine, MonitorMode::Bypass(Db(12.0))).1, 20);
        let (gain, hops, same) = second(&mut engine, MonitorMode::Off);
        assert!(gain == 1.0 && hops == 29 && engine.gauges.reading().true_peak.is_some_and(|p| p.0 < 0.0));
        assert!((same.expect("heard").0 - loudness.expect("heard").0).abs() < 0.05);
    }

    #[test]
    fn listening_ends_with_reset() {
        let mut engine = engine(LatencyClass::Zero, false);
        engine.apply_settings(0, defaults);
        let heard = |engine: &mut Engine| {
            let (mut l, mut r) = (signal(1, 4000), signal(2, 4000));
            engine.process(&mut [&mut l, &mut r], None, TransportPosition::default());
            (l[3000..] == signal(1, 4000)[3000..], l[3000..] == r[3000..])
        };
        engine.set_monitor_mode(MonitorMode::Mono);
        assert_eq!(heard(&mut engine), (false, true));
        engine.reset();
        assert_eq!(heard(&mut engine), (true, false));
    }
}
