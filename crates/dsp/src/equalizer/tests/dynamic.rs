//! Bands that move by themselves.

use super::super::dynamics::STEP;
use super::super::table::Table;
use super::*;
use crate::filter::{Kernel, State};
use crate::rig::parts::parts_add_up;
use crate::{CONTROL_INTERVAL, Key, KeySource};
use testkit::sine;
use units::{Ms, linear};

const FRAMES: usize = 48_000;

fn dynamic(range: f64, key: KeySource) -> DynamicSettings {
    DynamicSettings { range: Db(range), key, ..DynamicSettings::default() }
}

/// A band of no gain that moves by `range` in 1 ms and back in 50 ms.
fn moving(shape: Shape, frequency: f64, q: f64, range: f64, key: KeySource) -> BandSettings {
    let dynamic = DynamicSettings { attack: Ms(1.0), release: Ms(50.0), ..dynamic(range, key) };
    BandSettings { dynamic, ..band(shape, frequency, 0.0, q) }
}

fn both(samples: Vec<f64>) -> Stereo {
    Stereo { right: samples.clone(), left: samples }
}

fn tone(frequency: f64, amplitude_db: f64, frames: usize) -> Vec<f64> {
    sine(frequency, 0.0, RATE.0, frames).into_iter().map(|x| x * linear(amplitude_db)).collect()
}

/// Runs `signal` keyed by `key` and gives the first band's movement after every step of 8 frames.
fn run(equalizer: &mut Equalizer, signal: &mut Stereo, key: &[f64]) -> Vec<f64> {
    (0..signal.left.len())
        .step_by(STEP)
        .map(|at| {
            let range = at..(at + STEP).min(signal.left.len());
            let key = Key { left: &key[range.clone()], right: &key[range.clone()] };
            let (left, right) = (&mut signal.left[range.clone()], &mut signal.right[range]);
            equalizer.process(&mut Block::new(left, right).with_key(key));
            equalizer.movements()[0].0
        })
        .collect()
}

fn movement_of(settings: BandSettings, key: &[f64]) -> Vec<f64> {
    let mut equalizer = Equalizer::new(RATE);
    equalizer.set(&only(settings));
    run(&mut equalizer, &mut Stereo::silence(key.len()), key)
}

#[test]
fn stems_that_follow_add_up_to_the_sum() {
    let both = |gain: f64, range: f64, placement| {
        let dynamic =
            DynamicSettings { range: Db(range), threshold: Db(-40.0), ..DynamicSettings::default() };
        let band = BandSettings {
            on: true,
            frequency: Hz(800.0),
            gain: Db(gain),
            placement,
            dynamic,
            ..BandSettings::default()
        };
        let mut settings = EqualizerSettings::default();
        settings.bands[1] = BandSettings { shape: Shape::HighShelf, frequency: Hz(3000.0), ..band };
        settings.bands[4] = band;
        settings
    };
    let changes = [
        (0, both(3.0, -9.0, Placement::Stereo)),
        (5000, both(-2.0, 6.0, Placement::Stereo)),
        (9000, both(-2.0, 6.0, Placement::Side)),
        (15_000, EqualizerSettings::default()),
    ];
    parts_add_up(|| Equalizer::new(Hz(48_000.0)), &changes, 1e-13);
}

#[test]
fn obeys() {
    let placed = |placement, settings| only(BandSettings { placement, ..settings });
    let own = |shape, frequency, q, range| moving(shape, frequency, q, range, KeySource::Own);
    let keyed = |shape, frequency, q, range| moving(shape, frequency, q, range, KeySource::Sidechain);
    let mut all = EqualizerSettings::default();
    for (i, one) in all.bands.iter_mut().enumerate() {
        let shape = [Shape::Bell, Shape::LowShelf, Shape::HighShelf][i % 3];
        *one = BandSettings {
            gain: Db(2.0),
            ..own(shape, one.frequency.0, 0.5 + i as f64, 4.0 - 2.0 * i as f64)
        };
    }
    let busy = [
        only(own(Shape::Bell, 700.0, 2.0, -9.0)),
        all,
        only(keyed(Shape::LowShelf, 300.0, 4.0, 6.0)),
        placed(Placement::Mid, keyed(Shape::HighShelf, 3000.0, 0.7, -12.0)),
        placed(Placement::Left, own(Shape::Bell, 9000.0, 8.0, 3.0)),
        only(band(Shape::Bell, 500.0, 3.0, 1.0)),
    ];
    obeys_contract(|| Equalizer::new(RATE), &EqualizerSettings::default(), &busy);
}

