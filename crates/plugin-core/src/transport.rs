//! Transport position of the host, from the audio thread to a window.

use atomic_float::AtomicF64;
use std::sync::atomic::{AtomicBool, Ordering};
use units::Ms;

/// Position and loop range in seconds, NaN for none. A concurrent reader may see values of two blocks.
#[derive(Debug)]
pub struct TransportCell {
    position: AtomicF64,
    range: [AtomicF64; 2],
    /// True once the host has processed a block.
    has_block: AtomicBool,
}

impl Default for TransportCell {
    fn default() -> Self {
        let nowhere = || AtomicF64::new(f64::NAN);
        Self { position: nowhere(), range: [nowhere(), nowhere()], has_block: AtomicBool::new(false) }
    }
}

fn seconds(cell: &AtomicF64) -> Option<f64> {
    Some(cell.load(Ordering::Relaxed)).filter(|seconds| seconds.is_finite())
}

impl TransportCell {
    /// Publishes the position of the block and the host's loop range, seconds. For the audio thread.
    pub fn publish(&self, position: Option<f64>, range: Option<(f64, f64)>) {
        let put = |cell: &AtomicF64, x: Option<f64>| cell.store(x.unwrap_or(f64::NAN), Ordering::Relaxed);
        put(&self.position, position);
        put(&self.range[0], range.map(|range| range.0));
        put(&self.range[1], range.map(|range| range.1));
        self.has_block.store(true, Ordering::Relaxed);
    }

    /// Returns the transport's position; `None` if the host gives none.
    pub fn position(&self) -> Option<Ms> {
        seconds(&self.position).map(|seconds| Ms(seconds * 1000.0))
    }

    /// Returns true if the host processes blocks without giving their position.
    pub fn lacks_position(&self) -> bool {
        self.has_block.load(Ordering::Relaxed) && self.position().is_none()
    }

    /// Returns the loop range; `None` without a loop.
    pub fn range(&self) -> Option<(Ms, Ms)> {
        let [start, end] = [seconds(&self.range[0])?, seconds(&self.range[1])?];
        (start < end).then_some((Ms(start * 1000.0), Ms(end * 1000.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_published_position_is_read_and_before_that_none() {
        let cell = TransportCell::default();
        assert_eq!((cell.position(), cell.range(), cell.lacks_position()), (None, None, false));
        cell.publish(Some(-1.5), Some((2.0, 4.5)));
        assert_eq!((cell.position(), cell.range()), (Some(Ms(-1500.0)), Some((Ms(2000.0), Ms(4500.0)))));
        assert!(!cell.lacks_position());
        cell.publish(Some(f64::INFINITY), Some((4.0, 4.0)));
        assert_eq!((cell.position(), cell.range(), cell.lacks_position()), (None, None, true));
    }
}
