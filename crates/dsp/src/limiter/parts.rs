//! Parts that the terms of a sum have in the reduction of a limiter.
//!
//! A convention, not what would happen without a term. At the point between samples that sets a wanted reduction, whose
//! interpolation weights are then fixed, a term with the value p_i of the sum's p has the part p_i / p: parts are signed and sum
//! to one. From there on decibels are passed on as the limiter passes them: the link mixes those of both channels, the hold
//! passes those of the largest (the earliest on ties), release and averages filter them. A part of a moment is a term's
//! decibels over those of all.

use std::collections::VecDeque;

use super::overshoot::OvershootDetector;
use super::{CHARGE_TIME, FAST_SHARE, LimiterSettings, MARGIN, MIN_LOOKAHEAD, SUSTAIN_TIME};
use crate::ballistics::{one_pole_coefficient, something};
use crate::delay::RUN;
use crate::oversample::{Interpolator, PHASES, TAPS};
use crate::{CONTROL_INTERVAL, Ramp};
use simd::{Isa, Kernel, Simd};
use units::{Hz, Ms};

/// Analysis of a limiter with constant settings: the terms' decibels of its reduction, frame by frame.
///
/// For files: it allocates while it works. Drive is not applied; the audio is as it is behind it.
pub struct LimiterParts {
    isa: Isa,
    interpolator: Interpolator,
    detectors: [OvershootDetector; 2],
    ceiling: f64,
    link: f64,
    rows: usize,
    points: Box<Points>,
    /// Parts of the terms in each channel's overshoot at the frame, and decibels applied; kept to be filled again.
    own: [Decibels; 2],
    applied: [Decibels; 2],
    /// Samples of the sum and of every term, by channel, the last [`TAPS`] and those of a run.
    past: [Vec<Vec<f64>>; 2],
    channels: [ChannelParts; 2],
    /// Frames since the start.
    frame: u64,
    latency: usize,
}

/// Decibels of each term.
type Decibels = Vec<f64>;

/// Weights of the samples around one in each point of a grid of eighths, from the eighth before it to the sample behind it.
type Points = [[f64; TAPS + 1]; PHASES + 2];

/// Overshoot that is held, with the decibels of each term.
#[derive(Clone, Debug)]
struct Held {
    at: u64,
    value: f64,
    decibels: Decibels,
}

/// Maximum over the last frames or intervals; the earliest of equal ones.
struct Hold {
    window: u64,
    /// Falling values.
    falling: VecDeque<Held>,
    /// Vectors of values that have left.
    spare: Vec<Decibels>,
}

impl Hold {
    fn new(window: usize) -> Self {
        Self { window: window as u64, falling: VecDeque::new(), spare: Vec::new() }
    }

    fn push(&mut self, at: u64, value: f64, decibels: impl Iterator<Item = f64>) {
        while self.falling.back().is_some_and(|last| last.value < value) {
            self.spare.extend(self.falling.pop_back().map(|held| held.decibels));
        }
        let mut own = self.spare.pop().unwrap_or_default();
        own.clear();
        own.extend(decibels);
        self.falling.push_back(Held { at, value, decibels: own });
    }

    /// The largest of the window that ends with `now`.
    fn largest(&mut self, now: u64) -> Option<&Held> {
        while self.falling.front().is_some_and(|first| first.at + self.window <= now) {
            self.spare.extend(self.falling.pop_front().map(|held| held.decibels));
        }
        self.falling.front()
    }
}

/// A reduction with the decibels of each term.
#[derive(Clone, Debug)]
struct Level {
    value: f64,
    decibels: Decibels,
}

impl Level {
    fn zero(rows: usize) -> Self {
        Self { value: 0.0, decibels: vec![0.0; rows] }
    }

    fn set(&mut self, value: f64, decibels: &[f64]) {
        self.value = value;
        self.decibels.copy_from_slice(decibels);
    }

    /// Zero where the limiter makes it zero.
    fn settle(&mut self) {
        if something(self.value) == 0.0 {
            self.value = 0.0;
            self.decibels.fill(0.0);
        }
    }
}

