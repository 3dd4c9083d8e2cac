//! Settings of a delivery: the files that are made, and their names.

use std::fmt;

use serde::Deserialize;

use super::names::Names;
use super::setting_fault::SettingFault;
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
    pub fn includes(self, role: Role) -> bool {
        match self {
            Self::Instrumental => !matches!(role, Role::Vocals | Role::Backing),
            Self::ACappella => matches!(role, Role::Vocals | Role::Backing),
            Self::TvMix => role != Role::Vocals,
        }
    }
}

/// A version of the user's own: the song with the stems that it lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnVersion {
    /// Its name, for files and titles.
    pub name: String,
    /// The stems that are heard in it: indices into the bundle, ascending.
    pub stems: Vec<usize>,
    /// Its recording code.
    pub isrc: Option<String>,
}

/// A version by its id, or one of the user's own by its name.
#[derive(Clone, PartialEq, Eq)]
pub enum VersionName {
    /// One that every song may have.
    BuiltIn(Version),
    /// One of the user's own.
    Own(String),
}

impl VersionName {
    /// The version of that id or name.
    pub fn from_id(id: &str) -> Self {
        let built_in = Version::ALL.into_iter().find(|version| version.id() == id);
        built_in.map_or_else(|| Self::Own(id.to_owned()), Self::BuiltIn)
    }

    /// The name for people.
    pub fn name(&self) -> &str {
        match self {
            Self::BuiltIn(version) => version.name(),
            Self::Own(name) => name,
        }
    }
}

impl fmt::Debug for VersionName {
    /// As [`Version`] alone: manifests hold a hash of this text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(version) => version.fmt(f),
            Self::Own(name) => f.debug_tuple("Own").field(name).finish(),
        }
    }
}

/// True if both are one name in folders and lists: letters and digits alike, whatever their case.
pub fn is_same_name(a: &str, b: &str) -> bool {
    let plain = |text: &str| {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>()
    };
    plain(a) == plain(b)
}

/// An item that is made beside the master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Make {
    /// Stems that sum to the master.
    Stems,
    /// Stems as they enter the master chain.
    CleanStems,
    /// A version.
    Version(Version),
    /// A version of the user's own, by its name.
    Own(String),
}

impl Make {
    /// All of it, versions of the user's own aside.
    pub const ALL: [Self; 5] = [
        Self::Stems,
        Self::Version(Version::Instrumental),
        Self::Version(Version::ACappella),
        Self::Version(Version::TvMix),
        Self::CleanStems,
    ];

    /// The name in session files and on the command line.
    pub fn id(&self) -> &str {
        match self {
            Self::Stems => "stems",
            Self::Version(version) => version.id(),
            Self::CleanStems => "clean-stems",
            Self::Own(name) => name,
        }
    }

    /// The item with that name; any other is that of a version of the user's own.
    pub fn from_id(id: &str) -> Self {
        Self::ALL.into_iter().find(|make| make.id() == id).unwrap_or_else(|| Self::Own(id.to_owned()))
    }
}

/// A piece of the master or of a version.
#[derive(Clone, Debug, PartialEq)]
pub struct Cutdown {
    /// Its length, seconds.
    pub length: f64,
    /// Its start in the song, seconds.
    pub at: f64,
    /// The version that it is cut from; none: the master.
    pub of: Option<VersionName>,
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
    /// A sentence that names the fault.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (length, at) = text.split_once('@').ok_or("write a length and a place, such as 30@1:02.5")?;
        let length: f64 = length
            .trim()
            .trim_end_matches('s')
            .replace(',', ".")
            .parse()
            .map_err(|_| format!("{length:?} is no length in seconds"))?;
        let at =
            seconds(at).ok_or_else(|| format!("{at:?} is no place in the song, such as 62.5 or 1:02.5"))?;
        Self::new(length, at)
            .ok_or_else(|| format!("a cutdown is {MIN_CUTDOWN} to {MAX_CUTDOWN} seconds long"))
    }

    /// A cutdown of the master with the usual fades; `None` if it is too short or too long.
    pub(super) fn new(length: f64, at: f64) -> Option<Self> {
        let cutdown =
            Self { length, at, of: None, fade_in: Self::FADE_IN, fade_out: Self::FADE_OUT.min(length / 4.0) };
        (MIN_CUTDOWN..=MAX_CUTDOWN).contains(&length).then_some(cutdown)
    }
}

/// The shortest cutdown, seconds.
pub(super) const MIN_CUTDOWN: f64 = 1.0;
/// The longest cutdown, seconds.
pub(super) const MAX_CUTDOWN: f64 = 600.0;

/// `62.5`, `1:02.5` or `0:01:02.5` in seconds; a decimal comma is one too.
pub fn seconds(text: &str) -> Option<f64> {
    let text = text.replace(',', ".");
    let parts: Vec<f64> = text.trim().split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let fine = parts.len() <= 3 && parts.iter().all(|part| part.is_finite() && *part >= 0.0);
    fine.then(|| parts.iter().fold(0.0, |sum, part| sum * 60.0 + part))
}