#[test]
fn without_a_range_it_is_the_static_band_to_the_bit() {
    let input = Stereo::noise(3, 9000, 0.9);
    let run = |settings: &[BandSettings]| {
        let mut equalizer = Equalizer::new(RATE);
        let mut signal = input.clone();
        for (i, one) in settings.iter().enumerate() {
            equalizer.set(&only(*one));
            signal.run(&mut equalizer, i * 3000..(i + 1) * 3000);
        }
        signal
    };
    for shape in SHAPES {
        let still = [
            BandSettings { gain: Db(5.3), ..cut(shape, 400.0, 0.9, 24) },
            BandSettings { gain: Db(-3.1), ..cut(shape, 900.0, 0.7, 24) },
            BandSettings { gain: Db(-3.1), ..cut(shape, 900.0, 0.7, 24) },
        ];
        let told = still.map(|one| BandSettings {
            dynamic: DynamicSettings {
                threshold: Db(-80.0),
                attack: Ms(0.1),
                release: Ms(5.0),
                ..dynamic(0.0, KeySource::Sidechain)
            },
            ..one
        });
        assert!(run(&told) == run(&still), "{shape:?}");
        if !matches!(shape, Shape::Bell | Shape::LowShelf | Shape::HighShelf) {
            let asked = told.map(|one| BandSettings { dynamic: dynamic(9.0, KeySource::Own), ..one });
            assert!(run(&asked) == run(&still), "{shape:?} cannot move");
        }
    }
    // A band that moved and no longer may is the static band again, from its memory on.
    let still = band(Shape::Bell, 900.0, -3.1, 0.7);
    let moved = BandSettings { dynamic: dynamic(-9.0, KeySource::Own), ..still };
    let (after, never) = (run(&[moved, still, still]), run(&[still; 3]));
    assert!((6000..9000).all(|i| (after.left[i] - never.left[i]).abs() < 1e-9));
    assert!((0..3000).any(|i| (after.left[i] - never.left[i]).abs() > 1e-2), "it did move");
}

/// The gain of a kernel at a frequency in cycles per sample, from its impulse response.
fn power(kernels: &[Kernel], frequency: f64, frames: usize) -> f64 {
    let mut impulse = vec![0.0; frames];
    impulse[0] = 1.0;
    for kernel in kernels {
        kernel.process(&mut State::default(), &mut impulse);
    }
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (i, x) in impulse.iter().enumerate() {
        let (sin, cos) = (core::f64::consts::TAU * frequency * i as f64).sin_cos();
        real += x * cos;
        imaginary -= x * sin;
    }
    real * real + imaginary * imaginary
}

