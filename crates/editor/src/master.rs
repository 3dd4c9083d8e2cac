//! View of the Master: session, own chain, masking, references.

pub(super) mod audition;
mod banner;
mod checklist;
mod columns;
mod first_minute;
mod ghost;
mod history;
mod landing;
mod masking;
mod platforms;
mod references;
pub(super) mod song_spectra;
mod songs;
mod status;
mod table;
mod tabs;
mod trim;

pub use checklist::{ChecklistItem, checklist};
pub use first_minute::FirstMinute;

use banner::MoveAction;

use super::dynamics_pane;
use super::edits::Edits;
use super::meter_panel::{self, Readings};
use super::panes::Panes;
use super::preset_menu::PresetMenu;
use super::stem::{ChainParts, WindowRequests};
use super::theme::{GAP, Palette};
use super::time_view::TimeView;
use super::view_model::{ViewCx, ViewModel};
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
    /// All tabs.
    pub const ALL: [Self; 4] = [Self::Session, Self::Chain, Self::Masking, Self::References];

    /// Returns the title of the tab.
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
pub struct SessionParts {
    /// Stems.
    pub table: Rect,
    /// Meters of the Master's output.
    pub meter_panel: Rect,
    /// Platforms.
    pub platforms: Rect,
    /// SessionTimeline; during a move, its prediction.
    pub history: Rect,
}

impl SessionParts {
    /// Divides the space below header and tabs.
    pub fn new(place: Rect) -> Self {
        let history_height = (place.height() * 0.25 - 31.0).clamp(60.0, 220.0).round();
        let history = Rect::from_min_max(pos2(place.min.x, place.max.y - history_height), place.max);
        let platforms_top = history.min.y - GAP - platforms::HEIGHT;
        let platforms = Rect::from_min_max(
            pos2(place.min.x, platforms_top),
            pos2(place.max.x, platforms_top + platforms::HEIGHT),
        );
        let meter_width = meter_panel::panel_width(place.width());
        let bottom = platforms_top - GAP;
        let meter_panel =
            Rect::from_min_max(pos2(place.max.x - meter_width, place.min.y), pos2(place.max.x, bottom));
        let table = Rect::from_min_max(place.min, pos2(meter_panel.min.x - GAP, bottom));
        Self { table, meter_panel, platforms, history }
    }
}

/// View of a Master. Its state never affects the sound.
#[derive(Debug, Default)]
pub struct MasterView {
    tab: Tab,
    panes: Panes,
    presets: PresetMenu,
    table: table::SessionTable,
    references: references::ReferencesTab,
    /// Index of the platform whose playback predictions are for.
    platform: usize,
    timeline: TimeView,
    /// Masking is of this moment, not of the song.
    masks_now: bool,
    /// The loudest passage is marked on the timeline.
    loudest: bool,
    landing: landing::LandingMenu,
}

impl MasterView {
    /// Returns true if loudness over time is shown.
    pub(super) fn shows_history(&self) -> bool {
        self.tab == Tab::Chain && self.panes.shows_history()
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
        let header = Rect::from_min_size(window.min, vec2(window.width(), header::HEIGHT));
        header::draw_header(ui, &mut cx, header, &mut self.presets, &mut requests);
        let bar = Rect::from_min_max(
            pos2(window.min.x + GAP, header.max.y),
            pos2(window.max.x - GAP, header.max.y + tabs::HEIGHT),
        );
        dynamics_pane::follow_drive(&mut cx);
        tabs::draw_tabs(ui, &mut cx, bar, (&mut self.tab, &mut self.loudest, &mut self.landing));
        let place = Rect::from_min_max(pos2(window.min.x + GAP, bar.max.y), window.max - vec2(GAP, GAP));
        match self.tab {
            Tab::Session => self.session(ui, &mut cx, place),
            Tab::Chain => {
                self.table.forget(&mut cx);
                let parts = ChainParts::new(place, window.size());
                self.panes.draw_panes(ui, &mut cx, parts.graph);
                meter_panel::draw_meter_panel(ui, &mut cx, parts.meter_panel, Readings::Chain);
                modules::draw_modules(ui, &mut cx, parts.modules);
                footer::draw_footer(ui, &mut cx, parts.footer);
            }
            Tab::Masking => {
                self.table.forget(&mut cx);
                masking::draw_masking(ui, &mut cx, place, &mut self.masks_now);
            }
            Tab::References => {
                self.table.forget(&mut cx);
                self.references.draw_tab(ui, &mut cx, place);
            }
        }
        requests
    }

    fn session(&mut self, ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect) {
        let parts = SessionParts::new(place);
        let shown = self.table.draw_table(ui, cx, parts.table, self.platform);
        meter_panel::draw_meter_panel(ui, cx, parts.meter_panel, Readings::Output);
        platforms::draw_platforms(ui, cx, parts.platforms, &mut self.platform, shown);
        match shown {
            Some(proposal) => {
                let shown = (proposal, self.table.seconds_left());
                match banner::draw_prediction(ui, cx, parts.history, shown, self.platform) {
                    Some(MoveAction::Apply) => self.table.apply(cx),
                    Some(MoveAction::Forget) => self.table.forget(cx),
                    None => {}
                }
            }
            None => history::draw_timeline(ui, cx, parts.history, self.loudest, &mut self.timeline),
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
                let SessionParts { table, meter_panel, platforms, history } = SessionParts::new(place);
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
