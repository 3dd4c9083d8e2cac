//! Programs that tests compare with, where they are installed.

use std::process::Command;

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

/// True if `program` ends well with the arguments `probe`; else the test is to be skipped, which is said.
///
/// # Panics
/// If it does not, with `STEMLINK_REQUIRE_ORACLES=1`.
pub fn is_present(program: &mut Command, probe: &[&str]) -> bool {
    let runs = program.args(probe).output().is_ok_and(|output| output.status.success());
    if !runs {
        let name = program.get_program().to_string_lossy().into_owned();
        skip_or_fail(&format!("{name} {probe:?} does not run, so there is nothing to compare with"));
    }
    runs
}
