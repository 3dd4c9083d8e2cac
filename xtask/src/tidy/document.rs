//! The parts of the documents that machines read: the invariants of ARCHITECTURE.md, the reasons of docs/dependencies.md.

use std::path::Path;

use super::Finding;

/// Document with the block `invariants`, from the workspace's folder.
pub(super) const INVARIANTS: &str = "ARCHITECTURE.md";
/// Document with the table of dependencies.
pub(super) const REASONS: &str = "docs/dependencies.md";

/// Rules that the documents declare.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) invariants: Invariants,
    /// Rows of the table: crate, reason, line.
    pub(super) dependencies: Vec<(String, String, usize)>,
    /// Lines that could not be understood.
    pub(super) faults: Vec<Finding>,
}

/// The lines of the block `invariants`.
#[derive(Debug, Default)]
pub(super) struct Invariants {
    /// `unsafe: crates/simd/src/x86.rs`: the files, or folders ending in `/`, that may hold unsafe code.
    pub(super) unsafe_files: Vec<String>,
    /// `pure: dsp`: crates without files, network, threads, clocks and processes.
    pub(super) pure: Vec<String>,
    /// `no-atomics: session`: crates of plain values.
    pub(super) no_atomics: Vec<String>,
    /// `files: link in link/ipc`: the crate, and the only parts of it that touch the file system.
    pub(super) files: Vec<(String, Vec<String>)>,
    /// `decibels: crates/units/src/lib.rs`: the only file that converts decibels.
    pub(super) decibels: Option<String>,
    /// `lines: 700`: length of the longest file.
    pub(super) lines: Option<usize>,
}

impl Document {
    /// Reads both documents of the workspace at `root`.
    pub(super) fn read(root: &Path) -> Result<Self, String> {
        let text =
            |file: &str| std::fs::read_to_string(root.join(file)).map_err(|error| format!("{file}: {error}"));
        Ok(Self::parse(&text(INVARIANTS)?, &text(REASONS)?))
    }

    /// Parses the texts; a line of `invariants` that is unknown becomes a fault.
    pub(super) fn parse(invariants: &str, reasons: &str) -> Self {
        let mut document = Self::default();
        let mut fence: Option<&str> = None;
        for (number, line) in (1..).zip(invariants.lines()) {
            let line = line.trim();
            if let Some(opened) = line.strip_prefix("```") {
                fence = if fence.is_some() { None } else { Some(opened.trim()) };
            } else if fence == Some("invariants") && !line.is_empty() && document.invariant(line).is_none() {
                document.faults.push(Finding {
                    file: INVARIANTS.to_owned(),
                    line: number,
                    rule: "document",
                    cure: format!("`{line}` is no line tidy knows; see xtask/src/tidy/document.rs"),
                });
            }
        }
        for (number, line) in (1..).zip(reasons.lines()) {
            document.dependency(line.trim(), number);
        }
        document
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
            _ => return None,
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
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_line_is_a_fault() {
        let document = Document::parse("```invariants\npure: dsp\nno-fun: dsp\n```\n", "");
        let lines: Vec<usize> = document.faults.iter().map(|fault| fault.line).collect();
        assert_eq!((lines, document.invariants.pure), (vec![3], vec!["dsp".to_owned()]));
    }

    #[test]
    fn rows_without_a_name_in_backticks_are_no_dependencies() {
        let text = "| crate | why |\n|---|---|\n| `b` | y |\n";
        assert_eq!(Document::parse("", text).dependencies, [("b".to_owned(), "y".to_owned(), 3)]);
    }
}
