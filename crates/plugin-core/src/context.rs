//! Context of a plugin instance, shared with its window: parameters, meters, track and shared state.

use super::shared::PluginShared;
use super::track::Track;
use super::{ChainParams, Output};
use crate::gauges::{Gauges, Health};
use chain::monitor::MonitorMode;
use parking_lot::Mutex;
use session::audition::AuditionEffect;
use std::sync::Arc;
use units::{Hz, Lufs, Ms};

/// Everything that a plugin shares with its window.
pub struct PluginContext<O: Output> {
    /// Host parameters and the saved document.
    pub params: Arc<ChainParams<O>>,
    /// Meters, written by the audio thread.
    pub meters: Arc<Gauges>,
    /// The host's track.
    pub track: Track,
    /// Snapshot, commands, and the cells of the audio thread.
    pub shared: PluginShared,
    /// State of parameters and meters at the last published revision.
    published: Mutex<LiveState>,
}

impl<O: Output> Default for PluginContext<O> {
    fn default() -> Self {
        Self {
            params: Arc::default(),
            meters: Arc::default(),
            track: Track::default(),
            shared: PluginShared::default(),
            published: Mutex::default(),
        }
    }
}

impl<O: Output> PluginContext<O> {
    /// Starts the command thread for a window: until it is closed, commands run and Stems are published at frame
    /// rate.
    pub fn open_window(self: &Arc<Self>) {
        // so that the first frame is complete
        self.tick();
        let context = Arc::downgrade(self);
        self.shared.open_window(move || {
            context.upgrade().is_some_and(|context| {
                context.tick();
                true
            })
        });
    }

    /// Stops the command thread. Everything that the window had selected in place of the output has ended on return.
    pub fn close_window(&self) {
        self.shared.close_window();
    }

    fn tick(&self) {
        self.shared.tick();
        let now = self.live_state();
        let mut published = self.published.lock();
        if *published != now {
            *published = now;
            self.shared.publish_revision();
        }
    }

    fn live_state(&self) -> LiveState {
        let (params, meters, shared) = (&self.params, &self.meters, &self.shared);
        let tenths = |at: Ms| (at.0 / 100.0).floor() as i64;
        LiveState {
            changes: params.changes(),
            notice: params.store.notice(),
            learned: params.store.noise().learned_duration().map(tenths),
            heard: (meters.programme_length().0 / 1000.0).floor() as i64,
            loudness: meters.current_loudness(),
            health: meters.health(),
            panics: meters.panics(),
            latency: meters.latency(),
            rate: meters.scope().rate(),
            monitor: shared.monitor.mode(),
            asked: shared.monitor.audition_effect(),
            position: shared.transport.position().map(tenths),
            range: shared.transport.range(),
        }
    }
}

/// Parameters, meters and cells at display resolution: while they are equal and no sound comes, nothing is redrawn.
#[derive(Clone, Debug, Default, PartialEq)]
struct LiveState {
    changes: u64,
    notice: Option<String>,
    /// Tenths of a second.
    learned: Option<i64>,
    /// Seconds.
    heard: i64,
    loudness: (Option<Lufs>, Option<Lufs>),
    health: Health,
    panics: u64,
    latency: u64,
    rate: Option<Hz>,
    monitor: MonitorMode,
    asked: Option<AuditionEffect>,
    /// Tenths of a second.
    position: Option<i64>,
    range: Option<(Ms, Ms)>,
}
