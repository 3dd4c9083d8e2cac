use super::*;
use proptest::prelude::*;
use std::sync::Arc;

fn good(chain_kind: ChainKind) -> PluginState {
    let mut document = SavedDocument::new(chain_kind);
    let mut snapshot = ParameterSnapshot::default();
    PARAMETERS.for_kind(chain_kind).for_each(|row| snapshot.set_value(row, row.at_fraction(0.4)));
    document.kept[1] = Some(snapshot);
    let params = PARAMETERS.for_kind(chain_kind).map(|row| (row.id.clone(), default_of(row))).collect();
    let text = serde_json::to_string(&document).expect("plain values");
    PluginState { version: "0.1.0".into(), params, fields: [(DOCUMENT_KEY.into(), text)].into() }
}

fn is_refused(state: &PluginState) -> bool {
    state.params.is_empty()
        && serde_json::from_str::<SavedDocument>(&state.fields[DOCUMENT_KEY])
            .is_ok_and(|d| d.refused.is_some())
}

#[test]
fn a_good_state_is_admitted_unchanged() {
    let mut state = good(ChainKind::Master);
    let before = format!("{state:?}");
    validate_state(ChainKind::Master, &mut state);
    assert_eq!(format!("{state:?}"), before);
}

#[test]
fn what_an_older_version_did_not_know_gets_its_default() {
    let mut state = good(ChainKind::Stem);
    state.params.remove("comp_ratio");
    state.params.insert("of_the_future".into(), ParamValue::Bool(true));
    validate_state(ChainKind::Stem, &mut state);
    assert!(state.params.contains_key("comp_ratio") && !state.params.contains_key("of_the_future"));
}

#[test]
fn a_bad_state_has_no_effect_and_says_why() {
    let breakages: [fn(&mut PluginState); 11] = [
        |s| drop(s.params.insert("in_trim".into(), ParamValue::F32(f32::INFINITY))),
        |s| drop(s.params.insert("in_trim".into(), ParamValue::F32(f32::NAN))),
        |s| drop(s.params.insert("in_trim".into(), ParamValue::F32(1.01))),
        |s| drop(s.params.insert("in_trim".into(), ParamValue::Bool(true))),
        |s| drop(s.params.insert("bypass".into(), ParamValue::I32(1))),
        |s| drop(s.params.insert("eq1_shape".into(), ParamValue::I32(99))),
        |s| drop(s.params.insert("eq1_shape".into(), ParamValue::I32(-1))),
        |s| drop(s.params.insert(LATENCY_CLASS.into(), ParamValue::I32(7))),
        |s| s.fields.clear(),
        |s| drop(s.fields.insert(DOCUMENT_KEY.into(), "{".into())),
        |s| {
            let text = s.fields[DOCUMENT_KEY].replace("stemlink.stem/1", "stemlink.stem/2");
            s.fields.insert(DOCUMENT_KEY.into(), text);
        },
    ];
    for (i, breakage) in breakages.into_iter().enumerate() {
        let mut state = good(ChainKind::Stem);
        breakage(&mut state);
        validate_state(ChainKind::Stem, &mut state);
        assert!(is_refused(&state), "{i}");
    }
    let mut state = good(ChainKind::Master);
    validate_state(ChainKind::Stem, &mut state);
    assert!(is_refused(&state), "a Master's state in a Stem");
}

fn saved(text: &str) -> PluginState {
    let mut state = good(ChainKind::Stem);
    let document = state.fields[DOCUMENT_KEY].replace("\"role\":null", &format!("\"role\":null,{text}"));
    state.fields.insert(DOCUMENT_KEY.into(), document);
    state
}

#[test]
fn identity_and_trim_are_checked_like_the_rest() {
    let good = "\"instance\":\"00000000000000ab\",\"session\":\"ffffffffffffffff\",\"trim\":-3.5";
    let mut state = saved(good);
    let before = state.fields[DOCUMENT_KEY].clone();
    validate_state(ChainKind::Stem, &mut state);
    assert_eq!(state.fields[DOCUMENT_KEY], before);
    for bad in [
        "\"instance\":\"ab\"",
        "\"instance\":\"0000000000000000\"",
        "\"session\":\"00000000000000zz\"",
        "\"session\":7",
        "\"trim\":24.1",
        "\"trim\":\"-3\"",
        "\"last\":true",
        "\"songs\":[{\"name\":\"A\",\"start\":0.0,\"end\":1.0}]",
        "\"references\":[\"a.wav\"]",
        "\"curve\":[0,0,0,0,0,0,0,0,24.1]",
        "\"curve\":[0,0,0]",
    ] {
        let mut state = saved(bad);
        validate_state(ChainKind::Stem, &mut state);
        assert!(is_refused(&state), "{bad}");
    }
}

/// Identity with instance id `number` and session id `number` + 1.
fn identity(number: u64) -> Identity {
    Identity { instance: NonZeroU64::new(number), session: NonZeroU64::new(number + 1) }
}

