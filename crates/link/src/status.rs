//! Status of a Stem, decided in one place for plugins, windows, the analysis and `stems live`.

use super::identity::{InstanceId, SessionId};
use super::roster::{PeerView, Roster};
use super::slot::Presence;
pub use session::stem_status::StemStatus;
use units::Hz;

/// Relation of a Stem to the session that it is judged by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MixMembership {
    /// The session's Master sums it, or no other Master claims it.
    #[default]
    Here,
    /// It was saved with another session, and the Master of this one does not sum it.
    Elsewhere,
}

/// Everything that a Stem's status follows from.
#[derive(Clone, Copy, Debug)]
pub struct StemEvidence {
    /// State of its heartbeat; `None` once it has left the roster.
    pub presence: Option<Presence>,
    /// Its sampling rate; zero before its host has activated it.
    pub rate: Hz,
    /// Sampling rate of the Master that sums; `None` or zero while there is none to compare with.
    pub master_rate: Option<Hz>,
    /// Whose mix it belongs to.
    pub belonging: MixMembership,
}

/// Returns the status that `stem` has. Of several that hold the most specific one wins: a Stem of another session may
/// have any sampling rate, and one with another rate is not summed whether it responds or not.
pub fn classify(stem: StemEvidence) -> StemStatus {
    let Some(presence) = stem.presence else { return StemStatus::Gone };
    let rates = [Some(stem.rate), stem.master_rate].map(|rate| rate.filter(|rate| rate.0 > 0.0));
    match (stem.belonging, rates, presence) {
        (MixMembership::Elsewhere, ..) => StemStatus::OtherSession,
        (_, [Some(rate), Some(master)], _) if rate != master => StemStatus::OtherRate,
        (_, _, Presence::Dim) => StemStatus::NotResponding,
        (_, _, Presence::Asleep) => StemStatus::Asleep,
        (_, _, Presence::Awake) => StemStatus::Live,
    }
}

/// The session of one instance, from which that instance judges Stems.
#[derive(Clone, Copy, Debug)]
pub struct Viewpoint {
    roster: &'static Roster,
    session: Option<SessionId>,
    rate: Option<Hz>,
}

impl Viewpoint {
    /// The point of view of the instance `me`: a Master, or a Stem among its neighbours.
    pub fn of(roster: &'static Roster, me: PeerView) -> Self {
        Self {
            roster,
            session: me.label().and_then(|label| label.session),
            rate: me.pulse().map(|pulse| pulse.rate),
        }
    }

    /// Returns the status of `stem`; `is_summed` is true of those that the Master has found in its mix.
    pub fn status(&self, stem: PeerView, is_summed: impl Fn(InstanceId) -> bool) -> StemStatus {
        let is_there = stem.id().zip(stem.label());
        let elsewhere = is_there.is_some_and(|(id, label)| !is_summed(id) && self.is_claimed(label.session));
        classify(StemEvidence {
            presence: is_there.map(|_| stem.presence()),
            rate: stem.pulse().map_or(Hz(0.0), |pulse| pulse.rate),
            master_rate: self.rate,
            belonging: if elsewhere { MixMembership::Elsewhere } else { MixMembership::Here },
        })
    }

    /// Whether a Master of another session, which the Stem was saved with, is there. A saved session whose Master is
    /// closed claims nothing: the project may have got a new one.
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
        let status = |presence, rate, belonging| {
            classify(StemEvidence { presence, rate, master_rate: Some(same), belonging })
        };
        let all = [Presence::Awake, Presence::Asleep, Presence::Dim];
        assert_eq!(all.map(|p| status(Some(p), same, MixMembership::Here)), [Live, Asleep, NotResponding]);
        assert_eq!(all.map(|p| status(Some(p), Hz(0.0), MixMembership::Here)), [Live, Asleep, NotResponding]);
        assert_eq!(all.map(|p| status(Some(p), other, MixMembership::Here)), [OtherRate; 3]);
        assert_eq!(all.map(|p| status(Some(p), other, MixMembership::Elsewhere)), [OtherSession; 3]);
        assert_eq!(status(None, other, MixMembership::Elsewhere), Gone);
        let unknown = StemEvidence {
            presence: Some(Presence::Dim),
            rate: other,
            master_rate: None,
            belonging: MixMembership::Here,
        };
        assert_eq!(classify(unknown), NotResponding, "without a Master's rate there is no other rate");
    }
}
