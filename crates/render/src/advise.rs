//! Is mastering from stems worth it here? What the stems show and what the user said, weighed in the open.
//!
//! Every reason carries its number, and says whether it was measured or said. A reason speaks for stems where a stereo EQ could
//! not reach what is wrong: an EQ on the mix turns a whole band, and whose band it is can be measured.

mod bands;

use serde::Serialize;

use crate::mixdown::Mixdown;
use crate::progress::{Progress, advance};
use audiofile::error::Result;
use bands::{BandListener, BandSums, LOW};
use meter::Meter;
use meter::layout::Layout;
use project::bundle::Bundle;
use project::session::Session;
use session::role::Role;
use units::{Lufs, Power, decibels};

/// Statements of the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// An Atmos file is wanted.
    pub atmos: bool,
    /// Versions for licensing are wanted.
    pub sync: bool,
    /// The song is one of an album.
    pub album: bool,
    /// It is meant to sound lo-fi: dull, narrow, noisy is no fault.
    pub lofi: bool,
}

/// The basis of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Measured in the stems.
    Measured,
    /// Said by the user.
    YouSaid,
}

/// The side that a reason supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Favours {
    /// Mastering from stems.
    Stems,
    /// A stereo master: an EQ on the mix reaches it.
    Stereo,
    /// Neither; it should be known, or put right first.
    Neither,
}

/// A reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// Its basis.
    pub basis: Basis,
    /// The side it supports.
    pub favours: Favours,
    /// `low-end`, `cancellation`, `level`, `brightness`, `mono`, `low-width`, `atmos`, `sync`, `album`, `lofi`.
    pub topic: &'static str,
    /// The stems it is about.
    pub stems: Vec<String>,
    /// The band it is about, hertz.
    pub band_hz: Option<[f64; 2]>,
    /// Its number.
    pub value: f64,
    /// The unit of the number: `share`, `dB`, `LU`, `correlation`, `stems`, `Hz`.
    pub unit: &'static str,
    /// Of what a stereo EQ would turn there, the part that is meant: 0 to 1.
    pub reach: Option<f64>,
    /// In a sentence.
    pub text: String,
}

/// The conclusion of the reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// Stems would let something be fixed, or are needed.
    Stems,
    /// A stereo master would do.
    Stereo,
    /// Nothing is out of line.
    LeaveItAlone,
}

/// The advice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StemsAdvice {
    /// The conclusion.
    pub conclusion: Conclusion,
    /// In a sentence.
    pub sentence: String,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// Two stems collide where they share this much of a band, moment by moment,
const COLLISION_OVERLAP: f64 = 0.5;
/// make up this part of the band,
const MIN_BAND_SHARE: f64 = 0.6;
/// and the band is no more than this far below all of the mix, dB.
const MIN_BAND_LEVEL: f64 = -18.0;
/// Two stems cancel below this correlation.
const CANCELLATION_CORRELATION: f64 = -0.3;
/// A stereo EQ reaches what makes up this part of what it turns.
const EQ_REACH: f64 = 0.7;
/// A stem that loses more than this when summed to mono is said to, dB.
const MONO_LOSS: f64 = -3.0;
/// Side signal of the low end above this is said, dB under all of it.
const LOW_SIDE: f64 = -10.0;

/// Loudness over the mix's that is usual for a role, LU. Wide, and a rule of ours: what is outside is worth a look, not wrong.
fn usual_level(role: Role) -> Option<[f64; 2]> {
    match role {
        Role::Vocals => Some([-9.0, -0.5]),
        Role::Backing => Some([-26.0, -3.0]),
        Role::Drums => Some([-14.0, -0.5]),
        Role::Bass => Some([-16.0, -1.5]),
        Role::Keys => Some([-24.0, -1.0]),
        Role::Fx => Some([-40.0, -4.0]),
        Role::Other => None,
    }
}

/// Power from 4 kHz on over all of it that is usual for a role, dB. As above.
fn usual_brightness(role: Role) -> Option<[f64; 2]> {
    match role {
        Role::Vocals => Some([-34.0, -7.0]),
        Role::Backing => Some([-40.0, -5.0]),
        Role::Drums => Some([-36.0, -3.0]),
        Role::Bass => Some([-120.0, -20.0]),
        Role::Keys => Some([-60.0, -7.0]),
        Role::Fx | Role::Other => None,
    }
}