/// Hold, release and averages of one channel.
struct ChannelParts {
    hold: Hold,
    sustain: Hold,
    /// Largest wanted in this control interval.
    largest: Level,
    from: Level,
    to: Level,
    value: Level,
    charge: f64,
    discharge: f64,
    release: f64,
    averages: [Average; 2],
    /// Frames by which the first average lags.
    age: Lag,
    /// Decibels of nothing.
    nothing: Decibels,
}

/// Delay of decibels.
struct Lag {
    frames: VecDeque<Decibels>,
    age: usize,
}

/// Moving average of decibels.
struct Average {
    frames: VecDeque<Decibels>,
    length: usize,
    sum: Decibels,
    /// Frames of nothing in a row.
    quiet: usize,
}

impl Average {
    fn new(length: usize, rows: usize) -> Self {
        Self { frames: VecDeque::new(), length, sum: vec![0.0; rows], quiet: 0 }
    }

    /// Replaces `decibels` by the average of the last frames.
    fn follow(&mut self, decibels: &mut Decibels) {
        self.quiet = if decibels.iter().all(|x| *x == 0.0) { self.quiet + 1 } else { 0 };
        let mut last = if self.frames.len() == self.length {
            self.frames.pop_front().unwrap_or_default()
        } else {
            vec![0.0; decibels.len()]
        };
        for ((sum, new), old) in self.sum.iter_mut().zip(&*decibels).zip(&last) {
            *sum += new - old;
        }
        if self.quiet >= self.length {
            self.sum.fill(0.0); // rounding does not stay
        }
        last.copy_from_slice(decibels);
        self.frames.push_back(last);
        for (out, sum) in decibels.iter_mut().zip(&self.sum) {
            *out = sum / self.length as f64;
        }
    }
}

impl ChannelParts {
    fn new(rate: Hz, longest: usize, settings: &LimiterSettings, rows: usize) -> Self {
        let lookahead = settings.lookahead.samples(rate).0.clamp(MIN_LOOKAHEAD, longest);
        let intervals = SUSTAIN_TIME.samples(rate).0.div_ceil(CONTROL_INTERVAL).max(1);
        let ticks = Hz(rate.0 / CONTROL_INTERVAL as f64);
        let first = (lookahead + 2) / 2;
        Self {
            hold: Hold::new(longest + 2),
            sustain: Hold::new(intervals),
            largest: Level::zero(rows),
            from: Level::zero(rows),
            to: Level::zero(rows),
            value: Level::zero(rows),
            charge: one_pole_coefficient(CHARGE_TIME, ticks),
            discharge: one_pole_coefficient(settings.release, ticks),
            release: one_pole_coefficient(Ms(settings.release.0 * FAST_SHARE), rate),
            averages: [Average::new(first, rows), Average::new(lookahead + 1 - first, rows)],
            age: Lag { frames: VecDeque::new(), age: longest - lookahead },
            nothing: vec![0.0; rows],
        }
    }

    /// True if nothing is or will be reduced without a further overshoot.
    fn is_idle(&self) -> bool {
        self.hold.falling.is_empty()
            && self.sustain.falling.is_empty()
            && [&self.largest, &self.from, &self.to, &self.value].iter().all(|level| level.value == 0.0)
            && self.age.frames.iter().all(|frame| frame.iter().all(|x| *x == 0.0))
            && self.averages.iter().all(|average| average.quiet >= average.length)
    }

