//! Session scenes of a Master: empty, waiting, five stems in the middle of a song, thirty-two stems, and faults.

use crate::scene;
use chain::ChainKind;
use editor::view_model::{MasterModel, ViewModel};
use meter::Reading;
use plugin_core::command::Proposal;
use plugin_core::session_view::{
    AnalysisResult, BusPosition, FaultSource, MasterOutcome, MoveAnswer, STEM_SPECTRUM_BANDS, SessionFault,
    SessionSnapshot, SessionTimeline, SimulatedOutput, StemCard, TimelinePoint, TimelineSong,
    TrimRequestState,
};
use session::audition::Audition;
use session::finding::RoutingFinding;
use session::heard_part::WholeInterval;
use session::playback::{playback, sentence};
use session::predict::{Certainty, Move};
use session::prediction::{MovePrediction, PlatformChange};
use session::range_report::{PeakBounds, RangeProgress};
use session::record::{HopStatus, StemId};
use session::role::Role;
use session::session_report::{PlatformReport, SessionReport, StemReport, StemState};
use session::stem_status::StemStatus;
use session::target::builtin;
use std::sync::Arc;
use units::{Db, Dbtp, Lu, Lufs, Ms};

/// A Master just inserted, without Stems.
pub fn empty() -> ViewModel {
    let master = MasterModel { targets: builtin(), ..MasterModel::default() };
    ViewModel {
        chain_kind: ChainKind::Master,
        class: ChainKind::Master.default_class(),
        master,
        ..scene::empty()
    }
}

/// The published session of `model`, to be changed.
pub fn snapshot(model: &mut ViewModel) -> &mut SessionSnapshot {
    Arc::make_mut(&mut model.snapshot)
}

/// The analysis of `model`, to be changed; `None` before anything was heard.
pub fn analysis(model: &mut ViewModel) -> Option<&mut AnalysisResult> {
    snapshot(model).analysis.as_mut().map(Arc::make_mut)
}

fn reading(short: f64, integrated: f64, peak: f64) -> Reading {
    Reading {
        momentary: Some(Lufs(short + 0.7)),
        short_term: Some(Lufs(short)),
        integrated: Some(Lufs(integrated)),
        momentary_max: Some(Lufs(short + 2.4)),
        short_term_max: Some(Lufs(short + 1.1)),
        range: Some(Lu(4.8)),
        true_peak: Some(Dbtp(peak)),
        ..Reading::default()
    }
}

/// A stem as a Master sees it.
fn card(id: u64, name: &str, role: Role, [short, integrated, peak, reduction, trim]: [f64; 5]) -> StemCard {
    let centre = match role {
        Role::Drums => 8.0,
        Role::Bass => 5.0,
        Role::Keys => 14.0,
        Role::Vocals | Role::Backing => 18.0,
        _ => 22.0,
    };
    let level = |band: usize| Some(Db(integrated - 0.22 * (band as f64 - centre).powi(2)));
    StemCard {
        id: StemId(id),
        name: name.into(),
        colour: None,
        role,
        status: StemStatus::Live,
        inside: None,
        reading: reading(short, integrated, peak),
        reduction: Db(reduction),
        trim: Db(trim),
        revision: 100 + id,
        request: TrimRequestState::None,
        bypassed: false,
        listens: false,
        audition: 200 + id,
        spectrum: core::array::from_fn::<_, STEM_SPECTRUM_BANDS, _>(level),
    }
}

fn found(id: u64, share: f64, cost: f64) -> StemReport {
    StemReport {
        id: StemId(id),
        state: StemState::InTheMix,
        share: Some(share),
        gain: Some(Db(-1.5)),
        matrix: None,
        gain_spread: Db(0.0),
        delay: 0,
        reading: Reading::default(),
        chain_cost: Some(Lu(cost)),
    }
}

