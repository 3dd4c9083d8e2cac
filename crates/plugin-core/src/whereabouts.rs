//! Where a host's transport is: what its audio thread was told last, for a window.

use std::sync::atomic::{AtomicU64, Ordering};
use units::Ms;

/// Four words; whoever reads them while they are written has a moment of each.
#[derive(Debug)]
pub struct TransportPosition {
    /// Seconds as bits; NaN is nowhere.
    position: AtomicU64,
    range: [AtomicU64; 2],
}

impl Default for TransportPosition {
    fn default() -> Self {
        let nowhere = || AtomicU64::new(f64::NAN.to_bits());
        Self { position: nowhere(), range: [nowhere(), nowhere()] }
    }
}

fn seconds(word: &AtomicU64) -> Option<f64> {
    Some(f64::from_bits(word.load(Ordering::Relaxed))).filter(|seconds| seconds.is_finite())
}

impl TransportPosition {
    /// The block begins at `position`, and the host plays `range` again and again; seconds. For the audio thread.
    pub fn tell(&self, position: Option<f64>, range: Option<(f64, f64)>) {
        let put =
            |word: &AtomicU64, x: Option<f64>| word.store(x.unwrap_or(f64::NAN).to_bits(), Ordering::Relaxed);
        put(&self.position, position);
        put(&self.range[0], range.map(|range| range.0));
        put(&self.range[1], range.map(|range| range.1));
    }

    /// Where the transport is; `None` if the host does not say.
    pub fn position(&self) -> Option<Ms> {
        seconds(&self.position).map(|seconds| Ms(seconds * 1000.0))
    }

    /// What is looped; `None` if nothing is.
    pub fn range(&self) -> Option<(Ms, Ms)> {
        let [start, end] = [seconds(&self.range[0])?, seconds(&self.range[1])?];
        (start < end).then_some((Ms(start * 1000.0), Ms(end * 1000.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_last_is_read_and_before_that_nothing() {
        let place = TransportPosition::default();
        assert_eq!((place.position(), place.range()), (None, None));
        place.tell(Some(-1.5), Some((2.0, 4.5)));
        assert_eq!((place.position(), place.range()), (Some(Ms(-1500.0)), Some((Ms(2000.0), Ms(4500.0)))));
        place.tell(Some(f64::INFINITY), Some((4.0, 4.0)));
        assert_eq!((place.position(), place.range()), (None, None));
    }
}
