//! What both plugins share: parameters, published gauges, the engine, and the order in which hosts call.

use super::broadcast::Moment;
use super::engine::Engine;
use crate::chain::parameters::Parameter;
use crate::gauges::Gauges;
use crate::params::control::Control;
use crate::params::document;
use crate::params::groups::Visitor;
use crate::params::track::Track;
use crate::params::{ChainParams, Output};
use crate::units::Hz;
use nice_plug::prelude::{
    ActivateContext, AudioIOLayout, AuxiliaryBuffers, Buffer, BufferConfig, Params, Plugin, PluginState,
    ProcessContext, ProcessStatus, RemoteControlsContext, RemoteControlsPage, RemoteControlsSection,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The lowest rate that is not a host's mistake.
const LOWEST_RATE: f32 = 1000.0;

/// A plugin without its names.
pub struct Shell<O: Output> {
    params: Arc<ChainParams<O>>,
    gauges: Arc<Gauges>,
    /// What the host says of the track; it says it to the editor only.
    track: Arc<Track>,
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
    #[cfg(feature = "editor")]
    pub(super) fn editor(&self, name: &str) -> Option<crate::editor::Editor<O>> {
        let (params, gauges, track) =
            (Arc::clone(&self.params), Arc::clone(&self.gauges), Arc::clone(&self.track));
        crate::editor::editor(name, params, gauges, track)
    }

    /// Lets only good states through; what even makes the gate panic has no effect either.
    pub(super) fn filter_state(state: &mut PluginState) {
        if catch_unwind(AssertUnwindSafe(|| document::admit(O::SEAT, state))).is_err() {
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
        let made = catch_unwind(AssertUnwindSafe(|| Engine::new(O::SEAT, class, rate, mono, gauges)));
        let Ok(engine) = made else { return false };
        let latency = engine.latency().0 as u32;
        context.set_latency_samples(latency);
        // a second more for what filters and releases leave behind
        self.tail = latency + config.sample_rate as u32;
        (self.engine, self.restart_asked) = (Some(engine), false);
        true
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
        engine.follow(self.params.changes(), || self.params.settings());
        let transport = context.transport();
        // never from beats: a tempo map is not ours to know
        let seconds = |seconds: f64| (seconds * f64::from(transport.sample_rate)).round() as i64;
        let position = transport.pos_samples.or_else(|| transport.pos_seconds.map(seconds));
        let moment = Moment { playing: transport.playing, position };
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
