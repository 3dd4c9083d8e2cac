//! Hold, release and smoothing of the limiter: from overshoots to reductions that are complete when the peak comes.

use super::{CHARGE_TIME, FAST_SHARE, SUSTAIN_TIME};
use crate::ballistics::{one_pole_coefficient, something};
use crate::box_smoother::{BoxSmoother, GridHistory, on_grid};
use crate::delay::RUN;
use crate::{CONTROL_INTERVAL, Pair, SlidingMax, larger};
use simd::{Registers, Simd, Vector};
use units::{Hz, Ms};

/// Steps 3 to 5 of the limiter, for both channels.
#[derive(Clone, Debug)]
pub(super) struct Reduction {
    rate: Hz,
    hold: SlidingMax,
    slow: Slow,
    /// The share of the way down that the fast stage goes in a frame.
    release: f64,
    /// The reduction after the release.
    value: Pair,
    history: GridHistory,
    /// The smoothing in use and, while the lookahead changes, the one that fades out.
    smoothing: [BoxSmoother; 2],
    /// Frames computed last: of use while they are.
    falling: Interval,
    older: Box<[Pair; RUN]>,
}

/// The slow stage. It moves at control ticks, in straight lines between them: it takes no part in what is fast.
#[derive(Clone, Debug)]
struct Slow {
    /// Largest reduction wanted in each of the last control intervals.
    sustain: SlidingMax,
    /// The largest of this one so far.
    largest: Pair,
    /// The shares of the way up and down that it goes in a control interval.
    charge: f64,
    discharge: f64,
    /// Value at the last control tick and at the next.
    from: Pair,
    to: Pair,
}

impl Slow {
    fn tick(&mut self) {
        let sustained = self.sustain.push(self.largest);
        self.largest = [0.0; 2];
        self.from = self.to;
        for (to, sustained) in self.to.iter_mut().zip(sustained) {
            let way = sustained - *to;
            *to = something(*to + way * if way > 0.0 { self.charge } else { self.discharge });
        }
    }

    fn reset(&mut self) {
        self.sustain.reset();
        (self.largest, self.from, self.to) = ([0.0; 2], [0.0; 2], [0.0; 2]);
    }
}

/// Share of a control interval that is over after a number of frames, for both channels.
const SHARES: [Pair; CONTROL_INTERVAL + SPARE] = {
    let mut shares = [[1.0; 2]; CONTROL_INTERVAL + SPARE];
    let mut i = 0;
    while i < CONTROL_INTERVAL {
        shares[i] = [i as f64 / CONTROL_INTERVAL as f64; 2];
        i += 1;
    }
    shares
};

/// Frames behind those computed that a register may reach.
const SPARE: usize = 4;

/// Frames that are computed at once, and room for registers.
pub(super) type Frames = [Pair; RUN + SPARE];

/// Frames of nothing.
pub(super) const NO_FRAMES: Frames = [[0.0; 2]; RUN + SPARE];

impl Reduction {
    /// At rest, with up to `longest` frames of lookahead.
    pub(super) fn new(longest: usize, rate: Hz) -> Self {
        let intervals = SUSTAIN_TIME.samples(rate).0.div_ceil(CONTROL_INTERVAL).max(1);
        Self {
            rate,
            // One more on both sides: the crest beside a sample, before or after, counts as the sample's own.
            hold: SlidingMax::new(longest + 2),
            slow: Slow {
                sustain: SlidingMax::new(intervals),
                largest: [0.0; 2],
                charge: one_pole_coefficient(CHARGE_TIME, Hz(rate.0 / CONTROL_INTERVAL as f64)),
                discharge: 1.0,
                from: [0.0; 2],
                to: [0.0; 2],
            },
            release: 1.0,
            value: [0.0; 2],
            history: GridHistory::new(2 * longest + 2),
            smoothing: [BoxSmoother::new(), BoxSmoother::new()],
            falling: [[0.0; 2]; CONTROL_INTERVAL + SPARE],
            older: Box::new([[0.0; 2]; RUN]),
        }
    }

    /// Changes the release.
    pub(super) fn set(&mut self, release: Ms) {
        self.release = one_pole_coefficient(Ms(release.0 * FAST_SHARE), self.rate);
        self.slow.discharge = one_pole_coefficient(release, Hz(self.rate.0 / CONTROL_INTERVAL as f64));
    }

    /// Nothing was ever reduced; smooths over `lookahead` frames, the newest of them `age` old.
    pub(super) fn reset(&mut self, lookahead: usize, age: usize) {
        self.hold.reset();
        self.slow.reset();
        self.value = [0.0; 2];
        self.history.reset();
        self.smoothing.iter_mut().for_each(BoxSmoother::reset);
        self.smoothing[0].aim(lookahead, age, &self.history);
    }

