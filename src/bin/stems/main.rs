//! `stems`: Stemlink's sound and its session maths over folders of stems.
//!
//! One file per command; [`args`] says what can be typed, [`output`] how results are shown. Exit codes: 0 done and
//! nothing to report, 1 a check found faults, 2 could not run.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a command line tool talks on both

mod args;
mod check;
mod common;
mod demo;
mod init;
mod master;
mod measure;
mod output;
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
}

/// The result of a command; an error has been or will be shown as one line, exit code 2.
type CommandResult = Result<Outcome, common::Failure>;

fn main() -> ExitCode {
    common::catch_interrupts();
    let args = args::Args::parse();
    let result = match &args.command {
        args::Command::Demo(a) => demo::run(a, &args.global),
        args::Command::Measure(a) => measure::run(a, &args.global),
        args::Command::Check(a) => check::run(a, &args.global),
        args::Command::Init(a) => init::run(a),
        args::Command::WhatIf(a) => what_if::run(a, &args.global),
        args::Command::Solve(a) => solve::run(a, &args.global),
        args::Command::Master(a) => master::run(a, &args.global),
        args::Command::Targets(a) => targets::run(a, &args.global),
    };
    match result {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Faults) => ExitCode::from(1),
        Err(failure) => {
            failure.show();
            ExitCode::from(2)
        }
    }
}