    /// Moves on by a frame, whose overshoot is in the hold; `applied` becomes the decibels of each term of the reduction that is
    /// applied.
    fn next(&mut self, frame: u64, applied: &mut Decibels) {
        let since = (frame % CONTROL_INTERVAL as u64) as usize;
        if since == 0 {
            self.tick(frame / CONTROL_INTERVAL as u64);
        }
        let share = |frames: usize| frames as f64 / CONTROL_INTERVAL as f64;
        let slow = |share: f64| self.from.value + (self.to.value - self.from.value) * share;
        let (wanted, own) = match self.hold.largest(frame) {
            Some(held) => (held.value, held.decibels.as_slice()),
            None => (0.0, self.nothing.as_slice()),
        };
        if wanted > self.largest.value {
            self.largest.set(wanted, own);
        }
        // the floor before and after this frame: the slow stage, or what is wanted
        let [before, after] = [share(since), share(since + 1)].map(|share| (share, slow(share)));
        let floor = |(_, slow): (f64, f64)| slow.max(wanted);
        let sinks = floor(before) > floor(after);
        let fallen = self.value.value * (1.0 - self.release)
            + floor(after) * self.release
            + if sinks { (floor(before) - floor(after)) * (self.release - 1.0) } else { 0.0 };
        if fallen > wanted {
            let (from, to) = (&self.from.decibels, &self.to.decibels);
            let floor = |(share, slow): (f64, f64), row: usize| {
                if slow > wanted { from[row] + (to[row] - from[row]) * share } else { own[row] }
            };
            for (row, value) in self.value.decibels.iter_mut().enumerate() {
                let sunk = if sinks { floor(before, row) - floor(after, row) } else { 0.0 };
                *value = *value * (1.0 - self.release)
                    + floor(after, row) * self.release
                    + sunk * (self.release - 1.0);
            }
            self.value.value = fallen;
        } else {
            self.value.value = wanted;
            self.value.decibels.copy_from_slice(own);
        }
        self.age.follow(&self.value.decibels, applied);
        self.averages.iter_mut().for_each(|average| average.follow(applied));
    }

    fn tick(&mut self, interval: u64) {
        if self.largest.value > 0.0 {
            self.sustain.push(interval, self.largest.value, self.largest.decibels.iter().copied());
        }
        self.largest.set(0.0, &self.nothing);
        self.from.set(self.to.value, &self.to.decibels);
        let sustained = self.sustain.largest(interval);
        let way = sustained.map_or(0.0, |held| held.value) - self.to.value;
        let share = if way > 0.0 { self.charge } else { self.discharge };
        self.to.value += way * share;
        for (row, to) in self.to.decibels.iter_mut().enumerate() {
            *to += (sustained.map_or(0.0, |held| held.decibels[row]) - *to) * share;
        }
        self.to.settle();
        self.value.settle();
    }
}

impl Lag {
    /// Takes the decibels of a frame; `earlier` becomes those of the frame that is due.
    fn follow(&mut self, decibels: &[f64], earlier: &mut Decibels) {
        earlier.clear();
        earlier.extend_from_slice(decibels);
        if self.frames.len() < self.age {
            self.frames.push_back(earlier.clone());
            earlier.fill(0.0);
        } else if let Some(mut oldest) = self.frames.pop_front() {
            std::mem::swap(earlier, &mut oldest);
            self.frames.push_back(oldest);
        }
    }
}

/// Overshoots of both channels of a run.
struct Detect<'a> {
    unit: &'a mut LimiterParts,
    audio: [&'a [f64]; 2],
}

impl Kernel for Detect<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        let Self { unit, audio } = self;
        let mut any = false;
        for (detector, audio) in unit.detectors.iter_mut().zip(audio) {
            any |= detector.detect(simd, &unit.interpolator, audio, &Ramp::new(1.0), unit.ceiling);
        }
        any
    }
}

impl LimiterParts {
    /// Analysis at `rate` of a limiter with a latency of `max_lookahead` and these settings, on a sum of `rows` terms.
    pub fn new(rate: Hz, max_lookahead: Ms, settings: &LimiterSettings, rows: usize) -> Self {
        let latency = max_lookahead.samples(rate).0.max(TAPS / 2 + MIN_LOOKAHEAD);
        let longest = latency - TAPS / 2;
        let channel = || ChannelParts::new(rate, longest, settings, rows);
        let interpolator = Interpolator::new();
        let points = Box::new(points(&interpolator));
        Self {
            isa: Isa::widest(),
            interpolator,
            detectors: [OvershootDetector::new(), OvershootDetector::new()],
            ceiling: (settings.ceiling + -MARGIN).amplitude(),
            link: settings.link,
            rows,
            points,
            own: [0, 1].map(|_| vec![0.0; rows]),
            applied: [0, 1].map(|_| vec![0.0; rows]),
            past: [0, 1].map(|_| vec![vec![0.0; TAPS]; rows + 1]),
            channels: [channel(), channel()],
            frame: 0,
            latency,
        }
    }

