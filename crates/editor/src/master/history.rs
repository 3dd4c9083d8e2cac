//! SessionTimeline of the project: short-term and integrated loudness, the Master's gain reduction, unheard passages and
//! songs.

use super::songs;
use super::status::NO_POSITION;
use crate::format::{number, time};
use crate::legend::{self, Hatching};
use crate::loudness_pane::level_line;
use crate::paint::{self, pen, shortened};
use crate::theme::{self, PAD, Palette};
use crate::time_view::{TimeAxis, TimeSpan, TimeView};
use crate::view_model::ViewCx;
use egui::{Align2, Color32, Mesh, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};
use plugin_core::session_view::{SessionTimeline, TimelinePoint, TimelineSong};
use session::record::HopStatus;
use units::Ms;

/// Lowest loudness drawn, LUFS.
const LOWEST_LUFS: f64 = -36.0;
const HIGHEST_LUFS: f64 = -3.0;
/// Gain reduction that fills half of the height, from the top, dB.
const REDUCTION_SCALE_DB: f64 = 12.0;
/// Width of a column, points.
const COLUMN_WIDTH: f32 = 3.0;

/// Draws the timeline in `place`; `loudest` marks the loudest passage.
pub(super) fn draw_timeline(
    ui: &mut Ui,
    cx: &mut ViewCx<'_>,
    place: Rect,
    loudest: bool,
    view: &mut TimeView,
) {
    let palette = cx.palette;
    paint::panel(ui, place, &palette);
    let inner = place.shrink2(vec2(PAD, 6.0));
    let small = pen(theme::font(theme::SMALL), palette.secondary);
    let top = Rect::from_min_size(inner.min, vec2(inner.width(), 14.0));
    let menu = Rect::from_min_max(pos2(top.max.x - songs::MENU_WIDTH, top.min.y), top.max);
    let timeline = cx.model.snapshot.timeline().filter(|timeline| !timeline.points.is_empty());
    let Some(timeline) = timeline else {
        let room = Rect::from_min_max(inner.min, pos2(menu.min.x - PAD, inner.max.y));
        let words = if cx.model.master.lacks_position {
            NO_POSITION
        } else {
            "The song appears here as it is heard."
        };
        paint::label(ui, room, Align2::LEFT_CENTER, words, &small);
        songs::draw_songs_menu(ui, cx, menu);
        return;
    };
    let well = Rect::from_min_max(pos2(inner.min.x, inner.min.y + 15.0), inner.max);
    ui.painter().rect_filled(well, 4.0, palette.background);
    let span = TimeSpan { start: timeline.start, end: timeline.end(), origin: Ms(0.0) };
    let scale = Scale { timeline, axis: view.axis(well, span) };
    let painter = ui.painter().with_clip_rect(well);
    if loudest && let Some((from, to)) = timeline.loudest {
        let band = Rect::from_x_y_ranges(scale.x(from)..=scale.x(to), well.y_range());
        painter.rect_filled(band, 0.0, Palette::faint(palette.accent, 0.28));
    }
    let columns = ((well.width() / COLUMN_WIDTH) as usize).max(1);
    let mut bars = Mesh::default();
    let mut reductions = Mesh::default();
    let mut line = Vec::new();
    let mut hatched: Option<(f32, HopStatus)> = None;
    for column in 0..=columns {
        let x = well.min.x + column as f32 / columns as f32 * well.width();
        let next = well.min.x + (column + 1) as f32 / columns as f32 * well.width();
        let first = scale.index(x);
        let points = timeline.points.get(first..scale.index(next).max(first + 1)).unwrap_or_default();
        let mark = (column < columns).then(|| worst(points));
        if hatched.map(|(_, mark)| mark) != mark.filter(|mark| *mark != HopStatus::Heard) {
            if let Some((from, mark)) = hatched.take() {
                hatch(&painter, Rect::from_x_y_ranges(from..=x, well.y_range()), &palette, mark);
            }
            hatched = mark.filter(|mark| *mark != HopStatus::Heard).map(|mark| (x, mark));
        }
        let highest = |of: fn(&TimelinePoint) -> Option<f64>| points.iter().filter_map(of).reduce(f64::max);
        let ink = if mark == Some(HopStatus::Heard) { cx.track } else { palette.dim };
        if let Some(level) = highest(|point| point.short_term.map(|s| s.0)) {
            let top = scale.y(level);
            bars.add_colored_rect(
                Rect::from_min_max(pos2(x, top), pos2(next - 1.0, well.max.y)),
                Palette::faint(ink, 0.65),
            );
        }
        if let Some(reduction) = highest(|point| point.reduction.map(|r| r.0)).filter(|r| *r > 0.0) {
            let depth = (reduction / REDUCTION_SCALE_DB).min(1.0) as f32 * well.height() * 0.5;
            reductions.add_colored_rect(
                Rect::from_min_max(pos2(x, well.min.y), pos2(next, well.min.y + depth)),
                Palette::faint(palette.reduction, 0.8),
            );
        }
        if let Some(level) = points.iter().filter_map(|point| point.integrated).next_back() {
            line.push(pos2(x, scale.y(level.0)));
        }
    }
    painter.add(bars);
    painter.add(reductions);
    if line.len() > 1 {
        painter.add(Shape::line(line, Stroke::new(1.5, palette.text)));
    }
    if let Some(target) = &cx.model.display.meter.target {
        level_line(&painter, well, scale.y(target.loudness.0), palette.accent);
    }
    if let Some(head) = cx.model.playhead {
        painter.vline(scale.x(head), well.y_range(), Stroke::new(1.0, palette.accent));
    }
    titles(ui, cx, &scale, inner);
    let words = Rect::from_min_max(top.min, pos2(menu.min.x - 4.0, top.max.y));
    legend::draw_menu(ui, &palette, words);
    songs::draw_songs_menu(ui, cx, menu);
    let response = ui.interact(well, ui.scope_id().with("history"), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, "Loudness on the timeline"));
    let (from, to) = scale.axis.range();
    let visible = format!("{} to {}", scale.axis.words(from), scale.axis.words(to));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(visible));
    view.interact(ui, &response, &scale.axis, span, timeline.step);
    view.draw_mark(&painter, &scale.axis, &palette);
    if response.has_focus() {
        paint::focus_ring(ui, well, &palette);
    }
    if let Some(mark) = view.mark() {
        marked(ui, cx, &scale, mark);
    }
    if let Some(at) = response.hover_pos() {
        let words = told(&scale, at.x);
        response.on_hover_text(words);
    }
}

