//! Stems of a session and their settings, as records know them.

use units::Db;

/// Identity of a Stem, for the life of its project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StemId(pub u64);

/// Settings of a Stem, as far as records depend on them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StemSetting {
    /// Counter of changes of its chain, level and trim excepted.
    pub revision: u64,
    /// Level of its chain, which a host may automate: it counts for the hops in which it was heard. `None` if it moved
    /// or is not known.
    pub level: Option<Db>,
    /// Trim on top of the level, set by a person: it counts for the whole song, so records are rescaled when it
    /// changes.
    pub trim: Db,
}

impl Default for StemSetting {
    fn default() -> Self {
        Self { revision: 0, level: Some(Db(0.0)), trim: Db(0.0) }
    }
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