    /// Takes the next frames of the sum and of its terms. `each` gets every frame with a reduction: its place in the audio, counted
    /// from the first frame (negative before it, and not larger than the place of what was taken less the latency), and the decibels
    /// of each term in the left and the right channel.
    pub fn process(
        &mut self,
        sum: [&[f64]; 2],
        rows: &[[&[f64]; 2]],
        mut each: impl FnMut(i64, [&[f64]; 2]),
    ) {
        debug_assert_eq!(rows.len(), self.rows);
        let frames = sum[0].len();
        let mut at = 0;
        while at < frames {
            let end = frames.min(at + RUN);
            let rows: Vec<[&[f64]; 2]> = rows.iter().map(|row| row.map(|side| &side[at..end])).collect();
            self.run(sum.map(|side| &side[at..end]), &rows, &mut each);
            at = end;
        }
    }

    fn run(&mut self, sum: [&[f64]; 2], rows: &[[&[f64]; 2]], each: &mut impl FnMut(i64, [&[f64]; 2])) {
        let isa = self.isa;
        let any = isa.run(Detect { unit: self, audio: sum });
        let frames = sum[0].len();
        for (side, past) in self.past.iter_mut().enumerate() {
            past[0].extend_from_slice(sum[side]);
            past[1..].iter_mut().zip(rows).for_each(|(past, row)| past.extend_from_slice(row[side]));
        }
        if !any && self.channels.iter().all(ChannelParts::is_idle) {
            self.frame += frames as u64;
        } else {
            for i in 0..frames {
                self.hold(i);
                let frame = self.frame;
                for (channel, applied) in self.channels.iter_mut().zip(&mut self.applied) {
                    channel.next(frame, applied);
                }
                let [left, right] = &self.applied;
                if left.iter().chain(right).any(|x| *x != 0.0) {
                    each(frame as i64 - self.latency as i64, [left, right]);
                }
                self.frame += 1;
            }
        }
        for past in self.past.iter_mut().flatten() {
            past.drain(..past.len() - TAPS);
        }
    }

    /// Puts the overshoots of frame `i` of the run into the holds, linked.
    fn hold(&mut self, i: usize) {
        let levels = self.detectors.each_ref().map(|detector| detector.levels()[i]);
        let top = usize::from(levels[1] >= levels[0]);
        if levels[top] <= 0.0 {
            return;
        }
        let mut own = std::mem::take(&mut self.own);
        for (side, own) in own.iter_mut().enumerate() {
            own.clear();
            own.resize(self.rows, 0.0);
            if levels[side] > 0.0 {
                self.write_parts(side, i, own);
            }
        }
        for side in 0..2 {
            let [mine, others] = [levels[side] * (1.0 - self.link), levels[top] * self.link];
            let value = mine + others;
            if value <= 0.0 {
                continue;
            }
            let decibels = own[side].iter().zip(&own[top]).map(|(own, top)| mine * own + others * top);
            self.channels[side].hold.push(self.frame, value, decibels);
        }
        self.own = own;
    }

    /// Makes `parts` those of the terms at the highest point beside the sample of frame `i`.
    fn write_parts(&self, side: usize, i: usize, parts: &mut [f64]) {
        let sum = &self.past[side][0][i..i + TAPS + 1];
        let weights = self.peak_weights(sum);
        let value = |samples: &[f64]| -> f64 { samples.iter().zip(&weights).map(|(x, w)| x * w).sum() };
        for (part, row) in parts.iter_mut().zip(&self.past[side][1..]) {
            *part = value(&row[i..i + TAPS + 1]);
        }
        // their sum: terms add up to it but for rounding
        let whole: f64 = parts.iter().sum();
        parts.iter_mut().for_each(|part| *part /= whole);
    }

    /// Weights of the samples of `window` in the highest point from its sample in the middle to just before the next: that of the
    /// grid of eighths, moved to the vertex of the parabola through it and the two beside it.
    fn peak_weights(&self, window: &[f64]) -> [f64; TAPS + 1] {
        let points = &*self.points;
        let values =
            points.each_ref().map(|weights| window.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>());
        let higher = |best: usize, k: usize| if values[k].abs() > values[best].abs() { k } else { best };
        let top = (1..=PHASES).fold(1, higher);
        let [left, middle, right] = [top - 1, top, top + 1].map(|k| values[k]);
        let bend = left - 2.0 * middle + right;
        let is_peak = middle.abs() >= left.abs() && middle.abs() >= right.abs() && bend != 0.0;
        let place = if is_peak { 0.5 * (left - right) / bend } else { 0.0 };
        let [first, second, third] =
            [0.5 * place * (place - 1.0), 1.0 - place * place, 0.5 * place * (place + 1.0)];
        core::array::from_fn(|n| {
            first * points[top - 1][n] + second * points[top][n] + third * points[top + 1][n]
        })
    }
}

