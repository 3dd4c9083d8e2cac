//! Project chores: `cargo xtask <task>`.

#![allow(clippy::print_stdout, clippy::print_stderr)] // chores talk to the terminal

mod bench;
mod budget;
mod demo_hashes;
mod dist;
mod plugins;
mod steps;
mod tidy;
mod trust;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Project chores.
#[derive(Parser)]
#[command(name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check the invariants of ARCHITECTURE.md, the reasons for dependencies and the first lines of documentation.
    Tidy,
    /// Run everything CI runs, in order, and print the wall time of each step.
    Test {
        /// Also what takes long: whole test matrices, all features linted, the documentation built. Run it before an
        /// issue is called resolved.
        #[arg(long)]
        all: bool,
    },
    /// Time our tools and units beside others' on this machine.
    Bench(bench::Options),
    /// Count instructions per stereo frame under valgrind and hold them to their budgets.
    Budget {
        /// Only the units: the tool takes a build of its own
        #[arg(long)]
        quick: bool,
    },
    /// Run a command silently and print the CPU time (microseconds) and peak memory (KiB) it took.
    #[command(hide = true)]
    Clock {
        /// The command.
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Build the plugins and lay them out as hosts want them, in `target/bundled`; `--debug` for a quick build.
    Bundle {
        /// Passed on to `cargo build`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Bundle and copy to your own CLAP and VST3 folders.
    Install {
        /// Remove them instead.
        #[arg(long)]
        uninstall: bool,
    },
    /// Pack what people install: an archive with bundles, `stems`, licences, presets, man pages and completions, its SHA-256,
    /// and on Debian a package. Needs cargo-about.
    Dist(dist::Options),
    /// Bundle and have clap-validator and pluginval judge, those that are on PATH.
    Validate,
    /// Bundle the plugins and play the demo song through five Stems and a Master in a host without a window: what the
    /// Master sees, a move predicted, made and measured. (`stems demo` shows the command line tool.)
    Demo,
    /// Write the SHA-256 of every audio file of the demo song and its master, to compare systems.
    DemoHashes {
        /// The file to write.
        file: PathBuf,
    },
    /// Measure the sound of units, chain and meters and write docs/sound.md with its plots.
    MeasureSound,
    /// Play sessions through the plugins in a host, with devices between Stems and Master, and hold every prediction
    /// against a render: the table by kind.
    Trust {
        /// Number of sessions.
        #[arg(default_value_t = 20)]
        sessions: u64,
        /// Seed of the first one; the others follow.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Draw the windows for README and docs, without host or display: `docs/*.png`.
    Screenshots,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let root = root();
    match arguments.task {
        Task::Tidy => tidy::run(&root),
        Task::Test { all } => steps::test(&root, all),
        Task::Bench(options) => bench::run(&root, &options),
        Task::Budget { quick } => budget::run(&root, !quick),
        Task::Clock { command } => bench::clock::clock(&command),
        Task::Bundle { arguments } => plugins::bundle(&arguments),
        Task::Install { uninstall } => plugins::install(uninstall),
        Task::Dist(options) => dist::run(&root, &options),
        Task::Validate => plugins::validate(),
        Task::Demo => plugins::demo(&root),
        Task::DemoHashes { file } => plugins::report(demo_hashes::write(&root, &file)),
        Task::MeasureSound => steps::measure_sound(&root),
        Task::Trust { sessions, seed } => trust::run(&root, sessions, seed),
        Task::Screenshots => steps::screenshots(&root),
    }
}

/// The folder of the workspace: that of the cargo that runs us; a binary in a shared build folder may have been built elsewhere.
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).parent().expect("xtask lies inside the workspace").to_owned()
}
