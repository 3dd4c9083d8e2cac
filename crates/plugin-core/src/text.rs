//! Text of parameter values: formatting and parsing.

use chain::parameters::{Parameter, ParameterKind, Value};

/// Formats a value with its unit: `-24.0 dB`, `1.2 kHz`, `3:1`, `Low Shelf`, `On`. Hosts get no unit beside it: the framework
/// would append it in CLAP and leave it out of the texts of VST3.
pub fn text(parameter: &Parameter, value: Value) -> String {
    match (value, parameter.kind) {
        (Value::Switch(on), _) => if on { "On" } else { "Off" }.into(),
        (Value::Number(None), _) => "Off".into(),
        (Value::Number(Some(x)), ParameterKind::Number { unit, .. }) => with_unit(x, unit),
        (Value::Number(Some(x)), _) => number(x),
        (Value::Choice(index), ParameterKind::Choice(choices)) => {
            choices.get(index).copied().unwrap_or_default().into()
        }
        (Value::Choice(_), _) => String::new(),
    }
}

/// Formats a number in `unit`. Levels have a decimal at least, as on every meter.
fn with_unit(x: f64, unit: &str) -> String {
    let text = number(x);
    match unit {
        "" => text,
        ":1" => text + unit,
        // to the hertz, as below 1 kHz a number of four figures is
        "Hz" if x >= 999.95 => format!("{} kHz", trimmed(format!("{:.3}", x / 1000.0))),
        "dB" | "dBFS" | "dBTP" if !text.contains('.') => format!("{text}.0 {unit}"),
        _ => format!("{text} {unit}"),
    }
}

/// Removes trailing zeros behind the decimal point.
fn trimmed(mut text: String) -> String {
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    text
}

/// Formats with up to two decimals, fewer for large numbers, without trailing zeros.
fn number(x: f64) -> String {
    let decimals = match x.abs() {
        x if x >= 1000.0 => 0,
        x if x >= 100.0 => 1,
        _ => 2,
    };
    let text = trimmed(format!("{x:.decimals$}"));
    if text == "-0" { "0".into() } else { text }
}

/// Parses a value with or without unit, ignoring case and spaces: `1.2k`, `1.2 kHz`, `-6`, `−6 dB`, `off`, `50 %`,
/// `3:1`, `low shelf`, `0.2 s`. Numbers are clamped to the range; `None` for any other text.
pub fn parse(parameter: &Parameter, text: &str) -> Option<Value> {
    let text = text.trim().to_lowercase().replace('\u{2212}', "-");
    match parameter.kind {
        ParameterKind::Switch => match text.as_str() {
            "on" | "yes" | "true" | "1" => Some(Value::Switch(true)),
            "off" | "no" | "false" | "0" => Some(Value::Switch(false)),
            _ => None,
        },
        ParameterKind::Choice(_) => parameter.choice(&text).filter(|_| !text.is_empty()),
        ParameterKind::Number { may_be_off: true, .. } if text == "off" => Some(Value::Number(None)),
        ParameterKind::Number { min, max, unit, .. } => {
            let end = text.find(|c: char| !(c.is_ascii_digit() || "+-.,".contains(c))).unwrap_or(text.len());
            let (digits, suffix) = text.split_at(end);
            let x: f64 = match digits.matches([',', '.']).count() {
                0 | 1 => digits.replace(',', ".").parse().ok()?,
                _ => return None,
            };
            let x = x * factor(unit, suffix.trim())?;
            x.is_finite().then(|| Value::Number(Some(x.clamp(min, max))))
        }
    }
}

