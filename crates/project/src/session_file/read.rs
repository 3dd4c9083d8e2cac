//! Reading and validation.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::adm::{AdmTable, PlacementTable};
use super::chain_table::read_chain;
use super::deliver::{DeliverTable, StemDeliverTable};
use super::fader::FaderValue;
use super::moves::MoveTable;
use super::schema::{FILE_NAME, SCHEMA};
use crate::bundle::{Bundle, Stem};
use crate::fader::Fader;
use crate::named::ById;
use crate::placement::AtmosPlacement;
use crate::session::{MasterLoudness, Session, StemSession};
use crate::setting_fault::SettingFault;
use audiofile::error::{Error, Result, one_line, shown};
use chain::{ChainKind, ChainSettings, LatencyClass};
use dsp::KeySource;
use session::role::Role;
use session::solve::MAX_TRIM;
use units::Db;

impl Session {
    /// The session of a bundle, ready to be rendered: [`Self::read_for`], then [`Self::learn_noise`].
    ///
    /// # Errors
    /// As these.
    pub fn open(bundle: &mut Bundle, given: Option<&Path>) -> Result<(Self, Option<PathBuf>)> {
        let (mut session, file) = Self::read_for(bundle, given)?;
        session.learn_noise(bundle)?;
        Ok((session, file))
    }

    /// Reads the session of a bundle: that of `given` if any, else of its own `session.toml`, else the neutral one. Returns
    /// the file that was read too.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_for(bundle: &mut Bundle, given: Option<&Path>) -> Result<(Self, Option<PathBuf>)> {
        let own = bundle.dir.join(FILE_NAME);
        match given.map(Path::to_owned).or_else(|| own.is_file().then_some(own)) {
            None => Ok((Self::neutral(bundle), None)),
            Some(path) => Ok((Self::read(&path, bundle)?, Some(path))),
        }
    }

    /// Reads a session file for `bundle`, whose stems take the roles and names it gives them. Reads no audio:
    /// [`Self::learn_noise`] does what is left.
    ///
    /// # Errors
    /// One line that names the fault: not TOML, unknown keys or ids, values out of range, stems that are not there.
    pub fn read(path: &Path, bundle: &mut Bundle) -> Result<Self> {
        let text = crate::text_file::read(path)?;
        let of_file =
            |SettingFault { fault, remedy }| Error::Bundle { path: path.to_owned(), fault, cure: remedy };
        let mut session = parse(&text).and_then(|table| table.session(bundle)).map_err(of_file)?;
        session.note_missing_sidechains(bundle);
        Ok(session)
    }

    /// Notes every key that waits for a sidechain, which files do not have. A master listens to itself then.
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
}

/// The document of a session file's text.
fn parse(text: &str) -> core::result::Result<SessionTable, SettingFault> {
    let table: SessionTable = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
        let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        let words = error.span().and_then(|span| text[..span.start].lines().count().checked_sub(1));
        let comma = words.and_then(|line| text.lines().nth(line)).is_some_and(has_decimal_comma);
        let cure = if comma {
            "write decimals with a point, as in -1.5"
        } else {
            "correct it, or write a new one with stems init"
        };
        SettingFault::new(format!("{place}{}", one_line(error.message())), cure)
    })?;
    if table.schema != SCHEMA {
        return Err(SettingFault::new(
            format!("schema is {:?}", table.schema),
            format!("this version reads {SCHEMA:?}; write a new one with stems init"),
        ));
    }
    Ok(table)
}

/// The stems of `bundle` that a session file lists, in its order.
///
/// # Errors
/// If the text is no session file, or lists a stem that is not there.
pub(super) fn stems_listed(text: &str, bundle: &Bundle) -> core::result::Result<Vec<usize>, SettingFault> {
    parse(text)?.stems.iter().map(|stem| stem.find(bundle)).collect()
}

