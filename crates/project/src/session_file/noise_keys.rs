//! Keys of a chain about noise that are no parameters: the print, the stretch to learn it from, the threshold per octave.

use super::number::number;
use crate::noise::Stretch;
use crate::setting_fault::SettingFault;
use chain::{ChainKind, ChainSettings};
use dsp::denoise::{BANDS, CURVE_POINTS, NoisePrint};
use units::Db;

/// The keys, without the parameters.
pub(super) const NOISE_KEYS: [&str; 3] = ["dn_print", "dn_learn", "dn_curve"];

/// Reads the key `id` into `settings`; returns the stretch to learn from, if that is the key.
pub(super) fn read_key(
    settings: &mut ChainSettings,
    chain_kind: ChainKind,
    id: &str,
    value: &toml::Value,
) -> Result<Option<Stretch>, SettingFault> {
    let numbers: Option<Vec<f64>> = value.as_array().map(|array| array.iter().filter_map(number).collect());
    let refuse =
        |takes: String| SettingFault::new(format!("{id} cannot be that"), format!("it takes {takes}"));
    let numbers = numbers.unwrap_or_default();
    match id {
        "dn_learn" if chain_kind == ChainKind::Master => Err(SettingFault::new(
            format!("{id} is for stems, whose files noise can be learned from"),
            "remove it",
        )),
        "dn_learn" => match numbers[..] {
            [from, to] => Stretch::new(from, to),
            _ => None,
        }
        .map(Some)
        .ok_or_else(|| refuse("two times in seconds, at least 0.1 apart: [0.0, 1.5]".into())),
        "dn_print" => {
            let levels: Vec<f32> = numbers.iter().map(|&level| level as f32).collect();
            let print = NoisePrint::new(&levels).ok_or_else(|| refuse(format!("{BANDS} levels in dB")))?;
            settings.denoise.print = Some(print);
            Ok(None)
        }
        _ => {
            let fits = numbers.len() == CURVE_POINTS && numbers.iter().all(|x| (-24.0..=24.0).contains(x));
            if !fits {
                return Err(refuse(format!("{CURVE_POINTS} numbers, -24 to 24 dB")));
            }
            settings.denoise.curve = core::array::from_fn(|i| Db(numbers[i]));
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(chain_kind: ChainKind, text: &str) -> Result<(ChainSettings, Option<Stretch>), SettingFault> {
        let table: toml::Table = text.parse().expect("is TOML");
        let mut settings = ChainSettings::default();
        let mut stretch = None;
        for (id, value) in &table {
            stretch = read_key(&mut settings, chain_kind, id, value)?.or(stretch);
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
        assert_eq!(stretch, Stretch::new(0.0, 1.5));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_a_remedy() {
        for (chain_kind, text, remedy) in [
            (ChainKind::Stem, "dn_print = [1.0]", "96"),
            (ChainKind::Stem, "dn_print = 3", "96"),
            (ChainKind::Stem, "dn_curve = [0, 0, 0, 0, 0, 0, 0, 0, 99]", "24"),
            (ChainKind::Stem, "dn_learn = [1.5, 0]", "seconds"),
            (ChainKind::Stem, "dn_learn = [-1, 2]", "seconds"),
            (ChainKind::Master, "dn_learn = [0, 2]", "remove"),
        ] {
            let fault = taken(chain_kind, text).expect_err("does not fit");
            assert!(fault.remedy.contains(remedy), "{text}: {fault:?}");
        }
    }
}
