//! Stems of a session and their settings, as records know them.

use units::Db;

/// Identity of a Stem, for the life of its project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StemId(pub u64);

/// Settings of a Stem, as far as records depend on them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StemSetting {
    /// Counter of changes of its chain, the level excepted.
    pub revision: u64,
    /// Last gain of its chain, trims included: records are rescaled exactly when it changes.
    pub level: Db,
}

/// Stem of the present set.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SessionMember {
    /// Identity of the Stem.
    pub id: StemId,
    /// Present settings.
    pub setting: StemSetting,
}

/// Stem inside another one: metered, and part of the mix only through that one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NestedMember {
    /// The stem and its present settings.
    pub member: SessionMember,
    /// The stem whose bus contains it: one of the sum, or a nested one.
    pub inside: StemId,
}
