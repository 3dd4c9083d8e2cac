//! The fit: with which gain every stem arrives in the mix, per hop and channel, and what is left over.
//!
//! Least squares in the K-weighted domain: the gains `g` that minimize `mean((m - sum_i g_i y_i)^2)` over a window.
//! The normal equations are solved by Cholesky decomposition after scaling every stem to unit power, with a ridge of
//! 1e-9 toward the last gains. The window is 1 s while that leaves less than -60 dB of the mix, else 10 s: short
//! windows let an unlinked track shake the gains of the others.

use super::gram::{Gram, Hops};
use crate::units::Db;

const SHORT_WINDOW: usize = 10;
const LONG_WINDOW: usize = 100;
/// Residual over mix power below which the short window is trusted.
const CLEAN: f64 = 1e-6;
const RIDGE: f64 = 1e-9;
/// Stems below this part of the mix's power in a window (-60 dB) keep their last gain.
const INACTIVE: f64 = 1e-6;
/// Power (K-weighted mean square) below which nothing is fitted.
const SILENT: f64 = 1e-12;
/// The least reciprocal condition at which stems can be told apart.
pub const SEPARABLE: f64 = 1e-6;

/// The fit of a row of hops.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    stems: usize,
    channels: usize,
    /// Linear gain, per hop, channel, stem.
    gains: Vec<f64>,
    /// Which of those were fitted (not held), same order.
    fitted: Vec<bool>,
    /// Least reciprocal condition of each hop's channels; 1 where nothing had to be told apart.
    condition: Vec<f64>,
    inseparable: Option<(usize, usize)>,
}

impl Fit {
    /// The fit that says: every stem arrives at unity, exactly (the mix is the sum of the stems).
    pub fn unity(hops: usize, channels: usize, stems: usize) -> Self {
        Self {
            stems,
            channels,
            gains: vec![1.0; hops * channels * stems],
            fitted: vec![true; hops * channels * stems],
            condition: vec![1.0; hops],
            inseparable: None,
        }
    }

    /// The linear gain of every stem at a hop and channel.
    pub fn gains(&self, hop: usize, channel: usize) -> &[f64] {
        let start = (hop * self.channels + channel) * self.stems;
        &self.gains[start..start + self.stems]
    }

    /// The least reciprocal condition number of a hop.
    pub fn condition(&self, hop: usize) -> f64 {
        self.condition[hop]
    }

    /// Two stems that could not be told apart somewhere; their gains were held there.
    pub fn inseparable(&self) -> Option<(usize, usize)> {
        self.inseparable
    }

    /// The mean gain of a stem in a channel over the hops in which it was fitted; `None` if it never was.
    pub fn mean_gain(&self, stem: usize, channel: usize) -> Option<f64> {
        let (sum, count) = self
            .each(stem, channel)
            .filter(|(_, fitted)| *fitted)
            .fold((0.0, 0), |(s, n), (g, _)| (s + g, n + 1));
        (count > 0).then(|| sum / f64::from(count))
    }

    /// How much a stem's gain varies over the hops in which it was fitted, the largest of the channels.
    pub fn gain_spread(&self, stem: usize) -> Db {
        let spread = |channel| {
            let fitted = self.each(stem, channel).filter(|(_, fitted)| *fitted).map(|(gain, _)| gain);
            let (low, high) =
                fitted.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), g: f64| (l.min(g), h.max(g)));
            match (low, high) {
                (low, high) if low > high => Db(0.0),
                (low, high) if low > 0.0 || high < 0.0 => {
                    let (a, b) = (Db::from_gain(low), Db::from_gain(high));
                    (a - b).max(b - a)
                }
                _ => Db(f64::INFINITY),
            }
        };
        (0..self.channels).map(spread).fold(Db(0.0), Db::max)
    }

    fn each(&self, stem: usize, channel: usize) -> impl Iterator<Item = (f64, bool)> {
        let start = channel * self.stems + stem;
        let step = self.channels * self.stems;
        let gains = self.gains[start.min(self.gains.len())..].iter().step_by(step).copied();
        gains.zip(self.fitted[start.min(self.fitted.len())..].iter().step_by(step).copied())
    }
}

