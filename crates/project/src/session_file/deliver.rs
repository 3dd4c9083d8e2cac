//! `[deliver]` and `[stems.deliver]`.

use serde::Deserialize;

use super::number::number;
use crate::bundle::Bundle;
use crate::delivery::{
    Cutdown, DeliverSettings, MAX_CUTDOWN, MIN_CUTDOWN, Make, OwnVersion, Version, VersionName, is_same_name,
    isrc, seconds,
};
use crate::names::Names;
use crate::session::Session;
use crate::setting_fault::SettingFault;
use crate::tag_value::{musical_key, product_code, tempo};

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
    make: Option<Vec<String>>,
    bpm: Option<toml::Value>,
    key: Option<String>,
    upc: Option<String>,
    #[serde(default)]
    flac: bool,
    #[serde(default)]
    float: bool,
    #[serde(default)]
    own_gain: bool,
    #[serde(default)]
    cd: bool,
    #[serde(default)]
    cutdowns: Vec<CutdownTable>,
    #[serde(default)]
    versions: Vec<VersionTable>,
}

/// `[[deliver.versions]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionTable {
    name: String,
    stems: Option<Vec<String>>,
    without: Option<Vec<String>>,
    isrc: Option<String>,
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
    of: Option<String>,
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
    /// The settings for `bundle`, whose stems have their names and `session` its stems, validated.
    pub(super) fn read(self, bundle: &Bundle, session: &Session) -> Result<DeliverSettings, SettingFault> {
        let bpm = self.bpm.as_ref().map(|bpm| {
            let value = number(bpm);
            tempo(value.ok_or_else(|| SettingFault::new(format!("bpm cannot be {bpm}"), "write a number"))?)
        });
        let mut versions: Vec<OwnVersion> = Vec::new();
        for table in self.versions {
            let version = table.read(bundle, session).map_err(|fault| fault.prefixed("versions"))?;
            if let Some(other) = versions.iter().find(|other| is_same_name(&other.name, &version.name)) {
                return Err(SettingFault::new(
                    format!("versions: two are called {:?} and {:?}", other.name, version.name),
                    "rename one of them",
                ));
            }
            versions.push(version);
        }
        let codes = [
            (None, self.isrc.master),
            (Some(Version::Instrumental), self.isrc.instrumental),
            (Some(Version::ACappella), self.isrc.a_cappella),
            (Some(Version::TvMix), self.isrc.tv_mix),
        ];
        let codes = codes.into_iter().filter_map(|(of, code)| Some((of, code?)));
        let settings = DeliverSettings {
            title: self.title,
            artist: self.artist,
            engineer: self.engineer,
            isrc: codes.map(|(of, code)| Ok((of, isrc(&code)?))).collect::<Result<_, SettingFault>>()?,
            names: self.names.map_or(Ok(Names::default()), |names| Names::parse(&names))?,
            make: self.make.map(|make| make.iter().map(|id| Make::from_id(id)).collect()),
            float: self.float,
            own_gain: self.own_gain,
            cd: self.cd,
            cutdowns: self.cutdowns.iter().map(CutdownTable::read).collect::<Result<_, _>>()?,
            versions,
            bpm: bpm.transpose()?,
            key: self.key.as_deref().map(musical_key).transpose()?,
            upc: self.upc.as_deref().map(product_code).transpose()?,
            flac: self.flac,
        };
        check_codes(&settings)?;
        settings.check()?;
        Ok(settings)
    }
}

/// Checks that no recording code is given to two recordings.
fn check_codes(settings: &DeliverSettings) -> Result<(), SettingFault> {
    let built_in = settings.isrc.iter().map(|(of, code)| (of.map_or("the master", Version::name), code));
    let own =
        settings.versions.iter().filter_map(|version| Some((version.name.as_str(), version.isrc.as_ref()?)));
    let mut codes: Vec<(&str, &String)> = Vec::new();
    for (name, code) in built_in.chain(own) {
        if let Some((other, _)) = codes.iter().find(|(_, other)| *other == code) {
            return Err(SettingFault::new(
                format!("{other} and {name} have one ISRC, {code}"),
                "give each recording its own, or none",
            ));
        }
        codes.push((name, code));
    }
    Ok(())
}

