//! Numbers as an engineer says them.

use crate::clock::clock;
use units::{Hz, decibels};

/// `3.0 dB`, with as many decimals as it takes to see it.
pub(super) fn db(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 0.095 {
        format!("{value:.1} dB")
    } else if magnitude >= 0.0095 {
        format!("{value:.2} dB")
    } else {
        format!("{value:.3} dB")
    }
}

/// A linear amplitude as `-12.3 dBFS`.
pub(super) fn dbfs(amplitude: f64) -> String {
    format!("{:.1} dBFS", decibels(amplitude))
}

/// `1 sample`, `480 samples (10.0 ms)`.
pub(super) fn samples(count: u64, rate: Hz) -> String {
    let ms = count as f64 / rate.0 * 1e3;
    match count {
        1 => "1 sample".into(),
        _ if ms < 0.1 => format!("{count} samples"),
        _ if ms < 1000.0 => format!("{count} samples ({ms:.1} ms)"),
        _ => format!("{count} samples ({:.3} s)", ms / 1e3),
    }
}

/// `64 samples (1.3 ms) later`, or earlier.
pub(super) fn later(delay: i64, rate: Hz) -> String {
    format!("{} {}", samples(delay.unsigned_abs(), rate), if delay < 0 { "earlier" } else { "later" })
}

/// `3.0 dB louder`, or quieter.
pub(super) fn louder(gain_db: f64) -> String {
    format!("{} {}", db(gain_db.abs()), if gain_db < 0.0 { "quieter" } else { "louder" })
}

/// `at 0:01.234`.
pub(super) fn at(frame: u64, rate: Hz) -> String {
    format!("at {}", clock(frame, rate))
}

/// `1 sample`, `3 samples`: `noun` in the singular.
pub(crate) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
