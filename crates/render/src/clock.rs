//! Times of a song for people.

use units::Hz;

/// A frame as a time of the song: `1:02.345`.
pub fn clock(frame: u64, rate: Hz) -> String {
    clock_of(frame as f64 / rate.0)
}

/// Seconds as a time of the song: `1:02.345`.
pub fn clock_of(seconds: f64) -> String {
    let milliseconds = (seconds.max(0.0) * 1000.0).round() as u64;
    let (minutes, rest) = (milliseconds / 60_000, milliseconds % 60_000);
    format!("{minutes}:{:02}.{:03}", rest / 1000, rest % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_minutes_seconds_and_milliseconds() {
        assert_eq!(clock(48_000 * 62 + 16_560, Hz(48_000.0)), "1:02.345");
        assert_eq!(clock_of(59.999_6), "1:00.000");
        assert_eq!(clock_of(0.0), "0:00.000");
    }
}
