//! EBU Tech 3341 v4 Table 1, cases 1-6 and 9-23, and Tech 3342 v4 tests 1-4: synthesized at five rates, metered at
//! seven block sizes (in the short run at 48 kHz only) and by every kernel that this processor can run, within EBU's tolerances (loudness ±0.1, true peak
//! +0.2/-0.4 dB, range ±1 LU).
//! Cases 7 and 8 (and 3342's 5 and 6) are authentic programmes that EBU distributes; they cannot be synthesized.

use meter::layout::Layout;
use meter::programme::ProgrammeMeter;
use meter::{Meter, Reading};
use simd::Isa;
use testkit::{Random, is_thorough};
use units::Hz;

const RATES: [f64; 5] = [44_100.0, 48_000.0, 88_200.0, 96_000.0, 192_000.0];

#[derive(Clone, Copy, Debug)]
enum Blocks {
    Fixed(usize),
    Random,
}

const BLOCKS: [Blocks; 7] = [
    Blocks::Fixed(1),
    Blocks::Fixed(17),
    Blocks::Fixed(64),
    Blocks::Fixed(441),
    Blocks::Fixed(512),
    Blocks::Fixed(8192),
    Blocks::Random,
];

/// A 1 kHz sine that goes on from segment to segment without a phase jump; `None` is silence.
fn tones(rate: f64, segments: &[(f64, Option<f64>)]) -> Vec<f64> {
    let mut out = Vec::new();
    for &(seconds, level) in segments {
        let amplitude = level.map_or(0.0, |db| 10f64.powf(db / 20.0));
        let until = out.len() + (seconds * rate).round() as usize;
        while out.len() < until {
            out.push(amplitude * (2.0 * std::f64::consts::PI * 1000.0 * out.len() as f64 / rate).sin());
        }
    }
    out
}

/// Meters `channels`, calling `each` after every block.
fn meter(rate: f64, channels: &[&[f64]], blocks: Blocks, mut each: impl FnMut(f64, &Meter)) -> Reading {
    let layout = Layout::new(channels.len(), None);
    let mut meter = Meter::new(Hz(rate), &layout);
    let (mut at, mut random) = (0, Random::new(12_345));
    while at < channels[0].len() {
        let size = match blocks {
            Blocks::Fixed(size) => size,
            Blocks::Random => 1 + random.below(3000),
        };
        let end = channels[0].len().min(at + size);
        let part: Vec<&[f64]> = channels.iter().map(|c| &c[at..end]).collect();
        meter.process(&part);
        each(end as f64 / rate, &meter);
        at = end;
    }
    let reading = meter.reading();
    match blocks {
        _ if rate != 48_000.0 && !is_thorough() => {}
        Blocks::Fixed(512) => every_kernel_streams(&reading, rate, channels, &layout),
        Blocks::Fixed(8192) => every_kernel_measures_programmes(&reading, rate, channels, &layout),
        _ => {}
    }
    reading
}

/// The figures of a programme agree far closer than EBU's tolerances, so what holds for one holds for the other.
#[track_caller]
fn agree(a: &Reading, b: &Reading, isa: Isa) {
    let figures = |r: &Reading| {
        [
            r.integrated.map(|v| v.0),
            r.range.map(|v| v.0),
            r.momentary_max.map(|v| v.0),
            r.short_term_max.map(|v| v.0),
            r.true_peak.map(|v| v.0),
        ]
    };
    for (a, b) in figures(a).into_iter().zip(figures(b)) {
        let near = match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-5,
            (a, b) => a == b,
        };
        assert!(near, "{isa:?}: {a:?} {b:?}");
    }
}

fn every_kernel_streams(expected: &Reading, rate: f64, channels: &[&[f64]], layout: &Layout) {
    for isa in Isa::all() {
        let mut meter = Meter::with_isa(isa, Hz(rate), layout);
        meter.process(channels);
        agree(&meter.reading(), expected, isa);
    }
}

fn every_kernel_measures_programmes(expected: &Reading, rate: f64, channels: &[&[f64]], layout: &Layout) {
    for isa in Isa::all() {
        let mut meter = ProgrammeMeter::with_isa(isa, Hz(rate), layout, channels[0].len() as u64);
        while !meter.is_done() {
            for part in 0..meter.part_count() {
                let start = meter.wanted_frames(part).start as usize;
                for (n, frame) in meter.row_mut(part).chunks_exact_mut(channels.len()).enumerate() {
                    for (sample, channel) in frame.iter_mut().zip(channels) {
                        *sample = channel[start + n] as f32;
                    }
                }
            }
            meter.step();
        }
        agree(&meter.reading(), expected, isa);
    }
}

#[track_caller]
fn close(what: &str, got: Option<f64>, expected: f64, below: f64, above: f64) {
    let got = got.unwrap_or_else(|| panic!("{what}: no reading, expected {expected}"));
    assert!(got >= expected - below && got <= expected + above, "{what}: {got} expected {expected}");
}

