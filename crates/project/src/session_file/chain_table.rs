//! `[master.chain]` and `[stems.chain]`.

use super::noise_keys::{NOISE_KEYS, read_key};
use super::number::number;
use crate::noise::Stretch;
use crate::setting_fault::SettingFault;
use chain::parameters::{PARAMETERS, Parameter, ParameterKind, Value};
use chain::{ChainKind, ChainSettings, LatencyClass};

/// Reads a chain of `chain_kind` in the latency class `class`, and the stretch to learn its noise print from.
///
/// # Errors
/// If a key is unknown, a value out of range, or a unit is on that the class does not have.
pub(super) fn read_chain(
    chain_kind: ChainKind,
    class: LatencyClass,
    table: &toml::Table,
) -> Result<(ChainSettings, Option<Stretch>), SettingFault> {
    let mut settings = ChainSettings::default();
    let mut stretch = None;
    for (id, value) in table {
        if NOISE_KEYS.contains(&id.as_str()) {
            stretch = read_key(&mut settings, chain_kind, id, value)?.or(stretch);
            continue;
        }
        let Some(parameter) = PARAMETERS.for_kind(chain_kind).find(|p| p.id == *id) else {
            return Err(SettingFault::new(format!("no parameter is called {id:?}"), nearest(chain_kind, id)));
        };
        let value = read_value(parameter, value).ok_or_else(|| {
            SettingFault::new(format!("{id} cannot be {value}"), format!("it takes {}", parameter.range()))
        })?;
        parameter.set(&mut settings, value);
        // The Master's limiter runs in every class: it is not of its chain but lands the master.
        let lands = chain_kind == ChainKind::Master && id == "lim_on";
        if value == Value::Switch(true) && parameter.needs() > class && !lands {
            return Err(SettingFault::new(
                format!("{id} needs more latency than {:?} has", class.id()),
                format!("write latency = {:?} for it, or switch {id} off", parameter.needs().id()),
            ));
        }
    }
    Ok((settings, stretch))
}

fn read_value(parameter: &Parameter, value: &toml::Value) -> Option<Value> {
    match (parameter.kind, value) {
        (ParameterKind::Switch, toml::Value::Boolean(on)) => Some(Value::Switch(*on)),
        (ParameterKind::Number { may_be_off: true, .. }, toml::Value::String(text))
            if text.eq_ignore_ascii_case("off") =>
        {
            Some(Value::Number(None))
        }
        (ParameterKind::Number { min, max, .. }, _) => {
            let number = number(value)?;
            (min..=max).contains(&number).then_some(Value::Number(Some(number)))
        }
        (ParameterKind::Choice(_), toml::Value::String(text)) => parameter.choice(text),
        _ => None,
    }
}

/// The remedy for an unknown id: the ids nearest to it.
fn nearest(chain_kind: ChainKind, id: &str) -> String {
    let shared = |other: &str| other.chars().zip(id.chars()).take_while(|(a, b)| a == b).count();
    let mut ids: Vec<&str> = PARAMETERS.for_kind(chain_kind).map(|p| p.id.as_str()).collect();
    ids.sort_by_key(|other| std::cmp::Reverse(shared(other)));
    let best = ids.first().map_or(0, |other| shared(other));
    let near: Vec<&str> =
        ids.into_iter().take_while(|other| best > 0 && shared(other) == best).take(6).collect();
    if near.is_empty() {
        "see the comments of a file written by stems init".into()
    } else {
        format!("near it are {}", near.join(", "))
    }
}
