//! Momentary and short-term loudness over time, as comma-separated values.

use meter::loudness::{BLOCK_HOPS, SHORT_TERM_HOPS, hop_frames, windows};
use render::measure::Measured;
use units::{Lufs, Power};

/// The columns: the time at which a meter shows the values, seconds of the song; a value that does not exist is empty.
pub(super) const COLUMNS: [&str; 4] = ["path", "time_s", "momentary_lufs", "short_term_lufs"];

/// A row under [`COLUMNS`].
pub(super) type HistoryRow<'a> = (&'a str, f64, Option<f64>, Option<f64>);

/// The rows of a file, ten a second, from its first momentary loudness on.
pub(super) fn rows<'a>(path: &'a str, measured: &'a Measured) -> impl Iterator<Item = HistoryRow<'a>> {
    let step = hop_frames(measured.info.rate) as f64 / measured.info.rate.0;
    let of = |window: usize| -> Vec<Option<f64>> {
        let value = |power: Power| power.loudness().map(|Lufs(lufs)| lufs);
        windows(&measured.powers, window).map(value).collect()
    };
    let (momentary, short_term) = (of(BLOCK_HOPS), of(SHORT_TERM_HOPS));
    (BLOCK_HOPS..=measured.powers.len()).map(move |hops| {
        let at = |values: &[Option<f64>], window: usize| *values.get(hops.checked_sub(window)?)?;
        // The clock of hops has no better grid than a microsecond in a table.
        let time = ((measured.start + hops as f64 * step) * 1e6).round() / 1e6;
        (path, time, at(&momentary, BLOCK_HOPS), at(&short_term, SHORT_TERM_HOPS))
    })
}