#[test]
fn between_the_nodes_of_the_table_lie_the_designs() {
    let mut worst = 0.0f64;
    for shape in [Shape::Bell, Shape::LowShelf, Shape::HighShelf] {
        for frequency in [500.0, 2000.0, 6500.0, 11_000.0, 20_000.0] {
            for q in [0.1, 0.5, 0.9, 1.0, 1.4, 3.0, 8.0] {
                for gain in [-17.5, -9.4, -3.5, -0.6, 0.5, 2.5, 6.3, 11.5, 17.4] {
                    let at = |gain: f64| {
                        let settings = band(shape, frequency, gain, q);
                        design(&settings, is_split(shape, q), RATE).map(|section| Kernel::new(&section))
                    };
                    let mut table = Table::new();
                    table.keep_for(shape, frequency, q);
                    while !table.covers([gain, gain], |node| [at(node)[0], at(node)[1]]) {}
                    let mixed = [0, 1].map(|section| table.at(gain, section).expect("covered"));
                    for tone in
                        [0.2, 0.5, 0.8, 0.93, 1.0, 1.07, 1.25, 2.0, 5.0].map(|r| r * frequency / RATE.0)
                    {
                        if tone < 0.45 {
                            let [got, want] =
                                [&mixed[..], &at(gain)[..2]].map(|k| decibels(power(k, tone, 3000)) / 2.0);
                            let most = match is_split(shape, q) {
                                _ if frequency > RATE.0 / 4.0 => 0.5,
                                true => 0.12,
                                false => 0.03,
                            };
                            worst = worst.max((got - want).abs());
                            assert!(
                                (got - want).abs() < most || want < -24.0,
                                "{shape:?} {frequency} Q {q}, {gain} dB, {tone}: {got} {want}"
                            );
                        }
                    }
                }
            }
        }
    }
    assert!(worst > 1e-5, "something was compared");
}

#[test]
fn where_it_stands_it_is_the_static_band_of_that_gain() {
    for (shape, q) in
        [(Shape::Bell, 1.0), (Shape::Bell, 6.0), (Shape::LowShelf, 0.7), (Shape::HighShelf, 3.0)]
    {
        for (gain, range) in [(0.0, -6.5), (3.0, -4.2), (-2.0, 5.0), (15.0, 9.0)] {
            let settings =
                BandSettings { gain: Db(gain), ..moving(shape, 2000.0, q, range, KeySource::Sidechain) };
            let stands = BandSettings {
                gain: Db((gain + range).min(18.0)),
                dynamic: DynamicSettings::default(),
                ..settings
            };
            for probe in [400.0, 1500.0, 2000.0, 2600.0, 9000.0] {
                let mut equalizer = Equalizer::new(RATE);
                equalizer.set(&only(settings));
                let mut signal = both(tone(probe, -20.0, FRAMES));
                let key_tone = match shape {
                    Shape::LowShelf => 700.0,
                    Shape::HighShelf => 6000.0,
                    _ => 2000.0,
                };
                let movements = run(&mut equalizer, &mut signal, &tone(key_tone, 0.0, FRAMES));
                let range = range.min(18.0 - gain);
                assert!((movements[movements.len() - 1] - range).abs() < 1e-9, "the range is used up");
                let (sin, cos) = (
                    sine(probe, 0.0, RATE.0, FRAMES),
                    sine(probe, core::f64::consts::FRAC_PI_2, RATE.0, FRAMES),
                );
                let along =
                    |wave: &[f64]| (24_000..FRAMES).map(|i| signal.left[i] * wave[i]).sum::<f64>() / 12_000.0;
                let got = decibels(along(&sin).hypot(along(&cos))) + 20.0;
                let want = decibels_at(&stands, RATE.0, probe);
                assert!((got - want).abs() < 0.015, "{shape:?} {q} {gain} {range} {probe}: {got} {want}");
            }
        }
    }
}

