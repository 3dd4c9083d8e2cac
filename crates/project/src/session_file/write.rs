//! Writing: a session as text that [`Session::read`](crate::session::Session::read) takes.

use std::fmt::Write as _;

use super::schema::SCHEMA;
use crate::fader::Fader;
use crate::session::MasterLoudness;
use chain::parameters::{Parameter, Value};
use chain::{ChainKind, LatencyClass};
use dsp::denoise::{NoisePrint, ThresholdCurve};
use session::role::Role;
use units::Db;

/// A session to be written.
#[derive(Clone, Debug)]
pub struct SessionDraft<'a> {
    /// Lines of the comment at the top, each without its `#`; control characters become spaces.
    pub comment: Vec<String>,
    /// Loudness of the master.
    pub loudness: MasterLoudness,
    /// The master chain; none: neutral, in the default latency class.
    pub master: Option<ChainDraft<'a>>,
    /// The stems. Those whose names differ in nothing but case, spaces and punctuation are numbered.
    pub stems: Vec<StemDraft<'a>>,
}

/// A stem to be written.
#[derive(Clone, Debug)]
pub struct StemDraft<'a> {
    /// Its name, by which its file is found.
    pub name: &'a str,
    /// Its role.
    pub role: Role,
    /// Its chain; none: neutral, in the default latency class.
    pub chain: Option<ChainDraft<'a>>,
    /// Gain on top of its chain's level.
    pub trim: Db,
    /// Fader and pan; none: not written, which is unity.
    pub fader: Option<Fader>,
    /// Left out of the sum.
    pub mute: bool,
}

/// A chain to be written.
#[derive(Clone, Copy, Debug)]
pub struct ChainDraft<'a> {
    /// Its latency class.
    pub latency: LatencyClass,
    /// Values of parameters; those at their defaults are left out.
    pub values: &'a [(&'static Parameter, Value)],
    /// The learned noise; none: it is tracked.
    pub noise: Option<&'a NoisePrint>,
    /// Addition to the threshold of noise reduction, per octave.
    pub curve: &'a ThresholdCurve,
}

impl SessionDraft<'_> {
    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.comment {
            let line = one_line(line);
            let _ = writeln!(text, "#{}{line}", if line.is_empty() { "" } else { " " });
        }
        let _ = write!(text, "schema = \"{SCHEMA}\"\n\n[master]\nloudness = {}", quoted(self.loudness.id()));
        if self.loudness == MasterLoudness::AsHeard {
            text += "  # \"auto\" or a target id masters it louder, \"as-is\" holds the ceiling";
        }
        text.push('\n');
        write_chain(&mut text, ChainKind::Master, "master.chain", self.master, "");
        let mut names: Vec<String> = Vec::new();
        for stem in &self.stems {
            let name = distinct(stem.name, &names);
            let _ = write!(text, "\n[[stems]]\nname = {}\nrole = \"{}\"\n", quoted(&name), stem.role.id());
            write_chain(&mut text, ChainKind::Stem, "stems.chain", stem.chain, &stem.own_keys());
            names.push(name);
        }
        text
    }
}

impl StemDraft<'_> {
    /// Trim, fader and mute, a line each, where they are not neutral.
    fn own_keys(&self) -> String {
        let mut lines = String::new();
        if self.trim != Db(0.0) {
            let _ = writeln!(lines, "trim = {}", self.trim.0);
        }
        match self.fader.map(|fader| fader.gains()) {
            Some([[left, 0.0], [0.0, right]]) => {
                let _ = writeln!(lines, "fader = [{left:?}, {right:?}]");
            }
            Some(gains) => {
                let _ = writeln!(lines, "fader = {gains:?}");
            }
            None => {}
        }
        if self.mute {
            lines += "mute = true\n";
        }
        lines
    }
}

/// Writes the latency class, the lines of `between` and the parameters that are not at their defaults. Units that the class
/// does not have become comments.
fn write_chain(
    text: &mut String,
    chain_kind: ChainKind,
    table: &str,
    chain: Option<ChainDraft<'_>>,
    between: &str,
) {
    let class = chain.map_or(chain_kind.default_class(), |chain| chain.latency);
    let _ = write!(text, "latency = \"{}\"\n{between}\n[{table}]\n", class.id());
    let Some(chain) = chain else { return };
    for (parameter, value) in chain.values {
        if *value == parameter.default {
            continue;
        }
        if *value == Value::Switch(true) && parameter.needs() > class {
            text.push_str("# not in this latency class: ");
        }
        text.push_str(&parameter_line(parameter, *value));
    }
    if let Some(print) = chain.noise {
        let _ = writeln!(text, "dn_print = {:?}", print.levels());
    }
    if *chain.curve != ThresholdCurve::default() {
        let _ = writeln!(text, "dn_curve = {:?}", chain.curve.map(|point| point.0));
    }
}

