//! Loudness over time: momentary and short-term over the last minute or the song, integrated and target as lines.

use super::controls::{Weight, pill, pill_width};
use super::display::{LoudnessScale, LoudnessUnit, MeterDisplay};
use super::format::{number, signed};
use super::meter_panel::loudness;
use super::paint::{self, Pen, area, pen};
use super::theme::{self, Palette};
use super::time_view::{TimeAxis, TimeSpan, TimeView};
use super::view_model::ViewCx;
use egui::{Align2, Color32, Painter, Pos2, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};
use plugin_core::gauges::history::{HISTORY_STEP, LoudnessHistory, LoudnessPoint};
use units::{Lufs, Ms};

/// Width of a column of the curves, points.
const COLUMN_WIDTH: f32 = 1.5;
/// Width of the loudness figures at the left, points.
const LABELS_WIDTH: f32 = 30.0;

/// Range of a loudness graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LoudnessSpan {
    /// The last minute, in the order of hearing.
    Minute,
    /// All that was heard, over the project's timeline.
    #[default]
    Song,
}

impl LoudnessSpan {
    const ALL: [(Self, &'static str); 2] = [(Self::Minute, "Last minute"), (Self::Song, "Song")];
}

/// State of the graph between frames.
#[derive(Debug, Default)]
pub(super) struct LoudnessPane {
    span: LoudnessSpan,
    minute: TimeView,
    song: TimeView,
}

impl LoudnessPane {
    /// Draws the choice of the range at the right of `bar`, and the graph in `place`.
    pub(super) fn draw_pane(&mut self, ui: &mut Ui, cx: &ViewCx<'_>, bar: Rect, place: Rect) {
        let mut right = bar.max.x;
        let palette = cx.palette;
        for (span, words) in LoudnessSpan::ALL.into_iter().rev() {
            let at =
                Rect::from_min_max(pos2(right - pill_width(ui, words), bar.min.y), pos2(right, bar.max.y));
            let weight = if span == self.span { Weight::Chosen } else { Weight::Quiet };
            if pill(ui, &palette, at, words, weight, true).clicked() {
                self.span = span;
            }
            right = at.min.x - 6.0;
        }
        let (history, view) = match self.span {
            LoudnessSpan::Minute => (&cx.model.recent, &mut self.minute),
            LoudnessSpan::Song => (&cx.model.song, &mut self.song),
        };
        if view.is_zoomed() {
            let words = "Show all";
            let at =
                Rect::from_min_max(pos2(right - pill_width(ui, words), bar.min.y), pos2(right, bar.max.y));
            if pill(ui, &palette, at, words, Weight::Quiet, true).clicked() {
                view.show_all();
            }
        }
        let well = Rect::from_min_max(place.min + vec2(LABELS_WIDTH, 0.0), place.max - vec2(0.0, 16.0));
        ui.painter().rect_filled(well, 4.0, palette.background);
        scale(ui, cx, well);
        if history.points.is_empty() {
            let words = "Loudness appears here as it is heard.";
            let small = pen(theme::font(theme::SMALL), palette.secondary);
            paint::label(ui, well, Align2::CENTER_CENTER, words, &small);
            return;
        }
        let span = match self.span {
            LoudnessSpan::Minute => {
                TimeSpan { start: Ms(history.end().0 - 60_000.0), end: history.end(), origin: history.end() }
            }
            LoudnessSpan::Song => TimeSpan { start: history.start, end: history.end(), origin: Ms(0.0) },
        };
        let axis = view.axis(well, span);
        axis.draw(ui, &palette);
        let painter = ui.painter().with_clip_rect(well);
        curves(&painter, cx, &axis, history);
        lines(ui, cx, well);
        legend(ui, cx, well);
        if self.span == LoudnessSpan::Song
            && let Some(playhead) = cx.model.playhead
        {
            painter.vline(axis.x(playhead), well.y_range(), Stroke::new(1.0, palette.accent));
        }
        view.draw_mark(&painter, &axis, &palette);
        let response = ui.interact(well, ui.scope_id().with("loudness over time"), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, "Loudness over time"));
        let (from, to) = axis.range();
        let told =
            format!("{} to {}, {}", axis.words(from), axis.words(to), sentence(cx, LoudnessPoint::default()));
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(told));
        view.interact(ui, &response, &axis, span, HISTORY_STEP);
        if response.has_focus() {
            paint::focus_ring(ui, well, &palette);
        }
        readouts(ui, cx, &axis, history, view.mark(), response.hover_pos());
    }
}

