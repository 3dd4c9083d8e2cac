//! Names of a delivery's files.

use std::path::{Path, PathBuf};

use super::job::DeliveryJob;
use super::plan::CD_RATE;
use super::sink::Depth;
use audiofile::error::{Error, Result};
use project::delivery::{DeliverSettings, VersionName};
use project::names::{NameParts, Names, file_name_from, format_label};
use units::Hz;

/// The name of the master among versions.
pub(super) const MASTER: &str = "Master";

/// Names of files, each different from those given before.
pub(super) struct Namer<'a> {
    settings: &'a DeliverSettings,
    title: &'a str,
    bpm: String,
    out: &'a Path,
    rate: Hz,
    depth: Depth,
    taken: Vec<String>,
}

impl<'a> Namer<'a> {
    /// Names for the files of a job.
    pub(super) fn new(job: &'a DeliveryJob<'a>, rate: Hz, depth: Depth) -> Self {
        Self {
            settings: job.settings,
            title: &job.title,
            bpm: job.settings.bpm.map(|bpm| bpm.to_string()).unwrap_or_default(),
            out: job.output,
            rate,
            depth,
            taken: Vec::new(),
        }
    }

    fn words<'b>(&'b self, version: &'b str, isrc: &'b str, format: &'b str) -> NameParts<'b> {
        NameParts {
            title: self.title,
            artist: self.settings.artist.as_deref().unwrap_or_default(),
            engineer: self.settings.engineer.as_deref().unwrap_or_default(),
            version,
            format,
            bpm: &self.bpm,
            key: self.settings.key.as_deref().unwrap_or_default(),
            isrc,
        }
    }

    /// Checks that the song has all words that the template asks of the name of `version`.
    ///
    /// # Errors
    /// If one is missing.
    pub(super) fn check_words(
        &self,
        job: &DeliveryJob<'_>,
        version: &VersionName,
        isrc: Option<&str>,
    ) -> Result<()> {
        let words = self.words(version.name(), isrc.unwrap_or_default(), "-");
        let (Some(missing), Names::Own(template)) =
            (self.settings.names.missing(&words), &self.settings.names)
        else {
            return Ok(());
        };
        let (lack, set) = match (missing, version) {
            ("isrc", VersionName::Own(name)) if name == MASTER => {
                (" of the master".to_owned(), "isrc = { master = \"...\" } in [deliver]".to_owned())
            }
            ("isrc", VersionName::Own(name)) => {
                (format!(" of the version {name}"), "isrc = \"...\" in its [[deliver.versions]]".into())
            }
            ("isrc", VersionName::BuiltIn(version)) => (
                format!(" of the {}", version.name()),
                format!("isrc = {{ {} = \"...\" }} in [deliver]", version.id()),
            ),
            ("bpm", _) => (String::new(), "bpm = 120 in [deliver], or give --bpm".into()),
            ("key", _) => (String::new(), "key = \"Am\" in [deliver], or give --key".into()),
            ("artist" | "initials", _) => {
                (String::new(), "artist = \"...\" in [deliver], or give --artist".into())
            }
            (word, _) => (String::new(), format!("{word} = \"...\" in [deliver]")),
        };
        Err(Error::Bundle {
            path: job.session_file.unwrap_or(&job.bundle.dir).to_owned(),
            fault: format!("names {template:?} ask for {{{missing}}}{lack}, which is not set"),
            cure: format!("set {set}, or take {{{missing}}} out of the names"),
        })
    }

    /// A path that no other file of the delivery has, on systems that do not tell cases apart either.
    fn free(&mut self, folder: &Path, name: &str) -> PathBuf {
        let mut file = format!("{name}.wav");
        for n in 2.. {
            let key = folder.join(&file).to_string_lossy().to_lowercase();
            if !self.taken.contains(&key) {
                self.taken.push(key);
                break;
            }
            file = format!("{name}_{n}.wav");
        }
        folder.join(file)
    }

    /// A file of the song and, where it is wanted, its 44.1 kHz copy.
    pub(super) fn song(&mut self, version: &str, isrc: Option<&str>) -> (PathBuf, Option<PathBuf>) {
        let (out, isrc) = (self.out, isrc.unwrap_or_default());
        let format = format_label(self.rate, self.depth.bits());
        let name = self.settings.names.name(&self.words(version, isrc, &format));
        let path = self.free(out, &name);
        let cd = self.settings.cd.then(|| {
            let format = format_label(CD_RATE, Depth::Int16.bits());
            let low = self.settings.names.name(&self.words(version, isrc, &format));
            let low = if low == name { format!("{name}_{format}") } else { low };
            self.free(out, &low)
        });
        (path, cd)
    }

    /// A stem: named as folders of stems are, or by the template.
    pub(super) fn stem(&mut self, folder: &str, number: usize, name: &str) -> PathBuf {
        let folder = self.out.join(folder);
        let plain = file_name_from(&format!("{number:02}_{}_Stem", name.replace(' ', "_")));
        let format = format_label(self.rate, self.depth.bits());
        let name = match self.settings.names {
            Names::Plain => plain,
            _ => self.settings.names.name(&self.words(&plain, "", &format)),
        };
        self.free(&folder, &name)
    }
}
