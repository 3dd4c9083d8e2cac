//! From gains and delays to sentences.

use super::super::fault::{Check, Fault};
use super::super::levels::is_silent;
use super::super::pairs::Duplicate;
use super::super::subject::Subject;
use super::super::words::{at, dbfs, later, louder, samples};
use super::bed::{Bed, Left, Term};
use super::rest::cause_of_rest;
use super::result::{Again, INAUDIBLE, NullTest, level};
use super::search::StemSearch;
use crate::drift::Drift;
use audiofile::error::Result;
use session::cause::Cause;
use units::{decibels, linear};

/// A stem below this gain, -60 dB, is missing.
const GONE: f64 = 1e-3;
/// A stem below this gain is missing too if it explains less than [`CHANCE`] of what would be left without it.
const FAINT: f64 = 0.2;
const CHANCE: f64 = 0.05;
/// A deviation counts when its own power is this part of what is left, or more: less than that may be chance.
const MIN_REST_SHARE: f64 = 0.1;
/// Deviations below this, -100 dBFS RMS, are let be.
const MIN_ENERGY_SHARE: f64 = 1e-10;
/// Gains that differ by less are one, dB.
const ONE_GAIN_DB: f64 = 0.1;
/// Gains nearer to unity than this are unity, dB.
const UNITY_DB: f64 = 0.005;
/// A stem that is there twice without delay is 6.02 dB louder, to within this.
const DOUBLE_DB: f64 = 0.1;
/// Frames on both sides of the worst one over which it is asked whose it is.
const AROUND: i64 = 2048;

/// Copies at one delay cannot be told apart by any fit: both are in the mix at unity, or only the first is.
pub(super) fn resolve_duplicates(found: &mut StemSearch, duplicates: &[Duplicate]) {
    for copy in duplicates.iter().filter(|copy| copy.delay == 0) {
        let ratio = copy.gain;
        let together = found.terms[copy.first].gain + ratio * found.terms[copy.second].gain;
        if found.terms[copy.first].delay != found.terms[copy.second].delay {
            continue;
        }
        let both = (together - (1.0 + ratio)).abs() < 0.05;
        found.terms[copy.first].gain = if both { 1.0 } else { together };
        found.terms[copy.second].gain = if both { 1.0 } else { 0.0 };
    }
}

/// The findings on one stem in the mix.
#[derive(Clone, Copy)]
struct FitReport {
    term: Term,
    /// Power of its own, per sample.
    power: f64,
    present: bool,
}

impl FitReport {
    fn gain_db(&self) -> f64 {
        decibels(self.term.gain.abs())
    }
}

/// A fader, a delay or a polarity that most stems have in common.
#[derive(Clone, Copy)]
struct SharedDifference {
    delay: i64,
    inverted: bool,
    gain_db: f64,
}

