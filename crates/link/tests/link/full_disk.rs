//! No room in the runtime folder. Mounting a small file system takes root.

#![allow(clippy::print_stderr, reason = "a skipped test says why")]

use super::*;
use session::timeline::BlockPosition;

/// A file system of `size` at a path, unmounted when dropped.
struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
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

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        // lazily: a worker may still have the folder open
        drop(Command::new("umount").arg("-l").arg(self.0).output());
    }
}

#[test]
fn a_full_disk_is_said_and_room_is_used() {
    let runtime = Runtime::new();
    let Some(_mount) = Mount::new(&runtime.0, "1m") else { return };
    let ballast = runtime.0.join("ballast");
    std::fs::create_dir(runtime.folder()).unwrap();
    let _ = std::fs::write(&ballast, vec![0; 2 << 20]);
    let bridge = runtime.bridge();
    let stem = join(bridge, Kind::Stem, "Drums");
    let trouble = eventually("trouble", || Some(bridge.state().trouble).filter(|text| !text.is_empty()));
    assert!(trouble.contains("No space left on device"), "{trouble}");
    assert!(trouble.ends_with("; make room there"), "{trouble}");
    assert_eq!(bridge.state().folder, None);
    assert!(stem.peer().is_there());
    std::fs::remove_file(&ballast).unwrap();
    eventually("room", || bridge.state().folder);
    assert_eq!(bridge.state().trouble, "");
}

#[test]
fn without_room_for_audio_all_else_crosses() {
    let runtime = Runtime::new();
    let Some(_mount) = Mount::new(&runtime.0, "1m") else { return };
    let (here, there) = (runtime.bridge(), runtime.bridge());
    let mut stem = join(here, Kind::Stem, "Drums");
    let _mix = join(there, Kind::Master, "Mix");
    stem.outlet.prepare(RATE);
    stem.outlet.tell(&BlockStatus { rate: RATE, ..BlockStatus::default() });
    let peer = meet(there, "Drums");
    let silence = [0.0; 4096];
    let mut blocks = 0;
    let trouble = eventually("trouble", || {
        let place = BlockPosition { position: None, segment: 0, jumped: blocks == 0 };
        stem.outlet.write(place, [&silence; 2], [&silence; 2]);
        blocks += 1;
        stem.outlet.tell(&BlockStatus { blocks, rate: RATE, ..BlockStatus::default() });
        Some(here.state().trouble).filter(|text| !text.is_empty())
    });
    assert!(trouble.ends_with("; make room there"), "{trouble}");
    assert!(here.state().folder.is_some() && peer.is_there());
    stem.outlet.tell(&BlockStatus { blocks: blocks + 1, rate: RATE, ..BlockStatus::default() });
    eventually("the pulse", || peer.pulse().filter(|pulse| pulse.blocks == blocks + 1));
    // nothing is left in the way of the others
    let free = std::fs::write(runtime.0.join("other"), vec![0; 500 << 10]);
    assert!(free.is_ok());
}
