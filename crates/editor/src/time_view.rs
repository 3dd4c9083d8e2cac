//! Time axis of a graph: zoom, shift, and a mark that the user sets. It plays nothing and moves no transport.

use super::field::wheel;
use super::format::time;
use super::paint::{self, pen};
use super::theme::{self, Palette};
use egui::{Align2, Event, EventFilter, Key, Painter, Rect, Response, Stroke, Ui, pos2, vec2};
use units::Ms;

/// Shortest visible range, ms.
const MIN_RANGE_MS: f64 = 2000.0;
/// Factor of the range for a turn of the wheel.
const ZOOM_FACTOR: f64 = 0.8;
/// Distances of the axis' figures, seconds.
const TICK_SECONDS: [f64; 13] =
    [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0];
/// Smallest distance of the axis' figures, points.
const MIN_TICK_POINTS: f32 = 56.0;
/// Width of a figure of the axis, points.
const MIN_LABEL_WIDTH: f32 = 44.0;

/// Range of time that a graph can show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TimeSpan {
    pub(super) start: Ms,
    pub(super) end: Ms,
    /// The time that figures and zoom count from: 0 on a timeline, the end where the graph moves on.
    pub(super) origin: Ms,
}

/// Zoom and mark of a graph, between frames.
#[derive(Clone, Debug, Default)]
pub(super) struct TimeView {
    /// Visible range from the origin, ms; `None`: everything.
    zoom: Option<[f64; 2]>,
    mark: Option<Ms>,
}

/// Visible part of a time axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeAxis {
    pub(super) well: Rect,
    from: f64,
    to: f64,
    origin: f64,
}

impl TimeAxis {
    pub(super) fn x(&self, at: Ms) -> f32 {
        self.well.min.x + ((at.0 - self.from) / (self.to - self.from)) as f32 * self.well.width()
    }

    /// Returns the time at an abscissa.
    pub(super) fn at(&self, x: f32) -> Ms {
        let part = f64::from((x - self.well.min.x) / self.well.width());
        Ms(self.from + part * (self.to - self.from))
    }

    /// Returns the visible range.
    pub(super) fn range(&self) -> (Ms, Ms) {
        (Ms(self.from), Ms(self.to))
    }

    /// Returns a time as text: on a timeline as it is, else before now.
    pub(super) fn words(&self, at: Ms) -> String {
        let seconds = (at.0 - self.origin) / 1000.0;
        let sign = if seconds <= -0.05 { "\u{2212}" } else { "" };
        let tenths = (seconds.abs() * 10.0).round() / 10.0;
        format!("{sign}{}.{}", time(tenths), ((tenths * 10.0).round() as u64) % 10)
    }

    /// Draws lines in the well, and figures in the line below it.
    pub(super) fn draw(&self, ui: &Ui, palette: &Palette) {
        let points_per_second = f64::from(self.well.width()) * 1000.0 / (self.to - self.from);
        let is_wide = |step: &&f64| **step * points_per_second >= f64::from(MIN_TICK_POINTS);
        let step = TICK_SECONDS.iter().find(is_wide).copied().unwrap_or(7200.0) * 1000.0;
        let tiny = pen(theme::font(theme::TINY), palette.dim);
        let stroke = Stroke::new(1.0, Palette::faint(palette.line, 0.7));
        let first = ((self.from - self.origin) / step).ceil() as i64;
        for index in first.. {
            let at = self.origin + index as f64 * step;
            if at > self.to {
                break;
            }
            let x = self.x(Ms(at));
            ui.painter().vline(x, self.well.y_range(), stroke);
            let seconds = (at - self.origin) / 1000.0;
            let sign = if seconds < 0.0 { "\u{2212}" } else { "" };
            let words = format!("{sign}{}", time(seconds.abs()));
            let place = Rect::from_center_size(pos2(x, self.well.max.y + 8.0), vec2(MIN_LABEL_WIDTH, 12.0));
            let place = place.translate(vec2(
                (self.well.min.x - place.min.x).max(0.0) + (self.well.max.x - place.max.x).min(0.0),
                0.0,
            ));
            paint::text(ui, place, Align2::CENTER_CENTER, &words, &tiny);
        }
    }
}

impl TimeView {
    /// Returns the visible part of `span` in `well`.
    pub(super) fn axis(&self, well: Rect, span: TimeSpan) -> TimeAxis {
        let (start, end) = (span.start.0, span.end.0.max(span.start.0 + 1.0));
        let (mut from, mut to) = (start, end);
        if let Some([low, high]) = self.zoom {
            (from, to) = ((span.origin.0 + low).max(start), (span.origin.0 + high).min(end));
            if to - from < MIN_RANGE_MS {
                (from, to) = (start, end);
            }
        }
        TimeAxis { well, from, to, origin: span.origin.0 }
    }

    /// Returns true if a part is shown.
    pub(super) fn is_zoomed(&self) -> bool {
        self.zoom.is_some()
    }

    /// Shows everything.
    pub(super) fn show_all(&mut self) {
        self.zoom = None;
    }

    /// Returns the time that the user has marked.
    pub(super) fn mark(&self) -> Option<Ms> {
        self.mark
    }

    /// Scales the visible range by `factor` around `about`.
    fn scale(&mut self, axis: &TimeAxis, span: TimeSpan, about: Ms, factor: f64) {
        let factor = factor.max(MIN_RANGE_MS / (axis.to - axis.from));
        let low = about.0 - (about.0 - axis.from) * factor;
        let high = about.0 + (axis.to - about.0) * factor;
        self.set(span, low, high);
    }

