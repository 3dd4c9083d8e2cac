//! Readings as the loudness fields of a broadcast extension.

use audiofile::wav::Loudness;
use meter::Reading;

/// The fields of a file that has this reading.
pub(super) fn wav_loudness(reading: &Reading) -> Loudness {
    Loudness {
        integrated: reading.integrated,
        range: reading.range,
        max_true_peak: reading.true_peak,
        max_momentary: reading.momentary_max,
        max_short_term: reading.short_term_max,
    }
}
