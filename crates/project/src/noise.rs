//! Noise prints learned from the files of stems.

use std::path::Path;

use audiofile::error::Result;
use audiofile::{AudioReader, BLOCK};
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::denoise::NoisePrint;
use dsp::{Block, Process};

/// A part of a stem, in seconds from its start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    from: f64,
    to: f64,
}

impl Stretch {
    /// The shortest stretch, seconds.
    const MIN_LENGTH: f64 = 0.1;

    /// The part between two times; `None` if they are not in order, before the start, or closer than 0.1 s.
    pub fn new(from: f64, to: f64) -> Option<Self> {
        (from >= 0.0 && to >= from + Self::MIN_LENGTH && to.is_finite()).then_some(Self { from, to })
    }
}

/// The noise in `stretch` of the stem at `path`, behind input and DC filter of its chain; `None` if the stretch is silent or past
/// the end.
///
/// # Errors
/// If the stem cannot be read.
pub(super) fn learn(path: &Path, settings: &ChainSettings, stretch: Stretch) -> Result<Option<NoisePrint>> {
    let mut reader = AudioReader::open(path)?;
    let rate = reader.info().rate;
    let mut planes = vec![Vec::new(); reader.info().channels];
    let mut chain = Chain::new(ChainKind::Stem, LatencyClass::LinearDenoise, rate);
    let before =
        ChainSettings { input: settings.input.clone(), dc: settings.dc.clone(), ..ChainSettings::default() };
    chain.set(&before);
    let [start, end] = [stretch.from, stretch.to].map(|seconds| (seconds * rate.0).round() as u64);
    reader.seek(start)?;
    chain.set_noise_learning(true);
    let mut left = end - start;
    while left > 0 {
        let frames = left.min(BLOCK as u64) as usize;
        if reader.read_planar(&mut planes, frames)? == 0 {
            break;
        }
        let mut right = planes.last().cloned().unwrap_or_default();
        let mut first = planes.first().cloned().unwrap_or_default();
        chain.process(&mut Block::new(&mut first, &mut right));
        left -= frames as u64;
    }
    Ok(chain.learned_noise())
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiofile::wav::{StoredFormat, WavSpec, WavWriter};
    use testkit::noise;
    use units::{Db, Hz};

    #[test]
    fn noise_is_learned_from_the_stretch_and_from_nothing_else() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let path = dir.path().join("stem.wav");
        let mut audio = noise(1, 48_000, 0.5);
        audio.extend(noise(2, 96_000, 1e-3 * 3f64.sqrt()));
        audio.extend(noise(3, 48_000, 0.5));
        let spec = WavSpec::new(Hz(48_000.0), 1, StoredFormat::Float32);
        let mut writer = WavWriter::create(&path, spec, false).expect("can be written");
        writer.write_planar(&[audio]).expect("can be written");
        writer.finish().expect("can be written");
        let stretch = |from, to| Stretch::new(from, to).expect("is long enough");
        let mut settings = ChainSettings::default();
        settings.input.gain = Db(-6.0);
        let found = learn(&path, &settings, stretch(1.0, 3.0)).expect("reads").expect("hears");
        let mean = found.levels()[4..80].iter().sum::<f32>() / 76.0;
        // White noise of -60 dBFS is -103.8 dB per hertz.
        assert!((mean + 109.8).abs() < 0.3, "{mean}");
        assert_eq!(learn(&path, &settings, stretch(9.0, 10.0)).expect("reads"), None);
    }
}
