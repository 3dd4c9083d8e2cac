//! Publication of a plugin's readings to the link, and its reaction to requests of others.
//!
//! Runs on the link's thread, a few times a second; the audio thread publishes through [`super::broadcast`].

use super::analysis::AnalysisShared;
use super::broadcast::present_settings;
use super::spectrum::{SpectrumLevels, StemSpectrum};
use super::stem_list::StemList;
use chain::ChainKind;
use link::audition::AuditionOrder;
use link::identity::InstanceId;
use link::ipc::{self, BridgeState, InstanceSource};
use link::records::{InstanceInfo, InstanceKind, PluginFormat, PresentSettings, StemReadings};
use link::remote_trim::{RemoteTrim, TrimAnswer, TrimVerdict};
use link::request::PeerRequest;
use link::summary::{MasterPlacement, SessionSummary};
use link::text::Text;
use link::{BRIDGE, PeerView, ROSTER, SessionId};
use meter::Reading;
use parking_lot::Mutex;
use plugin_core::Output;
use plugin_core::command::AnalysisCommand;
use plugin_core::context::PluginContext;
use plugin_core::document::Identity;
use plugin_core::session_view::{BandMark, FaultSource, LinkedMaster, STEM_SPECTRUM_BANDS};
use session::record::StemId;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// Hop count from which on readings are derived once a second only, since the gates pass over all hops.
const LONG_PROGRAMME_HOPS: u64 = 36_000;

/// Source of an instance's link records, and target of requests to it.
pub struct LinkPublisher<O: Output> {
    context: Arc<PluginContext<O>>,
    format: PluginFormat,
    /// The instance's view and its list of Stems, once it has joined.
    joined: OnceLock<(PeerView, Arc<StemList>)>,
    /// Random base of this instance's revisions: requests to an earlier instance with its id do not match.
    base: u64,
    answer: Mutex<Option<TrimAnswer>>,
    readings: Mutex<PublishedReadings>,
    /// The settings at a count of changes.
    present: Mutex<Option<(u64, PresentSettings)>>,
    spectrum: Mutex<StemSpectrum>,
    /// Present in a Master.
    analysis_shared: Option<Arc<AnalysisShared>>,
}

/// Readings of the last update.
#[derive(Clone, Copy, Default)]
struct PublishedReadings {
    reading: Reading,
    /// Progress of the meters when the reading was derived.
    since: u64,
    hops: u64,
    spectrum: SpectrumLevels,
}

impl<O: Output> LinkPublisher<O> {
    /// Creates the publisher of a plugin loaded in `format`; a Master passes its `analysis_shared`.
    pub fn new(
        context: Arc<PluginContext<O>>,
        format: PluginFormat,
        analysis_shared: Option<Arc<AnalysisShared>>,
    ) -> Self {
        Self {
            context,
            format,
            joined: OnceLock::new(),
            base: link::identity::unique_id().get(),
            answer: Mutex::default(),
            readings: Mutex::default(),
            present: Mutex::default(),
            spectrum: Mutex::default(),
            analysis_shared,
        }
    }

    /// Connects the publisher after the instance has joined, and saves its identity.
    pub(super) fn set_joined(&self, own_view: PeerView, stems: Arc<StemList>) {
        // an instance joins once
        let _ = self.joined.set((own_view, stems));
        self.save_identity(None);
    }

    fn own_view(&self) -> Option<PeerView> {
        self.joined.get().map(|(own_view, _)| *own_view)
    }

    /// Saves id and session in the state; the id changes if an older instance has the same one.
    fn save_identity(&self, belongs_to: Option<SessionId>) {
        let Some(id) = self.own_view().and_then(|own_view| own_view.id()) else { return };
        let session = belongs_to.map(Into::into);
        self.context.params.store.update_identity(|saved| Identity {
            instance: Some(id.into()),
            session: session.or(saved.session),
        });
    }

    fn session(&self) -> Option<SessionId> {
        self.context.params.store.identity().session.and_then(|session| SessionId::new(session.get()))
    }

    /// Finds the Master that sums this Stem, and publishes its summary to the window.
    fn update_master(&self) {
        let Some(id) = self.own_view().and_then(|own_view| own_view.id()) else { return };
        // of several, the one of the saved session, then the earliest
        let hint = self.session();
        let mut found: Option<((bool, u64), Option<SessionId>, LinkedMaster)> = None;
        for view in ROSTER.peers() {
            let Some(info) = view.info().filter(|info| info.kind == InstanceKind::Master) else { continue };
            let order = (info.session != hint, info.born);
            if found.as_ref().is_none_or(|(earlier, ..)| order < *earlier)
                && let Some(linked) = linked_master(view, id)
            {
                found = Some((order, info.session, linked));
            }
        }
        self.context.shared.set_master(found.as_ref().map(|(.., linked)| linked.clone()));
        self.save_identity(found.and_then(|(_, session, _)| session));
    }

