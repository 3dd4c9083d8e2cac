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
mod failure;
mod init;
mod limiting;
mod live;
mod master;
mod measure;
mod organize;
mod outcome;
mod output;
mod report;
mod shell_files;
mod solve;
mod targets;
mod verify;
mod what_if;

use clap::Parser;
use std::process::ExitCode;

use crate::failure::Failure;
use crate::outcome::Outcome;

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
            failure.print();
            ExitCode::from(2)
        }
    }
}

fn run(args: &args::Args) -> Result<Outcome, Failure> {
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
        args::Command::Verify(a) => verify::run(a, &args.global),
        args::Command::Batch(a) => batch::run(a, &args.global),
        args::Command::Adm(a) => adm::run(a, &args.global),
        args::Command::Limiting(a) => limiting::run(a, &args.global),
        args::Command::Album(a) => album::run(a, &args.global),
        args::Command::Codec(a) => codec::run(a, &args.global),
        args::Command::Report(a) => report::run(a, &args.global),
        args::Command::Brief(a) => brief::run(a, &args.global),
        args::Command::Organize(a) => organize::run(a, &args.global),
        args::Command::Live(a) => live::run(a, &args.global),
        args::Command::Targets(a) => targets::run(a, &args.global),
        args::Command::Completions(a) => shell_files::completions(a, &args.global),
        args::Command::Man(a) => shell_files::man(a, &args.global),
    }?;
    if let Some(json) = done.json {
        output::say!("{json:#}");
    }
    output::written()?;
    Ok(if failure::has_faults() { done.outcome.worse(Outcome::Faults) } else { done.outcome })
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
    Failure::new(args::fault_line(error)).print();
    ExitCode::from(2)
}
