//! `cargo xtask bench`: what our tools and units cost beside others on this machine, in one run.
//!
//! Every contest is a row: ours, and peers that do the same work on the same files, warm in the cache. All of a row run
//! one after the other, round after round, so that whatever else the machine does meets all alike; of each the round
//! with the least CPU time counts. Ratios are what matters; seconds are of this machine.

pub(crate) mod clock;
mod material;
pub(crate) mod page;
mod rows;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clock::{Cost, Task, found, time};
use rows::{Contestant, Row, Work};

/// The documentation page that `--write` writes.
pub(crate) const PAGE: &str = "docs/performance.md";

/// Options of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Rounds of each contest.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only contests with this in their name.
    #[arg(long, default_value = "")]
    only: String,
    /// Write the table to docs/performance.md.
    #[arg(long, conflicts_with = "only")]
    write: bool,
}

/// Programs and material that all comparisons need.
struct Bench {
    /// `target/bench`: the audio, the C programs, whatever contestants leave behind.
    folder: PathBuf,
    stems: PathBuf,
    frames: PathBuf,
    peer_ebur128: PathBuf,
    render: PathBuf,
    material: material::Material,
}

/// A contestant's best.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Best {
    /// CPU seconds of the work; of a [`Work::Wall`], seconds on the wall; of a [`Work::PerFrame`], nanoseconds of a stereo
    /// frame.
    time: f64,
    /// Least of its peaks of memory, KiB.
    kib: u64,
}

/// A row with figures; `None` for who is not here.
struct Outcome {
    row: Row,
    ours: Option<Best>,
    peers: Vec<Option<Best>>,
}

/// Runs all contests and prints the table.
pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    match contests(root, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::from(2)
        }
    }
}

fn contests(root: &Path, options: &Options) -> Result<(), String> {
    let bench = Bench::prepare(root)?;
    let mut outcomes = Vec::new();
    for row in rows::all(&bench).into_iter().filter(|row| row.what.contains(&options.only)) {
        eprintln!("{}", row.what);
        outcomes.push(contest(row, options.rounds)?);
    }
    let table = page::table(&outcomes);
    println!("{table}\n{}", page::missing(&outcomes));
    let counts = crate::budget::counts(root, &bench.folder)?;
    println!("{counts}");
    if options.write {
        let text = page::page(&outcomes, &counts, options.rounds);
        let file = root.join(PAGE);
        std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

/// Lets all of a row run, round after round.
fn contest(row: Row, rounds: usize) -> Result<Outcome, String> {
    let present: Vec<Option<&Work>> =
        [&row.ours].into_iter().chain(&row.peers).map(|contestant| contestant.work.as_ref()).collect();
    if present.iter().flatten().count() < 2 {
        // nobody to compare with: still worth a figure, if ours is there
        eprintln!("  no peer is here");
    }
    let mut best: Vec<Option<Best>> = vec![None; present.len()];
    for _ in 0..rounds {
        for (work, best) in present.iter().zip(&mut best) {
            let Some(work) = work else { continue };
            let now = work.measure()?;
            let so_far = best.unwrap_or(now);
            *best = Some(Best { time: so_far.time.min(now.time), kib: so_far.kib.min(now.kib) });
        }
    }
    let mut best = best.into_iter();
    let ours = best.next().flatten();
    Ok(Outcome { ours, peers: best.collect(), row })
}

impl Work {
    fn measure(&self) -> Result<Best, String> {
        let best = |cost: Cost| Best { time: cost.seconds, kib: cost.kib };
        match self {
            Self::Once(task) => time(task).map(best),
            Self::Wall(tasks) => tasks.iter().try_fold(Best { time: 0.0, kib: 0 }, |sum, task| {
                let cost = time(task)?;
                Ok(Best { time: sum.time + cost.wall, kib: sum.kib.max(cost.kib) })
            }),
            Self::Given(time) => Ok(Best { time: *time, kib: 0 }),
            Self::PerFrame { short, long, frames } => {
                let (short, long) = (time(short)?, time(long)?);
                Ok(Best { time: (long.seconds - short.seconds) * 1e9 / *frames as f64, kib: long.kib })
            }
        }
    }
}

impl Bench {
    fn prepare(root: &Path) -> Result<Self, String> {
        build(root, &["peer_ebur128", "render"])?;
        build_frames(root)?;
        let release = target(root).join("release");
        let folder = target(root).join("bench");
        let stems = release.join("stems");
        let material = material::make(&stems, &folder)?;
        Ok(Self {
            frames: release.join("frames"),
            peer_ebur128: release.join("examples/peer_ebur128"),
            render: release.join("examples/render"),
            stems,
            folder,
            material,
        })
    }

    /// A C program compiled on the spot, if the library is here.
    fn compiled(&self, name: &str, source: &str, libraries: &[&str]) -> Option<PathBuf> {
        let (program, file) = (self.folder.join(name), self.folder.join(format!("{name}.c")));
        std::fs::write(&file, source).ok()?;
        let compiler = found("cc")?;
        let status = Command::new(compiler)
            .args(["-O2", "-o"])
            .args([&program, &file])
            .args(libraries)
            .stderr(std::process::Stdio::null())
            .status()
            .ok()?;
        status.success().then_some(program)
    }
}

/// Builds the tool and `examples` of the crate `render`, optimized.
pub(crate) fn build(root: &Path, examples: &[&str]) -> Result<(), String> {
    let mut arguments = vec!["--package", "stems", "--package", "render", "--bin", "stems"];
    arguments.extend(examples.iter().flat_map(|example| ["--example", example]));
    build_release(root, &arguments)
}

/// Builds `frames`, which needs little beside the units that it runs.
pub(crate) fn build_frames(root: &Path) -> Result<(), String> {
    build_release(root, &["--package", "frames"])
}

fn build_release(root: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut cargo = crate::steps::cargo(root);
    let build = cargo.args(["build", "--quiet", "--release"]).args(arguments);
    let status = build.status().map_err(|error| format!("cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("cargo build fails".into()) }
}

/// Two lengths of the same programme with their frames: what is counted is the difference. The tool is built.
pub(crate) fn excerpts(root: &Path) -> Result<[(PathBuf, u64); 2], String> {
    let target = target(root);
    material::excerpts(&target.join("release/stems"), &target.join("bench"))
}

/// The folder that cargo builds into.
pub(crate) fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// A contestant that is a program on PATH.
fn program(
    name: &'static str,
    program: &str,
    package: &'static str,
    task: impl FnOnce(Task) -> Task,
    folder: &Path,
) -> Contestant {
    let work = found(program).map(|program| Work::Once(task(Task::new(program, folder))));
    Contestant { name: name.into(), package, work, goal: None }
}
