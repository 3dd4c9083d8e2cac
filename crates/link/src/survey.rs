//! All instances in reach as plain values, sorted into sessions: for whoever shows them.

use super::identity::{InstanceId, SessionId};
use super::roster::PeerView;
use super::snapshot::{BlockStatus, InstanceInfo, Kind};
use super::status::{MixMembership, StemEvidence, StemStatus, classify};
use super::summary::{Placement, StemSummary, Summary};
use meter::Reading;
use units::Db;

#[cfg(test)]
mod tests;

/// One instance.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The instance itself.
    pub peer: PeerView,
    /// Its id.
    pub id: InstanceId,
    /// What it is.
    pub label: InstanceInfo,
    /// What it does at the moment.
    pub pulse: BlockStatus,
    /// What its meter says, behind its chain.
    pub reading: Reading,
    /// The trim that Masters may ask to change.
    pub trim: Db,
    /// Its status: a Stem's towards the Master of its session, a Master's by its heartbeat.
    pub status: StemStatus,
    /// The session that it is part of: a Master's own; a Stem's, if a Master sums it.
    pub session: Option<SessionId>,
    /// What its Master says of it.
    pub heard: Option<StemSummary>,
}

/// A Master, the others of its session, and its Stems. Numbers are those of [`Survey::instances`].
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id.
    pub id: Option<SessionId>,
    /// The Master that owns it: the earliest of those that sit first.
    pub owner: usize,
    /// The Master that sits last, if there is one.
    pub last: Option<usize>,
    /// Other Masters with the same id: a project that is open twice.
    pub doubles: Vec<usize>,
    /// What the owner has found out.
    pub summary: Summary,
    /// The Stems that it sums.
    pub stems: Vec<usize>,
}

impl Session {
    /// The Master whose output is nearest to what is heard.
    pub fn end(&self) -> usize {
        self.last.unwrap_or(self.owner)
    }
}

/// Everybody.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Every Stem and Master: first Masters, then Stems, each in order of birth.
    pub instances: Vec<Instance>,
    /// The sessions, in order of their owners' birth.
    pub sessions: Vec<Session>,
}

impl Survey {
    /// Sorts `peers`. Viewers are none of them.
    pub fn of(peers: impl Iterator<Item = PeerView>) -> Self {
        let mut instances: Vec<Instance> = peers.filter_map(read).collect();
        instances.sort_by_key(|one| (one.label.kind != Kind::Master, one.label.born, one.id));
        let mut survey = Self { instances, sessions: Vec::new() };
        survey.find_sessions();
        survey.claim();
        survey.classify();
        survey
    }

    /// The number of the instance with this id.
    pub fn find(&self, id: InstanceId) -> Option<usize> {
        self.instances.iter().position(|one| one.id == id)
    }

    fn find_sessions(&mut self) {
        for (number, one) in self.instances.iter().enumerate() {
            // a Master that does not say is a session of its own
            let same = |session: &&mut Session| session.id.is_some() && session.id == one.label.session;
            if one.label.kind != Kind::Master {
                continue;
            }
            let Some(summary) = one.peer.summary() else { continue };
            match self.sessions.iter_mut().find(same) {
                None => self.sessions.push(Session {
                    id: one.label.session,
                    owner: number,
                    last: (summary.placement == Placement::Final).then_some(number),
                    doubles: Vec::new(),
                    summary,
                    stems: Vec::new(),
                }),
                Some(session) => match summary.placement {
                    Placement::Final if session.last.is_none() => session.last = Some(number),
                    // the first one that sits first owns it
                    Placement::Mix if session.last == Some(session.owner) => {
                        (session.owner, session.summary) = (number, summary);
                    }
                    _ => session.doubles.push(number),
                },
            }
        }
    }

    /// Gives Stems to the sessions that sum them.
    fn claim(&mut self) {
        for session in &mut self.sessions {
            for said in session.summary.stems() {
                let is_it = |one: &Instance| one.id == said.stem && one.label.kind == Kind::Stem;
                let Some(number) = self.instances.iter().position(is_it) else { continue };
                session.stems.push(number);
                let stem = &mut self.instances[number];
                if stem.heard.is_none() {
                    (stem.heard, stem.session) = (Some(*said), session.id);
                }
            }
        }
    }

    fn classify(&mut self) {
        let rate = |session: &Session| self.instances[session.owner].pulse.rate;
        let masters: Vec<_> = self.sessions.iter().map(|session| (session.id, rate(session))).collect();
        for one in &mut self.instances {
            let is_stem = one.label.kind == Kind::Stem;
            let hint = one.session.or(one.label.session).filter(|_| is_stem);
            let its_master = masters.iter().find(|(id, _)| hint.is_some() && *id == hint);
            // there are Masters, and none of them is the one that it was saved with
            let elsewhere =
                hint.is_some() && its_master.is_none() && one.heard.is_none() && !masters.is_empty();
            one.status = classify(StemEvidence {
                presence: one.peer.is_there().then(|| one.peer.presence()),
                rate: one.pulse.rate,
                master_rate: its_master.map(|(_, rate)| *rate),
                belonging: if elsewhere { MixMembership::Elsewhere } else { MixMembership::Here },
            });
        }
    }
}

/// What a peer tells; `None` if it has gone meanwhile, or only looks.
fn read(peer: PeerView) -> Option<Instance> {
    let label = peer.label().filter(|label| label.kind != Kind::Viewer)?;
    Some(Instance {
        id: peer.id()?,
        pulse: peer.pulse()?,
        reading: peer.reading()?,
        trim: peer.figures()?.trim.offset,
        status: StemStatus::Live,
        session: label.session.filter(|_| label.kind == Kind::Master),
        heard: None,
        label,
        peer,
    })
}
