//! Model of the Master's view, from the published session, the Master's reading, parameters, saved songs and transport.

use super::view_model::MasterModel;
use chain::{ChainKind, ChainSettings};
use meter::Reading;
use plugin_core::Output;
use plugin_core::context::PluginContext;
use plugin_core::document::songs::SongRange;
use plugin_core::references::ReferenceList;
use plugin_core::session_view::{
    AnalysisResult, BusPosition, MasterOutcome, MoveAnswer, SessionSnapshot, SessionTimeline,
    SimulatedLoudness, SimulatedOutput, TimelineSong,
};
use session::playback::{playback, sentence};
use session::prediction::{MovePrediction, PlatformChange};
use session::session_report::PlatformReport;
use session::target::NormalizationTarget;
use units::{Db, Ms};

/// Returns the model for `snapshot`. `reading`: of the Master's output; `settings`: of its chain.
pub(super) fn master_model<O: Output>(
    snapshot: &SessionSnapshot,
    context: &PluginContext<O>,
    settings: &ChainSettings,
    reading: &Reading,
    targets: &[NormalizationTarget],
) -> MasterModel {
    debug_assert_eq!(O::CHAIN_KIND, ChainKind::Master, "a Stem has no session");
    let name = |id| snapshot.stem(id).map(|stem| stem.name().to_owned());
    let whose = snapshot.session().and_then(|session| session.loudest_peak).and_then(name);
    let platforms = targets.iter().map(|target| PlatformReport {
        id: target.id.clone(),
        playback: playback(reading, target),
        sentence: sentence(reading, target, whose.as_deref()),
    });
    let (store, transport) = (&context.params.store, &context.shared.transport);
    MasterModel {
        placement: if store.is_last() { BusPosition::Final } else { BusPosition::Mix },
        platforms: if reading.integrated.is_some() { platforms.collect() } else { Vec::new() },
        targets: targets.to_vec(),
        answer: snapshot
            .analysis
            .as_ref()
            .and_then(|known| answer(snapshot, known, settings, reading, targets)),
        songs: songs(store.songs(), snapshot.timeline()),
        lacks_position: transport.lacks_position() && reading.momentary.is_some(),
        looped: transport.range(),
        song_spectra: Vec::new(),
        references: ReferenceList::default(),
    }
}

/// Returns the saved songs with the timeline's figures; a new song has none yet.
fn songs(saved: Vec<SongRange>, timeline: Option<&SessionTimeline>) -> Vec<TimelineSong> {
    let known = timeline.map_or(&[][..], |timeline| &timeline.songs);
    let song = |SongRange { name, start, end }| {
        let (start, end) = (Ms(start * 1000.0), Ms(end * 1000.0));
        let figures = known.iter().find(|song| song.start == start && song.end == end);
        let (integrated, heard) = figures.map_or((None, Ms(0.0)), |song| (song.integrated, song.heard));
        TimelineSong { name, start, end, integrated, heard }
    };
    saved.into_iter().map(song).collect()
}

/// Returns the last prediction with the Master's output.
fn answer(
    snapshot: &SessionSnapshot,
    known: &AnalysisResult,
    settings: &ChainSettings,
    reading: &Reading,
    targets: &[NormalizationTarget],
) -> Option<MoveAnswer> {
    let (of, into) = (known.proposal?, known.prediction.clone()?);
    let name = snapshot.name(of.stem);
    let out = match known.simulated {
        _ if settings.is_plain_delay() => MasterOutcome::AsItEntered,
        Some(out) => {
            MasterOutcome::Simulated(Box::new(simulated(&into, (name, of.gain), out, reading, targets)))
        }
        None => MasterOutcome::Unknown,
    };
    Some(MoveAnswer { proposal: of, input: into, output: out })
}

/// Returns the Master's output: loudness from the simulation, measured peak.
fn simulated(
    into: &MovePrediction,
    (name, gain): (&str, Db),
    SimulatedLoudness { ends: [before, after], half_width, length }: SimulatedLoudness,
    reading: &Reading,
    targets: &[NormalizationTarget],
) -> SimulatedOutput {
    let of = |integrated| Reading {
        integrated: Some(integrated),
        true_peak: reading.true_peak,
        ..Reading::default()
    };
    let (before, after) = (of(before), of(after));
    let single = (into.moves.len() == 1).then_some((name, gain));
    let exchanges =
        targets.iter().map(|target| PlatformChange::new(&before, &after, target, single)).collect();
    SimulatedOutput { length, half_width, before, after, platform_changes: exchanges }
}