impl VersionTable {
    fn read(self, bundle: &Bundle, session: &Session) -> Result<OwnVersion, SettingFault> {
        let name = self.name.trim().to_owned();
        if !name.chars().any(char::is_alphanumeric) {
            return Err(SettingFault::new(
                format!("{:?} is no name", self.name),
                "write letters or digits, such as \"Underscore\"",
            ));
        }
        let taken = Make::ALL.iter().map(Make::id).chain(Version::ALL.map(Version::name)).chain(["Master"]);
        if let Some(taken) = taken.into_iter().find(|taken| is_same_name(taken, &name)) {
            return Err(SettingFault::new(
                format!("{name:?} is the name of another file of the delivery, {taken}"),
                "rename it",
            ));
        }
        let refuse = |fault: &str, remedy: String| Err(SettingFault::new(format!("{name}: {fault}"), remedy));
        let all: Vec<&str> = bundle.stems.iter().map(|stem| stem.name.as_str()).collect();
        let find = |name_of_stem: &String| {
            bundle.find(name_of_stem).map_err(|_| {
                let fault = format!("{name}: {name_of_stem:?} is none of the stems");
                SettingFault::new(fault, format!("they are {}", all.join(", ")))
            })
        };
        let heard = |stem: &usize| !session.stems[*stem].mute;
        let mut stems: Vec<usize> = match (&self.stems, &self.without) {
            (Some(stems), None) => {
                let listed: Vec<usize> = stems.iter().map(find).collect::<Result<_, _>>()?;
                if let Some(mute) = listed.iter().find(|stem| !heard(stem)) {
                    let fault = format!("{} is muted", all[*mute]);
                    return refuse(&fault, "set mute = false for it, or leave it out of the version".into());
                }
                listed
            }
            (None, Some(without)) => {
                let left_out: Vec<usize> = without.iter().map(find).collect::<Result<_, _>>()?;
                (0..bundle.stems.len()).filter(|stem| heard(stem) && !left_out.contains(stem)).collect()
            }
            _ => {
                let remedy = "write stems = [...], or without = [...] for all stems but those";
                return refuse("says not which stems it has, or says it twice", remedy.into());
            }
        };
        stems.sort_unstable();
        stems.dedup();
        if stems.is_empty() {
            return refuse("holds no stem", format!("the stems are {}", all.join(", ")));
        }
        Ok(OwnVersion { name, stems, isrc: self.isrc.as_deref().map(isrc).transpose()? })
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
            of: self.of.as_deref().map(VersionName::from_id),
            fade_in: fade(self.fade_in, usual.fade_in)?,
            fade_out: fade(self.fade_out, usual.fade_out)?,
            ..usual
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a song with the stems Drums and Bäss "x".
    fn read(text: &str) -> Result<DeliverSettings, SettingFault> {
        let bundle = crate::session_file::read::tests::bundle(std::path::Path::new("/x"));
        let mut session = Session::neutral(&bundle);
        session.stems[1].mute = text.contains("# mute");
        let table = toml::from_str::<DeliverTable>(text).map_err(|e| SettingFault::new(e.to_string(), ""))?;
        table.read(&bundle, &session)
    }

    #[test]
    fn a_session_says_what_to_deliver() {
        let settings = read(
            "title = \"Song\"\nmake = [\"stems\", \"tv-mix\", \"clean-stems\"]\nfloat = true\n\
             isrc = { master = \"de-a1b-26-00001\", tv-mix = \"DEA1B2600002\" }\n\
             cutdowns = [{ length = 30, at = \"1:02.5\", of = \"instrumental\", fade_out = 2 }, { length = 15, at = 3 }]",
        )
        .expect("is right");
        assert!(settings.makes(&Make::Stems) && settings.makes(&Make::CleanStems));
        assert!(
            settings.makes(&Make::Version(Version::TvMix))
                && !settings.makes(&Make::Version(Version::Instrumental))
        );
        assert_eq!(
            settings.isrc,
            [(None, "DEA1B2600001".to_owned()), (Some(Version::TvMix), "DEA1B2600002".to_owned())]
        );
        let [long, short] = &settings.cutdowns[..] else { panic!("two") };
        let of = Some(VersionName::BuiltIn(Version::Instrumental));
        assert_eq!((long.at, &long.of, long.fade_out), (62.5, &of, 2.0));
        assert_eq!((short.at, &short.of, short.fade_in, short.fade_out), (3.0, &None, 0.01, 1.5));
        assert!(DeliverSettings::default().makes(&Make::CleanStems));
    }

    #[test]
    fn versions_of_one_s_own_list_their_stems_or_those_left_out() {
        let settings = read(
            "bpm = 92.5\nkey = \"A minor\"\nupc = \"614141007349\"\nflac = true\nmake = [\"no drums\"]\n\
             cutdowns = [{ length = 30, at = 3, of = \"Beat\" }]\n\
             [[versions]]\nname = \"No Drums\"\nwithout = [\"drums\"]\nisrc = \"DEA1B2600003\"\n\
             [[versions]]\nname = \"Beat\"\nstems = [\"Drums\", \"01_Drums_Stem.wav\"]\n",
        )
        .expect("is right");
        let [no_drums, beat] = &settings.versions[..] else { panic!("two") };
        assert_eq!((&no_drums.stems[..], no_drums.isrc.as_deref()), (&[1][..], Some("DEA1B2600003")));
        assert_eq!((&beat.stems[..], &beat.isrc), (&[0][..], &None));
        assert!(settings.makes(&Make::Own("No Drums".into())) && !settings.makes(&Make::Own("Beat".into())));
        assert_eq!((settings.bpm, settings.key.as_deref(), settings.flac), (Some(92.5), Some("Am"), true));
        assert_eq!(settings.upc.as_deref(), Some("614141007349"));
    }

    #[test]
    fn versions_that_cannot_be_are_refused_with_their_name() {
        let version = |lines: &str| format!("[[versions]]\n{lines}\n");
        let underscore = version("name = \"Underscore\"\nstems = [\"Drums\"]");
        for (text, words) in [
            (
                version("name = \"A\"\nstems = [\"Choir\"]"),
                "A: \"Choir\" is none of the stems; they are Drums",
            ),
            (version("name = \"A\""), "stems = [...]"),
            (version("name = \"A\"\nstems = [\"Drums\"]\nwithout = [\"Drums\"]"), "says it twice"),
            (version("name = \"A\"\nstems = []"), "holds no stem"),
            (format!("# mute\n{}", version("name = \"A\"\nwithout = [\"Drums\"]")), "holds no stem"),
            (format!("# mute\n{}", version("name = \"A\"\nstems = [\"Bäss x\"]")), "is muted"),
            (version("name = \"..\"\nstems = [\"Drums\"]"), "is no name"),
            (version("name = \"tv mix\"\nstems = [\"Drums\"]"), "another file"),
            (version("name = \"MASTER\"\nstems = [\"Drums\"]"), "another file"),
            (
                format!("{underscore}{}", underscore.to_lowercase().replace("drums", "Drums")),
                "two are called",
            ),
            (format!("make = [\"Karaoke\"]\n{underscore}"), "clean-stems, Underscore"),
            (
                format!("cutdowns = [{{ length = 9, at = 0, of = \"Alt\" }}]\n{underscore}"),
                "tv-mix, Underscore",
            ),
            ("flac = true\nfloat = true".into(), "32-bit float"),
            ("isrc = { master = \"DEA1B2600001\", tv-mix = \"DE-A1B-26-00001\" }".into(), "one ISRC"),
            ("bpm = \"fast\"".into(), "bpm cannot be"),
            ("bpm = 0".into(), "10 to 999"),
            ("key = \"H\"".into(), "is no key"),
            ("upc = \"614141007348\"".into(), "it would be 9"),
        ] {
            let SettingFault { fault, remedy } = read(&text).expect_err(&text);
            let line = format!("{fault}; {remedy}");
            assert!(line.contains(words), "{text}: {line}");
        }
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
