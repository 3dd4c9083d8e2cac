//! Loader of reference files: a thread that measures them, resamples them to the plugin's rate and lists folders, so that
//! no window waits for a disk. It ends when its window closes.

use super::audio_files;
use audiofile::resample::{Converted, Endless, converted_frames};
use audiofile::{AudioReader, BLOCK, Error, Result};
use meter::Meter;
use meter::layout::Layout;
use meter::loudness::windows;
use plugin_core::reference_clip::ReferenceClip;
use plugin_core::references::{FolderListing, ReferenceReadings};
use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use units::{Hz, Ms};

/// Largest number of frames held of a song: 256 MiB, at 48 kHz eleven and a half minutes.
pub const MAX_FRAMES: usize = 1 << 25;
/// Length of the loudest passage in hops: 20 s.
const LOUDEST_HOPS: usize = 200;
/// Length of a hop.
const HOP: Ms = Ms(100.0);
/// Longest wait of a closing window for the thread. A thread that waits for a disk ends later by itself.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(50);

/// Request of a window.
#[derive(Clone, Debug, PartialEq)]
pub enum LoadJob {
    /// Measurement of a file.
    Measure(String),
    /// Audio of a file at that rate, around its loudest passage if it is too long.
    Load(String, ReferenceReadings, Hz),
    /// FolderListing of a folder; `None`: the music folder.
    List(Option<String>),
}

/// Result of a job; an error is one line: file, fault, remedy.
#[derive(Debug)]
pub enum LoadResult {
    /// A file's figures.
    Measured(String, core::result::Result<ReferenceReadings, String>),
    /// A file's audio.
    Loaded(String, core::result::Result<Arc<ReferenceClip>, String>),
    /// FolderListing of a folder.
    Listed(FolderListing),
}

/// The window's handle of the loader thread.
#[derive(Debug)]
pub struct ReferenceLoader {
    jobs: Option<Sender<LoadJob>>,
    done: Receiver<LoadResult>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ReferenceLoader {
    /// Starts the thread; it calls `wake` after each job. If the system has no thread left, no job is ever done.
    pub fn open(wake: impl Fn() + Send + 'static) -> Self {
        let (jobs, todo) = channel();
        let (found, done) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let work = move || LoaderThread { todo, waiting: VecDeque::new(), found, stop: stopped }.work(wake);
        let thread = std::thread::Builder::new().name("stemlink references".into()).spawn(work).ok();
        Self { jobs: Some(jobs), done, stop, thread }
    }

    /// Queues a job; jobs other than measurements come first.
    pub fn request(&self, job: LoadJob) {
        if let Some(jobs) = &self.jobs {
            // without a thread nobody listens
            let _ = jobs.send(job);
        }
    }

    /// Returns the next result, if any.
    pub fn poll_result(&self) -> Option<LoadResult> {
        self.done.try_recv().ok()
    }
}

impl Drop for ReferenceLoader {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.jobs = None;
        let Some(thread) = self.thread.take() else { return };
        let start = Instant::now();
        while !thread.is_finished() && start.elapsed() < CLOSE_TIMEOUT {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// ReferenceState of the thread.
struct LoaderThread {
    todo: Receiver<LoadJob>,
    waiting: VecDeque<LoadJob>,
    found: Sender<LoadResult>,
    stop: Arc<AtomicBool>,
}

impl LoaderThread {
    fn work(mut self, wake: impl Fn()) {
        while let Some(job) = self.next_job() {
            let done = match job {
                LoadJob::Measure(path) => {
                    let figures = self.measure(Path::new(&path));
                    LoadResult::Measured(path, figures.map_err(|error| error.to_string()))
                }
                LoadJob::Load(path, figures, rate) => {
                    let clip = self.load(Path::new(&path), &figures, rate);
                    LoadResult::Loaded(path, clip.map(Arc::new).map_err(|error| error.to_string()))
                }
                LoadJob::List(folder) => {
                    LoadResult::Listed(audio_files::list_folder(folder.map(PathBuf::from)))
                }
            };
            if self.stop.load(Ordering::Relaxed) || self.found.send(done).is_err() {
                return;
            }
            wake();
        }
    }

    /// Returns the next job; those that a user waits for come first. `None`: the window is closed.
    fn next_job(&mut self) -> Option<LoadJob> {
        if self.waiting.is_empty() {
            self.waiting.push_back(self.todo.recv().ok()?);
        }
        loop {
            match self.todo.try_recv() {
                Ok(job) => self.waiting.push_back(job),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return None,
            }
        }
        let first = self.waiting.iter().position(|job| !matches!(job, LoadJob::Measure(_))).unwrap_or(0);
        self.waiting.remove(first)
    }

    fn check_open(&self, path: &Path) -> Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            Err(Error::Interrupted { path: path.to_owned() })
        } else {
            Ok(())
        }
    }

