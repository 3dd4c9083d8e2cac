//! The Stems in reach as a Master's window shows them: read where they tell it, whenever the window draws.

use crate::chain::Seat;
use crate::chain::parameters::PARAMETERS;
use crate::link::request::Verdict;
use crate::link::slot::Presence as Slot;
use crate::link::snapshot::{Kind, Label, Pulse, Settings};
use crate::link::summary::Placement;
use crate::link::{Peer, Roster};
use crate::meter::Reading;
use crate::params::room::{Presence, Request, StemCard};
use crate::session::record::StemId;

/// The Stems of `roster` as the Master `me` sees them, and whether another Master of its session sits last.
pub(super) fn cards(roster: &'static Roster, me: Peer) -> (Vec<StemCard>, bool) {
    let session = me.label().and_then(|label| label.session);
    let bypass = PARAMETERS.of(Seat::Stem).position(|row| row.id == "bypass");
    let summary = me.summary();
    let mut stems: Vec<(u64, StemCard)> = roster
        .peers()
        .filter_map(|peer| {
            let label = peer.label().filter(|label| label.kind == Kind::Stem)?;
            let mut card = card(peer, me, &label, bypass)?;
            let known =
                summary.is_some_and(|summary| summary.stems().any(|stem| stem.stem.get() == card.id.0));
            let is_foreign =
                label.session.is_some_and(|of| Some(of) != session && !roster.masters_of(of).is_empty());
            if is_foreign && !known {
                card.presence = Presence::OtherSession;
            }
            Some((label.born, card))
        })
        .collect();
    stems.sort_by_key(|(born, card)| (*born, card.id));
    let has_final = session.is_some_and(|session| {
        let others = roster.masters_of(session).into_iter().filter(|other| other.id() != me.id());
        others.filter_map(|other| other.summary()).any(|summary| summary.placement == Placement::Final)
    });
    (stems.into_iter().map(|(_, card)| card).collect(), has_final)
}

fn card(peer: Peer, me: Peer, label: &Label, bypass: Option<usize>) -> Option<StemCard> {
    let id = peer.id()?;
    let (pulse, figures) = (peer.pulse().unwrap_or_default(), peer.figures().unwrap_or_default());
    let Pulse { momentary, short_term, compressor_reduction, limiter_reduction, listens, .. } = pulse;
    let switched =
        |settings: Settings| bypass.and_then(|row| settings.values().nth(row)).flatten() == Some(1.0);
    Some(StemCard {
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
        request: match figures.trim.answer {
            Some(answer) if Some(answer.sender) == me.id() && answer.verdict == Verdict::Stale => {
                Request::Refused
            }
            _ => Request::None,
        },
        bypassed: peer.settings().is_some_and(switched),
        listens,
        spectrum: figures.spectrum,
    })
}
