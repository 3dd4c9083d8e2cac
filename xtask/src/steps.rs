//! What CI runs, in order.

use std::io::{BufRead, BufReader};
use std::ops::AddAssign;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use crate::tidy;

/// One command of a run.
struct Step {
    arguments: &'static [&'static str],
    /// Environment on top of our own.
    environment: &'static [(&'static str, &'static str)],
    /// Left out by `--quick`.
    thorough: bool,
}

const fn step(arguments: &'static [&'static str]) -> Step {
    Step { arguments, environment: &[], thorough: false }
}

const fn thorough(arguments: &'static [&'static str]) -> Step {
    Step { arguments, environment: &[], thorough: true }
}

/// Before [`tidy`].
const FORMAT: Step = step(&["fmt", "--all", "--check"]);

/// After [`tidy`]. The test profile keeps debug assertions and overflow checks; a test below holds it to that.
const STEPS: &[Step] = &[
    step(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]),
    thorough(&[
        "clippy",
        "--package",
        "stemlink",
        "--all-targets",
        "--no-default-features",
        "--",
        "-D",
        "warnings",
    ]),
    // the core without any feature: the proof that it knows no host, no file and no window; the EBU matrix, minutes
    // long and the same code, runs once, below
    thorough(&["test", "--package", "stemlink", "--no-default-features", "--lib", "--test", "core"]),
    step(&["test", "--workspace", "--all-features", "--no-fail-fast"]),
    Step {
        arguments: &["doc", "--workspace", "--all-features", "--no-deps"],
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
        thorough: true,
    },
];

/// Tests that ran, summed over all steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    passed: u64,
    failed: u64,
}

impl Totals {
    /// Reads `test result: ok. 3 passed; 0 failed; ...`; other lines are nothing.
    fn of(line: &str) -> Self {
        let Some(result) = line.trim_start().strip_prefix("test result: ") else { return Self::default() };
        let count = |word: &str| {
            let before = result.split([';', '.']).find_map(|part| part.trim().strip_suffix(word))?;
            before.trim().parse::<u64>().ok()
        };
        Self { passed: count("passed").unwrap_or(0), failed: count("failed").unwrap_or(0) }
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs every step up to the first that fails; the last line is the sum of all tests.
pub(crate) fn test(root: &Path, quick: bool) -> ExitCode {
    let mut totals = Totals::default();
    let outcome = all(root, quick, &mut totals);
    if let Err(step) = &outcome {
        println!("\nxtask: stopped at {step}");
    }
    println!("{} passed, {} failed", totals.passed, totals.failed);
    if outcome.is_ok() && totals.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the steps; the error names the one that failed.
fn all(root: &Path, quick: bool, totals: &mut Totals) -> Result<(), String> {
    run(root, &FORMAT, totals)?;
    println!("\n$ cargo xtask tidy");
    if tidy::run(root) != ExitCode::SUCCESS {
        return Err("cargo xtask tidy".to_owned());
    }
    for step in STEPS.iter().filter(|step| !(quick && step.thorough)) {
        run(root, step, totals)?;
    }
    Ok(())
}

/// Runs one cargo command, passing its output on and counting its tests.
fn run(root: &Path, step: &Step, totals: &mut Totals) -> Result<(), String> {
    let mut line = format!("cargo {}", step.arguments.join(" "));
    for (name, value) in step.environment {
        line = format!("{name}={value:?} {line}");
    }
    println!("\n$ {line}");
    let failed = |why: String| format!("{line}: {why}");
    let mut child = cargo(root)
        .args(step.arguments)
        .envs(step.environment.iter().copied())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(output) = child.stdout.take() {
        for bytes in BufReader::new(output).split(b'\n') {
            // tests may print anything, not only UTF-8
            let bytes = bytes.map_err(|error| failed(error.to_string()))?;
            let text = String::from_utf8_lossy(&bytes);
            println!("{text}");
            *totals += Totals::of(&text);
        }
    }
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    if status.success() { Ok(()) } else { Err(failed(status.to_string())) }
}

/// The command line tool alone: the plugins' windows need libraries that a fresh machine lacks, and minutes.
const STEMS: [&str; 9] = [
    "run",
    "--release",
    "--package",
    "stemlink",
    "--no-default-features",
    "--features",
    "cli",
    "--bin",
    "stems",
];

/// Runs the command line tool's demo.
pub(crate) fn demo(root: &Path, arguments: &[String]) -> ExitCode {
    let status = cargo(root).args(STEMS).args(["--", "demo"]).args(arguments).status();
    match status {
        Ok(status) => {
            status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
        }
        Err(error) => {
            eprintln!("cargo: {error}");
            ExitCode::from(2)
        }
    }
}

/// The cargo that runs us, in the workspace's folder.
fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn totals_are_read_from_the_line_cargo_prints() {
        let line =
            "test result: ok. 30 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.5s";
        assert_eq!(Totals::of(line), Totals { passed: 30, failed: 2 });
        let line = "test result: FAILED. 0 passed; 7 failed; 0 ignored";
        assert_eq!(Totals::of(line), Totals { passed: 0, failed: 7 });
        assert_eq!(Totals::of("test passed ... ok"), Totals::default());
    }

    #[test]
    fn tests_are_built_with_debug_assertions_and_overflow_checks() {
        assert!(std::panic::catch_unwind(|| debug_assert!(black_box(false))).is_err());
        let overflow = std::panic::catch_unwind(|| black_box(255u8) + black_box(1));
        assert!(overflow.is_err());
    }
}
