//! Delay of a stem by fractions of a sample, to align it with another.

use super::kaiser::{kaiser, sinc};
use super::{Block, Process, Ramp, Smoother, Ticks, flush_invalid, within};
use simd::{Isa, Kernel, Simd};
use units::{Hz, Ms, Samples};

/// Settings of [`Align`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlignSettings {
    /// Delay, 0 to 20 ms.
    pub delay: Ms,
}

/// Taps of the interpolation, half of them on each side of the position read.
const TAPS: usize = 64;

/// Shape of the Kaiser window: stop band of -90 dB.
const KAISER_BETA: f64 = 8.9;

/// Distance from a whole number of samples, in samples, within which a delay is rounded to it.
const WHOLE_TOLERANCE: f64 = 1e-6;

/// Shortest delay, in samples; below it there is none, for its all-pass would ring at Nyquist.
const MIN_DELAY: f64 = 0.01;

/// Delay of 0 to 20 ms, to fractions of a sample.
///
/// It is an effect, not latency: hosts do not compensate it, and at 0 ms (below a hundredth of a sample) there is none. Whole
/// numbers of samples are exact. Between them:
/// - from 32 samples on, a windowed sinc of 64 taps (Kaiser). To 20 kHz at 44.1 kHz: magnitude within 0.001 dB, phase
///   within 0.003 degrees; from there to Nyquist it falls, for half a sample to nothing.
/// - below, where half of those taps would lie in the future, an all-pass of Thiran ("Recursive digital filters
///   with maximally flat group delay", IEEE Transactions on Circuit Theory 18(6), 1971, eq. 30) of as many orders as samples
///   of delay: magnitude exact everywhere, delay right at low frequencies. At 44.1 kHz its delay is off by less than
///   0.1 µs up to 2 kHz, 1 µs up to 5 kHz, 3 µs up to 10 kHz, and never more than half a sample, 11 µs; the longer
///   the delay, the less (from 3 samples on 0.2 µs up to 10 kHz).
///
/// A change crossfades in 20 ms; one that comes meanwhile waits for its end. Latency: none. Neutral at 0 ms.
pub struct Align {
    isa: Isa,
    rate: Hz,
    ticks: Ticks,
    /// Delay to move to, in samples.
    target: f64,
    history: [DoubledHistory; 2],
    reader: DelayReader,
    /// Reader that fades out while `reader` fades in.
    old: DelayReader,
    fade: Smoother,
    /// Share of `reader`, 0 to 1.
    share: Ramp,
    fresh: bool,
}

/// Audio of one channel, as long as the longest delay and the taps around it.
struct DoubledHistory {
    /// Each sample twice, a length apart, so that any stretch of the history is contiguous.
    twice: Box<[f64]>,
    length: usize,
    now: usize,
}

impl DoubledHistory {
    fn new(longest: usize) -> Self {
        let length = longest + TAPS;
        Self { twice: vec![0.0; 2 * length].into(), length, now: 0 }
    }

    /// Appends a sample; a non-finite one becomes zero, for it would stay for 20 ms.
    #[inline]
    fn push(&mut self, sample: f64) {
        let sample = if sample.is_finite() { sample } else { 0.0 };
        self.now = if self.now + 1 == self.length { 0 } else { self.now + 1 };
        self.twice[self.now] = sample;
        self.twice[self.now + self.length] = sample;
    }

    /// Appends samples.
    fn extend(&mut self, isa: Isa, samples: &[f64]) {
        isa.run(ExtendHistory { history: self, samples });
    }

    /// `count` samples, oldest first; the newest of them was pushed `first` samples before the last.
    #[inline]
    fn stretch(&self, first: usize, count: usize) -> &[f64] {
        let end = self.now + self.length + 1 - first;
        &self.twice[end - count..end]
    }

    fn reset(&mut self) {
        self.twice.fill(0.0);
    }
}

/// Kernel of [`DoubledHistory::extend`].
struct ExtendHistory<'a> {
    history: &'a mut DoubledHistory,
    samples: &'a [f64],
}

