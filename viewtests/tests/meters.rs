//! Meters, graphs and spectra as a user handles them, by accessible names; pictures in `target/views`.

use ::session::stem_status::StemStatus;
use chain::monitor::MonitorMode;
use editor::display::{LoudnessScale, LoudnessTarget, LoudnessUnit, SpectrumDisplay, SpectrumSpeed};
use editor::edits::Edit;
use editor::theme::Palette;
use editor::view_model::{Clash, ViewModel};
use egui::{Key, Pos2, Vec2, vec2};
use egui_kittest::kittest::Queryable;
use plugin_core::session_view::BandMark;
use units::{Db, Dbtp, Hz, Lufs};
use viewtests::bench::{self, Driven};
use viewtests::hands::{press, says, turn};
use viewtests::whole::{folder, whole};
use viewtests::{scene, session};

const SIZE: Vec2 = vec2(1000.0, 640.0);

fn open(model: ViewModel) -> Driven {
    bench::view(model, Palette::DARK, SIZE, 1.0)
}

/// Value of the element called `name`.
fn value(driven: &Driven, name: &str) -> String {
    driven.get_by_label(name).value().unwrap_or_default()
}

fn save(driven: &Driven, name: &str) {
    bench::picture(driven).save(&folder().join(format!("{name}.png"))).expect("saved");
}

#[test]
fn each_channel_holds_its_peak_says_when_it_was_over_and_a_click_resets_both() {
    for size in [SIZE, vec2(760.0, 480.0)] {
        let model = ViewModel { peaks: [Some(Dbtp(0.4)), Some(Dbtp(-2.5))], ..scene::vocals() };
        let mut driven = bench::view(model, Palette::DARK, size, 1.0);
        assert_eq!(value(&driven, "Peak L"), "0.4 dBTP, over");
        assert_eq!(value(&driven, "Peak R"), "\u{2212}2.5 dBTP");
        assert_eq!(value(&driven, "Highest gain reduction"), "4.8 dB");
        press(&mut driven, "Peak L");
        assert_eq!(driven.state().done, [Edit::ResetPeaks]);
        assert_eq!((value(&driven, "Peak L"), value(&driven, "Peak R")), ("– dBTP".into(), "– dBTP".into()));
        assert_eq!(value(&driven, "Highest gain reduction"), "0.0 dB");
    }
}

#[test]
fn loudness_is_reset_by_a_button_and_a_master_s_resets_all_stems_too() {
    let mut driven = open(scene::vocals());
    press(&mut driven, "Reset loudness");
    assert_eq!(driven.state().done, [Edit::Restart]);
    assert_eq!(value(&driven, "Heard"), "0:00 ");
    let mut driven = open(session::five());
    press(&mut driven, "Reset loudness");
    assert!(driven.state().done.is_empty(), "it asks whose first");
    press(&mut driven, "Reset all stems");
    assert_eq!(driven.state().done, [Edit::Restart, Edit::ResetStems]);
    press(&mut driven, "Reset loudness");
    press(&mut driven, "Reset this Master");
    assert_eq!(driven.state().done[2..], [Edit::Restart]);
}

#[test]
fn the_highest_momentary_and_short_term_loudness_stand_in_every_window() {
    for (model, tab) in
        [(scene::vocals(), None), (session::five(), Some("Session")), (session::five(), Some("Chain"))]
    {
        let expected =
            [model.reading.momentary_max, model.reading.short_term_max].map(|max| max.expect("heard").0);
        let mut driven = open(model);
        if let Some(tab) = tab {
            press(&mut driven, tab);
        }
        for (name, expected) in ["Momentary max", "Short-term max"].into_iter().zip(expected) {
            assert_eq!(value(&driven, name), format!("\u{2212}{:.1} LUFS", -expected), "{name} {tab:?}");
        }
    }
}

