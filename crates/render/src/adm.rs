//! Atmos-ready ADM BWF: stems to a 7.1.2 bed and objects, steered to a loudness, written, read back and checked.
//!
//! The file follows the Dolby Atmos Master ADM profile as MediaInfo tests it; the loudness is that of a 5.1 render of
//! our own (`panner`), which is the EBU renderer's for such files. One static gain steers it: balance and dynamics stay
//! those of the stems.

mod axml;
mod bed;
mod chunks;
mod conform;
mod low_pass;
mod panner;
mod plan;
#[cfg(test)]
mod tests;
mod tracks;

use std::path::{Path, PathBuf};

use crate::master::is_heard;
use crate::output::check_free;
use crate::progress::{Progress, advance};
use crate::verify::{SecondMeter, SecondReading, agree};
use audiofile::AudioReader;
use audiofile::error::Result;
use audiofile::output::remove_file;
use audiofile::wav::{Chunk, Place as ChunkPlace, StoredFormat, WavSpec, WavWriter};
pub use bed::{BED, BedChannel};
pub use conform::Conformance;
use dsp::dither::{Dither, Quantizer};
use dsp::{Block, Process};
use meter::layout::Layout;
use meter::peak_check::PeakCheck;
use meter::{Meter, Reading};
pub use plan::{AtmosPlan, AtmosTrack, MAX_OBJECTS, Route};
use project::bundle::Bundle;
use project::session::Session;
pub use tracks::RATE;
use tracks::TrackStreams;
use units::{Db, Dbtp, Lufs};

/// The name of the renderer wherever its loudness is shown.
pub const RENDERER: &str = "own 5.1 render (EBU renderer, BS.2127 Cartesian)";
/// The render shall not be louder.
pub const MAX_LOUDNESS: Lufs = Lufs(-18.0);
/// Neither the render nor a track shall peak higher.
pub const MAX_PEAK: Dbtp = Dbtp(-1.0);
/// Peaks are steered to this much below the limit: other renderers sum a little differently.
const PEAK_MARGIN: Db = Db(0.1);
/// Below this some distributors take the file for a mistake.
const SUSPICIOUSLY_QUIET: Lufs = Lufs(-31.0);
/// 5.1 in WAVE order.
const FIVE_ONE: u32 = 0x3f;

/// An Atmos file to be made.
pub struct AtmosJob<'a> {
    /// The stems.
    pub bundle: &'a Bundle,
    /// Their chains and places.
    pub session: &'a Session,
    /// The file to write.
    pub output: PathBuf,
    /// Replace what is there.
    pub overwrite: bool,
    /// The page that speaks for the file that is there now; it goes just before the file is replaced.
    pub page: Option<&'a Path>,
}

/// The limit that decided the gain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GainLimit {
    /// The loudness aimed at.
    Loudness,
    /// The true peak of the render.
    RenderPeak,
    /// The true peak of a track.
    TrackPeak,
    /// There is nothing to hear.
    Silence,
}

/// The file made.
#[derive(Clone, Debug)]
pub struct AtmosFile {
    /// The file.
    pub path: PathBuf,
    /// Its tracks and the ways to them.
    pub plan: AtmosPlan,
    /// Frames.
    pub frames: u64,
    /// The static gain on everything.
    pub gain: Db,
    /// The limit that decided the gain.
    pub stop: GainLimit,
    /// Reading of the 5.1 render of the file as read back.
    pub reading: Reading,
    /// The second meter's.
    pub second: Option<SecondReading>,
    /// The render's strict true peak.
    pub strict_peak: Option<Dbtp>,
    /// The findings of our conformance check.
    pub conformance: Conformance,
    /// Conforms, both meters agree, loudness and peak hold.
    pub verified: bool,
    /// No sample of a stem was silenced because no audio has it, and something is heard.
    pub complete: bool,
    /// Sentences for the user.
    pub warnings: Vec<String>,
}

/// Measurements of one pass over the tracks.
struct TrackLevels {
    reading: Reading,
    render_peak: f64,
    track_peak: f64,
    loudest_track: usize,
}

