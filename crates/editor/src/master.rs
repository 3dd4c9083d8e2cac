//! The Master's view: the session, its own chain, and where stems cover each other.

mod banner;
mod columns;
mod ghost;
pub(super) mod hear;
mod history;
mod masking;
mod platforms;
mod ready;
mod references;
mod songs;
mod stage;
mod status;
mod table;
mod tabs;
mod trim;

pub use ready::{Point, ready};
pub use stage::Stage;

use super::edits::Edits;
use super::facts::{ViewCx, ViewModel};
use super::graph::Graph;
use super::meter_panel::{self, Readings};
use super::preset_menu::PresetMenu;
use super::stem::{ChainParts, WindowRequests};
use super::theme::{GAP, Palette};
use super::{footer, header, modules};
use egui::{Rect, Ui, pos2, vec2};

/// Tab of a Master's window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// Stems, platforms, history.
    #[default]
    Session,
    /// The Master's own chain.
    Chain,
    /// Masking between stems.
    Masking,
    /// Songs to compare with.
    References,
}

impl Tab {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Session, Self::Chain, Self::Masking, Self::References];

    /// The word on the tab.
    pub fn name(self) -> &'static str {
        match self {
            Self::Session => "Session",
            Self::Chain => "Chain",
            Self::Masking => "Masking",
            Self::References => "References",
        }
    }
}

/// Places of the parts of the session's tab.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parts {
    /// Stems.
    pub table: Rect,
    /// Meters of the Master's output.
    pub meter_panel: Rect,
    /// Platforms.
    pub platforms: Rect,
    /// The timeline; during a move, what it does.
    pub history: Rect,
}

impl Parts {
    /// Divides what is below header and tabs.
    pub fn of(place: Rect) -> Self {
        let history_height = (place.height() * 0.17).clamp(60.0, 200.0).round();
        let history = Rect::from_min_max(pos2(place.min.x, place.max.y - history_height), place.max);
        let platforms_top = history.min.y - GAP - platforms::HEIGHT;
        let platforms = Rect::from_min_max(
            pos2(place.min.x, platforms_top),
            pos2(place.max.x, platforms_top + platforms::HEIGHT),
        );
        let meter_width = (place.width() * 0.18).clamp(168.0, 232.0).round();
        let bottom = platforms_top - GAP;
        let meter_panel =
            Rect::from_min_max(pos2(place.max.x - meter_width, place.min.y), pos2(place.max.x, bottom));
        let table = Rect::from_min_max(place.min, pos2(meter_panel.min.x - GAP, bottom));
        Self { table, meter_panel, platforms, history }
    }
}

/// The view of a Master: what it remembers of its own is no sound.
#[derive(Debug, Default)]
pub struct MasterView {
    tab: Tab,
    graph: Graph,
    presets: PresetMenu,
    table: table::Table,
    references: references::Page,
    /// Whose playback prices are in, by its place among the platforms.
    platform: usize,
    /// The loudest stretch is marked on the timeline.
    loudest: bool,
}

impl MasterView {
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
        let header = Rect::from_min_size(window.min, vec2(window.width(), header::HEIGHT));
        header::show(ui, &mut desk, header, &mut self.presets, &mut wishes);
        let bar = Rect::from_min_max(
            pos2(window.min.x + GAP, header.max.y),
            pos2(window.max.x - GAP, header.max.y + tabs::HEIGHT),
        );
        tabs::show(ui, &mut desk, bar, &mut self.tab, &mut self.loudest);
        let place = Rect::from_min_max(pos2(window.min.x + GAP, bar.max.y), window.max - vec2(GAP, GAP));
        match self.tab {
            Tab::Session => self.session(ui, &mut desk, place),
            Tab::Chain => {
                self.table.forget(&mut desk);
                let parts = ChainParts::of(place, window.size());
                self.graph.show(ui, &mut desk, parts.graph);
                meter_panel::show(ui, &mut desk, parts.meter_panel, Readings::Chain);
                modules::show(ui, &mut desk, parts.modules);
                footer::show(ui, &mut desk, parts.footer);
            }
            Tab::Masking => {
                self.table.forget(&mut desk);
                masking::show(ui, &desk, place);
            }
            Tab::References => {
                self.table.forget(&mut desk);
                self.references.show(ui, &mut desk, place);
            }
        }
        wishes
    }

    fn session(&mut self, ui: &mut Ui, desk: &mut ViewCx<'_>, place: Rect) {
        let parts = Parts::of(place);
        let shown = self.table.show(ui, desk, parts.table, self.platform);
        meter_panel::show(ui, desk, parts.meter_panel, Readings::Output);
        platforms::show(ui, desk, parts.platforms, &mut self.platform, shown);
        match shown {
            Some(proposal) => banner::show(ui, desk, parts.history, proposal, self.platform),
            None => history::show(ui, desk, parts.history, self.loudest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_never_overlap_and_have_room_for_six_stems_at_any_size() {
        for width in (744..=1600).step_by(20) {
            for height in (388..=1000).step_by(20) {
                let place = Rect::from_min_size(pos2(8.0, 84.0), vec2(width as f32, height as f32));
                let Parts { table, meter_panel, platforms, history } = Parts::of(place);
                let all = [table, meter_panel, platforms, history];
                for (i, a) in all.iter().enumerate() {
                    assert!(place.contains_rect(*a) && a.is_positive(), "{width}x{height}: {a:?}");
                    for b in &all[i + 1..] {
                        assert!(!a.shrink(0.5).intersects(*b), "{width}x{height}: {a:?} {b:?}");
                    }
                }
                assert!(table::rows_that_fit(table) >= 6, "{width}x{height}");
            }
        }
    }
}
