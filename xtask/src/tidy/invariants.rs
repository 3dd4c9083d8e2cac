//! The block `invariants`, rule by rule.

use super::document::{Document, INVARIANTS, Invariants};
use super::source::Name;
use super::{Finding, Source};

/// Modules of `std` that reach outside the program.
const OUTSIDE: [&str; 7] = ["env", "fs", "io", "net", "process", "thread", "time"];

/// Every breach of an invariant.
pub(super) fn check(document: &Document, sources: &[Source]) -> Vec<Finding> {
    let rules = [unsafe_files, pure, no_atomics, files, decibels, lines, words];
    sources
        .iter()
        .flat_map(|source| rules.iter().flat_map(|rule| rule(&document.invariants, source)))
        .collect()
}

fn finding(source: &Source, line: usize, rule: &'static str, cure: String) -> Finding {
    Finding { file: source.file.clone(), line, rule, cure }
}

/// `std::fs::read` starts with `["std", "fs"]`.
fn of_std(name: &Name, modules: &[&str]) -> bool {
    matches!(name.path.as_slice(), [root, module, ..] if (root == "std" || root == "core") && modules.contains(&module.as_str()))
}

fn unsafe_files(invariants: &Invariants, source: &Source) -> Vec<Finding> {
    let allowed = invariants.unsafe_files.iter().any(|place| {
        source.file == *place || (place.ends_with('/') && source.file.starts_with(place.as_str()))
    });
    if allowed {
        return Vec::new();
    }
    let cure = format!(
        "unsafe code lives in the files that {INVARIANTS} lists; write it safely, or list it with a reason"
    );
    source.unsafe_lines.iter().map(|&line| finding(source, line, "unsafe", cure.clone())).collect()
}

fn pure(invariants: &Invariants, source: &Source) -> Vec<Finding> {
    let Some(top) = source.package().filter(|top| invariants.pure.iter().any(|module| module == top)) else {
        return Vec::new();
    };
    let clock = |name: &Name| name.path.iter().any(|segment| segment == "Instant" || segment == "SystemTime");
    source
        .names
        .iter()
        .filter(|name| of_std(name, &OUTSIDE) || clock(name))
        .map(|name| {
            let cure = format!(
                "`{top}` knows no file, clock or thread, but names `{}`; let the caller do it",
                name.path.join("::")
            );
            finding(source, name.line, "pure", cure)
        })
        .collect()
}

fn no_atomics(invariants: &Invariants, source: &Source) -> Vec<Finding> {
    let Some(top) = source.package().filter(|top| invariants.no_atomics.iter().any(|module| module == top))
    else {
        return Vec::new();
    };
    let shared = |segment: &String| {
        segment == "atomic" || (segment.starts_with("Atomic") && segment.len() > "Atomic".len())
    };
    source
        .names
        .iter()
        .filter(|name| name.path.iter().any(shared))
        .map(|name| {
            let cure = format!("`{top}` holds plain values; share them in `link`");
            finding(source, name.line, "no-atomics", cure)
        })
        .collect()
}

fn files(invariants: &Invariants, source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (module, parts) in &invariants.files {
        if source.lies_in(module) && !parts.iter().any(|part| source.lies_in(part)) {
            for name in source.names.iter().filter(|name| of_std(name, &["fs"])) {
                let part = parts.join("`, `");
                let cure = format!("in `{module}` only `{part}` touches the file system; move it there");
                findings.push(finding(source, name.line, "files", cure));
            }
        }
    }
    findings
}

fn decibels(invariants: &Invariants, source: &Source) -> Vec<Finding> {
    let Some(home) = &invariants.decibels else { return Vec::new() };
    if source.module.is_none() || source.file == *home {
        return Vec::new();
    }
    let cure = format!("decibels are converted in {home} only; use Db, Lufs, Power or Dbtp");
    source.decibel_lines.iter().map(|&line| finding(source, line, "decibels", cure.clone())).collect()
}

fn lines(invariants: &Invariants, source: &Source) -> Vec<Finding> {
    match invariants.lines {
        Some(most) if source.lines > most => {
            let cure = format!("{} lines; a file has at most {most}: split it by idea", source.lines);
            vec![finding(source, most + 1, "lines", cure)]
        }
        _ => Vec::new(),
    }
}

/// First words that make a doc line a riddle: a clause instead of a noun phrase or a verb.
const CLAUSES: [&str; 9] = ["What", "Where", "How", "Who", "Whom", "Whose", "Whether", "Whatever", "Whoever"];

