//! The fit: how every stem arrives in the mix, hop by hop, and what is left over.
//!
//! Least squares in the K-weighted domain: the gains `g` that minimize `mean((m - sum_i g_i y_i)^2)` over a window, for
//! each side of the mix. The window is 1 s while that leaves less than -60 dB of the mix. Else something is unlinked or
//! processed, and short windows let it shake the gains; or a fader moves, and long windows smear it. So 1 s and 10 s
//! both predict the hop from its neighbours alone, and 10 s is taken unless 1 s leaves less than half as much. Above
//! -40 dB stems may cross to the other side (pan, width), those that explain something by it.

mod normal;
mod window;

pub use normal::SEPARABLE;

use super::gram::{Gram, Hops};
use super::joint::STEREO;
use units::Db;
use window::{Solved, fit_freely, fit_window, mean, mix_power, residual};

/// Hops on both sides of a hop that its fit may look at.
pub const REACH: usize = LONG_WINDOW / 2;
const SHORT_WINDOW: usize = 10;
const LONG_WINDOW: usize = 100;
/// Residual over mix power below which the short window is trusted.
const CLEAN: f64 = 1e-6;
/// The short window is taken when it leaves this part of what the long one leaves.
const MOVING: f64 = 0.5;

/// Rounds until a start no longer leans to unity where anything can be told.
const STARTING_ROUNDS: usize = 20;

/// Packed joint matrices of a row of hops, stems and then the mix; `None` for hops that were not heard.
pub type Row<'a> = [Option<&'a [f64]>];

/// How a stem arrives in the mix: `gains[to][from]`, linear, from its sides to those of the mix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    /// Linear gains, `[to][from]`, 0 left, 1 right.
    pub gains: [[f64; 2]; 2],
    /// Per side of the mix: true if this was fitted, false if it is held from before.
    pub fitted: [bool; 2],
}

impl Arrival {
    /// As it leaves its Stem.
    pub const UNITY: Self = Self { gains: [[1.0, 0.0], [0.0, 1.0]], fitted: [false; 2] };

    /// The level change of a stem with equal power on both sides.
    pub fn gain(&self) -> Db {
        let power: f64 = self.gains.as_flattened().iter().map(|g| g * g).sum();
        Db::from_gain((power / 2.0).sqrt())
    }
}

/// The fit of a row of hops.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    stems: usize,
    /// Per hop, per stem.
    arrivals: Vec<Arrival>,
    /// Least reciprocal condition of each hop; 1 where nothing had to be told apart.
    condition: Vec<f64>,
    inseparable: Option<(usize, usize)>,
}

impl Fit {
    /// The fit that says: every stem arrives at unity, exactly (the mix is the sum of the stems).
    pub fn unity(hops: usize, stems: usize) -> Self {
        let arrivals = vec![Arrival { fitted: [true; 2], ..Arrival::UNITY }; hops * stems];
        Self { stems, arrivals, condition: vec![1.0; hops], inseparable: None }
    }