    /// Smooths over another lookahead; the one so far becomes the old one.
    pub(super) fn change(&mut self, lookahead: usize, age: usize) {
        self.smoothing.swap(0, 1);
        self.smoothing[0].aim(lookahead, age, &self.history);
    }

    /// The old lookahead is not used any more.
    pub(super) fn forget_old(&mut self) {
        self.smoothing[1].reset();
    }

    /// True when frames without overshoot would change nothing: every stage is zero.
    pub(super) fn is_idle(&self) -> bool {
        let none = |pair: Pair| pair[0] <= 0.0 && pair[1] <= 0.0;
        let Slow { sustain, largest, from, to, .. } = &self.slow;
        none(self.hold.max())
            && none(self.value)
            && [sustain.max(), *largest, *from, *to].into_iter().all(none)
            && self.smoothing.iter().all(|smoother| smoother.value() == [0.0; 2])
    }

    /// Turns the overshoots in the first `count` frames into the reductions of the audio a latency before. `since`: frames since
    /// the last control tick; one that falls before the first frame is yet to come. `old`: of each frame, the share that
    /// still follows the old lookahead.
    #[inline(always)]
    pub(super) fn follow<S: Simd>(
        &mut self,
        simd: S,
        frames: &mut Frames,
        count: usize,
        since: usize,
        old: Option<&[f64]>,
    ) {
        self.hold.follow(&mut frames[..count]);
        let places = self.history.grow(count);
        let (mut at, mut since) = (0, since);
        while at < count {
            let ticks = since.is_multiple_of(CONTROL_INTERVAL);
            since %= CONTROL_INTERVAL;
            if ticks {
                self.slow.tick();
                self.value = self.value.map(something);
            }
            let part = (CONTROL_INTERVAL - since).min(count - at);
            let wanted = &frames[at..];
            for frame in &wanted[..part] {
                self.slow.largest = larger(*frame, self.slow.largest);
            }
            falling(simd, &self.slow, self.release, wanted, part, since, &mut self.falling);
            self.value =
                fall(self.value, 1.0 - self.release, &wanted[..part], &self.falling, &mut places[at..]);
            (at, since) = (at + part, since + part);
        }
        let [new, last] = &mut self.smoothing;
        let frames = &mut frames[..count];
        new.follow(&self.history, frames);
        if let Some(old) = old {
            let older = &mut self.older[..count];
            last.follow(&self.history, older);
            for ((frame, older), old) in frames.iter_mut().zip(&*older).zip(old) {
                *frame = [0, 1].map(|i| frame[i] + (older[i] - frame[i]) * old);
            }
        }
    }
}

/// A part of a control interval, and room for registers.
type Interval = [Pair; CONTROL_INTERVAL + SPARE];

/// Part of a falling reduction that does not depend on its value before. It falls to the floor, the slow stage or what is
/// wanted, and sinks with it: the two do not add up.
#[inline(always)]
fn falling<S: Simd>(
    simd: S,
    slow: &Slow,
    release: f64,
    wanted: &[Pair],
    count: usize,
    since: usize,
    falling: &mut Interval,
) {
    let lanes = <S as Registers<f64>>::Vector::LANES;
    let twice = |pair: Pair| simd.load([pair; 4].as_flattened());
    let from = twice(slow.from);
    let way = twice(slow.to) - from;
    let (release, sinking) = (simd.splat(release), simd.splat(release - 1.0));
    let length = (2 * count).next_multiple_of(lanes);
    let shares = [since, since + 1].map(|at| SHARES[at..].as_flattened()[..length].chunks_exact(lanes));
    let [before, after] = shares;
    let wanted = wanted.as_flattened()[..length].chunks_exact(lanes);
    let places = falling.as_flattened_mut()[..length].chunks_exact_mut(lanes);
    for ((place, wanted), (before, after)) in places.zip(wanted).zip(before.zip(after)) {
        let wanted: <S as Registers<f64>>::Vector = simd.load(wanted);
        let before = simd.load(before).mul_add(way, from).max(wanted);
        let after = simd.load(after).mul_add(way, from).max(wanted);
        let sunk = (before - after).max(simd.splat(0.0));
        after.mul_add(release, sunk * sinking).store(place);
    }
}

