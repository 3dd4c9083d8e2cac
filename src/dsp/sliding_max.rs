//! The largest value of the last so many.

/// The maximum over a window that slides one value at a time.
///
/// Keeps only the values that can still become the maximum, in falling order. A push costs a constant amount
/// on average and at most the window's length once; memory is fixed at construction.
#[derive(Clone, Debug)]
pub struct SlidingMax {
    /// Candidates, a ring indexed modulo its length, a power of two: (time of arrival, value).
    ring: Vec<(u64, f64)>,
    /// Candidates are `first..end`, oldest and largest first.
    first: u64,
    end: u64,
    now: u64,
    window: u64,
}

impl SlidingMax {
    /// The maximum of the last `window` values.
    ///
    /// # Panics
    /// If `window` is zero.
    pub fn new(window: usize) -> Self {
        assert!(window > 0, "a window holds something");
        Self {
            ring: vec![(0, 0.0); window.next_power_of_two()],
            first: 0,
            end: 0,
            now: 0,
            window: window as u64,
        }
    }

    /// Takes `value` and gives the largest of the last `window` values, it included. NaN counts as nothing.
    #[inline]
    pub fn push(&mut self, value: f64) -> f64 {
        let mask = self.ring.len() as u64 - 1;
        let value = if value.is_nan() { f64::NEG_INFINITY } else { value };
        if self.first < self.end && self.now - self.ring[(self.first & mask) as usize].0 >= self.window {
            self.first += 1;
        }
        while self.first < self.end && self.ring[((self.end - 1) & mask) as usize].1 <= value {
            self.end -= 1;
        }
        self.ring[(self.end & mask) as usize] = (self.now, value);
        self.end += 1;
        self.now += 1;
        self.ring[(self.first & mask) as usize].1
    }

    /// The maximum that the last push gave; minus infinity before the first.
    #[inline]
    pub fn max(&self) -> f64 {
        let mask = self.ring.len() as u64 - 1;
        if self.first < self.end { self.ring[(self.first & mask) as usize].1 } else { f64::NEG_INFINITY }
    }

    /// Forgets all values.
    pub fn reset(&mut self) {
        (self.first, self.end, self.now) = (0, 0, 0);
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
