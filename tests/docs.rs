//! The documentation is held to the code: tables made from the code are as the code says, examples can be read,
//! relative links lead somewhere.
//!
//! `UPDATE_DOCS=1 cargo test --test docs` rewrites the tables.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use chain::parameters::{PARAMETERS, Parameter, ParameterKind, Skew, Value};
use chain::{ChainKind, ChainUnit};
use dsp::equalizer::BANDS;
use session::target::{NormalizationTarget, TargetUse, TurnUpRule, builtin};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text_of(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Asserts that what stands between the marks of `file` is `table`, or puts it there.
fn holds(file: &str, table: &str) {
    const OPEN: &str = "<!-- made by tests/docs.rs -->\n";
    const CLOSE: &str = "<!-- end -->";
    let text = text_of(file);
    let (before, rest) = text.split_once(OPEN).unwrap_or_else(|| panic!("{file}: no line {OPEN}"));
    let (now, after) = rest.split_once(CLOSE).unwrap_or_else(|| panic!("{file}: no line {CLOSE}"));
    if now == table {
        return;
    }
    if std::env::var("UPDATE_DOCS").as_deref() == Ok("1") {
        fs::write(root().join(file), format!("{before}{OPEN}{table}{CLOSE}{after}")).expect("can be written");
        return;
    }
    let mut difference = String::new();
    for line in now.lines().filter(|line| !table.lines().any(|other| other == *line)) {
        let _ = writeln!(difference, "- {line}");
    }
    for line in table.lines().filter(|line| !now.lines().any(|other| other == *line)) {
        let _ = writeln!(difference, "+ {line}");
    }
    panic!("{file} is not as the code says; UPDATE_DOCS=1 cargo test --test docs rewrites it\n{difference}");
}

/// Table of the parameters; the bands of the equalizer, which differ only in their default, are one.
fn parameter_table() -> String {
    let mut table = "| id | name | takes | default | scale |\n|---|---|---|---|---|\n".to_owned();
    let band = |p: &Parameter, n: usize| p.id.strip_prefix(&format!("eq{n}_")).map(str::to_owned);
    let mut group = "";
    for p in PARAMETERS.all() {
        if (2..=BANDS).any(|n| band(p, n).is_some()) {
            continue;
        }
        let of_band = band(p, 1);
        let shown_group = if of_band.is_some() { "EQ N, N = 1 to 8" } else { p.group.as_str() };
        if shown_group != group {
            group = shown_group;
            let _ = writeln!(table, "| **{group}** | | | | |");
        }
        let (id, default) = match of_band {
            None => (p.id.clone(), p.text(p.default)),
            Some(name) => {
                let same: Vec<&Parameter> = (1..=BANDS)
                    .map(|n| PARAMETERS.find(&format!("eq{n}_{name}")).expect("every band has it"))
                    .collect();
                assert!(
                    same.iter().all(|other| other.range() == p.range()),
                    "{name} is the same in all bands"
                );
                let defaults: Vec<String> = same.iter().map(|other| other.text(other.default)).collect();
                let all_one = defaults.iter().all(|other| *other == defaults[0]);
                (format!("eqN_{name}"), if all_one { defaults[0].clone() } else { defaults.join(", ") })
            }
        };
        let scale = match p.kind {
            ParameterKind::Number { skew: Skew::Linear, .. } => "linear".to_owned(),
            ParameterKind::Number { skew: Skew::Log, .. } => "logarithmic".to_owned(),
            ParameterKind::Number { skew: Skew::Power(power), .. } => format!("power {power}"),
            ParameterKind::Number { skew: Skew::Steps(step), .. } => format!("steps of {step}"),
            ParameterKind::Switch | ParameterKind::Choice(_) => String::new(),
        };
        let chain_kind = match p.only {
            None => "",
            Some(ChainKind::Master) => " (Master)",
            Some(ChainKind::Stem) => " (Stem)",
        };
        let _ = writeln!(table, "| `{id}` | {}{chain_kind} | {} | {default} | {scale} |", p.name, p.range());
    }
    table
}

#[test]
fn the_table_of_parameters_is_that_of_the_code() {
    holds("docs/parameters.md", &parameter_table());
}

#[test]
fn every_default_is_within_its_range() {
    for p in PARAMETERS.all() {
        if let (ParameterKind::Number { min, max, .. }, Value::Number(Some(x))) = (p.kind, p.default) {
            assert!((min..=max).contains(&x), "{}", p.id);
        }
    }
}

fn turns_up(target: &NormalizationTarget) -> String {
    match target.usage {
        TargetUse::Delivery { tolerance: Some(t) } => format!("delivery, ±{} LU", t.0),
        TargetUse::Delivery { tolerance: None } => "delivery, a maximum".into(),
        TargetUse::AsDelivered => "does not normalize".into(),
        TargetUse::Playback { turns_up } => match turns_up {
            TurnUpRule::No => "no".into(),
            TurnUpRule::Unknown => "not published".into(),
            TurnUpRule::ToPeak(peak) => format!("until the true peak is {} dBTP", peak.0),
            TurnUpRule::PeakRuleUnknown => "yes; peak rule not published".into(),
            TurnUpRule::IgnoringPeaks => "yes, with a limiter".into(),
        },
    }
}

/// A source as a link where it is an address and nothing else.
fn linked(source: &str) -> String {
    let words: Vec<String> = source
        .split(' ')
        .map(|word| if word.starts_with("https://") { format!("<{word}>") } else { word.into() })
        .collect();
    words.join(" ")
}

fn target_table() -> String {
    let mut table =
        "| id | name | players | LUFS | peak limit, dBTP | turns quiet songs up | mode | status | read | source |\n\
                     |---|---|---|---:|---:|---|---|---|---|---|\n"
            .to_owned();
    let figure = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v}"));
    for t in builtin() {
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            t.id,
            t.name,
            t.client,
            figure(t.loudness.map(|l| l.0)),
            peak_limit(&t),
            turns_up(&t),
            t.mode,
            t.status.word(),
            t.date,
            linked(&t.source)
        );
    }
    table.push('\n');
    for t in builtin().iter().filter(|t| !t.note.is_empty()) {
        let _ = writeln!(table, "- {}: {}", t.name, t.note);
    }
    table
}