/// The grid of eighths.
fn points(interpolator: &Interpolator) -> Points {
    let point = |eighth: usize| -> [f64; TAPS + 1] {
        // eighth 1 is the sample
        let (phase, shift) = match eighth {
            0 => (PHASES - 1, 0),
            _ => ((eighth - 1) % PHASES, 1),
        };
        let mut weights = [0.0; TAPS + 1];
        if eighth > PHASES {
            weights[TAPS / 2 + 1] = 1.0;
        } else {
            weights[shift..shift + TAPS].copy_from_slice(interpolator.taps(phase));
        }
        weights
    };
    core::array::from_fn(point)
}

#[cfg(test)]
mod tests {
    use super::super::LimiterGain;
    use super::*;
    use crate::gain_stage::GainComputer;
    use testkit::noise;
    use units::{Db, Dbtp};

    const RATE: Hz = Hz(48_000.0);
    const LOOKAHEAD: Ms = Ms(5.0);

    type Stereo = [Vec<f64>; 2];

    fn sum(rows: &[Stereo]) -> Stereo {
        [0, 1].map(|side| (0..rows[0][0].len()).map(|n| rows.iter().map(|row| row[side][n]).sum()).collect())
    }

    /// Decibels of each term at each frame of the audio, left and right.
    fn analysed(rows: &[Stereo], settings: &LimiterSettings, cut: usize) -> Vec<[Decibels; 2]> {
        let sum = sum(rows);
        let frames = sum[0].len();
        let mut parts = LimiterParts::new(RATE, LOOKAHEAD, settings, rows.len());
        let nothing = || [vec![0.0; rows.len()], vec![0.0; rows.len()]];
        let mut all: Vec<[Decibels; 2]> = (0..frames).map(|_| nothing()).collect();
        for at in (0..frames).step_by(cut) {
            let end = frames.min(at + cut);
            let slice = |audio: &'_ Stereo| [audio[0][at..end].to_vec(), audio[1][at..end].to_vec()];
            let rows: Vec<Stereo> = rows.iter().map(slice).collect();
            let refs: Vec<[&[f64]; 2]> = rows.iter().map(|row| [&row[0][..], &row[1][..]]).collect();
            let sum = slice(&sum);
            parts.process([&sum[0], &sum[1]], &refs, |place, decibels| {
                if let Ok(place) = usize::try_from(place) {
                    all[place] = decibels.map(<[f64]>::to_vec);
                }
            });
        }
        all
    }

    /// The reduction of the limiter itself at each frame of the audio.
    fn reductions(audio: &Stereo, settings: &LimiterSettings) -> Vec<[f64; 2]> {
        let mut gain = LimiterGain::new(RATE, LOOKAHEAD);
        gain.set(settings);
        let frames = audio[0].len();
        let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
        gain.compute([&audio[0], &audio[1]], None, [&mut left, &mut right]);
        let latency = gain.latency().0;
        let db = |gain: &f64| -Db::from_gain(*gain).0;
        left[latency..].iter().zip(&right[latency..]).map(|(l, r)| [db(l), db(r)]).collect()
    }

    fn settings() -> LimiterSettings {
        LimiterSettings { on: true, ..LimiterSettings::default() }
    }

    /// Bursts of three terms in stereo, the sum of which goes over the ceiling.
    fn bursts(seed: u64) -> Vec<Stereo> {
        let side = |seed: u64| -> Vec<f64> {
            let (audio, loud) = (noise(seed, 24_000, 1.0), noise(seed + 50, 24, 1.2));
            let mut smooth = 0.0;
            audio
                .iter()
                .enumerate()
                .map(|(n, x)| {
                    smooth += 0.4 * (x - smooth);
                    smooth * loud[n / 1000].abs()
                })
                .collect()
        };
        (0..3).map(|row| [side(seed + 7 * row), side(seed + 7 * row + 3)]).collect()
    }