/// Runs `test` at 48 kHz with every block size, at the other rates with one; with STEMLINK_TEST_ALL (`cargo xtask test
/// --all`) at every rate with every block size.
fn everywhere(test: impl Fn(f64, Blocks, &str)) {
    for rate in RATES {
        for blocks in BLOCKS {
            if is_thorough() || rate == 48_000.0 || matches!(blocks, Blocks::Fixed(512)) {
                test(rate, blocks, &format!("{rate} Hz, {blocks:?}"));
            }
        }
    }
}

fn stereo_reading(rate: f64, signal: &[f64], blocks: Blocks) -> Reading {
    meter(rate, &[signal, signal], blocks, |_, _| {})
}

#[test]
fn case_1_and_2_steady_tones_read_their_level() {
    everywhere(|rate, blocks, at| {
        for level in [-23.0, -33.0] {
            let r = stereo_reading(rate, &tones(rate, &[(20.0, Some(level))]), blocks);
            for value in [r.momentary, r.short_term, r.integrated] {
                close(at, value.map(|v| v.0), level, 0.1, 0.1);
            }
        }
    });
}

#[test]
fn case_3_4_and_5_gating() {
    everywhere(|rate, blocks, at| {
        let (a, b, c) = ((10.0, Some(-36.0)), (60.0, Some(-23.0)), (10.0, Some(-72.0)));
        let case_5 = [(20.0, Some(-26.0)), (20.1, Some(-20.0)), (20.0, Some(-26.0))];
        for segments in [&[a, b, a][..], &[c, a, b, a, c], &case_5] {
            let r = stereo_reading(rate, &tones(rate, segments), blocks);
            close(at, r.integrated.map(|v| v.0), -23.0, 0.1, 0.1);
        }
    });
}

#[test]
fn case_6_surround_weights() {
    everywhere(|rate, blocks, at| {
        let [front, center, surround] =
            [-28.0, -24.0, -30.0].map(|level| tones(rate, &[(20.0, Some(level))]));
        let r = meter(rate, &[&front, &front, &center, &surround, &surround], blocks, |_, _| {});
        close(at, r.integrated.map(|v| v.0), -23.0, 0.1, 0.1);
    });
}

#[test]
fn case_9_short_term_is_constant_after_three_seconds() {
    everywhere(|rate, blocks, at| {
        let signal = tones(rate, &[(1.34, Some(-20.0)), (1.66, Some(-30.0))].repeat(5));
        let mut next = 3.0;
        meter(rate, &[&signal, &signal], blocks, |time, meter| {
            if time >= next {
                close(at, meter.reading().short_term.map(|v| v.0), -23.0, 0.1, 0.1);
                next = time + 0.05;
            }
        });
    });
}

#[test]
fn case_10_file_meters_find_the_short_term_maximum_at_any_offset() {
    everywhere(|rate, blocks, at| {
        for i in 0..20 {
            let signal = tones(rate, &[(f64::from(i) * 0.15, None), (3.0, Some(-23.0)), (1.0, None)]);
            let r = stereo_reading(rate, &signal, blocks);
            close(at, r.short_term_max.map(|v| v.0), -23.0, 0.1, 0.1);
        }
    });
}

#[test]
fn case_11_live_short_term_maximum() {
    everywhere(|rate, blocks, at| {
        let mut segments = Vec::new();
        for i in 0..20 {
            let lead = f64::from(i) * 0.15;
            segments.extend([(lead, None), (3.0, Some(-38.0 + f64::from(i))), (3.0 - lead, None)]);
        }
        let signal = tones(rate, &segments);
        let (mut i, mut time_of) = (0, 0.0);
        meter(rate, &[&signal, &signal], blocks, |time, meter| {
            // Each tone has a slot of 6 s; the maximum so far is its own at the slot's end.
            if time >= time_of + 6.0 && i < 20 {
                let max = meter.reading().short_term_max.map(|v| v.0);
                close(&format!("{at}, tone {i}"), max, -38.0 + f64::from(i), 0.1, 0.1);
                (i, time_of) = (i + 1, time_of + 6.0);
            }
        });
        assert!(i >= 19, "{at}: only {i} tones seen");
    });
}

#[test]
fn case_12_momentary_is_constant_after_one_second() {
    everywhere(|rate, blocks, at| {
        let signal = tones(rate, &[(0.18, Some(-20.0)), (0.22, Some(-30.0))].repeat(25));
        let mut next = 1.0;
        meter(rate, &[&signal, &signal], blocks, |time, meter| {
            if time >= next {
                close(at, meter.reading().momentary.map(|v| v.0), -23.0, 0.1, 0.1);
                next = time + 0.03;
            }
        });
    });
}

#[test]
fn case_13_file_meters_find_the_momentary_maximum_at_any_offset() {
    everywhere(|rate, blocks, at| {
        for i in 0..20 {
            let signal = tones(rate, &[(f64::from(i) * 0.02, None), (0.4, Some(-23.0)), (1.0, None)]);
            let r = stereo_reading(rate, &signal, blocks);
            close(at, r.momentary_max.map(|v| v.0), -23.0, 0.1, 0.1);
        }
    });
}

