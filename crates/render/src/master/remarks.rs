//! Remarks on a master that a person would make at first sight.

use crate::bursts::Burst;
use crate::check::is_called_click;
use crate::clock::clock;
use crate::mixdown::{Mixdown, StemStream};
use crate::rates::usual_rate_near;
use audiofile::error::shown;
use meter::Reading;
use std::path::Path;
use units::{Db, Hz, decibels};

/// A master whose highest sample is no higher is not heard.
const SILENCE_PEAK: Db = Db(-90.0);
/// Bursts that are told one by one.
const MAX_TOLD: usize = 3;
/// Peak-to-loudness ratios of finished and unfinished mixes, LU: what is outside is rarely meant.
const USUAL_PLR: core::ops::RangeInclusive<f64> = 5.0..=26.0;
/// A stem that is this much louder than all others together is rarely meant.
const TOWERING: Db = Db(20.0);

/// True if something can be heard in audio of `reading`.
pub(crate) fn is_heard(reading: &Reading) -> bool {
    reading.sample_peak.is_some_and(|peak| peak.0 > SILENCE_PEAK.0)
}

/// The reason why nothing can be heard in a sum of `reading`, if that is so.
pub(super) fn nothing_heard(mixdown: &Mixdown, reading: &Reading) -> Option<String> {
    if is_heard(reading) {
        return None;
    }
    let loudest = loudest(mixdown).map_or(0.0, |(_, energy)| energy);
    let silent = SILENCE_PEAK.gain().powi(2) * 2.0 * mixdown.frames() as f64;
    let why = if loudest > silent {
        "the stems cancel each other, or the master chain takes everything away"
    } else {
        "every stem is silent or muted"
    };
    Some(format!("nothing can be heard: {why}; see stems check"))
}

fn loudest(mixdown: &Mixdown) -> Option<(&StemStream, f64)> {
    let energies = mixdown.stems.iter().map(|stem| (stem, stem.energy()));
    energies.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// The remark on a rate that no distributor takes.
fn odd_rate(rate: Hz) -> Option<String> {
    let usual = usual_rate_near(rate);
    (usual != rate).then(|| {
        let (rate, usual) = (rate.0, usual.0);
        format!(
            "{rate} Hz is a rate that no distributor takes; stems organize --rate {usual} converts the stems"
        )
    })
}

/// The remark on a stem that is called a click track.
fn click_track(stem: &StemStream) -> Option<String> {
    let file = shown(stem.path().file_name().map_or(stem.path(), Path::new));
    let sounds = stem.energy() > 0.0;
    (sounds && is_called_click(stem.path()))
        .then(|| format!("{file}: is called a click track and is in the sum; leave it out or mute it"))
}

/// Remarks on the sum: an odd rate, a click track, a stem that drowns all others, a peak-to-loudness ratio that is rarely meant.
pub(super) fn of_sum(mixdown: &Mixdown, reading: &Reading, rate: Hz) -> Vec<String> {
    let mut remarks: Vec<String> = odd_rate(rate).into_iter().collect();
    remarks.extend(mixdown.stems.iter().filter_map(click_track));
    if let Some((stem, energy)) = loudest(mixdown) {
        let others: f64 = mixdown.stems.iter().map(StemStream::energy).sum::<f64>() - energy;
        let over = decibels((energy / others).sqrt());
        if others > 0.0 && over > TOWERING.0 {
            let file = shown(stem.path().file_name().map_or(stem.path(), Path::new));
            remarks.push(format!(
                "{file}: {over:.0} dB louder than all other stems together; check its level, and that it is no mix"
            ));
        }
    }
    if let Some(plr) = reading.plr().filter(|plr| !USUAL_PLR.contains(&plr.0)) {
        let what = if plr.0 < *USUAL_PLR.start() {
            "it is limited hard already; ask for stems without limiting"
        } else {
            "single peaks tower over it; look for clicks with stems check"
        };
        remarks.push(format!("the sum has a PLR of {:.1} LU: {what}", plr.0));
    }
    remarks
}

/// A line for each burst of the sum, as far as they are few.
pub(super) fn of_bursts(bursts: &[Burst], rate: Hz) -> Vec<String> {
    let told = bursts.iter().take(MAX_TOLD).map(|burst| {
        format!(
            "isolated burst at {}, {:.1} ms and {:.0} dB over everything else: it is left to the limiter and does not set the level; look for its stem with stems check",
            clock(burst.frames.start, rate),
            (burst.frames.end - burst.frames.start) as f64 / rate.0 * 1e3,
            burst.over.0
        )
    });
    let more = bursts.len().saturating_sub(MAX_TOLD);
    told.chain((more > 0).then(|| format!("{more} more isolated bursts; see stems check"))).collect()
}
