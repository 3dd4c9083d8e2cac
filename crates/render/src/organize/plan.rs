//! Plan of the new folder: files that belong together, their roles and names.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::drift::drift;
use crate::progress::Progress;
use crate::rates::usual_rate_near;
use crate::sums::{SumSource, describe, find_sums, sketches};
use audiofile::error::{Error, Result, shown};
use audiofile::{AudioInfo, AudioReader, is_stem_file, stem_streams};
use project::bundle::{audio_files, called_mixes, has_audio_ending, holds_stems, natural, stem_name, words};
use project::names::ascii_words;
use project::unread::{out_of_time, unread, unsupported};
use session::role::Role;
use units::Hz;

/// Folders below that are looked into.
const MAX_DEPTH: usize = 8;
/// More files than any session has.
const MAX_FILES: usize = 2000;

/// A file that becomes a stem, or a part of one.
#[derive(Clone, Debug)]
pub(super) struct FilePart {
    pub(super) path: PathBuf,
    pub(super) info: AudioInfo,
    /// Its side, if it is one half of a pair of mono files.
    pub(super) side: Option<usize>,
    /// Seconds after the earliest file, by time reference.
    pub(super) late: f64,
    /// Frames by which it runs away from the mix for each of its frames, to be taken out.
    pub(super) drift: f64,
}

/// A file to be.
#[derive(Clone, Debug)]
pub(super) struct FileGroup {
    /// Its name without number and ending.
    pub(super) name: String,
    /// Its role; none for a mix.
    pub(super) role: Option<Role>,
    pub(super) parts: Vec<FilePart>,
}

impl FileGroup {
    pub(super) fn channels(&self) -> usize {
        if self.parts.iter().any(|part| part.side.is_some() || part.info.channels == 2) { 2 } else { 1 }
    }
}

