//! Causes of what the stems do not explain, and remarks on how they arrive.

use super::{PlacementState, StemPlacement, StemRouting, chain_latency};
use crate::analysis::backlog::{Backlog, TrackRange};
use crate::lag::misalignments;
use link::identity::InstanceId;
use session::finding::{Excerpt, RoutingFinding, doubled_gain, findings};
use session::record::Recorder;
use units::Hz;

/// Search range for a second arrival, seconds.
const ECHO_REACH_SECONDS: f64 = 0.25;

impl StemRouting {
    /// Updates the findings; those that two reviews in a row have found are published. `window`: stretch of the mix in
    /// which the stems leave something.
    pub(super) fn find_causes(
        &mut self,
        backlog: &Backlog,
        rate: Hz,
        recorder: &Recorder,
        window: Option<(TrackRange, usize)>,
    ) {
        let found = match window {
            Some(window) => self.find_residual_causes(backlog, rate, recorder, window),
            None => find_doubled_stems(recorder),
        };
        let agrees = |one: &&RoutingFinding| self.seen.iter().any(|other| one.is_same_cause(other));
        self.findings = found.iter().filter(agrees).copied().collect();
        // two looks have agreed on these
        let master_latency = backlog.mix().and_then(|mix| chain_latency(mix.view())).unwrap_or(0);
        self.findings.extend(self.find_late_stems(recorder, master_latency));
        self.findings.extend(self.find_ambiguous_stems(recorder));
        self.seen = found;
    }

    /// Searches the causes of an incomplete mix.
    fn find_residual_causes(
        &self,
        backlog: &Backlog,
        rate: Hz,
        recorder: &Recorder,
        (window, length): (TrackRange, usize),
    ) -> Vec<RoutingFinding> {
        let Some(last) = recorder.recent().len().checked_sub(1) else { return Vec::new() };
        let live = recorder.live_report();
        let fit = &live.fitted_range.fit;
        let wide = |side: &Vec<f32>| side.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
        let of = |id: u64| {
            let id = InstanceId::new(id)?;
            backlog.stem(id)?;
            let (output, _) = backlog.around(id, window.position - self.delay(id), length);
            Some(output.each_ref().map(wide))
        };
        let stems: Option<Vec<_>> = recorder.members().iter().map(|member| of(member.id.0)).collect();
        let Some(stems) = stems else { return Vec::new() };
        let mix = backlog.mix_at(window, length).each_ref().map(wide);
        let excerpt = Excerpt {
            mix: [&mix[0], &mix[1]],
            stems: stems.iter().map(|[left, right]| [left.as_slice(), right.as_slice()]).collect(),
        };
        let reach = (ECHO_REACH_SECONDS * rate.0) as usize;
        findings(&excerpt, fit.arrivals(last), &[], fit.inseparable(), reach)
    }

    /// Stems that repeat exactly, so that another delay fits as well. The last of all causes: no figure depends on it.
    fn find_ambiguous_stems(&self, recorder: &Recorder) -> Vec<RoutingFinding> {
        let ambiguous = |(stem, id): (usize, u64)| {
            let placement = self.placements.iter().find(|placement| placement.id.get() == id)?;
            let placed = placement.state == PlacementState::Placed;
            let rival = placement.rival.filter(|_| placed)?;
            Some(RoutingFinding::Ambiguous { stem, delay: placement.delay, rival })
        };
        let members = recorder.members().iter().map(|member| member.id.0).enumerate();
        members.filter_map(ambiguous).collect()
    }

    /// Stems whose delay, without the latency of their chains, differs from the most frequent one and cannot come from
    /// the host's compensation.
    fn find_late_stems(&self, recorder: &Recorder, master_latency: i64) -> Vec<RoutingFinding> {
        let lag = |id: u64| {
            let is_it = |placement: &&StemPlacement| {
                placement.id.get() == id && placement.state == PlacementState::Placed
            };
            let placement = self.placements.iter().find(is_it)?;
            Some(placement.delay + chain_latency(placement.view)?)
        };
        let lags: Vec<Option<i64>> = recorder.members().iter().map(|member| lag(member.id.0)).collect();
        let late = misalignments(&lags, master_latency).into_iter().enumerate();
        late.filter(|(_, delay)| *delay != 0)
            .map(|(stem, delay)| RoutingFinding::Late { stem, delay })
            .collect()
    }
}

/// Stems that arrive with doubled gain while the stems explain the whole mix.
fn find_doubled_stems(recorder: &Recorder) -> Vec<RoutingFinding> {
    let Some(last) = recorder.recent().len().checked_sub(1) else { return Vec::new() };
    let live = recorder.live_report();
    let arrivals = live.fitted_range.fit.arrivals(last).iter().enumerate();
    arrivals.filter_map(|(stem, arrival)| doubled_gain(stem, arrival)).collect()
}
