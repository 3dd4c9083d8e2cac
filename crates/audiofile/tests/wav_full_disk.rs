//! A full disk is one clear line and leaves nothing; a read-only folder likewise.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr, reason = "a skipped test says why")]

use std::fs;
use std::path::Path;
use std::process::Command;

use audiofile::Error;
use audiofile::wav::{StoredFormat, WavSpec, WavWriter};
use units::Hz;

/// A file system of one megabyte on `at`, unmounted when dropped.
struct Mount<'a> {
    at: &'a Path,
}

impl<'a> Mount<'a> {
    fn new(at: &'a Path, options: &str) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).output();
        if mounted.is_ok_and(|out| out.status.success()) {
            return Some(Self { at });
        }
        eprintln!("skipped: a tmpfs cannot be mounted here (that takes root)");
        None
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.at).output();
    }
}

fn spec() -> WavSpec {
    WavSpec::new(Hz(48_000.0), 2, StoredFormat::Int24)
}

#[test]
fn a_full_disk_is_said_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let Some(_mount) = Mount::new(folder.path(), "size=1m") else { return };
    let path = folder.path().join("mix.wav");
    let mut writer = WavWriter::create(&path, spec(), false).expect("starts");
    let block = [vec![0.1; 4096], vec![0.2; 4096]];
    let error = (0..1000).find_map(|_| writer.write_planar(&block).err()).expect("a megabyte is soon full");
    assert!(matches!(error, Error::Write { .. }));
    let line = error.to_string();
    assert!(
        line.ends_with("mix.wav: writing failed, the disk is full; free some space or choose another disk")
    );
    assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 0, "the temporary file is gone at once");
    assert!(writer.write_planar(&block).is_err(), "it stays failed");
    assert!(writer.finish().is_err());
    assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 0);
}

#[test]
fn a_read_only_disk_is_said() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let Some(_mount) = Mount::new(folder.path(), "size=1m,ro") else { return };
    let error = WavWriter::create(folder.path().join("mix.wav"), spec(), false).err().expect("fails");
    let line = error.to_string();
    assert!(line.ends_with("mix.wav: writing failed, the disk is read-only; choose another disk"), "{line}");
}
