//! Completions and man pages.

use std::fs;
use std::process::Command;

use super::tool::*;

const COMMANDS: [&str; 4] = ["measure", "what-if", "organize", "completions"];

#[test]
fn every_shell_has_completions_that_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = stems(&["completions", shell]);
        assert_eq!(run.code, 0, "{}", run.err);
        for command in COMMANDS {
            assert!(run.out.contains(command), "{shell}: {command}");
        }
        assert!(run.out.contains("targets-file"), "{shell}: options");
    }
    fails(&["completions", "tcsh"], &["tcsh", "bash"]);
    let answer = json(0, &["completions", "bash"]);
    assert_eq!(answer["shell"], "bash");
}

#[test]
fn bash_takes_its_completions() {
    let script = stems(&["completions", "bash"]).out + "\ncomplete -p stems";
    let Ok(run) = Command::new("bash").args(["-n", "-c", &script]).output() else { return };
    assert!(run.status.success() && run.stderr.is_empty(), "{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn each_command_has_a_page_in_the_manual() {
    let folder = temporary();
    let out = folder.path().join("man1");
    let run = stems(&["man", "--out", text(&out)]);
    assert_eq!(run.code, 0, "{}", run.err);
    let files = names(&out);
    assert!(files.contains(&"stems.1".to_owned()) && files.len() > 15, "{files:?}");
    for command in COMMANDS {
        let page = fs::read_to_string(out.join(format!("stems-{command}.1"))).unwrap();
        assert!(
            page.contains(".TH") && page.contains(&format!("stems\\-{}", command.replace('-', "\\-"))),
            "{page}"
        );
    }
    let page = fs::read_to_string(out.join("stems-measure.1")).unwrap();
    assert!(page.contains("dual\\-mono") && page.contains("standard input"), "{page}");
    let first = stems(&["man"]).out;
    assert!(first.starts_with(".ie") || first.contains(".TH stems 1"), "{first}");
    assert!(first.contains("Exit codes"), "{first}");
}
