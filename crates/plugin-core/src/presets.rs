//! Presets of a chain, and their text format.
//!
//! A preset sets equalizer, dynamics, saturation, width and limiter. Input, level, dither, bypass, name, role and
//! identity stay.

use super::document;
use super::text::parse;
use chain::ChainKind;
use chain::parameters::{PARAMETERS, Parameter, ParameterKind, Value};
use nice_plug::plugin::PluginState;
use project::session_file::parameter_line;
use session::role::Role;

/// Values of all parameters that presets set.
pub type Values = Vec<(&'static Parameter, Value)>;

/// A preset.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// Name of the preset.
    pub name: String,
    /// Its values.
    pub values: Values,
}

/// Preset that comes with the plugin.
struct Factory {
    chain_kind: ChainKind,
    role: Option<Role>,
    name: &'static str,
    values: &'static [(&'static str, &'static str)],
}

const fn stem(role: Role, name: &'static str, values: &'static [(&'static str, &'static str)]) -> Factory {
    Factory { chain_kind: ChainKind::Stem, role: Some(role), name, values }
}

/// Factory presets: moderate starting points.
const FACTORY: [Factory; 7] = [
    stem(
        Role::Drums,
        "Drums: punch, gently held",
        &[
            ("comp_on", "on"),
            ("comp_ratio", "1.5"),
            ("comp_attack", "30 ms"),
            ("comp_auto", "on"),
            ("comp_hp", "90 Hz"),
            ("comp_cap", "2 dB"),
        ],
    ),
    stem(
        Role::Bass,
        "Bass: firm, out of the kick's way",
        &[
            ("eq1_on", "on"),
            ("eq1_shape", "low cut"),
            ("eq1_freq", "25 Hz"),
            ("eq2_on", "on"),
            ("eq2_freq", "60 Hz"),
            ("eq2_range", "-3 dB"),
            ("eq2_attack", "5 ms"),
            ("eq2_release", "80 ms"),
            ("eq2_key", "sidechain"),
            ("mono_below", "100 Hz"),
            ("comp_on", "on"),
            ("comp_ratio", "2"),
            ("comp_attack", "30 ms"),
            ("comp_auto", "off"),
            ("comp_release", "150 ms"),
            ("comp_cap", "3 dB"),
        ],
    ),
    stem(
        Role::Keys,
        "Guitars, keys: room for the voice",
        &[("eq3_on", "on"), ("eq3_freq", "300 Hz"), ("eq3_q", "0.8"), ("eq3_range", "-2 dB")],
    ),
    stem(
        Role::Vocals,
        "Vocals: gentle de-ess",
        &[
            ("eq6_on", "on"),
            ("eq6_freq", "6.5 kHz"),
            ("eq6_q", "2"),
            ("eq6_range", "-4 dB"),
            ("eq6_threshold", "-31 dBFS"),
            ("eq6_attack", "1 ms"),
            ("eq6_release", "60 ms"),
            ("comp_on", "on"),
            ("comp_ratio", "1.5"),
            ("comp_attack", "15 ms"),
            ("comp_auto", "on"),
            ("comp_cap", "2 dB"),
        ],
    ),
    stem(
        Role::Backing,
        "Backing: behind the lead",
        &[
            ("eq1_on", "on"),
            ("eq1_shape", "low cut"),
            ("eq1_freq", "90 Hz"),
            ("eq5_on", "on"),
            ("eq5_freq", "2.5 kHz"),
            ("eq5_q", "0.7"),
            ("eq5_gain", "-1 dB"),
        ],
    ),
    stem(Role::Fx, "FX: no rumble", &[("eq1_on", "on"), ("eq1_shape", "low cut"), ("eq1_freq", "30 Hz")]),
    Factory {
        chain_kind: ChainKind::Master,
        role: None,
        name: "Master: glue, ceiling \u{2212}1 dBTP",
        values: &[
            ("comp_on", "on"),
            ("comp_ratio", "1.3"),
            ("comp_knee", "12 dB"),
            ("comp_attack", "30 ms"),
            ("comp_auto", "on"),
            ("comp_hp", "100 Hz"),
            ("comp_cap", "1.5 dB"),
            ("lim_on", "on"),
            ("lim_ceiling", "-1 dBTP"),
        ],
    },
];

/// Returns the parameters that presets set in a chain of kind `chain_kind`.
pub fn rows(chain_kind: ChainKind) -> impl Iterator<Item = &'static Parameter> {
    PARAMETERS.for_kind(chain_kind).filter(|row| !matches!(row.group.as_str(), "Input" | "Output"))
}

/// Returns the factory presets: the neutral one, those for `role`, then the others.
pub fn factory(chain_kind: ChainKind, role: Role) -> Vec<Preset> {
    let neutral =
        Preset { name: "Neutral".into(), values: rows(chain_kind).map(|row| (row, row.default)).collect() };
    let of = |fits: bool| {
        FACTORY
            .iter()
            .filter(move |f| f.chain_kind == chain_kind && (f.role.is_none_or(|r| r == role)) == fits)
            .map(move |f| {
                let value = |row: &'static Parameter| {
                    let text = f.values.iter().find(|(id, _)| *id == row.id).map(|(_, text)| *text);
                    (row, text.and_then(|text| parse(row, text)).unwrap_or(row.default))
                };
                Preset { name: f.name.into(), values: rows(chain_kind).map(value).collect() }
            })
    };
    std::iter::once(neutral).chain(of(true)).chain(of(false)).collect()
}