/// Document of a Stem with that identity.
fn stem_of(number: u64, trim: f64) -> SavedDocument {
    let mut document = SavedDocument { trim, ..SavedDocument::new(ChainKind::Stem) };
    document.set_identity(identity(number));
    document
}

/// Store whose instance has joined the link under `id`, where all ids above 9 belong to others.
fn joined(id: u64) -> (Store, Arc<dyn ClaimId>) {
    struct Link(u64);
    impl ClaimId for Link {
        fn claim_id(&self, wanted: NonZeroU64) -> Option<NonZeroU64> {
            NonZeroU64::new(if wanted.get() > 9 { self.0 } else { wanted.get() })
        }
    }
    let store = Store::new(ChainKind::Stem, Changes::default());
    let link: Arc<dyn ClaimId> = Arc::new(Link(id));
    store.update_identity(|_| identity(id));
    store.connect_link(Arc::downgrade(&link));
    (store, link)
}

#[test]
fn before_it_joins_an_instance_has_the_identity_that_was_loaded_last_and_keeps_it_then() {
    let store = Store::new(ChainKind::Stem, Changes::default());
    store.set(stem_of(1, -3.0));
    assert_eq!((store.identity(), store.trim()), (identity(1), Db(-3.0)));
    store.set(stem_of(3, -3.0));
    store.update_identity(|last| last);
    let (_, changes) = store.trim_and_changes();
    store.set(stem_of(1, 2.0));
    assert_eq!((store.identity(), store.trim()), (identity(3), Db(2.0)));
    assert!(store.trim_and_changes().1 > changes, "requests on their way are stale");
    assert_eq!(store.map(|document| document.clone()), stem_of(3, 2.0));
}

#[test]
fn an_identity_that_was_neither_saved_nor_loaded_gives_way_to_the_loaded_one() {
    let (store, _link) = joined(5);
    // a preset, saved before it was ever activated, has none
    store.set(SavedDocument::new(ChainKind::Stem));
    assert_eq!(store.identity(), identity(5));
    store.set(stem_of(1, 0.0));
    assert_eq!(store.identity(), identity(1));
    store.set(stem_of(3, 0.0));
    assert_eq!(store.identity(), identity(1), "known from here on");

    // what only a window reads has not been saved
    let (store, _link) = joined(5);
    assert_eq!(store.document().identity(), identity(5));
    store.set(stem_of(1, 0.0));
    assert_eq!(store.identity(), identity(1));
    let (store, _link) = joined(5);
    store.map(|_| ());
    store.set(stem_of(1, 0.0));
    assert_eq!(store.identity(), identity(5), "the host has saved it");
}

#[test]
fn an_id_that_another_instance_has_is_not_taken_and_the_session_is() {
    let (store, link) = joined(5);
    store.set(stem_of(10, 0.0));
    let Identity { session, .. } = identity(10);
    assert_eq!(store.identity(), Identity { session, ..identity(5) });
    // its own id has still been seen by nobody
    store.set(stem_of(1, 0.0));
    assert_eq!(store.identity(), identity(1));
    drop(link);
    let (store, link) = joined(5);
    drop(link);
    store.set(stem_of(1, 0.0));
    assert_eq!(store.identity().instance, identity(5).instance, "without the link nothing is claimed");
}

#[test]
fn a_trim_moves_into_its_parameter_as_far_as_that_has_room() {
    let changes = Changes::default();
    let store = Store::new(ChainKind::Stem, changes.clone());
    store.change_trim(|trim, _| Some(Db(trim.0 + 99.0)));
    assert_eq!(store.trim(), MAX_TRIM);
    let mut parameter = Db(0.0);
    store.move_trim(|trim| {
        assert!(store.is_moving());
        parameter = Db(12.0);
        Db(trim.0 - 12.0)
    });
    assert_eq!((parameter, store.trim(), store.is_moving()), (Db(12.0), Db(12.0), false));
    let before = changes.count();
    store.change_trim(|_, _| None);
    assert_eq!(changes.count(), before);
}

#[test]
fn a_refused_document_leaves_the_previous_one_in_place() {
    let store = Store::new(ChainKind::Stem, Changes::default());
    let document = SavedDocument { slot: 2, ..SavedDocument::new(ChainKind::Stem) };
    store.set(document.clone());
    let changes = store.changes.count();
    store.set(SavedDocument { refused: Some("why".into()), ..SavedDocument::new(ChainKind::Stem) });
    assert_eq!((store.document(), store.notice()), (document.clone(), Some("why".into())));
    assert_eq!(store.changes.count(), changes);
    store.set(document);
    assert_eq!(store.notice(), None);
}

