//! The views at every size, scale and appearance: nothing clipped, nothing overlapping; pictures for the eye in
//! `target/views`.

use editor::theme::Palette;
use editor::view_model::ViewModel;
use egui::{Vec2, vec2};
use std::collections::HashSet;
use std::path::PathBuf;
use viewtests::bench::{self, Driven};
use viewtests::whole::{folder, whole};
use viewtests::{references, scene, session};

const SIZES: [Vec2; 6] = [
    vec2(760.0, 480.0),
    vec2(900.0, 560.0),
    vec2(1000.0, 640.0),
    vec2(1100.0, 700.0),
    vec2(1280.0, 720.0),
    vec2(1600.0, 1000.0),
];

fn scenes() -> [(&'static str, ViewModel); 16] {
    [
        ("stem-empty", scene::empty()),
        ("stem-vocals", scene::vocals()),
        ("stem-denoised", scene::denoised()),
        ("stem-crowded", scene::crowded()),
        ("stem-muted", scene::muted()),
        ("master-empty", session::empty()),
        ("master-waiting", session::waiting()),
        ("master-seconds", session::heard(12.0)),
        ("master-five", session::five()),
        ("master-heard", session::heard_otherwise()),
        ("master-finished", session::finished()),
        ("master-32", session::thirty_two()),
        ("master-paused", session::paused()),
        ("master-lost", session::lost()),
        ("master-crowded", session::crowded()),
        ("master-compared", references::many()),
    ]
}

#[test]
fn nothing_is_clipped_and_nothing_overlaps_at_any_size() {
    for size in SIZES {
        for (name, model) in scenes() {
            let driven = bench::view(model, Palette::DARK, size, 1.0);
            whole(&driven, name, size);
        }
    }
}

#[test]
fn pictures_are_drawn_at_100_and_150_percent_dark_and_light() {
    for (theme, palette) in [("dark", Palette::DARK), ("light", Palette::LIGHT)] {
        for (name, model) in scenes() {
            for &(size, scale) in testkit::cases(&[(SIZES[2], 1.0), (SIZES[0], 1.0), (SIZES[2], 1.5)], 1) {
                let driven = bench::view(model.clone(), palette, size, scale);
                let image = bench::picture(&driven);
                let path =
                    folder().join(format!("{name}-{theme}-{}x{}-{:.0}.png", size.x, size.y, scale * 100.0));
                image.save(&path).expect("saved");
                let mut colours = HashSet::new();
                let drawn = image.pixels.iter().any(|pixel| {
                    colours.insert(pixel.map(f32::to_bits));
                    colours.len() > 200
                });
                assert!(drawn, "{}: {} colours", path.display(), colours.len());
            }
        }
    }
}

#[test]
fn pictures_of_what_opens() {
    use egui_kittest::kittest::Queryable;
    let closed = bench::picture(&bench::view(scene::vocals(), Palette::DARK, SIZES[2], 1.0));
    let openers = [
        ("band", "Band 4"),
        ("unit", "Compressor: everything"),
        ("presets", "Presets"),
        ("window", "Window"),
    ];
    for (file, name) in openers {
        let mut driven = bench::view(scene::vocals(), Palette::DARK, SIZES[2], 1.0);
        driven.get_by_label(name).click();
        driven.run();
        let open = bench::picture(&driven);
        let changed = open.pixels.iter().zip(&closed.pixels).filter(|(a, b)| a != b).count();
        assert!(changed > 3000, "{name}: {changed} pixels");
        open.save(&folder().join(format!("stem-open-{file}.png"))).expect("saved");
    }
}

#[test]
fn the_master_s_other_tabs_are_whole_at_any_size() {
    use egui_kittest::kittest::Queryable;
    for size in [SIZES[0], SIZES[2], SIZES[5]] {
        for (name, model) in [
            ("five", session::five()),
            ("32", session::thirty_two()),
            ("empty", session::empty()),
            ("crowded", session::crowded()),
            ("compared", references::compared()),
            ("many", references::many()),
        ] {
            for tab in ["Chain", "Masking", "References"] {
                let mut driven = bench::view(model.clone(), Palette::DARK, size, 1.0);
                driven.get_by_label(tab).click();
                driven.run();
                whole(&driven, &format!("{name} {tab}"), size);
                if size == SIZES[0] || size == SIZES[2] {
                    let file = format!("master-{name}-{tab}-{}x{}.png", size.x, size.y).to_lowercase();
                    bench::picture(&driven).save(&folder().join(file)).expect("saved");
                }
            }
        }
    }
}

#[test]
fn a_move_s_price_is_whole_at_any_size() {
    use egui_kittest::kittest::Queryable;
    for size in [SIZES[0], SIZES[2], SIZES[5]] {
        for (name, model) in
            [("five", session::five()), ("lost", session::lost()), ("crowded", session::crowded())]
        {
            let mut driven = bench::view(model, Palette::DARK, size, 1.0);
            move_ghost(&mut driven, ": what if", 14.0);
            assert!(driven.query_by_label("into the master").is_some());
            whole(&driven, &format!("{name} moved"), size);
            bench::picture(&driven)
                .save(&folder().join(format!("master-{name}-moved-{}x{}.png", size.x, size.y)))
                .expect("saved");
        }
    }
}

/// Drags a ghost fader.
fn move_ghost(driven: &mut Driven, name: &str, way: f32) {
    use egui_kittest::kittest::Queryable;
    let ghost = driven.query_all_by_label_contains(name).last().expect("a ghost fader").rect().center();
    driven.hover_at(ghost);
    driven.run();
    driven.drag_at(ghost);
    driven.step();
    driven.hover_at(ghost + vec2(way, 0.0));
    driven.run();
}

#[test]
#[ignore = "cargo xtask screenshots"]
fn screenshots() {
    use egui_kittest::kittest::Queryable;
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let save = |driven: &Driven, name: &str| {
        let path = docs.join(name);
        bench::picture(driven).save(&path).expect("saved");
        let size = std::fs::metadata(&path).expect("written").len();
        assert!(size <= 200_000, "{name}: {size} bytes");
    };
    let mut master = bench::view(session::five(), Palette::DARK, SIZES[2], 1.0);
    move_ghost(&mut master, "Lead Vocals: what if", 23.0);
    save(&master, "master.png");
    let mut masking = bench::view(session::five(), Palette::LIGHT, SIZES[2], 1.0);
    masking.get_by_label("Masking").click();
    masking.run();
    save(&masking, "masking.png");
    save(&bench::view(scene::vocals(), Palette::DARK, SIZES[2], 1.0), "stem.png");
}
