//! Menus and popups: nothing in them is cut, overlaps or leaves the window, at 100 and 150 %, dark and light. Pictures for the eye in
//! `target/views`.

use chain::monitor::MonitorMode;
use editor::theme::Palette;
use editor::view_model::ViewModel;
use egui::{Vec2, vec2};
use egui_kittest::kittest::Queryable;
use units::{Db, Ms};
use viewtests::bench::{self, Driven};
use viewtests::whole::{folder, leaves, opened};
use viewtests::{references, scene, session};

const SIZES: [Vec2; 2] = [vec2(760.0, 480.0), vec2(1000.0, 640.0)];

/// A Master with songs whose names are long, in a host that loops.
fn songs() -> ViewModel {
    let mut model = session::finished();
    model.master.songs = (0..6)
        .map(|n| {
            let from = 30.0 * f64::from(n);
            session::song(&format!("A Song With A Long Name, Take {n}"), from, from + 29.0, -9.0)
        })
        .collect();
    model.master.looped = Some((Ms(30_000.0), Ms(3_725_000.0)));
    model
}

/// A Stem with every monitor mode available.
fn everything() -> ViewModel {
    let mut model = scene::denoised();
    for band in 1..=8 {
        scene::set(&mut model.settings, &format!("eq{band}_on"), "on");
        scene::set(&mut model.settings, &format!("eq{band}_range"), "-6");
    }
    model.listen = MonitorMode::Bypass(Db(-12.5));
    model
}

/// A Stem whose noise reduction is not the same in every octave.
fn bent() -> ViewModel {
    let mut model = scene::denoised();
    let curve = [-24.0, -6.0, 0.0, 0.0, 3.0, 6.0, 12.5, 24.0, 9.0];
    model.settings.denoise.curve = curve.map(Db);
    model
}

fn scenes() -> Vec<(&'static str, ViewModel, &'static str, &'static str)> {
    vec![
        ("songs", songs(), "Session", "Songs"),
        ("songs-none", session::finished(), "Session", "Songs"),
        ("songs-unheard", session::waiting(), "Session", "Songs"),
        ("listen-stem", everything(), "", "Listen"),
        ("denoise", bent(), "", "Denoise: everything"),
        ("ends-stem", bent(), "", "Input and output"),
        ("ends-master", session::five(), "Chain", "Input and output"),
        ("listen-master", session::five(), "Session", "Listen"),
        ("references-add", references::compared(), "References", "Add a song\u{2026}"),
    ]
}

fn open(driven: &mut Driven, tab: &str, name: &str) {
    for name in [tab, name].into_iter().filter(|name| !name.is_empty()) {
        driven.get_by_label(name).click();
        driven.run();
    }
}

#[test]
fn menus_are_whole_at_100_and_150_percent_dark_and_light() {
    for (file, model, tab, name) in scenes() {
        for (theme, palette) in [("dark", Palette::DARK), ("light", Palette::LIGHT)] {
            for size in SIZES {
                for &scale in testkit::cases(&[1.0, 1.5], 1) {
                    let mut driven = bench::view(model.clone(), palette, size, scale);
                    open(&mut driven, tab, "");
                    let before = leaves(&driven);
                    open(&mut driven, "", name);
                    opened(&driven, &before, file, size);
                    let at = format!("{theme}-{}x{}-{:.0}", size.x, size.y, scale * 100.0);
                    let path = folder().join(format!("menu-{file}-{at}.png"));
                    bench::picture(&driven).save(&path).expect("saved");
                }
            }
        }
    }
}

#[test]
fn songs_can_be_made_before_anything_is_heard() {
    let mut model = session::waiting();
    model.master.looped = Some((Ms(0.0), Ms(90_000.0)));
    let mut driven = bench::view(model, Palette::DARK, SIZES[1], 1.0);
    open(&mut driven, "", "Songs");
    driven.get_by_label("New song from the loop: 0:00 to 1:30").click();
    driven.run();
    assert_eq!(driven.state().model.master.songs.len(), 1);
    assert!(driven.query_by_label("Name of Song 1").is_some(), "the menu stays open");
}
