//! Results of the analysis for the window and the link: report, prediction, summary.

use super::history::session_timeline;
use super::landing::LandingSearch;
use super::simulation::loudness_out;
use super::{MasterAnalysis, PredictionQuery};
use crate::export::chain_settings;
use chain::{ChainKind, ChainSettings};
use link::ROSTER;
use link::identity::InstanceId;
use link::status::{StemStatus, Viewpoint};
use link::summary::{Forecast, SessionSummary, StemFinding};
use link::text::Text;
use meter::loudness::{hop_frames, integrated};
use plugin_core::Output;
use plugin_core::command::Proposal;
use plugin_core::document::songs::SongRange;
use plugin_core::landing::{Landing, LandingFault, LandingRequest};
use plugin_core::session_view::{AnalysisResult, HOP_LENGTH, SessionTimeline, SimulatedLoudness};
use session::finding::RoutingFinding;
use session::heard_part::HeardPart;
use session::predict::{Certainty, Move};
use session::prediction::{Follower, MovePrediction, predict_moves};
use session::range_report::{HopRange, RangeReport};
use session::record::StemId;
use session::session_report::SessionReport;
use session::timeline::HopIndex;
use std::time::{Duration, Instant};
use units::{Db, Lu, Ms};

/// Move whose certainty is published when no query waits.
const REFERENCE_MOVE: Db = Db(1.0);
/// Time for which a report is kept after a question: the next one is likely to come soon, as from a fader that is moved.
const REPORT_KEPT: Duration = Duration::from_secs(10);

/// Report on everything that was recorded, at one moment.
pub(super) struct ReportedSession {
    heard: RangeReport,
    session: SessionReport,
    timeline: SessionTimeline,
    /// Time of the last question.
    asked: Instant,
}

impl ReportedSession {
    /// True if no question has come for a while.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        now > self.asked + REPORT_KEPT
    }
}

impl<O: Output> MasterAnalysis<O> {
    /// Reports on everything that was recorded.
    fn report_session(&self) -> ReportedSession {
        let range = self.recorder.extent().map_or(0..0, |(first, last)| first..last + 1);
        let mut heard = self.recorder.report(range.clone());
        let songs = self.context.params.store.songs();
        heard.progress.all = self.song_length(&range, &songs);
        let timeline = session_timeline(&self.recorder, &heard, &range, (&self.reductions, &songs));
        let members = heard.members();
        let delays: Vec<i64> = members
            .iter()
            .map(|member| InstanceId::new(member.id.0).map_or(0, |id| self.stem_routing.delay(id)))
            .collect();
        let findings = self.stem_routing.findings().to_vec();
        let mut session =
            SessionReport::new(&self.recorder, &heard, &delays, findings, &self.targets, Self::stem_name);
        state_one_share(&mut session);
        self.add_lost_stems(&mut session);
        ReportedSession { heard, session, timeline, asked: Instant::now() }
    }

    /// Reports on everything that was recorded, answers `query` and the window's proposal, and publishes the results, all
    /// of one moment. Without news the last report still holds.
    pub(super) fn publish_results(&mut self, query: Option<&PredictionQuery>) {
        if std::mem::take(&mut self.has_news) {
            self.reported = None;
        }
        let reported = self.reported.take().unwrap_or_else(|| self.report_session());
        let ReportedSession { heard, session, timeline, .. } = &reported;
        let proposed = self.proposed_query().and_then(|query| {
            let (answered, predicted) = self.forecast_move(heard, session, &query);
            predicted.map(|predicted| (predicted, simulated_out(&answered)))
        });
        let (prediction, simulated) = proposed.unzip();
        let proposal = self.proposal.filter(|_| prediction.is_some());
        let forecast = query.map(|query| self.forecast_move(heard, session, query).0);
        let members = heard.members().iter().map(|member| member.id);
        let names: Vec<String> =
            members.chain(session.left_out.iter().copied()).map(Self::stem_name).collect();
        self.publish_summary(session, heard, &names, forecast);
        if let Some(request) = self.landing_request.take() {
            self.landing = Some(self.land(heard, request));
        }
        self.context.shared.set_analysis(AnalysisResult {
            session: session.clone(),
            listening: self.stem_routing.is_listening(),
            names,
            proposal,
            prediction,
            simulated: simulated.flatten(),
            landing: self.landing,
            timeline: timeline.clone(),
        });
        let is_asked = query.is_some() || self.proposal.is_some();
        self.reported = is_asked.then(|| ReportedSession { asked: Instant::now(), ..reported });
    }

