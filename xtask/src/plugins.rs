//! Bundling the plugins, putting them where hosts look, and having them judged by others' tools.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::steps;

/// Bundles that the bundler makes; `bundler.toml` has the name.
pub(crate) const BUNDLES: [Bundle; 2] = [
    Bundle { file: "Stemlink.clap", format: Format::Clap },
    Bundle { file: "Stemlink.vst3", format: Format::Vst3 },
];

#[derive(Clone, Copy)]
pub(crate) struct Bundle {
    pub(crate) file: &'static str,
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

pub(crate) fn build(arguments: &[String]) -> Result<(), String> {
    let release = !arguments.iter().any(|a| a == "--debug" || a == "--release" || a.starts_with("--profile"));
    let arguments = ["bundle", "stemlink"]
        .map(String::from)
        .into_iter()
        .chain(release.then(|| "--release".into()))
        .chain(arguments.iter().filter(|a| *a != "--debug").cloned());
    nice_plug_xtask::main_with_args("cargo xtask", arguments).map_err(|error| format!("{error:#}"))?;
    complete(&crate::root())
}

/// Adds what the bundler leaves out: `moduleinfo.json`, and on macOS an identifier for each bundle and the version.
fn complete(root: &Path) -> Result<(), String> {
    let bundled = bundled()?;
    for Bundle { file, format } in BUNDLES {
        let bundle = bundled.join(file);
        let failed = |error: io::Error| format!("{}: {error}", bundle.display());
        if let Format::Vst3 = format {
            let resources = bundle.join("Contents/Resources");
            fs::create_dir_all(&resources).map_err(failed)?;
            fs::copy(root.join("packaging/vst3/moduleinfo.json"), resources.join("moduleinfo.json"))
                .map_err(failed)?;
        }
        let list = bundle.join("Contents/Info.plist");
        if list.is_file() {
            let text = fs::read_to_string(&list).map_err(failed)?;
            fs::write(&list, property_list(&text, format)).map_err(failed)?;
            sign(&bundle)?;
        }
    }
    Ok(())
}

/// Returns the bundler's property list with the bundle's own identifier and the version of the workspace.
fn property_list(text: &str, format: Format) -> String {
    let own = match format {
        Format::Clap => "org.stemlink.clap",
        Format::Vst3 => "org.stemlink.vst3",
    };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (key, value) in [
        ("CFBundleIdentifier", own),
        ("CFBundleShortVersionString", env!("CARGO_PKG_VERSION")),
        ("CFBundleVersion", env!("CARGO_PKG_VERSION")),
    ] {
        let at = lines.iter().position(|line| line.trim() == format!("<key>{key}</key>"));
        if let Some(line) = at.and_then(|at| lines.get_mut(at + 1)) {
            *line = format!("    <string>{value}</string>");
        }
    }
    lines.join("\n") + "\n"
}

/// Signs a bundle anew after a file in it has changed, with STEMLINK_SIGN_AS or ad hoc; only macOS has the tool.
fn sign(bundle: &Path) -> Result<(), String> {
    if !cfg!(target_os = "macos") {
        return Ok(());
    }
    let identity = std::env::var("STEMLINK_SIGN_AS").unwrap_or_else(|_| "-".into());
    let mut codesign = Command::new("codesign");
    codesign.args(["--force", "--sign", &identity]);
    if identity != "-" {
        codesign.args(["--timestamp", "--options", "runtime"]);
    }
    match codesign.arg(bundle).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("codesign {}: {status}", bundle.display())),
        Err(error) => Err(format!("codesign: {error}")),
    }
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
    let presets = preset_folder()?;
    let failed = |error: io::Error| format!("{}: {error}", presets.display());
    delete(&presets).map_err(failed)?;
    fs::create_dir_all(&presets).map_err(failed)?;
    let from = crate::root().join("packaging/vst3/presets").join(VENDOR);
    for entry in fs::read_dir(&from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        copy_all(&entry.path(), &presets.join(entry.file_name())).map_err(failed)?;
    }
    println!("installed {}", presets.display());
    println!("\nNow have the host look for new plugins:");
    println!("  Reaper   Preferences, Plug-ins, VST and CLAP: Re-scan");
    println!("  Bitwig   Settings, Locations: the folders are scanned on their own");
    println!("  Live     Settings, Plug-Ins: the folder above as VST3 custom folder, Rescan");
    println!("  Ardour   Window, Plugin Manager: Scan");
    Ok(())
}