/// A parameter as a line of a chain: `comp_ratio = 1.5`, line feed included.
pub fn parameter_line(parameter: &Parameter, value: Value) -> String {
    format!("{} = {}\n", parameter.id, parameter_value(parameter, value))
}

/// The value of a parameter in TOML.
pub(super) fn parameter_value(parameter: &Parameter, value: Value) -> String {
    match value {
        Value::Switch(on) => on.to_string(),
        Value::Number(Some(x)) => format!("{x}"),
        _ => format!("{:?}", parameter.text(value)),
    }
}

/// `text` with control characters as spaces, for a comment.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `text` as a TOML string of one line.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", one_line(text).replace('\\', "\\\\").replace('"', "\\\""))
}

/// `name`, numbered if one of `others` differs in nothing but case, spaces and punctuation: files are found by letters and digits.
fn distinct(name: &str, others: &[String]) -> String {
    let plain = |s: &str| s.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let is_new = |name: &str| others.iter().all(|other| plain(other) != plain(name));
    let numbered = (2..).map(|n| format!("{name} {n}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| is_new(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::parameters::PARAMETERS;

    fn values(chain_kind: ChainKind, set: &[(&str, Value)]) -> Vec<(&'static Parameter, Value)> {
        let value = |row: &'static Parameter| {
            set.iter().find(|(id, _)| *id == row.id).map_or(row.default, |(_, value)| *value)
        };
        PARAMETERS.for_kind(chain_kind).map(|row| (row, value(row))).collect()
    }

    fn draft<'a>(master: Option<ChainDraft<'a>>, stems: Vec<StemDraft<'a>>) -> SessionDraft<'a> {
        SessionDraft {
            comment: vec!["A\nB".into(), String::new()],
            loudness: MasterLoudness::AsHeard,
            master,
            stems,
        }
    }

    #[test]
    fn only_what_is_set_is_written_and_units_that_are_absent_are_comments() {
        let curve = ThresholdCurve::default();
        let master = values(ChainKind::Master, &[("dither", Value::Choice(1))]);
        let set = [("level", Value::Number(Some(-1.5))), ("sat_on", Value::Switch(true))];
        let chain = values(ChainKind::Stem, &set);
        let of = |latency, values| Some(ChainDraft { latency, values, noise: None, curve: &curve });
        let stem = |name, chain, fader, mute| StemDraft {
            name,
            role: Role::Drums,
            chain,
            trim: if mute { Db(0.0) } else { Db(2.25) },
            fader,
            mute,
        };
        let crossed = Fader::new([[0.5, 0.25], [0.0, 0.5]]);
        let text = draft(
            of(LatencyClass::Lookahead, &master),
            vec![
                stem("Kick \"A\"", of(LatencyClass::Zero, &chain), Some(Fader::default()), false),
                stem("kick A", None, None, true),
                stem("Bass", None, Some(crossed), true),
            ],
        )
        .text();
        for line in [
            "# A B",
            "#",
            "dither = \"24 bit\"",
            r#"name = "Kick \"A\"""#,
            "name = \"kick A 2\"",
            "trim = 2.25",
            "fader = [1.0, 1.0]",
            "fader = [[0.5, 0.25], [0.0, 0.5]]",
            "mute = true",
            "level = -1.5",
            "# not in this latency class: sat_on = true",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}: {text}");
        }
        assert_eq!(text.lines().filter(|line| line.starts_with("comp_")).count(), 0);
        assert!(!text.contains("dn_"), "{text}");
    }

    #[test]
    fn the_text_is_toml_whatever_the_names_are() {
        for name in ["", "a \"quoted\" \\ name", "new\nline # [x]", "B\u{e4}ss \u{200b}\u{7f}"] {
            let stem =
                StemDraft { name, role: Role::Drums, chain: None, trim: Db(0.0), fader: None, mute: false };
            let session = SessionDraft { comment: vec![name.into()], ..draft(None, vec![stem]) };
            let table: toml::Table = session.text().parse().expect(name);
            assert_eq!(table["stems"][0]["role"].as_str(), Some("drums"));
        }
    }
}
