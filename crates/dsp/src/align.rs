//! Delay of a stem by any time, to bring it into step with another.

use super::kaiser::{kaiser, sinc};
use super::{Block, Process, Ramp, Smoother, Ticks, settle, within};
use simd::{Isa, Kernel, Simd};
use units::{Hz, Ms, Samples};

/// Settings of [`Align`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlignSettings {
    /// How much later, 0 to 20 ms.
    pub delay: Ms,
}

/// Taps of the interpolation, half of them on each side of where it reads.
const TAPS: usize = 64;

/// Shape of the Kaiser window: 90 dB.
const BETA: f64 = 8.9;

/// Delays nearer than this to a whole number of samples are that number.
const WHOLE: f64 = 1e-6;

/// Shorter delays, in samples, are none: an all-pass for them would ring on and on at Nyquist.
const SHORTEST: f64 = 0.01;

/// A delay of 0 to 20 ms, to fractions of a sample.
///
/// It is an effect, not latency: nobody compensates it, and at 0 ms (below a hundredth of a sample) there is none. Whole
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
    /// Samples of delay to go to.
    goal: f64,
    past: [Past; 2],
    reader: Reader,
    /// What fades away while `reader` fades in.
    old: Reader,
    fade: Smoother,
    /// Share of `reader`.
    share: Ramp,
    fresh: bool,
}

/// The audio of the last 20 ms and a little more, one channel.
struct Past {
    /// Every sample twice, a length apart, so that any stretch of the past lies in one piece.
    twice: Box<[f64]>,
    length: usize,
    now: usize,
}

impl Past {
    fn new(longest: usize) -> Self {
        let length = longest + TAPS;
        Self { twice: vec![0.0; 2 * length].into(), length, now: 0 }
    }

    /// Takes the next sample; what is not finite would stay for 20 ms and is silence.
    #[inline]
    fn push(&mut self, sample: f64) {
        let sample = if sample.is_finite() { sample } else { 0.0 };
        self.now = if self.now + 1 == self.length { 0 } else { self.now + 1 };
        self.twice[self.now] = sample;
        self.twice[self.now + self.length] = sample;
    }

    /// Takes the next samples.
    fn extend(&mut self, isa: Isa, samples: &[f64]) {
        isa.run(Extend { past: self, samples });
    }

    /// `count` samples, the oldest first, of which the newest came `first` pushes before the last.
    #[inline]
    fn stretch(&self, first: usize, count: usize) -> &[f64] {
        let end = self.now + self.length + 1 - first;
        &self.twice[end - count..end]
    }

    fn reset(&mut self) {
        self.twice.fill(0.0);
    }
}

/// [`Past::extend`] for an instruction set.
struct Extend<'a> {
    past: &'a mut Past,
    samples: &'a [f64],
}

impl Kernel for Extend<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { past: Past { twice, length, now }, mut samples } = self;
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

/// Reads the past with a constant delay: a weighted sum of inputs and, for an all-pass, of its own outputs.
struct Reader {
    /// Samples of delay.
    delay: f64,
    /// Age of the newest input read.
    first: usize,
    /// How many inputs are read, and their weights, the oldest first.
    count: usize,
    taps: [f64; TAPS],
    /// Order of the all-pass (0: there is none) and the weights of its outputs, the newest first.
    order: usize,
    feedback: [f64; TAPS / 2],
    /// The last outputs per channel, the newest first.
    outputs: [[f64; TAPS / 2]; 2],
}

impl Reader {
    /// A reader `delay` samples behind.
    fn new(delay: f64) -> Self {
        let delay = if delay < SHORTEST { 0.0 } else { delay };
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
        if (delay - whole).abs() < WHOLE {
            reader.delay = whole;
        } else if delay >= (TAPS / 2) as f64 {
            reader.interpolate();
        } else {
            reader.pass_all();
        }
        reader
    }

    /// Windowed sinc, scaled to a gain of one at zero frequency.
    fn interpolate(&mut self) {
        let half = TAPS / 2;
        self.first = self.delay as usize + 1 - half;
        self.count = TAPS;
        for (i, tap) in self.taps.iter_mut().rev().enumerate() {
            let x = (self.first + i) as f64 - self.delay;
            let u = x / half as f64;
            *tap = sinc(x) * kaiser(u, BETA);
        }
        let sum: f64 = self.taps.iter().sum();
        self.taps.iter_mut().for_each(|tap| *tap /= sum);
    }

