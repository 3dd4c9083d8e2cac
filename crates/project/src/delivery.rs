//! `[deliver]` and `[stems.deliver]` of a session file: what is delivered, and what it is called.

use serde::Deserialize;

use crate::names::Names;
use session::role::Role;

/// The song with some of its stems.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Version {
    /// No voices.
    Instrumental,
    /// Voices only, lead and backing.
    ACappella,
    /// No lead; backing voices are kept.
    TvMix,
}

impl Version {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Instrumental, Self::ACappella, Self::TvMix];

    /// The name in session files and for programs.
    pub fn id(self) -> &'static str {
        match self {
            Self::Instrumental => "instrumental",
            Self::ACappella => "a-cappella",
            Self::TvMix => "tv-mix",
        }
    }

    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Instrumental => "Instrumental",
            Self::ACappella => "A Cappella",
            Self::TvMix => "TV Mix",
        }
    }

    /// True if a stem of that role is heard in it.
    pub fn holds(self, role: Role) -> bool {
        match self {
            Self::Instrumental => !matches!(role, Role::Vocals | Role::Backing),
            Self::ACappella => matches!(role, Role::Vocals | Role::Backing),
            Self::TvMix => role != Role::Vocals,
        }
    }
}

/// What is made beside the master.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Make {
    /// Stems that sum to the master.
    Stems,
    /// Stems as they enter the master chain.
    #[serde(rename = "clean-stems")]
    CleanStems,
    /// A version.
    #[serde(untagged)]
    Version(Version),
}

impl Make {
    /// All of it.
    pub const ALL: [Self; 5] = [
        Self::Stems,
        Self::Version(Version::Instrumental),
        Self::Version(Version::ACappella),
        Self::Version(Version::TvMix),
        Self::CleanStems,
    ];

    /// The name in session files and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Stems => "stems",
            Self::Version(version) => version.id(),
            Self::CleanStems => "clean-stems",
        }
    }

    /// What is called so.
    pub fn of(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|make| make.id() == id)
    }
}

/// A piece of the master or of a version.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cutdown {
    /// Its length, seconds.
    pub length: f64,
    /// Where in the song it begins, seconds.
    pub at: f64,
    /// What it is cut from; none: the master.
    pub of: Option<Version>,
    /// Seconds from silence to full.
    pub fade_in: f64,
    /// Seconds from full to silence.
    pub fade_out: f64,
}

impl Cutdown {
    const FADE_IN: f64 = 0.01;
    const FADE_OUT: f64 = 1.5;

    /// `LENGTH@PLACE`, as `30@1:02.5`, of the master with the usual fades.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (length, at) = text.split_once('@').ok_or("write a length and a place, such as 30@1:02.5")?;
        let length: f64 = length
            .trim()
            .trim_end_matches('s')
            .parse()
            .map_err(|_| format!("{length:?} is no length in seconds"))?;
        let at =
            seconds(at).ok_or_else(|| format!("{at:?} is no place in the song, such as 62.5 or 1:02.5"))?;
        Self::new(length, at).ok_or_else(|| format!("a cutdown is {SHORTEST} to {LONGEST} seconds long"))
    }

    fn new(length: f64, at: f64) -> Option<Self> {
        let cutdown =
            Self { length, at, of: None, fade_in: Self::FADE_IN, fade_out: Self::FADE_OUT.min(length / 4.0) };
        (SHORTEST..=LONGEST).contains(&length).then_some(cutdown)
    }
}

const SHORTEST: f64 = 1.0;
const LONGEST: f64 = 600.0;

/// `62.5`, `1:02.5` or `0:01:02.5` in seconds.
pub fn seconds(text: &str) -> Option<f64> {
    let parts: Vec<f64> = text.trim().split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let fine = parts.len() <= 3 && parts.iter().all(|part| part.is_finite() && *part >= 0.0);
    fine.then(|| parts.iter().fold(0.0, |sum, part| sum * 60.0 + part))
}

/// What is delivered, and what it is called.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeliverSettings {
    /// The song; none: as its folder.
    pub title: Option<String>,
    /// Who plays it.
    pub artist: Option<String>,
    /// Who mastered it, and the revision.
    pub engineer: Option<String>,
    /// Recording codes: of the master (none), and of versions.
    pub isrc: Vec<(Option<Version>, String)>,
    /// How files are called.
    pub names: Names,
    /// What is made; none: all that the stems allow.
    pub make: Option<Vec<Make>>,
    /// 32-bit float instead of 24 bit.
    pub float: bool,
    /// Versions with gains of their own instead of the master's.
    pub own_gain: bool,
    /// Master, versions and cutdowns as 44.1 kHz and 16 bit too.
    pub cd: bool,
    /// Pieces.
    pub cutdowns: Vec<Cutdown>,
}