#[test]
fn a_noise_print_is_saved_with_the_rest_to_the_bit() {
    let levels: Vec<f32> = (0..96u8).map(|band| -120.0 + f32::from(band) / 3.0).collect();
    let print = NoisePrint::new(&levels);
    let store = Store::new(ChainKind::Stem, Changes::default());
    store.noise().set_print(print.as_ref());
    let text = store.map(|document| serde_json::to_string(document).expect("plain values"));
    let mut state = good(ChainKind::Stem);
    state.fields.insert(DOCUMENT_KEY.into(), text.clone());
    validate_state(ChainKind::Stem, &mut state);
    assert_eq!(state.fields[DOCUMENT_KEY], text);
    let other = Store::new(ChainKind::Stem, Changes::default());
    other.noise().start_learning();
    other.set(serde_json::from_str(&text).expect("is a document"));
    assert_eq!((other.noise().print(), other.noise().learned_duration()), (print, None));
    other.set(SavedDocument::new(ChainKind::Stem));
    assert_eq!(other.noise().print(), None);
    for bad in ["\"noise\":[]", "\"noise\":[1.0]", "\"noise\":3"] {
        let mut state = saved(bad);
        validate_state(ChainKind::Stem, &mut state);
        assert!(is_refused(&state), "{bad}");
    }
}

#[test]
fn slots_keep_what_was_set_in_them() {
    let store = Store::new(ChainKind::Stem, Changes::default());
    let level = PARAMETERS.find("level").expect("exists");
    let at = |db: f64| {
        let mut snapshot = ParameterSnapshot::default();
        snapshot.set_value(level, Value::Number(Some(db)));
        snapshot
    };
    assert_eq!(store.switch_slot(1, at(-1.0)), at(-1.0), "a new slot starts as a copy");
    assert_eq!(store.switch_slot(0, at(-2.0)), at(-1.0));
    assert_eq!(store.switch_slot(1, at(-1.0)), at(-2.0));
    assert_eq!(at(-2.0).value(level), Value::Number(Some(-2.0)));
    store.keep_slot(3, at(-9.0));
    assert_eq!(store.slots(), (1, [true, true, false, true]));
    assert_eq!(store.switch_slot(3, at(-2.0)), at(-9.0));
}

proptest! {
    #[test]
    fn no_document_makes_the_gate_panic(text in "\\PC{0,80}", id in "[a-z0-9_]{1,12}", x in any::<f32>()) {
        let mut state = good(ChainKind::Stem);
        state.fields.insert(DOCUMENT_KEY.into(), text);
        validate_state(ChainKind::Stem, &mut state);
        prop_assert!(is_refused(&state));
        let mut state = good(ChainKind::Stem);
        state.params.insert(id, ParamValue::F32(x));
        validate_state(ChainKind::Stem, &mut state);
    }
}

#[test]
fn a_preset_sets_what_presets_set_and_leaves_the_rest() {
    use crate::presets;
    for chain_kind in [ChainKind::Stem, ChainKind::Master] {
        for preset in presets::all_factory(chain_kind) {
            let made = presets::state(chain_kind, &preset.values, "0.1.0");
            let mut admitted = made.clone();
            validate_state(chain_kind, &mut admitted);
            assert_eq!(admitted.params.len(), preset.values.len(), "{}", preset.name);
            assert!(
                admitted.params.keys().all(|id| made.params.contains_key(id)) && admitted.fields.is_empty()
            );
            assert!(!admitted.params.contains_key("level") && !admitted.params.contains_key(LATENCY_CLASS));
        }
    }
}

#[test]
fn a_preset_of_the_other_plugin_or_with_invalid_values_is_refused() {
    use crate::presets;
    let preset = &presets::all_factory(ChainKind::Stem)[1];
    let made = || presets::state(ChainKind::Stem, &preset.values, "0.1.0");
    let mut foreign = made();
    validate_state(ChainKind::Master, &mut foreign);
    assert!(is_refused(&foreign));
    let mut broken = made();
    broken.params.insert("comp_ratio".into(), ParamValue::F32(7.0));
    validate_state(ChainKind::Stem, &mut broken);
    assert!(is_refused(&broken));
    // parameters that presets do not set are left out
    let mut more = made();
    more.params.insert("level".into(), ParamValue::F32(0.5));
    validate_state(ChainKind::Stem, &mut more);
    assert!(!is_refused(&more) && !more.params.contains_key("level"));
}

#[test]
fn the_option_that_a_play_begins_anew_is_saved_and_off_in_older_states() {
    let store = Store::new(ChainKind::Stem, Changes::default());
    assert!(!store.restarts_with_play(), "as in states that know nothing of it");
    store.set_restart_with_play(true);
    let text = store.map(|document| serde_json::to_string(document).expect("plain values"));
    let mut state = good(ChainKind::Stem);
    state.fields.insert(DOCUMENT_KEY.into(), text.clone());
    validate_state(ChainKind::Stem, &mut state);
    let other = Store::new(ChainKind::Stem, Changes::default());
    other.set(serde_json::from_str(&state.fields[DOCUMENT_KEY]).expect("is a document"));
    assert!(other.restarts_with_play());
    other.set(SavedDocument::new(ChainKind::Stem));
    assert!(!other.restarts_with_play());
}