/// The audio files of a folder and those below, links to folders not followed.
/// Those that look like audio and are not read are told in `left_out`.
pub(super) fn files(dir: &Path, left_out: &mut Vec<String>) -> Result<Vec<PathBuf>> {
    if !dir.is_dir() && holds_stems(dir) {
        return audio_files(dir);
    }
    let mut files = Vec::new();
    let mut folders = vec![(dir.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(Error::open(&folder))? {
            let entry = entry.map_err(Error::open(&folder))?;
            let path = entry.path();
            // "._Kick.wav" is no audio but what a Mac leaves on other disks; "__MACOSX" holds only such.
            let name = entry.file_name().to_string_lossy().into_owned();
            let unread = unread(&path);
            if (name.starts_with('.') && unread.is_none()) || name == "__MACOSX" {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if depth < MAX_DEPTH {
                    folders.push((path, depth + 1));
                }
            } else if is_stem_file(&path) && path.is_file() {
                files.extend(stem_streams(&path)?);
            } else if let Some(unread) = unread {
                left_out.push(format!("{} (left out)", unread.line()));
            } else if path.is_file() && has_audio_ending(&path) {
                files.push(path);
            }
            if files.len() > MAX_FILES {
                return Err(Error::Bundle {
                    path: dir.to_owned(),
                    fault: format!("holds more than {MAX_FILES} audio files"),
                    cure: "give the folder of one song".into(),
                });
            }
        }
    }
    files.sort_by_cached_key(|path| {
        path.strip_prefix(dir).unwrap_or(path).iter().map(|part| natural(Path::new(part))).collect::<Vec<_>>()
    });
    if files.is_empty() {
        return Err(Error::Bundle {
            path: dir.to_owned(),
            fault: "holds no audio files".into(),
            cure: "give a folder of WAV, FLAC or AIFF files".into(),
        });
    }
    Ok(files)
}

/// Opens the files and groups them: pairs of mono files, one file each, or with `sum` all of one role. What cannot be
/// taken is told in `left_out`.
pub(super) fn groups(
    dir: &Path,
    files: Vec<PathBuf>,
    sum: bool,
    left_out: &mut Vec<String>,
    progress: &mut dyn Progress,
) -> Result<Vec<FileGroup>> {
    let mut groups: Vec<FileGroup> = Vec::new();
    let called = called_mixes(&files);
    let names: Vec<String> = files.iter().map(|path| stem_name(path)).collect();
    let roles = Role::guess_all(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for ((path, mix), own) in files.into_iter().zip(called).zip(roles) {
        let info = match AudioReader::open(&path) {
            Ok(reader) => reader.info().clone(),
            Err(error) => {
                left_out.push(format!("{} (left out)", unsupported(error)?.line()));
                continue;
            }
        };
        if info.channels > 2 || info.frames == 0 {
            let why = if info.frames == 0 {
                "holds no audio".into()
            } else {
                format!("has {} channels", info.channels)
            };
            left_out.push(format!("{}: {why} and is left out; export it in mono or stereo", shown(&path)));
            continue;
        }
        if let Some(unread) = out_of_time(&path, &info) {
            left_out.push(format!("{} (left out)", unread.line()));
            continue;
        }
        let (name, side) = half(&path, info.channels);
        let (name, role) = if mix { ("Mix".to_owned(), None) } else { named(dir, &path, name, own) };
        let part = FilePart { path, info, side, late: 0.0, drift: 0.0 };
        match groups.iter_mut().find(|group| belongs(&part, &name, group)) {
            Some(group) => group.parts.push(part),
            None => groups.push(FileGroup { name, role, parts: vec![part] }),
        }
    }
    // Half a pair is no pair.
    for group in groups.iter_mut().filter(|group| group.parts.len() == 1) {
        if group.parts[0].side.take().is_some() && group.role.is_some() {
            let path = &group.parts[0].path;
            let own = stem_name(path);
            let role = Role::guess(&own);
            (group.name, group.role) = named(dir, path, own, role);
        }
    }
    take_sums(&mut groups, left_out, progress)?;
    if sum {
        groups = summed(groups);
    }
    // In the order of the roles, each in the order of the names; mixes first.
    groups.sort_by_key(|group| group.role.map(|role| Role::ALL.iter().position(|r| *r == role)));
    let mut taken = HashSet::new();
    for group in &mut groups {
        let base = group.name.clone();
        let mut n = 1;
        while !taken.insert(group.name.to_lowercase()) {
            n += 1;
            group.name = format!("{base} {n}");
        }
    }
    Ok(groups)
}

/// Makes the stem that is the sum of all others a mix, and leaves out those that are the sum of some.
fn take_sums(
    groups: &mut Vec<FileGroup>,
    left_out: &mut Vec<String>,
    progress: &mut dyn Progress,
) -> Result<()> {
    let rate = usual_rate(groups);
    let of_rate = |group: &FileGroup| group.parts.iter().all(|part| part.info.rate == rate);
    let is_stem = |group: &FileGroup| group.role.is_some() && of_rate(group);
    let stems: Vec<usize> = (0..groups.len()).filter(|&n| is_stem(&groups[n])).collect();
    let parts: Vec<Vec<FilePart>> = stems.iter().map(|&n| groups[n].parts.clone()).collect();
    let frames = parts.iter().flatten().map(|part| part.info.frames).max().unwrap_or(0);
    let sources: Vec<SumSource<'_>> = parts.iter().map(|parts| source(parts)).collect();
    if sources.len() < 3 {
        return Ok(());
    }
    let sums = find_sums(&sketches(&sources, frames, rate, progress)?, &sources, progress)?;
    let mut out = Vec::new();
    for sum in &sums {
        let group = stems[sum.file];
        if sum.is_mix {
            groups[group].role = None;
            groups[group].name = "Mix".into();
            continue;
        }
        let what = describe(sum, |member| groups[stems[member]].name.clone());
        left_out.push(format!(
            "{}: is {what} and is left out; leave those out instead if they are not wanted",
            shown(sources[sum.file].path())
        ));
        out.push(group);
    }
    out.sort_unstable();
    out.into_iter().rev().for_each(|group| drop(groups.remove(group)));
    Ok(())
}

/// A group as one sound: a file, or the two sides of a pair.
fn source(parts: &[FilePart]) -> SumSource<'_> {
    match parts {
        [one, other, ..] if one.side == Some(1) => SumSource::pair([&other.path, &one.path]),
        [one, other, ..] => SumSource::pair([&one.path, &other.path]),
        parts => SumSource::file(&parts[0].path),
    }
}

/// True if `part` is the other half of a pair of which `group` is the first.
fn belongs(part: &FilePart, name: &str, group: &FileGroup) -> bool {
    let [first] = group.parts.as_slice() else { return false };
    let other = matches!((first.side, part.side), (Some(0), Some(1)) | (Some(1), Some(0)));
    other
        && group.name == name
        && first.path.parent() == part.path.parent()
        && first.info.rate == part.info.rate
}

/// The name, and the side, if a mono file's name ends with one.
fn half(path: &Path, channels: usize) -> (String, Option<usize>) {
    let mut all = words(path);
    let alone = all.len() == 1;
    let Some(last) = all.pop().filter(|_| channels == 1) else { return (stem_name(path), None) };
    let side = match last.to_lowercase().as_str() {
        "l" | "left" | "lt" if !alone => Some(0),
        "r" | "right" | "rt" if !alone => Some(1),
        _ => None,
    };
    if let Some(side) = side {
        return (stem_name(Path::new(&all.join("_"))), Some(side));
    }
    // "SynthL", "Tom 1R": a large letter behind a small one or a digit.
    let (front, side) = match (last.strip_suffix('L'), last.strip_suffix('R')) {
        (Some(front), _) => (front, 0),
        (_, Some(front)) => (front, 1),
        _ => return (stem_name(path), None),
    };
    if !front.ends_with(|c: char| c.is_lowercase() || c.is_ascii_digit()) {
        return (stem_name(path), None);
    }
    all.push(front.to_owned());
    (stem_name(Path::new(&all.join("_"))), Some(side))
}

/// The name that a stem shall have and its role: `role` from its own name, else from that of its folder.
fn named(dir: &Path, path: &Path, name: String, role: Role) -> (String, Option<Role>) {
    if role != Role::Other {
        return (clean(&name), Some(role));
    }
    let folder = path.parent().filter(|folder| *folder != dir).and_then(Path::file_name);
    let folder = folder.map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
    match Role::guess(&folder) {
        Role::Other => (clean(&name), Some(Role::Other)),
        role => (clean(&format!("{folder} {name}")), Some(role)),
    }
}

/// Words of ASCII letters and digits, no longer than a file name may be.
fn clean(name: &str) -> String {
    let name: String = ascii_words(name).chars().take(40).collect();
    if name.is_empty() { "Track".into() } else { name.trim().into() }
}

/// One group for each role; mixes stay apart.
fn summed(groups: Vec<FileGroup>) -> Vec<FileGroup> {
    let mut sums: Vec<FileGroup> = Vec::new();
    for group in groups {
        let same = sums.iter_mut().find(|sum| sum.role.is_some() && sum.role == group.role);
        match (same, group.role) {
            (Some(sum), _) => sum.parts.extend(group.parts),
            (None, None) => sums.push(group),
            (None, Some(role)) => sums.push(FileGroup { name: title(role).into(), ..group }),
        }
    }
    sums
}

/// The name of a stem of that role.
pub fn title(role: Role) -> &'static str {
    match role {
        Role::Drums => "Drums",
        Role::Bass => "Bass",
        Role::Keys => "Keys",
        Role::Vocals => "Vocals",
        Role::Backing => "Backing Vocals",
        Role::Fx => "FX",
        Role::Other => "Other",
    }
}