    /// Adds the stems that sound and are found nowhere, as far as no other session has them.
    fn add_lost_stems(&self, session: &mut SessionReport) {
        if self.stem_routing.is_listening() {
            return;
        }
        let viewpoint = Viewpoint::new(&ROSTER, self.view);
        let is_ours = |id: &InstanceId| {
            ROSTER.find(*id).is_some_and(|view| viewpoint.status(view, |_| false) != StemStatus::OtherSession)
        };
        for id in self.stem_routing.lost().into_iter().filter(is_ours) {
            let stem = session.stems.len() + session.left_out.len();
            session.left_out.push(StemId(id.get()));
            session.findings.push(RoutingFinding::NotFound { stem });
        }
    }

    /// Returns the length of the song, hops: of the timeline that was played, and of the saved songs in it.
    fn song_length(&self, range: &HopRange, songs: &[SongRange]) -> usize {
        let (first, last) = self.recorder.played().unwrap_or((range.start, range.end - 1));
        let mut whole = range.start.min(first)..range.end.max(last + 1);
        if range.is_empty() {
            whole = first..last + 1;
        }
        let played = whole.clone();
        let hop = |seconds: f64| (seconds * 1000.0 / HOP_LENGTH.0).round() as HopIndex;
        for song in songs.iter().map(|song| hop(song.start)..hop(song.end)) {
            if song.start < played.end && played.start < song.end {
                whole = whole.start.min(song.start)..whole.end.max(song.end);
            }
        }
        (whole.end - whole.start).max(0) as usize
    }

    /// Estimates the level that lands on a loudness.
    fn land(&self, heard: &RangeReport, request: LandingRequest) -> Result<Landing, LandingFault> {
        let settings = self.context.params.settings();
        let into = heard.fitted_range.sources.powers(&vec![1.0; heard.members().len() + 1]);
        integrated(&into).ok_or(LandingFault::NothingHeard)?;
        let search = LandingSearch {
            settings: &settings,
            into: &into,
            rate: self.rate,
            pass: |settings: &ChainSettings| {
                self.windows.pass_all(heard, (settings, self.class, self.rate), &self.stop)
            },
        };
        search.find(request)
    }

    /// Returns the move that the window considers.
    fn proposed_query(&self) -> Option<PredictionQuery> {
        let Proposal { stem, gain } = self.proposal?;
        let (sender, stem) = (self.view.id()?, InstanceId::new(stem.0)?);
        Some(PredictionQuery { sender, counter: 0, stem, gain, arrived: Instant::now() })
    }

    /// Predicts the loudness after a move, into the Master and, if its chain reacts, out of it.
    fn forecast_move(
        &self,
        heard: &RangeReport,
        session: &SessionReport,
        query: &PredictionQuery,
    ) -> (Forecast, Option<MovePrediction>) {
        let PredictionQuery { sender, counter, stem, gain, .. } = *query;
        // what contains a nested stem is taken apart
        let outer = self.recorder.outer_stems(StemId(stem.get()));
        let mut apart = self.recorder.nested_report(heard.range(), StemId(stem.get()));
        if let Some(apart) = &mut apart {
            apart.progress.all = heard.progress.all;
        }
        let is_nested = apart.is_some();
        let heard = apart.as_ref().unwrap_or(heard);
        let part = HeardPart::from(heard.progress);
        let mut forecast = Forecast {
            sender,
            counter,
            stem,
            gain,
            into_master: None,
            peak: [None; 2],
            half_width: Lu(0.0),
            returns_not_included: false,
            out_of_master: None,
            simulated_half_width: Lu(0.0),
            simulated_seconds: 0.0,
            heard: part.heard.0 / 1000.0,
            length: part.whole.0 / 1000.0,
            coverage: session.coverage,
            whole: None,
        };
        let source = heard.members().iter().position(|member| member.id.0 == stem.get());
        let Some(source) = source else { return (forecast, None) };
        let name =
            |stem: usize| Self::stem_name(heard.members().get(stem).map_or(StemId(0), |member| member.id));
        let followers = if outer.is_empty() { self.followers(heard) } else { Vec::new() };
        let mut prediction = predict_moves(heard, &[Move { source, gain }], &followers, &self.targets, name);
        if heard.is_bus_processing() {
            prediction.allow_bus_processing();
        }
        if outer.into_iter().any(reacts) {
            let summed = self.recorder.members();
            let is_nested = |&source: &usize| !summed.contains(&heard.members()[source]);
            let passing: Vec<usize> = (0..heard.members().len()).filter(is_nested).collect();
            prediction.allow_reaction(heard, &passing);
        }
        let half_width = prediction.certainty.half_width();
        // of a stem that was heard with other settings only, no move can be predicted
        let is_known = is_nested || session.stems.get(source).is_some_and(|stem| stem.share.is_some());
        if half_width.0.is_finite() && is_known {
            forecast.into_master =
                prediction.before.integrated.zip(prediction.after.integrated).map(|(a, b)| [a, b]);
            forecast.half_width = half_width;
            forecast.whole = prediction.whole;
        }
        forecast.peak = [prediction.before.true_peak, prediction.peak.high];
        forecast.returns_not_included = prediction.returns_not_included;
        let settings = self.context.params.settings();
        // unlinked sources were not captured: moves of them cannot be simulated
        let stems = heard.members().len();
        let captured = prediction.moves.iter().all(|one| one.source < stems);
        if let Some(into) = forecast.into_master.filter(|_| captured && !settings.is_plain_delay())
            && let chain = (&settings, self.class, self.rate)
            && let Some(simulated) = self.windows.simulate(heard, &prediction.expected, chain, &self.stop)
        {
            forecast.out_of_master = Some(loudness_out(into, &simulated));
            forecast.simulated_half_width = simulated.half_width + half_width;
            forecast.simulated_seconds = simulated.seconds;
        }
        (forecast, Some(prediction).filter(|_| is_known))
    }

