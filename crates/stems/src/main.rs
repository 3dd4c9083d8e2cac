//! `stems`: Stemlink's sound and its session maths over folders of stems.
//!
//! One file per command; [`args`] says what can be typed, [`output`] how results are shown. Exit codes: 0 done and
//! nothing to report, 1 a check found faults, 2 could not run.

mod adm;
mod album;
mod args;
mod batch;
mod brief;
mod check;
mod codec;
mod common;
mod deliver;
mod demo;
mod init;
mod live;
mod master;
mod measure;
mod organize;
mod output;
mod report;
mod solve;
mod targets;
mod what_if;

use clap::Parser;
use std::process::ExitCode;

/// How a command ended, when it could run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Done, nothing to report: exit code 0.
    Clean,
    /// Done, and there is something wrong with what it was given: exit code 1.
    Faults,
    /// Done in part; what could not be has been shown, a line each: exit code 2.
    Partly,
}

/// A command that could run: how it ended, and with `--json` what it has to say.
struct Done {
    outcome: Outcome,
    json: Option<serde_json::Value>,
}

impl From<Outcome> for Done {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, json: None }
    }
}

/// The result of a command; an error will be shown as one line, exit code 2.
type CommandResult = Result<Done, common::Failure>;

fn main() -> ExitCode {
    common::catch_interrupts();
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    match run(&args) {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Faults) => ExitCode::from(1),
        Ok(Outcome::Partly) => ExitCode::from(2),
        Err(failure) => {
            failure.show();
            ExitCode::from(2)
        }
    }
}

fn run(args: &args::Args) -> Result<Outcome, common::Failure> {
    args.check()?;
    let done = match &args.command {
        args::Command::Demo(a) => demo::run(a, &args.global),
        args::Command::Measure(a) => measure::run(a, &args.global),
        args::Command::Check(a) => check::run(a, &args.global),
        args::Command::Init(a) => init::run(a, &args.global),
        args::Command::WhatIf(a) => what_if::run(a, &args.global),
        args::Command::Solve(a) => solve::run(a, &args.global),
        args::Command::Master(a) => master::run(a, &args.global),
        args::Command::Deliver(a) => deliver::run(a, &args.global),
        args::Command::Batch(a) => batch::run(a, &args.global),
        args::Command::Adm(a) => adm::run(a, &args.global),
        args::Command::Album(a) => album::run(a, &args.global),
        args::Command::Codec(a) => codec::run(a, &args.global),
        args::Command::Report(a) => report::run(a, &args.global),
        args::Command::Brief(a) => brief::run(a, &args.global),
        args::Command::Organize(a) => organize::run(a, &args.global),
        args::Command::Live(a) => live::run(a, &args.global),
        args::Command::Targets(a) => targets::run(a, &args.global),
    }?;
    if let Some(json) = done.json {
        output::say!("{json:#}");
    }
    output::written()?;
    Ok(done.outcome)
}

/// Help and version as asked for, else what is wrong with the command line, in one line.
fn usage(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind as Kind;
    if matches!(
        error.kind(),
        Kind::DisplayHelp | Kind::DisplayVersion | Kind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        let _ = error.print(); // a closed pipe has read enough
        return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
    }
    common::Failure::new(args::complaint(error)).show();
    ExitCode::from(2)
}
