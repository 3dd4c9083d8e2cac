//! `cargo xtask dist`: what people install, for the system that we run on or, with `--target`, for Windows.
//!
//! An archive with both bundles, `stems`, licences, presets, man pages and completions, its SHA-256, and on Debian a package.
//! Two runs over the same sources give the same bytes: files are packed in the order of their names, with the time of the last
//! commit and no owner.

mod archive;
mod deb;
mod licences;
mod zip;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Args;
use sha2::{Digest, Sha256};

use crate::plugins::{self, Bundle};
use crate::steps;
use archive::Entry;

/// Options of `cargo xtask dist`.
#[derive(Args)]
pub(crate) struct Options {
    /// Folder for the results; it is made anew.
    #[arg(long, value_name = "DIR", default_value = "target/dist")]
    out: PathBuf,
    /// Target triple to build for, such as x86_64-pc-windows-gnu. Completions and man pages come from the tool of this machine.
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
    /// Pack what was built before.
    #[arg(long)]
    no_build: bool,
}

/// Everything that is packed, by path in the archive.
pub(crate) struct Content {
    pub(crate) version: String,
    /// Seconds since 1970 that all files get.
    pub(crate) time: u64,
    /// Files below the archive's folder, in the order of their paths.
    pub(crate) entries: Vec<Entry>,
}

pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    plugins::report(dist(root, options))
}

fn dist(root: &Path, options: &Options) -> Result<(), String> {
    let target = options.target.as_deref();
    if !options.no_build {
        build(root, target)?;
    }
    let version = version(root)?;
    let time = time(root)?;
    let content = Content { version, time, entries: content(root, target)? };
    let out = root.join(&options.out);
    if out.exists() {
        fs::remove_dir_all(&out).map_err(|error| fault(&out, &error))?;
    }
    fs::create_dir_all(&out).map_err(|error| fault(&out, &error))?;
    let name = format!("stemlink-{}-{}", content.version, platform(target));
    let mut made = Vec::new();
    let is_windows = target.map_or(cfg!(windows), |target| target.contains("windows"));
    let (ending, bytes) = if is_windows {
        ("zip", zip::zip(&name, &content)?)
    } else {
        ("tar.gz", archive::tar_gz(&name, &content)?)
    };
    made.push((format!("{name}.{ending}"), bytes));
    if target.is_none() && cfg!(target_os = "linux") {
        if let Some(package) = deb::package(&content)? {
            made.push((format!("stemlink_{}_{}.deb", content.version, deb::architecture()), package));
        } else {
            println!("dist: no .deb, dpkg-deb is not on PATH");
        }
    }
    for (name, bytes) in made {
        let path = out.join(&name);
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        fs::write(&path, &bytes).map_err(|error| fault(&path, &error))?;
        let sum = out.join(format!("{name}.sha256"));
        fs::write(&sum, format!("{hash}  {name}\n")).map_err(|error| fault(&sum, &error))?;
        println!("dist: {} ({:.1} MB), sha256 {hash}", path.display(), bytes.len() as f64 / 1e6);
    }
    Ok(())
}

/// Builds bundles and tool.
fn build(root: &Path, target: Option<&str>) -> Result<(), String> {
    let target_arguments: Vec<String> =
        target.map(|target| vec!["--target".to_owned(), target.to_owned()]).unwrap_or_default();
    plugins::build(&target_arguments)?;
    let mut cargo = steps::cargo(root);
    cargo.args(["build", "--release", "--locked", "--package", "stems"]).args(&target_arguments);
    run_command(&mut cargo)?;
    if target.is_some() {
        // the tool of this machine writes the man pages
        let mut cargo = steps::cargo(root);
        cargo.args(["build", "--release", "--locked", "--package", "stems"]);
        run_command(&mut cargo)?;
    }
    Ok(())
}