/// Moves a reduction from `value` on as far as it falls, but never below what is wanted; writes it on the grid, and gives
/// the last.
#[inline(always)]
fn fall(value: Pair, keep: f64, wanted: &[Pair], falling: &[Pair], places: &mut [Pair]) -> Pair {
    let mut value = value;
    let mut next = |wanted: &Pair, falling: &Pair| {
        value = larger([value[0] * keep + falling[0], value[1] * keep + falling[1]], *wanted);
        on_grid(value)
    };
    let count = wanted.len();
    // In fours: a loop costs half as much as a frame.
    let (fours, rest) = wanted.as_chunks::<4>();
    let (falling, last) = (falling.as_chunks::<4>().0, &falling[4 * fours.len()..]);
    let (first, places) = places[..count].split_at_mut(4 * fours.len());
    for ((places, wanted), falling) in first.as_chunks_mut::<4>().0.iter_mut().zip(fours).zip(falling) {
        for i in 0..4 {
            places[i] = next(&wanted[i], &falling[i]);
        }
    }
    for ((place, wanted), falling) in places.iter_mut().zip(rest).zip(last) {
        *place = next(wanted, falling);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use simd::{Isa, Kernel};
    use testkit::noise;

    const RATE: Hz = Hz(48_000.0);
    const LONGEST: usize = 72;

    struct Follow<'a>(&'a mut Reduction, &'a mut Frames, usize, usize);

    impl Kernel for Follow<'_> {
        type Output = ();

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            self.0.follow(simd, self.1, self.2, self.3, None);
        }
    }

    /// Bursts of overshoots, and nothing between.
    fn overshoots() -> Vec<Pair> {
        let side = |seed| {
            let bursts = noise(seed, 60, 1.0);
            let overshoots = noise(seed + 1, 24_000, 1.0);
            (0..24_000)
                .map(|i| (overshoots[i] * 20.0 - 14.0).max(0.0) * bursts[i / 400].max(0.0))
                .collect::<Vec<f64>>()
        };
        side(1).into_iter().zip(side(9)).map(|(left, right)| [left, right]).collect()
    }

    /// The same as [`Reduction`], plainly, for one channel.
    fn plainly(overshoots: &[f64], lookahead: usize, release: Ms) -> Vec<f64> {
        let most = |values: &[f64], end: usize, window: usize| {
            values[end.saturating_sub(window)..end].iter().copied().fold(0.0, f64::max)
        };
        let held: Vec<f64> = (1..=overshoots.len()).map(|end| most(overshoots, end, LONGEST + 2)).collect();
        let after = |time: f64, frames: f64| 1.0 - (-frames / (time * 48.0)).exp();
        let (mut from, mut to, mut value) = (0.0f64, 0.0f64, 0.0f64);
        let mut released = vec![0.0; 2 * LONGEST];
        for (i, wanted) in held.iter().enumerate() {
            if i % CONTROL_INTERVAL == 0 {
                let sustained = most(&held, i, 768);
                let share = after(if sustained > to { CHARGE_TIME.0 } else { release.0 }, 32.0);
                (from, to) = (to, to + (sustained - to) * share);
            }
            let slow = |frames: usize| from + (to - from) * frames as f64 / 32.0;
            let (before, now) = (slow(i % 32).max(*wanted), slow(i % 32 + 1).max(*wanted));
            let sunk = value - (before - now).max(0.0);
            value = (sunk + (now - sunk) * after(release.0 * FAST_SHARE, 1.0)).max(*wanted);
            released.push(value);
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let first = (lookahead + 2) / 2;
        let second = lookahead + 1 - first;
        let age = LONGEST - lookahead;
        let end = |i: usize| 2 * LONGEST + i + 1 - age;
        let once = |end: usize| mean(&released[end - first..end]);
        (0..overshoots.len())
            .map(|i| mean(&(0..second).map(|back| once(end(i) - back)).collect::<Vec<f64>>()))
            .collect()
    }

    #[test]
    fn agrees_with_the_plain_way_however_it_is_cut() {
        let overshoots = overshoots();
        for (lookahead, release) in [(72, Ms(200.0)), (31, Ms(20.0))] {
            let wanted = [0, 1].map(|channel| {
                plainly(
                    &overshoots.iter().map(|frame| frame[channel]).collect::<Vec<f64>>(),
                    lookahead,
                    release,
                )
            });
            for isa in Isa::all() {
                let mut runs = Vec::new();
                for cut in [RUN, 32, 17, 1] {
                    let mut reduction = Reduction::new(LONGEST, RATE);
                    reduction.set(release);
                    reduction.reset(lookahead, LONGEST - lookahead);
                    let mut reductions = Vec::new();
                    for part in overshoots.chunks(cut) {
                        let since = reductions.len() % CONTROL_INTERVAL;
                        let mut frames = NO_FRAMES;
                        frames[..part.len()].copy_from_slice(part);
                        isa.run(Follow(&mut reduction, &mut frames, part.len(), since));
                        reductions.extend_from_slice(&frames[..part.len()]);
                    }
                    runs.push(reductions);
                }
                assert!(runs.iter().all(|run| *run == runs[0]), "{isa:?}");
                for channel in 0..2 {
                    let pairs = runs[0].iter().map(|frame| frame[channel]).zip(&wanted[channel]);
                    let most = pairs.map(|(got, wanted)| (got - wanted).abs()).fold(0.0, f64::max);
                    // The grid.
                    assert!(most < 1e-7, "{isa:?}, channel {channel}: {most:e} dB");
                }
            }
        }
    }
}
