//! The fault of a setting.

/// A setting that cannot be used: its fault and the remedy, a phrase each. The reader of a file adds where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFault {
    /// The fault: `gain cannot be 99`.
    pub fault: String,
    /// The remedy: `it takes -40 to 12 dB`.
    pub remedy: String,
}

impl SettingFault {
    /// A fault with its remedy.
    pub fn new(fault: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { fault: fault.into(), remedy: remedy.into() }
    }

    /// The same fault as one of `subject`: `Drums: gain cannot be 99`.
    pub fn prefixed(self, subject: &str) -> Self {
        Self { fault: format!("{subject}: {}", self.fault), ..self }
    }
}
