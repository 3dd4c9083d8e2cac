//! The block `invariants`, rule by rule.

use super::document::{Document, FILE, Invariants};
use super::source::Name;
use super::{Finding, Source};

/// What of `std` reaches outside the program.
const OUTSIDE: [&str; 7] = ["env", "fs", "io", "net", "process", "thread", "time"];

/// Every breach of an invariant.
pub(super) fn check(document: &Document, sources: &[Source]) -> Vec<Finding> {
    let rules = [only, unsafe_files, pure, no_atomics, files, decibels, lines];
    sources
        .iter()
        .flat_map(|source| rules.iter().flat_map(|rule| rule(&document.invariants, source)))
        .collect()
}

fn finding(source: &Source, line: usize, rule: &'static str, cure: String) -> Finding {
    Finding { file: source.file.clone(), line, rule, cure }
}

/// Paths of others: crates and `std`.
fn foreign(source: &Source) -> impl Iterator<Item = &Name> {
    source.names.iter().filter(|name| !name.ours)
}

/// `std::fs::read` starts with `["std", "fs"]`.
fn of_std(name: &Name, modules: &[&str]) -> bool {
    matches!(name.path.as_slice(), [root, module, ..] if (root == "std" || root == "core") && modules.contains(&module.as_str()))
}

fn only(invariants: &Invariants, source: &Source) -> Vec<Finding> {
    let Some(top) = source.top() else { return Vec::new() };
    let mut findings = Vec::new();
    for (modules, crates) in &invariants.only {
        if modules.iter().any(|module| module == top) {
            continue;
        }
        for name in foreign(source).filter(|name| crates.contains(&name.path[0])) {
            let who = modules.join(", ");
            let cure = format!("only {who} may name `{}`; pass plain values instead", name.path[0]);
            findings.push(finding(source, name.line, "only", cure));
        }
    }
    findings
}

fn unsafe_files(invariants: &Invariants, source: &Source) -> Vec<Finding> {
    let allowed = invariants.unsafe_files.iter().any(|place| {
        source.file == *place || (place.ends_with('/') && source.file.starts_with(place.as_str()))
    });
    if allowed {
        return Vec::new();
    }
    let cure = format!(
        "unsafe code lives in the files that {FILE} lists; write it safely, or list it with a reason"
    );
    source.unsafe_lines.iter().map(|&line| finding(source, line, "unsafe", cure.clone())).collect()
}