fn stems() -> Vec<StemCard> {
    vec![
        card(1, "Drums", Role::Drums, [-13.6, -14.0, -2.1, 1.1, 0.0]),
        card(2, "Bass", Role::Bass, [-16.2, -16.5, -6.0, 0.6, -0.5]),
        card(3, "Keys", Role::Keys, [-17.9, -18.1, -5.5, 0.0, 0.0]),
        card(4, "Lead Vocals", Role::Vocals, [-11.8, -12.2, -3.2, 1.4, 0.0]),
        card(5, "FX", Role::Fx, [-22.4, -23.0, -9.7, 0.0, 1.0]),
    ]
}

/// A mix that enters the Master, and what leaves it.
const INTO: (f64, f64) = (-9.3, 0.4);
const OUT: (f64, f64) = (-9.1, -1.0);

fn mix((integrated, peak): (f64, f64)) -> Reading {
    reading(integrated + 0.7, integrated, peak)
}

/// Stems are linked, nothing was played.
pub fn waiting() -> ViewModel {
    let mut model = empty();
    snapshot(&mut model).stems = stems();
    for stem in &mut snapshot(&mut model).stems {
        stem.reading = Reading::default();
        stem.reduction = Db(0.0);
        stem.spectrum = [None; STEM_SPECTRUM_BANDS];
    }
    model
}

/// Five stems, so many seconds of a song of 3:12 heard.
pub fn heard(seconds: f64) -> ViewModel {
    let mut model = ViewModel { name: "Mix Bus".into(), ..waiting() };
    snapshot(&mut model).stems = stems();
    model.reading = Reading { psr: Some(Db(8.0)), ..mix(OUT) };
    model.recent = scene::vocals().recent;
    model.song = Arc::new(scene::history(Ms(0.0), (seconds * 10.0) as usize));
    model.peaks = [Some(Dbtp(-1.0)), Some(Dbtp(-1.2))];
    model.heard = Ms(seconds * 1000.0);
    model.health.limiter_reduction = Db(2.6);
    model.picture = scene::vocals().picture;
    model.picture.reductions.iter_mut().for_each(|r| *r = [0.0, 1.87 * r[0]]);
    model.picture.highest_reductions = [0.0, 5.6];
    let progress = RangeProgress { all: 1920, heard: (seconds * 10.0) as usize, ..RangeProgress::default() };
    let shares = [(1, 0.24, 0.2), (2, 0.13, -0.1), (3, 0.12, 0.0), (4, 0.46, 0.9), (5, 0.05, 0.0)];
    let session = SessionReport {
        progress,
        mix: mix(INTO),
        loudest_peak: Some(StemId(1)),
        coverage: Some(0.999_986),
        unlinked_share: Some(0.0),
        inseparable: None,
        findings: Vec::new(),
        unconfirmed_mutes: Vec::new(),
        stems: shares.map(|(id, share, cost)| found(id, share, cost)).into(),
        nested: Vec::new(),
        left_out: Vec::new(),
        platforms: Vec::new(),
    };
    let names = session.stems.iter().map(|stem| model.snapshot.name(stem.id).to_owned()).collect();
    snapshot(&mut model).analysis = Some(Arc::new(AnalysisResult {
        session,
        listening: false,
        names,
        proposal: None,
        prediction: None,
        simulated: None,
        landing: None,
        timeline: timeline(seconds),
    }));
    model.master.platforms = platforms(&model.reading);
    model.playhead = Some(Ms(seconds * 1000.0));
    model.master.looped = Some((Ms(60_000.0), Ms(150_000.0)));
    model
}

fn platforms(reading: &Reading) -> Vec<PlatformReport> {
    let of = |target: &session::target::NormalizationTarget| PlatformReport {
        id: target.id.clone(),
        playback: playback(reading, target),
        sentence: sentence(reading, target, Some("Drums")),
    };
    builtin().iter().map(of).collect()
}

