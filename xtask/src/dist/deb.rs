//! Package for Debian and its descendants, built by `dpkg-deb`.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use super::archive::Entry;
use super::{Content, fault, output_of};

/// Places of the archive's files on the system; the longest that fits counts.
const PLACES: [(&str, &str); 12] = [
    ("Stemlink.clap", "usr/lib/clap/Stemlink.clap"),
    ("Stemlink.vst3/", "usr/lib/vst3/Stemlink.vst3/"),
    ("presets/", "usr/share/vst3/presets/"),
    ("stems", "usr/bin/stems"),
    ("man/man1/", "usr/share/man/man1/"),
    ("completions/stems.bash", "usr/share/bash-completion/completions/stems"),
    ("completions/_stems.ps1", ""),
    ("completions/_stems", "usr/share/zsh/vendor-completions/_stems"),
    ("completions/stems.fish", "usr/share/fish/vendor_completions.d/stems.fish"),
    ("README.md", "usr/share/doc/stemlink/README.md"),
    ("CHANGELOG.md", "usr/share/doc/stemlink/CHANGELOG.md"),
    ("THIRD-PARTY.html", "usr/share/doc/stemlink/THIRD-PARTY.html"),
];

/// Libraries that the plugins' windows load when they open; without them the plugins work, and their windows say what is missing.
const RECOMMENDED: &str = "libegl1, libgl1, libx11-6, libx11-xcb1, libxcursor1, libxkbcommon-x11-0";

/// Debian's name of this processor family.
pub(super) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Returns the place of a file of the archive; `None` for what a package has elsewhere or not at all.
fn place(path: &str) -> Option<String> {
    let (from, to) =
        PLACES.iter().find(|(from, _)| path == *from || (from.ends_with('/') && path.starts_with(from)))?;
    (!to.is_empty()).then(|| format!("{to}{}", &path[from.len()..]))
}

/// Returns the package; `None` without `dpkg-deb`.
pub(super) fn package(content: &Content) -> Result<Option<Vec<u8>>, String> {
    let is_missing = |error: io::Error| error.kind() == io::ErrorKind::NotFound;
    if Command::new("dpkg-deb").arg("--version").output().is_err_and(is_missing) {
        return Ok(None);
    }
    let folder = std::env::temp_dir().join(format!("stemlink-deb-{}", std::process::id()));
    let made = lay_out(&folder.join("tree"), content).and_then(|()| pack(&folder, content.time));
    let cleaned = fs::remove_dir_all(&folder);
    let package = made?;
    cleaned.map_err(|error| fault(&folder, &error))?;
    Ok(Some(package))
}

fn pack(folder: &Path, time: u64) -> Result<Vec<u8>, String> {
    let file = folder.join("stemlink.deb");
    // times later than this one become this one; one thread, since the division into blocks is in the bytes
    output_of(
        Command::new("dpkg-deb")
            .args(["--build", "--root-owner-group", "-Zxz", "--threads-max=1"])
            .arg(folder.join("tree"))
            .arg(&file)
            .env("SOURCE_DATE_EPOCH", time.to_string()),
    )?;
    fs::read(&file).map_err(|error| fault(&file, &error))
}

/// Writes the package's files as they are to lie on the system, and its description.
fn lay_out(tree: &Path, content: &Content) -> Result<(), String> {
    let mut bytes = 0;
    for entry in &content.entries {
        if let Some(place) = place(&entry.path) {
            bytes += entry.bytes.len();
            write(tree, &Entry { path: place, ..entry.clone() })?;
        }
    }
    let copyright = copyright(&content.entries);
    write(tree, &Entry::file("usr/share/doc/stemlink/copyright", copyright))?;
    let control = control(content, bytes.div_ceil(1024));
    write(tree, &Entry::file("DEBIAN/control", control.into_bytes()))
}

/// Writes a file with its permissions; folders get those of packages.
fn write(tree: &Path, entry: &Entry) -> Result<(), String> {
    let path = tree.join(&entry.path);
    let folder = path.parent().expect("a path below the tree");
    fs::create_dir_all(folder).map_err(|error| fault(folder, &error))?;
    fs::write(&path, &entry.bytes).map_err(|error| fault(&path, &error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let set = |path: &Path, mode: u32| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|error| fault(path, &error))
        };
        set(&path, entry.mode())?;
        for folder in folder.ancestors().take_while(|folder| folder.starts_with(tree)) {
            set(folder, 0o755)?;
        }
    }
    Ok(())
}

