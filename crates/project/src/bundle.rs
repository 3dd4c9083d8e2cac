//! A bundle: a folder of stems, with an optional mix beside them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use audiofile::error::{Error, Result, shown};
use audiofile::wav::Bext;
use audiofile::{AudioInfo, AudioReader, is_stem_file, stem_streams};
use session::role::{Role, is_accent, without_shared_words};

use super::delivery::is_same_name;
use super::unread::{UnreadFile, out_of_time, unread_files, unsupported};
use units::Hz;

/// The endings of audio files, lower case.
pub const ENDINGS: [&str; 14] =
    ["wav", "wave", "bwf", "rf64", "w64", "flac", "aif", "aiff", "aifc", "caf", "mp3", "m4a", "ogg", "oga"];

/// Endings of other sounds and presets, after whose files samplers name their tracks, as in `kick02.ds.wav`.
const SOUND_ENDINGS: [&str; 8] = ["ds", "sf2", "sf3", "sfz", "gig", "xpf", "rex", "rx2"];

/// A stem as a file.
#[derive(Clone, Debug)]
pub struct Stem {
    /// Its path.
    pub path: PathBuf,
    /// Its name: `Drums` for `01_Drums_Stem.wav`.
    pub name: String,
    /// Its role, guessed from the name unless a session file sets it.
    pub role: Role,
    /// The properties that its file states.
    pub info: AudioInfo,
}

/// A folder of stems.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The folder.
    pub dir: PathBuf,
    /// The stems in the order of their file names, numbers by value.
    pub stems: Vec<Stem>,
    /// Files left out because their name says that they are the mix or a master of it, in the same order.
    pub mixes: Vec<PathBuf>,
    /// Files left out that look like audio, by name: the sum lacks them.
    pub unread: Vec<UnreadFile>,
}

impl Bundle {
    /// Opens a folder, or a stem file as one: every audio file in it (not in folders below) is a stem, except hidden ones, those
    /// whose name says mix or master, and `mix`, if that lies there too. Files of a kind that is not read, and files that are out
    /// of time with the others because their codec's delay is not known, are left out too.
    ///
    /// # Errors
    /// If the folder cannot be read, an audio file in it cannot be opened, or there is no stem.
    pub fn open(dir: &Path, mix: Option<&Path>) -> Result<Self> {
        let (paths, mixes) = Self::list(dir, mix)?;
        let mut stems = Vec::new();
        let mut unread = unread_files(dir)?;
        for path in paths {
            let info = match AudioReader::open(&path) {
                Ok(reader) => reader.info().clone(),
                Err(error) => {
                    unread.push(unsupported(error)?);
                    continue;
                }
            };
            if let Some(left_out) = out_of_time(&path, &info) {
                unread.push(left_out);
                continue;
            }
            let name = stem_name(&path);
            stems.push(Stem { role: Role::Other, name, path, info });
        }
        if stems.is_empty() {
            return Err(no_stems(dir, &unread));
        }
        let roles = Role::guess_all(&stems.iter().map(|stem| stem.name.as_str()).collect::<Vec<_>>());
        stems.iter_mut().zip(roles).for_each(|(stem, role)| stem.role = role);
        distinguish(&mut stems);
        Ok(Self { dir: dir.to_owned(), stems, mixes, unread })
    }