/// Draws what was heard at the mark, in the corner of the well.
fn marked(ui: &Ui, cx: &ViewCx<'_>, scale: &Scale<'_>, mark: Ms) {
    let palette = &cx.palette;
    let point = scale.timeline.points.get(scale.index(scale.axis.x(mark)));
    let level = match point.and_then(|point| point.short_term) {
        Some(level) => format!("S {} LUFS", number(level.0, 1)),
        None => "not heard".into(),
    };
    let words = format!("Mark {}  {level}", scale.axis.words(mark));
    let ink = pen(theme::font(theme::SMALL), palette.reduction);
    let size = vec2(paint::width(ui, &words, &ink) + 8.0, 15.0);
    let at = Rect::from_min_size(scale.axis.well.left_top() + vec2(3.0, 3.0), size);
    ui.painter().rect_filled(at, 3.0, Palette::faint(palette.background, 0.85));
    let response = paint::label(ui, at, Align2::CENTER_CENTER, &words, &ink);
    response.on_hover_text(
        "Set by a click; arrows move it, a right click or Escape removes it. Nothing is played.",
    );
}

/// Scale from time and loudness to points.
struct Scale<'a> {
    timeline: &'a SessionTimeline,
    axis: TimeAxis,
}

impl Scale<'_> {
    fn x(&self, at: Ms) -> f32 {
        self.axis.x(at).clamp(self.axis.well.min.x, self.axis.well.max.x)
    }

    /// Returns the index of the point at an abscissa.
    fn index(&self, x: f32) -> usize {
        ((self.axis.at(x).0 - self.timeline.start.0) / self.timeline.step.0 + 1e-6).max(0.0) as usize
    }

    fn y(&self, level: f64) -> f32 {
        let part = ((level - LOWEST_LUFS) / (HIGHEST_LUFS - LOWEST_LUFS)).clamp(0.0, 1.0);
        self.axis.well.max.y - part as f32 * self.axis.well.height()
    }
}

/// Returns the most important status of the points in a column, so that a gap always shows.
fn worst(points: &[TimelinePoint]) -> HopStatus {
    let rank = |mark: HopStatus| match mark {
        HopStatus::Heard => 0,
        HopStatus::Dropped => 1,
        HopStatus::OldSettings => 2,
        HopStatus::Auditioned => 3,
        HopStatus::Unheard => 4,
    };
    points.iter().map(|point| point.mark).max_by_key(|mark| rank(*mark)).unwrap_or(HopStatus::Heard)
}

