//! Renders a file once with the library: eight bells, a compressor and a limiter, to 24 bit, dithered.
//!
//!     render IN OUT
//!
//! The least that a mastering job can be, and what `cargo xtask bench` compares with others that do no more. `stems master`
//! also measures before and after, holds the ceiling as found at 16 times the rate, and lets a second meter read the
//! file back.

use std::process::ExitCode;

use audiofile::AudioReader;
use audiofile::error::Result;
use audiofile::wav::{StoredFormat, WavSpec, WavWriter};
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::Process;
use dsp::dither::Dither;
use dsp::equalizer::BandSettings;
use render::compensated::Compensated;
use units::{Db, Hz};

fn settings() -> ChainSettings {
    let mut settings = ChainSettings { dither: Dither::Bits24, ..Default::default() };
    for (i, band) in settings.equalizer.bands.iter_mut().enumerate() {
        *band = BandSettings {
            on: true,
            frequency: Hz(50.0 * 2.2f64.powi(i as i32)),
            gain: Db(if i % 2 == 0 { 3.0 } else { -3.0 }),
            ..Default::default()
        };
    }
    let compressor = &mut settings.compressor;
    (compressor.on, compressor.threshold, compressor.ratio) = (true, Db(-30.0), 4.0);
    settings.limiter.on = true;
    settings
}

fn render(from: &str, to: &str) -> Result<()> {
    let mut reader = AudioReader::open(from)?;
    let (rate, channels) = (reader.info().rate, reader.info().channels);
    let mut chain = Chain::new(ChainKind::Master, LatencyClass::Lookahead, rate);
    chain.set(&settings());
    let mut chain = Compensated::new(Some(chain));
    let mut writer = WavWriter::create(to, WavSpec::new(rate, 2, StoredFormat::Int24), true)?;
    let mut block = [Vec::new(), Vec::new()];
    reader.each_block(|planes| {
        for (side, plane) in block.iter_mut().zip([&planes[0], &planes[channels.min(2) - 1]]) {
            side.clear();
            side.extend_from_slice(plane);
        }
        writer.write_planar(&chain.process(&mut block))
    })?;
    while chain.silence(&mut block) {
        writer.write_planar(&chain.process(&mut block))?;
    }
    writer.finish()?;
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = &arguments[..] else { return ExitCode::from(2) };
    match render(from, to) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
