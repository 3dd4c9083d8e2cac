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
pub use testkit::Random;

/// Says that a test is skipped, because `missing`; where all oracles are required, fails.
///
/// # Panics
/// With `STEMLINK_REQUIRE_ORACLES=1`.
#[allow(clippy::print_stderr, reason = "a test that was skipped shows it")]
pub fn skip_or_fail(missing: &str) {
    assert!(
        std::env::var("STEMLINK_REQUIRE_ORACLES").as_deref() != Ok("1"),
        "{missing}, and STEMLINK_REQUIRE_ORACLES=1"
    );
    eprintln!("skipped: {missing}");
}

/// The plugins' ids.
pub const STEM: &str = "org.stemlink.stem";
/// The plugins' ids.
pub const MASTER: &str = "org.stemlink.master";
