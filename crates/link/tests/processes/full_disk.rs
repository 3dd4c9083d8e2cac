//! Runtime folders without space. Skipped without root, which mounting a small file system takes.

#![allow(clippy::print_stderr, reason = "a skipped test says why")]

use super::*;
use session::timeline::BlockPosition;

/// A small file system at a path, unmounted when dropped.
struct TmpfsMount<'a>(&'a Path);

impl<'a> TmpfsMount<'a> {
    fn new(at: &'a Path, size: &str) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(at)
            .output();
        if mounted.is_ok_and(|out| out.status.success()) {
            return Some(Self(at));
        }
        eprintln!("skipped: a tmpfs cannot be mounted here (that takes root)");
        None
    }
}

impl Drop for TmpfsMount<'_> {
    fn drop(&mut self) {
        // lazily: a worker may still have the folder open
        drop(Command::new("umount").arg("-l").arg(self.0).output());
    }
}

#[test]
fn a_full_disk_is_reported_and_space_is_used_again() {
    let runtime = TestRuntime::new();
    let Some(_mount) = TmpfsMount::new(&runtime.0, "1m") else { return };
    let ballast = runtime.0.join("ballast");
    std::fs::create_dir(runtime.folder()).unwrap();
    let _ = std::fs::write(&ballast, vec![0; 2 << 20]);
    let bridge = runtime.bridge();
    let stem = join(bridge, InstanceKind::Stem, "Drums");
    let fault = eventually("a fault", || Some(bridge.state().fault).filter(|text| !text.is_empty()));
    assert!(fault.contains("No space left on device"), "{fault}");
    assert!(fault.ends_with("; make room there"), "{fault}");
    assert_eq!(bridge.state().folder, None);
    assert!(stem.view().is_present());
    std::fs::remove_file(&ballast).unwrap();
    eventually("space", || bridge.state().folder);
    assert_eq!(bridge.state().fault, "");
}

#[test]
fn without_space_for_audio_records_are_exchanged() {
    let runtime = TestRuntime::new();
    let Some(_mount) = TmpfsMount::new(&runtime.0, "1m") else { return };
    let (here, there) = (runtime.bridge(), runtime.bridge());
    let mut stem = join(here, InstanceKind::Stem, "Drums");
    let _mix = join(there, InstanceKind::Master, "Mix");
    stem.audio_writer.prepare_ring(RATE);
    stem.audio_writer.publish_status(&BlockStatus { rate: RATE, ..BlockStatus::default() });
    let peer = find_named(there, "Drums");
    let silence = [0.0; 4096];
    let mut blocks = 0;
    let fault = eventually("a fault", || {
        let place = BlockPosition { position: None, segment: 0, jumped: blocks == 0 };
        stem.audio_writer.write_block(place, [&silence; 2], [&silence; 2]);
        blocks += 1;
        stem.audio_writer.publish_status(&BlockStatus { blocks, rate: RATE, ..BlockStatus::default() });
        Some(here.state().fault).filter(|text| !text.is_empty())
    });
    assert!(fault.ends_with("; make room there"), "{fault}");
    assert!(here.state().folder.is_some() && peer.is_present());
    stem.audio_writer.publish_status(&BlockStatus {
        blocks: blocks + 1,
        rate: RATE,
        ..BlockStatus::default()
    });
    eventually("the block status", || peer.block_status().filter(|status| status.blocks == blocks + 1));
    // the link leaves space for other programs
    let free = std::fs::write(runtime.0.join("other"), vec![0; 500 << 10]);
    assert!(free.is_ok());
}
