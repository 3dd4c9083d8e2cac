//! Repairing what came instead of stems: copies grouped by role, named, placed by time reference, of one length, one rate,
//! 24 bit. The files that came are only read.

mod plan;

use std::path::{Path, PathBuf};

use crate::bursts::{Burst, BurstDetector};
use crate::check::words::count;
use crate::clean::CleanReader;
use crate::clock::clock;
use crate::drift::rates;
use crate::output::is_input;
use crate::progress::{Progress, advance};
use crate::wrong_rate::likely_rate;
use audiofile::BLOCK;
use audiofile::SampleFormat;
use audiofile::error::{Error, Result, shown};
use audiofile::output::{check_output, remove_file, same_file};
use audiofile::resample::{Converted, Endless, converted_frames};
use audiofile::wav::{Bext, StoredFormat, WavSpec, WavWriter};
use dsp::dither::{Dither, Quantizer};
use dsp::{Block, Process};
pub use plan::title;
use plan::{FileGroup, FilePart};
use project::bundle::audio_files;
use session::role::Role;
use units::{Db, Hz};

/// A folder to be organized.
pub struct OrganizeJob<'a> {
    /// The folder that came.
    pub input: &'a Path,
    /// The folder to make.
    pub output: &'a Path,
    /// The rate; none: that of most files.
    pub rate: Option<Hz>,
    /// One stem for each role instead of one for each file.
    pub sum: bool,
    /// Replace files of the same names.
    pub overwrite: bool,
    /// The page that speaks for the files that are there now; it goes before the first is replaced.
    pub page: Option<&'a Path>,
}

/// A file made.
#[derive(Clone, Debug)]
pub struct OrganizedFile {
    /// Its path.
    pub path: PathBuf,
    /// Its role; none for a mix.
    pub role: Option<Role>,
    /// The files it was made from.
    pub sources: Vec<PathBuf>,
    /// The changes made, a phrase each.
    pub changes: Vec<String>,
}

/// The folder made.
#[derive(Clone, Debug)]
pub struct Organized {
    /// The files, in order.
    pub files: Vec<OrganizedFile>,
    /// Their rate.
    pub rate: Hz,
    /// Their length.
    pub frames: u64,
    /// The gain on everything, if something would have clipped.
    pub gain: Db,
    /// The faults that could not be repaired, a line each.
    pub faults: Vec<String>,
}

/// Below full scale by this much, where a common gain is needed.
const HEADROOM: Db = Db(0.1);

/// Makes the folder.
///
/// # Errors
/// Before any work if a file to write is there or another audio file lies in the output folder; else if a file cannot be
/// read, written, or the listener stops it. Then no file of it is left behind.
pub fn organize(job: &OrganizeJob<'_>, progress: &mut dyn Progress) -> Result<Organized> {
    let mut faults = Vec::new();
    let files = plan::files(job.input, &mut faults)?;
    let mut groups = plan::groups(job.input, files, job.sum, &mut faults, progress)?;
    faults.extend(source_faults(&groups));
    let start = plan::align(&mut groups).unwrap_or_else(|why| {
        faults.push(why);
        None
    });
    plan::find_drifts(&mut groups)?;
    let rate = job.rate.unwrap_or_else(|| plan::usual_rate(&groups));
    let frames = groups.iter().flat_map(|group| &group.parts).map(|part| end(part, rate)).max().unwrap_or(0);
    let paths = paths(job, &groups)?;

    let mut peak = 0.0_f64;
    let mut bursts = Vec::new();
    progress.begin("reading", frames * groups.len() as u64);
    for group in &groups {
        let mut stream = GroupStream::open(group, rate)?;
        let mut detector = BurstDetector::new(rate);
        each(&mut stream, frames, &paths[0], progress, |planes| {
            detector.process(planes);
            Ok(())
        })?;
        faults.extend(stream.faults()?);
        let found = detector.bursts();
        peak = peak.max(detector.peak_without(&found));
        bursts.push(found);
    }
    let gain = if peak > 1.0 { Db(0.0) - Db::from_gain(peak) - HEADROOM } else { Db(0.0) };

    for (path, found) in paths.iter().zip(&bursts) {
        faults.extend(found.iter().map(|burst| burst_fault(path, burst, rate, gain)));
    }

    let mut files = Vec::new();
    let mut writers = Vec::new();
    progress.begin("writing", frames * groups.len() as u64);
    for (group, path) in groups.iter().zip(&paths) {
        let reference = start.map_or(0, |seconds| (seconds * rate.0).round() as u64);
        writers.push(write(group, path, (rate, frames, gain), reference, job.overwrite, progress)?);
        files.push(OrganizedFile {
            path: path.clone(),
            role: group.role,
            sources: group.parts.iter().map(|part| part.path.clone()).collect(),
            changes: changes(group, path, rate, frames, gain),
        });
    }
    if let Some(page) = job.page {
        remove_file(page)?;
    }
    for writer in writers {
        writer.finish()?;
    }
    Ok(Organized { files, rate, frames, gain, faults })
}

