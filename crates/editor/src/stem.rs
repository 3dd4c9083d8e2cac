//! The whole of one chain: header, equalizer, meters, units, level.

use super::edits::Edits;
use super::facts::{ViewCx, ViewModel};
use super::graph::Graph;
use super::meter_panel::{self, Readings};
use super::preset_menu::PresetMenu;
use super::theme::{GAP, Palette};
use super::{footer, header, modules, notices};
use egui::{Rect, Ui, pos2, vec2};

/// The smallest window in which everything has its place, points.
pub const LEAST: egui::Vec2 = vec2(760.0, 480.0);
/// A window's size when it is first opened, points.
pub const USUAL: egui::Vec2 = vec2(1000.0, 640.0);

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
    /// Divides what a header leaves of a `window`.
    pub fn of(inner: Rect, window: egui::Vec2) -> Self {
        let footer = Rect::from_min_max(pos2(inner.min.x, inner.max.y - footer::HEIGHT), inner.max);
        let modules_height = (window.y * 0.215).clamp(108.0, 168.0).round();
        let modules_top = footer.min.y - GAP - modules_height;
        let modules =
            Rect::from_min_max(pos2(inner.min.x, modules_top), pos2(inner.max.x, footer.min.y - GAP));
        let meter_width = (window.x * 0.18).clamp(176.0, 232.0).round();
        let bottom = modules_top - GAP;
        let meter_panel =
            Rect::from_min_max(pos2(inner.max.x - meter_width, inner.min.y), pos2(inner.max.x, bottom));
        let graph = Rect::from_min_max(inner.min, pos2(meter_panel.min.x - GAP, bottom));
        Self { graph, meter_panel, modules, footer }
    }
}

/// A window's header, and what is below it.
pub(super) fn divided(window: Rect) -> (Rect, Rect) {
    let header = Rect::from_min_size(window.min, vec2(window.width(), header::HEIGHT));
    (header, Rect::from_min_max(header.left_bottom() + vec2(GAP, GAP), window.max - vec2(GAP, GAP)))
}

/// The view of a Stem: what it remembers of its own is no sound.
#[derive(Debug, Default)]
pub struct StemView {
    graph: Graph,
    presets: PresetMenu,
}

impl StemView {
    /// Draws it over the whole of `ui`.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        facts: &ViewModel,
        edits: &mut Edits,
        look: &Palette,
    ) -> WindowRequests {
        let mut wishes = WindowRequests::default();
        let window = ui.max_rect();
        ui.painter().rect_filled(window, 0.0, look.background);
        edits.follow_slot(facts.slot);
        let track = look.track(facts.colour, facts.role);
        let mut desk = ViewCx { facts, edits, look: *look, track };
        let (header, inner) = divided(window);
        let parts = ChainParts::of(inner, window.size());
        header::show(ui, &mut desk, header, &mut self.presets, &mut wishes);
        self.graph.show(ui, &mut desk, parts.graph);
        notices::over(ui, &desk, parts.graph);
        meter_panel::show(ui, &mut desk, parts.meter_panel, Readings::Chain);
        modules::show(ui, &mut desk, parts.modules);
        footer::show(ui, &mut desk, parts.footer);
        wishes
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
                let ChainParts { graph, meter_panel, modules, footer } = ChainParts::of(inner, window.size());
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