impl Kernel for ExtendHistory<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { history: DoubledHistory { twice, length, now }, mut samples } = self;
        let (first, second) = twice.split_at_mut(*length);
        while !samples.is_empty() {
            let start = if *now + 1 == *length { 0 } else { *now + 1 };
            let (present, later) = samples.split_at(samples.len().min(*length - start));
            let end = start + present.len();
            let places = first[start..end].iter_mut().zip(&mut second[start..end]);
            for ((one, other), &sample) in places.zip(present) {
                let sample = if sample.abs() < f64::INFINITY { sample } else { 0.0 };
                (*one, *other) = (sample, sample);
            }
            *now = end - 1;
            samples = later;
        }
    }
}

/// Reads a history with a constant delay: a weighted sum of inputs and, for an all-pass, of its own outputs.
struct DelayReader {
    /// Delay in samples.
    delay: f64,
    /// Age of the newest input read.
    first: usize,
    /// Number of inputs read, and their weights, oldest first.
    count: usize,
    taps: [f64; TAPS],
    /// Order of the all-pass (0: none) and the weights of its outputs, newest first.
    order: usize,
    feedback: [f64; TAPS / 2],
    /// Last outputs per channel, newest first.
    outputs: [[f64; TAPS / 2]; 2],
}

impl DelayReader {
    /// Reader with a delay of `delay` samples.
    fn new(delay: f64) -> Self {
        let delay = if delay < MIN_DELAY { 0.0 } else { delay };
        let whole = delay.round();
        let mut reader = Self {
            delay,
            first: whole as usize,
            count: 1,
            taps: [0.0; TAPS],
            order: 0,
            feedback: [0.0; TAPS / 2],
            outputs: [[0.0; TAPS / 2]; 2],
        };
        if (delay - whole).abs() < WHOLE_TOLERANCE {
            reader.delay = whole;
        } else if delay >= (TAPS / 2) as f64 {
            reader.interpolate();
        } else {
            reader.pass_all();
        }
        reader
    }

    /// Sets the taps of a windowed sinc, scaled to a gain of one at 0 Hz.
    fn interpolate(&mut self) {
        let half = TAPS / 2;
        self.first = self.delay as usize + 1 - half;
        self.count = TAPS;
        for (i, tap) in self.taps.iter_mut().rev().enumerate() {
            let x = (self.first + i) as f64 - self.delay;
            let u = x / half as f64;
            *tap = sinc(x) * kaiser(u, KAISER_BETA);
        }
        let sum: f64 = self.taps.iter().sum();
        self.taps.iter_mut().for_each(|tap| *tap /= sum);
    }

    /// Sets the coefficients of Thiran's all-pass: `a[k] = (-1)^k C(N, k) Π (D - N + n) / (D - N + k + n)`, n from 0 to N; numerator and denominator mirror
    /// each other.
    fn pass_all(&mut self) {
        let order = (self.delay.round() as usize).clamp(1, TAPS / 2);
        let rest = self.delay - order as f64;
        let mut binomial = 1.0;
        for k in 0..=order {
            let product: f64 = (0..=order).map(|n| (rest + n as f64) / (rest + (k + n) as f64)).product();
            self.taps[k] = binomial * product;
            if k > 0 {
                self.feedback[k - 1] = self.taps[k];
            }
            binomial *= -((order - k) as f64) / (k + 1) as f64;
        }
        self.first = 0;
        self.count = order + 1;
        self.order = order;
    }

    /// Sets the outputs that an all-pass starts from, nearly those it would have had, so that it does not ring.
    fn prime(&mut self, history: &[DoubledHistory; 2]) {
        let (whole, part) = (self.delay as usize, self.delay.fract());
        for (outputs, history) in self.outputs.iter_mut().zip(history) {
            for (age, output) in outputs[..self.order].iter_mut().enumerate() {
                let pair = history.stretch(age + whole, 2);
                *output = pair[1] + part * (pair[0] - pair[1]);
            }
        }
    }

