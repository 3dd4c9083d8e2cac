//! Table of answers against the truth, by kind of session: how often intervals hold, and how wide they are.

use std::collections::BTreeMap;
use std::fmt::Write;

/// Probability that an interval is to miss, of its score.
const ALPHA: f64 = 0.05;
/// Error of an exact answer, LU.
const EXACT: f64 = 0.01;
/// Half-width above which an interval says little, LU.
const WIDE: f64 = 0.5;

/// Answer to one question, with the truth.
#[derive(Clone, Debug)]
pub struct TrustAnswer {
    /// Kind of session.
    pub kind: String,
    /// Half-width of the interval, LU; `None` is an exact answer.
    pub half_width: Option<f64>,
    /// Truth less answer, LU.
    pub error: f64,
}

impl TrustAnswer {
    /// True for an estimate whose interval holds the truth.
    fn is_held(&self) -> bool {
        self.half_width.is_some_and(|half_width| self.error.abs() <= half_width)
    }

    /// True for an answer whose words are not true: exact and off, or an interval that does not hold the truth.
    pub fn is_wrong(&self) -> bool {
        if self.half_width.is_some() { !self.is_held() } else { self.error.abs() > EXACT }
    }

    /// Interval score of an estimate (Gneiting and Raftery 2007, equation 43): width plus a penalty for a miss, LU.
    fn score(&self) -> Option<f64> {
        let half_width = self.half_width?;
        Some(2.0 * half_width + 2.0 / ALPHA * (self.error.abs() - half_width).max(0.0))
    }
}

/// Figures of a group of answers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrustFigures {
    /// Number of answers.
    pub answers: usize,
    /// Number of exact ones.
    pub exact: usize,
    /// Largest error of an exact answer, LU.
    pub worst_exact: f64,
    /// Number of estimates whose interval holds the truth.
    pub held: usize,
    /// Median half-width of the estimates, LU.
    pub median: f64,
    /// Share of the estimates that are wider than 0.5 LU to either side.
    pub wide: f64,
    /// Mean interval score of the estimates, LU.
    pub score: f64,
}

impl TrustFigures {
    /// Returns the figures of `answers`.
    pub fn new<'a>(answers: impl Iterator<Item = &'a TrustAnswer>) -> Self {
        let (mut figures, mut widths) = (Self::default(), Vec::new());
        for answer in answers {
            figures.answers += 1;
            figures.held += usize::from(answer.is_held());
            figures.score += answer.score().unwrap_or(0.0);
            match answer.half_width {
                Some(half_width) => widths.push(half_width),
                None => {
                    figures.exact += 1;
                    figures.worst_exact = figures.worst_exact.max(answer.error.abs());
                }
            }
        }
        widths.sort_by(f64::total_cmp);
        let count = widths.len().max(1) as f64;
        figures.median = widths.get(widths.len() / 2).copied().unwrap_or(0.0);
        figures.wide = widths.iter().filter(|width| **width > WIDE).count() as f64 / count;
        figures.score /= count;
        figures
    }

    /// Number of estimates.
    pub fn estimates(&self) -> usize {
        self.answers - self.exact
    }

    /// Share of the estimates that hold; 1 without estimates.
    pub fn held_share(&self) -> f64 {
        if self.estimates() == 0 { 1.0 } else { self.held as f64 / self.estimates() as f64 }
    }

    fn row(&self, name: &str) -> String {
        let held = match self.estimates() {
            0 => "| - | - | - | - | - |".to_owned(),
            estimates => format!(
                "| {:.1} % | {:.1} % | {:.3} | {:.0} % | {:.2} |",
                100.0 * self.held_share(),
                100.0 * lower_bound(self.held, estimates),
                self.median,
                100.0 * self.wide,
                self.score
            ),
        };
        format!("| {name} | {} | {} | {:.4} {held}", self.answers, self.exact, self.worst_exact)
    }
}

/// Lower 95 % bound of a probability after `held` of `all` (Clopper and Pearson 1934, one-sided).
pub fn lower_bound(held: usize, all: usize) -> f64 {
    if held == 0 {
        return 0.0;
    }
    let log_factorial: Vec<f64> = std::iter::once(0.0)
        .chain((1..=all).scan(0.0, |sum, n| {
            *sum += (n as f64).ln();
            Some(*sum)
        }))
        .collect();
    let tail = |p: f64| -> f64 {
        let term = |k: usize| log_factorial[all] - log_factorial[k] - log_factorial[all - k];
        let log = |k: usize| term(k) + k as f64 * p.ln() + (all - k) as f64 * (-p).ln_1p();
        (held..=all).map(|k| log(k).exp()).sum()
    };
    let (mut low, mut high) = (0.0, 1.0 - 1e-12);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if tail(middle) < 0.05 { low = middle } else { high = middle }
    }
    low
}

/// The table by kind, and all of them, in Markdown.
pub fn trust_table(answers: &[TrustAnswer]) -> String {
    let mut kinds: BTreeMap<&str, Vec<&TrustAnswer>> = BTreeMap::new();
    for answer in answers {
        kinds.entry(&answer.kind).or_default().push(answer);
    }
    let mut out = "| kind | answers | exact | worst exact, LU | hold | at least (95 %) | half within, LU | \
                   wider than 0.5 | interval score, LU |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        .to_owned();
    for (kind, of_kind) in &kinds {
        let _ = writeln!(out, "{}", TrustFigures::new(of_kind.iter().copied()).row(kind));
    }
    let _ = writeln!(out, "{}", TrustFigures::new(answers.iter()).row("**all**"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_that_of_the_beta_distribution() {
        // all of n: 0.05^(1/n); 97 of 100 from SciPy, beta.ppf(0.05, 97, 4)
        assert!((lower_bound(100, 100) - 0.05f64.powf(0.01)).abs() < 1e-9);
        assert!((lower_bound(97, 100) - 0.924_289_206).abs() < 1e-8, "{}", lower_bound(97, 100));
        assert_eq!(lower_bound(0, 10), 0.0);
    }

    #[test]
    fn a_miss_costs_forty_times_its_distance() {
        let answer = |half_width, error| TrustAnswer { kind: "one".into(), half_width, error };
        let all = [answer(Some(0.1), 0.05), answer(Some(0.1), -0.2), answer(None, 0.004)];
        let figures = TrustFigures::new(all.iter());
        assert_eq!((figures.answers, figures.exact, figures.held), (3, 1, 1));
        assert!((figures.score - (0.2 + 0.2 + 4.0) / 2.0).abs() < 1e-12 && figures.worst_exact == 0.004);
        assert!(trust_table(&all).lines().count() == 4);
        assert_eq!(all.each_ref().map(TrustAnswer::is_wrong), [false, true, false]);
        assert!(answer(None, f64::INFINITY).is_wrong());
    }
}
