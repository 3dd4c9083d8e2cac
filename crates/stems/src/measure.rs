//! `stems measure`: readings of files and folders.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use audiofile::Result;
use audiofile::error::shown;
use meter::loudness::MIN_RATE;
use project::bundle::audio_files;
use render::json::{COLUMNS, ReadingJson};
use render::measure::{Measured, measure};
use render::progress::Progress;
use render::verify::agree;
use serde::Serialize;

use crate::args::{Global, Measure};
use crate::common::Bar;
use crate::failure::{Failure, note};
use crate::outcome::{CommandResult, Outcome};
use crate::output;

#[derive(Serialize)]
struct MeasureJson<'a> {
    schema: &'static str,
    files: Vec<FileJson<'a>>,
}

#[derive(Serialize)]
struct FileJson<'a> {
    path: Cow<'a, str>,
    rate_hz: f64,
    channels: usize,
    frames: u64,
    reading: ReadingJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    second: Option<SecondJson>,
}

#[derive(Serialize)]
struct SecondJson {
    meter: &'static str,
    integrated_lufs: Option<f64>,
    loudness_range_lu: Option<f64>,
    true_peak_dbtp: Option<f64>,
    agrees: bool,
}

/// More would only wait for the disk, and each takes memory.
const MAX_THREADS: usize = 16;

/// A row of `--csv`, which has a reading's columns behind these.
type MeasureRow<'a> = (Cow<'a, str>, f64, usize, u64, [Option<f64>; COLUMNS.len()]);

/// The columns before the reading's.
const ROW: [&str; 4] = ["path", "rate_hz", "channels", "frames"];

pub(crate) fn run(args: &Measure, global: &Global) -> CommandResult {
    let (files, mut failed) = files(&args.paths);
    let mut measured = Vec::new();
    for (path, result) in files.iter().zip(measure_all(&files, args.verify, global)) {
        match result {
            Ok(result) => measured.push((path.clone(), result)),
            Err(error @ audiofile::Error::Interrupted { .. }) => return Err(error.into()),
            Err(error) => {
                Failure::from(error).print();
                failed = true;
            }
        }
    }
    let mut faults = false;
    for (path, result) in &measured {
        faults |= remark(path, result, args.verify);
    }
    let outcome = match (failed, faults) {
        (true, _) => Outcome::Partly,
        (false, true) => Outcome::Faults,
        (false, false) => Outcome::Clean,
    };
    print_results(outcome, &measured, global)
}

/// Measures every file, as many at once as there are processors; results in the order of the files.
fn measure_all(files: &[PathBuf], verify: bool, global: &Global) -> Vec<Result<Measured>> {
    let bar = Mutex::new(Bar::new(global));
    let sizes: Vec<u64> = files.iter().map(|path| path.metadata().map_or(0, |found| found.len())).collect();
    if files.len() > 1 {
        lock(&bar).begin(&format!("{} files", files.len()), sizes.iter().sum());
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut results = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = files.get(index) else { return results };
            let name = shown(Path::new(path.file_name().unwrap_or_default()));
            let mut share =
                Share { bar: &bar, alone: files.len() == 1, bytes: sizes[index], frames: 0, done: 0 };
            results.push((index, measure(path, verify, &name, &mut share)));
        }
    };
    let threads = available_parallelism().map_or(1, usize::from).min(files.len()).min(MAX_THREADS);
    let mut results = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut results = work();
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    });
    results.sort_by_key(|&(index, _)| index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The bar, also of a thread that panicked.
fn lock<'a>(bar: &'a Mutex<Bar>) -> MutexGuard<'a, Bar> {
    bar.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One file's share of a bar: of several files each counts for its bytes, because those are known without opening it.
struct Share<'a> {
    bar: &'a Mutex<Bar>,
    alone: bool,
    bytes: u64,
    frames: u64,
    done: u64,
}

impl Progress for Share<'_> {
    fn begin(&mut self, what: &str, frames: u64) {
        self.frames = frames.max(1);
        if self.alone {
            lock(self.bar).begin(what, frames);
        }
    }

    fn advance(&mut self, frames: u64) -> bool {
        let so_far = |done: u64| (u128::from(self.bytes) * u128::from(done) / u128::from(self.frames)) as u64;
        let bytes = so_far(self.done + frames) - so_far(self.done);
        self.done += frames;
        lock(self.bar).advance(if self.alone { frames } else { bytes })
    }
}

