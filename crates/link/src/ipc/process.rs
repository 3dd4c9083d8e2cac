//! Identity of the current process and name of its program.

use crate::identity::{ProcessIdentity, unique_id};
use crate::text::Text;

/// Returns the identity of this process and this loaded copy of the library, with a new nonce.
pub(super) fn current_process() -> ProcessIdentity {
    let (boot, start) = (boot_id().unwrap_or(0), start_ticks().unwrap_or(0));
    ProcessIdentity { boot, pid: u64::from(std::process::id()), start, nonce: unique_id().get() }
}

/// Returns the name of the program that runs: the host.
pub(super) fn host_program() -> Text {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(|path| path.file_stem()).unwrap_or_default();
    Text::new(&name.to_string_lossy())
}

/// Returns the first half of the kernel's boot id.
#[cfg(target_os = "linux")]
fn boot_id() -> Option<u64> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let digits: String = id.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    u64::from_str_radix(&digits, 16).ok()
}

/// Returns the start time of the process in clock ticks since boot: field 22 of `stat`, counted from the end of the
/// program's name, which may contain any characters.
#[cfg(target_os = "linux")]
fn start_ticks() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(22 - 3)?.parse().ok()
}

#[cfg(not(target_os = "linux"))]
fn boot_id() -> Option<u64> {
    None
}

#[cfg(not(target_os = "linux"))]
fn start_ticks() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_copies_in_one_process_differ_in_the_nonce_alone() {
        let (one, other) = (current_process(), current_process());
        assert_ne!(one.nonce, other.nonce);
        assert_eq!(ProcessIdentity { nonce: 0, ..one }, ProcessIdentity { nonce: 0, ..other });
        assert_eq!(one.pid, u64::from(std::process::id()));
        if cfg!(target_os = "linux") {
            assert!(one.boot != 0 && one.start != 0);
        }
        assert!(host_program().as_str().starts_with("link"));
    }
}