/// Returns a status as text.
fn words(mark: HopStatus) -> &'static str {
    match mark {
        HopStatus::Heard => "heard with the present settings",
        HopStatus::Unheard => "not heard yet",
        HopStatus::OldSettings => "heard with old settings",
        HopStatus::Auditioned => "soloed, not recorded",
        HopStatus::Dropped => "heard long ago, forgotten",
    }
}

/// Hatches passages not heard with the present settings: rising strokes for unheard, falling ones for the rest.
fn hatch(painter: &egui::Painter, place: Rect, palette: &Palette, mark: HopStatus) {
    let painter = painter.with_clip_rect(place.intersect(painter.clip_rect()));
    let hatching = if mark == HopStatus::Unheard { Hatching::Rising } else { Hatching::Falling };
    legend::strokes(&painter, place, hatching, hatching.ink(palette));
}

/// Draws the title line: the legend, and the songs over their ranges.
fn titles(ui: &Ui, cx: &ViewCx<'_>, scale: &Scale<'_>, inner: Rect) {
    let palette = &cx.palette;
    let top =
        Rect::from_min_size(inner.min, vec2(inner.width() - songs::MENU_WIDTH - legend::WIDTH - PAD, 14.0));
    let quiet = pen(theme::font(theme::TINY), palette.secondary);
    let songs = &cx.model.master.songs;
    if songs.is_empty() {
        paint::text(ui, top, Align2::LEFT_CENTER, "Short-term on the timeline", &quiet);
        curves(ui, palette, top);
        return;
    }
    let mut left = top.min.x;
    for song in songs {
        let (from, to) = (scale.x(song.start).max(left), scale.x(song.end));
        let edge = Stroke::new(1.0, palette.line);
        ui.painter().vline(scale.x(song.start), inner.y_range(), edge);
        let at = Rect::from_min_max(pos2(from + 4.0, top.min.y), pos2(to.min(top.max.x) - 2.0, top.max.y));
        if at.width() > 20.0 {
            let words = said(song);
            let shown = shortened(ui, &words, &quiet, at.width());
            paint::label(ui, at, Align2::LEFT_CENTER, &shown, &quiet).on_hover_text(words);
        }
        left = to;
    }
}

fn said(song: &TimelineSong) -> String {
    let figure = song.integrated.map_or(String::new(), |i| format!("  {} LUFS", number(i.0, 1)));
    format!(
        "{}{figure}  heard {} of {}",
        song.name,
        time(song.heard.0 / 1000.0),
        time((song.end.0 - song.start.0) / 1000.0)
    )
}

/// Draws what the curves are.
fn curves(ui: &Ui, palette: &Palette, top: Rect) {
    let mut right = top.max.x;
    for (words, ink) in [("gain reduction", palette.reduction), ("integrated", palette.text)] {
        let quiet = pen(theme::font(theme::TINY), palette.secondary);
        let at = paint::text(
            ui,
            Rect::from_min_max(top.min, pos2(right, top.max.y)),
            Align2::RIGHT_CENTER,
            words,
            &quiet,
        );
        mark(ui, pos2(at.min.x - 10.0, top.center().y), ink);
        right = at.min.x - 26.0;
    }
}

fn mark(ui: &Ui, at: egui::Pos2, ink: Color32) {
    ui.painter().hline(at.x - 5.0..=at.x + 5.0, at.y, Stroke::new(2.0, ink));
}

/// Returns the tooltip at the pointer.
fn told(scale: &Scale<'_>, x: f32) -> String {
    let timeline = scale.timeline;
    let index = scale.index(x).min(timeline.points.len() - 1);
    let TimelinePoint { mark, short_term, integrated, reduction } = timeline.points[index];
    let at = time((timeline.start.0 + index as f64 * timeline.step.0) / 1000.0);
    let value = |name: &str, x: Option<f64>, unit: &str| x.map(|x| format!("{name} {} {unit}", number(x, 1)));
    let lines = [
        Some(format!("{at}, {}", words(mark))),
        value("S", short_term.map(|s| s.0), "LUFS"),
        value("I so far", integrated.map(|i| i.0), "LUFS"),
        value("Gain reduction", reduction.map(|r| r.0), "dB"),
    ];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_never_drawn_over() {
        let of = |mark| TimelinePoint { mark, short_term: None, integrated: None, reduction: None };
        assert_eq!(
            worst(&[of(HopStatus::Heard), of(HopStatus::Unheard), of(HopStatus::Heard)]),
            HopStatus::Unheard
        );
        assert_eq!(worst(&[of(HopStatus::Heard), of(HopStatus::OldSettings)]), HopStatus::OldSettings);
        assert_eq!(worst(&[of(HopStatus::Heard)]), HopStatus::Heard);
    }
}
