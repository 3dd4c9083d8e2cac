//! The Stems in reach as a session shows them: read where they are published. Remembers answers to a Master's own
//! requests, and Stems that have gone.

use chain::ChainKind;
use chain::parameters::PARAMETERS;
use link::records::{BlockStatus, InstanceInfo, InstanceKind, PublishedSettings};
use link::remote_trim::{TrimAnswer, TrimVerdict};
use link::status::{StemStatus, Viewpoint};
use link::summary::MasterPlacement;
use link::{PeerView, Roster};
use meter::Reading;
use plugin_core::session_view::{Request, StemCard};
use session::record::StemId;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use units::Db;

/// How long a Stem of the session that has gone is shown.
const SHOWN_AFTER_GONE: Duration = Duration::from_secs(60);
/// How long a Stem may take to answer a request.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The Stems in reach, from the point of view of one instance.
#[derive(Debug)]
pub(super) struct StemList {
    roster: &'static Roster,
    me: PeerView,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    /// Stems of the session as they were last seen, and when.
    seen: Vec<(StemCard, Instant)>,
    sent: Vec<SentRequest>,
}

/// A request without an answer so far.
#[derive(Clone, Copy, Debug)]
struct SentRequest {
    stem: StemId,
    counter: u64,
    trim: Db,
    when: Instant,
}

/// A Stem in reach.
struct Seen {
    born: u64,
    /// With no request.
    card: StemCard,
    /// Its last answer, if that is to us.
    answer: Option<TrimAnswer>,
    /// The Master sums it.
    is_summed: bool,
}

