//! Shared by commands: interruption, progress, opening of bundles with their sessions, output folders.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use audiofile::Error;
use audiofile::error::shown;
use audiofile::is_stem_file;
use indicatif::{ProgressBar, ProgressStyle};
use project::bundle::Bundle;
use project::names::name_text_from;
use project::session::Session;
use project::session_file::FILE_NAME;
use project::target_file;
use project::unread::{UnreadFile, folders_of_audio};
use render::progress::Progress;
use render::sums::leave_out_sums;
use session::target::NormalizationTarget;

use crate::args::Global;
use crate::failure::{Failure, fault, note};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Turns Ctrl-C (and termination) into a flag that long work asks for: it stops, cleans up and fails.
pub(crate) fn catch_interrupts() {
    // If no handler can be set, the signal ends the process as usual; unfinished files are nameless or temporary.
    let _ = ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed));
}

/// True after Ctrl-C, or when the process is to end.
pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// A progress bar on a terminal, else nothing; stops the work after Ctrl-C.
pub(crate) struct Bar {
    bar: ProgressBar,
    shown: bool,
}

impl Bar {
    pub(crate) fn new(global: &Global) -> Self {
        Self { bar: ProgressBar::hidden(), shown: !global.quiet && std::io::stderr().is_terminal() }
    }

    /// No bar: it only stops the work after Ctrl-C.
    pub(crate) fn hidden() -> Self {
        Self { bar: ProgressBar::hidden(), shown: false }
    }
}

impl Progress for Bar {
    fn begin(&mut self, what: &str, steps: u64) {
        self.bar.finish_and_clear();
        if !self.shown {
            return;
        }
        let style = ProgressStyle::with_template("{msg:>20} {wide_bar} {percent:>3} % {eta:>4}")
            .expect("the template is valid");
        self.bar = ProgressBar::new(steps).with_style(style).with_message(what.to_owned());
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }

    fn advance(&mut self, steps: u64) -> bool {
        self.bar.inc(steps);
        !is_interrupted()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Opens a folder of stems with its session, and says on stderr what was left out and which session is used.
pub(crate) fn open(
    dir: &Path,
    mix: Option<&Path>,
    session: Option<&Path>,
) -> Result<(Bundle, Session, Option<PathBuf>), Failure> {
    let mut bundle = Bundle::open(dir, mix)?;
    let named = bundle.mixes.len();
    if session.is_none() && !dir.join(FILE_NAME).is_file() {
        leave_out_sums(&mut bundle, &mut Bar::hidden())?.iter().for_each(|line| note(line));
    }
    for path in &bundle.mixes[..named] {
        note(&format!("{} is left out: its name says it is no stem", shown(path)));
    }
    name_unread(&bundle);
    for (path, count) in folders_of_audio(dir)? {
        let files = if count == 1 { "an audio file".into() } else { format!("{count} audio files") };
        note(&format!(
            "{}: holds {files} and is not looked into; stems organize would take them",
            shown(&path)
        ));
    }
    warn_of_files(&bundle);
    let (session, file) = Session::open(&mut bundle, session)?;
    if let Some(file) = &file {
        note(&format!("using {}", shown(file)));
    }
    session.notes.iter().for_each(|line| note(line));
    Ok((bundle, session, file))
}

/// A bundle of one file: traditional mastering.
pub(crate) fn single(path: &Path) -> Result<Bundle, Failure> {
    let bundle = Bundle::single(path)?;
    warn_of_files(&bundle);
    Ok(bundle)
}

/// Names the files of the folder that look like audio and are not read: each is a fault.
pub(crate) fn name_unread(bundle: &Bundle) {
    bundle.unread.iter().for_each(|file| fault(&left_out(file)));
}

/// The line of a file that is not read.
pub(crate) fn left_out(file: &UnreadFile) -> String {
    format!("{}: {} and is left out; {}", shown(&file.path), file.fault, file.cure)
}

/// Says what the readers found: faults of a file, and what a codec has taken away.
fn warn_of_files(bundle: &Bundle) {
    for stem in &bundle.stems {
        stem.info.warnings.iter().for_each(|warning| fault(&format!("{}: {warning}", shown(&stem.path))));
        if let Some(remark) = stem.info.lossy_remark() {
            note(&format!("{}: {remark}", shown(&stem.path)));
        }
    }
}

/// The table of targets with the user's own.
pub(crate) fn targets(global: &Global) -> Result<Vec<NormalizationTarget>, Failure> {
    let own = || {
        use etcetera::BaseStrategy;
        let folder = etcetera::choose_base_strategy().ok()?.config_dir();
        Some(folder.join("stemlink").join("targets.toml")).filter(|path| path.is_file())
    };
    let file = global.targets_file.clone().or_else(own);
    Ok(target_file::targets(file.as_deref())?)
}

/// The name of the song: that of its folder or file, fit to begin a file name.
pub(crate) fn song_name(dir: &Path) -> String {
    let path = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
    let name = name.map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let stem_file = is_stem_file(&path) && path.is_file();
    name_text_from(if stem_file { name.trim_end_matches(".stem") } else { &name })
}

/// A folder for results. Dropped, it takes back the folders that it made, as far as they are still empty: after a failure
/// nothing is left behind.
pub(crate) struct OutputFolder {
    /// The folders that were not there, innermost first.
    created: Vec<PathBuf>,
}

impl OutputFolder {
    pub(crate) fn create(out: &Path) -> Result<Self, Failure> {
        let new = out.ancestors().filter(|path| !path.as_os_str().is_empty());
        let created = new.take_while(|path| !path.is_dir()).map(Path::to_owned).collect();
        std::fs::create_dir_all(out).map_err(Error::write(out))?;
        Ok(Self { created })
    }
}

impl Drop for OutputFolder {
    fn drop(&mut self) {
        let _ = self.created.iter().try_for_each(std::fs::remove_dir); // fails where something is in it
    }
}
