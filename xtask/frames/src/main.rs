//! Runs one unit over so many stereo frames: what `cargo xtask bench` times and `cargo xtask budget` counts the
//! instructions of, as the difference of a long and a short run.
//!
//!     frames UNIT FRAMES [BLOCK]
//!
//! The audio is one second of decaying bursts of noise over a bass, again and again, at 48 kHz.

use std::hint::black_box;
use std::process::ExitCode;

use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::compressor::{Compressor, CompressorSettings};
use dsp::denoise::{Denoise, DenoiseSettings};
use dsp::equalizer::{BandSettings, Equalizer, EqualizerSettings, LinearEqualizer};
use dsp::limiter::{Limiter, LimiterSettings};
use dsp::saturator::{SaturationCurve, Saturator, SaturatorSettings};
use dsp::{Block, Process};
use link::records::InstanceInfo;
use link::roster::{MAX_INSTANCES, Roster};
use link::slot::Origin;
use link::text::Text;
use meter::layout::Layout;
use meter::loudness::HopMeter;
use meter::true_peak::TruePeak;
use session::hop_builder::{HopBuilder, StemBlock};
use units::{Db, Hz};

const RATE: Hz = Hz(48_000.0);
const SECOND: usize = 48_000;

/// Work on one block, left and right.
type Unit = Box<dyn FnMut(&mut [f64], &mut [f64])>;

/// A unit's name and how it is made.
type Named = (&'static str, fn() -> Unit);

/// Every unit by its name. `nothing` is what the run costs without one.
const UNITS: [Named; 14] = [
    ("nothing", || Box::new(|_, _| ())),
    ("neutral", || chain(ChainSettings::default())),
    ("equalizer", || unit(Equalizer::new(RATE), &equalizer().equalizer)),
    ("dynamics", || unit(Equalizer::new(RATE), &dynamics())),
    ("compressor", || unit(Compressor::new(RATE, Compressor::LOOKAHEAD), &compressor())),
    ("limiter", || unit(Limiter::new(RATE, Limiter::STEM), &limiter())),
    ("saturator", || unit(Saturator::new(RATE), &saturator())),
    ("linear", || unit(LinearEqualizer::new(RATE), &equalizer().equalizer)),
    ("denoise", || unit(Denoise::new(RATE), &DenoiseSettings { on: true, ..Default::default() })),
    ("chain", || chain(everything())),
    ("meter", || metered(None)),
    ("stem", || metered(Some(everything()))),
    ("hops", hops),
    ("link", link),
];

/// Eight bells, up and down.
fn equalizer() -> ChainSettings {
    let mut settings = ChainSettings::default();
    for (i, band) in settings.equalizer.bands.iter_mut().enumerate() {
        *band = BandSettings {
            on: true,
            frequency: Hz(50.0 * 2.2f64.powi(i as i32)),
            gain: Db(if i % 2 == 0 { 3.0 } else { -3.0 }),
            ..Default::default()
        };
    }
    settings
}

/// The same bells, each moving.
fn dynamics() -> EqualizerSettings {
    let mut settings = equalizer().equalizer;
    for band in &mut settings.bands {
        (band.dynamic.range, band.dynamic.threshold) = (Db(-6.0), Db(-40.0));
    }
    settings
}

fn compressor() -> CompressorSettings {
    CompressorSettings { on: true, threshold: Db(-30.0), ratio: 4.0, ..Default::default() }
}

fn limiter() -> LimiterSettings {
    LimiterSettings { on: true, drive: Db(6.0), ..Default::default() }
}

fn saturator() -> SaturatorSettings {
    SaturatorSettings { on: true, drive: Db(6.0), curve: SaturationCurve::Soft, mix: 1.0 }
}

fn everything() -> ChainSettings {
    ChainSettings { compressor: compressor(), limiter: limiter(), ..equalizer() }
}

fn unit<P: Process + 'static>(mut unit: P, settings: &P::Settings) -> Unit {
    unit.set(settings);
    Box::new(move |left, right| unit.process(&mut Block::new(left, right)))
}

