//! Fit of the stems to the mix: the gains with which every stem arrives, hop by hop, and the residual.
//!
//! Least squares in the K-weighted domain: the gains `g` that minimize `mean((m - sum_i g_i y_i)^2)` over a window,
//! for each side of the mix. The window is 1 s while the residual is below -60 dB of the mix. Above that, either
//! something is unlinked or processed and disturbs the gains of short windows, or a fader moves and long windows
//! smear it. So windows of 1 s and of 10 s both predict the hop from its neighbours alone, and 10 s is taken unless 1
//! s leaves less than half as much. Above -40 dB stems may cross to the other side (pan, width), if they explain a
//! part of the residual by it.

mod arrival;
mod normal;
mod window;

pub use arrival::{HopRow, StemArrival};
pub use normal::MIN_CONDITION;

use super::gram::{Gram, Hops};
use super::joint::STEREO;
use units::Db;
use window::{CLEAN_RESIDUAL, WindowFit, fit_freely, fit_window, mean_matrix};
pub(super) use window::{mix_power, residual};

/// Hops on either side of a hop that its fit uses.
pub const FIT_REACH_HOPS: usize = LONG_WINDOW_HOPS / 2;
const SHORT_WINDOW_HOPS: usize = 10;
const LONG_WINDOW_HOPS: usize = 100;
/// Ratio of the short window's residual to the long window's below which the short window is used: gains move.
const MOVING_RATIO: f64 = 0.5;

/// Iterations after which an initial fit no longer depends on unity, except where stems cannot be told apart.
const INITIAL_ITERATIONS: usize = 20;

/// Fit of a row of hops.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    stems: usize,
    /// Arrivals, per hop, per stem.
    arrivals: Vec<StemArrival>,
    /// Least reciprocal condition of each hop; 1 where there was nothing to tell apart.
    condition: Vec<f64>,
    inseparable: Vec<(usize, usize)>,
}

impl Fit {
    /// Returns the fit of a mix that is exactly the sum of its stems: unity gain in all `hops` hops.
    pub fn unity(hops: usize, stems: usize) -> Self {
        let arrivals = vec![StemArrival { fitted: [true; 2], ..StemArrival::UNITY }; hops * stems];
        Self { stems, arrivals, condition: vec![1.0; hops], inseparable: Vec::new() }
    }

