//! The fit of one window of hops.

use super::normal::{Solution, solve};
use super::{Arrival, CLEAN, Row};
use crate::gram::{Gram, triangle};

/// Stems below this part of the mix's power in a window (-60 dB) keep their last gain.
const INACTIVE: f64 = 1e-6;
/// Power (K-weighted mean square) below which nothing is fitted.
const SILENT: f64 = 1e-12;
/// Residual over mix power above which pan and width are tried (-40 dB).
const ROUGH: f64 = 1e-4;
/// How much gains lean to those of the hop before, times the power that is left over that of the stem. A hop moves far
/// enough for a fader, and what 10 s cannot tell apart takes its time.
const PULL: f64 = 10.0;
/// The crossing of a stem is believed when it explains this part of what was left.
const BELIEVED: f64 = 0.05;

/// How every stem arrives, by one window.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Solved {
    pub(super) arrivals: Vec<Arrival>,
    /// Residual over mix power in the window.
    pub(super) residual: f64,
    pub(super) condition: f64,
    pub(super) inseparable: Option<(usize, usize)>,
}

/// The mean joint matrix of the hops around `hop`, `width` of them where there are as many, without the hop `leave`.
pub(super) fn mean(row: &Row<'_>, stems: usize, hop: usize, width: usize, leave: Option<usize>) -> Gram {
    let width = width.min(row.len());
    let first = hop.saturating_sub(width / 2).min(row.len() - width);
    let hops = (first..first + width).filter(|h| leave != Some(*h)).filter_map(|h| row[h]);
    let count = hops.clone().count().max(1);
    let mut gram = Gram::zero(2 * (stems + 1));
    debug_assert!(row.iter().flatten().all(|packed| packed.len() == triangle(2 * (stems + 1))));
    hops.for_each(|packed| gram.add(packed, 1.0 / count as f64));
    gram
}

/// Fits a window's matrix: the stems to the mix, which comes last.
pub(super) fn fit_window(gram: &Gram, last: &[Arrival]) -> Solved {
    let (mut solved, crossed) = fit_freely(gram, last);
    if solved.residual > CLEAN {
        // What is left disturbs the gains, most of all those of stems that resemble each other. They have time: the next
        // hop starts where this one ends.
        let (mix, left, condition) = (mix_power(gram), solved.residual, solved.condition);
        (0..2).for_each(|to| solve_side(gram, to, &crossed, last, mix, PULL * left, &mut solved));
        (solved.residual, solved.condition) = (residual(gram, &solved.arrivals) / mix, condition);
    }
    solved
}

/// Fits a window's matrix with no pull to speak of; and which stems cross sides.
pub(super) fn fit_freely(gram: &Gram, last: &[Arrival]) -> (Solved, Vec<usize>) {
    let mut solved = Solved {
        arrivals: last.iter().map(|arrival| Arrival { fitted: [false; 2], ..*arrival }).collect(),
        residual: 0.0,
        condition: 1.0,
        inseparable: None,
    };
    let mix = mix_power(gram);
    if mix < SILENT {
        return (solved, Vec::new());
    }
    for to in 0..2 {
        solve_side(gram, to, &[], last, mix, 0.0, &mut solved);
    }
    solved.residual = residual(gram, &solved.arrivals) / mix;
    let crossed = if solved.residual > ROUGH { cross(gram, last, mix, &mut solved) } else { Vec::new() };
    (solved, crossed)
}

/// Power of the mix, both sides.
pub(super) fn mix_power(gram: &Gram) -> f64 {
    let signals = gram.sources();
    gram.at(signals - 2, signals - 2) + gram.at(signals - 1, signals - 1)
}

/// The power of what the stems leave of the mix, both sides.
pub(super) fn residual(gram: &Gram, arrivals: &[Arrival]) -> f64 {
    (0..2)
        .map(|to| {
            let mut signed = vec![0.0; gram.sources()];
            for (stem, arrival) in arrivals.iter().enumerate() {
                (0..2).for_each(|from| signed[2 * stem + from] = -arrival.gains[to][from]);
            }
            signed[2 * arrivals.len() + to] = 1.0;
            gram.power(&signed)
        })
        .sum()
}

