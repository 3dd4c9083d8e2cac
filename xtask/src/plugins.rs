//! Bundling the plugins, putting them where hosts look, and having them judged by others' tools.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::steps;

/// Bundles that the bundler makes; `bundler.toml` has the name.
const BUNDLES: [Bundle; 2] = [
    Bundle { file: "Stemlink.clap", format: Format::Clap },
    Bundle { file: "Stemlink.vst3", format: Format::Vst3 },
];

#[derive(Clone, Copy)]
struct Bundle {
    file: &'static str,
    format: Format,
}

#[derive(Clone, Copy)]
enum Format {
    Clap,
    Vst3,
}

/// Builds the plugins and lays them out as hosts want them, in `target/bundled`.
pub(crate) fn bundle(arguments: &[String]) -> ExitCode {
    report(build(arguments))
}

fn build(arguments: &[String]) -> Result<(), String> {
    let release = !arguments.iter().any(|a| a == "--debug" || a == "--release" || a.starts_with("--profile"));
    let arguments = ["bundle", "stemlink"]
        .map(String::from)
        .into_iter()
        .chain(release.then(|| "--release".into()))
        .chain(arguments.iter().filter(|a| *a != "--debug").cloned());
    nice_plug_xtask::main_with_args("cargo xtask", arguments).map_err(|error| format!("{error:#}"))
}

/// Bundles, copies to the user's folders and says where and how to rescan; or removes what was copied.
pub(crate) fn install(uninstall: bool) -> ExitCode {
    report(if uninstall { remove() } else { build(&[]).and_then(|()| copy()) })
}

fn copy() -> Result<(), String> {
    let from = bundled()?;
    for Bundle { file, format } in BUNDLES {
        let folder = folder(format)?;
        let failed = |error: io::Error| format!("{}: {error}", folder.join(file).display());
        fs::create_dir_all(&folder).map_err(failed)?;
        replace(&from.join(file), &folder.join(file)).map_err(failed)?;
        println!("installed {}", folder.join(file).display());
    }
    println!("\nNow have the host look for new plugins:");
    println!("  Reaper   Preferences, Plug-ins, VST and CLAP: Re-scan");
    println!("  Bitwig   Settings, Locations: the folders are scanned on their own");
    println!("  Live     Settings, Plug-Ins: the folder above as VST3 custom folder, Rescan");
    println!("  Ardour   Window, Plugin Manager: Scan");
    Ok(())
}

fn remove() -> Result<(), String> {
    for Bundle { file, format } in BUNDLES {
        let path = folder(format)?.join(file);
        match delete(&path) {
            Ok(true) => println!("removed {}", path.display()),
            Ok(false) => println!("{} is not there", path.display()),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        }
    }
    Ok(())
}

/// Copies beside the target first: a host that has the old one loaded keeps a whole file.
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    let mut beside = to.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    delete(&beside)?;
    copy_all(from, &beside)?;
    delete(to)?;
    fs::rename(&beside, to)
}

/// Copies a file, or a folder with all in it.
fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy_all(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Deletes a file, a link or a folder; false if there is none.
fn delete(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path).map(|()| true),
        Ok(_) => fs::remove_file(path).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The user's folder of plugins in that format.
fn folder(format: Format) -> Result<PathBuf, String> {
    let home = |name: &str| {
        std::env::var_os(name)
            .filter(|value: &OsString| !value.is_empty())
            .map(PathBuf::from)
            .ok_or_else(|| format!("{name} is not set: whose folder?"))
    };
    Ok(match (std::env::consts::OS, format) {
        ("windows", Format::Clap) => home("LOCALAPPDATA")?.join("Programs/Common/CLAP"),
        ("windows", Format::Vst3) => home("LOCALAPPDATA")?.join("Programs/Common/VST3"),
        ("macos", Format::Clap) => home("HOME")?.join("Library/Audio/Plug-Ins/CLAP"),
        ("macos", Format::Vst3) => home("HOME")?.join("Library/Audio/Plug-Ins/VST3"),
        (_, Format::Clap) => home("HOME")?.join(".clap"),
        (_, Format::Vst3) => home("HOME")?.join(".vst3"),
    })
}

/// Folder of the bundles, beside our own build folder.
fn bundled() -> Result<PathBuf, String> {
    let ourselves = std::env::current_exe().map_err(|error| format!("our own path: {error}"))?;
    let target = ourselves.ancestors().nth(2).ok_or("we lie in no build folder")?;
    Ok(target.join("bundled"))
}

/// Bundles, and has a host without a window play the demo song through the CLAP bundle; its verdict is ours.
pub(crate) fn demo(root: &Path) -> ExitCode {
    let played = build(&["--profile=demo".to_owned()]).and_then(|()| {
        let run = ["run", "--profile", "demo", "--quiet", "--package", "hosttests", "--bin", "demo", "--"];
        let bundle = bundled()?.join(BUNDLES[0].file);
        steps::cargo(root).args(run).arg(bundle).status().map_err(|error| format!("cargo: {error}"))
    });
    match played {
        Ok(status) => {
            status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
        }
        Err(error) => report(Err(error)),
    }
}

/// Has clap-validator and pluginval judge the bundles, those that are on PATH.
pub(crate) fn validate() -> ExitCode {
    report(build(&[]).and_then(|()| judge()))
}

fn judge() -> Result<(), String> {
    let bundled = bundled()?;
    let mut judged = false;
    for Bundle { file, format } in BUNDLES {
        let path = bundled.join(file);
        let (tool, arguments): (&str, &[&str]) = match format {
            Format::Clap => ("clap-validator", &["validate", "--only-failed"]),
            Format::Vst3 => ("pluginval", &["--strictness-level", "10", "--validate-in-process"]),
        };
        println!("\n$ {tool} {} {}", arguments.join(" "), path.display());
        match Command::new(tool).args(arguments).arg(&path).status() {
            Ok(status) if status.success() => judged = true,
            Ok(status) => return Err(format!("{tool}: {status}")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => println!("{tool} is not on PATH"),
            Err(error) => return Err(format!("{tool}: {error}")),
        }
    }
    if judged { Ok(()) } else { Err("nothing was judged: put clap-validator or pluginval on PATH".into()) }
}

fn report(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_replaced_as_a_whole_and_removed_without_trace() {
        let folder = std::env::temp_dir().join(format!("stemlink-xtask-{}", std::process::id()));
        let (from, to) = (folder.join("from.vst3"), folder.join("to.vst3"));
        fs::create_dir_all(from.join("Contents/linux")).expect("a folder");
        fs::write(from.join("Contents/linux/new.so"), "new").expect("a file");
        fs::create_dir_all(to.join("Contents")).expect("a folder");
        fs::write(to.join("Contents/old.so"), "old").expect("a file");
        replace(&from, &to).expect("replaced");
        assert_eq!(fs::read(to.join("Contents/linux/new.so")).expect("copied"), b"new");
        assert!(!to.join("Contents/old.so").exists());
        assert!(delete(&to).expect("deleted") && !delete(&to).expect("nothing there"));
        fs::remove_dir_all(folder).expect("cleaned");
    }
}
