//! Faults in the samples of one file: silence, clipping, peaks, offset, sides.

use super::fault::{Check, Fault};
use super::subject::Subject;
use super::ticks;
use super::words::{at, count, db, dbfs, samples};
use crate::clean::is_misscaled;
use audiofile::SampleFormat;
use project::bundle::words;
use session::role::Role;
use std::path::Path;
use units::decibels;

/// Nothing above this, -90 dBFS, is silence.
const SILENCE_PEAK: f64 = 3.2e-5;
/// True peaks up to here, 0.005 dBTP, are shown as 0.0 and let be.
const MAX_TRUE_PEAK: f64 = 1.000_576;
/// A correlation of the sides at or below this is one polarity against the other, not width.
const OPPOSED_CORRELATION: f64 = -0.9;
/// Sides further apart in level than this ratio of energies, 12 dB, are not compared.
const MAX_ENERGY_RATIO: f64 = 15.85;

/// Faults of a stem.
pub(super) fn of_stem(stem: &Subject) -> Vec<Fault> {
    if stem.info.frames == 0 {
        return Vec::new();
    }
    let mut faults = of_mix(stem);
    if is_silent(stem) {
        // A file of nothing but what is no audio has been said to be that.
        if stem.measured.non_finite.count == 0 && stem.measured.implausible.count == 0 {
            let level = match stem.measured.sample_peak {
                peak if peak > 0.0 => format!("is silent, its peak is {}", dbfs(peak)),
                _ => "is silent".into(),
            };
            faults.push(Fault::new(
                Check::Silent,
                &stem.file,
                level,
                "unmute it and export it again, or leave it out",
            ));
        }
        return faults;
    }
    faults.extend(dc_offset(stem));
    faults.extend(sides(stem));
    faults.extend(dead_side(stem));
    faults.extend(click_track(stem));
    faults
}

/// Faults of any file: those of a mix.
pub(super) fn of_mix(file: &Subject) -> Vec<Fault> {
    non_finite(file).into_iter().chain(implausible(file)).chain(bursts(file)).chain(peaks(file)).collect()
}

/// True if nothing is heard: at most -90 dBFS, or the dither of its own format.
pub(super) fn is_silent(stem: &Subject) -> bool {
    let dither = match stem.info.format {
        SampleFormat::Int { bits } => 2.5 * 2f64.powi(1 - i32::from(bits)),
        SampleFormat::Float { .. } => 0.0,
    };
    stem.measured.sample_peak <= SILENCE_PEAK.max(dither)
}

fn non_finite(file: &Subject) -> Option<Fault> {
    let found = file.measured.non_finite;
    (found.count > 0).then(|| {
        let fault = format!(
            "holds {} that are no numbers (NaN or infinite), the first {}",
            count(found.count, "sample"),
            at(found.first, file.info.rate)
        );
        let cure = "find the plugin that makes them and export it again; here they count as silence";
        Fault::new(Check::NonFinite, &file.file, fault, cure)
    })
}

fn implausible(file: &Subject) -> Option<Fault> {
    let found = file.measured.implausible;
    let samples = file.info.frames * file.info.channels as u64;
    (found.count > 0).then(|| {
        let first = at(found.first, file.info.rate);
        if is_misscaled(found.count, samples) {
            let share = 100.0 * found.count as f64 / samples as f64;
            let fault = format!(
                "has {share:.0} % of its samples beyond +24 dBFS, the first {first}: integers written as float, or no audio"
            );
            let cure = "export it again, with peaks below 0 dBFS";
            return Fault::new(Check::Implausible, &file.file, fault, cure);
        }
        let fault = format!(
            "holds {} beyond +24 dBFS, up to +{:.1} dBFS, the first {first}: they are no audio",
            count(found.count, "sample"),
            decibels(file.measured.implausible_peak),
        );
        let cure = "export it again; here they count as silence";
        Fault::new(Check::Implausible, &file.file, fault, cure)
    })
}

/// Bursts that are told one by one.
const MAX_BURSTS: usize = 3;

fn bursts(file: &Subject) -> Vec<Fault> {
    let (bursts, rate) = (&file.measured.bursts, file.info.rate);
    let line = |fault: String| {
        let cure = "listen there: if it is no part of the song, find what makes it and export it again";
        Fault::new(Check::Burst, &file.file, fault, cure)
    };
    let told = bursts.iter().take(MAX_BURSTS).map(|burst| {
        line(format!(
            "has an isolated burst {}: {} at {}, {:.0} dB over everything else",
            at(burst.frames.start, rate),
            samples(burst.frames.end - burst.frames.start, rate),
            dbfs(burst.peak),
            burst.over.0
        ))
    });
    let more = bursts.get(MAX_BURSTS).map(|next| {
        let more = (bursts.len() - MAX_BURSTS) as u64;
        line(format!("has {} more, the first {}", count(more, "isolated burst"), at(next.frames.start, rate)))
    });
    told.chain(more).collect()
}

