//! Axes of the graph: frequencies and gains to points and back.

use crate::analyser::{at_fraction, fraction_of};
use crate::controls;
use crate::format::signed;
use crate::paint::{self, pen};
use crate::theme::{self, Palette};
use egui::{Align2, Pos2, Rect, Stroke, Ui, pos2, vec2};
use units::Hz;

/// Ranges of the gain axis, up and down, dB.
const GAIN_RANGES_DB: [f64; 4] = [3.0, 6.0, 12.0, 18.0];
/// Level at the top of the plot, dB.
const HIGHEST_LEVEL_DB: f32 = 0.0;

/// The plot's place and scale.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axes {
    pub(super) plot: Rect,
    range: f64,
    /// Range of the levels, dB below the top.
    levels: f32,
}

impl Axes {
    /// Creates the axes of a graph in `place` with gains up to `range`, dB, up and down, and spectra of `levels` dB.
    pub(super) fn new(place: Rect, range: f64, levels: f32) -> Self {
        let plot = Rect::from_min_max(place.min + vec2(36.0, 10.0), place.max - vec2(12.0, 22.0));
        Self { plot, range, levels }
    }

    pub(super) fn x(&self, frequency: Hz) -> f32 {
        self.plot.min.x + self.plot.width() * fraction_of(frequency) as f32
    }

    pub(super) fn y(&self, gain: f64) -> f32 {
        self.plot.center().y - (gain / self.range) as f32 * self.plot.height() / 2.0
    }

    /// Returns frequency and gain at a point.
    pub(super) fn at(&self, place: Pos2) -> (Hz, f64) {
        let frequency = at_fraction(f64::from((place.x - self.plot.min.x) / self.plot.width()));
        (frequency, self.gain_of(self.plot.center().y - place.y))
    }

    /// Returns the gain that a height in points stands for, dB.
    pub(super) fn gain_of(&self, points: f32) -> f64 {
        f64::from(points / (self.plot.height() / 2.0)) * self.range
    }

    /// Returns the point of a node at this frequency and gain, kept inside the plot.
    pub(super) fn node(&self, frequency: Hz, gain: f64) -> Pos2 {
        self.plot.shrink(2.0).clamp(pos2(self.x(frequency), self.y(gain)))
    }

    /// Returns the point of a spectrum's level, dB, at a fraction of the axis.
    pub(super) fn level(&self, fraction: f32, level: f32) -> Pos2 {
        let up = ((level - self.lowest_level()) / self.levels).clamp(0.0, 1.0);
        pos2(self.plot.min.x + self.plot.width() * fraction, self.plot.max.y - self.plot.height() * up)
    }

    /// Returns the level at the bottom of the plot, dB.
    pub(super) fn lowest_level(&self) -> f32 {
        HIGHEST_LEVEL_DB - self.levels
    }

    /// Returns gains at even distances as a line; it may leave the plot slightly.
    pub(super) fn line(&self, gains: &[f32]) -> Vec<Pos2> {
        let last = gains.len().saturating_sub(1).max(1) as f32;
        let (top, bottom) = (self.plot.min.y - 8.0, self.plot.max.y + 8.0);
        let point = |(i, &gain): (usize, &f32)| {
            let x = self.plot.min.x + self.plot.width() * i as f32 / last;
            pos2(x, self.y(f64::from(gain)).clamp(top, bottom))
        };
        gains.iter().enumerate().map(point).collect()
    }

    pub(super) fn draw(&self, ui: &Ui, palette: &Palette) {
        let plot = self.plot;
        let stroke = Stroke::new(1.0, Palette::faint(palette.line, 0.7));
        let pen = pen(theme::font(theme::TINY), palette.dim);
        for decade in [10.0, 100.0, 1000.0, 10_000.0] {
            for step in 1..10 {
                let hz = decade * f64::from(step);
                if !(11.0..29_000.0).contains(&hz) {
                    continue;
                }
                let x = self.x(Hz(hz));
                let named = matches!(step, 1 | 2 | 5);
                let faint = Stroke::new(1.0, Palette::faint(palette.line, 0.3));
                ui.painter().vline(x, plot.y_range(), if named { stroke } else { faint });
                if named {
                    let words = if hz >= 1000.0 { format!("{}k", hz / 1000.0) } else { format!("{hz}") };
                    let at = Rect::from_center_size(pos2(x, plot.max.y + 11.0), vec2(28.0, 12.0));
                    paint::text(ui, at, Align2::CENTER_CENTER, &words, &pen);
                }
            }
        }
        let step = self.range / 3.0;
        for line in -2..=2 {
            let gain = f64::from(line) * step;
            let y = self.y(gain);
            let stroke = if line == 0 { Stroke::new(1.0, palette.line) } else { stroke };
            ui.painter().hline(plot.x_range(), y, stroke);
            let at = Rect::from_min_max(pos2(plot.min.x - 34.0, y - 6.0), pos2(plot.min.x - 6.0, y + 6.0));
            paint::text(ui, at, Align2::RIGHT_CENTER, &signed(gain, 0), &pen);
        }
    }
}

/// Draws the menu of the gain range, to the left of `right`.
pub(super) fn choose_range(ui: &mut Ui, palette: &Palette, right: Pos2, range: &mut f64) {
    let at = Rect::from_min_size(right - vec2(70.0, 0.0), vec2(70.0, 20.0));
    let words = format!("±{range} dB");
    let response = controls::menu(ui, palette, at, "Scale of the graph", &words, palette.dim);
    egui::Popup::menu(&response).show(|ui| {
        for one in GAIN_RANGES_DB {
            if ui.selectable_label(one == *range, format!("±{one} dB")).clicked() {
                *range = one;
                ui.close();
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_values_go_there_and_back() {
        let axes = Axes::new(Rect::from_min_size(Pos2::ZERO, vec2(800.0, 400.0)), 12.0, 96.0);
        for (hz, gain) in [(30.0, -11.0), (1000.0, 0.0), (20_000.0, 7.5)] {
            let (f, g) = axes.at(pos2(axes.x(Hz(hz)), axes.y(gain)));
            assert!((f.0 / hz - 1.0).abs() < 1e-4 && (g - gain).abs() < 1e-4, "{hz} {gain}: {f:?} {g}");
        }
        assert_eq!((axes.y(12.0), axes.y(-12.0)), (axes.plot.min.y, axes.plot.max.y));
    }
}
