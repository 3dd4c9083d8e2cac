//! `stems` as people and programs meet it: the built binary, its output, its exit codes and the files it leaves.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]
#![allow(clippy::print_stderr, reason = "a skipped test says why")]

mod cli {
    mod adm;
    mod advise;
    mod album;
    mod ask;
    mod batch;
    mod catalogue;
    mod check;
    mod codec;
    mod contract;
    mod deliver;
    mod faults;
    mod files;
    mod folders;
    mod incoming;
    mod injected;
    mod interruption;
    mod json_page;
    mod limiting;
    mod live;
    mod mastering;
    mod maths;
    mod measuring;
    mod memory;
    mod moves;
    mod organize;
    mod report;
    mod session;
    mod shell_files;
    mod tool;
    mod verify;
    mod versions;
}
