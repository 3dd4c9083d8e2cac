//! Rig that the tests of every unit share: processing a signal, the contract of a unit, parts that add up.

pub(crate) mod contract;
pub(crate) mod parts;
pub(crate) mod run;
