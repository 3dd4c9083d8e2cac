//! All instances in reach as plain values, sorted into sessions, for tables and JSON.

use super::identity::{InstanceId, SessionId};
use super::records::{BlockStatus, InstanceInfo, InstanceKind};
use super::roster::PeerView;
use super::status::{SessionRelation, StemEvidence, StemStatus, classify};
use super::summary::{MasterPlacement, SessionSummary, StemFinding};
use meter::Reading;
use units::Db;

#[cfg(test)]
mod tests;

/// One Stem or Master, as it was when the survey was made.
#[derive(Clone, Debug)]
pub struct SurveyedInstance {
    /// View of the instance, for later reads.
    pub view: PeerView,
    /// Its id.
    pub id: InstanceId,
    /// Its description.
    pub info: InstanceInfo,
    /// Status of its last audio block.
    pub block_status: BlockStatus,
    /// Reading of its output.
    pub reading: Reading,
    /// The trim that Masters may ask to change.
    pub trim: Db,
    /// Its status: a Stem's with respect to the Master of its session, a Master's by its heartbeat.
    pub status: StemStatus,
    /// The session that it is part of: a Master's own; a Stem's, if a Master sums it.
    pub session: Option<SessionId>,
    /// Finding of its Master, if one sums it.
    pub finding: Option<StemFinding>,
}

/// A Master with the other Masters of its session and its Stems, all as indices into [`Survey::instances`].
#[derive(Clone, Debug)]
pub struct SurveyedSession {
    /// Its id; `None` of a Master that names none.
    pub id: Option<SessionId>,
    /// The Master that owns it: the earliest of those with [`MasterPlacement::Mix`].
    pub owner: usize,
    /// The Master with [`MasterPlacement::Final`], if there is one.
    pub last: Option<usize>,
    /// Other Masters with the same id: a project that is open twice.
    pub duplicates: Vec<usize>,
    /// Summary of the owner.
    pub summary: SessionSummary,
    /// The Stems that the owner sums.
    pub stems: Vec<usize>,
    /// The Stems inside others.
    pub nested: Vec<usize>,
}

impl SurveyedSession {
    /// The Master whose output is nearest to what is heard.
    pub fn output_master(&self) -> usize {
        self.last.unwrap_or(self.owner)
    }

    /// Its Stems: those summed, each followed by those inside it.
    pub fn all_stems(&self, instances: &[SurveyedInstance]) -> Vec<usize> {
        let mut all = self.stems.clone();
        let inside = |nested: usize| instances[nested].finding.and_then(|finding| finding.inside);
        let mut at = 0;
        while let Some(outer) = all.get(at).map(|&outer| instances[outer].id) {
            let inner = self.nested.iter().copied().filter(|&one| inside(one) == Some(outer));
            let inner: Vec<usize> = inner.filter(|one| !all.contains(one)).collect();
            all.splice(at + 1..at + 1, inner);
            at += 1;
        }
        all
    }
}

/// All Stems and Masters in reach, and their sessions.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Masters, then Stems, each in order of creation.
    pub instances: Vec<SurveyedInstance>,
    /// Sessions in order of their owners' creation.
    pub sessions: Vec<SurveyedSession>,
}

impl Survey {
    /// Reads all of `views` and sorts them into sessions, without viewers. Allocates.
    pub fn new(views: impl Iterator<Item = PeerView>) -> Self {
        let mut instances: Vec<SurveyedInstance> = views.filter_map(read_instance).collect();
        instances.sort_by_key(|one| (one.info.kind != InstanceKind::Master, one.info.born, one.id));
        let mut survey = Self { instances, sessions: Vec::new() };
        survey.find_sessions();
        survey.assign_stems();
        survey.classify_instances();
        survey
    }

    /// Index of the instance with this id.
    pub fn index_of(&self, id: InstanceId) -> Option<usize> {
        self.instances.iter().position(|one| one.id == id)
    }

    fn find_sessions(&mut self) {
        for (index, one) in self.instances.iter().enumerate() {
            // a Master that names no session is one of its own
            let is_same =
                |session: &&mut SurveyedSession| session.id.is_some() && session.id == one.info.session;
            if one.info.kind != InstanceKind::Master {
                continue;
            }
            let Some(summary) = one.view.summary() else { continue };
            match self.sessions.iter_mut().find(is_same) {
                None => self.sessions.push(SurveyedSession {
                    id: one.info.session,
                    owner: index,
                    last: (summary.placement == MasterPlacement::Final).then_some(index),
                    duplicates: Vec::new(),
                    summary,
                    stems: Vec::new(),
                    nested: Vec::new(),
                }),
                Some(session) => match summary.placement {
                    MasterPlacement::Final if session.last.is_none() => session.last = Some(index),
                    // the earliest Master placed first takes over from one placed last
                    MasterPlacement::Mix if session.last == Some(session.owner) => {
                        session.owner = index;
                        session.summary = summary;
                    }
                    _ => session.duplicates.push(index),
                },
            }
        }
    }

    /// Assigns Stems to the sessions that sum them.
    fn assign_stems(&mut self) {
        for session in &mut self.sessions {
            for finding in session.summary.findings() {
                let is_it =
                    |one: &SurveyedInstance| one.id == finding.stem && one.info.kind == InstanceKind::Stem;
                let Some(index) = self.instances.iter().position(is_it) else { continue };
                let stems = if finding.inside.is_none() { &mut session.stems } else { &mut session.nested };
                stems.push(index);
                let stem = &mut self.instances[index];
                if stem.finding.is_none() {
                    stem.finding = Some(*finding);
                    stem.session = session.id;
                }
            }
        }
    }

    fn classify_instances(&mut self) {
        let rate = |session: &SurveyedSession| self.instances[session.owner].block_status.rate;
        let masters: Vec<_> = self.sessions.iter().map(|session| (session.id, rate(session))).collect();
        for one in &mut self.instances {
            let is_stem = one.info.kind == InstanceKind::Stem;
            let hint = one.session.or(one.info.session).filter(|_| is_stem);
            let its_master = masters.iter().find(|(id, _)| hint.is_some() && *id == hint);
            // there are Masters, and none of them has the session that the Stem was saved with
            let elsewhere =
                hint.is_some() && its_master.is_none() && one.finding.is_none() && !masters.is_empty();
            one.status = classify(StemEvidence {
                presence: one.view.is_present().then(|| one.view.presence()),
                rate: one.block_status.rate,
                master_rate: its_master.map(|(_, rate)| *rate),
                relation: if elsewhere { SessionRelation::Other } else { SessionRelation::Same },
            });
        }
    }
}

/// Reads an instance; `None` if it has gone meanwhile, or is a viewer.
fn read_instance(view: PeerView) -> Option<SurveyedInstance> {
    let info = view.info().filter(|info| info.kind != InstanceKind::Viewer)?;
    Some(SurveyedInstance {
        id: view.id()?,
        block_status: view.block_status()?,
        reading: view.reading()?,
        trim: view.stem_readings()?.trim.offset,
        status: StemStatus::Live,
        session: info.session.filter(|_| info.kind == InstanceKind::Master),
        finding: None,
        info,
        view,
    })
}
