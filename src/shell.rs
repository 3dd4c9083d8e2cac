//! What both plugins share: parameters, published gauges, the engine, and the order in which hosts call.

use super::analysis::{Analysis, AnalysisShared, Worker};
use super::broadcast::{Broadcast, Moment};
use super::cards::StemList;
use super::engine::Engine;
use super::exchange::sheet;
use super::teller::LinkPublisher;
use chain::parameters::Parameter;
use chain::{ChainKind, LatencyClass};
use link::observe::StemAligner;
use link::order::{Order, Orders};
use link::snapshot::Format;
use link::{BRIDGE, InstanceId, ROSTER, SessionId, delivery};
use meter::loudness::LOWEST_RATE as LOWEST_RATE_WITH_LOUDNESS;
use nice_plug::prelude::{
    ActivateContext, AudioIOLayout, AuxiliaryBuffers, Buffer, BufferConfig, Params, Plugin, PluginApi,
    PluginState, ProcessContext, ProcessMode, ProcessStatus, RemoteControlsContext, RemoteControlsPage,
    RemoteControlsSection,
};
use plugin_core::board::Board;
use plugin_core::control::Control;
use plugin_core::document;
use plugin_core::gauges::Gauges;
use plugin_core::groups::Visitor;
use plugin_core::room::ListenRequest;
use plugin_core::track::Track;
use plugin_core::{ChainParams, Output};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use units::Hz;

/// The lowest rate that is not a host's mistake.
const LOWEST_RATE: f32 = 1000.0;

