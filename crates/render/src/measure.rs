//! Readings of files.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::ceiling::StrictPeak;
use crate::clean::{MAX_LEVEL, is_audio, is_misscaled};
use crate::clock::clock;
use crate::progress::{Progress, advance};
use crate::side_thread::SideThread;
use crate::verify::{SecondMeter, SecondReading};
use audiofile::error::{Error, Result};
use audiofile::narrow::Ahead;
use audiofile::{AudioInfo, AudioReader, BLOCK};
use meter::layout::Layout;
use meter::loudness::MIN_RATE;
use meter::programme::ProgrammeMeter;
use meter::{MaximaTimes, Meter, Reading};
use units::{Dbtp, Hz, Power};

/// Steps of the meter between two reports of progress.
const STEPS_PER_REPORT: usize = 100;

/// Choices of a measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MeasureOptions {
    /// With the second meter too.
    pub verify: bool,
    /// With its loudness range, which nothing is compared with.
    pub second_range: bool,
    /// A mono file as one that plays from both sides: 3 LU louder.
    pub dual_mono: bool,
    /// First moment, seconds of the song; none: its start.
    pub from: Option<f64>,
    /// The moment behind the last, seconds of the song; none: its end.
    pub to: Option<f64>,
    /// The ceiling that the strict true peak is compared with, where that is to be known; of two channels, not of ranges.
    pub ceiling: Option<Dbtp>,
}

/// A file measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The properties that the file states.
    pub info: AudioInfo,
    /// Frames actually read.
    pub frames: u64,
    /// Our reading: figures of the whole, and none of a moment or of the stereo image.
    pub reading: Reading,
    /// Times of its maxima, seconds of the song.
    pub maxima: MaximaTimes,
    /// First moment that was measured, seconds of the song.
    pub start: f64,
    /// Powers of its hops; empty below 8 kHz.
    pub powers: Vec<Power>,
    /// The second meter's, where asked for and possible.
    pub second: Option<SecondReading>,
    /// The strict true peak, linear, where asked for and possible.
    pub strict: Option<f64>,
    /// NaN and infinite samples; each counted as silence.
    pub non_finite: u64,
    /// Samples that are louder than audio can be, which were measured as they are; none if there are none.
    pub beyond: Option<SamplesBeyond>,
    /// Layout that the weights came from.
    pub layout: Layout,
}

/// Samples beyond +24 dBFS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SamplesBeyond {
    /// Their number in all channels.
    pub samples: u64,
    /// Frame of the first, of the song.
    pub first: u64,
    /// So many that the file is scaled wrongly as a whole.
    pub is_misscaled: bool,
}

/// Measures a whole file, with the second meter too if `verify`. `what` names the work to the listener.
///
/// # Errors
/// If it cannot be read, or the listener stops it.
pub fn measure(path: &Path, verify: bool, what: &str, progress: &mut dyn Progress) -> Result<Measured> {
    measure_with(path, &MeasureOptions { verify, ..MeasureOptions::default() }, what, progress)
}

/// Measures a file, or a range of it. `what` names the work to the listener.
///
/// Uncompressed samples that are exact as 32-bit floats are read at several places at once and measured side by side
/// ([`ProgrammeMeter`]); all others, and ranges, from the beginning to the end ([`Meter`]). The second meter and the strict
/// true peak have a thread of their own.
///
/// # Errors
/// If it cannot be read, the range lies outside it, or the listener stops it.
pub fn measure_with(
    path: &Path,
    options: &MeasureOptions,
    what: &str,
    progress: &mut dyn Progress,
) -> Result<Measured> {
    let mut reader = AudioReader::open(path)?;
    let info = reader.info();
    let layout = match info.channels {
        1 if options.dual_mono => Layout::dual_mono(),
        channels => Layout::new(channels, info.channel_mask),
    };
    let range = range(path, info, options)?;
    progress.begin(what, range[1] - range[0]);
    let whole = options.from.is_none() && options.to.is_none();
    let second = if options.verify { second_meter(info.rate, &layout, options.second_range) } else { None };
    let strict = options.ceiling.filter(|_| whole && info.channels == 2).map(StrictPeak::new);
    let beside = (second.is_some() || strict.is_some()).then_some(MetersBeside { second, strict });
    let measured = if !whole || !reader.pcm().is_some_and(|pcm| pcm.is_narrow()) {
        one_after_the_other(path, reader, layout, range, beside, progress)?
    } else if let Some(beside) = beside {
        side_by_side_with(path, reader, layout, beside, progress)?
    } else {
        side_by_side(path, reader, layout, progress)?
    };
    let is_beyond = measured.reading.sample_peak.is_some_and(|peak| peak.0 > MAX_LEVEL.0);
    let beyond = if is_beyond { samples_beyond(path, range, progress)? } else { None };
    Ok(Measured { beyond, ..measured })
}

