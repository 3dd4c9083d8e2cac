//! Values of the core that files name by their ids.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use chain::LatencyClass;
use session::role::Role;
use session::target::SourceStatus;

/// A type of which each value has a name in files.
pub(super) trait HasId: Copy + 'static {
    /// Every value, in the order in which they are listed.
    const VALUES: &'static [Self];

    /// The name.
    fn id(self) -> &'static str;
}

impl HasId for LatencyClass {
    const VALUES: &'static [Self] = &Self::ALL;

    fn id(self) -> &'static str {
        Self::id(self)
    }
}

impl HasId for Role {
    const VALUES: &'static [Self] = &Self::ALL;

    fn id(self) -> &'static str {
        Self::id(self)
    }
}

impl HasId for SourceStatus {
    const VALUES: &'static [Self] =
        &[Self::Verified, Self::SecondHand, Self::General, Self::Unverified, Self::User];

    fn id(self) -> &'static str {
        self.word()
    }
}

/// A value that is written as its id.
#[derive(Clone, Copy)]
pub(super) struct ById<T>(pub(super) T);

impl<'de, T: HasId> Deserialize<'de> for ById<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let value = T::VALUES.iter().copied().find(|value| value.id() == text);
        value.map(Self).ok_or_else(|| {
            let known: Vec<String> = T::VALUES.iter().map(|value| format!("`{}`", value.id())).collect();
            D::Error::custom(format!("unknown variant `{text}`, expected one of {}", known.join(", ")))
        })
    }
}