/// Fits every hop of `raw`, whose last source is the mix and whose others are the stems, delay-aligned.
///
/// Windows are centred on their hop. Cost: a Cholesky decomposition per hop and channel.
pub fn fit(raw: &Hops) -> Fit {
    let (hops, channels, stems) = (raw.len(), raw.channels(), raw.sources() - 1);
    let mut fit = Fit::unity(hops, channels, stems);
    fit.fitted.fill(false);
    for channel in 0..channels {
        let mut last = vec![1.0; stems];
        for hop in 0..hops {
            let mut solved = solve_window(raw, hop, channel, SHORT_WINDOW, &last);
            if solved.residual > CLEAN {
                solved = solve_window(raw, hop, channel, LONG_WINDOW, &last);
            }
            let start = (hop * channels + channel) * stems;
            fit.gains[start..start + stems].copy_from_slice(&solved.gains);
            fit.fitted[start..start + stems].copy_from_slice(&solved.fitted);
            fit.condition[hop] = fit.condition[hop].min(solved.condition);
            fit.inseparable = fit.inseparable.or(solved.inseparable);
            last = solved.gains;
        }
        // A stem that is silent at first has held its assumption so far; its first fitted gain is better.
        for stem in 0..stems {
            let at = |hop: usize| (hop * channels + channel) * stems + stem;
            if let Some(first) = (0..hops).find(|&hop| fit.fitted[at(hop)]) {
                let gain = fit.gains[at(first)];
                (0..first).for_each(|hop| fit.gains[at(hop)] = gain);
            }
        }
    }
    fit
}

struct Solved {
    gains: Vec<f64>,
    fitted: Vec<bool>,
    /// Residual over mix power.
    residual: f64,
    condition: f64,
    inseparable: Option<(usize, usize)>,
}

fn solve_window(raw: &Hops, hop: usize, channel: usize, window: usize, last: &[f64]) -> Solved {
    let window = window.min(raw.len());
    let first = hop.saturating_sub(window / 2).min(raw.len() - window);
    let mut gram = Gram::zero(raw.sources());
    for h in first..first + window {
        gram.add(raw.packed(h, channel), 1.0 / window as f64);
    }
    solve(&gram, last)
}

/// Fits one window's matrix, whose last source is the mix.
fn solve(gram: &Gram, last: &[f64]) -> Solved {
    let stems = gram.sources() - 1;
    let mix = gram.at(stems, stems);
    let mut solved = Solved {
        gains: last.to_vec(),
        fitted: vec![false; stems],
        residual: 0.0,
        condition: 1.0,
        inseparable: None,
    };
    if mix < SILENT {
        return solved;
    }
    let mut active: Vec<usize> = (0..stems)
        .filter(|&i| gram.at(i, i) * last[i].powi(2).max(1.0) > (INACTIVE * mix).max(SILENT))
        .collect();
    while !active.is_empty() {
        match normal_equations(gram, &active, last) {
            Ok((gains, condition)) => {
                solved.condition = solved.condition.min(condition);
                for (&stem, gain) in active.iter().zip(gains) {
                    (solved.gains[stem], solved.fitted[stem]) = (gain, true);
                }
                break;
            }
            Err((a, b)) => {
                solved.condition = 0.0;
                solved.inseparable = solved.inseparable.or(Some((a.min(b), a.max(b))));
                active.retain(|&stem| stem != a && stem != b);
            }
        }
    }
    solved.residual = residual_power(gram, &solved.gains) / mix;
    solved
}

/// The power of `m - sum_i g_i y_i`.
fn residual_power(gram: &Gram, gains: &[f64]) -> f64 {
    let mut signed: Vec<f64> = gains.iter().map(|g| -g).collect();
    signed.push(1.0);
    gram.power(&signed)
}

/// The gains of the `active` stems, the others held at `last`, and the reciprocal condition; or two stems that
/// cannot be told apart.
fn normal_equations(gram: &Gram, active: &[usize], last: &[f64]) -> Result<(Vec<f64>, f64), (usize, usize)> {
    let (n, mix) = (active.len(), gram.sources() - 1);
    let scale: Vec<f64> = active.iter().map(|&i| gram.at(i, i).sqrt()).collect();
    // Lower triangle of the Cholesky factor, row-major, built in place.
    let mut factor = vec![0.0; n * n];
    let (mut smallest, mut weakest) = (1.0f64, 0);
    for row in 0..n {
        for column in 0..=row {
            let correlation = gram.at(active[row], active[column]) / (scale[row] * scale[column]);
            let ridge = if row == column { RIDGE } else { 0.0 };
            let dot: f64 = (0..column).map(|k| factor[row * n + k] * factor[column * n + k]).sum();
            let value = correlation + ridge - dot;
            factor[row * n + column] = if row == column {
                // The part of this stem that the stems before it do not explain.
                if value < smallest {
                    (smallest, weakest) = (value, row);
                }
                value.max(RIDGE).sqrt()
            } else {
                value / factor[column * n + column]
            };
        }
    }
    if smallest < SEPARABLE {
        let correlation =
            |k: usize| (gram.at(active[weakest], active[k]) / (scale[weakest] * scale[k])).abs();
        let partner =
            (0..n).filter(|&k| k != weakest).max_by(|&a, &b| correlation(a).total_cmp(&correlation(b)));
        return Err((active[weakest], active[partner.unwrap_or(weakest)]));
    }
    let held: Vec<usize> = (0..last.len()).filter(|i| !active.contains(i)).collect();
    let mut z: Vec<f64> = (0..n)
        .map(|row| {
            let i = active[row];
            let explained: f64 = held.iter().map(|&j| gram.at(i, j) * last[j]).sum();
            (gram.at(i, mix) - explained) / scale[row] + RIDGE * last[i] * scale[row]
        })
        .collect();
    for row in 0..n {
        let dot: f64 = (0..row).map(|k| factor[row * n + k] * z[k]).sum();
        z[row] = (z[row] - dot) / factor[row * n + row];
    }
    for row in (0..n).rev() {
        let dot: f64 = (row + 1..n).map(|k| factor[k * n + row] * z[k]).sum();
        z[row] = (z[row] - dot) / factor[row * n + row];
    }
    Ok((z.iter().zip(&scale).map(|(z, s)| z / s).collect(), smallest))
}