/// Counts the samples of a range that are louder than audio can be.
fn samples_beyond(
    path: &Path,
    [from, to]: [u64; 2],
    progress: &mut dyn Progress,
) -> Result<Option<SamplesBeyond>> {
    let mut reader = AudioReader::open(path)?;
    if from > 0 {
        reader.seek(from)?;
    }
    let mut planes = vec![Vec::new(); reader.info().channels];
    let (mut at, mut samples, mut first) = (from, 0, None);
    while at < to {
        let frames = reader.read_planar(&mut planes, (to - at).min(BLOCK as u64) as usize)?;
        if frames == 0 {
            break;
        }
        for plane in &planes {
            let is_beyond = |x: &f64| x.is_finite() && !is_audio(*x);
            samples += plane.iter().filter(|x| is_beyond(x)).count() as u64;
            if let Some(n) = plane.iter().position(is_beyond) {
                first = first.into_iter().chain([at + n as u64]).min();
            }
        }
        at += frames as u64;
        advance(progress, 0, path)?;
    }
    let is_misscaled = is_misscaled(samples, (at - from) * planes.len() as u64);
    Ok(first.map(|first| SamplesBeyond { samples, first, is_misscaled }))
}

/// Meters that hear a file from its beginning to its end, in a thread of their own.
struct MetersBeside {
    second: Option<SecondMeter>,
    strict: Option<StrictPeak>,
}

impl MetersBeside {
    fn process(&mut self, channels: &[&[f64]]) {
        if let Some(second) = &mut self.second {
            second.process(channels);
        }
        if let (Some(strict), [left, right]) = (&mut self.strict, channels) {
            strict.process([left, right]);
        }
    }

    /// Puts what they have read into `measured`.
    fn finish(self, measured: Measured) -> Measured {
        let rate = measured.info.rate;
        Measured {
            second: self.second.map(|second| comparable(second.reading(), rate)),
            strict: self.strict.map(|strict| strict.finish_with(&measured.reading)),
            ..measured
        }
    }
}

/// As [`side_by_side`], with meters beside it.
fn side_by_side_with(
    path: &Path,
    reader: AudioReader,
    layout: Layout,
    beside: MetersBeside,
    progress: &mut dyn Progress,
) -> Result<Measured> {
    // They read the file for themselves.
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let beside = scope.spawn(|| hear_all(path, beside, &stop));
        let measured = side_by_side(path, reader, layout, progress);
        stop.store(measured.is_err(), Ordering::Relaxed);
        let beside = beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let measured = measured?;
        Ok(beside?.finish(measured))
    })
}

fn second_meter(rate: Hz, layout: &Layout, with_range: bool) -> Option<SecondMeter> {
    if with_range { SecondMeter::with_range(rate, layout) } else { SecondMeter::new(rate, layout) }
}

/// Has `meters` hear the file at `path`.
fn hear_all(path: &Path, mut meters: MetersBeside, stop: &AtomicBool) -> Result<MetersBeside> {
    AudioReader::open(path)?.each_block(|planes| {
        meters.process(&planes.iter().map(Vec::as_slice).collect::<Vec<_>>());
        if stop.load(Ordering::Relaxed) { Err(Error::Interrupted { path: path.to_owned() }) } else { Ok(()) }
    })?;
    Ok(meters)
}

/// The figures of a second reading that can be compared with ours: no loudness below 8 kHz, where we have none.
pub(crate) fn comparable(reading: SecondReading, rate: Hz) -> SecondReading {
    if rate.0 < MIN_RATE.0 { SecondReading { integrated: None, range: None, ..reading } } else { reading }
}