    /// Joins the fits of single hops.
    pub fn from_hops<'a>(stems: usize, hops: impl Iterator<Item = &'a HopFit>) -> Self {
        let mut fit = Self { stems, arrivals: Vec::new(), condition: Vec::new(), inseparable: Vec::new() };
        for hop in hops {
            fit.arrivals.extend_from_slice(&hop.arrivals);
            fit.condition.push(hop.condition);
            for pair in &hop.inseparable {
                if !fit.inseparable.contains(pair) {
                    fit.inseparable.push(*pair);
                }
            }
        }
        fit.fill();
        fit
    }

    /// Returns the fit in which every stem arrives with its mean gains in all hops.
    pub fn steady(&self) -> Self {
        let mean = |stem| self.mean_gains(stem).unwrap_or(StemArrival::UNITY.gains);
        let arrivals: Vec<StemArrival> =
            (0..self.stems).map(|stem| StemArrival { gains: mean(stem), fitted: [true; 2] }).collect();
        Self { arrivals: arrivals.repeat(self.condition.len()), ..self.clone() }
    }

    /// Number of stems.
    pub fn stems(&self) -> usize {
        self.stems
    }

    /// Arrivals of all stems at a hop.
    pub fn arrivals(&self, hop: usize) -> &[StemArrival] {
        &self.arrivals[hop * self.stems..(hop + 1) * self.stems]
    }

    /// Least reciprocal condition number of a hop.
    pub fn condition(&self, hop: usize) -> f64 {
        self.condition[hop]
    }

    /// Two stems that could not be told apart in some hop; only their sum was fitted there.
    pub fn inseparable(&self) -> Option<(usize, usize)> {
        self.inseparable.first().copied()
    }

    /// True if a stem could not be told from another one in some hop.
    pub fn is_inseparable(&self, stem: usize) -> bool {
        self.inseparable.iter().any(|&(a, b)| a == stem || b == stem)
    }

    /// Stems that could not be told from this one in some hop.
    pub fn copies(&self, stem: usize) -> impl Iterator<Item = usize> {
        self.inseparable.iter().filter_map(move |&(a, b)| match stem {
            stem if stem == a => Some(b),
            stem if stem == b => Some(a),
            _ => None,
        })
    }

    /// Arrivals of a stem at the hops at which it was fitted on some side.
    pub fn fitted_arrivals(&self, stem: usize) -> impl Iterator<Item = &StemArrival> {
        let arrivals = self.arrivals.iter().skip(stem).step_by(self.stems.max(1));
        arrivals.filter(|arrival| arrival.fitted != [false; 2])
    }

    /// Mean gains of a stem over the hops in which it was fitted, `[to][from]`; `None` if it never was.
    pub fn mean_gains(&self, stem: usize) -> Option<[[f64; 2]; 2]> {
        let (mut sums, mut counts) = ([[0.0; 2]; 2], [0.0; 2]);
        for arrival in self.fitted_arrivals(stem) {
            for to in (0..2).filter(|to| arrival.fitted[*to]) {
                counts[to] += 1.0;
                (0..2).for_each(|from| sums[to][from] += arrival.gains[to][from]);
            }
        }
        // A side on which the stem is silent takes the gains of the other one.
        let side = |to: usize| match counts[to] {
            0.0 => {
                let other = sums[1 - to].map(|sum| sum / counts[1 - to]);
                [other[1], other[0]]
            }
            count => sums[to].map(|sum| sum / count),
        };
        (counts != [0.0; 2]).then(|| [side(0), side(1)])
    }

    /// Range of a stem's gains over the hops in which it was fitted: the largest of the four, relative to the gain on
    /// its side.
    pub fn gain_spread(&self, stem: usize) -> Db {
        let mut spread = Db(0.0);
        for to in 0..2 {
            let gains = || self.fitted_arrivals(stem).filter(|a| a.fitted[to]).map(|a| a.gains[to]);
            for from in 0..2 {
                let range = gains().map(|side| side[from]);
                let (low, high) =
                    range.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), g| (l.min(g), h.max(g)));
                let size = gains().map(|side| side[0].hypot(side[1])).fold(0.0, f64::max);
                if high > low {
                    let least = size - (high - low);
                    let db = if least > 0.0 { Db::from_gain(size / least) } else { Db(f64::INFINITY) };
                    spread = spread.max(db);
                }
            }
        }
        spread
    }

    /// Gives held stems the last gains they were fitted with; before the first fitted hop, those of that hop.
    fn fill(&mut self) {
        let hops = self.condition.len();
        for stem in 0..self.stems {
            for to in 0..2 {
                let at = |hop: usize| hop * self.stems + stem;
                let mut known = (0..hops).map(at).find(|&i| self.arrivals[i].fitted[to]);
                for i in (0..hops).map(at) {
                    if self.arrivals[i].fitted[to] {
                        known = Some(i);
                    } else if let Some(known) = known {
                        self.arrivals[i].gains[to] = self.arrivals[known].gains[to];
                    }
                }
            }
        }
    }
}

/// Fit of one hop.
#[derive(Clone, Debug, PartialEq)]
pub struct HopFit {
    /// Arrivals of all stems.
    pub arrivals: Vec<StemArrival>,
    /// Least reciprocal condition.
    pub condition: f64,
    /// Pairs of stems that could not be told apart.
    pub inseparable: Vec<(usize, usize)>,
}

/// Fits every hop of `row`. Windows are centred on their hop and reach [`FIT_REACH_HOPS`] hops to either side.
///
/// Cost: one Cholesky decomposition per hop and side, several where there is a residual.
pub fn fit(row: &HopRow<'_>, stems: usize) -> Fit {
    Fit::from_hops(stems, fit_row(row, stems).iter())
}

/// The same, hop by hop.
pub(super) fn fit_row(row: &HopRow<'_>, stems: usize) -> Vec<HopFit> {
    let mut last = initial_arrivals(row, stems);
    let mut hops = Vec::with_capacity(row.len());
    for hop in 0..row.len() {
        let fitted = fit_hop(row, hop, &last);
        last.clone_from(&fitted.arrivals);
        hops.push(fitted);
    }
    hops
}

/// Mean arrivals over all of `row`: the initial values of its fit.
pub fn initial_arrivals(row: &HopRow<'_>, stems: usize) -> Vec<StemArrival> {
    let mut arrivals = vec![StemArrival::UNITY; stems];
    if !row.is_empty() {
        let gram = mean_matrix(row, stems, row.len() / 2, row.len(), None);
        for _ in 0..INITIAL_ITERATIONS {
            arrivals = fit_window(&gram, &arrivals).arrivals;
        }
    }
    arrivals
}

