//! One pass over one file: everything that can be said of it alone.

use super::clips::Clips;
use super::dc::DcSums;
use super::events::Events;
use super::flat_tops::FlatTops;
use crate::bursts::{Burst, BurstDetector};
use crate::clean::is_audio;
use audiofile::error::Result;
use audiofile::{AudioInfo, AudioReader, SampleFormat};
use meter::true_peak::TruePeak;
use std::path::Path;
use units::hash::{FNV_OFFSET, FNV_PRIME};

/// Frames of which one energy is kept, to find the loudest excerpts by.
pub(super) const SEGMENT: usize = 1 << 13;

/// Frames to which the place of a true peak is told.
const PART: usize = 256;

/// Measurements of one file.
#[derive(Clone, Debug, Default)]
pub(super) struct FileMeasurements {
    /// Sum of squares of each channel.
    pub(super) energy: Vec<f64>,
    /// Sum of squares of every [`SEGMENT`] frames, all channels; 0 where there is an isolated burst.
    pub(super) segments: Vec<f64>,
    /// The same of the first channel.
    pub(super) first_segments: Vec<f64>,
    /// Largest sample magnitude.
    pub(super) sample_peak: f64,
    /// The same outside isolated bursts.
    pub(super) body_peak: f64,
    /// Linear true peak and the frame near which it lies.
    pub(super) true_peak: (f64, u64),
    /// Samples that are no finite numbers.
    pub(super) non_finite: Events,
    /// Samples beyond +24 dBFS, which count as silence.
    pub(super) implausible: Events,
    /// The largest of those.
    pub(super) implausible_peak: f64,
    /// Isolated bursts.
    pub(super) bursts: Vec<Burst>,
    /// Peaks of every 10 ms, all channels.
    pub(super) course: Vec<f32>,
    /// Samples over full scale.
    pub(super) over: Events,
    /// Runs of samples at full scale.
    pub(super) clips: Events,
    /// The channel with the largest constant offset, and that offset.
    pub(super) dc: Option<(usize, f64)>,
    /// Correlation of left and right of a stereo file that sounds.
    pub(super) correlation: Option<f64>,
    /// Sum of squares of left less right of a stereo file.
    pub(super) side_energy: f64,
    /// Peaks cut off flat.
    pub(super) flat_tops: FlatTops,
    /// The same for the same samples, whatever the file.
    pub(super) hash: u64,
}

impl FileMeasurements {
    /// Sum of squares of all channels.
    pub(super) fn total(&self) -> f64 {
        self.energy.iter().sum()
    }

    /// The channel with the most energy.
    pub(super) fn loudest_channel(&self) -> usize {
        let channels = self.energy.iter().enumerate().rev();
        channels.max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(channel, _)| channel)
    }
}

/// The largest and the smallest value of an integer format.
fn full_scale(format: SampleFormat) -> Option<[f64; 2]> {
    match format {
        SampleFormat::Int { bits } => Some([1.0 - 2f64.powi(1 - i32::from(bits)), -1.0]),
        SampleFormat::Float { .. } => None,
    }
}

