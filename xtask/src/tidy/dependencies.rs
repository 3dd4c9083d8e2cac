//! Every dependency has an exact version, and a row with its reason in docs/dependencies.md.

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};

use super::Finding;
use super::document::{Document, REASONS};

/// A dependency as a manifest names it.
#[derive(Debug)]
struct Dependency {
    name: String,
    manifest: String,
    line: usize,
    /// Exact, taken over from the workspace, or one of our own packages.
    pinned: bool,
    ours: bool,
}

/// Dependencies without a row, rows without a dependency or reason, versions that are not exact.
pub(super) fn check(root: &Path, document: &Document) -> Result<Vec<Finding>, String> {
    let mut manifests = vec!["Cargo.toml".to_owned()];
    let text = read(root, &manifests[0])?;
    let workspace: Table = text.parse().map_err(|error| format!("Cargo.toml: {error}"))?;
    let members = workspace.get("workspace").and_then(|table| table.get("members")).and_then(Value::as_array);
    for member in members.into_iter().flatten().filter_map(Value::as_str) {
        match member.strip_suffix("/*") {
            Some(folder) => manifests.extend(below(root, folder)?),
            None => manifests.push(format!("{member}/Cargo.toml")),
        }
    }
    let mut dependencies = Vec::new();
    for manifest in manifests {
        dependencies.extend(named(&manifest, &read(root, &manifest)?)?);
    }
    Ok(compare(document, &dependencies))
}

/// Manifests of all packages in `folder`, sorted.
fn below(root: &Path, folder: &str) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(root.join(folder)).map_err(|error| format!("{folder}: {error}"))?;
    let names =
        entries.flatten().map(|entry| format!("{folder}/{}/Cargo.toml", entry.file_name().to_string_lossy()));
    let mut manifests: Vec<String> = names.filter(|manifest| root.join(manifest).is_file()).collect();
    manifests.sort();
    Ok(manifests)
}

fn read(root: &Path, manifest: &str) -> Result<String, String> {
    std::fs::read_to_string(root.join(manifest)).map_err(|error| format!("{manifest}: {error}"))
}

fn compare(document: &Document, dependencies: &[Dependency]) -> Vec<Finding> {
    let rows: BTreeSet<&str> = document.dependencies.iter().map(|(name, ..)| name.as_str()).collect();
    let names: BTreeSet<&str> =
        dependencies.iter().filter(|found| !found.ours).map(|found| found.name.as_str()).collect();
    let mut findings = Vec::new();
    let mut find = |file: &str, line, cure| {
        findings.push(Finding { file: file.to_owned(), line, rule: "dependencies", cure });
    };
    for found in dependencies.iter().filter(|found| !found.ours) {
        let name = &found.name;
        if !rows.contains(name.as_str()) {
            let cure = format!("`{name}` has no row in {REASONS}; say there why it is needed");
            find(&found.manifest, found.line, cure);
        }
        if !found.pinned {
            find(&found.manifest, found.line, format!("`{name}` needs an exact version: \"=x.y.z\""));
        }
    }
    for (name, reason, line) in &document.dependencies {
        if !names.contains(name.as_str()) {
            find(REASONS, *line, format!("no manifest names `{name}`; remove the row"));
        }
        if reason.is_empty() {
            find(REASONS, *line, format!("`{name}` has no reason; say why it is needed"));
        }
    }
    findings
}

/// All dependencies of one manifest, whatever their kind and target.
fn named(manifest: &str, text: &str) -> Result<Vec<Dependency>, String> {
    let table: Table = text.parse().map_err(|error| format!("{manifest}: {error}"))?;
    let mut found = Vec::new();
    sections(&table, &mut |name, value| {
        let settings = value.as_table();
        let setting = |key: &str| settings.and_then(|settings| settings.get(key));
        let version = value.as_str().or_else(|| setting("version").and_then(Value::as_str));
        let inherited = setting("workspace").and_then(Value::as_bool) == Some(true);
        // the workspace's own table has the version, or the path of a package of ours
        let ours = inherited || (setting("path").is_some() && version.is_none());
        found.push(Dependency {
            name: setting("package").and_then(Value::as_str).unwrap_or(name).to_owned(),
            manifest: manifest.to_owned(),
            line: line_of(text, name),
            pinned: ours || inherited || version.is_some_and(|version| version.starts_with('=')),
            ours,
        });
    });
    Ok(found)
}

/// Visits the entries of every table of dependencies, at any depth (`target.'cfg(unix)'.dependencies`).
fn sections(table: &Table, visit: &mut impl FnMut(&str, &Value)) {
    for (key, value) in table {
        let Some(inner) = value.as_table() else { continue };
        if matches!(key.as_str(), "dependencies" | "dev-dependencies" | "build-dependencies") {
            for (name, value) in inner {
                visit(name, value);
            }
        } else if matches!(key.as_str(), "target" | "workspace") || key.starts_with("cfg(") {
            sections(inner, visit);
        }
    }
}

/// The line that starts with the dependency's name; 1 if it is written in an unusual way.
fn line_of(text: &str, name: &str) -> usize {
    let starts = |line: &str| {
        let rest = line.trim_start().strip_prefix(name)?;
        rest.trim_start().starts_with(['=', '.']).then_some(())
    };
    text.lines().position(|line| starts(line).is_some()).map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(rows: &str, manifest: &str) -> Vec<String> {
        let document = Document::parse("", rows);
        let dependencies = named("Cargo.toml", manifest).expect("the manifest parses");
        compare(&document, &dependencies).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_dependency_with_row_reason_and_exact_version_is_fine() {
        assert!(findings("| `biquad` | filters |", "[dependencies]\nbiquad = \"=0.6.0\"").is_empty());
        let own = "[dependencies]\nstemlink = { path = \"..\" }\nbiquad = { workspace = true }";
        assert!(findings("", own).is_empty(), "the workspace's own table has version and reason");
    }

    #[test]
    fn a_dependency_without_a_row_is_found_in_every_table() {
        for table in
            ["dependencies", "dev-dependencies", "target.'cfg(unix)'.dependencies", "workspace.dependencies"]
        {
            let found = findings("", &format!("[{table}]\nbiquad = {{ version = \"=0.6.0\" }}"));
            assert_eq!(found.len(), 1, "{table}");
            assert!(found[0].starts_with("Cargo.toml:2: dependencies: `biquad` has no row"), "{found:?}");
        }
    }

    #[test]
    fn a_row_without_a_dependency_or_a_reason_is_found() {
        assert!(findings("| `biquad` | filters |", "")[0].contains("remove the row"));
        assert!(findings("| `biquad` | |", "[dependencies]\nbiquad = \"=0.6.0\"")[0].contains("no reason"));
    }

    #[test]
    fn a_version_that_floats_is_found() {
        for version in ["\"0.6.0\"", "{ version = \"^0.6\" }", "{ git = \"somewhere\" }"] {
            let found = findings("| `biquad` | filters |", &format!("[dependencies]\nbiquad = {version}"));
            assert_eq!(found.len(), 1, "{version}");
            assert!(found[0].contains("exact version"), "{found:?}");
        }
    }
}
