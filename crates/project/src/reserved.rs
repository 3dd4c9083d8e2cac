//! Names of files that Windows reserves for devices.
//!
//! Such a name gets an underscore on every system, so that a folder made on one can be copied to the other.

use std::path::{Component, Path, PathBuf};

/// Reserved names that no digit follows.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
/// Reserved names that one of [`DIGITS`] follows.
const PORTS: [&str; 2] = ["COM", "LPT"];
/// Digits of ports. Windows takes the superscripts of Latin-1 for digits too.
const DIGITS: &str = "0123456789\u{b9}\u{b2}\u{b3}";

/// Returns true if Windows opens a device instead of a file of this name, whatever its ending: `nul`, `Com1.wav`.
pub fn is_reserved(name: &str) -> bool {
    let base = base(name);
    let digit = |c: char| DIGITS.contains(c);
    DEVICES.iter().any(|device| base.eq_ignore_ascii_case(device))
        || PORTS.iter().any(|port| {
            // `get`: the fourth byte may be inside a letter
            base.get(..port.len()).is_some_and(|start| start.eq_ignore_ascii_case(port))
                && base[port.len()..].chars().count() == 1
                && base[port.len()..].contains(digit)
        })
}

/// Part of `name` that Windows compares with its devices: up to the first dot or colon, without spaces behind it.
fn base(name: &str) -> &str {
    name.split(['.', ':']).next().unwrap_or_default().trim_end_matches(' ')
}

/// Returns `name`, one component of a path, with an underscore in front of its ending if Windows reserves it: `NUL_`,
/// `aux_.wav`.
pub fn unreserved_name(name: &str) -> String {
    if !is_reserved(name) {
        return name.to_owned();
    }
    let (base, ending) = name.split_at(base(name).len());
    format!("{base}_{ending}")
}

/// Returns `path` with every component unreserved. A folder that is there keeps its name.
pub fn unreserved_path(path: &Path) -> PathBuf {
    let mut free = PathBuf::new();
    for component in path.components() {
        let name = match component {
            Component::Normal(name) => name,
            other => {
                free.push(other);
                continue;
            }
        };
        match name.to_str().filter(|name| is_reserved(name)) {
            Some(reserved) if !free.join(name).is_dir() => free.push(unreserved_name(reserved)),
            _ => free.push(name),
        }
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_devices_are_reserved_in_any_case_and_with_any_ending() {
        for name in [
            "CON",
            "con",
            "Prn",
            "aux",
            "NUL",
            "nul.wav",
            "AUX.tar.gz",
            "COM1",
            "com0.txt",
            "LPT9",
            "lpt\u{b2}.wav",
            "CONIN$",
            "conout$.toml",
            "NUL .wav",
            "con ",
            "nul:stream",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        for name in [
            "",
            "Console",
            "CON_",
            "Aux Send",
            "COM",
            "COM10",
            "COM1a",
            "LPT",
            "LPTx",
            "nu",
            "01_CON_Stem.wav",
            " CON",
            "_nul.wav",
            "comü",
            "ÄÖ",
            "co\u{308}m1",
            "coｍ1",
            "Nullius.wav",
        ] {
            assert!(!is_reserved(name), "{name}");
        }
    }

    #[test]
    fn the_underscore_stands_in_front_of_the_ending() {
        for (name, free) in [
            ("CON", "CON_"),
            ("nul.wav", "nul_.wav"),
            ("Aux.tar.gz", "Aux_.tar.gz"),
            ("LPT1 .x", "LPT1_ .x"),
            ("Bass", "Bass"),
        ] {
            assert_eq!(unreserved_name(name), free);
            assert!(!is_reserved(free), "{free}");
        }
    }

    #[test]
    fn each_component_of_a_path_is_freed_and_a_folder_that_is_there_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |path: &str| folder.path().join(path);
        assert_eq!(unreserved_path(&at("con/aux.html")), at("con_/aux_.html"));
        assert_eq!(unreserved_path(Path::new("../NUL/x.wav")), Path::new("../NUL_/x.wav"));
        #[cfg(not(windows))] // no such folder can be made there
        {
            std::fs::create_dir(at("aux")).expect("made");
            assert_eq!(unreserved_path(&at("aux/aux")), at("aux/aux_"));
        }
    }
}
