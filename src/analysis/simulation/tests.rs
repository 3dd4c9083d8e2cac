//! Random songs through random chains: the loudness after a move is inside the interval of the simulation.

#![allow(clippy::print_stderr, reason = "the figures are worth reading when a test is run by hand")]

use super::*;
use meter::Meter;
use testkit::Random;
use testkit::trust::{TrustAnswer, TrustFigures, trust_table};

const RATE: Hz = Hz(48_000.0);
/// Windows of a song: 40 s.
const WINDOWS: usize = 20;
const STEMS: usize = 3;

fn window_frames() -> usize {
    WINDOW_HOPS * hop_frames(RATE)
}

/// Stems that come and go, each at levels of its own.
fn song(random: &mut Random) -> Vec<StereoAudio> {
    let frames = WINDOWS * window_frames();
    let stem = |random: &mut Random| {
        let peak = 10f64.powf(random.between(-1.0, -0.2));
        let mut levels = Vec::new();
        while levels.len() < WINDOWS {
            let level = if random.chance(0.2) { 0.0 } else { random.log_between(0.2, 1.0) };
            levels.extend(vec![level; 1 + random.below(8)]);
        }
        let music = testkit::scaled(testkit::music(random.bits(), RATE.0, frames), peak);
        let pan = random.between(0.5, 1.0);
        [1.0, pan].map(|pan| {
            music.iter().enumerate().map(|(n, x)| pan * levels[n / window_frames()] * x).collect::<Vec<f64>>()
        })
    };
    (0..STEMS).map(|_| stem(random)).collect()
}

/// Chain of a Master that limits, compresses, saturates, or all of it.
fn settings(random: &mut Random, loudness: Lufs) -> ChainSettings {
    let mut settings = ChainSettings::default();
    settings.limiter.on = true;
    settings.limiter.ceiling = units::Dbtp(-1.0);
    settings.limiter.drive = Db((random.between(-18.0, -6.0) - loudness.0).clamp(0.0, 20.0));
    settings.limiter.release = units::Ms(random.log_between(10.0, 1000.0));
    if random.chance(0.6) {
        let compressor = &mut settings.compressor;
        compressor.on = true;
        compressor.threshold = Db(loudness.0 + random.between(-6.0, 6.0));
        compressor.ratio = random.between(1.3, 4.0);
        compressor.attack = units::Ms(random.log_between(1.0, 200.0));
        compressor.release = units::Ms(random.log_between(50.0, 2000.0));
        compressor.auto_release = random.chance(0.4);
    }
    if random.chance(0.2) {
        settings.saturator.on = true;
        settings.saturator.drive = Db(random.between(0.0, 6.0));
    }
    settings
}

fn mix(stems: &[StereoAudio], gains: &[f64; STEMS]) -> StereoAudio {
    [0, 1].map(|side| {
        let frame = |n: usize| stems.iter().zip(gains).map(|(stem, gain)| gain * stem[side][n]).sum();
        (0..stems[0][0].len()).map(frame).collect()
    })
}

fn loudness(audio: &StereoAudio) -> Lufs {
    let mut meter = Meter::new(RATE, &Layout::stereo());
    meter.process(&[&audio[0], &audio[1]]);
    meter.reading().integrated.expect("sounds")
}

/// Numbers of the windows that are kept of a song, at most `most`.
fn kept(song: &StereoAudio, most: usize) -> Vec<usize> {
    let mut all = CapturedWindows::default();
    for number in 0..WINDOWS {
        let part = |side: &Vec<f64>| -> f64 {
            side[number * window_frames()..][..window_frames()].iter().map(|x| x * x).sum()
        };
        let window = CapturedWindow {
            run_in: 0,
            mix: StereoF32::default(),
            stems: Vec::new(),
            power: song.iter().map(part).sum(),
        };
        all.windows.insert(number as i64, window);
        if all.windows.len() > most {
            all.drop_one();
        }
    }
    all.windows.into_keys().map(|number| number as usize).collect()
}

/// Answer of a simulation to a random move of a random song, with its error.
fn answer(seed: u64) -> TrustAnswer {
    let mut random = Random::new(seed);
    let stems = song(&mut random);
    let mut gains = [1.0; STEMS];
    let by = if random.chance(0.25) { -12.0 } else { random.between(-6.0, 6.0) };
    gains[random.below(STEMS)] = Db(by).gain();
    let mixes = [mix(&stems, &[1.0; STEMS]), mix(&stems, &gains)];
    let settings = settings(&mut random, loudness(&mixes[0]));
    let mut chain = Chain::new(ChainKind::Master, LatencyClass::Lookahead, RATE);

    let run_in = RUN_IN_HOPS * hop_frames(RATE);
    let numbers = kept(&mixes[0], 4 + random.below(WINDOWS - 3));
    let [_, mut moved] = mixes;
    let windows: Vec<PassedMix> = (numbers.iter())
        .map(|number| {
            let start = number * window_frames();
            let run_in = run_in.min(start);
            let part = [0, 1].map(|side| moved[side][start - run_in..start + window_frames()].to_vec());
            pass(part, (number * WINDOW_HOPS, run_in), (&mut chain, &settings, RATE))
        })
        .collect();
    let found = song_loudness(&hop_powers(&moved, 0, RATE), &windows).expect("sounds");
    chain.reset();
    chain.set(&settings);
    let [left, right] = &mut moved;
    chain.process(&mut Block::new(left, right));
    let error = (loudness(&moved) - found.loudness).0;
    let kind = if settings.compressor.on { "compressor and limiter" } else { "limiter" };
    TrustAnswer { kind: kind.to_owned(), half_width: Some(found.half_width.0), error }
}

fn answers(seeds: std::ops::Range<u64>) -> Vec<TrustAnswer> {
    let answers: Vec<TrustAnswer> = seeds.map(answer).collect();
    eprintln!("{}", trust_table(&answers));
    answers
}

#[test]
fn the_loudness_after_a_move_is_inside_the_interval() {
    let figures = TrustFigures::new(answers(100..110).iter());
    assert!(figures.held_share() >= 0.9 && figures.median < 0.3, "{figures:?}");
}

/// The same on more songs: `cargo test -p stemlink --lib simulation -- --include-ignored --nocapture`.
#[test]
#[ignore = "five minutes"]
fn the_loudness_after_a_move_is_inside_the_interval_of_100_songs() {
    let figures = TrustFigures::new(answers(1000..1100).iter());
    assert!(figures.held_share() >= 0.97 && figures.median < 0.3, "{figures:?}");
}
