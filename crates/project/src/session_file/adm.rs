//! `[adm]` and `[stems.adm]`.

use serde::Deserialize;

use super::number::number;
use crate::placement::{AdmSettings, AtmosPlace, AtmosPlacement, BEDS, Binaural, RoomPosition};
use crate::setting_fault::SettingFault;
use session::role::Role;
use units::{Db, Hz, Lufs};

/// `[adm]` of a session file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdmTable {
    aim: Option<f64>,
    lfe_low_pass: Option<f64>,
}

/// `[stems.adm]` of a session file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlacementTable {
    place: Option<String>,
    left: Option<RoomPosition>,
    right: Option<RoomPosition>,
    gain: Option<f64>,
    lfe: Option<toml::Value>,
    binaural: Option<Binaural>,
}

fn within(name: &str, value: f64, low: f64, high: f64, unit: &str) -> Result<f64, SettingFault> {
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    Err(SettingFault::new(format!("{name} cannot be {value}"), format!("it takes {low} to {high} {unit}")))
}

impl AdmTable {
    /// The settings, validated.
    pub(super) fn read(&self) -> Result<AdmSettings, SettingFault> {
        let default = AdmSettings::default();
        let aim = self.aim.map(|x| within("aim", x, -31.0, -18.0, "LUFS")).transpose()?;
        let corner = self.lfe_low_pass.map(|x| within("lfe_low_pass", x, 100.0, 150.0, "Hz")).transpose()?;
        Ok(AdmSettings {
            aim: aim.map_or(default.aim, Lufs),
            lfe_low_pass: corner.map_or(default.lfe_low_pass, Hz),
        })
    }
}

impl PlacementTable {
    /// The placement of a stem of `role` called `name`.
    pub(super) fn read(&self, role: Role, name: &str) -> Result<AtmosPlacement, SettingFault> {
        let mut placement = AtmosPlacement::for_stem(role, name);
        let words = || format!("it takes object, {}", BEDS.map(|(word, _)| word).join(", "));
        match self.place.as_deref() {
            None => {}
            Some("object") => {
                if let AtmosPlace::Bed { .. } = placement.place {
                    placement.place = AtmosPlace::Object { left: [-1.0, 1.0, 0.0], right: [1.0, 1.0, 0.0] };
                }
            }
            Some(word) => {
                let (word, channels) = *BEDS
                    .iter()
                    .find(|(bed, _)| *bed == word)
                    .ok_or_else(|| SettingFault::new(format!("place cannot be {word:?}"), words()))?;
                placement.place = AtmosPlace::Bed { word, channels };
            }
        }
        match (&mut placement.place, self.left, self.right) {
            (_, None, None) => {}
            (AtmosPlace::Object { left, right }, l, r) => {
                for coordinate in l.into_iter().chain(r).flatten() {
                    within("a coordinate", coordinate, -1.0, 1.0, "(X right, Y front, Z up)")?;
                }
                *left = l.unwrap_or(*left);
                *right = r.unwrap_or(*right);
            }
            (AtmosPlace::Bed { .. }, ..) => {
                return Err(SettingFault::new("left and right are of objects", "set place = \"object\""));
            }
        }
        if let Some(gain) = self.gain {
            placement.gain = Db(within("gain", gain, -40.0, 12.0, "dB")?);
        }
        placement.lfe = match &self.lfe {
            None => placement.lfe,
            Some(toml::Value::String(off)) if off == "off" => None,
            Some(value) => {
                let number = number(value).ok_or_else(|| {
                    SettingFault::new(format!("lfe cannot be {value}"), "it takes dB or \"off\"")
                })?;
                Some(Db(within("lfe", number, -60.0, 0.0, "dB or \"off\"")?))
            }
        };
        placement.binaural = self.binaural.unwrap_or(placement.binaural);
        Ok(placement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, role: Role) -> Result<AtmosPlacement, SettingFault> {
        toml::from_str::<PlacementTable>(text).expect("is TOML").read(role, "Lead")
    }

    #[test]
    fn a_table_changes_only_what_it_says() {
        assert_eq!(read("", Role::Vocals), Ok(AtmosPlacement::for_stem(Role::Vocals, "Lead")));
        let moved = read("left = [-0.5, 1, 0]\nlfe = -12\n", Role::Vocals).expect("reads");
        assert_eq!(moved.place, AtmosPlace::Object { left: [-0.5, 1.0, 0.0], right: [0.3, 1.0, 0.0] });
        assert_eq!((moved.lfe, moved.binaural), (Some(Db(-12.0)), Binaural::Near));
        let bed = read("place = \"rears\"\nlfe = \"off\"", Role::Bass).expect("reads");
        assert_eq!(bed.place, AtmosPlace::Bed { word: "rears", channels: [6, 7] });
        assert_eq!(bed.lfe, None);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_a_cure() {
        for (text, role, word) in [
            ("place = \"roof\"", Role::Fx, "tops"),
            ("left = [0, 0, 2]", Role::Fx, "-1 to 1"),
            ("left = [0, 0, 0]", Role::Drums, "object"),
            ("gain = nan", Role::Fx, "-40 to 12"),
            ("lfe = \"loud\"", Role::Fx, "off"),
            ("lfe = 3", Role::Fx, "-60 to 0"),
        ] {
            let fault = read(text, role).expect_err("is refused");
            assert!(fault.remedy.contains(word), "{text}: {fault:?}");
        }
        assert!(AdmTable { aim: Some(-17.0), lfe_low_pass: None }.read().is_err());
        assert!(AdmTable { aim: None, lfe_low_pass: Some(200.0) }.read().is_err());
    }
}
