//! `[deliver]` and `[stems.deliver]`.

use serde::Deserialize;

use super::number::number;
use crate::delivery::{Cutdown, DeliverSettings, MAX_CUTDOWN, MIN_CUTDOWN, Make, Version, isrc, seconds};
use crate::names::Names;
use crate::setting_fault::SettingFault;

/// `[deliver]` of a session file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) struct DeliverTable {
    title: Option<String>,
    artist: Option<String>,
    engineer: Option<String>,
    #[serde(default)]
    isrc: IsrcTable,
    names: Option<String>,
    make: Option<Vec<Make>>,
    #[serde(default)]
    float: bool,
    #[serde(default)]
    own_gain: bool,
    #[serde(default)]
    cd: bool,
    #[serde(default)]
    cutdowns: Vec<CutdownTable>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct IsrcTable {
    master: Option<String>,
    instrumental: Option<String>,
    a_cappella: Option<String>,
    tv_mix: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CutdownTable {
    length: f64,
    at: toml::Value,
    of: Option<Version>,
    fade_in: Option<f64>,
    fade_out: Option<f64>,
}

/// `[stems.deliver]` of a session file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StemDeliverTable {
    /// The versions it is heard in.
    pub(super) versions: Option<Vec<Version>>,
}

impl DeliverTable {
    /// The settings, validated.
    pub(super) fn read(self) -> Result<DeliverSettings, SettingFault> {
        let codes = [
            (None, self.isrc.master),
            (Some(Version::Instrumental), self.isrc.instrumental),
            (Some(Version::ACappella), self.isrc.a_cappella),
            (Some(Version::TvMix), self.isrc.tv_mix),
        ];
        let codes = codes.into_iter().filter_map(|(of, code)| Some((of, code?)));
        Ok(DeliverSettings {
            title: self.title,
            artist: self.artist,
            engineer: self.engineer,
            isrc: codes.map(|(of, code)| Ok((of, isrc(&code)?))).collect::<Result<_, SettingFault>>()?,
            names: self.names.map_or(Ok(Names::default()), |names| Names::parse(&names))?,
            make: self.make,
            float: self.float,
            own_gain: self.own_gain,
            cd: self.cd,
            cutdowns: self.cutdowns.iter().map(CutdownTable::read).collect::<Result<_, _>>()?,
        })
    }
}

impl CutdownTable {
    fn read(&self) -> Result<Cutdown, SettingFault> {
        let at = match &self.at {
            toml::Value::String(text) => seconds(text),
            other => number(other).filter(|at| *at >= 0.0),
        };
        let at = at.ok_or_else(|| {
            SettingFault::new(format!("a cutdown cannot be at {}", self.at), "write seconds, or \"1:02.5\"")
        })?;
        let usual = Cutdown::new(self.length, at).ok_or_else(|| {
            SettingFault::new(
                format!("a cutdown cannot be {} s long", self.length),
                format!("it takes {MIN_CUTDOWN} to {MAX_CUTDOWN}"),
            )
        })?;
        let fade = |given: Option<f64>, usual: f64| match given {
            None => Ok(usual),
            Some(fade) if (0.0..=self.length / 2.0).contains(&fade) => Ok(fade),
            Some(fade) => Err(SettingFault::new(
                format!("a fade cannot be {fade} s long"),
                format!("it takes 0 to {}, half of the cutdown", self.length / 2.0),
            )),
        };
        Ok(Cutdown {
            of: self.of,
            fade_in: fade(self.fade_in, usual.fade_in)?,
            fade_out: fade(self.fade_out, usual.fade_out)?,
            ..usual
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<DeliverSettings, SettingFault> {
        toml::from_str::<DeliverTable>(text).map_err(|e| SettingFault::new(e.to_string(), ""))?.read()
    }

    #[test]
    fn a_session_says_what_to_deliver() {
        let settings = read(
            "title = \"Song\"\nmake = [\"stems\", \"tv-mix\", \"clean-stems\"]\nfloat = true\n\
             isrc = { master = \"de-a1b-26-00001\", tv-mix = \"DEA1B2600002\" }\n\
             cutdowns = [{ length = 30, at = \"1:02.5\", of = \"instrumental\", fade_out = 2 }, { length = 15, at = 3 }]",
        )
        .expect("is right");
        assert!(settings.makes(Make::Stems) && settings.makes(Make::CleanStems));
        assert!(
            settings.makes(Make::Version(Version::TvMix))
                && !settings.makes(Make::Version(Version::Instrumental))
        );
        assert_eq!(
            settings.isrc,
            [(None, "DEA1B2600001".to_owned()), (Some(Version::TvMix), "DEA1B2600002".to_owned())]
        );
        let [long, short] = settings.cutdowns[..] else { panic!("two") };
        assert_eq!((long.at, long.of, long.fade_out), (62.5, Some(Version::Instrumental), 2.0));
        assert_eq!((short.at, short.of, short.fade_in, short.fade_out), (3.0, None, 0.01, 1.5));
        assert!(DeliverSettings::default().makes(Make::CleanStems));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for text in [
            "make = [\"karaoke\"]",
            "titel = \"Song\"",
            "isrc = { master = \"DEA1B26\" }",
            "names = \"{title}\"",
            "cutdowns = [{ length = 30 }]",
            "cutdowns = [{ length = 0, at = 3 }]",
            "cutdowns = [{ length = 30, at = -3 }]",
            "cutdowns = [{ length = 30, at = \"1:xx\" }]",
            "cutdowns = [{ length = 30, at = 3, fade_in = 16 }]",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
