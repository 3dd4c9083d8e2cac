//! Status of a Stem, decided in one place for plugins, windows, the analysis and `stems live`.

use super::identity::{InstanceId, SessionId};
use super::roster::{PeerView, Roster};
use super::slot::Presence;
pub use session::stem_status::StemStatus;
use units::Hz;

/// Relation of a Stem to the session whose Master classifies it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionRelation {
    /// The session's Master sums it, or no other Master claims it.
    #[default]
    Same,
    /// It was saved with another session, and the Master of this one does not sum it.
    Other,
}

/// Facts that determine a Stem's status.
#[derive(Clone, Copy, Debug)]
pub struct StemEvidence {
    /// State of its heartbeat; `None` once it has left the roster.
    pub presence: Option<Presence>,
    /// Its sampling rate; zero before its host has activated it.
    pub rate: Hz,
    /// Sampling rate of the Master that sums; `None` or zero while there is none to compare with.
    pub master_rate: Option<Hz>,
    /// Relation to the session.
    pub relation: SessionRelation,
}

/// Returns the status of `stem`. Of several that apply the most specific one wins: a Stem of another session may have
/// any sampling rate, and one with another rate is not summed whether it responds or not.
pub fn classify(stem: StemEvidence) -> StemStatus {
    let Some(presence) = stem.presence else { return StemStatus::Gone };
    let rates = [Some(stem.rate), stem.master_rate].map(|rate| rate.filter(|rate| rate.0 > 0.0));
    match (stem.relation, rates, presence) {
        (SessionRelation::Other, ..) => StemStatus::OtherSession,
        (_, [Some(rate), Some(master)], _) if rate != master => StemStatus::OtherRate,
        (_, _, Presence::Unresponsive) => StemStatus::NotResponding,
        (_, _, Presence::Asleep) => StemStatus::Asleep,
        (_, _, Presence::Awake) => StemStatus::Live,
    }
}

/// The session of one instance, as the reference for the status of Stems.
#[derive(Clone, Copy, Debug)]
pub struct Viewpoint {
    roster: &'static Roster,
    session: Option<SessionId>,
    rate: Option<Hz>,
}

impl Viewpoint {
    /// The session of the instance `me`: a Master, or a Stem with its neighbours.
    pub fn new(roster: &'static Roster, me: PeerView) -> Self {
        Self {
            roster,
            session: me.info().and_then(|info| info.session),
            rate: me.block_status().map(|status| status.rate),
        }
    }

    /// Returns the status of `stem`; `is_summed` tells the Stems that the Master has found in its mix.
    pub fn status(&self, stem: PeerView, is_summed: impl Fn(InstanceId) -> bool) -> StemStatus {
        let present = stem.id().zip(stem.info());
        let elsewhere = present.is_some_and(|(id, info)| !is_summed(id) && self.is_claimed(info.session));
        classify(StemEvidence {
            presence: present.map(|_| stem.presence()),
            rate: stem.block_status().map_or(Hz(0.0), |status| status.rate),
            master_rate: self.rate,
            relation: if elsewhere { SessionRelation::Other } else { SessionRelation::Same },
        })
    }

    /// True if the Stem was saved with another session and that session has a Master. One whose Master is closed claims
    /// no Stems: the project may have a new Master.
    fn is_claimed(&self, saved: Option<SessionId>) -> bool {
        let other = saved.filter(|session| Some(*session) != self.session);
        other.is_some_and(|session| !self.roster.masters_of(session).is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_status_wins() {
        use StemStatus::{Asleep, Gone, Live, NotResponding, OtherRate, OtherSession};
        let (same, other) = (Hz(48_000.0), Hz(44_100.0));
        let status = |presence, rate, relation| {
            classify(StemEvidence { presence, rate, master_rate: Some(same), relation })
        };
        let all = [Presence::Awake, Presence::Asleep, Presence::Unresponsive];
        assert_eq!(all.map(|p| status(Some(p), same, SessionRelation::Same)), [Live, Asleep, NotResponding]);
        assert_eq!(
            all.map(|p| status(Some(p), Hz(0.0), SessionRelation::Same)),
            [Live, Asleep, NotResponding]
        );
        assert_eq!(all.map(|p| status(Some(p), other, SessionRelation::Same)), [OtherRate; 3]);
        assert_eq!(all.map(|p| status(Some(p), other, SessionRelation::Other)), [OtherSession; 3]);
        assert_eq!(status(None, other, SessionRelation::Other), Gone);
        let unknown = StemEvidence {
            presence: Some(Presence::Unresponsive),
            rate: other,
            master_rate: None,
            relation: SessionRelation::Same,
        };
        assert_eq!(classify(unknown), NotResponding, "without a Master's rate there is no other rate");
    }
}