/// Faults that the readers found in the files, a line each.
fn source_faults(groups: &[FileGroup]) -> Vec<String> {
    let parts = groups.iter().flat_map(|group| &group.parts);
    let lines = parts.clone().flat_map(|part| {
        let of_part = |fault| format!("{}: {fault}; export it again", shown(&part.path));
        part.info.warnings.iter().map(of_part)
    });
    let rates = parts.clone().filter_map(|part| {
        let others = groups.iter().flat_map(|group| &group.parts).map(|part| &part.info);
        let likely = likely_rate(&part.info, others)?;
        Some(format!(
            "{}: has {} Hz and exactly as many frames as files of {likely} Hz: its header most likely gives the wrong rate; \
             compare its pitch with the others, correct the header to {likely} Hz and organize again",
            shown(&part.path),
            part.info.rate.0
        ))
    });
    lines.chain(rates).collect()
}

/// The line on an isolated burst of a new file: what it is, and whether it was cut off.
fn burst_fault(path: &Path, burst: &Burst, rate: Hz, gain: Db) -> String {
    let cut = burst.peak * gain.gain() > 1.0;
    format!(
        "{}: isolated burst at {}, {:.0} dB over everything else{}; it did not set the level, listen there and repair it",
        shown(Path::new(path.file_name().unwrap_or_default())),
        clock(burst.frames.start, rate),
        burst.over.0,
        if cut { ", cut off at full scale" } else { "" }
    )
}

/// The end of a part, in frames at the new rate.
fn end(part: &FilePart, rate: Hz) -> u64 {
    let (from, to) = rates(part.info.rate, rate, part.drift);
    lead(part, rate) as u64 + converted_frames(part.info.frames, from, to)
}

/// The start of a part, in frames at the new rate.
fn lead(part: &FilePart, rate: Hz) -> usize {
    (part.late * rate.0).round() as usize
}

/// The files to write; none may be there, none may be one that came, and nothing else may lie there.
fn paths(job: &OrganizeJob<'_>, groups: &[FileGroup]) -> Result<Vec<PathBuf>> {
    let mut number = 0;
    let mut paths = Vec::new();
    for group in groups {
        let name = group.name.replace(' ', "_");
        let file = match group.role {
            None => format!("00_{name}.wav"),
            Some(_) => {
                number += 1;
                format!("{number:02}_{name}_Stem.wav")
            }
        };
        paths.push(job.output.join(file));
    }
    let fault = |path: &Path, fault: String, cure: &str| Error::Bundle {
        path: path.to_owned(),
        fault,
        cure: cure.into(),
    };
    if groups.iter().all(|group| group.role.is_none()) {
        return Err(fault(
            job.input,
            "holds nothing that can become a stem".into(),
            "export mono or stereo files",
        ));
    }
    for path in &paths {
        let came = |part: &&FilePart| same_file(&part.path, path);
        if groups.iter().flat_map(|group| &group.parts).any(|part| came(&part)) {
            return Err(is_input(
                path,
                "is one of the files that came".into(),
                "choose another output folder",
            ));
        }
        check_output(path, job.overwrite)?;
    }
    if job.output.is_dir()
        && let Some(other) = audio_files(job.output)?.iter().find(|file| !paths.contains(file))
    {
        return Err(fault(other, "would become a part of the new folder".into(), "choose an empty folder"));
    }
    Ok(paths)
}