/// Collects what is packed.
fn content(root: &Path, target: Option<&str>) -> Result<Vec<Entry>, String> {
    let target_folder = plugins::target_folder()?;
    let mut entries = Vec::new();
    for Bundle { file, .. } in plugins::BUNDLES {
        let bundle = target_folder.join("bundled").join(file);
        archive::push_tree(&mut entries, &bundle, file)?;
    }
    let ending = if target.map_or(cfg!(windows), |target| target.contains("windows")) { ".exe" } else { "" };
    let built = target.map_or_else(|| target_folder.clone(), |target| target_folder.join(target));
    let tool = built.join("release").join(format!("stems{ending}"));
    entries.push(Entry::program(&format!("stems{ending}"), archive::read(&tool)?));
    for file in ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"] {
        entries.push(Entry::file(file, archive::read(&root.join(file))?));
    }
    let font = root.join("crates/editor/src/fonts/OFL.txt");
    entries.push(Entry::file("LICENSE-FONT-OFL", archive::read(&font)?));
    entries.push(Entry::file("THIRD-PARTY.html", licences::third_party(root)?));
    archive::push_tree(&mut entries, &root.join("packaging/vst3/presets"), "presets")?;
    let host_tool = target_folder.join("release").join(format!("stems{}", std::env::consts::EXE_SUFFIX));
    let scratch = target_folder.join("dist-man");
    output_of(Command::new(&host_tool).arg("man").arg("--out").arg(&scratch))?;
    archive::push_tree(&mut entries, &scratch, "man/man1")?;
    fs::remove_dir_all(&scratch).map_err(|error| fault(&scratch, &error))?;
    for (shell, file) in
        [("bash", "stems.bash"), ("zsh", "_stems"), ("fish", "stems.fish"), ("powershell", "_stems.ps1")]
    {
        let script = output_of(Command::new(&host_tool).args(["completions", shell]))?;
        entries.push(Entry::file(&format!("completions/{file}"), script));
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

/// Operating system and processor in the archive's name.
fn platform(target: Option<&str>) -> String {
    let (system, processor) = match target {
        None => (std::env::consts::OS, std::env::consts::ARCH),
        Some(target) => {
            let system = ["windows", "linux", "darwin"].into_iter().find(|system| target.contains(system));
            (system.unwrap_or("unknown"), target.split('-').next().unwrap_or_default())
        }
    };
    format!("{}-{processor}", if system == "darwin" { "macos" } else { system })
}

fn version(root: &Path) -> Result<String, String> {
    let manifest = root.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|error| fault(&manifest, &error))?;
    let table: toml::Table = text.parse().map_err(|error| format!("Cargo.toml: {error}"))?;
    let version = table["workspace"]["package"]["version"].as_str();
    version.map(str::to_owned).ok_or_else(|| "Cargo.toml: no version".to_owned())
}

/// Time of the last commit, or that of SOURCE_DATE_EPOCH where there is no git.
fn time(root: &Path) -> Result<u64, String> {
    if let Ok(time) = std::env::var("SOURCE_DATE_EPOCH") {
        return time.parse().map_err(|_| format!("SOURCE_DATE_EPOCH: {time:?} is no number of seconds"));
    }
    let text = output_of(Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(root))?;
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    text.parse().map_err(|_| "git: no time of a commit; set SOURCE_DATE_EPOCH".to_owned())
}

fn run_command(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}")) }
}

/// Standard output of a command that succeeds.
fn output_of(command: &mut Command) -> Result<Vec<u8>, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(format!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()))
}

fn fault(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_named_after_system_and_processor() {
        assert_eq!(platform(Some("x86_64-pc-windows-gnu")), "windows-x86_64");
        assert_eq!(platform(Some("aarch64-apple-darwin")), "macos-aarch64");
        assert!(platform(None).ends_with(std::env::consts::ARCH));
    }

    #[test]
    fn the_version_is_the_workspace_s() {
        assert_eq!(version(&crate::root()).as_deref(), Ok(env!("CARGO_PKG_VERSION")));
    }
}
