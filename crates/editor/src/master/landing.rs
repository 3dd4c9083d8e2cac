//! Menu that lands the song on a loudness: a wish, its estimate, and the button that sets the level.

use crate::controls::{self, Weight, pill, pill_width};
use crate::edits::Edit;
use crate::format::{number, signed, time};
use crate::theme;
use crate::view_model::ViewCx;
use chain::parameters::Value;
use egui::{Popup, PopupCloseBehavior, Pos2, Rect, RichText, Ui, pos2, vec2};
use plugin_core::landing::{Landing, LandingFault, LandingRequest};
use units::{Db, Lufs};

/// Name of the button.
const LAND: &str = "Land on target";
/// The same where there is no room.
const LAND_SHORT: &str = "Land";
/// Loudness without a target of the meters: that of most platforms, LUFS.
const USUAL_LOUDNESS: f64 = -14.0;
/// Loudness that can be asked for, LUFS.
const LOUDNESS_RANGE: core::ops::RangeInclusive<f64> = -30.0..=-5.0;
/// Limiting that can be allowed, dB.
const LIMITING_RANGE: core::ops::RangeInclusive<f64> = 0.0..=12.0;
/// Largest difference of a level that counts as unchanged, dB.
const SAME_LEVEL: f64 = 0.005;

/// Wish of the user, and what was asked of the analysis.
#[derive(Clone, Copy, Debug)]
pub(super) struct LandingMenu {
    /// Loudness of one's own; `None` follows the target of the meters.
    loudness: Option<f64>,
    limiting: f64,
    asked: Option<(LandingRequest, f64)>,
}

impl Default for LandingMenu {
    fn default() -> Self {
        Self { loudness: None, limiting: 3.0, asked: None }
    }
}

impl LandingMenu {
    /// Draws the button with its right end at `right`, not beyond `left`, and the menu; returns the button's left end.
    pub(super) fn draw_button(&mut self, ui: &mut Ui, cx: &mut ViewCx<'_>, left: f32, right: Pos2) -> f32 {
        let palette = cx.palette;
        let words = if right.x - pill_width(ui, LAND) < left { LAND_SHORT } else { LAND };
        let at = Rect::from_min_max(
            pos2(right.x - pill_width(ui, words), right.y - 12.0),
            pos2(right.x, right.y + 12.0),
        );
        let response = pill(ui, &palette, at, words, Weight::Quiet, true);
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(LAND));
        let is_open = Popup::menu(&response)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| ui.vertical(|ui| self.menu(ui, cx)))
            .is_some();
        if !is_open && self.asked.take().is_some() {
            cx.edits.request(Edit::Land(None));
        }
        response.on_hover_text(
            "Sets the level before the limiter so that the song lands on a loudness, or as near as the limiting you allow. Estimated first, undone in one step.",
        );
        at.min.x - 8.0
    }

    fn menu(&mut self, ui: &mut Ui, cx: &mut ViewCx<'_>) {
        ui.set_width(300.0);
        // what can be pressed or changed stands out from what is told
        ui.visuals_mut().widgets.inactive.weak_bg_fill = cx.palette.line;
        let target = cx.model.display.meter.target.as_ref();
        let mut loudness = self.loudness.or(target.map(|target| target.loudness.0)).unwrap_or(USUAL_LOUDNESS);
        let loudness_name = match (target, self.loudness) {
            (Some(target), None) => format!("Loudness ({})", target.name),
            _ => "Loudness".to_owned(),
        };
        if figure(ui, &loudness_name, "Loudness to land on", &mut loudness, LOUDNESS_RANGE, " LUFS") {
            self.loudness = Some(loudness);
        }
        figure(ui, "Limiting at most", "Allowed limiting", &mut self.limiting, LIMITING_RANGE, " dB");
        let request = LandingRequest { loudness: Lufs(loudness), limiting: Db(self.limiting) };
        let Some(row) = cx.row("level") else { return };
        let level = cx.number(row).unwrap_or(0.0);
        // a figure that is dragged is asked for when it stands
        let is_held = ui.input(|input| input.pointer.any_down());
        if self.asked != Some((request, level)) && !is_held {
            self.asked = Some((request, level));
            cx.edits.request(Edit::Land(Some(request)));
        }
        ui.separator();
        let answer = cx.model.snapshot.analysis.as_deref().and_then(|analysis| analysis.landing);
        let landing = match answer {
            Some(Ok(landing))
                if landing.request == request && (landing.from.0 - level).abs() < SAME_LEVEL =>
            {
                Some(landing)
            }
            _ => None,
        };
        match (landing, answer) {
            (Some(landing), _) => describe(ui, cx, &landing, level),
            (None, Some(Err(fault))) => {
                ui.label(RichText::new(fault.sentence()).size(theme::BODY));
            }
            _ if cx.model.snapshot.heard_length().0 <= 0.0 => {
                ui.label(RichText::new(LandingFault::NothingHeard.sentence()).size(theme::BODY));
            }
            _ => {
                ui.label(RichText::new("Estimating\u{2026}").size(theme::BODY));
            }
        }
        let words = match landing {
            Some(landing) => format!("Set level to {} dB", signed(landing.level.0, 1)),
            None => "Set level".to_owned(),
        };
        let is_new = landing.is_some_and(|landing| (landing.level.0 - level).abs() >= SAME_LEVEL);
        let button = ui.add_enabled(is_new, egui::Button::new(RichText::new(words).size(theme::BODY)));
        if let (true, Some(landing)) = (button.clicked(), landing) {
            let to = Value::Number(Some((landing.level.0 * 100.0).round() / 100.0));
            cx.put(row, to);
            Popup::close_all(ui.ctx());
        }
        let small = |words: &str| RichText::new(words).size(theme::SMALL).color(cx.palette.secondary);
        ui.label(small("Then play the song from the start: its integrated loudness is the measured one."));
    }
}

