//! Level bars of both channels and of gain reduction: a scale, held peaks, a light for overs. A click resets what is held.

use super::{NO_VALUE, label_reading, tick};
use crate::edits::Edit;
use crate::format::number;
use crate::paint::{self, pen};
use crate::theme;
use crate::view_model::ViewCx;
use egui::{Align2, Color32, CornerRadius, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use units::Dbtp;

/// Width of the upright bars with their scale, points.
pub(super) const UPRIGHT_WIDTH: f32 = 112.0;
/// Smallest height of the upright bars, points.
pub(super) const UPRIGHT_HEIGHT: f32 = 104.0;
/// Width of the scale's figures, points.
const SCALE_WIDTH: f32 = 20.0;
/// Width of a held figure, points: the pitch of the bars.
const FIGURE_WIDTH: f32 = 31.0;
/// Levels with a line on the scale, dBFS.
const TICKS_DB: [f32; 9] = [0.0, -3.0, -6.0, -12.0, -18.0, -24.0, -36.0, -48.0, -60.0];
/// Gain reduction that fills its bar, dB.
const REDUCTION_SCALE_DB: f32 = 12.0;
/// Gain reductions with a line on their bar, dB.
const REDUCTION_TICKS_DB: [f32; 3] = [3.0, 6.0, 9.0];
/// Smallest distance of the scale's figures, points.
const LABEL_DISTANCE: f32 = 9.5;

/// Returns the place of a level on the scale, 0 to 1 at full scale: that of IEC 60268-18 (digital peak programme meters),
/// wide where it matters.
fn level_fraction(level: f32) -> f32 {
    let per_cent = match level {
        x if x < -70.0 => 0.0,
        x if x < -60.0 => (x + 70.0) * 0.25,
        x if x < -50.0 => (x + 60.0) * 0.5 + 2.5,
        x if x < -40.0 => (x + 50.0) * 0.75 + 7.5,
        x if x < -30.0 => (x + 40.0) * 1.5 + 15.0,
        x if x < -20.0 => (x + 30.0) * 2.0 + 30.0,
        x => (x + 20.0) * 2.5 + 50.0,
    };
    (per_cent / 100.0).clamp(0.0, 1.0)
}

/// A channel: level and peak hold of the bar, 0 to 1, and the held true peak.
struct Channel {
    name: &'static str,
    label: &'static str,
    level: f32,
    hold: f32,
    peak: Option<Dbtp>,
}

impl Channel {
    fn both(cx: &ViewCx<'_>) -> [Self; 2] {
        let picture = &cx.model.picture;
        let of = |side: usize, name: &'static str, label: &'static str| Self {
            name,
            label,
            level: level_fraction(picture.levels[side]),
            hold: level_fraction(picture.holds[side]),
            peak: cx.model.peaks[side],
        };
        [of(0, "Peak L", "L"), of(1, "Peak R", "R")]
    }

    fn is_over(&self) -> bool {
        self.peak.is_some_and(|peak| peak.0 > 0.0)
    }

    fn figure(&self) -> String {
        self.peak.map_or(NO_VALUE.into(), |peak| number(peak.0, 1))
    }

    /// Makes the channel's meter a button that resets the held peaks.
    fn click(&self, ui: &Ui, cx: &mut ViewCx<'_>, place: Rect) {
        let over = if self.is_over() { ", over" } else { "" };
        let response = label_reading(ui, self.name, &format!("{} dBTP{over}", self.figure()), place);
        if response.clicked() {
            cx.edits.request(Edit::ResetPeaks);
        }
        if response.has_focus() {
            paint::focus_ring(ui, place, &cx.palette);
        }
    }

    fn ink(&self, cx: &ViewCx<'_>) -> Color32 {
        if self.is_over() { cx.palette.red } else { cx.palette.text }
    }
}

/// Gain reduction of this moment and the highest one held, dB; the reading in words is told less often.
fn reductions(cx: &ViewCx<'_>) -> [f32; 2] {
    let sum = |[compressor, limiter]: [f32; 2]| compressor + limiter;
    let picture = &cx.model.picture;
    [picture.reductions.last().copied().map_or(0.0, sum), picture.highest_reduction]
}

/// Draws the bars side by side, with the scale at their left.
pub(super) fn draw_upright(ui: &Ui, cx: &mut ViewCx<'_>, place: Rect) {
    let palette = cx.palette;
    let tiny = pen(theme::font(theme::TINY), palette.dim);
    let (top, bottom) = (place.min.y + 20.0, place.max.y - 15.0);
    let y = |level: f32| bottom - (bottom - top) * level_fraction(level);
    let left = place.min.x + SCALE_WIDTH;
    for (index, channel) in Channel::both(cx).iter().enumerate() {
        let column = Rect::from_min_size(
            pos2(left + index as f32 * FIGURE_WIDTH, place.min.y),
            vec2(FIGURE_WIDTH, place.height()),
        );
        let middle = column.center().x;
        channel.click(ui, cx, column.shrink2(vec2(0.5, 0.0)));
        let figure = Rect::from_min_size(column.min, vec2(column.width(), 12.0));
        let bold = pen(theme::strong(theme::TINY), channel.ink(cx));
        paint::text(ui, figure, Align2::CENTER_CENTER, &channel.figure(), &bold);
        let light = Rect::from_center_size(pos2(middle, place.min.y + 15.0), vec2(18.0, 4.0));
        let lit = if channel.is_over() { palette.red } else { palette.line };
        ui.painter().rect_filled(light, CornerRadius::same(2), lit);
        let well = Rect::from_min_max(pos2(middle - 9.0, top), pos2(middle + 9.0, bottom));
        ui.painter().rect_filled(well, CornerRadius::same(2), palette.background);
        let fill = Rect::from_min_max(pos2(well.min.x, bottom - well.height() * channel.level), well.max);
        ui.painter().rect_filled(fill, CornerRadius::same(2), cx.track);
        if channel.hold > 0.0 {
            let hold = bottom - well.height() * channel.hold;
            ui.painter().hline(well.x_range(), hold, Stroke::new(1.5, palette.text));
        }
        let below = Rect::from_center_size(pos2(middle, place.max.y - 6.0), vec2(24.0, 12.0));
        paint::text(ui, below, Align2::CENTER_CENTER, channel.label, &tiny);
    }
    let right = left + 2.0 * FIGURE_WIDTH - 6.5;
    let mut last = f32::NEG_INFINITY;
    for level in TICKS_DB {
        let y = y(level);
        ui.painter().hline(left + 6.5..=right, y, tick(&palette));
        if y - last >= LABEL_DISTANCE {
            let at = Rect::from_min_max(pos2(place.min.x, y - 6.0), pos2(left + 2.0, y + 6.0));
            paint::text(ui, at, Align2::RIGHT_CENTER, &number(f64::from(level), 0), &tiny);
            last = y;
        }
    }
    let column = Rect::from_min_max(pos2(left + 2.0 * FIGURE_WIDTH, place.min.y), place.max);
    draw_reduction(ui, cx, column, top, bottom);
}

/// Draws the bar of gain reduction, downwards, with its highest value.
fn draw_reduction(ui: &Ui, cx: &mut ViewCx<'_>, column: Rect, top: f32, bottom: f32) {
    let palette = cx.palette;
    let [now, highest] = reductions(cx);
    let middle = column.center().x;
    held_reduction(ui, cx, column, highest);
    let ink = if highest >= 0.05 { palette.reduction } else { palette.dim };
    let figure = Rect::from_min_size(column.min, vec2(column.width(), 12.0));
    let words = number(-f64::from(highest), 1);
    paint::text(ui, figure, Align2::CENTER_CENTER, &words, &pen(theme::strong(theme::TINY), ink));
    let well = Rect::from_min_max(pos2(middle - 7.0, top), pos2(middle + 7.0, bottom));
    ui.painter().rect_filled(well, CornerRadius::same(2), palette.background);
    let part = |x: f32| (x / REDUCTION_SCALE_DB).clamp(0.0, 1.0) * well.height();
    let fill = Rect::from_min_size(well.min, vec2(well.width(), part(now)));
    ui.painter().rect_filled(fill, CornerRadius::same(2), palette.reduction);
    for reduction in REDUCTION_TICKS_DB {
        ui.painter().hline(well.x_range(), top + part(reduction), tick(&palette));
    }
    if highest > 0.0 {
        ui.painter().hline(well.x_range(), top + part(highest), Stroke::new(1.5, palette.text));
    }
    let below = Rect::from_center_size(pos2(middle, column.max.y - 6.0), vec2(24.0, 12.0));
    paint::text(ui, below, Align2::CENTER_CENTER, "GR", &pen(theme::font(theme::TINY), palette.dim));
}

/// Makes the bar of gain reduction a button that resets what is held.
fn held_reduction(ui: &Ui, cx: &mut ViewCx<'_>, place: Rect, highest: f32) {
    const NAME: &str = "Highest gain reduction";
    let response = ui.interact(place, ui.scope_id().with(("reading", NAME)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Meter, true, NAME));
    let value = format!("{} dB", number(f64::from(highest), 1));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(value));
    if response.clicked() {
        cx.edits.request(Edit::ResetPeaks);
    }
    response.on_hover_text(
        "Gain reduction of compressor and limiter together, 12 dB from top to bottom; the line and the figure hold the highest since this window was opened. Click: reset.",
    );
}

