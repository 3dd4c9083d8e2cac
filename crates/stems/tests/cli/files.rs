//! Names, places and disks: nothing overwritten, nothing half-written.

use std::fs;
use std::path::Path;

use super::tool::*;

#[test]
fn an_existing_master_is_kept_unless_forced() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    song(&dir, 2.0, 1.0);
    fs::create_dir(&out).unwrap();
    let file = out.join("song_Master.wav");
    fs::write(&file, "my only copy").unwrap();
    fails(&["master", text(&dir), "--out", text(&out)], &["song_Master.wav", "already exists", "--force"]);
    assert_eq!(fs::read(&file).unwrap(), b"my only copy");
    // A failure with --force keeps it too.
    fails(&["master", text(&dir), "--out", text(&out), "--force", "--target", "spotfy"], &["spotfy"]);
    assert_eq!(fs::read(&file).unwrap(), b"my only copy");
    json(0, &["master", text(&dir), "--out", text(&out), "--force"]);
    assert!(fs::metadata(&file).unwrap().len() > 100_000);
    assert_eq!(names(&out), ["song_Master.wav"]);
}

#[test]
fn the_stems_folder_may_hold_the_master_and_stays_a_bundle() {
    let folder = temporary();
    for name in ["Song", "Song Stems", "01_Drums_Stem"] {
        let dir = folder.path().join(name);
        song(&dir, 2.0, 1.0);
        let first = json(0, &["master", text(&dir), "--out", text(&dir)]);
        let master = format!("{name}_Master.wav");
        assert_eq!(first["deliverables"][0]["path"].as_str().unwrap(), text(&dir.join(&master)));
        let run = stems(&["master", text(&dir), "--out", text(&dir), "--force", "--json"]);
        let again: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        assert!(run.err.contains(&master) && run.err.contains("left out"), "{}", run.err);
        assert_eq!(first["deliverables"], again["deliverables"]);
        assert_eq!(names(&dir).len(), 4);
    }
}

#[test]
fn a_stem_is_never_the_output() {
    let folder = temporary();
    // A song called so that its master has the name of its stem.
    let dir = folder.path().join("A");
    fs::create_dir(&dir).unwrap();
    let stem = dir.join("A_Master.wav");
    write_plain(&stem, &part(1, 48_000.0, 1.0, 2, 0.2));
    let before = fs::read(&stem).unwrap();
    write_plain(&dir.join("B.wav"), &part(2, 48_000.0, 1.0, 2, 0.2));
    fails(&["master", text(&dir), "--out", text(&dir)], &["A_Master.wav", "already exists"]);
    assert_eq!(fs::read(&stem).unwrap(), before);
    #[cfg(unix)]
    {
        let out = folder.path().join("out");
        fs::create_dir(&out).unwrap();
        std::os::unix::fs::symlink(dir.join("B.wav"), out.join("A_Master.wav")).unwrap();
        let before = fs::read(dir.join("B.wav")).unwrap();
        fails(&["master", text(&dir), "--out", text(&out), "--force"], &["A_Master.wav", "is the stem B"]);
        assert_eq!(fs::read(dir.join("B.wav")).unwrap(), before);
    }
}

