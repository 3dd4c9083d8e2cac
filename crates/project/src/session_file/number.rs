//! Numbers of a TOML document.

/// The number of a value, whether it is written as an integer or not.
pub(super) fn number(value: &toml::Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|integer| integer as f64))
}