/// Peak limit with that of louder masters.
fn peak_limit(target: &NormalizationTarget) -> String {
    let always = target.peak_limit.map_or("-".to_owned(), |peak| format!("{}", peak.0));
    match target.loud_peak_limit {
        Some(loud) => format!("{always}; {} above {} LUFS", loud.peak_limit.0, loud.louder_than.0),
        None => always,
    }
}

#[test]
fn the_table_of_targets_is_that_of_the_code() {
    holds("docs/targets.md", &target_table());
}

/// Every Markdown file of the project.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the project can be read") {
            let path = entry.expect("the project can be read").path();
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" {
                    folders.push(path);
                }
            } else if name.ends_with(".md") {
                pages.push(path);
            }
        }
    }
    pages
}

/// Text without fenced code.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

/// Targets of the links and pictures of a page.
fn links(prose: &str) -> Vec<String> {
    let after = |mark: &str, end: char| -> Vec<String> {
        prose.split(mark).skip(1).filter_map(|rest| Some(rest.split_once(end)?.0.to_owned())).collect()
    };
    [after("](", ')'), after("src=\"", '"'), after("href=\"", '"')].concat()
}

/// Anchors that a forge makes of a page's headings.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text);
    let headings = headings.lines().filter_map(|line| line.strip_prefix('#'));
    headings
        .map(|heading| {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut broken = Vec::new();
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("the page can be read");
        let folder = page.parent().expect("a page lies in a folder");
        for link in links(&prose(&text)) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            count += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { page.clone() } else { folder.join(file) };
            let leads = target.exists()
                && (anchor.is_empty()
                    || fs::read_to_string(&target).is_ok_and(|t| anchors(&t).iter().any(|a| a == anchor)));
            if !leads {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    assert!(count > 20, "links are found at all: {count}");
}

/// The fenced blocks of a language.
fn blocks(file: &str, language: &str) -> Vec<String> {
    let (text, fence) = (text_of(file), format!("```{language}\n"));
    text.split(&fence).skip(1).filter_map(|rest| Some(rest.split_once("```")?.0.to_owned())).collect()
}

mod examples {
    use super::*;
    use audiofile::{AudioInfo, Container, SampleFormat};
    use project::bundle::{Bundle, Stem, stem_name};
    use project::session::Session;
    use project::target_file::targets;
    use render::check::Check;
    use session::role::Role;
    use units::Hz;

    fn bundle(dir: &Path, files: &[&str]) -> Bundle {
        let info = AudioInfo {
            frames: 1,
            ..AudioInfo::new(Container::Wav, Hz(48_000.0), 2, SampleFormat::Int { bits: 24 })
        };
        let stem = |file: &&str| Stem {
            path: dir.join(file),
            name: stem_name(Path::new(file)),
            role: Role::Other,
            info: info.clone(),
        };
        Bundle {
            dir: dir.to_owned(),
            stems: files.iter().map(stem).collect(),
            mixes: Vec::new(),
            unread: Vec::new(),
        }
    }

    #[test]
    fn the_session_of_the_documentation_is_one() {
        let examples = blocks("docs/session.md", "toml");
        assert!(!examples.is_empty());
        for example in examples {
            let dir = tempfile::tempdir().expect("a folder for the test");
            let path = dir.path().join("session.toml");
            fs::write(&path, &example).expect("can be written");
            let files = ["01_Drums_Stem.wav", "02_Bass_Stem.wav", "04_Vocals_Stem.wav"];
            let read = Session::read(&path, &mut bundle(dir.path(), &files));
            assert!(read.is_ok(), "{read:?}\n{example}");
        }
    }

    #[test]
    fn every_check_is_explained_in_order() {
        let page = text_of("docs/check.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        let known = |id: &str| Check::ALL.iter().any(|check| check.id() == id);
        let explained: Vec<&str> = rows.map(|(id, _)| id).filter(|id| known(id)).collect();
        let all: Vec<&str> = Check::ALL.iter().map(|check| check.id()).collect();
        assert_eq!(explained, all);
    }

    #[test]
    fn the_targets_file_of_the_documentation_is_one() {
        let examples = blocks("docs/targets.md", "toml");
        assert!(!examples.is_empty());
        for example in examples {
            let dir = tempfile::tempdir().expect("a folder for the test");
            let path = dir.path().join("targets.toml");
            fs::write(&path, &example).expect("can be written");
            let read = targets(Some(&path));
            assert!(read.is_ok_and(|table| table.len() > builtin().len()), "{example}");
        }
    }
}

#[test]
fn every_document_shows_the_signal_path_of_the_chain() {
    for file in ["src/lib.rs", "crates/chain/src/lib.rs", "ARCHITECTURE.md"] {
        let text = text_of(file);
        for (name, kind) in [("Stem:   ", ChainKind::Stem), ("Master: ", ChainKind::Master)] {
            let units: Vec<&str> = kind.path().iter().map(|unit| ChainUnit::name(*unit)).collect();
            let path = format!("{name}{}", units.join(" -> "));
            assert!(text.lines().any(|line| line.ends_with(&path)), "{file} lacks the line {path:?}");
        }
    }
}