/// The frames to be measured: the first, and the one behind the last.
fn range(path: &Path, info: &AudioInfo, options: &MeasureOptions) -> Result<[u64; 2]> {
    let frame = |seconds: f64| (seconds * info.rate.0).round() as u64;
    let from = options.from.map_or(0, frame);
    let to = options.to.map_or(info.frames, frame).min(info.frames);
    if from >= to && (options.from.is_some() || options.to.is_some()) {
        let length = clock(info.frames, info.rate);
        return Err(Error::Bundle {
            path: path.to_owned(),
            fault: format!("has nothing from {} on to there, it is {length} long", clock(from, info.rate)),
            cure: "give a range inside it with --from and --to".into(),
        });
    }
    Ok([from, to])
}

fn side_by_side(
    path: &Path,
    mut reader: AudioReader,
    layout: Layout,
    progress: &mut dyn Progress,
) -> Result<Measured> {
    let info = reader.info().clone();
    let mut meter = ProgrammeMeter::new(info.rate, &layout, info.frames);
    let mut ahead: Vec<Ahead> = (0..meter.part_count()).map(|_| Ahead::default()).collect();
    let mut non_finite = 0;
    if let Some(pcm) = reader.pcm() {
        while !meter.is_done() {
            let mut done = 0;
            for _ in 0..STEPS_PER_REPORT {
                if meter.is_done() {
                    break;
                }
                for (part, ahead) in ahead.iter_mut().enumerate() {
                    let bad = pcm.read_narrow(ahead, meter.wanted_frames(part), meter.row_mut(part))?;
                    non_finite += if meter.is_warm() { bad } else { 0 };
                }
                done += meter.step();
            }
            advance(progress, done, path)?;
        }
    }
    Ok(Measured {
        frames: info.frames,
        maxima: meter.maxima_times(),
        start: 0.0,
        powers: history(&info, meter.powers()),
        reading: meter.reading(),
        second: None,
        strict: None,
        non_finite,
        beyond: None,
        info,
        layout,
    })
}

fn one_after_the_other(
    path: &Path,
    mut reader: AudioReader,
    layout: Layout,
    [from, to]: [u64; 2],
    beside: Option<MetersBeside>,
    progress: &mut dyn Progress,
) -> Result<Measured> {
    let info = reader.info().clone();
    let mut meter = Meter::new(info.rate, &layout);
    let mut beside = beside.map(|beside| {
        SideThread::new(beside, |meters, planes| {
            meters.process(planes);
            Ok(())
        })
    });
    if from > 0 {
        reader.seek(from)?;
    }
    let mut planes = vec![Vec::new(); info.channels];
    let mut left = to - from;
    while left > 0 {
        let frames = reader.read_planar(&mut planes, left.min(BLOCK as u64) as usize)?;
        if frames == 0 {
            break;
        }
        let channels: Vec<&[f64]> = planes.iter().map(Vec::as_slice).collect();
        meter.process(&channels);
        if let Some(beside) = &mut beside {
            beside.push(&channels)?;
        }
        left -= frames as u64;
        advance(progress, frames as u64, path)?;
    }
    let start = from as f64 / info.rate.0;
    let times = meter.maxima_times();
    let later = |time: Option<f64>| time.map(|time| start + time);
    let beside = beside.map(SideThread::finish).transpose()?;
    let measured = Measured {
        frames: meter.frames(),
        reading: Reading {
            momentary: None,
            short_term: None,
            psr: None,
            correlation: None,
            ..meter.reading()
        },
        maxima: MaximaTimes {
            momentary: later(times.momentary),
            short_term: later(times.short_term),
            true_peak: later(times.true_peak),
        },
        start,
        powers: history(&info, meter.history().powers()),
        second: None,
        strict: None,
        non_finite: meter.non_finite(),
        beyond: None,
        info: reader.info().clone(), // FLAC knows some of it only at the end
        layout,
    };
    Ok(match beside {
        Some(beside) => beside.finish(measured),
        None => measured,
    })
}

fn history(info: &AudioInfo, powers: &[Power]) -> Vec<Power> {
    if info.rate.0 < MIN_RATE.0 { Vec::new() } else { powers.to_vec() }
}
