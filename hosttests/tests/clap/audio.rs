//! Audio through the plugins: bit for bit the chain's, whatever the host does.

use super::{PLUGINS, RATE, through_chain, typed};
use chain::parameters::{PARAMETERS, Value};
use chain::{Chain, ChainKind, LatencyClass};
use dsp::Process;
use hosttests::reference::settings;
use hosttests::{Call, Library, MASTER, Plugin, Random, STEM, Status, noise};
use std::time::Instant;
use units::Hz;

#[test]
fn at_its_defaults_a_plugin_changes_no_bit() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        plugin.activate(RATE, 1024);
        let latency = plugin.latency() as usize;
        let input = noise(1, 2, 9000, 0.9);
        let mut output = input.clone();
        plugin.run(&mut output, None, &[512, 1, 1023, 64], &[]);
        for (i, o) in input.iter().zip(&output) {
            assert_eq!(o[latency..], i[..9000 - latency], "{id}");
        }
    }
}

#[test]
fn latency_is_that_of_the_class_and_each_choice_of_one_asks_for_a_restart_once() {
    let library = Library::open();
    let mut plugin = Plugin::new(&library, STEM);
    plugin.activate(RATE, 512);
    assert_eq!(plugin.latency(), 0);
    let lookahead = plugin.typed(0, "Latency", "Lookahead");
    let mut audio = noise(1, 2, 512, 0.5);
    plugin.block(&mut audio, None, &[lookahead], false);
    plugin.block(&mut audio, None, &[], false);
    assert_eq!((plugin.latency(), plugin.restarts()), (0, 1));
    // each choice is a wish of its own; the class that is active needs no restart
    for (class, asked) in [("Linear & Denoise", 2), ("Zero", 2), ("Lookahead", 3)] {
        let choice = plugin.typed(0, "Latency", class);
        plugin.block(&mut audio, None, &[choice], false);
        plugin.block(&mut audio, None, &[], false);
        assert_eq!((plugin.latency(), plugin.restarts()), (0, asked), "{class}");
    }
    plugin.deactivate();
    plugin.activate(RATE, 512);
    let chain = Chain::new(ChainKind::Stem, LatencyClass::Lookahead, Hz(RATE));
    assert!(plugin.latency() > 0 && plugin.latency() as usize == chain.latency().0);
}

#[test]
fn the_output_is_the_chain_s_bit_for_bit_however_the_host_cuts_it() {
    let library = Library::open();
    for (id, chain_kind) in PLUGINS {
        let class = chain_kind.default_class();
        let input = noise(7, 2, 20_000, 0.9);
        let expected = through_chain(chain_kind, class, &settings(), &input, None);
        for sizes in [&[512][..], &[1], &[4096], &[16_384], &[37, 512, 1, 4095, 3]] {
            let mut plugin = Plugin::new(&library, id);
            let changes = typed(&mut plugin);
            plugin.flush(&changes);
            plugin.activate(RATE, 16_384);
            let mut output = input.clone();
            plugin.run(&mut output, None, sizes, &[]);
            assert!(output == expected, "{id} in blocks of {sizes:?}");
        }
    }
}

#[test]
fn the_sidechain_keys_the_compressor() {
    let library = Library::open();
    let (input, key) = (noise(1, 2, 16_000, 0.1), noise(2, 2, 16_000, 0.9));
    let mut plugin = Plugin::new(&library, STEM);
    let mut changes = typed(&mut plugin);
    changes.push(plugin.typed(0, "Compressor Key Sidechain", "Sidechain"));
    plugin.flush(&changes);
    plugin.activate(RATE, 512);
    let mut output = input.clone();
    plugin.run(&mut output, Some(&key), &[500], &[]);
    let mut settings = settings();
    PARAMETERS.find("comp_key").expect("exists").set(&mut settings, Value::Choice(1));
    let with =
        |key: &[Vec<f32>]| through_chain(ChainKind::Stem, LatencyClass::Zero, &settings, &input, Some(key));
    assert!(output == with(&key));
    assert!(output != with(&noise(3, 2, 16_000, 0.01)));
}

#[test]
fn in_place_and_out_of_place_sound_the_same_and_odd_blocks_do_no_harm() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        let run = |in_place: bool| {
            let mut plugin = Plugin::new(&library, id);
            let changes = typed(&mut plugin);
            plugin.flush(&changes);
            plugin.activate(RATE, 65_536);
            let mut all = Vec::new();
            for (seed, frames) in [0, 1, 2, 3, 511, 513, 0, 8191, 8192, 65_536].into_iter().enumerate() {
                let mut audio = noise(seed as u64, 2, frames, 0.8);
                plugin.block(&mut audio, None, &[], in_place);
                all.push(audio);
            }
            all
        };
        assert!(run(true) == run(false), "{id}");
    }
}

#[test]
fn every_longest_block_is_taken() {
    let library = Library::open();
    let mut random = Random::new(5);
    for (id, _) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        for longest in [1, 256, 1024, 4096, 16_384, 1536, 10, 17, 2027] {
            plugin.activate(RATE, longest as u32);
            for _ in 0..4 {
                let frames = 1 + random.below(longest);
                let mut audio = noise(2, 2, frames, 0.9);
                plugin.block(&mut audio, None, &[], false);
                assert!(audio.iter().flatten().all(|x| x.is_finite()), "{id} {longest}");
            }
            plugin.deactivate();
        }
    }
}

