//! From what a Master knows to what its window shows.

use chain::{ChainKind, ChainSettings};
use meter::Reading;
use plugin_core::board::{Board, Room};
use plugin_core::document::songs::SongRange;
use plugin_core::references::References;
use plugin_core::room::{Answer, History, Outcome, Placement, Proposal, SessionFacts, Simulated, Song};
use plugin_core::{ChainParams, Output};
use session::playback::{playback, sentence};
use session::prediction::{Exchange, Prediction};
use session::target::NormalizationTarget;
use session::view::PlatformView;
use std::sync::Arc;
use units::{Db, Lufs, Ms};

/// What a Master's window shows of its session. `reading`: of what leaves it.
pub(super) fn session<O: Output>(
    board: &Board,
    params: &ChainParams<O>,
    reading: &Reading,
    targets: &[NormalizationTarget],
) -> SessionFacts {
    debug_assert_eq!(O::CHAIN_KIND, ChainKind::Master, "a Stem has no session");
    let room: Option<Arc<Room>> = board.room();
    let (mut stems, has_final) = board.look();
    for stem in &mut stems {
        stem.inside = board.outer(stem.id);
    }
    let name = |id| stems.iter().find(|stem| stem.id == id).map(|stem| stem.name().to_owned());
    let whose = room.as_ref().and_then(|room| room.session.loudest_peak).and_then(name);
    let platforms = targets.iter().map(|target| PlatformView {
        id: target.id.clone(),
        playback: playback(reading, target),
        sentence: sentence(reading, target, whose.as_deref()),
    });
    let settings = params.settings();
    SessionFacts {
        placement: if params.store.is_last() { Placement::Final } else { Placement::Mix },
        has_final,
        platforms: if reading.integrated.is_some() { platforms.collect() } else { Vec::new() },
        targets: targets.to_vec(),
        answer: room.as_ref().and_then(|room| answer(room, &settings, reading, targets)),
        follows: board.follows(),
        history: history(board, params, room.as_deref()),
        trouble: board.trouble(),
        exported: None,
        references: References::default(),
        auditions: board.auditions(),
        session: room.map(|room| room.session.clone()),
        stems,
    }
}

/// What was heard of the timeline, with the transport and the songs as they are at this moment.
fn history<O: Output>(board: &Board, params: &ChainParams<O>, room: Option<&Room>) -> History {
    let kept = params.store.songs();
    board.divide(&kept);
    let mut history = room.map(|room| room.history.clone()).unwrap_or_default();
    let known = std::mem::take(&mut history.songs);
    history.songs = kept
        .into_iter()
        .map(|SongRange { name, start, end }| {
            let (start, end) = (Ms(start * 1000.0), Ms(end * 1000.0));
            // one that has just been made has no figures yet
            let figures = known.iter().find(|song| song.start == start && song.end == end);
            let (integrated, heard) = figures.map_or((None, Ms(0.0)), |song| (song.integrated, song.heard));
            Song { name, start, end, integrated, heard }
        })
        .collect();
    (history.playhead, history.looped) = (board.whereabouts.position(), board.whereabouts.range());
    history
}

/// The last prediction, with what leaves the Master.
fn answer(
    room: &Room,
    settings: &ChainSettings,
    reading: &Reading,
    targets: &[NormalizationTarget],
) -> Option<Answer> {
    let into = room.prediction.clone()?;
    let first = into.moves.first()?;
    let stem = room.session.stems.get(first.source)?.id;
    let of = Proposal { stem, gain: first.gain };
    let name = room.names.get(first.source).map_or("a stem", String::as_str);
    let out = match room.out {
        _ if settings.only_delays() => Outcome::AsItEntered,
        Some(out) => Outcome::Simulated(Box::new(simulated(&into, (name, of.gain), out, reading, targets))),
        None => Outcome::Unknown,
    };
    Some(Answer { of, into, out })
}

/// What leaves the Master: loudness from the simulation, the peak as it was measured.
fn simulated(
    into: &Prediction,
    (name, gain): (&str, Db),
    ([before, after], length): ([Lufs; 2], Ms),
    reading: &Reading,
    targets: &[NormalizationTarget],
) -> Simulated {
    let of = |integrated| Reading {
        integrated: Some(integrated),
        true_peak: reading.true_peak,
        ..Reading::default()
    };
    let (before, after) = (of(before), of(after));
    let single = (into.moves.len() == 1).then_some((name, gain));
    let exchanges = targets.iter().map(|target| Exchange::of(&before, &after, target, single)).collect();
    Simulated { length, before, after, exchanges }
}
