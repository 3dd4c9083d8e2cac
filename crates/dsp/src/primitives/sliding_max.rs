//! Sliding maximum.

use crate::Pair;

/// Maxima of two channels over a window that slides one frame at a time.
///
/// After van Herk and Gil & Werman (1993): time is cut into stretches as long as the window, and every window is the end of
/// one stretch and the beginning of the next. A push costs a constant amount, and once per stretch its length; memory is
/// fixed at construction.
#[derive(Clone, Debug)]
pub struct SlidingMax {
    /// Values of this stretch, up to `at`.
    stretch: Vec<Pair>,
    /// Largest value from each place of the last stretch to its end.
    ends: Vec<Pair>,
    at: usize,
    /// Largest value of this stretch.
    largest: Pair,
    max: Pair,
}

/// Neutral element of the maximum.
const NO_VALUE: Pair = [f64::NEG_INFINITY; 2];

/// Larger values of each channel; NaN in `a` is ignored.
#[inline(always)]
pub fn larger(a: Pair, b: Pair) -> Pair {
    [if a[0] > b[0] { a[0] } else { b[0] }, if a[1] > b[1] { a[1] } else { b[1] }]
}

/// Largest magnitude; NaN is ignored.
#[inline(always)]
pub fn largest(samples: &[f64]) -> f64 {
    let mut lanes = [0.0f64; 8];
    let chunks = samples.chunks_exact(8);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            let x = x.abs();
            *lane = if x > *lane { x } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(0.0, |m, x| if x.abs() > m { x.abs() } else { m })
}

impl SlidingMax {
    /// Maximum of the last `window` frames.
    ///
    /// # Panics
    /// If `window` is zero.
    pub fn new(window: usize) -> Self {
        assert!(window > 0, "a window holds something");
        let nothing = vec![NO_VALUE; window];
        Self { stretch: nothing.clone(), ends: nothing, at: 0, largest: NO_VALUE, max: NO_VALUE }
    }

    /// Appends a frame; returns the maxima of the last `window` frames, this one included. NaN is ignored.
    #[inline(always)]
    pub fn push(&mut self, frame: Pair) -> Pair {
        self.largest = larger(frame, self.largest);
        self.stretch[self.at] = frame;
        self.at += 1;
        if self.at < self.ends.len() {
            self.max = larger(self.ends[self.at], self.largest);
        } else {
            self.max = self.largest;
            self.end_stretch();
        }
        self.max
    }

    /// Ends a stretch.
    #[inline(always)]
    fn end_stretch(&mut self) {
        let mut largest = NO_VALUE;
        for (frame, end) in self.stretch.iter().zip(&mut self.ends).rev() {
            largest = larger(*frame, largest);
            *end = largest;
        }
        self.at = 0;
        self.largest = NO_VALUE;
    }

    /// Replaces every frame by the result of its [`push`](Self::push).
    #[inline(always)]
    pub fn follow(&mut self, frames: &mut [Pair]) {
        let mut at = 0;
        while at < frames.len() {
            // Short of the end of the stretch, whose last frame ends it.
            let run = (frames.len() - at).min(self.ends.len() - 1 - self.at);
            let mut largest = self.largest;
            let places = self.stretch[self.at..self.at + run].iter_mut();
            let ends = &self.ends[self.at + 1..self.at + 1 + run];
            for ((frame, place), end) in frames[at..at + run].iter_mut().zip(places).zip(ends) {
                let [left, right] = *frame;
                largest = larger([left, right], largest);
                *place = [left, right];
                *frame = larger(largest, *end);
            }
            if let Some(last) = frames[..at + run].last() {
                self.max = *last;
            }
            self.largest = largest;
            self.at += run;
            at += run;
            if let Some(last) = frames.get_mut(at) {
                *last = self.push(*last);
                at += 1;
            }
        }
    }

    /// Result of the last push; minus infinity before the first.
    #[inline]
    pub fn max(&self) -> Pair {
        self.max
    }

    /// Forgets all values.
    pub fn reset(&mut self) {
        self.ends.fill(NO_VALUE);
        self.at = 0;
        self.largest = NO_VALUE;
        self.max = NO_VALUE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    fn agrees_with_the_obvious_one(values: &[Pair], window: usize) {
        let mut sliding = SlidingMax::new(window);
        for i in 0..values.len() {
            let from = (i + 1).saturating_sub(window);
            let obvious = [0, 1]
                .map(|c| values[from..=i].iter().map(|frame| frame[c]).fold(f64::NEG_INFINITY, f64::max));
            assert_eq!(sliding.push(values[i]), obvious, "window {window}, frame {i}");
            assert_eq!(sliding.max(), obvious);
        }
        for size in [1, 5, 64, 1000] {
            let mut in_place = values.to_vec();
            let mut following = SlidingMax::new(window);
            in_place.chunks_mut(size).for_each(|part| following.follow(part));
            let mut sliding = SlidingMax::new(window);
            let pushed: Vec<Pair> = values.iter().map(|&value| sliding.push(value)).collect();
            assert_eq!(in_place, pushed, "window {window}, parts of {size}");
            assert_eq!(following.max(), sliding.max());
        }
    }

    #[test]
    fn agrees_with_looking_at_every_value() {
        let random = noise(3, 3000, 1.0);
        let coarse: Vec<f64> = random.iter().map(|x| (x * 4.0).round()).collect();
        let falling: Vec<f64> = (0..3000).map(|i| -f64::from(i)).collect();
        let rising: Vec<f64> = (0..3000).map(f64::from).collect();
        for window in [1, 2, 3, 7, 64, 65, 127, 1000] {
            for [left, right] in [[&random, &coarse], [&falling, &random], [&rising, &falling]] {
                let frames: Vec<Pair> = left.iter().zip(right).map(|(left, right)| [*left, *right]).collect();
                agrees_with_the_obvious_one(&frames, window);
            }
        }
    }

    #[test]
    fn not_a_number_counts_as_nothing() {
        let mut sliding = SlidingMax::new(2);
        assert_eq!(sliding.push([1.0, f64::NAN]), [1.0, f64::NEG_INFINITY]);
        assert_eq!(sliding.push([f64::NAN, 2.0]), [1.0, 2.0]);
        assert_eq!(sliding.push([0.5, 0.5]), [0.5, 2.0]);
        sliding.reset();
        assert_eq!(sliding.push([-3.0; 2]), [-3.0; 2]);
    }
}