fn timeline(seconds: f64) -> SessionTimeline {
    let point = |n: usize| {
        let at = n as f64 * 0.1;
        let level = -10.0 + 2.0 * (at * 0.26).sin() + (at * 7.3).sin()
            - if at < 24.0 {
                9.0
            } else if (70.0..95.0).contains(&at) {
                4.0
            } else {
                0.0
            };
        let heard = at < seconds;
        let mark = match at {
            at if !heard && at >= 0.0 => HopStatus::Unheard,
            at if (40.0..47.0).contains(&at) => HopStatus::Auditioned,
            at if (100.0..118.0).contains(&at) => HopStatus::OldSettings,
            _ => HopStatus::Heard,
        };
        let figure = |x: f64| heard.then_some(x);
        TimelinePoint {
            mark,
            short_term: figure(level).map(Lufs),
            integrated: figure(-9.3 - 4.0 * (-at / 30.0).exp()).map(Lufs),
            reduction: figure((level + 10.5).max(0.0)).map(Db),
        }
    };
    SessionTimeline {
        start: Ms(0.0),
        step: Ms(100.0),
        points: (0..1920).map(point).collect(),
        songs: Vec::new(),
        loudest: (seconds >= 30.0).then_some((Ms(120_000.0), Ms(140_000.0))),
    }
}

/// Five stems, nearly all of the song heard.
pub fn five() -> ViewModel {
    heard(167.0)
}

/// The same with solo, mute and bypass in use.
pub fn heard_otherwise() -> ViewModel {
    let mut model = five();
    let ways = [(1, Audition::Solo), (4, Audition::Solo), (4, Audition::Bypass), (2, Audition::Mute)];
    ways.iter().for_each(|(id, way)| snapshot(&mut model).auditions.toggle(StemId(*id), *way));
    model
}

/// Complete checklist: all was heard, nothing is open.
pub fn finished() -> ViewModel {
    let mut model = heard(192.0);
    model.master.placement = BusPosition::Final;
    if let Some(known) = analysis(&mut model) {
        known.timeline.points.iter_mut().for_each(|point| point.mark = HopStatus::Heard);
    }
    model.master.songs = vec![song("First Light", 0.0, 90.0, -9.6), song("Second Wind", 95.0, 192.0, -8.8)];
    scene::set(&mut model.settings, "lim_on", "on");
    model
}

/// A song of an album, all of it heard.
pub fn song(name: &str, from: f64, to: f64, integrated: f64) -> TimelineSong {
    TimelineSong {
        name: name.into(),
        start: Ms(from * 1000.0),
        end: Ms(to * 1000.0),
        integrated: Some(Lufs(integrated)),
        heard: Ms((to - from) * 1000.0),
    }
}

/// Nothing is played after a part of the song: no current levels.
pub fn paused() -> ViewModel {
    let mut model = heard(48.0);
    for stem in &mut snapshot(&mut model).stems {
        (stem.reading.short_term, stem.reading.momentary, stem.reduction) = (None, None, Db(0.0));
        stem.status = StemStatus::Asleep;
    }
    (model.reading.short_term, model.reading.momentary) = (None, None);
    model.playhead = None;
    model
}

/// Thirty-two stems, some of them inside others.
pub fn thirty_two() -> ViewModel {
    let mut model = five();
    let roles = Role::ALL;
    snapshot(&mut model).stems = (0..32)
        .map(|n| {
            let role = roles[n as usize % roles.len()];
            let x = n as f64;
            let mut one = card(
                n + 1,
                &format!("{} {}", role.name(), n + 1),
                role,
                [-20.0 - x / 4.0, -21.0 - x / 4.0, -8.0, 0.0, 0.0],
            );
            one.inside = (n % 8 == 3).then_some(StemId(n));
            one
        })
        .collect();
    let stems = (1..=32).map(|id| found(id, 1.0 / 32.0 + (id as f64 - 16.5) / 1000.0, 0.1)).collect();
    if let Some(AnalysisResult { session, .. }) = analysis(&mut model) {
        session.stems = stems;
    }
    model
}

