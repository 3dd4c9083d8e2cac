//! Noise print: button to learn it, and its state.

mod curve;

use super::controls::{Weight, pill, pill_width};
use super::edits::Edit;
use super::format::number;
use super::paint::{self, pen};
use super::theme;
use super::view_model::ViewCx;
use egui::{Align2, Rect, Ui, pos2, vec2};

/// Group of the noise reduction in the parameter table.
pub const GROUP: &str = "Denoise";

pub use curve::{HEIGHT as CURVE_HEIGHT, draw_threshold_curve};

/// Height, points.
pub const HEIGHT: f32 = 24.0;

/// Space between buttons, points.
const BUTTON_GAP: f32 = 6.0;

const TRACK_LABEL: &str = "Track";
const LEARN_TOOLTIP: &str = "Play a passage with nothing but noise, and click. The host need not loop; silence does not count. \
    The print is saved with the project, and is the same for A to D.";
const USE_TOOLTIP: &str =
    "Click at the end of the noise: what was heard since becomes the print. Undo brings the last one back.";
const TRACK_TOOLTIP: &str = "Forget the print: the noise is tracked, from the floor of the last two seconds. Tracking takes \
    what stands still for two seconds for noise, a held chord too.";

/// Draws the button at the left of `place` and, if there is room, the source of the noise floor.
pub fn draw_noise_print(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect) {
    let palette = cx.palette;
    let print = cx.model.settings.denoise.print;
    let line = Rect::from_center_size(place.center(), vec2(place.width(), HEIGHT.min(place.height())));
    let at = |ui: &Ui, left: f32, words: &str| {
        Rect::from_min_size(pos2(left, line.min.y), vec2(pill_width(ui, words), line.height()))
    };
    let learning = cx.model.learning;
    // the words name the button: they stay while it is pressed
    let (long, short, meaning) = match learning {
        Some(_) => ("Use noise", "Use", USE_TOOLTIP),
        None => ("Learn noise", "Learn", LEARN_TOOLTIP),
    };
    let whole = at(ui, line.min.x, long);
    let can_track = print.is_some() && learning.is_none();
    let beside = if can_track { BUTTON_GAP + pill_width(ui, TRACK_LABEL) } else { 0.0 };
    let fits = whole.max.x + beside <= line.max.x + 0.5;
    let (words, place) = if fits { (long, whole) } else { (short, at(ui, line.min.x, short)) };
    let weight = if learning.is_some() { Weight::Chosen } else { Weight::Quiet };
    if pill(ui, &palette, place, words, weight, true).on_hover_text(meaning).clicked() {
        cx.edits.request(Edit::LearnNoise(learning.is_none()));
    }
    if can_track {
        let track = at(ui, place.max.x + BUTTON_GAP, TRACK_LABEL);
        if track.max.x <= line.max.x + 0.5
            && pill(ui, &palette, track, TRACK_LABEL, Weight::Quiet, true)
                .on_hover_text(TRACK_TOOLTIP)
                .clicked()
        {
            cx.edits.put_noise(print, None);
        }
        return;
    }
    let state = learning.map_or("tracked".to_owned(), |heard| format!("{} s", number(heard.0 / 1e3, 1)));
    let dim = pen(theme::font(theme::SMALL), palette.dim);
    let rest = Rect::from_min_max(pos2(place.max.x + 8.0, line.min.y), line.max);
    if paint::width(ui, &state, &dim) <= rest.width() {
        paint::text(ui, rest, Align2::LEFT_CENTER, &state, &dim);
    }
}