/// Makes the file.
///
/// # Errors
/// Before any work if the output exists or is a stem, or the stems do not fit into an Atmos file; else if a stem cannot be
/// read, the output cannot be written, or the listener stops it. Nothing is left behind then.
pub fn make(job: &AtmosJob<'_>, progress: &mut dyn Progress) -> Result<AtmosFile> {
    let output = &job.output;
    check_free(output, job.bundle, job.overwrite, "choose another file")?;
    let plan = AtmosPlan::new(job.bundle, job.session)?;
    let mut tracks = TrackStreams::open(job.bundle, job.session, &plan)?;
    let frames = tracks.frames();
    let pass = measure(&mut tracks, &plan, output, progress)?;
    let mut warnings = tracks.faults();
    let complete = warnings.is_empty();
    drop(tracks);
    let (gain, stop) = steer(&pass, job.session.adm.aim);
    write(job, &plan, gain, frames, progress)?;
    let conformance = conform::check(output)?;
    let FileLevels { reading, second, strict } = read_back(output, &conformance, progress)?;
    let strict_peak = Dbtp::from_amplitude(strict);
    let quiet_enough = reading.integrated.is_none_or(|loudness| loudness.0 <= MAX_LOUDNESS.0);
    let verified = conformance.faults.is_empty()
        && second.is_some_and(|second| agree(&reading, &second))
        && quiet_enough
        && is_heard(&reading)
        && strict <= MAX_PEAK.amplitude();
    match (stop, reading.integrated) {
        (GainLimit::TrackPeak, Some(_)) => warnings.push(format!(
            "the peak of {} holds the gain down; limit that stem or move it into the bed",
            plan.tracks[pass.loudest_track].name
        )),
        (GainLimit::Silence, _) => {
            warnings.push("there is nothing to hear; check the stems with stems check".into());
        }
        _ => {}
    }
    if let Some(loudness) = reading.integrated.filter(|l| l.0 < SUSPICIOUSLY_QUIET.0) {
        warnings.push(format!(
            "{:.1} LUFS is below {:.0} LUFS, which some distributors take for a mistake",
            loudness.0, SUSPICIOUSLY_QUIET.0
        ));
    }
    Ok(AtmosFile {
        path: output.clone(),
        plan,
        frames,
        gain,
        stop,
        reading,
        second,
        strict_peak,
        conformance,
        verified,
        complete: complete && is_heard(&reading),
        warnings,
    })
}

/// The gain that lands on the aim, as far as peaks allow.
fn steer(pass: &TrackLevels, aim: Lufs) -> (Db, GainLimit) {
    let Some(now) = pass.reading.integrated else { return (Db(0.0), GainLimit::Silence) };
    let room = |peak: f64| Db(MAX_PEAK.0) - PEAK_MARGIN - Db::from_gain(peak);
    let wanted = Db((aim - now).0);
    let (render, track) = (room(pass.render_peak), room(pass.track_peak));
    let gain = wanted.min(render).min(track);
    let stop = match () {
        () if gain == wanted => GainLimit::Loudness,
        () if gain == render => GainLimit::RenderPeak,
        () => GainLimit::TrackPeak,
    };
    (gain, stop)
}

/// A 5.1 render in the making.
struct SurroundRender {
    gains: Vec<[f64; panner::CHANNELS]>,
    out: Vec<Vec<f64>>,
    meter: Meter,
    peaks: Vec<PeakCheck>,
}

impl SurroundRender {
    fn new(gains: Vec<[f64; panner::CHANNELS]>) -> Self {
        let layout = Layout::new(panner::CHANNELS, Some(FIVE_ONE));
        Self {
            gains,
            out: vec![Vec::new(); panner::CHANNELS],
            meter: Meter::new(RATE, &layout),
            peaks: (0..panner::CHANNELS).map(|_| PeakCheck::new()).collect(),
        }
    }

    /// Takes a block of all tracks.
    fn process(&mut self, tracks: &[Vec<f64>]) {
        let frames = tracks.first().map_or(0, Vec::len);
        for (channel, out) in self.out.iter_mut().enumerate() {
            out.clear();
            out.resize(frames, 0.0);
            for (track, gains) in tracks.iter().zip(&self.gains) {
                let gain = gains[channel];
                if gain != 0.0 {
                    out.iter_mut().zip(track).for_each(|(y, x)| *y += gain * x);
                }
            }
        }
        let channels: Vec<&[f64]> = self.out.iter().map(Vec::as_slice).collect();
        self.meter.process(&channels);
        for (peak, out) in self.peaks.iter_mut().zip(&self.out) {
            peak.process(out);
        }
    }

    /// The reading and the strict peak, linear.
    fn finish(mut self) -> (Reading, f64) {
        self.peaks.iter_mut().for_each(PeakCheck::finish);
        let peak = self.peaks.iter().map(PeakCheck::peak).fold(0.0, f64::max);
        (self.meter.reading(), peak)
    }
}

