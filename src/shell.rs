//! What both plugins share: parameters, published gauges, the engine, and the order in which hosts call.

use super::analysis::{AnalysisShared, AnalysisWorker, MasterAnalysis};
use super::broadcast::{Broadcast, TransportPosition};
use super::engine::Engine;
use super::link_publisher::LinkPublisher;
use super::session_link::PluginLink;
use super::stem_list::StemList;
use chain::parameters::Parameter;
use chain::{ChainKind, LatencyClass};
use link::records::PluginFormat;
use link::stem_aligner::StemAligner;
use link::{BRIDGE, InstanceId, ROSTER, SessionId, hop_queue};
use meter::loudness::MIN_RATE as LOWEST_RATE_WITH_LOUDNESS;
use nice_plug::prelude::{
    ActivateContext, AudioIOLayout, AuxiliaryBuffers, Buffer, BufferConfig, Params, Plugin, PluginApi,
    PluginState, ProcessContext, ProcessMode, ProcessStatus, RemoteControlsContext, RemoteControlsPage,
    RemoteControlsSection,
};
use plugin_core::Output;
use plugin_core::command::SessionLink;
use plugin_core::context::PluginContext;
use plugin_core::control::Control;
use plugin_core::document;
use plugin_core::groups::Visitor;
use plugin_core::track::Track;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use units::Hz;

/// The lowest rate that is not a host's mistake.
const LOWEST_RATE: f32 = 1000.0;

/// A plugin without its names.
pub struct Shell<O: Output> {
    /// Shared with its window.
    context: Arc<PluginContext<O>>,
    /// Its end of the link, from the first activation on.
    link: Option<Arc<dyn SessionLink>>,
    /// A Master's analysis, from the first activation on; its thread runs while the host has it active.
    analysis: Option<AnalysisWorker<O>>,
    /// States that had been loaded when listening was last looked at.
    loads: u64,
    /// `None` until the host activates.
    engine: Option<Engine>,
    /// Frames that sound after the input has ended.
    tail: u32,
    restart_asked: bool,
}

impl<O: Output> Default for Shell<O> {
    fn default() -> Self {
        Self {
            context: Arc::default(),
            link: None,
            analysis: None,
            loads: 0,
            engine: None,
            tail: 0,
            restart_asked: false,
        }
    }
}

impl<O: Output> Shell<O> {
    /// The track that the host has put the plugin on.
    pub fn track(&self) -> &Track {
        &self.context.track
    }

    /// The parameters, for the host.
    pub(super) fn params(&self) -> Arc<dyn Params> {
        Arc::clone(&self.context.params) as Arc<dyn Params>
    }

    /// The window, not yet opened.
    pub(super) fn editor(&self, name: &str) -> Option<editor::Editor<O>> {
        Some(editor::editor(name, Arc::clone(&self.context)))
    }

    /// Lets only good states through; what even makes the gate panic has no effect either.
    pub(super) fn filter_state(state: &mut PluginState) {
        if catch_unwind(AssertUnwindSafe(|| document::validate_state(O::CHAIN_KIND, state))).is_err() {
            state.params.clear();
            state.fields.clear();
        }
    }

    /// Makes the engine for what the host offers and tells it the latency; false if that cannot be.
    pub(super) fn activate<P: Plugin>(
        &mut self,
        layout: &AudioIOLayout,
        config: &BufferConfig,
        context: &mut impl ActivateContext<P>,
    ) -> bool {
        if !(config.sample_rate >= LOWEST_RATE && config.sample_rate.is_finite()) {
            return false;
        }
        let rate = Hz(f64::from(config.sample_rate));
        let mono = layout.main_output_channels.is_some_and(|channels| channels.get() == 1);
        let (params, shared) = (Arc::clone(&self.context.params), &self.context.shared);
        let (class, gauges) = (params.class(), Arc::clone(&self.context.meters));
        let made = catch_unwind(AssertUnwindSafe(|| Engine::new(O::CHAIN_KIND, class, rate, mono, gauges)));
        let Ok(engine) = made else { return false };
        params.store.noise().cancel_learning();
        shared.restart_listening(config.process_mode == ProcessMode::Offline);
        let (last, inbox) = self.engine.take().map(Engine::into_parts).unwrap_or_default();
        let inbox = inbox.or_else(|| shared.references.take_inbox());
        let format = match context.plugin_api() {
            PluginApi::Clap => PluginFormat::Clap,
            PluginApi::Vst3 => PluginFormat::Vst3,
            PluginApi::Standalone => PluginFormat::None,
        };
        // without the link audio goes on as it is
        let linked = catch_unwind(AssertUnwindSafe(|| {
            self.connect_link(last, format, rate, class, engine.latency().0)
        }));
        let engine = engine.with_broadcast(linked.ok().flatten()).with_references(inbox);
        let latency = engine.latency().0 as u32;
        context.set_latency_samples(latency);
        // a second more for what filters and releases leave behind
        self.tail = latency + config.sample_rate as u32;
        (self.engine, self.restart_asked) = (Some(engine), false);
        true
    }

