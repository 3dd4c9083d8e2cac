//! Keys of a chain about noise that are no parameters: the print, where to learn it, the threshold per octave.

use std::path::Path;

use super::Complaint;
use audiofile::AudioReader;
use audiofile::BLOCK;
use audiofile::error::Result;
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::denoise::{BANDS, CURVE_POINTS, NoisePrint};
use dsp::{Block, Process};
use units::Db;

/// The keys, without the parameters.
pub(super) const KEYS: [&str; 3] = ["dn_print", "dn_learn", "dn_curve"];

/// A stretch of a stem, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    from: f64,
    to: f64,
}

/// Takes the key `id`; gives the stretch to learn from if that is what it says.
pub(super) fn take(
    settings: &mut ChainSettings,
    chain_kind: ChainKind,
    id: &str,
    value: &toml::Value,
) -> std::result::Result<Option<Stretch>, Complaint> {
    let numbers: Option<Vec<f64>> = value.as_array().map(|array| {
        array.iter().filter_map(|x| x.as_float().or_else(|| x.as_integer().map(|i| i as f64))).collect()
    });
    let complaint = |takes: String| (format!("{id} cannot be that"), format!("it takes {takes}"));
    let numbers = numbers.unwrap_or_default();
    match id {
        "dn_learn" if chain_kind == ChainKind::Master => {
            Err((format!("{id} is for stems, whose files noise can be learned from"), "remove it".into()))
        }
        "dn_learn" => match numbers[..] {
            [from, to] if from >= 0.0 && to >= from + 0.1 && to.is_finite() => Ok(Some(Stretch { from, to })),
            _ => Err(complaint("two times in seconds, at least 0.1 apart: [0.0, 1.5]".into())),
        },
        "dn_print" => {
            let levels: Vec<f32> = numbers.iter().map(|&level| level as f32).collect();
            let print = NoisePrint::new(&levels).ok_or_else(|| complaint(format!("{BANDS} levels in dB")))?;
            settings.denoise.print = Some(print);
            Ok(None)
        }
        _ => {
            let fits = numbers.len() == CURVE_POINTS && numbers.iter().all(|x| (-24.0..=24.0).contains(x));
            if !fits {
                return Err(complaint(format!("{CURVE_POINTS} numbers, -24 to 24 dB")));
            }
            settings.denoise.curve = core::array::from_fn(|i| Db(numbers[i]));
            Ok(None)
        }
    }
}

/// The noise in `stretch` of the stem at `path`, as it is behind input and DC filter of its chain; `None` if there is
/// nothing.
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
    chain.learn_noise(true);
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
    use units::Hz;

    fn taken(
        chain_kind: ChainKind,
        text: &str,
    ) -> std::result::Result<(ChainSettings, Option<Stretch>), Complaint> {
        let table: toml::Table = text.parse().expect("is TOML");
        let mut settings = ChainSettings::default();
        let mut stretch = None;
        for (id, value) in &table {
            stretch = take(&mut settings, chain_kind, id, value)?.or(stretch);
        }
        Ok((settings, stretch))
    }

    #[test]
    fn a_print_and_a_curve_arrive_in_the_chain() {
        let levels = vec!["-90.5"; BANDS].join(", ");
        let text = format!("dn_print = [{levels}]\ndn_curve = [0, 1, 2, 3, 4, 5, 6, 7, -24]");
        let (settings, stretch) = taken(ChainKind::Master, &text).expect("fits");
        assert_eq!(settings.denoise.print, NoisePrint::new(&[-90.5; BANDS]));
        assert_eq!(settings.denoise.curve[8], Db(-24.0));
        assert_eq!(stretch, None);
        let (_, stretch) = taken(ChainKind::Stem, "dn_learn = [0, 1.5]").expect("fits");
        assert_eq!(stretch, Some(Stretch { from: 0.0, to: 1.5 }));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_a_cure() {
        for (chain_kind, text, cure) in [
            (ChainKind::Stem, "dn_print = [1.0]", "96"),
            (ChainKind::Stem, "dn_print = 3", "96"),
            (ChainKind::Stem, "dn_curve = [0, 0, 0, 0, 0, 0, 0, 0, 99]", "24"),
            (ChainKind::Stem, "dn_learn = [1.5, 0]", "seconds"),
            (ChainKind::Stem, "dn_learn = [-1, 2]", "seconds"),
            (ChainKind::Master, "dn_learn = [0, 2]", "remove"),
        ] {
            let (_, found) = taken(chain_kind, text).expect_err("does not fit");
            assert!(found.contains(cure), "{text}: {found}");
        }
    }

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
        let mut settings = ChainSettings::default();
        settings.input.gain = Db(-6.0);
        let found = learn(&path, &settings, Stretch { from: 1.0, to: 3.0 }).expect("reads").expect("hears");
        let mean = found.levels()[4..80].iter().sum::<f32>() / 76.0;
        // White noise of -60 dBFS is -103.8 dB per hertz.
        assert!((mean + 109.8).abs() < 0.3, "{mean}");
        assert_eq!(learn(&path, &settings, Stretch { from: 9.0, to: 10.0 }).expect("reads"), None);
    }
}
