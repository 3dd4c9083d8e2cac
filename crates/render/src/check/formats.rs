//! Faults in the properties of the files: rate, format, channels, length, start.

use super::fault::{Check, Fault};
use super::subject::{Subject, file_name};
use super::words::{count, later, samples};
use crate::rates::usual_rate_near;
use crate::wrong_rate::likely_rate;
use audiofile::SampleFormat;
use audiofile::error::Result;
use project::unread::{UnreadFile, folders_of_audio, out_of_time, unread_files};
use std::path::Path;

/// The lowest sampling rate that is asked for.
const LOWEST_RATE: f64 = 44_100.0;

/// Faults among the stems; `folder` names what they all share.
pub(super) fn faults(stems: &[Subject], folder: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    faults.extend(rates(stems, folder));
    shared(&mut faults, stems, folder, low_rate);
    shared(&mut faults, stems, folder, odd_rate);
    faults.extend(formats(stems, folder));
    shared(&mut faults, stems, folder, bit_depth);
    faults.extend(channels(stems, folder));
    faults.extend(lengths(stems));
    faults
}

/// The value that most stems have; among equals that of the first. `None` if all have one or there is none.
pub(super) fn usual<T: PartialEq>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts: Vec<(T, usize)> = Vec::new();
    for value in values {
        match counts.iter_mut().find(|(known, _)| *known == value) {
            Some((_, count)) => *count += 1,
            None => counts.push((value, 1)),
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max()?;
    (counts.len() > 1).then(|| counts.into_iter().find(|(_, count)| *count == most)).flatten().map(|(v, _)| v)
}

/// The value that most of more than two stems have.
fn majority<T: PartialEq + Copy>(values: impl Iterator<Item = T> + Clone) -> Option<T> {
    let (all, usual) = (values.clone().count(), usual(values.clone())?);
    let same = values.filter(|value| *value == usual).count();
    (all > 2 && 2 * same > all).then_some(usual)
}

/// Files that are named where they disagree.
const MAX_NAMED: usize = 4;

/// The finding where stems disagree and no value is that of most: `have different sampling rates: a.wav 44100 Hz, ...`.
fn mixed<T: PartialEq + Copy>(
    check: Check,
    stems: &[&Subject],
    folder: &str,
    what: &str,
    value: impl Fn(&Subject) -> T,
    said: impl Fn(T) -> String,
    cure: &str,
) -> Vec<Fault> {
    if stems.windows(2).all(|pair| value(pair[0]) == value(pair[1])) {
        return Vec::new();
    }
    let told = stems.iter().take(MAX_NAMED).map(|stem| format!("{} {}", stem.file, said(value(stem))));
    let mut told = told.collect::<Vec<_>>().join(", ");
    if stems.len() > MAX_NAMED {
        told += &format!(" and {} more", stems.len() - MAX_NAMED);
    }
    vec![Fault::new(check, folder, format!("has stems of different {what}: {told}"), cure)]
}

/// Adds the fault of every stem that has one, as one fault of the folder when all stems have the same.
fn shared(
    faults: &mut Vec<Fault>,
    stems: &[Subject],
    folder: &str,
    fault_of: impl Fn(&Subject) -> Option<Fault>,
) {
    let found: Vec<Fault> = stems.iter().filter_map(fault_of).collect();
    let alike = found.windows(2).all(|pair| pair[0].fault == pair[1].fault);
    match found.first() {
        Some(first) if alike && found.len() == stems.len() && stems.len() > 1 => {
            faults.push(Fault {
                file: folder.to_owned(),
                fault: format!("every stem {}", first.fault),
                ..first.clone()
            });
        }
        _ => faults.extend(found),
    }
}

fn rates(stems: &[Subject], folder: &str) -> Vec<Fault> {
    let rate = |stem: &Subject| stem.info.rate.0;
    let Some(usual) = majority(stems.iter().map(rate)) else {
        let said = |rate| format!("{rate} Hz");
        return mixed(
            Check::Rate,
            &stems.iter().collect::<Vec<_>>(),
            folder,
            "sampling rates",
            rate,
            said,
            "export all at the rate of the project",
        );
    };
    let odd = stems.iter().filter(|stem| stem.info.rate.0 != usual);
    odd.map(|stem| {
        let fault = format!("has {} Hz, most stems have {usual} Hz", stem.info.rate.0);
        if let Some(likely) = likely_rate(&stem.info, stems.iter().map(|stem| &stem.info)) {
            let fault =
                format!("{fault}, and exactly as many frames: its header most likely gives the wrong rate");
            let cure = format!("compare its pitch with the others, and correct the header to {likely} Hz");
            return Fault::new(Check::Rate, &stem.file, fault, cure);
        }
        Fault::new(Check::Rate, &stem.file, fault, format!("export it at {usual} Hz"))
    })
    .collect()
}

fn low_rate(stem: &Subject) -> Option<Fault> {
    let rate = stem.info.rate.0;
    (rate < LOWEST_RATE).then(|| {
        let cure = "export at the rate of the project, 44100 Hz or more";
        Fault::new(Check::LowRate, &stem.file, format!("has a sampling rate of {rate} Hz"), cure)
    })
}

fn odd_rate(stem: &Subject) -> Option<Fault> {
    let rate = stem.info.rate;
    let near = usual_rate_near(rate);
    (near != rate && rate.0 >= LOWEST_RATE).then(|| {
        let fault = format!("has a sampling rate of {} Hz, which no distributor takes", rate.0);
        let cure = format!(
            "export at {} Hz, or let stems organize convert it; if it sounds out of tune, its header is wrong",
            near.0
        );
        Fault::new(Check::OddRate, &stem.file, fault, cure)
    })
}

fn formats(stems: &[Subject], folder: &str) -> Vec<Fault> {
    // What a decoder gives is not the format of the file.
    let stored: Vec<&Subject> = stems.iter().filter(|stem| !stem.info.is_compressed()).collect();
    let format = |stem: &Subject| stem.info.format;
    let Some(usual) = majority(stored.iter().map(|stem| format(stem))) else {
        let cure = "export all in one format, 24-bit integer or float";
        return mixed(Check::Format, &stored, folder, "formats", format, said, cure);
    };
    let odd = stored.into_iter().filter(|stem| stem.info.format != usual);
    odd.map(|stem| {
        let fault = format!("is {}, most stems are {}", said(stem.info.format), said(usual));
        Fault::new(Check::Format, &stem.file, fault, format!("export it as {}", said(usual)))
    })
    .collect()
}

/// `24-bit integer`.
fn said(format: SampleFormat) -> String {
    match format {
        SampleFormat::Int { bits } => format!("{bits}-bit integer"),
        SampleFormat::Float { bits } => format!("{bits}-bit float"),
    }
}

fn bit_depth(stem: &Subject) -> Option<Fault> {
    let SampleFormat::Int { bits } = stem.info.format else { return None };
    let fault = |cure: &str| Fault::new(Check::BitDepth, &stem.file, format!("is {bits}-bit"), cure);
    match bits {
        24.. => None,
        16.. => Some(fault("24-bit is asked for: export it again if the project has more bits").advice()),
        _ => Some(fault("export it as 24-bit")),
    }
}

fn channels(stems: &[Subject], folder: &str) -> Vec<Fault> {
    let channels = |stem: &Subject| stem.info.channels;
    let Some(usual) = majority(stems.iter().map(channels)) else {
        let cure = "mono stems are summed to both sides at unity: export in stereo what was panned";
        let faults = mixed(
            Check::Channels,
            &stems.iter().collect::<Vec<_>>(),
            folder,
            "channels",
            channels,
            layout,
            cure,
        );
        let wide = stems.iter().any(|stem| stem.info.channels > 2);
        return faults.into_iter().map(|fault| if wide { fault } else { fault.advice() }).collect();
    };
    let odd = stems.iter().filter(|stem| stem.info.channels != usual);
    odd.map(|stem| {
        let own = stem.info.channels;
        let fault = format!("is {}, most stems are {}", layout(own), layout(usual));
        if own.max(usual) > 2 {
            Fault::new(Check::Channels, &stem.file, fault, format!("export it as {}", layout(usual)))
        } else {
            let cure = "mono stems are summed to both sides at unity: export it in stereo if it was panned";
            Fault::new(Check::Channels, &stem.file, fault, cure).advice()
        }
    })
    .collect()
}

/// `stereo`.
pub(super) fn layout(channels: usize) -> String {
    match channels {
        1 => "mono".into(),
        2 => "stereo".into(),
        _ => format!("of {channels} channels"),
    }
}

fn lengths(stems: &[Subject]) -> Vec<Fault> {
    // At another rate the length says nothing; an empty file is said to be empty.
    let rate =
        usual(stems.iter().map(|stem| stem.info.rate.0)).or(stems.first().map(|stem| stem.info.rate.0));
    let comparable = || stems.iter().filter(|stem| Some(stem.info.rate.0) == rate && stem.info.frames > 0);
    let most = majority(comparable().map(|stem| stem.info.frames));
    // Without a length that most have, the longest is what the others are held against.
    let Some(usual) = most.or_else(|| comparable().map(|stem| stem.info.frames).max()) else {
        return Vec::new();
    };
    let than = if most.is_some() { "most stems" } else { "the longest stem" };
    let odd = comparable().filter(|stem| stem.info.frames != usual);
    odd.map(|stem| {
        let (own, rate) = (stem.info.frames, stem.info.rate);
        let by = if own < usual { "shorter" } else { "longer" };
        let fault =
            format!("is {} {by} than {than}, {own} frames of {usual}", samples(own.abs_diff(usual), rate));
        Fault::new(Check::Length, &stem.file, fault, "export all stems from one start to one end")
    })
    .collect()
}

/// Files whose time stamp is not that of the others.
pub(super) fn start_times<'a>(files: impl Iterator<Item = &'a Subject> + Clone) -> Vec<Fault> {
    let stamped = files.filter_map(|file| Some((file, file.info.bext.as_ref()?.time_reference)));
    let Some(usual) = usual(stamped.clone().map(|(_, start)| start)) else { return Vec::new() };
    stamped
        .filter(|(_, start)| *start != usual)
        .map(|(file, start)| {
            let rate = file.info.rate;
            let delay = i64::try_from(i128::from(start) - i128::from(usual)).unwrap_or(i64::MAX);
            let fault = format!(
                "says that it starts {} than the others, {:.3} s after midnight instead of {:.3} s",
                later(delay, rate),
                start as f64 / rate.0,
                usual as f64 / rate.0
            );
            let cure = "export all stems from one start, or correct its time stamp if the audio is in time";
            Fault::new(Check::StartTime, &file.file, fault, cure)
        })
        .collect()
}

