//! Numbers and parameter values as text: fixed decimals, a true minus, the unit apart.

use chain::parameters::{Parameter, ParameterKind, Value};
use plugin_core::text;

/// A true minus sign.
const MINUS: char = '\u{2212}';

/// Returns figures and unit, such as `−18.0` and `dBFS`.
pub fn figures_and_unit(row: &Parameter, value: Value) -> (String, &'static str) {
    let (Value::Number(Some(x)), ParameterKind::Number { unit, min, .. }) = (value, row.kind) else {
        return (text::text(row, value), "");
    };
    match unit {
        "Hz" if x >= 1000.0 => (significant(x / 1000.0), "kHz"),
        "Hz" => (significant(x), "Hz"),
        "ms" if x >= 1000.0 => (significant(x / 1000.0), "s"),
        "ms" => (significant(x), "ms"),
        "%" => (format!("{x:.0}"), "%"),
        "dB/oct" => (format!("{x:.0}"), "dB/oct"),
        // what can go both ways says which way it went
        "dB" if min < 0.0 => (signed(x, 1), "dB"),
        "dB" | "dBFS" | "dBTP" => (number(x, 1), unit),
        ":1" => (number(x, 1), ":1"),
        _ => (significant(x), unit),
    }
}

/// Returns figures and unit as one text.
pub fn whole(row: &Parameter, value: Value) -> String {
    let (figures, unit) = figures_and_unit(row, value);
    match unit {
        "" => figures,
        ":1" => figures + unit,
        _ => format!("{figures} {unit}"),
    }
}

/// Formats three significant figures, at most two decimals.
fn significant(x: f64) -> String {
    match x.abs() {
        a if a >= 99.95 => number(x, 0),
        a if a >= 9.995 => number(x, 1),
        _ => number(x, 2),
    }
}

/// Formats a number with `decimals` and a true minus; never minus zero.
pub fn number(x: f64, decimals: usize) -> String {
    let text = format!("{x:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.into(),
        Some(rest) => format!("{MINUS}{rest}"),
        None => text,
    }
}

/// Formats a [`number`] with its sign, plus too.
pub fn signed(x: f64, decimals: usize) -> String {
    let text = number(x, decimals);
    let is_zero = text.chars().all(|c| c == '0' || c == '.');
    if is_zero || text.starts_with(MINUS) { text } else { format!("+{text}") }
}

/// Formats minutes and seconds, and hours if there are any: `2:47`.
pub fn time(seconds: f64) -> String {
    let all = seconds.max(0.0) as u64;
    let (hours, minutes, seconds) = (all / 3600, all / 60 % 60, all % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::parameters::PARAMETERS;

    fn of(id: &str, x: f64) -> String {
        whole(PARAMETERS.find(id).expect("exists"), Value::Number(Some(x)))
    }

    #[test]
    fn values_have_their_unit_and_the_decimals_that_matter() {
        for (id, x, expected) in [
            ("eq1_freq", 6500.0, "6.50 kHz"),
            ("eq1_freq", 80.0, "80.0 Hz"),
            ("eq1_freq", 250.4, "250 Hz"),
            ("eq1_gain", 3.0, "+3.0 dB"),
            ("eq1_gain", -4.0, "\u{2212}4.0 dB"),
            ("eq1_gain", -0.01, "0.0 dB"),
            ("comp_threshold", -18.0, "\u{2212}18.0 dBFS"),
            ("comp_ratio", 1.5, "1.5:1"),
            ("comp_release", 1500.0, "1.50 s"),
            ("comp_attack", 20.0, "20.0 ms"),
            ("width", 100.0, "100 %"),
            ("eq1_q", 0.71, "0.71"),
            ("eq1_slope", 24.0, "24 dB/oct"),
        ] {
            assert_eq!(of(id, x), expected);
        }
        assert_eq!(whole(PARAMETERS.find("comp_hp").expect("exists"), Value::Number(None)), "Off");
    }

    #[test]
    fn what_is_shown_can_be_typed() {
        for row in PARAMETERS.all() {
            for fraction in [0.0, 0.2, 0.7, 1.0] {
                let value = row.at_fraction(fraction);
                let shown = whole(row, value);
                let read = text::parse(row, &shown).unwrap_or_else(|| panic!("{}: {shown}", row.id));
                assert_eq!(whole(row, read), shown, "{}", row.id);
            }
        }
    }

    #[test]
    fn times_are_minutes_and_seconds() {
        assert_eq!((time(0.0), time(167.9), time(3661.0)), ("0:00".into(), "2:47".into(), "1:01:01".into()));
    }
}