fn remove() -> Result<(), String> {
    let bundles = BUNDLES.map(|Bundle { file, format }| Ok(folder(format)?.join(file)));
    for path in bundles.into_iter().chain([preset_folder()]) {
        let path = path?;
        match put_aside(&path) {
            Ok(true) => println!("removed {}", path.display()),
            Ok(false) => println!("{} is not there", path.display()),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        }
    }
    Ok(())
}

/// Copies beside the target first: a host that has the old one loaded keeps a whole file. Windows lets no one delete a library
/// that is loaded, but lets it be renamed: the old one is put aside and deleted next time.
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    let mut beside = to.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    delete(&beside)?;
    copy_all(from, &beside)?;
    put_aside(to)?;
    fs::rename(&beside, to)
}

/// Number of old bundles that may be in use at once.
const MAX_ASIDE: usize = 9;

/// Takes a file, a link or a folder away, and what was put aside before; false if there is none. What a program has in use is
/// left under another name.
fn put_aside(path: &Path) -> io::Result<bool> {
    let aside = |n: usize| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".old{n}"));
        PathBuf::from(name)
    };
    let mut free = None;
    for n in (1..=MAX_ASIDE).rev() {
        // in use still, it is tried again next time
        if delete(&aside(n)).is_ok() {
            free = Some(aside(n));
        }
    }
    if fs::symlink_metadata(path).is_err() {
        return Ok(false);
    }
    let Some(free) = free else {
        return Err(io::Error::other("old versions of it are in use; close all hosts"));
    };
    fs::rename(path, &free)?;
    // a program that has it loaded keeps it
    let _ = delete(&free);
    Ok(true)
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

/// Folder below that of presets, after the plugins' vendor.
const VENDOR: &str = "Stemlink";

/// The user's folder of our VST3 presets.
fn preset_folder() -> Result<PathBuf, String> {
    let home = |name: &str| {
        std::env::var_os(name).map(PathBuf::from).ok_or_else(|| format!("{name} is not set: whose folder?"))
    };
    Ok(match std::env::consts::OS {
        "windows" => home("USERPROFILE")?.join("Documents/VST3 Presets"),
        "macos" => home("HOME")?.join("Library/Audio/Presets"),
        _ => home("HOME")?.join(".vst3/presets"),
    }
    .join(VENDOR))
}

/// Build folder, in which our own program lies.
pub(crate) fn target_folder() -> Result<PathBuf, String> {
    let ourselves = std::env::current_exe().map_err(|error| format!("our own path: {error}"))?;
    ourselves.ancestors().nth(2).map(Path::to_owned).ok_or_else(|| "we lie in no build folder".to_owned())
}

/// Folder of the bundles.
fn bundled() -> Result<PathBuf, String> {
    Ok(target_folder()?.join("bundled"))
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

pub(crate) fn report(outcome: Result<(), String>) -> ExitCode {
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
        assert!(put_aside(&to).expect("deleted") && !put_aside(&to).expect("nothing there"));
        assert_eq!(fs::read_dir(&folder).expect("read").count(), 1, "nothing is left aside");
        fs::remove_dir_all(folder).expect("cleaned");
    }

    #[test]
    fn what_was_put_aside_goes_next_time() {
        let folder = std::env::temp_dir().join(format!("stemlink-xtask-aside-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("Stemlink.clap");
        for (file, text) in
            [("Stemlink.clap", "old"), ("Stemlink.clap.old1", "older"), ("Stemlink.clap.old3", "x")]
        {
            fs::write(folder.join(file), text).expect("a file");
        }
        assert!(put_aside(&path).expect("it goes"));
        assert_eq!(fs::read_dir(&folder).expect("read").count(), 0);
        fs::remove_dir_all(folder).expect("cleaned");
    }

    #[test]
    fn each_bundle_of_macos_has_its_identifier_and_the_version() {
        let made = "<dict>\n    <key>CFBundleIdentifier</key>\n    <string>com.nice-plug.stemlink</string>\n    \
                    <key>CFBundleName</key>\n    <string>Stemlink</string>\n    \
                    <key>CFBundleShortVersionString</key>\n    <string>1.0.0</string>\n    \
                    <key>CFBundleVersion</key>\n    <string>1.0.0</string>\n</dict>\n";
        let (clap, vst3) = (property_list(made, Format::Clap), property_list(made, Format::Vst3));
        assert!(clap.contains("<string>org.stemlink.clap</string>"), "{clap}");
        assert!(vst3.contains("<string>org.stemlink.vst3</string>"), "{vst3}");
        for list in [clap, vst3] {
            assert_eq!(list.matches(concat!("<string>", env!("CARGO_PKG_VERSION"), "</string>")).count(), 2);
            assert!(list.contains("<string>Stemlink</string>") && !list.contains("nice-plug"));
        }
    }
}
