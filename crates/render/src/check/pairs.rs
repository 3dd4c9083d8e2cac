//! Stems beside each other: copies, and content they share out of time or polarity.

use super::fault::{Check, Fault};
use super::levels::is_silent;
use super::loudest::loudest;
use super::seek::{EXCERPT, Excerpts};
use super::solve::dot;
use super::subject::Subject;
use super::track::SampleTrack;
use super::words::{later, louder};
use crate::progress::{Progress, advance};
use audiofile::BLOCK;
use audiofile::error::Result;
use units::decibels;

/// A copy leaves less than this of its power, -40 dB: two takes of a part leave most of it.
const COPY: f64 = 1e-4;
/// Copies have one crest factor and one balance, to this part.
const SIMILAR: f64 = 0.03;
/// Excerpts of each pair; every second one is listened to on its own.
const EXCERPTS: usize = 4;
/// Least clarity of an arrival, in both halves of the excerpts.
const CLEAR: f64 = 12.0;
/// A second arrival as high as this leaves open which is right.
const RIVAL: f64 = 0.7;
/// Shared content counts from this correlation on.
const SHARED: f64 = 0.5;
/// And where a delay leaves less than this of what none leaves.
const BETTER: f64 = 0.9;

/// A stem that is a copy of an earlier one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Duplicate {
    pub(super) first: usize,
    pub(super) second: usize,
    /// Linear gain of the second over the first; negative is inverted.
    pub(super) gain: f64,
    /// Frames that the second is later.
    pub(super) delay: i64,
}

