//! Smoother that is complete after a known number of frames: two moving averages in a row.

use super::history::HistoryBuffer;
use crate::Pair;

/// The last frames of a signal of two channels, on the grid that makes sums exact.
///
/// Values are rounded to multiples of 2^-24; sums of such values below 2^29 have no rounding error in `f64`, so a
/// running sum never drifts and returns to exactly zero. In decibels the grid is far below anything audible.
#[derive(Clone, Debug)]
pub struct GridHistory(HistoryBuffer<Pair>);

impl GridHistory {
    /// Remembers `length` frames, zero at first.
    pub fn new(length: usize) -> Self {
        Self(HistoryBuffer::new(length))
    }

    /// The place of the next frames, up to [`HistoryBuffer::STRETCH`]; all are to be written with values of 0 to 160, [on the
    /// grid](on_grid).
    #[inline(always)]
    pub(crate) fn grow(&mut self, frames: usize) -> &mut [Pair] {
        self.0.grow(frames)
    }

    /// The frame pushed `age` pushes before the last.
    #[inline(always)]
    pub fn past(&self, age: usize) -> Pair {
        self.0.past(age, 1)[0]
    }

    /// All zero again.
    pub fn reset(&mut self) {
        self.0.reset();
    }
}

/// The nearest multiples of 2^-24.
#[inline(always)]
pub(crate) fn on_grid(frame: Pair) -> Pair {
    /// Adding this and taking it away again rounds to the grid: its last bit is worth 2^-24.
    const ROUND: f64 = 1.5 * (1u64 << 28) as f64;
    [(frame[0] + ROUND) - ROUND, (frame[1] + ROUND) - ROUND]
}

#[inline(always)]
fn sum(a: Pair, b: Pair) -> Pair {
    [a[0] + b[0], a[1] + b[1]]
}

#[inline(always)]
fn difference(a: Pair, b: Pair) -> Pair {
    [a[0] - b[0], a[1] - b[1]]
}

/// Two moving averages in a row over a [`GridHistory`]: together a triangle of `length` frames.
///
/// All weights are positive and sum to one: the result lies between the smallest and the largest of the `length`
/// values. A step is a smooth S of `length` frames.
///
/// Computed with integrators and combs (Hogenauer, "An Economical Class of Digital Filters for Decimation and Interpolation",
/// IEEE Trans. ASSP 29(2), 1981), a sum of sums of the second difference of the triangle: with `a` and `b` the lengths of the averages,
/// `x[n] - x[n - a] - x[n - b] + x[n - a - b]`.
#[derive(Clone, Debug)]
pub struct BoxSmoother {
    first: usize,
    second: usize,
    /// The newest frame that counts is this old.
    age: usize,
    /// The first sum: how much the second changes.
    change: Pair,
    sum_of_sums: Pair,
    /// Values that `sum_of_sums` is the sum of, repeated ones counted.
    area: f64,
}

impl BoxSmoother {
    /// A smoothing of one frame: none.
    pub fn new() -> Self {
        Self { first: 1, second: 1, age: 0, change: [0.0; 2], sum_of_sums: [0.0; 2], area: 1.0 }
    }

    /// Smooths over `length` frames, the newest of them `age` old, as if it had always done so. `history` must
    /// remember `age + length + 1` frames. The cost is linear in `length`.
    pub fn aim(&mut self, length: usize, age: usize, history: &GridHistory) {
        let length = length.max(1);
        self.first = (length + 2) / 2;
        self.second = length + 1 - self.first;
        self.area = (self.first * self.second) as f64;
        self.age = age;
        self.reset();
        let from = |back: usize| (0..self.first).map(|i| history.past(age + back + i)).fold([0.0; 2], sum);
        let mut running = from(0);
        self.change = difference(running, from(self.second));
        for back in 0..self.second {
            self.sum_of_sums = sum(self.sum_of_sums, running);
            let (newest, next) = (history.past(age + back), history.past(age + back + self.first));
            running = sum(difference(running, newest), next);
        }
    }

    /// The smoothed frames after `history` took as many, at most 128, all at once.
    #[inline(always)]
    pub fn follow(&mut self, history: &GridHistory, smooth: &mut [Pair]) {
        let frames = smooth.len();
        let Self { first, second, age, area, .. } = *self;
        let [x, a, b, ab] =
            [0, first, second, first + second].map(|back| history.0.past(age + back, frames).as_flattened());
        let bends = smooth.as_flattened_mut().iter_mut();
        for ((bend, (x, a)), (b, ab)) in bends.zip(x.iter().zip(a)).zip(b.iter().zip(ab)) {
            *bend = (x - a) - (b - ab);
        }
        let (mut change, mut total) = (self.change, self.sum_of_sums);
        for smooth in smooth {
            change = sum(change, *smooth);
            total = sum(total, change);
            *smooth = [total[0] / area, total[1] / area];
        }
        (self.change, self.sum_of_sums) = (change, total);
    }