#[test]
fn a_platform_or_a_figure_of_one_s_own_is_the_target_and_loudness_is_told_relative_to_it() {
    for size in [SIZE, vec2(760.0, 480.0)] {
        let mut driven = bench::view(scene::vocals(), Palette::DARK, size, 1.0);
        assert_eq!(value(&driven, "Target"), "none");
        press(&mut driven, "Target");
        press(&mut driven, "Apple Music  \u{2212}16");
        assert_eq!(value(&driven, "Target"), "\u{2212}2.4 LU to Apple Music, \u{2212}16.0 LUFS");
        press(&mut driven, "LU");
        press(&mut driven, "EBU +9");
        driven.key_press(Key::Escape);
        driven.run();
        let display = driven.state().model.display.meter.clone();
        assert_eq!((display.unit, display.scale), (LoudnessUnit::Relative, LoudnessScale::Ebu9));
        assert_eq!(value(&driven, "Short-term"), "\u{2212}1.8 LU");
        assert_eq!(value(&driven, "Momentary max"), "+4.0 LU");
        assert_eq!(value(&driven, "Loudness bar"), "M \u{2212}0.9, S \u{2212}1.8, I \u{2212}2.4 LU");
        whole(&driven, "relative", size);
        save(&driven, &format!("meters-target-{}", size.x));
        press(&mut driven, "Target");
        press(&mut driven, "No target");
        assert_eq!(value(&driven, "Short-term"), "+5.2 LU", "of EBU R 128");
    }
}

#[test]
fn a_target_of_one_s_own_is_dragged_or_typed() {
    let mut driven = open(session::five());
    press(&mut driven, "Target");
    save(&driven, "meters-target-menu");
    let at = driven.get_by_label("Own target").rect().center();
    bench::pull(&mut driven, at, at + vec2(40.0, 0.0));
    driven.drop_at(at + vec2(40.0, 0.0));
    driven.run();
    let target = driven.state().model.display.meter.target.clone().expect("dragged");
    assert!(target.id.is_none() && target.loudness.0 > -23.0, "{target:?}");
    assert_eq!(LoudnessTarget::own(Lufs(99.0)).loudness, Lufs(0.0));
}

#[test]
fn loudness_over_time_zooms_tells_the_time_under_the_mouse_and_a_click_marks_and_plays_nothing() {
    for (model, tab) in [(scene::vocals(), None), (session::five(), Some("Chain"))] {
        for size in [SIZE, vec2(760.0, 480.0)] {
            let mut driven = bench::view(model.clone(), Palette::DARK, size, 1.0);
            if let Some(tab) = tab {
                press(&mut driven, tab);
            }
            press(&mut driven, "Loudness");
            let graph = driven.get_by_label("Loudness over time").rect();
            assert!(value(&driven, "Loudness over time").starts_with("0:00.0 to 2:47.0, I \u{2212}"));
            // three quarters into 2:47
            let at = graph.left_center() + vec2(0.75 * graph.width(), 0.0);
            driven.hover_at(at);
            driven.run();
            assert!(says(&driven, "2:05.") && !says(&driven, "Mark"), "the time under the mouse");
            click(&mut driven, at);
            assert!(says(&driven, "Mark 2:05."));
            turn(&mut driven, at, 4.0);
            let zoomed = value(&driven, "Loudness over time");
            assert!(!zoomed.starts_with("0:00.0") && says(&driven, "Mark 2:05."), "{zoomed}");
            whole(&driven, "loudness over time", size);
            save(&driven, &format!("loudness-{}-{}", tab.unwrap_or("stem").to_lowercase(), size.x));
            press(&mut driven, "Show all");
            assert!(value(&driven, "Loudness over time").starts_with("0:00.0 to 2:47.0"));
            driven.get_by_label("Loudness over time").focus();
            driven.run();
            driven.key_press(Key::ArrowRight);
            driven.run();
            assert!(says(&driven, "Mark 2:05."));
            driven.key_press(Key::Escape);
            driven.run();
            assert!(!says(&driven, "Mark"));
            press(&mut driven, "Last minute");
            assert!(value(&driven, "Loudness over time").starts_with("\u{2212}1:00.0 to 0:00.0"));
            assert!(driven.state().done.is_empty(), "{:?}", driven.state().done);
        }
    }
}

