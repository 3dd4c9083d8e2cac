//! Findings on how stems reach the mix, as sentences for the user.

use super::align::{DelayEstimate, locate_stem};
use super::cause::{Cause, residual_cause};
use super::coverage::FULL_COVERAGE;
use super::fit::StemArrival;
use units::{Db, decibels};

/// Distance from 6.02 dB, the gain of a stem that arrives twice without delay, within which it counts as doubled, dB.
const DOUBLED_TOLERANCE_DB: f64 = 0.1;

/// Observation on the routing of a stem into the mix. Stems are numbered as in the session, those that are left out of it
/// after the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RoutingFinding {
    /// An unlinked track: a part of the mix that is coherent with no stem.
    Unlinked {
        /// Share of the mix's power, 0 to 1.
        share: f64,
    },
    /// Processing or a send after a stem.
    Processed {
        /// The stem.
        stem: usize,
        /// Share of the residual that is coherent with the stem, 0 to 1.
        coherence: f64,
    },
    /// Returns of a stem: a reverb or an echo on a send.
    Returns {
        /// The stem.
        stem: usize,
        /// Share of the residual that is coherent with the stem, 0 to 1.
        coherence: f64,
    },
    /// A second arrival of a stem, later or earlier.
    Doubled {
        /// The stem.
        stem: usize,
        /// Frames after the first arrival; negative is before.
        delay: i64,
        /// Gain relative to the first arrival.
        gain: Db,
    },
    /// A stem that arrives later or earlier than most.
    Late {
        /// The stem.
        stem: usize,
        /// Frames; negative is early.
        delay: i64,
    },
    /// A stem that arrives as loud as if it arrived twice: a fader, or a second route to the mix.
    Louder {
        /// The stem.
        stem: usize,
        /// Gain with which it arrives.
        gain: Db,
    },
    /// A stem that repeats exactly, so that its delay is one of several.
    Ambiguous {
        /// The stem.
        stem: usize,
        /// Delay that is taken, frames; negative is early.
        delay: i64,
        /// Another delay at which it fits as well.
        rival: i64,
    },
    /// A stem that sounds and is neither found in the mix nor in another stem.
    NotFound {
        /// The stem, left out of the session.
        stem: usize,
    },
    /// Two stems that cannot be told apart.
    Inseparable {
        /// Index of one of the two.
        first: usize,
        /// Index of the other.
        second: usize,
    },
}

impl RoutingFinding {
    /// True if `other` names the same cause, whatever the figures beside it.
    pub fn is_same_cause(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Self::Unlinked { .. }, Self::Unlinked { .. }) => true,
            (Self::Processed { stem: a, .. }, Self::Processed { stem: b, .. })
            | (Self::Returns { stem: a, .. }, Self::Returns { stem: b, .. })
            | (Self::Ambiguous { stem: a, .. }, Self::Ambiguous { stem: b, .. })
            | (Self::NotFound { stem: a }, Self::NotFound { stem: b })
            | (Self::Louder { stem: a, .. }, Self::Louder { stem: b, .. }) => a == b,
            (Self::Doubled { stem: a, delay: x, .. }, Self::Doubled { stem: b, delay: y, .. })
            | (Self::Late { stem: a, delay: x }, Self::Late { stem: b, delay: y }) => (a, x) == (b, y),
            (Self::Inseparable { first: a, second: x }, Self::Inseparable { first: b, second: y }) => {
                (a, x) == (b, y)
            }
            _ => false,
        }
    }

    /// Returns the finding as a sentence; `name` gives the name of a stem.
    pub fn sentence(&self, name: impl Fn(usize) -> String) -> String {
        let samples = |delay: i64| if delay.abs() == 1 { "sample" } else { "samples" };
        let side = |delay: i64| if delay < 0 { "early" } else { "late" };
        match *self {
            Self::Unlinked { share } => {
                format!("An unlinked track: {:.1} % of the mix follows no stem.", 100.0 * share)
            }
            Self::Processed { stem, coherence } => format!(
                "Processing or a send after {}: {:.0} % of what is left follows it.",
                name(stem),
                100.0 * coherence
            ),
            Self::Returns { stem, coherence } => format!(
                "Returns of {} (reverb or echo): {:.0} % of what is left follows it.",
                name(stem),
                100.0 * coherence
            ),
            Self::Doubled { stem, delay, gain } => format!(
                "{} is doubled: again {} {} {}, at {:.1} dB.",
                name(stem),
                delay.abs(),
                samples(delay),
                side(delay),
                gain.0
            ),
            Self::Late { stem, delay } => {
                format!("{} arrives {} {} {}.", name(stem), delay.abs(), samples(delay), side(delay))
            }
            Self::Louder { stem, gain } => {
                format!("{} arrives {:.1} dB louder: fader or double routing.", name(stem), gain.0)
            }
            Self::Ambiguous { stem, delay, rival } => {
                format!("{} repeats exactly: a delay of {delay} or {rival} samples fits as well.", name(stem))
            }
            Self::NotFound { stem } => {
                format!(
                    "{} sounds, but is not found in the mix: muted, routed elsewhere or too quiet.",
                    name(stem)
                )
            }
            Self::Inseparable { first, second } => {
                format!("{} and {} are inseparable: only their sum is known.", name(first), name(second))
            }
        }
    }
}