#[test]
fn moves_half_a_decibel_per_decibel_over_the_threshold_until_the_range_is_used_up() {
    for (shape, probe) in [(Shape::Bell, 1000.0), (Shape::LowShelf, 300.0), (Shape::HighShelf, 4000.0)] {
        for (range, over, expected) in
            [(-18.0, 12.0, -6.0), (18.0, 12.0, 6.0), (-4.0, 12.0, -4.0), (3.0, 20.0, 3.0)]
        {
            for key in [KeySource::Own, KeySource::Sidechain] {
                let settings = moving(shape, 1000.0, 1.0, range, key);
                let mut equalizer = Equalizer::new(RATE);
                equalizer.set(&only(settings));
                let audio = tone(probe, -24.0 + over, FRAMES);
                let key_audio = if key == KeySource::Own { vec![0.0; FRAMES] } else { audio.clone() };
                let movements = run(&mut equalizer, &mut both(audio), &key_audio);
                let end = &movements[movements.len() / 2..];
                let (low, high) = end.iter().fold((f64::MAX, f64::MIN), |(l, h), &x| (l.min(x), h.max(x)));
                assert!(
                    (low - expected).abs() < 0.05 && (high - expected).abs() < 0.05,
                    "{shape:?}: {low} {high}"
                );
            }
        }
    }
    let quiet = movement_of(
        moving(Shape::Bell, 1000.0, 1.0, -9.0, KeySource::Sidechain),
        &tone(1000.0, -28.0, FRAMES),
    );
    assert!(quiet.iter().all(|&x| x == 0.0), "below the knee nothing moves");
}

#[test]
fn a_step_reaches_63_percent_after_attack_and_after_release() {
    for (attack, release) in [(20.0, 200.0), (2.0, 50.0), (200.0, 2000.0)] {
        let times = DynamicSettings {
            attack: Ms(attack),
            release: Ms(release),
            ..dynamic(-6.0, KeySource::Sidechain)
        };
        let settings = BandSettings {
            dynamic: times,
            ..moving(Shape::HighShelf, 2000.0, 1.0, -6.0, KeySource::Sidechain)
        };
        let frames = |ms: f64| (ms * 48.0) as usize;
        let loud = frames(attack * 20.0);
        let mut key = vec![0.0; 960];
        key.extend(tone(12_000.0, 0.0, loud));
        key.extend(vec![0.0; frames(release * 2.0)]);
        let movements = movement_of(settings, &key);
        let way = 1.0 - (-1f64).exp();
        let reached = -movements[(960 + frames(attack)) / STEP];
        assert!((reached / 6.0 - way).abs() < 0.1 * 1.0f64.min(5.0 / attack) + 0.01, "{attack}: {reached}");
        // It holds for half to a whole period of the band, in steps.
        let held = |frames_late: usize| -movements[(960 + loud + frames(release) + frames_late) / STEP];
        assert!(
            held(48) < 6.0 * (1.0 - way) + 0.01 && held(0) > 6.0 * (1.0 - way) - 0.06,
            "{release}: {}",
            held(0)
        );
    }
}

#[test]
fn the_fastest_attack_takes_two_steps() {
    let mut settings = moving(Shape::HighShelf, 2000.0, 1.0, -6.0, KeySource::Sidechain);
    settings.dynamic.attack = Ms(0.1);
    let mut key = vec![0.0; 960];
    key.extend(tone(9000.0, 0.0, 960));
    let movements = movement_of(settings, &key);
    assert!(movements[960 / STEP] == 0.0 && movements[960 / STEP + 3] < -5.5, "{:?}", &movements[118..128]);
}

#[test]
fn a_steady_bass_note_reads_steady() {
    for (shape, note) in [(Shape::Bell, 41.2), (Shape::LowShelf, 30.0)] {
        let frequency = if shape == Shape::Bell { 41.2 } else { 100.0 };
        let mut settings = moving(shape, frequency, 1.0, -6.0, KeySource::Sidechain);
        settings.dynamic.release = Ms(5.0);
        settings.dynamic.attack = Ms(0.1);
        let movements = movement_of(settings, &tone(note, -18.0, FRAMES));
        let end = &movements[movements.len() / 2..];
        let (low, high) = end.iter().fold((f64::MAX, f64::MIN), |(l, h), &x| (l.min(x), h.max(x)));
        assert!(high < -1.0 && high - low < 0.01, "{shape:?}: {low} {high}");
    }
}

/// A kick: a tone falling to 55 Hz that dies away, four a second.
fn kick(frames: usize) -> Vec<f64> {
    (0..frames)
        .map(|i| {
            let t = (i % 12_000) as f64 / RATE.0;
            let swing = 55.0 * t + 3.0 * (1.0 - (-t * 60.0).exp());
            (core::f64::consts::TAU * swing).sin() * (-t * 25.0).exp()
        })
        .collect()
}

