//! What is behind what the stems do not account for, in words.

use super::align::{Arrival as Found, locate};
use super::cause::{Cause, cause};
use super::coverage::FULL_COVERAGE;
use super::fit::Arrival;
use units::{Db, decibels};

/// A stem that is there twice without delay is 6.02 dB louder, to within this, dB.
const DOUBLE_DB: f64 = 0.1;

/// Something that a person may want to know about how stems reach the mix. Stems are numbered as in the session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    /// Something is in the mix that follows no stem.
    Unlinked {
        /// Its part of the mix's power.
        part: f64,
    },
    /// Processing or a send after a stem.
    Processed {
        /// The stem.
        stem: usize,
        /// How much of what is left follows it, 0 to 1.
        coherence: f64,
    },
    /// Returns of a stem: a reverb or an echo on a send.
    Returns {
        /// The stem.
        stem: usize,
        /// How much of what is left follows it, 0 to 1.
        coherence: f64,
    },
    /// A stem arrives a second time, later or earlier.
    Doubled {
        /// The stem.
        stem: usize,
        /// Frames after the first time; negative is before.
        delay: i64,
        /// Its gain relative to the first time.
        gain: Db,
    },
    /// A stem arrives later than it should.
    Late {
        /// The stem.
        stem: usize,
        /// Frames; negative is early.
        delay: i64,
    },
    /// A stem arrives as loud as if it were there twice: a fader, or a second route to the mix.
    Louder {
        /// The stem.
        stem: usize,
        /// By how much.
        gain: Db,
    },
    /// Two stems cannot be told apart.
    Inseparable {
        /// The one.
        first: usize,
        /// The other.
        second: usize,
    },
}

impl Finding {
    /// The finding as a sentence; `name` says what a stem is called.
    pub fn sentence(&self, name: impl Fn(usize) -> String) -> String {
        let samples = |delay: i64| if delay.abs() == 1 { "sample" } else { "samples" };
        let side = |delay: i64| if delay < 0 { "early" } else { "late" };
        match *self {
            Self::Unlinked { part } => {
                format!("An unlinked track: {:.1} % of the mix follows no stem.", 100.0 * part)
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
            Self::Inseparable { first, second } => {
                format!("{} and {} are inseparable: only their sum is known.", name(first), name(second))
            }
        }
    }
}

/// A stretch of audio, a few seconds or more: the mix and the stems, aligned with it by their delays.
#[derive(Clone, Debug)]
pub struct Excerpt<'a> {
    /// The mix.
    pub mix: [&'a [f64]; 2],
    /// The stems in the order of the session, as long.
    pub stems: Vec<[&'a [f64]; 2]>,
}

/// What is behind how the stems arrive. `delays`: per stem, how many frames later than it left its Stem it arrives.
/// `reach`: the longest second arrival that is looked for, frames.
pub fn findings(
    excerpt: &Excerpt<'_>,
    arrivals: &[Arrival],
    delays: &[i64],
    inseparable: Option<(usize, usize)>,
    reach: usize,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (stem, arrival) in arrivals.iter().enumerate() {
        let delay = delays.get(stem).copied().unwrap_or(0);
        if delay != 0 {
            findings.push(Finding::Late { stem, delay });
        }
        findings.extend(louder(stem, arrival));
    }
    findings.extend(inseparable.map(|(first, second)| Finding::Inseparable { first, second }));
    findings.extend(cause_of_rest(excerpt, arrivals, reach));
    findings
}

/// Whether a stem arrives as loud as if it were there twice. Nothing is left of the mix then: no coverage tells it.
pub fn louder(stem: usize, arrival: &Arrival) -> Option<Finding> {
    let gain = arrival.gain();
    let twice = arrival.fitted != [false; 2] && (gain.0 - decibels(2.0)).abs() < DOUBLE_DB;
    twice.then_some(Finding::Louder { stem, gain })
}

/// What is behind what is left on the side on which more is left.
fn cause_of_rest(excerpt: &Excerpt<'_>, arrivals: &[Arrival], reach: usize) -> Option<Finding> {
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
    let part = sides.iter().map(|side| side.0).sum::<f64>() / mix.max(f64::MIN_POSITIVE);
    if part <= 1.0 - FULL_COVERAGE {
        return None;
    }
    let (_, left, stems) = sides.into_iter().max_by(|a, b| a.0.total_cmp(&b.0))?;
    let stems: Vec<&[f64]> = stems.iter().map(Vec::as_slice).collect();
    Some(match cause(&left, &stems, reach)? {
        Cause::Unlinked => Finding::Unlinked { part },
        Cause::Processed { stem, coherence, tail: false } => Finding::Processed { stem, coherence },
        Cause::Processed { stem, coherence, tail: true } => Finding::Returns { stem, coherence },
        Cause::Doubled { stem, delay, gain } => Finding::Doubled { stem, delay, gain: Db::from_gain(gain) },
    })
}

/// Where a stem arrives in the mix: `stem` is an excerpt, `mix` begins `reach` frames before it and ends as much later.
/// Among rivals the one nearest `last` is taken. `None` when it is not found: too quiet, or not there.
pub fn delay(stem: [&[f64]; 2], mix: [&[f64]; 2], reach: usize, last: i64) -> Option<Found> {
    let mono =
        |audio: [&[f64]; 2]| -> Vec<f64> { audio[0].iter().zip(audio[1]).map(|(l, r)| l + r).collect() };
    locate(&mono(stem), &mono(mix), reach, last)
}

#[cfg(test)]
mod tests;
