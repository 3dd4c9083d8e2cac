//! Steps of CI, in order.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::bench::page::machine;
use crate::tidy;

/// One command of a run.
struct Step {
    arguments: &'static [&'static str],
    /// Environment on top of our own.
    environment: &'static [(&'static str, &'static str)],
    /// Build of the plugins' library that the command leaves; empty if it leaves none. Cargo has one file for all of
    /// them and does not notice that another build has written it.
    library: &'static str,
    /// Run by `--all` only.
    thorough: bool,
}

impl Step {
    fn line(&self) -> String {
        format!("cargo {}", self.arguments.join(" "))
    }
}

const fn step(arguments: &'static [&'static str]) -> Step {
    Step { arguments, environment: &[], library: "", thorough: false }
}

/// Environment variable that widens what tests run: whole matrices, long material.
const ALL: &str = "STEMLINK_TEST_ALL";

/// Steps before the tests, in order; [`tidy`] follows the first. What is tested is built with the default features, as
/// what is delivered.
const BUILD: &[Step] = &[
    step(&["fmt", "--all", "--check"]),
    step(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    Step {
        thorough: true,
        ..step(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"])
    },
    Step { library: "default", ..step(&["test", "--workspace", "--no-run"]) },
];

/// Tests of all packages but `hosttests`. The test profile keeps debug assertions and overflow checks; a test below holds
/// it to that.
const TESTS: Step = step(&["test", "--workspace", "--exclude", "hosttests", "--no-fail-fast"]);

/// Steps after the tests, in order. The two variants rebuild only the packages that have the
/// feature.
const VARIANTS: &[Step] = &[
    // its panics are wanted: a line each is enough
    Step {
        library: "injected-panic",
        environment: &[("RUST_BACKTRACE", "0")],
        ..step(&["test", "--workspace", "--features", "hosttests/injected-panic", "--test", "panic"])
    },
    Step { library: "alloc-guard", ..step(REALTIME) },
    // frames without debug assertions, on 128 KiB of stack; this profile has a folder of its own
    Step { thorough: true, ..step(&["test", "--profile", "demo", "--workspace", "--test", "stack"]) },
    Step {
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
        thorough: true,
        ..step(&["doc", "--workspace", "--no-deps"])
    },
];

/// Ten minutes of automation in a host that ends at an allocation, a lock or a system call. RTSan, which sees the latter
/// two, comes with the toolchain for some systems; [`sanitizer`] finds it.
const REALTIME: &[&str] =
    &["test", "--workspace", "--features", "hosttests/alloc-guard,hosttests/rtsan", "--test", "realtime"];

/// Environment of [`REALTIME`]: the sanitizer's runtime; empty where there is none, and the test then does without.
fn sanitizer() -> Vec<(&'static str, PathBuf)> {
    let Ok(output) = Command::new("rustc").args(["--print", "target-libdir"]).output() else {
        return Vec::new();
    };
    let Ok(files) = fs::read_dir(String::from_utf8_lossy(&output.stdout).trim()) else { return Vec::new() };
    let runtime = files.filter_map(Result::ok).map(|file| file.path());
    match runtime.into_iter().find(|path| path.to_string_lossy().ends_with("_rt.rtsan.a")) {
        Some(path) => vec![("RTSAN_ENABLE", "1".into()), ("RTSAN_LIB_PATH", path)],
        None => Vec::new(),
    }
}

/// Makes cargo build the plugins' library again if another build of it lies there.
fn make_way(library: &str) -> io::Result<()> {
    let ourselves = std::env::current_exe()?;
    let Some(folder) = ourselves.parent().filter(|_| !library.is_empty()) else { return Ok(()) };
    let (stamp, deps) = (folder.join("stemlink-build"), folder.join("deps"));
    if fs::read_to_string(&stamp).is_ok_and(|last| last == library) {
        return Ok(());
    }
    let file = format!("{}stemlink{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    match fs::remove_file(deps.join(file)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::write(stamp, library),
    }
}

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

/// Results of a run so far.
#[derive(Debug, Default)]
struct Outcome {
    totals: Totals,
    /// Lines of the test harness on failed tests, from `failures:` to the result, in order.
    failures: Vec<String>,
    /// The commands that failed, and how.
    stopped: Vec<String>,
    inside: bool,
    /// Wall time of each step.
    times: Vec<(String, Duration)>,
}

impl Outcome {
    /// Runs a step, noting its time and its failure.
    fn timed(&mut self, name: &str, step: impl FnOnce(&mut Self) -> Result<(), String>) {
        let start = Instant::now();
        if let Err(why) = step(self) {
            println!("\nxtask: failed: {why}");
            self.stopped.push(why);
        }
        self.times.push((name.to_owned(), start.elapsed()));
    }

    /// Takes in a line of a command's standard output.
    fn read(&mut self, line: &str) {
        self.inside = (self.inside || line == "failures:") && !line.starts_with("test result: ");
        if self.inside {
            self.failures.push(line.to_owned());
        }
        self.totals += Totals::of(line);
    }
}

/// Runs every step, also after one that fails: a run tells all there is to mend. Prints the wall time of each; its last
/// lines are the failed tests once more, the failed commands, the times and the sum of all tests.
pub(crate) fn test(root: &Path, all: bool) -> ExitCode {
    let mut outcome = Outcome::default();
    for step in BUILD.iter().filter(|step| all || !step.thorough) {
        outcome.timed(&step.line(), |outcome| run(root, step, all, outcome));
        if step.arguments[0] == "fmt" {
            outcome.timed("cargo xtask tidy", |_| succeeds("cargo xtask tidy", || tidy::run(root)));
        }
    }
    outcome.timed("tests and budgets", |outcome| run_tests(root, all, outcome));
    for step in VARIANTS.iter().filter(|step| all || !step.thorough) {
        outcome.timed(&step.line(), |outcome| run(root, step, all, outcome));
    }
    println!();
    outcome.failures.iter().for_each(|line| println!("{line}"));
    outcome.stopped.iter().for_each(|why| println!("xtask: failed: {why}"));
    for (name, time) in &outcome.times {
        println!("{:6.0} s  {name}", time.as_secs_f64());
    }
    println!("{} passed, {} failed", outcome.totals.passed, outcome.totals.failed);
    if outcome.stopped.is_empty() && outcome.totals.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs a chore of ours as a step.
fn succeeds(name: &str, chore: impl FnOnce() -> ExitCode) -> Result<(), String> {
    println!("\n$ {name}");
    if chore() == ExitCode::SUCCESS { Ok(()) } else { Err(name.to_owned()) }
}

/// Integration test of `hosttests` that takes as long as all others of it.
const LONGEST: &str = "link";

/// Runs all tests, and beside them what mostly waits or has one thread: the tests of `hosttests`, which play sessions in real
/// time, in two rows, and the count of instructions, which a busy machine does not change. Selected by name within the
/// workspace, tests need no second build: features are those of the whole workspace.
fn run_tests(root: &Path, all: bool, outcome: &mut Outcome) -> Result<(), String> {
    let names = test_names(&root.join("hosttests/tests")).map_err(|error| format!("hosttests: {error}"))?;
    let (longest, others): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| name == LONGEST);
    let mut budget = vec!["xtask".to_owned(), "budget".to_owned()];
    budget.extend((!all).then(|| "--quick".to_owned()));
    let beside = [row(longest), row(others), budget];
    std::thread::scope(|scope| {
        let start =
            |arguments: &Vec<String>| cargo(root).args(arguments).envs(all.then_some((ALL, "1"))).output();
        let started = beside.each_ref().map(|arguments| scope.spawn(move || start(arguments)));
        let mut failures: Vec<String> = run(root, &TESTS, all, outcome).err().into_iter().collect();
        for (arguments, output) in beside.iter().zip(started) {
            let line = format!("cargo {}", arguments.join(" "));
            println!("\n$ {line}");
            match output.join() {
                Ok(Ok(output)) => {
                    eprint!("{}", String::from_utf8_lossy(&output.stderr));
                    for text in String::from_utf8_lossy(&output.stdout).lines() {
                        println!("{text}");
                        outcome.read(text);
                    }
                    failures.extend((!output.status.success()).then(|| format!("{line}: {}", output.status)));
                }
                Ok(Err(error)) => failures.push(format!("{line}: {error}")),
                Err(_) => failures.push(format!("{line}: could not be watched")),
            }
        }
        if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
    })
}

/// Arguments of cargo that run these integration tests.
fn row(names: Vec<String>) -> Vec<String> {
    let tests = names.into_iter().flat_map(|name| ["--test".to_owned(), name]);
    ["test", "--workspace", "--no-fail-fast"].map(String::from).into_iter().chain(tests).collect()
}

/// Names of the integration tests in `folder`, sorted.
fn test_names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// Runs one cargo command, passing its output on and reading it.
fn run(root: &Path, step: &Step, all: bool, outcome: &mut Outcome) -> Result<(), String> {
    let mut line = step.line();
    for (name, value) in step.environment {
        line = format!("{name}={value:?} {line}");
    }
    println!("\n$ {line}");
    let failed = |why: String| format!("{line}: {why}");
    make_way(step.library).map_err(|error| failed(error.to_string()))?;
    let realtime = if step.arguments == REALTIME { sanitizer() } else { Vec::new() };
    let mut child = cargo(root)
        .args(step.arguments)
        .envs(step.environment.iter().copied())
        .envs(all.then_some((ALL, "1")))
        .envs(realtime)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(output) = child.stdout.take() {
        for bytes in BufReader::new(output).split(b'\n') {
            // tests may print anything, not only UTF-8
            let bytes = bytes.map_err(|error| failed(error.to_string()))?;
            let text = String::from_utf8_lossy(&bytes);
            println!("{text}");
            outcome.read(&text);
        }
    }
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    if status.success() { Ok(()) } else { Err(failed(status.to_string())) }
}

/// Draws the pictures of the documentation.
pub(crate) fn screenshots(root: &Path) -> ExitCode {
    writes(cargo(root).args([
        "test",
        "-p",
        "viewtests",
        "--test",
        "pictures",
        "--",
        "--ignored",
        "screenshots",
    ]))
}

/// Writes docs/sound.md from the figures that `tests/sound` measures.
pub(crate) fn measure_sound(root: &Path) -> ExitCode {
    let test = ["test", "-p", "stemlink", "--test", "sound", "--", "--ignored", "--exact", "page::page"];
    writes(cargo(root).args(test).env("STEMLINK_WRITE_SOUND", machine()))
}

/// Runs a test that writes documentation.
fn writes(test: &mut Command) -> ExitCode {
    match test.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo: {error}");
            ExitCode::from(2)
        }
    }
}

/// The cargo that runs us, in the workspace's folder.
pub(crate) fn cargo(root: &Path) -> Command {
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
    fn failed_tests_are_said_once_more_at_the_end() {
        let mut outcome = Outcome::default();
        for line in [
            "running 2 tests",
            "failures:",
            "---- a stdout ----",
            "left: 1",
            "test result: FAILED. 1 passed; 1 failed;",
        ] {
            outcome.read(line);
        }
        outcome.read("running 0 tests");
        assert_eq!(outcome.failures, ["failures:", "---- a stdout ----", "left: 1"]);
        assert_eq!(outcome.totals, Totals { passed: 1, failed: 1 });
    }

    #[test]
    fn tests_are_built_with_debug_assertions_and_overflow_checks() {
        assert!(std::panic::catch_unwind(|| debug_assert!(black_box(false))).is_err());
        let overflow = std::panic::catch_unwind(|| black_box(255u8) + black_box(1));
        assert!(overflow.is_err());
    }
}
