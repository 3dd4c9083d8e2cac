//! Clipping: samples in a row at one full-scale value.

use super::events::Events;

/// So many samples in a row at one full-scale value are clipped. One or two are a normalized peak.
const CLIP_LENGTH: u64 = 3;

/// Counts the runs of one channel.
#[derive(Clone, Debug)]
pub(super) struct Clips {
    /// The largest and the smallest value; none for float, which has neither.
    limits: Option<[f64; 2]>,
    value: f64,
    run: u64,
    found: Events,
}

impl Clips {
    pub(super) fn new(limits: Option<[f64; 2]>) -> Self {
        Self { limits, value: 0.0, run: 0, found: Events::default() }
    }

    /// Takes samples, the first of which is that of `frame`.
    pub(super) fn process(&mut self, samples: &[f64], frame: u64) {
        let Some([high, low]) = self.limits else { return };
        for (n, &x) in samples.iter().enumerate() {
            if x < high && x > low {
                self.run = 0;
                continue;
            }
            self.run = if x == self.value { self.run + 1 } else { 1 };
            self.value = x;
            if self.run == CLIP_LENGTH {
                self.found.add((frame + n as u64).saturating_sub(CLIP_LENGTH - 1));
            }
        }
    }

    /// The runs so far, and the first frame of the first.
    pub(super) fn found(&self) -> Events {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(samples: &[f64]) -> Events {
        let mut whole = Clips::new(Some([0.75, -1.0]));
        whole.process(samples, 0);
        let mut cut = Clips::new(Some([0.75, -1.0]));
        samples.iter().enumerate().for_each(|(n, x)| cut.process(&[*x], n as u64));
        assert_eq!(whole.found(), cut.found());
        whole.found()
    }

    #[test]
    fn three_in_a_row_are_one_run_however_long() {
        assert_eq!(found(&[0.0, 0.75, 0.75, 0.75, 0.75, 0.75, 0.0]), Events { count: 1, first: 1 });
        assert_eq!(found(&[-1.0; 3]), Events { count: 1, first: 0 });
        assert_eq!(found(&[0.75, 0.75, 0.75, -1.0, -1.0, -1.0]), Events { count: 2, first: 0 });
    }

    #[test]
    fn peaks_and_turns_are_no_clipping() {
        assert_eq!(found(&[0.75, 0.75, 0.0, 0.75, -1.0, 0.75, -1.0, -1.0, 0.75]).count, 0);
    }
}