    fn measure(&self, path: &Path) -> Result<ReferenceReadings> {
        let mut reader = open(path)?;
        let info = reader.info();
        let mut meter = Meter::new(info.rate, &Layout::new(info.channels, info.channel_mask));
        let rate = info.rate;
        reader.each_block(|planes| {
            let channels: Vec<&[f64]> = planes.iter().map(Vec::as_slice).collect();
            meter.process(&channels);
            self.check_open(path)
        })?;
        if meter.frames() == 0 {
            return Err(fault(path, "it is empty", "choose another file"));
        }
        let reading = meter.reading();
        let length = Ms(meter.frames() as f64 * 1000.0 / rate.0);
        let loudest = windows(meter.history().powers(), LOUDEST_HOPS)
            .enumerate()
            .max_by(|(_, a), (_, b)| a.0.total_cmp(&b.0))
            .map_or((Ms(0.0), length), |(hop, _)| {
                (Ms(hop as f64 * HOP.0), Ms((hop + LOUDEST_HOPS) as f64 * HOP.0))
            });
        Ok(ReferenceReadings {
            integrated: reading.integrated,
            true_peak: reading.true_peak,
            length,
            loudest,
        })
    }

    fn load(&self, path: &Path, figures: &ReferenceReadings, rate: Hz) -> Result<ReferenceClip> {
        let reader = open(path)?;
        let from = reader.info().rate;
        let frames = (figures.length.0 * from.0 / 1000.0).round() as u64;
        let mut source = Converted::new(reader, from, rate, path)?;
        let all = converted_frames(frames, from, rate) as usize;
        // in the middle of what is held, what is played again and again
        let middle = 0.5 * (figures.loudest.0.0 + figures.loudest.1.0) * rate.0 / 1000.0;
        let part = around(middle as usize, all, MAX_FRAMES);
        let mut held = Vec::new();
        // so many were counted, not declared
        held.reserve_exact(part.len());
        let mut planes = vec![Vec::new(); source.channels()];
        let mut at = 0;
        while at < part.end {
            let end = if at < part.start { part.start } else { part.end };
            let count = (end - at).min(BLOCK);
            source.pull(&mut planes, count)?;
            if at >= part.start
                && let (Some(left), Some(right)) = (planes.first(), planes.last())
            {
                held.extend(left.iter().zip(right).map(|(&l, &r)| [l as f32, r as f32]));
            }
            at += count;
            self.check_open(path)?;
        }
        Ok(ReferenceClip { rate, start: part.start, frames: held.into() })
    }
}

/// Returns a range of at most `most` of `all` frames, centred on `middle` where possible.
fn around(middle: usize, all: usize, most: usize) -> Range<usize> {
    let held = all.min(most);
    let start = middle.saturating_sub(held / 2).min(all - held);
    start..start + held
}

/// Opens a reference file: mono or stereo.
fn open(path: &Path) -> Result<AudioReader> {
    let reader = AudioReader::open(path)?;
    match reader.info().channels {
        1 | 2 => Ok(reader),
        more => Err(fault(path, format!("it has {more} channels"), "choose a file in mono or stereo")),
    }
}

fn fault(path: &Path, fault: impl Into<String>, cure: &str) -> Error {
    Error::Bundle { path: path.to_owned(), fault: fault.into(), cure: cure.into() }
}

#[cfg(test)]
mod tests;
