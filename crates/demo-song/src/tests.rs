//! The song is the same every time, clean, and has in each stem and section what it should.

use core::hash::Hasher;
use core::ops::Range;
use std::hash::DefaultHasher;

use ebur128::{EbuR128, Mode};

use super::filter::Filter;
use super::score::{CHORUS_BAR, ENDING_BAR, VERSE_BAR, seconds};
use super::*;
use units::{Db, Ms};

const RATE: Hz = Hz(48_000.0);

fn stem(role: SongPart) -> DemoStem {
    DemoStem::render(role, RATE)
}

fn level(power: f64) -> f64 {
    Db::from_gain(power.sqrt()).0
}

/// Mean square of both channels over `frames`.
fn power(stem: &DemoStem, frames: Range<usize>) -> f64 {
    let sum = |channel: &[f64]| channel[frames.clone()].iter().map(|x| x * x).sum::<f64>();
    (sum(&stem.left) + sum(&stem.right)) / (2 * frames.len()) as f64
}

/// Mean square of the mid signal between two frequencies.
fn band_power(stem: &DemoStem, low: f64, high: f64) -> f64 {
    let mut cuts = [low, low].map(|hertz| Filter::new(hertz, 0.707, RATE));
    let mut tops = [high, high].map(|hertz| Filter::new(hertz, 0.707, RATE));
    let mut sum = 0.0;
    for (left, right) in stem.left.iter().zip(&stem.right) {
        let mut x = 0.5 * (left + right);
        for cut in &mut cuts {
            x = cut.next(x).high;
        }
        for top in &mut tops {
            x = top.next(x).low;
        }
        sum += x * x;
    }
    sum / stem.left.len() as f64
}

fn frames(from: f64, to: f64) -> Range<usize> {
    let frame = |seconds: f64| Ms(seconds * 1e3).samples(RATE).0;
    frame(from)..frame(to)
}

fn sum(stems: &[DemoStem]) -> [Vec<f64>; 2] {
    let add = |channel: fn(&DemoStem) -> &[f64]| {
        let mut sum = vec![0.0; channel(&stems[0]).len()];
        for stem in stems {
            for (total, sample) in sum.iter_mut().zip(channel(stem)) {
                *total += sample;
            }
        }
        sum
    };
    [add(|stem| &stem.left), add(|stem| &stem.right)]
}

fn measure(left: &[f64], right: &[f64]) -> EbuR128 {
    let mut meter =
        EbuR128::new(2, RATE.0 as u32, Mode::I | Mode::LRA | Mode::TRUE_PEAK).expect("a stereo meter");
    meter.add_frames_planar_f64(&[left, right]).expect("two planes");
    meter
}

fn integrated(left: &[f64], right: &[f64]) -> f64 {
    measure(left, right).loudness_global().expect("integrated loudness")
}

#[test]
fn two_runs_give_the_same_bits() {
    let hash = || {
        let mut hasher = DefaultHasher::new();
        for stem in render(RATE) {
            for sample in stem.left.iter().chain(&stem.right) {
                hasher.write_u64(sample.to_bits());
            }
        }
        hasher.finish()
    };
    assert_eq!(hash(), hash());
}

#[test]
fn the_stems_come_in_bundle_order_with_their_file_names() {
    let names: Vec<String> = SongPart::ALL.into_iter().map(SongPart::file_name).collect();
    assert_eq!(
        names,
        ["01_Drums_Stem.wav", "02_Bass_Stem.wav", "03_Keys_Stem.wav", "04_Vocals_Stem.wav", "05_FX_Stem.wav"]
    );
}

#[test]
fn every_rate_gives_half_a_minute_of_the_same_finite_song() {
    let reference = render(RATE);
    for rate in [44_100.0, 88_200.0, 96_000.0, 192_000.0] {
        for (stem, reference) in render(Hz(rate)).iter().zip(&reference) {
            let frames = (30.0 * rate) as usize;
            assert_eq!((stem.left.len(), stem.right.len()), (frames, frames));
            assert!(stem.left.iter().chain(&stem.right).all(|x| x.is_finite()));
            let difference = level(power(stem, 0..frames)) - level(power(reference, 0..reference.left.len()));
            assert!(difference.abs() < 0.3, "{} at {rate}: {difference} dB", stem.name);
        }
    }
}

#[test]
#[should_panic(expected = "44.1 to 192 kHz")]
fn a_rate_out_of_range_is_refused() {
    DemoStem::render(SongPart::Bass, Hz(8_000.0));
}

#[test]
fn stems_peak_between_minus_thirteen_and_minus_six() {
    for stem in render(RATE) {
        let peak = stem.left.iter().chain(&stem.right).fold(0.0f64, |peak, x| peak.max(x.abs()));
        let peak = Db::from_gain(peak).0;
        assert!((-13.0..-6.0).contains(&peak), "{}: {peak} dBFS", stem.name);
    }
}

#[test]
fn no_stem_has_direct_current() {
    for stem in render(RATE) {
        for channel in [&stem.left, &stem.right] {
            let mean = channel.iter().sum::<f64>() / channel.len() as f64;
            assert!(Db::from_gain(mean).0 < -100.0, "{}: {mean}", stem.name);
        }
    }
}