    fn update_readings(&self) {
        let meters = &self.context.meters;
        meters.set_restart_with_play(self.context.params.store.restarts_with_play());
        let (since, hops) = meters.progress();
        let mut last = self.readings.lock();
        let pause = if hops > LONG_PROGRAMME_HOPS { 10 } else { 1 };
        if hops >= last.hops + pause || since != last.since {
            *last = PublishedReadings { reading: meters.reading(), since, hops, ..*last };
        }
        if let Some(own_view) = self.own_view() {
            last.spectrum = self.spectrum.lock().update(own_view, Instant::now());
        }
    }

    /// Publishes faults that keep other instances from being seen.
    fn report_faults(&self) {
        let (state, shared) = (BRIDGE.state(), &self.context.shared);
        let owns = self.own_view().is_none_or(|own_view| ROSTER.owns_session(own_view));
        let link = (!state.fault.is_empty()).then(|| state.fault.clone());
        shared.set_fault(FaultSource::Link, link);
        shared.set_fault(FaultSource::DoubleSession, (!owns).then(|| "This session is open twice".into()));
        shared.set_fault(FaultSource::OtherVersion, other_versions(&state));
    }

    /// The settings at this moment, by which a Master knows of changes while no audio is processed; `None` while a
    /// state is being loaded.
    fn present(&self) -> Option<PresentSettings> {
        let params = &self.context.params;
        if O::CHAIN_KIND == ChainKind::Master || params.store.is_moving() {
            return None;
        }
        let changes = params.changes();
        let mut present = self.present.lock();
        if present.is_none_or(|(known, _)| known != changes) {
            let now = present_settings(O::CHAIN_KIND, &params.settings(), params.trim(), |_| {});
            *present = Some((changes, now));
        }
        present.map(|(_, present)| present)
    }

    fn trim(&self, offset: units::Db, changes: u64) -> RemoteTrim {
        RemoteTrim { offset, revision: self.base.wrapping_add(changes), answer: *self.answer.lock() }
    }
}

/// Summary by the Master `view` of the Stem `id`; `None` if it does not know it.
fn linked_master(view: PeerView, id: InstanceId) -> Option<LinkedMaster> {
    let summary = view.summary()?;
    let stem = summary.findings().find(|stem| stem.stem == id)?;
    let name = |outer: InstanceInfo| match outer.name.as_str() {
        "" => outer.role.name().to_owned(),
        name => name.to_owned(),
    };
    Some(LinkedMaster {
        stems: summary.stems().count(),
        share: stem.share,
        inside: stem.inside.and_then(|outer| ROSTER.find(outer)?.info()).map(name),
        part: summary.part(),
        exact: summary.half_width.is_some_and(|width| width.0 == 0.0),
    })
}

impl<O: Output> InstanceSource for LinkPublisher<O> {
    fn info(&self) -> InstanceInfo {
        let kind = match O::CHAIN_KIND {
            ChainKind::Stem => InstanceKind::Stem,
            ChainKind::Master => InstanceKind::Master,
        };
        InstanceInfo {
            kind,
            format: self.format,
            role: self.context.params.store.role().unwrap_or_else(|| self.context.track.role()),
            colour: self.context.track.colour(),
            name: Text::new(&self.context.track.name()),
            session: self.session(),
            ..InstanceInfo::default()
        }
    }

    fn housekeep(&self) {
        match O::CHAIN_KIND {
            ChainKind::Stem => self.update_master(),
            ChainKind::Master => {
                self.save_identity(None);
                if let Some((_, stems)) = self.joined.get() {
                    stems.update(Instant::now());
                }
            }
        }
        self.report_faults();
        // clips that a closed window has left behind
        self.context.shared.references.free_returned();
        self.update_readings();
    }

    fn readings(&self) -> StemReadings {
        let (offset, changes) = self.context.params.store.trim_and_changes();
        let PublishedReadings { reading, spectrum, .. } = *self.readings.lock();
        // momentary and short-term loudness come with the block status
        let reading = Reading { momentary: None, short_term: None, ..reading };
        let audition = self.base.wrapping_add(self.context.shared.monitor.revision());
        let (trim, present) = (self.trim(offset, changes), self.present());
        StemReadings { reading, spectrum, trim, present, audition }
    }

    fn summary(&self) -> SessionSummary {
        let Some(analysis_shared) = &self.analysis_shared else { return SessionSummary::default() };
        let placement =
            if self.context.params.store.is_last() { MasterPlacement::Final } else { MasterPlacement::Mix };
        SessionSummary { placement, ..analysis_shared.summary() }
    }

    fn wants_audio(&self, stem: &PeerView) -> bool {
        self.analysis_shared.as_ref().is_some_and(|analysis_shared| analysis_shared.wants_audio_of(stem))
    }