/// The parts of a group in step, mixed.
struct GroupStream {
    parts: Vec<PartStream>,
    planes: Vec<Vec<f64>>,
}

struct PartStream {
    path: PathBuf,
    rate: Hz,
    source: Converted<CleanReader>,
    side: Option<usize>,
    /// Silence still to come before its first frame.
    lead: usize,
    planes: Vec<Vec<f64>>,
}

impl GroupStream {
    fn open(group: &FileGroup, rate: Hz) -> Result<Self> {
        let parts = group.parts.iter().map(|part| {
            let reader = CleanReader::open(&part.path)?;
            let (from, to) = rates(part.info.rate, rate, part.drift);
            Ok(PartStream {
                path: part.path.clone(),
                rate: part.info.rate,
                planes: vec![Vec::new(); part.info.channels],
                source: Converted::new(reader, from, to, &part.path)?,
                side: part.side,
                lead: lead(part, rate),
            })
        });
        Ok(Self { parts: parts.collect::<Result<_>>()?, planes: vec![Vec::new(); group.channels()] })
    }

    /// A line for each file with samples that are no audio and were read as silence.
    ///
    /// # Errors
    /// If that is most of a file.
    fn faults(&self) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        for part in &self.parts {
            let silenced = part.source.source().silenced();
            silenced.refuse_misscaled(&part.path)?;
            faults.extend(silenced.fault(&part.path, part.rate));
        }
        Ok(faults)
    }

    fn read(&mut self, frames: usize) -> Result<&mut [Vec<f64>]> {
        for plane in &mut self.planes {
            plane.clear();
            plane.resize(frames, 0.0);
        }
        for voice in &mut self.parts {
            let silent = voice.lead.min(frames);
            voice.lead -= silent;
            voice.source.pull(&mut voice.planes, frames - silent)?;
            for (side, plane) in self.planes.iter_mut().enumerate() {
                if voice.side.is_some_and(|own| own != side) {
                    continue;
                }
                let from = voice.planes.get(side).unwrap_or(&voice.planes[0]);
                plane[silent..].iter_mut().zip(from).for_each(|(to, x)| *to += x);
            }
        }
        Ok(&mut self.planes)
    }
}

/// Runs a stream to `frames`.
fn each(
    stream: &mut GroupStream,
    frames: u64,
    path: &Path,
    progress: &mut dyn Progress,
    mut with: impl FnMut(&mut [Vec<f64>]) -> Result<()>,
) -> Result<()> {
    let mut left = frames;
    while left > 0 {
        let frames = left.min(BLOCK as u64) as usize;
        with(stream.read(frames)?)?;
        left -= frames as u64;
        advance(progress, frames as u64, path)?;
    }
    Ok(())
}

/// True if every sample of the new file is one of an old file, as it was.
fn is_exact(group: &FileGroup, rate: Hz, gain: Db) -> bool {
    let fits = |part: &FilePart| matches!(part.info.format, SampleFormat::Int { bits } if bits <= 24);
    let alone = group.parts.len() == 1
        || group.parts.iter().all(|part| part.side.is_some()) && group.parts.len() == 2;
    let as_it_was = |part: &FilePart| fits(part) && part.info.rate == rate && part.drift == 0.0;
    alone && gain.0 == 0.0 && group.parts.iter().all(as_it_was)
}

