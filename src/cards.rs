//! The Stems in reach as a window shows them: read where they tell it, whenever the window draws. What has become of a
//! Master's own requests, and who has gone, is remembered here.

use chain::ChainKind;
use chain::parameters::PARAMETERS;
use link::request::{Answer, Verdict};
use link::slot::Presence as Slot;
use link::snapshot::{BlockStatus, InstanceInfo, Kind, Settings};
use link::summary::Placement;
use link::{PeerView, Roster};
use meter::Reading;
use plugin_core::room::{Presence, Request, StemCard};
use session::record::StemId;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use units::Db;

/// A stem of the session that has gone is shown for so long: whoever has closed it has seen it then.
const MOURNED: Duration = Duration::from_secs(60);
/// A Stem that has not answered by then was asked in vain.
const PATIENCE: Duration = Duration::from_secs(5);

/// The Stems as the instance `me` sees them.
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
    asked: Vec<Asked>,
}

/// A request that is on its way.
#[derive(Clone, Copy, Debug)]
struct Asked {
    stem: StemId,
    counter: u64,
    trim: Db,
    when: Instant,
}

impl StemList {
    pub(super) fn new(roster: &'static Roster, me: PeerView) -> Self {
        Self { roster, me, memory: Mutex::default() }
    }

    /// `stem` was asked for `trim`; its answer will have this counter.
    pub(super) fn asked(&self, stem: StemId, counter: u64, trim: Db) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.asked.retain(|asked| asked.stem != stem);
        memory.asked.push(Asked { stem, counter, trim, when: Instant::now() });
    }

    /// The Stems, and whether another Master of the session sits last.
    pub(super) fn look(&self) -> (Vec<StemCard>, bool) {
        let (roster, me) = (self.roster, self.me);
        let session = me.label().and_then(|label| label.session);
        let bypass = PARAMETERS.of(ChainKind::Stem).position(|row| row.id == "bypass");
        let summary = me.summary();
        let rate = me.pulse().map(|pulse| pulse.rate).filter(|rate| rate.0 > 0.0);
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let mut stems: Vec<(u64, StemCard)> = roster
            .peers()
            .filter_map(|peer| {
                let label = peer.label().filter(|label| label.kind == Kind::Stem)?;
                let (mut card, answer) = card(peer, &label, bypass)?;
                let answer = answer.filter(|answer| Some(answer.sender) == me.id());
                card.request = memory.request(card.id, answer, now);
                let known =
                    summary.is_some_and(|summary| summary.stems().any(|stem| stem.stem.get() == card.id.0));
                let is_foreign =
                    label.session.is_some_and(|of| Some(of) != session && !roster.masters_of(of).is_empty());
                let differs =
                    |pulse: BlockStatus| rate.is_some_and(|rate| pulse.rate.0 > 0.0 && pulse.rate != rate);
                if is_foreign && !known {
                    card.presence = Presence::OtherSession;
                } else if peer.pulse().is_some_and(differs) {
                    card.presence = Presence::Incompatible;
                } else if known {
                    memory.remember(&card, now);
                }
                Some((label.born, card))
            })
            .collect();
        stems.sort_by_key(|(born, card)| (*born, card.id));
        let mut stems: Vec<StemCard> = stems.into_iter().map(|(_, card)| card).collect();
        let gone = memory.gone(&stems, now);
        stems.extend(gone);
        let has_final = session.is_some_and(|session| {
            let others = roster.masters_of(session).into_iter().filter(|other| other.id() != me.id());
            others.filter_map(|other| other.summary()).any(|summary| summary.placement == Placement::Final)
        });
        (stems, has_final)
    }
}

impl Memory {
    fn remember(&mut self, card: &StemCard, now: Instant) {
        match self.seen.iter_mut().find(|(seen, _)| seen.id == card.id) {
            Some(seen) => *seen = (card.clone(), now),
            None => self.seen.push((card.clone(), now)),
        }
    }

    /// Stems of the session that are not among `stems`, for as long as they are mourned.
    fn gone(&mut self, stems: &[StemCard], now: Instant) -> Vec<StemCard> {
        self.seen.retain(|(_, when)| now.saturating_duration_since(*when) < MOURNED);
        let gone = self.seen.iter().filter(|(seen, _)| stems.iter().all(|stem| stem.id != seen.id));
        gone.map(|(seen, _)| StemCard { presence: Presence::Gone, request: Request::None, ..seen.clone() })
            .collect()
    }