    /// A bundle of one file.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn single(path: &Path) -> Result<Self> {
        let info = AudioReader::open(path)?.info().clone();
        let name = shown(Path::new(path.file_stem().unwrap_or(path.as_os_str())));
        Ok(Self {
            dir: path.parent().map(Path::to_owned).unwrap_or_default(),
            stems: vec![Stem { path: path.to_owned(), name, role: Role::Other, info }],
            mixes: Vec::new(),
            unread: Vec::new(),
        })
    }

    /// The audio files of a folder: stems, and files whose name says mix or master.
    ///
    /// # Errors
    /// If the folder cannot be read or holds no stem.
    pub fn list(dir: &Path, mix: Option<&Path>) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
        let files = audio_files(dir)?;
        let is_given = |path: &Path| mix.is_some_and(|mix| audiofile::output::same_file(mix, path));
        let files: Vec<PathBuf> = files.into_iter().filter(|path| !is_given(path)).collect();
        let called = called_mixes(&files);
        let (mut mixes, mut stems) = (Vec::new(), Vec::new());
        for (path, is_mix) in files.into_iter().zip(called) {
            if is_mix { mixes.push(path) } else { stems.push(path) }
        }
        if stems.is_empty() {
            return Err(no_stems(dir, &unread_files(dir)?));
        }
        Ok((stems, mixes))
    }

    /// The common sampling rate.
    ///
    /// # Errors
    /// If the stems differ, naming the first that does.
    pub fn rate(&self) -> Result<Hz> {
        let rate = self.stems[0].info.rate;
        match self.stems.iter().find(|stem| stem.info.rate != rate) {
            None => Ok(rate),
            Some(stem) => Err(Error::Bundle {
                path: stem.path.clone(),
                fault: format!("{} Hz, {} is {} Hz", stem.info.rate.0, self.stems[0].name, rate.0),
                cure: "export all stems at one rate".into(),
            }),
        }
    }

    /// Faults of the folder's files, each with the file's name: those that readers found, and files left out.
    pub fn file_faults(&self) -> impl Iterator<Item = String> {
        let name = |path: &Path| shown(Path::new(path.file_name().unwrap_or_default()));
        let read = self.stems.iter().flat_map(move |stem| {
            stem.info.warnings.iter().map(move |warning| format!("{} {warning}", name(&stem.path)))
        });
        read.chain(
            self.unread
                .iter()
                .map(move |file| format!("{} {} and is left out", name(&file.path), file.fault)),
        )
    }

    /// Remarks on stems that a codec has taken something of, each with the file's name.
    pub fn lossy_remarks(&self) -> impl Iterator<Item = String> {
        self.stems.iter().filter_map(|stem| {
            let name = shown(Path::new(stem.path.file_name().unwrap_or_default()));
            stem.info.lossy_remark().map(|remark| format!("{name} {remark}"))
        })
    }

    /// Makes a file that is made from the stems remember their faults and codecs.
    pub fn note_sources(&self, bext: &mut Bext) {
        let mut codecs: Vec<&str> = self.stems.iter().filter_map(|stem| stem.info.lossy).collect();
        codecs.sort_unstable();
        codecs.dedup();
        codecs.into_iter().for_each(|codec| bext.add_source_codec(codec));
        self.file_faults().for_each(|fault| bext.add_source_fault(&fault));
    }

    /// The length of the longest stem.
    pub fn frames(&self) -> u64 {
        self.stems.iter().map(|stem| stem.info.frames).max().unwrap_or(0)
    }

    /// The length of the longest stem, seconds.
    pub fn seconds(&self) -> f64 {
        self.stems.iter().map(|stem| stem.info.frames as f64 / stem.info.rate.0).fold(0.0, f64::max)
    }

    /// # Errors
    /// If the stems differ in length, naming the first that does.
    pub fn same_length(&self) -> Result<()> {
        let longest = self.frames();
        match self.stems.iter().find(|stem| stem.info.frames != longest) {
            None => Ok(()),
            Some(stem) => Err(Error::Bundle {
                path: stem.path.clone(),
                fault: format!("{} frames, the longest stem has {longest}", stem.info.frames),
                cure: "export all stems with one length, or pass --pad to end it with silence".into(),
            }),
        }
    }

    /// The index of the stem of that name: as it is written, or else without regard to case, or else that of its file, with
    /// or without its folder and ending, or else the only one whose letters and digits are these.
    ///
    /// # Errors
    /// If there is none, naming those there are.
    pub fn find(&self, name: &str) -> Result<usize> {
        let place = |is: &dyn Fn(&Stem) -> bool| self.stems.iter().position(is);
        let lower = name.to_lowercase();
        let file = |name: Option<&OsStr>| name.map(|name| name.to_string_lossy().to_lowercase());
        let is_file = |stem: &Stem| {
            let whole = stem.path == Path::new(name) || self.dir.join(name) == stem.path;
            let alone = [file(stem.path.file_name()), file(stem.path.file_stem())];
            whole || alone.iter().any(|file| file.as_deref() == Some(lower.as_str()))
        };
        place(&|stem| stem.name == name)
            .or_else(|| place(&|stem| stem.name.to_lowercase() == lower))
            .or_else(|| place(&is_file))
            .or_else(|| {
                let mut alike = (0..self.stems.len()).filter(|&i| is_same_name(&self.stems[i].name, name));
                // A path is none, and nothing but signs is no name.
                let is_name = !name.contains(['/', '\\']) && name.chars().any(char::is_alphanumeric);
                alike.next().filter(|_| alike.next().is_none() && is_name)
            })
            .ok_or_else(|| {
                let names: Vec<&str> = self.stems.iter().map(|stem| stem.name.as_str()).collect();
                Error::Bundle {
                    path: self.dir.clone(),
                    fault: format!("has no stem called {name:?}"),
                    cure: format!("its stems are {}", names.join(", ")),
                }
            })
    }
}

