//! Files that look like audio and are not read: other formats, broken links, unfinished downloads, empty files. Whoever sums
//! the stems of a folder has to name them, because the sum lacks them.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use audiofile::error::{Error, Result, ffmpeg, shown};
use audiofile::{AudioInfo, is_movie, is_stem_file};

use super::bundle::{has_audio_ending, natural};

/// A file that looks like audio and is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadFile {
    /// Its path.
    pub path: PathBuf,
    /// The reason, half a sentence.
    pub fault: String,
    /// The remedy, half a sentence.
    pub cure: String,
}

impl UnreadFile {
    fn new(path: &Path, fault: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { path: path.to_owned(), fault: fault.into(), cure: cure.into() }
    }

    /// One line: file, fault, cure.
    pub fn line(&self) -> String {
        format!("{}: {}; {}", shown(&self.path), self.fault, self.cure)
    }
}

/// Endings of audio that is not read, lower case, and the names of the formats. An empty name: ffmpeg does not read it either.
const FORMATS: [(&str, &str); 34] = [
    ("opus", "Opus"),
    ("wma", "Windows Media Audio"),
    ("asf", "Windows Media"),
    ("ape", "Monkey's Audio"),
    ("wv", "WavPack"),
    ("dsf", "DSD"),
    ("dff", "DSD"),
    ("tta", "True Audio"),
    ("tak", "TAK"),
    ("shn", "Shorten"),
    ("mpc", "Musepack"),
    ("mp1", "MPEG layer I"),
    ("mp2", "MPEG layer II"),
    ("aac", "raw AAC"),
    ("adts", "raw AAC"),
    ("m4b", "an audio book"),
    ("m4r", "a ringtone"),
    ("3ga", "3GPP audio"),
    ("amr", "AMR"),
    ("ac3", "Dolby AC-3"),
    ("eac3", "Dolby E-AC-3"),
    ("ec3", "Dolby E-AC-3"),
    ("dts", "DTS"),
    ("mlp", "MLP"),
    ("thd", "Dolby TrueHD"),
    ("mka", "Matroska audio"),
    ("weba", "WebM audio"),
    ("spx", "Speex"),
    ("au", "Sun/NeXT audio"),
    ("snd", "Sun/NeXT audio"),
    ("ra", "RealAudio"),
    ("voc", "Creative audio"),
    ("sd2", ""),
    ("m4p", ""),
];

/// Endings that a file has while it is still on its way.
const UNFINISHED: [&str; 7] = ["part", "crdownload", "partial", "download", "opdownload", "filepart", "!ut"];

/// The files in a folder that look like audio and are not read, sorted by name; folders in it are not looked into.
///
/// # Errors
/// If the folder cannot be read.
pub fn unread_files(dir: &Path) -> Result<Vec<UnreadFile>> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(Error::open(dir))? {
        files.extend(unread(&entry.map_err(Error::open(dir))?.path()));
    }
    files.sort_by_cached_key(|file| natural(&file.path));
    Ok(files)
}

/// Folders in a folder that hold audio files, each with their number, sorted by name: they are not looked into.
///
/// # Errors
/// If the folder cannot be read.
pub fn folders_of_audio(dir: &Path) -> Result<Vec<(PathBuf, usize)>> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut folders = Vec::new();
    for entry in fs::read_dir(dir).map_err(Error::open(dir))? {
        let path = entry.map_err(Error::open(dir))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !path.is_dir() || name.starts_with('.') || name == "__MACOSX" {
            continue;
        }
        // A folder that may not be looked into is not of ours to judge.
        let count = fs::read_dir(&path)
            .map_or(0, |entries| entries.flatten().filter(|entry| looks_like_audio(&entry.path())).count());
        if count > 0 {
            folders.push((path, count));
        }
    }
    folders.sort_by_cached_key(|(path, _)| natural(path));
    Ok(folders)
}