/// Fits side `to` of the mix: every stem's own side, and of the stems `crossed` the other one too.
///
/// `pull`: how much gains lean to the last ones, relative to the power of the mix.
fn solve_side(
    gram: &Gram,
    to: usize,
    crossed: &[usize],
    last: &[Arrival],
    mix: f64,
    pull: f64,
    solved: &mut Solved,
) {
    let stems = last.len();
    let loud = |stem: usize, from: usize| {
        let power = gram.at(2 * stem + from, 2 * stem + from);
        power * last[stem].gains[to][from].powi(2).max(1.0) > (INACTIVE * mix).max(SILENT)
    };
    let (mut columns, mut held, mut start, mut pulls) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for stem in 0..stems {
        for from in 0..2 {
            let gain = last[stem].gains[to][from];
            if loud(stem, from) && (from == to || crossed.contains(&stem)) {
                let size = last[stem].gains[to].iter().map(|g| g * g).sum::<f64>();
                let heard = gram.at(2 * stem + from, 2 * stem + from) * size;
                columns.push(2 * stem + from);
                start.push(gain);
                pulls.push(if heard > 0.0 { (pull * mix / heard).min(1.0) } else { 0.0 });
            } else if from == to {
                held.push((2 * stem + from, gain));
            }
        }
    }
    let Solution { gains, condition, inseparable } =
        solve(gram, 2 * stems + to, &columns, &held, &start, &pulls);
    for arrival in &mut solved.arrivals {
        arrival.gains[to][1 - to] = 0.0;
    }
    for (&column, gain) in columns.iter().zip(gains) {
        solved.arrivals[column / 2].gains[to][column % 2] = gain;
        solved.arrivals[column / 2].fitted[to] = true;
    }
    solved.condition = solved.condition.min(condition);
    if let Some((a, b)) = inseparable.map(|(a, b)| (columns[a] / 2, columns[b] / 2)).filter(|(a, b)| a != b) {
        solved.inseparable = solved.inseparable.or(Some((a, b)));
    }
}

/// Tries pan and width: lets stems cross to the other side, the one that explains most of what is left first, as long
/// as that is believable.
fn cross(gram: &Gram, last: &[Arrival], mix: f64, solved: &mut Solved) -> Vec<usize> {
    let mut crossed: Vec<usize> = Vec::new();
    loop {
        let mut best: Option<(usize, Solved)> = None;
        for stem in (0..last.len()).filter(|stem| !crossed.contains(stem)) {
            if explains(gram, stem, &solved.arrivals) < BELIEVED * solved.residual * mix {
                continue;
            }
            let mut tried = Solved { condition: 1.0, inseparable: None, ..solved.clone() };
            let with: Vec<usize> = crossed.iter().copied().chain([stem]).collect();
            (0..2).for_each(|to| solve_side(gram, to, &with, last, mix, 0.0, &mut tried));
            tried.residual = residual(gram, &tried.arrivals) / mix;
            // Both sides of a mono stem are one signal: nothing crosses.
            let told = tried.condition >= super::SEPARABLE || solved.condition < super::SEPARABLE;
            if told && best.as_ref().is_none_or(|(_, other)| tried.residual < other.residual) {
                best = Some((stem, tried));
            }
        }
        match best {
            Some((stem, tried)) if tried.residual < (1.0 - BELIEVED) * solved.residual => {
                crossed.push(stem);
                *solved = tried;
            }
            _ => return crossed,
        }
    }
}

/// A bound of a kind on what a stem's crossing could explain: the power of the residual along its other side alone,
/// less what its own side has already had.
fn explains(gram: &Gram, stem: usize, arrivals: &[Arrival]) -> f64 {
    (0..2)
        .map(|to| {
            let (own, other) = (2 * stem + to, 2 * stem + 1 - to);
            let with_residual = |signal: usize| {
                let explained: f64 = (arrivals.iter().enumerate())
                    .flat_map(|(i, arrival)| (0..2).map(move |from| (2 * i + from, arrival.gains[to][from])))
                    .map(|(j, gain)| gain * gram.at(signal, j))
                    .sum();
                gram.at(signal, 2 * arrivals.len() + to) - explained
            };
            let (p, q, pq) = (gram.at(own, own), gram.at(other, other), gram.at(own, other));
            let alone = if p > 0.0 { q - pq * pq / p } else { q };
            if alone <= super::SEPARABLE * q || q <= 0.0 {
                return 0.0;
            }
            let along = with_residual(other) - if p > 0.0 { pq / p * with_residual(own) } else { 0.0 };
            along * along / alone
        })
        .sum()
}