/// One line on the peaks: the worst that can be said of them.
fn peaks(file: &Subject) -> Option<Fault> {
    if is_misscaled(file.measured.implausible.count, file.info.frames * file.info.channels as u64) {
        return None;
    }
    let (measured, rate) = (&file.measured, file.info.rate);
    let float = matches!(file.info.format, SampleFormat::Float { .. });
    let (true_peak, frame) = measured.true_peak;
    if measured.clips.count > 0 {
        let fault = format!(
            "clips {}: three or more samples in a row at full scale, the first {}",
            count(measured.clips.count, "time"),
            at(measured.clips.first, rate)
        );
        let cure = "lower it before the bus that clips and export it again, with peaks of -3 dBFS or less";
        return Some(Fault::new(Check::Clipping, &file.file, fault, cure));
    }
    if let Some(flat) = measured.flat_tops.found() {
        let fault = format!(
            "is cut off flat at {} {}, the first {}",
            dbfs(flat.level),
            count(flat.count, "time"),
            at(flat.first, rate)
        );
        let cure = "it was clipped and then turned down, or goes through a clipper: if that is not meant, export it without";
        let fault = Fault::new(Check::FlatTop, &file.file, fault, cure).advice();
        if !(float && measured.over.count > 0) {
            return Some(fault);
        }
    }
    if float && measured.over.count > 0 {
        let fault = format!(
            "peaks at +{:.1} dBFS, the first {}",
            decibels(measured.sample_peak),
            at(measured.over.first, rate)
        );
        let cure = "nothing is lost in float; export with peaks of -3 dBFS or less if it is to be converted";
        return Some(Fault::new(Check::OverFullScale, &file.file, fault, cure).advice());
    }
    (true_peak > MAX_TRUE_PEAK).then(|| {
        let fault = format!("has a true peak of +{:.2} dBTP {}", decibels(true_peak), at(frame, rate));
        let cure = format!(
            "export it {} quieter, which leaves the usual 3 dB of room",
            db((decibels(true_peak) + 3.0).max(0.1))
        );
        let fault = Fault::new(Check::TruePeak, &file.file, fault, cure);
        if float { fault.advice() } else { fault }
    })
}

fn dc_offset(stem: &Subject) -> Option<Fault> {
    let (channel, offset) = stem.measured.dc?;
    let side = match (stem.info.channels, channel) {
        (1, _) => String::new(),
        (2, 0) => " in the left channel".into(),
        (2, _) => " in the right channel".into(),
        _ => format!(" in channel {}", channel + 1),
    };
    let sign = if offset < 0.0 { "negative" } else { "positive" };
    let fault = format!("has a {sign} DC offset of {}{side}", dbfs(offset.abs()));
    let cure = "filter it with a high-pass at 5 to 20 Hz or a DC filter and export it again";
    Some(Fault::new(Check::DcOffset, &stem.file, fault, cure))
}

/// A side is dead where the other is this much louder, a ratio of energies: 60 dB.
const DEAD: f64 = 1e6;

fn dead_side(stem: &Subject) -> Option<Fault> {
    let [left, right] = stem.measured.energy[..] else { return None };
    let side = match () {
        () if left * DEAD < right => "left",
        () if right * DEAD < left => "right",
        () => return None,
    };
    let fault = format!("has nothing in its {side} channel");
    let cure = "if it was not panned hard, a channel was lost: export it again, or export it in mono";
    Some(Fault::new(Check::DeadSide, &stem.file, fault, cure).advice())
}

/// True if the sides of a stereo file hold the same, but for rounding.
pub(super) fn has_equal_sides(stem: &Subject) -> bool {
    let [left, right] = stem.measured.energy[..] else { return false };
    // Energy of the difference: 90 dB below that of the sides.
    let difference = stem.measured.side_energy;
    left > 0.0 && right > 0.0 && difference < 1e-9 * (left + right)
}

fn click_track(stem: &Subject) -> Option<Fault> {
    let fault = match ticks::interval(&stem.measured.course, &stem.measured.bursts) {
        _ if is_called_click(&stem.path) => "is called a click track".to_owned(),
        Some(interval) if Role::guess(&stem.name) == Role::Other => {
            format!("looks like a click track: nothing but short ticks every {interval:.2} s")
        }
        _ => return None,
    };
    Some(
        Fault::new(Check::ClickTrack, &stem.file, fault, "leave it out, unless it is part of the song")
            .advice(),
    )
}

/// True if a file is called a click track.
pub(crate) fn is_called_click(path: &Path) -> bool {
    let is = |word: &String| {
        ["click", "clicktrack", "metronome", "metro", "countin"].contains(&word.to_lowercase().as_str())
    };
    words(path).iter().any(is)
}

fn sides(stem: &Subject) -> Option<Fault> {
    let correlation = stem.measured.correlation?;
    let [left, right] = stem.measured.energy[..] else { return None };
    let ratio = left / right;
    let comparable = (1.0 / MAX_ENERGY_RATIO..=MAX_ENERGY_RATIO).contains(&ratio);
    (comparable && correlation <= OPPOSED_CORRELATION).then(|| {
        let fault = format!(
            "has left and right in opposite polarity (correlation {correlation:.2}): it vanishes in mono"
        );
        Fault::new(Check::SidePolarity, &stem.file, fault, "invert one side and export it again")
    })
}