#[test]
fn case_14_live_momentary_maximum() {
    everywhere(|rate, blocks, at| {
        let mut segments = Vec::new();
        for i in 0..20 {
            let lead = f64::from(i) * 0.02;
            segments.extend([(lead, None), (0.4, Some(-38.0 + f64::from(i))), (0.4 - lead, None)]);
        }
        let signal = tones(rate, &segments);
        let mut i = 0;
        meter(rate, &[&signal, &signal], blocks, |time, meter| {
            // Blocks longer than a tone's slot see several tones at once: check the slots that a block ends.
            if i < 20 && time >= 0.8 * f64::from(i + 1) - 1e-9 {
                i = ((time + 1e-9) / 0.8) as i32;
                let late = time - 0.8 * f64::from(i); // into the next, louder tone
                if late < 0.1 + 0.02 * f64::from(i) {
                    let max = meter.reading().momentary_max.map(|v| v.0);
                    let above = if late > 0.02 * f64::from(i) { 1.0 } else { 0.1 };
                    close(&format!("{at}, tone {i}"), max, -39.0 + f64::from(i), 0.1, above);
                }
            }
        });
        assert_eq!(i, 20, "{at}");
    });
}

#[test]
fn cases_15_to_19_true_peak_of_sines_between_samples() {
    let cases = [
        (4.0, 0.50, 0.0, -6.0),
        (4.0, 0.50, 45.0, -6.0),
        (6.0, 0.50, 60.0, -6.0),
        (8.0, 0.50, 67.5, -6.0),
        (4.0, 1.41, 45.0, 3.0),
    ];
    everywhere(|rate, blocks, at| {
        for (divisor, amplitude, degrees, expected) in cases {
            let (frames, fade) = (rate as usize, 0.01 * rate);
            let signal: Vec<f64> = (0..frames)
                .map(|n| {
                    let n = n as f64;
                    let envelope = (n / fade).min((frames as f64 - n) / fade).min(1.0);
                    let phase = 2.0 * std::f64::consts::PI * n / divisor + f64::to_radians(degrees);
                    envelope * amplitude * phase.sin()
                })
                .collect();
            let r = stereo_reading(rate, &signal, blocks);
            close(&format!("{at}, fs/{divisor} {degrees} deg"), r.true_peak.map(|v| v.0), expected, 0.4, 0.2);
        }
    });
}

/// fs/6 at 0.5 holding one phase-continuous period of fs/4 at 1.0, made at 4 fs, low-passed and decimated.
fn transient(offset: usize) -> Vec<f64> {
    let (mut phase, mut made) = (0.0f64, Vec::new());
    let tau = 2.0 * std::f64::consts::PI;
    for cycle in 0..400 {
        // One cycle of fs/6 is 24 samples at 4 fs, one of fs/4 is 16.
        let (length, amplitude) = if cycle == 200 { (16, 1.0) } else { (24, 0.5) };
        for _ in 0..length {
            made.push(amplitude * phase.sin());
            phase += tau / f64::from(length);
        }
    }
    let half = 128isize;
    let tap = |k: isize| {
        let x = k as f64 * std::f64::consts::PI / 4.0;
        let window = 0.42
            + 0.5 * (std::f64::consts::PI * k as f64 / half as f64).cos()
            + 0.08 * (tau * k as f64 / half as f64).cos();
        window * 0.25 * if k == 0 { 1.0 } else { x.sin() / x }
    };
    let taps: Vec<f64> = (-half..=half).map(tap).collect();
    (half as usize + offset..made.len() - half as usize)
        .step_by(4)
        .map(|n| taps.iter().enumerate().map(|(k, t)| t * made[n + k - half as usize]).sum())
        .collect()
}

#[test]
fn cases_20_to_23_true_peak_of_a_transient_at_every_offset() {
    let signals = [0, 1, 2, 3].map(transient);
    everywhere(|rate, blocks, at| {
        for (offset, signal) in signals.iter().enumerate() {
            // Fade as the other cases, so that only the transient is the peak.
            let frames = signal.len() as f64;
            let signal: Vec<f64> = (signal.iter().enumerate())
                .map(|(n, x)| x * (n as f64 / 200.0).min((frames - n as f64) / 200.0).min(1.0))
                .collect();
            let r = stereo_reading(rate, &signal, blocks);
            close(&format!("{at}, offset {offset}"), r.true_peak.map(|v| v.0), 0.0, 0.4, 0.2);
        }
    });
}

#[test]
fn tech_3342_loudness_range() {
    let cases: [(&[f64], f64); 4] = [
        (&[-20.0, -30.0], 10.0),
        (&[-20.0, -15.0], 5.0),
        (&[-40.0, -20.0], 20.0),
        (&[-50.0, -35.0, -20.0, -35.0, -50.0], 15.0),
    ];
    everywhere(|rate, blocks, at| {
        for (levels, expected) in cases {
            let segments: Vec<_> = levels.iter().map(|&level| (20.0, Some(level))).collect();
            let r = stereo_reading(rate, &tones(rate, &segments), blocks);
            close(&format!("{at} {levels:?}"), r.range.map(|v| v.0), expected, 1.0, 1.0);
        }
    });
}