/// Broken, unresponsive and foreign links; an incomplete coverage; a question to the user.
pub fn lost() -> ViewModel {
    let mut model = heard(75.0);
    snapshot(&mut model).stems[0].status = StemStatus::Gone;
    snapshot(&mut model).stems[1].status = StemStatus::NotResponding;
    snapshot(&mut model).stems[4].status = StemStatus::OtherSession;
    snapshot(&mut model).stems[3].listens = true;
    snapshot(&mut model).stems[2].bypassed = true;
    let mut old = card(6, "Old Strings", Role::Keys, [-20.0, -21.0, -8.0, 0.0, 0.0]);
    old.status = StemStatus::OtherRate;
    snapshot(&mut model).stems.push(old);
    if let Some(AnalysisResult { session, .. }) = analysis(&mut model) {
        session.coverage = Some(0.962_4);
        session.unlinked_share = Some(0.31);
        session.findings = vec![RoutingFinding::Returns { stem: 3, coherence: 0.62 }];
    }
    snapshot(&mut model).faults = vec![SessionFault {
        source: FaultSource::Link,
        text: "Other processes are not seen: /run/user/1000 cannot be written".into(),
    }];
    model.health.sanitized = 3;
    model
}

/// Long names, large figures, everything that is wide, and a question about a mute.
pub fn crowded() -> ViewModel {
    let mut model = five();
    model.name = "Mix Bus With A Very Long Name (printed 2026-11-22)".into();
    for stem in &mut snapshot(&mut model).stems {
        stem.name = format!("{} Double Left High Octave (comped, printed)", stem.name);
        stem.reading = reading(-101.2, -88.8, 12.3);
        stem.reduction = Db(18.4);
        stem.trim = Db(-23.5);
    }
    snapshot(&mut model).stems[1].inside = Some(StemId(1));
    snapshot(&mut model).stems[2].request = TrimRequestState::Asked(Db(-12.5));
    snapshot(&mut model).stems[3].request = TrimRequestState::Refused;
    model.reading.integrated = Some(Lufs(-101.2));
    model.reading.true_peak = Some(Dbtp(1.3));
    model.heard = Ms(3_725_000.0);
    snapshot(&mut model).has_final = true;
    if let Some(AnalysisResult { session, .. }) = analysis(&mut model) {
        session.stems.iter_mut().for_each(|stem| {
            stem.share = Some(-0.42);
            stem.chain_cost = Some(Lu(-12.5));
        });
        session.coverage = Some(0.5);
        session.unconfirmed_mutes = vec![StemId(3)];
    }
    model.class = model.classes.last().map_or(model.class, |(class, _)| *class);
    model.latency = 12_345;
    model.notice = Some("saved as stemlink.stem/1, this is stemlink.master/1".into());
    model
}

/// The answer that a Master would give: a made-up mix of which the stem's share is that of the scene.
pub fn answer(model: &ViewModel, of: Proposal) -> Option<MoveAnswer> {
    let session = model.snapshot.session()?;
    let index = session.stems.iter().position(|stem| stem.id == of.stem)?;
    let share = session.stems[index].share?;
    let more = share * of.gain.0;
    let (before, after) = (mix(INTO), mix((INTO.0 + more, INTO.1)));
    let exchanges = |before: &Reading, after: &Reading| -> Vec<PlatformChange> {
        let single = Some((model.snapshot.name(of.stem), of.gain));
        builtin().iter().map(|target| PlatformChange::new(before, after, target, single)).collect()
    };
    let certainty = if session.is_trusted() { Certainty::Exact } else { Certainty::Estimate(Lu(0.34)) };
    let (out_before, out_after) = (mix(OUT), mix((OUT.0 + more * 0.25, OUT.1)));
    Some(MoveAnswer {
        proposal: of,
        input: MovePrediction {
            moves: vec![Move { source: index, gain: of.gain }],
            expected: Vec::new(),
            certainty,
            progress: session.progress,
            whole: (session.progress.heard < session.progress.all).then_some(WholeInterval {
                change: [Lu(0.6 * more), Lu(1.2 * more)],
                after: [Lufs(-9.6), Lufs(-8.8)],
            }),
            before,
            after,
            peak: PeakBounds { low: Some(Dbtp(-0.2)), high: Some(Dbtp(0.9)), loudest_stem: Some(0) },
            returns_not_included: certainty != Certainty::Exact,
            surprise: None,
            platform_changes: exchanges(&before, &after),
        },
        output: MasterOutcome::Simulated(Box::new(SimulatedOutput {
            length: Ms(20_000.0),
            half_width: Lu(0.05),
            before: out_before,
            after: out_after,
            platform_changes: exchanges(&out_before, &out_after),
        })),
    })
}