fn write(
    group: &FileGroup,
    path: &Path,
    (rate, frames, gain): (Hz, u64, Db),
    reference: u64,
    overwrite: bool,
    progress: &mut dyn Progress,
) -> Result<WavWriter> {
    let mut bext = Bext {
        description: group.name.clone(),
        originator: "Stemlink".into(),
        time_reference: reference,
        coding_history: format!("A=PCM,F={},W=24,T=Stemlink {}\r\n", rate.0, env!("CARGO_PKG_VERSION")),
        ..Bext::default()
    };
    if let Some(codec) = group.parts.iter().find_map(|part| part.info.lossy) {
        bext.add_source_codec(codec);
    }
    for part in &group.parts {
        let name = shown(Path::new(part.path.file_name().unwrap_or_default()));
        part.info.warnings.iter().for_each(|fault| bext.add_source_fault(&format!("{name} {fault}")));
    }
    let channels = group.channels();
    let spec = WavSpec { bext: Some(bext), ..WavSpec::new(rate, channels, StoredFormat::Int24) };
    let mut writer = WavWriter::create(path, spec, overwrite)?;
    let mut quantizer = Quantizer::named(rate, &group.name);
    quantizer.set(if is_exact(group, rate, gain) { &Dither::Off } else { &Dither::Bits24 });
    let factor = gain.gain();
    let mut spare = Vec::new();
    let mut stream = GroupStream::open(group, rate)?;
    each(&mut stream, frames, path, progress, |planes| {
        if gain.0 != 0.0 {
            planes.iter_mut().flatten().for_each(|x| *x *= factor);
        }
        match &mut *planes {
            [left, right] => quantizer.process(&mut Block::new(left, right)),
            [single, ..] => {
                spare.clear();
                spare.resize(single.len(), 0.0);
                quantizer.process(&mut Block::new(single, &mut spare));
            }
            [] => {}
        }
        writer.write_planar(planes)
    })?;
    Ok(writer)
}

/// The changes that make the file, a phrase each.
fn changes(group: &FileGroup, path: &Path, rate: Hz, frames: u64, gain: Db) -> Vec<String> {
    let mut changes = Vec::new();
    let name = |path: &Path| shown(Path::new(path.file_name().unwrap_or_default()));
    match group.parts.as_slice() {
        [part] if part.path.file_name() == path.file_name() => {}
        [part] => changes.push(format!("renamed from {}", name(&part.path))),
        parts if parts.iter().all(|part| part.side.is_some()) && parts.len() == 2 => {
            changes.push("two mono files joined to stereo".into());
        }
        parts => changes.push(format!("sum of {} files", parts.len())),
    }
    let mut add = |change: String| {
        if !changes.contains(&change) {
            changes.push(change);
        }
    };
    for part in &group.parts {
        let info = &part.info;
        let samples = lead(part, rate);
        if samples > 0 {
            add(format!("moved {samples} samples later"));
        }
        if part.drift != 0.0 {
            add(format!("drift of {:.1} ppm against the mix taken out", part.drift * 1e6));
        }
        if info.rate != rate {
            add(format!("{} Hz to {} Hz", info.rate.0, rate.0));
        }
        match info.format {
            _ if let Some(codec) = info.lossy.filter(|_| info.is_compressed()) => {
                add(format!("decoded from {codec} to 24 bit"));
            }
            SampleFormat::Int { bits: 24 } => {}
            SampleFormat::Int { bits } => add(format!("{bits} bit to 24 bit")),
            SampleFormat::Float { bits } => add(format!("{bits}-bit float to 24 bit")),
        }
        let short = frames.saturating_sub(end(part, rate));
        if short > 0 {
            add(if short as f64 > rate.0 {
                format!("{} of silence at the end", clock(short, rate))
            } else {
                format!("{} of silence at the end", count(short, "sample"))
            });
        }
        for warning in &info.warnings {
            add(format!("{}: {warning}", name(&part.path)));
        }
    }
    if gain.0 != 0.0 {
        add(format!("{:.2} dB, as all files, to stay below full scale", gain.0));
    }
    changes
}