/// Fills in the fits and the cause, and says what is wrong.
pub(super) fn explain(
    bed: &Bed<'_>,
    found: &StemSearch,
    plain: &Left,
    duplicates: &[Duplicate],
    null: &mut NullTest,
) -> Result<Vec<Fault>> {
    let samples = found.left.samples.max(1) as f64;
    let rest = found.left.total() / samples;
    let places: Vec<FitReport> = (0..bed.stems.len())
        .map(|stem| {
            let (term, power) = (found.terms[stem], found.energy[stem] / samples);
            let heard = term.gain.powi(2) * power;
            let gone = term.gain.abs() < GONE || (term.gain.abs() < FAINT && heard < CHANCE * (heard + rest));
            FitReport { term, power, present: power > 0.0 && !gone }
        })
        .collect();
    let common = common(&places, rest);
    let cause = if found.left.peak > INAUDIBLE { cause_of_rest(bed, found)? } else { None };
    let processed = match cause {
        Some((Cause::Processed { stem, .. }, _)) if stem < bed.stems.len() => Some(stem),
        _ => None,
    };
    let mut faults = of_all(bed, common);
    for (index, (stem, place)) in bed.stems.iter().zip(&places).enumerate() {
        let fit = &mut null.stems[index];
        if is_silent(stem) {
            fit.gain_db = level(stem.measured.sample_peak).map(|_| 0.0);
            continue;
        }
        let copy = duplicates.iter().any(|copy| copy.second == index && place.term.gain == 0.0);
        fit.missing = !place.present;
        fit.gain_db = place.present.then(|| place.gain_db());
        if place.present {
            (fit.inverted, fit.delay) = (place.term.gain < 0.0, place.term.delay);
            fit.again = again(found, index);
            if processed != Some(index) {
                faults.extend(of_stem(bed, index, place, common, rest));
            }
            faults.extend(fit.again.map(|again| doubled(bed, index, again)));
        } else if !copy && place.power > MIN_ENERGY_SHARE.max(MIN_REST_SHARE * rest) {
            let cure = "unmute it in the mix and print it again, or leave the stem out";
            faults.push(Fault::new(Check::Missing, &stem.file, "is missing from the mix", cure));
        }
    }
    let total: f64 = places.iter().map(|place| place.power).sum();
    null.worst_stem = worst_stem(bed, found, plain)?.or(processed).map(|stem| bed.stems[stem].name.clone());
    if let Some((cause, start)) = cause {
        let fault = unaccounted(bed, found, cause, start);
        null.cause = Some(format!("{}: {}", fault.file, fault.fault));
        // Next to what is found, what is left may be too little to be of use.
        if rest > 1e-6 * total {
            faults.push(fault);
        }
    }
    faults.push(not_null(bed, plain, null, !faults.is_empty()));
    Ok(faults)
}

/// The findings where stems drift: nothing else is told of a mix that they run away from.
pub(super) fn drift_faults(
    bed: &Bed<'_>,
    plain: &Left,
    drifts: &[(&Subject, Drift)],
    null: &mut NullTest,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (stem, drift) in drifts {
        let ppm = drift.rate.abs() * 1e6;
        let (speed, word) = if drift.rate > 0.0 { ("faster", "later") } else { ("slower", "earlier") };
        let end = (drift.rate.abs() * stem.info.frames as f64).round() as u64;
        let fault = format!(
            "drifts: it runs {ppm:.1} ppm {speed} than in the mix, which holds its end {} {word} than its beginning",
            samples(end, bed.rate)
        );
        let cure = "record or convert it with the clock of the mix, or let stems organize convert it";
        faults.push(Fault::new(Check::Drift, &stem.file, fault, cure));
    }
    let names: Vec<&str> = drifts.iter().map(|(stem, _)| stem.name.as_str()).collect();
    null.cause = Some(format!("drift: {}", names.join(", ")));
    let fault = format!(
        "is not the sum of the stems: what is left peaks at {} {}",
        dbfs(plain.peak),
        at(plain.at, bed.rate)
    );
    let cure = "cure the drift and check again: what else may be wrong cannot be told before";
    faults.push(Fault::new(Check::Null, &bed.mix.file, fault, cure));
    faults
}

fn again(found: &StemSearch, stem: usize) -> Option<Again> {
    let first = found.terms[stem];
    let second = found.terms.iter().skip(stem + 1).find(|term| term.stem == stem)?;
    Some(Again {
        delay: second.delay - first.delay,
        gain_db: decibels(second.gain.abs()),
        inverted: second.gain < 0.0,
    })
}

/// The value that more than half of the present stems share.
fn common(places: &[FitReport], rest: f64) -> SharedDifference {
    let present: Vec<&FitReport> = places.iter().filter(|place| place.present).collect();
    let most = |count: usize| present.len() >= 2 && 2 * count > present.len();
    let like = |alike: &dyn Fn(&FitReport, &FitReport) -> bool| {
        let count = |place: &FitReport| present.iter().filter(|other| alike(place, other)).count();
        present.iter().rev().map(|place| (*place, count(place))).max_by_key(|(_, count)| *count)
    };
    let delay = like(&|a, b| a.term.delay == b.term.delay).filter(|(_, count)| most(*count));
    let inverted = most(present.iter().filter(|place| place.term.gain < 0.0).count());
    let close = |a: &FitReport, b: &FitReport| (a.gain_db() - b.gain_db()).abs() < ONE_GAIN_DB;
    let gain_db = like(&close).filter(|(_, count)| most(*count)).map_or(0.0, |(centre, _)| {
        let mut gains: Vec<f64> =
            present.iter().filter(|place| close(centre, place)).map(|place| place.gain_db()).collect();
        gains.sort_by(f64::total_cmp);
        gains[gains.len() / 2]
    });
    let power: f64 = present.iter().map(|place| place.power).sum();
    let matters =
        gain_db.abs() >= UNITY_DB && (linear(gain_db) - 1.0).powi(2) * power > MIN_REST_SHARE * rest;
    SharedDifference {
        delay: delay.map_or(0, |(place, _)| place.term.delay),
        inverted,
        gain_db: if matters { gain_db } else { 0.0 },
    }
}

