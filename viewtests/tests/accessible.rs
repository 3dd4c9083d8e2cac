//! Without sight: in every view, and in every menu that opens from it, each control has a name, a role, its value in words,
//! and is reached and worked by keyboard.

use editor::theme::Palette;
use editor::view_model::ViewModel;
use egui::accesskit::{Action, Role};
use egui::{Key, Modifiers, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use std::collections::BTreeSet;
use viewtests::bench::{self, Driven};
use viewtests::hands::press;
use viewtests::{references, scene, session};

/// A view: its name, its model, and the tab or pane that is opened in it.
type View = (&'static str, ViewModel, &'static str);

fn views() -> Vec<View> {
    let stem = ["EQ", "Loudness", "Dynamics"].map(|pane| ("stem", scene::vocals(), pane));
    let master = ["Session", "Chain", "Masking", "References"].map(|tab| ("five", session::five(), tab));
    let others = [
        ("stem empty", scene::empty(), "EQ"),
        ("stem denoised", scene::denoised(), "EQ"),
        ("stem muted", scene::muted(), "EQ"),
        ("master empty", session::empty(), "Session"),
        ("32", session::thirty_two(), "Session"),
        ("lost", session::lost(), "Session"),
        ("finished", session::finished(), "Session"),
        ("compared", references::compared(), "References"),
    ];
    stem.into_iter().chain(master).chain(others).collect()
}

fn open((_, model, tab): &View) -> Driven {
    let mut driven = bench::view(model.clone(), Palette::DARK, vec2(1000.0, 640.0), 1.0);
    press(&mut driven, tab);
    driven
}

/// A control as assistive technology is told of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ControlSummary {
    role: String,
    name: String,
    faults: Vec<&'static str>,
}

/// All controls of the view that can be used, with what they lack.
fn controls(driven: &Driven) -> Vec<ControlSummary> {
    let is_control = |role| !matches!(role, Role::Label | Role::Window | Role::GenericContainer);
    let used = driven.query_all_by(|node| {
        let data = node.data();
        let acts = data.supports_action(Action::Click) || data.supports_action(Action::Focus);
        // egui's own bars of scrolling: lists follow the keyboard
        let is_control = |role| is_control(role) && (role != Role::ScrollBar || node.label().is_some());
        !node.is_disabled() && is_control(node.role()) && acts
    });
    used.map(|node| {
        let access = node.accesskit_node();
        let (data, role) = (access.data(), access.role());
        let name = access.label().unwrap_or_default();
        let needs_value = matches!(role, Role::SpinButton | Role::Slider | Role::ComboBox | Role::TextInput);
        let needs_state = matches!(role, Role::Switch | Role::CheckBox | Role::RadioButton);
        let faults = [
            (name.trim().is_empty(), "no name"),
            (role == Role::Unknown, "no role"),
            (needs_value && access.value().is_none(), "no value"),
            (needs_state && access.toggled().is_none(), "neither on nor off"),
            (!data.supports_action(Action::Focus), "no key reaches it"),
        ];
        let faults = faults.into_iter().filter(|(is, _)| *is).map(|(_, fault)| fault).collect();
        ControlSummary { role: format!("{role:?}"), name, faults }
    })
    .collect()
}

/// Faults of the view, as one line each.
fn faults(driven: &Driven, place: &str) -> Vec<String> {
    let controls = controls(driven);
    assert!(!controls.is_empty(), "{place}: no controls");
    let lacking = controls.iter().filter(|control| !control.faults.is_empty());
    lacking.map(|one| format!("{place}: {} \"{}\": {:?}", one.role, one.name, one.faults)).collect()
}

#[test]
fn every_control_of_every_view_and_menu_has_name_role_value_and_a_key() {
    let mut found = BTreeSet::new();
    let mut menus = 0;
    for view in views() {
        let driven = open(&view);
        let place = format!("{} {}", view.0, view.2);
        found.extend(faults(&driven, &place));
        // what each opens
        let openers: BTreeSet<String> = controls(&driven)
            .into_iter()
            .filter(|control| ["Button", "ComboBox", "Slider"].contains(&control.role.as_str()))
            .map(|control| control.name)
            .collect();
        for opener in openers {
            let mut driven = open(&view);
            let before = controls(&driven).len();
            let Some(node) = driven.query_all_by_label(&opener).next() else { continue };
            node.click_accesskit();
            driven.run();
            if controls(&driven).len() > before {
                menus += 1;
                found.extend(faults(&driven, &format!("{place}, {opener}")));
            }
        }
    }
    assert!(menus > 60, "{menus} menus opened");
    assert!(found.is_empty(), "{found:#?}");
}

/// Values of a view that a key must move: names of spin buttons and sliders.
fn values(driven: &Driven) -> BTreeSet<String> {
    let roles = ["SpinButton", "Slider"];
    let controls = controls(driven).into_iter().filter(|control| roles.contains(&control.role.as_str()));
    controls.map(|control| control.name).collect()
}