/// Why a file that looks like audio is not read; none for files that are read and for files that are no audio.
pub fn unread(path: &Path) -> Option<UnreadFile> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    if let Some(hidden) = name.strip_prefix('.') {
        // A placeholder of iCloud: ".Drums.wav.icloud".
        let inner = Path::new(hidden.strip_suffix(".icloud")?);
        let cure = format!("download {} first", shown(inner));
        return looks_like_audio(inner).then(|| UnreadFile::new(path, "is still in the cloud", cure));
    }
    let ending = ending(path);
    if UNFINISHED.contains(&ending.as_str()) {
        let surely = ["part", "crdownload", "opdownload"].contains(&ending.as_str());
        let inner = path.with_extension("");
        return (surely || looks_like_audio(&inner)).then(|| {
            UnreadFile::new(path, "is an unfinished download", "let it finish, or download it again")
        });
    }
    let Ok(found) = fs::metadata(path) else {
        let target = fs::read_link(path).ok()?;
        let audio = looks_like_audio(path) || looks_like_audio(&target);
        let fault = format!("is a link to {}, which is not there", shown(&target));
        return audio.then(|| UnreadFile::new(path, fault, "put the file itself in its place"));
    };
    if found.is_dir() {
        return None;
    }
    if !found.is_file() {
        return has_audio_ending(path)
            .then(|| UnreadFile::new(path, "is no regular file", "put the file itself in its place"));
    }
    if is_stem_file(path) {
        let cure = "give it by itself in place of a folder, or take the folder apart with stems organize";
        return Some(UnreadFile::new(path, "is a stem file, whose streams are stems of their own", cure));
    }
    if found.len() == 0 && looks_like_audio(path) {
        return Some(UnreadFile::new(path, "is empty (0 bytes)", "copy it or export it again"));
    }
    if has_audio_ending(path) {
        return None;
    }
    if let Some((_, format)) = FORMATS.iter().find(|(known, _)| *known == ending) {
        return Some(match *format {
            "" => UnreadFile::new(path, format!("is .{ending}, which is not read"), "export it as WAV"),
            format => UnreadFile::new(path, format!("is {format}, which is not read"), ffmpeg(path)),
        });
    }
    let (kind, right) = content(path)?;
    let cure = format!("rename it to end in .{right}, or move it out of the folder");
    Some(UnreadFile::new(path, format!("is {kind} by its content, and its name does not say so"), cure))
}

/// A file that is called audio and opens as a kind that is not read, by the error of opening it; the error itself, if it is
/// another.
///
/// # Errors
/// If the file is damaged, or the system fails.
pub fn unsupported(error: Error) -> Result<UnreadFile> {
    match error {
        Error::Unsupported { path, fault, cure } => {
            Ok(UnreadFile::new(&path, format!("{fault} cannot be read"), cure))
        }
        error => Err(error),
    }
}

/// Why a file whose codec's delay is not known cannot be a stem.
pub fn out_of_time(path: &Path, info: &AudioInfo) -> Option<UnreadFile> {
    let codec = info.lossy.unwrap_or("it");
    (!info.start_known).then(|| {
        let fault = format!("does not say how much {codec} has put in front of the audio, so it is not in time with the others");
        UnreadFile::new(path, fault, "ask for a WAV file of it")
    })
}

fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn looks_like_audio(path: &Path) -> bool {
    let ending = ending(path);
    has_audio_ending(path) || is_stem_file(path) || FORMATS.iter().any(|(known, _)| *known == ending)
}

