//! Identity of an instance, and the trim that it owns.

use super::alone::alone_in_every_host;
use super::desk::{RATE, song};
use chain::{ChainKind, ChainSettings, LatencyClass};
use hosttests::reference::through_chain;
use hosttests::viewer::{Viewer, eventually, id, saved};
use hosttests::{Library, MASTER, Plugin, STEM, edited, without_identity};
use link::InstanceId;
use units::Db;

fn active(library: &Library, kind: &str, state: Option<&[u8]>) -> Plugin {
    let mut plugin = Plugin::new(library, kind);
    plugin.open(state, RATE, 1024);
    plugin
}

#[test]
fn a_duplicate_gets_another_id_and_keeps_its_settings_and_who_lives_keeps_his() {
    alone_in_every_host(
        "link::identity::a_duplicate_gets_another_id_and_keeps_its_settings_and_who_lives_keeps_his",
        || {
            let library = Library::open();
            for kind in [STEM, MASTER] {
                let mut fresh = Plugin::new(&library, kind);
                let change = fresh.typed(0, "Level", "-4.5 dB");
                fresh.flush(&[change]);
                assert_eq!(saved(&mut fresh, "instance"), None, "nobody is anybody before activation");
                fresh.activate(RATE, 1024);
                let (first, state) = (id(&mut fresh), fresh.save());
                let session = saved(&mut fresh, "session");
                assert_eq!(session.is_some(), kind == MASTER);

                // a duplicated track
                let mut duplicate = active(&library, kind, Some(&state));
                assert_ne!(id(&mut duplicate), first);
                assert_eq!(duplicate.values(), fresh.values());
                assert_eq!(without_identity(&duplicate.save()), without_identity(&state));
                assert_eq!(id(&mut fresh), first);

                // a state loaded into a living instance
                let second = id(&mut duplicate);
                assert!(fresh.load(&duplicate.save()));
                assert_eq!(id(&mut fresh), first);

                // the project is closed and opened again
                let state = duplicate.save();
                drop(duplicate);
                let mut again = active(&library, kind, Some(&state));
                assert_eq!(id(&mut again), second);
                assert_eq!(saved(&mut again, "session"), session);
                again.deactivate();
                again.activate(RATE, 1024);
                assert_eq!(id(&mut again), second, "it was never gone");
            }
        },
    );
}

/// A Master's state with those trims of stems in its slot A, as its window saves them.
fn with_trims(state: &[u8], stems: &[(InstanceId, f64)]) -> Vec<u8> {
    let trims: Vec<String> = stems.iter().map(|(id, trim)| format!("[\\\"{id}\\\",{trim:?}]")).collect();
    let role = "\\\"role\\\":null";
    edited(state, |json| {
        assert!(json.contains(role), "{json}");
        json.replace(role, &format!("{role},\\\"trims\\\":[[{}],[],[],[]]", trims.join(",")))
    })
}

#[test]
fn a_project_that_is_opened_again_or_twice_has_its_ids_sessions_and_trims() {
    alone_in_every_host(
        "link::identity::a_project_that_is_opened_again_or_twice_has_its_ids_sessions_and_trims",
        || {
            let library = Library::open();
            // two Masters: one where the stems come together, one that is last
            let open = |states: &[Option<Vec<u8>>]| -> Vec<Plugin> {
                let kinds = [STEM, STEM, MASTER, MASTER].into_iter().zip(states);
                kinds.map(|(kind, state)| active(&library, kind, state.as_deref())).collect()
            };
            let identities = |project: &mut [Plugin]| -> Vec<(InstanceId, Option<u64>)> {
                project.iter_mut().map(|plugin| (id(plugin), saved(plugin, "session"))).collect()
            };
            let mut project = open(&[None, None, None, None]);
            let first = identities(&mut project);
            let mut states: Vec<Option<Vec<u8>>> =
                project.iter_mut().map(|plugin| Some(plugin.save())).collect();
            let trims = [(first[0].0, -1.5), (first[1].0, 2.25)];
            states[2] = states[2].take().map(|state| with_trims(&state, &trims));
            drop(project);
            for round in 0..3 {
                let mut again = open(&states);
                assert_eq!(identities(&mut again), first, "round {round}");
                // saved under another name, and open beside
                let mut copy = open(&states);
                for ((id, session), (other, same)) in first.iter().zip(identities(&mut copy)) {
                    assert!(*id != other && *session == same, "round {round}: {id} {other}");
                }
                assert_eq!(identities(&mut again), first, "who lives keeps his");
                drop(copy);
                states = again.iter_mut().map(|plugin| Some(plugin.save())).collect();
                let text = String::from_utf8_lossy(states[2].as_deref().unwrap_or_default()).into_owned();
                assert!(
                    trims.iter().all(|(id, trim)| text.contains(&format!("[\\\"{id}\\\",{trim:?}]"))),
                    "{text}"
                );
            }
        },
    );
}

#[test]
fn a_trim_is_an_exact_gain_and_survives_without_the_master_that_asked_for_it() {
    alone_in_every_host(
        "link::identity::a_trim_is_an_exact_gain_and_survives_without_the_master_that_asked_for_it",
        || {
            let (viewer, library) = (Viewer::new(), Library::open());
            let mut stem = Plugin::new(&library, STEM);
            let change = stem.typed(0, "Level", "-2 dB");
            stem.flush(&[change]);
            stem.activate(RATE, 1024);
            let input = song(3, 1);
            let peer = viewer.find(id(&mut stem));
            let trim = || peer.stem_readings().expect("it is there").trim;
            for (asked, offset) in [(Db(-3.25), Db(-3.25)), (Db(99.0), Db(24.0)), (Db(1.5), Db(1.5))] {
                viewer.requester().request_trim(peer.id().expect("it is there"), trim().revision, asked);
                eventually("the trim is taken", || (trim().offset == offset).then_some(()));
            }
            let settings = ChainSettings { level: Db(-2.0) + Db(1.5), ..ChainSettings::default() };
            let expected =
                through_chain((ChainKind::Stem, LatencyClass::Zero, RATE), &settings, &input, None);
            let level = stem.row("Level").id;
            let sound = |plugin: &mut Plugin| {
                plugin.deactivate();
                plugin.activate(RATE, 1024);
                let mut output = input.clone();
                plugin.run(&mut output, None, &[512, 77], &[]);
                output
            };
            assert!(sound(&mut stem) == expected);
            assert!(
                (stem.value(level) - stem.row("Level").range.2).abs() > 1e-9,
                "the parameter is as it was"
            );
            let values = stem.values();
            let state = stem.save();
            drop((stem, viewer));
            // the project elsewhere, without anybody
            let mut restored = Plugin::new(&library, STEM);
            assert!(restored.load(&state) && restored.values() == values);
            assert!(sound(&mut restored) == expected);
            // the trim of a state that is loaded replaces it, also while it lives
            let fresh = Plugin::new(&library, STEM).save();
            assert!(restored.load(&fresh));
            assert!(sound(&mut restored) == input);
            assert!(restored.load(&state));
            assert!(sound(&mut restored) == expected);
        },
    );
}
