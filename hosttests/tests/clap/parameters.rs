//! Parameters, asked and set.

use super::{PLUGINS, RATE, scrambled, typed};
use chain::parameters::PARAMETERS;
use chain::{ChainKind, LatencyClass};
use hosttests::reference::settings;
use hosttests::{Call, Change, Event, Library, Plugin, STEM, noise};

use clack_extensions::params::ParamInfoFlags;

#[test]
fn every_parameter_says_what_the_table_says() {
    let library = Library::open();
    for (id, chain_kind) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        let rows = plugin.rows();
        let modules: Vec<&str> =
            rows.iter().skip(1).map(|row| row.module.rsplit('/').next().unwrap_or_default()).collect();
        let table: Vec<&str> = PARAMETERS.for_kind(chain_kind).map(|p| p.group.as_str()).collect();
        assert_eq!(modules, table);
        let bypasses = rows.iter().filter(|row| row.flags.contains(ParamInfoFlags::IS_BYPASS));
        assert!(bypasses.map(|row| row.name.as_str()).eq(["Bypass"]));
        for row in &rows {
            let (min, max, default) = row.range;
            assert!(min <= default && default <= max && plugin.value(row.id) == default, "{}", row.name);
            // any value as text, and back, is the same text; and the value of that text is always the same
            for i in 0..=60 {
                let value = min + (max - min) * f64::from(i) / 60.0;
                let text = plugin.text(row.id, value);
                let again = plugin.parse(row.id, &text).unwrap_or_else(|| panic!("{}: {text}", row.name));
                assert_eq!(plugin.text(row.id, again), text, "{}", row.name);
                assert_eq!(plugin.parse(row.id, &text), Some(again), "{}", row.name);
                assert!((min..=max).contains(&again), "{}", row.name);
            }
            // some hosts drop changes of parameters that are not
            assert!(row.flags.contains(ParamInfoFlags::IS_AUTOMATABLE), "{}", row.name);
        }
    }
}

#[test]
fn every_parameter_of_the_table_is_on_a_page_of_remote_controls_once() {
    let library = Library::open();
    for (id, chain_kind) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        let (pages, rows) = (plugin.pages(), plugin.rows());
        let on_pages: Vec<_> = pages.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
        let in_table: Vec<_> = rows.iter().skip(1).map(|row| row.id).collect();
        assert_eq!(on_pages, in_table, "{id}");
        for (name, ids) in &pages {
            assert!((1..=8).contains(&ids.len()), "{name}");
            for id in ids {
                let row = rows.iter().find(|row| row.id == *id).expect("a page shows parameters");
                let group = row.module.rsplit('/').next().unwrap_or_default();
                assert!(name.starts_with(group), "{} of {group} is on {name}", row.name);
            }
        }
        assert!(
            PARAMETERS.for_kind(chain_kind).all(|p| pages.iter().any(|(name, _)| name.starts_with(&p.group)))
        );
    }
}

#[test]
fn parameters_set_by_event_or_by_flush_sound_the_same() {
    let library = Library::open();
    let input = noise(7, 2, 8000, 0.9);
    let run = |how: fn(&mut Plugin, &[Change]) -> Vec<Change>| {
        let mut plugin = Plugin::new(&library, STEM);
        let changes = typed(&mut plugin);
        plugin.activate(RATE, 512);
        let left = how(&mut plugin, &changes);
        let mut output = input.clone();
        plugin.run(&mut output, None, &[512], &left);
        output
    };
    let flushed = run(|plugin, changes| {
        plugin.flush(changes);
        Vec::new()
    });
    let sent = run(|_, changes| changes.to_vec());
    let expected = super::through_chain(ChainKind::Stem, LatencyClass::Zero, &settings(), &input, None);
    assert!(flushed == sent && flushed == expected);
}

#[test]
fn values_are_the_same_by_event_by_flush_and_with_cookies() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        let ways: [fn(&mut Plugin, &[Change]); 4] = [
            |plugin, changes| plugin.flush(changes),
            |plugin, changes| {
                plugin.activate(RATE, 512);
                plugin.flush(changes);
            },
            |plugin, changes| {
                plugin.activate(RATE, 512);
                plugin.block(&mut noise(1, 2, 512, 0.5), None, changes, false);
            },
            |plugin, changes| {
                let rows = plugin.rows();
                let events: Vec<Event> =
                    changes.iter().zip(&rows).map(|(c, row)| Event::Known(*c, row.cookie)).collect();
                plugin.activate(RATE, 512);
                plugin.call(&mut noise(1, 2, 512, 0.5), Call { events: &events, ..Call::default() });
            },
        ];
        let values = ways.map(|way| {
            let mut plugin = Plugin::new(&library, id);
            let (before, changes) = (plugin.values(), scrambled(&mut plugin, 3, false));
            way(&mut plugin, &changes);
            let after = plugin.values();
            assert!(after != before, "{id}");
            after
        });
        assert!(values.iter().all(|other| *other == values[0]), "{id}");
    }
}

#[test]
fn events_of_a_foreign_space_mean_nothing() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        let (before, changes) = (plugin.values(), scrambled(&mut plugin, 4, false));
        let events: Vec<Event> = changes.into_iter().map(Event::Foreign).collect();
        plugin.activate(RATE, 512);
        plugin.call(&mut noise(1, 2, 512, 0.5), Call { events: &events, ..Call::default() });
        assert_eq!(plugin.values(), before, "{id}");
    }
}

#[test]
fn modulation_is_heard_but_not_saved() {
    let library = Library::open();
    let input = noise(1, 2, 4096, 0.5);
    let mut plugin = Plugin::new(&library, STEM);
    plugin.activate(RATE, 4096);
    let state = plugin.save();
    let level = plugin.row("Level");
    assert!(level.flags.contains(ParamInfoFlags::IS_MODULATABLE));
    // from 0 dB at two thirds of the range down to its end
    let down = [Event::Modulation(Change { at: 0, id: level.id, value: -1.0 })];
    let mut output = input.clone();
    plugin.call(&mut output, Call { events: &down, ..Call::default() });
    let ratio = output[0][4000] / input[0][4000];
    assert!((f64::from(ratio) - 10f64.powf(-24.0 / 20.0)).abs() < 1e-6, "{ratio}");
    // (asked for the value, the framework says the modulated one)
    assert!(plugin.save() == state);
    let back = [Event::Modulation(Change { at: 0, id: level.id, value: 0.0 })];
    for _ in 0..2 {
        output.clone_from(&input);
        plugin.call(&mut output, Call { events: &back, ..Call::default() });
    }
    assert!(output == input);
}
