//! References read from files: measured, brought to the plugin's rate, and folders looked into, by a thread of its own, so that
//! no window waits for a disk. It ends when its window closes.

use super::choose;
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

/// The most frames of a song that are held: 256 MiB, at 48 kHz eleven and a half minutes.
pub const MOST_FRAMES: usize = 1 << 25;
/// The stretch that is called loudest: 20 s in hops.
const STRETCH: usize = 200;
/// How long a hop is.
const HOP: Ms = Ms(100.0);
/// How long a closing window waits for a disk that does not answer. Then the thread ends when it does.
const PATIENCE: Duration = Duration::from_millis(50);

/// What a window wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    /// Readings of a file.
    Measure(String),
    /// A file's sound at that rate, around its loudest stretch if there is no room for all of it.
    Load(String, ReferenceReadings, Hz),
    /// What is in a folder; `None`: where people keep music.
    List(Option<String>),
}

/// What was found; a fault is one line: file, fault, cure.
#[derive(Debug)]
pub enum Done {
    /// A file's figures.
    Measured(String, core::result::Result<ReferenceReadings, String>),
    /// A file's sound.
    Loaded(String, core::result::Result<Arc<ReferenceClip>, String>),
    /// What is in a folder.
    Listed(FolderListing),
}

/// The window's end.
#[derive(Debug)]
pub struct Shelf {
    jobs: Option<Sender<Job>>,
    done: Receiver<Done>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Shelf {
    /// Starts the thread; `wake` is called when something is done. Without a thread (the system has none left) nothing ever is.
    pub fn open(wake: impl Fn() + Send + 'static) -> Self {
        let (jobs, todo) = channel();
        let (found, done) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let work = move || Reader { todo, waiting: VecDeque::new(), found, stop: stopped }.work(wake);
        let thread = std::thread::Builder::new().name("stemlink references".into()).spawn(work).ok();
        Self { jobs: Some(jobs), done, stop, thread }
    }

    /// Does that, before what was wanted earlier if it is not measuring.
    pub fn want(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // without a thread nobody listens
            let _ = jobs.send(job);
        }
    }

    /// The next of what is done.
    pub fn done(&self) -> Option<Done> {
        self.done.try_recv().ok()
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.jobs = None;
        let Some(thread) = self.thread.take() else { return };
        let start = Instant::now();
        while !thread.is_finished() && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The thread.
struct Reader {
    todo: Receiver<Job>,
    waiting: VecDeque<Job>,
    found: Sender<Done>,
    stop: Arc<AtomicBool>,
}

impl Reader {
    fn work(mut self, wake: impl Fn()) {
        while let Some(job) = self.next() {
            let done = match job {
                Job::Measure(path) => {
                    let figures = self.measure(Path::new(&path));
                    Done::Measured(path, figures.map_err(|error| error.to_string()))
                }
                Job::Load(path, figures, rate) => {
                    let reel = self.load(Path::new(&path), &figures, rate);
                    Done::Loaded(path, reel.map(Arc::new).map_err(|error| error.to_string()))
                }
                Job::List(folder) => Done::Listed(choose::list(folder.map(PathBuf::from))),
            };
            if self.stop.load(Ordering::Relaxed) || self.found.send(done).is_err() {
                return;
            }
            wake();
        }
    }

    /// The next job; what somebody waits for goes first. `None`: the window is closed.
    fn next(&mut self) -> Option<Job> {
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
        let first = self.waiting.iter().position(|job| !matches!(job, Job::Measure(_))).unwrap_or(0);
        self.waiting.remove(first)
    }

    fn go_on(&self, path: &Path) -> Result<()> {
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
            self.go_on(path)
        })?;
        if meter.frames() == 0 {
            return Err(fault(path, "it is empty", "choose another file"));
        }
        let reading = meter.reading();
        let length = Ms(meter.frames() as f64 * 1000.0 / rate.0);
        let loudest = windows(meter.history().powers(), STRETCH)
            .enumerate()
            .max_by(|(_, a), (_, b)| a.0.total_cmp(&b.0))
            .map_or((Ms(0.0), length), |(hop, _)| {
                (Ms(hop as f64 * HOP.0), Ms((hop + STRETCH) as f64 * HOP.0))
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
        let part = around(middle as usize, all, MOST_FRAMES);
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
            self.go_on(path)?;
        }
        Ok(ReferenceClip { rate, start: part.start, frames: held.into() })
    }
}

/// Of `all` frames, `most` at most, with `middle` in the middle where there is room on both sides.
fn around(middle: usize, all: usize, most: usize) -> Range<usize> {
    let held = all.min(most);
    let start = middle.saturating_sub(held / 2).min(all - held);
    start..start + held
}

/// Opens a file that can be a reference: mono or stereo.
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
