//! A plugin's end of the link, as its window's commands use it.

use super::analysis::AnalysisShared;
use super::cards::StemList;
use super::exchange::sheet;
use link::audition::{AuditionOrder, AuditionOrders};
use link::ipc::Requester;
use link::{InstanceId, PeerView, ROSTER};
use plugin_core::command::{AnalysisCommand, ListenRequest, SessionLink, TrimRequest};
use plugin_core::session_view::{Exported, StemCard};
use session::record::StemId;
use std::sync::Arc;
use std::time::Instant;

/// The link as one instance has it.
pub(super) struct PluginLink {
    me: PeerView,
    desk: Requester,
    stems: Arc<StemList>,
    /// A Master's.
    studio: Option<Arc<AnalysisShared>>,
}

impl PluginLink {
    pub(super) fn new(
        me: PeerView,
        desk: Requester,
        stems: Arc<StemList>,
        studio: Option<Arc<AnalysisShared>>,
    ) -> Self {
        Self { me, desk, stems, studio }
    }

    /// The instance of a Stem, if this Master may ask Stems for anything.
    fn asked(&self, stem: StemId) -> Option<InstanceId> {
        InstanceId::new(stem.0).filter(|_| ROSTER.owns_session(self.me))
    }
}

impl SessionLink for PluginLink {
    fn stems(&self) -> Vec<StemCard> {
        let mut stems = self.stems.stems(Instant::now());
        for stem in &mut stems {
            stem.inside = self.studio.as_ref().and_then(|studio| studio.outer(stem.id));
        }
        stems
    }

    fn has_final(&self) -> bool {
        self.stems.has_final()
    }

    fn update(&self) {
        self.stems.update(Instant::now());
    }

    fn ask_trim(&self, wish: TrimRequest) {
        let counter =
            self.asked(wish.stem).and_then(|stem| self.desk.request_trim(stem, wish.base, wish.trim));
        if let Some(counter) = counter {
            self.stems.note_request(wish.stem, counter, wish.trim);
        }
    }

    fn order(&self, wishes: &[ListenRequest]) {
        let order = |wish: &ListenRequest| {
            Some(AuditionOrder { target: self.asked(wish.stem)?, base: wish.base, hearing: wish.hearing })
        };
        self.desk.post_orders(AuditionOrders::new(wishes.iter().filter_map(order)));
    }

    fn analyse(&self, command: AnalysisCommand) {
        if let Some(studio) = &self.studio {
            studio.command(command);
        }
    }

    fn export(&self) -> Exported {
        editor::files::sessions::export(&sheet(&ROSTER, self.me))
    }
}
