//! States that released versions saved load for ever.
//!
//! `golden/` has two files of every version and plugin: the state as JSON (after the eight bytes of its length in
//! CLAP, and as it is in VST3), and what every parameter read then. `UPDATE_GOLDEN=1 cargo test --package hosttests
//! --test clap golden` writes those of the present version; a released version's files are never written again.

use super::{PLUGINS, scrambled};
use chain::ChainKind;
use chain::parameters::{PARAMETERS, ParameterKind, Value};
use hosttests::{Library, Plugin, Random};
use std::fs;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// A state's JSON as CLAP hosts keep it.
fn framed(json: &str) -> Vec<u8> {
    [&(json.len() as u64).to_le_bytes(), json.as_bytes()].concat()
}

/// Id and text of every parameter: `in_trim = -3.5`.
fn readings(plugin: &mut Plugin, chain_kind: ChainKind) -> Vec<(String, String)> {
    let rows = plugin.rows();
    let ids = std::iter::once("latency_class").chain(PARAMETERS.for_kind(chain_kind).map(|p| p.id.as_str()));
    ids.zip(&rows)
        .map(|(id, row)| {
            let value = plugin.value(row.id);
            (id.to_owned(), plugin.text(row.id, value))
        })
        .collect()
}

/// Settings kept in a slot, at random, as the document inside a state's JSON spells them.
fn kept(chain_kind: ChainKind, seed: u64) -> String {
    let mut random = Random::new(seed);
    let values: Vec<String> = PARAMETERS
        .for_kind(chain_kind)
        .map(|p| {
            let value = match (p.at_fraction(random.unit()), p.kind) {
                (Value::Switch(on), _) => on.to_string(),
                (Value::Number(Some(x)), _) => format!("{x:?}"),
                (Value::Choice(i), ParameterKind::Choice(names)) => format!("\\\"{}\\\"", names[i]),
                _ => "\\\"off\\\"".into(),
            };
            format!("\\\"{}\\\":{value}", p.id)
        })
        .collect();
    format!("{{{}}}", values.join(","))
}

/// A state with every parameter, a slot and a role away from their defaults, as the plugin itself saves it.
fn eventful(plugin: &mut Plugin, chain_kind: ChainKind) -> String {
    let changes = scrambled(plugin, 2026, false);
    plugin.flush(&changes);
    let json =
        |plugin: &mut Plugin| String::from_utf8(plugin.save().split_off(8)).expect("the state is text");
    let state = json(plugin)
        .replace("\\\"slot\\\":0", "\\\"slot\\\":2")
        .replace(
            "[null,null,null,null]",
            &format!("[{},null,{},null]", kept(chain_kind, 1), kept(chain_kind, 2)),
        )
        .replace("\\\"role\\\":null", "\\\"role\\\":\\\"vocals\\\"");
    assert!(plugin.load(&framed(&state)));
    json(plugin)
}

#[test]
fn every_released_version_s_states_load() {
    let library = Library::open();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(folder()).expect("a folder");
        for (id, chain_kind) in PLUGINS {
            let mut plugin = Plugin::new(&library, id);
            let state = eventful(&mut plugin, chain_kind);
            let readings: String = readings(&mut plugin, chain_kind)
                .iter()
                .map(|(id, text)| format!("{id} = {text}\n"))
                .collect();
            let name = format!("{id}-{}", env!("CARGO_PKG_VERSION"));
            fs::write(folder().join(format!("{name}.json")), state).expect("written");
            fs::write(folder().join(format!("{name}.txt")), readings).expect("written");
        }
    }
    for (id, chain_kind) in PLUGINS {
        let mut seen = 0;
        for entry in fs::read_dir(folder()).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if !name.starts_with(id) || path.extension().is_none_or(|e| e != "json") {
                continue;
            }
            seen += 1;
            let json = fs::read_to_string(&path).expect("read");
            let texts = fs::read_to_string(path.with_extension("txt")).expect("read");
            let texts: Vec<(&str, &str)> = texts.lines().filter_map(|line| line.split_once(" = ")).collect();
            assert!(texts.len() > 60, "{name}: {} readings", texts.len());
            let mut plugin = Plugin::new(&library, id);
            let defaults = readings(&mut plugin, chain_kind);
            let untouched = plugin.save();
            assert!(plugin.load(&framed(&json)) && plugin.save() != untouched, "{name}");
            let found = readings(&mut plugin, chain_kind);
            // versions may spell a value differently: what is read from that version's text is the value
            let now: Vec<(String, Option<String>)> = readings(&mut plugin, chain_kind)
                .into_iter()
                .zip(plugin.rows())
                .map(|((id, _), row)| {
                    let text = texts.iter().find(|(known, _)| *known == id)?.1;
                    let value = plugin.parse(row.id, text)?;
                    Some((id, Some(plugin.text(row.id, value))))
                })
                .map(Option::unwrap_or_default)
                .collect();
            for (id, _) in &texts {
                let of = |list: &[(String, Option<String>)]| {
                    list.iter().find(|(found, _)| found == id).and_then(|(_, text)| text.clone())
                };
                let loaded = found.iter().find(|(found, _)| found == id).map(|(_, text)| text.clone());
                assert!(
                    loaded.is_some() && loaded == of(&now),
                    "{name}: {id}: {loaded:?}, {:?} then",
                    of(&now)
                );
            }
            // what that version did not know is at its default
            for ((id, now), (_, default)) in found.iter().zip(&defaults) {
                assert!(now == default || texts.iter().any(|(known, _)| known == id), "{name}: {id}");
            }
            // settings A to D, the slot in use and the role are all there, and what is saved loads again
            let saved = plugin.save();
            let text = String::from_utf8_lossy(&saved);
            let (_, document) = json.split_once("\"document\":\"").expect("a document");
            let document = &document[..document.rfind("\"}").expect("closed")];
            assert!(text.contains(document), "{name}: the document is lost");
            assert!(plugin.load(&saved) && plugin.save() == saved, "{name}");
        }
        assert!(seen > 0, "{id} has no golden state");
    }
}