/// The finding on the whole mix, reported once.
fn of_all(bed: &Bed<'_>, common: SharedDifference) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut say =
        |check, fault: String, cure: &str| faults.push(Fault::new(check, &bed.mix.file, fault, cure));
    if common.delay != 0 {
        let fault = format!("holds the stems {}", later(common.delay, bed.rate));
        say(Check::Alignment, fault, "export mix and stems from one start, with plug-in delays compensated");
    }
    if common.inverted {
        let cure = "look for a polarity switch on the mix bus, or export the mix again";
        say(Check::Polarity, "holds the stems with inverted polarity".into(), cure);
    }
    if common.gain_db != 0.0 {
        let fault = format!("holds the stems {}", louder(common.gain_db));
        say(
            Check::Gain,
            fault,
            "set the mix bus to 0 dB and print it again, or say so when you deliver the stems",
        );
    }
    faults
}

/// One line on a stem that is not in the mix as it is in its file.
fn of_stem(
    bed: &Bed<'_>,
    stem: usize,
    place: &FitReport,
    common: SharedDifference,
    rest: f64,
) -> Option<Fault> {
    let term = place.term;
    let delay = term.delay - common.delay;
    let inverted = (term.gain < 0.0) != common.inverted;
    let gain_db = place.gain_db() - common.gain_db;
    let expected = linear(common.gain_db);
    let deviation = match (delay, inverted) {
        (0, false) => (term.gain.abs() - expected).powi(2),
        (0, true) => (term.gain.abs() + expected).powi(2),
        _ => term.gain.powi(2) + expected.powi(2),
    };
    if place.power * deviation < MIN_ENERGY_SHARE.max(MIN_REST_SHARE * rest) {
        return None;
    }
    // A gain may be chance where a delay is not.
    let louder_by = (linear(gain_db) - 1.0).powi(2) * expected.powi(2) * place.power;
    let louder_matters =
        gain_db.abs() >= UNITY_DB && louder_by >= MIN_ENERGY_SHARE.max(MIN_REST_SHARE * rest);
    let mut parts = Vec::new();
    if delay != 0 {
        parts.push(later(delay, bed.rate));
    }
    if louder_matters {
        parts.push(louder(gain_db));
    }
    if inverted {
        parts.push("with inverted polarity".into());
    }
    let than = if common.delay != 0 || common.inverted || common.gain_db != 0.0 {
        ", against the others"
    } else {
        ""
    };
    let said = match &parts[..] {
        [] => return None,
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        [one, ..] => one.clone(),
    };
    let file = &bed.stems[stem].file;
    let doubled = (gain_db - 6.02).abs() < DOUBLE_DB && delay == 0 && !inverted;
    if doubled {
        let fault = format!("is doubled: arrives {said} in the mix{than}: fader or double routing");
        let cure = "look for a second route to the mix bus, or export it at the level of the mix";
        return Some(Fault::new(Check::Doubled, file, fault, cure));
    }
    let (check, cure) = if delay != 0 {
        let cure =
            format!("move the stem {}, or export it with plug-in delays compensated", later(delay, bed.rate));
        (Check::Alignment, cure)
    } else if inverted {
        (Check::Polarity, "invert it, or export it again with the polarity of the mix".into())
    } else {
        (Check::Gain, "export it again with the fader and the automation of the mix".into())
    };
    Some(Fault::new(check, file, format!("arrives {said} in the mix{than}"), cure))
}