/// Measures all tracks before the gain.
fn measure(
    tracks: &mut TrackStreams,
    plan: &AtmosPlan,
    output: &Path,
    progress: &mut dyn Progress,
) -> Result<TrackLevels> {
    let mut render = SurroundRender::new(plan.render());
    let mut peaks: Vec<PeakCheck> = plan.tracks.iter().map(|_| PeakCheck::new()).collect();
    progress.begin("measuring", tracks.frames());
    loop {
        let frames = tracks.read()?;
        if frames == 0 {
            break;
        }
        render.process(tracks.block());
        for (peak, track) in peaks.iter_mut().zip(tracks.block()) {
            peak.process(track);
        }
        advance(progress, frames as u64, output)?;
    }
    peaks.iter_mut().for_each(PeakCheck::finish);
    let (reading, render_peak) = render.finish();
    let peaks = peaks.iter().map(PeakCheck::peak).enumerate();
    let (loudest_track, track_peak) =
        peaks.fold((0, 0.0), |most, this| if this.1 > most.1 { this } else { most });
    Ok(TrackLevels { reading, render_peak, track_peak, loudest_track })
}

/// Writes the file.
fn write(
    job: &AtmosJob<'_>,
    plan: &AtmosPlan,
    gain: Db,
    frames: u64,
    progress: &mut dyn Progress,
) -> Result<()> {
    let count = plan.tracks.len();
    let chunk = |id: &[u8; 4], bytes: Vec<u8>| Chunk { id: *id, bytes, place: ChunkPlace::AfterData };
    let mut spec = WavSpec::new(RATE, count, StoredFormat::Int24);
    spec.chunks = vec![
        chunk(b"axml", axml::document(&plan.tracks, frames, RATE).into_bytes()),
        chunk(b"chna", chunks::chna(count)),
        chunk(b"dbmd", chunks::dbmd(&plan.tracks)),
    ];
    let mut writer = WavWriter::create(&job.output, spec, job.overwrite)?;
    let mut tracks = TrackStreams::open(job.bundle, job.session, plan)?;
    let mut quantizers: Vec<Quantizer> = (0..count.div_ceil(2)).map(quantizer).collect();
    let factor = gain.gain();
    let mut spare = Vec::new();
    progress.begin("writing", frames);
    loop {
        let frames = tracks.read()?;
        if frames == 0 {
            break;
        }
        let block = tracks.block_mut();
        block.iter_mut().flatten().for_each(|x| *x *= factor);
        for (pair, quantizer) in block.chunks_mut(2).zip(&mut quantizers) {
            match pair {
                [left, right] => quantizer.process(&mut Block::new(left, right)),
                [single] => {
                    spare.clear();
                    spare.resize(frames, 0.0);
                    quantizer.process(&mut Block::new(single, &mut spare));
                }
                _ => {}
            }
        }
        writer.write_planar(block)?;
        advance(progress, frames as u64, &job.output)?;
    }
    if let Some(page) = job.page {
        remove_file(page)?;
    }
    writer.finish()?;
    Ok(())
}

/// The dither of a pair of tracks: the noises of all tracks do not add up in a render.
fn quantizer(pair: usize) -> Quantizer {
    let mut quantizer = Quantizer::named(RATE, &pair.to_string());
    quantizer.set(&Dither::Bits24);
    quantizer
}

/// Measurements of the file as read back.
struct FileLevels {
    reading: Reading,
    second: Option<SecondReading>,
    strict: f64,
}

/// Renders the file from what it says of itself, with both meters.
fn read_back(path: &Path, conformance: &Conformance, progress: &mut dyn Progress) -> Result<FileLevels> {
    let mut reader = AudioReader::open(path)?;
    let info = reader.info().clone();
    let mut render = SurroundRender::new(plan::rendering(conformance.positions.iter().copied()));
    let layout = Layout::new(panner::CHANNELS, Some(FIVE_ONE));
    let mut second = SecondMeter::new(info.rate, &layout);
    progress.begin("verifying", info.frames);
    reader.each_block(|planes| {
        render.process(planes);
        if let Some(second) = &mut second {
            let channels: Vec<&[f64]> = render.out.iter().map(Vec::as_slice).collect();
            second.process(&channels);
        }
        advance(progress, planes[0].len() as u64, path)
    })?;
    let (reading, strict) = render.finish();
    Ok(FileLevels { reading, second: second.map(|second| second.reading()), strict })
}
