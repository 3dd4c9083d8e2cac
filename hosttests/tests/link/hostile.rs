//! Hostile files in the link's folder and hostile processes: no sound depends on them.

use super::alone::alone;
use super::desk::{RATE, song};
use chain::{ChainKind, LatencyClass};
use hosttests::reference::{self, TYPED, through_chain};
use hosttests::viewer::{Viewer, eventually};
use hosttests::{Library, MASTER, Plugin, STEM};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

const PLUGINS: [(&str, ChainKind); 2] = [(STEM, ChainKind::Stem), (MASTER, ChainKind::Master)];

/// Puts everything there that a stranger might, and does to the files of those who live what a stranger might.
fn ravage(folder: &Path) {
    let name = |process: u64, key: u64| folder.join(format!("{process:016x}-{key:016x}.link"));
    let noise = testkit::hostile::bytes(1, 30_000);
    let living: Vec<_> = fs::read_dir(folder)
        .expect("the link is there")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "link"))
        .collect();
    let whole = fs::read(living.first().expect("somebody lives")).expect("it can be read");
    fs::write(name(1, 1), &noise).expect("written");
    fs::write(name(1, 2), "").expect("written");
    // the beginning of a true one, and a true one with noise in it
    fs::write(name(1, 3), &whole[..whole.len() / 3]).expect("written");
    let mut torn = whole.clone();
    torn[5000..9000].copy_from_slice(&noise[..4000]);
    fs::write(name(1, 4), torn).expect("written");
    fs::write(name(1, 5), &whole).expect("written");
    fs::set_permissions(name(1, 5), fs::Permissions::from_mode(0o000)).expect("set");
    symlink("/dev/zero", name(1, 6)).expect("linked");
    symlink(folder, name(1, 7)).expect("linked");
    fs::create_dir(name(1, 8)).expect("made");
    // held by us, so that it counts as a living process's
    let lock = fs::File::create(folder.join(format!("{:016x}.lock", 1))).expect("written");
    lock.try_lock().expect("nobody else has it");
    std::mem::forget(lock);
    // files of living instances: one cut short, one overwritten, one removed, the others made unreadable
    for (number, path) in living.iter().enumerate() {
        match number % 4 {
            0 => fs::OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(100)),
            1 => fs::OpenOptions::new()
                .write(true)
                .open(path)
                .and_then(|mut file| std::io::Write::write_all(&mut file, &noise)),
            2 => fs::remove_file(path),
            _ => fs::set_permissions(path, fs::Permissions::from_mode(0o000)),
        }
        .expect("done");
    }
}

#[test]
fn a_folder_full_of_garbage_changes_no_bit() {
    alone("link::hostile::a_folder_full_of_garbage_changes_no_bit", || {
        let (library, input) = (Library::open(), song(3, 2));
        let _viewer = Viewer::new();
        let mut plugins: Vec<(Plugin, ChainKind)> = Vec::new();
        for (kind, chain_kind) in PLUGINS.into_iter().chain(PLUGINS) {
            let mut plugin = Plugin::new(&library, kind);
            let changes: Vec<_> = TYPED.iter().map(|(name, text, ..)| plugin.typed(0, name, text)).collect();
            plugin.flush(&changes);
            plugin.activate(RATE, 1024);
            plugins.push((plugin, chain_kind));
        }
        let folder = Path::new(&std::env::var("XDG_RUNTIME_DIR").expect("alone")).join("stemlink-1");
        eventually("all of them", || {
            (fs::read_dir(&folder).ok()?.count() >= PLUGINS.len() * 2 + 2).then_some(())
        });
        // the second half of the song among what has been done to the folder
        let half = input[0].len() / 2;
        let cut = |range: core::ops::Range<usize>| -> Vec<Vec<f32>> {
            input.iter().map(|side| side[range.clone()].to_vec()).collect()
        };
        let mut outputs: Vec<Vec<Vec<f32>>> = Vec::new();
        for (plugin, _) in &mut plugins {
            let mut first = cut(0..half);
            plugin.run(&mut first, None, &[512, 1, 1023], &[]);
            outputs.push(first);
        }
        ravage(&folder);
        for ((plugin, chain_kind), mut output) in plugins.iter_mut().zip(outputs) {
            let mut second = cut(half..input[0].len());
            for at in (0..second[0].len()).step_by(4800) {
                let end = second[0].len().min(at + 4800);
                let mut part: Vec<Vec<f32>> = second.iter().map(|side| side[at..end].to_vec()).collect();
                plugin.run(&mut part, None, &[480], &[]);
                for (side, part) in second.iter_mut().zip(&part) {
                    side[at..end].copy_from_slice(part);
                }
                // the link looks several times meanwhile
                std::thread::sleep(std::time::Duration::from_millis(60));
            }
            output.iter_mut().zip(second).for_each(|(output, second)| output.extend(second));
            let class =
                if *chain_kind == ChainKind::Stem { LatencyClass::Zero } else { LatencyClass::Lookahead };
            let unlinked = through_chain((*chain_kind, class, RATE), &reference::settings(), &input, None);
            assert!(output == unlinked, "{chain_kind:?}");
        }
    });
}
