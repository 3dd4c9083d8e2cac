//! Spectra behind the equalizer: their level scale, the menu of their display, and the readout under the pointer.

use super::axes::Axes;
use crate::analyser::{AnalyserFrame, FLOOR_DB, SPECTRUM_POINTS, fraction_of, tilt};
use crate::controls::{Weight, menu, pill, pill_width};
use crate::display::{SPECTRUM_RANGES_DB, SPECTRUM_TILTS_DB, SpectrumDisplay, SpectrumSpeed};
use crate::edits::Edit;
use crate::format::{number, signed};
use crate::paint::{self, area, pen};
use crate::theme::{self, Palette};
use crate::view_model::ViewCx;
use egui::{Align2, Popup, PopupCloseBehavior, Pos2, Rect, Response, Stroke, Ui, pos2, vec2};
use units::Hz;

/// Largest distance of two spectra that are drawn as one line, dB: less than half a pixel.
const LINE_TOLERANCE_DB: f32 = 0.1;
/// Distance of the lines of the level scale, dB.
const LEVEL_STEP_DB: f32 = 12.0;
/// Smallest distance of the figures of the level scale, points.
const MIN_LABEL_DISTANCE: f32 = 22.0;
/// Names of the twelve notes.
const NOTES: [&str; 12] = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];

/// Spectra that stand still, between frames.
#[derive(Debug, Default)]
pub(super) struct FrozenSpectra(Option<Box<AnalyserFrame>>);

impl FrozenSpectra {
    /// Returns the frame to draw.
    fn frame<'a>(&'a self, now: &'a AnalyserFrame) -> &'a AnalyserFrame {
        self.0.as_deref().unwrap_or(now)
    }

    /// Draws the menu of the display and the switch that freezes, at the right of `bar`; returns their left end.
    pub(super) fn draw_controls(&mut self, ui: &mut Ui, cx: &mut ViewCx<'_>, bar: Rect) -> f32 {
        let palette = cx.palette;
        let words = "Freeze";
        let width = pill_width(ui, words);
        let at = Rect::from_min_max(pos2(bar.max.x - width, bar.min.y), bar.max);
        let weight = if self.0.is_some() { Weight::Chosen } else { Weight::Quiet };
        let response = pill(ui, &palette, at, words, weight, true);
        if response.clicked() {
            let picture = &cx.model.picture;
            self.0 = if self.0.is_some() { None } else { Some(Box::new(picture.clone())) };
        }
        response.on_hover_text("The spectra of this stem stand still, for a comparison; the sound goes on.");
        let left = at.min.x - 92.0;
        let place = Rect::from_min_max(pos2(left, bar.min.y), pos2(at.min.x - 8.0, bar.max.y));
        let response = menu(ui, &palette, place, "Spectrum", "Spectrum", palette.secondary);
        let mut display = cx.model.display.spectrum;
        Popup::menu(&response)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| choices(ui, &palette, &mut display));
        if display != cx.model.display.spectrum {
            cx.edits.request(Edit::SpectrumDisplay(display));
        }
        left - 8.0
    }

    /// Draws the spectra, the hold below the others.
    pub(super) fn draw(&self, ui: &Ui, cx: &ViewCx<'_>, axes: &Axes) {
        let display = &cx.model.display.spectrum;
        let AnalyserFrame { before, after, sidechain, held, .. } = self.frame(&cx.model.picture);
        let is_silent = |levels: &[f32]| levels.iter().all(|&level| level <= FLOOR_DB);
        if display.holds && !is_silent(held) {
            let ink = Palette::faint(cx.track, 0.6);
            ui.painter().line(line(axes, held), Stroke::new(1.0, ink));
        }
        if display.sidechain && !is_silent(sidechain) {
            let ink = Palette::faint(cx.palette.reduction, 0.8);
            ui.painter().line(line(axes, sidechain), Stroke::new(1.0, ink));
        }
        if is_silent(before) && is_silent(after) {
            return;
        }
        let points = line(axes, after);
        if display.after {
            area(ui.painter(), &points, axes.plot.max.y, Palette::faint(cx.track, 0.16));
        }
        // what comes in is a hair line: it matters where it differs, and elsewhere lies below the other
        let differ =
            || before.iter().zip(after).any(|(before, after)| (before - after).abs() > LINE_TOLERANCE_DB);
        if display.before && (!display.after || differ()) {
            ui.painter().line(line(axes, before), Stroke::new(1.0, Palette::faint(cx.palette.dim, 0.7)));
        }
        if display.after {
            ui.painter().line(points, Stroke::new(1.25, Palette::faint(cx.track, 0.85)));
        }
    }

    /// Draws frequency, level and note under the pointer over the plot.
    pub(super) fn draw_readout(&self, ui: &Ui, cx: &ViewCx<'_>, axes: &Axes, ground: &Response) {
        let Some(pointer) = ground.hover_pos().filter(|_| !ground.is_pointer_button_down_on()) else {
            return;
        };
        let palette = &cx.palette;
        let (frequency, _) = axes.at(pointer);
        let display = &cx.model.display.spectrum;
        let frame = self.frame(&cx.model.picture);
        let (name, levels) = match () {
            () if display.after => ("", &frame.after),
            () if display.before => (" before", &frame.before),
            () => (" sidechain", &frame.sidechain),
        };
        let index = (fraction_of(frequency) * (SPECTRUM_POINTS - 1) as f64).round().max(0.0) as usize;
        let level = levels.get(index).filter(|level| **level > FLOOR_DB);
        // as it sounds, not as it is tilted
        let level = level.map(|level| f64::from(level - tilt(frequency, display.tilt)));
        let level = level.map_or(String::new(), |level| format!("   {} dB{name}", number(level, 1)));
        let words = format!("{}   {}{level}", hertz(frequency), note(frequency));
        let line = Rect::from_min_max(axes.plot.min, pos2(axes.plot.max.x - 34.0, axes.plot.min.y + 16.0));
        ui.painter().vline(
            pointer.x,
            axes.plot.y_range(),
            Stroke::new(1.0, Palette::faint(palette.dim, 0.5)),
        );
        let ink = pen(theme::font(theme::SMALL), palette.text);
        let width = paint::width(ui, &words, &ink);
        let at =
            Rect::from_min_size(pos2(line.max.x - width - 8.0, line.min.y + 2.0), vec2(width + 8.0, 16.0));
        ui.painter().rect_filled(at, 4.0, palette.panel);
        paint::label(ui, at, Align2::CENTER_CENTER, &words, &ink);
    }
}

