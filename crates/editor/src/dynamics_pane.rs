//! Compressor and limiter as instruments: input and output over time with the gain reduction, the compressor's static curve,
//! and the limiter heard without its drive.

use super::controls::{Weight, control, pill, pill_width};
use super::edits::Edit;
use super::field::Style;
use super::format::{number, signed};
use super::modules;
use super::paint::{self, between, pen};
use super::theme::{self, GAP, PAD, Palette};
use super::view_model::ViewCx;
use chain::monitor::MonitorMode;
use dsp::curve::Curve;
use egui::{Align2, CornerRadius, Pos2, Rect, Role, Sense, Stroke, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use plugin_core::gauges::scope::REDUCTION_FRAMES;
use units::{Db, decibels};

/// Level at the bottom of the waveforms, dBFS; the top is full scale.
const LOWEST_LEVEL_DB: f32 = -48.0;
/// Levels with a line, dBFS.
const LEVEL_TICKS_DB: [f32; 6] = [-6.0, -12.0, -18.0, -24.0, -30.0, -36.0];
/// Levels at both ends of the static curve, dBFS.
const CURVE_RANGE_DB: [f32; 2] = [-60.0, 0.0];
/// Width of the column beside the waveforms, points.
const SIDE_WIDTH: f32 = 184.0;
/// Ranges of the gain reduction, dB: the smallest that holds the highest value.
const REDUCTION_RANGES_DB: [f32; 4] = [6.0, 12.0, 24.0, 36.0];

/// Unit that is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Dynamics {
    #[default]
    Compressor,
    Limiter,
}

