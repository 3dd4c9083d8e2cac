//! Which process this is.

use crate::identity::{ProcessIdentity, unique};
use crate::words::Text;

/// This process and this loaded copy of the library, under a new nonce.
pub(super) fn identity() -> ProcessIdentity {
    let (boot, start) = (boot().unwrap_or(0), start().unwrap_or(0));
    ProcessIdentity { boot, pid: u64::from(std::process::id()), start, nonce: unique().get() }
}

/// The program that runs: the host.
pub(super) fn host() -> Text {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(|path| path.file_stem()).unwrap_or_default();
    Text::new(&name.to_string_lossy())
}

/// Which start of the machine: the first half of the kernel's boot id.
#[cfg(target_os = "linux")]
fn boot() -> Option<u64> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let digits: String = id.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    u64::from_str_radix(&digits, 16).ok()
}

/// When the process started, in clock ticks since the machine did: field 22 of `stat`, counted behind the program's
/// name, which may hold anything.
#[cfg(target_os = "linux")]
fn start() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(22 - 3)?.parse().ok()
}

#[cfg(not(target_os = "linux"))]
fn boot() -> Option<u64> {
    None
}

#[cfg(not(target_os = "linux"))]
fn start() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_copies_in_one_process_differ_in_the_nonce_alone() {
        let (one, other) = (identity(), identity());
        assert_ne!(one.nonce, other.nonce);
        assert_eq!(ProcessIdentity { nonce: 0, ..one }, ProcessIdentity { nonce: 0, ..other });
        assert_eq!(one.pid, u64::from(std::process::id()));
        if cfg!(target_os = "linux") {
            assert!(one.boot != 0 && one.start != 0);
        }
        assert!(host().as_str().starts_with("stemlink"));
    }
}
