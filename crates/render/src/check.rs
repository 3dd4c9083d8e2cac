//! Checks a bundle: everything that is wrong with a folder of stems, each with its cure.
//!
//! [`check`] reads every file once (`measure`), compares what the files say of themselves (`formats`, `names`)
//! and hold (`levels`), then the stems with each other (`pairs`) or, where there is a mix, with that (`null`).
//! Files that cannot be read are findings like others. Memory is bounded by the number of stems, not their length;
//! only a mix that does not null is held as a whole, once, while it is asked why.

mod clips;
mod dc;
mod events;
mod fault;
mod flat_tops;
mod formats;
mod levels;
mod loudest;
mod measure;
mod names;
mod null;
mod pairs;
mod related;
mod seek;
mod solve;
mod subject;
mod summed;
mod ticks;
mod track;
pub(crate) mod words;

#[cfg(test)]
mod tests;

use crate::progress::{Progress, advance};
use audiofile::AudioInfo;
use audiofile::error::{Error, Result};
pub use fault::{Check, Fault, Severity};
pub(crate) use levels::is_called_click;
pub use null::{Again, NullTest, NullVerdict, StemFit};
use project::bundle::{Bundle, stem_name};
pub(crate) use seek::Excerpts;
use session::role::Role;
use std::path::{Path, PathBuf};
use subject::{Subject, file_name};
use summed::Summed;
pub(crate) use track::SampleTrack;
use units::{Db, Dbtp, decibels};

/// Options of a check.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The mix for the null test. Without it, a file of the folder that is called mix is taken.
    pub mix: Option<PathBuf>,
}

/// Reason for which a file stood as the mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MixChoice {
    /// It was given.
    Given,
    /// Its name says so.
    Name,
    /// It is the sum of all other files.
    Sum,
}

/// The file that stood as the mix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixUsed {
    /// Its path.
    pub path: PathBuf,
    /// The reason for which it was taken.
    pub chosen: MixChoice,
}

/// A stem that could be read.
#[derive(Clone, Debug)]
pub struct CheckedStem {
    /// File name as it may be shown.
    pub file: String,
    /// The stem's name.
    pub name: String,
    /// The properties that its file states.
    pub info: AudioInfo,
    /// Highest sample; `None` for digital silence.
    pub sample_peak: Option<Db>,
    /// Highest true peak; `None` for digital silence.
    pub true_peak: Option<Dbtp>,
}

/// All that was found.
#[derive(Clone, Debug)]
pub struct CheckReport {
    /// The findings, in the order of [`Check::ALL`] and then of the files.
    pub faults: Vec<Fault>,
    /// The mix, if there was one.
    pub mix: Option<MixUsed>,
    /// The null test; `None` without a mix or if nothing could be compared.
    pub null: Option<NullTest>,
    /// The stems that could be read.
    pub stems: Vec<CheckedStem>,
}

impl CheckReport {
    /// True if there is more than advice.
    pub fn has_faults(&self) -> bool {
        self.faults.iter().any(|fault| fault.severity == Severity::Fault)
    }
}

/// Checks the stems in `dir`.
///
/// # Errors
/// If the folder cannot be read or holds no stem, the given mix cannot be opened, or `progress` says stop. Files that
/// cannot be read are findings.
pub fn check(dir: &Path, options: &Options, progress: &mut dyn Progress) -> Result<CheckReport> {
    let (paths, left_out) = Bundle::list(dir, options.mix.as_deref())?;
    let folder = file_name(&std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned()));
    let mut faults = names::advice(&paths, &folder);
    let mut mix = match &options.mix {
        Some(mix) => Some(MixUsed { path: mix.clone(), chosen: MixChoice::Given }),
        None => {
            let (mix, advice) = names::mix_among(&left_out);
            faults.extend(advice);
            mix.map(|path| MixUsed { path, chosen: MixChoice::Name })
        }
    };
    faults.extend(formats::unread(dir)?);
    let stems = subjects(&paths, &mut faults, progress)?;
    faults.extend(formats::faults(&stems, &folder));
    faults.extend(stems.iter().flat_map(levels::of_stem));
    faults.extend(equal_sides(&stems, &folder));
    let mut mix_subject = match &mix {
        Some(used) => subject(&used.path, used.chosen == MixChoice::Given, &mut faults, progress)?,
        None => None,
    };
    faults.extend(formats::start_times(stems.iter().chain(&mix_subject)));

    let rate = formats::usual(stems.iter().map(|stem| stem.info.rate.0));
    let is_usual = |stem: &Subject| rate.is_none_or(|rate| stem.info.rate.0 == rate);
    let (mut stems, of_other_rates): (Vec<Subject>, Vec<Subject>) = stems.into_iter().partition(is_usual);
    let without = paths.len() - stems.len();
    let Summed { found, mix: summed, related } = summed::take_sums(&mut stems, mix.is_some(), progress)?;
    faults.extend(found);
    if let Some(found) = summed {
        mix = Some(MixUsed { path: found.path.clone(), chosen: MixChoice::Sum });
        mix_subject = Some(found);
    }
    let of_one_rate: Vec<&Subject> = stems.iter().collect();
    let duplicates = pairs::duplicates(&of_one_rate, progress)?;
    faults.extend(pairs::duplicate_faults(&of_one_rate, &duplicates));
    let mut null = None;
    let mut compared = None;
    if let Some(mix) = &mix_subject {
        faults.extend(levels::of_mix(mix));
        let (beside, frames) = formats::beside(mix, &stems);
        faults.extend(beside);
        compared = frames;
    }
    if let (Some(mix), Some(compared)) = (&mix_subject, compared) {
        let (tested, mut found) = null::test(&of_one_rate, mix, compared.frames, &duplicates, progress)?;
        if without > 0 && found.iter().any(|fault| fault.check == Check::Null) {
            found.retain(|fault| !matches!(fault.check, Check::Null | Check::Unaccounted));
            found.push(without_all(mix, without));
        }
        let of_rest = |fault: &Fault| matches!(fault.check, Check::Null | Check::Unaccounted);
        if let Some(codec) = lossy(mix, &of_one_rate)
            && tested.coverage >= MIN_LOSSY_COVERAGE
            && found.iter().any(of_rest)
        {
            found.retain(|fault| !of_rest(fault));
            found.push(lossy_rest(mix, &tested, codec));
        }
        faults.extend(found);
        null = Some(tested);
    } else {
        faults.extend(pairs::bleed(&of_one_rate, &related, &duplicates, progress)?);
    }
    let order = |fault: &Fault| Check::ALL.iter().position(|check| *check == fault.check);
    faults.sort_by_key(order);
    let stems = stems.iter().chain(&of_other_rates).map(summary).collect();
    Ok(CheckReport { faults, mix, null, stems })
}