    /// Thiran: `a[k] = (-1)^k C(N, k) Π (D - N + n) / (D - N + k + n)`, n from 0 to N; numerator and denominator mirror
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
        (self.first, self.count, self.order) = (0, order + 1, order);
    }

    /// Gives an all-pass outputs to start from: nearly those it would have made, so that it does not ring.
    fn prime(&mut self, past: &[Past; 2]) {
        let (whole, part) = (self.delay as usize, self.delay.fract());
        for (outputs, past) in self.outputs.iter_mut().zip(past) {
            for (age, output) in outputs[..self.order].iter_mut().enumerate() {
                let pair = past.stretch(age + whole, 2);
                *output = pair[1] + part * (pair[0] - pair[1]);
            }
        }
    }

    #[inline]
    fn read(&mut self, channel: usize, past: &Past) -> f64 {
        let inputs = past.stretch(self.first, self.count);
        if self.count == 1 {
            return inputs[0]; // to the bit
        }
        let sum = dot(&self.taps[..self.count], inputs);
        if self.order == 0 {
            return sum;
        }
        let outputs = &mut self.outputs[channel][..self.order];
        let output = settle(sum - dot(&self.feedback[..self.order], outputs));
        outputs.copy_within(..self.order - 1, 1);
        outputs[0] = output;
        output
    }
}

/// The sum of products, in four sums side by side.
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
    /// The longest delay.
    pub const LONGEST: Ms = Ms(20.0);

    /// No delay, for audio at `rate`.
    pub fn new(rate: Hz) -> Self {
        let longest = Self::LONGEST.samples(rate).0 + 1;
        Self {
            rate,
            ticks: Ticks::default(),
            goal: 0.0,
            isa: Isa::widest(),
            past: [Past::new(longest), Past::new(longest)],
            reader: Reader::new(0.0),
            old: Reader::new(0.0),
            fade: Smoother::new(1.0, Smoother::TIME, rate),
            share: Ramp::new(1.0),
            fresh: true,
        }
    }

    /// True when output equals input to the bit: nothing to do, nothing on its way.
    pub fn is_neutral(&self) -> bool {
        self.goal == 0.0 && self.reader.delay == 0.0 && self.share.is_settled_at(1.0)
    }

    /// At the goal at once.
    fn rest(&mut self) {
        self.reader = Reader::new(self.goal);
        self.goal = self.reader.delay;
        self.fade.set_now(1.0);
        self.share = Ramp::new(1.0);
    }

    fn tick(&mut self) {
        let next = self.share.is_settled_at(1.0) && self.reader.delay != self.goal;
        if next {
            self.old = core::mem::replace(&mut self.reader, Reader::new(self.goal));
            self.reader.prime(&self.past);
            self.goal = self.reader.delay; // a whole number, if it is one but for rounding
            self.fade.set_now(0.0);
            self.fade.aim(1.0);
            self.share = Ramp::new(0.0);
        }
        self.share.tick(self.fade.tick());
    }
}

impl Process for Align {
    type Settings = AlignSettings;

    fn set(&mut self, settings: &AlignSettings) {
        self.goal = within(settings.delay.0, 0.0, Self::LONGEST.0) * 1e-3 * self.rate.0;
        if self.fresh {
            self.rest();
        }
        self.fresh = false;
    }

    fn latency(&self) -> Samples {
        Samples(0)
    }

    fn reset(&mut self) {
        self.ticks.reset();
        self.past.iter_mut().for_each(Past::reset);
        self.rest();
        self.fresh = true;
    }

    fn process(&mut self, block: &mut Block<'_>) {
        self.fresh = false;
        if self.is_neutral() {
            let (left, right) = block.channels();
            self.past[0].extend(self.isa, left);
            self.past[1].extend(self.isa, right);
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
            for (channel, (samples, past)) in [left, right].into_iter().zip(&mut self.past).enumerate() {
                for (i, sample) in samples.iter_mut().enumerate() {
                    past.push(*sample);
                    *sample = self.reader.read(channel, past);
                    if !whole {
                        let old = self.old.read(channel, past);
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