#[test]
fn odd_names_work_and_show_on_one_line() {
    let folder = temporary();
    let names_of_songs =
        ["with space", "Übermut ñ 音楽 🎵", "-dash", "quote\"s' $HOME `x` %s {}", "a.b.c", "...x"];
    for name in names_of_songs {
        let (dir, out) = (folder.path().join(name), folder.path().join(format!("{name} out")));
        fs::create_dir(&dir).unwrap();
        for stem in ["-x.wav", "Größe 1.wav", "quo\"te,.wav"] {
            write_plain(&dir.join(stem), &part(1, 48_000.0, 0.6, 2, 0.1));
        }
        let answer = json(0, &["measure", text(&dir)]);
        assert_eq!(answer["files"].as_array().unwrap().len(), 3);
        json(0, &["init", text(&dir)]);
        json(0, &["what-if", text(&dir), "--move", "größe 1=2"]);
        json(0, &["master", text(&dir), "--out", text(&out)]);
        assert_eq!(names(&out).len(), 1);
    }
    // From inside, with paths that look like options.
    let inside =
        |args: &[&str]| judge(&command(args).current_dir(folder.path().join("-dash")).output().unwrap());
    assert_eq!(inside(&["measure", "--", "-x.wav"]).code, 0);
    assert_eq!(inside(&["master", ".", "--out=-out"]).code, 0);
    assert_eq!(names(&folder.path().join("-dash/-out")), ["-dash_Master.wav"]);
    assert_eq!(inside(&["master", "--out", "../../deep", "../-dash/./../-dash", "--force"]).code, 0);
    fs::remove_dir_all(folder.path().join("../deep")).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn names_that_would_drive_a_terminal_are_escaped() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = temporary();
    let dir = folder.path().join("two\nlines \u{1b}[31m");
    fs::create_dir(&dir).unwrap();
    write_plain(&dir.join("dr\u{1b}[2Jums\n.wav"), &part(1, 48_000.0, 0.6, 2, 0.1));
    write_plain(&dir.join(OsStr::from_bytes(b"not\xffutf8.wav")), &part(2, 48_000.0, 0.6, 2, 0.1));
    let clean = |run: Run| {
        assert_eq!(run.code, 0, "{}", run.err);
        assert!(!run.out.contains('\u{1b}') && !run.err.contains('\u{1b}'));
        run
    };
    let table = clean(stems(&["measure", text(&dir)])).out;
    assert_eq!(table.lines().count(), 4, "{table}");
    clean(stems(&["measure", text(&dir), "--json"]));
    clean(stems(&["what-if", text(&dir), "--move", "not utf8=1", "--target", "spotify"]));
    let out = folder.path().join("out");
    let answer = clean(stems(&["master", text(&dir), "--out", text(&out), "--json"]));
    assert!(answer.out.contains("two_lines _[31m_Master.wav"), "{}", answer.out);
    clean(stems(&["master", text(&dir), "--out", text(&dir)]));
    clean(stems(&["init", text(&dir)]));
    let run = stems(&["what-if", text(&dir), "--move", "dr 2Jums=1", "--target", "spotify"]);
    assert!(run.code == 0, "the session just written is read: {}", run.err);
    fails(&["measure", text(&folder.path().join("no\nfile\u{1b}[0m"))], &["no\\nfile\\u{1b}[0m"]);
}

#[test]
fn an_output_folder_that_cannot_be_is_named() {
    let folder = temporary();
    let dir = folder.path().join("song");
    song(&dir, 1.0, 1.0);
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    fails(&["master", text(&dir), "--out", text(&file)], &["file", "writing failed"]);
    fails(&["master", text(&dir), "--out", text(&file.join("below"))], &["below", "writing failed"]);
    fails(&["demo", "--out", text(&file)], &["file", "writing failed"]);
    assert_eq!(fs::read(&file).unwrap(), b"x");
    let deep = folder.path().join("a/b/c");
    fails(&["master", text(&dir), "--out", text(&deep), "--target", "qobuz"], &["publishes no target"]);
    write_plain(&dir.join("04_FX_Stem.wav"), &part(5, 48_000.0, 1.0, 6, 0.1));
    fails(&["master", text(&dir), "--out", text(&deep)], &["6 channels"]);
    assert!(!folder.path().join("a").exists(), "folders made for nothing are taken back");
    fs::create_dir_all(dir.join("song_Master.wav")).unwrap();
    fails(&["master", text(&dir), "--out", text(&dir)], &["song_Master.wav", ""]);
}

