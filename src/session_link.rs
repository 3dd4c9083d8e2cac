//! Access of the window's commands to the link.

use super::analysis::AnalysisShared;
use super::export::session_export;
use super::stem_list::StemList;
use link::audition::{AuditionOrder, AuditionOrders};
use link::ipc::Requester;
use link::{InstanceId, PeerView, ROSTER};
use plugin_core::command::{AnalysisCommand, ListenRequest, SessionLink, TrimRequest};
use plugin_core::document::ClaimId;
use plugin_core::session_view::{BandMark, ExportResult, StemCard};
use session::record::StemId;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Instant;

/// The link as seen from one instance.
pub(super) struct PluginLink {
    own_view: PeerView,
    requester: Requester,
    stems: Arc<StemList>,
    /// Present in a Master.
    analysis_shared: Option<Arc<AnalysisShared>>,
}

impl PluginLink {
    pub(super) fn new(
        own_view: PeerView,
        requester: Requester,
        stems: Arc<StemList>,
        analysis_shared: Option<Arc<AnalysisShared>>,
    ) -> Self {
        Self { own_view, requester, stems, analysis_shared }
    }

    /// Returns the instance of a Stem, if this Master owns the session and may send requests.
    fn request_target(&self, stem: StemId) -> Option<InstanceId> {
        InstanceId::new(stem.0).filter(|_| ROSTER.owns_session(self.own_view))
    }
}

impl ClaimId for PluginLink {
    fn claim_id(&self, wanted: NonZeroU64) -> Option<NonZeroU64> {
        Some(self.requester.claim_id(InstanceId::new(wanted.get())?)?.into())
    }
}

impl SessionLink for PluginLink {
    fn stems(&self) -> Vec<StemCard> {
        let mut stems = self.stems.stems(Instant::now());
        for stem in &mut stems {
            stem.inside = self
                .analysis_shared
                .as_ref()
                .and_then(|analysis_shared| analysis_shared.enclosing_stem(stem.id));
        }
        stems
    }

    fn has_final(&self) -> bool {
        self.stems.has_final()
    }

    fn update(&self) {
        self.stems.update(Instant::now());
    }

    fn request_trim(&self, request: TrimRequest) {
        let counter = self
            .request_target(request.stem)
            .and_then(|stem| self.requester.request_trim(stem, request.base, request.trim));
        if let Some(counter) = counter {
            self.stems.note_request(request.stem, counter, request.trim);
        }
    }

    fn reset_meters(&self, stem: StemId) {
        if let Some(stem) = self.request_target(stem) {
            self.requester.request_meter_reset(stem);
        }
    }

    fn mark_band(&self, stem: StemId, mark: BandMark) {
        if let Some((stem, by)) = self.request_target(stem).zip(InstanceId::new(mark.by.0)) {
            self.requester.mark_band(stem, by, mark.band as u64);
        }
    }

    fn set_auditions(&self, requests: &[ListenRequest]) {
        let order = |request: &ListenRequest| {
            Some(AuditionOrder {
                target: self.request_target(request.stem)?,
                base: request.base,
                hearing: request.effect,
            })
        };
        self.requester.post_orders(AuditionOrders::new(requests.iter().filter_map(order)));
    }

    fn send_analysis_command(&self, command: AnalysisCommand) {
        if let Some(analysis_shared) = &self.analysis_shared {
            analysis_shared.send_command(command);
        }
    }

    fn export(&self) -> ExportResult {
        editor::files::sessions::export(&session_export(&ROSTER, self.own_view))
    }
}