#[test]
fn integrated_loudness_and_target_are_lines_of_the_graph_on_the_chosen_scale() {
    let mut model = scene::vocals();
    model.display.meter.target = LoudnessTarget::parse("spotify");
    model.display.meter.unit = LoudnessUnit::Relative;
    model.display.meter.scale = LoudnessScale::Ebu9;
    let mut driven = open(model);
    press(&mut driven, "Loudness");
    assert!(value(&driven, "Loudness over time").ends_with("I \u{2212}4.4, target 0.0 LU"));
    save(&driven, "loudness-target");
    let mut empty = open(scene::empty());
    press(&mut empty, "Loudness");
    assert!(says(&empty, "Loudness appears here as it is heard."));
}

#[test]
fn spectra_have_a_scale_speed_tilt_and_parts_and_stand_still_when_frozen() {
    let mut driven = open(scene::vocals());
    let before = bench::picture(&driven);
    press(&mut driven, "Spectrum");
    for choice in ["120 dB", "3 dB/oct", "Slow", "Sidechain", "Peak hold", "Before the chain"] {
        press(&mut driven, choice);
    }
    save(&driven, "spectrum-menu");
    driven.key_press(Key::Escape);
    driven.run();
    let display = driven.state().model.display.spectrum;
    let expected = SpectrumDisplay {
        range: 120.0,
        tilt: 3.0,
        speed: SpectrumSpeed::Slow,
        before: false,
        after: true,
        sidechain: true,
        holds: true,
    };
    assert_eq!(display, expected);
    let changed = bench::picture(&driven);
    let differing = changed.pixels.iter().zip(&before.pixels).filter(|(a, b)| a != b).count();
    assert!(differing > 3000, "{differing}");

    press(&mut driven, "Freeze");
    driven.hover_at(vec2(3.0, 3.0).to_pos2());
    driven.run();
    let frozen = bench::picture(&driven);
    driven.state_mut().model.picture.after.iter_mut().for_each(|level| *level -= 20.0);
    driven.run();
    assert!(bench::picture(&driven).pixels == frozen.pixels, "it moves");
    press(&mut driven, "Freeze");
    driven.hover_at(vec2(3.0, 3.0).to_pos2());
    driven.run();
    assert!(bench::picture(&driven).pixels != frozen.pixels, "it goes on");
}

#[test]
fn frequency_note_and_level_stand_under_the_pointer() {
    let mut driven = open(scene::vocals());
    let graph = driven.get_by_label("Equalizer").rect();
    let part = editor::analyser::fraction_of(units::Hz(440.0)) as f32;
    driven.hover_at(graph.left_top() + vec2(part * graph.width(), 60.0));
    driven.run();
    assert!(says(&driven, "Hz   A4 "), "the note");
    assert!(says(&driven, " dB"));
    save(&driven, "spectrum-readout");
}

#[test]
fn compressor_and_limiter_show_their_work_and_hold_the_most_of_it() {
    for size in [SIZE, vec2(760.0, 480.0)] {
        let mut driven = bench::view(scene::vocals(), Palette::DARK, size, 1.0);
        press(&mut driven, "Dynamics");
        assert_eq!(value(&driven, "Compressor over time"), "gain reduction 1.4 dB, max 4.8 dB");
        assert!(value(&driven, "Compressor's curve").ends_with("1.4 dB less"));
        whole(&driven, "compressor", size);
        save(&driven, &format!("dynamics-compressor-{}", size.x));
        press(&mut driven, "Compressor over time");
        assert!(value(&driven, "Compressor over time").ends_with("max 0.0 dB"));
        press(&mut driven, "Show limiter");
        assert!(says(&driven, "needs class Lookahead"));
        whole(&driven, "limiter without latency", size);
    }
}