    /// A fit put together from fits of single hops: the arrivals of every stem and the condition.
    pub fn from_hops<'a>(stems: usize, hops: impl Iterator<Item = &'a HopFit>) -> Self {
        let mut fit = Self { stems, arrivals: Vec::new(), condition: Vec::new(), inseparable: None };
        for hop in hops {
            fit.arrivals.extend_from_slice(&hop.arrivals);
            fit.condition.push(hop.condition);
            fit.inseparable = fit.inseparable.or(hop.inseparable);
        }
        fit.fill();
        fit
    }

    /// The fit in which every stem arrives all the time as it does on average.
    pub fn steady(&self) -> Self {
        let mean = |stem| self.mean(stem).unwrap_or(Arrival::UNITY.gains);
        let arrivals: Vec<Arrival> =
            (0..self.stems).map(|stem| Arrival { gains: mean(stem), fitted: [true; 2] }).collect();
        Self { arrivals: arrivals.repeat(self.condition.len()), ..self.clone() }
    }

    /// Number of stems.
    pub fn stems(&self) -> usize {
        self.stems
    }

    /// How every stem arrives at a hop.
    pub fn arrivals(&self, hop: usize) -> &[Arrival] {
        &self.arrivals[hop * self.stems..(hop + 1) * self.stems]
    }

    /// The least reciprocal condition number of a hop.
    pub fn condition(&self, hop: usize) -> f64 {
        self.condition[hop]
    }

    /// Two stems that could not be told apart somewhere; only their sum was fitted there.
    pub fn inseparable(&self) -> Option<(usize, usize)> {
        self.inseparable
    }

    /// How a stem arrives at every hop at which it was fitted on some side.
    pub fn fitted(&self, stem: usize) -> impl Iterator<Item = &Arrival> {
        let arrivals = self.arrivals.iter().skip(stem).step_by(self.stems.max(1));
        arrivals.filter(|arrival| arrival.fitted != [false; 2])
    }

    /// The mean arrival of a stem over the hops in which it was fitted; `None` if it never was.
    pub fn mean(&self, stem: usize) -> Option<[[f64; 2]; 2]> {
        let (mut sums, mut counts) = ([[0.0; 2]; 2], [0.0; 2]);
        for arrival in self.fitted(stem) {
            for to in (0..2).filter(|to| arrival.fitted[*to]) {
                counts[to] += 1.0;
                (0..2).for_each(|from| sums[to][from] += arrival.gains[to][from]);
            }
        }
        // A side on which the stem is silent goes as the other one does.
        let side = |to: usize| match counts[to] {
            0.0 => {
                let other = sums[1 - to].map(|sum| sum / counts[1 - to]);
                [other[1], other[0]]
            }
            count => sums[to].map(|sum| sum / count),
        };
        (counts != [0.0; 2]).then(|| [side(0), side(1)])
    }

    /// How much a stem's arrival varies over the hops in which it was fitted, the largest of its gains, relative to its
    /// gain on that side.
    pub fn gain_spread(&self, stem: usize) -> Db {
        let mut spread = Db(0.0);
        for to in 0..2 {
            let gains = || self.fitted(stem).filter(|a| a.fitted[to]).map(|a| a.gains[to]);
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

    /// Gives stems that are held the last gain they were fitted with, and before the first fitted hop that one's.
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

/// The fit of one hop.
#[derive(Clone, Debug, PartialEq)]
pub struct HopFit {
    /// How every stem arrives.
    pub arrivals: Vec<Arrival>,
    /// The reciprocal condition.
    pub condition: f64,
    /// Two stems that could not be told apart.
    pub inseparable: Option<(usize, usize)>,
}

/// Fits every hop of `row`. Windows are centred on their hop and look [`REACH`] hops to both sides.
///
/// Cost: a Cholesky decomposition per hop and side, some more where something is left over.
pub fn fit(row: &Row<'_>, stems: usize) -> Fit {
    let mut last = start(row, stems);
    let mut hops = Vec::with_capacity(row.len());
    for hop in 0..row.len() {
        let fitted = fit_hop(row, hop, &last);
        last.clone_from(&fitted.arrivals);
        hops.push(fitted);
    }
    Fit::from_hops(stems, hops.iter())
}

/// How stems arrive over all of `row` on average: where its fit starts from.
pub fn start(row: &Row<'_>, stems: usize) -> Vec<Arrival> {
    let mut arrivals = vec![Arrival::UNITY; stems];
    if !row.is_empty() {
        let gram = mean(row, stems, row.len() / 2, row.len(), None);
        for _ in 0..STARTING_ROUNDS {
            arrivals = fit_window(&gram, &arrivals).arrivals;
        }
    }
    arrivals
}

/// Fits the hop `hop` of `row`; `last`: how every stem arrived before.
pub fn fit_hop(row: &Row<'_>, hop: usize, last: &[Arrival]) -> HopFit {
    let stems = last.len();
    let window = |width| mean(row, stems, hop, width, None);
    let mut gram = window(SHORT_WINDOW);
    let mut solved = fit_window(&gram, last);
    if solved.residual > CLEAN && row.len() > SHORT_WINDOW {
        let long = window(LONG_WINDOW);
        let moving = row[hop].is_some_and(|packed| {
            let this = Gram::from_packed(2 * (stems + 1), packed);
            let left = |width| {
                let around = mean(row, stems, hop, width, Some(hop));
                residual(&this, &fit_window(&around, last).arrivals)
            };
            mix_power(&this) > 0.0 && left(SHORT_WINDOW) < MOVING * left(LONG_WINDOW)
        });
        if !moving {
            gram = long;
            solved = fit_window(&gram, last);
        }
    }
    let Solved { arrivals, condition, inseparable, .. } = solved;
    HopFit { arrivals, condition, inseparable }
}

/// How stems arrive in one hop by itself, and the power of what is left. Shaky where something is left over.
pub(super) struct Alone {
    pub(super) arrivals: Vec<Arrival>,
    pub(super) left: f64,
}

/// Fits one matrix by itself.
pub(super) fn solve_hop(joint: &Gram, last: &[Arrival]) -> Alone {
    let (solved, _) = fit_freely(joint, last);
    Alone { left: residual(joint, &solved.arrivals).max(0.0), arrivals: solved.arrivals }
}

/// The sources of the mix: every stem as it arrives by `fit`, and last *Unlinked*, what is left of the mix. They sum to
/// the mix exactly. Hops that were not heard stay unheard.
pub fn resolve(row: &Row<'_>, fit: &Fit) -> Hops {
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

/// The Gram matrix of one side of the mix: stems as they arrive there, and what is left.
fn arriving(joint: &Gram, arrivals: &[Arrival], to: usize) -> Gram {
    let stems = arrivals.len();
    // Each stem as it arrives: its own side first, the other one only if it crosses.
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
