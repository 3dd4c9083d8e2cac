//! Host parameters, each made of one row of the chain's parameter table.

use super::normalized::{
    normalized_from_value, step_count, step_from_value, value_from_normalized, value_from_step,
};
use super::text::{parse, text};
use chain::parameters::{Parameter, ParameterKind, Value};
use nice_plug::prelude::{BoolParam, FloatParam, FloatRange, IntParam, IntRange, Param};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counter of parameter changes by any thread, so that `process` reads the parameters only when it has moved.
#[derive(Clone, Debug, Default)]
pub struct Changes(Arc<AtomicU64>);

impl Changes {
    /// Returns the number of changes.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Counts one change.
    pub(crate) fn add(&self) {
        // Release: a reader of the new count sees the new value
        self.0.fetch_add(1, Ordering::Release);
    }
}

/// Host parameter of one row of the table.
pub trait Control: Param + 'static {
    /// Creates the parameter; its changes are counted in `changes`.
    fn make(parameter: &'static Parameter, changes: &Changes) -> Self;

    /// Returns the current value with the host's modulation. Neither allocates nor formats.
    fn value(&self, parameter: &Parameter) -> Value;

    /// Converts `value` to the parameter's plain value.
    fn plain(parameter: &Parameter, value: Value) -> Self::Plain;

    /// Returns true if this kind of parameter can represent the row.
    fn fits(parameter: &Parameter) -> bool;
}

/// Returns the name with its group, for a host's flat list: "Compressor On", not "On".
pub fn full_name(parameter: &Parameter) -> String {
    let Parameter { group, name, .. } = parameter;
    match group.as_str() {
        "Input" | "Width" | "Output" => name.clone(),
        _ => format!("{group} {name}"),
    }
}

/// Returns the name in a host's list. Hosts show a choice of two as a bare switch, so the name says what *on* means: "Compressor
/// Detector RMS".
pub fn host_name(parameter: &Parameter) -> String {
    match parameter.kind {
        ParameterKind::Choice([_, on]) => format!("{} {on}", full_name(parameter)),
        _ => full_name(parameter),
    }
}

impl Control for BoolParam {
    fn make(parameter: &'static Parameter, changes: &Changes) -> Self {
        let changes = changes.clone();
        let control = Self::new(host_name(parameter), Self::plain(parameter, parameter.default))
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
            host_name(parameter),
            step_from_value(parameter, parameter.default),
            IntRange::Linear { min: 0, max },
        )
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
        // the plain value is the normalized one: the table converts, alike for host, window and file
        let range = FloatRange::Linear { min: 0.0, max: 1.0 };
        Self::new(host_name(parameter), normalized_from_value(parameter, parameter.default), range)
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