/// Listens to the stems as they are in their files, with the roles of `bundle`, and weighs.
///
/// # Errors
/// If a stem cannot be read, rates differ, or the listener stops it.
pub fn advise(bundle: &Bundle, said: Said, progress: &mut dyn Progress) -> Result<StemsAdvice> {
    let rate = bundle.rate()?;
    let mut mixdown = Mixdown::open(bundle, &Session::neutral(bundle))?;
    let count = mixdown.stems.len();
    let mut listener = BandListener::new(count, rate);
    let mut meters = vec![Meter::new(rate, &Layout::stereo()); count + 1];
    let mut sum = [Vec::new(), Vec::new()];
    progress.begin("listening", mixdown.frames());
    loop {
        let frames = mixdown.read_sum(&mut sum)?;
        if frames == 0 {
            break;
        }
        listener.push(mixdown.stems.iter().map(|stem| stem.audio()));
        let mix = [&*sum[0], &*sum[1]];
        for (meter, audio) in meters.iter_mut().zip(mixdown.stems.iter().map(|s| s.audio()).chain([mix])) {
            meter.process(&audio);
        }
        advance(progress, frames as u64, &bundle.dir)?;
    }
    let loudness: Vec<Option<f64>> = meters.iter().map(|m| m.reading().integrated.map(|l| l.0)).collect();
    let mut reasons = from_what_was_said(bundle, said);
    let names: Vec<&str> = bundle.stems.iter().map(|stem| stem.name.as_str()).collect();
    reasons.extend(low_end(&names, &listener));
    for role in Role::ALL {
        let members: Vec<usize> = (0..count).filter(|&i| bundle.stems[i].role == role).collect();
        reasons.extend(of_role(role, &members, &names, &listener.sums, &loudness, said));
    }
    for i in 0..count {
        reasons.extend(of_stem(i, &names, &listener.sums, said));
    }
    Ok(conclude(reasons))
}

/// 10 log10 of a ratio of powers.
fn power_db(part: f64, whole: f64) -> f64 {
    0.5 * decibels(part / whole)
}

/// Collisions and cancellations of two stems in the low end.
fn low_end(names: &[&str], listener: &BandListener) -> Vec<Reason> {
    let sums = &listener.sums;
    let all: f64 = sums.iter().map(|stem| stem.all).sum();
    let mut reasons = Vec::new();
    for (i, j, shared) in listener.pairs() {
        for (band, shared) in shared.iter().enumerate() {
            let whole: f64 = sums.iter().map(|stem| stem.low[band]).sum();
            let (a, b) = (sums[i].low[band], sums[j].low[band]);
            if whole == 0.0 || power_db(whole, all) < MIN_BAND_LEVEL || a + b < MIN_BAND_SHARE * whole {
                continue;
            }
            // What one would turn is the lesser of the two, out of the way of the other.
            let (less, more) = if a < b { (i, j) } else { (j, i) };
            let reach = a.min(b) / whole;
            let place = format!("{:.0} to {:.0} Hz", LOW[band][0], LOW[band][1]);
            let mut reason = |topic, value, unit, text| {
                reasons.push(Reason {
                    basis: Basis::Measured,
                    favours: if reach < EQ_REACH { Favours::Stems } else { Favours::Stereo },
                    topic,
                    stems: vec![names[less].into(), names[more].into()],
                    band_hz: Some(LOW[band]),
                    value,
                    unit,
                    reach: Some(reach),
                    text,
                });
            };
            let share = 100.0 * reach;
            if shared.correlation() < CANCELLATION_CORRELATION && a.min(b) > 0.1 * a.max(b) {
                let value = shared.correlation();
                reason(
                    "cancellation",
                    value,
                    "correlation",
                    format!(
                        "{} and {} cancel at {place}: correlation {value:.2}; no EQ on the mix brings that back",
                        names[less], names[more]
                    ),
                );
            } else if shared.overlap() > COLLISION_OVERLAP {
                let value = shared.overlap();
                reason(
                    "low-end",
                    value,
                    "share",
                    format!(
                        "{} and {} fill {place} at the same time ({:.0} % of it); of what an EQ on the mix turns there {share:.0} % is {}",
                        names[less],
                        names[more],
                        100.0 * value,
                        names[less]
                    ),
                );
            }
        }
    }
    reasons
}

