//! `stems measure`: readings of files and folders.

mod history;
mod inputs;

use std::borrow::Cow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use audiofile::Result;
use audiofile::error::shown;
use meter::layout::Layout;
use meter::loudness::MIN_RATE;
use render::clock::clock;
use render::clock::clock_of;
use render::json::{COLUMNS, ReadingJson};
use render::measure::{MeasureOptions, Measured, measure_with};
use render::progress::Progress;
use render::small_file::SmallFile;
use render::verify::agree;
use serde::Serialize;

use crate::args::{Global, Measure};
use crate::common::Bar;
use crate::failure::{fault, note};
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};
use inputs::{Input, Inputs};

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
    maxima: MaximaJson,
    from_s: f64,
    dual_mono: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    second: Option<SecondJson>,
}

#[derive(Serialize)]
struct MaximaJson {
    momentary_max_at_s: Option<f64>,
    short_term_max_at_s: Option<f64>,
    true_peak_at_s: Option<f64>,
}

impl From<&Measured> for MaximaJson {
    fn from(measured: &Measured) -> Self {
        let times = measured.maxima;
        Self {
            momentary_max_at_s: times.momentary,
            short_term_max_at_s: times.short_term,
            true_peak_at_s: times.true_peak,
        }
    }
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
type MeasureRow<'a> =
    (Cow<'a, str>, f64, usize, u64, [Option<f64>; COLUMNS.len()], [Option<f64>; TIMES.len()]);

/// The columns before the reading's.
const ROW: [&str; 4] = ["path", "rate_hz", "channels", "frames"];
/// The columns behind the reading's.
const TIMES: [&str; 3] = ["momentary_max_at_s", "short_term_max_at_s", "true_peak_at_s"];

pub(crate) fn run(args: &Measure, global: &Global) -> CommandResult {
    let claim = args.history.as_deref().map(|path| SmallFile::claim(path, args.force)).transpose()?;
    let Inputs { files, mut failed } = Inputs::open(&args.paths);
    let options = MeasureOptions {
        verify: args.verify,
        second_range: args.verify,
        dual_mono: args.dual_mono,
        from: args.from,
        to: args.to,
        ceiling: None,
    };
    let mut measured = Vec::new();
    for (input, result) in files.iter().zip(measure_all(&files, &options, global)) {
        match result {
            Ok(result) => measured.push((input, result)),
            Err(error @ audiofile::Error::Interrupted { .. }) => return Err(error.into()),
            // In a folder it is one of the files that look like audio and are not read.
            Err(error @ audiofile::Error::Unsupported { .. }) if input.in_folder => fault(&error.to_string()),
            Err(error) => {
                input.failure(error).print();
                failed = true;
            }
        }
    }
    let mut faults = false;
    for (input, result) in &measured {
        faults |= remark(input, result, args.verify);
    }
    let outcome = match (failed, faults) {
        (true, _) => Outcome::Partly,
        (false, true) => Outcome::Faults,
        (false, false) => Outcome::Clean,
    };
    if let Some(claim) = claim {
        let names: Vec<Cow<'_, str>> =
            measured.iter().map(|(input, _)| input.name.to_string_lossy()).collect();
        let rows = names.iter().zip(&measured).flat_map(|(name, (_, m))| history::rows(name, m));
        let text = output::csv_text(&history::COLUMNS, &rows.collect::<Vec<_>>())?;
        claim.write(text.as_bytes())?;
    }
    print_results(outcome, &measured, global)
}

/// Measures every file, as many at once as there are processors; results in the order of the files.
fn measure_all(files: &[Input], options: &MeasureOptions, global: &Global) -> Vec<Result<Measured>> {
    let bar = Mutex::new(Bar::new(global));
    let sizes: Vec<u64> =
        files.iter().map(|input| input.path.metadata().map_or(0, |found| found.len())).collect();
    if files.len() > 1 {
        lock(&bar).begin(&format!("{} files", files.len()), sizes.iter().sum());
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut results = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(input) = files.get(index) else { return results };
            let name = shown(Path::new(input.name.file_name().unwrap_or_default()));
            let mut share =
                Share { bar: &bar, alone: files.len() == 1, bytes: sizes[index], frames: 0, done: 0 };
            results.push((index, measure_with(&input.path, options, &name, &mut share)));
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

/// Says what is to be known about a file; true if something is wrong with it.
fn remark(input: &Input, measured: &Measured, verify: bool) -> bool {
    let say = |line: String| note(&format!("{}: {line}", shown(&input.name)));
    let mut wrong = false;
    for warning in &measured.info.warnings {
        if input.is_pipe() && warning.starts_with("declares no length") {
            continue;
        }
        say(warning.clone());
        wrong = true;
    }
    if let Some(remark) = measured.info.lossy_remark() {
        say(remark);
    }
    if !measured.info.start_known {
        say("does not say how much its encoder has put in front of the audio; that was measured too".into());
    }
    if !wrong {
        reasons(measured).into_iter().for_each(say);
    }
    if measured.non_finite > 0 {
        say(format!(
            "{} samples are not numbers (NaN or infinite), counted as silence; export it again",
            measured.non_finite
        ));
        wrong = true;
    }
    if let Some(beyond) = &measured.beyond {
        say(format!(
            "{} beyond +24 dBFS, the first at {}: {}",
            if beyond.samples == 1 {
                "one sample lies".into()
            } else {
                format!("{} samples lie", beyond.samples)
            },
            clock(beyond.first, measured.info.rate),
            if beyond.is_misscaled {
                "integers written as float, or no audio; export it again with peaks below 0 dBFS"
            } else {
                "no audio; export it again"
            }
        ));
        wrong = true;
    }
    if measured.info.channels == 1 && measured.layout == Layout::mono() {
        say("is mono, measured as one channel: from both sides of a stereo mix it is 3.0 LU louder (--dual-mono)".into());
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

/// Why a value of the reading does not exist, where it is not plain.
fn reasons(measured: &Measured) -> Vec<String> {
    let Measured { info, reading, frames, .. } = measured;
    let seconds = *frames as f64 / info.rate.0;
    let mut reasons = Vec::new();
    if info.rate.0 < MIN_RATE.0 || *frames == 0 {
        return reasons; // said elsewhere
    }
    if reading.sample_peak.is_none() {
        reasons.push("is silent: there is no loudness and no peak".into());
    } else if seconds < 0.4 {
        reasons.push(format!("is {seconds:.2} s long: loudness needs 0.4 s, its range 3 s"));
    } else if reading.integrated.is_none() {
        reasons.push("never rises above -70 LUFS, the gate of integrated loudness: there is none".into());
    } else if seconds < 3.0 {
        reasons.push(format!("is {seconds:.2} s long: short-term loudness and loudness range need 3 s"));
    } else if reading.range.is_none() {
        reasons.push("never rises above -70 LUFS for 3 s, the gate of loudness range: there is none".into());
    }
    reasons
}

fn print_results(outcome: Outcome, measured: &[(&Input, Measured)], global: &Global) -> CommandResult {
    if global.json {
        let files = measured.iter().map(|(input, m)| FileJson {
            path: input.name.to_string_lossy(),
            rate_hz: m.info.rate.0,
            channels: m.info.channels,
            frames: m.frames,
            reading: (&m.reading).into(),
            maxima: m.into(),
            from_s: m.start,
            dual_mono: m.layout == Layout::dual_mono(),
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
            .map(|(input, m)| {
                let reading = ReadingJson::from(&m.reading).columns();
                let times = [m.maxima.momentary, m.maxima.short_term, m.maxima.true_peak];
                (input.name.to_string_lossy(), m.info.rate.0, m.info.channels, m.frames, reading, times)
            })
            .collect();
        output::csv(&[&ROW[..], &COLUMNS, &TIMES].concat(), &rows)?;
        return Ok(outcome.into());
    }
    if measured.is_empty() {
        return Ok(outcome.into());
    }
    print_tables(measured);
    Ok(outcome.into())
}

/// The columns of the formats.
const FORMAT: [&str; 2] = ["layout", "rate Hz"];
/// The columns of the times of maxima.
const MAXIMA: [&str; 3] = ["max M at", "max S at", "TP at"];

/// Prints one table, or two where the terminal is too narrow for one: the readings, and formats and times.
fn print_tables(measured: &[(&Input, Measured)]) {
    let mut all =
        output::Rows::new(["file"].into_iter().chain(FORMAT).chain(output::READING).chain(MAXIMA), 2);
    let mut readings = output::Rows::new(["file"].into_iter().chain(output::READING), 1);
    let mut others = output::Rows::new(["file"].into_iter().chain(FORMAT).chain(MAXIMA), 2);
    for (input, m) in measured {
        let name =
            || [shown(Path::new(input.name.file_name().unwrap_or(input.name.as_os_str())))].into_iter();
        let format = || [m.layout.name(), format!("{}", m.info.rate.0)];
        let time = |time: Option<f64>| time.map_or("-".to_owned(), clock_of);
        let times = || [m.maxima.momentary, m.maxima.short_term, m.maxima.true_peak].map(time);
        all.push(name().chain(format()).chain(output::reading(&m.reading)).chain(times()));
        readings.push(name().chain(output::reading(&m.reading)));
        others.push(name().chain(format()).chain(times()));
    }
    if output::terminal_width().is_none_or(|width| all.width() <= width) {
        return all.print();
    }
    readings.print();
    say!("");
    others.print();
}