    /// Shows the range from `low` to `high`, moved into `span`.
    fn set(&mut self, span: TimeSpan, low: f64, high: f64) {
        let range = (high - low).max(MIN_RANGE_MS);
        if range >= span.end.0 - span.start.0 {
            self.zoom = None;
            return;
        }
        let low = low.clamp(span.start.0, span.end.0 - range);
        self.zoom = Some([low - span.origin.0, low + range - span.origin.0]);
    }

    /// Takes the wheel, a drag, a click and keys over the graph. `step`: of the arrow keys.
    pub(super) fn interact(
        &mut self,
        ui: &Ui,
        response: &Response,
        axis: &TimeAxis,
        span: TimeSpan,
        step: Ms,
    ) {
        let turns = wheel(ui, response);
        if turns != 0.0
            && let Some(pointer) = response.hover_pos()
        {
            self.scale(axis, span, axis.at(pointer.x), ZOOM_FACTOR.powf(f64::from(turns)));
        }
        if response.dragged() {
            let way = -f64::from(response.drag_delta().x / axis.well.width()) * (axis.to - axis.from);
            self.set(span, axis.from + way, axis.to + way);
        }
        if response.double_clicked() {
            self.zoom = None;
        } else if response.clicked() {
            response.request_focus();
            if let Some(at) = response.interact_pointer_pos() {
                self.mark = Some(axis.at(at.x));
            }
        } else if response.secondary_clicked() {
            self.mark = None;
        }
        if response.has_focus() {
            let filter =
                EventFilter { horizontal_arrows: true, vertical_arrows: true, escape: true, tab: false };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
            for event in ui.input(|input| input.events.clone()) {
                if let Event::Key { key, pressed: true, .. } = event {
                    self.key(axis, span, step, key);
                }
            }
        }
    }

    fn key(&mut self, axis: &TimeAxis, span: TimeSpan, step: Ms, key: Key) {
        let middle = Ms((axis.from + axis.to) / 2.0);
        let mark = self.mark.unwrap_or(middle);
        let moved = |by: f64| Some(Ms((mark.0 + by).clamp(span.start.0, span.end.0)));
        match key {
            Key::ArrowLeft => self.mark = moved(-step.0),
            Key::ArrowRight => self.mark = moved(step.0),
            Key::ArrowUp | Key::Plus => self.scale(axis, span, mark, ZOOM_FACTOR),
            Key::ArrowDown | Key::Minus => self.scale(axis, span, mark, 1.0 / ZOOM_FACTOR),
            Key::Home => self.zoom = None,
            Key::Delete | Key::Backspace | Key::Escape => self.mark = None,
            _ => {}
        }
    }

    /// Draws the mark, if it is visible.
    pub(super) fn draw_mark(&self, painter: &Painter, axis: &TimeAxis, palette: &Palette) {
        let Some(mark) = self.mark.filter(|mark| (axis.from..=axis.to).contains(&mark.0)) else { return };
        let (x, top) = (axis.x(mark), axis.well.min.y);
        painter.vline(x, axis.well.y_range(), Stroke::new(1.0, palette.reduction));
        let flag = vec![pos2(x - 4.0, top), pos2(x + 4.0, top), pos2(x, top + 6.0)];
        painter.add(egui::Shape::convex_polygon(flag, palette.reduction, Stroke::NONE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(end: f64) -> TimeSpan {
        TimeSpan { start: Ms(0.0), end: Ms(end), origin: Ms(0.0) }
    }

    fn well() -> Rect {
        Rect::from_min_size(egui::Pos2::ZERO, vec2(600.0, 100.0))
    }

    #[test]
    fn zooming_keeps_the_time_under_the_pointer_and_never_leaves_the_song() {
        let (mut view, span) = (TimeView::default(), span(180_000.0));
        for x in [0.0, 100.0, 599.0] {
            view.show_all();
            let mut axis = view.axis(well(), span);
            let at = axis.at(x);
            for _ in 0..40 {
                view.scale(&axis, span, at, ZOOM_FACTOR);
                axis = view.axis(well(), span);
                assert!((axis.x(at) - x).abs() < 0.5, "{x}: {}", axis.x(at));
                let (from, to) = axis.range();
                assert!(from.0 >= 0.0 && to.0 <= 180_000.0 && to.0 - from.0 >= MIN_RANGE_MS - 1e-6);
            }
            for _ in 0..60 {
                view.scale(&axis, span, at, 1.0 / ZOOM_FACTOR);
                axis = view.axis(well(), span);
            }
            assert!(!view.is_zoomed());
        }
    }

    #[test]
    fn a_zoomed_minute_stays_the_same_while_time_moves_on() {
        let mut view = TimeView::default();
        let minute = |now: f64| TimeSpan { start: Ms(now - 60_000.0), end: Ms(now), origin: Ms(now) };
        view.set(minute(100_000.0), 80_000.0, 90_000.0);
        let (from, to) = view.axis(well(), minute(130_000.0)).range();
        assert_eq!((from, to), (Ms(110_000.0), Ms(120_000.0)));
        assert_eq!(view.axis(well(), minute(130_000.0)).words(Ms(118_750.0)), "\u{2212}0:11.3");
    }

    #[test]
    fn keys_mark_zoom_and_forget() {
        let (mut view, span) = (TimeView::default(), span(100_000.0));
        let axis = view.axis(well(), span);
        view.key(&axis, span, Ms(100.0), Key::ArrowRight);
        assert_eq!(view.mark(), Some(Ms(50_100.0)));
        view.key(&axis, span, Ms(100.0), Key::Plus);
        assert!(view.is_zoomed());
        view.key(&axis, span, Ms(100.0), Key::Escape);
        assert_eq!(view.mark(), None);
    }
}
