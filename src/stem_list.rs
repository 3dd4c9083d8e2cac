//! List of the Stems in reach, read from their link records, with the state of a Master's requests and Stems that
//! have gone.

use chain::ChainKind;
use chain::parameters::PARAMETERS;
use link::records::{BlockStatus, InstanceInfo, InstanceKind, PublishedSettings};
use link::remote_trim::{TrimAnswer, TrimVerdict};
use link::status::{StemStatus, Viewpoint};
use link::summary::MasterPlacement;
use link::{PeerView, Roster};
use meter::Reading;
use parking_lot::{Mutex, MutexGuard};
use plugin_core::session_view::{StemCard, TrimRequestState};
use session::record::StemId;

use std::time::{Duration, Instant};
use units::Db;

/// Time for which a Stem of the session stays listed after it has gone.
const GONE_DISPLAY_TIME: Duration = Duration::from_secs(60);
/// Time after which a request counts as unanswered.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The Stems in reach, from the viewpoint of seen_stem instance.
#[derive(Debug)]
pub(super) struct StemList {
    roster: &'static Roster,
    own_view: PeerView,
    memory: Mutex<StemMemory>,
}

#[derive(Debug, Default)]
struct StemMemory {
    /// Stems of the session with the time when they were last seen.
    seen: Vec<(StemCard, Instant)>,
    sent: Vec<SentRequest>,
}

/// A request that waits for its answer.
#[derive(Clone, Copy, Debug)]
struct SentRequest {
    stem: StemId,
    counter: u64,
    trim: Db,
    when: Instant,
}

/// A Stem that is on the roster.
struct SeenStem {
    born: u64,
    /// Its row, without the state of requests.
    row: StemCard,
    /// Its last answer to this instance.
    answer: Option<TrimAnswer>,
    /// True if the Master sums it.
    is_summed: bool,
}

impl StemList {
    pub(super) fn new(roster: &'static Roster, own_view: PeerView) -> Self {
        Self { roster, own_view, memory: Mutex::default() }
    }

    fn memory(&self) -> MutexGuard<'_, StemMemory> {
        self.memory.lock()
    }

    /// Remembers a request to `stem`; its answer carries `counter`.
    pub(super) fn note_request(&self, stem: StemId, counter: u64, trim: Db) {
        let mut memory = self.memory();
        memory.sent.retain(|sent| sent.stem != stem);
        memory.sent.push(SentRequest { stem, counter, trim, when: Instant::now() });
    }

    /// Updates the memory of seen Stems and answers. Call a few times a second.
    pub(super) fn update(&self, now: Instant) {
        let seen = self.seen();
        let mut memory = self.memory();
        for seen_stem in seen {
            memory.forget_answered(seen_stem.row.id, seen_stem.answer);
            if seen_stem.is_summed && seen_stem.row.status.is_linked() {
                memory.remember(seen_stem.row, now);
            }
        }
        memory.seen.retain(|(_, when)| now.saturating_duration_since(*when) < GONE_DISPLAY_TIME);
    }

    /// Returns the Stems in the order of their creation, gone ones last.
    pub(super) fn stems(&self, now: Instant) -> Vec<StemCard> {
        let mut seen = self.seen();
        seen.sort_by_key(|seen_stem| (seen_stem.born, seen_stem.row.id));
        let memory = self.memory();
        let mut stems: Vec<StemCard> = (seen.into_iter())
            .map(|seen_stem| StemCard {
                request: memory.request(seen_stem.row.id, seen_stem.answer, now),
                ..seen_stem.row
            })
            .collect();
        let gone = memory.gone(&stems, now);
        stems.extend(gone);
        stems
    }

    /// Returns true if another Master of the session is last on the bus, so that this seen_stem's output is not the final
    /// seen_stem.
    pub(super) fn has_final(&self) -> bool {
        let session = self.own_view.info().and_then(|info| info.session);
        session.is_some_and(|session| {
            let others =
                self.roster.masters_of(session).into_iter().filter(|other| other.id() != self.own_view.id());
            others
                .filter_map(|other| other.summary())
                .any(|summary| summary.placement == MasterPlacement::Final)
        })
    }

    fn seen(&self) -> Vec<SeenStem> {
        let viewpoint = Viewpoint::new(self.roster, self.own_view);
        let bypass = PARAMETERS.for_kind(ChainKind::Stem).position(|parameter| parameter.id == "bypass");
        let summary = self.own_view.summary();
        let own_view = self.own_view.id();
        let read = |view: PeerView| {
            let info = view.info().filter(|info| info.kind == InstanceKind::Stem)?;
            let (mut row, answer) = stem_row(view, &info, bypass)?;
            let is_summed =
                |id: u64| summary.is_some_and(|summary| summary.findings().any(|stem| stem.stem.get() == id));
            row.status = viewpoint.status(view, |id| is_summed(id.get()));
            Some(SeenStem {
                born: info.born,
                answer: answer.filter(|answer| Some(answer.sender) == own_view),
                is_summed: is_summed(row.id.0),
                row,
            })
        };
        self.roster.peers().filter_map(read).collect()
    }
}

impl StemMemory {
    fn remember(&mut self, row: StemCard, now: Instant) {
        match self.seen.iter_mut().find(|(seen, _)| seen.id == row.id) {
            Some(seen) => *seen = (row, now),
            None => self.seen.push((row, now)),
        }
    }

