//! Text and simple shapes at given places.

use super::theme::{CORNER_RADIUS, Palette};
use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{
    Align2, Color32, CornerRadius, FontId, Galley, Id, Mesh, Painter, Pos2, Rect, Response, Role, Sense, Ui,
    WidgetInfo, pos2, vec2,
};
use std::sync::Arc;

/// Font and colour of a text.
#[derive(Clone, Debug)]
pub struct Pen {
    /// Font and size.
    pub font: FontId,
    /// Colour.
    pub colour: Color32,
}

/// A [`Pen`].
pub fn pen(font: FontId, colour: Color32) -> Pen {
    Pen { font, colour }
}

/// Key of the list of cut texts, for tests.
fn cut() -> Id {
    Id::unique("stemlink cut texts")
}

/// Returns the texts that were cut since the last call because their place was too small.
pub fn take_cut(ctx: &egui::Context) -> Vec<String> {
    ctx.data_mut(|data| data.remove_temp::<Vec<String>>(cut()).unwrap_or_default())
}

fn lay_out(ui: &Ui, text: &str, pen: &Pen, width: f32) -> Arc<Galley> {
    let format = TextFormat { font_id: pen.font.clone(), color: pen.colour, ..TextFormat::default() };
    let mut job = LayoutJob::single_section(text.to_owned(), format);
    job.wrap =
        TextWrapping { max_width: width, max_rows: 1, break_anywhere: true, ..TextWrapping::default() };
    ui.painter().layout_job(job)
}

/// Returns the width of a text, points.
pub fn width(ui: &Ui, text: &str, pen: &Pen) -> f32 {
    lay_out(ui, text, pen, f32::INFINITY).size().x
}

/// Draws one line of text in `place`, cut with an ellipsis if it is too long; returns where it is.
pub fn text(ui: &Ui, place: Rect, align: Align2, text: &str, pen: &Pen) -> Rect {
    let galley = lay_out(ui, text, pen, place.width() + 0.5);
    if galley.elided {
        ui.data_mut(|data| data.get_temp_mut_or_default::<Vec<String>>(cut()).push(text.to_owned()));
    }
    let rect = align.align_size_within_rect(galley.size(), place);
    ui.painter().galley(rect.min, galley, pen.colour);
    rect
}

/// Draws [`text`] that is accessible to screen readers.
pub fn label(ui: &Ui, place: Rect, align: Align2, words: &str, pen: &Pen) -> Response {
    let rect = text(ui, place, align, words, pen);
    let response = ui.interact(
        rect,
        ui.scope_id().with(("label", words, place.min.x as i32, place.min.y as i32)),
        Sense::hover(),
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    response
}

/// Returns `text`, cut with an ellipsis where it is wider than `width`.
pub(super) fn shortened(ui: &Ui, text: &str, pen: &Pen, width: f32) -> String {
    if self::width(ui, text, pen) <= width + 0.5 {
        return text.into();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let cut = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        if self::width(ui, &cut, pen) <= width {
            return cut;
        }
    }
    String::new()
}

/// Part of a text, with its font and colour.
pub type TextRun<'a> = (&'a str, &'a Pen);

/// Draws texts of several fonts and colours on one baseline and returns their bounds.
pub fn runs(ui: &Ui, place: Rect, align: Align2, runs: &[TextRun<'_>]) -> Rect {
    let wrap = TextWrapping {
        max_width: place.width() + 0.5,
        max_rows: 1,
        break_anywhere: true,
        ..TextWrapping::default()
    };
    let mut job = LayoutJob { wrap, ..LayoutJob::default() };
    for (text, pen) in runs {
        let format = TextFormat {
            font_id: pen.font.clone(),
            color: pen.colour,
            valign: egui::Align::BOTTOM,
            ..TextFormat::default()
        };
        job.append(text, 0.0, format);
    }
    let galley = ui.painter().layout_job(job);
    if galley.elided {
        let all: String = runs.iter().map(|(text, _)| *text).collect();
        ui.data_mut(|data| data.get_temp_mut_or_default::<Vec<String>>(cut()).push(all));
    }
    let rect = align.align_size_within_rect(galley.size(), place);
    ui.painter().galley(rect.min, galley, Color32::PLACEHOLDER);
    rect
}

/// Draws the background of a panel.
pub fn panel(ui: &Ui, rect: Rect, palette: &Palette) {
    ui.painter().rect_filled(rect, CornerRadius::same(CORNER_RADIUS as u8), palette.panel);
}

/// Draws a horizontal bar, filled from the left to `part` (0 to 1).
pub fn bar(ui: &Ui, rect: Rect, part: f32, colour: Color32, palette: &Palette) {
    let round = CornerRadius::same((rect.height() / 2.0) as u8);
    ui.painter().rect_filled(rect, round, palette.background);
    let part = part.clamp(0.0, 1.0);
    if part > 0.0 {
        let filled =
            Rect::from_min_size(rect.min, vec2((rect.width() * part).max(rect.height()), rect.height()));
        ui.painter().rect_filled(filled, round, colour);
    }
}

/// Draws the triangle of a menu.
pub fn chevron(ui: &Ui, centre: Pos2, colour: Color32) {
    let points = vec![centre + vec2(-3.5, -2.0), centre + vec2(3.5, -2.0), centre + vec2(0.0, 2.5)];
    ui.painter().add(egui::Shape::convex_polygon(points, colour, egui::Stroke::NONE));
}

/// Fills the area between a line and the horizontal at `bottom`.
pub(super) fn area(painter: &Painter, line: &[Pos2], bottom: f32, colour: Color32) {
    fill(painter, line.iter().map(|&point| (point, bottom)), colour);
}

/// Fills the area between two lines with the same abscissae.
pub(super) fn between(painter: &Painter, upper: &[Pos2], lower: &[Pos2], colour: Color32) {
    fill(painter, upper.iter().zip(lower).map(|(&point, other)| (point, other.y)), colour);
}

/// Fills the area between points and the ordinates given with them.
fn fill(painter: &Painter, edges: impl Iterator<Item = (Pos2, f32)>, colour: Color32) {
    let mut mesh = Mesh::default();
    for (point, y) in edges {
        let next = mesh.vertices.len() as u32;
        mesh.colored_vertex(point, colour);
        mesh.colored_vertex(pos2(point.x, y), colour);
        if next > 0 {
            mesh.add_triangle(next - 2, next - 1, next);
            mesh.add_triangle(next - 1, next, next + 1);
        }
    }
    painter.add(mesh);
}

/// Draws a ring around the widget with the keyboard focus.
pub fn focus_ring(ui: &Ui, rect: Rect, palette: &Palette) {
    ui.painter().rect_stroke(
        rect.expand(2.0),
        CornerRadius::same(5),
        egui::Stroke::new(1.5, palette.accent),
        egui::StrokeKind::Inside,
    );
}
