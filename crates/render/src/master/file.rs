//! The master as a file: written, and read back.

use std::path::Path;

use super::final_stage::{FinalStage, KeptRun};
use super::job::MasterJob;
use super::mastered::Unlimited;
use super::plan::Prepared;
use super::spool::Spool;
use crate::measure::{Measured, measure};
use crate::mixdown::to_single;
use crate::progress::Progress;
use crate::verify::{SecondReading, agree, is_as_rendered};
use crate::wav_loudness::wav_loudness;
use audiofile::error::{Result, shown};
use audiofile::wav::{Bext, StoredFormat, WavSpec, WavWriter};
use dsp::dither::Dither;
use meter::layout::Layout;
use meter::{Meter, Reading};
use units::Db;

/// Writes the master, measures it while at it, lowers the limiter's ceiling and writes again until it holds. Gives the run that
/// was written.
pub(super) fn write(
    prepared: &mut Prepared,
    job: &MasterJob<'_>,
    progress: &mut dyn Progress,
) -> Result<KeptRun> {
    let stage = &prepared.stage;
    let format = match stage.settings.dither {
        Dither::Bits16 | Dither::Bits16Shaped => StoredFormat::Int16,
        Dither::Off | Dither::Bits24 => StoredFormat::Int24,
    };
    let rate = stage.rate;
    let start = || {
        let spec =
            WavSpec { bext: Some(bext(job)), chunks: job.tags.chunks(), ..WavSpec::new(rate, 2, format) };
        WavWriter::create(&job.output, spec, job.overwrite)
    };
    let (mut writer, kept) =
        prepared.render(job, "writing", progress, start, |writer, out| writer.write_planar(&out))?;
    writer.set_loudness(wav_loudness(&kept.reading));
    writer.finish()?;
    Ok(kept)
}

/// Writes the master as it stands before its limiter to `path`: level, no ceiling, 32-bit float, not dithered.
pub(super) fn write_unlimited(
    stage: &FinalStage,
    spool: &Spool,
    level: Db,
    path: &Path,
    job: &MasterJob<'_>,
    progress: &mut dyn Progress,
) -> Result<Unlimited> {
    let mut open = stage.without_limiter();
    let spec = WavSpec { bext: Some(bext(job)), ..WavSpec::new(stage.rate, 2, StoredFormat::Float32) };
    let mut writer = WavWriter::create(path, spec, job.overwrite)?;
    progress.begin("writing", spool.frames());
    // What is read back is what the file can hold.
    let mut meter = Meter::new(stage.rate, &Layout::stereo());
    open.run(spool, level, progress, |left, right| {
        let mut single = [left.to_vec(), right.to_vec()];
        to_single(single.each_mut());
        meter.process(&single.each_ref().map(Vec::as_slice));
        writer.write_planar(&single)
    })?;
    let reading = meter.reading();
    writer.set_loudness(wav_loudness(&reading));
    writer.finish()?;
    let (measured, verified) = read_back(path, &reading, None, spool.frames(), progress)?;
    Ok(Unlimited { path: path.to_owned(), measured, verified })
}

/// Measures what was written; true if both meters agree on it, and it is what was rendered. `second`: the second meter's reading
/// of what was rendered; without it that meter reads the file too.
pub(super) fn read_back(
    path: &Path,
    rendered: &Reading,
    second: Option<SecondReading>,
    frames: u64,
    progress: &mut dyn Progress,
) -> Result<(Measured, bool)> {
    let mut measured = measure(path, second.is_none(), "verifying", progress)?;
    measured.second = measured.second.or(second);
    let agrees = measured.second.is_some_and(|second| agree(&measured.reading, &second));
    let as_rendered = is_as_rendered(&measured.reading, rendered) && measured.frames == frames;
    Ok((measured, agrees && as_rendered))
}

/// The broadcast extension of the master, which keeps the faults of the files it is made from.
pub(super) fn bext(job: &MasterJob<'_>) -> Bext {
    let mut bext = Bext {
        description: format!(
            "Master of {}",
            shown(job.bundle.dir.file_name().map_or(&job.bundle.dir, Path::new))
        ),
        originator: "Stemlink".into(),
        version: 2,
        coding_history: format!("A=PCM,T=Stemlink {}\r\n", env!("CARGO_PKG_VERSION")),
        ..Bext::default()
    };
    job.bundle.note_sources(&mut bext);
    bext
}