fn words(_: &Invariants, source: &Source) -> Vec<Finding> {
    let first = |text: &str| text.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_owned();
    let clauses = source.doc_lines.iter().filter(|(_, text)| CLAUSES.contains(&first(text).as_str()));
    clauses
        .map(|&(line, ref text)| {
            let cure = format!("a doc line starts with a noun phrase or a verb, not with `{}`", first(text));
            finding(source, line, "words", cure)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::findings;

    /// Findings in one planted file under one invariant.
    fn under(invariant: &str, file: &str, text: &str) -> Vec<String> {
        findings(&format!("```invariants\n{invariant}\n```"), file, text)
    }

    #[test]
    fn a_doc_line_that_is_a_clause_is_found() {
        let text = "//! Trim of a channel.\n\n/// What is trimmed.\n/// How it is.\npub struct Trim;\n";
        let found = under("", "crates/dsp/src/trim.rs", text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("crates/dsp/src/trim.rs:3: words: "), "{found:?}");
        assert!(under("", "tests/docs.rs", "/// Whatever.\nfn f() {}").len() == 1);
        assert!(
            under("", "crates/dsp/src/trim.rs", "/// Whichever gain is lower, in dB.\nfn f() {}").is_empty()
        );
    }

    #[test]
    fn unsafe_code_outside_the_list_is_found_in_tests_too() {
        let rule = "unsafe: crates/simd/src/x86.rs crates/simd/src/lanes/";
        assert_eq!(under(rule, "crates/dsp/src/lib.rs", "fn f() { unsafe { g() } }").len(), 1);
        assert_eq!(
            under(rule, "crates/dsp/src/lib.rs", "#[cfg(test)] mod tests { #![allow(unsafe_code)] }").len(),
            1
        );
        assert_eq!(under(rule, "tests/core.rs", "unsafe impl Send for A {}").len(), 1);
        assert!(under(rule, "crates/simd/src/x86.rs", "unsafe fn f() {}").is_empty());
        assert!(under(rule, "crates/simd/src/lanes/avx.rs", "unsafe fn f() {}").is_empty());
        assert!(under(rule, "crates/dsp/src/lib.rs", "// unsafe\nconst A: &str = \"unsafe\";").is_empty());
    }

    #[test]
    fn the_outside_world_in_the_core_is_found() {
        let rule = "pure: units dsp session";
        for text in [
            "use std::fs;",
            "use std::{collections::BTreeMap, thread::spawn};",
            "fn f() { std::process::exit(1) }",
            "use std::io::Write;",
            "fn f(now: Instant) {}",
            "use std::net::TcpStream;",
            "type T = std::time::SystemTime;",
        ] {
            assert_eq!(under(rule, "crates/session/src/gram.rs", text).len(), 1, "{text}");
        }
        assert!(under(rule, "crates/session/src/lib.rs", "use std::collections::BTreeMap;").is_empty());
        assert!(
            under(rule, "crates/session/src/lib.rs", "#[cfg(test)]\nmod tests { use std::fs; }").is_empty()
        );
        assert!(under(rule, "crates/link/src/lib.rs", "use std::time::Instant;").is_empty());
    }

    #[test]
    fn an_atomic_in_the_session_is_found() {
        let rule = "no-atomics: session";
        assert_eq!(under(rule, "crates/session/src/lib.rs", "use std::sync::atomic::AtomicU64;").len(), 1);
        assert_eq!(under(rule, "crates/session/src/lib.rs", "struct A(AtomicBool);").len(), 1);
        assert!(under(rule, "crates/link/src/lib.rs", "use std::sync::atomic::AtomicU64;").is_empty());
    }

    #[test]
    fn files_outside_the_part_are_found() {
        let rule = "files: link in link/ipc";
        assert_eq!(under(rule, "crates/link/src/slot.rs", "use std::fs::File;").len(), 1);
        assert!(under(rule, "crates/link/src/ipc.rs", "use std::fs::File;").is_empty());
        assert!(under(rule, "crates/link/src/ipc/chunk.rs", "use std::fs::File;").is_empty());
        assert_eq!(under(rule, "crates/link/src/ipcs.rs", "use std::fs::File;").len(), 1);
        let two = "files: link in link/ipc link/slot";
        assert!(under(two, "crates/link/src/slot.rs", "use std::fs::File;").is_empty());
        assert_eq!(under(two, "crates/link/src/ring.rs", "use std::fs::File;").len(), 1);
    }

    #[test]
    fn decibels_by_hand_are_found() {
        let rule = "decibels: crates/units/src/lib.rs";
        for text in [
            "fn f(x: f64) -> f64 { 10f64.powf(x / 20.0) }",
            "fn f(x: f64) -> f64 { 10.0_f64.powf(x) }",
            "fn f(x: f64) -> f64 { (10.0f64).powf(x) }",
            "fn f(x: f64) -> f64 { f64::powf(10.0, x) }",
            "fn f(x: f64) -> f64 { 20.0 * x.log10() }",
            "fn f(x: f64) -> f64 { x.ln() / core::f64::consts::LN_10 }",
            "fn f(x: f64) -> f64 { xs.map(f64::log10) }",
        ] {
            assert_eq!(under(rule, "crates/dsp/src/curve.rs", text).len(), 1, "{text}");
            assert!(under(rule, "crates/units/src/lib.rs", text).is_empty());
        }
        assert!(under(rule, "crates/dsp/src/curve.rs", "fn f(x: f64) -> f64 { x.powf(10.0) }").is_empty());
        assert!(
            under(rule, "crates/dsp/src/curve.rs", "#[cfg(test)]\nfn f(x: f64) -> f64 { x.log10() }")
                .is_empty()
        );
    }

    #[test]
    fn a_long_file_is_found() {
        let found = under("lines: 3", "crates/dsp/src/lib.rs", "\n\n\n\n");
        assert_eq!(
            found,
            ["crates/dsp/src/lib.rs:4: lines: 4 lines; a file has at most 3: split it by idea"]
        );
    }
}
