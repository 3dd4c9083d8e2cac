//! One host parameter made from one row of the chain's table.

use super::normalized::{
    normalized_from_value, step_count, step_from_value, value_from_normalized, value_from_step,
};
use super::text::{has_unit_in_text, parse, text, unit_suffix};
use chain::parameters::{Parameter, ParameterKind, Value};
use nice_plug::prelude::{BoolParam, FloatParam, FloatRange, IntParam, IntRange, Param};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts changes of parameters, from whatever thread, so that `process` need not look at each.
#[derive(Clone, Debug, Default)]
pub struct Changes(Arc<AtomicU64>);

impl Changes {
    /// Changes so far.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Counts one more.
    pub(crate) fn add(&self) {
        // Release: who sees the new count sees the new value
        self.0.fetch_add(1, Ordering::Release);
    }
}

/// A host parameter that stands for one row of the table.
pub trait Control: Param + 'static {
    /// Makes it; every change of it is counted in `changes`.
    fn make(parameter: &'static Parameter, changes: &Changes) -> Self;

    /// The value now, with a host's modulation. Neither allocates nor formats.
    fn value(&self, parameter: &Parameter) -> Value;

    /// `value` as this parameter's plain value.
    fn plain(parameter: &Parameter, value: Value) -> Self::Plain;

    /// True for rows of the table that this kind of control can stand for.
    fn fits(parameter: &Parameter) -> bool;
}

/// The name in a host's flat list, where "On" alone would not say of what.
pub fn full_name(parameter: &Parameter) -> String {
    let Parameter { group, name, .. } = parameter;
    match group.as_str() {
        "Input" | "Width" | "Output" => name.clone(),
        _ => format!("{group} {name}"),
    }
}

impl Control for BoolParam {
    fn make(parameter: &'static Parameter, changes: &Changes) -> Self {
        let changes = changes.clone();
        let control = Self::new(full_name(parameter), Self::plain(parameter, parameter.default))
            .with_callback(Arc::new(move |_| changes.add()))
            .with_value_to_string(Arc::new(|on| text(parameter, Value::Switch(on))))
            .with_string_to_value(Arc::new(|text| Some(Self::plain(parameter, parse(parameter, text)?))));
        if parameter.id == "bypass" { control.make_bypass() } else { control }
    }

    fn value(&self, _: &Parameter) -> Value {
        Value::Switch(self.value())
    }

    fn plain(_: &Parameter, value: Value) -> bool {
        value == Value::Switch(true)
    }

    fn fits(parameter: &Parameter) -> bool {
        parameter.kind == ParameterKind::Switch
    }
}

impl Control for IntParam {
    fn make(parameter: &'static Parameter, changes: &Changes) -> Self {
        let changes = changes.clone();
        let max = step_count(parameter).unwrap_or(1) as i32 - 1;
        Self::new(
            full_name(parameter),
            step_from_value(parameter, parameter.default),
            IntRange::Linear { min: 0, max },
        )
        .with_unit(unit_suffix(parameter))
        .with_callback(Arc::new(move |_| changes.add()))
        .with_value_to_string(Arc::new(|step| text(parameter, value_from_step(parameter, step))))
        .with_string_to_value(Arc::new(|text| Some(step_from_value(parameter, parse(parameter, text)?))))
    }

    fn value(&self, parameter: &Parameter) -> Value {
        value_from_step(parameter, self.value())
    }

    fn plain(parameter: &Parameter, value: Value) -> i32 {
        step_from_value(parameter, value)
    }

    fn fits(parameter: &Parameter) -> bool {
        step_count(parameter).is_some()
    }
}

impl Control for FloatParam {
    fn make(parameter: &'static Parameter, changes: &Changes) -> Self {
        let changes = changes.clone();
        // The normalized itself: the table knows the way from there, so a host, an editor and a file agree.
        let range = FloatRange::Linear { min: 0.0, max: 1.0 };
        Self::new(full_name(parameter), normalized_from_value(parameter, parameter.default), range)
            .with_unit(if has_unit_in_text(parameter) { "" } else { unit_suffix(parameter) })
            .with_callback(Arc::new(move |_| changes.add()))
            .with_value_to_string(Arc::new(|normalized| {
                text(parameter, value_from_normalized(parameter, normalized))
            }))
            .with_string_to_value(Arc::new(|text| {
                Some(normalized_from_value(parameter, parse(parameter, text)?))
            }))
    }

    fn value(&self, parameter: &Parameter) -> Value {
        value_from_normalized(parameter, self.value())
    }

    fn plain(parameter: &Parameter, value: Value) -> f32 {
        normalized_from_value(parameter, value)
    }

    fn fits(parameter: &Parameter) -> bool {
        matches!(parameter.kind, ParameterKind::Number { .. }) && step_count(parameter).is_none()
    }
}