/// Hats: bursts of noise above 6 kHz, full scale.
fn hats(frames: usize) -> Vec<f64> {
    let mut hats = testkit::noise(4, frames, 1.0);
    let cut = cut(Shape::LowCut, 6000.0, 1.0, 48);
    let mut equalizer = Equalizer::new(RATE);
    equalizer.set(&only(cut));
    equalizer.process(&mut Block::new(&mut hats, &mut vec![0.0; frames]));
    hats.iter_mut().enumerate().for_each(|(i, x)| *x *= (-((i % 3000) as f64) / 900.0).exp());
    hats
}

/// The bass band of the presets.
fn hole() -> BandSettings {
    let times = DynamicSettings { attack: Ms(5.0), release: Ms(80.0), ..dynamic(-3.0, KeySource::Sidechain) };
    BandSettings { dynamic: times, ..band(Shape::Bell, 60.0, 0.0, 1.0) }
}

#[test]
fn the_kick_opens_a_hole_for_itself_in_the_bass_and_nothing_else_moves() {
    let bass: Vec<f64> = (1..=40)
        .map(|k| tone(55.0 * f64::from(k), -12.0 - f64::from(k), FRAMES))
        .reduce(|a, b| a.iter().zip(&b).map(|(a, b)| a + b).collect())
        .expect("partials");
    let mut equalizer = Equalizer::new(RATE);
    equalizer.set(&only(hole()));
    let mut signal = both(bass.clone());
    let movements = run(&mut equalizer, &mut signal, &kick(FRAMES));
    // Within 20 ms after each kick the hole is open, before the next it has closed again.
    for beat in 0..4 {
        let at = |ms: f64| movements[(beat * 12_000 + (ms * 48.0) as usize) / STEP];
        assert!(at(20.0) < -2.7 && at(30.0) >= -3.0, "{} {}", at(20.0), at(30.0));
        assert!(at(249.0) > -0.9, "{}", at(249.0));
    }
    // What it did to the bass lies where the band is.
    let (after, before) = (testkit::spectrum(&signal.left), testkit::spectrum(&bass));
    let change =
        |partial: usize| decibels(after[55 * partial].norm_sqr() / before[55 * partial].norm_sqr()) / 2.0;
    assert!(change(1) < -0.5 && (7..=40).all(|k| change(k).abs() < 0.06), "{} {}", change(1), change(7));
    // Hats move nothing: the bass passes as it came.
    let mut signal = both(bass.clone());
    equalizer.reset();
    let movements = run(&mut equalizer, &mut signal, &hats(FRAMES));
    assert!(movements.iter().all(|&x| x == 0.0) && signal.left == bass && signal.right == bass);
    // Nor does the bass itself, however loud.
    let mut loud = both(bass.iter().map(|x| 4.0 * x).collect());
    let before = loud.clone();
    equalizer.reset();
    run(&mut equalizer, &mut loud, &vec![0.0; FRAMES]);
    assert!(loud == before);
    // And without a sidechain it is as without a kick.
    equalizer.process(&mut Block::new(&mut loud.left, &mut loud.right));
    assert!(loud == before);
}

