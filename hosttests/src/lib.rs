//! A CLAP host, and a smaller one of VST3, both small enough to read, for the tests beside them: they load the library
//! that cargo built with these and do to the plugins what hosts do, the odd things included.

pub mod host;
mod noise;
pub mod reference;
#[cfg(unix)]
pub mod viewer;

pub use host::{
    Call, Change, Event, Library, Player, Plugin, Row, Status, Vst3, edited, with_noise, with_references,
    without_identity,
};
pub use noise::noise;
pub use testkit::{Random, skip_or_fail};

/// The plugins' ids.
pub const STEM: &str = "org.stemlink.stem";
/// The plugins' ids.
pub const MASTER: &str = "org.stemlink.master";