#[test]
#[cfg(unix)]
fn links_are_followed_to_read_and_never_written_through() {
    use std::os::unix::fs::symlink;
    let folder = temporary();
    let (dir, linked, out) =
        (folder.path().join("song"), folder.path().join("linked"), folder.path().join("out"));
    song(&dir, 1.0, 1.0);
    symlink(&dir, &linked).unwrap();
    let direct = json(0, &["what-if", text(&dir), "--move", "Bass=1"]);
    assert_eq!(json(0, &["what-if", text(&linked), "--move", "Bass=1"]), direct);
    // A link to a stem is a stem; one that leads nowhere is a fault.
    symlink(dir.join("01_Drums_Stem.wav"), dir.join("04_Twin.wav")).unwrap();
    symlink(folder.path().join("nowhere"), dir.join("05_Lost.wav")).unwrap();
    let answer = json(1, &["what-if", text(&dir), "--move", "Twin=1"]);
    assert_eq!(answer["stems"].as_array().unwrap().len(), 4);
    // A dangling link at the output's name is something that exists.
    fs::create_dir(&out).unwrap();
    symlink(folder.path().join("target.wav"), out.join("song_Master.wav")).unwrap();
    fails(&["master", text(&dir), "--out", text(&out)], &["song_Master.wav", "already exists"]);
    json(1, &["master", text(&dir), "--out", text(&out), "--force"]);
    assert!(!folder.path().join("target.wav").exists() && !out.join("song_Master.wav").is_symlink());
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_and_a_read_only_disk_are_said_and_lose_nothing() {
    let folder = temporary();
    let (dir, disk) = (folder.path().join("song"), folder.path().join("disk"));
    song(&dir, 10.0, 1.0);
    fs::create_dir(&disk).unwrap();
    {
        let Some(_mount) = Mount::new(&disk, "size=1m") else { return };
        fs::write(disk.join("song_Master.wav"), "my only copy").unwrap();
        let master = ["master", text(&dir), "--out", text(&disk), "--force"];
        fails(&master, &["song_Master.wav", "the disk is full", "free some space"]);
        assert_eq!(fs::read(disk.join("song_Master.wav")).unwrap(), b"my only copy");
        assert_eq!(names(&disk), ["song_Master.wav"]);
        fails(&["demo", "--out", text(&disk)], &["01_Drums_Stem.wav", "the disk is full"]);
        assert!(names(&disk.join("Demo Song")).is_empty());
    }
    {
        // Room for the spool (16 bytes a frame), not for the master beside it.
        let Some(_mount) = Mount::new(&disk, "size=9m") else { return };
        fails(&["master", text(&dir), "--out", text(&disk)], &["song_Master.wav", "the disk is full"]);
        assert!(names(&disk).is_empty());
    }
    let Some(_mount) = Mount::new(&disk, "size=1m,ro") else { return };
    fails(&["master", text(&dir), "--out", text(&disk)], &["song_Master.wav", "read-only"]);
    fails(&["master", text(&dir), "--out", text(&disk.join("new"))], &["new", "read-only"]);
}

#[test]
fn a_mix_in_the_folder_is_left_out_and_said() {
    let folder = temporary();
    song(folder.path(), 2.0, 1.0);
    let before = json(0, &["what-if", text(folder.path()), "--move", "Bass=1"]);
    for name in ["Mix.wav", "Song_Master.wav", ".hidden.wav", "._01_Drums_Stem.wav", "notes.txt"] {
        fs::write(folder.path().join(name), "whatever").unwrap();
    }
    fs::create_dir(Path::new(folder.path()).join("Old stems")).unwrap();
    assert_eq!(json(0, &["what-if", text(folder.path()), "--move", "Bass=1"]), before);
    let run = stems(&["what-if", text(folder.path()), "--move", "Bass=1"]);
    assert_eq!(run.err.matches("left out").count(), 2, "{}", run.err);
}

#[test]
fn outputs_with_names_that_windows_reserves_get_an_underscore() {
    let folder = temporary();
    let dir = folder.path().join("Con");
    song(&dir, 2.0, 1.0);
    json(0, &["master", text(&dir), "--out", text(&folder.path().join("NUL"))]);
    assert_eq!(names(&folder.path().join("NUL_")), ["Con_Master.wav"]);
    let page = folder.path().join("aux.html");
    json(0, &["report", text(&dir), "--out", text(&page)]);
    let list = folder.path().join("list.txt");
    fs::write(&list, "Con\n{\"dir\": \"Con\", \"name\": \"lpt1\"}\n").unwrap();
    let delivered = folder.path().join("delivered");
    assert_eq!(
        stems(&["batch", text(&list), "--out", text(&delivered), "--make", "stems", "--json"]).code,
        0
    );
    assert_eq!(names(&delivered), ["Con_", "lpt1_"]);
    let mut made = names(folder.path());
    made.retain(|name| name.starts_with("aux") || name.starts_with("NUL"));
    assert_eq!(made, ["NUL_", "aux_.csv", "aux_.html", "aux_.json"]);
}