/// The files meant by `paths`, folders opened; true if one of them could not be.
fn files(paths: &[PathBuf]) -> (Vec<PathBuf>, bool) {
    let mut files = Vec::new();
    let mut failed = false;
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        match audio_files(path) {
            Ok(found) if found.is_empty() => {
                let line = format!(
                    "{}: holds no audio files; give a folder of WAV, FLAC or AIFF files",
                    shown(path)
                );
                Failure::new(line).print();
                failed = true;
            }
            Ok(found) => files.extend(found),
            Err(error) => {
                Failure::from(error).print();
                failed = true;
            }
        }
    }
    (files, failed)
}

/// Says what is to be known about a file; true if something is wrong with it.
fn remark(path: &Path, measured: &Measured, verify: bool) -> bool {
    let say = |line: String| note(&format!("{}: {line}", shown(path)));
    let mut wrong = false;
    for warning in &measured.info.warnings {
        say(warning.clone());
        wrong = true;
    }
    if measured.non_finite > 0 {
        say(format!(
            "{} samples are not numbers (NaN or infinite), counted as silence; export it again",
            measured.non_finite
        ));
        wrong = true;
    }
    if measured.layout.is_assumed() {
        say(format!("says nothing about its loudspeakers; measured as {}", measured.layout.name()));
    }
    if measured.info.rate.0 < MIN_RATE.0 {
        say(format!("{} Hz is below 8 kHz: peaks only, no loudness", measured.info.rate.0));
    }
    if verify {
        match &measured.second {
            Some(second) if !agree(&measured.reading, second) => {
                let figure = |v: Option<f64>| v.map_or("none".to_owned(), |v| format!("{v:.2}"));
                say(format!(
                    "the second meter (ebur128) disagrees: {} against {} LUFS, {} against {} dBTP; please report this file",
                    figure(second.integrated.map(|v| v.0)),
                    figure(measured.reading.integrated.map(|v| v.0)),
                    figure(second.true_peak.map(|v| v.0)),
                    figure(measured.reading.true_peak.map(|v| v.0)),
                ));
                wrong = true;
            }
            Some(_) => {}
            None => say("the second meter cannot measure this format; not verified".into()),
        }
    }
    wrong
}

fn print_results(outcome: Outcome, measured: &[(PathBuf, Measured)], global: &Global) -> CommandResult {
    if global.json {
        let files = measured.iter().map(|(path, m)| FileJson {
            path: path.to_string_lossy(),
            rate_hz: m.info.rate.0,
            channels: m.info.channels,
            frames: m.frames,
            reading: (&m.reading).into(),
            second: m.second.as_ref().map(|second| SecondJson {
                meter: "ebur128",
                integrated_lufs: second.integrated.map(|v| v.0),
                loudness_range_lu: second.range.map(|v| v.0),
                true_peak_dbtp: second.true_peak.map(|v| v.0),
                agrees: agree(&m.reading, second),
            }),
        });
        return output::json(outcome, &MeasureJson { schema: "stemlink.measure/1", files: files.collect() });
    }
    if global.csv {
        let rows: Vec<MeasureRow<'_>> = measured
            .iter()
            .map(|(path, m)| {
                let reading = ReadingJson::from(&m.reading).columns();
                (path.to_string_lossy(), m.info.rate.0, m.info.channels, m.frames, reading)
            })
            .collect();
        output::csv(&[&ROW[..], &COLUMNS].concat(), &rows)?;
        return Ok(outcome.into());
    }
    if measured.is_empty() {
        return Ok(outcome.into());
    }
    let mut rows = output::Rows::new(["file", "layout", "rate Hz"].into_iter().chain(output::READING), 2);
    for (path, m) in measured {
        let name = shown(Path::new(path.file_name().unwrap_or(path.as_os_str())));
        let head = [name, m.layout.name(), format!("{}", m.info.rate.0)];
        rows.push(head.into_iter().chain(output::reading(&m.reading)));
    }
    rows.print();
    Ok(outcome.into())
}
