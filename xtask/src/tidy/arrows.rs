//! A module uses what it names in the block `arrows`, and what that may use.

use std::collections::BTreeSet;

use super::document::{Document, FILE};
use super::{Finding, Source};

/// Every path that goes against the arrows, and every module without a line.
pub(super) fn check(document: &Document, sources: &[Source]) -> Vec<Finding> {
    let known: BTreeSet<&str> =
        document.arrows.iter().flat_map(|(from, to)| to.iter().chain([from])).map(String::as_str).collect();
    let modules: BTreeSet<&str> = sources.iter().filter_map(Source::top).collect();
    let mut findings = Vec::new();
    for source in sources {
        let Some(from) = source.top() else { continue };
        if !known.contains(from) {
            findings.push(Finding {
                file: source.file.clone(),
                line: 1,
                rule: "arrows",
                cure: format!("`{from}` has no line in {FILE}; say there what it may use"),
            });
            continue;
        }
        let allowed = document.may_use(from);
        for name in source.names.iter().filter(|name| name.ours) {
            let Some(to) = name.path.first().map(String::as_str) else { continue };
            let is_module = known.contains(to) || modules.contains(to);
            if is_module && to != from && !allowed.contains(to) {
                findings.push(Finding {
                    file: source.file.clone(),
                    line: name.line,
                    rule: "arrows",
                    cure: format!(
                        "`{from}` may not use `{to}`; move the code, or argue for an arrow in {FILE}"
                    ),
                });
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tests::findings;

    const ARROWS: &str = "```arrows\nplugin -> chain\nbin/stems -> chain\nchain -> dsp\ndsp -> units\n```";

    #[test]
    fn an_arrow_against_the_stream_is_found() {
        let found = findings(ARROWS, "src/dsp/trim.rs", "\nuse crate::chain::Chain;");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("src/dsp/trim.rs:2: arrows: `dsp` may not use `chain`"), "{found:?}");
    }

    #[test]
    fn tools_reach_the_library_by_its_name() {
        assert!(findings(ARROWS, "src/bin/stems/main.rs", "use stemlink::dsp::Block;").is_empty());
        assert_eq!(findings(ARROWS, "src/bin/stems/main.rs", "use stemlink::plugin::Stem;").len(), 1);
    }

    #[test]
    fn what_the_named_may_use_is_allowed() {
        assert!(findings(ARROWS, "src/plugin.rs", "use crate::{chain::Chain, units::Db};").is_empty());
    }

    #[test]
    fn a_module_without_a_line_is_found() {
        let found = findings(ARROWS, "src/magic.rs", "");
        assert!(found[0].contains("`magic` has no line"), "{found:?}");
    }
}