/// Reasons in the stems of a role, taken together: a kick drum alone is no kit. `loudness`: theirs, and last the mix's.
fn of_role(
    role: Role,
    members: &[usize],
    names: &[&str],
    sums: &[BandSums],
    loudness: &[Option<f64>],
    said: Said,
) -> Vec<Reason> {
    let stems: Vec<String> = members.iter().map(|&i| names[i].into()).collect();
    let name = stems.join(", ");
    let mut reasons = Vec::new();
    let mut reason = |favours, topic, value, unit, reach, text: String| {
        reasons.push(Reason {
            basis: Basis::Measured,
            favours,
            topic,
            stems: stems.clone(),
            band_hz: None,
            value,
            unit,
            reach: Some(reach),
            text,
        });
    };
    let outside = |value: f64, [low, high]: [f64; 2]| match value {
        v if v < low => Some((low, true)),
        v if v > high => Some((high, false)),
        _ => None,
    };
    let power: f64 = members.iter().filter_map(|&i| loudness[i]).map(|l| Lufs(l).power().0).sum();
    let own = Power(power).loudness().map(|l| l.0);
    if let (Some(own), Some(mix), Some(usual)) = (own, loudness[loudness.len() - 1], usual_level(role))
        && let Some((limit, below)) = outside(own - mix, usual)
    {
        let (word, side) = if below { ("quiet", "at least") } else { ("loud", "at most") };
        let over = own - mix;
        reason(
            Favours::Stems,
            "level",
            over,
            "LU",
            0.0,
            format!(
                "{name} is {word} for {}: {over:+.1} LU against the mix, usual is {side} {limit:+.1}; no EQ on the mix moves one stem",
                role.name()
            ),
        );
    }
    let total = |of: fn(&BandSums) -> f64| members.iter().map(|&i| of(&sums[i])).sum::<f64>();
    let (bright, all) = (total(|s| s.bright), total(|s| s.all));
    if let (true, false, Some(usual)) = (all > 0.0, said.lofi, usual_brightness(role))
        && let Some((limit, below)) = outside(power_db(bright, all), usual)
    {
        let value = power_db(bright, all);
        let whole: f64 = sums.iter().map(|stem| stem.bright).sum();
        let reach = if whole > 0.0 { bright / whole } else { 0.0 };
        let favours = if reach < EQ_REACH { Favours::Stems } else { Favours::Stereo };
        let (word, side) = if below { ("dull", "at least") } else { ("bright", "at most") };
        reason(
            favours,
            "brightness",
            value,
            "dB",
            reach,
            format!(
                "{name} is {word} for {}: {value:.1} dB from 4 kHz on, usual is {side} {limit:.0}; {:.0} % of what an EQ on the mix turns there is meant",
                role.name(),
                100.0 * reach,
            ),
        );
    }
    reasons
}

/// Reasons in one stem, whatever its role.
fn of_stem(i: usize, names: &[&str], sums: &[BandSums], said: Said) -> Vec<Reason> {
    let (stem, name) = (&sums[i], names[i]);
    let mut reasons = Vec::new();
    let mut reason = |favours, topic, value, unit, reach, text: String| {
        reasons.push(Reason {
            basis: Basis::Measured,
            favours,
            topic,
            stems: vec![name.into()],
            band_hz: None,
            value,
            unit,
            reach,
            text,
        });
    };
    if stem.all == 0.0 {
        return reasons;
    }
    // Power of the mono sum over that of both channels: 0 dB alike, -3 dB independent, none opposite.
    let both = stem.left + stem.right;
    let mono = power_db((0.5 * (both + 2.0 * stem.cross)).max(0.0), both);
    if mono < MONO_LOSS - 0.5 && !said.lofi {
        reason(
            Favours::Stems,
            "mono",
            mono,
            "dB",
            Some(0.0),
            format!(
                "{name} loses {:.1} dB in mono: its sides are opposed; narrowing the mix would narrow all stems",
                -mono
            ),
        );
    }
    let side = power_db(stem.low_side, stem.low_all);
    let low: f64 = sums.iter().map(|stem| stem.low_all).sum();
    if stem.low_all > 0.25 * low && side > LOW_SIDE {
        let whole: f64 = sums.iter().map(|stem| stem.low_side).sum();
        let reach = stem.low_side / whole;
        let favours = if reach < EQ_REACH { Favours::Stems } else { Favours::Stereo };
        reason(
            favours,
            "low-width",
            side,
            "dB",
            Some(reach),
            format!(
                "{name} is wide below 120 Hz: its side signal is {side:.1} dB of it; {:.0} % of what mono below would take from the mix is {name}",
                100.0 * reach
            ),
        );
    }
    reasons
}