#[test]
fn a_de_esser_takes_the_sibilants_and_leaves_the_voice() {
    let times = DynamicSettings {
        attack: Ms(1.0),
        release: Ms(60.0),
        threshold: Db(-30.0),
        ..dynamic(-4.0, KeySource::Own)
    };
    let settings = BandSettings { dynamic: times, ..band(Shape::Bell, 6500.0, 0.0, 2.0) };
    let voice = tone(220.0, -6.0, FRAMES);
    let mut equalizer = Equalizer::new(RATE);
    equalizer.set(&only(settings));
    let mut signal = both(voice.clone());
    run(&mut equalizer, &mut signal, &vec![0.0; FRAMES]);
    assert!(signal.left == voice, "a vowel passes untouched");
    let sibilant: Vec<f64> = tone(6500.0, -12.0, FRAMES);
    let mut signal = both(sibilant.clone());
    equalizer.reset();
    run(&mut equalizer, &mut signal, &vec![0.0; FRAMES]);
    let rms = |x: &[f64]| x[24_000..].iter().map(|x| x * x).sum::<f64>();
    let taken = 0.5 * decibels(rms(&signal.left) / rms(&sibilant));
    assert!((taken + 4.0).abs() < 0.01, "{taken}");
}

#[test]
fn bands_hear_only_their_part_of_the_stereo_field() {
    let hears = |placement, left: f64, right: f64| {
        let settings = BandSettings { placement, ..moving(Shape::Bell, 1000.0, 1.0, -6.0, KeySource::Own) };
        let mut equalizer = Equalizer::new(RATE);
        equalizer.set(&only(settings));
        let wave = tone(1000.0, 0.0, 9600);
        let mut signal = Stereo {
            left: wave.iter().map(|x| x * left).collect(),
            right: wave.iter().map(|x| x * right).collect(),
        };
        *run(&mut equalizer, &mut signal, &vec![0.0; 9600]).last().expect("frames") < -5.0
    };
    assert!(
        hears(Placement::Stereo, 1.0, 0.0)
            && hears(Placement::Stereo, 0.0, 1.0)
            && hears(Placement::Stereo, 1.0, -1.0)
    );
    assert!(hears(Placement::Mid, 1.0, 1.0) && !hears(Placement::Mid, 1.0, -1.0));
    assert!(hears(Placement::Side, 1.0, -1.0) && !hears(Placement::Side, 1.0, 1.0));
    assert!(hears(Placement::Left, 1.0, 0.0) && !hears(Placement::Left, 0.0, 1.0));
    assert!(hears(Placement::Right, 0.0, 1.0) && !hears(Placement::Right, 1.0, 0.0));
}

/// The largest third difference while `settings` follow each other, a note of 100 Hz sounds and a key comes and goes.
fn roughness(settings: &[BandSettings]) -> f64 {
    let every = 4096;
    let mut signal = both(tone(100.0, 0.0, every * settings.len()));
    let key: Vec<f64> = tone(150.0, 0.0, signal.left.len())
        .iter()
        .enumerate()
        .map(|(i, x)| if i % 1500 < 700 { *x } else { 0.0 })
        .collect();
    let mut equalizer = Equalizer::new(RATE);
    for (i, one) in settings.iter().enumerate() {
        equalizer.set(&only(*one));
        let range = i * every..(i + 1) * every;
        let key = Key { left: &key[range.clone()], right: &key[range.clone()] };
        equalizer.process(
            &mut Block::new(&mut signal.left[range.clone()], &mut signal.right[range]).with_key(key),
        );
    }
    let third = |w: &[f64]| (w[3] - 3.0 * w[2] + 3.0 * w[1] - w[0]).abs();
    let peak = signal.left.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    signal.left[every..].windows(4).fold(0.0f64, |m, w| m.max(third(w))) / peak
}

#[test]
fn nothing_clicks_while_dynamic_bands_change() {
    let one = |shape, range| BandSettings {
        dynamic: DynamicSettings { attack: Ms(20.0), ..dynamic(range, KeySource::Sidechain) },
        ..band(shape, 150.0, 3.0, 1.0)
    };
    for shape in [Shape::Bell, Shape::LowShelf, Shape::HighShelf] {
        let first = one(shape, -9.0);
        let elsewhere = BandSettings { frequency: Hz(400.0), q: 4.0, ..first };
        let off = BandSettings { on: false, ..first };
        let worst = roughness(&[
            first,
            one(shape, 9.0),
            one(shape, 0.0),
            first,
            elsewhere,
            off,
            first,
            one(Shape::Bell, -9.0),
            off,
        ]);
        assert!(worst < 5e-3, "{shape:?}: {worst}");
    }
}

