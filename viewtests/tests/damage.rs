//! What is drawn again when something changes: enough, and not much more.

use editor::damage::Shown;
use editor::facts::ViewModel;
use editor::theme::Palette;
use egui::{Vec2, vec2};
use units::Lufs;
use viewtests::bench::{self, Driven};
use viewtests::painter::Image;
use viewtests::{scene, session};

const SIZE: Vec2 = vec2(1000.0, 640.0);

/// A view whose picture is kept as a window keeps it.
struct Kept {
    driven: Driven,
    shown: Shown,
    image: Image,
}

impl Kept {
    fn new(facts: ViewModel, scale: f32) -> Self {
        let mut driven = bench::view(facts, Palette::DARK, SIZE, scale);
        driven.ctx.tessellation_options_mut(|options| options.coarse_tessellation_culling = false);
        driven.run();
        let (image, mut shown) = (bench::picture(&driven), Shown::default());
        let mut kept = image.clone();
        assert_eq!(bench::follow(&driven, &mut shown, &mut kept), 1.0, "the first frame is new");
        Self { driven, shown, image: kept }
    }

    /// Draws the next frame, and holds it to be as if all of it had been drawn. Returns how much was.
    fn next(&mut self, what: &str) -> f32 {
        self.driven.step();
        let part = bench::follow(&self.driven, &mut self.shown, &mut self.image);
        let whole = bench::picture(&self.driven);
        // a hundredth of what a screen tells apart: what lies below something opaque shines through by a rounding error
        let differ = |a: &[f32; 4], b: &[f32; 4]| a.iter().zip(b).any(|(a, b)| (a - b).abs() > 4e-5);
        let wrong = self.image.pixels.iter().zip(&whole.pixels).filter(|(a, b)| differ(a, b)).count();
        assert_eq!(wrong, 0, "{what}: pixels that are not as if all were drawn");
        part
    }

    fn facts(&mut self) -> &mut ViewModel {
        &mut self.driven.state_mut().facts
    }
}

/// A frame later in the music: everything that moves has moved.
fn play(facts: &mut ViewModel, time: usize) {
    let swing = |n: usize| ((time * 7 + n * 3) % 13) as f32 - 6.0;
    let picture = &mut facts.picture;
    for levels in [&mut picture.before, &mut picture.after] {
        levels.iter_mut().enumerate().for_each(|(n, level)| *level += 0.3 * swing(n));
    }
    picture.levels = [-12.0 + swing(0), -13.0 + swing(1)];
    picture.field.iter_mut().enumerate().for_each(|(n, [left, _])| *left *= 1.0 + 0.02 * swing(n));
    facts.reading.momentary = Some(Lufs(-14.0 + f64::from(swing(2))));
}

#[test]
fn what_is_drawn_again_and_what_stays_are_as_if_all_were_drawn() {
    for (facts, scale) in [(scene::vocals(), 1.0), (scene::denoised(), 1.25), (session::five(), 0.75)] {
        let mut kept = Kept::new(facts, scale);
        assert_eq!(kept.next("nothing"), 0.0);
        for time in 0..2 {
            play(kept.facts(), time);
            assert!((0.0..0.9).contains(&kept.next("music")));
        }
        // a pointer over everything, tooltips and menus that fade in, and out again
        for (x, y) in [(120.0, 20.0), (300.0, 200.0), (900.0, 200.0), (200.0, 520.0)] {
            kept.driven.hover_at(egui::pos2(x, y));
            for _ in 0..2 {
                kept.next("pointer");
            }
        }
        kept.driven.drag_at(egui::pos2(60.0, 20.0));
        kept.driven.drop_at(egui::pos2(60.0, 20.0));
        for _ in 0..6 {
            kept.next("click");
        }
        *kept.facts() = scene::empty();
        kept.next("something else");
    }
}

#[test]
fn a_meter_that_moves_costs_its_own_place() {
    let mut kept = Kept::new(scene::vocals(), 1.0);
    kept.facts().reading.momentary = Some(Lufs(-3.4));
    let figure = kept.next("a figure");
    assert!(figure > 0.0 && figure < 0.006, "{figure}");
    kept.facts().picture.levels = [-20.0, -9.0];
    let bars = kept.next("bars");
    assert!(bars > 0.0 && bars < 0.02, "{bars}");
    play(kept.facts(), 1);
    let all = kept.next("all that moves");
    assert!(all > bars && all < 0.45, "{all}");
    let node = bench::middle(&kept.driven, "Band 3");
    kept.driven.hover_at(node);
    let hovered = kept.next("a node under the pointer");
    assert!(hovered > 0.0 && hovered < 0.05, "{hovered}");
}