/// Reasons from the statements of the user, as they apply to these stems.
fn from_what_was_said(bundle: &Bundle, said: Said) -> Vec<Reason> {
    let count = |of: &dyn Fn(Role) -> bool| bundle.stems.iter().filter(|stem| of(stem.role)).count();
    let (all, voices) = (bundle.stems.len(), count(&|role| matches!(role, Role::Vocals | Role::Backing)));
    let mut reasons = Vec::new();
    let mut reason = |basis, favours, topic, value: f64, unit, text: String| {
        reasons.push(Reason {
            basis,
            favours,
            topic,
            stems: Vec::new(),
            band_hz: None,
            value,
            unit,
            reach: None,
            text,
        });
    };
    if said.atmos {
        reason(
            Basis::YouSaid,
            Favours::Stems,
            "atmos",
            all as f64,
            "stems",
            format!(
                "Atmos is made of stems, {all} here; services accept stems of the mix's own tracks only, none that were taken out of a stereo file"
            ),
        );
        let rate = bundle.stems[0].info.rate.0;
        let ready = if rate == 48_000.0 { "as it must be" } else { "converted to 48 kHz by stems adm" };
        reason(
            Basis::Measured,
            Favours::Neither,
            "atmos",
            rate,
            "Hz",
            format!("the stems are at {rate} Hz, {ready}"),
        );
        if all < 4 {
            reason(
                Basis::Measured,
                Favours::Neither,
                "atmos",
                all as f64,
                "stems",
                format!("only {all} stems: not much to place; ask for more, see stems brief --atmos"),
            );
        }
        let unknown = count(&|role| role == Role::Other);
        if unknown > 0 {
            reason(
                Basis::Measured,
                Favours::Neither,
                "atmos",
                unknown as f64,
                "stems",
                format!(
                    "{unknown} of {all} stems have no role, so their place is a guess; set roles in session.toml"
                ),
            );
        }
        if count(&|role| role == Role::Fx) == 0 {
            reason(Basis::Measured, Favours::Neither, "atmos", 0.0, "stems",
                "no stem of effects: reverb stays where its instrument is; ask for returns as a stem of their own".into());
        }
    }
    if said.sync {
        let (favours, text) = match voices {
            0 => (Favours::Neither, "licensing asks for versions without voices: no stem here is one, so the master is the instrumental".into()),
            n if n == all => (Favours::Neither, format!("licensing asks for an instrumental: all {n} stems are voices; set roles in session.toml")),
            n => (Favours::Stems, format!("licensing asks for instrumental and TV mix: {n} of {all} stems are voices, so stems deliver makes them")),
        };
        reason(Basis::YouSaid, favours, "sync", voices as f64, "stems", text);
    }
    if said.album {
        reason(
            Basis::YouSaid,
            Favours::Neither,
            "album",
            all as f64,
            "stems",
            format!(
                "an album wants its songs alike: stems album measures that; {all} stems let a voice be matched from song to song, if it needs to"
            ),
        );
    }
    if said.lofi {
        reason(
            Basis::YouSaid,
            Favours::Stereo,
            "lofi",
            0.0,
            "stems",
            "lo-fi is meant: brightness and width of stems were not judged".into(),
        );
    }
    reasons
}

fn conclude(reasons: Vec<Reason>) -> StemsAdvice {
    let count = |favours, basis| reasons.iter().filter(|r| r.favours == favours && r.basis == basis).count();
    let (fixes, wishes) = (count(Favours::Stems, Basis::Measured), count(Favours::Stems, Basis::YouSaid));
    let by_eq = count(Favours::Stereo, Basis::Measured);
    let things = |n: usize| if n == 1 { "one thing".to_owned() } else { format!("{n} things") };
    let (conclusion, sentence) = match (fixes, wishes, by_eq) {
        (0, 0, 0) => (
            Conclusion::LeaveItAlone,
            "Leave it alone: nothing measured is out of line; master the mix for level only.".to_owned(),
        ),
        (0, 0, n) => (
            Conclusion::Stereo,
            format!(
                "A stereo master would do: {} to put right, all within reach of an EQ on the mix.",
                things(n)
            ),
        ),
        (0, _, _) => (
            Conclusion::Stems,
            "Stems are needed for what you want; nothing measured asks for them.".to_owned(),
        ),
        (n, 0, _) => (
            Conclusion::Stems,
            format!("Stems would let you fix {} that an EQ on the mix does not reach.", things(n)),
        ),
        (n, _, _) => (
            Conclusion::Stems,
            format!(
                "Stems are needed for what you want, and would let you fix {} that an EQ on the mix does not reach.",
                things(n)
            ),
        ),
    };
    StemsAdvice { conclusion, sentence, reasons }
}
