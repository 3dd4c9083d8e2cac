//! `session.toml`: roles, chains and targets of a bundle, in words that people edit.

mod fader;
mod noise;

use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use super::delivery::{DeliverSettings, RawDeliver, RawStemDeliver, Version};
use super::placement::{AdmSettings, Placement, RawAdm, RawPlacement};
use crate::bundle::{Bundle, Stem};
use audiofile::error::{Error, Result};
use chain::parameters::{Kind, PARAMETERS, Parameter, Value};
use chain::{ChainKind, ChainSettings, LatencyClass};
use dsp::KeySource;
pub use fader::Fader;
use fader::RawFader;
use session::role::Role;
use session::solve::LARGEST_TRIM;
use units::Db;

/// The name of the session file in a bundle.
pub const FILE_NAME: &str = "session.toml";
const SCHEMA: &str = "stemlink.session/1";

/// What a session says about one stem.
#[derive(Clone, Debug, PartialEq)]
pub struct StemSession {
    /// What it plays.
    pub role: Role,
    /// Left out of the sum.
    pub mute: bool,
    /// Latency class of its chain.
    pub latency: LatencyClass,
    /// Its chain, a Master's trim included.
    pub chain: ChainSettings,
    /// What comes after its chain: fader and pan.
    pub fader: Fader,
    /// Its place in an Atmos file.
    pub placement: Placement,
    /// The versions it is heard in; none: by role.
    pub versions: Option<Vec<Version>>,
}

impl StemSession {
    /// True if it is heard in that version of the song.
    pub fn is_in(&self, version: Version) -> bool {
        self.versions.as_ref().map_or_else(|| version.holds(self.role), |list| list.contains(&version))
    }
}

/// How loud the master is to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Loudness {
    /// One constant gain toward -14 LUFS that stops where limiting would exceed 2 dB; never down for loudness.
    #[default]
    Auto,
    /// As the chains leave it; only the ceiling is held.
    AsIs,
    /// As the plugins sound in a host: nothing but the chains, in single precision between them.
    AsHeard,
    /// On this target.
    Target(String),
}

/// A bundle's settings, complete: one entry per stem, in bundle order.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The stems.
    pub stems: Vec<StemSession>,
    /// The master chain.
    pub master: ChainSettings,
    /// Latency class of the master chain.
    pub master_latency: LatencyClass,
    /// Loudness of the master.
    pub loudness: Loudness,
    /// Target ids to report; empty: all.
    pub targets: Vec<String>,
    /// The Atmos file.
    pub adm: AdmSettings,
    /// The delivery.
    pub deliver: DeliverSettings,
    /// What to tell the user: stems of the folder that the file does not list.
    pub notes: Vec<String>,
}

impl Session {
    /// The session without a file: roles guessed, chains neutral.
    pub fn neutral(bundle: &Bundle) -> Self {
        let stem = |role| StemSession {
            role,
            mute: false,
            latency: ChainKind::Stem.default_class(),
            chain: ChainSettings::default(),
            fader: Fader::default(),
            placement: Placement::of(role),
            versions: None,
        };
        Self {
            stems: bundle.stems.iter().map(|s| stem(s.role)).collect(),
            master: ChainSettings::default(),
            master_latency: ChainKind::Master.default_class(),
            loudness: Loudness::Auto,
            targets: Vec::new(),
            adm: AdmSettings::default(),
            deliver: DeliverSettings::default(),
            notes: Vec::new(),
        }
    }

