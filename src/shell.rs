//! Common part of both plugins: parameters, meters, engine, and the host's lifecycle calls.

use super::analysis::{AnalysisShared, AnalysisWorker, MasterAnalysis};
use super::broadcast::{Broadcast, TransportPosition};
use super::engine::Engine;
use super::link_publisher::LinkPublisher;
use super::session_link::PluginLink;
use super::stem_list::StemList;
use chain::parameters::Parameter;
use chain::{ChainKind, LatencyClass};
use dsp::boxed;
use link::records::PluginFormat;
use link::stem_aligner::StemAligner;
use link::{BRIDGE, InstanceId, ROSTER, SessionId, hop_queue};
use meter::loudness::MIN_RATE as MIN_LOUDNESS_RATE;
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

/// Minimum sampling rate, Hz; activation fails below.
const MIN_RATE: f32 = 1000.0;

/// Plugin without its names and ids.
pub struct Shell<O: Output> {
    /// Shared with the window.
    context: Arc<PluginContext<O>>,
    /// Access to the link, after the first activation.
    link: Option<Arc<dyn SessionLink>>,
    /// Analysis of a Master, after the first activation; its thread runs while the host has the plugin active.
    analysis: Option<AnalysisWorker<O>>,
    /// Count of loaded states at the last block.
    loads: u64,
    /// `None` before the first activation.
    engine: Option<Box<Engine>>,
    /// Tail length reported to the host, frames.
    tail: u32,
    /// Latency class for which the host was last asked to restart.
    restart_asked: Option<LatencyClass>,
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
            restart_asked: None,
        }
    }
}

impl<O: Output> Shell<O> {
    /// Returns the host's track.
    pub fn track(&self) -> &Track {
        &self.context.track
    }

    /// Returns the parameters for the host.
    pub(super) fn params(&self) -> Arc<dyn Params> {
        Arc::clone(&self.context.params) as Arc<dyn Params>
    }

    /// Returns the window, not yet opened.
    /// `before_opening` is called before a window is opened.
    pub(super) fn editor(
        &self,
        name: &str,
        before_opening: impl Fn() + Send + 'static,
    ) -> Option<editor::Editor<O>> {
        Some(editor::editor(name, Arc::clone(&self.context), before_opening))
    }

    /// Validates a state before it is loaded; one that makes the validation panic is emptied.
    pub(super) fn filter_state(state: &mut PluginState) {
        if catch_unwind(AssertUnwindSafe(|| document::validate_state(O::CHAIN_KIND, state))).is_err() {
            state.params.clear();
            state.fields.clear();
        }
    }

    /// Creates the engine for the host's layout and rate and reports the latency; returns false if that fails.
    pub(super) fn activate<P: Plugin>(
        &mut self,
        layout: &AudioIOLayout,
        config: &BufferConfig,
        context: &mut impl ActivateContext<P>,
    ) -> bool {
        if !(config.sample_rate >= MIN_RATE && config.sample_rate.is_finite()) {
            return false;
        }
        let rate = Hz(f64::from(config.sample_rate));
        let mono = layout.main_output_channels.is_some_and(|channels| channels.get() == 1);
        let (params, shared) = (Arc::clone(&self.context.params), &self.context.shared);
        let (class, gauges) = (params.class(), Arc::clone(&self.context.meters));
        let made = catch_unwind(AssertUnwindSafe(|| Engine::new(O::CHAIN_KIND, class, rate, mono, gauges)));
        let Ok(mut engine) = made else { return false };
        params.store.noise().cancel_learning();
        shared.restart_listening(config.process_mode == ProcessMode::Offline);
        let (last, inbox) = self.engine.take().map(|mut engine| engine.take_parts()).unwrap_or_default();
        let inbox = inbox.or_else(|| shared.references.take_inbox());
        let format = match context.plugin_api() {
            PluginApi::Clap => PluginFormat::Clap,
            PluginApi::Vst3 => PluginFormat::Vst3,
            PluginApi::Standalone => PluginFormat::None,
        };
        // without the link, audio works as usual
        let linked = catch_unwind(AssertUnwindSafe(|| {
            self.connect_link(last, format, rate, class, engine.latency().0)
        }));
        engine.connect_broadcast(linked.ok().flatten());
        engine.connect_references(inbox);
        let latency = engine.latency().0 as u32;
        context.set_latency_samples(latency);
        // one second more for the decay of filters and releases
        self.tail = latency + config.sample_rate as u32;
        (self.engine, self.restart_asked) = (Some(engine), None);
        true
    }

