//! WAV files that appear complete or not at all.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::bext::Loudness;
use super::sink::Sink;
use super::spec::{WavSpec, Written};
use crate::error::{Error, Result};
use crate::output::{PendingFile, plain};

/// A WAV file in the making, under a temporary name in its own folder.
///
/// [`finish`](Self::finish) gives it its name; dropped before, it leaves nothing behind. The same samples and
/// the same spec give the same bytes.
pub struct WavWriter {
    /// None after an error. The temporary name goes with it, and the file with the name.
    sink: Option<(Sink<File>, PendingFile)>,
    path: PathBuf,
}

impl WavWriter {
    /// Starts the file. Without `overwrite` an existing file is an error, now and at the end.
    pub fn create(path: impl AsRef<Path>, spec: WavSpec, overwrite: bool) -> Result<Self> {
        let path = path.as_ref().to_owned();
        spec.check(&path)?;
        let (file, pending) = PendingFile::create(&path, overwrite)?;
        let sink = Sink::new(file, spec).map_err(|error| Error::write(&path)(plain(error)))?;
        Ok(Self { sink: Some((sink, pending)), path })
    }

    /// Appends frames: one plane for each channel, all of one length; panics otherwise.
    ///
    /// Integers are the nearest to the value and saturate; dither comes before. After an error the file is
    /// given up.
    pub fn write_planar(&mut self, planes: &[impl AsRef<[f64]>]) -> Result<()> {
        let (sink, _) = self.sink.as_mut().ok_or_else(|| given_up(&self.path))?;
        sink.write_planar(planes).map_err(|error| {
            self.sink = None;
            Error::write(&self.path)(error)
        })
    }

    /// Sets the loudness fields of the broadcast extension, at any time; without one this does nothing.
    pub fn set_loudness(&mut self, loudness: Loudness) {
        if let Some((sink, _)) = &mut self.sink {
            sink.set_loudness(loudness);
        }
    }

    /// Puts all sizes right, brings the bytes to the disk and gives the file its name.
    pub fn finish(self) -> Result<Written> {
        let Self { sink, path } = self;
        let (sink, pending) = sink.ok_or_else(|| given_up(&path))?;
        let (file, written) = sink.finish().map_err(|error| Error::write(&path)(plain(error)))?;
        pending.finish(file)?;
        Ok(written)
    }
}

fn given_up(path: &Path) -> Error {
    Error::write(path)(io::Error::other("an earlier write failed"))
}

#[cfg(test)]
mod tests {
    use super::super::read::WavReader;
    use super::super::samples::StoredFormat;
    use std::fs;

    use super::*;
    use units::Hz;

    fn spec() -> WavSpec {
        WavSpec::new(Hz(48_000.0), 1, StoredFormat::Int24)
    }

    fn folder_of_test() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder can be made")
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder can be listed");
        entries.map(|entry| entry.expect("has a name").file_name().to_string_lossy().into_owned()).collect()
    }

    fn write(path: &Path, overwrite: bool, value: f64) -> Result<Written> {
        let mut writer = WavWriter::create(path, spec(), overwrite)?;
        writer.write_planar(&[[value; 10]])?;
        writer.finish()
    }

    #[test]
    fn a_file_appears_only_when_finished() {
        let folder = folder_of_test();
        let path = folder.path().join("a.wav");
        let mut writer = WavWriter::create(&path, spec(), false).expect("starts");
        writer.write_planar(&[[0.5; 10]]).expect("writes");
        let temporary = names(folder.path());
        assert_eq!(temporary.len(), 1);
        assert!(temporary[0].starts_with(".stems-") && temporary[0].ends_with(".tmp"), "{temporary:?}");
        writer.finish().expect("finishes");
        assert_eq!(names(folder.path()), ["a.wav"]);
        assert_eq!(WavReader::open(&path).expect("opens").info().frames, 10);
    }

    #[test]
    fn dropped_before_the_end_it_leaves_nothing() {
        let folder = folder_of_test();
        let mut writer = WavWriter::create(folder.path().join("a.wav"), spec(), false).expect("starts");
        writer.write_planar(&[[0.5; 10]]).expect("writes");
        drop(writer);
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[test]
    fn nothing_is_overwritten_without_permission() {
        let folder = folder_of_test();
        let path = folder.path().join("a.wav");
        write(&path, false, 0.5).expect("writes");
        let before = fs::read(&path).expect("reads");
        let line = write(&path, false, 0.1).expect_err("is refused").to_string();
        assert!(line.contains("a.wav: already exists") && line.contains("--force"), "{line}");
        assert_eq!(fs::read(&path).expect("reads"), before);

        let late = folder.path().join("b.wav");
        let mut writer = WavWriter::create(&late, spec(), false).expect("starts");
        writer.write_planar(&[[0.5; 10]]).expect("writes");
        fs::write(&late, "someone else's").expect("writes");
        assert!(matches!(writer.finish(), Err(Error::Exists { .. })));
        assert_eq!(fs::read(&late).expect("reads"), b"someone else's");
        assert_eq!(names(folder.path()).len(), 2);

        write(&path, true, 0.1).expect("writes with permission");
        assert_ne!(fs::read(&path).expect("reads"), before);
    }

    #[test]
    fn two_runs_give_the_same_bytes() {
        let folder = folder_of_test();
        let [a, b] = ["a.wav", "b.wav"].map(|name| folder.path().join(name));
        write(&a, false, 0.3).expect("writes");
        write(&b, false, 0.3).expect("writes");
        assert_eq!(fs::read(a).expect("reads"), fs::read(b).expect("reads"));
    }

    #[test]
    fn what_cannot_be_written_is_one_clear_line() {
        let folder = folder_of_test();
        let line = write(&folder.path().join("no/a.wav"), false, 0.0).expect_err("fails").to_string();
        assert!(line.ends_with("no/a.wav: writing failed, no such file or folder; check the path"), "{line}");
        let line = write(folder.path(), true, 0.0).expect_err("fails").to_string();
        assert!(line.ends_with("it is a folder; name a file"), "{line}");
    }

    #[test]
    #[cfg(unix)]
    fn a_new_file_has_the_permissions_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder_of_test();
        let [ours, any] = ["a.wav", "b"].map(|name| folder.path().join(name));
        write(&ours, false, 0.0).expect("writes");
        fs::write(&any, "").expect("writes");
        let mode = |path| fs::metadata(path).expect("exists").permissions().mode();
        assert_eq!(mode(ours), mode(any));
    }
}
