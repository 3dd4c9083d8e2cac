//! Licences of the libraries in the programs, listed by `cargo about`.

use std::io;
use std::path::Path;
use std::process::Command;

use super::output_of;

/// Version that `packaging/about.toml` was written for.
const VERSION: &str = "0.9.3";

/// Returns a page with every library and the text of its licence.
pub(super) fn third_party(root: &Path) -> Result<Vec<u8>, String> {
    let is_missing = |error: io::Error| error.kind() == io::ErrorKind::NotFound;
    if Command::new("cargo-about").arg("--version").output().is_err_and(is_missing) {
        return Err(format!(
            "cargo-about lists the licences of the libraries: cargo install --locked --features cli cargo-about@{VERSION}"
        ));
    }
    output_of(
        Command::new("cargo-about")
            .args(["generate", "--workspace", "--locked", "--offline", "--config"])
            .arg(root.join("packaging/about.toml"))
            .arg(root.join("packaging/about.hbs"))
            .current_dir(root),
    )
}
