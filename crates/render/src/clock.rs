//! Times of a song for people.

use units::Hz;

/// A frame as a time of the song: `1:02.345`.
pub fn clock(frame: u64, rate: Hz) -> String {
    let seconds = frame as f64 / rate.0;
    format!("{}:{:06.3}", (seconds / 60.0) as u64, seconds % 60.0)
}