#[test]
fn every_rate_gives_finite_audio_and_no_rate_at_all_is_refused() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        for rate in [
            1234.5678, 8000.0, 11_025.0, 12_345.678, 22_050.0, 44_100.0, 45_678.901, 47_952.047, 88_200.0,
            96_000.0, 123_456.78, 192_000.0, 384_000.0, 768_000.0,
        ] {
            let mut plugin = Plugin::new(&library, id);
            let changes = typed(&mut plugin);
            plugin.flush(&changes);
            plugin.activate(rate, 512);
            let mut audio = noise(5, 2, 20_000, 0.9);
            audio[0][100] = f32::NAN;
            audio[1][200] = f32::INFINITY;
            audio[1][300] = f32::MAX;
            audio[0][400] = 1e-42;
            plugin.run(&mut audio, None, &[512], &[]);
            assert!(
                audio.iter().flatten().all(|x| x.is_finite() && (*x == 0.0 || x.is_normal())),
                "{id} at {rate}"
            );
        }
        for rate in [0.0, -48_000.0, f64::NAN, f64::INFINITY] {
            assert!(!Plugin::new(&library, id).try_activate(rate, 512), "{rate}");
        }
    }
}

#[test]
fn reset_and_reactivation_start_anew() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        let changes = typed(&mut plugin);
        plugin.flush(&changes);
        plugin.activate(RATE, 512);
        let input = noise(4, 2, 5000, 0.9);
        let mut pass = |prepare: fn(&mut Plugin)| {
            prepare(&mut plugin);
            let mut output = input.clone();
            plugin.run(&mut output, None, &[512], &[]);
            output
        };
        let first = pass(|_| {});
        assert!(pass(Plugin::reset) == first, "{id}: reset");
        for _ in 0..10 {
            let again = pass(|plugin| {
                plugin.deactivate();
                plugin.activate(RATE, 512);
            });
            assert!(again == first, "{id}: reactivation");
        }
        // another rate and back
        plugin.deactivate();
        plugin.activate(2.0 * RATE, 64);
        plugin.run(&mut noise(1, 2, 640, 0.5), None, &[64], &[]);
        plugin.deactivate();
        plugin.activate(RATE, 512);
        let mut output = input.clone();
        plugin.run(&mut output, None, &[512], &[]);
        assert!(output == first, "{id}: another rate between");
    }
}

#[test]
fn silence_stays_silence_and_the_tail_is_as_long_as_said() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        let changes = typed(&mut plugin);
        plugin.flush(&changes);
        plugin.activate(RATE, 512);
        let mut silence = vec![vec![0.0; 4096]; 2];
        plugin.run(&mut silence, None, &[512], &[]);
        assert!(silence.iter().flatten().all(|x| *x == 0.0), "{id}");
        let status = plugin.block(&mut noise(1, 2, 512, 0.9), None, &[], false);
        // a host may not let us sleep while something sounds
        assert_eq!(status, Status::Continue);
        let tail = plugin.tail().expect("it ends") as usize;
        let mut after = vec![vec![0.0; tail + 4096]; 2];
        plugin.run(&mut after, None, &[512], &[]);
        let loudest = after.iter().flat_map(|c| &c[tail..]).fold(0.0f32, |m, x| m.max(x.abs()));
        assert!(loudest < 1e-6, "{id}: {loudest} after {tail} frames");
    }
}

#[test]
fn subnormal_input_costs_no_more_and_makes_none() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        let changes = typed(&mut plugin);
        plugin.flush(&changes);
        plugin.activate(44_100.0, 512);
        let mut time = |peak: f32| {
            plugin.reset();
            let mut audio = noise(8, 2, 512 * 50, peak);
            let start = Instant::now();
            plugin.run(&mut audio, None, &[512], &[]);
            assert!(audio.iter().flatten().all(|x| *x == 0.0 || x.is_normal()), "{id}");
            start.elapsed().as_secs_f64()
        };
        time(1.0);
        let (ordinary, subnormal) = (time(1.0), time(f32::MIN_POSITIVE));
        println!("{id}: subnormal input takes {:.2} times as long (goal 1.2)", subnormal / ordinary);
        // the flags of this thread's floating-point unit are as they were
        assert!(std::hint::black_box(f32::MIN_POSITIVE) / 2.0 > 0.0);
    }
}

#[test]
fn a_hundred_instances_come_and_go() {
    let library = Library::open();
    let mut alive = Vec::new();
    for i in 0..100 {
        let mut plugin = Plugin::new(&library, if i % 2 == 0 { STEM } else { MASTER });
        if i % 3 == 0 {
            plugin.activate(RATE, 64);
            plugin.call(&mut noise(1, 2, 64, 0.5), Call::default());
        }
        if i % 5 == 0 {
            alive.push(plugin);
        }
    }
    for plugin in &mut alive {
        plugin.save();
    }
}
