//! Bands of the equalizer handled together, by accessible names: selection, width, listening, copy and paste.

use chain::monitor::MonitorMode;
use chain::parameters::Value;
use editor::edits::Edit;
use editor::theme::Palette;
use editor::view_model::ViewModel;
use egui::{Event, Key, Modifiers, Pos2, vec2};
use egui_kittest::kittest::Queryable;
use viewtests::bench::{self, Driven, middle, pull};
use viewtests::hands::{press, says};
use viewtests::scene::{self, number, value};
use viewtests::whole::folder;

fn open(model: ViewModel) -> Driven {
    bench::view(model, Palette::DARK, vec2(1000.0, 640.0), 1.0)
}

fn drag(driven: &mut Driven, from: Pos2, to: Pos2) {
    pull(driven, from, to);
    driven.drop_at(to);
    driven.run();
}

/// Clicks a node with the command key held.
fn add(driven: &mut Driven, name: &str) {
    driven.event(Event::ModifiersChanged(Modifiers::COMMAND));
    driven.get_by_label(name).click_modifiers(Modifiers::COMMAND);
    driven.run();
    driven.event(Event::ModifiersChanged(Modifiers::NONE));
    driven.run();
}

fn save(driven: &Driven, name: &str) {
    bench::picture(driven).save(&folder().join(format!("{name}.png"))).expect("saved");
}

#[test]
fn several_nodes_are_selected_and_moved_together_in_one_step() {
    let mut driven = open(scene::vocals());
    let of = |driven: &Driven| {
        let model = &driven.state().model;
        [2, 3].map(|band| {
            let at = |id: &str| number(model, &format!("eq{band}_{id}"));
            (at("freq").ln(), at("gain"))
        })
    };
    let before = of(&driven);
    press(&mut driven, "Band 2");
    add(&mut driven, "Band 3");
    save(&driven, "bands-selected");
    let node = middle(&driven, "Band 3");
    drag(&mut driven, node, node + vec2(40.0, -30.0));
    let after = of(&driven);
    let moved: Vec<_> = after.iter().zip(before).map(|(a, b)| (a.0 - b.0, a.1 - b.1)).collect();
    assert!(moved[0].0 > 0.2 && moved[0].1 > 1.5, "{moved:?}");
    assert!((moved[0].0 - moved[1].0).abs() < 0.02 && (moved[0].1 - moved[1].1).abs() < 0.15, "{moved:?}");
    press(&mut driven, "Undo");
    assert_eq!(of(&driven), before);
    // others stay where they are
    assert_eq!(number(&driven.state().model, "eq5_freq"), 11_000.0);
}

#[test]
fn a_frame_over_the_background_selects_what_is_in_it_and_delete_resets_that() {
    let mut driven = open(scene::vocals());
    let (second, third) = (middle(&driven, "Band 2"), middle(&driven, "Band 3"));
    let corner = Pos2::new(second.x - 30.0, second.y + 60.0);
    drag(&mut driven, corner, third + vec2(15.0, -25.0));
    driven.get_by_label("Band 2").focus();
    driven.run();
    driven.key_press(Key::Delete);
    driven.run();
    let model = &driven.state().model;
    let is_on = |band: usize| value(model, &format!("eq{band}_on")) == Value::Switch(true);
    assert_eq!([1, 2, 3, 4, 5].map(is_on), [true, false, false, true, true]);
}

#[test]
fn handles_beside_a_node_set_its_q() {
    let mut driven = open(scene::vocals());
    press(&mut driven, "Band 3");
    save(&driven, "bands-handles");
    let before = number(&driven.state().model, "eq3_q");
    let handle = middle(&driven, "Band 3 width, right");
    drag(&mut driven, handle, handle - vec2(25.0, 0.0));
    let narrow = number(&driven.state().model, "eq3_q");
    assert!(narrow > 1.2 * before, "{before} {narrow}");
    let handle = middle(&driven, "Band 3 width, left");
    drag(&mut driven, handle, handle - vec2(60.0, 0.0));
    let wide = number(&driven.state().model, "eq3_q");
    assert!(wide < narrow, "{narrow} {wide}");
    assert_eq!(number(&driven.state().model, "eq3_gain"), 1.5);
    press(&mut driven, "Undo");
    press(&mut driven, "Undo");
    assert_eq!(number(&driven.state().model, "eq3_q"), before);
    // a cut has none
    press(&mut driven, "Band 1");
    assert!(driven.query_by_label("Band 1 width, right").is_none());
}

#[test]
fn a_band_is_heard_while_its_headphones_are_held() {
    let mut driven = open(scene::vocals());
    press(&mut driven, "Band 4");
    let at = middle(&driven, "Hold to hear band 4");
    driven.hover_at(at);
    driven.step();
    driven.drag_at(at);
    driven.run_steps(4);
    assert_eq!(driven.state().model.listen, MonitorMode::Band(3));
    driven.drop_at(at);
    driven.run();
    assert_eq!(driven.state().model.listen, MonitorMode::Off);
    let modes = driven.state().done.iter().filter(|edit| matches!(edit, Edit::MonitorMode(_))).count();
    assert_eq!(modes, 2);
}

#[test]
fn bands_are_copied_from_one_stem_to_another_and_what_does_not_fit_is_said() {
    let mut from = open(scene::vocals());
    press(&mut from, "Band 2");
    add(&mut from, "Band 4");
    from.get_by_label("Band 4").click_secondary();
    from.run();
    press(&mut from, "Copy 2 bands");

    let mut to = open(scene::empty());
    let ground = to.get_by_label("Equalizer").rect().center() + vec2(80.0, 90.0);
    to.hover_at(ground);
    to.run();
    to.get_by_label("Equalizer").click_secondary();
    to.run();
    press(&mut to, "Paste bands");
    let model = &to.state().model;
    for id in ["on", "shape", "freq", "gain", "q", "range", "threshold", "attack", "release"] {
        for (pasted, copied) in [(1, 2), (2, 4)] {
            let of = |model: &ViewModel, band: usize| value(model, &format!("eq{band}_{id}"));
            assert_eq!(of(model, pasted), of(&from.state().model, copied), "{id}");
        }
    }
    press(&mut to, "Undo");
    assert_eq!(to.state().model.settings, scene::empty().settings);

    // by the keyboard, as text from the system's clipboard; a stem that has no band left says so
    let text =
        "# Bands of a Stemlink equalizer\neq7_on = true\neq7_freq = 2500\neq8_on = true\neq8_freq = 5000\n";
    let mut full = scene::vocals();
    for band in [6, 7] {
        scene::set(&mut full.settings, &format!("eq{band}_on"), "on");
    }
    let mut driven = open(full);
    driven.get_by_label("Band 1").focus();
    driven.run();
    driven.event(Event::Text(text.into()));
    driven.run();
    assert_eq!(number(&driven.state().model, "eq8_freq"), 2500.0);
    assert!(says(&driven, "One band was not pasted: all eight are in use"));
    driven.event(Event::Text("# Bands of a Stemlink equalizer\neq1_freq = 1e9\n".into()));
    driven.run();
    assert!(says(&driven, "Not pasted: line 2"));
}
