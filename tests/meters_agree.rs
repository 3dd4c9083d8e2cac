//! Our meter against the `ebur128` crate on random programme: within 0.01 LU and 0.01 dB.

use meter::layout::Layout;
use meter::programme::ProgrammeMeter;
use meter::{Meter, Reading};
use proptest::prelude::*;
use render::verify::SecondMeter;
use simd::Isa;
use testkit::Random;
use units::Hz;

/// Coloured noise whose level wanders, with pauses and peaks: a programme to gate.
fn programme(seed: u64, channels: usize, frames: usize, rate: f64) -> Vec<Vec<f64>> {
    let mut source = Random::new(seed);
    let mut random = move || source.between(-1.0, 1.0);
    let (pole, mut levels) = (random().abs() * 0.95, vec![0.2; channels]);
    let mut low = vec![0.0; channels];
    let mut out = vec![Vec::with_capacity(frames); channels];
    for n in 0..frames {
        if n % (rate / 3.0) as usize == 0 {
            for level in &mut levels {
                *level = if random() > 0.8 { 0.0 } else { 0.9 * 10f64.powf((random() - 1.0) * 1.5) };
            }
        }
        for c in 0..channels {
            low[c] = pole * low[c] + (1.0 - pole) * random();
            out[c].push(low[c] * levels[c]);
        }
    }
    out
}

/// The reading of the meter of files.
fn in_parts(isa: Isa, rate: Hz, layout: &Layout, audio: &[Vec<f64>]) -> Reading {
    let mut meter = ProgrammeMeter::with_isa(isa, rate, layout, audio[0].len() as u64);
    while !meter.is_done() {
        for part in 0..meter.part_count() {
            let start = meter.wanted_frames(part).start as usize;
            for (n, frame) in meter.row_mut(part).chunks_exact_mut(audio.len()).enumerate() {
                for (sample, channel) in frame.iter_mut().zip(audio) {
                    *sample = channel[start + n] as f32;
                }
            }
        }
        meter.step();
    }
    meter.reading()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn on_random_programme(
        seed in 0u64..1_000_000,
        rate in prop::sample::select(vec![44_100.0, 48_000.0, 88_200.0, 96_000.0, 192_000.0]),
        channels in prop::sample::select(vec![1usize, 2, 5, 6, 8, 12]),
        tenths in 5usize..120,
    ) {
        let mask = match channels { 6 => Some(0x3f), 8 => Some(0x63f), 12 => Some(0x2d63f), _ => None };
        let audio = programme(seed, channels, (rate / 10.0) as usize * tenths, rate);
        let layout = Layout::new(channels, mask);
        let mut kernels: Vec<Meter> = Isa::all().map(|isa| Meter::with_isa(isa, Hz(rate), &layout)).collect();
        let mut theirs = SecondMeter::new(Hz(rate), &layout).expect("a format it knows");
        let mut at = 0;
        while at < audio[0].len() {
            let end = audio[0].len().min(at + 1000);
            let block: Vec<&[f64]> = audio.iter().map(|c| &c[at..end]).collect();
            kernels.iter_mut().for_each(|ours| ours.process(&block));
            theirs.process(&block);
            at = end;
        }
        let theirs = theirs.reading();
        let programmes = Isa::all().map(|isa| in_parts(isa, Hz(rate), &layout, &audio));
        for ours in kernels.iter().map(Meter::reading).chain(programmes) {
            match (ours.integrated, theirs.integrated) {
                (Some(a), Some(b)) => prop_assert!((a - b).0.abs() < 0.01, "I {a:?} {b:?}"),
                (a, b) => prop_assert_eq!(a, b),
            }
            match (ours.true_peak, theirs.true_peak) {
                (Some(a), Some(b)) => prop_assert!((a - b).0.abs() < 0.01, "TP {a:?} {b:?}"),
                (a, b) => prop_assert_eq!(a, b),
            }
        }
    }
}