#[test]
fn the_limiter_is_heard_without_its_drive_and_follows_it() {
    let mut model = session::five();
    scene::set(&mut model.settings, "lim_on", "on");
    scene::set(&mut model.settings, "lim_drive", "6");
    let mut driven = open(model);
    press(&mut driven, "Chain");
    press(&mut driven, "Dynamics");
    press(&mut driven, "Show limiter");
    assert_eq!(value(&driven, "Limiter over time"), "gain reduction 2.6 dB, max 5.6 dB");
    press(&mut driven, "Unity gain");
    assert_eq!(driven.state().model.listen, MonitorMode::Unity(Db(-6.0)));
    assert!(says(&driven, "Listening to unity gain, \u{2212}6.0 dB"));
    whole(&driven, "limiter", SIZE);
    save(&driven, "dynamics-limiter");
    scene::set(&mut driven.state_mut().model.settings, "lim_drive", "8");
    driven.run();
    assert_eq!(driven.state().model.listen, MonitorMode::Unity(Db(-8.0)));
    press(&mut driven, "Unity gain");
    assert_eq!(driven.state().model.listen, MonitorMode::Off);
}

#[test]
fn the_session_s_timeline_zooms_has_the_target_and_is_marked_by_a_click() {
    for size in [SIZE, vec2(760.0, 480.0)] {
        let mut model = session::five();
        model.display.meter.target = LoudnessTarget::parse("spotify");
        let mut driven = bench::view(model, Palette::DARK, size, 1.0);
        let graph = driven.get_by_label("Loudness on the timeline").rect();
        assert_eq!(value(&driven, "Loudness on the timeline"), "0:00.0 to 3:12.0");
        let at = graph.left_center() + vec2(0.25 * graph.width(), 0.0);
        click(&mut driven, at);
        assert!(says(&driven, "Mark 0:48."));
        turn(&mut driven, at, 5.0);
        let zoomed = value(&driven, "Loudness on the timeline");
        assert!(zoomed.starts_with("0:3") && says(&driven, "Mark 0:48."), "{zoomed}");
        whole(&driven, "timeline", size);
        save(&driven, &format!("timeline-{}", size.x));
        driven.key_press(Key::Home);
        driven.run();
        assert_eq!(value(&driven, "Loudness on the timeline"), "0:00.0 to 3:12.0");
        driven.key_press(Key::Escape);
        driven.run();
        assert!(!says(&driven, "Mark") && driven.state().done.is_empty());
    }
}

#[test]
fn at_most_three_stems_are_named_as_in_the_way_each_once_and_none_while_the_sound_fades() {
    let clash = |name: &str, low: f64, high: f64| Clash {
        name: name.into(),
        colour: egui::Color32::from_rgb(0xE6, 0x9F, 0),
        low: Hz(low),
        high: Hz(high),
    };
    let mut model = scene::vocals();
    model.clashes = vec![
        clash("Keys", 40.0, 60.0),
        clash("Keys", 200.0, 500.0),
        clash("Drums", 700.0, 1200.0),
        clash("Strings", 2000.0, 4000.0),
        clash("FX", 6000.0, 6500.0),
        clash("Drums", 9000.0, 9500.0),
    ];
    let mut driven = open(model);
    let named =
        |driven: &Driven, name: &str| driven.query_all_by_label(&format!("collides with {name}")).count();
    assert_eq!(["Keys", "Drums", "Strings", "FX"].map(|name| named(&driven, name)), [1, 1, 1, 0]);
    // over the widest range
    let keys = driven.get_by_label("collides with Keys").rect().center().x;
    let graph = driven.get_by_label("Equalizer").rect();
    let x = |hz: f64| graph.min.x + editor::analyser::fraction_of(Hz(hz)) as f32 * graph.width();
    assert!((x(200.0)..x(500.0)).contains(&keys));
    save(&driven, "collisions");
    driven.state_mut().model.picture.fades = true;
    driven.run();
    assert!(!says(&driven, "collides with"));
}

#[test]
fn the_legend_says_what_words_and_hatching_mean_and_the_checklist_what_is_open() {
    let mut driven = open(session::five());
    press(&mut driven, "Legend");
    for words in ["exact*", "estimate ±", "simulated", "Not heard yet: it counts in no figure."] {
        assert!(says(&driven, words), "{words}");
    }
    save(&driven, "legend");
    driven.key_press(Key::Escape);
    driven.run();
    press(&mut driven, "Checklist: 1 open");
    assert!(says(&driven, "One thing is open before a print") && !says(&driven, "Ready to print"));
    let mut driven = open(session::finished());
    press(&mut driven, "Ready to print");
    assert!(!says(&driven, "open before a print"));
}