/// One line on the stereo stems whose sides are equal. A bass has no sides.
fn equal_sides(stems: &[Subject], folder: &str) -> Option<Fault> {
    let mono: Vec<&Subject> = stems
        .iter()
        .filter(|stem| {
            levels::has_equal_sides(stem) && !levels::is_silent(stem) && Role::guess(&stem.name) != Role::Bass
        })
        .collect();
    let (file, fault) = match mono[..] {
        [] => return None,
        [one] => (one.file.as_str(), "has the same in both sides".to_owned()),
        _ => {
            let names: Vec<&str> = mono.iter().map(|stem| stem.name.as_str()).collect();
            (folder, format!("has stems with the same in both sides: {}", names.join(", ")))
        }
    };
    let cure = "it is mono: export it so, unless it was wide and the width was lost";
    Some(Fault::new(Check::EqualSides, file, fault, cure).advice())
}

/// The null test says nothing when not all stems were there.
fn without_all(mix: &Subject, without: usize) -> Fault {
    let stems = words::count(without as u64, "stem");
    let fault =
        format!("was compared without {stems} that cannot be read or have another rate, and does not null");
    Fault::new(Check::Null, &mix.file, fault, "put those right and check again").advice()
}

/// The part of a mix that stems have to account for, 10 dB over what is left, for the rest to be a codec's.
const MIN_LOSSY_COVERAGE: f64 = 0.9;

/// The codec of the mix or of one of the stems that is lossy.
fn lossy(mix: &Subject, stems: &[&Subject]) -> Option<&'static str> {
    std::iter::once(mix).chain(stems.iter().copied()).find_map(|subject| subject.info.lossy)
}

/// The finding on what lossy files leave: noise of a codec is no missing stem.
fn lossy_rest(mix: &Subject, null: &NullTest, codec: &str) -> Fault {
    let left = null.corrected_rms_dbfs.map_or("nothing".to_owned(), |rms| format!("{rms:.1} dBFS RMS"));
    let fault = format!(
        "leaves {left} without the stems, which cannot be told from what {codec} has changed in the files"
    );
    Fault::new(Check::Null, &mix.file, fault, "compare WAV or FLAC files to be sure").advice()
}

/// Reads the stems; those that cannot be read become findings.
fn subjects(paths: &[PathBuf], faults: &mut Vec<Fault>, progress: &mut dyn Progress) -> Result<Vec<Subject>> {
    let mut stems: Vec<Subject> = Vec::new();
    for path in paths {
        stems.extend(subject(path, false, faults, progress)?);
    }
    let lower: Vec<String> = stems.iter().map(|stem| stem.name.to_lowercase()).collect();
    for (index, stem) in stems.iter_mut().enumerate() {
        if lower.iter().enumerate().any(|(other, name)| other != index && *name == lower[index]) {
            stem.name.clone_from(&stem.file);
        }
    }
    Ok(stems)
}

/// Reads one file. `required`: that it cannot be opened at all is an error, not a finding.
fn subject(
    path: &Path,
    required: bool,
    faults: &mut Vec<Fault>,
    progress: &mut dyn Progress,
) -> Result<Option<Subject>> {
    let file = file_name(path);
    let frames = audiofile::AudioReader::open(path).map_or(0, |reader| reader.info().frames);
    progress.begin(&format!("reading {file}"), frames);
    let read = measure::measure(path, &mut |frames| advance(progress, frames, path));
    match read {
        Ok((info, measured)) => {
            let subject = Subject { path: path.to_owned(), file, name: stem_name(path), info, measured };
            faults.extend(formats::readable(&subject));
            Ok(Some(subject))
        }
        Err(error @ Error::Interrupted { .. }) => Err(error),
        Err(error @ Error::Open { .. }) if required => Err(error),
        Err(error) => {
            faults.push(unreadable(&file, path, &error));
            Ok(None)
        }
    }
}

/// An error's one line, `path: fault; cure`, taken apart.
fn unreadable(file: &str, path: &Path, error: &Error) -> Fault {
    let line = error.to_string();
    let line = line.strip_prefix(&format!("{}: ", audiofile::error::shown(path))).unwrap_or(&line);
    let (fault, cure) = line.rsplit_once("; ").unwrap_or((line, "export it again"));
    Fault::new(Check::Readable, file, fault, cure)
}

fn summary(stem: &Subject) -> CheckedStem {
    let sample_peak = stem.measured.sample_peak;
    CheckedStem {
        file: stem.file.clone(),
        name: stem.name.clone(),
        info: stem.info.clone(),
        sample_peak: (sample_peak > 0.0).then(|| Db(decibels(sample_peak))),
        true_peak: Dbtp::from_amplitude(stem.measured.true_peak.0),
    }
}