/// The rate of most files, the higher of equals; the nearest usual one if that is odd.
pub(super) fn usual_rate(groups: &[FileGroup]) -> Hz {
    let rates: Vec<f64> = groups.iter().flat_map(|group| &group.parts).map(|part| part.info.rate.0).collect();
    let count = |rate: f64| rates.iter().filter(|r| **r == rate).count();
    let best = rates
        .iter()
        .copied()
        .max_by(|a, b| (count(*a), a).partial_cmp(&(count(*b), b)).expect("rates are numbers"));
    usual_rate_near(Hz(best.unwrap_or(48_000.0)))
}

/// Finds the parts that drift against the mix, if there is one.
///
/// # Errors
/// If a file cannot be read.
pub(super) fn find_drifts(groups: &mut [FileGroup]) -> Result<()> {
    let mixes = groups.iter().filter(|group| group.role.is_none()).flat_map(|group| &group.parts);
    let mut mixes: Vec<PathBuf> = mixes.map(|part| part.path.clone()).collect();
    let (Some(mix), true) = (mixes.pop(), mixes.is_empty()) else { return Ok(()) };
    for part in groups.iter_mut().filter(|group| group.role.is_some()).flat_map(|group| &mut group.parts) {
        part.drift = drift(&part.path, &mix)?.map_or(0.0, |drift| drift.rate);
    }
    Ok(())
}

