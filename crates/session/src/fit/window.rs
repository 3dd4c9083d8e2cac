//! Fit of one window of hops.

use super::arrival::{HopRow, StemArrival};
use super::normal::{LeastSquares, MIN_CONDITION, solve};
use crate::gram::{Gram, triangle};

/// Residual over mix power below which the short window is used.
pub(super) const CLEAN_RESIDUAL: f64 = 1e-6;
/// Share of the mix's power in a window below which a stem keeps its last gains (-60 dB).
const INACTIVE_SHARE: f64 = 1e-6;
/// Power (K-weighted mean square) of the mix below which nothing is fitted.
const SILENT_POWER: f64 = 1e-12;
/// Residual over mix power above which pan and width are tried (-40 dB).
const CROSSING_RESIDUAL: f64 = 1e-4;
/// Ridge toward the gains of the hop before, as a multiple of residual over stem power. A hop moves far enough to
/// follow a fader; gains that 10 s do not determine change slowly.
const PULL_FACTOR: f64 = 10.0;
/// Share of the residual that a stem must explain for it to cross sides.
const CROSSING_SHARE: f64 = 0.05;

/// Arrivals of all stems by one window.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WindowFit {
    pub(super) arrivals: Vec<StemArrival>,
    /// Residual over mix power in the window.
    pub(super) residual: f64,
    pub(super) condition: f64,
    pub(super) inseparable: Vec<(usize, usize)>,
}

/// Mean joint matrix of `width` hops around `hop` (fewer at the ends), without the hop `leave`.
pub(super) fn mean_matrix(
    row: &HopRow<'_>,
    stems: usize,
    hop: usize,
    width: usize,
    leave: Option<usize>,
) -> Gram {
    let width = width.min(row.len());
    let first = hop.saturating_sub(width / 2).min(row.len() - width);
    let hops = (first..first + width).filter(|h| leave != Some(*h)).filter_map(|h| row[h]);
    let count = hops.clone().count().max(1);
    let mut gram = Gram::zero(2 * (stems + 1));
    debug_assert!(row.iter().flatten().all(|packed| packed.len() == triangle(2 * (stems + 1))));
    hops.for_each(|packed| gram.add(packed, 1.0 / count as f64));
    gram
}

/// Fits the stems to the mix, the last source of `gram`.
pub(super) fn fit_window(gram: &Gram, last: &[StemArrival]) -> WindowFit {
    let (mut solved, crossed) = fit_freely(gram, last);
    if solved.residual > CLEAN_RESIDUAL {
        // The residual disturbs the gains, most of all those of stems that resemble each other, so they are held near
        // the last ones. The next hop starts from these.
        let (mix, left, condition) = (mix_power(gram), solved.residual, solved.condition);
        (0..2).for_each(|to| solve_side(gram, to, &crossed, last, mix, PULL_FACTOR * left, &mut solved));
        (solved.residual, solved.condition) = (residual(gram, &solved.arrivals) / mix, condition);
    }
    solved
}

/// Fits with only the smallest ridge; also returns the stems that cross sides.
pub(super) fn fit_freely(gram: &Gram, last: &[StemArrival]) -> (WindowFit, Vec<usize>) {
    let mut solved = WindowFit {
        arrivals: last.iter().map(|arrival| StemArrival { fitted: [false; 2], ..*arrival }).collect(),
        residual: 0.0,
        condition: 1.0,
        inseparable: Vec::new(),
    };
    let mix = mix_power(gram);
    if mix < SILENT_POWER {
        return (solved, Vec::new());
    }
    for to in 0..2 {
        solve_side(gram, to, &[], last, mix, 0.0, &mut solved);
    }
    solved.residual = residual(gram, &solved.arrivals) / mix;
    let crossed =
        if solved.residual > CROSSING_RESIDUAL { cross(gram, last, mix, &mut solved) } else { Vec::new() };
    (solved, crossed)
}

/// Power of the mix, both sides.
pub(crate) fn mix_power(gram: &Gram) -> f64 {
    let signals = gram.sources();
    gram.at(signals - 2, signals - 2) + gram.at(signals - 1, signals - 1)
}

/// Power of the residual, both sides.
pub(crate) fn residual(gram: &Gram, arrivals: &[StemArrival]) -> f64 {
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

/// Fits side `to` of the mix: every stem's own side and, of the stems `crossed`, the other one too.
///
/// `pull`: ridge toward the last gains, relative to the power of the mix.
fn solve_side(
    gram: &Gram,
    to: usize,
    crossed: &[usize],
    last: &[StemArrival],
    mix: f64,
    pull: f64,
    solved: &mut WindowFit,
) {
    let stems = last.len();
    let loud = |stem: usize, from: usize| {
        let power = gram.at(2 * stem + from, 2 * stem + from);
        power * last[stem].gains[to][from].powi(2).max(1.0) > (INACTIVE_SHARE * mix).max(SILENT_POWER)
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
    let LeastSquares { gains, condition, inseparable } =
        solve(gram, 2 * stems + to, &columns, &held, &start, &pulls);
    for arrival in &mut solved.arrivals {
        arrival.gains[to][1 - to] = 0.0;
    }
    for (&column, gain) in columns.iter().zip(gains) {
        solved.arrivals[column / 2].gains[to][column % 2] = gain;
        solved.arrivals[column / 2].fitted[to] = true;
    }
    solved.condition = solved.condition.min(condition);
    let stems = inseparable.into_iter().map(|(a, b)| (columns[a] / 2, columns[b] / 2));
    for pair in stems.filter(|(a, b)| a != b) {
        if !solved.inseparable.contains(&pair) {
            solved.inseparable.push(pair);
        }
    }
}

/// Tries pan and width: lets stems cross to the other side, the one that explains most of the residual first, as long
/// as it explains enough.
fn cross(gram: &Gram, last: &[StemArrival], mix: f64, solved: &mut WindowFit) -> Vec<usize> {
    let mut crossed: Vec<usize> = Vec::new();
    loop {
        let mut best: Option<(usize, WindowFit)> = None;
        for stem in (0..last.len()).filter(|stem| !crossed.contains(stem)) {
            if explains(gram, stem, &solved.arrivals) < CROSSING_SHARE * solved.residual * mix {
                continue;
            }
            let mut tried = WindowFit { condition: 1.0, inseparable: Vec::new(), ..solved.clone() };
            let with: Vec<usize> = crossed.iter().copied().chain([stem]).collect();
            (0..2).for_each(|to| solve_side(gram, to, &with, last, mix, 0.0, &mut tried));
            tried.residual = residual(gram, &tried.arrivals) / mix;
            // Both sides of a mono stem are one signal: nothing crosses.
            let told = tried.condition >= MIN_CONDITION || solved.condition < MIN_CONDITION;
            if told && best.as_ref().is_none_or(|(_, other)| tried.residual < other.residual) {
                best = Some((stem, tried));
            }
        }
        match best {
            Some((stem, tried)) if tried.residual < (1.0 - CROSSING_SHARE) * solved.residual => {
                crossed.push(stem);
                *solved = tried;
            }
            _ => return crossed,
        }
    }
}

/// Estimated bound on what a stem's crossing can explain: the power of the residual along its other side alone, less
/// what its own side has already explained.
fn explains(gram: &Gram, stem: usize, arrivals: &[StemArrival]) -> f64 {
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
            if alone <= MIN_CONDITION * q || q <= 0.0 {
                return 0.0;
            }
            let along = with_residual(other) - if p > 0.0 { pq / p * with_residual(own) } else { 0.0 };
            along * along / alone
        })
        .sum()
}