/// Reads a whole file. `advance` is told the frames of each block.
pub(super) fn measure(
    path: &Path,
    advance: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<(AudioInfo, FileMeasurements)> {
    let mut reader = AudioReader::open(path)?;
    let info = reader.info().clone();
    let mut measured = FileMeasurements {
        energy: vec![0.0; info.channels],
        hash: FNV_OFFSET,
        ..FileMeasurements::default()
    };
    let mut peaks = vec![TruePeak::new(); info.channels];
    let mut clips = vec![Clips::new(full_scale(info.format)); info.channels];
    let mut flat_tops = vec![FlatTops::new(info.format); info.channels];
    let mut dc = vec![DcSums::new(info.frames, info.rate); info.channels];
    let mut detector = BurstDetector::new(info.rate);
    let mut cross = 0.0;
    let mut at = 0u64;
    reader.each_block(|planes| {
        for (channel, plane) in planes.iter_mut().enumerate() {
            for (n, x) in plane.iter_mut().enumerate() {
                if !is_audio(*x) {
                    if x.is_finite() {
                        measured.implausible.add(at + n as u64);
                        measured.implausible_peak = measured.implausible_peak.max(x.abs());
                    } else {
                        measured.non_finite.add(at + n as u64);
                    }
                    *x = 0.0;
                }
                if x.abs() > 1.0 {
                    measured.over.add(at + n as u64);
                }
                // As FNV-1a, over words; -0.0 + 0.0 is 0.0.
                measured.hash =
                    (measured.hash ^ (*x + 0.0).to_bits()).wrapping_mul(FNV_PRIME).rotate_left(23);
            }
            clips[channel].process(plane, at);
            flat_tops[channel].process(plane, at);
            dc[channel].process(plane);
            for (part, samples) in plane.chunks(PART).enumerate() {
                peaks[channel].process(samples);
                let (true_peak, sample_peak) = peaks[channel].peaks();
                measured.sample_peak = measured.sample_peak.max(sample_peak);
                if true_peak > measured.true_peak.0 {
                    measured.true_peak = (true_peak, at + (part * PART) as u64);
                }
            }
            let energy = plane.iter().map(|x| x * x).sum::<f64>();
            measured.energy[channel] += energy;
            let segment = (at / SEGMENT as u64) as usize;
            measured.segments.resize(measured.segments.len().max(segment + 1), 0.0);
            measured.segments[segment] += energy;
            measured.first_segments.resize(measured.segments.len(), 0.0);
            if channel == 0 {
                measured.first_segments[segment] += energy;
            }
        }
        if let [left, right] = &*planes {
            measured.side_energy += left.iter().zip(right).map(|(l, r)| (l - r).powi(2)).sum::<f64>();
            cross += left.iter().zip(right).map(|(l, r)| l * r).sum::<f64>();
        }
        detector.process(planes);
        let frames = planes[0].len() as u64;
        at += frames;
        advance(frames)
    })?;
    // What lies behind the last sample.
    let end = peaks.iter().map(|peak| peak.peaks_to_silence().0).fold(0.0, f64::max);
    if end > measured.true_peak.0 {
        measured.true_peak = (end, at.saturating_sub(1));
    }
    measured.bursts = detector.bursts();
    measured.body_peak = detector.peak_without(&measured.bursts);
    measured.course = detector.windows(&measured.bursts);
    for burst in &measured.bursts {
        let segment = |frame: u64| (frame / SEGMENT as u64) as usize;
        let last = segment(burst.frames.end - 1).min(measured.segments.len() - 1);
        let burst = segment(burst.frames.start)..=last;
        measured.segments[burst.clone()].fill(0.0);
        measured.first_segments[burst].fill(0.0);
    }
    measured.flat_tops = flat_tops.into_iter().reduce(FlatTops::merged).unwrap_or_default();
    clips.iter().for_each(|clips| measured.clips.merge(clips.found()));
    let offsets = dc.iter().enumerate().filter_map(|(channel, sums)| Some((channel, sums.offset()?)));
    measured.dc = offsets.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
    if let [left, right] = measured.energy[..]
        && left > 0.0
        && right > 0.0
    {
        measured.correlation = Some(cross / (left * right).sqrt());
    }
    Ok((info, measured))
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiofile::BLOCK;

    #[test]
    fn segments_hold_whole_blocks() {
        assert_eq!(SEGMENT % BLOCK, 0, "a block's energy goes to one segment");
    }

    #[test]
    fn events_keep_the_first_frame() {
        let mut events = Events::default();
        events.add(9);
        events.add(4);
        events.merge(Events { count: 2, first: 5 });
        events.merge(Events::default());
        assert_eq!(events, Events { count: 4, first: 4 });
    }
}