/// Places the parts by their time references: returns that of the earliest in seconds, or why they cannot be placed.
pub(super) fn align(groups: &mut [FileGroup]) -> std::result::Result<Option<f64>, String> {
    let at =
        |part: &FilePart| part.info.bext.as_ref().map(|bext| bext.time_reference as f64 / part.info.rate.0);
    let parts = || groups.iter().flat_map(|group| &group.parts);
    let times: Vec<f64> = parts().filter_map(at).collect();
    let earliest = times.iter().copied().fold(f64::INFINITY, f64::min);
    let latest = times.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if times.is_empty() {
        return Ok(None);
    }
    if earliest == latest {
        return Ok(Some(earliest));
    }
    if times.len() < parts().count() {
        return Err(
            "some files have a time reference and some have none, so none was used; check the starts".into(),
        );
    }
    let longest = parts().map(|part| part.info.frames as f64 / part.info.rate.0).fold(0.0, f64::max);
    if latest - earliest > longest {
        return Err(format!(
            "time references lie {:.1} s apart, more than the song is long, so none was used; check the starts",
            latest - earliest
        ));
    }
    for part in groups.iter_mut().flat_map(|group| &mut group.parts) {
        part.late = at(part).map_or(0.0, |time| time - earliest);
    }
    Ok(Some(earliest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_and_names_are_told_from_file_names() {
        assert_eq!(half(Path::new("03 Kick.L.wav"), 1), ("Kick".into(), Some(0)));
        assert_eq!(half(Path::new("Piano_Right.wav"), 1), ("Piano".into(), Some(1)));
        assert_eq!(half(Path::new("Piano_R.wav"), 2), ("Piano R".into(), None));
        assert_eq!(half(Path::new("L.wav"), 1), ("L".into(), None));
        assert_eq!(half(Path::new("SynthL.wav"), 1), ("Synth".into(), Some(0)));
        assert_eq!(half(Path::new("04 Tom 1R.wav"), 1), ("Tom 1".into(), Some(1)));
        assert_eq!(half(Path::new("Str.Lt.wav"), 1), ("Str".into(), Some(0)));
        assert_eq!(half(Path::new("VOCAL.wav"), 1), ("VOCAL".into(), None));
        assert_eq!(half(Path::new("SynthL.wav"), 2), ("SynthL".into(), None));
        let name = |path: &str| {
            let own = stem_name(Path::new(path));
            let role = Role::guess(&own);
            named(Path::new("/in"), Path::new(path), own, role)
        };
        assert_eq!(name("/in/Audio 3.wav"), ("Audio 3".into(), Some(Role::Other)));
        assert_eq!(name("/in/Drums/Audio 3.wav"), ("Drums Audio 3".into(), Some(Role::Drums)));
        assert_eq!(name("/in/Drums/Bass DI.wav"), ("Bass DI".into(), Some(Role::Bass)));
        assert_eq!(clean("../../etc/passwd\n\u{202e}"), "etc passwd");
        assert_eq!(clean("///"), "Track");
    }
}