/// The error of a folder without stems, which names the first file that could have been one.
fn no_stems(dir: &Path, unread: &[UnreadFile]) -> Error {
    let (fault, cure) = match unread {
        [] => (
            "holds no stems".into(),
            "give a folder of WAV, FLAC or AIFF stems, such as 01_Drums_Stem.wav".into(),
        ),
        [first, ..] => {
            let name = shown(Path::new(first.path.file_name().unwrap_or_default()));
            (format!("holds no stems that can be read: {name} {}", first.fault), first.cure.clone())
        }
    };
    Error::Bundle { path: dir.to_owned(), fault, cure }
}

/// True for what holds stems: a folder, or a stem file.
pub fn holds_stems(path: &Path) -> bool {
    path.is_dir() || is_stem_file(path) && path.is_file()
}

/// The audio files in a folder, sorted by name with numbers by value; hidden and empty files are left out. The streams of a
/// stem file.
///
/// # Errors
/// If the folder cannot be read.
pub fn audio_files(dir: &Path) -> Result<Vec<PathBuf>> {
    if is_stem_file(dir) && dir.is_file() {
        return stem_streams(dir);
    }
    if dir.is_file() {
        return Err(Error::Bundle {
            path: dir.to_owned(),
            fault: "is a file, not a folder".into(),
            cure: "give the folder of the stems".into(),
        });
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(Error::open(dir))? {
        let path = entry.map_err(Error::open(dir))?.path();
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        let filled = || path.metadata().is_ok_and(|found| found.is_file() && found.len() > 0);
        if !hidden && has_audio_ending(&path) && filled() {
            files.push(path);
        }
    }
    files.sort_by_cached_key(|path| natural(path));
    Ok(files)
}

/// True if the name ends as that of an audio file that is read.
pub fn has_audio_ending(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    ending.is_some_and(|e| ENDINGS.contains(&e.as_str())) && !is_stem_file(path)
}

/// A sorting key in which `2` comes before `10`.
pub fn natural(path: &Path) -> Vec<(u128, String)> {
    let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let mut key = Vec::new();
    let mut rest = name.as_str();
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let text = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        key.push((number.parse().unwrap_or(u128::MAX), after[..text].to_owned()));
        rest = &after[text..];
    }
    key
}

