//! A smoothing that is complete after a known number of frames: two moving averages in a row.

use super::Pair;

/// The last frames of a signal of two channels, on the grid that makes sums exact.
///
/// Values are rounded to multiples of 2^-24; sums of such values below 2^29 have no rounding error in `f64`, so a
/// running sum never drifts and returns to exactly zero. In decibels the grid is far below anything audible.
#[derive(Clone, Debug)]
pub struct Line {
    ring: Vec<Pair>,
    now: usize,
}

impl Line {
    /// Remembers `length` frames, zero at first.
    pub fn new(length: usize) -> Self {
        Self { ring: vec![[0.0; 2]; length.next_power_of_two()], now: 0 }
    }

    /// Takes the next frame, values of 0 to 160.
    #[inline(always)]
    pub fn push(&mut self, frame: Pair) {
        self.put(on_grid(frame));
    }

    /// The frame pushed `age` pushes before the last.
    #[inline(always)]
    pub fn past(&self, age: usize) -> Pair {
        self.ring[self.now.wrapping_sub(age) & (self.ring.len() - 1)]
    }

    /// All zero again.
    pub fn reset(&mut self) {
        self.ring.fill([0.0; 2]);
    }

    /// Takes the next frame, which is on the grid already.
    #[inline(always)]
    fn put(&mut self, frame: Pair) {
        self.now = (self.now + 1) & (self.ring.len() - 1);
        self.ring[self.now] = frame;
    }
}

