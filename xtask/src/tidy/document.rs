//! The part of ARCHITECTURE.md that machines read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Finding;

/// The file, from the workspace's folder.
pub(super) const FILE: &str = "ARCHITECTURE.md";

/// What ARCHITECTURE.md declares.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Which modules a module names, straight from the lines `plugin -> editor params`.
    pub(super) arrows: BTreeMap<String, BTreeSet<String>>,
    pub(super) invariants: Invariants,
    /// Rows of the table below the heading "Dependencies": crate, reason, line.
    pub(super) dependencies: Vec<(String, String, usize)>,
    /// Lines that could not be understood.
    pub(super) faults: Vec<Finding>,
}

/// The lines of the block `invariants`.
#[derive(Debug, Default)]
pub(super) struct Invariants {
    /// `only editor: egui`: the modules that may name the crates.
    pub(super) only: Vec<(Vec<String>, Vec<String>)>,
    /// `unsafe: src/dsp/simd.rs`: the files, or folders ending in `/`, that may hold unsafe code.
    pub(super) unsafe_files: Vec<String>,
    /// `pure: dsp`: modules without files, network, threads, clocks and processes.
    pub(super) pure: Vec<String>,
    /// `no-atomics: session`: modules of plain values.
    pub(super) no_atomics: Vec<String>,
    /// `files: link in link/bridge`: the module, and the only parts of it that touch the file system.
    pub(super) files: Vec<(String, Vec<String>)>,
    /// `decibels: src/units.rs`: the only file that converts decibels.
    pub(super) decibels: Option<String>,
    /// `lines: 700`: how long a file may be.
    pub(super) lines: Option<usize>,
}

impl Document {
    /// Reads the file of the workspace at `root`.
    pub(super) fn read(root: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(root.join(FILE)).map_err(|error| format!("{FILE}: {error}"))?;
        Ok(Self::parse(&text))
    }

    /// Understands the text; what it cannot becomes a fault.
    pub(super) fn parse(text: &str) -> Self {
        let mut document = Self::default();
        let mut fence: Option<&str> = None;
        let mut heading = "";
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if let Some(opened) = line.strip_prefix("```") {
                fence = if fence.is_some() { None } else { Some(opened.trim()) };
                continue;
            }
            let understood = match fence {
                Some("arrows") => document.arrow(line),
                Some("invariants") => document.invariant(line),
                Some(_) => Some(()),
                None => {
                    if let Some(title) = line.strip_prefix('#') {
                        heading = title.trim_start_matches('#').trim();
                    } else if heading == "Dependencies" {
                        document.dependency(line, number);
                    }
                    Some(())
                }
            };
            if understood.is_none() && !line.is_empty() {
                document.faults.push(Finding {
                    file: FILE.to_owned(),
                    line: number,
                    rule: "document",
                    cure: format!("`{line}` is no line tidy knows; see xtask/src/tidy/document.rs"),
                });
            }
        }
        document
    }

    /// `plugin -> editor params`
    fn arrow(&mut self, line: &str) -> Option<()> {
        let (from, to) = line.split_once("->")?;
        let from = from.trim();
        if from.is_empty() || from.contains(' ') || to.contains("->") {
            return None;
        }
        self.arrows.entry(from.to_owned()).or_default().extend(words(to));
        Some(())
    }

    fn invariant(&mut self, line: &str) -> Option<()> {
        let (name, rest) = line.split_once(':')?;
        let invariants = &mut self.invariants;
        match name.trim() {
            "unsafe" => invariants.unsafe_files.extend(words(rest)),
            "pure" => invariants.pure.extend(words(rest)),
            "no-atomics" => invariants.no_atomics.extend(words(rest)),
            "files" => {
                let (module, part) = rest.split_once(" in ")?;
                invariants.files.push((module.trim().to_owned(), words(part).collect()));
            }
            "decibels" => invariants.decibels = Some(rest.trim().to_owned()),
            "lines" => invariants.lines = Some(rest.trim().parse().ok()?),
            only => {
                let modules = words(only.strip_prefix("only ")?).collect();
                invariants.only.push((modules, words(rest).collect()));
            }
        }
        Some(())
    }

    /// A row with the crate's name in backticks in its first cell; the header and the rule below it have none.
    fn dependency(&mut self, line: &str, number: usize) {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let (Some(name), Some(reason)) = (cells.next(), cells.next()) else { return };
        if let Some(name) = name.strip_prefix('`').and_then(|name| name.strip_suffix('`')) {
            self.dependencies.push((name.to_owned(), reason.to_owned(), number));
        }
    }

    /// Every module that `from` may use: what it names, and what that may use.
    pub(super) fn may_use(&self, from: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&str> = vec![from];
        while let Some(module) = open.pop() {
            for to in self.arrows.get(module).into_iter().flatten() {
                if reached.insert(to.as_str()) {
                    open.push(to);
                }
            }
        }
        reached
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_reach_what_the_named_may_use() {
        let document = Document::parse("```arrows\nplugin -> chain\nchain -> dsp\ndsp -> units\n```\n");
        assert_eq!(document.may_use("plugin"), BTreeSet::from(["chain", "dsp", "units"]));
        assert_eq!(document.may_use("units"), BTreeSet::new());
    }

    #[test]
    fn a_line_nobody_understands_is_a_fault() {
        let document =
            Document::parse("```arrows\nplugin uses chain\n```\n```invariants\nno-fun: dsp\n```\n");
        let lines: Vec<usize> = document.faults.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [2, 5]);
    }

    #[test]
    fn rows_of_other_tables_are_no_dependencies() {
        let text = "# Code map\n| `a` | x |\n## Dependencies\n| crate | why |\n|---|---|\n| `b` | y |\n# Next\n| `c` | z |";
        assert_eq!(Document::parse(text).dependencies, [("b".to_owned(), "y".to_owned(), 6)]);
    }
}