/// Excerpt of audio, a few seconds or more: the mix and the stems, aligned with it by their delays.
#[derive(Clone, Debug)]
pub struct Excerpt<'a> {
    /// The mix.
    pub mix: [&'a [f64]; 2],
    /// The stems in the order of the session, as long as the mix.
    pub stems: Vec<[&'a [f64]; 2]>,
}

/// Returns the findings of an excerpt. `delays`: per stem, frames from the Stem's output to the mix. `reach`: longest
/// delay of a second arrival that is searched, frames.
pub fn findings(
    excerpt: &Excerpt<'_>,
    arrivals: &[StemArrival],
    delays: &[i64],
    inseparable: Option<(usize, usize)>,
    reach: usize,
) -> Vec<RoutingFinding> {
    let mut findings = Vec::new();
    for (stem, arrival) in arrivals.iter().enumerate() {
        let delay = delays.get(stem).copied().unwrap_or(0);
        if delay != 0 {
            findings.push(RoutingFinding::Late { stem, delay });
        }
        findings.extend(doubled_gain(stem, arrival));
    }
    findings.extend(inseparable.map(|(first, second)| RoutingFinding::Inseparable { first, second }));
    findings.extend(explain_residual(excerpt, arrivals, reach));
    findings
}

/// Returns [`RoutingFinding::Louder`] for a stem that arrives with the gain of one that arrives twice. It leaves no
/// residual, so coverage does not show it.
pub fn doubled_gain(stem: usize, arrival: &StemArrival) -> Option<RoutingFinding> {
    let gain = arrival.gain();
    let twice = arrival.fitted != [false; 2] && (gain.0 - decibels(2.0)).abs() < DOUBLED_TOLERANCE_DB;
    twice.then_some(RoutingFinding::Louder { stem, gain })
}

/// Cause of the residual, on the side of the mix that has more of it.
fn explain_residual(excerpt: &Excerpt<'_>, arrivals: &[StemArrival], reach: usize) -> Option<RoutingFinding> {
    let energy = |samples: &[f64]| samples.iter().map(|x| x * x).sum::<f64>();
    let arriving = |to: usize| -> Vec<Vec<f64>> {
        let stems = excerpt.stems.iter().zip(arrivals);
        stems
            .map(|(audio, arrival)| {
                let sides = audio[0].iter().zip(audio[1]);
                sides.map(|(l, r)| arrival.gains[to][0] * l + arrival.gains[to][1] * r).collect()
            })
            .collect()
    };
    let sides = [0, 1].map(|to| {
        let stems = arriving(to);
        let mut left = excerpt.mix[to].to_vec();
        for stem in &stems {
            left.iter_mut().zip(stem).for_each(|(left, x)| *left -= x);
        }
        (energy(&left), left, stems)
    });
    let mix: f64 = excerpt.mix.iter().map(|side| energy(side)).sum();
    let share = sides.iter().map(|side| side.0).sum::<f64>() / mix.max(f64::MIN_POSITIVE);
    if share <= 1.0 - FULL_COVERAGE {
        return None;
    }
    let (_, left, stems) = sides.into_iter().max_by(|a, b| a.0.total_cmp(&b.0))?;
    let stems: Vec<&[f64]> = stems.iter().map(Vec::as_slice).collect();
    Some(match residual_cause(&left, &stems, reach)? {
        Cause::Unlinked => RoutingFinding::Unlinked { share },
        Cause::Processed { stem, coherence, tail: false } => RoutingFinding::Processed { stem, coherence },
        Cause::Processed { stem, coherence, tail: true } => RoutingFinding::Returns { stem, coherence },
        Cause::Doubled { stem, delay, gain } => {
            RoutingFinding::Doubled { stem, delay, gain: Db::from_gain(gain) }
        }
    })
}

/// Returns the delay of a stem in the mix: `stem` is an excerpt, `mix` begins `reach` frames before it and ends
/// `reach` frames after it. Of rivals the one nearest `last` is taken. `None` if the stem is too quiet or not in the
/// mix.
pub fn stem_delay(stem: [&[f64]; 2], mix: [&[f64]; 2], reach: usize, last: i64) -> Option<DelayEstimate> {
    let mono =
        |audio: [&[f64]; 2]| -> Vec<f64> { audio[0].iter().zip(audio[1]).map(|(l, r)| l + r).collect() };
    locate_stem(&mono(stem), &mono(mix), reach, last)
}

#[cfg(test)]
mod tests;