/// The nearest multiples of 2^-24.
#[inline(always)]
fn on_grid(frame: Pair) -> Pair {
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

/// Two moving averages in a row over a [`Line`]: together a triangle of `length` frames.
///
/// All weights are positive and sum to one: the result lies between the smallest and the largest of the `length`
/// values. A step is a smooth S of `length` frames.
#[derive(Clone, Debug)]
pub struct Boxes {
    first: usize,
    second: usize,
    /// The newest frame that counts is this old.
    age: usize,
    sum: Pair,
    /// Sums of the first average, the last `second` of them.
    sums: Line,
    sum_of_sums: Pair,
    /// Values that `sum_of_sums` is the sum of, repeated ones counted.
    area: f64,
}

impl Boxes {
    /// A smoothing of one frame (none), which can be told to use up to `longest`.
    pub fn new(longest: usize) -> Self {
        let mut boxes = Self {
            first: 1,
            second: 1,
            age: 0,
            sum: [0.0; 2],
            sums: Line::new(longest / 2 + 2),
            sum_of_sums: [0.0; 2],
            area: 1.0,
        };
        boxes.reset();
        boxes
    }

    /// Smooths over `length` frames, the newest of them `age` old, as if it had always done so. `line` must
    /// remember `age + length + 1` frames. The cost is linear in `length`.
    pub fn aim(&mut self, length: usize, age: usize, line: &Line) {
        let length = length.max(1);
        self.first = (length + 2) / 2;
        self.second = length + 1 - self.first;
        self.area = (self.first * self.second) as f64;
        self.age = age;
        self.reset();
        for back in (0..self.second).rev() {
            self.sum = (0..self.first).map(|i| line.past(age + back + i)).fold([0.0; 2], sum);
            self.sums.put(self.sum);
            self.sum_of_sums = sum(self.sum_of_sums, self.sum);
        }
    }

    /// The smoothed frame after `line` took its next one.
    #[inline(always)]
    pub fn next(&mut self, line: &Line) -> Pair {
        self.sum = sum(self.sum, difference(line.past(self.age), line.past(self.age + self.first)));
        let change = difference(self.sum, self.sums.past(self.second - 1));
        self.sum_of_sums = sum(self.sum_of_sums, change);
        self.sums.put(self.sum);
        self.value()
    }

    /// Pushes every frame and makes it what is smooth by then, in place: as [`Line::push`] and [`next`](Self::next).
    #[inline(always)]
    pub fn follow(&mut self, line: &mut Line, frames: &mut [Pair]) {
        let (mut running, mut sum_of_sums) = (self.sum, self.sum_of_sums);
        let (ring, sums) = (&mut line.ring[..], &mut self.sums.ring[..]);
        // Indexed modulo powers of two; the ends are looked at once.
        let (mask, sums_mask) = (ring.len() - 1, sums.len() - 1);
        let (mut now, mut sums_now) = (line.now, self.sums.now);
        let (newest, oldest, last) = (self.age, self.age + self.first, self.second - 1);
        for frame in frames {
            now = now.wrapping_add(1) & mask;
            ring[now & mask] = on_grid(*frame);
            let (newest, oldest) = (now.wrapping_sub(newest) & mask, now.wrapping_sub(oldest) & mask);
            running = sum(running, difference(ring[newest], ring[oldest]));
            sum_of_sums =
                sum(sum_of_sums, difference(running, sums[sums_now.wrapping_sub(last) & sums_mask]));
            sums_now = sums_now.wrapping_add(1) & sums_mask;
            sums[sums_now & sums_mask] = running;
            *frame = [sum_of_sums[0] / self.area, sum_of_sums[1] / self.area];
        }
        (line.now, self.sums.now) = (now, sums_now);
        (self.sum, self.sum_of_sums) = (running, sum_of_sums);
    }

    /// The smoothed frame.
    #[inline(always)]
    pub fn value(&self) -> Pair {
        [self.sum_of_sums[0] / self.area, self.sum_of_sums[1] / self.area]
    }

    /// As if everything had been zero.
    pub fn reset(&mut self) {
        (self.sum, self.sum_of_sums) = ([0.0; 2], [0.0; 2]);
        self.sums.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::noise;
    use super::*;

    fn frames() -> Vec<Pair> {
        let one = |seed| noise(seed, 2000, 30.0).into_iter().map(f64::abs);
        let mut frames: Vec<Pair> = one(4).zip(one(5)).map(|(left, right)| [left, right]).collect();
        frames.extend([[0.0; 2]; 400]);
        frames
    }

    #[test]
    fn agrees_with_two_plain_averages() {
        for (length, age) in [(1, 0), (2, 5), (5, 3), (72, 0), (73, 20), (200, 0)] {
            let mut line = Line::new(512);
            let mut boxes = Boxes::new(200);
            boxes.aim(length, age, &line);
            for (i, frame) in frames().into_iter().enumerate() {
                line.push(frame);
                let smooth = boxes.next(&line);
                if i % 97 == 0 {
                    let (first, second) = (boxes.first, boxes.second);
                    for channel in 0..2 {
                        let past = |k| line.past(k)[channel];
                        let mean = |from: usize| (from..from + first).map(past).sum::<f64>() / first as f64;
                        let plain = (0..second).map(|k| mean(age + k)).sum::<f64>() / second as f64;
                        let smooth = smooth[channel];
                        assert!((smooth - plain).abs() < 1e-12, "{length} {age} {i}: {smooth} {plain}");
                    }
                }
            }
            assert_eq!(boxes.value(), [0.0; 2], "returns to exactly zero");
        }
    }

    #[test]
    fn aiming_anew_equals_having_always_done_so() {
        let mut line = Line::new(512);
        let (mut always, mut anew) = (Boxes::new(200), Boxes::new(200));
        always.aim(151, 7, &line);
        for (i, frame) in frames().into_iter().enumerate() {
            line.push(frame);
            let smooth = always.next(&line);
            if i % 500 == 400 {
                anew.aim(151, 7, &line);
                assert_eq!(anew.value(), smooth);
            }
        }
    }

    #[test]
    fn following_equals_pushing_and_asking() {
        for (length, age) in [(1, 0), (73, 20), (200, 0)] {
            let (mut line, mut other) = (Line::new(512), Line::new(512));
            let (mut boxes, mut following) = (Boxes::new(200), Boxes::new(200));
            boxes.aim(length, age, &line);
            following.aim(length, age, &other);
            let mut followed = frames();
            followed.chunks_mut(31).for_each(|part| following.follow(&mut other, part));
            for (frame, followed) in frames().into_iter().zip(followed) {
                line.push(frame);
                assert_eq!(boxes.next(&line), followed);
            }
        }
    }

    #[test]
    fn a_step_is_complete_after_its_length() {
        let mut line = Line::new(128);
        let mut boxes = Boxes::new(100);
        boxes.aim(61, 0, &line);
        let way: Vec<f64> = (0..61)
            .map(|_| {
                line.push([12.0; 2]);
                boxes.next(&line)[0]
            })
            .collect();
        assert!(way.windows(2).all(|w| w[1] > w[0]));
        assert!(way[59] < 12.0 && way[60] == 12.0);
    }
}