    /// Returns the user's statement that the unlinked residual follows a stem, if there is one.
    fn followers(&self, heard: &RangeReport) -> Vec<Follower> {
        let members = heard.members();
        let follows = self.context.shared.snapshot().follows;
        let stem = follows.and_then(|id| members.iter().position(|member| member.id == id));
        stem.map(|stem| Follower { follower: members.len(), stem }).into_iter().collect()
    }

    fn publish_summary(
        &self,
        session: &SessionReport,
        heard: &RangeReport,
        names: &[String],
        forecast: Option<Forecast>,
    ) {
        let name = |stem: usize| names.get(stem).cloned().unwrap_or_default();
        let hop = hop_frames(self.rate) as f64 / self.rate.0.max(1.0);
        let cause = session.findings.first().map(|finding| finding.sentence(name)).unwrap_or_default();
        let mut summary = SessionSummary {
            coverage: session.coverage,
            cause: Text::new(&cause),
            half_width: reference_half_width(heard),
            heard: session.progress.heard as f64 * hop,
            length: session.progress.all as f64 * hop,
            mix: session.mix,
            loudest_peak: session.loudest_peak.and_then(|stem| InstanceId::new(stem.0)),
            unlinked_share: session.unlinked_share,
            forecast: forecast.or(self.analysis_shared.summary().forecast),
            ..SessionSummary::default()
        };
        for stem in &session.stems {
            let Some(id) = InstanceId::new(stem.id.0) else { continue };
            summary.push_stem(StemFinding {
                stem: id,
                inside: None,
                state: stem.state,
                share: stem.share,
                gain: stem.gain.filter(|gain| gain.0.is_finite()),
                matrix: stem.matrix.filter(|rows| rows.as_flattened().iter().all(|x| x.is_finite())),
                delay: stem.matrix.map(|_| stem.delay),
                chain_cost: stem.chain_cost,
                mute_waits: session.unconfirmed_mutes.contains(&stem.id),
            });
        }
        for nested in &session.nested {
            let Some(id) = InstanceId::new(nested.id.0) else { continue };
            summary.push_stem(StemFinding {
                stem: id,
                inside: InstanceId::new(nested.inside.0),
                state: nested.state,
                share: None,
                gain: None,
                matrix: None,
                delay: Some(self.stem_routing.delay(id)),
                chain_cost: None,
                mute_waits: false,
            });
        }
        *self.analysis_shared.summary.lock() = summary;
    }
}

/// True if the chain of a Stem may react to the level of what passes, or if its settings are not known.
fn reacts(stem: StemId) -> bool {
    let settings = InstanceId::new(stem.0).and_then(|id| ROSTER.find(id)?.settings());
    settings
        .and_then(|settings| chain_settings(ChainKind::Stem, &settings))
        .is_none_or(|chain| chain.reacts())
}

/// States the unlinked share that goes with the coverage: both are of all that was heard.
fn state_one_share(session: &mut SessionReport) {
    let left = session.coverage.map(|coverage| 1.0 - coverage);
    for finding in &mut session.findings {
        if let (RoutingFinding::Unlinked { share }, Some(left)) = (finding, left) {
            *share = left;
        }
    }
}

/// Simulated loudness of an answer, for the window.
fn simulated_out(forecast: &Forecast) -> Option<SimulatedLoudness> {
    Some(SimulatedLoudness {
        ends: forecast.out_of_master?,
        half_width: forecast.simulated_half_width,
        length: Ms(forecast.simulated_seconds * 1000.0),
    })
}

/// Widest uncertainty of [`REFERENCE_MOVE`] over all stems; `None` before it is finite.
fn reference_half_width(heard: &RangeReport) -> Option<Lu> {
    heard.reading().integrated?;
    let one = |source| match heard.fitted_range.certainty(&[Move { source, gain: REFERENCE_MOVE }]) {
        Certainty::Exact => Lu(0.0),
        Certainty::Estimate(half_width) => half_width,
    };
    let widest = (0..heard.members().len()).map(|source| one(source).0).reduce(f64::max)?;
    widest.is_finite().then_some(Lu(widest))
}