/// A plugin without its names.
pub struct Shell<O: Output> {
    params: Arc<ChainParams<O>>,
    gauges: Arc<Gauges>,
    /// What the host says of the track; it says it to the editor only.
    track: Arc<Track>,
    /// What the link and the window tell each other.
    board: Arc<Board>,
    /// A Master's analysis, from the first activation on; its thread runs while the host has it active.
    analysis: Option<Worker>,
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
            params: Arc::default(),
            gauges: Arc::default(),
            track: Arc::default(),
            board: Arc::default(),
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
        &self.track
    }

    /// The parameters, for the host.
    pub(super) fn params(&self) -> Arc<dyn Params> {
        Arc::clone(&self.params) as Arc<dyn Params>
    }

    /// The window, not yet opened.
    pub(super) fn editor(&self, name: &str) -> Option<editor::Editor<O>> {
        let (params, gauges) = (Arc::clone(&self.params), Arc::clone(&self.gauges));
        Some(editor::editor(name, params, gauges, Arc::clone(&self.track), Arc::clone(&self.board)))
    }

    /// Lets only good states through; what even makes the gate panic has no effect either.
    pub(super) fn filter_state(state: &mut PluginState) {
        if catch_unwind(AssertUnwindSafe(|| document::admit(O::CHAIN_KIND, state))).is_err() {
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
        let (class, gauges) = (self.params.class(), Arc::clone(&self.gauges));
        let made = catch_unwind(AssertUnwindSafe(|| Engine::new(O::CHAIN_KIND, class, rate, mono, gauges)));
        let Ok(engine) = made else { return false };
        self.params.store.noise().cancel();
        self.board.listening.start(config.process_mode == ProcessMode::Offline);
        let (last, inbox) = self.engine.take().map(Engine::into_parts).unwrap_or_default();
        let inbox = inbox.or_else(|| self.board.references.take_inbox());
        let format = match context.plugin_api() {
            PluginApi::Clap => Format::Clap,
            PluginApi::Vst3 => Format::Vst3,
            PluginApi::Standalone => Format::None,
        };
        // without the link audio goes on as it is
        let linked =
            catch_unwind(AssertUnwindSafe(|| self.link(last, format, rate, class, engine.latency().0)));
        let engine = engine.with_broadcast(linked.ok().flatten()).with_references(inbox);
        let latency = engine.latency().0 as u32;
        context.set_latency_samples(latency);
        // a second more for what filters and releases leave behind
        self.tail = latency + config.sample_rate as u32;
        (self.engine, self.restart_asked) = (Some(engine), false);
        true
    }

    /// Brings the plugin to the others' notice, the first time, and gives it what it needs at `rate`.
    fn link(
        &mut self,
        last: Option<Broadcast>,
        format: Format,
        rate: Hz,
        class: LatencyClass,
        latency: usize,
    ) -> Option<Broadcast> {
        let mut broadcast = match last {
            Some(broadcast) => broadcast,
            None => self.join(format)?,
        };
        let mut observer = None;
        // below, there is no loudness
        if let Some(worker) = self.analysis.as_mut().filter(|_| rate.0 >= LOWEST_RATE_WITH_LOUDNESS.0) {
            let (sender, receiver) = delivery::queue();
            let advice = worker.start(rate, class, receiver);
            observer = Some(StemAligner::new(&ROSTER, rate, advice, sender));
        }
        broadcast.prepare(rate, latency, observer);
        Some(broadcast)
    }

    /// Joins the roster; `None` if that is full.
    fn join(&mut self, format: Format) -> Option<Broadcast> {
        let identity = self.params.store.identity();
        let studio = (O::CHAIN_KIND == ChainKind::Master).then(|| {
            self.params.store.found_session(SessionId::mint().into());
            Arc::<AnalysisShared>::default()
        });
        let teller = Arc::new(LinkPublisher::new(
            Arc::clone(&self.params),
            Arc::clone(&self.gauges),
            Arc::clone(&self.track),
            Arc::clone(&self.board),
            format,
            studio.clone(),
        ));
        let wanted = identity.instance.and_then(|id| InstanceId::new(id.get()));
        let membership = BRIDGE.join(wanted, Arc::clone(&teller) as _)?;
        teller.joined(membership.peer());
        let (desk, me) = (membership.desk(), membership.peer());
        let cards = Arc::new(StemList::new(&ROSTER, me));
        let seen = Arc::clone(&cards);
        self.board.post_to(move |wish| {
            let stem = InstanceId::new(wish.stem.0).filter(|_| ROSTER.owns_session(me));
            let asked = stem.and_then(|stem| desk.ask(stem, wish.base, wish.trim));
            if let Some(counter) = asked {
                cards.asked(wish.stem, counter, wish.trim);
            }
        });
        let desk = membership.desk();
        self.board.hear_by(move |wishes| {
            let stem =
                |wish: &ListenRequest| InstanceId::new(wish.stem.0).filter(|_| ROSTER.owns_session(me));
            let order = |wish: &ListenRequest| {
                Some(Order { target: stem(wish)?, base: wish.base, hearing: wish.hearing })
            };
            desk.order(Orders::new(wishes.iter().filter_map(order)));
        });
        self.board.look_by(move || seen.look());
        self.board.account_by(move || sheet(&ROSTER, me));
        self.analysis = studio.map(|studio| {
            let params = Arc::clone(&self.params);
            let settings = Box::new(move || params.settings());
            Worker::new(Analysis::new(me, studio, Arc::clone(&self.board), settings))
        });
        Some(Broadcast::new(O::CHAIN_KIND, membership, Arc::clone(&self.gauges)))
    }

    /// The host has no use for the plugin at the moment: a Master's thread ends.
    pub(super) fn deactivate(&mut self) {
        self.board.listening.end_all();
        if let Some(engine) = &mut self.engine {
            engine.eject();
        }
        self.board.references.collect();
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
        if engine.class() != self.params.class() {
            if !self.restart_asked {
                context.request_restart();
            }
            self.restart_asked = true;
        }
        if !self.params.store.is_moving() {
            engine.follow(self.params.changes(), || (self.params.settings(), self.params.trim()));
        }
        engine.learn(self.params.store.noise());
        let loads = self.params.store.loads();
        if loads != self.loads {
            self.loads = loads;
            self.board.listening.end_all();
        }
        engine.listen(self.board.listening.wanted());
        let transport = context.transport();
        // never from beats: a tempo map is not ours to know
        let seconds = |seconds: f64| (seconds * f64::from(transport.sample_rate)).round() as i64;
        let position = transport.pos_samples.or_else(|| transport.pos_seconds.map(seconds));
        let moment = Moment { playing: transport.playing, position };
        self.board.whereabouts.tell(transport.pos_seconds(), transport.loop_range_seconds);
        engine.process(buffer.as_slice(), aux.inputs.first().map(|key| key.as_slice_immutable()), moment);
        ProcessStatus::Tail(self.tail)
    }

    /// A page of remote controls per group.
    pub(super) fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        context.add_section("Chain", |section| {
            // the rows of a group follow each other
            let mut groups: Vec<&str> = self.params.rows().iter().map(|row| row.group.as_str()).collect();
            groups.dedup();
            for group in groups {
                section.add_page(group, |page| {
                    self.params.each(&mut Page { rows: self.params.rows().iter(), group, page });
                });
            }
        });
    }
}

/// Puts the parameters of one group on a page.
struct Page<'a, P> {
    rows: core::slice::Iter<'a, &'static Parameter>,
    group: &'a str,
    page: &'a mut P,
}

impl<P: RemoteControlsPage> Visitor for Page<'_, P> {
    fn visit<C: Control>(&mut self, control: &C) {
        if self.rows.next().is_some_and(|row| row.group == self.group) {
            self.page.add_param(control);
        }
    }
}