#[test]
fn the_status_of_a_stem_is_never_cut_off() {
    // the smallest table scrolls: its last row is not drawn
    for (size, least) in [(SIZE, 3), (vec2(760.0, 480.0), 2)] {
        let driven = bench::view(session::lost(), Palette::DARK, size, 1.0);
        let told = driven.query_all_by(|node| {
            node.label().or_else(|| node.value()).is_some_and(|label| {
                let whole = |status: StemStatus| {
                    label == status.meaning() || label == status.words() || {
                        let first = status.meaning().split_inclusive(['.', ':']).next().unwrap_or_default();
                        label == first.trim_end_matches(':')
                    }
                };
                [StemStatus::Gone, StemStatus::OtherSession, StemStatus::OtherRate].into_iter().any(whole)
            })
        });
        assert!(told.count() >= least, "{size}");
    }
}

#[test]
fn masking_is_of_the_song_or_of_now_in_three_kinds_of_cell() {
    let mut model = session::five();
    // over the song the keys were covered by nobody
    let silent = [None; plugin_core::session_view::STEM_SPECTRUM_BANDS];
    model.master.song_spectra = model
        .snapshot
        .stems
        .iter()
        .map(|stem| (stem.id, if stem.name == "Keys" { stem.spectrum } else { silent }))
        .collect();
    model.master.song_spectra[0].1 = model.snapshot.stems[0].spectrum;
    let mut driven = open(model);
    press(&mut driven, "Masking");
    let song = value(&driven, "Keys covered");
    press(&mut driven, "Now");
    assert_ne!(value(&driven, "Keys covered"), song);
    whole(&driven, "masking", SIZE);
    save(&driven, "masking-kinds");
    press(&mut driven, "Song");
    assert_eq!(value(&driven, "Keys covered"), song);
}

#[test]
fn a_click_on_a_covered_band_marks_it_at_its_stem_which_offers_a_dynamic_band() {
    let mut master = open(session::five());
    press(&mut master, "Masking");
    master.get_by_label("Keys covered").click();
    master.run();
    let Some(Edit::MarkBand(stem, mark)) = master.state().done.last().cloned() else {
        panic!("nothing is marked")
    };
    assert_eq!(master.state().model.snapshot.name(stem), "Keys");
    assert_ne!(mark.by, stem);

    let mut model = scene::vocals();
    let snapshot = session::snapshot(&mut model);
    snapshot.stems = session::five().snapshot.stems.clone();
    snapshot.mark = Some(BandMark { by: snapshot.stems[2].id, band: 14 });
    let mut stem = open(model);
    assert!(says(&stem, "501 Hz: covered by Keys"));
    save(&stem, "mark");
    press(&mut stem, "Add dynamic band");
    let of = |driven: &Driven, id: &str| scene::number(&driven.state().model, id);
    assert!((of(&stem, "eq6_freq") - 501.2).abs() < 2.0 && of(&stem, "eq6_range") == 3.0);
    assert!(!says(&stem, "covered by Keys") && stem.state().done.contains(&Edit::RemoveMark));
    press(&mut stem, "Undo");
    assert_eq!(stem.state().model.settings, scene::vocals().settings);
    // or it is removed
    let mut model = scene::vocals();
    session::snapshot(&mut model).mark = Some(mark);
    let mut stem = open(model);
    press(&mut stem, "Remove the mark");
    assert_eq!(stem.state().done, [Edit::RemoveMark]);
}

/// Clicks once, and lets enough time pass that the next click is not its second.
fn click(driven: &mut Driven, at: Pos2) {
    driven.hover_at(at);
    driven.step();
    driven.drag_at(at);
    driven.step();
    driven.drop_at(at);
    driven.run_steps(40);
}