impl StemList {
    pub(super) fn new(roster: &'static Roster, me: PeerView) -> Self {
        Self { roster, me, memory: Mutex::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // plain values: a panic elsewhere left them whole
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that `stem` was asked for `trim`; its answer has this counter.
    pub(super) fn note_request(&self, stem: StemId, counter: u64, trim: Db) {
        let mut memory = self.memory();
        memory.sent.retain(|sent| sent.stem != stem);
        memory.sent.push(SentRequest { stem, counter, trim, when: Instant::now() });
    }

    /// Takes note of who is there and of answers, and forgets what is no longer shown. A few times a second.
    pub(super) fn update(&self, now: Instant) {
        let seen = self.seen();
        let mut memory = self.memory();
        for one in seen {
            memory.forget_answered(one.card.id, one.answer);
            if one.is_summed && one.card.status.is_linked() {
                memory.remember(one.card, now);
            }
        }
        memory.seen.retain(|(_, when)| now.saturating_duration_since(*when) < SHOWN_AFTER_GONE);
    }

    /// Returns the Stems, in the order in which they came, those that have gone last.
    pub(super) fn stems(&self, now: Instant) -> Vec<StemCard> {
        let mut seen = self.seen();
        seen.sort_by_key(|one| (one.born, one.card.id));
        let memory = self.memory();
        let mut stems: Vec<StemCard> = (seen.into_iter())
            .map(|one| StemCard { request: memory.request(one.card.id, one.answer, now), ..one.card })
            .collect();
        let gone = memory.gone(&stems, now);
        stems.extend(gone);
        stems
    }

    /// Whether another Master of the session sits last, so that what leaves this one is not what is heard in the end.
    pub(super) fn has_final(&self) -> bool {
        let session = self.me.info().and_then(|label| label.session);
        session.is_some_and(|session| {
            let others =
                self.roster.masters_of(session).into_iter().filter(|other| other.id() != self.me.id());
            others
                .filter_map(|other| other.summary())
                .any(|summary| summary.placement == MasterPlacement::Final)
        })
    }

    fn seen(&self) -> Vec<Seen> {
        let viewpoint = Viewpoint::new(self.roster, self.me);
        let bypass = PARAMETERS.for_kind(ChainKind::Stem).position(|row| row.id == "bypass");
        let summary = self.me.summary();
        let me = self.me.id();
        let read = |peer: PeerView| {
            let label = peer.info().filter(|label| label.kind == InstanceKind::Stem)?;
            let (mut card, answer) = card(peer, &label, bypass)?;
            let is_summed =
                |id: u64| summary.is_some_and(|summary| summary.stems().any(|stem| stem.stem.get() == id));
            card.status = viewpoint.status(peer, |id| is_summed(id.get()));
            Some(Seen {
                born: label.born,
                answer: answer.filter(|answer| Some(answer.sender) == me),
                is_summed: is_summed(card.id.0),
                card,
            })
        };
        self.roster.peers().filter_map(read).collect()
    }
}

impl Memory {
    fn remember(&mut self, card: StemCard, now: Instant) {
        match self.seen.iter_mut().find(|(seen, _)| seen.id == card.id) {
            Some(seen) => *seen = (card, now),
            None => self.seen.push((card, now)),
        }
    }

    /// Stems of the session that are not among `stems`, until they are forgotten.
    fn gone(&self, stems: &[StemCard], now: Instant) -> Vec<StemCard> {
        let is_shown = |when: Instant| now.saturating_duration_since(when) < SHOWN_AFTER_GONE;
        let gone = (self.seen.iter())
            .filter(|(seen, when)| is_shown(*when) && stems.iter().all(|stem| stem.id != seen.id));
        gone.map(|(seen, _)| StemCard { status: StemStatus::Gone, ..seen.clone() }).collect()
    }

    fn forget_answered(&mut self, stem: StemId, answer: Option<TrimAnswer>) {
        let counter = answer.map(|answer| answer.counter);
        self.sent.retain(|sent| sent.stem != stem || Some(sent.counter) != counter);
    }

    /// State of the last request to `stem`, whose last answer to us is `answer`.
    fn request(&self, stem: StemId, answer: Option<TrimAnswer>, now: Instant) -> Request {
        let sent = self.sent.iter().find(|sent| sent.stem == stem);
        let waits = sent.filter(|sent| answer.is_none_or(|answer| answer.counter != sent.counter));
        match (waits, answer) {
            (Some(sent), _) if now.saturating_duration_since(sent.when) < ANSWER_TIMEOUT => {
                Request::Asked(sent.trim)
            }
            (Some(_), _) => Request::Unanswered,
            (None, Some(TrimAnswer { verdict: TrimVerdict::Stale, .. })) => Request::Refused,
            (None, _) => Request::None,
        }
    }
}

/// What a Stem publishes, and its last answer.
fn card(
    peer: PeerView,
    label: &InstanceInfo,
    bypass: Option<usize>,
) -> Option<(StemCard, Option<TrimAnswer>)> {
    let id = peer.id()?;
    let (pulse, figures) =
        (peer.block_status().unwrap_or_default(), peer.stem_readings().unwrap_or_default());
    let BlockStatus { momentary, short_term, compressor_reduction, limiter_reduction, listens, .. } = pulse;
    let switched = |settings: PublishedSettings| {
        bypass.and_then(|row| settings.values().nth(row)).flatten() == Some(1.0)
    };
    let card = StemCard {
        name: label.name.as_str().into(),
        colour: label.colour,
        role: label.role,
        reading: Reading { momentary, short_term, ..figures.reading },
        reduction: compressor_reduction + limiter_reduction,
        trim: figures.trim.offset,
        revision: figures.trim.revision,
        bypassed: peer.settings().is_some_and(switched),
        listens,
        audition: figures.audition,
        spectrum: figures.spectrum,
        ..StemCard::new(StemId(id.get()), "")
    };
    Some((card, figures.trim.answer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use link::InstanceId;

    fn named(id: u64) -> StemCard {
        StemCard::new(StemId(id), &format!("Stem {id}"))
    }

    #[test]
    fn a_stem_that_has_gone_is_shown_for_a_minute() {
        let (mut memory, start) = (Memory::default(), Instant::now());
        let after = |seconds: u64| start + Duration::from_secs(seconds);
        for id in [1, 2] {
            memory.remember(named(id), start);
        }
        assert!(memory.gone(&[named(1), named(2)], after(1)).is_empty());
        let gone = memory.gone(&[named(1)], after(3));
        let [gone] = &gone[..] else { panic!("{gone:?}") };
        assert_eq!((gone.id, gone.status, gone.request), (StemId(2), StemStatus::Gone, Request::None));
        memory.remember(named(1), after(59));
        assert_eq!(memory.gone(&[], after(59)).len(), 2);
        assert_eq!(memory.gone(&[], after(61)).iter().map(|card| card.id.0).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn a_request_waits_until_it_is_answered_or_times_out_and_being_asked_changes_nothing() {
        let (mut memory, start) = (Memory::default(), Instant::now());
        let after = |seconds: u64| start + Duration::from_secs(seconds);
        let (stem, sender) = (StemId(1), InstanceId::new(9).expect("not zero"));
        let answer = |counter, verdict| Some(TrimAnswer { sender, counter, verdict });
        let old = answer(6, TrimVerdict::Stale);
        assert_eq!(memory.request(stem, old, start), Request::Refused);
        memory.sent.push(SentRequest { stem, counter: 7, trim: Db(2.0), when: start });
        assert_eq!(memory.request(stem, old, after(1)), Request::Asked(Db(2.0)));
        assert_eq!(memory.request(StemId(2), None, after(1)), Request::None);
        assert_eq!(memory.request(stem, old, after(6)), Request::Unanswered);
        memory.forget_answered(stem, old);
        assert_eq!(memory.request(stem, old, after(6)), Request::Unanswered, "that answered another one");
        for _ in 0..2 {
            assert_eq!(memory.request(stem, answer(7, TrimVerdict::Accepted), after(7)), Request::None);
            assert_eq!(memory.request(stem, answer(7, TrimVerdict::Stale), after(7)), Request::Refused);
        }
        memory.forget_answered(stem, answer(7, TrimVerdict::Accepted));
        assert_eq!(memory.request(stem, None, after(8)), Request::None);
    }
}