    fn apply_audition(&self, order: Option<&AuditionOrder>) {
        if O::CHAIN_KIND == ChainKind::Stem {
            let number = order.map_or(0, |order| order.base.wrapping_sub(self.base));
            self.context.shared.monitor.set_audition_effect(number, order.map(|order| order.hearing));
        }
    }

    fn handle_request(&self, sender: InstanceId, request: &PeerRequest) {
        match (&self.analysis_shared, request.predicted_stem) {
            (Some(analysis_shared), Some(stem)) if request.confirms_mute => {
                analysis_shared.send_command(AnalysisCommand::ConfirmMute(StemId(stem.get())));
            }
            (Some(analysis_shared), Some(stem)) => analysis_shared.queue_query(sender, request, stem),
            (None, None) if request.resets_meters() => self.context.meters.restart_reading(),
            (None, None) => {
                let mut answer = None;
                self.context.params.store.change_trim(|offset, changes| {
                    let mut trim = self.trim(offset, changes);
                    trim.answer_request(sender, request);
                    answer = trim.answer;
                    let accepted = answer.is_some_and(|answer| answer.verdict == TrimVerdict::Accepted);
                    accepted.then_some(trim.offset)
                });
                *self.answer.lock() = answer;
            }
            (None, Some(by)) if !request.confirms_mute && request.base < STEM_SPECTRUM_BANDS as u64 => {
                let mark = BandMark { by: StemId(by.get()), band: request.base as usize };
                self.context.shared.set_mark(Some(mark));
            }
            // Masters have no trim, and Stems predict nothing
            _ => {}
        }
    }
}

/// Message that names incompatible plugin versions; `None` if there are none.
fn other_versions(state: &BridgeState) -> Option<String> {
    let mut versions: Vec<String> = state.incompatible.iter().map(u64::to_string).collect();
    versions.sort();
    versions.dedup();
    let (versions, own) = (versions.join(", "), ipc::PROTOCOL_VERSION);
    (!versions.is_empty())
        .then(|| format!("Plugins of another version are open (link {versions}, this is {own})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_to_reset_the_meters_resets_them_and_touches_no_trim() {
        use link::request::Outbox;
        use plugin_core::gauges::MeterTap;
        use plugin_core::groups::StemOutput;
        let context = Arc::<PluginContext<StemOutput>>::default();
        let mut tap = MeterTap::new(units::Hz(48_000.0), true, Arc::clone(&context.meters));
        tap.process(&[&testkit::noise(1, 48_000, 0.4)], None);
        let publisher = LinkPublisher::new(Arc::clone(&context), PluginFormat::Clap, None);
        let (me, sender) = (InstanceId::mint(), InstanceId::mint());
        let mut outbox = Outbox::new(1);
        outbox.post_meter_reset(me);
        let trim = context.params.store.trim_and_changes();
        assert!(context.meters.reading().integrated.is_some());
        outbox.requests_for(me).for_each(|request| publisher.handle_request(sender, request));
        assert_eq!(context.meters.reading(), Reading::default());
        assert_eq!(context.params.store.trim_and_changes(), trim);
        assert!(publisher.answer.lock().is_none());
    }

    #[test]
    fn a_band_that_a_master_marks_is_shown_and_one_that_does_not_exist_is_not() {
        use link::request::Outbox;
        use plugin_core::groups::StemOutput;
        let context = Arc::<PluginContext<StemOutput>>::default();
        let publisher = LinkPublisher::new(Arc::clone(&context), PluginFormat::Clap, None);
        let (me, sender, by) = (InstanceId::mint(), InstanceId::mint(), InstanceId::mint());
        for (band, expected) in [(14, Some(14)), (31, Some(14)), (u64::MAX, Some(14)), (0, Some(0))] {
            let mut outbox = Outbox::new(1);
            outbox.post_band_mark(me, by, band);
            outbox.requests_for(me).for_each(|request| publisher.handle_request(sender, request));
            let mark = context.shared.snapshot().mark;
            assert_eq!(mark.map(|mark| mark.band), expected);
            assert_eq!(mark.map(|mark| mark.by), Some(StemId(by.get())));
        }
        context.shared.set_mark(None);
        assert_eq!(context.shared.snapshot().mark, None);
    }

    #[test]
    fn each_other_version_is_named_once() {
        let state =
            |versions: &[u64]| BridgeState { incompatible: versions.to_vec(), ..BridgeState::default() };
        assert_eq!(other_versions(&state(&[])), None);
        let own = ipc::PROTOCOL_VERSION;
        let words = format!("Plugins of another version are open (link 2, 3, this is {own})");
        assert_eq!(other_versions(&state(&[2, 2, 3])), Some(words));
    }
}