/// True for a line such as `trim = -1,5`.
fn has_decimal_comma(line: &str) -> bool {
    let Some((_, value)) = line.split_once('=') else { return false };
    let value = value.split('#').next().unwrap_or_default().trim();
    let Some((whole, decimals)) = value.split_once(',') else { return false };
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    is_number(whole.trim_start_matches(['-', '+'])) && is_number(decimals)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionTable {
    schema: String,
    #[serde(default)]
    targets: Vec<String>,
    #[serde(default)]
    master: MasterTable,
    #[serde(default)]
    adm: AdmTable,
    #[serde(default)]
    deliver: DeliverTable,
    #[serde(default)]
    stems: Vec<StemTable>,
    #[serde(default)]
    moves: Vec<MoveTable>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MasterTable {
    loudness: Option<String>,
    latency: Option<ById<LatencyClass>>,
    #[serde(default)]
    chain: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StemTable {
    file: Option<String>,
    name: Option<String>,
    role: Option<ById<Role>>,
    #[serde(default)]
    mute: bool,
    latency: Option<ById<LatencyClass>>,
    #[serde(default)]
    trim: f64,
    fader: Option<FaderValue>,
    #[serde(default)]
    chain: toml::Table,
    adm: Option<PlacementTable>,
    deliver: Option<StemDeliverTable>,
}

impl SessionTable {
    /// The session of `bundle`, validated; the bundle takes its roles and names.
    fn session(self, bundle: &mut Bundle) -> core::result::Result<Session, SettingFault> {
        let mut session = Session::neutral(bundle);
        let master = self.master;
        session.master_latency = master.latency.map_or(session.master_latency, |ById(class)| class);
        (session.master, _) = read_chain(ChainKind::Master, session.master_latency, &master.chain)
            .map_err(|fault| fault.prefixed("master.chain"))?;
        session.loudness = master.loudness.as_deref().map(MasterLoudness::from_id).unwrap_or_default();
        session.targets = self.targets;
        session.adm = self.adm.read().map_err(|fault| fault.prefixed("adm"))?;
        let mut listed = vec![false; bundle.stems.len()];
        for stem in &self.stems {
            let at = stem.find(bundle)?;
            if std::mem::replace(&mut listed[at], true) {
                return Err(SettingFault::new(
                    format!("lists {:?} twice", stem.called()),
                    "remove one of them",
                ));
            }
            let entry = &mut session.stems[at];
            stem.apply(entry, &bundle.stems[at].name).map_err(|fault| fault.prefixed(stem.called()))?;
            bundle.stems[at].role = entry.role;
            if let Some(name) = &stem.name {
                bundle.stems[at].name.clone_from(name);
            }
        }
        for (i, stem) in bundle.stems.iter().enumerate() {
            if bundle.stems[..i].iter().any(|other| other.name == stem.name) {
                return Err(SettingFault::new(
                    format!("two stems are called {:?}", stem.name),
                    "rename one of them",
                ));
            }
        }
        session.deliver = self.deliver.read(bundle, &session).map_err(|fault| fault.prefixed("deliver"))?;
        for one in &self.moves {
            one.add_to(&mut session, bundle).map_err(|fault| fault.prefixed("moves"))?;
        }
        let new: Vec<&str> = bundle
            .stems
            .iter()
            .zip(&listed)
            .filter(|(_, listed)| !**listed)
            .map(|(stem, _)| stem.name.as_str())
            .collect();
        match new.as_slice() {
            [] => {}
            [one] => session.notes.push(format!("{one} is not in the session file; its chain is neutral")),
            _ => session
                .notes
                .push(format!("{} are not in the session file; their chains are neutral", new.join(", "))),
        }
        Ok(session)
    }
}

impl StemTable {
    /// Sets `entry` as the table says.
    fn apply(&self, entry: &mut StemSession, name: &str) -> core::result::Result<(), SettingFault> {
        entry.role = self.role.map_or(entry.role, |ById(role)| role);
        entry.mute = self.mute;
        entry.latency = self.latency.map_or(entry.latency, |ById(class)| class);
        (entry.chain, entry.learn_from) = read_chain(ChainKind::Stem, entry.latency, &self.chain)?;
        (entry.chain.level, entry.fader) = self.level_and_fader(&entry.chain)?;
        entry.placement = match &self.adm {
            None => AtmosPlacement::for_stem(entry.role, name),
            Some(adm) => adm.read(entry.role, name).map_err(|fault| fault.prefixed("adm"))?,
        };
        entry.versions = self.deliver.as_ref().and_then(|deliver| deliver.versions.clone());
        Ok(())
    }

    /// Its name in messages.
    fn called(&self) -> &str {
        self.file.as_ref().or(self.name.as_ref()).map_or("a stem", String::as_str)
    }

    /// The index of its stem in the bundle: by file name, else by name, whatever the spacing and case.
    fn find(&self, bundle: &Bundle) -> core::result::Result<usize, SettingFault> {
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
            let dir = shown(&bundle.dir);
            match (&self.file, &self.name) {
                (Some(file), _) => SettingFault::new(
                    format!("lists {file:?}, which is not in {dir}"),
                    "correct the file name or remove the stem",
                ),
                (None, Some(name)) => SettingFault::new(
                    format!("lists {name:?}, and no file of {dir} is called so"),
                    "call the stem's file like its track, or write file = \"...\" for it",
                ),
                (None, None) => {
                    SettingFault::new("lists a stem without file and name", "write file = \"...\" for it")
                }
            }
        })
    }

    /// The level with the trim, and the fader.
    fn level_and_fader(&self, chain: &ChainSettings) -> core::result::Result<(Db, Fader), SettingFault> {
        if !(-MAX_TRIM.0..=MAX_TRIM.0).contains(&self.trim) {
            return Err(SettingFault::new("trim is out of range", "it takes -24 to 24 dB"));
        }
        let fader = self.fader.as_ref().map_or(Ok(Fader::default()), FaderValue::read)?;
        // the sum that a plugin makes of the two
        Ok((chain.level + Db(self.trim), fader))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::template::new_session_text;
    use super::*;
    use crate::bundle::stem_name;
    use audiofile::{AudioInfo, Container, SampleFormat};
    use chain::parameters::PARAMETERS;
    use units::Hz;

    pub(in crate::session_file) fn bundle(dir: &Path) -> Bundle {
        let info = AudioInfo {
            frames: 1,
            ..AudioInfo::new(Container::Wav, Hz(48_000.0), 2, SampleFormat::Int { bits: 24 })
        };
        let stem = |file: &str, role| Stem {
            path: dir.join(file),
            name: stem_name(Path::new(file)),
            role,
            info: info.clone(),
        };
        Bundle {
            dir: dir.to_owned(),
            stems: vec![stem("01_Drums_Stem.wav", Role::Drums), stem("02_Bäss \"x\".wav", Role::Bass)],
            mixes: Vec::new(),
            unread: Vec::new(),
        }
    }

    pub(in crate::session_file) fn read(text: &str) -> Result<Session> {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let path = dir.path().join(FILE_NAME);
        std::fs::write(&path, text).expect("writes");
        Session::read(&path, &mut bundle(dir.path()))
    }

    #[test]
    fn a_new_file_reads_as_the_neutral_session() {
        let bundle = bundle(Path::new("/x"));
        let read = read(&new_session_text(&bundle)).expect("reads");
        assert_eq!(read, Session::neutral(&bundle));
    }

    #[test]
    fn every_default_in_the_comments_is_valid_when_uncommented() {
        let bundle = bundle(Path::new("/x"));
        let mut text = String::new();
        for line in new_session_text(&bundle).lines() {
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
        assert_eq!(session.loudness, MasterLoudness::AsHeard);
    }

    #[test]
    fn settings_arrive_in_the_chain() {
        let session = read(
            "schema = \"stemlink.session/1\"\n[master]\nloudness = \"spotify\"\n[master.chain]\nlim_ceiling = -2\n\
             [[stems]]\nfile = \"01_Drums_Stem.wav\"\nrole = \"fx\"\n[stems.chain]\nlevel = 1.5\neq3_on = true\n\
             eq3_shape = \"High Shelf\"\ncomp_hp = \"off\"\n",
        )
        .expect("reads");
        assert_eq!(session.loudness, MasterLoudness::Target("spotify".into()));
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
    fn a_stem_is_found_by_its_letters_and_digits_alone() {
        let bundle = bundle(Path::new("/x"));
        for (name, stem) in [
            ("Bäss-x", Some(1)),
            ("BÄSS_(X)", Some(1)),
            ("Drums!", Some(0)),
            ("../Drums", None),
            ("a\\Drums", None),
            ("-", None),
            ("Bass", None),
        ] {
            assert_eq!(bundle.find(name).ok(), stem, "{name}");
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
    fn faults_are_one_line_with_a_remedy() {
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