    #[inline]
    fn read(&mut self, channel: usize, history: &DoubledHistory) -> f64 {
        let inputs = history.stretch(self.first, self.count);
        if self.count == 1 {
            return inputs[0]; // to the bit
        }
        let sum = dot(&self.taps[..self.count], inputs);
        if self.order == 0 {
            return sum;
        }
        let outputs = &mut self.outputs[channel][..self.order];
        let output = flush_invalid(sum - dot(&self.feedback[..self.order], outputs));
        outputs.copy_within(..self.order - 1, 1);
        outputs[0] = output;
        output
    }
}

/// Sum of products, in four independent sums.
#[inline]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    let mut sums = [0.0; 4];
    for (a, b) in a.zip(b) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

impl Align {
    /// Longest delay.
    pub const MAX_DELAY: Ms = Ms(20.0);

    /// Delay of 0 ms for audio at `rate`.
    pub fn new(rate: Hz) -> Self {
        let longest = Self::MAX_DELAY.samples(rate).0 + 1;
        Self {
            rate,
            ticks: Ticks::default(),
            target: 0.0,
            isa: Isa::widest(),
            history: [DoubledHistory::new(longest), DoubledHistory::new(longest)],
            reader: DelayReader::new(0.0),
            old: DelayReader::new(0.0),
            fade: Smoother::new(1.0, Smoother::TIME, rate),
            share: Ramp::new(1.0),
            fresh: true,
        }
    }

    /// True when output equals input to the bit: no delay, and no crossfade in progress.
    pub fn is_neutral(&self) -> bool {
        self.target == 0.0 && self.reader.delay == 0.0 && self.share.is_settled_at(1.0)
    }

    /// Ends all crossfades at the target.
    fn set_now(&mut self) {
        self.reader = DelayReader::new(self.target);
        self.target = self.reader.delay;
        self.fade.set_now(1.0);
        self.share = Ramp::new(1.0);
    }

    fn tick(&mut self) {
        let next = self.share.is_settled_at(1.0) && self.reader.delay != self.target;
        if next {
            self.old = core::mem::replace(&mut self.reader, DelayReader::new(self.target));
            self.reader.prime(&self.history);
            self.target = self.reader.delay; // a whole number, if it is one but for rounding
            self.fade.set_now(0.0);
            self.fade.set_target(1.0);
            self.share = Ramp::new(0.0);
        }
        self.share.tick(self.fade.tick());
    }
}

impl Process for Align {
    type Settings = AlignSettings;

    fn set(&mut self, settings: &AlignSettings) {
        self.target = within(settings.delay.0, 0.0, Self::MAX_DELAY.0) * 1e-3 * self.rate.0;
        if self.fresh {
            self.set_now();
        }
        self.fresh = false;
    }

    fn latency(&self) -> Samples {
        Samples(0)
    }

    fn reset(&mut self) {
        self.ticks.reset();
        self.history.iter_mut().for_each(DoubledHistory::reset);
        self.set_now();
        self.fresh = true;
    }

    fn process(&mut self, block: &mut Block<'_>) {
        self.fresh = false;
        if self.is_neutral() {
            let (left, right) = block.channels();
            self.history[0].extend(self.isa, left);
            self.history[1].extend(self.isa, right);
            self.ticks.skip(left.len());
            return;
        }
        let mut at = 0;
        while at < block.len() {
            let step = self.ticks.next(block.len() - at);
            if step.tick {
                self.tick();
            }
            let mut part = block.part(at..at + step.frames);
            let (left, right) = part.channels();
            let whole = self.share.is_settled_at(1.0);
            for (channel, (samples, history)) in [left, right].into_iter().zip(&mut self.history).enumerate()
            {
                for (i, sample) in samples.iter_mut().enumerate() {
                    history.push(*sample);
                    *sample = self.reader.read(channel, history);
                    if !whole {
                        let old = self.old.read(channel, history);
                        let share = self.share.at(i);
                        let share = share * share * (3.0 - 2.0 * share); // no corner at either end
                        *sample = old + share * (*sample - old);
                    }
                }
            }
            self.share.advance(step.frames);
            at += step.frames;
        }
    }
}
