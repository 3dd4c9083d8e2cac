//! Live sessions as JSON.

use link::records::InstanceKind;
use link::survey::{Survey, SurveyedInstance, SurveyedSession};
use render::json::ReadingJson;
use serde::Serialize;
use session::heard_part::EXACT_FOOTNOTE;
use session::playback::playback;
use session::target::NormalizationTarget;

use super::ask::{Prediction, PredictionJson};
use super::page;

#[derive(Serialize)]
pub(super) struct Document {
    schema: &'static str,
    sessions: Vec<SessionJson>,
    instances: Vec<InstanceJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    what_if: Option<PredictionJson>,
}

#[derive(Serialize)]
struct SessionJson {
    session: Option<String>,
    master: String,
    last_master: Option<String>,
    doubles: Vec<String>,
    heard_s: f64,
    length_s: f64,
    coverage: Option<f64>,
    cause: Option<String>,
    exact: Option<bool>,
    exact_for_heard: Option<bool>,
    footnote: Option<&'static str>,
    uncertainty_lu: Option<f64>,
    unlinked_share: Option<f64>,
    mix: ReadingJson,
    master_out: ReadingJson,
    stems: Vec<String>,
    nested: Vec<String>,
    targets: Vec<LiveTargetJson>,
}

#[derive(Serialize)]
struct LiveTargetJson {
    id: String,
    playback_gain_db: Option<f64>,
    bound_by: Option<&'static str>,
}

#[derive(Serialize, Default)]
struct InstanceJson {
    id: Option<String>,
    state: &'static str,
    version: Option<u64>,
    kind: Option<&'static str>,
    name: Option<String>,
    role: Option<&'static str>,
    format: Option<&'static str>,
    host: Option<String>,
    pid: Option<u64>,
    rate_hz: Option<f64>,
    latency_samples: Option<u64>,
    playing: Option<bool>,
    position_s: Option<f64>,
    momentary_lufs: Option<f64>,
    short_term_lufs: Option<f64>,
    reading: Option<ReadingJson>,
    compressor_reduction_db: Option<f64>,
    limiter_reduction_db: Option<f64>,
    trim_db: Option<f64>,
    session: Option<String>,
    in_mix: Option<&'static str>,
    mute_waits: Option<bool>,
    share: Option<f64>,
    gain_db: Option<f64>,
    delay_samples: Option<i64>,
    chain_cost_lu: Option<f64>,
    inside: Option<String>,
}

pub(super) fn document(
    survey: &Survey,
    incompatible: &[u64],
    targets: &[NormalizationTarget],
    prediction: Option<&Prediction>,
) -> Document {
    let stranger = |&version: &u64| InstanceJson {
        state: "incompatible",
        version: Some(version),
        ..InstanceJson::default()
    };
    Document {
        schema: "stemlink.live/1",
        sessions: survey.sessions.iter().map(|one| session(survey, one, targets)).collect(),
        instances: survey.instances.iter().map(instance).chain(incompatible.iter().map(stranger)).collect(),
        what_if: prediction.map(|prediction| prediction.json(targets)),
    }
}

fn session(survey: &Survey, session: &SurveyedSession, targets: &[NormalizationTarget]) -> SessionJson {
    let id = |number: usize| survey.instances[number].id.to_string();
    let (summary, out) = (&session.summary, &survey.instances[session.output_master()].reading);
    let cause = summary.cause.as_str();
    let row = |target: &NormalizationTarget| {
        let playback = playback(out, target);
        LiveTargetJson {
            id: target.id.clone(),
            playback_gain_db: playback.and_then(|playback| Some(playback.gain?.0)),
            bound_by: playback.map(|playback| playback.bound.word()),
        }
    };
    let is_exact = summary.half_width.map(|off| off.0 == 0.0);
    SessionJson {
        session: session.id.map(|id| id.to_string()),
        master: id(session.owner),
        last_master: session.last.map(id),
        doubles: session.duplicates.iter().copied().map(id).collect(),
        heard_s: summary.heard,
        length_s: summary.part().whole.0 / 1000.0,
        coverage: summary.coverage,
        cause: (!cause.is_empty()).then(|| cause.to_owned()),
        exact: is_exact.map(|exact| exact && summary.part().is_whole()),
        exact_for_heard: is_exact,
        footnote: is_exact.filter(|exact| *exact).map(|_| EXACT_FOOTNOTE),
        uncertainty_lu: summary.half_width.map(|off| off.0),
        unlinked_share: summary.unlinked_share,
        mix: (&summary.mix).into(),
        master_out: out.into(),
        stems: session.stems.iter().copied().map(id).collect(),
        nested: session.nested.iter().copied().map(id).collect(),
        targets: targets.iter().map(row).collect(),
    }
}

fn instance(one: &SurveyedInstance) -> InstanceJson {
    let (label, pulse) = (&one.info, &one.block_status);
    let is_stem = label.kind == InstanceKind::Stem;
    let rate = Some(pulse.rate.0).filter(|&rate| rate > 0.0);
    InstanceJson {
        id: Some(one.id.to_string()),
        state: one.status.id(),
        version: None,
        kind: Some(if is_stem { "stem" } else { "master" }),
        name: Some(label.name.as_str().to_owned()),
        role: is_stem.then(|| label.role.id()),
        format: page::format(label.format),
        host: Some(label.host.as_str().to_owned()),
        pid: Some(label.process.pid),
        rate_hz: rate,
        latency_samples: Some(pulse.latency),
        playing: Some(pulse.playing),
        position_s: rate.and_then(|rate| Some(pulse.position? as f64 / rate)),
        momentary_lufs: one.reading.momentary.map(|v| v.0),
        short_term_lufs: one.reading.short_term.map(|v| v.0),
        reading: Some((&one.reading).into()),
        compressor_reduction_db: Some(pulse.compressor_reduction.0),
        limiter_reduction_db: Some(pulse.limiter_reduction.0),
        trim_db: is_stem.then_some(one.trim.0),
        session: one.session.map(|id| id.to_string()),
        in_mix: one.finding.map(|heard| heard.state.word()),
        mute_waits: one.finding.map(|heard| heard.mute_waits),
        share: one.finding.and_then(|heard| heard.share),
        gain_db: one.finding.and_then(|heard| Some(heard.gain?.0)),
        delay_samples: one.finding.and_then(|heard| heard.delay),
        chain_cost_lu: one.finding.and_then(|heard| Some(heard.chain_cost?.0)),
        inside: one.finding.and_then(|heard| Some(heard.inside?.to_string())),
    }
}