#[test]
fn the_song_starts_and_ends_in_silence() {
    for stem in render(RATE) {
        let last = stem.left.len();
        for edge in [0..480, last - 480..last] {
            assert!(level(power(&stem, edge)) < -90.0, "{}", stem.name);
        }
    }
}

#[test]
fn tails_die_before_the_closing_fade_begins() {
    for stem in render(RATE) {
        let level = level(power(&stem, frames(29.0, 29.2)));
        assert!(level < -45.0, "{}: {level} dBFS", stem.name);
    }
}

#[test]
fn every_stem_sounds_in_the_sections_it_belongs_to() {
    let section = |from, to| frames(seconds(from, 0.0), seconds(to, 0.0));
    let intro = section(0, VERSE_BAR);
    let verse = section(VERSE_BAR, CHORUS_BAR);
    let chorus = section(CHORUS_BAR, ENDING_BAR);
    let ending = frames(seconds(ENDING_BAR, 0.0), 29.0);
    for stem in render(RATE) {
        let silent_in_intro = matches!(stem.role, SongPart::Bass | SongPart::Vocals);
        let levels = [&intro, &verse, &chorus, &ending].map(|part| level(power(&stem, part.clone())));
        assert_eq!(levels[0] < -60.0, silent_in_intro, "{}: {levels:?}", stem.name);
        assert!(levels[1..].iter().all(|&level| level > -50.0), "{}: {levels:?}", stem.name);
        assert!(levels[2] > levels[1] + 1.5, "{}: the chorus lifts, {levels:?}", stem.name);
    }
}

#[test]
fn each_stem_lies_in_its_register() {
    let share = |stem: &DemoStem, low, high| band_power(stem, low, high) / band_power(stem, 10.0, 20_000.0);
    let bass = stem(SongPart::Bass);
    assert!(share(&bass, 10.0, 200.0) > 0.6, "{}", share(&bass, 10.0, 200.0));
    assert!(share(&bass, 10.0, 400.0) > 0.85, "{}", share(&bass, 10.0, 400.0));
    let drums = stem(SongPart::Drums);
    assert!(share(&drums, 30.0, 150.0) > 0.2, "{}", share(&drums, 30.0, 150.0));
    assert!(share(&drums, 5_000.0, 20_000.0) > 0.01, "{}", share(&drums, 5_000.0, 20_000.0));
    let keys = stem(SongPart::Keys);
    assert!(share(&keys, 120.0, 2_500.0) > 0.8, "{}", share(&keys, 120.0, 2_500.0));
    let vocals = stem(SongPart::Vocals);
    assert!(share(&vocals, 200.0, 4_000.0) > 0.8, "{}", share(&vocals, 200.0, 4_000.0));
    // the formants: the voice is strong where its pitch is not
    assert!(share(&vocals, 800.0, 4_000.0) > 0.1, "{}", share(&vocals, 800.0, 4_000.0));
}

#[test]
fn kick_and_bass_collide_in_the_lowest_octaves() {
    let low = |role| level(band_power(&stem(role), 40.0, 110.0));
    let difference = low(SongPart::Drums) - low(SongPart::Bass);
    assert!(difference.abs() < 8.0, "{difference} dB");
}

#[test]
fn width_is_where_it_belongs() {
    let side_below_mid = |role| {
        let stem = stem(role);
        let (mut mid, mut side) = (0.0, 0.0);
        for (left, right) in stem.left.iter().zip(&stem.right) {
            mid += (left + right) * (left + right);
            side += (left - right) * (left - right);
        }
        level(mid) - level(side)
    };
    assert_eq!(side_below_mid(SongPart::Bass), f64::INFINITY);
    assert!(side_below_mid(SongPart::Vocals) > 10.0, "{}", side_below_mid(SongPart::Vocals));
    for role in [SongPart::Drums, SongPart::Keys, SongPart::Effects] {
        let difference = side_below_mid(role);
        assert!((1.0..24.0).contains(&difference), "{role:?}: {difference} dB");
    }
}

#[test]
fn the_sum_leaves_room_to_be_mastered() {
    let [left, right] = sum(&render(RATE));
    let meter = measure(&left, &right);
    let loudness = meter.loudness_global().expect("integrated loudness");
    assert!((-19.0..-17.0).contains(&loudness), "{loudness} LUFS");
    let range = meter.loudness_range().expect("loudness range");
    assert!((3.0..8.0).contains(&range), "{range} LU");
    for channel in 0..2 {
        let peak = Db::from_gain(meter.true_peak(channel).expect("true peak")).0;
        assert!(peak < -2.0, "{peak} dBTP");
    }
    let part = |from, to| {
        let part = frames(seconds(from, 0.0), seconds(to, 0.0));
        integrated(&left[part.clone()], &right[part])
    };
    let lift = part(CHORUS_BAR, ENDING_BAR) - part(VERSE_BAR, CHORUS_BAR);
    assert!((3.0..6.0).contains(&lift), "the chorus is {lift} LU above the verse");
}

#[test]
fn the_voice_leads() {
    let loudness: Vec<f64> = render(RATE).iter().map(|stem| integrated(&stem.left, &stem.right)).collect();
    let lead = loudness[SongPart::Vocals as usize];
    for role in [SongPart::Drums, SongPart::Bass, SongPart::Keys, SongPart::Effects] {
        assert!(loudness[role as usize] < lead - 0.5, "{role:?}: {loudness:?}");
    }
}