    /// Returns remembered Stems that are not among `stems`, until they expire.
    fn gone(&self, stems: &[StemCard], now: Instant) -> Vec<StemCard> {
        let is_shown = |when: Instant| now.saturating_duration_since(when) < GONE_DISPLAY_TIME;
        let gone = (self.seen.iter())
            .filter(|(seen, when)| is_shown(*when) && stems.iter().all(|stem| stem.id != seen.id));
        gone.map(|(seen, _)| StemCard { status: StemStatus::Gone, ..seen.clone() }).collect()
    }

    fn forget_answered(&mut self, stem: StemId, answer: Option<TrimAnswer>) {
        let counter = answer.map(|answer| answer.counter);
        self.sent.retain(|sent| sent.stem != stem || Some(sent.counter) != counter);
    }

    /// State of the last request to `stem`, whose last answer to this instance is `answer`.
    fn request(&self, stem: StemId, answer: Option<TrimAnswer>, now: Instant) -> TrimRequestState {
        let sent = self.sent.iter().find(|sent| sent.stem == stem);
        let waits = sent.filter(|sent| answer.is_none_or(|answer| answer.counter != sent.counter));
        match (waits, answer) {
            (Some(sent), _) if now.saturating_duration_since(sent.when) < ANSWER_TIMEOUT => {
                TrimRequestState::Asked(sent.trim)
            }
            (Some(_), _) => TrimRequestState::Unanswered,
            (None, Some(TrimAnswer { verdict: TrimVerdict::Stale, .. })) => TrimRequestState::Refused,
            (None, _) => TrimRequestState::None,
        }
    }
}

/// Reads the row of a Stem and its last answer from its records.
fn stem_row(
    view: PeerView,
    info: &InstanceInfo,
    bypass: Option<usize>,
) -> Option<(StemCard, Option<TrimAnswer>)> {
    let id = view.id()?;
    let (status, readings) =
        (view.block_status().unwrap_or_default(), view.stem_readings().unwrap_or_default());
    let BlockStatus { momentary, short_term, compressor_reduction, limiter_reduction, listens, .. } = status;
    let switched = |settings: PublishedSettings| {
        bypass.and_then(|row| settings.values().nth(row)).flatten() == Some(1.0)
    };
    let row = StemCard {
        name: info.name.as_str().into(),
        colour: info.colour,
        role: info.role,
        reading: Reading { momentary, short_term, ..readings.reading },
        reduction: compressor_reduction + limiter_reduction,
        trim: readings.trim.offset,
        revision: readings.trim.revision,
        bypassed: view.settings().is_some_and(switched),
        listens,
        audition: readings.audition,
        spectrum: readings.spectrum,
        ..StemCard::new(StemId(id.get()), "")
    };
    Some((row, readings.trim.answer))
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
        let (mut memory, start) = (StemMemory::default(), Instant::now());
        let after = |seconds: u64| start + Duration::from_secs(seconds);
        for id in [1, 2] {
            memory.remember(named(id), start);
        }
        assert!(memory.gone(&[named(1), named(2)], after(1)).is_empty());
        let gone = memory.gone(&[named(1)], after(3));
        let [gone] = &gone[..] else { panic!("{gone:?}") };
        assert_eq!(
            (gone.id, gone.status, gone.request),
            (StemId(2), StemStatus::Gone, TrimRequestState::None)
        );
        memory.remember(named(1), after(59));
        assert_eq!(memory.gone(&[], after(59)).len(), 2);
        assert_eq!(memory.gone(&[], after(61)).iter().map(|row| row.id.0).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn a_request_waits_until_it_is_answered_or_times_out_and_being_asked_changes_nothing() {
        let (mut memory, start) = (StemMemory::default(), Instant::now());
        let after = |seconds: u64| start + Duration::from_secs(seconds);
        let (stem, sender) = (StemId(1), InstanceId::new(9).expect("not zero"));
        let answer = |counter, verdict| Some(TrimAnswer { sender, counter, verdict });
        let old = answer(6, TrimVerdict::Stale);
        assert_eq!(memory.request(stem, old, start), TrimRequestState::Refused);
        memory.sent.push(SentRequest { stem, counter: 7, trim: Db(2.0), when: start });
        assert_eq!(memory.request(stem, old, after(1)), TrimRequestState::Asked(Db(2.0)));
        assert_eq!(memory.request(StemId(2), None, after(1)), TrimRequestState::None);
        assert_eq!(memory.request(stem, old, after(6)), TrimRequestState::Unanswered);
        memory.forget_answered(stem, old);
        assert_eq!(
            memory.request(stem, old, after(6)),
            TrimRequestState::Unanswered,
            "that answered another seen_stem"
        );
        for _ in 0..2 {
            assert_eq!(
                memory.request(stem, answer(7, TrimVerdict::Accepted), after(7)),
                TrimRequestState::None
            );
            assert_eq!(
                memory.request(stem, answer(7, TrimVerdict::Stale), after(7)),
                TrimRequestState::Refused
            );
        }
        memory.forget_answered(stem, answer(7, TrimVerdict::Accepted));
        assert_eq!(memory.request(stem, None, after(8)), TrimRequestState::None);
    }
}
