//! Cost of each unit, the chain and the meter: `cargo bench`, then ns per stereo frame = time / 48 000.
#![allow(missing_docs)] // criterion's macros make an undocumented function

use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use criterion::{Criterion, criterion_group, criterion_main};
use dsp::compressor::CompressorSettings;
use dsp::denoise::{BANDS, Denoise, DenoiseSettings, NoisePrint};
use dsp::equalizer::{BandSettings, LinearEqualizer};
use dsp::limiter::{Limiter, LimiterSettings};
use dsp::saturator::{SaturationCurve, Saturator, SaturatorSettings};
use dsp::{Block, Process};
use meter::Meter;
use meter::layout::Layout;
use std::hint::black_box;
use testkit::noise;
use units::{Db, Hz};

const RATE: Hz = Hz(48_000.0);
const FRAMES: usize = 48_000;

/// One second of decaying noise bursts.
fn programme() -> [Vec<f64>; 2] {
    [1, 2].map(|seed| {
        let noise = noise(seed, FRAMES, 0.7).into_iter().enumerate();
        noise.map(|(n, x)| x * (1.0 - (n % 12_000) as f64 / 12_000.0)).collect()
    })
}

fn run<P: Process>(unit: &mut P, audio: &mut [Vec<f64>; 2]) {
    let [left, right] = audio;
    for (left, right) in left.chunks_mut(512).zip(right.chunks_mut(512)) {
        unit.process(&mut Block::new(left, right));
    }
}

fn chains(criterion: &mut Criterion) {
    let mut eight_bands = ChainSettings::default();
    for (i, band) in eight_bands.equalizer.bands.iter_mut().enumerate() {
        *band = BandSettings { on: true, gain: Db(if i % 2 == 0 { 3.0 } else { -3.0 }), ..*band };
    }
    let mut eight_dynamic = eight_bands.clone();
    for band in &mut eight_dynamic.equalizer.bands {
        (band.dynamic.range, band.dynamic.threshold) = (Db(-6.0), Db(-40.0));
    }
    let compressor = CompressorSettings { on: true, threshold: Db(-30.0), ratio: 4.0, ..Default::default() };
    let limiter = LimiterSettings { on: true, drive: Db(6.0), ..Default::default() };
    let cases = [
        ("neutral chain", ChainSettings::default()),
        ("EQ, eight bells", eight_bands.clone()),
        ("EQ, eight dynamic bells", eight_dynamic),
        ("compressor", ChainSettings { compressor: compressor.clone(), ..Default::default() }),
        ("limiter, 6 dB drive", ChainSettings { limiter: limiter.clone(), ..Default::default() }),
        ("EQ + compressor + limiter", ChainSettings { compressor, limiter, ..eight_bands }),
    ];
    for (name, settings) in cases {
        let mut chain = Chain::new(ChainKind::Master, LatencyClass::Lookahead, RATE);
        chain.set(&settings);
        let programme = programme();
        criterion.bench_function(name, |b| {
            b.iter_batched_ref(
                || programme.clone(),
                |audio| run(&mut chain, audio),
                criterion::BatchSize::LargeInput,
            );
        });
    }
    let mut limiter = Limiter::new(RATE, Limiter::STEM);
    limiter.set(&LimiterSettings { on: true, drive: Db(18.0), ..Default::default() });
    let programme = programme();
    criterion.bench_function("limiter, 18 dB drive", |b| {
        b.iter_batched_ref(
            || programme.clone(),
            |audio| run(&mut limiter, audio),
            criterion::BatchSize::LargeInput,
        );
    });
}

fn units(criterion: &mut Criterion) {
    let mut bench = |name: &str, run_unit: &mut dyn FnMut(&mut [Vec<f64>; 2])| {
        let programme = programme();
        criterion.bench_function(name, |b| {
            b.iter_batched_ref(
                || programme.clone(),
                |audio| run_unit(audio),
                criterion::BatchSize::LargeInput,
            );
        });
    };
    for curve in [SaturationCurve::Soft, SaturationCurve::Clip] {
        let mut unit = Saturator::new(RATE);
        unit.set(&SaturatorSettings { on: true, drive: Db(6.0), curve, mix: 1.0 });
        bench(&format!("saturator, {curve:?}"), &mut |audio| run(&mut unit, audio));
    }
    for print in [NoisePrint::new(&[-80.0; BANDS]), None] {
        let name = if print.is_some() { "denoise, printed" } else { "denoise, tracked" };
        let mut unit = Denoise::new(RATE);
        unit.set(&DenoiseSettings { on: true, reduction: Db(12.0), print, ..Default::default() });
        bench(name, &mut |audio| run(&mut unit, audio));
    }
    let mut unit = LinearEqualizer::new(RATE);
    let mut settings = ChainSettings::default().equalizer;
    settings.bands[3] = BandSettings { on: true, gain: Db(3.0), ..settings.bands[3] };
    unit.set(&settings);
    bench("linear-phase EQ", &mut |audio| run(&mut unit, audio));
}

fn meters(criterion: &mut Criterion) {
    let [left, right] = programme();
    criterion.bench_function("meter: M S I LRA, true peak", |b| {
        b.iter(|| {
            let mut meter = Meter::new(RATE, &Layout::stereo());
            meter.process(&[black_box(&left), black_box(&right)]);
            meter.reading()
        });
    });
}

criterion_group!(benches, chains, units, meters);
criterion_main!(benches);
