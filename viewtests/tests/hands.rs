//! Actions of a user, by accessible names: drag, turn, type, undo, choose.

use chain::monitor::MonitorMode;
use chain::parameters::Value;
use editor::edits::Edit;
use editor::refusals::Refusals;
use editor::theme::Palette;
use editor::view_model::ViewModel;
use egui::{Event, Key, Modifiers, Pos2, vec2};
use egui_kittest::kittest::Queryable;
use plugin_core::session_view::MasterLink;
use session::audition::AuditionEffect;
use units::{Db, Ms};
use viewtests::bench::{self, Driven, middle, pull};
use viewtests::hands::{notch, press, turn, type_keys};
use viewtests::scene::{self, number, value};

fn stem() -> Driven {
    bench::view(scene::vocals(), Palette::DARK, vec2(1000.0, 640.0), 1.0)
}

fn drag(driven: &mut Driven, from: Pos2, to: Pos2) {
    pull(driven, from, to);
    driven.drop_at(to);
    driven.run();
}

fn double_click(driven: &mut Driven, at: Pos2) {
    driven.hover_at(at);
    driven.step();
    for pressed in [true, false, true, false] {
        driven.event(Event::PointerButton {
            pos: at,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
    }
    driven.run();
}

#[test]
fn a_node_is_dragged_in_frequency_and_gain_as_one_gesture_and_one_step() {
    let mut driven = stem();
    let before = (number(&driven.state().model, "eq3_freq"), number(&driven.state().model, "eq3_gain"));
    let from = middle(&driven, "Band 3");
    drag(&mut driven, from, from + vec2(-60.0, -40.0));
    let bench = driven.state();
    let (hz, gain) = (number(&bench.model, "eq3_freq"), number(&bench.model, "eq3_gain"));
    assert!(hz < before.0 * 0.7 && gain > before.1 + 2.0, "{before:?} to {hz} {gain}");
    let count = |of: fn(&Edit) -> bool| bench.done.iter().filter(|edit| of(edit)).count();
    assert_eq!((count(|e| matches!(e, Edit::Begin(_))), count(|e| matches!(e, Edit::End(_)))), (2, 2));
    // the node is where it was let go
    let to = middle(&driven, "Band 3");
    assert!((to - from - vec2(-60.0, -40.0)).length() < 8.0, "{from} {to}");
    press(&mut driven, "Undo");
    let model = &driven.state().model;
    assert_eq!((number(model, "eq3_freq"), number(model, "eq3_gain")), before);
    press(&mut driven, "Redo");
    assert_eq!(number(&driven.state().model, "eq3_freq"), hz);
}

#[test]
fn the_wheel_over_a_node_turns_its_q() {
    let mut driven = stem();
    let at = middle(&driven, "Band 2");
    turn(&mut driven, at, 3.0);
    assert!(number(&driven.state().model, "eq2_q") > 1.2);
    assert_eq!(number(&driven.state().model, "eq2_gain"), -2.5);
}

#[test]
fn a_double_click_adds_a_band_where_it_is_and_on_a_node_resets_it() {
    let mut driven = bench::view(scene::empty(), Palette::DARK, vec2(1000.0, 640.0), 1.0);
    let graph = driven.get_by_label("Equalizer").rect();
    let at = graph.center() + vec2(40.0, -50.0);
    double_click(&mut driven, at);
    let model = &driven.state().model;
    assert_eq!(value(model, "eq1_on"), Value::Switch(true));
    assert!(number(model, "eq1_gain") > 3.0, "{}", number(model, "eq1_gain"));
    let node = middle(&driven, "Band 1");
    assert!((node - at).length() < 2.0, "{node} {at}");
    driven.run_steps(40); // or it were the third and fourth click of the first
    double_click(&mut driven, node);
    assert_eq!(driven.state().model.settings, scene::empty().settings);
    press(&mut driven, "Undo");
    assert_eq!(value(&driven.state().model, "eq1_on"), Value::Switch(true));
}

#[test]
fn a_value_is_typed_with_its_unit() {
    let mut driven = stem();
    press(&mut driven, "Compressor Threshold");
    type_keys(&mut driven, "-24.5 dB");
    assert_eq!(number(&driven.state().model, "comp_threshold"), -24.5);
    let text = driven.get_by_label("Compressor Threshold").value();
    assert_eq!(text.as_deref(), Some("\u{2212}24.5 dBFS"));
    // nonsense changes nothing
    press(&mut driven, "Compressor Attack");
    type_keys(&mut driven, "3 apples");
    assert_eq!(number(&driven.state().model, "comp_attack"), 15.0);
}

#[test]
fn fields_are_dragged_finely_with_shift_turned_and_put_back() {
    let mut driven = stem();
    let at = middle(&driven, "Compressor Threshold");
    drag(&mut driven, at, at - vec2(0.0, 40.0));
    let coarse = number(&driven.state().model, "comp_threshold") + 18.0;
    assert!(coarse > 5.0, "{coarse}");
    double_click(&mut driven, at);
    assert_eq!(number(&driven.state().model, "comp_threshold"), -18.0);
    driven.event(Event::ModifiersChanged(Modifiers::SHIFT));
    drag(&mut driven, at, at - vec2(0.0, 40.0));
    let fine = number(&driven.state().model, "comp_threshold") + 18.0;
    assert!(fine > 0.3 && fine < coarse / 5.0, "{fine} {coarse}");
    driven.event(Event::ModifiersChanged(Modifiers::NONE));
    double_click(&mut driven, at);
    turn(&mut driven, at, -1.0);
    assert_eq!(number(&driven.state().model, "comp_threshold"), -18.5);
}

#[test]
fn everything_is_reached_by_keyboard() {
    let mut driven = stem();
    driven.get_by_label("Compressor Ratio").focus();
    driven.run();
    driven.key_press(Key::ArrowUp);
    driven.run();
    assert!(number(&driven.state().model, "comp_ratio") > 1.5);
    driven.key_press(Key::Delete);
    driven.run();
    assert_eq!(number(&driven.state().model, "comp_ratio"), 1.5);
    driven.get_by_label("Band 3").focus();
    driven.run();
    driven.key_press(Key::ArrowUp);
    driven.run();
    assert_eq!(number(&driven.state().model, "eq3_gain"), 2.0);
    driven.key_press(Key::Delete);
    driven.run();
    assert_eq!(value(&driven.state().model, "eq3_on"), Value::Switch(false));
}

#[test]
fn settings_a_to_d_are_kept_and_copied() {
    let mut driven = stem();
    press(&mut driven, "C");
    assert_eq!(driven.state().model.slot, 2);
    let at = middle(&driven, "Compressor Threshold");
    turn(&mut driven, at, -4.0);
    let other = number(&driven.state().model, "comp_threshold");
    press(&mut driven, "A");
    assert_eq!(number(&driven.state().model, "comp_threshold"), -18.0);
    press(&mut driven, "C");
    assert_eq!(number(&driven.state().model, "comp_threshold"), other);
    driven.get_by_label("D").click_secondary();
    driven.run();
    press(&mut driven, "Copy C to D");
    assert!(driven.state().model.used[3] && driven.state().model.slot == 2);
}

#[test]
fn a_unit_that_needs_another_latency_class_leads_there() {
    let mut driven = bench::view(scene::empty(), Palette::DARK, vec2(1000.0, 640.0), 1.0);
    assert!(driven.query_by_label("Limiter On").is_none());
    let name = driven.state().model.classes[1].1;
    driven.get_all_by_label(&format!("Use {name}")).last().expect("the limiter's").click();
    driven.run();
    press(&mut driven, "Limiter On");
    assert_eq!(value(&driven.state().model, "lim_on"), Value::Switch(true));
}

#[test]
fn wishes_that_the_host_does_not_grant_say_so_beside_their_controls() {
    let driven = bench::view(scene::empty(), Palette::DARK, vec2(1000.0, 640.0), 1.0);
    assert!(driven.query_by_label("not active yet").is_none());
    let refusals = Refusals { restart: true, scale: Some(1.5) };
    let model = ViewModel { refusals, ..scene::empty() };
    let mut driven = bench::view(model, Palette::DARK, vec2(1000.0, 640.0), 1.0);
    assert!(driven.query_by_label("not active yet").is_some());
    press(&mut driven, "Window");
    let words = "The host keeps the window too small for 150 %: it is drawn as large as fits, 100 %";
    assert!(driven.query_by_label(words).is_some());
}

#[test]
fn a_play_from_the_start_begins_anew_if_the_window_menu_says_so() {
    const OPTION: &str = "A play from the start begins anew";
    let mut driven = bench::view(scene::vocals(), Palette::DARK, vec2(1000.0, 640.0), 1.0);
    for expected in [true, false] {
        press(&mut driven, "Window");
        press(&mut driven, OPTION);
        assert_eq!(driven.state().model.restarts_with_play, expected);
    }
}

#[test]
fn presets_are_stepped_through_forth_and_back_around_the_end() {
    let mut driven = stem();
    let shown = |driven: &Driven| driven.get_by_label("Presets").value().unwrap_or_default();
    press(&mut driven, "Next preset");
    let first = shown(&driven);
    press(&mut driven, "Next preset");
    let second = shown(&driven);
    assert!(first != second && !second.contains("edited"), "{first} {second}");
    press(&mut driven, "Previous preset");
    assert_eq!(shown(&driven), first);
    press(&mut driven, "Previous preset");
    let last = shown(&driven);
    assert!(last != first && last != second, "{last}");
    press(&mut driven, "Next preset");
    assert_eq!(shown(&driven), first);
    // each is one step
    press(&mut driven, "Undo");
    assert_eq!(shown(&driven), format!("{first}, edited"));
    press(&mut driven, "Redo");
    assert_eq!(shown(&driven), first);
}

#[test]
fn presets_are_loaded_as_one_step_and_leave_the_level_alone() {
    let mut model = scene::vocals();
    scene::set(&mut model.settings, "level", "-3");
    let before = model.settings.clone();
    let mut driven = bench::view(model, Palette::DARK, vec2(1000.0, 640.0), 1.0);
    press(&mut driven, "Presets");
    press(&mut driven, "Drums: punch, gently held");
    let model = &driven.state().model;
    assert_eq!((number(model, "comp_hp"), value(model, "eq1_on")), (90.0, Value::Switch(false)));
    assert_eq!((number(model, "level"), model.name.as_str()), (-3.0, "Lead Vocals"));
    assert_eq!(driven.get_by_label("Presets").value().as_deref(), Some("Drums: punch, gently held"));
    press(&mut driven, "Undo");
    assert_eq!(driven.state().model.settings, before);
}

#[test]
fn the_present_sound_is_kept_under_a_name() {
    let mut driven = stem();
    press(&mut driven, "Presets");
    driven.get_by_label("Name of the preset").focus();
    driven.run();
    type_keys(&mut driven, "Mine: bright");
    let presets = &driven.state().model.presets;
    assert_eq!(presets.iter().map(|preset| preset.name.as_str()).collect::<Vec<_>>(), ["Mine bright"]);
    assert_eq!(driven.get_by_label("Presets").value().as_deref(), Some("Mine bright"));
}

#[test]
fn all_of_a_unit_opens_over_its_card() {
    let mut driven = stem();
    press(&mut driven, "Compressor: everything");
    let hidden = driven.get_by_label("Compressor Key High-Pass");
    hidden.click();
    driven.run();
    type_keys(&mut driven, "120");
    assert_eq!(number(&driven.state().model, "comp_hp"), 120.0);
    let window = egui::Rect::from_min_size(Pos2::ZERO, vec2(1000.0, 640.0));
    assert!(window.contains_rect(driven.get_by_label("Compressor Stereo Link").rect()));
}

#[test]
fn the_right_click_menu_of_a_node_has_the_rest() {
    let mut driven = stem();
    driven.get_by_label("Band 2").click_secondary();
    driven.run();
    press(&mut driven, "Make dynamic");
    assert_eq!(number(&driven.state().model, "eq2_range"), -3.0);
    driven.get_by_label("Band 2").click_secondary();
    driven.run();
    press(&mut driven, "Switch off");
    assert_eq!(value(&driven.state().model, "eq2_on"), Value::Switch(false));
}

#[test]
fn noise_is_learned_used_and_tracked_again() {
    let model = scene::denoised();
    let mut driven = bench::view(model, Palette::DARK, vec2(1000.0, 640.0), 1.0);
    press(&mut driven, "Learn noise");
    assert_eq!(driven.state().model.learning, Some(Ms(2500.0)));
    assert!(driven.query_by_label("Track").is_none());
    press(&mut driven, "Use noise");
    assert!(driven.state().model.settings.denoise.print.is_some());
    press(&mut driven, "Track");
    assert_eq!(driven.state().model.settings.denoise.print, None);
    press(&mut driven, "Undo");
    assert!(driven.state().model.settings.denoise.print.is_some());
}

#[test]
fn a_stem_that_its_master_has_muted_says_so_and_is_heard_again_by_a_click() {
    let mut driven = bench::view(scene::muted(), Palette::DARK, vec2(1000.0, 640.0), 1.0);
    driven.get_by_label("Muted by the Master").click();
    driven.run();
    assert_eq!(driven.state().done, [Edit::MonitorMode(MonitorMode::Off)]);
    assert!(driven.query_by_label_contains("by the Master").is_none());
    let mut model = scene::muted();
    model.asked = Some(AuditionEffect::Bypassed);
    let driven = bench::view(model, Palette::DARK, vec2(1000.0, 640.0), 1.0);
    assert!(driven.query_by_label("Bypassed by the Master").is_some());
}

#[test]
fn something_else_is_heard_by_the_menu_with_a_sign_that_ends_it() {
    let mut driven = stem();
    assert!(driven.query_by_label_contains("Listening to").is_none());
    press(&mut driven, "Listen");
    // bands that are on can be heard, what there is not cannot
    assert!(
        driven.query_by_label("Band 2: 320 Hz").is_some()
            && driven.query_by_label_contains("Band 6:").is_none()
    );
    press(&mut driven, "Removed noise");
    assert_eq!(driven.state().model.listen, MonitorMode::Off);
    if driven.query_by_label("Mono").is_none() {
        press(&mut driven, "Listen");
    }
    press(&mut driven, "Input, equally loud (+1.8 dB)");
    assert_eq!(driven.state().model.listen, MonitorMode::Bypass(Db(1.8)));
    press(&mut driven, "Listening to the input, +1.8 dB");
    assert_eq!(driven.state().model.listen, MonitorMode::Off);
    driven.get_by_label("Band 3").click_secondary();
    driven.run();
    press(&mut driven, "Listen to this band");
    assert_eq!(driven.state().model.listen, MonitorMode::Band(2));
    assert!(driven.query_by_label("Listening to band 3").is_some());
}

#[test]
fn an_idle_view_asks_for_no_further_frame() {
    let mut driven = stem();
    driven.run();
    let delay = driven.output().viewport_output.values().map(|v| v.repaint_delay).min();
    assert!(delay.is_some_and(|delay| delay.as_secs() > 3600), "{delay:?}");
}

#[test]
fn a_trim_is_shown_with_or_without_a_master_and_becomes_a_part_of_the_level_by_a_click() {
    for snapshot in [scene::linked(MasterLink::Lost), scene::vocals().snapshot] {
        let model = ViewModel { snapshot, ..scene::vocals() };
        let mut driven = bench::view(model, Palette::DARK, vec2(1000.0, 640.0), 1.0);
        let level = driven.state().model.settings.level;
        press(&mut driven, "Master asks −1.0 dB · in effect");
        assert!(driven.state().done.contains(&Edit::TakeTrim));
        assert_eq!(driven.state().model.settings.level, Db(level.0 - 1.0));
        assert!(driven.query_by_label("Master asks −1.0 dB · in effect").is_none());
    }
}

#[test]
fn the_threshold_of_noise_reduction_is_bent_octave_by_octave_and_each_gesture_is_a_step() {
    let mut driven = bench::view(scene::denoised(), Palette::DARK, vec2(1000.0, 640.0), 1.0);
    press(&mut driven, "Denoise: everything");
    let curve = |driven: &Driven| driven.state().model.settings.denoise.curve.map(|point| point.0);
    let at = middle(&driven, "Threshold at 4000 Hz");
    pull(&mut driven, at, at - vec2(0.0, 16.0));
    driven.drop_at(at - vec2(0.0, 16.0));
    driven.run();
    let raised = curve(&driven)[6];
    assert!(
        raised > 3.0 && curve(&driven).iter().filter(|x| **x == 0.0).count() == 8,
        "{:?}",
        curve(&driven)
    );
    let value = driven.get_by_label("Threshold at 4000 Hz").value();
    assert_eq!(value, Some(format!("+{raised:.1} dB")));
    driven.get_by_label("Threshold at 63 Hz").focus();
    driven.run();
    driven.key_press(Key::ArrowDown);
    driven.run();
    assert_eq!(curve(&driven)[0], -0.5);
    press(&mut driven, "Undo");
    assert_eq!((curve(&driven)[0], curve(&driven)[6]), (0.0, raised));
    press(&mut driven, "Undo");
    assert_eq!(curve(&driven), [0.0; 9], "a drag is one step");
}

#[test]
fn notches_of_the_wheel_at_one_octave_of_the_threshold_are_one_step() {
    let mut driven = bench::view(scene::denoised(), Palette::DARK, vec2(1000.0, 640.0), 1.0);
    press(&mut driven, "Denoise: everything");
    let curve = |driven: &Driven| driven.state().model.settings.denoise.curve.map(|point| point.0);
    for (octave, notches) in [("4000", 4), ("250", 2)] {
        let at = middle(&driven, &format!("Threshold at {octave} Hz"));
        driven.hover_at(at);
        driven.step();
        for _ in 0..notches {
            notch(&mut driven, 1.0);
        }
    }
    // a pause: what follows is another step
    driven.run_steps(60);
    notch(&mut driven, -1.0);
    let turned = |low, high| [0.0, 0.0, low, 0.0, 0.0, 0.0, high, 0.0, 0.0];
    assert_eq!(curve(&driven), turned(0.5, 2.0));
    for (low, high) in [(1.0, 2.0), (0.0, 2.0), (0.0, 0.0)] {
        press(&mut driven, "Undo");
        assert_eq!(curve(&driven), turned(low, high));
    }
    press(&mut driven, "Redo");
    assert_eq!(curve(&driven), turned(0.0, 2.0));
}

#[test]
fn a_point_of_the_threshold_that_is_dragged_beyond_its_end_comes_back_at_once() {
    let mut driven = bench::view(scene::denoised(), Palette::DARK, vec2(1000.0, 640.0), 1.0);
    press(&mut driven, "Denoise: everything");
    let raised = |driven: &Driven| driven.state().model.settings.denoise.curve[4].0;
    let at = middle(&driven, "Threshold at 1000 Hz");
    let far = at - vec2(0.0, 300.0);
    pull(&mut driven, at, far);
    let most = raised(&driven);
    driven.hover_at(far + vec2(0.0, 10.0));
    driven.step();
    assert!(most > 0.0 && raised(&driven) < most, "{most} and {}", raised(&driven));
    driven.drop_at(far);
    driven.run();
}