/// Returns the point of a history at a time.
fn point_at(history: &LoudnessHistory, at: Ms) -> Option<LoudnessPoint> {
    let index = ((at.0 - history.start.0) / HISTORY_STEP.0).floor();
    if index < 0.0 { None } else { history.points.get(index as usize).copied() }
}

/// Returns the loudness at a moment as text; without one, that of the whole.
fn sentence(cx: &ViewCx<'_>, point: LoudnessPoint) -> String {
    let display = &cx.model.display.meter;
    let unit = display.unit_name();
    if point == LoudnessPoint::default() {
        let target = display
            .target
            .as_ref()
            .map_or(String::new(), |target| format!(", target {}", loudness(cx, Some(target.loudness))));
        return format!("I {}{target} {unit}", loudness(cx, cx.model.reading.integrated));
    }
    format!("M {}  S {} {unit}", loudness(cx, point.momentary), loudness(cx, point.short_term))
}

/// Draws the readouts of the mark and of the pointer in the corners of the graph.
fn readouts(
    ui: &Ui,
    cx: &ViewCx<'_>,
    axis: &TimeAxis,
    history: &LoudnessHistory,
    mark: Option<Ms>,
    pointer: Option<Pos2>,
) {
    let palette = &cx.palette;
    let well = axis.well;
    let words = |at: Ms| match point_at(history, at) {
        Some(point) if point != LoudnessPoint::default() => {
            format!("{}  {}", axis.words(at), sentence(cx, point))
        }
        _ => format!("{}  not heard", axis.words(at)),
    };
    let line = Rect::from_min_size(well.min + vec2(8.0, 4.0), vec2(well.width() - 16.0, 16.0));
    if let Some(mark) = mark {
        let ink = pen(theme::font(theme::SMALL), palette.reduction);
        let response = paint::label(ui, line, Align2::LEFT_CENTER, &format!("Mark {}", words(mark)), &ink);
        response.on_hover_text(
            "Set by a click; arrows move it, a right click or Escape removes it. Nothing is played.",
        );
    }
    if let Some(pointer) = pointer {
        let at = axis.at(pointer.x);
        ui.painter().vline(pointer.x, well.y_range(), Stroke::new(1.0, Palette::faint(palette.dim, 0.6)));
        let ink = pen(theme::font(theme::SMALL), palette.text);
        let line = line.translate(vec2(0.0, 16.0));
        paint::label(ui, line, Align2::LEFT_CENTER, &words(at), &ink);
    }
}

/// Returns the number of steps of a scale in a graph of that height.
fn steps(display: &MeterDisplay, height: f32) -> usize {
    match (display.scale, height >= 130.0) {
        (LoudnessScale::Full, true) => 6,
        (LoudnessScale::Ebu9, true) => 9,
        (LoudnessScale::Ebu18, true) => 6,
        _ => 3,
    }
}

/// Returns the height of a loudness in a graph.
pub(super) fn level_y(display: &MeterDisplay, well: Rect, level: Lufs) -> f32 {
    well.max.y - well.height() * display.fraction(level)
}

/// Draws the lines and figures of the loudness scale at the left of `well`.
fn scale(ui: &Ui, cx: &ViewCx<'_>, well: Rect) {
    let (palette, display) = (&cx.palette, &cx.model.display.meter);
    let tiny = pen(theme::font(theme::TINY), palette.dim);
    for level in display.labels(steps(display, well.height())) {
        let y = level_y(display, well, level);
        ui.painter().hline(well.x_range(), y, Stroke::new(1.0, Palette::faint(palette.line, 0.7)));
        let figure = display.figure(level);
        let words =
            if display.unit == LoudnessUnit::Relative { signed(figure, 0) } else { number(figure, 0) };
        let y = y.clamp(well.min.y + 5.0, well.max.y - 5.0);
        let at =
            Rect::from_min_max(pos2(well.min.x - LABELS_WIDTH, y - 6.0), pos2(well.min.x - 5.0, y + 6.0));
        paint::text(ui, at, Align2::RIGHT_CENTER, &words, &tiny);
    }
}

