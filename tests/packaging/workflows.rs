//! The workflows of GitHub against its schema, which the oracle (PyPI check-jsonschema) brings along.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn workflows() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/workflows");
    let entries = fs::read_dir(folder).expect("there are workflows");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// Runs the oracle on `file`; `None` if it is not installed.
fn judge(file: &Path) -> Option<(bool, String)> {
    let oracle = |arguments: &[&str]| {
        let mut command = Command::new("python3");
        command.args(["-m", "check_jsonschema"]).args(arguments);
        command
    };
    let there = oracle(&["--version"]).output().is_ok_and(|out| out.status.success());
    let required = std::env::var("STEMLINK_REQUIRE_ORACLES").as_deref() == Ok("1");
    assert!(there || !required, "check-jsonschema is missing, and STEMLINK_REQUIRE_ORACLES=1");
    if !there {
        eprintln!("skipped: check-jsonschema is not installed; .ci/run does that");
        return None;
    }
    let run = oracle(&["--builtin-schema", "vendor.github-workflows"]).arg(file).output().expect("it runs");
    Some((run.status.success(), String::from_utf8_lossy(&run.stdout).into_owned()))
}

#[test]
fn the_workflows_are_as_their_schema_says() {
    let files = workflows();
    assert_eq!(files.len(), 2);
    for file in files {
        let Some((fine, said)) = judge(&file) else { return };
        assert!(fine, "{}: {said}", file.display());
    }
}

#[test]
fn a_workflow_with_a_misspelt_key_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("broken.yml");
    let text = fs::read_to_string(&workflows()[0]).expect("read").replace("runs-on:", "run-on:");
    fs::write(&broken, text).expect("written");
    let Some((fine, said)) = judge(&broken) else { return };
    assert!(!fine, "{said}");
}

#[test]
fn every_step_that_runs_xtask_calls_a_task_that_there_is() {
    let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("xtask/src/main.rs");
    let tasks = fs::read_to_string(main).expect("read").to_lowercase().replace([' ', '_'], "");
    let mut calls = 0;
    for file in workflows() {
        let text = fs::read_to_string(&file).expect("read");
        for after in text.split("cargo xtask ").skip(1) {
            let task: String = after.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            assert!(
                tasks.contains(&format!("task::{}", task.replace('-', ""))),
                "{}: {task}",
                file.display()
            );
            calls += 1;
        }
    }
    assert!(calls >= 6, "{calls}");
}
