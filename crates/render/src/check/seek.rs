//! Finding one signal in another: excerpts, the delay at which they agree best, and how well.

use super::solve::dot;
use session::align::{Aligner, DelayEstimate, refine_delay};

/// Frames of an excerpt.
pub(crate) const EXCERPT: usize = 1 << 16;
/// A new delay is believed when it leaves less than this of what the old one left unexplained.
const BETTER: f64 = 0.9;

/// Excerpts of a signal and, around them, of what it is looked for in.
pub(crate) struct Excerpts {
    frames: usize,
    reach: usize,
    /// Frames of the whole signals: beyond there is nothing to compare.
    total: u64,
    aligner: Aligner,
    pairs: Vec<Pair>,
}

struct Pair {
    start: i64,
    signal: Vec<f64>,
    /// The signal as long as `around`, where it is known.
    wide: Vec<f64>,
    /// Starts `reach` frames earlier and ends as much later.
    around: Vec<f64>,
}

impl Excerpts {
    /// Excerpts of `frames` frames, delays of up to `reach` frames, of signals of `total` frames.
    pub(crate) fn new(frames: usize, reach: usize, total: u64) -> Self {
        Self { frames, reach, total, aligner: Aligner::new(frames, reach), pairs: Vec::new() }
    }

    /// The length and reach for signals of `total` frames at which `rate` frames are as far as is looked.
    pub(crate) fn sizes(total: u64, rate: f64, most: usize) -> (usize, usize) {
        let short = |part: u64| usize::try_from(total / part).unwrap_or(usize::MAX);
        (short(1).min(most), short(2).min(rate as usize))
    }

    /// Adds the excerpt of `signal` that starts at frame `start`, and `around` it what it is looked for in.
    pub(crate) fn add(&mut self, start: i64, signal: Vec<f64>, around: Vec<f64>) {
        self.aligner.add(&signal, &around);
        self.pairs.push(Pair { start, signal, wide: Vec::new(), around });
    }

    /// The same with a `signal` that goes as far around as `around`.
    pub(crate) fn add_around(&mut self, start: i64, signal: Vec<f64>, around: Vec<f64>) {
        self.add(start, signal[self.reach..self.reach + self.frames].to_vec(), around);
        if let Some(pair) = self.pairs.last_mut() {
            pair.wide = signal;
        }
    }

    /// The strongest arrivals.
    pub(crate) fn arrivals(&self, most: usize, expected: i64) -> Vec<DelayEstimate> {
        self.aligner.delays(most, expected)
    }

    /// The correlation at a delay and the least-squares gain.
    pub(crate) fn fit(&self, delay: i64) -> (f64, f64) {
        if delay.unsigned_abs() > self.reach as u64 {
            return (0.0, 0.0);
        }
        let (mut cross, mut own, mut other) = (0.0, 0.0, 0.0);
        for pair in &self.pairs {
            let first = (-(pair.start + delay)).clamp(0, self.frames as i64) as usize;
            let end =
                (self.total as i64 - pair.start - delay).clamp(first as i64, self.frames as i64) as usize;
            let x = &pair.signal[first..end];
            let offset = (self.reach as i64 + delay) as usize;
            let y = &pair.around[offset + first..offset + end];
            cross += dot(x, y);
            own += dot(x, x);
            other += dot(y, y);
        }
        let norm = (own * other).sqrt();
        if norm > 0.0 { (cross / norm, cross / own) } else { (0.0, 0.0) }
    }

    /// The part of the power that is left unexplained at a delay.
    pub(crate) fn unexplained(&self, delay: i64) -> f64 {
        1.0 - self.fit(delay).0.powi(2)
    }

    /// The delay at which the signal is found, if that is clearly better than `present`.
    pub(crate) fn better_delay(&self, present: i64) -> Option<i64> {
        let candidates = self.arrivals(3, present).into_iter().map(|arrival| arrival.delay);
        let best = candidates
            .chain([present])
            .map(|delay| self.refine_delay(delay))
            .min_by(|a, b| a.1.total_cmp(&b.1));
        let (delay, left) = best?;
        (delay != present && left < BETTER * self.unexplained(present)).then_some(delay)
    }

    /// The local minimum of what is left near a delay: its delay, and the part of the power that is left.
    pub(crate) fn refine_delay(&self, from: i64) -> (i64, f64) {
        refine_delay(from, |delay| self.unexplained(delay))
    }

    /// The delay near `from` at which the signal is found beside that at `first`, and what both together leave of what
    /// that alone leaves. Needs [`Self::add_around`].
    pub(crate) fn beside(&self, first: i64, from: i64) -> Option<(i64, f64)> {
        let reach = self.reach as i64;
        let left = |delay: i64| {
            if delay == first || delay.abs().max(first.abs()) > reach {
                return 1.0;
            }
            // Products of the two arrivals (a, b) and of what they are looked for in (y).
            let (mut aa, mut ab, mut bb, mut ay, mut by, mut yy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
            for pair in &self.pairs {
                let at = |delay: i64| (reach - delay) as usize..(reach - delay) as usize + self.frames;
                let (a, b, y) = (&pair.wide[at(first)], &pair.wide[at(delay)], &pair.around[at(0)]);
                (aa, ab, bb) = (aa + dot(a, a), ab + dot(a, b), bb + dot(b, b));
                (ay, by, yy) = (ay + dot(a, y), by + dot(b, y), yy + dot(y, y));
            }
            let own = bb * aa - ab * ab; // what b has beside a
            let alone = yy - ay * ay / aa;
            if own <= 1e-9 * aa * bb || alone <= 1e-12 * yy {
                return 1.0;
            }
            1.0 - (by * aa - ab * ay).powi(2) / (own * aa) / alone
        };
        let (delay, left) = refine_delay(from, left);
        (left < 1.0).then_some((delay, left))
    }
}
