//! The whole of one chain: header, equalizer, meters, units, level.

use super::edits::Edits;
use super::facts::{ViewCx, ViewModel};
use super::graph::Graph;
use super::preset_menu::PresetMenu;
use super::side::{self, Readings};
use super::theme::{GAP, Palette};
use super::{foot, head, notices, strip};
use egui::{Rect, Ui, pos2, vec2};

/// The smallest window in which everything has its place, points.
pub const LEAST: egui::Vec2 = vec2(760.0, 480.0);
/// A window's size when it is first opened, points.
pub const USUAL: egui::Vec2 = vec2(1000.0, 640.0);

/// What a person wants of the window itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WindowRequests {
    /// Another scale, 0.75 to 2.
    pub scale: Option<f32>,
    /// Dark or light.
    pub dark: Option<bool>,
    /// The plain list of all parameters.
    pub all_parameters: bool,
}

/// Where the parts of a chain's view are, header apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChainParts {
    /// Equalizer.
    pub graph: Rect,
    /// Meters.
    pub side: Rect,
    /// Units.
    pub strip: Rect,
    /// Level, share, latency.
    pub foot: Rect,
}

impl ChainParts {
    /// Divides what a header leaves of a `window`.
    pub fn of(inner: Rect, window: egui::Vec2) -> Self {
        let foot = Rect::from_min_max(pos2(inner.min.x, inner.max.y - foot::HEIGHT), inner.max);
        let strip_height = (window.y * 0.215).clamp(108.0, 168.0).round();
        let strip_top = foot.min.y - GAP - strip_height;
        let strip = Rect::from_min_max(pos2(inner.min.x, strip_top), pos2(inner.max.x, foot.min.y - GAP));
        let side_width = (window.x * 0.18).clamp(176.0, 232.0).round();
        let bottom = strip_top - GAP;
        let side = Rect::from_min_max(pos2(inner.max.x - side_width, inner.min.y), pos2(inner.max.x, bottom));
        let graph = Rect::from_min_max(inner.min, pos2(side.min.x - GAP, bottom));
        Self { graph, side, strip, foot }
    }
}

/// A window's header, and what is below it.
pub(super) fn divided(window: Rect) -> (Rect, Rect) {
    let head = Rect::from_min_size(window.min, vec2(window.width(), head::HEIGHT));
    (head, Rect::from_min_max(head.left_bottom() + vec2(GAP, GAP), window.max - vec2(GAP, GAP)))
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
        let (head, inner) = divided(window);
        let parts = ChainParts::of(inner, window.size());
        head::show(ui, &mut desk, head, &mut self.presets, &mut wishes);
        self.graph.show(ui, &mut desk, parts.graph);
        notices::over(ui, &desk, parts.graph);
        side::show(ui, &mut desk, parts.side, Readings::Chain);
        strip::show(ui, &mut desk, parts.strip);
        foot::show(ui, &mut desk, parts.foot);
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
                let (head, inner) = divided(window);
                let ChainParts { graph, side, strip, foot } = ChainParts::of(inner, window.size());
                let all = [head, graph, side, strip, foot];
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
