//! The equalizer as it is seen and grasped: response, nodes, spectra.

mod axes;
mod band;
mod card;
mod curve;
mod nodes;

use super::facts::Desk;
use super::paint;
use super::picture::Picture;
use super::theme::Palette;
use axes::Axes;
pub use band::Band;
use curve::Curves;
use egui::{Color32, Mesh, Pos2, Rect, Sense, Stroke, Ui, pos2};

/// What the graph remembers from frame to frame; nothing of it is sound.
#[derive(Debug)]
pub struct Graph {
    /// The band whose card is shown, by index.
    pub selected: Option<usize>,
    /// What the axis shows up and down, dB.
    pub range: f64,
    curves: Curves,
    /// The card stands at the top, not at the bottom.
    card_at_top: bool,
}

impl Default for Graph {
    fn default() -> Self {
        Self { selected: None, range: 18.0, curves: Curves::default(), card_at_top: false }
    }
}

impl Graph {
    /// Draws it in `place`.
    pub fn show(&mut self, ui: &mut Ui, desk: &mut Desk<'_>, place: Rect) {
        let look = desk.look;
        paint::panel(ui, place, &look);
        let axes = Axes::new(place, self.range);
        let ground = ui.interact(axes.plot, ui.scope_id().with("equalizer"), Sense::click());
        ground.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Canvas, true, "Equalizer"));
        axes.draw(ui, &look);
        self.spectra(ui, desk, &axes);
        self.curves.follow(&desk.facts.settings.equalizer, desk.facts.rate, axes.plot.width());
        self.response(ui, desk, &axes);
        nodes::ground(self, ui, desk, &axes, &ground);
        axes::choose_range(ui, &look, place, &mut self.range);
        nodes::show(self, ui, desk, &axes);
        card::show(self, ui, desk, &axes);
    }

    fn spectra(&self, ui: &Ui, desk: &Desk<'_>, axes: &Axes) {
        let Picture { before, after, .. } = &desk.facts.picture;
        for other in &desk.facts.others {
            let points = spectrum(axes, &other.levels);
            ui.painter().line(points, Stroke::new(1.0, Palette::faint(other.colour, 0.45)));
        }
        // names of neighbours stand on lines of their own, and what finds no line is told by its band alone
        let left = axes.plot.min.x;
        // the first begins behind the choice of the range
        let mut lines = [left + 64.0, left, left];
        let pen = paint::pen(super::theme::font(super::theme::SMALL), desk.look.good);
        for clash in &desk.facts.clashes {
            let band = Rect::from_x_y_ranges(axes.x(clash.low)..=axes.x(clash.high), axes.plot.y_range());
            ui.painter().rect_filled(band, 0.0, Palette::faint(desk.look.good, 0.12));
            let words = format!("collides with {}", clash.name);
            let width = paint::width(ui, &words, &pen).min(axes.plot.width());
            let left = (band.center().x - width / 2.0).clamp(axes.plot.min.x, axes.plot.max.x - width);
            if let Some(line) = lines.iter().position(|end| *end <= left) {
                lines[line] = left + width + 8.0;
                let top = pos2(left, band.min.y + 3.0 + 14.0 * line as f32);
                let place = Rect::from_min_size(top, egui::vec2(width, 14.0));
                paint::label(ui, place, egui::Align2::LEFT_CENTER, &words, &pen).on_hover_text(
                    "There the other stem is louder, as far as averages tell (third octaves, spread as masking spreads; Terhardt 1979). A hint: trust your ears.",
                );
            }
        }
        if before.iter().chain(after).all(|&level| level <= super::picture::FLOOR) {
            return;
        }
        let points = spectrum(axes, after);
        area(ui.painter(), &points, axes.plot.max.y, Palette::faint(desk.track, 0.16));
        // what comes in is a hair line: it matters where it differs
        ui.painter().line(spectrum(axes, before), Stroke::new(1.0, Palette::faint(desk.look.dim, 0.7)));
        ui.painter().line(points, Stroke::new(1.25, Palette::faint(desk.track, 0.85)));
    }

    fn response(&self, ui: &Ui, desk: &Desk<'_>, axes: &Axes) {
        let look = &desk.look;
        for band in Band::all(desk.facts.seat) {
            let moving = self.curves.moving(desk, band);
            if let Some((still, moved)) = moving {
                let (still, moved) = (axes.line(&still), axes.line(&moved));
                between(&inside(ui, axes), &still, &moved, Palette::faint(look.accent, 0.28));
            }
        }
        if let Some(index) = self.selected
            && let Some(own) = self.curves.own(index)
        {
            let flat = vec![0.0; own.len()];
            let (flat, own) = (axes.line(&flat), axes.line(own));
            between(&inside(ui, axes), &flat, &own, Palette::faint(look.accent, 0.14));
        }
        let inside = inside(ui, axes);
        for (index, (placement, levels)) in self.curves.apart().iter().enumerate() {
            let points = axes.line(levels);
            if let Some(end) = points.last() {
                // beside each other: where they end they often meet
                let at = axes.plot.shrink(8.0).clamp(pos2(end.x - 10.0 - 14.0 * index as f32, end.y - 8.0));
                let tag = Rect::from_center_size(at, egui::vec2(16.0, 12.0));
                let pen = paint::pen(super::theme::strong(super::theme::TINY), look.secondary);
                paint::text(ui, tag, egui::Align2::CENTER_CENTER, placement, &pen);
            }
            inside.line(points, Stroke::new(1.5, look.secondary));
        }
        inside.line(axes.line(self.curves.whole()), Stroke::new(2.0, look.text));
    }
}