fn chain(settings: ChainSettings) -> Unit {
    let mut chain = Chain::new(ChainKind::Stem, LatencyClass::Lookahead, RATE);
    chain.set(&settings);
    Box::new(move |left, right| chain.process(&mut Block::new(left, right)))
}

/// Audio thread of a plugin: the chain, if any, and its meters.
fn metered(settings: Option<ChainSettings>) -> Unit {
    let mut chain = settings.map(chain);
    let mut hops = HopMeter::new(RATE, &Layout::stereo());
    let mut peaks = [TruePeak::new(), TruePeak::new()];
    Box::new(move |left, right| {
        if let Some(chain) = &mut chain {
            chain(left, right);
        }
        let mut at = 0;
        while at < left.len() {
            let end = left.len().min(at + hops.frames_to_hop());
            peaks[0].process(&left[at..end]);
            peaks[1].process(&right[at..end]);
            if hops.process(&[left, right], at..end).is_some() {
                black_box(peaks.each_mut().map(TruePeak::take));
            }
            at = end;
        }
    })
}

/// Hops of a mix of eight stems, on a Master's audio thread.
fn hops() -> Unit {
    const STEMS: usize = 8;
    let mut builder = HopBuilder::new(RATE);
    builder.set_stems(1, STEMS);
    let mut position = 0;
    Box::new(move |left, right| {
        let output: [&[f64]; 2] = [left, right];
        let stems = [StemBlock { output: Some(output), input: None, continues: true }; STEMS];
        builder.process(Some(position), output, &stems);
        position += left.len() as i64;
        while builder.take_hop(|hop| _ = black_box(hop.heard)) {}
    })
}

/// Values that a Master's window reads 60 times a second: everybody's presence, label, pulse and figures, of as many as there can
/// be.
fn link() -> Unit {
    static ROSTER: Roster = Roster::new();
    let label = InstanceInfo {
        name: Text::new("Backing Vocals"),
        host: Text::new("a host's name"),
        ..InstanceInfo::default()
    };
    let tenants: Vec<_> =
        (0..MAX_INSTANCES).filter_map(|_| ROSTER.join(Origin::Local, None, &label)).collect();
    let mut due = 0;
    Box::new(move |left, _| {
        due += left.len();
        while due >= SECOND / 60 {
            due -= SECOND / 60;
            for peer in ROSTER.peers() {
                black_box(&(peer.id(), peer.presence()));
                black_box(&peer.info());
                black_box(&peer.block_status());
                black_box(&peer.stem_readings());
            }
        }
        black_box(&tenants);
    })
}

fn programme() -> [Vec<f64>; 2] {
    let mut state = 1u64;
    [0.0, 0.3].map(|phase| {
        (0..SECOND)
            .map(|n| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let noise = (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0;
                let bass = (n as f64 * 0.01 + phase).sin();
                0.4 * noise * (1.0 - (n % 12_000) as f64 / 12_000.0).powi(3) + 0.3 * bass
            })
            .collect()
    })
}

fn run(unit: &mut Unit, frames: usize, block: usize) {
    let programme = programme();
    let mut work = [vec![0.0; block], vec![0.0; block]];
    let (mut done, mut at) = (0, 0);
    while done < frames {
        let now = block.min(frames - done).min(SECOND - at);
        let [left, right] = &mut work;
        left[..now].copy_from_slice(&programme[0][at..at + now]);
        right[..now].copy_from_slice(&programme[1][at..at + now]);
        unit(&mut left[..now], &mut right[..now]);
        black_box(&mut work);
        done += now;
        at = (at + now) % SECOND;
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, frames, block) = match &arguments[..] {
        [name, frames] => (name, frames.parse(), Ok(512)),
        [name, frames, block] => (name, frames.parse(), block.parse()),
        _ => return ExitCode::from(2),
    };
    let unit = UNITS.iter().find(|(unit, _)| unit == name);
    let (Some((_, make)), Ok(frames), Ok(block @ 1..)) = (unit, frames, block) else {
        return ExitCode::from(2);
    };
    run(&mut make(), frames, block);
    ExitCode::SUCCESS
}