    /// Reads a session file for `bundle`, whose stems take the names it gives them.
    ///
    /// # Errors
    /// One line that names the fault: not TOML, unknown keys or ids, values out of range, stems that are not there.
    pub fn read(path: &Path, bundle: &mut Bundle) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::open(path))?;
        let fault = |fault: String, cure: String| Error::Bundle { path: path.to_owned(), fault, cure };
        let raw: RawSession = toml::from_str(&text).map_err(|error| {
            let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
            let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            let message = audiofile::error::one_line(error.message());
            fault(format!("{place}{message}"), "correct it, or write a new one with stems init".into())
        })?;
        if raw.schema != SCHEMA {
            return Err(fault(
                format!("schema is {:?}", raw.schema),
                format!("this version reads {SCHEMA:?}; write a new one with stems init"),
            ));
        }
        let mut session = Self::neutral(bundle);
        let chain = |chain_kind, class, whose: &str, table: &toml::Table| {
            read_chain(chain_kind, class, table)
                .map_err(|(what, cure)| fault(format!("{whose}: {what}"), cure))
        };
        session.master_latency = raw.master.latency.unwrap_or(session.master_latency);
        (session.master, _) =
            chain(ChainKind::Master, session.master_latency, "master.chain", &raw.master.chain)?;
        session.loudness = match raw.master.loudness.as_deref() {
            None | Some("auto") => Loudness::Auto,
            Some("as-is") => Loudness::AsIs,
            Some("as-heard") => Loudness::AsHeard,
            Some(id) => Loudness::Target(id.to_owned()),
        };
        session.targets = raw.targets;
        session.deliver =
            raw.deliver.read().map_err(|(what, cure)| fault(format!("deliver: {what}"), cure))?;
        session.adm = raw.adm.read().map_err(|(what, cure)| fault(format!("adm: {what}"), cure))?;
        let mut listed = vec![false; bundle.stems.len()];
        for stem in &raw.stems {
            let called = stem.called();
            let at = stem.find(bundle).map_err(|(what, cure)| fault(what, cure))?;
            if std::mem::replace(&mut listed[at], true) {
                return Err(fault(format!("lists {called:?} twice"), "remove one of them".into()));
            }
            let entry = &mut session.stems[at];
            entry.role = stem.role.unwrap_or(entry.role);
            entry.mute = stem.mute;
            entry.latency = stem.latency.unwrap_or(entry.latency);
            let stretch;
            (entry.chain, stretch) = chain(ChainKind::Stem, entry.latency, called, &stem.chain)?;
            let after =
                stem.after(&entry.chain).map_err(|(what, cure)| fault(format!("{called}: {what}"), cure))?;
            (entry.chain.level, entry.fader) = after;
            if let Some(stretch) = stretch {
                entry.chain.denoise.print = noise::learn(&bundle.stems[at].path, &entry.chain, stretch)?;
            }
            let adm = stem.adm.as_ref();
            entry.placement = adm
                .map_or(Ok(Placement::of(entry.role)), |adm| adm.read(entry.role))
                .map_err(|(what, cure)| fault(format!("{called}: adm: {what}"), cure))?;
            entry.versions = stem.deliver.as_ref().and_then(|deliver| deliver.versions.clone());
            bundle.stems[at].role = entry.role;
            if let Some(name) = &stem.name {
                bundle.stems[at].name.clone_from(name);
            }
        }
        for (i, stem) in bundle.stems.iter().enumerate() {
            if bundle.stems[..i].iter().any(|other| other.name == stem.name) {
                return Err(fault(
                    format!("two stems are called {:?}", stem.name),
                    "rename one of them".into(),
                ));
            }
        }
        let new: Vec<&str> = bundle
            .stems
            .iter()
            .zip(&listed)
            .filter(|(_, listed)| !**listed)
            .map(|(s, _)| s.name.as_str())
            .collect();
        match new.as_slice() {
            [] => {}
            [one] => session.notes.push(format!("{one} is not in the session file; its chain is neutral")),
            _ => {
                session.notes.push(format!(
                    "{} are not in the session file; their chains are neutral",
                    new.join(", ")
                ));
            }
        }
        session.note_missing_sidechains(bundle);
        Ok(session)
    }

    /// Says what waits for a sidechain, which files do not have. A master listens to itself then.
    fn note_missing_sidechains(&mut self, bundle: &Bundle) {
        for (stem, file) in self.stems.iter().zip(&bundle.stems) {
            let name = &file.name;
            if stem.chain.compressor.on && stem.chain.compressor.key == KeySource::Sidechain {
                self.notes.push(format!(
                    "{name}: comp_key is \"sidechain\", which files do not have: nothing is compressed"
                ));
            }
            for (i, band) in stem.chain.equalizer.bands.iter().enumerate() {
                if band.is_dynamic() && band.dynamic.key == KeySource::Sidechain {
                    let n = i + 1;
                    self.notes.push(format!(
                        "{name}: eq{n}_key is \"sidechain\", which files do not have: the band stands still"
                    ));
                }
            }
        }
    }

    /// The session of a bundle: of `given` if any, else of its own `session.toml`, else neutral. Returns the file
    /// used too.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn of(bundle: &mut Bundle, given: Option<&Path>) -> Result<(Self, Option<std::path::PathBuf>)> {
        let own = bundle.dir.join(FILE_NAME);
        match given.map(Path::to_owned).or_else(|| own.is_file().then_some(own)) {
            None => Ok((Self::neutral(bundle), None)),
            Some(path) => Ok((Self::read(&path, bundle)?, Some(path))),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSession {
    schema: String,
    #[serde(default)]
    targets: Vec<String>,
    #[serde(default)]
    master: RawMaster,
    #[serde(default)]
    adm: RawAdm,
    #[serde(default)]
    deliver: RawDeliver,
    #[serde(default)]
    stems: Vec<RawStem>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMaster {
    loudness: Option<String>,
    latency: Option<LatencyClass>,
    #[serde(default)]
    chain: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStem {
    file: Option<String>,
    name: Option<String>,
    role: Option<Role>,
    #[serde(default)]
    mute: bool,
    latency: Option<LatencyClass>,
    #[serde(default)]
    trim: f64,
    fader: Option<RawFader>,
    #[serde(default)]
    chain: toml::Table,
    adm: Option<RawPlacement>,
    deliver: Option<RawStemDeliver>,
}

impl RawStem {
    /// What the file calls it.
    fn called(&self) -> &str {
        self.file.as_ref().or(self.name.as_ref()).map_or("a stem", String::as_str)
    }

    /// Which stem of the bundle it is: that of its file name, else that of its name, however it is spaced and written.
    fn find(&self, bundle: &Bundle) -> std::result::Result<usize, Complaint> {
        let plain = |s: &str| s.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
        // As it was written by init: what is not UTF-8 in a name is replaced.
        let called = |s: &Stem| match (&self.file, &self.name) {
            (Some(file), _) => s.path.file_name().is_some_and(|n| n.to_string_lossy() == *file),
            (None, Some(name)) => {
                let whole = s.path.file_stem().map(|stem| plain(&stem.to_string_lossy()));
                plain(&s.name) == plain(name) || whole.is_some_and(|whole| whole == plain(name))
            }
            (None, None) => false,
        };
        bundle.stems.iter().position(called).ok_or_else(|| {
            let dir = audiofile::error::shown(&bundle.dir);
            match (&self.file, &self.name) {
                (Some(file), _) => (
                    format!("lists {file:?}, which is not in {dir}"),
                    "correct the file name or remove the stem".into(),
                ),
                (None, Some(name)) => (
                    format!("lists {name:?}, and no file of {dir} is called so"),
                    "call the stem's file like its track, or write file = \"...\" for it".into(),
                ),
                (None, None) => {
                    ("lists a stem without file and name".into(), "write file = \"...\" for it".into())
                }
            }
        })
    }

    /// What the level becomes with the trim, and the fader.
    fn after(&self, chain: &ChainSettings) -> std::result::Result<(Db, Fader), Complaint> {
        if !(-LARGEST_TRIM.0..=LARGEST_TRIM.0).contains(&self.trim) {
            return Err(("trim is out of range".into(), "it takes -24 to 24 dB".into()));
        }
        let fader = self.fader.as_ref().map_or(Ok(Fader::default()), RawFader::read)?;
        // the sum that a plugin makes of the two
        Ok((chain.level + Db(self.trim), fader))
    }
}

/// A fault and its cure.
type Complaint = (String, String);

fn read_chain(
    chain_kind: ChainKind,
    class: LatencyClass,
    table: &toml::Table,
) -> std::result::Result<(ChainSettings, Option<noise::Stretch>), Complaint> {
    let mut settings = ChainSettings::default();
    let mut stretch = None;
    for (id, value) in table {
        if noise::KEYS.contains(&id.as_str()) {
            stretch = noise::take(&mut settings, chain_kind, id, value)?.or(stretch);
            continue;
        }
        let Some(parameter) = PARAMETERS.of(chain_kind).find(|p| p.id == *id) else {
            return Err((format!("no parameter is called {id:?}"), nearest(chain_kind, id)));
        };
        let value = read_value(parameter, value)
            .ok_or_else(|| (format!("{id} cannot be {value}"), format!("it takes {}", parameter.range())))?;
        parameter.set(&mut settings, value);
        // The Master's limiter runs in every class: it is not of its chain but lands the master.
        let lands = chain_kind == ChainKind::Master && id == "lim_on";
        if value == Value::Switch(true) && parameter.needs() > class && !lands {
            return Err((
                format!("{id} needs more latency than {:?} has", class.id()),
                format!("write latency = {:?} for it, or switch {id} off", parameter.needs().id()),
            ));
        }
    }
    Ok((settings, stretch))
}

fn read_value(parameter: &Parameter, value: &toml::Value) -> Option<Value> {
    match (parameter.kind, value) {
        (Kind::Switch, toml::Value::Boolean(on)) => Some(Value::Switch(*on)),
        (Kind::Number { may_be_off: true, .. }, toml::Value::String(text))
            if text.eq_ignore_ascii_case("off") =>
        {
            Some(Value::Number(None))
        }
        (Kind::Number { min, max, .. }, _) => {
            let number = value.as_float().or_else(|| value.as_integer().map(|i| i as f64))?;
            (min..=max).contains(&number).then_some(Value::Number(Some(number)))
        }
        (Kind::Choice(_), toml::Value::String(text)) => parameter.choice(text),
        _ => None,
    }
}

/// The cure for an unknown id: the ids nearest to it.
fn nearest(chain_kind: ChainKind, id: &str) -> String {
    let shared = |other: &str| other.chars().zip(id.chars()).take_while(|(a, b)| a == b).count();
    let mut ids: Vec<&str> = PARAMETERS.of(chain_kind).map(|p| p.id.as_str()).collect();
    ids.sort_by_key(|other| std::cmp::Reverse(shared(other)));
    let best = ids.first().map_or(0, |other| shared(other));
    let near: Vec<&str> =
        ids.into_iter().take_while(|other| best > 0 && shared(other) == best).take(6).collect();
    if near.is_empty() {
        "see the comments of a file written by stems init".into()
    } else {
        format!("near it are {}", near.join(", "))
    }
}

/// The text of a new session file: roles guessed, chains neutral, everything there is in comments.
pub fn template(bundle: &Bundle) -> String {
    let mut text = format!(
        "# Stemlink session of {}: settings for stems what-if, solve and master.\n\
         # Lines that start with # are comments; a parameter that is not set has the value shown in its comment.\n\
         schema = \"{SCHEMA}\"\n\n\
         # Platforms to report, by id (stems targets lists them); empty: all.\n\
         targets = []\n\n\
         [master]\n\
         # How loud the master is to be:\n\
         #   \"auto\"   one constant gain toward -14 LUFS that stops where limiting would exceed 2 dB; never down for loudness\n\
         #   \"as-is\"  as the chains below leave it; only the ceiling is held\n\
         #   \"as-heard\"  as the plugins play it in a host, without a ceiling of its own; what the Master exports\n\
         #   or a target id, such as \"spotify\": lands on it within 0.1 LU\n\
         loudness = \"auto\"\n\
         # latency = \"lookahead\"  # zero: no compressor lookahead, no saturator; linear_denoise: noise reduction and a linear-phase EQ too\n\n\
         [master.chain]\n",
        audiofile::error::shown(bundle.dir.file_name().map_or(&bundle.dir, Path::new))
    );
    write_chain(&mut text, ChainKind::Master, 8);
    text.push_str(ADM_TEMPLATE);
    text.push_str(DELIVER_TEMPLATE);
    for (i, stem) in bundle.stems.iter().enumerate() {
        let file = stem.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let _ = write!(
            text,
            "\n[[stems]]\nfile = {}\nname = {}\nrole = {}  # {}\n# mute = false\n# latency = \"zero\"  # lookahead: compressor lookahead, saturator and limiter; linear_denoise: noise reduction and a linear-phase EQ too\n\n[stems.chain]\n",
            toml::Value::String(file),
            toml::Value::String(stem.name.clone()),
            toml::Value::String(stem.role.id().into()),
            Role::ALL.map(Role::id).join(", "),
        );
        if i == 0 {
            write_chain(&mut text, ChainKind::Stem, 1);
        } else {
            text.push_str("# level = 0  # dB; parameters as for the first stem\n");
        }
        let placement = Placement::of(stem.role);
        let _ = write!(
            text,
            "\n[stems.adm]\n# by role: {}, LFE {}, headphones {}\n",
            placement.words(stem.info.channels == 1),
            placement.lfe.map_or("off".into(), |send| format!("{} dB", send.0)),
            placement.binaural.id()
        );
        if i == 0 {
            text.push_str(PLACEMENT_TEMPLATE);
        }
        let versions = Version::ALL.into_iter().filter(|version| version.holds(stem.role));
        let versions: Vec<String> = versions.map(|version| format!("{:?}", version.id())).collect();
        let _ = write!(text, "\n[stems.deliver]\n# versions = [{}]  # by role\n", versions.join(", "));
    }
    text
}

const ADM_TEMPLATE: &str = "
# The Atmos file of stems adm.
[adm]
# aim = -18.5  # loudness of its 5.1 render: -31 to -18 LUFS
# lfe_low_pass = 120  # 100 to 150 Hz
";

const DELIVER_TEMPLATE: &str = "
# What stems deliver makes, and what it is called.
[deliver]
# title = \"Song\"  # else the name of the folder
# artist = \"Artist\"
# engineer = \"EN1\"  # initials and revision, for names
# isrc = { master = \"AA-B1C-26-00001\", instrumental = \"...\", a-cappella = \"...\", tv-mix = \"...\" }
# names = \"plain\"  # plain, academy, or a template: {title} {short} {artist} {initials} {engineer} {version} {format}
# make = [\"stems\", \"instrumental\", \"a-cappella\", \"tv-mix\", \"clean-stems\"]  # beside the master
# float = false  # 32-bit float instead of 24 bit
# own_gain = false  # versions with gains of their own instead of the master's
# cd = false  # 44.1 kHz, 16 bit too
# cutdowns = [{ length = 30, at = \"0:45\", of = \"instrumental\", fade_in = 0.01, fade_out = 1.5 }]
";

const PLACEMENT_TEMPLATE: &str = "\
# place = \"front\"  # bed channels: front, center, sides, rears, tops; or object
# left = [-1, 0.5, 0]  # of an object: X right, Y front, Z up, each -1 to 1
# right = [1, 0.5, 0]
# gain = 0  # -40 to 12 dB
# lfe = -20  # send to the LFE, -60 to 0 dB, or \"off\"
# binaural = \"mid\"  # objects on headphones: off, near, far, mid, unset
";

/// Every parameter as a comment with default, range and unit; equalizer bands after `bands` are only mentioned.
fn write_chain(text: &mut String, chain_kind: ChainKind, bands: usize) {
    for parameter in PARAMETERS.of(chain_kind) {
        let band =
            parameter.id.strip_prefix("eq").and_then(|rest| rest.split('_').next()?.parse::<usize>().ok());
        if band.is_some_and(|band| band > bands) {
            if parameter.id == format!("eq{}_on", bands + 1) {
                let _ = writeln!(text, "# eq{}_on ... eq8_key: as the bands above", bands + 1);
            }
            continue;
        }
        let value = match (parameter.kind, parameter.default) {
            (Kind::Switch, Value::Switch(on)) => on.to_string(),
            (Kind::Number { .. }, Value::Number(Some(x))) => format!("{x}"),
            (_, value) => format!("{:?}", parameter.text(value)),
        };
        let _ = writeln!(text, "# {} = {value}  # {}: {}", parameter.id, parameter.name, parameter.range());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiofile::{AudioInfo, Container, SampleFormat};
    use units::Hz;

    fn bundle(dir: &Path) -> Bundle {
        let info = AudioInfo {
            rate: Hz(48_000.0),
            channels: 2,
            frames: 1,
            format: SampleFormat::Int { bits: 24 },
            channel_mask: None,
            bext: None,
            container: Container::Wav,
            warnings: Vec::new(),
        };
        let stem = |file: &str, role| Stem {
            path: dir.join(file),
            name: crate::bundle::stem_name(Path::new(file)),
            role,
            info: info.clone(),
        };
        Bundle {
            dir: dir.to_owned(),
            stems: vec![stem("01_Drums_Stem.wav", Role::Drums), stem("02_Bäss \"x\".wav", Role::Bass)],
            mixes: Vec::new(),
        }
    }

    fn read(text: &str) -> Result<Session> {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let path = dir.path().join(FILE_NAME);
        std::fs::write(&path, text).expect("writes");
        Session::read(&path, &mut bundle(dir.path()))
    }

    #[test]
    fn a_new_file_reads_as_the_neutral_session() {
        let bundle = bundle(Path::new("/x"));
        let read = read(&template(&bundle)).expect("reads");
        assert_eq!(read, Session::neutral(&bundle));
    }

    #[test]
    fn every_default_in_the_comments_is_valid_when_uncommented() {
        let bundle = bundle(Path::new("/x"));
        let mut text = String::new();
        for line in template(&bundle).lines() {
            let setting = line
                .strip_prefix("# ")
                .filter(|l| l.split_once(" = ").is_some_and(|(id, _)| PARAMETERS.find(id).is_some()));
            text.push_str(setting.unwrap_or(line));
            text.push('\n');
        }
        assert_eq!(read(&text).expect("reads"), Session::neutral(&bundle));
    }

    #[test]
    fn a_master_as_heard_is_a_loudness() {
        let session =
            read("schema = \"stemlink.session/1\"\n[master]\nloudness = \"as-heard\"\n").expect("reads");
        assert_eq!(session.loudness, Loudness::AsHeard);
    }

    #[test]
    fn settings_arrive_in_the_chain() {
        let session = read(
            "schema = \"stemlink.session/1\"\n[master]\nloudness = \"spotify\"\n[master.chain]\nlim_ceiling = -2\n\
             [[stems]]\nfile = \"01_Drums_Stem.wav\"\nrole = \"fx\"\n[stems.chain]\nlevel = 1.5\neq3_on = true\n\
             eq3_shape = \"High Shelf\"\ncomp_hp = \"off\"\n",
        )
        .expect("reads");
        assert_eq!(session.loudness, Loudness::Target("spotify".into()));
        assert_eq!(session.master.limiter.ceiling.0, -2.0);
        assert_eq!((session.stems[0].chain.level, session.stems[0].role), (Db(1.5), Role::Fx));
        assert!(session.stems[0].chain.equalizer.bands[2].on);
        assert_eq!(session.notes.len(), 1);
    }

    #[test]
    fn units_that_the_class_does_not_have_are_refused() {
        let stem = |latency: &str, id: &str| {
            read(&format!(
                "schema = \"stemlink.session/1\"\n[[stems]]\nfile = \"01_Drums_Stem.wav\"\n{latency}\n\
                 [stems.chain]\n{id} = true\n"
            ))
        };
        for (id, needed) in [("lim_on", "lookahead"), ("sat_on", "lookahead"), ("dn_on", "linear_denoise")] {
            let message = stem("", id).expect_err("is faulty").to_string();
            assert!(message.contains(id) && message.contains(needed) && !message.contains('\n'), "{message}");
            let session = stem(&format!("latency = {needed:?}"), id).expect("reads");
            assert_eq!(session.stems[0].latency.id(), needed);
        }
        assert!(stem("latency = \"lookahead\"", "dn_on").is_err());
        // The Master's limiter lands the master in every class.
        let master = |id: &str| {
            read(&format!(
                "schema = \"stemlink.session/1\"\n[master]\nlatency = \"zero\"\n[master.chain]\n{id} = true\n"
            ))
        };
        assert!(master("lim_on").is_ok() && master("sat_on").is_err());
    }

    #[test]
    fn a_stem_is_found_by_its_name_and_has_trim_and_fader() {
        let stem = |lines: &str| read(&format!("schema = \"stemlink.session/1\"\n[[stems]]\n{lines}\n"));
        // of 01_Drums_Stem.wav and 02_Bäss "x".wav
        for (name, at) in [("Drums", 0), ("drums", 0), ("01 Drums Stem", 0), ("BÄSS x", 1)] {
            let lines = format!("name = {name:?}\nmute = true");
            let session = stem(&lines).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(session.stems.iter().position(|stem| stem.mute), Some(at), "{name}");
        }
        let session =
            stem("name = \"Drums\"\ntrim = -2.5\nfader = [0.5, 1]\n[stems.chain]\nlevel = 1").expect("reads");
        assert_eq!(session.stems[0].chain.level, Db(-1.5));
        assert_eq!(session.stems[0].fader.gains(), [[0.5, 0.0], [0.0, 1.0]]);
        for (lines, words) in [
            ("name = \"Drum\"", ["\"Drum\"", "file ="]),
            ("mute = true", ["without file and name", "file ="]),
            ("name = \"Drums\"\ntrim = 25", ["Drums: trim", "-24 to 24"]),
            ("name = \"Drums\"\nfader = [99, 1]", ["Drums: fader", "unity"]),
        ] {
            let message = stem(lines).expect_err("is faulty").to_string();
            assert!(words.iter().all(|word| message.contains(word)) && !message.contains('\n'), "{message}");
        }
    }

    #[test]
    fn what_waits_for_a_sidechain_is_told() {
        let told = |chain: &str, chain_kind: &str| {
            let stem = format!("[[stems]]\nfile = \"02_Bäss \\\"x\\\".wav\"\n{chain_kind}\n");
            let both = format!("schema = \"stemlink.session/1\"\n{stem}{chain}");
            read(&both).expect("reads").notes.into_iter().filter(|note| note.contains("sidechain")).count()
        };
        let band = "eq2_on = true\neq2_range = -3\neq2_key = \"sidechain\"\n";
        let compressor = "comp_on = true\ncomp_key = \"sidechain\"\n";
        assert_eq!(told(band, "[stems.chain]"), 1);
        assert_eq!(told(&format!("{band}{compressor}"), "[stems.chain]"), 2);
        assert_eq!(told("eq2_on = true\neq2_key = \"sidechain\"\n", "[stems.chain]"), 0, "a static band");
        assert_eq!(told(&format!("{band}{compressor}"), "[master.chain]"), 0, "a master is keyed by itself");
    }

    #[test]
    fn faults_are_one_line_with_a_cure() {
        let stem =
            "schema = \"stemlink.session/1\"\n[[stems]]\nfile = \"01_Drums_Stem.wav\"\n[stems.chain]\n";
        let cases = [
            ("nonsense [", "line 1"),
            ("schema = \"other/1\"\n", "stemlink.session/1"),
            ("schema = \"stemlink.session/1\"\nfoo = 1\n", "foo"),
            (&format!("{stem}comp_treshold = -3\n"), "comp_threshold"),
            (&format!("{stem}level = 40\n"), "-24 to 12 dB"),
            (&format!("{stem}eq1_shape = \"bump\"\n"), "low shelf"),
            (&format!("{stem}dither = \"24 bit\"\n"), "dither"),
            ("schema = \"stemlink.session/1\"\n[[stems]]\nfile = \"nope.wav\"\n", "nope.wav"),
        ];
        for (text, expected) in cases {
            let message = read(text).expect_err("is faulty").to_string();
            assert!(message.contains(expected) && !message.contains('\n'), "{message}");
        }
    }
}
