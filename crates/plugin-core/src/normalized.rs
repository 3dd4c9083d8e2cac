//! Conversion between a host's normalized values (0 to 1, `f32`) and the chain's values (`f64`, in units).
//!
//! Hosts keep automation and saved state as normalized values in single precision. A converted value is therefore
//! rounded to five significant digits (logarithmic parameters) or four decimals (all others): coarser than `f32`
//! resolves, finer than audible. A typed `1.2k` is 1200 Hz exactly, as in a session file, so that plugin and command
//! line compute the same samples.

use chain::parameters::{Parameter, ParameterKind, Skew, Value};

/// Normalized value of the lowest value that is not "off".
const MIN_NORMALIZED_ON: f32 = 1e-6;

/// Number of steps of a choice or a stepped number; `None` for continuous parameters and switches.
pub fn step_count(parameter: &Parameter) -> Option<usize> {
    match parameter.kind {
        ParameterKind::Choice(choices) => Some(choices.len()),
        ParameterKind::Number { min, max, skew: Skew::Steps(size), .. } => {
            Some(((max - min) / size).round() as usize + 1)
        }
        _ => None,
    }
}

/// Returns the value at `normalized`. Neither allocates nor formats.
pub fn value_from_normalized(parameter: &Parameter, normalized: f32) -> Value {
    match (parameter.at_fraction(f64::from(normalized)), parameter.kind) {
        (Value::Number(Some(x)), ParameterKind::Number { min, max, skew, .. }) => {
            let tidy = if skew == Skew::Log { five_digits(x) } else { (x * 1e4).round() / 1e4 };
            Value::Number(Some(tidy.clamp(min, max)))
        }
        (value, _) => value,
    }
}

/// Returns the value of step `index`.
pub(crate) fn value_from_step(parameter: &Parameter, index: i32) -> Value {
    let step_count = step_count(parameter).unwrap_or(1);
    let index = usize::try_from(index).unwrap_or(0).min(step_count - 1);
    match parameter.kind {
        ParameterKind::Number { min, skew: Skew::Steps(size), .. } => {
            Value::Number(Some(min + index as f64 * size))
        }
        _ => Value::Choice(index),
    }
}

/// Returns the step nearest to `value`; inverse of [`value_from_step`].
pub(crate) fn step_from_value(parameter: &Parameter, value: Value) -> i32 {
    let last = step_count(parameter).unwrap_or(1) - 1;
    let index = match (value, parameter.kind) {
        (Value::Choice(index), _) => index,
        (Value::Number(Some(x)), ParameterKind::Number { min, skew: Skew::Steps(size), .. }) => {
            ((x - min) / size).round().max(0.0) as usize
        }
        _ => 0,
    };
    i32::try_from(index.min(last)).unwrap_or(0)
}

/// Returns the normalized value of `value`, which is clamped to the range.
pub fn normalized_from_value(parameter: &Parameter, value: Value) -> f32 {
    let fraction = match (value, parameter.kind) {
        (Value::Switch(on), _) => f64::from(u8::from(on)),
        (Value::Choice(index), ParameterKind::Choice(choices)) if choices.len() > 1 => {
            index as f64 / (choices.len() - 1) as f64
        }
        (Value::Number(Some(x)), ParameterKind::Number { min, max, skew, .. }) => {
            let x = x.clamp(min, max);
            match skew {
                Skew::Log => (x / min).ln() / (max / min).ln(),
                Skew::Power(power) => ((x - min) / (max - min)).powf(power.recip()),
                Skew::Linear | Skew::Steps(_) => (x - min) / (max - min),
            }
        }
        _ => 0.0,
    };
    let normalized = (fraction as f32).clamp(0.0, 1.0);
    match (value, parameter.kind) {
        (Value::Number(Some(_)), ParameterKind::Number { may_be_off: true, .. }) => {
            normalized.max(MIN_NORMALIZED_ON)
        }
        _ => normalized,
    }
}

/// Rounds `x`, positive and below 100 000, to five significant digits: the double nearest to that decimal number.
fn five_digits(x: f64) -> f64 {
    let mut scale = 1.0;
    while x * scale < 1e4 && scale < 1e9 {
        scale *= 10.0;
    }
    (x * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::parameters::PARAMETERS;

    #[test]
    fn normalized_and_value_are_inverse() {
        for p in PARAMETERS.all() {
            for i in 0..=1000 {
                let value = value_from_normalized(p, i as f32 / 1000.0);
                assert_eq!(value_from_normalized(p, normalized_from_value(p, value)), value, "{}", p.id);
            }
            assert_eq!(value_from_normalized(p, normalized_from_value(p, p.default)), p.default, "{}", p.id);
        }
    }

    #[test]
    fn steps_and_values_are_inverse() {
        for p in PARAMETERS.all() {
            for step in 0..step_count(p).map_or(0, |step_count| step_count as i32) {
                assert_eq!(step_from_value(p, value_from_step(p, step)), step, "{}", p.id);
            }
        }
    }

    #[test]
    fn typed_numbers_are_exact() {
        let check = |id: &str, x: f64| {
            let p = PARAMETERS.find(id).expect("exists");
            assert_eq!(
                value_from_normalized(p, normalized_from_value(p, Value::Number(Some(x)))),
                Value::Number(Some(x)),
                "{id} {x}"
            );
        };
        for x in [10.0, 31.5, 1000.0, 1234.5, 12_345.0, 29_999.0, 30_000.0] {
            check("eq3_freq", x);
        }
        for x in [-24.0, -6.35, 0.0, 0.01, 1.2345, 24.0] {
            check("in_trim", x);
        }
        check("comp_attack", 0.05);
        check("comp_hp", 20.0);
    }

    #[test]
    fn off_is_at_zero_and_nowhere_else() {
        let p = PARAMETERS.find("mono_below").expect("exists");
        assert_eq!(value_from_normalized(p, 0.0), Value::Number(None));
        assert_eq!(normalized_from_value(p, Value::Number(None)), 0.0);
        assert_eq!(
            value_from_normalized(p, normalized_from_value(p, Value::Number(Some(20.0)))),
            Value::Number(Some(20.0))
        );
    }
}