#[test]
fn a_band_that_is_ready_before_another_still_moves() {
    // The kernels of a large range take longer to be designed than those of a small one.
    let mut settings = only(moving(Shape::Bell, 500.0, 1.0, -3.0, KeySource::Own));
    settings.bands[1] = moving(Shape::Bell, 1000.0, 1.0, -12.0, KeySource::Own);
    let mut equalizer = Equalizer::new(RATE);
    equalizer.set(&settings);
    both(vec![0.0; 9600]).run(&mut equalizer, 0..9600);
    let loud: Vec<f64> =
        tone(500.0, 0.0, FRAMES).iter().zip(tone(1000.0, 0.0, FRAMES)).map(|(a, b)| a + b).collect();
    both(loud).run(&mut equalizer, 0..FRAMES);
    let [first, second, ..] = equalizer.movements();
    assert!(first.0 < -2.9 && second.0 < -11.0, "{first:?} {second:?}");
}

#[test]
fn a_key_at_its_most_violent_never_lifts_the_band_past_its_loudest_gain() {
    // Bursts as short as the wave, at once up and down: the state cannot grow.
    for (gain, range) in [(0.0, 18.0), (9.0, -18.0), (-18.0, 18.0)] {
        for q in [0.5, 4.0, 40.0] {
            let mut settings = moving(Shape::Bell, 440.0, q, range, KeySource::Sidechain);
            settings.gain = Db(gain);
            settings.dynamic.attack = Ms(0.1);
            settings.dynamic.release = Ms(5.0);
            for period in [64, 220, 1000] {
                let key: Vec<f64> = tone(440.0, 12.0, FRAMES)
                    .iter()
                    .enumerate()
                    .map(|(i, x)| if i % period < period / 2 { *x } else { 0.0 })
                    .collect();
                let mut equalizer = Equalizer::new(RATE);
                equalizer.set(&only(settings));
                let mut signal = both(tone(440.0, 0.0, FRAMES));
                run(&mut equalizer, &mut signal, &key);
                let loudest = signal.left.iter().fold(0.0f64, |m, x| m.max(x.abs()));
                let most = gain.max(gain + range).max(0.0);
                assert!(
                    decibels(loudest) < most + 6.0,
                    "{gain} {range} Q {q} {period}: {}",
                    decibels(loudest)
                );
            }
        }
    }
}

#[test]
fn gains_and_steps_agree_with_control_ticks() {
    // While frequency glides there is a design per tick; then the table takes over without a trace.
    let first = moving(Shape::Bell, 500.0, 2.0, -6.3, KeySource::Sidechain);
    let second = BandSettings { frequency: Hz(800.0), ..first };
    let mut equalizer = Equalizer::new(RATE);
    equalizer.set(&only(first));
    let mut signal = Stereo::noise(2, FRAMES, 0.1);
    let input = signal.clone();
    let key = tone(700.0, 0.0, FRAMES);
    let feed = |equalizer: &mut Equalizer, signal: &mut Stereo, range: core::ops::Range<usize>| {
        let key = Key { left: &key[range.clone()], right: &key[range.clone()] };
        equalizer.process(
            &mut Block::new(&mut signal.left[range.clone()], &mut signal.right[range]).with_key(key),
        );
    };
    feed(&mut equalizer, &mut signal, 0..9600);
    equalizer.set(&only(second));
    feed(&mut equalizer, &mut signal, 9600..FRAMES);
    let mut expected = input;
    let mut still = Equalizer::new(RATE);
    still.set(&only(second));
    feed(&mut still, &mut expected, 0..FRAMES);
    let apart = |i: usize| (signal.left[i] - expected.left[i]).abs();
    assert!((30_000..FRAMES).all(|i| apart(i) < 1e-9));
    assert_eq!(CONTROL_INTERVAL % STEP, 0);
}