    /// Joins the link at the first activation, and prepares the broadcast for `rate`.
    fn connect_link(
        &mut self,
        last: Option<Box<Broadcast>>,
        format: PluginFormat,
        rate: Hz,
        class: LatencyClass,
        latency: usize,
    ) -> Option<Box<Broadcast>> {
        let mut broadcast = match last {
            Some(broadcast) => broadcast,
            None => self.join_roster(format)?,
        };
        let mut aligner = None;
        // below this rate there is no loudness
        if let Some(worker) = self.analysis.as_mut().filter(|_| rate.0 >= MIN_LOUDNESS_RATE.0) {
            if broadcast.aligns_at(rate) {
                // audio and hops that are on their way stay
                worker.start(rate, class, None);
            } else {
                let (sender, receiver) = hop_queue::hop_queue();
                let routes = worker.start(rate, class, Some(receiver));
                aligner = Some(StemAligner::new(&ROSTER, rate, routes, sender));
            }
        }
        broadcast.prepare(rate, latency, aligner);
        Some(broadcast)
    }

    /// Joins the roster; `None` if it is full.
    fn join_roster(&mut self, format: PluginFormat) -> Option<Box<Broadcast>> {
        let context = &self.context;
        let identity = context.params.store.identity();
        let analysis_shared = (O::CHAIN_KIND == ChainKind::Master).then(|| {
            context.params.store.assign_session(SessionId::mint().into());
            Arc::<AnalysisShared>::default()
        });
        let publisher = Arc::new(LinkPublisher::new(Arc::clone(context), format, analysis_shared.clone()));
        let wanted = identity.instance.and_then(|id| InstanceId::new(id.get()));
        let membership = BRIDGE.join(wanted, Arc::clone(&publisher) as _)?;
        let own_view = membership.view();
        let stems = Arc::new(StemList::new(&ROSTER, own_view));
        publisher.set_joined(own_view, Arc::clone(&stems));
        let link =
            Arc::new(PluginLink::new(own_view, membership.requester(), stems, analysis_shared.clone()));
        context.params.store.connect_link(Arc::downgrade(&link) as _);
        let link: Arc<dyn SessionLink> = link;
        context.shared.connect_link(&link);
        self.link = Some(link);
        self.analysis = analysis_shared.map(|analysis_shared| {
            AnalysisWorker::new(MasterAnalysis::new(own_view, analysis_shared, Arc::clone(context)))
        });
        Some(boxed(|| Broadcast::new(O::CHAIN_KIND, membership, Arc::clone(&context.meters))))
    }

    /// Deactivates: a Master's thread ends.
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

    /// Forgets all audio.
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
        let wanted = params.class();
        if wanted == engine.class() {
            self.restart_asked = None;
        } else if self.restart_asked != Some(wanted) {
            // once for each choice: it acts when the host activates again, never while it plays
            context.request_restart();
            self.restart_asked = Some(wanted);
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
        // not from beats: the tempo map is unknown
        let seconds = |seconds: f64| (seconds * f64::from(host.sample_rate)).round() as i64;
        let position = host.pos_samples.or_else(|| host.pos_seconds.map(seconds));
        let transport = TransportPosition { playing: host.playing, position };
        shared.transport.publish(host.pos_seconds(), host.loop_range_seconds);
        engine.process(buffer.as_slice(), aux.inputs.first().map(|key| key.as_slice_immutable()), transport);
        ProcessStatus::Tail(self.tail)
    }

    /// Adds one page of remote controls per parameter group.
    pub(super) fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        context.add_section("Chain", |section| {
            // parameters of a group are adjacent
            let mut groups = GroupNames::default();
            self.context.params.each(&mut groups);
            for group in groups.0 {
                section.add_page(group, |page| self.context.params.each(&mut ControlPage { group, page }));
            }
        });
    }
}

/// Collector of group names.
#[derive(Default)]
struct GroupNames(Vec<&'static str>);

impl Visitor for GroupNames {
    fn visit<C: Control>(&mut self, row: &'static Parameter, _: &C) {
        if self.0.last() != Some(&row.group.as_str()) {
            self.0.push(&row.group);
        }
    }
}

/// Adds the parameters of one group to a page.
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