#[test]
fn every_value_is_moved_or_typed_by_key_alone() {
    let mut moved = 0;
    for view in views() {
        for name in values(&open(&view)) {
            let mut driven = open(&view);
            driven.get_all_by_label(&name).last().expect("it is there").focus();
            driven.run();
            let before = driven.get_all_by_label(&name).last().expect("it is there").value();
            let done = driven.state().done.len();
            // the node of a cut has no level: it goes sideways
            for key in [Key::ArrowUp, Key::ArrowRight] {
                driven.key_press(key);
                driven.run();
            }
            let after = driven.get_all_by_label(&name).last().expect("it is there").value();
            if driven.state().done.len() == done && before == after {
                driven.key_press(Key::Enter);
                driven.run();
                let is_typed = driven.query_all_by_role(Role::TextInput).next().is_some();
                assert!(is_typed, "{} {}: no key moves {name}, and it cannot be typed", view.0, view.2);
            }
            moved += 1;
        }
    }
    assert!(moved > 100, "{moved} values");
}

#[test]
fn assistive_technology_sets_a_value_by_its_number() {
    let mut driven = open(&("stem", scene::vocals(), "EQ"));
    for (name, id, asked, becomes) in [
        ("Compressor Threshold", "comp_threshold", -24.5, -24.5),
        ("Compressor Ratio", "comp_ratio", 1e9, 10.0),
        ("Band 2", "eq2_gain", 3.5, 3.5),
    ] {
        let target = driven.get_by_label(name).accesskit_node().data().supports_action(Action::SetValue);
        assert!(target, "{name} can be set");
        set(&mut driven, name, asked);
        assert_eq!(scene::number(&driven.state().model, id), becomes, "{name}");
    }
    press(&mut driven, "Undo");
    assert_eq!(scene::number(&driven.state().model, "eq2_gain"), -2.5, "one step of undo");
}

/// Asks for a number as assistive technology does.
fn set(driven: &mut Driven, name: &str, number: f64) {
    use egui::accesskit::{ActionData, ActionRequest};
    let node = driven.get_by_label(name);
    let (target_node, target_tree) = node.accesskit_node().locate();
    driven.event(egui::Event::AccessKitActionRequest(ActionRequest {
        action: Action::SetValue,
        target_tree,
        target_node,
        data: Some(ActionData::NumericValue(number)),
    }));
    driven.run();
}

#[test]
fn a_ghost_fader_and_a_trim_are_set_by_number_and_menus_open_by_key() {
    let mut driven = open(&("five", session::five(), "Session"));
    set(&mut driven, "Lead Vocals: what if", 1.5);
    assert!(driven.query_by_label("into the master").is_some(), "the prediction shows");
    let value = driven.get_by_label("Lead Vocals: what if").value();
    assert_eq!(value.as_deref(), Some("+1.5 dB"));
    // rarer actions of a stem, without the right button
    let name = driven.query_all_by_role(Role::ListItem).next().expect("a stem");
    name.focus();
    driven.run();
    driven.key_press(Key::M);
    driven.run();
    assert!(driven.query_by_label("Move down").is_some(), "the menu is open");
}

#[test]
fn bands_are_added_without_a_mouse() {
    let mut driven = open(&("stem empty", scene::empty(), "EQ"));
    driven.get_by_label("Equalizer").focus();
    driven.run();
    driven.key_press_modifiers(Modifiers::NONE, Key::M);
    driven.run();
    driven.get_by_label("Add bell").click_accesskit();
    driven.run();
    assert!(driven.query_by_label("Band 1").is_some());
    let hz = scene::number(&driven.state().model, "eq1_freq");
    assert!((500.0..2000.0).contains(&hz), "in the middle: {hz} Hz");
}

#[test]
fn a_list_that_scrolls_follows_the_keyboard() {
    let mut driven = open(&("stem", scene::vocals(), "EQ"));
    press(&mut driven, "Target");
    let list = |driven: &Driven| {
        let mut bars = driven.query_all_by_role(Role::ScrollBar).map(|bar| bar.rect());
        bars.next_back().expect("the list of platforms scrolls")
    };
    let before = list(&driven);
    // backwards from the first entry: round to the last ones, out of sight
    let names: BTreeSet<String> = controls(&driven).into_iter().map(|control| control.name).collect();
    for name in names {
        let Some(entry) = driven.query_all_by_label(&name).last() else { continue };
        if !before.y_range().expand(400.0).contains(entry.rect().center().y)
            || entry.accesskit_node().role() != Role::Button
        {
            continue;
        }
        entry.focus();
        driven.run();
        let entry = driven.query_all_by_label(&name).last().expect("it is still there");
        let inside = driven.ctx.content_rect().contains_rect(entry.rect());
        assert!(inside, "{name} has the keyboard and is out of sight: {}", entry.rect());
    }
}