/// Draws momentary loudness as a hair line and short-term loudness as an area with an edge.
fn curves(painter: &Painter, cx: &ViewCx<'_>, axis: &TimeAxis, history: &LoudnessHistory) {
    let (palette, display, well) = (&cx.palette, &cx.model.display.meter, axis.well);
    let columns = (well.width() / COLUMN_WIDTH) as usize;
    let curve = |of: fn(&LoudnessPoint) -> Option<Lufs>| -> Vec<Vec<Pos2>> {
        let mut runs: Vec<Vec<Pos2>> = vec![Vec::new()];
        for column in 0..columns {
            let x = |column: usize| well.min.x + column as f32 * COLUMN_WIDTH;
            let index = |x: f32| ((axis.at(x).0 - history.start.0) / HISTORY_STEP.0).max(0.0) as usize;
            let (first, end) = (index(x(column)), index(x(column + 1)));
            let is_inside = axis.at(x(column)).0 >= history.start.0;
            let points = history.points.get(first..end.max(first + 1).min(history.points.len()));
            let level = points.filter(|_| is_inside).into_iter().flatten().filter_map(of).map(|x| x.0);
            match level.reduce(f64::max) {
                Some(level) => {
                    let point = pos2(x(column) + 0.5 * COLUMN_WIDTH, level_y(display, well, Lufs(level)));
                    if let Some(run) = runs.last_mut() {
                        run.push(point);
                    }
                }
                None if runs.last().is_some_and(|run| !run.is_empty()) => runs.push(Vec::new()),
                None => {}
            }
        }
        runs
    };
    for run in curve(|point| point.short_term) {
        area(painter, &run, well.max.y, Palette::faint(cx.track, 0.3));
        painter.line(run, Stroke::new(1.75, cx.track));
    }
    for run in curve(|point| point.momentary) {
        painter.line(run, Stroke::new(1.0, Palette::faint(palette.secondary, 0.75)));
    }
}

/// Draws integrated loudness and target as lines with their figures.
fn lines(ui: &Ui, cx: &ViewCx<'_>, well: Rect) {
    let (palette, display) = (&cx.palette, &cx.model.display.meter);
    let target = display.target.as_ref().map(|target| target.loudness);
    let mut taken: Option<f32> = None;
    for (name, level, ink) in
        [("integrated", cx.model.reading.integrated, palette.text), ("target", target, palette.accent)]
    {
        let Some(level) = level else { continue };
        let y = level_y(display, well, level);
        level_line(ui.painter(), well, y, ink);
        let words = format!("{name} {}", loudness(cx, Some(level)));
        let tiny = pen(theme::font(theme::TINY), ink);
        // above the line, below it where the other one stands
        let above = y - 8.0 >= well.min.y + 6.0 && taken.is_none_or(|taken| (taken - (y - 8.0)).abs() > 11.0);
        let middle = if above { y - 8.0 } else { y + 8.0 };
        taken = Some(middle);
        let at = Rect::from_min_max(pos2(well.min.x, middle - 6.0), pos2(well.max.x - 6.0, middle + 6.0));
        on_ground(ui, cx, at, Align2::RIGHT_CENTER, &words, &tiny);
    }
}

/// Draws a text that curves pass behind, on a ground of its own.
fn on_ground(ui: &Ui, cx: &ViewCx<'_>, place: Rect, align: Align2, words: &str, pen: &Pen) {
    let size = vec2(paint::width(ui, words, pen), 12.0);
    let ground = align.align_size_within_rect(size, place).expand2(vec2(3.0, 0.0));
    ui.painter().rect_filled(ground, 2.0, Palette::faint(cx.palette.background, 0.8));
    paint::text(ui, place, align, words, pen);
}

/// Draws what the two curves are, in the lower left corner.
fn legend(ui: &Ui, cx: &ViewCx<'_>, well: Rect) {
    let palette = &cx.palette;
    let tiny = pen(theme::font(theme::TINY), palette.secondary);
    let mut left = well.min.x + 8.0;
    let y = well.max.y - 10.0;
    for (words, stroke) in [
        ("short-term", Stroke::new(1.75, cx.track)),
        ("momentary", Stroke::new(1.0, Palette::faint(palette.secondary, 0.75))),
    ] {
        let at = Rect::from_min_max(pos2(left + 16.0, y - 6.0), pos2(well.max.x, y + 6.0));
        on_ground(ui, cx, at, Align2::LEFT_CENTER, words, &tiny);
        ui.painter().hline(left..=left + 12.0, y, stroke);
        left = at.min.x + paint::width(ui, words, &tiny) + 12.0;
    }
}

/// Draws a dashed line across `well`.
pub(super) fn level_line(painter: &Painter, well: Rect, y: f32, ink: Color32) {
    let ends = [pos2(well.min.x, y), pos2(well.max.x, y)];
    painter.extend(Shape::dashed_line(&ends, Stroke::new(1.25, ink), 6.0, 3.0));
}
