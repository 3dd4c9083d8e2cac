//! Values that the link's worker asks of a plugin, and requests that it passes on.

use crate::audition::AuditionOrder;
use crate::identity::InstanceId;
use crate::records::{InstanceInfo, StemReadings};
use crate::request::PeerRequest;
use crate::roster::PeerView;
use crate::summary::SessionSummary;

/// Interface of a plugin to the link. The worker thread calls every method a few times a second; none may wait for an
/// audio thread.
pub trait InstanceSource: Send + Sync {
    /// Description of the instance. The bridge fills in host, process and time of creation.
    fn info(&self) -> InstanceInfo;

    /// Brings up to date what the other methods return. Called first in every round.
    fn housekeep(&self) {}

    /// Readings, spectrum and current trim.
    fn readings(&self) -> StemReadings;

    /// A Master's findings.
    fn summary(&self) -> SessionSummary {
        SessionSummary::default()
    }

    /// True if a Master needs the audio of this Stem of another process.
    fn wants_audio(&self, _stem: &PeerView) -> bool {
        false
    }

    /// Applies a Master's audition order; `None` if there is none, so that the output is heard. Called in every round.
    fn apply_audition(&self, _order: Option<&AuditionOrder>) {}

    /// Handles a request, once: a Stem answers with [`RemoteTrim::answer_request`](crate::remote_trim::RemoteTrim), a
    /// Master with a prediction in [`Self::summary`].
    fn handle_request(&self, _sender: InstanceId, _request: &PeerRequest) {}
}