/// The words of a file name, without its ending.
pub fn words(path: &Path) -> Vec<String> {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let mut stem = stem.as_str();
    while let Some((front, inner)) = stem.rsplit_once('.').filter(|(front, _)| !front.is_empty()) {
        let inner = inner.to_lowercase();
        if !ENDINGS.contains(&inner.as_str()) && !SOUND_ENDINGS.contains(&inner.as_str()) {
            break;
        }
        stem = front;
    }
    stem.split(|c: char| !c.is_alphanumeric() && !is_accent(c))
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Words for the mix or a master of it, whatever else the name says.
const MIX_WORDS: [&str; 22] = [
    "mixture",
    "fullmix",
    "mixdown",
    "premaster",
    "master",
    "masters",
    "mastered",
    "2mix",
    "2track",
    "2trk",
    "2bus",
    "stereomix",
    "mixbus",
    "masterbus",
    "stereobus",
    "roughmix",
    "refmix",
    "reference",
    "references",
    "monomix",
    "listenmix",
    "tvmix",
];
/// Words for the mix, or for a part of it that the name says too: `Pad Mix` is a stem.
const WEAK_MIX_WORDS: [&str; 8] = ["mix", "mixes", "mixed", "rough", "roughs", "ref", "refs", "bounce"];
/// Words of alternative mixes: a `Vocal Up Mix` is no stem.
const ALTERNATIVES: [&str; 5] = ["up", "down", "tv", "alt", "main"];

/// True for each file whose name says that it is the mix or a master of it. Words that all names share, as the title in
/// `Sunset (Extended Mix) - Drums.wav`, say nothing about one of them.
pub fn called_mixes(paths: &[PathBuf]) -> Vec<bool> {
    let names: Vec<String> = paths.iter().map(|path| words(path).join(" ")).collect();
    let rests = without_shared_words(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let called = |(name, rest): (&String, &String)| {
        // A file that is called as the song is, but for a version, is the song.
        let own = if rest.split(' ').all(is_version) { name } else { rest };
        says_mix(&own.to_lowercase(), Role::guess(own), &name.to_lowercase())
    };
    names.iter().zip(&rests).map(called).collect()
}

/// True for nothing and for words that number: `2`, `v3`, `final`.
fn is_version(word: &str) -> bool {
    let number = word.strip_prefix(['v', 'r']).unwrap_or(word);
    number.chars().all(|c| c.is_ascii_digit())
        || ["final", "old", "new", "rev", "edit", "take"].contains(&word)
}

/// True if the words of `own`, what a name says beside those of all others, are those of a mix. `role`: what they say
/// beside that; `whole`: all the name says.
fn says_mix(own: &str, role: Role, whole: &str) -> bool {
    let words: Vec<&str> = own.split(' ').filter(|word| !word.is_empty()).collect();
    let has = |known: &[&str]| words.iter().any(|word| known.contains(word));
    let weak = has(&WEAK_MIX_WORDS) && (role == Role::Other || has(&ALTERNATIVES));
    let is_mix = |word: &&&str| MIX_WORDS.contains(*word) || weak && WEAK_MIX_WORDS.contains(*word);
    // The master of a folder called "Song Stems" is called "Song Stems_Master.wav".
    let stem = whole.split(' ').any(|word| word == "stem" || word == "stems");
    words.last().as_ref().is_some_and(is_mix) || !stem && words.iter().any(|word| is_mix(&word))
}

/// The name in a file name: without number in front, without "stem" behind.
pub fn stem_name(path: &Path) -> String {
    let mut words = words(path);
    if words.len() > 1 && words[0].chars().all(|c| c.is_ascii_digit()) && words[0].len() <= 3 {
        words.remove(0);
    }
    while words.len() > 1
        && words.last().is_some_and(|w| ["stem", "stems"].contains(&w.to_lowercase().as_str()))
    {
        words.pop();
    }
    if words.is_empty() { shown(Path::new(path.file_name().unwrap_or_default())) } else { words.join(" ") }
}

/// Stems of one name get their file's whole name.
fn distinguish(stems: &mut [Stem]) {
    let lower: Vec<String> = stems.iter().map(|s| s.name.to_lowercase()).collect();
    for (i, stem) in stems.iter_mut().enumerate() {
        if lower.iter().enumerate().any(|(j, other)| j != i && *other == lower[i]) {
            stem.name = shown(Path::new(stem.path.file_name().unwrap_or_default()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_file_names() {
        let cases = [
            ("01_Drums_Stem.wav", "Drums"),
            ("3 - Lead Vocals.flac", "Lead Vocals"),
            ("Song_Bass_STEM.wav", "Song Bass"),
            ("808.wav", "808"),
            ("01.wav", "01"),
            ("Stem.wav", "Stem"),
            ("Bäße_Stem.wav", "Bäße"),
            ("02_Ke\u{301}ys.wav", "Ke\u{301}ys"),
            ("___.wav", "___.wav"),
            ("3_kick02.ogg.wav", "kick02"),
            ("16_Kick_2.DS.wav", "Kick 2"),
            ("Vox.v2.wav", "Vox v2"),
        ];
        for (file, name) in cases {
            assert_eq!(stem_name(Path::new(file)), name, "{file}");
        }
    }

    #[test]
    fn numbers_sort_by_value() {
        let mut names = ["10_FX.wav", "2_Bass.wav", "1_Drums.wav", "Keys.wav"].map(PathBuf::from);
        names.sort_by_cached_key(|path| natural(path));
        assert_eq!(names, ["1_Drums.wav", "2_Bass.wav", "10_FX.wav", "Keys.wav"].map(PathBuf::from));
    }

    #[test]
    fn a_mix_is_told_from_a_stem_by_its_name() {
        for (file, mix) in [
            ("Mix.wav", true),
            ("00_Song_Premaster.wav", true),
            ("MyMaster.wav", false),
            ("06_Mix_Stem.wav", false),
            ("Song Stems_Master.wav", true),
            ("Drums.wav", false),
            ("mixture.wav", true),
            ("Song rough 3.wav", true),
            ("ref.wav", true),
            ("Pad Mix.wav", false),
            ("Drum Mix.wav", false),
            ("Vocals rough.wav", false),
            ("Vocal Up Mix.wav", true),
            ("Instrumental Mix.wav", true),
        ] {
            assert_eq!(called_mixes(&[PathBuf::from(file)]), [mix], "{file}");
        }
    }

    #[test]
    fn a_title_on_every_file_makes_none_a_mix() {
        let called = |names: &[&str]| called_mixes(&names.iter().map(PathBuf::from).collect::<Vec<_>>());
        let title = "Sunset (Extended Mix)";
        let stems = ["Drums", "Bass", "Vocals"].map(|name| format!("{title} - {name}.wav"));
        let [a, b, c] = stems.each_ref().map(String::as_str);
        assert_eq!(called(&[a, b, c]), [false; 3]);
        assert_eq!(called(&[a, b, c, "ref.wav"]), [false, false, false, true]);
        assert_eq!(called(&[a, b, c, "Sunset (Extended Mix).wav"]), [false, false, false, true]);
        assert_eq!(called(&[a, b, c, "Sunset (Extended Mix) - Mix.wav"]), [false, false, false, true]);
        assert_eq!(called(&["Mix 1.wav", "Mix 2.wav", "Drums.wav"]), [true, true, false]);
        assert_eq!(called(&["Song Mix v1.wav", "Song Mix final.wav", "Song Bass.wav"]), [true, true, false]);
    }
}
