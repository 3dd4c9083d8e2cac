//! Archives whose bytes depend on nothing but their files, names and one time.

use std::fs;
use std::path::Path;

use flate2::{Compression, GzBuilder};

use super::{Content, fault};

/// File in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Path with `/` between its parts.
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
    /// A program or a library.
    pub(crate) executable: bool,
}

impl Entry {
    pub(crate) fn file(path: &str, bytes: Vec<u8>) -> Self {
        Self { path: path.into(), bytes, executable: false }
    }

    pub(crate) fn program(path: &str, bytes: Vec<u8>) -> Self {
        Self { path: path.into(), bytes, executable: true }
    }

    /// Permissions on Unix.
    pub(crate) fn mode(&self) -> u32 {
        if self.executable { 0o755 } else { 0o644 }
    }
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| fault(path, &error))
}

/// Adds a file, or a folder with everything in it, as `name`.
pub(crate) fn push_tree(entries: &mut Vec<Entry>, path: &Path, name: &str) -> Result<(), String> {
    if !path.is_dir() {
        let library = [".clap", ".so", ".vst3", ".dll", ".dylib"].iter().any(|ending| name.ends_with(ending));
        let executable = library || name.contains("/MacOS/");
        entries.push(Entry { path: name.into(), bytes: read(path)?, executable });
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(|error| fault(path, &error))? {
        let entry = entry.map_err(|error| fault(path, &error))?;
        let file = entry.file_name();
        let file = file.to_str().ok_or_else(|| format!("{}: no Unicode", entry.path().display()))?;
        push_tree(entries, &entry.path(), &format!("{name}/{file}"))?;
    }
    Ok(())
}

/// Packs `content` below the folder `name` into a compressed tar.
pub(crate) fn tar_gz(name: &str, content: &Content) -> Result<Vec<u8>, String> {
    // no time and no name of a file in its header
    let zipped = GzBuilder::new().write(Vec::new(), Compression::best());
    let mut tar = tar::Builder::new(zipped);
    for entry in &content.entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(entry.bytes.len() as u64);
        header.set_mode(entry.mode());
        header.set_mtime(content.time);
        header.set_uid(0);
        header.set_gid(0);
        let path = format!("{name}/{}", entry.path);
        tar.append_data(&mut header, path, entry.bytes.as_slice()).map_err(|error| error.to_string())?;
    }
    tar.into_inner().and_then(flate2::write::GzEncoder::finish).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn content() -> Content {
        let entries = vec![
            Entry::program("Stemlink.vst3/Contents/x86_64-linux/Stemlink.so", vec![7; 5000]),
            Entry::file(
                "presets/Stemlink/Stemlink Master/Master - glue, ceiling \u{2212}1 dBTP.vstpreset",
                vec![1],
            ),
        ];
        Content { version: "1.2.3".into(), time: 1_700_000_000, entries }
    }

    #[test]
    fn two_runs_give_the_same_bytes_and_the_files_come_out_as_they_went_in() {
        let content = content();
        let packed = tar_gz("stemlink", &content).expect("packed");
        assert_eq!(packed, tar_gz("stemlink", &content).expect("packed"));
        let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(packed.as_slice()));
        let mut found = Vec::new();
        for entry in tar.entries().expect("a tar") {
            let mut entry = entry.expect("an entry");
            let path = entry.path().expect("a path").to_string_lossy().into_owned();
            let header = entry.header();
            assert_eq!((header.mtime().ok(), header.uid().ok()), (Some(content.time), Some(0)));
            let executable = header.mode().is_ok_and(|mode| mode & 0o111 != 0);
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("read");
            let path = path.strip_prefix("stemlink/").expect("below the folder").to_owned();
            found.push(Entry { path, bytes, executable });
        }
        assert_eq!(found, content.entries);
    }
}