    /// What has become of the last request to `stem`, whose last answer to us is `answer`.
    fn request(&mut self, stem: StemId, answer: Option<Answer>, now: Instant) -> Request {
        let refused = answer.is_some_and(|answer| answer.verdict == Verdict::Stale);
        let index = self.asked.iter().position(|asked| asked.stem == stem);
        let Some((index, asked)) = index.map(|index| (index, self.asked[index])) else {
            return if refused { Request::Refused } else { Request::None };
        };
        if answer.is_some_and(|answer| answer.counter == asked.counter) {
            self.asked.remove(index);
            return if refused { Request::Refused } else { Request::None };
        }
        match now.saturating_duration_since(asked.when) < PATIENCE {
            true => Request::Asked(asked.trim),
            false => Request::Unanswered,
        }
    }
}

/// What a Stem tells, and its last answer.
fn card(peer: PeerView, label: &InstanceInfo, bypass: Option<usize>) -> Option<(StemCard, Option<Answer>)> {
    let id = peer.id()?;
    let (pulse, figures) = (peer.pulse().unwrap_or_default(), peer.figures().unwrap_or_default());
    let BlockStatus { momentary, short_term, compressor_reduction, limiter_reduction, listens, .. } = pulse;
    let switched =
        |settings: Settings| bypass.and_then(|row| settings.values().nth(row)).flatten() == Some(1.0);
    let card = StemCard {
        id: StemId(id.get()),
        name: label.name.as_str().into(),
        colour: label.colour,
        role: label.role,
        presence: match peer.presence() {
            Slot::Awake => Presence::Live,
            Slot::Asleep => Presence::Asleep,
            Slot::Dim => Presence::Dim,
        },
        inside: None,
        reading: Reading { momentary, short_term, ..figures.reading },
        reduction: compressor_reduction + limiter_reduction,
        trim: figures.trim.offset,
        revision: figures.trim.revision,
        request: Request::None,
        bypassed: peer.settings().is_some_and(switched),
        listens,
        audition: figures.audition,
        spectrum: figures.spectrum,
    };
    Some((card, figures.trim.answer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use link::InstanceId;

    fn named(id: u64) -> StemCard {
        StemCard { request: Request::Asked(Db(1.0)), ..StemCard::new(StemId(id), &format!("Stem {id}")) }
    }

    #[test]
    fn who_has_gone_is_mourned_for_a_minute_and_who_comes_back_is_not() {
        let (mut memory, start) = (Memory::default(), Instant::now());
        let after = |seconds: u64| start + Duration::from_secs(seconds);
        for id in [1, 2] {
            memory.remember(&named(id), start);
        }
        assert!(memory.gone(&[named(1), named(2)], after(1)).is_empty());
        let gone = memory.gone(&[named(1)], after(3));
        let [gone] = &gone[..] else { panic!("{gone:?}") };
        assert_eq!((gone.id, gone.presence, gone.request), (StemId(2), Presence::Gone, Request::None));
        memory.remember(&named(1), after(59));
        assert_eq!(memory.gone(&[], after(59)).len(), 2);
        assert_eq!(memory.gone(&[], after(61)).iter().map(|card| card.id.0).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn a_request_is_on_its_way_until_it_is_answered_or_in_vain() {
        let (mut memory, start) = (Memory::default(), Instant::now());
        let after = |seconds: u64| start + Duration::from_secs(seconds);
        let (stem, sender) = (StemId(1), InstanceId::new(9).expect("not zero"));
        let answer = |counter, verdict| Some(Answer { sender, counter, verdict });
        let old = answer(6, Verdict::Stale);
        assert_eq!(memory.request(stem, old, start), Request::Refused);
        memory.asked.push(Asked { stem, counter: 7, trim: Db(2.0), when: start });
        assert_eq!(memory.request(stem, old, after(1)), Request::Asked(Db(2.0)));
        assert_eq!(memory.request(StemId(2), None, after(1)), Request::None);
        assert_eq!(memory.request(stem, old, after(6)), Request::Unanswered);
        assert_eq!(memory.request(stem, answer(7, Verdict::Accepted), after(7)), Request::None);
        assert_eq!(memory.request(stem, answer(7, Verdict::Accepted), after(8)), Request::None);
        memory.asked.push(Asked { stem, counter: 8, trim: Db(2.0), when: start });
        assert_eq!(memory.request(stem, answer(8, Verdict::Stale), after(1)), Request::Refused);
    }
}
