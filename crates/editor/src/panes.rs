//! Panes of a chain's large panel: equalizer, loudness over time, dynamics. One line above them chooses.

use super::controls::{Weight, pill, pill_width};
use super::dynamics_pane::DynamicsPane;
use super::graph::Graph;
use super::loudness_pane::LoudnessPane;
use super::paint;
use super::theme::PAD;
use super::view_model::ViewCx;
use egui::{Rect, Ui, pos2};

/// Height of the line, points.
const BAR_HEIGHT: f32 = 20.0;

/// Pane of the panel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pane {
    #[default]
    Equalizer,
    Loudness,
    Dynamics,
}

impl Pane {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Equalizer, "EQ"), (Self::Loudness, "Loudness"), (Self::Dynamics, "Dynamics")];
}

/// The panes, with their state between frames; it never affects the sound.
#[derive(Debug, Default)]
pub(super) struct Panes {
    pane: Pane,
    graph: Graph,
    loudness: LoudnessPane,
    dynamics: DynamicsPane,
}

impl Panes {
    /// Returns true if loudness over time is shown.
    pub(super) fn shows_history(&self) -> bool {
        self.pane == Pane::Loudness
    }

    /// Draws the panel in `place`.
    pub(super) fn draw_panes(&mut self, ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect) {
        let palette = cx.palette;
        paint::panel(ui, place, &palette);
        let top = place.min.y + 8.0;
        let mut left = place.min.x + PAD;
        for (pane, name) in Pane::ALL {
            let at = Rect::from_min_size(pos2(left, top), egui::vec2(pill_width(ui, name), BAR_HEIGHT));
            let weight = if pane == self.pane { Weight::Chosen } else { Weight::Quiet };
            if pill(ui, &palette, at, name, weight, true).clicked() {
                self.pane = pane;
            }
            left = at.max.x + 4.0;
        }
        let bar = Rect::from_min_max(pos2(left + PAD, top), pos2(place.max.x - PAD, top + BAR_HEIGHT));
        let below = Rect::from_min_max(pos2(place.min.x, bar.max.y + 2.0), place.max);
        let inner = Rect::from_min_max(
            pos2(place.min.x + PAD, bar.max.y + 8.0),
            pos2(place.max.x - PAD, place.max.y - 8.0),
        );
        match self.pane {
            Pane::Equalizer => self.graph.draw_graph(ui, cx, bar, below),
            Pane::Loudness => self.loudness.draw_pane(ui, cx, bar, inner),
            Pane::Dynamics => self.dynamics.draw_pane(ui, cx, bar, inner),
        }
    }
}