/// Draws a figure with its name; returns true if it was changed.
fn figure(
    ui: &mut Ui,
    words: &str,
    name: &str,
    value: &mut f64,
    range: core::ops::RangeInclusive<f64>,
    unit: &str,
) -> bool {
    let drag = |ui: &mut Ui| {
        ui.label(RichText::new(words).size(theme::BODY));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let response = ui.add_sized(vec2(92.0, 20.0), controls::figure(value, range, unit));
            ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(name));
            response.changed()
        })
        .inner
    };
    ui.horizontal(drag).inner
}

/// Draws an estimate.
fn describe(ui: &mut Ui, cx: &ViewCx<'_>, landing: &Landing, level: f64) {
    let palette = &cx.palette;
    let strong = |words: String| RichText::new(words).font(theme::strong(theme::BODY));
    let small = |words: String| RichText::new(words).size(theme::SMALL);
    let width = match landing.half_width.0 {
        half_width if half_width.is_finite() => format!(" ±{} LU", number(half_width, 2)),
        _ => String::new(),
    };
    ui.label(strong(format!("{} LUFS{width}", number(landing.loudness.0, 1))));
    let heard = time(cx.model.snapshot.heard_length().0 / 1000.0);
    let known = match landing.half_width.0.is_finite() {
        true => {
            format!("simulated: {} s of the {heard} that were heard", number(landing.length.0 / 1000.0, 0))
        }
        false => {
            format!("simulated: {} s only, how far off is unknown", number(landing.length.0 / 1000.0, 0))
        }
    };
    ui.label(small(known).color(palette.reduction));
    let moved = signed(landing.level.0 - level, 1);
    ui.label(small(format!("Level {moved} dB, limiting {} dB at most", number(landing.reduction.0, 1))));
    if !landing.is_reached() {
        let why = match landing.reduction.0 + 0.1 >= landing.request.limiting.0 {
            true if landing.loudness.0 < landing.request.loudness.0 => {
                format!("As near as {} dB of limiting allow.", number(landing.request.limiting.0, 1))
            }
            _ => "The range of the level ends there.".to_owned(),
        };
        ui.label(small(why).color(palette.reduction));
    }
    if !landing.is_limited {
        let words = "The limiter is off: nothing holds the peaks.";
        ui.label(small(words.to_owned()).color(palette.reduction));
    }
}