impl Dynamics {
    const ALL: [(Self, &'static str); 2] = [(Self::Compressor, "Compressor"), (Self::Limiter, "Limiter")];
}

/// State of the pane between frames.
#[derive(Debug, Default)]
pub(super) struct DynamicsPane {
    unit: Dynamics,
}

impl DynamicsPane {
    /// Draws the choice of the unit at the right of `bar`, and the unit in `place`.
    pub(super) fn draw_pane(&mut self, ui: &mut Ui, cx: &mut ViewCx<'_>, bar: Rect, place: Rect) {
        let mut right = bar.max.x;
        for (unit, name) in Dynamics::ALL.into_iter().rev() {
            let words = format!("Show {}", name.to_lowercase());
            let width = pill_width(ui, name);
            let at = Rect::from_min_max(pos2(right - width, bar.min.y), pos2(right, bar.max.y));
            let weight = if unit == self.unit { Weight::Chosen } else { Weight::Quiet };
            let response = pill(ui, &cx.palette, at, name, weight, true);
            response.widget_info(|| WidgetInfo::selected(Role::Button, true, unit == self.unit, &words));
            if response.clicked() {
                self.unit = unit;
            }
            right = at.min.x - 6.0;
        }
        let side = Rect::from_min_max(pos2(place.max.x - SIDE_WIDTH, place.min.y), place.max);
        let waves = Rect::from_min_max(place.min, pos2(side.min.x - PAD, place.max.y));
        match self.unit {
            Dynamics::Compressor => {
                waveforms(ui, cx, waves, 0, "Compressor over time");
                static_curve(ui, cx, side);
            }
            Dynamics::Limiter => {
                waveforms(ui, cx, waves, 1, "Limiter over time");
                limiter(ui, cx, side);
            }
        }
    }
}

/// Asks for the gain that takes the limiter's drive back to follow the drive while it is listened to.
pub(super) fn follow_drive(cx: &mut ViewCx<'_>) {
    if let MonitorMode::Unity(now) = cx.model.listen {
        let wanted = Db(-drive(cx));
        if (wanted.0 - now.0).abs() > 1e-6 {
            cx.edits.request(Edit::MonitorMode(MonitorMode::Unity(wanted)));
        }
    }
}

/// Returns the limiter's drive, dB; 0 while it is off.
fn drive(cx: &ViewCx<'_>) -> f64 {
    let is_on = cx.row("lim_on").is_some_and(|row| cx.is_on(row));
    let drive = cx.row("lim_drive").and_then(|row| cx.number(row));
    drive.filter(|_| is_on).unwrap_or(0.0)
}

/// Draws input and output over time from the bottom up, and the gain reduction of unit `which` from the top down.
fn waveforms(ui: &Ui, cx: &mut ViewCx<'_>, place: Rect, which: usize, name: &str) {
    let (palette, picture) = (cx.palette, &cx.model.picture);
    let well = Rect::from_min_max(place.min, pos2(place.max.x - 24.0, place.max.y - 14.0));
    ui.painter().rect_filled(well, CornerRadius::same(4), palette.background);
    let tiny = pen(theme::font(theme::TINY), palette.dim);
    let y = |level: f32| well.min.y + well.height() * (level / LOWEST_LEVEL_DB).clamp(0.0, 1.0);
    let mut last = f32::NEG_INFINITY;
    for level in LEVEL_TICKS_DB {
        ui.painter().hline(well.x_range(), y(level), Stroke::new(1.0, Palette::faint(palette.line, 0.7)));
        if y(level) - last > 12.0 {
            let at =
                Rect::from_min_max(pos2(well.max.x + 2.0, y(level) - 6.0), pos2(place.max.x, y(level) + 6.0));
            paint::text(ui, at, Align2::RIGHT_CENTER, &number(f64::from(level), 0), &tiny);
            last = y(level);
        }
    }
    // the input is heard a latency later
    let late = (cx.model.latency as f64 / REDUCTION_FRAMES as f64).round() as usize;
    let count = picture.peaks.len().min(picture.reductions.len());
    let (peaks, reductions) = (
        &picture.peaks[picture.peaks.len() - count..],
        &picture.reductions[picture.reductions.len() - count..],
    );
    let x = |index: usize| well.max.x - (count - 1 - index) as f32 / 1023.0 * well.width();
    let level = |peak: f32| y((decibels(f64::from(peak)) as f32).max(LOWEST_LEVEL_DB));
    let ground: Vec<Pos2> = (0..count).map(|index| pos2(x(index), well.max.y)).collect();
    let output: Vec<Pos2> = peaks.iter().enumerate().map(|(i, peak)| pos2(x(i), level(peak[1]))).collect();
    let input: Vec<Pos2> = (late.min(count)..count).map(|i| pos2(x(i), level(peaks[i - late][0]))).collect();
    let painter = ui.painter().with_clip_rect(well);
    between(&painter, &output, &ground, Palette::faint(cx.track, 0.5));
    painter.line(input, Stroke::new(1.0, palette.secondary));
    let highest = reductions.iter().map(|reduction| reduction[which]).fold(0.0, f32::max);
    let held = picture.highest_reductions[which];
    let range = REDUCTION_RANGES_DB.into_iter().find(|range| held.max(highest) <= *range).unwrap_or(36.0);
    let depth = |reduction: f32| well.min.y + well.height() * 0.5 * (reduction / range).min(1.0);
    let ceiling: Vec<Pos2> = (0..count).map(|index| pos2(x(index), well.min.y)).collect();
    let reduced: Vec<Pos2> =
        reductions.iter().enumerate().map(|(i, r)| pos2(x(i), depth(r[which]))).collect();
    between(&painter, &ceiling, &reduced, Palette::faint(palette.reduction, 0.3));
    painter.line(reduced, Stroke::new(1.5, palette.reduction));
    if held > 0.0 {
        let line = depth(held);
        super::loudness_pane::level_line(&painter, well, line, palette.reduction);
        let at = Rect::from_min_size(pos2(well.min.x + 6.0, line + 2.0), vec2(well.width() - 12.0, 12.0));
        let ink = pen(theme::strong(theme::SMALL), palette.reduction);
        paint::text(
            ui,
            at,
            Align2::LEFT_CENTER,
            &format!("max \u{2212}{} dB", number(f64::from(held), 1)),
            &ink,
        );
    }
    legend(
        ui,
        cx,
        Rect::from_min_max(pos2(well.min.x, well.max.y + 2.0), pos2(well.max.x, place.max.y)),
        range,
    );
    let response = ui.interact(well, ui.scope_id().with(name), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, name));
    let value = format!(
        "gain reduction {} dB, max {} dB",
        number(f64::from(reductions.last().map_or(0.0, |r| r[which])), 1),
        number(f64::from(held), 1)
    );
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(value));
    if response.clicked() {
        cx.edits.request(Edit::ResetPeaks);
    }
    if response.has_focus() {
        paint::focus_ring(ui, well, &palette);
    }
    response.on_hover_text("The highest samples of each moment: the output as an area, the chain's input as a line, delayed as the output is. Gain reduction hangs from the top. Click: reset the maximum.");
}