/// Returns a spectrum as a line, from the first to the last point above the bottom of the plot.
pub(super) fn line(axes: &Axes, levels: &[f32]) -> Vec<Pos2> {
    let last = levels.len().saturating_sub(1).max(1) as f32;
    let seen = |level: &f32| *level > axes.lowest_level();
    let (Some(from), Some(to)) = (levels.iter().position(seen), levels.iter().rposition(seen)) else {
        return Vec::new();
    };
    (from..=to).map(|i| axes.level(i as f32 / last, levels[i])).collect()
}

/// Draws the figures of the level scale inside the plot, at its right.
pub(super) fn draw_scale(ui: &Ui, palette: &Palette, axes: &Axes) {
    let tiny = pen(theme::font(theme::TINY), palette.dim);
    let mut last = axes.plot.min.y;
    let mut level = -LEVEL_STEP_DB;
    while level > axes.lowest_level() {
        let y = axes.level(1.0, level).y;
        if y - last >= MIN_LABEL_DISTANCE && y < axes.plot.max.y - 8.0 {
            ui.painter().hline(axes.plot.max.x - 5.0..=axes.plot.max.x, y, Stroke::new(1.0, palette.line));
            let at = Rect::from_min_max(
                pos2(axes.plot.max.x - 34.0, y - 6.0),
                pos2(axes.plot.max.x - 7.0, y + 6.0),
            );
            let figures = number(f64::from(level), 0);
            // on a ground of its own: the flat curve of an equalizer at rest would strike it through
            let ground = at.with_min_x(at.max.x - paint::width(ui, &figures, &tiny) - 2.0);
            ui.painter().rect_filled(ground, 2.0, Palette::faint(palette.panel, 0.85));
            paint::text(ui, at, Align2::RIGHT_CENTER, &figures, &tiny);
            last = y;
        }
        level -= LEVEL_STEP_DB;
    }
}

/// Draws the menu of the display.
fn choices(ui: &mut Ui, palette: &Palette, display: &mut SpectrumDisplay) {
    let caption = |ui: &mut Ui, words: &str| {
        ui.label(egui::RichText::new(words).size(theme::SMALL).color(palette.secondary));
    };
    ui.set_min_width(210.0);
    caption(ui, "Range, dB");
    ui.horizontal(|ui| {
        for range in SPECTRUM_RANGES_DB {
            ui.selectable_value(&mut display.range, range, format!("{range} dB"));
        }
    });
    caption(ui, "Tilt, dB per octave");
    ui.horizontal(|ui| {
        for tilt in SPECTRUM_TILTS_DB {
            ui.selectable_value(&mut display.tilt, tilt, format!("{tilt} dB/oct"));
        }
    });
    caption(ui, "Speed");
    ui.horizontal(|ui| {
        for (speed, _, words) in SpectrumSpeed::ALL {
            ui.selectable_value(&mut display.speed, speed, words);
        }
    });
    ui.separator();
    ui.checkbox(&mut display.before, "Before the chain");
    ui.checkbox(&mut display.after, "After the chain");
    ui.checkbox(&mut display.sidechain, "Sidechain");
    ui.checkbox(&mut display.holds, "Peak hold")
        .on_hover_text("The highest level of the output at each frequency stays until this is switched off, or meters are reset.");
}

/// Returns a frequency as text.
fn hertz(frequency: Hz) -> String {
    match frequency.0 {
        x if x >= 1000.0 => format!("{} kHz", number(x / 1000.0, 2)),
        x if x >= 100.0 => format!("{} Hz", number(x, 0)),
        x => format!("{} Hz", number(x, 1)),
    }
}

/// Returns the nearest note of equal temperament, A4 = 440 Hz, and the cents from it.
fn note(frequency: Hz) -> String {
    let semitones = 69.0 + 12.0 * (frequency.0 / 440.0).log2();
    let nearest = semitones.round();
    let index = (nearest as i64).rem_euclid(12) as usize;
    let octave = (nearest as i64).div_euclid(12) - 1;
    format!("{}{octave} {} ct", NOTES[index], signed(100.0 * (semitones - nearest), 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_those_of_equal_temperament() {
        for (hz, expected) in [
            (440.0, "A4 0 ct"),
            (261.625_565, "C4 0 ct"),
            (27.5, "A0 0 ct"),
            (1000.0, "B5 +21 ct"),
            (16.351_6, "C0 0 ct"),
            (466.163_76, "A#4 0 ct"),
            (450.0, "A4 +39 ct"),
            (430.0, "A4 \u{2212}40 ct"),
        ] {
            assert_eq!(note(Hz(hz)), expected, "{hz}");
        }
        assert_eq!(
            (hertz(Hz(1234.0)), hertz(Hz(440.4)), hertz(Hz(55.04))),
            ("1.23 kHz".into(), "440 Hz".into(), "55.0 Hz".into())
        );
    }
}