fn pure(invariants: &Invariants, source: &Source) -> Vec<Finding> {
    let Some(top) = source.top().filter(|top| invariants.pure.iter().any(|module| module == top)) else {
        return Vec::new();
    };
    let clock = |name: &Name| name.path.iter().any(|segment| segment == "Instant" || segment == "SystemTime");
    foreign(source)
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
    let Some(top) = source.top().filter(|top| invariants.no_atomics.iter().any(|module| module == top))
    else {
        return Vec::new();
    };
    let shared = |segment: &String| {
        segment == "atomic" || (segment.starts_with("Atomic") && segment.len() > "Atomic".len())
    };
    foreign(source)
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
            for name in foreign(source).filter(|name| of_std(name, &["fs"])) {
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

#[cfg(test)]
mod tests {
    use super::super::tests::findings;

    /// The findings under one invariant, without arrows to obey.
    fn under(invariant: &str, file: &str, text: &str) -> Vec<String> {
        let modules = "plugin -> editor params link session dsp units bin/stems";
        findings(&format!("```arrows\n{modules}\n```\n```invariants\n{invariant}\n```"), file, text)
    }

    #[test]
    fn a_host_name_outside_the_shells_is_found() {
        let rule = "only plugin params editor: nice_plug";
        let found = under(rule, "src/dsp.rs", "\nuse nice_plug::prelude::*;");
        assert_eq!(
            found,
            [
                "src/dsp.rs:2: only: only plugin, params, editor may name `nice_plug`; pass plain values instead"
            ]
        );
        assert!(under(rule, "src/plugin/stem.rs", "use nice_plug::prelude::*;").is_empty());
    }

    #[test]
    fn a_window_outside_the_editor_is_found() {
        let rule = "only editor: egui nice_plug_egui";
        assert_eq!(under(rule, "src/params.rs", "fn f(ui: &mut egui::Ui) {}").len(), 1);
        assert_eq!(under(rule, "src/plugin.rs", "use nice_plug_egui::egui;").len(), 1);
        assert!(under(rule, "src/editor/views.rs", "fn f(ui: &mut egui::Ui) {}").is_empty());
    }

    #[test]
    fn unsafe_code_outside_the_list_is_found_in_tests_too() {
        let rule = "unsafe: src/dsp/simd.rs src/dsp/lanes/";
        assert_eq!(under(rule, "src/dsp.rs", "fn f() { unsafe { g() } }").len(), 1);
        assert_eq!(under(rule, "src/dsp.rs", "#[cfg(test)] mod tests { #![allow(unsafe_code)] }").len(), 1);
        assert_eq!(under(rule, "tests/core.rs", "unsafe impl Send for A {}").len(), 1);
        assert!(under(rule, "src/dsp/simd.rs", "unsafe fn f() {}").is_empty());
        assert!(under(rule, "src/dsp/lanes/avx.rs", "unsafe fn f() {}").is_empty());
        assert!(under(rule, "src/dsp.rs", "// unsafe\nconst A: &str = \"unsafe\";").is_empty());
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
            assert_eq!(under(rule, "src/session/gram.rs", text).len(), 1, "{text}");
        }
        assert!(under(rule, "src/session.rs", "use std::collections::BTreeMap;").is_empty());
        assert!(under(rule, "src/session.rs", "#[cfg(test)]\nmod tests { use std::fs; }").is_empty());
        assert!(under(rule, "src/link.rs", "use std::time::Instant;").is_empty());
    }

    #[test]
    fn an_atomic_in_the_session_is_found() {
        let rule = "no-atomics: session";
        assert_eq!(under(rule, "src/session.rs", "use std::sync::atomic::AtomicU64;").len(), 1);
        assert_eq!(under(rule, "src/session.rs", "struct A(AtomicBool);").len(), 1);
        assert!(under(rule, "src/link.rs", "use std::sync::atomic::AtomicU64;").is_empty());
    }

    #[test]
    fn files_outside_the_bridge_are_found() {
        let rule = "files: link in link/bridge";
        assert_eq!(under(rule, "src/link/slot.rs", "use std::fs::File;").len(), 1);
        assert!(under(rule, "src/link/bridge.rs", "use std::fs::File;").is_empty());
        assert!(under(rule, "src/link/bridge/chunk.rs", "use std::fs::File;").is_empty());
        assert_eq!(under(rule, "src/link/bridges.rs", "use std::fs::File;").len(), 1);
        let two = "files: link in link/bridge link/slot";
        assert!(under(two, "src/link/slot.rs", "use std::fs::File;").is_empty());
        assert_eq!(under(two, "src/link/ring.rs", "use std::fs::File;").len(), 1);
    }

    #[test]
    fn decibels_by_hand_are_found() {
        let rule = "decibels: src/units.rs";
        for text in [
            "fn f(x: f64) -> f64 { 10f64.powf(x / 20.0) }",
            "fn f(x: f64) -> f64 { 10.0_f64.powf(x) }",
            "fn f(x: f64) -> f64 { (10.0f64).powf(x) }",
            "fn f(x: f64) -> f64 { f64::powf(10.0, x) }",
            "fn f(x: f64) -> f64 { 20.0 * x.log10() }",
            "fn f(x: f64) -> f64 { x.ln() / core::f64::consts::LN_10 }",
            "fn f(x: f64) -> f64 { xs.map(f64::log10) }",
        ] {
            assert_eq!(under(rule, "src/dsp/curve.rs", text).len(), 1, "{text}");
            assert!(under(rule, "src/units.rs", text).is_empty());
        }
        assert!(under(rule, "src/dsp/curve.rs", "fn f(x: f64) -> f64 { x.powf(10.0) }").is_empty());
        assert!(
            under(rule, "src/dsp/curve.rs", "#[cfg(test)]\nfn f(x: f64) -> f64 { x.log10() }").is_empty()
        );
    }

    #[test]
    fn a_long_file_is_found() {
        let found = under("lines: 3", "src/dsp.rs", "\n\n\n\n");
        assert_eq!(found, ["src/dsp.rs:4: lines: 4 lines; a file has at most 3: split it by idea"]);
    }
}