/// Draws the bars one above the other, where there is little height.
pub(super) fn draw_lying(ui: &Ui, cx: &mut ViewCx<'_>, place: Rect) {
    let palette = cx.palette;
    let tiny = pen(theme::font(theme::TINY), palette.dim);
    let step = (place.height() / 3.0).min(14.0);
    let rail_of = |line: Rect| {
        let right = line.max.x - FIGURE_WIDTH;
        Rect::from_min_max(pos2(line.min.x + 20.0, line.center().y - 3.0), pos2(right, line.center().y + 3.0))
    };
    let line_of = |index: f32| {
        Rect::from_min_size(pos2(place.min.x, place.max.y - step * (3.0 - index)), vec2(place.width(), step))
    };
    for (index, channel) in Channel::both(cx).iter().enumerate() {
        let line = line_of(index as f32);
        channel.click(ui, cx, line);
        paint::text(ui, line, Align2::LEFT_CENTER, channel.label, &tiny);
        let rail = rail_of(line);
        paint::bar(ui, rail, channel.level, cx.track, &palette);
        for level in TICKS_DB {
            ui.painter().vline(
                rail.min.x + rail.width() * level_fraction(level),
                rail.y_range(),
                tick(&palette),
            );
        }
        if channel.hold > 0.0 {
            let x = rail.min.x + rail.width() * channel.hold;
            ui.painter().vline(x, rail.y_range(), Stroke::new(1.5, palette.text));
        }
        let light =
            Rect::from_min_max(pos2(rail.max.x + 1.0, rail.min.y), pos2(rail.max.x + 4.0, rail.max.y));
        let lit = if channel.is_over() { palette.red } else { palette.line };
        ui.painter().rect_filled(light, CornerRadius::same(1), lit);
        let bold = pen(theme::strong(theme::TINY), channel.ink(cx));
        paint::text(ui, line, Align2::RIGHT_CENTER, &channel.figure(), &bold);
    }
    let [now, highest] = reductions(cx);
    let line = line_of(2.0);
    held_reduction(ui, cx, line, highest);
    paint::text(ui, line, Align2::LEFT_CENTER, "GR", &tiny);
    paint::bar(ui, rail_of(line), now / REDUCTION_SCALE_DB, palette.reduction, &palette);
    let ink = if highest >= 0.05 { palette.reduction } else { palette.dim };
    let bold = pen(theme::strong(theme::TINY), ink);
    paint::text(ui, line, Align2::RIGHT_CENTER, &number(-f64::from(highest), 1), &bold);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_that_of_digital_peak_programme_meters_and_rises_everywhere() {
        for (level, expected) in [
            (0.0, 1.0),
            (-3.0, 0.925),
            (-20.0, 0.5),
            (-30.0, 0.3),
            (-40.0, 0.15),
            (-60.0, 0.025),
            (-90.0, 0.0),
        ] {
            assert!((level_fraction(level) - expected).abs() < 1e-6, "{level}");
        }
        assert!((-139..0).all(|db| level_fraction(db as f32 / 2.0) > level_fraction(db as f32 / 2.0 - 0.5)));
        assert_eq!(level_fraction(6.0), 1.0);
    }
}