    #[test]
    fn decibels_of_all_terms_are_the_reduction_of_the_limiter() {
        for (seed, link, release, lookahead) in
            [(1, 0.75, 200.0, 1.5), (2, 0.0, 30.0, 4.0), (3, 1.0, 600.0, 0.1), (4, 0.3, 10.0, 9.0)]
        {
            let settings =
                LimiterSettings { link, release: Ms(release), lookahead: Ms(lookahead), ..settings() };
            let rows = bursts(seed);
            let wanted = reductions(&sum(&rows), &settings);
            let mut limited = 0;
            for cut in [24_000, 333] {
                let got = analysed(&rows, &settings, cut);
                for (frame, (got, wanted)) in got.iter().zip(&wanted).enumerate() {
                    for side in 0..2 {
                        let whole: f64 = got[side].iter().sum();
                        assert!((whole - wanted[side]).abs() < 1e-6, "{seed} {frame}: {whole} {wanted:?}");
                        limited += usize::from(wanted[side] > 0.1);
                    }
                }
            }
            assert!(limited > 10_000, "{limited}");
        }
    }

    #[test]
    fn parts_are_of_the_point_that_sets_the_reduction() {
        let one = bursts(9).remove(0);
        let times = |gain: f64| one.clone().map(|side| side.iter().map(|x| gain * x).collect::<Vec<f64>>());
        for gains in [[1.0, 0.0, 0.0], [0.5, 0.25, 0.25], [1.5, -0.5, 0.0], [3.0, -1.9, -0.1]] {
            let rows = gains.map(|gain| times(3.0 * gain));
            let mut seen = 0;
            for decibels in analysed(&rows, &settings(), 4096).iter().flatten() {
                let whole: f64 = decibels.iter().sum();
                if whole > 1e-3 {
                    seen += 1;
                    for (part, gain) in decibels.iter().zip(gains) {
                        assert!((part / whole - gain).abs() < 1e-9, "{decibels:?} {gains:?}");
                    }
                }
            }
            assert!(seen > 1000);
        }
    }

    #[test]
    fn the_hold_passes_on_the_earliest_of_equal_peaks_and_the_release_lets_a_later_one_in() {
        // two equal clicks of two terms, 2 ms apart: inside the hold the first owns it
        let click = |at: usize, level: f64| -> Stereo {
            let mut side = vec![0.0; 24_000];
            side[at] = level;
            [side.clone(), side]
        };
        let settings = LimiterSettings { release: Ms(100.0), ..settings() };
        let all = analysed(&[click(5000, 2.0), click(5096, 2.0)], &settings, 24_000);
        let part = |frame: usize| all[frame][0][0] / all[frame][0].iter().sum::<f64>();
        assert!((part(5000) - 1.0).abs() < 1e-9 && part(5050) > 0.999_999, "{}", part(5050));
        // later in the release both have a part, and the later one most of it
        assert!(part(5600) < 0.5 && part(5600) >= 0.0, "{}", part(5600));
        // a quiet one far below takes nothing
        let all = analysed(&[click(5000, 2.0), click(5096, 0.5)], &settings, 24_000);
        assert!(all.iter().all(|frame| frame.iter().all(|side| side[1] == 0.0)));
    }

    #[test]
    fn channels_share_by_the_link() {
        // the left channel is of the first term, the right of the second; only the left goes over
        let tone = |gain: f64| -> Vec<f64> { (0..24_000).map(|n| gain * (n as f64 * 0.1).sin()).collect() };
        let rows = [[tone(2.0), tone(0.0)], [tone(0.0), tone(0.5)]];
        for link in [0.0, 0.5, 1.0] {
            let settings = LimiterSettings { link, ceiling: Dbtp(-1.0), ..settings() };
            let all = analysed(&rows, &settings, 24_000);
            let [left, right] = &all[20_000];
            assert!(left[0] > 6.5 && left[1] == 0.0, "{left:?}");
            assert!((right[0] - link * left[0]).abs() < 1e-6 && right[1] == 0.0, "{link}: {right:?}");
        }
    }
}
