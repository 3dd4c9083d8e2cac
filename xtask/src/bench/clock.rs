//! Cost of a command: CPU time and peak memory of a child process.
//!
//! The kernel keeps these for all children together, so each command runs under a small process of its own, this
//! program again (`xtask clock`), whose only child it is.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// One command with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// Working folder; the command may leave files there.
    pub(crate) folder: PathBuf,
}

impl Task {
    pub(crate) fn new(program: impl Into<PathBuf>, folder: &Path) -> Self {
        Self { program: program.into(), arguments: Vec::new(), folder: folder.to_owned() }
    }

    pub(crate) fn with<S: Into<String>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }
}

/// Cost of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cost {
    /// User and system time of all threads, seconds.
    pub(crate) seconds: f64,
    /// Largest resident set, KiB.
    pub(crate) kib: u64,
    /// Time on the wall, seconds.
    pub(crate) wall: f64,
}

/// Runs a task to its end.
pub(crate) fn time(task: &Task) -> Result<Cost, String> {
    let failed = |why: String| format!("{}: {why}", task.program.display());
    let output = Command::new(std::env::current_exe().map_err(|error| failed(error.to_string()))?)
        .args(["clock", "--"])
        .arg(&task.program)
        .args(&task.arguments)
        .current_dir(&task.folder)
        .stderr(Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(format!("fails ({})", output.status)));
    }
    parse(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| failed("gave no times".into()))
}

fn parse(line: &str) -> Option<Cost> {
    let mut numbers = line.split_whitespace().map(str::parse::<u64>);
    let mut next = || numbers.next()?.ok();
    let (micros, kib, wall) = (next()?, next()?, next()?);
    Some(Cost { seconds: micros as f64 * 1e-6, kib, wall: wall as f64 * 1e-6 })
}

/// `xtask clock -- COMMAND...`: runs it silently, prints the microseconds of CPU, the KiB and the microseconds on the wall that
/// it took, ends as it ended.
#[cfg(unix)]
pub(crate) fn clock(command: &[String]) -> ExitCode {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;
    use std::time::Instant;
    let Some((program, arguments)) = command.split_first() else { return ExitCode::from(2) };
    let start = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let (Ok(status), Ok(usage)) = (status, getrusage(UsageWho::RUSAGE_CHILDREN)) else {
        return ExitCode::from(2);
    };
    let wall = start.elapsed().as_micros();
    let micros = |time: nix::sys::time::TimeVal| time.num_microseconds();
    let cpu = micros(usage.user_time()) + micros(usage.system_time());
    println!("{cpu} {} {wall}", usage.max_rss());
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Only Unix says what a child took.
#[cfg(not(unix))]
pub(crate) fn clock(_: &[String]) -> ExitCode {
    eprintln!("xtask: times of children are known on Unix only");
    ExitCode::from(2)
}

/// A program on PATH.
pub(crate) fn found(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_clock_prints_is_read_back() {
        let cost = Cost { seconds: 1.5, kib: 2048, wall: 0.75 };
        assert_eq!(parse("1500000 2048 750000\n"), Some(cost));
        assert_eq!(parse("1500000 2048"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn programs_are_found_on_path() {
        assert!(found("cargo").is_some());
        assert_eq!(found("no-such-program"), None);
    }
}