/// Files of the folder that look like audio and are not read, and folders in it that hold such files.
pub(super) fn unread(dir: &Path) -> Result<Vec<Fault>> {
    let fault = |file: UnreadFile| Fault::new(Check::Readable, &file_name(&file.path), file.fault, file.cure);
    let below = folders_of_audio(dir)?.into_iter().map(|(path, files)| {
        let fault = format!("is a folder with {} and was not looked into", count(files as u64, "audio file"));
        Fault::new(
            Check::Readable,
            &file_name(&path),
            fault,
            "put the stems of a song into one folder, or use stems organize",
        )
        .advice()
    });
    Ok(unread_files(dir)?.into_iter().map(fault).chain(below).collect())
}

/// The reader's warnings, files without audio, and what a codec has taken away.
pub(super) fn readable(file: &Subject) -> Vec<Fault> {
    if file.info.frames == 0 {
        return vec![Fault::new(
            Check::Empty,
            &file.file,
            "holds no audio",
            "export it again or leave it out",
        )];
    }
    let warnings = file.info.warnings.iter();
    let mut faults: Vec<Fault> =
        warnings.map(|warning| Fault::new(Check::Readable, &file.file, warning, "export it again")).collect();
    if let Some(out) = out_of_time(&file.path, &file.info) {
        faults.push(Fault::new(Check::Readable, &file.file, out.fault, out.cure));
    } else if let Some(fault) = file.info.lossy_remark() {
        faults.push(Fault::new(Check::Format, &file.file, fault, "ask for WAV or FLAC").advice());
    }
    faults
}