/// Writes a preset's file: lines such as `comp_ratio = 1.5` for values that are not the default, as in a session
/// file's chain.
pub fn write(values: &[(&'static Parameter, Value)]) -> String {
    let mut text = String::from(
        "# A preset of Stemlink: lines of a [stems.chain] or [master.chain] of a session file.\n",
    );
    for (row, value) in values {
        if *value == row.default {
            continue;
        }
        text += &parameter_line(row, *value);
    }
    text
}

/// Returns every factory preset of plugins of kind `chain_kind`, the neutral one first.
pub fn all_factory(chain_kind: ChainKind) -> Vec<Preset> {
    factory(chain_kind, Role::Other)
}

/// Converts a preset to a state that hosts can load: it sets what presets set and leaves everything else.
pub fn state(chain_kind: ChainKind, values: &[(&'static Parameter, Value)], version: &str) -> PluginState {
    let schema = format!("{:?}", document::preset_schema(chain_kind));
    PluginState {
        version: version.to_owned(),
        params: values
            .iter()
            .map(|(row, value)| (row.id.clone(), document::state_value(row, *value)))
            .collect(),
        fields: [(document::PRESET_KEY.to_owned(), schema)].into(),
    }
}

/// Reads a preset's file; parameters that it does not name get their default.
///
/// # Errors
///
/// A message with the line: no `id = value`, an unknown parameter, or an invalid value.
pub fn read(chain_kind: ChainKind, text: &str) -> Result<Values, String> {
    let mut values: Values = rows(chain_kind).map(|row| (row, row.default)).collect();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        // table headings are allowed, so that lines can be copied from a session file
        if line.is_empty() || line.starts_with(['#', '[']) {
            continue;
        }
        let fault = |what: &str| format!("line {}: {what}", index + 1);
        let (id, value) = line.split_once('=').ok_or_else(|| fault("not `parameter = value`"))?;
        let id = id.trim();
        let row = values.iter_mut().find(|(row, _)| row.id == id);
        let (row, target) = row.ok_or_else(|| fault("unknown preset parameter"))?;
        let value = value.split(" #").next().unwrap_or_default().trim().trim_matches('"');
        let value = parse(row, value).ok_or_else(|| fault("invalid value for this parameter"))?;
        let in_range = match (row.kind, value) {
            (ParameterKind::Number { min, max, .. }, Value::Number(Some(x))) => (min..=max).contains(&x),
            _ => true,
        };
        if !in_range {
            return Err(fault("out of range"));
        }
        *target = value;
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_value_of_the_factory_set_is_one_that_its_parameter_has() {
        for factory in &FACTORY {
            for (id, text) in factory.values {
                let row = rows(factory.chain_kind).find(|row| row.id == *id);
                let row = row.unwrap_or_else(|| panic!("{}: {id}", factory.name));
                let value = parse(row, text).unwrap_or_else(|| panic!("{}: {id} {text}", factory.name));
                let ParameterKind::Number { min, max, .. } = row.kind else { continue };
                let Value::Number(Some(x)) = value else { panic!("{id}") };
                assert!((min..=max).contains(&x) && (x != min || x == 0.0), "{id} {text}");
            }
        }
    }

    #[test]
    fn each_role_finds_its_own_first_after_the_neutral_one() {
        for (role, start) in [(Role::Drums, "Drums"), (Role::Vocals, "Vocals"), (Role::Fx, "FX")] {
            let all = factory(ChainKind::Stem, role);
            assert!(all[0].name == "Neutral" && all[1].name.starts_with(start), "{}", all[1].name);
            assert_eq!(all.len(), FACTORY.len());
        }
        assert_eq!(factory(ChainKind::Master, Role::Other).len(), 2);
    }

    #[test]
    fn presets_leave_the_place_in_the_mix_alone() {
        for id in ["bypass", "in_trim", "in_polarity", "level", "dither"] {
            assert!(!rows(ChainKind::Master).any(|row| row.id == id), "{id}");
        }
        assert!(
            factory(ChainKind::Stem, Role::Other)[0].values.iter().all(|(row, value)| *value == row.default)
        );
    }

    #[test]
    fn what_is_written_is_read() {
        for fraction in [0.0, 0.1, 0.5, 0.93, 1.0] {
            let values: Values = rows(ChainKind::Master)
                .map(|row| (row, super::super::normalized::value_from_normalized(row, fraction)))
                .collect();
            let text = write(&values);
            assert_eq!(read(ChainKind::Master, &text).expect("our own"), values, "{text}");
        }
        assert!(write(&factory(ChainKind::Stem, Role::Other)[0].values).lines().count() == 1);
    }

    #[test]
    fn faults_name_their_line() {
        for (text, line) in
            [("comp_ratio 3", 1), ("\ncomp_ratoi = 3", 2), ("comp_on = maybe", 1), ("level = 3", 1)]
        {
            let fault = read(ChainKind::Stem, text).expect_err(text);
            assert!(fault.starts_with(&format!("line {line}:")), "{text}: {fault}");
        }
    }

    #[test]
    fn lines_of_a_session_file_are_a_preset() {
        let text = "[stems.chain]\ncomp_on = true\neq1_shape = \"low cut\" # as drawn\ncomp_hp = 100\n";
        let values = read(ChainKind::Stem, text).expect("fine");
        let of = |id: &str| values.iter().find(|(row, _)| row.id == id).map(|(_, value)| *value);
        assert_eq!(of("comp_on"), Some(Value::Switch(true)));
        assert_eq!(of("eq1_shape"), Some(Value::Choice(3)));
        assert_eq!(of("comp_hp"), Some(Value::Number(Some(100.0))));
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_panic(text in "\\PC{0,120}", id in "[a-z0-9_]{1,12}", value in "\\PC{0,12}") {
            drop(read(ChainKind::Stem, &text));
            drop(read(ChainKind::Stem, &format!("{id} = {value}")));
            drop(read(ChainKind::Stem, &format!("comp_ratio = {value}")));
        }
    }
}
