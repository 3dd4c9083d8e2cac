//! Actions of a user with references, by accessible names.

use chain::monitor::MonitorMode;
use editor::edits::Edit;
use editor::master::checklist;
use editor::theme::Palette;
use editor::view_model::ViewModel;
use egui::accesskit::Role;
use egui::vec2;
use egui_kittest::kittest::{NodeT, Queryable};
use units::Lufs;
use viewtests::bench::{self, Driven};
use viewtests::hands::{press, says, type_keys};
use viewtests::{references, session};

fn tab(model: ViewModel) -> Driven {
    let mut driven = bench::view(model, Palette::DARK, vec2(1000.0, 640.0), 1.0);
    press(&mut driven, "References");
    driven
}

fn paths(driven: &Driven) -> Vec<&str> {
    driven.state().model.master.references.kept.iter().map(|one| one.path.as_str()).collect()
}

#[test]
fn every_song_says_its_loudness_its_peak_and_how_it_is_played() {
    let driven = tab(references::compared());
    let mix = driven.state().model.reading.integrated.expect("heard").0;
    let minus = |x: f64| format!("{x:.1}").replace('-', "\u{2212}");
    assert!(says(&driven, &format!("as loud as the mix so far: {} LUFS", minus(mix))));
    // a loud one comes down to the mix
    let down = minus(mix + 7.4);
    assert!(says(&driven, &format!("\u{2212}7.4 LUFS  ·  \u{2212}0.2 dBTP  ·  3:42  ·  played {down} dB")));
    // a quiet one goes up as far as its peak lets it, and says how much is missing
    let short = minus(mix + 19.8 - 3.1);
    assert!(says(
        &driven,
        &format!("played +3.1 dB, still {short} LU quieter: its true peak allows no more")
    ));
    assert!(says(&driven, "/music/Gone.wav: cannot be opened") && says(&driven, "Being measured"));
}

#[test]
fn one_click_switches_between_mix_and_reference_on_every_tab_and_a_sign_says_so() {
    let mut driven = tab(references::compared());
    press(&mut driven, "Play Old And Quiet.aiff");
    assert!(matches!(driven.state().model.listen, MonitorMode::Reference { .. }));
    assert!(says(&driven, "Listening to Old And Quiet.aiff"), "the sign");
    assert!(
        checklist(&driven.state().model)
            .iter()
            .any(|point| point.words == "Listening to something else: Master")
    );
    press(&mut driven, "Session");
    press(&mut driven, "Reference");
    assert_eq!(driven.state().model.listen, MonitorMode::Off);
    press(&mut driven, "Reference");
    assert_eq!(driven.state().model.master.references.heard, Some(1), "the one heard last");
    driven.get_by_label_contains("Listening to Old").click();
    driven.run();
    assert_eq!(driven.state().model.listen, MonitorMode::Off, "a click on the sign");
    press(&mut driven, "References");
    press(&mut driven, "Play Old And Quiet.aiff");
    press(&mut driven, "Play Old And Quiet.aiff");
    assert_eq!(driven.state().done.last(), Some(&Edit::PlayReference(None)));
}

#[test]
fn what_cannot_be_matched_cannot_be_heard() {
    let mut model = references::compared();
    model.master.references.mix = None;
    let mut driven = tab(model);
    assert!(says(&driven, "play it first") && driven.query_by_label("Reference").is_none());
    for name in ["Play Brightside (master 24-48).flac", "Play Gone.wav", "Play New.wav"] {
        assert!(driven.get_by_label(name).accesskit_node().is_disabled(), "{name}");
        press(&mut driven, name);
    }
    assert!(driven.state().done.is_empty());
    driven.state_mut().model.master.references.mix = Some(Lufs(-9.0));
    driven.run();
    press(&mut driven, "Play Gone.wav");
    assert!(driven.state().done.is_empty(), "a broken one never");
}

#[test]
fn songs_are_added_by_mouse_alone_and_by_a_path_and_each_is_a_step() {
    let mut driven = tab(session::five());
    assert!(says(&driven, "Add a song that you know well"));
    press(&mut driven, "Add a song\u{2026}");
    press(&mut driven, "Albums/");
    press(&mut driven, "Other.wav");
    assert_eq!(paths(&driven), ["/music/Albums/Other.wav"]);
    press(&mut driven, "Add a song\u{2026}");
    driven.get_by_label("Path of a song").focus();
    driven.run();
    type_keys(&mut driven, "/a b.flac");
    assert_eq!(paths(&driven), ["/music/Albums/Other.wav", "/a b.flac"]);
    press(&mut driven, "Remove Other.wav");
    assert_eq!(paths(&driven), ["/a b.flac"]);
    press(&mut driven, "Undo");
    assert_eq!(paths(&driven), ["/music/Albums/Other.wav", "/a b.flac"]);
    press(&mut driven, "Undo");
    press(&mut driven, "Undo");
    assert!(paths(&driven).is_empty());
}

#[test]
fn a_song_is_there_once_and_of_the_most_there_is_no_more() {
    let mut driven = tab(references::compared());
    press(&mut driven, "Add a song\u{2026}");
    driven.get_by_role_and_label(Role::Button, "New.wav").click();
    driven.run();
    assert_eq!(paths(&driven).len(), 4, "it was there");
    let mut driven = tab(references::many());
    assert!(driven.get_by_label("Add a song\u{2026}").accesskit_node().is_disabled());
    press(&mut driven, "Loudest 20 s");
    assert!(!driven.state().model.master.references.along);
    press(&mut driven, "With the transport");
    assert!(driven.state().model.master.references.along);
}
