//! `stems batch`: a delivery for each of many folders, several at once, one line of JSON for each. Started again after it was
//! stopped, it makes what is missing.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use audiofile::Error;
use audiofile::error::shown;
use project::bundle::Bundle;
use project::names::file_name_from;
use project::session::Session;
use project::session_file::FILE_NAME;
use render::deliver::{MANIFEST, Manifest, deliver as make_all, is_finished};
use render::json::ReadingJson;
use render::sums::leave_out_sums;
use serde::{Deserialize, Serialize};
use session::target::NormalizationTarget;

use crate::args::{Batch, Global};
use crate::common::{self, Bar, OutputFolder};
use crate::deliver::DeliverySource;
use crate::failure::{Failure, note};
use crate::outcome::{CommandResult, Outcome};
use crate::output::say;
use crate::{deliver, master};

/// Lies in a folder that a batch is filling: what is in it may be replaced.
const MARK: &str = ".stems-batch";

/// A line of the list.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The folder of stems.
    dir: PathBuf,
    /// The folder to fill, in that of the batch.
    #[serde(default)]
    name: String,
    /// Another session file than the folder's own.
    session: Option<PathBuf>,
    /// Another target than the batch's.
    target: Option<String>,
}

/// The result for one folder, a line of JSON.
#[derive(Serialize)]
struct BatchLine<'a> {
    schema: &'static str,
    bundle: &'a str,
    dir: String,
    out: String,
    status: &'static str,
    seconds: f64,
    files: usize,
    reading: Option<ReadingJson>,
    null_dbfs: Option<f64>,
    null_pass_dbfs: Option<f64>,
    warnings: Vec<String>,
    error: Option<String>,
}

pub(crate) fn run(args: &Batch, global: &Global) -> CommandResult {
    let table = common::targets(global)?;
    let entries = read(&args.list)?;
    std::fs::create_dir_all(&args.out).map_err(Error::write(&args.out))?;
    let next = AtomicUsize::new(0);
    let worst = Mutex::new(Outcome::Clean);
    let jobs = args.jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, |n| n.get()));
    let work = || {
        while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
            if common::is_interrupted() {
                break;
            }
            let outcome = one(entry, args, &table);
            let mut worst = worst.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            *worst = worst.worse(outcome);
        }
    };
    let done = thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.min(entries.len())).map(|_| scope.spawn(work)).collect();
        workers.into_iter().all(|worker| worker.join().is_ok())
    });
    if common::is_interrupted() || !done {
        return Err(Failure::new(format!("{}: interrupted; run it again to go on", shown(&args.list))));
    }
    let worst = *worst.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    Ok(worst.into())
}

/// Reads the list: a folder, or an object, on each line; paths from where the list lies.
fn read(list: &Path) -> Result<Vec<Entry>, Failure> {
    let text = project::text_file::read(list)?;
    let base = list.parent().unwrap_or(Path::new(""));
    let fault = |line: usize, fault: String, cure: &str| {
        Failure::new(format!("{}: line {}: {fault}; {cure}", shown(list), line + 1))
    };
    let mut entries: Vec<Entry> = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut entry = if line.starts_with('{') {
            serde_json::from_str(line).map_err(|error| {
                fault(
                    n,
                    error.to_string(),
                    "write {\"dir\": \"...\"}, with name, session and target if you like",
                )
            })?
        } else {
            Entry { dir: line.into(), name: String::new(), session: None, target: None }
        };
        entry.dir = base.join(entry.dir);
        entry.session = entry.session.map(|session| base.join(session));
        entry.name =
            file_name_from(&if entry.name.is_empty() { common::song_name(&entry.dir) } else { entry.name });
        if let Some(twin) =
            entries.iter().find(|other| other.name.to_lowercase() == entry.name.to_lowercase())
        {
            let twin = format!("{:?} is the name of {} too", entry.name, shown(&twin.dir));
            return Err(fault(n, twin, "give one of them another \"name\""));
        }
        entries.push(entry);
    }
    if entries.is_empty() {
        return Err(Failure::new(format!("{}: lists no folder; write one on each line", shown(list))));
    }
    Ok(entries)
}