/// Both licences, and that of the typeface.
fn copyright(entries: &[Entry]) -> Vec<u8> {
    let mut text = b"Stemlink is under the MIT licence or the Apache License 2.0, at your choice. The typeface in its\n\
        windows is under the SIL Open Font License. THIRD-PARTY.html lists the libraries in it with theirs.\n"
        .to_vec();
    for entry in entries.iter().filter(|entry| entry.path.starts_with("LICENSE-")) {
        text.extend(b"\n----------------------------------------------------------------\n\n");
        text.extend(&entry.bytes);
    }
    text
}

fn control(content: &Content, kibibytes: usize) -> String {
    let programs = content.entries.iter().filter(|entry| entry.executable);
    let libc = programs.filter_map(|entry| glibc_minor(&entry.bytes)).max().unwrap_or(17);
    format!(
        "Package: stemlink\n\
         Version: {version}\n\
         Architecture: {architecture}\n\
         Maintainer: Stemlink <info@stemlink.org>\n\
         Installed-Size: {kibibytes}\n\
         Depends: libc6 (>= 2.{libc}), libgcc-s1\n\
         Recommends: {RECOMMENDED}\n\
         Suggests: ffmpeg\n\
         Section: sound\n\
         Priority: optional\n\
         Homepage: https://stemlink.org\n\
         Description: mastering from stems, with the cost of every move\n \
         Two plugins (CLAP and VST3) for stem buses and the master bus, and the command\n \
         line tool stems: loudness by EBU R 128, a mastering chain, and what a move on\n \
         one stem costs all others once a streaming platform has normalized the song.\n",
        version = content.version,
        architecture = architecture(),
    )
}

/// Minor number of the highest version of the GNU C library that a program asks for: 34 for `GLIBC_2.34`.
fn glibc_minor(program: &[u8]) -> Option<u32> {
    const MARK: &[u8] = b"GLIBC_2.";
    let starts =
        program.windows(MARK.len()).enumerate().filter(|(_, bytes)| *bytes == MARK).map(|(at, _)| at);
    let number = |at: usize| {
        let digits = program[at + MARK.len()..].iter().take_while(|byte| byte.is_ascii_digit());
        let text: String = digits.map(|byte| char::from(*byte)).collect();
        text.parse().ok()
    };
    starts.filter_map(number).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_lie_where_debian_looks_for_them() {
        for (path, expected) in [
            ("Stemlink.clap", Some("usr/lib/clap/Stemlink.clap")),
            (
                "Stemlink.vst3/Contents/x86_64-linux/Stemlink.so",
                Some("usr/lib/vst3/Stemlink.vst3/Contents/x86_64-linux/Stemlink.so"),
            ),
            ("stems", Some("usr/bin/stems")),
            ("man/man1/stems.1", Some("usr/share/man/man1/stems.1")),
            ("completions/_stems", Some("usr/share/zsh/vendor-completions/_stems")),
            ("completions/_stems.ps1", None),
            ("LICENSE-MIT", None),
        ] {
            assert_eq!(place(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn the_highest_version_of_the_c_library_counts() {
        assert_eq!(glibc_minor(b"..GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.17\0GLIBC_PRIVATE"), Some(34));
        assert_eq!(glibc_minor(b"MZ"), None);
    }

    #[test]
    fn a_package_is_whole_and_the_same_twice() {
        let entries = vec![
            Entry::program("stems", b"\x7fELF GLIBC_2.34".to_vec()),
            Entry::file("LICENSE-MIT", b"MIT".to_vec()),
            Entry::file("README.md", b"read".to_vec()),
        ];
        let content = Content { version: "1.2.3".into(), time: 1_700_000_000, entries };
        let Ok(Some(package)) = package(&content) else { return };
        assert!(package.starts_with(b"!<arch>\n"));
        assert!(super::package(&content).is_ok_and(|again| again.as_deref() == Some(package.as_slice())));
    }
}
