//! The trust test in the host, over as many sessions as asked for.

use std::path::Path;
use std::process::ExitCode;

use crate::steps::cargo;

/// Runs `sessions` sessions from `seed` on and prints the table by kind.
pub(crate) fn run(root: &Path, sessions: u64, seed: u64) -> ExitCode {
    let name = "link::trust::what_masters_predict_in_a_host_can_be_trusted";
    let test =
        ["test", "--workspace", "--test", "link", "--", "--exact", name, "--include-ignored", "--nocapture"];
    let numbers = [("STEMLINK_TRUST_SESSIONS", sessions), ("STEMLINK_TRUST_SEED", seed)];
    let numbers = numbers.map(|(name, number)| (name, number.to_string()));
    match cargo(root).args(test).envs(numbers).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo: {error}");
            ExitCode::from(2)
        }
    }
}