    /// The smoothed frame.
    #[inline(always)]
    pub fn value(&self) -> Pair {
        [self.sum_of_sums[0] / self.area, self.sum_of_sums[1] / self.area]
    }

    /// As if everything had been zero.
    pub fn reset(&mut self) {
        (self.change, self.sum_of_sums) = ([0.0; 2], [0.0; 2]);
    }
}

impl Default for BoxSmoother {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    impl GridHistory {
        fn push(&mut self, frame: Pair) {
            self.0.grow(1)[0] = on_grid(frame);
        }
    }

    impl BoxSmoother {
        /// The smoothed frame after `history` took its next one.
        fn next(&mut self, history: &GridHistory) -> Pair {
            let mut frame = [[0.0; 2]];
            self.follow(history, &mut frame);
            frame[0]
        }
    }

    fn frames() -> Vec<Pair> {
        let one = |seed| noise(seed, 2000, 30.0).into_iter().map(f64::abs);
        let mut frames: Vec<Pair> = one(4).zip(one(5)).map(|(left, right)| [left, right]).collect();
        frames.extend([[0.0; 2]; 400]);
        frames
    }

    #[test]
    fn agrees_with_two_plain_averages() {
        for (length, age) in [(1, 0), (2, 5), (5, 3), (72, 0), (73, 20), (200, 0)] {
            let mut history = GridHistory::new(512);
            let mut smoother = BoxSmoother::new();
            smoother.aim(length, age, &history);
            for (i, frame) in frames().into_iter().enumerate() {
                history.push(frame);
                let smooth = smoother.next(&history);
                if i % 97 == 0 {
                    let (first, second) = (smoother.first, smoother.second);
                    for channel in 0..2 {
                        let past = |k| history.past(k)[channel];
                        let mean = |from: usize| (from..from + first).map(past).sum::<f64>() / first as f64;
                        let plain = (0..second).map(|k| mean(age + k)).sum::<f64>() / second as f64;
                        let smooth = smooth[channel];
                        assert!((smooth - plain).abs() < 1e-12, "{length} {age} {i}: {smooth} {plain}");
                    }
                }
            }
            assert_eq!(smoother.value(), [0.0; 2], "returns to exactly zero");
        }
    }

    #[test]
    fn aiming_anew_equals_having_always_done_so() {
        let mut history = GridHistory::new(512);
        let (mut always, mut anew) = (BoxSmoother::new(), BoxSmoother::new());
        always.aim(151, 7, &history);
        for (i, frame) in frames().into_iter().enumerate() {
            history.push(frame);
            let smooth = always.next(&history);
            if i % 500 == 400 {
                anew.aim(151, 7, &history);
                assert_eq!(anew.value(), smooth);
            }
        }
    }

    #[test]
    fn following_equals_pushing_and_asking() {
        for (length, age) in [(1, 0), (73, 20), (200, 0)] {
            let (mut history, mut other) = (GridHistory::new(512), GridHistory::new(512));
            let (mut smoother, mut following) = (BoxSmoother::new(), BoxSmoother::new());
            smoother.aim(length, age, &history);
            following.aim(length, age, &other);
            let mut followed = frames();
            followed.chunks_mut(31).for_each(|part| {
                part.iter().zip(other.grow(part.len())).for_each(|(frame, place)| *place = on_grid(*frame));
                following.follow(&other, part);
            });
            for (frame, followed) in frames().into_iter().zip(followed) {
                history.push(frame);
                assert_eq!(smoother.next(&history), followed);
            }
        }
    }

    #[test]
    fn a_step_is_complete_after_its_length() {
        let mut history = GridHistory::new(128);
        let mut smoother = BoxSmoother::new();
        smoother.aim(61, 0, &history);
        let way: Vec<f64> = (0..61)
            .map(|_| {
                history.push([12.0; 2]);
                smoother.next(&history)[0]
            })
            .collect();
        assert!(way.windows(2).all(|w| w[1] > w[0]));
        assert!(way[59] < 12.0 && way[60] == 12.0);
    }
}