/// Factor from a number with `suffix` to `unit`; `None` if the suffix does not fit the unit.
fn factor(unit: &str, suffix: &str) -> Option<f64> {
    if suffix.is_empty() || suffix == unit.to_lowercase() {
        return Some(1.0);
    }
    match (unit, suffix) {
        ("Hz", "k" | "khz") => Some(1000.0),
        ("ms", "s" | "sec") => Some(1000.0),
        ("ms", "us" | "\u{b5}s" | "\u{3bc}s") => Some(1e-3),
        ("dB" | "dBFS" | "dBTP" | "dB/oct", "db" | "dbfs" | "dbtp" | "dbr") => Some(1.0),
        ("dB/oct", "/oct") => Some(1.0),
        (":1", ": 1" | ":") => Some(1.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::normalized::value_from_normalized;
    use super::*;
    use chain::parameters::PARAMETERS;
    use proptest::prelude::*;

    fn read(id: &str, text: &str) -> Option<Value> {
        parse(PARAMETERS.find(id).expect("exists"), text)
    }

    fn number(x: f64) -> Option<Value> {
        Some(Value::Number(Some(x)))
    }

    #[test]
    fn values_are_read_with_and_without_units() {
        for (id, text, expected) in [
            ("eq1_freq", "1.2k", 1200.0),
            ("eq1_freq", "1.2 kHz", 1200.0),
            ("eq1_freq", "1,2 KHZ", 1200.0),
            ("eq1_freq", " 440 ", 440.0),
            ("eq1_freq", "440Hz", 440.0),
            ("in_trim", "-6", -6.0),
            ("in_trim", "-6 dB", -6.0),
            ("in_trim", "\u{2212}6dB", -6.0),
            ("in_trim", "+3.5", 3.5),
            ("comp_threshold", "-20 dB", -20.0),
            ("comp_threshold", "-20 dBFS", -20.0),
            ("comp_mix", "50 %", 50.0),
            ("comp_mix", "50%", 50.0),
            ("comp_ratio", "3:1", 3.0),
            ("comp_ratio", "3 : 1", 3.0),
            ("comp_ratio", "3", 3.0),
            ("comp_release", "0.2 s", 200.0),
            ("comp_attack", "500 us", 0.5),
            ("eq1_slope", "24 dB/oct", 24.0),
            ("eq1_q", "0.71", 0.71),
            ("lim_ceiling", "-1 dBTP", -1.0),
            ("in_trim", "1000", 24.0),
        ] {
            let Some(Value::Number(Some(x))) = read(id, text) else { panic!("{id} {text}") };
            assert!((x - expected).abs() < 1e-12, "{id} {text}: {x}");
        }
        assert_eq!(read("mono_below", "off"), Some(Value::Number(None)));
        assert_eq!(read("mono_below", "OFF"), Some(Value::Number(None)));
        assert_eq!(read("eq1_shape", "low shelf"), Some(Value::Choice(1)));
        assert_eq!(read("bypass", "On"), Some(Value::Switch(true)));
        assert_eq!(read("comp_hp", "120 Hz"), number(120.0));
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for (id, text) in [
            ("in_trim", ""),
            ("in_trim", "dB"),
            ("in_trim", "off"),
            ("in_trim", "6 Hz"),
            ("in_trim", "1.2.3"),
            ("in_trim", "--6"),
            ("in_trim", "nan"),
            ("in_trim", "inf"),
            ("comp_attack", "3k"),
            ("eq1_shape", ""),
            ("eq1_shape", "shelf"),
            ("bypass", "perhaps"),
        ] {
            assert_eq!(read(id, text), None, "{id} {text:?}");
        }
    }

    #[test]
    fn text_is_read_back_as_the_same_text() {
        for p in PARAMETERS.all() {
            for i in 0..=2000 {
                let shown = text(p, value_from_normalized(p, i as f32 / 2000.0));
                let again = parse(p, &shown).map(|value| text(p, value));
                assert_eq!(again.as_ref(), Some(&shown), "{}", p.id);
            }
        }
    }

    #[test]
    fn texts_have_the_unit_once() {
        let shown = |id: &str, x: f64| text(PARAMETERS.find(id).expect("exists"), Value::Number(Some(x)));
        for (id, x, expected) in [
            ("in_trim", -24.0, "-24.0 dB"),
            ("in_trim", -0.001, "0.0 dB"),
            ("in_trim", 8.034, "8.03 dB"),
            ("comp_threshold", -20.5, "-20.5 dBFS"),
            ("lim_ceiling", -1.0, "-1.0 dBTP"),
            ("eq1_freq", 1200.0, "1.2 kHz"),
            ("eq1_freq", 13_674.2, "13.674 kHz"),
            ("eq1_freq", 440.0, "440 Hz"),
            ("eq1_freq", 999.96, "1 kHz"),
            ("eq1_freq", 999.94, "999.9 Hz"),
            ("comp_ratio", 3.0, "3:1"),
            ("comp_attack", 12.5, "12.5 ms"),
            ("comp_mix", 50.0, "50 %"),
            ("eq1_slope", 24.0, "24 dB/oct"),
            ("eq1_q", 0.71, "0.71"),
        ] {
            assert_eq!(shown(id, x), expected, "{id} {x}");
        }
        assert_eq!(text(PARAMETERS.find("mono_below").expect("exists"), Value::Number(None)), "Off");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic_and_into_the_range(
            text in "\\PC{0,12}|[-+0-9.,eE ]{0,9}( ?[kKdDbBhHzZmMsS%:]{0,4})", index in 0usize..1000
        ) {
            let all = PARAMETERS.all();
            let p = &all[index % all.len()];
            if let Some(Value::Number(Some(x))) = parse(p, &text) {
                let ParameterKind::Number { min, max, .. } = p.kind else { panic!("a number for {}", p.id) };
                prop_assert!((min..=max).contains(&x), "{} {}", p.id, x);
            }
        }
    }
}