/// The kind of audio in a file, and how its name should end.
fn content(path: &Path) -> Option<(&'static str, &'static str)> {
    let mut head = Vec::new();
    fs::File::open(path).ok()?.take(12).read_to_end(&mut head).ok()?;
    match head.as_slice() {
        [b'R', b'I', b'F', b'F', .., b'W', b'A', b'V', b'E'] | [b'R', b'F' | b'W', b'6', b'4', ..] => {
            Some(("WAV", "wav"))
        }
        [b'B', b'W', b'6', b'4', ..] => Some(("WAV", "wav")),
        [b'r', b'i', b'f', b'f', 0x2e, 0x91, ..] => Some(("Wave64", "w64")),
        [b'F', b'O', b'R', b'M', .., b'A', b'I', b'F', b'F' | b'C'] => Some(("AIFF", "aif")),
        [b'f', b'L', b'a', b'C', ..] => Some(("FLAC", "flac")),
        [b'O', b'g', b'g', b'S', ..] => Some(("Ogg", "ogg")),
        [b'c', b'a', b'f', b'f', ..] => Some(("Core Audio Format", "caf")),
        [b'w', b'v', b'p', b'k', ..] => Some(("WavPack", "wv")),
        [b'I', b'D', b'3', 2..=4, ..] => Some(("MP3", "mp3")),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] if !is_movie(path) => Some(("MP4 audio", "m4a")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_audio_and_is_not_read_is_named_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let wave = b"RIFF\0\0\0\0WAVEfmt ";
        let cases: [(&str, &[u8], Option<&str>); 17] = [
            ("Drums.wav", wave, None),
            ("notes.txt", b"sing louder", None),
            ("Song.als", b"\x1f\x8b", None),
            ("session.toml", b"", None),
            (".DS_Store", b"x", None),
            ("._Drums.wav", b"x", None),
            ("film.mp4", b"\0\0\0\x08ftypisom", None),
            ("Bass.opus", b"OggS", Some("Opus")),
            ("KEYS.WMA", b"x", Some("Windows Media Audio")),
            ("Gtr.sd2", b"x", Some("export it as WAV")),
            ("Vox.wav.part", wave, Some("unfinished download")),
            ("Unconfirmed 1234.crdownload", b"x", Some("unfinished download")),
            ("report.download", b"x", None),
            ("Choir.wav", b"", Some("empty (0 bytes)")),
            ("Strings", wave, Some("is WAV by its content")),
            (".FX.wav.icloud", b"x", Some("download FX.wav first")),
            ("Song.stem.mp4", b"x", Some("streams are stems")),
        ];
        for (name, bytes, _) in cases {
            fs::write(folder.path().join(name), bytes).expect("writes");
        }
        fs::create_dir(folder.path().join("a.opus")).expect("makes");
        let found = unread_files(folder.path()).expect("lists");
        for (name, _, word) in cases {
            let line = found.iter().find(|file| file.path.ends_with(name)).map(UnreadFile::line);
            match word {
                None => assert_eq!(line, None, "{name}"),
                Some(word) => {
                    assert!(line.as_ref().is_some_and(|line| line.contains(word)), "{name}: {line:?}");
                }
            }
        }
        assert_eq!(found.len(), cases.iter().filter(|(.., word)| word.is_some()).count());
    }

    #[test]
    fn folders_with_audio_are_counted() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        for (name, file) in
            [("Drums", "Kick.wav"), ("Drums", "Snare.opus"), ("Text", "notes.txt"), (".cache", "a.wav")]
        {
            fs::create_dir_all(folder.path().join(name)).expect("makes");
            fs::write(folder.path().join(name).join(file), "x").expect("writes");
        }
        assert_eq!(folders_of_audio(folder.path()).expect("lists"), [(folder.path().join("Drums"), 2)]);
    }

    #[test]
    #[cfg(unix)]
    fn a_link_to_nothing_is_named() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let link = folder.path().join("Bass.wav");
        std::os::unix::fs::symlink("/nowhere/Bass take 3.wav", &link).expect("links");
        std::os::unix::fs::symlink("/nowhere/notes.txt", folder.path().join("notes.txt")).expect("links");
        let found = unread_files(folder.path()).expect("lists");
        assert_eq!(found.len(), 1);
        assert!(
            found[0].line().contains("Bass.wav: is a link to /nowhere/Bass take 3.wav, which is not there; ")
        );
    }
}