/// The part that is compared where the mix is not like the stems; `None` if nothing can be.
pub(super) struct Compared {
    pub(super) frames: u64,
}

/// Faults of the mix beside the stems, and what can be compared.
pub(super) fn beside(mix: &Subject, stems: &[Subject]) -> (Vec<Fault>, Option<Compared>) {
    let mut faults = Vec::new();
    let rate =
        usual(stems.iter().map(|stem| stem.info.rate.0)).or(stems.first().map(|stem| stem.info.rate.0));
    let Some(rate) = rate else { return (faults, None) };
    if mix.info.rate.0 != rate {
        let fault = format!("has {} Hz, the stems have {rate} Hz: nothing was compared", mix.info.rate.0);
        faults.push(Fault::new(Check::Rate, &mix.file, fault, format!("export it at {rate} Hz")));
        return (faults, None);
    }
    let alike = || stems.iter().filter(|stem| stem.info.rate.0 == rate);
    let widest = alike().map(|stem| stem.info.channels).max().unwrap_or(1);
    let fits = |stem: &Subject| super::track::SampleTrack::maps(stem.info.channels, mix.info.channels);
    if let Some(odd) = alike().find(|stem| !fits(stem)) {
        let (own, other) = (layout(mix.info.channels), layout(odd.info.channels));
        let fault = format!("is {own}, {} is {other}: nothing was compared", odd.name);
        faults.push(Fault::new(
            Check::Channels,
            &mix.file,
            fault,
            format!("export it as {}", layout(widest)),
        ));
        return (faults, None);
    }
    if widest > mix.info.channels {
        let fault = "is mono, stems are stereo: it was compared with the mean of their sides";
        faults.push(Fault::new(Check::Channels, &mix.file, fault, "export it in stereo"));
    }
    let longest = alike().map(|stem| stem.info.frames).max().unwrap_or(0);
    let frames = mix.info.frames.min(longest);
    if mix.info.frames != longest && frames > 0 {
        let by = if mix.info.frames < longest { "shorter" } else { "longer" };
        let difference = samples(mix.info.frames.abs_diff(longest), mix.info.rate);
        let fault = format!(
            "is {difference} {by} than the longest stem: the first {} were compared",
            count(frames, "frame")
        );
        let cure = "export mix and stems from one start to one end";
        faults.push(Fault::new(Check::Length, &mix.file, fault, cure));
    }
    (faults, (frames > 0).then_some(Compared { frames }))
}

#[cfg(test)]
mod tests {
    use super::{majority, usual};

    #[test]
    fn the_usual_value_is_the_most_frequent_or_the_first() {
        assert_eq!(usual([1, 1, 1].into_iter()), None);
        assert_eq!(usual([2, 1, 1].into_iter()), Some(1));
        assert_eq!(usual([2, 1].into_iter()), Some(2));
        assert_eq!(usual([0; 0].into_iter()), None);
    }

    #[test]
    fn a_majority_is_more_than_half_of_more_than_two() {
        assert_eq!(majority([2, 1, 1].into_iter()), Some(1));
        assert_eq!(majority([2, 1].into_iter()), None);
        assert_eq!(majority([2, 1, 2, 1].into_iter()), None);
        assert_eq!(majority([3, 2, 1].into_iter()), None);
        assert_eq!(majority([1, 1, 1].into_iter()), None, "nothing to tell");
    }
}