fn doubled(bed: &Bed<'_>, stem: usize, again: Again) -> Fault {
    let polarity = if again.inverted { ", inverted" } else { "" };
    let fault =
        format!("is in the mix again {}, at {:.1} dB{polarity}", later(again.delay, bed.rate), again.gain_db);
    let cure = "look for a second route or a delay that the stem was exported without";
    Fault::new(Check::Doubled, &bed.stems[stem].file, fault, cure)
}

/// The finding on a residual that no gain and no delay explains.
fn unaccounted(bed: &Bed<'_>, found: &StemSearch, cause: Cause, start: u64) -> Fault {
    let level =
        format!("{} RMS, loudest from {}", dbfs(found.left.rms()), crate::clock::clock(start, bed.rate));
    match cause {
        Cause::Processed { stem, coherence, .. } if stem == bed.stems.len() => {
            let fault = format!(
                "is processed as a whole: {:.0} % of what the stems do not account for ({level}) follows their sum",
                100.0 * coherence
            );
            Fault::new(
                Check::Unaccounted,
                &bed.mix.file,
                fault,
                "print the mix without processing on its bus",
            )
        }
        Cause::Processed { stem, coherence, .. } => {
            let fault = format!(
                "is processed in the mix: {:.0} % of what the stems do not account for ({level}) follows it",
                100.0 * coherence
            );
            let cure = "export it behind its processing, automation, sends and returns";
            Fault::new(Check::Unaccounted, &bed.stems[stem].file, fault, cure)
        }
        Cause::Unlinked | Cause::Doubled { .. } => {
            let fault = format!("holds something that is in no stem: {level}");
            let cure = "export the missing track as a stem, and the mix without processing on its bus";
            Fault::new(Check::Unaccounted, &bed.mix.file, fault, cure)
        }
    }
}

/// The stem whose deviation is most of what is left around the worst frame.
fn worst_stem(bed: &Bed<'_>, found: &StemSearch, plain: &Left) -> Result<Option<usize>> {
    let (first, frames) = (plain.at as i64 - AROUND, 2 * AROUND as usize);
    let mut audio = vec![Vec::new(); bed.channels];
    let mut rest = vec![Vec::new(); bed.channels];
    bed.open_mix()?.read(first, frames, &mut rest)?;
    let mut deviations = Vec::new();
    for stem in 0..bed.stems.len() {
        let mut track = bed.open_stem(stem)?;
        track.read(first, frames, &mut audio)?;
        let mut deviation: Vec<Vec<f64>> =
            audio.iter().map(|plane| plane.iter().map(|x| -x).collect()).collect();
        for (rest, plane) in rest.iter_mut().zip(&audio) {
            rest.iter_mut().zip(plane).for_each(|(rest, x)| *rest -= x);
        }
        for term in found.terms.iter().filter(|term| term.stem == stem) {
            track.read(first - term.delay, frames, &mut audio)?;
            for (sum, plane) in deviation.iter_mut().zip(&audio) {
                sum.iter_mut().zip(plane).for_each(|(sum, x)| *sum += term.gain * x);
            }
        }
        deviations.push(deviation.iter().flatten().map(|x| x * x).sum::<f64>());
    }
    let total: f64 = rest.iter().flatten().map(|x| x * x).sum();
    let worst = deviations.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    Ok(worst.filter(|(_, energy)| **energy > 0.25 * total).map(|(stem, _)| stem))
}

fn not_null(bed: &Bed<'_>, plain: &Left, null: &NullTest, explained: bool) -> Fault {
    let whose = null.worst_stem.as_ref().map(|name| format!(", mostly {name}")).unwrap_or_default();
    let fault = format!(
        "is not the sum of the stems: what is left peaks at {} {}{whose}; up to {:.1} dBFS is rounding and dither",
        dbfs(plain.peak),
        at(plain.at, bed.rate),
        null.pass_dbfs
    );
    let left = match null.corrected_peak_dbfs {
        Some(peak) => format!("the gains and delays found leave peaks of {peak:.1} dBFS"),
        None => "the gains and delays found leave nothing".into(),
    };
    let cure = if explained {
        format!("put right what is said of mix and stems; {left}")
    } else {
        "export mix and stems from one state of the project".into()
    };
    Fault::new(Check::Null, &bed.mix.file, fault, cure)
}
