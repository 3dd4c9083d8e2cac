//! `cargo xtask budget`: instructions per stereo frame, held to a budget.
//!
//! Times swing with the machine; what valgrind's callgrind counts is the same on every run of the same binary. It runs
//! AVX2 and hides AVX-512, so on x86-64 the count is that of the AVX2 kernels.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::bench::clock::{Task, found};
use crate::bench::{build, build_frames, excerpts, target};

/// Instruction count of one piece of work, held to a budget.
struct Budget {
    what: &'static str,
    work: Counted,
    /// The goal of the design.
    goal: Option<u64>,
    /// Limit that CI holds: the goal where it is met, else today's count, so that it only improves.
    held: u64,
}

enum Counted {
    /// `stems measure` on a programme.
    Measure,
    /// A unit of `xtask/frames`.
    Unit(&'static str),
}

static BUDGETS: [Budget; 9] = [
    Budget { what: "`stems measure`", work: Counted::Measure, goal: Some(50), held: 50 },
    Budget { what: "EQ of eight bells", work: Counted::Unit("equalizer"), goal: Some(60), held: 60 },
    Budget { what: "EQ of eight bells that move", work: Counted::Unit("dynamics"), goal: None, held: 930 },
    Budget { what: "compressor", work: Counted::Unit("compressor"), goal: None, held: 73 },
    Budget { what: "limiter, 6 dB of drive", work: Counted::Unit("limiter"), goal: None, held: 195 },
    Budget { what: "neutral Stem chain", work: Counted::Unit("neutral"), goal: None, held: 33 },
    Budget { what: "whole Stem chain", work: Counted::Unit("chain"), goal: Some(300), held: 300 },
    Budget { what: "meters of a plugin", work: Counted::Unit("meter"), goal: None, held: 84 },
    Budget { what: "noise reduction", work: Counted::Unit("denoise"), goal: None, held: 410 },
];

/// Frames of the short and the long run of a unit.
const FRAMES: [u64; 2] = [48_000, 144_000];

/// Counts, prints, and fails if anything exceeds its budget. `whole`: the tool too, which takes a build of its own.
pub(crate) fn run(root: &Path, whole: bool) -> ExitCode {
    let folder = target(root).join("bench");
    let built = build_frames(root).and_then(|()| if whole { build(root, &[]) } else { Ok(()) });
    match built.and_then(|()| count_all(root, &folder, whole)) {
        Ok(Some(counted)) => {
            print!("{}", table(&counted));
            let over = counted.iter().filter(|(budget, counted)| *counted > budget.held as f64);
            let over: Vec<&str> = over.map(|(budget, _)| budget.what).collect();
            if over.is_empty() {
                return ExitCode::SUCCESS;
            }
            eprintln!("xtask: over budget: {}", over.join(", "));
            ExitCode::FAILURE
        }
        Ok(None) if std::env::var_os("STEMLINK_REQUIRE_ORACLES").is_some() => {
            eprintln!("xtask: {MISSING}");
            ExitCode::FAILURE
        }
        Ok(None) => {
            println!("{MISSING}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::from(2)
        }
    }
}

const MISSING: &str =
    "instructions are not counted: valgrind is not here (package valgrind), or this is no x86-64";

/// The table, or why there is none; everything is built.
pub(crate) fn counts(root: &Path, folder: &Path) -> Result<String, String> {
    Ok(count_all(root, folder, true)?.map_or_else(|| format!("{MISSING}\n"), |counted| table(&counted)))
}

fn table(counted: &[(&Budget, f64)]) -> String {
    let mut table = "| per stereo frame | instructions | goal | budget |\n|---|---:|---:|---:|\n".to_owned();
    for (budget, counted) in counted {
        let goal = budget.goal.map_or("-".into(), |goal| format!("≤ {goal}"));
        let _ = writeln!(table, "| {} | {counted:.1} | {goal} | {} |", budget.what, budget.held);
    }
    table
}

/// Instructions per frame of every budget; `None` where they cannot be counted.
fn count_all(root: &Path, folder: &Path, whole: bool) -> Result<Option<Vec<(&'static Budget, f64)>>, String> {
    let Some(valgrind) = found("valgrind").filter(|_| cfg!(target_arch = "x86_64")) else { return Ok(None) };
    let release = target(root).join("release");
    let excerpts = if whole { Some(excerpts(root)?) } else { None };
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let unit = |run: usize, unit: &str| {
        Task::new(release.join("frames"), folder).with([unit.to_owned(), FRAMES[run].to_string()])
    };
    let measure = |(file, _): &(PathBuf, u64)| {
        let file = file.display().to_string();
        Task::new(release.join("stems"), folder).with(["measure".into(), "--quiet".into(), file])
    };
    let mut counted = Vec::new();
    let per_frame = |name: &str| -> Result<f64, String> {
        let more = count(&valgrind, &unit(1, name))? - count(&valgrind, &unit(0, name))?;
        Ok(more as f64 / (FRAMES[1] - FRAMES[0]) as f64)
    };
    let nothing = per_frame("nothing")?;
    for budget in &BUDGETS {
        match (&budget.work, &excerpts) {
            (Counted::Measure, None) => {}
            (Counted::Measure, Some([short, long])) => {
                let more = count(&valgrind, &measure(long))? - count(&valgrind, &measure(short))?;
                counted.push((budget, more as f64 / (long.1 - short.1) as f64));
            }
            (Counted::Unit(name), _) => counted.push((budget, per_frame(name)? - nothing)),
        }
    }
    Ok(Some(counted))
}

/// Instructions of a run.
fn count(valgrind: &Path, task: &Task) -> Result<i64, String> {
    let failed = |why: &str| format!("valgrind {}: {why}", task.program.display());
    let output = Command::new(valgrind)
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(&task.program)
        .args(&task.arguments)
        .current_dir(&task.folder)
        .output()
        .map_err(|error| failed(&error.to_string()))?;
    if !output.status.success() {
        return Err(failed("fails"));
    }
    collected(&String::from_utf8_lossy(&output.stderr)).ok_or_else(|| failed("counts nothing"))
}

/// Reads `==123== Collected : 456`.
fn collected(log: &str) -> Option<i64> {
    log.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found_in_the_log() {
        let log = "==7== Callgrind, a tool\n==7== Events    : Ir\n==7== Collected : 123456\n";
        assert_eq!(collected(log), Some(123_456));
        assert_eq!(collected("==7== nothing"), None);
    }

    #[test]
    fn what_ci_holds_is_never_below_a_goal() {
        assert!(BUDGETS.iter().all(|budget| budget.goal.is_none_or(|goal| budget.held >= goal)));
    }
}
