use proptest::prelude::*;

use super::super::Meter;
use super::super::reading_from_hops;
use super::*;
use testkit::noise;

/// Planar coloured noise whose level wanders, with pauses and peaks, in samples that a 32-bit float holds.
fn programme(seed: u64, channels: usize, frames: usize, rate: f64) -> Vec<Vec<f64>> {
    (0..channels as u64)
        .map(|channel| {
            let levels = noise(seed ^ channel << 32, frames / (rate / 5.0) as usize + 2, 1.0);
            let colour = noise(seed, 1, 0.9)[0].abs();
            let mut low = 0.0;
            noise(seed.wrapping_mul(31) + channel, frames, 1.0)
                .iter()
                .enumerate()
                .map(|(n, x)| {
                    low = colour * low + (1.0 - colour) * x;
                    let level = levels[n / (rate / 5.0) as usize];
                    f64::from((if level < -0.6 { 0.0 } else { low * level.powi(3).abs() }) as f32)
                })
                .collect()
        })
        .collect()
}

fn measured(isa: Isa, rate: f64, layout: &Layout, programme: &[Vec<f64>]) -> (Reading, u64) {
    let frames = programme.first().map_or(0, |channel| channel.len()) as u64;
    let mut meter = ProgrammeMeter::with_isa(isa, Hz(rate), layout, frames);
    let mut done = 0;
    while !meter.is_done() {
        for part in 0..meter.part_count() {
            let wanted = meter.wanted_frames(part);
            let row = meter.row_mut(part);
            for (n, frame) in row.chunks_exact_mut(programme.len()).enumerate() {
                for (sample, channel) in frame.iter_mut().zip(programme) {
                    *sample = channel[wanted.start as usize + n] as f32;
                }
            }
        }
        done += meter.step();
    }
    (meter.reading(), done)
}

/// The reference: one signal after the other, from the first sample to the last, sample by sample.
fn reference(rate: f64, layout: &Layout, programme: &[Vec<f64>]) -> Reading {
    use super::super::interpolate::phases;
    use super::super::k_weighting::KWeighting;
    let hop = hop_frames(Hz(rate));
    let weighted: Vec<Vec<f64>> = programme
        .iter()
        .map(|channel| {
            let mut channel = channel.clone();
            KWeighting::new(Hz(rate)).process(&mut channel);
            channel
        })
        .collect();
    let energy = |range: Range<usize>| -> f64 {
        let of = |channel: &Vec<f64>| channel[range.clone()].iter().map(|y| y * y).sum::<f64>();
        weighted.iter().zip(layout.weights()).map(|(channel, weight)| weight * of(channel)).sum()
    };
    let frames = programme[0].len();
    let hops: Vec<Power> =
        (0..frames / hop).map(|n| Power(energy(n * hop..(n + 1) * hop) / hop as f64)).collect();
    let starts: Vec<usize> =
        (0..).map(|n| n / 10 * hop + n % 10 * hop / 10).take_while(|&start| start <= frames).collect();
    let sub_hops: Vec<f64> = starts.windows(2).map(|pair| energy(pair[0]..pair[1])).collect();
    let momentary = sub_hops.windows(40).map(|run| run.iter().sum::<f64>() / (4 * hop) as f64);
    let mut peak = programme.iter().flatten().fold(0.0f64, |m, x| m.max(x.abs()));
    let sample_peak = peak;
    for channel in programme {
        let silence = || [0.0; 11].into_iter();
        let padded: Vec<f64> = silence().chain(channel.iter().copied()).chain(silence()).collect();
        for phase in phases() {
            for window in padded.windows(12) {
                let y: f64 = window.iter().rev().zip(phase).map(|(x, c)| x * c).sum();
                peak = peak.max(y.abs());
            }
        }
    }
    Reading {
        momentary_max: Power(momentary.fold(0.0, f64::max)).loudness(),
        true_peak: Dbtp::from_amplitude(peak),
        sample_peak: Dbtp::from_amplitude(sample_peak).map(|peak| Db(peak.0)),
        ..reading_from_hops(&hops)
    }
}