/// The sources of the mix: every stem of `raw` as it arrives by `fit`, and last *Unlinked*, what is left of the mix
/// (the last source of `raw`). They sum to the mix exactly.
pub fn resolve(raw: &Hops, fit: &Fit) -> Hops {
    let stems = raw.sources() - 1;
    let mut resolved = Hops::new(stems + 1, raw.weights());
    for hop in 0..raw.len() {
        let channels: Vec<Gram> = (0..raw.channels())
            .map(|channel| {
                let gram = raw.gram(hop, channel);
                let gains = fit.gains(hop, channel);
                let mut out = Gram::zero(stems + 1);
                for i in 0..stems {
                    let mut left = gram.at(i, stems);
                    for j in 0..stems {
                        left -= gains[j] * gram.at(i, j);
                        if j >= i {
                            out.set(i, j, gains[i] * gains[j] * gram.at(i, j));
                        }
                    }
                    out.set(i, stems, gains[i] * left);
                }
                out.set(stems, stems, residual_power(&gram, gains));
                out
            })
            .collect();
        resolved.push(&channels);
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::super::gram::tests::{hops_of, mix, sources};
    use super::*;
    use crate::dsp::contract::noise;

    /// Hops of stems and of their mix with `gains`, plus an unlinked part.
    fn session(seed: u64, gains: &[f64], unlinked: f64) -> Hops {
        let mut all = sources(seed, gains.len(), 8_000 * 12);
        let mut sum = mix(&all, gains);
        for (c, channel) in sum.iter_mut().enumerate() {
            let extra = noise(seed + 900 + c as u64, channel.len(), unlinked);
            channel.iter_mut().zip(extra).for_each(|(m, x)| *m += x);
        }
        all.push(sum);
        hops_of(&all, 8_000.0)
    }

    #[test]
    fn gains_are_found_exactly_when_everything_is_linked() {
        let gains = [0.5, 2.0, -1.0, 0.8];
        let raw = session(1, &gains, 0.0);
        let fit = fit(&raw);
        for hop in 0..raw.len() {
            for (stem, gain) in gains.iter().enumerate() {
                assert!((fit.gains(hop, 0)[stem] - gain).abs() < 1e-6, "{hop} {stem}");
            }
        }
        assert!((0..4).all(|stem| fit.gain_spread(stem).0 < 0.001));
    }

    #[test]
    fn an_unlinked_track_does_not_shake_the_gains() {
        let gains = [1.0, 0.7, 1.3];
        let raw = session(2, &gains, 0.05);
        let fit = fit(&raw);
        for (stem, gain) in gains.iter().enumerate() {
            let mean = fit.mean_gain(stem, 0).expect("fitted");
            assert!((mean / gain - 1.0).abs() < 0.02, "{stem}: {mean}");
        }
    }

    #[test]
    fn resolved_sources_sum_to_the_mix() {
        let raw = session(3, &[1.0, 0.7, 1.3], 0.1);
        let resolved = resolve(&raw, &fit(&raw));
        let total = resolved.powers(&[1.0; 4]);
        let mix = raw.powers_of(3);
        for (a, b) in total.iter().zip(&mix) {
            assert!((a.0 - b.0).abs() <= 1e-9 * b.0.max(1e-9));
        }
    }

    #[test]
    fn identical_stems_are_named_and_held() {
        let mut all = sources(4, 2, 40_000);
        all.push(all[0].clone());
        all.push(mix(&all, &[1.0; 3]));
        let fit = fit(&hops_of(&all, 8_000.0));
        assert_eq!(fit.inseparable(), Some((0, 2)));
        assert!((fit.gains(10, 0)[0] - 1.0).abs() < 1e-9 && (fit.gains(10, 0)[1] - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_silent_stem_keeps_its_gain() {
        let mut all = sources(5, 2, 40_000);
        all.push([vec![0.0; 40_000], vec![0.0; 40_000]]);
        all.push(mix(&all, &[0.5, 0.5, 0.5]));
        let fit = fit(&hops_of(&all, 8_000.0));
        assert_eq!(fit.mean_gain(2, 0), None);
        assert_eq!(fit.gains(3, 0)[2], 1.0);
    }
}
