//! View of a Stem: header, equalizer, meters, units, level.

use super::dynamics_pane;
use super::edits::Edits;
use super::meter_panel::{self, Readings};
use super::panes::Panes;
use super::preset_menu::PresetMenu;
use super::theme::{GAP, Palette};
use super::view_model::{ViewCx, ViewModel};
use super::{footer, header, modules, notices};
use egui::{Rect, Ui, pos2, vec2};

/// Smallest window in which everything fits, points.
pub const MIN_SIZE: egui::Vec2 = vec2(760.0, 480.0);
/// Initial size of a window, points.
pub const DEFAULT_SIZE: egui::Vec2 = vec2(1000.0, 640.0);

/// Requests to the window itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WindowRequests {
    /// Another scale, 0.75 to 2.
    pub scale: Option<f32>,
    /// Dark or light.
    pub dark: Option<bool>,
}

/// Places of the parts of a chain's view, without the header.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChainParts {
    /// Equalizer.
    pub graph: Rect,
    /// Meters.
    pub meter_panel: Rect,
    /// Units.
    pub modules: Rect,
    /// Level, share, latency.
    pub footer: Rect,
}

impl ChainParts {
    /// Divides the part of a `window` below its header.
    pub fn new(inner: Rect, window: egui::Vec2) -> Self {
        let footer = Rect::from_min_max(pos2(inner.min.x, inner.max.y - footer::HEIGHT), inner.max);
        let modules_height = (window.y * 0.215).clamp(108.0, 168.0).round();
        let modules_top = footer.min.y - GAP - modules_height;
        let modules =
            Rect::from_min_max(pos2(inner.min.x, modules_top), pos2(inner.max.x, footer.min.y - GAP));
        let meter_width = meter_panel::panel_width(window.x);
        let bottom = modules_top - GAP;
        let meter_panel =
            Rect::from_min_max(pos2(inner.max.x - meter_width, inner.min.y), pos2(inner.max.x, bottom));
        let graph = Rect::from_min_max(inner.min, pos2(meter_panel.min.x - GAP, bottom));
        Self { graph, meter_panel, modules, footer }
    }
}

/// Divides a window into its header and the rest.
pub(super) fn divided(window: Rect) -> (Rect, Rect) {
    let header = Rect::from_min_size(window.min, vec2(window.width(), header::HEIGHT));
    (header, Rect::from_min_max(header.left_bottom() + vec2(GAP, GAP), window.max - vec2(GAP, GAP)))
}

/// View of a Stem. Its state never affects the sound.
#[derive(Debug, Default)]
pub struct StemView {
    panes: Panes,
    presets: PresetMenu,
}

impl StemView {
    /// Returns true if loudness over time is shown.
    pub(super) fn shows_history(&self) -> bool {
        self.panes.shows_history()
    }

    /// Draws the view over the whole of `ui`.
    pub fn draw_view(
        &mut self,
        ui: &mut Ui,
        model: &ViewModel,
        edits: &mut Edits,
        palette: &Palette,
    ) -> WindowRequests {
        let mut requests = WindowRequests::default();
        let window = ui.max_rect();
        edits.follow_slot(model.slot);
        let track = palette.track(model.colour, model.role);
        let mut cx = ViewCx { model, edits, palette: *palette, track };
        let (header, inner) = divided(window);
        let parts = ChainParts::new(inner, window.size());
        header::draw_header(ui, &mut cx, header, &mut self.presets, &mut requests);
        dynamics_pane::follow_drive(&mut cx);
        self.panes.draw_panes(ui, &mut cx, parts.graph);
        notices::over(ui, &cx, parts.graph);
        meter_panel::draw_meter_panel(ui, &mut cx, parts.meter_panel, Readings::Chain);
        modules::draw_modules(ui, &mut cx, parts.modules);
        footer::draw_footer(ui, &mut cx, parts.footer);
        requests
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_never_overlap_and_fill_the_window_at_any_size() {
        for width in (760..=1600).step_by(20) {
            for height in (480..=1000).step_by(20) {
                let window = Rect::from_min_size(egui::Pos2::ZERO, vec2(width as f32, height as f32));
                let (header, inner) = divided(window);
                let ChainParts { graph, meter_panel, modules, footer } =
                    ChainParts::new(inner, window.size());
                let all = [header, graph, meter_panel, modules, footer];
                for (i, a) in all.iter().enumerate() {
                    assert!(window.contains_rect(*a) && a.is_positive(), "{width}x{height}: {a:?}");
                    for b in &all[i + 1..] {
                        assert!(!a.shrink(0.5).intersects(*b), "{width}x{height}: {a:?} {b:?}");
                    }
                }
                assert!(graph.height() >= 200.0, "{width}x{height}: {}", graph.height());
            }
        }
    }
}
