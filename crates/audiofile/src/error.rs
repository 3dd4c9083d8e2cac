//! Errors of files, each as one line: file, fault, cure.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

/// A fault of one file. Its display is one line, `file: fault; cure`, whatever the file name contains.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened.
    #[error("{}: cannot be opened, {}; {}", shown(path), reason(source), cure(source, "check the name"))]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The system failed while the file was read.
    #[error(
        "{}: reading failed, {}; {}",
        shown(path),
        reason(source),
        cure(source, "check the disk and that nothing else writes the file")
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file cannot be written, or not completely; nothing was left behind.
    #[error("{}: writing failed, {}; {}", shown(path), reason(source), cure(source, "choose another folder"))]
    Write {
        /// The file that was to be.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file to write is already there.
    #[error("{}: already exists; choose another name or pass --force to replace it", shown(path))]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file is no audio file of a kind known here.
    #[error("{}: is no audio file, {fault}; give an audio file", shown(path))]
    NotAudio {
        /// The file.
        path: PathBuf,
        /// The reason.
        fault: String,
    },
    /// The file is intact as far as seen, but of a kind that cannot be read.
    #[error("{}: {fault} cannot be read; {cure}", shown(path))]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The kind, as the subject of the sentence.
        fault: String,
        /// The remedy.
        cure: Cow<'static, str>,
    },
    /// The file breaks its own format so that no audio can be had from it.
    #[error("{}: {fault}; {cure}", shown(path))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The fault.
        fault: String,
        /// The remedy.
        cure: &'static str,
    },
    /// The work was told to stop.
    #[error("{}: interrupted, nothing was written; run it again", shown(path))]
    Interrupted {
        /// The file that was being worked on.
        path: PathBuf,
    },
    /// A folder or file that cannot be used as it is.
    #[error("{}: {fault}; {cure}", shown(path))]
    Bundle {
        /// The folder or file.
        path: PathBuf,
        /// The fault.
        fault: String,
        /// The remedy.
        cure: String,
    },
    /// The request to write cannot be met by the format.
    #[error("{}: cannot be written, {fault}; {cure}", shown(path))]
    Unwritable {
        /// The file that was to be.
        path: PathBuf,
        /// The fault.
        fault: String,
        /// The remedy.
        cure: &'static str,
    },
}

/// The result of everything that touches files.
pub type Result<T> = core::result::Result<T, Error>;

/// The usual cure of a damaged file.
pub const EXPORT_AGAIN: &str = "export it again";

/// The cure of a file that another program can read: a command that makes a WAV file of it, beside it.
pub fn ffmpeg(path: &Path) -> String {
    let is_wav = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("wav"));
    let to = path.with_extension(if is_wav { "pcm.wav" } else { "wav" });
    format!("run ffmpeg -i {} -c:a pcm_f32le {}", quoted(path), quoted(&to))
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = shown(path);
    let plain = |c: char| c.is_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) && !text.starts_with('-') {
        text
    } else if cfg!(windows) {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

impl Error {
    /// The file at fault.
    pub fn path(&self) -> &Path {
        match self {
            Self::Open { path, .. }
            | Self::Read { path, .. }
            | Self::Write { path, .. }
            | Self::Exists { path }
            | Self::NotAudio { path, .. }
            | Self::Unsupported { path, .. }
            | Self::Malformed { path, .. }
            | Self::Interrupted { path }
            | Self::Bundle { path, .. }
            | Self::Unwritable { path, .. } => path,
        }
    }

    /// An error of opening `path`, for `map_err`.
    pub fn open(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Open { path, source }
    }

    /// An error of reading `path`, for `map_err`.
    pub fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Read { path, source }
    }

    /// An error of writing `path`, for `map_err`.
    pub fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }

    /// Error of a file that is no audio.
    pub fn not_audio(path: &Path, fault: impl Into<String>) -> Self {
        Self::NotAudio { path: path.to_owned(), fault: fault.into() }
    }

    /// Error of a file of a kind that is not read.
    pub fn unsupported(path: &Path, fault: impl Into<String>, cure: impl Into<Cow<'static, str>>) -> Self {
        Self::Unsupported { path: path.to_owned(), fault: fault.into(), cure: cure.into() }
    }

    /// Error of a damaged file.
    pub fn malformed(path: &Path, fault: impl Into<String>, cure: &'static str) -> Self {
        Self::Malformed { path: path.to_owned(), fault: fault.into(), cure }
    }

    /// Error of a file that cannot be written as asked.
    pub fn unwritable(path: &Path, fault: impl Into<String>, cure: &'static str) -> Self {
        Self::Unwritable { path: path.to_owned(), fault: fault.into(), cure }
    }
}

/// A path as it may be shown: on one line, with control and direction characters escaped.
pub fn shown(path: &Path) -> String {
    one_line(&path.to_string_lossy())
}

/// `text` with everything escaped that could break a line, hide text or drive a terminal.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        let hidden = c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}')
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c);
        if hidden { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

/// A four-character code as it may be shown.
pub fn code(id: [u8; 4]) -> String {
    id.escape_ascii().to_string()
}

fn reason(source: &io::Error) -> String {
    use io::ErrorKind as Kind;
    match source.kind() {
        Kind::NotFound => "no such file or folder".into(),
        Kind::PermissionDenied => "permission denied".into(),
        Kind::StorageFull | Kind::QuotaExceeded => "the disk is full".into(),
        Kind::ReadOnlyFilesystem => "the disk is read-only".into(),
        Kind::IsADirectory => "it is a folder".into(),
        Kind::NotADirectory => "a part of its path is not a folder".into(),
        Kind::UnexpectedEof => "it ended early".into(),
        _ => one_line(&source.to_string()),
    }
}

fn cure(source: &io::Error, otherwise: &'static str) -> &'static str {
    use io::ErrorKind as Kind;
    match source.kind() {
        Kind::NotFound | Kind::NotADirectory => "check the path",
        Kind::PermissionDenied => "check its permissions",
        Kind::StorageFull | Kind::QuotaExceeded => "free some space or choose another disk",
        Kind::ReadOnlyFilesystem => "choose another disk",
        Kind::IsADirectory => "name a file",
        _ => otherwise,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_is_one_line_with_file_fault_and_cure() {
        let path = Path::new("dru\nms\u{1b}[31m\u{202e}.wav");
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let odd = || io::Error::other("two\nlines");
        for error in [
            Error::open(path)(odd()),
            Error::read(path)(full()),
            Error::write(path)(full()),
            Error::Exists { path: path.into() },
            Error::not_audio(path, "it is empty"),
            Error::unsupported(path, "MP3", EXPORT_AGAIN),
            Error::malformed(path, "there is no data chunk", EXPORT_AGAIN),
            Error::unwritable(path, "it has no channels", EXPORT_AGAIN),
        ] {
            let line = error.to_string();
            assert!(!line.chars().any(char::is_control), "{line}");
            assert!(line.starts_with("dru\\nms\\u{1b}[31m\\u{202e}.wav: "), "{line}");
            assert!(line.contains("; "), "{line}");
            assert_eq!(error.path(), path);
        }
    }

    #[test]
    fn a_full_disk_is_called_so() {
        let line = Error::write(Path::new("a.wav"))(io::ErrorKind::StorageFull.into()).to_string();
        assert_eq!(line, "a.wav: writing failed, the disk is full; free some space or choose another disk");
    }
}
