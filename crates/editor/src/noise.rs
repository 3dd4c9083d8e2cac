//! Learning a noise print: a button, and what there is.

mod curve;

use super::controls::{Weight, pill, pill_width};
use super::edits::Edit;
use super::facts::ViewCx;
use super::format::number;
use super::paint::{self, pen};
use super::theme;
use egui::{Align2, Rect, Ui, pos2, vec2};

/// The unit that has one, by its group in the table.
pub const GROUP: &str = "Denoise";

pub use curve::{HEIGHT as CURVE_HEIGHT, show as show_curve};

/// Points that it takes.
pub const HEIGHT: f32 = 24.0;

/// Between the buttons.
const GAP: f32 = 6.0;

const TRACK: &str = "Track";
const LEARN: &str = "Play a passage with nothing but noise, and click. The host need not loop; silence does not count. \
    The print is saved with the project, and is the same for A to D.";
const KEEP: &str =
    "Click at the end of the noise: what was heard since becomes the print. Undo brings the last one back.";
const FORGET: &str = "Forget the print: the noise is tracked, from the floor of the last two seconds. Tracking takes \
    what stands still for two seconds for noise, a held chord too.";

/// Draws the button at the left of `place`, and beside it where the noise is known from, if there is room.
pub fn show(ui: &mut Ui, desk: &mut ViewCx<'_>, place: Rect) {
    let look = desk.look;
    let print = desk.facts.settings.denoise.print;
    let line = Rect::from_center_size(place.center(), vec2(place.width(), HEIGHT.min(place.height())));
    let at = |ui: &Ui, left: f32, words: &str| {
        Rect::from_min_size(pos2(left, line.min.y), vec2(pill_width(ui, words), line.height()))
    };
    let learning = desk.facts.learning;
    // the words name the button: they stay while it is pressed
    let (long, short, meaning) = match learning {
        Some(_) => ("Use noise", "Use", KEEP),
        None => ("Learn noise", "Learn", LEARN),
    };
    let whole = at(ui, line.min.x, long);
    let can_track = print.is_some() && learning.is_none();
    let beside = if can_track { GAP + pill_width(ui, TRACK) } else { 0.0 };
    let fits = whole.max.x + beside <= line.max.x + 0.5;
    let (words, place) = if fits { (long, whole) } else { (short, at(ui, line.min.x, short)) };
    let weight = if learning.is_some() { Weight::Chosen } else { Weight::Quiet };
    if pill(ui, &look, place, words, weight, true).on_hover_text(meaning).clicked() {
        desk.edits.want(Edit::LearnNoise(learning.is_none()));
    }
    if can_track {
        let track = at(ui, place.max.x + GAP, TRACK);
        if track.max.x <= line.max.x + 0.5
            && pill(ui, &look, track, TRACK, Weight::Quiet, true).on_hover_text(FORGET).clicked()
        {
            desk.edits.put_noise(print, None);
        }
        return;
    }
    let state = learning.map_or("tracked".to_owned(), |heard| format!("{} s", number(heard.0 / 1e3, 1)));
    let dim = pen(theme::font(theme::SMALL), look.dim);
    let rest = Rect::from_min_max(pos2(place.max.x + 8.0, line.min.y), line.max);
    if paint::width(ui, &state, &dim) <= rest.width() {
        paint::text(ui, rest, Align2::LEFT_CENTER, &state, &dim);
    }
}