/// A recording code (ISO 3901) as letters and digits: two letters, three letters or digits, seven digits; hyphens do not count.
///
/// # Errors
/// If it is none.
pub fn isrc(text: &str) -> Result<String, SettingFault> {
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
    Err(SettingFault::new(
        format!("{text:?} is no ISRC"),
        "it has two letters, three letters or digits and seven digits",
    ))
}

/// The files of a delivery and their names.
#[derive(Clone, Default, PartialEq)]
pub struct DeliverSettings {
    /// The song; none: as its folder.
    pub title: Option<String>,
    /// The artist.
    pub artist: Option<String>,
    /// The mastering engineer's initials and the revision.
    pub engineer: Option<String>,
    /// Recording codes: of the master (none), and of versions.
    pub isrc: Vec<(Option<Version>, String)>,
    /// The scheme of file names.
    pub names: Names,
    /// The items that are made; none: all that the stems allow.
    pub make: Option<Vec<Make>>,
    /// 32-bit float instead of 24 bit.
    pub float: bool,
    /// Versions with gains of their own instead of the master's.
    pub own_gain: bool,
    /// Master, versions and cutdowns as 44.1 kHz and 16 bit too.
    pub cd: bool,
    /// Pieces.
    pub cutdowns: Vec<Cutdown>,
    /// Versions of the user's own.
    pub versions: Vec<OwnVersion>,
    /// Tempo, beats per minute.
    pub bpm: Option<f64>,
    /// Key, as ID3 writes it.
    pub key: Option<String>,
    /// Product code (UPC or EAN), digits.
    pub upc: Option<String>,
    /// Every file as FLAC beside WAV.
    pub flac: bool,
}

impl fmt::Debug for DeliverSettings {
    /// Fields that manifests of earlier versions did not know are left out where they are at their default: manifests hold a
    /// hash of this text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, artist, engineer, isrc, names, make, float, own_gain, cd, cutdowns, .. } = self;
        let Self { versions, bpm, key, upc, flac, .. } = self;
        let mut text = f.debug_struct("DeliverSettings");
        text.field("title", title).field("artist", artist).field("engineer", engineer).field("isrc", isrc);
        text.field("names", names).field("make", make).field("float", float).field("own_gain", own_gain);
        text.field("cd", cd).field("cutdowns", cutdowns);
        if !versions.is_empty() {
            text.field("versions", versions);
        }
        for (name, value) in [("key", key), ("upc", upc)] {
            if value.is_some() {
                text.field(name, value);
            }
        }
        if bpm.is_some() {
            text.field("bpm", bpm);
        }
        if *flac {
            text.field("flac", flac);
        }
        text.finish()
    }
}

impl DeliverSettings {
    /// True if `make` is to be made.
    pub fn makes(&self, make: &Make) -> bool {
        self.make.as_ref().is_none_or(|list| {
            list.iter().any(|one| match (one, make) {
                (Make::Own(one), Make::Own(name)) => is_same_name(one, name),
                (one, make) => one == make,
            })
        })
    }

    /// The version of the user's own of that name.
    pub fn own_version(&self, name: &str) -> Option<&OwnVersion> {
        self.versions.iter().find(|version| is_same_name(&version.name, name))
    }

    /// Checks that all settings fit each other.
    ///
    /// # Errors
    /// If something is to be made of a version that is not there, or FLAC is to hold 32-bit float.
    pub fn check(&self) -> Result<(), SettingFault> {
        let known = || {
            let own = self.versions.iter().map(|version| version.name.as_str());
            Make::ALL.iter().map(Make::id).chain(own).collect::<Vec<_>>().join(", ")
        };
        let makes = self.make.iter().flatten().filter_map(|make| match make {
            Make::Own(name) => Some(name),
            _ => None,
        });
        if let Some(name) = makes.into_iter().find(|name| self.own_version(name).is_none()) {
            return Err(SettingFault::new(
                format!("{name:?} cannot be made"),
                format!(
                    "make takes {}; versions of your own are [[deliver.versions]] of the session file",
                    known()
                ),
            ));
        }
        for cutdown in &self.cutdowns {
            if let Some(VersionName::Own(name)) = &cutdown.of
                && self.own_version(name).is_none()
            {
                let ids = Version::ALL.map(Version::id);
                let own = self.versions.iter().map(|version| version.name.as_str());
                let ids = ids.into_iter().chain(own).collect::<Vec<_>>().join(", ");
                return Err(SettingFault::new(
                    format!("a cutdown is of {name:?}, which is no version"),
                    format!("of takes {ids}"),
                ));
            }
        }
        if self.flac && self.float {
            return Err(SettingFault::new("FLAC cannot hold 32-bit float", "leave out flac or float"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutdowns_are_read_from_length_and_place() {
        assert_eq!(Cutdown::parse("30s@1:02.5").map(|c| (c.length, c.at)), Ok((30.0, 62.5)));
        for text in ["30", "x@3", "30@", "0@3", "30@nan", "inf@3"] {
            assert!(Cutdown::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn voices_are_where_they_belong() {
        let in_versions = |role| Version::ALL.map(|version| version.includes(role));
        assert_eq!(in_versions(Role::Vocals), [false, true, false]);
        assert_eq!(in_versions(Role::Backing), [false, true, true]);
        assert_eq!(in_versions(Role::Drums), [true, false, true]);
    }
}