/// Delivers one folder and says what became of it.
fn one(entry: &Entry, args: &Batch, table: &[NormalizationTarget]) -> Outcome {
    let out = args.out.join(&entry.name);
    let began = Instant::now();
    let mut line = BatchLine {
        schema: "stemlink.batch/1",
        bundle: &entry.name,
        dir: entry.dir.to_string_lossy().into_owned(),
        out: out.to_string_lossy().into_owned(),
        status: "failed",
        seconds: 0.0,
        files: 0,
        reading: None,
        null_dbfs: None,
        null_pass_dbfs: None,
        warnings: Vec::new(),
        error: None,
    };
    let outcome = match make(entry, &out, args, table, &mut line.warnings) {
        Ok(Made { manifest, fresh, faults }) => {
            let found = if faults.is_empty() { Outcome::Clean } else { Outcome::Faults };
            let outcome = deliver::judge(&manifest).worse(found);
            line.warnings.extend(faults);
            line.status = match (outcome, fresh) {
                (Outcome::Clean, true) => "done",
                (Outcome::Clean, false) => "finished_before",
                _ => "faults",
            };
            line.files = manifest.deliverables.len();
            line.reading = manifest.deliverables.first().map(|master| master.reading);
            (line.null_dbfs, line.null_pass_dbfs) = (manifest.null_dbfs, manifest.null_pass_dbfs);
            line.warnings.extend(manifest.warnings);
            outcome
        }
        Err(failure) => {
            line.error = Some(failure.line().to_owned());
            Outcome::Partly
        }
    };
    line.seconds = began.elapsed().as_secs_f64();
    match serde_json::to_string(&line) {
        Ok(text) => say!("{text}"),
        Err(error) => note(&format!("{}: JSON: {error}", entry.name)),
    }
    outcome
}

/// A folder's delivery.
struct Made {
    manifest: Manifest,
    /// It was made now.
    fresh: bool,
    /// Faults of the folder, a line each.
    faults: Vec<String>,
}

/// Makes a folder's delivery, unless it is there.
fn make(
    entry: &Entry,
    out: &Path,
    args: &Batch,
    table: &[NormalizationTarget],
    warnings: &mut Vec<String>,
) -> Result<Made, Failure> {
    let mut bundle = Bundle::open(&entry.dir, None)?;
    if entry.session.is_none() && !entry.dir.join(FILE_NAME).is_file() {
        warnings.extend(leave_out_sums(&mut bundle, &mut Bar::hidden())?);
    }
    let (session, session_file) = Session::open(&mut bundle, entry.session.as_deref())?;
    warnings.extend(session.notes.iter().cloned());
    let files = bundle.stems.iter();
    let read = files.flat_map(|stem| {
        stem.info.warnings.iter().map(|warning| format!("{}: {warning}", shown(&stem.path)))
    });
    let faults: Vec<String> = bundle.unread.iter().map(common::left_out).chain(read).collect();
    if !args.what.pad {
        bundle.same_length()?;
    }
    let mut bar = Bar::hidden();
    let target = entry.target.as_deref().or(args.target.as_deref());
    let target = master::target(target, &session, table, out)?;
    let source = DeliverySource { dir: &entry.dir, bundle: &bundle, session: &session, session_file };
    let settings = deliver::settings(&session.deliver, &args.what);
    let mut job = source.job(&settings, &args.what, out, target);
    let mark = out.join(MARK);
    if !args.force && is_finished(&job, &mut bar)? {
        let manifest = Manifest::read(&out.join(MANIFEST))?;
        // a batch may have ended after the last file and before this
        let _ = std::fs::remove_file(&mark);
        return Ok(Made { manifest, fresh: false, faults });
    }
    // A folder of ours: one that a batch began, or whose delivery is of something else than is wanted now.
    job.overwrite = args.force || mark.exists() || out.join(MANIFEST).exists();
    let _folder = OutputFolder::create(out)?;
    std::fs::write(&mark, "").map_err(|source| Error::Write { path: mark.clone(), source })?;
    let result = make_all(&job, &mut bar);
    let _ = std::fs::remove_file(&mark); // what is left marked may be replaced: no harm
    Ok(Made { manifest: result?, fresh: true, faults })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_holds_folders_and_objects() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let list = folder.path().join("list");
        let entries = |text: &str| {
            std::fs::write(&list, text).expect("writes");
            read(&list).map_err(|failure| failure.line().to_owned())
        };
        let read = entries(
            "# songs\nOne\n\n{\"dir\": \"/abs/One\", \"name\": \"../Two\", \"target\": \"spotify\"}\n",
        )
        .expect("is a list");
        assert_eq!((read[0].dir.clone(), read[0].name.as_str()), (folder.path().join("One"), "One"));
        assert_eq!((read[1].dir.as_path(), read[1].name.as_str()), (Path::new("/abs/One"), "_Two"));
        for (text, word) in [
            ("", "lists no folder"),
            ("a/Song\nb/song\n", "line 2: \"song\" is the name of"),
            ("{\"dir\": 3}", "line 1"),
            ("{\"dir\": \"a\", \"foo\": 1}", "foo"),
        ] {
            let line = entries(text).expect_err(text);
            assert!(line.contains(word) && line.contains("; "), "{line}");
        }
    }
}