impl DeliverSettings {
    /// True if `make` is to be made.
    pub fn makes(&self, make: Make) -> bool {
        self.make.as_ref().is_none_or(|list| list.contains(&make))
    }
}

/// `[deliver]` of a session file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) struct RawDeliver {
    title: Option<String>,
    artist: Option<String>,
    engineer: Option<String>,
    #[serde(default)]
    isrc: RawIsrc,
    names: Option<String>,
    make: Option<Vec<Make>>,
    #[serde(default)]
    float: bool,
    #[serde(default)]
    own_gain: bool,
    #[serde(default)]
    cd: bool,
    #[serde(default)]
    cutdowns: Vec<RawCutdown>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawIsrc {
    master: Option<String>,
    instrumental: Option<String>,
    a_cappella: Option<String>,
    tv_mix: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCutdown {
    length: f64,
    at: toml::Value,
    of: Option<Version>,
    fade_in: Option<f64>,
    fade_out: Option<f64>,
}

/// `[stems.deliver]` of a session file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStemDeliver {
    /// The versions it is heard in.
    pub(super) versions: Option<Vec<Version>>,
}

/// A fault and its cure.
type Complaint = (String, String);

impl RawDeliver {
    pub(super) fn read(self) -> Result<DeliverSettings, Complaint> {
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
            isrc: codes.map(|(of, code)| Ok((of, isrc(&code)?))).collect::<Result<_, Complaint>>()?,
            names: self.names.map_or(Ok(Names::default()), |names| Names::parse(&names))?,
            make: self.make,
            float: self.float,
            own_gain: self.own_gain,
            cd: self.cd,
            cutdowns: self.cutdowns.iter().map(RawCutdown::read).collect::<Result<_, _>>()?,
        })
    }
}

impl RawCutdown {
    fn read(&self) -> Result<Cutdown, Complaint> {
        let at = match &self.at {
            toml::Value::String(text) => seconds(text),
            other => {
                other.as_float().or_else(|| other.as_integer().map(|n| n as f64)).filter(|at| *at >= 0.0)
            }
        };
        let at = at.ok_or_else(|| {
            (format!("a cutdown cannot be at {}", self.at), "write seconds, or \"1:02.5\"".to_owned())
        })?;
        let usual = Cutdown::new(self.length, at).ok_or_else(|| {
            (
                format!("a cutdown cannot be {} s long", self.length),
                format!("it takes {SHORTEST} to {LONGEST}"),
            )
        })?;
        let fade = |given: Option<f64>, usual: f64| match given {
            None => Ok(usual),
            Some(fade) if (0.0..=self.length / 2.0).contains(&fade) => Ok(fade),
            Some(fade) => Err((
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

/// A recording code (ISO 3901): two letters, three letters or digits, seven digits; hyphens do not count.
fn isrc(text: &str) -> Result<String, Complaint> {
    let code: String =
        text.chars().filter(|c| *c != '-' && *c != ' ').collect::<String>().to_ascii_uppercase();
    let fits = code.len() == 12
        && code.char_indices().all(|(i, c)| match i {
            0..2 => c.is_ascii_uppercase(),
            2..5 => c.is_ascii_uppercase() || c.is_ascii_digit(),
            _ => c.is_ascii_digit(),
        });
    if fits {
        return Ok(code);
    }
    Err((
        format!("{text:?} is no ISRC"),
        "it has two letters, three letters or digits and seven digits".into(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<DeliverSettings, Complaint> {
        toml::from_str::<RawDeliver>(text).map_err(|e| (e.to_string(), String::new()))?.read()
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
        assert_eq!(Cutdown::parse("30s@1:02.5").map(|c| (c.length, c.at)), Ok((30.0, 62.5)));
        for text in ["30", "x@3", "30@", "0@3", "30@nan", "inf@3"] {
            assert!(Cutdown::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn voices_are_where_they_belong() {
        let in_versions = |role| Version::ALL.map(|version| version.holds(role));
        assert_eq!(in_versions(Role::Vocals), [false, true, false]);
        assert_eq!(in_versions(Role::Backing), [false, true, true]);
        assert_eq!(in_versions(Role::Drums), [true, false, true]);
    }
}