    /// Brings the plugin to the others' notice, the first time, and gives it what it needs at `rate`.
    fn connect_link(
        &mut self,
        last: Option<Broadcast>,
        format: PluginFormat,
        rate: Hz,
        class: LatencyClass,
        latency: usize,
    ) -> Option<Broadcast> {
        let mut broadcast = match last {
            Some(broadcast) => broadcast,
            None => self.join_roster(format)?,
        };
        let mut observer = None;
        // below, there is no loudness
        if let Some(worker) = self.analysis.as_mut().filter(|_| rate.0 >= LOWEST_RATE_WITH_LOUDNESS.0) {
            let (sender, receiver) = hop_queue::hop_queue();
            let advice = worker.start(rate, class, receiver);
            observer = Some(StemAligner::new(&ROSTER, rate, advice, sender));
        }
        broadcast.prepare(rate, latency, observer);
        Some(broadcast)
    }

    /// Joins the roster; `None` if that is full.
    fn join_roster(&mut self, format: PluginFormat) -> Option<Broadcast> {
        let context = &self.context;
        let identity = context.params.store.identity();
        let analysis_shared = (O::CHAIN_KIND == ChainKind::Master).then(|| {
            context.params.store.assign_session(SessionId::mint().into());
            Arc::<AnalysisShared>::default()
        });
        let publisher = Arc::new(LinkPublisher::new(Arc::clone(context), format, analysis_shared.clone()));
        let wanted = identity.instance.and_then(|id| InstanceId::new(id.get()));
        let membership = BRIDGE.join(wanted, Arc::clone(&publisher) as _)?;
        let me = membership.view();
        let stems = Arc::new(StemList::new(&ROSTER, me));
        publisher.set_joined(me, Arc::clone(&stems));
        let link: Arc<dyn SessionLink> =
            Arc::new(PluginLink::new(me, membership.requester(), stems, analysis_shared.clone()));
        context.shared.connect_link(&link);
        self.link = Some(link);
        self.analysis = analysis_shared.map(|analysis_shared| {
            AnalysisWorker::new(MasterAnalysis::new(me, analysis_shared, Arc::clone(context)))
        });
        Some(Broadcast::new(O::CHAIN_KIND, membership, Arc::clone(&context.meters)))
    }

    /// The host has no use for the plugin at the transport: a Master's thread ends.
    pub(super) fn deactivate(&mut self) {
        self.context.shared.end_listening();
        if let Some(engine) = &mut self.engine {
            engine.free_reference();
        }
        self.context.shared.references.free_returned();
        if let Some(worker) = &mut self.analysis {
            worker.stop();
        }
    }

    /// Forgets audio.
    pub(super) fn reset(&mut self) {
        if let Some(engine) = &mut self.engine {
            engine.reset();
        }
    }

    /// Processes a block.
    pub(super) fn process<P: Plugin>(
        &mut self,
        buffer: &mut Buffer<'_>,
        aux: &mut AuxiliaryBuffers<'_>,
        context: &mut impl ProcessContext<P>,
    ) -> ProcessStatus {
        let Some(engine) = &mut self.engine else { return ProcessStatus::Error("not active") };
        let (params, shared) = (&self.context.params, &self.context.shared);
        if engine.class() != params.class() {
            if !self.restart_asked {
                context.request_restart();
            }
            self.restart_asked = true;
        }
        if !params.store.is_moving() {
            engine.apply_settings(params.changes(), || (params.settings(), params.trim()));
        }
        engine.update_noise_learning(params.store.noise());
        let loads = params.store.load_count();
        if loads != self.loads {
            self.loads = loads;
            shared.monitor.end_all();
        }
        engine.set_monitor_mode(shared.monitor.mode());
        let host = context.transport();
        // never from beats: a tempo map is not ours to know
        let seconds = |seconds: f64| (seconds * f64::from(host.sample_rate)).round() as i64;
        let position = host.pos_samples.or_else(|| host.pos_seconds.map(seconds));
        let transport = TransportPosition { playing: host.playing, position };
        shared.transport.publish(host.pos_seconds(), host.loop_range_seconds);
        engine.process(buffer.as_slice(), aux.inputs.first().map(|key| key.as_slice_immutable()), transport);
        ProcessStatus::Tail(self.tail)
    }

    /// A page of remote controls per group.
    pub(super) fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        context.add_section("Chain", |section| {
            // the parameters of a group follow each other
            let mut groups = GroupNames::default();
            self.context.params.each(&mut groups);
            for group in groups.0 {
                section.add_page(group, |page| self.context.params.each(&mut ControlPage { group, page }));
            }
        });
    }
}

/// Collects the names of groups.
#[derive(Default)]
struct GroupNames(Vec<&'static str>);

impl Visitor for GroupNames {
    fn visit<C: Control>(&mut self, row: &'static Parameter, _: &C) {
        if self.0.last() != Some(&row.group.as_str()) {
            self.0.push(&row.group);
        }
    }
}

/// Puts the parameters of one group on a page.
struct ControlPage<'a, P> {
    group: &'a str,
    page: &'a mut P,
}

impl<P: RemoteControlsPage> Visitor for ControlPage<'_, P> {
    fn visit<C: Control>(&mut self, row: &'static Parameter, control: &C) {
        if row.group == self.group {
            self.page.add_param(control);
        }
    }
}