/// A spectrum as a line, from the first to the last point that is above the plot's ground.
fn spectrum(axes: &Axes, levels: &[f32]) -> Vec<Pos2> {
    let last = levels.len().saturating_sub(1).max(1) as f32;
    let seen = |level: &f32| *level > axes::LOWEST_LEVEL;
    let (Some(from), Some(to)) = (levels.iter().position(seen), levels.iter().rposition(seen)) else {
        return Vec::new();
    };
    (from..=to).map(|i| axes.level(i as f32 / last, levels[i])).collect()
}

/// Paints nothing outside the plot.
fn inside(ui: &Ui, axes: &Axes) -> egui::Painter {
    ui.painter().with_clip_rect(axes.plot)
}

/// Points of a line that share what is below them all.
const SHARED: usize = 16;

/// What is between a line and a level below it.
pub(super) fn area(painter: &egui::Painter, points: &[Pos2], bottom: f32, colour: Color32) {
    let mut mesh = Mesh::default();
    let mut from = 0;
    while from + 1 < points.len() {
        let to = (from + SHARED).min(points.len() - 1);
        let part = &points[from..=to];
        // few large triangles are drawn much faster than many narrow ones
        let low = part.iter().map(|p| p.y).fold(f32::MIN, f32::max).min(bottom);
        strip(&mut mesh, part, |_| low, colour);
        if low < bottom {
            strip(&mut mesh, &[pos2(part[0].x, low), pos2(points[to].x, low)], |_| bottom, colour);
        }
        from = to;
    }
    painter.add(mesh);
}

/// What is between two lines with the same abscissae.
pub(super) fn between(painter: &egui::Painter, upper: &[Pos2], lower: &[Pos2], colour: Color32) {
    let mut mesh = Mesh::default();
    let len = upper.len().min(lower.len());
    strip(&mut mesh, &upper[..len], |i| lower[i].y, colour);
    painter.add(mesh);
}

/// Adds what is between a line and the ordinates that `to` has for its points.
fn strip(mesh: &mut Mesh, line: &[Pos2], to: impl Fn(usize) -> f32, colour: Color32) {
    for (i, point) in line.iter().enumerate() {
        let next = mesh.vertices.len() as u32;
        mesh.colored_vertex(*point, colour);
        mesh.colored_vertex(pos2(point.x, to(i)), colour);
        if i > 0 {
            mesh.add_triangle(next - 2, next - 1, next);
            mesh.add_triangle(next - 1, next, next + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::Shape;

    #[test]
    fn an_area_has_no_gap_and_nothing_twice() {
        let points: Vec<Pos2> =
            (0..100u16).map(|i| pos2(3.0 * f32::from(i), f32::from(i * i % 37))).collect();
        // all of the line above, and some of it below
        for bottom in [60.0, 20.0] {
            let ctx = egui::Context::default();
            let mut output = ctx.run_ui(egui::RawInput::default(), |ui| {
                area(ui.painter(), &points, bottom, Color32::RED);
            });
            let shapes = std::mem::take(&mut output.shapes);
            output.drop_without_applying_deltas();
            let mesh = shapes.iter().find_map(|shape| match &shape.shape {
                Shape::Mesh(mesh) => Some(mesh),
                _ => None,
            });
            let mesh = mesh.expect("an area");
            // what of all triangles covers a place: once where the area is, or not at all
            let covers = |at: Pos2| {
                let is_over = |corners: &&[u32]| {
                    let [a, b, c] = [0, 1, 2].map(|i| mesh.vertices[corners[i] as usize].pos);
                    let side = |a: Pos2, b: Pos2| (b - a).rot90().dot(at - a) > 0.0;
                    let sides = [side(a, b), side(b, c), side(c, a)];
                    (b - a).rot90().dot(c - a) != 0.0 && (sides == [true; 3] || sides == [false; 3])
                };
                mesh.indices.chunks(3).filter(is_over).count()
            };
            for i in 0..99 {
                let (a, b) = (points[i], points[i + 1]);
                let x = a.x + 1.37;
                let line = a.y + (b.y - a.y) * 1.37 / 3.0;
                for y in 0..70 {
                    let at = pos2(x, y as f32 + 0.41);
                    // narrow triangles that cross at the level are of no matter
                    if (at.y - line).abs() < 0.5 || (a.y - bottom) * (b.y - bottom) < 0.0 {
                        continue;
                    }
                    let inside = (line.min(bottom)..line.max(bottom)).contains(&at.y);
                    assert_eq!(covers(at), usize::from(inside), "{at:?}, {bottom}, {line}");
                }
            }
        }
    }
}
