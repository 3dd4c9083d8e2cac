//! Holds the code to what ARCHITECTURE.md says about it.
//!
//! [`document`] reads the fenced blocks `arrows` and `invariants` and the table of dependencies, [`source`] reads
//! the code as tokens (so comments and strings do not count), [`arrows`], [`invariants`] and [`dependencies`]
//! compare. A finding is one line: place, rule, cure.

mod arrows;
mod dependencies;
mod document;
mod invariants;
mod source;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use document::Document;
use source::Source;

/// Something that is not as ARCHITECTURE.md says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// Path from the workspace's folder.
    file: String,
    /// Counted from 1.
    line: usize,
    rule: &'static str,
    /// What is wrong and what to do.
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
            println!("tidy: the code is as ARCHITECTURE.md says");
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
    findings.extend(arrows::check(&document, &sources));
    findings.extend(invariants::check(&document, &sources));
    findings.extend(dependencies::check(root, &document)?);
    findings.sort();
    findings.dedup();
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The findings on one planted file under the given ARCHITECTURE.md, without the dependency table.
    pub(super) fn findings(document: &str, file: &str, text: &str) -> Vec<String> {
        let document = Document::parse(document);
        let sources =
            source::parse_all([(file.to_owned(), text.to_owned())]).expect("the planted file parses");
        let mut findings = document.faults.clone();
        findings.extend(arrows::check(&document, &sources));
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
