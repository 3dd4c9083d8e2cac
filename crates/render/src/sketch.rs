//! Files in short: the same few stretches of each, in one channel at a low rate. Enough to see which files share content or
//! sum to another, at a cost that does not grow with their length.

use core::ops::Range;
use std::path::Path;

use crate::clean::is_audio;
use audiofile::AudioReader;
use audiofile::error::Result;
use units::Hz;

/// Frames of a stretch at the low rate: 0.6 to 0.75 s.
pub(crate) const STRETCH: usize = 8192;
/// The low rate is this or up to twice as much, hertz.
const LOW_RATE: f64 = 11_000.0;
/// The most stretches of a file.
pub(crate) const MAX_STRETCHES: usize = 12;
/// Each channel enters with this times the gain of the one before it, so that no two cancel.
pub(crate) const NEXT_CHANNEL: f64 = 0.62;

/// The stretches of all files that are compared.
#[derive(Clone, Debug)]
pub(crate) struct Stretches {
    /// Frames of the files that make one of a sketch.
    factor: usize,
    /// First frames, none of which overlap.
    starts: Vec<u64>,
}

impl Stretches {
    /// Stretches spread evenly over files of up to `frames` frames.
    pub(crate) fn even(frames: u64, rate: Hz) -> Self {
        let mut stretches = Self::none(rate);
        let count = (frames / stretches.frames()).clamp(1, MAX_STRETCHES as u64);
        stretches.starts = (0..count).map(|n| n * frames / count).collect();
        stretches
    }

    /// No stretches yet of files of `rate`.
    pub(crate) fn none(rate: Hz) -> Self {
        Self { factor: ((rate.0 / LOW_RATE) as usize).max(1), starts: Vec::new() }
    }

    /// Frames of a stretch in the files.
    pub(crate) fn frames(&self) -> u64 {
        (STRETCH * self.factor) as u64
    }

    /// Frames a second of a sketch.
    pub(crate) fn low_rate(&self, rate: Hz) -> f64 {
        rate.0 / self.factor as f64
    }

    /// Adds the stretch that starts at `start`, unless there are enough or it overlaps another; true if it was added.
    pub(crate) fn add(&mut self, start: u64) -> bool {
        let free = self.starts.iter().all(|other| other.abs_diff(start) >= self.frames());
        let added = free && self.starts.len() < MAX_STRETCHES;
        if added {
            self.starts.push(start);
        }
        added
    }

    pub(crate) fn starts(&self) -> &[u64] {
        &self.starts
    }
}

/// A file in short.
#[derive(Clone, Debug)]
pub(crate) struct Sketch {
    /// Samples, by stretch.
    pub(crate) stretches: Vec<Vec<f32>>,
    /// Sum of squares, by stretch.
    pub(crate) energy: Vec<f64>,
}

impl Sketch {
    /// Reads the stretches of a file; what is no audio and the frames of `muted` are silent.
    pub(crate) fn read(path: &Path, stretches: &Stretches, muted: &[Range<u64>]) -> Result<Self> {
        let mut reader = AudioReader::open(path)?;
        let mut planes = vec![Vec::new(); reader.info().channels];
        let frames = stretches.frames() as usize;
        let mut sketch = Self { stretches: Vec::new(), energy: Vec::new() };
        for &start in &stretches.starts {
            let read = if start < reader.info().frames {
                reader.seek(start)?;
                reader.read_planar(&mut planes, frames)?
            } else {
                0
            };
            for range in muted {
                let at = |frame: u64| frame.saturating_sub(start).min(read as u64) as usize;
                planes.iter_mut().for_each(|plane| plane[at(range.start)..at(range.end)].fill(0.0));
            }
            let mut samples = vec![0.0_f32; STRETCH];
            let mut gain = 1.0 / stretches.factor as f64;
            for plane in &planes {
                for (sample, group) in samples.iter_mut().zip(plane[..read].chunks(stretches.factor)) {
                    *sample += (gain * group.iter().filter(|x| is_audio(**x)).sum::<f64>()) as f32;
                }
                gain *= NEXT_CHANNEL;
            }
            sketch.energy.push(energy(&samples));
            sketch.stretches.push(samples);
        }
        Ok(sketch)
    }

    /// Adds another file's sketch with a gain.
    pub(crate) fn add(&mut self, other: &Self, gain: f64) {
        for (samples, more) in self.stretches.iter_mut().zip(&other.stretches) {
            samples.iter_mut().zip(more).for_each(|(sum, x)| *sum += gain as f32 * x);
        }
        self.energy = self.stretches.iter().map(|samples| energy(samples)).collect();
    }

    /// Multiplies it.
    pub(crate) fn scale(&mut self, gain: f64) {
        self.stretches.iter_mut().flatten().for_each(|x| *x *= gain as f32);
        self.energy.iter_mut().for_each(|energy| *energy *= gain * gain);
    }

    /// Sum of squares of all stretches.
    pub(crate) fn total(&self) -> f64 {
        self.energy.iter().sum()
    }

    /// Sum of products with another file.
    pub(crate) fn dot(&self, other: &Self) -> f64 {
        let stretches = self.stretches.iter().zip(&other.stretches);
        stretches.map(|(a, b)| f64::from(dot(a, b))).sum()
    }
}

/// The sum of squares.
fn energy(samples: &[f32]) -> f64 {
    samples.iter().map(|x| f64::from(*x).powi(2)).sum()
}

/// The sum of products, in lanes that the compiler can vectorize.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; 16];
    let (a_lanes, _) = a.as_chunks::<16>();
    let (b_lanes, _) = b.as_chunks::<16>();
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..16 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum()
}
