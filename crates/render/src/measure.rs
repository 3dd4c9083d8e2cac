//! Readings of files.

use std::path::Path;

use crate::progress::{Progress, advance};
use crate::verify::{SecondMeter, SecondReading};
use audiofile::error::Result;
use audiofile::narrow::Ahead;
use audiofile::{AudioInfo, AudioReader};
use meter::layout::Layout;
use meter::programme::ProgrammeMeter;
use meter::{Meter, Reading};

/// Steps of the meter between two reports of progress.
const STEPS_PER_REPORT: usize = 100;

/// A file measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The properties that the file states.
    pub info: AudioInfo,
    /// Frames actually read.
    pub frames: u64,
    /// Our reading: figures of the whole, and none of a moment or of the stereo image.
    pub reading: Reading,
    /// The second meter's, where asked for and possible.
    pub second: Option<SecondReading>,
    /// NaN and infinite samples; each counted as silence.
    pub non_finite: u64,
    /// Layout that the weights came from.
    pub layout: Layout,
}

/// Measures a file, with the second meter too if `verify`. `what` names the work to the listener.
///
/// Uncompressed samples that are exact as 32-bit floats are read at several places at once and measured side by side
/// ([`ProgrammeMeter`]); all others, and whatever the second meter is to hear, from the beginning to the end
/// ([`Meter`]).
///
/// # Errors
/// If it cannot be read, or the listener stops it.
pub fn measure(path: &Path, verify: bool, what: &str, progress: &mut dyn Progress) -> Result<Measured> {
    let mut reader = AudioReader::open(path)?;
    progress.begin(what, reader.info().frames);
    if !verify && reader.pcm().is_some_and(|pcm| pcm.is_narrow()) {
        side_by_side(path, reader, progress)
    } else {
        one_after_the_other(path, reader, verify, progress)
    }
}

fn side_by_side(path: &Path, mut reader: AudioReader, progress: &mut dyn Progress) -> Result<Measured> {
    let info = reader.info().clone();
    let layout = Layout::new(info.channels, info.channel_mask);
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
    Ok(Measured { frames: info.frames, reading: meter.reading(), second: None, non_finite, info, layout })
}

fn one_after_the_other(
    path: &Path,
    mut reader: AudioReader,
    verify: bool,
    progress: &mut dyn Progress,
) -> Result<Measured> {
    let info = reader.info().clone();
    let layout = Layout::new(info.channels, info.channel_mask);
    let mut meter = Meter::new(info.rate, &layout);
    let mut second = if verify { SecondMeter::new(&info) } else { None };
    reader.each_block(|planes| {
        let channels: Vec<&[f64]> = planes.iter().map(Vec::as_slice).collect();
        meter.process(&channels);
        if let Some(second) = &mut second {
            second.process(&channels);
        }
        advance(progress, planes[0].len() as u64, path)
    })?;
    Ok(Measured {
        frames: meter.frames(),
        reading: Reading {
            momentary: None,
            short_term: None,
            psr: None,
            correlation: None,
            ..meter.reading()
        },
        second: second.map(|second| second.reading()),
        non_finite: meter.non_finite(),
        info: reader.info().clone(), // FLAC knows some of it only at the end
        layout,
    })
}