/// Fits the hop `hop` of `row`; `last`: arrivals at the hop before.
pub fn fit_hop(row: &HopRow<'_>, hop: usize, last: &[StemArrival]) -> HopFit {
    let stems = last.len();
    let window = |width| mean_matrix(row, stems, hop, width, None);
    let mut gram = window(SHORT_WINDOW_HOPS);
    let mut solved = fit_window(&gram, last);
    if solved.residual > CLEAN_RESIDUAL && row.len() > SHORT_WINDOW_HOPS {
        let long = window(LONG_WINDOW_HOPS);
        let moving = row[hop].is_some_and(|packed| {
            let this = Gram::from_packed(2 * (stems + 1), packed);
            let left = |width| {
                let around = mean_matrix(row, stems, hop, width, Some(hop));
                residual(&this, &fit_window(&around, last).arrivals)
            };
            mix_power(&this) > 0.0 && left(SHORT_WINDOW_HOPS) < MOVING_RATIO * left(LONG_WINDOW_HOPS)
        });
        if !moving {
            gram = long;
            solved = fit_window(&gram, last);
        }
    }
    let WindowFit { arrivals, condition, inseparable, .. } = solved;
    HopFit { arrivals, condition, inseparable }
}

/// Gains of the signals `columns` of `gram` that leave least of the signal `target`.
pub(crate) fn solve_gains(gram: &Gram, target: usize, columns: &[usize]) -> Vec<f64> {
    let zeros = vec![0.0; columns.len()];
    normal::solve(gram, target, columns, &[], &zeros, &zeros).gains
}

/// Fit of one hop by itself. Gains are unreliable where there is a residual.
pub(super) struct SingleHopFit {
    pub(super) arrivals: Vec<StemArrival>,
    pub(super) left: f64,
}

/// Fits one joint matrix by itself.
pub(super) fn fit_single_hop(joint: &Gram, last: &[StemArrival]) -> SingleHopFit {
    let (solved, _) = fit_freely(joint, last);
    SingleHopFit { left: residual(joint, &solved.arrivals).max(0.0), arrivals: solved.arrivals }
}

/// Returns the sources of the mix: every stem as it arrives by `fit` and, last, *Unlinked*, the residual. They sum to
/// the mix exactly. Hops that were not recorded stay so.
pub fn resolve(row: &HopRow<'_>, fit: &Fit) -> Hops {
    let stems = fit.stems();
    let mut resolved = Hops::new(stems + 1, &STEREO);
    for (hop, packed) in row.iter().enumerate() {
        match packed {
            Some(packed) => {
                let joint = Gram::from_packed(2 * (stems + 1), packed);
                resolved.push(&[0, 1].map(|to| arriving(&joint, fit.arrivals(hop), to)));
            }
            None => resolved.push_unheard(),
        }
    }
    resolved
}

/// Gram matrix of one side of the mix: stems as they arrive there and, last, the residual.
fn arriving(joint: &Gram, arrivals: &[StemArrival], to: usize) -> Gram {
    let stems = arrivals.len();
    // The stem's own side first, the other one only if it crosses.
    let parts: Vec<[(usize, f64); 2]> = (arrivals.iter().enumerate())
        .map(|(stem, arrival)| [to, 1 - to].map(|from| (2 * stem + from, arrival.gains[to][from])))
        .collect();
    let product = |a: &[(usize, f64)], b: &[(usize, f64)]| -> f64 {
        let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (a, b)));
        pairs.filter(|(a, b)| a.1 != 0.0 && b.1 != 0.0).map(|(a, b)| a.1 * b.1 * joint.at(a.0, b.0)).sum()
    };
    let mix = [(2 * stems + to, 1.0)];
    let mut out = Gram::zero(stems + 1);
    let mut left = joint.at(mix[0].0, mix[0].0);
    for i in 0..stems {
        let with_mix = product(&parts[i], &mix);
        let mut with_stems = 0.0;
        for j in 0..stems {
            let value = product(&parts[i], &parts[j]);
            with_stems += value;
            out.set(i, j, value);
        }
        out.set(i, stems, with_mix - with_stems);
        left += with_stems - 2.0 * with_mix;
    }
    out.set(stems, stems, left.max(0.0));
    out
}

#[cfg(test)]
mod tests;
