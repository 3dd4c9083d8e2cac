//! Between a host's travel (0 to 1, `f32`) and the chain's values (`f64`, in units).
//!
//! Hosts keep automation and saved state as travel, in single precision. A value read from it is therefore brought
//! to five significant digits (logarithmic controls) or four decimals (all others): coarser than the travel can
//! resolve, finer than anyone can hear. So a typed `1.2k` is 1200 Hz exactly, the same number that a session file
//! holds, and the plugin and the command line compute the same samples.

use chain::parameters::{Parameter, ParameterKind, Skew, Value};

/// The travel of the lowest value that is not "off".
const LEAST: f32 = 1e-6;

/// Steps of a control that has them: choices, or numbers in steps; `None` for continuous ones and switches.
pub fn steps(parameter: &Parameter) -> Option<usize> {
    match parameter.kind {
        ParameterKind::Choice(choices) => Some(choices.len()),
        ParameterKind::Number { min, max, skew: Skew::Steps(size), .. } => {
            Some(((max - min) / size).round() as usize + 1)
        }
        _ => None,
    }
}

/// The value at `travel`. Neither allocates nor formats.
pub fn value_at(parameter: &Parameter, travel: f32) -> Value {
    match (parameter.at_fraction(f64::from(travel)), parameter.kind) {
        (Value::Number(Some(x)), ParameterKind::Number { min, max, skew, .. }) => {
            let tidy = if skew == Skew::Log { five_digits(x) } else { (x * 1e4).round() / 1e4 };
            Value::Number(Some(tidy.clamp(min, max)))
        }
        (value, _) => value,
    }
}

/// The value of step `index`.
pub(crate) fn value_of_step(parameter: &Parameter, index: i32) -> Value {
    let steps = steps(parameter).unwrap_or(1);
    let index = usize::try_from(index).unwrap_or(0).min(steps - 1);
    match parameter.kind {
        ParameterKind::Number { min, skew: Skew::Steps(size), .. } => {
            Value::Number(Some(min + index as f64 * size))
        }
        _ => Value::Choice(index),
    }
}

/// The step nearest to `value`; the inverse of [`value_of_step`].
pub(crate) fn step_of(parameter: &Parameter, value: Value) -> i32 {
    let last = steps(parameter).unwrap_or(1) - 1;
    let index = match (value, parameter.kind) {
        (Value::Choice(index), _) => index,
        (Value::Number(Some(x)), ParameterKind::Number { min, skew: Skew::Steps(size), .. }) => {
            ((x - min) / size).round().max(0.0) as usize
        }
        _ => 0,
    };
    i32::try_from(index.min(last)).unwrap_or(0)
}

/// The travel at which `value` is; values outside the range are at its ends.
pub fn travel_of(parameter: &Parameter, value: Value) -> f32 {
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
    let travel = (fraction as f32).clamp(0.0, 1.0);
    match (value, parameter.kind) {
        (Value::Number(Some(_)), ParameterKind::Number { may_be_off: true, .. }) => travel.max(LEAST),
        _ => travel,
    }
}

/// `x`, positive and below 100 000, to five significant digits: the double nearest to that decimal number.
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
    fn travel_and_value_are_inverse() {
        for p in PARAMETERS.all() {
            for i in 0..=1000 {
                let value = value_at(p, i as f32 / 1000.0);
                assert_eq!(value_at(p, travel_of(p, value)), value, "{}", p.id);
            }
            assert_eq!(value_at(p, travel_of(p, p.default)), p.default, "{}", p.id);
        }
    }

    #[test]
    fn steps_and_values_are_inverse() {
        for p in PARAMETERS.all() {
            for step in 0..steps(p).map_or(0, |steps| steps as i32) {
                assert_eq!(step_of(p, value_of_step(p, step)), step, "{}", p.id);
            }
        }
    }

    #[test]
    fn typed_numbers_are_exact() {
        let check = |id: &str, x: f64| {
            let p = PARAMETERS.find(id).expect("exists");
            assert_eq!(value_at(p, travel_of(p, Value::Number(Some(x)))), Value::Number(Some(x)), "{id} {x}");
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
    fn off_is_at_the_end_of_the_travel_and_nowhere_else() {
        let p = PARAMETERS.find("mono_below").expect("exists");
        assert_eq!(value_at(p, 0.0), Value::Number(None));
        assert_eq!(travel_of(p, Value::Number(None)), 0.0);
        assert_eq!(value_at(p, travel_of(p, Value::Number(Some(20.0)))), Value::Number(Some(20.0)));
    }
}
