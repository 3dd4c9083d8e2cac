//! Holds the code to the invariants of ARCHITECTURE.md and the reasons of docs/dependencies.md.
//!
//! [`document`] reads both, [`source`] reads the code as tokens (so comments and strings do not count),
//! [`invariants`] and [`dependencies`] compare. A finding is one line: place, rule, cure.

mod dependencies;
mod document;
mod invariants;
mod source;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use document::Document;
use source::Source;

/// A breach of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// Path from the workspace's folder.
    file: String,
    /// Counted from 1.
    line: usize,
    rule: &'static str,
    /// The fault and its cure.
    cure: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, rule, cure } = self;
        write!(formatter, "{file}:{line}: {rule}: {cure}")
    }
}

/// Checks the workspace and prints the findings; fails if there is one.
pub(crate) fn run(root: &Path) -> ExitCode {
    match check(root) {
        Ok(findings) if findings.is_empty() => {
            println!("tidy: the code is as its documents say");
            ExitCode::SUCCESS
        }
        Ok(findings) => {
            for finding in &findings {
                println!("{finding}");
            }
            println!("tidy: {} findings", findings.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("tidy: {error}");
            ExitCode::from(2)
        }
    }
}

/// All findings in order of place; the error says what could not be read.
fn check(root: &Path) -> Result<Vec<Finding>, String> {
    let document = Document::read(root)?;
    let sources = source::read_all(root)?;
    let mut findings = document.faults.clone();
    findings.extend(invariants::check(&document, &sources));
    findings.extend(dependencies::check(root, &document)?);
    findings.sort();
    findings.dedup();
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Findings in one planted file under the given ARCHITECTURE.md.
    pub(super) fn findings(document: &str, file: &str, text: &str) -> Vec<String> {
        let document = Document::parse(document, "");
        let sources =
            source::parse_all([(file.to_owned(), text.to_owned())]).expect("the planted file parses");
        let mut findings = document.faults.clone();
        findings.extend(invariants::check(&document, &sources));
        findings.sort();
        findings.into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn the_workspace_is_tidy() {
        let findings = check(&crate::root()).expect("the workspace can be read");
        let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
        assert!(lines.is_empty(), "\n{}", lines.join("\n"));
    }
}