/// I, LRA, M, S within 1e-9 LU, peaks within 1e-7 dB.
fn differs(a: &Reading, b: &Reading) -> Option<String> {
    let far = |a: Option<f64>, b: Option<f64>, tolerance: f64| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() > tolerance,
        (a, b) => a != b,
    };
    let different = far(a.integrated.map(|v| v.0), b.integrated.map(|v| v.0), 1e-9)
        || far(a.range.map(|v| v.0), b.range.map(|v| v.0), 1e-9)
        || far(a.momentary_max.map(|v| v.0), b.momentary_max.map(|v| v.0), 1e-9)
        || far(a.short_term_max.map(|v| v.0), b.short_term_max.map(|v| v.0), 1e-9)
        || far(a.true_peak.map(|v| v.0), b.true_peak.map(|v| v.0), 1e-7)
        || far(a.sample_peak.map(|v| v.0), b.sample_peak.map(|v| v.0), 1e-7);
    different.then(|| format!("{a:?}\n{b:?}"))
}

fn layout(channels: usize) -> Layout {
    Layout::new(channels, None)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_instruction_set_reads_what_the_reference_reads(
        seed in any::<u64>(),
        rate in prop::sample::select(vec![8_000.0, 11_025.0, 44_100.0, 48_000.0, 96_000.0]),
        channels in prop::sample::select(vec![1usize, 2, 3, 4, 5, 6, 8, 10, 12, 17]),
        seconds in 0.0..9.0f64,
    ) {
        let layout = layout(channels);
        let programme = programme(seed, channels, (rate * seconds) as usize + 1, rate);
        let expected = reference(rate, &layout, &programme);
        for isa in Isa::all() {
            let (reading, done) = measured(isa, rate, &layout, &programme);
            prop_assert_eq!(differs(&reading, &expected), None, "{:?}", isa);
            prop_assert_eq!(done, programme[0].len() as u64);
        }
    }

    #[test]
    fn the_streaming_meter_reads_the_same(
        seed in any::<u64>(),
        rate in prop::sample::select(vec![11_025.0, 44_100.0, 48_000.0]),
        channels in prop::sample::select(vec![1usize, 2, 6, 12]),
        seconds in 0.0..9.0f64,
    ) {
        let layout = layout(channels);
        let programme = programme(seed, channels, (rate * seconds) as usize + 1, rate);
        let (expected, _) = measured(Isa::widest(), rate, &layout, &programme);
        for isa in Isa::all() {
            let mut meter = Meter::with_isa(isa, Hz(rate), &layout);
            let planes: Vec<&[f64]> = programme.iter().map(Vec::as_slice).collect();
            meter.process(&planes);
            prop_assert_eq!(differs(&meter.reading(), &expected), None, "{:?}", isa);
        }
    }
}

#[test]
fn lengths_around_every_border_are_measured_to_the_end() {
    // A burst at the very end: whatever is left out there is missed by the peak, or by the momentary maximum.
    let borders = [479, 480, 481, 1668, 4799, 4800, 4801, 19_199, 19_200, 19_201, 48_000, 60_479];
    for (rate, frames) in
        (0..40).chain(borders).flat_map(|frames| [11_025.0, 48_000.0].map(|rate| (rate, frames)))
    {
        let mut left = noise(1, frames, 0.001);
        let burst = frames.saturating_sub(700);
        left[burst..].iter_mut().for_each(|x| *x *= 500.0);
        let left: Vec<f64> = left.iter().map(|&x| f64::from(x as f32)).collect();
        let programme = [left.clone(), left];
        let (reading, done) = measured(Isa::widest(), rate, &Layout::stereo(), &programme);
        assert_eq!(done, frames as u64);
        let expected = reference(rate, &Layout::stereo(), &programme);
        assert_eq!(differs(&reading, &expected), None, "{rate} {frames}");
    }
}

#[test]
fn steady_tones_and_plateaus_read_exactly_though_every_span_is_as_loud() {
    for divisor in [4.0, 6.0, 48.0, 48.0 / 20.0] {
        let tone =
            |n: usize| f64::from((0.5 * (core::f64::consts::TAU * n as f64 / divisor + 0.785).sin()) as f32);
        let programme = vec![(0..48_000).map(tone).collect::<Vec<f64>>(); 2];
        let expected = reference(48_000.0, &Layout::stereo(), &programme);
        for isa in Isa::all() {
            let (reading, _) = measured(isa, 48_000.0, &Layout::stereo(), &programme);
            assert_eq!(differs(&reading, &expected), None, "{divisor} {isa:?}");
        }
    }
}

#[test]
fn below_8_khz_there_are_peaks_only() {
    let programme = vec![noise(1, 40_000, 0.5).iter().map(|&x| f64::from(x as f32)).collect::<Vec<f64>>()];
    let (reading, _) = measured(Isa::widest(), 4_000.0, &Layout::mono(), &programme);
    assert!(reading.true_peak.is_some() && reading.sample_peak.is_some());
    assert_eq!((reading.integrated, reading.momentary_max), (None, None));
}