/// Draws the legend below the waveforms.
fn legend(ui: &Ui, cx: &ViewCx<'_>, line: Rect, range: f32) {
    let palette = &cx.palette;
    let tiny = pen(theme::font(theme::TINY), palette.dim);
    let seconds = cx.model.rate.map_or(11.0, |rate| 1024.0 * REDUCTION_FRAMES as f64 / rate.0);
    let scale = format!("last {} s", number(seconds, 0));
    paint::text(ui, line, Align2::LEFT_CENTER, &scale, &tiny);
    let mut right = line.max.x;
    let reduction = format!("gain reduction, {} dB to the middle", number(f64::from(range), 0));
    for (words, ink) in
        [(reduction.as_str(), palette.reduction), ("input", palette.secondary), ("output", cx.track)]
    {
        let place = Rect::from_min_max(line.min, pos2(right, line.max.y));
        let width = paint::width(ui, words, &tiny);
        if right - width - 16.0 < line.min.x + 70.0 {
            break;
        }
        let at = paint::text(ui, place, Align2::RIGHT_CENTER, words, &tiny);
        ui.painter().hline(at.min.x - 12.0..=at.min.x - 3.0, line.center().y, Stroke::new(2.0, ink));
        right = at.min.x - 20.0;
    }
}

/// Draws the compressor's static curve in `place`, with the level that follows from the present gain reduction.
fn static_curve(ui: &Ui, cx: &ViewCx<'_>, place: Rect) {
    let palette = &cx.palette;
    let side = place.width().min(place.height() - 14.0);
    let well = Rect::from_min_size(place.min, vec2(place.width(), side));
    ui.painter().rect_filled(well, CornerRadius::same(4), palette.background);
    let [low, high] = CURVE_RANGE_DB;
    let at = |input: f32, output: f32| {
        let part = |level: f32| ((level - low) / (high - low)).clamp(0.0, 1.0);
        pos2(well.min.x + well.width() * part(input), well.max.y - well.height() * part(output))
    };
    let grid = Stroke::new(1.0, Palette::faint(palette.line, 0.7));
    for level in [-48.0, -36.0, -24.0, -12.0] {
        ui.painter().vline(at(level, low).x, well.y_range(), grid);
        ui.painter().hline(well.x_range(), at(low, level).y, grid);
    }
    ui.painter().line_segment([at(low, low), at(high, high)], Stroke::new(1.0, palette.line));
    let settings = &cx.model.settings.compressor;
    let curve = Curve::new(settings.threshold, settings.ratio, settings.knee);
    let reduction = |level: f32| curve.reduction(f64::from(level)).min(settings.cap.0) as f32;
    let points: Vec<Pos2> = (0..=120)
        .map(|step| low + (high - low) * step as f32 / 120.0)
        .map(|level| at(level, level - reduction(level)))
        .collect();
    let is_on = settings.on;
    let ink = if is_on { palette.text } else { palette.dim };
    ui.painter().line(points, Stroke::new(1.75, ink));
    let now = cx.model.picture.reductions.last().map_or(0.0, |reductions| reductions[0]);
    let level = level_of(&reduction, now);
    let value = match level.filter(|_| is_on) {
        Some(level) => {
            let point = at(level, level - now);
            ui.painter().vline(
                point.x,
                point.y..=well.max.y,
                Stroke::new(1.0, Palette::faint(palette.reduction, 0.6)),
            );
            ui.painter().circle(point, 4.5, palette.reduction, Stroke::new(1.5, palette.background));
            format!("{} dBFS, {} dB less", number(f64::from(level), 1), number(f64::from(now), 1))
        }
        None => "no gain reduction".into(),
    };
    let line = Rect::from_min_max(pos2(place.min.x, well.max.y + 2.0), pos2(place.max.x, well.max.y + 14.0));
    let tiny = pen(theme::font(theme::TINY), palette.dim);
    paint::text(ui, line, Align2::LEFT_CENTER, &value, &tiny);
    let response = ui.interact(well, ui.scope_id().with("static curve"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Compressor's curve"));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(value));
    response.on_hover_text("Output over input, \u{2212}60 to 0 dBFS, with threshold, ratio, knee and the cap. The point is the level that the present gain reduction stands for; attack and release move it.");
}

/// Returns the level at which `reduction` gives `now`, dB; `None` without one.
fn level_of(reduction: &impl Fn(f32) -> f32, now: f32) -> Option<f32> {
    let [low, high] = CURVE_RANGE_DB;
    if now < 0.05 {
        return None;
    }
    let (mut below, mut above) = (low, high + 24.0);
    if reduction(above) < now {
        return Some(high);
    }
    for _ in 0..24 {
        let middle = 0.5 * (below + above);
        if reduction(middle) < now { below = middle } else { above = middle }
    }
    Some(above.min(high))
}

/// Draws the limiter's values, and the button that takes its drive back for listening.
fn limiter(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect) {
    if let Some((class, name)) = cx.model.lacks(modules::LIMITER_CLASS) {
        modules::needs(ui, cx, place, class, name);
        return;
    }
    let palette = cx.palette;
    // the same parameters stand on the unit's card
    let ui = &mut ui.new_child(UiBuilder::new().id_salt("limiter pane").max_rect(place));
    let mut y = place.min.y;
    for ids in [["lim_drive", "lim_ceiling"], ["lim_lookahead", "lim_release"]] {
        for (column, id) in ids.into_iter().enumerate() {
            let Some(row) = cx.row(id) else { continue };
            let width = (place.width() - GAP) / 2.0;
            let at =
                Rect::from_min_size(pos2(place.min.x + column as f32 * (width + GAP), y), vec2(width, 32.0));
            control(ui, cx, at, row, Style { caption: Some(&row.name), ..Style::default() });
        }
        y += 42.0;
    }
    const UNITY: &str = "Unity gain";
    let is_heard = matches!(cx.model.listen, MonitorMode::Unity(_));
    let at = Rect::from_min_size(pos2(place.min.x, y), vec2(pill_width(ui, UNITY), 24.0));
    let weight = if is_heard { Weight::Chosen } else { Weight::Quiet };
    let response = pill(ui, &palette, at, UNITY, weight, true);
    if response.clicked() {
        let mode = if is_heard { MonitorMode::Off } else { MonitorMode::Unity(Db(-drive(cx))) };
        cx.edits.request(Edit::MonitorMode(mode));
    }
    response.on_hover_text("Listen to the output without the gain of the drive: what the limiter does, without being louder. It follows the drive, is never saved and never in a render.");
    if at.max.x + 8.0 < place.max.x {
        let beside = Rect::from_min_max(pos2(at.max.x + 8.0, at.min.y), pos2(place.max.x, at.max.y));
        let dim = pen(theme::font(theme::SMALL), palette.dim);
        paint::text(ui, beside, Align2::LEFT_CENTER, &format!("{} dB", signed(-drive(cx), 1)), &dim);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_on_the_curve_is_the_one_that_gives_this_reduction() {
        let curve = Curve::new(Db(-18.0), 4.0, Db(6.0));
        let reduction = |level: f32| curve.reduction(f64::from(level)) as f32;
        for level in [-19.5, -16.0, -10.0, -3.0] {
            let found = level_of(&reduction, reduction(level)).expect("it reduces");
            assert!((found - level).abs() < 0.05, "{level}: {found}");
        }
        assert_eq!(level_of(&reduction, 0.0), None);
        // what auto release or a cap leaves beyond the curve is at its end
        assert_eq!(level_of(&|level| reduction(level).min(2.0), 3.0), Some(0.0));
    }
}
