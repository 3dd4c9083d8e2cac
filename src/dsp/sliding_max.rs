//! The largest value of the last so many.

use core::cell::Cell;

/// The maximum over a window that slides one value at a time.
///
/// After van Herk and Gil & Werman (1993): time is cut into stretches as long as the window, and every window is the end of
/// one stretch and the beginning of the next. A push costs a constant amount, and once per stretch its length; memory is
/// fixed at construction.
#[derive(Clone, Debug)]
pub struct SlidingMax {
    /// Up to `at` the values of this stretch; from there on, of the last one, the largest from each place to its end.
    ring: Vec<f64>,
    at: usize,
    /// The largest of this stretch.
    largest: f64,
    max: f64,
}

impl SlidingMax {
    /// The maximum of the last `window` values.
    ///
    /// # Panics
    /// If `window` is zero.
    pub fn new(window: usize) -> Self {
        assert!(window > 0, "a window holds something");
        let nothing = f64::NEG_INFINITY;
        Self { ring: vec![nothing; window], at: 0, largest: nothing, max: nothing }
    }

    /// Takes `value` and gives the largest of the last `window` values, it included. NaN counts as nothing.
    #[inline]
    pub fn push(&mut self, value: f64) -> f64 {
        if value > self.largest {
            self.largest = value;
        }
        self.ring[self.at] = value;
        self.at += 1;
        if self.at < self.ring.len() {
            let older = self.ring[self.at];
            self.max = if older > self.largest { older } else { self.largest };
        } else {
            self.max = self.largest;
            self.turn();
        }
        self.max
    }

    /// The end of a stretch.
    fn turn(&mut self) {
        let mut largest = f64::NEG_INFINITY;
        for value in self.ring.iter_mut().rev() {
            largest = if *value > largest { *value } else { largest };
            *value = largest;
        }
        (self.at, self.largest) = (0, f64::NEG_INFINITY);
    }

    /// [`push`](Self::push) for every value, in place.
    pub fn follow(&mut self, values: &mut [f64]) {
        let mut at = 0;
        while at < values.len() {
            // Short of the end of the stretch, whose last value turns it.
            let run = (values.len() - at).min(self.ring.len() - 1 - self.at);
            let mut largest = self.largest;
            // As cells: what is written at a place is read at the one before.
            let stretch = Cell::from_mut(&mut self.ring[self.at..self.at + run + 1]).as_slice_of_cells();
            let places = stretch.iter().zip(&stretch[1..]);
            for (value, (place, older)) in values[at..at + run].iter_mut().zip(places) {
                largest = if *value > largest { *value } else { largest };
                place.set(*value);
                *value = if older.get() > largest { older.get() } else { largest };
            }
            if let Some(last) = values[..at + run].last() {
                self.max = *last;
            }
            self.largest = largest;
            self.at += run;
            at += run;
            if let Some(last) = values.get_mut(at) {
                *last = self.push(*last);
                at += 1;
            }
        }
    }

    /// The maximum that the last push gave; minus infinity before the first.
    #[inline]
    pub fn max(&self) -> f64 {
        self.max
    }

    /// Forgets all values.
    pub fn reset(&mut self) {
        self.ring.fill(f64::NEG_INFINITY);
        (self.at, self.largest, self.max) = (0, f64::NEG_INFINITY, f64::NEG_INFINITY);
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::noise;
    use super::*;

    fn agrees_with_the_obvious_one(values: &[f64], window: usize) {
        let mut sliding = SlidingMax::new(window);
        for i in 0..values.len() {
            let from = (i + 1).saturating_sub(window);
            let obvious = values[from..=i].iter().copied().fold(f64::NEG_INFINITY, f64::max);
            assert_eq!(sliding.push(values[i]), obvious, "window {window}, value {i}");
            assert_eq!(sliding.max(), obvious);
        }
        for size in [1, 5, 64, 1000] {
            let mut in_place = values.to_vec();
            let mut following = SlidingMax::new(window);
            in_place.chunks_mut(size).for_each(|part| following.follow(part));
            let mut sliding = SlidingMax::new(window);
            let pushed: Vec<f64> = values.iter().map(|&value| sliding.push(value)).collect();
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
            for values in [&random, &coarse, &falling, &rising] {
                agrees_with_the_obvious_one(values, window);
            }
        }
    }

    #[test]
    fn not_a_number_counts_as_nothing() {
        let mut sliding = SlidingMax::new(2);
        assert_eq!(sliding.push(1.0), 1.0);
        assert_eq!(sliding.push(f64::NAN), 1.0);
        assert_eq!(sliding.push(0.5), 0.5);
        sliding.reset();
        assert_eq!(sliding.push(-3.0), -3.0);
    }
}
