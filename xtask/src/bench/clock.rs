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
    let (micros, kib) = line.trim().split_once(' ')?;
    Some(Cost { seconds: micros.parse::<u64>().ok()? as f64 * 1e-6, kib: kib.parse().ok()? })
}

/// `xtask clock -- COMMAND...`: runs it silently, prints the microseconds and KiB it took, ends as it ended.
#[cfg(unix)]
pub(crate) fn clock(command: &[String]) -> ExitCode {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;
    let Some((program, arguments)) = command.split_first() else { return ExitCode::from(2) };
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let (Ok(status), Ok(usage)) = (status, getrusage(UsageWho::RUSAGE_CHILDREN)) else {
        return ExitCode::from(2);
    };
    let micros = |time: nix::sys::time::TimeVal| time.num_microseconds();
    println!("{} {}", micros(usage.user_time()) + micros(usage.system_time()), usage.max_rss());
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
        assert_eq!(parse("1500000 2048\n"), Some(Cost { seconds: 1.5, kib: 2048 }));
        assert_eq!(parse("1500000"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn programs_are_found_on_path() {
        assert!(found("cargo").is_some());
        assert_eq!(found("no-such-program"), None);
    }
}