/// Pairs of stems that sound and have one rate.
fn pairs<'a>(stems: &'a [&'a Subject]) -> impl Iterator<Item = (usize, usize)> + 'a {
    let sounds = |i: &usize| !is_silent(stems[*i]);
    (0..stems.len())
        .filter(sounds)
        .flat_map(move |i| (i + 1..stems.len()).filter(sounds).map(move |j| (i, j)))
}

/// Finds the copies; each stem is said to be a copy of one other at most.
pub(super) fn duplicates(stems: &[&Subject], progress: &mut dyn Progress) -> Result<Vec<Duplicate>> {
    let mut found: Vec<Duplicate> = Vec::new();
    progress.begin("comparing stems", pairs(stems).count() as u64);
    for (i, j) in pairs(stems) {
        advance(progress, 1, &stems[i].path)?;
        let known = found.iter().any(|copy| copy.second == j || copy.second == i);
        let (a, b) = (stems[i], stems[j]);
        if known || !similar(a, b) {
            continue;
        }
        let same = a.measured.hash == b.measured.hash
            && (a.info.frames, a.info.channels) == (b.info.frames, b.info.channels);
        let copy = if same { Some((0, 1.0)) } else { copy(a, b)? };
        found.extend(copy.map(|(delay, gain)| Duplicate { first: i, second: j, gain, delay }));
    }
    Ok(found)
}

/// True if one may be a copy of the other: neither gain nor delay changes crest factor, balance and the course of the
/// level.
fn similar(a: &Subject, b: &Subject) -> bool {
    let crest = |s: &Subject| {
        let course = s.measured.course.iter().map(|peak| f64::from(*peak).powi(2));
        s.measured.body_peak / (course.sum::<f64>() / s.measured.course.len().max(1) as f64).sqrt()
    };
    let balance =
        |s: &Subject| s.measured.first_segments.iter().sum::<f64>() / s.measured.segments.iter().sum::<f64>();
    let one_layout = a.info.channels == b.info.channels;
    let close = |x: f64, y: f64| (x - y).abs() <= SIMILAR * x.abs().max(y.abs());
    close(crest(a), crest(b))
        && (!one_layout || (balance(a) - balance(b)).abs() <= SIMILAR)
        && same_course(&a.measured.course, &b.measured.course)
}

/// Windows of 10 ms that a copy may be later or earlier.
const COURSE_REACH: usize = 100;
/// Windows compared: half a minute.
const COURSE: usize = 3000;
/// Levels of copies go up and down together: a correlation of this, whatever the place of the windows.
const ONE_COURSE: f64 = 0.8;

/// True if the peaks of 10 ms go up and down together at one delay.
fn same_course(a: &[f32], b: &[f32]) -> bool {
    let course = |peaks: &[f32]| -> Vec<f64> {
        let peaks = &peaks[..peaks.len().min(COURSE)];
        let mean = peaks.iter().map(|x| f64::from(*x)).sum::<f64>() / peaks.len().max(1) as f64;
        peaks.iter().map(|x| f64::from(*x) - mean).collect()
    };
    let (a, b) = (course(a), course(b));
    let norm = (dot(&a, &a) * dot(&b, &b)).sqrt();
    let at = |late: usize, a: &[f64], b: &[f64]| {
        let frames = a.len().min(b.len().saturating_sub(late));
        if frames == 0 { 0.0 } else { dot(&a[..frames], &b[late..late + frames]) }
    };
    // What does not change says nothing.
    let flat = norm <= 1e-9;
    flat || (0..COURSE_REACH).any(|late| at(late, &a, &b).max(at(late, &b, &a)) > ONE_COURSE * norm)
}

/// Two stems' excerpts, in halves and together.
struct Compared {
    halves: [Excerpts; 2],
    all: Excerpts,
}

/// Listens to where both are loud, on the louder side of `a`.
fn compare(a: &Subject, b: &Subject, reach_seconds: f64) -> Result<Compared> {
    let channels = a.info.channels.max(b.info.channels);
    let (mut first, mut second) =
        (SampleTrack::without_bursts(a, channels)?, SampleTrack::without_bursts(b, channels)?);
    let channel = first.mapped(a.measured.loudest_channel());
    let total = a.info.frames.min(b.info.frames);
    let both: Vec<f64> =
        a.measured.segments.iter().zip(&b.measured.segments).map(|(a, b)| (a * b).sqrt()).collect();
    let (frames, reach) = Excerpts::sizes(total / 2, a.info.rate.0 * reach_seconds, EXCERPT);
    let new = || Excerpts::new(frames, reach, total);
    let mut compared = Compared { halves: [new(), new()], all: new() };
    let mut starts = loudest(&both, frames, total, EXCERPTS);
    if starts.len() < 2 {
        starts = vec![0, frames as u64];
    }
    for (index, start) in starts.into_iter().enumerate() {
        let start = start as i64;
        let x = first.window(start, frames, channel)?;
        let y = second.window(start - reach as i64, frames + 2 * reach, channel)?;
        compared.halves[index % 2].add(start, x.clone(), y.clone());
        compared.all.add(start, x, y);
    }
    Ok(compared)
}

/// The delay and gain with which `a` is `b`, if it is.
fn copy(a: &Subject, b: &Subject) -> Result<Option<(i64, f64)>> {
    if a.info.frames < 64
        || b.info.frames < 64
        || !SampleTrack::maps(a.info.channels.min(b.info.channels), a.info.channels.max(b.info.channels))
    {
        return Ok(None);
    }
    let excerpts = compare(a, b, 1.0)?.all;
    let arrivals = excerpts.arrivals(1, 0).into_iter().map(|arrival| arrival.delay);
    let best =
        arrivals.chain([0]).min_by(|x, y| excerpts.unexplained(*x).total_cmp(&excerpts.unexplained(*y)));
    // What is muted in one is there in the other.
    let bursts = a.measured.bursts.iter().chain(&b.measured.bursts);
    let muted = bursts.map(|burst| burst.frames.end - burst.frames.start).sum::<u64>();
    let most = 10.0 * COPY + 4.0 * muted as f64 / a.info.frames.min(b.info.frames) as f64;
    let Some(delay) = best.filter(|delay| excerpts.unexplained(*delay) < most) else {
        return Ok(None);
    };
    let channels = a.info.channels.max(b.info.channels);
    let (mut first, mut second) =
        (SampleTrack::without_bursts(a, channels)?, SampleTrack::without_bursts(b, channels)?);
    first.mute_bursts_of(b, delay);
    second.mute_bursts_of(a, -delay);
    let (mut x, mut y) = (vec![Vec::new(); channels], vec![Vec::new(); channels]);
    let (mut cross, mut own, mut other) = (0.0, 0.0, 0.0);
    let start = delay.max(0);
    let end = (b.info.frames as i64).min(a.info.frames as i64 + delay);
    let mut at = start;
    while at < end {
        let frames = (end - at).min(BLOCK as i64) as usize;
        first.read(at - delay, frames, &mut x)?;
        second.read(at, frames, &mut y)?;
        for (x, y) in x.iter().zip(&y) {
            cross += dot(x, y);
            own += dot(x, x);
            other += dot(y, y);
        }
        at += frames as i64;
    }
    let copied = own > 0.0 && other > 0.0 && 1.0 - cross * cross / (own * other) < COPY;
    Ok(copied.then_some((delay, cross / own)))
}

/// Says which stem is a copy of which.
pub(super) fn duplicate_faults(stems: &[&Subject], duplicates: &[Duplicate]) -> Vec<Fault> {
    let fault = |copy: &Duplicate| {
        let (first, second) = (stems[copy.first], stems[copy.second]);
        let mut but = Vec::new();
        let gain_db = decibels(copy.gain.abs());
        if gain_db.abs() >= 0.005 {
            but.push(louder(gain_db));
        }
        if copy.gain < 0.0 {
            but.push("inverted in polarity".into());
        }
        if copy.delay != 0 {
            but.push(later(copy.delay, second.info.rate));
        }
        let fault = if but.is_empty() {
            format!("is the same as {}", first.file)
        } else {
            format!("is {} again, {}", first.file, but.join(", "))
        };
        Fault::new(Check::Duplicate, &second.file, fault, "export the right track, or leave one of both out")
    };
    duplicates.iter().map(fault).collect()
}

/// Bleed between two stems.
#[derive(Clone, Copy)]
struct StemBleed {
    first: usize,
    second: usize,
    delay: i64,
    inverted: bool,
}

/// Without a mix, among the pairs of `related`: stems that hold parts of each other out of time or against each other.
pub(super) fn bleed(
    stems: &[&Subject],
    related: &[(usize, usize)],
    duplicates: &[Duplicate],
    progress: &mut dyn Progress,
) -> Result<Vec<Fault>> {
    progress.begin("listening for shared content", related.len() as u64);
    let mut found = Vec::new();
    for &(first, second) in related {
        let is_copy = |copy: &Duplicate| (copy.first, copy.second) == (first, second);
        let sound = !is_silent(stems[first]) && !is_silent(stems[second]);
        if sound
            && !duplicates.iter().any(is_copy)
            && let Some((delay, inverted)) = shared(stems[first], stems[second])?
        {
            found.push(StemBleed { first, second, delay, inverted });
        }
        advance(progress, 1, &stems[first].path)?;
    }
    Ok(blamed(stems, found))
}

/// The delay and polarity of content of `a` in `b`, where that is not as it should be.
fn shared(a: &Subject, b: &Subject) -> Result<Option<(i64, bool)>> {
    let channels = [a.info.channels, b.info.channels];
    if a.info.frames.min(b.info.frames) < 4096 || (channels[0] != channels[1] && !channels.contains(&1)) {
        return Ok(None);
    }
    let Compared { halves, all } = compare(a, b, 0.25)?;
    let mut agreed = None;
    for half in &halves {
        let arrivals = half.arrivals(2, 0);
        let Some(first) = arrivals.first().filter(|arrival| arrival.clarity >= CLEAR) else {
            return Ok(None);
        };
        let rival = arrivals.get(1).is_some_and(|second| second.gain.abs() > RIVAL * first.gain.abs());
        let place = (first.delay, first.gain < 0.0);
        if rival || agreed.is_some_and(|agreed| agreed != place) {
            return Ok(None);
        }
        agreed = Some(place);
    }
    let Some((delay, inverted)) = agreed else { return Ok(None) };
    let correlation = all.fit(delay).0;
    let strong = correlation.abs() >= SHARED && (correlation < 0.0) == inverted;
    let wrong = if delay == 0 { inverted } else { all.unexplained(delay) < BETTER * all.unexplained(0) };
    Ok((strong && wrong).then_some((delay, inverted)))
}

/// Each finding once, on the stem that is at odds with most others.
fn blamed(stems: &[&Subject], mut found: Vec<StemBleed>) -> Vec<Fault> {
    let mut faults = Vec::new();
    while !found.is_empty() {
        let odds = |stem: usize| found.iter().filter(|f| f.first == stem || f.second == stem).count();
        let worst = (0..stems.len()).max_by_key(|&stem| odds(stem)).unwrap_or(0);
        let about: Vec<StemBleed> = found.extract_if(.., |f| f.first == worst || f.second == worst).collect();
        let Some(one) = about.first() else { break };
        let (other, delay) =
            if one.second == worst { (one.first, one.delay) } else { (one.second, -one.delay) };
        let (file, name, rate) = (&stems[worst].file, &stems[other].name, stems[worst].info.rate);
        faults.push(if one.delay == 0 {
            let fault = format!("cancels {name}: one of them has inverted polarity");
            Fault::new(
                Check::Polarity,
                file,
                fault,
                "listen to both in mono and invert the one that gains by it",
            )
        } else {
            let polarity = if one.inverted { ", with inverted polarity" } else { "" };
            let fault = format!("shares content with {name} but holds it {}{polarity}", later(delay, rate));
            let cure =
                "check the plug-in delay compensation; give the mix with --mix to learn which one is off";
            Fault::new(Check::Alignment, file, fault, cure)
        });
    }
    faults
}
